/* SPDX-License-Identifier: MIT */
/* The candidate's half of rule 3, and rule 4: an owner that is silent is ended by its voters. */
#include "step.h"

#include <string.h>

#define JITTER_US (50 * MS_US)
#define ASKS_PER_WINDOW 20
#define REVOKES_MAX 3

static struct peer_hunt *find(struct peer_lease *p, const char *name)
{
    for (unsigned i = 0; i < PEERS_MAX; i++)
        if (p->hunts[i].record.name[0] &&
            strncmp(p->hunts[i].record.name, name, NODE_NAME_MAX) == 0)
            return &p->hunts[i];
    return NULL;
}

bool ender_has_record(const struct election *e, const struct peer_session *owner)
{
    for (unsigned i = 0; i < PEERS_MAX; i++)
        if (e->peer.hunts[i].record.name[0] && peer_is_same(&e->peer.hunts[i].record.owner, owner))
            return true;
    return false;
}

static void forget(struct peer_hunt *h)
{
    *h = (struct peer_hunt){0};
}

static uint64_t heard_us(const struct peer_lease *p, const struct peer_hunt *h)
{
    uint64_t heard = voter_heard(p, &h->record.owner);
    if (heard < h->since_us)
        heard = h->since_us;
    return heard < p->up_us ? p->up_us : heard;
}

static uint64_t suspect_us(const struct peer_lease *p, const struct peer_hunt *h)
{
    return heard_us(p, h) + h->record.window_us + h->jitter_us;
}

/* We wait behind it for a VIP that we could take. */
static bool may_hunt(const struct election *e, const struct peer_hunt *h)
{
    if (h->record.n < PEER_VOTERS_MIN || !e->peer.is_enabled || e->is_stopping || e->is_doubtful ||
        e->session.state != SESSION_LIVE)
        return false;
    for (unsigned i = 0; i < e->n; i++) {
        const struct candidate *first = queue_leader(&e->vips[i].queue);
        if (e->vips[i].state == VIP_QUEUED && !e->vips[i].bars && first &&
            first->lease == h->record.owner.lease)
            return true;
    }
    return false;
}

/* ---- rule 4 ---- */

static void end(struct step *s, struct peer_hunt *h)
{
    struct election_action *a;
    h->state = HUNT_ENDING;
    h->req = step_request(s, ACT_PEER_END, &a);
    a->record = &h->record;
    a->lease = h->record.owner.lease;
    h->due_us = s->now + REQUEST_TIMEOUT_US;
}

static void revoke(struct step *s, struct peer_hunt *h)
{
    struct election_action *a;
    h->state = HUNT_REVOKING;
    h->tries++;
    h->req = step_request(s, ACT_PEER_REVOKE, &a);
    a->lease = h->record.owner.lease;
    h->due_us = s->now + REQUEST_TIMEOUT_US;
}

/* Our own grant comes last, when it decides: given sooner, it would be lost to an owner that the
 * others hear. */
static void count_grants(struct step *s, struct peer_hunt *h)
{
    const struct peer_record *r = &h->record;
    struct peer_session self = peer_self(s->e);
    unsigned n = 0, majority = r->n / 2 + 1;
    for (unsigned i = 0; i < r->n; i++)
        n += h->granted >> i & 1;
    if (n + 1 == majority && peer_voter_at(r, &self) >= 0 &&
        voter_grant(s, &r->owner, r->term, r->window_us))
        n++;
    if (n >= majority)
        end(s, h);
}

static void ask(struct step *s, struct peer_hunt *h)
{
    struct election_action *a = step_act(s, ACT_PEER_ASK);
    a->record = &h->record;
    a->at_us = h->nonce;
    h->due_us = s->now + h->record.window_us / ASKS_PER_WINDOW;
}

static void suspect(struct step *s, struct peer_hunt *h)
{
    h->state = HUNT_ASKING;
    h->granted = 0;
    h->nonce = step_jitter(s, UINT32_MAX) << 32;
    h->nonce |= step_jitter(s, UINT32_MAX) + 1;
    s->e->peer.suspicions++;
    struct election_action *a = peer_note(s, PEER_NOTE_SUSPECT);
    a->peer = h->record.owner;
    a->at_us = heard_us(&s->e->peer, h);
    ask(s, h);
}

static void calm(struct step *s, struct peer_hunt *h)
{
    h->state = HUNT_CALM;
    h->req = 0;
    h->jitter_us = step_jitter(s, JITTER_US);
}

void ender_on_granted(struct step *s, const struct peer_input *in)
{
    struct peer_lease *p = &s->e->peer;
    for (unsigned i = 0; i < PEERS_MAX; i++) {
        struct peer_hunt *h = &p->hunts[i];
        int voter = peer_voter_at(&h->record, &in->from);
        if (h->state != HUNT_ASKING || h->nonce != in->number || voter < 0 ||
            !peer_is_same(&h->record.owner, &in->owner) || h->record.term != in->term ||
            peer_is_self(s->e, &in->from) || peer_is_same(&in->from, &in->owner))
            continue;
        h->granted |= 1u << voter;
        count_grants(s, h);
    }
}

/* ---- the records of others ---- */

void ender_on_leaving(struct step *s, const struct peer_session *from)
{
    for (unsigned i = 0; i < PEERS_MAX; i++)
        if (peer_is_same(&s->e->peer.hunts[i].record.owner, from))
            s->e->peer.hunts[i].is_leaving = true;
}

