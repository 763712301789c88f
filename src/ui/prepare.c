/* SPDX-License-Identifier: MIT */
/* Makes a snapshot smaller, or anonymous, before anybody sees it. */
#include "ui/top.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static bool is_wanted_vip(const struct top_options *o, const struct ip *ip)
{
    for (size_t i = 0; i < o->n_vips; i++)
        if (ip_equal(&o->vips[i], ip))
            return true;
    return o->n_vips == 0 || ip->family == IP_NONE;
}

static bool is_wanted_node(const struct top_options *o, const char *name)
{
    for (size_t i = 0; i < o->n_nodes; i++)
        if (strcmp(o->nodes[i], name) == 0)
            return true;
    return o->n_nodes == 0 || *name == '\0';
}

static void keep(const struct top_options *o, struct snapshot *s)
{
    unsigned n = 0;
    for (unsigned i = 0; i < s->n_vips; i++)
        if (is_wanted_vip(o, &s->vips[i].ip))
            s->vips[n++] = s->vips[i];
    s->n_vips = n;
    n = 0;
    for (unsigned i = 0; i < s->n_nodes; i++) {
        if (is_wanted_node(o, s->nodes[i].name))
            s->nodes[n++] = s->nodes[i];
        else
            snapshot_node_done(&s->nodes[i]);
    }
    s->n_nodes = n;
    n = 0;
    for (unsigned i = 0; i < s->n_alerts; i++)
        if (is_wanted_vip(o, &s->alerts[i].vip) && is_wanted_node(o, s->alerts[i].node))
            s->alerts[n++] = s->alerts[i];
    s->n_alerts = n;
    n = 0;
    for (unsigned i = 0; i < s->n_history; i++)
        if (is_wanted_vip(o, &s->history[i].vip) &&
            (is_wanted_node(o, s->history[i].from) || is_wanted_node(o, s->history[i].to)))
            s->history[n++] = s->history[i];
    s->n_history = n;
}

/* Other names and addresses that say the same about who is who. */

#define SECRETS_MAX (SNAPSHOT_NODES_MAX + SNAPSHOT_MEMBERS_MAX)

struct disguise {
    const struct snapshot *s;
    unsigned n;
    char names[SECRETS_MAX][SNAPSHOT_NAME_MAX]; /* in the order of their new numbers */
};

static unsigned number_of(struct disguise *d, const char *name)
{
    unsigned i = 0;
    while (i < d->n && strcmp(d->names[i], name) != 0)
        i++;
    if (i == d->n && d->n < SECRETS_MAX)
        memcpy(d->names[d->n++], name, strnlen(name, SNAPSHOT_NAME_MAX - 1) + 1);
    return i + 1;
}

static void hide_name(struct disguise *d, char name[SNAPSHOT_NAME_MAX])
{
    if (*name)
        snprintf(name, SNAPSHOT_NAME_MAX, "node-%u", number_of(d, name));
}

/* The documentation ranges of RFC 5737 and RFC 3849, the last bytes kept. */
static void hide_ip(struct ip *ip)
{
    static const uint8_t v4[] = {192, 0, 2}, v6[] = {0x20, 0x01, 0x0d, 0xb8};
    if (ip->family == IP_V4)
        memcpy(ip->bytes, v4, sizeof(v4));
    else if (ip->family == IP_V6) {
        memcpy(ip->bytes, v6, sizeof(v6));
        memset(ip->bytes + 4, 0, 8);
    }
}

static void hide_mac(char mac[SNAPSHOT_MAC_MAX])
{
    if (strlen(mac) == SNAPSHOT_MAC_MAX - 1)
        memcpy(mac, "02:00:00", 8);
    else
        mac[0] = '\0';
}

static void hide_node(struct disguise *d, struct snapshot_node *node)
{
    hide_name(d, node->name);
    hide_mac(node->mac);
    node->address[0] = '\0';
    for (unsigned i = 0; i < node->n_views; i++) {
        hide_ip(&node->views[i].vip);
        hide_mac(node->views[i].mac);
        hide_mac(node->views[i].other);
    }
    node->peers.reason[0] = '\0';
    for (unsigned i = 0; i < node->peers.n; i++)
        hide_name(d, node->peers.list[i].node);
}

static void hide_vip(struct disguise *d, struct snapshot_vip *vip)
{
    hide_ip(&vip->ip);
    hide_name(d, vip->holder);
    hide_mac(vip->mac);
    for (unsigned i = 0; i < vip->n_queue; i++)
        hide_name(d, vip->queue[i]);
    for (unsigned i = 0; i < vip->n_macs; i++)
        hide_mac(vip->macs[i]);
    vip->released_detail[0] = vip->paused_by[0] = vip->paused_reason[0] = '\0';
}

/* Free text may name anybody: only what the other fields say stays. */
static void hide_move(struct disguise *d, struct snapshot_move *move)
{
    hide_ip(&move->vip);
    hide_name(d, move->from);
    hide_name(d, move->to);
    move->detail[0] = move->note[0] = '\0';
    for (unsigned i = 0; i < move->n_seen && i < SNAPSHOT_SEEN_MAX; i++)
        hide_name(d, move->seen[i]);
}

/* An error may be a whole sentence of somebody else; our own few words tell nothing. */
static void hide_error(char error[SNAPSHOT_TEXT_MAX])
{
    static const char *const ours[] = {"timeout 2s",  "refused",         "no leader", "grpc only",
                                       "not started", "cannot be asked", ""};
    for (size_t i = 0; i < sizeof(ours) / sizeof(ours[0]); i++)
        if (strcmp(error, ours[i]) == 0)
            return;
    snprintf(error, SNAPSHOT_TEXT_MAX, "(error)");
}

static void hide_etcd(struct disguise *d, struct snapshot_etcd *etcd)
{
    etcd->cluster_id = 0;
    hide_name(d, etcd->leader);
    hide_name(d, etcd->leader_before);
    snprintf(etcd->endpoint, sizeof(etcd->endpoint), "%s", *etcd->endpoint ? "(endpoint)" : "");
    hide_error(etcd->error);
    for (unsigned i = 0; i < etcd->n_members; i++) {
        struct snapshot_member *m = &etcd->members[i];
        m->id = number_of(d, m->name);
        hide_name(d, m->name);
        snprintf(m->endpoint, sizeof(m->endpoint), "(endpoint %u)", i + 1);
        hide_error(m->error);
    }
}

static int redact(struct snapshot *s)
{
    struct disguise *d = calloc(1, sizeof(*d));
    if (!d)
        return -ENOMEM;
    hide_etcd(d, &s->etcd);
    for (unsigned i = 0; i < s->n_nodes; i++)
        hide_node(d, &s->nodes[i]);
    for (unsigned i = 0; i < s->n_vips; i++)
        hide_vip(d, &s->vips[i]);
    for (unsigned i = 0; i < s->n_alerts; i++) {
        hide_ip(&s->alerts[i].vip);
        hide_name(d, s->alerts[i].node);
        snprintf(s->alerts[i].text, sizeof(s->alerts[i].text), "(text left out)");
    }
    for (unsigned i = 0; i < s->n_history; i++)
        hide_move(d, &s->history[i]);
    snprintf(s->cluster, sizeof(s->cluster), "cluster");
    free(d);
    return 0;
}

int top_prepare(const struct top_options *options, struct snapshot *s)
{
    if (options->n_vips > 0 || options->n_nodes > 0)
        keep(options, s);
    return options->is_redacted ? redact(s) : 0;
}
