/* SPDX-License-Identifier: MIT */
/* The peer lease around the cores: datagrams that get lost, doubled, late and out of order, the
 * records in etcd, and their watch. */
#include "world.h"

#include <string.h>

enum { STRAY_PERCENT = 2, TWICE_PERCENT = 3, SOCKET_MAX = 24 };

const char *const node_names[NODES_MAX] = {"a", "b", "c", "d", "e"};

unsigned peer_node_of(const struct world *w, int64_t lease)
{
    int64_t i = lease - LEASE_FIRST;
    return i >= 0 && i < LEASES_EVER_MAX ? w->etcd.lease_node[i] : 0;
}

void peer_start(struct world *w, struct sim_node *n)
{
    n->said_n = 0;
    n->started_local = node_local(w, n);
    if (!w->has_peers)
        return;
    struct election_event ev = {.type = EV_PEER_SETUP,
                                .yes = true,
                                .peer = {.name = node_names[n->id],
                                         .number = world_random(w) | 1,
                                         .window_us = w->window_us}};
    agent_event(w, n, &ev, NULL);
}

/* ---- datagrams ---- */

static void post(struct world *w, const struct sim_packet *p)
{
    uint64_t delay = world_between(w, 50, 500);
    if (w->vip_delay_percent && world_chance(w, w->vip_delay_percent))
        delay = world_between(w, 0, 2 * w->window_us);
    else if (world_chance(w, STRAY_PERCENT))
        delay = world_between(w, 0, 30 * MS_US);
    for (unsigned k = 0; k < PACKETS_MAX; k++) {
        unsigned i = (w->packet_hint + k) % PACKETS_MAX;
        if (w->packet_used[i])
            continue;
        w->packet_used[i] = true;
        w->packet[i] = *p;
        w->packet_hint = i + 1;
        world_post(w, &(struct sim_event){
                          .at = w->now + delay, .type = SIM_PACKET, .node = p->to, .message = i});
        return;
    }
}

static void send_to(struct world *w, struct sim_node *n, unsigned to, enum election_event_type type,
                    struct peer_input in)
{
    in.from = (struct peer_session){.lease = n->election.session.lease,
                                    .incarnation = n->election.peer.incarnation};
    struct sim_packet p = {.type = type, .to = to, .in = in};
    if (to == n->id || !n->has_link || n->is_vip_cut || w->is_deaf_to[to][n->id] ||
        world_chance(w, w->vip_loss_percent))
        return;
    post(w, &p);
    if (world_chance(w, TWICE_PERCENT))
        post(w, &p);
}

static void send_to_all(struct world *w, struct sim_node *n, enum election_event_type type,
                        struct peer_input in)
{
    for (unsigned i = 0; i < w->nodes; i++)
        send_to(w, n, i, type, in);
}

static void ask_voters(struct world *w, struct sim_node *n, const struct election_action *a)
{
    const struct peer_record *r = a->record;
    for (unsigned i = 0; i < r->n; i++)
        if (r->voters[i].lease != r->owner.lease)
            send_to(w, n, peer_node_of(w, r->voters[i].lease), EV_PEER_ASKED,
                    (struct peer_input){.owner = r->owner,
                                        .term = r->term,
                                        .window_us = r->window_us,
                                        .number = a->at_us});
}

void peer_execute(struct world *w, struct sim_node *n, const struct election_action *a,
                  bool is_delayed)
{
    switch (a->type) {
    case ACT_PEER_BEAT:
        send_to_all(w, n, EV_PEER_HEARTBEAT,
                    (struct peer_input){.number = a->at_us, .window_us = a->ttl_us});
        break;
    case ACT_PEER_ACK:
        check_ack(w, n, a, is_delayed);
        send_to(w, n, peer_node_of(w, a->peer.lease), EV_PEER_ACKED,
                (struct peer_input){.owner = a->peer, .number = a->at_us, .term = a->term});
        break;
    case ACT_PEER_ASK:
        ask_voters(w, n, a);
        break;
    case ACT_PEER_GRANT:
        check_grant(w, n, a);
        send_to(w, n, peer_node_of(w, a->peer.lease), EV_PEER_GRANTED,
                (struct peer_input){.owner = a->owner, .term = a->term, .number = a->at_us});
        break;
    case ACT_PEER_LEAVE:
        send_to_all(w, n, EV_PEER_LEAVING, (struct peer_input){0});
        break;
    case ACT_PEER_NOTE:
        if (a->note == PEER_NOTE_GRANTED)
            check_given_up(w, n, a);
        world_trace(w, "peer   node %u %s (lease %d, count %u)", n->id, peer_note_name(a->note),
                    (int)a->peer.lease, a->count);
        break;
    default:
        break;
    }
}

void peer_deliver(struct world *w, unsigned packet)
{
    const struct sim_packet *p = &w->packet[packet];
    struct sim_node *n = &w->node[p->to];
    struct election_event ev = {.type = p->type, .peer = p->in};
    w->packet_used[packet] = false;
    if (!n->is_powered || !n->has_link || n->is_vip_cut)
        return;
    if (n->is_agent_frozen && n->inbox_n >= SOCKET_MAX)
        return;
    agent_event(w, n, &ev, NULL);
}

/* ---- etcd ---- */

