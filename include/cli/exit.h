/* SPDX-License-Identifier: MIT */
/* The exit codes: one table for the whole program, and a promise to scripts. */
#ifndef TALOSVIP_CLI_EXIT_H
#define TALOSVIP_CLI_EXIT_H

#include <stddef.h>

enum exit_code {
    EXIT_DONE = 0,
    EXIT_NO = 1,
    EXIT_USAGE = 2,
    EXIT_DEGRADED = 3,
    EXIT_UNKNOWN = 4,
    EXIT_PERMISSION = 5,
    EXIT_BUG = 70,
    EXIT_SIGHUP = 129,
    EXIT_SIGINT = 130,
    EXIT_SIGTERM = 143,
};

struct exit_meaning {
    enum exit_code code;
    const char *meaning;
};

/* All of them, ascending; static. */
const struct exit_meaning *exit_table(size_t *ret_n);

#endif
