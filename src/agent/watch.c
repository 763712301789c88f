/* SPDX-License-Identifier: MIT */
/* What the watch on etcd tells: the queues of our VIPs, and the other agents. */
#include "state.h"

#include "etcd/keys.h"

#include <string.h>

#define STRAY_TIMEOUT_US SECOND_US

enum { RANGE_ELECTIONS, RANGE_NODES, RANGE_REQUESTS, RANGE_PEERS, RANGE_PEERKEY, RANGES };

static void on_stray(void *arg, const struct etcd_reply *reply)
{
    (void)arg;
    (void)reply; /* if it failed, the next list of the watch shows the key again */
}

static int slot_of(const struct agent *a, const struct ip *ip)
{
    for (unsigned i = 0; i < a->election.n; i++)
        if (a->slots[i].is_used && ip_equal(&a->slots[i].ip, ip))
            return (int)i;
    return -1;
}

bool watch_read_candidate(const struct etcd_kv *kv, struct ip *ret_ip, struct candidate *ret)
{
    int64_t lease;
    if (keys_candidate_parse(kv->key, kv->key_len, ret_ip, &lease) < 0)
        return false;
    *ret = (struct candidate){.lease = lease, .create_revision = kv->create_revision};
    snprintf(ret->name, sizeof(ret->name), "%.*s", (int)kv->value_len, kv->value);
    return true;
}

/* A campaign of ours that was given up may be carried out late. For a VIP we take part in the core
 * sees to that; one that we have let go of would be blocked for as long as our lease lives. */
static void drop_stray(struct agent *a, const struct ip *ip, const struct candidate *c)
{
    char key[KEYS_TEXT_MAX];
    if (c->lease != a->election.session.lease || a->is_stopping)
        return;
    keys_candidate(ip, c->lease, key);
    const struct etcd_compare same = {
        .target = ETCD_CREATE, .key = key, .number = c->create_revision};
    const struct etcd_op drop = {.kind = ETCD_OP_DELETE, .range.key = key};
    const struct etcd_txn txn = {
        .compares = &same, .n_compares = 1, .success = &drop, .n_success = 1};
    etcd_call_txn(a->etcd, &txn, STRAY_TIMEOUT_US, on_stray, a, NULL);
}

/* One VIP's part of the list; a VIP without candidates has an empty queue. */
static void list_slot(struct agent *a, unsigned i, const struct etcd_response *keys,
                      int64_t revision)
{
    struct candidate list[QUEUE_MAX];
    unsigned n = 0, total = 0;
    for (size_t k = 0; k < keys->n_kvs; k++) {
        struct candidate c;
        struct ip ip;
        if (!watch_read_candidate(&keys->kvs[k], &ip, &c) || !ip_equal(&ip, &a->slots[i].ip))
            continue;
        total++;
        n = queue_keep(list, n, &c, a->election.session.lease);
    }
    struct election_event ev = {
        .type = EV_QUEUE_LISTED,
        .vip = i,
        .queue = {.revision = revision, .list = list, .n = n, .total = total}};
    feed(a, &ev);
}

static void note_node(struct agent *a, const struct etcd_kv *kv)
{
    struct record_node record;
    if (record_node_parse(kv->value, kv->value_len, &record) < 0)
        return;
    record_node_done(&record); /* what it sees is for others to read */
    peers_note(a, &record);
    peerstore_note_node(a, &record, kv->lease);
}

static void on_list(void *arg, const struct etcd_response *ranges, size_t n, int64_t revision)
{
    struct agent *a = arg;
    if (n != RANGES)
        return;
    for (unsigned i = 0; i < a->election.n; i++)
        if (a->slots[i].is_used)
            list_slot(a, i, &ranges[RANGE_ELECTIONS], revision);
    for (size_t k = 0; k < ranges[RANGE_ELECTIONS].n_kvs; k++) {
        struct candidate c;
        struct ip ip;
        if (watch_read_candidate(&ranges[RANGE_ELECTIONS].kvs[k], &ip, &c) && slot_of(a, &ip) < 0)
            drop_stray(a, &ip, &c);
    }
    memset(a->others, 0, sizeof(a->others));
    peerstore_forget_node(a, NULL);
    for (size_t k = 0; k < ranges[RANGE_NODES].n_kvs; k++)
        note_node(a, &ranges[RANGE_NODES].kvs[k]);
    requests_list(a, &ranges[RANGE_REQUESTS], revision);
    peerstore_on_list(a, &ranges[RANGE_PEERS], revision);
    peerwire_on_key(a, ranges[RANGE_PEERKEY].n_kvs ? ranges[RANGE_PEERKEY].kvs : NULL);
}

static void on_election_event(struct agent *a, enum etcd_event_type type, const struct etcd_kv *kv,
                              int64_t revision)
{
    struct election_event ev = {.type = type == ETCD_EVENT_PUT ? EV_KEY_PUT : EV_KEY_DELETED,
                                .revision = revision};
    struct ip ip;
    if (!watch_read_candidate(kv, &ip, &ev.candidate))
        return;
    int i = slot_of(a, &ip);
    if (i < 0) {
        if (type == ETCD_EVENT_PUT)
            drop_stray(a, &ip, &ev.candidate);
        return;
    }
    ev.vip = (unsigned)i;
    ev.lease = ev.candidate.lease;
    feed(a, &ev);
}

static void on_node_event(struct agent *a, enum etcd_event_type type, const struct etcd_kv *kv)
{
    char node[KEYS_NODE_MAX + 1];
    if (type == ETCD_EVENT_PUT) {
        note_node(a, kv);
    } else if (keys_node_parse(kv->key, kv->key_len, node) == 0) {
        peers_forget(a, node);
        peerstore_forget_node(a, node);
    }
    peerstore_tell_members(a);
}

static void on_event(void *arg, size_t range, enum etcd_event_type type, const struct etcd_kv *kv,
                     int64_t revision)
{
    struct agent *a = arg;
    if (range == RANGE_ELECTIONS)
        on_election_event(a, type, kv, revision);
    else if (range == RANGE_NODES)
        on_node_event(a, type, kv);
    else if (range == RANGE_REQUESTS)
        requests_event(a, type, kv, revision);
    else if (range == RANGE_PEERS)
        peerstore_on_event(a, type, kv, revision);
    else
        peerwire_on_key(a, type == ETCD_EVENT_PUT ? kv : NULL);
}

static void on_broken(void *arg, enum etcd_status status, const char *reason)
{
    (void)arg;
    log_event(LOG_DEBUG, "watch_broken", NULL,
              LOG_FIELDS(LOG_TEXT("status", etcd_status_name(status))), "watch on etcd broken: %s",
              reason);
}

int watch_open(struct agent *a)
{
    static const struct etcd_watch_range ranges[RANGES] = {
        [RANGE_ELECTIONS] = {.key = KEYS_ELECTION_PREFIX, .prefix = true},
        [RANGE_NODES] = {.key = KEYS_NODES_PREFIX, .prefix = true},
        [RANGE_REQUESTS] = {.key = KEYS_REQUESTS_PREFIX, .prefix = true},
        [RANGE_PEERS] = {.key = KEYS_PEERS_PREFIX, .prefix = true},
        [RANGE_PEERKEY] = {.key = KEYS_PEERKEY},
    };
    static const struct etcd_watch_callbacks callbacks = {
        .on_list = on_list, .on_event = on_event, .on_broken = on_broken};
    return etcd_watch_new(a->etcd, ranges, RANGES, &callbacks, a, &a->watch);
}
