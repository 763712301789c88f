/* SPDX-License-Identifier: MIT */
/* Everything that etcd, or whoever answers in its place, can send. The first byte picks the
 * parser: '0' + kind for a reply, 'l' for the stream's lines, 'k' for keys, 'b' for base64, 'e'
 * for an endpoint's URL, 'p' for the records of the peer lease. */
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "../../src/etcd/base64.h"
#include "../../src/etcd/endpoint.h"
#include "../../src/etcd/lines.h"
#include "etcd/keys.h"
#include "etcd/message.h"
#include "etcd/peers.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check(int truth)
{
    if (!truth)
        abort();
}

static void fuzz_reply(enum etcd_kind kind, const char *text, size_t len)
{
    struct etcd_reply r;
    size_t sum = 0;
    etcd_reply_parse(kind, text, len, &r);
    check(r.status < ETCD_STATUS_COUNT);
    check(memchr(r.message, '\0', sizeof(r.message)) != NULL);
    check(r.status == ETCD_OK || r.message[0]);
    check(r.status != ETCD_OK || kind != ETCD_KIND_KEEPALIVE || r.ttl_s > 0);
    for (size_t i = 0; i < r.n_responses; i++)
        for (size_t k = 0; k < r.responses[i].n_kvs; k++)
            sum += strlen(r.responses[i].kvs[k].key) + r.responses[i].kvs[k].value_len;
    for (size_t i = 0; i < r.n_events; i++)
        sum += strlen(r.events[i].kv.value);
    for (size_t i = 0; i < r.n_members; i++)
        sum += strlen(r.members[i].name) + r.members[i].n_peer_urls;
    check(sum <= 2 * len);
    etcd_reply_done(&r);
}

/* The same bytes at once and in two halves give the same lines. */
static void fuzz_lines(const char *text, size_t len)
{
    size_t counts[2] = {0, 0};
    for (int round = 0; round < 2; round++) {
        struct lines lines;
        size_t n;
        lines_init(&lines, 1u << 20);
        size_t first = round ? len / 2 : len;
        check(lines_add(&lines, text, first) == 0);
        while (lines_next(&lines, &n))
            counts[round] += n;
        check(lines_add(&lines, text + first, len - first) == 0);
        while (lines_next(&lines, &n))
            counts[round] += n;
        lines_done(&lines);
    }
    check(counts[0] == counts[1]);
}

static void fuzz_keys(const char *text, size_t len)
{
    char key[KEYS_TEXT_MAX], node[KEYS_NODE_MAX + 1];
    struct ip ip;
    int64_t number, term;
    /* What is taken is what would be written. */
    if (keys_candidate_parse(text, len, &ip, &number) == 0) {
        keys_candidate(&ip, number, key);
        check(strlen(key) == len && memcmp(key, text, len) == 0);
    }
    if (keys_history_parse(text, len, &ip, &number, &term) == 0) {
        if (term)
            keys_history_stay(&ip, number, term, key);
        else
            keys_history(&ip, number, key);
        check(strlen(key) == len && memcmp(key, text, len) == 0);
    }
    if (keys_released_parse(text, len, &ip) == 0) {
        keys_released(&ip, key);
        check(strlen(key) == len && memcmp(key, text, len) == 0);
    }
    if (keys_peers_parse(text, len, node) == 0) {
        check(keys_peers(node, key) == 0);
        check(strlen(key) == len && memcmp(key, text, len) == 0);
    }
    if (keys_node_parse(text, len, node) == 0) {
        check(keys_node(node, key) == 0);
        check(strlen(key) == len && memcmp(key, text, len) == 0);
    }
}

static void fuzz_base64(const char *text, size_t len)
{
    struct buf again;
    size_t n;
    char *out = malloc(BASE64_DECODED_MAX(len) + 1);
    check(out != NULL);
    if (base64_decode(text, len, out, &n) == 0) {
        buf_init(&again, 1u << 22);
        check(base64_add(&again, out, n) == 0);
        check(again.len == len && memcmp(buf_str(&again), text, len) == 0);
        buf_done(&again);
    }
    free(out);
}

static void fuzz_endpoint(const char *text, size_t len)
{
    struct endpoint ep;
    char *copy = malloc(len + 1);
    check(copy != NULL);
    memcpy(copy, text, len);
    copy[len] = '\0';
    if (endpoint_init(&ep, copy, false, 2379, 2383) == 0)
        check(strpbrk(ep.url, " @?#\r\n") == NULL && strlen(endpoint_url(&ep)) > 8);
    free(copy);
}

/* What was taken can be written, and is the same when it is read again. */
static void fuzz_peers(const char *text, size_t len)
{
    struct peers_record record, record_again;
    struct peers_key key, key_again;
    struct buf json;
    buf_init(&json, 1u << 20);
    if (peers_record_parse(text, len, &record) == 0) {
        check(peers_record_write(&record, &json) == 0);
        check(peers_record_parse(buf_str(&json), json.len, &record_again) == 0);
        check(peers_record_equal(&record, &record_again));
    }
    buf_clear(&json);
    if (peers_key_parse(text, len, &key) == 0) {
        check(peers_key_write(&key, &json) == 0);
        check(peers_key_parse(buf_str(&json), json.len, &key_again) == 0);
        check(memcmp(key.current, key_again.current, sizeof(key.current)) == 0);
        check(key.generation == key_again.generation);
    }
    buf_done(&json);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    if (size == 0 || size > 1u << 20)
        return 0;
    const char *text = (const char *)data + 1;
    if (data[0] >= '0' && data[0] < '0' + ETCD_KIND_COUNT)
        fuzz_reply((enum etcd_kind)(data[0] - '0'), text, size - 1);
    else if (data[0] == 'l')
        fuzz_lines(text, size - 1);
    else if (data[0] == 'k')
        fuzz_keys(text, size - 1);
    else if (data[0] == 'b')
        fuzz_base64(text, size - 1);
    else if (data[0] == 'e')
        fuzz_endpoint(text, size - 1);
    else if (data[0] == 'p')
        fuzz_peers(text, size - 1);
    return 0;
}
