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
    findings->max = FINDINGS_MAX;
}

static void place_done(struct finding_place *place)
{
    free((void *)place->file);
    free((void *)place->yaml_path);
}

static void finding_done(struct finding *finding)
{
    place_done(&finding->at);
    for (size_t i = 0; i < finding->n_related; i++) {
        place_done(&finding->related[i].at);
        free(finding->related[i].message);
    }
    free(finding->message);
    free(finding->label);
    free(finding->why);
    free(finding->help);
    free(finding->suggestion);
    free(finding->suppression_reason);
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
    if (findings->n >= findings->max) {
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

/* Puts a new text in place of an old one; NULL is lack of memory. */
static void replace_text(struct findings *findings, char **text, char *with)
{
    if (!with) {
        findings->error = -ENOMEM;
        return;
    }
    free(*text);
    *text = with;
}

static void forget(char **text)
{
    free(*text);
    *text = NULL;
}

void finding_change(struct findings *findings, struct finding *finding, const char *id,
                    const char *message)
{
    const struct check *check = check_find(id);
    assert(check);
    if (!finding)
        return;
    finding->id = check->id;
    finding_set_severity(findings, finding, check->severity);
    replace_text(findings, &finding->message, strdup(message));
    forget(&finding->label);
    forget(&finding->why);
    forget(&finding->help);
    forget(&finding->suggestion);
}

#define SET_TEXT(member)                                                                           \
    if (finding) {                                                                                 \
        va_list ap;                                                                                \
        va_start(ap, fmt);                                                                         \
        replace_text(findings, &finding->member, format_text(fmt, ap));                            \
        va_end(ap);                                                                                \
    }

void finding_set_help(struct findings *findings, struct finding *finding, const char *fmt, ...)
{
    SET_TEXT(help)
}

void finding_set_label(struct findings *findings, struct finding *finding, const char *fmt, ...)
{
    SET_TEXT(label)
}

void finding_set_why(struct findings *findings, struct finding *finding, const char *fmt, ...)
{
    SET_TEXT(why)
}

void finding_set_suggestion(struct findings *findings, struct finding *finding, const char *text)
{
    if (!finding)
        return;
    replace_text(findings, &finding->suggestion, strdup(text));
    if (!finding->help)
        finding_set_help(findings, finding, "did you mean \"%s\"?", text);
}

void finding_add_related(struct findings *findings, struct finding *finding,
                         const struct finding_place *at, const char *fmt, ...)
{
    if (!finding || finding->n_related == FINDING_RELATED_MAX)
        return;
    struct finding_related *related = &finding->related[finding->n_related++];
    va_list ap;
    va_start(ap, fmt);
    related->message = format_text(fmt, ap);
    va_end(ap);
    if (place_copy(&related->at, at) < 0 || !related->message)
        findings->error = -ENOMEM;
}

void finding_suppress(struct findings *findings, struct finding *finding, const char *reason)
{
    finding->is_suppressed = true;
    if (reason)
        replace_text(findings, &finding->suppression_reason, strdup(reason));
}

void findings_move(struct findings *to, struct findings *from)
{
    for (size_t i = 0; i < from->n; i++) {
        struct finding *f = slot(to);
        if (f) {
            *f = from->list[i];
            to->n++;
        } else {
            finding_done(&from->list[i]);
        }
    }
    to->errors += from->errors;
    to->warnings += from->warnings;
    to->infos += from->infos;
    to->dropped += from->dropped;
    if (from->error)
        to->error = from->error;
    free(from->list);
    size_t max = from->max;
    findings_init(from);
    from->max = max;
}

void findings_filter(struct findings *findings, bool (*keep)(void *arg, const struct finding *f),
                     void *arg)
{
    size_t n = 0;
    for (size_t i = 0; i < findings->n; i++) {
        struct finding *f = &findings->list[i];
        if (keep(arg, f)) {
            findings->list[n++] = *f;
        } else {
            --*counter(findings, f->severity);
            finding_done(f);
        }
    }
    findings->n = n;
}

typedef bool (*before_fn)(const struct finding *a, const struct finding *b);

static bool is_before(const struct finding *a, const struct finding *b)
{
    return a->at.line != b->at.line ? a->at.line < b->at.line : a->at.column < b->at.column;
}

static bool is_before_across(const struct finding *a, const struct finding *b)
{
    return !a->is_across && b->is_across;
}

/* Merges two sorted neighbours of `list` by way of `other`. */
static void merge(struct finding *list, struct finding *other, size_t begin, size_t middle,
                  size_t end, before_fn before)
{
    for (size_t i = begin, left = begin, right = middle; i < end; i++)
        other[i] = left < middle && (right == end || !before(&list[right], &list[left]))
                       ? list[left++]
                       : list[right++];
    memcpy(&list[begin], &other[begin], (end - begin) * sizeof(*list));
}

static void sort(struct findings *findings, before_fn before)
{
    size_t n = findings->n;
    struct finding *other = n > 1 ? malloc(n * sizeof(*other)) : NULL;
    if (n > 1 && !other)
        findings->error = -ENOMEM;
    for (size_t width = 1; other && width < n; width *= 2)
        for (size_t begin = 0; begin + width < n; begin += 2 * width)
            merge(findings->list, other, begin, begin + width,
                  n - begin < 2 * width ? n : begin + 2 * width, before);
    free(other);
}

void findings_sort(struct findings *findings)
{
    sort(findings, is_before);
}

void findings_sort_across(struct findings *findings)
{
    sort(findings, is_before_across);
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
    for (size_t i = 0; i < finding->n_related; i++) {
        const struct finding_place *other = &finding->related[i].at;
        buf_printf(out, "\n  %s", finding->related[i].message);
        if (other->file && other->line)
            buf_printf(out, " (%s:%u:%u)", other->file, other->line, other->column);
    }
    if (finding->help)
        buf_printf(out, "\n  hint: %s", finding->help);
    return out->error;
}
