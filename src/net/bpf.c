/* SPDX-License-Identifier: MIT */
#include "bpf.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

static int call(int command, union bpf_attr *attr)
{
    long r = syscall(SYS_bpf, command, attr, sizeof(*attr));
    return r < 0 ? -errno : (int)r;
}

static uint64_t pointer(const void *p)
{
    return (uint64_t)(uintptr_t)p;
}

int bpf_map_create(uint32_t type, uint32_t key_size, uint32_t value_size, uint32_t entries,
                   uint32_t flags, const char *name)
{
    union bpf_attr attr;
    memset(&attr, 0, sizeof(attr)); /* the kernel refuses padding that is not 0 */
    attr.map_type = type;
    attr.key_size = key_size;
    attr.value_size = value_size;
    attr.max_entries = entries;
    attr.map_flags = flags;
    snprintf(attr.map_name, sizeof(attr.map_name), "%s", name);
    return call(BPF_MAP_CREATE, &attr);
}

int bpf_program_load(const struct bpf_insn *code, size_t n, const char *name)
{
    union bpf_attr attr;
    memset(&attr, 0, sizeof(attr));
    attr.prog_type = BPF_PROG_TYPE_SCHED_CLS;
    attr.insns = pointer(code);
    attr.insn_cnt = (uint32_t)n;
    attr.license = pointer("MIT"); /* no helper used is reserved for the GPL */
    snprintf(attr.prog_name, sizeof(attr.prog_name), "%s", name);
    return call(BPF_PROG_LOAD, &attr);
}

int bpf_program_by_id(uint32_t id)
{
    union bpf_attr attr;
    memset(&attr, 0, sizeof(attr));
    attr.prog_id = id;
    return call(BPF_PROG_GET_FD_BY_ID, &attr);
}

int bpf_map_update(int fd, const void *key, const void *value)
{
    union bpf_attr attr;
    memset(&attr, 0, sizeof(attr));
    attr.map_fd = (uint32_t)fd;
    attr.key = pointer(key);
    attr.value = pointer(value);
    attr.flags = BPF_ANY;
    return call(BPF_MAP_UPDATE_ELEM, &attr);
}

int bpf_map_delete(int fd, const void *key)
{
    union bpf_attr attr;
    memset(&attr, 0, sizeof(attr));
    attr.map_fd = (uint32_t)fd;
    attr.key = pointer(key);
    return call(BPF_MAP_DELETE_ELEM, &attr);
}

static int attach(int command, int fd, int ifindex, uint32_t attach_type, uint32_t flags)
{
    union bpf_attr attr;
    memset(&attr, 0, sizeof(attr));
    attr.target_fd = (uint32_t)ifindex; /* tcx takes the ifindex in this place */
    attr.attach_bpf_fd = (uint32_t)fd;
    attr.attach_type = attach_type;
    attr.attach_flags = flags;
    return call(command, &attr);
}

int bpf_program_attach(int fd, int ifindex, uint32_t attach_type)
{
    return attach(BPF_PROG_ATTACH, fd, ifindex, attach_type, BPF_ATTACH_BEFORE);
}

int bpf_program_detach(int fd, int ifindex, uint32_t attach_type)
{
    return attach(BPF_PROG_DETACH, fd, ifindex, attach_type, 0);
}

int bpf_program_query(int ifindex, uint32_t attach_type, uint32_t ids[BPF_PROGRAMS_MAX],
                      uint32_t *ret_n)
{
    union bpf_attr attr;
    memset(&attr, 0, sizeof(attr));
    attr.query.target_fd = (uint32_t)ifindex;
    attr.query.attach_type = attach_type;
    attr.query.prog_ids = pointer(ids);
    attr.query.prog_cnt = BPF_PROGRAMS_MAX;
    int r = call(BPF_PROG_QUERY, &attr);
    if (r == 0)
        *ret_n = attr.query.prog_cnt;
    return r;
}

int bpf_program_name(int fd, char out[BPF_OBJ_NAME_LEN + 1])
{
    struct bpf_prog_info info = {0};
    union bpf_attr attr;
    memset(&attr, 0, sizeof(attr));
    attr.info.bpf_fd = (uint32_t)fd;
    attr.info.info_len = sizeof(info);
    attr.info.info = pointer(&info);
    int r = call(BPF_OBJ_GET_INFO_BY_FD, &attr);
    if (r < 0)
        return r;
    memcpy(out, info.name, BPF_OBJ_NAME_LEN);
    out[BPF_OBJ_NAME_LEN] = '\0';
    return 0;
}
