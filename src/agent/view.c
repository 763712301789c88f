/* SPDX-License-Identifier: MIT */
/* The agent's state as the API shows it. */
#include "state.h"

#include <string.h>
#include <unistd.h>

static void view_vip(const struct agent *a, unsigned i, struct api_vip *out)
{
    const struct vip *v = &a->vips[i];
    const struct slot *slot = &a->slots[i];
    memset(out, 0, sizeof(*out));
    out->ip = slot->ip;
    snprintf(out->iface, sizeof(out->iface), "%s", slot->link_name);
    snprintf(out->state, sizeof(out->state), "%s", vip_state_name(v->state));
    if (v->cause != CAUSE_NONE)
        snprintf(out->cause, sizeof(out->cause), "%s", election_cause_name(v->cause));
    for (unsigned k = 0; k < v->queue.n; k++) {
        const char *name = v->queue.at[k].name;
        if (k == 0)
            snprintf(out->holder, sizeof(out->holder), "%s", name);
        else if (out->queued < API_QUEUE_MAX)
            snprintf(out->queue[out->queued++], API_NAME_MAX, "%s", name);
    }
    out->epoch = v->revision;
    out->has_address = v->has_address;
    out->has_link = slot->link && slot->link->is_running;
    out->is_fenced = fence_is_active(a->fence) && !(slot->link && slot->link->open_twin);
    out->held_for_ms = v->state == VIP_HELD ? (int64_t)((clock_now_us() - v->held_us) / MS_US) : -1;
    out->taken = v->taken;
    out->readded = v->readded;
    out->conflicts = v->conflicts;
}

static void view_session(const struct agent *a, struct api_status *out)
{
    const struct session *ss = &a->election.session;
    uint64_t now = clock_now_us();
    snprintf(out->session, sizeof(out->session), "%s", session_state_name(ss->state));
    out->lease = ss->lease;
    out->ttl_ms = (int64_t)(ss->ttl_us / MS_US);
    out->remaining_ms = ss->deadline_us > now ? (int64_t)((ss->deadline_us - now) / MS_US) : 0;
    out->renewed_ago_ms = ss->renewed_us ? (int64_t)((now - ss->renewed_us) / MS_US) : -1;
    out->latency_us = (int64_t)ss->latency_us;
}

static void view_status(void *arg, struct api_status *ret_status)
{
    static struct api_check checks[CONFIG_HEALTH_MAX];
    static struct api_peer peers[API_PEERS_MAX];
    struct agent *a = arg;
    struct api_status s = {.pid = getpid(),
                           .guardian_pid = guardian_pid(a),
                           .uptime_ms = (int64_t)((clock_now_us() - a->born_us) / MS_US),
                           .has_packet_fence = fence_is_active(a->fence),
                           .is_stopping = a->is_stopping,
                           .vips = a->view};
    snprintf(s.node, sizeof(s.node), "%s", a->settings.node);
    snprintf(s.version, sizeof(s.version), "%s", TALOSVIP_VERSION);
    snprintf(s.fence_reason, sizeof(s.fence_reason), "%s", a->fence_reason ? a->fence_reason : "");
    twins_view(a, s.twins);
    snprintf(s.endpoint, sizeof(s.endpoint), "%s", etcd_client_endpoint(a->etcd));
    snprintf(s.etcd_error, sizeof(s.etcd_error), "%s", a->etcd_error);
    view_session(a, &s);
    s.checks = checks;
    s.n_checks = health_view(a, checks);
    s.peers.list = peers;
    peertell_view(a, &s.peers);
    for (unsigned i = 0; i < a->election.n && s.n_vips < API_VIPS_MAX; i++)
        if (a->slots[i].is_used)
            view_vip(a, i, &a->view[s.n_vips++]);
    *ret_status = s;
}

/* Healthy: this process and its fences are as they should be. Being cut off from etcd is no reason
 * to start the agent anew. */
static const char *view_healthz(void *arg)
{
    const struct agent *a = arg;
    if (guardian_pid(a) == 0 || !a->election.has_guardian)
        return "no guardian";
    if (fence_deadline_us(a->fence) != a->election.deadline_us)
        return "the fences do not have the deadline";
    if (a->election.is_doubtful)
        return "this process was held up, and etcd has not confirmed since";
    return NULL;
}

/* Why etcd or the peers do not let us answer for anything now, or NULL. */
static const char *view_right(const struct agent *a)
{
    const struct session *ss = &a->election.session;
    uint64_t limit = 2 * deadline_interval(ss->ttl_us, a->election.is_fenced);
    uint64_t now = clock_now_us();
    if (ss->state != SESSION_LIVE)
        return "no session with etcd";
    if (ss->has_lapsed || now >= ss->deadline_us)
        return "the lease was not confirmed in time";
    if (a->election.peer.owner.is_mute)
        return "no majority of the voters hears this node";
    return now > ss->renewed_us + limit ? "the last renewal is older than two intervals" : NULL;
}

/* Ready: a candidate for all its VIPs, or their holder. */
static const char *view_readyz(void *arg)
{
    const struct agent *a = arg;
    const char *why = view_healthz(arg);
    if (why)
        return why;
    if (a->is_stopping)
        return "stopping";
    if (health_is_barred(a))
        return "a health check does not pass";
    why = view_right(a);
    if (why)
        return why;
    for (unsigned i = 0; i < a->election.n; i++)
        if (a->slots[i].is_used && a->vips[i].state != VIP_HELD && a->vips[i].state != VIP_QUEUED)
            return "a VIP is neither held nor queued for";
    return NULL;
}

const struct api_source view_source = {.status = view_status,
                                       .healthz = view_healthz,
                                       .readyz = view_readyz,
                                       .metrics = metrics_view,
                                       .change = change_start};
