/* SPDX-License-Identifier: MIT */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "etcd_fixture.h"

#include <arpa/inet.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/clock.h"

struct loop *fixture_loop;
unsigned fixture_notices[8];
char fixture_notice[700];
static struct loop_timer *timer;

static void on_timer(void *arg)
{
    (void)arg;
    loop_stop(fixture_loop);
}

int fixture_setup(void **state)
{
    (void)state;
    memset(fixture_notices, 0, sizeof(fixture_notices));
    fixture_loop = loop_new();
    return !fixture_loop || loop_timer_new(fixture_loop, on_timer, NULL, &timer) < 0;
}

int fixture_teardown(void **state)
{
    (void)state;
    loop_timer_free(timer);
    loop_free(fixture_loop);
    return 0;
}

static void on_notice(void *arg, enum etcd_notice kind, const char *text)
{
    (void)arg;
    fixture_notices[kind]++;
    snprintf(fixture_notice, sizeof(fixture_notice), "%s", text);
}

struct etcd_client *fixture_client(struct etcd_client_config config, const char *const *endpoints)
{
    struct etcd_client *client = NULL;
    config.loop = fixture_loop;
    config.endpoints = endpoints;
    config.on_notice = on_notice;
    while (endpoints[config.n_endpoints])
        config.n_endpoints++;
    assert_int_equal(etcd_client_new(&config, &client, NULL), 0);
    return client;
}

void fixture_answer(void *arg, const struct etcd_reply *reply)
{
    struct answer *a = arg;
    a->calls++;
    a->status = reply->status;
    snprintf(a->message, sizeof(a->message), "%s", reply->message);
    snprintf(a->endpoint, sizeof(a->endpoint), "%s", reply->endpoint);
    a->lease = reply->lease;
    a->ttl_s = reply->ttl_s;
    a->revision = reply->header.revision;
    a->succeeded = reply->succeeded;
    a->n_responses = reply->n_responses;
    a->took_us = reply->received_us - reply->sent_us;
    for (size_t i = 0; i < reply->n_responses && a->n_kvs == 0; i++) {
        a->n_kvs = reply->responses[i].n_kvs;
        if (a->n_kvs)
            snprintf(a->value, sizeof(a->value), "%s", reply->responses[i].kvs[0].value);
    }
    if (reply->member_status.version)
        snprintf(a->version, sizeof(a->version), "%s", reply->member_status.version);
    a->n_members = reply->n_members;
    if (a->free_client) {
        etcd_client_free(*a->free_client);
        *a->free_client = NULL;
    }
    loop_stop(fixture_loop);
}

bool fixture_wait(const unsigned *value, unsigned want, unsigned ms)
{
    uint64_t deadline = clock_now_us() + (uint64_t)ms * 1000;
    while (*value < want && clock_now_us() < deadline) {
        loop_timer_set(timer, deadline);
        loop_run(fixture_loop);
    }
    return *value >= want;
}

void fixture_run(unsigned ms)
{
    const unsigned never = 0;
    fixture_wait(&never, 1, ms);
}

void fixture_put(struct etcd_client *client, const char *key, const char *value, int64_t lease,
                 struct answer *ret_answer)
{
    struct etcd_op op = {
        .kind = ETCD_OP_PUT, .range = {.key = key}, .value = value, .lease = lease};
    struct etcd_txn txn = {.success = &op, .n_success = 1};
    *ret_answer = (struct answer){0};
    assert_int_equal(etcd_call_txn(client, &txn, 3000000, fixture_answer, ret_answer, NULL), 0);
    assert_int_equal(ret_answer->calls, 0);
    assert_true(fixture_wait(&ret_answer->calls, 1, 5000));
}

void fixture_get(struct etcd_client *client, const char *key, bool prefix, unsigned timeout_ms,
                 struct answer *ret_answer)
{
    struct etcd_range range = {.key = key, .prefix = prefix};
    *ret_answer = (struct answer){0};
    assert_int_equal(etcd_call_range(client, &range, (uint64_t)timeout_ms * 1000, fixture_answer,
                                     ret_answer, NULL),
                     0);
    assert_true(fixture_wait(&ret_answer->calls, 1, timeout_ms + 2000));
}

