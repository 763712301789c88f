/* SPDX-License-Identifier: MIT */
#include "view.h"

#include <stdio.h>
#include <string.h>

#include "base/text.h"
#include "cluster/alert.h"
#include "words.h"

enum style view_severity_style(enum snapshot_severity severity)
{
    return severity == SNAPSHOT_CRIT   ? STYLE_CRIT
           : severity == SNAPSHOT_WARN ? STYLE_WARN
                                       : STYLE_PLAIN;
}

const char *view_severity_glyph(const struct view *v, enum snapshot_severity severity)
{
    return severity == SNAPSHOT_CRIT ? v->g->crit : severity == SNAPSHOT_WARN ? v->g->warn : " ";
}

void view_alert_text(const struct snapshot_alert *alert, char *out, size_t size)
{
    char about[IP_TEXT_MAX + SNAPSHOT_NAME_MAX] = "";
    if (alert->node[0])
        snprintf(about, sizeof(about), "%s", alert->node);
    else if (alert->vip.family != IP_NONE)
        ip_format(&alert->vip, about);
    bool is_said = *about == '\0' || strstr(alert->text, about);
    snprintf(out, size, "%s%s%s", is_said ? "" : about, is_said ? "" : ": ", alert->text);
}

static void draw_row(struct view *v, unsigned index, unsigned row)
{
    const struct snapshot_alert *alert = &v->m->shown.alerts[index];
    const struct rect *r = &v->m->layout.panels[PANEL_ALERTS];
    unsigned end = r->col + r->width, age_end = end > 7 ? end - 7 : 0;
    bool has_cursor = v->m->focus == PANEL_ALERTS;
    char text[2 * SNAPSHOT_TEXT_MAX], age[WORD_MAX];
    unsigned style = view_severity_style(alert->severity);
    unsigned col = canvas_printf(v->canvas, row, r->col, end, style, "%s %s",
                                 has_cursor ? " " : view_severity_glyph(v, alert->severity),
                                 snapshot_severity_word(alert->severity));
    words_age(alert->since_us, age);
    snprintf(text, sizeof(text), "%s ago", age);
    canvas_right(v->canvas, row, col, age_end, STYLE_PLAIN, text);
    unsigned text_end = age_end - (unsigned)text_width(text) - 2;
    canvas_right(v->canvas, row, age_end, end, STYLE_PLAIN, alert->id);
    view_alert_text(alert, text, sizeof(text));
    canvas_cut(v->canvas, row, col + 2, text_end, STYLE_PLAIN, text, v->g->cut);
}

/* What to do about it, for the alerts that have one obvious answer. */
static const char *advice(const char *id)
{
    static const struct {
        char id[8];
        const char *what;
    } list[] = {
        {"TVA07", "chronyc tracking"},
        {"TVA10", "talosvip status --local"},
        {"TVA11", "etcdctl endpoint status --cluster"},
        {"TVA15", "etcdctl alarm list"},
    };
    for (unsigned i = 0; i < sizeof(list) / sizeof(list[0]); i++)
        if (strcmp(list[i].id, id) == 0)
            return list[i].what;
    return NULL;
}

/* What follows from it, in the words of `explain`. */
static const char *consequence(const char *id)
{
    size_t n;
    const struct alert_kind *kinds = alert_table(&n);
    for (size_t i = 0; i < n; i++)
        if (strcmp(kinds[i].id, id) == 0)
            return kinds[i].why;
    return "";
}

/* Beside the failovers each alert has room for its whole text, and one alone for more. */
static unsigned draw_block(struct view *v, const struct snapshot_alert *alert, bool is_selected,
                           unsigned row, unsigned end_row)
{
    const struct rect *r = &v->m->layout.panels[PANEL_ALERTS];
    unsigned end = r->col + r->width, col = r->col + 2, from = row;
    char text[4 * SNAPSHOT_TEXT_MAX], age[WORD_MAX], about[IP_TEXT_MAX] = "";
    words_age(alert->since_us, age);
    ip_format(&alert->vip, about);
    canvas_printf(v->canvas, row, r->col, end, view_severity_style(alert->severity), "%s %s",
                  view_severity_glyph(v, alert->severity), snapshot_severity_word(alert->severity));
    canvas_printf(v->canvas, row, r->col + 8, end, STYLE_PLAIN, "%s  %s ago  %s%s", alert->id, age,
                  alert->node[0]                 ? "node "
                  : alert->vip.family != IP_NONE ? ""
                                                 : "etcd",
                  alert->node[0]                 ? alert->node
                  : alert->vip.family != IP_NONE ? about
                                                 : "");
    if (is_selected)
        canvas_mark(v->canvas, row, r->col, end, STYLE_SELECTED);
    row++;
    bool is_alone = v->m->panels[PANEL_ALERTS].n == 1;
    snprintf(text, sizeof(text), "%s%s%s", alert->text, is_alone ? ". " : "",
             is_alone ? consequence(alert->id) : "");
    row += view_wrap(v, row, end_row - row, col, r->width - 3, STYLE_PLAIN, text);
    const char *what = advice(alert->id);
    if (what && row < end_row) {
        snprintf(text, sizeof(text), alert->node[0] ? "do: %s   (on %s)" : "do: %s", what,
                 alert->node);
        canvas_text(v->canvas, row++, col, end, STYLE_DIM, text);
    }
    if (row < end_row)
        canvas_printf(v->canvas, row++, what ? col + 4 : col, end, STYLE_DIM, "talosvip explain %s",
                      alert->id);
    return row - from;
}

