/* SPDX-License-Identifier: MIT */
/* A screen as values: cells with a character and a meaning. Knows no terminal. */
#ifndef TALOSVIP_UI_CANVAS_H
#define TALOSVIP_UI_CANVAS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/buf.h"

#define CANVAS_WIDTH_MAX 500
#define CANVAS_HEIGHT_MAX 300

/* What a cell means; screen.c decides how that looks. */
enum style {
    STYLE_PLAIN,
    STYLE_GOOD,
    STYLE_IDLE,
    STYLE_WARN,
    STYLE_CRIT,
    STYLE_UNKNOWN,
    STYLE_DIM,
    STYLE_TITLE,
    STYLE_HEAD,
    STYLE_COUNT,
    /* Beside the meaning: */
    STYLE_SELECTED = 0x40,
    STYLE_MATCH = 0x80,
};

struct cell {
    uint32_t code;
    uint8_t style;
    uint8_t cells; /* 1, 2, or 0: the right half of the one before */
};

struct canvas {
    unsigned width, height;
    bool is_ascii; /* every other character becomes '?' */
    struct cell *cells;
};

/* 0 or -ENOMEM; sizes are clamped to 1..MAX. `canvas` was zeroed or initialised before. */
int canvas_resize(struct canvas *canvas, unsigned width, unsigned height);
void canvas_done(struct canvas *canvas);
void canvas_clear(struct canvas *canvas);

/* All clip at `end` (exclusive) and at its edge, and return the column after what was written. */
unsigned canvas_text(struct canvas *canvas, unsigned row, unsigned col, unsigned end,
                     unsigned style, const char *text);
unsigned canvas_printf(struct canvas *canvas, unsigned row, unsigned col, unsigned end,
                       unsigned style, const char *fmt, ...) __attribute__((format(printf, 6, 7)));
/* As canvas_text(), but says by `mark` at its end that something was cut off. */
unsigned canvas_cut(struct canvas *canvas, unsigned row, unsigned col, unsigned end, unsigned style,
                    const char *text, const char *mark);
/* Ends before `end`; what does not fit is cut off at the right. Returns the first column. */
unsigned canvas_right(struct canvas *canvas, unsigned row, unsigned col, unsigned end,
                      unsigned style, const char *text);
/* The same character in all cells from `col` to `end`. */
void canvas_fill(struct canvas *canvas, unsigned row, unsigned col, unsigned end, unsigned style,
                 const char *glyph);
/* Adds style bits to cells that are written. */
void canvas_mark(struct canvas *canvas, unsigned row, unsigned col, unsigned end, unsigned style);
/* Gives them another meaning, their style bits kept. */
void canvas_restyle(struct canvas *canvas, unsigned row, unsigned col, unsigned end,
                    unsigned style);
/* The cells of one row, which must exist. */
const struct cell *canvas_row(const struct canvas *canvas, unsigned row);

/* Lines of UTF-8, trailing blanks cut, each with a newline. 0 or the buf's error. */
int canvas_write(const struct canvas *canvas, struct buf *out);

#endif
