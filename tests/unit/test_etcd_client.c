/* SPDX-License-Identifier: MIT */
/* The client against a real etcd on loopback. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <errno.h>
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

static void grant(struct etcd_client *c, int64_t ttl_s, struct answer *a)
{
    *a = (struct answer){0};
    assert_int_equal(etcd_call_grant(c, ttl_s, 3000000, fixture_answer, a, NULL), 0);
    assert_int_equal(a->calls, 0); /* never from inside */
    assert_true(fixture_wait(&a->calls, 1, 5000));
}

static void renew(struct etcd_client *c, int64_t lease, struct answer *a)
{
    *a = (struct answer){0};
    assert_int_equal(etcd_call_renew(c, lease, 3000000, fixture_answer, a, NULL), 0);
    assert_true(fixture_wait(&a->calls, 1, 5000));
}

static void revoke(struct etcd_client *c, int64_t lease, struct answer *a)
{
    *a = (struct answer){0};
    assert_int_equal(etcd_call_revoke(c, lease, 3000000, fixture_answer, a, NULL), 0);
    assert_true(fixture_wait(&a->calls, 1, 5000));
}

static void test_lease(void **state)
{
    struct answer a;
    (void)state;
    struct etcd_client *c = client_to(group_server.url, NULL);
    grant(c, 7, &a);
    assert_int_equal(a.status, ETCD_OK);
    assert_int_equal(a.ttl_s, 7);
    assert_string_equal(a.endpoint, group_server.url);
    int64_t lease = a.lease;
    renew(c, lease, &a);
    assert_int_equal(a.status, ETCD_OK);
    assert_int_equal(a.lease, lease);
    assert_int_equal(a.ttl_s, 7);
    revoke(c, lease, &a);
    assert_int_equal(a.status, ETCD_OK);
    revoke(c, lease, &a);
    assert_int_equal(a.status, ETCD_LEASE_GONE);
    renew(c, lease, &a);
    assert_int_equal(a.status, ETCD_LEASE_GONE);
    fixture_put(c, "t/x", "v", lease, &a);
    assert_int_equal(a.status, ETCD_LEASE_GONE);
    etcd_client_free(c);
}

static void test_txn(void **state)
{
    struct answer a;
    (void)state;
    struct etcd_client *c = client_to(group_server.url, NULL);
    struct etcd_compare absent = {ETCD_CREATE, "t/txn", 0, 0};
    struct etcd_op put = {.kind = ETCD_OP_PUT, .range = {.key = "t/txn"}, .value = "one"};
    struct etcd_op get = {.kind = ETCD_OP_RANGE, .range = {.key = "t/txn"}};
    struct etcd_txn txn = {&absent, 1, &put, 1, &get, 1};
    for (unsigned i = 0; i < 2; i++) {
        a = (struct answer){0};
        assert_int_equal(etcd_call_txn(c, &txn, 3000000, fixture_answer, &a, NULL), 0);
        assert_true(fixture_wait(&a.calls, 1, 5000));
        assert_int_equal(a.status, ETCD_OK);
        assert_int_equal(a.succeeded, i == 0);
        assert_int_equal(a.n_kvs, i);
    }
    assert_string_equal(a.value, "one");
    struct etcd_op gone = {.kind = ETCD_OP_DELETE, .range = {.key = "t/", .prefix = true}};
    txn = (struct etcd_txn){.success = &gone, .n_success = 1};
    a = (struct answer){0};
    assert_int_equal(etcd_call_txn(c, &txn, 3000000, fixture_answer, &a, NULL), 0);
    assert_true(fixture_wait(&a.calls, 1, 5000));
    fixture_get(c, "t/", true, 3000, &a);
    assert_int_equal(a.status, ETCD_OK);
    assert_int_equal(a.n_kvs, 0);
    etcd_client_free(c);
}

static void test_range_of_a_compacted_revision(void **state)
{
    char ctl[512], endpoint[80], revision[32];
    struct answer a;
    (void)state;
    struct etcd_client *c = client_to(group_server.url, NULL);
    fixture_put(c, "t/c", "1", 0, &a);
    fixture_put(c, "t/c", "2", 0, &a);
    snprintf(endpoint, sizeof(endpoint), "--endpoints=%s", group_server.url);
    snprintf(revision, sizeof(revision), "%lld", (long long)a.revision);
    const char *const argv[] = {etcd_server_find("etcdctl", ctl), endpoint, "compaction", revision,
                                NULL};
    if (argv[0])
        assert_true(etcd_server_run(argv));
    struct etcd_range range = {.key = "t/c", .revision = a.revision - 1};
    a = (struct answer){0};
    assert_int_equal(etcd_call_range(c, &range, 3000000, fixture_answer, &a, NULL), 0);
    assert_true(fixture_wait(&a.calls, 1, 5000));
    assert_int_equal(a.status, argv[0] ? ETCD_COMPACTED : ETCD_OK);
    etcd_client_free(c);
}

