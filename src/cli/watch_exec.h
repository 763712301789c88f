/* SPDX-License-Identifier: MIT */
/* A command of the user's for each event, one after the other. */
#ifndef TALOSVIP_CLI_WATCH_EXEC_H
#define TALOSVIP_CLI_WATCH_EXEC_H

#include "base/loop.h"
#include "cluster/events.h"

struct watch_exec;

/* `command` goes to /bin/sh; borrowed. 0, -ENOMEM, -errno. */
int watch_exec_new(struct loop *loop, const char *command, struct watch_exec **ret_exec);
/* Leaves what runs alone, and forgets what waits. Takes NULL. */
void watch_exec_free(struct watch_exec *exec);
/* Starts it, or lets it wait for those before it; false: too many wait, and it is dropped. */
bool watch_exec_add(struct watch_exec *exec, const struct event *event);
/* Runs the loop until nothing runs or waits, it is stopped, or `deadline_us` (clock_now_us()) has
 * come. Returns how many events still wait. */
unsigned watch_exec_drain(struct watch_exec *exec, uint64_t deadline_us);

#endif
