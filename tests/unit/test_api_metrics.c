/* SPDX-License-Identifier: MIT */
/* The text of the metrics, whole and in its edge cases. */
#include "api/metrics.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static const char *const states[] = {"off", "standby", "held"};
static const char *const causes[] = {"", "link_down"};

struct view {
    struct api_status status;
    struct api_vip vips[2];
    struct api_check checks[1];
    struct api_peer peers[2];
    struct api_counters counters;
    struct api_vip_counters vip_counters[2];
    struct api_metrics metrics;
};

static struct view *filled(void)
{
    static struct view v;
    memset(&v, 0, sizeof(v));
    strcpy(v.status.version, "0.1.0");
    strcpy(v.status.session, "live");
    v.status.guardian_pid = 7;
    v.status.ttl_ms = 5000;
    v.status.remaining_ms = 4321;
    v.status.renewed_ago_ms = 20;
    v.status.vips = v.vips;
    v.status.n_vips = 2;
    v.status.checks = v.checks;
    v.status.n_checks = 1;
    ip_parse("10.0.0.50", &v.vips[0].ip);
    ip_parse("fd00::50", &v.vips[1].ip);
    strcpy(v.vips[0].state, "held");
    strcpy(v.vips[1].state, "standby");
    v.vips[0].has_address = v.vips[0].has_link = v.vips[1].has_link = true;
    v.vips[0].taken = 3;
    v.vips[0].conflicts = 2;
    v.vips[0].readded = UINT64_MAX;
    v.vip_counters[0].released[1] = 2;
    v.vip_counters[0].announced = 40;
    v.vip_counters[0].unacknowledged = 1;
    strcpy(v.checks[0].name, "a\"b\\c\nd\xff");
    v.checks[0].passed = 10;
    v.checks[0].failed = 4;
    strcpy(v.peers[0].node, "cp-2");
    v.peers[0].acked_ago_ms = 1062;
    v.peers[1].acked_ago_ms = -1;
    v.status.peers = (struct api_peers){.is_ready = true,
                                        .window_ms = 500,
                                        .voters = 3,
                                        .majority = 2,
                                        .suspicions = 1,
                                        .grants = 2,
                                        .endings = 3,
                                        .mutes = 4,
                                        .sent = UINT64_MAX,
                                        .dropped = 5,
                                        .n = 2,
                                        .list = v.peers};
    v.counters.renewals = 9;
    v.counters.renewal_failures = 1;
    api_latency_add(&v.counters.renewal_latency, 1000);
    api_latency_add(&v.counters.renewal_latency, 1001);
    api_latency_add(&v.counters.renewal_latency, 5000000);
    v.counters.hooks_run[2] = 5;
    v.counters.hooks_failed[1] = 6;
    v.counters.hooks_dropped[0] = 7;
    v.metrics = (struct api_metrics){.status = &v.status,
                                     .counters = &v.counters,
                                     .vips = v.vip_counters,
                                     .started_wall_us = 1755785216118000,
                                     .is_healthy = true,
                                     .states = states,
                                     .n_states = 3,
                                     .causes = causes,
                                     .n_causes = 2};
    return &v;
}

/* What is written, without the HELP lines; the caller frees it. */
static char *samples(const struct view *v)
{
    struct buf out, kept;
    buf_init(&out, 0);
    buf_init(&kept, 0);
    assert_int_equal(api_metrics_write(&v->metrics, &out), 0);
    for (char *line = out.data; *line;) {
        char *end = strchr(line, '\n');
        assert_non_null(end); /* the last line too */
        if (strncmp(line, "# HELP talosvip_", 16) != 0)
            buf_add(&kept, line, (size_t)(end - line) + 1);
        line = end + 1;
    }
    buf_done(&out);
    return buf_take(&kept);
}

static const char golden[] =
#include "metrics_golden.h"
    ;

static void the_whole_text_is_as_it_should_be(void **state)
{
    (void)state;
    char *text = samples(filled());
    if (getenv("GENERATE"))
        fputs(text, stdout);
    else
        assert_string_equal(text, golden);
    free(text);
}

/* Each family is told once, before its samples, and no line is there twice. */
static void families_are_whole(void **state)
{
    char family[100] = "", seen[64][100];
    unsigned n = 0;
    (void)state;
    char *text = samples(filled()), *rest = text, *line;
    while ((line = strsep(&rest, "\n")) && *line) {
        if (sscanf(line, "# TYPE %99s", family) == 1) {
            for (unsigned i = 0; i < n; i++)
                assert_string_not_equal(seen[i], family);
            strcpy(seen[n++], family);
        } else {
            assert_memory_equal(line, family, strlen(family));
        }
    }
    assert_int_equal(n, 43);
    free(text);
}

static void nothing_to_tell_is_left_out(void **state)
{
    (void)state;
    struct view *v = filled();
    v->status.n_vips = v->status.n_checks = 0;
    v->status.renewed_ago_ms = -1;
    strcpy(v->status.etcd_error, "timed out");
    char *text = samples(v);
    assert_null(strstr(text, "vip=\""));
    assert_null(strstr(text, "check=\""));
    assert_null(strstr(text, "\ntalosvip_renewal_age_seconds "));
    assert_non_null(strstr(text, "\ntalosvip_etcd_connected 0\n"));
    free(text);
}

static void too_small_a_buffer_is_an_error(void **state)
{
    struct buf out;
    (void)state;
    buf_init(&out, 500);
    assert_int_equal(api_metrics_write(&filled()->metrics, &out), -EMSGSIZE);
    buf_done(&out);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_whole_text_is_as_it_should_be),
        cmocka_unit_test(families_are_whole),
        cmocka_unit_test(nothing_to_tell_is_left_out),
        cmocka_unit_test(too_small_a_buffer_is_an_error),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
