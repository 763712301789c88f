/* SPDX-License-Identifier: MIT */
/*            +--------- compacted, another cluster ----------+
 *            v                                               |
 *   WAIT -> LISTING -> WAIT -> OPENING -> LIVE --> broken ---+
 *    ^                                             |
 *    +------------------ resume after a pause -----+
 */
#include "etcd/watch.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "stream.h"

#define LIST_TIMEOUT_US 2000000u
#define OPEN_TIMEOUT_US 1000000u /* for the header and every "created" */
#define RETRY_FIRST_US 100000u
#define RETRY_MAX_US 2000000u
#define STEADY_US 2000000u /* a stream that lived so long was no failure */
#define LOGIN_POLL_US 20000u

enum watch_state { WATCH_WAIT, WATCH_LISTING, WATCH_OPENING, WATCH_LIVE };

struct watch_range {
    struct etcd_range range;
    char key[ETCD_KEY_MAX];
    bool no_list;
    bool created;
    int64_t next_revision; /* the first not seen yet */
};

struct etcd_watch {
    LIST_ENTRY(etcd_watch) link;
    struct etcd_client *client;
    struct etcd_watch_callbacks callbacks;
    void *arg;
    enum watch_state state;
    uint64_t due_us; /* WAIT: go on; OPENING: give up */
    uint64_t live_us;
    uint64_t pause_us; /* before the next try */
    uint64_t cluster_id;
    struct etcd_call *list; /* under way */
    struct stream stream;
    unsigned round;
    bool must_list;
    bool just_listed; /* no stream has stood since */
    bool suspect;     /* its endpoint failed somebody else */
    bool freed;
    enum etcd_status told; /* the last on_broken; ETCD_OK: none since it was synced */
    size_t n_ranges;
    struct watch_range ranges[];
};

static bool is_open(const struct etcd_watch *w)
{
    return w->state == WATCH_OPENING || w->state == WATCH_LIVE;
}

static void pause_until(struct etcd_watch *w, uint64_t now)
{
    w->state = WATCH_WAIT;
    w->due_us = now + w->pause_us / 2 + client_random(w->client, w->pause_us / 2);
    w->pause_us = w->pause_us * 2 < RETRY_MAX_US ? w->pause_us * 2 : RETRY_MAX_US;
}

/* The stream or the list failed. Calls on_broken, so `w` may be freed when it returns. */
static void broken(struct etcd_watch *w, enum etcd_status status, const char *reason)
{
    uint64_t now = clock_now_us();
    if (w->state == WATCH_LIVE && now - w->live_us > STEADY_US)
        w->pause_us = RETRY_FIRST_US;
    stream_close(&w->stream);
    w->suspect = false;
    pause_until(w, now);
    if (w->told == status)
        return;
    w->told = status;
    if (w->callbacks.on_broken)
        w->callbacks.on_broken(w->arg, status, reason);
}

/* ... because of its endpoint. */
static void broken_endpoint(struct etcd_watch *w, enum etcd_status status, const char *reason)
{
    client_endpoint_failed(w->client, w->stream.endpoint);
    broken(w, status, reason);
}

static void on_list(void *arg, const struct etcd_reply *reply)
{
    struct etcd_watch *w = arg;
    w->list = NULL;
    if (reply->status != ETCD_OK) {
        broken(w, reply->status, reply->message);
        return;
    }
    if (reply->n_responses != w->n_ranges) {
        broken(w, ETCD_BAD_REPLY, "the answer does not fit the question");
        return;
    }
    for (size_t i = 0; i < w->n_ranges; i++)
        w->ranges[i].next_revision = reply->header.revision + 1;
    w->cluster_id = reply->header.cluster_id;
    w->must_list = false;
    w->just_listed = true;
    w->state = WATCH_WAIT;
    w->due_us = 0;
    if (w->callbacks.on_list)
        w->callbacks.on_list(w->arg, reply->responses, reply->n_responses, reply->header.revision);
}

/* One txn, so that one revision is true for all ranges. */
static void list(struct etcd_watch *w)
{
    struct etcd_op ops[ETCD_WATCH_RANGES_MAX];
    struct etcd_txn txn = {.success = ops, .n_success = w->n_ranges};
    for (size_t i = 0; i < w->n_ranges; i++)
        ops[i] = (struct etcd_op){.kind = ETCD_OP_RANGE, .range = w->ranges[i].range};
    int r = etcd_call_txn(w->client, &txn, LIST_TIMEOUT_US, on_list, w, &w->list);
    w->state = WATCH_LISTING;
    if (r < 0)
        broken(w, ETCD_NO_MEMORY, "out of memory");
}

