/* SPDX-License-Identifier: MIT */
/* What only a large screen has: ten minutes of renewals, and who owned what for a day. */
#include "view.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/text.h"
#include "words.h"

#define DAY_US (UINT64_C(86400) * 1000000)
#define GRAPH_LEFT 8 /* cells of the scale's labels */
#define GRAPH_US (UINT64_C(600) * 1000000)
#define AXIS_CELLS_MAX 512

/* The node whose renewals matter now: the one selected, or who holds the selected VIP. */
static const char *graph_node(const struct view *v)
{
    const struct snapshot_vip *vip = model_current_vip(v->m);
    unsigned index;
    if (v->m->focus == PANEL_NODES && model_selected(v->m, PANEL_NODES, &index))
        return v->m->shown.nodes[index].name;
    return vip ? vip->holder : "";
}

static int compare_us(const void *a, const void *b)
{
    int32_t x = *(const int32_t *)a, y = *(const int32_t *)b;
    return x < y ? -1 : x > y;
}

/* Of what was answered; the maximum, or -1 when nothing was. */
static int32_t percentiles(const struct latency *l, int32_t out[3])
{
    static const unsigned percents[] = {50, 95, 99};
    int32_t sorted[MODEL_BUCKETS];
    unsigned n = 0;
    for (unsigned i = 0; l && i < MODEL_BUCKETS; i++)
        if (l->us[i] >= 0)
            sorted[n++] = l->us[i];
    if (n == 0)
        return -1;
    qsort(sorted, n, sizeof(sorted[0]), compare_us);
    for (unsigned i = 0; i < 3; i++)
        out[i] = sorted[(n - 1) * percents[i] / 100];
    return sorted[n - 1];
}

static void graph_title(struct view *v, const char *node, const int32_t p[3], int32_t max)
{
    char left[128], right[200], words[4][WORD_MAX], limit[WORD_MAX + 24] = "";
    int64_t ttl = model_ttl_us(v->m);
    snprintf(left, sizeof(left), "Renewal latency  %s  10 min", *node ? node : "-");
    for (unsigned i = 0; i < 3; i++)
        words_latency(p[i], words[i]);
    words_latency(max, words[3]);
    if (ttl > 0) {
        char word[WORD_MAX];
        words_latency(ttl / 3, word);
        snprintf(limit, sizeof(limit), "  limit %s (ttl/3)", word);
    }
    snprintf(right, sizeof(right), "p50 %.16s  p95 %.16s  p99 %.16s  max %.16s%s", words[0],
             words[1], words[2], words[3], limit);
    view_title(v, &v->m->layout.graph, PANEL_COUNT, left,
               max >= 0 ? right : "nobody has told its latency");
}

static void graph_cells(struct view *v, const struct latency *l, int64_t step, unsigned rows)
{
    const struct rect *r = &v->m->layout.graph;
    unsigned cells = r->width - GRAPH_LEFT;
    for (unsigned i = 0; i < cells; i++) {
        int32_t us = l->us[i * MODEL_BUCKETS / cells];
        if (us == -2)
            canvas_text(v->canvas, r->row + rows, r->col + GRAPH_LEFT + i, r->width, STYLE_CRIT,
                        v->g->fail);
        for (unsigned row = 0; us >= 0 && row < rows; row++) {
            int64_t above = us - (int64_t)row * step;
            if (row > 0 && above <= 0)
                break;
            unsigned level = above >= step ? 7 : (unsigned)(above * 8 / step);
            canvas_text(v->canvas, r->row + rows - row, r->col + GRAPH_LEFT + i, r->width,
                        STYLE_PLAIN, v->g->spark[level]);
        }
    }
}

/* The line below the graph: what stands there already is not written over. */
struct axis {
    unsigned row, left, cells;
    bool is_used[AXIS_CELLS_MAX];
    unsigned n_marks;
    unsigned marks[AXIS_CELLS_MAX];
};

/* True when there was room for it, and for a free cell on either side. */
static bool axis_put(struct view *v, struct axis *x, int at, enum style style, const char *text)
{
    int len = (int)text_width(text), end = (int)x->cells;
    if (at < 0 || at + len > end)
        return false;
    for (int i = at > 0 ? at - 1 : 0; i <= at + len && i < end; i++)
        if (x->is_used[i])
            return false;
    memset(x->is_used + at, true, (size_t)len);
    canvas_text(v->canvas, x->row, x->left + (unsigned)at, x->left + x->cells, style, text);
    return true;
}

/* Two that are as close as this are one change, seen twice. */
static void axis_mark(struct view *v, struct axis *x, uint64_t wall_us)
{
    uint64_t now = v->m->shown.wall_us;
    if (wall_us > now || now - wall_us >= GRAPH_US)
        return;
    unsigned at = x->cells - 1 - (unsigned)((now - wall_us) * x->cells / GRAPH_US);
    if (axis_put(v, x, (int)at, STYLE_PLAIN, v->g->mark))
        x->marks[x->n_marks++] = at;
}

static void axis_marks(struct view *v, struct axis *x)
{
    const struct snapshot *s = &v->m->shown;
    for (unsigned i = 0; i < v->m->n_leaders && i < MODEL_LEADERS_MAX; i++)
        axis_mark(v, x, v->m->leaders_us[(v->m->n_leaders - 1 - i) % MODEL_LEADERS_MAX]);
    for (unsigned i = 0; i < s->n_history; i++)
        if (snapshot_move_stays(&s->history[i]))
            axis_mark(v, x, s->history[i].wall_us);
}

