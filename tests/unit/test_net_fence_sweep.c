/* SPDX-License-Identifier: MIT */
/* What an agent does about the programs of a dead one: with every right, and with those of a
 * container. Node 0 is the host. */
#include <errno.h>
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>
#include <linux/capability.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "../../src/net/bpf.h"
#include "../../src/net/fence_sweep.h"
#include "net/fence.h"
#include "net_ns.h"

static struct net_ns ns;
static char folder[] = "/tmp/talosvip-sweep.XXXXXX";
static char record[64];
static int strangers[3]; /* programs of somebody else */

static int load_stranger(void)
{
    const struct bpf_insn pass[] = {
        {.code = BPF_ALU64 | BPF_MOV | BPF_K, .dst_reg = 0, .imm = -1},
        {.code = BPF_JMP | BPF_EXIT},
    };
    return bpf_program_load(pass, 2, "somebody");
}

static int setup(void **state)
{
    (void)state;
    strcpy(strrchr(folder, '.'), ".XXXXXX");
    if (!net_ns_setup(&ns) || !mkdtemp(folder))
        return -1;
    snprintf(record, sizeof(record), "%s/fence", folder);
    for (int i = 0; i < 3; i++)
        if ((strangers[i] = load_stranger()) < 0)
            return -1;
    return 0;
}

static int teardown(void **state)
{
    (void)state;
    for (int i = 0; i < 3; i++)
        close(strangers[i]);
    net_ns_done(&ns); /* its links go, and all that is on them */
    unlink(record);
    return rmdir(folder);
}

/* An agent, with its guardian, that comes, attaches and is killed. */
static void live_and_die(const char *where)
{
    int status;
    pid_t child = fork();
    if (child == 0) {
        struct fence *f;
        const char *reason;
        if (fence_open(where, &f, &reason) < 0 || fence_note(f) < 0 ||
            fence_attach(f, ns.ifindex[0]) < 0)
            _exit(1);
        raise(SIGKILL);
    }
    assert_int_equal(waitpid(child, &status, 0), child);
    assert_true(WIFSIGNALED(status));
}

static void keep_rights(void)
{
    struct __user_cap_header_struct header = {.version = _LINUX_CAPABILITY_VERSION_3};
    struct __user_cap_data_struct data[2] = {{0}};
    data[0].effective = data[0].permitted = 1u << CAP_NET_ADMIN;
    data[1].effective = data[1].permitted = 1u << (CAP_BPF - 32);
    if (syscall(SYS_capset, &header, data) < 0)
        _exit(EINVAL);
}

static unsigned swept;

/* The next agent, of few rights: opens, notes, attaches, closes. 0 or errno, of fence_open(). */
static int live_in_container(void)
{
    int status, told[2];
    assert_int_equal(pipe(told), 0);
    pid_t child = fork();
    if (child == 0) {
        struct fence *f;
        const char *reason = NULL;
        keep_rights();
        int r = fence_open(record, &f, &reason);
        if (r < 0)
            _exit(reason && strstr(reason, "CAP_SYS_ADMIN") ? -r : EINVAL);
        unsigned n = fence_swept(f);
        if (fence_note(f) < 0 || fence_attach(f, ns.ifindex[0]) < 0 || access(record, F_OK) < 0 ||
            write(told[1], &n, sizeof(n)) < 0)
            _exit(EINVAL);
        fence_close(f);
        _exit(0);
    }
    close(told[1]);
    swept = 0;
    (void)!read(told[0], &swept, sizeof(swept));
    close(told[0]);
    assert_int_equal(waitpid(child, &status, 0), child);
    assert_true(WIFEXITED(status));
    return WEXITSTATUS(status);
}

static void hooks(struct bpf_hook ret_hooks[FENCE_SIDES])
{
    for (int i = 0; i < FENCE_SIDES; i++)
        assert_int_equal(bpf_hook_read(ns.ifindex[0], fence_sides[i].attach_type, &ret_hooks[i]),
                         0);
}

static void assert_left(uint32_t in, uint32_t out)
{
    struct bpf_hook now[FENCE_SIDES];
    hooks(now);
    assert_int_equal(now[FENCE_INGRESS].n, in);
    assert_int_equal(now[FENCE_EGRESS].n, out);
}

static void test_clean(void **state)
{
    (void)state;
    assert_int_equal(live_in_container(), 0);
    assert_int_equal(swept, 0);
    assert_left(0, 0);
    assert_int_equal(access(record, F_OK), -1); /* it goes with the fence */
}

static void test_noted(void **state)
{
    (void)state;
    live_and_die(record);
    assert_left(1, 1);
    assert_int_equal(access(record, F_OK), 0);
    assert_int_equal(live_in_container(), 0);
    assert_int_equal(swept, 2);
    assert_left(0, 0);
    assert_int_equal(access(record, F_OK), -1);
}

