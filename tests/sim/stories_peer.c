/* SPDX-License-Identifier: MIT */
/* The peer lease: what a silent owner costs, and what must not cost anything. */
#include "stories.h"

/* The window, the jitter, and a few answers of etcd. */
#define ENDED_US (600 * MS_US)
/* When some of those answers take 0.4 s each. */
#define SLOW_ENDED_US (2600 * MS_US)
/* As long as one that stops waits for an owner that does not answer. */
#define LEAVE_US (290 * MS_US)

static const struct peer_record *record_of(const struct world *w, unsigned node)
{
    return &w->etcd.record[node].record;
}

static void start_peers(struct world *w)
{
    w->has_peers = true;
    start_all(w, FENCED);
    expect(w, world_owner(w, 0) == OWNER, "the first of the queue does not own it");
    expect(w, record_of(w, OWNER)->n == w->nodes, "the owner named %u voters",
           record_of(w, OWNER)->n);
    expect(w, record_of(w, HEIR)->revision && record_of(w, HEIR)->n == 0,
           "one that owns nothing named voters");
    run_for(w, world_between(w, 0, 200 * MS_US));
}

static void cut_vip(struct world *w, unsigned node, bool is_cut)
{
    w->node[node].is_vip_cut = is_cut;
}

/* The process dies with its machine; nobody is told. */
static void lose_machine(struct world *w, unsigned node)
{
    struct sim_node *n = &w->node[node];
    n->is_guardian_alive = false;
    agent_kill(w, n);
    n->is_powered = false;
    for (unsigned vip = 0; vip < VIPS; vip++) {
        kernel_clear(w, n, vip);
        n->slot[vip] = SLOT_PASS;
    }
}

static void machine_dead(struct world *w)
{
    start_peers(w);
    int64_t key = key_of(w, OWNER);
    unsigned mark = w->traced;
    lose_machine(w, OWNER);
    wait_owner(w, HEIR, ENDED_US, SLOW_ENDED_US);
    expect(w, w->etcd.released[0] == key, "nobody recorded the release");
    expect(w, !was_traced(w, mark, "-> probing"), "an owner that was ended was probed for");
    expect(w, w->endings == 1, "ended %u times", w->endings);
    run_for(w, 3 * SECOND_US);
    start_agent(w, OWNER);
    expect_owner_for(w, HEIR, 5 * SECOND_US);
    expect(w, record_of(w, HEIR)->n == 3, "the new owner has no voters");
}

static void all_frozen(struct world *w)
{
    start_peers(w);
    freeze_all_of(w, OWNER);
    wait_owner(w, HEIR, ENDED_US, SLOW_ENDED_US);
    run_for(w, 30 * SECOND_US);
    thaw_all_of(w, OWNER);
    expect_owner_for(w, HEIR, 8 * SECOND_US);
    expect(w, vip_of(w, OWNER)->state == VIP_QUEUED, "who comes back is not in the queue");
}

/* Back while its etcd right still lasts: only the peer lease keeps it mute. */
static void frozen_for_a_second(struct world *w)
{
    start_peers(w);
    freeze_all_of(w, OWNER);
    wait_owner(w, HEIR, ENDED_US, SLOW_ENDED_US);
    cut_etcd(w, OWNER);
    thaw_all_of(w, OWNER);
    expect_owner_for(w, HEIR, 3 * SECOND_US);
    join_etcd(w, OWNER);
    expect_owner_for(w, HEIR, 5 * SECOND_US);
}

static void vip_network_cut(struct world *w)
{
    start_peers(w);
    cut_vip(w, OWNER, true);
    wait_owner(w, HEIR, ENDED_US, SLOW_ENDED_US);
    run_for(w, world_between(w, 0, 10 * SECOND_US));
    cut_vip(w, OWNER, false);
    expect_owner_for(w, HEIR, 5 * SECOND_US);
    wait_state(w, OWNER, VIP_QUEUED, 3 * SECOND_US);
}

