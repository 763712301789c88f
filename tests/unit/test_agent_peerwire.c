/* SPDX-License-Identifier: MIT */
/* Where this agent listens for others, what it sends to whom, and what the status says of that. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "agent_net_fakes.h"

/* ---- where ---- */

static void all_meet_on_the_network_of_the_lowest_vip(void **state)
{
    static const char *const orders[][3] = {{"10.0.0.50", "10.9.0.50", "fd77::50"},
                                            {"fd77::50", "10.9.0.50", "10.0.0.50"},
                                            {"10.9.0.50", "fd77::50", "10.0.0.50"}};
    (void)state;
    for (unsigned k = 0; k < 3; k++) {
        struct agent *a = new_agent();
        for (unsigned i = 0; i < 3; i++)
            add_vip(a, orders[k][i], strcmp(orders[k][i], "10.9.0.50") == 0);
        peerlease_update(a);
        assert_string_equal(a->peerlease.reason, "no key from etcd yet");
        tell_key(a, 1, 'a', 0);
        assert_null(a->peerlease.reason);
        assert_true(ip_equal(&net.place.ip, &net.own[0].ip));
        assert_int_equal(net.place.ifindex, 1);
        assert_int_equal(net.place.port, 9755);
        /* Without an address there, this node cannot meet anybody on that network. */
        net.own[0].ip.family = IP_NONE;
        peerlease_update(a);
        assert_int_equal(net.place.ifindex, 2);
        end(a);
    }
}

static void a_link_that_is_gone_is_not_replaced_by_another(void **state)
{
    struct agent *a = ready_agent();
    (void)state;
    add_vip(a, "10.9.0.50", 1);
    a->links[0].ifindex = 0;
    peerlease_update(a);
    assert_null(net.udp);
    assert_string_equal(a->peerlease.reason, "the link is gone");
    assert_false(told(EV_PEER_SETUP)->ev.yes);
    assert_true(net.n_published > 0); /* nobody is to send there any more */
    a->links[0].ifindex = 1;
    peerlease_update(a);
    assert_true(told(EV_PEER_SETUP)->ev.yes);
    end(a);
}

static void without_carrier_it_hears_but_does_not_take_part(void **state)
{
    struct agent *a = ready_agent();
    struct record_node record = {0};
    (void)state;
    a->links[0].is_running = false;
    peerlease_update(a);
    assert_false(told(EV_PEER_SETUP)->ev.yes);
    assert_non_null(net.udp);
    peerlease_update(a);
    assert_int_equal(fakes.n_told, 0); /* nothing new */
    peerlease_fill_record(a, &record);
    assert_true(ip_equal(&record.peer_ip, &net.own[0].ip));
    assert_int_equal(record.peer_port, 9755);
    end(a);
}

/* However many addresses come and go meanwhile, and however long that goes on. */
static void an_address_that_changed_is_looked_at_once(void **state)
{
    struct agent *a = ready_agent();
    uint64_t due = fakes.now_us + 50 * MS_US;
    (void)state;
    peerlease_soon(a);
    assert_int_equal(fakes.timer_us, due);
    for (unsigned i = 0; i < 40; i++) {
        fakes.now_us += MS_US;
        peerlease_soon(a);
    }
    assert_int_equal(fakes.timer_us, due);
    net.own[0].ip = ip_of("10.0.0.2");
    peerlease_update(a);
    assert_true(ip_equal(&net.place.ip, &net.own[0].ip));
    assert_int_equal(net.n_published, 1); /* others are told where it is now */
    assert_int_equal(fakes.n_told, 0);
    peerlease_soon(a);
    assert_int_equal(fakes.timer_us, fakes.now_us + 50 * MS_US); /* and the next one */
    end(a);
}

static void a_port_that_is_taken_is_tried_again(void **state)
{
    struct agent *a = new_agent();
    (void)state;
    add_vip(a, "10.0.0.50", 0);
    net.error = -EADDRINUSE;
    peerlease_update(a);
    tell_key(a, 1, 'a', 0);
    assert_string_equal(a->peerlease.reason, "the UDP port cannot be used");
    assert_string_equal(fakes.logged, "peer_port");
    assert_int_equal(fakes.timer_us, fakes.now_us + 5 * SECOND_US);
    peerlease_update(a);
    assert_int_equal(fakes.n_logged, 1); /* said once */
    net.error = 0;
    fakes.n_told = 0;
    peerlease_update(a);
    assert_true(told(EV_PEER_SETUP)->ev.yes);
    end(a);
}

static void switched_off_it_does_nothing_at_all(void **state)
{
    struct agent *a = new_agent();
    struct record_node record = {0};
    (void)state;
    a->settings.has_peers = false;
    add_vip(a, "10.0.0.50", 0);
    peerlease_update(a);
    tell_key(a, 1, 'a', 0);
    peerwire_on_key(a, NULL);
    peerlease_fill_record(a, &record);
    assert_int_equal(record.incarnation, 0);
    assert_null(net.udp);
    assert_int_equal(net.n_created + fakes.n_told + net.n_published, 0);
    end(a);
}

