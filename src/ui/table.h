/* SPDX-License-Identifier: MIT */
/* Columns that share a line: who gets how much, and who goes when there is not enough. */
#ifndef TALOSVIP_UI_TABLE_H
#define TALOSVIP_UI_TABLE_H

#include <stdbool.h>

struct column {
    const char *title;
    unsigned width; /* usual cells */
    unsigned drop;  /* 0: stays; else the lowest number goes first */
    unsigned from;  /* only on lines of at least so many cells */
    unsigned want;  /* cells that its longest text would fill; may be less than `width` */
    /* Results: */
    bool is_shown;
    unsigned col, end; /* `end` is exclusive */
};

/* Lays `n` columns out between `left` and `end`, one blank between two. Texts that would be cut
 * off push columns out that may go; the last column gets what is left. */
void table_fit(struct column *columns, unsigned n, unsigned left, unsigned end);
/* Notes that a text of so many cells is wanted. */
void table_want(struct column *column, unsigned cells, unsigned most);

#endif
