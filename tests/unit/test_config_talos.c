/* SPDX-License-Identifier: MIT */
#include "config_support.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#define E SEVERITY_ERROR
#define W SEVERITY_WARNING
#define I SEVERITY_INFO

static void assert_where(const struct config_vip *vip, unsigned line, unsigned column,
                         const char *yaml_path)
{
    assert_int_equal(vip->where.line, line);
    assert_int_equal(vip->where.column, column);
    assert_string_equal(vip->where.yaml_path, yaml_path);
}

static void test_legacy_fixture(void **state)
{
    (void)state;
    struct loaded l;
    loaded_files(&l, 1, (const char *[]){FIXTURES "legacy.yaml"});
    assert_int_equal(l.result, 0);
    assert_int_equal(l.config->n_vips, 7);
    assert_int_equal(l.config->machine, CONFIG_MACHINE_CONTROLPLANE);
    const struct config_vip *vip = loaded_vip(&l, "192.0.2.15");
    assert_string_equal(vip->link, "enp1s0");
    assert_null(vip->selector);
    assert_int_equal(vip->form, CONFIG_FORM_LEGACY);
    assert_string_equal(vip->where.file, FIXTURES "legacy.yaml");
    assert_where(vip, 10, 19, "/machine/network/interfaces/0/vip/ip");
    assert_string_equal(loaded_vip(&l, "198.51.100.15")->link, "bond0");
    vip = loaded_vip(&l, "203.0.113.15");
    assert_string_equal(vip->link, "bond0.100");
    assert_int_equal(vip->form, CONFIG_FORM_LEGACY_VLAN);
    assert_int_equal(vip->vlan_id, 0);
    assert_where(vip, 18, 23, "/machine/network/interfaces/1/vlans/0/vip/ip");
    assert_string_equal(loaded_vip(&l, "2001:db8::15")->link, "br0");
    /* printf enp19s0f0np0 | sha256sum */
    assert_string_equal(loaded_vip(&l, "192.0.2.18")->link, "enp1b8a47a.42");
    /* Entries with `ignore: true` are not read at all; those of clouds are said to be. */
    assert_int_equal(l.findings.n, 2);
    assert_true(loaded_has(&l, "TV217", 40, 19));
    assert_true(loaded_has(&l, "TV217", 44, 25));
    loaded_done(&l);
}

static void test_legacy_selectors(void **state)
{
    (void)state;
    struct loaded l;
    char text[200];
    loaded_files(&l, 1, (const char *[]){FIXTURES "legacy.yaml"});
    const struct config_vip *vip = loaded_vip(&l, "192.0.2.16");
    assert_null(vip->link);
    config_selector_format(vip->selector, text, sizeof(text));
    assert_string_equal(text, "driver=virtio_net, physical=true");
    vip = loaded_vip(&l, "192.0.2.17");
    assert_null(vip->link);
    assert_int_equal(vip->vlan_id, 7);
    config_selector_format(vip->selector, text, sizeof(text));
    assert_string_equal(text, "hardwareAddr=00:50:56:*, pciID=1AF4:*, busPath=0000:0*");
    config_selector_format(vip->selector, text, 10);
    assert_string_equal(text, "hardwareA");
    loaded_done(&l);
}

static void test_document_fixture(void **state)
{
    (void)state;
    struct loaded l;
    loaded_files(&l, 1, (const char *[]){FIXTURES "documents.yaml"});
    assert_int_equal(l.result, 0);
    assert_int_equal(l.config->n_vips, 3);
    assert_int_equal(l.config->machine, CONFIG_MACHINE_UNKNOWN);
    const struct config_vip *vip = loaded_vip(&l, "192.0.2.15");
    assert_string_equal(vip->link, "enp1s0");
    assert_int_equal(vip->form, CONFIG_FORM_LAYER2);
    assert_where(vip, 3, 7, "/name");
    assert_string_equal(loaded_vip(&l, "2001:db8::15")->link, "bond0.100");
    vip = loaded_vip(&l, "192.0.2.16");
    assert_string_equal(vip->link, "net0");
    assert_non_null(vip->selector);
    struct config_device device = {.permanent_mac = "00:1a:2b:3c:4d:5e", .physical = true};
    assert_true(config_selector_match(vip->selector, &device));
    device.physical = false;
    assert_false(config_selector_match(vip->selector, &device));
    assert_int_equal(l.findings.n, 1);
    assert_true(loaded_has(&l, "TV217", 11, 1));
    loaded_done(&l);
}

