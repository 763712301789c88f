/* SPDX-License-Identifier: MIT */
#include "status_snapshot.h"

#include "span.h"

#include "base/text.h"

#include <inttypes.h>
#include <string.h>

static void add_upper(const char *word, const struct style *style, enum style_tone tone,
                      struct buf *out)
{
    char text[STYLE_WORD_MAX];
    style_upper(word, text);
    style_add(style, tone, text, out);
}

void status_cause(const struct snapshot_move *move, struct buf *out)
{
    char cause[sizeof(move->cause)];
    size_t n = 0;
    for (; move->cause[n]; n++)
        cause[n] = move->cause[n] == '_' ? ' ' : move->cause[n];
    cause[n] = '\0';
    text_add_plain(out, cause);
    if (move->detail[0]) {
        buf_puts(out, strncmp(move->detail, "by ", 3) == 0 ? " "
                      : snapshot_move_stays(move)          ? "; "
                                                           : ": ");
        text_add_plain(out, move->detail);
    }
}

void status_outage(const struct snapshot_move *move, const struct style *style, struct buf *out)
{
    if (move->is_outage_open) {
        buf_puts(out, "ongoing");
    } else if (move->outage_us < 0) {
        buf_puts(out, "-");
    } else {
        buf_puts(out, move->is_outage_estimated ? "~" : "");
        span_seconds(out, move->outage_us);
        if (!move->is_outage_estimated && move->error_us >= 0) {
            buf_printf(out, " %s", style_plus_minus(style));
            span_seconds(out, move->error_us);
        }
    }
}

static enum style_tone tone_of(enum snapshot_vip_state state)
{
    switch (state) {
    case SNAPSHOT_VIP_HELD:
        return STYLE_GOOD;
    case SNAPSHOT_VIP_MOVING:
        return STYLE_WARN;
    case SNAPSHOT_VIP_STALE:
        return STYLE_DIM;
    default:
        return STYLE_CRIT;
    }
}

static void add_head(const struct snapshot *s, const struct snapshot_vip *vip,
                     const struct style *style, struct buf *out)
{
    char ip[IP_TEXT_MAX];
    bool is_stale = vip->state == SNAPSHOT_VIP_STALE;
    ip_format(&vip->ip, ip);
    buf_printf(out, "%s  ", ip);
    add_upper(snapshot_vip_state_name(vip->state), style, tone_of(vip->state), out);
    if (vip->holder[0]) {
        buf_puts(out, is_stale                            ? ", last known holder ("
                      : vip->state == SNAPSHOT_VIP_MOVING ? " to "
                                                          : " by ");
        text_add_plain(out, vip->holder);
        buf_puts(out, is_stale ? ")" : "");
        if (is_stale && s->age_us >= 0) {
            buf_puts(out, ", ");
            span_words(out, s->age_us / 1000);
            buf_puts(out, " ago");
        }
    }
    if (vip->iface[0] && !is_stale) {
        buf_puts(out, " (");
        text_add_plain(out, vip->iface);
        buf_puts(out, vip->mac[0] ? ", " : "");
        text_add_plain(out, vip->mac);
        buf_puts(out, ")");
    }
    bool is_telling = !vip->is_since_at_least || vip->since_us >= 1000000;
    if (vip->since_us >= 0 && vip->holder[0] && !is_stale && is_telling) {
        buf_puts(out, vip->is_since_at_least ? " for at least " : " for ");
        span_words(out, vip->since_us / 1000);
    }
    buf_putc(out, '\n');
}

