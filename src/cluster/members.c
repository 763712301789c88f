/* SPDX-License-Identifier: MIT */
#include "state.h"

#include "base/clock.h"
#include "base/parse.h"
#include "base/text.h"
#include "etcd/keys.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define LIST_EVERY_US UINT64_C(30000000)
#define LIST_RETRY_US UINT64_C(2000000)
#define BACKOFF_MAX_US UINT64_C(5000000)

/* What is not known is not 0. */
static const struct snapshot_member unknown = {.rtt_us = -1,
                                               .db_bytes = -1,
                                               .in_use_bytes = -1,
                                               .quota_bytes = -1,
                                               .raft_term = -1,
                                               .raft_index = -1};

static void probe_free(struct probe *p)
{
    if (!p)
        return;
    etcd_call_cancel(p->call);
    etcd_client_free(p->client);
    free(p);
}

/* One that cannot be made (a URL of a kind we do not know) is a member that is not asked. */
static struct probe *probe_new(struct cluster *c, const char *const *urls, size_t n)
{
    struct etcd_client_config config = c->config.etcd;
    struct probe *p = c->n_probes < PROBES_MAX ? calloc(1, sizeof(*p)) : NULL;
    if (!p)
        return NULL;
    config.endpoints = urls;
    config.n_endpoints = n < 4 ? n : 4;
    p->cluster = c;
    p->seen = unknown;
    text_copy(p->url, sizeof(p->url), urls[0]);
    if (etcd_client_new(&config, &p->client, NULL) < 0) {
        free(p);
        return NULL;
    }
    return c->probes[c->n_probes++] = p;
}

static uint64_t member_timeout(const struct probe *p)
{
    uint64_t limit = p->cluster->config.command_timeout_us;
    return limit < MEMBER_TIMEOUT_US ? limit : MEMBER_TIMEOUT_US;
}

/* "timeout 2s", "refused": what is left to say beside the member's name. */
static void short_error(const struct probe *p, const struct etcd_reply *reply, char *out,
                        size_t size)
{
    char limit[DURATION_TEXT_MAX];
    duration_format(member_timeout(p), limit);
    if (reply->status == ETCD_GRPC_ONLY)
        snprintf(out, size, "grpc only");
    else if (reply->status == ETCD_TIMEOUT || strstr(reply->message, "timed out"))
        snprintf(out, size, "timeout %s", limit);
    else if (strstr(reply->message, "refused"))
        snprintf(out, size, "refused");
    else if (strstr(reply->message, "no leader") || strstr(reply->message, "knows no leader"))
        snprintf(out, size, "no leader");
    else
        text_copy(out, size, reply->message);
}

/* "memberID:10276657743932975437 alarm:NOSPACE" */
static void read_alarm(const struct etcd_member_status *status, uint64_t id, char out[32])
{
    out[0] = '\0';
    for (size_t i = 0; i < status->n_errors; i++) {
        uint64_t member;
        char name[32];
        if (sscanf(status->errors[i], "memberID:%" SCNu64 " alarm:%31s", &member, name) == 2 &&
            (member == id || !out[0]))
            memcpy(out, name, sizeof(name));
    }
}

static int64_t or_unknown(int64_t number)
{
    return number > 0 ? number : -1;
}

static void take_status(struct probe *p, const struct etcd_reply *reply)
{
    const struct etcd_member_status *status = &reply->member_status;
    struct snapshot_member *m = &p->seen;
    text_copy(m->version, sizeof(m->version), status->version);
    m->db_bytes = or_unknown(status->db_size);
    m->in_use_bytes = or_unknown(status->db_in_use);
    m->quota_bytes = or_unknown(status->db_quota);
    m->raft_index = or_unknown((int64_t)status->raft_index);
    m->raft_term = or_unknown((int64_t)status->raft_term);
    m->is_leader = status->leader == reply->header.member_id;
    read_alarm(status, reply->header.member_id, m->alarm);
}

static uint64_t backoff(const struct probe *p)
{
    uint64_t pause = p->cluster->config.interval_us;
    for (unsigned i = 1; i < p->failures && pause < BACKOFF_MAX_US; i++)
        pause *= 2;
    return pause < BACKOFF_MAX_US ? pause : BACKOFF_MAX_US;
}

static void on_answer(void *arg, const struct etcd_reply *reply)
{
    struct probe *p = arg;
    struct cluster *c = p->cluster;
    uint64_t now = clock_now_us();
    p->call = NULL;
    if (reply->status == ETCD_FORBIDDEN && !p->is_by_range) {
        p->is_by_range = true; /* asked again at once, in the other way */
        loop_timer_set(c->tick, 0);
        return;
    }
    p->is_asked = true;
    p->is_ok = reply->status == ETCD_OK;
    p->is_grpc_only = reply->status == ETCD_GRPC_ONLY;
    if (p->is_ok) {
        p->failures = 0;
        p->seen.id = reply->header.member_id;
        p->seen.rtt_us = (int64_t)(reply->received_us - reply->sent_us);
        p->seen.error[0] = '\0';
        if (!p->is_by_range)
            take_status(p, reply);
        text_copy(p->url, sizeof(p->url), reply->endpoint);
    } else {
        p->failures++;
        p->seen.rtt_us = -1;
        p->seen.is_leader = false;
        short_error(p, reply, p->seen.error, sizeof(p->seen.error));
    }
    p->due_us = now + backoff(p);
    cluster_touch(c);
}

