/* SPDX-License-Identifier: MIT */
#include "state.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define FRESH_US INT64_C(15000000) /* the age at which a view is no news any more */
#define NOTE_FRESH_US INT64_C(5000000)
#define HANDOVER_US INT64_C(2000000)
#define AGO_MAX_MS INT64_C(100000000000) /* three years; what is more is nonsense */

int64_t build_record_age(const struct known_node *node, uint64_t now)
{
    return (int64_t)(now - node->heard_us) + node->base_age_us;
}

int64_t build_aged(int64_t ago_ms, int64_t age_us)
{
    return ago_ms < 0 || ago_ms > AGO_MAX_MS ? -1 : ago_ms * 1000 + age_us;
}

static int compare_nodes(const void *a, const void *b)
{
    const struct snapshot_node *x = a, *y = b;
    return strcmp(x->name, y->name);
}

static struct snapshot_node *find(struct snapshot *s, const char *name)
{
    for (unsigned i = 0; i < s->n_nodes; i++)
        if (strcmp(s->nodes[i].name, name) == 0)
            return &s->nodes[i];
    return NULL;
}

static struct snapshot_node *add(struct snapshot *s, const char *name, enum snapshot_role role)
{
    struct snapshot_node *node = find(s, name);
    if (node || s->n_nodes == SNAPSHOT_NODES_MAX || !name[0])
        return node;
    node = &s->nodes[s->n_nodes++];
    *node = (struct snapshot_node){.role = role,
                                   .link_us = -1,
                                   .speed_mbit = -1,
                                   .granted_us = -1,
                                   .renewed_us = -1,
                                   .latency_us = -1,
                                   .p99_us = -1,
                                   .age_us = -1,
                                   .peers = {.voters = -1,
                                             .majority = -1,
                                             .window_us = -1,
                                             .acknowledged = -1,
                                             .suspicions = -1,
                                             .grants = -1,
                                             .endings = -1,
                                             .mutes = -1}};
    snprintf(node->name, sizeof(node->name), "%s", name);
    for (unsigned i = 0; i < SNAPSHOT_LATENCIES; i++)
        node->latencies_us[i] = -1;
    return node;
}

static int add_view(struct snapshot_node *node, const struct snapshot_view *view)
{
    if (node->n_views == SNAPSHOT_VIPS_MAX)
        return 0;
    /* Room in powers of two. */
    if ((node->n_views & (node->n_views - 1)) == 0) {
        size_t room = node->n_views ? 2 * (size_t)node->n_views : 1;
        struct snapshot_view *grown = realloc(node->views, room * sizeof(*grown));
        if (!grown)
            return -ENOMEM;
        node->views = grown;
    }
    node->views[node->n_views++] = *view;
    return 0;
}

static enum snapshot_via via_of(const char *text)
{
    for (int via = SNAPSHOT_VIA_NONE; via <= SNAPSHOT_VIA_PROBE; via++)
        if (strcmp(text, snapshot_via_name((enum snapshot_via)via)) == 0)
            return (enum snapshot_via)via;
    return SNAPSHOT_VIA_NONE;
}

static int copy_views(const struct known_node *from, int64_t age, struct snapshot_node *to)
{
    for (unsigned i = 0; i < from->record.n_vips; i++) {
        const struct record_vip *v = &from->record.vips[i];
        struct snapshot_view view = {.vip = v->ip,
                                     .has_address = v->has_address,
                                     .via = via_of(v->via),
                                     .age_us =
                                         v->silent_ms >= 0 ? age : build_aged(v->seen_ago_ms, age)};
        memcpy(view.state, v->state, sizeof(view.state));
        memcpy(view.iface, v->iface, sizeof(view.iface));
        memcpy(view.mac, v->mac, sizeof(view.mac));
        memcpy(view.other, v->other, sizeof(view.other));
        int r = add_view(to, &view);
        if (r < 0)
            return r;
    }
    return 0;
}

/* The link of its VIPs; the first one where there are several. */
static const struct record_link *main_link(const struct record_node *r)
{
    for (unsigned v = 0; v < r->n_vips; v++)
        for (unsigned i = 0; i < r->n_links; i++)
            if (strcmp(r->links[i].name, r->vips[v].iface) == 0)
                return &r->links[i];
    return r->n_links ? &r->links[0] : NULL;
}

