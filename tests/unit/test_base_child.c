/* SPDX-License-Identifier: MIT */
/* Commands beside the loop, with /bin/sh as the command. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <dirent.h>
#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/pidfd.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/child.h"
#include "base/clock.h"

#define MS UINT64_C(1000)
#define GIVE_UP_US (8000 * MS)

struct bench {
    struct loop *loop;
    struct children *children;
    struct loop_timer *alarm, *stopper;
    unsigned ended, wanted;
    struct child_end end;
    char output[CHILD_OUTPUT_MAX + 1];
};

/* Signals that reach nobody, as it is with a process that hangs in the kernel. */
static bool is_deaf;
static pid_t first_group, last_group;

int kill(pid_t pid, int signum)
{
    if (is_deaf) {
        first_group = first_group ? first_group : -pid;
        last_group = -pid;
    }
    return is_deaf ? 0 : (int)syscall(SYS_kill, pid, signum);
}

int pidfd_send_signal(int pidfd, int signum, siginfo_t *info, unsigned flags)
{
    return is_deaf ? 0 : (int)syscall(SYS_pidfd_send_signal, pidfd, signum, info, flags);
}

static void on_alarm(void *arg)
{
    (void)arg;
    fail_msg("nothing happened in time");
}

static void on_stopper(void *arg)
{
    loop_stop(((struct bench *)arg)->loop);
}

static int set_up(void **state)
{
    static struct bench b;
    b = (struct bench){.wanted = 1};
    b.loop = loop_new();
    assert_non_null(b.loop);
    assert_int_equal(children_new(b.loop, &b.children), 0);
    assert_int_equal(loop_timer_new(b.loop, on_alarm, &b, &b.alarm), 0);
    assert_int_equal(loop_timer_new(b.loop, on_stopper, &b, &b.stopper), 0);
    loop_timer_set(b.alarm, clock_now_us() + GIVE_UP_US);
    *state = &b;
    return 0;
}

static int tear_down(void **state)
{
    struct bench *b = *state;
    children_free(b->children);
    loop_timer_free(b->alarm);
    loop_timer_free(b->stopper);
    loop_free(b->loop);
    return 0;
}

static void on_end(void *arg, const struct child_end *end)
{
    struct bench *b = arg;
    b->end = *end;
    snprintf(b->output, sizeof(b->output), "%.*s", (int)end->output_len, end->output);
    if (++b->ended == b->wanted)
        loop_stop(b->loop);
}

static struct child *begin(struct bench *b, const char *script, uint64_t timeout_us,
                           uint64_t grace_us)
{
    const char *command[] = {"/bin/sh", "-c", script, NULL};
    static const char *const environment[] = {"PATH=/usr/bin:/bin", "A=b", NULL};
    const struct child_config config = {.command = command,
                                        .environment = environment,
                                        .timeout_us = timeout_us,
                                        .grace_us = grace_us,
                                        .has_output = true,
                                        .on_end = on_end,
                                        .arg = b};
    struct child *child = NULL;
    assert_int_equal(child_start(b->children, &config, &child), 0);
    return child;
}

static void run(struct bench *b, const char *script)
{
    b->wanted = b->ended + 1;
    begin(b, script, 5000 * MS, 0);
    assert_int_equal(loop_run(b->loop), 0);
}

static unsigned open_descriptors(void)
{
    unsigned n = 0;
    DIR *dir = opendir("/proc/self/fd");
    assert_non_null(dir);
    while (readdir(dir))
        n++;
    closedir(dir);
    return n;
}

/* No child of ours, dead or alive, is left. */
static void assert_no_children(void)
{
    assert_int_equal(waitpid(-1, NULL, WNOHANG), -1);
    assert_int_equal(errno, ECHILD);
}

/* What was killed is reaped soon after its end was told. */
static void await_no_children(struct bench *b)
{
    siginfo_t info;
    while (waitid(P_ALL, 0, &info, WEXITED | WNOHANG | WNOWAIT) == 0) {
        loop_timer_set(b->stopper, clock_now_us() + 10 * MS);
        assert_int_equal(loop_run(b->loop), 0);
    }
    assert_no_children();
}

