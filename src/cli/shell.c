/* SPDX-License-Identifier: MIT */
#include "shell.h"

#include "shell_line.h"
#include "shell_run.h"

#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <readline/history.h>
#include <readline/readline.h>

#define HISTORY_MAX 5000
#define PACE_US UINT64_C(100000)
#define MATCHES_MAX 1024

/* Readline has one state for the whole process, and its callbacks no argument. */
static struct {
    const struct shell_prompt *prompt;
    const char *history_path;
    struct look *look;
    char *line;
    bool is_over, is_shown;
} shell;

/* ---- completion ---- */

/* As one word of a line: what would end it, or begin a command, is quoted. Owned by the caller. */
static char *quote(const char *text, size_t len)
{
    char *word = malloc(2 * len + 1), *out = word;
    for (size_t i = 0; word && i < len; i++) {
        if (strchr(" |#\"'\\", text[i]))
            *out++ = '\\';
        *out++ = text[i];
    }
    if (word)
        *out = '\0';
    return word;
}

static int is_quoted(char *text, int at)
{
    return at > 0 && text[at - 1] == '\\' && !is_quoted(text, at - 1);
}

/* The matches as readline wants them: what they share first, NULL behind the last. */
static char **to_matches(const char *lines)
{
    char **matches = calloc(MATCHES_MAX + 2, sizeof(*matches));
    size_t n = 0, shared = 0;
    if (!matches)
        return NULL;
    for (const char *line = lines; *line && *line != ':' && n < MATCHES_MAX;
         line += strcspn(line, "\n") + 1) {
        char *word = quote(line, strcspn(line, "\t\n"));
        if (!word)
            break;
        matches[++n] = word;
        if (n == 1)
            shared = strlen(word);
        while (n > 1 && strncmp(matches[1], word, shared) != 0)
            shared--;
    }
    if (n > 0)
        matches[0] = strndup(matches[1], shared);
    if (n == 0 || !matches[0]) {
        for (size_t i = 1; i <= n; i++)
            free(matches[i]);
        free(matches);
        return NULL;
    }
    if (n == 1) { /* one match stands alone */
        free(matches[1]);
        matches[1] = NULL;
    }
    return matches;
}

static char **complete(const char *text, int start, int end)
{
    struct shell_line line;
    struct buf out;
    char typed[SHELL_LINE_MAX];
    (void)start;
    snprintf(typed, sizeof(typed), "%.*s", end, rl_line_buffer);
    if (shell_line_read(typed, &line) < 0 || line.pipe || line.n + 1 >= SHELL_WORDS_MAX)
        return NULL; /* files */
    if (!line.is_open)
        line.words[line.n++] = (char[]){""};
    buf_init(&out, 0);
    if (line.n == 1)
        for (const struct shell_word *w = shell_words; w->name; w++)
            complete_add(&out, text, w->name, w->summary);
    if (line.n == 2 && strcmp(line.words[0], "use") == 0)
        shell.prompt->values(shell.prompt->arg, "VIP", line.words[1], &out);
    complete_line((const char *const *)line.words, line.n, shell.prompt->values, shell.prompt->arg,
                  &out);
    rl_attempted_completion_over = strstr(buf_str(&out), ":0\n") == NULL;
    char **matches = to_matches(buf_str(&out));
    buf_done(&out);
    return matches;
}

/* ---- history ---- */

/* A leading space keeps a line out, and so does being the same as the one before. */
static void remember(const char *line)
{
    HIST_ENTRY *last = history_length ? history_get(history_base + history_length - 1) : NULL;
    if (!*line || *line == ' ' || (last && strcmp(last->line, line) == 0))
        return;
    add_history(line);
    if (shell.history_path && append_history(1, shell.history_path) == ENOENT)
        write_history(shell.history_path);
}

void shell_begin(const struct shell_prompt *prompt, const char *history_path)
{
    shell.prompt = prompt;
    shell.history_path = history_path;
    rl_readline_name = "talosvip";
    rl_catch_signals = 0; /* the loop has them */
    rl_attempted_completion_function = complete;
    rl_basic_word_break_characters = " \t\n\"'|";
    rl_completer_quote_characters = "\"'";
    rl_char_is_quoted_p = is_quoted;
    using_history();
    stifle_history(HISTORY_MAX);
    if (!history_path)
        return;
    mode_t mask = umask(077);
    read_history(history_path);
    umask(mask);
}

void shell_end(void)
{
    if (shell.history_path)
        history_truncate_file(shell.history_path, HISTORY_MAX);
}

/* ---- the prompt ---- */

static void on_line(char *line)
{
    rl_callback_handler_remove(); /* the terminal is an ordinary one while a command runs */
    shell.is_shown = false;
    shell.line = line;
    shell.is_over = line == NULL;
    loop_stop(shell.look->loop);
}

static void on_key(void *arg, int fd, unsigned what)
{
    (void)arg;
    (void)fd;
    (void)what;
    if (shell.is_shown)
        rl_callback_read_char();
}

static void show_prompt(const struct snapshot *s)
{
    struct buf prompt;
    buf_init(&prompt, 0);
    shell.prompt->write(shell.prompt->arg, s, &prompt);
    if (!shell.is_shown) {
        rl_callback_handler_install(buf_str(&prompt), on_line);
        shell.is_shown = true;
    } else if (strcmp(buf_str(&prompt), rl_prompt ? rl_prompt : "") != 0) {
        rl_clear_visible_line();
        rl_set_prompt(buf_str(&prompt));
        rl_on_new_line();
        rl_redisplay();
    }
    buf_done(&prompt);
}

static bool on_snapshot(void *arg, const struct snapshot *before, const struct snapshot *after)
{
    struct buf news;
    (void)arg;
    buf_init(&news, 0);
    if (before)
        shell.prompt->news(shell.prompt->arg, before, after, &news);
    if (news.len > 0) {
        rl_clear_visible_line();
        fputs(buf_str(&news), stdout);
        fflush(stdout);
        rl_on_new_line();
        rl_redisplay();
    }
    buf_done(&news);
    show_prompt(after);
    return true;
}

/* What was typed so far is dropped, as in any shell. */
static void clear_line(void)
{
    if (shell.is_shown) {
        rl_free_line_state();
        rl_callback_sigcleanup();
        rl_crlf();
        rl_callback_handler_remove();
        shell.is_shown = false;
    }
}

char *shell_read(struct look *look)
{
    struct loop_io *keys = NULL;
    shell.look = look;
    shell.line = NULL;
    shell.is_over = false;
    if (loop_io_new(look->loop, STDIN_FILENO, LOOP_READ, on_key, NULL, &keys) < 0)
        return NULL;
    show_prompt(look->has_before ? &look->before : NULL);
    while (!shell.line && !shell.is_over) {
        look->signal = 0;
        look_follow(look, PACE_US, 0, on_snapshot, NULL);
        if (look->signal == SIGINT)
            clear_line();
        else if (look->signal || look->error)
            break;
        if (!shell.line && !shell.is_over)
            show_prompt(look->has_before ? &look->before : NULL);
    }
    if (shell.is_shown)
        rl_callback_handler_remove();
    shell.is_shown = false;
    loop_io_free(keys);
    if (shell.line)
        remember(shell.line);
    return shell.line;
}