static void copy_link(const struct record_node *r, int64_t age, struct snapshot_node *to)
{
    const struct record_link *link = main_link(r);
    if (!link)
        return;
    memcpy(to->iface, link->name, sizeof(to->iface));
    memcpy(to->mac, link->mac, sizeof(to->mac));
    to->is_link_known = true;
    to->is_link_up = link->is_up;
    to->link_us = build_aged(link->changed_ago_ms, age);
    to->speed_mbit = link->speed_mbit;
    if (link->address.family != IP_NONE) {
        struct ip_prefix prefix = {.ip = link->address, .bits = link->prefix_len};
        char text[PREFIX_TEXT_MAX];
        ip_prefix_format(&prefix, text);
        snprintf(to->address, sizeof(to->address), "%s", text);
    } else if (r->n_addresses > 0) {
        ip_format(&r->addresses[0], to->address);
    }
}

static int copy_node(const struct known_node *from, uint64_t now, struct snapshot *s)
{
    const struct record_node *r = &from->record;
    struct snapshot_node *to = add(s, from->name, SNAPSHOT_ROLE_STANDBY);
    int64_t age = build_record_age(from, now);
    if (!to)
        return 0;
    to->has_agent = true;
    memcpy(to->agent, r->version, sizeof(to->agent));
    copy_link(r, age, to);
    to->lease = r->lease;
    to->granted_us = r->ttl_ms > 0 ? r->ttl_ms * 1000 : -1;
    to->renewed_us = build_aged(r->renewed_ago_ms, age);
    to->latency_us = r->latency_us;
    to->p99_us = r->p99_us;
    memcpy(to->latencies_us, r->latencies_us, sizeof(to->latencies_us));
    to->clock_offset_us = from->clock_offset_us;
    to->is_clock_known = from->is_clock_known;
    to->has_packet_fence = r->has_packet_fence;
    to->has_guardian = r->has_guardian;
    to->age_us = age;
    if (!from->is_present) {
        to->role = SNAPSHOT_ROLE_LOST;
        to->is_link_known = false;
    } else if (r->is_paused) {
        to->role = SNAPSHOT_ROLE_PAUSED;
    }
    int e = build_peers(from, age, &to->peers);
    return e < 0 ? e : copy_views(from, age, to);
}

static int copy_note(const struct note *note, uint64_t now, struct snapshot *s)
{
    struct snapshot_node *node = add(s, note->node, SNAPSHOT_ROLE_OBSERVER);
    struct snapshot_view view = note->view;
    int64_t age = (int64_t)(now - note->noted_us);
    view.age_us = (view.age_us > 0 ? view.age_us : 0) + age;
    if (!node || age > NOTE_FRESH_US || snapshot_find_view(node, &view.vip))
        return 0;
    if (node->role == SNAPSHOT_ROLE_OBSERVER && !node->iface[0])
        memcpy(node->iface, view.iface, sizeof(node->iface));
    if (node->role == SNAPSHOT_ROLE_OBSERVER) /* this program */
        snprintf(node->agent, sizeof(node->agent), "%s", TALOSVIP_VERSION);
    return add_view(node, &view);
}

/* What etcd says of the lease bounds what the node said some time ago. */
static void refine_lease(const struct cluster *c, uint64_t now, int64_t id,
                         struct snapshot_node *node)
{
    const struct known_lease *lease = lease_find(c, id);
    int64_t least, most;
    if (!lease_left(lease, now, &least, &most))
        return;
    int64_t granted = lease->granted_s * 1000000;
    int64_t youngest = granted > most ? granted - most : 0, oldest = granted - least;
    if (!node->has_agent && node->renewed_us >= 0 && youngest <= node->renewed_us)
        return; /* of its several leases, the one that waits longest for a renewal */
    node->granted_us = granted;
    if (!node->has_agent)
        node->lease = id;
    /* Older than etcd allows: it was renewed since. */
    if (!node->has_agent || node->renewed_us < youngest || node->renewed_us > oldest)
        node->renewed_us = youngest;
}

/* A place in a queue, and what candidates without an agent let us know. */
static void place(struct snapshot_node *node, unsigned position)
{
    bool is_holder = position == 0;
    if (node->role == SNAPSHOT_ROLE_LOST || node->role == SNAPSHOT_ROLE_PAUSED)
        return;
    bool is_talos = node->role == SNAPSHOT_ROLE_TALOS; /* it stays that, whatever its place */
    if (is_holder && !is_talos)
        node->role = SNAPSHOT_ROLE_HOLDER;
    else if (node->role != SNAPSHOT_ROLE_HOLDER && !is_talos)
        node->role = SNAPSHOT_ROLE_NEXT;
    if (!is_holder && (node->position == 0 || position < node->position))
        node->position = position;
}

