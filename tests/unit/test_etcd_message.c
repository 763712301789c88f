/* SPDX-License-Identifier: MIT */
/* The codec: what is sent, and every shape of answer seen from etcd 3.4, 3.5 and 3.6. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "etcd/message.h"

#include "../../src/etcd/base64.h"
#include "../../src/etcd/lines.h"

#define HEADER                                                                                     \
    "\"header\":{\"cluster_id\":\"14841639068965178418\",\"member_id\":\"10276657743932975437\","  \
    "\"revision\":\"7\",\"raft_term\":\"2\"}"

static void parse(enum etcd_kind kind, const char *text, struct etcd_reply *reply)
{
    etcd_reply_parse(kind, text, strlen(text), reply);
}

static void test_requests(void **state)
{
    struct buf b;
    (void)state;
    buf_init(&b, 0);
    assert_int_equal(etcd_request_grant(&b, 5), 0);
    assert_string_equal(buf_str(&b), "{\"TTL\":\"5\"}");
    buf_clear(&b);
    assert_int_equal(etcd_request_lease(&b, INT64_MAX), 0);
    assert_string_equal(buf_str(&b), "{\"ID\":\"9223372036854775807\"}");
    buf_clear(&b);
    struct etcd_range predecessor = {.key = "vip7/",
                                     .prefix = true,
                                     .max_create_revision = 2,
                                     .order = ETCD_DESCEND,
                                     .sort_by = ETCD_BY_CREATE,
                                     .limit = 1,
                                     .keys_only = true};
    assert_int_equal(etcd_request_range(&b, &predecessor), 0);
    assert_string_equal(buf_str(&b),
                        "{\"key\":\"dmlwNy8=\",\"range_end\":\"dmlwNzA=\",\"limit\":\"1\","
                        "\"max_create_revision\":\"2\",\"sort_order\":\"DESCEND\","
                        "\"sort_target\":\"CREATE\",\"keys_only\":true}");
    buf_clear(&b);
    assert_int_equal(etcd_request_authenticate(&b, "a\"b\\", "p\n\x7f\xc3\xa9"), 0);
    assert_string_equal(buf_str(&b), "{\"name\":\"a\\\"b\\\\\",\"password\":"
                                     "\"p\\u000a\\u007f\xc3\xa9\"}");
    buf_clear(&b);
    struct etcd_watch_request w = {
        .range = {.key = "a", .prefix = true}, .start_revision = 9, .watch_id = 1};
    assert_int_equal(etcd_request_watch(&b, &w), 0);
    w = (struct etcd_watch_request){.range = {.key = "b"}, .start_revision = 9, .watch_id = 2};
    assert_int_equal(etcd_request_watch(&b, &w), 0);
    assert_string_equal(
        buf_str(&b),
        "{\"create_request\":{\"key\":\"YQ==\",\"range_end\":\"Yg==\",\"start_revision\":\"9\","
        "\"watch_id\":\"1\"}}{\"create_request\":{\"key\":\"Yg==\",\"start_revision\":\"9\","
        "\"watch_id\":\"2\"}}");
    buf_done(&b);
}

static void test_request_txn(void **state)
{
    struct buf b;
    (void)state;
    buf_init(&b, 0);
    struct etcd_compare compares[] = {{ETCD_CREATE, "k", 0, 0},
                                      {ETCD_MOD, "k", 0, 3},
                                      {ETCD_VERSION, "k", 0, 1},
                                      {ETCD_LEASE, "k", 0, 255}};
    struct etcd_op success[] = {
        {.kind = ETCD_OP_PUT, .range = {.key = "k"}, .value = "v", .lease = 255},
        {.kind = ETCD_OP_PUT, .range = {.key = "k"}, .value = "v", .ignore_lease = true},
        {.kind = ETCD_OP_DELETE, .range = {.key = "a", .end = "c"}},
    };
    struct etcd_op failure[] = {{.kind = ETCD_OP_RANGE, .range = {.key = "k"}}};
    struct etcd_txn txn = {compares, 4, success, 3, failure, 1};
    assert_int_equal(etcd_request_txn(&b, &txn), 0);
    assert_string_equal(
        buf_str(&b),
        "{\"compare\":["
        "{\"key\":\"aw==\",\"target\":\"CREATE\",\"result\":\"EQUAL\",\"create_revision\":\"0\"},"
        "{\"key\":\"aw==\",\"target\":\"MOD\",\"result\":\"EQUAL\",\"mod_revision\":\"3\"},"
        "{\"key\":\"aw==\",\"target\":\"VERSION\",\"result\":\"EQUAL\",\"version\":\"1\"},"
        "{\"key\":\"aw==\",\"target\":\"LEASE\",\"result\":\"EQUAL\",\"lease\":\"255\"}],"
        "\"success\":[{\"request_put\":{\"key\":\"aw==\",\"value\":\"dg==\",\"lease\":\"255\"}},"
        "{\"request_put\":{\"key\":\"aw==\",\"value\":\"dg==\",\"ignore_lease\":true}},"
        "{\"request_delete_range\":{\"key\":\"YQ==\",\"range_end\":\"Yw==\"}}],"
        "\"failure\":[{\"request_range\":{\"key\":\"aw==\"}}]}");
    buf_done(&b);
}

static void test_impossible_requests(void **state)
{
    static char big[ETCD_KEY_MAX + 2];
    static struct etcd_op many[ETCD_OPS_MAX + 1];
    struct buf b;
    (void)state;
    memset(big, 'k', ETCD_KEY_MAX + 1);
    struct etcd_range ranges[] = {{.key = NULL},
                                  {.key = ""},
                                  {.key = big},
                                  {.key = "a", .limit = -1},
                                  {.key = "a", .revision = -1},
                                  {.key = "a", .order = (enum etcd_order)7}};
    for (size_t i = 0; i < sizeof(ranges) / sizeof(ranges[0]); i++) {
        buf_init(&b, 0);
        assert_int_equal(etcd_request_range(&b, &ranges[i]), -EINVAL);
        buf_done(&b);
    }
    struct etcd_txn txn = {.success = many, .n_success = ETCD_OPS_MAX + 1};
    buf_init(&b, 0);
    assert_int_equal(etcd_request_txn(&b, &txn), -EINVAL);
    buf_done(&b);
    struct etcd_op odd = {.kind = (enum etcd_op_kind)9, .range = {.key = "a"}};
    txn = (struct etcd_txn){.success = &odd, .n_success = 1};
    buf_init(&b, 0);
    assert_int_equal(etcd_request_txn(&b, &txn), -EINVAL);
    buf_done(&b);
    struct etcd_compare compare = {(enum etcd_target)9, "a", 0, 0};
    txn = (struct etcd_txn){.compares = &compare, .n_compares = 1};
    buf_init(&b, 0);
    assert_int_equal(etcd_request_txn(&b, &txn), -EINVAL);
    buf_done(&b);
    buf_init(&b, 30);
    assert_int_equal(etcd_request_range(&b, &(struct etcd_range){.key = "aaaaaaaaaaaaaaaaa"}),
                     -EMSGSIZE);
    buf_done(&b);
}

static void test_prefix_end(void **state)
{
    char out[8];
    (void)state;
    assert_int_equal(etcd_prefix_end("P/", 2, out), 2);
    assert_memory_equal(out, "P0", 2);
    assert_int_equal(etcd_prefix_end("a\xff\xff", 3, out), 1);
    assert_memory_equal(out, "b", 1);
    assert_int_equal(etcd_prefix_end("\xff", 1, out), 1);
    assert_memory_equal(out, "\0", 1);
    assert_int_equal(etcd_prefix_end("", 0, out), 1);
    assert_memory_equal(out, "\0", 1);
}

static void test_base64(void **state)
{
    static const char *const bad[] = {"a",    "ab",   "abc",  "abc-", "ab==c",    "=aaa", "a===",
                                      "aQ=a", "aR==", "aGl=", "====", "aGk=aGk=", "aGk\n"};
    (void)state;
    for (size_t len = 0; len < 70; len++) {
        unsigned char in[70], out[80];
        struct buf b;
        size_t n = 0;
        for (size_t i = 0; i < len; i++)
            in[i] = (unsigned char)(i * 37 + len);
        buf_init(&b, 0);
        assert_int_equal(base64_add(&b, in, len), 0);
        assert_int_equal(b.len, (len + 2) / 3 * 4);
        assert_int_equal(base64_decode(buf_str(&b), b.len, (char *)out, &n), 0);
        assert_int_equal(n, len);
        assert_memory_equal(in, out, len);
        buf_done(&b);
    }
    for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
        char out[16];
        size_t n;
        assert_int_equal(base64_decode(bad[i], strlen(bad[i]), out, &n), -EBADMSG);
    }
}

static void test_leases(void **state)
{
    struct etcd_reply r;
    (void)state;
    parse(ETCD_KIND_GRANT, "{" HEADER ",\"ID\":\"1418812023349167881\",\"TTL\":\"2\"}", &r);
    assert_int_equal(r.status, ETCD_OK);
    assert_true(r.lease == 1418812023349167881 && r.ttl_s == 2);
    assert_true(r.header.cluster_id == 14841639068965178418u);
    assert_true(r.header.member_id == 10276657743932975437u);
    assert_int_equal(r.header.revision, 7);
    assert_int_equal(r.header.raft_term, 2);
    etcd_reply_done(&r);
    parse(ETCD_KIND_KEEPALIVE, "{\"result\": {" HEADER ", \"ID\": \"12345\", \"TTL\": 10}}\n", &r);
    assert_int_equal(r.status, ETCD_OK);
    assert_int_equal(r.ttl_s, 10);
    etcd_reply_done(&r);
    /* A lease that is gone: 200, and only the TTL missing. */
    parse(ETCD_KIND_KEEPALIVE, "{\"result\":{" HEADER ",\"ID\":\"99999\"}}\n", &r);
    assert_int_equal(r.status, ETCD_LEASE_GONE);
    etcd_reply_done(&r);
    parse(ETCD_KIND_KEEPALIVE, "{\"result\":{" HEADER ",\"ID\":\"99999\",\"TTL\":\"-1\"}}\n", &r);
    assert_int_equal(r.status, ETCD_LEASE_GONE);
    etcd_reply_done(&r);
    parse(ETCD_KIND_REVOKE, "{" HEADER "}", &r);
    assert_int_equal(r.status, ETCD_OK);
    etcd_reply_done(&r);
}

