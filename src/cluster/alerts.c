/* SPDX-License-Identifier: MIT */
/* One function for each kind, called through a table; each looks at the snapshot and nothing
 * else, so that a recording raises what the original raised. */
#include "cluster/alert.h"

#include "base/text.h"

#include <errno.h>
#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define CLOCK_LIMIT_US INT64_C(500000)
#define RECORD_AGE_LIMIT_US INT64_C(15000000) /* a view older than this tells nothing */
#define FLAP_US UINT64_C(600000000)
#define FLAP_MOVES 3
#define WHOLE_SECOND_US INT64_C(1000000)
#define HANDOVER_US INT64_C(1000000) /* a planned move takes milliseconds; then it went wrong */

struct finder {
    struct snapshot *s;
    const char *id;
    enum snapshot_severity severity;
    struct snapshot_alert dropped;
};

/* What does not fit is dropped: there is more than enough to look at. */
static struct snapshot_alert *raise_alert(struct finder *f, const struct ip *vip, const char *node,
                                          const char *fmt, ...)
    __attribute__((format(printf, 4, 5)));
static struct snapshot_alert *raise_alert(struct finder *f, const struct ip *vip, const char *node,
                                          const char *fmt, ...)
{
    struct snapshot_alert *a = &f->dropped;
    va_list ap;
    if (f->s->n_alerts < SNAPSHOT_ALERTS_MAX)
        a = &f->s->alerts[f->s->n_alerts++];
    *a = (struct snapshot_alert){.severity = f->severity, .cleared_us = -1};
    snprintf(a->id, sizeof(a->id), "%s", f->id);
    if (vip)
        a->vip = *vip;
    snprintf(a->node, sizeof(a->node), "%s", node);
    va_start(ap, fmt);
    vsnprintf(a->text, sizeof(a->text), fmt, ap);
    va_end(ap);
    text_copy(a->text, sizeof(a->text), a->text); /* names were cut */
    return a;
}

#define EACH_VIP(f_, vip_)                                                                         \
    for (const struct snapshot_vip *vip_ = (f_)->s->vips; vip_ < (f_)->s->vips + (f_)->s->n_vips;  \
         vip_++)
#define EACH_NODE(f_, node_)                                                                       \
    for (const struct snapshot_node *node_ = (f_)->s->nodes;                                       \
         node_ < (f_)->s->nodes + (f_)->s->n_nodes; node_++)

/* Texts begin with what they are about. */
#define IP_OF(vip_)                                                                                \
    char ip[IP_TEXT_MAX];                                                                          \
    ip_format(&(vip_)->ip, ip)

static bool is_news(const struct snapshot_node *node, const struct snapshot_view *view)
{
    return node->role != SNAPSHOT_ROLE_LOST && view->age_us >= 0 &&
           view->age_us <= RECORD_AGE_LIMIT_US;
}

/* The node whose link has the MAC, or NULL. Only main links are known here, so that a VIP's own
 * holder is compared first. */
static const char *owner_of(const struct snapshot *s, const struct snapshot_vip *vip,
                            const char *mac)
{
    if (vip->mac[0] && strcmp(vip->mac, mac) == 0)
        return vip->holder;
    for (unsigned i = 0; i < s->n_nodes; i++)
        if (strcmp(s->nodes[i].mac, mac) == 0)
            return s->nodes[i].name;
    return NULL;
}

static void no_owner(struct finder *f)
{
    EACH_VIP(f, vip)
    {
        IP_OF(vip);
        if (vip->state == SNAPSHOT_VIP_FREE)
            raise_alert(f, &vip->ip, "", "%s has no owner, and nobody waits for it", ip);
    }
}

static void duplicate(struct finder *f)
{
    EACH_VIP(f, vip)
    {
        IP_OF(vip);
        if (vip->state != SNAPSHOT_VIP_DUP || vip->n_macs < 2)
            continue;
        const char *one = owner_of(f->s, vip, vip->macs[0]),
                   *two = owner_of(f->s, vip, vip->macs[1]);
        raise_alert(f, &vip->ip, "", "%s answers from %u MACs: %.30s (%s) and %.30s (%s)", ip,
                    vip->n_macs, one ? one : "unknown", vip->macs[0], two ? two : "unknown",
                    vip->macs[1]);
    }
}

