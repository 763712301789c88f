/* SPDX-License-Identifier: MIT */
/* Processes that end, die and hang; machines, links and addresses. */
#include "stories.h"

/* Words of docs/design.md: a planned move costs milliseconds. */
#define MOVE_US (30 * MS_US)
/* A few answers of etcd that take 0.4 s each. */
#define SLOW_MOVE_US (1800 * MS_US)
/* Three probes, and the proof asked again. */
#define PROBED_US (120 * MS_US)
/* What a lease of 5 s allows, etcd's check of it every 0.5 s, and probing. */
#define LEASE_US (5700 * MS_US)
#define SLOW_LEASE_US (7000 * MS_US)

static void planned_stop(struct world *w)
{
    start_all(w, FENCED);
    int64_t key = key_of(w, OWNER);
    expect(w, world_owner(w, 0) == OWNER, "the first of the queue does not own it");
    unsigned mark = w->traced;
    stop_agent(w, OWNER);
    wait_owner(w, HEIR, MOVE_US, SLOW_MOVE_US);
    expect(w, w->etcd.released[0] == key, "the release is not on record");
    expect(w, !was_traced(w, mark, "-> probing"), "an owner that said good-bye was probed for");
    run_for(w, 4 * SECOND_US);
    expect(w, !w->node[OWNER].is_agent_alive, "the agent did not end");
}

static void kill_agent(struct world *w)
{
    start_all(w, FENCED);
    int64_t key = key_of(w, OWNER);
    agent_kill(w, &w->node[OWNER]);
    wait_owner(w, HEIR, MOVE_US, SLOW_MOVE_US);
    expect(w, w->etcd.released[0] == key, "the guardian did not record the release");
}

static void kill_guardian_only(struct world *w)
{
    start_all(w, FENCED);
    kill_guardian(w, OWNER);
    expect_owner_for(w, OWNER, 10 * SECOND_US);
    expect(w, w->node[OWNER].is_guardian_alive, "nobody started another guardian");
}

static void kill_both(struct world *w, bool is_fenced)
{
    start_all(w, is_fenced);
    unsigned mark = w->traced;
    w->node[OWNER].is_guardian_alive = false;
    agent_kill(w, &w->node[OWNER]);
    wait_owner(w, HEIR, LEASE_US, SLOW_LEASE_US);
    expect(w, was_traced(w, mark, "node 1 vip0 confirming -> probing"),
           "an owner that left no word was not probed for");
    start_agent(w, OWNER);
    expect_owner_for(w, HEIR, 5 * SECOND_US);
    expect(w, key_of(w, OWNER) > key_of(w, LAST), "who comes back is not last in the queue");
}

static void kill_both_fenced(struct world *w)
{
    kill_both(w, FENCED);
}

static void kill_both_plain(struct world *w)
{
    kill_both(w, PLAIN);
}

static void freeze_agent(struct world *w)
{
    start_all(w, FENCED);
    agent_freeze(w, &w->node[OWNER]);
    wait_owner(w, HEIR, LEASE_US, SLOW_LEASE_US);
    expect(w, !w->node[OWNER].address[0].is_on, "the guardian left the address of a frozen agent");
    run_for(w, 24 * SECOND_US);
    agent_thaw(w, &w->node[OWNER]);
    expect_owner_for(w, HEIR, 8 * SECOND_US);
    expect(w, key_of(w, OWNER) > key_of(w, LAST), "who comes back is not last in the queue");
}

static void freeze_both(struct world *w, bool is_fenced)
{
    start_all(w, is_fenced);
    freeze_all_of(w, OWNER);
    wait_owner(w, HEIR, LEASE_US, SLOW_LEASE_US);
    run_for(w, 24 * SECOND_US);
    thaw_all_of(w, OWNER);
    expect_owner_for(w, HEIR, 8 * SECOND_US);
    expect(w, vip_of(w, OWNER)->state == VIP_QUEUED, "who comes back is not in the queue");
}

static void freeze_both_fenced(struct world *w)
{
    freeze_both(w, FENCED);
}

static void freeze_both_plain(struct world *w)
{
    freeze_both(w, PLAIN);
}

/* Nobody hears the frozen one, so only its kernel keeps the promise. */
static void freeze_unseen(struct world *w, bool is_fenced)
{
    start_all(w, is_fenced);
    run_for(w, world_between(w, 0, SECOND_US));
    freeze_all_of(w, OWNER);
    w->node[OWNER].is_vip_cut = true;
    expect_no_other_for(w, OWNER, 3 * SECOND_US);
    run_for(w, 5 * SECOND_US);
    expect(w, world_owner(w, 0) == HEIR, "nobody took over");
    w->node[OWNER].is_vip_cut = false;
    run_for(w, 20 * SECOND_US);
    thaw_all_of(w, OWNER);
    expect_owner_for(w, HEIR, 5 * SECOND_US);
}

static void freeze_unseen_fenced(struct world *w)
{
    freeze_unseen(w, FENCED);
}

static void freeze_unseen_plain(struct world *w)
{
    freeze_unseen(w, PLAIN);
}

/* The heir stops between any two actions of taking, and goes on 30 s later. */
static void freeze_while_taking(struct world *w)
{
    start_all(w, FENCED);
    w->node[HEIR].is_guardian_frozen = true;
    stop_agent(w, OWNER);
    wait_state(w, HEIR, VIP_CONFIRMING, 50 * MS_US);
    w->midway_node = HEIR;
    w->midway_at = (unsigned)(w->seed % 4);
    run_for(w, 2 * SECOND_US);
    expect(w, w->node[HEIR].is_agent_frozen, "it did not stop on the way");
    run_for(w, 28 * SECOND_US);
    expect(w, world_owner(w, 0) == LAST, "the last one did not take over");
    thaw_all_of(w, HEIR);
    expect_owner_for(w, LAST, 5 * SECOND_US);
}

