/* SPDX-License-Identifier: MIT */
/* What this node has and sees, for all others to read: talosvip/v1/nodes/<node>, under our lease.
 * Written at once when something changed that matters, else now and then. */
#include "state.h"

#include "etcd/keys.h"
#include "net/address.h"
#include "net/neighbour.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#define REFRESH_US (5 * SECOND_US)
#define APART_US (200 * MS_US)
#define RETRY_US SECOND_US
#define PUT_TIMEOUT_US SECOND_US
#define LATENCY_US (5 * SECOND_US)
#define SAMPLES_MAX 1200
#define SAMPLES_US (600 * SECOND_US)

struct sample {
    uint64_t at_us;
    uint32_t us;
};

struct publisher {
    struct agent *agent;
    struct loop_timer *timer;
    struct etcd_call *call;
    uint64_t sent_us;     /* when the last put began; 0 none in this session */
    int64_t mod_revision; /* what our next put replaces; 0 nothing */
    bool has_news, has_failed;
    struct sample samples[SAMPLES_MAX]; /* a ring of renewals */
    unsigned n_samples, next_sample;
    uint64_t bucket; /* number of the newest of these */
    int32_t latencies_us[RECORD_LATENCIES];
};

static void arm(struct publisher *p)
{
    uint64_t at = p->sent_us + (p->has_failed ? RETRY_US : p->has_news ? APART_US : REFRESH_US);
    bool can_write = p->agent->election.session.state == SESSION_LIVE && !p->call;
    loop_timer_set(p->timer, can_write ? at : NEVER_US);
}

void publish_soon(struct agent *a)
{
    struct publisher *p = a->publisher;
    if (!p || p->has_news)
        return;
    p->has_news = true;
    arm(p);
}

static void turn_buckets(struct publisher *p, uint64_t now)
{
    uint64_t bucket = now / LATENCY_US;
    for (; p->bucket < bucket; p->bucket++) {
        if (p->bucket + RECORD_LATENCIES < bucket)
            p->bucket = bucket - RECORD_LATENCIES;
        memmove(p->latencies_us, p->latencies_us + 1,
                (RECORD_LATENCIES - 1) * sizeof(p->latencies_us[0]));
        p->latencies_us[RECORD_LATENCIES - 1] = -1;
    }
}

void publish_renewed(struct agent *a, bool is_ok, uint64_t us)
{
    struct publisher *p = a->publisher;
    uint64_t now = clock_now_us();
    int32_t *last = &p->latencies_us[RECORD_LATENCIES - 1];
    uint32_t latency = us < INT32_MAX ? (uint32_t)us : INT32_MAX;
    turn_buckets(p, now);
    if (!is_ok) {
        *last = -2;
        return;
    }
    if (*last != -2 && *last < (int32_t)latency)
        *last = (int32_t)latency;
    p->samples[p->next_sample] = (struct sample){.at_us = now, .us = latency};
    p->next_sample = (p->next_sample + 1) % SAMPLES_MAX;
    if (p->n_samples < SAMPLES_MAX)
        p->n_samples++;
}

static int compare(const void *a, const void *b)
{
    uint32_t x = *(const uint32_t *)a, y = *(const uint32_t *)b;
    return x < y ? -1 : x > y;
}

static int64_t percentile_99(const struct publisher *p, uint64_t now)
{
    uint32_t sorted[SAMPLES_MAX];
    unsigned n = 0;
    for (unsigned i = 0; i < p->n_samples; i++)
        if (now - p->samples[i].at_us <= SAMPLES_US)
            sorted[n++] = p->samples[i].us;
    if (n == 0)
        return -1;
    qsort(sorted, n, sizeof(sorted[0]), compare);
    return sorted[(n * 99 + 99) / 100 - 1];
}

static int64_t ago_ms(uint64_t now, uint64_t then)
{
    return then ? (int64_t)((now - then) / MS_US) : -1;
}

/* The node's own address of the longest prefix on this link that has the VIP in its subnet. */
static const struct address *own_address(const struct address *list, size_t n,
                                         const struct slot *slot)
{
    const struct address *best = NULL;
    for (size_t i = 0; i < n; i++) {
        const struct ip_prefix prefix = {.ip = list[i].ip, .bits = list[i].bits};
        if (!slot->link || list[i].ifindex != slot->link->ifindex || address_is_ours(&list[i]) ||
            ip_equal(&list[i].ip, &slot->ip) || !ip_prefix_contains(&prefix, &slot->ip))
            continue;
        if (!best || best->bits < list[i].bits)
            best = &list[i];
    }
    return best;
}

