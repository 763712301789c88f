/* SPDX-License-Identifier: MIT */
/* Every key of the dashboard, and what must hold for every size of a terminal. */
#include "../../src/ui/view.h"

#include "../../src/ui/keys.h"
#include "../../src/ui/state.h"
#include "../../src/ui/words.h"
#include "base/text.h"
#include "cluster/snapshot_json.h"
#include "ui/recording.h"
#include "ui/top.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include <cmocka.h>

static struct snapshot read_sample(const char *name)
{
    char path[128];
    struct recording *recording;
    struct snapshot s;
    snprintf(path, sizeof(path), "tests/ui/data/%s.jsonl", name);
    assert_int_equal(recording_open(path, &recording), 0);
    assert_int_equal(recording_read(recording, 0, &s), 0);
    recording_close(recording);
    return s;
}

static void feed(struct model *model, const char *name, uint64_t now_us)
{
    struct snapshot s = read_sample(name);
    model_snapshot(model, now_us, &s);
}

static struct model *load(const char *name, unsigned width, unsigned height)
{
    struct model *model = model_new(width, height);
    assert_non_null(model);
    feed(model, name, 1000000);
    return model;
}

static struct effect press(struct model *model, int key)
{
    struct effect effect;
    model_key(model, key, &effect);
    return effect;
}

static void type(struct model *model, const char *text)
{
    for (; *text; text++)
        press(model, (unsigned char)*text);
}

static void test_moving(void **state)
{
    (void)state;
    static const struct {
        int key;
        unsigned at;
    } steps[] = {
        {KEY_ARROW_DOWN, 1}, {'j', 2},   {KEY_ARROW_UP, 1}, {'k', 0},          {'k', 0},
        {'G', 199},          {'j', 199}, {'g', 0},          {KEY_TO_END, 199}, {KEY_TO_START, 0}};
    struct model *model = load("big", 80, 24);
    struct panel_state *p = &model->panels[PANEL_VIPS];
    for (unsigned i = 0; i < sizeof(steps) / sizeof(steps[0]); i++) {
        press(model, steps[i].key);
        assert_int_equal(p->at, steps[i].at);
        assert_true(p->top <= p->at && p->at < p->top + 10);
    }
    static const int down[] = {KEY_PAGE_DOWN, KEY_CTRL('f'), KEY_CTRL('d')};
    static const int up[] = {KEY_PAGE_UP, KEY_CTRL('b'), KEY_CTRL('u')};
    for (unsigned i = 0; i < 3; i++) {
        press(model, down[i]);
        assert_true(p->at > 0);
        press(model, up[i]);
        assert_int_equal(p->at, 0);
    }
    model_free(model);
}

static void test_panels_and_zoom(void **state)
{
    (void)state;
    struct model *model = load("ok", 80, 24);
    press(model, KEY_TABULATOR);
    assert_int_equal(model->focus, PANEL_NODES);
    press(model, KEY_BACK_TAB);
    assert_int_equal(model->focus, PANEL_VIPS);
    press(model, KEY_BACK_TAB); /* events and members are not on this screen */
    assert_int_equal(model->focus, PANEL_ALERTS);
    press(model, '3');
    assert_int_equal(model->focus, PANEL_MOVES);
    press(model, 'z');
    assert_true(model->is_zoomed && model->layout.panels[PANEL_NODES].height == 0);
    assert_true(model->layout.panels[PANEL_MOVES].height > 15);
    assert_int_equal(press(model, 'q').kind, EFFECT_NONE);
    assert_false(model->is_zoomed);
    press(model, '6'); /* a panel without room fills the screen */
    assert_true(model->is_zoomed && model->focus == PANEL_MEMBERS);
    press(model, 'z');
    press(model, 'e');
    assert_true(model->layout.panels[PANEL_EVENTS].height > 0);
    press(model, 'e');
    assert_int_equal(model->layout.panels[PANEL_EVENTS].height, 0);
    assert_int_equal(press(model, 'q').kind, EFFECT_QUIT);
    assert_int_equal(press(model, KEY_CTRL('c')).kind, EFFECT_QUIT_NOW);
    assert_int_equal(press(model, KEY_CTRL('z')).kind, EFFECT_SUSPEND);
    assert_int_equal(press(model, KEY_CTRL('l')).kind, EFFECT_REPAINT);
    model_free(model);
}

static void test_sort(void **state)
{
    (void)state;
    struct model *model = load("ok", 80, 24);
    struct panel_state *p = &model->panels[PANEL_NODES];
    press(model, '2');
    press(model, 'j');
    assert_string_equal(p->selected, "cp-2");
    press(model, '>');
    press(model, 'l');
    assert_int_equal(p->sort, 2); /* RENEWED: 0.9, 1.7, 2.4 s */
    assert_string_equal(model->shown.nodes[p->rows[0]].name, "cp-2");
    assert_int_equal(p->at, 0); /* the cursor went with its row */
    press(model, 'S');
    assert_string_equal(model->shown.nodes[p->rows[0]].name, "cp-3");
    assert_int_equal(p->at, 2);
    press(model, 'I');
    press(model, '<');
    press(model, 'h');
    press(model, KEY_ARROW_LEFT);
    assert_int_equal(p->sort, 5); /* around the end */
    press(model, KEY_ARROW_RIGHT);
    assert_int_equal(p->sort, 0);
    press(model, 's');
    assert_int_equal(model->overlay, OVERLAY_SORT);
    type(model, "jj");
    press(model, KEY_RETURN);
    assert_true(model->overlay == OVERLAY_NONE && p->sort == 2);
    press(model, 's');
    press(model, KEY_ESCAPE);
    assert_true(model->overlay == OVERLAY_NONE && p->sort == 2);
    model_free(model);
}

