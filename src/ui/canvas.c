/* SPDX-License-Identifier: MIT */
#include "canvas.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/text.h"

int canvas_resize(struct canvas *canvas, unsigned width, unsigned height)
{
    width = width < 1 ? 1 : width > CANVAS_WIDTH_MAX ? CANVAS_WIDTH_MAX : width;
    height = height < 1 ? 1 : height > CANVAS_HEIGHT_MAX ? CANVAS_HEIGHT_MAX : height;
    struct cell *cells = realloc(canvas->cells, sizeof(*cells) * width * height);
    if (!cells)
        return -ENOMEM;
    canvas->cells = cells;
    canvas->width = width;
    canvas->height = height;
    canvas_clear(canvas);
    return 0;
}

void canvas_done(struct canvas *canvas)
{
    free(canvas->cells);
    canvas->cells = NULL;
    canvas->width = canvas->height = 0;
}

void canvas_clear(struct canvas *canvas)
{
    for (size_t i = 0; i < (size_t)canvas->width * canvas->height; i++)
        canvas->cells[i] = (struct cell){.code = ' ', .cells = 1};
}

const struct cell *canvas_row(const struct canvas *canvas, unsigned row)
{
    return &canvas->cells[(size_t)row * canvas->width];
}

/* Half a wide character must not stay behind. */
static void unwiden(struct cell *row, unsigned width, unsigned col)
{
    if (row[col].cells == 0 && col > 0)
        row[col - 1] = (struct cell){.code = ' ', .style = row[col - 1].style, .cells = 1};
    if (row[col].cells == 2 && col + 1 < width)
        row[col + 1] = (struct cell){.code = ' ', .style = row[col + 1].style, .cells = 1};
}

static unsigned put(struct canvas *canvas, unsigned row, unsigned col, unsigned end, unsigned style,
                    uint32_t code)
{
    unsigned cells = text_cells(code);
    if (cells == 0 || col + cells > end)
        return cells;
    struct cell *line = &canvas->cells[(size_t)row * canvas->width];
    for (unsigned i = 0; i < cells; i++) {
        unwiden(line, canvas->width, col + i);
        line[col + i] = (struct cell){.code = i ? ' ' : code, .style = (uint8_t)style};
    }
    line[col].cells = (uint8_t)cells;
    return cells;
}

unsigned canvas_text(struct canvas *canvas, unsigned row, unsigned col, unsigned end,
                     unsigned style, const char *text)
{
    size_t len = strlen(text);
    if (end > canvas->width)
        end = canvas->width;
    if (row >= canvas->height)
        return col;
    while (len > 0 && col < end) {
        enum text_kind kind;
        size_t n = text_next(text, len, &kind);
        uint32_t code = kind == TEXT_PLAIN ? text_code(text, n) : '?';
        if (canvas->is_ascii && code > '~')
            code = '?';
        unsigned cells = put(canvas, row, col, end, style, code);
        if (col + cells > end)
            break;
        col += cells;
        text += n;
        len -= n;
    }
    return col;
}

unsigned canvas_printf(struct canvas *canvas, unsigned row, unsigned col, unsigned end,
                       unsigned style, const char *fmt, ...)
{
    char text[1024];
    va_list args;
    va_start(args, fmt);
    vsnprintf(text, sizeof(text), fmt, args);
    va_end(args);
    return canvas_text(canvas, row, col, end, style, text);
}

unsigned canvas_cut(struct canvas *canvas, unsigned row, unsigned col, unsigned end, unsigned style,
                    const char *text, const char *mark)
{
    if (end > canvas->width)
        end = canvas->width;
    unsigned next = canvas_text(canvas, row, col, end, style, text);
    size_t width = text_width(mark);
    if (col < end && text_width(text) > end - col && width <= end - col)
        next = canvas_text(canvas, row, end - (unsigned)width, end, style, mark);
    return next;
}

unsigned canvas_right(struct canvas *canvas, unsigned row, unsigned col, unsigned end,
                      unsigned style, const char *text)
{
    size_t width = text_width(text);
    if (end > canvas->width)
        end = canvas->width;
    if (col < end && width < end - col)
        col = end - (unsigned)width;
    canvas_text(canvas, row, col, end, style, text);
    return col;
}

void canvas_fill(struct canvas *canvas, unsigned row, unsigned col, unsigned end, unsigned style,
                 const char *glyph)
{
    if (end > canvas->width)
        end = canvas->width;
    while (col < end) {
        unsigned next = canvas_text(canvas, row, col, end, style, glyph);
        if (next <= col)
            return;
        col = next;
    }
}

void canvas_mark(struct canvas *canvas, unsigned row, unsigned col, unsigned end, unsigned style)
{
    for (; row < canvas->height && col < end && col < canvas->width; col++)
        canvas->cells[(size_t)row * canvas->width + col].style |= (uint8_t)style;
}

void canvas_restyle(struct canvas *canvas, unsigned row, unsigned col, unsigned end, unsigned style)
{
    for (; row < canvas->height && col < end && col < canvas->width; col++) {
        struct cell *cell = &canvas->cells[(size_t)row * canvas->width + col];
        cell->style = (uint8_t)((cell->style & (STYLE_SELECTED | STYLE_MATCH)) | style);
    }
}

int canvas_write(const struct canvas *canvas, struct buf *out)
{
    for (unsigned row = 0; row < canvas->height; row++) {
        const struct cell *line = canvas_row(canvas, row);
        unsigned end = canvas->width;
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
