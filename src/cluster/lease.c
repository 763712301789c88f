/* SPDX-License-Identifier: MIT */
#include "state.h"

#include "base/clock.h"

#include <string.h>

const struct known_lease *lease_find(const struct cluster *c, int64_t id)
{
    for (unsigned i = 0; i < c->n_leases; i++)
        if (c->leases[i].id == id)
            return &c->leases[i];
    return NULL;
}

static void use(struct cluster *c, int64_t id)
{
    struct known_lease *spare = NULL;
    for (unsigned i = 0; i < c->n_leases; i++) {
        if (c->leases[i].id == id) {
            c->leases[i].is_used = true;
            return;
        }
        if (c->leases[i].id == 0)
            spare = &c->leases[i];
    }
    if (!spare && c->n_leases < LEASES_MAX)
        spare = &c->leases[c->n_leases++];
    if (spare) /* beyond, nothing is known of it */
        *spare = (struct known_lease){
            .cluster = c, .id = id, .is_used = true, .ttl_s = -1, .granted_s = -1};
}

/* Entries stay where they are, for their calls point to them. */
void lease_sweep(struct cluster *c)
{
    int64_t last = 0;
    for (unsigned i = 0; i < c->n_leases; i++)
        c->leases[i].is_used = false;
    for (size_t i = 0; i < c->n_candidates; i++) {
        if (c->candidates[i].lease != last)
            use(c, c->candidates[i].lease);
        last = c->candidates[i].lease;
    }
    for (unsigned i = 0; i < c->n_leases; i++) {
        if (c->leases[i].is_used || c->leases[i].id == 0)
            continue;
        if (c->leases[i].call) {
            etcd_call_cancel(c->leases[i].call);
            c->lease_calls--;
        }
        c->leases[i] = (struct known_lease){.id = 0};
    }
}

static void on_answer(void *arg, const struct etcd_reply *reply)
{
    struct known_lease *lease = arg;
    struct cluster *c = lease->cluster;
    lease->call = NULL;
    lease->is_asked = true;
    c->lease_calls--;
    if (reply->status == ETCD_OK) {
        lease->ttl_s = reply->ttl_s;
        lease->granted_s = reply->granted_s;
        lease->answered_us = reply->received_us;
        lease->is_gone = false;
    } else if (reply->status == ETCD_LEASE_GONE) {
        lease->is_gone = true;
    }
    cluster_touch(c);
    lease_run(c, clock_now_us());
}

static struct known_lease *most_due(struct cluster *c, uint64_t now)
{
    struct known_lease *due = NULL;
    for (unsigned i = 0; i < c->n_leases; i++) {
        struct known_lease *l = &c->leases[i];
        if (l->id && !l->call && (!l->asked_us || now >= l->asked_us + c->config.interval_us) &&
            (!due || l->asked_us < due->asked_us))
            due = l;
    }
    return due;
}

void lease_run(struct cluster *c, uint64_t now)
{
    struct known_lease *lease;
    while (c->lease_calls < LEASE_CALLS_MAX && (lease = most_due(c, now))) {
        lease->asked_us = now;
        if (etcd_call_time_to_live(c->client, lease->id, MEMBER_TIMEOUT_US, on_answer, lease,
                                   &lease->call) < 0)
            return;
        c->lease_calls++;
    }
}

void lease_done(struct cluster *c)
{
    for (unsigned i = 0; c->leases && i < c->n_leases; i++)
        etcd_call_cancel(c->leases[i].call);
}

bool lease_all_asked(const struct cluster *c)
{
    for (unsigned i = 0; i < c->n_leases; i++)
        if (c->leases[i].id && !c->leases[i].is_asked)
            return false;
    return true;
}

bool lease_left(const struct known_lease *lease, uint64_t now, int64_t *ret_least_us,
                int64_t *ret_most_us)
{
    if (!lease || lease->ttl_s < 0 || !lease->answered_us)
        return false;
    int64_t since = (int64_t)(now - lease->answered_us);
    int64_t least = lease->ttl_s * 1000000 - since, most = least + 1000000;
    int64_t granted = lease->granted_s * 1000000;
    *ret_least_us = least > 0 ? least : 0;
    *ret_most_us = most < 0 ? 0 : most > granted ? granted : most;
    return true;
}
