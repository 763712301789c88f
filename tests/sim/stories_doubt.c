/* SPDX-License-Identifier: MIT */
/* Wake-ups that come late, proofs that come late, and words that nobody was entitled to. */
#include "stories.h"

/* Later than any wake-up that is due, and well within the right. */
#define SLEEP_US (1700 * MS_US)

/* Slept while it held the address: nothing is set and nothing said before etcd has answered. */
static void late_owner(struct world *w)
{
    start_all(w, FENCED);
    struct vip *v = vip_of(w, OWNER);
    /* An announcement falls due while it sleeps. */
    world_run_until(w, node_global(&w->node[OWNER], v->announce.next_us) - SECOND_US);
    agent_freeze(w, &w->node[OWNER]);
    run_for(w, SLEEP_US);
    cut_etcd(w, OWNER);
    uint64_t set_id = w->node[OWNER].address[0].set_id, started = v->announce.started_us;
    unsigned round = v->announce.round;
    agent_thaw(w, &w->node[OWNER]);
    agent_simple(w, &w->node[OWNER], EV_LINK_CHANGED, 0, 0, false);
    run_for(w, 200 * MS_US);
    expect(w, v->state == VIP_HELD && v->is_unproved, "it has no doubts");
    expect(w, w->node[OWNER].address[0].set_id == set_id, "the address was set in doubt");
    expect(w, v->announce.round == round && v->announce.started_us == started,
           "announced in doubt");
    join_etcd(w, OWNER);
    expect_owner_for(w, OWNER, 2 * SECOND_US);
    expect(w, !v->is_unproved && v->announce.started_us > started, "proved, and said nothing");
    expect(w, w->node[OWNER].address[0].set_id > set_id, "proved, and not refreshed");
}

/* Slept, and the address was taken off meanwhile: put back once it is proved, not before. */
static void late_owner_without_address(struct world *w)
{
    start_all(w, FENCED);
    agent_freeze(w, &w->node[OWNER]);
    run_for(w, SLEEP_US);
    cut_etcd(w, OWNER);
    delete_address(w, OWNER);
    agent_thaw(w, &w->node[OWNER]);
    expect_owner_for(w, NOBODY, 200 * MS_US);
    join_etcd(w, OWNER);
    wait_owner(w, OWNER, 1200 * MS_US, 2 * SECOND_US);
}

/* Slept while its turn came, and etcd does not answer: it does not even ask for the proof. */
static void late_heir(struct world *w)
{
    start_all(w, FENCED);
    agent_freeze(w, &w->node[HEIR]);
    run_for(w, SECOND_US);
    w->loss_percent = 100;
    delete_key(w, OWNER);
    run_for(w, SECOND_US);
    agent_thaw(w, &w->node[HEIR]);
    run_for(w, 500 * MS_US);
    expect(w, w->node[HEIR].election.is_doubtful, "it has no doubts");
    expect(w, queue_leader(&vip_of(w, HEIR)->queue)->lease == lease_of(w, HEIR),
           "the watch did not tell it");
    expect(w, vip_of(w, HEIR)->state == VIP_QUEUED, "it goes for the address in doubt");
    expect(w, world_owner(w, 0) != HEIR, "taken in doubt");
    w->loss_percent = 0;
    wait_owner(w, HEIR, 1300 * MS_US, 4 * SECOND_US);
}

/* The owner says good-bye, and every answer but those of the story is lost. */
static void lead_unanswered(struct world *w)
{
    start_all(w, FENCED);
    /* Right after a renewal, so that there is time left. */
    uint64_t renewed = w->node[HEIR].election.session.renewed_us;
    while (!w->violation && w->node[HEIR].election.session.renewed_us == renewed)
        run_for(w, MS_US);
    w->loss_percent = 100;
    w->etcd.released[0] = key_of(w, OWNER);
    delete_key(w, OWNER);
    wait_state(w, HEIR, VIP_CONFIRMING, 20 * MS_US);
}

static void slow_proof(struct world *w)
{
    lead_unanswered(w);
    run_for(w, 60 * MS_US);
    uint32_t first = vip_of(w, HEIR)->proof_req;
    deliver_proof(w, HEIR);
    expect(w, vip_of(w, HEIR)->state == VIP_CONFIRMING, "an old proof was acted on");
    expect(w, vip_of(w, HEIR)->proof_req != first, "the proof was not asked for again");
    expect(w, !w->node[HEIR].address[0].is_on, "an address by an old proof");
    run_for(w, 10 * MS_US);
    deliver_proof(w, HEIR);
    expect(w, vip_of(w, HEIR)->state != VIP_CONFIRMING, "a fresh proof was not acted on");
    w->loss_percent = 0;
    run_for(w, 20 * MS_US);
}

