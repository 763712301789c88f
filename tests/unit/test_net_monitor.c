/* SPDX-License-Identifier: MIT */
/* Link and address notifications of a real kernel. */
#include <errno.h>
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "net/monitor.h"
#include "net_ns.h"

#define EVENTS_MAX 4096

struct event {
    struct ip ip;
    int ifindex;
    bool is_removed;
    enum monitor_origin origin;
};

static struct net_ns ns;
static struct netlink *nl;
static struct loop *loop;
static struct monitor *monitor;
static struct event events[EVENTS_MAX];
static size_t event_count, resync_count, gone_count, closed_count;
static struct link last_link;
static bool close_in_callback;

static void on_link(void *arg, const struct link *link)
{
    (void)arg;
    last_link = *link;
}

static void on_link_gone(void *arg, int ifindex)
{
    (void)arg;
    (void)ifindex;
    gone_count++;
}

static void on_address(void *arg, const struct address *a, bool is_removed,
                       enum monitor_origin origin)
{
    (void)arg;
    if (event_count < EVENTS_MAX)
        events[event_count++] = (struct event){a->ip, a->ifindex, is_removed, origin};
    if (close_in_callback) {
        monitor_close(monitor);
        monitor = NULL;
        closed_count++;
    }
}

static void on_resync(void *arg)
{
    (void)arg;
    resync_count++;
}

/* What the monitor's socket answers before anything else; the calls of others are not touched. */
static struct {
    int n;
    int error[256];
} scripted;

ssize_t recvmsg(int fd, struct msghdr *msg, int flags)
{
    if (scripted.n > 0 && monitor && fd == monitor_fd(monitor)) {
        errno = scripted.error[--scripted.n];
        return -1;
    }
    return syscall(SYS_recvmsg, fd, msg, flags);
}

static const struct monitor_callbacks callbacks = {on_link, on_link_gone, on_address, on_resync};

static int setup(void **state)
{
    uint32_t port;
    (void)state;
    event_count = resync_count = gone_count = closed_count = 0;
    close_in_callback = false;
    memset(&last_link, 0, sizeof(last_link));
    if (!net_ns_setup(&ns) || netlink_open(&nl) < 0)
        return -1;
    loop = loop_new();
    if (!loop || monitor_open(loop, &callbacks, NULL, &monitor) < 0)
        return -1;
    port = netlink_port(nl);
    monitor_set_ports(monitor, &port, 1);
    return 0;
}

static int teardown(void **state)
{
    (void)state;
    monitor_close(monitor);
    monitor = NULL;
    loop_free(loop);
    netlink_close(nl);
    net_ns_done(&ns);
    return 0;
}

static bool has_events(void *arg)
{
    return event_count >= *(const size_t *)arg;
}

static void expect_event(size_t at, const struct ip *ip, bool is_removed,
                         enum monitor_origin origin)
{
    size_t want = at + 1;
    assert_true(net_ns_wait(loop, has_events, &want, 9000));
    assert_true(ip_equal(&events[at].ip, ip));
    assert_int_equal(events[at].ifindex, ns.ifindex[0]);
    assert_int_equal(events[at].is_removed, is_removed);
    assert_int_equal(events[at].origin, origin);
}

static void test_who_did_it(void **state)
{
    struct ip v4 = net_ns_ip("10.77.0.100"), v6 = net_ns_ip("fd77::64");
    (void)state;
    assert_int_equal(address_set(nl, ns.ifindex[0], &v4, 50), 0);
    assert_int_equal(address_set(nl, ns.ifindex[0], &v6, 50), 0);
    expect_event(0, &v4, false, MONITOR_OWN);
    expect_event(1, &v6, false, MONITOR_UNKNOWN);
    assert_int_equal(address_remove(nl, ns.ifindex[0], &v4), 0);
    expect_event(2, &v4, true, MONITOR_OWN);
    assert_int_equal(net_ns_run(&ns, 0, "ip addr del fd77::64/128 dev eth0"), 0);
    expect_event(3, &v6, true, MONITOR_UNKNOWN);
    assert_int_equal(net_ns_run(&ns, 0, "ip addr add 10.77.0.100/32 dev eth0"), 0);
    expect_event(4, &v4, false, MONITOR_FOREIGN);
    assert_int_equal(net_ns_run(&ns, 0, "ip addr del 10.77.0.100/32 dev eth0"), 0);
    expect_event(5, &v4, true, MONITOR_FOREIGN);
    assert_int_equal(net_ns_run(&ns, 0, "ip addr add 10.77.0.100/32 dev eth0"), 0);
    expect_event(6, &v4, false, MONITOR_FOREIGN);
    assert_int_equal(address_set(nl, ns.ifindex[0], &v4, 1), 0);
    expect_event(7, &v4, false, MONITOR_OWN);
    expect_event(8, &v4, true, MONITOR_KERNEL); /* its life is over */
    monitor_set_ports(monitor, NULL, 0);
    assert_int_equal(address_set(nl, ns.ifindex[0], &v4, 50), 0);
    expect_event(9, &v4, false, MONITOR_FOREIGN);
    assert_int_equal(resync_count, 0);
}

static bool is_down(void *arg)
{
    (void)arg;
    return last_link.ifindex == ns.ifindex[0] && !last_link.is_running;
}

