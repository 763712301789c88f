/* SPDX-License-Identifier: MIT */
/* What this host itself knows of a VIP, out of its kernel: its own addresses and its neighbour
 * cache. Nothing is sent, and no right is needed. */
#ifndef TALOSVIP_CLI_HERE_H
#define TALOSVIP_CLI_HERE_H

#include "cluster/cluster.h"

struct here;

/* NULL when the kernel does not let us look. */
struct here *here_open(void);
/* Takes NULL. */
void here_close(struct here *here);
/* Tells the cluster what is known of each VIP of `s` on a link of this host, as node "(here)";
 * nothing where this host is a node with an agent itself, or shares no link. Takes NULL. */
void here_tell(struct here *here, const struct snapshot *s, struct cluster *cluster);

#endif
