/* SPDX-License-Identifier: MIT */
/* What people ask for through etcd: to resign, to pause a VIP, to leave this node out. */
#include "state.h"

#include "etcd/keys.h"

#include <string.h>

#define ANSWER_TIMEOUT_US SECOND_US

/* "alice@host: kernel update"; the reason may be missing. */
static void describe(const struct record_request *r, char out[RECORD_TEXT_MAX])
{
    const char *by = r->by[0] ? r->by : "somebody";
    snprintf(out, RECORD_TEXT_MAX, r->reason[0] ? "%.60s: %.95s" : "%.60s", by, r->reason);
}

static bool is_same(const struct record_request *a, const struct record_request *b)
{
    return a->kind == b->kind && a->epoch == b->epoch && strcmp(a->to, b->to) == 0 &&
           strcmp(a->by, b->by) == 0 && strcmp(a->reason, b->reason) == 0;
}

static void tell(struct agent *a, unsigned i, const struct record_request *now, bool was_paused)
{
    const struct slot *slot = &a->slots[i];
    char who[RECORD_TEXT_MAX] = "";
    if (now)
        describe(now, who);
    if (now && now->kind == RECORD_PAUSE && !was_paused)
        log_event(LOG_INFO, "paused", slot->text, LOG_FIELDS(LOG_TEXT("by", now->by)),
                  "paused by %s: it stays where it is until resume", who);
    else if (was_paused && !(now && now->kind == RECORD_PAUSE))
        log_event(LOG_INFO, "resumed", slot->text, NULL, "no longer paused");
    if (now && now->kind == RECORD_RESIGN && now->epoch != 0 && now->epoch == a->vips[i].revision &&
        now->refused[0] == '\0')
        log_event(LOG_INFO, "request", slot->text,
                  LOG_FIELDS(LOG_TEXT("by", now->by), LOG_TEXT("to", now->to)),
                  "asked to resign%s%s by %s", now->to[0] ? " to " : "", now->to, who);
}

/* `record` NULL: nothing is asked for. */
static void note(struct agent *a, unsigned i, const struct record_request *record, int64_t mod,
                 int64_t revision)
{
    struct slot *slot = &a->slots[i];
    struct election_event ev = {.type = EV_REQUEST, .vip = i, .revision = revision};
    bool was_paused = slot->asked_mod != 0 && slot->asked.kind == RECORD_PAUSE;
    bool is_known = record && slot->asked_mod != 0 && is_same(&slot->asked, record);
    if (!is_known)
        tell(a, i, record, was_paused);
    slot->asked = record ? *record : (struct record_request){.epoch = 0};
    slot->asked_mod = record ? mod : 0;
    if (record && record->kind == RECORD_PAUSE) {
        ev.request.ask = ASK_PAUSE;
    } else if (record && record->refused[0] == '\0') {
        ev.request.ask = ASK_RESIGN;
        ev.request.epoch = record->epoch;
        snprintf(ev.request.to, sizeof(ev.request.to), "%s", record->to);
    }
    feed(a, &ev);
}

/* What cannot be read is of a newer version: leaving things as they are is never wrong for long. */
static struct record_request read_request(const struct etcd_kv *kv)
{
    struct record_request record;
    if (record_request_parse(kv->value, kv->value_len, &record) < 0)
        record = (struct record_request){.kind = RECORD_PAUSE};
    return record;
}

void requests_bar(struct agent *a, unsigned i, bool is_paused)
{
    struct election_event ev = {.type = EV_BAR, .vip = i, .bar = BAR_PAUSE, .yes = is_paused};
    feed(a, &ev);
}

/* NULL: it is not, or no longer. */
static void set_paused(struct agent *a, const struct record_request *record, int64_t mod)
{
    char who[RECORD_TEXT_MAX];
    bool was_paused = a->is_paused;
    a->is_paused = record != NULL;
    a->pause_mod = mod;
    if (record)
        a->pause = *record;
    if (a->is_paused == was_paused)
        return;
    if (record) {
        describe(record, who);
        log_event(LOG_INFO, "node_paused", NULL, LOG_FIELDS(LOG_TEXT("by", record->by)),
                  "this node is paused by %s: it takes no part until resume", who);
    } else {
        log_event(LOG_INFO, "node_resumed", NULL, NULL, "this node takes part again");
    }
    for (unsigned i = 0; i < a->election.n; i++)
        if (a->slots[i].is_used)
            requests_bar(a, i, a->is_paused);
    publish_soon(a);
}

static bool is_own_pause(const struct agent *a, const struct etcd_kv *kv)
{
    char node[KEYS_NODE_MAX + 1];
    return keys_paused_parse(kv->key, kv->key_len, node) == 0 &&
           strcmp(node, a->settings.node) == 0;
}

void requests_begin(struct agent *a, const struct etcd_response *paused)
{
    if (paused->n_kvs == 0)
        return;
    struct record_request record = read_request(&paused->kvs[0]);
    set_paused(a, &record, paused->kvs[0].mod_revision);
}

