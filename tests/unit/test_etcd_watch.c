/* SPDX-License-Identifier: MIT */
/* The watch against a real etcd on loopback. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <errno.h>
#include <signal.h>
#include <sys/wait.h>
#include <stdio.h>
#include <string.h>

#include "base/clock.h"
#include "etcd_fixture.h"
#include "etcd_server.h"

static struct etcd_client *client_to(const char *a, const char *b)
{
    const char *const endpoints[] = {a, b, NULL};
    return fixture_client((struct etcd_client_config){0}, endpoints);
}

static struct etcd_watch *watch(struct etcd_client *c, struct seen *s)
{
    static const struct etcd_watch_range ranges[] = {
        {.key = "w/a/", .prefix = true},
        {.key = "w/b"},
        {.key = "w/c/", .prefix = true, .no_list = true}};
    struct etcd_watch *w = NULL;
    assert_int_equal(etcd_watch_new(c, ranges, 3, &fixture_callbacks, s, &w), 0);
    assert_int_equal(s->lists, 0);
    return w;
}

static void clean(struct etcd_client *c)
{
    struct answer a = {0};
    struct etcd_op op = {.kind = ETCD_OP_DELETE, .range = {.key = "w/", .prefix = true}};
    struct etcd_txn txn = {.success = &op, .n_success = 1};
    assert_int_equal(etcd_call_txn(c, &txn, 3000000, fixture_answer, &a, NULL), 0);
    assert_true(fixture_wait(&a.calls, 1, 5000));
    assert_int_equal(a.status, ETCD_OK);
}

static void test_list_then_events(void **state)
{
    struct seen s = {0};
    struct answer a;
    (void)state;
    struct etcd_client *c = client_to(group_server.url, NULL);
    clean(c);
    fixture_put(c, "w/a/1", "old", 0, &a);
    fixture_put(c, "w/c/1", "not listed", 0, &a);
    struct etcd_watch *w = watch(c, &s);
    assert_true(fixture_wait(&s.synced, 1, 3000));
    assert_true(etcd_watch_is_synced(w));
    assert_int_equal(s.lists, 1);
    assert_int_equal(s.listed[0], 1);
    assert_int_equal(s.listed[1], 0);
    assert_int_equal(s.listed[2], 0);
    assert_int_equal(s.events, 0);
    assert_int_equal(s.revision, a.revision);
    fixture_put(c, "w/b", "x", 0, &a);
    assert_true(fixture_wait(&s.events, 1, 3000));
    assert_string_equal(s.last_key, "w/b");
    assert_string_equal(s.last_value, "x");
    assert_int_equal(s.revision, a.revision);
    fixture_put(c, "w/bb", "not ours", 0, &a);
    fixture_put(c, "w/c/2", "y", 0, &a);
    assert_true(fixture_wait(&s.events, 2, 3000));
    assert_string_equal(s.last_key, "w/c/2");
    /* A revoked lease takes its keys along. */
    a = (struct answer){0};
    assert_int_equal(etcd_call_grant(c, 60, 3000000, fixture_answer, &a, NULL), 0);
    assert_true(fixture_wait(&a.calls, 1, 5000));
    int64_t lease = a.lease;
    fixture_put(c, "w/a/l", "z", lease, &a);
    assert_true(fixture_wait(&s.events, 3, 3000));
    assert_int_equal(etcd_call_revoke(c, lease, 3000000, fixture_answer, &a, NULL), 0);
    assert_true(fixture_wait(&s.deletes, 1, 3000));
    assert_string_equal(s.last_key, "w/a/l");
    assert_false(s.out_of_order);
    assert_int_equal(s.broken, 0);
    etcd_watch_free(w);
    etcd_client_free(c);
}

static void test_resumes_without_loss(void **state)
{
    struct seen s = {0};
    struct answer a;
    (void)state;
    struct etcd_client *c = client_to(group_server.url, NULL);
    struct etcd_watch *w = watch(c, &s);
    assert_true(fixture_wait(&s.synced, 1, 3000));
    for (unsigned i = 1; i <= 5; i++) {
        /* Written while the stream is down. */
        etcd_watch_restart(w);
        fixture_put(c, "w/b", "r", 0, &a);
        assert_true(fixture_wait(&s.synced, i + 1, 3000));
        assert_true(fixture_wait(&s.events, i, 3000));
        assert_int_equal(s.events, i);
    }
    assert_int_equal(s.lists, 1);
    assert_false(s.out_of_order);
    etcd_watch_free(w);
    etcd_client_free(c);
}

