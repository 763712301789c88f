/* SPDX-License-Identifier: MIT */
/* Addresses, links and neighbours against a real kernel. */
#include <errno.h>
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>
#include <linux/if_addr.h>
#include <linux/neighbour.h>
#include <linux/rtnetlink.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/clock.h"
#include "net/address.h"
#include "net/link.h"
#include "net/neighbour.h"
#include "../../src/net/netlink_call.h"
#include "net_ns.h"

static struct net_ns ns;
static struct netlink *nl;

static int setup(void **state)
{
    (void)state;
    if (!net_ns_setup(&ns))
        return -1;
    return netlink_open(&nl);
}

static int teardown(void **state)
{
    (void)state;
    netlink_close(nl);
    net_ns_done(&ns);
    return 0;
}

static bool find_address(const struct ip *ip, struct address *ret)
{
    struct address *list;
    size_t n;
    bool found = false;
    assert_int_equal(address_list(nl, ns.ifindex[0], &list, &n), 0);
    for (size_t i = 0; i < n; i++) {
        if (!ip_equal(&list[i].ip, ip))
            continue;
        assert_false(found);
        found = true;
        *ret = list[i];
    }
    free(list);
    return found;
}

static void check_life(const char *text)
{
    struct ip vip = net_ns_ip(text);
    struct address a = {0};
    uint32_t want = IFA_F_NOPREFIXROUTE | IFA_F_DEPRECATED;
    assert_false(find_address(&vip, &a));
    assert_int_equal(address_set(nl, ns.ifindex[0], &vip, 5), 0);
    assert_true(find_address(&vip, &a));
    assert_int_equal(a.ifindex, ns.ifindex[0]);
    assert_int_equal(a.bits, ip_bits(&vip));
    assert_int_equal(a.scope, vip.family == IP_V4 ? RT_SCOPE_LINK : RT_SCOPE_UNIVERSE);
    assert_int_equal(a.protocol, 0x76);
    assert_true(address_is_ours(&a));
    assert_int_equal(a.preferred_s, 0);
    assert_in_range(a.valid_s, 4, 5);
    assert_int_equal(a.flags & (IFA_F_NOPREFIXROUTE | IFA_F_DEPRECATED), want);
    assert_int_equal(a.flags & (IFA_F_PERMANENT | IFA_F_TENTATIVE), 0);
    assert_int_equal(!!(a.flags & IFA_F_NODAD), vip.family == IP_V6);

    assert_int_equal(address_set(nl, ns.ifindex[0], &vip, 50), 0); /* a refresh, not a second */
    assert_true(find_address(&vip, &a));
    assert_in_range(a.valid_s, 49, 50);
    assert_true(address_is_ours(&a));

    assert_int_equal(address_remove(nl, ns.ifindex[0], &vip), 0);
    assert_false(find_address(&vip, &a));
    assert_int_equal(address_remove(nl, ns.ifindex[0], &vip), 0); /* gone is gone */
    assert_int_equal(address_remove(nl, 4711, &vip), 0);
    assert_int_equal(address_set(nl, 4711, &vip, 5), -ENODEV);
    assert_int_equal(address_set(nl, ns.ifindex[0], &vip, 0), -EINVAL);
}

static void test_add_refresh_delete(void **state)
{
    (void)state;
    check_life("10.77.0.100");
    check_life("fd77::64");
}

static void test_expires(void **state)
{
    struct ip v4 = net_ns_ip("10.77.0.100"), v6 = net_ns_ip("fd77::64");
    struct address a;
    (void)state;
    uint64_t start = clock_now_us();
    assert_int_equal(address_set(nl, ns.ifindex[0], &v4, 1), 0);
    assert_int_equal(address_set(nl, ns.ifindex[0], &v6, 1), 0);
    while (find_address(&v4, &a) || find_address(&v6, &a)) {
        assert_true(clock_now_us() - start < 8000000); /* the kernel may take seconds more */
        usleep(5000);
    }
    assert_true(clock_now_us() - start > 900000);
}

static size_t count_entries(const struct ip *ip)
{
    struct address *list;
    size_t n;
    assert_int_equal(address_find(nl, ip, &list, &n), 0);
    for (size_t i = 0; i < n; i++)
        assert_true(ip_equal(&list[i].ip, ip));
    free(list);
    return n;
}

