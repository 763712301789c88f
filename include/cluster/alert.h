/* SPDX-License-Identifier: MIT */
/* What is wrong in a snapshot. The IDs are stable: TVA01 ... */
#ifndef TALOSVIP_CLUSTER_ALERT_H
#define TALOSVIP_CLUSTER_ALERT_H

#include "cluster/snapshot.h"

/* Older than this, what etcd said is no ground for most alerts. */
#define ALERT_STALE_US INT64_C(5000000)

/* One kind of alert, for `explain` and the manual. */
struct alert_kind {
    const char *id;
    enum snapshot_severity severity; /* as a rule; some are worse at times */
    const char *title;
    const char *meaning;
    const char *why; /* why it matters */
    const char *what_to_do;
};

/* All of them, by ID; static. */
const struct alert_kind *alert_table(size_t *ret_n);

/* Sets s->alerts to those that stand, worst first, from the rest of the snapshot alone; `since_us`
 * is what the snapshot tells, 0 where it tells nothing. 0 or -ENOMEM. */
int alerts_find(struct snapshot *s);

#endif
