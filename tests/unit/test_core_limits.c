/* SPDX-License-Identifier: MIT */
/* Stopping, slots, no packet fence, and as many VIPs as there may be. */
#include "core_bench.h"

#include <string.h>

static const struct election_event stop = {.type = EV_STOP};

static void test_stop_before_start(void **state)
{
    struct bench b;
    (void)state;
    bench_init(&b, 1);
    bench_feed(&b, stop);
    assert_true(b.e.is_done);
    bench_expect(&b, ACT_DONE);
    assert_null(bench_find(&b, ACT_LEASE_REVOKE));
    bench_done(&b);
}

/* I4, I5: address, key, lease, end. */
static void test_stop_of_the_owner(void **state)
{
    struct bench b;
    (void)state;
    bench_init(&b, 1);
    bench_drive(&b, VIP_HELD);
    bench_feed(&b, stop);
    BENCH_EXPECT(&b, ACT_STATE, ACT_CLOSE_CONNECTIONS, ACT_ADDRESS_DELETE);
    bench_feed(&b, (struct election_event){.type = EV_ADDRESS_CLEARED, .req = b.vips[0].req});
    BENCH_EXPECT(&b, ACT_FENCE_DISARM, ACT_STATE, ACT_RESIGN);
    bench_feed(&b, stop); /* a second SIGTERM */
    BENCH_EXPECT(&b, ACT_TYPES);
    bench_feed(&b, (struct election_event){.type = EV_KEY_RESIGNED, .req = b.vips[0].req});
    BENCH_EXPECT(&b, ACT_STATE, ACT_SESSION, ACT_LEASE_REVOKE);
    bench_feed(&b, (struct election_event){.type = EV_LEASE_REVOKED, .req = b.e.session.req});
    BENCH_EXPECT(&b, ACT_SESSION, ACT_DONE);
    assert_true(b.e.is_done && b.e.wake_us == NEVER_US);
    bench_done(&b);
}

static void test_stop_without_etcd(void **state)
{
    (void)state;
    for (enum vip_state from = VIP_UNUSED; from < VIP_STATES; from++) {
        struct bench b;
        bench_init(&b, 1);
        bench_drive(&b, from);
        uint64_t stopped = b.now;
        bench_feed(&b, stop);
        if (b.vips[0].has_address)
            bench_feed(&b,
                       (struct election_event){.type = EV_ADDRESS_CLEARED, .req = b.vips[0].req});
        while (!b.e.is_done && b.e.wake_us != NEVER_US)
            bench_timer(&b, b.e.wake_us);
        assert_true(b.e.is_done);
        assert_int_equal(b.now, stopped + 3 * SECOND_US);
        bench_done(&b);
    }
}

/* An address that the kernel keeps is not left alone. */
static void test_stop_waits_for_the_address(void **state)
{
    struct bench b;
    (void)state;
    bench_init(&b, 1);
    bench_drive(&b, VIP_HELD);
    bench_feed(&b, stop);
    for (unsigned i = 0; i < 400; i++)
        bench_timer(&b, b.e.wake_us);
    assert_true(b.now > b.e.stop_us);
    assert_false(b.e.is_done);
    bench_feed(&b, (struct election_event){.type = EV_ADDRESS_CLEARED, .req = b.vips[0].req});
    assert_true(b.e.is_done);
    bench_done(&b);
}

static void test_slot_is_used_again(void **state)
{
    struct bench b;
    struct vip fresh;
    (void)state;
    bench_init(&b, 1);
    bench_drive(&b, VIP_UNUSED);
    bench_run_until(&b, b.now + 3 * SECOND_US);
    assert_int_equal(b.vips[0].state, VIP_UNUSED);
    bench_feed(&b, bench_renewed(&b));
    bench_feed(&b, (struct election_event){.type = EV_VIP_ADDED});
    assert_int_equal(b.vips[0].state, VIP_JOINING);
    assert_int_equal(b.vips[0].bars, 0);
    assert_int_equal(b.vips[0].queue.n, 0);
    assert_int_equal(b.vips[0].owned, 0);
    /* One that is in use is left as it is. */
    fresh = b.vips[0];
    bench_feed(&b, (struct election_event){.type = EV_VIP_ADDED});
    assert_memory_equal(&fresh, &b.vips[0], sizeof(fresh));
    bench_done(&b);
}

static void test_slots_may_have_gaps(void **state)
{
    struct bench b;
    (void)state;
    bench_init(&b, 4);
    bench_feed(&b, (struct election_event){.type = EV_START, .yes = true});
    bench_feed(&b, bench_granted(&b));
    bench_feed(&b, (struct election_event){.type = EV_VIP_ADDED, .vip = 3});
    assert_int_equal(b.e.n, 4);
    assert_int_equal(b.vips[3].state, VIP_JOINING);
    for (unsigned i = 0; i < 3; i++)
        assert_int_equal(b.vips[i].state, VIP_UNUSED);
    bench_done(&b);
}

