/* SPDX-License-Identifier: MIT */
/* A cluster followed in a real etcd, from its first answer to its last. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>
#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/loop.h"
#include "cluster/cluster.h"
#include "cluster/snapshot_json.h"
#include "etcd/keys.h"
#include "etcd/record.h"
#include "etcd_fixture.h"
#include "etcd_server.h"

static bool has_server;
static struct cluster *cluster;
static struct etcd_client *writer;
static unsigned changes;
static struct snapshot s;

static void on_change(void *arg)
{
    (void)arg;
    changes++;
}

static int begin(void **state)
{
    const char *endpoints[] = {group_server.url, NULL};
    struct cluster_config config = {.etcd = {.endpoints = endpoints, .n_endpoints = 1},
                                    .interval_us = 200000,
                                    .on_change = on_change};
    if (!has_server)
        return 0;
    fixture_setup(state);
    config.loop = fixture_loop;
    changes = 0;
    writer = fixture_client((struct etcd_client_config){.loop = NULL}, endpoints);
    assert_int_equal(cluster_new(&config, &cluster, NULL), 0);
    return 0;
}

static int end(void **state)
{
    if (!has_server)
        return 0;
    snapshot_done(&s);
    cluster_free(cluster);
    cluster = NULL;
    etcd_client_free(writer);
    return fixture_teardown(state);
}

static bool is_vip(enum snapshot_vip_state want)
{
    return s.n_vips == 1 && s.vips[0].state == want;
}

/* Snapshots until one is as it should be. */
static bool until(bool (*is_right)(void), unsigned ms)
{
    uint64_t deadline = clock_now_us() + ms * UINT64_C(1000);
    do {
        fixture_run(10);
        if (!cluster_is_settled(cluster))
            continue;
        snapshot_done(&s);
        assert_int_equal(cluster_snapshot(cluster, &s), 0);
        if (is_right())
            return true;
    } while (clock_now_us() < deadline);
    return false;
}

static bool is_complete(void)
{
    return cluster_is_complete(cluster);
}

static bool is_held(void)
{
    return is_vip(SNAPSHOT_VIP_HELD) && s.vips[0].remaining_us > 0;
}

static bool is_moving(void)
{
    return is_vip(SNAPSHOT_VIP_MOVING);
}

static bool is_dup(void)
{
    return is_vip(SNAPSHOT_VIP_DUP);
}

static bool is_watched(void)
{
    return is_held() && s.vips[0].agree == 2;
}

static bool is_stale(void)
{
    return is_vip(SNAPSHOT_VIP_STALE);
}

static bool is_member_down(void)
{
    return s.etcd.state == SNAPSHOT_ETCD_UNREACHABLE && s.etcd.retry_us >= 0;
}

static bool has_elected(void)
{
    return s.etcd.leader_changes > 0;
}

static bool is_open(void)
{
    return s.n_history > 0 && s.history[0].is_outage_open;
}

static bool are_two_ahead(void)
{
    return s.n_history > 1 && s.history[1].wall_us > s.wall_us;
}

static bool has_two_moves(void)
{
    return s.n_history == 2;
}

static bool has_note(void)
{
    return s.n_nodes == 2 && s.nodes[0].role == SNAPSHOT_ROLE_OBSERVER;
}

static bool has_gone(void)
{
    return s.n_vips == 0;
}

static const struct snapshot_alert *find_alert(const char *id)
{
    for (unsigned i = 0; i < s.n_alerts; i++)
        if (strcmp(s.alerts[i].id, id) == 0)
            return &s.alerts[i];
    return NULL;
}

static void need_server(void)
{
    if (!has_server) {
        print_message("skipped: no etcd (make test-deps)\n");
        skip();
    }
}

static struct answer grant(int64_t ttl_s)
{
    struct answer answer = {.calls = 0};
    assert_int_equal(etcd_call_grant(writer, ttl_s, 2000000, fixture_answer, &answer, NULL), 0);
    assert_true(fixture_wait(&answer.calls, 1, 3000));
    assert_int_equal(answer.status, ETCD_OK);
    return answer;
}

