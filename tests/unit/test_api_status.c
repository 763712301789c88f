/* SPDX-License-Identifier: MIT */
#include "api/status.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>
#include <json-c/json.h>

static void fill_vip(struct api_vip *vip, const char *ip)
{
    *vip = (struct api_vip){.epoch = INT64_MAX,
                            .has_address = true,
                            .has_link = true,
                            .is_fenced = true,
                            .held_for_ms = 17340000,
                            .taken = UINT64_MAX,
                            .readded = 2,
                            .conflicts = 3,
                            .queued = 2};
    assert_int_equal(ip_parse(ip, &vip->ip), 0);
    strcpy(vip->iface, "eth0");
    strcpy(vip->state, "held");
    strcpy(vip->cause, "link_down");
    strcpy(vip->holder, "cp-1");
    strcpy(vip->queue[0], "cp-2");
    strcpy(vip->queue[1], "cp-3");
}

static struct api_check checks[2] = {
    {.name = "apiserver", .is_up = true, .passed = UINT64_MAX, .failed = 1},
    {.name = "disk", .error = "exit status 7", .failed = 8},
};

static struct api_peer peers[2] = {{"cp-2", true, 62, -1}, {"cp-3", false, -1, 40}};

static void fill(struct api_status *s, struct api_vip vips[2])
{
    memset(s, 0, sizeof(*s));
    strcpy(s->node, "cp-1");
    strcpy(s->version, "0.1.0");
    s->pid = 812;
    s->guardian_pid = 813;
    s->uptime_ms = 1;
    strcpy(s->fence_reason, "no CAP_BPF");
    strcpy(s->twins, "eth1, eth2");
    strcpy(s->session, "live");
    s->lease = INT64_MIN + 1; /* etcd's IDs are any 64 bits */
    s->ttl_ms = 5000;
    s->remaining_ms = 4200;
    s->renewed_ago_ms = 0;
    s->latency_us = 3210;
    strcpy(s->endpoint, "https://127.0.0.1:2379");
    strcpy(s->etcd_error, "timed out");
    s->is_stopping = true;
    s->peers = (struct api_peers){.is_ready = true,
                                  .window_ms = 500,
                                  .voters = 3,
                                  .majority = 2,
                                  .remaining_ms = 371,
                                  .suspicions = 1,
                                  .grants = UINT64_MAX,
                                  .dropped = 7,
                                  .n = 2,
                                  .list = peers};
    fill_vip(&vips[0], "10.0.0.50");
    fill_vip(&vips[1], "fd00:10::50");
    strcpy(vips[1].state, "standby");
    vips[1].held_for_ms = -1;
    memset(vips[1].cause, 0, sizeof(vips[1].cause));
    memset(vips[1].holder, 0, sizeof(vips[1].holder));
    vips[1].has_link = false;
    vips[1].queued = 0;
    memset(vips[1].queue, 0, sizeof(vips[1].queue));
    s->vips = vips;
    s->n_vips = 2;
    s->checks = checks;
    s->n_checks = 2;
}

static char *written(const struct api_status *s)
{
    struct buf out;
    buf_init(&out, 0);
    assert_int_equal(api_status_write(s, &out), 0);
    return buf_take(&out);
}

static void what_is_written_is_read_back(void **state)
{
    struct api_vip vips[2];
    struct api_status in, back;
    (void)state;
    fill(&in, vips);
    char *text = written(&in);
    assert_null(strchr(text, '\n'));
    memset(&back, 0xee, sizeof(back));
    assert_int_equal(api_status_parse(text, strlen(text), &back), 0);
    assert_int_equal(back.n_vips, 2);
    for (int i = 0; i < 2; i++)
        assert_memory_equal(&back.vips[i], &vips[i], sizeof(vips[i]));
    assert_int_equal(back.n_checks, 2);
    for (int i = 0; i < 2; i++)
        assert_memory_equal(&back.checks[i], &checks[i], sizeof(checks[i]));
    assert_string_equal(back.node, "cp-1");
    assert_string_equal(back.fence_reason, "no CAP_BPF");
    assert_string_equal(back.twins, "eth1, eth2");
    assert_string_equal(back.etcd_error, "timed out");
    assert_true(back.lease == in.lease && back.pid == 812 && back.guardian_pid == 813);
    assert_true(back.renewed_ago_ms == 0 && back.latency_us == 3210 && back.is_stopping);
    char *again = written(&back);
    assert_string_equal(text, again);
    free(again);
    free(text);
    api_status_done(&back);
    api_status_done(&back);
}