#define VIP_IP(ip) CONTROLPLANE "      - interface: eth0\n        vip: {ip: " ip "}\n"
#define NOT_IP(ip, why, help)                                                                      \
    {                                                                                              \
        VIP_IP("\"" ip "\""), "TV103", E, 7, 19, "\"" ip "\" is not an IP address: " why, help     \
    }
#define NO_VIP(ip, why)                                                                            \
    {                                                                                              \
        VIP_IP("'" ip "'"), "TV205", E, 7, 19, "\"" ip "\" cannot be a VIP: it is " why, NULL      \
    }

static const struct finding_case addresses[] = {
    NOT_IP("10.0.0.300", "300 is greater than 255", NULL),
    NOT_IP("10.0.0.1000", "1000 is greater than 255", NULL),
    NOT_IP("10.0.0", "it has 3 numbers, an IPv4 address has 4", NULL),
    NOT_IP("10.0.0.1.2", "it has 5 numbers, an IPv4 address has 4", NULL),
    NOT_IP("10.0..1", "a number is missing between the dots", NULL),
    NOT_IP("10.0.0.", "a number is missing between the dots", NULL),
    NOT_IP("10.0.01.1", "01 has a leading zero", NULL),
    NOT_IP("10.0.0.50/24", "it has a prefix length, and an address alone is wanted",
           "did you mean 10.0.0.50?"),
    NOT_IP("10.0.0.50/xx", "it has a prefix length, and an address alone is wanted", NULL),
    NOT_IP("fe80::1%eth0", "it has a zone", NULL),
    NOT_IP(" 10.0.0.1", "it has a space", NULL),
    NOT_IP("", "it is empty", NULL),
    NOT_IP("vip.example", "it is a name", NULL),
    NOT_IP("2001:db8::g", "'g' is no hexadecimal digit", NULL),
    NOT_IP("2001:db8::\xc3\xa9", "a character is no hexadecimal digit", NULL),
    NOT_IP("2001::db8::1", "\"::\" may stand only once", NULL),
    NOT_IP("2001:db800::1", "db800 has more than 4 digits", NULL),
    NOT_IP("1:2:3:4:5:6:7:8:9", "it has more than 8 groups", NULL),
    NOT_IP("1:2:3:4:5:6:7", "an IPv6 address has 8 groups, or one \"::\" for the missing ones",
           NULL),
    NO_VIP("0.0.0.0", "the unspecified address"),
    NO_VIP("0.1.2.3", "an address of 0.0.0.0/8"),
    NO_VIP("127.0.0.53", "a loopback address"),
    NO_VIP("169.254.1.2", "a link-local address"),
    NO_VIP("224.0.0.18", "a multicast address"),
    NO_VIP("255.255.255.255", "the broadcast address"),
    NO_VIP("::", "the unspecified address"),
    NO_VIP("::1", "the loopback address"),
    NO_VIP("fe80::1", "a link-local address"),
    NO_VIP("ff02::1", "a multicast address"),
    NO_VIP("::ffff:10.0.0.1", "an IPv4 address written as IPv6"),
};

#define X64 "xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx"
#define DEVICE(lines) CONTROLPLANE "      - interface: eth1\n        vip: {ip: 192.0.2.1}\n" lines

