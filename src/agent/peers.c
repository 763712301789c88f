/* SPDX-License-Identifier: MIT */
/* Whose neighbour caches matter most: the gateways, the ex-holder, the other nodes. They are asked
 * something as the VIP, and their answers confirm that they switched. */
#include "state.h"

#include "net/address.h"
#include "net/neighbour.h"

#include <string.h>

void peers_forget(struct agent *a, const char *node)
{
    for (unsigned i = 0; i < AGENT_PEERS_MAX; i++)
        if (strcmp(a->others[i].record.node, node) == 0)
            a->others[i].record.node[0] = '\0';
}

void peers_note(struct agent *a, const struct record_node *record)
{
    if (strcmp(record->node, a->settings.node) == 0)
        return;
    history_agent(a, record->node);
    peers_forget(a, record->node);
    for (unsigned i = 0; i < AGENT_PEERS_MAX; i++) {
        if (a->others[i].record.node[0])
            continue;
        a->others[i].record = *record;
        return;
    }
}

static void add(struct slot *slot, const struct ip *ip)
{
    for (unsigned i = 0; i < slot->n_peers; i++)
        if (ip_equal(&slot->peers[i].ip, ip))
            return;
    if (slot->n_peers < AGENT_PEERS_MAX && !ip_equal(ip, &slot->ip))
        slot->peers[slot->n_peers++] = (struct peer){.ip = *ip};
}

unsigned peers_count(const struct agent *a)
{
    unsigned n = 0;
    for (unsigned i = 0; i < AGENT_PEERS_MAX; i++)
        n += a->others[i].record.node[0] != '\0';
    return n;
}

bool peers_is_agent(const struct agent *a, const char *node)
{
    for (unsigned i = 0; i < AGENT_PEERS_MAX; i++)
        if (node[0] && strcmp(a->others[i].record.node, node) == 0)
            return true;
    return false;
}

static void report(struct agent *a, unsigned i)
{
    const struct slot *slot = &a->slots[i];
    struct election_event ev = {.type = EV_PEERS, .vip = i};
    for (unsigned k = 0; k < slot->n_peers; k++)
        ev.count += !slot->peers[k].has_answered;
    report_seen(a, i, slot->n_peers - ev.count, slot->n_peers);
    feed(a, &ev);
}

void peers_begin(struct agent *a, unsigned i)
{
    struct slot *slot = &a->slots[i];
    struct ip gateways[AGENT_GATEWAYS_MAX];
    struct ip_prefix own;
    size_t n = 0;
    slot->n_peers = 0;
    if (!slot->link)
        return;
    neighbour_gateways(a->netlink, slot->link->ifindex, gateways, AGENT_GATEWAYS_MAX, &n);
    for (size_t k = 0; k < n; k++)
        if (gateways[k].family == slot->ip.family)
            add(slot, &gateways[k]);
    bool has_own = address_in_subnet(a->netlink, slot->link->ifindex, &slot->ip, &own) == 0;
    for (unsigned k = 0; k < AGENT_PEERS_MAX && has_own; k++) {
        const struct record_node *other = &a->others[k].record;
        for (unsigned m = 0; other->node[0] && m < other->n_addresses; m++)
            if (ip_prefix_contains(&own, &other->addresses[m]))
                add(slot, &other->addresses[m]);
    }
    report(a, i);
}

void peers_ask(struct agent *a, unsigned i)
{
    struct slot *slot = &a->slots[i];
    for (unsigned k = 0; k < slot->n_peers && slot->link && slot->link->packet; k++)
        if (!slot->peers[k].has_answered)
            packet_solicit(slot->link->packet, &slot->ip, &slot->peers[k].ip, NULL);
}

void peers_heard(struct agent *a, unsigned i, const struct frame *frame)
{
    struct slot *slot = &a->slots[i];
    bool is_news = false;
    for (unsigned k = 0; k < slot->n_peers; k++) {
        struct peer *p = &slot->peers[k];
        if (p->has_answered || !frame_acknowledges(frame, &slot->ip, &p->ip))
            continue;
        p->has_answered = is_news = true;
    }
    if (is_news)
        report(a, i);
}
