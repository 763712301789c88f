/* SPDX-License-Identifier: MIT */
/* What every key does. Only one of them, `r`, can end in a change of the cluster. */
#include <stdio.h>
#include <string.h>

#include "base/text.h"
#include "keys.h"
#include "model.h"

static const uint64_t intervals_us[] = {500000, 1000000, 2000000, 5000000, 10000000};
static const unsigned speeds[] = {250, 500, 1000, 2000, 5000, 10000, 30000, 60000};
#define COUNT(list_) (sizeof(list_) / sizeof((list_)[0]))

bool model_edit(char *text, size_t size, int key)
{
    size_t len = strlen(text);
    if (key == KEY_ERASE || key == KEY_CTRL('h')) {
        while (len > 0 && ((unsigned char)text[--len] & 0xc0) == 0x80)
            ;
        text[len] = '\0';
        return true;
    }
    if (key == KEY_CTRL('u')) {
        *text = '\0';
        return true;
    }
    if (key < ' ' || key >= KEY_FIRST_SPECIAL || key == KEY_ERASE)
        return false;
    char utf8[4];
    size_t n = text_encode((uint32_t)key, utf8);
    if (len + n < size) {
        memcpy(text + len, utf8, n);
        text[len + n] = '\0';
    }
    return true;
}

/* The next row that matches, around the end. */
static void search_next(struct model *model, int by)
{
    struct panel_state *p = &model->panels[model->focus];
    struct buf text;
    buf_init(&text, 0);
    for (unsigned i = 1; i <= p->n && p->search[0]; i++) {
        int at = ((int)p->at + by * (int)i + (int)p->n * 2) % (int)p->n;
        buf_clear(&text);
        rows_text(model, model->focus, p->rows[at], &text);
        if (!strcasestr(buf_str(&text), p->search))
            continue;
        model_move(model, model->focus, at - (int)p->at);
        break;
    }
    buf_done(&text);
    model_refresh(model);
    if (p->search[0] && p->found == 0)
        model_say(model, "nothing here matches \"%s\"", p->search);
}

static void input_end(struct model *model, struct effect *effect)
{
    struct panel_state *p = &model->panels[model->focus];
    enum input input = model->input;
    model->input = INPUT_NONE;
    if (input == INPUT_SEARCH) {
        memcpy(p->search, model->typed, sizeof(p->search));
        model_refresh(model);
        if (p->found_at == 0)
            search_next(model, 1);
    } else if (input == INPUT_FILTER) {
        memcpy(p->filter, model->typed, sizeof(p->filter));
        model_refresh(model);
    } else if (input == INPUT_TIME && model->typed[0]) {
        effect->kind = EFFECT_REPLAY_TO;
        snprintf(effect->text, sizeof(effect->text), "%s", model->typed);
    }
}

static void input_key(struct model *model, int key, struct effect *effect)
{
    struct panel_state *p = &model->panels[model->focus];
    if (key == KEY_RETURN || key == '\n') {
        input_end(model, effect);
    } else if (key == KEY_ESCAPE) {
        if (model->input == INPUT_FILTER)
            p->filter[0] = '\0';
        else if (model->input == INPUT_SEARCH)
            p->search[0] = '\0';
        model->input = INPUT_NONE;
        model_refresh(model);
    } else if (model_edit(model->typed, sizeof(model->typed), key) &&
               model->input == INPUT_FILTER) {
        memcpy(p->filter, model->typed, sizeof(p->filter)); /* seen while it is typed */
        model_refresh(model);
    }
}

static void input_start(struct model *model, enum input input)
{
    const struct panel_state *p = &model->panels[model->focus];
    model->input = input;
    memset(model->typed, 0, sizeof(model->typed));
    if (input == INPUT_FILTER)
        memcpy(model->typed, p->filter, sizeof(model->typed));
}

static void sort_by(struct model *model, int step)
{
    struct panel_state *p = &model->panels[model->focus];
    unsigned n = 0;
    while (rows_sorts(model->focus)[n])
        n++;
    p->sort = (p->sort + n + (unsigned)(step + (int)n)) % n;
    model_refresh(model);
}

static bool is_shown(const struct model *model, enum panel panel)
{
    return model->layout.kind == LAYOUT_COMPACT || model->is_zoomed ||
           model->layout.panels[panel].height > 0;
}

static void next_panel(struct model *model, int step)
{
    unsigned panel = model->focus;
    for (unsigned i = 0; i < PANEL_COUNT; i++) {
        panel = (panel + PANEL_COUNT + (unsigned)(step + PANEL_COUNT)) % PANEL_COUNT;
        if (is_shown(model, (enum panel)panel))
            break;
    }
    model->focus = (enum panel)panel;
    model_refresh(model);
}

