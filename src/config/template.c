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

/* Where a template begins that need not be YAML yet; `len` if nowhere. */
static size_t first_mark(const char *text, size_t len)
{
    size_t first = len;
    for (size_t i = 0; i < STRUCTURAL; i++) {
        const char *p = text;
        while ((p = memmem(p, len - (size_t)(p - text), marks[i], 2)) && is_in_comment(text, p))
            p += 2;
        if (p && (size_t)(p - text) < first)
            first = (size_t)(p - text);
    }
    return first;
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
    struct broken broken = {.from = first_mark(model->text, model->len)};
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
