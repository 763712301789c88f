/* SPDX-License-Identifier: MIT */
#include "net/address.h"

#include <errno.h>
#include <linux/if_addr.h>
#include <linux/rtnetlink.h>
#include <stdlib.h>
#include <string.h>

#include "netlink_call.h"

/* A dump that overlaps with a change is asked again, but not for ever. */
#define DUMP_TRIES 5
/* Looks after deleting, while somebody puts it back. */
#define REMOVE_TRIES 3

bool address_is_ours(const struct address *a)
{
    return a->protocol == ADDRESS_PROTOCOL;
}

static struct ifaddrmsg header_of(int ifindex, const struct ip *ip)
{
    return (struct ifaddrmsg){
        .ifa_family = (uint8_t)netlink_family(ip),
        .ifa_prefixlen = ip_bits(ip),
        .ifa_scope = ip->family == IP_V4 ? RT_SCOPE_LINK : RT_SCOPE_UNIVERSE,
        .ifa_index = (unsigned)ifindex,
    };
}

static struct nl_msg *request(int type, int flags, int ifindex, const struct ip *ip)
{
    struct ifaddrmsg header = header_of(ifindex, ip);
    struct nl_msg *msg = netlink_request(type, NLM_F_ACK | flags, &header, sizeof(header));
    if (!msg || nla_put(msg, IFA_LOCAL, (int)ip_len(ip), ip->bytes) < 0 ||
        nla_put(msg, IFA_ADDRESS, (int)ip_len(ip), ip->bytes) < 0) {
        nlmsg_free(msg);
        return NULL;
    }
    return msg;
}

int address_set(struct netlink *nl, int ifindex, const struct ip *ip, uint32_t valid_s)
{
    /* Preferred 0 keeps an IPv6 VIP from becoming the source of everything; for IPv4 scope link
     * does that. A prefix route would outlive an expired IPv6 address. */
    struct ifa_cacheinfo lifetime = {.ifa_prefered = 0, .ifa_valid = valid_s};
    uint32_t flags = IFA_F_NOPREFIXROUTE | (ip->family == IP_V6 ? (uint32_t)IFA_F_NODAD : 0u);
    struct nl_msg *msg = request(RTM_NEWADDR, NLM_F_CREATE | NLM_F_REPLACE, ifindex, ip);
    if (!msg)
        return -ENOMEM;
    if (nla_put_u32(msg, IFA_FLAGS, flags) < 0 ||
        nla_put(msg, IFA_CACHEINFO, sizeof(lifetime), &lifetime) < 0 ||
        nla_put_u8(msg, IFA_PROTO, ADDRESS_PROTOCOL) < 0) {
        nlmsg_free(msg);
        return -ENOMEM;
    }
    return netlink_call(nl, msg, NULL, NULL);
}

/* Without IFA_ADDRESS, which is the other end's where there is one: IPv4 would compare it. */
static int remove_entry(struct netlink *nl, int ifindex, const struct ip *ip, uint8_t bits)
{
    struct ifaddrmsg header = header_of(ifindex, ip);
    header.ifa_prefixlen = bits;
    struct nl_msg *msg = netlink_request(RTM_DELADDR, NLM_F_ACK, &header, sizeof(header));
    if (msg && nla_put(msg, IFA_LOCAL, (int)ip_len(ip), ip->bytes) < 0) {
        nlmsg_free(msg);
        msg = NULL;
    }
    int r = netlink_call(nl, msg, NULL, NULL);
    return r == -EADDRNOTAVAIL || r == -ENODEV ? 0 : r;
}

int address_remove(struct netlink *nl, int ifindex, const struct ip *ip)
{
    /* Ours first: that is nearly always all there is. */
    int r = ifindex ? remove_entry(nl, ifindex, ip, ip_bits(ip)) : 0;
    for (int i = 0; i < REMOVE_TRIES && r == 0; i++) {
        struct address *list;
        size_t n;
        r = address_find(nl, ip, &list, &n);
        if (r < 0 || n == 0)
            return r;
        for (size_t k = 0; k < n && r == 0; k++)
            r = remove_entry(nl, list[k].ifindex, ip, list[k].bits);
        free(list);
    }
    return r < 0 ? r : -EEXIST;
}

