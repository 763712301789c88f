/* SPDX-License-Identifier: MIT */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "state.h"

#define HURRY_US 100000 /* many times what a healthy etcd takes for a transaction */

void call_end(struct etcd_call *call)
{
    struct etcd_client *c = call->client;
    for (unsigned i = 0; i < CALL_SLOTS; i++)
        attempt_stop(&call->attempts[i]);
    if (!call->reply.endpoint)
        call->reply.endpoint = endpoint_url(&c->endpoints[call->first]);
    if (!call->reply.sent_us)
        call->reply.sent_us = call->start_us;
    call->reply.received_us = clock_now_us();
    TAILQ_REMOVE(&c->calls, call, link);
    TAILQ_INSERT_TAIL(&c->ended, call, link);
    call->ended = true;
}

void call_fail(struct etcd_call *call, enum etcd_status status, const char *text)
{
    etcd_reply_done(&call->reply);
    call->reply.code = -1;
    etcd_reply_fail(&call->reply, status, "%s", text);
    call_end(call);
}

/* Every endpoint in the order of asking, cut to fit: "a, b, c". */
static void list_endpoints(struct etcd_call *call, char *out, size_t size)
{
    struct etcd_client *c = call->client;
    unsigned n = call->tries < c->n_endpoints ? call->tries : c->n_endpoints;
    size_t used = 0;
    out[0] = '\0';
    for (unsigned i = 0; i < n && used < size; i++) {
        const char *url = endpoint_url(&c->endpoints[(call->first + i) % c->n_endpoints]);
        used += (size_t)snprintf(out + used, size - used, "%s%s", i ? ", " : "", url);
    }
}

static void time_out(struct etcd_call *call)
{
    struct etcd_client *c = call->client;
    char urls[200];
    unsigned ms = (unsigned)((call->deadline_us - call->start_us) / 1000);
    for (unsigned i = 0; i < CALL_SLOTS; i++)
        if (call->attempts[i].transfer)
            client_endpoint_failed(c, call->attempts[i].endpoint);
    /* A certificate that is refused says more than silence elsewhere. */
    if (attempt_rank(call->reply.status) <= attempt_rank(ETCD_UNAVAILABLE)) {
        list_endpoints(call, urls, sizeof(urls));
        etcd_reply_done(&call->reply);
        call->reply.code = -1;
        etcd_reply_fail(&call->reply, ETCD_TIMEOUT, "etcd did not answer within %u ms (%s)", ms,
                        call->started ? urls : "waiting for the login");
    }
    call_end(call);
}

int call_start(struct etcd_client *c, enum etcd_kind kind, struct buf *body, int64_t lease,
               uint64_t timeout_us, etcd_call_fn fn, void *arg, struct etcd_call **ret_call)
{
    struct etcd_call *call = body->error ? NULL : calloc(1, sizeof(*call));
    if (!call) {
        int r = body->error ? body->error : -ENOMEM;
        buf_done(body);
        return r;
    }
    uint64_t now = clock_now_us();
    *call = (struct etcd_call){.client = c,
                               .kind = kind,
                               .fn = fn,
                               .arg = arg,
                               .body = *body,
                               .lease = lease,
                               .start_us = now,
                               .hedge_us = now + timeout_us / 2,
                               .deadline_us = now + timeout_us};
    call->reply.code = -1;
    for (unsigned i = 0; i < CALL_SLOTS; i++) {
        call->attempts[i].call = call;
        buf_init(&call->attempts[i].body, ETCD_REPLY_MAX);
    }
    TAILQ_INSERT_TAIL(&c->calls, call, link);
    client_wake(c);
    if (ret_call)
        *ret_call = call;
    return 0;
}

void call_hurry(struct etcd_call *call)
{
    call->hedge_us = call->start_us + HURRY_US;
}

static void call_run(struct etcd_call *call, uint64_t now)
{
    struct etcd_client *c = call->client;
    if (now >= call->deadline_us) {
        time_out(call);
        return;
    }
    if (!call->started) {
        int r = call->kind == ETCD_KIND_AUTHENTICATE ? 1 : login_check(c, now, &call->reply);
        if (r < 0)
            call_end(call);
        if (r <= 0)
            return;
        call->started = true;
        call->first = c->current;
        attempt_next(&call->attempts[0]);
        return;
    }
    if (call->hedged || now < call->hedge_us)
        return;
    call->hedged = true;
    attempt_next(&call->attempts[call->attempts[0].transfer ? 1 : 0]);
}

void calls_run(struct etcd_client *c, uint64_t now)
{
    /* A login is appended by the first call that needs it, and so runs in the same round. */
    for (struct etcd_call *call = TAILQ_FIRST(&c->calls), *next; call; call = next) {
        /* Only `call` itself leaves the list meanwhile. */
        struct etcd_call *before = TAILQ_PREV(call, call_list, link);
        call_run(call, now);
        next = call->ended ? (before ? TAILQ_NEXT(before, link) : TAILQ_FIRST(&c->calls))
                           : TAILQ_NEXT(call, link);
    }
}

static uint64_t call_due(const struct etcd_call *call)
{
    if (!call->started && !call->client->login)
        return 0;
    bool waits = call->started && !call->hedged && call->hedge_us < call->deadline_us;
    return waits ? call->hedge_us : call->deadline_us;
}

uint64_t calls_due(const struct etcd_client *c)
{
    uint64_t due = TAILQ_EMPTY(&c->ended) ? UINT64_MAX : 0;
    for (const struct etcd_call *call = TAILQ_FIRST(&c->calls); call;
         call = TAILQ_NEXT(call, link)) {
        uint64_t at = call_due(call);
        due = at < due ? at : due;
    }
    return due;
}

void calls_deliver(struct etcd_client *c)
{
    struct etcd_call *call;
    while (!c->dead && (call = TAILQ_FIRST(&c->ended))) {
        call->delivering = true;
        call->fn(call->arg, &call->reply);
        call_free(call);
    }
}

void call_free(struct etcd_call *call)
{
    struct etcd_client *c = call->client;
    for (unsigned i = 0; i < CALL_SLOTS; i++) {
        attempt_stop(&call->attempts[i]);
        buf_done(&call->attempts[i].body);
    }
    if (call->ended)
        TAILQ_REMOVE(&c->ended, call, link);
    else
        TAILQ_REMOVE(&c->calls, call, link);
    if (call->kind == ETCD_KIND_AUTHENTICATE && call->body.data)
        explicit_bzero(call->body.data, call->body.len);
    buf_done(&call->body);
    etcd_reply_done(&call->reply);
    free(call);
}

void etcd_call_cancel(struct etcd_call *call)
{
    if (call && !call->delivering)
        call_free(call);
}
