/* SPDX-License-Identifier: MIT */
/* Where everything stands, for every size of a terminal. Pure arithmetic. */
#ifndef TALOSVIP_UI_LAYOUT_H
#define TALOSVIP_UI_LAYOUT_H

#include <stdbool.h>

enum panel {
    PANEL_VIPS,
    PANEL_NODES,
    PANEL_MOVES,
    PANEL_ALERTS,
    PANEL_EVENTS,
    PANEL_MEMBERS,
    PANEL_COUNT,
};

enum layout_kind {
    LAYOUT_LINE,     /* anything */
    LAYOUT_COMPACT,  /* at least 40x6 */
    LAYOUT_STANDARD, /* at least 80x20 */
    LAYOUT_WIDE,     /* at least 150x40 */
};

struct rect {
    unsigned row, col, height, width; /* height 0: not shown; the title's line is counted */
};

struct layout_wants {
    unsigned width, height;
    unsigned banner;            /* lines under the header */
    unsigned rows[PANEL_COUNT]; /* how many lines the data of each panel would fill */
    unsigned vips;              /* of the timeline */
    unsigned cleared;           /* lines of alerts that were cleared lately */
    enum panel focus;
    bool is_zoomed, has_events;
};

struct layout {
    enum layout_kind kind;
    unsigned width, height;
    unsigned header; /* lines at the top */
    bool has_keys;   /* the last line lists keys */
    struct rect panels[PANEL_COUNT];
    struct rect summary, graph, timeline; /* LAYOUT_WIDE only */
    struct rect cleared;                  /* height 0: no room, or nothing */
};

enum layout_kind layout_kind(unsigned width, unsigned height);
void layout_plan(const struct layout_wants *wants, struct layout *ret_layout);

#endif
