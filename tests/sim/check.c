/* SPDX-License-Identifier: MIT */
/* The invariants of src/core/election.c, by their numbers. */
#include "world.h"

#include <stdarg.h>
#include <stdio.h>

void check_fail(struct world *w, const char *invariant, const char *fmt, ...)
{
    if (w->violation)
        return;
    w->violation = invariant;
    va_list ap;
    va_start(ap, fmt);
    vsnprintf(w->violation_text, sizeof(w->violation_text), fmt, ap);
    va_end(ap);
    world_trace(w, "BROKEN %s: %s", invariant, w->violation_text);
}

void check_step(struct world *w)
{
    for (unsigned vip = 0; vip < VIPS; vip++) {
        int first = -1;
        for (unsigned i = 0; i < w->nodes; i++) {
            if (!kernel_answers(w, &w->node[i], vip))
                continue;
            if (first >= 0)
                check_fail(w, "I1", "nodes %d and %u both answer for vip%u", first, i, vip);
            first = (int)i;
        }
        if (first < 0 && !w->ownerless_since[vip])
            w->ownerless_since[vip] = w->now;
        if (first >= 0)
            w->ownerless_since[vip] = 0;
    }
}

/* I6: whatever the node believes, etcd must not end the lease before the node's deadline. */
static void check_deadline(struct world *w, struct sim_node *n, uint64_t deadline_local)
{
    int64_t lease = n->election.session.lease;
    uint64_t expiry = etcd_expiry(w, lease);
    if (deadline_local == 0 || expiry == 0)
        return;
    uint64_t end = node_global(n, deadline_local);
    if (end > expiry && end > w->now)
        check_fail(w, "I6", "node %u may act until %llu us, its lease may end at %llu us", n->id,
                   (unsigned long long)end, (unsigned long long)expiry);
}

void check_before(struct world *w, struct sim_node *n, const struct election_event *ev,
                  const struct sim_message *m)
{
    bool is_past = n->page_right_local && node_local(w, n) >= n->page_right_local;
    for (unsigned vip = 0; vip < VIPS && is_past; vip++)
        n->must_prove[vip] = true;
    if (ev->type == EV_QUEUE_PROVED && ev->result == RESULT_OK && m && m->n > 0 &&
        m->list[0].lease == n->election.session.lease)
        n->must_prove[ev->vip] = false;
    if (ev->type == EV_QUEUE_PROVED && ev->result == RESULT_OK && m)
        n->proved_pause[ev->vip] = m->pause;
}

/* I9: a node whose link is down has let go by the end of the step that told it so. */
void check_after(struct world *w, struct sim_node *n)
{
    for (unsigned vip = 0; vip < VIPS; vip++) {
        const struct vip *v = &n->vips[vip];
        unsigned bars = v->is_paused ? v->bars & (BAR_LINK | BAR_CONFIG) : v->bars;
        if (bars && v->state == VIP_HELD)
            check_fail(w, "I9", "node %u keeps vip%u though it may not", n->id, vip);
    }
}

static void check_has_right(struct world *w, struct sim_node *n, const struct election_action *a)
{
    const struct session *ss = &n->election.session;
    const struct vip *v = &n->vips[a->vip];
    if (ss->has_lapsed || ss->state != SESSION_LIVE || node_local(w, n) >= ss->deadline_us)
        check_fail(w, "I2", "node %u acts on vip%u past its deadline", n->id, a->vip);
    const struct candidate *own = queue_leader(&v->queue);
    if (!own || own->lease != ss->lease)
        check_fail(w, "I2", "node %u acts on vip%u without leading", n->id, a->vip);
}

/* I15: it knew, and it is so still. */
static void check_pause(struct world *w, struct sim_node *n, unsigned vip)
{
    const struct sim_request *request = &w->etcd.request[vip];
    bool was_ours = n->vips[vip].owned == n->vips[vip].revision;
    if (request->ask == ASK_PAUSE && n->proved_pause[vip] == request->id && !was_ours)
        check_fail(w, "I15", "node %u takes vip%u, which is paused", n->id, vip);
}

