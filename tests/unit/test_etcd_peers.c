/* SPDX-License-Identifier: MIT */
/* The peer lease's transactions against a real etcd on loopback. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "base/clock.h"
#include "etcd/keys.h"
#include "etcd/peers.h"
#include "etcd_fixture.h"
#include "etcd_server.h"

#define TIMEOUT_US 3000000

static struct etcd_client *client;

struct result {
    unsigned calls;
    enum etcd_status status;
    bool succeeded;
    size_t n_kvs;
    char value[8192];
    int64_t mod_revision, lease;
};

/* What the caller is promised: the last response is the key in question. */
static void on_result(void *arg, const struct etcd_reply *reply)
{
    struct result *r = arg;
    r->calls++;
    r->status = reply->status;
    r->succeeded = reply->succeeded;
    r->lease = reply->lease;
    if (reply->n_responses > 0) {
        const struct etcd_response *last = &reply->responses[reply->n_responses - 1];
        r->n_kvs = last->n_kvs;
        if (last->n_kvs) {
            r->mod_revision = last->kvs[0].mod_revision;
            r->lease = last->kvs[0].lease;
            snprintf(r->value, sizeof(r->value), "%s", last->kvs[0].value);
        }
    }
    loop_stop(fixture_loop);
}

static void finish(int started, struct result *r)
{
    assert_int_equal(started, 0);
    assert_true(fixture_wait(&r->calls, 1, 5000));
    assert_int_equal(r->status, ETCD_OK);
}

static int setup(void **state)
{
    const char *const endpoints[] = {group_server.url, NULL};
    if (fixture_setup(state) != 0)
        return -1;
    client = fixture_client((struct etcd_client_config){0}, endpoints);
    return 0;
}

static int teardown(void **state)
{
    etcd_client_free(client);
    return fixture_teardown(state);
}

static int64_t new_lease(void)
{
    struct result r = {.calls = 0};
    finish(etcd_call_grant(client, 60, TIMEOUT_US, on_result, &r, NULL), &r);
    return r.lease;
}

static void get(const char *key, struct result *ret)
{
    const struct etcd_range range = {.key = key};
    *ret = (struct result){.calls = 0};
    finish(etcd_call_range(client, &range, TIMEOUT_US, on_result, ret, NULL), ret);
}

static struct peers_record record_of(int64_t lease)
{
    struct peers_record r = {.owner = {lease, 1}, .term = 1, .window_us = 500000, .n_voters = 3};
    for (unsigned i = 0; i < 3; i++)
        r.voters[i] = (struct peers_session){lease + i, i + 1};
    return r;
}

static void test_first_key_wins(void **state)
{
    struct peers_key one, two, three, got;
    struct result r = {.calls = 0};
    (void)state;
    peers_key_next(NULL, (const uint8_t[PEERS_KEY_SIZE]){1}, &one);
    peers_key_next(NULL, (const uint8_t[PEERS_KEY_SIZE]){2}, &two);
    finish(peers_call_create_key(client, &one, TIMEOUT_US, on_result, &r, NULL), &r);
    assert_true(r.succeeded && r.n_kvs == 1 && r.lease == 0);
    int64_t revision = r.mod_revision;
    r = (struct result){.calls = 0};
    finish(peers_call_create_key(client, &two, TIMEOUT_US, on_result, &r, NULL), &r);
    assert_false(r.succeeded);
    assert_int_equal(r.mod_revision, revision);
    assert_int_equal(peers_key_parse(r.value, strlen(r.value), &got), 0);
    assert_memory_equal(got.current, one.current, PEERS_KEY_SIZE);

    peers_key_next(&got, two.current, &three);
    for (int round = 0; round < 2; round++) { /* carried out twice */
        r = (struct result){.calls = 0};
        finish(peers_call_rotate_key(client, &three, revision, TIMEOUT_US, on_result, &r, NULL),
               &r);
        assert_true(r.succeeded == (round == 0));
        assert_int_equal(peers_key_parse(r.value, strlen(r.value), &got), 0);
        assert_true(got.generation == 2 && got.has_previous);
        assert_memory_equal(got.current, two.current, PEERS_KEY_SIZE);
        assert_memory_equal(got.previous, one.current, PEERS_KEY_SIZE);
    }
    assert_int_equal(peers_call_rotate_key(client, &three, 0, TIMEOUT_US, on_result, &r, NULL),
                     -EINVAL);
}

static void test_list_follows_its_revision(void **state)
{
    int64_t lease = new_lease();
    struct peers_record record = record_of(lease), got;
    struct result r = {.calls = 0};
    (void)state;
    finish(peers_call_put(client, "put", &record, 0, TIMEOUT_US, on_result, &r, NULL), &r);
    assert_true(r.succeeded && r.lease == lease);
    int64_t first = r.mod_revision;
    record.term = 2, record.n_voters = 2;
    r = (struct result){.calls = 0};
    finish(peers_call_put(client, "put", &record, first, TIMEOUT_US, on_result, &r, NULL), &r);
    assert_true(r.succeeded && r.mod_revision > first);
    int64_t second = r.mod_revision;
    record.term = 3, record.n_voters = 1;
    for (int64_t old = 0; old <= first; old += first) { /* behind the times */
        r = (struct result){.calls = 0};
        finish(peers_call_put(client, "put", &record, old, TIMEOUT_US, on_result, &r, NULL), &r);
        assert_true(!r.succeeded && r.mod_revision == second);
        assert_int_equal(peers_record_parse(r.value, strlen(r.value), &got), 0);
        assert_int_equal(got.n_voters, 2);
    }
}

