/* SPDX-License-Identifier: MIT */
/* I10 to I13: what voters said and what etcd did, noted outside of the cores. */
#include "world.h"

static struct sim_said *said_of(struct sim_node *n, int64_t lease)
{
    for (unsigned i = 0; i < n->said_n; i++)
        if (n->said[i].lease == lease)
            return &n->said[i];
    unsigned i = n->said_n < 16 ? n->said_n++ : 15;
    n->said[i] = (struct sim_said){.lease = lease};
    return &n->said[i];
}

void check_ack(struct world *w, struct sim_node *n, const struct election_action *a,
               bool is_delayed)
{
    struct sim_said *said = said_of(n, a->peer.lease);
    if (a->term < said->given_up)
        check_fail(w, "I10", "node %u acknowledges term %d of lease %d, which it gave up", n->id,
                   (int)said->given_up, (int)a->peer.lease);
    /* One that a freeze held back is as old as the decision: it counts for when its heartbeat was
     * sent, which was before that. */
    if (!is_delayed)
        said->acked_local = node_local(w, n);
}

void check_given_up(struct world *w, struct sim_node *n, const struct election_action *a)
{
    struct sim_said *said = said_of(n, a->peer.lease);
    uint64_t now = node_local(w, n), patience = a->ttl_us + a->ttl_us / 100;
    if ((said->acked_local && now < said->acked_local + patience) ||
        now < n->started_local + patience)
        check_fail(w, "I12", "node %u gives up lease %d too soon", n->id, (int)a->peer.lease);
    said->given_up = a->term;
}

void check_grant(struct world *w, struct sim_node *n, const struct election_action *a)
{
    if (said_of(n, a->owner.lease)->given_up < a->term)
        check_fail(w, "I12", "node %u grants what it has not given up", n->id);
}

static bool is_ended(const struct world *w, int64_t lease)
{
    int64_t i = lease - LEASE_FIRST;
    return i >= 0 && i < LEASES_EVER_MAX && w->etcd.is_ended[i];
}

/* I11, I13: after each change of the page, or of the record. */
void check_bound(struct world *w, struct sim_node *n)
{
    const struct peer_record *r = &w->etcd.record[n->id].record;
    int64_t lease = n->election.session.lease;
    uint64_t now = node_local(w, n);
    if (n->page_deadline_local <= now || !lease)
        return;
    if (is_ended(w, lease))
        check_fail(w, "I11", "node %u may speak again under lease %d, which was ended", n->id,
                   (int)lease);
    if (r->revision && r->owner.lease == lease && r->n &&
        n->page_deadline_local > now + r->window_us)
        check_fail(w, "I13", "node %u does not obey the voters that it named", n->id);
}

void check_ended(struct world *w, const struct peer_record *record)
{
    int64_t lease = record->owner.lease;
    struct sim_node *n = &w->node[peer_node_of(w, lease)];
    if (lease - LEASE_FIRST < LEASES_EVER_MAX)
        w->etcd.is_ended[lease - LEASE_FIRST] = true;
    if (n->election.session.lease == lease && n->is_powered &&
        n->page_deadline_local > node_local(w, n))
        check_fail(w, "I11", "the lease %d of node %u is ended while it may speak", (int)lease,
                   n->id);
}
