/* SPDX-License-Identifier: MIT */
/* What the peer lease reads from etcd and writes there. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "agent_net_fakes.h"

/* The record of node `name` as etcd has it. */
struct stored {
    char key[KEYS_TEXT_MAX];
    struct buf value;
    struct etcd_kv kv;
    struct etcd_response response;
};

static void store(struct stored *s, const char *name, const struct peers_record *r,
                  int64_t revision)
{
    buf_init(&s->value, 0);
    assert_int_equal(keys_peers(name, s->key), 0);
    assert_int_equal(peers_record_write(r, &s->value), 0);
    s->kv = (struct etcd_kv){.key = s->key,
                             .key_len = strlen(s->key),
                             .value = buf_str(&s->value),
                             .value_len = s->value.len,
                             .mod_revision = revision,
                             .lease = r->owner.lease};
    s->response = (struct etcd_response){.kvs = &s->kv, .n_kvs = 1};
}

/* Node `n` is the owner, and 1 .. voters vote. */
static struct peers_record record_of(unsigned n, unsigned voters)
{
    struct peers_record r = {.owner = {n, 10 + n}, .term = 3, .window_us = 500000};
    for (unsigned i = 1; i <= voters; i++)
        r.voters[r.n_voters++] = (struct peers_session){i, 10 + i};
    return r;
}

static const struct peer_record *told_put(struct agent *a, const struct etcd_kv *kv)
{
    peerstore_on_event(a, ETCD_EVENT_PUT, kv, kv->mod_revision);
    const struct told *t = told(EV_PEER_PUT);
    assert_int_equal(t->ev.peer.n, 1);
    return &t->records[0];
}

/* ---- what is read ---- */

static void a_record_is_told_as_it_is(void **state)
{
    struct agent *a = agent_new();
    struct peers_record r = record_of(2, 3);
    struct stored s;
    (void)state;
    store(&s, "cp-2", &r, 70);
    const struct peer_record *p = told_put(a, &s.kv);
    assert_string_equal(p->name, "cp-2");
    assert_int_equal(p->owner.lease, 2);
    assert_int_equal(p->owner.incarnation, 12);
    assert_int_equal(p->term, 3);
    assert_int_equal(p->window_us, 500000);
    assert_int_equal(p->revision, 70);
    assert_int_equal(p->n, 3);
    assert_int_equal(p->voters[2].lease, 3);
    buf_done(&s.value);
    agent_free(a);
}

/* Then only its lease ends that owner, but the record is known to be there. */
static void a_record_that_is_not_sound_names_nobody(void **state)
{
    struct agent *a = agent_new();
    struct peers_record sound = record_of(2, 3), many = record_of(2, PEERS_MAX + 1);
    struct stored s;
    (void)state;
    store(&s, "cp-2", &sound, 70);
    s.kv.lease = 9; /* written under another lease: it would outlive its owner, or end too soon */
    const struct peer_record *p = told_put(a, &s.kv);
    assert_int_equal(p->n, 0);
    assert_int_equal(p->owner.lease, 0);
    assert_int_equal(p->revision, 70);
    s.kv.lease = 2;
    s.kv.value_len /= 2;
    assert_int_equal(told_put(a, &s.kv)->n, 0);
    buf_done(&s.value);
    store(&s, "cp-2", &many, 71); /* a part of them would be another majority */
    assert_int_equal(told_put(a, &s.kv)->n, 0);
    buf_done(&s.value);
    agent_free(a);
}

static void keys_of_nobody_are_ignored(void **state)
{
    static const char *const keys[] = {"talosvip/v1/peers/", "talosvip/v1/peers/a/b",
                                       "talosvip/v1/nodes/cp-2"};
    struct agent *a = agent_new();
    struct peers_record r = record_of(2, 3);
    struct stored s;
    (void)state;
    store(&s, "cp-2", &r, 70);
    for (unsigned i = 0; i < sizeof(keys) / sizeof(keys[0]); i++) {
        s.kv.key = keys[i];
        s.kv.key_len = strlen(keys[i]);
        peerstore_on_event(a, ETCD_EVENT_PUT, &s.kv, 70);
        peerstore_on_event(a, ETCD_EVENT_DELETE, &s.kv, 71);
        assert_int_equal(fakes.n_told, 0);
    }
    buf_done(&s.value);
    agent_free(a);
}

