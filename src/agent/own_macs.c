/* SPDX-License-Identifier: MIT */
/* The MAC addresses of this host. Linux answers for an address on every link that hears the
 * question: a host with two links into one network answers for its own VIP with both. */
#include "state.h"

#include <stdlib.h>
#include <string.h>

void own_macs_forget(struct agent *a)
{
    a->own_macs.is_known = false;
}

/* Listed anew only after a link changed, so that a flood of claims costs nothing. */
static void learn(struct agent *a)
{
    struct link *list = NULL;
    size_t n = 0;
    if (link_list(a->netlink, &list, &n) < 0)
        return;
    own_macs_done(a);
    a->own_macs.list = calloc(n + 1, sizeof(*a->own_macs.list));
    a->own_macs.is_known = a->own_macs.list;
    for (size_t i = 0; a->own_macs.is_known && i < n; i++)
        if (list[i].has_mac && !list[i].is_loopback)
            a->own_macs.list[a->own_macs.n++] = list[i].mac;
    free(list);
}

void own_macs_done(struct agent *a)
{
    free(a->own_macs.list);
    a->own_macs.list = NULL;
    a->own_macs.n = 0;
}

bool own_macs_have(struct agent *a, const struct mac *mac)
{
    if (!a->own_macs.is_known)
        learn(a);
    for (unsigned i = 0; i < a->own_macs.n; i++)
        if (mac_equal(&a->own_macs.list[i], mac))
            return true;
    return false;
}
