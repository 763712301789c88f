/* SPDX-License-Identifier: MIT */
#include "history_text.h"

#include "grid.h"
#include "json_text.h"
#include "span.h"

#include "base/clock.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static int compare(const void *a, const void *b)
{
    int64_t x = *(const int64_t *)a, y = *(const int64_t *)b;
    return (x > y) - (x < y);
}

/* The smallest value that so many of a hundred do not exceed. */
static int64_t percentile(const int64_t *sorted, unsigned n, unsigned percent)
{
    unsigned rank = (n * percent + 99) / 100;
    return sorted[rank ? rank - 1 : 0];
}

/* Without a record there was nothing before: the time counts from the first one. */
static void count(const struct snapshot *s, const struct ip *vip, uint64_t since, uint64_t until,
                  struct history_stats *ret)
{
    int64_t outages[SNAPSHOT_HISTORY_MAX];
    uint64_t first = until;
    *ret = (struct history_stats){
        .vip = *vip, .p50_us = -1, .p95_us = -1, .worst_us = -1, .total_us = -1, .held = -1};
    for (unsigned i = 0; i < s->n_history; i++) {
        const struct snapshot_move *m = &s->history[i];
        if (snapshot_move_stays(m) || !ip_equal(&m->vip, vip))
            continue;
        first = m->wall_us < first ? m->wall_us : first;
        ret->moves += m->from[0] != '\0';
        ret->planned += m->from[0] && m->is_planned;
        if (snapshot_move_is_measured(m) && ret->measured < SNAPSHOT_HISTORY_MAX)
            outages[ret->measured++] = m->outage_us;
    }
    if (ret->measured == 0)
        return;
    qsort(outages, ret->measured, sizeof(outages[0]), compare);
    ret->p50_us = percentile(outages, ret->measured, 50);
    ret->p95_us = percentile(outages, ret->measured, 95);
    ret->worst_us = outages[ret->measured - 1];
    ret->total_us = 0;
    for (unsigned i = 0; i < ret->measured; i++)
        ret->total_us += outages[i];
    ret->held = snapshot_held(s, vip, since ? since : first, until);
}

size_t history_stats(const struct snapshot *s, uint64_t since, uint64_t until,
                     struct history_stats *ret_list, size_t n_max)
{
    size_t n = 0;
    until = until && until < s->wall_us ? until : s->wall_us;
    for (unsigned i = 0; i < s->n_history; i++) {
        bool is_new = !snapshot_move_stays(&s->history[i]);
        for (size_t k = 0; k < n; k++)
            is_new = is_new && !ip_equal(&ret_list[k].vip, &s->history[i].vip);
        if (is_new && n < n_max)
            count(s, &s->history[i].vip, since, until, &ret_list[n++]);
    }
    return n;
}

static void add_us(struct grid *g, int64_t us, struct buf *cell)
{
    if (us >= 0)
        span_seconds(cell, us);
    grid_take(g, cell);
}

void history_stats_table(const struct history_stats *list, size_t n, const struct style *style,
                         struct buf *out)
{
    static const char *const heads[] = {"VIP", "MOVES", "PLANNED", "UNPLANNED", "OUTAGE p50",
                                        "p95", "WORST", "TOTAL",   "HELD",      NULL};
    struct grid grid;
    struct buf cell;
    grid_init(&grid, heads);
    buf_init(&cell, 0);
    for (size_t i = 0; i < n; i++) {
        const struct history_stats *h = &list[i];
        const unsigned numbers[] = {h->moves, h->planned, h->moves - h->planned};
        char ip[IP_TEXT_MAX];
        ip_format(&h->vip, ip);
        grid_add(&grid, ip);
        for (size_t k = 0; k < 3; k++) {
            buf_printf(&cell, "%u", numbers[k]);
            grid_take(&grid, &cell);
        }
        add_us(&grid, h->p50_us, &cell);
        add_us(&grid, h->p95_us, &cell);
        add_us(&grid, h->worst_us, &cell);
        add_us(&grid, h->total_us, &cell);
        if (h->held >= 0)
            buf_printf(&cell, "%.4f%%", 100 * h->held);
        grid_take(&grid, &cell);
    }
    grid_write(&grid, !style->no_heads, out);
    grid_done(&grid);
    buf_done(&cell);
}

static void put_ms(struct json_object *o, const char *name, int64_t us)
{
    json_object_object_add(o, name, us < 0 ? NULL : json_object_new_double((double)us / 1000));
}

void history_stats_json(const struct history_stats *list, size_t n, struct buf *out)
{
    struct json_object *root = json_object_new_object(), *array = json_object_new_array();
    json_put_text(root, "apiVersion", "talosvip/v1");
    json_put_text(root, "kind", "HistoryStats");
    json_put(root, "vips", array);
    for (size_t i = 0; array && i < n; i++) {
        struct json_object *o = json_object_new_object();
        char ip[IP_TEXT_MAX];
        ip_format(&list[i].vip, ip);
        json_object_array_add(array, o);
        json_put_text(o, "vip", ip);
        json_put_number(o, "moves", list[i].moves);
        json_put_number(o, "planned", list[i].planned);
        json_put_number(o, "measured", list[i].measured);
        put_ms(o, "outageP50Ms", list[i].p50_us);
        put_ms(o, "outageP95Ms", list[i].p95_us);
        put_ms(o, "outageWorstMs", list[i].worst_us);
        put_ms(o, "outageTotalMs", list[i].total_us);
        json_object_object_add(o, "held",
                               list[i].held < 0 ? NULL : json_object_new_double(list[i].held));
    }
    json_finish(root, out);
}
