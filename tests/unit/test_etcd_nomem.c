/* SPDX-License-Identifier: MIT */
/* The codec with the Nth allocation failing, for N = 1, 2, ... until a clean run. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <errno.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "etcd/message.h"
#include "etcd/record.h"

#ifdef __has_feature
#if __has_feature(address_sanitizer)
#define __SANITIZE_ADDRESS__ 1
#endif
#endif

#ifdef __SANITIZE_ADDRESS__
int main(void)
{
    puts("SKIP test_etcd_nomem: the sanitizer has an allocator of its own");
    return 0;
}
#else

static long countdown; /* 0: never fail */
static bool failed;

extern char __executable_start[], etext[];

/* Only what our own code asks for: json-c 0.16 follows a null pointer when memory is short. */
static bool fails(const void *caller)
{
    bool ours = (const char *)caller >= __executable_start && (const char *)caller < etext;
    if (!ours || countdown == 0 || --countdown > 0)
        return false;
    failed = true;
    return true;
}

/* glibc's allocator under its own names; these definitions take the place of the usual ones in
 * the whole process. */
void *__libc_malloc(size_t size);
void *__libc_calloc(size_t n, size_t size);
void *__libc_realloc(void *p, size_t size);

void *malloc(size_t size)
{
    return fails(__builtin_return_address(0)) ? NULL : __libc_malloc(size);
}

void *calloc(size_t n, size_t size)
{
    return fails(__builtin_return_address(0)) ? NULL : __libc_calloc(n, size);
}

void *realloc(void *p, size_t size)
{
    return fails(__builtin_return_address(0)) ? NULL : __libc_realloc(p, size);
}

#define HEADER "\"header\":{\"cluster_id\":\"1\",\"member_id\":\"2\",\"revision\":\"7\"}"

#define KV "{\"key\":\"aw==\",\"value\":\"dmFsdWU=\"}"

static void test_replies(void **state)
{
    static char many[10000];
    struct buf b;
    static const struct {
        enum etcd_kind kind;
        const char *text;
    } replies[] = {
        {ETCD_KIND_TXN,
         "{" HEADER ",\"succeeded\":true,\"responses\":[{\"response_range\":{\"kvs\":"
         "[{\"key\":\"aw==\",\"value\":\"dg==\"}],\"count\":\"1\"}}]}"},
        {ETCD_KIND_MEMBERS, "{" HEADER ",\"members\":[{\"ID\":\"1\",\"name\":\"m\",\"clientURLs\":"
                            "[\"http://a:1\",\"http://b:1\"]}]}"},
        {ETCD_KIND_WATCH, "{\"result\":{" HEADER ",\"events\":[{\"kv\":{\"key\":\"aw==\"}}]}}"},
        {ETCD_KIND_AUTHENTICATE, "{" HEADER ",\"token\":\"abc\"}"},
        {ETCD_KIND_RANGE, "{" HEADER ",\"kvs\":[" KV "," KV "," KV "," KV "," KV "]}"},
        {ETCD_KIND_RANGE, many},
    };
    buf_init(&b, 0);
    buf_puts(&b, "{" HEADER ",\"kvs\":[" KV);
    for (int i = 0; i < 200; i++)
        buf_puts(&b, "," KV);
    buf_puts(&b, "]}");
    snprintf(many, sizeof(many), "%s", buf_str(&b));
    buf_done(&b);
    (void)state;
    for (size_t i = 0; i < sizeof(replies) / sizeof(replies[0]); i++) {
        for (long n = 1;; n++) {
            struct etcd_reply r;
            failed = false;
            countdown = n;
            etcd_reply_parse(replies[i].kind, replies[i].text, strlen(replies[i].text), &r);
            countdown = 0;
            enum etcd_status status = r.status;
            etcd_reply_done(&r);
            if (!failed) {
                assert_int_equal(status, ETCD_OK);
                assert_true(n > 1);
                break;
            }
            assert_int_equal(status, ETCD_NO_MEMORY);
        }
    }
}

static void test_requests(void **state)
{
    struct etcd_op op = {.kind = ETCD_OP_PUT, .range = {.key = "key"}, .value = "value"};
    struct etcd_compare compare = {ETCD_CREATE, "key", 0, 0};
    struct etcd_txn txn = {&compare, 1, &op, 1, &op, 1};
    (void)state;
    for (long n = 1;; n++) {
        struct buf b;
        buf_init(&b, 0);
        failed = false;
        countdown = n;
        int r = etcd_request_txn(&b, &txn);
        countdown = 0;
        buf_done(&b);
        assert_int_equal(r, failed ? -ENOMEM : 0);
        if (!failed) {
            assert_true(n > 2);
            break;
        }
    }
}

static void test_records(void **state)
{
    static const char text[] = "{\"node\":\"a\",\"machineId\":\"m\",\"agent\":\"v\","
                               "\"vips\":[{\"vip\":\"10.0.0.1\"}]}";
    (void)state;
    for (long n = 1;; n++) {
        struct record_node node = {.n_vips = 7};
        struct buf b;
        buf_init(&b, 0);
        failed = false;
        countdown = n;
        int r = record_node_parse(text, sizeof(text) - 1, &node);
        if (r == 0 && !failed) {
            int w = record_node_write(&node, &b);
            assert_int_equal(w, failed ? -ENOMEM : 0);
        }
        countdown = 0;
        buf_done(&b);
        /* Untouched on failure; memory that could not be given back is no failure. */
        assert_int_equal(node.n_vips, r == 0 ? 1 : 7);
        if (r == 0)
            record_node_done(&node);
        if (!failed) {
            assert_true(n > 2);
            break;
        }
        assert_true(r == 0 || r == -ENOMEM);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_replies),
        cmocka_unit_test(test_records),
        cmocka_unit_test(test_requests),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
#endif