static void silent(struct finder *f)
{
    EACH_VIP(f, vip)
    {
        IP_OF(vip);
        if (vip->state == SNAPSHOT_VIP_SILENT)
            raise_alert(f, &vip->ip, vip->holder, "%s is held by %.30s, but nobody answers for it",
                        ip, vip->holder);
    }
}

static void old_entry(struct finder *f)
{
    EACH_VIP(f, vip)
    {
        IP_OF(vip);
        EACH_NODE(f, node)
        {
            const struct snapshot_view *v = snapshot_find_view(node, &vip->ip);
            if (!v || v->verdict != SNAPSHOT_VIEW_WRONG || !is_news(node, v))
                continue;
            const char *owner = owner_of(f->s, vip, v->mac);
            if (owner)
                raise_alert(f, &vip->ip, node->name, "%.30s still sends %s to %.30s (old MAC %s)",
                            node->name, ip, owner, v->mac);
        }
    }
}

/* The owner before said that it goes, on purpose, and the next one has had no time yet. */
static bool is_handover(const struct snapshot *s, const struct snapshot_vip *vip)
{
    int64_t previous = 0;
    for (unsigned i = 0; i < s->n_history; i++)
        if (ip_equal(&s->history[i].vip, &vip->ip) && s->history[i].epoch < vip->epoch &&
            s->history[i].epoch > previous)
            previous = s->history[i].epoch;
    return previous && vip->released_epoch == previous && vip->since_us >= 0 &&
           vip->since_us < HANDOVER_US &&
           (strcmp(vip->released_cause, "resign") == 0 ||
            strcmp(vip->released_cause, "shutdown") == 0);
}

static void outage(struct finder *f)
{
    const struct snapshot *s = f->s;
    EACH_VIP(f, vip)
    {
        IP_OF(vip);
        const struct snapshot_move *open = NULL;
        for (unsigned i = 0; i < s->n_history && !open; i++)
            if (s->history[i].is_outage_open && s->history[i].epoch == vip->epoch &&
                ip_equal(&s->history[i].vip, &vip->ip))
                open = &s->history[i];
        if ((vip->state != SNAPSHOT_VIP_MOVING && !open) || is_handover(s, vip))
            continue;
        if (vip->holder[0])
            raise_alert(f, &vip->ip, vip->holder, "%s is on its way to %.30s", ip, vip->holder);
        else
            raise_alert(f, &vip->ip, "", "%s has lost its owner just now", ip);
    }
}

static bool is_alive(const struct snapshot_node *node)
{
    return node->role != SNAPSHOT_ROLE_LOST && node->role != SNAPSHOT_ROLE_OBSERVER;
}

static int64_t late_after(const struct snapshot_node *node)
{
    return node->granted_us / 3 + WHOLE_SECOND_US;
}

/* Waits in a queue, and will not renew any more: two thirds of its lease have passed. */
static bool is_ghost(const struct snapshot_node *node)
{
    return is_alive(node) && node->position > 0 && node->granted_us > 0 &&
           node->renewed_us > node->granted_us * 2 / 3 + WHOLE_SECOND_US;
}

static void late(struct finder *f)
{
    EACH_NODE(f, node)
    if (is_alive(node) && node->granted_us > 0 && node->renewed_us > late_after(node) &&
        !is_ghost(node))
        raise_alert(f, NULL, node->name,
                    "%.60s renewed its lease %" PRId64 ".%" PRId64 "s ago (limit %" PRId64
                    ".%" PRId64 "s)",
                    node->name, node->renewed_us / 1000000, node->renewed_us / 100000 % 10,
                    late_after(node) / 1000000, late_after(node) / 100000 % 10);
}

static int compare_offsets(const void *a, const void *b)
{
    const struct snapshot_node *x = *(const struct snapshot_node *const *)a,
                               *y = *(const struct snapshot_node *const *)b;
    return (x->clock_offset_us > y->clock_offset_us) - (x->clock_offset_us < y->clock_offset_us);
}

/* Compared with the node in the middle: this host's own clock may be the wrong one. Where there is
 * no middle, this host's is the other one. */
