/* SPDX-License-Identifier: MIT */
#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/file.h"

static char folder[] = "/tmp/talosvip-file.XXXXXX";
static char path[64], other[64];

static int setup(void **state)
{
    (void)state;
    if (!mkdtemp(folder))
        return -1;
    snprintf(path, sizeof(path), "%s/sub/note", folder);
    snprintf(other, sizeof(other), "%s/sub/note.%d", folder, (int)getpid());
    return 0;
}

static int teardown(void **state)
{
    char sub[64];
    (void)state;
    snprintf(sub, sizeof(sub), "%s/sub", folder);
    unlink(path);
    unlink(other);
    rmdir(sub);
    return rmdir(folder);
}

static void put(const char *text)
{
    assert_int_equal(file_make_folder(path), 0);
    assert_int_equal(file_replace(path, text, strlen(text)), 0);
}

static void test_replace(void **state)
{
    char out[16];
    struct stat st;
    (void)state;
    assert_int_equal(file_replace(path, "x", 1), -ENOENT); /* no folder, no remains */
    put("first");
    umask(0);
    put("second");
    umask(022);
    assert_int_equal(file_read_own(path, out, sizeof(out)), 0);
    assert_string_equal(out, "second");
    assert_int_equal(stat(path, &st), 0);
    assert_int_equal(st.st_mode & 07777, 0600);
    assert_int_equal(access(other, F_OK), -1);
    /* What a process of our number was killed over is not in the way, nor followed. */
    assert_int_equal(symlink(path, other), 0);
    put("third");
    assert_int_equal(file_read_own(path, out, sizeof(out)), 0);
    assert_string_equal(out, "third");
    assert_int_equal(lstat(path, &st), 0);
    assert_true(S_ISREG(st.st_mode));
    /* Nothing is left when it cannot be put there. */
    assert_int_equal(unlink(path), 0);
    assert_int_equal(mkdir(path, 0700), 0);
    assert_true(file_replace(path, "x", 1) < 0);
    assert_int_equal(access(other, F_OK), -1);
    assert_int_equal(rmdir(path), 0);
}

static void test_read_own(void **state)
{
    char out[8];
    (void)state;
    assert_int_equal(file_read_own(path, out, sizeof(out)), -ENOENT);
    put("1234567");
    assert_int_equal(file_read_own(path, out, sizeof(out)), 0);
    assert_string_equal(out, "1234567");
    put("12345678");
    assert_int_equal(file_read_own(path, out, sizeof(out)), -EMSGSIZE);
    put("");
    assert_int_equal(file_read_own(path, out, sizeof(out)), 0);
    assert_string_equal(out, "");
    assert_int_equal(file_replace(path, "a\0b", 3), 0);
    assert_int_equal(file_read_own(path, out, sizeof(out)), -EBADMSG);
}

/* What somebody else may have written, or what is no file at all. */
static void test_read_own_refuses(void **state)
{
    char out[8];
    (void)state;
    put("x");
    assert_int_equal(chmod(path, 0620), 0);
    assert_int_equal(file_read_own(path, out, sizeof(out)), -EPERM);
    assert_int_equal(chmod(path, 0602), 0);
    assert_int_equal(file_read_own(path, out, sizeof(out)), -EPERM);
    assert_int_equal(chmod(path, 0644), 0);
    assert_int_equal(file_read_own(path, out, sizeof(out)), 0);
    if (geteuid() == 0) {
        assert_int_equal(chown(path, 65534, 65534), 0);
        assert_int_equal(file_read_own(path, out, sizeof(out)), -EPERM);
    } else {
        printf("SKIP: a file of another user: needs root\n");
    }
    assert_int_equal(rename(path, other), 0);
    assert_int_equal(symlink(other, path), 0);
    assert_int_equal(file_read_own(path, out, sizeof(out)), -ELOOP);
    assert_int_equal(unlink(path), 0);
    assert_int_equal(mkfifo(path, 0600), 0);
    assert_int_equal(file_read_own(path, out, sizeof(out)), -EPERM); /* and does not wait */
    assert_int_equal(unlink(path), 0);
}

static void test_read_id(void **state)
{
    char out[16];
    (void)state;
    put("abc-123 \n");
    assert_int_equal(file_read_id(path, out, sizeof(out)), 0);
    assert_string_equal(out, "abc-123");
    put("a b\n");
    assert_int_equal(file_read_id(path, out, sizeof(out)), -EBADMSG);
    put("\n");
    assert_int_equal(file_read_id(path, out, sizeof(out)), -EBADMSG);
    put("");
    assert_int_equal(file_read_id(path, out, sizeof(out)), -EIO);
    assert_int_equal(unlink(path), 0);
    assert_int_equal(file_read_id(path, out, sizeof(out)), -ENOENT);
}

static void test_make_folder(void **state)
{
    char deep[96];
    (void)state;
    assert_int_equal(file_make_folder("name"), 0);
    assert_int_equal(file_make_folder("/name"), 0);
    assert_int_equal(file_make_folder(path), 0);
    assert_int_equal(file_make_folder(path), 0);
    snprintf(deep, sizeof(deep), "%s/a/b/c", folder);
    assert_int_equal(file_make_folder(deep), -ENOENT);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_replace),          cmocka_unit_test(test_read_own),
        cmocka_unit_test(test_read_own_refuses), cmocka_unit_test(test_read_id),
        cmocka_unit_test(test_make_folder),
    };
    return cmocka_run_group_tests(tests, setup, teardown);
}
