/* SPDX-License-Identifier: MIT */
/* A simulated cluster: real cores, a model of etcd and one of the kernel, one virtual clock.
 * Times are microseconds of that clock unless a name says local: each node's own clock drifts. */
#ifndef TALOSVIP_SIM_WORLD_H
#define TALOSVIP_SIM_WORLD_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "core/deadline.h"
#include "core/election.h"

enum { NODES_MAX = 5, VIPS = 2, KEYS_MAX = 40, LEASES_MAX = 64, LOG_MAX = 512 };
enum { RECORDS_MAX = 128, LEASE_FIRST = 101, LEASES_EVER_MAX = 256, PACKETS_MAX = 2048 };
enum { ACTIONS_MAX = ELECTION_ACTIONS_MAX(VIPS), FOREIGN = NODES_MAX };

/* ---- etcd ---- */

struct sim_lease {
    int64_t id; /* 0 = free */
    uint64_t ttl_us;
    uint64_t expiry_us;
};

struct sim_key {
    int64_t lease;
    int64_t create;
    unsigned node; /* FOREIGN = a participant that is not ours */
};

/* talosvip/v1/peers/<node> */
struct sim_record {
    struct peer_record record; /* revision 0 = it does not exist */
    int64_t owned[VIPS];
};

enum sim_prefix { PREFIX_KEYS, PREFIX_NODES, PREFIX_RECORDS };

struct sim_request { /* what people ask of a VIP */
    enum election_ask ask;
    int64_t id; /* revision */
    int64_t epoch;
    unsigned to; /* FOREIGN = nobody in particular */
};

struct sim_change {
    enum sim_prefix prefix;
    int64_t revision;
    unsigned vip;
    bool is_delete;
    struct sim_key key;
    unsigned node;
    unsigned record; /* running number of the record put */
    bool is_request; /* then `request`, and not `key` */
    struct sim_request request;
};

struct sim_etcd {
    int64_t revision;
    int64_t last_lease;
    struct sim_lease leases[LEASES_MAX];
    unsigned n[VIPS];
    struct sim_key keys[VIPS][KEYS_MAX]; /* by create revision */
    int64_t released[VIPS];
    struct peer_session member[NODES_MAX]; /* as the node keys name them */
    struct sim_record record[NODES_MAX];
    struct peer_record put[RECORDS_MAX]; /* the last ones, for the watch */
    unsigned puts;
    unsigned lease_node[LEASES_EVER_MAX]; /* who asked for it */
    bool is_ended[LEASES_EVER_MAX];       /* by peers */
    struct sim_request request[VIPS];
    struct sim_change log[LOG_MAX];
    unsigned logged;
    bool has_quorum;
    uint64_t leaderless_until;
};

/* ---- nodes ---- */

struct sim_message { /* a request on its way to etcd, or an answer on its way back */
    enum election_action_type type;
    unsigned node;
    unsigned life; /* of the agent that asked: a new process does not get old answers */
    uint32_t req;
    unsigned vip;
    enum election_result result;
    int64_t lease;
    int64_t revision;
    uint64_t ttl_us;
    bool yes;
    unsigned n, total; /* listed, and all there are */
    struct sim_key list[QUEUE_MAX];
    int64_t released;
    int64_t pause;                               /* id of the request to pause; 0 = none */
    int64_t check_own[VIPS], check_before[VIPS]; /* create revisions the asker believes in */
    bool has_record;
    struct peer_record record;
    int64_t owned[VIPS];
};

enum { SIM_PUT_MEMBER = ACT_TYPES }; /* a message's type beside those of actions */

/* A datagram from agent to agent, on the network of the VIPs. */
struct sim_packet {
    enum election_event_type type;
    unsigned to;
    struct peer_input in;
};

enum fence_slot { SLOT_PASS, SLOT_ARMED, SLOT_SHUT };

struct sim_address {
    bool is_on;
    uint64_t set_id; /* of the newest add or refresh, so that old expiries are ignored */
};

