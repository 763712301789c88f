/* SPDX-License-Identifier: MIT */
/* The guardian: a process of its own that takes the addresses off when the agent is dead or its
 * right has run out, and then gives up in etcd, so that the next node need not wait or probe. It
 * does nothing else, and needs nothing of the agent but a page of shared memory. */
#include "guardian.h"

#include "net/address.h"

#include <errno.h>
#include <poll.h>
#include <sched.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/prctl.h>
#include <sys/timerfd.h>
#include <unistd.h>

#define GUARD_PRIORITY 10
#define GUARD_RECHECK_US SECOND_US
#define GUARD_RETRY_US (50 * MS_US)
#define GUARD_RETRIES 40
#define GUARD_DETACH_DELAY_US (300 * MS_US)
#define MOURNER_STACK 65536

/* As hard to hold up as the machine allows; each is a help, none a need. */
static void stand_firm(void)
{
    const struct sched_param param = {.sched_priority = GUARD_PRIORITY};
    sigset_t none;
    setsid();
    prctl(PR_SET_NAME, "talosvip-guard");
    signal(SIGTERM, SIG_IGN);
    signal(SIGINT, SIG_IGN);
    signal(SIGHUP, SIG_IGN);
    signal(SIGABRT, SIG_IGN); /* systemd's watchdog sends it to all; abort(3) works all the same */
    signal(SIGPIPE, SIG_IGN);
    sigemptyset(&none);
    sigprocmask(SIG_SETMASK, &none, NULL);
    host_lock_memory();
    sched_setscheduler(0, SCHED_FIFO, &param);
}

/* Takes off all that is noted, and marks what was. 0, or the last error. */
static int clear(struct netlink *nl, struct ledger *l, bool *was_held)
{
    int result = 0;
    for (unsigned i = 0; i < ELECTION_VIPS_MAX; i++) {
        int ifindex = atomic_load(&l->vips[i].ifindex);
        if (ifindex == 0)
            continue;
        int r = address_remove(nl, ifindex, &l->vips[i].ip);
        if (r < 0)
            result = r;
        else if (was_held)
            was_held[i] = true;
    }
    return result;
}

/* In a mixed order an agent that hangs may put one back after it thaws; the agent itself then
 * sees that its right is past, and the packet fence is closed. */
static void on_agent_dead(struct farewell *farewell, struct ledger *l, struct fence *fence,
                          struct netlink *nl)
{
    bool was_held[ELECTION_VIPS_MAX] = {false};
    int r = clear(nl, l, was_held);
    for (int i = 0; r < 0 && i < GUARD_RETRIES; i++) {
        poll(NULL, 0, GUARD_RETRY_US / MS_US);
        r = clear(nl, l, was_held);
    }
    if (r < 0) /* then the fence must stay, and the lease runs out by itself */
        _exit(1);
    fence_disarm_all(fence);
    if (!atomic_load(&l->is_done) && atomic_load(&l->lease) > 0)
        farewell_say(farewell, was_held);
    /* Detaching takes the kernel's one lock for all links, for tens of milliseconds in which on the
     * same machine no other namespace can set an address. Nobody waits for it. */
    poll(NULL, 0, GUARD_DETACH_DELAY_US / MS_US);
    fence_close(fence);
    _exit(0);
}

struct mourner {
    struct ledger *ledger;
    int event_fd;
};

/* A thread of its own, for nothing polls a lock. */
static void *mourn(void *arg)
{
    struct mourner *m = arg;
    const uint64_t one = 1;
    int r = pthread_mutex_lock(&m->ledger->agent_lives);
    if (r == EOWNERDEAD && write(m->event_fd, &one, sizeof(one)) < 0)
        _exit(1); /* then the address lifetime and the packet fence are left */
    return NULL;
}

static int start_mourning(struct mourner *m)
{
    pthread_attr_t attr;
    pthread_t thread;
    m->event_fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
    if (m->event_fd < 0)
        return -errno;
    int r = -pthread_attr_init(&attr);
    if (r < 0)
        return r;
    pthread_attr_setstacksize(&attr, MOURNER_STACK);
    pthread_attr_setdetachstate(&attr, PTHREAD_CREATE_DETACHED);
    r = -pthread_create(&thread, &attr, mourn, m);
    pthread_attr_destroy(&attr);
    return r;
}

static void arm(int timer_fd, uint64_t deadline_us)
{
    uint64_t now = clock_now_us();
    uint64_t at = deadline_us > now ? deadline_us : now + GUARD_RECHECK_US;
    const struct itimerspec spec = {
        .it_value = {.tv_sec = (time_t)(at / SECOND_US), .tv_nsec = (long)(at % SECOND_US) * 1000}};
    timerfd_settime(timer_fd, TFD_TIMER_ABSTIME, &spec, NULL);
}

void guard(const struct settings *settings, struct ledger *ledger, struct fence *fence,
           int agent_pidfd, int ready_fd)
{
    struct netlink *nl;
    struct farewell *farewell;
    struct mourner mourner = {.ledger = ledger};
    stand_firm();
    int timer_fd = timerfd_create(CLOCK_BOOTTIME, TFD_CLOEXEC | TFD_NONBLOCK);
    if (timer_fd < 0 || netlink_open(&nl) < 0 || start_mourning(&mourner) < 0 ||
        farewell_prepare(settings, ledger, &farewell) < 0)
        _exit(1);
    arm(timer_fd, atomic_load(&ledger->right_us));
    if (write(ready_fd, "r", 1) != 1)
        _exit(1);
    close(ready_fd);
    struct pollfd fds[] = {{.fd = agent_pidfd, .events = POLLIN},
                           {.fd = mourner.event_fd, .events = POLLIN},
                           {.fd = timer_fd, .events = POLLIN}};
    for (;;) {
        uint64_t expirations;
        if (poll(fds, 3, -1) < 0 && errno != EINTR)
            _exit(1);
        if (fds[0].revents || fds[1].revents)
            on_agent_dead(farewell, ledger, fence, nl);
        if (fds[2].revents && read(timer_fd, &expirations, sizeof(expirations)) > 0) {
            if (clock_now_us() >= atomic_load(&ledger->right_us))
                clear(nl, ledger, NULL);
            arm(timer_fd, atomic_load(&ledger->right_us));
        }
    }
}
