/* SPDX-License-Identifier: MIT */
/* Failovers: from, to, why, and how long nobody answered. */
#include "view.h"

#include <stdio.h>
#include <string.h>

#include "base/text.h"
#include "words.h"

#define DAY_US (UINT64_C(86400) * 1000000)

enum { COL_WHEN, COL_VIP, COL_MOVE, COL_CAUSE, COL_DETECT, COL_OUTAGE, COL_SEEN, COLUMNS };

static const struct column standard[COLUMNS] = {
    [COL_WHEN] = {.title = "WHEN", .width = 14}, [COL_VIP] = {.title = "VIP", .width = 12},
    [COL_MOVE] = {.title = "MOVE", .width = 14}, [COL_CAUSE] = {.title = "CAUSE", .width = 15},
    [COL_DETECT] = {.title = "", .from = 1000},  [COL_OUTAGE] = {.title = "OUTAGE", .width = 9},
    [COL_SEEN] = {.title = "", .from = 1000},
};
static const struct column wide[COLUMNS] = {
    [COL_WHEN] = {.title = "WHEN (UTC)", .width = 22},
    [COL_VIP] = {.title = "VIP", .width = 13},
    [COL_MOVE] = {.title = "MOVE", .width = 14},
    [COL_CAUSE] = {.title = "CAUSE", .width = 35},
    [COL_DETECT] = {.title = "DETECT", .width = 7, .drop = 1},
    [COL_OUTAGE] = {.title = "OUTAGE", .width = 12},
    [COL_SEEN] = {.title = "SEEN", .width = 4, .drop = 2},
};

void view_cause(const struct snapshot_move *move, bool is_long, char *out, size_t size)
{
    bool is_resign = strcmp(move->cause, "resign") == 0;
    if (!*move->detail) {
        snprintf(out, size, "%s", move->cause);
    } else if (snapshot_move_stays(move)) {
        snprintf(out, size, "%s; %s", move->cause, move->detail);
    } else if (is_resign && is_long) {
        snprintf(out, size, "resign by %s", move->detail);
    } else if (is_resign) { /* who; why is in the details */
        snprintf(out, size, "resign (%.*s)", (int)strcspn(move->detail, ":"), move->detail);
    } else if (strcmp(move->cause, "link down") == 0 && !is_long) {
        snprintf(out, size, "link down %.*s", (int)strcspn(move->detail, " "), move->detail);
    } else {
        snprintf(out, size, "%s: %s", move->cause, move->detail);
    }
}

void view_outage(const struct view *v, const struct snapshot_move *move, bool is_long, char *out)
{
    double s = (double)move->outage_us / 1e6, error = (double)move->error_us / 1e6;
    const char *unit = is_long ? "s" : "";
    const char *error_zero = v->g->set == GLYPHS_ASCII && !is_long ? "." : "0.";
    int tenths = (int)(error * 10 + 0.5);
    bool is_none = snapshot_move_stays(move) && move->outage_us == 0; /* not a short one */
    if (move->is_outage_open)
        snprintf(out, WORD_MAX, "ongoing");
    else if (move->outage_us < 0)
        snprintf(out, WORD_MAX, "-");
    else if (move->is_outage_estimated)
        snprintf(out, WORD_MAX, s < 1 ? "~%.1fs" : "~%.0fs", s);
    else if (move->outage_us < 100000 && !is_none)
        snprintf(out, WORD_MAX, move->error_us >= 0 ? "%dms %s%d%s" : "%dms",
                 (int)(move->outage_us / 1000), v->g->error, (int)(error * 1000 + 0.5),
                 is_long ? "ms" : "");
    else if (move->error_us < 0 || tenths == 0)
        snprintf(out, WORD_MAX, s < 10 ? "%.1fs" : "%.0fs", s);
    else if (tenths < 10)
        snprintf(out, WORD_MAX, s < 10 ? "%.1fs %s%s%d%s" : "%.0fs %s%s%d%s", s, v->g->error,
                 error_zero, tenths, unit);
    else
        snprintf(out, WORD_MAX, "%.0fs %s%.0f%s", s, v->g->error, error, unit);
}

void view_move(const struct view *v, const struct snapshot_move *move, char *out, size_t size)
{
    if (snapshot_move_stays(move))
        snprintf(out, size, "(stays %s)", move->to);
    else
        snprintf(out, size, "%s %s %s", *move->from ? move->from : "(none)", v->g->arrow,
                 *move->to ? move->to : "(none)");
}

