/* SPDX-License-Identifier: MIT */
#include <errno.h>
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "base/parse.h"

static void test_u64(void **state)
{
    static const char *const bad[] = {"",    " ",    "-1",  "+1",  " 1", "1 ",
                                      "1.0", "0x10", "1e3", "1_0", "a",  "\xd9\xa1"};
    uint64_t n;
    (void)state;
    assert_int_equal(parse_u64("0", &n), 0);
    assert_int_equal(n, 0);
    assert_int_equal(parse_u64("007", &n), 0);
    assert_int_equal(n, 7);
    assert_int_equal(parse_u64("18446744073709551615", &n), 0);
    assert_true(n == UINT64_MAX);
    n = 5;
    assert_int_equal(parse_u64("18446744073709551616", &n), -ERANGE);
    assert_int_equal(parse_u64("99999999999999999999999999999999999", &n), -ERANGE);
    for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
        if (parse_u64(bad[i], &n) != -EINVAL)
            fail_msg("'%s' is taken for a number", bad[i]);
    assert_int_equal(n, 5);
}

static void test_i64(void **state)
{
    static const char *const bad[] = {"", "-", "--1", "+1", "- 1", "1-", "-0x1"};
    int64_t n;
    (void)state;
    assert_int_equal(parse_i64("9223372036854775807", &n), 0);
    assert_true(n == INT64_MAX);
    assert_int_equal(parse_i64("-9223372036854775808", &n), 0);
    assert_true(n == INT64_MIN);
    assert_int_equal(parse_i64("-0", &n), 0);
    assert_int_equal(n, 0);
    assert_int_equal(parse_i64("-42", &n), 0);
    assert_int_equal(n, -42);
    assert_int_equal(parse_i64("9223372036854775808", &n), -ERANGE);
    assert_int_equal(parse_i64("-9223372036854775809", &n), -ERANGE);
    for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
        if (parse_i64(bad[i], &n) != -EINVAL)
            fail_msg("'%s' is taken for a number", bad[i]);
    assert_int_equal(n, -42);
}

struct duration {
    const char *text;
    uint64_t us;
};

/* As Go's time.ParseDuration has it. */
static void test_durations(void **state)
{
    static const struct duration durations[] = {
        {"0", 0},
        {"0s", 0},
        {"5s", 5000000},
        {"1500ms", 1500000},
        {"1.5s", 1500000},
        {"0.5s", 500000},
        {".5s", 500000},
        {"5.s", 5000000},
        {"1m30s", 90000000},
        {"1m30.5s", 90500000},
        {"2h", 7200000000},
        {"1h1m1s1ms1us", 3661001001},
        {"250us", 250},
        {"250\xc2\xb5s", 250},
        {"0.000001s", 1},
        {"5s5s", 10000000},
        {"1s1m", 61000000},
        {"1000h", 3600000000000},
        {"00005s", 5000000},
        {"0.1s", 100000},
        {"0.3s", 300000},
        {"4.35s", 4350000},
    };
    (void)state;
    for (size_t i = 0; i < sizeof(durations) / sizeof(durations[0]); i++) {
        uint64_t us;
        if (parse_duration(durations[i].text, &us) != 0)
            fail_msg("%s is refused", durations[i].text);
        if (us != durations[i].us)
            fail_msg("%s is %" PRIu64, durations[i].text, us);
    }
}

static void test_not_durations(void **state)
{
    static const char *const bad[] = {
        "",     " ",   "5",    "s",  ".s",  ".",   "-5s",    "5 s",    " 5s",
        "5s ",  "5S",  "5sec", "5x", "1d",  "1w",  "5,5s",   "1.2.3s", "1e3s",
        "0x5s", "inf", "nan",  "00", "5s5", "5ss", "5\xc2s", "5m s",   "1234567890123456s"};
    static const char *const far[] = {"1001h", "1000h1us", "3600001s", "999999999999999h",
                                      "999999999999999ms"};
    uint64_t us = 5;
    (void)state;
    for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
        if (parse_duration(bad[i], &us) != -EINVAL)
            fail_msg("'%s' is taken for a duration", bad[i]);
    for (size_t i = 0; i < sizeof(far) / sizeof(far[0]); i++)
        if (parse_duration(far[i], &us) != -ERANGE)
            fail_msg("'%s' is not too long", far[i]);
    assert_int_equal(us, 5);
}

