/* SPDX-License-Identifier: MIT */
#include "cluster/events.h"

#include "base/fields.h"
#include "base/text.h"
#include "snapshot_fields.h"

#include <errno.h>
#include <inttypes.h>
#include <json-c/json.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#define GAP_US INT64_C(2000000) /* less is the way things are */

static const char *const names[EVENT_KINDS] = {
    [EVENT_LOST] = "LOST",       [EVENT_HELD] = "HELD",       [EVENT_MOVED] = "MOVED",
    [EVENT_DUP] = "DUP",         [EVENT_SILENT] = "SILENT",   [EVENT_CLEAN] = "CLEAN",
    [EVENT_PAUSED] = "PAUSED",   [EVENT_RESUMED] = "RESUMED", [EVENT_RAISED] = "RAISED",
    [EVENT_CLEARED] = "CLEARED", [EVENT_DOWN] = "DOWN",       [EVENT_UP] = "UP",
    [EVENT_GAP] = "GAP",         [EVENT_JOINED] = "JOINED",   [EVENT_LEFT] = "LEFT",
    [EVENT_LEADER] = "LEADER",
};

const char *event_kind_name(enum event_kind kind)
{
    return (size_t)kind < EVENT_KINDS ? names[kind] : "?";
}

struct teller {
    const struct snapshot *before, *after;
    struct event *out;
    size_t n;
    struct event dropped;
};

static struct event *tell(struct teller *t, enum event_kind kind, enum snapshot_severity severity,
                          const struct ip *vip, const char *fmt, ...)
    __attribute__((format(printf, 5, 6)));
static struct event *tell(struct teller *t, enum event_kind kind, enum snapshot_severity severity,
                          const struct ip *vip, const char *fmt, ...)
{
    struct event *e = t->n < EVENTS_MAX ? &t->out[t->n++] : &t->dropped;
    va_list ap;
    *e = (struct event){
        .kind = kind, .severity = severity, .wall_us = t->after->wall_us, .outage_us = -1};
    if (vip)
        e->vip = *vip;
    va_start(ap, fmt);
    vsnprintf(e->text, sizeof(e->text), fmt, ap);
    va_end(ap);
    text_copy(e->text, sizeof(e->text), e->text); /* names were cut */
    return e;
}

#define COPY(to_, from_) snprintf(to_, sizeof(to_), "%s", from_)

static const struct snapshot_move *move_of(const struct snapshot *s, const struct ip *vip,
                                           int64_t epoch)
{
    for (unsigned i = 0; i < s->n_history; i++)
        if (s->history[i].epoch == epoch && !snapshot_move_stays(&s->history[i]) &&
            ip_equal(&s->history[i].vip, vip))
            return &s->history[i];
    return NULL;
}

/* A key that is the first of its election and as old as before was it all the time. */
static bool is_all_as_before(const struct teller *t)
{
    for (unsigned i = 0; i < t->after->n_vips; i++) {
        const struct snapshot_vip *now = &t->after->vips[i];
        const struct snapshot_vip *was = snapshot_find_vip(t->before, &now->ip);
        if (!was || was->epoch != now->epoch || !now->epoch)
            return false;
    }
    return t->after->n_vips == t->before->n_vips;
}

static void tell_gap(struct teller *t)
{
    const struct snapshot *a = t->before, *b = t->after;
    if (a->age_us > GAP_US && b->age_us >= 0 && b->age_us < a->age_us)
        tell(t, EVENT_GAP, SNAPSHOT_WARN, NULL,
             "etcd did not answer for %" PRId64 ".%" PRId64 "s, resumed at revision %" PRId64
             ", %s",
             a->age_us / 1000000, a->age_us / 100000 % 10, b->etcd.revision,
             is_all_as_before(t) ? "nothing moved" : "moves meanwhile: only those on record");
}