/* What cannot be told from a leftover is neither taken off nor ignored. */
static void test_not_noted(void **state)
{
    struct fence *f;
    const char *reason;
    (void)state;
    live_and_die(NULL);
    for (int i = 0; i < 2; i++) {
        assert_int_equal(live_in_container(), EPERM);
        assert_left(1, 1);
    }
    assert_int_equal(fence_open(record, &f, &reason), 0); /* by name */
    assert_int_equal(fence_swept(f), 2);
    assert_left(0, 0);
    fence_close(f);
}

/* The note is of a fence that is gone; what is there now was not noted. */
static void test_outdated_note(void **state)
{
    const struct fence_record old = {{1, 2}};
    struct fence_record noted, swapped;
    (void)state;
    live_and_die(record);
    assert_int_equal(fence_record_read(record, &noted), 0);
    swapped.ids[FENCE_INGRESS] = noted.ids[FENCE_EGRESS];
    swapped.ids[FENCE_EGRESS] = noted.ids[FENCE_INGRESS];
    assert_int_equal(fence_record_write(record, &old), 0);
    assert_int_equal(live_in_container(), EPERM);
    assert_int_equal(fence_record_write(record, &swapped), 0);
    assert_int_equal(live_in_container(), EPERM);
    assert_left(1, 1);
    assert_int_equal(fence_record_write(record, &noted), 0);
    assert_int_equal(live_in_container(), 0);
    assert_left(0, 0);
}

static int attach_stranger(int at, uint32_t flags)
{
    const uint32_t what[8] = {(uint32_t)ns.ifindex[0], (uint32_t)strangers[at],
                              BPF_ATTACH_TCX_INGRESS, flags};
    return syscall(SYS_bpf, BPF_PROG_ATTACH, what, sizeof(what)) < 0 ? -errno : 0;
}

static uint32_t stranger_id(int at)
{
    char name[BPF_OBJ_NAME_LEN + 1];
    uint32_t id = 0;
    assert_int_equal(bpf_program_info(strangers[at], &id, name), 0);
    return id;
}

/* Wherever ours stands among others it is the one that goes; these are then still in doubt. */
static void test_among_strangers(void **state)
{
    struct bpf_hook now[FENCE_SIDES];
    (void)state;
    for (int before = 0; before <= 3; before++) {
        live_and_die(record);
        /* Those that come later stand before it, at the front, or at the end. */
        for (int i = 0; i < 3; i++)
            assert_int_equal(attach_stranger(i, i < before ? BPF_ATTACH_BEFORE : BPF_ATTACH_AFTER),
                             0);
        assert_left(4, 1);
        assert_int_equal(live_in_container(), EPERM);
        assert_left(3, 0);
        hooks(now);
        for (int i = 0; i < 3; i++) {
            uint32_t want = stranger_id(i < before ? before - 1 - i : i);
            assert_int_equal(now[FENCE_INGRESS].programs[i], want);
        }
        for (int i = 0; i < 3; i++)
            assert_int_equal(
                bpf_program_detach(strangers[i], ns.ifindex[0], BPF_ATTACH_TCX_INGRESS), 0);
        unlink(record);
    }
}

static int hold_by_link(int fd)
{
    union bpf_attr attr;
    memset(&attr, 0, sizeof(attr));
    attr.link_create.prog_fd = (uint32_t)fd;
    attr.link_create.target_fd = (uint32_t)ns.ifindex[0];
    attr.link_create.attach_type = BPF_ATTACH_TCX_INGRESS;
    attr.link_create.flags = BPF_ATTACH_BEFORE;
    long r = syscall(SYS_bpf, BPF_LINK_CREATE, &attr, sizeof(attr));
    return r < 0 ? -errno : (int)r;
}

/* A program that a BPF link holds, as other agents of a node have, cannot be ours, whatever it is
 * called, and cannot be detached in this way. */
static void test_beside_links(void **state)
{
    const struct bpf_insn pass[] = {
        {.code = BPF_ALU64 | BPF_MOV | BPF_K, .dst_reg = 0, .imm = -1},
        {.code = BPF_JMP | BPF_EXIT},
    };
    struct bpf_hook now[FENCE_SIDES];
    struct fence *f;
    const char *reason;
    (void)state;
    live_and_die(record);
    int fd = bpf_program_load(pass, 2, "talosvip_in");
    int links[2] = {hold_by_link(strangers[0]), hold_by_link(fd)};
    assert_true(links[0] >= 0 && links[1] >= 0);
    assert_left(3, 1);
    hooks(now);
    assert_int_equal(bpf_hook_detach(ns.ifindex[0], BPF_ATTACH_TCX_INGRESS, &now[FENCE_INGRESS], 0),
                     -EBUSY);
    assert_int_equal(live_in_container(), 0);
    assert_int_equal(swept, 2);
    assert_left(2, 0);
    assert_int_equal(fence_open(NULL, &f, &reason), 0);
    assert_int_equal(fence_swept(f), 0);
    assert_left(2, 0);
    fence_close(f);
    close(links[0]), close(links[1]), close(fd);
    assert_left(0, 0);
}

