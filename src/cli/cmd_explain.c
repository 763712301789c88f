/* SPDX-License-Identifier: MIT */
#include "pager.h"
#include "table.h"

#include "cluster/alert.h"
#include "config/check.h"

#include <string.h>
#include <strings.h>

static void print_block(const char *title, const char *text, bool is_code)
{
    if (!text)
        return;
    printf("\n%s:\n", title);
    while (*text) {
        size_t len = strcspn(text, "\n");
        printf("%s%.*s\n", len ? (is_code ? "    " : "  ") : "", (int)len, text);
        text += len + (text[len] == '\n');
    }
}

/* Sentences, broken before column 80. */
static void print_words(const char *text)
{
    size_t column = 0;
    while (text && *text) {
        size_t len = strcspn(text, " \n");
        if (len && column && column + 1 + len > 79) {
            putchar('\n');
            column = 0;
        }
        if (len)
            column += (size_t)printf("%s%.*s", column ? " " : "", (int)len, text);
        text += len + (text[len] != '\0');
    }
    puts("");
}

static void print_check(const struct check *check)
{
    printf("%s  %s\n\n%s\n\n", check->id, severity_name(check->severity), check->title);
    print_words(check->meaning);
    if (check->why) {
        puts("\nWhy it matters:");
        print_words(check->why);
    }
    print_block("Wrong", check->wrong, true);
    print_block("Right", check->right, true);
    printf("\nSuppress it for one place, on its line or the line above:\n"
           "    # talosvip: allow %s REASON\n"
           "or everywhere: talosvip validate --allow %s\n",
           check->id, check->id);
}

static void print_alert(const struct alert_kind *alert)
{
    printf("%s  %s\n\n%s\n\n", alert->id, snapshot_severity_name(alert->severity), alert->title);
    print_words(alert->meaning);
    puts("\nWhy it matters:");
    print_words(alert->why);
    puts("\nWhat to do:");
    print_words(alert->what_to_do);
}

/* Findings of validate, and alerts of a running cluster, under one roof. */
struct topics {
    const struct check *checks;
    const struct alert_kind *alerts;
    size_t n_checks, n_alerts;
};

static const char *id_of(const struct topics *t, size_t i)
{
    return i < t->n_checks ? t->checks[i].id : t->alerts[i - t->n_checks].id;
}

static enum exit_code unknown(const char *id, const struct topics *t)
{
    const char *names[256];
    struct complaint c = {.what = ""};
    size_t count = 0;
    for (; count < t->n_checks + t->n_alerts && count < sizeof(names) / sizeof(names[0]); count++)
        names[count] = id_of(t, count);
    complaint_set(&c, "there is no check \"%.100s\"", id);
    if (!complaint_suggest(&c, id, "", names, count))
        complaint_hint(&c, "talosvip explain lists them");
    complaint_print(&c);
    return EXIT_USAGE;
}

static void print_list(const struct topics *t)
{
    for (size_t i = 0; i < t->n_checks; i++)
        printf("%s  %-8s  %s\n", t->checks[i].id, severity_name(t->checks[i].severity),
               t->checks[i].title);
    for (size_t i = 0; i < t->n_alerts; i++)
        printf("%s  %-8s  %s\n", t->alerts[i].id, snapshot_severity_name(t->alerts[i].severity),
               t->alerts[i].title);
}

void explain_list(void)
{
    struct topics t;
    t.checks = check_table(&t.n_checks);
    t.alerts = alert_table(&t.n_alerts);
    print_list(&t);
}

enum { NO_PAGER };

static enum exit_code run(const struct arguments *arguments)
{
    struct pager pager;
    struct topics t;
    size_t i = 0;
    const char *id = arguments->n_words > 0 ? arguments->words[0] : NULL;
    t.checks = check_table(&t.n_checks);
    t.alerts = alert_table(&t.n_alerts);
    while (id && i < t.n_checks + t.n_alerts && strcasecmp(id_of(&t, i), id) != 0)
        i++;
    if (i == t.n_checks + t.n_alerts)
        return unknown(id, &t);
    pager_open(&pager, arguments->values[NO_PAGER].origin == FROM_NOBODY);
    if (!id)
        print_list(&t);
    else if (i < t.n_checks)
        print_check(&t.checks[i]);
    else
        print_alert(&t.alerts[i - t.n_checks]);
    pager_close(&pager);
    return EXIT_DONE;
}

static const struct option options[] = {[NO_PAGER] = PAGER_OPTION, {.name = NULL}};

static const struct example examples[] = {
    {"explain TV203", "what a finding of validate means, and how to put it right"},
    {"explain TVA02", "what an alert of a running cluster means, and what to do"},
    {NULL, NULL},
};

const struct command cmd_explain = {
    .name = "explain",
    .group = "Check",
    .summary = "tell more about a finding or an alert, or list them all",
    .usage = "[ID]",
    .examples = examples,
    .options = options,
    .words_max = 1,
    .word = "ID",
    .run = run,
};
