/* SPDX-License-Identifier: MIT */
/* Request and answer over libnl, shared by the files that speak netlink. */
#ifndef TALOSVIP_NET_NETLINK_CALL_H
#define TALOSVIP_NET_NETLINK_CALL_H

#include <netlink/attr.h>
#include <netlink/msg.h>
#include <stddef.h>
#include <stdint.h>

#include "base/ip.h"
#include "net/netlink.h"

struct link;
struct address;

/* Of another protocol than NETLINK_ROUTE, NETLINK_SOCK_DIAG for example. */
int netlink_open_protocol(int protocol, struct netlink **ret_netlink);

/* Called for each message of the answer; a value < 0 ends the call with it. */
typedef int (*netlink_reply_fn)(void *arg, struct nlmsghdr *hdr);

/* Sends `msg` and reads until the acknowledgement or the end of the dump. Frees `msg` in any
 * case; NULL gives -ENOMEM, so that a message can be built without checks between. `fn` may be
 * NULL. 0; the kernel's own -errno; -ETIMEDOUT; -EAGAIN for a dump that changed meanwhile. */
int netlink_call(struct netlink *nl, struct nl_msg *msg, netlink_reply_fn fn, void *arg);

/* A request with a fixed header; NULL when memory is short. `type` and `flags` as in netlink(7),
 * NLM_F_REQUEST is implied. */
struct nl_msg *netlink_request(int type, int flags, const void *header, size_t len);

/* Attributes from outside may be absent or too short: then 0 or false. */
uint32_t netlink_u32(const struct nlattr *attr);
uint8_t netlink_u8(const struct nlattr *attr);
int netlink_ip(const struct nlattr *attr, struct ip *ret_ip);
void netlink_text(const struct nlattr *attr, char *out, size_t size);

int netlink_family(const struct ip *ip);

/* One RTM_NEWLINK/RTM_DELLINK or RTM_NEWADDR/RTM_DELADDR; 0 or -EBADMSG. */
int link_parse(struct nlmsghdr *hdr, struct link *ret_link);
int address_parse(struct nlmsghdr *hdr, struct address *ret_address);

/* Makes room for one more entry of `size` bytes behind `n` others. 0, -ENOMEM, -E2BIG. */
int netlink_grow(void **list, size_t n, size_t size);

#endif
