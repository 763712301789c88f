/* SPDX-License-Identifier: MIT */
#include "cmd_validate.h"

#include "expand.h"
#include "host_facts.h"
#include "style.h"
#include "table.h"
#include "validate_output.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

#define OUTPUT_MAX (256u << 20)
#define WIDTH_DEFAULT 80
#define WIDTH_MIN 40
#define WIDTH_MAX 1000
#define SUBNETS_MAX ARGUMENT_LIST_MAX

enum { CONFIG, MODE, STRICT, OUTPUT, VIP_ONLY, SUBNET, HOST, PROBE, IFACE, ALLOW, QUIET, COLOR };

static const char *const modes[] = {"metal", "cloud", "container", NULL};
static const char *const formats[] = {"human", "short", "json", "github", "sarif", NULL};

enum { FORMAT_HUMAN, FORMAT_GITHUB = 3 };

static void (*const writers[])(const struct validate_report *, const struct validate_style *,
                               struct buf *) = {validate_human, validate_short, validate_json,
                                                validate_github, validate_sarif};

static const struct option options[] = {
    [CONFIG] = {.name = "config",
                .letter = 'c',
                .kind = OPTION_FILES,
                .metavar = "FILE",
                .help = "a file to check, as for talosctl; repeatable"},
    [MODE] = {.name = "mode",
              .letter = 'm',
              .kind = OPTION_ENUM,
              .metavar = "MODE",
              .choices = modes,
              .fallback = "metal",
              .help = "where Talos runs"},
    [STRICT] = {.name = "strict", .kind = OPTION_FLAG, .help = "treat warnings as errors"},
    [OUTPUT] = OPTION_OUTPUT(formats, NULL, "how to write it"),
    [VIP_ONLY] = {.name = "vip-only",
                  .kind = OPTION_FLAG,
                  .help = "only what is about the virtual IPs"},
    [SUBNET] = {.name = "subnet",
                .kind = OPTION_LIST,
                .metavar = "CIDR",
                .help = "of the VIPs' links, where DHCP gives it; repeatable"},
    [HOST] = {.name = "host",
              .kind = OPTION_FLAG,
              .help = "check this host, too: links, addresses, rights"},
    [PROBE] = {.name = "probe",
               .kind = OPTION_FLAG,
               .help = "ask the network who has the addresses now"},
    [IFACE] = {.name = "iface",
               .kind = OPTION_STRING,
               .metavar = "IF",
               .help = "where to ask; else on the link of each file"},
    [ALLOW] = {.name = "allow",
               .kind = OPTION_LIST,
               .metavar = "ID",
               .help = "do not report this check; repeatable"},
    [QUIET] = {.name = "quiet", .letter = 'q', .kind = OPTION_FLAG, .help = "only the findings"},
    [COLOR] = STYLE_COLOR_OPTION,
    {.name = NULL},
};

static const struct habit habits[] = {
    {"-f", "unknown flag -f; did you mean -c?", NULL},
    {NULL, NULL, NULL},
};

static const struct example examples[] = {
    {"validate cp-*.yaml", "check Talos machine configs before applying them"},
    {"validate --host -c cp.yaml", "and whether they fit this host"},
    {NULL, NULL},
};

static enum exit_code fail(enum exit_code code, const struct complaint *c)
{
    complaint_print(c);
    return code;
}

static enum exit_code no_memory(void)
{
    fputs("talosvip: out of memory\n", stderr);
    return EXIT_BUG;
}

struct job {
    struct validate_options options;
    struct ip_prefix subnets[SUBNETS_MAX];
    struct expand files;
    struct host_facts *facts;
    bool wants_host, wants_probe;
    const char *iface;
    size_t format;
    struct validate_style style;
};

static void choose_style(struct job *job, const struct argument *color)
{
    struct winsize size;
    struct style style = style_of(color);
    job->style.width = WIDTH_DEFAULT;
    if (isatty(STDOUT_FILENO) && ioctl(STDOUT_FILENO, TIOCGWINSZ, &size) == 0 && size.ws_col > 0)
        job->style.width = size.ws_col < WIDTH_MIN   ? WIDTH_MIN
                           : size.ws_col > WIDTH_MAX ? WIDTH_MAX
                                                     : size.ws_col;
    job->style.has_color = style.has_color;
    job->style.is_utf8 = style.is_utf8;
}

