/* SPDX-License-Identifier: MIT */
/* Whole screens against golden files: tests/ui/golden, from the snapshots in tests/ui/data.
 * GENERATE=1 writes them anew. */
#include "../../src/ui/view.h"

#include "cluster/snapshot_json.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static char *read_file(const char *path, size_t *ret_len)
{
    FILE *file = fopen(path, "re");
    char *text = NULL;
    size_t size = 0;
    if (!file)
        return NULL;
    ssize_t len = getdelim(&text, &size, -1, file);
    fclose(file);
    *ret_len = len < 0 ? 0 : (size_t)len;
    return text;
}

static struct model *load(const char *name, unsigned width, unsigned height)
{
    char path[128];
    size_t len;
    struct snapshot s;
    snprintf(path, sizeof(path), "tests/ui/data/%s.jsonl", name);
    char *text = read_file(path, &len);
    assert_non_null(text);
    struct model *model = model_new(width, height);
    assert_non_null(model);
    assert_int_equal(snapshot_parse(text, strcspn(text, "\n"), &s), 0);
    model_snapshot(model, 1000000, &s);
    free(text);
    return model;
}

static void press(struct model *model, const char *keys)
{
    struct effect effect;
    for (; *keys; keys++)
        model_key(model, (unsigned char)*keys, &effect);
}

/* The first line that differs, for whoever reads the failure. */
static void explain(const char *name, const char *want, const char *got)
{
    for (unsigned line = 1;; line++) {
        size_t a = strcspn(want, "\n"), b = strcspn(got, "\n");
        if (a != b || strncmp(want, got, a) != 0) {
            print_error("%s:%u\n want %.*s\n got  %.*s\n", name, line, (int)a, want, (int)b, got);
            return;
        }
        if (!want[a] || !got[b])
            return;
        want += a + 1;
        got += b + 1;
    }
}

static void check(const struct model *model, const char *name)
{
    struct canvas canvas = {0};
    struct buf out;
    char path[160];
    size_t len = 0;
    buf_init(&out, 0);
    assert_int_equal(view_draw(model, &canvas), 0);
    assert_int_equal(canvas_write(&canvas, &out), 0);
    snprintf(path, sizeof(path), "tests/ui/golden/%s.txt", name);
    if (getenv("GENERATE")) {
        FILE *file = fopen(path, "we");
        assert_non_null(file);
        fwrite(buf_str(&out), 1, out.len, file);
        fclose(file);
    } else {
        char *want = read_file(path, &len);
        assert_non_null(want);
        if (strcmp(want, buf_str(&out)) != 0)
            explain(path, want, buf_str(&out));
        assert_string_equal(want, buf_str(&out));
        free(want);
    }
    buf_done(&out);
    canvas_done(&canvas);
}

static const struct {
    unsigned width, height;
} sizes[] = {{80, 24}, {160, 50}, {100, 30}, {60, 8}, {40, 6}, {20, 1}};
static const char *const sets[] = {"utf8", "console", "ascii"};
static const char *const data[] = {"ok",    "wide",  "dup", "cleared",
                                   "stale", "talos", "big", "connecting"};

static void test_all_sizes_and_glyphs(void **state)
{
    (void)state;
    for (unsigned d = 0; d < sizeof(data) / sizeof(data[0]); d++)
        for (unsigned s = 0; s < sizeof(sizes) / sizeof(sizes[0]); s++)
            for (unsigned g = 0; g < 3; g++) {
                char name[96];
                struct model *model = load(data[d], sizes[s].width, sizes[s].height);
                model->glyph_set = (enum glyph_set)g;
                snprintf(name, sizeof(name), "%s-%ux%u-%s", data[d], sizes[s].width,
                         sizes[s].height, sets[g]);
                check(model, name);
                model_free(model);
            }
}

/* Keys that open each overlay. */
static const struct {
    const char *name, *keys;
} overlays[] = {{"help", "?"},        {"sort", "2s"},         {"vip", "\r"},     {"node", "2j\r"},
                {"failover", "3\r"},  {"alert", "4\r"},       {"member", "6\r"}, {"resign", "r"},
                {"filter", "2fcp-1"}, {"search", "2/cp-3\r"}, {"zoom", "3z"},    {"events", "e"},
                {"message", "c"},     {"sorted", "2>>S"}};

static void test_overlays(void **state)
{
    (void)state;
    for (unsigned i = 0; i < sizeof(overlays) / sizeof(overlays[0]); i++)
        for (unsigned s = 0; s < sizeof(sizes) / sizeof(sizes[0]); s++) {
            char name[96];
            struct model *model = load("ok", sizes[s].width, sizes[s].height);
            press(model, overlays[i].keys);
            if (s > 0)
                model->glyph_set = s % 2 ? GLYPHS_ASCII : GLYPHS_UTF8;
            snprintf(name, sizeof(name), "overlay-%s-%ux%u", overlays[i].name, sizes[s].width,
                     sizes[s].height);
            check(model, name);
            model_free(model);
        }
}

/* An owner, one that watches it, and an owner that only few hear; the owner of a VIP. */
static void test_peer_lease(void **state)
{
    static const struct {
        const char *name, *keys;
    } rows[] = {{"owner", "2\r"}, {"watcher", "2j\r"}, {"mute", "2jj\r"}, {"vip", "\r"}};
    (void)state;
    for (unsigned i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        char name[96];
        struct model *model = load("peers", 80, 30);
        press(model, rows[i].keys);
        snprintf(name, sizeof(name), "overlay-peers-%s-80x30", rows[i].name);
        check(model, name);
        model_free(model);
    }
}

