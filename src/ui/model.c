/* SPDX-License-Identifier: MIT */
#include "model.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define MESSAGE_US UINT64_C(5000000)
#define STALE_US 5000000
#define BUCKET_US 5000000
#define LEADER_SLACK_US 10000000

struct model *model_new(unsigned width, unsigned height)
{
    struct model *model = calloc(1, sizeof(*model));
    if (!model)
        return NULL;
    model->interval_us = 1000000;
    model->has_color = true;
    model->recorded_bytes = -1;
    model->replay.speed = 1000;
    model->shown.age_us = -1;
    model->shown.etcd.age_us = model->shown.etcd.retry_us = -1;
    model->shown.etcd.term = model->shown.etcd.revision = -1;
    model->shown.etcd.leader_since_us = -1;
    model_resize(model, width, height);
    return model;
}

void model_free(struct model *model)
{
    if (!model)
        return;
    snapshot_done(&model->shown);
    snapshot_done(&model->latest);
    free(model);
}

void model_say(struct model *model, const char *fmt, ...)
{
    va_list args;
    va_start(args, fmt);
    vsnprintf(model->message, sizeof(model->message), fmt, args);
    va_end(args);
    model->message_until_us = model->now_us + MESSAGE_US;
}

void model_say_on(struct model *model, const char *text)
{
    snprintf(model->message, sizeof(model->message), "%s", text);
    model->message_until_us = UINT64_MAX;
}

int64_t model_ttl_us(const struct model *model)
{
    int64_t ttl = -1;
    for (unsigned i = 0; i < model->shown.n_vips; i++)
        if (model->shown.vips[i].granted_us > ttl)
            ttl = model->shown.vips[i].granted_us;
    return ttl;
}

bool model_is_stale(const struct model *model)
{
    int64_t limit = (int64_t)model->interval_us * 2;
    return model->has_snapshot && model->shown.age_us > (limit > STALE_US ? limit : STALE_US);
}

unsigned model_expired(const struct model *model, int64_t *ret_ttl_us)
{
    unsigned n = 0;
    *ret_ttl_us = -1;
    for (unsigned i = 0; i < model->shown.n_vips; i++) {
        const struct snapshot_vip *vip = &model->shown.vips[i];
        if (vip->state != SNAPSHOT_VIP_STALE)
            continue;
        n++;
        if (vip->granted_us > *ret_ttl_us)
            *ret_ttl_us = vip->granted_us;
    }
    return n;
}

bool model_is_expired(const struct model *model)
{
    int64_t ttl;
    return model_expired(model, &ttl) > 0;
}

bool model_is_node_expired(const struct model *model, const struct snapshot_node *node)
{
    return node->role != SNAPSHOT_ROLE_OBSERVER && model_is_expired(model) &&
           model->shown.age_us > node->granted_us;
}

unsigned model_banner_lines(const struct model *model)
{
    if (model_is_expired(model))
        return 2;
    const struct snapshot_alert *worst = snapshot_worst(&model->shown);
    return worst && worst->severity == SNAPSHOT_CRIT;
}

const struct event *model_event(const struct model *model, unsigned index)
{
    if (index >= model_event_count(model))
        return NULL;
    return &model->events[(model->n_events - 1 - index) % MODEL_EVENTS_MAX];
}

unsigned model_event_count(const struct model *model)
{
    return model->n_events < MODEL_EVENTS_MAX ? model->n_events : MODEL_EVENTS_MAX;
}

bool model_selected(const struct model *model, enum panel panel, unsigned *ret_index)
{
    const struct panel_state *p = &model->panels[panel];
    if (p->n == 0)
        return false;
    *ret_index = p->rows[p->at];
    return true;
}

const struct snapshot_vip *model_current_vip(const struct model *model)
{
    unsigned index;
    if (model_selected(model, PANEL_VIPS, &index))
        return &model->shown.vips[index];
    return model->shown.n_vips > 0 ? &model->shown.vips[0] : NULL;
}

const struct latency *model_latency(const struct model *model, const char *node)
{
    for (unsigned i = 0; i < model->n_latencies; i++)
        if (strcmp(model->latencies[i].node, node) == 0)
            return &model->latencies[i];
    return NULL;
}

/* Buckets wander to the left as time goes on. */
static void advance(struct latency *l, int64_t bucket)
{
    int64_t by = bucket - l->newest;
    if (by <= 0)
        return;
    if (by > MODEL_BUCKETS)
        by = MODEL_BUCKETS;
    memmove(l->us, l->us + by, sizeof(l->us[0]) * (size_t)(MODEL_BUCKETS - by));
    for (int64_t i = MODEL_BUCKETS - by; i < MODEL_BUCKETS; i++)
        l->us[i] = -1;
    l->newest = bucket;
}

