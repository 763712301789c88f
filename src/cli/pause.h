/* SPDX-License-Identifier: MIT */
/* pause and resume are the same words, with and without a reason. */
#ifndef TALOSVIP_CLI_PAUSE_H
#define TALOSVIP_CLI_PAUSE_H

#include "arguments.h"
#include "ask_local.h"
#include "connection.h"

#include "cli/exit.h"

#include <stdbool.h>

/* First in both option tables; resume has no PAUSE_REASON. */
enum { PAUSE_NODE, PAUSE_LOCAL, PAUSE_SOCKET, PAUSE_REASON };

#define PAUSE_OPTIONS(node_help_)                                                                  \
    {.name = "node",                                                                               \
     .kind = OPTION_STRING,                                                                        \
     .metavar = "NODE",                                                                            \
     .help = node_help_,                                                                           \
     .is_alone = true},                                                                            \
        ASK_LOCAL_OPTIONS

enum exit_code pause_run(const struct arguments *arguments, bool is_resume);

#endif
