/* SPDX-License-Identifier: MIT */
/* Own ARP requests that come in on a link of this host: whatever the link, for one socket hears all
 * of this network namespace. Who sends with one link and hears it with another has two links in one
 * network. The kernel drops everything else before anybody is woken. */
#ifndef TALOSVIP_NET_ECHO_H
#define TALOSVIP_NET_ECHO_H

#include <stddef.h>

#include "base/ip.h"
#include "base/loop.h"
#include "net/frame.h"

#define ECHO_MACS_MAX 64

struct echo;

/* An ARP request came in on `ifindex` from one of the watched MACs, or so it says: anybody can send
 * with any. Frames on their way out are not told, nor those of a link that answers nothing itself,
 * as a port of a bridge or bond (its bridge or bond is told instead). May close the endpoint, and
 * take its time: one frame is told for each turn of the loop. */
typedef void (*echo_fn)(void *arg, int ifindex, const struct frame *frame);

/* Watches no MAC yet. 0 or -errno. */
int echo_open(struct loop *loop, echo_fn fn, void *arg, struct echo **ret_echo);
/* Takes NULL. */
void echo_close(struct echo *e);
/* Replaces the watched MACs. 0, -E2BIG over ECHO_MACS_MAX, or -errno, and then the old ones stay.
 */
int echo_watch(struct echo *e, const struct mac *macs, size_t n);

#endif
