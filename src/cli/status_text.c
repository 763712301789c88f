/* SPDX-License-Identifier: MIT */
#include "status_text.h"

#include "span.h"

#include "base/text.h"
#include "core/peer.h"

#include <ctype.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

static bool is_state(const struct api_vip *vip, const char *state)
{
    return strcmp(vip->state, state) == 0;
}

/* From 1; 0 when we are not waiting. */
static unsigned place_in_queue(const struct api_status *status, const struct api_vip *vip)
{
    for (unsigned i = 0; i < vip->queued; i++)
        if (strcmp(vip->queue[i], status->node) == 0)
            return i + 1;
    return 0;
}

/* Without an answer from etcd a holder elsewhere is only the last one we heard of. */
static void add_holder(const struct api_status *status, const struct api_vip *vip, struct buf *out)
{
    bool is_old = status->etcd_error[0];
    buf_puts(out, is_old ? "(" : "");
    text_add_plain(out, vip->holder);
    buf_puts(out, is_old ? "), last known" : "");
}

static void add_held(const struct api_vip *vip, struct buf *out)
{
    buf_puts(out, "HELD here (");
    text_add_plain(out, vip->iface);
    buf_puts(out, ")");
    if (vip->held_for_ms >= 0) {
        buf_puts(out, " for ");
        span_words(out, vip->held_for_ms);
    }
    if (vip->queued > 0) {
        buf_puts(out, ", next ");
        text_add_plain(out, vip->queue[0]);
    }
}

static void add_standby(const struct api_status *status, const struct api_vip *vip, struct buf *out)
{
    unsigned place = place_in_queue(status, vip);
    buf_puts(out, "STANDBY");
    if (vip->holder[0]) {
        buf_puts(out, " behind ");
        add_holder(status, vip, out);
    }
    if (place == 1)
        buf_puts(out, ", next");
    else if (place > 1)
        buf_printf(out, ", number %u in the queue", place);
}

static void add_other(const struct api_status *status, const struct api_vip *vip, struct buf *out)
{
    char state[sizeof(vip->state)];
    size_t n = 0;
    for (; vip->state[n]; n++)
        state[n] = (char)toupper((unsigned char)vip->state[n]);
    state[n] = '\0';
    text_add_plain(out, state);
    buf_puts(out, " (");
    text_add_plain(out, vip->iface);
    buf_puts(out, ")");
    if (!vip->has_link)
        buf_puts(out, ", link down");
    if (vip->cause[0] && strcmp(vip->cause, "none") != 0) {
        buf_puts(out, ", last release: ");
        text_add_plain(out, vip->cause);
    }
    if (vip->holder[0]) {
        buf_puts(out, ", held by ");
        add_holder(status, vip, out);
    }
}

static void add_vip(const struct api_status *status, const struct api_vip *vip, int width,
                    struct buf *out)
{
    char ip[IP_TEXT_MAX];
    ip_format(&vip->ip, ip);
    buf_printf(out, "%-*s  ", width, ip);
    if (is_state(vip, "held"))
        add_held(vip, out);
    else if (is_state(vip, "standby"))
        add_standby(status, vip, out);
    else
        add_other(status, vip, out);
    buf_putc(out, '\n');
}

static void add_lease(const struct api_status *status, struct buf *out)
{
    buf_puts(out, "lease  ");
    if (status->lease == 0) {
        buf_puts(out, "none\n");
        return;
    }
    if (status->remaining_ms > 0) {
        span_words(out, status->remaining_ms);
        buf_puts(out, " of ");
        span_words(out, status->ttl_ms);
        buf_puts(out, " left");
    } else {
        buf_puts(out, "the right has run out");
    }
    if (status->renewed_ago_ms >= 0) {
        buf_puts(out, ", renewed ");
        span_words(out, status->renewed_ago_ms);
        buf_printf(out, " ago in %" PRId64 ".%" PRId64 " ms", status->latency_us / 1000,
                   status->latency_us % 1000 / 100);
    }
    buf_putc(out, '\n');
}

static bool is_owner(const struct api_status *status)
{
    for (unsigned i = 0; i < status->n_vips; i++)
        if (status->vips[i].has_address)
            return true;
    return false;
}

/* With fewer agents no majority survives the owner: it is as if there were no peer lease. */
static void add_no_voters(const struct api_status *status, struct buf *out)
{
    const struct api_peers *peers = &status->peers;
    if (!is_owner(status))
        buf_printf(out, "on, window %" PRId64 " ms; no voters over this node", peers->window_ms);
    else if (peers->n + 1 < PEER_VOTERS_MIN)
        buf_printf(out, "on, but %u of %d agents: etcd's lease alone decides", peers->n + 1,
                   PEER_VOTERS_MIN);
    else
        buf_puts(out, "on, but no voters: etcd's lease alone decides");
}

