/* SPDX-License-Identifier: MIT */
#include "api/probe.h"

#include <curl/curl.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/multi.h"

#define CONNECTIONS_MAX 32
#define BUFFER_BYTES 4096L
#define BODY_MAX 65536
#define URL_MAX 512

struct prober {
    struct multi *multi;
};

struct probe {
    struct prober *prober;
    CURL *easy;
    bool is_out;
    size_t body;
    probe_fn fn;
    void *arg;
    char error[CURL_ERROR_SIZE];
};

static size_t on_body(char *data, size_t size, size_t n, void *arg)
{
    struct probe *p = arg;
    (void)data;
    p->body += size * n;
    return p->body <= BODY_MAX ? size * n : 0;
}

static const char *reason(const struct probe *p, CURLcode code, char out[PROBE_WHY_MAX])
{
    long status = 0, os_errno = 0;
    curl_easy_getinfo(p->easy, CURLINFO_RESPONSE_CODE, &status);
    curl_easy_getinfo(p->easy, CURLINFO_OS_ERRNO, &os_errno);
    if (code == CURLE_OPERATION_TIMEDOUT)
        return "timed out";
    if (p->body > BODY_MAX)
        return "the answer is too long";
    if (code == CURLE_COULDNT_CONNECT && os_errno > 0)
        snprintf(out, PROBE_WHY_MAX, "%s", strerror((int)os_errno));
    else if (code != CURLE_OK)
        snprintf(out, PROBE_WHY_MAX, "%.*s", PROBE_WHY_MAX - 1,
                 p->error[0] ? p->error : curl_easy_strerror(code));
    else if (status != 0 && status / 100 != 2)
        snprintf(out, PROBE_WHY_MAX, "HTTP status %ld", status);
    else
        return NULL;
    return out;
}

static void withdraw(struct probe *p)
{
    if (p->is_out)
        curl_multi_remove_handle(multi_handle(p->prober->multi), p->easy);
    p->is_out = false;
}

static void pump(void *arg)
{
    struct prober *prober = arg;
    void *owner;
    int code;
    multi_run(prober->multi);
    while (multi_next(prober->multi, &owner, &code)) {
        struct probe *p = owner;
        char why[PROBE_WHY_MAX];
        const char *text = reason(p, (CURLcode)code, why);
        withdraw(p);
        p->fn(p->arg, text);
    }
    multi_arm(prober->multi, UINT64_MAX);
}

int prober_new(struct loop *loop, struct prober **ret_prober)
{
    struct prober *prober = calloc(1, sizeof(*prober));
    if (!prober)
        return -ENOMEM;
    const struct multi_config config = {.loop = loop,
                                        .has_tls = true,
                                        .max_connections = CONNECTIONS_MAX,
                                        .pump = pump,
                                        .arg = prober};
    int r = multi_new(&config, &prober->multi);
    if (r < 0) {
        free(prober);
        return r;
    }
    *ret_prober = prober;
    return 0;
}

void prober_free(struct prober *prober)
{
    if (!prober)
        return;
    multi_free(prober->multi);
    free(prober);
}

static int probe_new(struct prober *prober, const char *url, probe_fn fn, void *arg,
                     struct probe **ret_probe)
{
    struct probe *p = calloc(1, sizeof(*p));
    if (!p)
        return -ENOMEM;
    *p = (struct probe){.prober = prober, .easy = curl_easy_init(), .fn = fn, .arg = arg};
    if (!p->easy || multi_prepare(p->easy, p, p->error) < 0 ||
        curl_easy_setopt(p->easy, CURLOPT_URL, url) != CURLE_OK ||
        curl_easy_setopt(p->easy, CURLOPT_BUFFERSIZE, BUFFER_BYTES) != CURLE_OK ||
        curl_easy_setopt(p->easy, CURLOPT_WRITEFUNCTION, on_body) != CURLE_OK ||
        curl_easy_setopt(p->easy, CURLOPT_WRITEDATA, p) != CURLE_OK) {
        probe_free(p);
        return -ENOMEM;
    }
    *ret_probe = p;
    return 0;
}

int probe_new_https(struct prober *prober, const char *url, const char *ca_file, probe_fn fn,
                    void *arg, struct probe **ret_probe)
{
    struct probe *p;
    int r = probe_new(prober, url, fn, arg, &p);
    if (r < 0)
        return r;
    if (curl_easy_setopt(p->easy, CURLOPT_PROTOCOLS_STR, "https") != CURLE_OK ||
        multi_set_tls(p->easy, ca_file, NULL, NULL) < 0) {
        probe_free(p);
        return -ENOMEM;
    }
    *ret_probe = p;
    return 0;
}

int probe_new_tcp(struct prober *prober, const char *address, probe_fn fn, void *arg,
                  struct probe **ret_probe)
{
    char url[URL_MAX];
    struct probe *p;
    int n = snprintf(url, sizeof(url), "http://%s", address); /* nothing is sent */
    int r = n < (int)sizeof(url) ? probe_new(prober, url, fn, arg, &p) : -ENOMEM;
    if (r < 0)
        return r;
    if (curl_easy_setopt(p->easy, CURLOPT_CONNECT_ONLY, 1L) != CURLE_OK) {
        probe_free(p);
        return -ENOMEM;
    }
    *ret_probe = p;
    return 0;
}

int probe_start(struct probe *p, uint64_t timeout_us)
{
    p->body = 0;
    p->error[0] = '\0';
    if (curl_easy_setopt(p->easy, CURLOPT_TIMEOUT_MS, (long)((timeout_us + 999) / 1000)) !=
            CURLE_OK ||
        curl_multi_add_handle(multi_handle(p->prober->multi), p->easy) != CURLM_OK)
        return -ENOMEM;
    p->is_out = true;
    return 0;
}

void probe_free(struct probe *p)
{
    if (!p)
        return;
    withdraw(p);
    curl_easy_cleanup(p->easy);
    free(p);
}
