/* SPDX-License-Identifier: MIT */
/* What people ask for: planned moves, pauses. */
#include "stories.h"

/* As a planned stop. */
#define MOVE_US (30 * MS_US)
#define SLOW_MOVE_US (1800 * MS_US)
/* First those between step behind: their key deleted, and the owner told of it. */
#define MOVE_TO_US (60 * MS_US)
#define SLOW_MOVE_TO_US (2600 * MS_US)
#define SLOW_LEASE_US (7500 * MS_US)

static void resign(struct world *w)
{
    start_all(w, FENCED);
    int64_t key = key_of(w, OWNER);
    unsigned mark = w->traced;
    etcd_ask(w, 0, ASK_RESIGN, FOREIGN);
    wait_owner(w, HEIR, MOVE_US, SLOW_MOVE_US);
    expect(w, w->etcd.released[0] == key, "the release is not on record");
    expect(w, !was_traced(w, mark, "-> probing"), "an owner that said good-bye was probed for");
    expect(w, w->etcd.request[0].ask == ASK_NOTHING, "the request stays though it is done");
    expect_owner_for(w, HEIR, 5 * SECOND_US);
    expect(w, key_of(w, OWNER) > key_of(w, LAST), "who resigned is not last in the queue");
}

static void resign_to_last(struct world *w)
{
    start_all(w, FENCED);
    unsigned mark = w->traced;
    etcd_ask(w, 0, ASK_RESIGN, LAST);
    wait_owner(w, LAST, MOVE_TO_US, SLOW_MOVE_TO_US);
    expect(w, !was_traced(w, mark, "-> probing"), "an owner that said good-bye was probed for");
    expect_owner_for(w, LAST, 5 * SECOND_US);
    expect(w, key_of(w, HEIR) > key_of(w, LAST) && key_of(w, OWNER) > key_of(w, LAST),
           "who stepped behind or resigned does not stand at the tail");
}

static void resign_to_next(struct world *w)
{
    start_all(w, FENCED);
    int64_t last = key_of(w, LAST);
    etcd_ask(w, 0, ASK_RESIGN, HEIR);
    wait_owner(w, HEIR, MOVE_US, SLOW_MOVE_US);
    expect_owner_for(w, HEIR, SECOND_US);
    expect(w, key_of(w, LAST) == last, "somebody stepped behind who was not in the way");
}

static void wait_somebody(struct world *w, uint64_t worst)
{
    uint64_t start = w->now;
    while (!w->violation && world_owner(w, 0) == NOBODY && w->now < start + worst)
        run_for(w, MS_US);
    expect(w, world_owner(w, 0) != NOBODY, "nobody took over");
}

static void resign_to_one_that_dies(struct world *w)
{
    start_all(w, FENCED);
    w->node[LAST].is_powered = w->node[LAST].is_agent_alive = false;
    w->node[LAST].is_guardian_alive = false;
    etcd_ask(w, 0, ASK_RESIGN, LAST);
    run_for(w, SLOW_MOVE_TO_US);
    /* It still stands in the queue. When its lease has run out another one has it. */
    wait_somebody(w, SLOW_LEASE_US);
}

static void owner_dies_meanwhile(struct world *w)
{
    start_all(w, FENCED);
    etcd_ask(w, 0, ASK_RESIGN, LAST);
    run_for(w, world_between(w, 0, 4000));
    agent_kill(w, &w->node[OWNER]);
    while (!w->violation && world_owner(w, 0) == OWNER)
        run_for(w, MS_US);
    wait_somebody(w, SLOW_MOVE_TO_US);
}

static void resign_past_one_that_cannot_hear(struct world *w)
{
    start_all(w, FENCED);
    w->node[HEIR].is_watch_deaf = true;
    unsigned mark = w->traced;
    etcd_ask(w, 0, ASK_RESIGN, LAST);
    expect_owner_for(w, OWNER, 5 * SECOND_US);
    expect(w, was_traced(w, mark, "refuses to resign"), "the owner did not say no");
    w->node[HEIR].is_watch_deaf = false;
}

static void resign_to_nobody(struct world *w)
{
    start_all(w, FENCED);
    stop_agent(w, LAST);
    run_for(w, 4 * SECOND_US);
    etcd_ask(w, 0, ASK_RESIGN, LAST);
    expect_owner_for(w, OWNER, 5 * SECOND_US);
    stop_agent(w, HEIR);
    run_for(w, 4 * SECOND_US);
    etcd_ask(w, 0, ASK_RESIGN, FOREIGN);
    expect_owner_for(w, OWNER, 5 * SECOND_US);
}

static void resign_twice(struct world *w)
{
    start_all(w, FENCED);
    int64_t key = key_of(w, OWNER);
    etcd_ask(w, 0, ASK_RESIGN, FOREIGN);
    wait_owner(w, HEIR, MOVE_US, SLOW_MOVE_US);
    /* The same words again, addressed to an ownership that has ended. */
    etcd_ask(w, 0, ASK_RESIGN, FOREIGN);
    w->etcd.request[0].epoch = w->etcd.log[w->etcd.logged - 1].request.epoch = key;
    expect_owner_for(w, HEIR, 10 * SECOND_US);
}

