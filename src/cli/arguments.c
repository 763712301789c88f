/* SPDX-License-Identifier: MIT */
#include "arguments.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

struct reader {
    struct arguments *to;
    const struct habit *habits;
    size_t words_max;
    int argc, at;
    char *const *argv;
    struct complaint *complaint;
};

static int unknown_flag(struct reader *r, const char *flag, size_t len)
{
    const char *names[ARGUMENT_OPTIONS_MAX + 1];
    size_t n = 0;
    char typed[128];
    snprintf(typed, sizeof(typed), "%.*s", (int)(len < 100 ? len : 100), flag);
    for (const struct habit *h = r->habits; h && h->flag; h++)
        if (strcmp(h->flag, typed) == 0) {
            complaint_set(r->complaint, "%s", h->what);
            if (h->hint)
                complaint_hint(r->complaint, "%s", h->hint);
            return -EINVAL;
        }
    complaint_set(r->complaint, "unknown flag %s", typed);
    for (const struct option *o = r->to->options; o->name; o++)
        names[n++] = o->name;
    names[n++] = "help";
    if (strncmp(typed, "--", 2) == 0)
        complaint_suggest(r->complaint, typed + 2, "--", names, n);
    else if (strlen(typed) > 2) /* -config for --config */
        complaint_suggest(r->complaint, typed + 1, "--", names, n);
    return -EINVAL;
}

/* A value that looks like a flag is a forgotten value; --name=VALUE takes any. */
static const char *next_value(struct reader *r)
{
    if (r->at + 1 >= r->argc)
        return NULL;
    const char *next = r->argv[r->at + 1];
    if (next[0] == '-' && next[1])
        return NULL;
    r->at++;
    return next;
}

/* `text` NULL: the value is the next word. */
static int take(struct reader *r, const struct option *option, const char *text)
{
    char label[64];
    struct argument *value = &r->to->values[option - r->to->options];
    snprintf(label, sizeof(label), "--%s", option->name);
    if (option->kind == OPTION_FLAG && text)
        return complaint_set(r->complaint, "%s takes no value", label);
    if (option->kind == OPTION_FLAG)
        text = "";
    else if (!text && !(text = next_value(r)))
        return complaint_set(r->complaint, "%s needs a value: %s %s", label, label,
                             option->metavar);
    int e = value_set(value, option, label, text, r->complaint);
    if (e < 0)
        return e;
    value->origin = FROM_FLAG;
    value->text = text;
    return 0;
}

static int take_long(struct reader *r, const char *word)
{
    char name[64];
    size_t len = strcspn(word + 2, "=");
    const char *text = word[2 + len] ? word + 2 + len + 1 : NULL;
    snprintf(name, sizeof(name), "%.*s", (int)(len < sizeof(name) ? len : sizeof(name) - 1),
             word + 2);
    const struct option *option = option_by_name(r->to->options, name);
    return option ? take(r, option, text) : unknown_flag(r, word, len + 2);
}

/* -o json, -ojson, -o=json, and several flags without values in one word. */
static int take_short(struct reader *r, const char *word)
{
    char name[64];
    size_t len = strcspn(word, "=");
    snprintf(name, sizeof(name), "%.*s", (int)(len < sizeof(name) ? len - 1 : 0), word + 1);
    if (len > 2 && option_by_name(r->to->options, name)) /* -config is not -c onfig */
        return unknown_flag(r, word, len);
    for (const char *p = word + 1; *p; p++) {
        const struct option *option = option_by_letter(r->to->options, *p);
        const char *text = !p[1] ? NULL : p[1] == '=' ? p + 2 : p + 1;
        if (!option)
            return unknown_flag(r, word, len);
        if (option->kind != OPTION_FLAG || p[1] == '=')
            return take(r, option, text);
        int e = take(r, option, NULL);
        if (e < 0)
            return e;
    }
    return 0;
}

static int take_word(struct reader *r, const char *word)
{
    if (r->to->n_words >= r->words_max)
        return complaint_set(r->complaint, "unexpected argument \"%.100s\"", word);
    r->to->words[r->to->n_words++] = word;
    return 0;
}

