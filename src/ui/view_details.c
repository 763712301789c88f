/* SPDX-License-Identifier: MIT */
/* All there is to know of one row, in full length. */
#include "view.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "base/clock.h"
#include "core/peer.h"
#include "words.h"

/* How a duration is written: one of words.h. */
typedef void (*words_fn)(int64_t us, char out[WORD_MAX]);

static void line(struct buf *out, const char *name, const char *value)
{
    buf_printf(out, "%-12s %s\n", name, *value ? value : "-");
}

static void line_us(struct buf *out, const char *name, words_fn words, int64_t us)
{
    char word[WORD_MAX];
    words(us, word);
    line(out, name, word);
}

static void line_time(struct buf *out, const char *name, uint64_t wall_us)
{
    char time[CLOCK_TEXT_MAX];
    clock_format_utc(wall_us, time);
    line(out, name, time);
}

static void views_of(const struct view *v, const struct snapshot_vip *vip, struct buf *out)
{
    const struct snapshot *s = &v->m->shown;
    for (unsigned i = 0; i < s->n_nodes; i++) {
        const struct snapshot_view *view = snapshot_find_view(&s->nodes[i], &vip->ip);
        char age[WORD_MAX];
        if (!view)
            continue;
        words_age(view->age_us, age);
        buf_printf(out, "  %-12s %-9s %-17s %-7s by %-6s %s ago%s%s\n", s->nodes[i].name,
                   view->state[0] ? view->state : "-", view->mac[0] ? view->mac : "-",
                   snapshot_verdict_name(view->verdict),
                   view->via == SNAPSHOT_VIA_NONE ? "-" : snapshot_via_name(view->via), age,
                   view->has_address ? "  has it set" : "", view->other[0] ? "  also " : "");
        if (view->other[0])
            buf_printf(out, "  %-12s %s\n", "", view->other);
    }
}

/* Acknowledgements matter to an owner, heartbeats to the others. */
static void peer_of(const struct snapshot_peer *peer, bool is_owner, struct buf *out)
{
    char word[WORD_MAX];
    int64_t age = is_owner ? peer->acked_us : peer->heard_us;
    if (is_owner ? !peer->is_voter : age < 0)
        return;
    words_renewed(age, word);
    if (age < 0)
        buf_printf(out, "  %-12s never acknowledged\n", peer->node);
    else if (is_owner)
        buf_printf(out, "  %-12s acknowledged %s ago, %s\n", peer->node, word,
                   peer->is_in_time ? "in time" : "TOO LATE");
    else
        buf_printf(out, "  %-12s heard %s ago\n", peer->node, word);
}

/* Who may end the node's lease, and whether they hear it. "": nobody may. */
static void voters_text(const struct snapshot_peers *p, char *out, size_t size)
{
    char window[WORD_MAX], in_time[32] = "";
    *out = '\0';
    if (p->voters <= 0)
        return;
    words_latency(p->window_us, window);
    if (p->acknowledged >= 0)
        snprintf(in_time, sizeof(in_time), ", %" PRId64 " in time", p->acknowledged);
    snprintf(out, size, "%" PRId64 " voters, %" PRId64 " are enough%s, window %s%s", p->voters,
             p->majority, in_time, window, p->is_mute ? ", MUTE" : "");
}

/* An owner over which nobody votes; with fewer agents no majority survives it. */
static void alone_text(const struct snapshot_peers *p, char *out, size_t size)
{
    if (p->n + 1 < PEER_VOTERS_MIN)
        snprintf(out, size, "%u of %d agents: etcd's lease alone decides", p->n + 1,
                 PEER_VOTERS_MIN);
    else
        snprintf(out, size, "no voters: etcd's lease alone decides");
}

static void peers_of(const struct snapshot_node *node, struct buf *out)
{
    const struct snapshot_peers *p = &node->peers;
    char text[SNAPSHOT_TEXT_MAX + 8];
    if (p->voters <= 0 && p->suspicions < 0)
        return;
    voters_text(p, text, sizeof(text));
    if (p->voters <= 0 && p->is_ready && node->role == SNAPSHOT_ROLE_HOLDER)
        alone_text(p, text, sizeof(text));
    else if (p->voters <= 0 && p->is_ready)
        snprintf(text, sizeof(text), "on, no voters over this node");
    else if (p->voters <= 0)
        snprintf(text, sizeof(text), "off: %s", p->reason);
    line(out, "peer lease", text);
    for (unsigned i = 0; i < p->n; i++)
        peer_of(&p->list[i], p->voters > 0, out);
    if (p->suspicions >= 0)
        buf_printf(out,
                   "  suspicions %" PRId64 "   grants %" PRId64 "   early endings %" PRId64
                   "   mutes %" PRId64 "\n",
                   p->suspicions, p->grants, p->endings, p->mutes);
}