static void test_status_and_members(void **state)
{
    struct answer a = {0}, b = {0};
    (void)state;
    struct etcd_client *c = client_to(group_server.url, NULL);
    assert_int_equal(etcd_call_status(c, 3000000, fixture_answer, &a, NULL), 0);
    assert_int_equal(etcd_call_members(c, 3000000, fixture_answer, &b, NULL), 0);
    assert_true(fixture_wait(&a.calls, 1, 5000) && fixture_wait(&b.calls, 1, 5000));
    assert_int_equal(a.status, ETCD_OK);
    assert_int_equal(a.version[0], '3');
    assert_int_equal(b.status, ETCD_OK);
    assert_int_equal(b.n_members, 1);
    etcd_client_free(c);
}

static void test_dead_endpoint_first(void **state)
{
    char dead[64];
    struct answer a;
    (void)state;
    snprintf(dead, sizeof(dead), "http://127.0.0.1:%u", etcd_server_port());
    struct etcd_client *c = client_to(dead, group_server.url);
    fixture_put(c, "t/d", "1", 0, &a);
    assert_int_equal(a.status, ETCD_OK);
    assert_true(a.took_us < 300000);
    assert_string_equal(a.endpoint, group_server.url);
    assert_int_equal(fixture_notices[ETCD_NOTICE_ENDPOINT], 1);
    assert_string_equal(etcd_client_endpoint(c), group_server.url);
    fixture_put(c, "t/d", "2", 0, &a);
    assert_int_equal(a.status, ETCD_OK);
    assert_int_equal(fixture_notices[ETCD_NOTICE_ENDPOINT], 1);
    etcd_client_free(c);
    c = client_to(dead, NULL);
    fixture_get(c, "t/d", false, 1000, &a);
    assert_int_equal(a.status, ETCD_UNAVAILABLE);
    assert_non_null(strstr(a.message, "connection refused"));
    etcd_client_free(c);
}

static void test_hanging_endpoint_first(void **state)
{
    struct answer a = {0};
    struct fake f;
    (void)state;
    fake_start(&f, NULL, 0);
    struct etcd_client *c = client_to(f.url, group_server.url);
    uint64_t before = clock_now_us();
    fixture_get(c, "t/h", false, 600, &a);
    uint64_t took = clock_now_us() - before;
    assert_int_equal(a.status, ETCD_OK);
    assert_true(took >= 300000 && took < 590000);
    assert_string_equal(etcd_client_endpoint(c), group_server.url);
    etcd_client_free(c);
    c = client_to(f.url, NULL);
    before = clock_now_us();
    fixture_get(c, "t/h", false, 400, &a);
    took = clock_now_us() - before;
    assert_int_equal(a.status, ETCD_TIMEOUT);
    assert_non_null(strstr(a.message, "did not answer within 400 ms"));
    assert_non_null(strstr(a.message, f.url));
    assert_true(took >= 400000 && took < 700000);
    assert_int_equal(f.accepted, 3); /* one, then one and a fresh one */
    etcd_client_free(c);
    fake_stop(&f);
}

static void test_cancel_and_free(void **state)
{
    struct answer a = {0}, b = {0};
    struct etcd_call *call;
    (void)state;
    struct etcd_client *c = client_to(group_server.url, NULL);
    assert_int_equal(etcd_call_status(c, 3000000, fixture_answer, &a, &call), 0);
    etcd_call_cancel(call);
    assert_int_equal(etcd_call_status(c, 3000000, fixture_answer, &b, NULL), 0);
    assert_true(fixture_wait(&b.calls, 1, 5000));
    assert_int_equal(a.calls, 0);
    etcd_client_free(c);
    /* The callback frees the client while another call is under way. */
    struct fake f;
    fake_start(&f, NULL, 0);
    c = client_to(f.url, NULL);
    b = (struct answer){.free_client = &c};
    assert_int_equal(etcd_call_status(c, 100000, fixture_answer, &b, NULL), 0);
    assert_int_equal(etcd_call_status(c, 150000, fixture_answer, &a, NULL), 0);
    assert_true(fixture_wait(&b.calls, 1, 5000));
    assert_null(c);
    fixture_run(200);
    assert_int_equal(a.calls, 0);
    fake_stop(&f);
}

