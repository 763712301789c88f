/* SPDX-License-Identifier: MIT */
/* A dashboard that shows a recording, at its own pace or a sample at a time. */
#include "dashboard.h"

#include <errno.h>

#include "base/clock.h"

#define GAP_MAX_US UINT64_C(5000000) /* holes in a recording are not waited out */
#define LEAST_US UINT64_C(50000)
#define BEFORE 150 /* samples that are read after a jump, for the graph and the events */

struct replay {
    struct dashboard d;
    const struct recording *recording;
    uint64_t wall_us; /* of the sample that is shown */
};

/* Shows one sample; a line that is none is stepped over. */
static bool show(struct replay *replay, size_t index, uint64_t now_us)
{
    struct snapshot s;
    int r = recording_read(replay->recording, index, &s);
    if (r == 0)
        r = top_prepare(replay->d.options, &s);
    replay->d.model->replay.at = index;
    if (r < 0) {
        model_say(replay->d.model, "sample %zu cannot be read", index + 1);
        return false;
    }
    replay->wall_us = s.wall_us;
    model_snapshot(replay->d.model, now_us, &s);
    return true;
}

static void jump(struct replay *replay, size_t index, uint64_t now_us)
{
    model_forget(replay->d.model);
    for (size_t i = index > BEFORE ? index - BEFORE : 0; i <= index; i++)
        show(replay, i, now_us);
}

/* When the next sample is due, if it is to come by itself. */
static void plan(struct replay *replay, uint64_t now_us)
{
    struct replay_state *state = &replay->d.model->replay;
    struct snapshot next;
    uint64_t gap = 0;
    state->is_at_end = state->at + 1 >= state->n;
    replay->d.due_us = UINT64_MAX;
    if (state->is_at_end || state->is_paused)
        return;
    if (recording_read(replay->recording, state->at + 1, &next) == 0) {
        gap = next.wall_us > replay->wall_us ? next.wall_us - replay->wall_us : 0;
        snapshot_done(&next);
    }
    gap = (gap > GAP_MAX_US ? GAP_MAX_US : gap) * 1000 / state->speed;
    replay->d.due_us = now_us + (gap > LEAST_US ? gap : LEAST_US);
}

static void feed(struct dashboard *d, uint64_t now_us)
{
    struct replay *replay = (struct replay *)d;
    if (now_us < d->due_us)
        return;
    show(replay, d->model->replay.at + 1, now_us);
    plan(replay, now_us);
}

static void go_to(struct replay *replay, const char *text, uint64_t now_us)
{
    uint64_t wall_us;
    if (recording_parse_time(text, replay->wall_us, &wall_us) < 0)
        model_say(replay->d.model, "\"%s\" is no time; try 09:12 or 2026-08-21 09:12:40", text);
    else
        jump(replay, recording_find(replay->recording, wall_us), now_us);
}

static void effect(struct dashboard *d, const struct effect *effect)
{
    struct replay *replay = (struct replay *)d;
    struct replay_state *state = &d->model->replay;
    uint64_t now = clock_now_us();
    switch (effect->kind) {
    case EFFECT_REPLAY_STEP:
        state->is_paused = true; /* who steps does not want to be carried on */
        if (effect->steps > 0 && state->at + 1 < state->n)
            show(replay, state->at + 1, now);
        else if (effect->steps < 0 && state->at > 0)
            jump(replay, state->at - 1, now);
        break;
    case EFFECT_REPLAY_START:
        jump(replay, 0, now);
        break;
    case EFFECT_REPLAY_TO:
        go_to(replay, effect->text, now);
        break;
    case EFFECT_RESIGN:
        model_say(d->model, "a recording cannot be changed");
        break;
    default:
        break;
    }
    plan(replay, now);
}

int top_replay(const struct top_options *options, struct recording *recording,
               enum top_end *ret_end)
{
    struct replay replay = {.d = {.options = options, .feed = feed, .effect = effect},
                            .recording = recording};
    int r = dashboard_init(&replay.d, options);
    if (r == 0) {
        struct replay_state *state = &replay.d.model->replay;
        uint64_t now = clock_now_us();
        *state = (struct replay_state){
            .is_on = true, .n = recording_count(recording), .speed = options->speed};
        jump(&replay, options->replay_at, now);
        plan(&replay, now);
        r = dashboard_open(&replay.d);
    }
    if (r == 0) {
        r = dashboard_run(&replay.d);
    }
    *ret_end = replay.d.end;
    dashboard_done(&replay.d);
    return r;
}
