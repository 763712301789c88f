/* SPDX-License-Identifier: MIT */
#include "look.h"
#include "status_local.h"
#include "status_snapshot.h"
#include "table.h"
#include "yaml_print.h"

#include "api/server.h"
#include "cluster/events.h"
#include "cluster/snapshot_json.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

#define OUTPUT_MAX (16u << 20)
#define HISTORY 20
#define PACE_US UINT64_C(200000)

static const char *const formats[] = {"human", "table", "wide", "json", "yaml", "name", NULL};
enum { HUMAN, TABLE, WIDE, JSON, YAML, NAME };

enum {
    OUTPUT,
    WATCH,
    CHECK,
    LOCAL,
    NO_HEADERS,
    COLOR,
    LOCAL_TIME,
    QUIET,
    VERBOSE,
    SOCKET,
    CONNECTION
};

static const struct option options[] = {
    [OUTPUT] = OPTION_OUTPUT(formats, "human", "how to write it"),
    [WATCH] = {.name = "watch",
               .letter = 'w',
               .kind = OPTION_FLAG,
               .help = "again and again: in place on a terminal, else when it changes"},
    [CHECK] = {.name = "check",
               .kind = OPTION_FLAG,
               .help = "one line, and the exit codes of a monitoring plugin"},
    [LOCAL] = {.name = "local",
               .kind = OPTION_FLAG,
               .help = "ask this node's agent; works while etcd is down",
               .is_alone = true},
    [NO_HEADERS] = {.name = "no-headers", .kind = OPTION_FLAG, .help = "tables without heads"},
    [COLOR] = STYLE_COLOR_OPTION,
    [LOCAL_TIME] = {.name = "local-time", .kind = OPTION_FLAG, .help = "not UTC"},
    [QUIET] = LOOK_QUIET_OPTION,
    [VERBOSE] = LOOK_VERBOSE_OPTION,
    [SOCKET] = {.name = "socket",
                .kind = OPTION_FILE,
                .metavar = "PATH",
                .env = {"TALOSVIP_SOCKET"},
                .fallback = API_SOCKET_DEFAULT,
                .help = "of the agent"},
    [CONNECTION] = CONNECTION_OPTIONS,
    {.name = NULL},
};

static const struct habit habits[] = {CONNECTION_HABITS, {NULL, NULL, NULL}};

static const struct example examples[] = {
    {"status", "who holds which address, and does the network agree"},
    {"status 10.0.0.50 -o json", "one address, for programs"},
    {"status --check 10.0.0.50", "for monitoring"},
    {"status --local", "what this node's agent says, also without etcd"},
    {NULL, NULL},
};

struct job {
    size_t format;
    bool is_check, is_quiet;
    struct style style;
    const char *word; /* the VIP as typed; NULL: all */
    struct ip vip;
    bool was_there; /* --watch: it may go and come back */
    unsigned shown; /* how often it was written */
    struct buf out;
    enum exit_code code;
};

static int write_json(const struct snapshot *s, size_t format, struct buf *out)
{
    struct buf json;
    buf_init(&json, OUTPUT_MAX);
    int r = snapshot_write(s, &json);
    if (r == 0 && format == YAML)
        r = yaml_print_json(buf_str(&json), out);
    else if (r == 0)
        r = buf_printf(out, "%s\n", buf_str(&json));
    buf_done(&json);
    return r;
}

/* What was found, in the format that is wanted; 0 or an error. */
static int compose(struct job *job, const struct snapshot *s)
{
    struct buf *out = &job->out;
    job->code = status_code(s);
    if (job->is_check) {
        job->code = (enum exit_code)status_check(s, out);
        return out->error;
    }
    if (job->format == JSON || job->format == YAML)
        return write_json(s, job->format, out);
    if (job->format == NAME)
        status_names(s, out);
    else if (job->format == HUMAN)
        status_human(s, &job->style, out);
    else
        status_table(s, &job->style, job->format == WIDE, out);
    return out->error;
}

/* A plugin's word and its code are one. */
static enum exit_code unknown(const char *why)
{
    printf("VIP UNKNOWN - %s\n", why);
    return EXIT_DEGRADED;
}

static enum exit_code no_vip(const struct job *job, const struct snapshot *s)
{
    char why[160];
    if (!job->is_check)
        return look_no_vip(s, job->word);
    snprintf(why, sizeof(why), "there is no VIP %.100s", job->word);
    return unknown(why);
}

static enum exit_code show(struct job *job, const struct look *look, const struct snapshot *s)
{
    if (compose(job, s) < 0)
        return look_no_memory();
    if (!job->is_quiet)
        fwrite(buf_str(&job->out), 1, job->out.len, stdout);
    fflush(stdout);
    enum exit_code problem = job->is_check ? EXIT_DONE : look_complain(look, s);
    return problem != EXIT_DONE ? problem : job->code;
}

static enum exit_code once(struct job *job, struct look *look)
{
    struct snapshot s;
    enum exit_code code = look_once(look, &s);
    if (code != EXIT_DONE)
        return code;
    if (job->word && s.age_us >= 0 && !snapshot_find_vip(&s, &job->vip)) {
        code = no_vip(job, &s);
    } else {
        if (job->word)
            status_keep(&s, &job->vip);
        if (!job->is_check && !job->is_quiet && (job->format == TABLE || job->format == WIDE))
            look_tell_pauses(&s);
        code = show(job, look, &s);
    }
    snapshot_done(&s);
    return code;
}

/* In place: each line clears what was there before, and the rest of the screen goes. Nothing wraps,
 * and nothing scrolls: what has no room is counted in the last row. */
