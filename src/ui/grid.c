/* SPDX-License-Identifier: MIT */
#include "grid.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/text.h"

int grid_resize(struct grid *grid, unsigned width, unsigned height)
{
    width = width < 1 ? 1 : width > GRID_WIDTH_MAX ? GRID_WIDTH_MAX : width;
    height = height < 1 ? 1 : height > GRID_HEIGHT_MAX ? GRID_HEIGHT_MAX : height;
    struct cell *cells = realloc(grid->cells, sizeof(*cells) * width * height);
    if (!cells)
        return -ENOMEM;
    grid->cells = cells;
    grid->width = width;
    grid->height = height;
    grid_clear(grid);
    return 0;
}

void grid_done(struct grid *grid)
{
    free(grid->cells);
    grid->cells = NULL;
    grid->width = grid->height = 0;
}

void grid_clear(struct grid *grid)
{
    for (size_t i = 0; i < (size_t)grid->width * grid->height; i++)
        grid->cells[i] = (struct cell){.code = ' ', .cells = 1};
}

const struct cell *grid_row(const struct grid *grid, unsigned row)
{
    return &grid->cells[(size_t)row * grid->width];
}

/* Half a wide character must not stay behind. */
static void unwiden(struct cell *row, unsigned width, unsigned col)
{
    if (row[col].cells == 0 && col > 0)
        row[col - 1] = (struct cell){.code = ' ', .style = row[col - 1].style, .cells = 1};
    if (row[col].cells == 2 && col + 1 < width)
        row[col + 1] = (struct cell){.code = ' ', .style = row[col + 1].style, .cells = 1};
}

static unsigned put(struct grid *grid, unsigned row, unsigned col, unsigned end, unsigned style,
                    uint32_t code)
{
    unsigned cells = text_cells(code);
    if (cells == 0 || col + cells > end)
        return cells;
    struct cell *line = &grid->cells[(size_t)row * grid->width];
    for (unsigned i = 0; i < cells; i++) {
        unwiden(line, grid->width, col + i);
        line[col + i] = (struct cell){.code = i ? ' ' : code, .style = (uint8_t)style};
    }
    line[col].cells = (uint8_t)cells;
    return cells;
}

unsigned grid_text(struct grid *grid, unsigned row, unsigned col, unsigned end, unsigned style,
                   const char *text)
{
    size_t len = strlen(text);
    if (end > grid->width)
        end = grid->width;
    if (row >= grid->height)
        return col;
    while (len > 0 && col < end) {
        enum text_kind kind;
        size_t n = text_next(text, len, &kind);
        uint32_t code = kind == TEXT_PLAIN ? text_code(text, n) : '?';
        if (grid->is_ascii && code > '~')
            code = '?';
        unsigned cells = put(grid, row, col, end, style, code);
        if (col + cells > end)
            break;
        col += cells;
        text += n;
        len -= n;
    }
    return col;
}

unsigned grid_printf(struct grid *grid, unsigned row, unsigned col, unsigned end, unsigned style,
                     const char *fmt, ...)
{
    char text[1024];
    va_list args;
    va_start(args, fmt);
    vsnprintf(text, sizeof(text), fmt, args);
    va_end(args);
    return grid_text(grid, row, col, end, style, text);
}

unsigned grid_cut(struct grid *grid, unsigned row, unsigned col, unsigned end, unsigned style,
                  const char *text, const char *mark)
{
    if (end > grid->width)
        end = grid->width;
    unsigned next = grid_text(grid, row, col, end, style, text);
    size_t width = text_width(mark);
    if (col < end && text_width(text) > end - col && width <= end - col)
        next = grid_text(grid, row, end - (unsigned)width, end, style, mark);
    return next;
}

unsigned grid_right(struct grid *grid, unsigned row, unsigned col, unsigned end, unsigned style,
                    const char *text)
{
    size_t width = text_width(text);
    if (end > grid->width)
        end = grid->width;
    if (col < end && width < end - col)
        col = end - (unsigned)width;
    grid_text(grid, row, col, end, style, text);
    return col;
}

void grid_fill(struct grid *grid, unsigned row, unsigned col, unsigned end, unsigned style,
               const char *glyph)
{
    if (end > grid->width)
        end = grid->width;
    while (col < end) {
        unsigned next = grid_text(grid, row, col, end, style, glyph);
        if (next <= col)
            return;
        col = next;
    }
}

void grid_mark(struct grid *grid, unsigned row, unsigned col, unsigned end, unsigned style)
{
    for (; row < grid->height && col < end && col < grid->width; col++)
        grid->cells[(size_t)row * grid->width + col].style |= (uint8_t)style;
}

void grid_restyle(struct grid *grid, unsigned row, unsigned col, unsigned end, unsigned style)
{
    for (; row < grid->height && col < end && col < grid->width; col++) {
        struct cell *cell = &grid->cells[(size_t)row * grid->width + col];
        cell->style = (uint8_t)((cell->style & (STYLE_SELECTED | STYLE_MATCH)) | style);
    }
}

int grid_write(const struct grid *grid, struct buf *out)
{
    for (unsigned row = 0; row < grid->height; row++) {
        const struct cell *line = grid_row(grid, row);
        unsigned end = grid->width;
        while (end > 0 && line[end - 1].code == ' ' && line[end - 1].cells == 1)
            end--;
        for (unsigned col = 0; col < end; col++) {
            char utf8[4];
            if (line[col].cells > 0)
                buf_add(out, utf8, text_encode(line[col].code, utf8));
        }
        buf_putc(out, '\n');
    }
    return out->error;
}
