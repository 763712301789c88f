/* SPDX-License-Identifier: MIT */
/* The difference of two snapshots, told. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>
#include <stdlib.h>
#include <string.h>

#include "cluster_support.h"

#include "../../src/cli/watch_text.h"
#include "cluster/events.h"

static struct snapshot before, after;
static struct event events[EVENTS_MAX];
static size_t n;

static int begin(void **state)
{
    (void)state;
    support_snapshot("healthy.json", &before);
    support_snapshot("healthy.json", &after);
    return 0;
}

static int end(void **state)
{
    (void)state;
    snapshot_done(&before);
    snapshot_done(&after);
    return 0;
}

static const struct event *expect(enum event_kind kind, const char *text)
{
    n = events_between(&before, &after, events);
    for (size_t i = 0; i < n; i++)
        if (events[i].kind == kind) {
            assert_string_equal(events[i].text, text);
            return &events[i];
        }
    fail_msg("no %s", event_kind_name(kind));
    return NULL;
}

static void test_nothing(void **state)
{
    (void)state;
    after.wall_us += 1000000;
    after.vips[0].remaining_us -= 1000000;
    after.etcd.revision++;
    assert_int_equal(events_between(&before, &after, events), 0);
}

static void test_move(void **state)
{
    (void)state;
    strcpy(after.vips[0].holder, "cp-2");
    after.vips[0].epoch = 8163000;
    after.vips[0].released_epoch = before.vips[0].epoch;
    strcpy(after.vips[0].released_cause, "link_down");
    strcpy(after.vips[0].released_detail, "eth0");
    const struct event *e = expect(EVENT_LOST, "cp-1  link down: eth0");
    assert_string_equal(e->from, "cp-1");
    assert_string_equal(e->to, "cp-2");
    assert_string_equal(e->cause, "link_down");
    e = expect(EVENT_HELD, "cp-2  eth0");
    assert_int_equal(n, 2);
    assert_int_equal(events[0].kind, EVENT_LOST);
    assert_string_equal(e->from, "cp-1");
    /* Nobody has said why. */
    after.vips[0].released_epoch = 1;
    expect(EVENT_LOST, "cp-1  its key is gone");
    /* Not set yet is not held yet. */
    after.vips[0].state = SNAPSHOT_VIP_MOVING;
    n = events_between(&before, &after, events);
    assert_int_equal(n, 1);
    strcpy(before.vips[0].holder, "cp-2");
    before.vips[0].epoch = 8163000;
    before.vips[0].state = SNAPSHOT_VIP_MOVING;
    after.vips[0].state = SNAPSHOT_VIP_HELD;
    expect(EVENT_HELD, "cp-2  eth0");
    assert_int_equal(n, 1);
}

static void test_record(void **state)
{
    (void)state;
    before.n_history = 0;
    after.n_history = 2;
    const struct event *e = expect(EVENT_MOVED, "cp-3 -> cp-1  lease expired  outage 9.800s");
    assert_int_equal(n, 2); /* the older one first */
    assert_int_equal(e->outage_us, 9800000);
    assert_string_equal(e->cause, "lease expired");
    /* Measured later: told once more. */
    before.n_history = 2;
    before.history[1].outage_us = -1;
    expect(EVENT_MOVED, "cp-3 -> cp-1  lease expired  outage 9.800s");
    assert_int_equal(n, 1);
    before.is_history_known = false; /* what is there at the beginning is no news */
    before.n_history = 0;
    assert_int_equal(events_between(&before, &after, events), 0);
}

/* etcd has another leader; the record of who stayed at that is no move. */
static void test_leader(void **state)
{
    struct snapshot_move stay = before.history[0];
    (void)state;
    stay.term = 15;
    after.history[0] = stay;
    assert_int_equal(events_between(&before, &after, events), 0);
    after.etcd.leader_changes = 1;
    after.etcd.leader_since_us = 0;
    after.etcd.term = 15;
    strcpy(after.etcd.leader_before, "cp-2");
    strcpy(after.etcd.leader, "cp-1");
    const struct event *e = expect(EVENT_LEADER, "etcd leader cp-2 -> cp-1, term 15");
    assert_int_equal(n, 1);
    assert_int_equal(e->severity, SNAPSHOT_INFO);
    assert_string_equal(e->from, "cp-2");
    assert_string_equal(e->to, "cp-1");
    strcpy(after.etcd.leader_before, "cp-1");
    expect(EVENT_LEADER, "etcd leader cp-1 again, term 15");
    before.etcd.leader_changes = 1;
    assert_int_equal(events_between(&before, &after, events), 0);
}

static void test_wire(void **state)
{
    (void)state;
    after.vips[0].state = SNAPSHOT_VIP_DUP;
    after.vips[0].n_macs = 2;
    strcpy(after.vips[0].macs[1], "52:54:00:aa:02:01");
    expect(EVENT_DUP, "52:54:00:aa:01:01 and 52:54:00:aa:02:01 answer");
    after.vips[0].state = SNAPSHOT_VIP_SILENT;
    expect(EVENT_SILENT, "cp-1 holds it, nobody answers");
    before.vips[0].state = SNAPSHOT_VIP_SILENT;
    after.vips[0].state = SNAPSHOT_VIP_HELD;
    expect(EVENT_CLEAN, "cp-1 alone answers again");
}

