/* SPDX-License-Identifier: MIT */
/* The truth across nodes at one moment: what etcd says, what each node's kernel says, and what
 * each sees on the wire, side by side. One structure feeds `status`, `watch`, `history`, the
 * dashboard, recordings and their JSON. Plain data: no pointers into anything else, times as
 * noted, -1 or "" where nothing is known. What is not known is never filled in. */
#ifndef TALOSVIP_CLUSTER_SNAPSHOT_H
#define TALOSVIP_CLUSTER_SNAPSHOT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/ip.h"

#define SNAPSHOT_NAME_MAX 64  /* names of nodes, members, people; with the NUL */
#define SNAPSHOT_TEXT_MAX 160 /* reasons, alerts, causes */
#define SNAPSHOT_MAC_MAX 18
#define SNAPSHOT_IFACE_MAX 16
#define SNAPSHOT_QUEUE_MAX (SNAPSHOT_NODES_MAX - 1)
#define SNAPSHOT_MACS_MAX 4
#define SNAPSHOT_MEMBERS_MAX 16
#define SNAPSHOT_NODES_MAX 64
#define SNAPSHOT_VIPS_MAX 200
#define SNAPSHOT_ALERTS_MAX 256
#define SNAPSHOT_HISTORY_MAX 1000
#define SNAPSHOT_SEEN_MAX 32
#define SNAPSHOT_PEERS_MAX 32
#define SNAPSHOT_LATENCIES 12 /* buckets of 5 s, the newest last */

enum snapshot_etcd_state {
    SNAPSHOT_ETCD_CONNECTING, /* nobody was heard yet */
    SNAPSHOT_ETCD_OK,         /* it works, and no member is known to be down */
    SNAPSHOT_ETCD_DEGRADED,   /* it works, and a member is down */
    SNAPSHOT_ETCD_NO_QUORUM,
    SNAPSHOT_ETCD_UNREACHABLE,
};

struct snapshot_member {
    char name[SNAPSHOT_NAME_MAX];
    uint64_t id;
    char endpoint[SNAPSHOT_TEXT_MAX];
    /* An answer or an error has come at least once. Until then its health is not known; nor is it
     * of a member whose port speaks gRPC only: `error` tells these two apart. */
    bool is_asked;
    bool is_healthy; /* answers /v3/maintenance/status in time, and knows a leader */
    bool is_leader, is_learner;
    int64_t rtt_us;                 /* of the last status call; -1 unknown */
    char version[16];               /* "" unknown */
    int64_t db_bytes, in_use_bytes; /* -1 unknown */
    int64_t quota_bytes;            /* -1: not reported (before etcd 3.6) */
    int64_t raft_term, raft_index;  /* -1 unknown */
    /* Short: "timeout 2s", "refused", "grpc only", ...; "" when healthy, or not asked yet. */
    char error[SNAPSHOT_TEXT_MAX];
    char alarm[32]; /* "NOSPACE", "CORRUPT", "" */
};

struct snapshot_etcd {
    enum snapshot_etcd_state state;
    uint64_t cluster_id;
    char leader[SNAPSHOT_NAME_MAX];
    /* As this program saw it: how often the leader changed, who it was before the newest change
     * ("" none seen), and for how long it has been the one that it is (-1 unknown). */
    unsigned leader_changes;
    char leader_before[SNAPSHOT_NAME_MAX];
    int64_t leader_since_us;
    char endpoint[SNAPSHOT_TEXT_MAX]; /* in use */
    int64_t term, revision;           /* -1 unknown */
    int64_t age_us;                   /* since the last good answer; -1 never */
    int64_t retry_us;                 /* until the next try, while it does not answer; -1 */
    char error[SNAPSHOT_TEXT_MAX];    /* of the last failure; "" while it answers */
    unsigned n_members, n_healthy, quorum;
    struct snapshot_member members[SNAPSHOT_MEMBERS_MAX];
};

