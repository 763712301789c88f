/* SPDX-License-Identifier: MIT */
#include "transport.h"

#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>

#include "base/clock.h"

#define BUFFER_BYTES 4096L
#define UPLOAD_BYTES 16384L /* libcurl's least */
#define CONNECT_TIMEOUT_MS 300L
#define IDLE_MAX_S 30L /* an older connection is not used again */
#define USER_TIMEOUT_MS 1500
#define POOL_MAX 4u

LIST_HEAD(transfer_list, transfer);

struct transport {
    struct transport_config config;
    CURLM *multi;
    struct loop_timer *timer;
    struct transfer_list pool;
    unsigned pooled;
    uint64_t curl_due_us;
    uint64_t due_us;
    bool in_pump; /* which arms the timer at its end */
};

struct headers *headers_new(const char *token)
{
    static const char *const fixed[] = {"Content-Type: application/json",
                                        "Accept:", "Expect:", "Grpc-Metadata-hasleader: true"};
    char line[1100];
    struct headers *h = calloc(1, sizeof(*h));
    if (!h)
        return NULL;
    h->refs = 1;
    int n = snprintf(line, sizeof(line), "Authorization: %s", token ? token : "");
    for (size_t i = 0; i < 4 + (token ? 1u : 0u); i++) {
        struct curl_slist *list = curl_slist_append(h->list, i < 4 ? fixed[i] : line);
        if (!list || n >= (int)sizeof(line)) {
            headers_unref(h);
            return NULL;
        }
        h->list = list;
    }
    return h;
}

void headers_unref(struct headers *headers)
{
    if (!headers || --headers->refs > 0)
        return;
    curl_slist_free_all(headers->list);
    free(headers);
}