struct sim_node {
    unsigned id;
    /* the machine and its kernel */
    bool is_powered, is_fenced, has_link;
    bool is_paused; /* for maintenance, as etcd has it */
    int drift_ppm;
    uint64_t clock_offset;
    uint64_t page_deadline_local; /* the shared page: 0 = past */
    uint64_t page_right_local;    /* the guardian's */
    enum fence_slot slot[VIPS];
    struct sim_address address[VIPS];
    int64_t proved_pause[VIPS]; /* id of the pause that the newest proof told of; 0 = none */
    bool must_prove[VIPS];      /* its deadline has passed since etcd last proved that it leads */
    bool is_vip_cut, is_etcd_cut;
    bool refuses_delete;
    bool is_queue_full;   /* of its link: no probe can be sent */
    uint64_t stale_until; /* a deposed etcd leader still answers this node's renewals */
    /* the agent process */
    bool is_agent_alive, is_agent_frozen, is_stopping;
    unsigned life;
    struct election election;
    struct vip vips[VIPS];
    uint64_t armed_wake;      /* the timer as set, virtual time */
    unsigned todo_n, todo_at; /* actions cut short by a freeze */
    struct election_action todo[ACTIONS_MAX];
    struct election_event inbox[64]; /* what arrived while frozen, and the kernel's answers */
    struct sim_message inbox_list[64];
    bool inbox_has_list[64];
    unsigned inbox_n;
    /* the guardian process */
    bool is_guardian_alive, is_guardian_frozen;
    unsigned guardian_life;
    /* what it said as a voter, in this life */
    struct sim_said {
        int64_t lease; /* of the owner */
        uint64_t acked_local;
        int64_t given_up;
    } said[16];
    unsigned said_n;
    uint64_t started_local;
    /* its watch */
    bool is_watch_deaf;
    unsigned watch_at; /* next entry of the log */
};

enum sim_event_type {
    SIM_TIMER,    /* node, life */
    SIM_REQUEST,  /* message reaches etcd */
    SIM_ANSWER,   /* message reaches the node */
    SIM_WATCH,    /* node: whatever the log holds reaches it */
    SIM_LESSOR,   /* etcd looks for expired leases, every 0.5 s */
    SIM_ELECTED,  /* etcd has a new leader */
    SIM_EXPIRE,   /* node, vip: valid_lft ran out */
    SIM_GUARDIAN, /* node: the guardian wakes */
    SIM_FAULT,    /* fault = index of the schedule */
    SIM_HEAL,
    SIM_START,  /* node: an agent is started */
    SIM_REAP,   /* node: the guardian sees that the agent is dead, or the other way round */
    SIM_PACKET, /* node, message: a datagram arrives */
};

struct sim_event {
    uint64_t at;
    uint64_t seq;
    enum sim_event_type type;
    unsigned node;
    unsigned vip;
    uint64_t arg;
    unsigned message; /* index into the pool */
};

/* ---- the run ---- */

enum fault_type {
    FAULT_KILL_AGENT,
    FAULT_KILL_GUARDIAN,
    FAULT_KILL_BOTH,
    FAULT_FREEZE_AGENT,
    FAULT_FREEZE_BOTH,
    FAULT_LINK_DOWN,
    FAULT_VIP_CUT,
    FAULT_ETCD_CUT,
    FAULT_ALL_CUT,
    FAULT_LEADER_LOST,
    FAULT_QUORUM_LOST,
    FAULT_LEASE_REVOKED,
    FAULT_KEY_DELETED,
    FAULT_ADDRESS_DELETED,
    FAULT_POWER_OFF,
    FAULT_WATCH_DEAF,
    FAULT_COMPACTION,
    FAULT_LOSS,
    FAULT_DELETE_REFUSED,
    FAULT_STOP,
    FAULT_FOREIGN_CANDIDATE,
    FAULT_KILL_MIDWAY,   /* dies between two actions of one step */
    FAULT_FREEZE_MIDWAY, /* stops between two actions of one step */
    FAULT_ONE_WAY,       /* datagrams to one other node get lost */
    FAULT_DEAF,          /* all datagrams to the node get lost */
    FAULT_VIP_LOSS,      /* of datagrams */
    FAULT_DELAY,         /* of datagrams, by more than the window */
    FAULT_RESIGN,        /* people are no better than the rest */
    FAULT_RESIGN_TO,
    FAULT_PAUSE,
    FAULT_PAUSE_NODE,
    FAULTS
};

