/* SPDX-License-Identifier: MIT */
/* ARP and NDP between real kernels. */
#include <arpa/inet.h>
#include <errno.h>
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>
#include <linux/if_ether.h>
#include <linux/if_packet.h>
#include <netinet/in.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "../../src/net/packet_filter.h"
#include "base/clock.h"
#include "net/address.h"
#include "net/neighbour.h"
#include "net/packet.h"
#include "net_ns.h"

#define HEARD_MAX 64

struct heard {
    struct frame frames[HEARD_MAX];
    size_t n;
};

static struct net_ns ns;
static struct loop *loop;
static struct netlink *nl[NET_NS_NODES];
static struct packet *packet[NET_NS_NODES];
static struct heard heard[NET_NS_NODES];
static struct ip vips[2];

static void on_frame(void *arg, const struct frame *frame)
{
    struct heard *h = arg;
    if (h->n < HEARD_MAX)
        h->frames[h->n++] = *frame;
}

static int setup(void **state)
{
    (void)state;
    memset(heard, 0, sizeof(heard));
    vips[0] = net_ns_ip("10.77.0.100");
    vips[1] = net_ns_ip("fd77::64");
    if (!net_ns_setup(&ns) || !(loop = loop_new()))
        return -1;
    for (int i = 0; i < NET_NS_NODES; i++) {
        struct mac mac = net_ns_mac(i);
        net_ns_enter(&ns, i);
        if (netlink_open(&nl[i]) < 0 ||
            packet_open(loop, ns.ifindex[i], &mac, on_frame, &heard[i], &packet[i]) < 0 ||
            packet_watch(packet[i], vips, 2) < 0)
            return -1;
    }
    return 0;
}

static int teardown(void **state)
{
    (void)state;
    for (int i = 0; i < NET_NS_NODES; i++) {
        packet_close(packet[i]);
        packet[i] = NULL;
        netlink_close(nl[i]);
    }
    loop_free(loop);
    net_ns_done(&ns);
    return 0;
}

static void own(int node, const struct ip *vip)
{
    assert_int_equal(address_set(nl[node], ns.ifindex[node], vip, 100), 0);
}

struct claim {
    int at, by;
    const struct ip *vip;
};

static bool has_claim(void *arg)
{
    const struct claim *c = arg;
    const struct mac want = net_ns_mac(c->by);
    for (size_t i = 0; i < heard[c->at].n; i++) {
        struct mac mac;
        if (frame_claims(&heard[c->at].frames[i], c->vip, &mac) && mac_equal(&mac, &want))
            return true;
    }
    return false;
}

static bool never(void *arg)
{
    (void)arg;
    return false;
}

struct probing {
    const struct ip *vip, *source;
    int owners[2];
};

/* The kernel joins the group of a new IPv6 address in a worker, just after its answer: so the
 * first probe may be too early. */
static bool finds_owners(void *arg)
{
    const struct probing *p = arg;
    assert_int_equal(packet_probe(packet[0], p->vip, p->source), 0);
    return has_claim(&(struct claim){0, p->owners[0], p->vip}) &&
           has_claim(&(struct claim){0, p->owners[1], p->vip});
}

static void check_probe(const struct ip *vip, const struct ip *source)
{
    net_ns_wait(loop, never, NULL, 30); /* what is still on its way from an earlier round */
    heard[0].n = 0;
    assert_int_equal(packet_probe(packet[0], vip, source), 0);
    net_ns_wait(loop, never, NULL, 30);
    assert_int_equal(heard[0].n, 0); /* nobody has it */
    own(1, vip);
    assert_true(net_ns_wait(loop, finds_owners, &(struct probing){vip, source, {1, 1}}, 2000));
    assert_false(has_claim(&(struct claim){0, 2, vip}));
    own(2, vip);
    heard[0].n = 0;
    assert_true(net_ns_wait(loop, finds_owners, &(struct probing){vip, source, {1, 2}}, 2000));
    assert_int_equal(address_remove(nl[1], ns.ifindex[1], vip), 0);
    assert_int_equal(address_remove(nl[2], ns.ifindex[2], vip), 0);
}

static void test_probe_finds_one_and_two_owners(void **state)
{
    struct ip source = net_ns_ip("fd77::1");
    (void)state;
    check_probe(&vips[0], NULL);
    check_probe(&vips[1], NULL);
    check_probe(&vips[1], &source);
}

struct entry {
    const struct ip *vip;
    int owner;
};

