/* SPDX-License-Identifier: MIT */
/* One step of one node.
 *
 * A VIP's states (src/core/vip.c). Every arrow is one ACT_STATE.
 *
 *            join            ours is written         leads, by the watch
 *   OFF ----------> JOINING ----------------> QUEUED ---------------> CONFIRMING
 *    ^                 |                        ^                          |
 *    |                 |  leads at once         | no right, not first      | proved
 *    |                 +------------------------|--------------------------+
 *    |                                          |                          v
 *    |                         released on record|            +------- (who had it?)
 *    |                     or it was us ourselves|            |            | unknown
 *    |                                           |            v            v
 *    |  deleted   address off                    |         TAKING <---- PROBING
 *   RESIGNING <--------- DROPPING <--------------|--- HELD <--+   3 silent probes
 *                            |   told to, lapsed,|
 *                            |   key or lease gone
 *                            +-------------------+ lapsed: the key stays in the queue
 *
 * Invariants. Tests cite the numbers.
 *  I1  Never two nodes that answer for one VIP.
 *  I2  No announcement, probe answer or address without the right: key first in the queue when it
 *      was last proved, and now < deadline.
 *  I3  After the last fault is healed there is an owner again within a bounded time.
 *  I4  Nothing is left behind: a node that has ended has no address and no key.
 *  I5  Order. Taking: deadline stored, fence armed, address, announcement. Giving up: address off
 *      and the kernel's answer read, then the key; past the deadline the address before all else.
 *  I6  The deadline only moves by the answer to the request whose sending it counts from.
 *  I7  A completion whose request was replaced changes nothing.
 *  I8  The same events give the same actions.
 *  I9  What bars a node from a VIP (no carrier, ill, removed) makes it let go in the same step;
 *      while the VIP is paused, being ill does not.
 * The peer lease:
 *  I10 A voter that gave up a term of an owner never again acknowledges it for that term.
 *  I11 An owner whose lease is ended by others is mute when that happens, and stays mute.
 *  I12 A voter gives up an owner only when it has listened, and has not acknowledged it, for as
 * long as the longest right that its last acknowledgement can have given. I13 An owner obeys every
 * list of voters that etcd may name at that time. I14 Past the peer right nothing is announced,
 * defended or taken; the address itself may stay.
 *  I15 While a VIP is paused nobody takes it but whose key kept its place.
 */
#include "step.h"

#include <string.h>

/* Waking up later than this means that the world may have moved on: look before acting. */
#define LATE_US (500 * MS_US)
/* How long a stopping node waits for etcd once its addresses are off. */
#define STOP_US (3 * SECOND_US)

struct election_action *step_act(struct step *s, enum election_action_type type)
{
    /* The buffer is sized for the worst step; running over is our own bug, kept harmless. */
    struct election_action *a = &s->out->at[s->out->n];
    if (s->out->n + 1 < s->out->max)
        s->out->n++;
    *a = (struct election_action){.type = type};
    return a;
}

uint32_t step_request(struct step *s, enum election_action_type type,
                      struct election_action **ret_action)
{
    if (++s->e->last_req == 0)
        s->e->last_req = 1;
    *ret_action = step_act(s, type);
    (*ret_action)->req = s->e->last_req;
    return s->e->last_req;
}

uint64_t step_jitter(struct step *s, uint64_t max)
{
    uint32_t x = s->e->seed ? s->e->seed : 1; /* xorshift32, G. Marsaglia 2003 */
    x ^= x << 13;
    x ^= x >> 17;
    x ^= x << 5;
    s->e->seed = x;
    return max ? x % max : 0;
}

void election_init(struct election *e, struct vip *vips, uint64_t ttl_us, uint64_t refresh_us,
                   uint32_t seed)
{
    memset(e, 0, sizeof(*e));
    e->vips = vips;
    e->ttl_us = ttl_us;
    e->refresh_us = refresh_us;
    e->seed = seed;
    e->has_guardian = true;
    e->wake_us = NEVER_US;
    e->peer.owner.right_us = e->peer.owner.yield_us = NEVER_US;
}

