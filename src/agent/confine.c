/* SPDX-License-Identifier: MIT */
/* System calls that neither the agent nor anything it starts has a use for, refused by the kernel
 * from here on (seccomp(2)). A list of what is forbidden, not of what is allowed: health checks
 * and hooks are programs of the administrator's and inherit it. */
#include "state.h"

#include <errno.h>
#include <seccomp.h>

/* By what a break-in would want: other processes, other kernels and modules, the file tree, the
 * clock, other namespaces, keys, and interfaces whose bugs are the way to root. */
static const int forbidden[] = {
#ifndef __SANITIZE_ADDRESS__ /* whose search for leaks traces us */
    SCMP_SYS(ptrace),
#endif
    SCMP_SYS(process_vm_readv),
    SCMP_SYS(process_vm_writev),
    SCMP_SYS(kcmp),
    SCMP_SYS(pidfd_getfd),
    SCMP_SYS(kexec_load),
    SCMP_SYS(kexec_file_load),
    SCMP_SYS(init_module),
    SCMP_SYS(finit_module),
    SCMP_SYS(delete_module),
    SCMP_SYS(mount),
    SCMP_SYS(umount2),
    SCMP_SYS(pivot_root),
    SCMP_SYS(chroot),
    SCMP_SYS(move_mount),
    SCMP_SYS(open_tree),
    SCMP_SYS(fsopen),
    SCMP_SYS(fsmount),
    SCMP_SYS(fspick),
    SCMP_SYS(mount_setattr),
    SCMP_SYS(swapon),
    SCMP_SYS(swapoff),
    SCMP_SYS(reboot),
    SCMP_SYS(settimeofday),
    SCMP_SYS(clock_settime),
    SCMP_SYS(clock_adjtime),
    SCMP_SYS(adjtimex),
    SCMP_SYS(unshare),
    SCMP_SYS(setns),
    SCMP_SYS(add_key),
    SCMP_SYS(request_key),
    SCMP_SYS(keyctl),
    SCMP_SYS(open_by_handle_at),
    SCMP_SYS(userfaultfd),
    SCMP_SYS(perf_event_open),
    SCMP_SYS(io_uring_setup),
    SCMP_SYS(fanotify_init),
    SCMP_SYS(lookup_dcookie),
    SCMP_SYS(acct),
    SCMP_SYS(quotactl),
    SCMP_SYS(personality),
    SCMP_SYS(syslog),
    SCMP_SYS(vhangup),
};

int confine(void)
{
    scmp_filter_ctx filter = seccomp_init(SCMP_ACT_ALLOW);
    if (!filter)
        return -ENOMEM;
    int r = 0;
    for (size_t i = 0; r == 0 && i < sizeof(forbidden) / sizeof(forbidden[0]); i++)
        if (forbidden[i] >= 0) /* below: this architecture has no such call */
            r = seccomp_rule_add(filter, SCMP_ACT_ERRNO(EPERM), forbidden[i], 0);
    /* Sets no_new_privs as well: nothing that is started gets more rights than the agent. */
    if (r == 0)
        r = seccomp_load(filter);
    seccomp_release(filter);
    return r;
}
