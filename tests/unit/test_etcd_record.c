/* SPDX-License-Identifier: MIT */
/* The records that agents write for each other. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "etcd/record.h"

static struct ip address(const char *text)
{
    struct ip ip;
    assert_int_equal(ip_parse(text, &ip), 0);
    return ip;
}

static void test_node(void **state)
{
    struct record_vip vips[2] = {
        {.ip = address("10.5.0.100"),
         .state = "held",
         .iface = "eth0",
         .has_address = true,
         .epoch = 77,
         .held_for_ms = 0,
         .mac = "52:54:00:aa:01:01",
         .other = "52:54:00:aa:01:02",
         .via = "kernel",
         .seen_ago_ms = 12,
         .silent_ms = -1},
        {.ip = address("fd88::100"), .held_for_ms = -1, .seen_ago_ms = -1, .silent_ms = 1500},
    };
    struct record_node r = {
        .node = "cp-\"1\\\n",
        .machine_id = "0123",
        .version = "0.1.0",
        .wall_us = 1770000000123456,
        .lease = 0x694d9c0f4a5b6c7d,
        .ttl_ms = 5000,
        .renewed_ago_ms = 0,
        .latency_us = 900,
        .p99_us = -1,
        .has_packet_fence = true,
        .is_paused = true,
        .peers =
            {.is_known = true,
             .is_ready = true,
             .suspicions = 3,
             .grants = 0,
             .endings = 2,
             .mutes = -1,
             .n = 2,
             .list = {{.node = "cp-2", .is_voter = true, .acked_ago_ms = 0, .heard_ago_ms = -1},
                      {.node = "cp-3", .acked_ago_ms = -1, .heard_ago_ms = 61}}},
        .n_addresses = 1,
        .addresses = {address("10.5.0.11")},
        .n_links = 1,
        .links = {{.name = "eth0",
                   .mac = "52:54:00:aa:01:01",
                   .is_up = true,
                   .changed_ago_ms = -1,
                   .speed_mbit = 10000,
                   .address = address("10.5.0.11"),
                   .prefix_len = 24}},
        .n_vips = 2,
        .vips = vips,
    };
    struct record_node again;
    struct buf b;
    (void)state;
    for (int i = 0; i < RECORD_LATENCIES; i++)
        r.latencies_us[i] = i < 9 ? -1 : i == 10 ? -2 : 1000 + i;
    buf_init(&b, 0);
    assert_int_equal(record_node_write(&r, &b), 0);
    assert_non_null(strstr(buf_str(&b), "\"latenciesUs\":[1009,-2,1011]"));
    assert_non_null(strstr(buf_str(&b), "\"lease\":\"694d9c0f4a5b6c7d\""));
    assert_int_equal(record_node_parse(buf_str(&b), b.len, &again), 0);
    assert_non_null(strstr(buf_str(&b), "\"peers\":{\"ready\":true,\"suspicions\":3,\"grants\":0,"
                                        "\"endings\":2,\"agents\":[{\"node\":\"cp-2\","
                                        "\"voter\":true,\"ackedAgoMs\":0},{\"node\":\"cp-3\","
                                        "\"heardAgoMs\":61}]}"));
    assert_true(again.peers.is_known && again.peers.is_ready && !again.peers.is_mute);
    assert_int_equal(again.peers.mutes, -1);
    assert_int_equal(again.peers.n, 2);
    assert_int_equal(again.peers.list[1].acked_ago_ms, -1);
    assert_int_equal(again.peers.list[1].heard_ago_ms, 61);
    assert_string_equal(again.node, r.node);
    assert_int_equal(again.wall_us, r.wall_us);
    assert_int_equal(again.lease, r.lease);
    assert_int_equal(again.p99_us, -1);
    assert_memory_equal(again.latencies_us, r.latencies_us, sizeof(r.latencies_us));
    assert_true(again.has_packet_fence && !again.has_guardian && again.is_paused);
    assert_int_equal(again.n_vips, 2);
    assert_int_equal(again.vips[0].held_for_ms, 0);
    assert_string_equal(again.vips[0].other, vips[0].other);
    assert_int_equal(again.vips[1].silent_ms, 1500);
    assert_string_equal(again.vips[1].mac, "");
    assert_int_equal(again.links[0].prefix_len, 24);
    /* Nothing was lost: it is written as it was. */
    struct buf c;
    buf_init(&c, 0);
    assert_int_equal(record_node_write(&again, &c), 0);
    assert_string_equal(buf_str(&b), buf_str(&c));
    buf_done(&b);
    buf_done(&c);
    record_node_done(&again);
    record_node_done(&again);
    record_node_done(NULL);
}

