/* SPDX-License-Identifier: MIT */
/* The agent's numbers as the API shows them, and the TCP server that shows them to others. */
#include "state.h"

#include <string.h>

void metrics_count_renewal(struct agent *a, uint64_t latency_us)
{
    struct api_counters *c = &a->counters;
    if (latency_us)
        api_latency_add(&c->renewal_latency, latency_us);
    else
        c->renewal_failures++;
}

/* The words of the core, in its order. */
static void words(struct api_metrics *m)
{
    static const char *states[VIP_STATES], *causes[CAUSES];
    for (unsigned i = VIP_OFF; i < VIP_STATES; i++)
        states[i - VIP_OFF] = vip_state_name((enum vip_state)i);
    for (unsigned i = 0; i < CAUSES; i++)
        causes[i] = i == CAUSE_NONE ? "" : election_cause_name((enum election_cause)i);
    m->states = states;
    m->n_states = VIP_STATES - VIP_OFF;
    m->causes = causes;
    m->n_causes = CAUSES;
}

void metrics_view(void *arg, struct api_metrics *ret_metrics)
{
    static struct api_status status;
    static struct api_vip_counters vips[API_VIPS_MAX];
    struct agent *a = arg;
    struct api_metrics m = {.status = &status, .counters = &a->counters, .vips = vips};
    unsigned n = 0;
    view_source.status(a, &status);
    for (unsigned i = 0; i < a->election.n && n < status.n_vips; i++) {
        if (!a->slots[i].is_used)
            continue;
        vips[n] = a->slots[i].counters;
        vips[n++].unacknowledged =
            a->vips[i].state == VIP_HELD ? a->vips[i].announce.unanswered : 0;
    }
    m.started_wall_us = a->born_wall_us;
    m.is_healthy = !view_source.healthz(a);
    m.is_ready = !view_source.readyz(a);
    words(&m);
    *ret_metrics = m;
}

int metrics_listen(struct agent *a)
{
    const struct config_api *api = &a->config->api;
    if (a->metrics && a->metrics_port == api->metrics_port &&
        ip_equal(&a->metrics_ip, &api->metrics_ip))
        return 0;
    api_server_free(a->metrics);
    a->metrics = NULL;
    a->metrics_ip = api->metrics_ip;
    a->metrics_port = api->metrics_port;
    if (api->metrics_ip.family == IP_NONE)
        return 0;
    return api_server_new_tcp(a->loop, &api->metrics_ip, api->metrics_port, &view_source, a,
                              &a->metrics);
}
