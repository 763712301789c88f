/* SPDX-License-Identifier: MIT */
/* The order of the actions is contract, and so are the times. */
#include "core_bench.h"

static const struct election_event refused = {.result = RESULT_FAILED};

static struct election_event answer(const struct bench *b, enum election_event_type type,
                                    enum election_result result)
{
    struct election_event ev = refused;
    ev.type = type;
    ev.req = b->vips[0].req;
    ev.result = result;
    return ev;
}

static void test_start(void **state)
{
    struct bench b;
    (void)state;
    bench_init(&b, 1);
    assert_true(b.e.wake_us == NEVER_US);
    bench_feed(&b, (struct election_event){.type = EV_VIP_ADDED});
    BENCH_EXPECT(&b, ACT_TYPES);
    bench_feed(&b, (struct election_event){.type = EV_START, .yes = true});
    BENCH_EXPECT(&b, ACT_SESSION, ACT_LEASE_GRANT);
    assert_int_equal(bench_expect(&b, ACT_LEASE_GRANT)->ttl_us, TTL_DEFAULT_US);
    uint64_t sent = b.now;
    b.now += 200 * MS_US;
    bench_feed(&b, bench_granted(&b));
    BENCH_EXPECT(&b, ACT_SESSION, ACT_DEADLINE, ACT_STATE, ACT_CAMPAIGN);
    /* I6: from when it was sent. */
    assert_int_equal(bench_expect(&b, ACT_DEADLINE)->at_us, sent + 4650 * MS_US);
    assert_int_equal(bench_expect(&b, ACT_CAMPAIGN)->lease, LEASE);
    bench_done(&b);
}

static void test_grant_is_retried(void **state)
{
    struct bench b;
    (void)state;
    bench_init(&b, 1);
    bench_feed(&b, (struct election_event){.type = EV_START, .yes = true});
    for (unsigned i = 0; i < 40; i++) {
        struct election_event ev = bench_granted(&b);
        if (i % 3 == 0)
            ev.result = RESULT_FAILED;
        else if (i % 3 == 1)
            ev.lease = 0;
        else
            ev.ttl_us = 0;
        bench_feed(&b, ev);
        assert_int_equal(b.e.session.state, SESSION_GRANTING);
        uint64_t wait = b.e.wake_us - b.now;
        assert_in_range(wait, i < 3 ? 100 * MS_US : 500 * MS_US, SECOND_US);
        bench_timer(&b, b.e.wake_us);
        BENCH_EXPECT(&b, ACT_LEASE_GRANT);
    }
    /* No answer at all is a failure too. */
    bench_run_until(&b, b.now + 10 * SECOND_US);
    assert_int_equal(b.e.session.state, SESSION_GRANTING);
    bench_done(&b);
}

/* I5 */
static void test_taking(void **state)
{
    struct bench b;
    (void)state;
    bench_init(&b, 1);
    bench_drive(&b, VIP_CONFIRMING);
    bench_feed(&b, bench_proved(&b, true, KEY_BEFORE));
    BENCH_EXPECT(&b, ACT_STATE, ACT_FENCE_ARM, ACT_ADDRESS_ADD);
    assert_int_equal(bench_expect(&b, ACT_ADDRESS_ADD)->seconds, 4);
    bench_feed(&b, answer(&b, EV_ADDRESS_SET, RESULT_OK));
    BENCH_EXPECT(&b, ACT_STATE, ACT_ANNOUNCE, ACT_ASK_PEERS);
    assert_int_equal(bench_expect(&b, ACT_ANNOUNCE)->count, 0);
    bench_timer(&b, b.now + 20 * MS_US);
    BENCH_EXPECT(&b, ACT_ANNOUNCE);
    assert_int_equal(bench_expect(&b, ACT_ANNOUNCE)->count, 1);
    assert_int_equal(b.vips[0].owned, KEY);
    bench_done(&b);
}