static void a_list_replaces_what_was_known(void **state)
{
    struct agent *a = agent_new();
    struct peers_record r = record_of(2, 3);
    struct stored s;
    struct etcd_response none = {.n_kvs = 0};
    (void)state;
    store(&s, "cp-2", &r, 70);
    for (unsigned round = 0; round < 2; round++) { /* and nothing is there twice */
        peerstore_on_list(a, &s.response, 80);
        assert_int_equal(fakes.n_told, 2); /* the members, then the records */
        assert_int_equal(fakes.told[1].ev.type, EV_PEER_LISTED);
        assert_int_equal(fakes.told[1].ev.revision, 80);
        assert_int_equal(fakes.told[1].ev.peer.n, 1);
        fakes.n_told = 0;
    }
    peerstore_on_event(a, ETCD_EVENT_DELETE, &s.kv, 81);
    assert_string_equal(told(EV_PEER_DELETED)->name, "cp-2");
    peerstore_tell_all(a);
    assert_int_equal(fakes.told[1].ev.peer.n, 0);
    fakes.n_told = 0;
    peerstore_on_list(a, &s.response, 80);
    fakes.n_told = 0;
    peerstore_on_list(a, &none, 90);
    assert_int_equal(fakes.told[1].ev.peer.n, 0);
    buf_done(&s.value);
    agent_free(a);
}

/* One that seemed missing would be our end. */
static void there_is_always_a_place_for_our_own(void **state)
{
    struct agent *a = agent_new();
    struct peers_record r = record_of(1, 3);
    struct stored s;
    char name[16];
    bool has_own = false;
    (void)state;
    for (unsigned i = 0; i < 2 * PEERLEASE_RECORDS_MAX; i++) {
        snprintf(name, sizeof(name), "node-%u", i);
        store(&s, name, &r, 10 + i);
        told_put(a, &s.kv);
        buf_done(&s.value);
    }
    store(&s, "cp-1", &r, 99);
    told_put(a, &s.kv);
    peerstore_tell_all(a);
    const struct told *t = &fakes.told[1];
    assert_int_equal(t->ev.peer.n, PEERLEASE_RECORDS_MAX);
    for (unsigned i = 0; i < t->ev.peer.n; i++)
        has_own |= strcmp(t->records[i].name, "cp-1") == 0;
    assert_true(has_own);
    buf_done(&s.value);
    agent_free(a);
}

/* ---- members ---- */

static void members_are_nodes_that_listen(void **state)
{
    struct agent *a = agent_new();
    struct peer_session two = session(2), three = session(3);
    struct record_node r = {.node = "cp-9", .incarnation = 19, .peer_port = 1};
    (void)state;
    add_node(a, 2);
    add_node(a, 3);
    peerstore_note_node(a, &r, 9); /* no address */
    r.peer_ip = ip_of("10.0.0.9");
    peerstore_note_node(a, &r, 0); /* under no lease */
    r.incarnation = 0;             /* an older version */
    peerstore_note_node(a, &r, 9);
    peerstore_tell_members(a);
    assert_int_equal(told(EV_PEER_MEMBERS)->ev.peer.n, 2);
    assert_non_null(peerstore_find_node(a, &two));
    /* A new life of the same node replaces the old one. */
    snprintf(r.node, sizeof(r.node), "cp-2");
    r.incarnation = 99;
    peerstore_note_node(a, &r, 22);
    assert_null(peerstore_find_node(a, &two));
    assert_non_null(peerstore_find_node(a, &three));
    peerstore_forget_node(a, NULL);
    peerstore_tell_members(a);
    assert_int_equal(told(EV_PEER_MEMBERS)->ev.peer.n, 0);
    agent_free(a);
}

