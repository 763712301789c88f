/* SPDX-License-Identifier: MIT */
/* The links that carry VIPs: found by name or selector, followed through carrier changes, renames
 * and new devices of the same name. */
#include "state.h"

#include "net/address.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#define RETRY_US SECOND_US

static void set_bar(struct agent *a, unsigned i, bool is_barred)
{
    struct election_event ev = {.type = EV_BAR, .vip = i, .bar = BAR_LINK, .yes = is_barred};
    feed(a, &ev);
}

static void claim_heard(struct agent *a, unsigned i, const struct mac *mac)
{
    const struct vip *v = &a->vips[i];
    struct election_event ev = {.vip = i};
    if (v->state == VIP_HELD && own_macs_have(a, mac))
        return;
    sight_heard(a, i, mac);
    if (v->state == VIP_HELD) {
        ev.type = EV_CONFLICT;
        report_conflict(a, i, mac);
    } else {
        ev.type = EV_PROBE_ANSWERED;
        report_taken_over(a, i, mac);
    }
    /* Our own routine probes are answered all the time: only the search for an owner counts. */
    if (v->state == VIP_HELD || v->state == VIP_PROBING)
        feed(a, &ev);
}

static void on_frame(void *arg, const struct frame *frame)
{
    struct agent_link *l = arg;
    struct agent *a = l->agent;
    for (unsigned i = 0; i < a->election.n; i++) {
        struct mac mac;
        if (!a->slots[i].is_used || a->slots[i].link != l)
            continue;
        if (frame_claims(frame, &a->slots[i].ip, &mac) && !mac_equal(&mac, &l->mac))
            claim_heard(a, i, &mac);
        peers_heard(a, i, frame);
    }
}

/* A fault whose end nothing may tell is looked at again. True for the first time: to be told. */
static bool has_new_fault(struct agent *a, struct agent_link *l)
{
    bool is_new = !l->has_failed;
    l->has_failed = true;
    loop_timer_set(a->links_retry, clock_now_us() + RETRY_US);
    return is_new;
}

static void tell_failed(struct agent *a, struct agent_link *l, int r)
{
    if (has_new_fault(a, l))
        log_event(LOG_ERROR, "link_failed", NULL,
                  LOG_FIELDS(LOG_TEXT("iface", l->name), LOG_TEXT("error", strerror(-r))),
                  "cannot use %s: %s; trying again", l->name, strerror(-r));
}

/* Tells the packet endpoint which addresses to listen for. When it cannot, it goes on listening for
 * those of before; a new one is barred, since its silence would mean nothing. */
static void watch_vips(struct agent *a, struct agent_link *l)
{
    struct ip ips[PACKET_WATCH_MAX];
    size_t n = 0;
    for (unsigned i = 0; i < ELECTION_VIPS_MAX && n < PACKET_WATCH_MAX; i++)
        if (a->slots[i].is_used && a->slots[i].link == l)
            ips[n++] = a->slots[i].ip;
    if (!l->packet)
        return;
    int r = packet_watch(l->packet, ips, n);
    if (r == 0)
        r = twins_watch(a);
    if (r < 0) {
        if (has_new_fault(a, l))
            log_event(LOG_ERROR, "watch_failed", NULL,
                      LOG_FIELDS(LOG_TEXT("iface", l->name), LOG_TEXT("error", strerror(-r))),
                      "cannot listen for claims on %s: %s; trying again", l->name, strerror(-r));
        return;
    }
    l->has_failed = false;
    for (unsigned i = 0; i < ELECTION_VIPS_MAX; i++)
        a->slots[i].is_heard |= a->slots[i].is_used && a->slots[i].link == l;
}

bool links_is_usable(const struct slot *slot)
{
    return slot->link && slot->link->is_running && slot->is_heard;
}

bool links_is_barred(const struct slot *slot)
{
    return !links_is_usable(slot) || slot->link->open_twin;
}

