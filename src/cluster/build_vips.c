/* SPDX-License-Identifier: MIT */
#include "state.h"

#include "base/clock.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define GONE_GRACE_US UINT64_C(5000000) /* between two owners, not without one */
#define CLOCK_AHEAD_US UINT64_C(5000000)
#define DAY_US UINT64_C(86400000000)

/* IPv4 first, then by bytes. */
static int compare_ips(const struct ip *a, const struct ip *b)
{
    return a->family != b->family ? a->family - b->family
                                  : memcmp(a->bytes, b->bytes, sizeof(a->bytes));
}

static int compare_candidates(const void *a, const void *b)
{
    const struct candidate *x = a, *y = b;
    int r = compare_ips(&x->ip, &y->ip);
    return r ? r
             : (x->create_revision > y->create_revision) -
                   (x->create_revision < y->create_revision);
}

static int compare_vips(const void *a, const void *b)
{
    const struct snapshot_vip *x = a, *y = b;
    return compare_ips(&x->ip, &y->ip);
}

static int compare_moves(const void *a, const void *b)
{
    const struct snapshot_move *x = a, *y = b;
    if (x->wall_us != y->wall_us)
        return x->wall_us < y->wall_us ? 1 : -1;
    return (x->epoch < y->epoch) - (x->epoch > y->epoch);
}

static void copy_move(const struct known_move *from, struct snapshot_move *to)
{
    const struct record_move *r = &from->record;
    *to = (struct snapshot_move){.vip = from->ip,
                                 .epoch = from->epoch,
                                 .term = from->term,
                                 .wall_us = r->gone_wall_us,
                                 .is_planned = r->is_planned,
                                 .detect_us = -1,
                                 .won_us = r->won_us,
                                 .probed_us = r->probed_us,
                                 .set_us = r->set_us,
                                 .announced_us = r->announced_us,
                                 .outage_us = -1,
                                 .error_us = -1,
                                 .n_observers = r->observers};
    if (r->set_us > 0)
        to->wall_us += (uint64_t)r->set_us;
    if (r->last_sign_us >= 0 && r->won_us >= 0)
        to->detect_us = r->last_sign_us + r->won_us;
    memcpy(to->from, r->from, sizeof(to->from));
    memcpy(to->to, r->to, sizeof(to->to));
    memcpy(to->cause, r->cause, sizeof(to->cause));
    memcpy(to->detail, r->detail, sizeof(to->detail));
    memcpy(to->note, r->note, sizeof(to->note));
    for (unsigned i = 0; i < r->n_seen && i < RECORD_SEEN_MAX; i++) {
        const struct record_seen *seen = &r->seen[i];
        /* The longest one; where several say the same, the one that knows it best. */
        if (seen->outage_us > to->outage_us ||
            (seen->outage_us >= 0 && seen->outage_us == to->outage_us &&
             seen->error_us < to->error_us)) {
            to->outage_us = seen->outage_us;
            to->error_us = seen->error_us;
        }
        if (seen->seen_ms < 0)
            continue;
        memcpy(to->seen[to->n_seen], seen->node, sizeof(seen->node));
        to->seen_us[to->n_seen++] = seen->seen_ms * 1000;
    }
    if (to->n_seen > to->n_observers) /* one that was not there yet when it moved */
        to->n_observers = to->n_seen;
}

/* A record of a clock that is ahead of ours does not say how old it is. */
static bool is_young(const struct snapshot_move *move, uint64_t wall_us, uint64_t limit_us)
{
    return move->wall_us < wall_us + CLOCK_AHEAD_US && wall_us < move->wall_us + limit_us;
}

/* Nobody has measured it. Between the old key's end and the address in place there was a gap, and
 * before it at least since the last sign; while the new owner has not set it, it goes on. */
static void estimate(struct snapshot_move *move, uint64_t wall_us, bool is_newest)
{
    if (move->outage_us >= 0 || !move->from[0] || snapshot_move_stays(move))
        return;
    if (move->set_us < 0) {
        move->is_outage_open = is_newest && is_young(move, wall_us, 60000000);
        return;
    }
    if (move->n_observers > 0 && move->n_seen == 0 && is_young(move, wall_us, 5000000))
        move->is_outage_open = is_newest;
    else if (!move->is_planned && move->detect_us >= 0) {
        move->is_outage_estimated = true;
        move->outage_us = move->detect_us - move->won_us + move->set_us;
    }
}

