/* SPDX-License-Identifier: MIT */
/* Rules 1, 5 and 6: an owner obeys a list of voters before it names them in etcd, and until it
 * knows that etcd names others. */
#include "step.h"

#include <string.h>

/* Heartbeats come faster while a majority lags behind by this many of them. */
#define LAG_BEATS 2
#define HURRY 4
/* A list is proposed when its own right has at least this part of the window left. */
#define READY_DIVISOR 4
/* Beyond the TTL: by then the lease of voters that died is gone, and the list without them. */
#define YIELD_US (2 * SECOND_US)

static struct peer_member *find(struct peer_owner *o, const struct peer_session *session)
{
    for (unsigned i = 0; i < 2 * PEERS_MAX; i++)
        if (o->members[i].session.lease && peer_is_same(&o->members[i].session, session))
            return &o->members[i];
    return NULL;
}

bool owner_has_member(const struct election *e, const struct peer_session *session)
{
    const struct peer_member *at = e->peer.owner.members;
    for (unsigned i = 0; i < 2 * PEERS_MAX; i++)
        if (at[i].is_member && peer_is_same(&at[i].session, session))
            return true;
    return false;
}

static bool has_address(const struct election *e)
{
    for (unsigned i = 0; i < e->n; i++)
        if (e->vips[i].has_address)
            return true;
    return false;
}

/* ---- the right ---- */

/* When the newest heartbeat was sent that a majority of the list acknowledged; 0 = none. */
static uint64_t majority_us(const struct election *e, const struct peer_record *list)
{
    uint64_t newest[PEERS_MAX] = {0};
    unsigned n = 0, need = list->n / 2; /* and we ourselves */
    for (unsigned i = 0; i < 2 * PEERS_MAX; i++) {
        const struct peer_member *m = &e->peer.owner.members[i];
        if (!m->session.lease || !m->acked_us || m->given_up >= list->term ||
            peer_voter_at(list, &m->session) < 0 || n == PEERS_MAX)
            continue;
        unsigned at = n++;
        for (; at > 0 && newest[at - 1] < m->acked_us; at--)
            newest[at] = newest[at - 1];
        newest[at] = m->acked_us;
    }
    return need > 0 && n >= need ? newest[need - 1] : 0;
}

static uint64_t right_by(const struct election *e, const struct peer_record *list)
{
    if (list->n == 0)
        return NEVER_US;
    uint64_t sent = majority_us(e, list);
    return sent ? peer_right_of(sent, list->window_us) : 0;
}

/* P: by every list that etcd may name. */
static uint64_t right_now(const struct election *e)
{
    const struct peer_owner *o = &e->peer.owner;
    uint64_t right = right_by(e, &o->current);
    uint64_t other = o->is_proposing ? right_by(e, &o->next) : NEVER_US;
    return other < right ? other : right;
}

bool owner_mute(struct step *s)
{
    struct peer_owner *o = &s->e->peer.owner;
    if (o->is_mute || o->right_us == NEVER_US || s->now < o->right_us)
        return false;
    o->is_mute = true;
    o->yield_us = s->now + s->e->session.ttl_us + YIELD_US;
    s->e->peer.mutes++;
    peer_note(s, PEER_NOTE_MUTE)->at_us = o->right_us;
    return true;
}

static void follow_right(struct step *s)
{
    struct peer_owner *o = &s->e->peer.owner;
    uint64_t right = right_now(s->e);
    if (right != o->right_us) {
        o->right_us = right;
        session_store_deadline(s, false);
    }
    if (o->is_mute && s->now < right) {
        o->is_mute = false;
        o->yield_us = NEVER_US;
        peer_note(s, PEER_NOTE_HEARD);
        for (unsigned i = 0; i < s->e->n; i++)
            vip_on_heard(s, i);
    }
    owner_mute(s);
}

/* ---- heartbeats ---- */

static uint64_t window_of(const struct peer_lease *p)
{
    const struct peer_owner *o = &p->owner;
    uint64_t window = p->window_us;
    if (o->current.n && o->current.window_us < window)
        window = o->current.window_us;
    return window;
}