/* The kernel answers for each entry of an address, whoever put it there and wherever. */
static void test_removes_every_entry(void **state)
{
    static const struct {
        const char *vip, *by_hand;
        size_t n;
    } cases[] = {
        {"10.77.0.100", "ip addr add 10.77.0.100/24 dev eth0", 2},
        {"10.77.0.100", "ip addr add 10.77.0.100 peer 10.77.0.101 dev eth0", 2},
        {"10.77.0.100", "ip addr add 10.77.0.100/16 dev eth0; ip addr add 10.77.0.100/8 dev lo", 3},
        {"fd77::64", "ip addr add fd77::64/64 dev eth0 nodad", 1}, /* it is ours from now on */
        {"fd77::64", "ip addr add fd77::64/64 dev eth0; ip addr add fd77::64/56 dev lo", 2},
    };
    struct ip own4 = net_ns_ip("10.77.0.1"), own6 = net_ns_ip("fd77::1");
    (void)state;
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct ip vip = net_ns_ip(cases[i].vip);
        for (int is_on = 1; is_on >= 0; is_on--) {
            assert_int_equal(net_ns_run(&ns, 0, "%s", cases[i].by_hand), 0);
            if (is_on) {
                assert_int_equal(address_set(nl, ns.ifindex[0], &vip, 5), 0);
                assert_int_equal(count_entries(&vip), cases[i].n);
            }
            assert_true(count_entries(&vip) > 0);
            /* Also where our link is gone. */
            assert_int_equal(address_remove(nl, is_on ? ns.ifindex[0] : 0, &vip), 0);
            assert_int_equal(count_entries(&vip), 0);
        }
    }
    assert_int_equal(count_entries(&own4), 1);
    assert_int_equal(count_entries(&own6), 1);
}

/* Talos or a person left it there, for ever: from now on it has our tag and our lifetime. */
static void test_foreign_host_prefix_is_adopted(void **state)
{
    struct ip vip = net_ns_ip("10.77.0.100");
    struct address a;
    (void)state;
    assert_int_equal(net_ns_run(&ns, 0, "ip addr add 10.77.0.100/32 dev eth0"), 0);
    assert_int_equal(address_set(nl, ns.ifindex[0], &vip, 5), 0);
    assert_true(find_address(&vip, &a));
    assert_true(address_is_ours(&a));
    assert_in_range(a.valid_s, 4, 5);
    assert_int_equal(address_remove(nl, ns.ifindex[0], &vip), 0);
}

static void test_list_of_all_links(void **state)
{
    struct address *list;
    size_t n;
    bool has_loopback = false;
    struct ip v4 = net_ns_ip("127.0.0.1");
    (void)state;
    for (int i = 0; i < 40; i++) /* more than one growth of the list */
        assert_int_equal(net_ns_run(&ns, 0, "ip addr add 10.78.0.%d/32 dev lo", i), 0);
    assert_int_equal(address_list(nl, 0, &list, &n), 0);
    for (size_t i = 0; i < n; i++)
        has_loopback |= ip_equal(&list[i].ip, &v4) && list[i].ifindex == 1;
    free(list);
    assert_true(has_loopback);
    assert_true(n >= 45);
    assert_int_equal(net_ns_run(&ns, 0, "ip addr flush dev lo to 10.78.0.0/24"), 0);
    assert_int_equal(address_list(nl, 4711, &list, &n), 0);
    assert_int_equal(n, 0);
    free(list);
}

static void test_own_address_in_subnet(void **state)
{
    struct ip v4 = net_ns_ip("10.77.0.100"), v6 = net_ns_ip("fd77::64");
    struct ip other = net_ns_ip("10.99.0.1"), own4 = net_ns_ip("10.77.0.1");
    struct ip own6 = net_ns_ip("fd77::1");
    struct ip_prefix own;
    (void)state;
    assert_int_equal(address_set(nl, ns.ifindex[0], &v4, 5), 0);
    assert_int_equal(address_in_subnet(nl, ns.ifindex[0], &v4, &own), 0);
    assert_true(ip_equal(&own.ip, &own4) && own.bits == 24);
    assert_int_equal(address_in_subnet(nl, ns.ifindex[0], &v6, &own), 0);
    assert_true(ip_equal(&own.ip, &own6) && own.bits == 64);
    assert_int_equal(address_in_subnet(nl, ns.ifindex[0], &other, &own), -ENOENT);
    assert_int_equal(address_remove(nl, ns.ifindex[0], &v4), 0);
}

