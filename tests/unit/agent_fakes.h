/* SPDX-License-Identifier: MIT */
/* An agent of which only the peer lease is real: the clock, the timers, the log, the core and the
 * socket are notes of what they were asked for. Its functions take the place of the library's, so
 * it is included by one file of each test only. */
#ifndef TALOSVIP_TESTS_AGENT_FAKES_H
#define TALOSVIP_TESTS_AGENT_FAKES_H

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "../../src/agent/state.h"
#include "etcd/keys.h"

#define TOLD_MAX 64

/* An event as the core was told it, with what it points to. */
struct told {
    struct election_event ev;
    char name[KEYS_NODE_MAX + 1];
    struct peer_record records[PEERLEASE_RECORDS_MAX];
    struct peer_session sessions[PEERLEASE_NODES_MAX];
};

/* What etcd was asked for last. */
struct asked {
    const char *call; /* "" nothing */
    char node[NODE_NAME_MAX];
    struct peers_record record;
    int64_t lease, revision;
    struct peers_release releases[PEERS_RELEASES_MAX];
    size_t n;
    etcd_call_fn fn;
    void *arg;
};

struct fakes {
    uint64_t now_us;
    unsigned n_told;
    struct told told[TOLD_MAX];
    unsigned n_logged;
    char logged[32]; /* the last event */
    enum log_level level;
    uint64_t timer_us;
    struct asked asked;
    unsigned n_asked;
    int error; /* of the next request to etcd */
};

static struct fakes fakes;

uint64_t clock_now_us(void)
{
    return fakes.now_us;
}

void feed(struct agent *a, struct election_event *ev)
{
    struct told *t = &fakes.told[fakes.n_told++];
    (void)a;
    assert_true(fakes.n_told <= TOLD_MAX);
    t->ev = *ev;
    if (ev->peer.name)
        snprintf(t->name, sizeof(t->name), "%s", ev->peer.name);
    if (ev->peer.records)
        memcpy(t->records, ev->peer.records, ev->peer.n * sizeof(t->records[0]));
    if (ev->peer.sessions)
        memcpy(t->sessions, ev->peer.sessions, ev->peer.n * sizeof(t->sessions[0]));
}

void log_event(enum log_level level, const char *event, const char *vip,
               const struct log_field *fields, const char *fmt, ...)
{
    (void)vip;
    (void)fields;
    (void)fmt;
    fakes.n_logged++;
    fakes.level = level;
    snprintf(fakes.logged, sizeof(fakes.logged), "%s", event);
}

void etcd_call_cancel(struct etcd_call *call)
{
    (void)call;
}

static inline int note_asked(struct asked asked, etcd_call_fn fn, void *arg,
                             struct etcd_call **ret_call)
{
    if (fakes.error)
        return fakes.error;
    asked.fn = fn;
    asked.arg = arg;
    fakes.asked = asked;
    fakes.n_asked++;
    *ret_call = (struct etcd_call *)&fakes;
    return 0;
}

int peers_call_put(struct etcd_client *client, const char *node, const struct peers_record *record,
                   int64_t mod_revision, uint64_t timeout_us, etcd_call_fn fn, void *arg,
                   struct etcd_call **ret_call)
{
    struct asked asked = {.call = "put", .record = *record, .revision = mod_revision};
    (void)client;
    assert_int_equal(timeout_us, SECOND_US);
    snprintf(asked.node, sizeof(asked.node), "%s", node);
    return note_asked(asked, fn, arg, ret_call);
}

int peers_call_end(struct etcd_client *client, const char *node, int64_t lease,
                   int64_t mod_revision, const struct peers_release *releases, size_t n,
                   const char *cause, uint64_t timeout_us, etcd_call_fn fn, void *arg,
                   struct etcd_call **ret_call)
{
    struct asked asked = {.call = "end", .lease = lease, .revision = mod_revision, .n = n};
    (void)client;
    (void)timeout_us;
    assert_string_equal(cause, PEERLEASE_ENDED_CAUSE);
    assert_true(n <= PEERS_RELEASES_MAX);
    snprintf(asked.node, sizeof(asked.node), "%s", node);
    memcpy(asked.releases, releases, n * sizeof(*releases));
    return note_asked(asked, fn, arg, ret_call);
}

int etcd_call_revoke(struct etcd_client *client, int64_t lease, uint64_t timeout_us,
                     etcd_call_fn fn, void *arg, struct etcd_call **ret_call)
{
    (void)client;
    (void)timeout_us;
    return note_asked((struct asked){.call = "revoke", .lease = lease}, fn, arg, ret_call);
}

/* The only one since it was last asked for. */
static inline const struct told *told(enum election_event_type type)
{
    assert_int_equal(fakes.n_told, 1);
    assert_int_equal(fakes.told[0].ev.type, type);
    fakes.n_told = 0;
    return &fakes.told[0]; /* until the next one */
}

static inline struct ip ip_of(const char *text)
{
    struct ip ip;
    assert_int_equal(ip_parse(text, &ip), 0);
    return ip;
}

static inline struct agent *agent_new(void)
{
    struct agent *a = calloc(1, sizeof(*a));
    assert_non_null(a);
    a->vips = calloc(ELECTION_VIPS_MAX, sizeof(*a->vips));
    assert_non_null(a->vips);
    a->election.vips = a->vips;
    snprintf(a->settings.node, sizeof(a->settings.node), "cp-1");
    a->settings.has_peers = true;
    a->settings.peer_port = 9755;
    a->settings.peer_window_us = PEER_WINDOW_DEFAULT_US;
    a->election.session.lease = 1;
    a->peerlease.incarnation = 11;
    memset(&fakes, 0, sizeof(fakes));
    fakes.now_us = 1000 * SECOND_US;
    return a;
}

static inline void agent_free(struct agent *a)
{
    free(a->vips);
    free(a);
}

/* Node cp-N: lease N, incarnation 10 + N, at 10.0.0.N. */
static inline struct peer_session session(unsigned n)
{
    return (struct peer_session){.lease = n, .incarnation = 10 + n};
}

static inline void add_node(struct agent *a, unsigned n)
{
    char text[32];
    struct record_node r = {.incarnation = 10 + n, .peer_port = 9755};
    snprintf(r.node, sizeof(r.node), "cp-%u", n);
    snprintf(text, sizeof(text), "10.0.0.%u", n);
    r.peer_ip = ip_of(text);
    peerstore_note_node(a, &r, n);
}

#endif
