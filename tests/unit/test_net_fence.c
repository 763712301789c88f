/* SPDX-License-Identifier: MIT */
/* The packet fence in a real kernel. Node 0 owns the VIPs, node 1 asks for them. */
#include <arpa/inet.h>
#include <errno.h>
#include <poll.h>
#include <sched.h>
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>
#include <netinet/in.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "../../src/net/bpf.h"
#include "base/clock.h"
#include "net/address.h"
#include "net/fence.h"
#include "net/link.h"
#include "net/packet.h"
#include "net_ns.h"

#define PORT 4000

static struct net_ns ns;
static struct netlink *nl;
static struct fence *fence;
static struct ip v4, v6, peer4, peer6, own4;
static int tap; /* on node 1 */

static void open_fence(void)
{
    const char *reason = NULL;
    net_ns_enter(&ns, 0);
    if (fence_open(NULL, &fence, &reason) < 0)
        fail_msg("%s", reason);
    assert_true(fence_is_active(fence));
    assert_int_equal(fence_attach(fence, ns.ifindex[0]), 0);
    assert_int_equal(fence_add_vip(fence, &v4, 1), 0);
    assert_int_equal(fence_add_vip(fence, &v6, 511), 0);
}

static void arm(uint64_t deadline_us)
{
    fence_set_deadline_us(fence, deadline_us);
    fence_arm(fence, 1);
    fence_arm(fence, 511);
}

static int setup(void **state)
{
    (void)state;
    v4 = net_ns_ip("10.77.0.100"), v6 = net_ns_ip("fd77::64");
    peer4 = net_ns_ip("10.77.0.2"), peer6 = net_ns_ip("fd77::2"), own4 = net_ns_ip("10.77.0.1");
    if (!net_ns_setup(&ns) || netlink_open(&nl) < 0)
        return -1;
    tap = net_ns_tap(&ns, 1);
    if (tap < 0 || address_set(nl, ns.ifindex[0], &v4, 1000) < 0 ||
        address_set(nl, ns.ifindex[0], &v6, 1000) < 0)
        return -1;
    return 0;
}

static int teardown(void **state)
{
    (void)state;
    net_ns_enter(&ns, 0);
    fence_close(fence);
    fence = NULL;
    netlink_close(nl);
    close(tap);
    net_ns_done(&ns);
    return 0;
}

/* Does node 0 answer a request of node 1 for this address, within `ms`? */
static bool answers(const struct ip *ip, int ms)
{
    const struct mac owner = net_ns_mac(0);
    return net_ns_answers(tap, ip, &owner, ms);
}

static bool is_open(void)
{
    bool a = answers(&v4, 1000), b = answers(&v6, 1000);
    assert_int_equal(a, b);
    return a;
}

static bool is_mute(void)
{
    return !answers(&v4, 60) && !answers(&v6, 60);
}

static void test_states(void **state)
{
    uint64_t far = clock_now_us() + 600000000;
    (void)state;
    open_fence();
    assert_true(is_open()); /* nothing armed, although the deadline is 0 */
    arm(far);
    assert_int_equal(fence_deadline_us(fence), far);
    assert_int_equal(atomic_load(fence_deadline(fence)), far * 1000);
    assert_true(fence_is_armed(fence, 1) && !fence_is_armed(fence, 2));
    assert_true(is_open());
    fence_set_deadline_us(fence, 1);
    assert_true(is_mute());
    assert_true(answers(&own4, 1000));                /* only the VIPs */
    fence_set_deadline_us(fence, clock_now_us() - 1); /* a late store opens nothing */
    assert_true(is_mute());
    fence_set_deadline_us(fence, far);
    assert_true(is_open());
    fence_set_deadline_us(fence, 1);
    fence_disarm(fence, 1);
    assert_true(answers(&v4, 1000) && !answers(&v6, 60)); /* each VIP for itself */
    fence_arm(fence, 1);
    assert_true(is_mute());
    assert_int_equal(fence_remove_vip(fence, &v4), 0);
    assert_int_equal(fence_remove_vip(fence, &v4), 0);
    assert_true(answers(&v4, 1000) && !answers(&v6, 60));
    assert_int_equal(fence_add_vip(fence, &v4, 0), -ERANGE);
    assert_int_equal(fence_add_vip(fence, &v4, FENCE_SLOTS), -ERANGE);
    assert_int_equal(fence_attach(fence, ns.ifindex[0]), 0); /* twice is no error */
    assert_int_equal(fence_attach(fence, 4711), -ENODEV);
    assert_int_equal(fence_detach(fence, 4711), 0);
    assert_int_equal(fence_detach(fence, ns.ifindex[0]), 0);
    assert_int_equal(fence_detach(fence, ns.ifindex[0]), 0);
    assert_true(is_open());
}