int address_parse(struct nlmsghdr *hdr, struct address *ret_address)
{
    struct nlattr *tb[IFA_MAX + 1];
    if (nlmsg_parse(hdr, sizeof(struct ifaddrmsg), tb, IFA_MAX, NULL) < 0)
        return -EBADMSG;
    const struct ifaddrmsg *header = nlmsg_data(hdr);
    struct address a = {
        .ifindex = (int)header->ifa_index,
        .flags = tb[IFA_FLAGS] ? netlink_u32(tb[IFA_FLAGS]) : header->ifa_flags,
        .valid_s = ADDRESS_FOREVER,
        .preferred_s = ADDRESS_FOREVER,
        .bits = header->ifa_prefixlen,
        .scope = header->ifa_scope,
        .protocol = netlink_u8(tb[IFA_PROTO]),
    };
    /* With a peer, IFA_ADDRESS is the peer's. */
    struct nlattr *local = tb[IFA_LOCAL] ? tb[IFA_LOCAL] : tb[IFA_ADDRESS];
    if (netlink_ip(local, &a.ip) < 0 || netlink_family(&a.ip) != header->ifa_family ||
        a.bits > ip_bits(&a.ip))
        return -EBADMSG;
    if (tb[IFA_CACHEINFO] && nla_len(tb[IFA_CACHEINFO]) >= (int)sizeof(struct ifa_cacheinfo)) {
        struct ifa_cacheinfo lifetime;
        memcpy(&lifetime, nla_data(tb[IFA_CACHEINFO]), sizeof(lifetime));
        a.valid_s = lifetime.ifa_valid;
        a.preferred_s = lifetime.ifa_prefered;
    }
    *ret_address = a;
    return 0;
}

struct dump {
    struct address *list;
    size_t n;
    int ifindex;           /* 0: of all links */
    const struct ip *only; /* NULL: all addresses */
};

static int on_address(void *arg, struct nlmsghdr *hdr)
{
    struct dump *d = arg;
    struct address a;
    if (hdr->nlmsg_type != RTM_NEWADDR || address_parse(hdr, &a) < 0)
        return 0;
    if ((d->ifindex != 0 && a.ifindex != d->ifindex) || (d->only && !ip_equal(&a.ip, d->only)))
        return 0;
    int r = netlink_grow((void **)&d->list, d->n, sizeof(a));
    if (r == 0)
        d->list[d->n++] = a;
    return r;
}

static int list_those(struct netlink *nl, int ifindex, const struct ip *only,
                      struct address **ret_list, size_t *ret_n)
{
    struct dump d = {.ifindex = ifindex, .only = only};
    int family = only ? netlink_family(only) : AF_UNSPEC;
    struct ifaddrmsg header = {.ifa_family = (uint8_t)family, .ifa_index = (unsigned)ifindex};
    int r = -EAGAIN;
    for (int i = 0; i < DUMP_TRIES && r == -EAGAIN; i++) {
        struct nl_msg *msg = netlink_request(RTM_GETADDR, NLM_F_DUMP, &header, sizeof(header));
        free(d.list);
        d.list = NULL;
        d.n = 0;
        r = netlink_call(nl, msg, on_address, &d);
    }
    if (r == -ENODEV && ifindex != 0)
        r = 0; /* a link that is gone has no addresses */
    if (r < 0) {
        free(d.list);
        return r;
    }
    *ret_list = d.list;
    *ret_n = d.n;
    return 0;
}

int address_list(struct netlink *nl, int ifindex, struct address **ret_list, size_t *ret_n)
{
    return list_those(nl, ifindex, NULL, ret_list, ret_n);
}

int address_find(struct netlink *nl, const struct ip *ip, struct address **ret_list, size_t *ret_n)
{
    return list_those(nl, 0, ip, ret_list, ret_n);
}

int address_in_subnet(struct netlink *nl, int ifindex, const struct ip *vip,
                      struct ip_prefix *ret_own)
{
    struct address *list;
    size_t n;
    struct ip_prefix best = {0};
    int r = address_list(nl, ifindex, &list, &n);
    if (r < 0)
        return r;
    for (size_t i = 0; i < n; i++) {
        const struct address *a = &list[i];
        struct ip_prefix own = {.ip = a->ip, .bits = a->bits};
        if (address_is_ours(a) || ip_equal(&a->ip, vip) || !ip_prefix_contains(&own, vip))
            continue;
        if (!(a->flags & IFA_F_TENTATIVE) && (best.ip.family == IP_NONE || own.bits > best.bits))
            best = own;
    }
    free(list);
    if (best.ip.family == IP_NONE)
        return -ENOENT;
    *ret_own = best;
    return 0;
}
