/* SPDX-License-Identifier: MIT */
#include "net/packet.h"

#include <arpa/inet.h>
#include <errno.h>
#include <linux/if_ether.h>
#include <linux/if_packet.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "packet_filter.h"

#define BATCH 64
#define RECEIVE_MAX 2048

struct watch {
    struct ip vip;
    uint64_t defended_us; /* 0: never */
};

/* One socket for each protocol, since a socket for all would filter every packet of the link. */
struct channel {
    struct packet *packet;
    struct loop_io *io;
    int fd;
};

enum { ARP, NDP, CHANNELS };

struct packet {
    struct channel channels[CHANNELS];
    packet_frame_fn fn;
    void *arg;
    struct watch watched[PACKET_WATCH_MAX];
    size_t watch_count;
    struct mac mac;
    int ifindex;
    bool is_dispatching;
    bool is_closed; /* by the callback: freed when the dispatch has ended */
};

static struct watch *find_watch(struct packet *p, const struct ip *vip)
{
    for (size_t i = 0; i < p->watch_count; i++)
        if (ip_equal(&p->watched[i].vip, vip))
            return &p->watched[i];
    return NULL;
}

static bool is_wanted(struct packet *p, const struct frame *f)
{
    if (mac_equal(&f->ether_source, &p->mac))
        return false;
    const struct ip *claimed = f->kind == FRAME_NA ? &f->target_ip : &f->sender_ip;
    if (find_watch(p, claimed))
        return true;
    return (f->kind == FRAME_ARP_REPLY || f->kind == FRAME_NA) && find_watch(p, &f->dest_ip);
}

static void on_readable(void *arg, int fd, unsigned what)
{
    struct channel *c = arg;
    struct packet *p = c->packet;
    uint8_t data[RECEIVE_MAX];
    (void)what;
    p->is_dispatching = true;
    for (int i = 0; i < BATCH && !p->is_closed; i++) {
        struct sockaddr_ll from = {0};
        socklen_t from_len = sizeof(from);
        struct frame frame;
        ssize_t n =
            recvfrom(fd, data, sizeof(data), MSG_DONTWAIT, (struct sockaddr *)&from, &from_len);
        if (n < 0 && errno == EAGAIN)
            break;
        /* ENETDOWN is told once when the link goes down; the monitor tells it better. */
        if (n < 0 || from.sll_pkttype > PACKET_MULTICAST)
            continue;
        if (frame_parse(data, (size_t)n, &frame) == 0 && is_wanted(p, &frame))
            p->fn(p->arg, &frame);
    }
    p->is_dispatching = false;
    if (p->is_closed)
        free(p);
}

static int attach_filters(struct packet *p, const struct ip *vips, size_t n)
{
    struct sock_filter code[PACKET_FILTER_MAX];
    for (int i = 0; i < CHANNELS; i++) {
        size_t len = i == ARP ? packet_filter_arp(vips, n, code) : packet_filter_ndp(vips, n, code);
        struct sock_fprog filter = {.len = (unsigned short)len, .filter = code};
        if (setsockopt(p->channels[i].fd, SOL_SOCKET, SO_ATTACH_FILTER, &filter, sizeof(filter)) <
            0)
            return -errno;
    }
    return 0;
}

static int bind_channel(struct packet *p, int i)
{
    struct sockaddr_ll self = {
        .sll_family = AF_PACKET,
        .sll_protocol = htons(i == ARP ? ETH_P_ARP : ETH_P_IPV6),
        .sll_ifindex = p->ifindex,
    };
    struct channel *c = &p->channels[i];
    if (bind(c->fd, (struct sockaddr *)&self, sizeof(self)) < 0)
        return -errno;
    return 0;
}