static void vip_details(const struct view *v, const struct snapshot_vip *vip, struct buf *out)
{
    char ip[IP_TEXT_MAX], text[128];
    ip_format(&vip->ip, ip);
    line(out, "address", ip);
    view_vip_state(v, vip, text, sizeof(text));
    line(out, "state", text);
    line(out, "holder", vip->holder);
    line(out, "link", vip->iface);
    line(out, "MAC", vip->mac);
    line_us(out, vip->is_since_at_least ? "held at least" : "held for", words_age, vip->since_us);
    snprintf(text, sizeof(text), "%" PRIx64, (uint64_t)vip->lease);
    line(out, "lease", vip->lease ? text : "");
    view_lease(v, vip, 10, (char[VIEW_BAR_MAX]){0}, text);
    line(out, "left", text);
    line_us(out, "renewed", words_renewed, vip->renewed_us);
    const struct snapshot_node *holder = snapshot_find_node(&v->m->shown, vip->holder);
    voters_text(holder ? &holder->peers : &(struct snapshot_peers){.n = 0}, text, sizeof(text));
    if (holder && holder->peers.voters <= 0 && holder->peers.is_ready)
        alone_text(&holder->peers, text, sizeof(text));
    if (*text)
        line(out, "peer lease", text);
    snprintf(text, sizeof(text), "%" PRId64, vip->epoch);
    line(out, "epoch", vip->epoch ? text : "");
    if (vip->is_paused)
        buf_printf(out, "%-12s by %s: %s\n", "PAUSED", vip->paused_by, vip->paused_reason);
    buf_printf(out, "%-12s", "queue");
    for (unsigned i = 0; i < vip->n_queue; i++)
        buf_printf(out, " %s", vip->queue[i]);
    buf_printf(out, "%s\n", vip->n_queue == 0 ? " -" : "");
    for (unsigned i = 0; i < vip->n_macs; i++)
        line(out, i == 0 ? "answers" : "", vip->macs[i]);
    snprintf(text, sizeof(text), "%u of %u agree", vip->agree, vip->observers);
    line(out, "seen by", text);
    snprintf(text, sizeof(text), "%s%u in 24 h", vip->is_moves_at_least ? "at least " : "",
             vip->moves_24h);
    line(out, "moves", text);
    views_of(v, vip, out);
    buf_printf(out, "\n  talosvip history --vip %s\n  talosvip status %s\n", ip, ip);
}

static void node_details(const struct view *v, const struct snapshot_node *node, struct buf *out)
{
    char text[128], word[WORD_MAX], address[IP_TEXT_MAX + 4];
    (void)v;
    line(out, "node", node->name);
    snprintf(text, sizeof(text), node->role == SNAPSHOT_ROLE_NEXT ? "%s %u" : "%s",
             snapshot_role_name(node->role), node->position);
    line(out, "role", text);
    line(out, "address", node->address);
    line(out, "MAC", node->mac);
    words_age(node->link_us, word);
    snprintf(text, sizeof(text), "%s %s%s%s", node->iface,
             !node->is_link_known ? "?"
             : node->is_link_up   ? "up"
                                  : "down",
             node->link_us >= 0 ? " for " : "", node->link_us >= 0 ? word : "");
    line(out, "link", text);
    line_us(out, "renewed", words_renewed, node->renewed_us);
    line_us(out, "latency", words_latency, node->latency_us);
    line_us(out, "p99", words_latency, node->p99_us);
    words_offset(node->clock_offset_us, word);
    line(out, "clock", node->is_clock_known ? word : "");
    line(out, "agent", node->agent);
    if (node->has_agent) {
        line(out, "packet fence", node->has_packet_fence ? "yes" : "no");
        line(out, "guardian", node->has_guardian ? "yes" : "no");
        line_us(out, "its word is", words_age, node->age_us);
    }
    peers_of(node, out);
    for (unsigned i = 0; i < node->n_views; i++) {
        const struct snapshot_view *view = &node->views[i];
        char ip[IP_TEXT_MAX];
        ip_format(&view->vip, ip);
        buf_printf(out, "  %-20s %-9s %-17s %s\n", ip, view->state[0] ? view->state : "-",
                   view->mac[0] ? view->mac : "-", snapshot_verdict_name(view->verdict));
    }
    snprintf(address, sizeof(address), "%.*s", (int)strcspn(node->address, "/"), node->address);
    buf_printf(out, "\n  talosctl -n %s dashboard\n  ssh %s\n", *address ? address : node->name,
               *address ? address : node->name);
}

