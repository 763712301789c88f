/* SPDX-License-Identifier: MIT */
#include "pager.h"
#include "table.h"

#include "ui/top.h"

#include <string.h>

static void print_exit_codes(void)
{
    size_t n;
    const struct exit_meaning *table = exit_table(&n);
    for (size_t i = 0; i < n; i++)
        printf("%5d  %s\n", (int)table[i].code, table[i].meaning);
    puts("\nstatus --check has those of a monitoring plugin: 0 OK, 1 WARNING, 2 CRITICAL, 3 "
         "UNKNOWN.");
}

/* Whether a command before `command` reads the variable too: once is enough. */
static bool is_told(const struct command *command, const char *variable)
{
    for (size_t i = 0; command_table[i] != command; i++)
        for (const struct option *o = command_table[i]->options; o->name; o++)
            for (size_t k = 0; k < OPTION_ENV_MAX && o->env[k]; k++)
                if (strcmp(o->env[k], variable) == 0)
                    return true;
    return false;
}

static void print_variables(const struct command *command)
{
    for (const struct option *o = command->options; o->name; o++)
        for (size_t i = 0; i < OPTION_ENV_MAX && o->env[i]; i++)
            if (!is_told(command, o->env[i]))
                printf("  %-34s --%s\n", o->env[i], o->name);
}

/* Those that stand for no flag. */
static const struct {
    const char *name, *what;
} variables[] = {
    {"ETCDCTL_PASSWORD", "the password, where there is no file"},
    {"TALOSVIP_PAGER, PAGER", "explain, help, history: else less; empty for none"},
    {"NO_COLOR, TALOSVIP_NO_COLOR", "not empty: no colours, unless --color=always"},
    {"COLUMNS", "top as text: how wide, else 80"},
    {"TERM", "dumb, or not set: neither colours nor drawing in place"},
    {"LC_ALL, LC_CTYPE, LANG", "whether symbols are in UTF-8, else ASCII"},
    {"XDG_CONFIG_HOME", "contexts; else ~/.config, with HOME"},
    {"XDG_STATE_HOME", "chosen context, history of the shell; else ~/.local/state"},
    {"XDG_CACHE_HOME", "what completion remembers; else ~/.cache"},
    {"SUDO_USER", "resign, pause, history note: who it was"},
    {"SSH_CONNECTION", "top: fewer frames a second"},
    {"GITHUB_ACTIONS", "validate, where it is true: -o github"},
    {"NOTIFY_SOCKET, WATCHDOG_USEC", "run, and WATCHDOG_PID, JOURNAL_STREAM: of systemd"},
};

static void print_environment(void)
{
    puts("Flags beat TALOSVIP_*, TALOSVIP_* beats ETCDCTL_*, and those beat the context or the\n"
         "configuration. An empty variable counts as not set. A flag is switched by true or\n"
         "false, 1 or 0, on or off, yes or no.\n");
    for (size_t i = 0; command_table[i]; i++)
        print_variables(command_table[i]);
    for (size_t i = 0; i < sizeof(variables) / sizeof(variables[0]); i++)
        printf("  %-34s %s\n", variables[i].name, variables[i].what);
    puts("\nETCDCTL_USER may be name:password, as for etcdctl.");
}

/* Every format, and which commands write it. */
static void print_output(void)
{
    static const struct {
        const char *name, *what;
    } formats[] = {
        {"human", "for people; colours on a terminal, never a meaning by colour alone"},
        {"table", "columns; --no-headers for scripts"},
        {"wide", "more columns"},
        {"json", "one object on one line; docs/snapshot-schema.json, docs/validate-schema.json"},
        {"yaml", "the same as YAML"},
        {"name", "vip/ADDRESS, a line each"},
        {"csv", "comma-separated, a header first"},
        {"text", "the screen, as it would be drawn"},
        {"logfmt", "key=value, a line for each event"},
        {"short", "FILE:LINE:COLUMN: severity: text [ID], for editors"},
        {"github", "annotations of GitHub Actions; by itself where GITHUB_ACTIONS is set"},
        {"sarif", "SARIF 2.1.0"},
    };
    for (size_t f = 0; f < sizeof(formats) / sizeof(formats[0]); f++) {
        printf("  %-8s %s\n          ", formats[f].name, formats[f].what);
        for (size_t i = 0; command_table[i]; i++) {
            const struct option *o = option_by_name(command_table[i]->options, "output");
            for (size_t k = 0; o && o->choices[k]; k++)
                if (strcmp(o->choices[k], formats[f].name) == 0)
                    printf(" %s", command_table[i]->name);
        }
        puts("");
    }
    puts("\nData goes to stdout, everything else to stderr. -w is --watch, -n a count, -c a file.");
}

