/* SPDX-License-Identifier: MIT */
#include <errno.h>
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>
#include <stdio.h>
#include <string.h>

#include "net/frame.h"

static const struct mac own = {{2, 0, 0, 0, 0, 1}}, peer_mac = {{2, 0, 0, 0, 0, 2}};

static struct ip ip_of(const char *text)
{
    struct ip ip;
    assert_int_equal(ip_parse(text, &ip), 0);
    return ip;
}

/* "ffff 0200": hex digits, blanks ignored. */
static size_t unhex(const char *text, uint8_t *out)
{
    size_t n = 0;
    for (; *text; text++) {
        unsigned value;
        if (*text == ' ')
            continue;
        assert_int_equal(sscanf(text, "%2x", &value), 1);
        out[n++] = (uint8_t)value;
        text++;
    }
    return n;
}

static void expect_frame(const uint8_t *got, size_t len, size_t want_len, const char *hex)
{
    uint8_t want[128] = {0};
    assert_true(unhex(hex, want) <= want_len);
    assert_int_equal(len, want_len);
    assert_memory_equal(got, want, want_len);
}

static void test_arp_goldens(void **state)
{
    struct ip vip = ip_of("10.0.0.100"), peer = ip_of("10.0.0.7");
    uint8_t out[FRAME_MAX];
    (void)state;
    expect_frame(out, frame_arp_probe(&own, &vip, out), 60,
                 "ffffffffffff 020000000001 0806 0001 0800 06 04 0001"
                 "020000000001 00000000 000000000000 0a000064");
    expect_frame(out, frame_arp_announce(&own, &vip, out), 60,
                 "ffffffffffff 020000000001 0806 0001 0800 06 04 0001"
                 "020000000001 0a000064 000000000000 0a000064");
    expect_frame(out, frame_arp_request(&own, &vip, &peer, &peer_mac, out), 60,
                 "020000000002 020000000001 0806 0001 0800 06 04 0001"
                 "020000000001 0a000064 000000000000 0a000007");
    expect_frame(out, frame_arp_request(&own, &vip, &peer, NULL, out), 60,
                 "ffffffffffff 020000000001 0806 0001 0800 06 04 0001"
                 "020000000001 0a000064 000000000000 0a000007");
    expect_frame(out, frame_arp_reply(&own, &vip, &peer_mac, &peer, out), 60,
                 "020000000002 020000000001 0806 0001 0800 06 04 0002"
                 "020000000001 0a000064 020000000002 0a000007");
}

/* The checksums were worked out apart from this code. */
static void test_ndp_goldens(void **state)
{
    struct ip vip = ip_of("fd77::64"), peer = ip_of("fd77::7");
    uint8_t out[FRAME_MAX];
    (void)state;
    expect_frame(out, frame_na_announce(&own, &vip, out), 86,
                 "333300000001 020000000001 86dd 60000000 0020 3a ff"
                 "fd770000000000000000000000000064 ff020000000000000000000000000001"
                 "88 00 58e7 20000000 fd770000000000000000000000000064 02 01 020000000001");
    expect_frame(out, frame_ns_request(&own, &vip, &peer, &peer_mac, out), 86,
                 "020000000002 020000000001 86dd 60000000 0020 3a ff"
                 "fd770000000000000000000000000064 fd770000000000000000000000000007"
                 "87 00 7cc9 00000000 fd770000000000000000000000000007 01 01 020000000001");
    expect_frame(out, frame_ns_request(&own, &vip, &peer, NULL, out), 86,
                 "3333ff000007 020000000001 86dd 60000000 0020 3a ff"
                 "fd770000000000000000000000000064 ff0200000000000000000001ff000007"
                 "87 00 7c3c 00000000 fd770000000000000000000000000007 01 01 020000000001");
    expect_frame(out, frame_ns_probe(&own, &vip, out), 78,
                 "3333ff000064 020000000001 86dd 60000000 0018 3a ff"
                 "00000000000000000000000000000000 ff0200000000000000000001ff000064"
                 "87 00 7c68 00000000 fd770000000000000000000000000064");
}

