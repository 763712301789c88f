/* SPDX-License-Identifier: MIT */
/* The protocol of one node: its etcd session and the election of each of its VIPs.
 *
 * election_step() takes one event and says what to do, in order. It cannot fail, allocate, read a
 * clock or log; event.now_us is the only time there is. The states and the invariants that tests
 * cite stand at the top of src/core/election.c. */
#ifndef TALOSVIP_CORE_ELECTION_H
#define TALOSVIP_CORE_ELECTION_H

#include <stdbool.h>
#include <stdint.h>

#include "core/announce.h"
#include "core/peer.h"
#include "core/queue.h"

#define ELECTION_VIPS_MAX 200

enum vip_state {
    VIP_UNUSED,     /* the slot is free */
    VIP_OFF,        /* not in the queue */
    VIP_JOINING,    /* the txn that writes our key is out */
    VIP_QUEUED,     /* our key stands behind another, or may not act yet */
    VIP_CONFIRMING, /* the watch says that we lead: asking etcd for proof */
    VIP_PROBING,    /* we lead, the last owner left no word: does it still answer? */
    VIP_TAKING,     /* the address was ordered on */
    VIP_HELD,       /* the address is on, and the network was told */
    VIP_DROPPING,   /* the address was ordered off */
    VIP_RESIGNING,  /* the address is off, the txn that deletes our key is out */
    VIP_STATES
};

enum session_state {
    SESSION_OFF,
    SESSION_GRANTING,
    SESSION_LIVE,
    SESSION_RESTING, /* the lease is gone; a new one after the fault has been away for 1 s */
    SESSION_REVOKING,
    SESSION_ENDED,
    SESSION_STATES
};

/* Why a VIP is given up, or may not be taken. */
enum election_cause {
    CAUSE_NONE,
    CAUSE_SHUTDOWN,
    CAUSE_RESIGN,
    CAUSE_LAPSED,       /* the right ran out before etcd confirmed it again */
    CAUSE_SESSION_LOST, /* etcd says that the lease is gone */
    CAUSE_KEY_LOST,     /* our key is gone from etcd while the lease lives */
    CAUSE_LINK_DOWN,
    CAUSE_HEALTH,
    CAUSE_CONFIG,  /* the configuration no longer names it */
    CAUSE_ADDRESS, /* the kernel refused the address */
    CAUSE_GUARDIAN,
    CAUSE_PEERS, /* our list of voters is gone from etcd: so is our lease, whoever ended it */
    CAUSE_MUTE,  /* no majority of our voters acknowledges us, and yet none ends our lease */
    CAUSES
};

/* What people ask of a VIP (src/core/handover.c). */
enum election_ask {
    ASK_NOTHING,
    ASK_RESIGN, /* the owner of `epoch` is to give it up */
    ASK_PAUSE,  /* nobody gives it up but for safety, and nobody takes it */
};

struct election_request {
    enum election_ask ask;
    int64_t epoch;          /* RESIGN: create revision of the owner's key */
    char to[NODE_NAME_MAX]; /* RESIGN: who is to have it; "" = the next in the queue */
};

/* Why an owner does not carry out a request to resign. */
enum election_refusal {
    REFUSAL_ALONE,   /* nobody else stands in the queue */
    REFUSAL_ABSENT,  /* the one who is to have it does not */
    REFUSAL_BLOCKED, /* somebody between did not step behind */
    REFUSALS
};

/* Reasons outside the protocol not to take part; bits. */
enum { BAR_LINK = 1, BAR_HEALTH = 2, BAR_PAUSE = 4, BAR_CONFIG = 8 };

