/* SPDX-License-Identifier: MIT */
/* What can go wrong, one thing at a time or several at once. */
#include "world.h"

const char *const fault_names[FAULTS] = {
    [FAULT_KILL_AGENT] = "kill-agent",
    [FAULT_KILL_GUARDIAN] = "kill-guardian",
    [FAULT_KILL_BOTH] = "kill-both",
    [FAULT_FREEZE_AGENT] = "freeze-agent",
    [FAULT_FREEZE_BOTH] = "freeze-both",
    [FAULT_LINK_DOWN] = "link-down",
    [FAULT_VIP_CUT] = "vip-network-cut",
    [FAULT_ETCD_CUT] = "etcd-cut",
    [FAULT_ALL_CUT] = "both-networks-cut",
    [FAULT_LEADER_LOST] = "etcd-leader-lost",
    [FAULT_QUORUM_LOST] = "etcd-quorum-lost",
    [FAULT_LEASE_REVOKED] = "lease-revoked",
    [FAULT_KEY_DELETED] = "key-deleted",
    [FAULT_ADDRESS_DELETED] = "address-deleted",
    [FAULT_POWER_OFF] = "power-off",
    [FAULT_WATCH_DEAF] = "watch-deaf",
    [FAULT_COMPACTION] = "compaction",
    [FAULT_LOSS] = "loss",
    [FAULT_DELETE_REFUSED] = "delete-refused",
    [FAULT_STOP] = "stop",
    [FAULT_FOREIGN_CANDIDATE] = "foreign-candidate",
    [FAULT_KILL_MIDWAY] = "kill-midway",
    [FAULT_FREEZE_MIDWAY] = "freeze-midway",
    [FAULT_ONE_WAY] = "one-way-cut",
    [FAULT_DEAF] = "deaf-to-all",
    [FAULT_VIP_LOSS] = "vip-network-loss",
    [FAULT_DELAY] = "vip-network-delay",
    [FAULT_RESIGN] = "resign",
    [FAULT_RESIGN_TO] = "resign-to",
    [FAULT_PAUSE] = "pause",
    [FAULT_PAUSE_NODE] = "pause-node",
};

/* What hides an owner from its successor's probes, or from the news that its key is gone. */
static bool hides_owner(enum fault_type type)
{
    return type == FAULT_VIP_CUT || type == FAULT_ALL_CUT || type == FAULT_LINK_DOWN ||
           type == FAULT_ETCD_CUT || type == FAULT_FREEZE_MIDWAY || type == FAULT_ADDRESS_DELETED;
}

/* A person who deletes the key of an owner that neither etcd nor the wire reaches has taken away
 * what all safety rests on; docs/design.md says so. */
static void keep_hands_off(struct world *w)
{
    /* With the peer lease, an owner is mute in many faults, and so hidden from probes. */
    bool has_cut = w->has_peers && w->faults > 1;
    for (unsigned i = 0; i < w->faults; i++)
        has_cut |= hides_owner(w->fault[i].type);
    for (unsigned i = 0; i < w->faults && has_cut; i++)
        if (w->fault[i].type == FAULT_KEY_DELETED || w->fault[i].type == FAULT_LEASE_REVOKED)
            w->fault[i].type = FAULT_WATCH_DEAF;
}

void faults_draw(struct world *w)
{
    uint64_t at = 4 * SECOND_US;
    w->faults = (unsigned)world_between(w, 1, FAULTS_MAX);
    for (unsigned i = 0; i < w->faults; i++) {
        struct fault *f = &w->fault[i];
        at += world_chance(w, 50) ? world_between(w, 0, 3000) : world_between(w, 0, 3 * SECOND_US);
        *f = (struct fault){.type = (enum fault_type)(world_random(w) % FAULTS),
                            .node = (unsigned)(world_random(w) % w->nodes),
                            .vip = (unsigned)(world_random(w) % VIPS),
                            .other = (unsigned)(world_random(w) % w->nodes),
                            .at = at};
        /* The owner is where it hurts. */
        f->heal_at = at + (world_chance(w, 50) ? world_between(w, 1000, SECOND_US)
                                               : world_between(w, SECOND_US, 8 * SECOND_US));
        if (f->heal_at > w->healed_at)
            w->healed_at = f->heal_at;
        world_at(w, f->at, SIM_FAULT, 0, i);
        world_at(w, f->heal_at, SIM_HEAL, 0, i);
    }
    keep_hands_off(w);
}

