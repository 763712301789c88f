/* SPDX-License-Identifier: MIT */
/* What the agent has under way in etcd: who waits for which answer, and what becomes of that when a
 * reload replaces the client. The client is a note of its calls, and so strict that an agent which
 * still holds one of a client that is gone does not get away with it. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <stdlib.h>
#include <string.h>

#include "../../src/agent/state.h"
#include "etcd/keys.h"

#define CALLS_MAX 64
#define TOLD_MAX 64
#define WAIT_US (2 * SECOND_US) /* the record is written every 5 s anyhow */
#define LEASE 7

/* A call as the client has it; one that nobody holds needs no care. */
struct etcd_call {
    etcd_call_fn fn;
    void *arg;
    size_t n_compares;
    bool is_out, is_held;
};

static struct {
    struct etcd_call calls[CALLS_MAX];
    unsigned n_calls;
    struct election_event told[TOLD_MAX];
    unsigned n_told;
} fakes;

static struct agent *a;
static struct loop_timer *limit, *poll_timer;
static unsigned awaited_calls;

/* ---- the client ---- */

static int start(etcd_call_fn fn, void *arg, size_t n_compares, struct etcd_call **ret_call)
{
    assert_true(fakes.n_calls < CALLS_MAX);
    struct etcd_call *call = &fakes.calls[fakes.n_calls++];
    *call = (struct etcd_call){fn, arg, n_compares, true, ret_call != NULL};
    if (ret_call)
        *ret_call = call;
    return 0;
}

int etcd_call_txn(struct etcd_client *client, const struct etcd_txn *txn, uint64_t timeout_us,
                  etcd_call_fn fn, void *arg, struct etcd_call **ret_call)
{
    (void)timeout_us;
    assert_non_null(client);
    return start(fn, arg, txn->n_compares, ret_call);
}

int etcd_call_grant(struct etcd_client *client, int64_t ttl_s, uint64_t timeout_us, etcd_call_fn fn,
                    void *arg, struct etcd_call **ret_call)
{
    (void)ttl_s;
    (void)timeout_us;
    assert_non_null(client);
    return start(fn, arg, 0, ret_call);
}

int etcd_call_renew(struct etcd_client *client, int64_t lease, uint64_t timeout_us, etcd_call_fn fn,
                    void *arg, struct etcd_call **ret_call)
{
    return etcd_call_grant(client, lease, timeout_us, fn, arg, ret_call);
}

int etcd_call_revoke(struct etcd_client *client, int64_t lease, uint64_t timeout_us,
                     etcd_call_fn fn, void *arg, struct etcd_call **ret_call)
{
    return etcd_call_grant(client, lease, timeout_us, fn, arg, ret_call);
}

void call_hurry(struct etcd_call *call);

void call_hurry(struct etcd_call *call)
{
    (void)call;
}

/* Of a call that was answered, or went with its client, nothing is left to cancel. */
void etcd_call_cancel(struct etcd_call *call)
{
    if (!call)
        return;
    assert_true(call->is_out);
    call->is_out = false;
}

int etcd_client_new(const struct etcd_client_config *config, struct etcd_client **ret_client,
                    const char **ret_bad)
{
    (void)config;
    (void)ret_bad;
    *ret_client = (struct etcd_client *)&fakes;
    return 0;
}

void etcd_client_free(struct etcd_client *client)
{
    for (unsigned i = 0; client && i < fakes.n_calls; i++) {
        assert_false(fakes.calls[i].is_out && fakes.calls[i].is_held);
        fakes.calls[i].is_out = false;
    }
}

const char *etcd_client_endpoint(const struct etcd_client *client)
{
    (void)client;
    return "";
}

const char *etcd_client_token(const struct etcd_client *client)
{
    (void)client;
    return "";
}

int etcd_client_set_token(struct etcd_client *client, const char *token)
{
    (void)client;
    (void)token;
    return 0;
}