static void more_nodes_than_there_is_room_for(void **state)
{
    struct agent *a = agent_new();
    (void)state;
    for (unsigned n = 1; n <= PEERLEASE_NODES_MAX + 10; n++)
        add_node(a, n);
    peerstore_tell_members(a);
    assert_int_equal(told(EV_PEER_MEMBERS)->ev.peer.n, PEERLEASE_NODES_MAX);
    agent_free(a);
}

/* ---- the owner's own record ---- */

static void publish(struct agent *a, const struct peer_record *r, uint32_t req)
{
    struct election_action act = {
        .type = ACT_PEER_PUBLISH, .req = req, .record = r, .revision = 41, .lease = 1};
    peerstore_request(a, &act);
}

static struct peer_record own_record(void)
{
    struct peer_record r = {
        .name = "cp-1", .owner = session(1), .term = 4, .window_us = 500000, .n = 3};
    for (unsigned i = 0; i < 3; i++)
        r.voters[i] = session(i + 1);
    return r;
}

static void what_is_published_names_what_is_owned(void **state)
{
    struct agent *a = agent_new();
    struct peer_record r = own_record();
    (void)state;
    a->election.n = 3;
    a->vips[0] = (struct vip){.revision = 5, .owned = 5};
    a->vips[1] = (struct vip){.revision = 6, .owned = 4}; /* leads, but still probes */
    a->vips[2] = (struct vip){.revision = 0, .owned = 0};
    publish(a, &r, 1);
    assert_string_equal(fakes.asked.call, "put");
    assert_string_equal(fakes.asked.node, "cp-1");
    assert_int_equal(fakes.asked.revision, 41);
    assert_int_equal(fakes.asked.record.term, 4);
    assert_int_equal(fakes.asked.record.n_voters, 3);
    assert_int_equal(fakes.asked.record.voters[2].incarnation, 13);
    assert_int_equal(fakes.asked.record.n_owned, 1);
    assert_int_equal(fakes.asked.record.owned[0], 5);
    peerlease_close_calls(a);
    agent_free(a);
}

/* Answers the request that is out, and returns what the core is told. */
static const struct told *answered(struct etcd_reply reply, enum election_event_type type)
{
    assert_string_not_equal(fakes.asked.call, "");
    fakes.asked.fn(fakes.asked.arg, &reply);
    return told(type);
}

static void a_put_is_done_not_done_or_unknown(void **state)
{
    struct agent *a = agent_new();
    struct peer_record r = own_record();
    struct peers_record there = record_of(1, 3);
    struct etcd_response empty = {.n_kvs = 0};
    struct stored s;
    (void)state;
    store(&s, "cp-1", &there, 77);
    publish(a, &r, 1);
    const struct told *t = answered(
        (struct etcd_reply){
            .status = ETCD_OK, .succeeded = true, .responses = &s.response, .n_responses = 1},
        EV_PEER_PUBLISHED);
    assert_int_equal(t->ev.result, RESULT_OK);
    assert_int_equal(t->ev.revision, 77);
    assert_int_equal(t->ev.req, 1);
    publish(a, &r, 2);
    t = answered((struct etcd_reply){.status = ETCD_OK, .responses = &s.response, .n_responses = 1},
                 EV_PEER_PUBLISHED);
    assert_int_equal(t->ev.result, RESULT_GONE);
    assert_int_equal(t->ev.req, 2);
    assert_int_equal(t->ev.peer.n, 1);
    assert_int_equal(t->records[0].revision, 77);
    publish(a, &r, 3);
    t = answered((struct etcd_reply){.status = ETCD_OK, .responses = &empty, .n_responses = 1},
                 EV_PEER_PUBLISHED);
    assert_int_equal(t->ev.result, RESULT_GONE); /* others ended us */
    assert_int_equal(t->ev.peer.n, 0);
    publish(a, &r, 4);
    t = answered((struct etcd_reply){.status = ETCD_TIMEOUT}, EV_PEER_PUBLISHED);
    assert_int_equal(t->ev.result, RESULT_FAILED);
    /* An answer that lacks what it promises proves nothing. */
    publish(a, &r, 5);
    t = answered((struct etcd_reply){.status = ETCD_OK, .succeeded = true}, EV_PEER_PUBLISHED);
    assert_int_equal(t->ev.result, RESULT_FAILED);
    buf_done(&s.value);
    agent_free(a);
}

