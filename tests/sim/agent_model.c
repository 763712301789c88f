/* SPDX-License-Identifier: MIT */
/* The agent process around a real core: it carries out the actions in order, and can die or stop
 * between any two of them. */
#include "world.h"

#include <string.h>

static void inbox_add(struct sim_node *n, const struct election_event *ev,
                      const struct sim_message *m)
{
    if (n->inbox_n == sizeof(n->inbox) / sizeof(n->inbox[0]))
        return;
    n->inbox[n->inbox_n] = *ev;
    n->inbox_has_list[n->inbox_n] = m != NULL;
    if (m)
        n->inbox_list[n->inbox_n] = *m;
    n->inbox_n++;
}

static void send_request(struct world *w, struct sim_node *n, const struct election_action *a)
{
    struct sim_message m = {.type = a->type,
                            .node = n->id,
                            .life = n->life,
                            .req = a->req,
                            .vip = a->vip,
                            .lease = a->lease,
                            .revision = a->revision,
                            .ttl_us = a->ttl_us,
                            .yes = a->yes,
                            .has_record = a->record != NULL};
    if (a->record)
        m.record = *a->record;
    for (unsigned vip = 0; vip < VIPS && a->type == ACT_PEER_PUBLISH; vip++) {
        const struct vip *v = &n->vips[vip];
        m.owned[vip] = v->revision && v->owned == v->revision ? v->owned : 0;
    }
    for (unsigned vip = 0; vip < VIPS && a->type == ACT_KEYS_CHECK; vip++) {
        const struct vip *v = &n->vips[vip];
        const struct candidate *before = queue_before(&v->queue, n->election.session.lease);
        m.check_own[vip] = v->revision;
        m.check_before[vip] = v->revision && before ? before->create_revision : 0;
    }
    if (world_chance(w, w->loss_percent))
        return;
    struct sim_event ev = {
        .at = w->now + world_between(w, 100, 3000), .type = SIM_REQUEST, .node = n->id};
    ev.message = pool_take(w, &m);
    world_post(w, &ev);
    if (w->loss_percent && world_chance(w, 5)) { /* curl repeats a POST on a dead connection */
        ev.at += world_between(w, 0, SECOND_US);
        ev.message = pool_take(w, &m);
        world_post(w, &ev);
    }
}

static void ask_wire(struct world *w, struct sim_node *n, unsigned vip)
{
    for (unsigned i = 0; i < w->nodes; i++) {
        struct sim_node *other = &w->node[i];
        if (other == n || !kernel_answers(w, other, vip) || other->is_vip_cut || n->is_vip_cut ||
            !n->has_link)
            continue;
        struct sim_message m = {.type = ACT_PROBE, .node = n->id, .life = n->life, .vip = vip};
        struct sim_event ev = {
            .at = w->now + world_between(w, 50, 1500), .type = SIM_ANSWER, .node = n->id};
        ev.message = pool_take(w, &m);
        world_post(w, &ev);
    }
}

static void exit_agent(struct world *w, struct sim_node *n)
{
    world_trace(w, "agent  node %u ended", n->id);
    n->is_agent_alive = n->is_guardian_alive = false;
    n->todo_n = n->inbox_n = 0;
}