/* I5 */
static void test_giving_up(void **state)
{
    struct bench b;
    (void)state;
    bench_init(&b, 1);
    bench_drive(&b, VIP_HELD);
    bench_feed(&b, bench_bar(BAR_LINK, true));
    BENCH_EXPECT(&b, ACT_STATE, ACT_CLOSE_CONNECTIONS, ACT_ADDRESS_DELETE);
    assert_int_equal(bench_expect(&b, ACT_STATE)->cause, CAUSE_LINK_DOWN);
    bench_feed(&b, answer(&b, EV_ADDRESS_CLEARED, RESULT_OK));
    BENCH_EXPECT(&b, ACT_FENCE_DISARM, ACT_STATE, ACT_RESIGN);
    const struct election_action *resign = bench_expect(&b, ACT_RESIGN);
    assert_true(resign->yes);
    assert_int_equal(resign->lease, LEASE);
    assert_int_equal(resign->revision, KEY);
    assert_int_equal(resign->cause, CAUSE_LINK_DOWN);
    bench_feed(&b, answer(&b, EV_KEY_RESIGNED, RESULT_OK));
    BENCH_EXPECT(&b, ACT_STATE);
    assert_int_equal(b.vips[0].state, VIP_OFF);
    bench_done(&b);
}

/* A second after the fault has gone, at the tail. */
static void test_rejoining(void **state)
{
    struct bench b;
    (void)state;
    bench_init(&b, 1);
    bench_drive(&b, VIP_OFF);
    bench_run_until(&b, b.now + 2 * SECOND_US);
    assert_int_equal(b.vips[0].state, VIP_OFF);
    bench_feed(&b, bench_renewed(&b));
    bench_feed(&b, bench_bar(BAR_HEALTH, false));
    uint64_t gone = b.now;
    bench_run_until(&b, gone + SECOND_US - 1);
    assert_int_equal(b.vips[0].state, VIP_OFF);
    bench_timer(&b, gone + SECOND_US);
    bench_expect(&b, ACT_CAMPAIGN);
    bench_done(&b);
}

static void test_lapse(void **state)
{
    struct bench b;
    (void)state;
    bench_init(&b, 1);
    bench_drive(&b, VIP_HELD);
    uint64_t deadline = b.e.session.deadline_us;
    bench_run_until(&b, deadline - 1);
    assert_int_equal(b.vips[0].state, VIP_HELD);
    bench_timer(&b, deadline);
    BENCH_EXPECT(&b, ACT_STATE, ACT_FENCE_SHUT, ACT_ADDRESS_DELETE);
    assert_int_equal(bench_expect(&b, ACT_STATE)->cause, CAUSE_LAPSED);
    bench_feed(&b, answer(&b, EV_ADDRESS_CLEARED, RESULT_OK));
    BENCH_EXPECT(&b, ACT_FENCE_DISARM, ACT_STATE);
    assert_int_equal(b.vips[0].state, VIP_QUEUED);
    /* The lease lived: the key is proved again, and nobody is probed for. */
    b.now += 50 * MS_US;
    bench_feed(&b, bench_renewed(&b));
    assert_int_equal(b.vips[0].state, VIP_CONFIRMING);
    assert_null(bench_find(&b, ACT_ADDRESS_ADD));
    bench_feed(&b, bench_proved(&b, true, KEY_BEFORE));
    BENCH_EXPECT(&b, ACT_STATE, ACT_FENCE_ARM, ACT_ADDRESS_ADD);
    bench_feed(&b, answer(&b, EV_ADDRESS_SET, RESULT_OK));
    assert_int_equal(bench_expect(&b, ACT_ANNOUNCE)->count, 0);
    bench_done(&b);
}

/* Whatever event is handled past the deadline, the address goes first. */
static void test_lapse_comes_before_the_event(void **state)
{
    struct bench b;
    (void)state;
    bench_init(&b, 1);
    bench_drive(&b, VIP_HELD);
    bench_run_until(&b, b.e.session.deadline_us - MS_US);
    struct election_event ev = bench_renewed(&b);
    b.now = b.e.session.deadline_us;
    bench_feed(&b, ev);
    assert_int_equal(b.out.at[0].type, ACT_STATE);
    assert_int_equal(b.out.at[1].type, ACT_FENCE_SHUT);
    assert_int_equal(b.out.at[2].type, ACT_ADDRESS_DELETE);
    assert_int_equal(b.vips[0].state, VIP_DROPPING);
    bench_done(&b);
}

/* I6: neither an old answer nor a shorter TTL takes back what etcd has promised. */
static void test_deadline_never_falls(void **state)
{
    struct bench b;
    (void)state;
    bench_init(&b, 1);
    bench_drive(&b, VIP_HELD);
    uint64_t deadline = b.e.session.deadline_us;
    bench_run_until(&b, b.e.session.due_us);
    struct election_event ev = bench_renewed(&b);
    ev.ttl_us = 2 * SECOND_US;
    bench_feed(&b, ev);
    assert_null(bench_find(&b, ACT_DEADLINE));
    assert_int_equal(b.e.session.deadline_us, deadline);
    bench_done(&b);
}

