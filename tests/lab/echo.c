/* SPDX-License-Identifier: MIT */
/* What a client of the VIPs gets. */
#include <netinet/icmp6.h>
#include <netinet/in.h>
#include <string.h>
#include <sys/socket.h>

#include "observer.h"

void echo_send(struct vip *v, uint64_t now)
{
    uint16_t packet[4] = {0, 0, htons(v->echo_id), htons(v->echo_seq++)};
    uint8_t type = v->ip.family == IP_V4 ? ICMP4_ECHO : ICMP6_ECHO_REQUEST;
    uint32_t sum;

    memcpy(packet, &type, 1);
    sum = (uint32_t)packet[0] + packet[2] + packet[3];
    sum = (sum & 0xffff) + (sum >> 16);
    sum = (sum & 0xffff) + (sum >> 16);
    if (v->ip.family == IP_V4) /* the kernel does it for ICMPv6 */
        packet[1] = (uint16_t)~sum;
    v->rec.echoes++;
    if (v->waiting_us == 0) {
        v->waiting_us = now;
        v->late_us = 0;
    }
    /* What cannot be sent (no neighbour, no route) is not answered: that is the outage. */
    (void)!send(v->echo_fd, packet, sizeof(packet), MSG_DONTWAIT);
}

static void gap_add(struct vip *v, const struct gap *g)
{
    struct record *r = &v->rec;

    report_event(g->start_us + g->length_us, "gap", v, ",\"ms\":%.3f,\"lateMs\":%.3f",
                 millis(g->length_us), millis(g->late_us));
    if (r->gaps_seen < GAPS_MAX)
        r->gaps[r->gaps_seen] = *g;
    r->gaps_seen++;
    if (g->length_us - g->late_us > r->worst.length_us - r->worst.late_us)
        r->worst = *g;
}

static void echo_answered(struct vip *v, uint64_t at)
{
    v->rec.echo_answers++;
    if (v->waiting_us == 0 || at < v->waiting_us)
        return;
    if (at - v->waiting_us >= ECHO_US) {
        struct gap g = {v->waiting_us, at - v->waiting_us, v->late_us};

        if (g.late_us > g.length_us)
            g.late_us = g.length_us;
        gap_add(v, &g);
    }
    v->waiting_us = 0;
}

void echo_read(struct vip *v)
{
    uint8_t data[256];
    uint16_t id;
    uint64_t at;
    ssize_t len;

    /* A pending error (host unreachable) fails one read and hides nothing: the next tick is near.
     */
    while ((len = message_read(v->echo_fd, data, sizeof(data), &at)) >= 0) {
        size_t start = v->ip.family == IP_V4 ? (size_t)(data[0] & 15) * 4 : 0;

        if ((size_t)len < start + 8)
            continue;
        memcpy(&id, data + start + 4, 2);
        if (ntohs(id) == v->echo_id)
            echo_answered(v, at);
    }
}

/* Connected, so that only what comes from the VIP is received. */
void echo_open(struct vip *v)
{
    struct sockaddr_in to4 = {.sin_family = AF_INET};
    struct sockaddr_in6 to6 = {.sin6_family = AF_INET6};
    bool is_v4 = v->ip.family == IP_V4;
    uint32_t replies4 = ~(1u << ICMP4_ECHO_REPLY);
    struct icmp6_filter replies6;
    int on = 1, err;

    v->echo_fd = socket(is_v4 ? AF_INET : AF_INET6, SOCK_RAW | SOCK_CLOEXEC | SOCK_NONBLOCK,
                        is_v4 ? (int)IPPROTO_ICMP : (int)IPPROTO_ICMPV6);
    if (v->echo_fd < 0 || setsockopt(v->echo_fd, SOL_SOCKET, SO_TIMESTAMPNS, &on, sizeof(on)) < 0)
        die("icmp socket");
    ICMP6_FILTER_SETBLOCKALL(&replies6);
    ICMP6_FILTER_SETPASS(ICMP6_ECHO_REPLY, &replies6);
    if (is_v4) {
        memcpy(&to4.sin_addr, v->ip.bytes, 4);
        err = setsockopt(v->echo_fd, SOL_RAW, ICMP4_FILTER, &replies4, sizeof(replies4)) ||
              connect(v->echo_fd, (struct sockaddr *)&to4, sizeof(to4));
    } else {
        memcpy(&to6.sin6_addr, v->ip.bytes, 16);
        err = setsockopt(v->echo_fd, IPPROTO_ICMPV6, ICMP6_FILTER, &replies6, sizeof(replies6)) ||
              connect(v->echo_fd, (struct sockaddr *)&to6, sizeof(to6));
    }
    if (err)
        die(v->text);
}
