/* SPDX-License-Identifier: MIT */
#include <errno.h>
#include <string.h>

#include "net/frame.h"
#include "wire.h"

static unsigned get16(const uint8_t *at)
{
    return (unsigned)at[0] << 8 | at[1];
}

static struct mac get_mac(const uint8_t *at)
{
    struct mac mac;
    memcpy(mac.bytes, at, 6);
    return mac;
}

static struct ip get_ip(const uint8_t *at, enum ip_family family)
{
    struct ip ip = {.family = (uint8_t)family};
    memcpy(ip.bytes, at, ip_len(&ip));
    return ip;
}

static bool is_any(const struct ip *ip)
{
    static const uint8_t zeros[16];
    return memcmp(ip->bytes, zeros, sizeof(zeros)) == 0;
}

static bool is_station(const struct mac *mac)
{
    static const struct mac zero;
    return !(mac->bytes[0] & 1) && !mac_equal(mac, &zero);
}

/* Class D, class E and the broadcast address own nothing (RFC 1122 section 3.2.1.3). */
static bool is_host_v4(const struct ip *ip)
{
    return ip->bytes[0] < 224;
}

static bool is_multicast_v6(const struct ip *ip)
{
    return ip->bytes[0] == 0xff;
}

static int parse_arp(const uint8_t *d, size_t len, struct frame *f)
{
    if (len < WIRE_ARP_END || get16(d + WIRE_ARP) != WIRE_ARP_ETHER ||
        get16(d + WIRE_ARP + 2) != WIRE_TYPE_IPV4 || d[WIRE_ARP + 4] != 6 || d[WIRE_ARP + 5] != 4)
        return -EBADMSG;
    switch (get16(d + WIRE_ARP_OP)) {
    case WIRE_ARP_REQUEST:
        f->kind = FRAME_ARP_REQUEST;
        break;
    case WIRE_ARP_REPLY:
        f->kind = FRAME_ARP_REPLY;
        break;
    default:
        return -EBADMSG;
    }
    f->sender_mac = get_mac(d + WIRE_ARP_SHA);
    f->sender_ip = get_ip(d + WIRE_ARP_SPA, IP_V4);
    f->target_mac = get_mac(d + WIRE_ARP_THA);
    f->target_ip = get_ip(d + WIRE_ARP_TPA, IP_V4);
    f->dest_ip = f->target_ip;
    if (!is_station(&f->sender_mac) || !is_host_v4(&f->sender_ip) || !is_host_v4(&f->target_ip))
        return -EBADMSG;
    f->is_probe = f->kind == FRAME_ARP_REQUEST && is_any(&f->sender_ip);
    f->is_announcement = !is_any(&f->sender_ip) && ip_equal(&f->sender_ip, &f->target_ip);
    return 0;
}

/* RFC 4861 section 4.6. The first option of type `wanted` gives the sender's address; options
 * of other types are skipped, one of length 0 spoils the message. */
static int parse_options(const uint8_t *at, size_t len, uint8_t wanted, struct frame *f)
{
    while (len > 0) {
        if (len < 8 || at[1] == 0 || (size_t)at[1] * 8 > len)
            return -EBADMSG;
        if (at[0] == wanted && !f->has_option) {
            if (at[1] != 1)
                return -EBADMSG;
            f->sender_mac = get_mac(at + 2);
            f->has_option = true;
            if (!is_station(&f->sender_mac))
                return -EBADMSG;
        }
        len -= (size_t)at[1] * 8;
        at += (size_t)at[1] * 8;
    }
    return 0;
}

static bool is_solicited_node(const struct ip *ip)
{
    static const uint8_t prefix[13] = {0xff, 0x02, [11] = 1, [12] = 0xff};
    return memcmp(ip->bytes, prefix, sizeof(prefix)) == 0;
}