static void add_address(struct record_node *r, const struct ip *ip)
{
    for (unsigned i = 0; i < r->n_addresses; i++)
        if (ip_equal(&r->addresses[i], ip))
            return;
    if (r->n_addresses < RECORD_ADDRESSES_MAX)
        r->addresses[r->n_addresses++] = *ip;
}

static void gather_links(const struct agent *a, struct record_node *r, uint64_t now)
{
    for (unsigned k = 0; k < AGENT_LINKS_MAX && r->n_links < RECORD_LINKS_MAX; k++) {
        const struct agent_link *l = &a->links[k];
        if (l->users == 0)
            continue;
        struct record_link *out = &r->links[r->n_links++];
        *out = (struct record_link){
            .is_up = l->is_running, .changed_ago_ms = ago_ms(now, l->changed_us), .speed_mbit = -1};
        snprintf(out->name, sizeof(out->name), "%s", l->name);
        mac_format(&l->mac, out->mac);
        link_speed(l->name, &out->speed_mbit);
    }
}

static struct record_link *find_link(struct record_node *r, const struct slot *slot)
{
    for (unsigned i = 0; i < r->n_links; i++)
        if (strcmp(r->links[i].name, slot->link_name) == 0)
            return &r->links[i];
    return NULL;
}

/* What was heard last; where nothing was, or the kernel sends elsewhere, what its cache says. */
static void see(struct agent *a, const struct slot *slot, struct record_vip *out, uint64_t now)
{
    const struct observe *o = &slot->view;
    struct neighbour entry;
    const char *via = o->is_own ? "kernel" : o->heard_us || o->asked_us ? "probe" : "";
    uint64_t silent = observe_silent_us(o, now);
    if (o->is_blind && !o->is_own)
        return;
    if (o->has_mac && silent == 0)
        mac_format(&o->mac, out->mac);
    if (o->has_other)
        mac_format(&o->other, out->other);
    out->silent_ms = silent ? (int64_t)(silent / MS_US) : -1;
    out->seen_ago_ms = o->is_own ? 0 : ago_ms(now, o->heard_us);
    if (!o->is_own && !silent && slot->link &&
        neighbour_get(a->netlink, slot->link->ifindex, &slot->ip, &entry) == 0 && entry.has_mac &&
        !mac_equal(&entry.mac, &o->mac)) {
        mac_format(&entry.mac, out->mac);
        via = "neigh";
    }
    snprintf(out->via, sizeof(out->via), "%s", via);
}

static void gather_vip(struct agent *a, unsigned i, struct record_vip *out, uint64_t now)
{
    const struct vip *v = &a->vips[i];
    struct slot *slot = &a->slots[i];
    bool is_held = v->state == VIP_HELD;
    *out = (struct record_vip){.ip = slot->ip,
                               .epoch = v->revision,
                               .held_for_ms = is_held ? ago_ms(now, v->held_us) : -1,
                               .seen_ago_ms = -1,
                               .silent_ms = -1};
    snprintf(out->state, sizeof(out->state), "%s", vip_state_name(v->state));
    snprintf(out->iface, sizeof(out->iface), "%s", slot->link_name);
    see(a, slot, out, now);
}

/* One look at the kernel's addresses serves all. */
static void gather_vips(struct agent *a, struct record_node *r, uint64_t now)
{
    struct address *list = NULL;
    size_t n = 0;
    if (address_list(a->netlink, 0, &list, &n) < 0)
        n = 0;
    for (unsigned i = 0; i < a->election.n && r->n_vips < RECORD_VIPS_MAX; i++) {
        struct slot *slot = &a->slots[i];
        if (!slot->is_used)
            continue;
        struct record_vip *out = &r->vips[r->n_vips++];
        gather_vip(a, i, out, now);
        for (size_t k = 0; k < n; k++)
            out->has_address |= ip_equal(&list[k].ip, &slot->ip);
        const struct address *own = own_address(list, n, slot);
        struct record_link *link = find_link(r, slot);
        slot->source.family = IP_NONE;
        if (!own)
            continue;
        slot->source = own->ip;
        add_address(r, &own->ip);
        if (link && link->address.family != IP_V4) {
            link->address = own->ip;
            link->prefix_len = own->bits;
        }
    }
    free(list);
}