static void put(const char *key, const char *value, int64_t lease)
{
    struct answer answer = {.calls = 0};
    fixture_put(writer, key, value, lease, &answer);
    assert_int_equal(answer.status, ETCD_OK);
}

static void end_lease(int64_t lease)
{
    struct answer answer = {.calls = 0};
    assert_int_equal(etcd_call_revoke(writer, lease, 2000000, fixture_answer, &answer, NULL), 0);
    assert_true(fixture_wait(&answer.calls, 1, 3000));
}

static struct ip vip_ip(void)
{
    struct ip ip;
    assert_int_equal(ip_parse("10.0.0.50", &ip), 0);
    return ip;
}

static int64_t join(const char *node, int64_t ttl_s)
{
    char key[KEYS_TEXT_MAX];
    struct ip ip = vip_ip();
    int64_t lease = grant(ttl_s).lease;
    keys_candidate(&ip, lease, key);
    put(key, node, lease);
    return lease;
}

static void publish(const char *node, int64_t lease, const char *mac, const char *vip)
{
    char key[KEYS_TEXT_MAX], value[1024];
    assert_int_equal(keys_node(node, key), 0);
    snprintf(
        value, sizeof(value),
        "{\"node\":\"%s\",\"machineId\":\"m\",\"agent\":\"0.1.0\",\"wallUs\":%llu,\"lease\":\"%"
        "llx\","
        "\"ttlMs\":20000,\"renewedAgoMs\":0,\"latencyUs\":900,\"links\":[{\"name\":\"eth0\","
        "\"mac\":\"%s\",\"up\":true}],\"vips\":[{\"vip\":\"10.0.0.50\",\"iface\":\"eth0\",%s}]}",
        node, (unsigned long long)clock_wall_us(), (unsigned long long)lease, mac, vip);
    put(key, value, lease);
}

static void test_nobody(void **state)
{
    (void)state;
    need_server();
    assert_true(until(is_complete, 5000));
    assert_true(changes > 0);
    assert_int_equal(cluster_failure(cluster), ETCD_OK);
    assert_int_equal(s.etcd.state, SNAPSHOT_ETCD_OK);
    assert_int_equal(s.etcd.n_members, 1);
    assert_true(s.etcd.members[0].is_leader && s.etcd.members[0].rtt_us > 0);
    assert_true(s.etcd.term > 0 && s.etcd.revision > 0 && s.age_us >= 0);
    assert_int_equal(s.n_vips, 0);
    assert_true(s.is_history_known);
}

static void test_life(void **state)
{
    (void)state;
    need_server();
    int64_t one = join("cp-1", 20), two = join("cp-2", 20);
    assert_true(until(is_held, 5000));
    assert_string_equal(s.vips[0].holder, "cp-1");
    assert_int_equal(s.vips[0].n_queue, 1);
    assert_false(s.vips[0].holder_has_agent);
    assert_in_range(s.vips[0].remaining_us, 15000000, 20000000);
    assert_int_equal(s.vips[0].granted_us, 20000000);
    assert_int_equal(s.nodes[0].role, SNAPSHOT_ROLE_TALOS);
    /* Agents: the address is not set yet, then it is, then it is twice. */
    publish("cp-1", one, "52:54:00:aa:01:01", "\"addressSet\":false");
    assert_true(until(is_moving, 5000));
    publish("cp-1", one, "52:54:00:aa:01:01",
            "\"addressSet\":true,\"mac\":\"52:54:00:aa:01:01\",\"via\":\"kernel\",\"seenAgoMs\":0");
    assert_true(until(is_held, 5000));
    assert_true(s.vips[0].holder_has_agent);
    assert_string_equal(s.vips[0].mac, "52:54:00:aa:01:01");
    assert_true(s.vips[0].agree == 1 && s.vips[0].observers == 1);
    assert_true(s.nodes[0].is_clock_known);
    assert_in_range(s.nodes[0].clock_offset_us + 1000000, 500000, 1100000);
    publish("cp-2", two, "52:54:00:aa:02:01",
            "\"addressSet\":true,\"mac\":\"52:54:00:aa:02:01\",\"via\":\"kernel\",\"seenAgoMs\":0");
    assert_true(until(is_dup, 5000));
    assert_string_equal(snapshot_worst(&s)->id, "TVA02");
    /* The holder goes, without a word. */
    end_lease(one);
    assert_true(until(is_held, 5000));
    assert_string_equal(s.vips[0].holder, "cp-2");
    assert_false(s.vips[0].is_since_at_least);
    assert_int_equal(snapshot_find_node(&s, "cp-1")->role, SNAPSHOT_ROLE_LOST);
    end_lease(two);
    assert_true(until(is_moving, 5000)); /* for five seconds; then it has no owner */
}