static void set_deaf(struct world *w, const struct fault *f, bool is_deaf)
{
    for (unsigned i = 0; i < w->nodes; i++)
        if (f->type == FAULT_DEAF || i == f->other)
            w->is_deaf_to[f->node][i] = is_deaf && i != f->node;
}

static void kill_guardian(struct world *w, struct sim_node *n)
{
    if (!n->is_guardian_alive)
        return;
    n->is_guardian_alive = false;
    n->guardian_life++;
    if (n->is_agent_alive)
        world_at(w, w->now + world_between(w, 300, 20000), SIM_REAP, n->id, n->guardian_life);
}

static void set_link(struct world *w, struct sim_node *n, bool is_up)
{
    n->has_link = is_up;
    for (unsigned vip = 0; vip < VIPS; vip++)
        agent_simple(w, n, EV_BAR, vip, BAR_LINK, !is_up);
}

static void set_paused(struct world *w, struct sim_node *n, bool is_paused)
{
    n->is_paused = is_paused;
    for (unsigned vip = 0; vip < VIPS; vip++)
        agent_simple(w, n, EV_BAR, vip, BAR_PAUSE, is_paused);
}

static void power_off(struct sim_node *n)
{
    n->is_powered = n->is_agent_alive = n->is_guardian_alive = false;
    n->is_agent_frozen = false;
    n->todo_n = n->todo_at = n->inbox_n = 0;
    for (unsigned vip = 0; vip < VIPS; vip++) {
        n->address[vip].is_on = false;
        n->slot[vip] = SLOT_PASS;
    }
}

void fault_begin(struct world *w, struct fault *f)
{
    struct sim_node *n = &w->node[f->node];
    int owner = world_owner(w, f->vip);
    if (owner >= 0 && world_chance(w, 60)) {
        f->node = (unsigned)owner;
        n = &w->node[owner];
    }
    world_trace(w, "fault  %s on node %u vip%u", fault_names[f->type], f->node, f->vip);
    switch (f->type) {
    case FAULT_KILL_AGENT:
        agent_kill(w, n);
        break;
    case FAULT_KILL_GUARDIAN:
        kill_guardian(w, n);
        break;
    case FAULT_KILL_BOTH:
        kill_guardian(w, n);
        agent_kill(w, n);
        break;
    case FAULT_FREEZE_AGENT:
        agent_freeze(w, n);
        break;
    case FAULT_FREEZE_BOTH:
        n->is_guardian_frozen = true;
        agent_freeze(w, n);
        break;
    case FAULT_LINK_DOWN:
        set_link(w, n, false);
        break;
    case FAULT_VIP_CUT:
        n->is_vip_cut = true;
        break;
    case FAULT_ETCD_CUT:
        n->is_etcd_cut = true;
        break;
    case FAULT_ALL_CUT:
        n->is_vip_cut = n->is_etcd_cut = true;
        break;
    case FAULT_LEADER_LOST:
        if (etcd_is_up(w))
            etcd_leader_lost(w, f->node);
        break;
    case FAULT_QUORUM_LOST:
        w->etcd.has_quorum = false;
        break;
    case FAULT_LEASE_REVOKED:
        if (etcd_is_up(w))
            etcd_revoke(w, n->election.session.lease);
        break;
    case FAULT_KEY_DELETED:
        if (etcd_is_up(w))
            etcd_delete_key(w, f->vip, n->election.session.lease);
        break;
    case FAULT_ADDRESS_DELETED:
        if (n->address[f->vip].is_on) {
            kernel_clear(w, n, f->vip);
            agent_simple(w, n, EV_ADDRESS_LOST, f->vip, 0, false);
        }
        break;
    case FAULT_POWER_OFF:
        power_off(n);
        break;
    case FAULT_WATCH_DEAF:
        n->is_watch_deaf = true;
        break;
    case FAULT_COMPACTION:
        if (etcd_is_up(w))
            agent_watch(w, n, true);
        break;
    case FAULT_LOSS:
        w->loss_percent = (unsigned)world_between(w, 5, 40);
        break;
    case FAULT_DELETE_REFUSED:
        n->refuses_delete = n->is_fenced; /* nothing else could help then */
        break;
    case FAULT_STOP:
        n->is_stopping = true;
        agent_simple(w, n, EV_STOP, 0, 0, false);
        break;
    case FAULT_FOREIGN_CANDIDATE:
        if (etcd_is_up(w))
            f->lease = etcd_foreign_candidate(w, f->vip, 60 * SECOND_US);
        break;
    case FAULT_ONE_WAY:
    case FAULT_DEAF:
        if (world_chance(w, 50)) /* as well the followers, who must not hear the owner */
            f->node = (f->node + 1 + f->other) % w->nodes;
        set_deaf(w, f, true);
        break;
    case FAULT_VIP_LOSS:
        w->vip_loss_percent = (unsigned)world_between(w, 10, 70);
        break;
    case FAULT_DELAY:
        w->vip_delay_percent = (unsigned)world_between(w, 10, 60);
        break;
    case FAULT_RESIGN:
    case FAULT_RESIGN_TO:
        if (etcd_is_up(w))
            etcd_ask(w, f->vip, ASK_RESIGN,
                     f->type == FAULT_RESIGN ? FOREIGN : (unsigned)(world_random(w) % w->nodes));
        break;
    case FAULT_PAUSE:
        if (etcd_is_up(w))
            etcd_ask(w, f->vip, ASK_PAUSE, FOREIGN);
        break;
    case FAULT_PAUSE_NODE:
        set_paused(w, n, true);
        break;
    default:
        w->midway_node = (int)f->node;
        w->midway_at = (unsigned)world_between(w, 0, 12);
        w->midway_kill = f->type == FAULT_KILL_MIDWAY;
        break;
    }
}