static void test_parse_arp(void **state)
{
    struct ip vip = ip_of("10.0.0.100"), peer = ip_of("10.0.0.7"), any = ip_of("0.0.0.0");
    uint8_t out[FRAME_MAX];
    struct frame f;
    struct mac mac;
    (void)state;
    assert_int_equal(frame_parse(out, frame_arp_request(&own, &vip, &peer, &peer_mac, out), &f), 0);
    assert_int_equal(f.kind, FRAME_ARP_REQUEST);
    assert_true(mac_equal(&f.ether_source, &own) && mac_equal(&f.ether_target, &peer_mac));
    assert_true(mac_equal(&f.sender_mac, &own) && ip_equal(&f.sender_ip, &vip));
    assert_true(ip_equal(&f.target_ip, &peer) && ip_equal(&f.dest_ip, &peer));
    assert_false(f.is_probe || f.is_announcement || f.has_option);
    assert_true(frame_claims(&f, &vip, &mac) && mac_equal(&mac, &own));
    assert_false(frame_claims(&f, &peer, NULL) || frame_acknowledges(&f, &peer, &vip));

    assert_int_equal(frame_parse(out, frame_arp_probe(&own, &vip, out), &f), 0);
    assert_true(f.is_probe && !f.is_announcement && ip_equal(&f.sender_ip, &any));
    assert_false(frame_claims(&f, &vip, NULL));
    assert_int_equal(frame_parse(out, frame_arp_announce(&own, &vip, out), &f), 0);
    assert_true(f.is_announcement && !f.is_probe && frame_claims(&f, &vip, NULL));

    size_t len = frame_arp_reply(&peer_mac, &peer, &own, &vip, out);
    assert_int_equal(frame_parse(out, len, &f), 0);
    assert_int_equal(f.kind, FRAME_ARP_REPLY);
    assert_true(mac_equal(&f.target_mac, &own));
    assert_true(frame_acknowledges(&f, &vip, &peer) && !frame_acknowledges(&f, &peer, &vip));
    assert_int_equal(frame_parse(out, 42, &f), 0); /* padding is optional */
    assert_int_equal(frame_parse(out, 41, &f), -EBADMSG);
}

static void test_parse_ndp(void **state)
{
    struct ip vip = ip_of("fd77::64"), peer = ip_of("fd77::7");
    uint8_t out[FRAME_MAX];
    struct frame f;
    struct mac mac;
    (void)state;
    assert_int_equal(frame_parse(out, frame_na_announce(&own, &vip, out), &f), 0);
    assert_int_equal(f.kind, FRAME_NA);
    assert_int_equal(f.flags, FRAME_OVERRIDE);
    assert_true(f.is_announcement && f.has_option && !f.is_probe);
    assert_true(frame_claims(&f, &vip, &mac) && mac_equal(&mac, &own));

    assert_int_equal(frame_parse(out, frame_ns_request(&own, &vip, &peer, &peer_mac, out), &f), 0);
    assert_int_equal(f.kind, FRAME_NS);
    assert_true(ip_equal(&f.sender_ip, &vip) && ip_equal(&f.target_ip, &peer));
    assert_true(ip_equal(&f.dest_ip, &peer) && f.has_option && !f.is_probe);
    assert_true(frame_claims(&f, &vip, &mac) && mac_equal(&mac, &own));
    assert_false(frame_claims(&f, &peer, NULL));

    assert_int_equal(frame_parse(out, frame_ns_probe(&own, &vip, out), &f), 0);
    assert_true(f.is_probe && !f.has_option && !frame_claims(&f, &vip, NULL));
}

static void fix_checksum(uint8_t *frame, size_t len);

/* One byte changed, checksum put right again: what must be refused for its own sake. */
static void expect_bad(const uint8_t *good, size_t len, size_t at, uint8_t value)
{
    uint8_t bad[FRAME_MAX];
    struct frame f = {.kind = 99};
    memcpy(bad, good, len);
    bad[at] = value;
    if (bad[12] == 0x86 && len > 58)
        fix_checksum(bad, len);
    if (frame_parse(bad, len, &f) != -EBADMSG)
        fail_msg("byte %zu = %02x was accepted", at, value);
    assert_int_equal(f.kind, 99); /* untouched on failure */
}