static void the_end_of_a_command_is_told(void **state)
{
    struct bench *b = *state;
    run(b, "echo out; echo err >&2; exit 3");
    assert_int_equal(b->end.status, 3);
    assert_int_equal(b->end.signal, 0);
    assert_false(b->end.is_timed_out);
    assert_string_equal(b->output, "out\nerr\n");
    assert_no_children();
    run(b, "kill -USR1 $$");
    assert_int_equal(b->end.signal, SIGUSR1);
    assert_int_equal(b->end.status, 0);
}

static void what_cannot_be_run_exits_with_127(void **state)
{
    struct bench *b = *state;
    const char *command[] = {"/nonexistent/command", NULL};
    static const char *const environment[] = {NULL};
    const struct child_config config = {.command = command,
                                        .environment = environment,
                                        .timeout_us = 1000 * MS,
                                        .on_end = on_end,
                                        .arg = b};
    struct child *child;
    assert_int_equal(child_start(b->children, &config, &child), 0);
    assert_int_equal(loop_run(b->loop), 0);
    assert_int_equal(b->end.status, 127);
    assert_int_equal(b->end.output_len, 0);
}

static void it_inherits_nothing(void **state)
{
    struct bench *b = *state;
    signal(SIGPIPE, SIG_IGN);
    /* the listing itself has one descriptor open, and the shell's are 0, 1 and 2 */
    run(b, "ls /proc/self/fd | tr '\n' ' '; readlink /proc/self/fd/0");
    assert_string_equal(b->output, "0 1 2 3 /dev/null\n");
    /* but for signals 32 and 33, which belong to the C library and are not ours to reset */
    run(b, "while read -r name value; do case $name in SigIgn: | SigBlk: | CapAmb:) "
           "printf '%x ' $((0x$value & ~0x180000000)) ;; esac; done </proc/self/status");
    assert_string_equal(b->output, "0 0 0 ");
    run(b, "env | grep -v -e ^PWD= -e ^_= -e ^SHLVL= -e ^OLDPWD= | sort | tr '\n' ' '");
    assert_string_equal(b->output, "A=b PATH=/usr/bin:/bin ");
    run(b, "read -r pid name state parent group session rest < /proc/self/stat; "
           "echo $((group == $$)) $((session == $$))");
    assert_string_equal(b->output, "1 1\n");
}

static void at_its_limit_the_whole_group_is_killed(void **state)
{
    struct bench *b = *state;
    char path[] = "/tmp/talosvip-child-XXXXXX", script[256], text[32] = "";
    int fd = mkstemp(path);
    assert_true(fd >= 0);
    snprintf(script, sizeof(script), "sleep 60 & echo $! > %s; wait", path);
    uint64_t before = clock_now_us();
    begin(b, script, 300 * MS, 0);
    assert_int_equal(loop_run(b->loop), 0);
    assert_true(clock_now_us() - before < 3000 * MS);
    assert_true(b->end.is_timed_out);
    assert_int_equal(b->end.signal, SIGKILL);
    await_no_children(b);
    assert_true(read(fd, text, sizeof(text) - 1) > 0);
    /* Its parent reaps it: gone, or about to be. */
    uint64_t end = clock_now_us() + GIVE_UP_US;
    char stat[64], line[128] = "";
    snprintf(stat, sizeof(stat), "/proc/%d/stat", atoi(text));
    bool is_alive = true;
    while (is_alive && clock_now_us() < end) {
        FILE *f = fopen(stat, "r");
        is_alive = f && fgets(line, sizeof(line), f) && !strstr(line, ") Z ");
        if (f)
            fclose(f);
    }
    assert_false(is_alive);
    close(fd);
    unlink(path);
}

static void first_it_is_asked_to_end(void **state)
{
    struct bench *b = *state;
    begin(b, "trap 'echo asked; exit 4' TERM; sleep 60 & wait", 200 * MS, 3000 * MS);
    assert_int_equal(loop_run(b->loop), 0);
    assert_true(b->end.is_timed_out);
    assert_int_equal(b->end.status, 4);
    assert_string_equal(b->output, "asked\n");
    begin(b, "trap '' TERM; while :; do sleep 1; done", 200 * MS, 200 * MS);
    b->wanted = 2;
    assert_int_equal(loop_run(b->loop), 0);
    assert_int_equal(b->end.signal, SIGKILL);
    await_no_children(b);
}

static void what_it_leaves_in_its_group_ends_with_it(void **state)
{
    struct bench *b = *state;
    uint64_t before = clock_now_us();
    run(b, "sleep 60 & echo done");
    assert_true(clock_now_us() - before < 5000 * MS);
    assert_string_equal(b->output, "done\n");
    assert_int_equal(b->end.status, 0);
}

