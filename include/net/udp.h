/* SPDX-License-Identifier: MIT */
/* Datagrams between agents on one link: a UDP socket that is bound to an address of this node and
 * to the link, and knows the keys. What is not authentic is counted and dropped, never answered. */
#ifndef TALOSVIP_NET_UDP_H
#define TALOSVIP_NET_UDP_H

#include <stdint.h>

#include "base/ip.h"
#include "base/loop.h"
#include "net/datagram.h"

#define UDP_BATCH 64 /* datagrams per wake-up; the rest waits for the next one */

struct udp;

struct udp_place {
    struct ip ip; /* an address of this node on the link; never a VIP */
    uint16_t port;
    int ifindex;
};

struct udp_counts {
    uint64_t received; /* all, also what the next three count */
    uint64_t malformed;
    uint64_t rejected; /* under none of our keys */
    uint64_t unknown;  /* another version, or an unknown kind */
    uint64_t sent;
    uint64_t failed; /* the kernel did not take it */
};

/* `now_us` was read after the datagram, so it is never too early. May close or move the
 * endpoint. */
typedef void (*udp_message_fn)(void *arg, const struct datagram *d, const struct ip *from,
                               uint16_t from_port, uint64_t now_us);

/* 0; -EADDRNOTAVAIL: the address is not there (yet); -EADDRINUSE; -ENODEV: no such link; -errno.
 * The keys are copied. */
int udp_open(struct loop *loop, const struct udp_place *place, const struct datagram_keys *keys,
             udp_message_fn fn, void *arg, struct udp **ret_udp);
/* Takes NULL. */
void udp_close(struct udp *udp);
/* To another address, port or link, or to the same link made anew; does nothing when nothing
 * changed. What was received before and not yet read is lost. After an error it is bound nowhere,
 * hears nothing and sends nothing, until a call succeeds. */
int udp_move(struct udp *udp, const struct udp_place *place);
void udp_set_keys(struct udp *udp, const struct datagram_keys *keys);

/* To a peer of the same family. `ret_sent_us` may be NULL; it is read BEFORE the datagram goes
 * out, also when it does not: a right may be counted from it. 0; -ENOTCONN: bound nowhere;
 * -EAFNOSUPPORT; what datagram_write() says; -errno of sendto(2), after which waiting for the next
 * one is all that is to be done. */
int udp_send(struct udp *udp, const struct datagram *d, const struct ip *to, uint16_t port,
             uint64_t *ret_sent_us);
/* Valid as long as the endpoint; goes on over udp_move(). */
const struct udp_counts *udp_counts(const struct udp *udp);

#endif
