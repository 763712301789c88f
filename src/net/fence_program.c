/* SPDX-License-Identifier: MIT */
/* In C the programs would read (sizes and names as in wire.h):
 *
 *   if (skb is tagged with a VLAN id) return NEXT;    // not of this link's network
 *   switch (EtherType) {
 *   case ARP:
 *       in:  if (op != REQUEST || spa == tpa) return NEXT;   key = tpa;
 *       out: key = spa;
 *       return check(key);
 *   case IPv4: in: return check(dst);  out: return check(src);
 *   case IPv6: in: check(dst);         out: check(src);
 *       if (next header != ICMPv6 || type != (in ? NS : NA)) return NEXT;
 *       return check(target);
 *   }
 *   check(key): slot = vips[key]; if (slot is shut) return DROP
 *               if (slot is armed && boottime >= slots[0]) return DROP
 *
 * Everything is read by bpf_skb_load_bytes(), which fails, and so passes, on short frames and
 * copes with paged ones; the address fields come before IPv4 options and extension headers. */
#include "fence_program.h"

#include "net/fence.h"

#include <arpa/inet.h>
#include <assert.h>
#include <stdint.h>

#include "bpf.h"
#include "wire.h"

const struct fence_side fence_sides[FENCE_SIDES] = {
    [FENCE_INGRESS] = {"talosvip_in", BPF_ATTACH_TCX_INGRESS},
    [FENCE_EGRESS] = {"talosvip_out", BPF_ATTACH_TCX_EGRESS},
};

/* Verdicts of tcx: let the next program decide, or drop. */
enum { NEXT = -1, DROP = 2 };

/* Stack, from the frame pointer down. */
enum { SCRATCH = -8, OTHER = -12, KEY = -32, KEY_V4_MARK = -24, KEY_V4 = -20 };

enum label { L_UNTAGGED, L_V4, L_V4_KEY, L_V6, L_NDP, L_PASS, L_DROP, LABELS };

struct program {
    struct bpf_insn *out;
    size_t n;
    struct {
        size_t at;
        enum label to;
    } jumps[64];
    size_t jump_count;
    size_t labels[LABELS];
};

static void emit(struct program *p, uint8_t code, uint8_t dst, uint8_t src, int off, int32_t imm)
{
    assert(p->n < FENCE_PROGRAM_MAX);
    p->out[p->n] = (struct bpf_insn){.code = code, .off = (int16_t)off, .imm = imm};
    p->out[p->n].dst_reg = dst & 0xfu;
    p->out[p->n].src_reg = src & 0xfu;
    p->n++;
}

static void label(struct program *p, enum label l)
{
    p->labels[l] = p->n;
}

static void jump(struct program *p, uint8_t op, uint8_t dst, uint8_t src, int32_t imm,
                 enum label to)
{
    assert(p->jump_count < sizeof(p->jumps) / sizeof(p->jumps[0]));
    p->jumps[p->jump_count].at = p->n;
    p->jumps[p->jump_count++].to = to;
    emit(p, op, dst, src, 0, imm);
}

static void jump_if(struct program *p, uint8_t op, uint8_t reg, int32_t value, enum label to)
{
    jump(p, BPF_JMP | op | BPF_K, reg, 0, value, to);
}

static void go(struct program *p, enum label to)
{
    jump(p, BPF_JMP | BPF_JA, 0, 0, 0, to);
}

static void move(struct program *p, uint8_t reg, int32_t value)
{
    emit(p, BPF_ALU64 | BPF_MOV | BPF_K, reg, 0, 0, value);
}

static void stack_address(struct program *p, uint8_t reg, int at)
{
    emit(p, BPF_ALU64 | BPF_MOV | BPF_X, reg, BPF_REG_10, 0, 0);
    emit(p, BPF_ALU64 | BPF_ADD | BPF_K, reg, 0, 0, at);
}

