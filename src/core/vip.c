/* SPDX-License-Identifier: MIT */
/* The election of one VIP on one node: which event means what in which state. */
#include "step.h"

#define DEFEND_INTERVAL_US (10 * MS_US)

void vip_set_state(struct step *s, unsigned i, enum vip_state to, enum election_cause cause)
{
    struct vip *v = &s->e->vips[i];
    struct election_action *a = step_act(s, ACT_STATE);
    a->vip = i;
    a->from = v->state;
    a->to = to;
    a->cause = cause;
    v->state = to;
    v->cause = cause;
}

bool vip_is_off(const struct vip *v)
{
    return v->state == VIP_OFF || v->state == VIP_UNUSED;
}

static bool is_in_queue(const struct vip *v)
{
    return v->state == VIP_QUEUED || v->state == VIP_CONFIRMING || v->state == VIP_PROBING;
}

static bool has_hold(const struct vip *v)
{
    return v->state == VIP_TAKING || v->state == VIP_HELD;
}

static enum election_cause bar_cause(const struct step *s, const struct vip *v)
{
    unsigned bars = handover_bars(v);
    if (s->e->is_stopping)
        return CAUSE_SHUTDOWN;
    if (bars & BAR_LINK)
        return CAUSE_LINK_DOWN;
    if (bars & BAR_HEALTH)
        return CAUSE_HEALTH;
    return bars & BAR_CONFIG ? CAUSE_CONFIG : CAUSE_RESIGN;
}

static bool may_join(const struct step *s, const struct vip *v)
{
    const struct election *e = s->e;
    return e->is_started && !e->is_stopping && v->bars == 0 && e->has_guardian && !e->is_doubtful &&
           e->session.state == SESSION_LIVE && !e->session.has_lapsed && s->now >= v->join_us;
}

/* A campaign txn that was given up may still have been carried out: its key would block the
 * queue for as long as our lease lives. */
static void reconsider_off(struct step *s, unsigned i)
{
    struct vip *v = &s->e->vips[i];
    const struct candidate *own = queue_find(&v->queue, s->e->session.lease);
    if (may_join(s, v)) {
        take_join(s, i);
    } else if (v->bars && own && s->e->session.state == SESSION_LIVE && !s->e->is_stopping) {
        v->revision = own->create_revision;
        give_resign(s, i, false, bar_cause(s, v));
    } else if (v->bars & BAR_CONFIG) {
        vip_set_state(s, i, VIP_UNUSED, CAUSE_CONFIG);
    }
}

void vip_reconsider(struct step *s, unsigned i)
{
    struct vip *v = &s->e->vips[i];
    bool may_stay = !s->e->is_stopping && handover_bars(v) == 0;
    if (v->state == VIP_OFF) {
        reconsider_off(s, i);
    } else if (!may_stay && has_hold(v)) {
        give_drop(s, i, bar_cause(s, v));
    } else if (s->e->is_stopping && (v->state == VIP_JOINING || is_in_queue(v))) {
        give_off(s, i, CAUSE_SHUTDOWN); /* revoking the lease deletes the key */
    } else if (!may_stay && is_in_queue(v)) {
        give_resign(s, i, v->owned == v->revision, bar_cause(s, v));
    }
}

static void on_proved(struct step *s, unsigned i, const struct election_event *ev)
{
    struct vip *v = &s->e->vips[i];
    if (ev->req != v->proof_req || ev->req == 0)
        return;
    v->proof_req = 0;
    if (ev->result != RESULT_OK) {
        v->due_us = s->now + RETRY_US;
        return;
    }
    const struct election_queue *q = &ev->queue;
    if (q->released)
        v->released = q->released;
    handover_note_pause(s, i, q->revision, q->is_paused);
    if (queue_list(&v->queue, q->revision, q->list, q->n, q->total))
        take_settle(s, i, true);
    else
        v->due_us = s->now; /* the watch is ahead of this answer: ask again */
}

static void on_watched(struct step *s, unsigned i, const struct election_event *ev)
{
    struct vip *v = &s->e->vips[i];
    const struct election_queue *q = &ev->queue;
    bool is_news;
    if (ev->type == EV_QUEUE_LISTED)
        is_news = queue_list(&v->queue, q->revision, q->list, q->n, q->total);
    else if (ev->type == EV_KEY_PUT)
        is_news = queue_put(&v->queue, ev->revision, &ev->candidate);
    else
        is_news = queue_delete(&v->queue, ev->revision, ev->lease);
    if (is_news && (is_in_queue(v) || has_hold(v)))
        take_settle(s, i, false);
}

static void on_conflict(struct step *s, unsigned i)
{
    struct vip *v = &s->e->vips[i];
    v->conflicts++;
    if (s->e->peer.owner.is_mute || s->now < v->defended_us + DEFEND_INTERVAL_US)
        return;
    v->defended_us = s->now;
    step_act(s, ACT_DEFEND)->vip = i;
    announce_start(&v->announce, s->now);
}

static void on_bar(struct step *s, unsigned i, const struct election_event *ev)
{
    struct vip *v = &s->e->vips[i];
    unsigned before = v->bars;
    v->bars = ev->yes ? v->bars | ev->bar : v->bars & ~ev->bar;
    if (before && !v->bars && s->e->session.state != SESSION_OFF)
        v->join_us = s->now + REJOIN_US;
}

/* What only matters while we hold the address. */
static void on_held(struct step *s, unsigned i, const struct election_event *ev)
{
    struct vip *v = &s->e->vips[i];
    if (v->state != VIP_HELD || v->is_unproved)
        return; /* what is missing is made good once it is proved */
    switch (ev->type) {
    case EV_ADDRESS_LOST:
        take_put_back(s, i);
        break;
    case EV_CONFLICT:
        on_conflict(s, i);
        break;
    case EV_PEERS:
        announce_report(&v->announce, ev->count);
        break;
    default:
        announce_start(&v->announce, s->now);
        break;
    }
}

