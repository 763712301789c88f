/* SPDX-License-Identifier: MIT */
#include "look.h"
#include "table.h"
#include "watch_exec.h"
#include "watch_text.h"

#include "base/clock.h"

#include <errno.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>

#define HISTORY 20
#define PACE_US UINT64_C(20000)
#define LINES_MAX (4u << 20)

static const char *const formats[] = {"human", "logfmt", "json", NULL};
enum { HUMAN, LOGFMT, JSON };

enum { OUTPUT, EXEC, UNTIL_HELD, TIMEOUT, COLOR, LOCAL_TIME, QUIET, VERBOSE, CONNECTION };

static const struct option options[] = {
    [OUTPUT] = OPTION_OUTPUT(formats, "human", "how to write it"),
    [EXEC] = {.name = "exec",
              .kind = OPTION_STRING,
              .metavar = "CMD",
              .help = "run this for each event, with $TALOSVIP_EVENT, _VIP, _FROM, _TO, _CAUSE"},
    [UNTIL_HELD] = {.name = "until-held",
                    .kind = OPTION_FLAG,
                    .help = "end as soon as the address is held"},
    [TIMEOUT] = {.name = "timeout",
                 .kind = OPTION_DURATION,
                 .metavar = "DURATION",
                 .min_us = 100000,
                 .max_us = UINT64_C(86400000000) * 365,
                 .help = "end after that long, with exit status 1"},
    [COLOR] = STYLE_COLOR_OPTION,
    [LOCAL_TIME] = {.name = "local-time", .kind = OPTION_FLAG, .help = "not UTC"},
    [QUIET] = LOOK_QUIET_OPTION,
    [VERBOSE] = LOOK_VERBOSE_OPTION,
    [CONNECTION] = CONNECTION_OPTIONS,
    {.name = NULL},
};

static const struct habit habits[] = {
    {"-w", "-w is of status; watch needs no such flag", NULL},
    CONNECTION_HABITS,
    {NULL, NULL, NULL},
};

static const struct example examples[] = {
    {"watch", "one line for each event"},
    {"watch 10.0.0.50 --until-held", "wait for an address, in a script"},
    {"watch --quiet --exec /etc/talosvip/tell", "run it for each event"},
    {NULL, NULL},
};

struct job {
    struct look *look;
    size_t format;
    struct style style;
    const char *word;
    struct ip vip;
    bool is_quiet, until_held, is_held, has_complained, has_told_pauses;
    enum exit_code code; /* why it ended by itself */
    struct watch_exec *exec;
    struct event *events;
    struct buf out;
};

static bool is_wanted(const struct job *job, const struct event *e)
{
    return !job->word || e->vip.family == IP_NONE || ip_equal(&e->vip, &job->vip);
}

/* Lines stay aligned while the addresses stay the same. */
static int width_of(const struct snapshot *s)
{
    int width = 1;
    for (unsigned i = 0; i < s->n_vips; i++) {
        char ip[IP_TEXT_MAX];
        ip_format(&s->vips[i].ip, ip);
        width = (int)strlen(ip) > width ? (int)strlen(ip) : width;
    }
    return width;
}

static void add_line(struct job *job, const struct event *e, int width)
{
    if (job->format == HUMAN) {
        watch_human(e, &job->style, width, &job->out);
    } else if (job->format == LOGFMT) {
        watch_logfmt(e, &job->out);
    } else {
        event_write(e, &job->out);
        buf_putc(&job->out, '\n');
    }
}

static void tell(struct job *job, const struct snapshot *before, const struct snapshot *after)
{
    size_t n = events_between(before, after, job->events);
    int width = width_of(after);
    for (size_t i = 0; i < n; i++) {
        const struct event *e = &job->events[i];
        if (!is_wanted(job, e))
            continue;
        if (!job->is_quiet)
            add_line(job, e, width);
        if (job->exec && !watch_exec_add(job->exec, e))
            fputs("talosvip: --exec is too slow: an event was dropped\n", stderr);
    }
}

static bool is_held(const struct job *job, const struct snapshot *s)
{
    unsigned held = 0;
    for (unsigned i = 0; i < s->n_vips; i++) {
        bool is_meant = !job->word || ip_equal(&s->vips[i].ip, &job->vip);
        if (is_meant && s->vips[i].state != SNAPSHOT_VIP_HELD)
            return false;
        held += is_meant;
    }
    return held > 0;
}

