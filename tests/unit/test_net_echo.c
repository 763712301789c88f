/* SPDX-License-Identifier: MIT */
/* Own questions that come back on other links, in a real kernel; and what that kernel answers there
 * while the packet fence is closed. Node 0 has the VIP, node 1 asks. */
#include <arpa/inet.h>
#include <errno.h>
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>
#include <net/if.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/clock.h"
#include "net/address.h"
#include "net/echo.h"
#include "net/fence.h"
#include "net/packet.h"
#include "net_ns.h"

#define TOLD_MAX 64
#define QUIET_MS 50 /* what has not come by then does not come */

static struct net_ns ns;
static struct loop *loop;
static struct netlink *nl;
static struct packet *packet; /* on eth0 of node 0 */
static struct echo *echo;
static struct fence *fence;
static struct ip v4, v6, peer4, peer6;
static int tap; /* on node 1 */

static struct {
    unsigned n;
    int ifindex[TOLD_MAX];
    struct frame frame;
} told;

static void on_echo(void *arg, int ifindex, const struct frame *frame)
{
    (void)arg;
    if (told.n < TOLD_MAX)
        told.ifindex[told.n++] = ifindex;
    told.frame = *frame;
}

static void on_frame(void *arg, const struct frame *frame)
{
    (void)arg;
    (void)frame;
}

static int setup(void **state)
{
    struct mac mac = net_ns_mac(0);
    const char *reason;
    (void)state;
    v4 = net_ns_ip("10.77.0.100"), v6 = net_ns_ip("fd77::64");
    peer4 = net_ns_ip("10.77.0.2"), peer6 = net_ns_ip("fd77::2");
    if (!net_ns_setup(&ns) || !(loop = loop_new()))
        return -1;
    tap = net_ns_tap(&ns, 1);
    if (tap < 0 || netlink_open(&nl) < 0 || fence_open(NULL, &fence, &reason) < 0 ||
        fence_add_vip(fence, &v4, 1) < 0 || fence_add_vip(fence, &v6, 2) < 0 ||
        packet_open(loop, ns.ifindex[0], &mac, on_frame, NULL, &packet) < 0 ||
        echo_open(loop, on_echo, NULL, &echo) < 0 || echo_watch(echo, &mac, 1) < 0)
        return -1;
    return 0;
}

static int teardown(void **state)
{
    (void)state;
    net_ns_enter(&ns, 0);
    echo_close(echo);
    packet_close(packet);
    fence_close(fence);
    netlink_close(nl);
    loop_free(loop);
    close(tap);
    net_ns_done(&ns);
    echo = NULL, packet = NULL, fence = NULL, nl = NULL;
    return 0;
}

/* A second link of node 0, "eth1", on the same switch. */
static int add_link(const char *mac)
{
    assert_int_equal(net_ns_run(&ns, -1,
                                "ip link add q0 type veth peer name eth1 address %s netns "
                                "/proc/%d/fd/%d && ip link set q0 master br0 up",
                                mac, (int)getpid(), ns.node[0]),
                     0);
    assert_int_equal(net_ns_run(&ns, 0, "ip link set eth1 up"), 0);
    return (int)if_nametoindex("eth1");
}

static bool is_told(void *arg)
{
    const int *ifindex = arg;
    for (unsigned i = 0; i < told.n; i++)
        if (told.ifindex[i] == *ifindex)
            return true;
    return false;
}

static bool never(void *arg)
{
    (void)arg;
    return false;
}

/* What is still on its way is forgotten. */
static void be_quiet(void)
{
    net_ns_wait(loop, never, NULL, QUIET_MS);
    told.n = 0;
}

/* Sends probes until there is an echo on that link: a port that has just come up may miss some. */
static bool comes_back(int ifindex)
{
    bool is_back = false;
    be_quiet();
    for (int i = 0; i < 100 && !is_back; i++) {
        assert_int_equal(packet_probe(packet, &v4, NULL), 0);
        is_back = net_ns_wait(loop, is_told, &ifindex, 20);
    }
    return is_back;
}

static bool stays_quiet(void)
{
    net_ns_wait(loop, never, NULL, QUIET_MS);
    return told.n == 0;
}

