/* SPDX-License-Identifier: MIT */
#include <errno.h>
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>
#include <stdio.h>
#include <string.h>

#include "base/ip.h"

struct form {
    const char *in, *out;
};

/* RFC 5952, sections 4 and 5, and what Go's netip.Addr prints: its keys and ours must be equal. */
static const struct form forms[] = {
    {"10.0.0.5", "10.0.0.5"},
    {"0.0.0.0", "0.0.0.0"},
    {"255.255.255.255", "255.255.255.255"},
    {"::", "::"},
    {"::1", "::1"},
    {"1::", "1::"},
    {"0:0:0:0:0:0:0:0", "::"},
    {"0000:0000:0000:0000:0000:0000:0000:0001", "::1"},
    {"2001:db8:0:0:1:0:0:1", "2001:db8::1:0:0:1"},
    {"2001:db8:0:0:0:0:2:1", "2001:db8::2:1"},
    {"2001:DB8::AbCd", "2001:db8::abcd"},
    {"2001:0db8::0001", "2001:db8::1"},
    {"2001:db8:0:1:1:1:1:1", "2001:db8:0:1:1:1:1:1"},
    {"2001:db8::1:1:1:1:1", "2001:db8:0:1:1:1:1:1"},
    {"1:0:0:2:0:0:0:3", "1:0:0:2::3"},
    {"1:0:0:0:2:0:0:3", "1::2:0:0:3"},
    {"0:0:1:0:0:0:0:0", "0:0:1::"},
    {"0:1:0:1:0:1:0:1", "0:1:0:1:0:1:0:1"},
    {"1:2:3:4:5:6:0:0", "1:2:3:4:5:6::"},
    {"1:2:3:4:5:6:7::", "1:2:3:4:5:6:7:0"},
    {"::2:3:4:5:6:7:8", "0:2:3:4:5:6:7:8"},
    {"ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff", "ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff"},
    /* Only IPv4-mapped addresses are written with dots; glibc would write more so. */
    {"::1.2.3.4", "::102:304"},
    {"::ffff:1.2.3.4", "::ffff:1.2.3.4"},
    {"::FFFF:102:304", "::ffff:1.2.3.4"},
    {"0:0:0:0:0:ffff:0.0.0.0", "::ffff:0.0.0.0"},
    {"::ffff:0:1.2.3.4", "::ffff:0:102:304"},
    {"64:ff9b::192.0.2.33", "64:ff9b::c000:221"},
    {"1:2:3:4:5:6:1.2.3.4", "1:2:3:4:5:6:102:304"},
    {"fe80::1", "fe80::1"},
    {"::fffe:1.2.3.4", "::fffe:102:304"},
    {"1::ffff:1.2.3.4", "1::ffff:102:304"},
};

static const char *const not_addresses[] = {
    "",
    " ",
    "1",
    "1.2.3",
    "1.2.3.4.5",
    "1.2.3.256",
    "1.2.3.1000",
    "01.2.3.4",
    "1.2.3.04",
    "1.2.3.00",
    "1.2.3.",
    ".1.2.3",
    "1..2.3",
    "1.2.3.4 ",
    " 1.2.3.4",
    "1.2.3.4\n",
    "+1.2.3.4",
    "-1.2.3.4",
    "0x1.2.3.4",
    "1.2.3.a",
    "1,2,3,4",
    "4294967295",
    "99999999999.1.1.1",
    ":",
    ":::",
    "::::",
    "1:",
    ":1",
    "1:::2",
    "::1::",
    "1::2::3",
    "12345::",
    "::12345",
    "::g",
    "g::",
    "1:2",
    "1:2:3:4:5:6:7",
    "1:2:3:4:5:6:7:",
    ":1:2:3:4:5:6:7",
    "1:2:3:4:5:6:7:8:9",
    "1:2:3:4:5:6:7:8:",
    "1:2:3:4:5:6:7:8::",
    "::1:2:3:4:5:6:7:8",
    "1:2:3:4::5:6:7:8",
    "1:2:3:4:5:6:7:1.2.3.4",
    "::1.2.3.4:5",
    "1.2.3.4::",
    "::1.2.3",
    "::1.2.3.4.5",
    "::01.2.3.4",
    "::1.2.3.256",
    "fe80::1%eth0",
    "[::1]",
    "::1/128",
    "1.2.3.4/32",
    "::1 ",
    " ::1",
    "localhost",
    "::ffff:1.2.3.4.",
    "0000:0000:0000:0000:0000:0000:0000:000001",
    "1111:2222:3333:4444:5555:6666:7777:8888:9999:aaaa:bbbb",
    "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"};

