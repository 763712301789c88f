/* SPDX-License-Identifier: MIT */
/* Offsets and numbers of the frames that the codec, the socket filter and the packet fence
 * share. Offsets count from the start of the Ethernet header. */
#ifndef TALOSVIP_NET_WIRE_H
#define TALOSVIP_NET_WIRE_H

#include <stddef.h>
#include <stdint.h>

enum {
    WIRE_ETHER = 14,
    WIRE_ETHER_SOURCE = 6,
    WIRE_ETHER_TYPE = 12,
    WIRE_ETHER_MIN = 60, /* shortest frame, without FCS */
    WIRE_TYPE_IPV4 = 0x0800,
    WIRE_TYPE_ARP = 0x0806,
    WIRE_TYPE_IPV6 = 0x86dd,

    /* RFC 826 */
    WIRE_ARP = WIRE_ETHER,
    WIRE_ARP_OP = WIRE_ARP + 6,
    WIRE_ARP_SHA = WIRE_ARP + 8,
    WIRE_ARP_SPA = WIRE_ARP + 14,
    WIRE_ARP_THA = WIRE_ARP + 18,
    WIRE_ARP_TPA = WIRE_ARP + 24,
    WIRE_ARP_END = WIRE_ARP + 28,
    WIRE_ARP_ETHER = 1,
    WIRE_ARP_REQUEST = 1,
    WIRE_ARP_REPLY = 2,

    /* RFC 791; options follow the addresses */
    WIRE_IPV4_SOURCE = WIRE_ETHER + 12,
    WIRE_IPV4_DEST = WIRE_ETHER + 16,

    /* RFC 8200 */
    WIRE_IPV6_NEXT = WIRE_ETHER + 6,
    WIRE_IPV6_SOURCE = WIRE_ETHER + 8,
    WIRE_IPV6_DEST = WIRE_ETHER + 24,
    WIRE_ICMP6 = 58,

    /* RFC 4861, directly after the IPv6 header */
    WIRE_NDP = WIRE_ETHER + 40,
    WIRE_NDP_TARGET = WIRE_NDP + 8,
    WIRE_NDP_MIN = 24, /* bytes without options */
    WIRE_NS = 135,
    WIRE_NA = 136,
    WIRE_NA_ROUTER = 0x80,
    WIRE_NA_SOLICITED = 0x40,
    WIRE_NA_OVERRIDE = 0x20,
    WIRE_OPTION_SLLA = 1,
    WIRE_OPTION_TLLA = 2,
};

/* `ip6` points at the 40 bytes of the IPv6 header; 0 when the message carries a right one. */
uint16_t wire_icmp6_checksum(const uint8_t *ip6, const uint8_t *message, size_t len);

#endif
