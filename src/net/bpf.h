/* SPDX-License-Identifier: MIT */
/* The few operations of bpf(2) that the packet fence needs. All return -errno. */
#ifndef TALOSVIP_NET_BPF_H
#define TALOSVIP_NET_BPF_H

#include <linux/bpf.h>
#include <stddef.h>
#include <stdint.h>

/* Since Linux 6.6; the headers of Debian 12 do not name them. */
enum { BPF_ATTACH_TCX_INGRESS = 46, BPF_ATTACH_TCX_EGRESS = 47 };
#define BPF_ATTACH_BEFORE (1u << 3)
#define BPF_PROGRAMS_MAX 64 /* of one tcx hook */

/* These give a CLOEXEC file descriptor. `name` at most 15 letters. */
int bpf_map_create(uint32_t type, uint32_t key_size, uint32_t value_size, uint32_t entries,
                   uint32_t flags, const char *name);
int bpf_program_load(const struct bpf_insn *code, size_t n, const char *name);
int bpf_program_by_id(uint32_t id);

int bpf_map_update(int fd, const void *key, const void *value);
int bpf_map_delete(int fd, const void *key);
/* As the first program of that hook. */
int bpf_program_attach(int fd, int ifindex, uint32_t attach_type);
int bpf_program_detach(int fd, int ifindex, uint32_t attach_type);
/* The ids of the programs on a hook. */
int bpf_program_query(int ifindex, uint32_t attach_type, uint32_t ids[BPF_PROGRAMS_MAX],
                      uint32_t *ret_n);
int bpf_program_name(int fd, char out[BPF_OBJ_NAME_LEN + 1]);

#endif
