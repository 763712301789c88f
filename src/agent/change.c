/* SPDX-License-Identifier: MIT */
/* POST /v1/resign, /v1/pause and /v1/resume: the same keys that `talosvip resign` writes, for
 * people of this host who have no access to etcd of their own. */
#include "state.h"

#include "etcd/keys.h"

#include <stdlib.h>
#include <string.h>

#define CHANGE_TIMEOUT_US SECOND_US
#define CHANGE_LEASE_S 30

/* One POST on its way to etcd. */
struct change {
    struct agent *agent;
    struct etcd_call *call;
    uint64_t id;
    char key[KEYS_TEXT_MAX];
    int64_t seen_mod; /* of the key; 0: it must not be there */
    bool is_resume;
    struct buf value;
};

static void end(struct change *change, int status, const char *error)
{
    struct agent *a = change->agent;
    for (unsigned i = 0; i < AGENT_CHANGES_MAX; i++)
        if (a->changes[i] == change)
            a->changes[i] = NULL;
    etcd_call_cancel(change->call);
    api_server_answer(change->agent->api, change->id, status, error);
    buf_done(&change->value);
    free(change);
}

void change_close(struct agent *a)
{
    for (unsigned i = 0; i < AGENT_CHANGES_MAX; i++)
        if (a->changes[i])
            end(a->changes[i], 503, "this agent leaves etcd");
}

/* A repeated txn whose first copy did the work. */
static bool is_as_wanted(const struct change *change, const struct etcd_response *now)
{
    if (change->is_resume)
        return now->n_kvs == 0;
    return now->n_kvs == 1 && now->kvs[0].value_len == change->value.len &&
           memcmp(now->kvs[0].value, change->value.data, change->value.len) == 0;
}

static void on_written(void *arg, const struct etcd_reply *reply)
{
    struct change *change = arg;
    change->call = NULL;
    if (reply->status != ETCD_OK)
        end(change, 503, "etcd did not take it");
    else if (!reply->succeeded &&
             (reply->n_responses != 1 || !is_as_wanted(change, &reply->responses[0])))
        end(change, 409,
            change->is_resume ? "it is not paused" : "there is another request already");
    else
        end(change, 200, NULL);
}

static void write_key(struct change *change, int64_t lease)
{
    const struct etcd_compare unchanged = {
        .target = ETCD_MOD, .key = change->key, .number = change->seen_mod};
    const struct etcd_op op = {.kind = change->is_resume ? ETCD_OP_DELETE : ETCD_OP_PUT,
                               .range.key = change->key,
                               .value = buf_str(&change->value),
                               .value_len = change->value.len,
                               .lease = lease};
    const struct etcd_op read = {.kind = ETCD_OP_RANGE, .range.key = change->key};
    const struct etcd_txn txn = {.compares = &unchanged,
                                 .n_compares = 1,
                                 .success = &op,
                                 .n_success = 1,
                                 .failure = &read,
                                 .n_failure = 1};
    if (etcd_call_txn(change->agent->etcd, &txn, CHANGE_TIMEOUT_US, on_written, change,
                      &change->call) < 0)
        end(change, 500, "etcd cannot be asked");
}

static void on_granted(void *arg, const struct etcd_reply *reply)
{
    struct change *change = arg;
    change->call = NULL;
    if (reply->status == ETCD_OK)
        write_key(change, reply->lease);
    else
        end(change, 503, "etcd did not take it");
}

static int slot_of(const struct agent *a, const struct ip *ip)
{
    for (unsigned i = 0; i < a->election.n; i++)
        if (a->slots[i].is_used && ip_equal(&a->slots[i].ip, ip))
            return (int)i;
    return -1;
}

/* NULL, or why the owner cannot be asked. */
static const char *fill_resign(const struct agent *a, unsigned i, const struct api_request *wish,
                               struct record_request *record)
{
    const struct queue *q = &a->vips[i].queue;
    const struct candidate *leader = queue_leader(q);
    const struct slot *slot = &a->slots[i];
    if (!leader)
        return "nobody holds it";
    if (strcmp(leader->name, a->settings.node) != 0 && !peers_is_agent(a, leader->name))
        return "its holder runs no agent that could be asked";
    if (slot->asked_mod && slot->asked.kind == RECORD_PAUSE)
        return "it is paused";
    if (strcmp(leader->name, wish->to) == 0)
        return "that node has it already";
    record->kind = RECORD_RESIGN;
    record->epoch = leader->create_revision;
    snprintf(record->to, sizeof(record->to), "%s", wish->to);
    return NULL;
}

/* NULL, or why not. */
static const char *fill(struct change *change, const struct api_request *wish, int i)
{
    struct agent *a = change->agent;
    struct record_request record = {.kind = RECORD_PAUSE, .wall_us = clock_wall_us()};
    const struct slot *slot = i < 0 ? NULL : &a->slots[i];
    const char *why = NULL;
    change->is_resume = wish->kind == API_RESUME;
    if (slot)
        keys_request(&slot->ip, change->key);
    else if (keys_paused(a->settings.node, change->key) < 0)
        return "this node has no name";
    bool is_paused = slot ? slot->asked_mod && slot->asked.kind == RECORD_PAUSE : a->is_paused;
    if (wish->kind != API_RESIGN && change->is_resume != is_paused)
        return change->is_resume ? "it is not paused" : "it is paused already";
    if (wish->kind == API_RESIGN)
        why = fill_resign(a, (unsigned)i, wish, &record);
    if (slot && (change->is_resume || slot->asked.refused[0]))
        change->seen_mod = slot->asked_mod;
    if (!slot && change->is_resume)
        change->seen_mod = a->pause_mod;
    snprintf(record.by, sizeof(record.by), "%s", wish->by);
    snprintf(record.reason, sizeof(record.reason), "%s", wish->reason);
    if (!why && record_request_write(&record, &change->value) < 0)
        why = "no memory";
    return why;
}

static struct change *change_new(struct agent *a, uint64_t id)
{
    for (unsigned i = 0; i < AGENT_CHANGES_MAX; i++) {
        if (a->changes[i])
            continue;
        struct change *change = calloc(1, sizeof(*change));
        if (!change)
            return NULL;
        change->agent = a;
        change->id = id;
        buf_init(&change->value, 4096);
        a->changes[i] = change;
        return change;
    }
    return NULL;
}

void change_start(void *arg, uint64_t id, const struct api_request *wish)
{
    struct agent *a = arg;
    int i = wish->has_vip ? slot_of(a, &wish->vip) : -1;
    if (wish->has_vip && i < 0) {
        api_server_answer(a->api, id, 404, "this agent has no such VIP");
        return;
    }
    if (a->election.session.state != SESSION_LIVE) {
        api_server_answer(a->api, id, 503, "this agent has no session with etcd");
        return;
    }
    struct change *change = change_new(a, id);
    if (!change) {
        api_server_answer(a->api, id, 503, "too many requests");
        return;
    }
    const char *why = fill(change, wish, i);
    if (why)
        end(change, 409, why);
    else if (wish->kind != API_RESIGN)
        write_key(change, 0);
    else if (etcd_call_grant(a->etcd, CHANGE_LEASE_S, CHANGE_TIMEOUT_US, on_granted, change,
                             &change->call) < 0)
        end(change, 500, "etcd cannot be asked");
}