static void both_networks_cut(struct world *w)
{
    start_peers(w);
    cut_vip(w, OWNER, true);
    cut_etcd(w, OWNER);
    wait_owner(w, HEIR, ENDED_US, SLOW_ENDED_US);
    run_for(w, world_between(w, 0, 10 * SECOND_US));
    cut_vip(w, OWNER, false);
    join_etcd(w, OWNER);
    expect_owner_for(w, HEIR, 8 * SECOND_US);
}

static void cut_from_etcd(struct world *w)
{
    start_peers(w);
    cut_etcd(w, OWNER);
    expect_owner_for(w, OWNER, 3 * SECOND_US);
    wait_owner(w, HEIR, 2700 * MS_US, 4 * SECOND_US);
    expect(w, w->endings == 0, "it was ended though all heard it");
    join_etcd(w, OWNER);
    expect_owner_for(w, HEIR, 5 * SECOND_US);
}

static void followers_restarted(struct world *w)
{
    start_peers(w);
    for (unsigned i = HEIR; i <= LAST; i++) {
        stop_agent(w, i);
        expect_owner_for(w, OWNER, 2 * SECOND_US);
        expect(w, !w->node[i].is_agent_alive, "node %u did not end", i);
        expect(w, record_of(w, OWNER)->n == 0, "two voters are a majority");
        start_agent(w, i);
        expect_owner_for(w, OWNER, 2 * SECOND_US);
        expect(w, record_of(w, OWNER)->n == 3, "it did not find its voters again");
    }
}

static void followers_restarted_at_once(struct world *w)
{
    start_peers(w);
    bool is_killed = w->seed % 2;
    for (unsigned i = HEIR; i <= LAST; i++)
        if (is_killed)
            agent_kill(w, &w->node[i]);
        else
            stop_agent(w, i);
    expect_owner_for(w, OWNER, 2 * SECOND_US);
    for (unsigned i = HEIR; i <= LAST; i++)
        start_agent(w, i);
    expect_owner_for(w, OWNER, 3 * SECOND_US);
    expect(w, record_of(w, OWNER)->n == 3, "it did not find its voters again");
}

/* Whoever stops waits until it is not counted on; without that it would be gone at once. */
static void leaving_is_said_first(struct world *w)
{
    start_peers(w);
    uint64_t stopped = w->now;
    stop_agent(w, LAST);
    expect(w, w->node[LAST].is_agent_alive && lease_of(w, LAST) != 0, "gone without a word");
    for (uint64_t end = w->now + SECOND_US; w->node[LAST].is_agent_alive && w->now < end;) {
        bool is_voter = record_of(w, OWNER)->n == 3;
        run_for(w, 50);
        expect(w, w->node[LAST].is_agent_alive || !is_voter || w->now > stopped + LEAVE_US,
               "it ended as a voter");
    }
}

static void loss_of_a_fifth(struct world *w)
{
    start_peers(w);
    w->vip_loss_percent = 20;
    expect_owner_for(w, OWNER, 60 * SECOND_US);
    expect(w, w->endings == 0, "it was ended");
}

/* A follower that the owner does not reach asks the other in vain, and gives nothing up itself. */
static void one_follower_deaf(struct world *w)
{
    start_peers(w);
    w->is_deaf_to[HEIR][OWNER] = true;
    expect_owner_for(w, OWNER, 10 * SECOND_US);
    expect(w, w->node[HEIR].election.peer.grants == 0, "it gave up an owner that others hear");
    expect(w, w->node[HEIR].election.peer.suspicions > 0, "it suspected nobody");
}

