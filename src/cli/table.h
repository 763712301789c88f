/* SPDX-License-Identifier: MIT */
/* A command is a constant in a file of its own; the table of them is in command.c. */
#ifndef TALOSVIP_CLI_TABLE_H
#define TALOSVIP_CLI_TABLE_H

#include "arguments.h"
#include "manual.h"

#include "cli/exit.h"

#include <stdio.h>

struct example {
    const char *line; /* without the program's name; NULL ends a list */
    const char *what;
};

struct command {
    const char *name;
    const char *group; /* of command_groups */
    const char *summary;
    const char *usage; /* what follows the name */
    const struct example *examples;
    const struct option *options;
    const struct habit *habits; /* or NULL */
    size_t words_max;           /* that are no flags */
    const char *word;           /* what these stand for, as in `usage`: "VIP"; or NULL */
    const char *const *verbs;   /* what the first one may be, NULL-terminated; or NULL */
    enum exit_code (*run)(const struct arguments *arguments);
};

extern const struct command cmd_run, cmd_status, cmd_top, cmd_watch, cmd_history, cmd_shell,
    cmd_resign, cmd_pause, cmd_resume, cmd_peers, cmd_validate, cmd_explain, cmd_config,
    cmd_completion, cmd_help, cmd_version;

/* All commands in the order of the help; NULL-terminated. */
extern const struct command *const command_table[];
/* NULL-terminated. */
extern const char *const command_groups[];

/* Not in the table, for no person types them: the scripts of the shells and of the manual do. */
extern const struct command cmd_complete, cmd_man;

/* By exact name; NULL when there is none. */
const struct command *command_find(const char *name);
/* The one line, and a guess, for a name that is no command. */
void command_unknown(const char *name, struct complaint *ret_complaint);

/* Runs it with the words behind its name. */
enum exit_code command_run(const struct command *command, int argc, char *const argv[]);

/* cmd_explain.c: every check and alert, a line each. */
void explain_list(void);

/* cmd_help.c: topic `i` of `help` that is no command, counted from 0, and what it is about; NULL
 * behind the last. */
const char *help_topic(size_t i, char ret_name[MANUAL_NAME_MAX], const char **ret_what);

/* help.c: the help as text on `out`. */
void help_overview(FILE *out);
void help_command(FILE *out, const struct command *command);

#endif
