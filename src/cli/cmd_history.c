/* SPDX-License-Identifier: MIT */
#include "history_note.h"
#include "history_text.h"
#include "look.h"
#include "pager.h"
#include "span.h"
#include "table.h"
#include "when.h"
#include "yaml_print.h"

#include "base/clock.h"
#include "base/parse.h"
#include "cluster/snapshot_json.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define OUTPUT_MAX (16u << 20)

static const char *const formats[] = {"table", "wide", "json", "yaml", "csv", NULL};
enum { TABLE, WIDE, JSON, YAML, CSV };

enum {
    VIP,
    NODE,
    CAUSE,
    SINCE,
    UNTIL,
    NUMBER,
    STATS,
    OUTPUT,
    NO_HEADERS,
    NO_PAGER,
    COLOR,
    LOCAL_TIME,
    QUIET,
    VERBOSE,
    CONNECTION
};

static const struct option options[] = {
    [VIP] = {.name = "vip", .kind = OPTION_STRING, .metavar = "VIP", .help = "only this address"},
    [NODE] = {.name = "node",
              .kind = OPTION_STRING,
              .metavar = "NODE",
              .help = "only moves from or to this node"},
    [CAUSE] = {.name = "cause",
               .kind = OPTION_STRING,
               .metavar = "CAUSE",
               .help = "only causes with these words: link, resign, lease ..."},
    [SINCE] = {.name = "since",
               .kind = OPTION_STRING,
               .metavar = "WHEN",
               .help = "24h, 7d, 2026-08-21, 2026-08-21T09:12:40Z"},
    [UNTIL] = {.name = "until", .kind = OPTION_STRING, .metavar = "WHEN", .help = "likewise"},
    [NUMBER] = {.name = "number",
                .letter = 'n',
                .kind = OPTION_STRING,
                .metavar = "N",
                .help = "the newest N; else 20, and all since a time or for figures"},
    [STATS] = {.name = "stats", .kind = OPTION_FLAG, .help = "figures for each address"},
    [OUTPUT] = OPTION_OUTPUT(formats, "table", "how to write it"),
    [NO_HEADERS] = {.name = "no-headers", .kind = OPTION_FLAG, .help = "tables without heads"},
    [NO_PAGER] = PAGER_OPTION,
    [COLOR] = STYLE_COLOR_OPTION,
    [LOCAL_TIME] = {.name = "local-time", .kind = OPTION_FLAG, .help = "not UTC"},
    [QUIET] = LOOK_QUIET_OPTION,
    [VERBOSE] = LOOK_VERBOSE_OPTION,
    [CONNECTION] = CONNECTION_OPTIONS,
    {.name = NULL},
};

static const struct habit habits[] = {CONNECTION_HABITS, {NULL, NULL, NULL}};
static const char *const verbs[] = {"note", NULL};

static const struct example examples[] = {
    {"history --since 7d", "failovers with cause and measured outage"},
    {"history --stats --since 30d", "how often, how long, and how long in all"},
    {NULL, NULL},
};

struct job {
    struct history_filter filter;
    const char *vip; /* as typed */
    size_t format;
    bool is_stats, is_quiet;
    struct style style;
};

static enum exit_code bad(const char *option, const char *text, const char *hint)
{
    struct complaint c = {.what = ""};
    complaint_set(&c, "%s: \"%.100s\" is not understood", option, text);
    complaint_hint(&c, "%s", hint);
    return look_fail(EXIT_USAGE, &c);
}

static enum exit_code read_when(const struct argument *value, const char *name,
                                uint64_t *ret_wall_us)
{
    if (!value->text || when_parse(value->text, clock_wall_us(), ret_wall_us) == 0)
        return EXIT_DONE;
    return bad(name, value->text, "write it like 24h, 7d, 2026-08-21 or 2026-08-21T09:12:40Z");
}

