/* SPDX-License-Identifier: MIT */
/* The two layouts for little room: one panel between two lines, and a line or two. */
#include "view.h"

#include <stdio.h>
#include <string.h>

#include "base/text.h"
#include "words.h"

enum { COL_VIP, COL_STATE, COL_HOLDER, COL_LEASE, COL_ARP, COLUMNS };

static bool is_narrow(const struct view *v)
{
    return v->m->width < 56;
}

static void fit(struct view *v, struct column *c)
{
    const struct column usual[COLUMNS] = {
        [COL_VIP] = {.title = "VIP", .width = 13},
        [COL_STATE] = {.title = "STATE", .width = 8},
        [COL_HOLDER] = {.title = "HOLDER", .width = 7},
        [COL_LEASE] = {.title = "LEASE", .width = 16},
        [COL_ARP] = {.title = "ARP", .width = 6},
    };
    memcpy(c, usual, sizeof(usual));
    if (is_narrow(v)) { /* without the bar and the symbol */
        static const unsigned narrow[COLUMNS] = {11, 6, 6, 5, 6};
        for (unsigned i = 0; i < COLUMNS; i++)
            c[i].width = narrow[i];
    }
    for (unsigned i = 0; i < v->m->shown.n_vips; i++) {
        char ip[IP_TEXT_MAX], arp[WORD_MAX];
        ip_format(&v->m->shown.vips[i].ip, ip);
        view_vip_arp(&v->m->shown.vips[i], arp);
        table_want(&c[COL_ARP], (unsigned)strlen(arp), 12);
        table_want(&c[COL_VIP], (unsigned)strlen(ip), 24);
        table_want(&c[COL_HOLDER], (unsigned)text_width(v->m->shown.vips[i].holder), 20);
    }
    table_fit(c, COLUMNS, 2, v->m->width);
}

static void draw_row(struct view *v, unsigned index, unsigned row)
{
    const struct snapshot_vip *vip = &v->m->shown.vips[index];
    struct column c[COLUMNS];
    char text[SNAPSHOT_NAME_MAX + 4], bar[VIEW_BAR_MAX], number[WORD_MAX];
    fit(v, c);
    words_ip(&vip->ip, c[COL_VIP].end - c[COL_VIP].col, v->g->more, text);
    view_cell(v, row, &c[COL_VIP], STYLE_PLAIN, text);
    view_vip_state(v, vip, text, sizeof(text));
    view_cell(v, row, &c[COL_STATE], view_vip_style(vip->state),
              is_narrow(v) ? strchr(text, ' ') + 1 : text);
    bool is_old = vip->state == SNAPSHOT_VIP_STALE && vip->holder[0];
    snprintf(text, sizeof(text), is_old ? "(%s)" : "%s", vip->holder[0] ? vip->holder : "-");
    view_cell(v, row, &c[COL_HOLDER], STYLE_PLAIN, text);
    enum style style = view_lease(v, vip, 10, bar, number);
    if (is_narrow(v))
        *bar = '\0';
    if (vip->state != SNAPSHOT_VIP_STALE && vip->granted_us > 0 && vip->remaining_us >= 0) {
        words_renewed(vip->remaining_us, number);
        unsigned at = view_bar(v, row, c[COL_LEASE].col, c[COL_LEASE].end, style, bar);
        canvas_text(v->canvas, row, at, c[COL_LEASE].end, style, number);
    } else {
        view_cell(v, row, &c[COL_LEASE], style, number);
    }
    view_vip_arp(vip, text);
    view_cell(v, row, &c[COL_ARP], vip->agree < vip->observers ? STYLE_CRIT : STYLE_PLAIN, text);
}

static void draw_vips(struct view *v)
{
    const struct rect *r = &v->m->layout.panels[PANEL_VIPS];
    struct column c[COLUMNS];
    fit(v, c);
    c[COL_VIP].col = 0;
    view_heads(v, r, r->row, c, COLUMNS);
    view_rows(v, PANEL_VIPS, 1, draw_row);
}