/* Shorter right, lifetimes that never outlast it, and nothing taken for less than a second. */
static void test_without_packet_fence(void **state)
{
    struct bench b;
    (void)state;
    for (unsigned is_short = 0; is_short < 2; is_short++) {
        bench_init(&b, 1);
        bench_feed(&b, (struct election_event){.type = EV_VIP_ADDED});
        bench_feed(&b, (struct election_event){.type = EV_START, .yes = false});
        uint64_t sent = b.now;
        bench_feed(&b, bench_granted(&b));
        assert_int_equal(bench_expect(&b, ACT_DEADLINE)->at_us, sent + 3150 * MS_US);
        /* No renewal is answered from here on. */
        b.vips[0].owned = KEY;
        bench_run_until(&b, sent + (is_short ? 2160 : 1000) * MS_US);
        bench_feed(&b, bench_proved(&b, true, 0));
        if (is_short) {
            assert_null(bench_find(&b, ACT_ADDRESS_ADD));
            assert_int_equal(b.vips[0].state, VIP_QUEUED);
        } else {
            while (!bench_find(&b, ACT_ADDRESS_ADD))
                bench_feed(&b, bench_proved(&b, true, 0));
            assert_int_equal(bench_expect(&b, ACT_ADDRESS_ADD)->seconds, 2);
        }
        bench_done(&b);
    }
}

static void test_no_guardian(void **state)
{
    struct bench b;
    (void)state;
    bench_init(&b, 1);
    bench_drive(&b, VIP_QUEUED);
    bench_feed(&b, (struct election_event){.type = EV_GUARDIAN, .yes = false});
    bench_feed(&b, (struct election_event){
                       .type = EV_KEY_DELETED, .revision = ++b.revision, .lease = LEASE_BEFORE});
    assert_int_equal(b.vips[0].state, VIP_QUEUED);
    bench_feed(&b, (struct election_event){.type = EV_GUARDIAN, .yes = true});
    bench_run_until(&b, b.e.session.due_us);
    bench_feed(&b, bench_renewed(&b));
    assert_int_equal(b.vips[0].state, VIP_CONFIRMING);
    bench_done(&b);
}

/* The watch tells first; each renewal asks as well, once there is a key. */
static void test_key_check(void **state)
{
    struct bench b;
    (void)state;
    bench_init(&b, 1);
    bench_drive(&b, VIP_JOINING);
    bench_timer(&b, b.e.session.due_us);
    bench_expect(&b, ACT_LEASE_RENEW);
    assert_null(bench_find(&b, ACT_KEYS_CHECK));
    bench_done(&b);
    bench_init(&b, 1);
    bench_drive(&b, VIP_HELD);
    bench_run_until(&b, b.e.session.due_us);
    uint32_t req = b.e.session.check_req;
    assert_true(req != 0);
    bench_feed(
        &b, (struct election_event){.type = EV_KEYS_CHECKED, .req = req, .result = RESULT_FAILED});
    BENCH_EXPECT(&b, ACT_TYPES);
    bench_feed(&b, bench_renewed(&b));
    bench_run_until(&b, b.e.session.due_us);
    bench_feed(&b, (struct election_event){.type = EV_KEYS_CHECKED,
                                           .req = b.e.session.check_req,
                                           .result = RESULT_GONE});
    BENCH_EXPECT(&b, ACT_CONFIRM);
    /* Etcd does not show our key: gone, whatever the watch says. */
    struct election_event ev = bench_proved(&b, true, 0);
    ev.queue.n = ev.queue.total = 0;
    bench_feed(&b, ev);
    BENCH_EXPECT(&b, ACT_STATE, ACT_FENCE_SHUT, ACT_ADDRESS_DELETE);
    assert_int_equal(b.vips[0].cause, CAUSE_KEY_LOST);
    bench_done(&b);
}

/* The next renewal of a short lease, answered at once; what is asked with it. */
static uint32_t renew_short(struct bench *b)
{
    bench_run_until(b, b->e.session.due_us);
    const struct election_action *check = bench_find(b, ACT_KEYS_CHECK);
    uint32_t req = check ? check->req : 0;
    struct election_event ev = bench_renewed(b);
    ev.ttl_us = 2 * SECOND_US;
    bench_feed(b, ev);
    return req;
}

static void tell_checked(struct bench *b, uint32_t req, enum election_result result)
{
    bench_feed(b, (struct election_event){.type = EV_KEYS_CHECKED, .req = req, .result = result});
}

/* Were a verdict forgotten for the next question, none would ever count where etcd takes longer
 * than we renew. One that is lost is not waited for. */
