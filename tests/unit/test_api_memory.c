/* SPDX-License-Identifier: MIT */
/* Every allocation made to fail once: the first, the second, ... until a run needs no more. Parsing
 * JSON is not among them: json-c 0.16 does not check all of its own. */
#include "../../src/cli/arguments.h"

#include "api/server.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#if defined(__SANITIZE_ADDRESS__)
#define HAS_OWN_MALLOC 0
#elif defined(__has_feature)
#if __has_feature(address_sanitizer)
#define HAS_OWN_MALLOC 0
#endif
#endif
#ifndef HAS_OWN_MALLOC
#define HAS_OWN_MALLOC 1
#endif

static long countdown = -1; /* the allocation that fails; below 0 none does */

#if HAS_OWN_MALLOC
void *__libc_malloc(size_t size);
void *__libc_calloc(size_t n, size_t size);
void *__libc_realloc(void *p, size_t size);

static bool fails(void)
{
    if (countdown < 0 || countdown-- > 0)
        return false;
    errno = ENOMEM;
    return true;
}

void *malloc(size_t size)
{
    return fails() ? NULL : __libc_malloc(size);
}

void *calloc(size_t n, size_t size)
{
    return fails() ? NULL : __libc_calloc(n, size);
}

void *realloc(void *p, size_t size)
{
    return fails() ? NULL : __libc_realloc(p, size);
}
#endif

/* Calls `once`, which returns 0 or -errno, until it was given all it asked for. */
static void for_each_allocation(int (*once)(void))
{
    int failures = 0;
    if (!HAS_OWN_MALLOC) {
        print_message("the sanitizer has a malloc() of its own\n");
        skip();
    }
    for (long n = 0;; n++) {
        countdown = n;
        int r = once();
        bool is_through = countdown >= 0;
        countdown = -1;
        if (r != 0 && r != -ENOMEM)
            fail_msg("allocation %ld: %d", n, r);
        if (is_through) {
            assert_int_equal(r, 0);
            break;
        }
        failures += r < 0;
    }
    assert_true(failures > 2);
}

static struct api_vip vip;
static struct api_status status = {.node = "cp-1", .n_vips = 1, .vips = &vip};

static int write_once(void)
{
    struct buf out;
    buf_init(&out, 0);
    int r = api_status_write(&status, &out);
    buf_done(&out);
    return r;
}

static int arguments_once(void)
{
    static const struct option options[] = {
        {.name = "files", .letter = 'c', .kind = OPTION_FILES, .metavar = "F"},
        {.name = "list", .letter = 'e', .kind = OPTION_LIST, .metavar = "L"},
        {.name = NULL},
    };
    static char *argv[] = {"-c", "a", "-e", "b,c"};
    struct arguments arguments;
    struct complaint complaint;
    int r = arguments_parse(options, NULL, 0, 4, argv, &arguments, &complaint);
    if (r == 0)
        arguments_done(&arguments);
    return r;
}

static void writing_a_status(void **state)
{
    (void)state;
    for_each_allocation(write_once);
}

static void parsing_arguments(void **state)
{
    (void)state;
    for_each_allocation(arguments_once);
}

static void nothing(void *arg, struct api_status *ret_status)
{
    (void)arg;
    *ret_status = status;
}

static const struct api_source source = {.status = nothing};
static struct loop *loop;
static char path[64];

static int server_once(void)
{
    struct api_server *server = NULL;
    int64_t owner;
    int r = api_server_new(loop, path, &source, NULL, &server, &owner);
    if (r == 0)
        api_server_free(server);
    else
        assert_null(server);
    assert_int_equal(access(path, F_OK), -1);
    return r == -EIO ? -ENOMEM : r; /* libevent does not say why it could not watch something */
}

static void starting_a_server(void **state)
{
    (void)state;
    snprintf(path, sizeof(path), "/tmp/talosvip-memory-%d.sock", (int)getpid());
    loop = loop_new();
    assert_non_null(loop);
    for_each_allocation(server_once);
    loop_free(loop);
}

static int setup(void **state)
{
    (void)state;
    strcpy(vip.queue[0], "cp-2");
    vip.queued = 1;
    return ip_parse("10.0.0.50", &vip.ip);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(writing_a_status),
        cmocka_unit_test(parsing_arguments),
        cmocka_unit_test(starting_a_server),
    };
    return cmocka_run_group_tests(tests, setup, NULL);
}