static void fix_checksum(uint8_t *frame, size_t len)
{
    uint32_t sum = (uint32_t)(len - 54) + 58;
    frame[56] = frame[57] = 0;
    for (size_t i = 22; i < len; i += 2)
        sum += (uint32_t)(frame[i] << 8) + (i + 1 < len ? frame[i + 1] : 0u);
    while (sum >> 16)
        sum = (sum & 0xffff) + (sum >> 16);
    frame[56] = (uint8_t)(~sum >> 8);
    frame[57] = (uint8_t)~sum;
}

static void test_bad_arp(void **state)
{
    struct ip vip = ip_of("10.0.0.100");
    uint8_t out[FRAME_MAX];
    size_t len = frame_arp_announce(&own, &vip, out);
    (void)state;
    static const struct {
        size_t at;
        uint8_t value;
    } bad[] = {
        {6, 3},    /* Ethernet source a group */
        {12, 9},   /* another protocol */
        {15, 6},   /* hardware not Ethernet */
        {16, 9},   /* protocol not IPv4 */
        {18, 8},   /* length of hardware address */
        {19, 16},  /* of protocol address */
        {21, 3},   /* RARP request */
        {21, 0},   /* no operation */
        {22, 3},   /* sender a group */
        {28, 224}, /* sender a multicast address */
        {38, 255}, /* target likewise */
    };
    for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
        expect_bad(out, len, bad[i].at, bad[i].value);
}

static void test_bad_ndp(void **state)
{
    struct ip vip = ip_of("fd77::64"), peer = ip_of("fd77::7");
    uint8_t na[FRAME_MAX], ns[FRAME_MAX], probe[FRAME_MAX];
    struct frame f;
    size_t na_len = frame_na_announce(&own, &vip, na);
    size_t ns_len = frame_ns_request(&own, &vip, &peer, NULL, ns);
    size_t probe_len = frame_ns_probe(&own, &vip, probe);
    (void)state;
    static const struct {
        size_t at;
        uint8_t value;
    } bad[] = {
        {14, 0x40}, /* IP version */
        {18, 1},    /* longer than the frame */
        {19, 23},   /* shorter than the message */
        {20, 0},    /* hop-by-hop options first */
        {21, 254},  /* came through a router */
        {22, 0xff}, /* source a group */
        {54, 133},  /* router solicitation */
        {55, 1},    /* code */
        {62, 0xff}, /* target a group */
        {79, 0},    /* option of length 0 */
        {79, 2},    /* option longer than the message */
        {80, 3},    /* address in it a group */
    };
    for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
        expect_bad(na, na_len, bad[i].at, bad[i].value);
        expect_bad(ns, ns_len, bad[i].at, bad[i].value);
    }
    expect_bad(na, na_len, 58, 0x60);    /* solicited, yet to all nodes */
    expect_bad(probe, probe_len, 48, 2); /* probe not to a solicited-node group */
    memset(ns + 22, 0, 16);              /* `::` with a link-layer option */
    expect_bad(ns, ns_len, 21, 255);
    for (size_t i = 22; i < na_len; i++) { /* each bit under the checksum */
        na[i] ^= 1;
        assert_int_equal(frame_parse(na, na_len, &f), -EBADMSG);
        na[i] ^= 1;
    }
    for (size_t len = 0; len < na_len; len++)
        assert_int_equal(frame_parse(na, len, &f), -EBADMSG);
    assert_int_equal(frame_parse(na, na_len, &f), 0);
}

static void test_unknown_option_is_skipped(void **state)
{
    struct ip vip = ip_of("fd77::64");
    uint8_t na[FRAME_MAX];
    struct frame f;
    size_t len = frame_na_announce(&own, &vip, na);
    (void)state;
    na[78] = 14; /* a nonce (RFC 3971) in its place: the Ethernet source speaks then */
    fix_checksum(na, len);
    assert_int_equal(frame_parse(na, len, &f), 0);
    assert_true(!f.has_option && mac_equal(&f.sender_mac, &own));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_arp_goldens),
        cmocka_unit_test(test_ndp_goldens),
        cmocka_unit_test(test_parse_arp),
        cmocka_unit_test(test_parse_ndp),
        cmocka_unit_test(test_bad_arp),
        cmocka_unit_test(test_bad_ndp),
        cmocka_unit_test(test_unknown_option_is_skipped),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
