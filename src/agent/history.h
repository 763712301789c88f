/* SPDX-License-Identifier: MIT */
/* What the files of the history share: what is known of each move, and the jobs that write it. */
#ifndef TALOSVIP_AGENT_HISTORY_H
#define TALOSVIP_AGENT_HISTORY_H

#include "cause.h"
#include "state.h"

/* Of one epoch: more would hide the moves. */
#define HISTORY_STAYS_MAX 4
/* For each VIP: its new owner's, what was seen of it, and the last owner's word. */
#define HISTORY_JOBS_MAX (3 * ELECTION_VIPS_MAX)

/* One VIP's past as this node saw it. */
struct track {
    bool is_known; /* the queue was seen at all */
    struct reign now, before;
    uint64_t gone_us, gone_wall_us; /* the last leader before `now` was gone */
    int64_t own_epoch;              /* of our own take: */
    uint64_t won_us, probed_us;
    int64_t noted;    /* newest epoch for which a record of ours is on its way or written */
    int64_t held;     /* epoch we held it under last, */
    uint64_t lost_us; /* until then */
    bool was_frozen;
    /* history_stay.c: */
    uint64_t pause_us; /* the longest between two signs of it since etcd's last answer */
    bool is_staying;   /* held when the leader changed, and since; not proved yet */
    unsigned n_stays;  /* written of our epoch; the terms of the newest as a ring: */
    int64_t stays[HISTORY_STAYS_MAX];
};

enum job_kind {
    JOB_RECORD, /* we are the new owner: write it */
    JOB_SIGHT,  /* add what we saw of a move to another */
    JOB_WORD,   /* we were the owner before: say why */
    JOB_STAY,   /* etcd's leader changed, and we kept it: write it */
    JOB_KEPT,   /* ... another one kept it: add what we saw */
};

/* One record to write, or to complete. */
struct job {
    struct job *next;
    enum job_kind kind;
    struct ip ip;
    unsigned slot;
    uint64_t due_us, born_us;
    unsigned tries;
    struct record_move move; /* of a sight only the epoch, of what was kept also the term: the
                                record is of a later one */
    uint64_t gone_us;
    /* Record: */
    struct cause_facts facts;
    struct record_released released; /* the newest that etcd had when we took it */
    /* Sight: */
    bool is_former; /* we were the owner before */
    bool is_seen;
    uint64_t seen_us;
    bool is_measured;
    uint64_t min_us, max_us;
    /* Word: */
    int64_t held, lease; /* the epoch we had it under, and of which session */
    uint64_t lost_us;
    enum election_cause lost_cause;
    char lost_detail[RECORD_TEXT_MAX];
    /* Stay: */
    int64_t obsolete; /* the term whose record makes room; 0 none */
};

struct history {
    struct agent *agent;
    struct loop_timer *timer;
    struct etcd_call *call;
    struct job *current; /* the one whose call is out; in the list too */
    struct job *first;
    unsigned n_jobs;
    struct track tracks[ELECTION_VIPS_MAX];
    /* Of etcd: */
    uint64_t cluster_id, term; /* the newest raft term; 0 unknown */
    uint64_t quiet_us;         /* the last answer before that one */
    uint64_t noted_us;         /* when a change was followed up last; 0 never */
    struct record_move stay;   /* that change */
    unsigned proofs;           /* enum history_proof, since then */
};

/* history_word.c: what only the old owner knows. It is for the record that follows its own, whoever
 * writes that and however many have led since. */
/* The address was given up: `lost_us` and the like of its track are known. */
void history_word_note(struct history *h, unsigned slot, enum election_cause cause);
/* Somebody leads now: there will be a record. */
void history_word_wake(struct history *h, const struct ip *ip);
/* Whether it is known by now why: a key may go with its lease, or without. Else asks again later.
 */
bool history_word_is_ripe(const struct agent *a, struct job *word);
/* Somebody leads, and may write its record any moment. */
bool history_word_is_near(const struct job *word);
/* True when it changed anything. */
bool history_word_tell(const struct job *word, struct record_move *move);
/* The same for our own record before it is written. */
void history_word_tell_own(struct history *h, struct job *record);

/* history_stay.c */
/* Our own record waits until that of its epoch is written. */
bool history_stay_is_early(const struct history *h, const struct job *stay);
/* What we saw, into the owner's record. */
bool history_kept_tell(const struct job *kept, const char *node, struct record_move *move);

/* history_write.c */
/* That node's part of `move`, a new one where there is none; NULL: there is no room. */
struct record_seen *history_own_part(struct record_move *move, const char *node);
void history_add_job(struct history *h, struct job *job);
void history_arm(struct history *h);
void history_on_timer(void *arg);
void history_drop_job(struct history *h, struct job *job);
/* An outage between two bounds, as a middle and an error that has a millisecond of our own. */
void history_measure(struct record_seen *seen, uint64_t min_us, uint64_t max_us);
/* Our part of a record that was read: true when it changed anything. */
bool history_merge(const struct job *job, const char *node, uint64_t now_us, uint64_t now_wall_us,
                   struct record_move *move);

#endif
