/* SPDX-License-Identifier: MIT */
#include "table.h"

#include "cli/command.h"

#include <errno.h>
#include <string.h>

const struct command *const command_table[] = {
    &cmd_status, &cmd_top,        &cmd_watch, &cmd_history,  &cmd_shell,   &cmd_resign,
    &cmd_pause,  &cmd_resume,     &cmd_peers, &cmd_validate, &cmd_explain, &cmd_run,
    &cmd_config, &cmd_completion, &cmd_help,  &cmd_version,  NULL};
const char *const command_groups[] = {"Look", "Change", "Check", "Agent", "Other", NULL};

#define COMMANDS (sizeof(command_table) / sizeof(command_table[0]) - 1)

const struct command *command_find(const char *name)
{
    for (size_t i = 0; i < COMMANDS; i++)
        if (strcmp(command_table[i]->name, name) == 0)
            return command_table[i];
    return NULL;
}

void command_unknown(const char *name, struct complaint *ret_complaint)
{
    const char *names[COMMANDS];
    for (size_t i = 0; i < COMMANDS; i++)
        names[i] = command_table[i]->name;
    complaint_set(ret_complaint, "unknown command \"%.100s\"", name);
    if (!complaint_suggest(ret_complaint, name, "", names, COMMANDS))
        complaint_hint(ret_complaint, "talosvip help lists them");
}

static enum exit_code complain(const struct complaint *complaint, int error)
{
    if (error == -ENOMEM) {
        fputs("talosvip: out of memory\n", stderr);
        return EXIT_BUG;
    }
    complaint_print(complaint);
    return EXIT_USAGE;
}

enum exit_code command_run(const struct command *command, int argc, char *const argv[])
{
    struct complaint complaint = {.what = ""};
    struct arguments arguments;
    int r = arguments_parse(command->options, command->habits, command->words_max, argc, argv,
                            &arguments, &complaint);
    if (r < 0)
        return complain(&complaint, r);
    enum exit_code code = EXIT_DONE;
    if (arguments.wants_help)
        help_command(stdout, command);
    else
        code = command->run(&arguments);
    arguments_done(&arguments);
    return code;
}

/* What stands in front of a command's name, or in its place. */
static enum exit_code run_flag(const char *word)
{
    struct complaint complaint = {.what = ""};
    if (strcmp(word, "-h") == 0 || strcmp(word, "--help") == 0) {
        help_overview(stdout);
        return EXIT_DONE;
    }
    if (strcmp(word, "--version") == 0 || strcmp(word, "-V") == 0)
        return command_run(&cmd_version, 0, NULL);
    complaint_set(&complaint, "unknown flag %.100s", word);
    complaint_hint(&complaint, "the command comes first, its flags after it: talosvip help");
    return complain(&complaint, -EINVAL);
}

/* A full disk behind stdout must not look like success. */
static enum exit_code close_stdout(enum exit_code code)
{
    if (fflush(stdout) == 0 && !ferror(stdout))
        return code;
    fprintf(stderr, "talosvip: cannot write the output: %s\n", strerror(errno));
    return code == EXIT_DONE ? EXIT_UNKNOWN : code;
}

int command_main(int argc, char *const argv[])
{
    struct complaint complaint = {.what = ""};
    if (argc < 2) {
        help_overview(stderr);
        return EXIT_USAGE;
    }
    if (argv[1][0] == '-')
        return (int)close_stdout(run_flag(argv[1]));
    const struct command *command = command_find(argv[1]);
    if (strcmp(argv[1], cmd_complete.name) == 0)
        command = &cmd_complete;
    if (strcmp(argv[1], cmd_man.name) == 0)
        command = &cmd_man;
    if (!command) {
        command_unknown(argv[1], &complaint);
        return (int)complain(&complaint, -EINVAL);
    }
    return (int)close_stdout(command_run(command, argc - 2, argv + 2));
}
