/* SPDX-License-Identifier: MIT */
/* One run: the events of all models on one clock. */
#include "world.h"

#include <string.h>

int world_owner(const struct world *w, unsigned vip)
{
    for (unsigned i = 0; i < w->nodes; i++)
        if (kernel_answers(w, &w->node[i], vip))
            return (int)i;
    return -1;
}

void world_init(struct world *w, uint64_t seed)
{
    bool is_verbose = w->is_verbose;
    memset(w, 0, offsetof(struct world, pool));
    w->traced = 0;
    w->violation = NULL;
    w->is_verbose = is_verbose;
    w->seed = w->random = seed;
    w->nodes = 3;
    w->now = SECOND_US;
    w->midway_node = -1;
    w->ttl_us = 5 * SECOND_US;
    w->window_us = PEER_WINDOW_DEFAULT_US;
    etcd_init(w);
    for (unsigned i = 0; i < NODES_MAX; i++) {
        struct sim_node *n = &w->node[i];
        n->id = i;
        n->is_powered = n->has_link = n->is_fenced = true;
        n->clock_offset = 1000 * SECOND_US * (i + 1);
    }
}

static void on_timer(struct world *w, struct sim_node *n, const struct sim_event *ev)
{
    if (ev->arg != n->life || ev->at != n->armed_wake || !n->is_agent_alive || n->is_agent_frozen)
        return;
    n->armed_wake = NEVER_US;
    agent_simple(w, n, EV_TIMER, 0, 0, false);
}

static void on_reap(struct world *w, struct sim_node *n, const struct sim_event *ev)
{
    if (ev->arg != n->guardian_life || !n->is_agent_alive || n->is_agent_frozen ||
        n->is_guardian_alive)
        return;
    agent_simple(w, n, EV_GUARDIAN, 0, 0, false);
    n->is_guardian_alive = true;
    n->is_guardian_frozen = false;
    guardian_wake(w, n);
    agent_simple(w, n, EV_GUARDIAN, 0, 0, true);
}

static void dispatch(struct world *w, const struct sim_event *ev)
{
    struct sim_node *n = &w->node[ev->node];
    switch (ev->type) {
    case SIM_TIMER:
        on_timer(w, n, ev);
        break;
    case SIM_REQUEST:
        w->pool_used[ev->message] = false;
        etcd_request(w, &w->pool[ev->message]);
        break;
    case SIM_ANSWER:
        w->pool_used[ev->message] = false;
        agent_answer(w, &w->pool[ev->message]);
        break;
    case SIM_WATCH:
        agent_watch(w, n, false);
        break;
    case SIM_LESSOR:
        etcd_lessor(w);
        break;
    case SIM_ELECTED:
        etcd_elected(w);
        break;
    case SIM_EXPIRE:
        kernel_expire(w, n, ev->vip, ev->arg);
        break;
    case SIM_GUARDIAN:
        if (ev->arg == n->guardian_life)
            guardian_wake(w, n);
        break;
    case SIM_FAULT:
        fault_begin(w, &w->fault[ev->arg]);
        break;
    case SIM_HEAL:
        fault_end(w, &w->fault[ev->arg]);
        break;
    case SIM_START:
        agent_start(w, n);
        break;
    case SIM_PACKET:
        peer_deliver(w, ev->message);
        break;
    case SIM_REAP:
        on_reap(w, n, ev);
        break;
    }
}

void world_run_until(struct world *w, uint64_t until)
{
    struct sim_event ev;
    while (!w->violation && w->heap_n && w->heap[0].at <= until && world_next(w, &ev)) {
        w->now = ev.at;
        dispatch(w, &ev);
        check_step(w);
    }
    if (w->now < until)
        w->now = until;
}

static void draw_cluster(struct world *w)
{
    bool is_fenced = world_chance(w, 75);
    bool is_mixed = world_chance(w, 10);
    w->has_peers = world_chance(w, 60) || w->is_peers_only;
    if (w->has_peers && world_chance(w, 80))
        is_fenced = true;
    w->window_us = world_between(w, 2, 10) * 50 * MS_US;
    w->nodes = (unsigned)(w->has_peers ? world_between(w, 3, 5) : world_between(w, 2, 4));
    w->ttl_us =
        (is_fenced && !is_mixed ? world_between(w, 2, 6) : world_between(w, 4, 6)) * SECOND_US;
    for (unsigned i = 0; i < w->nodes; i++) {
        struct sim_node *n = &w->node[i];
        n->is_fenced = is_mixed ? world_chance(w, 50) : is_fenced;
        n->drift_ppm = (int)world_between(w, 0, 19800) - 9900;
        world_at(w, w->now + world_between(w, 0, 500 * MS_US), SIM_START, i, 0);
    }
}

static bool has_owners(const struct world *w)
{
    for (unsigned vip = 0; vip < VIPS; vip++)
        if (world_owner(w, vip) < 0)
            return false;
    return true;
}

void world_run(struct world *w, uint64_t seed)
{
    world_init(w, seed);
    draw_cluster(w);
    faults_draw(w);
    /* A dead owner's lease, a new etcd leader that lengthens it, rejoining, retries, probes. */
    w->bound_us = w->ttl_us + 12 * SECOND_US;
    w->end_at = w->healed_at + w->bound_us;
    /* Leases of the dead have ended by then; the rest of the bound is for VIPs without owner. */
    if (w->has_peers)
        world_run_until(w, w->healed_at + w->ttl_us + 6 * SECOND_US);
    while (!w->violation && w->now < w->end_at && !(w->has_peers && has_owners(w)))
        world_run_until(w, w->has_peers ? w->now + 100 * MS_US : w->end_at);
    for (unsigned vip = 0; vip < VIPS && !w->violation; vip++)
        if (world_owner(w, vip) < 0)
            check_fail(w, "I3", "nobody owns vip%u %u s after the last fault was healed", vip,
                       (unsigned)(w->bound_us / SECOND_US));
    for (unsigned i = 0; i < w->nodes; i++)
        agent_simple(w, &w->node[i], EV_STOP, 0, 0, false);
    world_run_until(w, w->now + 4 * SECOND_US);
    if (!w->violation)
        check_end(w);
}
