/* SPDX-License-Identifier: MIT */
/* `status --local`: what this node's agent says of itself. */
#ifndef TALOSVIP_CLI_STATUS_LOCAL_H
#define TALOSVIP_CLI_STATUS_LOCAL_H

#include "cli/exit.h"

#include <stdbool.h>

/* Asks the agent at `socket` and prints its answer, or why there is none. */
enum exit_code status_local(const char *socket, bool is_json);

#endif