static const struct finding_case devices[] = {
    {DEVICE("      - vip: {ip: 192.0.2.2}\n"), "TV104", E, 8, 9,
     "either \"interface\" or \"deviceSelector\" must be given", NULL},
    {DEVICE("      - {interface: '', dhcp: true}\n"), "TV104", E, 8, 9,
     "either \"interface\" or \"deviceSelector\" must be given", NULL},
    {DEVICE("      - interface: eth0\n        deviceSelector: {driver: x}\n"), "TV104", E, 9, 25,
     "\"interface\" and \"deviceSelector\" exclude each other", NULL},
    {DEVICE("      - deviceSelector: {}\n        vip: {ip: 192.0.2.2}\n"), "TV104", E, 8, 25,
     "an empty deviceSelector: at least one field must be given", "*"},
    {DEVICE("      - deviceSelector: {driver: '', busPath: }\n"), "TV104", E, 8, 25,
     "an empty deviceSelector: at least one field must be given", "*"},
    {DEVICE("      - deviceSelector: {hardwareaddr: x, driver: y}\n"), "TV102", E, 8, 26,
     "unknown key \"hardwareaddr\" in machine.network.interfaces[1].deviceSelector",
     "did you mean \"hardwareAddr\"?"},
    {DEVICE("      - deviceSelector: {physical: maybe}\n        vlans: []\n"), "TV103", E, 8, 36,
     "machine.network.interfaces[1].deviceSelector.physical: \"maybe\" is neither true nor false",
     NULL},
    {DEVICE("      - deviceSelector: {hardwareAddr: '00:1A:*'}\n"), "TV218", W, 8, 40,
     "this never matches: letters must be in lower case here", NULL},
    {DEVICE("      - deviceSelector: {pciID: '1af4:*'}\n"), "TV218", W, 8, 33,
     "this never matches: letters must be in upper case here", NULL},
    {DEVICE("      - interface: eth0\n        vip: {ips: 192.0.2.2, ip: 192.0.2.3}\n"), "TV102", E,
     9, 15, "unknown key \"ips\" in machine.network.interfaces[1].vip", "did you mean \"ip\"?"},
    {DEVICE("      - interface: eth0\n        vip: {}\n"), "TV104", E, 9, 14,
     "\"ip\" is missing in this vip", NULL},
    {DEVICE("      - interface: eth0\n        vip: 192.0.2.2\n"), "TV103", E, 9, 14,
     "machine.network.interfaces[1].vip: this must be a mapping, not text", NULL},
    {DEVICE("      - interface: eth0\n        vip: {ip: [192.0.2.2]}\n"), "TV103", E, 9, 19,
     "machine.network.interfaces[1].vip.ip: this must be text, not a list", NULL},
    {DEVICE("      - interface: eth0\n        dchp: false\n"), "TV102", W, 9, 9,
     "unknown key \"dchp\" in machine.network.interfaces[1]", "did you mean \"dhcp\"?"},
    {DEVICE("      - interface: 'eth 0'\n"), "TV103", E, 8, 20,
     "\"eth 0\" is not the name of a link: it has a space or a '/'", NULL},
    {DEVICE("      - interface: ..\n"), "TV103", E, 8, 20,
     "\"..\" is not the name of a link: it is reserved", NULL},
    {DEVICE("      - interface: " X64 X64 "\n"), "TV103", E, 8, 20,
     "\"" X64 "\"\xe2\x80\xa6 is not the name of a link: it is too long", NULL},
    {DEVICE("      - deviceSelector: {driver: " X64 X64 X64 X64 "}\n        vip: {ip: 192.0.2.2}\n"
            "      - interface: eth0\n"),
     "TV103", E, 8, 34, "this text is too long", NULL},
    {DEVICE("      - interface: \"a\\0b\"\n"), "TV103", E, 8, 20,
     "machine.network.interfaces[1].interface: a NUL in the text", NULL},
    {DEVICE("      - deviceSelector: {driver: x}\n        vip: {ip: \"a\\0b\"}\n"), "TV103", E, 9,
     19, "machine.network.interfaces[1].vip.ip: a NUL in the text", NULL},
    {DEVICE("      - interface: eth0\n        vlans:\n          - vip: {ip: 192.0.2.2}\n"), "TV104",
     E, 10, 13, "\"vlanId\" is missing in this VLAN", NULL},
    {DEVICE("      - interface: eth0\n        vlans:\n          - vlanId: 4095\n"
            "            vip: {ip: 192.0.2.2}\n"),
     "TV103", E, 10, 21,
     "machine.network.interfaces[1].vlans[0].vlanId: \"4095\" is not a whole number from 1 to "
     "4094",
     NULL},
    {DEVICE("      - interface: eth0\n        vlans:\n          - vlanId: 5\n"
            "            vip: {ip: 192.0.2.256}\n"),
     "TV103", E, 11, 23, "\"192.0.2.256\" is not an IP address: 256 is greater than 255", NULL},
    {DEVICE("      - interface: eth0\n        ignore: true\n        vip: {ip: 192.0.2.2, x: 1}\n"),
     "TV102", E, 10, 30, "unknown key \"x\" in machine.network.interfaces[1].vip", NULL},
};

#define WORKER_HELP "machine.type is \"worker\"; only control plane nodes may hold a VIP"
#define LAYER2 "---\napiVersion: v1alpha1\nkind: Layer2VIPConfig\n"

