/* SPDX-License-Identifier: MIT */
/* Takes the programs that dead agents left off the links of this network namespace. */
#ifndef TALOSVIP_NET_FENCE_SWEEP_H
#define TALOSVIP_NET_FENCE_SWEEP_H

#include "fence_record.h"

/* Knows them by name; `record` serves where names may not be read (CAP_SYS_ADMIN). Takes off all
 * that it knows even if it fails. *ret_n: how many, set in any case. 0 or -errno: -EPERM when there
 * are programs that it cannot tell from ours. */
int fence_sweep(const struct fence_record *record, unsigned *ret_n);

#endif
