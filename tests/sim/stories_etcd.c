/* SPDX-License-Identifier: MIT */
/* etcd that is cut off, leaderless or gone, keys and leases taken away by hand, other candidates,
 * and watches that lie. */
#include "stories.h"

#define MOVE_US (30 * MS_US)
#define SLOW_MOVE_US (1800 * MS_US)
#define PROBED_US (120 * MS_US)
#define LEASE_US (5700 * MS_US)
#define SLOW_LEASE_US (7000 * MS_US)
#define LONG_US (600 * SECOND_US)

static void etcd_cut(struct world *w, bool is_fenced)
{
    start_all(w, is_fenced);
    run_for(w, world_between(w, 0, SECOND_US));
    cut_etcd(w, OWNER);
    /* The renewal before the cut is less than a second and a half old. */
    expect_owner_for(w, OWNER, (is_fenced ? 3000 : 1500) * MS_US);
    wait_owner(w, HEIR, LEASE_US, SLOW_LEASE_US);
    expect(w, !w->node[OWNER].address[0].is_on, "an address is on past its deadline");
    run_for(w, 5 * SECOND_US);
    join_etcd(w, OWNER);
    expect_owner_for(w, HEIR, 5 * SECOND_US);
    expect(w, key_of(w, OWNER) > key_of(w, LAST), "who comes back is not last in the queue");
}

static void etcd_cut_fenced(struct world *w)
{
    etcd_cut(w, FENCED);
}

static void etcd_cut_plain(struct world *w)
{
    etcd_cut(w, PLAIN);
}

static void leader_lost(struct world *w)
{
    start_all(w, FENCED);
    int64_t key = key_of(w, OWNER);
    run_for(w, world_between(w, 0, SECOND_US));
    etcd_leader_lost(w, OWNER);
    expect_owner_for(w, OWNER, 10 * SECOND_US);
    expect(w, key_of(w, OWNER) == key, "the key changed");
}

/* Nobody may own it when nobody can prove it; the one whose key kept its place goes on. */
static void quorum_lost(struct world *w)
{
    start_all(w, FENCED);
    int64_t key = key_of(w, OWNER);
    lose_quorum(w);
    expect_no_other_for(w, OWNER, 4700 * MS_US);
    expect_owner_for(w, NOBODY, 10 * SECOND_US);
    unsigned mark = w->traced;
    regain_quorum(w);
    wait_owner(w, OWNER, 3500 * MS_US, 5 * SECOND_US);
    expect(w, key_of(w, OWNER) == key, "the key changed");
    expect(w, !was_traced(w, mark, "-> probing"), "it looked for an owner that was itself");
}

static void announce_after_lapse(struct world *w)
{
    start_all(w, FENCED);
    lose_quorum(w);
    run_for(w, 8 * SECOND_US);
    regain_quorum(w);
    wait_owner(w, OWNER, 3500 * MS_US, 5 * SECOND_US);
    run_for(w, 50 * MS_US);
    expect(w, vip_of(w, OWNER)->announce.round == 2, "announcement %u after 50 ms",
           vip_of(w, OWNER)->announce.round);
    run_for(w, SECOND_US);
    expect(w, vip_of(w, OWNER)->announce.round >= 5, "the schedule did not start again");
}

/* The right did not run out, but nobody knows what the network learned in between. */
static void announce_after_doubt(struct world *w)
{
    start_all(w, FENCED);
    run_for(w, 6 * SECOND_US);
    uint64_t before = vip_of(w, OWNER)->announce.started_us;
    w->node[OWNER].is_etcd_cut = true;
    run_for(w, 2500 * MS_US);
    expect(w, vip_of(w, OWNER)->announce.started_us == before, "announced anew without a reason");
    join_etcd(w, OWNER);
    expect_owner_for(w, OWNER, 1500 * MS_US);
    expect(w, vip_of(w, OWNER)->announce.started_us > before, "a late renewal without a word");
}

