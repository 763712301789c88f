/* SPDX-License-Identifier: MIT */
/* Real network namespaces for tests: without names, so that they are gone with the process,
 * however it ends. */
#ifndef TALOSVIP_TESTS_NET_NS_H
#define TALOSVIP_TESTS_NET_NS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/ip.h"
#include "base/loop.h"

#define NET_NS_NODES 3

/* A switch (a bridge in a namespace of its own) with nodes 0, 1, 2 on it. Node i has one link
 * "eth0", MAC 02:00:00:00:00:0<i+1>, addresses 10.77.0.<i+1>/24 and fd77::<i+1>/64, and lo. */
struct net_ns {
    int home; /* the namespace we came from */
    int hub;
    int node[NET_NS_NODES];
    int ifindex[NET_NS_NODES]; /* of eth0 */
};

/* The reason why such tests cannot run here; NULL when they can. */
const char *net_ns_why_not(void);
/* false, with what went wrong on stderr. The caller is in node 0 afterwards. */
bool net_ns_setup(struct net_ns *ns);
/* Back to where we came from. */
void net_ns_done(struct net_ns *ns);
void net_ns_enter(const struct net_ns *ns, int node);
/* A command line in the namespace of `node`; its exit status. */
int net_ns_run(const struct net_ns *ns, int node, const char *fmt, ...)
    __attribute__((format(printf, 3, 4)));
struct mac net_ns_mac(int node);
struct ip net_ns_ip(const char *text);

/* Runs the loop until `is_done`, at most `ms`; the result of `is_done`. */
bool net_ns_wait(struct loop *loop, bool (*is_done)(void *arg), void *arg, uint64_t ms);

/* A raw socket on eth0 of a node, to send and hear any frame. */
int net_ns_tap(const struct net_ns *ns, int node);
bool net_ns_send(int tap, const uint8_t *data, size_t len);
/* The next frame that is not our own, within `ms`; its length, 0 for none. */
size_t net_ns_hear(int tap, uint8_t *out, size_t size, int ms);
/* Does `owner` say to have `ip`, to one question of node 1, within `ms`? */
bool net_ns_answers(int tap, const struct ip *ip, const struct mac *owner, int ms);
/* Forgets what has arrived. */
void net_ns_flush(int tap);

#endif
