/* SPDX-License-Identifier: MIT */
#include "net/udp.h"

#include <errno.h>
#include <net/if.h>
#include <netinet/in.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/clock.h"

#define PRIORITY 6     /* the highest that needs no right, socket(7) */
#define CLASS_CS6 0xc0 /* network control, RFC 2474 section 4.2.2 */

struct udp {
    struct loop *loop;
    struct loop_io *io;
    struct udp_place place;
    struct datagram_keys keys;
    struct udp_counts counts;
    udp_message_fn fn;
    void *arg;
    int fd; /* -1: bound nowhere */
    bool is_dispatching;
    bool is_closed; /* by the callback: freed when the dispatch has ended */
};

union any_address {
    struct sockaddr any;
    struct sockaddr_in v4;
    struct sockaddr_in6 v6;
};

/* RFC 4291 section 2.5.6: such an address says nothing without its link. */
static bool is_link_local(const struct ip *ip)
{
    return ip->family == IP_V6 && ip->bytes[0] == 0xfe && (ip->bytes[1] & 0xc0) == 0x80;
}

static socklen_t fill_address(const struct ip *ip, uint16_t port, int ifindex,
                              union any_address *out)
{
    memset(out, 0, sizeof(*out));
    if (ip->family == IP_V4) {
        out->v4.sin_family = AF_INET;
        out->v4.sin_port = htons(port);
        memcpy(&out->v4.sin_addr, ip->bytes, 4);
        return sizeof(out->v4);
    }
    out->v6.sin6_family = AF_INET6;
    out->v6.sin6_port = htons(port);
    out->v6.sin6_scope_id = is_link_local(ip) ? (uint32_t)ifindex : 0;
    memcpy(&out->v6.sin6_addr, ip->bytes, 16);
    return sizeof(out->v6);
}

static void read_address(const union any_address *in, struct ip *ret_ip, uint16_t *ret_port)
{
    struct ip ip = {.family = IP_V4};
    if (in->any.sa_family == AF_INET) {
        memcpy(ip.bytes, &in->v4.sin_addr, 4);
        *ret_port = ntohs(in->v4.sin_port);
    } else {
        ip.family = IP_V6;
        memcpy(ip.bytes, &in->v6.sin6_addr, 16);
        *ret_port = ntohs(in->v6.sin6_port);
    }
    *ret_ip = ip;
}

static void count(struct udp_counts *counts, int r)
{
    if (r == -EPROTO)
        counts->unknown++;
    else if (r == -EKEYREJECTED)
        counts->rejected++;
    else if (r == -EBADMSG)
        counts->malformed++;
}

/* One datagram of whatever kind. False when there is none. */
static bool receive(struct udp *u)
{
    uint8_t data[DATAGRAM_SIZE + 1]; /* so that one that is too long does not look right */
    union any_address address = {.any.sa_family = AF_UNSPEC};
    socklen_t len = sizeof(address);
    struct datagram d;
    struct ip from;
    uint16_t port;
    ssize_t n = recvfrom(u->fd, data, sizeof(data), MSG_DONTWAIT, &address.any, &len);
    uint64_t now = clock_now_us();
    if (n < 0)
        return errno != EAGAIN;
    u->counts.received++;
    int r = datagram_read(data, (size_t)n, &u->keys, &d);
    count(&u->counts, r);
    if (r == 0) {
        read_address(&address, &from, &port);
        u->fn(u->arg, &d, &from, port, now);
    }
    return true;
}

static void destroy(struct udp *u)
{
    explicit_bzero(&u->keys, sizeof(u->keys));
    free(u);
}

static void on_readable(void *arg, int fd, unsigned what)
{
    struct udp *u = arg;
    (void)fd;
    (void)what;
    u->is_dispatching = true;
    for (int i = 0; i < UDP_BATCH && u->fd >= 0; i++)
        if (!receive(u))
            break;
    u->is_dispatching = false;
    if (u->is_closed)
        destroy(u);
}