static void test_filter(void **state)
{
    (void)state;
    static const struct {
        const char *text;
        unsigned n;
    } filters[] = {{"cp-1", 1},   {"!cp-1", 2},      {"role:next", 2}, {"role:next !cp-3", 1},
                   {"nobody", 0}, {"iface:bond", 1}, {"bond", 1},      {"agent:0.1.0", 3}};
    struct model *model = load("ok", 80, 24);
    press(model, '2');
    for (unsigned i = 0; i < sizeof(filters) / sizeof(filters[0]); i++) {
        press(model, 'f');
        press(model, KEY_CTRL('u'));
        type(model, filters[i].text);
        assert_int_equal(model->panels[PANEL_NODES].n, filters[i].n);
        press(model, KEY_RETURN);
        assert_int_equal(model->panels[PANEL_NODES].n, filters[i].n);
        assert_int_equal(model->input, INPUT_NONE);
    }
    press(model, KEY_ESCAPE);
    assert_int_equal(model->panels[PANEL_NODES].n, 3);
    press(model, '1');
    press(model, 'f');
    type(model, "fd00:10::50x");
    press(model, KEY_ERASE);
    assert_int_equal(model->panels[PANEL_VIPS].n, 1);
    press(model, KEY_ESCAPE);
    assert_int_equal(model->panels[PANEL_VIPS].n, 2);
    model_free(model);
}

static void test_search(void **state)
{
    (void)state;
    struct model *model = load("big", 80, 24);
    struct panel_state *p = &model->panels[PANEL_VIPS];
    press(model, '/');
    type(model, "holder=node-07");
    press(model, KEY_RETURN);
    assert_int_equal(p->found, 4); /* 200 VIPs on 50 nodes */
    assert_int_equal(p->found_at, 1);
    assert_int_equal(p->at, 6);
    press(model, 'n');
    assert_true(p->found_at == 2 && p->at == 56);
    press(model, 'N');
    press(model, 'N');
    assert_true(p->found_at == 4 && p->at == 156);
    press(model, KEY_ESCAPE);
    assert_int_equal(p->found, 0);
    press(model, '/');
    type(model, "no such thing");
    press(model, KEY_RETURN);
    assert_non_null(strstr(model->message, "nothing here matches"));
    model_free(model);
}

static void test_pause(void **state)
{
    (void)state;
    struct model *model = load("ok", 80, 24);
    press(model, 'p');
    feed(model, "dup", 2000000);
    assert_int_equal(model->shown.vips[0].state, SNAPSHOT_VIP_HELD);
    assert_true(model->n_events > 0); /* collected all the same */
    press(model, 'Z');
    assert_int_equal(model->shown.vips[0].state, SNAPSHOT_VIP_DUP);
    model_free(model);
}

static void test_toggles_and_interval(void **state)
{
    (void)state;
    struct model *model = load("ok", 80, 24);
    assert_int_equal(press(model, '+').kind, EFFECT_INTERVAL);
    assert_int_equal(model->interval_us, 2000000);
    press(model, '-');
    press(model, '-');
    press(model, '-');
    assert_int_equal(model->interval_us, 500000);
    assert_int_equal(press(model, 'm').kind, EFFECT_MOUSE);
    assert_true(model->has_mouse);
    press(model, 'C');
    assert_false(model->has_color);
    press(model, 'A');
    assert_true(model->is_ascii);
    assert_int_equal(press(model, 'w').kind, EFFECT_WRITE_SNAPSHOT);
    struct effect copy = press(model, 'c');
    assert_int_equal(copy.kind, EFFECT_COPY);
    assert_memory_equal(copy.text, "vip=10.0.0.50 state=held holder=cp-1 ", 37);
    press(model, '?');
    assert_int_equal(model->overlay, OVERLAY_HELP);
    press(model, 'j');
    assert_int_equal(model->overlay_top, 1);
    press(model, KEY_HELP_F1);
    assert_int_equal(model->overlay, OVERLAY_NONE);
    press(model, KEY_RETURN);
    assert_int_equal(model->overlay, OVERLAY_DETAILS);
    press(model, 'q');
    assert_int_equal(model->overlay, OVERLAY_NONE);
    model_free(model);
}