/* It may be a voter until owners have struck it off, so it goes on to hear them. */
static void switched_off_by_a_reload_it_only_withdraws(void **state)
{
    struct agent *a = ready_agent();
    struct record_node record = {0};
    (void)state;
    a->settings.has_peers = false;
    peerlease_update(a);
    assert_false(told(EV_PEER_SETUP)->ev.yes);
    assert_non_null(net.udp);
    peerlease_fill_record(a, &record);
    assert_int_equal(record.peer_ip.family, IP_NONE);
    end(a);
}

/* ---- in and out ---- */

static void a_datagram_is_told_as_it_is(void **state)
{
    static const enum election_event_type types[] = {
        0, EV_PEER_HEARTBEAT, EV_PEER_ACKED, EV_PEER_ASKED, EV_PEER_GRANTED, EV_PEER_LEAVING};
    struct agent *a = ready_agent();
    struct ip from = ip_of("192.0.2.1"); /* who sent it is in the datagram, and nowhere else */
    (void)state;
    for (unsigned kind = DATAGRAM_HEARTBEAT; kind <= DATAGRAM_LEAVING; kind++) {
        struct datagram d = {kind, {2, 12}, {3, 13}, 1ull << 63, INT64_MAX, UINT32_MAX};
        net.fn(net.arg, &d, &from, 1, 0);
        const struct election_event *ev = &told(types[kind])->ev;
        struct peer_session two = session(2), three = session(3);
        assert_true(peer_is_same(&ev->peer.from, &two));
        assert_true(peer_is_same(&ev->peer.owner, &three));
        assert_int_equal(ev->peer.number, 1ull << 63);
        assert_int_equal(ev->peer.term, INT64_MAX);
        assert_int_equal(ev->peer.window_us, UINT32_MAX);
    }
    end(a);
}

static const struct datagram *only_sent(enum datagram_kind kind, const char *to)
{
    struct ip ip = ip_of(to);
    assert_int_equal(net.n_sent, 1);
    assert_int_equal(net.sent[0].d.kind, kind);
    assert_true(ip_equal(&net.sent[0].to, &ip));
    assert_int_equal(net.sent[0].port, 9755);
    assert_int_equal(net.sent[0].d.from.lease, 1);
    assert_int_equal(net.sent[0].d.from.incarnation, 11);
    net.n_sent = 0;
    return &net.sent[0].d;
}

static void answers_go_where_etcd_says_that_session_listens(void **state)
{
    struct agent *a = ready_agent();
    struct election_action act = {
        .type = ACT_PEER_ACK, .peer = session(2), .owner = session(3), .at_us = 7, .term = 4};
    (void)state;
    add_node(a, 2);
    peerwire_send(a, &act);
    const struct datagram *d = only_sent(DATAGRAM_ACKNOWLEDGEMENT, "10.0.0.2");
    assert_int_equal(d->owner.lease, 2); /* about whom it answers */
    assert_int_equal(d->number, 7);
    assert_int_equal(d->term, 4);
    act.type = ACT_PEER_GRANT;
    peerwire_send(a, &act);
    d = only_sent(DATAGRAM_GRANT, "10.0.0.2");
    assert_int_equal(d->owner.lease, 3);
    assert_int_equal(d->number, 7);
    assert_int_equal(d->term, 4);
    act.peer.incarnation++; /* another life of that node: not the one that is there now */
    peerwire_send(a, &act);
    act.peer = session(9); /* nobody that etcd names */
    peerwire_send(a, &act);
    assert_int_equal(net.n_sent, 0);
    end(a);
}

static void heartbeats_go_to_all_members(void **state)
{
    struct agent *a = ready_agent();
    struct election_action act = {.type = ACT_PEER_BEAT, .at_us = 9, .ttl_us = 400000};
    (void)state;
    for (unsigned n = 2; n <= 4; n++) {
        add_node(a, n);
        a->election.peer.owner.members[n].session = session(n);
    }
    peerstore_forget_node(a, "cp-3"); /* its key is gone, and with it the address */
    peerwire_send(a, &act);
    assert_int_equal(net.n_sent, 2);
    for (unsigned i = 0; i < 2; i++) {
        assert_int_equal(net.sent[i].to.bytes[3], i ? 4 : 2);
        assert_int_equal(net.sent[i].d.kind, DATAGRAM_HEARTBEAT);
        assert_int_equal(net.sent[i].d.owner.lease, 1);
        assert_int_equal(net.sent[i].d.number, 9);
        assert_int_equal(net.sent[i].d.window_us, 400000);
    }
    net.n_sent = 0;
    act = (struct election_action){.type = ACT_PEER_LEAVE};
    peerwire_send(a, &act);
    assert_int_equal(net.n_sent, 2);
    assert_int_equal(net.sent[0].d.kind, DATAGRAM_LEAVING);
    end(a);
}

