/* SPDX-License-Identifier: MIT */
/* The running dashboard: model, view and screen on one loop, fed by a cluster or by a recording. */
#ifndef TALOSVIP_UI_DASHBOARD_H
#define TALOSVIP_UI_DASHBOARD_H

#include "canvas.h"
#include "model.h"
#include "screen.h"

#include "base/loop.h"
#include "ui/top.h"

struct dashboard {
    const struct top_options *options;
    struct loop *loop;
    struct screen *screen;
    struct model *model;
    struct canvas canvas;
    struct loop_timer *timer;
    enum top_end end;
    int error;
    uint64_t due_us; /* when `feed` wants to be called again */
    /* Gives the model what is new at `now_us`, and sets due_us. */
    void (*feed)(struct dashboard *d, uint64_t now_us);
    /* What a key asked for that only one kind of dashboard can do. */
    void (*effect)(struct dashboard *d, const struct effect *effect);
};

/* Loop and model, then the terminal. What there is stays for dashboard_done() after an error. */
int dashboard_init(struct dashboard *d, const struct top_options *options);
int dashboard_open(struct dashboard *d);
void dashboard_done(struct dashboard *d);
/* Until its user or a signal ends it. 0 or -errno. */
int dashboard_run(struct dashboard *d);
/* Feeds and paints at `at_us`, or when it is due, whichever comes first. */
void dashboard_wake(struct dashboard *d, uint64_t at_us);

/* Glyphs, preset and the rest of the options; a terminal's own ability where they leave it open. */
void dashboard_set_up(struct model *model, const struct top_options *options);
/* A snapshot as one line of JSON. 0 or -errno. */
int dashboard_write_line(int fd, const struct snapshot *s, int64_t *ret_bytes);

#endif