static void test_node_of_an_older_version(void **state)
{
    static const char text[] =
        "{\"node\":\"cp-1\",\"machineId\":\"m\",\"agent\":\"0.1\",\"addresses\":[\"10.5.0.11\"]}";
    struct record_node r;
    (void)state;
    assert_int_equal(record_node_parse(text, sizeof(text) - 1, &r), 0);
    assert_int_equal(r.n_addresses, 1);
    assert_int_equal(r.ttl_ms, -1);
    assert_int_equal(r.renewed_ago_ms, -1);
    assert_int_equal(r.p99_us, -1);
    assert_int_equal(r.latencies_us[0], -1);
    assert_int_equal(r.wall_us, 0);
    assert_false(r.peers.is_known);
    assert_null(r.vips);
    record_node_done(&r);
}

static void test_node_with_many_vips(void **state)
{
    struct record_vip vips[RECORD_VIPS_MAX];
    struct record_node again, r = {.n_vips = RECORD_VIPS_MAX, .vips = vips};
    r.peers.is_known = true;
    r.peers.n = RECORD_PEERS_MAX;
    struct buf b;
    (void)state;
    for (unsigned i = 0; i < RECORD_VIPS_MAX; i++) {
        vips[i] = (struct record_vip){.ip = {.family = IP_V6}, .silent_ms = 1};
        memset(vips[i].ip.bytes, 0xfd, sizeof(vips[i].ip.bytes));
        vips[i].ip.bytes[15] = (uint8_t)i;
        memcpy(vips[i].state, "confirming", 11);
        memcpy(vips[i].iface, "abcdefghijklmno", 16);
        memcpy(vips[i].mac, "52:54:00:aa:01:01", 18);
        memcpy(vips[i].other, "52:54:00:aa:01:02", 18);
        memcpy(vips[i].via, "kernel", 7);
        vips[i].epoch = vips[i].held_for_ms = vips[i].seen_ago_ms = 1000000000;
    }
    for (unsigned i = 0; i < RECORD_PEERS_MAX; i++) {
        struct record_peer *p = &r.peers.list[i];
        memset(p->node, 'x', sizeof(p->node) - 1);
        p->is_voter = true;
        p->acked_ago_ms = p->heard_ago_ms = 1000000000;
    }
    buf_init(&b, 0);
    assert_int_equal(record_node_write(&r, &b), 0);
    assert_int_equal(record_node_parse(buf_str(&b), b.len, &again), 0);
    assert_int_equal(again.n_vips, RECORD_VIPS_MAX);
    assert_int_equal(again.peers.n, RECORD_PEERS_MAX);
    record_node_done(&again);
    buf_done(&b);
}

static void test_move(void **state)
{
    struct record_move again, r = {.from = "cp-2",
                                   .to = "cp-1",
                                   .cause = "resign",
                                   .detail = "jonas@laptop: kernel update",
                                   .is_planned = true,
                                   .epoch = 9000000001,
                                   .previous_epoch = 40,
                                   .gone_wall_us = 1770000000123456,
                                   .last_sign_us = 900,
                                   .won_us = 0,
                                   .probed_us = -1,
                                   .set_us = 8000,
                                   .announced_us = 8100,
                                   .observers = 2,
                                   .n_seen = RECORD_SEEN_MAX};
    struct buf b, c;
    (void)state;
    for (unsigned i = 0; i < r.n_seen; i++) {
        snprintf(r.seen[i].node, sizeof(r.seen[i].node), "cp-%u", i);
        r.seen[i].seen_ms = (int64_t)i - 1;
        r.seen[i].outage_us = i % 2 ? (int64_t)i * 1000 : -1;
        r.seen[i].error_us = i % 2 ? 20000 : -1;
    }
    buf_init(&b, 0);
    buf_init(&c, 0);
    assert_int_equal(record_move_write(&r, &b), 0);
    assert_int_equal(record_move_parse(buf_str(&b), b.len, &again), 0);
    assert_int_equal(record_move_write(&again, &c), 0);
    assert_string_equal(buf_str(&b), buf_str(&c));
    assert_int_equal(again.epoch, r.epoch);
    assert_int_equal(again.probed_us, -1);
    assert_int_equal(again.n_seen, RECORD_SEEN_MAX);
    assert_int_equal(again.seen[0].seen_ms, -1);
    assert_int_equal(again.seen[3].outage_us, 3000);
    buf_done(&b);
    buf_done(&c);
}