static const struct finding_case documents[] = {
    {"machine:\n  type: worker\n  network:\n    interfaces:\n      - interface: eth0\n"
     "        vip: {ip: 192.0.2.1}\n",
     "TV201", E, 6, 19, "VIP 192.0.2.1 is configured for a worker", WORKER_HELP},
    {"machine:\n  type: join\n  network:\n    interfaces:\n      - interface: eth0\n"
     "        vlans: [{vlanId: 3, vip: {ip: 192.0.2.1}}]\n",
     "TV201", E, 6, 39, "VIP 192.0.2.1 is configured for a worker", "*"},
    {"machine:\n  network:\n    interfaces:\n      - interface: eth0\n"
     "        vip: {ip: 192.0.2.1}\n",
     "TV201", E, 5, 19, "VIP 192.0.2.1 is configured for a worker",
     "machine.type is not set, and that makes a worker; set controlplane"},
    {"machine: {type: worker}\n" LAYER2 "name: 192.0.2.1\nlink: eth0\n", "TV202", E, 5, 7,
     "VIP 192.0.2.1 is configured for a worker", WORKER_HELP},
    {"machine: {type: controlplan}\n" LAYER2 "name: 192.0.2.1\nlink: eth0\n", "TV103", E, 1, 17,
     "machine.type: \"controlplan\" is none of init, controlplane, worker, join",
     "did you mean \"controlplane\"?"},
    {LAYER2 "name: net4\nlink: eth0\n", "TV103", E, 4, 7,
     "\"net4\" is not an IP address: it is a name", NULL},
    {LAYER2 "name: 192.0.2.1\n", "TV104", E, 2, 1,
     "\"link\" is missing or empty in Layer2VIPConfig", NULL},
    {LAYER2 "link: eth0\n", "TV104", E, 2, 1, "\"name\" is missing or empty in Layer2VIPConfig",
     NULL},
    {LAYER2 "name: 192.0.2.1\nlink: eth0\nfoo: bar\n", "TV102", E, 6, 1,
     "unknown key \"foo\" in Layer2VIPConfig", NULL},
    {LAYER2 "name: 192.0.2.1\nlink: eth0\nLink: eth1\n", "TV102", E, 6, 1,
     "unknown key \"Link\" in Layer2VIPConfig", "did you mean \"link\"?"},
    {"apiVersion: v1alpha1\nkind: Layer2VipConfig\nname: 192.0.2.2\n" LAYER2
     "name: 192.0.2.1\nlink: eth0\n",
     "TV101", E, 2, 7, "unknown kind \"Layer2VipConfig\" of v1alpha1",
     "did you mean Layer2VIPConfig?"},
    {"kind: Layer2VIPConfig\nname: 192.0.2.2\n" LAYER2 "name: 192.0.2.1\nlink: eth0\n", "TV101", E,
     1, 1, "kind and apiVersion must stand together, both as text", "*"},
    {"foo: bar\n" LAYER2 "name: 192.0.2.1\nlink: eth0\n", "TV101", E, 1, 1,
     "this is neither a Talos config nor the agent's settings", "*"},
    {"just text\n" LAYER2 "name: 192.0.2.1\nlink: eth0\n", "TV101", E, 1, 1,
     "a document must be a mapping of keys to values", NULL},
    {LAYER2 "name: 192.0.2.1\nlink: eth0\n" LAYER2 "name: 192.0.2.1\nlink: eth1\n", "TV213", E, 9,
     7, "VIP 192.0.2.1 is there twice, on two links", NULL},
    {LAYER2 "name: 192.0.2.1\nlink: eth0\n" LAYER2 "name: 192.0.2.1\nlink: eth0\n", "TV213", E, 9,
     7, "VIP 192.0.2.1 is there twice", NULL},
    {LAYER2 "name: 2001:db8::1\nlink: eth0\n" LAYER2 "name: 2001:DB8:0::0:1\nlink: eth1\n", "TV213",
     E, 9, 7, "VIP 2001:db8::1 is there twice, on two links", NULL},
    {VIP_IP("192.0.2.1") LAYER2 "name: 192.0.2.1\nlink: eth1\n", "TV213", E, 11, 7,
     "VIP 192.0.2.1 is there twice, on two links", NULL},
    {"", "TV105", E, 0, 0, "no file names a VIP", "*"},
    {"machine: {type: controlplane}\n", "TV105", E, 0, 0, "no file names a VIP", "*"},
};

#define ALIAS(match)                                                                               \
    LAYER2 "name: 192.0.2.1\nlink: net0\n---\napiVersion: v1alpha1\nkind: LinkAliasConfig\n"       \
           "name: net0\nselector:\n  match: " match "\n"
#define NOT_CEL(match, column, why)                                                                \
    {                                                                                              \
        ALIAS(match), "TV218", E, 11, column, "this selector is not understood: " why, "*"         \
    }