int etcd_watch_new(struct etcd_client *client, const struct etcd_watch_range *ranges, size_t n,
                   const struct etcd_watch_callbacks *callbacks, void *arg,
                   struct etcd_watch **ret_watch)
{
    (void)client;
    (void)ranges;
    (void)n;
    (void)callbacks;
    (void)arg;
    *ret_watch = (struct etcd_watch *)&fakes;
    return 0;
}

void etcd_watch_free(struct etcd_watch *watch)
{
    (void)watch;
}

static void answer(unsigned call, enum etcd_status status, bool succeeded)
{
    const struct etcd_reply reply = {.status = status, .succeeded = succeeded};
    assert_true(call < fakes.n_calls && fakes.calls[call].is_out);
    fakes.calls[call].is_out = false;
    fakes.calls[call].fn(fakes.calls[call].arg, &reply);
}

/* ---- the core ---- */

void feed(struct agent *agent, struct election_event *ev)
{
    (void)agent;
    assert_true(fakes.n_told < TOLD_MAX);
    fakes.told[fakes.n_told++] = *ev;
}

void feed_later(struct agent *agent, const struct election_event *ev)
{
    struct election_event copy = *ev;
    feed(agent, &copy);
}

void feed_simple(struct agent *agent, enum election_event_type type, unsigned vip, bool yes)
{
    struct election_event ev = {.type = type, .vip = vip, .yes = yes};
    feed(agent, &ev);
}

bool agent_has_overslept(const struct agent *agent)
{
    (void)agent;
    return false;
}

/* ---- the agent ---- */

/* An agent with a session and `n` VIPs, first in the queue of each behind another. */
static void fill(unsigned n)
{
    a->election.n = n;
    for (unsigned i = 0; i < n; i++) {
        struct queue *q = &a->vips[i].queue;
        a->slots[i].is_used = true;
        a->slots[i].ip = (struct ip){.family = IP_V4, .bytes = {10, 0, 1, (uint8_t)i}};
        a->vips[i].revision = 300 + i;
        q->n = 2;
        q->at[0] = (struct candidate){.lease = LEASE - 1, .create_revision = 100 + i};
        q->at[1] = (struct candidate){.lease = LEASE, .create_revision = 300 + i};
    }
}

static int set_up(void **state)
{
    (void)state;
    memset(&fakes, 0, sizeof(fakes));
    a = calloc(1, sizeof(*a));
    if (!a)
        return -1;
    a->lock_fd = -1;
    a->vips = calloc(ELECTION_VIPS_MAX, sizeof(*a->vips));
    a->loop = loop_new();
    a->election.vips = a->vips;
    a->election.session.state = SESSION_LIVE;
    a->election.session.lease = LEASE;
    a->settings.has_peers = true;
    a->settings.peer_port = 9755;
    snprintf(a->settings.node, sizeof(a->settings.node), "cp-1");
    return !a->vips || !a->loop || netlink_open(&a->netlink) < 0 ||
           fence_open_plain(&a->fence) < 0 || store_open(a) < 0 || publish_open(a) < 0;
}

static int tear_down(void **state)
{
    (void)state;
    store_close(a);
    peerlease_close(a);
    publish_close(a);
    fence_close(a->fence);
    netlink_close(a->netlink);
    loop_timer_free(limit);
    loop_timer_free(poll_timer);
    limit = poll_timer = NULL;
    loop_free(a->loop);
    free(a->vips);
    free(a);
    return 0;
}

/* As a reload with other endpoints does. */
static void replace_client(void)
{
    store_close(a);
    assert_int_equal(store_open(a), 0);
}

static void on_limit(void *arg)
{
    loop_stop(arg);
}

static void on_poll(void *arg)
{
    if (fakes.n_calls >= awaited_calls)
        loop_stop(arg);
    loop_timer_set(poll_timer, clock_now_us() + MS_US);
}

