/* SPDX-License-Identifier: MIT */
/* Requests of the core as etcd calls, and their answers as events. Every txn is written so that
 * carrying it out twice is harmless. */
#include "state.h"

#include "etcd/keys.h"

#include <errno.h>
#include <string.h>

#define CALL_TIMEOUT_US SECOND_US
/* Compares per txn of a key check; two for each VIP, and etcd takes ETCD_OPS_MAX. */
#define CHECK_MAX 120
_Static_assert((CHECK_MAX - 1) * AGENT_CHECKS_MAX >= 2 * ELECTION_VIPS_MAX,
               "a key check of all VIPs fits");
/* What a proof reads: the queue, the release on record, a request, and our own key, which may stand
 * behind all that are listed. */
#define PROOF_RANGES 4

void store_note_answer(struct agent *a, const struct etcd_reply *reply)
{
    bool is_well = reply->status == ETCD_OK || reply->status == ETCD_LEASE_GONE;
    bool was_well = a->etcd_error[0] == '\0';
    if (is_well && !was_well)
        log_event(LOG_INFO, "etcd_back", NULL, LOG_FIELDS(LOG_TEXT("endpoint", reply->endpoint)),
                  "etcd answers again (%s)", reply->endpoint);
    if (!is_well && was_well)
        log_event(LOG_WARN, "etcd_error", NULL,
                  LOG_FIELDS(LOG_TEXT("endpoint", reply->endpoint),
                             LOG_TEXT("status", etcd_status_name(reply->status))),
                  "etcd: %s", reply->message);
    snprintf(a->etcd_error, sizeof(a->etcd_error), "%s", is_well ? "" : reply->message);
    if (is_well)
        guardian_note_token(a);
    history_term(a, &reply->header);
}

void store_cancel(struct request *q)
{
    etcd_call_cancel(q->call);
    q->call = NULL;
}

static enum election_result result_of(const struct etcd_reply *reply)
{
    if (reply->status == ETCD_OK)
        return RESULT_OK;
    return reply->status == ETCD_LEASE_GONE ? RESULT_GONE : RESULT_FAILED;
}

static void on_lease_answer(void *arg, const struct etcd_reply *reply)
{
    static const enum election_event_type types[ACT_TYPES] = {
        [ACT_LEASE_GRANT] = EV_LEASE_GRANTED,
        [ACT_LEASE_RENEW] = EV_LEASE_RENEWED,
        [ACT_LEASE_REVOKE] = EV_LEASE_REVOKED,
    };
    struct request *q = arg;
    struct agent *a = q->agent;
    uint64_t renewed_us = a->election.session.renewed_us;
    q->call = NULL;
    store_note_answer(a, reply);
    struct election_event ev = {.type = types[q->type],
                                .req = q->req,
                                .result = result_of(reply),
                                .lease = reply->lease,
                                .ttl_us = (uint64_t)reply->ttl_s * SECOND_US};
    feed(a, &ev);
    if (q->type != ACT_LEASE_RENEW)
        return;
    bool is_good = a->election.session.renewed_us != renewed_us;
    metrics_count_renewal(a, is_good ? a->election.session.latency_us : 0);
    publish_renewed(a, reply->status == ETCD_OK, reply->received_us - reply->sent_us);
    report_late_renewal(a);
    if (is_good)
        history_proved(a, HISTORY_RENEWED, reply->header.raft_term);
}

static void on_resigned(void *arg, const struct etcd_reply *reply)
{
    struct request *q = arg;
    struct agent *a = q->agent;
    q->call = NULL;
    store_note_answer(a, reply);
    struct election_event ev = {
        .type = EV_KEY_RESIGNED, .req = q->req, .vip = q->vip, .result = result_of(reply)};
    feed(a, &ev);
}

/* Adds the candidates of one VIP out of keys. Keys of another form are none. */
static unsigned read_candidates(const struct etcd_response *response, const struct ip *ip,
                                int64_t own, struct candidate list[QUEUE_MAX], unsigned n)
{
    for (size_t i = 0; i < response->n_kvs; i++) {
        struct candidate c;
        struct ip key_ip;
        if (watch_read_candidate(&response->kvs[i], &key_ip, &c) && ip_equal(&key_ip, ip))
            n = queue_keep(list, n, &c, own);
    }
    return n;
}

/* Kept whole for the failover record. By the time that is written, its own release may be there. */
static int64_t read_released(struct slot *slot, const struct etcd_response *response)
{
    if (response->n_kvs == 0 ||
        record_released_parse(response->kvs[0].value, response->kvs[0].value_len, &slot->released) <
            0)
        return 0;
    return slot->released.revision;
}

/* A pause that cannot be read is one of a newer version: it holds. */
static bool read_paused(const struct etcd_response *response)
{
    struct record_request record;
    return response->n_kvs > 0 &&
           (record_request_parse(response->kvs[0].value, response->kvs[0].value_len, &record) < 0 ||
            record.kind == RECORD_PAUSE);
}

