/* SPDX-License-Identifier: MIT */
/* ARP and NDP on one link by packet(7) sockets: hears who claims the watched addresses, and
 * probes, announces, solicits and defends. Works whatever the packet fence does to reception;
 * while the fence is closed, what claims a VIP is not sent (-ENOBUFS). */
#ifndef TALOSVIP_NET_PACKET_H
#define TALOSVIP_NET_PACKET_H

#include <stddef.h>
#include <stdint.h>

#include "base/ip.h"
#include "base/loop.h"
#include "net/frame.h"

#define PACKET_WATCH_MAX 200

struct packet;

/* A frame from another station in which a watched address is claimed (frame_claims()), or which
 * answers a request sent from a watched address (frame_acknowledges()). Plain requests of clients
 * *for* a watched address are not reported: the kernel's filter spares the wake-up. May free the
 * packet endpoint. */
typedef void (*packet_frame_fn)(void *arg, const struct frame *frame);

/* Bound to this ifindex: when the device is made anew, close and open again. `mac` is the link's
 * own, by which own frames are told from others'. Watches nothing yet. 0 or -errno. */
int packet_open(struct loop *loop, int ifindex, const struct mac *mac, packet_frame_fn fn,
                void *arg, struct packet **ret_packet);
/* Takes NULL. */
void packet_close(struct packet *p);
/* Replaces the set of watched addresses, of both families. 0, -E2BIG over PACKET_WATCH_MAX,
 * or -errno, and then the old set stays. */
int packet_watch(struct packet *p, const struct ip *vips, size_t n);
/* The link has another MAC now. */
void packet_set_mac(struct packet *p, const struct mac *mac);

/* All senders return 0 when the kernel took the frame, else -errno: -ENETDOWN the link is down,
 * -ENXIO or -ENODEV it is gone, -EAGAIN or -ENOBUFS the queue is full or the fence is closed. */

/* Asks who has `vip` without touching a cache. IPv6 solicits from `source` (an address of this
 * node on the link); NULL means `::`, which a node that still tests the address itself would
 * take for a duplicate. IPv4 always probes with sender 0 and ignores `source`. */
int packet_probe(struct packet *p, const struct ip *vip, const struct ip *source);
/* Gratuitous ARP request, or unsolicited neighbour advertisement with override. */
int packet_announce(struct packet *p, const struct ip *vip);
/* An ordinary request from `vip` for `peer`, whose cache it sets and whose answer confirms that;
 * unicast when `peer_mac` is not NULL. */
int packet_solicit(struct packet *p, const struct ip *vip, const struct ip *peer,
                   const struct mac *peer_mac);
/* Answers a conflicting claim with an announcement, but not within PACKET_DEFEND_US of the last
 * one for this address: -EALREADY. -ENOENT when it is not watched. */
#define PACKET_DEFEND_US 10000
int packet_defend(struct packet *p, const struct ip *vip, uint64_t now_us);

#endif
