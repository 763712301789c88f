/* SPDX-License-Identifier: MIT */
#include "state.h"

#include "base/clock.h"
#include "base/text.h"
#include "etcd/keys.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define TICK_US UINT64_C(200000)
#define INTERVAL_US UINT64_C(1000000)
#define TIMEOUT_US UINT64_C(5000000)
#define HISTORY 20
#define BACKOFF_MAX_US UINT64_C(5000000)
/* What a new stream tells late comes range by range (etcd's mvcc syncs such watchers every 100 ms):
 * half of a move looks like two owners. */
#define SETTLE_US UINT64_C(200000)

void cluster_touch(struct cluster *c)
{
    if (c->is_told)
        return;
    c->is_told = true;
    loop_timer_set(c->change, 0);
}

void cluster_changed(struct cluster *c)
{
    uint64_t from_us = etcd_watch_is_synced(c->watch) ? c->synced_us : clock_now_us();
    if (clock_now_us() < from_us + SETTLE_US)
        c->settled_us = from_us + SETTLE_US;
    cluster_touch(c);
}

bool cluster_is_settled(const struct cluster *cluster)
{
    return clock_now_us() >= cluster->settled_us;
}

static void on_change(void *arg)
{
    struct cluster *c = arg;
    if (!cluster_is_settled(c)) {
        loop_timer_set(c->change, c->settled_us);
        return;
    }
    c->is_told = false;
    if (c->config.on_change)
        c->config.on_change(c->config.arg);
}

void cluster_heard(struct cluster *c, const struct etcd_header *header)
{
    c->heard_us = clock_now_us();
    c->failure = ETCD_OK;
    c->error[0] = '\0';
    c->pulse_failures = 0;
    if (header->cluster_id)
        c->cluster_id = header->cluster_id;
    if (header->raft_term)
        c->term = header->raft_term;
    if (header->revision > c->revision)
        c->revision = header->revision;
    cluster_touch(c);
}

void cluster_failed(struct cluster *c, enum etcd_status status, const char *message)
{
    c->failure = status;
    text_copy(c->error, sizeof(c->error), message);
    cluster_touch(c);
}

/* 1, 2, 4, 5 s, give or take an eighth. */
static uint64_t backoff(const struct cluster *c, uint64_t now)
{
    uint64_t pause = c->config.interval_us;
    for (unsigned i = 1; i < c->pulse_failures && pause < BACKOFF_MAX_US; i++)
        pause *= 2;
    pause = pause < BACKOFF_MAX_US ? pause : BACKOFF_MAX_US;
    return now + pause - now % (pause / 8 + 1);
}

static void on_pulse(void *arg, const struct etcd_reply *reply)
{
    struct cluster *c = arg;
    uint64_t now = clock_now_us();
    c->pulse_call = NULL;
    if (reply->status == ETCD_OK) {
        cluster_heard(c, &reply->header);
        c->pulse_due_us = now + c->config.interval_us;
    } else {
        c->pulse_failures++;
        cluster_failed(c, reply->status, reply->message);
        c->pulse_due_us = backoff(c, now);
    }
}

/* A watch may be silent because nothing happens, or because nobody is there any more. A read that
 * needs a quorum tells. */
static void pulse(struct cluster *c, uint64_t now)
{
    struct etcd_range range = {.key = KEYS_NODES_PREFIX, .prefix = true, .count_only = true};
    if (c->pulse_call || now < c->pulse_due_us)
        return;
    if (etcd_call_range(c->client, &range, MEMBER_TIMEOUT_US, on_pulse, c, &c->pulse_call) < 0)
        c->pulse_due_us = now + c->config.interval_us;
}

static void on_tick(void *arg)
{
    struct cluster *c = arg;
    uint64_t now = clock_now_us();
    pulse(c, now);
    members_run(c, now);
    lease_run(c, now);
    past_run(c);
    loop_timer_set(c->tick, now + TICK_US);
}