static void test_request(void **state)
{
    struct record_request again, r = {.kind = RECORD_PAUSE,
                                      .by = "jonas@laptop",
                                      .reason = "",
                                      .to = "cp-3",
                                      .epoch = 12,
                                      .wall_us = 1770000000123456};
    struct buf b;
    (void)state;
    buf_init(&b, 0);
    assert_int_equal(record_request_write(&r, &b), 0);
    assert_int_equal(record_request_parse(buf_str(&b), b.len, &again), 0);
    assert_int_equal(again.kind, RECORD_PAUSE);
    assert_string_equal(again.by, r.by);
    assert_string_equal(again.reason, "");
    assert_string_equal(again.to, r.to);
    assert_int_equal(again.epoch, 12);
    assert_int_equal(again.wall_us, r.wall_us);
    buf_done(&b);
}

static void test_released(void **state)
{
    static const char old[] = "{\"node\":\"cp-1\",\"cause\":\"shutdown\",\"revision\":7,"
                              "\"time\":\"2026-08-21T14:06:56.118Z\"}";
    struct record_released again, r = {.node = "cp-1",
                                       .cause = "link down",
                                       .detail = "eth0",
                                       .revision = 7,
                                       .wall_us = 1770000000123456};
    struct buf b;
    (void)state;
    buf_init(&b, 0);
    assert_int_equal(record_released_write(&r, &b), 0);
    assert_non_null(strstr(buf_str(&b), "\"time\":\"2026-02-02T02:40:00.123Z\""));
    assert_int_equal(record_released_parse(buf_str(&b), b.len, &again), 0);
    assert_string_equal(again.detail, "eth0");
    assert_int_equal(again.wall_us, r.wall_us);
    assert_int_equal(record_released_parse(old, sizeof(old) - 1, &again), 0);
    assert_string_equal(again.detail, "");
    assert_int_equal(again.revision, 7);
    assert_int_equal(again.wall_us, 0);
    buf_done(&b);
}

/* A name cut in the middle of a character stays as long as it was. */
static void test_bytes_that_are_not_text(void **state)
{
    struct record_released again, r = {.cause = "\x01\"", .revision = 1};
    struct buf b;
    (void)state;
    memset(r.node, 'x', sizeof(r.node) - 1);
    r.node[sizeof(r.node) - 2] = (char)0xc3;
    buf_init(&b, 0);
    assert_int_equal(record_released_write(&r, &b), 0);
    assert_int_equal(record_released_parse(buf_str(&b), b.len, &again), 0);
    assert_int_equal(strlen(again.node), sizeof(r.node) - 1);
    assert_int_equal(again.node[sizeof(r.node) - 2], '?');
    assert_string_equal(again.cause, "\x01\"");
    buf_done(&b);
}

#define NODE "\"node\":\"a\",\"machineId\":\"m\",\"agent\":\"v\""
#define MOVE "\"to\":\"a\",\"cause\":\"c\",\"epoch\":1"

