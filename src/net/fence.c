/* SPDX-License-Identifier: MIT */
#include "net/fence.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "bpf.h"
#include "fence_program.h"
#include "fence_sweep.h"
#include "net/link.h"

/* Only one process and one thread allocate VIPs, but several store to the slots. */
struct fence {
    _Atomic uint64_t *slots; /* FENCE_SLOTS, shared with the kernel and across fork() */
    int vips_fd, slots_fd;   /* -1 without programs */
    int program_fds[FENCE_SIDES];
    struct fence_record record; /* of those */
    char *path;                 /* where it is noted; NULL: nowhere */
    unsigned n_swept;
};

#define SLOTS_SIZE (FENCE_SLOTS * sizeof(uint64_t))

static struct fence *fence_new(void)
{
    struct fence *f = calloc(1, sizeof(*f));
    if (!f)
        return NULL;
    f->vips_fd = f->slots_fd = -1;
    for (int i = 0; i < FENCE_SIDES; i++)
        f->program_fds[i] = -1;
    return f;
}

static void close_fd(int fd)
{
    if (fd >= 0)
        close(fd);
}

void fence_forget(struct fence *f)
{
    if (!f)
        return;
    if (f->slots)
        munmap((void *)f->slots, SLOTS_SIZE);
    for (int i = 0; i < FENCE_SIDES; i++)
        close_fd(f->program_fds[i]);
    close_fd(f->vips_fd);
    close_fd(f->slots_fd);
    free(f->path);
    free(f);
}

static int map_slots(struct fence *f)
{
    int flags = f->slots_fd < 0 ? MAP_SHARED | MAP_ANONYMOUS : MAP_SHARED;
    void *at = mmap(NULL, SLOTS_SIZE, PROT_READ | PROT_WRITE, flags, f->slots_fd, 0);
    if (at == MAP_FAILED)
        return -errno;
    f->slots = at;
    return 0;
}

int fence_open_plain(struct fence **ret_fence)
{
    struct fence *f = fence_new();
    int r = f ? map_slots(f) : -ENOMEM;
    if (r < 0) {
        fence_forget(f);
        return r;
    }
    *ret_fence = f;
    return 0;
}

static int create_maps(struct fence *f, const char **ret_reason)
{
    *ret_reason = "the kernel refuses BPF maps (needs CAP_BPF)";
    f->vips_fd =
        bpf_map_create(BPF_MAP_TYPE_HASH, 16, sizeof(uint32_t), FENCE_SLOTS, 0, "talosvip_vips");
    if (f->vips_fd < 0)
        return f->vips_fd;
    f->slots_fd = bpf_map_create(BPF_MAP_TYPE_ARRAY, sizeof(uint32_t), sizeof(uint64_t),
                                 FENCE_SLOTS, BPF_F_MMAPABLE, "talosvip_slots");
    return f->slots_fd < 0 ? f->slots_fd : map_slots(f);
}

static int load_programs(struct fence *f, const char **ret_reason)
{
    struct bpf_insn code[FENCE_PROGRAM_MAX];
    *ret_reason = "the kernel refuses the BPF programs (needs CAP_BPF and CAP_NET_ADMIN)";
    for (int i = 0; i < FENCE_SIDES; i++) {
        size_t n = fence_program(i == FENCE_EGRESS, f->vips_fd, f->slots_fd, code);
        f->program_fds[i] = bpf_program_load(code, n, fence_sides[i].name);
        if (f->program_fds[i] < 0)
            return f->program_fds[i];
        char name[BPF_OBJ_NAME_LEN + 1];
        int r = bpf_program_info(f->program_fds[i], &f->record.ids[i], name);
        if (r < 0)
            return r;
    }
    return 0;
}

/* tcx came with 6.6: before, its attach types are invalid; since, it is the link that is. */
static int check_tcx(const struct fence *f, const char **ret_reason)
{
    *ret_reason = "the kernel has no tcx (needs Linux 6.6)";
    int r = bpf_program_attach(f->program_fds[FENCE_INGRESS], INT32_MAX,
                               fence_sides[FENCE_INGRESS].attach_type);
    return r == -ENODEV ? 0 : r == 0 ? -EPROTO : r;
}

static int sweep(struct fence *f, const char **ret_reason)
{
    struct fence_record left = {{0}};
    if (f->path)
        fence_record_read(f->path, &left); /* without one, names must do */
    int r = fence_sweep(&left, &f->n_swept);
    *ret_reason =
        r == -EPERM ? "a BPF program on a link may be a dead agent's and mute the address; reading "
                      "its name needs CAP_SYS_ADMIN at start"
                    : "cannot look for leftover BPF programs on the links";
    return r;
}

int fence_open(const char *record, struct fence **ret_fence, const char **ret_reason)
{
    struct fence *f = fence_new();
    const char *reason = "out of memory";
    int r = f ? 0 : -ENOMEM;
    if (r == 0 && record) {
        f->path = strdup(record);
        r = f->path ? 0 : -ENOMEM;
    }
    if (r == 0)
        r = create_maps(f, &reason);
    if (r == 0)
        r = load_programs(f, &reason);
    if (r == 0)
        r = check_tcx(f, &reason);
    if (r == 0)
        r = sweep(f, &reason);
    if (r < 0) {
        fence_forget(f);
        *ret_reason = reason;
        return r;
    }
    *ret_fence = f;
    return 0;
}

