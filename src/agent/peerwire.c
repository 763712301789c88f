/* SPDX-License-Identifier: MIT */
/* Datagrams of the peer lease: actions of the core out, events in, under the cluster's key. */
#include "state.h"

#include <errno.h>
#include <string.h>
#include <sys/random.h>

#define KEY_TIMEOUT_US SECOND_US
#define KEY_RETRY_US SECOND_US
/* How long everybody may take to hear of a new key, twice: before it is sent under, and before the
 * old one is refused. */
#define KEY_SPREAD_US (10 * SECOND_US)

/* ---- in ---- */

static struct peer_session session_of(const struct datagram_session *s)
{
    return (struct peer_session){.lease = s->lease, .incarnation = s->incarnation};
}

static void on_datagram(void *arg, const struct datagram *d, const struct ip *from,
                        uint16_t from_port, uint64_t now_us)
{
    static const enum election_event_type types[] = {
        [DATAGRAM_HEARTBEAT] = EV_PEER_HEARTBEAT, [DATAGRAM_ACKNOWLEDGEMENT] = EV_PEER_ACKED,
        [DATAGRAM_ASK] = EV_PEER_ASKED,           [DATAGRAM_GRANT] = EV_PEER_GRANTED,
        [DATAGRAM_LEAVING] = EV_PEER_LEAVING,
    };
    struct election_event ev = {.type = types[d->kind]};
    (void)from;
    (void)from_port;
    (void)now_us; /* the core counts from when it was told, which is later, and so never too long */
    ev.peer.from = session_of(&d->from);
    ev.peer.owner = session_of(&d->owner);
    ev.peer.number = d->number;
    ev.peer.term = d->term;
    ev.peer.window_us = d->window_us;
    feed(arg, &ev);
}

int peerwire_open(struct agent *a, const struct udp_place *place)
{
    struct peerlease *p = &a->peerlease;
    return p->udp ? udp_move(p->udp, place)
                  : udp_open(a->loop, place, &p->keys, on_datagram, a, &p->udp);
}

/* ---- out ---- */

static struct datagram_session wire_session(const struct peer_session *s)
{
    return (struct datagram_session){.lease = s->lease, .incarnation = s->incarnation};
}

/* What is lost is not repeated here: the next one comes soon. */
static void send_to(struct agent *a, const struct datagram *d, const struct peer_session *to)
{
    const struct peerlease_node *node = peerstore_find_node(a, to);
    if (node && a->peerlease.udp)
        udp_send(a->peerlease.udp, d, &node->ip, node->port, NULL);
}

static void send_to_members(struct agent *a, const struct datagram *d)
{
    const struct peer_member *members = a->election.peer.owner.members;
    for (unsigned i = 0; i < 2 * PEERS_MAX; i++)
        if (members[i].session.lease)
            send_to(a, d, &members[i].session);
}

static void send_to_voters(struct agent *a, const struct datagram *d, const struct peer_record *r,
                           const struct peer_session *self)
{
    for (unsigned i = 0; i < r->n; i++)
        if (!peer_is_same(&r->voters[i], self) && !peer_is_same(&r->voters[i], &r->owner))
            send_to(a, d, &r->voters[i]);
}

void peerwire_send(struct agent *a, const struct election_action *action)
{
    const struct peer_session self = {.lease = a->election.session.lease,
                                      .incarnation = a->peerlease.incarnation};
    struct datagram d = {.from = wire_session(&self), .number = action->at_us};
    d.term = action->term;
    switch (action->type) {
    case ACT_PEER_BEAT:
        d.kind = DATAGRAM_HEARTBEAT;
        d.owner = d.from;
        d.window_us = (uint32_t)action->ttl_us;
        send_to_members(a, &d);
        break;
    case ACT_PEER_ACK:
        d.kind = DATAGRAM_ACKNOWLEDGEMENT;
        d.owner = wire_session(&action->peer);
        send_to(a, &d, &action->peer);
        break;
    case ACT_PEER_ASK:
        d.kind = DATAGRAM_ASK;
        d.owner = wire_session(&action->record->owner);
        d.term = action->record->term;
        d.window_us = (uint32_t)action->record->window_us;
        send_to_voters(a, &d, action->record, &self);
        break;
    case ACT_PEER_GRANT:
        d.kind = DATAGRAM_GRANT;
        d.owner = wire_session(&action->owner);
        send_to(a, &d, &action->peer);
        break;
    default:
        d.kind = DATAGRAM_LEAVING;
        send_to_members(a, &d);
        break;
    }
}

/* ---- the key ---- */

static bool is_key(const uint8_t *a, const uint8_t *b)
{
    return memcmp(a, b, DATAGRAM_KEY_SIZE) == 0;
}

static void use_keys(struct agent *a)
{
    struct peerlease *p = &a->peerlease;
    if (p->udp)
        udp_set_keys(p->udp, &p->keys);
    peerlease_set_timer(a);
}

