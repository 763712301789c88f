/* SPDX-License-Identifier: MIT */
#include "state.h"

#include "base/clock.h"
#include "base/text.h"
#include "etcd/keys.h"
#include "etcd/peers.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

enum { ELECTION, NODES, REQUESTS, RELEASED, PEERS, HISTORY, RANGES };

/* A record is written at least so often, with some room; an older one tells of a wrong clock. */
#define RECORD_AGE_MAX_US INT64_C(15000000)

struct known_vip *follow_vip(struct cluster *c, const struct ip *ip)
{
    for (unsigned i = 0; i < c->n_vips; i++)
        if (ip_equal(&c->vips[i].ip, ip))
            return &c->vips[i];
    if (c->n_vips == SNAPSHOT_VIPS_MAX)
        return NULL;
    struct known_vip *vip = &c->vips[c->n_vips++];
    *vip = (struct known_vip){.ip = *ip};
    c->is_past_known = false;
    return vip;
}

/* The last to go makes room for a new one. */
static struct known_node *new_node(struct cluster *c)
{
    struct known_node *oldest = NULL;
    if (c->n_nodes < SNAPSHOT_NODES_MAX)
        return &c->nodes[c->n_nodes++];
    for (unsigned i = 0; i < c->n_nodes; i++)
        if (!c->nodes[i].is_present && (!oldest || c->nodes[i].lost_us < oldest->lost_us))
            oldest = &c->nodes[i];
    if (oldest)
        record_node_done(&oldest->record);
    return oldest;
}

struct known_node *follow_node(struct cluster *c, const char *name)
{
    for (unsigned i = 0; i < c->n_nodes; i++)
        if (strcmp(c->nodes[i].name, name) == 0)
            return &c->nodes[i];
    return NULL;
}

/* NULL when there is no room. */
static struct known_node *meet_node(struct cluster *c, const char *name)
{
    struct known_node *node = follow_node(c, name);
    if (node || !(node = new_node(c)))
        return node;
    *node = (struct known_node){.is_present = false};
    memcpy(node->name, name, strlen(name) + 1);
    return node;
}

const struct candidate *follow_leader(const struct cluster *c, const struct ip *ip)
{
    const struct candidate *first = NULL;
    for (size_t i = 0; i < c->n_candidates; i++) {
        const struct candidate *k = &c->candidates[i];
        if (ip_equal(&k->ip, ip) && (!first || k->create_revision < first->create_revision))
            first = k;
    }
    return first;
}

/* Who leads may be somebody else now. */
static void note_leader(struct cluster *c, const struct ip *ip, bool is_list)
{
    struct known_vip *vip = follow_vip(c, ip);
    const struct candidate *leader = follow_leader(c, ip);
    int64_t epoch = leader ? leader->create_revision : 0;
    if (!vip || vip->epoch == epoch)
        return;
    uint64_t now = clock_now_us();
    if (vip->epoch && !epoch)
        vip->gone_us = now;
    vip->epoch = epoch;
    vip->since_us = epoch ? now : 0;
    vip->was_there = is_list;
}

static struct candidate *find_candidate(struct cluster *c, const struct ip *ip, int64_t lease)
{
    for (size_t i = 0; i < c->n_candidates; i++)
        if (c->candidates[i].lease == lease && ip_equal(&c->candidates[i].ip, ip))
            return &c->candidates[i];
    return NULL;
}

static struct candidate *add_candidate(struct cluster *c)
{
    if (c->n_candidates == c->room_candidates) {
        size_t room = c->room_candidates ? 2 * c->room_candidates : 64;
        struct candidate *grown =
            room > CANDIDATES_MAX ? NULL : realloc(c->candidates, room * sizeof(*c->candidates));
        if (!grown)
            return NULL;
        c->candidates = grown;
        c->room_candidates = room;
    }
    return &c->candidates[c->n_candidates++];
}

/* Names are bounded and UTF-8, keys' and candidates' alike; what is longer is cut, which changes
 * nobody's place. */
static int node_name(int (*parse)(const char *, size_t, char *), const struct etcd_kv *kv,
                     char ret_name[SNAPSHOT_NAME_MAX])
{
    char name[KEYS_NODE_MAX + 1];
    int r = parse(kv->key, kv->key_len, name);
    if (r == 0)
        text_copy(ret_name, SNAPSHOT_NAME_MAX, name);
    return r;
}