/* Asks without pause around the deadline: an answer to a question sent after D breaks the promise,
 * no answer before D - 10 ms breaks the service. */
static void test_closes_at_the_deadline(void **state)
{
    (void)state;
    open_fence();
    for (int round = 0; round < 6; round++) {
        const struct ip *vip = round % 2 ? &v6 : &v4;
        uint64_t deadline = clock_now_us() + 120000, asked;
        unsigned before = 0, after = 0;
        arm(deadline);
        do {
            asked = clock_now_us();
            /* The kernel's two clocks differ by microseconds. */
            bool has_answer = answers(vip, asked >= deadline ? 5 : 30);
            if (asked >= deadline + 1000)
                assert_false(has_answer);
            else if (clock_now_us() + 10000 < deadline)
                assert_true(has_answer);
            before += asked < deadline && has_answer;
            after += asked >= deadline;
        } while (asked < deadline + 60000);
        assert_true(before > 3 && after > 1);
    }
}

static int udp_socket(int node, const struct ip *bound)
{
    struct sockaddr_in s4 = {.sin_family = AF_INET, .sin_port = htons(PORT)};
    struct sockaddr_in6 s6 = {.sin6_family = AF_INET6, .sin6_port = htons(PORT)};
    bool is_v4 = bound->family == IP_V4;
    memcpy(&s4.sin_addr, bound->bytes, 4);
    memcpy(&s6.sin6_addr, bound->bytes, 16);
    net_ns_enter(&ns, node);
    int fd = socket(is_v4 ? AF_INET : AF_INET6, SOCK_DGRAM | SOCK_CLOEXEC, 0);
    int r = is_v4 ? bind(fd, (struct sockaddr *)&s4, sizeof(s4))
                  : bind(fd, (struct sockaddr *)&s6, sizeof(s6));
    assert_int_equal(r, 0);
    return fd;
}

/* IPv4 options before the payload, an extension header before UDP. */
static void add_options(int fd, const struct ip *ip)
{
    uint8_t nops[8] = {1, 1, 1, 1, 1, 1, 1, 0}, padding[8] = {0, 0, 1, 4, 0, 0, 0, 0};
    if (ip->family == IP_V4)
        assert_int_equal(setsockopt(fd, IPPROTO_IP, IP_OPTIONS, nops, sizeof(nops)), 0);
    else
        assert_int_equal(setsockopt(fd, IPPROTO_IPV6, IPV6_DSTOPTS, padding, sizeof(padding)), 0);
}

static bool delivers(int from, int to_fd, const struct ip *to, int ms)
{
    struct sockaddr_in s4 = {.sin_family = AF_INET, .sin_port = htons(PORT)};
    struct sockaddr_in6 s6 = {.sin6_family = AF_INET6, .sin6_port = htons(PORT)};
    struct pollfd p = {.fd = to_fd, .events = POLLIN};
    char c;
    memcpy(&s4.sin_addr, to->bytes, 4);
    memcpy(&s6.sin6_addr, to->bytes, 16);
    while (recv(to_fd, &c, 1, MSG_DONTWAIT) >= 0)
        ;
    /* A drop on the way out may be reported or not. */
    (void)!(to->family == IP_V4 ? sendto(from, "x", 1, 0, (struct sockaddr *)&s4, sizeof(s4))
                                : sendto(from, "x", 1, 0, (struct sockaddr *)&s6, sizeof(s6)));
    return poll(&p, 1, ms) == 1 && recv(to_fd, &c, 1, MSG_DONTWAIT) == 1;
}

