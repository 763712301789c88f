/* SPDX-License-Identifier: MIT */
/* A snapshot as the texts of `status`. Pure: a snapshot in, a text out. */
#ifndef TALOSVIP_CLI_STATUS_SNAPSHOT_H
#define TALOSVIP_CLI_STATUS_SNAPSHOT_H

#include "style.h"

#include "cli/exit.h"
#include "cluster/snapshot.h"

/* Leaves only what concerns the one VIP. */
void status_keep(struct snapshot *s, const struct ip *vip);

void status_human(const struct snapshot *s, const struct style *style, struct buf *out);
void status_table(const struct snapshot *s, const struct style *style, bool is_wide,
                  struct buf *out);
void status_names(const struct snapshot *s, struct buf *out);
/* One line for monitoring; returns the plugin's code, 0 OK to 3 UNKNOWN. */
int status_check(const struct snapshot *s, struct buf *out);
/* One line for each VIP that is paused. */
void status_pauses(const struct snapshot *s, const struct style *style, struct buf *out);
/* What the snapshot means for the exit status. */
enum exit_code status_code(const struct snapshot *s);

/* Cause and detail in the words of the history: "lease expired: cp-3 lost". */
void status_cause(const struct snapshot_move *move, struct buf *out);
/* "9.8s ±0.1s", "ongoing", "~9s", "-" */
void status_outage(const struct snapshot_move *move, const struct style *style, struct buf *out);

#endif
