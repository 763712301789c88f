/* SPDX-License-Identifier: MIT */
/* The one clock of the program. Rights and deadlines live on CLOCK_BOOTTIME, which goes on
 * while the machine is suspended; the wall clock is for people and records only. */
#ifndef TALOSVIP_BASE_CLOCK_H
#define TALOSVIP_BASE_CLOCK_H

#include <stddef.h>
#include <stdint.h>

/* Microseconds of CLOCK_BOOTTIME. */
uint64_t clock_now_us(void);
/* Microseconds since the Unix epoch. */
uint64_t clock_wall_us(void);

#define CLOCK_TEXT_MAX 32
/* RFC 3339 in UTC with milliseconds: 2026-08-21T14:06:56.118Z */
void clock_format_utc(uint64_t wall_us, char out[CLOCK_TEXT_MAX]);
/* The same backwards; RFC 3339 with 'Z', the fraction of a second may be missing. 0 or -EINVAL. */
int clock_parse_utc(const char *text, uint64_t *ret_wall_us);

#endif