static void test_impossible_requests(void **state)
{
    struct etcd_op put = {.kind = ETCD_OP_PUT, .range = {.key = ""}};
    struct etcd_txn txn = {.success = &put, .n_success = 1};
    (void)state;
    struct etcd_client *c = client_to(group_server.url, NULL), *none = NULL;
    assert_int_equal(etcd_call_txn(c, &txn, 1000, fixture_answer, NULL, NULL), -EINVAL);
    assert_int_equal(etcd_call_grant(c, 0, 1000, fixture_answer, NULL, NULL), -EINVAL);
    assert_int_equal(etcd_call_renew(c, -1, 1000, fixture_answer, NULL, NULL), -EINVAL);
    etcd_client_free(c);
    static const char *const bad[] = {"ftp://x",        "http://",    "http://a:0",
                                      "http://a:1:2",   "http://a:x", "http://a/v3",
                                      "http://u@a",     "http://a b", "http://[::1",
                                      "http://[1.2.3]", "",           "http://a:70000",
                                      "http://[::1]x"};
    for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
        const char *which = NULL;
        struct etcd_client_config config = {
            .loop = fixture_loop, .endpoints = &bad[i], .n_endpoints = 1};
        assert_int_equal(etcd_client_new(&config, &none, &which), -EINVAL);
        assert_ptr_equal(which, bad[i]);
    }
    struct etcd_client_config empty = {.loop = fixture_loop};
    assert_int_equal(etcd_client_new(&empty, &none, NULL), -EINVAL);
    assert_null(none);
}

static void test_gateway_on_the_sibling_port(void **state)
{
    struct answer a;
    struct fake f;
    (void)state;
    static const char settings[] = "\x01\x02garbage of another protocol\r\n\r\n";
    fake_start(&f, settings, 0);
    const char *const endpoints[] = {f.url, NULL};
    struct etcd_client_config config = {.grpc_port = f.port, .gateway_port = group_server.port};
    struct etcd_client *c = fixture_client(config, endpoints);
    for (unsigned i = 0; i < 2; i++) {
        fixture_get(c, "t/s", false, 2000, &a);
        assert_int_equal(a.status, ETCD_OK);
        assert_string_equal(a.endpoint, group_server.url);
        assert_int_equal(f.accepted, 1);
        assert_int_equal(fixture_notices[ETCD_NOTICE_PORT], 1);
    }
    etcd_client_free(c);
    /* No gateway there either: what is said is about the port that was asked for. */
    config.gateway_port = etcd_server_port();
    c = fixture_client(config, endpoints);
    fixture_get(c, "t/s", false, 2000, &a);
    assert_int_equal(a.status, ETCD_NOT_GATEWAY);
    assert_non_null(strstr(a.message, f.url));
    etcd_client_free(c);
    fake_stop(&f);
}

static void test_odd_answers(void **state)
{
    static const struct {
        const char *text;
        enum etcd_status status;
    } odd[] = {
        {"HTTP/1.1 404 Not Found\r\nContent-Length: 19\r\n\r\n404 page not found\n",
         ETCD_NOT_GATEWAY},
        {"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n{}", ETCD_BAD_REPLY},
        {"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n", ETCD_BAD_REPLY},
        {"HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\n{\"header\":", ETCD_UNAVAILABLE},
        {"HTTP/1.1 301 Moved\r\nLocation: http://127.0.0.1:1/\r\nContent-Length: 0\r\n\r\n",
         ETCD_BAD_REPLY},
        {"HTTP/1.1 503 x\r\nConnection: close\r\n\r\n"
         "{\"error\":\"etcdserver: no leader\",\"message\":\"x: no leader\",\"code\":14}",
         ETCD_UNAVAILABLE},
        {"", ETCD_UNAVAILABLE},
    };
    (void)state;
    for (size_t i = 0; i < sizeof(odd) / sizeof(odd[0]); i++) {
        struct answer a;
        struct fake f;
        fake_start(&f, odd[i].text, 0);
        struct etcd_client *c = client_to(f.url, NULL);
        fixture_get(c, "t/o", false, 2000, &a);
        assert_int_equal(a.status, odd[i].status);
        /* No proof of gRPC. */
        a = (struct answer){0};
        assert_int_equal(etcd_call_status(c, 2000000, fixture_answer, &a, NULL), 0);
        assert_true(fixture_wait(&a.calls, 1, 3000));
        assert_int_equal(a.status, odd[i].status);
        etcd_client_free(c);
        c = client_to(f.url, group_server.url);
        fixture_get(c, "t/o", false, 2000, &a);
        assert_int_equal(a.status, ETCD_OK);
        etcd_client_free(c);
        fake_stop(&f);
    }
}

int main(void)
{
    if (etcd_server_is_missing("etcd"))
        return 0;
#define T(name) cmocka_unit_test_setup_teardown(name, fixture_setup, fixture_teardown)
    const struct CMUnitTest tests[] = {
        T(test_lease),
        T(test_txn),
        T(test_range_of_a_compacted_revision),
        T(test_status_and_members),
        T(test_dead_endpoint_first),
        T(test_hanging_endpoint_first),
        T(test_cancel_and_free),
        T(test_impossible_requests),
        T(test_gateway_on_the_sibling_port),
        T(test_odd_answers),
    };
    return cmocka_run_group_tests(tests, etcd_server_setup, etcd_server_teardown);
}
