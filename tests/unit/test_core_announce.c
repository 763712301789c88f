/* SPDX-License-Identifier: MIT */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include "core/announce.h"
#include "core/deadline.h"

#define REFRESH_US (10 * SECOND_US)

static const uint64_t start = 1000 * SECOND_US;

/* Everything is answered, so that only announcements are due. */
static void start_answered(struct announce *a)
{
    announce_start(a, start);
    announce_report(a, 0);
}

/* docs/design.md: 0, 20, 100, 300, 700 ms, 1.2, 2.2, 5 s, then every refresh. */
static void test_schedule(void **state)
{
    static const uint64_t times_ms[] = {0,    20,   100,   300,   700,  1200,
                                        2200, 5000, 15000, 25000, 35000};
    struct announce a;
    (void)state;
    start_answered(&a);
    for (unsigned i = 0; i < sizeof(times_ms) / sizeof(times_ms[0]); i++) {
        uint64_t at = start + times_ms[i] * MS_US;
        assert_int_equal(announce_wake(&a), at);
        assert_int_equal(a.round, i);
        assert_int_equal(announce_step(&a, at - (i > 0), REFRESH_US),
                         i > 0 ? ANNOUNCE_NOTHING : ANNOUNCE_TELL);
        if (i > 0)
            assert_int_equal(announce_step(&a, at, REFRESH_US), ANNOUNCE_TELL);
        assert_int_equal(announce_step(&a, at, REFRESH_US), ANNOUNCE_NOTHING);
    }
}

static void test_start_again(void **state)
{
    struct announce a;
    (void)state;
    start_answered(&a);
    for (uint64_t t = 0; t < 6 * SECOND_US; t += MS_US)
        announce_step(&a, start + t, REFRESH_US);
    assert_int_equal(a.round, 8);
    announce_start(&a, start + 6 * SECOND_US);
    assert_int_equal(a.round, 0);
    assert_int_equal(announce_wake(&a), start + 6 * SECOND_US);
    assert_int_equal(announce_step(&a, start + 6 * SECOND_US, REFRESH_US),
                     ANNOUNCE_TELL | ANNOUNCE_ASK);
    announce_report(&a, 0);
    assert_int_equal(announce_wake(&a), start + 6 * SECOND_US + 20 * MS_US);
}

/* What was missed is not made up for in a burst; the rest of the schedule goes on. */
static void test_late(void **state)
{
    struct announce a;
    (void)state;
    start_answered(&a);
    assert_int_equal(announce_step(&a, start, REFRESH_US), ANNOUNCE_TELL);
    assert_int_equal(announce_step(&a, start + 900 * MS_US, REFRESH_US), ANNOUNCE_TELL);
    assert_true(announce_wake(&a) >= start + 920 * MS_US);
    unsigned told = 0;
    uint64_t last = start + 900 * MS_US;
    for (uint64_t t = last; t < start + 6 * SECOND_US; t += MS_US)
        if (announce_step(&a, t, REFRESH_US) == ANNOUNCE_TELL) {
            assert_true(t - last >= 20 * MS_US);
            last = t;
            told++;
        }
    assert_true(told >= 4);
    assert_true(a.round >= 6);
}

/* However late, it ends in the refresh and never stands still. */
static void test_very_late(void **state)
{
    struct announce a;
    (void)state;
    start_answered(&a);
    uint64_t now = start + 3600 * SECOND_US;
    for (unsigned i = 0; i < 8; i++) {
        assert_int_equal(announce_step(&a, now, REFRESH_US), ANNOUNCE_TELL);
        assert_true(announce_wake(&a) > now);
        now = announce_wake(&a);
    }
    assert_int_equal(announce_step(&a, now, REFRESH_US), ANNOUNCE_TELL);
    assert_int_equal(announce_wake(&a), now + REFRESH_US);
}

static void test_asks(void **state)
{
    struct announce a;
    unsigned asks = 0;
    (void)state;
    announce_start(&a, start);
    for (uint64_t t = 0; t < 3 * SECOND_US; t += MS_US)
        if (announce_step(&a, start + t, REFRESH_US) & ANNOUNCE_ASK) {
            assert_int_equal(t, asks * 50 * MS_US);
            asks++;
        }
    assert_int_equal(asks, 10);
    assert_true(announce_wake(&a) > start + 3 * SECOND_US);
}

static void test_asks_end_with_the_last_answer(void **state)
{
    struct announce a;
    (void)state;
    announce_start(&a, start);
    assert_true(announce_step(&a, start, REFRESH_US) & ANNOUNCE_ASK);
    announce_report(&a, 2);
    assert_true(announce_step(&a, start + 50 * MS_US, REFRESH_US) & ANNOUNCE_ASK);
    announce_report(&a, 0);
    assert_int_equal(announce_wake(&a), start + 100 * MS_US);
    assert_int_equal(announce_step(&a, start + 100 * MS_US, REFRESH_US), ANNOUNCE_TELL);
    /* One of them forgot again. */
    announce_report(&a, 1);
    assert_true(announce_step(&a, start + 150 * MS_US, REFRESH_US) & ANNOUNCE_ASK);
}

static void test_stop(void **state)
{
    struct announce a;
    (void)state;
    announce_start(&a, start);
    announce_stop(&a);
    assert_true(announce_wake(&a) == NEVER_US);
    assert_int_equal(announce_step(&a, start + 60 * SECOND_US, REFRESH_US), ANNOUNCE_NOTHING);
    announce_report(&a, 3);
    assert_int_equal(announce_step(&a, start + 60 * SECOND_US, REFRESH_US), ANNOUNCE_NOTHING);
    assert_true(announce_wake(&a) == NEVER_US);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_schedule), cmocka_unit_test(test_start_again),
        cmocka_unit_test(test_late),     cmocka_unit_test(test_very_late),
        cmocka_unit_test(test_asks),     cmocka_unit_test(test_asks_end_with_the_last_answer),
        cmocka_unit_test(test_stop),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
