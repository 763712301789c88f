/* SPDX-License-Identifier: MIT */
/* Snapshots as texts, against golden files; GENERATE=1 writes them anew. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cluster_support.h"

#include "../../src/cli/grid.h"
#include "../../src/cli/history_text.h"
#include "../../src/cli/span.h"
#include "../../src/cli/status_snapshot.h"
#include "../../src/cli/when.h"
#include "../../src/cli/yaml_print.h"
#include "cluster/alert.h"
#include "cluster/snapshot_json.h"

static const struct style plain = {.is_utf8 = false}, rich = {.is_utf8 = true};
static struct snapshot s;
static struct buf out;

static void healthy(void)
{
}

static void incident(void)
{
    struct snapshot_vip *vip = &s.vips[0];
    vip->state = SNAPSHOT_VIP_DUP;
    strcpy(vip->holder, "cp-2");
    strcpy(vip->mac, "52:54:00:aa:02:01");
    vip->n_macs = 2;
    strcpy(vip->macs[1], vip->mac);
    vip->since_us = 6000000;
    vip->n_queue = 1;
    strcpy(vip->queue[0], "cp-3");
    s.etcd.state = SNAPSHOT_ETCD_DEGRADED;
    s.etcd.n_healthy = 2;
    s.etcd.members[0].is_healthy = false;
    strcpy(s.etcd.members[0].error, "timeout 2s");
    s.vips[1].is_paused = true;
    s.vips[1].paused_us = 60000000;
    strcpy(s.vips[1].paused_by, "alice");
    strcpy(s.vips[1].paused_reason, "maintenance");
}

static void stale(void)
{
    s.age_us = s.etcd.age_us = 41000000;
    s.etcd.state = SNAPSHOT_ETCD_UNREACHABLE;
    s.etcd.n_healthy = 0;
    s.etcd.leader[0] = '\0';
    for (unsigned i = 0; i < 3; i++) {
        s.etcd.members[i].is_healthy = false;
        strcpy(s.etcd.members[i].error, i ? "timeout 2s" : "refused");
    }
    s.vips[0].state = s.vips[1].state = SNAPSHOT_VIP_STALE;
}

/* Keys of somebody else's agents only. */
static void stock(void)
{
    for (unsigned i = 0; i < 2; i++) {
        struct snapshot_vip *vip = &s.vips[i];
        vip->holder_has_agent = false;
        vip->iface[0] = vip->mac[0] = '\0';
        vip->observers = vip->agree = vip->n_macs = 0;
        vip->is_since_at_least = true;
        vip->since_us = i ? 500000 : 180000000;
    }
    s.n_history = 0;
    for (unsigned i = 0; i < s.n_nodes; i++) {
        struct snapshot_node *node = &s.nodes[i];
        node->role = SNAPSHOT_ROLE_TALOS;
        node->has_agent = false;
        node->agent[0] = '\0';
        node->n_views = 0;
    }
}

static void nothing(void)
{
    for (unsigned i = 0; i < s.n_nodes; i++) {
        free(s.nodes[i].views);
        s.nodes[i].views = NULL;
    }
    s.n_vips = s.n_nodes = s.n_history = 0;
}

static const struct {
    const char *name;
    void (*spoil)(void);
    enum exit_code code;
    int plugin;
} cases[] = {
    {"healthy", healthy, EXIT_DONE, 0}, {"incident", incident, EXIT_NO, 2},
    {"stale", stale, EXIT_UNKNOWN, 3},  {"stock", stock, EXIT_DONE, 0},
    {"nothing", nothing, EXIT_NO, 2},
};
#define CASES (sizeof(cases) / sizeof(cases[0]))

static int begin(void **state)
{
    (void)state;
    support_snapshot("healthy.json", &s);
    buf_init(&out, 0);
    return 0;
}

static int end(void **state)
{
    (void)state;
    snapshot_done(&s);
    buf_done(&out);
    return 0;
}

static void golden(const char *name, const char *kind)
{
    char file[128];
    snprintf(file, sizeof(file), "%s.%s", name, kind);
    support_golden(file, &out);
    buf_clear(&out);
}

static void test_status(void **state)
{
    for (size_t i = 0; i < CASES; i++) {
        end(state);
        begin(state);
        cases[i].spoil();
        assert_int_equal(alerts_find(&s), 0);
        assert_int_equal(status_code(&s), cases[i].code);
        status_human(&s, i % 2 ? &plain : &rich, &out);
        golden(cases[i].name, "human");
        status_table(&s, &plain, false, &out);
        golden(cases[i].name, "table");
        status_table(&s, &rich, true, &out);
        golden(cases[i].name, "wide");
        assert_int_equal(status_check(&s, &out), cases[i].plugin);
        golden(cases[i].name, "check");
    }
}