static void redraw(const struct buf *text)
{
    struct winsize size = {.ws_row = 0};
    const char *line = buf_str(text);
    unsigned n = 0, rows = 24;
    if (ioctl(STDOUT_FILENO, TIOCGWINSZ, &size) == 0 && size.ws_row > 0)
        rows = size.ws_row;
    for (const char *c = line; *c; c++)
        n += *c == '\n';
    fputs("\033[H\033[?7l", stdout);
    for (unsigned i = 0; i < n && i + 1 < rows; i++) {
        size_t len = strcspn(line, "\n");
        printf("%.*s\033[K\n", (int)len, line);
        line += len + 1;
    }
    if (n >= rows)
        printf("%u more lines\033[K", n - (rows - 1));
    fputs("\033[J\033[?7h", stdout);
}

static bool has_changed(const struct snapshot *before, const struct snapshot *after)
{
    struct event *events = malloc(EVENTS_MAX * sizeof(*events));
    size_t n = events ? events_between(before, after, events) : 1;
    free(events);
    return n > 0;
}

static bool on_snapshot(void *arg, const struct snapshot *before, const struct snapshot *after)
{
    struct job *job = arg;
    struct snapshot s;
    struct buf copy;
    bool in_place = job->style.has_cursor && job->format != JSON && job->format != YAML;
    if (!in_place && before && !has_changed(before, after))
        return true;
    /* Only a copy may be narrowed down to one VIP. */
    buf_init(&copy, OUTPUT_MAX);
    int r = snapshot_write(after, &copy);
    if (r == 0)
        r = snapshot_parse(buf_str(&copy), copy.len, &s);
    buf_done(&copy);
    if (r < 0) {
        job->code = look_no_memory();
        return false;
    }
    bool is_missing = job->word && s.age_us >= 0 && !snapshot_find_vip(&s, &job->vip);
    if (is_missing && !job->was_there) {
        job->code = look_no_vip(&s, job->word);
        snapshot_done(&s);
        return false;
    }
    job->was_there = job->was_there || (s.age_us >= 0 && !is_missing);
    if (job->word)
        status_keep(&s, &job->vip);
    buf_clear(&job->out);
    job->style.no_heads = job->style.no_heads || (!in_place && job->shown > 0);
    r = compose(job, &s);
    snapshot_done(&s);
    if (r < 0) {
        job->code = look_no_memory();
        return false;
    }
    if (in_place && job->shown == 0)
        fputs("\033[2J", stdout);
    if (in_place)
        redraw(&job->out);
    else
        fwrite(buf_str(&job->out), 1, job->out.len, stdout);
    job->shown++;
    return fflush(stdout) == 0;
}

static enum exit_code watch(struct job *job, struct look *look)
{
    enum exit_code code = look_follow(look, PACE_US, 0, on_snapshot, job);
    return code != EXIT_DONE ? code : look->signal ? look_ended(look) : job->code;
}

static enum exit_code conflict(const char *what)
{
    struct complaint c = {.what = ""};
    complaint_set(&c, "%s", what);
    return look_fail(EXIT_USAGE, &c);
}

/* "-w table", a habit from etcdctl. */
static bool is_format(const char *word)
{
    for (const char *const *f = formats; word && *f; f++)
        if (strcmp(*f, word) == 0)
            return true;
    return false;
}

static enum exit_code run(const struct arguments *arguments)
{
    const struct argument *values = arguments->values;
    struct job job = {.format = values[OUTPUT].choice,
                      .is_check = values[CHECK].origin == FROM_FLAG,
                      .is_quiet = values[QUIET].origin == FROM_FLAG,
                      .style = style_of(&values[COLOR]),
                      .word = arguments->n_words ? arguments->words[0] : NULL};
    bool is_watch = values[WATCH].origin == FROM_FLAG;
    struct look look;
    job.style.no_heads = values[NO_HEADERS].origin == FROM_FLAG;
    job.style.is_local_time = values[LOCAL_TIME].origin == FROM_FLAG;
    if (is_watch && is_format(job.word)) {
        struct complaint c = {.what = ""};
        complaint_set(&c, "-w means --watch here and takes no value; did you mean -o %s?",
                      job.word);
        return look_fail(EXIT_USAGE, &c);
    }
    if (values[LOCAL].origin == FROM_FLAG) {
        if (is_watch || job.is_check || job.word || (job.format != HUMAN && job.format != JSON))
            return conflict("--local takes no VIP, and of the formats human and json; it goes with "
                            "neither --watch nor --check");
        return status_local(values[SOCKET].text, job.format == JSON);
    }
    if (job.is_check && is_watch)
        return conflict("--check is for one look; it does not go with --watch");
    enum exit_code code = job.word ? look_parse_vip(job.word, &job.vip) : EXIT_DONE;
    if (code == EXIT_DONE)
        code = look_open(arguments, HISTORY, &look);
    if (code != EXIT_DONE)
        return job.is_check ? unknown("see what it says on stderr") : code;
    if (values[VERBOSE].origin == FROM_FLAG)
        look_tell_connection(&look);
    buf_init(&job.out, OUTPUT_MAX);
    code = is_watch ? watch(&job, &look) : once(&job, &look);
    buf_done(&job.out);
    look_close(&look);
    return code;
}

const struct command cmd_status = {
    .name = "status",
    .group = "Look",
    .summary = "who holds which address, and does the network agree",
    .usage = "[VIP] [-o FORMAT] [-w] [--check] [--local]",
    .examples = examples,
    .options = options,
    .habits = habits,
    .words_max = 1,
    .word = "VIP",
    .run = run,
};
