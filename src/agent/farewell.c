/* SPDX-License-Identifier: MIT */
/* The dead agent's farewell to etcd, said by its guardian. */
#include "guardian.h"

#include "etcd/keys.h"

#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#define FAREWELL_TIMEOUT_US SECOND_US
#define FAREWELL_US (3 * SECOND_US)
#define VIPS_PER_TXN (ETCD_OPS_MAX / 2)

struct farewell {
    struct loop *loop;
    struct loop_timer *limit;
    struct etcd_client *etcd;
    const struct settings *settings;
    const struct ledger *ledger;
    unsigned pending;
};

static void on_too_long(void *arg)
{
    struct farewell *f = arg;
    loop_stop(f->loop);
}

int farewell_prepare(const struct settings *s, const struct ledger *ledger,
                     struct farewell **ret_farewell)
{
    struct farewell *f = calloc(1, sizeof(*f));
    if (!f)
        return -ENOMEM;
    *f = (struct farewell){.loop = loop_new(), .settings = s, .ledger = ledger};
    struct etcd_client_config config;
    settings_client(s, f->loop, &config);
    int r = f->loop ? etcd_client_new(&config, &f->etcd, NULL) : -ENOMEM;
    if (r == 0)
        r = loop_timer_new(f->loop, on_too_long, f, &f->limit);
    if (r == 0)
        *ret_farewell = f;
    return r; /* the caller ends with it, so nothing is freed */
}

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

struct vip_words {
    char own[KEYS_TEXT_MAX], released[KEYS_TEXT_MAX];
    struct buf json;
};

static int write_words(const struct farewell *f, unsigned i, struct vip_words *w)
{
    const struct ip *ip = &f->ledger->vips[i].ip;
    struct record_released record = {.revision = atomic_load(&f->ledger->vips[i].revision),
                                     .wall_us = clock_wall_us(),
                                     .cause = "agent_died"};
    keys_candidate(ip, atomic_load(&f->ledger->lease), w->own);
    keys_released(ip, w->released);
    memcpy(record.node, f->settings->node, sizeof(record.node));
    buf_init(&w->json, 1024);
    snprintf(record.detail, sizeof(record.detail), "pid %" PRId64, f->ledger->agent_pid);
    return record_released_write(&record, &w->json);
}

/* One txn for many VIPs. It compares nothing: the key is ours alone by its lease, and the record
 * is true, for the address is off. */
static void resign(struct farewell *f, const unsigned *vips, unsigned n)
{
    struct vip_words *words = calloc(n, sizeof(*words));
    struct etcd_op ops[2 * VIPS_PER_TXN];
    int r = words ? 0 : -ENOMEM;
    for (unsigned k = 0; r == 0 && k < n; k++) {
        r = write_words(f, vips[k], &words[k]);
        ops[2 * k] = (struct etcd_op){.kind = ETCD_OP_DELETE, .range.key = words[k].own};
        ops[2 * k + 1] = (struct etcd_op){.kind = ETCD_OP_PUT,
                                          .range.key = words[k].released,
                                          .value = buf_str(&words[k].json),
                                          .value_len = words[k].json.len};
    }
    const struct etcd_txn txn = {.success = ops, .n_success = (size_t)2 * n};
    if (r == 0 && etcd_call_txn(f->etcd, &txn, FAREWELL_TIMEOUT_US, on_resigned, f, NULL) == 0)
        f->pending++;
    for (unsigned k = 0; words && k < n; k++)
        buf_done(&words[k].json);
    free(words);
}

void farewell_say(struct farewell *f, const bool *was_held)
{
    unsigned vips[VIPS_PER_TXN], n = 0;
    char token[ETCD_TOKEN_MAX];
    /* The agent may have died while it wrote this: etcd refuses what is torn, and a login follows.
     */
    snprintf(token, sizeof(token), "%.*s", (int)sizeof(token) - 1, f->ledger->token);
    if (token[0])
        etcd_client_set_token(f->etcd, token);
    loop_timer_set(f->limit, clock_now_us() + FAREWELL_US);
    for (unsigned i = 0; i < ELECTION_VIPS_MAX; i++) {
        if (was_held[i])
            vips[n++] = i;
        if (n == VIPS_PER_TXN || (n > 0 && i + 1 == ELECTION_VIPS_MAX)) {
            resign(f, vips, n);
            n = 0;
        }
    }
    if (f->pending == 0)
        revoke(f);
    loop_run(f->loop);
}