/* Cut between two characters, it leaves the rest of the snapshot as it is. */
static void test_long_name(void **state)
{
    (void)state;
    need_server();
    char name[81];
    for (size_t i = 0; i < 80; i += 2)
        memcpy(name + i, "\xc3\xa9", 3);
    int64_t lease = join(name, 20);
    assert_true(until(is_held, 5000));
    assert_int_equal(strlen(s.vips[0].holder), 62);
    struct snapshot back;
    struct buf text;
    buf_init(&text, 1u << 20);
    assert_int_equal(snapshot_write(&s, &text), 0);
    assert_int_equal(snapshot_parse(buf_str(&text), text.len, &back), 0);
    assert_string_equal(back.vips[0].holder, s.vips[0].holder);
    snapshot_done(&back);
    buf_done(&text);
    end_lease(lease);
}

/* A release is newer than the record that its owner wrote before it. */
static void test_handover_is_no_duplicate(void **state)
{
    char key[KEYS_TEXT_MAX];
    struct ip ip = vip_ip();
    struct answer answer = {.calls = 0};
    (void)state;
    need_server();
    int64_t one = join("cp-1", 20), two = join("cp-2", 20);
    publish("cp-1", one, "52:54:00:aa:01:01",
            "\"addressSet\":true,\"mac\":\"52:54:00:aa:01:01\",\"via\":\"kernel\",\"seenAgoMs\":0");
    keys_candidate(&ip, one, key);
    struct etcd_op ops[2] = {{.kind = ETCD_OP_DELETE, .range = {.key = key}}};
    char released[KEYS_TEXT_MAX];
    keys_released(&ip, released);
    ops[1] = (struct etcd_op){
        .kind = ETCD_OP_PUT,
        .range = {.key = released},
        .value = "{\"node\":\"cp-1\",\"cause\":\"config\",\"revision\":7,\"time\":\"x\"}"};
    struct etcd_txn txn = {.success = ops, .n_success = 2};
    assert_int_equal(etcd_call_txn(writer, &txn, 2000000, fixture_answer, &answer, NULL), 0);
    assert_true(fixture_wait(&answer.calls, 1, 3000));
    publish("cp-2", two, "52:54:00:aa:02:01",
            "\"addressSet\":true,\"mac\":\"52:54:00:aa:02:01\",\"via\":\"kernel\",\"seenAgoMs\":0");
    assert_true(until(is_held, 5000));
    assert_string_equal(s.vips[0].holder, "cp-2");
    assert_int_equal(s.vips[0].n_macs, 1);
    for (unsigned i = 0; i < s.n_alerts; i++)
        assert_int_not_equal(s.alerts[i].severity, SNAPSHOT_CRIT);
    /* Dropped by its owner's settings, it is nobody's any more, and nothing is wrong. */
    end_lease(one);
    end_lease(two);
    assert_true(until(has_gone, 5000));
}