static void test_packets_both_ways(void **state)
{
    (void)state;
    open_fence();
    for (int i = 0; i < 4; i++) {
        const struct ip *vip = i % 2 ? &v6 : &v4, *peer = i % 2 ? &peer6 : &peer4;
        int owner = udp_socket(0, vip), client = udp_socket(1, peer);
        if (i >= 2) {
            add_options(owner, vip);
            add_options(client, vip);
        }
        arm(clock_now_us() + 600000000);
        assert_true(delivers(client, owner, vip, 2000));
        assert_true(delivers(owner, client, peer, 2000));
        fence_set_deadline_us(fence, 1);
        assert_false(delivers(client, owner, vip, 60));
        assert_false(delivers(owner, client, peer, 60));
        fence_set_deadline_us(fence, clock_now_us() + 600000000);
        assert_true(delivers(client, owner, vip, 2000));
        assert_true(delivers(owner, client, peer, 2000));
        close(owner), close(client);
    }
}

static size_t heard_claims;

static void on_frame(void *arg, const struct frame *frame)
{
    (void)arg;
    heard_claims += frame_claims(frame, &v4, NULL) || frame_claims(frame, &v6, NULL);
}

static bool has_heard(void *arg)
{
    return heard_claims >= *(const size_t *)arg;
}

/* The mute ex-holder cannot claim, but hears, and learns, who is the holder now. */
static void test_announcements(void **state)
{
    struct ip vips[2] = {v4, v6};
    struct mac ours = net_ns_mac(0), theirs = net_ns_mac(1);
    struct loop *loop = loop_new();
    struct packet *holder, *ex_holder;
    uint8_t data[256];
    (void)state;
    open_fence();
    heard_claims = 0;
    assert_int_equal(packet_open(loop, ns.ifindex[0], &ours, on_frame, NULL, &ex_holder), 0);
    assert_int_equal(packet_watch(ex_holder, vips, 2), 0);
    net_ns_enter(&ns, 1);
    assert_int_equal(packet_open(loop, ns.ifindex[1], &theirs, on_frame, NULL, &holder), 0);
    arm(1);
    for (size_t i = 0; i < 2; i++) {
        struct ip own_peer = i == 0 ? own4 : net_ns_ip("fd77::1");
        size_t want = 2 * i + 1;
        net_ns_flush(tap);
        assert_int_equal(packet_announce(ex_holder, &vips[i]), -ENOBUFS);
        assert_int_equal(packet_solicit(ex_holder, &vips[i], i ? &peer6 : &peer4, NULL), -ENOBUFS);
        assert_int_equal(packet_probe(ex_holder, &vips[i], NULL), 0);
        struct frame f;
        size_t len;
        while ((len = net_ns_hear(tap, data, sizeof(data), 50)) > 0)
            if (frame_parse(data, len, &f) == 0)
                assert_false(frame_claims(&f, &vips[i], NULL));
        assert_int_equal(packet_announce(holder, &vips[i]), 0);
        assert_true(net_ns_wait(loop, has_heard, &want, 2000));
        want++;
        assert_int_equal(packet_solicit(holder, &vips[i], &own_peer, &ours), 0);
        assert_true(net_ns_wait(loop, has_heard, &want, 2000));
    }
    packet_close(holder);
    packet_close(ex_holder);
    loop_free(loop);
}

/* Runs `then` in a child that has opened a fence of its own, closed it, and waits to be killed. */
static pid_t start_agent(void)
{
    int ready[2];
    char c;
    assert_int_equal(pipe(ready), 0);
    pid_t child = fork();
    if (child == 0) {
        open_fence();
        arm(1);
        (void)!write(ready[1], "x", 1);
        for (;;)
            pause();
    }
    close(ready[1]);
    assert_int_equal(read(ready[0], &c, 1), 1);
    close(ready[0]);
    return child;
}

static void test_outlives_its_process(void **state)
{
    (void)state;
    pid_t child = start_agent();
    assert_true(is_mute());
    kill(child, SIGKILL);
    assert_int_equal(waitpid(child, NULL, 0), child);
    assert_true(is_mute());
    open_fence(); /* the next one starts with a clean link */
    assert_true(is_open());
    arm(1);
    assert_true(is_mute());
}