static void expect_duration(uint64_t us, const char *want)
{
    char text[DURATION_TEXT_MAX];
    uint64_t again;
    duration_format(us, text);
    assert_string_equal(text, want);
    assert_int_equal(parse_duration(text, &again), 0);
    assert_int_equal(again, us);
}

static void test_duration_format(void **state)
{
    char text[DURATION_TEXT_MAX];
    (void)state;
    expect_duration(0, "0s");
    expect_duration(1, "1us");
    expect_duration(250, "250us");
    expect_duration(1500, "1500us");
    expect_duration(500000, "500ms");
    expect_duration(999999, "999999us");
    expect_duration(1000000, "1s");
    expect_duration(1500000, "1.5s");
    expect_duration(1000001, "1.000001s");
    expect_duration(10100000, "10.1s");
    expect_duration(90000000, "90s");
    duration_format(UINT64_MAX, text);
    assert_string_equal(text, "18446744073709.551615s");
    uint32_t x = 3;
    for (unsigned i = 0; i < 20000; i++) {
        uint64_t again;
        x = x * 1664525 + 1013904223;
        duration_format(x, text);
        assert_int_equal(parse_duration(text, &again), 0);
        assert_int_equal(again, x);
    }
}

static void test_distance(void **state)
{
    char longest[66];
    (void)state;
    assert_int_equal(parse_distance("", ""), 0);
    assert_int_equal(parse_distance("", "abc"), 3);
    assert_int_equal(parse_distance("abc", ""), 3);
    assert_int_equal(parse_distance("status", "status"), 0);
    assert_int_equal(parse_distance("status", "statsu"), 1);
    assert_int_equal(parse_distance("stauts", "status"), 1);
    assert_int_equal(parse_distance("statu", "status"), 1);
    assert_int_equal(parse_distance("xstatus", "status"), 1);
    assert_int_equal(parse_distance("kitten", "sitting"), 3);
    assert_int_equal(parse_distance("ab", "ba"), 1);
    assert_int_equal(parse_distance("abcd", "badc"), 2);
    memset(longest, 'a', sizeof(longest) - 1);
    longest[64] = '\0';
    assert_int_equal(parse_distance(longest, longest), 0);
    assert_int_equal(parse_distance(longest, ""), 64);
    longest[64] = 'a';
    longest[65] = '\0';
    assert_true(parse_distance(longest, "a") == SIZE_MAX);
    assert_true(parse_distance("a", longest) == SIZE_MAX);
}

static void test_hex(void **state)
{
    static const char *const bad[] = {"", "0x1", "01", "00", "A", "g", " 1", "1 ", "-1"};
    uint64_t n = 77;
    (void)state;
    for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
        assert_int_equal(parse_hex(bad[i], &n), -EINVAL);
    assert_int_equal(parse_hex("10000000000000000", &n), -ERANGE);
    assert_int_equal(n, 77);
    assert_int_equal(parse_hex("0", &n), 0);
    assert_int_equal(n, 0);
    assert_int_equal(parse_hex("ffffffffffffffff", &n), 0);
    assert_true(n == UINT64_MAX);
    assert_int_equal(parse_hex("13b0a204c2370b06", &n), 0);
    assert_true(n == 0x13b0a204c2370b06);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_hex),           cmocka_unit_test(test_u64),
        cmocka_unit_test(test_i64),           cmocka_unit_test(test_durations),
        cmocka_unit_test(test_not_durations), cmocka_unit_test(test_duration_format),
        cmocka_unit_test(test_distance),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