int fence_note(const struct fence *f)
{
    return fence_is_active(f) && f->path ? fence_record_write(f->path, &f->record) : 0;
}

unsigned fence_swept(const struct fence *f)
{
    return f->n_swept;
}

bool fence_is_active(const struct fence *f)
{
    return f->vips_fd >= 0;
}

/* Asks the namespace for its links, since a process that inherited the fence does not know what
 * was attached after the fork. */
static int detach_all(struct fence *f)
{
    struct netlink *nl;
    struct link *links = NULL;
    size_t n = 0;
    int r = netlink_open(&nl);
    if (r < 0)
        return r;
    r = link_list(nl, &links, &n);
    netlink_close(nl);
    for (size_t i = 0; r >= 0 && i < n; i++) {
        int failed = fence_detach(f, links[i].ifindex);
        r = failed ? failed : r;
    }
    free(links);
    return r;
}

void fence_close(struct fence *f)
{
    if (!f)
        return;
    fence_disarm_all(f); /* harmless even where detaching fails */
    if (fence_is_active(f) && detach_all(f) == 0 && f->path)
        unlink(f->path);
    fence_forget(f);
}

size_t fence_descriptors(const struct fence *f, int out[FENCE_FDS_MAX])
{
    size_t n = 0;
    for (int i = 0; i < FENCE_SIDES; i++)
        if (f->program_fds[i] >= 0)
            out[n++] = f->program_fds[i];
    if (f->vips_fd >= 0)
        out[n++] = f->vips_fd;
    if (f->slots_fd >= 0)
        out[n++] = f->slots_fd;
    return n;
}

int fence_attach(struct fence *f, int ifindex)
{
    for (int i = 0; i < FENCE_SIDES && fence_is_active(f); i++) {
        int r = bpf_program_attach(f->program_fds[i], ifindex, fence_sides[i].attach_type);
        if (r < 0 && r != -EEXIST) {
            fence_detach(f, ifindex);
            return r;
        }
    }
    return 0;
}

int fence_detach(struct fence *f, int ifindex)
{
    int result = 0;
    for (int i = 0; i < FENCE_SIDES && fence_is_active(f); i++) {
        int r = bpf_program_detach(f->program_fds[i], ifindex, fence_sides[i].attach_type);
        if (r < 0 && r != -ENOENT && r != -ENODEV)
            result = r;
    }
    return result;
}

static void make_key(const struct ip *ip, uint8_t key[16])
{
    memcpy(key, ip->bytes, 16);
    if (ip->family == IP_V4) {
        memset(key, 0, 16);
        key[10] = key[11] = 0xff;
        memcpy(key + 12, ip->bytes, 4);
    }
}

int fence_add_vip(struct fence *f, const struct ip *vip, uint32_t slot)
{
    uint8_t key[16];
    if (slot == 0 || slot >= FENCE_SLOTS)
        return -ERANGE;
    fence_disarm(f, slot);
    make_key(vip, key);
    return fence_is_active(f) ? bpf_map_update(f->vips_fd, key, &slot) : 0;
}

int fence_remove_vip(struct fence *f, const struct ip *vip)
{
    uint8_t key[16];
    make_key(vip, key);
    int r = fence_is_active(f) ? bpf_map_delete(f->vips_fd, key) : 0;
    return r == -ENOENT ? 0 : r;
}

void fence_arm(struct fence *f, uint32_t slot)
{
    if (slot > 0 && slot < FENCE_SLOTS)
        atomic_store(&f->slots[slot], FENCE_ARMED);
}

void fence_shut(struct fence *f, uint32_t slot)
{
    if (slot > 0 && slot < FENCE_SLOTS)
        atomic_store(&f->slots[slot], FENCE_SHUT);
}

void fence_disarm(struct fence *f, uint32_t slot)
{
    if (slot > 0 && slot < FENCE_SLOTS)
        atomic_store(&f->slots[slot], FENCE_PASS);
}

void fence_disarm_all(struct fence *f)
{
    for (uint32_t slot = 1; slot < FENCE_SLOTS; slot++)
        fence_disarm(f, slot);
}

bool fence_is_armed(const struct fence *f, uint32_t slot)
{
    return slot > 0 && slot < FENCE_SLOTS && atomic_load(&f->slots[slot]) != FENCE_PASS;
}

_Atomic uint64_t *fence_deadline(struct fence *f)
{
    return &f->slots[0];
}

void fence_set_deadline_us(struct fence *f, uint64_t deadline_us)
{
    atomic_store(&f->slots[0], deadline_us > UINT64_MAX / 1000 ? UINT64_MAX : deadline_us * 1000);
}

uint64_t fence_deadline_us(const struct fence *f)
{
    return atomic_load(&f->slots[0]) / 1000;
}