static void place_all(const struct cluster *c, uint64_t now, struct snapshot *s)
{
    for (size_t i = 0; i < c->n_candidates; i++) {
        struct snapshot_node *node = add(s, c->candidates[i].name, SNAPSHOT_ROLE_TALOS);
        if (node && (!node->has_agent || node->lease == c->candidates[i].lease))
            refine_lease(c, now, c->candidates[i].lease, node);
    }
    for (unsigned v = 0; v < s->n_vips; v++) {
        struct snapshot_node *node = find(s, s->vips[v].holder);
        if (node)
            place(node, 0);
        for (unsigned q = 0; q < s->vips[v].n_queue; q++)
            if ((node = find(s, s->vips[v].queue[q])))
                place(node, q + 1);
    }
}

static int compare_views(const void *a, const void *b)
{
    const struct snapshot_view *x = a, *y = b;
    return x->vip.family != y->vip.family
               ? x->vip.family - y->vip.family
               : memcmp(x->vip.bytes, y->vip.bytes, sizeof(x->vip.bytes));
}

static bool is_shown(const struct known_node *node, uint64_t now)
{
    return node->is_present || (node->lost_us && now < node->lost_us + LOST_KEPT_US);
}

int build_nodes(const struct cluster *c, uint64_t now, struct snapshot *s)
{
    int r = 0;
    s->nodes = calloc(SNAPSHOT_NODES_MAX, sizeof(*s->nodes));
    if (!s->nodes)
        return -ENOMEM;
    for (unsigned i = 0; r == 0 && i < c->n_nodes; i++)
        if (is_shown(&c->nodes[i], now))
            r = copy_node(&c->nodes[i], now, s);
    for (unsigned i = 0; r == 0 && i < c->n_notes; i++)
        r = copy_note(&c->notes[i], now, s);
    if (r < 0)
        return r;
    place_all(c, now, s);
    qsort(s->nodes, s->n_nodes, sizeof(*s->nodes), compare_nodes);
    for (unsigned i = 0; i < s->n_nodes; i++)
        if (s->nodes[i].n_views)
            qsort(s->nodes[i].views, s->nodes[i].n_views, sizeof(*s->nodes[i].views),
                  compare_views);
    return 0;
}

/* ---- what the views say together ---- */

static void add_mac(struct snapshot_vip *vip, const char *mac)
{
    for (unsigned i = 0; i < vip->n_macs; i++)
        if (strcmp(vip->macs[i], mac) == 0)
            return;
    if (mac[0] && vip->n_macs < SNAPSHOT_MACS_MAX)
        memcpy(vip->macs[vip->n_macs++], mac, SNAPSHOT_MAC_MAX);
}

static enum snapshot_verdict judge(const struct snapshot_vip *vip, const struct snapshot_view *view)
{
    if (view->has_address)
        return SNAPSHOT_VIEW_SELF;
    if (view->via == SNAPSHOT_VIA_NONE || view->age_us < 0)
        return SNAPSHOT_VIEW_UNKNOWN;
    if (!view->mac[0])
        return SNAPSHOT_VIEW_NONE;
    if (!vip->mac[0]) /* nobody tells the holder's MAC: that one station answers is all there is */
        return vip->holder_has_agent ? SNAPSHOT_VIEW_UNKNOWN : SNAPSHOT_VIEW_MATCH;
    return strcmp(view->mac, vip->mac) == 0 ? SNAPSHOT_VIEW_MATCH : SNAPSHOT_VIEW_WRONG;
}

/* Seen before this owner came: it tells of the one before, and neither that two answer nor that
 * nobody does. After a while whatever is still wrong has been told again. */
static bool is_before(const struct snapshot_vip *vip, const struct snapshot_view *view)
{
    return !vip->is_since_at_least && vip->since_us >= 0 && vip->since_us < HANDOVER_US &&
           view->age_us > vip->since_us &&
           (view->verdict == SNAPSHOT_VIEW_WRONG || view->verdict == SNAPSHOT_VIEW_NONE);
}

/* A view counts while its node's record is kept up. A neighbour entry is a memory and no answer;
 * a probe's answer, or an address in a kernel, is a station. */
