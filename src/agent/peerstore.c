/* SPDX-License-Identifier: MIT */
/* What the peer lease has in etcd: where agents listen, whom owners count on, and how an owner is
 * ended. Every txn compares first, so that one which is carried out twice does no harm. */
#include "state.h"

#include "etcd/keys.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#define CALL_TIMEOUT_US SECOND_US

/* ---- node records ---- */

void peerstore_forget_node(struct agent *a, const char *name)
{
    for (unsigned i = 0; i < PEERLEASE_NODES_MAX; i++) {
        struct peerlease_node *node = &a->peerlease.nodes[i];
        if (node->name[0] && (!name || strcmp(node->name, name) == 0))
            node->name[0] = '\0';
    }
}

void peerstore_note_node(struct agent *a, const struct record_node *record, int64_t lease)
{
    peerstore_forget_node(a, record->node);
    if (lease <= 0 || record->incarnation == 0 || record->peer_ip.family == IP_NONE)
        return;
    for (unsigned i = 0; i < PEERLEASE_NODES_MAX; i++) {
        struct peerlease_node *node = &a->peerlease.nodes[i];
        if (node->name[0])
            continue;
        *node = (struct peerlease_node){.session = {lease, record->incarnation},
                                        .ip = record->peer_ip,
                                        .port = record->peer_port};
        snprintf(node->name, sizeof(node->name), "%s", record->node);
        return;
    }
}

void peerstore_tell_members(struct agent *a)
{
    struct peer_session sessions[PEERLEASE_NODES_MAX];
    struct election_event ev = {.type = EV_PEER_MEMBERS};
    for (unsigned i = 0; i < PEERLEASE_NODES_MAX; i++)
        if (a->peerlease.nodes[i].name[0])
            sessions[ev.peer.n++] = a->peerlease.nodes[i].session;
    ev.peer.sessions = sessions;
    feed(a, &ev);
}

const struct peerlease_node *peerstore_find_node(const struct agent *a,
                                                 const struct peer_session *session)
{
    for (unsigned i = 0; i < PEERLEASE_NODES_MAX; i++) {
        const struct peerlease_node *node = &a->peerlease.nodes[i];
        if (node->name[0] && peer_is_same(&node->session, session))
            return node;
    }
    return NULL;
}

/* ---- the owners' records ---- */

static struct peerlease_record *find_record(struct agent *a, const char *name)
{
    bool is_own = strcmp(name, a->settings.node) == 0;
    for (unsigned i = is_own ? 0 : 1; i < (is_own ? 1 : PEERLEASE_RECORDS_MAX); i++)
        if (strcmp(a->peerlease.records[i].core.name, name) == 0)
            return &a->peerlease.records[i];
    return NULL;
}

/* What cannot be read, or has more voters than we can count, names nobody: then only the lease in
 * etcd ends that owner. False: this is no record's key. */
static bool read_record(const struct etcd_kv *kv, struct peerlease_record *out)
{
    char name[KEYS_NODE_MAX + 1];
    struct peers_record r;
    *out = (struct peerlease_record){.core.revision = kv->mod_revision};
    if (keys_peers_parse(kv->key, kv->key_len, name) < 0 || strlen(name) >= NODE_NAME_MAX)
        return false;
    memcpy(out->core.name, name, strlen(name));
    if (peers_record_parse(kv->value, kv->value_len, &r) < 0 || r.owner.lease != kv->lease ||
        r.n_voters > PEERS_MAX)
        return true;
    out->core.owner = (struct peer_session){r.owner.lease, r.owner.incarnation};
    out->core.term = r.term;
    out->core.window_us = r.window_us;
    out->core.n = r.n_voters;
    for (unsigned i = 0; i < r.n_voters; i++)
        out->core.voters[i] = (struct peer_session){r.voters[i].lease, r.voters[i].incarnation};
    out->n_owned = r.n_owned;
    memcpy(out->owned, r.owned, r.n_owned * sizeof(r.owned[0]));
    return true;
}

/* There is always a place for our own: one that seemed missing would be our end. */
static void keep(struct agent *a, const struct peerlease_record *record)
{
    struct peerlease_record *to = &a->peerlease.records[0];
    if (strcmp(record->core.name, a->settings.node) != 0 &&
        !(to = find_record(a, record->core.name)))
        to = find_record(a, "");
    if (to)
        *to = *record;
}

