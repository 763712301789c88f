/* SPDX-License-Identifier: MIT */
/* The history of a snapshot as the texts of `history`. Pure. */
#ifndef TALOSVIP_CLI_HISTORY_TEXT_H
#define TALOSVIP_CLI_HISTORY_TEXT_H

#include "style.h"

#include "cluster/snapshot.h"

struct history_filter {
    struct ip vip;         /* IP_NONE: any */
    const char *node;      /* as from or to; NULL: any */
    const char *cause;     /* somewhere in the cause's words; NULL: any */
    uint64_t since, until; /* of the wall clock, in microseconds; 0: any */
    unsigned limit;        /* 0: all */
};

/* Leaves only what the filter lets through. */
void history_filter(struct snapshot *s, const struct history_filter *filter);

void history_table(const struct snapshot *s, const struct style *style, bool is_wide,
                   struct buf *out);
void history_csv(const struct snapshot *s, bool with_heads, struct buf *out);

/* One VIP's failovers in figures. */
struct history_stats {
    struct ip vip;
    unsigned moves, planned, measured;
    int64_t p50_us, p95_us, worst_us, total_us; /* of the outages that were measured; -1: none */
    double held; /* share of the time, 0 to 1; -1: nothing was measured */
};

/* From `since` of the wall clock, 0: the first record of each, to `until`, 0: now. Into ret_list of
 * n_max; returns how many. */
size_t history_stats(const struct snapshot *s, uint64_t since, uint64_t until,
                     struct history_stats *ret_list, size_t n_max);
void history_stats_table(const struct history_stats *list, size_t n, const struct style *style,
                         struct buf *out);
void history_stats_json(const struct history_stats *list, size_t n, struct buf *out);

#endif