static void test_lost_lease(void **state)
{
    struct bench b;
    (void)state;
    bench_init(&b, 1);
    bench_drive(&b, VIP_HELD);
    bench_timer(&b, b.e.session.due_us);
    bench_expect(&b, ACT_KEYS_CHECK);
    struct election_event ev = bench_renewed(&b);
    ev.result = RESULT_GONE;
    bench_feed(&b, ev);
    BENCH_EXPECT(&b, ACT_DEADLINE, ACT_SESSION, ACT_STATE, ACT_FENCE_SHUT, ACT_ADDRESS_DELETE);
    assert_int_equal(b.out.at[0].at_us, 0);
    /* A new lease would open the fences over an address that the kernel did not delete yet. */
    for (uint64_t end = b.now + 5 * SECOND_US; b.now < end; bench_timer(&b, b.e.wake_us))
        assert_null(bench_find(&b, ACT_LEASE_GRANT));
    bench_feed(&b, answer(&b, EV_ADDRESS_CLEARED, RESULT_OK));
    bench_expect(&b, ACT_FENCE_DISARM);
    assert_null(bench_find(&b, ACT_RESIGN)); /* the key went with the lease */
    uint64_t cleared = b.now;
    while (!bench_find(&b, ACT_LEASE_GRANT))
        bench_timer(&b, b.e.wake_us);
    assert_true(b.now <= cleared + 100 * MS_US);
    bench_done(&b);
}

static void test_kernel_refuses_to_delete(void **state)
{
    struct bench b;
    (void)state;
    bench_init(&b, 1);
    bench_drive(&b, VIP_DROPPING);
    for (unsigned i = 0; i < 20; i++) {
        uint64_t asked = b.now;
        if (i % 2) /* or does not answer at all */
            bench_feed(&b, answer(&b, EV_ADDRESS_CLEARED, RESULT_FAILED));
        assert_int_equal(b.vips[0].state, VIP_DROPPING);
        do
            bench_timer(&b, b.e.wake_us);
        while (!bench_find(&b, ACT_ADDRESS_DELETE));
        assert_int_equal(b.now, asked + 50 * MS_US);
    }
    bench_feed(&b, answer(&b, EV_ADDRESS_CLEARED, RESULT_OK));
    bench_expect(&b, ACT_RESIGN);
    bench_done(&b);
}

static void test_kernel_refuses_to_add(void **state)
{
    struct bench b;
    (void)state;
    for (unsigned is_silent = 0; is_silent < 2; is_silent++) {
        bench_init(&b, 1);
        bench_drive(&b, VIP_TAKING);
        uint64_t asked = b.now;
        if (is_silent)
            bench_run_until(&b, asked + SECOND_US);
        else
            bench_feed(&b, answer(&b, EV_ADDRESS_SET, RESULT_FAILED));
        assert_int_equal(b.vips[0].state, VIP_DROPPING);
        assert_int_equal(b.vips[0].cause, CAUSE_ADDRESS);
        bench_feed(&b, answer(&b, EV_ADDRESS_CLEARED, RESULT_OK));
        bench_expect(&b, ACT_RESIGN);
        bench_done(&b);
    }
}

/* RFC 5227 in short: three probes 20 ms apart, and the proof again when it has become old. */
static void test_probing(void **state)
{
    struct bench b;
    (void)state;
    bench_init(&b, 1);
    bench_drive(&b, VIP_CONFIRMING);
    bench_feed(&b, bench_proved(&b, true, 0));
    BENCH_EXPECT(&b, ACT_STATE, ACT_PROBE);
    uint64_t first = b.now;
    for (unsigned i = 1; i < 3; i++) {
        assert_int_equal(b.e.wake_us, first + i * 20 * MS_US);
        bench_timer(&b, b.e.wake_us);
        BENCH_EXPECT(&b, ACT_PROBE);
    }
    bench_timer(&b, first + 60 * MS_US);
    BENCH_EXPECT(&b, ACT_STATE, ACT_CONFIRM);
    b.now += 5 * MS_US;
    bench_feed(&b, bench_proved(&b, true, 0));
    BENCH_EXPECT(&b, ACT_STATE, ACT_FENCE_ARM, ACT_ADDRESS_ADD);
    bench_done(&b);
}

