/* SPDX-License-Identifier: MIT */
/* Lines from a person at a terminal, by readline: the only file that knows it. */
#ifndef TALOSVIP_CLI_SHELL_H
#define TALOSVIP_CLI_SHELL_H

#include "cli/exit.h"
#include "complete.h"
#include "look.h"

struct shell_prompt {
    /* The prompt as it is to be now, into `out`. */
    void (*write)(void *arg, const struct snapshot *s, struct buf *out);
    /* What is to be said above it, a line for each; nothing is fine. */
    void (*news)(void *arg, const struct snapshot *before, const struct snapshot *after,
                 struct buf *out);
    complete_values_fn values;
    void *arg;
};

/* Sets readline up, and reads the lines of earlier times from `history_path` (NULL: none). */
void shell_begin(const struct shell_prompt *prompt, const char *history_path);
/* Waits for a line while the cluster is followed; owned by the caller, NULL at the end of input
 * or when a signal other than SIGINT came (look->signal). SIGINT clears what was typed. */
char *shell_read(struct look *look);
void shell_end(void);

#endif