static void test_txn_and_range(void **state)
{
    struct etcd_reply r;
    (void)state;
    parse(ETCD_KIND_TXN,
          "{" HEADER ",\"succeeded\":true,\"responses\":[{\"response_put\":{\"header\":"
          "{\"revision\":\"2\"}}},{\"response_delete_range\":{\"header\":{},\"deleted\":\"3\"}}]}",
          &r);
    assert_int_equal(r.status, ETCD_OK);
    assert_true(r.succeeded);
    assert_int_equal(r.n_responses, 2);
    assert_int_equal(r.responses[0].kind, ETCD_OP_PUT);
    assert_int_equal(r.responses[1].kind, ETCD_OP_DELETE);
    assert_int_equal(r.responses[1].deleted, 3);
    etcd_reply_done(&r);
    parse(ETCD_KIND_TXN,
          "{" HEADER ",\"responses\":[{\"response_range\":{\"header\":{},\"kvs\":[{\"key\":"
          "\"dmlwNy8xM2I=\",\"create_revision\":\"2\",\"mod_revision\":\"3\",\"version\":\"1\","
          "\"value\":\"Y3VybC1C\",\"lease\":\"1418812023943662352\"}],\"count\":\"1\"}},"
          "{\"response_range\":{}}]}",
          &r);
    assert_int_equal(r.status, ETCD_OK);
    assert_false(r.succeeded);
    const struct etcd_kv *kv = &r.responses[0].kvs[0];
    assert_string_equal(kv->key, "vip7/13b");
    assert_string_equal(kv->value, "curl-B");
    assert_true(kv->create_revision == 2 && kv->mod_revision == 3 && kv->version == 1);
    assert_true(kv->lease == 1418812023943662352);
    assert_int_equal(r.responses[0].count, 1);
    assert_int_equal(r.responses[1].n_kvs, 0);
    etcd_reply_done(&r);
    parse(ETCD_KIND_TXN, "{" HEADER "}", &r);
    assert_int_equal(r.status, ETCD_OK);
    assert_false(r.succeeded);
    etcd_reply_done(&r);
    parse(ETCD_KIND_RANGE, "{" HEADER ",\"kvs\":[{\"key\":\"aw==\"}],\"more\":true,\"count\":9}",
          &r);
    assert_int_equal(r.status, ETCD_OK);
    assert_int_equal(r.n_responses, 1);
    assert_true(r.responses[0].more && r.responses[0].count == 9);
    assert_string_equal(r.responses[0].kvs[0].value, "");
    etcd_reply_done(&r);
}