static void test_forms(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof(forms) / sizeof(forms[0]); i++) {
        struct ip ip, again;
        char text[IP_TEXT_MAX];
        if (ip_parse(forms[i].in, &ip) < 0)
            fail_msg("%s is refused", forms[i].in);
        ip_format(&ip, text);
        assert_string_equal(text, forms[i].out);
        assert_int_equal(ip_parse(text, &again), 0);
        assert_true(ip_equal(&ip, &again));
    }
}

static void test_not_addresses(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof(not_addresses) / sizeof(not_addresses[0]); i++) {
        struct ip ip, before;
        memset(&ip, 0x5a, sizeof(ip));
        before = ip;
        if (ip_parse(not_addresses[i], &ip) != -EINVAL)
            fail_msg("'%s' is taken for an address", not_addresses[i]);
        assert_memory_equal(&ip, &before, sizeof(ip));
    }
}

static void test_mapped_is_not_v4(void **state)
{
    struct ip v4, mapped;
    (void)state;
    assert_int_equal(ip_parse("1.2.3.4", &v4), 0);
    assert_int_equal(ip_parse("::ffff:1.2.3.4", &mapped), 0);
    assert_false(ip_equal(&v4, &mapped));
    assert_int_equal(ip_bits(&v4), 32);
    assert_int_equal(ip_bits(&mapped), 128);
    assert_int_equal(ip_len(&v4), 4);
    assert_int_equal(ip_len(&mapped), 16);
}

/* Every pattern of zero groups: the text is the shortest, and means the same. */
static void test_all_zero_patterns(void **state)
{
    (void)state;
    for (unsigned bits = 0; bits < 256; bits++) {
        struct ip ip = {.family = IP_V6}, again;
        char text[IP_TEXT_MAX];
        unsigned run = 0, longest = 0;
        for (unsigned i = 0; i < 8; i++) {
            run = bits >> i & 1 ? 0 : run + 1;
            longest = run > longest ? run : longest;
            ip.bytes[2 * i + 1] = bits >> i & 1 ? 0xa : 0;
        }
        ip_format(&ip, text);
        assert_int_equal(ip_parse(text, &again), 0);
        assert_true(ip_equal(&ip, &again));
        assert_int_equal(strstr(text, "::") != NULL, longest >= 2);
        assert_null(strstr(text, ":::"));
    }
}

/* Bytes at random: nothing crashes, and what is accepted is written back in one form only. */
static void test_random_text(void **state)
{
    static const char alphabet[] = "0123456789abcdefF:::....g% /";
    uint32_t x = 7;
    unsigned accepted = 0;
    (void)state;
    for (unsigned i = 0; i < 300000; i++) {
        char text[24], once[IP_TEXT_MAX], twice[IP_TEXT_MAX];
        struct ip ip, again;
        size_t n = 0;
        x = x * 1664525 + 1013904223;
        for (size_t len = (x >> 16) % (sizeof(text) - 1); n < len; n++) {
            x = x * 1664525 + 1013904223;
            text[n] = alphabet[(x >> 16) % (sizeof(alphabet) - 1)];
        }
        text[n] = '\0';
        if (ip_parse(text, &ip) < 0)
            continue;
        accepted++;
        ip_format(&ip, once);
        assert_int_equal(ip_parse(once, &again), 0);
        ip_format(&again, twice);
        assert_string_equal(once, twice);
    }
    assert_true(accepted > 100);
}

static void test_format_of_nothing(void **state)
{
    struct ip none = {0};
    char text[IP_TEXT_MAX];
    (void)state;
    ip_format(&none, text);
    assert_string_equal(text, "-");
}