static void seen_list(void *arg, const struct etcd_response *ranges, size_t n, int64_t revision)
{
    struct seen *s = arg;
    s->lists++;
    s->revision = revision;
    for (size_t i = 0; i < n && i < 4; i++)
        s->listed[i] = ranges[i].n_kvs;
    loop_stop(fixture_loop);
}

static void seen_event(void *arg, size_t range, enum etcd_event_type type, const struct etcd_kv *kv,
                       int64_t revision)
{
    struct seen *s = arg;
    (void)range;
    s->events++;
    s->deletes += type == ETCD_EVENT_DELETE;
    s->out_of_order = s->out_of_order || revision < s->revision;
    s->revision = revision;
    snprintf(s->last_key, sizeof(s->last_key), "%s", kv->key);
    snprintf(s->last_value, sizeof(s->last_value), "%s", kv->value);
    if (s->free_watch) {
        etcd_watch_free(*s->free_watch);
        *s->free_watch = NULL;
    }
    loop_stop(fixture_loop);
}

static void seen_synced(void *arg)
{
    struct seen *s = arg;
    s->synced++;
    loop_stop(fixture_loop);
}

static void seen_broken(void *arg, enum etcd_status status, const char *reason)
{
    struct seen *s = arg;
    s->broken++;
    s->status = status;
    snprintf(s->reason, sizeof(s->reason), "%s", reason);
    loop_stop(fixture_loop);
}

const struct etcd_watch_callbacks fixture_callbacks = {seen_list, seen_event, seen_synced,
                                                       seen_broken};

static void on_fake_client(void *arg, int fd, unsigned what)
{
    struct fake *f = arg;
    char drop[4096];
    (void)what;
    ssize_t n = recv(fd, drop, sizeof(drop), MSG_DONTWAIT);
    for (size_t i = 0; i < 32; i++) {
        if (f->clients[i] != fd)
            continue;
        if (n > 0 && f->text)
            send(fd, f->text, strlen(f->text), MSG_NOSIGNAL);
        if (n > 0 && !f->text)
            continue;
        loop_io_free(f->client_ios[i]);
        f->client_ios[i] = NULL;
        close(fd);
        f->clients[i] = -1;
    }
}

static void on_fake(void *arg, int fd, unsigned what)
{
    struct fake *f = arg;
    (void)what;
    int client = accept4(fd, NULL, NULL, SOCK_CLOEXEC | SOCK_NONBLOCK);
    f->accepted++;
    for (size_t i = 0; i < 32 && client >= 0; i++) {
        if (f->clients[i] >= 0)
            continue;
        f->clients[i] = client;
        loop_io_new(fixture_loop, client, LOOP_READ, on_fake_client, f, &f->client_ios[i]);
        return;
    }
    close(client);
}

void fake_start(struct fake *f, const char *text, uint16_t port)
{
    struct sockaddr_in a = {
        .sin_family = AF_INET, .sin_port = htons(port), .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    socklen_t len = sizeof(a);
    int on = 1;
    *f = (struct fake){.text = text};
    for (size_t i = 0; i < 32; i++)
        f->clients[i] = -1;
    f->fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    setsockopt(f->fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on));
    assert_int_equal(bind(f->fd, (struct sockaddr *)&a, len), 0);
    assert_int_equal(listen(f->fd, 32), 0);
    assert_int_equal(getsockname(f->fd, (struct sockaddr *)&a, &len), 0);
    f->port = ntohs(a.sin_port);
    snprintf(f->url, sizeof(f->url), "http://127.0.0.1:%u", f->port);
    assert_int_equal(loop_io_new(fixture_loop, f->fd, LOOP_READ, on_fake, f, &f->io), 0);
}

void fake_stop(struct fake *f)
{
    for (size_t i = 0; i < 32; i++) {
        loop_io_free(f->client_ios[i]);
        if (f->clients[i] >= 0)
            close(f->clients[i]);
    }
    loop_io_free(f->io);
    close(f->fd);
}