static void test_cluster(void **state)
{
    struct etcd_reply r;
    (void)state;
    parse(ETCD_KIND_STATUS,
          "{" HEADER ",\"version\":\"3.4.23\",\"dbSize\":\"20480\",\"leader\":"
          "\"10276657743932975437\",\"raftIndex\":\"14\",\"raftTerm\":\"2\",\"dbSizeInUse\":"
          "\"16384\","
          "\"dbSizeQuota\":\"2147483648\"}",
          &r);
    assert_int_equal(r.status, ETCD_OK);
    assert_string_equal(r.member_status.version, "3.4.23");
    assert_true(r.member_status.leader == r.header.member_id);
    assert_int_equal(r.member_status.db_size, 20480);
    assert_int_equal(r.member_status.db_in_use, 16384);
    assert_int_equal(r.member_status.db_quota, INT64_C(2147483648));
    assert_int_equal(r.member_status.raft_term, 2);
    etcd_reply_done(&r);
    parse(ETCD_KIND_STATUS,
          "{" HEADER ",\"version\":\"3.5.30\",\"errors\":[\"etcdserver: no leader\"]}", &r);
    assert_int_equal(r.status, ETCD_OK);
    assert_true(r.member_status.leader == 0 && r.member_status.n_errors == 1);
    assert_string_equal(r.member_status.errors[0], "etcdserver: no leader");
    etcd_reply_done(&r);
    parse(ETCD_KIND_MEMBERS,
          "{" HEADER ",\"members\":[{\"ID\":\"10276657743932975437\",\"name\":\"m1\",\"peerURLs\":"
          "[\"http://10.0.0.1:2380\"],\"clientURLs\":[\"http://10.0.0.1:2379\"]},{\"ID\":1,"
          "\"peerURLs\":[\"http://10.0.0.2:2380\"],\"isLearner\":true}]}",
          &r);
    assert_int_equal(r.status, ETCD_OK);
    assert_int_equal(r.n_members, 2);
    assert_string_equal(r.members[0].client_urls[0], "http://10.0.0.1:2379");
    assert_string_equal(r.members[1].name, "");
    assert_true(r.members[1].is_learner && r.members[1].n_client_urls == 0);
    etcd_reply_done(&r);
    parse(ETCD_KIND_TIME_TO_LIVE,
          "{" HEADER ",\"ID\":\"12345\",\"TTL\":\"4\",\"grantedTTL\":\"5\"}", &r);
    assert_int_equal(r.status, ETCD_OK);
    assert_true(r.lease == 12345 && r.ttl_s == 4 && r.granted_s == 5);
    etcd_reply_done(&r);
    parse(ETCD_KIND_TIME_TO_LIVE, "{" HEADER ",\"ID\":\"12345\",\"grantedTTL\":\"5\"}", &r);
    assert_true(r.status == ETCD_OK && r.ttl_s == 0); /* its last second */
    etcd_reply_done(&r);
    parse(ETCD_KIND_TIME_TO_LIVE, "{" HEADER ",\"ID\":\"12345\",\"TTL\":\"-1\"}", &r);
    assert_int_equal(r.status, ETCD_LEASE_GONE);
    etcd_reply_done(&r);
    parse(ETCD_KIND_AUTHENTICATE, "{\"header\":{},\"token\":\"OdqwgakElOUfIldZ.13\"}", &r);
    assert_int_equal(r.status, ETCD_OK);
    assert_string_equal(r.token, "OdqwgakElOUfIldZ.13");
    etcd_reply_done(&r);
}