/* What an observer saw of the last owner says nothing about the new one. */
static void test_old_sight_is_no_duplicate(void **state)
{
    static const char unset[] = "\"addressSet\":false",
                      seen[] = "\"addressSet\":false,\"mac\":\"52:54:00:aa:01:01\","
                               "\"via\":\"probe\",\"seenAgoMs\":100";
    (void)state;
    need_server();
    int64_t one = join("cp-1", 20), two = join("cp-2", 20), three = join("cp-3", 20);
    publish("cp-1", one, "52:54:00:aa:01:01",
            "\"addressSet\":true,\"mac\":\"52:54:00:aa:01:01\",\"via\":\"kernel\",\"seenAgoMs\":0");
    publish("cp-2", two, "52:54:00:aa:02:01", unset);
    publish("cp-3", three, "52:54:00:aa:03:01", seen);
    assert_true(until(is_watched, 5000));
    end_lease(one);
    assert_true(until(is_moving, 5000));
    publish("cp-2", two, "52:54:00:aa:02:01",
            "\"addressSet\":true,\"mac\":\"52:54:00:aa:02:01\",\"via\":\"kernel\",\"seenAgoMs\":0");
    assert_true(until(is_held, 1000));
    assert_int_equal(s.vips[0].n_macs, 1);
    assert_null(find_alert("TVA02"));
    assert_null(find_alert("TVA04"));
    /* Seen again since: now it is news. */
    publish("cp-3", three, "52:54:00:aa:03:01", seen);
    assert_true(until(is_dup, 3000));
    end_lease(two);
    end_lease(three);
    assert_true(until(has_gone, 5000));
}

static bool has_voters(void)
{
    return s.n_nodes == 1 && s.nodes[0].peers.voters > 0 && s.nodes[0].peers.suspicions >= 0;
}

/* A node's record with what it says of its peers (NULL: none), and its list of voters. */
static void publish_peers(const char *peers, int64_t lease)
{
    char more[600], key[KEYS_TEXT_MAX], value[512];
    snprintf(more, sizeof(more), "\"addressSet\":true}],%s,\"more\":[{\"x\":1", peers ? peers : "");
    if (peers)
        publish("cp-1", lease, "52:54:00:aa:01:01", more);
    assert_int_equal(keys_peers("cp-1", key), 0);
    snprintf(value, sizeof(value),
             "{\"lease\":\"%llx\",\"incarnation\":\"1\",\"term\":2,\"windowUs\":500000,"
             "\"voters\":[{\"lease\":\"%llx\",\"incarnation\":\"1\"},"
             "{\"lease\":\"8\",\"incarnation\":\"1\"},{\"lease\":\"9\",\"incarnation\":\"1\"}],"
             "\"owned\":[]}",
             (unsigned long long)lease, (unsigned long long)lease);
    put(key, value, lease);
}

/* Who acknowledged in time is judged at the time of the record; ages go on from there. */
static void test_peers(void **state)
{
    (void)state;
    need_server();
    int64_t one = join("cp-1", 20);
    publish_peers("\"peers\":{\"ready\":true,\"suspicions\":3,\"grants\":2,\"endings\":1,\"mutes\":"
                  "0,\"agents\":["
                  "{\"node\":\"cp-4\",\"heardAgoMs\":90},"
                  "{\"node\":\"cp-3\",\"voter\":true,\"ackedAgoMs\":501},"
                  "{\"node\":\"cp-2\",\"voter\":true,\"ackedAgoMs\":40}]}",
                  one);
    assert_true(until(has_voters, 5000));
    const struct snapshot_peers *p = &s.nodes[0].peers;
    assert_int_equal(p->voters, 3);
    assert_int_equal(p->majority, 2);
    assert_int_equal(p->window_us, 500000);
    assert_int_equal(p->acknowledged, 2); /* cp-2, and itself */
    assert_true(p->is_ready && !p->is_mute);
    assert_true(p->suspicions == 3 && p->grants == 2 && p->endings == 1 && p->mutes == 0);
    assert_int_equal(p->n, 3);
    assert_string_equal(p->list[0].node, "cp-2");
    assert_true(p->list[0].is_in_time && !p->list[1].is_in_time && !p->list[2].is_voter);
    assert_int_equal(p->list[0].acked_us, 40000 + s.nodes[0].age_us);
    assert_int_equal(p->list[0].heard_us, -1);
    assert_int_equal(p->list[2].heard_us, 90000 + s.nodes[0].age_us);
    end_lease(one);
}

static bool has_nodes(void)
{
    return s.n_nodes > 0;
}

static int64_t told; /* suspicions that are waited for */

static bool has_list(void)
{
    return s.n_nodes == 1 && s.nodes[0].peers.voters > 0 && s.nodes[0].peers.suspicions == told;
}