void peerstore_tell_all(struct agent *a)
{
    struct peer_record records[PEERLEASE_RECORDS_MAX];
    struct election_event ev = {.type = EV_PEER_LISTED, .revision = a->peerlease.listed_revision};
    peerstore_tell_members(a);
    for (unsigned i = 0; i < PEERLEASE_RECORDS_MAX; i++)
        if (a->peerlease.records[i].core.name[0])
            records[ev.peer.n++] = a->peerlease.records[i].core;
    ev.peer.records = records;
    feed(a, &ev);
}

void peerstore_on_list(struct agent *a, const struct etcd_response *response, int64_t revision)
{
    for (unsigned i = 0; i < PEERLEASE_RECORDS_MAX; i++)
        a->peerlease.records[i].core.name[0] = '\0';
    for (size_t k = 0; k < response->n_kvs; k++) {
        struct peerlease_record record;
        if (read_record(&response->kvs[k], &record))
            keep(a, &record);
    }
    a->peerlease.listed_revision = revision;
    peerstore_tell_all(a);
}

void peerstore_on_event(struct agent *a, enum etcd_event_type type, const struct etcd_kv *kv,
                        int64_t revision)
{
    struct election_event ev = {.revision = revision};
    struct peerlease_record record;
    char name[KEYS_NODE_MAX + 1];
    if (type == ETCD_EVENT_PUT) {
        if (!read_record(kv, &record))
            return;
        keep(a, &record);
        ev.type = EV_PEER_PUT;
        ev.peer.records = &record.core;
        ev.peer.n = 1;
    } else {
        if (keys_peers_parse(kv->key, kv->key_len, name) < 0)
            return;
        struct peerlease_record *old = name[0] ? find_record(a, name) : NULL;
        if (old)
            old->core.name[0] = '\0';
        ev.type = EV_PEER_DELETED;
        ev.peer.name = name;
    }
    feed(a, &ev);
}

/* ---- requests of the core ---- */

static void finish(struct peerlease_call *c)
{
    etcd_call_cancel(c->call);
    free(c->releases);
    *c = (struct peerlease_call){.agent = NULL};
}

static void answer(struct peerlease_call *c, struct election_event *ev)
{
    struct agent *a = c->agent;
    ev->req = c->req;
    c->call = NULL;
    finish(c);
    feed(a, ev);
}

/* The key as the txn left or found it is the last response. */
static void on_put(void *arg, const struct etcd_reply *reply)
{
    struct peerlease_call *c = arg;
    struct election_event ev = {.type = EV_PEER_PUBLISHED, .result = RESULT_FAILED};
    struct peerlease_record found;
    const struct etcd_response *last =
        reply->n_responses ? &reply->responses[reply->n_responses - 1] : NULL;
    if (reply->status == ETCD_OK && last && reply->succeeded && last->n_kvs == 1) {
        ev.result = RESULT_OK;
        ev.revision = last->kvs[0].mod_revision;
    } else if (reply->status == ETCD_OK && last && !reply->succeeded) {
        /* It may be what we wrote, for a call may be carried out twice: the core sees that. */
        ev.result = RESULT_GONE;
        if (last->n_kvs == 1 && read_record(&last->kvs[0], &found)) {
            ev.peer.records = &found.core;
            ev.peer.n = 1;
        }
    }
    answer(c, &ev);
}

static int publish(struct agent *a, const struct election_action *action, struct peerlease_call *c)
{
    const struct peer_record *r = action->record;
    struct peers_record out = {.owner = {r->owner.lease, r->owner.incarnation},
                               .term = r->term,
                               .window_us = (uint32_t)r->window_us,
                               .n_voters = r->n};
    for (unsigned i = 0; i < r->n; i++)
        out.voters[i] = (struct peers_session){r->voters[i].lease, r->voters[i].incarnation};
    for (unsigned i = 0; i < a->election.n && out.n_owned < RECORD_VIPS_MAX; i++)
        if (a->vips[i].revision && a->vips[i].owned == a->vips[i].revision)
            out.owned[out.n_owned++] = a->vips[i].revision;
    return peers_call_put(a->etcd, r->name, &out, action->revision, CALL_TIMEOUT_US, on_put, c,
                          &c->call);
}

static int send_part(struct peerlease_call *c, int64_t revision);

