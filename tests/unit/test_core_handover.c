/* SPDX-License-Identifier: MIT */
/* What people ask of a VIP: to resign, to whom, to pause. */
#include "core_bench.h"

#include <stdio.h>
#include <string.h>

enum { NEXT_LEASE = 201, LAST_LEASE = 202 };

static struct election_event put(const struct bench *b, int64_t lease, int64_t create,
                                 const char *name)
{
    struct election_event ev = {.type = EV_KEY_PUT, .revision = b->revision + 1, .lease = lease};
    ev.candidate = (struct candidate){.lease = lease, .create_revision = create};
    snprintf(ev.candidate.name, sizeof(ev.candidate.name), "%s", name);
    return ev;
}

static struct election_event gone(const struct bench *b, int64_t lease)
{
    return (struct election_event){
        .type = EV_KEY_DELETED, .revision = b->revision + 1, .lease = lease};
}

static struct election_event asked(const struct bench *b, enum election_ask ask, int64_t epoch,
                                   const char *to)
{
    struct election_event ev = {
        .type = EV_REQUEST, .revision = b->revision + 1, .request = {.ask = ask, .epoch = epoch}};
    snprintf(ev.request.to, sizeof(ev.request.to), "%s", to);
    return ev;
}

/* We hold it; "next" and "last" wait. */
static void hold(struct bench *b)
{
    bench_init(b, 1);
    bench_drive(b, VIP_HELD);
    bench_feed(b, put(b, NEXT_LEASE, b->revision + 1, "next"));
    bench_feed(b, put(b, LAST_LEASE, b->revision + 1, "last"));
    assert_int_equal(b->vips[0].state, VIP_HELD);
}

static enum election_refusal refusal(const struct bench *b)
{
    const struct election_action *a = bench_expect(b, ACT_REQUEST_REFUSED);
    assert_int_equal(a->revision, KEY);
    return a->refusal;
}

static void test_resign(void **state)
{
    struct bench b;
    (void)state;
    hold(&b);
    bench_feed(&b, asked(&b, ASK_RESIGN, KEY, ""));
    BENCH_EXPECT(&b, ACT_STATE, ACT_CLOSE_CONNECTIONS, ACT_ADDRESS_DELETE);
    assert_int_equal(bench_expect(&b, ACT_STATE)->cause, CAUSE_RESIGN);
    bench_feed(&b, (struct election_event){.type = EV_ADDRESS_CLEARED, .req = b.vips[0].req});
    assert_true(bench_expect(&b, ACT_RESIGN)->yes);
    /* At the tail at once: nothing is wrong here. */
    bench_feed(&b, (struct election_event){.type = EV_KEY_RESIGNED, .req = b.vips[0].req});
    bench_expect(&b, ACT_CAMPAIGN);
    bench_done(&b);
}

static void test_not_addressed_to_this_ownership(void **state)
{
    struct bench b;
    (void)state;
    hold(&b);
    const int64_t epochs[] = {0, KEY - 1, KEY + 1, -1};
    for (size_t i = 0; i < sizeof(epochs) / sizeof(epochs[0]); i++) {
        bench_feed(&b, asked(&b, ASK_RESIGN, epochs[i], ""));
        BENCH_EXPECT(&b, ACT_TYPES);
        assert_int_equal(b.vips[0].state, VIP_HELD);
    }
    bench_done(&b);
}

static void test_refusals(void **state)
{
    struct bench b;
    (void)state;
    hold(&b);
    bench_feed(&b, asked(&b, ASK_RESIGN, KEY, "nobody"));
    assert_int_equal(refusal(&b), REFUSAL_ABSENT);
    /* Said once. */
    bench_feed(&b, (struct election_event){.type = EV_TIMER});
    assert_null(bench_find(&b, ACT_REQUEST_REFUSED));
    bench_feed(&b, gone(&b, NEXT_LEASE));
    bench_feed(&b, gone(&b, LAST_LEASE));
    bench_feed(&b, asked(&b, ASK_RESIGN, KEY, ""));
    assert_int_equal(refusal(&b), REFUSAL_ALONE);
    assert_int_equal(b.vips[0].state, VIP_HELD);
    bench_done(&b);
}

static void test_waits_for_those_between(void **state)
{
    struct bench b;
    (void)state;
    hold(&b);
    bench_feed(&b, asked(&b, ASK_RESIGN, KEY, "last"));
    BENCH_EXPECT(&b, ACT_TYPES);
    uint64_t asked_us = b.now;
    bench_run_until(&b, b.now + SECOND_US);
    assert_int_equal(b.vips[0].state, VIP_HELD);
    /* The same again, as after a new list of the watch, does not prolong it. */
    bench_feed(&b, asked(&b, ASK_RESIGN, KEY, "last"));
    assert_int_equal(b.vips[0].requested_us, asked_us);
    bench_feed(&b, gone(&b, NEXT_LEASE));
    assert_int_equal(b.vips[0].state, VIP_DROPPING);
    assert_int_equal(b.vips[0].cause, CAUSE_RESIGN);
    bench_done(&b);
}

