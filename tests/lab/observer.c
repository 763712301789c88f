/* SPDX-License-Identifier: MIT */
/* Watches VIPs from outside the nodes: who answers for them, and what a client gets.
 *
 *   observer -i eth0 [-l EVENTS] [-d SECONDS] VIP...
 *
 * 1. Every 5 ms an ARP probe with sender 0 (IPv6: a solicitation from an address nobody has) asks
 *    "who has the VIP?". Each probe goes out under one of 16 MACs in turn, and an owner answers to
 *    the MAC that asked, so an answer belongs to one known probe. Two MACs that answer the same
 *    probe are two owners: `dup`. Nobody's cache is changed by the probes, nor by the answers.
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
#include <inttypes.h>
#include <linux/if_packet.h>
#include <net/ethernet.h>
#include <net/if.h>
#include <netinet/icmp6.h>
#include <netinet/in.h>
#include <poll.h>
#include <sched.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/ip.h"
#include "base/parse.h"
#include "net/frame.h"

enum {
    PROBE_US = 5000,
    ECHO_US = 2000,
    LATE_US = 5000,
    SLOTS = 16,
    VIPS_MAX = 8,
    OWNERS_MAX = 8,
    GAPS_MAX = 64,
    FLAP_US = 50000,  /* a former owner that answers again so soon: it never stopped */
    CLAIM_US = 30000, /* who claims the VIP must answer for it by then */
    ICMP4_ECHO = 8,   /* RFC 792 */
    ICMP4_ECHO_REPLY = 0,
    ICMP4_FILTER = 1, /* linux/icmp.h */
};

struct slot {
    uint64_t sent_us; /* 0: not in use */
    bool is_answered;
    bool is_dup;
    struct mac mac; /* the first who answered */
    uint64_t answer_us;
};

struct gap {
    uint64_t start_us, length_us, late_us;
};

/* Everything counted since the last reset. */
struct record {
    uint64_t since_us;
    unsigned probes, answers, strays, dups, flaps, claims, echoes, echo_answers, gaps_seen;
    struct mac owners[OWNERS_MAX];
    unsigned owner_count;
    struct gap gaps[GAPS_MAX]; /* the first ones */
    struct gap worst;
};

struct vip {
    struct ip ip;
    char text[IP_TEXT_MAX];
    struct slot slots[SLOTS];
    bool has_owner;
    struct mac owner, former;
    uint64_t owner_since_us;
    uint64_t answered_us; /* the last answer */
    uint64_t steady_us;   /* since then every probe was answered, by `owner` */
    struct mac claimant;  /* not the owner; judged at claim_until_us (0: none) */
    uint64_t claim_until_us;
    int echo_fd;
    uint16_t echo_id, echo_seq;
    uint64_t waiting_us; /* sending of the first request after the last answer; 0: none */
    uint64_t late_us;    /* of that wait */
    struct record rec;
};

static struct vip vips[VIPS_MAX];
static unsigned vip_count;
static unsigned probe_turn;
static unsigned late_count;
static uint64_t late_max_us;
static bool is_paused;
static int packet_fd, ifindex;
static FILE *events;
static volatile sig_atomic_t is_ended;

static void die(const char *what)
{
    fprintf(stderr, "observer: %s: %s\n", what, strerror(errno));
    exit(1);
}

static double seconds(uint64_t us)
{
    return (double)us / 1e6;
}

static double millis(uint64_t us)
{
    return (double)us / 1e3;
}

static void event_print(uint64_t at_us, const char *name, const struct vip *v, const char *fmt, ...)
    __attribute__((format(printf, 4, 5)));

static void event_print(uint64_t at_us, const char *name, const struct vip *v, const char *fmt, ...)
{
    va_list ap;

    fprintf(events, "{\"t\":%.6f,\"event\":\"%s\",\"vip\":\"%s\"", seconds(at_us), name, v->text);
    va_start(ap, fmt);
    vfprintf(events, fmt, ap);
    va_end(ap);
    fputs("}\n", events);
    fflush(events);
}

