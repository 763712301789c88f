/* SPDX-License-Identifier: MIT */
#include "grid.h"

#include "base/text.h"

#include <assert.h>
#include <string.h>

#define TEXT_MAX (16u << 20)

void grid_init(struct grid *g, const char *const *heads)
{
    *g = (struct grid){.columns = 0};
    buf_init(&g->text, TEXT_MAX);
    for (; heads[g->columns]; g->columns++)
        buf_add(&g->text, heads[g->columns], strlen(heads[g->columns]) + 1);
    assert(g->columns > 0 && g->columns <= GRID_COLUMNS_MAX);
    g->filled = g->columns;
}

void grid_done(struct grid *g)
{
    buf_done(&g->text);
}

void grid_add(struct grid *g, const char *text)
{
    text_add_plain(&g->text, *text ? text : "-");
    buf_add(&g->text, "", 1);
    g->filled++;
}

void grid_take(struct grid *g, struct buf *cell)
{
    grid_add(g, buf_str(cell));
    buf_clear(cell);
}

void grid_write(const struct grid *g, bool with_heads, struct buf *out)
{
    unsigned widths[GRID_COLUMNS_MAX] = {0};
    const char *cell = buf_str(&g->text);
    for (unsigned i = 0; !g->text.error && i < g->filled; i++, cell += strlen(cell) + 1) {
        unsigned width = (unsigned)text_width(cell);
        if ((with_heads || i >= g->columns) && width > widths[i % g->columns])
            widths[i % g->columns] = width;
    }
    cell = buf_str(&g->text);
    for (unsigned i = 0; !g->text.error && i < g->filled; i++, cell += strlen(cell) + 1) {
        bool is_last = (i + 1) % g->columns == 0;
        if (!with_heads && i < g->columns)
            continue;
        buf_puts(out, cell);
        if (is_last)
            buf_putc(out, '\n');
        else
            buf_printf(out, "%*s", (int)(widths[i % g->columns] - (unsigned)text_width(cell) + 2),
                       "");
    }
    if (g->text.error)
        out->error = g->text.error;
}
