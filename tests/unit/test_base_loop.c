/* SPDX-License-Identifier: MIT */
#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>
#include <signal.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/loop.h"

#define MS UINT64_C(1000)
/* Longer than any of these tests may take. */
#define GIVE_UP_US (5000 * MS)

struct bench {
    struct loop *loop;
    struct loop_timer *alarm;
    int pair[2];
    struct loop_io *io[2];
    struct loop_timer *timer[2], *end;
    struct loop_signal *sig;
    unsigned fired[2];
    uint64_t fired_us[2];
    unsigned what[2];
    int signum;
};

static void stop(void *arg)
{
    loop_stop(((struct bench *)arg)->loop);
}

/* What would still happen has the time to. */
static void stop_soon(struct bench *b)
{
    if (!b->end)
        assert_int_equal(loop_timer_new(b->loop, stop, b, &b->end), 0);
    loop_timer_set(b->end, clock_now_us() + 20 * MS);
}

static void on_alarm(void *arg)
{
    (void)arg;
    fail_msg("nothing happened in time");
}

static int set_up(void **state)
{
    static struct bench b;
    b = (struct bench){0};
    b.loop = loop_new();
    assert_non_null(b.loop);
    assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0, b.pair), 0);
    assert_int_equal(loop_timer_new(b.loop, on_alarm, &b, &b.alarm), 0);
    loop_timer_set(b.alarm, clock_now_us() + GIVE_UP_US);
    *state = &b;
    return 0;
}

static int tear_down(void **state)
{
    struct bench *b = *state;
    loop_timer_free(b->alarm);
    loop_timer_free(b->end);
    for (int i = 0; i < 2; i++) {
        loop_io_free(b->io[i]);
        loop_timer_free(b->timer[i]);
        close(b->pair[i]);
    }
    loop_signal_free(b->sig);
    loop_free(b->loop);
    return 0;
}

static void test_nothing_is_freed(void **state)
{
    (void)state;
    loop_free(NULL);
    loop_io_free(NULL);
    loop_timer_free(NULL);
    loop_signal_free(NULL);
}

static void note_timer(struct bench *b, int i)
{
    b->fired[i]++;
    b->fired_us[i] = clock_now_us();
}

static void on_first(void *arg)
{
    note_timer(arg, 0);
}

static void on_last(void *arg)
{
    struct bench *b = arg;
    note_timer(b, 1);
    loop_stop(b->loop);
}

static void test_timers(void **state)
{
    struct bench *b = *state;
    uint64_t start = clock_now_us();
    assert_int_equal(loop_timer_new(b->loop, on_first, b, &b->timer[0]), 0);
    assert_int_equal(loop_timer_new(b->loop, on_last, b, &b->timer[1]), 0);
    loop_timer_set(b->timer[1], start + 200 * MS);
    loop_timer_set(b->timer[0], start + 10 * MS);
    assert_int_equal(loop_run(b->loop), 0);
    assert_int_equal(b->fired[0], 1);
    assert_int_equal(b->fired[1], 1);
    assert_true(b->fired_us[0] >= start + 10 * MS);
    assert_true(b->fired_us[1] >= start + 200 * MS);
    assert_true(b->fired_us[0] <= b->fired_us[1]);
}

/* The past, and the moment 0, are at once; each fires once only. */
static void test_timer_in_the_past(void **state)
{
    struct bench *b = *state;
    assert_int_equal(loop_timer_new(b->loop, on_last, b, &b->timer[1]), 0);
    for (uint64_t at_us = 0; at_us < 2; at_us++) {
        loop_timer_set(b->timer[1], at_us);
        assert_int_equal(loop_run(b->loop), 0);
        assert_int_equal(b->fired[1], at_us + 1);
        stop_soon(b);
        assert_int_equal(loop_run(b->loop), 0);
        assert_int_equal(b->fired[1], at_us + 1);
    }
}

static void test_timer_is_moved(void **state)
{
    struct bench *b = *state;
    uint64_t start = clock_now_us();
    assert_int_equal(loop_timer_new(b->loop, on_first, b, &b->timer[0]), 0);
    assert_int_equal(loop_timer_new(b->loop, on_last, b, &b->timer[1]), 0);
    loop_timer_set(b->timer[0], start + 5 * MS);
    loop_timer_set(b->timer[0], start + 3600 * 1000 * MS); /* later */
    loop_timer_set(b->timer[1], start + 3600 * 1000 * MS);
    loop_timer_set(b->timer[1], start + 30 * MS); /* earlier */
    assert_int_equal(loop_run(b->loop), 0);
    assert_int_equal(b->fired[0], 0);
    loop_timer_set(b->timer[0], UINT64_MAX); /* never */
    loop_timer_set(b->timer[1], start + 100 * MS);
    assert_int_equal(loop_run(b->loop), 0);
    assert_int_equal(b->fired[0], 0);
}