static bool is_running_again(void *arg)
{
    (void)arg;
    return last_link.ifindex == ns.ifindex[0] && last_link.is_running;
}

static bool is_gone(void *arg)
{
    (void)arg;
    return gone_count > 0;
}

static void test_links(void **state)
{
    (void)state;
    assert_int_equal(net_ns_run(&ns, -1, "ip link set p0 down"), 0);
    assert_true(net_ns_wait(loop, is_down, NULL, 3000));
    assert_true(last_link.is_up && !last_link.has_carrier);
    assert_int_equal(net_ns_run(&ns, -1, "ip link set p0 up"), 0);
    assert_true(net_ns_wait(loop, is_running_again, NULL, 3000));
    /* Leaving a bridge is a DELLINK too, of another kind. */
    assert_int_equal(net_ns_run(&ns, 0,
                                "ip link add br9 type bridge && ip link set eth0 master br9 &&"
                                "ip link set eth0 nomaster"),
                     0);
    assert_int_equal(address_remove(nl, ns.ifindex[0], &(struct ip){.family = IP_V4}), 0);
    assert_int_equal(net_ns_run(&ns, 0, "ip link set br9 alias x"), 0);
    size_t before = event_count + 1;
    struct ip vip = net_ns_ip("10.77.0.100");
    assert_int_equal(address_set(nl, ns.ifindex[0], &vip, 50), 0);
    assert_true(net_ns_wait(loop, has_events, &before, 3000));
    assert_int_equal(gone_count, 0);
    assert_int_equal(net_ns_run(&ns, 0, "ip link del br9"), 0);
    assert_true(net_ns_wait(loop, is_gone, NULL, 3000));
    assert_int_equal(gone_count, 1);
}

static bool has_resynced(void *arg)
{
    (void)arg;
    return resync_count > 0;
}

static void test_lost_notifications(void **state)
{
    struct ip vip = net_ns_ip("10.77.0.100");
    int size = 1; /* the kernel makes the least of it */
    (void)state;
    assert_int_equal(setsockopt(monitor_fd(monitor), SOL_SOCKET, SO_RCVBUF, &size, sizeof(size)),
                     0);
    for (int i = 0; i < 500; i++)
        assert_int_equal(address_set(nl, ns.ifindex[0], &vip, 50), 0);
    assert_int_equal(address_remove(nl, ns.ifindex[0], &vip), 0);
    assert_true(net_ns_wait(loop, has_resynced, NULL, 3000));
    assert_int_equal(resync_count, 1);
    assert_true(event_count < 501);
    /* It goes on hearing. */
    size_t before = event_count;
    assert_int_equal(address_set(nl, ns.ifindex[0], &vip, 50), 0);
    expect_event(before, &vip, false, MONITOR_OWN);
    assert_int_equal(resync_count, 1);
}

/* The loss is told first, and the last datagram ends the batch: nothing wakes us again. */
static void test_loss_at_the_end_of_a_batch(void **state)
{
    struct ip vip = net_ns_ip("10.77.0.100");
    (void)state;
    scripted.n = 255;
    for (int i = 0; i < 255; i++)
        scripted.error[i] = EINTR;
    scripted.error[254] = ENOBUFS;
    assert_int_equal(address_set(nl, ns.ifindex[0], &vip, 50), 0);
    assert_true(net_ns_wait(loop, has_resynced, NULL, 3000));
    assert_int_equal(scripted.n, 0);
    assert_int_equal(event_count, 1);
    assert_int_equal(resync_count, 1);
}

static void test_default_buffer_loses_nothing(void **state)
{
    struct ip vip = net_ns_ip("10.77.0.100");
    size_t want = 2000;
    (void)state;
    for (int i = 0; i < 2000; i++)
        assert_int_equal(address_set(nl, ns.ifindex[0], &vip, 50), 0);
    assert_true(net_ns_wait(loop, has_events, &want, 3000));
    assert_int_equal(resync_count, 0);
}

static bool has_closed(void *arg)
{
    (void)arg;
    return closed_count > 0;
}

static void test_callback_may_close(void **state)
{
    struct ip vip = net_ns_ip("10.77.0.100");
    (void)state;
    close_in_callback = true;
    for (int i = 0; i < 10; i++)
        assert_int_equal(address_set(nl, ns.ifindex[0], &vip, 50), 0);
    assert_true(net_ns_wait(loop, has_closed, NULL, 3000));
    assert_int_equal(closed_count, 1);
    assert_int_equal(event_count, 1);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_who_did_it, setup, teardown),
        cmocka_unit_test_setup_teardown(test_links, setup, teardown),
        cmocka_unit_test_setup_teardown(test_lost_notifications, setup, teardown),
        cmocka_unit_test_setup_teardown(test_loss_at_the_end_of_a_batch, setup, teardown),
        cmocka_unit_test_setup_teardown(test_default_buffer_loses_nothing, setup, teardown),
        cmocka_unit_test_setup_teardown(test_callback_may_close, setup, teardown),
    };
    const char *why_not = net_ns_why_not();
    if (why_not) {
        printf("SKIP: net_monitor: %s\n", why_not);
        return 0;
    }
    return cmocka_run_group_tests(tests, NULL, NULL);
}
