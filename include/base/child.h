/* SPDX-License-Identifier: MIT */
/* Commands run beside the loop: started, watched by pidfd, ended in time, reaped; the loop never
 * waits for one.
 *
 * A command gets a session and a process group of its own, no terminal, /dev/null as its input, no
 * other descriptor, ordinary scheduling, default signals, and no ambient capability; all of its
 * group is killed when it ends. What it is to leave running must start a session of its own. */
#ifndef TALOSVIP_BASE_CHILD_H
#define TALOSVIP_BASE_CHILD_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/loop.h"

#define CHILD_OUTPUT_MAX 256 /* bytes kept, the last ones */
#define CHILD_DYING_MAX 2    /* of one `arg`: killed, and not dead yet */

struct children;
struct child;

struct child_end {
    bool is_timed_out;
    int signal;         /* that ended it; 0 = it exited */
    int status;         /* of its exit; 127: the command could not be run */
    const char *output; /* the last of it, not NUL-terminated; for the call only */
    size_t output_len;
};

struct child_config {
    const char *const *command;     /* NULL-terminated; [0] is a path */
    const char *const *environment; /* NULL-terminated, all of it */
    uint64_t timeout_us;            /* then SIGTERM ... */
    uint64_t grace_us;              /* ... and SIGKILL after this; 0: SIGKILL at once */
    bool has_output;                /* keep the last of stdout and stderr; else /dev/null */
    bool ends_with_parent;          /* killed when this process dies */
    void (*on_end)(void *arg, const struct child_end *end);
    void *arg;
};

/* 0 or -errno. */
int children_new(struct loop *loop, struct children **ret_children);
/* Kills all that still run, without a word. Takes NULL. */
void children_free(struct children *children);

/* Nothing of `config` is needed after the call but what on_end() uses, which is called when the
 * command has ended, or is killed at its limit: then it may die later, or never (a process that
 * hangs in the kernel), and is reaped when it does. 0 or -errno, then on_end() is not called;
 * -EBUSY: CHILD_DYING_MAX commands of this `arg` are killed, and not dead yet. */
int child_start(struct children *children, const struct child_config *config,
                struct child **ret_child);
/* In words, what child_start() returned. */
const char *child_error(int error);
/* Kills it; on_end() is not called any more, and the handle is void. Not after on_end(). Takes
 * NULL. */
void child_stop(struct child *child);

#endif