static void call(struct program *p, int helper)
{
    emit(p, BPF_JMP | BPF_CALL, 0, 0, 0, helper);
}

static void read(struct program *p, uint8_t size, uint8_t reg, uint8_t base, int off)
{
    emit(p, BPF_LDX | size | BPF_MEM, reg, base, off, 0);
}

/* stack[at] = frame[offset ... offset + len]; passes when the frame is shorter. */
static void load_bytes(struct program *p, int offset, int at, int len)
{
    emit(p, BPF_ALU64 | BPF_MOV | BPF_X, BPF_REG_1, BPF_REG_6, 0, 0);
    move(p, BPF_REG_2, offset);
    stack_address(p, BPF_REG_3, at);
    move(p, BPF_REG_4, len);
    call(p, BPF_FUNC_skb_load_bytes);
    jump_if(p, BPF_JNE, BPF_REG_0, 0, L_PASS);
}

/* r0 = map[key on the stack], or goes to `miss`. */
static void lookup(struct program *p, int map_fd, int key_at, enum label miss)
{
    emit(p, BPF_LD | BPF_DW | BPF_IMM, BPF_REG_1, BPF_PSEUDO_MAP_FD, 0, map_fd);
    emit(p, 0, 0, 0, 0, 0); /* second half of a 64-bit immediate */
    stack_address(p, BPF_REG_2, key_at);
    call(p, BPF_FUNC_map_lookup_elem);
    jump_if(p, BPF_JEQ, BPF_REG_0, 0, miss);
}

/* Ends with a verdict for an armed VIP, else goes to `miss`. Inlined where it is needed, for old
 * verifiers like neither calls nor loops. */
static void check(struct program *p, int vips_fd, int slots_fd, enum label miss)
{
    lookup(p, vips_fd, KEY, miss);
    read(p, BPF_W, BPF_REG_1, BPF_REG_0, 0);
    emit(p, BPF_STX | BPF_W | BPF_MEM, BPF_REG_10, BPF_REG_1, SCRATCH, 0);
    lookup(p, slots_fd, SCRATCH, miss);
    read(p, BPF_DW, BPF_REG_1, BPF_REG_0, 0);
    jump_if(p, BPF_JEQ, BPF_REG_1, FENCE_PASS, miss);
    jump_if(p, BPF_JEQ, BPF_REG_1, FENCE_SHUT, L_DROP);
    emit(p, BPF_ST | BPF_W | BPF_MEM, BPF_REG_10, 0, SCRATCH, 0);
    lookup(p, slots_fd, SCRATCH, miss);
    read(p, BPF_DW, BPF_REG_7, BPF_REG_0, 0);
    call(p, BPF_FUNC_ktime_get_boot_ns);
    jump(p, BPF_JMP | BPF_JGE | BPF_X, BPF_REG_0, BPF_REG_7, 0, L_DROP);
    go(p, L_PASS);
}

static void dispatch(struct program *p)
{
    emit(p, BPF_ALU64 | BPF_MOV | BPF_X, BPF_REG_6, BPF_REG_1, 0, 0);
    read(p, BPF_W, BPF_REG_1, BPF_REG_6, (int)offsetof(struct __sk_buff, vlan_present));
    jump_if(p, BPF_JEQ, BPF_REG_1, 0, L_UNTAGGED);
    read(p, BPF_W, BPF_REG_1, BPF_REG_6, (int)offsetof(struct __sk_buff, vlan_tci));
    /* Id 0 only carries a priority (IEEE 802.1Q). */
    jump_if(p, BPF_JSET, BPF_REG_1, 0xfff, L_PASS);
    label(p, L_UNTAGGED);
    load_bytes(p, WIRE_ETHER_TYPE, SCRATCH, 2);
    read(p, BPF_H, BPF_REG_1, BPF_REG_10, SCRATCH);
    jump_if(p, BPF_JEQ, BPF_REG_1, htons(WIRE_TYPE_IPV4), L_V4);
    jump_if(p, BPF_JEQ, BPF_REG_1, htons(WIRE_TYPE_IPV6), L_V6);
    jump_if(p, BPF_JNE, BPF_REG_1, htons(WIRE_TYPE_ARP), L_PASS);
}

