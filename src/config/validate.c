/* SPDX-License-Identifier: MIT */
#include "config/validate.h"

#include "base/buf.h"
#include "base/text.h"
#include "model.h"
#include "source.h"
#include "template.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#define STDIN_NAME "<stdin>"

bool validate_is_check(const char *id)
{
    return check_find(id) != NULL;
}

/* In the report's memory. A file that cannot be read is a finding, and has no text. */
static int read_text(struct model *model, const char *path, struct arena *arena)
{
    struct buf bytes;
    struct finding_place at = {.file = model->name};
    buf_init(&bytes, CONFIG_FILE_MAX);
    int r = source_read(path, &bytes);
    if (r == 0) {
        model->text = arena_strndup(arena, buf_str(&bytes), bytes.len);
        model->len = bytes.len;
        r = model->text ? 0 : -ENOMEM;
    } else if (r == -EFBIG) {
        finding_add(&model->findings, "TV004", &at, "larger than %u MiB", CONFIG_FILE_MAX >> 20);
        r = 0;
    } else if (r != -ENOMEM) {
        finding_add(&model->findings, "TV004", &at, "cannot be read: %s", strerror(-r));
        r = 0;
    }
    buf_done(&bytes);
    return r;
}

static void check_model(struct model *model)
{
    check_vips(model);
    check_links(model);
    check_machine(model);
    check_cluster(model);
    check_agent(model);
    check_environment(model);
}

static const char *type_of(const struct model *model)
{
    return model->has_talos         ? "talos/v1alpha1"
           : model->has_agent       ? "talosvip/v1"
           : model->has_client      ? "talosvip/v1"
           : model->has_talosconfig ? "talosconfig"
                                    : "unknown";
}

/* A copy that can be shown. */
static const char *plain(const char *text, struct validate_report *report)
{
    struct buf out;
    buf_init(&out, 0);
    text_add_plain(&out, text);
    const char *copy = arena_strdup(report->arena, buf_str(&out));
    report_text_done(&report->findings, &out);
    return copy ? copy : "";
}

/* The same mistake at the same place again: an anchor's, used twice. */
static bool is_first(void *arg, const struct finding *f)
{
    const struct finding **last = arg;
    const struct finding *before = *last;
    *last = f;
    return !before || f->id[2] != '1' || before->id != f->id || before->at.line != f->at.line ||
           before->at.column != f->at.column;
}

static void file_vips(const struct model *model, struct validate_report *report,
                      struct validate_file *file)
{
    for (const struct model_vip *vip = model->vips; vip; vip = vip->next) {
        const char *link = vip->link_name ? vip->link_name : vip->link ? vip->link->words : "";
        if (file->n_vips == VALIDATE_VIPS_MAX)
            return;
        file->vips[file->n_vips++] = (struct validate_vip){vip->ip, plain(link, report)};
    }
}

static void count(struct validate_report *report, struct validate_file *file,
                  const struct finding *f)
{
    struct validate_file nowhere = {.path = NULL}, *to = f->is_across ? &nowhere : file;
    if (f->is_suppressed) {
        to->suppressed++;
        report->suppressed++;
        return;
    }
    switch (f->severity) {
    case SEVERITY_ERROR:
        to->errors++;
        report->errors++;
        break;
    case SEVERITY_WARNING:
        to->warnings++;
        report->warnings++;
        break;
    case SEVERITY_INFO:
        to->infos++;
        report->infos++;
        break;
    }
}

/* Errors that found no room in the list; none of them can be suppressed. */
static size_t dropped_errors(const struct findings *findings)
{
    size_t listed = 0;
    for (size_t i = 0; i < findings->n; i++)
        listed += findings->list[i].severity == SEVERITY_ERROR;
    return findings->errors > listed ? findings->errors - listed : 0;
}

