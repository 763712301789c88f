/* SPDX-License-Identifier: MIT */
/* The agent's part of the peer lease: its datagrams, its records in etcd, and what is told about
 * it. The protocol is core/peer.h's. Not peers.h's peers, whose neighbour caches are asked whether
 * they have switched. */
#ifndef TALOSVIP_AGENT_PEERLEASE_H
#define TALOSVIP_AGENT_PEERLEASE_H

#include "core/peer.h"
#include "etcd/peers.h"
#include "etcd/watch.h"
#include "net/udp.h"

#define PEERLEASE_NODES_MAX 64
#define PEERLEASE_RECORDS_MAX (2 * PEERS_MAX)
#define PEERLEASE_ENDED_CAUSE "silent, ended by peers"

struct agent;
struct election_action;
struct record_node;
struct api_peers;

/* An agent as its node record names it. */
struct peerlease_node {
    char name[NODE_NAME_MAX]; /* "" = free */
    struct peer_session session;
    struct ip ip;
    uint16_t port;
};

/* An owner's record as etcd has it. */
struct peerlease_record {
    struct peer_record core; /* name "" = free */
    unsigned n_owned;
    int64_t owned[RECORD_VIPS_MAX]; /* create revisions */
};

/* A call to etcd that answers an action of the core. */
struct peerlease_call {
    struct agent *agent; /* NULL = free */
    struct etcd_call *call;
    unsigned type; /* enum election_action_type */
    uint32_t req;
    int64_t lease;
    char name[NODE_NAME_MAX];
    /* ACT_PEER_END: what is given up; sent in parts */
    struct peers_release *releases;
    size_t n, done;
    int64_t revision; /* of the record that the part which is out compares; 0: it is gone */
};

struct peerlease {
    uint64_t incarnation; /* 0: this agent has never taken part */
    struct udp *udp;      /* NULL: no key yet, or no place to listen at */
    struct udp_place place;
    const char *reason; /* static: why not ready; NULL while it is */
    bool is_told_ready;
    uint64_t told_window_us;

    struct datagram_keys keys;
    bool has_key, has_told_key;
    uint64_t send_new_us; /* when the new key is sent under; NEVER_US = it is */
    uint64_t drop_old_us; /* when the old one is no longer taken */
    uint64_t retry_us;    /* to create the key */
    uint64_t open_us;     /* to listen, where that failed */
    uint64_t look_us;     /* to look whether and where to take part */
    struct etcd_call *key_call;
    struct loop_timer *timer; /* for the five times above */

    struct peerlease_node nodes[PEERLEASE_NODES_MAX];
    struct peerlease_record records[PEERLEASE_RECORDS_MAX]; /* the first place is our own */
    int64_t listed_revision;                                /* of the last list */
    struct peerlease_call publish, calls[2 * PEERS_MAX];
    unsigned told_voters; /* in the log */
};

/* peerlease.c */
/* At the start, and whenever settings or links have changed: takes part, moves, or withdraws, as
 * far as that is possible now. Not while actions of the core are carried out: its events point to
 * what is here. */
void peerlease_update(struct agent *a);
/* The same within 50 ms, at any time, and once for all that asks for it until then: VIPs or
 * addresses have changed. For an agent that has taken part before. */
void peerlease_soon(struct agent *a);
/* Fills in where this agent listens. */
void peerlease_fill_record(const struct agent *a, struct record_node *record);
/* Sets the timer for what is due next. */
void peerlease_set_timer(struct agent *a);
/* The etcd client goes: its calls are ended. The core asks again by itself, and the watch of the
 * next client tells whether there is a key. */
void peerlease_close_calls(struct agent *a);
void peerlease_close(struct agent *a);

/* peerwire.c: datagrams and their key */
int peerwire_open(struct agent *a, const struct udp_place *place);
void peerwire_send(struct agent *a, const struct election_action *action);
/* What the watch tells: the key there is, or NULL. */
void peerwire_on_key(struct agent *a, const struct etcd_kv *kv);
void peerwire_on_timer(struct agent *a, uint64_t now_us);

/* peerstore.c: etcd */
void peerstore_request(struct agent *a, const struct election_action *action);
/* The node records, from the watch; after one or all of them peerstore_tell_members(). */
void peerstore_note_node(struct agent *a, const struct record_node *record, int64_t lease);
void peerstore_forget_node(struct agent *a, const char *name); /* NULL: all */
void peerstore_tell_members(struct agent *a);
/* Once more all that is known, to a core that did not want to know of it before. */
void peerstore_tell_all(struct agent *a);
/* The owners' records. */
void peerstore_on_list(struct agent *a, const struct etcd_response *records, int64_t revision);
void peerstore_on_event(struct agent *a, enum etcd_event_type type, const struct etcd_kv *kv,
                        int64_t revision);
const struct peerlease_node *peerstore_find_node(const struct agent *a,
                                                 const struct peer_session *session);

/* peertell.c: log and status */
void peertell_note(struct agent *a, const struct election_action *action);
/* `list` of *ret_peers is the caller's, with API_PEERS_MAX places. */
void peertell_view(const struct agent *a, struct api_peers *ret_peers);
/* The same for the other nodes. */
void peertell_fill_record(const struct agent *a, struct record_node *record);

#endif