static void clocks(struct finder *f)
{
    const struct snapshot_node *known[SNAPSHOT_NODES_MAX];
    unsigned n = 0;
    EACH_NODE(f, node)
    if (is_alive(node) && node->is_clock_known && node->age_us >= 0)
        known[n++] = node;
    if (n == 0)
        return;
    qsort(known, n, sizeof(known[0]), compare_offsets);
    const struct snapshot_node *middle = n > 2 ? known[n / 2] : NULL;
    for (unsigned i = 0; i < n; i++) {
        int64_t off = known[i]->clock_offset_us - (middle ? middle->clock_offset_us : 0);
        int64_t by = off < 0 ? -off : off;
        if (by > CLOCK_LIMIT_US)
            raise_alert(f, NULL, known[i]->name,
                        "%.40s: clock %" PRId64 "%s %s %.40s (limit 500ms)", known[i]->name,
                        by < 10000000 ? by / 1000 : by / 1000000, by < 10000000 ? "ms" : "s",
                        off < 0 ? "behind" : "ahead of", middle ? middle->name : "this host");
    }
}

static void flapping(struct finder *f)
{
    const struct snapshot *s = f->s;
    EACH_VIP(f, vip)
    {
        IP_OF(vip);
        unsigned n = 0;
        for (unsigned i = 0; i < s->n_history; i++)
            n += ip_equal(&s->history[i].vip, &vip->ip) && s->history[i].from[0] &&
                 !snapshot_move_stays(&s->history[i]) &&
                 s->history[i].wall_us + FLAP_US > s->wall_us;
        if (n >= FLAP_MOVES)
            raise_alert(f, &vip->ip, "", "%s moved %u times in 10 minutes", ip, n);
    }
}

static void ghosts(struct finder *f)
{
    EACH_NODE(f, node)
    if (is_ghost(node))
        raise_alert(f, NULL, node->name,
                    "%.60s waits in the queue, but renewed its lease %" PRId64 "s ago", node->name,
                    node->renewed_us / 1000000);
}

static void unreachable(struct finder *f)
{
    const struct snapshot_etcd *etcd = &f->s->etcd;
    struct snapshot_alert *a = NULL;
    const char *last = etcd->n_members ? etcd->members[etcd->n_members - 1].error : etcd->error;
    if (etcd->state == SNAPSHOT_ETCD_NO_QUORUM && snapshot_members_unknown(etcd) > 0)
        a = raise_alert(f, NULL, "", "etcd has no quorum: reads that need it fail");
    else if (etcd->state == SNAPSHOT_ETCD_NO_QUORUM)
        a = raise_alert(f, NULL, "", "etcd has no quorum: %u of %u members answer, %u are needed",
                        etcd->n_healthy, etcd->n_members, etcd->quorum);
    else if (etcd->state == SNAPSHOT_ETCD_UNREACHABLE)
        a = raise_alert(f, NULL, "", "etcd unreachable (%u endpoint%s; last: %.80s)",
                        etcd->n_members, etcd->n_members == 1 ? "" : "s", last);
    if (a && etcd->age_us > 0)
        a->since_us = etcd->age_us;
}

static void no_tolerance(struct finder *f)
{
    const struct snapshot_etcd *etcd = &f->s->etcd;
    const struct snapshot_member *down = NULL;
    if (etcd->state != SNAPSHOT_ETCD_DEGRADED)
        return;
    for (unsigned i = 0; i < etcd->n_members; i++) {
        const struct snapshot_member *m = &etcd->members[i];
        if (!m->is_healthy && m->is_asked && !m->is_learner)
            down = m;
    }
    if (down && snapshot_members_spare(etcd) == 0)
        raise_alert(f, NULL, "", "etcd member %.40s unreachable; no further member may fail",
                    down->name);
}

static void even(struct finder *f)
{
    unsigned voters = 0;
    bool is_listed = f->s->etcd.n_members > 0;
    for (unsigned i = 0; i < f->s->etcd.n_members; i++) {
        voters += !f->s->etcd.members[i].is_learner;
        is_listed = is_listed && f->s->etcd.members[i].id != 0;
    }
    if (is_listed && voters % 2 == 0)
        raise_alert(f, NULL, "", "etcd has %u members: an even number bears no more failures",
                    voters);
}

static void no_standby(struct finder *f)
{
    EACH_VIP(f, vip)
    {
        IP_OF(vip);
        if (vip->holder[0] && vip->n_queue == 0 && vip->state != SNAPSHOT_VIP_STALE)
            raise_alert(f, &vip->ip, vip->holder, "%s: nobody waits behind %.60s", ip, vip->holder);
    }
}

