/* SPDX-License-Identifier: MIT */
/* The values that completion cannot know from tables. */
#ifndef TALOSVIP_CLI_COMPLETE_VALUES_H
#define TALOSVIP_CLI_COMPLETE_VALUES_H

#include "base/buf.h"

/* A complete_values_fn; `arg` is not used. VIP and NODE from this node's agent, CONTEXT from the
 * contexts file, IF from the kernel. What does not answer in time gives nothing. */
void complete_values(void *arg, const char *what, const char *prefix, struct buf *out);

#endif