static bool is_beating(const struct election *e)
{
    const struct peer_lease *p = &e->peer;
    bool has_list = p->owner.current.n || (p->owner.is_proposing && p->owner.next.n);
    bool may = p->is_enabled && e->is_fenced && has_address(e);
    return e->session.state == SESSION_LIVE && (may || has_list);
}

static void beat(struct step *s)
{
    struct peer_lease *p = &s->e->peer;
    struct peer_owner *o = &p->owner;
    uint64_t interval = peer_interval(window_of(p));
    if (!is_beating(s->e)) {
        o->beat_us = NEVER_US;
        return;
    }
    if (o->beat_us != NEVER_US && s->now < o->beat_us)
        return;
    uint64_t fresh = peer_right_of(s->now - LAG_BEATS * interval, window_of(p));
    o->beat_us = s->now + (o->right_us < fresh ? interval / HURRY : interval);
    o->sent_us[++o->sequence % PEER_SENT_MAX] = s->now;
    struct election_action *a = step_act(s, ACT_PEER_BEAT);
    a->at_us = o->sequence;
    a->ttl_us = window_of(p);
}

void owner_on_acked(struct step *s, const struct peer_input *in)
{
    struct peer_owner *o = &s->e->peer.owner;
    struct peer_member *m = find(o, &in->from);
    /* An acknowledgement is good for the time when its own heartbeat was sent, and for nothing
     * else. */
    if (!m || !peer_is_self(s->e, &in->owner) || in->number <= m->sequence ||
        in->number > o->sequence || in->number + PEER_SENT_MAX <= o->sequence)
        return;
    m->sequence = in->number;
    m->acked_us = o->sent_us[in->number % PEER_SENT_MAX];
    if (in->term > m->given_up)
        m->given_up = in->term;
    follow_right(s);
}

void owner_on_leaving(struct step *s, const struct peer_session *from)
{
    struct peer_member *m = find(&s->e->peer.owner, from);
    if (m)
        m->is_leaving = true;
}

/* ---- who takes part ---- */

static bool is_listed(const struct peer_owner *o, const struct peer_session *session)
{
    return peer_voter_at(&o->current, session) >= 0 ||
           (o->is_proposing && peer_voter_at(&o->next, session) >= 0);
}

void owner_on_members(struct step *s, const struct peer_session *sessions, unsigned n)
{
    struct peer_owner *o = &s->e->peer.owner;
    for (unsigned i = 0; i < 2 * PEERS_MAX; i++)
        o->members[i].is_member = false;
    for (unsigned k = 0; k < n && k < PEERS_MAX; k++) {
        struct peer_member *m = find(o, &sessions[k]);
        if (m)
            m->is_member = true;
    }
    for (unsigned i = 0; i < 2 * PEERS_MAX; i++) {
        struct peer_member *m = &o->members[i];
        if (!m->is_member && !is_listed(o, &m->session))
            *m = (struct peer_member){0};
    }
    for (unsigned k = 0, i = 0; k < n && k < PEERS_MAX; k++) {
        if (sessions[k].lease <= 0 || find(o, &sessions[k]) || peer_is_self(s->e, &sessions[k]))
            continue;
        while (i < 2 * PEERS_MAX && o->members[i].session.lease)
            i++;
        if (i < 2 * PEERS_MAX)
            o->members[i] = (struct peer_member){.session = sessions[k], .is_member = true};
    }
}

/* ---- the record ---- */

/* Those named by etcd that answer, and those that were voters, answering or not: an owner that
 * could strike off whom it does not hear would keep the VIP in a minority. */