static void draw_axis(struct view *v, unsigned row)
{
    static const char words[] = "etcd leader change";
    const struct rect *r = &v->m->layout.graph;
    struct axis x = {.row = row, .left = r->col + GRAPH_LEFT, .cells = r->width - GRAPH_LEFT};
    x.cells = x.cells < AXIS_CELLS_MAX ? x.cells : AXIS_CELLS_MAX;
    axis_marks(v, &x);
    axis_put(v, &x, 0, STYLE_DIM, "-10m");
    axis_put(v, &x, (int)x.cells / 2 - 4, STYLE_DIM, "-5m");
    axis_put(v, &x, (int)x.cells - 3, STYLE_DIM, "now");
    for (unsigned i = 0; i < x.n_marks; i++)
        if (!axis_put(v, &x, (int)x.marks[i] + 2, STYLE_DIM, words))
            axis_put(v, &x, (int)x.marks[i] - (int)sizeof(words), STYLE_DIM, words);
}

void view_graph(struct view *v)
{
    const struct rect *r = &v->m->layout.graph;
    const char *node = graph_node(v);
    const struct latency *l = model_latency(v->m, node);
    int32_t p[3] = {-1, -1, -1}, max = percentiles(l, p);
    unsigned rows = r->height - 2;
    graph_title(v, node, p, max);
    int64_t step = (max / (int64_t)rows / 1000 + 1) * 1000;
    for (unsigned row = 0; row < rows; row++) {
        char word[WORD_MAX];
        words_latency(step * (rows - row), word);
        if (max >= 0)
            canvas_right(v->canvas, r->row + 1 + row, r->col, r->col + 6, STYLE_DIM, word);
        canvas_text(v->canvas, r->row + 1 + row, r->col + 7, r->width, STYLE_DIM, v->g->axis);
    }
    if (l)
        graph_cells(v, l, step, rows);
    draw_axis(v, r->row + rows + 1);
}

struct span {
    unsigned row, left, cells; /* of the line */
    uint64_t from_us, to_us;
};

static unsigned span_cell(const struct span *span, uint64_t wall_us)
{
    if (wall_us <= span->from_us)
        return span->left;
    uint64_t part = (wall_us - span->from_us) * span->cells / (span->to_us - span->from_us);
    return span->left + (part >= span->cells ? span->cells - 1 : (unsigned)part);
}

/* Where a label of that moment begins, to the nearest cell. */
static unsigned label_cell(const struct span *span, uint64_t wall_us)
{
    uint64_t length = span->to_us - span->from_us;
    uint64_t since = wall_us > span->from_us ? wall_us - span->from_us : 0;
    return span->left + (unsigned)((since * span->cells + length / 2) / length);
}

/* From one move to the next: its owner's name where there is room, then a line. */
static void draw_owner(struct view *v, const struct span *span, unsigned from, unsigned to,
                       const char *name)
{
    if (*name == '\0')
        return;
    canvas_fill(v->canvas, span->row, from, to, STYLE_GOOD, v->g->held);
    if (to > from && text_width(name) + 2 <= to - from)
        canvas_printf(v->canvas, span->row, from, to, STYLE_PLAIN, "%s ", name);
}

static void draw_day(struct view *v, const struct snapshot_vip *vip, const struct span *span)
{
    const struct snapshot *s = &v->m->shown;
    unsigned end = span->left + span->cells;
    const char *owner = vip->holder;
    for (unsigned i = 0; i < s->n_history; i++) { /* newest first */
        const struct snapshot_move *move = &s->history[i];
        if (snapshot_move_stays(move) || !ip_equal(&move->vip, &vip->ip))
            continue;
        if (move->wall_us < span->from_us)
            break;
        unsigned at = span_cell(span, move->wall_us);
        if (at + 1 < end)
            draw_owner(v, span, at + 1, end, owner);
        canvas_text(v->canvas, span->row, at, at + 1, move->is_planned ? STYLE_PLAIN : STYLE_CRIT,
                    move->is_planned ? v->g->planned : v->g->unplanned);
        end = at;
        owner = move->from;
    }
    if (end > span->left)
        draw_owner(v, span, span->left, end, owner);
    canvas_text(v->canvas, span->row, span->left + span->cells, v->m->layout.timeline.width,
                STYLE_PLAIN, v->g->now);
}

void view_timeline(struct view *v)
{
    const struct rect *r = &v->m->layout.timeline;
    const struct snapshot *s = &v->m->shown;
    struct span span = {.left = r->col + 19, .cells = r->width - 32, .to_us = s->wall_us};
    const uint64_t hour = UINT64_C(3600) * 1000000;
    if (s->wall_us < DAY_US)
        return;
    span.from_us = s->wall_us - DAY_US;
    canvas_text(v->canvas, r->row, r->col + 2, r->width, STYLE_HEAD, "24h");
    for (uint64_t t = span.from_us / hour * hour; t < span.to_us - 2 * hour; t += 4 * hour) {
        char time[WORD_MAX];
        words_time(t, time);
        canvas_printf(v->canvas, r->row, label_cell(&span, t), r->width, STYLE_DIM, "%.5s", time);
    }
    canvas_text(v->canvas, r->row, span.left + span.cells, r->width, STYLE_DIM, "now");
    const struct panel_state *p = &v->m->panels[PANEL_VIPS];
    for (unsigned i = 0; i + 2 < r->height && p->top + i < p->n; i++) {
        const struct snapshot_vip *vip = &s->vips[p->rows[p->top + i]];
        char ip[WORD_MAX];
        span.row = r->row + 1 + i;
        words_ip(&vip->ip, 16, v->g->more, ip);
        canvas_text(v->canvas, span.row, r->col + 2, span.left - 1, STYLE_PLAIN, ip);
        draw_day(v, vip, &span);
    }
    canvas_printf(v->canvas, r->row + r->height - 1, span.left, r->width, STYLE_DIM,
                  "%s unplanned   %s planned   %s now", v->g->unplanned, v->g->planned, v->g->now);
}
