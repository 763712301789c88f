/* SPDX-License-Identifier: MIT */
/* Which BPF programs are those of the packet fence: a note for the next agent, which may not be
 * allowed to ask the kernel for their names. A program's id is the kernel's until it is freed, and
 * comes again only after 2^31 others, or after a reboot. */
#ifndef TALOSVIP_NET_FENCE_RECORD_H
#define TALOSVIP_NET_FENCE_RECORD_H

#include <stdint.h>

#include "fence_program.h"

struct fence_record {
    uint32_t ids[FENCE_SIDES]; /* 0: not known */
};

/* What the file says. `boot`: the boot_id of the kernel that runs. 0, -EBADMSG, or -ESTALE when it
 * was written under another. */
int fence_record_parse(const char *text, const char *boot, struct fence_record *ret_record);
/* 0, -ENOENT, -EPERM when somebody else could have written it, -errno, or as above. */
int fence_record_read(const char *path, struct fence_record *ret_record);
/* In one step; makes the folder, too. 0 or -errno. */
int fence_record_write(const char *path, const struct fence_record *record);

#endif