static void want(const struct election *e, struct peer_record *ret_list)
{
    const struct peer_lease *p = &e->peer;
    const struct peer_owner *o = &p->owner;
    struct peer_record *l = ret_list;
    *l = (struct peer_record){.owner = peer_self(e), .window_us = p->window_us};
    memcpy(l->name, p->name, sizeof(l->name));
    l->term = o->last_term + 1;
    if (!p->is_enabled || !e->is_fenced || !has_address(e))
        return;
    l->voters[l->n++] = l->owner;
    for (unsigned i = 0; i < 2 * PEERS_MAX && l->n < PEERS_MAX; i++) {
        const struct peer_member *m = &o->members[i];
        bool answers = m->acked_us && m->acked_us + p->window_us > e->now_us;
        if (m->is_member && !m->is_leaving &&
            (answers || peer_voter_at(&o->current, &m->session) >= 0))
            l->voters[l->n++] = m->session;
    }
    if (l->n < PEER_VOTERS_MIN)
        l->n = 0;
}

/* Changes when we take a VIP: those who end our lease say so in its name. */
static uint64_t owned_digest(const struct election *e)
{
    uint64_t digest = 0;
    for (unsigned i = 0; i < e->n; i++)
        if (e->vips[i].revision && e->vips[i].owned == e->vips[i].revision)
            digest = digest * 31 + (uint64_t)e->vips[i].owned;
    return digest;
}

static bool is_other(const struct election *e, const struct peer_record *wanted)
{
    const struct peer_owner *o = &e->peer.owner;
    const struct peer_record *current = &o->current;
    if (wanted->n != current->n)
        return true;
    for (unsigned i = 0; i < wanted->n; i++)
        if (peer_voter_at(current, &wanted->voters[i]) < 0)
            return true;
    for (unsigned i = 0; i < 2 * PEERS_MAX; i++) {
        const struct peer_member *m = &o->members[i];
        if (m->session.lease && current->n && m->given_up >= current->term &&
            peer_voter_at(current, &m->session) >= 0)
            return true; /* it may count again under another term */
    }
    return wanted->n && (wanted->window_us != current->window_us || owned_digest(e) != o->owned);
}

static void send(struct step *s)
{
    struct peer_owner *o = &s->e->peer.owner;
    struct election_action *a;
    o->req = step_request(s, ACT_PEER_PUBLISH, &a);
    a->lease = s->e->session.lease;
    a->revision = o->current.revision ? o->current.revision : o->guard;
    a->record = &o->next;
    o->due_us = s->now + REQUEST_TIMEOUT_US;
}

/* Obeyed first, then published. */
static void propose(struct step *s, const struct peer_record *list)
{
    struct peer_owner *o = &s->e->peer.owner;
    o->next = *list;
    o->last_term = list->term;
    o->is_proposing = true;
    o->owned = owned_digest(s->e);
    follow_right(s);
    send(s);
}

/* The first record has no voters. One with voters could be ended and, were the answer to the txn
 * that wrote it lost, be written again by us, who would know nothing of it. */
static void consider(struct step *s)
{
    const struct election *e = s->e;
    struct peer_owner *o = &s->e->peer.owner;
    struct peer_record wanted;
    if (e->session.state != SESSION_LIVE || e->is_stopping)
        return;
    if (o->is_proposing) {
        if (s->now >= o->due_us)
            send(s); /* the same again: the answer to either tells */
        return;
    }
    if (!o->current.revision && !(e->peer.is_enabled && e->is_fenced))
        return;
    if (o->current.revision && !o->current.n && !has_address(e))
        return;
    want(e, &wanted);
    if (!o->current.revision)
        wanted.n = 0;
    else if (!is_other(e, &wanted))
        return;
    uint64_t ready = s->now + wanted.window_us / READY_DIVISOR;
    if (wanted.n && right_by(e, &wanted) <= ready)
        return;
    propose(s, &wanted);
}

static void confirm(struct step *s, int64_t revision)
{
    struct peer_owner *o = &s->e->peer.owner;
    bool was_on = o->current.n > 0;
    o->current = o->next;
    o->current.revision = revision;
    o->is_proposing = false;
    o->req = 0;
    if (o->current.n)
        peer_note(s, PEER_NOTE_ON)->count = o->current.n;
    else if (was_on)
        peer_note(s, PEER_NOTE_OFF);
    follow_right(s);
}

