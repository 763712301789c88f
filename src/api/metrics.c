/* SPDX-License-Identifier: MIT */
#include "api/metrics.h"

#include "base/text.h"

#include <inttypes.h>
#include <string.h>

/* A renewal is given up after 1.1 s; in a good network it takes 1 to 20 ms. */
static const uint64_t bounds_us[API_LATENCY_BUCKETS] = {
    1000, 2500, 5000, 10000, 25000, 50000, 100000, 250000, 500000, 750000, 1000000};

static const char *const hook_events[API_HOOK_EVENTS] = {"acquired", "released", "fault"};

void api_latency_add(struct api_latency *l, uint64_t us)
{
    unsigned i = 0;
    while (i < API_LATENCY_BUCKETS && us > bounds_us[i])
        i++;
    l->within[i]++;
    l->sum_us += us;
}

static void family(struct buf *out, const char *name, const char *type, const char *help)
{
    buf_printf(out, "# HELP talosvip_%s %s\n# TYPE talosvip_%s %s\n", name, help, name, type);
}

static void label(struct buf *out, const char *name, const char *value)
{
    size_t len = strlen(value);
    buf_printf(out, "%s=\"", name);
    while (len > 0) {
        enum text_kind kind;
        size_t n = text_next(value, len, &kind);
        if (*value == '\n')
            buf_puts(out, "\\n");
        else if (*value == '"' || *value == '\\')
            buf_printf(out, "\\%c", *value);
        else
            buf_add(out, kind == TEXT_INVALID ? "?" : value, n);
        value += n;
        len -= n;
    }
    buf_putc(out, '"');
}

/* One sample; a label whose name is NULL is left out. */
static void sample(struct buf *out, const char *name, const char *label1, const char *value1,
                   const char *label2, const char *value2, uint64_t number)
{
    buf_printf(out, "talosvip_%s", name);
    if (label1 && value1) {
        buf_putc(out, '{');
        label(out, label1, value1);
        if (label2 && value2) {
            buf_putc(out, ',');
            label(out, label2, value2);
        }
        buf_putc(out, '}');
    }
    buf_printf(out, " %" PRIu64 "\n", number);
}

static void seconds(struct buf *out, const char *name, uint64_t us)
{
    buf_printf(out, "talosvip_%s %" PRIu64 ".%06" PRIu64 "\n", name, us / 1000000, us % 1000000);
}

static void one(struct buf *out, const char *name, const char *type, uint64_t number,
                const char *help)
{
    family(out, name, type, help);
    sample(out, name, NULL, NULL, NULL, NULL, number);
}

static void one_time(struct buf *out, const char *name, uint64_t us, const char *help)
{
    family(out, name, "gauge", help);
    seconds(out, name, us);
}

static void write_agent(const struct api_metrics *m, struct buf *out)
{
    const struct api_status *s = m->status;
    family(out, "build_info", "gauge", "Always 1; the version is the label.");
    sample(out, "build_info", "version", s->version, NULL, NULL, 1);
    one_time(out, "start_time_seconds", m->started_wall_us,
             "When the agent started, since the Unix epoch.");
    one(out, "healthy", "gauge", m->is_healthy, "1 while /healthz says ok.");
    one(out, "ready", "gauge", m->is_ready, "1 while /readyz says ok.");
    one(out, "guardian_up", "gauge", s->guardian_pid != 0, "1 while a guardian stands.");
    one(out, "packet_fence_active", "gauge", s->has_packet_fence,
        "1 where the packet fence is active.");
}

static void write_latency(const struct api_latency *l, struct buf *out)
{
    static const char *const name = "renewal_duration_seconds";
    uint64_t n = 0;
    family(out, name, "histogram", "Time from sending a renewal to its good answer.");
    for (unsigned i = 0; i < API_LATENCY_BUCKETS; i++) {
        n += l->within[i];
        buf_printf(out, "talosvip_%s_bucket{le=\"%g\"} %" PRIu64 "\n", name,
                   (double)bounds_us[i] / 1e6, n);
    }
    n += l->within[API_LATENCY_BUCKETS];
    buf_printf(out, "talosvip_%s_bucket{le=\"+Inf\"} %" PRIu64 "\n", name, n);
    seconds(out, "renewal_duration_seconds_sum", l->sum_us);
    buf_printf(out, "talosvip_%s_count %" PRIu64 "\n", name, n);
}