void vip_event(struct step *s, unsigned i, const struct election_event *ev)
{
    struct vip *v = &s->e->vips[i];
    switch (ev->type) {
    case EV_QUEUE_PROVED:
        on_proved(s, i, ev);
        break;
    case EV_QUEUE_LISTED:
    case EV_KEY_PUT:
    case EV_KEY_DELETED:
        on_watched(s, i, ev);
        break;
    case EV_KEY_RESIGNED:
        if (v->state == VIP_RESIGNING && ev->req == v->req)
            give_on_resigned(s, i, ev->result);
        break;
    case EV_ADDRESS_SET:
        if (has_hold(v) && ev->req == v->req)
            take_on_set(s, i, ev->result);
        break;
    case EV_ADDRESS_CLEARED:
        if (v->state == VIP_DROPPING && ev->req == v->req)
            give_on_cleared(s, i, ev->result);
        break;
    case EV_PROBE_SENT:
        take_probe_sent(s, i);
        break;
    case EV_PROBE_ANSWERED:
        v->was_answered = true;
        break;
    case EV_REQUEST:
        handover_note(s, i, ev);
        break;
    case EV_BAR:
        on_bar(s, i, ev);
        break;
    default:
        on_held(s, i, ev);
        break;
    }
}

void vip_on_lapsed(struct step *s, unsigned i)
{
    struct vip *v = &s->e->vips[i];
    if (has_hold(v))
        give_drop(s, i, CAUSE_LAPSED);
    else if (v->state == VIP_PROBING || v->state == VIP_CONFIRMING)
        vip_set_state(s, i, VIP_QUEUED, CAUSE_LAPSED);
}

void vip_on_doubt(struct step *s, unsigned i)
{
    struct vip *v = &s->e->vips[i];
    if (!has_hold(v) || s->e->session.has_lapsed)
        return;
    v->is_unproved = true;
    take_ask_proof(s, i);
}

void vip_on_confirmed(struct step *s, unsigned i, bool was_late)
{
    struct vip *v = &s->e->vips[i];
    if (v->state == VIP_QUEUED)
        take_settle(s, i, false);
    if (v->state != VIP_HELD)
        return;
    if (v->is_unproved) {
        take_ask_proof(s, i);
        return;
    }
    take_refresh(s, i);
    if (was_late)
        announce_start(&v->announce, s->now);
}

void vip_on_heard(struct step *s, unsigned i)
{
    struct vip *v = &s->e->vips[i];
    if (v->state == VIP_QUEUED)
        take_settle(s, i, false);
    else if (v->state == VIP_HELD && !v->is_unproved)
        announce_start(&v->announce, s->now);
}

void vip_on_yield(struct step *s, unsigned i)
{
    if (has_hold(&s->e->vips[i]))
        give_drop(s, i, CAUSE_MUTE);
}

void vip_on_session_lost(struct step *s, unsigned i, enum election_cause cause)
{
    struct vip *v = &s->e->vips[i];
    v->revision = 0;
    if (has_hold(v)) {
        give_drop(s, i, cause);
    } else if (v->state == VIP_DROPPING) {
        v->cause = cause;
        v->has_resign = false;
        step_act(s, ACT_FENCE_SHUT)->vip = i;
    } else if (!vip_is_off(v)) {
        give_off(s, i, cause);
    }
}

void vip_on_keys_doubted(struct step *s, unsigned i)
{
    struct vip *v = &s->e->vips[i];
    if (v->state == VIP_QUEUED || v->state == VIP_PROBING || has_hold(v))
        take_ask_proof(s, i);
}

void vip_timers(struct step *s, unsigned i)
{
    struct vip *v = &s->e->vips[i];
    if (v->state == VIP_HELD && !v->is_unproved && !s->e->peer.owner.is_mute)
        take_tell(s, i);
    else if (v->state == VIP_PROBING)
        take_probe_timer(s, i);
    if (s->now < v->due_us)
        return;
    switch (v->state) {
    case VIP_JOINING:
        take_join(s, i);
        break;
    case VIP_CONFIRMING:
        take_ask_proof(s, i);
        break;
    case VIP_TAKING:
        give_drop(s, i, CAUSE_ADDRESS);
        break;
    case VIP_DROPPING:
        give_delete_again(s, i);
        break;
    case VIP_RESIGNING:
        give_resign(s, i, v->has_resign, v->cause);
        break;
    default:
        break;
    }
}

static uint64_t wake_of_held(const struct election *e, const struct vip *v)
{
    uint64_t announce = e->peer.owner.is_mute ? NEVER_US : announce_wake(&v->announce);
    uint64_t handover = handover_wake(v);
    return announce < handover ? announce : handover;
}

uint64_t vip_wake(const struct election *e, const struct vip *v)
{
    switch (v->state) {
    case VIP_OFF:
        /* Everything else that may let it join comes as an event. */
        return v->bars == 0 && !e->is_stopping && v->join_us > e->now_us ? v->join_us : NEVER_US;
    case VIP_JOINING:
    case VIP_CONFIRMING:
    case VIP_TAKING:
    case VIP_DROPPING:
    case VIP_RESIGNING:
        return v->due_us;
    case VIP_PROBING:
        return v->probe_us;
    case VIP_HELD:
        return v->is_unproved ? NEVER_US : wake_of_held(e, v);
    default:
        return NEVER_US;
    }
}