/* RFC 4861 sections 7.1.1 (solicitations) and 7.1.2 (advertisements). */
static int check_ndp(struct frame *f)
{
    if (is_multicast_v6(&f->sender_ip) || is_multicast_v6(&f->target_ip) || is_any(&f->target_ip))
        return -EBADMSG;
    bool unspecified = is_any(&f->sender_ip);
    if (f->kind == FRAME_NS) {
        if (unspecified && (!is_solicited_node(&f->dest_ip) || f->has_option))
            return -EBADMSG;
        f->is_probe = unspecified;
        return 0;
    }
    if (unspecified || (is_multicast_v6(&f->dest_ip) && (f->flags & FRAME_SOLICITED)))
        return -EBADMSG;
    f->is_announcement = !(f->flags & FRAME_SOLICITED);
    return 0;
}

static int parse_ndp(const uint8_t *d, size_t len, struct frame *f)
{
    if (len < WIRE_NDP + WIRE_NDP_MIN)
        return -EBADMSG;
    const uint8_t *ip6 = d + WIRE_ETHER, *icmp = d + WIRE_NDP;
    size_t payload = get16(ip6 + 4);
    /* Hop limit 255 proves that no router forwarded it. */
    if (ip6[0] >> 4 != 6 || payload < WIRE_NDP_MIN || payload > len - WIRE_NDP ||
        ip6[6] != WIRE_ICMP6 || ip6[7] != 255)
        return -EBADMSG;
    if (icmp[0] == WIRE_NS)
        f->kind = FRAME_NS;
    else if (icmp[0] == WIRE_NA)
        f->kind = FRAME_NA;
    else
        return -EBADMSG;
    if (icmp[1] != 0 || wire_icmp6_checksum(ip6, icmp, payload) != 0)
        return -EBADMSG;
    f->sender_ip = get_ip(ip6 + 8, IP_V6);
    f->dest_ip = get_ip(ip6 + 24, IP_V6);
    f->target_ip = get_ip(icmp + 8, IP_V6);
    f->sender_mac = f->ether_source;
    if (f->kind == FRAME_NA)
        f->flags = (icmp[4] & WIRE_NA_ROUTER ? (unsigned)FRAME_ROUTER : 0u) |
                   (icmp[4] & WIRE_NA_SOLICITED ? (unsigned)FRAME_SOLICITED : 0u) |
                   (icmp[4] & WIRE_NA_OVERRIDE ? (unsigned)FRAME_OVERRIDE : 0u);
    uint8_t option = f->kind == FRAME_NS ? WIRE_OPTION_SLLA : WIRE_OPTION_TLLA;
    int r = parse_options(icmp + WIRE_NDP_MIN, payload - WIRE_NDP_MIN, option, f);
    return r < 0 ? r : check_ndp(f);
}

int frame_parse(const uint8_t *data, size_t len, struct frame *ret_frame)
{
    struct frame f = {0};
    if (len < WIRE_ETHER)
        return -EBADMSG;
    f.ether_target = get_mac(data);
    f.ether_source = get_mac(data + 6);
    if (!is_station(&f.ether_source))
        return -EBADMSG;
    int r = -EBADMSG;
    unsigned type = get16(data + WIRE_ETHER_TYPE);
    if (type == WIRE_TYPE_ARP)
        r = parse_arp(data, len, &f);
    else if (type == WIRE_TYPE_IPV6)
        r = parse_ndp(data, len, &f);
    if (r < 0)
        return r;
    *ret_frame = f;
    return 0;
}

bool frame_claims(const struct frame *f, const struct ip *ip, struct mac *ret_mac)
{
    /* An advertisement speaks for its target, everything else for its sender. */
    const struct ip *claimed = f->kind == FRAME_NA ? &f->target_ip : &f->sender_ip;
    if (!ip_equal(claimed, ip))
        return false;
    if (ret_mac)
        *ret_mac = f->sender_mac;
    return true;
}

bool frame_acknowledges(const struct frame *f, const struct ip *vip, const struct ip *peer)
{
    if (f->kind == FRAME_ARP_REPLY)
        return ip_equal(&f->sender_ip, peer) && ip_equal(&f->target_ip, vip);
    return f->kind == FRAME_NA && ip_equal(&f->target_ip, peer) && ip_equal(&f->dest_ip, vip);
}