/* What the holder said of its voters; of one that is gone there is nothing to tell. */
static void test_peers(void **state)
{
    struct snapshot_node *holder = &s.nodes[0];
    struct snapshot_peers *p = &holder->peers;
    (void)state;
    *p = (struct snapshot_peers){.voters = 3, .majority = 2, .acknowledged = 2};
    status_table(&s, &plain, true, &out);
    assert_non_null(strstr(buf_str(&out), "  ARP  PEERS  EPOCH"));
    assert_non_null(strstr(buf_str(&out), "  3/3  2/3    8162001  "));
    assert_non_null(strstr(buf_str(&out), "  3/3  -      8162003  "));
    buf_clear(&out);
    p->acknowledged = 1;
    p->is_mute = true;
    status_table(&s, &plain, true, &out);
    assert_non_null(strstr(buf_str(&out), "  3/3  1/3 MUTE  8162001  "));
    buf_clear(&out);
    p->acknowledged = -1;
    p->is_mute = false;
    status_table(&s, &plain, true, &out);
    assert_non_null(strstr(buf_str(&out), "  3/3  ?/3    8162001  "));
    buf_clear(&out);
    holder->role = SNAPSHOT_ROLE_LOST;
    status_table(&s, &plain, true, &out);
    assert_non_null(strstr(buf_str(&out), "  3/3  -      8162001  "));
}

static void test_one(void **state)
{
    struct ip vip;
    (void)state;
    ip_parse("10.0.0.50", &vip);
    incident();
    assert_int_equal(alerts_find(&s), 0);
    status_keep(&s, &vip);
    assert_int_equal(s.n_vips, 1);
    assert_int_equal(s.nodes[0].n_views, 1);
    status_check(&s, &out);
    golden("incident-one", "check");
    status_names(&s, &out);
    assert_string_equal(buf_str(&out), "vip/10.0.0.50\n");
    assert_int_equal(status_code(&s), EXIT_NO);
}

/* A warning degrades; a note does not; the colours are around the words. */
static void test_codes(void **state)
{
    struct style color = {.has_color = true};
    (void)state;
    strcpy(s.nodes[2].agent, "0.2.0");
    assert_int_equal(alerts_find(&s), 0);
    assert_int_equal(s.n_alerts, 1);
    assert_int_equal(status_code(&s), EXIT_DONE);
    s.nodes[2].clock_offset_us = 742000;
    assert_int_equal(alerts_find(&s), 0);
    assert_int_equal(status_code(&s), EXIT_DEGRADED);
    assert_int_equal(status_check(&s, &out), 1);
    buf_clear(&out);
    status_human(&s, &color, &out);
    assert_non_null(strstr(buf_str(&out), "10.0.0.50  \033[32mHELD\033[0m by cp-1"));
    assert_non_null(strstr(buf_str(&out), "\033[1;33mWARN\033[0m TVA07 cp-3"));
    s.vips[1].state = SNAPSHOT_VIP_MOVING;
    assert_int_equal(status_code(&s), EXIT_NO);
    s.vips[1].state = SNAPSHOT_VIP_SILENT;
    assert_int_equal(status_code(&s), EXIT_NO);
}

/* Names from strangers do not move the cursor. */
static void test_hostile(void **state)
{
    (void)state;
    strcpy(s.vips[0].holder, "\033[2Jcp\n-1\x7f");
    strcpy(s.vips[0].queue[0], "\xff\xfe");
    strcpy(s.history[0].detail, "\033]0;x\007");
    status_human(&s, &plain, &out);
    status_table(&s, &plain, true, &out);
    history_table(&s, &plain, true, &out);
    history_csv(&s, true, &out);
    assert_null(strchr(buf_str(&out), '\033'));
    assert_null(strchr(buf_str(&out), '\007'));
    assert_null(strstr(buf_str(&out), "\xff"));
    buf_clear(&out);
    assert_int_equal(snapshot_write(&s, &out), 0);
    assert_null(strchr(buf_str(&out), '\n'));
    assert_null(strchr(buf_str(&out), '\177'));
    s.n_vips = 1;
    strcpy(s.vips[0].holder, "a|b\n\x7f");
    buf_clear(&out);
    status_check(&s, &out);
    assert_non_null(strstr(buf_str(&out), " by a?b??"));
}

