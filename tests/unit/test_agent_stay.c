/* SPDX-License-Identifier: MIT */
/* etcd's leader changes and the owner stays: its record, and what others add to it, in a real
 * etcd. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "etcd_fixture.h"
#include "etcd_server.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "../../src/agent/history.h"
#include "etcd/keys.h"

#define WAIT_MS 5000
#define TERM 1000 /* far above that of the etcd in use, whose own answers lag behind then */

static struct agent *a;
static int64_t lease = 7; /* another one for each test */
static int64_t epoch;
static uint64_t cluster_id;

static void queue_is(int64_t revision, int64_t by, const char *name)
{
    struct queue *q = &a->vips[0].queue;
    *q = (struct queue){.revision = revision, .n = by ? 1 : 0};
    q->at[0] = (struct candidate){.lease = by, .create_revision = revision};
    snprintf(q->at[0].name, sizeof(q->at[0].name), "%s", name);
    history_stepped(a, 0);
}

static void on_header(void *arg, const struct etcd_reply *reply)
{
    *(uint64_t *)arg = reply->header.cluster_id;
    loop_stop(fixture_loop);
}

static void ask_cluster_id(void)
{
    const struct etcd_range range = {.key = "x"};
    assert_int_equal(etcd_call_range(a->etcd, &range, SECOND_US, on_header, &cluster_id, NULL), 0);
    fixture_run(200);
    assert_int_not_equal(cluster_id, 0);
}

