/* SPDX-License-Identifier: MIT */
/* Planned moves and pauses, as people ask for them.
 *
 * There is one request for each VIP. One to resign is addressed to an ownership, by its create
 * revision: once that has ended, however it did, the request means nothing any more. Where it names
 * a successor, those who stand between give up their places first, and the owner waits for that;
 * it holds the address all the while, so the queue can change without a gap, and whatever goes
 * wrong meanwhile is an ordinary fault. */
#include "step.h"

#include <string.h>

/* So long the owner waits for those between it and its successor. */
#define HANDOVER_US (3 * SECOND_US)

static bool is_same(const struct election_request *a, const struct election_request *b)
{
    return a->ask == b->ask && a->epoch == b->epoch && strcmp(a->to, b->to) == 0;
}

void handover_note_pause(struct step *s, unsigned i, int64_t revision, bool is_paused)
{
    struct vip *v = &s->e->vips[i];
    if (revision < v->paused_revision)
        return; /* the watch lags behind a proof */
    v->paused_revision = revision;
    v->is_paused = is_paused;
}

void handover_note(struct step *s, unsigned i, const struct election_event *ev)
{
    struct vip *v = &s->e->vips[i];
    if (v->state == VIP_UNUSED)
        return;
    handover_note_pause(s, i, ev->revision, ev->request.ask == ASK_PAUSE);
    if (!is_same(&v->request, &ev->request)) {
        v->request = ev->request;
        v->requested_us = s->now;
    }
    if (!v->is_paused && v->state == VIP_QUEUED)
        take_settle(s, i, false);
}

static void refuse(struct step *s, unsigned i, enum election_refusal refusal)
{
    struct vip *v = &s->e->vips[i];
    struct election_action *a = step_act(s, ACT_REQUEST_REFUSED);
    a->vip = i;
    a->revision = v->request.epoch;
    a->refusal = refusal;
    v->request.ask = ASK_NOTHING;
}

/* Somebody after `position` has the name. */
static bool stands_behind(const struct queue *q, unsigned position, const char *name)
{
    for (unsigned i = position + 1; i < q->n; i++)
        if (strcmp(q->at[i].name, name) == 0)
            return true;
    return false;
}

static void hand_over(struct step *s, unsigned i)
{
    struct vip *v = &s->e->vips[i];
    const struct queue *q = &v->queue;
    const char *to = v->request.to;
    if (q->n < 2) {
        refuse(s, i, REFUSAL_ALONE);
    } else if (to[0] == '\0' || strcmp(q->at[1].name, to) == 0) {
        v->request.ask = ASK_NOTHING;
        give_drop(s, i, CAUSE_RESIGN);
    } else if (!stands_behind(q, 0, to)) {
        refuse(s, i, REFUSAL_ABSENT);
    } else if (s->now >= v->requested_us + HANDOVER_US) {
        refuse(s, i, REFUSAL_BLOCKED);
    }
}

/* Between the owner and its successor: to the tail. */
static void step_behind(struct step *s, unsigned i)
{
    struct vip *v = &s->e->vips[i];
    const struct candidate *own = queue_find(&v->queue, s->e->session.lease);
    const char *to = v->request.to;
    if (own && strcmp(own->name, to) != 0 &&
        stands_behind(&v->queue, (unsigned)(own - v->queue.at), to))
        give_resign(s, i, false, CAUSE_RESIGN);
}

void handover_consider(struct step *s, unsigned i)
{
    struct vip *v = &s->e->vips[i];
    const struct candidate *leader = queue_leader(&v->queue);
    if (v->request.ask != ASK_RESIGN || v->request.epoch == 0)
        return;
    if (v->state == VIP_HELD && !v->is_unproved && v->revision == v->request.epoch)
        hand_over(s, i);
    else if (v->state == VIP_QUEUED && leader && leader->create_revision == v->request.epoch &&
             v->revision != v->request.epoch)
        step_behind(s, i);
}

uint64_t handover_wake(const struct vip *v)
{
    bool is_asked = v->request.ask == ASK_RESIGN && v->revision == v->request.epoch;
    return is_asked && v->state == VIP_HELD && !v->is_unproved ? v->requested_us + HANDOVER_US
                                                               : NEVER_US;
}

unsigned handover_bars(const struct vip *v)
{
    bool has_hold = v->state == VIP_TAKING || v->state == VIP_HELD;
    return v->is_paused && has_hold ? v->bars & ~(unsigned)(BAR_HEALTH | BAR_PAUSE) : v->bars;
}

bool handover_may_take(const struct vip *v)
{
    /* Whose key kept its place takes back what it had: that is no move. */
    return !v->is_paused || (v->owned != 0 && v->owned == v->revision);
}
