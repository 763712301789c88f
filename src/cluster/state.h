/* SPDX-License-Identifier: MIT */
/* The inside of a cluster: what was heard, by whom it is filled, and from when it is.
 *
 *   follow.c   one watch: candidates, records of nodes, requests, releases, moves as they come
 *   past.c     the moves before that, VIP by VIP
 *   members.c  each member's own word, by a client for each
 *   lease.c    what is left of each lease
 *   build*.c   all of it as one snapshot
 */
#ifndef TALOSVIP_CLUSTER_STATE_H
#define TALOSVIP_CLUSTER_STATE_H

#include "alert_memory.h"

#include "cluster/cluster.h"
#include "etcd/record.h"
#include "etcd/watch.h"

#define CANDIDATES_MAX 16384
#define LEASES_MAX 512
#define LEASE_CALLS_MAX 16
#define NOTES_MAX SNAPSHOT_VIPS_MAX
#define PROBES_MAX (2 * ETCD_ENDPOINTS_MAX)
#define PAST_BATCH 32
#define MEMBER_TIMEOUT_US UINT64_C(2000000)
#define LOST_KEPT_US UINT64_C(600000000)

/* One key of an election. */
struct candidate {
    struct ip ip;
    int64_t lease, create_revision;
    char name[SNAPSHOT_NAME_MAX];
};

struct known_vip {
    struct ip ip;
    int64_t epoch;     /* of who leads; 0 nobody */
    uint64_t since_us; /* it has led, as seen by this program; 0 never */
    bool was_there;    /* it led already when this program came */
    uint64_t gone_us;  /* when the last one was gone; 0: never seen */
    bool has_request, has_released;
    struct record_request request;
    struct record_released released;
    int64_t released_revision; /* of the record's own change */
    bool is_past_cut;          /* there are older moves than those that were read */
};

struct known_node {
    char name[SNAPSHOT_NAME_MAX];
    bool is_present;
    struct record_node record;
    int64_t mod_revision;
    uint64_t heard_us;   /* when the record came */
    int64_t base_age_us; /* how old it was then */
    bool is_clock_known;
    int64_t clock_offset_us;
    uint64_t lost_us; /* when it went; 0: its record never came */
    unsigned voters;  /* over its lease; 0: etcd's lease alone decides, or it owns nothing */
    uint32_t window_us;
};

struct known_move {
    struct ip ip;
    int64_t epoch, term, mod_revision; /* `term`: as in the key */
    struct record_move record;
};

struct known_lease {
    struct cluster *cluster;
    int64_t id;
    bool is_used; /* by a candidate; for sweeping */
    bool is_asked, is_gone;
    int64_t ttl_s, granted_s; /* -1 unknown */
    uint64_t asked_us, answered_us;
    struct etcd_call *call; /* under way */
};

struct known_member {
    uint64_t id;
    char name[SNAPSHOT_NAME_MAX];
    char url[SNAPSHOT_TEXT_MAX]; /* the first; "" not started yet */
    bool is_learner;
};

/* Asks one address for its member's status. */
struct probe {
    struct cluster *cluster;
    struct etcd_client *client;
    struct etcd_call *call;
    char url[SNAPSHOT_TEXT_MAX];
    uint64_t claimed; /* the member that is said to be there; 0: configured, anybody */
    bool is_asked, is_ok;
    bool is_grpc_only; /* it could not be asked */
    bool is_by_range;  /* this user may not ask for the status, but may read */
    uint64_t due_us;
    unsigned failures;           /* in a row */
    struct snapshot_member seen; /* of the last answer; `error` of the last failure */
};

struct note {
    char node[SNAPSHOT_NAME_MAX];
    struct snapshot_view view;
    uint64_t noted_us;
};

struct cluster {
    struct loop *loop;
    struct cluster_config config; /* its strings are the caller's */
    struct etcd_client *client;
    struct etcd_watch *watch;
    struct loop_timer *tick, *change;
    bool is_told;        /* that something changed */
    uint64_t synced_us;  /* when the watch's stream stood last */
    uint64_t settled_us; /* not told before: the other half may be under way */