static void note_lateness(struct step *s)
{
    struct election *e = s->e;
    if (e->wake_us == NEVER_US || s->now <= e->wake_us + LATE_US)
        return;
    e->is_doubtful = true;
    e->doubt_us = s->now;
    step_act(s, ACT_LATE)->at_us = s->now - e->wake_us;
    /* Ask etcd at once instead of at the next turn. */
    if (e->session.state == SESSION_LIVE)
        e->session.due_us = s->now;
    for (unsigned i = 0; i < e->n; i++)
        vip_on_doubt(s, i);
}

static void add_vip(struct step *s, unsigned i, unsigned bars)
{
    struct election *e = s->e;
    if (i >= ELECTION_VIPS_MAX || (i < e->n && e->vips[i].state != VIP_UNUSED))
        return;
    for (; e->n <= i; e->n++)
        memset(&e->vips[e->n], 0, sizeof(e->vips[0]));
    struct vip *v = &e->vips[i];
    memset(v, 0, sizeof(*v));
    v->state = VIP_OFF;
    v->bars = bars;
    announce_stop(&v->announce);
}

static void handle(struct step *s, const struct election_event *ev)
{
    struct election *e = s->e;
    switch (ev->type) {
    case EV_START:
        if (e->is_started)
            break;
        e->is_fenced = ev->yes;
        e->is_started = true;
        session_start(s);
        break;
    case EV_TIMER:
        break;
    case EV_STOP:
        if (!e->is_stopping) {
            e->stop_us = s->now + STOP_US;
            peer_stop(s);
        }
        e->is_stopping = true;
        break;
    case EV_GUARDIAN:
        e->has_guardian = ev->yes;
        break;
    case EV_VIP_ADDED:
        add_vip(s, ev->vip, ev->bar);
        break;
    case EV_LEASE_GRANTED:
    case EV_LEASE_RENEWED:
    case EV_LEASE_REVOKED:
    case EV_KEYS_CHECKED:
        session_event(s, ev);
        break;
    default:
        if (ev->type >= EV_PEER_SETUP)
            peer_event(s, ev);
        else if (ev->vip < e->n)
            vip_event(s, ev->vip, ev);
        break;
    }
}

static void finish_stopping(struct step *s)
{
    struct election *e = s->e;
    bool is_waiting = false;
    if (!e->is_stopping || e->is_done)
        return;
    for (unsigned i = 0; i < e->n; i++) {
        if (e->vips[i].has_address)
            return;
        is_waiting |= !vip_is_off(&e->vips[i]);
    }
    bool is_late = s->now >= e->stop_us;
    if ((is_waiting || peer_is_needed(e)) && !is_late)
        return;
    session_end(s);
    if (e->session.state != SESSION_ENDED && !is_late)
        return;
    e->is_done = true;
    step_act(s, ACT_DONE);
}

static uint64_t next_wake(const struct election *e)
{
    if (e->is_done)
        return NEVER_US;
    uint64_t wake = session_wake(e), peer = peer_wake(e);
    if (peer < wake)
        wake = peer;
    for (unsigned i = 0; i < e->n; i++) {
        uint64_t w = vip_wake(e, &e->vips[i]);
        if (w < wake)
            wake = w;
    }
    if (e->is_stopping && e->stop_us < wake && e->now_us < e->stop_us)
        wake = e->stop_us;
    return wake;
}

void election_step(struct election *e, const struct election_event *ev,
                   struct election_actions *out)
{
    struct step s = {.e = e, .now = ev->now_us, .out = out};
    out->n = 0;
    e->now_us = ev->now_us;
    peer_note_lateness(&s);
    note_lateness(&s);
    owner_mute(&s);
    /* Before anything else, whatever the event: I2 holds at the end of every step. */
    if (session_lapse(&s))
        for (unsigned i = 0; i < e->n; i++)
            vip_on_lapsed(&s, i);
    handle(&s, ev);
    session_timers(&s);
    for (unsigned i = 0; i < e->n; i++) {
        vip_reconsider(&s, i);
        handover_consider(&s, i);
        vip_timers(&s, i);
    }
    peer_timers(&s);
    finish_stopping(&s);
    e->wake_us = next_wake(e);
}
