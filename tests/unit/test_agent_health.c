/* SPDX-License-Identifier: MIT */
/* The pure parts of health checks and hooks. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <stdio.h>
#include <string.h>

#include "../../src/agent/health_check.h"
#include "../../src/agent/hook_queue.h"

/* Results as text, "+" passed and "-" failed; what health_check_note() said to each: "U" now up,
 * "D" now down, "." nothing new. */
static const char *verdicts(struct health_check *c, const char *results)
{
    static char out[64];
    size_t n = strlen(results);
    assert_true(n < sizeof(out));
    for (size_t i = 0; i < n; i++)
        out[i] = (char)(!health_check_note(c, results[i] == '+') ? '.' : c->is_up ? 'U' : 'D');
    out[n] = '\0';
    return out;
}

static void only_results_in_a_row_decide(void **state)
{
    struct health_check c;
    (void)state;
    health_check_init(&c, 2, 3, false);
    assert_string_equal(verdicts(&c, "++"), ".U");
    assert_string_equal(verdicts(&c, "--+--+"), "......"); /* never three */
    assert_string_equal(verdicts(&c, "---"), "..D");
    assert_string_equal(verdicts(&c, "----"), "....");
    assert_string_equal(verdicts(&c, "+-+-"), "....");
    assert_string_equal(verdicts(&c, "+++"), ".U.");
}

static void the_first_verdict_is_told_even_if_it_was_assumed(void **state)
{
    struct health_check c;
    (void)state;
    health_check_init(&c, 2, 3, false);
    assert_string_equal(verdicts(&c, "---+-"), "..D..");
    assert_false(c.is_up);
    health_check_init(&c, 2, 3, true); /* new on a node that holds: innocent until it failed */
    assert_true(c.is_up);
    assert_string_equal(verdicts(&c, "--"), "..");
    assert_true(c.is_up);
    assert_string_equal(verdicts(&c, "-"), "D");
}

static void one_result_is_enough_where_one_is_asked_for(void **state)
{
    struct health_check c;
    (void)state;
    health_check_init(&c, 1, 1, false);
    assert_string_equal(verdicts(&c, "+-+--"), "UDUD.");
}

/* Every history of 12 results against the definition, for several thresholds. */
static void all_short_histories_agree_with_the_definition(void **state)
{
    (void)state;
    for (unsigned rise = 1; rise <= 3; rise++)
        for (unsigned fall = 1; fall <= 3; fall++)
            for (unsigned history = 0; history < 1u << 12; history++) {
                struct health_check c;
                bool is_up = false;
                health_check_init(&c, rise, fall, false);
                for (unsigned i = 0; i < 12; i++) {
                    bool passed = history >> i & 1;
                    unsigned row = 0;
                    while (row <= i && (history >> (i - row) & 1) == passed)
                        row++;
                    if (row >= (passed ? rise : fall))
                        is_up = passed;
                    health_check_note(&c, passed);
                    assert_int_equal(c.is_up, is_up);
                }
            }
}

static void pauses_are_spread_around_the_interval(void **state)
{
    struct health_check c;
    uint64_t least = UINT64_MAX, most = 0;
    (void)state;
    health_check_init(&c, 1, 1, false);
    assert_true(health_check_pause(&c, 60000000, 7) <= HEALTH_FIRST_US * 11 / 10);
    assert_true(health_check_pause(&c, 1000, 7) <= 1100);
    health_check_note(&c, true);
    for (uint64_t random = 0; random < 1000000; random += 997) {
        uint64_t pause = health_check_pause(&c, 1000000, random);
        least = pause < least ? pause : least;
        most = pause > most ? pause : most;
    }
    assert_true(least >= 900000 && least < 910000);
    assert_true(most <= 1100000 && most > 1090000);
    assert_int_equal(health_check_pause(&c, 1, UINT64_MAX), 1);
}

static void a_queue_keeps_order_and_drops_the_oldest(void **state)
{
    static struct hook_queue q;
    struct hook_event event = {.on = 1}, out;
    (void)state;
    memset(&q, 0, sizeof(q));
    assert_false(hook_queue_pop(&q, &out));
    for (int round = 0; round < 3; round++) { /* around the ring */
        for (int i = 0; i < HOOK_QUEUE_MAX; i++) {
            event.epoch = i;
            assert_false(hook_queue_push(&q, &event, &out));
        }
        event.epoch = 100;
        assert_true(hook_queue_push(&q, &event, &out));
        assert_int_equal(out.epoch, 0);
        event.epoch = 101;
        assert_true(hook_queue_push(&q, &event, &out));
        assert_int_equal(out.epoch, 1);
        for (int i = 2; i < HOOK_QUEUE_MAX; i++) {
            assert_true(hook_queue_pop(&q, &out));
            assert_int_equal(out.epoch, i);
        }
        assert_true(hook_queue_pop(&q, &out));
        assert_int_equal(out.epoch, 100);
        assert_true(hook_queue_pop(&q, &out));
        assert_int_equal(out.epoch, 101);
        assert_false(hook_queue_pop(&q, &out));
    }
}

static const char *last_line(const char *output, size_t len)
{
    static char line[HOOK_LINE_MAX + 1];
    memset(line, 'x', sizeof(line));
    hook_last_line(output, len, line);
    return line;
}

static void the_last_line_is_found(void **state)
{
    char longer[300];
    (void)state;
    assert_string_equal(last_line("", 0), "");
    assert_string_equal(last_line("\n\n", 2), "");
    assert_string_equal(last_line("one", 3), "one");
    assert_string_equal(last_line("one\ntwo\n", 8), "two");
    assert_string_equal(last_line("one\ntwo\r\n\n", 10), "two");
    assert_string_equal(last_line("a\0b", 3), "a b");
    memset(longer, 'l', sizeof(longer));
    longer[299] = 'z';
    const char *line = last_line(longer, sizeof(longer));
    assert_int_equal(strlen(line), HOOK_LINE_MAX);
    assert_int_equal(line[HOOK_LINE_MAX - 1], 'z');
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(only_results_in_a_row_decide),
        cmocka_unit_test(the_first_verdict_is_told_even_if_it_was_assumed),
        cmocka_unit_test(one_result_is_enough_where_one_is_asked_for),
        cmocka_unit_test(all_short_histories_agree_with_the_definition),
        cmocka_unit_test(pauses_are_spread_around_the_interval),
        cmocka_unit_test(a_queue_keeps_order_and_drops_the_oldest),
        cmocka_unit_test(the_last_line_is_found),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