/* So that nothing that the program starts later inherits a socket. */
static curl_socket_t open_socket(void *arg, curlsocktype purpose, struct curl_sockaddr *addr)
{
    (void)arg;
    (void)purpose;
    return socket(addr->family, addr->socktype | SOCK_CLOEXEC | SOCK_NONBLOCK, addr->protocol);
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

static int set_tls(CURL *easy, const struct transport_config *config)
{
    CURLcode r = curl_easy_setopt(easy, CURLOPT_SSLVERSION, (long)CURL_SSLVERSION_TLSv1_2);
    /* Files may be replaced: neither a cached store nor a resumed session may outlive them. */
#if LIBCURL_VERSION_NUM >= 0x075700
    r = r ? r : curl_easy_setopt(easy, CURLOPT_CA_CACHE_TIMEOUT, 0L);
#endif
    r = r ? r : curl_easy_setopt(easy, CURLOPT_SSL_SESSIONID_CACHE, 0L);
    if (config->cacert) {
        r = r ? r : curl_easy_setopt(easy, CURLOPT_CAINFO, config->cacert);
        r = r ? r : curl_easy_setopt(easy, CURLOPT_CAPATH, NULL);
    }
    if (config->is_insecure) {
        r = r ? r : curl_easy_setopt(easy, CURLOPT_SSL_VERIFYPEER, 0L);
        r = r ? r : curl_easy_setopt(easy, CURLOPT_SSL_VERIFYHOST, 0L);
    }
    if (config->cert)
        r = r ? r : curl_easy_setopt(easy, CURLOPT_SSLCERT, config->cert);
    if (config->key)
        r = r ? r : curl_easy_setopt(easy, CURLOPT_SSLKEY, config->key);
    return r == CURLE_OK ? 0 : -ENOMEM;
}

/* What never changes between requests. */
static int set_options(struct transfer *tr)
{
    static const struct {
        CURLoption option;
        long value;
    } numbers[] = {
        {CURLOPT_NOSIGNAL, 1},
        {CURLOPT_NOPROGRESS, 1},
        {CURLOPT_POST, 1},
        {CURLOPT_HTTP_VERSION, CURL_HTTP_VERSION_1_1},
        {CURLOPT_FOLLOWLOCATION, 0},
        {CURLOPT_MAXAGE_CONN, IDLE_MAX_S},
        {CURLOPT_BUFFERSIZE, BUFFER_BYTES},
        {CURLOPT_UPLOAD_BUFFERSIZE, UPLOAD_BYTES},
        {CURLOPT_TCP_NODELAY, 1},
    };
    CURL *easy = tr->easy;
    CURLcode r = CURLE_OK;
    for (size_t i = 0; i < sizeof(numbers) / sizeof(numbers[0]) && !r; i++)
        r = curl_easy_setopt(easy, numbers[i].option, numbers[i].value);
    uint64_t connect_us = tr->transport->config.connect_timeout_us;
    r = r ? r
          : curl_easy_setopt(easy, CURLOPT_CONNECTTIMEOUT_MS,
                             connect_us ? (long)(connect_us / 1000) : CONNECT_TIMEOUT_MS);
    r = r ? r : curl_easy_setopt(easy, CURLOPT_PROTOCOLS_STR, "http,https");
    r = r ? r : curl_easy_setopt(easy, CURLOPT_PROXY, "");
    r = r ? r : curl_easy_setopt(easy, CURLOPT_USERAGENT, "talosvip");
    r = r ? r : curl_easy_setopt(easy, CURLOPT_ERRORBUFFER, tr->error);
    r = r ? r : curl_easy_setopt(easy, CURLOPT_PRIVATE, tr);
    r = r ? r : curl_easy_setopt(easy, CURLOPT_WRITEFUNCTION, on_body);
    r = r ? r : curl_easy_setopt(easy, CURLOPT_WRITEDATA, tr);
    r = r ? r : curl_easy_setopt(easy, CURLOPT_OPENSOCKETFUNCTION, open_socket);
    r = r ? r : curl_easy_setopt(easy, CURLOPT_SOCKOPTFUNCTION, tune_socket);
    if (r != CURLE_OK)
        return -ENOMEM;
    return tr->transport->config.tls ? set_tls(easy, &tr->transport->config) : 0;
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
    if (r || curl_multi_add_handle(t->multi, tr->easy) != CURLM_OK) {
        transfer_free(tr);
        return -ENOMEM;
    }
    *ret_transfer = tr;
    return 0;
}

void transport_stop(struct transport *t, struct transfer *transfer)
{
    curl_multi_remove_handle(t->multi, transfer->easy);
    transfer_put(t, transfer);
}

void transport_run(struct transport *t)
{
    int running;
    if (t->curl_due_us > clock_now_us())
        return;
    t->curl_due_us = UINT64_MAX;
    curl_multi_socket_action(t->multi, CURL_SOCKET_TIMEOUT, 0, &running);
}

void transport_reap(struct transport *t)
{
    int left;
    CURLMsg *msg;
    while ((msg = curl_multi_info_read(t->multi, &left))) {
        char *private = NULL;
        CURLcode result = msg->data.result;
        if (msg->msg != CURLMSG_DONE ||
            curl_easy_getinfo(msg->easy_handle, CURLINFO_PRIVATE, &private) != CURLE_OK)
            continue;
        struct transfer *tr = (struct transfer *)(void *)private;
        tr->on_done(tr->owner, result);
    }
}

void transport_arm(struct transport *t, uint64_t at_us)
{
    t->due_us = at_us;
    t->in_pump = false;
    loop_timer_set(t->timer, at_us < t->curl_due_us ? at_us : t->curl_due_us);
}

static void on_timer(void *arg)
{
    struct transport *t = arg;
    t->in_pump = true;
    t->config.pump(t->config.arg);
}

static void on_io(void *arg, int fd, unsigned what)
{
    struct transport *t = arg;
    int running;
    t->in_pump = true;
    int mask =
        (what & LOOP_READ ? CURL_CSELECT_IN : 0) | (what & LOOP_WRITE ? CURL_CSELECT_OUT : 0);
    curl_multi_socket_action(t->multi, fd, mask, &running);
    t->config.pump(t->config.arg);
}

/* libcurl wants `fd` watched. A watcher that cannot be had is not reported: that would end the
 * whole multi handle, while the transfer alone runs into its own timeout. */
static int on_curl_socket(CURL *easy, curl_socket_t fd, int what, void *arg, void *socket_arg)
{
    struct transport *t = arg;
    struct loop_io *io = socket_arg;
    (void)easy;
    if (what == CURL_POLL_REMOVE) {
        curl_multi_assign(t->multi, fd, NULL);
        loop_io_free(io);
        return 0;
    }
    unsigned mask =
        (what & CURL_POLL_IN ? LOOP_READ : 0u) | (what & CURL_POLL_OUT ? LOOP_WRITE : 0u);
    if (io)
        loop_io_set(io, mask);
    else if (loop_io_new(t->config.loop, fd, mask, on_io, t, &io) == 0)
        curl_multi_assign(t->multi, fd, io);
    return 0;
}

static int on_curl_timer(CURLM *multi, long ms, void *arg)
{
    struct transport *t = arg;
    (void)multi;
    t->curl_due_us = ms < 0 ? UINT64_MAX : ms == 0 ? 0 : clock_now_us() + (uint64_t)ms * 1000;
    if (!t->in_pump)
        transport_arm(t, t->due_us);
    return 0;
}

int transport_new(const struct transport_config *config, struct transport **ret_transport)
{
    if (curl_global_init(config->tls ? CURL_GLOBAL_SSL : CURL_GLOBAL_NOTHING) != CURLE_OK)
        return -ENOMEM;
    struct transport *t = calloc(1, sizeof(*t));
    if (!t) {
        curl_global_cleanup();
        return -ENOMEM;
    }
    *t = (struct transport){.config = *config, .curl_due_us = UINT64_MAX, .due_us = UINT64_MAX};
    LIST_INIT(&t->pool);
    int r = loop_timer_new(config->loop, on_timer, t, &t->timer);
    t->multi = r < 0 ? NULL : curl_multi_init();
    if (!t->multi) {
        transport_free(t);
        return r < 0 ? r : -ENOMEM;
    }
    curl_multi_setopt(t->multi, CURLMOPT_SOCKETFUNCTION, on_curl_socket);
    curl_multi_setopt(t->multi, CURLMOPT_SOCKETDATA, t);
    curl_multi_setopt(t->multi, CURLMOPT_TIMERFUNCTION, on_curl_timer);
    curl_multi_setopt(t->multi, CURLMOPT_TIMERDATA, t);
    curl_multi_setopt(t->multi, CURLMOPT_PIPELINING, (long)CURLPIPE_NOTHING);
    curl_multi_setopt(t->multi, CURLMOPT_MAXCONNECTS, (long)config->max_connections);
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
    curl_multi_cleanup(t->multi);
    loop_timer_free(t->timer);
    free(t);
    curl_global_cleanup();
}