static void open_stream(struct etcd_watch *w, uint64_t now)
{
    struct etcd_reply reply = {.code = -1};
    struct buf body;
    int r = login_check(w->client, now, &reply);
    if (r < 0) {
        broken(w, reply.status, reply.message);
        return;
    }
    if (r == 0) {
        w->due_us = now + LOGIN_POLL_US;
        return;
    }
    buf_init(&body, ETCD_REQUEST_MAX);
    for (size_t i = 0; i < w->n_ranges; i++) {
        struct etcd_watch_request request = {.range = w->ranges[i].range,
                                             .start_revision = w->ranges[i].next_revision,
                                             .watch_id = (int64_t)i + 1};
        w->ranges[i].created = false;
        etcd_request_watch(&body, &request);
    }
    w->state = WATCH_OPENING;
    w->due_us = now + OPEN_TIMEOUT_US;
    w->suspect = false;
    r = body.error ? body.error : stream_open(&w->stream, &body);
    buf_done(&body);
    if (r < 0)
        broken(w, ETCD_NO_MEMORY, "out of memory");
}

static void on_created(struct etcd_watch *w, struct watch_range *range,
                       const struct etcd_header *header)
{
    range->created = true;
    /* Behind what was seen already: the data was restored from a backup, or the member lags. Only
     * a linearizable list can tell, but once is enough. */
    bool behind = header->revision + 1 < range->next_revision && !w->just_listed;
    if (behind || header->cluster_id != w->cluster_id) {
        w->must_list = true;
        broken(w, ETCD_COMPACTED, "etcd's data is not what it was: listing again");
        return;
    }
    for (size_t i = 0; i < w->n_ranges; i++)
        if (!w->ranges[i].created)
            return;
    w->state = WATCH_LIVE;
    w->live_us = clock_now_us();
    w->just_listed = false;
    w->told = ETCD_OK;
    if (w->callbacks.on_synced)
        w->callbacks.on_synced(w->arg);
}

static void on_events(struct etcd_watch *w, size_t i, const struct etcd_reply *m)
{
    int64_t from = w->ranges[i].next_revision;
    for (size_t e = 0; e < m->n_events && !w->freed && is_open(w); e++) {
        const struct etcd_event *event = &m->events[e];
        int64_t revision = event->kv.mod_revision;
        if (revision < from)
            continue; /* told before the stream broke */
        if (revision >= w->ranges[i].next_revision)
            w->ranges[i].next_revision = revision + 1;
        if (w->callbacks.on_event)
            w->callbacks.on_event(w->arg, i, event->type, &event->kv, revision);
    }
}

static void renew_token(struct etcd_watch *w)
{
    login_refused(w->client, w->stream.headers);
    if (w->client->user)
        broken(w, ETCD_UNAVAILABLE, "the token has run out");
    else
        broken(w, ETCD_AUTH, "etcd wants a user and a password");
}

static void on_message(struct etcd_watch *w, const struct etcd_reply *m)
{
    size_t i = (size_t)(m->watch_id - 1);
    if (m->status == ETCD_COMPACTED)
        w->must_list = true;
    if (login_is_due(w->client, m->status, w->stream.headers))
        renew_token(w);
    else if (m->status == ETCD_UNAVAILABLE || m->status == ETCD_BAD_REPLY ||
             m->status == ETCD_NOT_GATEWAY)
        broken_endpoint(w, m->status, m->message);
    else if (m->status != ETCD_OK)
        broken(w, m->status, m->message);
    else if (m->watch_id < 1 || i >= w->n_ranges)
        broken_endpoint(w, ETCD_BAD_REPLY, "a watch that was not asked for");
    else if (m->created)
        on_created(w, &w->ranges[i], &m->header);
    else
        on_events(w, i, m);
}

/* What the stream brought. */
static void read_stream(struct etcd_watch *w)
{
    struct etcd_reply message;
    while (!w->freed && is_open(w)) {
        int r = stream_next(&w->stream, &message);
        if (r == 0)
            return;
        if (r < 0)
            broken_endpoint(w, message.status, message.message);
        else
            on_message(w, &message);
        etcd_reply_done(&message);
    }
}

static void watch_run(struct etcd_watch *w, uint64_t now)
{
    read_stream(w);
    if (w->freed)
        return;
    if (is_open(w) && w->suspect)
        broken(w, ETCD_UNAVAILABLE, "the endpoint of the watch does not answer");
    else if (w->state == WATCH_OPENING && now >= w->due_us)
        broken_endpoint(w, ETCD_TIMEOUT, "etcd did not open the watch within 1 s");
    else if (w->state == WATCH_WAIT && now >= w->due_us && w->must_list)
        list(w);
    else if (w->state == WATCH_WAIT && now >= w->due_us)
        open_stream(w, now);
}