void view_moves_total(const struct snapshot *s, unsigned worst_of_days,
                      struct view_moves_total *ret_total)
{
    *ret_total = (struct view_moves_total){.worst_us = -1};
    for (unsigned i = 0; i < s->n_history; i++) {
        const struct snapshot_move *move = &s->history[i];
        if (snapshot_move_stays(move))
            continue;
        uint64_t age = snapshot_move_age(s, move);
        ret_total->day += age < DAY_US;
        ret_total->week += age < 7 * DAY_US;
        if (age < worst_of_days * DAY_US && move->outage_us > ret_total->worst_us)
            ret_total->worst_us = move->outage_us;
    }
}

static void summary(const struct view *v, bool is_wide, char *out, size_t size)
{
    const struct snapshot *s = &v->m->shown;
    struct view_moves_total total;
    char word[WORD_MAX], tail[WORD_MAX + 16] = "";
    if (!s->is_history_known && s->n_history == 0) {
        snprintf(out, size, "no records yet");
        return;
    }
    view_moves_total(s, is_wide ? 7 : 1, &total);
    if (total.worst_us < 100000)
        words_latency(total.worst_us, word);
    else
        words_renewed(total.worst_us, word);
    if (total.worst_us >= 0)
        snprintf(tail, sizeof(tail), "%s worst %s", is_wide ? "  " : ",", word);
    if (is_wide)
        snprintf(out, size, "24h: %u   7d: %u%s", total.day, total.week, tail);
    else
        snprintf(out, size, "24h: %u move%s%s", total.day, total.day == 1 ? "" : "s", tail);
}

static void fit(struct view *v, struct column *c, const struct rect *r)
{
    memcpy(c, r->width >= 110 ? wide : standard, sizeof(standard));
    for (unsigned i = 0; i < v->m->shown.n_history && i < 50; i++) {
        char text[2 * SNAPSHOT_NAME_MAX + 8];
        ip_format(&v->m->shown.history[i].vip, text);
        table_want(&c[COL_VIP], (unsigned)strlen(text), 20);
        view_move(v, &v->m->shown.history[i], text, sizeof(text));
        table_want(&c[COL_MOVE], (unsigned)text_width(text), 34);
    }
    if (r->width < 110) /* the longest texts, and the first to be cut off */
        table_want(&c[COL_CAUSE], r->width > 80 ? r->width - 55 : 25, 60);
    table_fit(c, COLUMNS, r->col + 2, r->col + r->width);
}

static void draw_row(struct view *v, unsigned index, unsigned row)
{
    const struct snapshot_move *move = &v->m->shown.history[index];
    const struct rect *r = &v->m->layout.panels[PANEL_MOVES];
    bool is_wide = r->width >= 110;
    struct column c[COLUMNS];
    char text[SNAPSHOT_TEXT_MAX + 64];
    fit(v, c, r);
    if (is_wide) {
        words_date_time(move->wall_us, text);
        snprintf(text + strlen(text), 4, ".%u", (unsigned)(move->wall_us / 100000 % 10));
    } else {
        words_when(move->wall_us, v->m->shown.wall_us, text);
    }
    view_cell(v, row, &c[COL_WHEN], STYLE_PLAIN, text);
    words_ip(&move->vip, c[COL_VIP].end - c[COL_VIP].col, v->g->more, text);
    view_cell(v, row, &c[COL_VIP], STYLE_PLAIN, text);
    view_move(v, move, text, sizeof(text));
    view_cell(v, row, &c[COL_MOVE], STYLE_PLAIN, text);
    view_cause(move, is_wide, text, sizeof(text));
    view_cell(v, row, &c[COL_CAUSE], STYLE_PLAIN, text);
    words_renewed(move->detect_us, text);
    view_cell(v, row, &c[COL_DETECT], STYLE_PLAIN, text);
    view_outage(v, move, is_wide, text);
    view_cell(v, row, &c[COL_OUTAGE], move->is_outage_open ? STYLE_CRIT : STYLE_PLAIN, text);
    snprintf(text, sizeof(text), move->n_observers > 0 ? "%u/%u" : "-", move->n_seen,
             move->n_observers);
    view_cell(v, row, &c[COL_SEEN], STYLE_PLAIN, text);
}

void view_moves(struct view *v)
{
    const struct rect *r = &v->m->layout.panels[PANEL_MOVES];
    struct column c[COLUMNS];
    char right[256], rest[128];
    view_age(v, rest, sizeof(rest));
    if (*rest == '\0')
        summary(v, v->m->layout.kind == LAYOUT_WIDE, rest, sizeof(rest));
    view_title_right(v, PANEL_MOVES, rest, right, sizeof(right));
    view_title(v, r, PANEL_MOVES, "Failovers", right);
    fit(v, c, r);
    view_heads(v, r, r->row + 1, c, COLUMNS);
    view_rows(v, PANEL_MOVES, 2, draw_row);
}