enum election_event_type {
    EV_START,           /* leftovers are gone; `yes` = the packet fence is active */
    EV_TIMER,           /* election.wake_us has come */
    EV_STOP,            /* release everything; ACT_DONE follows */
    EV_LEASE_GRANTED,   /* req, result, lease, ttl_us */
    EV_LEASE_RENEWED,   /* req, result (RESULT_GONE: no such lease), ttl_us */
    EV_LEASE_REVOKED,   /* req, result */
    EV_QUEUE_PROVED,    /* req, vip, result, queue: the answer to CAMPAIGN or CONFIRM */
    EV_KEYS_CHECKED,    /* req, result (RESULT_GONE: not all as we believe) */
    EV_KEY_RESIGNED,    /* req, vip, result */
    EV_QUEUE_LISTED,    /* vip, queue: the watch started over */
    EV_KEY_PUT,         /* vip, revision, candidate: the watch */
    EV_KEY_DELETED,     /* vip, revision, lease: the watch */
    EV_ADDRESS_SET,     /* req, vip, result: the kernel's answer to ADD or REFRESH */
    EV_ADDRESS_CLEARED, /* req, vip, result: the kernel's answer to DELETE */
    EV_ADDRESS_LOST,    /* vip: somebody else deleted it */
    EV_PROBE_SENT,     /* vip: ACT_PROBE's frame is out; without this, silence proves nothing. After
                          the answers to those before it were read */
    EV_PROBE_ANSWERED, /* vip: somebody answers for it */
    EV_CONFLICT,       /* vip: another MAC claims it while we hold it */
    EV_PEERS,          /* vip, count: peers that have not acknowledged us yet */
    EV_LINK_CHANGED,   /* vip: carrier came back, or the MAC changed: announce anew */
    EV_REQUEST,        /* vip, revision, request: what is asked for now; NOTHING when taken back */
    EV_BAR,            /* vip, bar, yes = the bar is up */
    EV_GUARDIAN,       /* yes = the guardian lives */
    EV_VIP_ADDED,      /* vip: a slot that was VIP_UNUSED; bar: the bars that are up */
    /* The peer lease; what is in `peer`. Without EV_PEER_SETUP all others are ignored. */
    EV_PEER_SETUP,     /* before EV_START, and when the configuration changed: yes = take part;
                          window_us, name = our node, number = our incarnation, random, not 0 (the
                          first one counts) */
    EV_PEER_MEMBERS,   /* sessions, n: of all agents that take part, as the node keys name them,
                          whenever that changed; ours may be among them */
    EV_PEER_LISTED,    /* revision; records, n: all there are; the watch started over */
    EV_PEER_PUT,       /* records[0]: the watch; its own revision counts */
    EV_PEER_DELETED,   /* revision; name: the watch */
    EV_PEER_HEARTBEAT, /* from = owner, number = sequence, window_us */
    EV_PEER_ACKED,     /* from = voter, owner = us, number = sequence, term = given up */
    EV_PEER_ASKED,     /* from = candidate, owner, term, number = nonce, window_us */
    EV_PEER_GRANTED,   /* from = voter, owner, term, number = nonce */
    EV_PEER_LEAVING,   /* from */
    EV_PEER_PUBLISHED, /* req, result; OK: revision = the record's new one. GONE, the comparison
                          failed: records = what is there, n = 1, or n = 0 when nothing is */
    EV_PEER_ENDED,     /* req, result: as above */
    EV_PEER_REVOKED,   /* req, result */
    EV_TYPES
};

enum election_result { RESULT_OK, RESULT_GONE, RESULT_FAILED };

/* A queue as a linearizable txn showed it. The array is the caller's, for the step only. */
struct election_queue {
    int64_t revision;
    const struct candidate *list;
    unsigned n;
    unsigned total;
    int64_t released; /* create revision on the release record; 0 = none */
    bool is_paused;   /* there is a request to pause */
};

struct election_event {
    enum election_event_type type;
    uint64_t now_us;
    uint32_t req; /* of the action that this completes; others are dropped */
    unsigned vip; /* slot */
    enum election_result result;
    int64_t lease;
    uint64_t ttl_us;
    int64_t revision;
    unsigned count;
    unsigned bar;
    bool yes;
    struct candidate candidate;
    struct election_queue queue;
    struct peer_input peer;
    struct election_request request;
};