static void voters_are_asked_but_not_the_owner_or_oneself(void **state)
{
    struct agent *a = ready_agent();
    struct peer_record r = {.owner = session(2), .term = 5, .window_us = 300000, .n = 3};
    struct election_action act = {.type = ACT_PEER_ASK, .record = &r, .at_us = 77};
    (void)state;
    for (unsigned n = 1; n <= 3; n++) {
        add_node(a, n);
        r.voters[n - 1] = session(n);
    }
    peerwire_send(a, &act);
    const struct datagram *d = only_sent(DATAGRAM_ASK, "10.0.0.3");
    assert_int_equal(d->owner.lease, 2);
    assert_int_equal(d->term, 5);
    assert_int_equal(d->number, 77);
    assert_int_equal(d->window_us, 300000);
    udp_close(net.udp);
    a->peerlease.udp = NULL; /* moving, say */
    peerwire_send(a, &act);
    assert_int_equal(net.n_sent, 0);
    end(a);
}

/* ---- the status ---- */

static void the_status_says_who_votes_and_how_fresh_that_is(void **state)
{
    struct agent *a = ready_agent();
    struct api_peer list[API_PEERS_MAX];
    struct api_peers view = {.list = list};
    struct peer_owner *o = &a->election.peer.owner;
    (void)state;
    for (unsigned n = 1; n <= 3; n++)
        add_node(a, n);
    o->current.n = 2;
    o->current.voters[0] = session(1);
    o->current.voters[1] = session(2);
    o->right_us = fakes.now_us + 420 * MS_US;
    o->members[5] =
        (struct peer_member){.session = session(2), .acked_us = fakes.now_us - 30 * MS_US};
    a->election.peer.seen[0] =
        (struct peer_seen){.owner = session(3), .heard_us = fakes.now_us - 2 * SECOND_US};
    peertell_view(a, &view);
    assert_true(view.is_ready);
    assert_int_equal(view.voters, 2);
    assert_int_equal(view.majority, 2);
    assert_int_equal(view.remaining_ms, 420);
    assert_int_equal(view.n, 2); /* the others */
    assert_string_equal(list[0].node, "cp-2");
    assert_true(list[0].is_voter);
    assert_int_equal(list[0].acked_ago_ms, 30);
    assert_int_equal(list[0].heard_ago_ms, -1);
    assert_false(list[1].is_voter);
    assert_int_equal(list[1].acked_ago_ms, -1);
    assert_int_equal(list[1].heard_ago_ms, 2000);
    /* To the other nodes it says the same. */
    struct record_node record = {0};
    a->election.peer.endings = 7;
    o->is_mute = true;
    peertell_fill_record(a, &record);
    assert_true(record.peers.is_known && record.peers.is_ready && record.peers.is_mute);
    assert_int_equal(record.peers.endings, 7);
    assert_int_equal(record.peers.suspicions, 0);
    assert_int_equal(record.peers.n, 2);
    assert_string_equal(record.peers.list[0].node, "cp-2");
    assert_true(record.peers.list[0].is_voter);
    assert_int_equal(record.peers.list[0].acked_ago_ms, 30);
    assert_int_equal(record.peers.list[1].heard_ago_ms, 2000);
    o->right_us = fakes.now_us - 1; /* past: never less than nothing */
    a->fence_reason = "old kernel";
    peertell_view(a, &view);
    assert_int_equal(view.remaining_ms, 0);
    assert_false(view.is_ready);
    assert_string_equal(view.reason, "no packet fence");
    end(a);
}

/* Its record in etcd does not wait for the next turn when voters come, and ages alone do not make
 * it write. */
static void new_voters_are_published(void **state)
{
    struct agent *a = ready_agent();
    struct election_action on = {.type = ACT_PEER_NOTE, .note = PEER_NOTE_ON, .count = 3};
    struct record_node record = {0};
    (void)state;
    peertell_note(a, &on);
    assert_int_equal(net.n_published, 1);
    peertell_note(a, &on); /* the same, under another term */
    peertell_fill_record(a, &record);
    on.note = PEER_NOTE_MUTE;
    peertell_note(a, &on);
    assert_int_equal(net.n_published, 1);
    end(a);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(all_meet_on_the_network_of_the_lowest_vip),
        cmocka_unit_test(a_link_that_is_gone_is_not_replaced_by_another),
        cmocka_unit_test(without_carrier_it_hears_but_does_not_take_part),
        cmocka_unit_test(an_address_that_changed_is_looked_at_once),
        cmocka_unit_test(a_port_that_is_taken_is_tried_again),
        cmocka_unit_test(switched_off_it_does_nothing_at_all),
        cmocka_unit_test(switched_off_by_a_reload_it_only_withdraws),
        cmocka_unit_test(a_datagram_is_told_as_it_is),
        cmocka_unit_test(answers_go_where_etcd_says_that_session_listens),
        cmocka_unit_test(heartbeats_go_to_all_members),
        cmocka_unit_test(voters_are_asked_but_not_the_owner_or_oneself),
        cmocka_unit_test(the_status_says_who_votes_and_how_fresh_that_is),
        cmocka_unit_test(new_voters_are_published),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