static void set_again(void *arg)
{
    struct bench *b = arg;
    note_timer(b, 0);
    if (b->fired[0] == 5)
        loop_stop(b->loop);
    else
        loop_timer_set(b->timer[0], b->fired_us[0] + MS);
}

static void test_timer_sets_itself(void **state)
{
    struct bench *b = *state;
    assert_int_equal(loop_timer_new(b->loop, set_again, b, &b->timer[0]), 0);
    loop_timer_set(b->timer[0], clock_now_us());
    assert_int_equal(loop_run(b->loop), 0);
    assert_int_equal(b->fired[0], 5);
}

/* Both are due in the same pass; the first one to run moves the other away. */
static void move_other(struct bench *b, int i)
{
    note_timer(b, i);
    stop_soon(b);
    loop_timer_set(b->timer[!i], clock_now_us() + 3600 * 1000 * MS);
}

static void move_second(void *arg)
{
    move_other(arg, 0);
}

static void move_first(void *arg)
{
    move_other(arg, 1);
}

static void test_timer_moved_when_it_was_due(void **state)
{
    struct bench *b = *state;
    assert_int_equal(loop_timer_new(b->loop, move_second, b, &b->timer[0]), 0);
    assert_int_equal(loop_timer_new(b->loop, move_first, b, &b->timer[1]), 0);
    loop_timer_set(b->timer[0], 1);
    loop_timer_set(b->timer[1], 1);
    assert_int_equal(loop_run(b->loop), 0);
    assert_int_equal(b->fired[0] + b->fired[1], 1);
}

static void on_io(void *arg, int fd, unsigned what)
{
    struct bench *b = arg;
    int i = fd == b->pair[1];
    b->fired[i]++;
    b->what[i] |= what;
    loop_stop(b->loop);
}

static void test_io(void **state)
{
    struct bench *b = *state;
    char c;
    assert_int_equal(loop_io_new(b->loop, b->pair[0], LOOP_READ, on_io, b, &b->io[0]), 0);
    assert_int_equal(write(b->pair[1], "xy", 2), 2);
    assert_int_equal(loop_run(b->loop), 0);
    assert_int_equal(b->what[0], LOOP_READ);
    assert_int_equal(read(b->pair[0], &c, 1), 1);
    assert_int_equal(loop_run(b->loop), 0); /* there is more: it is told again */
    assert_int_equal(b->fired[0], 2);
    b->what[0] = 0;
    assert_int_equal(loop_io_set(b->io[0], LOOP_READ | LOOP_WRITE), 0);
    assert_int_equal(loop_run(b->loop), 0);
    assert_int_equal(b->what[0], LOOP_READ | LOOP_WRITE);
    b->what[0] = 0;
    assert_int_equal(loop_io_set(b->io[0], LOOP_WRITE), 0);
    assert_int_equal(loop_run(b->loop), 0);
    assert_int_equal(b->what[0], LOOP_WRITE);
}

/* Watching nothing, it stays quiet although there is something to read. */
static void test_io_of_nothing(void **state)
{
    struct bench *b = *state;
    assert_int_equal(loop_io_new(b->loop, b->pair[0], 0, on_io, b, &b->io[0]), 0);
    assert_int_equal(loop_timer_new(b->loop, on_last, b, &b->timer[1]), 0);
    assert_int_equal(write(b->pair[1], "x", 1), 1);
    loop_timer_set(b->timer[1], clock_now_us() + 20 * MS);
    assert_int_equal(loop_run(b->loop), 0);
    assert_int_equal(b->fired[0], 0);
    assert_int_equal(loop_io_set(b->io[0], LOOP_READ), 0);
    assert_int_equal(loop_io_set(b->io[0], LOOP_READ), 0);
    assert_int_equal(loop_run(b->loop), 0);
    assert_int_equal(b->fired[0], 1);
    assert_int_equal(loop_io_set(b->io[0], 0), 0);
    loop_timer_set(b->timer[1], clock_now_us() + 20 * MS);
    assert_int_equal(loop_run(b->loop), 0);
    assert_int_equal(b->fired[0], 1);
}

/* A closed peer reads as its end. */
static void test_io_of_a_closed_peer(void **state)
{
    struct bench *b = *state;
    char c;
    assert_int_equal(loop_io_new(b->loop, b->pair[0], LOOP_READ, on_io, b, &b->io[0]), 0);
    assert_int_equal(shutdown(b->pair[1], SHUT_RDWR), 0);
    assert_int_equal(loop_run(b->loop), 0);
    assert_int_equal(b->what[0], LOOP_READ);
    assert_int_equal(read(b->pair[0], &c, 1), 0);
}