/* Somebody was there between the look and the deed: then nothing is done. */
static void test_changed_hook(void **state)
{
    struct bpf_hook seen[FENCE_SIDES];
    (void)state;
    live_and_die(record);
    hooks(seen);
    assert_int_equal(attach_stranger(0, BPF_ATTACH_BEFORE), 0);
    assert_int_equal(
        bpf_hook_detach(ns.ifindex[0], BPF_ATTACH_TCX_INGRESS, &seen[FENCE_INGRESS], 0), -ESTALE);
    assert_left(2, 1);
    hooks(seen);
    assert_int_equal(
        bpf_hook_detach(ns.ifindex[0], BPF_ATTACH_TCX_INGRESS, &seen[FENCE_INGRESS], 1), 0);
    assert_left(1, 1);
}

/* Even if it was empty in between, and counts anew to the same revision. */
static void test_hook_made_anew(void **state)
{
    struct bpf_hook seen[FENCE_SIDES], now[FENCE_SIDES];
    (void)state;
    live_and_die(record);
    hooks(seen);
    assert_int_equal(
        bpf_hook_detach(ns.ifindex[0], BPF_ATTACH_TCX_INGRESS, &seen[FENCE_INGRESS], 0), 0);
    assert_int_equal(attach_stranger(0, BPF_ATTACH_BEFORE), 0);
    hooks(now);
    assert_int_equal(now[FENCE_INGRESS].revision, seen[FENCE_INGRESS].revision);
    assert_int_equal(
        bpf_hook_detach(ns.ifindex[0], BPF_ATTACH_TCX_INGRESS, &seen[FENCE_INGRESS], 0), -ENOENT);
    assert_left(1, 1);
}

/* The guardian, of few rights, ends the fence of a dead agent and its note. */
static void test_guardian_takes_the_note(void **state)
{
    struct fence *f;
    const char *reason;
    int status;
    (void)state;
    assert_int_equal(fence_open(record, &f, &reason), 0);
    assert_int_equal(fence_note(f), 0);
    assert_int_equal(fence_attach(f, ns.ifindex[0]), 0);
    pid_t guardian = fork();
    if (guardian == 0) {
        keep_rights();
        fence_close(f);
        _exit(0);
    }
    fence_forget(f);
    assert_int_equal(waitpid(guardian, &status, 0), guardian);
    assert_left(0, 0);
    assert_int_equal(access(record, F_OK), -1);
}

/* A note that cannot be written is told of; one that was never made is not removed. */
static void test_no_place_for_the_note(void **state)
{
    char nowhere[96];
    struct fence *f;
    const char *reason;
    (void)state;
    snprintf(nowhere, sizeof(nowhere), "%s/a/b/fence", folder);
    assert_int_equal(fence_open(nowhere, &f, &reason), 0);
    assert_int_equal(fence_note(f), -ENOENT);
    fence_close(f);
    assert_int_equal(fence_open_plain(&f), 0);
    assert_int_equal(fence_note(f), 0);
    assert_int_equal(fence_swept(f), 0);
    fence_close(f);
}

static const char *why_not(void)
{
    const char *reason = net_ns_why_not();
    struct fence *f;
    if (reason)
        return reason;
    if (!net_ns_setup(&ns))
        return "cannot set up the network namespaces";
    int r = fence_open(NULL, &f, &reason);
    if (r == 0)
        fence_close(f);
    net_ns_done(&ns);
    return r == 0 ? NULL : reason;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_clean, setup, teardown),
        cmocka_unit_test_setup_teardown(test_noted, setup, teardown),
        cmocka_unit_test_setup_teardown(test_not_noted, setup, teardown),
        cmocka_unit_test_setup_teardown(test_outdated_note, setup, teardown),
        cmocka_unit_test_setup_teardown(test_among_strangers, setup, teardown),
        cmocka_unit_test_setup_teardown(test_beside_links, setup, teardown),
        cmocka_unit_test_setup_teardown(test_changed_hook, setup, teardown),
        cmocka_unit_test_setup_teardown(test_hook_made_anew, setup, teardown),
        cmocka_unit_test_setup_teardown(test_guardian_takes_the_note, setup, teardown),
        cmocka_unit_test_setup_teardown(test_no_place_for_the_note, setup, teardown),
    };
    const char *reason = why_not();
    if (reason) {
        printf("SKIP: net_fence_sweep: %s\n", reason);
        return 0;
    }
    return cmocka_run_group_tests(tests, NULL, NULL);
}