static enum exit_code read_number(const struct argument *values, unsigned *ret_limit)
{
    uint64_t n;
    bool is_all = values[SINCE].text || values[STATS].origin == FROM_FLAG;
    *ret_limit = is_all ? 0 : 20;
    if (!values[NUMBER].text)
        return EXIT_DONE;
    if (parse_u64(values[NUMBER].text, &n) < 0 || n == 0)
        return bad("-n", values[NUMBER].text, "it is how many lines to show, at least 1");
    *ret_limit = n < SNAPSHOT_HISTORY_MAX ? (unsigned)n : SNAPSHOT_HISTORY_MAX;
    return EXIT_DONE;
}

static enum exit_code read_filter(const struct argument *values, struct job *job)
{
    enum exit_code code = EXIT_DONE;
    job->filter.node = values[NODE].text;
    job->filter.cause = values[CAUSE].text;
    job->vip = values[VIP].text;
    if (job->vip)
        code = look_parse_vip(job->vip, &job->filter.vip);
    if (code == EXIT_DONE)
        code = read_when(&values[SINCE], "--since", &job->filter.since);
    if (code == EXIT_DONE)
        code = read_when(&values[UNTIL], "--until", &job->filter.until);
    return code == EXIT_DONE ? read_number(values, &job->filter.limit) : code;
}

/* A name that nobody has is more likely a slip than a wish for an empty list. */
static enum exit_code check_names(const struct job *job, const struct snapshot *s)
{
    bool has_vip = !job->vip || snapshot_find_vip(s, &job->filter.vip);
    bool has_node = !job->filter.node || snapshot_find_node(s, job->filter.node);
    for (unsigned i = 0; i < s->n_history; i++) {
        const struct snapshot_move *m = &s->history[i];
        has_vip = has_vip || ip_equal(&m->vip, &job->filter.vip);
        has_node = has_node || strcmp(m->from, job->filter.node) == 0 ||
                   strcmp(m->to, job->filter.node) == 0;
    }
    if (!has_vip)
        return look_no_vip(s, job->vip);
    return has_node ? EXIT_DONE : look_no_node(s, job->filter.node);
}

static int write_stats(const struct job *job, const struct snapshot *s, struct buf *out)
{
    struct history_stats *list = calloc(SNAPSHOT_VIPS_MAX, sizeof(*list));
    struct buf json;
    if (!list)
        return -ENOMEM;
    size_t n = history_stats(s, job->filter.since, job->filter.until, list, SNAPSHOT_VIPS_MAX);
    int r = 0;
    buf_init(&json, OUTPUT_MAX);
    if (job->format == JSON) {
        history_stats_json(list, n, out);
    } else if (job->format == YAML) {
        history_stats_json(list, n, &json);
        r = json.error ? json.error : yaml_print_json(buf_str(&json), out);
    } else {
        history_stats_table(list, n, &job->style, out);
    }
    buf_done(&json);
    free(list);
    return r < 0 ? r : out->error;
}

static int write_json(const struct job *job, const struct snapshot *s, struct buf *out)
{
    struct buf json;
    buf_init(&json, OUTPUT_MAX);
    int r = snapshot_write_history(s, &json);
    if (r == 0 && job->format == YAML)
        r = yaml_print_json(buf_str(&json), out);
    else if (r == 0)
        r = buf_printf(out, "%s\n", buf_str(&json));
    buf_done(&json);
    return r;
}

static int compose(const struct job *job, const struct snapshot *s, struct buf *out)
{
    if (job->is_stats)
        return write_stats(job, s, out);
    if (job->format == JSON || job->format == YAML)
        return write_json(job, s, out);
    if (job->format == CSV)
        history_csv(s, !job->style.no_heads, out);
    else
        history_table(s, &job->style, job->format == WIDE, out);
    return out->error;
}

static enum exit_code print(const struct job *job, const struct snapshot *s, bool with_pager)
{
    struct pager pager;
    struct buf out;
    buf_init(&out, OUTPUT_MAX);
    int r = compose(job, s, &out);
    if (r == 0 && !job->is_quiet) {
        pager_open(&pager, with_pager && job->format <= WIDE);
        fwrite(buf_str(&out), 1, out.len, stdout);
        pager_close(&pager);
    }
    buf_done(&out);
    return r < 0 ? look_no_memory() : EXIT_DONE;
}