static const struct snapshot_member *find_member(const struct snapshot_etcd *etcd, uint64_t id)
{
    for (unsigned i = 0; i < etcd->n_members; i++)
        if (etcd->members[i].id == id)
            return &etcd->members[i];
    return NULL;
}

static void tell_members(struct teller *t)
{
    for (unsigned i = 0; i < t->after->etcd.n_members; i++) {
        const struct snapshot_member *now = &t->after->etcd.members[i];
        const struct snapshot_member *was = find_member(&t->before->etcd, now->id);
        if (!was || !was->is_asked || !now->is_asked || was->is_healthy == now->is_healthy)
            continue;
        struct event *e = now->is_healthy ? tell(t, EVENT_UP, SNAPSHOT_INFO, NULL,
                                                 "etcd member %s answers again", now->name)
                                          : tell(t, EVENT_DOWN, SNAPSHOT_WARN, NULL,
                                                 "etcd member %.60s: %.80s", now->name, now->error);
        COPY(e->node, now->name);
    }
}

static void tell_leader(struct teller *t)
{
    const struct snapshot_etcd *now = &t->after->etcd;
    const char *before = now->leader_before;
    if (now->leader_changes <= t->before->etcd.leader_changes)
        return;
    bool is_again = strcmp(before, now->leader) == 0;
    struct event *e =
        tell(t, EVENT_LEADER, SNAPSHOT_INFO, NULL, "etcd leader %.50s%s%.50s, term %" PRId64,
             before, is_again ? " again" : " -> ", is_again ? "" : now->leader, now->term);
    COPY(e->node, now->leader);
    COPY(e->from, before);
    COPY(e->to, now->leader);
}

static void tell_nodes(struct teller *t)
{
    for (unsigned i = 0; i < t->after->n_nodes; i++) {
        const struct snapshot_node *now = &t->after->nodes[i];
        const struct snapshot_node *was = snapshot_find_node(t->before, now->name);
        bool is_up = now->has_agent && now->role != SNAPSHOT_ROLE_LOST;
        bool was_up = was && was->has_agent && was->role != SNAPSHOT_ROLE_LOST;
        if (is_up == was_up || !now->has_agent)
            continue;
        struct event *e =
            is_up ? tell(t, EVENT_JOINED, SNAPSHOT_INFO, NULL, "agent on %s (%s)", now->name,
                         now->agent)
                  : tell(t, EVENT_LEFT, SNAPSHOT_WARN, NULL, "agent on %s is gone", now->name);
        COPY(e->node, now->name);
    }
}

static bool is_set(const struct snapshot_vip *vip)
{
    return vip->state == SNAPSHOT_VIP_HELD || vip->state == SNAPSHOT_VIP_DUP ||
           vip->state == SNAPSHOT_VIP_SILENT;
}

/* "link_down" in the records, "link down" in texts. */
static void spell(const char *cause, char out[32])
{
    size_t n = 0;
    for (; n < 31 && cause[n]; n++)
        out[n] = cause[n] == '_' ? ' ' : cause[n];
    out[n] = '\0';
}

/* Why the last owner gave up: its own word, the record of whoever took over, or that there was
 * neither. */
static void tell_lost(struct teller *t, const struct snapshot_vip *was,
                      const struct snapshot_vip *now)
{
    const struct snapshot_move *move = now->epoch ? move_of(t->after, &now->ip, now->epoch) : NULL;
    bool has_word = now->released_epoch == was->epoch && now->released_cause[0];
    const char *cause = has_word ? now->released_cause : move ? move->cause : "";
    const char *detail = has_word ? now->released_detail : move ? move->detail : "";
    char words[32];
    spell(cause, words);
    struct event *e =
        tell(t, EVENT_LOST, SNAPSHOT_WARN, &was->ip, "%.60s  %.40s%s%.50s", was->holder,
             words[0] ? words : "its key is gone", detail[0] ? ": " : "", detail);
    COPY(e->node, was->holder);
    COPY(e->from, was->holder);
    COPY(e->to, now->holder);
    COPY(e->cause, cause);
}

