/* SPDX-License-Identifier: MIT */
/* The terminal: the only file that knows ncurses. Whatever ends the program, a signal, a lost
 * terminal or a crash, the terminal is left as it was found. One screen at a time. */
#ifndef TALOSVIP_UI_SCREEN_H
#define TALOSVIP_UI_SCREEN_H

#include <stdbool.h>

#include "base/loop.h"
#include "canvas.h"

struct screen;

enum screen_end { SCREEN_HANGUP, SCREEN_INTERRUPTED, SCREEN_TERMINATED };

struct screen_config {
    struct loop *loop;
    void (*on_key)(void *arg, int key); /* keys.h */
    void (*on_click)(void *arg, unsigned row, unsigned col);
    void (*on_resize)(void *arg, unsigned width, unsigned height);
    void (*on_resume)(void *arg); /* after a stop: everything shown is old */
    void (*on_end)(void *arg, enum screen_end end);
    void *arg;
};

/* 0; -ENOTTY without a terminal; -ENODEV when its type is not known; -ENOMEM; else -errno. */
int screen_open(const struct screen_config *config, struct screen **ret_screen);
/* Restores the terminal, then prints what came on stderr meanwhile. Takes NULL. */
void screen_close(struct screen *screen);
/* After a hangup: nothing is drawn any more; a terminal that is still there is restored. */
void screen_abandon(struct screen *screen);

void screen_size(const struct screen *screen, unsigned *ret_width, unsigned *ret_height);
/* Brings the terminal up to the canvas, only where it differs. */
void screen_draw(struct screen *screen, const struct canvas *canvas, bool has_color);
/* The next draw paints everything. */
void screen_repaint(struct screen *screen);
void screen_mouse(struct screen *screen, bool is_on);
/* Into the terminal's clipboard: OSC 52. Long texts are cut off. */
void screen_copy(struct screen *screen, const char *text);
/* As Ctrl-Z. */
void screen_suspend(struct screen *screen);

#endif