static bool compact(int64_t revision)
{
    char ctl[512], endpoint[80], text[32];
    snprintf(endpoint, sizeof(endpoint), "--endpoints=%s", group_server.url);
    snprintf(text, sizeof(text), "%lld", (long long)revision);
    const char *const argv[] = {etcd_server_find("etcdctl", ctl), endpoint, "compaction", text,
                                NULL};
    return argv[0] && etcd_server_run(argv);
}

static void test_lists_again_after_compaction(void **state)
{
    struct seen s = {0};
    struct answer a;
    (void)state;
    struct etcd_client *c = client_to(group_server.url, NULL);
    struct etcd_watch *w = watch(c, &s);
    assert_true(fixture_wait(&s.synced, 1, 3000));
    /* A restart alone is no reason to list: the stream goes on where it broke. */
    etcd_server_stop(&group_server, SIGKILL);
    assert_true(fixture_wait(&s.broken, 1, 3000));
    assert_int_equal(s.status, ETCD_UNAVAILABLE);
    assert_false(etcd_watch_is_synced(w));
    assert_true(etcd_server_start(&group_server));
    struct etcd_client *other = client_to(group_server.url, NULL);
    for (a.status = ETCD_BUSY; a.status != ETCD_OK;)
        fixture_put(other, "elsewhere", "1", 0, &a);
    etcd_client_free(other);
    assert_true(fixture_wait(&s.synced, 2, 5000));
    assert_int_equal(s.lists, 1);
    etcd_watch_free(w);

    /* What was missed is compacted meanwhile. */
    s = (struct seen){0};
    w = watch(c, &s);
    assert_true(fixture_wait(&s.synced, 1, 3000));
    for (unsigned i = 0; i < 3; i++)
        fixture_put(c, "elsewhere", "2", 0, &a);
    if (!compact(a.revision)) {
        print_message("no etcdctl: compaction is not tested\n");
    } else {
        etcd_watch_restart(w);
        fixture_put(c, "w/b", "after", 0, &a);
        assert_true(fixture_wait(&s.lists, 2, 3000));
        assert_true(fixture_wait(&s.synced, 2, 3000));
        assert_int_equal(s.status, ETCD_COMPACTED);
        assert_int_equal(s.listed[1], 1);
        fixture_put(c, "w/b", "live", 0, &a);
        assert_true(fixture_wait(&s.events, 1, 3000));
        assert_string_equal(s.last_value, "live");
    }
    etcd_watch_free(w);
    etcd_client_free(c);
}

static void test_server_comes_and_goes(void **state)
{
    struct seen s = {0};
    struct answer a;
    (void)state;
    etcd_server_stop(&group_server, SIGKILL);
    struct etcd_client *c = client_to(group_server.url, NULL);
    struct etcd_watch *w = watch(c, &s);
    assert_true(fixture_wait(&s.broken, 1, 3000));
    fixture_run(1500);
    assert_int_equal(s.broken, 1); /* told once */
    assert_int_equal(s.status, ETCD_UNAVAILABLE);
    assert_true(etcd_server_start(&group_server));
    assert_true(fixture_wait(&s.synced, 1, 6000));
    etcd_server_stop(&group_server, SIGTERM);
    assert_true(fixture_wait(&s.broken, 2, 3000));
    assert_true(etcd_server_start(&group_server));
    assert_true(fixture_wait(&s.synced, 2, 6000));
    fixture_put(c, "w/b", "again", 0, &a);
    assert_true(fixture_wait(&s.events, 1, 3000));
    assert_int_equal(s.lists, 1);
    etcd_watch_free(w);
    etcd_client_free(c);
}