void peer_put_member(struct world *w, struct sim_node *n)
{
    const struct election *e = &n->election;
    if (!w->has_peers || w->etcd.member[n->id].lease == e->session.lease)
        return;
    struct sim_message m = {.type = (enum election_action_type)SIM_PUT_MEMBER,
                            .node = n->id,
                            .life = n->life,
                            .lease = e->session.lease,
                            .record = {.owner.incarnation = e->peer.incarnation}};
    world_post(w, &(struct sim_event){.at = w->now + world_between(w, 100, 3000),
                                      .type = SIM_REQUEST,
                                      .node = n->id,
                                      .message = pool_take(w, &m)});
}

static void log_record(struct world *w, unsigned node, bool is_delete)
{
    struct sim_etcd *etcd = &w->etcd;
    struct sim_change c = {.prefix = PREFIX_RECORDS, .node = node, .is_delete = is_delete};
    if (!is_delete) {
        c.record = etcd->puts++;
        etcd->put[c.record % RECORDS_MAX] = etcd->record[node].record;
    }
    etcd_log(w, &c);
}

static void publish(struct world *w, struct sim_message *m)
{
    struct sim_record *there = &w->etcd.record[m->node];
    if (!etcd_has_lease(w, m->lease)) {
        m->result = RESULT_FAILED;
        return;
    }
    if (there->record.revision != m->revision) {
        m->result = RESULT_GONE;
        m->has_record = there->record.revision != 0;
        m->record = there->record;
        return;
    }
    there->record = m->record;
    there->record.revision = m->revision = ++w->etcd.revision;
    memcpy(there->owned, m->owned, sizeof(there->owned));
    m->has_record = false;
    world_trace(w, "etcd   record of node %u: term %d, %u voters, revision %d", m->node,
                (int)there->record.term, there->record.n, (int)m->revision);
    log_record(w, m->node, false);
    check_bound(w, &w->node[m->node]);
}

static void end(struct world *w, struct sim_message *m)
{
    unsigned owner = (unsigned)(m->record.name[0] - 'a');
    struct sim_record *there = &w->etcd.record[owner];
    if (there->record.revision != m->record.revision) {
        m->result = RESULT_GONE;
        m->has_record = there->record.revision != 0;
        m->record = there->record;
        return;
    }
    m->has_record = false;
    world_trace(w, "etcd   node %u ends the lease of node %u, term %d", m->node, owner,
                (int)m->record.term);
    w->endings++;
    check_ended(w, &there->record);
    w->etcd.revision++;
    m->revision = w->etcd.revision;
    there->record.revision = 0;
    log_record(w, owner, true);
    for (unsigned vip = 0; vip < VIPS; vip++) {
        const struct sim_key *key = etcd_find(w, vip, m->lease);
        if (!key || key->create != there->owned[vip])
            continue;
        w->etcd.released[vip] = key->create;
        etcd_delete_key(w, vip, m->lease);
    }
}

void peer_apply(struct world *w, struct sim_message *m)
{
    if (m->type == ACT_PEER_PUBLISH) {
        publish(w, m);
    } else if (m->type == ACT_PEER_END) {
        end(w, m);
    } else if (etcd_has_lease(w, m->lease)) {
        w->etcd.revision++;
        w->etcd.member[m->node] =
            (struct peer_session){.lease = m->lease, .incarnation = m->record.owner.incarnation};
        etcd_log(w, &(struct sim_change){.prefix = PREFIX_NODES, .node = m->node});
    }
}

void peer_lease_ended(struct world *w, int64_t lease)
{
    for (unsigned i = 0; i < w->nodes; i++) {
        if (w->etcd.member[i].lease == lease) {
            w->etcd.member[i].lease = 0;
            etcd_log(w, &(struct sim_change){.prefix = PREFIX_NODES, .node = i});
        }
        if (w->etcd.record[i].record.revision && w->etcd.record[i].record.owner.lease == lease) {
            w->etcd.record[i].record.revision = 0;
            log_record(w, i, true);
        }
    }
}

/* ---- the watch ---- */

void peer_watched(struct world *w, struct sim_node *n, const struct sim_change *c)
{
    struct election_event ev = {.type = EV_PEER_MEMBERS, .revision = c->revision};
    struct sim_message m = {.has_record = true};
    if (c->prefix == PREFIX_NODES) {
        agent_event(w, n, &ev, NULL);
    } else if (c->is_delete) {
        ev.type = EV_PEER_DELETED;
        ev.peer.name = node_names[c->node];
        agent_event(w, n, &ev, NULL);
    } else if (w->etcd.puts - c->record > RECORDS_MAX) {
        ev.type = EV_PEER_LISTED;
        agent_event(w, n, &ev, NULL);
    } else {
        ev.type = EV_PEER_PUT;
        m.record = w->etcd.put[c->record % RECORDS_MAX];
        agent_event(w, n, &ev, &m);
    }
}

void peer_list(struct world *w, struct sim_node *n)
{
    struct election_event ev = {.type = EV_PEER_LISTED};
    if (!w->has_peers)
        return;
    agent_event(w, n, &ev, NULL);
    ev.type = EV_PEER_MEMBERS;
    agent_event(w, n, &ev, NULL);
}
