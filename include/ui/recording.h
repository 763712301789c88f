/* SPDX-License-Identifier: MIT */
/* Snapshots of a while ago, one JSON object a line, as `top -o json` and --record write them. Only
 * the places of the lines are kept in memory. */
#ifndef TALOSVIP_UI_RECORDING_H
#define TALOSVIP_UI_RECORDING_H

#include <stddef.h>
#include <stdint.h>

#include "cluster/snapshot.h"

#define RECORDING_LINE_MAX (16u << 20) /* longer ones are skipped */
#define RECORDING_SAMPLES_MAX (4u << 20)
#define RECORDING_PIPE_MAX (INT64_C(1) << 30) /* of what is no file, and copied first */

struct recording;

/* `path` "-" is stdin. 0; -ENODATA: no sample in it; -EFBIG; else -errno. */
int recording_open(const char *path, struct recording **ret_recording);
/* Takes NULL. */
void recording_close(struct recording *recording);
/* At least 1. */
size_t recording_count(const struct recording *recording);
/* 0, -EBADMSG: that line is no snapshot; -ENOMEM; else -errno. Free with snapshot_done(). */
int recording_read(const struct recording *recording, size_t index, struct snapshot *ret_snapshot);
/* The last sample that is not after `wall_us`; 0 when all are. */
size_t recording_find(const struct recording *recording, uint64_t wall_us);
/* A point in time as people write it: RFC 3339 UTC, "2026-08-21 09:12[:40]", or "09:12[:40]" of
 * the day of `near_us`. 0 or -EINVAL. */
int recording_parse_time(const char *text, uint64_t near_us, uint64_t *ret_wall_us);

#endif