static int gather(struct publisher *p, struct record_node *r)
{
    struct agent *a = p->agent;
    const struct session *ss = &a->election.session;
    uint64_t now = clock_now_us();
    *r = (struct record_node){.wall_us = clock_wall_us(),
                              .lease = ss->lease,
                              .ttl_ms = (int64_t)(ss->ttl_us / MS_US),
                              .renewed_ago_ms = ago_ms(now, ss->renewed_us),
                              .latency_us = ss->renewed_us ? (int64_t)ss->latency_us : -1,
                              .p99_us = percentile_99(p, now),
                              .has_packet_fence = fence_is_active(a->fence),
                              .has_guardian = a->election.has_guardian,
                              .vips = calloc(ELECTION_VIPS_MAX, sizeof(*r->vips))};
    if (!r->vips)
        return -ENOMEM;
    snprintf(r->node, sizeof(r->node), "%s", a->settings.node);
    snprintf(r->machine_id, sizeof(r->machine_id), "%s", a->settings.machine_id);
    snprintf(r->version, sizeof(r->version), "%s", TALOSVIP_VERSION);
    for (unsigned i = 0; i < a->election.n; i++)
        r->is_paused |= (a->vips[i].bars & BAR_PAUSE) != 0;
    turn_buckets(p, now);
    memcpy(r->latencies_us, p->latencies_us, sizeof(r->latencies_us));
    gather_links(a, r, now);
    gather_vips(a, r, now);
    peerlease_fill_record(a, r);
    peertell_fill_record(a, r);
    return 0;
}

/* A put that is carried out late, or twice, finds that it is not its turn: it compares what it
 * replaces. Then the answer says what is there now. */
static void on_put(void *arg, const struct etcd_reply *reply)
{
    struct publisher *p = arg;
    p->call = NULL;
    store_note_answer(p->agent, reply);
    p->has_failed = reply->status != ETCD_OK;
    if (p->has_failed) {
        p->has_news = true;
    } else if (reply->succeeded) {
        p->mod_revision = reply->header.revision;
    } else if (reply->n_responses == 1) {
        const struct etcd_response *range = &reply->responses[0];
        p->mod_revision = range->n_kvs ? range->kvs[0].mod_revision : 0;
        p->has_news = true;
    }
    arm(p);
}

static void put(struct publisher *p, const char *key, const struct buf *json)
{
    struct agent *a = p->agent;
    const struct etcd_compare turn = {.target = ETCD_MOD, .key = key, .number = p->mod_revision};
    const struct etcd_op write = {.kind = ETCD_OP_PUT,
                                  .range.key = key,
                                  .value = buf_str(json),
                                  .value_len = json->len,
                                  .lease = a->election.session.lease};
    const struct etcd_op look = {.kind = ETCD_OP_RANGE, .range = {.key = key, .keys_only = true}};
    const struct etcd_txn txn = {.compares = &turn,
                                 .n_compares = 1,
                                 .success = &write,
                                 .n_success = 1,
                                 .failure = &look,
                                 .n_failure = 1};
    etcd_call_txn(a->etcd, &txn, PUT_TIMEOUT_US, on_put, p, &p->call);
}

static void on_timer(void *arg)
{
    struct publisher *p = arg;
    struct record_node record;
    char key[KEYS_TEXT_MAX];
    struct buf json;
    if (p->agent->election.session.state != SESSION_LIVE || p->call)
        return;
    p->sent_us = clock_now_us();
    p->has_news = false;
    buf_init(&json, 0);
    if (keys_node(p->agent->settings.node, key) == 0 && gather(p, &record) == 0) {
        if (record_node_write(&record, &json) == 0)
            put(p, key, &json);
        record_node_done(&record);
    }
    buf_done(&json);
    p->has_failed = !p->call;
    arm(p);
}

void publish_session(struct agent *a)
{
    struct publisher *p = a->publisher;
    publish_cancel(a);
    p->mod_revision = 0;
    p->sent_us = 0;
    p->has_failed = false;
    arm(p);
}

void publish_cancel(struct agent *a)
{
    struct publisher *p = a->publisher;
    if (!p || !p->call)
        return;
    etcd_call_cancel(p->call);
    p->call = NULL;
    p->has_news = true; /* what it was about to tell */
    arm(p);
}

int publish_open(struct agent *a)
{
    struct publisher *p = calloc(1, sizeof(*p));
    if (!p)
        return -ENOMEM;
    p->agent = a;
    for (unsigned i = 0; i < RECORD_LATENCIES; i++)
        p->latencies_us[i] = -1;
    int r = loop_timer_new(a->loop, on_timer, p, &p->timer);
    a->publisher = p;
    return r;
}

void publish_close(struct agent *a)
{
    if (!a->publisher)
        return;
    publish_cancel(a);
    loop_timer_free(a->publisher->timer);
    free(a->publisher);
    a->publisher = NULL;
}
