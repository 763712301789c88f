/* SPDX-License-Identifier: MIT */
#include "pager.h"

#include "complaint.h"

#include <errno.h>
#include <fcntl.h>
#include <spawn.h>
#include <stdio.h>
#include <stdio_ext.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#define COMMAND_MAX 1024
#define WORDS_MAX 32
#define SPACE " \t\n"
#define SHELL_CHARACTERS "|&;<>()$`\\\"'*?[#~=%"
#define LESS "less -FIRX"

extern char **environ;

struct words {
    char text[COMMAND_MAX];
    char *list[WORDS_MAX + 1];
};

static const char *chosen(bool *ret_is_default)
{
    const char *command = getenv("TALOSVIP_PAGER");
    if (!command)
        command = getenv("PAGER");
    *ret_is_default = !command;
    return command ? command : LESS;
}

/* False for no pager: it is empty, `cat`, or too long to be one. */
static bool split(const char *command, struct words *ret_words)
{
    size_t n = 0;
    char *rest = NULL;
    if (strlen(command) >= COMMAND_MAX)
        return false;
    strcpy(ret_words->text, command);
    if (command[strcspn(command, SHELL_CHARACTERS)]) {
        char *const shell[] = {"/bin/sh", "-c", ret_words->text, NULL};
        memcpy(ret_words->list, shell, sizeof(shell));
        return true;
    }
    for (char *word = strtok_r(ret_words->text, SPACE, &rest); word && n < WORDS_MAX;
         word = strtok_r(NULL, SPACE, &rest))
        ret_words->list[n++] = word;
    ret_words->list[n] = NULL;
    return n > 0 && strcmp(ret_words->list[0], "cat") != 0;
}

/* 0 or -errno. The pager has the signals of a program that a person started. */
static int spawn(char *const argv[], int input, pid_t *ret_pid)
{
    posix_spawn_file_actions_t files;
    posix_spawnattr_t attributes;
    sigset_t signals;
    sigemptyset(&signals);
    sigaddset(&signals, SIGINT);
    sigaddset(&signals, SIGQUIT);
    sigaddset(&signals, SIGPIPE);
    if (posix_spawn_file_actions_init(&files) != 0)
        return -ENOMEM;
    if (posix_spawnattr_init(&attributes) != 0) {
        posix_spawn_file_actions_destroy(&files);
        return -ENOMEM;
    }
    posix_spawnattr_setsigdefault(&attributes, &signals);
    posix_spawnattr_setflags(&attributes, POSIX_SPAWN_SETSIGDEF);
    int error = posix_spawn_file_actions_adddup2(&files, input, STDIN_FILENO);
    if (error == 0)
        error = posix_spawnp(ret_pid, argv[0], &files, &attributes, argv, environ);
    posix_spawnattr_destroy(&attributes);
    posix_spawn_file_actions_destroy(&files);
    return -error;
}

/* Starts it, and puts the pipe to it where stdout was. 0 or -errno; then stdout is as before. */
static int start(struct pager *pager, char *const argv[])
{
    int ends[2];
    int kept = fcntl(STDOUT_FILENO, F_DUPFD_CLOEXEC, STDERR_FILENO + 1);
    if (kept < 0)
        return -errno;
    int r = pipe2(ends, O_CLOEXEC) < 0 ? -errno : 0;
    if (r == 0) {
        r = spawn(argv, ends[0], &pager->pid);
        if (r == 0 && dup2(ends[1], STDOUT_FILENO) < 0)
            r = -errno;
        close(ends[0]);
        close(ends[1]);
    }
    if (r < 0)
        close(kept);
    else
        pager->stdout = kept;
    return r;
}

static void ignore_signals(struct pager *pager)
{
    struct sigaction action = {.sa_handler = SIG_IGN};
    sigaction(SIGINT, &action, &pager->interrupt);
    sigaction(SIGQUIT, &action, &pager->quit);
    sigaction(SIGPIPE, &action, &pager->pipe);
}

static void restore_signals(const struct pager *pager)
{
    sigaction(SIGINT, &pager->interrupt, NULL);
    sigaction(SIGQUIT, &pager->quit, NULL);
    sigaction(SIGPIPE, &pager->pipe, NULL);
}

void pager_open(struct pager *ret_pager, bool is_wanted)
{
    struct words words;
    bool is_default;
    const char *term = getenv("TERM"), *command = chosen(&is_default);
    ret_pager->pid = 0;
    if (!is_wanted || isatty(STDOUT_FILENO) != 1 || (term && strcmp(term, "dumb") == 0))
        return;
    if (!split(command, &words))
        return;
    /* A plain `less` would hold up a text that fits on the screen. */
    setenv("LESS", "FIRX", 0);
    fflush(stdout);
    ignore_signals(ret_pager);
    int r = start(ret_pager, words.list);
    if (r == 0)
        return;
    restore_signals(ret_pager);
    ret_pager->pid = 0;
    if (!is_default) {
        struct complaint c = {.what = ""};
        complaint_set(&c, "cannot start the pager %.100s: %s", words.list[0], strerror(-r));
        complaint_print(&c);
    }
}

void pager_close(struct pager *pager)
{
    if (pager->pid == 0)
        return;
    int status;
    /* Left before the end: no failure, and nothing for the terminal. */
    if (fflush(stdout) != 0 || ferror(stdout)) {
        __fpurge(stdout);
        clearerr(stdout);
    }
    dup2(pager->stdout, STDOUT_FILENO);
    close(pager->stdout);
    while (waitpid(pager->pid, &status, 0) < 0 && errno == EINTR)
        ;
    pager->pid = 0;
    restore_signals(pager);
}