static void restart(struct world *w, struct sim_node *n)
{
    if (n->is_stopping) /* a supervisor starts it again once it has ended */
        world_at(w, w->now + 4 * SECOND_US, SIM_START, n->id, 0);
    n->is_powered = true;
    n->is_guardian_frozen = false;
    if (n->is_agent_frozen)
        agent_thaw(w, n);
    else if (!n->is_agent_alive)
        agent_start(w, n);
    else if (n->is_guardian_alive)
        guardian_wake(w, n);
}

void fault_end(struct world *w, struct fault *f)
{
    struct sim_node *n = &w->node[f->node];
    world_trace(w, "heal   %s on node %u", fault_names[f->type], f->node);
    switch (f->type) {
    case FAULT_LINK_DOWN:
        set_link(w, n, true);
        break;
    case FAULT_VIP_CUT:
        n->is_vip_cut = false;
        break;
    case FAULT_ALL_CUT:
        n->is_vip_cut = false;
        n->is_etcd_cut = false;
        world_at(w, w->now + world_between(w, 0, 3 * SECOND_US), SIM_WATCH, n->id, 0);
        break;
    case FAULT_ETCD_CUT:
    case FAULT_WATCH_DEAF:
        n->is_etcd_cut = n->is_watch_deaf = false;
        world_at(w, w->now + world_between(w, 0, 3 * SECOND_US), SIM_WATCH, n->id, 0);
        break;
    case FAULT_QUORUM_LOST:
        w->etcd.has_quorum = true;
        w->etcd.leaderless_until = w->now + world_between(w, 100 * MS_US, 2 * SECOND_US);
        world_at(w, w->etcd.leaderless_until, SIM_ELECTED, 0, 0);
        for (unsigned i = 0; i < w->nodes; i++)
            world_at(w, w->etcd.leaderless_until + 1000, SIM_WATCH, i, 0);
        break;
    case FAULT_LOSS:
        w->loss_percent = 0;
        break;
    case FAULT_DELETE_REFUSED:
        n->refuses_delete = false;
        break;
    case FAULT_FOREIGN_CANDIDATE:
        etcd_revoke(w, f->lease);
        break;
    case FAULT_ONE_WAY:
    case FAULT_DEAF:
        set_deaf(w, f, false);
        break;
    case FAULT_VIP_LOSS:
        w->vip_loss_percent = 0;
        break;
    case FAULT_DELAY:
        w->vip_delay_percent = 0;
        break;
    case FAULT_RESIGN:
    case FAULT_RESIGN_TO:
    case FAULT_PAUSE:
        etcd_withdraw(w, f->vip);
        break;
    case FAULT_PAUSE_NODE:
        set_paused(w, n, false);
        break;
    case FAULT_KILL_MIDWAY:
    case FAULT_FREEZE_MIDWAY:
        w->midway_node = -1;
        break;
    default:
        break;
    }
    /* Whatever else this fault or another stopped on the node runs again. */
    restart(w, n);
}
