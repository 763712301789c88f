/* SPDX-License-Identifier: MIT */
#include "shell_run.h"
#include "shell_line.h"

#include "base/ip.h"

#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdio_ext.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

const struct shell_word shell_words[] = {
    {"use", "the VIP that commands are about from now on; without one, all of them"},
    {"exit", "leave"},
    {"quit", "leave"},
    {NULL, NULL},
};

static enum exit_code usage(const char *what, const char *hint)
{
    struct complaint c = {.what = ""};
    complaint_set(&c, "%s", what);
    if (hint)
        complaint_hint(&c, "%s", hint);
    complaint_print(&c);
    return EXIT_USAGE;
}

static enum exit_code use(struct shell_state *state, const struct shell_line *line)
{
    struct complaint c = {.what = ""};
    struct ip ip;
    if (line->n > 2)
        return usage("use takes one VIP", NULL);
    if (line->n == 2 && ip_parse(line->words[1], &ip) < 0) {
        complaint_set(&c, "\"%.100s\" is not an IP address", line->words[1]);
        complaint_print(&c);
        return EXIT_USAGE;
    }
    state->vip[0] = '\0';
    if (line->n == 2) {
        char text[IP_TEXT_MAX];
        ip_format(&ip, text);
        snprintf(state->vip, sizeof(state->vip), "%s", text);
    }
    return EXIT_DONE;
}

/* Whether the chosen VIP is not meant: there is a word that is no flag, or a flag that takes none.
 */
static bool is_elsewhere(const struct command *command, char *const words[], size_t n)
{
    for (size_t i = 0; i < n; i++) {
        const struct option *option = NULL;
        char name[64];
        if (words[i][0] != '-' || !words[i][1])
            return true;
        bool is_long = strncmp(words[i], "--", 2) == 0, is_joined = strchr(words[i], '=') != NULL;
        snprintf(name, sizeof(name), "%.*s", (int)strcspn(words[i], "=") - 2, words[i] + 2);
        if (is_long)
            option = option_by_name(command->options, name);
        else if (!words[i][2])
            option = option_by_letter(command->options, words[i][1]);
        if (option && option->is_alone)
            return true;
        if (option && option->kind != OPTION_FLAG && !is_joined)
            i++;
    }
    return false;
}

static enum exit_code run_command(struct shell_state *state, struct shell_line *line)
{
    struct complaint c = {.what = ""};
    const struct command *command = command_find(line->words[0]);
    if (!command) {
        command_unknown(line->words[0], &c);
        complaint_print(&c);
        return EXIT_USAGE;
    }
    if (strcmp(command->name, "shell") == 0 || strcmp(command->name, "run") == 0)
        return usage("that command is not for the shell", NULL);
    bool is_about_vip = command->word && strcmp(command->word, "VIP") == 0;
    if (state->vip[0] && is_about_vip && !is_elsewhere(command, line->words + 1, line->n - 1) &&
        line->n + 1 < SHELL_WORDS_MAX) {
        line->words[line->n++] = state->vip;
        line->words[line->n] = NULL;
    }
    return command_run(command, (int)line->n - 1, line->words + 1);
}

static enum exit_code run_words(struct shell_state *state, struct shell_line *line)
{
    const char *word = line->words[0];
    if (strcmp(word, "exit") == 0 || strcmp(word, "quit") == 0) {
        state->is_over = true;
        return state->code;
    }
    if (strcmp(word, "use") == 0)
        return use(state, line);
    return run_command(state, line);
}

static pid_t start_program(const char *text, int ret_stdin[2])
{
    if (pipe(ret_stdin) < 0)
        return -1;
    pid_t pid = fork();
    if (pid == 0) {
        signal(SIGINT, SIG_DFL);
        signal(SIGPIPE, SIG_DFL);
        dup2(ret_stdin[0], STDIN_FILENO);
        close(ret_stdin[0]);
        close(ret_stdin[1]);
        execl("/bin/sh", "sh", "-c", text, (char *)NULL);
        _exit(127);
    }
    close(ret_stdin[0]);
    if (pid < 0)
        close(ret_stdin[1]);
    return pid;
}

/* The command writes into the program's stdin; stderr stays the terminal's. */
static enum exit_code run_piped(struct shell_state *state, struct shell_line *line)
{
    const struct sigaction ignored = {.sa_handler = SIG_IGN};
    struct sigaction before;
    int ends[2], status, kept = dup(STDOUT_FILENO);
    fflush(stdout);
    pid_t pid = kept < 0 ? -1 : start_program(line->pipe, ends);
    if (pid < 0) {
        if (kept >= 0)
            close(kept);
        return usage("cannot start the program behind the |", NULL);
    }
    dup2(ends[1], STDOUT_FILENO);
    close(ends[1]);
    sigaction(SIGPIPE, &ignored, &before);
    enum exit_code code = run_words(state, line);
    /* A program that has read enough is no error, and the rest is for nobody else. */
    if (fflush(stdout) != 0 || ferror(stdout)) {
        __fpurge(stdout);
        clearerr(stdout);
    }
    sigaction(SIGPIPE, &before, NULL);
    dup2(kept, STDOUT_FILENO);
    close(kept);
    while (waitpid(pid, &status, 0) < 0 && errno == EINTR)
        ;
    return code;
}

enum exit_code shell_run(struct shell_state *state, const char *text)
{
    struct shell_line line;
    int r = shell_line_read(text, &line);
    if (r == -E2BIG)
        state->code = usage("the line is too long", NULL);
    else if (r < 0)
        state->code = usage("a quote is not closed", NULL);
    else if (line.n > 0)
        state->code = line.pipe ? run_piped(state, &line) : run_words(state, &line);
    else if (line.pipe)
        state->code = usage("nothing stands before the |", NULL);
    fflush(stdout);
    return state->code;
}
