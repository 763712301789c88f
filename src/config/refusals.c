/* SPDX-License-Identifier: MIT */
/* Whoever runs the agent is told before what it will refuse: its own loader reads the same texts.
 */
#include "model.h"

#include <errno.h>
#include <string.h>

int refusals_find(const struct model *models, size_t n, struct findings *ret_refused)
{
    struct load load;
    struct config *config = NULL;
    int r = load_init(&load, ret_refused);
    if (r < 0)
        return r;
    n = load_count(ret_refused, n);
    for (size_t i = 0; r == 0 && i < n; i++)
        if (models[i].text)
            r = load_bytes(&load, models[i].name, models[i].text, models[i].len);
    r = load_finish(&load, r, &config);
    if (r == 0)
        config_free(config);
    return r == -EINVAL ? 0 : r;
}

/* What is said of no file is said at the first one. */
static bool is_of(const struct finding *f, const struct model *model)
{
    return f->at.file ? strcmp(f->at.file, model->name) == 0 : model->index == 0;
}

/* Without a type the loader takes the machine for a worker, and says so at each VIP. */
static bool is_cause(const struct finding *other, const struct finding *f)
{
    return strcmp(other->id, "TV108") == 0 && strcmp(f->id, "TV201") == 0;
}

/* The same check on the same line, or an error at the same place, says it. */
static struct finding *find_same(struct findings *findings, const struct finding *f)
{
    for (size_t i = 0; i < findings->n; i++) {
        struct finding *other = &findings->list[i];
        bool is_error = other->severity == SEVERITY_ERROR && !other->is_suppressed;
        if (is_cause(other, f))
            return other;
        if (other->at.line != f->at.line)
            continue;
        if (strcmp(other->id, f->id) == 0 || (is_error && other->at.column == f->at.column))
            return other;
    }
    return NULL;
}

static void refuse(struct model *model, const struct finding *f)
{
    struct findings *findings = &model->findings;
    struct finding_place at = f->at;
    struct finding *same = find_same(findings, f);
    if (same) {
        same->is_suppressed = false;
        finding_set_severity(findings, same, SEVERITY_ERROR);
        return;
    }
    at.file = model->name;
    struct finding *added = finding_add(findings, f->id, &at, "%s", f->message);
    finding_set_severity(findings, added, SEVERITY_ERROR);
    if (f->suggestion && added)
        finding_set_suggestion(findings, added, f->suggestion);
    if (f->help)
        finding_set_help(findings, added, "%s", f->help);
    for (size_t i = 0; i < f->n_related; i++)
        finding_add_related(findings, added, &f->related[i].at, "%s", f->related[i].message);
}

static bool has_error(const struct findings *findings)
{
    for (size_t i = 0; i < findings->n; i++)
        if (findings->list[i].severity == SEVERITY_ERROR && !findings->list[i].is_suppressed)
            return true;
    return false;
}

void refusals_apply(struct model *model, const struct findings *refused)
{
    /* What follows from a mistake in the syntax has been sorted out. */
    if (model->is_broken && has_error(&model->findings))
        return;
    for (size_t i = 0; i < refused->n; i++)
        if (refused->list[i].severity == SEVERITY_ERROR && is_of(&refused->list[i], model))
            refuse(model, &refused->list[i]);
    if (refused->n > 0)
        findings_sort(&model->findings);
}
