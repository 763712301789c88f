/* SPDX-License-Identifier: MIT */
/* Every VIP is watched on the wire, whoever holds it: probes by ARP and NDP that touch no cache,
 * and whatever else is heard. What it means is core/observe's. */
#include "state.h"

#include <stdlib.h>

/* A few VIPs are asked for this often; many share what an agent may send, 20 a second. */
#define INTERVAL_US (400 * MS_US)
#define SHARE_US (50 * MS_US)
/* Where many are silent at once, they share 500 probes a second. */
#define EAGER_SHARE_US (2 * MS_US)
/* Probes before the loop may do something else; who is left out comes first then. */
#define ROUND_MAX 10

/* With some jitter, so that the nodes of a cluster do not stay in step. */
static uint64_t interval(const struct agent *a)
{
    uint64_t us = a->election.n * SHARE_US;
    us = us < INTERVAL_US ? INTERVAL_US : us;
    return us + (uint64_t)random() % (us / 8);
}

static uint64_t eager(const struct agent *a)
{
    uint64_t us = 0;
    for (unsigned i = 0; i < a->election.n; i++)
        if (a->slots[i].is_used && a->slots[i].view.missed)
            us += EAGER_SHARE_US;
    return us < OBSERVE_ANSWER_US ? OBSERVE_ANSWER_US : us;
}

static void arm(struct agent *a)
{
    uint64_t next = NEVER_US;
    for (unsigned i = 0; i < a->election.n; i++) {
        const struct slot *slot = &a->slots[i];
        if (slot->is_used && !slot->view.is_blind && slot->view.next_us < next)
            next = slot->view.next_us;
    }
    if (next == a->sight_us)
        return;
    a->sight_us = next;
    loop_timer_set(a->sight, next);
}

static void settle(struct agent *a, struct slot *slot)
{
    if (slot->view.has_news) {
        slot->view.has_news = false;
        publish_soon(a);
    }
    arm(a);
}

static void on_timer(void *arg)
{
    struct agent *a = arg;
    uint64_t eager_us = eager(a);
    unsigned n = a->election.n, sent = 0;
    a->sight_us = NEVER_US;
    for (unsigned k = 0; k < n && sent < ROUND_MAX; k++) {
        unsigned i = (a->sight_first + k) % n;
        struct slot *slot = &a->slots[i];
        if (!slot->is_used)
            continue;
        observe_blind(&slot->view, !links_is_usable(slot), clock_now_us());
        if (!observe_timer(&slot->view, clock_now_us(), interval(a), eager_us))
            continue;
        const struct ip *source = slot->source.family ? &slot->source : NULL;
        /* The clock first: whatever holds us up while sending must widen the error. */
        uint64_t now = clock_now_us();
        bool is_sent = packet_probe(slot->link->packet, &slot->ip, source) == 0;
        observe_sent(&slot->view, now, is_sent);
        if (++sent == ROUND_MAX)
            a->sight_first = i + 1;
        settle(a, slot);
    }
    arm(a);
}

void sight_add_vip(struct agent *a, unsigned i)
{
    struct slot *slot = &a->slots[i];
    observe_start(&slot->view, clock_now_us() + (uint64_t)random() % INTERVAL_US);
    slot->view.is_blind = !links_is_usable(slot);
    arm(a);
}

void sight_heard(struct agent *a, unsigned i, const struct mac *mac)
{
    struct slot *slot = &a->slots[i];
    uint64_t turned_us = slot->view.turn.at_us, before_us = slot->view.heard_us;
    observe_heard(&slot->view, mac, clock_now_us(), interval(a));
    if (slot->view.turn.at_us != turned_us)
        history_turn(a, i);
    history_heard(a, i, before_us);
    settle(a, slot);
}

static uint64_t sooner(uint64_t us, uint64_t than)
{
    return us && us < than ? us : than;
}

void sight_deadline(struct agent *a, uint64_t deadline_us)
{
    if (deadline_us)
        a->closed_us = 0;
    else if (!a->closed_us)
        a->closed_us = sooner(fence_deadline_us(a->fence), clock_now_us());
}

/* The packet fence muted it before the address went: then exactly the gap began. */
static uint64_t mute_since(const struct agent *a, const struct slot *slot, uint64_t now)
{
    uint64_t us = sooner(fence_deadline_us(a->fence), now);
    return fence_is_active(a->fence) ? sooner(a->closed_us, sooner(slot->shut_us, us)) : now;
}

void sight_own(struct agent *a, unsigned i, bool has_address, uint64_t asked_us)
{
    static const struct mac none;
    struct slot *slot = &a->slots[i];
    const struct mac *mac = slot->link ? &slot->link->mac : &none;
    uint64_t now = clock_now_us(), end = has_address ? now : mute_since(a, slot, now);
    observe_own(&slot->view, mac, has_address, sooner(asked_us, end), end);
    /* Frozen past its deadline it saw nothing of the others either. */
    if (!has_address && agent_has_overslept(a))
        observe_doubt(&slot->view);
    settle(a, slot);
}

void sight_link(struct agent *a, const struct agent_link *l)
{
    for (unsigned i = 0; i < a->election.n; i++) {
        struct slot *slot = &a->slots[i];
        if (!slot->is_used || slot->link != l)
            continue;
        observe_blind(&slot->view, !links_is_usable(slot), clock_now_us());
        if (slot->view.is_own)
            slot->view.mac = l->mac;
        slot->view.has_news = true;
        settle(a, slot);
    }
}

void sight_hint(struct agent *a, unsigned i)
{
    observe_hint(&a->slots[i].view, clock_now_us());
    arm(a);
}

int sight_open(struct agent *a)
{
    a->sight_us = NEVER_US;
    srandom((unsigned)clock_now_us());
    return loop_timer_new(a->loop, on_timer, a, &a->sight);
}

void sight_close(struct agent *a)
{
    loop_timer_free(a->sight);
    a->sight = NULL;
}
