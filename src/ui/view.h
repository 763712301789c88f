/* SPDX-License-Identifier: MIT */
/* Draws a model on a canvas. Pure: the same model gives the same canvas. */
#ifndef TALOSVIP_UI_VIEW_H
#define TALOSVIP_UI_VIEW_H

#include "glyphs.h"
#include "canvas.h"
#include "model.h"
#include "table.h"

/* All of it. The canvas is resized to the model's size. 0 or -ENOMEM. */
int view_draw(const struct model *model, struct canvas *canvas);

/* The rest is shared by the view's own files. */
struct view {
    struct canvas *canvas;
    const struct glyphs *g;
    const struct model *m;
    unsigned tone; /* of what is not marked otherwise: STYLE_DIM while it is old */
};

typedef void (*view_row_fn)(struct view *v, unsigned index, unsigned row);

/* "- Left ---- right -" over the width of `rect`. */
void view_title(struct view *v, const struct rect *rect, enum panel panel, const char *left,
                const char *right);
/* A panel's rows below `head` lines, its cursor, and how many more there are. */
void view_rows(struct view *v, enum panel panel, unsigned head, view_row_fn draw);
void view_heads(struct view *v, const struct rect *rect, unsigned row, const struct column *columns,
                unsigned n);
/* One cell of a table, cut off with a mark; drawn only if the column is shown. */
void view_cell(struct view *v, unsigned row, const struct column *column, unsigned style,
               const char *text);
/* "sort NODE ^   filter none", what `panel` needs of it, and before `rest`. */
void view_title_right(const struct view *v, enum panel panel, const char *rest, char *out,
                      size_t size);
/* How old the panels' data is, for their titles; "" when it is fresh. */
void view_age(const struct view *v, char *out, size_t size);

enum style view_severity_style(enum snapshot_severity severity);
const char *view_severity_glyph(const struct view *v, enum snapshot_severity severity);
const char *view_etcd_word(const struct snapshot *s);
enum style view_vip_style(enum snapshot_vip_state state);
/* "* HELD" */
void view_vip_state(const struct view *v, const struct snapshot_vip *vip, char *out, size_t size);
/* "12.3/60s"; the bar beside it, `cells` wide, and the style of both. */
enum style view_lease(const struct view *v, const struct snapshot_vip *vip, unsigned cells,
                      char *bar, char *number);
#define VIEW_BAR_MAX 160
/* The bar, in that style as far as it is filled; returns the column behind all of it. */
unsigned view_bar(struct view *v, unsigned row, unsigned col, unsigned end, unsigned style,
                  const char *bar);
void view_cause(const struct snapshot_move *move, bool is_long, char *out, size_t size);
/* "0.2s +-0.1", with the unit at its end when `is_long`. */
void view_outage(const struct view *v, const struct snapshot_move *move, bool is_long, char *out);
void view_move(const struct view *v, const struct snapshot_move *move, char *out, size_t size);
struct view_moves_total {
    unsigned day, week;
    int64_t worst_us; /* -1: nobody measured */
};
void view_moves_total(const struct snapshot *s, unsigned worst_of_days,
                      struct view_moves_total *ret_total);
/* An alert's text, with what it is about unless the text says so. */
void view_alert_text(const struct snapshot_alert *alert, char *out, size_t size);
void view_banner_text(const struct view *v, char *out, size_t size);
void view_vip_arp(const struct snapshot_vip *vip, char *out);
/* "LIVE  1.0s", "STALE 41s   retry in 3s", ... */
enum style view_status(const struct view *v, char *out, size_t size);
void view_sparkline(struct view *v, unsigned row, unsigned col, unsigned end,
                    const struct snapshot_node *node, unsigned cells);
/* Words on several lines of at most `width` cells; returns how many, drawn or not. */
unsigned view_wrap(struct view *v, unsigned row, unsigned rows, unsigned col, unsigned width,
                   unsigned style, const char *text);

void view_header(struct view *v);
void view_vips(struct view *v);
void view_nodes(struct view *v);
void view_moves(struct view *v);
void view_alerts(struct view *v);
void view_cleared(struct view *v);
void view_events(struct view *v);
void view_members(struct view *v);
void view_summary(struct view *v);
void view_graph(struct view *v);
void view_timeline(struct view *v);
void view_compact(struct view *v);
void view_line(struct view *v);
void view_overlay(struct view *v);
void view_dialog(struct view *v);
/* The text of the details view. */
void view_details_text(const struct view *v, struct buf *out);
/* A frame in the middle of the screen, at most so large; its inside. */
struct rect view_frame(struct view *v, unsigned width, unsigned height, const char *title);

#endif