static void execute(struct world *w, struct sim_node *n, const struct election_action *a,
                    bool is_delayed)
{
    struct election_event answer = {.req = a->req, .vip = a->vip};
    bool is_refused = w->loss_percent && world_chance(w, 10);
    check_action(w, n, a, is_delayed);
    switch (a->type) {
    case ACT_DEADLINE:
        n->page_deadline_local = a->at_us;
        n->page_right_local = a->right_us;
        check_bound(w, n);
        break;
    case ACT_FENCE_ARM:
        n->slot[a->vip] = SLOT_ARMED;
        break;
    case ACT_FENCE_SHUT:
        n->slot[a->vip] = SLOT_SHUT;
        break;
    case ACT_FENCE_DISARM:
        n->slot[a->vip] = SLOT_PASS;
        break;
    case ACT_ADDRESS_ADD:
    case ACT_ADDRESS_REFRESH:
        answer.type = EV_ADDRESS_SET;
        answer.result = is_refused ? RESULT_FAILED : RESULT_OK;
        if (!is_refused)
            kernel_set(w, n, a->vip, a->seconds);
        inbox_add(n, &answer, NULL);
        break;
    case ACT_ADDRESS_DELETE:
        answer.type = EV_ADDRESS_CLEARED;
        is_refused |= n->refuses_delete;
        answer.result = is_refused ? RESULT_FAILED : RESULT_OK;
        if (!is_refused)
            kernel_clear(w, n, a->vip);
        inbox_add(n, &answer, NULL);
        break;
    case ACT_PROBE:
        answer.type = EV_PROBE_SENT;
        if (is_refused || n->is_queue_full || !n->has_link)
            break;
        ask_wire(w, n, a->vip);
        inbox_add(n, &answer, NULL);
        break;
    case ACT_UNPROBED:
        world_trace(w, "agent  node %u vip%u cannot be probed for", n->id, a->vip);
        break;
    case ACT_STATE:
        world_trace(w, "agent  node %u vip%u %s -> %s (%s)", n->id, a->vip, vip_state_name(a->from),
                    vip_state_name(a->to), election_cause_name(a->cause));
        break;
    case ACT_SESSION:
        world_trace(w, "agent  node %u session %s -> %s", n->id,
                    session_state_name(a->from_session), session_state_name(a->to_session));
        if (a->to_session == SESSION_LIVE)
            peer_put_member(w, n);
        break;
    case ACT_REQUEST_REFUSED:
        world_trace(w, "agent  node %u vip%u refuses to resign (%d)", n->id, a->vip,
                    (int)a->refusal);
        if (etcd_is_up(w) && !n->is_etcd_cut && w->etcd.request[a->vip].epoch == a->revision)
            etcd_withdraw(w, a->vip);
        break;
    case ACT_DONE:
        exit_agent(w, n);
        break;
    case ACT_LEASE_GRANT:
    case ACT_LEASE_RENEW:
    case ACT_LEASE_REVOKE:
    case ACT_CAMPAIGN:
    case ACT_CONFIRM:
    case ACT_KEYS_CHECK:
    case ACT_RESIGN:
    case ACT_PEER_PUBLISH:
    case ACT_PEER_END:
    case ACT_PEER_REVOKE:
        if (a->type == ACT_LEASE_RENEW)
            peer_put_member(w, n);
        send_request(w, n, a);
        break;
    default:
        peer_execute(w, n, a, is_delayed);
        break;
    }
}

/* False when the process was stopped or killed on the way. */
static bool execute_todo(struct world *w, struct sim_node *n, bool is_delayed)
{
    while (n->todo_at < n->todo_n) {
        if (w->midway_node == (int)n->id && n->todo_at == w->midway_at % n->todo_n) {
            w->midway_node = -1;
            if (w->midway_kill)
                agent_kill(w, n);
            else
                agent_freeze(w, n);
            return false;
        }
        execute(w, n, &n->todo[n->todo_at++], is_delayed);
    }
    return n->is_agent_alive;
}

static void set_timer(struct world *w, struct sim_node *n)
{
    uint64_t wake = n->election.wake_us;
    if (wake == NEVER_US) {
        n->armed_wake = NEVER_US;
        return;
    }
    uint64_t at = node_global(n, wake);
    if (at < w->now)
        at = w->now;
    if (at == n->armed_wake)
        return;
    n->armed_wake = at;
    world_at(w, at, SIM_TIMER, n->id, n->life);
}

void agent_name(unsigned node, char out[NODE_NAME_MAX])
{
    memset(out, 0, NODE_NAME_MAX);
    if (node == FOREIGN)
        return;
    out[0] = 'n';
    out[1] = (char)('0' + node);
}

static struct candidate candidate_of(const struct sim_key *key)
{
    struct candidate c = {.lease = key->lease, .create_revision = key->create};
    agent_name(key->node, c.name);
    return c;
}