static void test_watch_lines(void **state)
{
    struct etcd_reply r;
    (void)state;
    parse(ETCD_KIND_WATCH, "{\"result\":{" HEADER ",\"created\":true,\"watch_id\":\"2\"}}", &r);
    assert_true(r.status == ETCD_OK && r.created && r.watch_id == 2);
    etcd_reply_done(&r);
    parse(ETCD_KIND_WATCH,
          "{\"result\":{" HEADER ",\"events\":[{\"kv\":{\"key\":\"ZS8x\",\"create_revision\":\"2\","
          "\"mod_revision\":\"2\",\"version\":\"1\",\"value\":\"eA==\"}},{\"type\":\"DELETE\","
          "\"kv\":{\"key\":\"ZS8x\",\"mod_revision\":\"3\"}},{\"type\":1,\"kv\":{\"key\":\"ZS8y\"}}"
          "]}}",
          &r);
    assert_true(r.status == ETCD_OK && r.n_events == 3);
    assert_int_equal(r.events[0].type, ETCD_EVENT_PUT);
    assert_string_equal(r.events[0].kv.value, "x");
    assert_int_equal(r.events[1].type, ETCD_EVENT_DELETE);
    assert_int_equal(r.events[1].kv.mod_revision, 3);
    assert_int_equal(r.events[2].type, ETCD_EVENT_DELETE);
    etcd_reply_done(&r);
    parse(ETCD_KIND_WATCH,
          "{\"result\":{" HEADER ",\"canceled\":true,\"compact_revision\":\"12\"}}", &r);
    assert_true(r.status == ETCD_COMPACTED && r.canceled);
    etcd_reply_done(&r);
    parse(ETCD_KIND_WATCH,
          "{\"result\":{" HEADER ",\"watch_id\":\"-1\",\"created\":true,\"canceled\":true,"
          "\"cancel_reason\":\"rpc error: code = PermissionDenied desc = etcdserver: permission "
          "denied\"}}",
          &r);
    assert_int_equal(r.status, ETCD_FORBIDDEN);
    etcd_reply_done(&r);
    parse(ETCD_KIND_WATCH,
          "{\"error\":{\"grpc_code\":14,\"http_code\":503,\"message\":\"etcdserver: no leader\","
          "\"http_status\":\"Service Unavailable\"}}",
          &r);
    assert_int_equal(r.status, ETCD_UNAVAILABLE);
    assert_string_equal(r.message, "no leader");
    etcd_reply_done(&r);
}

