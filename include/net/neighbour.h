/* SPDX-License-Identifier: MIT */
/* What this node believes: its neighbour cache (ARP, NDP) and its default gateways. */
#ifndef TALOSVIP_NET_NEIGHBOUR_H
#define TALOSVIP_NET_NEIGHBOUR_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/ip.h"
#include "net/netlink.h"

struct neighbour {
    struct mac mac; /* valid if has_mac */
    uint16_t state; /* NUD_* of linux/neighbour.h */
    bool has_mac;
};

/* One entry of the cache. 0, -ENOENT when there is none, or -errno. */
int neighbour_get(struct netlink *nl, int ifindex, const struct ip *ip,
                  struct neighbour *ret_neighbour);
/* Whether the kernel would send there without asking first. */
bool neighbour_is_believed(const struct neighbour *n);
/* "reachable", "stale", ...; static text. */
const char *neighbour_state_name(uint16_t state);

/* The gateways of the default routes through this link, of both families, at most `max`. 0 or
 * -errno; none is not an error. */
int neighbour_gateways(struct netlink *nl, int ifindex, struct ip *ret_list, size_t max,
                       size_t *ret_n);

#endif