static int read_words(struct reader *r)
{
    bool is_ended = false;
    for (; r->at < r->argc; r->at++) {
        const char *word = r->argv[r->at];
        int e = 0;
        if (is_ended || word[0] != '-' || !word[1])
            e = take_word(r, word);
        else if (strcmp(word, "--") == 0)
            is_ended = true;
        else if (word[1] == '-')
            e = take_long(r, word);
        else
            e = take_short(r, word);
        if (e < 0)
            return e;
    }
    return 0;
}

/* Go's spellings of a boolean, which etcdctl takes, and those of people. Off by a variable is as
 * good as on: the next one is not asked. */
static int set_switch(struct argument *value, const char *label, const char *text,
                      struct complaint *c)
{
    static const char *const words[] = {"1", "t", "true",  "on",  "yes",
                                        "0", "f", "false", "off", "no"};
    const size_t n = sizeof(words) / sizeof(words[0]);
    size_t i = 0;
    while (i < n && strcasecmp(words[i], text) != 0)
        i++;
    if (i == n)
        return complaint_set(c, "%s: \"%.100s\" is neither true nor false", label, text);
    if (i < n / 2)
        value->origin = FROM_ENVIRONMENT;
    return 0;
}

static int read_variable(struct reader *r, const struct option *o, const char *name,
                         const char *text)
{
    struct argument *value = &r->to->values[o - r->to->options];
    int e = value_set(value, o, name, text, r->complaint);
    if (e == 0 && o->kind == OPTION_FLAG)
        return set_switch(value, name, text, r->complaint);
    if (e == 0)
        value->origin = FROM_ENVIRONMENT;
    return e;
}

static int read_environment(struct reader *r)
{
    for (const struct option *o = r->to->options; o->name; o++) {
        struct argument *value = &r->to->values[o - r->to->options];
        const char *text = NULL;
        size_t i = 0;
        while (o->env[i] && !((text = getenv(o->env[i])) && *text))
            i++;
        if (value->origin != FROM_NOBODY || !o->env[i])
            continue;
        int e = read_variable(r, o, o->env[i], text);
        if (e < 0)
            return e;
        if (value->origin == FROM_ENVIRONMENT) {
            value->variable = o->env[i];
            value->text = text;
        }
    }
    return 0;
}

static int read_defaults(struct reader *r)
{
    for (const struct option *o = r->to->options; o->name; o++) {
        struct argument *value = &r->to->values[o - r->to->options];
        if (value->origin != FROM_NOBODY || !o->fallback)
            continue;
        int e = value_set(value, o, o->name, o->fallback, r->complaint);
        if (e < 0)
            return e;
        value->origin = FROM_DEFAULT;
        value->text = o->fallback;
    }
    return 0;
}

static bool asks_for_help(int argc, char *const argv[])
{
    for (int i = 0; i < argc && strcmp(argv[i], "--") != 0; i++)
        if (strcmp(argv[i], "-h") == 0 || strcmp(argv[i], "--help") == 0)
            return true;
    return false;
}

int arguments_parse(const struct option *options, const struct habit *habits, size_t words_max,
                    int argc, char *const argv[], struct arguments *ret_arguments,
                    struct complaint *ret_complaint)
{
    struct arguments arguments = {.options = options};
    struct reader r = {.to = &arguments,
                       .habits = habits,
                       .words_max = words_max < ARGUMENT_WORDS_MAX ? words_max : ARGUMENT_WORDS_MAX,
                       .argc = argc,
                       .argv = argv,
                       .complaint = ret_complaint};
    int e = 0;
    arguments.wants_help = asks_for_help(argc, argv);
    if (!arguments.wants_help) {
        e = read_words(&r);
        if (e == 0)
            e = read_environment(&r);
        if (e == 0)
            e = read_defaults(&r);
    }
    if (e < 0) {
        arguments_done(&arguments);
        return e;
    }
    *ret_arguments = arguments;
    return 0;
}

void arguments_done(struct arguments *arguments)
{
    if (!arguments)
        return;
    for (size_t i = 0; i < ARGUMENT_OPTIONS_MAX; i++) {
        struct argument *value = &arguments->values[i];
        for (size_t j = 0; j < value->n; j++)
            free(value->list[j]);
        free(value->list);
        *value = (struct argument){.n = 0};
    }
}