/* Whatever is pressed: only the dialog's Yes, or its typed address, asks for a move. */
static void test_resign(void **state)
{
    (void)state;
    struct model *model = load("ok", 80, 24);
    press(model, 'r');
    assert_int_equal(model->overlay, OVERLAY_RESIGN);
    assert_int_equal(press(model, KEY_RETURN).kind, EFFECT_NONE); /* the default is No */
    assert_int_equal(model->overlay, OVERLAY_NONE);
    press(model, 'r');
    press(model, KEY_TABULATOR);
    press(model, KEY_TABULATOR); /* No, Yes, To */
    press(model, KEY_ARROW_DOWN);
    press(model, KEY_TABULATOR);
    type(model, "kernel update");
    press(model, KEY_TABULATOR);
    press(model, KEY_TABULATOR);
    struct effect effect = press(model, KEY_RETURN);
    assert_int_equal(effect.kind, EFFECT_RESIGN);
    assert_true(ip_equal(&effect.vip, &model->shown.vips[0].ip));
    assert_string_equal(effect.to, "cp-3");
    assert_string_equal(effect.text, "kernel update");
    model_free(model);

    model = load("dup", 80, 24); /* etcd is degraded */
    press(model, 'r');
    assert_true(model->dialog.needs_typing);
    assert_int_equal(press(model, KEY_RETURN).kind, EFFECT_NONE);
    type(model, "10.0.0.50");
    effect = press(model, KEY_RETURN);
    assert_int_equal(effect.kind, EFFECT_RESIGN);
    assert_string_equal(effect.to, "");
    model->is_read_only = true;
    press(model, 'r');
    assert_int_equal(model->overlay, OVERLAY_NONE);
    model_free(model);

    model = load("stale", 80, 24);
    press(model, 'r');
    assert_int_equal(model->overlay, OVERLAY_NONE);
    model_free(model);
}

/* One change is told by every snapshot after it, and is one; a jump of the replay forgets it. */
static void test_leader_changes(void **state)
{
    (void)state;
    struct model *model = load("wide", 160, 50);
    assert_int_equal(model->n_leaders, 1);
    uint64_t first = model->leaders_us[0];
    assert_int_equal(first, model->shown.wall_us - 219000000);
    for (unsigned i = 1; i < 60; i++) {
        struct snapshot s = read_sample("wide");
        s.wall_us += i * UINT64_C(1000000) - i % 3 * UINT64_C(1000);
        s.etcd.leader_since_us += i * INT64_C(1000000);
        if (i >= 50) {
            s.etcd.leader_since_us = (i - 50) * INT64_C(1000000);
            s.etcd.leader_changes++;
            strcpy(s.etcd.leader_before, "cp-2");
            strcpy(s.etcd.leader, "cp-3");
        }
        model_snapshot(model, i * UINT64_C(1000000), &s);
    }
    assert_int_equal(model->n_leaders, 2);
    assert_in_range(model->leaders_us[1] - first, 268900000, 269100000);
    assert_int_equal(model_event_count(model), 1);
    assert_string_equal(model_event(model, 0)->text, "etcd leader cp-2 -> cp-3, term 14");
    model_forget(model);
    assert_int_equal(model->n_leaders, 0);
    model_free(model);
}

static void to_field(struct model *model, enum dialog_field field)
{
    while (model->dialog.field != field)
        press(model, KEY_TABULATOR);
}

/* The queue lives while the dialog is open: who was chosen by name stays chosen, or is refused. */
static void test_resign_goes_to_the_chosen_one(void **state)
{
    (void)state;
    struct model *model = load("ok", 80, 24);
    struct snapshot_vip *vip = &model->shown.vips[0];
    press(model, 'r');
    to_field(model, DIALOG_TO);
    press(model, 'j');
    assert_string_equal(model_dialog_to(model), "cp-3");
    strcpy(vip->queue[0], "cp-3");
    strcpy(vip->queue[1], "cp-2");
    to_field(model, DIALOG_YES);
    struct effect effect = press(model, KEY_RETURN);
    assert_int_equal(effect.kind, EFFECT_RESIGN);
    assert_string_equal(effect.to, "cp-3");

    press(model, 'r');
    to_field(model, DIALOG_TO);
    press(model, 'j');
    assert_string_equal(model_dialog_to(model), "cp-2");
    vip->n_queue = 1;
    to_field(model, DIALOG_YES);
    assert_int_equal(press(model, KEY_RETURN).kind, EFFECT_NONE);
    assert_string_equal(model->message, "cp-2 is not in the queue any more");
    assert_true(model->overlay == OVERLAY_RESIGN && model->dialog.field == DIALOG_TO);
    press(model, 'j'); /* whoever is next */
    to_field(model, DIALOG_YES);
    effect = press(model, KEY_RETURN);
    assert_int_equal(effect.kind, EFFECT_RESIGN);
    assert_string_equal(effect.to, "");
    model_free(model);
}

/* What is said after a silence is what is known: there and back is a move, too. */
static void test_back_after_silence(void **state)
{
    (void)state;
    struct model *model = load("ok", 80, 24);
    for (unsigned i = 0; i < 2; i++) {
        struct snapshot s = read_sample("ok");
        model->shown.age_us = 9000000;
        s.wall_us += 9000000;
        s.vips[0].epoch += i;
        model_snapshot(model, 10000000, &s);
        assert_string_equal(model->message, i == 0 ? "back after 9s: nothing moved"
                                                   : "back after 9s: 10.0.0.50 moved and is back "
                                                     "on cp-1");
    }
    model_free(model);
}