/* A panel that has no room is zoomed, so that a key never does nothing. */
static void go_to_panel(struct model *model, enum panel panel)
{
    model->focus = panel;
    model_refresh(model);
    if (!is_shown(model, panel)) {
        model->is_zoomed = true;
        model_refresh(model);
    }
}

static void pause(struct model *model)
{
    if (!model->paused_us) {
        model->paused_us = model->now_us ? model->now_us : 1;
        model->paused_events = model->n_events;
        return;
    }
    model->paused_us = 0;
    if (model->has_latest) {
        snapshot_done(&model->shown);
        model->shown = model->latest;
        memset(&model->latest, 0, sizeof(model->latest));
        model->has_latest = false;
    }
    model_refresh(model);
}

static void change_interval(struct model *model, int step, struct effect *effect)
{
    int at = 0;
    while (at + 1 < (int)COUNT(intervals_us) && intervals_us[at] < model->interval_us)
        at++;
    if (at + step >= 0 && at + step < (int)COUNT(intervals_us))
        at += step;
    model->interval_us = intervals_us[at];
    effect->kind = EFFECT_INTERVAL;
}

static void change_speed(struct model *model, int step, struct effect *effect)
{
    int at = 0;
    while (at + 1 < (int)COUNT(speeds) && speeds[at] < model->replay.speed)
        at++;
    if (at + step >= 0 && at + step < (int)COUNT(speeds))
        at += step;
    model->replay.speed = speeds[at];
    effect->kind = EFFECT_REPLAY_SPEED;
}

static unsigned page(const struct model *model)
{
    unsigned height = model->layout.panels[model->focus].height;
    return height > 4 ? height - 3 : 1;
}

/* Moving in the focused panel, or in an overlay's text. */
static bool move_key(const struct model *model, int key, int *ret_by)
{
    int rows = (int)(model->overlay ? model->height / 2 : page(model));
    switch (key) {
    case KEY_ARROW_UP:
    case 'k':
        *ret_by = -1;
        return true;
    case KEY_ARROW_DOWN:
    case 'j':
        *ret_by = 1;
        return true;
    case KEY_PAGE_UP:
    case KEY_CTRL('b'):
        *ret_by = -rows;
        return true;
    case KEY_PAGE_DOWN:
    case KEY_CTRL('f'):
        *ret_by = rows;
        return true;
    case KEY_CTRL('u'):
        *ret_by = -(rows + 1) / 2;
        return true;
    case KEY_CTRL('d'):
        *ret_by = (rows + 1) / 2;
        return true;
    case KEY_TO_START:
    case 'g':
        *ret_by = -ROWS_MAX;
        return true;
    case KEY_TO_END:
    case 'G':
        *ret_by = ROWS_MAX;
        return true;
    default:
        return false;
    }
}

static void overlay_key(struct model *model, int key)
{
    int by;
    bool is_help = model->overlay == OVERLAY_HELP;
    if (key == KEY_ESCAPE || key == 'q' || (is_help && (key == '?' || key == KEY_HELP_F1))) {
        model->overlay = OVERLAY_NONE;
    } else if (model->overlay == OVERLAY_SORT) {
        unsigned n = 0;
        while (rows_sorts(model->focus)[n])
            n++;
        if (move_key(model, key, &by)) {
            int64_t at = (int64_t)model->overlay_at + by;
            model->overlay_at = at < 0 ? 0 : at >= n ? n - 1 : (unsigned)at;
        } else if (key == KEY_RETURN || key == '\n') {
            model->panels[model->focus].sort = model->overlay_at;
            model->overlay = OVERLAY_NONE;
            model_refresh(model);
        }
    } else if (move_key(model, key, &by)) { /* the view stops at the last line */
        int64_t top = (int64_t)model->overlay_top + by;
        model->overlay_top = top < 0 ? 0 : top > 500 ? 500 : (unsigned)top;
    } else if (key == KEY_RETURN || key == '\n') {
        model->overlay = OVERLAY_NONE;
    }
}

static void open_details(struct model *model)
{
    unsigned index;
    if (!model_selected(model, model->focus, &index))
        return;
    rows_key(model, model->focus, index, model->panels[model->focus].selected);
    model->overlay = OVERLAY_DETAILS;
    model->overlay_panel = model->focus;
    model->overlay_top = 0;
}

static void copy(struct model *model, struct effect *effect)
{
    struct buf text;
    unsigned index;
    if (!model_selected(model, model->focus, &index))
        return;
    buf_init(&text, 0);
    rows_text(model, model->focus, index, &text);
    effect->kind = EFFECT_COPY;
    snprintf(effect->text, sizeof(effect->text), "%s", buf_str(&text));
    buf_done(&text);
    model_say(model, "copied: %.200s", effect->text);
}