/* The owner hears nobody, and is heard by all: mute, and nobody ends it before its lease does. */
static void owner_deaf(struct world *w)
{
    start_peers(w);
    for (unsigned i = HEIR; i <= LAST; i++)
        w->is_deaf_to[OWNER][i] = true;
    expect_no_other_for(w, OWNER, 3 * SECOND_US);
    expect(w, world_owner(w, 0) == NOBODY, "it speaks though nobody acknowledges");
    expect(w, w->node[OWNER].address[0].is_on, "the address went with a mute");
    for (unsigned i = HEIR; i <= LAST; i++)
        w->is_deaf_to[OWNER][i] = false;
    unsigned before = vip_of(w, OWNER)->announce.round;
    wait_owner(w, OWNER, 150 * MS_US, 200 * MS_US);
    expect(w, vip_of(w, OWNER)->announce.round < before || before == 0, "it did not announce anew");
    expect_owner_for(w, OWNER, 5 * SECOND_US);
}

/* As when a packet filter drops what comes to its port. It must not stay mute for ever. */
static void owner_deaf_for_good(struct world *w)
{
    start_peers(w);
    for (unsigned i = HEIR; i <= LAST; i++)
        w->is_deaf_to[OWNER][i] = true;
    expect_no_other_for(w, OWNER, 7 * SECOND_US);
    wait_owner(w, HEIR, 2 * SECOND_US, 3 * SECOND_US);
    expect(w, w->endings == 0, "it was ended by those who hear it");
    expect_owner_for(w, HEIR, 10 * SECOND_US);
    expect(w, vip_of(w, OWNER)->state == VIP_QUEUED, "it does not stand in the queue again");
}

/* Nobody hears anybody, and etcd works: as without the peer lease, after a while. */
static void all_deaf(struct world *w)
{
    start_peers(w);
    for (unsigned i = 0; i < w->nodes; i++)
        for (unsigned k = 0; k < w->nodes; k++)
            w->is_deaf_to[i][k] = i != k;
    wait_owner(w, HEIR, 8 * SECOND_US, 9 * SECOND_US);
    expect_owner_for(w, HEIR, 20 * SECOND_US);
    expect(w, record_of(w, HEIR)->n == 0, "it counts on voters that it never heard");
}

/* Both gave it up, and the one who wanted to end it died: under another term they count again. */
static void given_up_and_not_ended(struct world *w)
{
    start_peers(w);
    int64_t term = record_of(w, OWNER)->term;
    w->is_deaf_to[HEIR][OWNER] = w->is_deaf_to[LAST][OWNER] = true;
    w->node[HEIR].is_etcd_cut = w->node[LAST].is_etcd_cut = true;
    run_for(w, 700 * MS_US);
    expect(w, w->node[LAST].election.peer.grants == 1, "it was not given up");
    expect(w, world_owner(w, 0) == NOBODY, "given up, and not mute");
    lose_machine(w, LAST);
    w->is_deaf_to[HEIR][OWNER] = false;
    struct peer_hunt *hunts = w->node[HEIR].election.peer.hunts;
    for (unsigned i = 0; i < PEERS_MAX; i++)
        if (hunts[i].state == HUNT_ENDING)
            hunts[i].due_us = NEVER_US; /* as if it had died instead */
    wait_owner(w, OWNER, 200 * MS_US, 2 * SECOND_US);
    expect(w, record_of(w, OWNER)->term > term, "the same term counts again");
    w->node[HEIR].is_etcd_cut = w->node[LAST].is_etcd_cut = false;
    run_for(w, 2 * SECOND_US);
}

/* Ended, and the answer to the txn lost: nothing hangs. */
static void ender_dies(struct world *w)
{
    start_peers(w);
    cut_vip(w, OWNER, true);
    for (uint64_t end = w->now + SECOND_US; w->endings == 0 && w->now < end;)
        run_for(w, 50);
    expect(w, w->endings == 1, "nobody ended it");
    int ender = was_traced(w, 0, "node 1 ends the lease") ? HEIR : LAST;
    lose_machine(w, (unsigned)ender);
    int next = ender == HEIR ? LAST : HEIR;
    wait_owner(w, next, 8 * SECOND_US, 8 * SECOND_US);
    /* The lease was not revoked: its owner must see by itself that it is worth nothing. */
    cut_vip(w, OWNER, false);
    run_for(w, 8 * SECOND_US); /* and the ender's key is gone */
    stop_agent(w, (unsigned)next);
    wait_owner(w, OWNER, SECOND_US, SLOW_ENDED_US);
    expect_owner_for(w, OWNER, SECOND_US);
}