/* A name that is twice as wide takes the blanks that it needs. */
static void test_wide(void **state)
{
    static const char *const heads[] = {"A", "B", NULL};
    struct grid grid;
    (void)state;
    grid_init(&grid, heads);
    grid_add(&grid, "\xe6\x9d\xb1\xe4\xba\xac"); /* two characters, four cells */
    grid_add(&grid, "x");
    grid_add(&grid, "e\xcc\x81tat"); /* five characters, four cells */
    grid_add(&grid, "y");
    grid_write(&grid, true, &out);
    assert_string_equal(buf_str(&out), "A     B\n"
                                       "\xe6\x9d\xb1\xe4\xba\xac  x\n"
                                       "e\xcc\x81tat  y\n");
    grid_done(&grid);
}

static void test_history(void **state)
{
    struct history_stats stats[4];
    (void)state;
    history_table(&s, &rich, false, &out);
    golden("history", "table");
    history_table(&s, &plain, true, &out);
    golden("history", "wide");
    history_csv(&s, true, &out);
    golden("history", "csv");
    size_t n = history_stats(&s, s.wall_us - UINT64_C(30) * 86400 * 1000000, 0, stats, 4);
    assert_int_equal(n, 2);
    history_stats_table(stats, n, &plain, &out);
    golden("history", "stats");
    assert_int_equal(history_stats(&s, 0, 0, stats, 1), 1); /* no more than there is room for */
}

/* Figures are of what was measured, within the time that was asked for. */
static void test_figures(void **state)
{
    struct history_stats one;
    struct buf json;
    (void)state;
    s.n_history = 1;
    struct snapshot_move *m = &s.history[0];
    strcpy(m->from, "cp-1");
    m->outage_us = 9000000;
    m->is_outage_estimated = m->is_outage_open = false;
    m->wall_us = s.wall_us - 100000000;
    assert_int_equal(history_stats(&s, s.wall_us - 190000000, s.wall_us - 10000000, &one, 1), 1);
    assert_true(one.held > 0.9499 && one.held < 0.9501); /* 9 of 180 s */
    history_stats(&s, m->wall_us, m->wall_us + 5000000, &one, 1);
    assert_true(one.held < 0.0001 && one.held >= 0); /* longer than that time */
    m->is_outage_estimated = true;
    history_stats(&s, 0, 0, &one, 1);
    assert_int_equal(one.measured, 0);
    assert_true(one.held < 0 && one.worst_us < 0);
    history_stats_table(&one, 1, &plain, &out);
    assert_null(strchr(buf_str(&out), '%'));
    buf_init(&json, 0);
    history_stats_json(&one, 1, &json);
    assert_non_null(strstr(buf_str(&json), "\"held\": null"));
    buf_done(&json);
}

/* etcd's leader changed, and nothing moved: a row, and no figure. */
static void test_stay(void **state)
{
    struct history_stats before[4], after[4];
    struct ip vip = s.history[1].vip;
    (void)state;
    assert_int_equal(history_stats(&s, 0, 0, before, 4), 2);
    struct snapshot_move *stay = &s.history[s.n_history - 1];
    *stay = (struct snapshot_move){.vip = vip,
                                   .term = 15,
                                   .epoch = s.history[1].epoch,
                                   .wall_us = s.history[1].wall_us + 60000000,
                                   .from = "cp-1",
                                   .to = "cp-1",
                                   .cause = "etcd leader change",
                                   .detail = "lease kept",
                                   .outage_us = 90000000,
                                   .error_us = 1000,
                                   .is_planned = true};
    s.history[0] = *stay; /* the newest of all */
    s.n_history = 2;
    assert_int_equal(history_stats(&s, 0, 0, after, 4), 1);
    assert_int_equal(after[0].moves, 1);
    assert_true(after[0].worst_us < 90000000);
    assert_ptr_equal(snapshot_last_move(&s, &vip), &s.history[1]);
    history_table(&s, &plain, false, &out);
    assert_non_null(strstr(buf_str(&out), "cp-1  (stays)  etcd leader change; lease kept"));
    buf_clear(&out);
    status_human(&s, &plain, &out);
    assert_null(strstr(buf_str(&out), "etcd leader change"));
}

static void test_filter(void **state)
{
    struct history_filter all = {.limit = 0}, none = {.cause = "nonsense"};
    (void)state;
    history_filter(&s, &all);
    assert_int_equal(s.n_history, 4);
    history_filter(&s, &(struct history_filter){.node = "cp-3"});
    assert_int_equal(s.n_history, 3);
    history_filter(&s, &(struct history_filter){.cause = "LINK down"});
    assert_int_equal(s.n_history, 1);
    assert_string_equal(s.history[0].detail, "eth0 on cp-2");
    history_filter(&s, &none);
    assert_int_equal(s.n_history, 0);
    end(NULL);
    begin(NULL);
    struct history_filter filter = {.since = UINT64_C(1787000000000000), .limit = 2};
    ip_parse("10.0.0.50", &filter.vip);
    history_filter(&s, &filter);
    assert_int_equal(s.n_history, 2);
    assert_int_equal(s.history[1].epoch, 8161000);
    filter.until = s.history[1].wall_us;
    history_filter(&s, &filter);
    assert_int_equal(s.n_history, 1);
}

