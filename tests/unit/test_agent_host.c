/* SPDX-License-Identifier: MIT */
/* The agent's priority, in processes that may lose it. */
#include <errno.h>
#include <sched.h>
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>
#include <stdio.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include "../../src/agent/state.h"

#define URGENT (SCHED_FIFO | SCHED_RESET_ON_FORK)
#define ORDINARY (SCHED_OTHER | SCHED_RESET_ON_FORK)

/* Runs it in a child; its exit status. */
static int in_child(int (*run)(void))
{
    int status = 0;
    fflush(NULL);
    pid_t pid = fork();
    if (pid == 0) {
        log_setup(LOG_LOGFMT, LOG_INFO);
        _exit(run());
    }
    assert_int_equal(waitpid(pid, &status, 0), pid);
    assert_true(WIFEXITED(status));
    return WEXITSTATUS(status);
}

static int policy(void)
{
    return sched_getscheduler(0);
}

static int may_be_urgent(void)
{
    const struct sched_param param = {.sched_priority = 1};
    return sched_setscheduler(0, SCHED_FIFO, &param) == 0;
}

static int be_urgent(void)
{
    host_go_first();
    return policy() == URGENT ? 0 : 1;
}

static int child_of_urgent(void)
{
    host_go_first();
    return in_child(policy) == SCHED_OTHER ? 0 : 1;
}

static int spin(void)
{
    host_go_first();
    uint64_t end = clock_now_us() + 10 * SECOND_US;
    while (policy() == URGENT && clock_now_us() < end)
        ;
    return policy() == ORDINARY ? 0 : 1;
}

/* Waiting, however short, gives the whole time back. */
static int work_in_pieces(void)
{
    host_go_first();
    for (unsigned i = 0; i < 10; i++) {
        uint64_t end = clock_now_us() + 50 * MS_US;
        while (clock_now_us() < end)
            ;
        usleep(1000);
    }
    return policy() == URGENT ? 0 : 1;
}

static int without_the_right(void)
{
    const struct rlimit none = {0, 0};
    if (setrlimit(RLIMIT_RTPRIO, &none) < 0 || seteuid(65534) < 0)
        return 2;
    host_go_first();
    return policy() == SCHED_OTHER ? 0 : 1;
}

static void skip_unless_allowed(void)
{
    if (in_child(may_be_urgent))
        return;
    puts("skipped: no real-time priority is allowed here");
    skip();
}

static void test_is_urgent_alone(void **state)
{
    (void)state;
    skip_unless_allowed();
    assert_int_equal(in_child(be_urgent), 0);
    assert_int_equal(in_child(child_of_urgent), 0);
}

static void test_a_bug_loses_it(void **state)
{
    (void)state;
    skip_unless_allowed();
    assert_int_equal(in_child(spin), 0);
    assert_int_equal(in_child(work_in_pieces), 0);
}

static void test_goes_on_without(void **state)
{
    (void)state;
    if (geteuid() != 0) {
        puts("skipped: needs root");
        skip();
    }
    assert_int_equal(in_child(without_the_right), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_is_urgent_alone),
        cmocka_unit_test(test_a_bug_loses_it),
        cmocka_unit_test(test_goes_on_without),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
