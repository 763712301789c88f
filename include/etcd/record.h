/* SPDX-License-Identifier: MIT */
/* The JSON values that agents write for each other. Pure; bounded both ways. Parsers ignore
 * unknown fields, for newer versions write more, and take what an older one did not write as
 * unknown (-1, ""). */
#ifndef TALOSVIP_ETCD_RECORD_H
#define TALOSVIP_ETCD_RECORD_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/buf.h"
#include "base/ip.h"

#define RECORD_NAME_MAX 64
#define RECORD_TEXT_MAX 160
#define RECORD_ADDRESSES_MAX 16
#define RECORD_LINKS_MAX 16
#define RECORD_VIPS_MAX 200
#define RECORD_SEEN_MAX 32
#define RECORD_PEERS_MAX 32
#define RECORD_LATENCIES 12 /* maxima of 5 s each, the newest last */
#define RECORD_MAC_MAX 18
#define RECORD_IFACE_MAX 16

struct record_link {
    char name[RECORD_IFACE_MAX];
    char mac[RECORD_MAC_MAX];
    bool is_up;
    int64_t changed_ago_ms; /* carrier; -1 unknown */
    int64_t speed_mbit;     /* -1 unknown */
    struct ip address;      /* the node's own on it, IP_NONE when there is none */
    uint8_t prefix_len;
};

/* One VIP as a node has and sees it. */
struct record_vip {
    struct ip ip;
    char state[16]; /* vip_state_name() */
    char iface[RECORD_IFACE_MAX];
    bool has_address;           /* this kernel has it */
    int64_t epoch;              /* create revision of the node's own key; 0 none */
    int64_t held_for_ms;        /* -1 unless held */
    char mac[RECORD_MAC_MAX];   /* who has it, as seen here; "" nobody answers */
    char other[RECORD_MAC_MAX]; /* a second station that answered within 3 s; "" none */
    char via[8];                /* "kernel", "neigh", "probe", "" not looked */
    int64_t seen_ago_ms;        /* when this was seen last; -1 never */
    int64_t silent_ms;          /* nobody has answered for so long; -1: somebody does */
};

/* Another agent, as the node's peer lease knows it. */
struct record_peer {
    char node[RECORD_NAME_MAX];
    bool is_voter;        /* over the node */
    int64_t acked_ago_ms; /* the node sent the newest heartbeat that it acknowledged; -1 never */
    int64_t heard_ago_ms; /* the node heard its own newest one; -1 never */
};

/* The node's peer lease, beside the list of its voters in talosvip/v1/peers/<node>. */
struct record_peers {
    bool is_known; /* an older agent does not tell */
    bool is_ready; /* the node takes part */
    bool is_mute;
    char reason[RECORD_TEXT_MAX];               /* why it does not; "" */
    int64_t suspicions, grants, endings, mutes; /* since its agent's start; -1 unknown */
    unsigned n;
    struct record_peer list[RECORD_PEERS_MAX];
};

/* talosvip/v1/nodes/<node>: under the node's lease. Ages count from `wall_us`. */
struct record_node {
    char node[RECORD_NAME_MAX];
    char machine_id[RECORD_NAME_MAX];
    char version[32];
    uint64_t wall_us; /* when this was written; 0 unknown */
    int64_t lease, ttl_ms;
    int64_t renewed_ago_ms, latency_us, p99_us;
    int32_t latencies_us[RECORD_LATENCIES]; /* -1 none, -2 failed */
    bool has_packet_fence, has_guardian, is_paused;
    uint64_t incarnation; /* with the lease: one life of the agent; 0 unknown */
    struct ip peer_ip;    /* where it hears other agents; IP_NONE: it does not */
    uint16_t peer_port;
    struct record_peers peers;
    unsigned n_addresses;
    struct ip addresses[RECORD_ADDRESSES_MAX]; /* its own ones on the links of its VIPs */
    unsigned n_links;
    struct record_link links[RECORD_LINKS_MAX];
    unsigned n_vips;
    struct record_vip *vips; /* owned; record_node_done() */
};

/* talosvip/v1/released/<ip> */
struct record_released {
    char node[RECORD_NAME_MAX];
    char cause[32];
    char detail[RECORD_TEXT_MAX]; /* who, why, which link or check; "" */
    int64_t revision;             /* create revision of the key that was given up */
    uint64_t wall_us;
};

/* One observer's part of a failover. */
struct record_seen {
    char node[RECORD_NAME_MAX];
    int64_t seen_ms;             /* after the address was on: it saw the new MAC; -1 not yet */
    int64_t outage_us, error_us; /* longest gap it measured; -1 none */
};

/* talosvip/v1/history/<ip>/<create revision>: written once by the new owner, completed by the
 * observers. Offsets count from when the old key was gone (`gone_wall_us`); -1 unknown.
 * With `-<term>`: etcd's leader changed, and the owner stayed. `from` is `to` then, and the time
 * that of the change. */
struct record_move {
    char from[RECORD_NAME_MAX], to[RECORD_NAME_MAX];
    char cause[32];
    char detail[RECORD_TEXT_MAX];
    bool is_planned;
    int64_t epoch, previous_epoch;
    int64_t term;          /* of etcd's new leader: nothing moved; 0: this is a move */
    uint64_t gone_wall_us; /* the old key was gone, as the new owner learned */
    int64_t last_sign_us;  /* before it: last sign of the old owner on the wire */
    int64_t won_us, probed_us, set_us, announced_us;
    unsigned observers; /* agents that look, besides the new owner */
    unsigned n_seen;
    struct record_seen seen[RECORD_SEEN_MAX];
    char note[RECORD_TEXT_MAX];
};

#define RECORD_CAUSE_STAYED "etcd leader change"
/* What `cause` may say, for people who look for one; ends with NULL. */
extern const char *const record_causes[];

enum record_request_kind { RECORD_RESIGN, RECORD_PAUSE };

/* talosvip/v1/requests/<ip>, and (pause only) talosvip/v1/requests/node/<node> */
struct record_request {
    enum record_request_kind kind;
    char by[RECORD_NAME_MAX];
    char reason[RECORD_TEXT_MAX];
    char to[RECORD_NAME_MAX];      /* resign: the node that is to have it; "" the next */
    int64_t epoch;                 /* resign: create revision of the owner's key; to nobody else */
    char refused[RECORD_TEXT_MAX]; /* resign: why the owner did not; "" while it is open */
    uint64_t wall_us;
};

/* 0, -ENOMEM, or the buf's error. */
int record_node_write(const struct record_node *r, struct buf *out);
int record_released_write(const struct record_released *r, struct buf *out);
int record_move_write(const struct record_move *r, struct buf *out);
int record_request_write(const struct record_request *r, struct buf *out);
/* 0, -ENOMEM, or -EBADMSG: no JSON object, a missing or wrong field. */
int record_node_parse(const char *text, size_t len, struct record_node *ret_record);
int record_released_parse(const char *text, size_t len, struct record_released *ret_record);
int record_move_parse(const char *text, size_t len, struct record_move *ret_record);
int record_request_parse(const char *text, size_t len, struct record_request *ret_record);
/* Frees what record_node_parse() allocated. Takes NULL and a zeroed record. */
void record_node_done(struct record_node *r);

#endif
