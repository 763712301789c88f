/* SPDX-License-Identifier: MIT */
#include "bpf.h"

#include <errno.h>
#include <stdbool.h>
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

/* As the kernel has it since 6.6; the headers' union ends before what tcx added. */
struct tcx_change {
    uint32_t ifindex, program_fd, attach_type, flags, replaced_fd, relative_id;
    uint64_t revision; /* 0: whatever it is */
};

struct tcx_query {
    uint32_t ifindex, attach_type, query_flags, attach_flags;
    uint64_t programs;
    uint32_t n, reserved;
    uint64_t program_flags, links, link_flags, revision;
};

static int change(int command, const struct tcx_change *what)
{
    long r = syscall(SYS_bpf, command, what, sizeof(*what));
    return r < 0 ? -errno : 0;
}

int bpf_program_attach(int fd, int ifindex, uint32_t attach_type)
{
    const struct tcx_change what = {.ifindex = (uint32_t)ifindex,
                                    .program_fd = (uint32_t)fd,
                                    .attach_type = attach_type,
                                    .flags = BPF_ATTACH_BEFORE};
    return change(BPF_PROG_ATTACH, &what);
}

int bpf_program_detach(int fd, int ifindex, uint32_t attach_type)
{
    const struct tcx_change what = {
        .ifindex = (uint32_t)ifindex, .program_fd = (uint32_t)fd, .attach_type = attach_type};
    return change(BPF_PROG_DETACH, &what);
}

int bpf_hook_read(int ifindex, uint32_t attach_type, struct bpf_hook *ret_hook)
{
    struct bpf_hook hook = {.n = 0};
    struct tcx_query query = {.ifindex = (uint32_t)ifindex,
                              .attach_type = attach_type,
                              .programs = pointer(hook.programs),
                              .n = BPF_PROGRAMS_MAX,
                              .links = pointer(hook.links)};
    if (syscall(SYS_bpf, BPF_PROG_QUERY, &query, sizeof(query)) < 0)
        return -errno;
    hook.n = query.n;
    hook.revision = query.revision;
    *ret_hook = hook;
    return 0;
}

/* No descriptor: then a place is meant, before or after a program that is named by its id; and
 * before the first one is the first one itself, as after the last is the last. So at the ends it is
 * the program that is named, and in between the one before it, where the revision proves the rest.
 * (The revision alone does not: it begins anew once a hook was empty.) */
int bpf_hook_detach(int ifindex, uint32_t attach_type, const struct bpf_hook *hook, uint32_t at)
{
    bool is_first = at == 0, is_last = at + 1 == hook->n;
    const struct tcx_change what = {
        .ifindex = (uint32_t)ifindex,
        .attach_type = attach_type,
        .flags = (is_first ? BPF_ATTACH_BEFORE : BPF_ATTACH_AFTER) | BPF_ATTACH_ID,
        .relative_id = hook->programs[is_first || is_last ? at : at - 1],
        .revision = hook->revision};
    return change(BPF_PROG_DETACH, &what);
}

int bpf_program_info(int fd, uint32_t *ret_id, char ret_name[BPF_OBJ_NAME_LEN + 1])
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
    *ret_id = info.id;
    memcpy(ret_name, info.name, BPF_OBJ_NAME_LEN);
    ret_name[BPF_OBJ_NAME_LEN] = '\0';
    return 0;
}