static int read_subnets(struct job *job, const struct argument *given, struct complaint *c)
{
    for (size_t i = 0; i < given->n; i++)
        if (ip_prefix_parse(given->list[i], &job->subnets[i]) < 0) {
            complaint_set(c, "--subnet: \"%.100s\" is not a subnet", given->list[i]);
            complaint_hint(c, "write it like 10.0.0.0/24 or fd00:10::/64");
            return -EINVAL;
        }
    job->options.subnets = job->subnets;
    job->options.n_subnets = given->n;
    return 0;
}

static int read_allow(struct job *job, const struct argument *given, struct complaint *c)
{
    const char *names[256];
    size_t n;
    const struct check *table = check_table(&n);
    for (size_t i = 0; i < n && i < 256; i++)
        names[i] = table[i].id;
    for (size_t i = 0; i < given->n; i++)
        if (!validate_is_check(given->list[i])) {
            complaint_set(c, "--allow: there is no check \"%.100s\"", given->list[i]);
            if (!complaint_suggest(c, given->list[i], "", names, n < 256 ? n : 256))
                complaint_hint(c, "talosvip explain lists them");
            return -EINVAL;
        }
    job->options.allow = job->style.allow = (const char *const *)given->list;
    job->options.n_allow = job->style.n_allow = given->n;
    return 0;
}

static int read_arguments(struct job *job, const struct arguments *arguments, struct complaint *c)
{
    const struct argument *values = arguments->values;
    const char *actions = getenv("GITHUB_ACTIONS");
    job->options.mode = (enum validate_mode)values[MODE].choice;
    job->options.is_strict = values[STRICT].origin == FROM_FLAG;
    job->options.vip_only = values[VIP_ONLY].origin == FROM_FLAG;
    job->wants_host = values[HOST].origin == FROM_FLAG;
    job->wants_probe = values[PROBE].origin == FROM_FLAG;
    job->iface = values[IFACE].text;
    job->style.is_quiet = values[QUIET].origin == FROM_FLAG;
    job->format = values[OUTPUT].origin != FROM_NOBODY      ? values[OUTPUT].choice
                  : actions && strcmp(actions, "true") == 0 ? FORMAT_GITHUB
                                                            : FORMAT_HUMAN;
    choose_style(job, &values[COLOR]);
    if (job->iface && !job->wants_probe)
        return complaint_set(c, "--iface only makes sense with --probe");
    if (values[CONFIG].n + arguments->n_words == 0) {
        complaint_set(c, "no file to check");
        complaint_hint(c, "talosvip validate FILE..., a directory, or - for standard input");
        return -EINVAL;
    }
    int r = read_subnets(job, &values[SUBNET], c);
    return r < 0 ? r : read_allow(job, &values[ALLOW], c);
}

static enum exit_code add_path(struct job *job, const char *path)
{
    struct complaint c = {.what = ""};
    int r = expand_add(&job->files, path);
    if (r == -ENOMEM)
        return no_memory();
    if (r == 0)
        return EXIT_DONE;
    complaint_set(&c, "%.400s: there is no *.yaml and no *.yml in this directory", path);
    return fail(EXIT_UNKNOWN, &c);
}

static enum exit_code read_host(struct job *job)
{
    struct complaint c = {.what = ""};
    if (!job->wants_host && !job->wants_probe)
        return EXIT_DONE;
    int r = host_facts_new(&job->facts);
    if (r == -ENOMEM)
        return no_memory();
    if (r < 0) {
        complaint_set(&c, "cannot read the interfaces of this host: %s", strerror(-r));
        return fail(r == -EPERM || r == -EACCES ? EXIT_PERMISSION : EXIT_UNKNOWN, &c);
    }
    if (job->wants_host)
        host_facts_links(job->facts, &job->options);
    return EXIT_DONE;
}