static void add_lease(const struct snapshot *s, const struct snapshot_vip *vip, struct buf *out)
{
    const struct snapshot_node *holder = snapshot_find_node(s, vip->holder);
    int64_t left = vip->remaining_us / 1000000;
    if (!vip->holder[0] || vip->state == SNAPSHOT_VIP_STALE)
        return;
    buf_puts(out, "  lease      ");
    if (vip->remaining_us < 0)
        buf_puts(out, "not known");
    else if (vip->holder_has_agent)
        buf_printf(out, "%" PRId64 "s of %" PRId64 "s left", left, vip->granted_us / 1000000);
    else
        buf_printf(out, "%" PRId64 "-%" PRId64 "s of %" PRId64 "s left", left, left + 1,
                   vip->granted_us / 1000000);
    if (vip->holder_has_agent && vip->renewed_us >= 0) {
        buf_puts(out, ", renewed ");
        span_words(out, vip->renewed_us / 1000);
        buf_puts(out, " ago");
        if (holder && holder->latency_us >= 0) {
            buf_puts(out, " in ");
            if (holder->latency_us < 1000)
                buf_printf(out, "0.%" PRId64 " ms", holder->latency_us / 100);
            else
                span_words(out, holder->latency_us / 1000);
        }
    }
    buf_putc(out, '\n');
}

static void add_wire(const struct snapshot_vip *vip, struct buf *out)
{
    buf_puts(out, "  on wire    ");
    if (vip->n_macs > 1) {
        buf_printf(out, "%u stations answer:", vip->n_macs);
        for (unsigned i = 0; i < vip->n_macs; i++) {
            buf_puts(out, i ? ", " : " ");
            text_add_plain(out, vip->macs[i]);
        }
    } else if (vip->observers == 0) {
        buf_puts(out, "nobody looked");
    } else if (vip->state == SNAPSHOT_VIP_SILENT) {
        buf_printf(out, "nobody answers, %u node%s asked", vip->observers,
                   vip->observers == 1 ? "" : "s");
    } else {
        buf_printf(out, "%u of %u node%s see%s ", vip->agree, vip->observers,
                   vip->observers == 1 ? "" : "s", vip->observers == 1 ? "s" : "");
        text_add_plain(out, vip->holder[0] ? vip->holder : "it");
    }
    buf_putc(out, '\n');
}

static void add_queue(const struct snapshot_vip *vip, struct buf *out)
{
    buf_puts(out, "  queue      ");
    if (vip->n_queue == 0)
        buf_puts(out, "nobody waits");
    for (unsigned i = 0; i < vip->n_queue; i++) {
        buf_puts(out, i ? ", " : "");
        text_add_plain(out, vip->queue[i]);
    }
    buf_putc(out, '\n');
}

static void add_move(const struct snapshot *s, const struct snapshot_vip *vip,
                     const struct style *style, struct buf *out)
{
    const struct snapshot_move *m = snapshot_last_move(s, &vip->ip);
    if (!m)
        return;
    buf_puts(out, "  last move  ");
    span_day(out, m->wall_us, s->wall_us, style->is_local_time);
    buf_puts(out, "  ");
    text_add_plain(out, m->from[0] ? m->from : "(none)");
    buf_printf(out, " %s ", style_arrow(style));
    text_add_plain(out, m->to[0] ? m->to : "(none)");
    buf_puts(out, "  ");
    status_cause(m, out);
    if (m->outage_us >= 0 || m->is_outage_open) {
        buf_puts(out, "  ");
        status_outage(m, style, out);
    }
    buf_putc(out, '\n');
}

void status_pauses(const struct snapshot *s, const struct style *style, struct buf *out)
{
    for (unsigned i = 0; i < s->n_vips; i++) {
        const struct snapshot_vip *vip = &s->vips[i];
        char ip[IP_TEXT_MAX];
        if (!vip->is_paused)
            continue;
        ip_format(&vip->ip, ip);
        style_add(style, STYLE_WARN, "PAUSED", out);
        buf_printf(out, " %s by ", ip);
        text_add_plain(out, vip->paused_by[0] ? vip->paused_by : "somebody");
        if (vip->paused_us >= 0) {
            buf_puts(out, " since ");
            span_time(out, s->wall_us - (uint64_t)vip->paused_us, style->is_local_time);
        }
        if (vip->paused_reason[0]) {
            buf_puts(out, ": ");
            text_add_plain(out, vip->paused_reason);
        }
        buf_putc(out, '\n');
    }
}

