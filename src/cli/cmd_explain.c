/* SPDX-License-Identifier: MIT */
#include "pager.h"
#include "table.h"

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

static enum exit_code unknown(const char *id, const struct check *table, size_t n)
{
    const char *names[256];
    struct complaint c = {.what = ""};
    size_t count = 0;
    for (; count < n && count < sizeof(names) / sizeof(names[0]); count++)
        names[count] = table[count].id;
    complaint_set(&c, "there is no check \"%.100s\"", id);
    if (!complaint_suggest(&c, id, "", names, count))
        complaint_hint(&c, "talosvip explain lists them");
    complaint_print(&c);
    return EXIT_USAGE;
}

static void print_list(const struct check *table, size_t n)
{
    for (size_t i = 0; i < n; i++)
        printf("%s  %-7s  %s\n", table[i].id, severity_name(table[i].severity), table[i].title);
}

enum { NO_PAGER };

static enum exit_code run(const struct arguments *arguments)
{
    struct pager pager;
    size_t n, i = 0;
    const struct check *table = check_table(&n);
    const char *id = arguments->n_words > 0 ? arguments->words[0] : NULL;
    while (id && i < n && strcasecmp(table[i].id, id) != 0)
        i++;
    if (i == n)
        return unknown(id, table, n);
    pager_open(&pager, arguments->values[NO_PAGER].origin == FROM_NOBODY);
    if (id)
        print_check(&table[i]);
    else
        print_list(table, n);
    pager_close(&pager);
    return EXIT_DONE;
}

static const struct option options[] = {[NO_PAGER] = PAGER_OPTION, {.name = NULL}};

static const struct example examples[] = {
    {"explain TV203", "what a finding means, and how to put it right"},
    {NULL, NULL},
};

const struct command cmd_explain = {
    .name = "explain",
    .group = "Check",
    .summary = "tell more about a finding of validate, or list them all",
    .usage = "[ID]",
    .examples = examples,
    .options = options,
    .words_max = 1,
    .word = "ID",
    .run = run,
};