static void put_candidate(struct cluster *c, const struct etcd_kv *kv, bool is_new)
{
    struct candidate k = {.create_revision = kv->create_revision};
    if (keys_candidate_parse(kv->key, kv->key_len, &k.ip, &k.lease) < 0)
        return;
    if (kv->lease)
        k.lease = kv->lease;
    text_copy(k.name, sizeof(k.name), kv->value);
    struct candidate *to = is_new ? NULL : find_candidate(c, &k.ip, k.lease);
    to = to ? to : add_candidate(c);
    if (to)
        *to = k;
}

static void on_election(struct cluster *c, enum etcd_event_type type, const struct etcd_kv *kv)
{
    struct ip ip;
    int64_t lease;
    if (keys_candidate_parse(kv->key, kv->key_len, &ip, &lease) < 0)
        return;
    struct candidate *k = find_candidate(c, &ip, lease);
    if (type == ETCD_EVENT_PUT)
        put_candidate(c, kv, false);
    else if (k)
        *k = c->candidates[--c->n_candidates];
    note_leader(c, &ip, false);
    lease_sweep(c);
}

/* A record that has just come is as old as its way through etcd took, so that its time tells about
 * the clock it was taken from. One that was found may be some seconds old, which hides as much. */
static void note_clock(struct known_node *node, bool is_list)
{
    int64_t age = (int64_t)(clock_wall_us() - node->record.wall_us);
    node->heard_us = clock_now_us();
    node->base_age_us = 0;
    node->is_clock_known = !is_list && node->record.wall_us;
    node->clock_offset_us = -age;
    if (!is_list || !node->record.wall_us)
        return;
    if (age >= 0 && age < RECORD_AGE_MAX_US)
        node->base_age_us = age;
    else
        node->is_clock_known = true;
}

static void put_node(struct cluster *c, const struct etcd_kv *kv, bool is_list)
{
    char name[SNAPSHOT_NAME_MAX];
    struct record_node record = {.n_vips = 0};
    if (node_name(keys_node_parse, kv, name) < 0 ||
        record_node_parse(kv->value, kv->value_len, &record) < 0)
        return;
    struct known_node *node = meet_node(c, name);
    if (!node) {
        record_node_done(&record);
        return;
    }
    bool is_clock_known = node->is_present && node->is_clock_known;
    int64_t offset = node->clock_offset_us;
    record_node_done(&node->record);
    node->record = record;
    node->is_present = true;
    node->mod_revision = kv->mod_revision;
    note_clock(node, is_list);
    if (is_list && is_clock_known && !node->is_clock_known) {
        node->is_clock_known = true;
        node->clock_offset_us = offset;
    }
    for (unsigned i = 0; i < record.n_vips; i++)
        follow_vip(c, &record.vips[i].ip);
}

static void delete_node(struct cluster *c, const struct etcd_kv *kv)
{
    char name[SNAPSHOT_NAME_MAX];
    struct known_node *node = NULL;
    if (node_name(keys_node_parse, kv, name) == 0)
        node = follow_node(c, name);
    if (!node)
        return;
    node->is_present = false;
    node->lost_us = clock_now_us();
}

static void put_request(struct cluster *c, const struct etcd_kv *kv)
{
    struct ip ip;
    struct known_vip *vip;
    if (keys_request_parse(kv->key, kv->key_len, &ip) == 0 && (vip = follow_vip(c, &ip)))
        vip->has_request = record_request_parse(kv->value, kv->value_len, &vip->request) == 0;
}

static void put_released(struct cluster *c, const struct etcd_kv *kv)
{
    struct ip ip;
    struct known_vip *vip;
    if (keys_released_parse(kv->key, kv->key_len, &ip) < 0 || !(vip = follow_vip(c, &ip)))
        return;
    vip->has_released = record_released_parse(kv->value, kv->value_len, &vip->released) == 0;
    vip->released_revision = kv->mod_revision;
}

/* The list of voters over one node's lease; `kv` may be of a deletion. It may come before the
 * node's record, for order is kept within a range only. */
static void put_peers(struct cluster *c, const struct etcd_kv *kv)
{
    char name[SNAPSHOT_NAME_MAX];
    struct peers_record record = {.n_voters = 0};
    struct known_node *node = NULL;
    if (node_name(keys_peers_parse, kv, name) == 0)
        node = kv->value_len > 0 ? meet_node(c, name) : follow_node(c, name);
    if (!node)
        return;
    if (kv->value_len > 0 && peers_record_parse(kv->value, kv->value_len, &record) < 0)
        record.n_voters = 0;
    node->voters = record.n_voters;
    node->window_us = record.window_us;
}

