/* SPDX-License-Identifier: MIT */
/* A node's peer lease: its voters by its list in etcd, the rest by its own record. */
#include "state.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

static int compare(const void *a, const void *b)
{
    const struct snapshot_peer *x = a, *y = b;
    return strcmp(x->node, y->node);
}

static int64_t number(int64_t n)
{
    return n < 0 ? -1 : n;
}

static int copy_list(const struct record_peers *r, int64_t age_us, struct snapshot_peers *to)
{
    if (r->n == 0)
        return 0;
    to->list = calloc(r->n, sizeof(*to->list));
    if (!to->list)
        return -ENOMEM;
    for (unsigned i = 0; i < r->n; i++) {
        const struct record_peer *p = &r->list[i];
        struct snapshot_peer *out = &to->list[to->n++];
        memcpy(out->node, p->node, sizeof(out->node));
        out->is_voter = p->is_voter;
        out->is_in_time =
            to->voters > 0 && p->acked_ago_ms >= 0 && p->acked_ago_ms <= to->window_us / 1000;
        out->acked_us = build_aged(p->acked_ago_ms, age_us);
        out->heard_us = build_aged(p->heard_ago_ms, age_us);
    }
    qsort(to->list, to->n, sizeof(*to->list), compare);
    return 0;
}

/* A record without voters was written before there were any, and tells nothing of them. */
static void count(struct snapshot_peers *to)
{
    int64_t voters = 1, in_time = 1; /* the node itself */
    for (unsigned i = 0; i < to->n; i++) {
        voters += to->list[i].is_voter;
        in_time += to->list[i].is_voter && to->list[i].is_in_time;
    }
    if (voters > 1)
        to->acknowledged = in_time < to->voters ? in_time : to->voters;
}

int build_peers(const struct known_node *from, int64_t age_us, struct snapshot_peers *to)
{
    const struct record_peers *r = &from->record.peers;
    if (from->voters > 0) {
        to->voters = from->voters;
        to->majority = from->voters / 2 + 1;
        to->window_us = from->window_us;
    }
    if (!r->is_known)
        return 0;
    to->is_ready = r->is_ready;
    to->is_mute = r->is_mute;
    memcpy(to->reason, r->reason, sizeof(to->reason));
    to->suspicions = number(r->suspicions);
    to->grants = number(r->grants);
    to->endings = number(r->endings);
    to->mutes = number(r->mutes);
    int e = copy_list(r, age_us, to);
    if (e == 0 && to->voters > 0)
        count(to);
    return e;
}
