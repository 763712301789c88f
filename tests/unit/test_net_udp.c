/* SPDX-License-Identifier: MIT */
/* Datagrams between real network namespaces. */
#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <poll.h>
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/clock.h"
#include "net/udp.h"
#include "net_ns.h"

#define PORT 9755
#define FLOOD 200

static struct net_ns ns;
static struct loop *loop;
static const struct datagram_keys keys = {.key = "a key"}, other = {.key = "another key"};

struct end {
    struct udp *udp;
    unsigned n;
    struct datagram last;
    struct ip from;
    uint16_t port;
    uint64_t at_us;
    bool close_it, move_it;
    struct udp_place place;
    struct loop_timer *timer;
    unsigned n_at_timer;
};

static int setup(void **state)
{
    (void)state;
    if (!net_ns_setup(&ns))
        return -1;
    loop = loop_new();
    return loop ? 0 : -1;
}

static int teardown(void **state)
{
    (void)state;
    loop_free(loop);
    net_ns_done(&ns);
    return 0;
}

static void on_message(void *arg, const struct datagram *d, const struct ip *from, uint16_t port,
                       uint64_t now_us)
{
    struct end *e = arg;
    if (e->n++ == 0 && e->timer)
        loop_timer_set(e->timer, 0);
    e->last = *d;
    e->from = *from;
    e->port = port;
    e->at_us = now_us;
    if (e->move_it)
        assert_int_equal(udp_move(e->udp, &e->place), 0);
    if (e->close_it) {
        udp_close(e->udp);
        e->udp = NULL;
    }
}

static struct udp_place place_of(int node, const char *ip)
{
    return (struct udp_place){.ip = net_ns_ip(ip), .port = PORT, .ifindex = ns.ifindex[node]};
}

static void open_end(struct end *e, int node, const char *ip)
{
    *e = (struct end){.place = place_of(node, ip)};
    net_ns_enter(&ns, node);
    assert_int_equal(udp_open(loop, &e->place, &keys, on_message, e, &e->udp), 0);
    net_ns_enter(&ns, 0);
}

static struct datagram heartbeat(uint64_t number)
{
    return (struct datagram){.kind = DATAGRAM_HEARTBEAT,
                             .from = {5, 6},
                             .owner = {5, 6},
                             .number = number,
                             .window_us = 500000};
}

static bool has_one(void *arg)
{
    struct end *e = arg;
    return e->n > 0;
}

static bool has_flood(void *arg)
{
    struct end *e = arg;
    return e->n == FLOOD;
}

static void send_number(struct end *a, struct end *b, uint64_t number)
{
    struct datagram d = heartbeat(number);
    assert_int_equal(udp_send(a->udp, &d, &b->place.ip, PORT, NULL), 0);
}

static void expect_number(struct end *b, uint64_t number)
{
    assert_true(net_ns_wait(loop, has_one, b, 3000));
    assert_int_equal(b->n, 1);
    assert_int_equal(b->last.number, number);
    b->n = 0;
}

static void close_both(struct end *a, struct end *b)
{
    udp_close(a->udp);
    udp_close(b->udp);
}

static void test_there_and_back(void **state)
{
    static const char *const pairs[][2] = {
        {"10.77.0.1", "10.77.0.2"}, {"fd77::1", "fd77::2"}, {"fe80::ff:fe00:1", "fe80::ff:fe00:2"}};
    (void)state;
    for (size_t i = 0; i < 3; i++) {
        struct end a, b;
        uint64_t before = clock_now_us(), sent = 0;
        struct datagram d = heartbeat(i + 1);
        open_end(&a, 0, pairs[i][0]);
        open_end(&b, 1, pairs[i][1]);
        assert_int_equal(udp_send(a.udp, &d, &b.place.ip, PORT, &sent), 0);
        expect_number(&b, i + 1);
        assert_true(ip_equal(&b.from, &a.place.ip) && b.port == PORT);
        assert_true(before <= sent && sent <= b.at_us && b.at_us <= clock_now_us());
        d.kind = DATAGRAM_ACKNOWLEDGEMENT;
        assert_int_equal(udp_send(b.udp, &d, &b.from, b.port, NULL), 0);
        expect_number(&a, i + 1);
        assert_int_equal(a.last.kind, DATAGRAM_ACKNOWLEDGEMENT);
        assert_int_equal(udp_counts(a.udp)->sent, 1);
        assert_int_equal(udp_counts(a.udp)->received, 1);
        close_both(&a, &b);
    }
}

static int stranger(int node, const char *ip)
{
    struct sockaddr_in to = {.sin_family = AF_INET, .sin_port = htons(PORT)};
    struct ip peer = net_ns_ip(ip);
    memcpy(&to.sin_addr, peer.bytes, 4);
    net_ns_enter(&ns, node);
    int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
    assert_int_equal(connect(fd, (struct sockaddr *)&to, sizeof(to)), 0);
    net_ns_enter(&ns, 0);
    return fd;
}

