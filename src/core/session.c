/* SPDX-License-Identifier: MIT */
/* One etcd lease for the whole agent. A renewal counts from when it was sent, and only its own
 * answer moves the deadline forward. */
#include "step.h"

#define BACKOFF_MIN_US (200 * MS_US)
#define BACKOFF_MAX_US SECOND_US
/* A right that went unconfirmed for this many intervals was in doubt. */
#define LATE_FACTOR 2

static void set_state(struct step *s, enum session_state to, enum election_cause cause)
{
    struct election_action *a = step_act(s, ACT_SESSION);
    a->from_session = s->e->session.state;
    a->to_session = to;
    a->cause = cause;
    s->e->session.state = to;
}

void session_store_deadline(struct step *s, bool is_forced)
{
    struct election *e = s->e;
    uint64_t right = e->session.deadline_us, peer = e->peer.owner.right_us;
    uint64_t deadline = peer < right ? peer : right;
    if (deadline == e->deadline_us && !is_forced)
        return;
    e->deadline_us = deadline;
    struct election_action *a = step_act(s, ACT_DEADLINE);
    a->at_us = deadline;
    a->right_us = right;
}

static void grant(struct step *s)
{
    struct session *ss = &s->e->session;
    struct election_action *a;
    ss->req = step_request(s, ACT_LEASE_GRANT, &a);
    a->ttl_us = s->e->ttl_us;
    ss->sent_us = s->now;
    ss->due_us = s->now + REQUEST_TIMEOUT_US;
}

void session_start(struct step *s)
{
    set_state(s, SESSION_GRANTING, CAUSE_NONE);
    grant(s);
}

static bool has_keys(const struct election *e)
{
    for (unsigned i = 0; i < e->n; i++)
        if (e->vips[i].revision)
            return true;
    return false;
}

/* The watch tells first; this notices when the watch has gone deaf. One at a time: where etcd takes
 * longer than we renew, each would be forgotten for the next one before its verdict comes. */
static void check_keys(struct step *s)
{
    struct session *ss = &s->e->session;
    struct election_action *a;
    if (ss->check_req && s->now < ss->checked_us + REQUEST_TIMEOUT_US)
        return;
    ss->check_req = has_keys(s->e) ? step_request(s, ACT_KEYS_CHECK, &a) : 0;
    ss->checked_us = s->now;
}

static void renew(struct step *s)
{
    struct session *ss = &s->e->session;
    struct election_action *a;
    ss->req = step_request(s, ACT_LEASE_RENEW, &a);
    a->lease = ss->lease;
    ss->sent_us = s->now;
    ss->due_us = s->now + REQUEST_TIMEOUT_US;
    check_keys(s);
}

static void revoke(struct step *s)
{
    struct session *ss = &s->e->session;
    struct election_action *a;
    ss->req = step_request(s, ACT_LEASE_REVOKE, &a);
    a->lease = ss->lease;
    ss->due_us = s->now + REQUEST_TIMEOUT_US;
}

void session_end(struct step *s)
{
    if (s->e->session.state == SESSION_LIVE) {
        set_state(s, SESSION_REVOKING, CAUSE_SHUTDOWN);
        revoke(s);
    } else if (s->e->session.state != SESSION_REVOKING && s->e->session.state != SESSION_ENDED) {
        set_state(s, SESSION_ENDED, CAUSE_SHUTDOWN);
    }
}

static void retry_grant(struct step *s)
{
    struct session *ss = &s->e->session;
    uint64_t wait = BACKOFF_MIN_US << (ss->failures < 3 ? ss->failures : 3);
    if (wait > BACKOFF_MAX_US)
        wait = BACKOFF_MAX_US;
    ss->failures++;
    ss->req = 0;
    ss->due_us = s->now + wait / 2 + step_jitter(s, wait / 2);
}

static void note_success(struct step *s)
{
    struct session *ss = &s->e->session;
    ss->failures = 0;
    ss->req = 0;
    ss->renewed_us = s->now;
    ss->latency_us = s->now - ss->sent_us;
    ss->due_us = ss->sent_us + deadline_interval(ss->ttl_us, s->e->is_fenced);
}

/* Moves the right forward, never back. True when there is a right now. */
static bool extend(struct step *s, uint64_t ttl_us)
{
    struct session *ss = &s->e->session;
    uint64_t deadline = deadline_of(ss->sent_us, ttl_us, s->e->is_fenced);
    if (deadline > ss->deadline_us) {
        ss->deadline_us = deadline;
        session_store_deadline(s, true);
    }
    if (s->now < ss->deadline_us)
        ss->has_lapsed = false;
    return !ss->has_lapsed;
}

/* I7: the answer to what is out now, and to nothing else. */
static bool is_current(const struct session *ss, const struct election_event *ev)
{
    return ev->req != 0 && ev->req == ss->req;
}

