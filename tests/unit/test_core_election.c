/* SPDX-License-Identifier: MIT */
/* Every event in every state. What must hold after each step is checked by the bench. */
#include "core_bench.h"

#include <stdio.h>
#include <string.h>

enum { WITHOUT_REQ, STALE_REQ, THIS_REQ, REQS };
enum { QUEUE_NOBODY, QUEUE_OURS, QUEUE_SECOND, QUEUE_OTHERS, QUEUE_REBORN, QUEUES };
enum { AT_ONCE, SOON, AFTER_DEADLINE, LATE, MOMENTS };

static const struct candidate ours = {.lease = LEASE, .create_revision = KEY},
                              other = {.lease = LEASE_BEFORE, .create_revision = KEY_BEFORE},
                              reborn = {.lease = LEASE, .create_revision = 99};

static struct election_queue queue_of(int kind, int64_t revision, struct candidate *list)
{
    unsigned n = 0;
    if (kind == QUEUE_SECOND || kind == QUEUE_OTHERS)
        list[n++] = other;
    if (kind == QUEUE_OURS || kind == QUEUE_SECOND)
        list[n++] = ours;
    if (kind == QUEUE_REBORN)
        list[n++] = reborn;
    return (struct election_queue){.revision = revision, .list = list, .n = n, .total = n};
}

static bool is_completion(enum election_event_type type)
{
    return type == EV_LEASE_GRANTED || type == EV_LEASE_RENEWED || type == EV_LEASE_REVOKED ||
           type == EV_QUEUE_PROVED || type == EV_KEYS_CHECKED || type == EV_KEY_RESIGNED ||
           type == EV_ADDRESS_SET || type == EV_ADDRESS_CLEARED;
}

/* The id that an event of this type must carry now; 0 = none is awaited. */
static uint32_t awaited(const struct bench *b, enum election_event_type type)
{
    const struct vip *v = &b->vips[0];
    const struct session *ss = &b->e.session;
    switch (type) {
    case EV_LEASE_GRANTED:
        return ss->state == SESSION_GRANTING ? ss->req : 0;
    case EV_LEASE_RENEWED:
        return ss->state == SESSION_LIVE ? ss->req : 0;
    case EV_LEASE_REVOKED:
        return ss->state == SESSION_REVOKING ? ss->req : 0;
    case EV_KEYS_CHECKED:
        return ss->check_req;
    case EV_QUEUE_PROVED:
        return v->proof_req;
    case EV_KEY_RESIGNED:
        return v->state == VIP_RESIGNING ? v->req : 0;
    case EV_ADDRESS_SET:
        return v->state == VIP_TAKING || v->state == VIP_HELD ? v->req : 0;
    case EV_ADDRESS_CLEARED:
        return v->state == VIP_DROPPING ? v->req : 0;
    default:
        return 0;
    }
}

static uint64_t moment_of(const struct bench *b, int moment)
{
    switch (moment) {
    case AT_ONCE:
        return b->now;
    case SOON:
        return b->now + MS_US;
    case AFTER_DEADLINE:
        return b->e.session.deadline_us > b->now ? b->e.session.deadline_us : b->now;
    default:
        return b->now + 3 * SECOND_US;
    }
}

static struct election_event event_of(const struct bench *b, enum election_event_type type, int req,
                                      enum election_result result, int queue,
                                      struct candidate *list)
{
    uint32_t id = awaited(b, type);
    struct election_event ev = {.type = type,
                                .result = result,
                                .lease = queue == QUEUE_OURS ? LEASE : LEASE_BEFORE,
                                .ttl_us = TTL_DEFAULT_US,
                                .revision = b->revision + 1,
                                .count = (unsigned)queue,
                                .bar = queue ? BAR_LINK : BAR_CONFIG,
                                .yes = result == RESULT_OK,
                                .candidate = queue == QUEUE_REBORN ? reborn : other,
                                .queue = queue_of(queue, b->revision + 1, list),
                                .request = {.ask = (enum election_ask)result,
                                            .epoch = queue == QUEUE_OURS ? KEY : KEY_BEFORE,
                                            .to = {queue == QUEUE_SECOND ? 'x' : '\0'}}};
    ev.queue.is_paused = req == THIS_REQ && result == RESULT_OK && queue == QUEUE_OTHERS;
    ev.req = req == WITHOUT_REQ ? 0 : req == STALE_REQ ? id + 1000 : id;
    return ev;
}

