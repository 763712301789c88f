/* SPDX-License-Identifier: MIT */
/* A snapshot as JSON and back. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cluster_support.h"

#include "cluster/snapshot.h"
#include "cluster/snapshot_json.h"

static int parse(const char *text, struct snapshot *ret)
{
    return snapshot_parse(text, strlen(text), ret);
}

/* What an older or a smaller writer leaves out is unknown, not zero. */
static void test_small(void **state)
{
    (void)state;
    struct buf text;
    struct snapshot s;
    struct ip ip;
    support_read("small.json", &text);
    assert_int_equal(parse(buf_str(&text), &s), 0);
    assert_string_equal(s.cluster, "prod-eu1");
    assert_int_equal(s.wall_us, UINT64_C(1787320953104000));
    assert_int_equal(s.etcd.state, SNAPSHOT_ETCD_OK);
    assert_int_equal(s.etcd.n_members, 1);
    assert_int_equal(s.etcd.members[0].id, UINT64_C(0x8e9e05c52164694d));
    assert_int_equal(s.etcd.members[0].rtt_us, 2100);
    assert_int_equal(s.etcd.members[0].quota_bytes, -1);
    assert_int_equal(ip_parse("10.0.0.50", &ip), 0);
    const struct snapshot_vip *vip = snapshot_find_vip(&s, &ip);
    assert_non_null(vip);
    assert_int_equal(vip->lease, INT64_C(0x694d7f3a9c1e0b12));
    assert_int_equal(vip->since_us, INT64_C(17393000000));
    assert_int_equal(vip->renewed_us, -1);
    assert_int_equal(vip->n_queue, 2);
    assert_string_equal(vip->queue[1], "cp-3");
    const struct snapshot_node *node = snapshot_find_node(&s, "cp-3");
    assert_non_null(node);
    assert_true(node->is_link_known && node->is_link_up && node->is_clock_known);
    assert_int_equal(node->clock_offset_us, 740000);
    assert_int_equal(node->p99_us, -1);
    assert_int_equal(node->latencies_us[0], -1);
    assert_int_equal(node->peers.voters, -1);
    assert_int_equal(node->peers.acknowledged, -1);
    assert_int_equal(node->peers.suspicions, -1);
    assert_null(node->peers.list);
    const struct snapshot_view *view = snapshot_find_view(node, &ip);
    assert_non_null(view);
    assert_int_equal(view->verdict, SNAPSHOT_VIEW_MATCH);
    assert_string_equal(snapshot_worst(&s)->id, "TVA07");
    assert_int_equal(snapshot_worst(&s)->vip.family, IP_NONE);
    assert_int_equal(snapshot_worst(&s)->cleared_us, -1);
    snapshot_done(&s);
    buf_done(&text);
}

/* Written, read and written again it is the same, and the full one has nothing left out. */
static void test_round_trip(void **state)
{
    (void)state;
    static const char *const files[] = {"small.json", "full.json", "healthy.json"};
    for (unsigned i = 0; i < 3; i++) {
        struct buf text, first, second;
        struct snapshot s;
        support_read(files[i], &text);
        buf_init(&first, 8u << 20);
        buf_init(&second, 8u << 20);
        assert_int_equal(parse(buf_str(&text), &s), 0);
        assert_int_equal(snapshot_write(&s, &first), 0);
        snapshot_done(&s);
        assert_null(strchr(buf_str(&first), '\n'));
        assert_int_equal(parse(buf_str(&first), &s), 0);
        assert_int_equal(snapshot_write(&s, &second), 0);
        assert_string_equal(buf_str(&first), buf_str(&second));
        if (i == 1)
            assert_string_equal(buf_str(&first), strtok(text.data, "\n"));
        snapshot_done(&s);
        buf_done(&text);
        buf_done(&first);
        buf_done(&second);
    }
}