static const char *tolerance(const struct snapshot_etcd *etcd)
{
    int spare = snapshot_members_spare(etcd);
    bool is_listed = etcd->n_members > 0 && etcd->members[0].id != 0;
    return !is_listed || spare < 0          ? ""
           : snapshot_members_too_few(etcd) ? ", too few answer"
           : spare == 0                     ? ", none may fail"
           : spare == 1                     ? ", one more may fail"
           : spare == 2                     ? ", two more may fail"
                                            : ", several may fail";
}

static void add_etcd(const struct snapshot *s, const struct style *style, struct buf *out)
{
    const struct snapshot_etcd *etcd = &s->etcd;
    enum style_tone tone = etcd->state == SNAPSHOT_ETCD_OK         ? STYLE_GOOD
                           : etcd->state == SNAPSHOT_ETCD_DEGRADED ? STYLE_WARN
                                                                   : STYLE_CRIT;
    buf_puts(out, "etcd ");
    add_upper(snapshot_etcd_state_name(etcd->state), style, tone, out);
    buf_printf(out, "    %u/%u members", etcd->n_healthy, etcd->n_members);
    unsigned unknown = snapshot_members_unknown(etcd);
    if (unknown)
        buf_printf(out, ", %u unknown", unknown);
    if (etcd->leader[0]) {
        buf_puts(out, ", leader ");
        text_add_plain(out, etcd->leader);
    }
    if (etcd->term >= 0)
        buf_printf(out, ", term %" PRId64, etcd->term);
    if (etcd->state == SNAPSHOT_ETCD_OK || etcd->state == SNAPSHOT_ETCD_DEGRADED)
        buf_puts(out, tolerance(etcd));
    buf_putc(out, '\n');
    for (unsigned i = 0; i < etcd->n_members; i++) {
        const struct snapshot_member *m = &etcd->members[i];
        if (m->is_healthy)
            continue;
        buf_puts(out, "  ");
        text_add_plain(out, m->name);
        if (!strstr(m->endpoint, m->name)) {
            buf_puts(out, "  ");
            text_add_plain(out, m->endpoint);
        }
        buf_puts(out, "  ");
        text_add_plain(out, m->is_asked || m->error[0] ? m->error : "no answer yet");
        buf_putc(out, '\n');
    }
}

static void add_alerts(const struct snapshot *s, const struct style *style, struct buf *out)
{
    for (unsigned i = 0; i < s->n_alerts; i++) {
        const struct snapshot_alert *a = &s->alerts[i];
        if (a->cleared_us >= 0)
            continue;
        style_add(style,
                  a->severity == SNAPSHOT_CRIT   ? STYLE_CRIT
                  : a->severity == SNAPSHOT_WARN ? STYLE_WARN
                                                 : STYLE_DIM,
                  snapshot_severity_word(a->severity), out);
        buf_printf(out, " %s ", a->id);
        text_add_plain(out, a->text);
        buf_putc(out, '\n');
    }
}

void status_human(const struct snapshot *s, const struct style *style, struct buf *out)
{
    status_pauses(s, style, out);
    for (unsigned i = 0; i < s->n_vips; i++) {
        const struct snapshot_vip *vip = &s->vips[i];
        add_head(s, vip, style, out);
        add_lease(s, vip, out);
        if (vip->state != SNAPSHOT_VIP_STALE && vip->state != SNAPSHOT_VIP_FREE)
            add_wire(vip, out);
        if (vip->state != SNAPSHOT_VIP_STALE)
            add_queue(vip, out);
        add_move(s, vip, style, out);
        buf_putc(out, '\n');
    }
    if (s->n_vips == 0 && s->age_us >= 0)
        buf_puts(out, "no address: nobody is in an election, and no agent has one\n\n");
    add_etcd(s, style, out);
    add_alerts(s, style, out);
}
