/* SPDX-License-Identifier: MIT */
#include "net/neighbour.h"

#include <errno.h>
#include <linux/neighbour.h>
#include <linux/rtnetlink.h>
#include <netlink/addr.h>
#include <netlink/route/neighbour.h>
#include <netlink/route/nexthop.h>
#include <netlink/route/route.h>
#include <string.h>

#include "netlink_call.h"

struct lookup {
    struct neighbour entry;
    bool is_found;
};

static int on_neighbour(void *arg, struct nlmsghdr *hdr)
{
    struct lookup *l = arg;
    struct rtnl_neigh *n;
    if (hdr->nlmsg_type != RTM_NEWNEIGH || rtnl_neigh_parse(hdr, &n) < 0)
        return 0;
    struct nl_addr *mac = rtnl_neigh_get_lladdr(n);
    int state = rtnl_neigh_get_state(n);
    l->entry = (struct neighbour){.state = state < 0 ? 0 : (uint16_t)state};
    if (mac && nl_addr_get_len(mac) == sizeof(l->entry.mac.bytes)) {
        memcpy(l->entry.mac.bytes, nl_addr_get_binary_addr(mac), sizeof(l->entry.mac.bytes));
        l->entry.has_mac = true;
    }
    l->is_found = true;
    rtnl_neigh_put(n);
    return 0;
}

int neighbour_get(struct netlink *nl, int ifindex, const struct ip *ip,
                  struct neighbour *ret_neighbour)
{
    struct lookup l = {0};
    struct ndmsg header = {.ndm_family = (uint8_t)netlink_family(ip), .ndm_ifindex = ifindex};
    struct nl_msg *msg = netlink_request(RTM_GETNEIGH, NLM_F_ACK, &header, sizeof(header));
    if (msg && nla_put(msg, NDA_DST, (int)ip_len(ip), ip->bytes) < 0) {
        nlmsg_free(msg);
        return -ENOMEM;
    }
    int r = netlink_call(nl, msg, on_neighbour, &l);
    if (r == 0 && !l.is_found)
        r = -ENOENT;
    if (r == 0)
        *ret_neighbour = l.entry;
    return r;
}

bool neighbour_is_believed(const struct neighbour *n)
{
    return n->has_mac &&
           (n->state & (NUD_REACHABLE | NUD_STALE | NUD_DELAY | NUD_PROBE | NUD_PERMANENT));
}

const char *neighbour_state_name(uint16_t state)
{
    static const struct {
        uint16_t state;
        const char *name;
    } names[] = {
        {NUD_PERMANENT, "permanent"},   {NUD_REACHABLE, "reachable"}, {NUD_STALE, "stale"},
        {NUD_DELAY, "delay"},           {NUD_PROBE, "probe"},         {NUD_FAILED, "failed"},
        {NUD_INCOMPLETE, "incomplete"}, {NUD_NOARP, "noarp"},
    };
    for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++)
        if (state & names[i].state)
            return names[i].name;
    return "none";
}

struct gateways {
    struct ip *list;
    size_t n, max;
    int ifindex;
};

static void add_gateway(struct gateways *g, struct nl_addr *addr)
{
    struct ip ip = {0};
    if (!addr || g->n == g->max)
        return;
    unsigned len = nl_addr_get_len(addr);
    if (len != 4 && len != 16)
        return;
    ip.family = len == 4 ? IP_V4 : IP_V6;
    memcpy(ip.bytes, nl_addr_get_binary_addr(addr), len);
    for (size_t i = 0; i < g->n; i++)
        if (ip_equal(&g->list[i], &ip))
            return;
    g->list[g->n++] = ip;
}

static int on_route(void *arg, struct nlmsghdr *hdr)
{
    struct gateways *g = arg;
    struct rtnl_route *route;
    if (hdr->nlmsg_type != RTM_NEWROUTE)
        return 0;
    if (nlmsg_datalen(hdr) < (int)sizeof(struct rtmsg))
        return 0;
    const struct rtmsg *header = nlmsg_data(hdr);
    if (header->rtm_dst_len != 0 || header->rtm_type != RTN_UNICAST ||
        (header->rtm_family != AF_INET && header->rtm_family != AF_INET6) ||
        (header->rtm_flags & RTM_F_CLONED) || rtnl_route_parse(hdr, &route) < 0)
        return 0;
    for (int i = 0; i < rtnl_route_get_nnexthops(route); i++) {
        struct rtnl_nexthop *hop = rtnl_route_nexthop_n(route, i);
        if (rtnl_route_nh_get_ifindex(hop) != g->ifindex)
            continue;
        add_gateway(g, rtnl_route_nh_get_gateway(hop));
        add_gateway(g, rtnl_route_nh_get_via(hop));
    }
    rtnl_route_put(route);
    return 0;
}

int neighbour_gateways(struct netlink *nl, int ifindex, struct ip *ret_list, size_t max,
                       size_t *ret_n)
{
    static const uint8_t families[] = {AF_INET, AF_INET6};
    struct gateways g = {.list = ret_list, .max = max, .ifindex = ifindex};
    for (size_t i = 0; i < sizeof(families); i++) {
        struct rtmsg header = {.rtm_family = families[i], .rtm_table = RT_TABLE_MAIN};
        struct nl_msg *msg = netlink_request(RTM_GETROUTE, NLM_F_DUMP, &header, sizeof(header));
        if (msg && (nla_put_u32(msg, RTA_TABLE, RT_TABLE_MAIN) < 0 ||
                    nla_put_u32(msg, RTA_OIF, (uint32_t)ifindex) < 0)) {
            nlmsg_free(msg);
            return -ENOMEM;
        }
        int r = netlink_call(nl, msg, on_route, &g);
        /* A dump that changed meanwhile may only lack or repeat an entry; -ENOENT: no table. */
        if (r < 0 && r != -EAGAIN && r != -ENOENT && r != -ENODEV)
            return r;
    }
    *ret_n = g.n;
    return 0;
}
