/* SPDX-License-Identifier: MIT */
#include "net/link.h"

#include <errno.h>
#include <linux/if.h>
#include <linux/if_arp.h>
#include <linux/if_link.h>
#include <linux/rtnetlink.h>
#include <stdlib.h>
#include <string.h>

#include "netlink_call.h"

#define DUMP_TRIES 5

static bool read_mac(const struct nlattr *attr, struct mac *ret_mac)
{
    if (!attr || nla_len(attr) != (int)sizeof(ret_mac->bytes))
        return false;
    memcpy(ret_mac->bytes, nla_data(attr), sizeof(ret_mac->bytes));
    return true;
}

static void read_info(struct nlattr *attr, struct link *link)
{
    struct nlattr *info[IFLA_INFO_MAX + 1], *vlan[IFLA_VLAN_MAX + 1];
    if (!attr || nla_parse_nested(info, IFLA_INFO_MAX, attr, NULL) < 0)
        return;
    netlink_text(info[IFLA_INFO_KIND], link->kind, sizeof(link->kind));
    if (strcmp(link->kind, "vlan") != 0 || !info[IFLA_INFO_DATA] ||
        nla_parse_nested(vlan, IFLA_VLAN_MAX, info[IFLA_INFO_DATA], NULL) < 0)
        return;
    if (vlan[IFLA_VLAN_ID] && nla_len(vlan[IFLA_VLAN_ID]) >= 2)
        link->vlan_id = nla_get_u16(vlan[IFLA_VLAN_ID]);
}

static void read_altnames(struct nlattr *list, struct link *link)
{
    struct nlattr *attr;
    int rest;
    if (!list)
        return;
    nla_for_each_nested(attr, list, rest)
    {
        if (nla_type(attr) != IFLA_ALT_IFNAME || link->altname_count == LINK_ALTNAMES_MAX)
            continue;
        netlink_text(attr, link->altnames[link->altname_count++], LINK_ALTNAME_MAX);
    }
}

static void read_flags(const struct ifinfomsg *header, struct link *link)
{
    link->is_up = header->ifi_flags & IFF_UP;
    link->is_running = link->is_up && (header->ifi_flags & IFF_RUNNING);
    link->has_carrier = header->ifi_flags & IFF_LOWER_UP;
    link->is_loopback = header->ifi_flags & IFF_LOOPBACK;
    link->is_ether = header->ifi_type == ARPHRD_ETHER;
}

int link_parse(struct nlmsghdr *hdr, struct link *ret_link)
{
    struct nlattr *tb[IFLA_MAX + 1];
    struct link link = {0};
    if (nlmsg_parse(hdr, sizeof(struct ifinfomsg), tb, IFLA_MAX, NULL) < 0)
        return -EBADMSG;
    const struct ifinfomsg *header = nlmsg_data(hdr);
    /* Bridges send port changes as AF_BRIDGE links, wireless drivers events without a state:
     * neither describes the link. */
    if (header->ifi_family != AF_UNSPEC || header->ifi_index <= 0 || !tb[IFLA_IFNAME] ||
        !tb[IFLA_OPERSTATE])
        return -EBADMSG;
    link.ifindex = header->ifi_index;
    read_flags(header, &link);
    netlink_text(tb[IFLA_IFNAME], link.name, sizeof(link.name));
    netlink_text(tb[IFLA_IFALIAS], link.alias, sizeof(link.alias));
    read_altnames(tb[IFLA_PROP_LIST], &link);
    read_info(tb[IFLA_LINKINFO], &link);
    link.has_mac = read_mac(tb[IFLA_ADDRESS], &link.mac);
    link.has_permanent_mac = read_mac(tb[IFLA_PERM_ADDRESS], &link.permanent_mac);
    link.mtu = netlink_u32(tb[IFLA_MTU]);
    link.oper_state = netlink_u8(tb[IFLA_OPERSTATE]);
    link.master = (int)netlink_u32(tb[IFLA_MASTER]);
    if (!tb[IFLA_LINK_NETNSID]) /* else the number means a link of another namespace */
        link.parent = (int)netlink_u32(tb[IFLA_LINK]);
    *ret_link = link;
    return 0;
}

struct dump {
    struct link *list;
    size_t n;
};

static int on_link(void *arg, struct nlmsghdr *hdr)
{
    struct dump *d = arg;
    int r = 0;
    if (hdr->nlmsg_type != RTM_NEWLINK)
        return 0;
    r = netlink_grow((void **)&d->list, d->n, sizeof(*d->list));
    if (r == 0 && link_parse(hdr, &d->list[d->n]) == 0)
        d->n++;
    return r;
}

static struct nl_msg *request(int flags, int ifindex)
{
    struct ifinfomsg header = {.ifi_family = AF_UNSPEC, .ifi_index = ifindex};
    struct nl_msg *msg = netlink_request(RTM_GETLINK, flags, &header, sizeof(header));
    if (msg && nla_put_u32(msg, IFLA_EXT_MASK, RTEXT_FILTER_SKIP_STATS) < 0) {
        nlmsg_free(msg);
        return NULL;
    }
    return msg;
}

int link_list(struct netlink *nl, struct link **ret_list, size_t *ret_n)
{
    struct dump d = {0};
    int r = -EAGAIN;
    for (int i = 0; i < DUMP_TRIES && r == -EAGAIN; i++) {
        free(d.list);
        d = (struct dump){0};
        r = netlink_call(nl, request(NLM_F_DUMP, 0), on_link, &d);
    }
    if (r < 0) {
        free(d.list);
        return r;
    }
    *ret_list = d.list;
    *ret_n = d.n;
    return 0;
}

int link_get(struct netlink *nl, int ifindex, struct link *ret_link)
{
    struct dump d = {0};
    if (ifindex <= 0)
        return -ENODEV;
    int r = netlink_call(nl, request(NLM_F_ACK, ifindex), on_link, &d);
    if (r == 0 && d.n != 1)
        r = -ENODEV;
    if (r == 0)
        *ret_link = d.list[0];
    free(d.list);
    return r;
}

bool link_has_name(const struct link *link, const char *name)
{
    if (strcmp(link->name, name) == 0)
        return true;
    for (size_t i = 0; i < link->altname_count; i++)
        if (strcmp(link->altnames[i], name) == 0)
            return true;
    return link->alias[0] && strcmp(link->alias, name) == 0;
}

int link_find(struct netlink *nl, const char *name, struct link *ret_link)
{
    struct link *list;
    const struct link *found = NULL;
    size_t n;
    if (!name[0])
        return -ENODEV;
    int r = link_list(nl, &list, &n);
    if (r < 0)
        return r;
    /* Names and alternative names are unique in the kernel; an alias is free text. */
    for (size_t i = 0; i < n && !found; i++)
        if (link_has_name(&list[i], name) && strcmp(list[i].alias, name) != 0)
            found = &list[i];
    for (size_t i = 0; i < n && !found; i++)
        if (link_has_name(&list[i], name))
            found = &list[i];
    if (found)
        *ret_link = *found;
    free(list);
    return found ? 0 : -ENODEV;
}
