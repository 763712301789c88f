/* SPDX-License-Identifier: MIT */
/* Writing a request, and taking it back. Every txn may be carried out twice: where its compare
 * fails, the key is read, and if it is already as wanted, the first one did it. */
#include "request_state.h"

#include "base/clock.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define VALUE_MAX 4096

struct request *request_new(struct etcd_client *client, const struct request_callbacks *callbacks,
                            void *arg)
{
    struct request *q = calloc(1, sizeof(*q));
    if (!q)
        return NULL;
    q->client = client;
    if (callbacks)
        q->callbacks = *callbacks;
    q->arg = arg;
    q->outcome.outage_us = q->outcome.error_us = -1;
    buf_init(&q->value, VALUE_MAX);
    return q;
}

void request_free(struct request *q)
{
    if (!q)
        return;
    etcd_call_cancel(q->call);
    etcd_watch_free(q->watch);
    loop_timer_free(q->timer);
    buf_done(&q->value);
    free(q->candidates);
    free(q->scene.vips);
    free(q->scene.nodes);
    free(q);
}

void request_tell(struct request *q)
{
    q->callbacks.on_end(q->arg, &q->outcome);
    request_free(q);
}

static void on_withdrawn(void *arg, const struct etcd_reply *reply)
{
    struct request *q = arg;
    (void)reply; /* if it failed, the lease runs out by itself */
    q->call = NULL;
    request_tell(q);
}

/* With its lease the request goes, whether or not it was carried out. */
static void withdraw(struct request *q)
{
    q->is_withdrawing = true;
    etcd_watch_free(q->watch);
    q->watch = NULL;
    loop_timer_free(q->timer);
    q->timer = NULL;
    etcd_call_cancel(q->call);
    q->call = NULL;
    if (q->lease == 0 ||
        etcd_call_revoke(q->client, q->lease, REQUEST_CALL_US / 4, on_withdrawn, q, &q->call) < 0)
        request_tell(q);
}

void request_end(struct request *q, enum request_result result, const char *fmt, ...)
{
    va_list ap;
    q->outcome.result = result;
    va_start(ap, fmt);
    vsnprintf(q->outcome.text, sizeof(q->outcome.text), fmt, ap);
    va_end(ap);
    withdraw(q);
}

void request_end_failed(struct request *q, const struct etcd_reply *reply)
{
    q->outcome.status = reply->status;
    request_end(q, REQUEST_FAILED, "%s", reply->message);
}

/* A repeated txn whose first copy did the work. */
static bool is_as_wanted(const struct request *q, const struct etcd_response *now)
{
    if (q->is_resume)
        return now->n_kvs == 0;
    return now->n_kvs == 1 && now->kvs[0].lease == q->lease &&
           now->kvs[0].value_len == q->value.len &&
           memcmp(now->kvs[0].value, q->value.data, q->value.len) == 0;
}

static void on_written(void *arg, const struct etcd_reply *reply)
{
    struct request *q = arg;
    q->call = NULL;
    if (reply->status != ETCD_OK)
        request_end_failed(q, reply);
    else if (reply->succeeded || (reply->n_responses == 1 && is_as_wanted(q, &reply->responses[0])))
        q->next(q);
    else
        request_end(q, REQUEST_REFUSED, "it changed while it was looked at: try again");
}

void request_write(struct request *q, void (*next)(struct request *q))
{
    const struct etcd_compare unchanged = {
        .target = ETCD_MOD, .key = q->key, .number = q->seen_mod};
    const struct etcd_op write = {.kind = q->is_resume ? ETCD_OP_DELETE : ETCD_OP_PUT,
                                  .range.key = q->key,
                                  .value = buf_str(&q->value),
                                  .value_len = q->value.len,
                                  .lease = q->lease};
    const struct etcd_op read = {.kind = ETCD_OP_RANGE, .range.key = q->key};
    const struct etcd_txn txn = {.compares = &unchanged,
                                 .n_compares = 1,
                                 .success = &write,
                                 .n_success = 1,
                                 .failure = &read,
                                 .n_failure = 1};
    q->next = next;
    int r = etcd_call_txn(q->client, &txn, REQUEST_CALL_US, on_written, q, &q->call);
    if (r < 0)
        request_end(q, REQUEST_FAILED, "cannot ask etcd: %s", strerror(-r));
}

static void on_dropped(void *arg, const struct etcd_reply *reply)
{
    (void)arg;
    (void)reply;
}

void request_cancel(struct request *q)
{
    if (!q)
        return;
    if (q->lease && !q->is_withdrawing)
        etcd_call_revoke(q->client, q->lease, REQUEST_CALL_US / 4, on_dropped, NULL, NULL);
    request_free(q);
}

