/* SPDX-License-Identifier: MIT */
#include "transport.h"

#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>

#include "base/multi.h"

#define BUFFER_BYTES 4096L
#define UPLOAD_BYTES 16384L /* libcurl's least */
#define CONNECT_TIMEOUT_MS 300L
#define IDLE_MAX_S 30L /* an older connection is not used again */
#define USER_TIMEOUT_MS 1500
#define POOL_MAX 4u

LIST_HEAD(transfer_list, transfer);

struct transport {
    struct transport_config config;
    struct multi *multi;
    struct transfer_list pool;
    unsigned pooled;
};

/* NULL ends `lines`. */
static struct headers *headers_from(const char *const *lines)
{
    struct headers *h = calloc(1, sizeof(*h));
    if (!h)
        return NULL;
    h->refs = 1;
    for (; *lines; lines++) {
        struct curl_slist *list = curl_slist_append(h->list, *lines);
        if (!list) {
            headers_unref(h);
            return NULL;
        }
        h->list = list;
    }
    return h;
}

struct headers *headers_new(const char *token)
{
    char line[1100];
    int n = snprintf(line, sizeof(line), "Authorization: %s", token ? token : "");
    const char *const lines[] = {"Content-Type: application/json", "Accept:",           "Expect:",
                                 "Grpc-Metadata-hasleader: true",  token ? line : NULL, NULL};
    return n < (int)sizeof(line) ? headers_from(lines) : NULL;
}

struct headers *headers_new_grpc(void)
{
    static const char *const lines[] = {"Content-Type: application/grpc", "TE: trailers",
                                        "Accept:", "Expect:", NULL};
    return headers_from(lines);
}

void headers_unref(struct headers *headers)
{
    if (!headers || --headers->refs > 0)
        return;
    curl_slist_free_all(headers->list);
    free(headers);
}

/* A dead peer or link is noticed in about 1.75 s, whatever is in flight; etcd's own side would
 * take minutes. Failure of an option is no reason to do without a connection. */
static int tune_socket(void *arg, curl_socket_t fd, curlsocktype purpose)
{
    int on = 1, seconds = 1, probes = 2, user_timeout_ms = USER_TIMEOUT_MS;
    (void)arg;
    (void)purpose;
    setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on));
    setsockopt(fd, SOL_SOCKET, SO_KEEPALIVE, &on, sizeof(on));
    setsockopt(fd, IPPROTO_TCP, TCP_KEEPIDLE, &seconds, sizeof(seconds));
    setsockopt(fd, IPPROTO_TCP, TCP_KEEPINTVL, &seconds, sizeof(seconds));
    setsockopt(fd, IPPROTO_TCP, TCP_KEEPCNT, &probes, sizeof(probes));
    setsockopt(fd, IPPROTO_TCP, TCP_USER_TIMEOUT, &user_timeout_ms, sizeof(user_timeout_ms));
    return CURL_SOCKOPT_OK;
}

static size_t on_body(char *data, size_t size, size_t n, void *arg)
{
    struct transfer *tr = arg;
    (void)size; /* always 1 */
    return tr->on_data(tr->owner, data, n) ? n : 0;
}

/* What never changes between requests. */
static int set_options(struct transfer *tr)
{
    static const struct {
        CURLoption option;
        long value;
    } numbers[] = {
        {CURLOPT_POST, 1},
        {CURLOPT_MAXAGE_CONN, IDLE_MAX_S},
        {CURLOPT_BUFFERSIZE, BUFFER_BYTES},
        {CURLOPT_UPLOAD_BUFFERSIZE, UPLOAD_BYTES},
    };
    const struct transport_config *config = &tr->transport->config;
    CURL *easy = tr->easy;
    if (multi_prepare(easy, tr, tr->error) < 0)
        return -ENOMEM;
    CURLcode r = CURLE_OK;
    for (size_t i = 0; i < sizeof(numbers) / sizeof(numbers[0]) && !r; i++)
        r = curl_easy_setopt(easy, numbers[i].option, numbers[i].value);
    uint64_t connect_us = config->connect_timeout_us;
    r = r ? r
          : curl_easy_setopt(easy, CURLOPT_CONNECTTIMEOUT_MS,
                             connect_us ? (long)(connect_us / 1000) : CONNECT_TIMEOUT_MS);
    r = r ? r : curl_easy_setopt(easy, CURLOPT_PROTOCOLS_STR, "http,https");
    r = r ? r : curl_easy_setopt(easy, CURLOPT_WRITEFUNCTION, on_body);
    r = r ? r : curl_easy_setopt(easy, CURLOPT_WRITEDATA, tr);
    r = r ? r : curl_easy_setopt(easy, CURLOPT_SOCKOPTFUNCTION, tune_socket);
    if (config->is_insecure) {
        r = r ? r : curl_easy_setopt(easy, CURLOPT_SSL_VERIFYPEER, 0L);
        r = r ? r : curl_easy_setopt(easy, CURLOPT_SSL_VERIFYHOST, 0L);
    }
    if (r != CURLE_OK)
        return -ENOMEM;
    return config->tls ? multi_set_tls(easy, config->cacert, config->cert, config->key) : 0;
}

