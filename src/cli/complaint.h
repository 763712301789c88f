/* SPDX-License-Identifier: MIT */
/* What is told to a person when a command cannot go on: one line, and at most one hint. */
#ifndef TALOSVIP_CLI_COMPLAINT_H
#define TALOSVIP_CLI_COMPLAINT_H

#include <stddef.h>

struct complaint {
    char what[640]; /* "<what failed>: <why>", without the program's name */
    char hint[320]; /* "" when there is none */
};

/* Sets the line, and clears the hint. Returns -EINVAL, for the caller to return. */
int complaint_set(struct complaint *c, const char *fmt, ...) __attribute__((format(printf, 2, 3)));
void complaint_hint(struct complaint *c, const char *fmt, ...)
    __attribute__((format(printf, 2, 3)));
/* On stderr, with control characters replaced. */
void complaint_print(const struct complaint *c);

/* Appends "; did you mean X?" when one of the names is near enough to what was typed, and says
 * whether it did. `prefix` comes before the name. */
int complaint_suggest(struct complaint *c, const char *typed, const char *prefix,
                      const char *const *names, size_t n);

#endif
