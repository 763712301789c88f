/* SPDX-License-Identifier: MIT */
/* What the files of the history share: what is known of each move, and the jobs that write it. */
#ifndef TALOSVIP_AGENT_HISTORY_H
#define TALOSVIP_AGENT_HISTORY_H

#include "cause.h"
#include "state.h"

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
};

enum job_kind {
    JOB_RECORD, /* we are the new owner: write it */
    JOB_SIGHT,  /* add what we saw of a move to another */
    JOB_WORD,   /* we were the owner before: say why */
};

/* One record to write, or to complete. */
struct job {
    struct job *next;
    enum job_kind kind;
    struct ip ip;
    unsigned slot;
    uint64_t due_us, born_us;
    unsigned tries;
    struct record_move move; /* of a sight only the epoch */
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
};

struct history {
    struct agent *agent;
    struct loop_timer *timer;
    struct etcd_call *call;
    struct job *current; /* the one whose call is out; in the list too */
    struct job *first;
    unsigned n_jobs;
    struct track tracks[ELECTION_VIPS_MAX];
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

/* history_write.c */
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
