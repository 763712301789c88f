/* SPDX-License-Identifier: MIT */
/* What the terminal, or whatever else stdout is, can show. */
#ifndef TALOSVIP_CLI_STYLE_H
#define TALOSVIP_CLI_STYLE_H

#include "arguments.h"

#include "base/buf.h"

#include <stdbool.h>

/* What every command with colours has in its option table, under this name. */
extern const char *const style_colors[];
#define STYLE_COLOR_OPTION                                                                         \
    {                                                                                              \
        .name = "color", .kind = OPTION_ENUM, .metavar = "WHEN", .choices = style_colors,          \
        .fallback = "auto", .help = "when to use colour"                                           \
    }

struct style {
    bool has_color, is_utf8;
    bool has_cursor; /* a terminal that can be drawn on */
    bool is_local_time;
    bool no_heads;
};

/* `color` is the value of STYLE_COLOR_OPTION. */
struct style style_of(const struct argument *color);

enum style_tone { STYLE_GOOD, STYLE_WARN, STYLE_CRIT, STYLE_DIM };
/* The word, coloured where that is wanted; the word alone says the same. */
void style_add(const struct style *style, enum style_tone tone, const char *word, struct buf *out);
#define STYLE_WORD_MAX 32
/* One of our own words in capitals, or in small letters. */
void style_upper(const char *word, char out[STYLE_WORD_MAX]);
void style_lower(const char *word, char out[STYLE_WORD_MAX]);
const char *style_arrow(const struct style *style);
const char *style_plus_minus(const struct style *style);

#endif