/* The clock of who wrote the newest record is ahead: no age, and no "-" for one. */
static void test_last_move_of_a_clock_ahead(void **state)
{
    (void)state;
    struct model *model = load("wide", 160, 50);
    struct canvas canvas = {0};
    struct buf out;
    model->shown.history[0].wall_us = model->shown.wall_us + UINT64_C(5400000000);
    buf_init(&out, 0);
    assert_int_equal(view_draw(model, &canvas), 0);
    assert_int_equal(canvas_write(&canvas, &out), 0);
    assert_non_null(strstr(buf_str(&out), "Last move today 15:32:33  "));
    buf_done(&out);
    canvas_done(&canvas);
    model_free(model);
}

/* Nobody says yes to what cannot be seen. */
static void test_resign_in_a_small_window(void **state)
{
    (void)state;
    struct model *model = load("ok", 80, 4);
    press(model, 'r');
    assert_int_equal(model->overlay, OVERLAY_NONE);
    assert_string_equal(model->message, "the window is too small: it takes 28x5");
    model_resize(model, 28, 5);
    press(model, 'r');
    to_field(model, DIALOG_YES);
    model_resize(model, 27, 5);
    assert_int_equal(press(model, KEY_RETURN).kind, EFFECT_NONE);
    model_resize(model, 28, 5);
    assert_int_equal(press(model, KEY_RETURN).kind, EFFECT_RESIGN);
    model_free(model);
}

/* All of the help can be read, however small the window is. */
static void test_help_in_a_small_window(void **state)
{
    (void)state;
    static const char *const words[] = {"ends", "whole", "OSC", "quit", "speed", "leases"};
    struct model *model = load("ok", 20, 5);
    struct canvas canvas = {0};
    bool is_seen[6] = {false};
    press(model, '?');
    for (unsigned i = 0; i < 300; i++) {
        struct buf out;
        buf_init(&out, 0);
        assert_int_equal(view_draw(model, &canvas), 0);
        assert_int_equal(canvas_write(&canvas, &out), 0);
        for (unsigned k = 0; k < 6; k++)
            is_seen[k] = is_seen[k] || strstr(buf_str(&out), words[k]);
        buf_done(&out);
        press(model, 'j');
    }
    for (unsigned k = 0; k < 6; k++)
        if (!is_seen[k])
            fail_msg("\"%s\" cannot be read", words[k]);
    canvas_done(&canvas);
    model_free(model);
}

/* Of the chosen one, and again when it is said Yes. */
static void test_resign_doubts_the_chosen_one(void **state)
{
    (void)state;
    struct model *model = load("ok", 80, 24);
    struct snapshot_node *three = (struct snapshot_node *)snapshot_find_node(&model->shown, "cp-3");
    three->role = SNAPSHOT_ROLE_LOST;
    press(model, 'r');
    assert_false(model->dialog.needs_typing);
    to_field(model, DIALOG_TO);
    press(model, 'j');
    assert_string_equal(model->dialog.why, "cp-3 is lost");
    assert_true(model->dialog.needs_typing);
    press(model, 'k');
    assert_false(model->dialog.needs_typing);
    to_field(model, DIALOG_YES);
    model->shown.etcd.state = SNAPSHOT_ETCD_DEGRADED;
    assert_int_equal(press(model, KEY_RETURN).kind, EFFECT_NONE);
    assert_string_equal(model->message, "careful: etcd is degraded");
    assert_int_equal(model->dialog.field, DIALOG_TYPED);
    model->shown.etcd.state = SNAPSHOT_ETCD_OK;
    press(model, KEY_ESCAPE);
    /* A record of a clock that is ahead is as young as can be. */
    model->shown.history[0].wall_us = model->shown.wall_us + UINT64_C(5400000000);
    model->shown.history[0].vip = model->shown.vips[0].ip;
    press(model, 'r');
    assert_string_equal(model->dialog.why, "it moved less than a minute ago");
    press(model, KEY_ESCAPE);
    model->shown.history[0].wall_us = 0;
    press(model, 'r');
    to_field(model, DIALOG_YES);
    model->shown.vips[0].holder[0] = '\0';
    assert_int_equal(press(model, KEY_RETURN).kind, EFFECT_NONE);
    assert_int_equal(model->overlay, OVERLAY_NONE);
    model_free(model);
}

static void test_replay_keys(void **state)
{
    (void)state;
    struct model *model = load("ok", 80, 24);
    model->replay.is_on = true;
    assert_int_equal(press(model, 't').steps, 1);
    assert_int_equal(press(model, 'T').steps, -1);
    assert_int_equal(press(model, 'r').kind, EFFECT_REPLAY_START);
    assert_int_equal(press(model, ']').kind, EFFECT_REPLAY_SPEED);
    assert_int_equal(model->replay.speed, 2000);
    press(model, '[');
    press(model, '[');
    assert_int_equal(model->replay.speed, 500);
    press(model, 'p');
    assert_true(model->replay.is_paused && model->paused_us == 0);
    press(model, 'b');
    type(model, "09:12");
    struct effect effect = press(model, KEY_RETURN);
    assert_int_equal(effect.kind, EFFECT_REPLAY_TO);
    assert_string_equal(effect.text, "09:12");
    model_free(model);
}