/* But an etcd that is always slow does not keep us out for ever. */
static void slow_etcd(struct world *w)
{
    lead_unanswered(w);
    for (unsigned i = 0; i < 3; i++) {
        run_for(w, 60 * MS_US);
        deliver_proof(w, HEIR);
        expect(w, vip_of(w, HEIR)->state == VIP_CONFIRMING, "old proof %u was acted on", i);
    }
    run_for(w, 60 * MS_US);
    deliver_proof(w, HEIR);
    expect(w, vip_of(w, HEIR)->taken == 1 || vip_of(w, HEIR)->cause == CAUSE_ADDRESS,
           "the fourth proof was not acted on");
    w->loss_percent = 0;
    run_for(w, 2 * SECOND_US);
}

/* The owner hangs and still answers; its key is deleted. Who is next looks, and is barred before
 * it could take it. It never owned, so its leaving says nothing about the wire. */
static void never_owned(struct world *w)
{
    start_all(w, FENCED);
    int64_t released = w->etcd.released[0];
    freeze_all_of(w, OWNER);
    delete_key(w, OWNER);
    wait_state(w, HEIR, VIP_PROBING, SECOND_US);
    run_for(w, 100 * MS_US);
    expect(w, vip_of(w, HEIR)->state == VIP_PROBING, "node 1 does not wait for the owner");
    set_bar(w, HEIR, BAR_HEALTH, true);
    wait_state(w, LAST, VIP_PROBING, SECOND_US);
    expect(w, w->etcd.released[0] == released, "a release by one that never owned");
    expect_owner_for(w, OWNER, SECOND_US);
    wait_owner(w, LAST, 5 * SECOND_US, 6 * SECOND_US);
    set_bar(w, HEIR, BAR_HEALTH, false);
    thaw_all_of(w, OWNER);
    expect_owner_for(w, LAST, 3 * SECOND_US);
}

/* Nobody is silent who was not asked: the owner hangs and still answers, its key is deleted, and
 * the queue of the heir's link is full. */
static void unsent_probes(struct world *w)
{
    start_all(w, FENCED);
    unsigned mark = w->traced;
    freeze_all_of(w, OWNER);
    w->node[HEIR].is_queue_full = true;
    delete_key(w, OWNER);
    wait_state(w, HEIR, VIP_PROBING, SECOND_US);
    expect_owner_for(w, OWNER, SECOND_US);
    expect_no_other_for(w, OWNER, 5 * SECOND_US);
    expect(w, was_traced(w, mark, "cannot be probed for"), "nobody was told");
    w->node[HEIR].is_queue_full = false;
    wait_owner(w, HEIR, 2200 * MS_US, 3 * SECOND_US);
    thaw_all_of(w, OWNER);
    expect_owner_for(w, HEIR, 3 * SECOND_US);
}

/* The answer comes after the deadline, though the lease lives: the key is proved again first. */
static void late_answer(struct world *w)
{
    start_all(w, FENCED);
    w->node[OWNER].is_etcd_cut = true;
    for (unsigned i = 0; i < 12; i++) { /* somebody else keeps the lease alive */
        for (unsigned k = 0; k < LEASES_MAX; k++)
            w->etcd.leases[k].expiry_us = w->now + w->ttl_us;
        run_for(w, 500 * MS_US);
    }
    expect(w, world_owner(w, 0) == NOBODY, "somebody owns it past the deadline");
    expect(w, vip_of(w, OWNER)->state == VIP_QUEUED, "it is not in the queue");
    int64_t key = key_of(w, OWNER);
    unsigned mark = w->traced;
    join_etcd(w, OWNER);
    wait_owner(w, OWNER, 1500 * MS_US, 2500 * MS_US);
    expect(w, key_of(w, OWNER) == key, "the key changed");
    expect(w, was_traced(w, mark, "standby -> confirming"), "taken again without a new proof");
}

const struct story stories_of_doubt[] = {
    {"late wake-up of the owner", late_owner},
    {"late wake-up of the owner, address gone", late_owner_without_address},
    {"late wake-up of the heir", late_heir},
    {"slow proof is asked for again", slow_proof},
    {"slow etcd keeps nobody out", slow_etcd},
    {"release only by one who owned", never_owned},
    {"unsent probes are no silence", unsent_probes},
    {"answer after the deadline", late_answer},
    {NULL, NULL},
};
