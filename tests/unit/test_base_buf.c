/* SPDX-License-Identifier: MIT */
#include <errno.h>
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>
#include <stdlib.h>
#include <string.h>

#include "base/buf.h"

static void test_building(void **state)
{
    struct buf b;
    (void)state;
    buf_init(&b, 0);
    assert_string_equal(buf_str(&b), "");
    assert_null(b.data);
    assert_int_equal(buf_puts(&b, "vip "), 0);
    assert_int_equal(buf_putc(&b, '='), 0);
    assert_int_equal(buf_printf(&b, " %s/%d", "10.0.0.5", 32), 0);
    assert_int_equal(buf_add(&b, NULL, 0), 0);
    assert_string_equal(buf_str(&b), "vip = 10.0.0.5/32");
    assert_int_equal(b.len, strlen("vip = 10.0.0.5/32"));
    assert_int_equal(buf_add(&b, "\0x", 2), 0); /* bytes, not a text */
    assert_int_equal(b.len, strlen("vip = 10.0.0.5/32") + 2);
    assert_int_equal(b.data[b.len], '\0');
    buf_done(&b);
    assert_string_equal(buf_str(&b), "");
    assert_int_equal(buf_puts(&b, "again"), 0);
    assert_string_equal(buf_str(&b), "again");
    buf_done(&b);
    buf_done(&b);
    buf_done(NULL);
}

/* Exactly `max` bytes fit; what does not fit changes nothing but the error, which stays. */
static void test_cap(void **state)
{
    struct buf b;
    (void)state;
    buf_init(&b, 8);
    assert_int_equal(buf_puts(&b, "12345678"), 0);
    assert_int_equal(buf_add(&b, "", 0), 0);
    assert_int_equal(buf_putc(&b, '9'), -EMSGSIZE);
    assert_string_equal(buf_str(&b), "12345678");
    buf_consume(&b, 8);
    assert_int_equal(buf_putc(&b, 'x'), -EMSGSIZE);
    assert_int_equal(buf_printf(&b, "%d", 1), -EMSGSIZE);
    assert_int_equal(b.error, -EMSGSIZE);
    buf_clear(&b);
    assert_int_equal(b.error, 0);
    assert_int_equal(buf_printf(&b, "%s", "12345678"), 0);
    assert_int_equal(buf_printf(&b, "%s", "9"), -EMSGSIZE);
    assert_string_equal(buf_str(&b), "12345678");
    buf_clear(&b);
    assert_int_equal(buf_printf(&b, "%s", "123456789"), -EMSGSIZE);
    assert_string_equal(buf_str(&b), "");
    buf_clear(&b);
    assert_int_equal(buf_add(&b, "", SIZE_MAX), -EMSGSIZE);
    buf_done(&b);
    /* The default is a cap too. */
    buf_init(&b, 0);
    char *block = calloc(1, BUF_MAX_DEFAULT);
    assert_non_null(block);
    assert_int_equal(buf_add(&b, block, BUF_MAX_DEFAULT), 0);
    assert_int_equal(buf_putc(&b, 'x'), -EMSGSIZE);
    assert_null(buf_take(&b));
    free(block);
    buf_done(&b);
}

static void test_growth(void **state)
{
    struct buf b;
    (void)state;
    buf_init(&b, 100000);
    for (int i = 0; i < 100000; i++)
        assert_int_equal(buf_putc(&b, (char)('a' + i % 26)), 0);
    for (int i = 0; i < 100000; i++)
        assert_int_equal(b.data[i], 'a' + i % 26);
    assert_int_equal(strlen(buf_str(&b)), 100000);
    buf_done(&b);
}

static void test_take(void **state)
{
    struct buf b;
    (void)state;
    buf_init(&b, 64);
    char *text = buf_take(&b);
    assert_string_equal(text, "");
    free(text);
    assert_int_equal(buf_puts(&b, "mine"), 0);
    text = buf_take(&b);
    assert_string_equal(text, "mine");
    assert_string_equal(buf_str(&b), "");
    assert_int_equal(b.len, 0);
    free(text);
    assert_int_equal(buf_puts(&b, "next"), 0);
    b.error = -ENOMEM;
    assert_null(buf_take(&b));
    assert_int_equal(b.error, 0);
    assert_int_equal(b.len, 0);
    buf_done(&b);
}

static void test_consume(void **state)
{
    struct buf b;
    (void)state;
    buf_init(&b, 64);
    buf_consume(&b, 5);
    assert_int_equal(buf_puts(&b, "line\nrest"), 0);
    buf_consume(&b, 5);
    assert_string_equal(buf_str(&b), "rest");
    buf_consume(&b, 0);
    assert_string_equal(buf_str(&b), "rest");
    buf_consume(&b, 100);
    assert_string_equal(buf_str(&b), "");
    assert_int_equal(b.len, 0);
    buf_done(&b);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_building), cmocka_unit_test(test_cap),
        cmocka_unit_test(test_growth),   cmocka_unit_test(test_take),
        cmocka_unit_test(test_consume),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
