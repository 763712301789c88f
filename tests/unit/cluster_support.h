/* SPDX-License-Identifier: MIT */
/* Snapshots from tests/unit/cluster/, and golden texts beside them. */
#ifndef TALOSVIP_TESTS_CLUSTER_SUPPORT_H
#define TALOSVIP_TESTS_CLUSTER_SUPPORT_H

#include "base/buf.h"
#include "cluster/snapshot.h"

/* Fails the test when it cannot be read. */
void support_read(const char *name, struct buf *out);
void support_snapshot(const char *name, struct snapshot *ret_snapshot);
/* Compares with the file `name`; with GENERATE=1 in the environment writes it anew. */
void support_golden(const char *name, const struct buf *text);

#endif