/* Counts a file's findings and hands them over. */
static int file_finish(struct model *model, const struct findings *refused,
                       struct validate_report *report, struct validate_file *file)
{
    struct findings *findings = &model->findings;
    const struct finding *last = NULL;
    findings_sort(findings);
    findings_filter(findings, is_first, &last);
    template_apply(model);
    suppress_apply(model);
    refusals_apply(model, refused);
    for (size_t i = 0; i < findings->n; i++)
        count(report, file, &findings->list[i]);
    /* Those that were too many are not in the list. */
    file->errors += dropped_errors(findings);
    report->errors += dropped_errors(findings);
    report->has_mode = report->has_mode || model->has_machine_config;
    report->mode = model->options->mode;
    file->path = model->name;
    file->type = type_of(model);
    file->machine_type = plain(model->type, report);
    file->is_valid = file->errors == 0;
    file->is_unreadable = !model->text;
    file->text = model->text;
    file->len = model->len;
    file_vips(model, report, file);
    int r = model->text ? secrets_find(model, report->arena, &file->secrets, &file->n_secrets) : 0;
    findings_move(&report->findings, findings);
    return r;
}

/* Checks models whose texts are there already. */
static int check_all(struct model *models, size_t n, struct validate_report *report)
{
    struct findings refused;
    int r = 0;
    findings_init(&refused);
    for (size_t i = 0; r == 0 && i < n; i++) {
        r = model_read(&models[i]);
        if (r == 0)
            check_model(&models[i]);
    }
    if (r == 0) {
        check_across(models, n);
        check_probe(models, n);
    }
    if (r == 0 && n > 0 && models[0].options->is_for_agent)
        r = refusals_find(models, n, &refused);
    for (size_t i = 0; r == 0 && i < n; i++)
        r = file_finish(&models[i], &refused, report, &report->files[i]);
    findings_done(&refused);
    findings_sort_across(&report->findings);
    report->is_valid = report->errors == 0;
    if (r == 0 && (report->findings.error || arena_failed(report->arena)))
        r = -ENOMEM;
    return r;
}

static int report_init(struct validate_report *report, size_t n)
{
    memset(report, 0, sizeof(*report));
    findings_init(&report->findings);
    report->findings.max = VALIDATE_FINDINGS_MAX;
    report->n_files = n;
    report->arena = arena_new();
    if (report->arena)
        report->files = arena_array(report->arena, n ? n : 1, sizeof(*report->files));
    return report->files ? 0 : -ENOMEM;
}

static void model_init(struct model *model, size_t index, const char *name,
                       const struct validate_options *options)
{
    findings_init(&model->findings);
    model->options = options;
    model->index = index;
    model->name = name;
}

static int finish(int r, struct model *models, size_t n, struct validate_report *report,
                  struct validate_report *ret_report)
{
    for (size_t i = 0; models && i < n; i++)
        model_done(&models[i]);
    free(models);
    if (r < 0)
        validate_report_done(report);
    else
        *ret_report = *report;
    return r;
}

int validate_files(const char *const *paths, size_t n, const struct validate_options *options,
                   struct validate_report *ret_report)
{
    struct validate_report report;
    int r = report_init(&report, n);
    struct model *models = r == 0 ? calloc(n ? n : 1, sizeof(*models)) : NULL;
    if (!models)
        return finish(-ENOMEM, NULL, 0, &report, ret_report);
    for (size_t i = 0; i < n; i++) {
        const char *name =
            arena_strdup(report.arena, strcmp(paths[i], "-") == 0 ? STDIN_NAME : paths[i]);
        model_init(&models[i], i, name ? name : "", options);
        models[i].is_found = options->is_found && options->is_found[i];
        if (r == 0)
            r = name ? read_text(&models[i], paths[i], report.arena) : -ENOMEM;
    }
    if (r == 0)
        r = check_all(models, n, &report);
    return finish(r, models, n, &report, ret_report);
}

int validate_memory(const char *name, const char *bytes, size_t len,
                    const struct validate_options *options, struct validate_report *ret_report)
{
    struct validate_report report;
    int r = report_init(&report, 1);
    struct model *model = r == 0 ? calloc(1, sizeof(*model)) : NULL;
    if (!model)
        return finish(-ENOMEM, NULL, 0, &report, ret_report);
    const char *copy = arena_strdup(report.arena, name);
    model_init(model, 0, copy ? copy : "", options);
    model->text = arena_strndup(report.arena, bytes, len);
    model->len = len;
    r = copy && model->text ? check_all(model, 1, &report) : -ENOMEM;
    return finish(r, model, 1, &report, ret_report);
}

void validate_report_done(struct validate_report *report)
{
    if (!report)
        return;
    findings_done(&report->findings);
    arena_free(report->arena);
    memset(report, 0, sizeof(*report));
}
