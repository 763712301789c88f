/* SPDX-License-Identifier: MIT */
/* A moment as people write it. */
#ifndef TALOSVIP_CLI_WHEN_H
#define TALOSVIP_CLI_WHEN_H

#include <stdint.h>

/* "24h", "7d", "2w" ago (Go's durations, and days and weeks), or "2026-08-21", "2026-08-21
 * 09:12[:40]", "2026-08-21T09:12:40Z", all in UTC. 0 or -EINVAL. */
int when_parse(const char *text, uint64_t now_wall_us, uint64_t *ret_wall_us);

#endif
