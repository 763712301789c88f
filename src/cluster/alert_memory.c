/* SPDX-License-Identifier: MIT */
#include "alert_memory.h"

#include "cluster/alert.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

static bool is_same(const struct snapshot_alert *a, const struct snapshot_alert *b)
{
    return strcmp(a->id, b->id) == 0 && ip_equal(&a->vip, &b->vip) && strcmp(a->node, b->node) == 0;
}

static struct alert_memory_entry *standing(struct alert_memory *m, const struct snapshot_alert *a)
{
    for (unsigned i = 0; i < m->n; i++)
        if (!m->list[i].cleared_us && is_same(&m->list[i].alert, a))
            return &m->list[i];
    return NULL;
}

/* The one that was cleared first makes room. */
static struct alert_memory_entry *new_entry(struct alert_memory *m)
{
    struct alert_memory_entry *oldest = NULL;
    if (m->n < ALERT_MEMORY_MAX)
        return &m->list[m->n++];
    for (unsigned i = 0; i < m->n; i++)
        if (m->list[i].cleared_us && (!oldest || m->list[i].cleared_us < oldest->cleared_us))
            oldest = &m->list[i];
    return oldest;
}

static void remember(struct alert_memory *m, struct snapshot_alert *a, uint64_t now_us)
{
    struct alert_memory_entry *e = standing(m, a);
    if (!e && (e = new_entry(m))) {
        uint64_t since = a->since_us > 0 ? (uint64_t)a->since_us : 0;
        e->raised_us = now_us > since ? now_us - since : 0;
        e->cleared_us = 0;
    }
    if (!e)
        return;
    a->since_us = (int64_t)(now_us - e->raised_us);
    e->alert = *a;
}

static bool is_found(const struct snapshot *s, const struct snapshot_alert *a)
{
    for (unsigned i = 0; i < s->n_alerts; i++)
        if (is_same(&s->alerts[i], a))
            return true;
    return false;
}

/* What stands no longer is cleared; what was cleared long ago is forgotten. While etcd is silent
 * most is not looked for, and so cannot be known to be over. */
static void clear(struct alert_memory *m, const struct snapshot *s, uint64_t now_us)
{
    bool is_known = s->age_us >= 0 && s->age_us <= ALERT_STALE_US;
    for (unsigned i = 0; i < m->n;) {
        struct alert_memory_entry *e = &m->list[i];
        if (!e->cleared_us && is_known && !is_found(s, &e->alert))
            e->cleared_us = now_us;
        if (e->cleared_us && now_us > e->cleared_us + ALERT_CLEARED_KEPT_US)
            *e = m->list[--m->n];
        else
            i++;
    }
}

static int compare(const void *a, const void *b)
{
    const struct snapshot_alert *x = a, *y = b;
    if ((x->cleared_us < 0) != (y->cleared_us < 0))
        return x->cleared_us < 0 ? -1 : 1;
    if (x->cleared_us >= 0 && x->cleared_us != y->cleared_us)
        return x->cleared_us < y->cleared_us ? -1 : 1;
    if (x->severity != y->severity)
        return x->severity > y->severity ? -1 : 1;
    if (x->since_us != y->since_us)
        return x->since_us < y->since_us ? -1 : 1;
    int r = strcmp(x->id, y->id);
    return r ? r : strcmp(x->text, y->text);
}

int alert_memory_apply(struct alert_memory *memory, struct snapshot *s, uint64_t now_us)
{
    if (!memory->list)
        memory->list = calloc(ALERT_MEMORY_MAX, sizeof(*memory->list));
    int r = memory->list ? alerts_find(s) : -ENOMEM;
    if (r < 0)
        return r;
    for (unsigned i = 0; i < s->n_alerts; i++)
        remember(memory, &s->alerts[i], now_us);
    clear(memory, s, now_us);
    for (unsigned i = 0; i < memory->n && s->n_alerts < SNAPSHOT_ALERTS_MAX; i++) {
        const struct alert_memory_entry *e = &memory->list[i];
        if (!e->cleared_us)
            continue;
        struct snapshot_alert *a = &s->alerts[s->n_alerts++];
        *a = e->alert;
        a->since_us = (int64_t)(now_us - e->raised_us);
        a->cleared_us = (int64_t)(now_us - e->cleared_us);
    }
    qsort(s->alerts, s->n_alerts, sizeof(*s->alerts), compare);
    return 0;
}

void alert_memory_done(struct alert_memory *memory)
{
    free(memory->list);
    *memory = (struct alert_memory){.n = 0};
}
