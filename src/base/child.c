/* SPDX-License-Identifier: MIT */
#include "base/child.h"

#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/pidfd.h>
#include <sys/prctl.h>
#include <sys/queue.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/clock.h"

#define CHUNK 4096
/* A flood would keep the loop busy. Who writes more than this is cut off (SIGPIPE). */
#define FLOOD_MAX (1u << 20)
#define NOT_RUN 127 /* as shells say it */

LIST_HEAD(child_list, child);

struct children {
    struct loop *loop;
    struct child_list list;
};

struct child {
    struct children *children;
    LIST_ENTRY(child) link;
    pid_t pid;
    int pidfd, output_fd;
    struct loop_io *death, *readable;
    struct loop_timer *limit;
    uint64_t grace_us;
    bool is_timed_out, is_killed;
    void (*on_end)(void *arg, const struct child_end *end); /* NULL: nobody wants to know */
    void *arg;
    size_t total, tail_len;
    char tail[CHILD_OUTPUT_MAX];
};

static void close_output(struct child *c)
{
    loop_io_free(c->readable);
    c->readable = NULL;
    if (c->output_fd >= 0)
        close(c->output_fd);
    c->output_fd = -1;
}

static void child_free(struct child *c)
{
    LIST_REMOVE(c, link);
    close_output(c);
    loop_io_free(c->death);
    loop_timer_free(c->limit);
    if (c->pidfd >= 0)
        close(c->pidfd);
    free(c);
}

/* The group, and by its own handle the leader, which may not have made the group yet. */
static void kill_group(struct child *c, int signum)
{
    c->is_killed = c->is_killed || signum == SIGKILL;
    kill(-c->pid, signum);
    pidfd_send_signal(c->pidfd, signum, NULL, 0);
}

static void keep_tail(struct child *c, const char *data, size_t n)
{
    if (n > sizeof(c->tail)) {
        data += n - sizeof(c->tail);
        n = sizeof(c->tail);
    }
    size_t kept = sizeof(c->tail) - n < c->tail_len ? sizeof(c->tail) - n : c->tail_len;
    memmove(c->tail, c->tail + c->tail_len - kept, kept);
    memcpy(c->tail + kept, data, n);
    c->tail_len = kept + n;
}

enum { OUTPUT_ENDED, OUTPUT_EMPTY, OUTPUT_READ };

static int read_chunk(struct child *c)
{
    char data[CHUNK];
    ssize_t n = c->output_fd < 0 ? 0 : read(c->output_fd, data, sizeof(data));
    if (n < 0 && (errno == EAGAIN || errno == EINTR))
        return OUTPUT_EMPTY;
    if (n <= 0 || c->total > FLOOD_MAX)
        return OUTPUT_ENDED;
    keep_tail(c, data, (size_t)n);
    c->total += (size_t)n;
    return OUTPUT_READ;
}

static void on_output(void *arg, int fd, unsigned what)
{
    struct child *c = arg;
    (void)fd;
    (void)what;
    if (read_chunk(c) == OUTPUT_ENDED)
        close_output(c);
}

/* Once. on_end() may do anything but free `children`. */
static void tell(struct child *c, int signum, int status)
{
    void (*on_end)(void *, const struct child_end *) = c->on_end;
    c->on_end = NULL;
    while (read_chunk(c) == OUTPUT_READ)
        ;
    close_output(c);
    const struct child_end end = {.is_timed_out = c->is_timed_out,
                                  .signal = signum,
                                  .status = status,
                                  .output = c->tail,
                                  .output_len = c->tail_len};
    if (on_end)
        on_end(c->arg, &end);
}

static void on_death(void *arg, int fd, unsigned what)
{
    struct child *c = arg;
    siginfo_t info = {.si_pid = 0};
    (void)what;
    /* First of all the others: once the leader is reaped, the group's number may be anybody's. */
    kill(-c->pid, SIGKILL);
    if (waitid(P_PIDFD, (id_t)fd, &info, WEXITED | WNOHANG) == 0 && info.si_pid == 0)
        return;
    tell(c, info.si_code == CLD_EXITED ? 0 : info.si_status,
         info.si_code == CLD_EXITED ? info.si_status : 0);
    child_free(c);
}

/* What was killed is over for who waits for it, dead or not: a process that hangs in the kernel (a
 * dead file server) dies when that lets go of it, which may be never. */
static void on_limit(void *arg)
{
    struct child *c = arg;
    bool is_asked = !c->is_timed_out && c->grace_us > 0;
    c->is_timed_out = true;
    kill_group(c, is_asked ? SIGTERM : SIGKILL);
    if (is_asked)
        loop_timer_set(c->limit, clock_now_us() + c->grace_us);
    else
        tell(c, SIGKILL, 0);
}

