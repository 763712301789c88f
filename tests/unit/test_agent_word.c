/* SPDX-License-Identifier: MIT */
/* What the last owner says of its loss lands in the record that follows its own, in a real etcd,
 * whatever came first and whoever led since. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "etcd_fixture.h"
#include "etcd_server.h"

#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "../../src/agent/history.h"
#include "etcd/keys.h"

#define OWN_LEASE 7
#define WAIT_MS 5000

static struct agent *a;
static int64_t epoch; /* of the key under which we had the address; a new one for each test */

static void queue_is(int64_t revision, int64_t lease, const char *name)
{
    struct queue *q = &a->vips[0].queue;
    *q = (struct queue){.revision = revision, .n = lease ? 1 : 0};
    q->at[0] = (struct candidate){.lease = lease, .create_revision = revision};
    snprintf(q->at[0].name, sizeof(q->at[0].name), "%s", name);
    history_stepped(a, 0);
}

/* An owner called cp-1, whose own record is left out. */
static int start(void **state)
{
    const char *const endpoints[] = {group_server.url, NULL};
    if (fixture_setup(state) != 0)
        return -1;
    epoch += 1000;
    a = calloc(1, sizeof(*a));
    a->vips = calloc(1, sizeof(*a->vips));
    a->loop = fixture_loop;
    a->election.n = 1;
    a->election.vips = a->vips;
    a->election.session.state = SESSION_LIVE;
    a->election.session.lease = OWN_LEASE;
    a->slots[0].is_used = true;
    ip_parse("10.0.0.50", &a->slots[0].ip);
    snprintf(a->settings.node, sizeof(a->settings.node), "cp-1");
    a->etcd = fixture_client((struct etcd_client_config){0}, endpoints);
    assert_int_equal(sight_open(a), 0);
    assert_int_equal(history_open(a), 0);
    queue_is(epoch, OWN_LEASE, "cp-1");
    a->vips[0].owned = a->vips[0].revision = epoch;
    a->history->tracks[0].noted = epoch;
    return 0;
}

static int end(void **state)
{
    history_close(a);
    sight_close(a);
    etcd_client_free(a->etcd);
    free(a->vips);
    free(a);
    return fixture_teardown(state);
}

static void lose(enum election_cause cause)
{
    struct election_action action = {
        .from = VIP_HELD, .to = VIP_DROPPING, .cause = cause, .type = ACT_STATE};
    a->vips[0].state = VIP_DROPPING;
    history_state(a, &action);
}

static void put_record(int64_t at, int64_t previous, const char *cause, const char *detail)
{
    struct record_move move = {
        .epoch = at, .previous_epoch = previous, .set_us = -1, .from = "cp-1"};
    char key[KEYS_TEXT_MAX];
    struct answer answer;
    struct buf json;
    snprintf(move.to, sizeof(move.to), "cp-2");
    snprintf(move.cause, sizeof(move.cause), "%s", cause);
    snprintf(move.detail, sizeof(move.detail), "%s", detail);
    buf_init(&json, 0);
    keys_history(&a->slots[0].ip, at, key);
    assert_int_equal(record_move_write(&move, &json), 0);
    fixture_put(a->etcd, key, buf_str(&json), 0, &answer);
    assert_int_equal(answer.status, ETCD_OK);
    buf_done(&json);
}

static void on_move(void *arg, const struct etcd_reply *reply)
{
    struct record_move *move = arg;
    if (reply->n_responses == 1 && reply->responses[0].n_kvs == 1)
        record_move_parse(reply->responses[0].kvs[0].value, reply->responses[0].kvs[0].value_len,
                          move);
    loop_stop(fixture_loop);
}

static struct record_move get_record(int64_t at)
{
    struct record_move move = {.epoch = 0};
    char key[KEYS_TEXT_MAX];
    keys_history(&a->slots[0].ip, at, key);
    const struct etcd_range range = {.key = key};
    assert_int_equal(etcd_call_range(a->etcd, &range, SECOND_US, on_move, &move, NULL), 0);
    fixture_run(50);
    return move;
}

static bool is_told(int64_t at, const char *cause, const char *detail)
{
    struct record_move move;
    uint64_t limit = clock_now_us() + WAIT_MS * MS_US;
    do
        move = get_record(at);
    while (strcmp(move.cause, cause) != 0 && clock_now_us() < limit);
    if (strcmp(move.cause, cause) == 0 && strcmp(move.detail, detail) == 0)
        return true;
    print_message("%s: %s\n", move.cause, move.detail);
    return false;
}

