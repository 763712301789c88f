/* SPDX-License-Identifier: MIT */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include "core/deadline.h"

static const uint64_t now = 1000 * SECOND_US;

static void test_margin(void **state)
{
    (void)state;
    assert_int_equal(deadline_margin(5 * SECOND_US, true), 350 * MS_US);
    assert_int_equal(deadline_margin(5 * SECOND_US, false), 1850 * MS_US);
    assert_int_equal(deadline_margin(0, true), 300 * MS_US);
    assert_int_equal(deadline_margin(600 * SECOND_US, true), 6300 * MS_US);
}

static void test_deadline(void **state)
{
    (void)state;
    assert_int_equal(deadline_of(now, 5 * SECOND_US, true), now + 4650 * MS_US);
    assert_int_equal(deadline_of(now, 5 * SECOND_US, false), now + 3150 * MS_US);
    /* Each smallest TTL leaves a right; what leaves none gives no deadline, not one in the past. */
    assert_int_equal(deadline_of(now, TTL_MIN_FENCED_US, true), now + 1680 * MS_US);
    assert_int_equal(deadline_of(now, TTL_MIN_PLAIN_US, false), now + 2160 * MS_US);
    assert_int_equal(deadline_of(now, SECOND_US, false), 0);
    assert_int_equal(deadline_of(now, 0, true), 0);
    assert_int_equal(deadline_of(now, 1, true), 0);
    assert_int_equal(deadline_of(0, 5 * SECOND_US, true), 4650 * MS_US);
}

/* The right ends before the lease for every TTL that may be asked for, by what is promised. */
static void test_deadline_is_before_the_lease(void **state)
{
    (void)state;
    for (uint64_t ttl = SECOND_US; ttl <= TTL_MAX_US; ttl += 250 * MS_US)
        for (int is_fenced = 0; is_fenced < 2; is_fenced++) {
            uint64_t least = 300 * MS_US + ttl / 100 + (is_fenced ? 0 : 1500 * MS_US);
            uint64_t deadline = deadline_of(now, ttl, is_fenced);
            assert_true(deadline == 0 || deadline + least == now + ttl);
        }
}

static void test_interval(void **state)
{
    (void)state;
    assert_int_equal(deadline_interval(TTL_DEFAULT_US, true), SECOND_US);
    assert_int_equal(deadline_interval(TTL_MAX_US, false), SECOND_US);
    assert_int_equal(deadline_interval(TTL_MIN_FENCED_US, true), 560 * MS_US);
    assert_int_equal(deadline_interval(TTL_MIN_PLAIN_US, false), 720 * MS_US);
    for (uint64_t ttl = TTL_MIN_FENCED_US; ttl <= TTL_MAX_US; ttl += SECOND_US)
        assert_true(3 * deadline_interval(ttl, true) <= deadline_of(now, ttl, true) - now);
}

static void test_lifetime(void **state)
{
    (void)state;
    assert_int_equal(deadline_lifetime(now + 4650 * MS_US, now, true), 4);
    assert_int_equal(deadline_lifetime(now + 4650 * MS_US, now, false), 4);
    assert_int_equal(deadline_lifetime(now + SECOND_US, now, false), 1);
    assert_int_equal(deadline_lifetime(now + SECOND_US - 1, now, false), 0);
    assert_int_equal(deadline_lifetime(now + SECOND_US - 1, now, true), 1);
    assert_int_equal(deadline_lifetime(now + 1, now, true), 1);
    /* No right, no lifetime, however it is fenced. */
    assert_int_equal(deadline_lifetime(now, now, true), 0);
    assert_int_equal(deadline_lifetime(now - 1, now, true), 0);
    assert_int_equal(deadline_lifetime(now - 1, now, false), 0);
    assert_int_equal(deadline_lifetime(0, now, true), 0);
}

/* Without the packet fence the kernel's lifetime is all there is when we are gone. */
static void test_lifetime_never_outlasts_the_right(void **state)
{
    (void)state;
    for (uint64_t left = 0; left < 10 * SECOND_US; left += 7919)
        assert_true(deadline_lifetime(now + left, now, false) * SECOND_US <= left);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_margin),
        cmocka_unit_test(test_deadline),
        cmocka_unit_test(test_deadline_is_before_the_lease),
        cmocka_unit_test(test_interval),
        cmocka_unit_test(test_lifetime),
        cmocka_unit_test(test_lifetime_never_outlasts_the_right),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