enum election_action_type {
    ACT_LEASE_GRANT,       /* req, ttl_us */
    ACT_LEASE_RENEW,       /* req, lease */
    ACT_LEASE_REVOKE,      /* req, lease */
    ACT_CAMPAIGN,          /* req, vip, lease: write our key if it is not there; list the queue */
    ACT_CONFIRM,           /* req, vip, lease: list the queue and the release record */
    ACT_KEYS_CHECK,        /* req: is each VIP's own key, and the one before it, still there? */
    ACT_RESIGN,            /* req, vip, lease, revision, cause: if our key has that create revision,
                              delete it and, where `yes`, record the release */
    ACT_DEADLINE,          /* store both where the fences see them: at_us for the packet fence (past
                              it, be mute), right_us, never before it, for the guardian (past it,
                              take the addresses off). Differ only while the peer lease is on. 0 =
                              there is no right */
    ACT_FENCE_ARM,         /* vip: past the deadline, be mute */
    ACT_FENCE_SHUT,        /* vip: be mute now, whatever the deadline says */
    ACT_FENCE_DISARM,      /* vip: the address is proved off */
    ACT_ADDRESS_ADD,       /* req, vip, seconds */
    ACT_ADDRESS_REFRESH,   /* req, vip, seconds */
    ACT_ADDRESS_DELETE,    /* req, vip */
    ACT_CLOSE_CONNECTIONS, /* vip: reset its TCP connections */
    ACT_PROBE,             /* vip: ask the wire who has it */
    ACT_ANNOUNCE,          /* vip, count = round (0 starts a new schedule) */
    ACT_ASK_PEERS,         /* vip: ask as the VIP those that have not answered */
    ACT_DEFEND,            /* vip: answer a conflicting claim */
    ACT_STATE,             /* vip, from, to, cause: for the log and the records */
    ACT_SESSION,           /* from_session, to_session, cause */
    ACT_REQUEST_REFUSED,   /* vip, revision = the epoch it was addressed to, refusal */
    ACT_FOREIGN,           /* vip: somebody outside the election has answered for 3 s */
    ACT_UNPROBED,          /* vip: for 3 s it could not be asked for; it is not taken */
    ACT_LATE,              /* at_us = how late this wake-up came, in microseconds */
    ACT_DONE,              /* everything is released; EV_STOP's answer */
    /* The peer lease. `peer` is the session that a datagram goes to, or is about. */
    ACT_PEER_BEAT,    /* heartbeat to all members but us: at_us = sequence, ttl_us = window */
    ACT_PEER_ACK,     /* to `peer`, the owner: at_us = sequence, term = given up */
    ACT_PEER_ASK,     /* to the record's voters, but its owner and us: record's owner, term, window;
                         at_us = nonce */
    ACT_PEER_GRANT,   /* to `peer`: owner, term, at_us = nonce */
    ACT_PEER_LEAVE,   /* to all members: this agent stops */
    ACT_PEER_PUBLISH, /* req, lease, revision, record: if our record's modification revision is
                         `revision` (0 = it does not exist), put it under the lease, with the create
                         revisions of the keys under which we own: those of the slots whose
                         `owned` is their `revision`. Never delete it */
    ACT_PEER_END,     /* req, record, lease: if that record's modification revision is unchanged,
                         delete it; and for each VIP whose key of `lease` has a create revision that
                         the record names as owned, put `released` with that revision and delete the
                         key. What does not fit into one txn follows after its success */
    ACT_PEER_REVOKE,  /* req, lease: of the owner that was ended */
    ACT_PEER_NOTE,    /* note, peer, count, at_us: for the log */
    ACT_TYPES
};

struct election_action {
    enum election_action_type type;
    uint32_t req;
    unsigned vip;
    int64_t lease;
    int64_t revision;
    uint64_t ttl_us;
    uint64_t at_us;
    uint64_t right_us;
    uint32_t seconds;
    unsigned count;
    bool yes;
    enum peer_note note;
    struct peer_session peer;
    struct peer_session owner;
    int64_t term;
    const struct peer_record *record; /* in the election; valid until its next step */
    enum vip_state from, to;
    enum session_state from_session, to_session;
    enum election_cause cause;
    enum election_refusal refusal;
};

/* Most actions of one step, for n VIPs. */
#define ELECTION_ACTIONS_MAX(n) (32 + 4 * PEERS_MAX + 16 * (n))

/* The caller owns `at`, of at least ELECTION_ACTIONS_MAX(vips) entries; step() sets `n`. */
struct election_actions {
    unsigned n;
    unsigned max;
    struct election_action *at;
};

