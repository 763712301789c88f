/* SPDX-License-Identifier: MIT */
/* All elections, agents and requests at one revision. */
#include "request_state.h"

#include "base/clock.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { RANGE_ELECTIONS, RANGE_NODES, RANGE_RELEASED, RANGE_REQUESTS, RANGES };

int request_read(struct request *q, uint64_t timeout_us, etcd_call_fn then)
{
    static const struct etcd_op ops[RANGES] = {
        [RANGE_ELECTIONS] = {.kind = ETCD_OP_RANGE,
                             .range = {.key = KEYS_ELECTION_PREFIX, .prefix = true}},
        [RANGE_NODES] = {.kind = ETCD_OP_RANGE,
                         .range = {.key = KEYS_NODES_PREFIX, .prefix = true}},
        [RANGE_RELEASED] = {.kind = ETCD_OP_RANGE,
                            .range = {.key = KEYS_RELEASED_PREFIX, .prefix = true}},
        [RANGE_REQUESTS] = {.kind = ETCD_OP_RANGE,
                            .range = {.key = KEYS_REQUESTS_PREFIX, .prefix = true}},
    };
    const struct etcd_txn txn = {.success = ops, .n_success = RANGES};
    return etcd_call_txn(q->client, &txn, timeout_us, then, q, &q->call);
}

static struct request_vip *vip_at(struct request_scene *s, const struct ip *ip)
{
    for (unsigned i = 0; i < s->n_vips; i++)
        if (ip_equal(&s->vips[i].ip, ip))
            return &s->vips[i];
    if (s->n_vips == RECORD_VIPS_MAX)
        return NULL;
    s->vips[s->n_vips] = (struct request_vip){.ip = *ip};
    return &s->vips[s->n_vips++];
}

static struct request_member *member_at(struct request_scene *s, const char *name, unsigned max)
{
    for (unsigned i = 0; i < s->n_nodes; i++)
        if (strcmp(s->nodes[i].name, name) == 0)
            return &s->nodes[i];
    if (s->n_nodes == max || strlen(name) >= REQUEST_NAME_MAX)
        return NULL;
    struct request_member *m = &s->nodes[s->n_nodes++];
    *m = (struct request_member){.renewed_us = -1};
    snprintf(m->name, sizeof(m->name), "%s", name);
    return m;
}

const struct request_member *request_find_node(const struct request_scene *scene, const char *name)
{
    for (unsigned i = 0; i < scene->n_nodes; i++)
        if (strcmp(scene->nodes[i].name, name) == 0)
            return &scene->nodes[i];
    return NULL;
}

static bool has_agent(const struct request_scene *s, const char *name)
{
    const struct request_member *m = request_find_node(s, name);
    return m && m->has_agent;
}

static int by_epoch(const void *a, const void *b)
{
    const struct request_node *x = a, *y = b;
    return x->epoch < y->epoch ? -1 : x->epoch > y->epoch;
}

static int by_name(const void *a, const void *b)
{
    return strcmp(((const struct request_member *)a)->name,
                  ((const struct request_member *)b)->name);
}

static int by_address(const void *a, const void *b)
{
    const struct ip *x = &((const struct request_vip *)a)->ip;
    const struct ip *y = &((const struct request_vip *)b)->ip;
    if (ip_len(x) != ip_len(y))
        return ip_len(x) < ip_len(y) ? -1 : 1;
    return memcmp(x->bytes, y->bytes, ip_len(x));
}

/* etcd gives the keys in their order, so those of one VIP stand together. */
static void read_elections(struct request *q, const struct etcd_response *keys)
{
    struct request_scene *s = &q->scene;
    struct request_vip *vip = NULL;
    unsigned n = 0;
    for (size_t i = 0; i < keys->n_kvs; i++) {
        const struct etcd_kv *kv = &keys->kvs[i];
        struct ip ip;
        int64_t lease;
        if (keys_candidate_parse(kv->key, kv->key_len, &ip, &lease) < 0)
            continue;
        if (!vip || !ip_equal(&vip->ip, &ip))
            vip = vip_at(s, &ip);
        if (!vip)
            return;
        if (vip->n == 0)
            vip->queue = &q->candidates[n];
        struct request_node *node = &q->candidates[n++];
        snprintf(node->name, sizeof(node->name), "%.*s", (int)kv->value_len, kv->value);
        node->epoch = kv->create_revision;
        node->has_agent = has_agent(s, node->name);
        vip->n++;
    }
    for (unsigned i = 0; i < s->n_vips; i++)
        qsort(s->vips[i].queue, s->vips[i].n, sizeof(s->vips[i].queue[0]), by_epoch);
}

static void set_agent(struct request_member *m, const struct etcd_kv *kv)
{
    struct record_node record;
    m->has_agent = true;
    if (record_node_parse(kv->value, kv->value_len, &record) < 0)
        return;
    uint64_t now = clock_wall_us();
    if (record.n_links > 0) {
        snprintf(m->iface, sizeof(m->iface), "%s", record.links[0].name);
        m->is_link_up = record.links[0].is_up;
    }
    if (record.wall_us != 0 && record.wall_us <= now && record.renewed_ago_ms >= 0)
        m->renewed_us = (int64_t)(now - record.wall_us) + record.renewed_ago_ms * 1000;
    record_node_done(&record);
}

