/* SPDX-License-Identifier: MIT */
#include "state.h"

#include "etcd/keys.h"

#include <stdlib.h>
#include <string.h>

static struct known_move *find(struct cluster *c, const struct known_move *like)
{
    for (unsigned i = 0; i < c->n_moves; i++)
        if (c->moves[i].epoch == like->epoch && c->moves[i].term == like->term &&
            ip_equal(&c->moves[i].ip, &like->ip))
            return &c->moves[i];
    return NULL;
}

/* The oldest one makes room for a newer one. */
static struct known_move *add(struct cluster *c, int64_t epoch)
{
    struct known_move *oldest = NULL;
    if (!c->moves)
        c->moves = calloc(SNAPSHOT_HISTORY_MAX, sizeof(*c->moves));
    if (!c->moves)
        return NULL;
    if (c->n_moves < SNAPSHOT_HISTORY_MAX)
        return &c->moves[c->n_moves++];
    for (unsigned i = 0; i < c->n_moves; i++)
        if (!oldest || c->moves[i].epoch < oldest->epoch)
            oldest = &c->moves[i];
    return oldest && oldest->epoch < epoch ? oldest : NULL;
}

void past_put(struct cluster *c, const struct etcd_kv *kv)
{
    struct known_move move = {.mod_revision = kv->mod_revision};
    if (keys_history_parse(kv->key, kv->key_len, &move.ip, &move.epoch, &move.term) < 0 ||
        record_move_parse(kv->value, kv->value_len, &move.record) < 0)
        return;
    struct known_move *to = find(c, &move);
    if (to && to->mod_revision > move.mod_revision)
        return; /* the list was newer than this event */
    to = to ? to : add(c, move.epoch);
    if (to)
        *to = move;
}

void past_delete(struct cluster *c, const struct etcd_kv *kv)
{
    struct known_move like, *move = NULL;
    if (keys_history_parse(kv->key, kv->key_len, &like.ip, &like.epoch, &like.term) == 0)
        move = find(c, &like);
    if (move && move->mod_revision < kv->mod_revision)
        *move = c->moves[--c->n_moves];
}

/* Does etcd have older ones, too? */
static void note_cut(struct cluster *c, const struct etcd_response *list)
{
    struct known_move last;
    struct known_vip *vip;
    if (list->n_kvs == 0)
        return;
    const struct etcd_kv *kv = &list->kvs[list->n_kvs - 1];
    if (keys_history_parse(kv->key, kv->key_len, &last.ip, &last.epoch, &last.term) == 0 &&
        (vip = follow_vip(c, &last.ip)))
        vip->is_past_cut = list->more;
}

static void on_past(void *arg, const struct etcd_reply *reply)
{
    struct cluster *c = arg;
    c->past_call = NULL;
    if (reply->status != ETCD_OK)
        return; /* the next tick tries again */
    for (size_t i = 0; i < reply->n_responses; i++) {
        for (size_t k = 0; k < reply->responses[i].n_kvs; k++)
            past_put(c, &reply->responses[i].kvs[k]);
        note_cut(c, &reply->responses[i]);
    }
    c->past_next = c->past_end;
    cluster_touch(c);
    past_run(c);
}

static bool is_asked_for(const struct cluster *c, const struct ip *ip)
{
    return c->config.history_vip.family == IP_NONE || ip_equal(&c->config.history_vip, ip);
}

static unsigned share(const struct cluster *c)
{
    unsigned n = c->config.history_vip.family != IP_NONE || c->n_vips == 0 ? 1 : c->n_vips;
    unsigned each = SNAPSHOT_HISTORY_MAX / n;
    return each < c->config.history ? each : c->config.history;
}

void past_run(struct cluster *c)
{
    struct etcd_op ops[PAST_BATCH];
    char keys[PAST_BATCH][KEYS_TEXT_MAX];
    struct etcd_txn txn = {.success = ops};
    if (!c->is_listed || c->past_call || c->is_past_known || c->failure != ETCD_OK)
        return;
    unsigned i = c->past_next;
    for (; i < c->n_vips && txn.n_success < PAST_BATCH; i++) {
        if (!is_asked_for(c, &c->vips[i].ip))
            continue;
        size_t k = txn.n_success++;
        keys_history_prefix(&c->vips[i].ip, keys[k]);
        ops[k] = (struct etcd_op){
            .kind = ETCD_OP_RANGE,
            .range = {.key = keys[k], .prefix = true, .order = ETCD_DESCEND, .limit = share(c)}};
    }
    c->past_end = i;
    if (txn.n_success == 0) {
        c->is_past_known = true;
        cluster_touch(c);
        return;
    }
    etcd_call_txn(c->client, &txn, c->config.command_timeout_us, on_past, c, &c->past_call);
}
