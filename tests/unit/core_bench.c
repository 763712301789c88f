/* SPDX-License-Identifier: MIT */
#include "core_bench.h"

#include <stdlib.h>
#include <string.h>

static const struct candidate first_of_two[] = {
    {.lease = LEASE_BEFORE, .create_revision = KEY_BEFORE, .name = "cp-1"},
    {.lease = LEASE, .create_revision = KEY, .name = "cp-2"}};
static const struct candidate only_us[] = {
    {.lease = LEASE, .create_revision = KEY, .name = "cp-2"}};

static void allocate(struct bench *b)
{
    b->vips = calloc(b->n_vips, sizeof(*b->vips));
    b->out.max = ELECTION_ACTIONS_MAX(b->n_vips);
    b->out.at = calloc(b->out.max, sizeof(*b->out.at));
    assert_non_null(b->vips);
    assert_non_null(b->out.at);
}

void bench_init(struct bench *b, unsigned n)
{
    memset(b, 0, sizeof(*b));
    b->n_vips = n;
    b->now = 1000 * SECOND_US;
    b->revision = 10;
    allocate(b);
    election_init(&b->e, b->vips, TTL_DEFAULT_US, ANNOUNCE_REFRESH_DEFAULT_US, 42);
}

void bench_done(struct bench *b)
{
    free(b->vips);
    free(b->out.at);
}

void bench_copy(struct bench *to, const struct bench *from)
{
    memcpy(to, from, sizeof(*to));
    allocate(to);
    memcpy(to->vips, from->vips, from->n_vips * sizeof(*to->vips));
    memcpy(to->out.at, from->out.at, from->out.max * sizeof(*to->out.at));
    to->e.vips = to->vips;
}

static void check_acting(const struct bench *b, const struct election_action *a)
{
    const struct session *ss = &b->e.session;
    const struct vip *v = &b->vips[a->vip];
    const struct candidate *leader = queue_leader(&v->queue);
    /* I2 */
    assert_int_equal(ss->state, SESSION_LIVE);
    assert_false(ss->has_lapsed);
    assert_true(b->now < ss->deadline_us);
    assert_non_null(leader);
    assert_int_equal(leader->lease, ss->lease);
    assert_int_equal(leader->create_revision, v->revision);
    /* I9 */
    assert_int_equal(v->bars, 0);
    assert_false(b->e.is_stopping);
    assert_true(v->has_address);
}

static void check_action(struct bench *b, const struct election_action *a, uint32_t *last_req)
{
    const struct vip *v = &b->vips[a->vip];
    if (a->req) {
        assert_true(a->req > *last_req);
        *last_req = a->req;
    }
    switch (a->type) {
    case ACT_FENCE_ARM:
        b->is_armed[a->vip] = true;
        b->is_shut[a->vip] = false;
        break;
    case ACT_FENCE_SHUT:
        b->is_shut[a->vip] = true;
        break;
    case ACT_FENCE_DISARM:
        b->is_armed[a->vip] = b->is_shut[a->vip] = false;
        assert_false(v->has_address); /* I5 */
        break;
    case ACT_ADDRESS_ADD:
    case ACT_ADDRESS_REFRESH:
        assert_true(b->is_armed[a->vip] && !b->is_shut[a->vip]); /* I5 */
        assert_true(a->seconds > 0);
        check_acting(b, a);
        break;
    case ACT_ANNOUNCE:
    case ACT_ASK_PEERS:
    case ACT_DEFEND:
        assert_false(v->is_unproved);
        assert_int_equal(v->state, VIP_HELD);
        check_acting(b, a);
        break;
    case ACT_RESIGN:
        assert_false(v->has_address); /* I5 */
        break;
    case ACT_LEASE_REVOKE:
        for (unsigned i = 0; i < b->e.n; i++)
            assert_false(b->vips[i].has_address); /* I5 */
        break;
    default:
        break;
    }
}

