/* SPDX-License-Identifier: MIT */
#include "layout.h"

#include <string.h>

#define LEFT_OF_SUMMARY 100 /* the table of etcd's members */
#define LEFT_OF_ALERTS 116  /* the table of failovers, wide */
#define KEYS_FROM 12        /* rows; below, the key bar is the first thing to go */
#define TABLE_HEAD 2        /* a title and the names of the columns */

static unsigned least(unsigned a, unsigned b)
{
    return a < b ? a : b;
}

static unsigned most(unsigned a, unsigned b)
{
    return a > b ? a : b;
}

static unsigned missing(unsigned want, unsigned have)
{
    return want > have ? want - have : 0;
}

enum layout_kind layout_kind(unsigned width, unsigned height)
{
    if (width >= 150 && height >= 40)
        return LAYOUT_WIDE;
    if (width >= 80 && height >= 20)
        return LAYOUT_STANDARD;
    return width >= 40 && height >= 6 ? LAYOUT_COMPACT : LAYOUT_LINE;
}

/* Takes up to `want` lines from *room, or nothing when fewer than `min` are left. */
static unsigned take(unsigned *room, unsigned min, unsigned want)
{
    unsigned got = *room < min ? 0 : least(most(min, want), *room);
    *room -= got;
    return got;
}

static struct rect stack(unsigned *row, unsigned height, unsigned col, unsigned width)
{
    struct rect rect = {*row, col, height, width};
    *row += height;
    return rect;
}

static void plan_compact(const struct layout_wants *w, struct layout *l)
{
    /* The last failover and the worst alert keep their two lines at the bottom. */
    unsigned room = w->height - 3;
    bool has_one = w->focus == PANEL_VIPS || w->focus == PANEL_ALERTS || w->focus == PANEL_EVENTS;
    l->header = 1;
    l->has_keys = room > w->rows[w->focus] + (has_one ? 1 : TABLE_HEAD);
    room -= l->has_keys;
    l->panels[w->focus] = (struct rect){1, 0, room, w->width};
}

static void plan_standard(const struct layout_wants *w, struct layout *l)
{
    unsigned heights[PANEL_COUNT] = {0};
    l->header = 2 + w->banner;
    unsigned room = w->height - l->header - l->has_keys, third = room / 3;
    heights[PANEL_VIPS] = take(&room, 3, least(TABLE_HEAD + w->rows[PANEL_VIPS], third));
    if (w->rows[PANEL_ALERTS] > 0)
        heights[PANEL_ALERTS] = take(&room, 2, least(1 + w->rows[PANEL_ALERTS], third));
    /* The failovers' title, names and newest row come before the last of many nodes. */
    unsigned kept = least(TABLE_HEAD + w->rows[PANEL_MOVES], room > 6 ? 4 : 3);
    kept = room > kept + 3 ? kept : 0;
    unsigned events = w->has_events && room > kept + 8 ? 4 : 0;
    room -= kept + events;
    /* What ended just now must be seen to have ended: a line or two of it before old moves. */
    unsigned nodes = TABLE_HEAD + w->rows[PANEL_NODES], cleared = missing(room, least(nodes, 5));
    cleared = w->cleared > 0 && cleared > 1 ? least(1 + least(w->cleared, 2), cleared) : 0;
    room -= cleared;
    heights[PANEL_NODES] = take(&room, 3, nodes);
    room += kept;
    heights[PANEL_MOVES] = take(&room, 3, TABLE_HEAD + w->rows[PANEL_MOVES]);
    room += events;
    if (w->has_events)
        heights[PANEL_EVENTS] = take(&room, 2, room);
    if (cleared > 0)
        cleared += take(&room, 0, missing(1 + w->cleared, cleared));
    static const enum panel order[] = {PANEL_VIPS, PANEL_NODES, PANEL_MOVES, PANEL_ALERTS,
                                       PANEL_EVENTS};
    unsigned row = l->header;
    for (unsigned i = 0; i < sizeof(order) / sizeof(order[0]); i++) {
        l->panels[order[i]] = stack(&row, heights[order[i]], 0, w->width);
        if (order[i] == PANEL_ALERTS)
            l->cleared = stack(&row, cleared, 0, w->width);
    }
}

struct wide {
    unsigned top, vips, nodes, graph, moves, timeline, events;
    unsigned gap[4]; /* blank lines after top, vips, nodes, graph */
};

