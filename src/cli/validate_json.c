/* SPDX-License-Identifier: MIT */
#include "json_text.h"
#include "validate_output.h"

static struct json_object *spot(unsigned line, unsigned column, size_t offset)
{
    struct json_object *o = json_object_new_object();
    json_put_number(o, "line", line);
    json_put_number(o, "column", column);
    json_put_number(o, "offset", offset);
    return o;
}

static void put_place(struct json_object *to, const struct finding_place *at)
{
    json_put_text(to, "path", at->file);
    if (at->document)
        json_put_number(to, "document", at->document);
    json_put_text(to, "yamlPath", at->yaml_path);
    if (!at->line)
        return;
    json_put(to, "start", spot(at->line, at->column, at->offset));
    if (at->end_line)
        json_put(to, "end", spot(at->end_line, at->end_column, at->end_offset));
}

static struct json_object *finding_json(const struct finding *f)
{
    struct json_object *o = json_object_new_object();
    json_put_text(o, "id", f->id);
    json_put_text(o, "severity", severity_name(f->severity));
    json_put_text(o, "message", f->message);
    put_place(o, &f->at);
    json_put_text(o, "label", f->label);
    if (f->n_related) {
        struct json_object *list = json_object_new_array();
        for (size_t i = 0; i < f->n_related; i++) {
            struct json_object *r = json_object_new_object();
            put_place(r, &f->related[i].at);
            json_put_text(r, "message", f->related[i].message);
            json_object_array_add(list, r);
        }
        json_put(o, "related", list);
    }
    json_put_text(o, "why", f->why);
    json_put_text(o, "help", f->help);
    if (f->suggestion) {
        struct json_object *s = json_object_new_object();
        json_put_text(s, "replace", f->suggestion);
        json_put(o, "suggestion", s);
    }
    json_put_bool(o, "suppressed", f->is_suppressed);
    json_put_text(o, "suppressionReason", f->suppression_reason);
    return o;
}

static struct json_object *file_json(const struct validate_file *file)
{
    struct json_object *o = json_object_new_object(), *vips = json_object_new_array();
    json_put_text(o, "path", file->path);
    json_put_text(o, "type", file->type);
    if (*file->machine_type)
        json_put_text(o, "machineType", file->machine_type);
    json_put_bool(o, "valid", file->is_valid);
    json_put_bool(o, "readable", !file->is_unreadable);
    json_put_number(o, "errors", file->errors);
    json_put_number(o, "warnings", file->warnings);
    for (size_t i = 0; i < file->n_vips; i++) {
        struct json_object *v = json_object_new_object();
        char ip[IP_TEXT_MAX];
        ip_format(&file->vips[i].ip, ip);
        json_put_text(v, "address", ip);
        json_put_text(v, "link", file->vips[i].link);
        json_object_array_add(vips, v);
    }
    json_put(o, "vips", vips);
    return o;
}

void validate_json(const struct validate_report *report, const struct validate_style *style,
                   struct buf *out)
{
    (void)style;
    struct json_object *root = json_object_new_object(), *summary = json_object_new_object();
    struct json_object *files = json_object_new_array(), *findings = json_object_new_array();
    json_put_text(root, "apiVersion", "talosvip/v1");
    json_put_text(root, "kind", "ValidationReport");
    json_put_bool(root, "valid", report->is_valid);
    json_put_number(summary, "files", report->n_files);
    json_put_number(summary, "errors", report->errors);
    json_put_number(summary, "warnings", report->warnings);
    json_put_number(summary, "infos", report->infos);
    json_put_number(summary, "suppressed", report->suppressed);
    json_put_number(summary, "dropped", report->findings.dropped);
    json_put(root, "summary", summary);
    for (size_t i = 0; i < report->n_files; i++)
        json_object_array_add(files, file_json(&report->files[i]));
    for (size_t i = 0; i < report->findings.n; i++)
        json_object_array_add(findings, finding_json(&report->findings.list[i]));
    json_put(root, "files", files);
    json_put(root, "findings", findings);
    json_finish(root, out);
}