/* Until etcd has been asked that often, or not in time. */
static bool is_asked(unsigned calls)
{
    awaited_calls = calls;
    if (!limit) {
        assert_int_equal(loop_timer_new(a->loop, on_limit, a->loop, &limit), 0);
        assert_int_equal(loop_timer_new(a->loop, on_poll, a->loop, &poll_timer), 0);
    }
    loop_timer_set(limit, clock_now_us() + WAIT_US);
    loop_timer_set(poll_timer, 0);
    assert_int_equal(loop_run(a->loop), 0);
    return fakes.n_calls >= calls;
}

static void ask(enum election_action_type type, uint32_t req)
{
    const struct election_action action = {.type = type, .req = req, .lease = LEASE};
    store_request(a, &action);
}

/* ---- the client goes ---- */

static void calls_of_the_peer_lease_end_with_their_client(void **state)
{
    const struct peer_record record = {
        .name = "cp-1", .owner = {LEASE, 11}, .term = 1, .window_us = 500 * MS_US};
    const struct peer_record other = {.name = "cp-2", .owner = {LEASE + 1, 12}};
    const struct election_action publish = {
        .type = ACT_PEER_PUBLISH, .req = 1, .record = &record, .lease = LEASE};
    const struct election_action revoke = {
        .type = ACT_PEER_REVOKE, .req = 2, .record = &other, .lease = LEASE + 1};
    (void)state;
    a->peerlease.incarnation = 11;
    a->peerlease.send_new_us = a->peerlease.drop_old_us = NEVER_US;
    a->peerlease.retry_us = a->peerlease.open_us = a->peerlease.look_us = NEVER_US;
    for (unsigned round = 1; round <= 3; round++) {
        peerstore_request(a, &publish);
        peerstore_request(a, &revoke);
        peerwire_on_key(a, NULL); /* none there yet: one is made */
        assert_int_equal(fakes.n_calls, 3 * round);
        replace_client();
    }
    assert_int_equal(fakes.n_told, 0); /* the core's own time limit sees to what was asked */
}

static void calls_of_the_election_end_with_their_client(void **state)
{
    (void)state;
    fill(3);
    for (unsigned round = 0; round < 3; round++) {
        for (enum election_action_type type = ACT_LEASE_GRANT; type <= ACT_RESIGN; type++)
            ask(type, 1 + type);
        assert_true(fakes.n_calls >= 7 * (round + 1));
        replace_client();
    }
    assert_int_equal(fakes.n_told, 0);
}

/* What it was about to tell is told by the next one. */
static void the_node_record_outlives_its_client(void **state)
{
    (void)state;
    for (unsigned round = 0; round < 3; round++) {
        unsigned before = fakes.n_calls;
        publish_session(a);
        assert_true(is_asked(before + 1));
        if (round == 1)
            publish_soon(a); /* news while it is out */
        replace_client();
        if (round == 2)
            publish_soon(a); /* or afterwards */
        assert_true(is_asked(before + 2));
    }
}

/* ---- the core is in a step ---- */

/* What is told then waits until the step is over, and what it points to is gone. */
static void a_vip_goes_without_events_that_point_anywhere(void **state)
{
    struct config config = {.n_vips = 0};
    (void)state;
    for (unsigned has_taken_part = 0; has_taken_part < 2; has_taken_part++) {
        fill(1);
        a->config = &config;
        a->is_stepping = true;
        a->watch = (struct etcd_watch *)&fakes;
        if (has_taken_part)
            peerlease_update(a);
        a->settings.peer_window_us += MS_US; /* news for the core */
        fakes.n_told = 0;
        reload_forget_vip(a, 0);
        assert_false(a->slots[0].is_used);
        for (unsigned i = 0; i < fakes.n_told; i++) {
            const struct election_event *ev = &fakes.told[i];
            assert_null(ev->queue.list);
            assert_null(ev->peer.name);
            assert_null(ev->peer.sessions);
            assert_null(ev->peer.records);
        }
    }
    a->is_stepping = false;
    fakes.n_told = 0;
    assert_false(is_asked(fakes.n_calls + 1));
    assert_int_equal(fakes.n_told, 1); /* afterwards it is told after all */
    assert_int_equal(fakes.told[0].type, EV_PEER_SETUP);
}

/* ---- key checks ---- */

