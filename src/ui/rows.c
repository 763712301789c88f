/* SPDX-License-Identifier: MIT */
#include "rows.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "base/clock.h"
#include "model.h"

unsigned rows_count(const struct model *model, enum panel panel)
{
    const struct snapshot *s = &model->shown;
    unsigned n = 0;
    switch (panel) {
    case PANEL_VIPS:
        n = s->n_vips;
        break;
    case PANEL_NODES:
        n = s->n_nodes;
        break;
    case PANEL_MOVES:
        n = s->n_history;
        break;
    case PANEL_ALERTS:
        while (n < s->n_alerts && s->alerts[n].cleared_us < 0)
            n++;
        break;
    case PANEL_EVENTS:
        n = model_event_count(model);
        break;
    case PANEL_MEMBERS:
        n = s->etcd.n_members;
        break;
    case PANEL_COUNT:
        break;
    }
    return n < ROWS_MAX ? n : ROWS_MAX;
}

void rows_key(const struct model *model, enum panel panel, unsigned index, char out[ROWS_KEY_MAX])
{
    const struct snapshot *s = &model->shown;
    char ip[IP_TEXT_MAX];
    *out = '\0';
    switch (panel) {
    case PANEL_VIPS:
        ip_format(&s->vips[index].ip, out);
        break;
    case PANEL_NODES:
        snprintf(out, ROWS_KEY_MAX, "%s", s->nodes[index].name);
        break;
    case PANEL_MOVES:
        ip_format(&s->history[index].vip, ip);
        snprintf(out, ROWS_KEY_MAX, "%s %" PRId64 " %" PRIu64, ip, s->history[index].epoch,
                 s->history[index].wall_us);
        break;
    case PANEL_ALERTS:
        ip_format(&s->alerts[index].vip, ip);
        snprintf(out, ROWS_KEY_MAX, "%s %s %s", s->alerts[index].id, ip, s->alerts[index].node);
        break;
    case PANEL_EVENTS: /* its number among all that there were */
        snprintf(out, ROWS_KEY_MAX, "%u", model->n_events - 1 - index);
        break;
    case PANEL_MEMBERS:
        snprintf(out, ROWS_KEY_MAX, "%s %s", s->etcd.members[index].name,
                 s->etcd.members[index].endpoint);
        break;
    case PANEL_COUNT:
        break;
    }
}

static void field(struct buf *out, const char *name, const char *value)
{
    if (*value == '\0')
        return;
    const char *quote = strpbrk(value, " =\"") ? "\"" : "";
    buf_printf(out, "%s%s=%s", out->len > 0 ? " " : "", name, quote);
    for (; *value; value++)
        buf_putc(out, *value == '"' ? '\'' : *value);
    buf_puts(out, quote);
}

static void field_ms(struct buf *out, const char *name, int64_t us)
{
    char text[24];
    snprintf(text, sizeof(text), "%" PRId64, us / 1000);
    if (us >= 0)
        field(out, name, text);
}

static void field_ip(struct buf *out, const struct ip *ip)
{
    char text[IP_TEXT_MAX];
    ip_format(ip, text);
    if (ip->family != IP_NONE)
        field(out, "vip", text);
}

static void vip_text(const struct snapshot_vip *vip, struct buf *out)
{
    char text[64];
    field_ip(out, &vip->ip);
    field(out, "state", snapshot_vip_state_name(vip->state));
    field(out, "holder", vip->holder);
    field(out, "iface", vip->iface);
    field(out, "mac", vip->mac);
    field_ms(out, "since_ms", vip->since_us);
    if (vip->lease) {
        snprintf(text, sizeof(text), "%" PRIx64, (uint64_t)vip->lease);
        field(out, "lease", text);
    }
    field_ms(out, "remaining_ms", vip->remaining_us);
    field_ms(out, "granted_ms", vip->granted_us);
    for (unsigned i = 0; i < vip->n_queue; i++)
        field(out, i == 0 ? "next" : "then", vip->queue[i]);
    snprintf(text, sizeof(text), "%u/%u", vip->agree, vip->observers);
    field(out, "arp", text);
}

static void node_text(const struct snapshot_node *node, struct buf *out)
{
    field(out, "node", node->name);
    field(out, "role", snapshot_role_name(node->role));
    field(out, "address", node->address);
    field(out, "iface", node->iface);
    field(out, "link", !node->is_link_known ? "" : node->is_link_up ? "up" : "down");
    field_ms(out, "renewed_ms", node->renewed_us);
    field_ms(out, "latency_ms", node->latency_us);
    field_ms(out, "p99_ms", node->p99_us);
    field(out, "agent", node->agent);
}

static void move_text(const struct snapshot_move *move, struct buf *out)
{
    char time[CLOCK_TEXT_MAX];
    clock_format_utc(move->wall_us, time);
    field(out, "time", time);
    field_ip(out, &move->vip);
    field(out, "from", move->from);
    field(out, "to", move->to);
    field(out, "cause", move->cause);
    field(out, "detail", move->detail);
    field_ms(out, "outage_ms", move->outage_us);
    field(out, "note", move->note);
}

static void member_text(const struct snapshot_member *member, struct buf *out)
{
    field(out, "member", member->name);
    field(out, "endpoint", member->endpoint);
    field(out, "role", member->is_leader ? "leader" : member->is_learner ? "learner" : "follower");
    field(out, "health", snapshot_member_health(member));
    field(out, "version", member->version);
    field(out, "alarm", member->alarm);
}

void rows_text(const struct model *model, enum panel panel, unsigned index, struct buf *out)
{
    const struct snapshot *s = &model->shown;
    if (panel == PANEL_VIPS) {
        vip_text(&s->vips[index], out);
    } else if (panel == PANEL_NODES) {
        node_text(&s->nodes[index], out);
    } else if (panel == PANEL_MOVES) {
        move_text(&s->history[index], out);
    } else if (panel == PANEL_MEMBERS) {
        member_text(&s->etcd.members[index], out);
    } else if (panel == PANEL_ALERTS) {
        const struct snapshot_alert *alert = &s->alerts[index];
        field(out, "id", alert->id);
        field(out, "severity", snapshot_severity_name(alert->severity));
        field_ip(out, &alert->vip);
        field(out, "node", alert->node);
        field(out, "text", alert->text);
    } else if (panel == PANEL_EVENTS) {
        const struct event *event = model_event(model, index);
        char time[CLOCK_TEXT_MAX];
        clock_format_utc(event->wall_us, time);
        field(out, "time", time);
        field_ip(out, &event->vip);
        field(out, "event", event_kind_name(event->kind));
        field(out, "node", event->node);
        field(out, "severity", snapshot_severity_name(event->severity));
        field(out, "text", event->text);
    }
}