static void detach(struct agent_link *l)
{
    packet_close(l->packet);
    l->packet = NULL;
    l->ifindex = 0;
    l->is_running = false;
    for (unsigned i = 0; i < ELECTION_VIPS_MAX; i++)
        if (l->agent->slots[i].link == l)
            l->agent->slots[i].is_heard = false;
}

static int attach(struct agent *a, struct agent_link *l, const struct link *link)
{
    detach(l);
    l->ifindex = link->ifindex;
    l->mac = link->mac;
    l->is_running = link->is_running;
    int r = fence_attach(a->fence, link->ifindex);
    if (r == 0)
        r = packet_open(a->loop, link->ifindex, &link->mac, on_frame, l, &l->packet);
    if (r < 0) {
        detach(l);
        tell_failed(a, l, r);
        return r;
    }
    twins_begin(a, l, link);
    watch_vips(a, l);
    return 0;
}

void links_tell(struct agent *a, const struct agent_link *l)
{
    for (unsigned i = 0; i < a->election.n; i++)
        if (a->slots[i].is_used && a->slots[i].link == l)
            set_bar(a, i, links_is_barred(&a->slots[i]));
}

static void announce_again(struct agent *a, const struct agent_link *l)
{
    for (unsigned i = 0; i < a->election.n; i++)
        if (a->slots[i].is_used && a->slots[i].link == l)
            feed_simple(a, EV_LINK_CHANGED, i, false);
}

static void on_link(void *arg, const struct link *link)
{
    struct agent *a = arg;
    own_macs_forget(a);
    for (unsigned k = 0; k < AGENT_LINKS_MAX; k++) {
        struct agent_link *l = &a->links[k];
        if (l->users == 0)
            continue;
        if (l->ifindex != link->ifindex) {
            if (l->ifindex || !link_has_name(link, l->name) || attach(a, l, link) < 0)
                continue;
            links_tell(a, l);
            l->changed_us = clock_now_us();
            sight_link(a, l);
            continue;
        }
        if (!mac_equal(&l->mac, &link->mac)) {
            l->mac = link->mac;
            packet_set_mac(l->packet, &link->mac);
            watch_vips(a, l);
            announce_again(a, l);
            sight_link(a, l);
        }
        if (l->is_running != link->is_running) {
            l->is_running = link->is_running;
            l->changed_us = clock_now_us();
            log_event(link->is_running ? LOG_INFO : LOG_WARN,
                      link->is_running ? "link_up" : "link_down", NULL,
                      LOG_FIELDS(LOG_TEXT("iface", l->name)), "%s is %s", l->name,
                      link->is_running ? "up" : "down");
            links_tell(a, l);
            sight_link(a, l);
        }
    }
    if (link->is_ether && link->is_running)
        twins_look(a);
    peerlease_soon(a);
}

static void on_link_gone(void *arg, int ifindex)
{
    struct agent *a = arg;
    own_macs_forget(a);
    twins_gone(a, ifindex);
    for (unsigned k = 0; k < AGENT_LINKS_MAX; k++) {
        struct agent_link *l = &a->links[k];
        if (l->users == 0 || l->ifindex != ifindex)
            continue;
        log_event(LOG_WARN, "link_gone", NULL, LOG_FIELDS(LOG_TEXT("iface", l->name)), "%s is gone",
                  l->name);
        l->is_running = false;
        links_tell(a, l);
        detach(l);
        l->changed_us = clock_now_us();
        sight_link(a, l);
    }
    peerlease_soon(a);
}

/* Its lifetime is in whole seconds, the right is not: without a renewal it ends a little sooner. */
static void tell_lost(const struct agent *a, const struct slot *slot)
{
    bool is_over = clock_now_us() + SECOND_US > a->election.session.deadline_us;
    log_event(LOG_WARN, "address_lost", slot->text, LOG_FIELDS(LOG_TEXT("iface", slot->link_name)),
              "%s %s; putting it back",
              is_over ? "its lifetime has ended, or somebody took the address off"
                      : "somebody else took the address off",
              slot->link_name);
}

