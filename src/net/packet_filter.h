/* SPDX-License-Identifier: MIT */
/* Classic BPF (linux/filter.h) that lets through what packet.h promises to report, and little
 * else: an idle agent is not woken by the traffic of others. */
#ifndef TALOSVIP_NET_PACKET_FILTER_H
#define TALOSVIP_NET_PACKET_FILTER_H

#include <linux/filter.h>
#include <stddef.h>

#include "base/ip.h"

/* Twice a list of at most 200, and a frame around it. Short enough for the 20 KiB that kernels
 * before 6.8 grant a socket's filter after translation. */
#define PACKET_FILTER_MAX 480

/* For a socket of ETH_P_ARP: claims of the IPv4 addresses among `vips`, and replies to them.
 * Returns the number of instructions. */
size_t packet_filter_arp(const struct ip *vips, size_t n,
                         struct sock_filter out[PACKET_FILTER_MAX]);
/* For a socket of ETH_P_IPV6: NS from, NA for and NA to the IPv6 addresses among `vips`. Compares
 * a 32-bit fold of the address, so a stranger's frame may pass by accident: check again. */
size_t packet_filter_ndp(const struct ip *vips, size_t n,
                         struct sock_filter out[PACKET_FILTER_MAX]);
/* For a socket of ETH_P_ARP on all links: requests from one of the MACs, on Ethernet. Compares the
 * last four bytes: check again. */
size_t packet_filter_echo(const struct mac *macs, size_t n,
                          struct sock_filter out[PACKET_FILTER_MAX]);

#endif
