/* SPDX-License-Identifier: MIT */
/* What the host must be like before an agent may run on it, and what the agent needs of it. What
 * is wrong is said on stderr; nothing is changed. */
#include "state.h"

#include "net/address.h"

#include <cap-ng.h>
#include <errno.h>
#include <inttypes.h>
#include <poll.h>
#include <sched.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#define LOCK_WAIT_US (6 * SECOND_US)
#define LOCK_DYING_US (SECOND_US / 2) /* closing packet sockets takes a killed agent 20 ms */
#define LOCK_POLL_MS 20
#define PRIORITY 1 /* above all that is ordinary, below the guardian */
#define BUSY_MAX_US (300 * MS_US)

int host_check_rights(void)
{
    static const struct {
        unsigned capability;
        const char *name;
    } needed[] = {{CAP_NET_ADMIN, "CAP_NET_ADMIN"}, {CAP_NET_RAW, "CAP_NET_RAW"}};
    capng_get_caps_process();
    for (unsigned i = 0; i < sizeof(needed) / sizeof(needed[0]); i++) {
        if (capng_have_capability(CAPNG_EFFECTIVE, needed[i].capability))
            continue;
        fprintf(stderr,
                "talosvip: cannot set and announce addresses: %s is missing\n"
                "  hint: run as root or: setcap cap_net_admin,cap_net_raw,cap_bpf,cap_sys_nice+ep "
                "/path/to/talosvip\n",
                needed[i].name);
        return 5;
    }
    return 0;
}

/* Talos keeps etcd's certificates for etcd's own user, and they are read again when they change. */
static bool has_foreign_files(const struct settings *s)
{
    const char *const files[] = {s->cacert, s->cert, s->key, s->password_file};
    for (unsigned i = 0; i < sizeof(files) / sizeof(files[0]); i++) {
        struct stat st;
        if (files[i] && (stat(files[i], &st) < 0 || st.st_uid != geteuid()))
            return true;
    }
    return false;
}

/* What is not needed any more goes; a kernel that refuses is no reason to stop. */
void host_drop_rights(const struct settings *s)
{
    const unsigned kept[] = {CAP_NET_ADMIN, CAP_NET_RAW,  CAP_BPF,
                             CAP_SYS_NICE,  CAP_IPC_LOCK, CAP_DAC_READ_SEARCH};
    enum { KEPT = sizeof(kept) / sizeof(kept[0]) };
    const unsigned n = has_foreign_files(s) ? KEPT : KEPT - 1;
    bool had[KEPT];
    capng_get_caps_process();
    for (unsigned i = 0; i < n; i++)
        had[i] = capng_have_capability(CAPNG_PERMITTED, kept[i]);
    capng_clear(CAPNG_SELECT_CAPS);
    for (unsigned i = 0; i < n; i++)
        if (had[i])
            capng_update(CAPNG_ADD, (capng_type_t)(CAPNG_EFFECTIVE | CAPNG_PERMITTED), kept[i]);
    capng_apply(CAPNG_SELECT_CAPS);
}

/* A process that has ended but was not waited for yet does not run. */
static bool is_running(int64_t pid)
{
    int fd = pid > 0 ? (int)syscall(SYS_pidfd_open, (pid_t)pid, 0) : -1;
    if (fd < 0)
        return pid > 0 && errno == EPERM;
    struct pollfd ended = {.fd = fd, .events = POLLIN};
    bool has_ended = poll(&ended, 1, 0) > 0;
    close(fd);
    return !has_ended;
}

static volatile sig_atomic_t was_busy;

/* We have not waited for anything in BUSY_MAX_US, and never will if it is a bug: as an ordinary
 * process that harms nobody. The signal may come to any thread; the one that is urgent has the
 * process's number. */
static void on_busy(int signum)
{
    const struct sched_param param = {.sched_priority = 0};
    int saved = errno;
    (void)signum;
    /* Taking back RESET_ON_FORK would need a right that we may not have. */
    was_busy = sched_setscheduler(getpid(), SCHED_OTHER | SCHED_RESET_ON_FORK, &param) == 0;
    errno = saved;
}

static int go_first(void)
{
    const struct sched_param param = {.sched_priority = PRIORITY};
    const struct sigaction busy = {.sa_handler = on_busy, .sa_flags = SA_RESTART};
    struct rlimit limit;
    if (getrlimit(RLIMIT_RTTIME, &limit) < 0)
        return -errno;
    if (limit.rlim_cur > BUSY_MAX_US)
        limit.rlim_cur = BUSY_MAX_US;
    if (sigaction(SIGXCPU, &busy, NULL) < 0 || setrlimit(RLIMIT_RTTIME, &limit) < 0)
        return -errno;
    /* What we start is not urgent. */
    return sched_setscheduler(0, SCHED_FIFO | SCHED_RESET_ON_FORK, &param) < 0 ? -errno : 0;
}