static void arp(struct program *p, bool is_egress)
{
    if (is_egress) {
        load_bytes(p, WIRE_ARP_SPA, KEY_V4, 4);
    } else {
        /* A new owner's announcement must come in, or our own cache stays wrong. */
        load_bytes(p, WIRE_ARP_OP, SCRATCH, 2);
        read(p, BPF_H, BPF_REG_1, BPF_REG_10, SCRATCH);
        jump_if(p, BPF_JNE, BPF_REG_1, htons(WIRE_ARP_REQUEST), L_PASS);
        load_bytes(p, WIRE_ARP_SPA, OTHER, 4);
        load_bytes(p, WIRE_ARP_TPA, KEY_V4, 4);
        read(p, BPF_W, BPF_REG_1, BPF_REG_10, OTHER);
        read(p, BPF_W, BPF_REG_2, BPF_REG_10, KEY_V4);
        jump(p, BPF_JMP | BPF_JEQ | BPF_X, BPF_REG_1, BPF_REG_2, 0, L_PASS);
    }
    go(p, L_V4_KEY);
}

static void resolve(struct program *p)
{
    for (size_t i = 0; i < p->jump_count; i++) {
        size_t at = p->jumps[i].at, to = p->labels[p->jumps[i].to];
        assert(to > at); /* forward only */
        p->out[at].off = (int16_t)(to - at - 1);
    }
}

size_t fence_program(bool is_egress, int vips_fd, int slots_fd,
                     struct bpf_insn out[FENCE_PROGRAM_MAX])
{
    struct program program = {.out = out}, *p = &program;
    dispatch(p);
    arp(p, is_egress);

    label(p, L_V4);
    load_bytes(p, is_egress ? WIRE_IPV4_SOURCE : WIRE_IPV4_DEST, KEY_V4, 4);
    label(p, L_V4_KEY);
    emit(p, BPF_ST | BPF_DW | BPF_MEM, BPF_REG_10, 0, KEY, 0);
    emit(p, BPF_ST | BPF_W | BPF_MEM, BPF_REG_10, 0, KEY_V4_MARK, (int32_t)htonl(0xffff));
    check(p, vips_fd, slots_fd, L_PASS);

    label(p, L_V6);
    load_bytes(p, is_egress ? WIRE_IPV6_SOURCE : WIRE_IPV6_DEST, KEY, 16);
    check(p, vips_fd, slots_fd, L_NDP);
    label(p, L_NDP);
    load_bytes(p, WIRE_IPV6_NEXT, SCRATCH, 1);
    read(p, BPF_B, BPF_REG_1, BPF_REG_10, SCRATCH);
    jump_if(p, BPF_JNE, BPF_REG_1, WIRE_ICMP6, L_PASS);
    load_bytes(p, WIRE_NDP, SCRATCH, 1);
    read(p, BPF_B, BPF_REG_1, BPF_REG_10, SCRATCH);
    jump_if(p, BPF_JNE, BPF_REG_1, is_egress ? WIRE_NA : WIRE_NS, L_PASS);
    load_bytes(p, WIRE_NDP_TARGET, KEY, 16);
    check(p, vips_fd, slots_fd, L_PASS);

    label(p, L_PASS);
    move(p, BPF_REG_0, NEXT);
    emit(p, BPF_JMP | BPF_EXIT, 0, 0, 0, 0);
    label(p, L_DROP);
    move(p, BPF_REG_0, DROP);
    emit(p, BPF_JMP | BPF_EXIT, 0, 0, 0, 0);
    resolve(p);
    return p->n;
}