static void a_request_that_cannot_be_sent_is_said(void **state)
{
    struct agent *a = agent_new();
    struct peer_record r = own_record();
    (void)state;
    fakes.error = -EINVAL;
    publish(a, &r, 1);
    assert_string_equal(fakes.logged, "etcd_error");
    assert_null(a->peerlease.publish.agent); /* free for the next one */
    assert_int_equal(fakes.n_told, 0);
    agent_free(a);
}

/* ---- ending another ---- */

/* Node 2 stands first in the queue of `n` VIPs, and says that it owns all of them but the last. */
static void owner_of(struct agent *a, unsigned n, struct stored *s)
{
    struct peers_record r = record_of(2, 3);
    a->election.n = n;
    for (unsigned i = 0; i < n; i++) {
        a->slots[i].is_used = true;
        a->slots[i].ip = (struct ip){.family = IP_V4, .bytes = {10, 0, 1, (uint8_t)i}};
        a->vips[i].queue.n = 2;
        a->vips[i].queue.at[0] = (struct candidate){.lease = 2, .create_revision = 100 + i};
        a->vips[i].queue.at[1] = (struct candidate){.lease = 3, .create_revision = 300 + i};
        if (i + 1 < n)
            r.owned[r.n_owned++] = 100 + i;
    }
    store(s, "cp-2", &r, 70);
    told_put(a, &s->kv);
}

static void request(struct agent *a, enum election_action_type type, const struct peer_record *r)
{
    struct election_action act = {
        .type = type, .req = 8, .record = r, .lease = r->owner.lease, .revision = r->revision};
    peerstore_request(a, &act);
}

static void only_what_was_owned_is_given_up(void **state)
{
    struct agent *a = agent_new();
    struct etcd_response empty = {.n_kvs = 0};
    struct stored s;
    (void)state;
    owner_of(a, 3, &s);
    struct peer_record r = a->peerlease.records[1].core;
    request(a, ACT_PEER_END, &r);
    assert_string_equal(fakes.asked.call, "end");
    assert_string_equal(fakes.asked.node, "cp-2");
    assert_int_equal(fakes.asked.lease, 2);
    assert_int_equal(fakes.asked.revision, 70);
    assert_int_equal(fakes.asked.n, 2);
    assert_int_equal(fakes.asked.releases[0].revision, 100);
    assert_int_equal(fakes.asked.releases[1].revision, 101);
    const struct told *t = answered(
        (struct etcd_reply){
            .status = ETCD_OK, .succeeded = true, .responses = &empty, .n_responses = 1},
        EV_PEER_ENDED);
    assert_int_equal(t->ev.result, RESULT_OK);
    assert_int_equal(t->ev.req, 8);
    /* What was read since is another list: what it owns is not known of this one. */
    r.revision = 69;
    request(a, ACT_PEER_END, &r);
    assert_int_equal(fakes.asked.revision, 69);
    assert_int_equal(fakes.asked.n, 0);
    t = answered((struct etcd_reply){.status = ETCD_OK, .responses = &s.response, .n_responses = 1},
                 EV_PEER_ENDED);
    assert_int_equal(t->ev.result, RESULT_GONE);
    assert_int_equal(t->records[0].revision, 70);
    request(a, ACT_PEER_END, &r);
    t = answered((struct etcd_reply){.status = ETCD_UNAVAILABLE}, EV_PEER_ENDED);
    assert_int_equal(t->ev.result, RESULT_FAILED);
    buf_done(&s.value);
    agent_free(a);
}