struct fault {
    enum fault_type type;
    unsigned node, vip, other;
    uint64_t at, heal_at;
    int64_t lease; /* of a foreign candidate */
};

enum { FAULTS_MAX = 6, POOL_MAX = 1024, HEAP_MAX = 4096, TRACE_MAX = 64 };

struct world {
    uint64_t seed, random;
    uint64_t now, seq;
    uint64_t end_at, healed_at, bound_us;
    unsigned nodes;
    uint64_t ttl_us;
    struct sim_etcd etcd;
    struct sim_node node[NODES_MAX];
    struct sim_event heap[HEAP_MAX];
    unsigned heap_n;
    bool pool_used[POOL_MAX];
    unsigned pool_hint;
    bool packet_used[PACKETS_MAX];
    unsigned packet_hint;
    bool has_peers;
    uint64_t window_us;
    bool is_deaf_to[NODES_MAX][NODES_MAX]; /* [receiver][sender] */
    unsigned vip_loss_percent, vip_delay_percent;
    unsigned endings;
    struct fault fault[FAULTS_MAX];
    unsigned faults;
    unsigned loss_percent;
    uint64_t slow_check_us; /* what a key check takes on top */
    int midway_node;        /* -1, or the node whose next actions are cut short */
    unsigned midway_at;
    bool midway_kill;
    uint64_t ownerless_since[VIPS];
    uint64_t worst_gap[VIPS];
    uint64_t steps;
    uint64_t trace_hash;
    /* From here on nothing is cleared between two runs. */
    struct sim_message pool[POOL_MAX];
    struct sim_packet packet[PACKETS_MAX];
    bool is_peers_only;
    char trace[TRACE_MAX][160];
    unsigned traced;
    bool is_verbose;
    const char *violation; /* NULL while all invariants hold */
    char violation_text[200];
};

/* heap.c */
void world_at(struct world *w, uint64_t at, enum sim_event_type type, unsigned node, uint64_t arg);
void world_post(struct world *w, const struct sim_event *ev);
bool world_next(struct world *w, struct sim_event *ret_event);
unsigned pool_take(struct world *w, const struct sim_message *m);
uint64_t world_random(struct world *w);
/* low .. high */
uint64_t world_between(struct world *w, uint64_t low, uint64_t high);
bool world_chance(struct world *w, unsigned percent);
void world_trace(struct world *w, const char *fmt, ...) __attribute__((format(printf, 2, 3)));
uint64_t node_local(const struct world *w, const struct sim_node *n);
uint64_t node_global(const struct sim_node *n, uint64_t local);

/* peer_model.c */
extern const char *const node_names[NODES_MAX];
void peer_start(struct world *w, struct sim_node *n);
/* Carries out an action of the peer lease that goes to the network. */
void peer_execute(struct world *w, struct sim_node *n, const struct election_action *a,
                  bool is_delayed);
void peer_deliver(struct world *w, unsigned packet);
void peer_put_member(struct world *w, struct sim_node *n);
/* The watch, of what is not a key of an election. */
void peer_watched(struct world *w, struct sim_node *n, const struct sim_change *c);
void peer_list(struct world *w, struct sim_node *n);
/* At etcd. */
void peer_apply(struct world *w, struct sim_message *m);
void peer_lease_ended(struct world *w, int64_t lease);
unsigned peer_node_of(const struct world *w, int64_t lease);