static void test_refused(void **state)
{
    static const char *const nodes[] = {
        "",
        "[]",
        "{" NODE,
        "{" NODE "}x",
        "{\"node\":\"a\",\"machineId\":\"m\"}",
        "{\"node\":7,\"machineId\":\"m\",\"agent\":\"v\"}",
        "{\"node\":\"a\\u0000b\",\"machineId\":\"m\",\"agent\":\"v\"}",
        "{" NODE ",\"wallUs\":-1}",
        "{" NODE ",\"wallUs\":\"5\"}",
        "{" NODE ",\"ttlMs\":18446744073709551615}",
        "{" NODE ",\"lease\":5}",
        "{" NODE ",\"lease\":\"5G\"}",
        "{" NODE ",\"lease\":\"\"}",
        "{" NODE ",\"guardian\":1}",
        "{" NODE ",\"addresses\":[7]}",
        "{" NODE ",\"addresses\":[\"10.0.0.256\"]}",
        "{" NODE ",\"addresses\":{}}",
        "{" NODE ",\"latenciesUs\":[-3]}",
        "{" NODE ",\"latenciesUs\":[2147483648]}",
        "{" NODE ",\"latenciesUs\":[1,2,3,4,5,6,7,8,9,10,11,12,13]}",
        "{" NODE ",\"links\":[7]}",
        "{" NODE ",\"links\":[{\"mac\":\"x\"}]}",
        "{" NODE ",\"links\":[{\"name\":\"eth0\",\"prefixLen\":256}]}",
        "{" NODE ",\"links\":[{\"name\":\"abcdefghijklmnop\"}]}",
        "{" NODE ",\"vips\":[{}]}",
        "{" NODE ",\"peers\":[]}",
        "{" NODE ",\"peers\":{}}",
        "{" NODE ",\"peers\":{\"ready\":true,\"agents\":[{\"voter\":true}]}}",
        "{" NODE ",\"peers\":{\"ready\":true,\"agents\":[7]}}",
        "{" NODE ",\"peers\":{\"ready\":true,\"mutes\":18446744073709551615}}",
        "{" NODE ",\"vips\":[[]]}",
        "{" NODE ",\"vips\":[{\"vip\":\"10.0.0.1\",\"epoch\":1.5}]}",
    };
    static const char *const moves[] = {
        "{\"to\":\"a\",\"cause\":\"c\"}",
        "{" MOVE ",\"observers\":-1}",
        "{" MOVE ",\"seen\":[{}]}",
        "{" MOVE ",\"planned\":\"yes\"}",
    };
    static const char zero[] = "{\"node\":\"a\",\"cause\":\"c\",\"revision\":0}";
    struct record_node node;
    struct record_move move;
    struct record_request request;
    struct record_released released;
    (void)state;
    for (size_t i = 0; i < sizeof(nodes) / sizeof(nodes[0]); i++)
        if (record_node_parse(nodes[i], strlen(nodes[i]), &node) != -EBADMSG)
            fail_msg("taken: %s", nodes[i]);
    for (size_t i = 0; i < sizeof(moves) / sizeof(moves[0]); i++)
        if (record_move_parse(moves[i], strlen(moves[i]), &move) != -EBADMSG)
            fail_msg("taken: %s", moves[i]);
    assert_int_equal(record_request_parse("{\"kind\":\"stop\"}", 15, &request), -EBADMSG);
    assert_int_equal(record_released_parse(zero, sizeof(zero) - 1, &released), -EBADMSG);
}

/* More than there is room for is refused as a whole, not cut. */
static void test_too_many(void **state)
{
    struct record_node node;
    struct record_move move;
    struct buf b;
    (void)state;
    buf_init(&b, 0);
    buf_puts(&b, "{" NODE ",\"vips\":[{\"vip\":\"10.0.0.1\"}");
    for (int i = 0; i < RECORD_VIPS_MAX; i++)
        buf_puts(&b, ",{\"vip\":\"10.0.0.1\"}");
    buf_puts(&b, "]}");
    assert_int_equal(record_node_parse(buf_str(&b), b.len, &node), -EBADMSG);
    buf_clear(&b);
    buf_puts(&b, "{" NODE ",\"peers\":{\"ready\":true,\"agents\":[{\"node\":\"a\"}");
    for (int i = 0; i < RECORD_PEERS_MAX; i++)
        buf_puts(&b, ",{\"node\":\"a\"}");
    buf_puts(&b, "]}}");
    assert_int_equal(record_node_parse(buf_str(&b), b.len, &node), -EBADMSG);
    buf_clear(&b);
    buf_puts(&b, "{" MOVE ",\"seen\":[{\"node\":\"a\"}");
    for (int i = 0; i < RECORD_SEEN_MAX; i++)
        buf_puts(&b, ",{\"node\":\"a\"}");
    buf_puts(&b, "]}");
    assert_int_equal(record_move_parse(buf_str(&b), b.len, &move), -EBADMSG);
    buf_clear(&b);
    buf_puts(&b, "{" MOVE ",\"more\":\"");
    for (int i = 0; i < 1 << 17; i++)
        buf_putc(&b, 'x');
    buf_puts(&b, "\"}");
    assert_int_equal(record_move_parse(buf_str(&b), b.len, &move), -EBADMSG);
    buf_done(&b);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_node),
        cmocka_unit_test(test_node_of_an_older_version),
        cmocka_unit_test(test_node_with_many_vips),
        cmocka_unit_test(test_move),
        cmocka_unit_test(test_request),
        cmocka_unit_test(test_released),
        cmocka_unit_test(test_bytes_that_are_not_text),
        cmocka_unit_test(test_refused),
        cmocka_unit_test(test_too_many),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