static bool step(struct world *w, struct sim_node *n, struct election_event *ev,
                 const struct sim_message *m)
{
    struct candidate list[QUEUE_MAX];
    struct election_actions out = {.max = ACTIONS_MAX, .at = n->todo};
    ev->now_us = node_local(w, n);
    if (m) {
        for (unsigned i = 0; i < m->n; i++)
            list[i] = candidate_of(&m->list[i]);
        ev->queue = (struct election_queue){.revision = m->revision,
                                            .list = list,
                                            .n = m->n,
                                            .total = m->total,
                                            .released = m->released,
                                            .is_paused = m->pause != 0};
        if (m->has_record) {
            ev->peer.records = &m->record;
            ev->peer.n = 1;
        }
    }
    struct peer_record records[NODES_MAX];
    struct peer_session sessions[NODES_MAX];
    if (ev->type == EV_PEER_LISTED || ev->type == EV_PEER_MEMBERS) {
        unsigned k = 0, s = 0;
        for (unsigned i = 0; i < w->nodes; i++) {
            if (w->etcd.record[i].record.revision)
                records[k++] = w->etcd.record[i].record;
            if (w->etcd.member[i].lease)
                sessions[s++] = w->etcd.member[i];
        }
        ev->revision = w->etcd.revision;
        ev->peer.records = records;
        ev->peer.sessions = sessions;
        ev->peer.n = ev->type == EV_PEER_LISTED ? k : s;
    }
    check_before(w, n, ev, m);
    election_step(&n->election, ev, &out);
    check_after(w, n);
    w->steps++;
    w->trace_hash = (w->trace_hash ^ (w->now * 31 + n->id * 7 + out.n)) * 0x100000001b3u;
    n->todo_n = out.n;
    n->todo_at = 0;
    return execute_todo(w, n, false);
}

static void drain(struct world *w, struct sim_node *n)
{
    while (n->inbox_n > 0 && n->is_agent_alive && !n->is_agent_frozen) {
        struct election_event ev = n->inbox[0];
        struct sim_message m;
        bool has_list = n->inbox_has_list[0];
        if (has_list)
            m = n->inbox_list[0];
        n->inbox_n--;
        for (unsigned i = 0; i < n->inbox_n; i++) {
            n->inbox[i] = n->inbox[i + 1];
            n->inbox_has_list[i] = n->inbox_has_list[i + 1];
            if (n->inbox_has_list[i])
                n->inbox_list[i] = n->inbox_list[i + 1];
        }
        if (!step(w, n, &ev, has_list ? &m : NULL))
            return;
    }
    if (n->is_agent_alive && !n->is_agent_frozen)
        set_timer(w, n);
}

void agent_event(struct world *w, struct sim_node *n, struct election_event *ev,
                 const struct sim_message *m)
{
    if (!n->is_agent_alive)
        return;
    inbox_add(n, ev, m);
    if (!n->is_agent_frozen && n->todo_at == n->todo_n)
        drain(w, n);
}

void agent_simple(struct world *w, struct sim_node *n, enum election_event_type type, unsigned vip,
                  unsigned bar, bool yes)
{
    struct election_event ev = {.type = type, .vip = vip, .bar = bar, .yes = yes};
    agent_event(w, n, &ev, NULL);
}

void agent_answer(struct world *w, const struct sim_message *m)
{
    static const enum election_event_type types[ACT_TYPES] = {
        [ACT_LEASE_GRANT] = EV_LEASE_GRANTED,   [ACT_LEASE_RENEW] = EV_LEASE_RENEWED,
        [ACT_LEASE_REVOKE] = EV_LEASE_REVOKED,  [ACT_CAMPAIGN] = EV_QUEUE_PROVED,
        [ACT_CONFIRM] = EV_QUEUE_PROVED,        [ACT_KEYS_CHECK] = EV_KEYS_CHECKED,
        [ACT_RESIGN] = EV_KEY_RESIGNED,         [ACT_PROBE] = EV_PROBE_ANSWERED,
        [ACT_PEER_PUBLISH] = EV_PEER_PUBLISHED, [ACT_PEER_END] = EV_PEER_ENDED,
        [ACT_PEER_REVOKE] = EV_PEER_REVOKED,
    };
    struct sim_node *n = &w->node[m->node];
    if ((int)m->type == SIM_PUT_MEMBER || m->life != n->life ||
        (n->is_etcd_cut && m->type != ACT_PROBE) || !n->is_powered)
        return;
    struct election_event ev = {.type = types[m->type],
                                .req = m->req,
                                .vip = m->vip,
                                .result = m->result,
                                .lease = m->lease,
                                .ttl_us = m->ttl_us,
                                .revision = m->revision};
    agent_event(w, n, &ev, m);
}

static void tell_request(struct world *w, struct sim_node *n, unsigned vip, int64_t revision,
                         const struct sim_request *request)
{
    struct election_event ev = {.type = EV_REQUEST,
                                .vip = vip,
                                .revision = revision,
                                .request = {.ask = request->ask, .epoch = request->epoch}};
    agent_name(request->ask == ASK_RESIGN ? request->to : FOREIGN, ev.request.to);
    agent_event(w, n, &ev, NULL);
}

