/* SPDX-License-Identifier: MIT */
/* From the queue to the address. */
#include "step.h"

/* Not worth taking for less. */
#define TAKE_MIN_US (200 * MS_US)
/* RFC 5227 section 2.1.1 probes for seconds; here etcd has decided already, and the probes only
 * look for an owner that was not told. */
#define PROBE_COUNT 3
#define PROBE_INTERVAL_US (20 * MS_US)
#define PROBE_SLOW_US (500 * MS_US)
#define PROBE_ALERT_US (3 * SECOND_US)
#define KERNEL_TIMEOUT_US SECOND_US
/* A proof is as old as its question. Older than this, somebody may have deleted our key, and our
 * successor may have finished probing; so we ask again, but a slow etcd must not keep us out. */
#define PROOF_FRESH_US (30 * MS_US)
#define SLOW_PROOFS_MAX 3
#define PROBE_FRESH_US (200 * MS_US)

static void ask(struct step *s, unsigned i, enum election_action_type type)
{
    struct vip *v = &s->e->vips[i];
    struct election_action *a;
    v->proof_req = step_request(s, type, &a);
    a->vip = i;
    a->lease = s->e->session.lease;
    v->asked_us = s->now;
    v->due_us = s->now + REQUEST_TIMEOUT_US;
}

void take_join(struct step *s, unsigned i)
{
    struct vip *v = &s->e->vips[i];
    v->revision = 0;
    v->predecessor = 0;
    if (v->state != VIP_JOINING)
        vip_set_state(s, i, VIP_JOINING, CAUSE_NONE);
    ask(s, i, ACT_CAMPAIGN);
}

void take_ask_proof(struct step *s, unsigned i)
{
    ask(s, i, ACT_CONFIRM);
}

static bool may_take(const struct step *s, const struct vip *v)
{
    const struct election *e = s->e;
    const struct session *ss = &e->session;
    return v->bars == 0 && handover_may_take(v) && !e->is_stopping && ss->state == SESSION_LIVE &&
           !ss->has_lapsed && s->now + TAKE_MIN_US < ss->deadline_us && e->has_guardian &&
           !e->is_doubtful && !e->peer.owner.is_mute &&
           deadline_lifetime(ss->deadline_us, s->now, e->is_fenced) > 0;
}

static void set_address(struct step *s, unsigned i, enum election_action_type type)
{
    struct vip *v = &s->e->vips[i];
    struct election_action *a;
    v->req = step_request(s, type, &a);
    a->vip = i;
    a->seconds = deadline_lifetime(s->e->session.deadline_us, s->now, s->e->is_fenced);
}

static void wait_in_queue(struct step *s, unsigned i)
{
    if (s->e->vips[i].state != VIP_QUEUED)
        vip_set_state(s, i, VIP_QUEUED, CAUSE_NONE);
}

static void take(struct step *s, unsigned i)
{
    struct vip *v = &s->e->vips[i];
    if (!may_take(s, v)) {
        wait_in_queue(s, i);
        return;
    }
    v->is_unproved = false;
    v->slow_proofs = 0;
    v->probed_us = 0;
    vip_set_state(s, i, VIP_TAKING, CAUSE_NONE);
    step_act(s, ACT_FENCE_ARM)->vip = i;
    set_address(s, i, ACT_ADDRESS_ADD);
    v->has_address = true;
    v->due_us = s->now + KERNEL_TIMEOUT_US;
}

static void wait_for_answer(const struct step *s, struct vip *v)
{
    bool is_slow = s->now - v->probing_us >= PROBE_ALERT_US;
    v->probe_us = s->now + (is_slow ? PROBE_SLOW_US : PROBE_INTERVAL_US);
}

static void probe(struct step *s, unsigned i)
{
    struct vip *v = &s->e->vips[i];
    v->was_sent = v->was_answered = false;
    wait_for_answer(s, v);
    step_act(s, ACT_PROBE)->vip = i;
}

void take_probe_sent(struct step *s, unsigned i)
{
    struct vip *v = &s->e->vips[i];
    if (v->state != VIP_PROBING || v->was_sent)
        return;
    v->was_sent = true;
    wait_for_answer(s, v); /* sending it may have taken long */
}

static void confirm(struct step *s, unsigned i)
{
    if (s->e->vips[i].state != VIP_CONFIRMING)
        vip_set_state(s, i, VIP_CONFIRMING, CAUSE_NONE);
    take_ask_proof(s, i);
}

/* Proved to lead. An owner before us that said good-bye needs no probing, nor does one that was
 * us: our key kept its place, so nobody else had a right in between. */