/* Every word has been told, or never will be. */
static bool is_done(void)
{
    uint64_t limit = clock_now_us() + WAIT_MS * MS_US;
    while (a->history->n_jobs && clock_now_us() < limit) {
        for (struct job *job = a->history->first; job; job = job->next)
            if (job->kind == JOB_SIGHT)
                job->born_us = 0; /* nobody is there to be seen */
        history_arm(a->history);
        fixture_run(20);
    }
    return a->history->n_jobs == 0;
}

/* A revoked lease takes the record of voters with it, and that may be heard of first. */
static void test_record_is_there(void **state)
{
    (void)state;
    put_record(epoch + 10, epoch, "lease expired", "cp-1 lost");
    lose(CAUSE_PEERS);
    queue_is(epoch + 10, 8, "cp-2");
    assert_true(is_told(epoch + 10, "etcd session lost", "cp-1"));
    assert_true(is_done());
}

static void test_record_comes_later(void **state)
{
    (void)state;
    lose(CAUSE_SESSION_LOST);
    queue_is(epoch + 1, 0, "");
    queue_is(epoch + 10, 8, "cp-2");
    fixture_run(400);
    assert_true(history_is_busy(a));
    put_record(epoch + 10, epoch, "lease expired", "cp-1 lost");
    assert_true(is_told(epoch + 10, "etcd session lost", "cp-1"));
    assert_true(is_done());
    assert_false(history_is_busy(a));
}

/* Cut off while it moved twice: what it knows is about the first move. */
static void test_moved_twice(void **state)
{
    (void)state;
    lose(CAUSE_LAPSED);
    put_record(epoch + 10, epoch, "lease expired", "cp-1 lost");
    put_record(epoch + 20, epoch + 10, "lease expired", "cp-2 lost");
    queue_is(epoch + 20, 9, "cp-3");
    fixture_run(200);
    assert_true(is_done());
    assert_string_equal(get_record(epoch + 10).cause, "etcd session lost");
    assert_string_equal(get_record(epoch + 20).cause, "lease expired");
}

static void put_stay(int64_t at, int64_t term)
{
    struct record_move move = {.epoch = at,
                               .previous_epoch = at,
                               .term = term,
                               .set_us = -1,
                               .cause = RECORD_CAUSE_STAYED};
    char key[KEYS_TEXT_MAX];
    struct answer answer;
    struct buf json;
    snprintf(move.to, sizeof(move.to), at == epoch ? "cp-1" : "cp-2");
    memcpy(move.from, move.to, sizeof(move.from));
    buf_init(&json, 0);
    keys_history_stay(&a->slots[0].ip, at, term, key);
    assert_int_equal(record_move_write(&move, &json), 0);
    fixture_put(a->etcd, key, buf_str(&json), 0, &answer);
    assert_int_equal(answer.status, ETCD_OK);
    buf_done(&json);
}

/* It stayed when etcd's leader changed, and so did the next one: the move is between the two. */
static void test_stayed_around_it(void **state)
{
    (void)state;
    put_stay(epoch, 5);
    put_record(epoch + 10, epoch, "lease expired", "cp-1 lost");
    put_stay(epoch + 10, 6);
    lose(CAUSE_SESSION_LOST);
    queue_is(epoch + 10, 8, "cp-2");
    assert_true(is_told(epoch + 10, "etcd session lost", "cp-1"));
    assert_true(is_done());
}

/* Somebody else was in between, and wrote no record: the next one is not about us. */
static void test_not_ours(void **state)
{
    (void)state;
    put_record(epoch + 20, epoch + 10, "unknown", "");
    lose(CAUSE_SESSION_LOST);
    queue_is(epoch + 20, 9, "cp-3");
    assert_true(is_done());
    assert_string_equal(get_record(epoch + 20).cause, "unknown");
}

/* etcd is away when it is to be said. */
static void test_etcd_away(void **state)
{
    (void)state;
    put_record(epoch + 10, epoch, "lease expired", "cp-1 lost");
    etcd_server_stop(&group_server, SIGTERM);
    lose(CAUSE_SESSION_LOST);
    queue_is(epoch + 10, 8, "cp-2");
    fixture_run(500);
    assert_true(etcd_server_start(&group_server));
    assert_true(is_told(epoch + 10, "etcd session lost", "cp-1"));
}

/* It went by its own will, and could not tell etcd. */
static void test_release_was_not_written(void **state)
{
    (void)state;
    put_record(epoch + 10, epoch, "silent", "ended by peers");
    snprintf(a->slots[0].link_name, sizeof(a->slots[0].link_name), "eth0");
    lose(CAUSE_LINK_DOWN);
    queue_is(epoch + 10, 8, "cp-2");
    assert_true(is_told(epoch + 10, "link down", "eth0"));
    assert_true(is_done());
}