void requests_list(struct agent *a, const struct etcd_response *keys, int64_t revision)
{
    const struct etcd_kv *own = NULL;
    for (size_t k = 0; k < keys->n_kvs; k++)
        if (is_own_pause(a, &keys->kvs[k]))
            own = &keys->kvs[k];
    struct record_request record;
    if (own)
        record = read_request(own);
    set_paused(a, own ? &record : NULL, own ? own->mod_revision : 0);
    for (unsigned i = 0; i < a->election.n; i++) {
        const struct etcd_kv *found = NULL;
        struct ip ip;
        if (!a->slots[i].is_used)
            continue;
        for (size_t k = 0; k < keys->n_kvs; k++)
            if (keys_request_parse(keys->kvs[k].key, keys->kvs[k].key_len, &ip) == 0 &&
                ip_equal(&ip, &a->slots[i].ip))
                found = &keys->kvs[k];
        if (found)
            record = read_request(found);
        note(a, i, found ? &record : NULL, found ? found->mod_revision : 0, revision);
    }
}

void requests_event(struct agent *a, enum etcd_event_type type, const struct etcd_kv *kv,
                    int64_t revision)
{
    bool is_put = type == ETCD_EVENT_PUT;
    struct record_request record = {.epoch = 0};
    struct ip ip;
    if (is_put)
        record = read_request(kv);
    if (is_own_pause(a, kv)) {
        set_paused(a, is_put ? &record : NULL, is_put ? kv->mod_revision : 0);
        return;
    }
    if (keys_request_parse(kv->key, kv->key_len, &ip) < 0)
        return;
    for (unsigned i = 0; i < a->election.n; i++)
        if (a->slots[i].is_used && ip_equal(&a->slots[i].ip, &ip))
            note(a, i, is_put ? &record : NULL, kv->mod_revision, revision);
}

static void on_answered(void *arg, const struct etcd_reply *reply)
{
    (void)arg;
    (void)reply; /* if it failed, the request ends with its lease */
}

/* Deletes the request, or puts `value` in its place, if it is still the one we know. */
static void answer(struct agent *a, unsigned i, const char *value, size_t value_len)
{
    const struct slot *slot = &a->slots[i];
    char key[KEYS_TEXT_MAX];
    keys_request(&slot->ip, key);
    const struct etcd_compare same = {.target = ETCD_MOD, .key = key, .number = slot->asked_mod};
    const struct etcd_op op = {.kind = value ? ETCD_OP_PUT : ETCD_OP_DELETE,
                               .range.key = key,
                               .value = value,
                               .value_len = value_len,
                               .ignore_lease = value != NULL};
    const struct etcd_txn txn = {
        .compares = &same, .n_compares = 1, .success = &op, .n_success = 1};
    etcd_call_txn(a->etcd, &txn, ANSWER_TIMEOUT_US, on_answered, a, NULL);
}

static bool is_asked(const struct agent *a, unsigned i, int64_t epoch)
{
    const struct slot *slot = &a->slots[i];
    return slot->asked_mod != 0 && slot->asked.kind == RECORD_RESIGN && slot->asked.epoch == epoch;
}

void requests_finish(struct agent *a, unsigned i, int64_t epoch)
{
    if (is_asked(a, i, epoch))
        answer(a, i, NULL, 0);
}

static void explain(const struct agent *a, const struct election_action *action,
                    char out[RECORD_TEXT_MAX])
{
    const char *to = a->slots[action->vip].asked.to;
    const struct queue *q = &a->vips[action->vip].queue;
    const char *next = q->n > 1 ? q->at[1].name : "";
    if (action->refusal == REFUSAL_ALONE)
        snprintf(out, RECORD_TEXT_MAX, "nobody else stands in the queue");
    else if (action->refusal == REFUSAL_ABSENT)
        snprintf(out, RECORD_TEXT_MAX, "%.63s does not stand in the queue", to);
    else
        snprintf(out, RECORD_TEXT_MAX,
                 "%.40s stands before %.40s and did not step behind within 3s%s", next, to,
                 peers_is_agent(a, next) ? "" : ": it runs no agent");
}

void requests_refuse(struct agent *a, const struct election_action *action)
{
    struct slot *slot = &a->slots[action->vip];
    struct buf json;
    if (!is_asked(a, action->vip, action->revision))
        return;
    struct record_request record = slot->asked;
    explain(a, action, record.refused);
    log_event(LOG_WARN, "request_refused", slot->text,
              LOG_FIELDS(LOG_TEXT("by", record.by), LOG_TEXT("to", record.to)),
              "not resigned as asked by %s: %s", record.by, record.refused);
    buf_init(&json, 4096);
    if (record_request_write(&record, &json) == 0)
        answer(a, action->vip, buf_str(&json), json.len);
    buf_done(&json);
}

void requests_detail(const struct agent *a, unsigned slot, char out[RECORD_TEXT_MAX])
{
    int64_t epoch = a->vips[slot].revision;
    out[0] = '\0';
    if (epoch != 0 && is_asked(a, slot, epoch))
        describe(&a->slots[slot].asked, out);
    else if (a->is_paused)
        describe(&a->pause, out);
}
