/* SPDX-License-Identifier: MIT */
/* The values that completion cannot know from tables. */
#ifndef TALOSVIP_CLI_COMPLETE_VALUES_H
#define TALOSVIP_CLI_COMPLETE_VALUES_H

#include "base/buf.h"

/* A complete_values_fn; `arg` is not used. VIP and NODE from this node's agent, else from what was
 * remembered in the last 30 s, else from etcd; CAUSE, CONTEXT from their tables, IF from the
 * kernel. What does not answer within 0.3 s gives nothing. */
void complete_values(void *arg, const char *what, const char *prefix, struct buf *out);

#endif