static void many_are_given_up_in_parts(void **state)
{
    struct agent *a = agent_new();
    struct etcd_response empty = {.n_kvs = 0};
    struct etcd_reply ok = {
        .status = ETCD_OK, .succeeded = true, .responses = &empty, .n_responses = 1};
    struct stored s;
    (void)state;
    for (unsigned failing = 0; failing < 2; failing++) {
        owner_of(a, PEERS_RELEASES_MAX + 3, &s);
        request(a, ACT_PEER_END, &a->peerlease.records[1].core);
        assert_int_equal(fakes.asked.n, PEERS_RELEASES_MAX);
        assert_int_equal(fakes.asked.revision, 70);
        fakes.asked.fn(fakes.asked.arg, &ok);
        assert_int_equal(fakes.n_told, 0); /* not yet */
        assert_int_equal(fakes.asked.n, 2);
        assert_int_equal(fakes.asked.revision, 0); /* the record is gone */
        assert_int_equal(fakes.asked.releases[0].revision, 100 + PEERS_RELEASES_MAX);
        /* Ended it is in any case; what is left goes with the lease. */
        const struct told *t =
            answered(failing ? (struct etcd_reply){.status = ETCD_TIMEOUT} : ok, EV_PEER_ENDED);
        assert_int_equal(t->ev.result, RESULT_OK);
        buf_done(&s.value);
    }
    agent_free(a);
}

static void a_lease_that_is_gone_is_revoked(void **state)
{
    static const struct {
        enum etcd_status status;
        enum election_result result;
    } cases[] = {{ETCD_OK, RESULT_OK}, {ETCD_LEASE_GONE, RESULT_OK}, {ETCD_TIMEOUT, RESULT_FAILED}};
    struct agent *a = agent_new();
    struct peer_record r = {.name = "cp-2", .owner = session(2)};
    (void)state;
    for (unsigned i = 0; i < 3; i++) {
        request(a, ACT_PEER_REVOKE, &r);
        assert_string_equal(fakes.asked.call, "revoke");
        assert_int_equal(fakes.asked.lease, 2);
        const struct told *t =
            answered((struct etcd_reply){.status = cases[i].status}, EV_PEER_REVOKED);
        assert_int_equal(t->ev.result, cases[i].result);
    }
    agent_free(a);
}

/* The core repeats itself; each owner has one call of a kind. */
static void calls_are_replaced_and_bounded(void **state)
{
    struct agent *a = agent_new();
    struct peer_record r = {.name = "cp-2"};
    (void)state;
    for (unsigned round = 0; round < 3; round++)
        for (unsigned n = 1; n <= 2 * PEERS_MAX; n++) {
            r.owner = session(n);
            request(a, ACT_PEER_REVOKE, &r);
        }
    assert_int_equal(fakes.n_asked, 3 * 2 * PEERS_MAX);
    assert_int_equal(fakes.n_logged, 0);
    r.owner = session(2 * PEERS_MAX + 1);
    request(a, ACT_PEER_REVOKE, &r);
    assert_int_equal(fakes.n_asked, 3 * 2 * PEERS_MAX);
    assert_string_equal(fakes.logged, "etcd_error");
    peerlease_close_calls(a);
    request(a, ACT_PEER_REVOKE, &r);
    assert_int_equal(fakes.n_asked, 3 * 2 * PEERS_MAX + 1);
    peerlease_close_calls(a);
    agent_free(a);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_record_is_told_as_it_is),
        cmocka_unit_test(a_record_that_is_not_sound_names_nobody),
        cmocka_unit_test(keys_of_nobody_are_ignored),
        cmocka_unit_test(a_list_replaces_what_was_known),
        cmocka_unit_test(there_is_always_a_place_for_our_own),
        cmocka_unit_test(members_are_nodes_that_listen),
        cmocka_unit_test(more_nodes_than_there_is_room_for),
        cmocka_unit_test(what_is_published_names_what_is_owned),
        cmocka_unit_test(a_put_is_done_not_done_or_unknown),
        cmocka_unit_test(a_request_that_cannot_be_sent_is_said),
        cmocka_unit_test(only_what_was_owned_is_given_up),
        cmocka_unit_test(many_are_given_up_in_parts),
        cmocka_unit_test(a_lease_that_is_gone_is_revoked),
        cmocka_unit_test(calls_are_replaced_and_bounded),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
