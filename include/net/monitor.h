/* SPDX-License-Identifier: MIT */
/* Notifications of the kernel about links and addresses (rtnetlink(7) multicast groups). */
#ifndef TALOSVIP_NET_MONITOR_H
#define TALOSVIP_NET_MONITOR_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/loop.h"
#include "net/address.h"
#include "net/link.h"

struct monitor;

/* Who made the change. */
enum monitor_origin {
    MONITOR_KERNEL,  /* a lifetime ran out, the link went away or down, IPv6 was disabled */
    MONITOR_OWN,     /* a port id named by monitor_set_ports() */
    MONITOR_FOREIGN, /* another process */
    MONITOR_UNKNOWN, /* any of these: the kernel does not say who changed an IPv6 address */
};

/* Any of them may free the monitor. Our own refreshes are reported too. */
struct monitor_callbacks {
    void (*on_link)(void *arg, const struct link *link); /* new or changed */
    void (*on_link_gone)(void *arg, int ifindex);
    void (*on_address)(void *arg, const struct address *address, bool is_removed,
                       enum monitor_origin origin);
    /* Notifications were lost: what was reported so far may be wrong, so list links and addresses
     * again. Called once after what is still queued has been reported. */
    void (*on_resync)(void *arg);
};

/* `callbacks` is copied; each must be set. List links and addresses after this, not before, so
 * that no change falls between. 0 or -errno. */
int monitor_open(struct loop *loop, const struct monitor_callbacks *callbacks, void *arg,
                 struct monitor **ret_monitor);
/* Takes NULL. */
void monitor_close(struct monitor *m);

#define MONITOR_PORTS_MAX 4
/* Replaces the port ids (netlink_port()) that count as our own; at most MONITOR_PORTS_MAX. */
void monitor_set_ports(struct monitor *m, const uint32_t *ports, size_t n);
/* Its socket, for tests of what happens when the receive buffer is too small. */
int monitor_fd(const struct monitor *m);

#endif