/* The first key there is for us: others may still send under the one before it. */
static void take_first(struct agent *a, const struct peers_key *key, uint64_t now_us)
{
    struct peerlease *p = &a->peerlease;
    memcpy(p->keys.key, key->current, sizeof(p->keys.key));
    memcpy(p->keys.other, key->previous, sizeof(p->keys.other));
    p->keys.has_other = key->has_previous;
    p->drop_old_us = key->has_previous ? now_us + 2 * KEY_SPREAD_US : NEVER_US;
    p->has_key = true;
    p->send_new_us = p->retry_us = NEVER_US;
    use_keys(a);
    peerlease_update(a);
}

/* Taken at once, sent under when everybody has heard of it. */
static void take_next(struct agent *a, const struct peers_key *key, uint64_t now_us)
{
    struct peerlease *p = &a->peerlease;
    memcpy(p->keys.other, key->current, sizeof(p->keys.other));
    p->keys.has_other = true;
    p->send_new_us = now_us + KEY_SPREAD_US;
    p->drop_old_us = NEVER_US;
    log_event(LOG_INFO, "peer_key", NULL, LOG_FIELDS(LOG_NUMBER("generation", key->generation)),
              "a new key for the peer lease; sent under it from %u s on",
              (unsigned)(KEY_SPREAD_US / SECOND_US));
    use_keys(a);
}

/* Nobody takes what we send under any more: we were away while the key was replaced twice. */
static bool is_behind(const struct peerlease *p, const struct peers_key *key)
{
    return key->has_previous && !is_key(key->previous, p->keys.key) &&
           !(p->keys.has_other && is_key(key->previous, p->keys.other));
}

static void take(struct agent *a, const struct etcd_kv *kv)
{
    struct peerlease *p = &a->peerlease;
    struct peers_key key;
    if (peers_key_parse(kv->value, kv->value_len, &key) < 0) {
        log_event(LOG_ERROR, "peer_key", NULL, NULL, "the key of the peer lease cannot be read");
        return;
    }
    bool is_coming = p->keys.has_other && p->send_new_us != NEVER_US;
    bool is_new = !is_key(key.current, is_coming ? p->keys.other : p->keys.key);
    if (!p->has_key || (is_new && is_behind(p, &key)))
        take_first(a, &key, clock_now_us());
    else if (is_new)
        take_next(a, &key, clock_now_us());
    explicit_bzero(&key, sizeof(key));
}

static void retry(struct agent *a)
{
    a->peerlease.retry_us = clock_now_us() + KEY_RETRY_US;
    peerlease_set_timer(a);
}

static void on_created(void *arg, const struct etcd_reply *reply)
{
    struct agent *a = arg;
    struct peerlease *p = &a->peerlease;
    p->key_call = NULL;
    const struct etcd_response *last =
        reply->n_responses ? &reply->responses[reply->n_responses - 1] : NULL;
    if (reply->status == ETCD_OK && last && last->n_kvs == 1) {
        take(a, &last->kvs[0]);
        return;
    }
    if (!p->has_told_key)
        log_event(LOG_WARN, "peer_key", NULL, NULL,
                  "cannot make a key for the peer lease: %s; trying again", reply->message);
    p->has_told_key = true;
    retry(a);
}

static void create(struct agent *a)
{
    struct peerlease *p = &a->peerlease;
    uint8_t fresh[PEERS_KEY_SIZE];
    struct peers_key key;
    p->retry_us = NEVER_US;
    etcd_call_cancel(p->key_call);
    p->key_call = NULL;
    if (getrandom(fresh, sizeof(fresh), GRND_NONBLOCK) != (ssize_t)sizeof(fresh)) {
        retry(a);
        return;
    }
    peers_key_next(NULL, fresh, &key);
    if (peers_call_create_key(a->etcd, &key, KEY_TIMEOUT_US, on_created, a, &p->key_call) < 0)
        retry(a);
    explicit_bzero(fresh, sizeof(fresh));
    explicit_bzero(&key, sizeof(key));
}

void peerwire_on_key(struct agent *a, const struct etcd_kv *kv)
{
    if (a->peerlease.incarnation == 0)
        return;
    if (kv)
        take(a, kv);
    else
        create(a);
}

void peerwire_on_timer(struct agent *a, uint64_t now_us)
{
    struct peerlease *p = &a->peerlease;
    if (now_us >= p->send_new_us) {
        struct datagram_keys k = {.has_other = true};
        memcpy(k.key, p->keys.other, sizeof(k.key));
        memcpy(k.other, p->keys.key, sizeof(k.other));
        p->keys = k;
        p->send_new_us = NEVER_US;
        p->drop_old_us = now_us + KEY_SPREAD_US;
        use_keys(a);
    } else if (now_us >= p->drop_old_us) {
        p->keys.has_other = false;
        explicit_bzero(p->keys.other, sizeof(p->keys.other));
        p->drop_old_us = NEVER_US;
        use_keys(a);
    }
    if (now_us >= p->retry_us)
        create(a);
}
