/* SPDX-License-Identifier: MIT */
/* What an agent tells about itself: one flat view, filled by the agent, written as JSON by the
 * server and read back by clients (`GET /v1/status`, kind AgentStatus). */
#ifndef TALOSVIP_API_STATUS_H
#define TALOSVIP_API_STATUS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/buf.h"
#include "base/ip.h"

#define API_NAME_MAX 64  /* node names, with the NUL */
#define API_TEXT_MAX 320 /* endpoints, reasons */
#define API_QUEUE_MAX 32
#define API_VIPS_MAX 200
#define API_CHECKS_MAX 32
#define API_PEERS_MAX 16

struct api_vip {
    struct ip ip;
    char iface[16];
    char state[16];                          /* vip_state_name() */
    char cause[24];                          /* of the last release here; "" when there was none */
    char holder[API_NAME_MAX];               /* who leads in etcd; "" when unknown or nobody */
    unsigned queued;                         /* entries in `queue` */
    char queue[API_QUEUE_MAX][API_NAME_MAX]; /* who comes after the holder, in order */
    int64_t epoch;                           /* our key's create revision; 0 = no key */
    bool has_address;                        /* this node's kernel has it */
    bool has_link;                           /* carrier on the interface */
    bool is_fenced;                          /* the packet fence covers it */
    int64_t held_for_ms;                     /* -1 unless held here */
    uint64_t taken, readded, conflicts;      /* counters since start */
};

/* A health check of the configuration. */
struct api_check {
    char name[API_NAME_MAX];
    bool is_up;
    char error[API_TEXT_MAX]; /* of the last run; "" when it passed */
    uint64_t passed, failed;  /* runs since start */
};

/* Another agent, as the peer lease knows it. */
struct api_peer {
    char node[API_NAME_MAX];
    bool is_voter;        /* over us: our record names it */
    int64_t acked_ago_ms; /* we sent the newest heartbeat that it acknowledged; -1 never */
    int64_t heard_ago_ms; /* we heard its own newest one, which owners alone send; -1 never */
};

/* The peer lease. Counters since start. */
struct api_peers {
    bool is_ready;             /* this agent takes part */
    char reason[API_TEXT_MAX]; /* why not; "" */
    int64_t window_ms;
    int64_t voters;       /* who may end our lease, we among them; 0: nobody, etcd alone decides */
    int64_t majority;     /* of them; 0 */
    int64_t remaining_ms; /* of the right that they give; 0 = past, -1 = none in force */
    bool is_mute;         /* no majority hears us */
    uint64_t suspicions;  /* of others */
    uint64_t grants;      /* given as a voter */
    uint64_t endings;     /* of others' leases, by us */
    uint64_t mutes;
    uint64_t sent, received; /* datagrams */
    uint64_t failed;         /* that the kernel did not send */
    uint64_t dropped;        /* received, and not believed */
    unsigned n;
    struct api_peer *list; /* owned by whoever filled the view */
};

struct api_status {
    char node[API_NAME_MAX];
    char version[32];
    int64_t pid, guardian_pid; /* guardian 0 = none */
    int64_t uptime_ms;
    bool has_packet_fence;
    char fence_reason[API_TEXT_MAX]; /* why there is none */
    char twins[API_TEXT_MAX];        /* names of links that it is on beside those of VIPs; "" */
    char session[16];                /* session_state_name() */
    int64_t lease;                   /* 0 = none */
    int64_t ttl_ms;
    int64_t remaining_ms;          /* until the deadline of the right; 0 = past */
    int64_t renewed_ago_ms;        /* -1 = never */
    int64_t latency_us;            /* of the last renewal */
    char endpoint[API_TEXT_MAX];   /* etcd, in use */
    char etcd_error[API_TEXT_MAX]; /* "" while it answers */
    bool is_stopping;
    struct api_peers peers;
    unsigned n_vips;
    struct api_vip *vips; /* owned by whoever filled the view */
    unsigned n_checks;
    struct api_check *checks; /* likewise */
};

/* Appends the JSON object (one line, no newline). 0, or the buf's error, or -ENOMEM. */
int api_status_write(const struct api_status *status, struct buf *out);
/* Strict, bounded. 0, -EBADMSG, -ENOMEM. Free with api_status_done(). */
int api_status_parse(const char *text, size_t len, struct api_status *ret_status);
/* Frees what api_status_parse() allocated. Takes NULL. */
void api_status_done(struct api_status *status);

#endif