static void test_io_of_a_bad_descriptor(void **state)
{
    struct bench *b = *state;
    struct loop_io *io = (struct loop_io *)b;
    int fd = open("/dev/null", O_RDONLY | O_CLOEXEC);
    assert_true(fd >= 0);
    assert_int_equal(close(fd), 0);
    assert_true(loop_io_new(b->loop, fd, LOOP_READ, on_io, b, &io) < 0);
    assert_ptr_equal(io, b);
}

/* Both are readable; whoever runs first frees both. */
static void free_both(void *arg, int fd, unsigned what)
{
    struct bench *b = arg;
    (void)what;
    note_timer(b, fd == b->pair[1]);
    stop_soon(b);
    loop_io_free(b->io[0]);
    loop_io_free(b->io[1]);
    b->io[0] = b->io[1] = NULL;
}

static void test_io_freed_in_its_callback(void **state)
{
    struct bench *b = *state;
    assert_int_equal(write(b->pair[0], "x", 1), 1);
    assert_int_equal(write(b->pair[1], "x", 1), 1);
    assert_int_equal(loop_io_new(b->loop, b->pair[0], LOOP_READ, free_both, b, &b->io[0]), 0);
    assert_int_equal(loop_io_new(b->loop, b->pair[1], LOOP_READ, free_both, b, &b->io[1]), 0);
    assert_int_equal(loop_run(b->loop), 0);
    assert_int_equal(b->fired[0] + b->fired[1], 1);
}

static void free_timers(void *arg)
{
    struct bench *b = arg;
    note_timer(b, 0);
    stop_soon(b);
    for (int i = 0; i < 2; i++) {
        loop_timer_free(b->timer[i]);
        b->timer[i] = NULL;
    }
}

static void test_timer_freed_in_its_callback(void **state)
{
    struct bench *b = *state;
    for (int i = 0; i < 2; i++) {
        assert_int_equal(loop_timer_new(b->loop, free_timers, b, &b->timer[i]), 0);
        loop_timer_set(b->timer[i], 1);
    }
    assert_int_equal(loop_run(b->loop), 0);
    assert_int_equal(b->fired[0], 1);
}

static void on_signal(void *arg, int signum)
{
    struct bench *b = arg;
    b->signum = signum;
    loop_signal_free(b->sig);
    b->sig = NULL;
    loop_stop(b->loop);
}

static void test_signal(void **state)
{
    struct bench *b = *state;
    assert_int_equal(loop_signal_new(b->loop, SIGUSR1, on_signal, b, &b->sig), 0);
    assert_int_equal(raise(SIGUSR1), 0);
    assert_int_equal(b->signum, 0); /* not from within the handler */
    assert_int_equal(loop_run(b->loop), 0);
    assert_int_equal(b->signum, SIGUSR1);
}

/* The guardian's way: the child goes on with a loop of its own, and the parent's is as before. */
static void test_after_fork(void **state)
{
    struct bench *b = *state;
    int status;
    assert_int_equal(loop_timer_new(b->loop, on_last, b, &b->timer[1]), 0);
    pid_t child = fork();
    assert_true(child >= 0);
    if (child == 0) {
        struct loop_timer *own;
        if (loop_after_fork(b->loop) < 0 || loop_timer_new(b->loop, stop, b, &own) < 0)
            _exit(1);
        loop_timer_set(own, clock_now_us() + 5 * MS);
        int r = loop_run(b->loop);
        loop_timer_free(own);
        _exit(r < 0 ? 2 : 0);
    }
    loop_timer_set(b->timer[1], clock_now_us() + 30 * MS);
    assert_int_equal(loop_run(b->loop), 0);
    assert_int_equal(b->fired[1], 1);
    assert_int_equal(waitpid(child, &status, 0), child);
    assert_int_equal(status, 0);
}

#define LOOP_TEST(f) cmocka_unit_test_setup_teardown(f, set_up, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_nothing_is_freed),
        LOOP_TEST(test_timers),
        LOOP_TEST(test_timer_in_the_past),
        LOOP_TEST(test_timer_is_moved),
        LOOP_TEST(test_timer_sets_itself),
        LOOP_TEST(test_timer_moved_when_it_was_due),
        LOOP_TEST(test_io),
        LOOP_TEST(test_io_of_nothing),
        LOOP_TEST(test_io_of_a_closed_peer),
        LOOP_TEST(test_io_of_a_bad_descriptor),
        LOOP_TEST(test_io_freed_in_its_callback),
        LOOP_TEST(test_timer_freed_in_its_callback),
        LOOP_TEST(test_signal),
        LOOP_TEST(test_after_fork),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