/* Who answers */

static struct mac slot_mac(unsigned slot)
{
    return (struct mac){{0x02, 0x76, 0x70, 0, 0, (uint8_t)slot}};
}

/* An address of the VIP's own /64, so that the owner can answer, which no kernel here has. */
static struct ip slot_source(const struct vip *v, unsigned slot)
{
    struct ip ip = v->ip;

    memset(ip.bytes + 8, 0, 8);
    ip.bytes[12] = 0x76;
    ip.bytes[13] = 0x76;
    ip.bytes[15] = (uint8_t)slot;
    return ip;
}

static void probe_send(struct vip *v, unsigned turn, uint64_t now)
{
    struct slot *s = &v->slots[turn];
    struct mac mac = slot_mac(turn);
    struct sockaddr_ll to = {.sll_family = AF_PACKET, .sll_ifindex = ifindex, .sll_halen = 6};
    uint8_t data[FRAME_MAX];
    size_t len;

    if (s->sent_us != 0 && !s->is_answered)
        v->steady_us = now;
    *s = (struct slot){.sent_us = now};
    if (v->ip.family == IP_V4) {
        len = frame_arp_probe(&mac, &v->ip, data);
    } else {
        struct ip source = slot_source(v, turn);

        len = frame_ns_request(&mac, &source, &v->ip, NULL, data);
    }
    v->rec.probes++;
    (void)!sendto(packet_fd, data, len, MSG_DONTWAIT, (struct sockaddr *)&to, sizeof(to));
}

static void owner_note(struct vip *v, const struct mac *mac)
{
    struct record *r = &v->rec;

    for (unsigned i = 0; i < r->owner_count; i++) {
        if (mac_equal(&r->owners[i], mac))
            return;
    }
    if (r->owner_count < OWNERS_MAX)
        r->owners[r->owner_count++] = *mac;
}

static void owner_set(struct vip *v, const struct mac *mac, uint64_t at)
{
    char text[MAC_TEXT_MAX], former[MAC_TEXT_MAX] = "";

    mac_format(mac, text);
    if (v->has_owner)
        mac_format(&v->owner, former);
    event_print(at, "owner", v, ",\"mac\":\"%s\",\"from\":\"%s\",\"silentMs\":%.3f", text, former,
                v->has_owner ? millis(at - v->answered_us) : 0.0);
    if (v->has_owner && mac_equal(&v->former, mac) && at - v->owner_since_us < FLAP_US) {
        v->rec.flaps++;
        event_print(at, "flap", v, ",\"mac\":\"%s\",\"other\":\"%s\"", text, former);
    }
    v->former = v->owner;
    v->owner = *mac;
    v->owner_since_us = at;
    v->steady_us = at;
    v->has_owner = true;
}

static void answer_take(struct vip *v, struct slot *s, const struct mac *mac, uint64_t at)
{
    if (s->sent_us == 0 || at < s->sent_us || at - s->sent_us > (SLOTS - 1) * PROBE_US) {
        v->rec.strays++;
        return;
    }
    owner_note(v, mac);
    if (s->is_answered && !mac_equal(&s->mac, mac)) {
        char one[MAC_TEXT_MAX], two[MAC_TEXT_MAX];

        mac_format(&s->mac, one);
        mac_format(mac, two);
        event_print(at, "dup", v, ",\"macs\":[\"%s\",\"%s\"],\"apartUs\":%" PRId64, one, two,
                    (int64_t)(at - s->answer_us));
        v->rec.dups += !s->is_dup;
        s->is_dup = true;
        return;
    }
    if (!s->is_answered) {
        v->rec.answers++;
        s->is_answered = true;
        s->mac = *mac;
        s->answer_us = at;
    }
    if (!v->has_owner || !mac_equal(&v->owner, mac))
        owner_set(v, mac, at);
    v->answered_us = at;
}