static void list_all(struct world *w, struct sim_node *n)
{
    n->watch_at = w->etcd.logged;
    for (unsigned vip = 0; vip < VIPS; vip++) {
        struct sim_message m = {.vip = vip, .lease = n->election.session.lease};
        struct election_event ev = {.type = EV_QUEUE_LISTED, .vip = vip};
        etcd_list(w, &m);
        agent_event(w, n, &ev, &m);
        tell_request(w, n, vip, w->etcd.revision, &w->etcd.request[vip]);
    }
    peer_list(w, n);
}

void agent_watch(struct world *w, struct sim_node *n, bool is_compacted)
{
    if (!n->is_agent_alive || n->is_agent_frozen || n->is_watch_deaf || n->is_etcd_cut ||
        !w->etcd.has_quorum)
        return;
    if (is_compacted || n->watch_at > w->etcd.logged) {
        list_all(w, n);
        return;
    }
    while (n->watch_at < w->etcd.logged && n->is_agent_alive && !n->is_agent_frozen) {
        const struct sim_change *c = &w->etcd.log[n->watch_at++];
        if (c->is_request) {
            tell_request(w, n, c->vip, c->revision, &c->request);
            continue;
        }
        if (c->prefix != PREFIX_KEYS) {
            peer_watched(w, n, c);
            continue;
        }
        struct election_event ev = {.type = c->is_delete ? EV_KEY_DELETED : EV_KEY_PUT,
                                    .vip = c->vip,
                                    .revision = c->revision,
                                    .lease = c->key.lease,
                                    .candidate = candidate_of(&c->key)};
        agent_event(w, n, &ev, NULL);
    }
}

void agent_start(struct world *w, struct sim_node *n)
{
    if (n->is_agent_alive || !n->is_powered)
        return;
    int64_t stale = n->election.session.lease;
    for (unsigned vip = 0; vip < VIPS; vip++) {
        kernel_clear(w, n, vip);
        n->slot[vip] = SLOT_PASS;
    }
    world_trace(w, "agent  node %u starts", n->id);
    n->life++;
    n->guardian_life++;
    n->is_agent_alive = n->is_guardian_alive = true;
    n->is_agent_frozen = n->is_guardian_frozen = n->is_stopping = false;
    n->todo_n = n->todo_at = n->inbox_n = 0;
    n->page_deadline_local = n->page_right_local = 0;
    n->armed_wake = NEVER_US;
    if (stale && !n->is_etcd_cut && etcd_is_up(w))
        etcd_revoke(w, stale);
    election_init(&n->election, n->vips, w->ttl_us, ANNOUNCE_REFRESH_DEFAULT_US,
                  (uint32_t)world_random(w));
    for (unsigned vip = 0; vip < VIPS; vip++) {
        agent_simple(w, n, EV_VIP_ADDED, vip, 0, false);
        if (!n->has_link)
            agent_simple(w, n, EV_BAR, vip, BAR_LINK, true);
        if (n->is_paused)
            agent_simple(w, n, EV_BAR, vip, BAR_PAUSE, true);
    }
    peer_start(w, n);
    agent_simple(w, n, EV_START, 0, 0, n->is_fenced);
    if (etcd_is_up(w) && !n->is_etcd_cut)
        list_all(w, n);
    else
        n->watch_at = LOG_MAX + 1;
    guardian_wake(w, n);
}

void agent_kill(struct world *w, struct sim_node *n)
{
    if (!n->is_agent_alive)
        return;
    world_trace(w, "fault  node %u agent killed", n->id);
    n->is_agent_alive = n->is_agent_frozen = false;
    n->todo_n = n->todo_at = n->inbox_n = 0;
    world_at(w, w->now + world_between(w, 300, 10000), SIM_GUARDIAN, n->id, n->guardian_life);
}

void agent_freeze(struct world *w, struct sim_node *n)
{
    if (!n->is_agent_alive)
        return;
    world_trace(w, "fault  node %u agent frozen", n->id);
    n->is_agent_frozen = true;
}

void agent_thaw(struct world *w, struct sim_node *n)
{
    if (!n->is_agent_alive || !n->is_agent_frozen)
        return;
    world_trace(w, "heal   node %u agent goes on", n->id);
    n->is_agent_frozen = false;
    if (execute_todo(w, n, true))
        drain(w, n);
    if (!n->is_agent_alive || n->is_agent_frozen)
        return;
    agent_simple(w, n, EV_TIMER, 0, 0, false);
    agent_watch(w, n, false);
}
