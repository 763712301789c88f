/* SPDX-License-Identifier: MIT */
/* Requests against a real etcd on loopback; the agents are played by the test. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>

#include "cluster/request.h"
#include "etcd/record.h"
#include "etcd_fixture.h"
#include "etcd_server.h"

#define ELECTION "talos:v1:vip:election:10.0.0.50/"
#define REQUEST "talosvip/v1/requests/10.0.0.50"

/* What comes of a request, and what the owner does about it. */
struct play {
    struct etcd_client *client;
    enum { PLAY_NOTHING, PLAY_RESIGN, PLAY_REFUSE } owner;
    int64_t epoch, next_epoch;
    struct answer did, measured;
    unsigned n;
    enum request_phase phases[16];
    char nodes[16][REQUEST_NAME_MAX];
    unsigned seen, observers;
    unsigned ends;
    struct request_outcome outcome;
};

static struct etcd_client *connect_to(const char *url)
{
    const char *const endpoints[] = {url, NULL};
    return fixture_client((struct etcd_client_config){0}, endpoints);
}

static void clean(struct etcd_client *c)
{
    struct answer a = {0};
    const struct etcd_op op = {.kind = ETCD_OP_DELETE, .range = {.key = "talos", .prefix = true}};
    const struct etcd_txn txn = {.success = &op, .n_success = 1};
    assert_int_equal(etcd_call_txn(c, &txn, 3000000, fixture_answer, &a, NULL), 0);
    assert_true(fixture_wait(&a.calls, 1, 5000));
    assert_int_equal(a.status, ETCD_OK);
}

static void join(struct etcd_client *c, const char *lease, const char *node, bool has_agent)
{
    char key[128], value[256];
    struct answer a;
    snprintf(key, sizeof(key), ELECTION "%s", lease);
    fixture_put(c, key, node, 0, &a);
    snprintf(key, sizeof(key), "talosvip/v1/nodes/%s", node);
    snprintf(value, sizeof(value),
             "{\"node\":\"%s\",\"machineId\":\"m\",\"agent\":\"0\",\"addresses\":[]}", node);
    if (has_agent)
        fixture_put(c, key, value, 0, &a);
}

static bool is_there(struct etcd_client *c, const char *key)
{
    struct answer a;
    fixture_get(c, key, false, 3000, &a);
    return a.n_kvs > 0;
}

static void act(struct play *p, const struct etcd_op *op, struct answer *a)
{
    const struct etcd_txn txn = {.success = op, .n_success = 1};
    assert_int_equal(etcd_call_txn(p->client, &txn, 3000000, fixture_answer, a, NULL), 0);
}

static void write_move(struct play *p)
{
    struct record_move move = {.from = "cp-1",
                               .to = "cp-2",
                               .cause = "resign",
                               .is_planned = true,
                               .epoch = p->next_epoch,
                               .last_sign_us = -1,
                               .won_us = 1000,
                               .probed_us = -1,
                               .set_us = 2000,
                               .announced_us = 3000,
                               .observers = 2,
                               .n_seen = 2,
                               .seen = {{.node = "cp-1", .outage_us = 4000, .error_us = 500},
                                        {.node = "cp-3", .outage_us = 12000, .error_us = 1000}}};
    char key[128];
    struct buf json;
    buf_init(&json, 8192);
    assert_int_equal(record_move_write(&move, &json), 0);
    snprintf(key, sizeof(key), "talosvip/v1/history/10.0.0.50/%016llx",
             (unsigned long long)p->next_epoch);
    act(p, &(struct etcd_op){.kind = ETCD_OP_PUT, .range.key = key, .value = buf_str(&json)},
        &p->measured);
    buf_done(&json);
}