static void link_down(struct world *w)
{
    start_all(w, FENCED);
    set_link(w, OWNER, false);
    expect(w, !w->node[OWNER].address[0].is_on, "an address stays on a dead link");
    wait_owner(w, HEIR, MOVE_US, SLOW_MOVE_US);
    set_link(w, OWNER, true);
    run_for(w, 900 * MS_US);
    expect(w, key_of(w, OWNER) == 0, "back in the queue within a second of the fault");
    wait_state(w, OWNER, VIP_QUEUED, 2 * SECOND_US);
    expect(w, key_of(w, OWNER) > key_of(w, LAST), "who comes back is not last in the queue");
    expect_owner_for(w, HEIR, 5 * SECOND_US);
}

static void pause_one_vip(struct world *w)
{
    start_all(w, FENCED);
    int other = world_owner(w, 1);
    set_bar(w, OWNER, BAR_PAUSE, true);
    wait_owner(w, HEIR, MOVE_US, SLOW_MOVE_US);
    expect_owner_for(w, HEIR, 5 * SECOND_US);
    expect(w, key_of(w, OWNER) == 0, "a paused node is in the queue");
    expect(w, world_owner(w, 1) == other, "the other VIP moved too");
    set_bar(w, OWNER, BAR_PAUSE, false);
    wait_state(w, OWNER, VIP_QUEUED, 3 * SECOND_US);
}

static void address_deleted(struct world *w)
{
    start_all(w, FENCED);
    run_for(w, 6 * SECOND_US);
    delete_address(w, OWNER);
    expect(w, world_owner(w, 0) == OWNER, "the address was not put back at once");
    expect(w, vip_of(w, OWNER)->readded == 1, "nobody counted it");
    expect(w, vip_of(w, OWNER)->announce.round == 1, "it was put back without a word");
    run_for(w, SECOND_US);
    expect(w, vip_of(w, OWNER)->announce.round >= 5, "the schedule did not start again");
}

static void power_lost(struct world *w)
{
    start_all(w, FENCED);
    power_off(w, OWNER);
    wait_owner(w, HEIR, LEASE_US, SLOW_LEASE_US);
    start_agent(w, OWNER);
    expect_owner_for(w, HEIR, 5 * SECOND_US);
}

static void no_guardian(struct world *w)
{
    start_all(w, FENCED);
    lose_guardian(w, HEIR);
    stop_agent(w, OWNER);
    expect_no_other_for(w, OWNER, 4 * SECOND_US);
    expect(w, vip_of(w, HEIR)->state == VIP_QUEUED, "it goes for the address without a guardian");
    w->node[HEIR].is_guardian_alive = true;
    agent_simple(w, &w->node[HEIR], EV_GUARDIAN, 0, 0, true);
    wait_owner(w, HEIR, 1100 * MS_US, 3 * SECOND_US);
}

/* The key is gone, and the kernel will not let go of the address: the fence must be shut. */
static void delete_refused(struct world *w)
{
    start_all(w, FENCED);
    w->node[OWNER].refuses_delete = true;
    delete_key(w, OWNER);
    wait_owner(w, HEIR, PROBED_US, SLOW_MOVE_US);
    expect(w, w->node[OWNER].address[0].is_on, "the kernel gave in");
    expect(w, w->node[OWNER].slot[0] == SLOT_SHUT, "the fence is open");
    expect_owner_for(w, HEIR, 10 * SECOND_US);
    w->node[OWNER].refuses_delete = false;
    wait_state(w, OWNER, VIP_QUEUED, 3 * SECOND_US);
    expect(w, !w->node[OWNER].address[0].is_on && w->node[OWNER].slot[0] == SLOT_PASS,
           "the address or its fence is left behind");
}

/* The other way round: the kernel refuses in a planned move, and then the key goes. Nobody hears
 * the old owner, so the heir cannot know that it still answers. */
static void delete_refused_first(struct world *w)
{
    start_all(w, FENCED);
    w->node[OWNER].is_vip_cut = true;
    w->node[OWNER].refuses_delete = true;
    set_bar(w, OWNER, BAR_HEALTH, true);
    run_for(w, SECOND_US);
    delete_key(w, OWNER);
    wait_owner(w, HEIR, PROBED_US, SLOW_MOVE_US);
    expect_owner_for(w, HEIR, 10 * SECOND_US);
    w->node[OWNER].refuses_delete = w->node[OWNER].is_vip_cut = false;
    set_bar(w, OWNER, BAR_HEALTH, false);
    wait_state(w, OWNER, VIP_QUEUED, 3 * SECOND_US);
}

const struct story stories_of_processes[] = {
    {"planned stop", planned_stop},
    {"kill -9 of the agent", kill_agent},
    {"kill -9 of the guardian", kill_guardian_only},
    {"kill -9 of both, packet fence", kill_both_fenced},
    {"kill -9 of both, no packet fence", kill_both_plain},
    {"agent frozen for 30 s", freeze_agent},
    {"all frozen for 30 s, packet fence", freeze_both_fenced},
    {"all frozen for 30 s, no packet fence", freeze_both_plain},
    {"all frozen and out of sight, packet fence", freeze_unseen_fenced},
    {"all frozen and out of sight, no packet fence", freeze_unseen_plain},
    {"frozen between two actions of taking", freeze_while_taking},
    {"link down", link_down},
    {"one VIP paused", pause_one_vip},
    {"address deleted by somebody else", address_deleted},
    {"power lost", power_lost},
    {"no guardian, no address", no_guardian},
    {"kernel refuses to delete after the key was lost", delete_refused},
    {"key deleted after the kernel refused to delete", delete_refused_first},
    {NULL, NULL},
};
