/* SPDX-License-Identifier: MIT */
/* Watches VIPs from outside the nodes: who answers for them, and what a client gets.
 *
 *   observer -i eth0 [-l EVENTS] [-d SECONDS] VIP...
 *
 * 1. Every 5 ms an ARP probe with sender 0 (IPv6: a solicitation from an address nobody has) asks
 *    "who has the VIP?". Each probe goes out under one of 16 MACs in turn, and an owner answers to
 *    the MAC that asked, so an answer belongs to one known probe. Two MACs that answer the same
 *    probe are two owners: `dup`. Neither probes nor answers change what any cache says of the VIP.
 * 2. Every 2 ms an ordinary socket sends an ICMP echo to the VIP, through the kernel's own
 *    neighbour cache, as a client does. An outage lasts from the sending of the first request that
 *    got no answer to the arrival (by the kernel's timestamp) of the next answer to any.
 *
 * Where the observer itself woke more than 5 ms late, the machine stood still and not the VIP; that
 * time is told beside the gap (`lateMs`) and is not counted as outage.
 *
 * Events go to EVENTS (or stdout) as JSON lines; `t` is CLOCK_BOOTTIME in seconds. Commands on
 * stdin, each answered by one line on stdout: reset, state, summary, pause, resume, quit. */
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <sched.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/parse.h"
#include "observer.h"

struct vip vips[VIPS_MAX];
unsigned vip_count;
static unsigned probe_turn;
static bool is_paused;
static int packet_fd;
static volatile sig_atomic_t is_ended;

void die(const char *what)
{
    fprintf(stderr, "observer: %s: %s\n", what, strerror(errno));
    exit(1);
}

/* The kernel's time of arrival, on CLOCK_BOOTTIME; now, if it gave none. */
static uint64_t arrival_us(struct msghdr *msg)
{
    for (struct cmsghdr *c = CMSG_FIRSTHDR(msg); c != NULL; c = CMSG_NXTHDR(msg, c)) {
        struct timespec ts;
        uint64_t age_us, now = clock_now_us();

        if (c->cmsg_level != SOL_SOCKET || c->cmsg_type != SCM_TIMESTAMPNS)
            continue;
        memcpy(&ts, CMSG_DATA(c), sizeof(ts));
        age_us = clock_wall_us() - ((uint64_t)ts.tv_sec * 1000000 + (uint64_t)ts.tv_nsec / 1000);
        return age_us < now ? now - age_us : now;
    }
    return clock_now_us();
}

/* One message; its length, or -1 when there is no more. */
ssize_t message_read(int fd, uint8_t *data, size_t size, uint64_t *ret_at)
{
    union {
        char bytes[128];
        struct cmsghdr align;
    } control;
    struct iovec iov = {data, size};
    struct msghdr msg = {.msg_iov = &iov,
                         .msg_iovlen = 1,
                         .msg_control = control.bytes,
                         .msg_controllen = sizeof(control.bytes)};
    ssize_t len = recvmsg(fd, &msg, MSG_DONTWAIT);

    if (len >= 0)
        *ret_at = arrival_us(&msg);
    return len;
}

static void pause_set(bool on)
{
    is_paused = on;
    for (unsigned i = 0; i < vip_count; i++) {
        vips[i].waiting_us = 0;
        memset(vips[i].slots, 0, sizeof(vips[i].slots));
    }
}

static void command_run(const char *line)
{
    uint64_t now = clock_now_us();

    if (strcmp(line, "reset") == 0)
        report_reset(now);
    else if (strcmp(line, "pause") == 0 || strcmp(line, "resume") == 0)
        pause_set(line[0] == 'p');
    else if (strcmp(line, "quit") == 0)
        is_ended = 1;
    if (strcmp(line, "summary") == 0)
        report_summary(now);
    else if (strcmp(line, "quit") != 0) /* it ends with a summary of its own */
        report_state(now);
    fflush(stdout);
}

static void commands_read(void)
{
    static char line[64];
    static size_t len;
    char c;
    ssize_t n;

    while ((n = read(STDIN_FILENO, &c, 1)) == 1) {
        if (c != '\n' && len < sizeof(line) - 1) {
            line[len++] = c;
        } else if (c == '\n') {
            line[len] = '\0';
            len = 0;
            command_run(line);
        }
    }
    if (n == 0)
        is_ended = 1;
}

