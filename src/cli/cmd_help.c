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

static void print_environment(void)
{
    puts("Flags beat TALOSVIP_*, TALOSVIP_* beats ETCDCTL_*, and those beat the context or the\n"
         "configuration. An empty variable counts as not set; true or false switch a flag.\n");
    for (size_t i = 0; command_table[i]; i++)
        print_variables(command_table[i]);
    printf("  %-34s %s\n", "ETCDCTL_PASSWORD", "the password, where there is no file");
    printf("  %-34s %s\n", "TALOSVIP_PAGER, PAGER", "explain, help: else less; empty for none");
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
    const char *name;
    void (*print)(void);
} topics[] = {
    {"environment", print_environment},
    {"exit-codes", print_exit_codes},
    {"output", print_output},
    {"checks", print_checks},
    {"keys", print_keys},
};

#define TOPICS (sizeof(topics) / sizeof(topics[0]))
#define NAMES_MAX 32

static enum exit_code unknown_topic(const char *word)
{
    struct complaint complaint = {.what = ""};
    const char *names[NAMES_MAX];
    size_t n = 0;
    for (size_t i = 0; i < TOPICS; i++)
        names[n++] = topics[i].name;
    for (size_t i = 0; command_table[i] && n < NAMES_MAX; i++)
        names[n++] = command_table[i]->name;
    complaint_set(&complaint, "there is no help on \"%.100s\"", word);
    if (!complaint_suggest(&complaint, word, "", names, n))
        complaint_hint(&complaint, "talosvip help lists the commands and topics");
    complaint_print(&complaint);
    return EXIT_USAGE;
}

enum { NO_PAGER };

static enum exit_code run(const struct arguments *arguments)
{
    struct pager pager;
    const char *word = arguments->n_words > 0 ? arguments->words[0] : NULL;
    const struct command *command = word ? command_find(word) : NULL;
    size_t topic = 0;
    while (word && topic < TOPICS && strcmp(topics[topic].name, word) != 0)
        topic++;
    if (!command && topic == TOPICS)
        return unknown_topic(word);
    pager_open(&pager, arguments->values[NO_PAGER].origin == FROM_NOBODY);
    if (!word)
        help_overview(stdout);
    else if (command)
        help_command(stdout, command);
    else
        topics[topic].print();
    pager_close(&pager);
    return EXIT_DONE;
}

static const struct option options[] = {[NO_PAGER] = PAGER_OPTION, {.name = NULL}};
static const struct example examples[] = {
    {"help run", "the flags of a command"},
    {NULL, NULL},
};

const struct command cmd_help = {
    .name = "help",
    .group = "Other",
    .summary = "tell more about a command or a topic",
    .usage = "[COMMAND | environment | exit-codes | output | checks | keys]",
    .examples = examples,
    .options = options,
    .words_max = 1,
    .word = "COMMAND",
    .run = run,
};
