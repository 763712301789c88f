/* SPDX-License-Identifier: MIT */
#include "table.h"
#include "ask.h"
#include "connection.h"
#include "here.h"
#include "look.h"
#include "style.h"

#include "cluster/snapshot_json.h"
#include "base/parse.h"
#include "ui/top.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define SAMPLE_MAX (32u << 20)
#define HISTORY 20

enum { TEXT, JSON };
static const char *const formats[] = {"text", "json", NULL};

enum {
    VIP,
    NODE,
    DELAY,
    ONCE,
    BATCH,
    SAMPLES,
    OUTPUT,
    RECORD,
    REPLAY,
    AT,
    SPEED,
    SIZE,
    READ_ONLY,
    MOUSE,
    ASCII,
    UTF8,
    COLOR,
    PRESET,
    REDACT,
    CONNECTION,
};

static const struct option options[] = {
    [VIP] = {.name = "vip", .kind = OPTION_LIST, .metavar = "VIP", .help = "only these"},
    [NODE] = {.name = "node", .kind = OPTION_LIST, .metavar = "NODE", .help = "only these"},
    [DELAY] = {.name = "delay",
               .letter = 'd',
               .kind = OPTION_STRING,
               .metavar = "SECONDS",
               .fallback = "1",
               .help = "between two samples: 0.5 to 10, or 500ms"},
    [ONCE] = {.name = "once", .kind = OPTION_FLAG, .help = "one sample as text: -b -n 1"},
    [BATCH] = {.name = "batch",
               .letter = 'b',
               .kind = OPTION_FLAG,
               .help = "samples as text, without a screen"},
    [SAMPLES] = {.name = "samples",
                 .letter = 'n',
                 .kind = OPTION_STRING,
                 .metavar = "N",
                 .help = "with -b: so many; without it, until somebody stops it"},
    [OUTPUT] = OPTION_OUTPUT(formats, "text", "json: one object a line"),
    [RECORD] = {.name = "record",
                .kind = OPTION_FILE,
                .metavar = "FILE",
                .help = "append all samples to FILE, for --replay"},
    [REPLAY] = {.name = "replay",
                .kind = OPTION_FILE,
                .metavar = "FILE",
                .help = "show a recording; - is stdin"},
    [AT] = {.name = "at",
            .kind = OPTION_STRING,
            .metavar = "TIME",
            .help = "with --replay: start here, \"2026-08-21 09:12\" or 09:12 UTC"},
    [SPEED] = {.name = "speed",
               .kind = OPTION_STRING,
               .metavar = "X",
               .fallback = "1",
               .help = "with --replay: 0.25 to 60 times as fast"},
    [SIZE] = {.name = "size",
              .kind = OPTION_STRING,
              .metavar = "COLSxROWS",
              .help = "of a text sample"},
    [READ_ONLY] = {.name = "read-only", .kind = OPTION_FLAG, .help = "no key changes the cluster"},
    [MOUSE] = {.name = "mouse", .kind = OPTION_FLAG, .help = "use the mouse (m toggles)"},
    [ASCII] = {.name = "ascii", .kind = OPTION_FLAG, .help = "no other characters"},
    [UTF8] = {.name = "utf8", .kind = OPTION_FLAG, .help = "all symbols, whatever the locale"},
    [COLOR] = STYLE_COLOR_OPTION,
    [PRESET] = {.name = "preset",
                .kind = OPTION_ENUM,
                .metavar = "NAME",
                .choices = top_presets,
                .fallback = "overview",
                .help = "what fills the screen first"},
    [REDACT] = {.name = "redact",
                .kind = OPTION_FLAG,
                .help = "other names and addresses, to show it to strangers"},
    [CONNECTION] = CONNECTION_OPTIONS,
    {.name = NULL},
};

static const struct habit habits[] = {
    CONNECTION_HABITS,
    {"-w", "top watches already; to save a snapshot press w", NULL},
    {"-c", "-c is a configuration file elsewhere; top takes endpoints with -e", NULL},
    {NULL, NULL, NULL},
};

static const struct example examples[] = {
    {"top", "the dashboard of the cluster"},
    {"top --once", "the same, once, as text"},
    {"top -o json > night.jsonl", "samples for programs, and for --replay"},
    {"top --record night.jsonl", "look, and keep what was seen"},
    {"top --replay night.jsonl --at 03:12", "look again: t and T step, b goes to a time"},
    {NULL, NULL},
};

