/* SPDX-License-Identifier: MIT */
/* A command's words, checked against its option table: from the command line first, then the
 * environment, then the defaults. Prints nothing and never exits. */
#ifndef TALOSVIP_CLI_ARGUMENTS_H
#define TALOSVIP_CLI_ARGUMENTS_H

#include "complaint.h"
#include "option.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define ARGUMENT_OPTIONS_MAX 32 /* entries of an option table */
#define ARGUMENT_WORDS_MAX 1000
#define ARGUMENT_LIST_MAX 64    /* entries of one list */
#define ARGUMENT_VALUE_MAX 4096 /* bytes of one value */

enum argument_origin { FROM_NOBODY, FROM_DEFAULT, FROM_ENVIRONMENT, FROM_FLAG };

struct argument {
    enum argument_origin origin;
    const char *variable; /* FROM_ENVIRONMENT: its name */
    const char *text;     /* the value as it was written, borrowed; NULL FROM_NOBODY */
    char **list;          /* FILES, LIST: owned */
    size_t n;             /* entries of `list` */
    uint64_t us;          /* DURATION */
    uint64_t number;      /* NUMBER */
    size_t choice;        /* ENUM: index into the choices */
};

struct arguments {
    const struct option *options;
    struct argument values[ARGUMENT_OPTIONS_MAX]; /* same index as the option */
    const char *words[ARGUMENT_WORDS_MAX];        /* what is no option; borrowed */
    size_t n_words;
    bool wants_help; /* then nothing else was looked at */
};

/* `argv` without the program and the command; it and the environment must outlive the result.
 * `habits` may be NULL. 0; -EINVAL with *ret_complaint; -ENOMEM. After a failure there is nothing
 * to free. */
int arguments_parse(const struct option *options, const struct habit *habits, size_t words_max,
                    int argc, char *const argv[], struct arguments *ret_arguments,
                    struct complaint *ret_complaint);
/* Takes NULL. */
void arguments_done(struct arguments *arguments);

/* value.c: sets `value` from one text, its origin excepted. `label` names the source in
 * complaints. 0, -EINVAL, -ENOMEM; entries that were added stay. */
int value_set(struct argument *value, const struct option *option, const char *label,
              const char *text, struct complaint *ret_complaint);

#endif
