/* SPDX-License-Identifier: MIT */
/* The rows of each panel: what identifies one, how it sorts, and its fields as text, which the
 * filter, the search and the copy share. */
#ifndef TALOSVIP_UI_ROWS_H
#define TALOSVIP_UI_ROWS_H

#include <stdbool.h>

#include "base/buf.h"
#include "layout.h"

struct model;

#define ROWS_MAX 1024
#define ROWS_KEY_MAX 160

unsigned rows_count(const struct model *model, enum panel panel);
void rows_key(const struct model *model, enum panel panel, unsigned index, char out[ROWS_KEY_MAX]);
/* "vip=10.0.0.50 state=held holder=cp-1": values with blanks in quotes. */
void rows_text(const struct model *model, enum panel panel, unsigned index, struct buf *out);
/* Names to sort by; the first is the default. NULL-terminated. */
const char *const *rows_sorts(enum panel panel);
int rows_compare(const struct model *model, enum panel panel, unsigned sort, unsigned a,
                 unsigned b);
/* All words of `filter` must match: "x", "!x", "key:value". */
bool rows_match(const char *text, const char *filter);

#endif