static void draw_header(struct view *v)
{
    const struct snapshot *s = &v->m->shown;
    char status[160], left[200], time[WORD_MAX], right[200];
    unsigned width = v->m->width;
    enum style style = view_status(v, status, sizeof(status));
    if (strncmp(status, "LIVE", 4) == 0)
        status[4] = '\0';
    char *retry = strstr(status, "   ");
    if (retry)
        *retry = '\0';
    words_time(s->wall_us, time);
    snprintf(right, sizeof(right), s->wall_us ? "%s %sZ" : "%s", status, time);
    int len = snprintf(left, sizeof(left), "%s%setcd %s %u/%u", s->cluster, *s->cluster ? "  " : "",
                       view_etcd_word(s), s->etcd.n_healthy, s->etcd.n_members);
    if (s->etcd.leader[0])
        len += snprintf(left + len, sizeof(left) - (size_t)len, " %s", s->etcd.leader);
    if (s->etcd.term >= 0)
        snprintf(left + len, sizeof(left) - (size_t)len, " t%lld", (long long)s->etcd.term);
    unsigned at = canvas_right(v->canvas, 0, 0, width, STYLE_PLAIN, right);
    canvas_restyle(v->canvas, 0, at, at + (unsigned)strlen(status), style);
    canvas_cut(v->canvas, 0, 0, at > 1 ? at - 1 : 0, STYLE_PLAIN, left, v->g->cut);
}

static void draw_last(struct view *v, unsigned row)
{
    const struct snapshot *s = &v->m->shown;
    char time[WORD_MAX], ip[IP_TEXT_MAX], move[2 * SNAPSHOT_NAME_MAX + 8], gap[WORD_MAX], text[512];
    const struct snapshot_move *last = snapshot_last_move(s, NULL);
    if (!last) {
        canvas_text(v->canvas, row, 0, v->m->width, STYLE_DIM, "last: no failover on record");
        return;
    }
    words_time(last->wall_us, time);
    ip_format(&last->vip, ip);
    view_move(v, last, move, sizeof(move));
    view_outage(v, last, false, gap);
    gap[strcspn(gap, " ")] = '\0';
    snprintf(text, sizeof(text), "last: %.8s %s %s %s %.16s", time, ip, move, last->cause, gap);
    canvas_cut(v->canvas, row, 0, v->m->width, STYLE_PLAIN, text, v->g->cut);
}

/* What the alert is about, in two or three words: there is one line for it. */
static void short_text(const struct snapshot *s, const struct snapshot_alert *alert, char *out,
                       size_t size)
{
    static const struct {
        char id[8];
        const char *words;
    } list[] = {
        {"TVA01", "no owner"},          {"TVA02", "two stations answer"},
        {"TVA03", "held, but silent"},  {"TVA04", "sends to the old MAC"},
        {"TVA05", "no owner just now"}, {"TVA06", "renews late"},
        {"TVA08", "moves to and fro"},  {"TVA09", "waits, but is dead"},
        {"TVA13", "nobody waits"},      {"TVA16", "set on a non-holder"},
    };
    const struct snapshot_node *node = snapshot_find_node(s, alert->node);
    char about[IP_TEXT_MAX] = "", offset[WORD_MAX];
    if (alert->vip.family != IP_NONE)
        ip_format(&alert->vip, about);
    const char *name = *about ? about : alert->node;
    if (strcmp(alert->id, "TVA07") == 0 && node) {
        words_offset(node->clock_offset_us, offset);
        snprintf(out, size, "%s clock %s", node->name, offset);
        return;
    }
    for (unsigned i = 0; i < sizeof(list) / sizeof(list[0]); i++)
        if (strcmp(list[i].id, alert->id) == 0 && *name) {
            snprintf(out, size, "%s %s", name, list[i].words);
            return;
        }
    view_alert_text(alert, out, size);
}

static void draw_ended(struct view *v, unsigned row)
{
    const struct snapshot *s = &v->m->shown;
    char text[512], age[WORD_MAX];
    if (s->n_alerts == 0)
        return;
    short_text(s, &s->alerts[0], text, sizeof(text));
    words_age(s->alerts[0].cleared_us, age);
    unsigned col = canvas_printf(v->canvas, row, 0, v->m->width, STYLE_GOOD, "%s", v->g->good);
    col = canvas_printf(v->canvas, row, col, v->m->width, STYLE_PLAIN, " cleared %s ago: ", age);
    canvas_cut(v->canvas, row, col, v->m->width, STYLE_PLAIN, text, v->g->cut);
}

