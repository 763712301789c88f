/* SPDX-License-Identifier: MIT */
#include "etcd/peers.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "etcd/keys.h"
#include "state.h"

#define VALUE_MAX 32768

struct peers_call {
    struct etcd_client *client;
    uint64_t timeout_us;
    etcd_call_fn fn;
    void *arg;
    struct etcd_call **ret_call;
};

/* If `guard` holds, the operations, of which the last reads the key; else only that one. */
static int start(const struct peers_call *c, const struct etcd_compare *guard,
                 const struct etcd_op *ops, size_t n)
{
    const struct etcd_txn txn = {.compares = guard,
                                 .n_compares = 1,
                                 .success = ops,
                                 .n_success = n,
                                 .failure = &ops[n - 1],
                                 .n_failure = 1};
    return etcd_call_txn(c->client, &txn, c->timeout_us, c->fn, c->arg, c->ret_call);
}

static int put(const struct peers_call *c, const char *key, const struct buf *value, int64_t lease,
               int64_t mod_revision)
{
    const struct etcd_compare guard = {.target = ETCD_MOD, .key = key, .number = mod_revision};
    const struct etcd_op ops[] = {
        {.kind = ETCD_OP_PUT,
         .range.key = key,
         .value = buf_str(value),
         .value_len = value->len,
         .lease = lease},
        {.kind = ETCD_OP_RANGE, .range.key = key},
    };
    return start(c, &guard, ops, 2);
}

static int put_key(const struct peers_call *c, const struct peers_key *key, int64_t mod_revision)
{
    struct buf json;
    buf_init(&json, VALUE_MAX);
    int r = peers_key_write(key, &json);
    if (r == 0)
        r = put(c, KEYS_PEERKEY, &json, 0, mod_revision);
    if (json.data)
        explicit_bzero(json.data, json.cap);
    buf_done(&json);
    return r;
}

int peers_call_create_key(struct etcd_client *client, const struct peers_key *key,
                          uint64_t timeout_us, etcd_call_fn fn, void *arg,
                          struct etcd_call **ret_call)
{
    return put_key(&(struct peers_call){client, timeout_us, fn, arg, ret_call}, key, 0);
}

int peers_call_rotate_key(struct etcd_client *client, const struct peers_key *key,
                          int64_t mod_revision, uint64_t timeout_us, etcd_call_fn fn, void *arg,
                          struct etcd_call **ret_call)
{
    if (mod_revision <= 0)
        return -EINVAL;
    return put_key(&(struct peers_call){client, timeout_us, fn, arg, ret_call}, key, mod_revision);
}

int peers_call_put(struct etcd_client *client, const char *node, const struct peers_record *record,
                   int64_t mod_revision, uint64_t timeout_us, etcd_call_fn fn, void *arg,
                   struct etcd_call **ret_call)
{
    const struct peers_call c = {client, timeout_us, fn, arg, ret_call};
    char key[KEYS_TEXT_MAX];
    struct buf json;
    buf_init(&json, VALUE_MAX);
    int r = peers_record_write(record, &json);
    if (r == 0)
        r = keys_peers(node, key);
    if (r == 0)
        r = put(&c, key, &json, record->owner.lease, mod_revision);
    buf_done(&json);
    return r;
}

/* What the operations of an ending point to: too much for the stack. */
struct ending {
    char record[KEYS_TEXT_MAX];
    struct {
        char candidate[KEYS_TEXT_MAX], released[KEYS_TEXT_MAX];
        struct buf json;
    } vips[PEERS_RELEASES_MAX];
    struct etcd_op ops[ETCD_OPS_MAX];
    size_t n;
};

_Static_assert(2 + 2 * PEERS_RELEASES_MAX <= ETCD_OPS_MAX, "all of them fit");

static int add_release(struct ending *e, size_t i, const char *node, int64_t lease,
                       const struct peers_release *release, const char *cause)
{
    struct record_released record = {.revision = release->revision, .wall_us = clock_wall_us()};
    snprintf(record.node, sizeof(record.node), "%s", node);
    snprintf(record.cause, sizeof(record.cause), "%s", cause);
    keys_candidate(&release->ip, lease, e->vips[i].candidate);
    keys_released(&release->ip, e->vips[i].released);
    int r = record_released_write(&record, &e->vips[i].json);
    if (r < 0)
        return r;
    e->ops[e->n++] = (struct etcd_op){.kind = ETCD_OP_PUT,
                                      .range.key = e->vips[i].released,
                                      .value = buf_str(&e->vips[i].json),
                                      .value_len = e->vips[i].json.len};
    e->ops[e->n++] = (struct etcd_op){.kind = ETCD_OP_DELETE, .range.key = e->vips[i].candidate};
    return 0;
}

int peers_call_end(struct etcd_client *client, const char *node, int64_t lease,
                   int64_t mod_revision, const struct peers_release *releases, size_t n,
                   const char *cause, uint64_t timeout_us, etcd_call_fn fn, void *arg,
                   struct etcd_call **ret_call)
{
    struct etcd_call *call;
    const struct peers_call c = {client, timeout_us, fn, arg, &call};
    struct ending *e = n <= PEERS_RELEASES_MAX ? calloc(1, sizeof(*e)) : NULL;
    if (!e)
        return n <= PEERS_RELEASES_MAX ? -ENOMEM : -EINVAL;
    int r = mod_revision >= 0 && lease > 0 ? keys_peers(node, e->record) : -EINVAL;
    e->ops[e->n++] = (struct etcd_op){.kind = ETCD_OP_DELETE, .range.key = e->record};
    for (size_t i = 0; i < n; i++)
        buf_init(&e->vips[i].json, VALUE_MAX);
    for (size_t i = 0; i < n && r == 0; i++)
        r = add_release(e, i, node, lease, &releases[i], cause);
    e->ops[e->n++] = (struct etcd_op){.kind = ETCD_OP_RANGE, .range.key = e->record};
    const struct etcd_compare guard = {
        .target = ETCD_MOD, .key = e->record, .number = mod_revision};
    if (r == 0)
        r = start(&c, &guard, e->ops, e->n);
    if (r == 0)
        call_hurry(call);
    if (r == 0 && ret_call)
        *ret_call = call;
    for (size_t i = 0; i < n; i++)
        buf_done(&e->vips[i].json);
    free(e);
    return r;
}