static void test_every_error(void **state)
{
    static const struct {
        int code;
        const char *message;
        enum etcd_status status;
    } errors[] = {
        {1, "context canceled", ETCD_UNAVAILABLE},
        {2, "context deadline exceeded", ETCD_UNAVAILABLE},
        {2, "election: no leader", ETCD_REFUSED},
        {3, "etcdserver: user name is empty", ETCD_TOKEN},
        {3, "etcdserver: revision of auth store is old", ETCD_TOKEN},
        {3, "etcdserver: authentication failed, invalid user ID or password", ETCD_AUTH},
        {3, "etcdserver: duplicate key given in txn request", ETCD_REFUSED},
        {4, "context deadline exceeded", ETCD_UNAVAILABLE},
        {5, "etcdserver: requested lease not found", ETCD_LEASE_GONE},
        {5, "Not Found", ETCD_NOT_GATEWAY},
        {7, "etcdserver: permission denied", ETCD_FORBIDDEN},
        {8, "etcdserver: mvcc: database space exceeded", ETCD_NOSPACE},
        {8, "etcdserver: too many requests", ETCD_BUSY},
        {9, "etcdserver: lease already exists", ETCD_REFUSED},
        {9, "etcdserver: authentication is not enabled", ETCD_REFUSED},
        {11, "etcdserver: mvcc: required revision has been compacted", ETCD_COMPACTED},
        {11, "etcdserver: mvcc: required revision is a future revision", ETCD_COMPACTED},
        {11, "etcdserver: too large lease TTL", ETCD_REFUSED},
        {12, "Method Not Allowed", ETCD_NOT_GATEWAY},
        {14, "etcdserver: no leader", ETCD_UNAVAILABLE},
        {14, "etcdserver: leader changed", ETCD_UNAVAILABLE},
        {14, "etcdserver: request timed out, possibly due to previous leader failure",
         ETCD_UNAVAILABLE},
        {14, "connection error: desc = \"remote error: tls: bad certificate\"", ETCD_TLS},
        {15, "etcdserver: corrupt cluster", ETCD_REFUSED},
        {16, "etcdserver: invalid auth token", ETCD_TOKEN},
        {77, "whatever", ETCD_REFUSED},
    };
    (void)state;
    for (size_t i = 0; i < sizeof(errors) / sizeof(errors[0]); i++) {
        char message[200] = "", texts[4][500];
        for (const char *p = errors[i].message; *p; p++)
            sprintf(message + strlen(message), *p == '"' ? "\\%c" : "%c", *p);
        int code = errors[i].code;
        snprintf(texts[0], 500, "{\"error\":\"%s\",\"message\":\"%s\",\"code\":%d}", message,
                 message, code);
        snprintf(texts[1], 500, "{\"code\": %d, \"message\":\"%s\", \"details\":[]}", code,
                 message);
        snprintf(texts[2], 500,
                 "{\"error\":{\"grpc_code\":%d,\"http_code\":503,\"message\":\"%s\"}}", code,
                 message);
        snprintf(texts[3], 500, "{\"error\":{\"code\":%d,\"message\":\"%s\"}}\n", code, message);
        for (int kind = 0; kind < ETCD_KIND_COUNT; kind++) {
            for (size_t t = 0; t < 4; t++) {
                struct etcd_reply r;
                parse((enum etcd_kind)kind, texts[t], &r);
                assert_int_equal(r.status, errors[i].status);
                assert_true(r.code == code || (code > 64 && r.code == -1));
                assert_true(r.message[0]);
                etcd_reply_done(&r);
            }
        }
    }
    for (int s = 0; s < ETCD_STATUS_COUNT; s++)
        assert_non_null(etcd_status_name((enum etcd_status)s));
}

