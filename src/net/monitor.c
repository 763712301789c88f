/* SPDX-License-Identifier: MIT */
#include "net/monitor.h"

#include <assert.h>
#include <errno.h>
#include <linux/rtnetlink.h>
#include <poll.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

#include "netlink_call.h"

/* 1000 changes in a burst need about 1 MiB; the usual limit of 208 KiB loses some of 256. */
#define RECEIVE_BUFFER (4 << 20)
#define MESSAGE_MAX (64u << 10)
/* Datagrams per wake-up, so that a storm cannot keep the loop from its timers. */
#define BATCH 256

struct monitor {
    struct loop_io *io;
    struct monitor_callbacks callbacks;
    void *arg;
    uint32_t ports[MONITOR_PORTS_MAX];
    size_t port_count;
    int fd;
    bool has_lost;
    bool is_dispatching;
    bool is_closed; /* by a callback: freed when the dispatch has ended */
    char buffer[MESSAGE_MAX] __attribute__((aligned(NLMSG_ALIGNTO)));
};

static enum monitor_origin origin_of(const struct monitor *m, uint32_t port, const struct ip *ip)
{
    /* inet6_ifa_notify() leaves the port id 0 whoever asked. */
    if (port == 0)
        return ip->family == IP_V6 ? MONITOR_UNKNOWN : MONITOR_KERNEL;
    for (size_t i = 0; i < m->port_count; i++)
        if (m->ports[i] == port)
            return MONITOR_OWN;
    return MONITOR_FOREIGN;
}

static void dispatch(struct monitor *m, struct nlmsghdr *hdr)
{
    struct link link;
    struct address address;
    switch (hdr->nlmsg_type) {
    case RTM_NEWLINK:
        if (link_parse(hdr, &link) == 0)
            m->callbacks.on_link(m->arg, &link);
        break;
    case RTM_DELLINK:
        if (link_parse(hdr, &link) == 0)
            m->callbacks.on_link_gone(m->arg, link.ifindex);
        break;
    case RTM_NEWADDR:
    case RTM_DELADDR:
        if (address_parse(hdr, &address) == 0)
            m->callbacks.on_address(m->arg, &address, hdr->nlmsg_type == RTM_DELADDR,
                                    origin_of(m, hdr->nlmsg_pid, &address.ip));
        break;
    }
}

static void dispatch_all(struct monitor *m, size_t size)
{
    struct nlmsghdr *hdr = (struct nlmsghdr *)m->buffer;
    for (int rest = (int)size; !m->is_closed && nlmsg_ok(hdr, rest); hdr = nlmsg_next(hdr, &rest))
        dispatch(m, hdr);
}

/* 1 for a datagram of *ret_size bytes, 0 when there is none. */
static int receive(struct monitor *m, size_t *ret_size)
{
    struct sockaddr_nl from = {0};
    struct iovec iov = {.iov_base = m->buffer, .iov_len = sizeof(m->buffer)};
    struct msghdr msg = {
        .msg_name = &from, .msg_namelen = sizeof(from), .msg_iov = &iov, .msg_iovlen = 1};
    ssize_t n = recvmsg(m->fd, &msg, MSG_DONTWAIT);
    *ret_size = 0;
    if (n < 0) {
        /* The error comes before the messages that still were queued. */
        if (errno == ENOBUFS)
            m->has_lost = true;
        return errno == ENOBUFS || errno == EINTR;
    }
    if (msg.msg_flags & MSG_TRUNC)
        m->has_lost = true;
    else if (from.nl_pid == 0) /* else some process sent it, not the kernel */
        *ret_size = (size_t)n;
    return 1;
}

/* Else we are woken again. The last batch may have taken exactly what there was. */
static bool is_drained(const struct monitor *m)
{
    struct pollfd fd = {.fd = m->fd, .events = POLLIN};
    return poll(&fd, 1, 0) == 0;
}

static void on_readable(void *arg, int fd, unsigned what)
{
    struct monitor *m = arg;
    bool is_empty = false;
    (void)fd;
    (void)what;
    m->is_dispatching = true;
    for (int i = 0; i < BATCH && !m->is_closed && !is_empty; i++) {
        size_t size;
        is_empty = receive(m, &size) == 0;
        dispatch_all(m, size);
    }
    if (!m->is_closed && m->has_lost && is_drained(m)) {
        m->has_lost = false;
        m->callbacks.on_resync(m->arg);
    }
    m->is_dispatching = false;
    if (m->is_closed)
        free(m);
}

static int join_groups(int fd)
{
    static const int groups[] = {RTNLGRP_LINK, RTNLGRP_IPV4_IFADDR, RTNLGRP_IPV6_IFADDR};
    int size = RECEIVE_BUFFER;
    struct sockaddr_nl self = {.nl_family = AF_NETLINK};
    /* Without CAP_NET_ADMIN the limit of the system applies: then losses are more likely. */
    if (setsockopt(fd, SOL_SOCKET, SO_RCVBUFFORCE, &size, sizeof(size)) < 0)
        setsockopt(fd, SOL_SOCKET, SO_RCVBUF, &size, sizeof(size));
    if (bind(fd, (struct sockaddr *)&self, sizeof(self)) < 0)
        return -errno;
    for (size_t i = 0; i < sizeof(groups) / sizeof(groups[0]); i++)
        if (setsockopt(fd, SOL_NETLINK, NETLINK_ADD_MEMBERSHIP, &groups[i], sizeof(groups[i])) < 0)
            return -errno;
    return 0;
}

int monitor_open(struct loop *loop, const struct monitor_callbacks *callbacks, void *arg,
                 struct monitor **ret_monitor)
{
    assert(callbacks->on_link && callbacks->on_link_gone && callbacks->on_address &&
           callbacks->on_resync);
    struct monitor *m = calloc(1, sizeof(*m));
    if (!m)
        return -ENOMEM;
    m->callbacks = *callbacks;
    m->arg = arg;
    m->fd = socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC | SOCK_NONBLOCK, NETLINK_ROUTE);
    int r = m->fd < 0 ? -errno : join_groups(m->fd);
    if (r == 0)
        r = loop_io_new(loop, m->fd, LOOP_READ, on_readable, m, &m->io);
    if (r < 0) {
        monitor_close(m);
        return r;
    }
    *ret_monitor = m;
    return 0;
}

void monitor_close(struct monitor *m)
{
    if (!m)
        return;
    loop_io_free(m->io);
    if (m->fd >= 0)
        close(m->fd);
    m->is_closed = true;
    if (!m->is_dispatching)
        free(m);
}

void monitor_set_ports(struct monitor *m, const uint32_t *ports, size_t n)
{
    assert(n <= MONITOR_PORTS_MAX);
    m->port_count = n;
    for (size_t i = 0; i < n; i++)
        m->ports[i] = ports[i];
}

int monitor_fd(const struct monitor *m)
{
    return m->fd;
}
