/* SPDX-License-Identifier: MIT */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "etcd/peers.h"

static struct peers_record sample(void)
{
    return (struct peers_record){
        .owner = {INT64_MAX, UINT64_MAX},
        .term = 3,
        .window_us = 500000,
        .n_voters = 3,
        .voters = {{255, 1}, {INT64_MAX, UINT64_MAX}, {1, 0xfedcba9876543210}},
        .n_owned = 2,
        .owned = {7, INT64_MAX},
    };
}

static const char text[] =
    "{\"lease\":\"7fffffffffffffff\",\"incarnation\":\"ffffffffffffffff\",\"term\":3,"
    "\"windowUs\":500000,\"voters\":[{\"lease\":\"ff\",\"incarnation\":\"1\"},"
    "{\"lease\":\"7fffffffffffffff\",\"incarnation\":\"ffffffffffffffff\"},"
    "{\"lease\":\"1\",\"incarnation\":\"fedcba9876543210\"}],"
    "\"owned\":[7,9223372036854775807]}";

static void test_record_there_and_back(void **state)
{
    struct peers_record r = sample(), got;
    struct buf json;
    (void)state;
    buf_init(&json, 0);
    assert_int_equal(peers_record_write(&r, &json), 0);
    assert_string_equal(buf_str(&json), text);
    assert_int_equal(peers_record_parse(buf_str(&json), json.len, &got), 0);
    assert_true(peers_record_equal(&r, &got));
    got.owned[1]--;
    assert_false(peers_record_equal(&r, &got));
    got = r;
    got.voters[0].incarnation++;
    assert_false(peers_record_equal(&r, &got));
    got = r;
    got.n_voters--;
    assert_false(peers_record_equal(&r, &got));
    r.n_voters = r.n_owned = 0; /* not to be ended by anybody */
    buf_clear(&json);
    assert_int_equal(peers_record_write(&r, &json), 0);
    assert_int_equal(peers_record_parse(buf_str(&json), json.len, &got), 0);
    assert_true(peers_record_equal(&r, &got));
    buf_done(&json);
}

static void fill(struct peers_record *r)
{
    r->n_voters = PEERS_VOTERS_MAX;
    for (unsigned i = 0; i < PEERS_VOTERS_MAX; i++)
        r->voters[i] = (struct peers_session){INT64_MAX - i, UINT64_MAX};
    r->n_owned = RECORD_VIPS_MAX;
    for (unsigned i = 0; i < RECORD_VIPS_MAX; i++)
        r->owned[i] = INT64_MAX;
}

static void test_record_of_the_largest_size(void **state)
{
    struct peers_record r = sample(), got;
    struct buf json;
    (void)state;
    fill(&r);
    buf_init(&json, 32768);
    assert_int_equal(peers_record_write(&r, &json), 0);
    assert_int_equal(peers_record_parse(buf_str(&json), json.len, &got), 0);
    assert_true(peers_record_equal(&r, &got));
    buf_done(&json);
}

/* Replaces the first `what` of the sample's text by `by`, and wants it refused. */
static void expect_refused(const char *what, const char *by)
{
    struct peers_record got = {.window_us = 77};
    struct buf json;
    const char *at = strstr(text, what);
    assert_non_null(at);
    buf_init(&json, 0);
    buf_add(&json, text, (size_t)(at - text));
    buf_puts(&json, by);
    buf_puts(&json, at + strlen(what));
    assert_int_equal(peers_record_parse(buf_str(&json), json.len, &got), -EBADMSG);
    assert_int_equal(got.window_us, 77);
    buf_done(&json);
}

static void test_record_refused(void **state)
{
    struct peers_record got;
    (void)state;
    expect_refused("\"lease\":\"7fffffffffffffff\",", "");               /* no owner */
    expect_refused("\"lease\":\"7fffffffffffffff\"", "\"lease\":\"2\""); /* who has no vote */
    expect_refused("\"ff\",\"incarnation\":\"1\"",
                   "\"1\",\"incarnation\":\"fedcba9876543210\""); /* one session twice */
    expect_refused("\"lease\":\"ff\"", "\"lease\":255");
    expect_refused("\"lease\":\"ff\"", "\"lease\":\"FF\"");
    expect_refused("\"lease\":\"ff\"", "\"lease\":\"0\"");
    expect_refused("\"lease\":\"ff\"", "\"lease\":\"8000000000000000\"");
    expect_refused("\"fedcba9876543210\"", "\"0\"");
    expect_refused("\"fedcba9876543210\"", "\"1fedcba9876543210\"");
    expect_refused("\"term\":3", "\"term\":0");
    expect_refused("\"term\":3,", "");
    expect_refused("500000", "0");
    expect_refused("500000", "60000001");
    expect_refused("500000", "\"500ms\"");
    expect_refused("\"voters\":[", "\"voters\":[7,");
    expect_refused("\"voters\"", "\"votes\"");
    expect_refused("\"owned\"", "\"own\"");
    expect_refused("[7,", "[0,");
    expect_refused("[7,", "[\"7\",");
    expect_refused("\"windowUs\"", "\"windowUs\":1,\"windowUs\""); /* which one? */
    assert_int_equal(peers_record_parse("[]", 2, &got), -EBADMSG);
    assert_int_equal(peers_record_parse("", 0, &got), -EBADMSG);
    for (size_t len = 0; len < strlen(text); len++)
        assert_int_equal(peers_record_parse(text, len, &got), -EBADMSG);
}