static void test_texts(void **state)
{
    static const struct {
        const char *text;
        enum etcd_status status;
    } texts[] = {
        {"404 page not found\n", ETCD_NOT_GATEWAY},
        {"Not Found", ETCD_NOT_GATEWAY},
        {"CommonName of client sending a request against gateway will be ignored and not used as "
         "expected",
         ETCD_TLS},
        {"\netcd received your request, but the Host header was unrecognized.\n", ETCD_REFUSED},
        {"Client sent an HTTP request to an HTTPS server.\n", ETCD_TLS},
        {"<html>\x1b[31mred</html>", ETCD_NOT_GATEWAY},
        {"", ETCD_BAD_REPLY},
    };
    (void)state;
    for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++) {
        struct etcd_reply r;
        parse(ETCD_KIND_TXN, texts[i].text, &r);
        assert_int_equal(r.status, texts[i].status);
        assert_int_equal(r.code, -1);
        for (const char *p = r.message; *p; p++)
            assert_true(*p >= 0x20 && *p < 0x7f);
        etcd_reply_done(&r);
    }
}

static void test_hostile(void **state)
{
    static const struct {
        enum etcd_kind kind;
        const char *text;
    } bad[] = {
        {ETCD_KIND_GRANT, "{}"},
        {ETCD_KIND_GRANT, "{" HEADER "}"},
        {ETCD_KIND_GRANT, "{" HEADER ",\"ID\":\"1\",\"TTL\":\"x\"}"},
        {ETCD_KIND_GRANT, "{" HEADER ",\"ID\":\"1 \",\"TTL\":\"2\"}"},
        {ETCD_KIND_GRANT, "{" HEADER ",\"ID\":1.5,\"TTL\":\"2\"}"},
        {ETCD_KIND_GRANT, "{" HEADER ",\"ID\":99999999999999999999,\"TTL\":\"2\"}"},
        {ETCD_KIND_GRANT, "{" HEADER ",\"ID\":\"9223372036854775808\",\"TTL\":\"2\"}"},
        {ETCD_KIND_GRANT, "{" HEADER ",\"ID\":\"1\",\"TTL\":\"2\"} trailing"},
        {ETCD_KIND_GRANT, "{" HEADER ",\"ID\":\"1\",\"TTL\":\"2\"}{}"},
        {ETCD_KIND_GRANT, "{" HEADER ",\"ID\":\"1\",\"TTL\":\"2\",\"TTL\":\"9\"}"},
        {ETCD_KIND_GRANT, "{" HEADER ",\"ID\":\"1\",\"TTL\":\"2\",\"x\":null}"},
        {ETCD_KIND_GRANT, "{\"header\":[],\"ID\":\"1\",\"TTL\":\"2\"}"},
        {ETCD_KIND_GRANT, "{\"header\":{\"revision\":{}},\"ID\":\"1\",\"TTL\":\"2\"}"},
        {ETCD_KIND_KEEPALIVE, "{" HEADER ",\"ID\":\"1\",\"TTL\":\"2\"}"},
        {ETCD_KIND_KEEPALIVE, "{\"result\":{" HEADER ",\"TTL\":\"2\"}}"},
        {ETCD_KIND_KEEPALIVE, "{\"result\":{" HEADER ",\"ID\":\"1\",\"TTL\":\"2\""},
        {ETCD_KIND_KEEPALIVE, "{'result':{'ID':'1','TTL':'2'}}"},
        {ETCD_KIND_TXN, "{" HEADER ",\"succeeded\":1}"},
        {ETCD_KIND_TXN, "{" HEADER ",\"succeeded\":\"true\"}"},
        {ETCD_KIND_TXN, "{" HEADER ",\"responses\":{}}"},
        {ETCD_KIND_TXN, "{" HEADER ",\"responses\":[1]}"},
        {ETCD_KIND_TXN, "{" HEADER ",\"responses\":[{}]}"},
        {ETCD_KIND_TXN, "{" HEADER ",\"responses\":[{\"response_range\":[]}]}"},
        {ETCD_KIND_RANGE, "{" HEADER ",\"kvs\":[{}]}"},
        {ETCD_KIND_RANGE, "{" HEADER ",\"kvs\":[null]}"},
        {ETCD_KIND_RANGE, "{" HEADER ",\"kvs\":[{\"key\":\"a\"}]}"},
        {ETCD_KIND_RANGE, "{" HEADER ",\"kvs\":[{\"key\":\"a\xff==\"}]}"},
        {ETCD_KIND_RANGE, "{" HEADER ",\"kvs\":[{\"key\":7}]}"},
        {ETCD_KIND_AUTHENTICATE, "{" HEADER "}"},
        {ETCD_KIND_AUTHENTICATE, "{" HEADER ",\"token\":\"\"}"},
        {ETCD_KIND_AUTHENTICATE, "{" HEADER ",\"token\":\"a\\u0000b\"}"},
        {ETCD_KIND_MEMBERS, "{" HEADER "}"},
        {ETCD_KIND_MEMBERS, "{" HEADER ",\"members\":[{\"ID\":\"-1\"}]}"},
        {ETCD_KIND_STATUS, "{" HEADER ",\"errors\":[1]}"},
        {ETCD_KIND_WATCH, "{\"result\":{" HEADER ",\"events\":[{\"type\":\"MOVE\",\"kv\":{}}]}}"},
        {ETCD_KIND_WATCH, "{\"result\":{" HEADER ",\"events\":[{}]}}"},
        {ETCD_KIND_WATCH, "{\"result\":{" HEADER ",\"events\":[{\"type\":2,\"kv\":{}}]}}"},
    };
    (void)state;
    for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
        struct etcd_reply r;
        parse(bad[i].kind, bad[i].text, &r);
        if (r.status != ETCD_BAD_REPLY)
            print_error("case %zu: %s\n", i, bad[i].text);
        assert_int_equal(r.status, ETCD_BAD_REPLY);
        assert_null(r.responses);
        etcd_reply_done(&r);
    }
}