/* A claim (an announcement, or ARP/NS with the VIP as sender) of somebody who does not own it. */
static void claim_take(struct vip *v, const struct mac *mac, uint64_t at)
{
    bool is_owned = v->has_owner && at < v->answered_us + (uint64_t)2 * PROBE_US;

    if (is_owned && !mac_equal(&v->owner, mac) && v->claim_until_us == 0) {
        v->claimant = *mac;
        v->claim_until_us = at + CLAIM_US;
    }
}

static void claim_judge(struct vip *v, uint64_t now)
{
    char text[MAC_TEXT_MAX];

    if (v->claim_until_us == 0 || now < v->claim_until_us)
        return;
    if (!mac_equal(&v->owner, &v->claimant)) {
        mac_format(&v->claimant, text);
        v->rec.claims++;
        event_print(now, "claim", v, ",\"mac\":\"%s\"", text);
    }
    v->claim_until_us = 0;
}

static void frame_take(const struct frame *f, uint64_t at)
{
    const uint8_t *to = f->ether_target.bytes;
    struct mac first = slot_mac(0), mac;
    bool is_answer = memcmp(to, first.bytes, 5) == 0 && to[5] < SLOTS;

    for (unsigned i = 0; i < vip_count; i++) {
        if (!frame_claims(f, &vips[i].ip, &mac))
            continue;
        if (is_answer)
            answer_take(&vips[i], &vips[i].slots[to[5]], &mac, at);
        else
            claim_take(&vips[i], &mac, at);
    }
}

/* What a client gets */

static void echo_send(struct vip *v, uint64_t now)
{
    uint16_t packet[4] = {0, 0, htons(v->echo_id), htons(v->echo_seq++)};
    uint8_t type = v->ip.family == IP_V4 ? ICMP4_ECHO : ICMP6_ECHO_REQUEST;
    uint32_t sum;

    memcpy(packet, &type, 1);
    sum = (uint32_t)packet[0] + packet[2] + packet[3];
    sum = (sum & 0xffff) + (sum >> 16);
    sum = (sum & 0xffff) + (sum >> 16);
    if (v->ip.family == IP_V4) /* the kernel does it for ICMPv6 */
        packet[1] = (uint16_t)~sum;
    v->rec.echoes++;
    if (v->waiting_us == 0) {
        v->waiting_us = now;
        v->late_us = 0;
    }
    /* What cannot be sent (no neighbour, no route) is not answered: that is the outage. */
    (void)!send(v->echo_fd, packet, sizeof(packet), MSG_DONTWAIT);
}

static void gap_add(struct vip *v, const struct gap *g)
{
    struct record *r = &v->rec;

    event_print(g->start_us + g->length_us, "gap", v, ",\"ms\":%.3f,\"lateMs\":%.3f",
                millis(g->length_us), millis(g->late_us));
    if (r->gaps_seen < GAPS_MAX)
        r->gaps[r->gaps_seen] = *g;
    r->gaps_seen++;
    if (g->length_us - g->late_us > r->worst.length_us - r->worst.late_us)
        r->worst = *g;
}

