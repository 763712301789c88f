/* SPDX-License-Identifier: MIT */
#include "base/multi.h"

#include <curl/curl.h>
#include <errno.h>
#include <stdlib.h>
#include <sys/socket.h>

#include "base/clock.h"

struct multi {
    struct multi_config config;
    CURLM *handle;
    struct loop_timer *timer;
    uint64_t curl_due_us;
    uint64_t due_us;
    bool in_pump; /* which arms the timer at its end */
};

void *multi_handle(struct multi *m)
{
    return m->handle;
}

void multi_run(struct multi *m)
{
    int running;
    if (m->curl_due_us > clock_now_us())
        return;
    m->curl_due_us = UINT64_MAX;
    curl_multi_socket_action(m->handle, CURL_SOCKET_TIMEOUT, 0, &running);
}

bool multi_next(struct multi *m, void **ret_owner, int *ret_code)
{
    int left;
    CURLMsg *msg;
    while ((msg = curl_multi_info_read(m->handle, &left))) {
        char *private = NULL;
        CURLcode code = msg->data.result;
        if (msg->msg != CURLMSG_DONE ||
            curl_easy_getinfo(msg->easy_handle, CURLINFO_PRIVATE, &private) != CURLE_OK)
            continue;
        *ret_owner = private;
        *ret_code = (int)code;
        return true;
    }
    return false;
}

void multi_arm(struct multi *m, uint64_t at_us)
{
    m->due_us = at_us;
    m->in_pump = false;
    loop_timer_set(m->timer, at_us < m->curl_due_us ? at_us : m->curl_due_us);
}

static void on_timer(void *arg)
{
    struct multi *m = arg;
    m->in_pump = true;
    m->config.pump(m->config.arg);
}

static void on_io(void *arg, int fd, unsigned what)
{
    struct multi *m = arg;
    int running;
    m->in_pump = true;
    int mask =
        (what & LOOP_READ ? CURL_CSELECT_IN : 0) | (what & LOOP_WRITE ? CURL_CSELECT_OUT : 0);
    curl_multi_socket_action(m->handle, fd, mask, &running);
    m->config.pump(m->config.arg);
}

/* libcurl wants `fd` watched. A watcher that cannot be had is not reported: that would end the
 * whole multi handle, while the transfer alone runs into its own timeout. */
static int on_curl_socket(CURL *easy, curl_socket_t fd, int what, void *arg, void *socket_arg)
{
    struct multi *m = arg;
    struct loop_io *io = socket_arg;
    (void)easy;
    if (what == CURL_POLL_REMOVE) {
        curl_multi_assign(m->handle, fd, NULL);
        loop_io_free(io);
        return 0;
    }
    unsigned mask =
        (what & CURL_POLL_IN ? LOOP_READ : 0u) | (what & CURL_POLL_OUT ? LOOP_WRITE : 0u);
    if (io)
        loop_io_set(io, mask);
    else if (loop_io_new(m->config.loop, fd, mask, on_io, m, &io) == 0)
        curl_multi_assign(m->handle, fd, io);
    return 0;
}

static int on_curl_timer(CURLM *handle, long ms, void *arg)
{
    struct multi *m = arg;
    (void)handle;
    m->curl_due_us = ms < 0 ? UINT64_MAX : ms == 0 ? 0 : clock_now_us() + (uint64_t)ms * 1000;
    if (!m->in_pump)
        multi_arm(m, m->due_us);
    return 0;
}

