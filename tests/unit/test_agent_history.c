/* SPDX-License-Identifier: MIT */
/* Why an address moved, and what several observers say of it. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <stdio.h>
#include <string.h>

#include "../../src/agent/history.h"

static struct record_released released(const char *cause, int64_t revision)
{
    struct record_released r = {.node = "cp-1", .detail = "detail", .revision = revision};
    snprintf(r.cause, sizeof(r.cause), "%s", cause);
    return r;
}

static struct cause_facts facts_of_agent(void)
{
    return (struct cause_facts){
        .before = {.epoch = 40, .lease = 7, .node = "cp-1", .since_wall_us = 5, .is_agent = true},
        .was_seen = true,
        .last_sign_us = 600000};
}

static void test_released(void **state)
{
    static const struct {
        const char *released, *cause, *detail;
        bool is_planned;
    } cases[] = {
        {"shutdown", "shutdown", "detail", true},
        {"resign", "resign", "detail", true},
        {"config", "no longer configured", "detail", true},
        {"link_down", "link down", "detail", false},
        {"health_check", "health check", "detail", false},
        {"address_failed", "address refused", "detail", false},
        {"agent_died", "agent died", "detail", false},
        {"silent, ended by peers: cp-2", "silent", "detail", false},
        {"something new", "something new", "detail", false},
    };
    (void)state;
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct record_released r = released(cases[i].released, 40);
        struct cause_facts f = facts_of_agent();
        struct record_move m = {.epoch = 50};
        f.released = &r;
        cause_tell(&f, &m);
        assert_string_equal(m.from, "cp-1");
        assert_int_equal(m.previous_epoch, 40);
        assert_string_equal(m.cause, cases[i].cause);
        assert_string_equal(m.detail, cases[i].detail);
        assert_int_equal(m.is_planned, cases[i].is_planned);
    }
}

static void test_not_released(void **state)
{
    struct record_released old = released("shutdown", 39);
    struct cause_facts f = facts_of_agent();
    struct record_move m = {.epoch = 50};
    (void)state;
    f.released = &old; /* of another reign */
    cause_tell(&f, &m);
    assert_string_equal(m.cause, "lease expired");
    assert_string_equal(m.detail, "cp-1 lost");
    /* It was heard to the end: it lives, and its lease was revoked. */
    f.last_sign_us = 1000;
    cause_tell(&f, &m);
    assert_string_equal(m.cause, "etcd session lost");
    assert_string_equal(m.detail, "cp-1");
    /* Its lease still lives: only the key went. */
    f.session = 7;
    cause_tell(&f, &m);
    assert_string_equal(m.cause, "key deleted");
    /* The node has a session again, another one. */
    f.session = 8;
    f.last_sign_us = -1;
    cause_tell(&f, &m);
    assert_string_equal(m.cause, "lease expired");
    /* Somebody without an agent leaves no traces. */
    f.before.is_agent = false;
    memset(&m, 0, sizeof(m));
    cause_tell(&f, &m);
    assert_string_equal(m.cause, "unknown");
    assert_string_equal(m.from, "cp-1");
}

static void test_first(void **state)
{
    struct cause_facts f = {.last_sign_us = -1};
    struct record_move m = {.epoch = 50}, missing;
    (void)state;
    cause_tell(&f, &m);
    assert_string_equal(m.cause, "first election");
    assert_string_equal(m.from, "");
    assert_int_equal(m.previous_epoch, 0);
    assert_false(cause_missing(&f, &missing));
}

/* A key that led for a moment, and whose owner never had the address, is no owner. */
static void test_passed_over(void **state)
{
    struct record_move newest = {.to = "cp-3", .epoch = 30};
    struct cause_facts f = facts_of_agent();
    struct record_move m = {.epoch = 50}, missing;
    (void)state;
    f.was_seen = false;
    f.newest = &newest;
    assert_false(cause_missing(&f, &missing));
    cause_tell(&f, &m);
    assert_string_equal(m.from, "cp-3");
    assert_int_equal(m.previous_epoch, 30);
    assert_string_equal(m.cause, "lease expired");
    assert_string_equal(m.detail, "cp-3 lost");
}

/* An owner that died before it wrote its record. */
static void test_missing(void **state)
{
    struct record_move newest = {.to = "cp-3", .epoch = 30};
    struct cause_facts f = facts_of_agent();
    struct record_released r = released("agent_died", 45);
    struct record_move m;
    (void)state;
    f.newest = &newest;
    assert_true(cause_missing(&f, &m));
    assert_int_equal(m.epoch, 40);
    assert_int_equal(m.previous_epoch, 30);
    assert_string_equal(m.from, "cp-3");
    assert_string_equal(m.to, "cp-1");
    assert_int_equal(m.gone_wall_us, 5);
    assert_int_equal(m.set_us, -1);
    /* Why that one got it is on record still. */
    r = released("resign", 30);
    f.released = &r;
    assert_true(cause_missing(&f, &m));
    assert_string_equal(m.cause, "resign");
    newest.epoch = 40; /* it did write it */
    assert_false(cause_missing(&f, &m));
    r = released("agent_died", 45);
    /* One that nobody here saw lead, and whose guardian gave it up. */
    f = (struct cause_facts){.released = &r, .newest = &newest, .last_sign_us = -1};
    assert_true(cause_missing(&f, &m));
    assert_int_equal(m.epoch, 45);
    assert_string_equal(m.to, "cp-1");
    m = (struct record_move){.epoch = 50};
    cause_tell(&f, &m);
    assert_int_equal(m.previous_epoch, 45);
    assert_string_equal(m.cause, "agent died");
}