/* The state of each slot is where the ACT_STATEs of this step lead to. */
static void check_states(const struct bench *b, const enum vip_state *before,
                         enum session_state session)
{
    enum vip_state now[BENCH_VIPS_MAX];
    memcpy(now, before, b->n_vips * sizeof(now[0]));
    for (unsigned i = 0; i < b->out.n; i++) {
        const struct election_action *a = &b->out.at[i];
        if (a->type == ACT_STATE) {
            assert_int_equal(a->from, now[a->vip]);
            now[a->vip] = a->to;
        } else if (a->type == ACT_SESSION) {
            assert_int_equal(a->from_session, session);
            session = a->to_session;
        }
    }
    assert_int_equal(session, b->e.session.state);
    for (unsigned i = 0; i < b->n_vips; i++)
        assert_int_equal(now[i], b->vips[i].state);
}

static void check_step(struct bench *b, uint32_t last_req)
{
    /* The last entry is never used, so nothing was cut off. */
    assert_true(b->out.n < b->out.max);
    for (unsigned i = 0; i < b->out.n; i++)
        check_action(b, &b->out.at[i], &last_req);
    for (unsigned i = 0; i < b->e.n; i++) {
        const struct vip *v = &b->vips[i];
        /* While it is paused, being ill is no reason (src/core/election.c, I9). */
        unsigned bars = v->is_paused ? v->bars & (BAR_LINK | BAR_CONFIG) : v->bars;
        bool has_hold = v->state == VIP_TAKING || v->state == VIP_HELD;
        assert_true(v->has_address == (has_hold || v->state == VIP_DROPPING));
        assert_false(has_hold && (bars || b->e.is_stopping || b->e.session.has_lapsed));
        assert_false(has_hold && b->now >= b->e.session.deadline_us);
        assert_true(!v->has_address || b->is_armed[i]);
    }
    /* Nothing is left that should have been done already: no wake-up without end. */
    assert_true(b->e.wake_us > b->now);
    assert_int_equal(b->e.now_us, b->now);
}

/* What the agent says right after a step that asked for probes. */
static void note_sent(struct bench *b)
{
    uint64_t now = b->now;
    unsigned n = 0, probed[BENCH_VIPS_MAX];
    for (unsigned i = 0; i < b->out.n && !b->is_unsent; i++)
        if (b->out.at[i].type == ACT_PROBE)
            probed[n++] = b->out.at[i].vip;
    if (n == 0)
        return;
    b->out.n = 0;
    b->now = b->e.now_us;
    while (n > 0)
        bench_feed(b, (struct election_event){.type = EV_PROBE_SENT, .vip = probed[--n]});
    b->now = now;
}

void bench_feed(struct bench *b, struct election_event ev)
{
    enum vip_state before[BENCH_VIPS_MAX];
    enum session_state session = b->e.session.state;
    uint64_t deadline = b->e.session.deadline_us;
    uint32_t last_req = b->e.last_req;
    int64_t lease = b->e.session.lease;
    note_sent(b);
    for (unsigned i = 0; i < b->n_vips; i++)
        before[i] = b->vips[i].state;
    /* The one change that needs no word: a slot that was free is taken into use. */
    if (ev.type == EV_VIP_ADDED && ev.vip < b->n_vips && before[ev.vip] == VIP_UNUSED)
        before[ev.vip] = VIP_OFF;
    ev.now_us = b->now;
    election_step(&b->e, &ev, &b->out);
    check_states(b, before, session);
    check_step(b, last_req);
    /* I6 */
    if (lease && b->e.session.lease == lease)
        assert_true(b->e.session.deadline_us >= deadline);
}

void bench_timer(struct bench *b, uint64_t at_us)
{
    b->now = at_us;
    bench_feed(b, (struct election_event){.type = EV_TIMER});
}

void bench_run_until(struct bench *b, uint64_t at_us)
{
    while (b->e.wake_us <= at_us)
        bench_timer(b, b->e.wake_us);
    b->now = at_us;
}