/* Out of one layer: what was found, what was filtered, what was zoomed; then out of the program. */
static void back(struct model *model, int key, struct effect *effect)
{
    struct panel_state *p = &model->panels[model->focus];
    if (p->search[0])
        p->search[0] = '\0';
    else if (key == KEY_ESCAPE && p->filter[0])
        p->filter[0] = '\0';
    else if (model->is_zoomed)
        model->is_zoomed = false;
    else if (key == 'q')
        effect->kind = EFFECT_QUIT;
    model_refresh(model);
}

static bool replay_key(struct model *model, int key, struct effect *effect)
{
    switch (key) {
    case 't':
    case 'T':
        effect->kind = EFFECT_REPLAY_STEP;
        effect->steps = key == 't' ? 1 : -1;
        return true;
    case 'r':
        effect->kind = EFFECT_REPLAY_START;
        return true;
    case 'b':
        input_start(model, INPUT_TIME);
        return true;
    case '[':
    case ']':
        change_speed(model, key == ']' ? 1 : -1, effect);
        return true;
    case 'p':
    case 'Z':
        model->replay.is_paused = !model->replay.is_paused;
        effect->kind = EFFECT_REPLAY_SPEED;
        return true;
    default:
        return false;
    }
}

static bool panel_key(struct model *model, int key)
{
    int by;
    if (move_key(model, key, &by)) {
        model_move(model, model->focus, by);
        return true;
    }
    switch (key) {
    case KEY_ARROW_LEFT:
    case 'h':
    case '<':
        sort_by(model, -1);
        return true;
    case KEY_ARROW_RIGHT:
    case 'l':
    case '>':
        sort_by(model, 1);
        return true;
    case KEY_TABULATOR:
        next_panel(model, 1);
        return true;
    case KEY_BACK_TAB:
        next_panel(model, -1);
        return true;
    case 'z':
        model->is_zoomed = !model->is_zoomed;
        model_refresh(model);
        return true;
    case 'S':
    case 'I':
        model->panels[model->focus].is_reversed = !model->panels[model->focus].is_reversed;
        model_refresh(model);
        return true;
    case 's':
        model->overlay = OVERLAY_SORT;
        model->overlay_at = model->panels[model->focus].sort;
        return true;
    default:
        if (key >= '1' && key < '1' + PANEL_COUNT)
            go_to_panel(model, (enum panel)(key - '1'));
        return key >= '1' && key < '1' + PANEL_COUNT;
    }
}

static void toggle_key(struct model *model, int key, struct effect *effect)
{
    if (key == 'C') {
        model->has_color = !model->has_color;
    } else if (key == 'A') {
        model->is_ascii = !model->is_ascii;
    } else if (key == 'e') {
        model->has_events = !model->has_events;
        if (!model->has_events && model->focus == PANEL_EVENTS)
            model->focus = PANEL_VIPS;
        model_refresh(model);
    } else if (key == 'm') {
        model->has_mouse = !model->has_mouse;
        effect->kind = EFFECT_MOUSE;
        model_say(model, "mouse %s", model->has_mouse ? "on" : "off");
    }
}

static void base_key(struct model *model, int key, struct effect *effect)
{
    if ((model->replay.is_on && replay_key(model, key, effect)) || panel_key(model, key))
        return;
    switch (key) {
    case KEY_RETURN:
    case '\n':
        open_details(model);
        return;
    case '/':
        input_start(model, INPUT_SEARCH);
        return;
    case 'n':
    case 'N':
        search_next(model, key == 'n' ? 1 : -1);
        return;
    case 'f':
        input_start(model, INPUT_FILTER);
        return;
    case 'r':
        model_open_resign(model);
        return;
    case 'p':
    case 'Z':
        pause(model);
        return;
    case '+':
    case '-':
        change_interval(model, key == '+' ? 1 : -1, effect);
        return;
    case 'c':
        copy(model, effect);
        return;
    case 'w':
        effect->kind = EFFECT_WRITE_SNAPSHOT;
        return;
    case '?':
    case KEY_HELP_F1:
        model->overlay = OVERLAY_HELP;
        model->overlay_top = 0;
        return;
    case 'q':
    case KEY_ESCAPE:
        back(model, key, effect);
        return;
    default:
        toggle_key(model, key, effect);
    }
}

void model_key(struct model *model, int key, struct effect *ret_effect)
{
    struct effect *effect = ret_effect;
    memset(effect, 0, sizeof(*effect));
    if (key == KEY_CTRL('c'))
        effect->kind = EFFECT_QUIT_NOW;
    else if (key == KEY_CTRL('z'))
        effect->kind = EFFECT_SUSPEND;
    else if (key == KEY_CTRL('l'))
        effect->kind = EFFECT_REPAINT;
    else if (model->input != INPUT_NONE)
        input_key(model, key, effect);
    else if (model->overlay == OVERLAY_RESIGN)
        model_dialog_key(model, key, effect);
    else if (model->overlay != OVERLAY_NONE)
        overlay_key(model, key);
    else
        base_key(model, key, effect);
}
