/* SPDX-License-Identifier: MIT */
/* The one table of checks: `validate`, `explain` and the manual page read it. */
#ifndef TALOSVIP_CONFIG_CHECK_H
#define TALOSVIP_CONFIG_CHECK_H

#include <stddef.h>

enum severity { SEVERITY_INFO, SEVERITY_WARNING, SEVERITY_ERROR };

struct check {
    const char *id;         /* "TV103" */
    enum severity severity; /* the usual one; a single finding may be milder */
    const char *title;
    const char *meaning; /* what the finding says; sentences */
    const char *why;     /* what goes wrong otherwise */
    const char *wrong;   /* YAML, lines that end in a newline; or NULL */
    const char *right;   /* the same put right, or what to do; or NULL */
};

/* All checks in the order of their IDs; static. */
const struct check *check_table(size_t *ret_n);
/* By exact ID; NULL when there is none. */
const struct check *check_find(const char *id);
/* "error", "warning", "info" */
const char *severity_name(enum severity severity);

#endif