static void echo_answered(struct vip *v, uint64_t at)
{
    v->rec.echo_answers++;
    if (v->waiting_us == 0 || at < v->waiting_us)
        return;
    if (at - v->waiting_us >= ECHO_US) {
        struct gap g = {v->waiting_us, at - v->waiting_us, v->late_us};

        if (g.late_us > g.length_us)
            g.late_us = g.length_us;
        gap_add(v, &g);
    }
    v->waiting_us = 0;
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
static ssize_t message_read(int fd, uint8_t *data, size_t size, uint64_t *ret_at)
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

static void packets_read(void)
{
    uint8_t data[256];
    struct frame f;
    uint64_t at;
    ssize_t len;

    while ((len = message_read(packet_fd, data, sizeof(data), &at)) >= 0) {
        if (frame_parse(data, (size_t)len, &f) == 0)
            frame_take(&f, at);
    }
}

static void echoes_read(struct vip *v)
{
    uint8_t data[256];
    uint16_t id;
    uint64_t at;
    ssize_t len;

    /* A pending error (host unreachable) fails one read and hides nothing: the next tick is near.
     */
    while ((len = message_read(v->echo_fd, data, sizeof(data), &at)) >= 0) {
        size_t start = v->ip.family == IP_V4 ? (size_t)(data[0] & 15) * 4 : 0;

        if ((size_t)len < start + 8)
            continue;
        memcpy(&id, data + start + 4, 2);
        if (ntohs(id) == v->echo_id)
            echo_answered(v, at);
    }
}

/* Reports */

static void record_reset(uint64_t now)
{
    late_count = 0;
    late_max_us = 0;
    for (unsigned i = 0; i < vip_count; i++) {
        memset(&vips[i].rec, 0, sizeof(vips[i].rec));
        vips[i].rec.since_us = now;
    }
}

static void state_print(uint64_t now)
{
    printf("{\"event\":\"state\",\"t\":%.6f,\"vips\":[", seconds(now));
    for (unsigned i = 0; i < vip_count; i++) {
        const struct vip *v = &vips[i];
        bool is_answered = v->has_owner && now - v->answered_us < 4 * PROBE_US;
        char mac[MAC_TEXT_MAX] = "";

        if (is_answered)
            mac_format(&v->owner, mac);
        printf("%s{\"vip\":\"%s\",\"mac\":\"%s\",\"steadyMs\":%" PRIu64 ",\"waitingMs\":%" PRIu64
               "}",
               i > 0 ? "," : "", v->text, mac, is_answered ? (now - v->steady_us) / 1000 : 0,
               v->waiting_us != 0 ? (now - v->waiting_us) / 1000 : 0);
    }
    puts("]}");
}

static void record_print(const struct vip *v, uint64_t now)
{
    const struct record *r = &v->rec;
    char mac[MAC_TEXT_MAX];
    const char *comma = "";

    printf("{\"vip\":\"%s\",\"seconds\":%.3f,\"probes\":%u,\"answers\":%u,\"strays\":%u,"
           "\"dups\":%u,\"flaps\":%u,\"claims\":%u,\"echoes\":%u,\"echoAnswers\":%u,"
           "\"outageMs\":%.3f,\"lateMs\":%.3f,\"waitingMs\":%.3f,\"owners\":[",
           v->text, seconds(now - r->since_us), r->probes, r->answers, r->strays, r->dups, r->flaps,
           r->claims, r->echoes, r->echo_answers, millis(r->worst.length_us - r->worst.late_us),
           millis(r->worst.late_us), v->waiting_us != 0 ? millis(now - v->waiting_us) : 0.0);
    for (unsigned i = 0; i < r->owner_count; i++, comma = ",") {
        mac_format(&r->owners[i], mac);
        printf("%s\"%s\"", comma, mac);
    }
    printf("],\"gapsSeen\":%u,\"gaps\":[", r->gaps_seen);
    comma = "";
    for (unsigned i = 0; i < r->gaps_seen && i < GAPS_MAX; i++, comma = ",")
        printf("%s{\"t\":%.6f,\"ms\":%.3f,\"lateMs\":%.3f}", comma, seconds(r->gaps[i].start_us),
               millis(r->gaps[i].length_us), millis(r->gaps[i].late_us));
    fputs("]}", stdout);
}

static void summary_print(uint64_t now)
{
    printf("{\"event\":\"summary\",\"t\":%.6f,\"late\":%u,\"lateMaxMs\":%.3f,\"vips\":[",
           seconds(now), late_count, millis(late_max_us));
    for (unsigned i = 0; i < vip_count; i++) {
        fputs(i > 0 ? "," : "", stdout);
        record_print(&vips[i], now);
    }
    puts("]}");
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
        record_reset(now);
    else if (strcmp(line, "pause") == 0 || strcmp(line, "resume") == 0)
        pause_set(line[0] == 'p');
    else if (strcmp(line, "quit") == 0)
        is_ended = 1;
    if (strcmp(line, "summary") == 0)
        summary_print(now);
    else if (strcmp(line, "quit") != 0) /* it ends with a summary of its own */
        state_print(now);
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

/* The loop */

static void late_note(uint64_t due, uint64_t now)
{
    if (now < due + LATE_US || is_paused)
        return;
    late_count++;
    if (now - due > late_max_us)
        late_max_us = now - due;
    for (unsigned i = 0; i < vip_count; i++) {
        if (vips[i].waiting_us != 0)
            vips[i].late_us += now - (due > vips[i].waiting_us ? due : vips[i].waiting_us);
    }
}

static void probes_send(uint64_t now)
{
    for (unsigned i = 0; i < vip_count; i++) {
        claim_judge(&vips[i], now);
        probe_send(&vips[i], probe_turn, now);
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
    packets_read();
    for (unsigned i = 0; i < vip_count; i++)
        echoes_read(&vips[i]);
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
    summary_print(clock_now_us());
}

static void packet_open(const char *link)
{
    struct sockaddr_ll ll = {.sll_family = AF_PACKET, .sll_protocol = htons(ETH_P_ALL)};
    int on = 1;

    ifindex = (int)if_nametoindex(link);
    if (ifindex == 0)
        die(link);
    ll.sll_ifindex = ifindex;
    packet_fd = socket(AF_PACKET, SOCK_RAW | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    if (packet_fd < 0 || setsockopt(packet_fd, SOL_SOCKET, SO_TIMESTAMPNS, &on, sizeof(on)) < 0 ||
        setsockopt(packet_fd, SOL_PACKET, PACKET_IGNORE_OUTGOING, &on, sizeof(on)) < 0 ||
        bind(packet_fd, (struct sockaddr *)&ll, sizeof(ll)) < 0)
        die("packet socket");
}

/* Connected, so that only what comes from the VIP is received. */
static void echo_open(struct vip *v)
{
    struct sockaddr_in to4 = {.sin_family = AF_INET};
    struct sockaddr_in6 to6 = {.sin6_family = AF_INET6};
    bool is_v4 = v->ip.family == IP_V4;
    uint32_t replies4 = ~(1u << ICMP4_ECHO_REPLY);
    struct icmp6_filter replies6;
    int on = 1, err;

    v->echo_fd = socket(is_v4 ? AF_INET : AF_INET6, SOCK_RAW | SOCK_CLOEXEC | SOCK_NONBLOCK,
                        is_v4 ? (int)IPPROTO_ICMP : (int)IPPROTO_ICMPV6);
    if (v->echo_fd < 0 || setsockopt(v->echo_fd, SOL_SOCKET, SO_TIMESTAMPNS, &on, sizeof(on)) < 0)
        die("icmp socket");
    ICMP6_FILTER_SETBLOCKALL(&replies6);
    ICMP6_FILTER_SETPASS(ICMP6_ECHO_REPLY, &replies6);
    if (is_v4) {
        memcpy(&to4.sin_addr, v->ip.bytes, 4);
        err = setsockopt(v->echo_fd, SOL_RAW, ICMP4_FILTER, &replies4, sizeof(replies4)) ||
              connect(v->echo_fd, (struct sockaddr *)&to4, sizeof(to4));
    } else {
        memcpy(&to6.sin6_addr, v->ip.bytes, 16);
        err = setsockopt(v->echo_fd, IPPROTO_ICMPV6, ICMP6_FILTER, &replies6, sizeof(replies6)) ||
              connect(v->echo_fd, (struct sockaddr *)&to6, sizeof(to6));
    }
    if (err)
        die(v->text);
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
    int opt;

    events = stdout;
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
    packet_open(link);
    while (optind < argc)
        vip_add(argv[optind++]);
    sigaction(SIGTERM, &end, NULL);
    sigaction(SIGINT, &end, NULL);
    be_prompt();
    record_reset(clock_now_us());
    if (duration_s > 0)
        until = clock_now_us() + duration_s * 1000000;
    else if (fcntl(STDIN_FILENO, F_SETFL, O_NONBLOCK) < 0)
        die("stdin");
    observe(until, duration_s == 0);
    return 0;
}
