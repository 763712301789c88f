/* SPDX-License-Identifier: MIT */
#include "etcd/client.h"

#include <assert.h>
#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>
#include <sys/stat.h>

#include "base/clock.h"
#include "state.h"

#define GRPC_PORT 2379
#define GATEWAY_PORT 2383
#define FILES_EVERY_US 2000000u

void client_notice(struct etcd_client *c, enum etcd_notice kind, const char *fmt, ...)
{
    char text[ETCD_MESSAGE_MAX + ENDPOINT_URL_MAX];
    va_list ap;
    if (!c->on_notice)
        return;
    va_start(ap, fmt);
    vsnprintf(text, sizeof(text), fmt, ap);
    va_end(ap);
    c->on_notice(c->notice_arg, kind, text);
}

uint64_t client_random(struct etcd_client *c, uint64_t n)
{
    /* xorshift64: good enough to keep agents out of step. */
    c->random ^= c->random << 13;
    c->random ^= c->random >> 7;
    c->random ^= c->random << 17;
    return c->random % n;
}

struct headers *client_headers(const struct etcd_client *c)
{
    return c->authed ? c->authed : c->plain;
}

void client_endpoint_failed(struct etcd_client *c, unsigned endpoint)
{
    c->endpoints[endpoint].fresh = true;
    watches_suspect(c, endpoint);
    if (c->current == endpoint)
        c->current = (endpoint + 1) % c->n_endpoints;
}

void client_endpoint_answered(struct etcd_client *c, unsigned endpoint, bool prefer)
{
    if (prefer)
        c->current = endpoint;
    if (endpoint == c->good)
        return;
    client_notice(c, ETCD_NOTICE_ENDPOINT, "%s does not answer, using %s",
                  endpoint_url(&c->endpoints[c->good]), endpoint_url(&c->endpoints[endpoint]));
    c->good = endpoint;
}

bool client_take_fresh(struct etcd_client *c, unsigned endpoint)
{
    struct endpoint *ep = &c->endpoints[endpoint];
    bool fresh = ep->fresh || ep->generation != c->generation;
    ep->fresh = false;
    ep->generation = c->generation;
    return fresh;
}

static bool look_at_file(const char *path, struct file_mark *mark)
{
    struct stat st;
    struct file_mark seen = {0};
    if (path && stat(path, &st) == 0)
        seen = (struct file_mark){st.st_dev, st.st_ino, st.st_mtim, st.st_size};
    bool same = seen.dev == mark->dev && seen.ino == mark->ino && seen.size == mark->size &&
                seen.mtime.tv_sec == mark->mtime.tv_sec &&
                seen.mtime.tv_nsec == mark->mtime.tv_nsec;
    *mark = seen;
    return !same;
}

/* Connections keep the certificates they were made with; a renewed file asks for new ones. */
static void check_files(struct etcd_client *c, uint64_t now)
{
    if (now < c->marks_us + FILES_EVERY_US)
        return;
    c->marks_us = now;
    for (unsigned i = 0; i < 3; i++) {
        if (!c->files[i] || !look_at_file(c->files[i], &c->marks[i]))
            continue;
        c->generation++;
        client_notice(c, ETCD_NOTICE_FILES, "%s changed, connecting anew", c->files[i]);
        for (unsigned e = 0; e < c->n_endpoints; e++)
            if (c->endpoints[e].tls)
                watches_suspect(c, e);
    }
}

static void client_destroy(struct etcd_client *c)
{
    while (!TAILQ_EMPTY(&c->calls))
        call_free(TAILQ_FIRST(&c->calls));
    while (!TAILQ_EMPTY(&c->ended))
        call_free(TAILQ_FIRST(&c->ended));
    watches_bury(c);
    transport_free(c->transport);
    headers_unref(c->plain);
    headers_unref(c->authed);
    for (unsigned i = 0; i < 3; i++)
        free(c->files[i]);
    if (c->password)
        explicit_bzero(c->password, strlen(c->password));
    explicit_bzero(c->token, sizeof(c->token));
    free(c->password);
    free(c->password_file);
    free(c->user);
    free(c);
}

static uint64_t least(uint64_t a, uint64_t b)
{
    return a < b ? a : b;
}

static void arm(struct etcd_client *c)
{
    transport_arm(c->transport, least(calls_due(c), watches_due(c)));
}

static void client_pump(void *arg)
{
    struct etcd_client *c = arg;
    uint64_t now = clock_now_us();
    c->depth++;
    if (!TAILQ_EMPTY(&c->calls))
        check_files(c, now);
    calls_run(c, now);
    transport_run(c->transport);
    transport_reap(c->transport);
    calls_deliver(c);
    if (!c->dead)
        watches_run(c, now);
    c->depth--;
    if (c->dead) {
        client_destroy(c);
        return;
    }
    watches_bury(c);
    arm(c);
}

