/* SPDX-License-Identifier: MIT */
/* The same commands, one after the other, over one connection. */
#include "complete_snapshot.h"
#include "complete_values.h"
#include "look.h"
#include "plain.h"
#include "shell.h"
#include "shell_run.h"
#include "table.h"

#include "base/text.h"
#include "cluster/events.h"

#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define HISTORY 20

enum { KEEP_GOING, CONNECTION };

static const struct option options[] = {
    [KEEP_GOING] = {.name = "keep-going",
                    .kind = OPTION_FLAG,
                    .help = "a script: go on behind a line that failed"},
    [CONNECTION] = CONNECTION_OPTIONS,
    {.name = NULL},
};

static const struct habit habits[] = {CONNECTION_HABITS, {NULL, NULL, NULL}};

static const struct example examples[] = {
    {"shell", "the same commands over one connection, with completion"},
    {"shell --keep-going <moves.txt", "a line after the other"},
    {NULL, NULL},
};

struct session {
    struct look look;
    struct shell_state state;
};

/* A character, not only a colour, says what is wrong. */
static char sign_of(const struct snapshot *s)
{
    const struct snapshot_alert *worst = s ? snapshot_worst(s) : NULL;
    if (!s || s->age_us < 0 || s->etcd.state == SNAPSHOT_ETCD_UNREACHABLE ||
        s->etcd.state == SNAPSHOT_ETCD_NO_QUORUM)
        return '~';
    return worst && worst->severity == SNAPSHOT_CRIT ? '!' : '>';
}

static void write_prompt(void *arg, const struct snapshot *s, struct buf *out)
{
    const struct session *session = arg;
    text_add_plain(out, s && s->cluster[0] ? s->cluster : "talosvip");
    if (session->state.vip[0])
        buf_printf(out, " %s", session->state.vip);
    buf_printf(out, "%c ", sign_of(s));
}

/* Alerts as they come and go; the rest is for `watch`. */
static void write_news(void *arg, const struct snapshot *before, const struct snapshot *after,
                       struct buf *out)
{
    struct event *events = malloc(EVENTS_MAX * sizeof(*events));
    size_t n = events ? events_between(before, after, events) : 0;
    (void)arg;
    for (size_t i = 0; i < n; i++)
        if (events[i].kind == EVENT_RAISED || events[i].kind == EVENT_CLEARED) {
            buf_printf(out, "%s  ",
                       events[i].kind == EVENT_CLEARED
                           ? "cleared"
                           : snapshot_severity_word(events[i].severity));
            text_add_plain(out, events[i].text);
            buf_putc(out, '\n');
        }
    free(events);
}

static void values(void *arg, const char *what, const char *prefix, struct buf *out)
{
    const struct session *session = arg;
    if (session->look.has_before)
        complete_snapshot(&session->look.before, what, prefix, out);
    if (strcmp(what, "VIP") != 0 && strcmp(what, "NODE") != 0)
        complete_values(NULL, what, prefix, out);
}

/* With a terminal: until the end of input, whatever single lines come to. */
static enum exit_code talk(struct session *session)
{
    const struct shell_prompt prompt = {write_prompt, write_news, values, session};
    struct buf path;
    struct snapshot s;
    buf_init(&path, 0);
    bool has_path = connection_state_path("shell_history", &path) == 0;
    if (has_path)
        connection_make_folders(buf_str(&path));
    shell_begin(&prompt, has_path ? buf_str(&path) : NULL);
    if (look_once(&session->look, &s) == EXIT_DONE) {
        look_complain(&session->look, &s);
        plain_print(
            stdout,
            "talosvip %s, cluster %s, %u %s. Tab completes, help lists commands, Ctrl-D leaves.\n",
            TALOSVIP_VERSION, s.cluster[0] ? s.cluster : "?", s.n_vips,
            s.n_vips == 1 ? "VIP" : "VIPs");
        session->look.before = s;
        session->look.has_before = true;
    }
    while (!session->state.is_over) {
        char *line = shell_read(&session->look);
        if (!line)
            break;
        shell_run(&session->state, line);
        free(line);
    }
    if (!session->state.is_over)
        putchar('\n');
    shell_end();
    buf_done(&path);
    return session->look.signal == SIGINT ? EXIT_DONE : look_ended(&session->look);
}

/* Without one: no banner, no prompt, and an end at the first line that fails. */
static enum exit_code obey(struct session *session, bool keeps_going)
{
    char *line = NULL;
    size_t size = 0;
    enum exit_code code = EXIT_DONE;
    while (!session->state.is_over && getline(&line, &size, stdin) >= 0) {
        enum exit_code this = shell_run(&session->state, line);
        bool has_failed = this != EXIT_DONE && this != EXIT_DEGRADED; /* warnings: an answer */
        if (has_failed || code == EXIT_DONE)
            code = this;
        if (has_failed && !keeps_going)
            break;
    }
    free(line);
    return code;
}

static enum exit_code run(const struct arguments *arguments)
{
    struct session session = {.state.vip = ""};
    enum exit_code code = look_open(arguments, HISTORY, &session.look);
    if (code != EXIT_DONE)
        return code;
    look_keep(&session.look);
    if (isatty(STDIN_FILENO) && isatty(STDOUT_FILENO))
        code = talk(&session);
    else
        code = obey(&session, arguments->values[KEEP_GOING].origin == FROM_FLAG);
    look_keep(NULL);
    look_close(&session.look);
    return code;
}

const struct command cmd_shell = {
    .name = "shell",
    .group = "Look",
    .summary = "the same commands over one connection, with completion",
    .usage = "[--keep-going] [connection flags]",
    .examples = examples,
    .options = options,
    .habits = habits,
    .run = run,
};