#define MANY 200 /* VIPs; their check takes several txns */

static unsigned check(uint32_t req, unsigned *ret_first)
{
    *ret_first = fakes.n_calls;
    ask(ACT_KEYS_CHECK, req);
    return fakes.n_calls - *ret_first;
}

static const struct election_event *verdict(void)
{
    assert_int_equal(fakes.n_told, 1);
    assert_int_equal(fakes.told[0].type, EV_KEYS_CHECKED);
    fakes.n_told = 0;
    return &fakes.told[0];
}

static void a_check_names_every_key(void **state)
{
    unsigned first, compares = 0;
    (void)state;
    fill(MANY);
    unsigned n = check(1, &first);
    assert_true(n > 1 && n <= AGENT_CHECKS_MAX);
    for (unsigned i = first; i < first + n; i++)
        compares += (unsigned)fakes.calls[i].n_compares;
    assert_int_equal(compares, 2 * MANY);
}

/* In whatever order they are answered, and whatever one of them says. */
static void a_check_in_parts_has_one_verdict(void **state)
{
    static const struct {
        enum etcd_status status;
        bool succeeded;
        enum election_result result;
    } cases[] = {{ETCD_OK, true, RESULT_OK},
                 {ETCD_OK, false, RESULT_GONE},
                 {ETCD_TIMEOUT, false, RESULT_FAILED}};
    (void)state;
    fill(MANY);
    for (unsigned k = 0; k < 3; k++)
        for (unsigned backwards = 0; backwards < 2; backwards++) {
            uint32_t req = 1 + 2 * k + backwards;
            unsigned first, n = check(req, &first);
            for (unsigned i = 0; i < n; i++) {
                assert_int_equal(fakes.n_told, 0);
                unsigned call = backwards ? n - 1 - i : i;
                answer(first + call, call == 1 ? cases[k].status : ETCD_OK,
                       call == 1 ? cases[k].succeeded : true);
            }
            const struct election_event *ev = verdict();
            assert_int_equal(ev->result, cases[k].result);
            assert_int_equal(ev->req, req);
        }
}

/* Whichever of its parts was answered first. */
static void a_check_that_is_out_ends_with_its_client(void **state)
{
    (void)state;
    fill(MANY);
    for (unsigned k = 0; k < AGENT_CHECKS_MAX; k++) {
        unsigned first, n = check(1 + k, &first);
        answer(first + k % n, ETCD_OK, true);
        replace_client();
    }
    assert_int_equal(fakes.n_told, 0);
}

/* What the core does not wait for any more has no say in the next one. */
static void a_newer_check_takes_the_place_of_one_that_is_out(void **state)
{
    unsigned first;
    (void)state;
    fill(MANY);
    unsigned n = check(1, &first);
    answer(first, ETCD_OK, false);
    assert_int_equal(check(2, &first), n);
    for (unsigned i = 0; i < n; i++)
        answer(first + i, ETCD_OK, true);
    const struct election_event *ev = verdict();
    assert_int_equal(ev->req, 2);
    assert_int_equal(ev->result, RESULT_OK);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(calls_of_the_peer_lease_end_with_their_client, set_up,
                                        tear_down),
        cmocka_unit_test_setup_teardown(calls_of_the_election_end_with_their_client, set_up,
                                        tear_down),
        cmocka_unit_test_setup_teardown(the_node_record_outlives_its_client, set_up, tear_down),
        cmocka_unit_test_setup_teardown(a_vip_goes_without_events_that_point_anywhere, set_up,
                                        tear_down),
        cmocka_unit_test_setup_teardown(a_check_names_every_key, set_up, tear_down),
        cmocka_unit_test_setup_teardown(a_check_in_parts_has_one_verdict, set_up, tear_down),
        cmocka_unit_test_setup_teardown(a_check_that_is_out_ends_with_its_client, set_up,
                                        tear_down),
        cmocka_unit_test_setup_teardown(a_newer_check_takes_the_place_of_one_that_is_out, set_up,
                                        tear_down),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
