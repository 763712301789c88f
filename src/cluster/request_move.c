/* SPDX-License-Identifier: MIT */
/* A planned move, from the question whether it can be to the last observer that saw it: look,
 * lease, watch, write, follow. */
#include "request_state.h"

#include "base/clock.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#define LEASE_S 30
#define WAIT_DEFAULT_US UINT64_C(30000000)
/* Until the request is in etcd. */
#define SETUP_US UINT64_C(4500000)
/* So long the observers are listened to once somebody has taken over. */
#define OBSERVED_US UINT64_C(2000000)

enum { RANGE_QUEUE, RANGE_REQUEST, RANGE_HISTORY, RANGES };

static void tell(struct request *q, enum request_phase phase, const char *node)
{
    struct request_progress p = {.phase = phase, .seen = q->seen};
    if (!q->callbacks.on_progress)
        return;
    p.at_us = clock_now_us() - q->asked_us;
    snprintf(p.node, sizeof(p.node), "%s", node);
    q->callbacks.on_progress(q->arg, &p);
}

/* ---- whether it can be ---- */

static int position_of(const struct request_vip *vip, const char *name)
{
    for (unsigned i = 0; i < vip->n; i++)
        if (strcmp(vip->queue[i].name, name) == 0)
            return (int)i;
    return -1;
}

/* The first one between the holder and `position` that hears no requests, or NULL. */
static const char *immovable(const struct request_vip *vip, int position)
{
    for (int i = 1; i < position; i++)
        if (!vip->queue[i].has_agent)
            return vip->queue[i].name;
    return NULL;
}

/* True, and the request has ended, when it cannot be. */
static bool end_if_impossible(struct request *q, const struct request_vip *vip)
{
    int at = vip && q->to[0] ? position_of(vip, q->to) : 1;
    const char *blocker = vip ? immovable(vip, at) : NULL;
    if (!vip || vip->n == 0)
        request_end(q, REQUEST_REFUSED, "nobody holds it");
    else if (vip->pause.is_paused)
        request_end(q, REQUEST_REFUSED, "it is paused by %s; resume it first", vip->pause.by);
    else if (vip->is_moving)
        request_end(q, REQUEST_REFUSED, "%s moves it just now", vip->moving_by);
    else if (!vip->queue[0].has_agent)
        request_end(q, REQUEST_REFUSED, "its holder %s runs no agent that could be asked",
                    vip->queue[0].name);
    else if (at == 0)
        request_end(q, REQUEST_REFUSED, "%s has it already", q->to);
    else if (at < 0)
        request_end(q, REQUEST_REFUSED, "%s does not stand in its queue", q->to);
    else if (vip->n < 2)
        request_end(q, REQUEST_REFUSED, "nobody else stands in its queue");
    else if (blocker)
        request_end(q, REQUEST_REFUSED,
                    "%s stands before %s and cannot step behind: it runs no agent", blocker, q->to);
    else
        return false;
    return true;
}

/* ---- what comes of it ---- */

static void end_moved(struct request *q)
{
    request_end(q, REQUEST_DONE, "%s", "");
}

static void on_time(void *arg)
{
    struct request *q = arg;
    if (q->asked_us == 0) {
        q->outcome.status = ETCD_TIMEOUT;
        request_end(q, REQUEST_FAILED, "etcd did not answer in time");
    } else if (q->won_epoch)
        end_moved(q);
    else if (q->was_released)
        request_end(q, REQUEST_TIMED_OUT, "%s gave it up, and nobody has taken over yet",
                    q->outcome.from);
    else
        request_end(q, REQUEST_TIMED_OUT, "%s was asked and did not give it up in time",
                    q->outcome.from);
}

static void note_won(struct request *q, const struct candidate *leader)
{
    uint64_t now = clock_now_us();
    q->won_epoch = leader->create_revision;
    snprintf(q->outcome.to, sizeof(q->outcome.to), "%s", leader->name);
    q->outcome.took_us = now - q->asked_us;
    uint64_t end = q->asked_us + q->wait_us;
    loop_timer_set(q->timer, end < now + OBSERVED_US ? end : now + OBSERVED_US);
    tell(q, REQUEST_WON, leader->name);
}

