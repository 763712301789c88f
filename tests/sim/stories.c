/* SPDX-License-Identifier: MIT */
/* The verbs, and the run over all stories. Each is told with many seeds, which draw latencies and
 * the rates of the clocks, so what it promises holds for all of them. */
#include "stories.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define SEEDS 64u
#define TICK_US MS_US
/* A cluster that is whole has an owner again within this. */
#define WHOLE_US (12 * SECOND_US)

static bool was_slow; /* the story that is told now took longer than usual */

void expect(struct world *w, bool is_so, const char *fmt, ...)
{
    char text[160];
    if (is_so || w->violation)
        return;
    va_list ap;
    va_start(ap, fmt);
    vsnprintf(text, sizeof(text), fmt, ap);
    va_end(ap);
    check_fail(w, "the story", "%s", text);
}

void run_for(struct world *w, uint64_t us)
{
    world_run_until(w, w->now + us);
}

void start_all(struct world *w, bool is_fenced)
{
    for (unsigned i = 0; i < w->nodes; i++) {
        w->node[i].is_fenced = is_fenced;
        w->node[i].drift_ppm = (int)world_between(w, 0, 19800) - 9900;
        start_agent(w, i);
        run_for(w, SECOND_US);
    }
    run_for(w, 3 * SECOND_US);
    for (unsigned i = 0; i < w->nodes; i++)
        expect(w, key_of(w, i) != 0, "node %u is not in the queue", i);
}

void start_agent(struct world *w, unsigned node)
{
    w->node[node].is_powered = true;
    agent_start(w, &w->node[node]);
}

void stop_agent(struct world *w, unsigned node)
{
    agent_simple(w, &w->node[node], EV_STOP, 0, 0, false);
}

void kill_guardian(struct world *w, unsigned node)
{
    struct sim_node *n = &w->node[node];
    n->is_guardian_alive = false;
    n->guardian_life++;
    world_at(w, w->now + 5 * MS_US, SIM_REAP, node, n->guardian_life);
}

void lose_guardian(struct world *w, unsigned node)
{
    w->node[node].is_guardian_alive = false;
    agent_simple(w, &w->node[node], EV_GUARDIAN, 0, 0, false);
}

void freeze_all_of(struct world *w, unsigned node)
{
    w->node[node].is_guardian_frozen = true;
    agent_freeze(w, &w->node[node]);
}

void thaw_all_of(struct world *w, unsigned node)
{
    w->node[node].is_guardian_frozen = false;
    guardian_wake(w, &w->node[node]);
    agent_thaw(w, &w->node[node]);
}

void power_off(struct world *w, unsigned node)
{
    /* As the fault does it; the owner is where it strikes. */
    expect(w, world_owner(w, 0) == (int)node, "node %u does not own what it is to lose", node);
    fault_begin(w, &(struct fault){.type = FAULT_POWER_OFF, .node = node});
}

void set_link(struct world *w, unsigned node, bool is_up)
{
    struct sim_node *n = &w->node[node];
    n->has_link = is_up;
    for (unsigned vip = 0; vip < VIPS; vip++)
        agent_simple(w, n, EV_BAR, vip, BAR_LINK, !is_up);
}

void set_bar(struct world *w, unsigned node, unsigned bar, bool is_up)
{
    agent_simple(w, &w->node[node], EV_BAR, 0, bar, is_up);
}

void cut_etcd(struct world *w, unsigned node)
{
    w->node[node].is_etcd_cut = true;
}

void join_etcd(struct world *w, unsigned node)
{
    w->node[node].is_etcd_cut = false;
    world_at(w, w->now + world_between(w, 0, SECOND_US), SIM_WATCH, node, 0);
}

void lose_quorum(struct world *w)
{
    w->etcd.has_quorum = false;
}

void regain_quorum(struct world *w)
{
    fault_end(w, &(struct fault){.type = FAULT_QUORUM_LOST});
}

void delete_address(struct world *w, unsigned node)
{
    kernel_clear(w, &w->node[node], 0);
    agent_simple(w, &w->node[node], EV_ADDRESS_LOST, 0, 0, false);
}

void delete_key(struct world *w, unsigned node)
{
    etcd_delete_key(w, 0, lease_of(w, node));
}

void revoke_lease(struct world *w, unsigned node)
{
    etcd_revoke(w, lease_of(w, node));
}

void deliver_old_campaign(struct world *w, unsigned node)
{
    struct sim_message m = {
        .type = ACT_CAMPAIGN, .node = node, .life = w->node[node].life, .lease = lease_of(w, node)};
    etcd_request(w, &m);
    expect(w, key_of(w, node) != 0, "the old txn wrote no key");
}

void deliver_proof(struct world *w, unsigned node)
{
    struct sim_message m = {.type = ACT_CONFIRM,
                            .node = node,
                            .life = w->node[node].life,
                            .req = vip_of(w, node)->proof_req,
                            .revision = w->etcd.revision,
                            .n = w->etcd.n[0],
                            .released = w->etcd.released[0]};
    expect(w, m.req != 0, "node %u waits for no proof", node);
    memcpy(m.list, w->etcd.keys[0], sizeof(m.list));
    agent_answer(w, &m);
    check_step(w);
}