/* Written before there were voters, or by an agent that does not tell. */
static void test_peers_that_are_not_told(void **state)
{
    static const char *const words[] = {"\"peers\":{\"ready\":true,\"suspicions\":0}", "\"x\":1"};
    (void)state;
    need_server();
    int64_t one = join("cp-1", 20);
    for (unsigned i = 0; i < 2; i++) {
        publish_peers(words[i], one);
        told = i == 0 ? 0 : -1;
        assert_true(until(has_list, 5000));
        assert_int_equal(s.nodes[0].peers.acknowledged, -1);
        assert_null(s.nodes[0].peers.list);
    }
    end_lease(one);
}

/* The list of voters may come first; alone it shows no node. */
static void test_voters_before_the_record(void **state)
{
    (void)state;
    need_server();
    int64_t one = grant(20).lease;
    assert_true(until(is_complete, 5000));
    publish_peers(NULL, one);
    assert_false(until(has_nodes, 300));
    publish("cp-1", one, "52:54:00:aa:01:01", "\"addressSet\":false");
    told = -1;
    assert_true(until(has_list, 5000));
    end_lease(one);
}

static void test_own_view(void **state)
{
    struct snapshot_view view = {.vip = vip_ip(),
                                 .mac = "52:54:00:aa:01:01",
                                 .iface = "eth0",
                                 .via = SNAPSHOT_VIA_PROBE,
                                 .age_us = 0};
    (void)state;
    need_server();
    int64_t one = join("cp-1", 20);
    assert_int_equal(cluster_note_view(cluster, "(here)", &view), 0);
    assert_true(until(has_note, 3000));
    assert_true(s.vips[0].agree == 1 && s.vips[0].observers == 1);
    assert_int_equal(s.nodes[0].views[0].verdict, SNAPSHOT_VIEW_MATCH);
    for (unsigned i = 0; i < SNAPSHOT_VIPS_MAX + 5; i++) {
        view.vip.bytes[3] = (uint8_t)i;
        view.vip.bytes[2] = (uint8_t)(i >> 8);
        int r = cluster_note_view(cluster, "(here)", &view);
        assert_true(r == 0 || r == -ENOSPC);
    }
    end_lease(one);
}

/* Last: the server is stopped, started, and ended. */
static void test_silence(void **state)
{
    (void)state;
    need_server();
    join("cp-1", 2);
    assert_true(until(is_held, 3000));
    etcd_server_stop(&group_server, SIGKILL);
    assert_true(until(is_member_down, 5000));
    assert_string_equal(s.etcd.members[0].error, "refused");
    assert_true(until(is_stale, 8000));
    assert_string_equal(s.vips[0].holder, "cp-1"); /* the last known */
    assert_string_equal(snapshot_worst(&s)->id, "TVA10");
    cluster_refresh(cluster);
    assert_int_equal(s.etcd.leader_changes, 0);
    assert_int_equal(s.etcd.leader_since_us, -1);
    assert_true(etcd_server_start(&group_server));
    assert_true(until(is_complete, 10000));
    /* A member that is alone elects itself: the same one under a new term. */
    assert_true(until(has_elected, 5000));
    assert_int_equal(s.etcd.leader_changes, 1);
    assert_string_equal(s.etcd.leader_before, s.etcd.leader);
    assert_true(s.etcd.leader[0] && s.etcd.leader_since_us >= 0);
}

static void put_record(const struct record_move *move)
{
    char key[KEYS_TEXT_MAX];
    struct ip ip = vip_ip();
    struct buf json;
    buf_init(&json, 0);
    assert_int_equal(record_move_write(move, &json), 0);
    if (move->term)
        keys_history_stay(&ip, move->epoch, move->term, key);
    else
        keys_history(&ip, move->epoch, key);
    put(key, buf_str(&json), 0);
    buf_done(&json);
}

static void put_move(int64_t epoch, int64_t term)
{
    struct record_move move = {.epoch = epoch,
                               .term = term,
                               .from = "cp-1",
                               .to = "cp-1",
                               .cause = "etcd leader change",
                               .detail = "lease kept",
                               .gone_wall_us = clock_wall_us() - (term ? 0 : 60000000),
                               .set_us = -1,
                               .observers = 2,
                               .n_seen = 3,
                               .seen = {{.node = "cp-1", .outage_us = -1, .error_us = -1},
                                        {.node = "cp-2", .error_us = 400000},
                                        {.node = "cp-3", .error_us = 200000}}};
    put_record(&move);
}