/* The queue has changed. */
static void follow_queue(struct request *q)
{
    const struct candidate *leader = queue_leader(&q->queue);
    bool is_his = leader && leader->create_revision == q->record.epoch;
    if (q->asked_us == 0 || q->won_epoch || is_his)
        return;
    if (!q->was_released) {
        q->was_released = true;
        tell(q, REQUEST_RELEASED, q->outcome.from);
    }
    if (leader)
        note_won(q, leader);
}

static void note_measured(struct request *q, const struct record_move *move)
{
    for (unsigned i = 0; i < move->n_seen; i++)
        if (move->seen[i].outage_us > q->outcome.outage_us) {
            q->outcome.outage_us = move->seen[i].outage_us;
            q->outcome.error_us = move->seen[i].error_us;
        }
}

static void follow_history(struct request *q, const struct etcd_kv *kv)
{
    struct record_move move;
    unsigned seen = 0;
    if (record_move_parse(kv->value, kv->value_len, &move) < 0 || move.epoch != q->won_epoch ||
        move.term)
        return;
    note_measured(q, &move);
    if (!q->was_announced && move.announced_us >= 0) {
        q->was_announced = true;
        tell(q, REQUEST_ANNOUNCED, q->outcome.to);
    }
    for (unsigned i = 0; i < move.n_seen; i++)
        seen += move.seen[i].seen_ms >= 0;
    if (seen <= q->seen)
        return;
    q->seen = seen;
    struct request_progress p = {.phase = REQUEST_SEEN, .seen = seen, .observers = move.observers};
    p.at_us = clock_now_us() - q->asked_us;
    snprintf(p.node, sizeof(p.node), "%s", q->outcome.to);
    if (q->callbacks.on_progress)
        q->callbacks.on_progress(q->arg, &p);
    if (seen >= move.observers)
        end_moved(q);
}

/* Our own key: refused, or taken away. */
static void follow_request(struct request *q, enum etcd_event_type type, const struct etcd_kv *kv)
{
    struct record_request record;
    if (q->asked_us == 0 || type != ETCD_EVENT_PUT)
        return; /* deleted: carried out, and the queue tells of that */
    if (record_request_parse(kv->value, kv->value_len, &record) == 0 && record.refused[0] &&
        record.epoch == q->record.epoch)
        request_end(q, REQUEST_REFUSED, "%s", record.refused);
}

static bool read_candidate(const struct etcd_kv *kv, struct candidate *ret)
{
    struct ip ip;
    int64_t lease;
    if (keys_candidate_parse(kv->key, kv->key_len, &ip, &lease) < 0)
        return false;
    *ret = (struct candidate){.lease = lease, .create_revision = kv->create_revision};
    snprintf(ret->name, sizeof(ret->name), "%.*s", (int)kv->value_len, kv->value);
    return true;
}

static void on_event(void *arg, size_t range, enum etcd_event_type type, const struct etcd_kv *kv,
                     int64_t revision)
{
    struct request *q = arg;
    struct candidate c;
    if (range == RANGE_REQUEST) {
        follow_request(q, type, kv);
        return;
    }
    if (range == RANGE_HISTORY) {
        if (type == ETCD_EVENT_PUT && q->won_epoch)
            follow_history(q, kv);
        return;
    }
    if (!read_candidate(kv, &c))
        return;
    if (type == ETCD_EVENT_PUT)
        queue_put(&q->queue, revision, &c);
    else
        queue_delete(&q->queue, revision, c.lease);
    follow_queue(q);
}

static void on_asked(struct request *q)
{
    q->asked_us = clock_now_us();
    loop_timer_set(q->timer, q->asked_us + q->wait_us);
    tell(q, REQUEST_ASKED, q->outcome.from);
    follow_queue(q); /* it may be quicker than etcd's answer to us */
}