static void print_checks(void)
{
    explain_list();
}

static void print_keys(void)
{
    for (size_t i = 0; top_keys[i]; i++)
        printf("  %s\n", top_keys[i]);
}

static const struct topic {
    const char *name, *what;
    void (*print)(void);
} topics[] = {
    {"environment", "every variable that is read", print_environment},
    {"exit-codes", "what they mean", print_exit_codes},
    {"output", "the formats, and which command has them", print_output},
    {"checks", "of validate, and the alerts of a cluster", print_checks},
    {"keys", "of the dashboard", print_keys},
};

#define TOPICS (sizeof(topics) / sizeof(topics[0]))
#define NAMES_MAX 48

const char *help_topic(size_t i, char ret_name[MANUAL_NAME_MAX], const char **ret_what)
{
    *ret_what = i < TOPICS ? topics[i].what : "a page of the manual";
    if (i < TOPICS) {
        snprintf(ret_name, MANUAL_NAME_MAX, "%s", topics[i].name);
        return ret_name;
    }
    i -= TOPICS;
    for (size_t page = 0; manual_name(page, ret_name); page++)
        if (!command_find(ret_name) && i-- == 0)
            return ret_name;
    return NULL;
}

static enum exit_code unknown_topic(const char *word)
{
    struct complaint complaint = {.what = ""};
    char topic_names[NAMES_MAX][MANUAL_NAME_MAX];
    const char *names[NAMES_MAX], *what;
    size_t n = 0;
    while (n < NAMES_MAX && (names[n] = help_topic(n, topic_names[n], &what)))
        n++;
    for (size_t i = 0; command_table[i] && n < NAMES_MAX; i++)
        names[n++] = command_table[i]->name;
    complaint_set(&complaint, "there is no help on \"%.100s\"", word);
    if (!complaint_suggest(&complaint, word, "", names, n))
        complaint_hint(&complaint, "talosvip help lists the commands and topics");
    complaint_print(&complaint);
    return EXIT_USAGE;
}

/* What there is on a word. The page of a command goes before its usage, which --help prints. */
struct help {
    void (*print)(void);
    const char *page;
    size_t len;
    const struct command *command;
};

static bool find(const char *word, struct help *ret_help)
{
    *ret_help = (struct help){.command = command_find(word)};
    for (size_t i = 0; i < TOPICS; i++)
        if (strcmp(topics[i].name, word) == 0)
            ret_help->print = topics[i].print;
    ret_help->page = manual_find(word, &ret_help->len);
    return ret_help->print || ret_help->page || ret_help->command;
}

static void print_help(const struct help *help)
{
    if (help->print)
        help->print();
    else if (help->page)
        fwrite(help->page, 1, help->len, stdout);
    else if (help->command)
        help_command(stdout, help->command);
    else
        help_overview(stdout);
}

enum { NO_PAGER };

static enum exit_code run(const struct arguments *arguments)
{
    struct pager pager;
    struct help help = {.command = NULL};
    if (arguments->n_words > 0 && !find(arguments->words[0], &help))
        return unknown_topic(arguments->words[0]);
    pager_open(&pager, arguments->values[NO_PAGER].origin == FROM_NOBODY);
    print_help(&help);
    pager_close(&pager);
    return EXIT_DONE;
}

static const struct option options[] = {[NO_PAGER] = PAGER_OPTION, {.name = NULL}};
static const struct example examples[] = {
    {"help run", "the manual page of a command"},
    {"help exit-codes", "a topic; talosvip help lists them"},
    {NULL, NULL},
};

const struct command cmd_help = {
    .name = "help",
    .group = "Other",
    .summary = "tell more about a command or a topic",
    .usage = "[COMMAND | TOPIC]",
    .examples = examples,
    .options = options,
    .words_max = 1,
    .word = "TOPIC",
    .run = run,
};