/* A callback may have freed any of them, so that the list is looked through from its head. */
static struct etcd_watch *not_run_yet(struct etcd_client *c)
{
    for (struct etcd_watch *w = LIST_FIRST(&c->watches); w; w = LIST_NEXT(w, link))
        if (w->round != c->round)
            return w;
    return NULL;
}

void watches_run(struct etcd_client *c, uint64_t now)
{
    struct etcd_watch *w;
    c->round++;
    while (!c->dead && (w = not_run_yet(c))) {
        w->round = c->round;
        watch_run(w, now);
    }
}

static uint64_t watch_due(const struct etcd_watch *w)
{
    if (is_open(w) && w->suspect)
        return 0;
    return w->state == WATCH_WAIT || w->state == WATCH_OPENING ? w->due_us : UINT64_MAX;
}

uint64_t watches_due(const struct etcd_client *c)
{
    uint64_t due = UINT64_MAX;
    for (const struct etcd_watch *w = LIST_FIRST(&c->watches); w; w = LIST_NEXT(w, link)) {
        uint64_t at = watch_due(w);
        due = at < due ? at : due;
    }
    return due;
}

void watches_suspect(struct etcd_client *c, unsigned endpoint)
{
    struct etcd_watch *w;
    LIST_FOREACH(w, &c->watches, link)
    if (is_open(w) && w->stream.endpoint == endpoint)
        w->suspect = true;
}

static void watch_destroy(struct etcd_watch *w)
{
    stream_done(&w->stream);
    free(w);
}

void watches_bury(struct etcd_client *c)
{
    struct etcd_watch *w;
    while ((w = LIST_FIRST(&c->graveyard))) {
        LIST_REMOVE(w, link);
        watch_destroy(w);
    }
}

static int set_range(struct watch_range *to, const struct etcd_watch_range *from)
{
    size_t len = from->key_len || !from->key ? from->key_len : strlen(from->key);
    if (!from->key || len > ETCD_KEY_MAX || (len == 0 && !from->prefix) || from->list_limit < 0)
        return -EINVAL;
    memcpy(to->key, from->key, len);
    to->no_list = from->no_list;
    to->range = (struct etcd_range){.key = to->key,
                                    .key_len = len,
                                    .prefix = from->prefix,
                                    .limit = from->list_limit,
                                    .order = from->list_limit ? ETCD_DESCEND : ETCD_UNSORTED,
                                    .count_only = from->no_list};
    return 0;
}

int etcd_watch_new(struct etcd_client *client, const struct etcd_watch_range *ranges, size_t n,
                   const struct etcd_watch_callbacks *callbacks, void *arg,
                   struct etcd_watch **ret_watch)
{
    if (n == 0 || n > ETCD_WATCH_RANGES_MAX)
        return -EINVAL;
    struct etcd_watch *w = calloc(1, sizeof(*w) + n * sizeof(w->ranges[0]));
    if (!w)
        return -ENOMEM;
    w->client = client;
    w->callbacks = *callbacks;
    w->arg = arg;
    w->n_ranges = n;
    w->must_list = true;
    w->pause_us = RETRY_FIRST_US;
    w->round = client->round;
    for (size_t i = 0; i < n; i++) {
        if (set_range(&w->ranges[i], &ranges[i]) < 0) {
            free(w);
            return -EINVAL;
        }
    }
    stream_init(&w->stream, client);
    LIST_INSERT_HEAD(&client->watches, w, link);
    client_wake(client);
    *ret_watch = w;
    return 0;
}

void etcd_watch_free(struct etcd_watch *watch)
{
    if (!watch || watch->freed)
        return;
    struct etcd_client *c = watch->client;
    watch->freed = true;
    etcd_call_cancel(watch->list);
    stream_close(&watch->stream);
    LIST_REMOVE(watch, link);
    if (c->depth > 0)
        LIST_INSERT_HEAD(&c->graveyard, watch, link);
    else
        watch_destroy(watch);
}

void etcd_watch_restart(struct etcd_watch *watch)
{
    if (!is_open(watch))
        return;
    client_endpoint_failed(watch->client, watch->stream.endpoint);
    client_wake(watch->client);
}

bool etcd_watch_is_synced(const struct etcd_watch *watch)
{
    return watch->state == WATCH_LIVE;
}
