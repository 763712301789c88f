/* SPDX-License-Identifier: MIT */
#include "cluster/snapshot.h"

#include <stdlib.h>
#include <string.h>

void snapshot_node_done(struct snapshot_node *node)
{
    free(node->views);
    free(node->peers.list);
    node->views = NULL;
    node->peers.list = NULL;
    node->n_views = node->peers.n = 0;
}

void snapshot_done(struct snapshot *s)
{
    if (!s)
        return;
    for (unsigned i = 0; s->nodes && i < s->n_nodes; i++)
        snapshot_node_done(&s->nodes[i]);
    free(s->vips);
    free(s->nodes);
    free(s->alerts);
    free(s->history);
    *s = (struct snapshot){.n_vips = 0};
}

const struct snapshot_vip *snapshot_find_vip(const struct snapshot *s, const struct ip *ip)
{
    for (unsigned i = 0; i < s->n_vips; i++)
        if (ip_equal(&s->vips[i].ip, ip))
            return &s->vips[i];
    return NULL;
}

const struct snapshot_node *snapshot_find_node(const struct snapshot *s, const char *name)
{
    for (unsigned i = 0; i < s->n_nodes; i++)
        if (strcmp(s->nodes[i].name, name) == 0)
            return &s->nodes[i];
    return NULL;
}

const struct snapshot_view *snapshot_find_view(const struct snapshot_node *node,
                                               const struct ip *vip)
{
    for (unsigned i = 0; i < node->n_views; i++)
        if (ip_equal(&node->views[i].vip, vip))
            return &node->views[i];
    return NULL;
}

bool snapshot_move_stays(const struct snapshot_move *move)
{
    return move->term > 0;
}

const struct snapshot_move *snapshot_last_move(const struct snapshot *s, const struct ip *vip)
{
    for (unsigned i = 0; i < s->n_history; i++)
        if (!snapshot_move_stays(&s->history[i]) && (!vip || ip_equal(&s->history[i].vip, vip)))
            return &s->history[i];
    return NULL;
}

const struct snapshot_alert *snapshot_worst(const struct snapshot *s)
{
    const struct snapshot_alert *worst = NULL;
    for (unsigned i = 0; i < s->n_alerts; i++) {
        const struct snapshot_alert *a = &s->alerts[i];
        if (a->cleared_us < 0 && (!worst || a->severity > worst->severity))
            worst = a;
    }
    return worst;
}

uint64_t snapshot_move_age(const struct snapshot *s, const struct snapshot_move *move)
{
    return s->wall_us > move->wall_us ? s->wall_us - move->wall_us : 0;
}

bool snapshot_move_is_measured(const struct snapshot_move *move)
{
    return move->outage_us >= 0 && !move->is_outage_open && !move->is_outage_estimated &&
           !snapshot_move_stays(move);
}

double snapshot_held(const struct snapshot *s, const struct ip *vip, uint64_t since_us,
                     uint64_t until_us)
{
    double gone = 0, period = until_us > since_us ? (double)(until_us - since_us) : 0;
    bool is_measured = false;
    for (unsigned i = 0; i < s->n_history; i++) {
        const struct snapshot_move *m = &s->history[i];
        if (!snapshot_move_is_measured(m) || !ip_equal(&m->vip, vip) || m->wall_us < since_us ||
            m->wall_us > until_us)
            continue;
        is_measured = true;
        gone += (double)m->outage_us;
    }
    if (!is_measured || period <= 0)
        return -1;
    return gone < period ? 1 - gone / period : 0;
}

unsigned snapshot_members_down(const struct snapshot_etcd *etcd)
{
    unsigned n = 0;
    for (unsigned i = 0; i < etcd->n_members; i++)
        n += etcd->members[i].is_asked && !etcd->members[i].is_healthy;
    return n;
}

unsigned snapshot_members_unknown(const struct snapshot_etcd *etcd)
{
    unsigned n = 0;
    for (unsigned i = 0; i < etcd->n_members; i++)
        n += !etcd->members[i].is_asked;
    return n;
}

/* How many voters are up beyond the quorum; those nobody knows of count as `unknown`. */
static int64_t beyond_quorum(const struct snapshot_etcd *etcd, bool unknown)
{
    int64_t n = -(int64_t)etcd->quorum;
    for (unsigned i = 0; i < etcd->n_members; i++) {
        const struct snapshot_member *m = &etcd->members[i];
        n += !m->is_learner && (m->is_healthy || (unknown && !m->is_asked));
    }
    return n;
}

int snapshot_members_spare(const struct snapshot_etcd *etcd)
{
    int64_t least = beyond_quorum(etcd, false), most = beyond_quorum(etcd, true);
    if (most <= 0)
        return 0;
    return least == most ? (int)least : -1;
}

bool snapshot_members_too_few(const struct snapshot_etcd *etcd)
{
    return beyond_quorum(etcd, true) < 0;
}

const char *snapshot_member_health(const struct snapshot_member *member)
{
    return member->is_healthy ? "ok"
           : member->error[0] ? member->error
           : member->is_asked ? "no leader"
                              : "connecting";
}
