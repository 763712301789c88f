/* SPDX-License-Identifier: MIT */
/* IP addresses of interfaces (rtnetlink(7), linux/if_addr.h). */
#ifndef TALOSVIP_NET_ADDRESS_H
#define TALOSVIP_NET_ADDRESS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/ip.h"
#include "net/netlink.h"

/* IFA_PROTO of the addresses this program adds. Linux before 5.18 neither stores nor reports it. */
#define ADDRESS_PROTOCOL 0x76
#define ADDRESS_FOREVER UINT32_MAX

struct address {
    struct ip ip;
    int ifindex;
    uint32_t flags;       /* IFA_F_* of linux/if_addr.h */
    uint32_t valid_s;     /* seconds left, ADDRESS_FOREVER for no limit */
    uint32_t preferred_s; /* likewise */
    uint8_t bits;         /* prefix length */
    uint8_t scope;        /* RT_SCOPE_* of linux/rtnetlink.h */
    uint8_t protocol;     /* IFA_PROTO, 0 when there is none */
};

/* Carries our tag? */
bool address_is_ours(const struct address *a);

/* Puts the address on the link, or gives it a new lifetime when it is there: IPv4 /32 of scope
 * link, IPv6 /128 without duplicate address detection; both without prefix route, never preferred
 * as a source, tagged, gone by themselves after about `valid_s` (1...) seconds. Note that this
 * brings back an address that has just expired: re-read the clock afterwards. Note also that the
 * kernel joins the solicited-node group of an IPv6 address in a worker, some 50 us after this.
 * 0 or -errno: -ENODEV no such link, -EACCES IPv6 is disabled on it, -EPERM, -ETIMEDOUT. */
int address_set(struct netlink *nl, int ifindex, const struct ip *ip, uint32_t valid_s);

/* Takes it off: the /32 or /128 that address_set() put on the link (0: which is gone), and then
 * whatever other entry of it any link has, by whomever and with whatever prefix, since the kernel
 * answers for each. 0 when the kernel has none left; else -errno, -EEXIST if somebody puts it back
 * all the time. */
int address_remove(struct netlink *nl, int ifindex, const struct ip *ip);

/* All addresses of all links, or of one when `ifindex` is not 0. The caller frees the list
 * (free()); NULL when empty. 0 or -errno. */
int address_list(struct netlink *nl, int ifindex, struct address **ret_list, size_t *ret_n);

/* As address_list(): each entry of this one address, on any link and with any prefix. */
int address_find(struct netlink *nl, const struct ip *ip, struct address **ret_list, size_t *ret_n);

/* The node's own address in whose subnet `vip` is, on this link: of the longest prefix, neither
 * the VIP itself nor one of ours, nor tentative. 0, -ENOENT, or -errno. */
int address_in_subnet(struct netlink *nl, int ifindex, const struct ip *vip,
                      struct ip_prefix *ret_own);

#endif
