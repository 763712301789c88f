/* SPDX-License-Identifier: MIT */
#include "table.h"

#include <stddef.h>

static unsigned cells_of(const struct column *c)
{
    return c->want > c->width ? c->want : c->width;
}

static unsigned total(const struct column *columns, unsigned n)
{
    unsigned sum = 0;
    for (unsigned i = 0; i < n; i++)
        if (columns[i].is_shown)
            sum += cells_of(&columns[i]) + 1;
    return sum > 0 ? sum - 1 : 0;
}

static struct column *next_to_go(struct column *columns, unsigned n)
{
    struct column *first = NULL;
    for (unsigned i = 0; i < n; i++)
        if (columns[i].is_shown && columns[i].drop > 0 && (!first || columns[i].drop < first->drop))
            first = &columns[i];
    return first;
}

/* The longest wish gives in, a cell at a time, until all fit or nobody wants more than usual. */
static bool shorten(struct column *columns, unsigned n)
{
    struct column *longest = NULL;
    for (unsigned i = 0; i < n; i++)
        if (columns[i].is_shown && columns[i].want > columns[i].width &&
            (!longest || columns[i].want > longest->want))
            longest = &columns[i];
    if (longest)
        longest->want--;
    return longest != NULL;
}

void table_want(struct column *column, unsigned cells, unsigned most)
{
    if (cells > most)
        cells = most;
    if (cells > column->want)
        column->want = cells;
}

void table_fit(struct column *columns, unsigned n, unsigned left, unsigned end)
{
    unsigned room = end > left ? end - left : 0, col = left;
    struct column *last = NULL, *out;
    for (unsigned i = 0; i < n; i++)
        columns[i].is_shown = columns[i].from <= end;
    while (total(columns, n) > room && (out = next_to_go(columns, n)))
        out->is_shown = false;
    while (total(columns, n) > room && shorten(columns, n))
        ;
    for (unsigned i = 0; i < n; i++) {
        struct column *c = &columns[i];
        if (!c->is_shown)
            continue;
        c->col = col < end ? col : end;
        c->end = col + cells_of(c) < end ? col + cells_of(c) : end;
        col = c->end + 1;
        last = c;
    }
    if (last)
        last->end = end;
}
