/* SPDX-License-Identifier: MIT */
#include "arguments.h"

#include "base/parse.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static int add_entry(struct argument *value, const char *label, const char *text, size_t len,
                     struct complaint *c)
{
    if (len == 0)
        return complaint_set(c, "%s: an entry is empty", label);
    if (value->n == ARGUMENT_LIST_MAX)
        return complaint_set(c, "%s: more than %d entries", label, ARGUMENT_LIST_MAX);
    char **list = realloc(value->list, (value->n + 1) * sizeof(*list));
    if (!list)
        return -ENOMEM;
    value->list = list;
    list[value->n] = strndup(text, len);
    if (!list[value->n])
        return -ENOMEM;
    value->n++;
    return 0;
}

static int add_entries(struct argument *value, const char *label, const char *text,
                       struct complaint *c)
{
    for (;;) {
        size_t len = strcspn(text, ",");
        int r = add_entry(value, label, text, len, c);
        if (r < 0 || !text[len])
            return r;
        text += len + 1;
    }
}

static int set_duration(struct argument *value, const struct option *option, const char *label,
                        const char *text, struct complaint *c)
{
    char least[DURATION_TEXT_MAX], most[DURATION_TEXT_MAX];
    uint64_t us;
    int r = parse_duration(text, &us);
    if (r == -EINVAL) {
        complaint_set(c, "%s: \"%s\" is not a duration", label, text);
        complaint_hint(c, "write it like 5s, 1500ms or 1m30s");
        return -EINVAL;
    }
    if (r < 0 || us < option->min_us || us > option->max_us) {
        duration_format(option->min_us, least);
        duration_format(option->max_us, most);
        return complaint_set(c, "%s: %s is not between %s and %s", label, text, least, most);
    }
    value->us = us;
    return 0;
}

static int set_number(struct argument *value, const struct option *option, const char *label,
                      const char *text, struct complaint *c)
{
    uint64_t number;
    int r = parse_u64(text, &number);
    if (r == -EINVAL)
        return complaint_set(c, "%s: \"%s\" is not a number", label, text);
    if (r < 0 || number < option->min || number > option->max)
        return complaint_set(c, "%s: %s is not between %" PRIu64 " and %" PRIu64, label, text,
                             option->min, option->max);
    value->number = number;
    return 0;
}

static int set_choice(struct argument *value, const struct option *option, const char *label,
                      const char *text, struct complaint *c)
{
    size_t n = 0, used;
    for (; option->choices[n]; n++)
        if (strcmp(option->choices[n], text) == 0) {
            value->choice = n;
            return 0;
        }
    complaint_set(c, "%s: \"%s\" is not one of", label, text);
    for (size_t i = 0; i < n; i++) {
        used = strlen(c->what);
        snprintf(c->what + used, sizeof(c->what) - used, "%s %s", i ? "," : "", option->choices[i]);
    }
    complaint_suggest(c, text, "", option->choices, n);
    return -EINVAL;
}

int value_set(struct argument *value, const struct option *option, const char *label,
              const char *text, struct complaint *ret_complaint)
{
    int r = 0;
    if (!*text && option->kind != OPTION_FLAG)
        return complaint_set(ret_complaint, "%s: the value is empty", label);
    if (strlen(text) > ARGUMENT_VALUE_MAX)
        return complaint_set(ret_complaint, "%s: the value is longer than %d bytes", label,
                             ARGUMENT_VALUE_MAX);
    switch (option->kind) {
    case OPTION_FLAG:
    case OPTION_STRING:
    case OPTION_FILE:
        break;
    case OPTION_FILES:
        r = add_entry(value, label, text, strlen(text), ret_complaint);
        break;
    case OPTION_LIST:
        r = add_entries(value, label, text, ret_complaint);
        break;
    case OPTION_DURATION:
        r = set_duration(value, option, label, text, ret_complaint);
        break;
    case OPTION_NUMBER:
        r = set_number(value, option, label, text, ret_complaint);
        break;
    case OPTION_ENUM:
        r = set_choice(value, option, label, text, ret_complaint);
        break;
    }
    return r;
}