static void test_selection_follows_its_key(void **state)
{
    (void)state;
    struct model *model = load("ok", 160, 50);
    press(model, 'j');
    assert_string_equal(model->panels[PANEL_VIPS].selected, "fd00:10::50");
    press(model, 'S');
    assert_int_equal(model->panels[PANEL_VIPS].at, 0);
    model_resize(model, 60, 8);
    feed(model, "dup", 2000000);
    assert_string_equal(model->panels[PANEL_VIPS].selected, "fd00:10::50");
    char ip[IP_TEXT_MAX];
    ip_format(&model_current_vip(model)->ip, ip);
    assert_string_equal(ip, "fd00:10::50");
    model_click(model, 3, 10); /* under the names of the columns and one row */
    ip_format(&model_current_vip(model)->ip, ip);
    assert_string_equal(ip, "10.0.0.50");
    model_free(model);
}

/* All keys in many orders, on every kind of data: nothing breaks, and no effect is a resign. */
static void test_any_keys(void **state)
{
    (void)state;
    static const char *const data[] = {"ok", "dup", "stale", "talos", "big", "connecting"};
    uint32_t seed = 1;
    for (unsigned d = 0; d < 6; d++) {
        struct model *model = load(data[d], 80, 24);
        struct canvas canvas = {0};
        for (unsigned i = 0; i < 3000; i++) {
            seed = seed * 1664525 + 1013904223;
            int key = (int)(seed >> 8) % 150;
            key = key > 127 ? KEY_FIRST_SPECIAL + key - 127 : key;
            if (key == KEY_RETURN && model->overlay == OVERLAY_RESIGN)
                continue;
            struct effect effect = press(model, key);
            assert_int_not_equal(effect.kind, EFFECT_RESIGN);
            if (i % 16 == 0) {
                model_resize(model, 1 + (seed >> 10) % 170, 1 + (seed >> 20) % 60);
                assert_int_equal(view_draw(model, &canvas), 0);
            }
        }
        canvas_done(&canvas);
        model_free(model);
    }
}

/* Nothing overflows, whatever the size: the sanitizers look on, and each line keeps its width. */
static void check_size(struct model *model, struct canvas *canvas, unsigned width, unsigned height)
{
    model_resize(model, width, height);
    assert_int_equal(view_draw(model, canvas), 0);
    assert_true(canvas->width == width && canvas->height == height);
    for (unsigned row = 0; row < height; row++) {
        const struct cell *cells = canvas_row(canvas, row);
        for (unsigned col = 0; col < width; col++) {
            assert_true(cells[col].cells <= 2);
            assert_true(cells[col].cells != 2 || (col + 1 < width && !cells[col + 1].cells));
        }
    }
    for (unsigned i = 0; i < PANEL_COUNT; i++) {
        const struct rect *r = &model->layout.panels[i];
        assert_true(r->row + r->height <= height && (r->height == 0 || r->col + r->width <= width));
    }
}

static void test_every_size(void **state)
{
    (void)state;
    static const char *const data[] = {"wide", "dup", "big"};
    for (unsigned d = 0; d < 3; d++) {
        struct model *model = load(data[d], 80, 24);
        struct canvas canvas = {0};
        for (unsigned overlay = 0; overlay <= OVERLAY_RESIGN; overlay++) {
            unsigned step = overlay == 0 && d < 2 ? 1 : 7;
            model->dialog.vip = model->shown.vips[0].ip;
            model->overlay = (enum overlay)overlay;
            for (unsigned width = 1; width <= 200; width += step)
                for (unsigned height = 1; height <= 60; height += step)
                    check_size(model, &canvas, width, height);
        }
        canvas_done(&canvas);
        model_free(model);
    }
}

/* From `big`: its first nodes and VIPs. */
static struct model *load_part(unsigned nodes, unsigned vips)
{
    struct snapshot s = read_sample("big");
    struct model *model = model_new(80, 24);
    assert_non_null(model);
    assert_true(s.n_nodes >= nodes && s.n_vips >= vips);
    for (unsigned i = nodes; i < s.n_nodes; i++)
        free(s.nodes[i].views);
    s.n_nodes = nodes;
    s.n_vips = vips;
    model_snapshot(model, 1000000, &s);
    return model;
}

/* The selected row of a panel is on the screen, under the cursor. */
static void check_cursor(struct model *model, struct canvas *canvas, const char *name)
{
    char want[80];
    struct buf out;
    buf_init(&out, 0);
    assert_int_equal(view_draw(model, canvas), 0);
    assert_int_equal(canvas_write(canvas, &out), 0);
    bool is_narrow = model->width < 60; /* names are cut off there */
    size_t len = (size_t)snprintf(want, sizeof(want), "\n> %.*s", is_narrow ? 5 : 64, name);
    const char *found = strstr(buf_str(&out), want);
    if (!found)
        print_error("no \"%s\" at %ux%u\n%s\n", want, model->width, model->height, buf_str(&out));
    assert_non_null(found);
    assert_true(is_narrow || found[len] == ' ' || found[len] == '/');
    buf_done(&out);
}

