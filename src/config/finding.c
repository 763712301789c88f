/* SPDX-License-Identifier: MIT */
#include "config/finding.h"

#include "base/buf.h"

#include <assert.h>
#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

void findings_init(struct findings *findings)
{
    memset(findings, 0, sizeof(*findings));
}

static void place_done(struct finding_place *place)
{
    free((void *)place->file);
    free((void *)place->yaml_path);
}

static void finding_done(struct finding *finding)
{
    place_done(&finding->at);
    place_done(&finding->related);
    free(finding->message);
    free(finding->help);
    free(finding->related_message);
}

void findings_done(struct findings *findings)
{
    if (!findings)
        return;
    for (size_t i = 0; i < findings->n; i++)
        finding_done(&findings->list[i]);
    free(findings->list);
    findings_init(findings);
}

__attribute__((format(printf, 1, 0))) static char *format_text(const char *fmt, va_list ap)
{
    char *text = NULL;
    return vasprintf(&text, fmt, ap) < 0 ? NULL : text;
}

/* -ENOMEM leaves what was copied so far, to be freed by place_done(). */
static int place_copy(struct finding_place *to, const struct finding_place *from)
{
    *to = *from;
    to->file = from->file ? strdup(from->file) : NULL;
    to->yaml_path = from->yaml_path ? strdup(from->yaml_path) : NULL;
    return (from->file && !to->file) || (from->yaml_path && !to->yaml_path) ? -ENOMEM : 0;
}

static size_t *counter(struct findings *findings, enum severity severity)
{
    return severity == SEVERITY_ERROR     ? &findings->errors
           : severity == SEVERITY_WARNING ? &findings->warnings
                                          : &findings->infos;
}

static struct finding *slot(struct findings *findings)
{
    if (findings->n == FINDINGS_MAX) {
        findings->dropped++;
        return NULL;
    }
    if (findings->n == findings->cap) {
        size_t cap = findings->cap ? findings->cap * 2 : 8;
        struct finding *list = realloc(findings->list, cap * sizeof(*list));
        if (!list) {
            findings->error = -ENOMEM;
            return NULL;
        }
        findings->list = list;
        findings->cap = cap;
    }
    return &findings->list[findings->n];
}

struct finding *finding_add(struct findings *findings, const char *id,
                            const struct finding_place *at, const char *fmt, ...)
{
    const struct check *check = check_find(id);
    assert(check);
    ++*counter(findings, check->severity);
    struct finding *f = slot(findings);
    if (!f)
        return NULL;
    memset(f, 0, sizeof(*f));
    f->id = check->id;
    f->severity = check->severity;
    va_list ap;
    va_start(ap, fmt);
    f->message = format_text(fmt, ap);
    va_end(ap);
    if ((at && place_copy(&f->at, at) < 0) || !f->message) {
        finding_done(f);
        findings->error = -ENOMEM;
        return NULL;
    }
    findings->n++;
    return f;
}

void finding_set_severity(struct findings *findings, struct finding *finding,
                          enum severity severity)
{
    if (!finding)
        return;
    --*counter(findings, finding->severity);
    ++*counter(findings, severity);
    finding->severity = severity;
}

void finding_set_help(struct findings *findings, struct finding *finding, const char *fmt, ...)
{
    if (!finding)
        return;
    va_list ap;
    va_start(ap, fmt);
    char *help = format_text(fmt, ap);
    va_end(ap);
    if (!help) {
        findings->error = -ENOMEM;
        return;
    }
    free(finding->help);
    finding->help = help;
}

void finding_set_related(struct findings *findings, struct finding *finding,
                         const struct finding_place *at, const char *message)
{
    if (!finding)
        return;
    place_done(&finding->related);
    free(finding->related_message);
    int r = place_copy(&finding->related, at);
    finding->related_message = strdup(message);
    if (r < 0 || !finding->related_message)
        findings->error = -ENOMEM;
}

int finding_format_short(const struct finding *finding, struct buf *out)
{
    const struct finding_place *at = &finding->at;
    if (at->file) {
        buf_puts(out, at->file);
        if (at->line)
            buf_printf(out, ":%u:%u", at->line, at->column);
        buf_puts(out, ": ");
    }
    buf_printf(out, "%s: %s [%s]", severity_name(finding->severity), finding->message, finding->id);
    if (finding->related_message) {
        const struct finding_place *other = &finding->related;
        buf_printf(out, "\n  %s", finding->related_message);
        if (other->file && other->line)
            buf_printf(out, " (%s:%u:%u)", other->file, other->line, other->column);
    }
    if (finding->help)
        buf_printf(out, "\n  hint: %s", finding->help);
    return out->error;
}