int multi_new(const struct multi_config *config, struct multi **ret_multi)
{
    if (curl_global_init(config->has_tls ? CURL_GLOBAL_SSL : CURL_GLOBAL_NOTHING) != CURLE_OK)
        return -ENOMEM;
    struct multi *m = calloc(1, sizeof(*m));
    if (!m) {
        curl_global_cleanup();
        return -ENOMEM;
    }
    *m = (struct multi){.config = *config, .curl_due_us = UINT64_MAX, .due_us = UINT64_MAX};
    int r = loop_timer_new(config->loop, on_timer, m, &m->timer);
    m->handle = r < 0 ? NULL : curl_multi_init();
    if (!m->handle) {
        multi_free(m);
        return r < 0 ? r : -ENOMEM;
    }
    curl_multi_setopt(m->handle, CURLMOPT_SOCKETFUNCTION, on_curl_socket);
    curl_multi_setopt(m->handle, CURLMOPT_SOCKETDATA, m);
    curl_multi_setopt(m->handle, CURLMOPT_TIMERFUNCTION, on_curl_timer);
    curl_multi_setopt(m->handle, CURLMOPT_TIMERDATA, m);
    curl_multi_setopt(m->handle, CURLMOPT_PIPELINING, (long)CURLPIPE_NOTHING);
    curl_multi_setopt(m->handle, CURLMOPT_MAXCONNECTS, (long)config->max_connections);
    *ret_multi = m;
    return 0;
}

void multi_free(struct multi *m)
{
    if (!m)
        return;
    curl_multi_cleanup(m->handle);
    loop_timer_free(m->timer);
    free(m);
    curl_global_cleanup();
}

/* So that nothing that the program starts later inherits a socket. */
static curl_socket_t open_socket(void *arg, curlsocktype purpose, struct curl_sockaddr *addr)
{
    (void)arg;
    (void)purpose;
    return socket(addr->family, addr->socktype | SOCK_CLOEXEC | SOCK_NONBLOCK, addr->protocol);
}

int multi_prepare(void *easy, void *owner, char *error)
{
    static const struct {
        CURLoption option;
        long value;
    } numbers[] = {
        {CURLOPT_NOSIGNAL, 1},
        {CURLOPT_NOPROGRESS, 1},
        {CURLOPT_HTTP_VERSION, CURL_HTTP_VERSION_1_1},
        {CURLOPT_FOLLOWLOCATION, 0},
        {CURLOPT_TCP_NODELAY, 1},
#if LIBCURL_VERSION_NUM >= 0x075700
        /* Names are resolved by a thread; without this, ending the transfer waits for it. */
        {CURLOPT_QUICK_EXIT, 1},
#endif
    };
    CURLcode r = CURLE_OK;
    for (size_t i = 0; i < sizeof(numbers) / sizeof(numbers[0]) && !r; i++)
        r = curl_easy_setopt(easy, numbers[i].option, numbers[i].value);
    r = r ? r : curl_easy_setopt(easy, CURLOPT_PROXY, "");
    r = r ? r : curl_easy_setopt(easy, CURLOPT_USERAGENT, "talosvip");
    r = r ? r : curl_easy_setopt(easy, CURLOPT_ERRORBUFFER, error);
    r = r ? r : curl_easy_setopt(easy, CURLOPT_PRIVATE, owner);
    r = r ? r : curl_easy_setopt(easy, CURLOPT_OPENSOCKETFUNCTION, open_socket);
    return r == CURLE_OK ? 0 : -ENOMEM;
}

int multi_set_tls(void *easy, const char *cacert, const char *cert, const char *key)
{
    CURLcode r = curl_easy_setopt(easy, CURLOPT_SSLVERSION, (long)CURL_SSLVERSION_TLSv1_2);
    /* Files may be replaced: neither a cached store nor a resumed session may outlive them. */
#if LIBCURL_VERSION_NUM >= 0x075700
    r = r ? r : curl_easy_setopt(easy, CURLOPT_CA_CACHE_TIMEOUT, 0L);
#endif
    r = r ? r : curl_easy_setopt(easy, CURLOPT_SSL_SESSIONID_CACHE, 0L);
    if (cacert) {
        r = r ? r : curl_easy_setopt(easy, CURLOPT_CAINFO, cacert);
        r = r ? r : curl_easy_setopt(easy, CURLOPT_CAPATH, NULL);
    }
    if (cert)
        r = r ? r : curl_easy_setopt(easy, CURLOPT_SSLCERT, cert);
    if (key)
        r = r ? r : curl_easy_setopt(easy, CURLOPT_SSLKEY, key);
    return r == CURLE_OK ? 0 : -ENOMEM;
}