/* However much there is: what is selected can be seen, on the way down and up again. */
static void test_every_count(void **state)
{
    (void)state;
    static const unsigned nodes[] = {1, 3, 17, 50}, vips[] = {1, 3, 40, 200};
    static const struct {
        unsigned width, height;
    } sizes[] = {{80, 24}, {80, 20}, {100, 30}, {150, 40}, {200, 60}, {60, 8}, {40, 6}};
    struct canvas canvas = {0};
    for (unsigned i = 0; i < 16; i++) {
        struct model *model = load_part(nodes[i / 4], vips[i % 4]);
        model->glyph_set = GLYPHS_ASCII;
        for (unsigned s = 0; s < sizeof(sizes) / sizeof(sizes[0]); s++) {
            model_resize(model, sizes[s].width, sizes[s].height);
            static const enum panel both[] = {PANEL_VIPS, PANEL_NODES};
            for (unsigned p = 0; p < 2; p++) {
                struct panel_state *panel = &model->panels[both[p]];
                press(model, both[p] == PANEL_VIPS ? '1' : '2');
                press(model, 'g');
                for (unsigned k = 0; k < 2 * panel->n; k++) {
                    if (k % (1 + panel->n / 9) == 0)
                        check_cursor(model, &canvas, panel->selected);
                    press(model, k < panel->n ? 'j' : 'k');
                }
                assert_int_equal(panel->at, 0);
                press(model, 'q'); /* one that had no room filled the screen */
                model->is_zoomed = false;
            }
        }
        model_free(model);
    }
    canvas_done(&canvas);
}

/* The help names each key. */
static void test_help_is_complete(void **state)
{
    (void)state;
    static const char *const keys[] = {
        "Up",     "Down",   "k",    "j",      "PgUp",   "PgDn",      "Ctrl-B", "Ctrl-F",
        "Ctrl-D", "Ctrl-U", "Home", "End",    "g",      "G",         "h",      "l",
        "<",      ">",      "Left", "Right",  "Tab",    "Shift-Tab", "1..6",   "Enter",
        "Esc",    "z",      "/",    "n",      "N",      "f",         "s",      "S",
        "I",      "r",      "p",    "Z",      "t",      "T",         "b",      "[",
        "]",      "+",      "-",    "c",      "m",      "C",         "A",      "e",
        "w",      "?",      "F1",   "Ctrl-L", "Ctrl-Z", "Ctrl-C",    "q"};
    char all[4096] = " ";
    for (unsigned i = 0; top_keys[i]; i++) {
        assert_true(strlen(top_keys[i]) <= 66);
        strncat(all, top_keys[i], sizeof(all) - strlen(all) - 1);
        strncat(all, " ", sizeof(all) - strlen(all) - 1);
    }
    for (char *c = all; *c; c++)
        *c = *c == ',' || *c == ';' || *c == ':' ? ' ' : *c;
    for (unsigned i = 0; i < sizeof(keys) / sizeof(keys[0]); i++) {
        char word[32];
        snprintf(word, sizeof(word), " %s ", keys[i]);
        if (!strstr(all, word))
            print_error("the help does not name %s\n", keys[i]);
        assert_non_null(strstr(all, word));
    }
}

static void test_words(void **state)
{
    (void)state;
    static const struct {
        int64_t us;
        const char *age, *renewed, *latency;
    } times[] = {{-1, "-", "-", "-"},
                 {400, "0s", "0.0s", "0.4ms"},
                 {4200, "0s", "0.0s", "4ms"},
                 {1700000, "1s", "1.7s", "1.7s"},
                 {16000000, "16s", "16s", "16.0s"},
                 {741000000, "12m", "12m", "741.0s"},
                 {17393000000, "4h49m", "4h49m", "17393.0s"},
                 {INT64_C(266400) * 1000000, "3d2h", "3d2h", "266400.0s"}};
    char word[WORD_MAX];
    for (unsigned i = 0; i < sizeof(times) / sizeof(times[0]); i++) {
        words_age(times[i].us, word);
        assert_string_equal(word, times[i].age);
        words_renewed(times[i].us, word);
        assert_string_equal(word, times[i].renewed);
        words_latency(times[i].us, word);
        assert_string_equal(word, times[i].latency);
    }
    struct ip ip;
    assert_int_equal(ip_parse("fd00:10:20:30:40:50:60:50", &ip), 0);
    words_ip(&ip, 14, "…", word);
    assert_string_equal(word, "fd00:10:…:50");
    assert_int_equal(ip_parse("::ffff:192.168.100.100", &ip), 0);
    for (unsigned width = 0; width < 30; width++) {
        words_ip(&ip, width, "…", word);
        assert_true(width < 18 ? strcmp(word, "::ffff:192.168.100.100") == 0 : strlen(word) < 24);
    }
    words_bytes(44040192, word);
    assert_string_equal(word, "42M");
    words_bytes(INT64_C(2147483648), word);
    assert_string_equal(word, "2.0G");
    words_number(9120447, word);
    assert_string_equal(word, "9 120 447");
}