/* Somebody else changed a VIP's address. */
static void on_vip_address(struct agent *a, unsigned i, const struct address *address,
                           bool is_removed)
{
    const struct slot *slot = &a->slots[i];
    /* The kernel does not say who removed an IPv6 address: look whether it is missing. */
    if (is_removed && a->vips[i].state == VIP_HELD && !links_has_address(a, i)) {
        /* Past the deadline it was the guardian, and the election is about to hear of it. */
        if (clock_now_us() < a->election.session.deadline_us)
            tell_lost(a, slot);
        feed_simple(a, EV_ADDRESS_LOST, i, false);
    } else if (is_removed) {
        publish_soon(a);
    } else if (!address_is_ours(address)) {
        publish_soon(a);
        log_event(LOG_ERROR, "address_foreign", slot->text,
                  LOG_FIELDS(LOG_TEXT("iface", slot->link_name)),
                  "somebody else put this address on %s", slot->link_name);
    }
}

/* Agents meet at the node's own address, probes come from it, and its record names it. */
static void own_address_changed(struct agent *a)
{
    peerlease_soon(a);
    publish_soon(a);
}

static void on_address(void *arg, const struct address *address, bool is_removed,
                       enum monitor_origin origin)
{
    struct agent *a = arg;
    bool is_on_link = false, is_vip = false;
    if (origin == MONITOR_OWN)
        return;
    for (unsigned i = 0; i < a->election.n; i++) {
        const struct slot *slot = &a->slots[i];
        if (!slot->is_used || !slot->link || slot->link->ifindex != address->ifindex)
            continue;
        is_on_link = true;
        if (!ip_equal(&slot->ip, &address->ip))
            continue;
        is_vip = true;
        on_vip_address(a, i, address, is_removed);
    }
    if (is_on_link && !is_vip)
        own_address_changed(a);
}

bool links_has_address(struct agent *a, unsigned i)
{
    struct address *list = NULL;
    size_t n = 0;
    bool has = false;
    const struct slot *slot = &a->slots[i];
    if (!slot->link || address_list(a->netlink, slot->link->ifindex, &list, &n) < 0)
        return false;
    for (size_t k = 0; k < n; k++)
        has |= ip_equal(&list[k].ip, &slot->ip);
    free(list);
    return has;
}

/* What is, where no notification may have told of it. */
static int look(struct agent *a, struct agent_link *l)
{
    struct link link;
    int r = l->ifindex ? link_get(a->netlink, l->ifindex, &link)
                       : link_find(a->netlink, l->name, &link);
    if (r == 0)
        on_link(a, &link);
    else if (r != -ENODEV)
        tell_failed(a, l, r);
    else if (l->ifindex)
        on_link_gone(a, l->ifindex);
    else
        l->has_failed = false; /* its coming will be told */
    return r == -ENODEV ? 0 : r;
}

/* Notifications were lost: compare what is with what we believe. */
static void on_resync(void *arg)
{
    struct agent *a = arg;
    own_macs_forget(a);
    log_event(LOG_DEBUG, "netlink_resync", NULL, NULL, "kernel notifications were lost; looking");
    for (unsigned k = 0; k < AGENT_LINKS_MAX; k++) {
        struct agent_link *l = &a->links[k];
        if (l->users == 0)
            continue;
        look(a, l);
        if (l->users && l->ifindex == 0) /* another may have its name */
            look(a, l);
    }
    twins_resync(a);
    for (unsigned i = 0; i < a->election.n; i++)
        if (a->slots[i].is_used && a->vips[i].state == VIP_HELD && !links_has_address(a, i))
            feed_simple(a, EV_ADDRESS_LOST, i, false);
    own_address_changed(a);
}

