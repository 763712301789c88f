/* SPDX-License-Identifier: MIT */
/* Strict parsing of text from outside: the whole text must be the value. */
#ifndef TALOSVIP_BASE_PARSE_H
#define TALOSVIP_BASE_PARSE_H

#include <stddef.h>
#include <stdint.h>

/* Decimal without sign or spaces. 0, -EINVAL, -ERANGE. */
int parse_u64(const char *text, uint64_t *ret_value);
/* Decimal with an optional '-'. 0, -EINVAL, -ERANGE. */
int parse_i64(const char *text, int64_t *ret_value);
/* Lower-case hexadecimal without prefix or leading zeros. 0, -EINVAL, -ERANGE. */
int parse_hex(const char *text, uint64_t *ret_value);
/* Go's time.ParseDuration without negative values: "5s", "1500ms", "1m30s", "0.5s".
 * Result in microseconds. 0, -EINVAL, -ERANGE. */
int parse_duration(const char *text, uint64_t *ret_us);

#define DURATION_TEXT_MAX 32
/* "5s", "1.5s", "500ms", "250us": the shortest exact form. */
void duration_format(uint64_t us, char out[DURATION_TEXT_MAX]);

/* Edit distance (Damerau-Levenshtein, adjacent swaps count 1) for did-you-mean; texts over
 * 64 bytes give SIZE_MAX. */
size_t parse_distance(const char *a, const char *b);

#endif
