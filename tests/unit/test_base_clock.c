/* SPDX-License-Identifier: MIT */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>
#include <errno.h>
#include <string.h>
#include <time.h>

#include "base/clock.h"

static uint64_t read_us(clockid_t id)
{
    struct timespec ts;
    assert_int_equal(clock_gettime(id, &ts), 0);
    return (uint64_t)ts.tv_sec * 1000000 + (uint64_t)ts.tv_nsec / 1000;
}

static void test_clocks(void **state)
{
    (void)state;
    uint64_t before = read_us(CLOCK_BOOTTIME), now = clock_now_us();
    assert_in_range(now, before, read_us(CLOCK_BOOTTIME));
    for (unsigned i = 0; i < 10000; i++) {
        uint64_t next = clock_now_us();
        assert_true(next >= now);
        now = next;
    }
    before = read_us(CLOCK_REALTIME);
    now = clock_wall_us();
    assert_in_range(now, before, read_us(CLOCK_REALTIME));
}

static void expect_utc(uint64_t wall_us, const char *want)
{
    char text[CLOCK_TEXT_MAX];
    clock_format_utc(wall_us, text);
    assert_string_equal(text, want);
}

static void test_format(void **state)
{
    (void)state;
    expect_utc(0, "1970-01-01T00:00:00.000Z");
    expect_utc(1, "1970-01-01T00:00:00.000Z");
    expect_utc(999999, "1970-01-01T00:00:00.999Z");
    expect_utc(1000000, "1970-01-01T00:00:01.000Z");
    expect_utc(951782399999000, "2000-02-28T23:59:59.999Z");
    expect_utc(951782400000000, "2000-02-29T00:00:00.000Z");
    expect_utc(1787321216118000, "2026-08-21T14:06:56.118Z");
    expect_utc(4294967296000000, "2106-02-07T06:28:16.000Z");
}

/* A record from a stranger may carry any number. */
static void test_format_of_anything(void **state)
{
    (void)state;
    for (unsigned bit = 0; bit < 64; bit++)
        for (int delta = -1; delta <= 1; delta++) {
            char text[CLOCK_TEXT_MAX];
            memset(text, 'x', sizeof(text));
            clock_format_utc((UINT64_C(1) << bit) + (uint64_t)delta, text);
            size_t n = strnlen(text, sizeof(text));
            assert_true(n < sizeof(text) && n >= strlen("1970-01-01T00:00:00.000Z"));
            assert_int_equal(text[n - 1], 'Z');
        }
}

static void test_parse(void **state)
{
    (void)state;
    static const char *const bad[] = {"",
                                      "2026-08-21",
                                      "2026-08-21T14:06:56",
                                      "2026-08-21T14:06:56.Z",
                                      "2026-08-21T14:06:56.1+02:00",
                                      "2026-06-31T14:06:56Z",
                                      "2026-08-21T25:06:56Z",
                                      "2026-08-21T14:06:56.118Z ",
                                      "1969-12-31T23:59:59Z"};
    static const uint64_t times[] = {0, 1787320953104000, UINT64_C(253402300799999000)};
    uint64_t us = 7;
    for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
        assert_int_equal(clock_parse_utc(bad[i], &us), -EINVAL);
    assert_int_equal(us, 7);
    for (size_t i = 0; i < sizeof(times) / sizeof(times[0]); i++) {
        char text[CLOCK_TEXT_MAX];
        clock_format_utc(times[i], text);
        assert_int_equal(clock_parse_utc(text, &us), 0);
        assert_int_equal(us, times[i]);
    }
    assert_int_equal(clock_parse_utc("2026-08-21T14:06:56Z", &us), 0);
    assert_int_equal(us, UINT64_C(1787321216000000));
    assert_int_equal(clock_parse_utc("2026-08-21T14:06:56.118250999Z", &us), 0);
    assert_int_equal(us, UINT64_C(1787321216118250));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_clocks),
        cmocka_unit_test(test_format),
        cmocka_unit_test(test_format_of_anything),
        cmocka_unit_test(test_parse),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
