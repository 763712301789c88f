/* SPDX-License-Identifier: MIT */
#ifndef TALOSVIP_CLI_CMD_VALIDATE_H
#define TALOSVIP_CLI_CMD_VALIDATE_H

#include "cli/exit.h"

#include <stddef.h>

/* `run --check`: validate --host on these files, for people. */
enum exit_code validate_for_run(char *const *files, size_t n);

#endif