static void read_nodes(struct request_scene *s, const struct etcd_response *keys, unsigned max)
{
    for (size_t i = 0; i < keys->n_kvs; i++) {
        char name[KEYS_NODE_MAX + 1];
        if (keys_node_parse(keys->kvs[i].key, keys->kvs[i].key_len, name) < 0)
            continue;
        struct request_member *m = member_at(s, name, max);
        if (m)
            set_agent(m, &keys->kvs[i]);
    }
}

static void read_released(struct request_scene *s, const struct etcd_response *keys)
{
    for (size_t i = 0; i < keys->n_kvs; i++) {
        const struct etcd_kv *kv = &keys->kvs[i];
        struct record_released record;
        struct ip ip;
        if (keys_released_parse(kv->key, kv->key_len, &ip) < 0 ||
            record_released_parse(kv->value, kv->value_len, &record) < 0)
            continue;
        for (unsigned v = 0; v < s->n_vips; v++)
            if (ip_equal(&s->vips[v].ip, &ip))
                s->vips[v].released_wall_us = record.wall_us;
    }
}

static void set_pause(struct request_pause *p, const struct record_request *record)
{
    *p = (struct request_pause){.is_paused = true, .wall_us = record->wall_us};
    snprintf(p->by, sizeof(p->by), "%s", record->by);
    snprintf(p->reason, sizeof(p->reason), "%s", record->reason);
}

static void read_request(struct request_scene *s, const struct etcd_kv *kv, unsigned max)
{
    /* What cannot be read is of a newer version, and the agents take it for a pause. */
    struct record_request record = {.kind = RECORD_PAUSE};
    char node[KEYS_NODE_MAX + 1];
    struct ip ip;
    record_request_parse(kv->value, kv->value_len, &record);
    if (keys_paused_parse(kv->key, kv->key_len, node) == 0) {
        struct request_member *m = member_at(s, node, max);
        if (m)
            set_pause(&m->pause, &record);
        return;
    }
    struct request_vip *vip =
        keys_request_parse(kv->key, kv->key_len, &ip) == 0 ? vip_at(s, &ip) : NULL;
    if (!vip)
        return;
    if (record.kind == RECORD_PAUSE)
        set_pause(&vip->pause, &record);
    /* One to a former holder, or a refused one, is over. */
    vip->is_moving = record.kind == RECORD_RESIGN && record.refused[0] == '\0' && vip->n > 0 &&
                     vip->queue[0].epoch == record.epoch;
    snprintf(vip->moving_by, sizeof(vip->moving_by), "%s", vip->is_moving ? record.by : "");
}

int request_read_scene(struct request *q, const struct etcd_reply *reply)
{
    const struct etcd_response *r = reply->responses;
    struct request_scene *s = &q->scene;
    if (reply->n_responses != RANGES)
        return -EBADMSG;
    size_t nodes = r[RANGE_NODES].n_kvs + r[RANGE_REQUESTS].n_kvs;
    q->candidates = calloc(r[RANGE_ELECTIONS].n_kvs + 1, sizeof(*q->candidates));
    s->vips = calloc(RECORD_VIPS_MAX, sizeof(*s->vips));
    s->nodes = calloc(nodes + 1, sizeof(*s->nodes));
    if (!q->candidates || !s->vips || !s->nodes)
        return -ENOMEM;
    read_nodes(s, &r[RANGE_NODES], (unsigned)nodes);
    read_elections(q, &r[RANGE_ELECTIONS]);
    read_released(s, &r[RANGE_RELEASED]);
    for (size_t i = 0; i < r[RANGE_REQUESTS].n_kvs; i++)
        read_request(s, &r[RANGE_REQUESTS].kvs[i], (unsigned)nodes);
    for (size_t i = 0; i < r[RANGE_REQUESTS].n_kvs; i++) {
        const struct etcd_kv *kv = &r[RANGE_REQUESTS].kvs[i];
        if (q->key[0] && kv->key_len == strlen(q->key) && memcmp(kv->key, q->key, kv->key_len) == 0)
            q->seen_mod = kv->mod_revision;
    }
    qsort(s->vips, s->n_vips, sizeof(s->vips[0]), by_address);
    qsort(s->nodes, s->n_nodes, sizeof(s->nodes[0]), by_name);
    return 0;
}

static void on_looked(void *arg, const struct etcd_reply *reply)
{
    struct request *q = arg;
    q->call = NULL;
    int r = reply->status == ETCD_OK ? request_read_scene(q, reply) : 0;
    if (r == 0) {
        q->scene_fn(q->arg, reply, reply->status == ETCD_OK ? &q->scene : NULL);
    } else {
        const struct etcd_reply failed = {.status = r == -ENOMEM ? ETCD_NO_MEMORY : ETCD_BAD_REPLY,
                                          .endpoint = reply->endpoint};
        q->scene_fn(q->arg, &failed, NULL);
    }
    request_free(q);
}

int request_look(struct etcd_client *client, uint64_t timeout_us, request_scene_fn fn, void *arg,
                 struct request **ret_request)
{
    struct request *q = request_new(client, NULL, arg);
    if (!q)
        return -ENOMEM;
    q->scene_fn = fn;
    int r = request_read(q, timeout_us, on_looked);
    if (r < 0) {
        request_free(q);
        return r;
    }
    *ret_request = q;
    return 0;
}

const struct request_vip *request_find_vip(const struct request_scene *scene, const struct ip *ip)
{
    for (unsigned i = 0; i < scene->n_vips; i++)
        if (ip_equal(&scene->vips[i].ip, ip))
            return &scene->vips[i];
    return NULL;
}