static void on_granted(struct step *s, const struct election_event *ev)
{
    struct session *ss = &s->e->session;
    if (ss->state != SESSION_GRANTING || !is_current(ss, ev))
        return;
    if (ev->result != RESULT_OK || ev->lease <= 0 || ev->ttl_us == 0) {
        retry_grant(s);
        return;
    }
    ss->lease = ev->lease;
    ss->ttl_us = ev->ttl_us;
    ss->has_lapsed = true;
    ss->deadline_us = 0;
    set_state(s, SESSION_LIVE, CAUSE_NONE);
    note_success(s);
    extend(s, ev->ttl_us);
}

void session_lose(struct step *s, enum election_cause cause)
{
    struct session *ss = &s->e->session;
    owner_reset(s);
    ss->deadline_us = 0;
    session_store_deadline(s, true);
    ss->has_lapsed = true;
    ss->lease = 0;
    ss->req = ss->check_req = 0;
    ss->due_us = s->now + REJOIN_US;
    set_state(s, SESSION_RESTING, cause);
    for (unsigned i = 0; i < s->e->n; i++)
        vip_on_session_lost(s, i, cause);
}

static void on_renewed(struct step *s, const struct election_event *ev)
{
    struct session *ss = &s->e->session;
    if (ss->state != SESSION_LIVE || !is_current(ss, ev))
        return;
    if (ev->result == RESULT_GONE) {
        session_lose(s, CAUSE_SESSION_LOST);
        return;
    }
    if (ev->result != RESULT_OK) {
        ss->failures++;
        ss->req = 0;
        ss->due_us = s->now + RETRY_US;
        return;
    }
    bool was_late =
        s->now > ss->renewed_us + LATE_FACTOR * deadline_interval(ss->ttl_us, s->e->is_fenced);
    ss->ttl_us = ev->ttl_us;
    note_success(s);
    if (s->e->is_doubtful && ss->sent_us >= s->e->doubt_us)
        s->e->is_doubtful = false;
    if (!extend(s, ev->ttl_us))
        return;
    for (unsigned i = 0; i < s->e->n; i++)
        vip_on_confirmed(s, i, was_late);
}

static void on_revoked(struct step *s, const struct election_event *ev)
{
    struct session *ss = &s->e->session;
    if (ss->state != SESSION_REVOKING || !is_current(ss, ev))
        return;
    if (ev->result == RESULT_FAILED) {
        ss->req = 0;
        ss->due_us = s->now + RETRY_US;
        return;
    }
    set_state(s, SESSION_ENDED, CAUSE_SHUTDOWN);
}

static void on_checked(struct step *s, const struct election_event *ev)
{
    struct session *ss = &s->e->session;
    if (ev->req != ss->check_req || ev->req == 0)
        return;
    ss->check_req = 0;
    if (ev->result != RESULT_GONE)
        return;
    for (unsigned i = 0; i < s->e->n; i++)
        vip_on_keys_doubted(s, i);
}

void session_event(struct step *s, const struct election_event *ev)
{
    switch (ev->type) {
    case EV_LEASE_GRANTED:
        on_granted(s, ev);
        break;
    case EV_LEASE_RENEWED:
        on_renewed(s, ev);
        break;
    case EV_LEASE_REVOKED:
        on_revoked(s, ev);
        break;
    case EV_KEYS_CHECKED:
        on_checked(s, ev);
        break;
    default:
        break;
    }
}

/* A new lease would open the fence again for an address that is still on. */
static bool has_addresses(const struct election *e)
{
    for (unsigned i = 0; i < e->n; i++)
        if (e->vips[i].has_address)
            return true;
    return false;
}

void session_timers(struct step *s)
{
    struct session *ss = &s->e->session;
    if (s->now < ss->due_us)
        return;
    switch (ss->state) {
    case SESSION_GRANTING:
        if (ss->req)
            retry_grant(s);
        else
            grant(s);
        break;
    case SESSION_LIVE:
        if (ss->req)
            ss->failures++;
        renew(s);
        break;
    case SESSION_RESTING:
        if (has_addresses(s->e)) {
            ss->due_us = s->now + RETRY_US;
            break;
        }
        set_state(s, SESSION_GRANTING, CAUSE_NONE);
        grant(s);
        break;
    case SESSION_REVOKING:
        revoke(s);
        break;
    default:
        break;
    }
}

bool session_lapse(struct step *s)
{
    struct session *ss = &s->e->session;
    if (ss->state != SESSION_LIVE || ss->has_lapsed || s->now < ss->deadline_us)
        return false;
    ss->has_lapsed = true;
    return true;
}

uint64_t session_wake(const struct election *e)
{
    const struct session *ss = &e->session;
    if (ss->state == SESSION_OFF || ss->state == SESSION_ENDED)
        return NEVER_US;
    uint64_t wake = ss->due_us;
    if (ss->state == SESSION_LIVE && !ss->has_lapsed && ss->deadline_us < wake)
        wake = ss->deadline_us;
    return wake;
}