const struct election_action *bench_find(const struct bench *b, enum election_action_type type)
{
    for (unsigned i = b->out.n; i-- > 0;)
        if (b->out.at[i].type == type && b->out.at[i].vip == 0)
            return &b->out.at[i];
    return NULL;
}

const struct election_action *bench_expect(const struct bench *b, enum election_action_type type)
{
    const struct election_action *a = bench_find(b, type);
    assert_non_null(a);
    return a;
}

void bench_expect_actions(const struct bench *b, const enum election_action_type *types)
{
    unsigned n = 0;
    for (; types[n] != ACT_TYPES; n++) {
        assert_true(n < b->out.n);
        assert_int_equal(b->out.at[n].type, types[n]);
    }
    assert_int_equal(b->out.n, n);
}

struct election_event bench_granted(const struct bench *b)
{
    return (struct election_event){.type = EV_LEASE_GRANTED,
                                   .req = b->e.session.req,
                                   .lease = LEASE,
                                   .ttl_us = TTL_DEFAULT_US};
}

struct election_event bench_renewed(const struct bench *b)
{
    return (struct election_event){
        .type = EV_LEASE_RENEWED, .req = b->e.session.req, .ttl_us = TTL_DEFAULT_US};
}

struct election_event bench_proved(const struct bench *b, bool is_first, int64_t released)
{
    unsigned n = is_first ? 1 : 2;
    return (struct election_event){.type = EV_QUEUE_PROVED,
                                   .req = b->vips[0].proof_req,
                                   .queue = {.revision = b->revision,
                                             .list = is_first ? only_us : first_of_two,
                                             .n = n,
                                             .total = n,
                                             .released = released}};
}

struct election_event bench_bar(unsigned bar, bool is_up)
{
    return (struct election_event){.type = EV_BAR, .bar = bar, .yes = is_up};
}

static void start(struct bench *b)
{
    for (unsigned i = 0; i < b->n_vips; i++)
        bench_feed(b, (struct election_event){.type = EV_VIP_ADDED, .vip = i});
    bench_feed(b, (struct election_event){.type = EV_START, .yes = true});
    b->now += MS_US;
    bench_feed(b, bench_granted(b));
}

void bench_drive(struct bench *b, enum vip_state state)
{
    static const enum vip_state road[] = {VIP_JOINING, VIP_QUEUED, VIP_CONFIRMING, VIP_PROBING,
                                          VIP_TAKING,  VIP_HELD,   VIP_DROPPING,   VIP_RESIGNING,
                                          VIP_OFF,     VIP_UNUSED};
    start(b);
    for (unsigned i = 0; road[i] != state; i++) {
        b->now += MS_US;
        assert_int_equal(b->vips[0].state, road[i]);
        switch (road[i + 1]) {
        case VIP_QUEUED:
            bench_feed(b, bench_proved(b, false, 0));
            break;
        case VIP_CONFIRMING:
            bench_feed(b, (struct election_event){.type = EV_KEY_DELETED,
                                                  .revision = ++b->revision,
                                                  .lease = LEASE_BEFORE});
            break;
        case VIP_PROBING:
            /* On the way to what comes after it, the one before us said good-bye. */
            if (state != VIP_PROBING)
                i++;
            bench_feed(b, bench_proved(b, true, state == VIP_PROBING ? 0 : KEY_BEFORE));
            break;
        case VIP_HELD:
            bench_feed(b, (struct election_event){.type = EV_ADDRESS_SET, .req = b->vips[0].req});
            break;
        case VIP_DROPPING:
            bench_feed(b, bench_bar(BAR_HEALTH, true));
            break;
        case VIP_RESIGNING:
            bench_feed(b,
                       (struct election_event){.type = EV_ADDRESS_CLEARED, .req = b->vips[0].req});
            break;
        case VIP_OFF:
            bench_feed(b, (struct election_event){.type = EV_KEY_RESIGNED, .req = b->vips[0].req});
            break;
        default:
            bench_feed(b, bench_bar(BAR_CONFIG, true));
            break;
        }
    }
    note_sent(b);
    assert_int_equal(b->vips[0].state, state);
}