static int open_channels(struct packet *p, struct loop *loop)
{
    /* Protocol 0 receives nothing until bind(), so that the filter is there first. */
    for (int i = 0; i < CHANNELS; i++) {
        p->channels[i].packet = p;
        p->channels[i].fd = socket(AF_PACKET, SOCK_RAW | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
        if (p->channels[i].fd < 0)
            return -errno;
    }
    int r = attach_filters(p, NULL, 0);
    for (int i = 0; i < CHANNELS && r == 0; i++) {
        struct channel *c = &p->channels[i];
        r = bind_channel(p, i);
        if (r == 0)
            r = loop_io_new(loop, c->fd, LOOP_READ, on_readable, c, &c->io);
    }
    return r;
}

int packet_open(struct loop *loop, int ifindex, const struct mac *mac, packet_frame_fn fn,
                void *arg, struct packet **ret_packet)
{
    struct packet *p = calloc(1, sizeof(*p));
    if (!p)
        return -ENOMEM;
    p->fn = fn;
    p->arg = arg;
    p->mac = *mac;
    p->ifindex = ifindex;
    for (int i = 0; i < CHANNELS; i++)
        p->channels[i].fd = -1;
    int r = open_channels(p, loop);
    if (r < 0) {
        packet_close(p);
        return r;
    }
    *ret_packet = p;
    return 0;
}

void packet_close(struct packet *p)
{
    if (!p)
        return;
    for (int i = 0; i < CHANNELS; i++) {
        loop_io_free(p->channels[i].io);
        if (p->channels[i].fd >= 0)
            close(p->channels[i].fd);
    }
    p->is_closed = true;
    if (!p->is_dispatching)
        free(p);
}

int packet_watch(struct packet *p, const struct ip *vips, size_t n)
{
    struct watch watched[PACKET_WATCH_MAX];
    struct ip old[PACKET_WATCH_MAX];
    if (n > PACKET_WATCH_MAX)
        return -E2BIG;
    for (size_t i = 0; i < n; i++) {
        const struct watch *was = find_watch(p, &vips[i]);
        watched[i] = (struct watch){.vip = vips[i], .defended_us = was ? was->defended_us : 0};
    }
    int r = attach_filters(p, vips, n);
    if (r < 0) {
        for (size_t i = 0; i < p->watch_count; i++)
            old[i] = p->watched[i].vip;
        attach_filters(p, old, p->watch_count); /* one of the two may have changed */
        return r;
    }
    memcpy(p->watched, watched, n * sizeof(*watched));
    p->watch_count = n;
    return 0;
}

void packet_set_mac(struct packet *p, const struct mac *mac)
{
    p->mac = *mac;
}

static int transmit(struct packet *p, const struct ip *ip, const uint8_t *data, size_t len)
{
    bool is_v4 = ip->family == IP_V4;
    struct sockaddr_ll to = {
        .sll_family = AF_PACKET,
        .sll_protocol = htons(is_v4 ? ETH_P_ARP : ETH_P_IPV6),
        .sll_ifindex = p->ifindex,
    };
    int fd = p->channels[is_v4 ? ARP : NDP].fd;
    if (sendto(fd, data, len, MSG_DONTWAIT, (struct sockaddr *)&to, sizeof(to)) < 0)
        return -errno;
    return 0;
}

int packet_probe(struct packet *p, const struct ip *vip, const struct ip *source)
{
    uint8_t data[FRAME_MAX];
    size_t len;
    if (vip->family == IP_V4)
        len = frame_arp_probe(&p->mac, vip, data);
    else if (source)
        len = frame_ns_request(&p->mac, source, vip, NULL, data);
    else
        len = frame_ns_probe(&p->mac, vip, data);
    return transmit(p, vip, data, len);
}

int packet_announce(struct packet *p, const struct ip *vip)
{
    uint8_t data[FRAME_MAX];
    size_t len = vip->family == IP_V4 ? frame_arp_announce(&p->mac, vip, data)
                                      : frame_na_announce(&p->mac, vip, data);
    return transmit(p, vip, data, len);
}

int packet_solicit(struct packet *p, const struct ip *vip, const struct ip *peer,
                   const struct mac *peer_mac)
{
    uint8_t data[FRAME_MAX];
    if (peer->family != vip->family)
        return -EAFNOSUPPORT;
    size_t len = vip->family == IP_V4 ? frame_arp_request(&p->mac, vip, peer, peer_mac, data)
                                      : frame_ns_request(&p->mac, vip, peer, peer_mac, data);
    return transmit(p, vip, data, len);
}

int packet_defend(struct packet *p, const struct ip *vip, uint64_t now_us)
{
    struct watch *w = find_watch(p, vip);
    if (!w)
        return -ENOENT;
    if (w->defended_us != 0 && now_us - w->defended_us < PACKET_DEFEND_US)
        return -EALREADY;
    w->defended_us = now_us;
    return packet_announce(p, vip);
}
