/* SPDX-License-Identifier: MIT */
/* The queue of one election as etcd shows it: candidates by create revision, the lowest leads
 * (etcd client/v3/concurrency, election.go). Fed by linearizable lists and by a watch that may lag
 * behind them; revisions keep the two in order. Pure, no allocation. */
#ifndef TALOSVIP_CORE_QUEUE_H
#define TALOSVIP_CORE_QUEUE_H

#include <stdbool.h>
#include <stdint.h>

#define QUEUE_MAX 32
#define NODE_NAME_MAX 64 /* with the NUL */

struct candidate {
    int64_t lease;
    int64_t create_revision; /* the epoch of its ownership */
    char name[NODE_NAME_MAX];
};

struct queue {
    int64_t revision; /* of the newest list or event applied; 0 = nothing known */
    int64_t listed;   /* revision of the newest list: older events are already in it */
    bool is_partial;  /* more candidates exist than fit: some are missing at the tail, or directly
                         before the last one if that is ourselves */
    unsigned n;
    struct candidate at[QUEUE_MAX]; /* by create revision */
};

/* For a list of candidates read one by one: keeps the oldest, and always that of lease `own`
 * (0 = none). Returns how many `list` has now. */
unsigned queue_keep(struct candidate list[QUEUE_MAX], unsigned n, const struct candidate *c,
                    int64_t own);
/* Replaces the contents by a list taken at `revision` (any order). `total` counts all candidates
 * there are, listed or not. False, and unchanged, when something newer was applied already. */
bool queue_list(struct queue *q, int64_t revision, const struct candidate *list, unsigned n,
                unsigned total);
/* Applies a watch event, in the order of the watch. False when it was in a list already. */
bool queue_put(struct queue *q, int64_t revision, const struct candidate *c);
bool queue_delete(struct queue *q, int64_t revision, int64_t lease);
/* Takes out a candidate that is known to be gone before any list or event said so. */
void queue_forget(struct queue *q, int64_t lease);
/* The candidate that leads, or NULL. */
const struct candidate *queue_leader(const struct queue *q);
/* Our candidate, or NULL. */
const struct candidate *queue_find(const struct queue *q, int64_t lease);
/* The one directly before `lease`, or NULL when it leads or is not there. */
const struct candidate *queue_before(const struct queue *q, int64_t lease);

#endif
