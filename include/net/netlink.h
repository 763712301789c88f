/* SPDX-License-Identifier: MIT */
/* One synchronous rtnetlink socket: every call sends a request and reads the kernel's answer.
 * Addresses, links, neighbours and gateways are asked through it. After fork() a child opens its
 * own; a handle must not be used by two processes. */
#ifndef TALOSVIP_NET_NETLINK_H
#define TALOSVIP_NET_NETLINK_H

#include <stdint.h>

struct netlink;

/* In the network namespace of the caller. 0 or -errno. */
int netlink_open(struct netlink **ret_netlink);
/* Takes NULL. */
void netlink_close(struct netlink *nl);
/* The port id that the kernel names in notifications about changes made through this socket. */
uint32_t netlink_port(const struct netlink *nl);

#endif
