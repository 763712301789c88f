/* SPDX-License-Identifier: MIT */
/* Before the election: is etcd there, is our name free, did a predecessor leave a key behind? */
#include "state.h"

#include "etcd/keys.h"

#include <errno.h>
#include <string.h>

#define BEGIN_TIMEOUT_US SECOND_US
#define BEGIN_RETRY_US (300 * MS_US)
/* A live key of our name from another machine may be the rest of a reinstalled node: it ends
 * with its lease. One that is still there after this belongs to somebody. */
#define NAMESAKE_WAIT_US (15 * SECOND_US)

static void give_up(struct agent *a, int exit_code)
{
    a->exit_code = exit_code;
    loop_stop(a->loop);
}

static void try_again(struct agent *a)
{
    uint64_t jitter = clock_now_us() % BEGIN_RETRY_US;
    loop_timer_set(a->start_timer, clock_now_us() + BEGIN_RETRY_US + jitter);
}

static void begin(struct agent *a)
{
    int r = a->watch ? 0 : watch_open(a);
    if (r < 0) {
        log_event(LOG_ERROR, "internal", NULL, NULL, "cannot watch etcd: %s", strerror(-r));
        give_up(a, 70);
        return;
    }
    feed_simple(a, EV_START, 0, fence_is_active(a->fence));
}

static void on_stale_revoked(void *arg, const struct etcd_reply *reply)
{
    struct agent *a = arg;
    a->start_call = NULL;
    if (reply->status == ETCD_OK || reply->status == ETCD_LEASE_GONE)
        begin(a);
    else
        try_again(a);
}

static void on_namesake(struct agent *a, const struct record_node *record)
{
    if (!a->has_told_waiting)
        log_event(LOG_WARN, "namesake", NULL, LOG_FIELDS(LOG_TEXT("machine", record->machine_id)),
                  "another machine (%s) uses the node name %s; waiting whether its key ends",
                  record->machine_id, a->settings.node);
    a->has_told_waiting = true;
    if (clock_now_us() - a->start_us < NAMESAKE_WAIT_US) {
        try_again(a);
        return;
    }
    log_event(LOG_ERROR, "namesake", NULL, LOG_FIELDS(LOG_TEXT("machine", record->machine_id)),
              "two machines use the node name %s; give each its own with --node", a->settings.node);
    give_up(a, 1);
}

static void on_name_read(struct agent *a, const struct etcd_response *response)
{
    struct record_node record;
    if (response->n_kvs == 0) {
        begin(a);
        return;
    }
    const struct etcd_kv *kv = &response->kvs[0];
    bool is_read = record_node_parse(kv->value, kv->value_len, &record) == 0;
    if (is_read)
        record_node_done(&record);
    if (is_read && strcmp(record.machine_id, a->settings.machine_id) != 0) {
        on_namesake(a, &record);
        return;
    }
    log_event(LOG_INFO, "stale_session", NULL, LOG_FIELDS(LOG_NUMBER("lease", kv->lease)),
              "ending the session that this node left behind");
    if (kv->lease <= 0 || etcd_call_revoke(a->etcd, kv->lease, BEGIN_TIMEOUT_US, on_stale_revoked,
                                           a, &a->start_call) < 0)
        try_again(a);
}

/* Settings that no waiting will mend. */
static bool is_hopeless(enum etcd_status status)
{
    return status == ETCD_AUTH || status == ETCD_TLS || status == ETCD_FORBIDDEN;
}

static void on_first_answer(void *arg, const struct etcd_reply *reply)
{
    struct agent *a = arg;
    a->start_call = NULL;
    if (reply->status == ETCD_OK && reply->n_responses == 2) {
        requests_begin(a, &reply->responses[1]);
        on_name_read(a, &reply->responses[0]);
        return;
    }
    snprintf(a->etcd_error, sizeof(a->etcd_error), "%s", reply->message);
    if (is_hopeless(reply->status)) {
        log_event(LOG_ERROR, "etcd_refused", NULL,
                  LOG_FIELDS(LOG_TEXT("endpoint", reply->endpoint),
                             LOG_TEXT("status", etcd_status_name(reply->status))),
                  "%s", reply->message);
        give_up(a, reply->status == ETCD_FORBIDDEN ? 5 : 4);
        return;
    }
    if (!a->has_told_waiting)
        log_event(LOG_INFO, "etcd_waiting", NULL,
                  LOG_FIELDS(LOG_TEXT("status", etcd_status_name(reply->status))),
                  "waiting for etcd: %s", reply->message);
    a->has_told_waiting = true;
    try_again(a);
}

static void ask_name(void *arg)
{
    struct agent *a = arg;
    char key[KEYS_TEXT_MAX], paused[KEYS_TEXT_MAX];
    if (keys_node(a->settings.node, key) < 0 || keys_paused(a->settings.node, paused) < 0) {
        log_event(LOG_ERROR, "node_name", NULL, NULL, "\"%s\" cannot be a node name",
                  a->settings.node);
        give_up(a, 1);
        return;
    }
    const struct etcd_op ops[] = {{.kind = ETCD_OP_RANGE, .range.key = key},
                                  {.kind = ETCD_OP_RANGE, .range.key = paused}};
    const struct etcd_txn txn = {.success = ops, .n_success = 2};
    if (etcd_call_txn(a->etcd, &txn, BEGIN_TIMEOUT_US, on_first_answer, a, &a->start_call) < 0)
        try_again(a);
}

void store_begin(struct agent *a)
{
    a->start_us = clock_now_us();
    if (loop_timer_new(a->loop, ask_name, a, &a->start_timer) < 0) {
        give_up(a, 70);
        return;
    }
    ask_name(a);
}

static void on_notice(void *arg, enum etcd_notice kind, const char *text)
{
    (void)arg;
    log_event(kind == ETCD_NOTICE_ENDPOINT ? LOG_DEBUG : LOG_INFO, "etcd_notice", NULL, NULL, "%s",
              text);
}

int store_open(struct agent *a)
{
    const struct settings *s = &a->settings;
    struct etcd_client_config config;
    settings_client(s, a->loop, &config);
    config.on_notice = on_notice;
    config.notice_arg = a;
    const char *bad = NULL;
    int r = etcd_client_new(&config, &a->etcd, &bad);
    if (r == -EINVAL)
        log_event(LOG_ERROR, "etcd_endpoint", NULL, NULL, "\"%s\" is not an etcd endpoint",
                  bad ? bad : "");
    return r;
}

void store_close(struct agent *a)
{
    for (unsigned i = 0; i < ELECTION_VIPS_MAX; i++) {
        store_cancel(&a->slots[i].proof);
        store_cancel(&a->slots[i].resign);
    }
    change_close(a);
    struct request *own[] = {&a->grant, &a->renew, &a->revoke};
    for (unsigned i = 0; i < sizeof(own) / sizeof(own[0]); i++)
        store_cancel(own[i]);
    for (unsigned i = 0; i < AGENT_CHECKS_MAX; i++)
        store_cancel(&a->checks[i]);
    peerlease_close_calls(a);
    publish_cancel(a);
    history_cancel(a);
    etcd_call_cancel(a->start_call);
    a->start_call = NULL;
    etcd_watch_free(a->watch);
    a->watch = NULL;
    etcd_client_free(a->etcd);
    a->etcd = NULL;
    loop_timer_free(a->start_timer);
    a->start_timer = NULL;
}
