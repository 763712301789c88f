/* SPDX-License-Identifier: MIT */
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>

#include <cmocka.h>

#include "../../src/cli/shell_line.h"

#include <errno.h>
#include <string.h>

static struct shell_line line;

static void expect(const char *text, const char *const *words, bool is_open)
{
    size_t n = 0;
    assert_int_equal(shell_line_read(text, &line), 0);
    for (; words[n]; n++) {
        assert_true(n < line.n);
        assert_string_equal(line.words[n], words[n]);
    }
    assert_int_equal(line.n, n);
    assert_null(line.words[n]);
    assert_int_equal(line.is_open, is_open);
}

static void test_words(void **state)
{
    (void)state;
    expect("", (const char *const[]){NULL}, false);
    expect("  \t\n", (const char *const[]){NULL}, false);
    expect("status", (const char *const[]){"status", NULL}, true);
    expect(" status  -o\ttable ", (const char *const[]){"status", "-o", "table", NULL}, false);
    expect("a# b", (const char *const[]){"a#", "b", NULL}, true);
    expect("a # b", (const char *const[]){"a", NULL}, false);
}

static void test_quotes(void **state)
{
    (void)state;
    expect("resign --reason \"kernel update\"",
           (const char *const[]){"resign", "--reason", "kernel update", NULL}, true);
    expect("a'b \"c'\"d|e\"f ", (const char *const[]){"ab \"cd|ef", NULL}, false);
    expect("a\\ b \\| \"\\\"\" '\\'", (const char *const[]){"a b", "|", "\"", "\\", NULL}, true);
    expect("'' \"\"", (const char *const[]){"", "", NULL}, true);
    assert_int_equal(shell_line_read("status 'a b", &line), -EINVAL);
    assert_int_equal(line.n, 2);
    assert_string_equal(line.words[1], "a b");
}

static void test_pipe(void **state)
{
    const char *text = "history|grep 'a b' | wc";
    (void)state;
    expect(text, (const char *const[]){"history", NULL}, false);
    assert_string_equal(line.pipe, "grep 'a b' | wc");
    expect("| wc", (const char *const[]){NULL}, false);
    assert_non_null(line.pipe);
    expect("a '|' b", (const char *const[]){"a", "|", "b", NULL}, true);
    assert_null(line.pipe);
}

static void test_bounds(void **state)
{
    char text[SHELL_LINE_MAX + 2];
    (void)state;
    memset(text, 'a', sizeof(text));
    text[SHELL_LINE_MAX] = '\0';
    assert_int_equal(shell_line_read(text, &line), -E2BIG);
    text[SHELL_LINE_MAX - 1] = '\0';
    assert_int_equal(shell_line_read(text, &line), 0);
    for (size_t i = 1; i < SHELL_LINE_MAX - 1; i += 2)
        text[i] = ' ';
    assert_int_equal(shell_line_read(text, &line), -E2BIG);
    text[2 * (SHELL_WORDS_MAX - 1)] = '\0';
    assert_int_equal(shell_line_read(text, &line), 0);
    assert_int_equal(line.n, SHELL_WORDS_MAX - 1);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_words),
        cmocka_unit_test(test_quotes),
        cmocka_unit_test(test_pipe),
        cmocka_unit_test(test_bounds),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