static void claim(struct step *s, unsigned i)
{
    struct vip *v = &s->e->vips[i];
    bool was_released = v->predecessor != 0 && v->released == v->predecessor;
    if (!may_take(s, v)) {
        wait_in_queue(s, i);
        return;
    }
    bool was_probed = v->probed_us && s->now - v->probed_us <= PROBE_FRESH_US;
    if (was_released || v->owned == v->revision || was_probed) {
        bool is_stale = s->now - v->proved_us > PROOF_FRESH_US;
        if (is_stale && v->slow_proofs++ < SLOW_PROOFS_MAX)
            confirm(s, i);
        else
            take(s, i);
        return;
    }
    vip_set_state(s, i, VIP_PROBING, CAUSE_NONE);
    v->probing_us = s->now;
    v->silent = 0;
    v->is_foreign = v->is_unprobed = false;
    probe(s, i);
}

/* Probing lasts, and people should know why. */
static void tell_unfinished(struct step *s, unsigned i)
{
    struct vip *v = &s->e->vips[i];
    if (v->was_answered && !v->is_foreign) {
        v->is_foreign = true;
        step_act(s, ACT_FOREIGN)->vip = i;
    } else if (!v->was_answered && !v->was_sent && !v->is_unprobed) {
        v->is_unprobed = true;
        step_act(s, ACT_UNPROBED)->vip = i;
    }
}

void take_probe_timer(struct step *s, unsigned i)
{
    struct vip *v = &s->e->vips[i];
    if (s->now < v->probe_us)
        return;
    if (v->was_answered)
        v->silent = 0;
    else if (v->was_sent)
        v->silent++;
    if (v->silent >= PROBE_COUNT) {
        v->probed_us = s->now;
        claim(s, i);
        return;
    }
    if (s->now - v->probing_us >= PROBE_ALERT_US)
        tell_unfinished(s, i);
    probe(s, i);
}

void take_settle(struct step *s, unsigned i, bool is_proved)
{
    struct vip *v = &s->e->vips[i];
    int64_t lease = s->e->session.lease;
    const struct candidate *own = queue_find(&v->queue, lease);
    if (v->state == VIP_JOINING && own && is_proved)
        v->revision = own->create_revision;
    if (!own ? !v->queue.is_partial || is_proved : own->create_revision != v->revision) {
        give_lost_key(s, i);
        return;
    }
    const struct candidate *before = queue_before(&v->queue, lease);
    if (before)
        v->predecessor = before->create_revision;
    bool has_it = v->state == VIP_PROBING || v->state == VIP_TAKING || v->state == VIP_HELD;
    if (has_it) {
        if (before)
            give_lost_key(s, i);
        else if (is_proved && v->is_unproved)
            take_resume(s, i);
        return;
    }
    if (before || !own) {
        wait_in_queue(s, i);
        if (v->queue.n == 0)
            take_ask_proof(s, i); /* all whom we knew of have left, but there are more */
    } else if (is_proved) {
        v->proved_us = v->asked_us;
        claim(s, i);
    } else if (v->state == VIP_QUEUED && may_take(s, v)) {
        v->slow_proofs = 0;
        confirm(s, i);
    } else if (v->state == VIP_QUEUED && v->is_paused) {
        take_ask_proof(s, i); /* which tells whether it still is */
    }
}

void take_on_set(struct step *s, unsigned i, enum election_result result)
{
    struct vip *v = &s->e->vips[i];
    if (result != RESULT_OK) {
        give_drop(s, i, CAUSE_ADDRESS);
        return;
    }
    if (v->state != VIP_TAKING)
        return;
    v->held_us = s->now;
    v->owned = v->revision;
    v->taken++;
    vip_set_state(s, i, VIP_HELD, CAUSE_NONE);
    announce_start(&v->announce, s->now);
}

void take_refresh(struct step *s, unsigned i)
{
    if (deadline_lifetime(s->e->session.deadline_us, s->now, s->e->is_fenced) > 0)
        set_address(s, i, ACT_ADDRESS_REFRESH);
}

void take_resume(struct step *s, unsigned i)
{
    struct vip *v = &s->e->vips[i];
    v->is_unproved = false;
    if (v->state != VIP_HELD)
        return;
    take_refresh(s, i);
    announce_start(&v->announce, s->now);
}

void take_put_back(struct step *s, unsigned i)
{
    struct vip *v = &s->e->vips[i];
    if (deadline_lifetime(s->e->session.deadline_us, s->now, s->e->is_fenced) == 0)
        return;
    v->readded++;
    set_address(s, i, ACT_ADDRESS_ADD);
    announce_start(&v->announce, s->now);
}

void take_tell(struct step *s, unsigned i)
{
    struct vip *v = &s->e->vips[i];
    unsigned round = v->announce.round;
    unsigned due = announce_step(&v->announce, s->now, s->e->refresh_us);
    if (due & ANNOUNCE_TELL) {
        struct election_action *a = step_act(s, ACT_ANNOUNCE);
        a->vip = i;
        a->count = round;
    }
    if (due & ANNOUNCE_ASK)
        step_act(s, ACT_ASK_PEERS)->vip = i;
}
