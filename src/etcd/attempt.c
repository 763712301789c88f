/* SPDX-License-Identifier: MIT */
/* One request of a call to one endpoint, and what its end means for the call. */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "base/clock.h"
#include "failure.h"
#include "state.h"
#include "status.h"

static bool on_data(void *owner, const char *data, size_t len)
{
    struct attempt *a = owner;
    return buf_add(&a->body, data, len) == 0;
}

void attempt_stop(struct attempt *a)
{
    if (a->transfer)
        transport_stop(a->call->client->transport, a->transfer);
    a->transfer = NULL;
}

static struct endpoint *attempt_endpoint(struct attempt *a)
{
    return &a->call->client->endpoints[a->endpoint];
}

static const char *attempt_url(struct attempt *a)
{
    struct endpoint *ep = attempt_endpoint(a);
    return a->trial ? ep->sibling : endpoint_url(ep);
}

int attempt_rank(enum etcd_status status)
{
    switch (status) {
    case ETCD_UNAVAILABLE:
        return 1;
    case ETCD_BAD_REPLY:
        return 2;
    case ETCD_NOT_GATEWAY:
        return 3;
    case ETCD_TLS:
        return 4;
    case ETCD_GRPC_ONLY:
        return 5;
    default:
        return 0;
    }
}

/* Keeps the more telling of two failures; the other one is freed. */
static void keep_failure(struct etcd_call *call, struct etcd_reply *reply)
{
    call->failures++;
    if (attempt_rank(reply->status) > attempt_rank(call->reply.status)) {
        etcd_reply_done(&call->reply);
        call->reply = *reply;
    } else {
        etcd_reply_done(reply);
    }
}

static void on_done(void *owner, CURLcode result);

static int attempt_start(struct attempt *a)
{
    struct etcd_call *call = a->call;
    struct etcd_client *c = call->client;
    bool fresh = client_take_fresh(c, a->endpoint) || (call->tries > c->n_endpoints);
    struct transport_request request = {
        .base = attempt_url(a),
        .path = etcd_kind_path(call->kind),
        .body = call->body.data,
        .body_len = call->body.len,
        .headers = call->kind == ETCD_KIND_AUTHENTICATE ? c->plain : client_headers(c),
        .fresh = fresh || a->trial,
        .owner = a,
        .on_data = on_data,
        .on_done = on_done,
    };
    buf_clear(&a->body);
    a->sent_us = clock_now_us();
    return transport_start(c->transport, &request, &a->transfer);
}

void attempt_next(struct attempt *a)
{
    struct etcd_call *call = a->call;
    a->endpoint = (call->first + call->tries) % call->client->n_endpoints;
    a->trial = false;
    call->tries++;
    if (attempt_start(a) < 0)
        call_fail(call, ETCD_NO_MEMORY, "out of memory");
}

/* An endpoint failed: the next one, or the end. */
static void go_on(struct attempt *a)
{
    struct etcd_call *call = a->call;
    struct etcd_client *c = call->client;
    client_endpoint_failed(c, a->endpoint);
    if (call->tries < c->n_endpoints) {
        attempt_next(a);
        return;
    }
    for (unsigned i = 0; i < CALL_SLOTS; i++)
        if (call->attempts[i].transfer)
            return; /* somebody may still answer */
    if (call->failures > 1 && call->reply.status == ETCD_UNAVAILABLE && c->n_endpoints > 1)
        etcd_reply_fail(&call->reply, ETCD_UNAVAILABLE, "%s (and no other endpoint answered)",
                        call->reply.message);
    call_end(call);
}

/* The token was refused: log in again and repeat everything, once. */
static void renew_token(struct attempt *a, struct etcd_reply *reply)
{
    struct etcd_call *call = a->call;
    struct etcd_client *c = call->client;
    if (!c->user) {
        call_fail(call, ETCD_AUTH, "etcd wants a user and a password");
    } else if (call->relogged) {
        char text[ETCD_MESSAGE_MAX];
        snprintf(text, sizeof(text), "etcd does not take the token it has just given: %.200s",
                 reply->message);
        call_fail(call, ETCD_AUTH, text);
    } else {
        login_refused(c, a->transfer->headers);
        for (unsigned i = 0; i < CALL_SLOTS; i++)
            attempt_stop(&call->attempts[i]);
        call->relogged = true;
        call->started = call->hedged = false;
        call->tries = call->failures = 0;
    }
    etcd_reply_done(reply);
}

static void explain(struct etcd_call *call, struct etcd_reply *reply)
{
    const char *user = call->client->user;
    if (call->kind == ETCD_KIND_AUTHENTICATE && reply->status == ETCD_AUTH)
        etcd_reply_fail(reply, ETCD_AUTH, "etcd refused the login of user \"%.64s\": %.160s",
                        user ? user : "", reply->message);
    else if (reply->status == ETCD_FORBIDDEN && user)
        etcd_reply_fail(reply, ETCD_FORBIDDEN, "etcd user \"%.64s\" may not do this: %.160s", user,
                        reply->message);
    else if (reply->status == ETCD_NOSPACE)
        etcd_reply_fail(reply, ETCD_NOSPACE,
                        "etcd has a NOSPACE alarm and takes no writes (%.160s)", reply->message);
}

