/* SPDX-License-Identifier: MIT */
/* Numbers as people read them, each in at most WORD_MAX bytes. */
#ifndef TALOSVIP_UI_WORDS_H
#define TALOSVIP_UI_WORDS_H

#include <stddef.h>
#include <stdint.h>

#include "base/ip.h"

#define WORD_MAX 64

/* "0.4s", "41s", "12m", "4h49m", "3d2h"; "-" when negative. */
void words_age(int64_t us, char out[WORD_MAX]);
/* One decimal up to ten seconds: "1.7s", "16s", "12m". */
void words_renewed(int64_t us, char out[WORD_MAX]);
/* "0.6ms", "4ms", "1.2s"; "-" when negative. */
void words_latency(int64_t us, char out[WORD_MAX]);
/* "+740ms", "0ms", "-1.2s". */
void words_offset(int64_t us, char out[WORD_MAX]);
/* "42M", "2.0G"; "-" when negative. */
void words_bytes(int64_t bytes, char out[WORD_MAX]);
/* Digits in groups of three: "9 120 447"; "-" when negative. */
void words_number(int64_t n, char out[WORD_MAX]);
/* "up", "1G", "2.5G", "100M"; "" when unknown. */
void words_speed(int64_t mbit, char out[WORD_MAX]);
/* The last `bytes` bytes of a MAC: "..aa:01:01". */
void words_mac_tail(const char *mac, unsigned bytes, char out[WORD_MAX]);
/* An address in at most `width` cells, its middle cut out by `mark` if it must be. */
void words_ip(const struct ip *ip, size_t width, const char *mark, char out[WORD_MAX]);

/* Wall clock, UTC. */
void words_time(uint64_t wall_us, char out[WORD_MAX]);      /* "14:02:33" */
void words_date_time(uint64_t wall_us, char out[WORD_MAX]); /* "2026-08-21 14:02:33" */
/* "today 13:50:12", "Tue   22:01:03" within a week, else "08-11 08:40:55". */
void words_when(uint64_t wall_us, uint64_t now_us, char out[WORD_MAX]);

#endif