static void late_note(uint64_t due, uint64_t now)
{
    if (now < due + LATE_US || is_paused)
        return;
    report_late(now - due);
    for (unsigned i = 0; i < vip_count; i++) {
        if (vips[i].waiting_us != 0)
            vips[i].late_us += now - (due > vips[i].waiting_us ? due : vips[i].waiting_us);
    }
}

static void probes_send(uint64_t now)
{
    for (unsigned i = 0; i < vip_count; i++) {
        wire_judge(&vips[i], now);
        wire_probe(&vips[i], probe_turn, now);
    }
    probe_turn = (probe_turn + 1) % SLOTS;
}

static void loop_wait(uint64_t due, bool has_commands)
{
    struct pollfd fds[2 + VIPS_MAX] = {{.fd = packet_fd, .events = POLLIN},
                                       {.fd = has_commands ? 0 : -1, .events = POLLIN}};
    uint64_t now = clock_now_us(), left = due > now ? due - now : 0;
    struct timespec wait = {(time_t)(left / 1000000), (long)(left % 1000000) * 1000};

    for (unsigned i = 0; i < vip_count; i++)
        fds[2 + i] = (struct pollfd){.fd = vips[i].echo_fd, .events = POLLIN};
    if (ppoll(fds, 2 + vip_count, &wait, NULL) < 0 && errno != EINTR)
        die("ppoll");
    /* Before the answers are read, which end the waits that a late wake-up is noted for. */
    late_note(due, clock_now_us());
    wire_read();
    for (unsigned i = 0; i < vip_count; i++)
        echo_read(&vips[i]);
    if (fds[1].revents != 0)
        commands_read();
}

static void observe(uint64_t until, bool has_commands)
{
    uint64_t next_probe = clock_now_us(), next_echo = next_probe;

    while (!is_ended) {
        uint64_t now;

        loop_wait(next_probe < next_echo ? next_probe : next_echo, has_commands);
        now = clock_now_us();
        if (now >= until)
            break;
        if (now >= next_probe) {
            if (!is_paused)
                probes_send(now);
            next_probe = now - next_probe < PROBE_US ? next_probe + PROBE_US : now + PROBE_US;
        }
        if (now >= next_echo) {
            for (unsigned i = 0; i < vip_count && !is_paused; i++)
                echo_send(&vips[i], now);
            next_echo = now - next_echo < ECHO_US ? next_echo + ECHO_US : now + ECHO_US;
        }
    }
    report_summary(clock_now_us());
}

static void on_signal(int signum)
{
    (void)signum;
    is_ended = 1;
}

static void usage(void)
{
    fputs("usage: observer -i LINK [-l EVENTS] [-d SECONDS] VIP...\n", stderr);
    exit(2);
}

static void vip_add(const char *text)
{
    struct vip *v = &vips[vip_count];

    if (vip_count == VIPS_MAX || ip_parse(text, &v->ip) < 0)
        usage();
    ip_format(&v->ip, v->text);
    v->echo_id = (uint16_t)(getpid() * VIPS_MAX + (int)vip_count);
    echo_open(v);
    vip_count++;
}

/* Ahead of everything it watches, where it may be; on a busy machine that is what keeps it exact.
 */
static void be_prompt(void)
{
    struct sched_param param = {.sched_priority = 50};

    (void)sched_setscheduler(0, SCHED_FIFO, &param);
    (void)mlockall(MCL_CURRENT | MCL_FUTURE);
    (void)prctl(PR_SET_TIMERSLACK, 1UL);
}

int main(int argc, char **argv)
{
    const char *link = NULL;
    uint64_t duration_s = 0, until = UINT64_MAX;
    struct sigaction end = {.sa_handler = on_signal};
    FILE *events = stdout;
    int opt;

    while ((opt = getopt(argc, argv, "i:l:d:")) != -1) {
        if (opt == 'i')
            link = optarg;
        else if (opt == 'l' && (events = fopen(optarg, "ae")) == NULL)
            die(optarg);
        else if (opt == '?' || (opt == 'd' && parse_u64(optarg, &duration_s) < 0))
            usage();
    }
    if (link == NULL || optind == argc)
        usage();
    report_to(events);
    packet_fd = wire_open(link);
    while (optind < argc)
        vip_add(argv[optind++]);
    sigaction(SIGTERM, &end, NULL);
    sigaction(SIGINT, &end, NULL);
    be_prompt();
    report_reset(clock_now_us());
    if (duration_s > 0)
        until = clock_now_us() + duration_s * 1000000;
    else if (fcntl(STDIN_FILENO, F_SETFL, O_NONBLOCK) < 0)
        die("stdin");
    observe(until, duration_s == 0);
    return 0;
}