/* The ranges are the last responses, whichever branch the txn took. */
static void on_proved(void *arg, const struct etcd_reply *reply)
{
    struct request *q = arg;
    struct agent *a = q->agent;
    struct candidate list[QUEUE_MAX];
    q->call = NULL;
    store_note_answer(a, reply);
    struct election_event ev = {
        .type = EV_QUEUE_PROVED, .req = q->req, .vip = q->vip, .result = result_of(reply)};
    if (reply->status == ETCD_OK && reply->n_responses < PROOF_RANGES)
        ev.result = RESULT_FAILED;
    if (ev.result == RESULT_OK) {
        const struct etcd_response *queue = &reply->responses[reply->n_responses - PROOF_RANGES];
        const struct ip *ip = &a->slots[q->vip].ip;
        int64_t own = a->election.session.lease;
        ev.queue.revision = reply->header.revision;
        ev.queue.list = list;
        ev.queue.n = read_candidates(queue, ip, own, list, 0);
        ev.queue.n = read_candidates(&queue[3], ip, own, list, ev.queue.n);
        ev.queue.total = queue->more ? ev.queue.n + 1 : ev.queue.n;
        ev.queue.released = read_released(&a->slots[q->vip], &queue[1]);
        ev.queue.is_paused = read_paused(&queue[2]);
    }
    feed(a, &ev);
}

struct prove_keys {
    char own[KEYS_TEXT_MAX], prefix[KEYS_TEXT_MAX], released[KEYS_TEXT_MAX];
    char request[KEYS_TEXT_MAX];
};

static int ask_proof(struct agent *a, const struct election_action *action, struct request *q)
{
    struct slot *slot = &a->slots[action->vip];
    struct prove_keys keys;
    keys_candidate(&slot->ip, action->lease, keys.own);
    keys_election(&slot->ip, keys.prefix);
    keys_released(&slot->ip, keys.released);
    keys_request(&slot->ip, keys.request);
    const struct etcd_compare absent = {.target = ETCD_CREATE, .key = keys.own};
    const struct etcd_op ops[] = {
        {.kind = ETCD_OP_PUT,
         .range.key = keys.own,
         .value = a->settings.node,
         .lease = action->lease},
        {.kind = ETCD_OP_RANGE,
         .range = {.key = keys.prefix,
                   .prefix = true,
                   .limit = QUEUE_MAX,
                   .order = ETCD_ASCEND,
                   .sort_by = ETCD_BY_CREATE}},
        {.kind = ETCD_OP_RANGE, .range.key = keys.released},
        {.kind = ETCD_OP_RANGE, .range.key = keys.request},
        {.kind = ETCD_OP_RANGE, .range.key = keys.own},
    };
    bool is_campaign = action->type == ACT_CAMPAIGN;
    const struct etcd_txn txn = {.compares = &absent,
                                 .n_compares = is_campaign,
                                 .success = is_campaign ? ops : ops + 1,
                                 .n_success = is_campaign ? PROOF_RANGES + 1 : PROOF_RANGES,
                                 .failure = ops + 1,
                                 .n_failure = is_campaign ? PROOF_RANGES : 0};
    return etcd_call_txn(a->etcd, &txn, CALL_TIMEOUT_US, on_proved, q, &q->call);
}

static int resign(struct agent *a, const struct election_action *action, struct request *q)
{
    struct slot *slot = &a->slots[action->vip];
    struct record_released record = {.revision = action->revision, .wall_us = clock_wall_us()};
    char own[KEYS_TEXT_MAX], released[KEYS_TEXT_MAX];
    struct buf json;
    keys_candidate(&slot->ip, action->lease, own);
    keys_released(&slot->ip, released);
    snprintf(record.node, sizeof(record.node), "%s", a->settings.node);
    snprintf(record.cause, sizeof(record.cause), "%s", election_cause_name(action->cause));
    history_explain(a, action->vip, action->cause, record.detail);
    buf_init(&json, 1024);
    int r = record_released_write(&record, &json);
    const struct etcd_compare ours = {
        .target = ETCD_CREATE, .key = own, .number = action->revision};
    const struct etcd_op ops[] = {
        {.kind = ETCD_OP_DELETE, .range.key = own},
        {.kind = ETCD_OP_PUT,
         .range.key = released,
         .value = buf_str(&json),
         .value_len = json.len},
    };
    const struct etcd_txn txn = {
        .compares = &ours, .n_compares = 1, .success = ops, .n_success = action->yes ? 2 : 1};
    if (r == 0)
        r = etcd_call_txn(a->etcd, &txn, CALL_TIMEOUT_US, on_resigned, q, &q->call);
    buf_done(&json);
    return r;
}