/* Acknowledgements matter to an owner, heartbeats to the others. */
static void add_peers(const struct api_status *status, struct buf *out)
{
    const struct api_peers *peers = &status->peers;
    buf_puts(out, "peers  ");
    if (!peers->is_ready) {
        buf_puts(out, "off: ");
        text_add_plain(out, peers->reason);
    } else if (peers->voters == 0) {
        add_no_voters(status, out);
    } else {
        buf_printf(out, "%" PRId64 " of %" PRId64 " voters within %" PRId64 " ms, %s",
                   peers->majority, peers->voters, peers->window_ms,
                   peers->is_mute ? "MUTE" : "heard");
    }
    for (unsigned i = 0; i < peers->n; i++) {
        const struct api_peer *p = &peers->list[i];
        int64_t age = peers->voters ? p->acked_ago_ms : p->heard_ago_ms;
        if (peers->voters ? !p->is_voter : age < 0)
            continue;
        buf_puts(out, ", ");
        text_add_plain(out, p->node);
        buf_puts(out, age < 0 ? " never" : " ");
        if (age >= 0) {
            span_words(out, age);
            buf_puts(out, " ago");
        }
    }
    buf_putc(out, '\n');
    if (peers->suspicions || peers->grants || peers->endings || peers->mutes)
        buf_printf(out,
                   "       so far: suspected %" PRIu64 ", gave up %" PRIu64 ", ended %" PRIu64
                   ", mute %" PRIu64 "\n",
                   peers->suspicions, peers->grants, peers->endings, peers->mutes);
}

void status_text(const struct api_status *status, struct buf *out)
{
    int width = 0;
    for (unsigned i = 0; i < status->n_vips; i++) {
        char ip[IP_TEXT_MAX];
        ip_format(&status->vips[i].ip, ip);
        width = (int)strlen(ip) > width ? (int)strlen(ip) : width;
    }
    for (unsigned i = 0; i < status->n_vips; i++)
        add_vip(status, &status->vips[i], width, out);
    buf_puts(out, status->n_vips ? "\n" : "");
    add_lease(status, out);
    add_peers(status, out);
    buf_printf(out, "fence  packet fence %s", status->has_packet_fence ? "active" : "missing");
    if (status->twins[0]) {
        buf_puts(out, ", on ");
        text_add_plain(out, status->twins);
        buf_puts(out, " too");
    }
    buf_puts(out, ", ");
    if (status->guardian_pid > 0)
        buf_printf(out, "guardian pid %" PRId64 "\n", status->guardian_pid);
    else
        buf_puts(out, "no guardian\n");
    buf_puts(out, "etcd   ");
    text_add_plain(out, status->endpoint[0] ? status->endpoint : "no endpoint in use");
    buf_puts(out, status->etcd_error[0] ? ", not answering\n" : "\n");
    buf_puts(out, "agent  talosvip ");
    text_add_plain(out, status->version);
    buf_puts(out, " on ");
    text_add_plain(out, status->node);
    buf_printf(out, " (pid %" PRId64 "), up ", status->pid);
    span_words(out, status->uptime_ms);
    buf_putc(out, '\n');
}

/* One line: "about: text", or either of them alone. */
static unsigned warn(struct buf *out, const char *about, const char *text)
{
    buf_puts(out, "WARN   ");
    buf_puts(out, about);
    buf_puts(out, *about && *text ? ": " : "");
    text_add_plain(out, text);
    buf_putc(out, '\n');
    return 1;
}

static unsigned vip_warnings(const struct api_status *status, const struct api_vip *vip,
                             struct buf *out)
{
    char ip[IP_TEXT_MAX];
    unsigned n = 0;
    bool is_held = is_state(vip, "held");
    bool is_waiting = is_state(vip, "off") || is_state(vip, "joining") || is_state(vip, "standby");
    ip_format(&vip->ip, ip);
    if (!vip->has_link)
        n += warn(out, ip, "its link is down");
    if (is_held && !vip->has_address)
        n += warn(out, ip, "held here, but the address is not set");
    if (is_held && status->has_packet_fence && !vip->is_fenced)
        n += warn(out, ip, "the packet fence does not cover it");
    if (is_waiting && vip->has_address)
        n += warn(out, ip, "the address is set on this node, which does not hold it");
    if (!is_held && !vip->holder[0])
        n += warn(out, ip, "no holder is known");
    return n;
}

/* A renewal is late when a third of the lease has passed, and a second of grace. */
static bool is_late(const struct api_status *status)
{
    return status->lease != 0 && status->renewed_ago_ms > status->ttl_ms / 3 + 1000;
}

static unsigned check_warnings(const struct api_check *check, struct buf *out)
{
    char text[sizeof(check->name) + sizeof(check->error) + 32];
    if (check->is_up)
        return 0;
    snprintf(text, sizeof(text), "%s does not pass%s%s", check->name, check->error[0] ? ", " : "",
             check->error);
    return warn(out, "health check", text);
}

unsigned status_warnings(const struct api_status *status, struct buf *out)
{
    unsigned n = 0;
    if (status->is_stopping)
        n += warn(out, "the agent is stopping", "");
    if (status->n_vips == 0)
        n += warn(out, "no address is configured", "");
    if (!status->has_packet_fence)
        n += warn(out, "no packet fence", status->fence_reason);
    if (status->guardian_pid <= 0)
        n += warn(out, "no guardian", "nothing removes the addresses if the agent is killed");
    if (status->etcd_error[0])
        n += warn(out, "etcd", status->etcd_error);
    else if (strcmp(status->session, "live") != 0)
        n += warn(out, "no session with etcd", status->session);
    if (status->peers.is_mute)
        n += warn(out, "peers", "no majority of the voters hears this node; it is mute");
    if (is_late(status))
        n += warn(out, "the renewal of the lease is late", "");
    for (unsigned i = 0; i < status->n_checks; i++)
        n += check_warnings(&status->checks[i], out);
    for (unsigned i = 0; i < status->n_vips; i++)
        n += vip_warnings(status, &status->vips[i], out);
    return n;
}
