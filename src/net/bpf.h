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
#define BPF_ATTACH_AFTER (1u << 4)
#define BPF_ATTACH_ID (1u << 5) /* before or after the program of this id */
#define BPF_PROGRAMS_MAX 64     /* of one tcx hook */

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
/* A program's id and name. */
int bpf_program_info(int fd, uint32_t *ret_id, char ret_name[BPF_OBJ_NAME_LEN + 1]);

/* What is on a hook, in the order in which it runs. */
struct bpf_hook {
    uint64_t revision; /* another one after every change */
    uint32_t n;
    uint32_t programs[BPF_PROGRAMS_MAX]; /* their ids */
    uint32_t links[BPF_PROGRAMS_MAX];    /* of the BPF links that hold them; 0: none does */
};

/* Asks for CAP_NET_ADMIN alone, as the next one does. */
int bpf_hook_read(int ifindex, uint32_t attach_type, struct bpf_hook *ret_hook);
/* Detaches the program at `at`, without opening it. -ESTALE or -ENOENT when the hook is not as it
 * was read. */
int bpf_hook_detach(int ifindex, uint32_t attach_type, const struct bpf_hook *hook, uint32_t at);

#endif
