/* SPDX-License-Identifier: MIT */
#include "base/text.h"

#include "base/buf.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

static void characters_have_their_kind_and_length(void **state)
{
    static const struct {
        const char *text;
        size_t len, want_len;
        enum text_kind want;
    } cases[] = {
        {"a", 1, 1, TEXT_PLAIN},
        {"\xc3\xa9", 2, 2, TEXT_PLAIN},
        {"\xe2\x82\xac", 3, 3, TEXT_PLAIN},
        {"\xf0\x9f\x98\x80", 4, 4, TEXT_PLAIN},
        {"\xf4\x8f\xbf\xbf", 4, 4, TEXT_PLAIN},
        {"", 1, 1, TEXT_CONTROL},
        {"\x1b", 1, 1, TEXT_CONTROL},
        {"\x7f", 1, 1, TEXT_CONTROL},
        {"\xc2\x9b", 2, 2, TEXT_CONTROL},     /* CSI in one character */
        {"\xe2\x80\xae", 3, 3, TEXT_CONTROL}, /* right-to-left override */
        {"\xe2\x80\xa8", 3, 3, TEXT_CONTROL}, /* line separator */
        {"\xef\xbb\xbf", 3, 3, TEXT_CONTROL}, /* zero width no-break space */
        {"\xd8\x9c", 2, 2, TEXT_CONTROL},     /* Arabic letter mark */
        {"\xef\xbf\xbf", 3, 3, TEXT_CONTROL}, /* no character at all */
        {"\x80", 1, 1, TEXT_INVALID},
        {"\xff", 1, 1, TEXT_INVALID},
        {"\xc0\x80", 2, 1, TEXT_INVALID},         /* overlong */
        {"\xe0\x80\x80", 3, 1, TEXT_INVALID},     /* overlong */
        {"\xf0\x80\x80\x80", 4, 1, TEXT_INVALID}, /* overlong */
        {"\xed\xa0\x80", 3, 1, TEXT_INVALID},     /* surrogate */
        {"\xf4\x90\x80\x80", 4, 1, TEXT_INVALID}, /* above U+10FFFF */
        {"\xe2\x82\xac", 2, 1, TEXT_INVALID},     /* cut */
        {"\xc3(", 2, 1, TEXT_INVALID},
    };
    (void)state;
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        enum text_kind kind;
        size_t n = text_next(cases[i].text, cases[i].len, &kind);
        if (n != cases[i].want_len || kind != cases[i].want)
            fail_msg("case %zu: %zu bytes of kind %d", i, n, (int)kind);
    }
}

static void only_plain_characters_are_shown(void **state)
{
    struct buf out;
    (void)state;
    buf_init(&out, 0);
    assert_int_equal(text_add_plain(&out, "a\x1b[2J\xc2\x9b\xc3\xa9\xff\n"), 0);
    assert_string_equal(buf_str(&out), "a?[2J?\xc3\xa9??");
    buf_done(&out);
}

static void json_has_no_bare_controls(void **state)
{
    static const char text[] = "a\"\\\x1b\x7f\xc2\x9b\xe2\x80\xae\xff\xc3\xa9";
    struct buf out;
    (void)state;
    buf_init(&out, 0);
    assert_int_equal(text_add_json(&out, text, sizeof(text)), 0);
    assert_string_equal(buf_str(&out), "\"a\\\"\\\\\\u001b\\u007f\\u009b\\u202e?\xc3\xa9\"");
    buf_done(&out);
}

/* Forty times an e with an accent, and what is no UTF-8 at all. */
static void copies_are_cut_between_characters(void **state)
{
    char text[81], copy[64];
    (void)state;
    for (size_t i = 0; i < 80; i += 2)
        memcpy(text + i, "\xc3\xa9", 3);
    text_copy(copy, sizeof(copy), text);
    assert_int_equal(strlen(copy), 62);
    assert_true(text_is_utf8(copy, 62));
    text[61] = '\0'; /* cut elsewhere */
    text_copy(text, sizeof(text), text);
    assert_int_equal(strlen(text), 61);
    assert_int_equal(text[60], '?');
    text_copy(copy, 5, "a\xff\xe2\x82\xac");
    assert_string_equal(copy, "a?");
    text_copy(copy, 1, "a");
    assert_string_equal(copy, "");
    assert_int_equal(text_fit("a\xc3\xa9z", 2), 1);
    assert_int_equal(text_fit("a\xc3\xa9z", 9), 4);
}

static void utf8_is_recognised(void **state)
{
    (void)state;
    assert_true(text_is_utf8("", 0));
    assert_true(text_is_utf8("a\x01\xc3\xa9", 4));
    assert_false(text_is_utf8("a\0b", 3));
    assert_false(text_is_utf8("a\xc3", 2));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(characters_have_their_kind_and_length),
        cmocka_unit_test(only_plain_characters_are_shown),
        cmocka_unit_test(json_has_no_bare_controls),
        cmocka_unit_test(copies_are_cut_between_characters),
        cmocka_unit_test(utf8_is_recognised),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