/* I8: the same event gives the same. */
static void feed_twins(struct bench *b, const struct election_event *ev, uint64_t now)
{
    struct bench twin;
    b->now = now;
    bench_copy(&twin, b);
    bench_feed(b, *ev);
    bench_feed(&twin, *ev);
    assert_int_equal(b->out.n, twin.out.n);
    assert_memory_equal(b->out.at, twin.out.at, b->out.n * sizeof(b->out.at[0]));
    assert_memory_equal(b->vips, twin.vips, b->n_vips * sizeof(b->vips[0]));
    bench_done(&twin);
}

static void test_every_event_in_every_state(void **state)
{
    unsigned pairs = 0;
    (void)state;
    for (enum vip_state from = 0; from < VIP_STATES; from++) {
        struct bench base;
        bench_init(&base, 2);
        bench_drive(&base, from);
        for (enum election_event_type type = 0; type < EV_TYPES; type++)
            for (int k = 0; k < REQS * 3 * QUEUES * MOMENTS; k++) {
                struct candidate list[2];
                struct bench b;
                if (type == EV_START) /* comes once */
                    continue;
                bench_copy(&b, &base);
                struct election_event ev =
                    event_of(&b, type, k % REQS, (enum election_result)(k / REQS % 3),
                             k / REQS / 3 % QUEUES, list);
                feed_twins(&b, &ev, moment_of(&b, k / REQS / 3 / QUEUES));
                /* And it goes on from there, whatever it was. */
                bench_run_until(&b, b.now + 2 * SECOND_US);
                bench_feed(&b, bench_bar(BAR_LINK, true));
                bench_run_until(&b, b.now + 2 * SECOND_US);
                bench_done(&b);
                pairs++;
            }
        bench_done(&base);
    }
    assert_int_equal(pairs, VIP_STATES * (EV_TYPES - 1) * REQS * 3 * QUEUES * MOMENTS);
}

/* I7 */
static void test_stale_completions_change_nothing(void **state)
{
    (void)state;
    for (enum vip_state from = 0; from < VIP_STATES; from++) {
        struct bench base;
        bench_init(&base, 2);
        bench_drive(&base, from);
        for (enum election_event_type type = 0; type < EV_TYPES; type++)
            for (int k = 0; is_completion(type) && k < 2 * 3 * QUEUES; k++) {
                struct candidate list[2];
                struct bench b;
                bench_copy(&b, &base);
                struct election_event ev =
                    event_of(&b, type, STALE_REQ, (enum election_result)(k / 2 % 3), k / 6, list);
                if (k % 2) /* given out long ago */
                    ev.req = awaited(&b, type) == 1 ? 2 : 1;
                bench_feed(&b, ev);
                assert_int_equal(b.out.n, 0);
                b.e.vips = base.e.vips;
                assert_memory_equal(&b.e, &base.e, sizeof(b.e));
                assert_memory_equal(b.vips, base.vips, b.n_vips * sizeof(b.vips[0]));
                bench_done(&b);
            }
        bench_done(&base);
    }
}

/* A wake-up that is not due does nothing either. */
static void test_early_timer_does_nothing(void **state)
{
    (void)state;
    for (enum vip_state from = 0; from < VIP_STATES; from++) {
        struct bench b;
        bench_init(&b, 2);
        bench_drive(&b, from);
        uint64_t wake = b.e.wake_us;
        bench_timer(&b, b.now);
        assert_int_equal(b.out.n, 0);
        bench_timer(&b, wake - 1);
        assert_int_equal(b.out.n, 0);
        assert_int_equal(b.e.wake_us, wake);
        bench_timer(&b, wake);
        assert_true(b.out.n > 0);
        bench_done(&b);
    }
}