static void on_retry(void *arg)
{
    struct agent *a = arg;
    for (unsigned k = 0; k < AGENT_LINKS_MAX; k++) {
        struct agent_link *l = &a->links[k];
        if (l->users == 0 || !l->has_failed || look(a, l) < 0 || l->ifindex == 0)
            continue;
        watch_vips(a, l);
        links_tell(a, l);
        sight_link(a, l);
    }
}

int links_open(struct agent *a)
{
    static const struct monitor_callbacks callbacks = {.on_link = on_link,
                                                       .on_link_gone = on_link_gone,
                                                       .on_address = on_address,
                                                       .on_resync = on_resync};
    int r = monitor_open(a->loop, &callbacks, a, &a->monitor);
    if (r < 0)
        return r;
    uint32_t port = netlink_port(a->netlink);
    monitor_set_ports(a->monitor, &port, 1);
    r = loop_timer_new(a->loop, on_retry, a, &a->links_retry);
    return r < 0 ? r : twins_open(a);
}

void links_close(struct agent *a)
{
    for (unsigned k = 0; k < AGENT_LINKS_MAX; k++)
        if (a->links[k].users)
            detach(&a->links[k]);
    twins_close(a);
    loop_timer_free(a->links_retry);
    a->links_retry = NULL;
    monitor_close(a->monitor);
    a->monitor = NULL;
}

static struct agent_link *link_use(struct agent *a, const char *name)
{
    struct agent_link *free_one = NULL;
    for (unsigned k = 0; k < AGENT_LINKS_MAX; k++) {
        if (a->links[k].users && strcmp(a->links[k].name, name) == 0) {
            a->links[k].users++;
            return &a->links[k];
        }
        if (!a->links[k].users && !free_one)
            free_one = &a->links[k];
    }
    if (free_one) {
        *free_one = (struct agent_link){.agent = a, .users = 1};
        snprintf(free_one->name, sizeof(free_one->name), "%s", name);
    }
    return free_one;
}

int links_add_vip(struct agent *a, unsigned i)
{
    struct slot *slot = &a->slots[i];
    struct link link;
    int r = fence_add_vip(a->fence, &slot->ip, i + 1);
    if (r < 0)
        return r;
    slot->link = link_use(a, slot->link_name);
    if (!slot->link) {
        fence_remove_vip(a->fence, &slot->ip);
        return -ENOSPC;
    }
    if (slot->link->ifindex) {
        watch_vips(a, slot->link);
        twins_look(a); /* it may be the first of IPv4 there */
        return 0;
    }
    r = link_find(a->netlink, slot->link_name, &link);
    if (r == 0 && attach(a, slot->link, &link) == 0 && slot->link->users > 1)
        links_tell(a, slot->link);
    else if (r < 0 && r != -ENODEV)
        tell_failed(a, slot->link, r);
    twins_look(a);
    return 0;
}

void links_remove_vip(struct agent *a, unsigned i)
{
    struct slot *slot = &a->slots[i];
    struct agent_link *l = slot->link;
    fence_remove_vip(a->fence, &slot->ip);
    slot->link = NULL;
    if (!l)
        return;
    if (--l->users > 0) {
        watch_vips(a, l);
        return;
    }
    twins_end(a, l);
    detach(l);
}

int links_clean(struct agent *a)
{
    struct address *list = NULL;
    size_t n = 0;
    int r = address_list(a->netlink, 0, &list, &n);
    for (size_t i = 0; r == 0 && i < n; i++) {
        char text[IP_TEXT_MAX];
        if (!address_is_ours(&list[i]))
            continue;
        ip_format(&list[i].ip, text);
        log_event(LOG_WARN, "leftover", text, NULL,
                  "taking off an address that an earlier agent left behind");
        r = address_remove(a->netlink, list[i].ifindex, &list[i].ip);
    }
    free(list);
    return r;
}