static const struct finding_case aliases[] = {
    NOT_CEL("link.speed_megabits > 1000", 10, "this is not understood"),
    NOT_CEL("link.driver == 'a' || link.driver == 'b'", 29,
            "only conditions joined by && are understood"),
    NOT_CEL("'link.driver != \"a\"'", 23, "a '==' was expected here"),
    NOT_CEL("link.driver == 5", 25, "a text in quotes was expected here"),
    NOT_CEL("link.driver == 'a", 25, "this text does not end, or has an escape"),
    NOT_CEL("mac(link.index) == 'a'", 14, "mac() takes link.permanent_addr or link.hardware_addr"),
    NOT_CEL("glob('a', link.driver", 31, "a ')' was expected here"),
    NOT_CEL("link.kind == 'bond'", 10, "an alias stands only for physical links, without kind"),
    {ALIAS("mac(link.permanent_addr) == '00:1A:2B:3C:4D:5E'"), "TV218", W, 11, 10,
     "this never matches: mac() gives lower case letters", NULL},
    {LAYER2 "name: 192.0.2.1\nlink: net0\n---\napiVersion: v1alpha1\nkind: LinkAliasConfig\n"
            "name: net%d\nselector:\n  match: link.driver == 'e1000'\n",
     "TV218", E, 4, 7, "VIP 192.0.2.1 is on a numbered alias, which is not understood",
     "give the VIP the link's own name, or an alias without %d"},
    {ALIAS("'true'\n  requireUniqueMatch: false"), "TV102", E, 12, 3,
     "unknown key \"requireUniqueMatch\" in selector", NULL},
};

static void check_all(const struct finding_case *cases, size_t n)
{
    for (size_t i = 0; i < n; i++)
        finding_case_check(&cases[i]);
}

#define CHECK_ALL(cases) check_all(cases, sizeof(cases) / sizeof((cases)[0]))

static void test_addresses(void **state)
{
    (void)state;
    CHECK_ALL(addresses);
}

static void test_devices(void **state)
{
    (void)state;
    CHECK_ALL(devices);
}

static void test_documents(void **state)
{
    (void)state;
    CHECK_ALL(documents);
}

static void test_aliases(void **state)
{
    (void)state;
    CHECK_ALL(aliases);
}

static void test_only_clouds(void **state)
{
    (void)state;
    struct loaded l;
    loaded_text(&l, "apiVersion: v1alpha1\nkind: HCloudVIPConfig\nname: 192.0.2.1\nlink: eth0\n"
                    "apiToken: hunter2\n");
    assert_int_equal(l.result, -EINVAL);
    assert_int_equal(l.findings.n, 2);
    assert_true(loaded_has(&l, "TV217", 1, 1));
    assert_true(loaded_has(&l, "TV105", 0, 0));
    assert_string_equal(l.findings.list[1].message,
                        "no file names a VIP that this agent can serve");
    loaded_done(&l);
}

static void test_all_is_collected(void **state)
{
    (void)state;
    struct loaded l;
    loaded_text(&l, CONTROLPLANE "      - interface: eth0\n"
                                 "        vip: {ip: 10.0.0.300, x: y}\n"
                                 "      - vip: {ip: 127.0.0.1}\n" LAYER2 "name: nope\n");
    assert_int_equal(l.result, -EINVAL);
    assert_int_equal(l.findings.n, 4);
    assert_true(loaded_has(&l, "TV102", 7, 31));
    assert_true(loaded_has(&l, "TV103", 7, 19));
    assert_true(loaded_has(&l, "TV104", 8, 9));
    assert_true(loaded_has(&l, "TV104", 10, 1));
    loaded_done(&l);
}

static void test_init_and_null(void **state)
{
    (void)state;
    struct loaded l;
    loaded_text(&l, "version: v1alpha1\nmachine:\n  type: init\n  network:\n    interfaces:\n"
                    "      - interface: eth0\n        vip: ~\n"
                    "      - interface: 100\n        vip: {ip: 192.0.2.1}\n"
                    "      - interface: eth2\n        vlans: null\n"
                    "---\n# nothing\n---\nkind: SomethingNew\napiVersion: v1beta7\n");
    assert_int_equal(l.result, 0);
    assert_int_equal(l.findings.n, 0);
    assert_int_equal(l.config->machine, CONFIG_MACHINE_INIT);
    assert_string_equal(loaded_vip(&l, "192.0.2.1")->link, "100");
    loaded_done(&l);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_legacy_fixture),   cmocka_unit_test(test_legacy_selectors),
        cmocka_unit_test(test_document_fixture), cmocka_unit_test(test_addresses),
        cmocka_unit_test(test_devices),          cmocka_unit_test(test_documents),
        cmocka_unit_test(test_aliases),          cmocka_unit_test(test_only_clouds),
        cmocka_unit_test(test_all_is_collected), cmocka_unit_test(test_init_and_null),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