static bool is_without_right(enum election_cause cause)
{
    return cause == CAUSE_LAPSED || cause == CAUSE_SESSION_LOST || cause == CAUSE_KEY_LOST ||
           cause == CAUSE_ADDRESS || cause == CAUSE_PEERS || cause == CAUSE_MUTE;
}

/* What was cut short by a freeze is carried out blindly afterwards: there the fences decide. */
void check_action(struct world *w, struct sim_node *n, const struct election_action *a,
                  bool is_delayed)
{
    if (is_delayed)
        return;
    switch (a->type) {
    case ACT_DEADLINE:
        check_deadline(w, n, a->right_us);
        if (a->at_us > a->right_us)
            check_fail(w, "I6", "node %u may speak longer than its lease allows", n->id);
        break;
    case ACT_ADDRESS_ADD:
    case ACT_ADDRESS_REFRESH:
        check_has_right(w, n, a);
        if (n->slot[a->vip] != SLOT_ARMED)
            check_fail(w, "I5", "node %u sets vip%u before its fence", n->id, a->vip);
        if (n->must_prove[a->vip])
            check_fail(w, "I2", "node %u sets vip%u again without new proof", n->id, a->vip);
        if (a->type == ACT_ADDRESS_ADD && n->vips[a->vip].state == VIP_TAKING)
            check_pause(w, n, a->vip);
        if (a->seconds == 0)
            check_fail(w, "I5", "node %u sets vip%u for no time", n->id, a->vip);
        break;
    case ACT_ANNOUNCE:
    case ACT_ASK_PEERS:
    case ACT_DEFEND:
        check_has_right(w, n, a);
        if (node_local(w, n) >= n->page_deadline_local)
            check_fail(w, "I14", "node %u speaks as vip%u past its deadline", n->id, a->vip);
        if (!n->vips[a->vip].has_address)
            check_fail(w, "I5", "node %u announces vip%u without the address", n->id, a->vip);
        break;
    case ACT_ADDRESS_DELETE:
        /* Somebody else may own it already: mute first, then delete. */
        if (is_without_right(n->vips[a->vip].cause) && n->slot[a->vip] != SLOT_SHUT)
            check_fail(w, "I5", "node %u deletes vip%u without muting it", n->id, a->vip);
        break;
    case ACT_RESIGN:
        if (n->address[a->vip].is_on)
            check_fail(w, "I5", "node %u gives up the key of vip%u before the address", n->id,
                       a->vip);
        break;
    case ACT_LEASE_REVOKE:
        for (unsigned vip = 0; vip < VIPS; vip++)
            if (n->address[vip].is_on)
                check_fail(w, "I5", "node %u revokes its lease with vip%u on", n->id, vip);
        break;
    case ACT_FENCE_DISARM:
        if (n->address[a->vip].is_on)
            check_fail(w, "I5", "node %u opens the fence of vip%u over an address", n->id, a->vip);
        break;
    default:
        break;
    }
}

void check_end(struct world *w)
{
    for (unsigned i = 0; i < w->nodes; i++) {
        struct sim_node *n = &w->node[i];
        if (n->is_agent_alive)
            check_fail(w, "I4", "node %u did not end", i);
        for (unsigned vip = 0; vip < VIPS; vip++)
            if (n->address[vip].is_on || n->slot[vip] != SLOT_PASS)
                check_fail(w, "I4", "node %u left vip%u behind", i, vip);
    }
    for (unsigned vip = 0; vip < VIPS; vip++)
        for (unsigned k = 0; k < w->etcd.n[vip]; k++)
            if (w->etcd.keys[vip][k].node != FOREIGN)
                check_fail(w, "I4", "node %u left its key of vip%u behind",
                           w->etcd.keys[vip][k].node, vip);
}
