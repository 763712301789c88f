/* SPDX-License-Identifier: MIT */
#include "net_ns.h"

#include <arpa/inet.h>
#include <fcntl.h>
#include <linux/if_ether.h>
#include <linux/if_packet.h>
#include <net/if.h>
#include <poll.h>
#include <sched.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/clock.h"
#include "net/frame.h"

static int open_current(void)
{
    return open("/proc/self/ns/net", O_RDONLY | O_CLOEXEC);
}

static int new_namespace(void)
{
    return unshare(CLONE_NEWNET) < 0 ? -1 : open_current();
}

const char *net_ns_why_not(void)
{
    if (geteuid() != 0)
        return "needs root";
    int home = open_current();
    int r = unshare(CLONE_NEWNET);
    if (r == 0)
        setns(home, CLONE_NEWNET);
    close(home);
    if (r < 0)
        return "cannot make network namespaces";
    if (system("ip -V >/dev/null 2>&1") != 0)
        return "needs ip (iproute2)";
    return NULL;
}

void net_ns_enter(const struct net_ns *ns, int node)
{
    if (setns(node < 0 ? ns->hub : ns->node[node], CLONE_NEWNET) < 0) {
        perror("setns");
        exit(1);
    }
}

int net_ns_run(const struct net_ns *ns, int node, const char *fmt, ...)
{
    char line[512];
    va_list args;
    va_start(args, fmt);
    vsnprintf(line, sizeof(line), fmt, args);
    va_end(args);
    int before = open_current();
    net_ns_enter(ns, node);
    int status = system(line);
    setns(before, CLONE_NEWNET);
    close(before);
    return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
}

static bool add_node(struct net_ns *ns, int i)
{
    ns->node[i] = new_namespace();
    if (ns->node[i] < 0)
        return false;
    int r = net_ns_run(ns, -1,
                       "ip link add p%d type veth peer name eth0 address 02:00:00:00:00:0%d netns "
                       "/proc/%d/fd/%d && ip link set p%d master br0 up",
                       i, i + 1, (int)getpid(), ns->node[i], i);
    /* The link-local address is ready once DAD is off. */
    r |= net_ns_run(ns, i,
                    "echo 0 >/proc/sys/net/ipv6/conf/eth0/accept_dad;"
                    "ip link set lo up && ip link set eth0 up &&"
                    "ip addr add 10.77.0.%d/24 dev eth0 && ip addr add fd77::%d/64 dev eth0 nodad",
                    i + 1, i + 1);
    net_ns_enter(ns, i);
    ns->ifindex[i] = (int)if_nametoindex("eth0");
    return r == 0 && ns->ifindex[i] > 0;
}

bool net_ns_setup(struct net_ns *ns)
{
    memset(ns, 0xff, sizeof(*ns));
    ns->home = open_current();
    ns->hub = new_namespace();
    bool ok = ns->hub >= 0 && net_ns_run(ns, -1,
                                         "ip link add br0 type bridge mcast_snooping 0 &&"
                                         "ip link set br0 up") == 0;
    for (int i = 0; i < NET_NS_NODES && ok; i++)
        ok = add_node(ns, i);
    if (!ok) {
        fprintf(stderr, "cannot set up the network namespaces\n");
        net_ns_done(ns);
        return false;
    }
    net_ns_enter(ns, 0);
    return true;
}

void net_ns_done(struct net_ns *ns)
{
    setns(ns->home, CLONE_NEWNET);
    for (int i = 0; i < NET_NS_NODES; i++)
        if (ns->node[i] >= 0)
            close(ns->node[i]);
    if (ns->hub >= 0)
        close(ns->hub);
    close(ns->home);
}

struct mac net_ns_mac(int node)
{
    return (struct mac){{2, 0, 0, 0, 0, (uint8_t)(node + 1)}};
}

struct ip net_ns_ip(const char *text)
{
    struct ip ip;
    if (ip_parse(text, &ip) < 0) {
        fprintf(stderr, "not an address: %s\n", text);
        exit(1);
    }
    return ip;
}

