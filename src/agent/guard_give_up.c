/* SPDX-License-Identifier: MIT */
/* The dead agent's farewell to etcd, said by its guardian. */
#include "guardian.h"

#include "etcd/keys.h"

#include <stdlib.h>
#include <string.h>

#define FAREWELL_TIMEOUT_US SECOND_US
#define FAREWELL_US (3 * SECOND_US)

struct farewell {
    struct loop *loop;
    struct etcd_client *etcd;
    const struct settings *settings;
    const struct ledger *ledger;
    unsigned pending;
};

static void on_revoked(void *arg, const struct etcd_reply *reply)
{
    struct farewell *f = arg;
    (void)reply; /* whatever it says: the lease runs out by itself */
    loop_stop(f->loop);
}

static void revoke(struct farewell *f)
{
    if (etcd_call_revoke(f->etcd, atomic_load(&f->ledger->lease), FAREWELL_TIMEOUT_US, on_revoked,
                         f, NULL) < 0)
        loop_stop(f->loop);
}

static void on_resigned(void *arg, const struct etcd_reply *reply)
{
    struct farewell *f = arg;
    (void)reply;
    /* Only then: revoking first would delete the keys without a word about their release. */
    if (--f->pending == 0)
        revoke(f);
}

static int resign(struct farewell *f, unsigned i)
{
    const struct ip *ip = &f->ledger->vips[i].ip;
    int64_t lease = atomic_load(&f->ledger->lease);
    struct record_released record = {.revision = atomic_load(&f->ledger->vips[i].revision),
                                     .wall_us = clock_wall_us(),
                                     .cause = "agent_died"};
    char own[KEYS_TEXT_MAX], released[KEYS_TEXT_MAX];
    struct buf json;
    keys_candidate(ip, lease, own);
    keys_released(ip, released);
    memcpy(record.node, f->settings->node, sizeof(record.node));
    buf_init(&json, 1024);
    int r = record_released_write(&record, &json);
    const struct etcd_compare ours = {
        .target = ETCD_CREATE, .key = own, .number = record.revision};
    const struct etcd_op ops[] = {{.kind = ETCD_OP_DELETE, .range.key = own},
                                  {.kind = ETCD_OP_PUT,
                                   .range.key = released,
                                   .value = buf_str(&json),
                                   .value_len = json.len}};
    const struct etcd_txn txn = {
        .compares = &ours, .n_compares = 1, .success = ops, .n_success = 2};
    if (r == 0)
        r = etcd_call_txn(f->etcd, &txn, FAREWELL_TIMEOUT_US, on_resigned, f, NULL);
    buf_done(&json);
    if (r == 0)
        f->pending++;
    return r;
}

static void on_too_long(void *arg)
{
    struct farewell *f = arg;
    loop_stop(f->loop);
}

void guard_give_up(const struct settings *settings, const struct ledger *ledger,
                   const bool *was_held)
{
    struct farewell f = {.loop = loop_new(), .settings = settings, .ledger = ledger};
    struct loop_timer *limit = NULL;
    if (!f.loop || loop_timer_new(f.loop, on_too_long, &f, &limit) < 0)
        return;
    const struct etcd_client_config config = {.loop = f.loop,
                                              .endpoints = settings->endpoints,
                                              .n_endpoints = settings->n_endpoints,
                                              .cacert = settings->cacert,
                                              .cert = settings->cert,
                                              .key = settings->key,
                                              .user = settings->user,
                                              .password = settings->password,
                                              .password_file = settings->password_file,
                                              .token = ledger->token[0] ? ledger->token : NULL};
    if (etcd_client_new(&config, &f.etcd, NULL) < 0)
        return;
    loop_timer_set(limit, clock_now_us() + FAREWELL_US);
    for (unsigned i = 0; i < ELECTION_VIPS_MAX; i++)
        if (was_held[i])
            resign(&f, i);
    if (f.pending == 0)
        revoke(&f);
    loop_run(f.loop);
    etcd_client_free(f.etcd);
    loop_timer_free(limit);
    loop_free(f.loop);
}