/* Only what is touched: all that is mapped would be megabytes. Under a limit, memory that is
 * asked for later could be refused, which is worse than swapped out. */
void host_lock_memory(void)
{
    struct rlimit limit = {.rlim_cur = 0};
    capng_get_caps_process();
    getrlimit(RLIMIT_MEMLOCK, &limit);
    if (limit.rlim_cur == RLIM_INFINITY || capng_have_capability(CAPNG_EFFECTIVE, CAP_IPC_LOCK))
        mlockall(MCL_CURRENT | MCL_FUTURE | MCL_ONFAULT);
}

void host_go_first(void)
{
    int r = go_first();
    if (r < 0)
        log_event(LOG_INFO, "not_urgent", NULL, LOG_FIELDS(LOG_TEXT("reason", strerror(-r))),
                  "no real-time priority (%s): a very busy host may hold this agent up",
                  strerror(-r));
    host_lock_memory();
}

void host_tell_busy(void)
{
    if (!was_busy)
        return;
    was_busy = false;
    log_event(LOG_WARN, "not_urgent", NULL, LOG_FIELDS(LOG_TEXT("reason", "busy")),
              "ran for %u ms without a pause; real-time priority is given up until a restart",
              (unsigned)(BUSY_MAX_US / MS_US));
}

/* A guardian that is still giving up for a dead agent holds the lock for a moment. */
int host_take_lock(struct agent *a)
{
    uint64_t begun = clock_now_us();
    int64_t pid = 0;
    char owner[32] = "";
    int r = lock_take(&a->lock_fd);
    if (r == -EADDRINUSE)
        pid = lock_owner();
    while (r == -EADDRINUSE &&
           clock_now_us() < begun + (is_running(pid) ? LOCK_DYING_US : LOCK_WAIT_US)) {
        poll(NULL, 0, LOCK_POLL_MS);
        r = lock_take(&a->lock_fd);
    }
    if (r == 0)
        return 0;
    if (r == -EADDRINUSE && !is_running(pid))
        pid = lock_owner(); /* who was there when we came has ended, and another was quicker */
    if (pid > 0)
        snprintf(owner, sizeof(owner), " (pid %" PRId64 ")", pid);
    if (r == -EADDRINUSE)
        fprintf(stderr, "talosvip: another agent runs on this host%s\n", owner);
    else
        fprintf(stderr, "talosvip: cannot take the lock against a second agent: %s\n",
                strerror(-r));
    return 1;
}

int host_check_ttl(const struct agent *a, bool is_fenced)
{
    struct buf why;
    buf_init(&why, 512);
    int r = settings_check_ttl(&a->settings, is_fenced, &why);
    if (r < 0)
        fprintf(stderr, "talosvip: %s\n", buf_str(&why));
    if (r < 0 && a->fence_reason)
        fprintf(stderr, "  hint: no packet fence here: %s\n", a->fence_reason);
    buf_done(&why);
    return r < 0 ? 2 : 0;
}

/* Somebody configured a VIP by hand: it would be on two nodes as soon as another took it. */
int host_find_foreign(struct agent *a, const struct ip *vip, struct address *ret_foreign,
                      char ret_name[LINK_NAME_MAX])
{
    struct address *list;
    struct link link;
    size_t n, i = 0;
    int r = address_find(a->netlink, vip, &list, &n);
    if (r < 0)
        return r;
    while (i < n && address_is_ours(&list[i]))
        i++;
    if (i < n) {
        bool is_named = link_get(a->netlink, list[i].ifindex, &link) == 0;
        snprintf(ret_name, LINK_NAME_MAX, "%s", is_named ? link.name : "?");
        *ret_foreign = list[i];
        r = 1;
    }
    free(list);
    return r;
}

int host_check_untouched(struct agent *a)
{
    for (size_t k = 0; k < a->config->n_vips; k++) {
        struct address foreign;
        char name[LINK_NAME_MAX], text[IP_TEXT_MAX];
        int r = host_find_foreign(a, &a->config->vips[k].ip, &foreign, name);
        if (r == 0)
            continue;
        if (r < 0)
            return 4;
        ip_format(&foreign.ip, text);
        fprintf(stderr,
                "talosvip: %s is already set on %s, and not by talosvip\n"
                "  hint: take it off there first: ip addr del %s/%u dev %s\n",
                text, name, text, foreign.bits, name);
        return 1;
    }
    return 0;
}
