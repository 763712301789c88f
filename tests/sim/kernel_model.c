/* SPDX-License-Identifier: MIT */
/* The kernel of a node: address lifetimes that end up to 1.4 s late, the packet fence that is
 * exact, and the guardian, which lives beside the agent. */
#include "world.h"

#define EXPIRY_LATE_US (1400 * MS_US)

void kernel_set(struct world *w, struct sim_node *n, unsigned vip, uint32_t seconds)
{
    struct sim_address *address = &n->address[vip];
    address->is_on = true;
    address->set_id++;
    uint64_t end = node_local(w, n) + seconds * SECOND_US;
    uint64_t at = node_global(n, end) + world_between(w, 0, EXPIRY_LATE_US);
    world_post(
        w, &(struct sim_event){
               .at = at, .type = SIM_EXPIRE, .node = n->id, .vip = vip, .arg = address->set_id});
}

void kernel_clear(struct world *w, struct sim_node *n, unsigned vip)
{
    (void)w;
    n->address[vip].is_on = false;
    n->address[vip].set_id++;
}

void kernel_expire(struct world *w, struct sim_node *n, unsigned vip, uint64_t set_id)
{
    if (!n->is_powered || !n->address[vip].is_on || n->address[vip].set_id != set_id)
        return;
    world_trace(w, "kernel node %u vip%u expired", n->id, vip);
    kernel_clear(w, n, vip);
    agent_simple(w, n, EV_ADDRESS_LOST, vip, 0, false);
}

bool kernel_is_mute(const struct world *w, const struct sim_node *n, unsigned vip)
{
    if (!n->is_fenced)
        return false;
    return n->slot[vip] == SLOT_SHUT ||
           (n->slot[vip] == SLOT_ARMED && node_local(w, n) >= n->page_deadline_local);
}

bool kernel_answers(const struct world *w, const struct sim_node *n, unsigned vip)
{
    return n->is_powered && n->has_link && n->address[vip].is_on && !kernel_is_mute(w, n, vip);
}

void guardian_arm(struct world *w, struct sim_node *n)
{
    uint64_t at = node_global(n, n->page_right_local);
    world_at(w, at < w->now ? w->now : at, SIM_GUARDIAN, n->id, n->guardian_life);
}

static void guardian_clear(struct world *w, struct sim_node *n)
{
    for (unsigned vip = 0; vip < VIPS; vip++) {
        if (!n->address[vip].is_on)
            continue;
        world_trace(w, "guard  node %u vip%u address off", n->id, vip);
        kernel_clear(w, n, vip);
        agent_simple(w, n, EV_ADDRESS_LOST, vip, 0, false);
    }
}

/* The agent is dead: the address is off, so its word that it is released is true. */
static void guardian_give_up(struct world *w, struct sim_node *n)
{
    const struct session *ss = &n->election.session;
    for (unsigned vip = 0; vip < VIPS; vip++) {
        const struct vip *v = &n->vips[vip];
        n->slot[vip] = SLOT_PASS;
        if (ss->lease == 0 || v->revision == 0)
            continue;
        struct sim_message m = {.type = ACT_RESIGN,
                                .node = n->id,
                                .life = 0,
                                .vip = vip,
                                .lease = ss->lease,
                                .revision = v->revision,
                                .yes = v->owned == v->revision};
        world_post(w, &(struct sim_event){.at = w->now + world_between(w, 1000, 4000),
                                          .type = SIM_REQUEST,
                                          .node = n->id,
                                          .message = pool_take(w, &m)});
    }
    struct sim_message revoke = {.type = ACT_LEASE_REVOKE, .node = n->id, .lease = ss->lease};
    world_post(w, &(struct sim_event){.at = w->now + world_between(w, 5000, 8000),
                                      .type = SIM_REQUEST,
                                      .node = n->id,
                                      .message = pool_take(w, &revoke)});
    n->is_guardian_alive = false;
}

void guardian_wake(struct world *w, struct sim_node *n)
{
    if (!n->is_powered || !n->is_guardian_alive || n->is_guardian_frozen)
        return;
    if (!n->is_agent_alive) {
        guardian_clear(w, n);
        guardian_give_up(w, n);
    } else if (node_local(w, n) >= n->page_right_local) {
        guardian_clear(w, n);
        world_at(w, w->now + SECOND_US, SIM_GUARDIAN, n->id, n->guardian_life);
    } else {
        guardian_arm(w, n);
    }
}
