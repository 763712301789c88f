/* SPDX-License-Identifier: MIT */
/* An event as a line. Pure. */
#ifndef TALOSVIP_CLI_WATCH_TEXT_H
#define TALOSVIP_CLI_WATCH_TEXT_H

#include "style.h"

#include "cluster/events.h"

/* "14:06:56.102  10.0.0.50  LOST     cp-1  lease expired"; `width` is of the longest address. */
void watch_human(const struct event *event, const struct style *style, int width, struct buf *out);
void watch_logfmt(const struct event *event, struct buf *out);

#endif
