/* SPDX-License-Identifier: MIT */
/* ARP and NDP frames from the wire. */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "../../src/net/wire.h"
#include "net/frame.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* What was accepted and can be built must come out of the parser again as it went in. */
static void check_round_trip(const struct frame *f)
{
    uint8_t out[FRAME_MAX];
    struct frame again;
    size_t n;
    if (f->kind == FRAME_ARP_REQUEST)
        n = frame_arp_request(&f->sender_mac, &f->sender_ip, &f->target_ip, NULL, out);
    else if (f->kind == FRAME_ARP_REPLY)
        n = frame_arp_reply(&f->sender_mac, &f->sender_ip, &f->target_mac, &f->target_ip, out);
    else if (f->kind == FRAME_NS && !f->is_probe)
        n = frame_ns_request(&f->sender_mac, &f->sender_ip, &f->target_ip, NULL, out);
    else if (f->kind == FRAME_NS)
        n = frame_ns_probe(&f->sender_mac, &f->target_ip, out);
    else
        n = frame_na_announce(&f->sender_mac, &f->target_ip, out);
    struct mac a, b;
    const struct ip *claimed = f->kind == FRAME_NA ? &f->target_ip : &f->sender_ip;
    if (frame_parse(out, n, &again) < 0 || again.kind != f->kind ||
        !ip_equal(&again.target_ip, &f->target_ip) || again.is_probe != f->is_probe ||
        !frame_claims(f, claimed, &a) || !frame_claims(&again, claimed, &b) || !mac_equal(&a, &b))
        abort();
}

/* No fuzzer guesses a checksum, and what lies behind it would never be reached. */
static void fix_checksum(uint8_t *data, size_t size)
{
    size_t payload = size >= WIRE_NDP + 4 ? (size_t)data[18] << 8 | data[19] : 0;
    if (payload < 4 || payload > size - WIRE_NDP)
        return;
    uint8_t *icmp = data + WIRE_NDP;
    icmp[2] = icmp[3] = 0;
    uint16_t sum = wire_icmp6_checksum(data + WIRE_ETHER, icmp, payload);
    icmp[2] = (uint8_t)(sum >> 8);
    icmp[3] = (uint8_t)sum;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct frame f;
    /* A copy of exactly this size, so that a sanitizer sees the first byte too far. */
    uint8_t *copy = calloc(1, size ? size : 1);
    if (!copy)
        return 0;
    if (size > 0)
        memcpy(copy, data, size);
    if (frame_parse(copy, size, &f) == 0)
        check_round_trip(&f);
    fix_checksum(copy, size);
    if (frame_parse(copy, size, &f) == 0)
        check_round_trip(&f);
    free(copy);
    return 0;
}
