/* SPDX-License-Identifier: MIT */
/* Every alert: raised by what it is for, not raised without, cleared when it is over. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>
#include <stdio.h>
#include <limits.h>
#include <string.h>

#include "cluster_support.h"

#include "../../src/cluster/alert_memory.h"
#include "cluster/alert.h"

static struct snapshot s;

static void free_vip(void)
{
    s.vips[0].state = SNAPSHOT_VIP_FREE;
    s.vips[0].holder[0] = '\0';
    s.vips[0].n_queue = 0;
    s.vips[0].epoch = 0;
}

static void two_macs(void)
{
    s.vips[0].state = SNAPSHOT_VIP_DUP;
    s.vips[0].n_macs = 2;
    strcpy(s.vips[0].macs[1], "52:54:00:aa:02:01");
}

static void mute(void)
{
    s.vips[0].state = SNAPSHOT_VIP_SILENT;
}

static void old_mac(void)
{
    s.nodes[2].views[0].verdict = SNAPSHOT_VIEW_WRONG;
    strcpy(s.nodes[2].views[0].mac, "52:54:00:aa:02:01");
}

static void on_its_way(void)
{
    s.vips[0].state = SNAPSHOT_VIP_MOVING;
}

static void open_outage(void)
{
    s.history[1].is_outage_open = true;
}

static void late(void)
{
    s.nodes[0].position = 0;
    s.nodes[0].renewed_us = 4400000;
}

static void clock_ahead(void)
{
    s.nodes[2].clock_offset_us = 742000;
}

static void clock_behind_alone(void)
{
    s.nodes[0].is_clock_known = s.nodes[2].is_clock_known = false;
    s.nodes[1].clock_offset_us = -3600 * INT64_C(1000000);
}

static void to_and_fro(void)
{
    for (unsigned i = 1; i < 4; i++) {
        s.history[i].wall_us = s.wall_us - i * UINT64_C(100000000);
        strcpy(s.history[i].from, "cp-2");
    }
}

static void ghost(void)
{
    s.nodes[1].renewed_us = 8000000;
}

static void all_down(void)
{
    s.etcd.state = SNAPSHOT_ETCD_UNREACHABLE;
    s.etcd.n_healthy = 0;
    s.etcd.age_us = s.age_us = 41000000;
    strcpy(s.etcd.members[2].error, "refused");
}

static void no_quorum(void)
{
    s.etcd.state = SNAPSHOT_ETCD_NO_QUORUM;
    s.etcd.n_healthy = 1;
}

static void one_down(void)
{
    s.etcd.state = SNAPSHOT_ETCD_DEGRADED;
    s.etcd.n_healthy = 2;
    s.etcd.members[0].is_healthy = false;
}

static void not_known(unsigned member)
{
    s.etcd.n_healthy--;
    s.etcd.members[member].is_asked = s.etcd.members[member].is_healthy = false;
    strcpy(s.etcd.members[member].error, "grpc only");
}

static void no_quorum_by_reads(void)
{
    no_quorum();
    not_known(1);
}

static void one_down_one_not_known(void)
{
    one_down();
    not_known(2);
}

static void two_members(void)
{
    s.etcd.n_members = 2;
}

static void alone(void)
{
    s.vips[0].n_queue = 0;
}

static void newer(void)
{
    strcpy(s.nodes[2].agent, "0.2.0");
}

static void no_space(void)
{
    strcpy(s.etcd.members[1].alarm, "NOSPACE");
}

static void nearly_full(void)
{
    s.etcd.members[1].db_bytes = s.etcd.members[1].quota_bytes / 100 * 81;
}

static void set_elsewhere(void)
{
    s.nodes[1].views[0].has_address = true;
}

static void stranger(void)
{
    s.vips[0].n_macs = 2;
    strcpy(s.vips[0].macs[1], "00:50:56:00:00:01");
    s.vips[0].state = SNAPSHOT_VIP_DUP;
}

static const struct {
    const char *id;
    enum snapshot_severity severity;
    void (*spoil)(void);
    const char *text; /* what it says */
    const char *node; /* "" none */
    bool has_vip;
} cases[] = {
    {"TVA01", SNAPSHOT_CRIT, free_vip, "10.0.0.50 has no owner", "", true},
    {"TVA02", SNAPSHOT_CRIT, two_macs,
     "10.0.0.50 answers from 2 MACs: cp-1 (52:54:00:aa:01:01) and cp-2 (52:54:00:aa:02:01)", "",
     true},
    {"TVA03", SNAPSHOT_CRIT, mute, "10.0.0.50 is held by cp-1, but nobody answers", "cp-1", true},
    {"TVA04", SNAPSHOT_CRIT, old_mac,
     "cp-3 still sends 10.0.0.50 to cp-2 (old MAC 52:54:00:aa:02:01)", "cp-3", true},
    {"TVA05", SNAPSHOT_CRIT, on_its_way, "10.0.0.50 is on its way to cp-1", "cp-1", true},
    {"TVA05", SNAPSHOT_CRIT, open_outage, "10.0.0.50 is on its way to cp-1", "cp-1", true},
    {"TVA06", SNAPSHOT_WARN, late, "cp-1 renewed its lease 4.4s ago (limit 4.3s)", "cp-1", false},
    {"TVA07", SNAPSHOT_WARN, clock_ahead, "cp-3: clock 740ms ahead of cp-1 (limit 500ms)", "cp-3",
     false},
    {"TVA07", SNAPSHOT_WARN, clock_behind_alone, "cp-2: clock 3600s behind this host", "cp-2",
     false},
    {"TVA08", SNAPSHOT_WARN, to_and_fro, "10.0.0.50 moved 3 times in 10 minutes", "", true},
    {"TVA09", SNAPSHOT_WARN, ghost, "cp-2 waits in the queue, but renewed its lease 8s ago", "cp-2",
     false},
    {"TVA10", SNAPSHOT_CRIT, all_down, "etcd unreachable (3 endpoints; last: refused)", "", false},
    {"TVA10", SNAPSHOT_CRIT, no_quorum, "etcd has no quorum: 1 of 3 members answer, 2 are needed",
     "", false},
    {"TVA10", SNAPSHOT_CRIT, no_quorum_by_reads, "etcd has no quorum: reads that need it fail", "",
     false},
    {"TVA11", SNAPSHOT_WARN, one_down_one_not_known,
     "etcd member cp-1 unreachable; no further member may fail", "", false},
    {"TVA11", SNAPSHOT_WARN, one_down, "etcd member cp-1 unreachable; no further member may fail",
     "", false},
    {"TVA12", SNAPSHOT_INFO, two_members, "etcd has 2 members", "", false},
    {"TVA13", SNAPSHOT_WARN, alone, "10.0.0.50: nobody waits behind cp-1", "cp-1", true},
    {"TVA14", SNAPSHOT_INFO, newer, "cp-3 runs 0.2.0, cp-1 runs 0.1.0", "cp-3", false},
    {"TVA15", SNAPSHOT_CRIT, no_space, "etcd member cp-2 has the alarm NOSPACE", "", false},
    {"TVA15", SNAPSHOT_WARN, nearly_full, "etcd member cp-2: database at 80 % of its quota", "",
     false},
    {"TVA16", SNAPSHOT_CRIT, set_elsewhere, "10.0.0.50 is set on cp-2, which does not hold it",
     "cp-2", true},
    {"TVA17", SNAPSHOT_CRIT, stranger,
     "10.0.0.50: 00:50:56:00:00:01 answers, which is no node's MAC", "", true},
};
#define CASES (sizeof(cases) / sizeof(cases[0]))