void wait_owner(struct world *w, int node, uint64_t usual, uint64_t worst)
{
    uint64_t start = w->now;
    while (!w->violation && world_owner(w, 0) != node && w->now < start + worst)
        run_for(w, TICK_US);
    expect(w, world_owner(w, 0) == node, "node %d does not own it after %u ms, node %d does", node,
           (unsigned)((w->now - start) / MS_US), world_owner(w, 0));
    was_slow |= w->now - start > usual;
}

void wait_state(struct world *w, unsigned node, enum vip_state state, uint64_t worst)
{
    uint64_t start = w->now;
    while (!w->violation && vip_of(w, node)->state != state && w->now < start + worst)
        run_for(w, TICK_US);
    expect(w, vip_of(w, node)->state == state, "node %u is %s, not %s, after %u ms", node,
           vip_state_name(vip_of(w, node)->state), vip_state_name(state),
           (unsigned)((w->now - start) / MS_US));
}

void expect_owner_for(struct world *w, int node, uint64_t us)
{
    for (uint64_t end = w->now + us; !w->violation && w->now < end; run_for(w, TICK_US))
        expect(w, world_owner(w, 0) == node, "node %d owns it, not %d", world_owner(w, 0), node);
}

void expect_no_other_for(struct world *w, int node, uint64_t us)
{
    for (uint64_t end = w->now + us; !w->violation && w->now < end; run_for(w, TICK_US)) {
        int owner = world_owner(w, 0);
        expect(w, owner == node || owner == NOBODY, "node %d owns it, not %d", owner, node);
    }
}

struct vip *vip_of(struct world *w, unsigned node)
{
    return &w->node[node].vips[0];
}

int64_t lease_of(const struct world *w, unsigned node)
{
    return w->node[node].election.session.lease;
}

int64_t key_of(const struct world *w, unsigned node)
{
    const struct sim_key *key = etcd_find(w, 0, lease_of(w, node));
    return key ? key->create : 0;
}

bool was_traced(const struct world *w, unsigned mark, const char *text)
{
    unsigned i = w->traced > TRACE_MAX ? w->traced - TRACE_MAX : 0;
    for (i = i > mark ? i : mark; i < w->traced; i++)
        if (strstr(w->trace[i % TRACE_MAX], text))
            return true;
    return false;
}

/* Whatever happened: everybody runs again, somebody owns it, and nobody leaves anything behind. */
static void end_well(struct world *w)
{
    if (w->violation)
        return;
    for (unsigned i = 0; i < w->nodes; i++)
        if (!w->node[i].is_agent_alive)
            start_agent(w, i);
    uint64_t end = w->now + WHOLE_US;
    while (!w->violation && world_owner(w, 0) == NOBODY && w->now < end)
        run_for(w, TICK_US);
    expect(w, world_owner(w, 0) != NOBODY, "nobody owns it in the end");
    for (unsigned i = 0; i < w->nodes; i++)
        stop_agent(w, i);
    run_for(w, 4 * SECOND_US);
    if (!w->violation)
        check_end(w);
}

static void print_failure(const struct world *w, const char *name)
{
    unsigned first = w->traced > TRACE_MAX ? w->traced - TRACE_MAX : 0;
    printf("not ok  %s\n  seed %u breaks %s: %s\n", name, (unsigned)w->seed, w->violation,
           w->violation_text);
    for (unsigned i = first; i < w->traced; i++)
        printf("    %s\n", w->trace[i % TRACE_MAX]);
}

static bool tell(struct world *w, const struct story *story)
{
    unsigned slow = 0;
    for (uint64_t seed = 1; seed <= SEEDS; seed++) {
        was_slow = false;
        world_init(w, seed);
        story->tell(w);
        end_well(w);
        if (w->violation) {
            print_failure(w, story->name);
            return false;
        }
        slow += was_slow;
    }
    if (slow > SEEDS / 3) {
        printf("not ok  %s\n  longer than usual in %u of %u seeds\n", story->name, slow, SEEDS);
        return false;
    }
    return true;
}

int stories_run(bool is_verbose)
{
    static const struct story *const books[] = {stories_of_processes, stories_of_etcd,
                                                stories_of_doubt, stories_of_peers,
                                                stories_of_requests};
    unsigned passed = 0, failed = 0;
    struct world *w = calloc(1, sizeof(*w));
    if (!w)
        return 70;
    for (size_t i = 0; i < sizeof(books) / sizeof(books[0]); i++)
        for (const struct story *story = books[i]; story->name; story++) {
            bool is_good = tell(w, story);
            passed += is_good;
            failed += !is_good;
            if (is_verbose && is_good)
                printf("ok      %s\n", story->name);
        }
    free(w);
    printf("stories: %u passed, %u failed\n", passed, failed);
    return failed ? 1 : 0;
}