static void count_view(struct snapshot_vip *vip, const struct snapshot_node *node,
                       struct snapshot_view *view, const char *own_mac, unsigned *silent)
{
    bool is_holder = strcmp(node->name, vip->holder) == 0;
    view->verdict = judge(vip, view);
    if (is_before(vip, view))
        view->verdict = SNAPSHOT_VIEW_UNKNOWN;
    if (node->role == SNAPSHOT_ROLE_LOST || view->age_us > FRESH_US ||
        view->verdict == SNAPSHOT_VIEW_UNKNOWN)
        return;
    if (view->verdict == SNAPSHOT_VIEW_SELF && !is_holder) {
        add_mac(vip, own_mac);
        return;
    }
    vip->observers++;
    vip->agree += view->verdict == SNAPSHOT_VIEW_MATCH || view->verdict == SNAPSHOT_VIEW_SELF;
    *silent += view->verdict == SNAPSHOT_VIEW_NONE;
    if (view->verdict == SNAPSHOT_VIEW_SELF)
        add_mac(vip, own_mac);
    else if (view->via == SNAPSHOT_VIA_PROBE)
        add_mac(vip, view->mac);
    add_mac(vip, view->other);
}

/* A record that was written before the last hand-over knows nothing of it: its owner had the
 * address then, and gave it up with that very hand-over. */
static void outdated(const struct cluster *c, const struct snapshot_node *node,
                     struct snapshot_view *view, const struct snapshot_vip *vip)
{
    for (unsigned i = 0; i < c->n_vips; i++) {
        const struct known_vip *known = &c->vips[i];
        if (!view->has_address || !known->has_released || !ip_equal(&known->ip, &vip->ip) ||
            strcmp(known->released.node, node->name) != 0)
            continue;
        for (unsigned k = 0; k < c->n_nodes; k++)
            if (strcmp(c->nodes[k].name, node->name) == 0 &&
                c->nodes[k].mod_revision < known->released_revision) {
                view->has_address = false;
                view->via = SNAPSHOT_VIA_NONE;
            }
    }
}

static const char *mac_on(const struct cluster *c, const char *node, const char *iface)
{
    for (unsigned i = 0; i < c->n_nodes; i++) {
        const struct record_node *r = &c->nodes[i].record;
        for (unsigned k = 0; strcmp(c->nodes[i].name, node) == 0 && k < r->n_links; k++)
            if (strcmp(r->links[k].name, iface) == 0)
                return r->links[k].mac;
    }
    return "";
}

static struct snapshot_view *view_of(struct snapshot_node *node, const struct ip *vip)
{
    struct snapshot_view key = {.vip = *vip};
    return node->n_views ? bsearch(&key, node->views, node->n_views, sizeof(key), compare_views)
                         : NULL;
}

static void join_holder(const struct cluster *c, struct snapshot *s, struct snapshot_vip *vip)
{
    struct snapshot_node *holder = vip->holder[0] ? find(s, vip->holder) : NULL;
    struct snapshot_view *view = holder ? view_of(holder, &vip->ip) : NULL;
    vip->holder_has_agent = holder && holder->has_agent;
    if (!view)
        return;
    memcpy(vip->iface, view->iface, sizeof(vip->iface));
    snprintf(vip->mac, sizeof(vip->mac), "%s", mac_on(c, vip->holder, view->iface));
    if (vip->state == SNAPSHOT_VIP_HELD && holder->role != SNAPSHOT_ROLE_LOST && !view->has_address)
        vip->state = SNAPSHOT_VIP_MOVING;
}

static bool is_stale(const struct snapshot *s, const struct snapshot_vip *vip)
{
    return s->age_us < 0 || s->age_us > (vip->granted_us > 0 ? vip->granted_us : 5000000);
}

void build_views(const struct cluster *c, uint64_t now, struct snapshot *s)
{
    (void)now;
    for (unsigned v = 0; v < s->n_vips; v++) {
        struct snapshot_vip *vip = &s->vips[v];
        unsigned silent = 0;
        join_holder(c, s, vip);
        for (unsigned i = 0; i < s->n_nodes; i++) {
            struct snapshot_view *view = view_of(&s->nodes[i], &vip->ip);
            if (!view)
                continue;
            outdated(c, &s->nodes[i], view, vip);
            count_view(vip, &s->nodes[i], view, mac_on(c, s->nodes[i].name, view->iface), &silent);
        }
        unsigned others = vip->observers - (vip->observers && vip->mac[0] && vip->holder_has_agent);
        if (is_stale(s, vip))
            vip->state = SNAPSHOT_VIP_STALE;
        else if (vip->state != SNAPSHOT_VIP_FREE && vip->n_macs > 1)
            vip->state = SNAPSHOT_VIP_DUP;
        else if (vip->state == SNAPSHOT_VIP_HELD && silent > 0 && silent >= others)
            vip->state = SNAPSHOT_VIP_SILENT;
    }
}
