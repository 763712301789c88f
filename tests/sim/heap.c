/* SPDX-License-Identifier: MIT */
/* Virtual time: the event heap, randomness, the trace. */
#include "world.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

static bool is_before(const struct sim_event *a, const struct sim_event *b)
{
    return a->at != b->at ? a->at < b->at : a->seq < b->seq;
}

void world_post(struct world *w, const struct sim_event *ev)
{
    unsigned i = w->heap_n++;
    if (i >= HEAP_MAX)
        abort();
    struct sim_event e = *ev;
    e.seq = w->seq++;
    if (e.at < w->now)
        e.at = w->now;
    for (; i > 0 && is_before(&e, &w->heap[(i - 1) / 2]); i = (i - 1) / 2)
        w->heap[i] = w->heap[(i - 1) / 2];
    w->heap[i] = e;
}

void world_at(struct world *w, uint64_t at, enum sim_event_type type, unsigned node, uint64_t arg)
{
    world_post(w, &(struct sim_event){.at = at, .type = type, .node = node, .arg = arg});
}

bool world_next(struct world *w, struct sim_event *ret_event)
{
    if (w->heap_n == 0)
        return false;
    *ret_event = w->heap[0];
    struct sim_event last = w->heap[--w->heap_n];
    unsigned i = 0;
    for (;;) {
        unsigned child = 2 * i + 1;
        if (child >= w->heap_n)
            break;
        if (child + 1 < w->heap_n && is_before(&w->heap[child + 1], &w->heap[child]))
            child++;
        if (!is_before(&w->heap[child], &last))
            break;
        w->heap[i] = w->heap[child];
        i = child;
    }
    w->heap[i] = last;
    return true;
}

unsigned pool_take(struct world *w, const struct sim_message *m)
{
    for (unsigned k = 0; k < POOL_MAX; k++) {
        unsigned i = (w->pool_hint + k) % POOL_MAX;
        if (w->pool_used[i])
            continue;
        w->pool_used[i] = true;
        w->pool[i] = *m;
        w->pool_hint = i + 1;
        return i;
    }
    abort();
}

uint64_t world_random(struct world *w)
{
    uint64_t z = (w->random += 0x9e3779b97f4a7c15u); /* splitmix64, S. Vigna */
    z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9u;
    z = (z ^ (z >> 27)) * 0x94d049bb133111ebu;
    return z ^ (z >> 31);
}

uint64_t world_between(struct world *w, uint64_t low, uint64_t high)
{
    return low + world_random(w) % (high - low + 1);
}

bool world_chance(struct world *w, unsigned percent)
{
    return world_random(w) % 100 < percent;
}

void world_trace(struct world *w, const char *fmt, ...)
{
    char *line = w->trace[w->traced++ % TRACE_MAX];
    int n = snprintf(line, sizeof(w->trace[0]), "%4u.%06u ", (unsigned)(w->now / SECOND_US),
                     (unsigned)(w->now % SECOND_US));
    va_list ap;
    va_start(ap, fmt);
    vsnprintf(line + n, sizeof(w->trace[0]) - (size_t)n, fmt, ap);
    va_end(ap);
    if (w->is_verbose)
        puts(line);
}

uint64_t node_local(const struct world *w, const struct sim_node *n)
{
    return n->clock_offset + (uint64_t)((int64_t)w->now + (int64_t)w->now * n->drift_ppm / 1000000);
}

uint64_t node_global(const struct sim_node *n, uint64_t local)
{
    if (local <= n->clock_offset)
        return 0;
    /* Rounded up, so that the node's clock has certainly reached `local` by then. */
    return (uint64_t)((double)(local - n->clock_offset) * 1e6 / (1e6 + n->drift_ppm)) + 2;
}