/* It hung at the member of etcd that died with the owner. */
static void watch_deaf(struct world *w)
{
    start_peers(w);
    w->node[HEIR].is_watch_deaf = true;
    lose_machine(w, OWNER);
    wait_owner(w, HEIR, ENDED_US, SLOW_ENDED_US);
    w->node[HEIR].is_watch_deaf = false;
    expect_owner_for(w, HEIR, 3 * SECOND_US);
}

/* The window of 150 ms is for those who want it as fast as may be. */
static void small_window(struct world *w)
{
    w->window_us = 150 * MS_US;
    start_peers(w);
    lose_machine(w, OWNER);
    wait_owner(w, HEIR, 230 * MS_US, SLOW_ENDED_US);
}

static void five_nodes(struct world *w)
{
    w->nodes = 5;
    start_peers(w);
    lose_machine(w, 4);
    lose_machine(w, 3);
    expect_owner_for(w, OWNER, 2 * SECOND_US);
    lose_machine(w, OWNER);
    run_for(w, 2 * SECOND_US);
    expect(w, w->endings == 0, "two of five ended it");
    wait_owner(w, HEIR, 5 * SECOND_US, 8 * SECOND_US);
}

/* An agent that slept has heard nothing, and that says nothing about the owner. */
static void follower_slept(struct world *w)
{
    start_peers(w);
    for (unsigned i = HEIR; i <= LAST; i++) {
        agent_freeze(w, &w->node[i]);
        w->is_deaf_to[i][OWNER] = true; /* nor is anything left in its socket */
    }
    run_for(w, 2 * SECOND_US);
    expect(w, world_owner(w, 0) == NOBODY, "it speaks though nobody acknowledges");
    for (unsigned i = HEIR; i <= LAST; i++) {
        w->is_deaf_to[i][OWNER] = false;
        agent_thaw(w, &w->node[i]);
    }
    wait_owner(w, OWNER, 150 * MS_US, 300 * MS_US);
    expect_owner_for(w, OWNER, 3 * SECOND_US);
    expect(w, w->endings == 0, "it was ended by those who slept");
}

static void without_a_fence(struct world *w)
{
    w->has_peers = true;
    start_all(w, PLAIN);
    expect(w, record_of(w, OWNER)->revision == 0, "an owner without packet fence takes part");
    expect(w, w->node[OWNER].election.peer.owner.right_us == NEVER_US, "it obeys somebody");
}

const struct story stories_of_peers[] = {
    {"peers: machine dead", machine_dead},
    {"peers: all frozen for 30 s", all_frozen},
    {"peers: frozen for a second", frozen_for_a_second},
    {"peers: VIP network cut", vip_network_cut},
    {"peers: both networks cut", both_networks_cut},
    {"peers: owner cut from etcd", cut_from_etcd},
    {"peers: followers restarted one after the other", followers_restarted},
    {"peers: followers restarted at once", followers_restarted_at_once},
    {"peers: who stops says so first", leaving_is_said_first},
    {"peers: a fifth of the datagrams lost", loss_of_a_fifth},
    {"peers: one follower does not hear the owner", one_follower_deaf},
    {"peers: the owner hears nobody", owner_deaf},
    {"peers: the owner hears nobody, for good", owner_deaf_for_good},
    {"peers: nobody hears anybody", all_deaf},
    {"peers: the heir's watch is deaf", watch_deaf},
    {"peers: given up and not ended", given_up_and_not_ended},
    {"peers: who ended it dies", ender_dies},
    {"peers: a window of 150 ms", small_window},
    {"peers: two of five are no majority", five_nodes},
    {"peers: the followers slept", follower_slept},
    {"peers: no packet fence", without_a_fence},
    {NULL, NULL},
};