static void assert_shows(const struct model *model, const char *part)
{
    struct canvas canvas = {0};
    struct buf out;
    buf_init(&out, 0);
    assert_int_equal(view_draw(model, &canvas), 0);
    assert_int_equal(canvas_write(&canvas, &out), 0);
    if (!strstr(buf_str(&out), part))
        fail_msg("\"%s\" is not in:\n%s", part, buf_str(&out));
    buf_done(&out);
    canvas_done(&canvas);
}

/* Whose death costs the whole lease, and why. */
static void test_owner_without_voters(void **state)
{
    static const char *const keys[] = {"2\r", "\r"}; /* the node; its VIP */
    (void)state;
    for (unsigned i = 0; i < 2; i++) {
        struct model *model = load("peers", 80, 30);
        struct snapshot_peers *p = &model->shown.nodes[0].peers;
        assert_int_equal(model->shown.nodes[0].role, SNAPSHOT_ROLE_HOLDER);
        p->voters = p->majority = p->acknowledged = -1;
        press(model, keys[i]);
        assert_shows(model, "peer lease   no voters: etcd's lease alone decides ");
        p->n = 1;
        assert_shows(model, "peer lease   2 of 3 agents: etcd's lease alone decides ");
        model_free(model);
    }
}

/* Two leases: what is over its own is the last known, and nothing else. */
static void test_stale_by_its_own_lease(void **state)
{
    (void)state;
    struct model *model = load("stale", 80, 24);
    model->shown.vips[1].state = SNAPSHOT_VIP_HELD;
    model->shown.vips[1].granted_us = 60000000;
    model->shown.vips[1].remaining_us = 12000000;
    for (unsigned i = 0; i < model->shown.n_nodes; i++)
        if (strcmp(model->shown.nodes[i].name, "cp-3") == 0)
            model->shown.nodes[i].granted_us = 60000000;
    check(model, "stale-one-of-two-80x24");
    model_free(model);
}

static void test_resign_that_needs_typing(void **state)
{
    (void)state;
    struct model *model = load("dup", 80, 24);
    press(model, "r");
    check(model, "overlay-resign-typed-80x24");
    model_free(model);
}

/* The line below the graph, without what is blank at its end. */
static void axis_is(const struct model *model, const char *want)
{
    struct canvas canvas = {0};
    struct buf out;
    const struct rect *r = &model->layout.graph;
    buf_init(&out, 0);
    assert_int_equal(view_draw(model, &canvas), 0);
    assert_int_equal(canvas_write(&canvas, &out), 0);
    char *text = (char *)buf_str(&out);
    for (unsigned row = 0; row + 1 < r->row + r->height; row++)
        text = strchr(text, '\n') + 1;
    *strchr(text, '\n') = '\0';
    text += strspn(text, " ");
    assert_string_equal(text, want);
    buf_done(&out);
    canvas_done(&canvas);
}

/* Seconds ago, in the order in which they were seen. */
static void changes_are(struct model *model, unsigned n, const unsigned *ago)
{
    model->n_leaders = 0;
    for (unsigned i = 0; i < n; i++)
        model->leaders_us[model->n_leaders++] = model->shown.wall_us - ago[i] * UINT64_C(1000000);
}

static void test_marks(void **state)
{
    (void)state;
    struct model *model = load("wide", 160, 50);
    char want[256];
    model->glyph_set = GLYPHS_ASCII;
    changes_are(model, 0, NULL);
    snprintf(want, sizeof(want), "-10m%68s-5m%74snow", "", "");
    axis_is(model, want);
    changes_are(model, 1, (const unsigned[]){601}); /* too long ago */
    axis_is(model, want);
    /* Just now: "now" makes room, and the words stand on the other side. */
    changes_are(model, 1, (const unsigned[]){0});
    snprintf(want, sizeof(want), "-10m%68s-5m%57setcd leader change ^", "", "");
    axis_is(model, want);
    /* Where "-5m" is. */
    changes_are(model, 1, (const unsigned[]){312});
    snprintf(want, sizeof(want), "-10m%68s^ etcd leader change%57snow", "", "");
    axis_is(model, want);
    /* Four in a row, two of which are one; words stand where there is room. */
    changes_are(model, 4, (const unsigned[]){130, 110, 90, 88});
    snprintf(want, sizeof(want), "-10m%68s-5m%25setcd leader change ^    ^    ^%19snow", "", "",
             "");
    axis_is(model, want);
    /* A record and what was seen of the same change are one mark. */
    changes_are(model, 1, (const unsigned[]){219});
    model->shown.history[3].wall_us = model->shown.wall_us - 216 * UINT64_C(1000000);
    snprintf(want, sizeof(want), "-10m%68s-5m%21s^ etcd leader change%33snow", "", "", "");
    axis_is(model, want);
    model_free(model);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_all_sizes_and_glyphs),
        cmocka_unit_test(test_overlays),
        cmocka_unit_test(test_peer_lease),
        cmocka_unit_test(test_owner_without_voters),
        cmocka_unit_test(test_stale_by_its_own_lease),
        cmocka_unit_test(test_resign_that_needs_typing),
        cmocka_unit_test(test_marks),
    };
    return cmocka_run_group_tests_name("ui_view", tests, NULL, NULL);
}