static struct json_object *at(struct json_object *o, const char *group, const char *name)
{
    struct json_object *in = o, *value = NULL;
    if (group)
        assert_true(json_object_object_get_ex(o, group, &in));
    assert_true(json_object_object_get_ex(in, name, &value));
    return value;
}

static void the_json_has_the_documented_shape(void **state)
{
    struct api_vip vips[2];
    struct api_status in;
    (void)state;
    fill(&in, vips);
    in.lease = 0x694d7f3a9c1e0b12;
    in.etcd_error[0] = '\0';
    in.renewed_ago_ms = -1;
    char *text = written(&in);
    struct json_object *o = json_tokener_parse(text);
    assert_non_null(o);
    assert_string_equal(json_object_get_string(at(o, NULL, "apiVersion")), "talosvip/v1");
    assert_string_equal(json_object_get_string(at(o, NULL, "kind")), "AgentStatus");
    assert_string_equal(json_object_get_string(at(o, "lease", "id")), "694d7f3a9c1e0b12");
    assert_null(at(o, "lease", "renewedAgoMs"));
    assert_null(at(o, "etcd", "error"));
    assert_true(json_object_get_boolean(at(o, "etcd", "connected")));
    assert_false(json_object_get_boolean(at(o, "fence", "packet")));
    assert_int_equal(json_object_get_int(at(o, "peers", "voters")), 3);
    assert_null(at(o, "peers", "reason"));
    struct json_object *peer = json_object_array_get_idx(at(o, "peers", "agents"), 1);
    assert_string_equal(json_object_get_string(at(peer, NULL, "node")), "cp-3");
    assert_null(at(peer, NULL, "ackedAgoMs"));
    assert_int_equal(json_object_get_int(at(peer, NULL, "heardAgoMs")), 40);
    struct json_object *vip = json_object_array_get_idx(at(o, NULL, "vips"), 1);
    assert_string_equal(json_object_get_string(at(vip, NULL, "vip")), "fd00:10::50");
    assert_string_equal(json_object_get_string(at(vip, NULL, "link")), "down");
    assert_null(at(vip, NULL, "heldForMs"));
    assert_null(at(vip, NULL, "holder"));
    json_object_put(o);
    free(text);
}

static void foreign_bytes_still_give_json(void **state)
{
    struct api_status in = {.renewed_ago_ms = -1}, back;
    (void)state;
    strcpy(in.node, "a\"\\\n\x01\xff\xc3");
    char *text = written(&in);
    assert_int_equal(api_status_parse(text, strlen(text), &back), 0);
    assert_string_equal(back.node, "a\"\\\n\x01\xef\xbf\xbd\xef\xbf\xbd");
    assert_int_equal(back.renewed_ago_ms, -1);
    assert_int_equal(back.n_vips, 0);
    api_status_done(&back);
    free(text);
}

static void too_small_a_buffer_is_an_error(void **state)
{
    struct api_vip vips[2];
    struct api_status in;
    struct buf out;
    (void)state;
    fill(&in, vips);
    buf_init(&out, 100);
    assert_int_equal(api_status_write(&in, &out), -EMSGSIZE);
    buf_done(&out);
}

/* `old` in a good text becomes `new`; what the parser says to that. */
static int parse_changed(const char *old, const char *new)
{
    struct api_vip vips[2];
    struct api_status in, back;
    struct buf b;
    fill(&in, vips);
    char *text = written(&in), *p = strstr(text, old);
    assert_non_null(p);
    buf_init(&b, 0);
    buf_add(&b, text, (size_t)(p - text));
    buf_puts(&b, new);
    buf_puts(&b, p + strlen(old));
    memset(&back, 0xee, sizeof(back));
    int r = api_status_parse(buf_str(&b), b.len, &back);
    if (r == 0)
        api_status_done(&back);
    else
        assert_int_equal(back.pid, (int64_t)0xeeeeeeeeeeeeeeee); /* untouched */
    buf_done(&b);
    free(text);
    return r;
}