/* A busy queue refuses the frame: nobody was asked, so nobody is silent. */
static void test_unsent_probes_prove_nothing(void **state)
{
    struct bench b;
    unsigned told = 0, probes = 0;
    (void)state;
    bench_init(&b, 1);
    b.is_unsent = true;
    bench_drive(&b, VIP_PROBING);
    uint64_t start = b.now;
    while (b.now < start + 20 * SECOND_US) {
        bench_timer(&b, b.e.wake_us);
        assert_null(bench_find(&b, ACT_FOREIGN));
        told += bench_find(&b, ACT_UNPROBED) != NULL;
        probes += bench_find(&b, ACT_PROBE) != NULL;
        if (b.e.session.req)
            bench_feed(&b, bench_renewed(&b));
        assert_int_equal(b.vips[0].state, VIP_PROBING);
        assert_int_equal(told, b.now - start >= 3 * SECOND_US);
    }
    assert_in_range(probes, 150 + 30, 150 + 36); /* and the queue is not made busier */
    b.is_unsent = false;
    for (uint64_t sent = b.now; b.vips[0].state == VIP_PROBING; bench_timer(&b, b.e.wake_us))
        assert_true(b.now - sent < 3 * SECOND_US);
    bench_done(&b);
}

/* One that was sent and one that was not, in turn: three of those sent are enough. */
static void test_only_sent_probes_count(void **state)
{
    struct bench b;
    unsigned probes = 0;
    (void)state;
    bench_init(&b, 1);
    b.is_unsent = true;
    bench_drive(&b, VIP_PROBING);
    while (b.vips[0].state == VIP_PROBING) {
        b.is_unsent = probes++ % 2 == 0;
        bench_timer(&b, b.e.wake_us);
    }
    assert_int_equal(probes, 6);
    bench_done(&b);
}

/* Where sending takes longer than the wait for an answer, the wait begins when it is out. */
static void test_a_slow_probe_is_waited_for(void **state)
{
    struct bench b;
    struct election_event sent = {.type = EV_PROBE_SENT};
    (void)state;
    bench_init(&b, 1);
    b.is_unsent = true;
    bench_drive(&b, VIP_PROBING);
    for (unsigned i = 0; i < 10; i++) {
        b.now += 15 * MS_US;
        bench_feed(&b, sent);
        assert_int_equal(b.e.wake_us, b.now + 20 * MS_US);
        bench_feed(&b, sent); /* a word for one before this */
        assert_int_equal(b.e.wake_us, b.now + 20 * MS_US);
        bench_feed(&b, (struct election_event){.type = EV_PROBE_ANSWERED});
        bench_timer(&b, b.e.wake_us);
        BENCH_EXPECT(&b, ACT_PROBE);
    }
    bench_done(&b);
}

static void test_foreign_owner(void **state)
{
    struct bench b;
    unsigned alerts = 0, probes = 0;
    (void)state;
    bench_init(&b, 1);
    bench_drive(&b, VIP_PROBING);
    uint64_t start = b.now, alerted = 0;
    while (b.now < start + 20 * SECOND_US) {
        bench_timer(&b, b.e.wake_us);
        if (bench_find(&b, ACT_FOREIGN)) {
            alerts++;
            alerted = b.now;
        }
        probes += bench_find(&b, ACT_PROBE) != NULL;
        bench_feed(&b, (struct election_event){.type = EV_PROBE_ANSWERED});
        if (bench_find(&b, ACT_LEASE_RENEW) || b.e.session.req)
            bench_feed(&b, bench_renewed(&b));
        assert_int_equal(b.vips[0].state, VIP_PROBING);
    }
    assert_int_equal(alerts, 1);
    assert_in_range(alerted - start, 3 * SECOND_US, 3100 * MS_US);
    assert_in_range(probes, 150 + 30, 150 + 36); /* 20 ms apart for 3 s, then 0.5 s */
    uint64_t silent = b.now;
    while (b.vips[0].state == VIP_PROBING)
        bench_timer(&b, b.e.wake_us);
    assert_in_range(b.now - silent, SECOND_US, 2 * SECOND_US);
    bench_done(&b);
}

static void test_resign_of_one_who_never_owned(void **state)
{
    static const enum vip_state states[] = {VIP_QUEUED, VIP_CONFIRMING, VIP_PROBING};
    (void)state;
    for (unsigned i = 0; i < 3; i++) {
        struct bench b;
        bench_init(&b, 1);
        bench_drive(&b, states[i]);
        bench_feed(&b, bench_bar(BAR_PAUSE, true));
        BENCH_EXPECT(&b, ACT_STATE, ACT_RESIGN);
        assert_false(bench_expect(&b, ACT_RESIGN)->yes);
        assert_int_equal(bench_expect(&b, ACT_RESIGN)->revision, KEY);
        bench_done(&b);
    }
}