static void test_key_check_slower_than_renewals(void **state)
{
    struct bench b;
    (void)state;
    bench_init(&b, 1);
    bench_drive(&b, VIP_HELD);
    tell_checked(&b, renew_short(&b), RESULT_OK);
    uint32_t req = renew_short(&b);
    assert_int_not_equal(req, 0);
    assert_int_equal(renew_short(&b), 0); /* that one is out */
    tell_checked(&b, req, RESULT_GONE);
    BENCH_EXPECT(&b, ACT_CONFIRM);
    bench_feed(&b, bench_proved(&b, true, 0));
    req = renew_short(&b);
    assert_int_not_equal(req, 0);
    assert_int_equal(renew_short(&b), 0);
    uint32_t next = renew_short(&b); /* 1.1 s after the one without an answer */
    assert_true(next != 0 && next != req);
    tell_checked(&b, req, RESULT_GONE); /* too late */
    BENCH_EXPECT(&b, ACT_TYPES);
    tell_checked(&b, next, RESULT_GONE);
    BENCH_EXPECT(&b, ACT_CONFIRM);
    bench_done(&b);
}

/* A queue too long to show our own key is no proof against it while we wait. */
static void test_partial_queue(void **state)
{
    struct bench b;
    struct candidate list[QUEUE_MAX];
    (void)state;
    bench_init(&b, 1);
    bench_drive(&b, VIP_QUEUED);
    memset(list, 0, sizeof(list));
    for (unsigned i = 0; i < QUEUE_MAX; i++)
        list[i] =
            (struct candidate){.lease = 1000 + i, .create_revision = KEY_BEFORE - 40 + (int)i};
    struct election_event ev = {
        .type = EV_QUEUE_LISTED,
        .queue = {.revision = ++b.revision, .list = list, .n = QUEUE_MAX, .total = QUEUE_MAX + 5}};
    bench_feed(&b, ev);
    assert_int_equal(b.vips[0].state, VIP_QUEUED);
    assert_int_equal(b.vips[0].revision, KEY);
    /* All whom we know of leave: etcd is asked who is left. */
    for (unsigned i = 0; i < QUEUE_MAX; i++) {
        assert_int_equal(b.vips[0].proof_req, 0);
        bench_feed(&b, (struct election_event){.type = EV_KEY_DELETED,
                                               .revision = ++b.revision,
                                               .lease = list[i].lease});
        assert_int_equal(b.vips[0].state, VIP_QUEUED);
    }
    BENCH_EXPECT(&b, ACT_CONFIRM);
    ev.queue.revision = ++b.revision;
    ev.queue.total = QUEUE_MAX;
    bench_feed(&b, ev);
    assert_int_equal(b.vips[0].state, VIP_OFF);
    assert_int_equal(b.vips[0].cause, CAUSE_KEY_LOST);
    bench_done(&b);
}

static void feed_each(struct bench *b, struct election_event ev)
{
    for (unsigned i = 0; i < b->n_vips; i++) {
        ev.vip = i;
        ev.req = ev.type == EV_QUEUE_PROVED ? b->vips[i].proof_req : b->vips[i].req;
        bench_feed(b, ev);
    }
}

/* The whole lot taken, in doubt, lapsed and stopped in single steps. */
static void test_many_vips(void **state)
{
    struct bench b, again;
    (void)state;
    assert_true(BENCH_VIPS_MAX >= ELECTION_VIPS_MAX);
    bench_init(&b, ELECTION_VIPS_MAX);
    bench_drive(&b, VIP_JOINING);
    b.vips[0].released = KEY_BEFORE;
    feed_each(&b, bench_proved(&b, false, KEY_BEFORE));
    feed_each(&b, (struct election_event){
                      .type = EV_KEY_DELETED, .revision = ++b.revision, .lease = LEASE_BEFORE});
    feed_each(&b, bench_proved(&b, true, KEY_BEFORE));
    feed_each(&b, (struct election_event){.type = EV_ADDRESS_SET});
    for (unsigned i = 0; i < b.n_vips; i++)
        assert_int_equal(b.vips[i].state, VIP_HELD);
    /* The bench checks the number of actions after each of these. */
    bench_copy(&again, &b);
    bench_feed(&again, stop);
    assert_true(again.out.n >= 3 * b.n_vips);
    bench_done(&again);
    bench_copy(&again, &b);
    bench_timer(&again, again.e.wake_us + SECOND_US);
    bench_feed(&again, bench_renewed(&again));
    assert_true(again.out.n >= b.n_vips);
    bench_done(&again);
    bench_timer(&b, b.e.session.deadline_us + SECOND_US);
    assert_true(b.out.n >= 3 * b.n_vips);
    feed_each(&b, (struct election_event){.type = EV_ADDRESS_CLEARED});
    for (unsigned i = 0; i < b.n_vips; i++)
        assert_int_equal(b.vips[i].state, VIP_QUEUED);
    bench_done(&b);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_stop_before_start),
        cmocka_unit_test(test_stop_of_the_owner),
        cmocka_unit_test(test_stop_without_etcd),
        cmocka_unit_test(test_stop_waits_for_the_address),
        cmocka_unit_test(test_slot_is_used_again),
        cmocka_unit_test(test_slots_may_have_gaps),
        cmocka_unit_test(test_without_packet_fence),
        cmocka_unit_test(test_no_guardian),
        cmocka_unit_test(test_key_check),
        cmocka_unit_test(test_key_check_slower_than_renewals),
        cmocka_unit_test(test_partial_queue),
        cmocka_unit_test(test_many_vips),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