void client_wake(struct etcd_client *c)
{
    if (c->depth == 0)
        transport_arm(c->transport, 0);
}

static int copy(char **ret_copy, const char *text)
{
    *ret_copy = text ? strdup(text) : NULL;
    return text && !*ret_copy ? -ENOMEM : 0;
}

static int copy_config(struct etcd_client *c, const struct etcd_client_config *config)
{
    const char *const files[3] = {config->cacert, config->cert, config->key};
    int r = copy(&c->user, config->user && *config->user ? config->user : NULL);
    r = r < 0 ? r : copy(&c->password, config->password);
    r = r < 0 ? r : copy(&c->password_file, config->password_file);
    for (unsigned i = 0; i < 3 && r == 0; i++) {
        r = copy(&c->files[i], files[i] && *files[i] ? files[i] : NULL);
        look_at_file(c->files[i], &c->marks[i]);
    }
    return r;
}

static int add_endpoints(struct etcd_client *c, const struct etcd_client_config *config,
                         const char **ret_bad)
{
    bool tls = c->files[FILE_CACERT] || c->files[FILE_CERT];
    if (config->n_endpoints == 0 || config->n_endpoints > ETCD_ENDPOINTS_MAX)
        return -EINVAL;
    for (size_t i = 0; i < config->n_endpoints; i++) {
        int r = endpoint_init(&c->endpoints[i], config->endpoints[i], tls,
                              config->grpc_port ? config->grpc_port : GRPC_PORT,
                              config->gateway_port ? config->gateway_port : GATEWAY_PORT);
        if (r < 0) {
            if (ret_bad)
                *ret_bad = config->endpoints[i];
            return r;
        }
        c->n_endpoints++;
    }
    return 0;
}

static int add_transport(struct etcd_client *c)
{
    struct transport_config config = {.loop = c->loop,
                                      .cacert = c->files[FILE_CACERT],
                                      .cert = c->files[FILE_CERT],
                                      .key = c->files[FILE_KEY],
                                      .is_insecure = c->is_insecure,
                                      .connect_timeout_us = c->connect_timeout_us,
                                      .max_connections = c->n_endpoints + 2,
                                      .pump = client_pump,
                                      .arg = c};
    for (unsigned i = 0; i < c->n_endpoints; i++)
        config.tls = config.tls || c->endpoints[i].tls;
    return transport_new(&config, &c->transport);
}

int etcd_client_new(const struct etcd_client_config *config, struct etcd_client **ret_client,
                    const char **ret_bad)
{
    struct etcd_client *c = calloc(1, sizeof(*c));
    if (ret_bad)
        *ret_bad = NULL;
    if (!c)
        return -ENOMEM;
    c->loop = config->loop;
    c->on_notice = config->on_notice;
    c->notice_arg = config->notice_arg;
    c->is_insecure = config->is_insecure;
    c->connect_timeout_us = config->connect_timeout_us;
    TAILQ_INIT(&c->calls);
    TAILQ_INIT(&c->ended);
    LIST_INIT(&c->watches);
    LIST_INIT(&c->graveyard);
    if (getrandom(&c->random, sizeof(c->random), GRND_NONBLOCK) != (ssize_t)sizeof(c->random))
        c->random = clock_now_us();
    c->random |= 1; /* xorshift stays at 0 */
    c->marks_us = clock_now_us();
    int r = copy_config(c, config);
    r = r < 0 ? r : add_endpoints(c, config, ret_bad);
    r = r < 0 ? r : add_transport(c);
    c->plain = r < 0 ? NULL : headers_new(NULL);
    r = r < 0 ? r : c->plain ? login_set_token(c, config->token ? config->token : "") : -ENOMEM;
    if (r < 0) {
        client_destroy(c);
        return r;
    }
    *ret_client = c;
    return 0;
}

void etcd_client_free(struct etcd_client *client)
{
    if (!client || client->dead)
        return;
    assert(LIST_EMPTY(&client->watches));
    if (client->depth > 0) {
        client->dead = true;
        return;
    }
    client_destroy(client);
}

int etcd_client_set_token(struct etcd_client *client, const char *token)
{
    return login_set_token(client, token);
}

const char *etcd_client_token(const struct etcd_client *client)
{
    return client->token;
}

const char *etcd_client_endpoint(const struct etcd_client *client)
{
    return endpoint_url(&client->endpoints[client->current]);
}
