/* SPDX-License-Identifier: MIT */
/* A snapshot as JSON and back: kind Snapshot, apiVersion talosvip/v1, docs/snapshot-schema.json.
 * One line; times RFC 3339 UTC, durations in milliseconds with the unit in the name. */
#ifndef TALOSVIP_CLUSTER_SNAPSHOT_JSON_H
#define TALOSVIP_CLUSTER_SNAPSHOT_JSON_H

#include "base/buf.h"
#include "cluster/snapshot.h"

/* Appends the object, no newline. 0, or the buf's error, or -ENOMEM. */
int snapshot_write(const struct snapshot *s, struct buf *out);
/* Only the history: kind History, with apiVersion, time, cluster and history. */
int snapshot_write_history(const struct snapshot *s, struct buf *out);
/* Strict and bounded; unknown fields are ignored, for newer versions write more. 0, -EBADMSG,
 * -ENOMEM. Free with snapshot_done(). */
int snapshot_parse(const char *text, size_t len, struct snapshot *ret_snapshot);

#endif