    bool is_listed;
    uint64_t listed_us;
    struct candidate *candidates;
    size_t n_candidates, room_candidates;
    struct known_vip *vips; /* in the order in which they were met */
    unsigned n_vips;
    struct known_node *nodes;
    unsigned n_nodes;
    struct known_lease *leases;
    unsigned n_leases, lease_calls;
    struct note *notes;
    unsigned n_notes;

    struct known_move *moves;
    unsigned n_moves;
    unsigned past_next; /* the first VIP whose moves were not listed yet */
    unsigned past_end;  /* ... after the list that is under way */
    bool is_past_known;
    struct etcd_call *past_call;

    struct known_member members[SNAPSHOT_MEMBERS_MAX];
    unsigned n_members;
    struct probe *probes[PROBES_MAX];
    unsigned n_probes;
    struct etcd_call *members_call;
    uint64_t members_due_us;
    bool is_members_asked;

    struct etcd_call *pulse_call;
    uint64_t pulse_due_us, heard_us; /* 0: never */
    unsigned pulse_failures;
    enum etcd_status failure;
    char error[SNAPSHOT_TEXT_MAX];
    uint64_t cluster_id, term;
    int64_t revision;
    struct {
        char name[SNAPSHOT_NAME_MAX], before[SNAPSHOT_NAME_MAX];
        int64_t term;
        unsigned changes;
        uint64_t changed_us;
    } leader; /* the last one that was known */

    struct alert_memory alerts;
};

/* cluster.c */
/* Something changed: the owner is told soon. */
void cluster_touch(struct cluster *c);
/* The same when the watch told it. */
void cluster_changed(struct cluster *c);
/* An answer that proves that etcd works. */
void cluster_heard(struct cluster *c, const struct etcd_header *header);
void cluster_failed(struct cluster *c, enum etcd_status status, const char *message);

/* follow.c */
int follow_start(struct cluster *c);
/* NULL when there is no room. */
struct known_vip *follow_vip(struct cluster *c, const struct ip *ip);
struct known_node *follow_node(struct cluster *c, const char *name);
/* The candidate that leads, or NULL. */
const struct candidate *follow_leader(const struct cluster *c, const struct ip *ip);

/* past.c */
/* Lists what was not listed yet. */
void past_run(struct cluster *c);
void past_put(struct cluster *c, const struct etcd_kv *kv);
void past_delete(struct cluster *c, const struct etcd_kv *kv);

/* members.c */
int members_start(struct cluster *c);
void members_run(struct cluster *c, uint64_t now);
void members_done(struct cluster *c);
/* What the members say, into ret_etcd->members, leader, counts and state. */
void members_fill(const struct cluster *c, struct snapshot_etcd *ret_etcd);
bool members_are_asked(const struct cluster *c);

/* lease.c */
/* Follows the candidates' leases: new ones are added, unused ones forgotten. */
void lease_sweep(struct cluster *c);
void lease_run(struct cluster *c, uint64_t now);
void lease_done(struct cluster *c);
bool lease_all_asked(const struct cluster *c);
/* NULL when nothing is known of it. */
const struct known_lease *lease_find(const struct cluster *c, int64_t id);
/* Between which bounds the rest of the lease lies now; false: unknown. */
bool lease_left(const struct known_lease *lease, uint64_t now, int64_t *ret_least_us,
                int64_t *ret_most_us);

/* build_vips.c, build_nodes.c, build_peers.c */
int build_vips(const struct cluster *c, uint64_t now, struct snapshot *s);
int build_nodes(const struct cluster *c, uint64_t now, struct snapshot *s);
/* The age of a node's record now. */
int64_t build_record_age(const struct known_node *node, uint64_t now);
/* What was so long ago when a record was written that is `age_us` old now; -1 unknown. */
int64_t build_aged(int64_t ago_ms, int64_t age_us);
/* The node's peer lease; `age_us` is its record's. 0 or -ENOMEM. */
int build_peers(const struct known_node *from, int64_t age_us, struct snapshot_peers *to);
/* Verdicts, MACs and states, once VIPs and nodes are there. */
void build_views(const struct cluster *c, uint64_t now, struct snapshot *s);
int build_history(const struct cluster *c, struct snapshot *s);

#endif