/* What node 2, a client, believes. */
static bool has_entry(void *arg)
{
    const struct entry *e = arg;
    const struct mac want = net_ns_mac(e->owner);
    struct neighbour n;
    return neighbour_get(nl[2], ns.ifindex[2], e->vip, &n) == 0 && n.has_mac &&
           mac_equal(&n.mac, &want);
}

/* Any packet makes the kernel of `node` look for the neighbour. */
static void talk(int node, const struct ip *to)
{
    struct sockaddr_in v4 = {.sin_family = AF_INET, .sin_port = htons(9)};
    struct sockaddr_in6 v6 = {.sin6_family = AF_INET6, .sin6_port = htons(9)};
    bool is_v4 = to->family == IP_V4;
    memcpy(&v4.sin_addr, to->bytes, 4);
    memcpy(&v6.sin6_addr, to->bytes, 16);
    net_ns_enter(&ns, node);
    int fd = socket(is_v4 ? AF_INET : AF_INET6, SOCK_DGRAM | SOCK_CLOEXEC, 0);
    ssize_t n = is_v4 ? sendto(fd, "x", 1, 0, (struct sockaddr *)&v4, sizeof(v4))
                      : sendto(fd, "x", 1, 0, (struct sockaddr *)&v6, sizeof(v6));
    assert_int_equal(n, 1);
    close(fd);
}

static void test_announcement_moves_a_client(void **state)
{
    (void)state;
    for (int i = 0; i < 2; i++) {
        const struct ip *vip = &vips[i];
        own(0, vip);
        talk(2, vip);
        assert_true(net_ns_wait(loop, has_entry, &(struct entry){vip, 0}, 2000));
        own(1, vip);
        heard[0].n = 0;
        assert_int_equal(packet_announce(packet[1], vip), 0);
        assert_true(net_ns_wait(loop, has_entry, &(struct entry){vip, 1}, 2000));
        /* The ex-holder hears it, the announcer does not hear itself. */
        assert_true(net_ns_wait(loop, has_claim, &(struct claim){0, 1, vip}, 2000));
        assert_true(heard[0].frames[0].is_announcement);
        assert_false(has_claim(&(struct claim){1, 1, vip}));
    }
}

struct ack {
    const struct ip *vip, *peer;
};

static bool is_acknowledged(void *arg)
{
    const struct ack *a = arg;
    for (size_t i = 0; i < heard[1].n; i++)
        if (frame_acknowledges(&heard[1].frames[i], a->vip, a->peer))
            return true;
    return false;
}

static void check_solicit(const struct ip *vip, const struct ip *peer, const struct mac *peer_mac)
{
    heard[1].n = 0;
    own(1, vip);
    assert_int_equal(packet_solicit(packet[1], vip, peer, peer_mac), 0);
    assert_true(net_ns_wait(loop, is_acknowledged, &(struct ack){vip, peer}, 2000));
    assert_true(has_entry(&(struct entry){vip, 1})); /* although it never asked */
    assert_int_equal(net_ns_run(&ns, 2, "ip neigh flush all"), 0);
}

static void test_solicitation_is_acknowledged(void **state)
{
    struct ip peers[2] = {net_ns_ip("10.77.0.3"), net_ns_ip("fd77::3")};
    struct mac mac = net_ns_mac(2);
    (void)state;
    for (int i = 0; i < 2; i++) {
        check_solicit(&vips[i], &peers[i], NULL);
        check_solicit(&vips[i], &peers[i], &mac);
        assert_int_equal(packet_solicit(packet[1], &vips[i], &peers[1 - i], NULL), -EAFNOSUPPORT);
    }
}

static void test_defence_is_limited(void **state)
{
    struct ip other = net_ns_ip("10.77.0.101");
    uint64_t now = clock_now_us();
    (void)state;
    assert_int_equal(packet_defend(packet[0], &vips[0], now), 0);
    assert_true(net_ns_wait(loop, has_claim, &(struct claim){1, 0, &vips[0]}, 2000));
    assert_int_equal(packet_defend(packet[0], &vips[0], now + 9999), -EALREADY);
    assert_int_equal(packet_defend(packet[0], &vips[1], now + 9999), 0);
    assert_int_equal(packet_watch(packet[0], vips, 2), 0); /* does not forget */
    assert_int_equal(packet_defend(packet[0], &vips[0], now + 9999), -EALREADY);
    assert_int_equal(packet_defend(packet[0], &vips[0], now + 10000), 0);
    assert_int_equal(packet_defend(packet[0], &other, now), -ENOENT);
}