/* A snapshot knows the last minute of each node; ten of them make the graph. */
static void learn_latencies(struct model *model, const struct snapshot *s)
{
    int64_t bucket = (int64_t)(s->wall_us / BUCKET_US);
    for (unsigned i = 0; i < s->n_nodes && i < SNAPSHOT_NODES_MAX; i++) {
        const struct snapshot_node *node = &s->nodes[i];
        struct latency *l = (struct latency *)model_latency(model, node->name);
        if (!l && model->n_latencies == SNAPSHOT_NODES_MAX)
            continue;
        if (!l) {
            l = &model->latencies[model->n_latencies++];
            snprintf(l->node, sizeof(l->node), "%s", node->name);
            l->newest = bucket;
            for (unsigned k = 0; k < MODEL_BUCKETS; k++)
                l->us[k] = -1;
        }
        advance(l, bucket);
        for (unsigned k = 0; k < SNAPSHOT_LATENCIES; k++)
            if (node->latencies_us[k] != -1)
                l->us[MODEL_BUCKETS - SNAPSHOT_LATENCIES + k] = node->latencies_us[k];
    }
}

/* A snapshot knows the newest change, and tells it again and again; the wall clock may be set
 * meanwhile. A recording may go on with what another program saw. */
static void learn_leader(struct model *model, const struct snapshot *s)
{
    uint64_t since_us = (uint64_t)s->etcd.leader_since_us;
    uint64_t *ring = model->leaders_us;
    if (s->etcd.leader_since_us < 0 || since_us > s->wall_us)
        return;
    uint64_t at_us = s->wall_us - since_us;
    bool is_known = model->n_leaders > 0 && s->etcd.leader_changes == model->leader_changes &&
                    at_us < ring[(model->n_leaders - 1) % MODEL_LEADERS_MAX] + LEADER_SLACK_US;
    model->leader_changes = s->etcd.leader_changes;
    if (!is_known)
        ring[model->n_leaders++ % MODEL_LEADERS_MAX] = at_us;
}

/* What changed while nobody answered is said once somebody does. */
static void say_what_changed(struct model *model, const struct snapshot *next)
{
    char away[64], ip[IP_TEXT_MAX], text[MODEL_TEXT_MAX] = "nothing moved";
    if (!model_is_stale(model) || next->age_us < 0 || next->age_us > STALE_US)
        return;
    for (unsigned i = 0; i < next->n_vips; i++) {
        const struct snapshot_vip *now = &next->vips[i];
        const struct snapshot_vip *old = snapshot_find_vip(&model->shown, &now->ip);
        if (!old || (old->epoch == now->epoch && strcmp(old->holder, now->holder) == 0))
            continue;
        ip_format(&now->ip, ip);
        if (strcmp(old->holder, now->holder) == 0)
            snprintf(text, sizeof(text), "%s moved and is back on %s", ip, now->holder);
        else
            snprintf(text, sizeof(text), "%s moved %s -> %s", ip, old->holder, now->holder);
        break;
    }
    snprintf(away, sizeof(away), "%llds", (long long)(model->shown.age_us / 1000000));
    model_say(model, "back after %s: %.200s", away, text);
}

static void learn_events(struct model *model, const struct snapshot *s)
{
    const struct snapshot *before = model->has_latest ? &model->latest : &model->shown;
    if (!model->has_snapshot || s->wall_us <= before->wall_us)
        return;
    size_t n = events_between(before, s, model->found);
    for (size_t i = 0; i < n; i++)
        model->events[model->n_events++ % MODEL_EVENTS_MAX] = model->found[i];
}

void model_snapshot(struct model *model, uint64_t now_us, struct snapshot *snapshot)
{
    model->now_us = now_us;
    learn_latencies(model, snapshot);
    learn_leader(model, snapshot);
    learn_events(model, snapshot);
    if (model->paused_us) {
        snapshot_done(&model->latest);
        model->latest = *snapshot;
        model->has_latest = true;
    } else {
        if (!model->replay.is_on)
            say_what_changed(model, snapshot);
        snapshot_done(&model->shown);
        model->shown = *snapshot;
        model->has_snapshot = true;
    }
    memset(snapshot, 0, sizeof(*snapshot));
    model_refresh(model);
}

void model_forget(struct model *model)
{
    model->n_latencies = 0;
    model->n_leaders = 0;
    model->n_events = 0;
    snapshot_done(&model->latest);
    model->has_latest = false;
    model->paused_us = 0;
}

void model_resize(struct model *model, unsigned width, unsigned height)
{
    model->width = width;
    model->height = height;
    model_refresh(model);
}

void model_tick(struct model *model, uint64_t now_us)
{
    model->now_us = now_us;
    if (model->message_until_us <= now_us)
        model->message[0] = '\0';
}

struct sorting {
    const struct model *model;
    enum panel panel;
};

static int compare_rows(const void *a, const void *b, void *arg)
{
    const struct sorting *sorting = arg;
    const struct panel_state *p = &sorting->model->panels[sorting->panel];
    int r = rows_compare(sorting->model, sorting->panel, p->sort, *(const uint16_t *)a,
                         *(const uint16_t *)b);
    return p->is_reversed ? -r : r;
}