static void paused_owner_is_ill(struct world *w)
{
    start_all(w, FENCED);
    etcd_ask(w, 0, ASK_PAUSE, FOREIGN);
    run_for(w, 100 * MS_US);
    set_bar(w, OWNER, BAR_HEALTH, true);
    expect_owner_for(w, OWNER, 10 * SECOND_US);
    etcd_withdraw(w, 0);
    wait_owner(w, HEIR, MOVE_US, SLOW_MOVE_US);
    set_bar(w, OWNER, BAR_HEALTH, false);
}

static void paused_owner_dies(struct world *w)
{
    start_all(w, FENCED);
    etcd_ask(w, 0, ASK_PAUSE, FOREIGN);
    run_for(w, 100 * MS_US);
    agent_kill(w, &w->node[OWNER]);
    run_for(w, 100 * MS_US);
    expect_owner_for(w, NOBODY, 10 * SECOND_US);
    start_agent(w, OWNER);
    expect_owner_for(w, NOBODY, 10 * SECOND_US);
    etcd_withdraw(w, 0);
    wait_owner(w, HEIR, 3 * MOVE_US, SLOW_MOVE_US);
}

/* Its link may be lost whatever people want. */
static void paused_owner_loses_its_link(struct world *w)
{
    start_all(w, FENCED);
    etcd_ask(w, 0, ASK_PAUSE, FOREIGN);
    run_for(w, 100 * MS_US);
    set_link(w, OWNER, false);
    expect_owner_for(w, NOBODY, 5 * SECOND_US);
    set_link(w, OWNER, true);
    etcd_withdraw(w, 0);
    wait_owner(w, HEIR, 3 * MOVE_US, SLOW_MOVE_US);
}

/* A silence of etcd takes the address off; whose key kept its place has it back, pause or not. */
static void paused_owner_lapses(struct world *w)
{
    start_all(w, FENCED);
    int64_t key = key_of(w, OWNER);
    etcd_ask(w, 0, ASK_PAUSE, FOREIGN);
    run_for(w, 100 * MS_US);
    lose_quorum(w);
    run_for(w, 6 * SECOND_US);
    expect(w, world_owner(w, 0) == NOBODY, "it is held without a right");
    regain_quorum(w);
    run_for(w, 12 * SECOND_US);
    int owner = world_owner(w, 0);
    expect(w, owner == NOBODY || (owner == OWNER && key_of(w, OWNER) == key),
           "node %d took it, which is paused", owner);
    etcd_withdraw(w, 0);
}

/* Nobody hears that the pause has ended; a proof tells. */
static void resume_unheard(struct world *w)
{
    start_all(w, FENCED);
    etcd_ask(w, 0, ASK_PAUSE, FOREIGN);
    run_for(w, 100 * MS_US);
    agent_kill(w, &w->node[OWNER]);
    run_for(w, SECOND_US);
    expect(w, world_owner(w, 0) == NOBODY, "it was taken though it is paused");
    w->node[HEIR].is_watch_deaf = true;
    etcd_withdraw(w, 0);
    wait_owner(w, HEIR, 1500 * MS_US, 4 * SECOND_US);
    w->node[HEIR].is_watch_deaf = false;
}

static void maintenance(struct world *w)
{
    start_all(w, FENCED);
    w->node[OWNER].is_paused = true;
    set_bar(w, OWNER, BAR_PAUSE, true);
    wait_owner(w, HEIR, MOVE_US, SLOW_MOVE_US);
    run_for(w, 3 * SECOND_US);
    expect(w, key_of(w, OWNER) == 0, "a node under maintenance stands in the queue");
    agent_kill(w, &w->node[OWNER]);
    run_for(w, SECOND_US);
    start_agent(w, OWNER);
    run_for(w, 5 * SECOND_US);
    expect(w, key_of(w, OWNER) == 0, "a node under maintenance joined after a restart");
    w->node[OWNER].is_paused = false;
    set_bar(w, OWNER, BAR_PAUSE, false);
    wait_state(w, OWNER, VIP_QUEUED, 3 * SECOND_US);
    expect(w, world_owner(w, 0) == HEIR, "the address moved back by itself");
}

const struct story stories_of_requests[] = {
    {"resign: the next one has it, the request is gone", resign},
    {"resign to the third in the queue: the second steps behind", resign_to_last},
    {"resign to the next in the queue: nobody else moves", resign_to_next},
    {"resign to a node that is dead", resign_to_one_that_dies},
    {"resign to the third, and the owner dies meanwhile", owner_dies_meanwhile},
    {"resign past one that does not hear: refused, nothing moves",
     resign_past_one_that_cannot_hear},
    {"resign to one that is not there, and to nobody: refused", resign_to_nobody},
    {"an old request means nothing to the next owner", resign_twice},
    {"paused: an owner that is ill keeps it until resume", paused_owner_is_ill},
    {"paused: an owner that dies is not replaced until resume", paused_owner_dies},
    {"paused: a lost link is a lost link", paused_owner_loses_its_link},
    {"paused: after a silence of etcd only its owner takes it back", paused_owner_lapses},
    {"resume that no watch tells of", resume_unheard},
    {"a node under maintenance takes no part, also after a restart", maintenance},
    {NULL, NULL},
};