/* etcd's leader changed and the owner stayed: beside the record of its epoch, not in its place. */
static void test_stay(void **state)
{
    (void)state;
    need_server();
    int64_t lease = join("cp-1", 20);
    assert_true(until(is_held, 5000));
    int64_t epoch = s.vips[0].epoch;
    put_move(epoch, 0);
    put_move(epoch, 14);
    assert_true(until(has_two_moves, 5000));
    assert_true(snapshot_move_stays(&s.history[0]));
    assert_int_equal(s.history[0].term, 14);
    assert_int_equal(s.history[0].epoch, epoch);
    assert_int_equal(s.history[0].outage_us, 0);
    assert_int_equal(s.history[0].error_us, 200000); /* who knows best */
    assert_int_equal(s.history[0].n_seen, 3);
    assert_false(s.history[0].is_outage_open);
    assert_ptr_equal(snapshot_last_move(&s, NULL), &s.history[1]);
    assert_int_equal(s.vips[0].moves_24h, 1);
    assert_in_range(s.vips[0].since_us, 59000000, 70000000);
    end_lease(lease);
}

/* Nobody has seen the new owner yet; that lasts for seconds, whatever the clock of who wrote it. */
static void test_move_of_a_clock_ahead(void **state)
{
    (void)state;
    need_server();
    int64_t lease = join("cp-1", 20);
    struct record_move move = {.epoch = 3,
                               .from = "cp-1",
                               .to = "cp-2",
                               .cause = "lease expired",
                               .gone_wall_us = clock_wall_us() + UINT64_C(5400000000),
                               .last_sign_us = -1,
                               .set_us = 64000,
                               .observers = 2};
    put_record(&move);
    move.epoch = 4;
    move.set_us = -1;
    put_record(&move);
    assert_true(until(are_two_ahead, 5000));
    assert_false(s.history[0].is_outage_open);
    assert_false(s.history[1].is_outage_open);
    move.gone_wall_us = clock_wall_us();
    put_record(&move);
    move.epoch = 3;
    put_record(&move);
    assert_true(until(is_open, 5000));
    end_lease(lease);
}

static void test_bad_config(void **state)
{
    const char *endpoints[] = {"ftp://nowhere:1"}, *bad = NULL;
    struct loop *loop = loop_new();
    struct cluster_config config = {.loop = loop,
                                    .etcd = {.endpoints = endpoints, .n_endpoints = 1}};
    struct cluster *none = NULL;
    (void)state;
    assert_int_equal(cluster_new(&config, &none, &bad), -EINVAL);
    assert_null(none);
    assert_string_equal(bad, endpoints[0]);
    cluster_free(NULL);
    loop_free(loop);
}

static int start_server(void **state)
{
    has_server = !etcd_server_is_missing("etcd");
    return has_server ? etcd_server_setup(state) : 0;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_bad_config),
        cmocka_unit_test_setup_teardown(test_nobody, begin, end),
        cmocka_unit_test_setup_teardown(test_life, begin, end),
        cmocka_unit_test_setup_teardown(test_long_name, begin, end),
        cmocka_unit_test_setup_teardown(test_handover_is_no_duplicate, begin, end),
        cmocka_unit_test_setup_teardown(test_old_sight_is_no_duplicate, begin, end),
        cmocka_unit_test_setup_teardown(test_peers, begin, end),
        cmocka_unit_test_setup_teardown(test_peers_that_are_not_told, begin, end),
        cmocka_unit_test_setup_teardown(test_voters_before_the_record, begin, end),
        cmocka_unit_test_setup_teardown(test_own_view, begin, end),
        cmocka_unit_test_setup_teardown(test_silence, begin, end),
        cmocka_unit_test_setup_teardown(test_stay, begin, end),
        cmocka_unit_test_setup_teardown(test_move_of_a_clock_ahead, begin, end),
    };
    return cmocka_run_group_tests(tests, start_server, etcd_server_teardown);
}