/* Held up as it was, it may have been ended before. */
static void test_ended_before_it_let_go(void **state)
{
    (void)state;
    put_record(epoch + 10, epoch, "silent", "ended by peers");
    a->election.is_doubtful = true;
    lose(CAUSE_LINK_DOWN);
    queue_is(epoch + 10, 8, "cp-2");
    assert_true(is_done());
    assert_string_equal(get_record(epoch + 10).cause, "silent");
}

/* The key is gone, and whether the lease is too turns out at the next renewal. */
static void test_key_or_lease(void **state)
{
    (void)state;
    put_record(epoch + 10, epoch, "lease expired", "cp-1 lost");
    lose(CAUSE_KEY_LOST);
    queue_is(epoch + 10, 8, "cp-2");
    fixture_run(300);
    assert_string_equal(get_record(epoch + 10).cause, "lease expired");
    a->election.session.renewed_us = clock_now_us();
    assert_true(is_told(epoch + 10, "key deleted", "by hand"));
    /* And once more, with the lease. */
    put_record(epoch + 30, epoch + 20, "lease expired", "cp-1 lost");
    queue_is(epoch + 20, OWN_LEASE, "cp-1");
    a->vips[0].owned = epoch + 20;
    lose(CAUSE_KEY_LOST);
    queue_is(epoch + 30, 8, "cp-2");
    a->election.session.lease = 0;
    assert_true(is_told(epoch + 30, "etcd session lost", "cp-1"));
}

/* Taken back under the same key, then frozen: the first loss is no cause. */
static void test_taken_back(void **state)
{
    (void)state;
    lose(CAUSE_LAPSED);
    a->election.is_doubtful = true;
    a->election.doubt_us = clock_now_us();
    lose(CAUSE_LAPSED);
    put_record(epoch + 10, epoch, "lease expired", "cp-1 lost");
    queue_is(epoch + 10, 8, "cp-2");
    assert_true(is_done());
    assert_string_equal(get_record(epoch + 10).cause, "lease expired");
}

/* An owner without an agent writes nothing; the one after it does. */
static void test_no_record_for_long(void **state)
{
    (void)state;
    lose(CAUSE_SESSION_LOST);
    queue_is(epoch + 10, 8, "talos");
    fixture_run(100);
    assert_true(history_is_busy(a));
    fixture_run(1500);
    assert_false(history_is_busy(a)); /* an agent that stops waits no longer */
    assert_int_equal(a->history->n_jobs, 2);
    for (struct job *job = a->history->first; job; job = job->next)
        job->born_us = job->due_us = 0;
    history_arm(a->history);
    fixture_run(300);
    assert_int_equal(a->history->n_jobs, 1); /* it sleeps */
    assert_false(history_is_busy(a));
    put_record(epoch + 20, epoch, "unknown", "");
    queue_is(epoch + 20, 9, "cp-3");
    assert_true(is_told(epoch + 20, "etcd session lost", "cp-1"));
}

/* cp-2 has it from `epoch` + 10 on; its last answer is 0.4 s old when its key goes. */
static void cp_2_loses(void)
{
    snprintf(a->others[0].record.node, sizeof(a->others[0].record.node), "cp-2");
    queue_is(epoch + 10, 8, "cp-2");
    fixture_run(20);
    a->history->tracks[0].now.since_us -= SECOND_US;
    a->slots[0].view.sign_us = clock_now_us() - 400 * MS_US;
}

static void take(void)
{
    const struct election_action action = {.from = VIP_TAKING, .to = VIP_HELD, .type = ACT_STATE};
    queue_is(epoch + 11, 0, "");
    queue_is(epoch + 20, OWN_LEASE, "cp-1");
    a->vips[0].state = VIP_HELD;
    a->vips[0].owned = a->vips[0].revision = epoch + 20;
    history_state(a, &action);
}

/* The newest that etcd has before our record says that cp-2 stayed: as its owner, under its epoch.
 */
static void test_chain_across_a_stay(void **state)
{
    struct record_move move;
    (void)state;
    put_record(epoch + 10, epoch, "resign", "");
    put_stay(epoch + 10, 1000000); /* far above the next owner's create revision */
    cp_2_loses();
    take();
    assert_true(is_told(epoch + 20, "lease expired", "cp-2 lost"));
    move = get_record(epoch + 20);
    assert_int_equal(move.previous_epoch, epoch + 10);
    assert_string_equal(move.from, "cp-2");
    assert_int_equal(move.term, 0);
    assert_string_equal(get_record(epoch + 10).cause, "resign"); /* it was not missing */
}

