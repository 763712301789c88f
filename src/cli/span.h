/* SPDX-License-Identifier: MIT */
/* Times for people. */
#ifndef TALOSVIP_CLI_SPAN_H
#define TALOSVIP_CLI_SPAN_H

#include "base/buf.h"

#include <stdbool.h>
#include <stdint.h>

/* 850 ms, 1.7s, 42s, 12m 5s, 4h 49m, 3d 4h */
void span_words(struct buf *out, int64_t ms);
/* 850ms, 1.7s, 42s, 12m, 4h49m, 3d4h: no spaces, for columns. "-" for a negative one. */
void span_short(struct buf *out, int64_t ms);
/* 0.2s, 9.8s, 12.4s; below 100 ms in milliseconds: 14ms. */
void span_seconds(struct buf *out, int64_t us);

/* "2026-08-21 09:12:40Z", or without the Z in local time. */
void span_time(struct buf *out, uint64_t wall_us, bool is_local);
/* The day in words where that is shorter: "today 09:12:40Z", "yesterday ...", else the date. */
void span_day(struct buf *out, uint64_t wall_us, uint64_t now_wall_us, bool is_local);

#endif
