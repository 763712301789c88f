/* SPDX-License-Identifier: MIT */
/* The agent's side of the guardian: one is always there, and it is told what to guard. */
#include "guardian.h"

#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/pidfd.h>
#include <sys/wait.h>
#include <unistd.h>

#define RESTART_US (100 * MS_US)

struct guardian {
    struct agent *agent;
    struct ledger *ledger;
    pid_t pid;
    int pidfd, ready_fd;
    bool is_replaced; /* we ended it ourselves */
    struct loop_io *death, *ready;
    struct loop_timer *restart;
};

static void watch_end(struct guardian *g)
{
    loop_io_free(g->death);
    loop_io_free(g->ready);
    g->death = g->ready = NULL;
    if (g->pidfd >= 0)
        close(g->pidfd);
    if (g->ready_fd >= 0)
        close(g->ready_fd);
    g->pidfd = g->ready_fd = -1;
    g->pid = 0;
}

static void on_ready(void *arg, int fd, unsigned what)
{
    struct guardian *g = arg;
    char byte;
    (void)what;
    if (read(fd, &byte, 1) != 1)
        return;
    loop_io_free(g->ready);
    g->ready = NULL;
    feed_simple(g->agent, EV_GUARDIAN, 0, true);
}

static void on_death(void *arg, int fd, unsigned what)
{
    struct guardian *g = arg;
    siginfo_t info;
    (void)what;
    waitid(P_PIDFD, (id_t)fd, &info, WEXITED | WNOHANG);
    pid_t pid = g->pid;
    watch_end(g);
    if (g->is_replaced)
        log_event(LOG_DEBUG, "guardian_replaced", NULL, NULL, "a new guardian for new settings");
    else
        log_event(
            LOG_ERROR, "guardian_lost", NULL, LOG_FIELDS(LOG_NUMBER("pid", pid)),
            "the guardian (pid %d) is gone; starting another, nothing is taken until it stands",
            (int)pid);
    g->is_replaced = false;
    feed_simple(g->agent, EV_GUARDIAN, 0, false);
    loop_timer_set(g->restart, 0);
}

/* Only what the guardian needs stays open: a listening socket in its hands would look like a
 * living agent, and a packet socket would collect frames for nobody. */
static void close_others(const int *keep, size_t n)
{
    int low = 3;
    for (;;) {
        int next = -1;
        for (size_t i = 0; i < n; i++)
            if (keep[i] >= low && (next < 0 || keep[i] < next))
                next = keep[i];
        if (next < 0)
            break;
        if (next > low)
            close_range((unsigned)low, (unsigned)next - 1, 0);
        low = next + 1;
    }
    close_range((unsigned)low, ~0u, 0);
}

static void run_child(struct guardian *g, int agent_pidfd, int ready_fd)
{
    int keep[3 + FENCE_FDS_MAX] = {agent_pidfd, ready_fd, g->agent->lock_fd};
    size_t n = 3 + fence_descriptors(g->agent->fence, keep + 3);
    close_others(keep, n);
    guard(&g->agent->settings, g->ledger, g->agent->fence, agent_pidfd, ready_fd);
}

/* Signals wait until the child ignores them: ours would be reported to the agent's loop. */
static pid_t fork_quietly(struct guardian *g, int agent_pidfd, int ready_fd)
{
    sigset_t all, before;
    sigfillset(&all);
    sigprocmask(SIG_SETMASK, &all, &before);
    pid_t pid = fork();
    if (pid == 0)
        run_child(g, agent_pidfd, ready_fd);
    int error = errno;
    sigprocmask(SIG_SETMASK, &before, NULL);
    return pid < 0 ? -error : pid;
}

static int spawn(struct guardian *g)
{
    int pipe_fds[2];
    int agent_pidfd = pidfd_open(getpid(), 0);
    if (agent_pidfd < 0)
        return -errno;
    if (pipe2(pipe_fds, O_CLOEXEC | O_NONBLOCK) < 0) {
        close(agent_pidfd);
        return -errno;
    }
    pid_t pid = fork_quietly(g, agent_pidfd, pipe_fds[1]);
    int r = pid < 0 ? pid : 0;
    close(agent_pidfd);
    close(pipe_fds[1]);
    g->ready_fd = pipe_fds[0];
    if (r == 0) {
        g->pid = pid;
        g->pidfd = pidfd_open(pid, 0);
        r = g->pidfd < 0 ? -errno
                         : loop_io_new(g->agent->loop, g->pidfd, LOOP_READ, on_death, g, &g->death);
    }
    if (r == 0)
        r = loop_io_new(g->agent->loop, g->ready_fd, LOOP_READ, on_ready, g, &g->ready);
    if (r < 0 &&
        pid > 0) { /* nobody would hear of its death; it has hardly begun, so this is short */
        kill(pid, SIGKILL);
        waitpid(pid, NULL, 0);
    }
    if (r < 0)
        watch_end(g);
    return r;
}