static void test_corrected(void **state)
{
    static const struct {
        const char *recorded, *detail, *own, *told; /* told NULL: it stands */
    } cases[] = {
        {"lease expired", "cp-1 lost", "session_lost", "etcd session lost"},
        {"lease expired", "cp-1 lost", "lease_expired", "etcd session lost"},
        /* Its record of voters went with its lease, and it heard of that first. */
        {"lease expired", "cp-1 lost", "ended_by_peers", "etcd session lost"},
        {"lease expired", "cp-1 lost", "key_deleted", "key deleted"},
        {"etcd session lost", "cp-1", "session_lost", "etcd session lost"},
        {"etcd session lost", "own", "session_lost", NULL},
        {"unknown", "", "resign", "resign"},
        {"unknown", "", "session_lost", "etcd session lost"},
        {"lease expired", "cp-1 lost", "health_check", "health check"},
        /* Its peers ended an owner that had let go and could not tell etcd. */
        {"silent", "ended by peers", "link_down", "link down"},
        {"silent", "ended by peers", "ended_by_peers", NULL},
        {"silent", "ended by peers", "key_deleted", NULL},
        {"silent", "ended by peers", "lease_expired", NULL},
        {"key deleted", "by hand", "session_lost", NULL},
        {"key deleted", "by hand", "link_down", NULL},
        {"shutdown", "", "session_lost", NULL},
        {"link down", "eth1", "link_down", NULL},
        {"lease expired", "cp-1 lost", "none", NULL},
    };
    (void)state;
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct record_move m = {.epoch = 50};
        snprintf(m.cause, sizeof(m.cause), "%s", cases[i].recorded);
        snprintf(m.detail, sizeof(m.detail), "%s", cases[i].detail);
        assert_int_equal(cause_correct(&m, cases[i].own, "own"), cases[i].told != NULL);
        assert_string_equal(m.cause, cases[i].told ? cases[i].told : cases[i].recorded);
        assert_string_equal(m.detail, cases[i].told ? "own" : cases[i].detail);
        assert_int_equal(m.is_planned, cases[i].told && strcmp(cases[i].told, "resign") == 0);
    }
}

static struct job seen_job(uint64_t min_us, uint64_t max_us)
{
    return (struct job){.kind = JOB_SIGHT,
                        .is_seen = true,
                        .gone_us = 10000000,
                        .seen_us = 10030000,
                        .is_measured = true,
                        .min_us = min_us,
                        .max_us = max_us};
}

static void test_merged(void **state)
{
    struct record_move m = {.gone_wall_us = 500000000, .set_us = 10000};
    struct job vague = seen_job(0, 400000), sharp = seen_job(20000, 40000), none = seen_job(0, 0);
    (void)state;
    none.is_measured = false;
    assert_true(history_merge(&vague, "cp-2", 0, 0, &m));
    assert_int_equal(m.n_seen, 1);
    assert_int_equal(m.seen[0].seen_ms, 20);
    assert_int_equal(m.seen[0].outage_us, 200000);
    assert_int_equal(m.seen[0].error_us, 201000);
    assert_false(history_merge(&vague, "cp-2", 0, 0, &m));
    /* Whoever knows better takes the vague word's place, in either order. */
    assert_true(history_merge(&sharp, "cp-1", 0, 0, &m));
    assert_int_equal(m.seen[0].outage_us, -1);
    assert_int_equal(m.seen[1].outage_us, 30000);
    assert_true(history_merge(&vague, "cp-3", 0, 0, &m));
    assert_int_equal(m.seen[2].seen_ms, 20);
    assert_int_equal(m.seen[2].outage_us, -1);
    assert_true(history_merge(&none, "cp-4", 0, 0, &m));
    assert_int_equal(m.seen[3].outage_us, -1);
    /* A gap of its own stays: it is not the same one. */
    struct job other = seen_job(3000000, 3400000);
    assert_true(history_merge(&other, "cp-5", 0, 0, &m));
    assert_int_equal(m.seen[4].outage_us, 3200000);
    assert_int_equal(m.seen[1].outage_us, 30000);
}

static void test_merged_late(void **state)
{
    struct record_move m = {.gone_wall_us = 500000000, .set_us = 10000};
    struct job job = seen_job(20000, 40000);
    (void)state;
    /* It saw the new owner long before etcd told it anything: by the wall clock then. */
    job.seen_us = job.gone_us - 5000000;
    assert_true(history_merge(&job, "cp-2", job.gone_us, 505040000, &m));
    assert_int_equal(m.seen[0].seen_ms, 30);
    /* A full list takes no more, and is not overrun. */
    m.n_seen = RECORD_SEEN_MAX;
    assert_false(history_merge(&job, "cp-9", 0, 0, &m));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_released), cmocka_unit_test(test_not_released),
        cmocka_unit_test(test_first),    cmocka_unit_test(test_passed_over),
        cmocka_unit_test(test_missing),  cmocka_unit_test(test_corrected),
        cmocka_unit_test(test_merged),   cmocka_unit_test(test_merged_late),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