/* Every prefix of a good text, and what has a wrong type or is too much. */
static void test_bad(void **state)
{
    (void)state;
#define HEAD                                                                                       \
    "{\"apiVersion\":\"talosvip/v1\",\"kind\":\"Snapshot\",\"time\":\"2026-08-21T14:02:33Z\","
    static const char *const bad[] = {
        "",
        "{}",
        "[]",
        "null",
        "{\"apiVersion\":\"talosvip/v1\",\"kind\":\"AgentStatus\"}",
        HEAD "\"cluster\":1,\"etcd\":{\"state\":\"ok\"}}",
        HEAD "\"cluster\":\"\",\"etcd\":{\"state\":\"fine\"}}",
        HEAD "\"cluster\":\"\",\"etcd\":{\"state\":\"ok\",\"members\":{}}}",
        HEAD "\"cluster\":\"\",\"etcd\":{\"state\":\"ok\"},\"vips\":[1]}",
        HEAD "\"cluster\":\"\",\"etcd\":{\"state\":\"ok\"},\"vips\":[{\"vip\":\"10.0.0.300\"}]}",
        HEAD "\"cluster\":\"\",\"etcd\":{\"state\":\"ok\"},\"ageMs\":-5}",
        HEAD "\"cluster\":\"\",\"etcd\":{\"state\":\"ok\"},\"nodes\":[{\"name\":\"a\","
             "\"role\":\"next\",\"peerLease\":{\"agents\":[{\"node\":\"b\"},{\"node\":7}]}}]}",
        HEAD "\"cluster\":\"\",\"etcd\":{\"state\":\"ok\"},\"ageMs\":1e300}",
        HEAD "\"cluster\":\"\",\"etcd\":{\"state\":\"ok\"}} x",
    };
    struct snapshot s = {.n_vips = 77};
    for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
        assert_int_equal(parse(bad[i], &s), -EBADMSG);
    assert_int_equal(parse(HEAD "\"cluster\":\"\",\"etcd\":{\"state\":\"ok\"}}", &s), 0);
    snapshot_done(&s);
    struct buf text;
    support_read("small.json", &text);
    for (size_t len = 0; len < text.len - 2; len++)
        assert_int_equal(snapshot_parse(text.data, len, &s), -EBADMSG);
    buf_done(&text);
}

/* Half a character, which grows when it is written, and a text that was longer where it was taken:
 * both are cut, and nothing else is lost. */
static void test_long_texts(void **state)
{
    (void)state;
    struct snapshot s, back;
    struct buf text;
    support_snapshot("small.json", &s);
    memset(s.vips[0].holder, 'x', SNAPSHOT_NAME_MAX);
    s.vips[0].holder[SNAPSHOT_NAME_MAX - 1] = '\0';
    s.vips[0].holder[SNAPSHOT_NAME_MAX - 2] = '\xc3';
    memcpy(s.vips[0].queue[0], s.vips[0].holder, SNAPSHOT_NAME_MAX);
    buf_init(&text, 1u << 20);
    assert_int_equal(snapshot_write(&s, &text), 0);
    assert_int_equal(snapshot_parse(buf_str(&text), text.len, &back), 0);
    assert_int_equal(strlen(back.vips[0].holder), SNAPSHOT_NAME_MAX - 2);
    assert_int_equal(strlen(back.vips[0].queue[0]), SNAPSHOT_NAME_MAX - 2);
    assert_int_equal(back.n_nodes, s.n_nodes);
    buf_done(&text);
    snapshot_done(&back);
    snapshot_done(&s);
}

static void test_names(void **state)
{
    (void)state;
    assert_string_equal(snapshot_vip_state_name(SNAPSHOT_VIP_SILENT), "silent");
    assert_string_equal(snapshot_vip_state_name((enum snapshot_vip_state)99), "?");
    assert_string_equal(snapshot_severity_name(SNAPSHOT_WARN), "warning");
    assert_string_equal(snapshot_severity_word(SNAPSHOT_WARN), "WARN");
    snapshot_done(NULL);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_small), cmocka_unit_test(test_round_trip),
        cmocka_unit_test(test_bad),   cmocka_unit_test(test_long_texts),
        cmocka_unit_test(test_names),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
