/* SPDX-License-Identifier: MIT */
#include "dashboard.h"

#include <errno.h>
#include <fcntl.h>
#include <langinfo.h>
#include <locale.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <wchar.h>

#include "base/clock.h"
#include "cluster/snapshot_json.h"
#include "state.h"
#include "view.h"

#define LINE_MAX_BYTES (32u << 20)

const char *const top_presets[] = {"overview", "vips",   "nodes", "failovers",
                                   "alerts",   "events", "etcd",  NULL};

void dashboard_set_up(struct model *model, const struct top_options *options)
{
    setlocale(LC_CTYPE, "");
    model->glyph_set = options->glyphs == TOP_GLYPHS_UTF8 ? GLYPHS_UTF8
                       : options->glyphs == TOP_GLYPHS_ASCII
                           ? GLYPHS_ASCII
                           : glyphs_choose(nl_langinfo(CODESET), getenv("TERM"), wcwidth);
    model->has_color = options->has_color;
    model->has_mouse |= options->has_mouse;
    model->is_read_only = options->is_read_only;
    model->interval_us = options->interval_us;
    if (options->preset > 0) {
        model->focus = (enum panel)(options->preset - 1);
        model->is_zoomed = true;
    }
}

int dashboard_write_line(int fd, const struct snapshot *s, int64_t *ret_bytes)
{
    struct buf line;
    buf_init(&line, LINE_MAX_BYTES);
    int r = snapshot_write(s, &line);
    if (r == 0)
        r = buf_putc(&line, '\n');
    for (size_t at = 0; r == 0 && at < line.len;) {
        ssize_t n = write(fd, line.data + at, line.len - at);
        if (n < 0 && errno != EINTR)
            r = -errno;
        at += n > 0 ? (size_t)n : 0;
    }
    if (r == 0)
        *ret_bytes += (int64_t)line.len;
    buf_done(&line);
    return r;
}

static void stop(struct dashboard *d, enum top_end end)
{
    d->end = end;
    loop_stop(d->loop);
}

static void write_snapshot(struct dashboard *d)
{
    char name[64], time[CLOCK_TEXT_MAX];
    int64_t bytes = 0;
    clock_format_utc(d->model->shown.wall_us, time);
    snprintf(name, sizeof(name), "./talosvip-%.19s.json", time);
    int fd = open(name, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC | O_NOCTTY, 0644);
    int r = fd < 0 ? -errno : dashboard_write_line(fd, &d->model->shown, &bytes);
    if (fd >= 0 && close(fd) < 0 && r == 0)
        r = -errno;
    if (r < 0)
        model_say(d->model, "cannot write %s: %s", name, strerror(-r));
    else
        model_say(d->model, "wrote %s", name);
}

static void carry_out(struct dashboard *d, const struct effect *effect)
{
    switch (effect->kind) {
    case EFFECT_QUIT:
        stop(d, TOP_QUIT);
        break;
    case EFFECT_QUIT_NOW:
        stop(d, TOP_INTERRUPTED);
        break;
    case EFFECT_SUSPEND:
        screen_suspend(d->screen);
        break;
    case EFFECT_COPY:
        screen_copy(d->screen, effect->text);
        break;
    case EFFECT_MOUSE:
        screen_mouse(d->screen, d->model->has_mouse);
        break;
    case EFFECT_WRITE_SNAPSHOT:
        write_snapshot(d);
        break;
    case EFFECT_REPAINT:
        screen_repaint(d->screen);
        d->effect(d, effect);
        break;
    case EFFECT_NONE:
        break;
    default:
        d->effect(d, effect);
    }
}

void dashboard_wake(struct dashboard *d, uint64_t at_us)
{
    loop_timer_set(d->timer, at_us < d->due_us ? at_us : d->due_us);
}

static void on_timer(void *arg)
{
    struct dashboard *d = arg;
    uint64_t now = clock_now_us();
    model_tick(d->model, now);
    d->feed(d, now);
    if (view_draw(d->model, &d->canvas) == 0)
        screen_draw(d->screen, &d->canvas, d->model->has_color);
    dashboard_wake(d, d->due_us);
}

