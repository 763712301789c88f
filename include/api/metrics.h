/* SPDX-License-Identifier: MIT */
/* An agent's numbers for Prometheus (text exposition format 0.0.4). Pure: a view in, text out.
 * docs/metrics.md lists every name. */
#ifndef TALOSVIP_API_METRICS_H
#define TALOSVIP_API_METRICS_H

#include "api/status.h"

#define API_LATENCY_BUCKETS 11
#define API_CAUSES_MAX 16
#define API_HOOK_EVENTS 3

/* A histogram; the bounds are the same for ever, so that series stay comparable. */
struct api_latency {
    uint64_t sum_us;
    uint64_t within[API_LATENCY_BUCKETS + 1]; /* not cumulative; the last is beyond all bounds */
};
void api_latency_add(struct api_latency *latency, uint64_t us);

/* Counted by the agent since its start. */
struct api_counters {
    uint64_t renewals, renewal_failures;
    struct api_latency renewal_latency;
    uint64_t hooks_run[API_HOOK_EVENTS], hooks_failed[API_HOOK_EVENTS],
        hooks_dropped[API_HOOK_EVENTS];
};
struct api_vip_counters {
    uint64_t released[API_CAUSES_MAX];
    uint64_t announced;
    unsigned unacknowledged; /* peers that were asked and have not switched to us */
};

/* Everything pointed to is the filler's, until the next call. */
struct api_metrics {
    const struct api_status *status;
    const struct api_counters *counters;
    const struct api_vip_counters *vips; /* one for each of status->vips */
    uint64_t started_wall_us;
    bool is_healthy, is_ready;
    const char *const *states; /* words that api_vip.state may be */
    unsigned n_states;
    const char *const *causes; /* of api_vip_counters.released; "" is none */
    unsigned n_causes;
};

/* 0 or the buf's error. */
int api_metrics_write(const struct api_metrics *metrics, struct buf *out);

#endif