static void write_session(const struct api_metrics *m, struct buf *out)
{
    const struct api_status *s = m->status;
    const struct api_counters *c = m->counters;
    one(out, "etcd_connected", "gauge", !s->etcd_error[0], "1 while etcd answers well.");
    one(out, "session_live", "gauge", strcmp(s->session, "live") == 0,
        "1 while this agent has a lease in etcd.");
    one_time(out, "lease_ttl_seconds", (uint64_t)s->ttl_ms * 1000,
             "Time to live of the lease, as etcd granted it.");
    one_time(out, "fence_margin_seconds", (uint64_t)s->remaining_ms * 1000,
             "Time left until the fences close if no renewal is confirmed; 0: they are closed.");
    family(out, "renewal_age_seconds", "gauge", "Time since the last good answer to a renewal.");
    if (s->renewed_ago_ms >= 0)
        seconds(out, "renewal_age_seconds", (uint64_t)s->renewed_ago_ms * 1000);
    one(out, "renewals_total", "counter", c->renewals, "Renewals of the lease that were sent.");
    one(out, "renewal_failures_total", "counter", c->renewal_failures,
        "Renewals that failed or were given up.");
    write_latency(&c->renewal_latency, out);
}

/* A number of each VIP. */
struct vip_family {
    const char *name, *type, *help;
    uint64_t (*get)(const struct api_vip *vip, const struct api_vip_counters *counters);
};

#define VIP_NUMBER(name_, expression_)                                                             \
    static uint64_t get_##name_(const struct api_vip *v, const struct api_vip_counters *c)         \
    {                                                                                              \
        (void)v;                                                                                   \
        (void)c;                                                                                   \
        return (uint64_t)(expression_);                                                            \
    }
VIP_NUMBER(held, strcmp(v->state, "held") == 0)
VIP_NUMBER(address, v->has_address)
VIP_NUMBER(link, v->has_link)
VIP_NUMBER(acquired, v->taken)
VIP_NUMBER(conflicts, v->conflicts)
VIP_NUMBER(readded, v->readded)
VIP_NUMBER(announced, c->announced)
VIP_NUMBER(unacknowledged, c->unacknowledged)

static const struct vip_family vip_families[] = {
    {"vip_held", "gauge", "1 while this node holds the VIP.", get_held},
    {"vip_address_set", "gauge", "1 while this node's kernel has the VIP's address.", get_address},
    {"vip_link_up", "gauge", "1 while the VIP's link has a carrier.", get_link},
    {"vip_acquired_total", "counter", "How often this node took the VIP.", get_acquired},
    {"vip_conflicts_total", "counter", "Claims of the VIP by another station while it was held.",
     get_conflicts},
    {"vip_readded_total", "counter", "How often somebody removed the address and it was put back.",
     get_readded},
    {"vip_announcements_total", "counter", "Announcements sent (gratuitous ARP, unsolicited NA).",
     get_announced},
    {"vip_unacknowledged_peers", "gauge", "Peers that were asked and have not switched to us yet.",
     get_unacknowledged},
};

static void write_vips(const struct api_metrics *m, struct buf *out)
{
    const struct api_status *s = m->status;
    char text[IP_TEXT_MAX];
    for (size_t k = 0; k < sizeof(vip_families) / sizeof(vip_families[0]); k++) {
        const struct vip_family *f = &vip_families[k];
        family(out, f->name, f->type, f->help);
        for (unsigned i = 0; i < s->n_vips; i++) {
            ip_format(&s->vips[i].ip, text);
            sample(out, f->name, "vip", text, NULL, NULL, f->get(&s->vips[i], &m->vips[i]));
        }
    }
    family(out, "vip_state", "gauge", "1 for the state the VIP is in on this node, else 0.");
    for (unsigned i = 0; i < s->n_vips; i++) {
        ip_format(&s->vips[i].ip, text);
        for (unsigned k = 0; k < m->n_states; k++)
            sample(out, "vip_state", "vip", text, "state", m->states[k],
                   strcmp(s->vips[i].state, m->states[k]) == 0);
    }
    family(out, "vip_released_total", "counter", "How often this node gave the VIP up, and why.");
    for (unsigned i = 0; i < s->n_vips; i++) {
        ip_format(&s->vips[i].ip, text);
        for (unsigned k = 0; k < m->n_causes; k++)
            if (m->causes[k][0])
                sample(out, "vip_released_total", "vip", text, "cause", m->causes[k],
                       m->vips[i].released[k]);
    }
}