/* Of each VIP whose older moves were not read, all are there since the oldest one that was. */
static uint64_t known_from(const struct cluster *c, const struct snapshot *s)
{
    uint64_t from = 0;
    for (unsigned v = 0; v < c->n_vips; v++) {
        uint64_t oldest = s->wall_us;
        if (!c->vips[v].is_past_cut)
            continue;
        for (unsigned i = 0; i < s->n_history; i++)
            if (s->history[i].wall_us < oldest && ip_equal(&s->history[i].vip, &c->vips[v].ip))
                oldest = s->history[i].wall_us;
        from = oldest > from ? oldest : from;
    }
    return from;
}

int build_history(const struct cluster *c, struct snapshot *s)
{
    if (c->n_moves == 0)
        return 0;
    s->history = calloc(c->n_moves, sizeof(*s->history));
    if (!s->history)
        return -ENOMEM;
    s->n_history = c->n_moves;
    for (unsigned i = 0; i < c->n_moves; i++)
        copy_move(&c->moves[i], &s->history[i]);
    qsort(s->history, s->n_history, sizeof(*s->history), compare_moves);
    for (unsigned i = 0; i < s->n_history; i++) {
        bool is_newest = true;
        for (unsigned k = 0; k < i && is_newest; k++)
            is_newest = snapshot_move_stays(&s->history[k]) ||
                        !ip_equal(&s->history[k].vip, &s->history[i].vip);
        estimate(&s->history[i], s->wall_us, is_newest);
    }
    s->history_from_us = known_from(c, s);
    return 0;
}

/* Somebody is to have it: a candidate or an agent says so, or somebody had it and did not drop it
 * from his settings. */
static bool is_wanted(const struct cluster *c, const struct known_vip *vip)
{
    if (vip->epoch || vip->has_request)
        return true;
    for (unsigned i = 0; i < c->n_nodes; i++)
        for (unsigned v = 0; c->nodes[i].is_present && v < c->nodes[i].record.n_vips; v++)
            if (ip_equal(&c->nodes[i].record.vips[v].ip, &vip->ip))
                return true;
    if (vip->has_released)
        return strcmp(vip->released.cause, "config") != 0;
    return vip->gone_us != 0;
}

static void fill_since(const struct known_vip *known, uint64_t now, const struct snapshot *s,
                       struct snapshot_vip *vip)
{
    for (unsigned i = 0; i < s->n_history; i++) {
        const struct snapshot_move *m = &s->history[i];
        if (m->epoch == vip->epoch && !snapshot_move_stays(m) && ip_equal(&m->vip, &vip->ip) &&
            m->wall_us && m->wall_us <= s->wall_us) {
            vip->since_us = (int64_t)(s->wall_us - m->wall_us);
            return;
        }
    }
    vip->since_us = known->since_us ? (int64_t)(now - known->since_us) : -1;
    vip->is_since_at_least = known->was_there;
}

static void fill_lease(const struct cluster *c, uint64_t now, struct snapshot_vip *vip)
{
    const struct known_lease *lease = lease_find(c, vip->lease);
    int64_t least, most;
    vip->granted_us = vip->remaining_us = vip->renewed_us = -1;
    if (!lease_left(lease, now, &least, &most))
        return;
    vip->granted_us = lease->granted_s * 1000000;
    vip->remaining_us = least;
    /* The agent's own word, where it is not older than what etcd says. If it is, there was a
     * renewal since, and the next one is due within a second. */
    for (unsigned i = 0; i < c->n_nodes; i++) {
        const struct known_node *node = &c->nodes[i];
        if (!node->is_present || node->record.lease != vip->lease ||
            node->record.renewed_ago_ms < 0)
            continue;
        int64_t left =
            vip->granted_us - node->record.renewed_ago_ms * 1000 - build_record_age(node, now);
        vip->remaining_us = left < least || left > most ? most : left;
        vip->granted_us = node->record.ttl_ms > 0 ? node->record.ttl_ms * 1000 : vip->granted_us;
    }
    vip->renewed_us = vip->granted_us > vip->remaining_us ? vip->granted_us - vip->remaining_us : 0;
}

static void fill_request(const struct known_vip *known, const struct snapshot *s,
                         struct snapshot_vip *vip)
{
    const struct record_request *r = &known->request;
    vip->paused_us = -1;
    if (!known->has_request || r->kind != RECORD_PAUSE)
        return;
    vip->is_paused = true;
    memcpy(vip->paused_by, r->by, sizeof(vip->paused_by));
    memcpy(vip->paused_reason, r->reason, sizeof(vip->paused_reason));
    if (r->wall_us)
        vip->paused_us = r->wall_us < s->wall_us ? (int64_t)(s->wall_us - r->wall_us) : 0;
}