struct job {
    const struct arguments *arguments;
    struct top_options top;
    struct ip vips[ARGUMENT_LIST_MAX];
    struct buf state;
    char by[REQUEST_NAME_MAX];
    bool is_json, is_batch;
    uint64_t n; /* samples; 0: no end */
    uint64_t written;
    enum exit_code code;
};

static bool has(const struct job *job, unsigned option)
{
    return job->arguments->values[option].origin != FROM_NOBODY &&
           job->arguments->values[option].origin != FROM_DEFAULT;
}

static enum exit_code usage(const char *what, const char *hint)
{
    struct complaint c = {.what = ""};
    complaint_set(&c, "%s", what);
    if (hint)
        complaint_hint(&c, "%s", hint);
    return look_fail(EXIT_USAGE, &c);
}

/* "1.5", "2s", "500ms". */
static bool parse_delay(const char *text, uint64_t *ret_us)
{
    char *end;
    uint64_t us;
    double seconds = strtod(text, &end);
    if (*end == '\0' && end != text && seconds > 0 && seconds < 1000)
        us = (uint64_t)(seconds * 1e6 + 0.5);
    else if (parse_duration(text, &us) < 0)
        return false;
    *ret_us = us;
    return us >= 500000 && us <= 10000000;
}

static bool parse_size(const char *text, unsigned *ret_width, unsigned *ret_height)
{
    char copy[32], *x;
    uint64_t width, height;
    if (strlen(text) >= sizeof(copy))
        return false;
    strcpy(copy, text);
    x = strchr(copy, 'x');
    if (!x)
        return false;
    *x = '\0';
    if (parse_u64(copy, &width) < 0 || parse_u64(x + 1, &height) < 0 || width < 1 || width > 500 ||
        height < 1 || height > 300)
        return false;
    *ret_width = (unsigned)width;
    *ret_height = (unsigned)height;
    return true;
}

static bool parse_speed(const char *text, unsigned *ret_speed)
{
    char *end;
    double speed = strtod(text, &end);
    if (*end != '\0' || end == text || !(speed >= 0.25 && speed <= 60))
        return false;
    *ret_speed = (unsigned)(speed * 1000);
    return true;
}

static unsigned columns(void)
{
    uint64_t n;
    const char *text = getenv("COLUMNS");
    return text && parse_u64(text, &n) == 0 && n >= 1 && n <= 500 ? (unsigned)n : 80;
}

static enum exit_code read_numbers(struct job *job)
{
    const struct argument *values = job->arguments->values;
    struct top_options *top = &job->top;
    if (!parse_delay(values[DELAY].text, &top->interval_us))
        return usage("-d takes seconds between 0.5 and 10", NULL);
    if (has(job, SAMPLES) && (parse_u64(values[SAMPLES].text, &job->n) < 0 || job->n == 0))
        return usage("-n takes a number of samples", NULL);
    if (!parse_speed(values[SPEED].text, &top->speed))
        return usage("--speed takes a number between 0.25 and 60", NULL);
    top->width = columns();
    if (has(job, SIZE) && !parse_size(values[SIZE].text, &top->width, &top->height))
        return usage("--size takes COLSxROWS, at most 500x300", "--size 80x24");
    for (size_t i = 0; i < values[VIP].n; i++) {
        enum exit_code code = look_parse_vip(values[VIP].list[i], &job->vips[i]);
        if (code != EXIT_DONE)
            return code;
    }
    return EXIT_DONE;
}

static enum exit_code read_options(struct job *job)
{
    const struct argument *values = job->arguments->values;
    struct top_options *top = &job->top;
    job->is_json = values[OUTPUT].choice == JSON;
    job->is_batch = has(job, ONCE) || has(job, BATCH) || job->is_json || !isatty(STDOUT_FILENO);
    if (has(job, SAMPLES) && !job->is_batch)
        return usage("-n goes with -b", NULL);
    if (has(job, ASCII) && has(job, UTF8))
        return usage("--ascii and --utf8 exclude each other", NULL);
    if (has(job, AT) && !has(job, REPLAY))
        return usage("--at goes with --replay", NULL);
    if (has(job, RECORD) && (has(job, REPLAY) || job->is_batch))
        return usage("--record goes with the screen", "elsewhere: talosvip top -o json > FILE");
    enum exit_code code = read_numbers(job);
    /* Without a terminal, and nobody said how many: one. */
    bool is_endless = has(job, BATCH) || job->is_json;
    if (job->is_batch && job->n == 0 && (has(job, ONCE) || !is_endless))
        job->n = 1;
    top->vips = job->vips;
    top->n_vips = values[VIP].n;
    top->nodes = (const char *const *)values[NODE].list;
    top->n_nodes = values[NODE].n;
    top->glyphs = has(job, ASCII)  ? TOP_GLYPHS_ASCII
                  : has(job, UTF8) ? TOP_GLYPHS_UTF8
                                   : TOP_GLYPHS_AUTO;
    top->has_color = style_of(&values[COLOR]).has_color;
    top->has_mouse = has(job, MOUSE);
    top->is_read_only = has(job, READ_ONLY);
    top->is_redacted = has(job, REDACT);
    top->preset = (unsigned)values[PRESET].choice;
    top->record_path = values[RECORD].text;
    return code;
}