static void lease_revoked(struct world *w)
{
    start_all(w, FENCED);
    unsigned mark = w->traced;
    revoke_lease(w, OWNER);
    wait_owner(w, HEIR, PROBED_US, SLOW_MOVE_US);
    expect(w, was_traced(w, mark, "node 1 vip0 confirming -> probing"), "taken without probing");
    wait_state(w, OWNER, VIP_QUEUED, 5 * SECOND_US);
    expect(w, key_of(w, OWNER) > key_of(w, LAST), "who comes back is not last in the queue");
    expect(w, world_owner(w, 0) == HEIR, "it moved again");
}

static void key_deleted(struct world *w)
{
    start_all(w, FENCED);
    unsigned mark = w->traced;
    delete_key(w, OWNER);
    wait_owner(w, HEIR, PROBED_US, SLOW_MOVE_US);
    expect(w, was_traced(w, mark, "node 1 vip0 confirming -> probing"), "taken without probing");
    wait_state(w, OWNER, VIP_QUEUED, 5 * SECOND_US);
    expect(w, key_of(w, OWNER) > key_of(w, LAST), "who comes back is not last in the queue");
}

/* A Talos node or `etcdctl elect` was first. */
static void foreign_first(struct world *w)
{
    int64_t lease = etcd_foreign_candidate(w, 0, LONG_US);
    start_all(w, FENCED);
    expect_owner_for(w, NOBODY, 15 * SECOND_US);
    unsigned mark = w->traced;
    etcd_revoke(w, lease);
    wait_owner(w, OWNER, PROBED_US, SLOW_MOVE_US);
    expect(w, was_traced(w, mark, "-> probing"), "taken without probing");
}

static void foreign_behind(struct world *w)
{
    start_all(w, FENCED);
    int64_t lease = etcd_foreign_candidate(w, 0, LONG_US);
    expect_owner_for(w, OWNER, 5 * SECOND_US);
    stop_agent(w, OWNER);
    wait_owner(w, HEIR, MOVE_US, SLOW_MOVE_US);
    stop_agent(w, HEIR);
    wait_owner(w, LAST, MOVE_US, SLOW_MOVE_US);
    stop_agent(w, LAST);
    run_for(w, 4 * SECOND_US);
    expect(w, w->etcd.n[0] == 1 && w->etcd.keys[0][0].lease == lease, "it does not lead");
    start_agent(w, OWNER);
    expect_owner_for(w, NOBODY, 10 * SECOND_US);
    etcd_revoke(w, lease);
    wait_owner(w, OWNER, PROBED_US, SLOW_MOVE_US);
}

/* Somebody outside the election has the address and says so. */
/* Who stands behind more candidates than a list shows waits like anybody else. */
static void queue_too_long(struct world *w)
{
    int64_t crowd[QUEUE_MAX + 4];
    const unsigned n = sizeof(crowd) / sizeof(crowd[0]);
    start_all(w, FENCED);
    delete_key(w, LAST);
    for (unsigned i = 0; i < n; i++)
        crowd[i] = etcd_foreign_candidate(w, 0, LONG_US);
    run_for(w, 50 * MS_US);
    unsigned mark = w->traced;
    wait_state(w, LAST, VIP_QUEUED, 5 * SECOND_US);
    int64_t key = key_of(w, LAST);
    expect(w, key > key_of(w, HEIR), "the last one stands before the crowd");
    run_for(w, 10 * SECOND_US);
    agent_watch(w, &w->node[LAST], true); /* it hears of the queue anew */
    expect_owner_for(w, OWNER, 5 * SECOND_US);
    expect(w, key_of(w, LAST) == key, "its place was given up");
    expect(w, vip_of(w, LAST)->state == VIP_QUEUED, "it does not wait");
    expect(w, !was_traced(w, mark, "(key_deleted)"), "it missed a key that was there");
    stop_agent(w, HEIR);
    stop_agent(w, OWNER);
    for (unsigned i = 0; i < n; i++)
        etcd_revoke(w, crowd[i]);
    wait_owner(w, LAST, 500 * MS_US, 7 * SECOND_US);
}

static void foreign_owner(struct world *w)
{
    start_all(w, FENCED);
    revoke_lease(w, OWNER);
    for (uint64_t end = w->now + 10 * SECOND_US; !w->violation && w->now < end;) {
        agent_simple(w, &w->node[HEIR], EV_PROBE_ANSWERED, 0, 0, false);
        expect(w, world_owner(w, 0) != HEIR, "taken from somebody who answers");
        run_for(w, 5 * MS_US);
    }
    expect(w, vip_of(w, HEIR)->state == VIP_PROBING, "node 1 gave up waiting");
    expect(w, vip_of(w, HEIR)->is_foreign, "nobody was told");
    wait_owner(w, HEIR, 2 * SECOND_US, 4 * SECOND_US);
}