static void test_send_failures_are_told(void **state)
{
    struct mac mac = net_ns_mac(0);
    struct packet *p;
    (void)state;
    assert_int_equal(net_ns_run(&ns, 0, "ip link set eth0 down"), 0);
    assert_int_equal(packet_announce(packet[0], &vips[0]), -ENETDOWN);
    assert_int_equal(packet_announce(packet[0], &vips[1]), -ENETDOWN);
    assert_int_equal(net_ns_run(&ns, 0, "ip link del eth0"), 0);
    assert_int_equal(packet_announce(packet[0], &vips[0]), -ENXIO);
    net_ns_wait(loop, never, NULL, 10); /* the sockets' own errors wake, and harm nobody */
    net_ns_enter(&ns, 0);
    assert_int_equal(packet_open(loop, 4711, &mac, on_frame, NULL, &p), -ENODEV);
}

/* Frames of node 1 through the filter alone, on node 0. Returns whether it came through. */
static bool passes(int filtered, int tap, const uint8_t *data, size_t len, const uint8_t *last,
                   size_t last_len)
{
    uint8_t out[128];
    assert_true(net_ns_send(tap, data, len));
    assert_true(net_ns_send(tap, last, last_len)); /* one that does, to know when to stop */
    size_t n = net_ns_hear(filtered, out, sizeof(out), 2000);
    assert_true(n > 0);
    if (n == len && memcmp(out, data, len) == 0) {
        assert_true(net_ns_hear(filtered, out, sizeof(out), 2000) > 0);
        return true;
    }
    return false;
}

static int open_filtered(bool is_arp, const struct ip *list, size_t n)
{
    struct sock_filter code[PACKET_FILTER_MAX];
    size_t len = is_arp ? packet_filter_arp(list, n, code) : packet_filter_ndp(list, n, code);
    struct sock_fprog filter = {.len = (unsigned short)len, .filter = code};
    struct sockaddr_ll self = {
        .sll_family = AF_PACKET,
        .sll_protocol = htons(is_arp ? ETH_P_ARP : ETH_P_IPV6),
        .sll_ifindex = ns.ifindex[0],
    };
    net_ns_enter(&ns, 0);
    int fd = socket(AF_PACKET, SOCK_RAW | SOCK_CLOEXEC, 0);
    assert_int_equal(setsockopt(fd, SOL_SOCKET, SO_ATTACH_FILTER, &filter, sizeof(filter)), 0);
    assert_int_equal(bind(fd, (struct sockaddr *)&self, sizeof(self)), 0);
    return fd;
}

static size_t many_vips(struct ip *list)
{
    for (unsigned i = 0; i < PACKET_WATCH_MAX; i++) {
        char text[IP_TEXT_MAX];
        snprintf(text, sizeof(text), i % 2 ? "10.77.1.%u" : "fd77::1:%x", i);
        list[i] = net_ns_ip(text);
    }
    return PACKET_WATCH_MAX;
}

static void test_filter_of_arp(void **state)
{
    struct ip list[PACKET_WATCH_MAX], peer = net_ns_ip("10.77.0.1");
    struct ip stranger = net_ns_ip("10.77.2.1");
    struct mac mac = net_ns_mac(1), to = net_ns_mac(0);
    uint8_t data[FRAME_MAX], last[FRAME_MAX];
    size_t n = many_vips(list);
    int fd = open_filtered(true, list, n), tap = net_ns_tap(&ns, 1);
    (void)state;
    size_t last_len = frame_arp_announce(&mac, &list[n - 1], last);
    for (size_t i = 1; i < n; i += 2) {
        size_t len = frame_arp_request(&mac, &list[i], &peer, &to, data);
        assert_true(passes(fd, tap, data, len, last, last_len));
        len = frame_arp_reply(&mac, &peer, &to, &list[i], data);
        assert_true(passes(fd, tap, data, len, last, last_len));
        len = frame_arp_request(&mac, &peer, &list[i], NULL, data); /* a client's question */
        assert_false(passes(fd, tap, data, len, last, last_len));
        len = frame_arp_probe(&mac, &list[i], data);
        assert_false(passes(fd, tap, data, len, last, last_len));
    }
    size_t len = frame_arp_announce(&mac, &stranger, data);
    assert_false(passes(fd, tap, data, len, last, last_len));
    close(fd);
    fd = open_filtered(true, NULL, 0);
    assert_true(net_ns_send(tap, last, last_len));
    assert_int_equal(net_ns_hear(fd, data, sizeof(data), 20), 0);
    close(fd), close(tap);
}

