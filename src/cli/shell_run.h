/* SPDX-License-Identifier: MIT */
/* What a line of the shell does: a command of the program, or one of the few that only the shell
 * has. */
#ifndef TALOSVIP_CLI_SHELL_RUN_H
#define TALOSVIP_CLI_SHELL_RUN_H

#include "cli/exit.h"
#include "table.h"

#include <stdbool.h>

struct shell_state {
    char vip[64];        /* that `use` chose; "" none */
    bool is_over;        /* exit, quit, or the end of input */
    enum exit_code code; /* of the last line */
};

/* Runs one line; what went wrong was told. */
enum exit_code shell_run(struct shell_state *state, const char *line);
/* The shell's own commands, for completion and help; ends with a NULL name. */
struct shell_word {
    const char *name, *summary;
};
extern const struct shell_word shell_words[];

#endif
