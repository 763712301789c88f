/* SPDX-License-Identifier: MIT */
/* Whether this agent takes part in the peer lease, and where it listens. */
#include "state.h"

#include "net/address.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>

#define OPEN_RETRY_US (5 * SECOND_US)
#define LOOK_US (50 * MS_US) /* an address that is replaced goes and comes within that */

/* A total order, the same on every node. */
static bool is_before(const struct ip *a, const struct ip *b)
{
    return a->family != b->family ? a->family < b->family
                                  : memcmp(a->bytes, b->bytes, ip_len(a)) < 0;
}

/* All agents must meet on one network, whatever the order of their configurations: that of the
 * lowest VIP in whose subnet this node has an address. NULL or why there is none. */
static const char *find_place(struct agent *a, struct udp_place *ret_place,
                              const struct agent_link **ret_link)
{
    struct ip lowest = {.family = IP_NONE};
    const char *why = "no VIP is configured";
    for (unsigned i = 0; i < a->election.n; i++) {
        const struct slot *slot = &a->slots[i];
        struct ip_prefix own;
        if (!slot->is_used || (lowest.family != IP_NONE && !is_before(&slot->ip, &lowest)))
            continue;
        if (!slot->link || !slot->link->ifindex) {
            lowest = slot->ip; /* another network would be no meeting place */
            why = "the link is gone";
        } else if (address_in_subnet(a->netlink, slot->link->ifindex, &slot->ip, &own) == 0) {
            lowest = slot->ip;
            why = NULL;
            *ret_link = slot->link;
            *ret_place = (struct udp_place){
                .ip = own.ip, .port = a->settings.peer_port, .ifindex = slot->link->ifindex};
        } else if (lowest.family == IP_NONE) {
            why = "this node has no address in the subnet of a VIP";
        }
    }
    return why;
}

static const char *open_place(struct agent *a, const struct udp_place *place)
{
    static const char why[] = "the UDP port cannot be used";
    struct peerlease *p = &a->peerlease;
    int r = peerwire_open(a, place);
    p->open_us = NEVER_US;
    if (r == 0)
        return NULL;
    udp_close(p->udp);
    p->udp = NULL;
    p->open_us = clock_now_us() + OPEN_RETRY_US;
    peerlease_set_timer(a);
    if (p->reason != why)
        log_event(LOG_WARN, "peer_port", NULL, LOG_FIELDS(LOG_TEXT("error", strerror(-r))),
                  "cannot listen for other agents on UDP port %u: %s; trying again", place->port,
                  strerror(-r));
    return why;
}

/* NULL: ready to take part; else why not. */
static const char *prepare(struct agent *a)
{
    struct peerlease *p = &a->peerlease;
    const struct agent_link *link = NULL;
    struct udp_place place;
    const char *why = find_place(a, &place, &link);
    if (why) {
        udp_close(p->udp);
        p->udp = NULL;
        return why;
    }
    if (!p->has_key)
        return "no key from etcd yet";
    if ((why = open_place(a, &place)))
        return why;
    p->place = place;
    if (!link->is_running)
        return "the link has no carrier";
    return a->settings.has_peers ? NULL : "switched off";
}

/* The core may ask for randomness that does not repeat, not for any that stays secret. */
static bool begin(struct peerlease *p)
{
    while (p->incarnation == 0)
        if (getrandom(&p->incarnation, sizeof(p->incarnation), GRND_NONBLOCK) !=
            (ssize_t)sizeof(p->incarnation))
            return false;
    p->send_new_us = p->drop_old_us = p->retry_us = p->open_us = p->look_us = NEVER_US;
    return true;
}

static void on_timer(void *arg)
{
    struct agent *a = arg;
    uint64_t now = clock_now_us();
    peerwire_on_timer(a, now);
    if (now >= a->peerlease.open_us || now >= a->peerlease.look_us)
        peerlease_update(a);
    peerlease_set_timer(a);
}

void peerlease_set_timer(struct agent *a)
{
    struct peerlease *p = &a->peerlease;
    const uint64_t due[] = {p->send_new_us, p->drop_old_us, p->retry_us, p->open_us, p->look_us};
    uint64_t at = NEVER_US;
    for (unsigned i = 0; i < sizeof(due) / sizeof(due[0]); i++)
        at = due[i] < at ? due[i] : at;
    if (!p->timer && loop_timer_new(a->loop, on_timer, a, &p->timer) < 0)
        return;
    loop_timer_set(p->timer, at);
}

void peerlease_soon(struct agent *a)
{
    struct peerlease *p = &a->peerlease;
    if (p->incarnation == 0 || p->look_us != NEVER_US)
        return;
    p->look_us = clock_now_us() + LOOK_US;
    peerlease_set_timer(a);
}

void peerlease_update(struct agent *a)
{
    struct peerlease *p = &a->peerlease;
    bool is_first = p->incarnation == 0;
    if (is_first && (!a->settings.has_peers || !begin(p)))
        return;
    p->look_us = NEVER_US;
    bool was_listening = p->udp != NULL;
    struct udp_place before = p->place;
    p->reason = prepare(a);
    bool is_ready = p->reason == NULL;
    bool is_listening = p->udp != NULL;
    if (is_listening != was_listening || !ip_equal(&before.ip, &p->place.ip) ||
        before.port != p->place.port || is_ready != p->is_told_ready)
        publish_soon(a); /* others send to where it says */
    if (p->told_window_us == a->settings.peer_window_us && p->is_told_ready == is_ready)
        return;
    p->told_window_us = a->settings.peer_window_us;
    p->is_told_ready = is_ready;
    struct election_event ev = {.type = EV_PEER_SETUP, .yes = is_ready};
    ev.peer.name = a->settings.node;
    ev.peer.number = p->incarnation;
    ev.peer.window_us = a->settings.peer_window_us;
    feed(a, &ev);
    if (is_first && a->watch) { /* switched on by a reload */
        peerstore_tell_all(a);
        peerwire_on_key(a, NULL);
    }
}

void peerlease_fill_record(const struct agent *a, struct record_node *record)
{
    const struct peerlease *p = &a->peerlease;
    record->incarnation = p->incarnation;
    if (!p->udp || !a->settings.has_peers)
        return;
    record->peer_ip = p->place.ip;
    record->peer_port = p->place.port;
}

void peerlease_close_calls(struct agent *a)
{
    struct peerlease *p = &a->peerlease;
    etcd_call_cancel(p->key_call);
    p->key_call = NULL;
    etcd_call_cancel(p->publish.call);
    p->publish = (struct peerlease_call){.agent = NULL};
    for (unsigned i = 0; i < sizeof(p->calls) / sizeof(p->calls[0]); i++) {
        etcd_call_cancel(p->calls[i].call);
        free(p->calls[i].releases);
        p->calls[i] = (struct peerlease_call){.agent = NULL};
    }
}

void peerlease_close(struct agent *a)
{
    struct peerlease *p = &a->peerlease;
    udp_close(p->udp);
    p->udp = NULL;
    loop_timer_free(p->timer);
    p->timer = NULL;
    explicit_bzero(&p->keys, sizeof(p->keys));
}