static int set_number(int fd, int level, int name, int value)
{
    return setsockopt(fd, level, name, &value, sizeof(value)) < 0 ? -errno : 0;
}

/* Ahead of what else this host sends: a heartbeat that waits behind bulk traffic looks like a dead
 * host. IP_TOS sets the priority, too, so it goes first. A network that will not mark is no
 * reason to stop. */
static void set_urgent(int fd, uint8_t family)
{
    if (family == IP_V4)
        set_number(fd, IPPROTO_IP, IP_TOS, CLASS_CS6);
    else
        set_number(fd, IPPROTO_IPV6, IPV6_TCLASS, CLASS_CS6);
    set_number(fd, SOL_SOCKET, SO_PRIORITY, PRIORITY);
}

static int bind_to(int fd, const struct udp_place *place)
{
    char name[IF_NAMESIZE];
    union any_address self;
    socklen_t len = fill_address(&place->ip, place->port, place->ifindex, &self);
    if (!if_indextoname((unsigned)place->ifindex, name))
        return -ENODEV;
    if (setsockopt(fd, SOL_SOCKET, SO_BINDTODEVICE, name, (socklen_t)strlen(name)) < 0)
        return -errno;
    return bind(fd, &self.any, len) < 0 ? -errno : 0;
}

static void unbind(struct udp *u)
{
    loop_io_free(u->io);
    u->io = NULL;
    if (u->fd >= 0)
        close(u->fd);
    u->fd = -1;
}

static int bind_anew(struct udp *u)
{
    int family = u->place.ip.family == IP_V4 ? AF_INET : AF_INET6;
    u->fd = socket(family, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    if (u->fd < 0)
        return -errno;
    set_urgent(u->fd, u->place.ip.family);
    int r = bind_to(u->fd, &u->place);
    if (r == 0)
        r = loop_io_new(u->loop, u->fd, LOOP_READ, on_readable, u, &u->io);
    if (r < 0)
        unbind(u);
    return r;
}

int udp_open(struct loop *loop, const struct udp_place *place, const struct datagram_keys *keys,
             udp_message_fn fn, void *arg, struct udp **ret_udp)
{
    struct udp *u = calloc(1, sizeof(*u));
    if (!u)
        return -ENOMEM;
    *u = (struct udp){.loop = loop, .place = *place, .keys = *keys, .fn = fn, .arg = arg, .fd = -1};
    int r = bind_anew(u);
    if (r < 0) {
        destroy(u);
        return r;
    }
    *ret_udp = u;
    return 0;
}

void udp_close(struct udp *u)
{
    if (!u)
        return;
    unbind(u);
    u->is_closed = true;
    if (!u->is_dispatching)
        destroy(u);
}

int udp_move(struct udp *u, const struct udp_place *place)
{
    bool is_same = u->fd >= 0 && ip_equal(&u->place.ip, &place->ip) &&
                   u->place.port == place->port && u->place.ifindex == place->ifindex;
    if (is_same)
        return 0;
    unbind(u);
    u->place = *place;
    return bind_anew(u);
}

void udp_set_keys(struct udp *u, const struct datagram_keys *keys)
{
    u->keys = *keys;
}

int udp_send(struct udp *u, const struct datagram *d, const struct ip *to, uint16_t port,
             uint64_t *ret_sent_us)
{
    uint8_t data[DATAGRAM_SIZE];
    union any_address address;
    int r = u->fd < 0                          ? -ENOTCONN
            : to->family != u->place.ip.family ? -EAFNOSUPPORT
                                               : datagram_write(d, &u->keys, data);
    uint64_t now = clock_now_us();
    if (r == 0) {
        socklen_t len = fill_address(to, port, u->place.ifindex, &address);
        if (sendto(u->fd, data, sizeof(data), MSG_DONTWAIT, &address.any, len) < 0)
            r = -errno;
    }
    if (r == 0)
        u->counts.sent++;
    else
        u->counts.failed++;
    if (ret_sent_us)
        *ret_sent_us = now;
    return r;
}

const struct udp_counts *udp_counts(const struct udp *u)
{
    return &u->counts;
}
