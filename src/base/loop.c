/* SPDX-License-Identifier: MIT */
#include "base/loop.h"

#include <errno.h>
#include <event2/event.h>
#include <stdlib.h>
#include <sys/timerfd.h>
#include <unistd.h>

struct loop {
    struct event_base *base;
};

struct loop_io {
    struct loop *loop;
    struct event *event;
    loop_io_fn fn;
    void *arg;
    int fd;
    unsigned what;
};

struct loop_timer {
    struct loop_io *io;
    loop_timer_fn fn;
    void *arg;
    uint64_t at_us;
    int fd;
};

struct loop_signal {
    struct event *event;
    loop_signal_fn fn;
    void *arg;
};

/* libevent would print to stderr, which belongs to the log; its functions return errors too. */
static void drop_message(int severity, const char *message)
{
    (void)severity;
    (void)message;
}

struct loop *loop_new(void)
{
    event_set_log_callback(drop_message);
    struct loop *loop = calloc(1, sizeof(*loop));
    if (!loop)
        return NULL;
    loop->base = event_base_new();
    if (!loop->base) {
        free(loop);
        return NULL;
    }
    return loop;
}

void loop_free(struct loop *loop)
{
    if (!loop)
        return;
    event_base_free(loop->base);
    free(loop);
}

int loop_run(struct loop *loop)
{
    return event_base_loop(loop->base, EVLOOP_NO_EXIT_ON_EMPTY) < 0 ? -EIO : 0;
}

void loop_stop(struct loop *loop)
{
    event_base_loopbreak(loop->base);
}

struct event_base *loop_base(struct loop *loop)
{
    return loop->base;
}

int loop_after_fork(struct loop *loop)
{
    return event_reinit(loop->base) < 0 ? -EIO : 0;
}

static void on_io(evutil_socket_t fd, short events, void *arg)
{
    struct loop_io *io = arg;
    unsigned what = (events & EV_READ ? LOOP_READ : 0u) | (events & EV_WRITE ? LOOP_WRITE : 0u);
    io->fn(io->arg, (int)fd, what);
}

int loop_io_new(struct loop *loop, int fd, unsigned what, loop_io_fn fn, void *arg,
                struct loop_io **ret_io)
{
    struct loop_io *io = calloc(1, sizeof(*io));
    if (!io)
        return -ENOMEM;
    *io = (struct loop_io){.loop = loop, .fn = fn, .arg = arg, .fd = fd};
    io->event = event_new(loop->base, fd, EV_PERSIST, on_io, io);
    if (!io->event) {
        free(io);
        return -ENOMEM;
    }
    int r = loop_io_set(io, what);
    if (r < 0) {
        loop_io_free(io);
        return r;
    }
    *ret_io = io;
    return 0;
}

int loop_io_set(struct loop_io *io, unsigned what)
{
    if (what == io->what)
        return 0;
    event_del(io->event);
    io->what = what;
    if (what == 0)
        return 0;
    int events = EV_PERSIST | (what & LOOP_READ ? EV_READ : 0) | (what & LOOP_WRITE ? EV_WRITE : 0);
    if (event_assign(io->event, io->loop->base, io->fd, (short)events, on_io, io) < 0 ||
        event_add(io->event, NULL) < 0)
        return -EIO;
    return 0;
}

void loop_io_free(struct loop_io *io)
{
    if (!io)
        return;
    event_free(io->event);
    free(io);
}

static void on_timer(void *arg, int fd, unsigned what)
{
    struct loop_timer *timer = arg;
    uint64_t expirations;
    (void)what;
    /* A timer that was re-armed after it fired has nothing to read. */
    if (read(fd, &expirations, sizeof(expirations)) != (ssize_t)sizeof(expirations))
        return;
    timer->at_us = UINT64_MAX;
    timer->fn(timer->arg);
}

int loop_timer_new(struct loop *loop, loop_timer_fn fn, void *arg, struct loop_timer **ret_timer)
{
    struct loop_timer *timer = calloc(1, sizeof(*timer));
    if (!timer)
        return -ENOMEM;
    *timer = (struct loop_timer){.fn = fn, .arg = arg, .at_us = UINT64_MAX};
    timer->fd = timerfd_create(CLOCK_BOOTTIME, TFD_CLOEXEC | TFD_NONBLOCK);
    int r = timer->fd < 0 ? -errno
                          : loop_io_new(loop, timer->fd, LOOP_READ, on_timer, timer, &timer->io);
    if (r < 0) {
        loop_timer_free(timer);
        return r;
    }
    *ret_timer = timer;
    return 0;
}

void loop_timer_set(struct loop_timer *timer, uint64_t at_us)
{
    struct itimerspec spec = {0};
    if (at_us == timer->at_us)
        return;
    timer->at_us = at_us;
    if (at_us != UINT64_MAX) {
        spec.it_value.tv_sec = (time_t)(at_us / 1000000);
        spec.it_value.tv_nsec = (long)(at_us % 1000000) * 1000;
        if (at_us == 0)
            spec.it_value.tv_nsec = 1; /* 0 would disarm it */
    }
    timerfd_settime(timer->fd, TFD_TIMER_ABSTIME, &spec, NULL);
}

void loop_timer_free(struct loop_timer *timer)
{
    if (!timer)
        return;
    loop_io_free(timer->io);
    if (timer->fd >= 0)
        close(timer->fd);
    free(timer);
}

static void on_signal(evutil_socket_t signum, short events, void *arg)
{
    struct loop_signal *sig = arg;
    (void)events;
    sig->fn(sig->arg, (int)signum);
}

int loop_signal_new(struct loop *loop, int signum, loop_signal_fn fn, void *arg,
                    struct loop_signal **ret_signal)
{
    struct loop_signal *sig = calloc(1, sizeof(*sig));
    if (!sig)
        return -ENOMEM;
    *sig = (struct loop_signal){.fn = fn, .arg = arg};
    sig->event = evsignal_new(loop->base, signum, on_signal, sig);
    if (!sig->event || event_add(sig->event, NULL) < 0) {
        loop_signal_free(sig);
        return -ENOMEM;
    }
    *ret_signal = sig;
    return 0;
}

void loop_signal_free(struct loop_signal *sig)
{
    if (!sig)
        return;
    if (sig->event)
        event_free(sig->event);
    free(sig);
}
