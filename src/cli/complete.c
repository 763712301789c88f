/* SPDX-License-Identifier: MIT */
#include "complete.h"

#include "table.h"

#include "base/text.h"
#include "config/check.h"

#include <ctype.h>
#include <stdio.h>
#include <string.h>

struct completing {
    const struct command *command;
    const char *const *words;
    size_t n;                    /* the last one is being typed */
    const char *typed;           /* that one */
    size_t n_plain;              /* words before it that are no flags */
    bool only_words;             /* after "--" */
    const struct option *option; /* whose value is being typed, or NULL */
    complete_values_fn values;
    void *arg;
    bool wants_files;
    struct buf *out;
};

static bool begins_with(const char *text, const char *prefix)
{
    return strncmp(text, prefix, strlen(prefix)) == 0;
}

void complete_add(struct buf *out, const char *prefix, const char *value, const char *description)
{
    if (!*value || !begins_with(value, prefix))
        return;
    text_add_plain(out, value);
    buf_putc(out, '\t');
    text_add_plain(out, description ? description : "");
    buf_putc(out, '\n');
}

void complete_add_node(struct buf *out, const char *prefix, const char *name,
                       const char *description)
{
    for (const char *c = name; *c; c++)
        if (!isalnum((unsigned char)*c) && (c == name || !strchr("._-", *c)))
            return;
    complete_add(out, prefix, name, description);
}

static void add_commands(struct completing *c)
{
    for (size_t i = 0; command_table[i]; i++)
        complete_add(c->out, c->typed, command_table[i]->name, command_table[i]->summary);
}

/* What there is help on. */
static void add_topics(struct completing *c)
{
    char name[MANUAL_NAME_MAX];
    const char *what;
    add_commands(c);
    for (size_t i = 0; help_topic(i, name, &what); i++)
        complete_add(c->out, c->typed, name, what);
}

static void add_checks(struct completing *c, const char *prefix)
{
    size_t n;
    const struct check *checks = check_table(&n);
    for (size_t i = 0; i < n; i++)
        complete_add(c->out, prefix, checks[i].id, checks[i].title);
}

/* What a word of a usage line stands for. */
static void add_values(struct completing *c, const char *what, const char *prefix)
{
    if (strcmp(what, "FILE") == 0 || strcmp(what, "DIR") == 0 || strcmp(what, "PATH") == 0)
        c->wants_files = true;
    else if (strcmp(what, "TOPIC") == 0)
        add_topics(c);
    else if (strcmp(what, "ID") == 0)
        add_checks(c, prefix);
    else if (c->values)
        c->values(c->arg, what, prefix, c->out);
}

static void add_option_value(struct completing *c, const struct option *option, const char *prefix)
{
    for (size_t i = 0; option->choices && option->choices[i]; i++)
        complete_add(c->out, prefix, option->choices[i], "");
    if (option->kind == OPTION_FILE || option->kind == OPTION_FILES)
        c->wants_files = true;
    else if (!option->choices && option->metavar)
        add_values(c, option->metavar, prefix);
}

static bool is_repeatable(const struct option *option)
{
    return option->kind == OPTION_FILES || option->kind == OPTION_LIST;
}

/* Whether an earlier word is this flag. */
static bool is_used(const struct completing *c, const struct option *option)
{
    for (size_t i = 1; i + 1 < c->n; i++) {
        const char *word = c->words[i];
        size_t len = strlen(option->name);
        if (begins_with(word, "--") && strncmp(word + 2, option->name, len) == 0 &&
            (word[2 + len] == '\0' || word[2 + len] == '='))
            return true;
        if (option->letter && word[0] == '-' && word[1] == option->letter && word[2] == '\0')
            return true;
    }
    return false;
}

static void add_flags(struct completing *c)
{
    char flag[80];
    for (const struct option *o = c->command->options; o->name; o++) {
        snprintf(flag, sizeof(flag), "--%s", o->name);
        if (is_repeatable(o) || !is_used(c, o))
            complete_add(c->out, c->typed, flag, o->help);
    }
    complete_add(c->out, c->typed, "--help", "what the command does, and its flags");
}

/* --name=value: the shell wants the whole word back. */
static void add_joined_value(struct completing *c, const char *equals)
{
    char name[64];
    struct buf values, *out = c->out;
    snprintf(name, sizeof(name), "%.*s", (int)(equals - c->typed - 2), c->typed + 2);
    const struct option *option = option_by_name(c->command->options, name);
    if (!option)
        return;
    buf_init(&values, 0);
    c->out = &values;
    add_option_value(c, option, equals + 1);
    c->out = out;
    const char *line = buf_str(&values);
    for (size_t len; *line; line += len) {
        len = strcspn(line, "\n") + 1;
        buf_printf(out, "--%s=%.*s", option->name, (int)len, line);
    }
    buf_done(&values);
}

/* The option whose value the word at `i` is; NULL when it is none. */
static const struct option *option_before(const struct completing *c, size_t i)
{
    const char *word = i > 1 ? c->words[i - 1] : "";
    const struct option *option = NULL;
    if (begins_with(word, "--") && word[2])
        option = option_by_name(c->command->options, word + 2);
    else if (word[0] == '-' && word[1] && word[1] != '-' && !word[2])
        option = option_by_letter(c->command->options, word[1]);
    return option && option->kind != OPTION_FLAG ? option : NULL;
}

static void read_words(struct completing *c)
{
    for (size_t i = 1; i + 1 < c->n; i++) {
        if (!c->only_words && option_before(c, i))
            continue;
        if (!c->only_words && strcmp(c->words[i], "--") == 0)
            c->only_words = true;
        else if (c->only_words || c->words[i][0] != '-' || !c->words[i][1])
            c->n_plain++;
    }
    if (!c->only_words)
        c->option = option_before(c, c->n - 1);
}

static void add_words(struct completing *c)
{
    const struct command *command = c->command;
    if (command->verbs && c->n_plain == 0) {
        for (size_t i = 0; command->verbs[i]; i++)
            complete_add(c->out, c->typed, command->verbs[i], "");
        return;
    }
    if (command->word && c->n_plain < command->words_max)
        add_values(c, command->word, c->typed);
}

static void complete_command(struct completing *c)
{
    const char *equals = begins_with(c->typed, "--") ? strchr(c->typed, '=') : NULL;
    read_words(c);
    if (c->option)
        add_option_value(c, c->option, c->typed);
    else if (!c->only_words && equals)
        add_joined_value(c, equals);
    else if (!c->only_words && c->typed[0] == '-')
        add_flags(c);
    else
        add_words(c);
}

void complete_line(const char *const *words, size_t n, complete_values_fn values, void *arg,
                   struct buf *out)
{
    struct completing c = {.words = words,
                           .n = n,
                           .typed = n ? words[n - 1] : "",
                           .values = values,
                           .arg = arg,
                           .out = out};
    if (n <= 1) {
        add_commands(&c);
        complete_add(out, c.typed, "--help", "commands and examples");
        complete_add(out, c.typed, "--version", "of the program and its libraries");
    } else if ((c.command = command_find(words[0]))) {
        complete_command(&c);
    }
    buf_puts(out, c.wants_files ? ":0\n" : ":4\n");
}