static enum exit_code check(struct job *job, struct validate_report *ret_report)
{
    struct complaint c = {.what = ""};
    const char *const *paths = (const char *const *)job->files.paths;
    job->options.is_found = job->files.is_found;
    if (validate_files(paths, job->files.n, &job->options, ret_report) < 0)
        return no_memory();
    if (!job->wants_probe)
        return EXIT_DONE;
    /* The files say what to ask for; standard input cannot be read again. */
    struct validate_report first = *ret_report;
    int r = host_facts_probe(job->facts, &first, job->iface, &job->options, &c);
    enum exit_code code = EXIT_DONE;
    if (r < 0)
        code = fail(r == -EPERM ? EXIT_PERMISSION : r == -ENOMEM ? EXIT_BUG : EXIT_UNKNOWN, &c);
    else if (job->options.n_answers > 0 &&
             validate_files(paths, job->files.n, &job->options, ret_report) < 0)
        code = no_memory();
    if (code != EXIT_DONE || job->options.n_answers > 0)
        validate_report_done(&first);
    return code;
}

static enum exit_code verdict(const struct validate_report *report)
{
    size_t lost = 0;
    for (size_t i = 0; i < report->n_files; i++)
        lost += report->files[i].is_unreadable;
    if (report->errors > lost)
        return EXIT_NO;
    return lost > 0 ? EXIT_UNKNOWN : report->is_valid ? EXIT_DONE : EXIT_NO;
}

static enum exit_code write_report(const struct job *job, const struct validate_report *report)
{
    struct buf out;
    buf_init(&out, OUTPUT_MAX);
    writers[job->format](report, &job->style, &out);
    int error = out.error;
    if (!error)
        fwrite(buf_str(&out), 1, out.len, stdout);
    buf_done(&out);
    return error ? no_memory() : verdict(report);
}

static enum exit_code work(struct job *job)
{
    struct validate_report report;
    if (job->files.is_full) {
        struct complaint c = {.what = ""};
        complaint_set(&c, "more than %d files", EXPAND_FILES_MAX);
        return fail(EXIT_UNKNOWN, &c);
    }
    enum exit_code code = read_host(job);
    if (code == EXIT_DONE)
        code = check(job, &report);
    if (code == EXIT_DONE) {
        code = write_report(job, &report);
        validate_report_done(&report);
    }
    return code;
}

static bool has_standard_input(const struct job *job)
{
    for (size_t i = 0; i < job->files.n; i++)
        if (strcmp(job->files.paths[i], "-") == 0)
            return true;
    return false;
}

static enum exit_code run(const struct arguments *arguments)
{
    struct job job = {.facts = NULL};
    struct complaint c = {.what = ""};
    enum exit_code code = EXIT_DONE;
    if (read_arguments(&job, arguments, &c) < 0)
        return fail(EXIT_USAGE, &c);
    for (size_t i = 0; i < arguments->values[CONFIG].n && code == EXIT_DONE; i++)
        code = add_path(&job, arguments->values[CONFIG].list[i]);
    for (size_t i = 0; i < arguments->n_words && code == EXIT_DONE; i++)
        code = add_path(&job, arguments->words[i]);
    if (code == EXIT_DONE && job.wants_probe && has_standard_input(&job)) {
        complaint_set(&c, "--probe needs files: standard input can be read only once");
        code = fail(EXIT_USAGE, &c);
    }
    if (code == EXIT_DONE)
        code = work(&job);
    host_facts_free(job.facts);
    expand_done(&job.files);
    return code;
}

enum exit_code validate_for_run(char *const *files, size_t n)
{
    struct job job = {.wants_host = true, .options.is_for_agent = true};
    enum exit_code code = EXIT_DONE;
    choose_style(&job, &(struct argument){.choice = 0}); /* auto */
    for (size_t i = 0; i < n && code == EXIT_DONE; i++)
        code = add_path(&job, files[i]);
    if (code == EXIT_DONE)
        code = work(&job);
    host_facts_free(job.facts);
    expand_done(&job.files);
    return code;
}

const struct command cmd_validate = {
    .name = "validate",
    .group = "Check",
    .summary = "check Talos machine configs and the agent's settings",
    .usage = "[-c FILE]... [FILE|DIR|-]... [FLAGS]",
    .examples = examples,
    .options = options,
    .habits = habits,
    .words_max = ARGUMENT_WORDS_MAX,
    .word = "FILE",
    .run = run,
};