/* One verdict, when all txns of the check have answered. */
static void on_checked(void *arg, const struct etcd_reply *reply)
{
    struct request *q = arg;
    struct agent *a = q->agent;
    q->call = NULL;
    a->check_failed |= reply->status != ETCD_OK;
    a->check_gone |= reply->status == ETCD_OK && !reply->succeeded;
    if (reply->header.raft_term < a->check_term)
        a->check_term = reply->header.raft_term;
    store_note_answer(a, reply);
    for (unsigned i = 0; i < AGENT_CHECKS_MAX; i++)
        if (a->checks[i].call)
            return;
    struct election_event ev = {.type = EV_KEYS_CHECKED,
                                .req = q->req,
                                .result = a->check_gone     ? RESULT_GONE
                                          : a->check_failed ? RESULT_FAILED
                                                            : RESULT_OK};
    uint64_t term = a->check_term; /* the next check may begin in this step */
    feed(a, &ev);
    if (ev.result == RESULT_OK)
        history_proved(a, HISTORY_CHECKED, term);
}

static void replace(struct request *q, struct agent *a, const struct election_action *action)
{
    store_cancel(q);
    *q = (struct request){.agent = a, .type = action->type, .req = action->req, .vip = action->vip};
}

static int send_check(struct agent *a, const struct election_action *action, struct request *q,
                      const struct etcd_compare *compares, size_t n)
{
    const struct etcd_txn txn = {.compares = compares, .n_compares = n};
    replace(q, a, action);
    int r = etcd_call_txn(a->etcd, &txn, CALL_TIMEOUT_US, on_checked, q, &q->call);
    a->check_failed |= r < 0;
    return r;
}

/* Is each of our keys, and the key before it, what we believe it to be? */
static int check_keys(struct agent *a, const struct election_action *action)
{
    char keys[CHECK_MAX][KEYS_TEXT_MAX];
    struct etcd_compare compares[CHECK_MAX];
    struct request *q = a->checks;
    size_t n = 0;
    int r = 0;
    a->check_failed = a->check_gone = false;
    a->check_term = UINT64_MAX;
    for (unsigned i = 0; i < AGENT_CHECKS_MAX; i++)
        store_cancel(&a->checks[i]);
    for (unsigned i = 0; i < a->election.n && r == 0; i++) {
        const struct vip *v = &a->vips[i];
        int64_t lease = a->election.session.lease;
        if (v->revision == 0 || lease == 0)
            continue;
        const struct candidate *before = queue_before(&v->queue, lease);
        keys_candidate(&a->slots[i].ip, lease, keys[n]);
        compares[n] =
            (struct etcd_compare){.target = ETCD_CREATE, .key = keys[n], .number = v->revision};
        n++;
        if (before) {
            keys_candidate(&a->slots[i].ip, before->lease, keys[n]);
            compares[n] = (struct etcd_compare){
                .target = ETCD_CREATE, .key = keys[n], .number = before->create_revision};
            n++;
        }
        if (n + 2 > CHECK_MAX) {
            r = send_check(a, action, q++, compares, n);
            n = 0;
        }
    }
    return n && r == 0 ? send_check(a, action, q, compares, n) : r;
}

static int ask(struct agent *a, const struct election_action *action)
{
    struct slot *slot = &a->slots[action->vip];
    int r;
    switch (action->type) {
    case ACT_LEASE_GRANT:
        replace(&a->grant, a, action);
        return etcd_call_grant(a->etcd, (int64_t)((action->ttl_us + SECOND_US - 1) / SECOND_US),
                               CALL_TIMEOUT_US, on_lease_answer, &a->grant, &a->grant.call);
    case ACT_LEASE_RENEW:
        a->counters.renewals++;
        if (a->renew.call)
            metrics_count_renewal(a, 0);
        replace(&a->renew, a, action);
        r = etcd_call_renew(a->etcd, action->lease, CALL_TIMEOUT_US, on_lease_answer, &a->renew,
                            &a->renew.call);
        if (r < 0)
            metrics_count_renewal(a, 0);
        return r;
    case ACT_LEASE_REVOKE:
        replace(&a->revoke, a, action);
        return etcd_call_revoke(a->etcd, action->lease, CALL_TIMEOUT_US, on_lease_answer,
                                &a->revoke, &a->revoke.call);
    case ACT_KEYS_CHECK:
        return check_keys(a, action);
    case ACT_RESIGN:
        replace(&slot->resign, a, action);
        r = resign(a, action, &slot->resign);
        requests_finish(a, action->vip, action->revision);
        return r;
    default:
        replace(&slot->proof, a, action);
        return ask_proof(a, action, &slot->proof);
    }
}

/* A request that cannot even be started is left to the core's own time limit. */
void store_request(struct agent *a, const struct election_action *action)
{
    int r = ask(a, action);
    if (r < 0)
        log_event(LOG_ERROR, "etcd_error", NULL, LOG_FIELDS(LOG_TEXT("error", strerror(-r))),
                  "cannot send a request to etcd: %s", strerror(-r));
}
