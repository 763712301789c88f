/* SPDX-License-Identifier: MIT */
/* One action of the core, carried out. */
#include "state.h"

#include "net/address.h"
#include "net/tcp.h"

#include <errno.h>
#include <string.h>

#define CONNECTIONS_MAX 65536
#define FAREWELL_US (5 * SECOND_US)

static void answer(struct agent *a, const struct election_action *action,
                   enum election_event_type type, int r)
{
    struct election_event ev = {.type = type,
                                .req = action->req,
                                .vip = action->vip,
                                .result = r < 0 ? RESULT_FAILED : RESULT_OK};
    feed_later(a, &ev);
}

static void set_address(struct agent *a, const struct election_action *action)
{
    struct slot *slot = &a->slots[action->vip];
    const struct vip *v = &a->vips[action->vip];
    int ifindex = slot->link ? slot->link->ifindex : 0;
    guardian_note_address(a, action->vip, true, v->revision);
    int r = ifindex ? address_set(a->netlink, ifindex, &slot->ip, action->seconds) : -ENODEV;
    if (r < 0)
        log_event(LOG_ERROR, "address_failed", slot->text,
                  LOG_FIELDS(LOG_TEXT("iface", slot->link_name), LOG_TEXT("error", strerror(-r))),
                  "the kernel refuses the address on %s: %s", slot->link_name, strerror(-r));
    else
        sight_own(a, action->vip, true, 0);
    answer(a, action, EV_ADDRESS_SET, r);
}

static void delete_address(struct agent *a, const struct election_action *action)
{
    struct slot *slot = &a->slots[action->vip];
    int ifindex = slot->link ? slot->link->ifindex : 0;
    uint64_t asked_us = clock_now_us();
    int r = address_remove(a->netlink, ifindex, &slot->ip);
    if (r < 0)
        log_event(LOG_ERROR, "address_stuck", slot->text,
                  LOG_FIELDS(LOG_TEXT("iface", slot->link_name), LOG_TEXT("error", strerror(-r))),
                  "cannot take the address off %s: %s; trying again", slot->link_name,
                  strerror(-r));
    else {
        guardian_note_address(a, action->vip, false, 0);
        sight_own(a, action->vip, false, asked_us);
    }
    answer(a, action, EV_ADDRESS_CLEARED, r);
}

static int probe(struct agent *a, unsigned i)
{
    struct slot *slot = &a->slots[i];
    struct ip_prefix own;
    bool has_source = slot->ip.family == IP_V6 &&
                      address_in_subnet(a->netlink, slot->link->ifindex, &slot->ip, &own) == 0;
    int r = packet_probe(slot->link->packet, &slot->ip, has_source ? &own.ip : NULL);
    if (r < 0)
        return r;
    slot->is_probed = true;
    loop_timer_set(a->probed, 0);
    return 0;
}

/* In a turn of the loop of its own: the sockets are read between one probe and the next, however
 * long the sending took. */
void perform_tell_probed(void *arg)
{
    struct agent *a = arg;
    for (unsigned i = 0; i < a->election.n; i++) {
        struct election_event sent = {.type = EV_PROBE_SENT, .vip = i};
        bool is_probed = a->slots[i].is_probed;
        a->slots[i].is_probed = false;
        if (is_probed)
            feed(a, &sent);
    }
}

static void speak(struct agent *a, const struct election_action *action)
{
    struct slot *slot = &a->slots[action->vip];
    struct packet *packet = slot->link ? slot->link->packet : NULL;
    if (!packet)
        return;
    /* A frame that cannot be sent is not repeated here: the schedule comes round again. */
    int r;
    if (action->type == ACT_PROBE) {
        r = probe(a, action->vip);
    } else if (action->type == ACT_DEFEND) {
        r = packet_defend(packet, &slot->ip, clock_now_us());
    } else {
        r = packet_announce(packet, &slot->ip);
        slot->counters.announced += r == 0;
        history_announced(a, action->vip);
        if (action->count == 0)
            peers_begin(a, action->vip);
    }
    if (r < 0 && r != -EALREADY)
        log_event(LOG_DEBUG, "send_failed", slot->text, LOG_FIELDS(LOG_TEXT("error", strerror(-r))),
                  "cannot send on %s: %s", slot->link_name, strerror(-r));
}

static void close_connections(const struct agent *a, unsigned i)
{
    size_t closed = 0;
    int r = tcp_close_all(&a->slots[i].ip, CONNECTIONS_MAX, &closed);
    if (closed || r < 0)
        log_event(LOG_DEBUG, "connections_closed", a->slots[i].text,
                  LOG_FIELDS(LOG_NUMBER("count", closed)), "%zu TCP connections reset%s%s", closed,
                  r < 0 ? ": " : "", r < 0 ? strerror(-r) : "");
}