/* Where a user and a password are configured, one login serves all clients. */
static bool has_token(struct probe *p)
{
    const char *token = etcd_client_token(p->cluster->client);
    if (!p->cluster->config.etcd.user || p->cluster->failure != ETCD_OK)
        return true;
    if (!*token)
        return p->cluster->is_listed; /* etcd has no auth */
    if (strcmp(token, etcd_client_token(p->client)) != 0)
        etcd_client_set_token(p->client, token);
    return true;
}

static void probe_run(struct probe *p, uint64_t now)
{
    struct etcd_range range = {.key = KEYS_NODES_PREFIX, .prefix = true, .count_only = true};
    uint64_t timeout = member_timeout(p);
    if (p->call || now < p->due_us || !has_token(p))
        return;
    p->due_us = now + p->cluster->config.interval_us;
    if (p->is_by_range)
        etcd_call_range(p->client, &range, timeout, on_answer, p, &p->call);
    else
        etcd_call_status(p->client, timeout, on_answer, p, &p->call);
}

static bool same_url(const char *a, const char *b)
{
    size_t n = strlen(b);
    return strncmp(a, b, n) == 0 && (a[n] == '\0' || strcmp(a + n, "/") == 0);
}

/* A configured address that the member names as its own needs no second client. */
static bool claim(struct cluster *c, const struct etcd_member *m)
{
    for (unsigned i = 0; i < c->n_probes; i++) {
        struct probe *p = c->probes[i];
        if (p->claimed == m->id)
            return true;
        for (size_t u = 0; u < m->n_client_urls && !p->claimed; u++)
            if (same_url(p->url, m->client_urls[u])) {
                p->claimed = m->id;
                return true;
            }
    }
    return false;
}

static bool is_known(const struct cluster *c, const struct etcd_member *m)
{
    const char *url = m->n_client_urls ? m->client_urls[0] : "";
    for (unsigned i = 0; i < c->n_members; i++)
        if (c->members[i].id == m->id)
            return strncmp(c->members[i].url, url, SNAPSHOT_TEXT_MAX - 1) == 0;
    return false;
}

/* A member that went, or whose address is another one now, is not asked there any more. */
static void drop_changed(struct cluster *c, const struct etcd_reply *reply)
{
    for (unsigned i = 0; i < c->n_probes;) {
        struct probe *p = c->probes[i];
        bool is_listed = p->claimed == 0;
        for (size_t m = 0; m < reply->n_members; m++)
            is_listed = is_listed ||
                        (reply->members[m].id == p->claimed && is_known(c, &reply->members[m]));
        if (is_listed) {
            i++;
            continue;
        }
        probe_free(p);
        c->probes[i] = c->probes[--c->n_probes];
    }
}

static void take_members(struct cluster *c, const struct etcd_reply *reply)
{
    drop_changed(c, reply);
    c->n_members = 0;
    for (size_t i = 0; i < reply->n_members && c->n_members < SNAPSHOT_MEMBERS_MAX; i++) {
        const struct etcd_member *m = &reply->members[i];
        struct known_member *to = &c->members[c->n_members++];
        *to = (struct known_member){.id = m->id, .is_learner = m->is_learner};
        text_copy(to->name, sizeof(to->name), m->name);
        text_copy(to->url, sizeof(to->url), m->n_client_urls ? m->client_urls[0] : "");
        if (m->n_client_urls && !claim(c, m)) {
            struct probe *p = probe_new(c, m->client_urls, m->n_client_urls);
            if (p)
                p->claimed = m->id;
        }
    }
}

static void on_members(void *arg, const struct etcd_reply *reply)
{
    struct cluster *c = arg;
    uint64_t now = clock_now_us();
    c->members_call = NULL;
    c->is_members_asked = true;
    c->members_due_us = now + (reply->status == ETCD_OK ? LIST_EVERY_US : LIST_RETRY_US);
    if (reply->status == ETCD_OK)
        take_members(c, reply);
    cluster_touch(c);
    loop_timer_set(c->tick, 0);
}

int members_start(struct cluster *c)
{
    for (size_t i = 0; i < c->config.etcd.n_endpoints; i++)
        if (!probe_new(c, &c->config.etcd.endpoints[i], 1))
            return -ENOMEM;
    return 0;
}

void members_run(struct cluster *c, uint64_t now)
{
    if (!c->members_call && now >= c->members_due_us &&
        etcd_call_members(c->client, MEMBER_TIMEOUT_US, on_members, c, &c->members_call) < 0)
        c->members_due_us = now + LIST_RETRY_US;
    for (unsigned i = 0; i < c->n_probes; i++)
        probe_run(c->probes[i], now);
}

void members_done(struct cluster *c)
{
    etcd_call_cancel(c->members_call);
    for (unsigned i = 0; i < c->n_probes; i++)
        probe_free(c->probes[i]);
    c->n_probes = 0;
}