static void test_strangers_are_counted(void **state)
{
    uint8_t data[DATAGRAM_SIZE + 1] = {1}, answer[8];
    struct datagram d = heartbeat(1);
    struct end a, b;
    (void)state;
    open_end(&a, 0, "10.77.0.1");
    open_end(&b, 1, "10.77.0.2");
    int fd = stranger(2, "10.77.0.1");
    assert_int_equal(send(fd, data, 0, 0), 0);
    assert_int_equal(send(fd, data, sizeof(data), 0), sizeof(data));
    assert_int_equal(send(fd, data, DATAGRAM_SIZE, 0), DATAGRAM_SIZE);
    assert_int_equal(send(fd, "\x02", 1, 0), 1);
    assert_int_equal(datagram_write(&d, &other, data), 0);
    assert_int_equal(send(fd, data, DATAGRAM_SIZE, 0), DATAGRAM_SIZE);
    send_number(&b, &a, 9); /* comes last */
    expect_number(&a, 9);
    assert_int_equal(udp_counts(a.udp)->received, 6);
    assert_int_equal(udp_counts(a.udp)->malformed, 2);
    assert_int_equal(udp_counts(a.udp)->rejected, 2);
    assert_int_equal(udp_counts(a.udp)->unknown, 1);
    assert_int_equal(udp_counts(a.udp)->sent, 0);
    assert_int_equal(recv(fd, answer, sizeof(answer), MSG_DONTWAIT), -1);
    close(fd);
    close_both(&a, &b);
}

/* A host takes what is sent to any of its addresses over any of its links (RFC 1122 section
 * 3.3.4.2, the weak model); this socket does not. */
static void test_only_this_link(void **state)
{
    uint8_t data[DATAGRAM_SIZE];
    struct datagram d = heartbeat(1);
    struct end a, b;
    (void)state;
    assert_int_equal(net_ns_run(&ns, 0,
                                "ip link add side type veth peer name side netns /proc/%d/fd/%d &&"
                                "ip addr add 10.88.0.1/24 dev side && ip link set side up",
                                (int)getpid(), ns.node[2]),
                     0);
    assert_int_equal(net_ns_run(&ns, 2,
                                "ip addr add 10.88.0.3/24 dev side && ip link set side up &&"
                                "ip route add 10.77.0.1/32 via 10.88.0.1 src 10.88.0.3"),
                     0);
    open_end(&a, 0, "10.77.0.1");
    open_end(&b, 1, "10.77.0.2");
    int fd = stranger(2, "10.77.0.1");
    assert_int_equal(datagram_write(&d, &keys, data), 0);
    assert_int_equal(send(fd, data, DATAGRAM_SIZE, 0), DATAGRAM_SIZE);
    /* Refused by the kernel: so it came, and nobody was there for it. */
    struct pollfd answer = {.fd = fd, .events = POLLIN};
    assert_int_equal(poll(&answer, 1, 3000), 1);
    assert_true(answer.revents & POLLERR);
    send_number(&b, &a, 2);
    expect_number(&a, 2);
    assert_int_equal(udp_counts(a.udp)->received, 1);
    close(fd);
    close_both(&a, &b);
    assert_int_equal(net_ns_run(&ns, 0, "ip link del side"), 0);
}

static void test_goes_first(void **state)
{
    static const struct {
        const char *from, *to;
        uint8_t first, second; /* of the IP header */
    } cases[] = {{"10.77.0.1", "10.77.0.2", 0x45, 0xc0}, {"fd77::1", "fd77::2", 0x6c, 0x00}};
    (void)state;
    for (size_t i = 0; i < 2; i++) {
        struct end a, b;
        uint8_t frame[512];
        size_t n;
        open_end(&a, 0, cases[i].from);
        open_end(&b, 1, cases[i].to);
        int tap = net_ns_tap(&ns, 1);
        send_number(&a, &b, 1);
        do /* past ARP and NDP */
            n = net_ns_hear(tap, frame, sizeof(frame), 3000);
        while (n > 0 && n != 14u + 8 + DATAGRAM_SIZE + (i ? 40 : 20));
        assert_true(n > 0);
        assert_int_equal(frame[14], cases[i].first);
        assert_int_equal(frame[15] & 0xf0, cases[i].second & 0xf0);
        close(tap);
        close_both(&a, &b);
    }
}

static void on_timer(void *arg)
{
    struct end *e = arg;
    e->n_at_timer = e->n;
}

static void test_flood_leaves_time_for_others(void **state)
{
    struct end a, b;
    (void)state;
    open_end(&a, 0, "10.77.0.1");
    open_end(&b, 1, "10.77.0.2");
    send_number(&a, &b, 0); /* so that the neighbours are known, and none is lost */
    expect_number(&b, 0);
    assert_int_equal(loop_timer_new(loop, on_timer, &b, &b.timer), 0);
    for (uint64_t i = 1; i <= FLOOD; i++)
        send_number(&a, &b, i);
    assert_true(net_ns_wait(loop, has_flood, &b, 3000));
    assert_int_equal(b.last.number, FLOOD);
    assert_in_range(b.n_at_timer, 1, 2 * UDP_BATCH); /* its turn, and at most one more */
    loop_timer_free(b.timer);
    close_both(&a, &b);
}

