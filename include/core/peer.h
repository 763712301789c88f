/* SPDX-License-Identifier: MIT */
/* The peer lease: agents watch each other over UDP, and a majority of the voters that an owner
 * named in etcd may together end its lease early, at a time when that owner is mute already. Part
 * of election_step(); docs/design.md says why it is safe. Times are microseconds of
 * CLOCK_BOOTTIME. Pure, no allocation, everything bounded.
 *
 * An owner's list of voters has a term, which grows with every list it proposes. A voter that
 * granted the end of term t says so in each acknowledgement from then on, and that
 * acknowledgement is worth nothing for t and the terms before it. */
#ifndef TALOSVIP_CORE_PEER_H
#define TALOSVIP_CORE_PEER_H

#include <stdbool.h>
#include <stdint.h>

#include "core/deadline.h"
#include "core/queue.h"

/* Agents that take part, this one among them. */
#define PEERS_MAX 16
#define PEER_VOTERS_MIN 3 /* fewer have no majority that survives the owner */
#define PEER_WINDOW_MIN_US (100 * MS_US)
#define PEER_WINDOW_DEFAULT_US (500 * MS_US)
#define PEER_WINDOW_MAX_US (10 * SECOND_US)
/* Owners that a voter keeps in mind. */
#define PEER_SEEN_MAX 32
/* Heartbeats whose acknowledgement may still count. */
#define PEER_SENT_MAX 32

/* One life of one agent under one lease. Another lease, or a restart: another session. */
struct peer_session {
    int64_t lease; /* 0 = none */
    uint64_t incarnation;
};

/* What an owner says in etcd at talosvip/v1/peers/<name>, under its lease. No voters: its lease is
 * not to be ended early. It is never deleted but by those who end the lease. */
struct peer_record {
    char name[NODE_NAME_MAX]; /* of the node */
    struct peer_session owner;
    int64_t term;
    uint64_t window_us;
    int64_t revision; /* modification revision; 0 = not written yet */
    unsigned n;
    struct peer_session voters[PEERS_MAX]; /* the owner among them */
};

/* What an event of the peer lease carries beside req, result, revision; see EV_PEER_*. */
struct peer_input {
    struct peer_session from;  /* who sent it */
    struct peer_session owner; /* whom it is about */
    uint64_t number;           /* sequence or nonce */
    int64_t term;
    uint64_t window_us;
    const char *name; /* of a node; the caller's, for the step only, as below */
    const struct peer_record *records;
    const struct peer_session *sessions;
    unsigned n; /* of the array that the event uses */
};

/* What is worth a line in the log; ACT_PEER_NOTE. */
enum peer_note {
    PEER_NOTE_ON,      /* the list of voters is in force; count = voters */
    PEER_NOTE_OFF,     /* the etcd lease alone decides */
    PEER_NOTE_MUTE,    /* no majority acknowledged in time; at_us = since when */
    PEER_NOTE_HEARD,   /* it does again */
    PEER_NOTE_LOST,    /* our record is gone: our lease was ended */
    PEER_NOTE_SUSPECT, /* peer = the owner that is silent; at_us = last heard */
    PEER_NOTE_CALM,    /* it was heard again */
    PEER_NOTE_GRANTED, /* we gave it up as a voter: its term; ttl_us = the window */
    PEER_NOTE_ENDED,   /* its lease was ended by us and others */
    PEER_NOTES
};

/* What the owner knows of another agent. */
struct peer_member {
    struct peer_session session; /* lease 0 = free */
    bool is_member;              /* named in the node keys */
    bool is_leaving;
    uint64_t sequence; /* newest it acknowledged */
    uint64_t acked_us; /* when that one was sent; 0 = never */
    int64_t given_up;  /* our terms up to this one, as that acknowledgement says */
};

/* Rules 1, 5, 6: this agent as owner. */
struct peer_owner {
    struct peer_record current; /* revision 0 = not created yet */
    struct peer_record next;    /* proposed; in force beside `current` until the answer is known */
    bool is_proposing;
    int64_t guard; /* revision that must be replaced by the first record; 0 = none is there */
    int64_t last_term;
    uint64_t owned;    /* digest of what we owned when `next` was proposed */
    uint32_t req;      /* of the txn that is out; 0 = none */
    uint64_t due_us;   /* when to send it again, or not to propose before */
    uint64_t sequence; /* of the newest heartbeat */
    uint64_t sent_us[PEER_SENT_MAX];
    uint64_t beat_us;  /* next heartbeat */
    uint64_t right_us; /* P; NEVER_US = no list is in force */
    bool is_mute;      /* P has passed */
    uint64_t yield_us; /* mute for so long, in vain: give up; NEVER_US = not mute, or done */
    struct peer_member members[2 * PEERS_MAX];
};

/* Rule 2: an owner as this agent sees it. */
struct peer_seen {
    struct peer_session owner; /* lease 0 = free */
    uint64_t sequence;
    uint64_t heard_us; /* when we last heard it; so long ago did we acknowledge it */
    int64_t given_up;  /* its terms up to this one, for ever; 0 = none */
    uint64_t used_us;  /* when it was last heard or given up */
};

enum peer_hunt_state {
    HUNT_CALM,
    HUNT_ASKING, /* for grants */
    HUNT_ENDING, /* the txn is out, or to be sent again */
    HUNT_REVOKING,
    HUNT_STATES
};

/* Rules 3, 4: another owner's record, and what we do about its silence. */
struct peer_hunt {
    enum peer_hunt_state state;
    struct peer_record record; /* name "" = free */
    uint64_t since_us;         /* when this agent first knew of that session */
    uint64_t jitter_us;
    uint64_t nonce;
    uint32_t granted; /* bit i: voter i */
    uint32_t req;
    uint64_t due_us;
    unsigned tries;
    bool is_leaving; /* that owner said that it stops */
};

struct peer_lease {
    bool is_enabled;
    uint64_t window_us;
    char name[NODE_NAME_MAX];
    uint64_t incarnation;
    uint64_t up_us;    /* listening since */
    uint64_t leave_us; /* stopping: how long to wait for owners to strike us off their lists */
    struct peer_owner owner;
    unsigned seen_n; /* slots in use or used before */
    struct peer_seen seen[PEER_SEEN_MAX];
    struct peer_hunt hunts[PEERS_MAX];
    uint64_t suspicions, grants, endings, mutes; /* counters, for status and metrics */
};

/* When the right ends that a heartbeat gave which a majority acknowledged (rule 1). */
uint64_t peer_right_of(uint64_t sent_us, uint64_t window_us);
/* How long a voter must not have acknowledged before it grants (rule 3). */
uint64_t peer_patience(uint64_t window_us);
/* Time between heartbeats. */
uint64_t peer_interval(uint64_t window_us);
/* Is it one that may be configured? */
bool peer_is_window(uint64_t window_us);
bool peer_is_same(const struct peer_session *a, const struct peer_session *b);

const char *peer_note_name(enum peer_note note);

#endif