static void on_list(void *arg, const struct etcd_response *ranges, size_t n, int64_t revision)
{
    struct request *q = arg;
    struct candidate list[QUEUE_MAX];
    unsigned used = 0;
    if (n != RANGES)
        return;
    for (size_t i = 0; i < ranges[RANGE_QUEUE].n_kvs; i++) {
        struct candidate c;
        if (read_candidate(&ranges[RANGE_QUEUE].kvs[i], &c))
            used = queue_keep(list, used, &c, 0);
    }
    queue_list(&q->queue, revision, list, used, (unsigned)ranges[RANGE_QUEUE].n_kvs);
    if (q->is_listed) {
        follow_queue(q);
        return;
    }
    const struct candidate *leader = queue_leader(&q->queue);
    if (!leader || leader->create_revision != q->record.epoch) {
        request_end(q, REQUEST_REFUSED, "it moved by itself just now");
        return;
    }
    /* From here on nothing goes unseen, so now it may be asked for. */
    q->is_listed = true;
    request_write(q, on_asked);
}

/* ---- the steps before ---- */

static void on_granted(void *arg, const struct etcd_reply *reply)
{
    static const struct etcd_watch_callbacks callbacks = {.on_list = on_list, .on_event = on_event};
    struct request *q = arg;
    char election[KEYS_TEXT_MAX], history[KEYS_TEXT_MAX];
    q->call = NULL;
    if (reply->status != ETCD_OK) {
        request_end_failed(q, reply);
        return;
    }
    q->lease = reply->lease;
    keys_election(&q->vip, election);
    keys_history_prefix(&q->vip, history);
    const struct etcd_watch_range ranges[RANGES] = {
        [RANGE_QUEUE] = {.key = election, .prefix = true},
        [RANGE_REQUEST] = {.key = q->key},
        [RANGE_HISTORY] = {.key = history, .prefix = true, .no_list = true},
    };
    int r = etcd_watch_new(q->client, ranges, RANGES, &callbacks, q, &q->watch);
    if (r < 0)
        request_end(q, REQUEST_FAILED, "cannot watch etcd: %s", strerror(-r));
}

static void on_seen(void *arg, const struct etcd_reply *reply)
{
    struct request *q = arg;
    q->call = NULL;
    if (reply->status != ETCD_OK) {
        request_end_failed(q, reply);
        return;
    }
    if (request_read_scene(q, reply) < 0) {
        request_end(q, REQUEST_FAILED, "out of memory");
        return;
    }
    const struct request_vip *vip = request_find_vip(&q->scene, &q->vip);
    if (end_if_impossible(q, vip))
        return;
    q->record.epoch = vip->queue[0].epoch;
    snprintf(q->outcome.from, sizeof(q->outcome.from), "%s", vip->queue[0].name);
    int r = record_request_write(&q->record, &q->value);
    if (r == 0)
        r = etcd_call_grant(q->client, LEASE_S, REQUEST_CALL_US, on_granted, q, &q->call);
    if (r < 0)
        request_end(q, REQUEST_FAILED, "cannot ask etcd: %s", strerror(-r));
}

static int fill(struct request *q, const struct request_resign *resign)
{
    struct record_request *record = &q->record;
    const char *to = resign->to ? resign->to : "", *reason = resign->reason ? resign->reason : "";
    if (strlen(to) >= sizeof(record->to) || strlen(resign->by) >= sizeof(record->by) ||
        strlen(reason) >= sizeof(record->reason))
        return -EINVAL;
    q->vip = resign->vip;
    keys_request(&q->vip, q->key);
    record->kind = RECORD_RESIGN;
    record->wall_us = clock_wall_us();
    snprintf(record->to, sizeof(record->to), "%s", to);
    snprintf(record->by, sizeof(record->by), "%s", resign->by);
    snprintf(record->reason, sizeof(record->reason), "%s", reason);
    snprintf(q->to, sizeof(q->to), "%s", to);
    q->wait_us = resign->wait_us ? resign->wait_us : WAIT_DEFAULT_US;
    int r = loop_timer_new(q->loop, on_time, q, &q->timer);
    if (r == 0)
        loop_timer_set(q->timer, clock_now_us() + SETUP_US);
    return r;
}

int request_resign(struct etcd_client *client, struct loop *loop,
                   const struct request_resign *resign, const struct request_callbacks *callbacks,
                   void *arg, struct request **ret_request)
{
    struct request *q = request_new(client, callbacks, arg);
    if (!q)
        return -ENOMEM;
    q->loop = loop;
    int r = fill(q, resign);
    if (r == 0)
        r = request_read(q, REQUEST_CALL_US, on_seen);
    if (r < 0) {
        request_free(q);
        return r;
    }
    *ret_request = q;
    return 0;
}
