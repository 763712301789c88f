/* SPDX-License-Identifier: MIT */
#include "complete_snapshot.h"

#include "complete.h"

#include <stdio.h>
#include <string.h>

static void add_vip(const struct snapshot_vip *vip, const char *prefix, struct buf *out)
{
    char ip[IP_TEXT_MAX], text[SNAPSHOT_NAME_MAX + 32];
    ip_format(&vip->ip, ip);
    if (vip->holder[0])
        snprintf(text, sizeof(text), "%s by %s", snapshot_vip_state_name(vip->state), vip->holder);
    else
        snprintf(text, sizeof(text), "%s", snapshot_vip_state_name(vip->state));
    complete_add(out, prefix, ip, text);
}

static void add_node(const struct snapshot_node *node, const char *prefix, struct buf *out)
{
    char text[128], position[16] = "";
    if (node->role == SNAPSHOT_ROLE_NEXT)
        snprintf(position, sizeof(position), " %u", node->position);
    snprintf(text, sizeof(text), "%s%s%s%s%s", snapshot_role_name(node->role), position,
             node->iface[0] ? ", " : "", node->iface,
             !node->is_link_known ? ""
             : node->is_link_up   ? " up"
                                  : " down");
    complete_add_node(out, prefix, node->name, text);
}

void complete_snapshot(const struct snapshot *s, const char *what, const char *prefix,
                       struct buf *out)
{
    if (strcmp(what, "VIP") == 0)
        for (unsigned i = 0; i < s->n_vips; i++)
            add_vip(&s->vips[i], prefix, out);
    else if (strcmp(what, "NODE") == 0)
        for (unsigned i = 0; i < s->n_nodes; i++)
            add_node(&s->nodes[i], prefix, out);
}