static bool is_proposed(const struct election *e, const struct peer_record *r)
{
    return e->peer.owner.is_proposing && peer_is_self(e, &r->owner) &&
           r->term == e->peer.owner.next.term;
}

/* Only those who end a lease take its record away, voters or a person: whatever we still hold is
 * somebody else's. */
static void lose(struct step *s)
{
    peer_note(s, PEER_NOTE_LOST);
    session_lose(s, CAUSE_PEERS);
}

void owner_on_published(struct step *s, const struct election_event *ev)
{
    struct peer_owner *o = &s->e->peer.owner;
    const struct peer_record *found = ev->peer.n ? &ev->peer.records[0] : NULL;
    if (!o->is_proposing || ev->req == 0 || ev->req != o->req)
        return;
    if (ev->result == RESULT_FAILED) { /* done or not: nobody knows */
        o->req = 0;
        o->due_us = s->now + RETRY_US;
    } else if (ev->result == RESULT_OK) {
        confirm(s, ev->revision);
    } else if (found && is_proposed(s->e, found)) {
        confirm(s, found->revision); /* an earlier try was carried out */
    } else if (o->current.revision == 0) {
        o->guard = found ? found->revision : 0; /* of a former life of this node */
        send(s);
    } else {
        lose(s);
    }
}

void owner_on_put(struct step *s, const struct peer_record *r)
{
    struct peer_lease *p = &s->e->peer;
    const struct peer_owner *o = &p->owner;
    if (strncmp(r->name, p->name, sizeof(p->name)) != 0 || r->revision <= o->current.revision)
        return;
    if (is_proposed(s->e, r))
        confirm(s, r->revision);
    else if (o->current.revision && !peer_is_self(s->e, &r->owner))
        lose(s);
}

void owner_on_deleted(struct step *s, const char *name, int64_t revision)
{
    struct peer_lease *p = &s->e->peer;
    if (name && strncmp(name, p->name, sizeof(p->name)) == 0 && p->owner.current.revision &&
        revision > p->owner.current.revision && s->e->session.state == SESSION_LIVE)
        lose(s);
}

void owner_on_listed(struct step *s, const struct election_event *ev)
{
    struct peer_lease *p = &s->e->peer;
    for (unsigned i = 0; i < ev->peer.n; i++)
        if (strncmp(ev->peer.records[i].name, p->name, sizeof(p->name)) == 0) {
            owner_on_put(s, &ev->peer.records[i]);
            return;
        }
    owner_on_deleted(s, p->name, ev->revision);
}

void owner_reset(struct step *s)
{
    struct peer_owner *o = &s->e->peer.owner;
    o->current = o->next = (struct peer_record){0};
    o->is_proposing = o->is_mute = false;
    o->guard = 0;
    o->req = 0;
    o->right_us = o->yield_us = NEVER_US;
    for (unsigned i = 0; i < 2 * PEERS_MAX; i++) {
        o->members[i].acked_us = 0;
        o->members[i].given_up = 0;
    }
}

/* Voters that hear an owner do not end it, and it keeps its lease; if it does not hear them, or
 * they not each other, only it can let another have the VIP. */
static void yield(struct step *s)
{
    struct peer_owner *o = &s->e->peer.owner;
    if (!o->is_mute || s->now < o->yield_us)
        return;
    o->yield_us = NEVER_US;
    for (unsigned i = 0; i < s->e->n; i++)
        vip_on_yield(s, i);
}

void owner_timers(struct step *s)
{
    yield(s);
    beat(s);
    consider(s);
}

uint64_t owner_wake(const struct election *e)
{
    const struct peer_owner *o = &e->peer.owner;
    uint64_t wake = is_beating(e) ? o->beat_us : NEVER_US;
    if (o->is_proposing && e->session.state == SESSION_LIVE && !e->is_stopping && o->due_us < wake)
        wake = o->due_us;
    if (!o->is_mute && o->right_us < wake)
        wake = o->right_us;
    if (o->is_mute && o->yield_us < wake)
        wake = o->yield_us;
    return wake;
}
