/* SPDX-License-Identifier: MIT */
#include "view.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "base/text.h"
#include "words.h"

enum {
    COL_VIP,
    COL_STATE,
    COL_HOLDER,
    COL_IFACE,
    COL_MAC,
    COL_SINCE,
    COL_LEASE_ID,
    COL_LEASE,
    COL_NEXT,
    COL_QUEUE,
    COL_ARP,
    COL_MOVES,
    COLUMNS,
};

/* From 100 cells on come, in this order, MAC, IFACE and QUEUE. */
static const struct column standard[COLUMNS] = {
    [COL_VIP] = {.title = "VIP", .width = 15},
    [COL_STATE] = {.title = "STATE", .width = 8},
    [COL_HOLDER] = {.title = "HOLDER", .width = 8},
    [COL_IFACE] = {.title = "IFACE", .width = 6, .drop = 3, .from = 100},
    [COL_MAC] = {.title = "MAC", .width = 17, .drop = 4, .from = 100},
    [COL_SINCE] = {.title = "SINCE", .width = 6, .drop = 5},
    [COL_LEASE_ID] = {.title = "", .from = 1000},
    [COL_LEASE] = {.title = "LEASE TTL", .width = 19},
    [COL_NEXT] = {.title = "NEXT", .width = 8, .drop = 6},
    [COL_QUEUE] = {.title = "QUEUE", .width = 12, .drop = 1, .from = 100},
    [COL_ARP] = {.title = "ARP", .width = 8},
    [COL_MOVES] = {.title = "", .from = 1000},
};
static const struct column wide[COLUMNS] = {
    [COL_VIP] = {.title = "VIP", .width = 16},
    [COL_STATE] = {.title = "STATE", .width = 8},
    [COL_HOLDER] = {.title = "HOLDER", .width = 7},
    [COL_IFACE] = {.title = "IFACE", .width = 6, .drop = 4},
    [COL_MAC] = {.title = "MAC", .width = 18, .drop = 5},
    [COL_SINCE] = {.title = "SINCE", .width = 17, .drop = 6},
    [COL_LEASE_ID] = {.title = "LEASE ID", .width = 17, .drop = 1},
    [COL_LEASE] = {.title = "LEASE TTL", .width = 28},
    [COL_NEXT] = {.title = "NEXT", .width = 5, .drop = 7},
    [COL_QUEUE] = {.title = "QUEUE", .width = 12, .drop = 2},
    [COL_ARP] = {.title = "ARP", .width = 7},
    [COL_MOVES] = {.title = "24h", .width = 3, .drop = 3},
};

enum style view_vip_style(enum snapshot_vip_state state)
{
    static const uint8_t styles[] = {
        [SNAPSHOT_VIP_HELD] = STYLE_GOOD,   [SNAPSHOT_VIP_FREE] = STYLE_IDLE,
        [SNAPSHOT_VIP_MOVING] = STYLE_WARN, [SNAPSHOT_VIP_DUP] = STYLE_CRIT,
        [SNAPSHOT_VIP_SILENT] = STYLE_CRIT, [SNAPSHOT_VIP_STALE] = STYLE_UNKNOWN};
    return styles[state];
}

void view_vip_state(const struct view *v, const struct snapshot_vip *vip, char *out, size_t size)
{
    static const char *const words[] = {
        [SNAPSHOT_VIP_HELD] = "HELD",     [SNAPSHOT_VIP_FREE] = "FREE",
        [SNAPSHOT_VIP_MOVING] = "MOVING", [SNAPSHOT_VIP_DUP] = "DUP",
        [SNAPSHOT_VIP_SILENT] = "SILENT", [SNAPSHOT_VIP_STALE] = "STALE"};
    const char *const glyphs[] = {
        [SNAPSHOT_VIP_HELD] = v->g->good,   [SNAPSHOT_VIP_FREE] = v->g->idle,
        [SNAPSHOT_VIP_MOVING] = v->g->warn, [SNAPSHOT_VIP_DUP] = v->g->crit,
        [SNAPSHOT_VIP_SILENT] = v->g->crit, [SNAPSHOT_VIP_STALE] = v->g->unknown};
    snprintf(out, size, "%s %s", glyphs[vip->state], words[vip->state]);
}

static enum style lease_style(const struct snapshot_vip *vip)
{
    if (vip->remaining_us * 5 <= vip->granted_us)
        return STYLE_CRIT;
    bool is_late = vip->renewed_us > vip->granted_us / 3 + 1000000;
    return is_late && vip->remaining_us * 2 <= vip->granted_us ? STYLE_WARN : STYLE_PLAIN;
}