/* In the child, with all signals blocked: only what is safe after fork(). */
static void become(const struct child_config *config, int output_fd)
{
    const struct sched_param ordinary = {.sched_priority = 0};
    sigset_t none;
    int null = open("/dev/null", O_RDWR);
    setsid();
    if (null < 0 || dup2(null, 0) < 0 || dup2(output_fd < 0 ? null : output_fd, 1) < 0 ||
        dup2(1, 2) < 0 || close_range(3, ~0u, 0) < 0)
        _exit(NOT_RUN);
    if (config->ends_with_parent)
        prctl(PR_SET_PDEATHSIG, SIGKILL);
    prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_CLEAR_ALL, 0, 0, 0);
    sched_setscheduler(0, SCHED_OTHER, &ordinary);
    for (int i = 1; i < NSIG; i++)
        signal(i, SIG_DFL);
    sigemptyset(&none);
    sigprocmask(SIG_SETMASK, &none, NULL);
    execve(config->command[0], (char *const *)config->command, (char *const *)config->environment);
    _exit(NOT_RUN);
}

/* fork(), not vfork(): exec from a dead file server may take for ever, and we must not. Signals
 * wait until the child has its own handlers, or it would report them to our loop. */
static pid_t spawn(const struct child_config *config, int output_fd)
{
    sigset_t all, before;
    sigfillset(&all);
    sigprocmask(SIG_SETMASK, &all, &before);
    pid_t pid = fork();
    if (pid == 0)
        become(config, output_fd);
    int error = errno;
    sigprocmask(SIG_SETMASK, &before, NULL);
    return pid < 0 ? -error : pid;
}

static int start(struct child *c, const struct child_config *config, int output_fd)
{
    struct loop *loop = c->children->loop;
    int r = loop_timer_new(loop, on_limit, c, &c->limit);
    if (r == 0 && c->output_fd >= 0)
        r = loop_io_new(loop, c->output_fd, LOOP_READ, on_output, c, &c->readable);
    if (r < 0)
        return r;
    pid_t pid = spawn(config, output_fd);
    if (pid < 0)
        return pid;
    c->pid = pid;
    c->pidfd = pidfd_open(pid, 0);
    r = c->pidfd < 0 ? -errno : loop_io_new(loop, c->pidfd, LOOP_READ, on_death, c, &c->death);
    if (r < 0) { /* it has hardly begun, so this wait is short */
        kill(pid, SIGKILL);
        waitpid(pid, NULL, 0);
        return r;
    }
    loop_timer_set(c->limit, clock_now_us() + config->timeout_us);
    return 0;
}

static unsigned count_dying(const struct children *children, const void *arg)
{
    const struct child *c;
    unsigned n = 0;
    for (c = LIST_FIRST(&children->list); c; c = LIST_NEXT(c, link))
        n += c->is_killed && c->arg == arg;
    return n;
}

int child_start(struct children *children, const struct child_config *config,
                struct child **ret_child)
{
    int fds[2] = {-1, -1};
    if (count_dying(children, config->arg) >= CHILD_DYING_MAX)
        return -EBUSY;
    struct child *c = calloc(1, sizeof(*c));
    if (!c)
        return -ENOMEM;
    *c = (struct child){.children = children,
                        .pidfd = -1,
                        .output_fd = -1,
                        .grace_us = config->grace_us,
                        .on_end = config->on_end,
                        .arg = config->arg};
    LIST_INSERT_HEAD(&children->list, c, link);
    int r = config->has_output && pipe2(fds, O_CLOEXEC) < 0 ? -errno : 0;
    c->output_fd = fds[0];
    /* Our end only: a command may not expect that writing can fail for a moment. */
    if (r == 0 && fds[0] >= 0 && fcntl(fds[0], F_SETFL, O_NONBLOCK) < 0)
        r = -errno;
    if (r == 0)
        r = start(c, config, fds[1]);
    if (fds[1] >= 0)
        close(fds[1]);
    if (r < 0) {
        child_free(c);
        return r;
    }
    *ret_child = c;
    return 0;
}

const char *child_error(int error)
{
    return error == -EBUSY ? "not run: the last ones were killed and do not die" : strerror(-error);
}

void child_stop(struct child *c)
{
    if (!c)
        return;
    c->on_end = NULL;
    close_output(c);
    loop_timer_set(c->limit, UINT64_MAX);
    kill_group(c, SIGKILL); /* reaped when it is dead: in the kernel it may hang for long */
}

int children_new(struct loop *loop, struct children **ret_children)
{
    struct children *children = calloc(1, sizeof(*children));
    if (!children)
        return -ENOMEM;
    children->loop = loop;
    LIST_INIT(&children->list);
    *ret_children = children;
    return 0;
}

void children_free(struct children *children)
{
    struct child *c;
    if (!children)
        return;
    while ((c = LIST_FIRST(&children->list))) {
        kill_group(c, SIGKILL);
        waitid(P_PIDFD, (id_t)c->pidfd, NULL, WEXITED | WNOHANG);
        child_free(c);
    }
    free(children);
}
