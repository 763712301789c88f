/* SPDX-License-Identifier: MIT */
/* The two BPF programs of the packet fence, assembled by hand: no compiler, no library. */
#ifndef TALOSVIP_NET_FENCE_PROGRAM_H
#define TALOSVIP_NET_FENCE_PROGRAM_H

#include <linux/bpf.h>
#include <stdbool.h>
#include <stddef.h>

#define FENCE_PROGRAM_MAX 192

/* `vips_fd`: hash of 16-byte address (IPv4 as ::ffff:a.b.c.d) -> u32 slot; `slots_fd`: array of
 * u64. Returns the number of instructions. */
size_t fence_program(bool is_egress, int vips_fd, int slots_fd,
                     struct bpf_insn out[FENCE_PROGRAM_MAX]);

#endif