/* Every answer cut at every byte is an error and nothing worse. */
static void test_truncated(void **state)
{
    static const char whole[] =
        "{" HEADER ",\"succeeded\":true,\"responses\":[{\"response_range\":{\"kvs\":[{\"key\":"
        "\"dmlwNy8xM2I=\",\"create_revision\":\"2\",\"value\":\"Y3VybC1C\"}],\"count\":\"1\"}}]}";
    (void)state;
    for (size_t len = 0; len <= sizeof(whole) - 1; len++) {
        struct etcd_reply r;
        char *exact = malloc(len ? len : 1); /* no byte behind it may be read */
        assert_non_null(exact);
        memcpy(exact, whole, len);
        etcd_reply_parse(ETCD_KIND_TXN, exact, len, &r);
        assert_int_equal(r.status, len == sizeof(whole) - 1 ? ETCD_OK : ETCD_BAD_REPLY);
        etcd_reply_done(&r);
        free(exact);
    }
}

static void test_caps(void **state)
{
    struct etcd_reply r;
    struct buf b;
    (void)state;
    buf_init(&b, ETCD_REPLY_MAX + 100);
    buf_puts(&b, "{" HEADER ",\"x\":");
    for (int i = 0; i < 100; i++)
        buf_putc(&b, '[');
    for (int i = 0; i < 100; i++)
        buf_putc(&b, ']');
    buf_putc(&b, '}');
    etcd_reply_parse(ETCD_KIND_REVOKE, buf_str(&b), b.len, &r);
    assert_int_equal(r.status, ETCD_BAD_REPLY); /* too deep */
    etcd_reply_done(&r);
    buf_clear(&b);
    buf_puts(&b, "{" HEADER ",\"members\":[");
    for (int i = 0; i <= ETCD_MEMBERS_MAX; i++)
        buf_puts(&b, i ? ",{}" : "{}");
    buf_puts(&b, "]}");
    etcd_reply_parse(ETCD_KIND_MEMBERS, buf_str(&b), b.len, &r);
    assert_int_equal(r.status, ETCD_BAD_REPLY); /* too many */
    etcd_reply_done(&r);
    buf_clear(&b);
    buf_puts(&b, "{" HEADER);
    while (b.len <= ETCD_REPLY_MAX)
        buf_puts(&b, "                                                                ");
    buf_puts(&b, "}");
    etcd_reply_parse(ETCD_KIND_REVOKE, buf_str(&b), b.len, &r);
    assert_int_equal(r.status, ETCD_BAD_REPLY); /* too long */
    assert_non_null(strstr(r.message, "4 MiB"));
    etcd_reply_done(&r);
    buf_done(&b);
}