static void drop_record(struct cluster *c, size_t range, const struct etcd_kv *kv)
{
    struct ip ip;
    int r = range == REQUESTS ? keys_request_parse(kv->key, kv->key_len, &ip)
                              : keys_released_parse(kv->key, kv->key_len, &ip);
    struct known_vip *vip = r == 0 ? follow_vip(c, &ip) : NULL;
    if (vip && range == REQUESTS)
        vip->has_request = false;
    else if (vip)
        vip->has_released = false;
}

static void forget(struct cluster *c)
{
    uint64_t now = clock_now_us();
    c->n_candidates = 0;
    for (unsigned i = 0; i < c->n_vips; i++)
        c->vips[i].has_request = c->vips[i].has_released = false;
    for (unsigned i = 0; i < c->n_nodes; i++)
        if (c->nodes[i].is_present)
            c->nodes[i].lost_us = now;
}

static void on_list(void *arg, const struct etcd_response *ranges, size_t n, int64_t revision)
{
    struct cluster *c = arg;
    (void)n;
    forget(c);
    for (size_t i = 0; i < ranges[ELECTION].n_kvs; i++) {
        struct ip ip;
        int64_t lease;
        const struct etcd_kv *kv = &ranges[ELECTION].kvs[i];
        put_candidate(c, kv, true);
        if (keys_candidate_parse(kv->key, kv->key_len, &ip, &lease) == 0)
            follow_vip(c, &ip);
    }
    for (unsigned i = 0; i < c->n_nodes; i++) {
        c->nodes[i].is_present = false;
        c->nodes[i].voters = 0;
    }
    for (size_t i = 0; i < ranges[NODES].n_kvs; i++)
        put_node(c, &ranges[NODES].kvs[i], true);
    for (size_t i = 0; i < ranges[REQUESTS].n_kvs; i++)
        put_request(c, &ranges[REQUESTS].kvs[i]);
    for (size_t i = 0; i < ranges[RELEASED].n_kvs; i++)
        put_released(c, &ranges[RELEASED].kvs[i]);
    for (size_t i = 0; i < ranges[PEERS].n_kvs; i++)
        put_peers(c, &ranges[PEERS].kvs[i]);
    for (unsigned i = 0; i < c->n_vips; i++)
        note_leader(c, &c->vips[i].ip, true);
    c->is_listed = true;
    c->listed_us = clock_now_us();
    etcd_call_cancel(c->past_call); /* moves may have been missed: list them again */
    c->past_call = NULL;
    c->past_next = 0;
    c->is_past_known = false;
    cluster_heard(c, &(struct etcd_header){.revision = revision});
    lease_sweep(c);
    loop_timer_set(c->tick, 0);
}

static void on_event(void *arg, size_t range, enum etcd_event_type type, const struct etcd_kv *kv,
                     int64_t revision)
{
    struct cluster *c = arg;
    if (range == ELECTION)
        on_election(c, type, kv);
    else if (range == HISTORY && type == ETCD_EVENT_PUT)
        past_put(c, kv);
    else if (range == HISTORY)
        past_delete(c, kv);
    else if (range == PEERS)
        put_peers(c, kv);
    else if (type == ETCD_EVENT_DELETE && range == NODES)
        delete_node(c, kv);
    else if (type == ETCD_EVENT_DELETE)
        drop_record(c, range, kv);
    else if (range == NODES)
        put_node(c, kv, false);
    else if (range == REQUESTS)
        put_request(c, kv);
    else
        put_released(c, kv);
    if (revision > c->revision)
        c->revision = revision;
    cluster_changed(c);
}

static void on_synced(void *arg)
{
    struct cluster *c = arg;
    c->synced_us = clock_now_us();
}

static void on_broken(void *arg, enum etcd_status status, const char *reason)
{
    struct cluster *c = arg;
    if (!c->is_listed)
        cluster_failed(c, status, reason);
}

int follow_start(struct cluster *c)
{
    static const struct etcd_watch_range ranges[RANGES] = {
        [ELECTION] = {.key = KEYS_ELECTION_PREFIX, .prefix = true},
        [NODES] = {.key = KEYS_NODES_PREFIX, .prefix = true},
        [REQUESTS] = {.key = KEYS_REQUESTS_PREFIX, .prefix = true},
        [RELEASED] = {.key = KEYS_RELEASED_PREFIX, .prefix = true},
        [PEERS] = {.key = KEYS_PEERS_PREFIX, .prefix = true},
        [HISTORY] = {.key = KEYS_HISTORY_PREFIX, .prefix = true, .no_list = true},
    };
    static const struct etcd_watch_callbacks callbacks = {
        .on_list = on_list, .on_event = on_event, .on_synced = on_synced, .on_broken = on_broken};
    return etcd_watch_new(c->client, ranges, RANGES, &callbacks, c, &c->watch);
}