static void tell_held(struct teller *t, const struct snapshot_vip *was,
                      const struct snapshot_vip *now)
{
    bool is_new = !was || was->epoch != now->epoch;
    struct event *e = tell(t, EVENT_HELD, SNAPSHOT_INFO, &now->ip, "%s%s%s", now->holder,
                           now->iface[0] ? "  " : "", now->iface);
    COPY(e->node, now->holder);
    COPY(e->to, now->holder);
    if (was && is_new)
        COPY(e->from, was->holder);
}

static void tell_state(struct teller *t, const struct snapshot_vip *was,
                       const struct snapshot_vip *now)
{
    enum snapshot_vip_state before = was ? was->state : SNAPSHOT_VIP_HELD;
    bool was_bad = before == SNAPSHOT_VIP_DUP || before == SNAPSHOT_VIP_SILENT;
    if (now->state == before)
        return;
    if (now->state == SNAPSHOT_VIP_DUP)
        tell(t, EVENT_DUP, SNAPSHOT_CRIT, &now->ip, "%s and %s answer",
             now->n_macs > 0 ? now->macs[0] : "?", now->n_macs > 1 ? now->macs[1] : "?");
    else if (now->state == SNAPSHOT_VIP_SILENT)
        tell(t, EVENT_SILENT, SNAPSHOT_CRIT, &now->ip, "%s holds it, nobody answers", now->holder);
    else if (was_bad && now->state == SNAPSHOT_VIP_HELD)
        tell(t, EVENT_CLEAN, SNAPSHOT_INFO, &now->ip, "%s alone answers again", now->holder);
}

static void tell_pause(struct teller *t, const struct snapshot_vip *was,
                       const struct snapshot_vip *now)
{
    bool was_paused = was && was->is_paused;
    if (now->is_paused && !was_paused)
        tell(t, EVENT_PAUSED, SNAPSHOT_WARN, &now->ip, "by %s%s%.60s", now->paused_by,
             now->paused_reason[0] ? ": " : "", now->paused_reason);
    else if (was_paused && !now->is_paused)
        tell(t, EVENT_RESUMED, SNAPSHOT_INFO, &now->ip, "by whoever asked for it");
}

static void tell_vip(struct teller *t, const struct snapshot_vip *was,
                     const struct snapshot_vip *now)
{
    if (now->state == SNAPSHOT_VIP_STALE)
        return; /* what is known is the last that was known */
    if (was && was->epoch && was->epoch != now->epoch)
        tell_lost(t, was, now);
    if (now->epoch && is_set(now) &&
        (!was || was->epoch != now->epoch || was->state == SNAPSHOT_VIP_MOVING))
        tell_held(t, was, now);
    tell_state(t, was, now);
    tell_pause(t, was, now);
}

static void tell_vips(struct teller *t)
{
    for (unsigned i = 0; i < t->after->n_vips; i++)
        tell_vip(t, snapshot_find_vip(t->before, &t->after->vips[i].ip), &t->after->vips[i]);
}

/* A record is told when it is there, and again when an outage is known that was not. */
static void tell_moves(struct teller *t)
{
    for (unsigned i = t->after->n_history; t->before->is_history_known && i-- > 0;) {
        const struct snapshot_move *m = &t->after->history[i];
        const struct snapshot_move *was = move_of(t->before, &m->vip, m->epoch);
        bool is_measured = m->outage_us >= 0 && !m->is_outage_open;
        if (snapshot_move_stays(m) || (was && (was->outage_us >= 0 || !is_measured)))
            continue;
        char words[32];
        spell(m->cause, words);
        struct event *e =
            tell(t, EVENT_MOVED, m->is_planned ? SNAPSHOT_INFO : SNAPSHOT_WARN, &m->vip,
                 "%.50s -> %.50s  %.40s", m->from[0] ? m->from : "(none)", m->to, words);
        size_t len = strlen(e->text);
        if (is_measured)
            snprintf(e->text + len, sizeof(e->text) - len, "  outage %s%" PRId64 ".%03" PRId64 "s",
                     m->is_outage_estimated ? "~" : "", m->outage_us / 1000000,
                     m->outage_us / 1000 % 1000);
        COPY(e->node, m->to);
        COPY(e->from, m->from);
        COPY(e->to, m->to);
        COPY(e->cause, m->cause);
        e->outage_us = is_measured ? m->outage_us : -1;
    }
}

