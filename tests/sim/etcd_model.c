/* SPDX-License-Identifier: MIT */
/* etcd as its users see it: leases checked every 0.5 s, a leader change that gives every lease its
 * whole TTL and an election timeout more, a watch in revision order, answers that get lost after
 * the work was done. */
#include "world.h"

#include <string.h>

#define ELECTION_TIMEOUT_US SECOND_US

void etcd_init(struct world *w)
{
    w->etcd.revision = 1;
    w->etcd.last_lease = 100;
    w->etcd.has_quorum = true;
    world_at(w, world_between(w, 0, 500 * MS_US), SIM_LESSOR, 0, 0);
}

bool etcd_is_up(const struct world *w)
{
    return w->etcd.has_quorum && w->now >= w->etcd.leaderless_until;
}

bool etcd_has_lease(const struct world *w, int64_t lease)
{
    for (unsigned i = 0; i < LEASES_MAX && lease; i++)
        if (w->etcd.leases[i].id == lease)
            return true;
    return false;
}

static struct sim_lease *lease_find(struct sim_etcd *etcd, int64_t id)
{
    for (unsigned i = 0; i < LEASES_MAX && id; i++)
        if (etcd->leases[i].id == id)
            return &etcd->leases[i];
    return NULL;
}

uint64_t etcd_expiry(const struct world *w, int64_t lease)
{
    /* Without a leader nothing expires, and the next one grants a whole TTL. */
    if (!etcd_is_up(w))
        return NEVER_US;
    for (unsigned i = 0; i < LEASES_MAX; i++)
        if (w->etcd.leases[i].id == lease)
            return w->etcd.leases[i].expiry_us;
    return 0;
}

const struct sim_key *etcd_find(const struct world *w, unsigned vip, int64_t lease)
{
    for (unsigned i = 0; i < w->etcd.n[vip]; i++)
        if (w->etcd.keys[vip][i].lease == lease)
            return &w->etcd.keys[vip][i];
    return NULL;
}

void etcd_log(struct world *w, const struct sim_change *change)
{
    struct sim_etcd *etcd = &w->etcd;
    if (etcd->logged == LOG_MAX) { /* compaction; whoever is behind gets a list */
        etcd->logged = 0;
        for (unsigned i = 0; i < w->nodes; i++)
            w->node[i].watch_at = LOG_MAX + 1;
    }
    etcd->log[etcd->logged] = *change;
    etcd->log[etcd->logged++].revision = etcd->revision;
    for (unsigned i = 0; i < w->nodes; i++)
        world_at(w, w->now + world_between(w, 300, 5000), SIM_WATCH, i, 0);
}

static void log_change(struct world *w, unsigned vip, bool is_delete, const struct sim_key *key)
{
    etcd_log(w, &(struct sim_change){.vip = vip, .is_delete = is_delete, .key = *key});
}

static void set_request(struct world *w, unsigned vip, const struct sim_request *request)
{
    w->etcd.request[vip] = *request;
    etcd_log(w, &(struct sim_change){.vip = vip, .is_request = true, .request = *request});
}

void etcd_ask(struct world *w, unsigned vip, enum election_ask ask, unsigned to)
{
    struct sim_etcd *etcd = &w->etcd;
    if (etcd->request[vip].ask != ASK_NOTHING || (ask == ASK_RESIGN && etcd->n[vip] == 0))
        return;
    world_trace(w, "asks   vip%u %s", vip, ask == ASK_PAUSE ? "pause" : "resign");
    etcd->revision++;
    set_request(w, vip,
                &(struct sim_request){.ask = ask,
                                      .id = etcd->revision,
                                      .epoch = ask == ASK_RESIGN ? etcd->keys[vip][0].create : 0,
                                      .to = to});
}

void etcd_withdraw(struct world *w, unsigned vip)
{
    if (w->etcd.request[vip].ask == ASK_NOTHING)
        return;
    world_trace(w, "asks   vip%u nothing any more", vip);
    w->etcd.revision++;
    set_request(w, vip, &(struct sim_request){.ask = ASK_NOTHING});
}

static void put_key(struct world *w, unsigned vip, int64_t lease, unsigned node)
{
    struct sim_etcd *etcd = &w->etcd;
    if (etcd->n[vip] == KEYS_MAX)
        return;
    struct sim_key *key = &etcd->keys[vip][etcd->n[vip]++];
    *key = (struct sim_key){.lease = lease, .create = ++etcd->revision, .node = node};
    world_trace(w, "etcd   vip%u key of node %u written, revision %d", vip, node, (int)key->create);
    log_change(w, vip, false, key);
}