static void on_progress(void *arg, const struct request_progress *progress)
{
    struct play *p = arg;
    assert_true(p->n < 16);
    assert_int_equal(p->ends, 0);
    p->phases[p->n] = progress->phase;
    snprintf(p->nodes[p->n++], REQUEST_NAME_MAX, "%s", progress->node);
    p->seen = progress->seen;
    p->observers = progress->observers;
    if (progress->phase == REQUEST_ASKED && p->owner == PLAY_RESIGN)
        act(p, &(struct etcd_op){.kind = ETCD_OP_DELETE, .range.key = ELECTION "64"}, &p->did);
    if (progress->phase == REQUEST_ASKED && p->owner == PLAY_REFUSE) {
        char value[256];
        snprintf(value, sizeof(value),
                 "{\"kind\":\"resign\",\"by\":\"a\",\"epoch\":%lld,\"refused\":\"not today\"}",
                 (long long)p->epoch);
        act(p,
            &(struct etcd_op){
                .kind = ETCD_OP_PUT, .range.key = REQUEST, .value = value, .ignore_lease = true},
            &p->did);
    }
    if (progress->phase == REQUEST_WON)
        write_move(p);
}

static void on_end(void *arg, const struct request_outcome *outcome)
{
    struct play *p = arg;
    p->outcome = *outcome;
    p->ends++;
}

static const struct request_callbacks callbacks = {.on_progress = on_progress, .on_end = on_end};

static struct ip vip_of(const char *text)
{
    struct ip ip;
    assert_int_equal(ip_parse(text, &ip), 0);
    return ip;
}

static void on_scene(void *arg, const struct etcd_reply *reply, const struct request_scene *scene)
{
    struct play *p = arg;
    const struct ip ip = vip_of("10.0.0.50");
    assert_int_equal(reply->status, ETCD_OK);
    const struct request_vip *vip = request_find_vip(scene, &ip);
    assert_non_null(vip);
    p->epoch = vip->queue[0].epoch;
    p->next_epoch = vip->n > 1 ? vip->queue[1].epoch : 0;
    p->ends++;
}

static void learn_epochs(struct play *p)
{
    struct request *q;
    assert_int_equal(request_look(p->client, 3000000, on_scene, p, &q), 0);
    assert_true(fixture_wait(&p->ends, 1, 4000));
    p->ends = 0;
}

static struct request *resign(struct play *p, const char *to, uint64_t wait_us)
{
    struct request *q = NULL;
    const struct request_resign wish = {.vip = vip_of("10.0.0.50"),
                                        .to = to,
                                        .by = "alice@laptop",
                                        .reason = "kernel update",
                                        .wait_us = wait_us};
    assert_int_equal(request_resign(p->client, fixture_loop, &wish, &callbacks, p, &q), 0);
    assert_int_equal(p->ends, 0);
    return q;
}

static void test_moved(void **state)
{
    struct play p = {.client = connect_to(group_server.url), .owner = PLAY_RESIGN};
    static const enum request_phase order[] = {REQUEST_ASKED, REQUEST_RELEASED, REQUEST_WON,
                                               REQUEST_ANNOUNCED, REQUEST_SEEN};
    (void)state;
    clean(p.client);
    join(p.client, "64", "cp-1", true);
    join(p.client, "65", "cp-2", true);
    learn_epochs(&p);
    resign(&p, "cp-2", 5000000);
    assert_true(fixture_wait(&p.ends, 1, 6000));
    assert_int_equal(p.outcome.result, REQUEST_DONE);
    assert_string_equal(p.outcome.from, "cp-1");
    assert_string_equal(p.outcome.to, "cp-2");
    assert_int_equal(p.outcome.outage_us, 12000);
    assert_int_equal(p.outcome.error_us, 1000);
    assert_int_equal(p.n, 5);
    for (unsigned i = 0; i < 5; i++)
        assert_int_equal(p.phases[i], order[i]);
    assert_string_equal(p.nodes[2], "cp-2");
    assert_int_equal(p.seen, 2);
    assert_int_equal(p.observers, 2);
    /* Its lease went with it. */
    assert_false(is_there(p.client, REQUEST));
    etcd_client_free(p.client);
}

