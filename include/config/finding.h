/* SPDX-License-Identifier: MIT */
/* What was found wrong in configuration files, as data. Nothing here prints or exits.
 * Secrets never get into a finding: only values of keys that hold none are quoted. */
#ifndef TALOSVIP_CONFIG_FINDING_H
#define TALOSVIP_CONFIG_FINDING_H

#include "config/check.h"

#include <stdbool.h>
#include <stddef.h>

struct buf;

/* A range of a file. Lines and columns count from 1, columns in characters, offsets in bytes
 * from 0. `line` is 0 when only the file is known, `file` NULL when nothing is. The end is the
 * first character behind the range. */
struct finding_place {
    const char *file;
    const char
        *yaml_path;    /* JSON pointer such as /machine/type, "" for a whole document, or NULL */
    unsigned document; /* from 1 within the file; 0 when unknown */
    unsigned line, column;
    size_t offset;
    unsigned end_line, end_column;
    size_t end_offset;
};

#define FINDING_RELATED_MAX 4

struct finding_related {
    struct finding_place at;
    char *message;
};

struct finding {
    const char *id; /* of the check table; static */
    enum severity severity;
    struct finding_place at;
    char *message;    /* one short sentence without a full stop */
    char *label;      /* a few words for beside the caret; or NULL */
    char *why;        /* what goes wrong otherwise; or NULL */
    char *help;       /* or NULL */
    char *suggestion; /* the text that should stand at `at`; or NULL */
    struct finding_related related[FINDING_RELATED_MAX];
    size_t n_related;
    bool is_across;           /* about several files together; not counted in any one of them */
    bool is_suppressed;       /* by a comment or --allow */
    char *suppression_reason; /* what the comment says; or NULL */
};

#define FINDINGS_MAX 1000

struct findings {
    struct finding *list; /* owned, with all its strings */
    size_t n, cap;
    size_t max;                     /* FINDINGS_MAX; may be raised after findings_init() */
    size_t dropped;                 /* not in the list because it is full */
    size_t errors, warnings, infos; /* dropped ones included */
    int error;                      /* 0, or -ENOMEM when one got lost */
};

void findings_init(struct findings *findings);
/* Moves all of `from` behind those of `to`, as far as `to` has room; `from` is empty then. */
void findings_move(struct findings *to, struct findings *from);
/* Keeps those that `keep` says, and takes the others out of the counters. */
void findings_filter(struct findings *findings, bool (*keep)(void *arg, const struct finding *f),
                     void *arg);
/* Those about several files go last, as they stand; the order of others stays. */
void findings_sort_across(struct findings *findings);
/* By line and column; equal ones keep their order. */
void findings_sort(struct findings *findings);
/* Takes NULL. */
void findings_done(struct findings *findings);

/* Appends a finding with the check's usual severity; `at` is copied and may be NULL. Returns
 * it until the next call, or NULL when it was only counted (list full, no memory). */
struct finding *finding_add(struct findings *findings, const char *id,
                            const struct finding_place *at, const char *fmt, ...)
    __attribute__((format(printf, 4, 5)));
/* All take a NULL finding and then do nothing. */
void finding_set_severity(struct findings *findings, struct finding *finding,
                          enum severity severity);
void finding_set_help(struct findings *findings, struct finding *finding, const char *fmt, ...)
    __attribute__((format(printf, 3, 4)));
void finding_set_label(struct findings *findings, struct finding *finding, const char *fmt, ...)
    __attribute__((format(printf, 3, 4)));
void finding_set_why(struct findings *findings, struct finding *finding, const char *fmt, ...)
    __attribute__((format(printf, 3, 4)));
/* Makes it one of another check, at the same place; all it said besides is gone. */
void finding_change(struct findings *findings, struct finding *finding, const char *id,
                    const char *message);
/* Also makes the help "did you mean ...?" when there is none yet. */
void finding_set_suggestion(struct findings *findings, struct finding *finding, const char *text);
/* One more place; those over FINDING_RELATED_MAX are left out. */
void finding_add_related(struct findings *findings, struct finding *finding,
                         const struct finding_place *at, const char *fmt, ...)
    __attribute__((format(printf, 4, 5)));
/* Marks it; `reason` may be NULL. The counters stay. */
void finding_suppress(struct findings *findings, struct finding *finding, const char *reason);

/* "cp.yaml:12:15: error: message [TV103]", and a second line "  hint: ..." when there is help.
 * No newline at the end. 0 or the buf's sticky error. */
int finding_format_short(const struct finding *finding, struct buf *out);

#endif
