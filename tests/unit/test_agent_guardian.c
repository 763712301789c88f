/* SPDX-License-Identifier: MIT */
/* A guardian starts while its whole process group is told to end: it stays, and keeps that for
 * itself. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/pidfd.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "../../src/agent/guardian.h"

#define LIMIT_US (5 * SECOND_US)

static struct {
    bool is_ready;
    bool has_no_room; /* for another descriptor */
    unsigned ends;
} seen;

/* The first thing that the guardian does, while it still has all that is the agent's. */
int close_range(unsigned first, unsigned last, int flags)
{
    kill(getpid(), SIGTERM);
    kill(getpid(), SIGINT);
    return (int)syscall(SYS_close_range, first, last, flags);
}

void feed_simple(struct agent *a, enum election_event_type type, unsigned vip, bool yes)
{
    (void)vip;
    assert_int_equal(type, EV_GUARDIAN);
    seen.is_ready = yes;
    loop_stop(a->loop);
}

/* Of the child just started; the agent's own works. */
int pidfd_open(pid_t pid, unsigned flags)
{
    if (!seen.has_no_room || pid == getpid())
        return (int)syscall(SYS_pidfd_open, pid, flags);
    errno = EMFILE;
    return -1;
}

static void on_end(void *arg, int signum)
{
    (void)arg;
    (void)signum;
    seen.ends++;
}

static void on_limit(void *arg)
{
    loop_stop(arg);
}

/* A set of signals as proc(5) shows it: "SigBlk", "SigIgn". */
static uint64_t signals_of(int64_t pid, const char *name)
{
    char path[64], line[128];
    uint64_t set = UINT64_MAX;
    snprintf(path, sizeof(path), "/proc/%d/status", (int)pid);
    FILE *f = fopen(path, "re");
    assert_non_null(f);
    while (fgets(line, sizeof(line), f))
        if (strncmp(line, name, strlen(name)) == 0)
            set = strtoull(line + strlen(name) + 1, NULL, 16);
    fclose(f);
    return set;
}

static void run_for(struct agent *a, struct loop_timer *limit, uint64_t us)
{
    loop_timer_set(limit, clock_now_us() + us);
    assert_int_equal(loop_run(a->loop), 0);
}

static struct agent *new_agent(void)
{
    struct agent *a = calloc(1, sizeof(*a));
    assert_non_null(a);
    a->lock_fd = -1;
    a->settings.endpoints[0] = "http://127.0.0.1:1";
    a->settings.n_endpoints = 1;
    a->loop = loop_new();
    assert_non_null(a->loop);
    assert_int_equal(fence_open_plain(&a->fence), 0);
    return a;
}

static void end(struct agent *a)
{
    guardian_free(a);
    fence_close(a->fence);
    loop_free(a->loop);
    free(a);
}

static void a_signal_before_it_stands_is_its_own(void **state)
{
    struct agent *a = new_agent();
    struct loop_signal *term, *interrupt;
    struct loop_timer *limit;
    (void)state;
    assert_int_equal(loop_signal_new(a->loop, SIGTERM, on_end, a, &term), 0);
    assert_int_equal(loop_signal_new(a->loop, SIGINT, on_end, a, &interrupt), 0);
    assert_int_equal(loop_timer_new(a->loop, on_limit, a->loop, &limit), 0);

    assert_int_equal(guardian_start(a), 0);
    run_for(a, limit, LIMIT_US);
    assert_true(seen.is_ready);
    run_for(a, limit, 0); /* what else has come */
    assert_int_equal(seen.ends, 0);
    int64_t pid = guardian_pid(a);
    assert_int_equal(signals_of(pid, "SigBlk"), 0);
    assert_true(signals_of(pid, "SigIgn") & (1u << (SIGTERM - 1)));
    assert_int_equal(signals_of(getpid(), "SigBlk"), 0);

    assert_int_equal(kill((pid_t)pid, SIGKILL), 0);
    run_for(a, limit, LIMIT_US); /* until it is seen to be gone */
    assert_false(seen.is_ready);
    loop_timer_free(limit);
    loop_signal_free(term);
    loop_signal_free(interrupt);
    end(a);
}

static void one_that_cannot_be_watched_does_not_stay(void **state)
{
    struct agent *a = new_agent();
    (void)state;
    seen.has_no_room = true;
    assert_int_equal(guardian_start(a), -EMFILE);
    assert_int_equal(guardian_pid(a), 0);
    assert_int_equal(waitpid(-1, NULL, WNOHANG), -1);
    assert_int_equal(errno, ECHILD);
    end(a);
}

int main(void)
{
    log_setup(LOG_LOGFMT, LOG_ERROR);
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_signal_before_it_stands_is_its_own),
        cmocka_unit_test(one_that_cannot_be_watched_does_not_stay),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
