/* SPDX-License-Identifier: MIT */
/* Ends the TCP connections of an address (sock_diag(7), SOCK_DESTROY). */
#ifndef TALOSVIP_NET_TCP_H
#define TALOSVIP_NET_TCP_H

#include <stddef.h>

#include "base/ip.h"

/* Resets the connections whose local address is `vip`, at most `max` of them, so that clients
 * learn at once that the address moves; for IPv4 also those of dual-stack sockets. Listening
 * sockets stay. Works only while the address is still on the interface. `ret_closed` is set also
 * on failure. 0; -E2BIG when more were left; -EPERM; -EOPNOTSUPP or -ENOENT when the kernel lacks
 * CONFIG_INET_DIAG_DESTROY or tcp_diag; -errno. */
int tcp_close_all(const struct ip *vip, size_t max, size_t *ret_closed);

#endif