static void test_lines(void **state)
{
    static const char text[] = "one\n\ntwo\nthree";
    (void)state;
    for (size_t step = 1; step < sizeof(text); step++) {
        char got[64] = "";
        struct lines lines;
        lines_init(&lines, 16);
        for (size_t at = 0; at < sizeof(text) - 1; at += step) {
            size_t left = sizeof(text) - 1 - at, len;
            const char *line;
            assert_int_equal(lines_add(&lines, text + at, left < step ? left : step), 0);
            while ((line = lines_next(&lines, &len)))
                sprintf(got + strlen(got), "%.*s;", (int)len, line);
        }
        assert_string_equal(got, "one;two;");
        assert_int_equal(lines_add(&lines, "0123456789", 10), 0);
        assert_int_equal(lines_add(&lines, "0123456789", 10), -EMSGSIZE);
        lines_clear(&lines);
        assert_int_equal(lines_add(&lines, "x\n", 2), 0);
        size_t len = 0;
        assert_non_null(lines_next(&lines, &len));
        assert_int_equal(len, 1);
        lines_done(&lines);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_requests),      cmocka_unit_test(test_request_txn),
        cmocka_unit_test(test_prefix_end),    cmocka_unit_test(test_impossible_requests),
        cmocka_unit_test(test_base64),        cmocka_unit_test(test_leases),
        cmocka_unit_test(test_txn_and_range), cmocka_unit_test(test_cluster),
        cmocka_unit_test(test_watch_lines),   cmocka_unit_test(test_every_error),
        cmocka_unit_test(test_texts),         cmocka_unit_test(test_hostile),
        cmocka_unit_test(test_truncated),     cmocka_unit_test(test_caps),
        cmocka_unit_test(test_lines),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