/* Also when the whole mount namespace goes with it, as in a container. */
static void test_outlives_its_mount_namespace(void **state)
{
    int status;
    (void)state;
    pid_t container = fork();
    if (container == 0) {
        if (unshare(CLONE_NEWNS) < 0)
            _exit(1);
        open_fence();
        arm(1);
        kill(getpid(), SIGKILL);
    }
    assert_int_equal(waitpid(container, &status, 0), container);
    assert_true(WIFSIGNALED(status));
    assert_true(is_mute());
    open_fence();
    assert_true(is_open());
}

static void test_child_ends_it(void **state)
{
    int status;
    (void)state;
    open_fence();
    assert_int_equal(fence_detach(fence, ns.ifindex[0]), 0);
    int go[2];
    assert_int_equal(pipe(go), 0);
    pid_t guardian = fork();
    if (guardian == 0) {
        char c;
        if (read(go[0], &c, 1) != 1)
            _exit(1);
        fence_close(fence);
        _exit(0);
    }
    assert_int_equal(fence_attach(fence, ns.ifindex[0]), 0); /* after the fork */
    arm(1);
    assert_true(is_mute());
    assert_int_equal(write(go[1], "x", 1), 1);
    assert_int_equal(waitpid(guardian, &status, 0), guardian);
    assert_int_equal(status, 0);
    assert_false(fence_is_armed(fence, 1)); /* the slots are shared */
    assert_true(is_open());
    fence_arm(fence, 1);
    assert_true(answers(&v4, 1000)); /* and the programs are gone */
    close(go[0]), close(go[1]);
}

/* Agents of other network namespaces on the same machine do not sweep ours away. */
static void test_namespaces_are_apart(void **state)
{
    struct fence *other;
    const char *reason;
    (void)state;
    open_fence();
    arm(1);
    net_ns_enter(&ns, 1);
    assert_int_equal(fence_open(NULL, &other, &reason), 0);
    assert_int_equal(fence_attach(other, ns.ifindex[1]), 0);
    assert_int_equal(fence_add_vip(other, &v4, 1), 0);
    assert_true(is_mute());
    fence_close(other);
    assert_true(is_mute());
    fence_set_deadline_us(fence, clock_now_us() + 600000000);
    assert_true(is_open());
}

static void test_device_made_anew(void **state)
{
    struct link link;
    (void)state;
    open_fence();
    arm(1);
    assert_int_equal(net_ns_run(&ns, 0, "ip link del eth0"), 0);
    assert_int_equal(net_ns_run(&ns, -1,
                                "ip link add p0 type veth peer name eth0 address 02:00:00:00:00:01 "
                                "netns /proc/%d/fd/%d && ip link set p0 master br0 up",
                                (int)getpid(), ns.node[0]),
                     0);
    assert_int_equal(net_ns_run(&ns, 0, "ip link set eth0 up"), 0);
    net_ns_enter(&ns, 0);
    assert_int_equal(link_find(nl, "eth0", &link), 0);
    assert_int_equal(address_set(nl, link.ifindex, &v4, 1000), 0);
    assert_int_equal(address_set(nl, link.ifindex, &v6, 1000), 0);
    /* The switch forwards only once it has seen the carrier. */
    for (int i = 0; !answers(&v4, 100); i++)
        assert_true(i < 50);
    assert_int_equal(fence_attach(fence, link.ifindex), 0);
    assert_true(is_mute());
    fence_set_deadline_us(fence, clock_now_us() + 600000000);
    assert_true(is_open());
}