enum snapshot_vip_state {
    SNAPSHOT_VIP_HELD,
    SNAPSHOT_VIP_FREE,   /* no key */
    SNAPSHOT_VIP_MOVING, /* the key is gone, or its new owner has not set the address yet */
    SNAPSHOT_VIP_DUP,    /* two stations answer */
    SNAPSHOT_VIP_SILENT, /* held, and nobody answers */
    SNAPSHOT_VIP_STALE,  /* etcd silent for longer than the lease: only the last known */
};

struct snapshot_vip {
    struct ip ip;
    enum snapshot_vip_state state;
    char holder[SNAPSHOT_NAME_MAX]; /* value of the key with the lowest create revision */
    bool holder_has_agent;
    char iface[SNAPSHOT_IFACE_MAX];   /* of the holder; "" unknown */
    char mac[SNAPSHOT_MAC_MAX];       /* of the holder's link */
    int64_t since_us;                 /* held for so long; -1 unknown */
    bool is_since_at_least;           /* no record: this program has seen it for that long */
    int64_t epoch;                    /* create revision of the holder's key; 0 none */
    int64_t lease;                    /* 0 none */
    int64_t granted_us, remaining_us; /* of the lease; -1 unknown */
    int64_t renewed_us;               /* since the last renewal; -1 unknown */
    unsigned n_queue;                 /* who comes after the holder, in order */
    char queue[SNAPSHOT_QUEUE_MAX][SNAPSHOT_NAME_MAX];
    unsigned n_macs; /* stations that answer, as observers saw lately */
    char macs[SNAPSHOT_MACS_MAX][SNAPSHOT_MAC_MAX];
    unsigned agree, observers; /* views that match the holder / fresh views at all */
    unsigned moves_24h;
    bool is_moves_at_least; /* moves_24h: older ones of that day were not read */
    int64_t released_epoch; /* the last owner that gave up by itself, and why; 0 none on record */
    char released_cause[32], released_detail[SNAPSHOT_TEXT_MAX];
    bool is_paused;
    char paused_by[SNAPSHOT_NAME_MAX], paused_reason[SNAPSHOT_TEXT_MAX];
    int64_t paused_us; /* for so long; -1 */
};

enum snapshot_via {
    SNAPSHOT_VIA_NONE,
    SNAPSHOT_VIA_KERNEL,
    SNAPSHOT_VIA_NEIGH,
    SNAPSHOT_VIA_PROBE
};
enum snapshot_verdict {
    SNAPSHOT_VIEW_UNKNOWN,
    SNAPSHOT_VIEW_SELF,  /* this node's own address */
    SNAPSHOT_VIEW_MATCH, /* the holder's MAC */
    SNAPSHOT_VIEW_WRONG, /* another MAC */
    SNAPSHOT_VIEW_NONE,  /* asked, and nobody answered */
};

/* What one node believes about one VIP. */
struct snapshot_view {
    struct ip vip;
    char state[16]; /* of the node's election: vip_state_name(); "" without agent */
    char iface[SNAPSHOT_IFACE_MAX];
    bool has_address;             /* the node's kernel has it */
    char mac[SNAPSHOT_MAC_MAX];   /* who it is at; "" nobody */
    char other[SNAPSHOT_MAC_MAX]; /* a second station that answered lately; "" none */
    enum snapshot_via via;
    enum snapshot_verdict verdict;
    int64_t age_us; /* of this view, now; -1 unknown */
};

/* Another agent, as the peer lease of a node knows it. The ages are those of now, so that nothing
 * looks newer than it is; the node's word of them is some seconds old (snapshot_node.age_us). */
struct snapshot_peer {
    char node[SNAPSHOT_NAME_MAX];
    bool is_voter;    /* over the node */
    bool is_in_time;  /* by the node's word: acknowledged within the window */
    int64_t acked_us; /* since the newest heartbeat that it acknowledged was sent; -1 never */
    int64_t heard_us; /* since the node heard its own newest one, which owners alone send; -1 */
};