void finish_if_taken_over(struct agent *a)
{
    if (!a->is_finished)
        return;
    for (unsigned i = 0; i < a->election.n; i++)
        if (a->slots[i].is_used && a->slots[i].released_us)
            return;
    if (!history_is_busy(a))
        hooks_end(a);
}

static void on_farewell(void *arg)
{
    struct agent *a = arg;
    report_alone(a);
    hooks_end(a);
}

/* The hand-over is done; whoever reads the log wants to know to whom. Only another agent is waited
 * for: who else stands in the queue may never announce anything. */
static void finish(struct agent *a)
{
    bool has_successor = false;
    guardian_note_done(a);
    a->is_finished = true;
    for (unsigned i = 0; i < a->election.n; i++) {
        const struct candidate *next = queue_leader(&a->vips[i].queue);
        has_successor |= a->slots[i].released_us && next && peers_is_agent(a, next->name);
    }
    if ((!has_successor && !history_is_busy(a)) ||
        loop_timer_new(a->loop, on_farewell, a, &a->farewell) < 0) {
        on_farewell(a);
        return;
    }
    loop_timer_set(a->farewell, clock_now_us() + FAREWELL_US);
    finish_if_taken_over(a);
}

void perform(struct agent *a, const struct election_action *action)
{
    switch (action->type) {
    case ACT_LEASE_GRANT:
    case ACT_LEASE_RENEW:
    case ACT_LEASE_REVOKE:
    case ACT_CAMPAIGN:
    case ACT_CONFIRM:
    case ACT_KEYS_CHECK:
    case ACT_RESIGN:
        store_request(a, action);
        break;
    case ACT_DEADLINE:
        sight_deadline(a, action->at_us);
        fence_set_deadline_us(a->fence, action->at_us);
        guardian_note_right(a, a->election.session.lease, action->right_us);
        break;
    case ACT_FENCE_ARM:
        fence_arm(a->fence, action->vip + 1);
        a->slots[action->vip].shut_us = 0;
        break;
    case ACT_FENCE_SHUT:
        fence_shut(a->fence, action->vip + 1);
        if (!a->slots[action->vip].shut_us)
            a->slots[action->vip].shut_us = clock_now_us();
        break;
    case ACT_FENCE_DISARM:
        fence_disarm(a->fence, action->vip + 1);
        break;
    case ACT_ADDRESS_ADD:
    case ACT_ADDRESS_REFRESH:
        set_address(a, action);
        break;
    case ACT_ADDRESS_DELETE:
        delete_address(a, action);
        break;
    case ACT_CLOSE_CONNECTIONS:
        close_connections(a, action->vip);
        break;
    case ACT_PROBE:
    case ACT_ANNOUNCE:
    case ACT_DEFEND:
        speak(a, action);
        break;
    case ACT_ASK_PEERS:
        peers_ask(a, action->vip);
        break;
    case ACT_STATE:
        report_state(a, action);
        transition(a, action);
        history_state(a, action);
        publish_soon(a);
        if (action->to == VIP_UNUSED)
            reload_forget_vip(a, action->vip);
        break;
    case ACT_SESSION:
        report_session(a, action);
        if (action->to_session == SESSION_LIVE)
            publish_session(a);
        break;
    case ACT_REQUEST_REFUSED:
        requests_refuse(a, action);
        break;
    case ACT_FOREIGN:
        report_foreign(a, action->vip);
        break;
    case ACT_UNPROBED:
        report_unprobed(a, action->vip);
        break;
    case ACT_LATE:
        log_event(LOG_WARN, "late", NULL, LOG_FIELDS(LOG_NUMBER("late_ms", action->at_us / 1000)),
                  "this process was held up for %llu ms; nothing is taken or announced until etcd "
                  "confirms",
                  (unsigned long long)action->at_us / 1000);
        break;
    case ACT_DONE:
        finish(a);
        break;
    case ACT_PEER_BEAT:
    case ACT_PEER_ACK:
    case ACT_PEER_ASK:
    case ACT_PEER_GRANT:
    case ACT_PEER_LEAVE:
        peerwire_send(a, action);
        break;
    case ACT_PEER_PUBLISH:
    case ACT_PEER_END:
    case ACT_PEER_REVOKE:
        peerstore_request(a, action);
        break;
    case ACT_PEER_NOTE:
        peertell_note(a, action);
        break;
    case ACT_TYPES:
        break;
    }
}
