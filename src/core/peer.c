/* SPDX-License-Identifier: MIT */
/* The peer lease of one agent: what belongs to all of its parts, and which event is whose. */
#include "core/peer.h"

#include "step.h"

#include <string.h>

#define DRIFT_DIVISOR 100
#define SLACK_US (10 * MS_US)
#define BEATS_PER_WINDOW 5
/* A process that slept for a part of the window did not listen, whatever its clock says. */
#define LATE_PER_WINDOW 4
/* How long an agent that stops waits for the owners that still count on it. */
#define LEAVE_US (300 * MS_US)

uint64_t peer_right_of(uint64_t sent_us, uint64_t window_us)
{
    return sent_us + window_us - window_us / DRIFT_DIVISOR - SLACK_US;
}

uint64_t peer_patience(uint64_t window_us)
{
    return window_us + window_us / DRIFT_DIVISOR;
}

uint64_t peer_interval(uint64_t window_us)
{
    return window_us / BEATS_PER_WINDOW;
}

bool peer_is_same(const struct peer_session *a, const struct peer_session *b)
{
    return a->lease == b->lease && a->incarnation == b->incarnation;
}

bool peer_is_window(uint64_t window_us)
{
    return window_us >= PEER_WINDOW_MIN_US && window_us <= PEER_WINDOW_MAX_US;
}

struct peer_session peer_self(const struct election *e)
{
    return (struct peer_session){.lease = e->session.lease, .incarnation = e->peer.incarnation};
}

bool peer_is_self(const struct election *e, const struct peer_session *session)
{
    return session->lease != 0 && session->lease == e->session.lease &&
           session->incarnation == e->peer.incarnation;
}

int peer_voter_at(const struct peer_record *record, const struct peer_session *session)
{
    for (unsigned i = 0; i < record->n && i < PEERS_MAX; i++)
        if (peer_is_same(&record->voters[i], session))
            return (int)i;
    return -1;
}

struct election_action *peer_note(struct step *s, enum peer_note note)
{
    struct election_action *a = step_act(s, ACT_PEER_NOTE);
    a->note = note;
    return a;
}

static void set_up(struct step *s, const struct peer_input *in)
{
    struct peer_lease *p = &s->e->peer;
    if (!p->incarnation) {
        size_t len = in->name ? strnlen(in->name, sizeof(p->name) - 1) : 0;
        memcpy(p->name, in->name ? in->name : "", len);
        p->incarnation = in->number;
        p->up_us = s->now;
    }
    if (peer_is_window(in->window_us))
        p->window_us = in->window_us;
}

void peer_event(struct step *s, const struct election_event *ev)
{
    struct peer_lease *p = &s->e->peer;
    if (ev->type == EV_PEER_SETUP) {
        set_up(s, &ev->peer);
        p->is_enabled = ev->yes && p->incarnation != 0 && p->window_us != 0;
        return;
    }
    if (!p->incarnation)
        return;
    switch (ev->type) {
    case EV_PEER_MEMBERS:
        owner_on_members(s, ev->peer.sessions, ev->peer.n);
        break;
    case EV_PEER_LISTED:
        owner_on_listed(s, ev);
        ender_on_listed(s, ev);
        break;
    case EV_PEER_PUT:
        if (ev->peer.n != 1)
            break;
        owner_on_put(s, &ev->peer.records[0]);
        ender_on_put(s, &ev->peer.records[0]);
        break;
    case EV_PEER_DELETED:
        owner_on_deleted(s, ev->peer.name, ev->revision);
        ender_on_deleted(s, ev->peer.name, ev->revision);
        break;
    case EV_PEER_HEARTBEAT:
        voter_on_heartbeat(s, &ev->peer);
        break;
    case EV_PEER_ASKED:
        voter_on_asked(s, &ev->peer);
        break;
    case EV_PEER_ACKED:
        owner_on_acked(s, &ev->peer);
        break;
    case EV_PEER_LEAVING:
        owner_on_leaving(s, &ev->peer.from);
        ender_on_leaving(s, &ev->peer.from);
        break;
    case EV_PEER_PUBLISHED:
        owner_on_published(s, ev);
        break;
    case EV_PEER_GRANTED:
        ender_on_granted(s, &ev->peer);
        break;
    case EV_PEER_ENDED:
        ender_on_ended(s, ev);
        break;
    default:
        ender_on_revoked(s, ev);
        break;
    }
}

void peer_note_lateness(struct step *s)
{
    struct election *e = s->e;
    struct peer_lease *p = &e->peer;
    if (p->incarnation && e->wake_us != NEVER_US &&
        s->now > e->wake_us + p->window_us / LATE_PER_WINDOW)
        p->up_us = s->now;
}

void peer_stop(struct step *s)
{
    struct peer_lease *p = &s->e->peer;
    if (!p->incarnation || s->e->session.state != SESSION_LIVE)
        return;
    p->leave_us = s->now + LEAVE_US;
    step_act(s, ACT_PEER_LEAVE);
}

/* An owner that is alive counts on us: it is to strike us off before we go. */
bool peer_is_needed(const struct election *e)
{
    const struct peer_lease *p = &e->peer;
    struct peer_session self = peer_self(e);
    if (!p->incarnation || e->session.state != SESSION_LIVE || e->now_us >= p->leave_us)
        return false;
    for (unsigned i = 0; i < PEERS_MAX; i++) {
        const struct peer_record *r = &p->hunts[i].record;
        if (r->name[0] && !p->hunts[i].is_leaving && peer_voter_at(r, &self) >= 0 &&
            voter_heard(p, &r->owner) + r->window_us > e->now_us)
            return true;
    }
    return false;
}

void peer_timers(struct step *s)
{
    if (!s->e->peer.incarnation)
        return;
    owner_timers(s);
    ender_timers(s);
}

uint64_t peer_wake(const struct election *e)
{
    if (!e->peer.incarnation)
        return NEVER_US;
    uint64_t wake = owner_wake(e), other = ender_wake(e);
    if (other < wake)
        wake = other;
    if (e->is_stopping && peer_is_needed(e) && e->peer.leave_us < wake)
        wake = e->peer.leave_us;
    return wake;
}