static void test_second_link_is_found(void **state)
{
    int eth1 = add_link("02:00:00:00:01:01");
    struct mac mac = net_ns_mac(0);
    (void)state;
    assert_true(comes_back(eth1));
    for (unsigned i = 0; i < told.n; i++)
        assert_int_equal(told.ifindex[i], eth1); /* not on eth0, which sent it */
    assert_true(mac_equal(&told.frame.ether_source, &mac));
    assert_true(ip_equal(&told.frame.target_ip, &v4));
    told.n = 0;
    assert_int_equal(packet_announce(packet, &v4), 0);
    assert_true(net_ns_wait(loop, is_told, &eth1, 1000));
}

static void test_others_are_not_told_of(void **state)
{
    struct mac other = net_ns_mac(1), mac = net_ns_mac(0), one_off = mac;
    uint8_t data[FRAME_MAX];
    (void)state;
    assert_true(comes_back(add_link("02:00:00:00:01:01")));
    be_quiet();
    /* Questions of others. */
    size_t len = frame_arp_probe(&other, &v4, data);
    assert_true(net_ns_send(tap, data, len));
    /* One whose MAC has the same end: it passes the filter. */
    one_off.bytes[0] ^= 4;
    len = frame_arp_probe(&one_off, &v4, data);
    assert_true(net_ns_send(tap, data, len));
    /* No question. */
    len = frame_arp_reply(&mac, &v4, NULL, &peer4, data);
    assert_true(net_ns_send(tap, data, len));
    /* Too short to be one, and too odd. */
    len = frame_arp_probe(&mac, &v4, data);
    data[15] = 9; /* hardware type */
    assert_true(net_ns_send(tap, data, len));
    assert_true(net_ns_send(tap, data, 30));
    assert_true(stays_quiet());
    /* A question of ours about IPv6. */
    assert_int_equal(packet_probe(packet, &v6, NULL), 0);
    assert_true(stays_quiet());
    assert_int_equal(echo_watch(echo, NULL, 0), 0);
    assert_int_equal(packet_probe(packet, &v4, NULL), 0);
    assert_true(stays_quiet());
}

static void test_other_network_and_down_link_are_quiet(void **state)
{
    (void)state;
    assert_int_equal(net_ns_run(&ns, 0,
                                "ip link add d0 type veth peer name d1 &&"
                                "ip link set d0 up && ip link set d1 up"),
                     0);
    assert_true(comes_back(add_link("02:00:00:00:01:01")));
    assert_int_equal(net_ns_run(&ns, 0, "ip link set eth1 down"), 0);
    be_quiet();
    assert_int_equal(packet_probe(packet, &v4, NULL), 0);
    assert_true(stays_quiet());
}

static void test_many_macs(void **state)
{
    struct mac macs[ECHO_MACS_MAX + 1] = {{{0}}};
    int eth1 = add_link("02:00:00:00:01:01");
    (void)state;
    for (unsigned i = 0; i < ECHO_MACS_MAX; i++)
        macs[i].bytes[5] = (uint8_t)(100 + i);
    for (unsigned at = 0; at < ECHO_MACS_MAX; at += ECHO_MACS_MAX - 1) {
        struct mac was = macs[at];
        macs[at] = net_ns_mac(0);
        assert_int_equal(echo_watch(echo, macs, ECHO_MACS_MAX), 0);
        assert_true(comes_back(eth1));
        macs[at] = was;
    }
    assert_int_equal(echo_watch(echo, macs, ECHO_MACS_MAX), 0);
    be_quiet();
    assert_int_equal(packet_probe(packet, &v4, NULL), 0);
    assert_true(stays_quiet());
    assert_int_equal(echo_watch(echo, macs, ECHO_MACS_MAX + 1), -E2BIG);
}

/* The port itself answers nobody. */
static void test_bridge_is_found_not_its_port(void **state)
{
    (void)state;
    add_link("02:00:00:00:01:01");
    assert_int_equal(net_ns_run(&ns, 0,
                                "ip link add br1 type bridge mcast_snooping 0 &&"
                                "ip link set eth1 master br1 && ip link set br1 up"),
                     0);
    int br1 = (int)if_nametoindex("br1");
    assert_true(comes_back(br1));
    for (unsigned i = 0; i < told.n; i++)
        assert_int_equal(told.ifindex[i], br1);
}

/* The kernel joins the group of an IPv6 address in a worker, and a link may just have come up. */
static bool answers(const struct ip *ip, const struct mac *owner)
{
    for (int i = 0; i < 100; i++)
        if (net_ns_answers(tap, ip, owner, 20))
            return true;
    return false;
}

static bool is_silent(const struct ip *ip, const struct mac *owner)
{
    return !net_ns_answers(tap, ip, owner, QUIET_MS);
}