static void test_resign_is_retried(void **state)
{
    struct bench b;
    (void)state;
    bench_init(&b, 1);
    bench_drive(&b, VIP_RESIGNING);
    uint32_t first = b.vips[0].req;
    bench_feed(&b, answer(&b, EV_KEY_RESIGNED, RESULT_FAILED));
    assert_int_equal(b.e.wake_us, b.now + 100 * MS_US);
    bench_timer(&b, b.e.wake_us);
    BENCH_EXPECT(&b, ACT_RESIGN);
    assert_true(bench_expect(&b, ACT_RESIGN)->yes);
    assert_true(bench_expect(&b, ACT_RESIGN)->req != first);
    bench_feed(&b, answer(&b, EV_KEY_RESIGNED, RESULT_GONE));
    assert_int_equal(b.vips[0].state, VIP_OFF);
    bench_done(&b);
}

static void test_conflict(void **state)
{
    struct bench b;
    const struct election_event conflict = {.type = EV_CONFLICT};
    (void)state;
    bench_init(&b, 1);
    bench_drive(&b, VIP_HELD);
    bench_run_until(&b, b.now + 150 * MS_US);
    bench_feed(&b, conflict);
    BENCH_EXPECT(&b, ACT_DEFEND, ACT_ANNOUNCE, ACT_ASK_PEERS);
    assert_int_equal(bench_expect(&b, ACT_ANNOUNCE)->count, 0);
    b.now += 9 * MS_US;
    bench_feed(&b, conflict);
    BENCH_EXPECT(&b, ACT_TYPES);
    b.now += MS_US;
    bench_feed(&b, conflict);
    bench_expect(&b, ACT_DEFEND);
    assert_int_equal(b.vips[0].conflicts, 3);
    bench_done(&b);
}

static void test_late_wake_up(void **state)
{
    struct bench b;
    (void)state;
    bench_init(&b, 1);
    bench_drive(&b, VIP_HELD);
    bench_run_until(&b, b.e.session.due_us - MS_US);
    uint64_t due = b.e.wake_us;
    bench_timer(&b, due + 600 * MS_US);
    assert_int_equal(bench_expect(&b, ACT_LATE)->at_us, 600 * MS_US);
    bench_expect(&b, ACT_LEASE_RENEW);
    bench_expect(&b, ACT_CONFIRM);
    assert_true(b.vips[0].is_unproved && b.e.is_doubtful);
    bench_feed(&b, (struct election_event){.type = EV_LINK_CHANGED});
    BENCH_EXPECT(&b, ACT_TYPES);
    bench_feed(&b, (struct election_event){.type = EV_ADDRESS_LOST});
    BENCH_EXPECT(&b, ACT_TYPES);
    bench_feed(&b, bench_renewed(&b));
    assert_null(bench_find(&b, ACT_ADDRESS_REFRESH));
    assert_false(b.e.is_doubtful);
    bench_feed(&b, bench_proved(&b, true, 0));
    BENCH_EXPECT(&b, ACT_ADDRESS_REFRESH, ACT_ANNOUNCE, ACT_ASK_PEERS);
    bench_done(&b);
    /* Half a second is not late. */
    bench_init(&b, 1);
    bench_drive(&b, VIP_HELD);
    bench_timer(&b, b.e.wake_us + 500 * MS_US);
    assert_null(bench_find(&b, ACT_LATE));
    bench_done(&b);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_start),
        cmocka_unit_test(test_grant_is_retried),
        cmocka_unit_test(test_taking),
        cmocka_unit_test(test_giving_up),
        cmocka_unit_test(test_rejoining),
        cmocka_unit_test(test_lapse),
        cmocka_unit_test(test_lapse_comes_before_the_event),
        cmocka_unit_test(test_deadline_never_falls),
        cmocka_unit_test(test_lost_lease),
        cmocka_unit_test(test_kernel_refuses_to_delete),
        cmocka_unit_test(test_kernel_refuses_to_add),
        cmocka_unit_test(test_probing),
        cmocka_unit_test(test_unsent_probes_prove_nothing),
        cmocka_unit_test(test_only_sent_probes_count),
        cmocka_unit_test(test_a_slow_probe_is_waited_for),
        cmocka_unit_test(test_foreign_owner),
        cmocka_unit_test(test_resign_of_one_who_never_owned),
        cmocka_unit_test(test_resign_is_retried),
        cmocka_unit_test(test_conflict),
        cmocka_unit_test(test_late_wake_up),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