static void test_moves(void **state)
{
    struct end a, b;
    struct udp_place place = place_of(0, "10.77.0.99"), gone = place_of(0, "10.77.0.1");
    struct datagram d = heartbeat(1);
    (void)state;
    open_end(&a, 0, "10.77.0.1");
    open_end(&b, 1, "10.77.0.2");
    assert_int_equal(udp_move(a.udp, &place), -EADDRNOTAVAIL);
    assert_int_equal(udp_send(a.udp, &d, &b.place.ip, PORT, NULL), -ENOTCONN);
    gone.ifindex = 4711;
    assert_int_equal(udp_move(a.udp, &gone), -ENODEV);
    place = place_of(0, "fd77::1");
    assert_int_equal(udp_move(a.udp, &place), 0);
    assert_int_equal(udp_send(a.udp, &d, &b.place.ip, PORT, NULL), -EAFNOSUPPORT);
    assert_int_equal(udp_move(a.udp, &a.place), 0);
    assert_int_equal(udp_move(a.udp, &a.place), 0);
    send_number(&a, &b, 3);
    expect_number(&b, 3);
    assert_int_equal(udp_counts(a.udp)->failed, 2);
    assert_int_equal(udp_counts(a.udp)->sent, 1);
    close_both(&a, &b);
}

static void test_not_opened(void **state)
{
    struct udp_place place = place_of(0, "10.77.0.99"), gone = place_of(0, "10.77.0.1");
    struct udp *udp = NULL;
    struct end a, b = {.udp = NULL};
    (void)state;
    assert_int_equal(udp_open(loop, &place, &keys, on_message, NULL, &udp), -EADDRNOTAVAIL);
    gone.ifindex = 4711;
    assert_int_equal(udp_open(loop, &gone, &keys, on_message, NULL, &udp), -ENODEV);
    open_end(&a, 0, "10.77.0.1");
    assert_int_equal(udp_open(loop, &a.place, &keys, on_message, NULL, &udp), -EADDRINUSE);
    assert_null(udp);
    close_both(&a, &b);
}

static void test_closed_and_moved_while_reading(void **state)
{
    struct end a, b;
    (void)state;
    open_end(&a, 0, "10.77.0.1");
    open_end(&b, 1, "10.77.0.2");
    a.move_it = true;
    a.place.port = PORT + 1;
    for (uint64_t i = 1; i <= 3; i++)
        send_number(&b, &a, i);
    expect_number(&a, 1); /* the rest was for the old port */
    a.move_it = false;
    a.close_it = true;
    struct datagram d = heartbeat(7);
    for (int i = 0; i < 3; i++)
        assert_int_equal(udp_send(b.udp, &d, &a.place.ip, PORT + 1, NULL), 0);
    expect_number(&a, 7);
    assert_null(a.udp);
    close_both(&a, &b);
}

static void test_keys_change(void **state)
{
    struct datagram_keys next = {.key = "another key", .has_other = true};
    struct end a, b;
    (void)state;
    memcpy(next.other, keys.key, sizeof(next.other));
    open_end(&a, 0, "10.77.0.1");
    open_end(&b, 1, "10.77.0.2");
    udp_set_keys(b.udp, &next);
    send_number(&a, &b, 1);
    expect_number(&b, 1);
    udp_set_keys(a.udp, &next);
    send_number(&a, &b, 2);
    expect_number(&b, 2);
    next.has_other = false;
    udp_set_keys(b.udp, &next);
    send_number(&a, &b, 3);
    expect_number(&b, 3);
    assert_int_equal(udp_counts(b.udp)->rejected, 0);
    close_both(&a, &b);
}

static void test_link_down_is_no_end(void **state)
{
    struct datagram d = heartbeat(1);
    struct end a, b;
    (void)state;
    open_end(&a, 0, "10.77.0.1");
    open_end(&b, 1, "10.77.0.2");
    assert_int_equal(net_ns_run(&ns, 0, "ip link set eth0 down"), 0);
    assert_true(udp_send(a.udp, &d, &b.place.ip, PORT, NULL) < 0);
    assert_int_equal(udp_counts(a.udp)->failed, 1);
    assert_int_equal(net_ns_run(&ns, 0, "ip link set eth0 up"), 0);
    send_number(&a, &b, 2);
    expect_number(&b, 2);
    close_both(&a, &b);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_there_and_back),
        cmocka_unit_test(test_strangers_are_counted),
        cmocka_unit_test(test_only_this_link),
        cmocka_unit_test(test_goes_first),
        cmocka_unit_test(test_flood_leaves_time_for_others),
        cmocka_unit_test(test_moves),
        cmocka_unit_test(test_not_opened),
        cmocka_unit_test(test_closed_and_moved_while_reading),
        cmocka_unit_test(test_keys_change),
        cmocka_unit_test(test_link_down_is_no_end),
    };
    const char *why_not = net_ns_why_not();
    if (why_not) {
        printf("SKIP: net_udp: %s\n", why_not);
        return 0;
    }
    return cmocka_run_group_tests(tests, setup, teardown);
}