static void on_ended(void *arg, const struct etcd_reply *reply)
{
    struct peerlease_call *c = arg;
    struct election_event ev = {.type = EV_PEER_ENDED, .result = RESULT_FAILED};
    struct peerlease_record found;
    bool has_more = c->done < c->n;
    bool was_first = c->revision != 0;
    c->call = NULL;
    if (reply->status == ETCD_OK && reply->succeeded && has_more && send_part(c, 0) == 0)
        return;
    const struct etcd_response *last =
        reply->n_responses ? &reply->responses[reply->n_responses - 1] : NULL;
    if (!was_first || (reply->status == ETCD_OK && reply->succeeded)) {
        ev.result = RESULT_OK; /* the record is gone; what is left goes with the lease */
    } else if (reply->status == ETCD_OK && last) {
        ev.result = RESULT_GONE;
        if (last->n_kvs == 1 && read_record(&last->kvs[0], &found)) {
            ev.peer.records = &found.core;
            ev.peer.n = 1;
        }
    }
    answer(c, &ev);
}

static int send_part(struct peerlease_call *c, int64_t revision)
{
    size_t n = c->n - c->done;
    if (n > PEERS_RELEASES_MAX)
        n = PEERS_RELEASES_MAX;
    c->revision = revision;
    int r = peers_call_end(c->agent->etcd, c->name, c->lease, revision, c->releases + c->done, n,
                           PEERLEASE_ENDED_CAUSE, CALL_TIMEOUT_US, on_ended, c, &c->call);
    if (r == 0)
        c->done += n;
    return r;
}

static bool is_owned(const struct peerlease_record *record, int64_t revision)
{
    for (unsigned i = 0; i < record->n_owned; i++)
        if (record->owned[i] == revision)
            return true;
    return false;
}

/* VIPs that are not ours as well go with the owner's lease. */
static int end(struct agent *a, const struct election_action *action, struct peerlease_call *c)
{
    const struct peerlease_record *record = find_record(a, action->record->name);
    snprintf(c->name, sizeof(c->name), "%s", action->record->name);
    c->releases = calloc(ELECTION_VIPS_MAX, sizeof(*c->releases));
    if (!c->releases)
        return -ENOMEM;
    for (unsigned i = 0; i < a->election.n; i++) {
        const struct queue *q = &a->vips[i].queue;
        for (unsigned k = 0; a->slots[i].is_used && k < q->n; k++)
            if (q->at[k].lease == action->lease && record &&
                record->core.revision == action->record->revision &&
                is_owned(record, q->at[k].create_revision))
                c->releases[c->n++] =
                    (struct peers_release){a->slots[i].ip, q->at[k].create_revision};
    }
    return send_part(c, action->record->revision);
}

static void on_revoked(void *arg, const struct etcd_reply *reply)
{
    bool is_gone = reply->status == ETCD_OK || reply->status == ETCD_LEASE_GONE;
    struct election_event ev = {.type = EV_PEER_REVOKED,
                                .result = is_gone ? RESULT_OK : RESULT_FAILED};
    answer(arg, &ev);
}

/* The one that the new request replaces, or a free one. */
static struct peerlease_call *call_for(struct peerlease *p, const struct election_action *action)
{
    struct peerlease_call *found = NULL;
    if (action->type == ACT_PEER_PUBLISH)
        return &p->publish;
    for (unsigned i = 0; i < sizeof(p->calls) / sizeof(p->calls[0]); i++) {
        struct peerlease_call *c = &p->calls[i];
        if (c->agent && c->type == action->type && c->lease == action->lease)
            return c;
        if (!c->agent && !found)
            found = c;
    }
    return found;
}

/* A request that cannot even be started is left to the core's own time limit. */
void peerstore_request(struct agent *a, const struct election_action *action)
{
    struct peerlease_call *c = call_for(&a->peerlease, action);
    int r = -EBUSY;
    if (c) {
        finish(c);
        c->agent = a;
        c->type = action->type;
        c->req = action->req;
        c->lease = action->lease;
    }
    if (c && action->type == ACT_PEER_PUBLISH)
        r = publish(a, action, c);
    else if (c && action->type == ACT_PEER_END)
        r = end(a, action, c);
    else if (c)
        r = etcd_call_revoke(a->etcd, action->lease, CALL_TIMEOUT_US, on_revoked, c, &c->call);
    if (r == 0)
        return;
    if (c)
        finish(c);
    log_event(LOG_ERROR, "etcd_error", NULL, LOG_FIELDS(LOG_TEXT("error", strerror(-r))),
              "cannot send a request to etcd: %s", strerror(-r));
}
