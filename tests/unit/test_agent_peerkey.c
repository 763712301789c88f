/* SPDX-License-Identifier: MIT */
/* Under which key datagrams are sent and taken, and how it is replaced. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "agent_net_fakes.h"

#define SPREAD_US (10 * SECOND_US)

static void expect_keys(uint8_t key, uint8_t other)
{
    uint8_t want[DATAGRAM_KEY_SIZE];
    memset(want, key, sizeof(want));
    assert_memory_equal(net.keys.key, want, sizeof(want));
    assert_int_equal(net.keys.has_other, other != 0);
    memset(want, other, sizeof(want));
    assert_memory_equal(net.keys.other, want, sizeof(want));
}

static void a_new_key_is_taken_then_sent_under_then_alone(void **state)
{
    struct agent *a = ready_agent();
    (void)state;
    expect_keys('a', 0);
    tell_key(a, 2, 'b', 'a');
    expect_keys('a', 'b');
    assert_int_equal(fakes.timer_us, fakes.now_us + SPREAD_US);
    after(a, SPREAD_US - 1);
    tell_key(a, 2, 'b', 'a'); /* the watch lists everything anew: no news, no delay */
    expect_keys('a', 'b');
    after(a, 1);
    expect_keys('b', 'a');
    tell_key(a, 2, 'b', 'a');
    after(a, SPREAD_US - 1);
    expect_keys('b', 'a');
    after(a, 1);
    expect_keys('b', 0);
    assert_int_equal(fakes.timer_us, NEVER_US);
    end(a);
}

static void who_starts_in_a_rotation_understands_both(void **state)
{
    struct agent *a = new_agent();
    (void)state;
    add_vip(a, "10.0.0.50", 0);
    peerlease_update(a);
    tell_key(a, 2, 'b', 'a');
    expect_keys('b', 'a');
    after(a, 2 * SPREAD_US - 1);
    expect_keys('b', 'a');
    after(a, 1);
    expect_keys('b', 0);
    end(a);
}

/* Away for two rotations: nobody takes the old key any more, so nothing is gained by sending
 * under it for another while. */
static void who_missed_a_rotation_does_not_wait(void **state)
{
    struct agent *a = ready_agent();
    (void)state;
    tell_key(a, 3, 'c', 'b');
    expect_keys('c', 'b');
    after(a, 2 * SPREAD_US);
    expect_keys('c', 0);
    end(a);
}

/* Somebody deleted the key: all agents go over to the new one together, as in a rotation. */
static void a_key_without_a_past_is_spread_too(void **state)
{
    struct agent *a = ready_agent();
    (void)state;
    tell_key(a, 1, 'x', 0);
    expect_keys('a', 'x');
    after(a, SPREAD_US);
    expect_keys('x', 'a');
    end(a);
}

static void two_rotations_at_once_end_with_the_newest(void **state)
{
    struct agent *a = ready_agent();
    (void)state;
    tell_key(a, 2, 'b', 'a');
    after(a, SECOND_US);
    tell_key(a, 3, 'c', 'b');
    expect_keys('a', 'c'); /* what the others, who heard of it too, send under and will */
    after(a, SPREAD_US);
    expect_keys('c', 'a');
    after(a, SPREAD_US);
    expect_keys('c', 0);
    end(a);
}

static void a_key_that_cannot_be_read_changes_nothing(void **state)
{
    static const char *const texts[] = {"", "{}", "{\"generation\":1,\"current\":\"YQ==\"}"};
    struct agent *a = ready_agent();
    (void)state;
    for (unsigned i = 0; i < sizeof(texts) / sizeof(texts[0]); i++) {
        struct etcd_kv kv = {.value = texts[i], .value_len = strlen(texts[i])};
        peerwire_on_key(a, &kv);
        assert_int_equal(fakes.level, LOG_ERROR);
        expect_keys('a', 0);
    }
    end(a);
}

static void a_missing_key_is_made_until_etcd_has_one(void **state)
{
    struct agent *a = new_agent();
    struct etcd_reply failed = {.status = ETCD_TIMEOUT, .message = "no answer"};
    (void)state;
    add_vip(a, "10.0.0.50", 0);
    peerlease_update(a);
    peerwire_on_key(a, NULL);
    for (unsigned i = 1; i <= 3; i++) {
        assert_int_equal(net.n_created, i);
        net.created(a, &failed);
        assert_int_equal(fakes.n_logged, 1); /* said once */
        assert_int_equal(fakes.timer_us, fakes.now_us + SECOND_US);
        after(a, SECOND_US);
    }
    assert_false(a->peerlease.has_key);
    struct peers_key key = {.generation = 1};
    struct buf out;
    buf_init(&out, 0);
    memset(key.current, 'z', sizeof(key.current));
    assert_int_equal(peers_key_write(&key, &out), 0);
    struct etcd_kv kv = {.value = buf_str(&out), .value_len = strlen(buf_str(&out))};
    struct etcd_response there = {.kvs = &kv, .n_kvs = 1};
    struct etcd_reply ok = {.status = ETCD_OK, .responses = &there, .n_responses = 1};
    net.created(a, &ok); /* another agent's, which was first */
    expect_keys('z', 0);
    after(a, 10 * SECOND_US);
    assert_int_equal(net.n_created, 4);
    buf_done(&out);
    end(a);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_new_key_is_taken_then_sent_under_then_alone),
        cmocka_unit_test(who_starts_in_a_rotation_understands_both),
        cmocka_unit_test(who_missed_a_rotation_does_not_wait),
        cmocka_unit_test(a_key_without_a_past_is_spread_too),
        cmocka_unit_test(two_rotations_at_once_end_with_the_newest),
        cmocka_unit_test(a_key_that_cannot_be_read_changes_nothing),
        cmocka_unit_test(a_missing_key_is_made_until_etcd_has_one),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
