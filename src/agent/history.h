/* SPDX-License-Identifier: MIT */
/* What the files of the history share: what is known of each move, and the jobs that write it. */
#ifndef TALOSVIP_AGENT_HISTORY_H
#define TALOSVIP_AGENT_HISTORY_H

#include "cause.h"
#include "state.h"

/* Two for each VIP: its new owner's, and another that was not written yet. */
#define HISTORY_JOBS_MAX (2 * ELECTION_VIPS_MAX)

/* One VIP's past as this node saw it. */
struct track {
    bool is_known; /* the queue was seen at all */
    struct reign now, before;
    uint64_t gone_us, gone_wall_us; /* the last leader before `now` was gone */
    int64_t own_epoch;              /* of our own take: */
    uint64_t won_us, probed_us;
    int64_t noted;          /* newest epoch for which a record of ours is on its way or written */
    int64_t held;           /* epoch we held it under last, */
    uint64_t lost_us;       /* until then, */
    const char *lost_cause; /* and why; election_cause_name() */
    char lost_detail[RECORD_TEXT_MAX];
    bool was_frozen;
};

/* One record to write, or to complete. */
struct job {
    struct job *next;
    struct ip ip;
    unsigned slot;
    bool is_own;    /* we are the new owner: write it; else: add what we saw */
    bool is_former; /* we were the owner before */
    uint64_t due_us, born_us;
    unsigned tries;
    /* Own: */
    struct cause_facts facts;
    struct record_move move;
    uint64_t gone_us;
    /* Others': */
    bool is_seen;
    uint64_t seen_us;
    bool is_measured;
    uint64_t min_us, max_us;
    int64_t mod_revision;
    const char *lost_cause;
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