int net_ns_tap(const struct net_ns *ns, int node)
{
    int before = open_current();
    net_ns_enter(ns, node);
    struct sockaddr_ll self = {
        .sll_family = AF_PACKET,
        .sll_protocol = htons(ETH_P_ALL),
        .sll_ifindex = ns->ifindex[node],
    };
    int fd = socket(AF_PACKET, SOCK_RAW | SOCK_CLOEXEC, 0);
    if (fd >= 0 && bind(fd, (struct sockaddr *)&self, sizeof(self)) < 0) {
        close(fd);
        fd = -1;
    }
    setns(before, CLONE_NEWNET);
    close(before);
    return fd;
}

bool net_ns_send(int tap, const uint8_t *data, size_t len)
{
    return send(tap, data, len, 0) == (ssize_t)len;
}

size_t net_ns_hear(int tap, uint8_t *out, size_t size, int ms)
{
    struct pollfd p = {.fd = tap, .events = POLLIN};
    uint64_t end = clock_now_us() + (uint64_t)ms * 1000;
    for (;;) {
        struct sockaddr_ll from = {0};
        socklen_t from_len = sizeof(from);
        ssize_t n = recvfrom(tap, out, size, MSG_DONTWAIT, (struct sockaddr *)&from, &from_len);
        if (n > 0 && from.sll_pkttype != PACKET_OUTGOING)
            return (size_t)n;
        uint64_t now = clock_now_us();
        if (n < 0 && (now >= end || poll(&p, 1, (int)((end - now) / 1000 + 1)) == 0))
            return 0;
    }
}

void net_ns_flush(int tap)
{
    uint8_t data[64];
    while (recv(tap, data, sizeof(data), MSG_DONTWAIT) >= 0)
        ;
}

struct wait {
    struct loop *loop;
    struct loop_timer *timer;
    bool (*is_done)(void *arg);
    void *arg;
    uint64_t end_us;
};

static void on_tick(void *arg)
{
    struct wait *w = arg;
    uint64_t now = clock_now_us();
    if (w->is_done(w->arg) || now >= w->end_us)
        loop_stop(w->loop);
    else
        loop_timer_set(w->timer, now + 1000);
}

bool net_ns_wait(struct loop *loop, bool (*is_done)(void *arg), void *arg, uint64_t ms)
{
    struct wait w = {
        .loop = loop, .is_done = is_done, .arg = arg, .end_us = clock_now_us() + ms * 1000};
    if (loop_timer_new(loop, on_tick, &w, &w.timer) < 0)
        return false;
    loop_timer_set(w.timer, 0);
    loop_run(loop);
    loop_timer_free(w.timer);
    return is_done(arg);
}

bool net_ns_answers(int tap, const struct ip *ip, const struct mac *owner, int ms)
{
    const bool is_v4 = ip->family == IP_V4;
    const struct mac mac = net_ns_mac(1);
    const struct ip own = net_ns_ip(is_v4 ? "10.77.0.2" : "fd77::2");
    uint8_t data[256];
    uint64_t end = clock_now_us() + (uint64_t)ms * 1000;
    size_t len = is_v4 ? frame_arp_request(&mac, &own, ip, NULL, data)
                       : frame_ns_request(&mac, &own, ip, NULL, data);
    net_ns_flush(tap);
    if (!net_ns_send(tap, data, len)) { /* else that would be a silence */
        perror("a question cannot be sent");
        abort();
    }
    for (uint64_t now; (now = clock_now_us()) < end;) {
        struct frame f;
        struct mac claimed;
        len = net_ns_hear(tap, data, sizeof(data), (int)((end - now) / 1000));
        if (len == 0)
            return false;
        if (frame_parse(data, len, &f) == 0 && frame_claims(&f, ip, &claimed) &&
            mac_equal(&claimed, owner))
            return true;
    }
    return false;
}
