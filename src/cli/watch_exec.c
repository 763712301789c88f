/* SPDX-License-Identifier: MIT */
#include "watch_exec.h"

#include <errno.h>
#include <inttypes.h>
#include <signal.h>
#include <spawn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>

#define WAITING_MAX 1024
#define VARIABLES 7
#define VARIABLE_MAX 224

extern char **environ;

struct watch_exec {
    struct loop *loop;
    const char *command;
    struct loop_signal *child;
    pid_t pid; /* 0: none runs */
    struct event waiting[WAITING_MAX];
    unsigned first, n;
    bool is_draining;
};

static void set_variables(const struct event *e, char text[VARIABLES][VARIABLE_MAX])
{
    char ip[IP_TEXT_MAX] = "";
    if (e->vip.family != IP_NONE)
        ip_format(&e->vip, ip);
    snprintf(text[0], VARIABLE_MAX, "TALOSVIP_EVENT=%s", event_kind_name(e->kind));
    snprintf(text[1], VARIABLE_MAX, "TALOSVIP_VIP=%s", ip);
    snprintf(text[2], VARIABLE_MAX, "TALOSVIP_FROM=%s", e->from);
    snprintf(text[3], VARIABLE_MAX, "TALOSVIP_TO=%s", e->to);
    snprintf(text[4], VARIABLE_MAX, "TALOSVIP_CAUSE=%s", e->cause);
    if (e->outage_us >= 0)
        snprintf(text[5], VARIABLE_MAX, "TALOSVIP_OUTAGE_MS=%" PRId64, e->outage_us / 1000);
    else
        snprintf(text[5], VARIABLE_MAX, "TALOSVIP_OUTAGE_MS=");
    snprintf(text[6], VARIABLE_MAX, "TALOSVIP_TEXT=%s", e->text);
}

static bool is_ours(const char *variable, char text[VARIABLES][VARIABLE_MAX])
{
    for (size_t i = 0; i < VARIABLES; i++)
        if (strncmp(variable, text[i], strcspn(text[i], "=") + 1) == 0)
            return true;
    return false;
}

/* The caller's, without what is called as ours: of two that are called the same, shells differ in
 * which one counts. NULL: no memory. */
static char **make_environment(char text[VARIABLES][VARIABLE_MAX])
{
    size_t n = 0, used = VARIABLES;
    while (environ[n])
        n++;
    char **list = calloc(n + VARIABLES + 1, sizeof(*list));
    for (size_t i = 0; list && i < VARIABLES; i++)
        list[i] = text[i];
    for (size_t i = 0; list && i < n; i++)
        if (!is_ours(environ[i], text))
            list[used++] = environ[i];
    return list;
}

static void start(struct watch_exec *x)
{
    char text[VARIABLES][VARIABLE_MAX], *argv[] = {"sh", "-c", (char *)(uintptr_t)x->command, NULL};
    while (x->n > 0 && x->pid == 0) {
        set_variables(&x->waiting[x->first], text);
        char **list = make_environment(text);
        x->first = (x->first + 1) % WAITING_MAX;
        x->n--;
        if (!list || posix_spawn(&x->pid, "/bin/sh", NULL, NULL, argv, list) != 0)
            x->pid = 0;
        free(list);
    }
}

static void on_child(void *arg, int signum)
{
    struct watch_exec *x = arg;
    (void)signum;
    if (x->pid && waitpid(x->pid, NULL, WNOHANG) != 0)
        x->pid = 0;
    start(x);
    if (x->is_draining && x->pid == 0)
        loop_stop(x->loop);
}

int watch_exec_new(struct loop *loop, const char *command, struct watch_exec **ret_exec)
{
    struct watch_exec *x = calloc(1, sizeof(*x));
    if (!x)
        return -ENOMEM;
    x->loop = loop;
    x->command = command;
    int r = loop_signal_new(loop, SIGCHLD, on_child, x, &x->child);
    if (r < 0) {
        free(x);
        return r;
    }
    *ret_exec = x;
    return 0;
}

void watch_exec_free(struct watch_exec *exec)
{
    if (!exec)
        return;
    loop_signal_free(exec->child);
    free(exec);
}

bool watch_exec_add(struct watch_exec *exec, const struct event *event)
{
    if (exec->n == WAITING_MAX)
        return false;
    exec->waiting[(exec->first + exec->n++) % WAITING_MAX] = *event;
    start(exec);
    return true;
}

static void on_deadline(void *arg)
{
    loop_stop(arg);
}

unsigned watch_exec_drain(struct watch_exec *exec, uint64_t deadline_us)
{
    struct loop_timer *timer = NULL;
    exec->is_draining = true;
    if (exec->pid && loop_timer_new(exec->loop, on_deadline, exec->loop, &timer) == 0) {
        loop_timer_set(timer, deadline_us);
        loop_run(exec->loop);
        loop_timer_free(timer);
    }
    return exec->n;
}
