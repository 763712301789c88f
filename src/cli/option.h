/* SPDX-License-Identifier: MIT */
/* What a command can be told. One table per command drives the parsing, the environment, the
 * defaults and the help. */
#ifndef TALOSVIP_CLI_OPTION_H
#define TALOSVIP_CLI_OPTION_H

#include <stdbool.h>
#include <stdint.h>

enum option_kind {
    OPTION_FLAG,     /* takes no value */
    OPTION_STRING,   /* the last one counts */
    OPTION_FILE,     /* as STRING, and names a file */
    OPTION_FILES,    /* each use adds one file */
    OPTION_LIST,     /* each use adds entries, separated by commas */
    OPTION_DURATION, /* Go's form; between min_us and max_us */
    OPTION_NUMBER,   /* decimal; between min and max */
    OPTION_ENUM,     /* one of `choices` */
};

#define OPTION_ENV_MAX 2

struct option {
    const char *name; /* without the dashes; NULL ends a table */
    char letter;      /* or 0 */
    enum option_kind kind;
    const char *metavar;                 /* the value in the help; NULL for FLAG */
    const char *const *choices;          /* ENUM: NULL-terminated */
    uint64_t min_us, max_us;             /* DURATION */
    uint64_t min, max;                   /* NUMBER */
    const char *env[OPTION_ENV_MAX + 1]; /* the first that is set and not empty counts */
    const char *fallback;                /* default, in the same text form, or NULL */
    const char *help;
    bool is_alone; /* goes with no word, so that a shell adds none */
};

/* -o, by the name it has in every command that writes in more than one format. */
#define OPTION_OUTPUT(choices_, fallback_, help_)                                                  \
    {                                                                                              \
        .name = "output", .letter = 'o', .kind = OPTION_ENUM, .metavar = "FORMAT",                 \
        .choices = choices_, .fallback = fallback_, .help = help_                                  \
    }

/* A flag that people know from other programs, and what to tell them. */
struct habit {
    const char *flag; /* with its dashes; NULL ends a table */
    const char *what;
    const char *hint; /* or NULL */
};

/* NULL when there is none. */
const struct option *option_by_name(const struct option *options, const char *name);
const struct option *option_by_letter(const struct option *options, char letter);

#endif