/* Whether all that --vip and --node name is there; else it was told. */
static bool has_named(const struct job *job, const struct snapshot *s)
{
    const struct argument *vips = &job->arguments->values[VIP];
    const struct argument *nodes = &job->arguments->values[NODE];
    for (size_t i = 0; i < vips->n; i++)
        if (!snapshot_find_vip(s, &job->vips[i]))
            return look_no_vip(s, vips->list[i]) == EXIT_DONE;
    for (size_t i = 0; i < nodes->n; i++)
        if (!snapshot_find_node(s, nodes->list[i]))
            return look_no_node(s, nodes->list[i]) == EXIT_DONE;
    return true;
}

/* One sample on stdout; false when there is to be no more. Takes over the snapshot. */
static bool write_sample(struct job *job, struct snapshot *s)
{
    struct buf out;
    /* In a recording it may come later. */
    if (job->written == 0 && s->age_us >= 0 && !has(job, REPLAY) && !has_named(job, s)) {
        job->code = EXIT_NO;
        snapshot_done(s);
        return false;
    }
    buf_init(&out, SAMPLE_MAX);
    int r = top_prepare(&job->top, s);
    if (r == 0 && job->is_json) {
        r = snapshot_write(s, &out);
        buf_putc(&out, '\n');
    } else if (r == 0) {
        if (job->written > 0)
            buf_putc(&out, '\n');
        r = top_write(&job->top, s, &out);
    }
    snapshot_done(s);
    if (r == 0)
        fwrite(buf_str(&out), 1, out.len, stdout);
    buf_done(&out);
    if (r < 0)
        job->code = look_no_memory();
    job->written++;
    /* Whoever read it may have gone. */
    return r == 0 && fflush(stdout) == 0 && (job->n == 0 || job->written < job->n);
}

/* A copy that may be changed, by way of the form that it has anyway. */
static bool on_sample(void *arg, const struct snapshot *before, const struct snapshot *after)
{
    struct job *job = arg;
    struct snapshot copy;
    struct buf text;
    (void)before;
    buf_init(&text, SAMPLE_MAX);
    int r = snapshot_write(after, &text);
    if (r == 0)
        r = snapshot_parse(buf_str(&text), text.len, &copy);
    buf_done(&text);
    if (r < 0) {
        job->code = look_no_memory();
        return false;
    }
    return write_sample(job, &copy);
}

static enum exit_code batch(struct job *job)
{
    struct look look;
    struct snapshot s;
    enum exit_code code = look_open(job->arguments, HISTORY, &look);
    if (code != EXIT_DONE)
        return code;
    if (job->n == 1) {
        code = look_once(&look, &s);
        if (code == EXIT_DONE) {
            enum exit_code complaint = look_complain(&look, &s);
            write_sample(job, &s);
            code = job->code != EXIT_DONE ? job->code : complaint;
        }
    } else {
        code = look_follow(&look, job->top.interval_us, 0, on_sample, job);
        if (code == EXIT_DONE)
            code = job->code != EXIT_DONE ? job->code : look_ended(&look);
    }
    look_close(&look);
    return code;
}

static enum exit_code no_recording(const char *path, int error)
{
    struct complaint c = {.what = ""};
    if (error == -ENODATA)
        complaint_set(&c, "%.200s holds no sample", path);
    else
        complaint_set(&c, "cannot read %.200s: %s", path, strerror(-error));
    return look_fail(EXIT_UNKNOWN, &c);
}

static enum exit_code replay_batch(struct job *job, const char *path,
                                   const struct recording *recording)
{
    struct snapshot s;
    size_t i = job->top.replay_at, shown = 0;
    for (bool goes_on = true; goes_on && i < recording_count(recording); i++)
        if (recording_read(recording, i, &s) == 0) {
            goes_on = write_sample(job, &s);
            shown++;
        }
    return shown > 0 ? job->code : no_recording(path, -ENODATA);
}