/* ---- pause and resume ---- */

static void end_done(struct request *q)
{
    q->outcome.result = REQUEST_DONE;
    request_tell(q);
}

static const struct request_pause *pause_of(const struct request *q, const char *node)
{
    static const struct request_pause none = {.is_paused = false};
    const struct request_vip *vip = node[0] ? NULL : request_find_vip(&q->scene, &q->vip);
    if (vip)
        return &vip->pause;
    for (unsigned i = 0; node[0] && i < q->scene.n_nodes; i++)
        if (strcmp(q->scene.nodes[i].name, node) == 0)
            return &q->scene.nodes[i].pause;
    return &none;
}

static void on_seen(void *arg, const struct etcd_reply *reply)
{
    struct request *q = arg;
    const struct request_vip *vip;
    q->call = NULL;
    if (reply->status != ETCD_OK) {
        request_end_failed(q, reply);
        return;
    }
    if (request_read_scene(q, reply) < 0) {
        request_end(q, REQUEST_FAILED, "out of memory");
        return;
    }
    const struct request_pause *pause = pause_of(q, q->to);
    vip = q->to[0] ? NULL : request_find_vip(&q->scene, &q->vip);
    if (q->is_resume && !pause->is_paused)
        request_end(q, REQUEST_REFUSED, "it is not paused");
    else if (!q->is_resume && pause->is_paused)
        request_end(q, REQUEST_REFUSED, "it is paused already, by %s",
                    pause->by[0] ? pause->by : "somebody");
    else if (!q->is_resume && vip && vip->is_moving)
        request_end(q, REQUEST_REFUSED, "%s moves it just now", vip->moving_by);
    else
        request_write(q, end_done);
}

struct pause {
    struct etcd_client *client;
    const struct ip *vip; /* or `node` */
    const char *node, *by, *reason;
    bool is_resume;
};

static int fill(struct request *q, const struct pause *p)
{
    struct record_request record = {.kind = RECORD_PAUSE, .wall_us = clock_wall_us()};
    if (p->node && (keys_paused(p->node, q->key) < 0 || strlen(p->node) >= sizeof(q->to)))
        return -EINVAL;
    if (p->vip) {
        q->vip = *p->vip;
        keys_request(p->vip, q->key);
    } else {
        snprintf(q->to, sizeof(q->to), "%s", p->node);
    }
    q->is_resume = p->is_resume;
    if (p->is_resume)
        return 0;
    if (strlen(p->by) >= sizeof(record.by) ||
        strlen(p->reason ? p->reason : "") >= sizeof(record.reason))
        return -EINVAL;
    snprintf(record.by, sizeof(record.by), "%s", p->by);
    snprintf(record.reason, sizeof(record.reason), "%s", p->reason ? p->reason : "");
    return record_request_write(&record, &q->value);
}

static int start(const struct pause *p, const struct request_callbacks *callbacks, void *arg,
                 struct request **ret_request)
{
    struct request *q = request_new(p->client, callbacks, arg);
    if (!q)
        return -ENOMEM;
    int r = fill(q, p);
    if (r == 0)
        r = request_read(q, REQUEST_CALL_US, on_seen);
    if (r < 0) {
        request_free(q);
        return r;
    }
    *ret_request = q;
    return 0;
}

int request_pause_vip(struct etcd_client *client, const struct ip *vip, const char *by,
                      const char *reason, const struct request_callbacks *callbacks, void *arg,
                      struct request **ret_request)
{
    const struct pause p = {.client = client, .vip = vip, .by = by, .reason = reason};
    return start(&p, callbacks, arg, ret_request);
}

int request_pause_node(struct etcd_client *client, const char *node, const char *by,
                       const char *reason, const struct request_callbacks *callbacks, void *arg,
                       struct request **ret_request)
{
    const struct pause p = {.client = client, .node = node, .by = by, .reason = reason};
    return start(&p, callbacks, arg, ret_request);
}

int request_resume_vip(struct etcd_client *client, const struct ip *vip,
                       const struct request_callbacks *callbacks, void *arg,
                       struct request **ret_request)
{
    const struct pause p = {.client = client, .vip = vip, .is_resume = true};
    return start(&p, callbacks, arg, ret_request);
}

int request_resume_node(struct etcd_client *client, const char *node,
                        const struct request_callbacks *callbacks, void *arg,
                        struct request **ret_request)
{
    const struct pause p = {.client = client, .node = node, .is_resume = true};
    return start(&p, callbacks, arg, ret_request);
}