static int begin(void **state)
{
    (void)state;
    support_snapshot("healthy.json", &s);
    return 0;
}

static int end(void **state)
{
    (void)state;
    snapshot_done(&s);
    return 0;
}

static const struct snapshot_alert *find(const char *id)
{
    for (unsigned i = 0; i < s.n_alerts; i++)
        if (strcmp(s.alerts[i].id, id) == 0)
            return &s.alerts[i];
    return NULL;
}

static void test_healthy(void **state)
{
    (void)state;
    assert_int_equal(alerts_find(&s), 0);
    if (s.n_alerts)
        fail_msg("%s %s", s.alerts[0].id, s.alerts[0].text);
}

/* What nobody could ask is neither up nor down. */
static void test_not_known(void **state)
{
    (void)state;
    not_known(1);
    not_known(2);
    assert_int_equal(alerts_find(&s), 0);
    assert_int_equal(s.n_alerts, 0);
    assert_int_equal(snapshot_members_down(&s.etcd), 0);
    assert_int_equal(snapshot_members_unknown(&s.etcd), 2);
    assert_int_equal(snapshot_members_spare(&s.etcd), -1);
    assert_string_equal(snapshot_member_health(&s.etcd.members[1]), "grpc only");
    s.etcd.members[0].is_healthy = false;
    assert_int_equal(snapshot_members_down(&s.etcd), 1);
    assert_int_equal(snapshot_members_spare(&s.etcd), 0);
    assert_false(snapshot_members_too_few(&s.etcd)); /* the others may be up */
    s.etcd.members[1] = s.etcd.members[2] = s.etcd.members[0];
    assert_int_equal(snapshot_members_spare(&s.etcd), 0);
    s.etcd.members[0].is_healthy = s.etcd.members[1].is_healthy = true;
    assert_int_equal(snapshot_members_spare(&s.etcd), 0);
    s.etcd.members[2].is_healthy = true;
    assert_int_equal(snapshot_members_spare(&s.etcd), 1);
    /* Of a recording that somebody else wrote. */
    s.etcd.quorum = UINT_MAX;
    assert_int_equal(snapshot_members_spare(&s.etcd), 0);
    assert_true(snapshot_members_too_few(&s.etcd));
}