struct snapshot_peers {
    int64_t voters, majority, window_us; /* -1: etcd's lease alone decides, or owns nothing */
    int64_t acknowledged; /* voters that did in time, by the node's word, it among them; -1 */
    bool is_ready;        /* takes part; false also where that is unknown */
    bool is_mute;         /* no majority hears it */
    char reason[SNAPSHOT_TEXT_MAX];             /* why it takes no part; "" */
    int64_t suspicions, grants, endings, mutes; /* since its agent's start; -1 unknown */
    unsigned n;
    struct snapshot_peer *list; /* by name; owned by the snapshot */
};

enum snapshot_role {
    SNAPSHOT_ROLE_HOLDER,  /* of at least one VIP */
    SNAPSHOT_ROLE_NEXT,    /* in a queue; `position` is the best one */
    SNAPSHOT_ROLE_STANDBY, /* agent up, in no queue */
    SNAPSHOT_ROLE_PAUSED,
    SNAPSHOT_ROLE_LOST,     /* its status key is gone, or older than its lease */
    SNAPSHOT_ROLE_OBSERVER, /* looks, takes no part: this host */
    SNAPSHOT_ROLE_TALOS,    /* in a queue, without agent */
};

struct snapshot_node {
    char name[SNAPSHOT_NAME_MAX];
    enum snapshot_role role;
    unsigned position; /* NEXT: 1 = directly after the holder */
    bool has_agent;
    char agent[32];                /* version; "" unknown */
    char address[IP_TEXT_MAX + 4]; /* with prefix length where known */
    char iface[SNAPSHOT_IFACE_MAX];
    char mac[SNAPSHOT_MAC_MAX];
    bool is_link_known, is_link_up;
    int64_t link_us;    /* since the link changed; -1 unknown */
    int64_t speed_mbit; /* -1 unknown */
    int64_t lease;
    int64_t granted_us;
    int64_t renewed_us;                       /* age of the last renewal; -1 unknown */
    int64_t latency_us, p99_us;               /* -1 unknown */
    int32_t latencies_us[SNAPSHOT_LATENCIES]; /* maximum of each; -1 none, -2 failed */
    int64_t clock_offset_us;                  /* this node's wall clock minus ours */
    bool is_clock_known;
    bool has_packet_fence, has_guardian;
    int64_t age_us; /* of its status record; -1 never seen */
    struct snapshot_peers peers;
    unsigned n_views;
    struct snapshot_view *views; /* sorted as the VIPs; owned by the snapshot */
};

/* One failover; or, with `term`, a change of etcd's leader at which nothing moved. */
struct snapshot_move {
    struct ip vip;
    int64_t epoch;                /* create revision of the new owner's key */
    int64_t term;                 /* raft term of the new leader; 0: a failover */
    uint64_t wall_us;             /* when the new owner had the address on */
    char from[SNAPSHOT_NAME_MAX]; /* "" nobody */
    char to[SNAPSHOT_NAME_MAX];
    char cause[32];                 /* the vocabulary: "resign", "lease expired", ... */
    char detail[SNAPSHOT_TEXT_MAX]; /* who, why, which link or check; "" */
    bool is_planned;
    int64_t detect_us; /* last sign of the old owner -> won; -1 unknown */
    int64_t won_us, probed_us, set_us, announced_us; /* after the key was gone; -1 unknown */
    int64_t outage_us, error_us; /* longest one measured, and its error; -1 nobody measured */
    bool is_outage_open;         /* goes on */
    bool is_outage_estimated;    /* from lease times only */
    unsigned n_seen, n_observers;
    char seen[SNAPSHOT_SEEN_MAX][SNAPSHOT_NAME_MAX]; /* observers that saw the new MAC */
    int64_t seen_us[SNAPSHOT_SEEN_MAX];              /* after set_us's moment */
    char note[SNAPSHOT_TEXT_MAX];
};

enum snapshot_severity { SNAPSHOT_INFO, SNAPSHOT_WARN, SNAPSHOT_CRIT };