static void test_refused_by_the_owner(void **state)
{
    struct play p = {.client = connect_to(group_server.url), .owner = PLAY_REFUSE};
    (void)state;
    clean(p.client);
    join(p.client, "64", "cp-1", true);
    join(p.client, "65", "cp-2", true);
    learn_epochs(&p);
    resign(&p, NULL, 5000000);
    assert_true(fixture_wait(&p.ends, 1, 6000));
    assert_int_equal(p.outcome.result, REQUEST_REFUSED);
    assert_string_equal(p.outcome.text, "not today");
    assert_false(is_there(p.client, REQUEST));
    etcd_client_free(p.client);
}

static void test_nothing_happens(void **state)
{
    struct play p = {.client = connect_to(group_server.url)};
    struct answer a;
    (void)state;
    clean(p.client);
    join(p.client, "64", "cp-1", true);
    join(p.client, "65", "cp-2", true);
    resign(&p, NULL, 1500000);
    assert_true(fixture_wait(&p.n, 1, 1000));
    fixture_get(p.client, REQUEST, false, 3000, &a);
    assert_non_null(strstr(a.value, "resign"));
    assert_true(fixture_wait(&p.ends, 1, 3000));
    assert_int_equal(p.outcome.result, REQUEST_TIMED_OUT);
    assert_non_null(strstr(p.outcome.text, "cp-1 was asked"));
    assert_false(is_there(p.client, REQUEST));
    etcd_client_free(p.client);
}

static void test_cancelled(void **state)
{
    struct play p = {.client = connect_to(group_server.url)};
    (void)state;
    clean(p.client);
    join(p.client, "64", "cp-1", true);
    join(p.client, "65", "cp-2", true);
    struct request *q = resign(&p, NULL, 5000000);
    request_cancel(q);
    q = resign(&p, NULL, 5000000);
    assert_true(fixture_wait(&p.n, 1, 2000));
    assert_true(is_there(p.client, REQUEST));
    request_cancel(q);
    request_cancel(NULL);
    fixture_run(300);
    assert_false(is_there(p.client, REQUEST));
    assert_int_equal(p.ends, 0);
    etcd_client_free(p.client);
}

static void expect_refusal(struct etcd_client *c, const char *to, const char *why)
{
    struct play p = {.client = c};
    resign(&p, to, 5000000);
    assert_true(fixture_wait(&p.ends, 1, 3000));
    assert_int_equal(p.outcome.result, REQUEST_REFUSED);
    if (!strstr(p.outcome.text, why))
        fail_msg("says \"%s\", not \"%s\"", p.outcome.text, why);
    assert_int_equal(p.n, 0);
}

static void test_impossible(void **state)
{
    struct etcd_client *c = connect_to(group_server.url);
    struct answer a;
    (void)state;
    clean(c);
    expect_refusal(c, NULL, "nobody holds it");
    join(c, "64", "talos", false);
    join(c, "65", "cp-2", true);
    expect_refusal(c, NULL, "runs no agent");
    clean(c);
    join(c, "64", "cp-1", true);
    expect_refusal(c, NULL, "nobody else");
    expect_refusal(c, "cp-1", "has it already");
    expect_refusal(c, "cp-9", "does not stand");
    join(c, "65", "talos", false);
    join(c, "66", "cp-3", true);
    expect_refusal(c, "cp-3", "talos stands before cp-3");
    fixture_put(c, REQUEST, "{\"kind\":\"pause\",\"by\":\"bob\"}", 0, &a);
    expect_refusal(c, NULL, "paused by bob");
    fixture_put(c, REQUEST, "no JSON at all", 0, &a);
    expect_refusal(c, NULL, "paused");
    etcd_client_free(c);
}

