/* SPDX-License-Identifier: MIT */
#include "here.h"

#include "net/address.h"
#include "net/link.h"
#include "net/neighbour.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define NODE "(here)"

struct here {
    struct netlink *netlink;
    char host[SNAPSHOT_NAME_MAX];
};

struct here *here_open(void)
{
    struct here *here = calloc(1, sizeof(*here));
    if (here && netlink_open(&here->netlink) < 0) {
        free(here);
        return NULL;
    }
    if (here && gethostname(here->host, sizeof(here->host) - 1) < 0)
        here->host[0] = '\0';
    return here;
}

void here_close(struct here *here)
{
    if (!here)
        return;
    netlink_close(here->netlink);
    free(here);
}

/* The link on which the VIP would be: the one where it is set, else the one whose subnet it is in;
 * 0 when there is none. */
static int find_link(const struct address *list, size_t n, const struct ip *vip, bool *ret_is_own)
{
    int ifindex = 0;
    *ret_is_own = false;
    for (size_t i = 0; i < n; i++) {
        struct ip_prefix subnet = {.ip = list[i].ip, .bits = list[i].bits};
        if (ip_equal(&list[i].ip, vip)) {
            *ret_is_own = true;
            return list[i].ifindex;
        }
        if (!ifindex && !address_is_ours(&list[i]) && ip_prefix_contains(&subnet, vip))
            ifindex = list[i].ifindex;
    }
    return ifindex;
}

static void look(struct here *here, int ifindex, bool is_own, struct snapshot_view *view)
{
    struct neighbour entry;
    struct link link;
    if (link_get(here->netlink, ifindex, &link) < 0)
        return;
    snprintf(view->iface, sizeof(view->iface), "%s", link.name);
    view->has_address = is_own;
    view->age_us = 0;
    if (is_own) {
        view->via = SNAPSHOT_VIA_KERNEL;
        mac_format(&link.mac, view->mac);
        return;
    }
    bool is_known = neighbour_get(here->netlink, ifindex, &view->vip, &entry) == 0 &&
                    neighbour_is_believed(&entry);
    view->via = is_known ? SNAPSHOT_VIA_NEIGH : SNAPSHOT_VIA_NONE;
    if (is_known)
        mac_format(&entry.mac, view->mac);
}

void here_tell(struct here *here, const struct snapshot *s, struct cluster *cluster)
{
    struct address *list = NULL;
    size_t n = 0;
    const struct snapshot_node *self = here ? snapshot_find_node(s, here->host) : NULL;
    if (!here || (self && self->has_agent) || address_list(here->netlink, 0, &list, &n) < 0)
        return;
    for (unsigned i = 0; i < s->n_vips; i++) {
        struct snapshot_view view = {.vip = s->vips[i].ip, .age_us = -1};
        bool is_own;
        int ifindex = find_link(list, n, &view.vip, &is_own);
        if (!ifindex)
            continue;
        look(here, ifindex, is_own, &view);
        if (view.via != SNAPSHOT_VIA_NONE)
            cluster_note_view(cluster, NODE, &view);
    }
    free(list);
}
