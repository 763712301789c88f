/* SPDX-License-Identifier: MIT */
#include "template.h"

#include <stdio.h>
#include <string.h>

/* What begins a value that is filled in, decrypted or fetched later. */
static const char *const marks[] = {"{{", "{%", "<%", "%{", "${", "$(", "ENC[", "op://", "ref+"};
#define MARKS (sizeof(marks) / sizeof(marks[0]))
#define WHY_MAX 256
#define STRUCTURAL 4 /* the first of them can stand where YAML has none */

bool template_is_value(const char *text, size_t len)
{
    for (size_t i = 0; i < MARKS; i++)
        if (memmem(text, len, marks[i], strlen(marks[i])))
            return true;
    return false;
}

static bool is_in_comment(const char *text, const char *mark)
{
    for (const char *p = mark; p > text && p[-1] != '\n'; p--)
        if (p[-1] == '#' && (p - 1 == text || strchr(" \t\n", p[-2])))
            return true;
    return false;
}

/* A text that was read to its end above the mistake says nothing of what is wrong below. */
static bool is_finished(const struct yaml_node *scalar, size_t at, unsigned mistake)
{
    /* A block ends where the next line begins. */
    unsigned last = scalar && scalar->end.column == 1 ? scalar->end.line - 1
                    : scalar                          ? scalar->end.line
                                                      : 0;
    return scalar && scalar->start.offset <= at && last < mistake;
}

/* Where this begins outside of comments and of finished scalars; `len` if nowhere. */
static size_t find_mark(const struct model *model, const char *mark, unsigned mistake)
{
    const char *text = model->text, *end = text + model->len, *p = text;
    const struct yaml_node *scalar = model->scalars;
    while ((p = memmem(p, (size_t)(end - p), mark, strlen(mark)))) {
        size_t at = (size_t)(p - text);
        scalar = yaml_scalar_at(scalar, at);
        if (is_finished(scalar, at, mistake)) {
            p = text + scalar->end.offset;
        } else if (is_in_comment(text, p)) {
            p = memchr(p, '\n', (size_t)(end - p));
            if (!p)
                break;
        } else {
            return at;
        }
    }
    return model->len;
}

/* Where a template begins that need not be YAML yet; the file's length if nowhere. */
static size_t first_mark(const struct model *model, unsigned mistake)
{
    size_t first = model->len;
    for (size_t i = 0; i < STRUCTURAL; i++) {
        size_t at = find_mark(model, marks[i], mistake);
        first = at < first ? at : first;
    }
    return first;
}

/* The line of the last mistake in the syntax; there is one at most that ends the reading. */
static unsigned last_mistake(const struct findings *findings)
{
    unsigned line = 0;
    for (size_t i = 0; i < findings->n; i++)
        if (strcmp(findings->list[i].id, "TV001") == 0 && findings->list[i].at.line > line)
            line = findings->list[i].at.line;
    return line;
}

/* These are about one scalar each. */
static bool is_about_value(const char *id)
{
    static const char *const ids[] = {"TV101", "TV103", "TV214", "TV218"};
    for (size_t i = 0; i < sizeof(ids) / sizeof(ids[0]); i++)
        if (strcmp(id, ids[i]) == 0)
            return true;
    return false;
}

static void check_value(struct model *model, struct finding *f)
{
    const struct finding_place *at = &f->at;
    if (strcmp(f->id, "TV102") == 0 && at->yaml_path && strcmp(at->yaml_path, "/sops") == 0) {
        finding_change(&model->findings, f, "TV107", "this is encrypted by sops");
        finding_set_help(&model->findings, f, "decrypt it, and check the result");
    }
    if (!is_about_value(f->id) || at->end_offset > model->len || at->offset >= at->end_offset ||
        !template_is_value(model->text + at->offset, at->end_offset - at->offset))
        return;
    finding_change(&model->findings, f, "TV107", "this is filled in later, and not checked");
}

struct broken {
    size_t from;         /* the template begins here */
    struct finding *one; /* what is left of the syntax errors behind it */
};

static bool is_behind(const struct finding *f, size_t from)
{
    return strcmp(f->id, "TV001") == 0 && f->at.offset >= from;
}

static bool is_kept(void *arg, const struct finding *f)
{
    const struct broken *broken = arg;
    return f == broken->one || !is_behind(f, broken->from);
}

static void change_syntax(struct model *model, struct finding *f)
{
    char why[WHY_MAX];
    snprintf(why, sizeof(why), "%s", f->message);
    finding_change(&model->findings, f, "TV107", "this is a template, and no YAML yet");
    finding_set_help(&model->findings, f, "fill it in, and check the result; as it is: %s", why);
}

static void check_syntax(struct model *model)
{
    struct broken broken = {.from = first_mark(model, last_mistake(&model->findings))};
    if (broken.from == model->len)
        return;
    for (size_t i = 0; i < model->findings.n && !broken.one; i++)
        if (is_behind(&model->findings.list[i], broken.from))
            broken.one = &model->findings.list[i];
    if (!broken.one)
        return;
    change_syntax(model, broken.one);
    findings_filter(&model->findings, is_kept, &broken);
}

void template_apply(struct model *model)
{
    if (!model->text)
        return;
    if (model->is_broken)
        check_syntax(model);
    for (size_t i = 0; i < model->findings.n; i++)
        check_value(model, &model->findings.list[i]);
}