static void test_rest(void **state)
{
    (void)state;
    after.etcd.members[2].is_healthy = false;
    strcpy(after.etcd.members[2].error, "refused");
    assert_string_equal(expect(EVENT_DOWN, "etcd member cp-3: refused")->node, "cp-3");
    after.nodes[1].role = SNAPSHOT_ROLE_LOST;
    assert_string_equal(expect(EVENT_LEFT, "agent on cp-2 is gone")->node, "cp-2");
    after.vips[1].is_paused = true;
    strcpy(after.vips[1].paused_by, "alice");
    expect(EVENT_PAUSED, "by alice");
    struct snapshot swap = before;
    before = after;
    after = swap;
    expect(EVENT_UP, "etcd member cp-3 answers again");
    expect(EVENT_JOINED, "agent on cp-2 (0.1.0)");
    expect(EVENT_RESUMED, "by whoever asked for it");
    before.age_us = 2100000;
    after.age_us = 0;
    expect(EVENT_GAP, "etcd did not answer for 2.1s, resumed at revision 8162534, nothing moved");
    /* There and back, and no agent that wrote it down. */
    after.vips[0].epoch++;
    expect(EVENT_GAP, "etcd did not answer for 2.1s, resumed at revision 8162534, "
                      "moves meanwhile: only those on record");
}

static void test_alerts(void **state)
{
    (void)state;
    struct snapshot_alert alert = {.id = "TVA13",
                                   .severity = SNAPSHOT_WARN,
                                   .vip = after.vips[0].ip,
                                   .text = "nobody waits",
                                   .cleared_us = -1};
    after.alerts = malloc(sizeof(alert));
    assert_non_null(after.alerts);
    after.alerts[0] = alert;
    after.n_alerts = 1;
    assert_string_equal(expect(EVENT_RAISED, "TVA13 nobody waits")->id, "TVA13");
    after.alerts[0].cleared_us = 0;
    assert_int_equal(events_between(&before, &after, events), 0);
    struct snapshot swap = before;
    before = after;
    after = swap;
    before.alerts[0].cleared_us = -1;
    assert_int_equal(expect(EVENT_CLEARED, "TVA13 nobody waits")->severity, SNAPSHOT_INFO);
    after.etcd.state = SNAPSHOT_ETCD_UNREACHABLE; /* not known to be over */
    assert_int_equal(events_between(&before, &after, events), 0);
}

static void test_lines(void **state)
{
    (void)state;
    struct style style = {.has_color = false};
    struct buf out;
    struct event e = {.kind = EVENT_LOST,
                      .severity = SNAPSHOT_WARN,
                      .wall_us = UINT64_C(1787321216102000),
                      .from = "cp-1",
                      .node = "cp-1",
                      .cause = "lease expired",
                      .outage_us = -1,
                      .text = "cp-1  \"lease\" \033[31mexpired"};
    buf_init(&out, 0);
    ip_parse("10.0.0.50", &e.vip);
    watch_human(&e, &style, 11, &out);
    assert_string_equal(buf_str(&out),
                        "14:06:56.102  10.0.0.50    LOST     cp-1  \"lease\" ?[31mexpired\n");
    buf_clear(&out);
    watch_logfmt(&e, &out);
    assert_string_equal(
        buf_str(&out),
        "ts=2026-08-21T14:06:56.102Z level=warn event=lost vip=10.0.0.50 node=cp-1 "
        "from=cp-1 cause=\"lease expired\" msg=\"cp-1  \\\"lease\\\" ?[31mexpired\"\n");
    buf_clear(&out);
    assert_int_equal(event_write(&e, &out), 0);
    assert_non_null(strstr(buf_str(&out),
                           "\"kind\":\"Event\",\"time\":\"2026-08-21T14:06:56.102Z\","
                           "\"event\":\"LOST\",\"severity\":\"warning\","
                           "\"vip\":\"10.0.0.50\""));
    buf_done(&out);
}

static void test_bounds(void **state)
{
    (void)state;
    before.n_vips = 0;
    free(after.vips);
    after.vips = calloc(SNAPSHOT_VIPS_MAX, sizeof(*after.vips));
    assert_non_null(after.vips);
    after.n_vips = SNAPSHOT_VIPS_MAX;
    for (unsigned i = 0; i < SNAPSHOT_VIPS_MAX; i++) {
        after.vips[i].ip = (struct ip){.family = IP_V4, .bytes = {10, 0, 0, (uint8_t)i}};
        after.vips[i].epoch = 1;
        after.vips[i].is_paused = true;
        after.vips[i].state = SNAPSHOT_VIP_DUP;
    }
    assert_int_equal(events_between(&before, &after, events), EVENTS_MAX);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_nothing, begin, end),
        cmocka_unit_test_setup_teardown(test_move, begin, end),
        cmocka_unit_test_setup_teardown(test_record, begin, end),
        cmocka_unit_test_setup_teardown(test_leader, begin, end),
        cmocka_unit_test_setup_teardown(test_wire, begin, end),
        cmocka_unit_test_setup_teardown(test_rest, begin, end),
        cmocka_unit_test_setup_teardown(test_alerts, begin, end),
        cmocka_unit_test(test_lines),
        cmocka_unit_test_setup_teardown(test_bounds, begin, end),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