/* An answer that decides. */
static void attempt_won(struct attempt *a, struct etcd_reply *reply)
{
    struct etcd_call *call = a->call;
    struct etcd_client *c = call->client;
    explain(call, reply);
    reply->sent_us = a->sent_us;
    /* The endpoint that was asked before and is still silent is not the one to ask next. */
    for (unsigned i = 0; i < CALL_SLOTS; i++)
        if (call->attempts[i].transfer && &call->attempts[i] != a &&
            call->attempts[i].endpoint != a->endpoint && call->attempts[i].sent_us < a->sent_us)
            client_endpoint_failed(c, call->attempts[i].endpoint);
    client_endpoint_answered(c, a->endpoint, call->tries > 1);
    etcd_reply_done(&call->reply);
    call->reply = *reply;
    call_end(call);
}

/* A port that is not the gateway's: is it the one beside it? */
static bool try_sibling(struct attempt *a)
{
    struct endpoint *ep = attempt_endpoint(a);
    if (a->trial || ep->on_sibling || !ep->sibling[0])
        return false;
    a->trial = true;
    return attempt_start(a) == 0;
}

/* Whoever frames an answer as gRPC is etcd's gRPC server, whatever the answer says. */
static void on_asked_in_grpc(void *owner, CURLcode result)
{
    struct attempt *a = owner;
    struct etcd_reply *kept = &a->call->reply;
    const char *type = NULL;
    long version = 0;
    (void)result;
    curl_easy_getinfo(a->transfer->easy, CURLINFO_CONTENT_TYPE, &type);
    curl_easy_getinfo(a->transfer->easy, CURLINFO_HTTP_VERSION, &version);
    if (version == CURL_HTTP_VERSION_2_0 && type && strncmp(type, "application/grpc", 16) == 0) {
        kept->endpoint = attempt_endpoint(a)->url;
        etcd_reply_fail(kept, ETCD_GRPC_ONLY, "%s speaks only gRPC", kept->endpoint);
    }
    attempt_stop(a);
    go_on(a);
}

/* Neither this port nor its sibling is the gateway's. Does etcd answer there in its own protocol?
 * By its silence in HTTP/1.1 a gRPC port cannot be told from one where nobody is well: each
 * version of etcd ends such a connection in another way. */
static bool ask_in_grpc(struct attempt *a)
{
    static const char nothing[5]; /* the length and flag of an empty message */
    struct headers *headers = a->call->kind == ETCD_KIND_STATUS ? headers_new_grpc() : NULL;
    if (!headers)
        return false;
    struct transport_request request = {
        .base = attempt_endpoint(a)->url,
        .path = "/etcdserverpb.Maintenance/Status",
        .body = nothing,
        .body_len = sizeof(nothing),
        .headers = headers,
        .fresh = true,
        .is_http2 = true,
        .owner = a,
        .on_data = on_data,
        .on_done = on_asked_in_grpc,
    };
    a->trial = false;
    buf_clear(&a->body);
    int r = transport_start(a->call->client->transport, &request, &a->transfer);
    headers_unref(headers);
    return r == 0;
}

static void found_sibling(struct attempt *a)
{
    struct endpoint *ep = attempt_endpoint(a);
    ep->on_sibling = true;
    a->trial = false;
    if (ep->sibling_noted)
        return;
    ep->sibling_noted = true;
    client_notice(a->call->client, ETCD_NOTICE_PORT, "%s is no JSON gateway, %s is: using that one",
                  ep->url, ep->sibling);
}

/* Fills `reply`; returns whether the port may be one for gRPC only. */
static bool attempt_result(struct attempt *a, CURLcode result, struct etcd_reply *reply)
{
    struct etcd_call *call = a->call;
    struct etcd_client *c = call->client;
    const char *url = attempt_url(a);
    bool maybe_grpc;
    *reply = (struct etcd_reply){.code = -1};
    if (result == CURLE_OK) {
        etcd_reply_parse(call->kind, buf_str(&a->body), a->body.len, reply);
        maybe_grpc = reply->status == ETCD_NOT_GATEWAY || a->body.len == 0;
        if (call->kind == ETCD_KIND_KEEPALIVE && reply->lease && reply->lease != call->lease)
            etcd_reply_fail(reply, ETCD_BAD_REPLY, "the answer is about another lease");
        if (status_is_endpoint(reply->status))
            etcd_reply_fail(reply, reply->status, "%s: %.200s", url, reply->message);
    } else {
        struct failure failure = {a->transfer->easy,     result,
                                  a->transfer->error,    url,
                                  c->files[FILE_CACERT], c->files[FILE_CERT],
                                  c->files[FILE_KEY]};
        maybe_grpc = failure_describe(&failure, reply);
        if (a->body.error == -ENOMEM)
            etcd_reply_fail(reply, ETCD_NO_MEMORY, "out of memory");
    }
    reply->endpoint = url;
    return maybe_grpc;
}

static void on_done(void *owner, CURLcode result)
{
    struct attempt *a = owner;
    struct endpoint *ep = attempt_endpoint(a);
    struct etcd_reply reply;
    bool maybe_grpc = attempt_result(a, result, &reply);
    bool spoke = result == CURLE_OK && (reply.status == ETCD_OK || reply.code >= 0);
    if (a->trial && spoke)
        found_sibling(a);
    if (login_is_due(a->call->client, reply.status, a->transfer->headers)) {
        renew_token(a, &reply);
        return;
    }
    attempt_stop(a);
    if (!status_is_endpoint(reply.status)) {
        attempt_won(a, &reply);
        return;
    }
    if (a->trial)
        etcd_reply_done(&reply); /* what the configured port did was kept already */
    else
        keep_failure(a->call, &reply);
    if (maybe_grpc && try_sibling(a))
        return;
    if (!a->trial && !spoke)
        ep->on_sibling = false; /* it may have moved back */
    if ((maybe_grpc || a->trial) && ask_in_grpc(a))
        return;
    go_on(a);
}
