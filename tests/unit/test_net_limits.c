/* SPDX-License-Identifier: MIT */
/* Every descriptor that an open needs made to fail in turn: a clean error, and nothing leaks. */
#include <dirent.h>
#include <errno.h>
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/resource.h>
#include <unistd.h>

#include "base/file.h"
#include "net/echo.h"
#include "net/fence.h"
#include "net/monitor.h"
#include "net/netlink.h"
#include "net/packet.h"
#include "net/tcp.h"
#include "net_ns.h"

static struct net_ns ns;
static struct loop *loop;

static int setup(void **state)
{
    (void)state;
    return net_ns_setup(&ns) && (loop = loop_new()) ? 0 : -1;
}

static int teardown(void **state)
{
    (void)state;
    loop_free(loop);
    net_ns_done(&ns);
    return 0;
}

static int count_fds(void)
{
    int n = 0;
    DIR *dir = opendir("/proc/self/fd");
    assert_non_null(dir);
    while (readdir(dir))
        n++;
    closedir(dir);
    return n;
}

static int try_netlink(void)
{
    struct netlink *nl;
    int r = netlink_open(&nl);
    if (r == 0)
        netlink_close(nl);
    return r;
}

static void on_link(void *arg, const struct link *link)
{
    (void)arg;
    (void)link;
}

static void on_link_gone(void *arg, int ifindex)
{
    (void)arg;
    (void)ifindex;
}

static void on_address(void *arg, const struct address *a, bool is_removed,
                       enum monitor_origin origin)
{
    (void)arg;
    (void)a;
    (void)is_removed;
    (void)origin;
}

static void on_resync(void *arg)
{
    (void)arg;
}

static int try_monitor(void)
{
    static const struct monitor_callbacks callbacks = {on_link, on_link_gone, on_address,
                                                       on_resync};
    struct monitor *m;
    int r = monitor_open(loop, &callbacks, NULL, &m);
    if (r == 0)
        monitor_close(m);
    return r;
}

static void on_frame(void *arg, const struct frame *frame)
{
    (void)arg;
    (void)frame;
}

static int try_packet(void)
{
    struct mac mac = net_ns_mac(0);
    struct packet *p;
    int r = packet_open(loop, ns.ifindex[0], &mac, on_frame, NULL, &p);
    if (r == 0)
        packet_close(p);
    return r;
}

static char note[64];

static void on_echo(void *arg, int ifindex, const struct frame *frame)
{
    (void)arg;
    (void)ifindex;
    (void)frame;
}

static int try_echo(void)
{
    struct echo *e;
    int r = echo_open(loop, on_echo, NULL, &e);
    if (r == 0)
        echo_close(e);
    return r;
}

static int try_fence(void)
{
    struct fence *f;
    const char *reason = NULL;
    int r = fence_open(note, &f, &reason);
    assert_true(r == 0 || reason);
    if (r == 0) {
        assert_int_equal(fence_note(f), 0);
        fence_close(f);
    }
    return r;
}

static int try_tcp(void)
{
    struct ip vip = net_ns_ip("10.77.0.100");
    size_t closed;
    return tcp_close_all(&vip, 10, &closed);
}

/* Lets 0, 1, 2, ... more descriptors be opened until it works; returns how many it took. */
static int starve(int (*try)(void))
{
    struct rlimit before, limit;
    int fds = count_fds(), next = open("/dev/null", O_RDONLY | O_CLOEXEC), r = -EMFILE;
    close(next);
    assert_int_equal(getrlimit(RLIMIT_NOFILE, &before), 0);
    for (int more = 0; more < 20; more++) {
        limit = before;
        limit.rlim_cur = (rlim_t)(next + more);
        assert_int_equal(setrlimit(RLIMIT_NOFILE, &limit), 0);
        r = try();
        assert_int_equal(setrlimit(RLIMIT_NOFILE, &before), 0);
        assert_int_equal(count_fds(), fds);
        if (r == 0)
            return more;
        assert_int_equal(r, -EMFILE);
    }
    fail_msg("never worked: %d", r);
    return -1;
}

static void test_descriptors(void **state)
{
    (void)state;
    assert_int_equal(starve(try_netlink), 1);
    assert_int_equal(starve(try_monitor), 1);
    assert_int_equal(starve(try_packet), 2);
    assert_int_equal(starve(try_echo), 1);
    assert_int_equal(starve(try_tcp), 1);
}

static void test_descriptors_of_the_fence(void **state)
{
    (void)state;
    snprintf(note, sizeof(note), "/tmp/talosvip-limits.%d", (int)getpid());
    if (try_fence() < 0) {
        print_message("SKIP: net_limits: no packet fence here\n");
        return;
    }
    assert_int_equal(file_replace(note, "no note", 7), 0); /* its reading fails in turn, too */
    assert_int_equal(starve(try_fence), 5);                /* two maps, two programs, netlink */
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_descriptors),
        cmocka_unit_test(test_descriptors_of_the_fence),
    };
    const char *why_not = net_ns_why_not();
    if (why_not) {
        printf("SKIP: net_limits: %s\n", why_not);
        return 0;
    }
    return cmocka_run_group_tests(tests, setup, teardown);
}