static void test_waits_no_longer_than_3_s(void **state)
{
    struct bench b;
    (void)state;
    hold(&b);
    bench_feed(&b, asked(&b, ASK_RESIGN, KEY, "last"));
    uint64_t end = b.now + 3 * SECOND_US;
    while (b.now + SECOND_US < end) {
        bench_run_until(&b, b.now + 900 * MS_US);
        bench_feed(&b, bench_renewed(&b));
    }
    bench_run_until(&b, end - 1);
    assert_true(b.e.wake_us <= end);
    bench_timer(&b, end);
    assert_int_equal(refusal(&b), REFUSAL_BLOCKED);
    assert_int_equal(b.vips[0].state, VIP_HELD);
    bench_done(&b);
}

/* LEASE_BEFORE owns it, we are next, "last" is last. */
static void wait_in_queue(struct bench *b)
{
    bench_init(b, 1);
    bench_drive(b, VIP_QUEUED);
    bench_feed(b, put(b, LAST_LEASE, b->revision + 1, "last"));
    assert_int_equal(b->vips[0].state, VIP_QUEUED);
}

static void test_steps_behind(void **state)
{
    struct bench b;
    (void)state;
    wait_in_queue(&b);
    bench_feed(&b, asked(&b, ASK_RESIGN, KEY_BEFORE, "last"));
    BENCH_EXPECT(&b, ACT_STATE, ACT_RESIGN);
    /* It never owned it: no release is put on record. */
    assert_false(bench_expect(&b, ACT_RESIGN)->yes);
    assert_int_equal(bench_expect(&b, ACT_RESIGN)->revision, KEY);
    bench_feed(&b, (struct election_event){.type = EV_KEY_RESIGNED, .req = b.vips[0].req});
    bench_expect(&b, ACT_CAMPAIGN);
    bench_done(&b);
}

static void test_does_not_step_behind(void **state)
{
    struct bench b;
    (void)state;
    wait_in_queue(&b);
    /* For the next, for us, for the owner, for one who is not there, or addressed to another. */
    bench_feed(&b, asked(&b, ASK_RESIGN, KEY_BEFORE, ""));
    BENCH_EXPECT(&b, ACT_TYPES);
    bench_feed(&b, asked(&b, ASK_RESIGN, KEY_BEFORE, "cp-2"));
    BENCH_EXPECT(&b, ACT_TYPES);
    bench_feed(&b, asked(&b, ASK_RESIGN, KEY_BEFORE, "cp-1"));
    BENCH_EXPECT(&b, ACT_TYPES);
    bench_feed(&b, asked(&b, ASK_RESIGN, KEY_BEFORE, "nobody"));
    BENCH_EXPECT(&b, ACT_TYPES);
    bench_feed(&b, asked(&b, ASK_RESIGN, KEY_BEFORE - 1, "last"));
    BENCH_EXPECT(&b, ACT_TYPES);
    assert_int_equal(b.vips[0].state, VIP_QUEUED);
    bench_done(&b);
}

static void test_paused_owner(void **state)
{
    struct bench b;
    (void)state;
    hold(&b);
    bench_feed(&b, asked(&b, ASK_PAUSE, 0, ""));
    bench_feed(&b, bench_bar(BAR_HEALTH, true));
    bench_feed(&b, bench_bar(BAR_PAUSE, true));
    assert_int_equal(b.vips[0].state, VIP_HELD);
    struct bench other;
    bench_copy(&other, &b);
    bench_feed(&other, bench_bar(BAR_LINK, true));
    assert_int_equal(other.vips[0].cause, CAUSE_LINK_DOWN);
    bench_done(&other);
    bench_feed(&b, asked(&b, ASK_NOTHING, 0, ""));
    assert_int_equal(b.vips[0].state, VIP_DROPPING);
    assert_int_equal(b.vips[0].cause, CAUSE_HEALTH);
    bench_done(&b);
}

/* I10 */
static void test_paused_is_not_taken(void **state)
{
    struct bench b;
    (void)state;
    bench_init(&b, 1);
    bench_drive(&b, VIP_CONFIRMING);
    struct election_event ev = bench_proved(&b, true, KEY_BEFORE);
    ev.queue.is_paused = true;
    bench_feed(&b, ev);
    assert_int_equal(b.vips[0].state, VIP_QUEUED);
    /* Older news of the watch do not count against it. */
    struct election_event old = asked(&b, ASK_NOTHING, 0, "");
    old.revision = b.vips[0].paused_revision - 1;
    bench_feed(&b, old);
    assert_int_equal(b.vips[0].state, VIP_QUEUED);
    bench_run_until(&b, b.now + SECOND_US);
    bench_feed(&b, bench_renewed(&b));
    bench_expect(&b, ACT_CONFIRM);
    bench_feed(&b, asked(&b, ASK_NOTHING, 0, ""));
    assert_int_equal(b.vips[0].state, VIP_CONFIRMING);
    bench_done(&b);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_resign),
        cmocka_unit_test(test_not_addressed_to_this_ownership),
        cmocka_unit_test(test_refusals),
        cmocka_unit_test(test_waits_for_those_between),
        cmocka_unit_test(test_waits_no_longer_than_3_s),
        cmocka_unit_test(test_steps_behind),
        cmocka_unit_test(test_does_not_step_behind),
        cmocka_unit_test(test_paused_owner),
        cmocka_unit_test(test_paused_is_not_taken),
    };
    return cmocka_run_group_tests_name("core/handover", tests, NULL, NULL);
}
