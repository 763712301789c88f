/* SPDX-License-Identifier: MIT */
#include "core/queue.h"

#include <string.h>

static int find(const struct queue *q, int64_t lease)
{
    for (unsigned i = 0; i < q->n; i++)
        if (q->at[i].lease == lease)
            return (int)i;
    return -1;
}

static void remove_at(struct queue *q, unsigned i)
{
    q->n--;
    memmove(&q->at[i], &q->at[i + 1], (q->n - i) * sizeof(q->at[0]));
}

unsigned queue_keep(struct candidate list[QUEUE_MAX], unsigned n, const struct candidate *c,
                    int64_t own)
{
    unsigned last = QUEUE_MAX;
    for (unsigned i = 0; i < n; i++) {
        if (list[i].lease == c->lease)
            return n;
        if (list[i].lease != own &&
            (last == QUEUE_MAX || list[i].create_revision > list[last].create_revision))
            last = i;
    }
    if (n < QUEUE_MAX)
        list[n++] = *c;
    else if (c->lease == own || c->create_revision < list[last].create_revision)
        list[last] = *c;
    return n;
}

static void insert(struct queue *q, const struct candidate *c)
{
    unsigned i = q->n;
    while (i > 0 && q->at[i - 1].create_revision > c->create_revision)
        i--;
    bool is_full = q->n == QUEUE_MAX;
    q->is_partial |= is_full;
    if (q->is_partial && i == q->n)
        return; /* others that we do not know may stand before it */
    if (is_full)
        q->n--; /* the tail makes room */
    memmove(&q->at[i + 1], &q->at[i], (q->n - i) * sizeof(q->at[0]));
    q->at[i] = *c;
    q->n++;
}

bool queue_list(struct queue *q, int64_t revision, const struct candidate *list, unsigned n,
                unsigned total)
{
    if (revision < q->revision)
        return false;
    q->n = 0;
    q->is_partial = false;
    for (unsigned i = 0; i < n; i++)
        insert(q, &list[i]);
    q->is_partial |= total > n;
    q->revision = q->listed = revision;
    return true;
}

bool queue_put(struct queue *q, int64_t revision, const struct candidate *c)
{
    if (revision <= q->listed)
        return false;
    int i = find(q, c->lease);
    if (i >= 0 && q->at[i].create_revision == c->create_revision) {
        q->at[i] = *c; /* written once more */
    } else {
        queue_forget(q, c->lease);
        insert(q, c);
    }
    q->revision = revision;
    return true;
}

void queue_forget(struct queue *q, int64_t lease)
{
    int i = find(q, lease);
    if (i >= 0)
        remove_at(q, (unsigned)i);
}

bool queue_delete(struct queue *q, int64_t revision, int64_t lease)
{
    if (revision <= q->listed)
        return false;
    queue_forget(q, lease);
    q->revision = revision;
    return true;
}

const struct candidate *queue_leader(const struct queue *q)
{
    return q->n ? &q->at[0] : NULL;
}

const struct candidate *queue_find(const struct queue *q, int64_t lease)
{
    int i = find(q, lease);
    return i < 0 ? NULL : &q->at[i];
}

const struct candidate *queue_before(const struct queue *q, int64_t lease)
{
    int i = find(q, lease);
    return i <= 0 ? NULL : &q->at[i - 1];
}