struct snapshot_alert {
    char id[8]; /* "TVA02" */
    enum snapshot_severity severity;
    struct ip vip;                /* IP_NONE when it concerns none */
    char node[SNAPSHOT_NAME_MAX]; /* "" none */
    char text[SNAPSHOT_TEXT_MAX];
    int64_t since_us;   /* for so long */
    int64_t cleared_us; /* cleared so long ago; -1 while it stands */
};

struct snapshot {
    uint64_t wall_us; /* when it was taken, CLOCK_REALTIME */
    char cluster[SNAPSHOT_NAME_MAX];
    int64_t age_us; /* of what etcd said; -1 it never answered */
    struct snapshot_etcd etcd;
    unsigned n_vips, n_nodes, n_alerts, n_history;
    bool is_history_known;
    uint64_t history_from_us;      /* moves before it may be missing; 0: none. Not in the JSON */
    struct snapshot_vip *vips;     /* by address, IPv4 first */
    struct snapshot_node *nodes;   /* by name */
    struct snapshot_alert *alerts; /* CRIT, WARN, then newest; cleared ones last */
    struct snapshot_move *history; /* newest first */
};

/* Frees what it points to. */
void snapshot_node_done(struct snapshot_node *node);
/* Frees what it points to and zeroes it. Takes NULL and a zeroed snapshot. */
void snapshot_done(struct snapshot *s);

const struct snapshot_vip *snapshot_find_vip(const struct snapshot *s, const struct ip *ip);
const struct snapshot_node *snapshot_find_node(const struct snapshot *s, const char *name);
/* The node's view of a VIP, or NULL. */
const struct snapshot_view *snapshot_find_view(const struct snapshot_node *node,
                                               const struct ip *vip);
/* Nothing moved: it is not to be counted, nor taken for the record of its epoch. */
bool snapshot_move_stays(const struct snapshot_move *move);
/* The newest failover on record, or of `vip` where that is not NULL; NULL: there is none. */
const struct snapshot_move *snapshot_last_move(const struct snapshot *s, const struct ip *vip);
/* The worst alert that stands, or NULL. */
const struct snapshot_alert *snapshot_worst(const struct snapshot *s);

/* How long ago it was. The clock of who wrote it may be ahead of ours: 0 then. */
uint64_t snapshot_move_age(const struct snapshot *s, const struct snapshot_move *move);

/* Somebody measured the whole outage: it goes on no more, and is not inferred from times. */
bool snapshot_move_is_measured(const struct snapshot_move *move);
/* The share of the time from `since_us` to `until_us`, both of the wall clock, that no measured
 * outage of the VIP took, 0 to 1; -1: none was measured. */
double snapshot_held(const struct snapshot *s, const struct ip *vip, uint64_t since_us,
                     uint64_t until_us);

/* How many members were asked and are not healthy. */
unsigned snapshot_members_down(const struct snapshot_etcd *etcd);
/* Of how many it is not known whether they are. */
unsigned snapshot_members_unknown(const struct snapshot_etcd *etcd);
/* How many voters may fail before the quorum is lost, by those that are known to be up; -1: this
 * depends on members of which nothing is known. */
int snapshot_members_spare(const struct snapshot_etcd *etcd);
/* Fewer voters are up than a quorum takes, even if all are that nobody knows of. */
bool snapshot_members_too_few(const struct snapshot_etcd *etcd);
/* "ok", "refused", "grpc only", "connecting", ...: the member's health in a word or two. */
const char *snapshot_member_health(const struct snapshot_member *member);

/* "held", "dup", ...: stable words of the JSON; texts for people are upper case of the same. */
const char *snapshot_vip_state_name(enum snapshot_vip_state state);
const char *snapshot_etcd_state_name(enum snapshot_etcd_state state);
const char *snapshot_role_name(enum snapshot_role role);
const char *snapshot_verdict_name(enum snapshot_verdict verdict);
const char *snapshot_via_name(enum snapshot_via via);
const char *snapshot_severity_name(enum snapshot_severity severity); /* "warning" */
const char *snapshot_severity_word(enum snapshot_severity severity); /* "WARN", for people */

#endif