static void remove_key(struct world *w, unsigned vip, int64_t lease)
{
    struct sim_etcd *etcd = &w->etcd;
    for (unsigned i = 0; i < etcd->n[vip]; i++) {
        if (etcd->keys[vip][i].lease != lease)
            continue;
        struct sim_key key = etcd->keys[vip][i];
        etcd->n[vip]--;
        memmove(&etcd->keys[vip][i], &etcd->keys[vip][i + 1],
                (etcd->n[vip] - i) * sizeof(struct sim_key));
        world_trace(w, "etcd   vip%u key of node %u deleted", vip, key.node);
        log_change(w, vip, true, &key);
    }
}

void etcd_delete_key(struct world *w, unsigned vip, int64_t lease)
{
    w->etcd.revision++;
    remove_key(w, vip, lease);
}

void etcd_revoke(struct world *w, int64_t id)
{
    struct sim_lease *lease = lease_find(&w->etcd, id);
    if (!lease)
        return;
    world_trace(w, "etcd   lease %d ends", (int)id);
    lease->id = 0;
    w->etcd.revision++;
    for (unsigned vip = 0; vip < VIPS; vip++)
        remove_key(w, vip, id);
    peer_lease_ended(w, id);
}

static int64_t new_lease(struct world *w, uint64_t ttl_us)
{
    for (unsigned i = 0; i < LEASES_MAX; i++) {
        struct sim_lease *lease = &w->etcd.leases[i];
        if (lease->id)
            continue;
        *lease = (struct sim_lease){
            .id = ++w->etcd.last_lease, .ttl_us = ttl_us, .expiry_us = w->now + ttl_us};
        return lease->id;
    }
    return 0;
}

int64_t etcd_foreign_candidate(struct world *w, unsigned vip, uint64_t ttl_us)
{
    int64_t lease = new_lease(w, ttl_us);
    if (lease)
        put_key(w, vip, lease, FOREIGN);
    return lease;
}

void etcd_lessor(struct world *w)
{
    if (etcd_is_up(w))
        for (unsigned i = 0; i < LEASES_MAX; i++)
            if (w->etcd.leases[i].id && w->now >= w->etcd.leases[i].expiry_us)
                etcd_revoke(w, w->etcd.leases[i].id);
    world_at(w, w->now + 500 * MS_US, SIM_LESSOR, 0, 0);
}

/* The node on the deposed leader's side may still have its renewals answered for a while. */
void etcd_leader_lost(struct world *w, unsigned node)
{
    uint64_t gap = world_between(w, 900 * MS_US, 2000 * MS_US);
    w->etcd.leaderless_until = w->now + gap;
    w->node[node].stale_until = w->now + world_between(w, 0, 1800 * MS_US);
    world_at(w, w->etcd.leaderless_until, SIM_ELECTED, 0, 0);
}

void etcd_elected(struct world *w)
{
    if (!etcd_is_up(w))
        return;
    for (unsigned i = 0; i < LEASES_MAX; i++) {
        struct sim_lease *lease = &w->etcd.leases[i];
        uint64_t expiry = w->now + ELECTION_TIMEOUT_US + lease->ttl_us;
        if (lease->id && expiry > lease->expiry_us)
            lease->expiry_us = expiry;
    }
}

static void reply(struct world *w, struct sim_message *m, uint64_t delay)
{
    if (world_chance(w, w->loss_percent))
        return; /* done, but nobody learns of it */
    struct sim_event ev = {.at = w->now + delay, .type = SIM_ANSWER, .node = m->node};
    ev.message = pool_take(w, m);
    world_post(w, &ev);
    if (w->loss_percent && world_chance(w, 5)) {
        ev.at += world_between(w, 0, SECOND_US);
        ev.message = pool_take(w, m);
        world_post(w, &ev);
    }
}