static int allocate(struct cluster *c)
{
    c->vips = calloc(SNAPSHOT_VIPS_MAX, sizeof(*c->vips));
    c->nodes = calloc(SNAPSHOT_NODES_MAX, sizeof(*c->nodes));
    c->leases = calloc(LEASES_MAX, sizeof(*c->leases));
    c->notes = calloc(NOTES_MAX, sizeof(*c->notes));
    return c->vips && c->nodes && c->leases && c->notes ? 0 : -ENOMEM;
}

static int start(struct cluster *c, const char **ret_bad)
{
    int r = allocate(c);
    c->config.etcd.loop = c->loop;
    c->config.etcd.on_notice = NULL;
    if (r == 0)
        r = loop_timer_new(c->loop, on_tick, c, &c->tick);
    if (r == 0)
        r = loop_timer_new(c->loop, on_change, c, &c->change);
    if (r == 0)
        r = etcd_client_new(&c->config.etcd, &c->client, ret_bad);
    if (r == 0)
        r = follow_start(c);
    if (r == 0)
        r = members_start(c);
    if (r == 0)
        loop_timer_set(c->tick, 0);
    return r;
}

int cluster_new(const struct cluster_config *config, struct cluster **ret_cluster,
                const char **ret_bad)
{
    struct cluster *c = calloc(1, sizeof(*c));
    if (ret_bad)
        *ret_bad = NULL;
    if (!c)
        return -ENOMEM;
    c->loop = config->loop;
    c->config = *config;
    c->config.interval_us = config->interval_us ? config->interval_us : INTERVAL_US;
    c->config.history = config->history ? config->history : HISTORY;
    if (c->config.command_timeout_us == 0)
        c->config.command_timeout_us = TIMEOUT_US;
    int r = start(c, ret_bad);
    if (r < 0) {
        cluster_free(c);
        return r;
    }
    *ret_cluster = c;
    return 0;
}

void cluster_free(struct cluster *cluster)
{
    struct cluster *c = cluster;
    if (!c)
        return;
    etcd_watch_free(c->watch);
    etcd_call_cancel(c->pulse_call);
    etcd_call_cancel(c->past_call);
    members_done(c);
    lease_done(c);
    etcd_client_free(c->client);
    loop_timer_free(c->tick);
    loop_timer_free(c->change);
    for (unsigned i = 0; c->nodes && i < c->n_nodes; i++)
        record_node_done(&c->nodes[i].record);
    alert_memory_done(&c->alerts);
    free(c->candidates);
    free(c->vips);
    free(c->nodes);
    free(c->leases);
    free(c->notes);
    free(c->moves);
    free(c);
}

bool cluster_is_complete(const struct cluster *cluster)
{
    return cluster->is_listed && cluster->is_past_known && cluster_is_settled(cluster) &&
           members_are_asked(cluster) && lease_all_asked(cluster);
}

bool cluster_is_hopeless(const struct cluster *cluster)
{
    const struct cluster *c = cluster;
    if (c->is_listed || c->failure == ETCD_OK || !members_are_asked(c))
        return false;
    if (c->failure != ETCD_UNAVAILABLE && c->failure != ETCD_TIMEOUT)
        return true;
    for (unsigned i = 0; i < c->n_probes; i++) /* an election of etcd's own is soon over */
        if (c->probes[i]->is_ok || strcmp(c->probes[i]->seen.error, "no leader") == 0)
            return false;
    return true;
}

enum etcd_status cluster_failure(const struct cluster *cluster)
{
    return cluster->failure;
}

void cluster_refresh(struct cluster *cluster)
{
    struct cluster *c = cluster;
    c->pulse_due_us = c->members_due_us = 0;
    for (unsigned i = 0; i < c->n_probes; i++)
        c->probes[i]->due_us = 0;
    for (unsigned i = 0; i < c->n_leases; i++)
        c->leases[i].asked_us = 0;
    loop_timer_set(c->tick, 0);
}

void cluster_set_interval(struct cluster *cluster, uint64_t interval_us)
{
    cluster->config.interval_us = interval_us ? interval_us : INTERVAL_US;
}