/* An etcd that does not answer may come back; one that refuses us will not change its mind. */
static bool look_at_first(struct job *job, const struct snapshot *s)
{
    enum etcd_status status = cluster_failure(job->look->cluster);
    bool is_final = status == ETCD_FORBIDDEN || status == ETCD_AUTH || status == ETCD_TLS ||
                    status == ETCD_NOT_GATEWAY;
    if (s->age_us >= 0 || (job->has_complained && !is_final))
        return true;
    job->has_complained = true;
    enum exit_code code = look_complain(job->look, s);
    if (is_final)
        job->code = code;
    return !is_final;
}

static bool on_snapshot(void *arg, const struct snapshot *before, const struct snapshot *after)
{
    struct job *job = arg;
    if (!look_at_first(job, after))
        return false;
    if (!job->has_told_pauses && !job->is_quiet && after->age_us >= 0) {
        job->has_told_pauses = true;
        look_tell_pauses(after);
    }
    /* What is there when etcd answers for the first time is no news. */
    if (before && before->age_us >= 0) {
        tell(job, before, after);
        if (job->out.error)
            return false;
        fwrite(buf_str(&job->out), 1, job->out.len, stdout);
        buf_clear(&job->out);
        if (fflush(stdout) != 0)
            return false;
    }
    job->is_held = job->until_held && is_held(job, after);
    return !job->is_held;
}

static enum exit_code follow(struct job *job, uint64_t limit_us)
{
    uint64_t deadline_us = limit_us ? clock_now_us() + limit_us : UINT64_MAX;
    enum exit_code code = look_follow(job->look, PACE_US, limit_us, on_snapshot, job);
    if (code != EXIT_DONE || job->code != EXIT_DONE)
        return code != EXIT_DONE ? code : job->code;
    if (job->out.error)
        return look_no_memory();
    if (job->exec && !job->look->signal && watch_exec_drain(job->exec, deadline_us) > 0)
        fputs("talosvip: --exec is too slow: events were dropped\n", stderr);
    /* Whoever waits for an address must not take an end for it; else this is how one ends it. */
    if (job->look->signal && (job->until_held ? !job->is_held : job->look->signal == SIGHUP))
        return look_ended(job->look);
    return job->look->is_over ? EXIT_NO : EXIT_DONE;
}

static enum exit_code run(const struct arguments *arguments)
{
    const struct argument *values = arguments->values;
    struct look look;
    struct job job = {.look = &look,
                      .format = values[OUTPUT].choice,
                      .style = style_of(&values[COLOR]),
                      .word = arguments->n_words ? arguments->words[0] : NULL,
                      .is_quiet = values[QUIET].origin == FROM_FLAG,
                      .until_held = values[UNTIL_HELD].origin == FROM_FLAG};
    job.style.is_local_time = values[LOCAL_TIME].origin == FROM_FLAG;
    enum exit_code code = job.word ? look_parse_vip(job.word, &job.vip) : EXIT_DONE;
    if (code == EXIT_DONE)
        code = look_open(arguments, HISTORY, &look);
    if (code != EXIT_DONE)
        return code;
    if (values[VERBOSE].origin == FROM_FLAG)
        look_tell_connection(&look);
    buf_init(&job.out, LINES_MAX);
    job.events = calloc(EVENTS_MAX, sizeof(*job.events));
    int r = job.events ? 0 : -ENOMEM;
    if (r == 0 && values[EXEC].text)
        r = watch_exec_new(look.loop, values[EXEC].text, &job.exec);
    code = r < 0 ? look_no_memory() : follow(&job, values[TIMEOUT].us);
    watch_exec_free(job.exec);
    free(job.events);
    buf_done(&job.out);
    look_close(&look);
    return code;
}

const struct command cmd_watch = {
    .name = "watch",
    .group = "Look",
    .summary = "one line for each event, as it happens",
    .usage = "[VIP] [-o FORMAT] [--exec CMD] [--until-held] [--timeout DURATION]",
    .examples = examples,
    .options = options,
    .habits = habits,
    .words_max = 1,
    .word = "VIP",
    .run = run,
};