/* A slot that does not exist is nobody's. */
static void test_unknown_slots(void **state)
{
    struct bench b, before;
    (void)state;
    bench_init(&b, 2);
    bench_drive(&b, VIP_HELD);
    bench_copy(&before, &b);
    for (enum election_event_type type = EV_QUEUE_PROVED; type < EV_TYPES; type++) {
        struct candidate list[2];
        struct election_event ev = event_of(&b, type, THIS_REQ, RESULT_FAILED, 1, list);
        ev.vip = type == EV_VIP_ADDED ? ELECTION_VIPS_MAX : 2;
        ev.yes = true;
        if (type == EV_KEYS_CHECKED || type == EV_GUARDIAN)
            continue;
        bench_feed(&b, ev);
        assert_int_equal(b.out.n, 0);
        assert_memory_equal(b.vips, before.vips, 2 * sizeof(b.vips[0]));
    }
    bench_done(&b);
    bench_done(&before);
}

/* A long life among events in no sensible order, with ids old and new. */
static void test_random_walk(void **state)
{
    unsigned visits[VIP_STATES] = {0};
    uint32_t x = 1;
    (void)state;
    for (unsigned life = 0; life < 400; life++) {
        struct bench b;
        bench_init(&b, 2);
        bench_drive(&b, VIP_JOINING);
        for (unsigned i = 0; i < 500 && !b.e.is_done; i++) {
            struct candidate list[2];
            unsigned dice[6];
            for (unsigned k = 0; k < 6; k++) {
                x = x * 1664525 + 1013904223;
                dice[k] = x >> 16;
            }
            enum election_event_type type = (enum election_event_type)(dice[0] % EV_TYPES);
            if (type == EV_START || (type == EV_STOP && dice[1] % 64))
                type = EV_TIMER;
            bool is_good = dice[2] % 4; /* else it would not live long */
            struct election_event ev =
                event_of(&b, type, is_good ? THIS_REQ : (int)(dice[3] % REQS),
                         is_good ? RESULT_OK : (enum election_result)(dice[2] / 4 % 3),
                         is_good && dice[5] % 8 ? QUEUE_OURS : (int)(dice[3] / 8 % QUEUES), list);
            if (ev.req == 0 && is_completion(type))
                type = ev.type = EV_TIMER;
            if (type == EV_BAR)
                ev.yes = dice[4] % 4 == 0;
            if (type == EV_LEASE_GRANTED)
                ev.lease = LEASE;
            else if (type == EV_KEY_DELETED && dice[4] % 8)
                ev.lease = LEASE_BEFORE;
            b.revision++;
            b.now += dice[5] % 64 == 0 ? 3 * SECOND_US : dice[4] % (40 * MS_US);
            if (b.e.wake_us < b.now && dice[5] % 64)
                b.now = b.e.wake_us;
            bench_feed(&b, ev);
            visits[b.vips[0].state]++;
        }
        bench_done(&b);
    }
    for (enum vip_state at = VIP_UNUSED; at < VIP_STATES; at++)
        if (visits[at] == 0)
            fail_msg("the walk never came to %s", vip_state_name(at));
}

static void expect_names(const char *(*name)(unsigned), unsigned n)
{
    for (unsigned i = 0; i < n; i++) {
        assert_non_null(name(i));
        assert_string_not_equal(name(i), "");
        assert_string_not_equal(name(i), "?");
        for (unsigned k = 0; k < i; k++)
            assert_string_not_equal(name(i), name(k));
    }
    assert_string_equal(name(n), "?");
    assert_string_equal(name(UINT32_MAX), "?");
}

static const char *state_name(unsigned i)
{
    return vip_state_name((enum vip_state)i);
}

static const char *session_name(unsigned i)
{
    return session_state_name((enum session_state)i);
}

static const char *cause_name(unsigned i)
{
    return election_cause_name((enum election_cause)i);
}

static void test_names(void **state)
{
    (void)state;
    expect_names(state_name, VIP_STATES);
    expect_names(session_name, SESSION_STATES);
    expect_names(cause_name, CAUSES);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_every_event_in_every_state),
        cmocka_unit_test(test_stale_completions_change_nothing),
        cmocka_unit_test(test_early_timer_does_nothing),
        cmocka_unit_test(test_unknown_slots),
        cmocka_unit_test(test_random_walk),
        cmocka_unit_test(test_names),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
