/* SPDX-License-Identifier: MIT */
/* The way of an event into the core, and of its actions out. */
#include "state.h"

#include <assert.h>

static void step(struct agent *a, struct election_event *ev)
{
    struct election_actions out = {.max = a->actions_max, .at = a->actions};
    ev->now_us = clock_now_us();
    election_step(&a->election, ev, &out);
    for (unsigned i = 0; i < out.n; i++)
        perform(a, &out.at[i]);
    history_stepped(a, ev->vip);
}

void feed_later(struct agent *a, const struct election_event *ev)
{
    assert(!ev->queue.list && !ev->peer.name && !ev->peer.sessions && !ev->peer.records);
    /* Two answers for each VIP fit; a lost one is repeated by the core's own timers. */
    if (a->n_events < AGENT_EVENTS_MAX)
        a->events[a->n_events++] = *ev;
}

void feed(struct agent *a, struct election_event *ev)
{
    if (a->is_stepping) {
        feed_later(a, ev);
        return;
    }
    a->is_stepping = true;
    step(a, ev);
    /* The clock is read again for each answer: what took too long is undone at once. */
    for (unsigned i = 0; i < a->n_events; i++) {
        struct election_event next = a->events[i];
        step(a, &next);
    }
    a->n_events = 0;
    a->is_stepping = false;
    loop_timer_set(a->timer, a->election.wake_us);
}

void feed_simple(struct agent *a, enum election_event_type type, unsigned vip, bool yes)
{
    struct election_event ev = {.type = type, .vip = vip, .yes = yes};
    feed(a, &ev);
}

bool agent_has_overslept(const struct agent *a)
{
    const struct election *e = &a->election;
    return e->is_doubtful && e->doubt_us >= e->session.deadline_us;
}