static void test_ending(void **state)
{
    int64_t lease = new_lease();
    struct peers_record record = record_of(lease);
    struct peers_release releases[2] = {{.revision = 11}, {.revision = 12}};
    char candidate[KEYS_TEXT_MAX], released[KEYS_TEXT_MAX];
    struct record_released left;
    struct result r = {.calls = 0};
    struct answer a;
    (void)state;
    assert_int_equal(ip_parse("10.0.0.50", &releases[0].ip), 0);
    assert_int_equal(ip_parse("fd00::50", &releases[1].ip), 0);
    for (int i = 0; i < 2; i++) {
        keys_candidate(&releases[i].ip, lease, candidate);
        fixture_put(client, candidate, "silent", lease, &a);
    }
    finish(peers_call_put(client, "silent", &record, 0, TIMEOUT_US, on_result, &r, NULL), &r);
    int64_t revision = r.mod_revision;

    r = (struct result){.calls = 0};
    finish(peers_call_end(client, "silent", lease, revision - 1, releases, 2, "silent", TIMEOUT_US,
                          on_result, &r, NULL),
           &r);
    assert_true(!r.succeeded && r.mod_revision == revision);
    get(candidate, &r);
    assert_int_equal(r.n_kvs, 1);

    for (int round = 0; round < 2; round++) { /* carried out twice */
        r = (struct result){.calls = 0};
        finish(peers_call_end(client, "silent", lease, revision, releases, 2, "silent", TIMEOUT_US,
                              on_result, &r, NULL),
               &r);
        assert_true(r.succeeded == (round == 0));
        assert_int_equal(r.n_kvs, 0);
    }
    for (int i = 0; i < 2; i++) {
        keys_candidate(&releases[i].ip, lease, candidate);
        keys_released(&releases[i].ip, released);
        get(candidate, &r);
        assert_int_equal(r.n_kvs, 0);
        get(released, &r);
        assert_int_equal(record_released_parse(r.value, strlen(r.value), &left), 0);
        assert_string_equal(left.node, "silent");
        assert_string_equal(left.cause, "silent");
        assert_int_equal(left.revision, 11 + i);
    }
}

/* As many VIPs as one transaction takes, and not one more. */
static void test_ending_of_many(void **state)
{
    static struct peers_release releases[PEERS_RELEASES_MAX + 1];
    int64_t lease = new_lease();
    struct peers_record record = record_of(lease);
    struct result r = {.calls = 0};
    (void)state;
    finish(peers_call_put(client, "many", &record, 0, TIMEOUT_US, on_result, &r, NULL), &r);
    int64_t revision = r.mod_revision;
    for (unsigned i = 0; i <= PEERS_RELEASES_MAX; i++)
        releases[i] = (struct peers_release){
            .ip = {.family = IP_V4, .bytes = {10, 1, 0, (uint8_t)i}}, .revision = 5};
    assert_int_equal(peers_call_end(client, "many", lease, revision, releases,
                                    PEERS_RELEASES_MAX + 1, "silent", TIMEOUT_US, on_result, &r,
                                    NULL),
                     -EINVAL);
    assert_int_equal(peers_call_end(client, "many", 0, revision, releases, 1, "silent", TIMEOUT_US,
                                    on_result, &r, NULL),
                     -EINVAL);
    r = (struct result){.calls = 0};
    finish(peers_call_end(client, "many", lease, revision, releases, PEERS_RELEASES_MAX, "silent",
                          TIMEOUT_US, on_result, &r, NULL),
           &r);
    assert_true(r.succeeded);
    r = (struct result){.calls = 0}; /* the rest */
    finish(peers_call_end(client, "many", lease, 0, &releases[PEERS_RELEASES_MAX], 1, "silent",
                          TIMEOUT_US, on_result, &r, NULL),
           &r);
    assert_true(r.succeeded);
}

/* The endpoint in use is often that of the node that has just fallen silent. */
static void test_ending_does_not_wait_for_a_silent_endpoint(void **state)
{
    int64_t lease = new_lease();
    struct peers_record record = record_of(lease);
    struct peers_release release = {.revision = 11};
    const char *endpoints[] = {NULL, group_server.url, NULL};
    struct result r = {.calls = 0};
    struct fake hangs;
    (void)state;
    assert_int_equal(ip_parse("10.0.0.50", &release.ip), 0);
    finish(peers_call_put(client, "hang", &record, 0, TIMEOUT_US, on_result, &r, NULL), &r);
    int64_t revision = r.mod_revision;
    fake_start(&hangs, NULL, 0);
    endpoints[0] = hangs.url;
    struct etcd_client *c = fixture_client((struct etcd_client_config){0}, endpoints);
    uint64_t before = clock_now_us();
    r = (struct result){.calls = 0};
    finish(peers_call_end(c, "hang", lease, revision, &release, 1, "silent", TIMEOUT_US, on_result,
                          &r, NULL),
           &r);
    assert_true(r.succeeded);
    assert_true(clock_now_us() - before < TIMEOUT_US / 2);
    etcd_client_free(c);
    fake_stop(&hangs);
}

int main(void)
{
    if (etcd_server_is_missing("etcd"))
        return 0;
#define T(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
    const struct CMUnitTest tests[] = {
        T(test_first_key_wins),
        T(test_list_follows_its_revision),
        T(test_ending),
        T(test_ending_of_many),
        T(test_ending_does_not_wait_for_a_silent_endpoint),
    };
    return cmocka_run_group_tests(tests, etcd_server_setup, etcd_server_teardown);
}