static int all_narrow(wchar_t c)
{
    (void)c;
    return 1;
}

static int wide_symbols(wchar_t c)
{
    return c == L'●' || c == L'■' || c == L'▲' ? 2 : 1; /* as in some CJK locales */
}

static void test_glyph_choice(void **state)
{
    (void)state;
    assert_int_equal(glyphs_choose("UTF-8", "xterm", all_narrow), GLYPHS_UTF8);
    assert_int_equal(glyphs_choose("UTF-8", "linux", all_narrow), GLYPHS_CONSOLE);
    assert_int_equal(glyphs_choose("UTF-8", "xterm", wide_symbols), GLYPHS_ASCII);
    assert_int_equal(glyphs_choose("ANSI_X3.4-1968", "xterm", all_narrow), GLYPHS_ASCII);
    assert_int_equal(glyphs_choose("ISO-8859-1", NULL, all_narrow), GLYPHS_ASCII);
    for (int set = 0; set < 3; set++)
        for (unsigned part = 0; part <= 1000; part++) {
            char bar[VIEW_BAR_MAX];
            glyphs_bar(glyphs_get((enum glyph_set)set), part, 10, bar);
            assert_int_equal(text_width(bar), 10);
        }
}

static void test_state_file(void **state)
{
    (void)state;
    char path[] = "/tmp/talosvip-test-XXXXXX", deep[64];
    assert_non_null(mkdtemp(path));
    snprintf(deep, sizeof(deep), "%s/a/b/top", path);
    struct model *model = load("ok", 80, 24);
    type(model, "2>>Sfnode:cp-1\rze");
    state_save(model, deep);
    model_free(model);
    model = load("ok", 80, 24);
    state_load(model, deep);
    const struct panel_state *p = &model->panels[PANEL_NODES];
    assert_true(model->focus == PANEL_NODES && model->is_zoomed && model->has_events);
    assert_true(p->sort == 2 && p->is_reversed && p->n == 1);
    FILE *file = fopen(deep, "we");
    fputs("focus nowhere\nsort\nsort nodes\nsort nodes what\nfilter x y\n\xff\xfe zz\n\n \n", file);
    fclose(file);
    state_load(model, deep); /* strange, and without effect */
    assert_true(model->focus == PANEL_NODES && p->sort == 2);
    model_free(model);
    assert_int_equal(unlink(deep), 0);
    for (unsigned i = 0; i < 3; i++) {
        *strrchr(deep, '/') = '\0';
        assert_int_equal(rmdir(deep), 0);
    }
}

static void write_lines(const char *path, const char *const lines[], unsigned n)
{
    FILE *file = fopen(path, "we");
    assert_non_null(file);
    for (unsigned i = 0; i < n; i++)
        fputs(lines[i], file);
    fclose(file);
}

#define SAMPLE                                                                                     \
    "{\"apiVersion\":\"talosvip/v1\",\"kind\":\"Snapshot\",\"time\":"                              \
    "\"2026-08-21T14:0%d:00.000Z\",\"cluster\":\"x\",\"ageMs\":0,"                                 \
    "\"etcd\":{\"state\":\"ok\",\"members\":[]},\"vips\":[],\"nodes\":[],"                         \
    "\"alerts\":[],\"history\":[]}\n"

static void test_recording(void **state)
{
    (void)state;
    char path[] = "/tmp/talosvip-test-XXXXXX", a[512], b[512];
    struct recording *recording;
    struct snapshot s;
    uint64_t time;
    close(mkstemp(path));
    assert_int_equal(recording_open(path, &recording), -ENODATA);
    assert_int_equal(recording_open("/nonexistent/x", &recording), -ENOENT);
    assert_int_equal(recording_open("/tmp", &recording), -EISDIR);
    snprintf(a, sizeof(a), SAMPLE, 1);
    snprintf(b, sizeof(b), SAMPLE, 3);
    write_lines(path, (const char *const[]){a, "not json\n", "\n", b, "{\"cut off"}, 5);
    assert_int_equal(recording_open(path, &recording), 0);
    assert_int_equal(recording_count(recording), 3);
    assert_int_equal(recording_read(recording, 0, &s), 0);
    snapshot_done(&s);
    assert_int_equal(recording_read(recording, 1, &s), -EBADMSG);
    assert_int_equal(recording_parse_time("2026-08-21 14:02", 0, &time), 0);
    assert_int_equal(recording_find(recording, time), 1);
    assert_int_equal(recording_parse_time("14:03:30", time, &time), 0);
    assert_int_equal(recording_find(recording, time), 2);
    assert_int_equal(recording_find(recording, 0), 0);
    assert_int_equal(recording_parse_time("soon", 0, &time), -EINVAL);
    recording_close(recording);
    unlink(path);
}

/* Reads every line once. */
static clock_t time_of_all(const struct recording *recording)
{
    struct snapshot s;
    clock_t start = clock();
    for (size_t i = 0; i < recording_count(recording); i++)
        if (recording_read(recording, i, &s) == 0)
            snapshot_done(&s);
    return clock() - start;
}