struct vip {
    enum vip_state state;
    unsigned bars;             /* BAR_* */
    enum election_cause cause; /* of the release that is under way, or of the last one */
    uint32_t req;              /* of the address or resign request that is out */
    uint32_t proof_req;        /* of the CAMPAIGN or CONFIRM that is out; 0 = none */
    uint64_t asked_us;         /* when that was sent */
    uint64_t proved_us;        /* when the newest one was sent that proved us first */
    uint64_t probed_us;        /* when probing last ended in silence; 0 = never */
    unsigned slow_proofs;      /* answers in a row that came too late to act on */
    uint64_t due_us;           /* when the state's request counts as lost, or is to be repeated */
    uint64_t join_us;          /* not in the queue before this */
    struct queue queue;
    int64_t revision;    /* our key's create revision; 0 = we have no key */
    int64_t predecessor; /* create revision of the last key seen directly before ours */
    int64_t released;    /* create revision on the newest release record seen */
    int64_t owned;       /* create revision under which we held it last */
    bool has_address;    /* ordered on, and not yet proved off */
    bool has_resign;     /* a resign must follow when the address is off */
    uint64_t probe_us;   /* next probe */
    uint64_t probing_us; /* since when */
    unsigned silent;     /* probes in a row that were sent and not answered */
    bool was_sent;       /* the last probe */
    bool was_answered;   /* since the last probe */
    bool is_foreign;     /* ACT_FOREIGN was sent */
    bool is_unprobed;    /* ACT_UNPROBED was sent */
    struct election_request request;
    uint64_t requested_us; /* when that was first heard of */
    bool is_paused;
    int64_t paused_revision; /* of the news of that */
    bool is_unproved; /* held, but we slept: neither set nor announced until etcd proves it */
    struct announce announce;
    uint64_t defended_us;
    uint64_t held_us;   /* since when it is held */
    uint64_t conflicts; /* counters, for status and metrics */
    uint64_t readded;
    uint64_t taken;
};

struct session {
    enum session_state state;
    int64_t lease;
    uint64_t ttl_us;      /* as the server granted it */
    uint64_t deadline_us; /* the right that etcd gives ends; 0 = none */
    bool has_lapsed;      /* the deadline has passed since the last confirmation */
    uint32_t req;
    uint64_t sent_us;
    uint64_t due_us;     /* next renewal, grant or end of rest */
    uint64_t renewed_us; /* when the last good answer came; 0 = never */
    uint64_t latency_us; /* of that answer */
    unsigned failures;   /* in a row */
    uint32_t check_req;  /* of the key check that is out; 0 = none */
    uint64_t checked_us; /* when that was asked for */
};

struct election {
    uint64_t ttl_us;     /* asked for */
    uint64_t refresh_us; /* announcements while holding */
    bool is_fenced;      /* the packet fence is active */
    bool has_guardian;
    bool is_started;
    bool is_stopping;
    bool is_done;
    bool is_doubtful; /* woke up late; until etcd has confirmed, observe only */
    uint64_t doubt_us;
    uint64_t stop_us; /* when to stop waiting for etcd while stopping */
    uint64_t wake_us; /* when EV_TIMER is due */
    uint64_t now_us;  /* of the current step */
    uint32_t last_req;
    uint32_t seed; /* of the jitter */
    /* D as stored: the end of etcd's right, or of the peer lease if that is sooner. */
    uint64_t deadline_us;
    struct session session;
    struct peer_lease peer;
    unsigned n; /* slots in use or used before */
    struct vip *vips;
};

/* `vips` is the caller's array of `max` zeroed slots; `seed` spreads retries of several nodes. */
void election_init(struct election *e, struct vip *vips, uint64_t ttl_us, uint64_t refresh_us,
                   uint32_t seed);

/* The one writer of `e`. Events of one node come one at a time, with a now_us that never falls. */
void election_step(struct election *e, const struct election_event *ev,
                   struct election_actions *out);

/* Names for logs, JSON and the dashboard; the tables are the one truth. */
const char *vip_state_name(enum vip_state state);
const char *session_state_name(enum session_state state);
const char *election_cause_name(enum election_cause cause);

#endif