static void test_raised(void **state)
{
    for (size_t i = 0; i < CASES; i++) {
        end(state);
        begin(state);
        cases[i].spoil();
        assert_int_equal(alerts_find(&s), 0);
        const struct snapshot_alert *a = find(cases[i].id);
        if (!a)
            fail_msg("%s was not raised", cases[i].id);
        if (strncmp(a->text, cases[i].text, strlen(cases[i].text)) != 0)
            fail_msg("%s says: %s", a->id, a->text);
        assert_int_equal(a->severity, cases[i].severity);
        assert_string_equal(a->node, cases[i].node);
        assert_int_equal(a->vip.family != IP_NONE, cases[i].has_vip);
        assert_int_equal(a->cleared_us, -1);
    }
}

/* A move on purpose is no outage, unless the successor does not come, or it was another's word. */
static void test_handover(void **state)
{
    struct snapshot_vip *vip = &s.vips[0];
    struct snapshot_move *before = NULL;
    (void)state;
    for (unsigned i = 0; i < s.n_history; i++) {
        struct snapshot_move *m = &s.history[i];
        if (ip_equal(&m->vip, &vip->ip) && m->epoch < vip->epoch &&
            (!before || m->epoch > before->epoch))
            before = m;
    }
    assert_non_null(before);
    on_its_way();
    vip->since_us = 999999;
    vip->released_epoch = before->epoch;
    strcpy(vip->released_cause, "resign");
    assert_int_equal(alerts_find(&s), 0);
    assert_null(find("TVA05"));
    vip->since_us = 1000000;
    assert_int_equal(alerts_find(&s), 0);
    assert_non_null(find("TVA05"));
    vip->since_us = 0;
    vip->released_epoch--;
    assert_int_equal(alerts_find(&s), 0);
    assert_non_null(find("TVA05"));
    vip->released_epoch++;
    strcpy(vip->released_cause, "link_down");
    assert_int_equal(alerts_find(&s), 0);
    assert_non_null(find("TVA05"));
}

/* The first election moved nothing. */
static void test_first_election_is_no_move(void **state)
{
    (void)state;
    to_and_fro();
    for (unsigned i = 0; i < s.n_history; i++)
        if (i > 0 && ip_equal(&s.history[i].vip, &s.vips[0].ip)) {
            s.history[i].from[0] = '\0';
            break;
        }
    assert_int_equal(alerts_find(&s), 0);
    assert_null(find("TVA08"));
}

/* Nor does an owner move that stays when etcd's leader changes. */
static void test_staying_is_no_move(void **state)
{
    (void)state;
    to_and_fro();
    for (unsigned i = 0; i < s.n_history; i++)
        s.history[i].term = 15;
    assert_int_equal(alerts_find(&s), 0);
    assert_null(find("TVA08"));
}

/* Each for itself: raised at 1 s, standing at 3 s, cleared at 5 s, forgotten after ten minutes. */
static void test_memory(void **state)
{
    for (size_t i = 0; i < CASES; i++) {
        struct alert_memory memory = {.n = 0};
        const uint64_t second = 1000000;
        end(state);
        begin(state);
        cases[i].spoil();
        int64_t before = strcmp(cases[i].id, "TVA10") == 0 ? s.etcd.age_us : 0;
        assert_int_equal(alert_memory_apply(&memory, &s, 100 * second), 0);
        assert_int_equal(find(cases[i].id)->since_us, before);
        assert_int_equal(alert_memory_apply(&memory, &s, 103 * second), 0);
        assert_int_equal(find(cases[i].id)->since_us, before + 3 * (int64_t)second);
        end(state);
        begin(state);
        assert_int_equal(alert_memory_apply(&memory, &s, 105 * second), 0);
        assert_int_equal(find(cases[i].id)->cleared_us, 0);
        assert_null(snapshot_worst(&s));
        assert_int_equal(alert_memory_apply(&memory, &s, 110 * second), 0);
        assert_int_equal(find(cases[i].id)->cleared_us, 5 * second);
        assert_int_equal(alert_memory_apply(&memory, &s, 706 * second), 0);
        assert_int_equal(s.n_alerts, 0);
        assert_int_equal(memory.n, 0);
        alert_memory_done(&memory);
    }
}

