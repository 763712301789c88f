/* SPDX-License-Identifier: MIT */
/* Since when alerts stand, and which went lately. */
#ifndef TALOSVIP_CLUSTER_ALERT_MEMORY_H
#define TALOSVIP_CLUSTER_ALERT_MEMORY_H

#include "cluster/snapshot.h"

#define ALERT_MEMORY_MAX SNAPSHOT_ALERTS_MAX
#define ALERT_CLEARED_KEPT_US UINT64_C(600000000)

struct alert_memory_entry {
    struct snapshot_alert alert;
    uint64_t raised_us, cleared_us; /* 0: stands */
};

struct alert_memory {
    unsigned n;
    struct alert_memory_entry *list;
};

/* Finds the alerts of `s` (alerts.c), gives them the age that the memory knows, and adds those
 * that were cleared lately. 0 or -ENOMEM. */
int alert_memory_apply(struct alert_memory *memory, struct snapshot *s, uint64_t now_us);
void alert_memory_done(struct alert_memory *memory);

#endif