static void test_filter_of_ndp(void **state)
{
    struct ip list[PACKET_WATCH_MAX], peer = net_ns_ip("fd77::1"), source = net_ns_ip("fd77::2");
    struct ip stranger = net_ns_ip("fd77::2:1");
    struct mac mac = net_ns_mac(1), to = net_ns_mac(0);
    uint8_t data[FRAME_MAX], last[FRAME_MAX];
    size_t n = many_vips(list), len;
    int fd = open_filtered(false, list, n), tap = net_ns_tap(&ns, 1);
    (void)state;
    size_t last_len = frame_na_announce(&mac, &list[n - 2], last);
    for (size_t i = 0; i < n; i += 2) {
        len = frame_na_announce(&mac, &list[i], data);
        assert_true(passes(fd, tap, data, len, last, last_len));
        len = frame_ns_request(&mac, &list[i], &peer, &to, data);
        assert_true(passes(fd, tap, data, len, last, last_len));
        len = frame_na_announce(&mac, &source, data); /* now as an answer to the VIP */
        memcpy(data + 38, list[i].bytes, 16);
        memcpy(data, to.bytes, 6);
        assert_true(passes(fd, tap, data, len, last, last_len));
        len = frame_ns_request(&mac, &source, &list[i], &to, data); /* a client's question */
        assert_false(passes(fd, tap, data, len, last, last_len));
    }
    len = frame_na_announce(&mac, &stranger, data);
    assert_false(passes(fd, tap, data, len, last, last_len));
    len = frame_ns_request(&mac, &stranger, &peer, &to, data);
    assert_false(passes(fd, tap, data, len, last, last_len));
    data[54] = 128; /* ping from somebody who is a VIP elsewhere */
    memcpy(data + 22, list[0].bytes, 16);
    assert_false(passes(fd, tap, data, len, last, last_len));
    close(fd), close(tap);
}

static void test_watch_limits(void **state)
{
    struct ip list[PACKET_WATCH_MAX + 1];
    (void)state;
    size_t n = many_vips(list);
    list[n] = vips[0];
    assert_int_equal(packet_watch(packet[0], list, n), 0);
    assert_int_equal(packet_watch(packet[0], list, n + 1), -E2BIG);
    for (size_t i = 0; i < n; i++)
        list[i] = net_ns_ip("fd77::5");
    assert_int_equal(packet_watch(packet[0], list, n), 0); /* all of one family */
    assert_int_equal(packet_watch(packet[0], NULL, 0), 0);
    assert_int_equal(packet_announce(packet[1], &vips[0]), 0);
    net_ns_wait(loop, never, NULL, 30);
    assert_int_equal(heard[0].n, 0);
}

static void on_frame_close(void *arg, const struct frame *frame)
{
    int *calls = arg;
    (void)frame;
    (*calls)++;
    packet_close(packet[0]);
    packet[0] = NULL;
}

static bool is_called(void *arg)
{
    return *(const int *)arg > 0;
}

static void test_callback_may_close(void **state)
{
    struct mac mac = net_ns_mac(0);
    int calls = 0;
    (void)state;
    packet_close(packet[0]);
    net_ns_enter(&ns, 0);
    assert_int_equal(packet_open(loop, ns.ifindex[0], &mac, on_frame_close, &calls, &packet[0]), 0);
    assert_int_equal(packet_watch(packet[0], vips, 2), 0);
    for (int i = 0; i < 5; i++)
        assert_int_equal(packet_announce(packet[1], &vips[0]), 0);
    assert_true(net_ns_wait(loop, is_called, &calls, 2000));
    assert_int_equal(calls, 1);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_probe_finds_one_and_two_owners, setup, teardown),
        cmocka_unit_test_setup_teardown(test_announcement_moves_a_client, setup, teardown),
        cmocka_unit_test_setup_teardown(test_solicitation_is_acknowledged, setup, teardown),
        cmocka_unit_test_setup_teardown(test_defence_is_limited, setup, teardown),
        cmocka_unit_test_setup_teardown(test_send_failures_are_told, setup, teardown),
        cmocka_unit_test_setup_teardown(test_filter_of_arp, setup, teardown),
        cmocka_unit_test_setup_teardown(test_filter_of_ndp, setup, teardown),
        cmocka_unit_test_setup_teardown(test_watch_limits, setup, teardown),
        cmocka_unit_test_setup_teardown(test_callback_may_close, setup, teardown),
    };
    const char *why_not = net_ns_why_not();
    if (why_not) {
        printf("SKIP: net_packet: %s\n", why_not);
        return 0;
    }
    return cmocka_run_group_tests(tests, NULL, NULL);
}