/* The guardian's way: a socket of its own after fork(). */
static void test_forked_child_removes(void **state)
{
    struct ip vip = net_ns_ip("10.77.0.100");
    struct address a;
    int status;
    (void)state;
    assert_int_equal(address_set(nl, ns.ifindex[0], &vip, 50), 0);
    pid_t child = fork();
    if (child == 0) {
        struct netlink *own;
        int r = netlink_open(&own);
        r = r < 0 ? r : netlink_port(own) == netlink_port(nl) ? -EEXIST : 0;
        _exit(r < 0 || address_remove(own, ns.ifindex[0], &vip) < 0);
    }
    assert_int_equal(waitpid(child, &status, 0), child);
    assert_int_equal(status, 0);
    assert_false(find_address(&vip, &a));
}

static void test_links(void **state)
{
    struct link link, by_alt, by_alias;
    struct link *list;
    size_t n;
    struct mac mac = net_ns_mac(0);
    (void)state;
    assert_int_equal(
        net_ns_run(&ns, 0,
                   "ip link property add dev eth0 altname enx020000000001 altname uplink0 &&"
                   "ip link set eth0 alias net0 mtu 1400 &&"
                   "ip link add br9 type bridge && ip link add d9 type veth peer name d8 &&"
                   "ip link set d9 alias eth0 master br9"),
        0);
    assert_int_equal(link_find(nl, "eth0", &link), 0); /* a name beats an alias */
    assert_int_equal(link.ifindex, ns.ifindex[0]);
    assert_true(link.has_mac && mac_equal(&link.mac, &mac));
    assert_true(link.is_up && link.is_running && link.has_carrier && link.is_ether);
    assert_int_equal(link.oper_state, 6);
    assert_int_equal(link.mtu, 1400);
    assert_string_equal(link.kind, "veth");
    assert_int_equal(link.altname_count, 2);
    assert_true(link_has_name(&link, "uplink0") && link_has_name(&link, "net0"));
    assert_false(link_has_name(&link, "") || link_has_name(&link, "eth1"));
    assert_int_equal(link_find(nl, "enx020000000001", &by_alt), 0);
    assert_int_equal(link_find(nl, "net0", &by_alias), 0);
    assert_int_equal(by_alt.ifindex, link.ifindex);
    assert_int_equal(by_alias.ifindex, link.ifindex);
    assert_int_equal(link.parent, 0); /* its peer is in another namespace */

    assert_int_equal(link_find(nl, "d9", &link), 0);
    assert_false(link.is_up || link.is_running);
    int master = link.master, parent = link.parent;
    assert_int_equal(link_find(nl, "d8", &link), 0);
    assert_int_equal(link.ifindex, parent);
    assert_int_equal(link.master, 0);
    assert_int_equal(link_find(nl, "br9", &link), 0);
    assert_int_equal(link.ifindex, master);
    assert_int_equal(link_find(nl, "nope", &link), -ENODEV);
    assert_int_equal(link_get(nl, 4711, &link), -ENODEV);
    assert_int_equal(link_get(nl, 1, &link), 0);
    assert_true(link.is_loopback && !link.is_ether && strcmp(link.name, "lo") == 0);
    assert_int_equal(link_list(nl, &list, &n), 0);
    assert_int_equal(n, 5);
    free(list);
    assert_int_equal(net_ns_run(&ns, 0,
                                "ip link del br9; ip link del d9;"
                                "ip link set eth0 mtu 1500"),
                     0);
}

/* Not every kernel has VLANs: the message it would send. */
static void test_vlan_message(void **state)
{
    struct ifinfomsg header = {.ifi_index = 7, .ifi_type = 1, .ifi_flags = 0x11043};
    struct nl_msg *msg = netlink_request(RTM_NEWLINK, 0, &header, sizeof(header));
    struct link link = {0};
    (void)state;
    assert_non_null(msg);
    assert_int_equal(link_parse(nlmsg_hdr(msg), &link), -EBADMSG); /* no name, no state */
    nla_put_string(msg, IFLA_IFNAME, "eth0.100");
    nla_put_u8(msg, IFLA_OPERSTATE, 6);
    nla_put_u32(msg, IFLA_LINK, 2);
    struct nlattr *info = nla_nest_start(msg, IFLA_LINKINFO);
    nla_put_string(msg, IFLA_INFO_KIND, "vlan");
    struct nlattr *data = nla_nest_start(msg, IFLA_INFO_DATA);
    nla_put_u16(msg, IFLA_VLAN_ID, 100);
    nla_nest_end(msg, data);
    nla_nest_end(msg, info);
    assert_int_equal(link_parse(nlmsg_hdr(msg), &link), 0);
    assert_string_equal(link.name, "eth0.100");
    assert_string_equal(link.kind, "vlan");
    assert_int_equal(link.vlan_id, 100);
    assert_int_equal(link.parent, 2);
    assert_true(link.is_up && link.is_running && link.is_ether && !link.has_mac);
    ((struct ifinfomsg *)nlmsg_data(nlmsg_hdr(msg)))->ifi_family = 7; /* AF_BRIDGE */
    assert_int_equal(link_parse(nlmsg_hdr(msg), &link), -EBADMSG);
    nlmsg_free(msg);
}