static void deaf_owner(struct world *w)
{
    start_all(w, FENCED);
    w->node[OWNER].is_watch_deaf = true;
    delete_key(w, OWNER);
    wait_owner(w, HEIR, 1200 * MS_US, 2500 * MS_US);
    expect(w, !w->node[OWNER].address[0].is_on, "the deaf one did not notice");
    w->node[OWNER].is_watch_deaf = false;
    world_at(w, w->now, SIM_WATCH, OWNER, 0);
}

/* Each verdict comes when the next renewal is out already. */
static void deaf_owner_of_a_slow_etcd(struct world *w)
{
    w->ttl_us = 2 * SECOND_US;
    w->slow_check_us = 700 * MS_US;
    deaf_owner(w);
}

static void deaf_heir(struct world *w)
{
    start_all(w, FENCED);
    w->node[HEIR].is_watch_deaf = true;
    stop_agent(w, OWNER);
    wait_owner(w, HEIR, 1200 * MS_US, 3000 * MS_US);
    w->node[HEIR].is_watch_deaf = false;
    world_at(w, w->now, SIM_WATCH, HEIR, 0);
}

static void compaction(struct world *w)
{
    start_all(w, FENCED);
    for (unsigned i = 0; i < w->nodes; i++)
        agent_watch(w, &w->node[i], true);
    expect_owner_for(w, OWNER, 3 * SECOND_US);
    w->node[HEIR].is_watch_deaf = true;
    stop_agent(w, OWNER);
    run_for(w, 20 * MS_US);
    w->node[HEIR].is_watch_deaf = false;
    agent_watch(w, &w->node[HEIR], true); /* what it missed is not told, only what is left */
    wait_owner(w, HEIR, MOVE_US, SLOW_MOVE_US);
}

/* A txn that was given up, or repeated by a layer below, is carried out while we may not lead. */
static void ghost_key(struct world *w, unsigned bar)
{
    start_all(w, FENCED);
    set_bar(w, HEIR, bar, true);
    run_for(w, SECOND_US);
    expect(w, key_of(w, HEIR) == 0, "a barred node is in the queue");
    int64_t released = w->etcd.released[0];
    deliver_old_campaign(w, HEIR);
    run_for(w, 2 * SECOND_US);
    expect(w, key_of(w, HEIR) == 0, "the ghost was left in the queue");
    expect(w, w->etcd.released[0] == released, "a release by one that never owned");
    expect(w, world_owner(w, 0) == OWNER, "it moved");
    set_bar(w, HEIR, bar, false);
}

static void ghost_key_while_ill(struct world *w)
{
    ghost_key(w, BAR_HEALTH);
}

static void ghost_key_while_paused(struct world *w)
{
    ghost_key(w, BAR_PAUSE);
}

const struct story stories_of_etcd[] = {
    {"etcd cut, packet fence", etcd_cut_fenced},
    {"etcd cut, no packet fence", etcd_cut_plain},
    {"etcd leader lost: nothing moves", leader_lost},
    {"quorum lost and back", quorum_lost},
    {"announced anew after a lapse", announce_after_lapse},
    {"announced anew after a late renewal", announce_after_doubt},
    {"lease revoked", lease_revoked},
    {"key deleted", key_deleted},
    {"foreign candidate was first", foreign_first},
    {"foreign candidate waits its turn", foreign_behind},
    {"more candidates than a list shows", queue_too_long},
    {"foreign owner answers probes", foreign_owner},
    {"deaf watch of the owner", deaf_owner},
    {"deaf watch of the owner, and a slow etcd", deaf_owner_of_a_slow_etcd},
    {"deaf watch of the heir", deaf_heir},
    {"compaction", compaction},
    {"ghost key while ill", ghost_key_while_ill},
    {"ghost key while paused", ghost_key_while_paused},
    {NULL, NULL},
};
