/* SPDX-License-Identifier: MIT */
/* Where the carets stand: counted in cells, under tabs, wide characters and cut lines. */
#include "../../src/cli/excerpt.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static struct excerpt made;

/* The excerpt of `mark`, which stands once in `text`. */
static void make(const char *text, const char *mark, size_t width,
                 const struct validate_range *secrets, size_t n_secrets)
{
    const char *at = strstr(text, mark);
    assert_non_null(at);
    /* without a NUL behind, so that a sanitizer sees what reads too far */
    size_t len = strlen(text), offset = (size_t)(at - text);
    char *copy = malloc(len ? len : 1);
    memcpy(copy, text, len);
    struct validate_file file = {
        .text = copy, .len = len, .secrets = secrets, .n_secrets = n_secrets};
    struct finding_place place = {.line = 1, .offset = offset, .end_offset = offset + strlen(mark)};
    excerpt_make(&file, &place, width, "\xe2\x80\xa6", &made);
    free(copy);
    assert_int_equal(made.line.error, 0);
}

static void expect(const char *line, size_t caret, size_t cells)
{
    assert_string_equal(buf_str(&made.line), line);
    assert_int_equal(made.caret, caret);
    assert_int_equal(made.caret_cells, cells);
    excerpt_done(&made);
}

static void only_the_line_itself(void **state)
{
    (void)state;
    make("a: 1\nkey: value\nb: 2\n", "value", 80, NULL, 0);
    expect("key: value", 5, 5);
    make("a: 1\r\nkey: value\r\nb: 2\r\n", "key", 80, NULL, 0);
    expect("key: value", 0, 3);
    make("a: 1\rkey: value\rb", "key", 80, NULL, 0);
    expect("key: value", 0, 3);
    make("a\xe2\x80\xa8key: v\xc2\x85z", "key", 80, NULL, 0);
    expect("key: v", 0, 3);
    make("\xef\xbb\xbfkey: v", "v", 80, NULL, 0);
    expect("key: v", 5, 1);
}

static void a_range_over_lines_ends_with_its_first(void **state)
{
    (void)state;
    make("a: [1,\n2]\n", "[1,\n2]", 80, NULL, 0);
    expect("a: [1,", 3, 3);
    make("a: 1\n", "", 80, NULL, 0);
    expect("a: 1", 0, 1);
}

static void the_end_of_a_file_can_be_pointed_at(void **state)
{
    (void)state;
    struct validate_file file = {.text = "ab", .len = 2};
    struct finding_place place = {.line = 1, .offset = 2, .end_offset = 2};
    excerpt_make(&file, &place, 80, "~", &made);
    expect("ab", 2, 1);
    place.offset = place.end_offset = 99;
    excerpt_make(&file, &place, 80, "~", &made);
    expect("ab", 2, 1);
    file.len = 0;
    excerpt_make(&file, &place, 80, "~", &made);
    expect("", 0, 1);
}

static void tabs_are_expanded(void **state)
{
    (void)state;
    make("\tkey:\tvalue", "value", 80, NULL, 0);
    expect("        key:    value", 16, 5);
    make("1234567\tx", "x", 80, NULL, 0);
    expect("1234567 x", 8, 1);
    make("a\tb", "\t", 80, NULL, 0);
    expect("a       b", 1, 7);
}

static void wide_characters_count_two_and_combining_ones_none(void **state)
{
    (void)state;
    make("\xe6\x97\xa5\xe6\x9c\xac: x", "x", 80, NULL, 0);
    expect("\xe6\x97\xa5\xe6\x9c\xac: x", 6, 1);
    make("k: \xe6\x97\xa5\xe6\x9c\xac", "\xe6\x97\xa5\xe6\x9c\xac", 80, NULL, 0);
    expect("k: \xe6\x97\xa5\xe6\x9c\xac", 3, 4);
    make("e\xcc\x81: x", "x", 80, NULL, 0);
    expect("e\xcc\x81: x", 3, 1);
}

static void nothing_moves_the_cursor(void **state)
{
    (void)state;
    make("a\033[2J\x7f\xc2\x9b: x", "x", 80, NULL, 0);
    expect("a?[2J??: x", 9, 1);
    make("\xff\xfe\xe2\x80\xae: x", "x", 80, NULL, 0);
    expect("???: x", 5, 1);
}

static void secrets_are_replaced(void **state)
{
    (void)state;
    static const struct validate_range one[] = {{7, 13}}, two[] = {{0, 1}, {7, 40}};
    make("token: secret, x", "x", 80, one, 1);
    expect("token: <redacted>, x", 19, 1);
    make("token: secret, x", "secret", 80, one, 1);
    expect("token: <redacted>, x", 7, 10);
    make("token: secret, x", "cret", 80, one, 1); /* a range that begins inside */
    expect("token: <redacted>, x", 7, 10);
    make("t\nkey: |", "key", 80, two, 2); /* one that goes on over the lines */
    expect("key: <redacted>", 0, 3);
}

static void long_lines_are_cut_around_the_range(void **state)
{
    char text[20000];
    (void)state;
    for (size_t at = 0; at < 9990; at = at * 2 + 7) {
        memset(text, '.', 10000);
        text[10000] = '\0';
        memcpy(text + at, "HERE", 4);
        make(text, "HERE", 40, NULL, 0);
        const char *line = buf_str(&made.line), *mark = strstr(line, "HERE");
        assert_non_null(mark);
        bool is_cut_left = strncmp(line, "\xe2\x80\xa6", 3) == 0;
        size_t dots = is_cut_left ? 2 : 0; /* bytes of the ellipsis over its one cell */
        assert_int_equal(made.caret, (size_t)(mark - line) - dots);
        assert_int_equal(made.caret_cells, 4);
        assert_true(made.caret + 4 <= 40);
        assert_true(made.line.len <= 40 + 4);
        excerpt_done(&made);
    }
}

static void a_long_range_leaves_room(void **state)
{
    char text[300];
    (void)state;
    memset(text, 'x', 299);
    text[299] = '\0';
    make(text, text, 40, NULL, 0);
    assert_int_equal(made.caret, 0);
    assert_true(made.caret_cells > 20 && made.caret_cells <= 40);
    excerpt_done(&made);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(only_the_line_itself),
        cmocka_unit_test(a_range_over_lines_ends_with_its_first),
        cmocka_unit_test(the_end_of_a_file_can_be_pointed_at),
        cmocka_unit_test(tabs_are_expanded),
        cmocka_unit_test(wide_characters_count_two_and_combining_ones_none),
        cmocka_unit_test(nothing_moves_the_cursor),
        cmocka_unit_test(secrets_are_replaced),
        cmocka_unit_test(long_lines_are_cut_around_the_range),
        cmocka_unit_test(a_long_range_leaves_room),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