void etcd_list(const struct world *w, struct sim_message *m)
{
    const struct sim_key *own = etcd_find(w, m->vip, m->lease);
    m->revision = w->etcd.revision;
    m->total = w->etcd.n[m->vip];
    m->n = m->total < QUEUE_MAX ? m->total : QUEUE_MAX;
    memcpy(m->list, w->etcd.keys[m->vip], m->n * sizeof(m->list[0]));
    if (own && own >= &w->etcd.keys[m->vip][QUEUE_MAX])
        m->list[QUEUE_MAX - 1] = *own;
    m->released = w->etcd.released[m->vip];
    m->pause = w->etcd.request[m->vip].ask == ASK_PAUSE ? w->etcd.request[m->vip].id : 0;
}

static void renew(struct world *w, struct sim_message *m)
{
    struct sim_lease *lease = lease_find(&w->etcd, m->lease);
    m->result = RESULT_GONE;
    if (!lease)
        return;
    m->result = RESULT_OK;
    m->ttl_us = lease->ttl_us;
    if (etcd_is_up(w))
        lease->expiry_us = w->now + lease->ttl_us;
}

static void resign(struct world *w, struct sim_message *m)
{
    const struct sim_key *key = etcd_find(w, m->vip, m->lease);
    if (!key || key->create != m->revision)
        return;
    w->etcd.revision++;
    if (m->yes)
        w->etcd.released[m->vip] = m->revision;
    if (w->etcd.request[m->vip].epoch == m->revision)
        set_request(w, m->vip, &(struct sim_request){.ask = ASK_NOTHING});
    remove_key(w, m->vip, m->lease);
}

static void check_keys(struct world *w, struct sim_message *m)
{
    for (unsigned vip = 0; vip < VIPS; vip++) {
        int64_t own = 0, before = 0;
        for (unsigned i = 0; i < w->etcd.n[vip]; i++) {
            const struct sim_key *key = &w->etcd.keys[vip][i];
            if (key->create == m->check_own[vip])
                own = key->create;
            if (key->create == m->check_before[vip])
                before = key->create;
        }
        if (own != m->check_own[vip] || before != m->check_before[vip])
            m->result = RESULT_GONE;
    }
}

static void apply(struct world *w, struct sim_message *m)
{
    m->result = RESULT_OK;
    switch ((int)m->type) {
    case ACT_LEASE_GRANT:
        m->lease = new_lease(w, m->ttl_us);
        if (m->lease && m->lease - LEASE_FIRST < LEASES_EVER_MAX)
            w->etcd.lease_node[m->lease - LEASE_FIRST] = m->node;
        break;
    case ACT_LEASE_RENEW:
        renew(w, m);
        break;
    case ACT_LEASE_REVOKE:
        etcd_revoke(w, m->lease);
        break;
    case ACT_CAMPAIGN:
        if (!lease_find(&w->etcd, m->lease)) {
            m->result = RESULT_FAILED;
            break;
        }
        if (!etcd_find(w, m->vip, m->lease))
            put_key(w, m->vip, m->lease, m->node);
        etcd_list(w, m);
        break;
    case ACT_CONFIRM:
        etcd_list(w, m);
        break;
    case ACT_RESIGN:
        resign(w, m);
        break;
    case ACT_PEER_PUBLISH:
    case ACT_PEER_END:
    case SIM_PUT_MEMBER:
        peer_apply(w, m);
        break;
    case ACT_PEER_REVOKE:
        etcd_revoke(w, m->lease);
        break;
    default:
        check_keys(w, m);
        break;
    }
}

void etcd_request(struct world *w, struct sim_message *m)
{
    struct sim_node *n = &w->node[m->node];
    if (n->is_etcd_cut || !n->is_powered)
        return;
    uint64_t delay = world_between(w, 300, world_chance(w, 3) ? 400000 : 4000);
    if (m->type == ACT_KEYS_CHECK)
        delay += w->slow_check_us;
    bool is_stale = m->type == ACT_LEASE_RENEW && w->now < n->stale_until;
    if (etcd_is_up(w) || is_stale) {
        apply(w, m);
        reply(w, m, delay);
        return;
    }
    /* A write that hung on the old leader may still be carried out by the new one. */
    if (world_chance(w, 30)) {
        struct sim_event ev = {.at = w->now + world_between(w, SECOND_US, 5 * SECOND_US),
                               .type = SIM_REQUEST,
                               .node = m->node};
        ev.message = pool_take(w, m);
        world_post(w, &ev);
        return;
    }
    m->result = RESULT_FAILED;
    if (world_chance(w, 50))
        reply(w, m, world_between(w, 1000, SECOND_US));
}