static void share_wide(const struct layout_wants *w, unsigned room, struct wide *s)
{
    unsigned third = room / 3;
    unsigned side = 1 + w->rows[PANEL_ALERTS] + (w->cleared > 0 ? 1 + w->cleared : 0);
    s->vips = take(&room, 3, least(TABLE_HEAD + w->rows[PANEL_VIPS], third));
    s->moves = take(&room, 5, 5);
    s->nodes = take(&room, 3, least(TABLE_HEAD + w->rows[PANEL_NODES], third));
    s->top = take(&room, 5, TABLE_HEAD + least(w->rows[PANEL_MEMBERS], 7));
    unsigned events = least(room, 5);
    room -= events;
    s->timeline = take(&room, 3, 2 + least(w->vips, 4));
    unsigned moves = TABLE_HEAD + w->rows[PANEL_MOVES]; /* beside the alerts, with the timeline */
    moves = most(moves, missing(side, s->timeline));
    s->moves += take(&room, 0, missing(least(moves, third), 5));
    s->graph = take(&room, 6, 8);
    s->gap[0] = take(&room, 0, w->rows[PANEL_MEMBERS] < 4);
    for (unsigned i = 1; i < 4; i++)
        s->gap[i] = take(&room, 0, 1);
    s->moves += take(&room, 0, s->timeline > 0);
    s->nodes += take(&room, 0, missing(TABLE_HEAD + w->rows[PANEL_NODES], s->nodes));
    s->vips += take(&room, 0, missing(TABLE_HEAD + w->rows[PANEL_VIPS], s->vips));
    s->events = events + room;
}

static void plan_wide(const struct layout_wants *w, struct layout *l)
{
    struct wide s = {0};
    l->header = 1 + w->banner;
    unsigned row = l->header;
    share_wide(w, w->height - l->header - l->has_keys, &s);
    l->summary =
        (struct rect){row, LEFT_OF_SUMMARY + 1, s.top + s.gap[0], w->width - LEFT_OF_SUMMARY - 1};
    l->panels[PANEL_MEMBERS] = stack(&row, s.top + s.gap[0], 0, LEFT_OF_SUMMARY);
    l->panels[PANEL_VIPS] = stack(&row, s.vips, 0, w->width);
    row += s.gap[1];
    l->panels[PANEL_NODES] = stack(&row, s.nodes, 0, w->width);
    row += s.gap[2];
    l->graph = stack(&row, s.graph, 0, w->width);
    row += s.gap[3];
    unsigned side = s.moves + s.timeline, right = w->width - LEFT_OF_ALERTS - 1;
    unsigned cleared = w->cleared > 0 ? least(1 + w->cleared, side / 3) : 0;
    if (cleared > 0 && side > s.timeline + w->rows[PANEL_ALERTS])
        cleared = most(cleared, s.timeline); /* level with what stands beside it */
    l->panels[PANEL_ALERTS] = (struct rect){row, LEFT_OF_ALERTS + 1, side - cleared, right};
    l->cleared = (struct rect){row + side - cleared, LEFT_OF_ALERTS + 1, cleared, right};
    l->panels[PANEL_MOVES] = stack(&row, s.moves, 0, LEFT_OF_ALERTS);
    l->timeline = stack(&row, s.timeline, 0, LEFT_OF_ALERTS);
    l->panels[PANEL_EVENTS] = stack(&row, s.events, 0, w->width);
}

void layout_plan(const struct layout_wants *wants, struct layout *ret_layout)
{
    struct layout *l = ret_layout;
    memset(l, 0, sizeof(*l));
    l->kind = layout_kind(wants->width, wants->height);
    l->width = wants->width;
    l->height = wants->height;
    l->has_keys = l->kind != LAYOUT_LINE && wants->height >= KEYS_FROM;
    if (l->kind == LAYOUT_COMPACT) {
        plan_compact(wants, l);
    } else if (l->kind != LAYOUT_LINE && wants->is_zoomed) {
        l->header = (l->kind == LAYOUT_WIDE ? 1 : 2) + wants->banner;
        unsigned room = wants->height - l->header - l->has_keys, cleared = 0, row = l->header;
        if (wants->focus == PANEL_ALERTS && wants->cleared > 0)
            cleared = least(1 + wants->cleared, room / 2);
        l->panels[wants->focus] = stack(&row, room - cleared, 0, wants->width);
        l->cleared = stack(&row, cleared, 0, wants->width);
    } else if (l->kind == LAYOUT_WIDE) {
        plan_wide(wants, l);
    } else if (l->kind == LAYOUT_STANDARD) {
        plan_standard(wants, l);
    }
}