static void test_another_request(void **state)
{
    struct play p = {.client = connect_to(group_server.url), .owner = PLAY_RESIGN};
    char value[256];
    struct answer a;
    (void)state;
    clean(p.client);
    join(p.client, "64", "cp-1", true);
    join(p.client, "65", "cp-2", true);
    learn_epochs(&p);
    snprintf(value, sizeof(value), "{\"kind\":\"resign\",\"by\":\"bob\",\"epoch\":%lld}",
             (long long)p.epoch);
    fixture_put(p.client, REQUEST, value, 0, &a);
    expect_refusal(p.client, NULL, "bob moves it just now");
    /* One that was left behind is in nobody's way. */
    snprintf(value, sizeof(value), "{\"kind\":\"resign\",\"by\":\"bob\",\"epoch\":%lld}",
             (long long)p.epoch - 1);
    fixture_put(p.client, REQUEST, value, 0, &a);
    resign(&p, NULL, 5000000);
    assert_true(fixture_wait(&p.ends, 1, 6000));
    assert_int_equal(p.outcome.result, REQUEST_DONE);
    etcd_client_free(p.client);
}

static void run(struct play *p, int started, enum request_result want)
{
    p->ends = 0;
    assert_int_equal(started, 0);
    assert_true(fixture_wait(&p->ends, 1, 3000));
    assert_int_equal(p->outcome.result, want);
}

static void test_pause_and_resume(void **state)
{
    struct play p = {.client = connect_to(group_server.url)};
    const struct ip vip = vip_of("10.0.0.50");
    struct etcd_client *c = p.client;
    struct request *q;
    (void)state;
    clean(c);
    join(c, "64", "cp-1", true);
    run(&p, request_resume_vip(c, &vip, &callbacks, &p, &q), REQUEST_REFUSED);
    run(&p, request_pause_vip(c, &vip, "alice", NULL, &callbacks, &p, &q), REQUEST_DONE);
    assert_true(is_there(c, REQUEST));
    run(&p, request_pause_vip(c, &vip, "bob", "me too", &callbacks, &p, &q), REQUEST_REFUSED);
    assert_string_equal(p.outcome.text, "it is paused already, by alice");
    run(&p, request_resume_vip(c, &vip, &callbacks, &p, &q), REQUEST_DONE);
    assert_false(is_there(c, REQUEST));
    run(&p, request_pause_node(c, "cp-1", "alice", "disks", &callbacks, &p, &q), REQUEST_DONE);
    assert_true(is_there(c, "talosvip/v1/requests/node/cp-1"));
    run(&p, request_resume_node(c, "cp-1", &callbacks, &p, &q), REQUEST_DONE);
    assert_false(is_there(c, "talosvip/v1/requests/node/cp-1"));
    assert_int_equal(request_pause_node(c, "a/b", "alice", NULL, &callbacks, &p, &q), -EINVAL);
    assert_int_equal(request_pause_node(c, "", "alice", NULL, &callbacks, &p, &q), -EINVAL);
    etcd_client_free(c);
}

static void test_etcd_is_away(void **state)
{
    struct play p;
    char url[64];
    (void)state;
    snprintf(url, sizeof(url), "http://127.0.0.1:%u", etcd_server_port());
    p = (struct play){.client = connect_to(url)};
    resign(&p, NULL, 5000000);
    assert_true(fixture_wait(&p.ends, 1, 5000));
    assert_int_equal(p.outcome.result, REQUEST_FAILED);
    assert_true(p.outcome.status == ETCD_UNAVAILABLE || p.outcome.status == ETCD_TIMEOUT);
    etcd_client_free(p.client);
}

int main(void)
{
    if (etcd_server_is_missing("etcd"))
        return 0;
#define T(test) cmocka_unit_test_setup_teardown(test, fixture_setup, fixture_teardown)
    const struct CMUnitTest tests[] = {
        T(test_moved),
        T(test_refused_by_the_owner),
        T(test_nothing_happens),
        T(test_cancelled),
        T(test_impossible),
        T(test_another_request),
        T(test_pause_and_resume),
        T(test_etcd_is_away),
    };
    return cmocka_run_group_tests_name("cluster/request", tests, etcd_server_setup,
                                       etcd_server_teardown);
}