/* Why the screen did not open, or how it ended. */
static enum exit_code ended(const struct job *job, int r, enum top_end end, const char *bad)
{
    static const enum exit_code codes[] = {[TOP_QUIT] = EXIT_DONE,
                                           [TOP_HANGUP] = EXIT_SIGHUP,
                                           [TOP_INTERRUPTED] = EXIT_SIGINT,
                                           [TOP_TERMINATED] = EXIT_SIGTERM};
    struct complaint c = {.what = ""};
    const char *term = getenv("TERM");
    if (r == 0)
        return codes[end];
    if (r == -ENODEV) {
        if (term && *term)
            complaint_set(&c, "this host does not know the terminal \"%.60s\"", term);
        else
            complaint_set(&c, "TERM is not set: which terminal is this?");
        complaint_hint(&c, "TERM=xterm-256color talosvip top, or talosvip top --once");
    } else if (r == -ENOTTY) {
        complaint_set(&c, "there is no terminal for the keys");
        complaint_hint(&c, "talosvip top --once");
    } else if (r == -EINVAL && bad) {
        complaint_set(&c, "\"%.200s\" is no endpoint of etcd", bad);
        complaint_hint(&c, "write it like https://10.0.0.11:2379");
        return look_fail(EXIT_USAGE, &c);
    } else if (job->top.record_path && r != -ENOMEM) {
        complaint_set(&c, "cannot record into %.200s: %s", job->top.record_path, strerror(-r));
    } else {
        complaint_set(&c, "cannot open the screen: %s", strerror(-r));
    }
    return look_fail(EXIT_UNKNOWN, &c);
}

static enum exit_code replay(struct job *job)
{
    struct recording *recording;
    struct snapshot first;
    uint64_t at_us, near_us = 0;
    const char *path = job->arguments->values[REPLAY].text;
    int r = recording_open(path, &recording);
    if (r < 0)
        return no_recording(path, r);
    enum exit_code code = EXIT_DONE;
    if (has(job, AT)) {
        if (recording_read(recording, 0, &first) == 0) {
            near_us = first.wall_us;
            snapshot_done(&first);
        }
        if (recording_parse_time(job->arguments->values[AT].text, near_us, &at_us) < 0)
            code = usage("--at takes a time in UTC", "--at 09:12 or --at \"2026-08-21 09:12:40\"");
        else
            job->top.replay_at = recording_find(recording, at_us);
    }
    if (code == EXIT_DONE && job->is_batch) {
        code = replay_batch(job, path, recording);
    } else if (code == EXIT_DONE) {
        enum top_end end = TOP_QUIT;
        r = top_replay(&job->top, recording, &end);
        code = ended(job, r, end, NULL);
    }
    recording_close(recording);
    return code;
}

static void on_second(void *arg, const struct snapshot *s, struct cluster *cluster)
{
    here_tell(arg, s, cluster);
}

static enum exit_code live(struct job *job)
{
    struct connection connection;
    struct complaint c = {.what = ""};
    enum top_end end = TOP_QUIT;
    const char *bad = NULL;
    enum exit_code code = connection_resolve(job->arguments, &connection, &c);
    if (code != EXIT_DONE)
        return look_fail(code, &c);
    struct cluster_config config = {.etcd = connection.etcd,
                                    .name = connection.context,
                                    .history = HISTORY,
                                    .command_timeout_us = connection.command_timeout_us};
    struct here *here = here_open();
    job->top.is_read_only |= connection.is_read_only;
    job->top.on_second = on_second;
    job->top.on_second_arg = here;
    int r = top_live(&job->top, &config, &end, &bad);
    here_close(here);
    connection_done(&connection);
    return ended(job, r, end, bad);
}

static enum exit_code run(const struct arguments *arguments)
{
    struct job job = {.arguments = arguments, .code = EXIT_DONE};
    enum exit_code code = read_options(&job);
    if (code != EXIT_DONE)
        return code;
    buf_init(&job.state, 4096);
    ask_who(job.by);
    job.top.by = job.by;
    if (connection_state_path("top", &job.state) == 0)
        job.top.state_path = buf_str(&job.state);
    if (has(&job, REPLAY))
        code = replay(&job);
    else
        code = job.is_batch ? batch(&job) : live(&job);
    buf_done(&job.state);
    return code;
}

const struct command cmd_top = {
    .name = "top",
    .group = "Look",
    .summary = "the cluster as a live screen",
    .usage = "[-d SECONDS] [--once | -b [-n N]] [-o text|json] [--record FILE | --replay FILE]",
    .examples = examples,
    .options = options,
    .habits = habits,
    .run = run,
};