/* An owner called cp-1, whose own record is written, and whose key is there. */
static int start(void **state)
{
    const char *const endpoints[] = {group_server.url, NULL};
    char key[KEYS_TEXT_MAX];
    struct answer answer;
    if (fixture_setup(state) != 0)
        return -1;
    a = calloc(1, sizeof(*a));
    a->vips = calloc(1, sizeof(*a->vips));
    a->loop = fixture_loop;
    a->election.n = 1;
    a->election.vips = a->vips;
    a->election.session.state = SESSION_LIVE;
    a->election.session.lease = ++lease;
    a->slots[0].is_used = true;
    ip_parse("10.0.0.50", &a->slots[0].ip);
    snprintf(a->settings.node, sizeof(a->settings.node), "cp-1");
    a->etcd = fixture_client((struct etcd_client_config){0}, endpoints);
    assert_int_equal(sight_open(a), 0);
    assert_int_equal(history_open(a), 0);
    keys_candidate(&a->slots[0].ip, lease, key);
    fixture_put(a->etcd, key, "cp-1", 0, &answer);
    assert_int_equal(answer.status, ETCD_OK);
    epoch = answer.revision;
    queue_is(epoch, lease, "cp-1");
    a->vips[0].owned = a->vips[0].revision = epoch;
    a->vips[0].state = VIP_HELD;
    a->history->tracks[0].noted = epoch;
    ask_cluster_id();
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

static void term_is(uint64_t term)
{
    const struct etcd_header header = {.cluster_id = cluster_id, .raft_term = term};
    history_term(a, &header);
}

static void prove(uint64_t term)
{
    history_proved(a, HISTORY_RENEWED, term);
    history_proved(a, HISTORY_CHECKED, term);
}

static bool is_done(void)
{
    uint64_t limit = clock_now_us() + WAIT_MS * MS_US;
    while (a->history->n_jobs && clock_now_us() < limit)
        fixture_run(20);
    return a->history->n_jobs == 0;
}

static void on_move(void *arg, const struct etcd_reply *reply)
{
    struct record_move *move = arg;
    if (reply->n_responses == 1 && reply->responses[0].n_kvs == 1)
        assert_int_equal(record_move_parse(reply->responses[0].kvs[0].value,
                                           reply->responses[0].kvs[0].value_len, move),
                         0);
    loop_stop(fixture_loop);
}

static struct record_move get_record(int64_t term)
{
    struct record_move move = {.epoch = 0};
    char key[KEYS_TEXT_MAX];
    keys_history_stay(&a->slots[0].ip, epoch, term, key);
    const struct etcd_range range = {.key = key};
    assert_int_equal(etcd_call_range(a->etcd, &range, SECOND_US, on_move, &move, NULL), 0);
    fixture_run(100);
    return move;
}

static void test_stayed(void **state)
{
    struct record_move m;
    (void)state;
    term_is(TERM);
    prove(TERM);
    assert_int_equal(a->history->n_jobs, 0); /* the first term that is known is no change */
    term_is(TERM + 1);
    history_proved(a, HISTORY_RENEWED, TERM + 1);
    history_proved(a, HISTORY_CHECKED, TERM); /* of a member that lags behind */
    assert_int_equal(a->history->n_jobs, 0);
    term_is(TERM);
    history_proved(a, HISTORY_CHECKED, TERM + 1);
    assert_int_equal(a->history->n_jobs, 1);
    assert_true(is_done());
    m = get_record(TERM + 1);
    assert_int_equal(m.epoch, epoch);
    assert_int_equal(m.previous_epoch, epoch);
    assert_int_equal(m.term, TERM + 1);
    assert_string_equal(m.from, "cp-1");
    assert_string_equal(m.to, "cp-1");
    assert_string_equal(m.cause, "etcd leader change");
    assert_string_equal(m.detail, "lease kept");
    assert_true(m.is_planned);
    assert_true(m.gone_wall_us > 0);
    assert_int_equal(m.set_us, -1);
    assert_int_equal(m.n_seen, 1);
    assert_string_equal(m.seen[0].node, "cp-1");
    assert_int_equal(m.seen[0].seen_ms, 0);
    prove(TERM + 1);
    assert_int_equal(a->history->n_jobs, 0); /* once */
}

static void test_let_go(void **state)
{
    const struct election_action lost = {
        .from = VIP_HELD, .to = VIP_DROPPING, .cause = CAUSE_SHUTDOWN, .type = ACT_STATE};
    (void)state;
    term_is(TERM);
    term_is(TERM + 1);
    history_state(a, &lost); /* and has it again before it is proved */
    prove(TERM + 1);
    assert_true(is_done());
    assert_int_equal(get_record(TERM + 1).epoch, 0);
}

/* The key went before the record was on its way. */
static void test_not_ours_any_more(void **state)
{
    (void)state;
    a->election.session.lease = 999999;
    term_is(TERM);
    term_is(TERM + 1);
    prove(TERM + 1);
    assert_int_equal(a->history->n_jobs, 1);
    assert_true(is_done());
    assert_int_equal(get_record(TERM + 1).epoch, 0);
}

static void test_another_etcd(void **state)
{
    (void)state;
    term_is(TERM);
    cluster_id++;
    term_is(TERM + 5);
    prove(TERM + 5);
    assert_int_equal(a->history->n_jobs, 0);
}

/* One a minute, and of one epoch no more than are to be kept. */
static void test_flapping(void **state)
{
    uint64_t term = TERM;
    (void)state;
    term_is(term);
    term_is(++term);
    prove(term);
    assert_true(is_done());
    term_is(++term);
    prove(term);
    assert_int_equal(a->history->n_jobs, 0);
    assert_int_equal(get_record((int64_t)term).epoch, 0);
    for (unsigned i = 0; i < HISTORY_STAYS_MAX; i++) {
        a->history->noted_us -= 60 * SECOND_US;
        term_is(++term);
        prove(term);
        assert_true(is_done());
        assert_int_equal(get_record((int64_t)term).epoch, epoch);
    }
    assert_int_equal(get_record(TERM + 1).epoch, 0);
    assert_int_equal(get_record(TERM + 3).epoch, epoch);
}

/* The record of the epoch itself goes first. */
static void test_after_its_own(void **state)
{
    struct job *job = calloc(1, sizeof(*job));
    (void)state;
    job->kind = JOB_RECORD;
    job->ip = a->slots[0].ip;
    job->move.epoch = epoch;
    job->due_us = NEVER_US;
    history_add_job(a->history, job);
    term_is(TERM);
    term_is(TERM + 1);
    prove(TERM + 1);
    fixture_run(300);
    assert_int_equal(a->history->n_jobs, 2);
    history_drop_job(a->history, job);
    assert_true(is_done());
    assert_int_equal(get_record(TERM + 1).epoch, epoch);
}

/* cp-2 has it, and was heard 0.4 s ago. There is no link here: as soon as the loop runs, the view
 * is blind. */
static void watch_cp_2(void)
{
    static const struct mac mac = {{2, 0, 0, 0, 0, 2}};
    struct observe *view = &a->slots[0].view;
    a->vips[0].state = VIP_QUEUED;
    snprintf(a->others[0].record.node, sizeof(a->others[0].record.node), "cp-2");
    epoch += 100;
    queue_is(epoch, 8, "cp-2");
    while (a->history->first)
        history_drop_job(a->history, a->history->first);
    observe_start(view, 0);
    view->mac = mac;
    view->has_mac = true;
    view->heard_us = view->sign_us = clock_now_us() - 400 * MS_US;
}

static void hear(void)
{
    struct observe *view = &a->slots[0].view;
    sight_heard(a, 0, &view->mac);
}

/* As cp-2 writes it. */
static void put_record(int64_t term)
{
    struct record_move move = {.epoch = epoch,
                               .previous_epoch = epoch,
                               .term = term,
                               .set_us = -1,
                               .n_seen = 1,
                               .seen = {{.node = "cp-2", .outage_us = -1}}};
    struct answer answer;
    char key[KEYS_TEXT_MAX];
    struct buf json;
    buf_init(&json, 0);
    snprintf(move.cause, sizeof(move.cause), "%s", RECORD_CAUSE_STAYED);
    assert_int_equal(record_move_write(&move, &json), 0);
    keys_history_stay(&a->slots[0].ip, epoch, term, key);
    fixture_put(a->etcd, key, buf_str(&json), 0, &answer);
    assert_int_equal(answer.status, ETCD_OK);
    buf_done(&json);
}

static struct record_seen told(int64_t term)
{
    struct record_move move;
    for (struct job *job = a->history->first; job; job = job->next)
        job->due_us = job->is_seen ? 0 : job->due_us;
    history_arm(a->history);
    assert_true(is_done());
    move = get_record(term);
    assert_int_equal(move.n_seen, 2);
    assert_string_equal(move.seen[1].node, "cp-1");
    return move.seen[1];
}

static void test_seen_to_stay(void **state)
{
    (void)state;
    watch_cp_2();
    term_is(TERM);
    hear();
    term_is(TERM + 2);
    assert_int_equal(a->history->n_jobs, 1);
    assert_int_equal(a->history->first->due_us, NEVER_US);
    a->history->first->born_us -= 20 * MS_US;
    while (clock_now_us() == a->slots[0].view.heard_us)
        ;
    hear();
    put_record(TERM + 1); /* cp-2 learned of another one of the terms between */
    struct record_seen seen = told(TERM + 1);
    assert_int_equal(seen.outage_us, 0);
    /* The longest silence around the change: the one that began before all this. */
    assert_in_range(seen.error_us, 400 * MS_US, 5 * SECOND_US);
    assert_in_range(seen.seen_ms, 20, 5000);
}

static void test_seen_gap(void **state)
{
    struct observe *view = &a->slots[0].view;
    (void)state;
    watch_cp_2();
    term_is(TERM);
    term_is(TERM + 1);
    view->missed = 3;
    view->missed_us = clock_now_us() - 300 * MS_US;
    view->last_us = view->missed_us + 200 * MS_US;
    hear();
    put_record(TERM + 1);
    struct record_seen seen = told(TERM + 1);
    assert_in_range(seen.outage_us, 300 * MS_US, 5 * SECOND_US);
    assert_true(seen.error_us > 0 && seen.outage_us - seen.error_us <= (int64_t)(200 * MS_US));
}

/* Another station answers: that is no staying. Nor does an owner without an agent write anything.
 */
static void test_not_seen(void **state)
{
    static const struct mac other = {{2, 0, 0, 0, 0, 3}};
    (void)state;
    watch_cp_2();
    term_is(TERM);
    term_is(TERM + 1);
    sight_heard(a, 0, &other);
    assert_false(a->history->first->is_seen);
    history_drop_job(a->history, a->history->first);
    a->history->noted_us = 0;
    a->history->tracks[0].now.is_agent = false;
    term_is(TERM + 2);
    assert_int_equal(a->history->n_jobs, 0);
}

int main(void)
{
    if (etcd_server_is_missing("etcd"))
        return 0;
#define TEST(name_) cmocka_unit_test_setup_teardown(name_, start, end)
    const struct CMUnitTest tests[] = {
        TEST(test_stayed),   TEST(test_let_go),       TEST(test_not_ours_any_more),
        TEST(test_flapping), TEST(test_another_etcd), TEST(test_after_its_own),
        TEST(test_seen_gap), TEST(test_seen_to_stay), TEST(test_not_seen),
    };
    return cmocka_run_group_tests(tests, etcd_server_setup, etcd_server_teardown);
}