static void close_on(int ifindex)
{
    assert_int_equal(fence_attach(fence, ifindex), 0);
    fence_set_deadline_us(fence, clock_now_us());
    fence_arm(fence, 1);
    fence_arm(fence, 2);
}

static void set_vips(int ifindex)
{
    assert_int_equal(address_set(nl, ifindex, &v4, 1000), 0);
    assert_int_equal(address_set(nl, ifindex, &v6, 1000), 0);
}

/* Why all of this is: ARP is answered on each link; NDP only where the address is. */
static void test_fence_on_one_link_does_not_mute_the_other(void **state)
{
    struct mac first = net_ns_mac(0), second = {{2, 0, 0, 0, 1, 1}};
    int eth1 = add_link("02:00:00:00:01:01");
    (void)state;
    set_vips(ns.ifindex[0]);
    assert_true(answers(&v4, &first));
    assert_true(answers(&v4, &second));
    assert_true(answers(&v6, &first));
    assert_true(is_silent(&v6, &second));
    close_on(ns.ifindex[0]);
    assert_true(is_silent(&v4, &first));
    assert_true(answers(&v4, &second));
    assert_true(is_silent(&v6, &first));
    assert_true(is_silent(&v6, &second));
    close_on(eth1);
    assert_true(is_silent(&v4, &first));
    assert_true(is_silent(&v4, &second));
}

static bool add_macvlan(void)
{
    if (net_ns_run(&ns, 0,
                   "ip link add mv0 link eth0 address 02:00:00:00:02:01 type macvlan "
                   "mode bridge 2>/dev/null") != 0)
        return false;
    assert_int_equal(net_ns_run(&ns, 0, "ip link set mv0 up"), 0);
    return true;
}

/* Not found by the echo, but what comes in passes the fence of eth0 first. */
static void test_fence_mutes_a_macvlan_above(void **state)
{
    struct mac first = net_ns_mac(0), above = {{2, 0, 0, 0, 2, 1}};
    (void)state;
    if (!add_macvlan())
        skip();
    told.n = 0;
    assert_int_equal(packet_probe(packet, &v4, NULL), 0);
    assert_true(stays_quiet());
    set_vips(ns.ifindex[0]);
    assert_true(answers(&v4, &above));
    close_on(ns.ifindex[0]);
    assert_true(is_silent(&v4, &above));
    assert_true(is_silent(&v4, &first));
    assert_true(is_silent(&v6, &above));
}

/* And the other way round: the one below hears what others send, not what its macvlan sends. */
static void test_macvlan_needs_the_fence_below(void **state)
{
    struct mac below = net_ns_mac(0), mac = {{2, 0, 0, 0, 2, 1}};
    struct packet *of_macvlan;
    (void)state;
    if (!add_macvlan())
        skip();
    int mv0 = (int)if_nametoindex("mv0");
    assert_int_equal(packet_open(loop, mv0, &mac, on_frame, NULL, &of_macvlan), 0);
    assert_int_equal(echo_watch(echo, &mac, 1), 0);
    told.n = 0;
    assert_int_equal(packet_probe(of_macvlan, &v4, NULL), 0);
    assert_true(stays_quiet());
    packet_close(of_macvlan);
    set_vips(mv0);
    close_on(mv0);
    assert_true(is_silent(&v4, &mac));
    assert_true(answers(&v4, &below));
    close_on(ns.ifindex[0]);
    assert_true(is_silent(&v4, &mac));
    assert_true(is_silent(&v4, &below));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_second_link_is_found, setup, teardown),
        cmocka_unit_test_setup_teardown(test_others_are_not_told_of, setup, teardown),
        cmocka_unit_test_setup_teardown(test_other_network_and_down_link_are_quiet, setup,
                                        teardown),
        cmocka_unit_test_setup_teardown(test_many_macs, setup, teardown),
        cmocka_unit_test_setup_teardown(test_bridge_is_found_not_its_port, setup, teardown),
        cmocka_unit_test_setup_teardown(test_fence_on_one_link_does_not_mute_the_other, setup,
                                        teardown),
        cmocka_unit_test_setup_teardown(test_fence_mutes_a_macvlan_above, setup, teardown),
        cmocka_unit_test_setup_teardown(test_macvlan_needs_the_fence_below, setup, teardown),
    };
    const char *why = net_ns_why_not();
    if (why) {
        printf("SKIP test_net_echo: %s\n", why);
        return 0;
    }
    return cmocka_run_group_tests(tests, NULL, NULL);
}
