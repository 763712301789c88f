/* SPDX-License-Identifier: MIT */
#include "status_snapshot.h"

#include "grid.h"
#include "span.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

static void add_state(struct grid *g, const struct snapshot_vip *vip)
{
    char text[STYLE_WORD_MAX];
    style_upper(snapshot_vip_state_name(vip->state), text);
    grid_add(g, text);
}

/* What is only the last known is in brackets. */
static void add_name(struct grid *g, const struct snapshot_vip *vip, const char *name,
                     struct buf *cell)
{
    if (vip->state == SNAPSHOT_VIP_STALE && *name)
        buf_printf(cell, "(%s)", name);
    else
        buf_puts(cell, name);
    grid_take(g, cell);
}

static void add_since(struct grid *g, const struct snapshot_vip *vip, const struct style *style,
                      struct buf *cell)
{
    bool is_telling = !vip->is_since_at_least || vip->since_us >= 1000000;
    bool is_known =
        vip->holder[0] && vip->since_us >= 0 && is_telling && vip->state != SNAPSHOT_VIP_STALE;
    if (is_known && vip->is_since_at_least)
        buf_puts(cell, style->is_utf8 ? "\xe2\x89\xa5" : ">=");
    if (is_known)
        span_short(cell, vip->since_us / 1000);
    grid_take(g, cell);
}

static void add_ttl(struct grid *g, const struct snapshot_vip *vip, struct buf *cell)
{
    int64_t left = vip->remaining_us / 1000000, granted = vip->granted_us / 1000000;
    if (vip->granted_us < 0)
        buf_puts(cell, "");
    else if (vip->state == SNAPSHOT_VIP_STALE)
        buf_printf(cell, "?/%" PRId64 "s", granted);
    else if (vip->holder_has_agent)
        buf_printf(cell, "%" PRId64 "s/%" PRId64 "s", left, granted);
    else
        buf_printf(cell, "%" PRId64 "-%" PRId64 "s/%" PRId64 "s", left, left + 1, granted);
    grid_take(g, cell);
}

static void add_arp(struct grid *g, const struct snapshot_vip *vip, struct buf *cell)
{
    if (vip->n_macs > 1)
        buf_printf(cell, "%u MACs", vip->n_macs);
    else if (vip->observers > 0)
        buf_printf(cell, "%u/%u%s", vip->agree, vip->observers,
                   vip->agree < vip->observers ? " bad" : "");
    grid_take(g, cell);
}

/* What the holder said of its voters lately; of one that is gone there is nothing to tell. */
static void add_peers(struct grid *g, const struct snapshot *s, const struct snapshot_vip *vip,
                      struct buf *cell)
{
    const struct snapshot_node *holder = snapshot_find_node(s, vip->holder);
    const struct snapshot_peers *p = holder ? &holder->peers : NULL;
    if (p && p->voters > 0 && holder->role != SNAPSHOT_ROLE_LOST &&
        vip->state != SNAPSHOT_VIP_STALE) {
        if (p->acknowledged < 0)
            buf_puts(cell, "?");
        else
            buf_printf(cell, "%" PRId64, p->acknowledged);
        buf_printf(cell, "/%" PRId64 "%s", p->voters, p->is_mute ? " MUTE" : "");
    }
    grid_take(g, cell);
}

static bool concerns(const struct snapshot_alert *a, const struct snapshot_vip *vip)
{
    if (a->vip.family != IP_NONE)
        return ip_equal(&a->vip, &vip->ip);
    if (!a->node[0])
        return false;
    for (unsigned i = 0; i < vip->n_queue; i++)
        if (strcmp(vip->queue[i], a->node) == 0)
            return true;
    return strcmp(vip->holder, a->node) == 0;
}

static void add_alerts(struct grid *g, const struct snapshot *s, const struct snapshot_vip *vip,
                       struct buf *cell)
{
    for (unsigned i = 0; i < s->n_alerts; i++) {
        const struct snapshot_alert *a = &s->alerts[i];
        if (a->cleared_us < 0 && concerns(a, vip) && !strstr(buf_str(cell), a->id))
            buf_printf(cell, "%s%s", cell->len ? "," : "", a->id);
    }
    grid_take(g, cell);
}

static void add_queue(struct grid *g, const struct snapshot_vip *vip, struct buf *cell)
{
    for (unsigned i = 0; i < vip->n_queue; i++)
        buf_printf(cell, "%s%s", i ? "," : "", vip->queue[i]);
    grid_take(g, cell);
}

static void add_number(struct grid *g, const char *format, uint64_t number)
{
    char text[24] = "";
    if (number)
        snprintf(text, sizeof(text), strcmp(format, "x") == 0 ? "%" PRIx64 : "%" PRIu64, number);
    grid_add(g, text);
}

static void add_row(struct grid *g, const struct snapshot *s, const struct snapshot_vip *vip,
                    const struct style *style, bool is_wide, struct buf *cell)
{
    char ip[IP_TEXT_MAX];
    ip_format(&vip->ip, ip);
    grid_add(g, ip);
    add_state(g, vip);
    add_name(g, vip, vip->holder, cell);
    if (is_wide) {
        grid_add(g, vip->iface);
        grid_add(g, vip->mac);
    }
    add_since(g, vip, style, cell);
    if (is_wide)
        add_number(g, "x", (uint64_t)vip->lease);
    add_ttl(g, vip, cell);
    if (is_wide) {
        if (vip->renewed_us >= 0 && vip->state != SNAPSHOT_VIP_STALE)
            span_short(cell, vip->renewed_us / 1000);
        grid_take(g, cell);
    }
    add_name(g, vip, vip->n_queue ? vip->queue[0] : "", cell);
    if (is_wide)
        add_queue(g, vip, cell);
    add_arp(g, vip, cell);
    if (is_wide) {
        add_peers(g, s, vip, cell);
        add_number(g, "u", (uint64_t)vip->epoch);
        buf_printf(cell, "%u%s", vip->moves_24h, vip->is_moves_at_least ? "+" : "");
        grid_take(g, cell);
    }
    add_alerts(g, s, vip, cell);
}

void status_table(const struct snapshot *s, const struct style *style, bool is_wide,
                  struct buf *out)
{
    static const char *const heads[] = {"VIP",  "STATE", "HOLDER", "SINCE", "TTL",
                                        "NEXT", "ARP",   "ALERTS", NULL};
    static const char *const wide[] = {"VIP",   "STATE", "HOLDER",  "IFACE",  "MAC",   "SINCE",
                                       "LEASE", "TTL",   "RENEWED", "NEXT",   "QUEUE", "ARP",
                                       "PEERS", "EPOCH", "24H",     "ALERTS", NULL};
    struct grid grid;
    struct buf cell;
    grid_init(&grid, is_wide ? wide : heads);
    buf_init(&cell, 0);
    for (unsigned i = 0; i < s->n_vips; i++)
        add_row(&grid, s, &s->vips[i], style, is_wide, &cell);
    grid_write(&grid, !style->no_heads, out);
    grid_done(&grid);
    buf_done(&cell);
}

void status_names(const struct snapshot *s, struct buf *out)
{
    for (unsigned i = 0; i < s->n_vips; i++) {
        char ip[IP_TEXT_MAX];
        ip_format(&s->vips[i].ip, ip);
        buf_printf(out, "vip/%s\n", ip);
    }
}
