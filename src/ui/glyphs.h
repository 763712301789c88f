/* SPDX-License-Identifier: MIT */
/* The characters the dashboard draws with: three sets, and which one a terminal can show. */
#ifndef TALOSVIP_UI_GLYPHS_H
#define TALOSVIP_UI_GLYPHS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum glyph_set { GLYPHS_UTF8, GLYPHS_CONSOLE, GLYPHS_ASCII };

#define GLYPHS_LEVELS 8

struct glyphs {
    enum glyph_set set;
    const char *good, *idle, *warn, *crit, *unknown, *select;
    const char *fail;      /* one bucket of a sparkline in which a renewal failed */
    const char *check;     /* beside the word "match" */
    const char *line;      /* of titles and frames */
    const char *side;      /* upright */
    const char *corner[4]; /* top left, top right, bottom left, bottom right */
    const char *tee[3];    /* down, up, right */
    const char *axis;
    const char *arrow, *error; /* "->", "+-" */
    const char *ascending, *descending, *choose;
    const char *dot;                              /* of a bar that nobody knows */
    const char *more;                             /* "... 4 more" */
    const char *cut;                              /* one cell: the rest was cut off */
    const char *mark;                             /* a moment, below an axis */
    const char *held, *planned, *unplanned, *now; /* of the timeline */
    const char *dash;                             /* from-to */
    const char *spark[GLYPHS_LEVELS];
};

const struct glyphs *glyphs_get(enum glyph_set set);
/* The best set for nl_langinfo(CODESET), $TERM, and a wcwidth() that `cells` stands for; either
 * text may be NULL. CJK locales draw some of the symbols two cells wide, and cannot have them. */
enum glyph_set glyphs_choose(const char *codeset, const char *term, int (*cells)(wchar_t));

/* A bar of `cells` cells, `part` per mille of it full; `out` holds 4 bytes a cell and a NUL. */
void glyphs_bar(const struct glyphs *glyphs, unsigned part, unsigned cells, char *out);
/* How high a renewal that took `us` stands in a sparkline: 0..7, the same scale for all. */
unsigned glyphs_level(int64_t us);

#endif