static void of_its_output_the_end_is_kept(void **state)
{
    struct bench *b = *state;
    run(b, "seq 1 20000; printf last");
    assert_int_equal(strlen(b->output), CHILD_OUTPUT_MAX);
    assert_string_equal(b->output + CHILD_OUTPUT_MAX - 10, "20000\nlast");
}

static void a_flood_is_cut_off(void **state)
{
    struct bench *b = *state;
    run(b, "exec cat /dev/zero");
    assert_int_equal(b->end.signal, SIGPIPE);
    assert_false(b->end.is_timed_out);
}

static void one_that_was_stopped_says_nothing(void **state)
{
    struct bench *b = *state;
    child_stop(begin(b, "exit 0", 5000 * MS, 0));
    child_stop(begin(b, "sleep 60", 5000 * MS, 0));
    child_stop(NULL);
    loop_timer_set(b->stopper, clock_now_us() + 300 * MS);
    assert_int_equal(loop_run(b->loop), 0);
    assert_int_equal(b->ended, 0);
    await_no_children(b);
}

static void fifty_runs_leave_no_descriptor(void **state)
{
    struct bench *b = *state;
    unsigned before = open_descriptors();
    b->wanted = 50;
    for (int i = 0; i < 50; i++)
        begin(b, i % 5 ? "exit 0" : "sleep 60", i % 5 ? 5000 * MS : 10 * MS, 0);
    assert_int_equal(loop_run(b->loop), 0);
    assert_int_equal(b->ended, 50);
    await_no_children(b);
    assert_int_equal(open_descriptors(), before);
}

/* As from a dead file server: told at its limit all the same, once, and only so many at a time. */
static void one_that_does_not_die_is_told_as_well(void **state)
{
    struct bench *b = *state;
    const char *command[] = {"/bin/sleep", "60", NULL};
    static const char *const environment[] = {NULL};
    const struct child_config config = {.command = command,
                                        .environment = environment,
                                        .timeout_us = 1000 * MS,
                                        .on_end = on_end,
                                        .arg = b};
    struct child *child = NULL;
    unsigned before = open_descriptors();
    is_deaf = true;
    for (b->wanted = 1; b->wanted <= CHILD_DYING_MAX; b->wanted++) {
        begin(b, "echo begun; exec sleep 60", 1000 * MS, b->wanted == 1 ? 0 : 100 * MS);
        assert_int_equal(loop_run(b->loop), 0);
        assert_true(b->end.is_timed_out);
        assert_int_equal(b->end.signal, SIGKILL);
        assert_string_equal(b->output, "begun\n");
    }
    assert_int_equal(child_start(b->children, &config, &child), -EBUSY);
    is_deaf = false;
    kill(-last_group, SIGKILL);
    kill(-first_group, SIGKILL);
    await_no_children(b);
    assert_int_equal(b->ended, CHILD_DYING_MAX);
    assert_int_equal(open_descriptors(), before);
    b->wanted = b->ended + 1;
    assert_int_equal(child_start(b->children, &config, &child), 0);
    assert_int_equal(loop_run(b->loop), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(the_end_of_a_command_is_told, set_up, tear_down),
        cmocka_unit_test_setup_teardown(what_cannot_be_run_exits_with_127, set_up, tear_down),
        cmocka_unit_test_setup_teardown(it_inherits_nothing, set_up, tear_down),
        cmocka_unit_test_setup_teardown(at_its_limit_the_whole_group_is_killed, set_up, tear_down),
        cmocka_unit_test_setup_teardown(first_it_is_asked_to_end, set_up, tear_down),
        cmocka_unit_test_setup_teardown(what_it_leaves_in_its_group_ends_with_it, set_up,
                                        tear_down),
        cmocka_unit_test_setup_teardown(of_its_output_the_end_is_kept, set_up, tear_down),
        cmocka_unit_test_setup_teardown(a_flood_is_cut_off, set_up, tear_down),
        cmocka_unit_test_setup_teardown(one_that_was_stopped_says_nothing, set_up, tear_down),
        cmocka_unit_test_setup_teardown(fifty_runs_leave_no_descriptor, set_up, tear_down),
        cmocka_unit_test_setup_teardown(one_that_does_not_die_is_told_as_well, set_up, tear_down),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
