/* SPDX-License-Identifier: MIT */
/* SOCK_DESTROY against real connections. */
#include <arpa/inet.h>
#include <errno.h>
#include <poll.h>
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>
#include <netinet/in.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "net/address.h"
#include "net/tcp.h"
#include "net_ns.h"

static struct net_ns ns;
static struct netlink *nl;

static int setup(void **state)
{
    (void)state;
    return net_ns_setup(&ns) ? netlink_open(&nl) : -1;
}

static int teardown(void **state)
{
    (void)state;
    netlink_close(nl);
    net_ns_done(&ns);
    return 0;
}

/* A listener for both families on node 0. */
static int listen_all(uint16_t port)
{
    struct sockaddr_in6 self = {.sin6_family = AF_INET6, .sin6_port = htons(port)};
    net_ns_enter(&ns, 0);
    int fd = socket(AF_INET6, SOCK_STREAM | SOCK_CLOEXEC, 0);
    int off = 0;
    setsockopt(fd, IPPROTO_IPV6, IPV6_V6ONLY, &off, sizeof(off));
    assert_int_equal(bind(fd, (struct sockaddr *)&self, sizeof(self)), 0);
    assert_int_equal(listen(fd, 8), 0);
    return fd;
}

static int listen_v4(uint16_t port)
{
    struct sockaddr_in self = {.sin_family = AF_INET, .sin_port = htons(port)};
    net_ns_enter(&ns, 0);
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    assert_int_equal(bind(fd, (struct sockaddr *)&self, sizeof(self)), 0);
    assert_int_equal(listen(fd, 8), 0);
    return fd;
}

/* From node 1; the namespace of node 0 is current again afterwards. */
static int connect_to(const struct ip *ip, uint16_t port)
{
    struct sockaddr_in v4 = {.sin_family = AF_INET, .sin_port = htons(port)};
    struct sockaddr_in6 v6 = {.sin6_family = AF_INET6, .sin6_port = htons(port)};
    struct timeval timeout = {.tv_sec = 5};
    memcpy(&v4.sin_addr, ip->bytes, 4);
    memcpy(&v6.sin6_addr, ip->bytes, 16);
    net_ns_enter(&ns, 1);
    int fd = socket(ip->family == IP_V4 ? AF_INET : AF_INET6, SOCK_STREAM | SOCK_CLOEXEC, 0);
    setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &timeout, sizeof(timeout));
    int r = ip->family == IP_V4 ? connect(fd, (struct sockaddr *)&v4, sizeof(v4))
                                : connect(fd, (struct sockaddr *)&v6, sizeof(v6));
    assert_int_equal(r, 0);
    net_ns_enter(&ns, 0);
    return fd;
}

static bool is_reset(int fd, int ms)
{
    struct pollfd p = {.fd = fd, .events = POLLIN};
    char c;
    return poll(&p, 1, ms) == 1 && read(fd, &c, 1) < 0 && errno == ECONNRESET;
}

static void test_idle_clients_learn_it(void **state)
{
    struct ip v4 = net_ns_ip("10.77.0.100"), v6 = net_ns_ip("fd77::64");
    struct ip own = net_ns_ip("10.77.0.1");
    size_t closed;
    (void)state;
    assert_int_equal(address_set(nl, ns.ifindex[0], &v4, 100), 0);
    assert_int_equal(address_set(nl, ns.ifindex[0], &v6, 100), 0);
    int both = listen_all(5000), only4 = listen_v4(5001);
    int mapped = connect_to(&v4, 5000), plain = connect_to(&v4, 5001);
    int six = connect_to(&v6, 5000), other = connect_to(&own, 5001);

    assert_int_equal(tcp_close_all(&v4, 1000, &closed), 0);
    assert_int_equal(closed, 2);
    assert_true(is_reset(mapped, 1000) && is_reset(plain, 1000));
    assert_false(is_reset(six, 50) || is_reset(other, 50));
    assert_int_equal(tcp_close_all(&v4, 1000, &closed), 0);
    assert_int_equal(closed, 0);
    assert_int_equal(tcp_close_all(&v6, 1000, &closed), 0);
    assert_int_equal(closed, 1);
    assert_true(is_reset(six, 1000) && !is_reset(other, 50));
    int again = connect_to(&v4, 5001); /* the listener stayed */
    close(again), close(mapped), close(plain), close(six), close(other);
    close(both), close(only4);
}

static void test_bounded(void **state)
{
    struct ip vip = net_ns_ip("10.77.0.100");
    int fds[12];
    size_t closed;
    (void)state;
    assert_int_equal(address_set(nl, ns.ifindex[0], &vip, 100), 0);
    tcp_close_all(&vip, 1000, &closed);
    int listener = listen_v4(5002);
    for (int i = 0; i < 12; i++) {
        fds[i] = connect_to(&vip, 5002);
        close(accept4(listener, NULL, NULL, SOCK_CLOEXEC) < 0 ? -1 : dup(fds[i]));
    }
    assert_int_equal(tcp_close_all(&vip, 5, &closed), -E2BIG);
    assert_int_equal(closed, 5);
    assert_int_equal(tcp_close_all(&vip, 1000, &closed), 0);
    assert_int_equal(closed, 7);
    for (int i = 0; i < 12; i++) {
        assert_true(is_reset(fds[i], 1000));
        close(fds[i]);
    }
    close(listener);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_idle_clients_learn_it),
        cmocka_unit_test(test_bounded),
    };
    const char *why_not = net_ns_why_not();
    if (why_not) {
        printf("SKIP: net_tcp: %s\n", why_not);
        return 0;
    }
    return cmocka_run_group_tests(tests, setup, teardown);
}
