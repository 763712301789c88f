/* SPDX-License-Identifier: MIT */
/* A validation report in each output format. All append to `out`; what went wrong there sticks in
 * it. Nothing from a file reaches the output raw: control characters become '?', secrets
 * "<redacted>". */
#ifndef TALOSVIP_CLI_VALIDATE_OUTPUT_H
#define TALOSVIP_CLI_VALIDATE_OUTPUT_H

#include "base/buf.h"
#include "config/validate.h"

struct validate_style {
    bool is_quiet;            /* only findings */
    bool has_color, is_utf8;  /* human only */
    unsigned width;           /* columns of the terminal, at least 40; human only */
    const char *const *allow; /* the IDs of --allow, for SARIF */
    size_t n_allow;
};

void validate_human(const struct validate_report *report, const struct validate_style *style,
                    struct buf *out);
/* One line per finding, as compilers have it. */
void validate_short(const struct validate_report *report, const struct validate_style *style,
                    struct buf *out);
/* docs/validate-schema.json */
void validate_json(const struct validate_report *report, const struct validate_style *style,
                   struct buf *out);
/* Workflow commands of GitHub Actions. */
void validate_github(const struct validate_report *report, const struct validate_style *style,
                     struct buf *out);
/* OASIS SARIF 2.1.0 */
void validate_sarif(const struct validate_report *report, const struct validate_style *style,
                    struct buf *out);

/* validate_human.c: the "Result: ..." line. */
void validate_result(const struct validate_report *report, struct buf *out);
/* The file of a place; NULL when it is none of the report's. */
const struct validate_file *validate_file_of(const struct validate_report *report,
                                             const struct finding_place *at);

#endif
