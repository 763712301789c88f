/* SPDX-License-Identifier: MIT */
/* Rows of cells, aligned in columns two spaces apart. */
#ifndef TALOSVIP_CLI_GRID_H
#define TALOSVIP_CLI_GRID_H

#include "base/buf.h"

#include <stdbool.h>

#define GRID_COLUMNS_MAX 24

struct grid {
    unsigned columns;
    unsigned filled; /* cells so far, of all rows */
    struct buf text; /* cells one after the other, each with its NUL */
};

/* Starts with the heads of the columns as first row; NULL-terminated. */
void grid_init(struct grid *g, const char *const *heads);
void grid_done(struct grid *g);
/* The next cell, with what cannot be shown replaced; "" is shown as "-". Rows must be complete. */
void grid_add(struct grid *g, const char *text);
/* The same from a buf, which is emptied. */
void grid_take(struct grid *g, struct buf *cell);
/* Appends all rows, trailing blanks cut off. */
void grid_write(const struct grid *g, bool with_heads, struct buf *out);

#endif