/* A list that is cut would give a smaller majority. */
static void test_record_with_too_many(void **state)
{
    struct buf more;
    (void)state;
    buf_init(&more, 0);
    buf_puts(&more, "\"voters\":[");
    for (unsigned i = 0; i < PEERS_VOTERS_MAX - 2; i++)
        buf_printf(&more, "{\"lease\":\"%x\",\"incarnation\":\"2\"},", i + 1);
    expect_refused("\"voters\":[", buf_str(&more));
    buf_done(&more);
}

static void test_unsound_is_not_written(void **state)
{
    struct peers_record r;
    struct buf json;
    (void)state;
    buf_init(&json, 0);
    r = sample(), r.owner.incarnation--;
    assert_int_equal(peers_record_write(&r, &json), -EINVAL);
    r = sample(), r.term = 0;
    assert_int_equal(peers_record_write(&r, &json), -EINVAL);
    r = sample(), r.window_us = 0;
    assert_int_equal(peers_record_write(&r, &json), -EINVAL);
    r = sample(), r.voters[2] = r.voters[0];
    assert_int_equal(peers_record_write(&r, &json), -EINVAL);
    r = sample(), r.owned[1] = 0;
    assert_int_equal(peers_record_write(&r, &json), -EINVAL);
    assert_int_equal(json.len, 0);
    buf_done(&json);
}

static void test_key(void **state)
{
    static const uint8_t one[PEERS_KEY_SIZE] = {1}, two[PEERS_KEY_SIZE] = {2};
    struct peers_key first, second, got = {.generation = 77};
    struct buf json;
    (void)state;
    buf_init(&json, 0);
    peers_key_next(NULL, one, &first);
    assert_int_equal(peers_key_write(&first, &json), 0);
    assert_string_equal(buf_str(&json), "{\"generation\":1,\"current\":"
                                        "\"AQAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=\"}");
    assert_int_equal(peers_key_parse(buf_str(&json), json.len, &got), 0);
    assert_true(got.generation == 1 && !got.has_previous);
    assert_memory_equal(got.current, one, sizeof(one));
    peers_key_next(&got, two, &second);
    buf_clear(&json);
    assert_int_equal(peers_key_write(&second, &json), 0);
    assert_int_equal(peers_key_parse(buf_str(&json), json.len, &got), 0);
    assert_true(got.generation == 2 && got.has_previous);
    assert_memory_equal(got.current, two, sizeof(two));
    assert_memory_equal(got.previous, one, sizeof(one));
    second.generation = 0;
    assert_int_equal(peers_key_write(&second, &json), -EINVAL);
    buf_done(&json);
}

static void test_key_refused(void **state)
{
#define B64(last) "\"AQAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA" last "\""
    static const char *const bad[] = {
        "{}",
        "{\"generation\":1}",
        "{\"current\":" B64("AA=") "}",
        "{\"generation\":0,\"current\":" B64("AA=") "}",
        "{\"generation\":-1,\"current\":" B64("AA=") "}",
        "{\"generation\":9223372036854775808,\"current\":" B64("AA=") "}",
        "{\"generation\":1,\"current\":" B64("A==") "}",
        "{\"generation\":1,\"current\":" B64("AB=") "}",
        "{\"generation\":1,\"current\":" B64("AAAAAA") "}",
        "{\"generation\":1,\"current\":\"\"}",
        "{\"generation\":1,\"current\":" B64("AA=") ",\"previous\":\"\"}",
        "{\"generation\":1,\"current\":" B64("AA=") ",\"previous\":7}",
        "{\"generation\":1,\"current\":" B64("AA=") ",\"current\":" B64("AA=") "}",
    };
    struct peers_key got = {.generation = 77};
    (void)state;
    for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
        assert_int_equal(peers_key_parse(bad[i], strlen(bad[i]), &got), -EBADMSG);
    assert_int_equal(got.generation, 77);
    const char *good = "{\"generation\":3,\"more\":[],\"current\":" B64("AA=") "}";
    assert_int_equal(peers_key_parse(good, strlen(good), &got), 0);
    assert_int_equal(got.generation, 3);
}

static void test_node_record(void **state)
{
    static const char old[] = "{\"node\":\"a\",\"machineId\":\"m\",\"agent\":\"0.1\","
                              "\"addresses\":[]}";
    static const char bad[] = "{\"node\":\"a\",\"machineId\":\"m\",\"agent\":\"0.1\","
                              "\"addresses\":[],\"peerAddress\":\"10.0.0.1\"}";
    struct record_node r = {.node = "a", .machine_id = "m", .version = "0.1"}, got;
    struct buf json;
    (void)state;
    assert_int_equal(record_node_parse(old, strlen(old), &got), 0);
    assert_true(got.incarnation == 0 && got.peer_ip.family == IP_NONE);
    assert_int_equal(record_node_parse(bad, strlen(bad), &got), -EBADMSG);
    r.incarnation = UINT64_MAX;
    r.peer_port = 65535;
    assert_int_equal(ip_parse("fd00::1", &r.peer_ip), 0);
    buf_init(&json, 0);
    assert_int_equal(record_node_write(&r, &json), 0);
    assert_non_null(strstr(buf_str(&json), "\"incarnation\":\"ffffffffffffffff\""));
    assert_int_equal(record_node_parse(buf_str(&json), json.len, &got), 0);
    assert_true(got.incarnation == UINT64_MAX && got.peer_port == 65535);
    assert_true(ip_equal(&got.peer_ip, &r.peer_ip));
    buf_done(&json);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_record_there_and_back),
        cmocka_unit_test(test_record_of_the_largest_size),
        cmocka_unit_test(test_record_refused),
        cmocka_unit_test(test_record_with_too_many),
        cmocka_unit_test(test_unsound_is_not_written),
        cmocka_unit_test(test_key),
        cmocka_unit_test(test_key_refused),
        cmocka_unit_test(test_node_record),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
