/* SPDX-License-Identifier: MIT */
/* Completion of what a snapshot holds. */
#ifndef TALOSVIP_CLI_COMPLETE_SNAPSHOT_H
#define TALOSVIP_CLI_COMPLETE_SNAPSHOT_H

#include "base/buf.h"
#include "cluster/snapshot.h"

/* Lines for `what`: VIP ("10.0.0.50  held by cp-1") or NODE ("cp-2  next 1, eth0 up"). */
void complete_snapshot(const struct snapshot *s, const char *what, const char *prefix,
                       struct buf *out);

#endif
