/* SPDX-License-Identifier: MIT */
/* The two BPF programs of the packet fence, assembled by hand: no compiler, no library. */
#ifndef TALOSVIP_NET_FENCE_PROGRAM_H
#define TALOSVIP_NET_FENCE_PROGRAM_H

#include <linux/bpf.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* One program for each way through a link. */
enum { FENCE_INGRESS, FENCE_EGRESS, FENCE_SIDES };
extern const struct fence_side {
    const char *name; /* by which leftovers are recognized */
    uint32_t attach_type;
} fence_sides[FENCE_SIDES];

#define FENCE_PROGRAM_MAX 192

/* `vips_fd`: hash of 16-byte address (IPv4 as ::ffff:a.b.c.d) -> u32 slot; `slots_fd`: array of
 * u64. Returns the number of instructions. */
size_t fence_program(bool is_egress, int vips_fd, int slots_fd,
                     struct bpf_insn out[FENCE_PROGRAM_MAX]);

#endif