static void on_key(void *arg, int key)
{
    struct dashboard *d = arg;
    struct effect effect;
    model_tick(d->model, clock_now_us());
    model_key(d->model, key, &effect);
    carry_out(d, &effect);
    dashboard_wake(d, 0);
}

static void on_click(void *arg, unsigned row, unsigned col)
{
    struct dashboard *d = arg;
    model_click(d->model, row, col);
    dashboard_wake(d, 0);
}

static void on_resize(void *arg, unsigned width, unsigned height)
{
    struct dashboard *d = arg;
    model_resize(d->model, width, height);
    dashboard_wake(d, 0);
}

static void on_resume(void *arg)
{
    struct dashboard *d = arg;
    const struct effect again = {.kind = EFFECT_REPAINT};
    carry_out(d, &again);
    dashboard_wake(d, 0);
}

static void on_end(void *arg, enum screen_end end)
{
    static const enum top_end ends[] = {[SCREEN_HANGUP] = TOP_HANGUP,
                                        [SCREEN_INTERRUPTED] = TOP_INTERRUPTED,
                                        [SCREEN_TERMINATED] = TOP_TERMINATED};
    struct dashboard *d = arg;
    if (end == SCREEN_HANGUP) /* nobody is there to see it */
        screen_abandon(d->screen);
    stop(d, ends[end]);
}

int dashboard_init(struct dashboard *d, const struct top_options *options)
{
    d->options = options;
    d->due_us = UINT64_MAX;
    d->loop = loop_new();
    d->model = model_new(80, 24);
    if (!d->loop || !d->model)
        return -ENOMEM;
    if (options->state_path)
        state_load(d->model, options->state_path);
    dashboard_set_up(d->model, options);
    return loop_timer_new(d->loop, on_timer, d, &d->timer);
}

int dashboard_open(struct dashboard *d)
{
    struct screen_config config = {.loop = d->loop,
                                   .on_key = on_key,
                                   .on_click = on_click,
                                   .on_resize = on_resize,
                                   .on_resume = on_resume,
                                   .on_end = on_end,
                                   .arg = d};
    int r = screen_open(&config, &d->screen);
    if (r < 0)
        return r;
    unsigned width, height;
    if (d->model->has_mouse)
        screen_mouse(d->screen, true);
    screen_size(d->screen, &width, &height);
    model_resize(d->model, width, height);
    return 0;
}

int dashboard_run(struct dashboard *d)
{
    on_timer(d);
    int r = loop_run(d->loop);
    if (d->end != TOP_HANGUP && d->options->state_path)
        state_save(d->model, d->options->state_path);
    return d->error < 0 ? d->error : r;
}

void dashboard_done(struct dashboard *d)
{
    screen_close(d->screen);
    loop_timer_free(d->timer);
    loop_free(d->loop);
    model_free(d->model);
    canvas_done(&d->canvas);
}

int top_write(const struct top_options *options, struct snapshot *s, struct buf *out)
{
    struct canvas canvas = {0};
    unsigned rows = 24 + s->n_vips + s->n_nodes + s->n_alerts + s->n_history;
    unsigned height = options->height ? options->height : rows;
    if (height > CANVAS_HEIGHT_MAX)
        height = CANVAS_HEIGHT_MAX;
    struct model *model = model_new(options->width, height);
    int r = model ? 0 : -ENOMEM;
    if (r == 0) {
        model->is_batch = true;
        dashboard_set_up(model, options);
        model_snapshot(model, 1, s);
        r = view_draw(model, &canvas);
    }
    size_t start = out->len;
    if (r == 0)
        r = canvas_write(&canvas, out);
    while (r == 0 && out->len > start + 1 && out->data[out->len - 2] == '\n')
        out->data[--out->len] = '\0';
    canvas_done(&canvas);
    model_free(model);
    return r;
}
