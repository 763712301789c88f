/* SPDX-License-Identifier: MIT */
#include "packet_filter.h"

#include <assert.h>
#include <linux/if_arp.h>
#include <linux/if_packet.h>
#include <stdint.h>

#include "net/echo.h"
#include "net/packet.h"
#include "wire.h"

#define ACCEPT 0xffff

struct program {
    struct sock_filter *out;
    size_t n;
};

static void emit(struct program *p, unsigned code, unsigned yes, unsigned no, uint32_t k)
{
    assert(p->n < PACKET_FILTER_MAX);
    p->out[p->n++] =
        (struct sock_filter){.code = (uint16_t)code, .jt = (uint8_t)yes, .jf = (uint8_t)no, .k = k};
}

static void load(struct program *p, unsigned size, size_t offset)
{
    emit(p, BPF_LD | size | BPF_ABS, 0, 0, (uint32_t)offset);
}

/* Goes on if A equals `value`, else drops. */
static void require(struct program *p, uint32_t value)
{
    emit(p, BPF_JMP | BPF_JEQ | BPF_K, 1, 0, value);
    emit(p, BPF_RET | BPF_K, 0, 0, 0);
}

/* Not our own frames that come back (OUTGOING, LOOPBACK), nor what is meant for other stations or
 * VLANs (OTHERHOST). */
static void require_received(struct program *p)
{
    load(p, BPF_B, (size_t)(SKF_AD_OFF + SKF_AD_PKTTYPE));
    emit(p, BPF_JMP | BPF_JGT | BPF_K, 0, 1, PACKET_MULTICAST);
    emit(p, BPF_RET | BPF_K, 0, 0, 0);
}

static uint32_t word(const uint8_t *b)
{
    return (uint32_t)b[0] << 24 | (uint32_t)b[1] << 16 | (uint32_t)b[2] << 8 | b[3];
}

/* The bytes behind an IPv4 address are 0, so that it folds to itself. */
static uint32_t fold(const struct ip *ip)
{
    const uint8_t *b = ip->bytes;
    return word(b) ^ word(b + 4) ^ word(b + 8) ^ word(b + 12);
}

/* Accepts if A is one of the values, else goes on. */
static void accept_values(struct program *p, const uint32_t *values, size_t n)
{
    assert(n < 255); /* reach of a conditional jump */
    for (size_t i = 0; i < n; i++)
        emit(p, BPF_JMP | BPF_JEQ | BPF_K, (unsigned)(n - i), 0, values[i]);
    emit(p, BPF_JMP | BPF_JA, 0, 0, 1);
    emit(p, BPF_RET | BPF_K, 0, 0, ACCEPT);
}

/* Accepts if A is the fold of one of the addresses, else goes on. */
static void accept_any(struct program *p, const struct ip *vips, size_t n, enum ip_family family)
{
    uint32_t folds[PACKET_WATCH_MAX];
    size_t count = 0;
    assert(n <= PACKET_WATCH_MAX);
    for (size_t i = 0; i < n; i++)
        if (vips[i].family == family)
            folds[count++] = fold(&vips[i]);
    accept_values(p, folds, count);
}

size_t packet_filter_arp(const struct ip *vips, size_t n, struct sock_filter out[PACKET_FILTER_MAX])
{
    struct program p = {.out = out};
    require_received(&p);
    load(&p, BPF_H, WIRE_ETHER_TYPE);
    require(&p, WIRE_TYPE_ARP);
    load(&p, BPF_W, WIRE_ARP_SPA);
    accept_any(&p, vips, n, IP_V4);
    load(&p, BPF_H, WIRE_ARP_OP);
    require(&p, WIRE_ARP_REPLY);
    load(&p, BPF_W, WIRE_ARP_TPA);
    accept_any(&p, vips, n, IP_V4);
    emit(&p, BPF_RET | BPF_K, 0, 0, 0);
    return p.n;
}

size_t packet_filter_echo(const struct mac *macs, size_t n,
                          struct sock_filter out[PACKET_FILTER_MAX])
{
    struct program p = {.out = out};
    uint32_t tails[ECHO_MACS_MAX];
    assert(n <= ECHO_MACS_MAX);
    for (size_t i = 0; i < n; i++)
        tails[i] = word(macs[i].bytes + 2);
    require_received(&p);
    load(&p, BPF_H, (size_t)(SKF_AD_OFF + SKF_AD_HATYPE));
    require(&p, ARPHRD_ETHER);
    load(&p, BPF_H, WIRE_ETHER_TYPE);
    require(&p, WIRE_TYPE_ARP);
    load(&p, BPF_H, WIRE_ARP_OP);
    require(&p, WIRE_ARP_REQUEST);
    load(&p, BPF_W, WIRE_ETHER_SOURCE + 2);
    accept_values(&p, tails, n);
    emit(&p, BPF_RET | BPF_K, 0, 0, 0);
    return p.n;
}

/* A = the fold of the 16 bytes at `offset`. */
static void load_fold(struct program *p, size_t offset)
{
    load(p, BPF_W, offset);
    for (size_t i = 4; i < 16; i += 4) {
        emit(p, BPF_MISC | BPF_TAX, 0, 0, 0);
        load(p, BPF_W, offset + i);
        emit(p, BPF_ALU | BPF_XOR | BPF_X, 0, 0, 0);
    }
}

/* An NA speaks for its target and may answer its destination, an NS speaks for its source: M[0]
 * and M[1] hold the folds of the two addresses to look for. */
enum { NA_PART = 23, NS_PART = 12 };

size_t packet_filter_ndp(const struct ip *vips, size_t n, struct sock_filter out[PACKET_FILTER_MAX])
{
    struct program p = {.out = out};
    require_received(&p);
    load(&p, BPF_H, WIRE_ETHER_TYPE);
    require(&p, WIRE_TYPE_IPV6);
    load(&p, BPF_B, WIRE_IPV6_NEXT);
    require(&p, WIRE_ICMP6);
    load(&p, BPF_B, WIRE_NDP);
    emit(&p, BPF_JMP | BPF_JEQ | BPF_K, 2, 0, WIRE_NA);
    emit(&p, BPF_JMP | BPF_JEQ | BPF_K, 1 + NA_PART, 0, WIRE_NS);
    emit(&p, BPF_RET | BPF_K, 0, 0, 0);
    size_t na = p.n;
    load_fold(&p, WIRE_NDP_TARGET);
    emit(&p, BPF_ST, 0, 0, 0);
    load_fold(&p, WIRE_IPV6_DEST);
    emit(&p, BPF_ST, 0, 0, 1);
    emit(&p, BPF_JMP | BPF_JA, 0, 0, NS_PART);
    size_t ns = p.n;
    load_fold(&p, WIRE_IPV6_SOURCE);
    emit(&p, BPF_ST, 0, 0, 0);
    emit(&p, BPF_ST, 0, 0, 1);
    assert(ns - na == NA_PART && p.n - ns == NS_PART);
    for (uint32_t i = 0; i < 2; i++) {
        emit(&p, BPF_LD | BPF_MEM, 0, 0, i);
        accept_any(&p, vips, n, IP_V6);
    }
    emit(&p, BPF_RET | BPF_K, 0, 0, 0);
    return p.n;
}