struct etcd_client *cluster_etcd(struct cluster *cluster)
{
    return cluster->client;
}

int cluster_note_view(struct cluster *cluster, const char *node, const struct snapshot_view *view)
{
    struct cluster *c = cluster;
    unsigned i = 0;
    while (i < c->n_notes &&
           !(ip_equal(&c->notes[i].view.vip, &view->vip) && strcmp(c->notes[i].node, node) == 0))
        i++;
    if (i == NOTES_MAX)
        return -ENOSPC;
    if (i == c->n_notes)
        c->n_notes++;
    snprintf(c->notes[i].node, sizeof(c->notes[i].node), "%s", node);
    c->notes[i].view = *view;
    c->notes[i].noted_us = clock_now_us();
    cluster_touch(c);
    return 0;
}

static void fill_etcd(const struct cluster *c, uint64_t now, struct snapshot_etcd *etcd)
{
    etcd->cluster_id = c->cluster_id;
    etcd->term = c->term ? (int64_t)c->term : -1;
    etcd->revision = c->revision ? c->revision : -1;
    etcd->age_us = c->heard_us ? (int64_t)(now - c->heard_us) : -1;
    etcd->retry_us = -1;
    if (c->failure != ETCD_OK && !c->pulse_call)
        etcd->retry_us = c->pulse_due_us > now ? (int64_t)(c->pulse_due_us - now) : 0;
    text_copy(etcd->endpoint, sizeof(etcd->endpoint), etcd_client_endpoint(c->client));
    snprintf(etcd->error, sizeof(etcd->error), "%s", c->error);
    members_fill(c, etcd);
}

/* Who leads under which term, by the leader's own word. While nobody is known to, or another one is
 * only about to, the last one that was known stays. */
static void note_leader(struct cluster *c, uint64_t now, struct snapshot_etcd *etcd)
{
    int64_t term = -1;
    for (unsigned i = 0; i < etcd->n_members && etcd->leader[0]; i++)
        if (etcd->members[i].is_healthy && etcd->members[i].is_leader &&
            etcd->members[i].raft_term > term)
            term = etcd->members[i].raft_term;
    if (term > c->leader.term) {
        if (c->leader.name[0]) {
            memcpy(c->leader.before, c->leader.name, sizeof(c->leader.before));
            c->leader.changed_us = now;
            c->leader.changes++;
        }
        memcpy(c->leader.name, etcd->leader, sizeof(c->leader.name));
        c->leader.term = term;
    }
    etcd->leader_changes = c->leader.changes;
    memcpy(etcd->leader_before, c->leader.before, sizeof(etcd->leader_before));
    etcd->leader_since_us = c->leader.changes ? (int64_t)(now - c->leader.changed_us) : -1;
}

static void fill_name(const struct cluster *c, struct snapshot *s)
{
    if (c->config.name)
        text_copy(s->cluster, sizeof(s->cluster), c->config.name);
    else if (c->cluster_id)
        snprintf(s->cluster, sizeof(s->cluster), "%08" PRIx64, c->cluster_id >> 32);
}

int cluster_snapshot(struct cluster *cluster, struct snapshot *ret_snapshot)
{
    struct cluster *c = cluster;
    struct snapshot s = {.wall_us = clock_wall_us()};
    uint64_t now = clock_now_us();
    fill_name(c, &s);
    fill_etcd(c, now, &s.etcd);
    note_leader(c, now, &s.etcd);
    s.age_us = s.etcd.age_us;
    s.is_history_known = c->is_past_known;
    int r = build_history(c, &s);
    if (r == 0)
        r = build_vips(c, now, &s);
    if (r == 0)
        r = build_nodes(c, now, &s);
    if (r == 0) {
        build_views(c, now, &s);
        r = alert_memory_apply(&c->alerts, &s, now);
    }
    if (r < 0) {
        snapshot_done(&s);
        return r;
    }
    *ret_snapshot = s;
    return 0;
}