/* Those of a day; where all that were read are younger, and older ones were not, at least. */
static void fill_moves(const struct known_vip *known, const struct snapshot *s,
                       struct snapshot_vip *vip)
{
    vip->is_moves_at_least = known->is_past_cut;
    for (unsigned i = 0; i < s->n_history; i++) {
        const struct snapshot_move *m = &s->history[i];
        if (!ip_equal(&m->vip, &vip->ip))
            continue;
        if (m->wall_us + DAY_US <= s->wall_us)
            vip->is_moves_at_least = false;
        else if (m->from[0] && !snapshot_move_stays(m))
            vip->moves_24h++;
    }
}

static void fill_vip(const struct known_vip *known, uint64_t now, const struct snapshot *s,
                     struct snapshot_vip *vip)
{
    *vip = (struct snapshot_vip){.ip = known->ip, .since_us = -1};
    bool is_just_gone = known->gone_us && now < known->gone_us + GONE_GRACE_US;
    vip->state = is_just_gone ? SNAPSHOT_VIP_MOVING : SNAPSHOT_VIP_FREE;
    vip->granted_us = vip->remaining_us = vip->renewed_us = -1;
    fill_request(known, s, vip);
    if (known->has_released) {
        vip->released_epoch = known->released.revision;
        memcpy(vip->released_cause, known->released.cause, sizeof(vip->released_cause));
        memcpy(vip->released_detail, known->released.detail, sizeof(vip->released_detail));
    }
    fill_moves(known, s, vip);
}

/* `first`: of this VIP, in the order of the election. */
static void fill_election(const struct candidate *first, size_t n, struct snapshot_vip *vip)
{
    vip->state = SNAPSHOT_VIP_HELD;
    memcpy(vip->holder, first->name, sizeof(vip->holder));
    vip->epoch = first->create_revision;
    vip->lease = first->lease;
    for (size_t i = 1; i < n && vip->n_queue < SNAPSHOT_QUEUE_MAX; i++)
        memcpy(vip->queue[vip->n_queue++], first[i].name, sizeof(first->name));
}

static int fill_elections(const struct cluster *c, uint64_t now, struct snapshot *s)
{
    size_t n = c->n_candidates;
    struct candidate *sorted = n ? malloc(n * sizeof(*sorted)) : NULL;
    if (n == 0)
        return 0;
    if (!sorted)
        return -ENOMEM;
    memcpy(sorted, c->candidates, n * sizeof(*sorted));
    qsort(sorted, n, sizeof(*sorted), compare_candidates);
    for (size_t i = 0, end; i < n; i = end) {
        struct snapshot_vip *vip = NULL;
        for (end = i + 1; end < n && ip_equal(&sorted[i].ip, &sorted[end].ip);)
            end++;
        for (unsigned v = 0; v < s->n_vips && !vip; v++)
            if (ip_equal(&s->vips[v].ip, &sorted[i].ip))
                vip = &s->vips[v];
        if (!vip)
            continue;
        fill_election(&sorted[i], end - i, vip);
        fill_lease(c, now, vip);
    }
    free(sorted);
    return 0;
}

int build_vips(const struct cluster *c, uint64_t now, struct snapshot *s)
{
    if (c->n_vips == 0)
        return 0;
    s->vips = calloc(c->n_vips, sizeof(*s->vips));
    if (!s->vips)
        return -ENOMEM;
    for (unsigned i = 0; i < c->n_vips; i++)
        if (is_wanted(c, &c->vips[i]))
            fill_vip(&c->vips[i], now, s, &s->vips[s->n_vips++]);
    qsort(s->vips, s->n_vips, sizeof(*s->vips), compare_vips);
    int r = fill_elections(c, now, s);
    for (unsigned i = 0; r == 0 && i < c->n_vips; i++) {
        struct snapshot_vip *vip = NULL;
        for (unsigned v = 0; v < s->n_vips && !vip; v++)
            if (s->vips[v].epoch && ip_equal(&s->vips[v].ip, &c->vips[i].ip))
                vip = &s->vips[v];
        if (vip)
            fill_since(&c->vips[i], now, s, vip);
    }
    return r;
}