static void find(const struct model *model, enum panel panel, struct panel_state *p)
{
    struct buf text;
    buf_init(&text, 0);
    p->found = p->found_at = 0;
    for (unsigned i = 0; i < p->n && p->search[0]; i++) {
        buf_clear(&text);
        rows_text(model, panel, p->rows[i], &text);
        if (!strcasestr(buf_str(&text), p->search))
            continue;
        p->found++;
        if (i == p->at)
            p->found_at = p->found;
    }
    buf_done(&text);
}

/* The rows of one panel: filtered, sorted, and the cursor on the same one as before. */
static void refresh_panel(struct model *model, enum panel panel)
{
    struct panel_state *p = &model->panels[panel];
    struct sorting sorting = {model, panel};
    struct buf text;
    unsigned n = rows_count(model, panel);
    buf_init(&text, 0);
    p->n = 0;
    for (unsigned i = 0; i < n; i++) {
        if (p->filter[0]) {
            buf_clear(&text);
            rows_text(model, panel, i, &text);
            if (!rows_match(buf_str(&text), p->filter))
                continue;
        }
        p->rows[p->n++] = (uint16_t)i;
    }
    buf_done(&text);
    qsort_r(p->rows, p->n, sizeof(p->rows[0]), compare_rows, &sorting);
    if (p->at >= p->n)
        p->at = p->n > 0 ? p->n - 1 : 0;
    for (unsigned i = 0; i < p->n && p->selected[0]; i++) {
        char key[ROWS_KEY_MAX];
        rows_key(model, panel, p->rows[i], key);
        if (strcmp(key, p->selected) == 0) {
            p->at = i;
            break;
        }
    }
    find(model, panel, p);
}

static void plan(struct model *model)
{
    struct layout_wants wants = {.width = model->width,
                                 .height = model->height,
                                 .banner = model_banner_lines(model),
                                 .focus = model->focus,
                                 .is_zoomed = model->is_zoomed,
                                 .has_events = model->has_events,
                                 .vips = model->shown.n_vips};
    for (unsigned i = 0; i < PANEL_COUNT; i++)
        wants.rows[i] = model->panels[i].n;
    const struct snapshot *s = &model->shown;
    enum layout_kind kind = layout_kind(model->width, model->height);
    bool is_beside = kind == LAYOUT_WIDE && !model->is_zoomed;
    if (is_beside)
        wants.rows[PANEL_ALERTS] *= wants.rows[PANEL_ALERTS] == 1 ? 6 : 4; /* its text, wrapped */
    for (unsigned i = 0; i < s->n_alerts; i++)
        if (s->alerts[i].cleared_us >= 0)
            wants.cleared += is_beside ? 2 : 1;
    layout_plan(&wants, &model->layout);
}

/* Rows of a panel on the screen, without its title and the names of its columns. */
static unsigned lines_of(const struct model *model, enum panel panel)
{
    unsigned height = model->layout.panels[panel].height;
    unsigned head = panel == PANEL_ALERTS || panel == PANEL_EVENTS ? 1 : 2;
    if (model->layout.kind == LAYOUT_COMPACT && panel == PANEL_VIPS)
        head = 1;
    return height > head ? height - head : 0;
}

static void scroll(struct model *model, enum panel panel)
{
    struct panel_state *p = &model->panels[panel];
    unsigned lines = lines_of(model, panel);
    if (panel == PANEL_ALERTS && model->layout.kind == LAYOUT_WIDE && !model->is_zoomed)
        lines = 1; /* of very different heights: the selected one stands on top */
    if (p->n <= lines || lines == 0) {
        p->top = 0;
        return;
    }
    unsigned seen = lines > 1 ? lines - 1 : 1; /* the last line counts the others */
    if (p->at < p->top)
        p->top = p->at;
    if (p->at >= p->top + seen)
        p->top = p->at - seen + 1;
    if (p->top > p->n - seen)
        p->top = p->n - seen;
}

void model_refresh(struct model *model)
{
    for (unsigned i = 0; i < PANEL_COUNT; i++)
        refresh_panel(model, (enum panel)i);
    plan(model);
    for (unsigned i = 0; i < PANEL_COUNT; i++)
        scroll(model, (enum panel)i);
}

void model_move(struct model *model, enum panel panel, int by)
{
    struct panel_state *p = &model->panels[panel];
    if (p->n == 0)
        return;
    int64_t at = (int64_t)p->at + by;
    p->at = at < 0 ? 0 : at >= p->n ? p->n - 1 : (unsigned)at;
    rows_key(model, panel, p->rows[p->at], p->selected);
    model_refresh(model);
}

void model_click(struct model *model, unsigned row, unsigned col)
{
    for (unsigned i = 0; i < PANEL_COUNT && model->overlay == OVERLAY_NONE; i++) {
        const struct rect *r = &model->layout.panels[i];
        unsigned head = r->height - lines_of(model, (enum panel)i);
        struct panel_state *p = &model->panels[i];
        if (row < r->row || row >= r->row + r->height || col < r->col || col >= r->col + r->width)
            continue;
        model->focus = (enum panel)i;
        if (row >= r->row + head && p->top + row - r->row - head < p->n)
            model_move(model, (enum panel)i, (int)(p->top + row - r->row - head) - (int)p->at);
        model_refresh(model);
        return;
    }
}