static void test_device_facts(void **state)
{
    struct link link;
    (void)state;
    assert_int_equal(link_find(nl, "eth0", &link), 0);
    strcpy(link.pci_id, "left over");
    link_read_device(&link);
    assert_string_equal(link.driver, "veth");
    assert_string_equal(link.pci_id, "");
    assert_string_equal(link.bus_path, "");
}

static void test_neighbours_and_gateways(void **state)
{
    struct ip peer = net_ns_ip("10.77.0.9"), peer6 = net_ns_ip("fd77::9");
    struct ip nobody = net_ns_ip("10.77.0.8"), gw4 = net_ns_ip("10.77.0.254");
    struct ip gw6 = net_ns_ip("fe80::fe"), list[4];
    struct mac mac = {{2, 0, 0, 0, 0, 9}};
    struct neighbour entry;
    size_t n;
    (void)state;
    assert_int_equal(
        net_ns_run(&ns, 0,
                   "ip neigh add 10.77.0.9 lladdr 02:00:00:00:00:09 dev eth0 nud stale &&"
                   "ip neigh add fd77::9 lladdr 02:00:00:00:00:09 dev eth0 nud reachable"),
        0);
    assert_int_equal(neighbour_get(nl, ns.ifindex[0], &peer, &entry), 0);
    assert_true(entry.has_mac && mac_equal(&entry.mac, &mac));
    assert_string_equal(neighbour_state_name(entry.state), "stale");
    assert_int_equal(neighbour_get(nl, ns.ifindex[0], &peer6, &entry), 0);
    assert_true(entry.has_mac && mac_equal(&entry.mac, &mac));
    assert_int_equal(neighbour_get(nl, ns.ifindex[0], &nobody, &entry), -ENOENT);

    assert_int_equal(neighbour_gateways(nl, ns.ifindex[0], list, 4, &n), 0);
    assert_int_equal(n, 0);
    assert_int_equal(net_ns_run(&ns, 0,
                                "ip route add default via 10.77.0.254 &&"
                                "ip route add default via 10.77.0.254 metric 900 &&"
                                "ip route add 10.5.0.0/16 via 10.77.0.253 &&"
                                "ip -6 route add default via fe80::fe dev eth0"),
                     0);
    assert_int_equal(neighbour_gateways(nl, ns.ifindex[0], list, 4, &n), 0);
    assert_int_equal(n, 2);
    assert_true(ip_equal(&list[0], &gw4) && ip_equal(&list[1], &gw6));
    assert_int_equal(neighbour_gateways(nl, ns.ifindex[0], list, 1, &n), 0);
    assert_int_equal(n, 1);
    assert_int_equal(neighbour_gateways(nl, 1, list, 4, &n), 0);
    assert_int_equal(n, 0);
    assert_int_equal(net_ns_run(&ns, 0, "ip route flush 0/0; ip -6 route flush ::/0 via fe80::fe"),
                     0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_add_refresh_delete),
        cmocka_unit_test(test_expires),
        cmocka_unit_test(test_removes_every_entry),
        cmocka_unit_test(test_foreign_host_prefix_is_adopted),
        cmocka_unit_test(test_list_of_all_links),
        cmocka_unit_test(test_own_address_in_subnet),
        cmocka_unit_test(test_forked_child_removes),
        cmocka_unit_test(test_links),
        cmocka_unit_test(test_vlan_message),
        cmocka_unit_test(test_device_facts),
        cmocka_unit_test(test_neighbours_and_gateways),
    };
    const char *why_not = net_ns_why_not();
    if (why_not) {
        printf("SKIP: net_address: %s\n", why_not);
        return 0;
    }
    return cmocka_run_group_tests(tests, setup, teardown);
}