enum style view_lease(const struct view *v, const struct snapshot_vip *vip, unsigned cells,
                      char *bar, char *number)
{
    long long ttl = vip->granted_us / 1000000, left = vip->remaining_us / 1000000;
    *bar = '\0';
    if (vip->state == SNAPSHOT_VIP_STALE || (vip->granted_us > 0 && vip->remaining_us < 0)) {
        for (unsigned i = 0; i < cells + 2; i++)
            strcat(bar, v->g->dot);
        snprintf(number, WORD_MAX, vip->granted_us > 0 ? "?/%llds" : "?", ttl);
        return STYLE_UNKNOWN;
    }
    if (vip->granted_us <= 0) {
        snprintf(number, WORD_MAX, "-");
        return STYLE_IDLE;
    }
    glyphs_bar(v->g, (unsigned)(vip->remaining_us * 1000 / vip->granted_us), cells, bar);
    if (!vip->holder_has_agent) /* etcd counts in whole seconds */
        snprintf(number, WORD_MAX, "%lld%s%lld/%llds", left, v->g->dash,
                 left < ttl ? left + 1 : ttl, ttl);
    else
        snprintf(number, WORD_MAX, "%.1f/%llds", (double)vip->remaining_us / 1e6, ttl);
    return lease_style(vip);
}

void view_vip_arp(const struct snapshot_vip *vip, char *out)
{
    if (vip->state == SNAPSHOT_VIP_STALE && vip->observers > 0)
        snprintf(out, WORD_MAX, "%u/%u live", vip->agree, vip->observers);
    else if (vip->n_macs >= 2)
        snprintf(out, WORD_MAX, "%u MACs", vip->n_macs);
    else if (vip->observers == 0)
        snprintf(out, WORD_MAX, "-");
    else
        snprintf(out, WORD_MAX, "%u/%u %s", vip->agree, vip->observers,
                 vip->agree == vip->observers ? "ok" : "bad");
}

unsigned view_bar(struct view *v, unsigned row, unsigned col, unsigned end, unsigned style,
                  const char *bar)
{
    char filled[VIEW_BAR_MAX];
    size_t len = strlen(bar);
    unsigned at = canvas_text(v->canvas, row, col, end, STYLE_PLAIN, bar);
    while (len > 0 && bar[len - 1] == ' ')
        len--;
    snprintf(filled, sizeof(filled), "%.*s", (int)len, bar);
    canvas_text(v->canvas, row, col, end, style, filled);
    return at;
}

static void draw_lease(struct view *v, const struct snapshot_vip *vip, unsigned row,
                       const struct column *c)
{
    char bar[VIEW_BAR_MAX], number[WORD_MAX];
    unsigned cells = c->width > 20 ? 20 : 10;
    view_lease(v, vip, cells, bar, number);
    size_t len = text_width(number);
    if (len + 1 + cells > c->width && len + 3 < c->width)
        cells = c->width - 1 - (unsigned)len;
    enum style style = view_lease(v, vip, cells, bar, number);
    if (*bar == '\0') {
        view_cell(v, row, c, style, number);
        return;
    }
    unsigned right = v->g->set == GLYPHS_ASCII && c->width < 20 && len < 8 ? 18 : c->width;
    unsigned end = c->col + right < c->end ? c->col + right : c->end;
    unsigned at = view_bar(v, row, c->col, end, style, bar);
    canvas_right(v->canvas, row, at, end, style, number);
}

/* Only somebody we heard of lately is named without brackets. */
static void draw_name(struct view *v, const struct snapshot_vip *vip, unsigned row,
                      const struct column *c, const char *name)
{
    char text[SNAPSHOT_NAME_MAX + 4];
    bool is_known = vip->state != SNAPSHOT_VIP_STALE;
    snprintf(text, sizeof(text), is_known || !*name ? "%s" : "(%s)", *name ? name : "-");
    view_cell(v, row, c, STYLE_PLAIN, text);
}

static void since_text(const struct view *v, const struct snapshot_vip *vip, bool is_long,
                       char *out, size_t size)
{
    char age[WORD_MAX], time[WORD_MAX];
    words_age(vip->since_us, age);
    if (vip->since_us < 0 || vip->state == SNAPSHOT_VIP_STALE) {
        snprintf(out, size, "-");
        return;
    }
    words_time(v->m->shown.wall_us - (uint64_t)vip->since_us, time);
    if (vip->is_since_at_least)
        snprintf(out, size, "%s%s", v->g->set == GLYPHS_UTF8 ? "≥" : ">", age);
    else if (is_long)
        snprintf(out, size, "%sZ (%s)", time, age);
    else
        snprintf(out, size, "%s", age);
}

static void queue_text(const struct snapshot_vip *vip, char *out, size_t size)
{
    size_t len = 0;
    *out = '\0';
    for (unsigned i = 0; i < vip->n_queue && len < size; i++)
        len += (size_t)snprintf(out + len, size - len, "%s%s", i ? " " : "", vip->queue[i]);
}

/* Names take what they need, up to a limit, from columns that matter less. */
static void fit(struct view *v, struct column *c, const struct rect *r, bool is_wide)
{
    memcpy(c, is_wide ? wide : standard, sizeof(standard));
    for (unsigned i = 0; i < v->m->shown.n_vips; i++) {
        const struct snapshot_vip *vip = &v->m->shown.vips[i];
        char ip[IP_TEXT_MAX], arp[WORD_MAX];
        unsigned brackets = vip->state == SNAPSHOT_VIP_STALE ? 2 : 0;
        ip_format(&vip->ip, ip);
        table_want(&c[COL_VIP], (unsigned)strlen(ip), 22);
        table_want(&c[COL_HOLDER], (unsigned)text_width(vip->holder) + brackets, 22);
        view_vip_arp(vip, arp);
        table_want(&c[COL_ARP], (unsigned)strlen(arp), 12);
        if (vip->n_queue > 0)
            table_want(&c[COL_NEXT], (unsigned)text_width(vip->queue[0]) + brackets, 16);
    }
    table_fit(c, COLUMNS, r->col + 2, r->col + r->width);
}