static void transfer_free(struct transfer *tr)
{
    if (!tr)
        return;
    curl_easy_cleanup(tr->easy);
    headers_unref(tr->headers);
    free(tr);
}

static struct transfer *transfer_get(struct transport *t)
{
    struct transfer *tr = LIST_FIRST(&t->pool);
    if (tr) {
        LIST_REMOVE(tr, link);
        t->pooled--;
        return tr;
    }
    tr = calloc(1, sizeof(*tr));
    if (!tr)
        return NULL;
    tr->transport = t;
    tr->easy = curl_easy_init();
    if (!tr->easy || set_options(tr) < 0) {
        transfer_free(tr);
        return NULL;
    }
    return tr;
}

static void transfer_put(struct transport *t, struct transfer *tr)
{
    tr->owner = NULL;
    tr->on_data = NULL;
    tr->on_done = NULL;
    if (t->pooled >= POOL_MAX) {
        transfer_free(tr);
        return;
    }
    t->pooled++;
    LIST_INSERT_HEAD(&t->pool, tr, link);
}

int transport_start(struct transport *t, const struct transport_request *request,
                    struct transfer **ret_transfer)
{
    char url[400];
    struct transfer *tr = transfer_get(t);
    if (!tr)
        return -ENOMEM;
    tr->error[0] = '\0';
    tr->owner = request->owner;
    tr->on_data = request->on_data;
    tr->on_done = request->on_done;
    snprintf(url, sizeof(url), "%s%s", request->base, request->path);
    CURLcode r = curl_easy_setopt(tr->easy, CURLOPT_URL, url);
    if (!r && tr->headers != request->headers) {
        r = curl_easy_setopt(tr->easy, CURLOPT_HTTPHEADER, request->headers->list);
        headers_unref(tr->headers);
        tr->headers = request->headers;
        tr->headers->refs++;
    }
    r = r ? r : curl_easy_setopt(tr->easy, CURLOPT_POSTFIELDS, request->body);
    r = r ? r : curl_easy_setopt(tr->easy, CURLOPT_POSTFIELDSIZE, (long)request->body_len);
    r = r ? r : curl_easy_setopt(tr->easy, CURLOPT_FRESH_CONNECT, (long)request->fresh);
    r = r ? r : curl_easy_setopt(tr->easy, CURLOPT_FORBID_REUSE, (long)request->is_http2);
    r = r ? r
          : curl_easy_setopt(tr->easy, CURLOPT_HTTP_VERSION,
                             request->is_http2 ? (long)CURL_HTTP_VERSION_2_PRIOR_KNOWLEDGE
                                               : (long)CURL_HTTP_VERSION_1_1);
    if (r || curl_multi_add_handle(multi_handle(t->multi), tr->easy) != CURLM_OK) {
        transfer_free(tr);
        return -ENOMEM;
    }
    *ret_transfer = tr;
    return 0;
}

void transport_stop(struct transport *t, struct transfer *transfer)
{
    curl_multi_remove_handle(multi_handle(t->multi), transfer->easy);
    transfer_put(t, transfer);
}

void transport_run(struct transport *t)
{
    multi_run(t->multi);
}

void transport_reap(struct transport *t)
{
    void *owner;
    int code;
    while (multi_next(t->multi, &owner, &code)) {
        struct transfer *tr = owner;
        tr->on_done(tr->owner, (CURLcode)code);
    }
}

void transport_arm(struct transport *t, uint64_t at_us)
{
    multi_arm(t->multi, at_us);
}

int transport_new(const struct transport_config *config, struct transport **ret_transport)
{
    struct transport *t = calloc(1, sizeof(*t));
    if (!t)
        return -ENOMEM;
    t->config = *config;
    LIST_INIT(&t->pool);
    const struct multi_config multi = {.loop = config->loop,
                                       .has_tls = config->tls,
                                       .max_connections = config->max_connections,
                                       .pump = config->pump,
                                       .arg = config->arg};
    int r = multi_new(&multi, &t->multi);
    if (r < 0) {
        transport_free(t);
        return r;
    }
    *ret_transport = t;
    return 0;
}

void transport_free(struct transport *t)
{
    struct transfer *tr;
    if (!t)
        return;
    while ((tr = LIST_FIRST(&t->pool))) {
        LIST_REMOVE(tr, link);
        transfer_free(tr);
    }
    multi_free(t->multi);
    free(t);
}