bool members_are_asked(const struct cluster *c)
{
    for (unsigned i = 0; i < c->n_probes; i++)
        if (!c->probes[i]->is_asked)
            return false;
    return c->is_members_asked;
}

/* Who answered as this member counts for more than who was said to be it: several members may
 * advertise one address, and a way round may lead to one that advertises a private one. */
static const struct probe *probe_of(const struct cluster *c, uint64_t id)
{
    const struct probe *claimed = NULL;
    for (unsigned i = 0; i < c->n_probes; i++) {
        const struct probe *p = c->probes[i];
        if (p->is_ok && p->seen.id == id)
            return p;
        if (p->claimed == id)
            claimed = p;
    }
    return claimed;
}

static void fill_from(const struct probe *p, struct snapshot_member *to)
{
    *to = p->seen;
    text_copy(to->endpoint, sizeof(to->endpoint), p->url);
    to->is_asked = p->is_asked && !p->is_grpc_only;
    to->is_healthy = p->is_ok;
}

static void fill_member(const struct cluster *c, const struct known_member *m,
                        struct snapshot_member *to)
{
    const struct probe *p = probe_of(c, m->id);
    *to = unknown;
    if (p && (!p->is_ok || p->seen.id == m->id)) {
        fill_from(p, to);
    } else {
        to->is_asked = c->is_members_asked;
        snprintf(to->error, sizeof(to->error), "%s",
                 p           ? "another member answers there"
                 : m->url[0] ? "cannot be asked"
                             : "not started");
    }
    if (!to->endpoint[0])
        snprintf(to->endpoint, sizeof(to->endpoint), "%s", m->url);
    to->id = m->id;
    to->is_learner = m->is_learner;
    if (m->name[0])
        snprintf(to->name, sizeof(to->name), "%s", m->name);
    else
        snprintf(to->name, sizeof(to->name), "%" PRIx64, m->id);
}

/* Without a list of members each configured address stands for one. */
static void fill_unlisted(const struct cluster *c, struct snapshot_etcd *etcd)
{
    for (unsigned i = 0; i < c->n_probes && etcd->n_members < SNAPSHOT_MEMBERS_MAX; i++) {
        struct snapshot_member *to = &etcd->members[etcd->n_members++];
        fill_from(c->probes[i], to);
        const char *host = strstr(to->endpoint, "://");
        text_copy(to->name, sizeof(to->name), host ? host + 3 : to->endpoint);
    }
}

/* A member of which nothing is known is not one that is down. Whether enough of them are up, when
 * too few can be asked, is told by the reads that need a quorum. */
static void set_state(const struct cluster *c, struct snapshot_etcd *etcd)
{
    bool is_heard = c->heard_us != 0, is_leaderless = false;
    for (unsigned i = 0; i < etcd->n_members; i++) {
        const struct snapshot_member *m = &etcd->members[i];
        is_heard = is_heard || m->is_asked || m->error[0];
        is_leaderless = is_leaderless || strcmp(m->error, "no leader") == 0;
    }
    if (!is_heard)
        etcd->state = SNAPSHOT_ETCD_CONNECTING;
    else if (etcd->n_healthy == 0)
        etcd->state = is_leaderless ? SNAPSHOT_ETCD_NO_QUORUM : SNAPSHOT_ETCD_UNREACHABLE;
    else if (etcd->n_healthy < etcd->quorum && c->n_members && c->failure != ETCD_OK)
        etcd->state = SNAPSHOT_ETCD_NO_QUORUM;
    else if (snapshot_members_down(etcd) > 0)
        etcd->state = SNAPSHOT_ETCD_DEGRADED;
    else
        etcd->state = SNAPSHOT_ETCD_OK;
}

static int compare_members(const void *a, const void *b)
{
    const struct snapshot_member *x = a, *y = b;
    return strcmp(x->name, y->name);
}

void members_fill(const struct cluster *c, struct snapshot_etcd *ret_etcd)
{
    unsigned voters = 0;
    int64_t term = -2; /* one that was deposed may not have been asked since */
    ret_etcd->n_members = ret_etcd->n_healthy = 0;
    for (unsigned i = 0; i < c->n_members; i++)
        fill_member(c, &c->members[i], &ret_etcd->members[ret_etcd->n_members++]);
    if (c->n_members == 0)
        fill_unlisted(c, ret_etcd);
    for (unsigned i = 0; i < ret_etcd->n_members; i++) {
        struct snapshot_member *m = &ret_etcd->members[i];
        ret_etcd->n_healthy += m->is_healthy;
        voters += !m->is_learner;
        if (m->is_healthy && m->is_leader && m->raft_term > term) {
            snprintf(ret_etcd->leader, sizeof(ret_etcd->leader), "%s", m->name);
            term = m->raft_term;
        }
        if (m->is_healthy && m->raft_term > ret_etcd->term)
            ret_etcd->term = m->raft_term;
    }
    qsort(ret_etcd->members, ret_etcd->n_members, sizeof(ret_etcd->members[0]), compare_members);
    ret_etcd->quorum = voters / 2 + 1;
    set_state(c, ret_etcd);
}
