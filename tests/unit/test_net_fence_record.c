/* SPDX-License-Identifier: MIT */
/* The note of whose programs are on the links: read only when nothing is wrong with it. */
#include <errno.h>
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "../../src/net/fence_record.h"
#include "base/file.h"

#define BOOT "0b6c3a6e-5f1d-4d0e-9d53-0c8f2f5a7e11"
#define HEAD "talosvip-fence 1\nboot " BOOT "\n"

static char folder[] = "/tmp/talosvip-record.XXXXXX";
static char path[64];

static int setup(void **state)
{
    (void)state;
    if (!mkdtemp(folder))
        return -1;
    snprintf(path, sizeof(path), "%s/run/agent.sock.fence", folder);
    return 0;
}

static int teardown(void **state)
{
    char inner[64];
    (void)state;
    snprintf(inner, sizeof(inner), "%s/run", folder);
    unlink(path);
    rmdir(inner);
    return rmdir(folder);
}

static void test_parse(void **state)
{
    struct fence_record r = {{7, 7}};
    (void)state;
    assert_int_equal(fence_record_parse(HEAD "in 41\nout 2147483647\n", BOOT, &r), 0);
    assert_int_equal(r.ids[FENCE_INGRESS], 41);
    assert_int_equal(r.ids[FENCE_EGRESS], INT32_MAX);
}

static void test_parse_refuses(void **state)
{
    static const char *const bad[] = {
        "",
        "talosvip-fence 1\n",
        HEAD,
        HEAD "in 41\n",
        HEAD "in 41\nout 42",
        HEAD "in 41\nout 42\n\n",
        HEAD "in 41\nout 42\nin 41\n",
        HEAD "out 42\nin 41\n",
        HEAD "in 0\nout 42\n",
        HEAD "in 041\nout 42\n",
        HEAD "in -41\nout 42\n",
        HEAD "in +41\nout 42\n",
        HEAD "in  41\nout 42\n",
        HEAD "in 41 \nout 42\n",
        HEAD "in 41\nout 41\n", /* two programs are never one */
        HEAD "in 41\nout 2147483648\n",
        HEAD "in 41\nout 18446744073709551657\n",
        HEAD "in 41\nout \n",
        HEAD "in 41\nout\n",
        HEAD "in 41\nout 0000000000000000000000000000000000000000000000000000000000000000042\n",
        "talosvip-fence 2\nboot " BOOT "\nin 41\nout 42\n",
        "talosvip-fence 1\nboot\nin 41\nout 42\n",
        "talosvip-fence 1\r\nboot " BOOT "\r\nin 41\r\nout 42\r\n",
        " " HEAD "in 41\nout 42\n",
    };
    struct fence_record r = {{7, 8}};
    (void)state;
    for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
        if (fence_record_parse(bad[i], BOOT, &r) != -EBADMSG)
            fail_msg("taken for a record: \"%s\"", bad[i]);
    assert_int_equal(fence_record_parse(HEAD "in 41\nout 42\n", "another", &r), -ESTALE);
    assert_true(r.ids[0] == 7 && r.ids[1] == 8);
}

/* Every prefix of a record, and the record with any one byte changed: refused, or the same ids but
 * for a digit that is another digit. */
static void test_parse_damaged(void **state)
{
    static const char good[] = HEAD "in 41\nout 42\n";
    struct fence_record r;
    char text[sizeof(good)];
    (void)state;
    for (size_t len = 0; len < sizeof(good) - 1; len++) {
        memcpy(text, good, len);
        text[len] = '\0';
        assert_int_equal(fence_record_parse(text, BOOT, &r), -EBADMSG);
    }
    for (size_t at = 0; at < sizeof(good) - 1; at++)
        for (int c = 1; c < 256; c++) {
            memcpy(text, good, sizeof(good));
            text[at] = (char)c;
            if (fence_record_parse(text, BOOT, &r) == 0)
                assert_true(c == good[at] || (c >= '0' && c <= '9' && r.ids[0] != r.ids[1]));
        }
}

static void test_write_and_read(void **state)
{
    const struct fence_record first = {{41, 42}}, second = {{INT32_MAX, 1}};
    struct fence_record r = {{7, 8}};
    struct stat st;
    (void)state;
    assert_int_equal(fence_record_read(path, &r), -ENOENT);
    assert_int_equal(fence_record_write(path, &first), 0); /* makes the folder */
    assert_int_equal(fence_record_read(path, &r), 0);
    assert_memory_equal(&r, &first, sizeof(r));
    assert_int_equal(stat(path, &st), 0);
    assert_int_equal(st.st_mode & 07777, 0600);
    assert_int_equal(fence_record_write(path, &second), 0); /* in the place of the first */
    assert_int_equal(fence_record_read(path, &r), 0);
    assert_memory_equal(&r, &second, sizeof(r));
}

static void test_of_another_boot(void **state)
{
    static const char text[] = HEAD "in 41\nout 42\n";
    struct fence_record r = {{7, 8}};
    (void)state;
    assert_int_equal(file_make_folder(path), 0);
    assert_int_equal(file_replace(path, text, sizeof(text) - 1), 0);
    assert_int_equal(fence_record_read(path, &r), -ESTALE);
    assert_true(r.ids[0] == 7 && r.ids[1] == 8);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_parse),           cmocka_unit_test(test_parse_refuses),
        cmocka_unit_test(test_parse_damaged),   cmocka_unit_test(test_write_and_read),
        cmocka_unit_test(test_of_another_boot),
    };
    return cmocka_run_group_tests(tests, setup, teardown);
}