static void test_when(void **state)
{
    const uint64_t now = UINT64_C(1787320953104000), day = UINT64_C(86400000000);
    static const char *const bad[] = {"",
                                      "7",
                                      "d",
                                      "7x",
                                      "-1d",
                                      "tomorrow",
                                      "2026-13-01",
                                      "1.5d",
                                      "2026-08-21T",
                                      "999999999d",
                                      "2026-08-21X09:12:40"};
    uint64_t at;
    (void)state;
    assert_int_equal(when_parse("24h", now, &at), 0);
    assert_int_equal(at, now - day);
    assert_int_equal(when_parse("7d", now, &at), 0);
    assert_int_equal(at, now - 7 * day);
    assert_int_equal(when_parse("2w", now, &at), 0);
    assert_int_equal(at, now - 14 * day);
    assert_int_equal(when_parse("2026-08-21", now, &at), 0);
    assert_int_equal(at, UINT64_C(1787270400000000));
    assert_int_equal(when_parse("2026-08-21 09:12", now, &at), 0);
    assert_int_equal(at, UINT64_C(1787303520000000));
    assert_int_equal(when_parse("2026-08-21T09:12:40Z", now, &at), 0);
    assert_int_equal(at, UINT64_C(1787303560000000));
    for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
        if (when_parse(bad[i], now, &at) == 0)
            fail_msg("%s was taken", bad[i]);
}

static void test_spans(void **state)
{
    static const struct {
        int64_t ms;
        const char *words, *brief;
    } spans[] = {{850, "850 ms", "850ms"},      {1749, "1.7s", "1.7s"},
                 {42000, "42s", "42s"},         {725000, "12m 5s", "12m"},
                 {17393000, "4h 49m", "4h49m"}, {273600000, "3d 4h", "3d4h"}};
    (void)state;
    for (size_t i = 0; i < sizeof(spans) / sizeof(spans[0]); i++) {
        span_words(&out, spans[i].ms);
        assert_string_equal(buf_str(&out), spans[i].words);
        buf_clear(&out);
        span_short(&out, spans[i].ms);
        assert_string_equal(buf_str(&out), spans[i].brief);
        buf_clear(&out);
    }
}

static void test_yaml(void **state)
{
    (void)state;
    assert_int_equal(
        yaml_print_json("{\"a\":\"yes\",\"b\":{\"c\":[1,{\"d\":null,\"e\":[]},[\"x: y\"]]},"
                        "\"f\":\"plain word\",\"g\":{},\"h\":\"1e3\",\"i\":\"x \"}",
                        &out),
        0);
    assert_string_equal(buf_str(&out), "a: \"yes\"\n"
                                       "b:\n"
                                       "  c:\n"
                                       "    - 1\n"
                                       "    - d: null\n"
                                       "      e: []\n"
                                       "    - - \"x: y\"\n"
                                       "f: plain word\n"
                                       "g: {}\n"
                                       "h: \"1e3\"\n"
                                       "i: \"x \"\n");
    buf_clear(&out);
    assert_int_equal(yaml_print_json("{\"a\":\"\xc2\x85\x7f\xe2\x80\xae\"}", &out), 0);
    assert_string_equal(buf_str(&out), "a: \"\\u0085\\u007f\\u202e\"\n");
    assert_int_not_equal(yaml_print_json("{", &out), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_status, begin, end),
        cmocka_unit_test_setup_teardown(test_peers, begin, end),
        cmocka_unit_test_setup_teardown(test_one, begin, end),
        cmocka_unit_test_setup_teardown(test_codes, begin, end),
        cmocka_unit_test_setup_teardown(test_hostile, begin, end),
        cmocka_unit_test_setup_teardown(test_wide, begin, end),
        cmocka_unit_test_setup_teardown(test_history, begin, end),
        cmocka_unit_test_setup_teardown(test_figures, begin, end),
        cmocka_unit_test_setup_teardown(test_stay, begin, end),
        cmocka_unit_test_setup_teardown(test_filter, begin, end),
        cmocka_unit_test_setup_teardown(test_when, begin, end),
        cmocka_unit_test_setup_teardown(test_spans, begin, end),
        cmocka_unit_test_setup_teardown(test_yaml, begin, end),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