/* A moment among lines that are no samples is found without reading them again and again. */
static void test_recording_of_garbage(void **state)
{
    (void)state;
    char path[] = "/tmp/talosvip-test-XXXXXX", line[512];
    struct recording *recording;
    uint64_t time;
    close(mkstemp(path));
    FILE *file = fopen(path, "we");
    assert_non_null(file);
    for (unsigned i = 0; i < 40000; i++) {
        snprintf(line, sizeof(line), SAMPLE, 1 + (int)(i / 20000));
        fputs(i == 10000 || i == 30000 ? line : "no sample\n", file);
    }
    fclose(file);
    assert_int_equal(recording_open(path, &recording), 0);
    assert_int_equal(recording_parse_time("2026-08-21 14:01:30", 0, &time), 0);
    clock_t all = time_of_all(recording), start = clock();
    assert_int_equal(recording_find(recording, time), 29999);
    assert_int_equal(recording_find(recording, time - 60000000), 9999);
    assert_true(clock() - start < 4 * all);
    assert_int_equal(recording_find(recording, time + 60000000), 39999);
    recording_close(recording);
    unlink(path);
}

static void test_redacted(void **state)
{
    (void)state;
    static const char *const secrets[] = {"cp-1",          "cp-2",   "cp-3",     "10.0.0.",
                                          "fd00",          "52:54",  "prod",     "alice",
                                          "kernel update", "secret", "4e9b1c7d", "8e9e05c5"};
    const struct top_options options = {.is_redacted = true};
    struct snapshot s = read_sample("dup");
    struct buf out;
    buf_init(&out, 0);
    /* Every text that somebody else may have written. */
    snprintf(s.vips[0].released_detail, sizeof(s.vips[0].released_detail), "secret of alice");
    snprintf(s.vips[0].paused_by, sizeof(s.vips[0].paused_by), "secret");
    snprintf(s.vips[0].paused_reason, sizeof(s.vips[0].paused_reason), "secret");
    snprintf(s.vips[0].macs[0], sizeof(s.vips[0].macs[0]), "secret");
    snprintf(s.etcd.error, sizeof(s.etcd.error), "secret");
    snprintf(s.etcd.members[0].error, sizeof(s.etcd.members[0].error), "not valid for secret");
    snprintf(s.nodes[0].name, sizeof(s.nodes[0].name), "(secret)");
    snprintf(s.nodes[0].mac, sizeof(s.nodes[0].mac), "secret");
    snprintf(s.alerts[0].text, sizeof(s.alerts[0].text), "secret");
    snprintf(s.history[0].note, sizeof(s.history[0].note), "secret");
    snprintf(s.history[0].detail, sizeof(s.history[0].detail), "secret");
    assert_int_equal(top_prepare(&options, &s), 0);
    assert_string_equal(s.etcd.members[0].error, "(error)");
    assert_int_equal(snapshot_write(&s, &out), 0);
    for (unsigned i = 0; i < sizeof(secrets) / sizeof(secrets[0]); i++)
        if (strstr(buf_str(&out), secrets[i]))
            fail_msg("%s is still in %s", secrets[i], buf_str(&out));
    buf_done(&out);
    snapshot_done(&s);
}

static void test_only_some(void **state)
{
    (void)state;
    struct ip ip;
    const char *const nodes[] = {"cp-2", "cp-3"};
    assert_int_equal(ip_parse("10.0.0.50", &ip), 0);
    const struct top_options options = {.vips = &ip, .n_vips = 1, .nodes = nodes, .n_nodes = 2};
    struct snapshot s = read_sample("ok");
    assert_int_equal(top_prepare(&options, &s), 0);
    assert_true(s.n_vips == 1 && s.n_nodes == 2 && s.n_history == 3);
    snapshot_done(&s);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_moving),
        cmocka_unit_test(test_panels_and_zoom),
        cmocka_unit_test(test_sort),
        cmocka_unit_test(test_filter),
        cmocka_unit_test(test_search),
        cmocka_unit_test(test_pause),
        cmocka_unit_test(test_toggles_and_interval),
        cmocka_unit_test(test_resign),
        cmocka_unit_test(test_leader_changes),
        cmocka_unit_test(test_resign_goes_to_the_chosen_one),
        cmocka_unit_test(test_back_after_silence),
        cmocka_unit_test(test_last_move_of_a_clock_ahead),
        cmocka_unit_test(test_resign_in_a_small_window),
        cmocka_unit_test(test_help_in_a_small_window),
        cmocka_unit_test(test_resign_doubts_the_chosen_one),
        cmocka_unit_test(test_replay_keys),
        cmocka_unit_test(test_selection_follows_its_key),
        cmocka_unit_test(test_any_keys),
        cmocka_unit_test(test_every_size),
        cmocka_unit_test(test_every_count),
        cmocka_unit_test(test_help_is_complete),
        cmocka_unit_test(test_words),
        cmocka_unit_test(test_glyph_choice),
        cmocka_unit_test(test_state_file),
        cmocka_unit_test(test_recording),
        cmocka_unit_test(test_recording_of_garbage),
        cmocka_unit_test(test_redacted),
        cmocka_unit_test(test_only_some),
    };
    return cmocka_run_group_tests_name("ui_model", tests, NULL, NULL);
}