static bool stands(const struct snapshot *s, const struct snapshot_alert *alert)
{
    for (unsigned i = 0; i < s->n_alerts; i++) {
        const struct snapshot_alert *a = &s->alerts[i];
        if (a->cleared_us < 0 && strcmp(a->id, alert->id) == 0 && ip_equal(&a->vip, &alert->vip) &&
            strcmp(a->node, alert->node) == 0)
            return true;
    }
    return false;
}

/* Those of `s` that do not stand in `other`. */
static void tell_alerts(struct teller *t, enum event_kind kind, const struct snapshot *s,
                        const struct snapshot *other)
{
    for (unsigned i = 0; i < s->n_alerts; i++) {
        const struct snapshot_alert *a = &s->alerts[i];
        if (a->cleared_us >= 0 || stands(other, a))
            continue;
        struct event *e = tell(t, kind, kind == EVENT_CLEARED ? SNAPSHOT_INFO : a->severity,
                               a->vip.family ? &a->vip : NULL, "%s %s", a->id, a->text);
        COPY(e->node, a->node);
        COPY(e->id, a->id);
    }
}

size_t events_between(const struct snapshot *before, const struct snapshot *after,
                      struct event out[EVENTS_MAX])
{
    struct teller t = {.before = before, .after = after, .out = out};
    tell_gap(&t);
    tell_members(&t);
    tell_leader(&t);
    tell_nodes(&t);
    tell_vips(&t);
    tell_moves(&t);
    tell_alerts(&t, EVENT_RAISED, after, before);
    if (after->age_us >= 0 && after->etcd.state != SNAPSHOT_ETCD_UNREACHABLE)
        tell_alerts(&t, EVENT_CLEARED, before, after);
    return t.n;
}

static const char *kind_word(int kind)
{
    return event_kind_name((enum event_kind)kind);
}

static const char *severity_word(int severity)
{
    return snapshot_severity_name((enum snapshot_severity)severity);
}

int event_write(const struct event *event, struct buf *out)
{
#define FIELD(name_, kind_, member_)                                                               \
    .name = (name_), .kind = (kind_), .offset = offsetof(struct event, member_),                   \
    .size = sizeof(((struct event *)NULL)->member_)
    static const struct field list[] = {
        {FIELD("time", FIELD_TIME, wall_us)},
        {FIELD("event", FIELD_WORD, kind), .name_of = kind_word, .max = EVENT_KINDS},
        {FIELD("severity", FIELD_WORD, severity), .name_of = severity_word, .max = 3},
        {FIELD("vip", FIELD_IP_OR_NULL, vip)},
        {FIELD("node", FIELD_TEXT_OR_NULL, node)},
        {FIELD("from", FIELD_TEXT_OR_NULL, from)},
        {FIELD("to", FIELD_TEXT_OR_NULL, to)},
        {FIELD("cause", FIELD_TEXT_OR_NULL, cause)},
        {FIELD("id", FIELD_TEXT_OR_NULL, id)},
        {FIELD("outageMs", FIELD_FINE_MS, outage_us)},
        {FIELD("text", FIELD_TEXT, text)},
    };
    static const struct fields fields = {list, sizeof(list) / sizeof(list[0])};
    struct json_object *o = fields_begin(SNAPSHOT_API_VERSION, "Event");
    return fields_end(o, o ? fields_write(o, &fields, event) : -ENOMEM, out);
}