static void on_restart(void *arg)
{
    struct guardian *g = arg;
    int r = spawn(g);
    if (r < 0) {
        log_event(LOG_ERROR, "guardian_failed", NULL, LOG_FIELDS(LOG_TEXT("error", strerror(-r))),
                  "cannot start a guardian: %s; trying again", strerror(-r));
        loop_timer_set(g->restart, clock_now_us() + RESTART_US);
    }
}

static int take_life(struct ledger *l)
{
    pthread_mutexattr_t attr;
    int r = -pthread_mutexattr_init(&attr);
    if (r < 0)
        return r;
    pthread_mutexattr_setpshared(&attr, PTHREAD_PROCESS_SHARED);
    pthread_mutexattr_setrobust(&attr, PTHREAD_MUTEX_ROBUST);
    r = -pthread_mutex_init(&l->agent_lives, &attr);
    pthread_mutexattr_destroy(&attr);
    return r < 0 ? r : -pthread_mutex_lock(&l->agent_lives);
}

int guardian_start(struct agent *a)
{
    struct guardian *g = calloc(1, sizeof(*g));
    if (!g)
        return -ENOMEM;
    *g = (struct guardian){.agent = a, .pidfd = -1, .ready_fd = -1};
    a->guardian = g;
    g->ledger =
        mmap(NULL, sizeof(*g->ledger), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    if (g->ledger == MAP_FAILED) {
        g->ledger = NULL;
        return -ENOMEM;
    }
    g->ledger->agent_pid = getpid();
    int r = take_life(g->ledger);
    if (r == 0)
        r = loop_timer_new(a->loop, on_restart, g, &g->restart);
    a->election.has_guardian = false;
    return r < 0 ? r : spawn(g);
}

void guardian_restart(struct agent *a)
{
    struct guardian *g = a->guardian;
    g->is_replaced = g->pid > 0;
    if (g->is_replaced)
        pidfd_send_signal(g->pidfd, SIGKILL, NULL, 0); /* on_death() starts the next one */
}

void guardian_free(struct agent *a)
{
    struct guardian *g = a->guardian;
    if (!g)
        return;
    watch_end(g);
    loop_timer_free(g->restart);
    if (g->ledger)
        munmap(g->ledger, sizeof(*g->ledger));
    free(g);
    a->guardian = NULL;
}

int64_t guardian_pid(const struct agent *a)
{
    return a->guardian ? a->guardian->pid : 0;
}

void guardian_note_right(struct agent *a, int64_t lease, uint64_t right_us)
{
    atomic_store(&a->guardian->ledger->lease, lease);
    atomic_store(&a->guardian->ledger->right_us, right_us);
}

void guardian_note_address(struct agent *a, unsigned i, bool has_address, int64_t revision)
{
    struct ledger *l = a->guardian->ledger;
    const struct slot *slot = &a->slots[i];
    if (!has_address) {
        atomic_store(&l->vips[i].ifindex, 0);
        return;
    }
    if (atomic_load(&l->vips[i].ifindex) == 0)
        l->vips[i].ip = slot->ip;
    atomic_store(&l->vips[i].revision, revision);
    atomic_store(&l->vips[i].ifindex, slot->link ? slot->link->ifindex : 0);
}

void guardian_note_token(struct agent *a)
{
    if (!a->guardian)
        return;
    struct ledger *l = a->guardian->ledger;
    const char *token = etcd_client_token(a->etcd);
    if (strncmp(l->token, token, sizeof(l->token)) != 0)
        snprintf(l->token, sizeof(l->token), "%s", token);
}

void guardian_note_done(struct agent *a)
{
    atomic_store(&a->guardian->ledger->is_done, true);
}