static void phases(const struct snapshot_move *move, struct buf *out)
{
    line(out, "planned", move->is_planned ? "yes" : "no");
    line_us(out, "detected in", words_latency, move->detect_us);
    line_us(out, "won", words_latency, move->won_us);
    line_us(out, "probed", words_latency, move->probed_us);
    line_us(out, "set", words_latency, move->set_us);
    line_us(out, "announced", words_latency, move->announced_us);
}

static void move_details(const struct view *v, const struct snapshot_move *move, struct buf *out)
{
    char ip[IP_TEXT_MAX], text[2 * SNAPSHOT_NAME_MAX + SNAPSHOT_TEXT_MAX];
    ip_format(&move->vip, ip);
    line(out, "address", ip);
    line_time(out, "time", move->wall_us);
    view_move(v, move, text, sizeof(text));
    line(out, "move", text);
    view_cause(move, true, text, sizeof(text));
    line(out, "cause", text);
    if (snapshot_move_stays(move))
        line_us(out, "raft term", words_number, move->term);
    else
        phases(move, out);
    view_outage(v, move, true, text);
    line(out, "outage", text);
    buf_printf(out, "%-12s %u of %u\n", "seen by", move->n_seen, move->n_observers);
    for (unsigned i = 0; i < move->n_seen && i < SNAPSHOT_SEEN_MAX; i++) {
        char word[WORD_MAX];
        words_latency(move->seen_us[i], word);
        buf_printf(out, "  %-12s after %s\n", move->seen[i], word);
    }
    if (move->note[0])
        line(out, "note", move->note);
    if (!snapshot_move_stays(move))
        buf_puts(out,
                 "\nTimes of won, set and announced count from the end of the old ownership.\n");
}

static void alert_details(const struct view *v, const struct snapshot_alert *alert, struct buf *out)
{
    char ip[IP_TEXT_MAX];
    (void)v;
    ip_format(&alert->vip, ip);
    line(out, "alert", alert->id);
    line(out, "severity", snapshot_severity_word(alert->severity));
    line_us(out, "for", words_age, alert->since_us);
    if (alert->vip.family != IP_NONE)
        line(out, "address", ip);
    if (alert->node[0])
        line(out, "node", alert->node);
    buf_printf(out, "\n%s\n\n  talosvip explain %s\n", alert->text, alert->id);
}

static void member_details(const struct snapshot_member *m, struct buf *out)
{
    char text[64];
    line(out, "member", m->name);
    snprintf(text, sizeof(text), "%" PRIx64, m->id);
    line(out, "id", text);
    line(out, "endpoint", m->endpoint);
    line(out, "role", m->is_leader ? "leader" : m->is_learner ? "learner" : "follower");
    line(out, "health", snapshot_member_health(m));
    line_us(out, "answer in", words_latency, m->rtt_us);
    line(out, "version", m->version);
    line_us(out, "database", words_bytes, m->db_bytes);
    line_us(out, "in use", words_bytes, m->in_use_bytes);
    line_us(out, "quota", words_bytes, m->quota_bytes);
    line_us(out, "raft term", words_number, m->raft_term);
    line_us(out, "raft index", words_number, m->raft_index);
    line(out, "alarm", m->alarm);
}

void view_details_text(const struct view *v, struct buf *out)
{
    const struct snapshot *s = &v->m->shown;
    enum panel panel = v->m->overlay_panel;
    unsigned index;
    if (!model_selected(v->m, panel, &index)) {
        buf_puts(out, "It is not there any more.\n");
    } else if (panel == PANEL_VIPS) {
        vip_details(v, &s->vips[index], out);
    } else if (panel == PANEL_NODES) {
        node_details(v, &s->nodes[index], out);
    } else if (panel == PANEL_MOVES) {
        move_details(v, &s->history[index], out);
    } else if (panel == PANEL_ALERTS) {
        alert_details(v, &s->alerts[index], out);
    } else if (panel == PANEL_MEMBERS) {
        member_details(&s->etcd.members[index], out);
    } else {
        const struct event *event = model_event(v->m, index);
        char ip[IP_TEXT_MAX];
        ip_format(&event->vip, ip);
        line_time(out, "time", event->wall_us);
        line(out, "event", event_kind_name(event->kind));
        line(out, "address", event->vip.family ? ip : "");
        line(out, "node", event->node);
        line(out, "severity", snapshot_severity_word(event->severity));
        buf_printf(out, "\n%s\n", event->text);
    }
}
