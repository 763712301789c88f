/* SPDX-License-Identifier: MIT */
#include "fence_sweep.h"

#include <errno.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "bpf.h"
#include "net/link.h"

#define CHANGES_MAX 256 /* of one hook while we look at it: somebody fights over it */

/* 1: left by an agent, 0: not, -errno. */
static int is_ours(const struct bpf_hook *hook, uint32_t at, int side,
                   const struct fence_record *record)
{
    char name[BPF_OBJ_NAME_LEN + 1];
    uint32_t id = hook->programs[at];
    if (hook->links[at]) /* ours are held by no BPF link */
        return 0;
    int fd = bpf_program_by_id(id);
    if (fd == -ENOENT) /* it has just gone */
        return 0;
    if (fd == -EPERM || fd == -EACCES)
        return id == record->ids[side] ? 1 : -EPERM;
    if (fd < 0)
        return fd;
    int r = bpf_program_info(fd, &id, name);
    close(fd);
    return r < 0 ? r : strcmp(name, fence_sides[side].name) == 0;
}

/* 1 and where, 0 when there is none of ours, -errno when that cannot be told. */
static int find_ours(const struct bpf_hook *hook, int side, const struct fence_record *record,
                     uint32_t *ret_at)
{
    int result = 0;
    for (uint32_t i = 0; i < hook->n; i++) {
        int r = is_ours(hook, i, side, record);
        if (r > 0) {
            *ret_at = i;
            return 1;
        }
        if (r < 0)
            result = r;
    }
    return result;
}

static int sweep_hook(int ifindex, int side, const struct fence_record *record, unsigned *n)
{
    struct bpf_hook hook;
    for (int i = 0; i < CHANGES_MAX; i++) {
        uint32_t at = 0;
        int r = bpf_hook_read(ifindex, fence_sides[side].attach_type, &hook);
        if (r < 0)
            return r == -ENOENT || r == -ENODEV ? 0 : r;
        r = find_ours(&hook, side, record, &at);
        if (r <= 0)
            return r;
        r = bpf_hook_detach(ifindex, fence_sides[side].attach_type, &hook, at);
        if (r == 0)
            ++*n;
        else if (r != -ESTALE && r != -ENOENT && r != -ENODEV) /* look again at what it is now */
            return r;
    }
    return -EBUSY;
}

int fence_sweep(const struct fence_record *record, unsigned *ret_n)
{
    struct netlink *nl;
    struct link *links;
    size_t n;
    *ret_n = 0;
    int r = netlink_open(&nl);
    if (r < 0)
        return r;
    r = link_list(nl, &links, &n);
    netlink_close(nl);
    if (r < 0)
        return r;
    for (size_t i = 0; i < n; i++)
        for (int side = 0; side < FENCE_SIDES; side++) {
            int failed = sweep_hook(links[i].ifindex, side, record, ret_n);
            if (failed)
                r = failed;
        }
    free(links);
    return r;
}