/* There is room for so many moves; what is not there is said, where the answer would hold it. */
static void tell_missing(const struct job *job, const struct snapshot *s)
{
    uint64_t wanted = job->filter.since;
    struct buf time;
    if (job->filter.limit && s->n_history == job->filter.limit)
        wanted = s->history[s->n_history - 1].wall_us;
    if (s->history_from_us <= wanted)
        return;
    buf_init(&time, 0);
    span_time(&time, s->history_from_us, job->style.is_local_time);
    fprintf(stderr, "talosvip: note: before %s there are failovers that were not read%s\n",
            buf_str(&time), job->vip ? "" : "; --vip reads more of one address");
    buf_done(&time);
}

static enum exit_code list(const struct arguments *arguments, struct look *look,
                           const struct job *job, struct snapshot *s)
{
    enum exit_code code = look_complain(look, s);
    if (code == EXIT_DONE)
        code = check_names(job, s);
    if (code != EXIT_DONE)
        return code;
    if (job->format <= WIDE && !job->is_quiet)
        look_tell_pauses(s);
    history_filter(s, &job->filter);
    if (!job->is_quiet)
        tell_missing(job, s);
    return print(job, s, arguments->values[NO_PAGER].origin != FROM_FLAG);
}

static enum exit_code note(const struct arguments *arguments, struct look *look,
                           const struct snapshot *s)
{
    struct complaint c = {.what = ""};
    enum exit_code code = look_complain(look, s);
    if (code != EXIT_DONE)
        return code;
    if (look->connection.is_read_only) {
        complaint_set(&c, "context \"%.60s\" is read-only", look->connection.context);
        return look_fail(EXIT_PERMISSION, &c);
    }
    return history_note(look, s, arguments->words[1], arguments->words[2]);
}

static enum exit_code check_words(const struct arguments *arguments)
{
    struct complaint c = {.what = ""};
    if (arguments->n_words == 0 ||
        (arguments->n_words == 3 && strcmp(arguments->words[0], "note") == 0))
        return EXIT_DONE;
    if (strcmp(arguments->words[0], "note") == 0)
        complaint_set(&c, "history note takes VIP@TIME and a text");
    else
        complaint_set(&c, "unexpected argument \"%.100s\"", arguments->words[0]);
    complaint_hint(&c, strcmp(arguments->words[0], "note") == 0
                           ? "quote the text: history note 10.0.0.50@2026-08-21T09:12:40Z \"...\""
                           : "for one address: history --vip VIP");
    return look_fail(EXIT_USAGE, &c);
}

static enum exit_code run(const struct arguments *arguments)
{
    const struct argument *values = arguments->values;
    struct job job = {.format = values[OUTPUT].choice,
                      .is_quiet = values[QUIET].origin == FROM_FLAG,
                      .is_stats = values[STATS].origin == FROM_FLAG,
                      .style = style_of(&values[COLOR])};
    struct look look;
    struct snapshot s;
    job.style.no_heads = values[NO_HEADERS].origin == FROM_FLAG;
    job.style.is_local_time = values[LOCAL_TIME].origin == FROM_FLAG;
    enum exit_code code = check_words(arguments);
    if (code == EXIT_DONE)
        code = read_filter(values, &job);
    if (code == EXIT_DONE && job.is_stats && job.format == CSV)
        code = bad("-o", "csv", "with --stats: table, json, yaml");
    if (code == EXIT_DONE)
        code = look_open_history(arguments, &job.filter.vip, &look);
    if (code != EXIT_DONE)
        return code;
    if (values[VERBOSE].origin == FROM_FLAG)
        look_tell_connection(&look);
    code = look_once(&look, &s);
    if (code == EXIT_DONE) {
        code = arguments->n_words ? note(arguments, &look, &s) : list(arguments, &look, &job, &s);
        snapshot_done(&s);
    }
    look_close(&look);
    return code;
}

const struct command cmd_history = {
    .name = "history",
    .group = "Look",
    .summary = "failovers: when, from where to where, why, and how long it hurt",
    .usage = "[note VIP@TIME TEXT] [--vip VIP] [--node NODE] [--since WHEN] [--stats]",
    .examples = examples,
    .options = options,
    .habits = habits,
    .words_max = 3,
    .verbs = verbs,
    .run = run,
};
