/* SPDX-License-Identifier: MIT */
/* Ethernet frames of ARP (RFC 826, RFC 5227) and IPv6 neighbour discovery (RFC 4861) <-> values.
 * Pure: no I/O, no allocation. The builders cannot fail; a family that does not fit is a bug of
 * the caller. */
#ifndef TALOSVIP_NET_FRAME_H
#define TALOSVIP_NET_FRAME_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/ip.h"

#define FRAME_MAX 86 /* the longest frame built here: NS or NA with one option */

/* Each builder writes one frame as it goes on the wire, without FCS, and returns its length.
 * `mac` is the sender's own, `peer_mac` NULL means broadcast (IPv4) or the solicited-node group
 * of the target (IPv6). ARP frames are padded to 60 bytes. */

/* RFC 5227 section 1.1: "ARP Probe", sender address 0; changes nobody's cache. */
size_t frame_arp_probe(const struct mac *mac, const struct ip *vip, uint8_t out[FRAME_MAX]);
/* RFC 5227 section 1.1: "ARP Announcement": a broadcast request with sender = target = vip. */
size_t frame_arp_announce(const struct mac *mac, const struct ip *vip, uint8_t out[FRAME_MAX]);
/* "who-has target tell sender". Its receiver enters the sender into its cache (RFC 826, "Packet
 * Reception") and answers, which confirms it. */
size_t frame_arp_request(const struct mac *mac, const struct ip *sender, const struct ip *target,
                         const struct mac *peer_mac, uint8_t out[FRAME_MAX]);
size_t frame_arp_reply(const struct mac *mac, const struct ip *sender, const struct mac *peer_mac,
                       const struct ip *peer, uint8_t out[FRAME_MAX]);

/* RFC 4861 section 7.2.6: unsolicited neighbour advertisement to ff02::1 with the override flag
 * and a target link-layer address. */
size_t frame_na_announce(const struct mac *mac, const struct ip *vip, uint8_t out[FRAME_MAX]);
/* RFC 4861 section 4.3: neighbour solicitation from `source` with its link-layer address; to the
 * target itself when `peer_mac` is given. The IPv6 twin of frame_arp_request(). */
size_t frame_ns_request(const struct mac *mac, const struct ip *source, const struct ip *target,
                        const struct mac *peer_mac, uint8_t out[FRAME_MAX]);
/* RFC 4862 section 5.4.2: solicitation from `::`. The owner answers to ff02::1. Note that a node
 * which is itself still testing this address takes the probe for a duplicate (section 5.4.3). */
size_t frame_ns_probe(const struct mac *mac, const struct ip *target, uint8_t out[FRAME_MAX]);

enum frame_kind { FRAME_ARP_REQUEST = 1, FRAME_ARP_REPLY, FRAME_NS, FRAME_NA };

/* Flags of a neighbour advertisement, RFC 4861 section 4.4. */
enum { FRAME_ROUTER = 1, FRAME_SOLICITED = 2, FRAME_OVERRIDE = 4 };

struct frame {
    enum frame_kind kind;
    struct mac ether_source;
    struct mac ether_target;
    struct ip sender_ip;   /* ARP: protocol sender; NS, NA: IPv6 source. May be unspecified */
    struct mac sender_mac; /* ARP: hardware sender; NS, NA: the link-layer option, or else
                              ether_source */
    struct ip target_ip;   /* ARP: protocol target; NS, NA: target */
    struct mac target_mac; /* ARP: hardware target; NS, NA: 0 */
    struct ip dest_ip;     /* NS, NA: IPv6 destination; ARP: same as target_ip */
    unsigned flags;        /* NA only */
    bool has_option;       /* NS, NA: a link-layer address option was there */
    bool is_probe;         /* ARP request or NS whose sender is unspecified */
    bool is_announcement;  /* ARP with sender = target; NA that is not solicited */
};

/* Strict. 0, or -EBADMSG for whatever is not a well-formed ARP request, ARP reply, NS or NA of
 * Ethernet and IPv4/IPv6: the checks of RFC 826, RFC 5227 section 2.4 and RFC 4861 sections
 * 7.1.1 and 7.1.2, the ICMPv6 checksum among them. Trailing padding is allowed. */
int frame_parse(const uint8_t *data, size_t len, struct frame *ret_frame);

/* Does the sender of this frame say that `ip` is at its own link-layer address? Gives that
 * address; `ret_mac` may be NULL. */
bool frame_claims(const struct frame *f, const struct ip *ip, struct mac *ret_mac);
/* Is this the answer of `peer` to a request that was sent from `vip`? */
bool frame_acknowledges(const struct frame *f, const struct ip *vip, const struct ip *peer);

/* RFC 4291 section 2.7.1, and RFC 2464 section 7 for the Ethernet group. */
void frame_solicited_node(const struct ip *target, struct ip *ret_group, struct mac *ret_mac);

#endif