/* What nobody can look for is not over. */
static void test_silence_clears_nothing(void **state)
{
    struct alert_memory memory = {.n = 0};
    free_vip();
    assert_int_equal(alert_memory_apply(&memory, &s, 1000000), 0);
    end(state);
    begin(state);
    all_down();
    assert_int_equal(alert_memory_apply(&memory, &s, 42000000), 0);
    assert_null(find("TVA01"));
    end(state);
    begin(state);
    free_vip();
    assert_int_equal(alert_memory_apply(&memory, &s, 51000000), 0);
    assert_int_equal(find("TVA01")->since_us, 50000000);
    assert_int_equal(find("TVA01")->cleared_us, -1);
    alert_memory_done(&memory);
}

/* Worst first, then newest; what is over comes last. */
static void test_order(void **state)
{
    struct alert_memory memory = {.n = 0};
    (void)state;
    newer();
    alone();
    assert_int_equal(alert_memory_apply(&memory, &s, 1000000), 0);
    strcpy(s.nodes[2].agent, "0.1.0");
    mute();
    assert_int_equal(alert_memory_apply(&memory, &s, 2000000), 0);
    assert_int_equal(s.n_alerts, 3);
    assert_string_equal(s.alerts[0].id, "TVA03");
    assert_string_equal(s.alerts[1].id, "TVA13");
    assert_string_equal(s.alerts[2].id, "TVA14");
    assert_int_equal(s.alerts[2].cleared_us, 0);
    assert_string_equal(snapshot_worst(&s)->id, "TVA03");
    alert_memory_done(&memory);
}

static void test_bounds(void **state)
{
    (void)state;
    struct snapshot_node *node = &s.nodes[0];
    for (unsigned i = 0; i < SNAPSHOT_NODES_MAX * 10; i++) {
        struct alert_memory memory = {.n = 0};
        node->renewed_us = i % 2 ? 9000000 : 0;
        assert_int_equal(alert_memory_apply(&memory, &s, 1000000 + i), 0);
        alert_memory_done(&memory);
    }
    struct alert_memory memory = {.n = 0};
    for (unsigned i = 0; i < 3 * ALERT_MEMORY_MAX; i++) {
        snprintf(s.nodes[1].name, sizeof(s.nodes[1].name), "cp-%u", i);
        ghost();
        assert_int_equal(alert_memory_apply(&memory, &s, 1000000 + i), 0);
        assert_true(s.n_alerts <= SNAPSHOT_ALERTS_MAX && memory.n <= ALERT_MEMORY_MAX);
    }
    assert_non_null(find("TVA09"));
    alert_memory_done(&memory);
}

static void test_table(void **state)
{
    size_t n;
    const struct alert_kind *table = alert_table(&n);
    (void)state;
    assert_int_equal(n, 17);
    for (size_t i = 0; i < n; i++) {
        char id[32];
        bool is_tested = false;
        snprintf(id, sizeof(id), "TVA%02zu", i + 1);
        assert_string_equal(table[i].id, id);
        assert_true(table[i].title[0] && table[i].meaning[0] && table[i].why[0] &&
                    table[i].what_to_do[0]);
        for (size_t k = 0; k < CASES; k++)
            is_tested = is_tested || strcmp(cases[k].id, id) == 0;
        assert_true(is_tested);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_healthy, begin, end),
        cmocka_unit_test_setup_teardown(test_not_known, begin, end),
        cmocka_unit_test_setup_teardown(test_raised, begin, end),
        cmocka_unit_test_setup_teardown(test_handover, begin, end),
        cmocka_unit_test_setup_teardown(test_first_election_is_no_move, begin, end),
        cmocka_unit_test_setup_teardown(test_staying_is_no_move, begin, end),
        cmocka_unit_test_setup_teardown(test_memory, begin, end),
        cmocka_unit_test_setup_teardown(test_silence_clears_nothing, begin, end),
        cmocka_unit_test_setup_teardown(test_order, begin, end),
        cmocka_unit_test_setup_teardown(test_bounds, begin, end),
        cmocka_unit_test(test_table),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
