/* SPDX-License-Identifier: MIT */
#include "net/frame.h"

#include <assert.h>
#include <string.h>

#include "wire.h"

static const struct mac broadcast = {{0xff, 0xff, 0xff, 0xff, 0xff, 0xff}};
static const struct mac no_mac;
static const struct ip any_v4 = {.family = IP_V4};
static const struct ip any_v6 = {.family = IP_V6};
static const struct ip all_nodes = {
    .family = IP_V6,
    .bytes = {0xff, 0x02, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1},
};
static const struct mac all_nodes_mac = {{0x33, 0x33, 0, 0, 0, 1}};

static void put16(uint8_t *at, unsigned value)
{
    at[0] = (uint8_t)(value >> 8);
    at[1] = (uint8_t)value;
}

static void put_ether(uint8_t *out, const struct mac *to, const struct mac *from, unsigned type)
{
    memcpy(out, to->bytes, 6);
    memcpy(out + 6, from->bytes, 6);
    put16(out + 12, type);
}

/* RFC 826, "Packet format". */
static size_t put_arp(uint8_t out[FRAME_MAX], unsigned op, const struct mac *ether_to,
                      const struct mac *sha, const struct ip *spa, const struct mac *tha,
                      const struct ip *tpa)
{
    assert(spa->family == IP_V4 && tpa->family == IP_V4);
    memset(out, 0, WIRE_ETHER_MIN);
    put_ether(out, ether_to, sha, WIRE_TYPE_ARP);
    put16(out + WIRE_ARP, WIRE_ARP_ETHER);
    put16(out + WIRE_ARP + 2, WIRE_TYPE_IPV4);
    out[WIRE_ARP + 4] = 6;
    out[WIRE_ARP + 5] = 4;
    put16(out + WIRE_ARP_OP, op);
    memcpy(out + WIRE_ARP_SHA, sha->bytes, 6);
    memcpy(out + WIRE_ARP_SPA, spa->bytes, 4);
    memcpy(out + WIRE_ARP_THA, tha->bytes, 6);
    memcpy(out + WIRE_ARP_TPA, tpa->bytes, 4);
    return WIRE_ETHER_MIN;
}

size_t frame_arp_probe(const struct mac *mac, const struct ip *vip, uint8_t out[FRAME_MAX])
{
    return put_arp(out, WIRE_ARP_REQUEST, &broadcast, mac, &any_v4, &no_mac, vip);
}

size_t frame_arp_announce(const struct mac *mac, const struct ip *vip, uint8_t out[FRAME_MAX])
{
    /* A request: Linux takes a gratuitous reply for one only if tha repeats sha, and otherwise
     * ignores it for the first second of an entry. */
    return put_arp(out, WIRE_ARP_REQUEST, &broadcast, mac, vip, &no_mac, vip);
}

size_t frame_arp_request(const struct mac *mac, const struct ip *sender, const struct ip *target,
                         const struct mac *peer_mac, uint8_t out[FRAME_MAX])
{
    return put_arp(out, WIRE_ARP_REQUEST, peer_mac ? peer_mac : &broadcast, mac, sender, &no_mac,
                   target);
}

size_t frame_arp_reply(const struct mac *mac, const struct ip *sender, const struct mac *peer_mac,
                       const struct ip *peer, uint8_t out[FRAME_MAX])
{
    return put_arp(out, WIRE_ARP_REPLY, peer_mac ? peer_mac : &broadcast, mac, sender,
                   peer_mac ? peer_mac : &broadcast, peer);
}

void frame_solicited_node(const struct ip *target, struct ip *ret_group, struct mac *ret_mac)
{
    struct ip group = {.family = IP_V6, .bytes = {0xff, 0x02, [11] = 1, [12] = 0xff}};
    struct mac mac = {{0x33, 0x33, 0xff}};
    memcpy(group.bytes + 13, target->bytes + 13, 3);
    memcpy(mac.bytes + 3, target->bytes + 13, 3);
    *ret_group = group;
    *ret_mac = mac;
}

/* RFC 4443 section 2.3: over the pseudo-header of RFC 8200 section 8.1 and the message. */
uint16_t wire_icmp6_checksum(const uint8_t *ip6, const uint8_t *message, size_t len)
{
    uint32_t sum = (uint32_t)len + WIRE_ICMP6;
    for (size_t i = 8; i < 40; i += 2)
        sum += (uint32_t)ip6[i] << 8 | ip6[i + 1];
    for (size_t i = 0; i + 1 < len; i += 2)
        sum += (uint32_t)message[i] << 8 | message[i + 1];
    if (len % 2)
        sum += (uint32_t)message[len - 1] << 8;
    while (sum >> 16)
        sum = (sum & 0xffff) + (sum >> 16);
    return (uint16_t)~sum;
}

struct ndp {
    uint8_t type;
    uint8_t flags;  /* first byte after the checksum */
    uint8_t option; /* type of the link-layer option; 0 for none */
};

/* RFC 4861 sections 4.3 and 4.4: both messages have the same shape. */
static size_t put_ndp(uint8_t out[FRAME_MAX], struct ndp kind, const struct mac *mac,
                      const struct mac *ether_to, const struct ip *from, const struct ip *to,
                      const struct ip *target)
{
    assert(from->family == IP_V6 && to->family == IP_V6 && target->family == IP_V6);
    size_t payload = WIRE_NDP_MIN + (kind.option ? 8u : 0u);
    uint8_t *ip6 = out + WIRE_ETHER, *icmp = out + WIRE_NDP;
    memset(out, 0, FRAME_MAX);
    put_ether(out, ether_to, mac, WIRE_TYPE_IPV6);
    ip6[0] = 0x60;
    put16(ip6 + 4, (unsigned)payload);
    ip6[6] = WIRE_ICMP6;
    ip6[7] = 255;
    memcpy(ip6 + 8, from->bytes, 16);
    memcpy(ip6 + 24, to->bytes, 16);
    icmp[0] = kind.type;
    icmp[4] = kind.flags;
    memcpy(icmp + 8, target->bytes, 16);
    if (kind.option) {
        icmp[24] = kind.option;
        icmp[25] = 1; /* in units of 8 bytes */
        memcpy(icmp + 26, mac->bytes, 6);
    }
    put16(icmp + 2, wire_icmp6_checksum(ip6, icmp, payload));
    return WIRE_NDP + payload;
}

size_t frame_na_announce(const struct mac *mac, const struct ip *vip, uint8_t out[FRAME_MAX])
{
    struct ndp kind = {WIRE_NA, WIRE_NA_OVERRIDE, WIRE_OPTION_TLLA};
    return put_ndp(out, kind, mac, &all_nodes_mac, vip, &all_nodes, vip);
}

size_t frame_ns_request(const struct mac *mac, const struct ip *source, const struct ip *target,
                        const struct mac *peer_mac, uint8_t out[FRAME_MAX])
{
    struct ndp kind = {WIRE_NS, 0, WIRE_OPTION_SLLA};
    struct ip group;
    struct mac group_mac;
    frame_solicited_node(target, &group, &group_mac);
    return put_ndp(out, kind, mac, peer_mac ? peer_mac : &group_mac, source,
                   peer_mac ? target : &group, target);
}

size_t frame_ns_probe(const struct mac *mac, const struct ip *target, uint8_t out[FRAME_MAX])
{
    struct ndp kind = {WIRE_NS, 0, 0}; /* no option when the source is unspecified */
    struct ip group;
    struct mac group_mac;
    frame_solicited_node(target, &group, &group_mac);
    return put_ndp(out, kind, mac, &group_mac, &any_v6, &group, target);
}