/* First in line, and the program of somebody else stays. */
static void test_beside_other_programs(void **state)
{
    const struct bpf_insn drop_all[] = {
        {.code = BPF_ALU64 | BPF_MOV | BPF_K, .dst_reg = 0, .imm = -1},
        {.code = BPF_JMP | BPF_EXIT},
    };
    struct bpf_hook in, out;
    char name[BPF_OBJ_NAME_LEN + 1];
    uint32_t id;
    (void)state;
    int fd = bpf_program_load(drop_all, 2, "somebody");
    assert_true(fd >= 0);
    assert_int_equal(bpf_program_attach(fd, ns.ifindex[0], BPF_ATTACH_TCX_INGRESS), 0);
    open_fence();
    assert_int_equal(bpf_hook_read(ns.ifindex[0], BPF_ATTACH_TCX_INGRESS, &in), 0);
    assert_int_equal(in.n, 2);
    int first = bpf_program_by_id(in.programs[0]);
    assert_int_equal(bpf_program_info(first, &id, name), 0);
    assert_string_equal(name, "talosvip_in");
    assert_int_equal(id, in.programs[0]);
    close(first);
    fence_close(fence);
    fence = NULL;
    assert_int_equal(bpf_hook_read(ns.ifindex[0], BPF_ATTACH_TCX_INGRESS, &in), 0);
    assert_int_equal(in.n, 1);
    assert_int_equal(bpf_hook_read(ns.ifindex[0], BPF_ATTACH_TCX_EGRESS, &out), 0);
    assert_int_equal(out.n, 0);
    assert_int_equal(bpf_program_detach(fd, ns.ifindex[0], BPF_ATTACH_TCX_INGRESS), 0);
    close(fd);
}

static void test_plain(void **state)
{
    struct fence *plain;
    int status;
    (void)state;
    assert_int_equal(fence_open_plain(&plain), 0);
    assert_false(fence_is_active(plain));
    assert_int_equal(fence_attach(plain, 4711), 0);
    assert_int_equal(fence_add_vip(plain, &v4, 1), 0);
    fence_set_deadline_us(plain, 5);
    pid_t child = fork();
    if (child == 0) {
        fence_arm(plain, 1);
        fence_set_deadline_us(plain, fence_deadline_us(plain) + 1);
        fence_forget(plain);
        _exit(0);
    }
    assert_int_equal(waitpid(child, &status, 0), child);
    assert_true(fence_is_armed(plain, 1));
    assert_int_equal(fence_deadline_us(plain), 6);
    fence_set_deadline_us(plain, UINT64_MAX);
    assert_int_equal(atomic_load(fence_deadline(plain)), UINT64_MAX);
    assert_int_equal(fence_remove_vip(plain, &v4), 0);
    fence_close(plain);
    fence_close(NULL);
    fence_forget(NULL);
}

/* Without privileges: an error and a reason, nothing else. */
static void test_unprivileged(void **state)
{
    int status;
    (void)state;
    pid_t child = fork();
    if (child == 0) {
        struct fence *f;
        const char *reason = NULL;
        if (setresuid(65534, 65534, 65534) < 0)
            _exit(2);
        int r = fence_open(NULL, &f, &reason);
        _exit(r == -EPERM && reason && strstr(reason, "CAP_BPF") ? 0 : 1);
    }
    assert_int_equal(waitpid(child, &status, 0), child);
    assert_int_equal(status, 0);
}

static const char *why_no_fence(void)
{
    const char *reason = net_ns_why_not();
    struct fence *f;
    if (reason)
        return reason;
    struct net_ns empty;
    if (!net_ns_setup(&empty))
        return "cannot set up the network namespaces";
    int r = fence_open(NULL, &f, &reason);
    if (r == 0)
        fence_close(f);
    net_ns_done(&empty);
    return r == 0 ? NULL : reason;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_states, setup, teardown),
        cmocka_unit_test_setup_teardown(test_closes_at_the_deadline, setup, teardown),
        cmocka_unit_test_setup_teardown(test_packets_both_ways, setup, teardown),
        cmocka_unit_test_setup_teardown(test_announcements, setup, teardown),
        cmocka_unit_test_setup_teardown(test_outlives_its_process, setup, teardown),
        cmocka_unit_test_setup_teardown(test_outlives_its_mount_namespace, setup, teardown),
        cmocka_unit_test_setup_teardown(test_child_ends_it, setup, teardown),
        cmocka_unit_test_setup_teardown(test_namespaces_are_apart, setup, teardown),
        cmocka_unit_test_setup_teardown(test_device_made_anew, setup, teardown),
        cmocka_unit_test_setup_teardown(test_beside_other_programs, setup, teardown),
        cmocka_unit_test_setup_teardown(test_plain, setup, teardown),
        cmocka_unit_test_setup_teardown(test_unprivileged, setup, teardown),
    };
    const char *why_not = why_no_fence();
    if (why_not) {
        printf("SKIP: net_fence: %s\n", why_not);
        return 0;
    }
    return cmocka_run_group_tests(tests, NULL, NULL);
}