static void write_checks(const struct api_metrics *m, struct buf *out)
{
    const struct api_status *s = m->status;
    family(out, "health_check_up", "gauge", "1 while the health check counts as passing.");
    for (unsigned i = 0; i < s->n_checks; i++)
        sample(out, "health_check_up", "check", s->checks[i].name, NULL, NULL, s->checks[i].is_up);
    family(out, "health_check_results_total", "counter", "Runs of the health check by result.");
    for (unsigned i = 0; i < s->n_checks; i++) {
        const struct api_check *c = &s->checks[i];
        sample(out, "health_check_results_total", "check", c->name, "result", "passed", c->passed);
        sample(out, "health_check_results_total", "check", c->name, "result", "failed", c->failed);
    }
}

static void write_hooks(const struct api_counters *c, struct buf *out)
{
    const struct {
        const char *name, *help;
        const uint64_t *counts;
    } families[] = {
        {"hook_runs_total", "Hooks started, by event.", c->hooks_run},
        {"hook_failures_total", "Hooks that could not be started, failed or took too long.",
         c->hooks_failed},
        {"hook_events_dropped_total", "Events that a slow hook was not told of.", c->hooks_dropped},
    };
    for (size_t k = 0; k < sizeof(families) / sizeof(families[0]); k++) {
        family(out, families[k].name, "counter", families[k].help);
        for (unsigned i = 0; i < API_HOOK_EVENTS; i++)
            sample(out, families[k].name, "event", hook_events[i], NULL, NULL,
                   families[k].counts[i]);
    }
}

static void write_peers(const struct api_peers *p, struct buf *out)
{
    one(out, "peers_ready", "gauge", p->is_ready,
        "1 while this agent takes part in the peer lease.");
    one(out, "peers_voters", "gauge", (uint64_t)p->voters,
        "Voters over this node, itself among them; 0: the lease in etcd alone decides.");
    one(out, "peers_majority", "gauge", (uint64_t)p->majority, "How many of them end its lease.");
    one_time(out, "peers_window_seconds", (uint64_t)p->window_ms * 1000,
             "Silence after which peers may end an owner's lease.");
    one(out, "peers_mute", "gauge", p->is_mute,
        "1 while no majority of the voters hears this node.");
    family(out, "peers_acknowledged_age_seconds", "gauge",
           "Age of the newest heartbeat of ours that the peer acknowledged.");
    for (unsigned i = 0; i < p->n; i++) {
        const struct api_peer *peer = &p->list[i];
        if (peer->acked_ago_ms < 0)
            continue;
        buf_puts(out, "talosvip_peers_acknowledged_age_seconds{");
        label(out, "peer", peer->node);
        buf_printf(out, "} %" PRId64 ".%03" PRId64 "\n", peer->acked_ago_ms / 1000,
                   peer->acked_ago_ms % 1000);
    }
    one(out, "peers_suspicions_total", "counter", p->suspicions, "Owners this node found silent.");
    one(out, "peers_grants_total", "counter", p->grants, "Owners it gave up as a voter.");
    one(out, "peers_endings_total", "counter", p->endings, "Leases it ended with other voters.");
    one(out, "peers_mutes_total", "counter", p->mutes, "How often no majority heard it in time.");
    one(out, "peers_datagrams_sent_total", "counter", p->sent, "Datagrams to other agents.");
    one(out, "peers_datagrams_failed_total", "counter", p->failed,
        "Datagrams that the kernel did not send.");
    one(out, "peers_datagrams_received_total", "counter", p->received, "Datagrams that came in.");
    one(out, "peers_datagrams_dropped_total", "counter", p->dropped,
        "Datagrams that came in and were not believed.");
}

int api_metrics_write(const struct api_metrics *metrics, struct buf *out)
{
    write_agent(metrics, out);
    write_session(metrics, out);
    write_vips(metrics, out);
    write_checks(metrics, out);
    write_hooks(metrics->counters, out);
    write_peers(&metrics->status->peers, out);
    return out->error;
}