static void draw_blocks(struct view *v)
{
    const struct panel_state *p = &v->m->panels[PANEL_ALERTS];
    const struct rect *r = &v->m->layout.panels[PANEL_ALERTS];
    unsigned row = r->row + 1, end = r->row + r->height, i = p->top;
    for (; i < p->n && row + 1 < end; i++)
        row += draw_block(v, &v->m->shown.alerts[p->rows[i]],
                          v->m->focus == PANEL_ALERTS && i == p->at, row, end);
    if (i < p->n && end > r->row + 1) {
        canvas_fill(v->canvas, end - 1, r->col, r->col + r->width, STYLE_PLAIN, " ");
        canvas_printf(v->canvas, end - 1, r->col + 2, r->col + r->width, STYLE_DIM, "%s %u more",
                      v->g->more, p->n - i);
    }
    for (row = r->row; row < end; row++)
        canvas_text(v->canvas, row, r->col - 1, r->col, STYLE_DIM,
                    row == r->row ? v->g->tee[0] : v->g->side);
}

/* One alert that ended: from when to when on one line, what it said on the next, if there is one.
 */
static unsigned draw_ended(struct view *v, const struct snapshot_alert *a, unsigned row)
{
    const struct rect *r = &v->m->layout.cleared;
    uint64_t now = v->m->shown.wall_us;
    unsigned end = r->col + r->width;
    char from[WORD_MAX], to[WORD_MAX], lasted[WORD_MAX], text[2 * SNAPSHOT_TEXT_MAX];
    words_time(now - (uint64_t)a->since_us, from);
    words_time(now - (uint64_t)a->cleared_us, to);
    unsigned col = canvas_printf(v->canvas, row, r->col, end, STYLE_GOOD, "%s", v->g->good);
    col = canvas_printf(v->canvas, row, col, end, STYLE_PLAIN, " %s  %s%s%s  ", a->id, from,
                        v->g->dash, to);
    if (r->col == 0) {
        words_renewed(a->since_us - a->cleared_us, lasted);
        col = canvas_printf(v->canvas, row, col, end, STYLE_PLAIN, "%-5s ", lasted);
        view_alert_text(a, text, sizeof(text));
        canvas_cut(v->canvas, row, col, end, STYLE_DIM, text, v->g->cut);
        return 1;
    }
    if (a->vip.family != IP_NONE)
        ip_format(&a->vip, text);
    else
        snprintf(text, sizeof(text), "%s", a->node);
    canvas_cut(v->canvas, row, col, end, STYLE_PLAIN, text, v->g->cut);
    if (row + 1 < r->row + r->height)
        canvas_cut(v->canvas, row + 1, r->col + 2, end, STYLE_DIM, a->text, v->g->cut);
    return 2;
}

/* Alerts that ended in the last ten minutes, the last to end first. */
void view_cleared(struct view *v)
{
    const struct rect *r = &v->m->layout.cleared;
    const struct snapshot *s = &v->m->shown;
    unsigned row = r->row + 1, end = r->row + r->height;
    if (r->height < 2)
        return;
    view_title(v, r, PANEL_COUNT, "Recently cleared", "");
    for (unsigned i = 0; i < s->n_alerts && row < end; i++)
        if (s->alerts[i].cleared_us >= 0)
            row += draw_ended(v, &s->alerts[i], row);
    for (row = r->row; r->col > 0 && row < end; row++)
        canvas_text(v->canvas, row, r->col - 1, r->col, STYLE_DIM,
                    row == r->row ? v->g->tee[2] : v->g->side);
}

void view_alerts(struct view *v)
{
    const struct rect *r = &v->m->layout.panels[PANEL_ALERTS];
    bool is_beside = r->col > 0;
    char left[32], right[256];
    view_title_right(v, PANEL_ALERTS, "", right, sizeof(right));
    snprintf(left, sizeof(left), "Alerts %u", rows_count(v->m, PANEL_ALERTS));
    view_title(v, r, PANEL_ALERTS, left, right);
    if (is_beside)
        draw_blocks(v);
    else
        view_rows(v, PANEL_ALERTS, 1, draw_row);
}

static void draw_event(struct view *v, unsigned index, unsigned row)
{
    const struct event *event = model_event(v->m, index);
    const struct rect *r = &v->m->layout.panels[PANEL_EVENTS];
    unsigned end = r->col + r->width;
    char time[WORD_MAX], ip[WORD_MAX] = "-", text[256];
    if (!event)
        return;
    words_time(event->wall_us, time);
    if (event->vip.family != IP_NONE)
        words_ip(&event->vip, 15, v->g->more, ip);
    unsigned col = canvas_printf(v->canvas, row, r->col + 2, end, STYLE_PLAIN, "%s.%03u  ", time,
                                 (unsigned)(event->wall_us / 1000 % 1000));
    canvas_text(v->canvas, row, col, end, view_severity_style(event->severity),
                snapshot_severity_word(event->severity));
    snprintf(text, sizeof(text), "%-15.40s %-7s  %s", ip, event_kind_name(event->kind),
             event->text);
    canvas_cut(v->canvas, row, col + 6, end, STYLE_PLAIN, text, v->g->cut);
}

void view_events(struct view *v)
{
    const struct rect *r = &v->m->layout.panels[PANEL_EVENTS];
    const struct panel_state *p = &v->m->panels[PANEL_EVENTS];
    char right[256];
    view_title_right(v, PANEL_EVENTS, p->at == 0 ? "following" : "", right, sizeof(right));
    view_title(v, r, PANEL_EVENTS, "Events", right);
    view_rows(v, PANEL_EVENTS, 1, draw_event);
    if (p->n == 0 && r->height > 1 && !p->filter[0])
        canvas_text(v->canvas, r->row + 1, r->col + 2, r->col + r->width, STYLE_DIM,
                    "nothing has changed since the start");
}