static void wrong_shapes_are_refused(void **state)
{
    static const struct {
        const char *old, *new;
    } cases[] = {
        {"talosvip/v1", "talosvip/v2"},
        {"AgentStatus", "AgentConfig"},
        {"\"pid\":812", "\"pid\":\"812\""},
        {"\"pid\":812", "\"pid\":812.5"},
        {"\"pid\":812", "\"pit\":812"},
        {"\"packet\":false", "\"packet\":0"},
        {"\"node\":\"cp-1\"", "\"node\":null"},
        {"\"node\":\"cp-1\"", "\"node\":\"a\\u0000b\""},
        {"\"10.0.0.50\"", "\"10.0.0.500\""},
        {"\"link\":\"up\"", "\"link\":\"upp\""},
        {"\"link\":\"up\"", "\"link\":true"},
        {"\"id\":\"80", "\"id\":\"8X"},
        {"\"id\":\"80", "\"id\":\"080"},
        {"\"heldForMs\":17340000", "\"heldForMs\":-5"},
        {"\"readded\":2", "\"readded\":-2"},
        {"\"queue\":[", "\"queue\":[1,"},
        {"\"queue\":[", "\"queue\":[null,"},
        {"\"queue\":[\"cp-2\",\"cp-3\"]", "\"queue\":{}"},
        {"\"vips\":[", "\"vips\":[[],"},
        {"\"agents\":[", "\"agents\":[[],"},
        {"\"voters\":3", "\"voters\":null"},
        {"\"ackedAgoMs\":62", "\"ackedAgoMs\":-62"},
        {"\"vips\":[", "\"vips\":[null,"},
        {"\"health\":[", "\"health\":[null,"},
        {"\"health\":[", "\"healthy\":["},
        {"\"up\":false", "\"up\":\"down\""},
        {"\"failed\":8", "\"failed\":-8"},
        {"\"lease\":{", "\"lease\":[{}],\"leese\":{"},
        {"{\"apiVersion\"", "[{\"apiVersion\""},
        {"{\"apiVersion\"", "x{\"apiVersion\""},
        {"{\"apiVersion\"", "{\"deep\":[[[[[[[[[[1]]]]]]]]]],\"apiVersion\""},
        {"cp-2", "\xff"},
    };
    (void)state;
    assert_int_equal(parse_changed("\"pid\":812", "\"later\":{},\"pid\":812"), 0);
    assert_int_equal(parse_changed("\"node\":\"cp-1\"", "\"node\":\"012345678901234567890123456789"
                                                        "01234567890123456789012345678901234567\""),
                     0); /* too long a text is cut */
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        int r = parse_changed(cases[i].old, cases[i].new);
        if (r != -EBADMSG)
            fail_msg("%s -> %s gave %d", cases[i].old, cases[i].new, r);
    }
}

static void every_prefix_is_refused(void **state)
{
    struct api_vip vips[2];
    struct api_status in, back;
    (void)state;
    fill(&in, vips);
    char *text = written(&in);
    size_t len = strlen(text);
    for (size_t n = 0; n < len; n++) {
        char *copy = malloc(n + 1);
        memcpy(copy, text, n);
        assert_int_equal(api_status_parse(copy, n, &back), -EBADMSG);
        free(copy);
    }
    text[len] = ' '; /* the NUL's place: white space may follow, other things may not */
    assert_int_equal(api_status_parse(text, len + 1, &back), 0);
    api_status_done(&back);
    text[len] = '}';
    assert_int_equal(api_status_parse(text, len + 1, &back), -EBADMSG);
    free(text);
}

static void too_many_are_refused(void **state)
{
    struct buf b;
    (void)state;
    buf_init(&b, 0);
    buf_puts(&b, "\"queue\":[");
    for (int i = 0; i < API_QUEUE_MAX; i++)
        buf_puts(&b, "\"n\",");
    assert_int_equal(parse_changed("\"queue\":[", buf_str(&b)), -EBADMSG);
    buf_clear(&b);
    buf_puts(&b, "\"vips\":[");
    for (int i = 0; i < API_VIPS_MAX; i++)
        buf_puts(&b, "{},");
    assert_int_equal(parse_changed("\"vips\":[", buf_str(&b)), -EBADMSG);
    buf_clear(&b);
    buf_puts(&b, "\"health\":[");
    for (int i = 0; i < API_CHECKS_MAX; i++)
        buf_puts(&b, "{},");
    assert_int_equal(parse_changed("\"health\":[", buf_str(&b)), -EBADMSG);
    buf_done(&b);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_is_written_is_read_back),
        cmocka_unit_test(the_json_has_the_documented_shape),
        cmocka_unit_test(foreign_bytes_still_give_json),
        cmocka_unit_test(too_small_a_buffer_is_an_error),
        cmocka_unit_test(wrong_shapes_are_refused),
        cmocka_unit_test(every_prefix_is_refused),
        cmocka_unit_test(too_many_are_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
