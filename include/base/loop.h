/* SPDX-License-Identifier: MIT */
/* The event loop (libevent) with file descriptors, timers on CLOCK_BOOTTIME, and signals.
 * One thread. A callback may free any watcher, its own included. */
#ifndef TALOSVIP_BASE_LOOP_H
#define TALOSVIP_BASE_LOOP_H

#include <stdbool.h>
#include <stdint.h>

struct loop;
struct loop_io;
struct loop_timer;
struct loop_signal;

struct event_base; /* libevent's, for the API server only */

/* NULL when memory or descriptors are short. */
struct loop *loop_new(void);
/* All watchers must be freed before. Takes NULL. */
void loop_free(struct loop *loop);
/* Runs until loop_stop(). 0, or -EIO when libevent gave up. */
int loop_run(struct loop *loop);
/* Leaves loop_run() after the callback that is running now. */
void loop_stop(struct loop *loop);
struct event_base *loop_base(struct loop *loop);
/* After fork(), in the child: the child's loop shares no kernel object with the parent's. */
int loop_after_fork(struct loop *loop);

enum { LOOP_READ = 1, LOOP_WRITE = 2 };

typedef void (*loop_io_fn)(void *arg, int fd, unsigned what);
typedef void (*loop_timer_fn)(void *arg);
typedef void (*loop_signal_fn)(void *arg, int signum);

/* Watches `fd` (not owned) for `what`. 0 or -errno. */
int loop_io_new(struct loop *loop, int fd, unsigned what, loop_io_fn fn, void *arg,
                struct loop_io **ret_io);
/* Changes what is watched; 0 watches nothing. */
int loop_io_set(struct loop_io *io, unsigned what);
void loop_io_free(struct loop_io *io);

/* A one-shot timer, not armed yet. 0 or -errno. */
int loop_timer_new(struct loop *loop, loop_timer_fn fn, void *arg, struct loop_timer **ret_timer);
/* Fires once at `at_us` of CLOCK_BOOTTIME (at once when that is past); UINT64_MAX disarms. */
void loop_timer_set(struct loop_timer *timer, uint64_t at_us);
void loop_timer_free(struct loop_timer *timer);

int loop_signal_new(struct loop *loop, int signum, loop_signal_fn fn, void *arg,
                    struct loop_signal **ret_signal);
void loop_signal_free(struct loop_signal *sig);

#endif