void ender_on_put(struct step *s, const struct peer_record *r)
{
    struct peer_lease *p = &s->e->peer;
    struct peer_hunt *h = find(p, r->name);
    if (strncmp(r->name, p->name, sizeof(p->name)) == 0 || !r->name[0] || r->n > PEERS_MAX ||
        (h && r->revision <= h->record.revision))
        return;
    for (unsigned i = 0; i < PEERS_MAX && !h; i++)
        if (!p->hunts[i].record.name[0])
            h = &p->hunts[i];
    if (!h)
        return;
    if (!h->since_us || !peer_is_same(&h->record.owner, &r->owner)) {
        forget(h);
        h->since_us = s->now;
    }
    h->record = *r;
    if (!peer_is_window(r->window_us))
        h->record.n = 0;
    calm(s, h); /* grants are for one term, and a txn for one revision */
}

void ender_on_deleted(struct step *s, const char *name, int64_t revision)
{
    struct peer_hunt *h = name ? find(&s->e->peer, name) : NULL;
    if (h && revision > h->record.revision && h->state != HUNT_ENDING && h->state != HUNT_REVOKING)
        forget(h);
}

void ender_on_listed(struct step *s, const struct election_event *ev)
{
    struct peer_lease *p = &s->e->peer;
    for (unsigned i = 0; i < PEERS_MAX; i++) {
        bool is_there = false;
        for (unsigned k = 0; k < ev->peer.n && !is_there; k++)
            is_there =
                strncmp(ev->peer.records[k].name, p->hunts[i].record.name, NODE_NAME_MAX) == 0;
        if (!is_there && p->hunts[i].record.name[0])
            ender_on_deleted(s, p->hunts[i].record.name, ev->revision);
    }
    for (unsigned k = 0; k < ev->peer.n; k++)
        ender_on_put(s, &ev->peer.records[k]);
}

static struct peer_hunt *waiting_for(struct peer_lease *p, enum peer_hunt_state state, uint32_t req)
{
    for (unsigned i = 0; i < PEERS_MAX; i++)
        if (p->hunts[i].state == state && req != 0 && p->hunts[i].req == req)
            return &p->hunts[i];
    return NULL;
}

/* By now the watch has told that the owner's keys are gone. If not, it may hang at the member of
 * the node that has died. */
static void finish(struct step *s, struct peer_hunt *h)
{
    for (unsigned i = 0; i < s->e->n; i++) {
        const struct vip *v = &s->e->vips[i];
        const struct candidate *first = queue_leader(&v->queue);
        if (v->state == VIP_QUEUED && first && first->lease == h->record.owner.lease)
            take_ask_proof(s, i);
    }
    forget(h);
}

void ender_on_ended(struct step *s, const struct election_event *ev)
{
    struct peer_hunt *h = waiting_for(&s->e->peer, HUNT_ENDING, ev->req);
    if (!h)
        return;
    if (ev->result == RESULT_FAILED) {
        h->req = 0;
        h->due_us = s->now + RETRY_US;
    } else if (ev->result == RESULT_OK) {
        s->e->peer.endings++;
        peer_note(s, PEER_NOTE_ENDED)->peer = h->record.owner;
        h->tries = 0;
        revoke(s, h);
    } else if (ev->peer.n == 0) {
        finish(s, h); /* others were first, or a try of ours whose answer was lost */
    } else {
        calm(s, h);
        ender_on_put(s, &ev->peer.records[0]);
    }
}

void ender_on_revoked(struct step *s, const struct election_event *ev)
{
    struct peer_hunt *h = waiting_for(&s->e->peer, HUNT_REVOKING, ev->req);
    if (!h)
        return;
    if (ev->result == RESULT_FAILED && h->tries < REVOKES_MAX)
        h->due_us = s->now + RETRY_US;
    else
        finish(s, h);
}

static void run_timer(struct step *s, struct peer_hunt *h)
{
    const struct peer_lease *p = &s->e->peer;
    switch (h->state) {
    case HUNT_CALM:
        if (s->now >= suspect_us(p, h) && may_hunt(s->e, h))
            suspect(s, h);
        break;
    case HUNT_ASKING:
        if (s->now < heard_us(p, h) + h->record.window_us || !may_hunt(s->e, h)) {
            peer_note(s, PEER_NOTE_CALM)->peer = h->record.owner;
            calm(s, h);
        } else if (s->now >= h->due_us) {
            ask(s, h);
            count_grants(s, h);
        }
        break;
    case HUNT_ENDING:
        if (s->now >= h->due_us)
            end(s, h);
        break;
    default:
        if (s->now < h->due_us)
            break;
        if (h->tries < REVOKES_MAX)
            revoke(s, h);
        else
            finish(s, h);
        break;
    }
}

void ender_timers(struct step *s)
{
    struct peer_lease *p = &s->e->peer;
    for (unsigned i = 0; i < PEERS_MAX; i++)
        if (p->hunts[i].record.name[0])
            run_timer(s, &p->hunts[i]);
}

uint64_t ender_wake(const struct election *e)
{
    const struct peer_lease *p = &e->peer;
    uint64_t wake = NEVER_US;
    for (unsigned i = 0; i < PEERS_MAX; i++) {
        const struct peer_hunt *h = &p->hunts[i];
        uint64_t at = NEVER_US;
        if (!h->record.name[0])
            continue;
        if (h->state != HUNT_CALM)
            at = h->due_us;
        else if (may_hunt(e, h))
            at = suspect_us(p, h);
        if (at < wake)
            wake = at;
    }
    return wake;
}