static void test_prefix(void **state)
{
    static const char *const good[] = {"10.0.0.5/24",      "0.0.0.0/0", "1.2.3.4/32",
                                       "fd77::64/64",      "::/0",      "::1/128",
                                       "::ffff:1.2.3.4/96"};
    static const char *const bad[] = {"10.0.0.5",    "10.0.0.5/",          "10.0.0.5/33",
                                      "10.0.0.5/-1", "10.0.0.5/+1",        "10.0.0.5/024",
                                      "10.0.0.5/ 8", "10.0.0.5/8 ",        "/8",
                                      "::1/129",     "::1/1000000000000",  "10.0.0.5/8/8",
                                      "10.0.0/8",    "10.0.0.5/255.0.0.0", ""};
    struct ip_prefix p;
    char text[PREFIX_TEXT_MAX];
    (void)state;
    for (size_t i = 0; i < sizeof(good) / sizeof(good[0]); i++) {
        assert_int_equal(ip_prefix_parse(good[i], &p), 0);
        ip_prefix_format(&p, text);
        assert_string_equal(text, good[i]);
    }
    for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
        if (ip_prefix_parse(bad[i], &p) != -EINVAL)
            fail_msg("'%s' is taken for a prefix", bad[i]);
}

static bool contains(const char *prefix, const char *text)
{
    struct ip_prefix p;
    struct ip ip;
    assert_int_equal(ip_prefix_parse(prefix, &p), 0);
    assert_int_equal(ip_parse(text, &ip), 0);
    return ip_prefix_contains(&p, &ip);
}

static void test_prefix_contains(void **state)
{
    (void)state;
    assert_true(contains("10.0.0.5/24", "10.0.0.200"));
    assert_false(contains("10.0.0.5/24", "10.0.1.5"));
    assert_true(contains("10.0.0.128/25", "10.0.0.129"));
    assert_false(contains("10.0.0.128/25", "10.0.0.127"));
    assert_true(contains("10.0.0.2/31", "10.0.0.3"));
    assert_false(contains("10.0.0.2/31", "10.0.0.4"));
    assert_true(contains("1.2.3.4/32", "1.2.3.4"));
    assert_false(contains("1.2.3.4/32", "1.2.3.5"));
    assert_true(contains("0.0.0.0/0", "255.1.2.3"));
    assert_false(contains("0.0.0.0/0", "::1"));
    assert_false(contains("::/0", "1.2.3.4"));
    assert_true(contains("fd77::/64", "fd77::1:2:3:4"));
    assert_false(contains("fd77::/64", "fd77:0:0:1::"));
    assert_true(contains("fd77::1/128", "fd77::1"));
    assert_false(contains("fd77::1/128", "fd77::2"));
    assert_true(contains("fd00::/9", "fd7f::"));
    assert_false(contains("fd00::/9", "fd80::"));
}

static void test_mac(void **state)
{
    static const char *const bad[] = {"",
                                      "52:54:00:aa:01",
                                      "52:54:00:aa:01:0",
                                      "52:54:00:aa:01:011",
                                      "52:54:00:aa:01:01:",
                                      "52-54-00-aa-01-01",
                                      "52:54:00:aa:01:0g",
                                      "5254.00aa.0101",
                                      " 2:54:00:aa:01:01",
                                      "52:54:00:aa:0101:"};
    struct mac mac, same;
    char text[MAC_TEXT_MAX];
    (void)state;
    assert_int_equal(mac_parse("52:54:00:AA:01:0f", &mac), 0);
    mac_format(&mac, text);
    assert_string_equal(text, "52:54:00:aa:01:0f");
    assert_int_equal(mac_parse(text, &same), 0);
    assert_true(mac_equal(&mac, &same));
    same.bytes[5] ^= 1;
    assert_false(mac_equal(&mac, &same));
    for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
        if (mac_parse(bad[i], &same) != -EINVAL)
            fail_msg("'%s' is taken for a MAC", bad[i]);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_forms),
        cmocka_unit_test(test_not_addresses),
        cmocka_unit_test(test_mapped_is_not_v4),
        cmocka_unit_test(test_all_zero_patterns),
        cmocka_unit_test(test_random_text),
        cmocka_unit_test(test_format_of_nothing),
        cmocka_unit_test(test_prefix),
        cmocka_unit_test(test_prefix_contains),
        cmocka_unit_test(test_mac),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