static void test_not_heard(void **state)
{
    (void)state;
    cp_2_loses();
    take();
    assert_true(is_told(epoch + 20, "lease expired", "cp-2 lost"));
    assert_string_equal(get_record(epoch + 10).to, "cp-2");
}

/* Who waited behind an owner heard its heartbeats, more often than it asked the wire. */
static void test_heartbeat(void **state)
{
    struct peer_lease *p = &a->election.peer;
    (void)state;
    cp_2_loses();
    p->seen[p->seen_n++] =
        (struct peer_seen){.owner = {.lease = 8, .incarnation = 1}, .heard_us = clock_now_us()};
    take();
    assert_true(is_told(epoch + 20, "etcd session lost", "cp-2"));
    assert_in_range(get_record(epoch + 20).last_sign_us, 390 * MS_US, 5 * SECOND_US);
}

/* By the time the record is written, this owner's own release may have taken that one's place. */
static void test_release_it_was_taken_by(void **state)
{
    struct record_released *released = &a->slots[0].released;
    (void)state;
    cp_2_loses();
    *released = (struct record_released){.revision = epoch + 10};
    snprintf(released->node, sizeof(released->node), "cp-2");
    snprintf(released->cause, sizeof(released->cause), "resign");
    take();
    released->revision = epoch + 20;
    assert_true(is_told(epoch + 20, "resign", ""));
}

/* Lost again before it could write its record: who came next wrote a poor one in its place. */
static void test_record_of_another_hand(void **state)
{
    struct record_move move;
    (void)state;
    cp_2_loses();
    a->slots[0].released = (struct record_released){.revision = epoch + 10};
    snprintf(a->slots[0].released.cause, sizeof(a->slots[0].released.cause), "resign");
    put_record(epoch + 20, epoch + 10, "unknown", "");
    take();
    assert_true(is_told(epoch + 20, "resign", ""));
    move = get_record(epoch + 20);
    assert_string_equal(move.to, "cp-1");
    assert_true(move.set_us >= 0);
    assert_true(is_done());
    /* What stands there already may be the word of the owner before. */
    epoch += 100;
    queue_is(epoch, OWN_LEASE, "cp-1");
    cp_2_loses();
    put_record(epoch + 20, epoch + 10, "link down", "eth0");
    take();
    assert_true(is_done());
    move = get_record(epoch + 20);
    assert_string_equal(move.cause, "link down");
    assert_true(move.set_us >= 0);
}

/* Its watch was deaf for seconds: by then it had long seen the new owner, whose station it knows.
 */
static void test_heard_of_late(void **state)
{
    static const struct mac mac = {{2, 0, 0, 0, 0, 3}};
    struct record_node *r = &a->others[1].record;
    struct observe *view = &a->slots[0].view;
    (void)state;
    cp_2_loses();
    put_record(epoch + 20, epoch + 10, "silent", "ended by peers");
    view->mac = mac;
    view->turn = (struct observe_turn){.at_us = clock_now_us(), .is_new = true};
    view->moved = view->turn;
    a->history->tracks[0].now.since_us -= 5 * SECOND_US;
    view->turn.at_us = view->moved.at_us -= 3 * SECOND_US;
    queue_is(epoch + 20, 9, "cp-3"); /* not known by that station */
    assert_false(a->history->first->is_seen);
    snprintf(r->node, sizeof(r->node), "cp-4");
    r->n_links = 1;
    mac_format(&mac, r->links[0].mac);
    put_record(epoch + 30, epoch + 20, "silent", "ended by peers");
    a->history->tracks[0].now.since_us -= 5 * SECOND_US;
    queue_is(epoch + 30, 10, "cp-4");
    fixture_run(1500);
    assert_int_equal(get_record(epoch + 30).n_seen, 1);
    assert_int_equal(get_record(epoch + 20).n_seen, 0);
}

int main(void)
{
    if (etcd_server_is_missing("etcd"))
        return 0;
#define T(name) cmocka_unit_test_setup_teardown(name, start, end)
    const struct CMUnitTest tests[] = {
        T(test_record_is_there),
        T(test_record_comes_later),
        T(test_moved_twice),
        T(test_stayed_around_it),
        T(test_not_ours),
        T(test_etcd_away),
        T(test_release_was_not_written),
        T(test_ended_before_it_let_go),
        T(test_key_or_lease),
        T(test_taken_back),
        T(test_no_record_for_long),
        T(test_chain_across_a_stay),
        T(test_not_heard),
        T(test_heartbeat),
        T(test_release_it_was_taken_by),
        T(test_record_of_another_hand),
        T(test_heard_of_late),
    };
    return cmocka_run_group_tests(tests, etcd_server_setup, etcd_server_teardown);
}