static void draw_worst(struct view *v, unsigned row)
{
    const struct snapshot_alert *worst = snapshot_worst(&v->m->shown);
    char text[512];
    unsigned width = v->m->width;
    if (!worst) {
        draw_ended(v, row);
        return;
    }
    unsigned col = canvas_printf(v->canvas, row, 0, width, view_severity_style(worst->severity),
                                 "%s %s", view_severity_glyph(v, worst->severity),
                                 snapshot_severity_word(worst->severity));
    short_text(&v->m->shown, worst, text, sizeof(text));
    size_t id = strlen(worst->id) + 3;
    col = canvas_cut(v->canvas, row, col + 1, width > id ? width - (unsigned)id : 0, STYLE_PLAIN,
                     text, v->g->cut);
    canvas_printf(v->canvas, row, col, width, STYLE_PLAIN, " (%s)", worst->id);
}

void view_compact(struct view *v)
{
    static void (*const panels[PANEL_COUNT])(struct view *) = {
        [PANEL_VIPS] = draw_vips,     [PANEL_NODES] = view_nodes,   [PANEL_MOVES] = view_moves,
        [PANEL_ALERTS] = view_alerts, [PANEL_EVENTS] = view_events, [PANEL_MEMBERS] = view_members};
    unsigned bottom = v->m->height - 2 - v->m->layout.has_keys;
    draw_header(v);
    v->tone = model_is_stale(v->m) ? STYLE_DIM : STYLE_PLAIN;
    panels[v->m->focus](v);
    v->tone = STYLE_PLAIN;
    draw_last(v, bottom);
    draw_worst(v, bottom + 1);
}

/* Short, the worst VIP's: "10.0.0.50 HELD cp-1 8s". */
static unsigned draw_vip(struct view *v, unsigned row, const struct snapshot_vip *vip)
{
    char state[32], ip[IP_TEXT_MAX], age[WORD_MAX];
    unsigned width = v->m->width;
    ip_format(&vip->ip, ip);
    view_vip_state(v, vip, state, sizeof(state));
    words_age(vip->remaining_us, age);
    unsigned col = canvas_printf(v->canvas, row, 0, width, STYLE_PLAIN, "%s ", ip);
    col =
        canvas_text(v->canvas, row, col, width, view_vip_style(vip->state), strchr(state, ' ') + 1);
    bool is_old = vip->state == SNAPSHOT_VIP_STALE;
    if (vip->holder[0])
        col = canvas_printf(v->canvas, row, col, width, STYLE_PLAIN, is_old ? " (%s)" : " %s %s",
                            vip->holder, age);
    return col;
}

static void draw_rest(struct view *v, unsigned row, unsigned col)
{
    const struct snapshot *s = &v->m->shown;
    unsigned counts[3] = {0}, width = v->m->width;
    for (unsigned i = 0; i < s->n_alerts; i++)
        if (s->alerts[i].cleared_us < 0)
            counts[s->alerts[i].severity]++;
    bool is_bad = s->etcd.state != SNAPSHOT_ETCD_OK;
    col = canvas_printf(v->canvas, row, col, width, is_bad ? STYLE_WARN : STYLE_PLAIN, "etcd %u/%u",
                        s->etcd.n_healthy, s->etcd.n_members);
    if (counts[SNAPSHOT_CRIT] > 0)
        col = canvas_printf(v->canvas, row, col, width, STYLE_CRIT, " | %u CRIT",
                            counts[SNAPSHOT_CRIT]);
    if (counts[SNAPSHOT_WARN] > 0)
        canvas_printf(v->canvas, row, col, width, STYLE_WARN, " | %u WARN", counts[SNAPSHOT_WARN]);
}

void view_line(struct view *v)
{
    const struct panel_state *p = &v->m->panels[PANEL_VIPS];
    const struct snapshot *s = &v->m->shown;
    unsigned height = v->m->height, col = 0;
    if (height == 1 && s->n_vips > 0) {
        const struct snapshot_vip *worst = &s->vips[0];
        for (unsigned i = 1; i < s->n_vips; i++)
            if (rows_compare(v->m, PANEL_VIPS, 1, i, (unsigned)(worst - s->vips)) < 0)
                worst = &s->vips[i];
        col = draw_vip(v, 0, worst);
        if (s->n_vips > 1)
            col = canvas_printf(v->canvas, 0, col, v->m->width, STYLE_PLAIN, " +%u", s->n_vips - 1);
        col = canvas_text(v->canvas, 0, col, v->m->width, STYLE_PLAIN, " | ");
    }
    for (unsigned i = 0; i + 1 < height && p->top + i < p->n; i++)
        draw_vip(v, i, &s->vips[p->rows[p->top + i]]);
    draw_rest(v, height - 1, height == 1 ? col : 0);
}