static void versions(struct finder *f)
{
    const struct snapshot_node *first = NULL;
    EACH_NODE(f, node)
    {
        if (!node->has_agent || !is_alive(node) || !node->agent[0])
            continue;
        if (!first)
            first = node;
        else if (strcmp(first->agent, node->agent) != 0) {
            raise_alert(f, NULL, node->name, "%.30s runs %s, %.30s runs %s", node->name,
                        node->agent, first->name, first->agent);
            return;
        }
    }
}

/* The worst one is enough: an alarm holds for all members. */
static void database(struct finder *f)
{
    const struct snapshot_etcd *etcd = &f->s->etcd;
    const struct snapshot_member *full = NULL;
    for (unsigned i = 0; i < etcd->n_members; i++) {
        const struct snapshot_member *m = &etcd->members[i];
        if (m->is_healthy && m->alarm[0]) {
            raise_alert(f, NULL, "", "etcd member %.40s has the alarm %s", m->name, m->alarm);
            return;
        }
        if (m->is_healthy && m->quota_bytes > 0 && m->db_bytes > m->quota_bytes / 5 * 4)
            full = m;
    }
    if (full)
        raise_alert(f, NULL, "", "etcd member %.40s: database at %" PRId64 " %% of its quota",
                    full->name, full->db_bytes / (full->quota_bytes / 100 + 1))
            ->severity = SNAPSHOT_WARN;
}

static void not_holder(struct finder *f)
{
    EACH_VIP(f, vip)
    {
        IP_OF(vip);
        EACH_NODE(f, node)
        {
            const struct snapshot_view *v = snapshot_find_view(node, &vip->ip);
            if (v && v->has_address && strcmp(node->name, vip->holder) != 0 &&
                node->role != SNAPSHOT_ROLE_LOST && vip->state != SNAPSHOT_VIP_STALE)
                raise_alert(f, &vip->ip, node->name, "%s is set on %.40s, which does not hold it",
                            ip, node->name);
        }
    }
}

static void foreign(struct finder *f)
{
    EACH_VIP(f, vip)
    {
        IP_OF(vip);
        for (unsigned i = 0; vip->holder_has_agent && vip->mac[0] && i < vip->n_macs; i++)
            if (!owner_of(f->s, vip, vip->macs[i]))
                raise_alert(f, &vip->ip, "", "%s: %s answers, which is no node's MAC", ip,
                            vip->macs[i]);
    }
}

static const struct {
    const char *id;
    void (*find)(struct finder *);
    bool needs_etcd; /* says nothing about what was true some time ago */
} finders[] = {
    {"TVA01", no_owner, true},     {"TVA02", duplicate, false},    {"TVA03", silent, true},
    {"TVA04", old_entry, true},    {"TVA05", outage, true},        {"TVA06", late, true},
    {"TVA07", clocks, true},       {"TVA08", flapping, false},     {"TVA09", ghosts, true},
    {"TVA10", unreachable, false}, {"TVA11", no_tolerance, false}, {"TVA12", even, false},
    {"TVA13", no_standby, true},   {"TVA14", versions, false},     {"TVA15", database, false},
    {"TVA16", not_holder, true},   {"TVA17", foreign, true},
};

static enum snapshot_severity severity_of(const char *id)
{
    size_t n;
    const struct alert_kind *table = alert_table(&n);
    for (size_t i = 0; i < n; i++)
        if (strcmp(table[i].id, id) == 0)
            return table[i].severity;
    return SNAPSHOT_WARN;
}

int alerts_find(struct snapshot *s)
{
    bool is_stale = s->age_us < 0 || s->age_us > ALERT_STALE_US;
    struct snapshot_alert *list = calloc(SNAPSHOT_ALERTS_MAX, sizeof(*list));
    if (!list)
        return -ENOMEM;
    free(s->alerts);
    s->alerts = list;
    s->n_alerts = 0;
    for (size_t i = 0; i < sizeof(finders) / sizeof(finders[0]); i++) {
        struct finder f = {.s = s, .id = finders[i].id, .severity = severity_of(finders[i].id)};
        if (!is_stale || !finders[i].needs_etcd)
            finders[i].find(&f);
    }
    return 0;
}
