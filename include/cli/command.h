/* SPDX-License-Identifier: MIT */
/* The command line. */
#ifndef TALOSVIP_CLI_COMMAND_H
#define TALOSVIP_CLI_COMMAND_H

/* Finds the command, runs it, and returns the exit code of the program (cli/exit.h). Whatever
 * name the program was started by (talosvip, vip), it is the same. */
int command_main(int argc, char *const argv[]);

#endif