/* The first endpoint is stopped: its kernel still takes connections, and nobody answers. */
static void test_moves_from_a_frozen_endpoint(void **state)
{
    struct seen s = {0};
    struct answer a;
    struct etcd_server second = {0};
    (void)state;
    assert_true(etcd_server_init(&second, "http"));
    assert_true(etcd_server_start(&second));
    struct etcd_client *c = client_to(second.url, group_server.url);
    struct etcd_watch *w = watch(c, &s);
    assert_true(fixture_wait(&s.synced, 1, 6000));
    siginfo_t info;
    kill(second.pid, SIGSTOP);
    /* Until all its threads stand, one may still answer. */
    assert_int_equal(waitid(P_PID, (id_t)second.pid, &info, WSTOPPED | WNOWAIT), 0);
    /* A call notices, and the watch goes along. */
    fixture_get(c, "w/b", false, 400, &a);
    assert_int_equal(a.status, ETCD_OK);
    assert_string_equal(a.endpoint, group_server.url);
    assert_true(fixture_wait(&s.broken, 1, 1000));
    assert_true(fixture_wait(&s.synced, 2, 3000));
    /* It is another cluster: everything is listed anew. */
    assert_int_equal(s.lists, 2);
    kill(second.pid, SIGCONT);
    etcd_watch_free(w);
    etcd_client_free(c);
    etcd_server_done(&second);
}

static void test_free_in_callbacks(void **state)
{
    struct seen s = {0};
    struct answer a;
    struct etcd_watch *w;
    (void)state;
    struct etcd_client *c = client_to(group_server.url, NULL);
    w = watch(c, &s);
    assert_true(fixture_wait(&s.synced, 1, 3000));
    s.free_watch = &w;
    struct etcd_op ops[2] = {
        {.kind = ETCD_OP_PUT, .range = {.key = "w/a/1"}, .value = "1"},
        {.kind = ETCD_OP_PUT, .range = {.key = "w/a/2"}, .value = "2"},
    };
    struct etcd_txn txn = {.success = ops, .n_success = 2};
    a = (struct answer){0};
    assert_int_equal(etcd_call_txn(c, &txn, 3000000, fixture_answer, &a, NULL), 0);
    assert_true(fixture_wait(&s.events, 1, 3000));
    assert_null(w);
    fixture_put(c, "w/a/3", "3", 0, &a);
    fixture_run(100);
    assert_int_equal(s.events, 1); /* the second one of the same message was not told any more */
    s = (struct seen){0};
    w = watch(c, &s);
    etcd_watch_free(w); /* before anything happened */
    w = watch(c, &s);
    assert_true(fixture_wait(&s.lists, 1, 3000));
    etcd_watch_free(w);
    fixture_run(50);
    assert_int_equal(s.synced, 0);
    etcd_client_free(c);
}

static void test_bad_ranges(void **state)
{
    static const struct etcd_watch_range bad[] = {{.key = NULL},
                                                  {.key = ""},
                                                  {.key = "x", .key_len = ETCD_KEY_MAX + 1},
                                                  {.key = "x", .list_limit = -1}};
    struct etcd_watch *w = NULL;
    (void)state;
    struct etcd_client *c = client_to(group_server.url, NULL);
    for (size_t i = 0; i < 4; i++)
        assert_int_equal(etcd_watch_new(c, &bad[i], 1, &fixture_callbacks, NULL, &w), -EINVAL);
    assert_int_equal(etcd_watch_new(c, bad, 0, &fixture_callbacks, NULL, &w), -EINVAL);
    assert_null(w);
    etcd_client_free(c);
}

int main(void)
{
    if (etcd_server_is_missing("etcd"))
        return 0;
#define T(name) cmocka_unit_test_setup_teardown(name, fixture_setup, fixture_teardown)
    const struct CMUnitTest tests[] = {
        T(test_list_then_events),
        T(test_resumes_without_loss),
        T(test_lists_again_after_compaction),
        T(test_server_comes_and_goes),
        T(test_moves_from_a_frozen_endpoint),
        T(test_free_in_callbacks),
        T(test_bad_ranges),
    };
    return cmocka_run_group_tests(tests, etcd_server_setup, etcd_server_teardown);
}