static void draw_row(struct view *v, unsigned index, unsigned row)
{
    const struct snapshot_vip *vip = &v->m->shown.vips[index];
    const struct rect *r = &v->m->layout.panels[PANEL_VIPS];
    bool is_wide = r->width >= 150;
    struct column c[COLUMNS];
    char text[SNAPSHOT_QUEUE_MAX * SNAPSHOT_NAME_MAX], id[32];
    fit(v, c, r, is_wide);
    words_ip(&vip->ip, c[COL_VIP].end - c[COL_VIP].col, v->g->more, text);
    if (is_wide && strlen(text) + 4 <= c[COL_VIP].end - c[COL_VIP].col)
        snprintf(text + strlen(text), 8, "/%u", ip_bits(&vip->ip));
    view_cell(v, row, &c[COL_VIP], STYLE_PLAIN, text);
    view_vip_state(v, vip, text, sizeof(text));
    view_cell(v, row, &c[COL_STATE], view_vip_style(vip->state), text);
    draw_name(v, vip, row, &c[COL_HOLDER], vip->holder);
    view_cell(v, row, &c[COL_IFACE], STYLE_PLAIN, vip->iface[0] ? vip->iface : "-");
    view_cell(v, row, &c[COL_MAC], STYLE_PLAIN, vip->mac[0] ? vip->mac : "-");
    since_text(v, vip, is_wide, text, sizeof(text));
    view_cell(v, row, &c[COL_SINCE], STYLE_PLAIN, text);
    snprintf(id, sizeof(id), vip->lease ? "%" PRIx64 : "-", (uint64_t)vip->lease);
    view_cell(v, row, &c[COL_LEASE_ID], STYLE_PLAIN, id);
    draw_lease(v, vip, row, &c[COL_LEASE]);
    draw_name(v, vip, row, &c[COL_NEXT], vip->n_queue > 0 ? vip->queue[0] : "");
    queue_text(vip, text, sizeof(text));
    view_cell(v, row, &c[COL_QUEUE], STYLE_PLAIN, text);
    view_vip_arp(vip, text);
    bool is_bad = vip->n_macs >= 2 || (vip->agree < vip->observers);
    view_cell(v, row, &c[COL_ARP],
              vip->state == SNAPSHOT_VIP_STALE ? STYLE_PLAIN
              : is_bad                         ? STYLE_CRIT
              : vip->observers > 0             ? STYLE_GOOD
                                               : STYLE_PLAIN,
              text);
    snprintf(id, sizeof(id), "%u%s", vip->moves_24h, vip->is_moves_at_least ? "+" : "");
    view_cell(v, row, &c[COL_MOVES], STYLE_PLAIN, id);
}

/* "all held", or the worst there is. */
static void summary(const struct snapshot *s, char *out, size_t size)
{
    static const enum snapshot_vip_state worst[] = {SNAPSHOT_VIP_DUP, SNAPSHOT_VIP_SILENT,
                                                    SNAPSHOT_VIP_MOVING, SNAPSHOT_VIP_FREE};
    static const char *const words[] = {"DUPLICATE", "SILENT", "MOVING", "FREE"};
    unsigned counts[6] = {0}, n_paused = 0;
    size_t len = 0;
    *out = '\0';
    for (unsigned i = 0; i < s->n_vips; i++) {
        counts[s->vips[i].state]++;
        n_paused += s->vips[i].is_paused;
    }
    for (unsigned i = 0; i < 4; i++)
        if (counts[worst[i]] > 0)
            len += (size_t)snprintf(out + len, size - len, "%s%u %s", len ? ", " : "",
                                    counts[worst[i]], words[i]);
    if (len == 0 && s->n_vips > 0)
        len = (size_t)snprintf(out, size, "all held");
    if (n_paused > 0)
        snprintf(out + len, size - len, ", %u PAUSED", n_paused);
}

void view_vips(struct view *v)
{
    const struct rect *r = &v->m->layout.panels[PANEL_VIPS];
    struct column c[COLUMNS];
    char left[32], right[256], rest[128];
    view_age(v, rest, sizeof(rest));
    if (*rest == '\0')
        summary(&v->m->shown, rest, sizeof(rest));
    view_title_right(v, PANEL_VIPS, rest, right, sizeof(right));
    snprintf(left, sizeof(left), "VIPs %u", v->m->shown.n_vips);
    view_title(v, r, PANEL_VIPS, left, right);
    fit(v, c, r, r->width >= 150);
    view_heads(v, r, r->row + 1, c, COLUMNS);
    view_rows(v, PANEL_VIPS, 2, draw_row);
}