/* etcd_model.c */
void etcd_init(struct world *w);
bool etcd_has_lease(const struct world *w, int64_t lease);
void etcd_log(struct world *w, const struct sim_change *change);
void etcd_request(struct world *w, struct sim_message *m);
void etcd_lessor(struct world *w);
void etcd_elected(struct world *w);
void etcd_leader_lost(struct world *w, unsigned node);
void etcd_revoke(struct world *w, int64_t lease);
void etcd_delete_key(struct world *w, unsigned vip, int64_t lease);
/* The oldest candidates of a VIP, and that of the message's lease, wherever it stands. */
void etcd_list(const struct world *w, struct sim_message *m);
int64_t etcd_foreign_candidate(struct world *w, unsigned vip, uint64_t ttl_us);
/* A request of a person, to the present owner; `to` FOREIGN = whoever is next. */
void etcd_ask(struct world *w, unsigned vip, enum election_ask ask, unsigned to);
void etcd_withdraw(struct world *w, unsigned vip);
bool etcd_is_up(const struct world *w);
uint64_t etcd_expiry(const struct world *w, int64_t lease);
const struct sim_key *etcd_find(const struct world *w, unsigned vip, int64_t lease);

/* kernel_model.c */
void kernel_set(struct world *w, struct sim_node *n, unsigned vip, uint32_t seconds);
void kernel_clear(struct world *w, struct sim_node *n, unsigned vip);
void kernel_expire(struct world *w, struct sim_node *n, unsigned vip, uint64_t set_id);
bool kernel_is_mute(const struct world *w, const struct sim_node *n, unsigned vip);
bool kernel_answers(const struct world *w, const struct sim_node *n, unsigned vip);
void guardian_wake(struct world *w, struct sim_node *n);
void guardian_arm(struct world *w, struct sim_node *n);

/* agent_model.c */
void agent_start(struct world *w, struct sim_node *n);
void agent_kill(struct world *w, struct sim_node *n);
void agent_freeze(struct world *w, struct sim_node *n);
void agent_thaw(struct world *w, struct sim_node *n);
void agent_event(struct world *w, struct sim_node *n, struct election_event *ev,
                 const struct sim_message *m);
void agent_answer(struct world *w, const struct sim_message *m);
/* "n0", "n1", ...; "" for FOREIGN */
void agent_name(unsigned node, char out[NODE_NAME_MAX]);
void agent_watch(struct world *w, struct sim_node *n, bool is_compacted);
void agent_simple(struct world *w, struct sim_node *n, enum election_event_type type, unsigned vip,
                  unsigned bar, bool yes);

/* faults.c */
extern const char *const fault_names[FAULTS];
void faults_draw(struct world *w);
void fault_begin(struct world *w, struct fault *f);
void fault_end(struct world *w, struct fault *f);

/* check.c */
void check_fail(struct world *w, const char *invariant, const char *fmt, ...)
    __attribute__((format(printf, 3, 4)));
void check_step(struct world *w);
/* Before and after a node handles an event. */
void check_before(struct world *w, struct sim_node *n, const struct election_event *ev,
                  const struct sim_message *m);
void check_after(struct world *w, struct sim_node *n);
void check_action(struct world *w, struct sim_node *n, const struct election_action *a,
                  bool is_delayed);
void check_end(struct world *w);
/* The peer lease: what a node says, and what etcd does. */
void check_ack(struct world *w, struct sim_node *n, const struct election_action *a,
               bool is_delayed);
void check_given_up(struct world *w, struct sim_node *n, const struct election_action *a);
void check_grant(struct world *w, struct sim_node *n, const struct election_action *a);
void check_ended(struct world *w, const struct peer_record *record);
void check_bound(struct world *w, struct sim_node *n);

/* world.c */
void world_init(struct world *w, uint64_t seed);
void world_run_until(struct world *w, uint64_t until);
/* One whole random schedule. */
void world_run(struct world *w, uint64_t seed);
int world_owner(const struct world *w, unsigned vip);

/* stories.c: 0 when all hold */
int stories_run(bool is_verbose);

#endif
