/* SPDX-License-Identifier: MIT */
/* SARIF 2.1.0 (OASIS), for code scanning. Section numbers are its own. */
#include "json_text.h"
#include "validate_output.h"

#include <ctype.h>
#include <inttypes.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#define SCHEMA "https://json.schemastore.org/sarif-2.1.0.json"

static const char *level(enum severity severity)
{
    return severity == SEVERITY_ERROR ? "error" : severity == SEVERITY_WARNING ? "warning" : "note";
}

static struct json_object *message(const char *text)
{
    struct json_object *o = json_object_new_object();
    json_put_text(o, "text", text ? text : "");
    return o;
}

/* 3.4.3: a relative reference; RFC 3986 section 2.3 names what needs no escape. */
static struct json_object *uri(const char *path)
{
    struct buf text;
    buf_init(&text, 0);
    buf_puts(&text, *path == '/' ? "file://" : "");
    while (strncmp(path, "./", 2) == 0)
        path += 2;
    for (; *path; path++) {
        if (isalnum((unsigned char)*path) || strchr("-._~/", *path))
            buf_putc(&text, *path);
        else
            buf_printf(&text, "%%%02X", (unsigned)(unsigned char)*path);
    }
    struct json_object *o = json_text(buf_str(&text));
    buf_done(&text);
    return o;
}

/* 3.30: no region at all where none is known. endColumn is that of the character behind. */
static struct json_object *region(const struct finding_place *at)
{
    struct json_object *o = json_object_new_object();
    json_put_number(o, "startLine", at->line);
    json_put_number(o, "startColumn", at->column);
    if (at->end_line >= at->line && at->end_column >= 1) {
        json_put_number(o, "endLine", at->end_line);
        json_put_number(o, "endColumn", at->end_column);
    }
    return o;
}

static struct json_object *location(const struct finding_place *at, const char *text)
{
    struct json_object *o = json_object_new_object(), *physical = json_object_new_object();
    struct json_object *artifact = json_object_new_object();
    json_put(artifact, "uri", uri(at->file));
    json_put(physical, "artifactLocation", artifact);
    if (at->line && at->column)
        json_put(physical, "region", region(at));
    json_put(o, "physicalLocation", physical);
    if (text)
        json_put(o, "message", message(text));
    return o;
}

/* FNV-1a over ID and path in the YAML: the same finding after lines were added above it. */
static struct json_object *fingerprints(const struct finding *f)
{
    uint64_t hash = UINT64_C(0xcbf29ce484222325);
    const char *texts[] = {f->id, "\n", f->at.yaml_path ? f->at.yaml_path : f->message};
    char text[20];
    for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++)
        for (const char *p = texts[i]; *p; p++)
            hash = (hash ^ (unsigned char)*p) * UINT64_C(0x100000001b3);
    snprintf(text, sizeof(text), "%016" PRIx64, hash);
    struct json_object *o = json_object_new_object();
    json_put_text(o, "talosvipFinding/v1", text);
    return o;
}

static bool is_allowed(const struct validate_style *style, const char *id)
{
    for (size_t i = 0; i < style->n_allow; i++)
        if (strcmp(style->allow[i], id) == 0)
            return true;
    return false;
}

/* 3.35: in the source, or from outside by --allow. */
static struct json_object *suppressions(const struct finding *f, const struct validate_style *style)
{
    struct json_object *list = json_object_new_array(), *o = json_object_new_object();
    json_put_text(o, "kind", is_allowed(style, f->id) ? "external" : "inSource");
    json_put_text(o, "justification", f->suppression_reason);
    json_object_array_add(list, o);
    return list;
}

static struct json_object *result(const struct finding *f, const struct validate_style *style)
{
    struct json_object *o = json_object_new_object(), *list;
    size_t n;
    const struct check *table = check_table(&n), *check = check_find(f->id);
    json_put_text(o, "ruleId", f->id);
    json_put_number(o, "ruleIndex", (size_t)(check - table));
    json_put_text(o, "level", level(f->severity));
    json_put(o, "message", message(f->message));
    if (f->at.file) {
        list = json_object_new_array();
        json_object_array_add(list, location(&f->at, NULL));
        json_put(o, "locations", list);
    }
    list = json_object_new_array();
    for (size_t i = 0; i < f->n_related; i++)
        if (f->related[i].at.file)
            json_object_array_add(list, location(&f->related[i].at, f->related[i].message));
    if (json_object_array_length(list) > 0)
        json_put(o, "relatedLocations", list);
    else
        json_object_put(list);
    json_put(o, "partialFingerprints", fingerprints(f));
    if (f->is_suppressed)
        json_put(o, "suppressions", suppressions(f, style));
    return o;
}

static void add_example(struct buf *out, const char *title, const char *yaml)
{
    if (yaml)
        buf_printf(out, "\n%s:\n\n```yaml\n%s```\n", title, yaml);
}

/* 3.49.12: what `explain` tells; there is no address on the web to name instead. */
static struct json_object *help(const struct check *check)
{
    struct buf text, markdown;
    buf_init(&text, 0);
    buf_init(&markdown, 0);
    buf_printf(&text, "%s More: talosvip explain %s", check->why ? check->why : "", check->id);
    buf_printf(&markdown, "%s\n", check->meaning ? check->meaning : check->title);
    if (check->why)
        buf_printf(&markdown, "\n%s\n", check->why);
    add_example(&markdown, "Wrong", check->wrong);
    add_example(&markdown, "Right", check->right);
    buf_printf(&markdown, "\nSuppress it on its line or above: `# talosvip: allow %s REASON`\n",
               check->id);
    struct json_object *o = message(buf_str(&text));
    json_put_text(o, "markdown", buf_str(&markdown));
    buf_done(&text);
    buf_done(&markdown);
    return o;
}

static struct json_object *rules(void)
{
    struct json_object *list = json_object_new_array();
    size_t n;
    const struct check *table = check_table(&n);
    for (size_t i = 0; i < n; i++) {
        struct json_object *o = json_object_new_object(), *usual = json_object_new_object();
        json_put_text(o, "id", table[i].id);
        json_put(o, "shortDescription", message(table[i].title));
        json_put(o, "fullDescription",
                 message(table[i].meaning ? table[i].meaning : table[i].title));
        json_put(o, "help", help(&table[i]));
        json_put_text(usual, "level", level(table[i].severity));
        json_put(o, "defaultConfiguration", usual);
        json_object_array_add(list, o);
    }
    return list;
}

void validate_sarif(const struct validate_report *report, const struct validate_style *style,
                    struct buf *out)
{
    struct json_object *root = json_object_new_object(), *run = json_object_new_object();
    struct json_object *driver = json_object_new_object(), *tool = json_object_new_object();
    struct json_object *results = json_object_new_array(), *runs = json_object_new_array();
    json_put_text(root, "$schema", SCHEMA);
    json_put_text(root, "version", "2.1.0");
    json_put_text(driver, "name", "talosvip");
    json_put_text(driver, "version", TALOSVIP_VERSION);
    json_put(driver, "rules", rules());
    json_put(tool, "driver", driver);
    json_put(run, "tool", tool);
    json_put_text(run, "columnKind", "unicodeCodePoints");
    for (size_t i = 0; i < report->findings.n; i++)
        json_object_array_add(results, result(&report->findings.list[i], style));
    json_put(run, "results", results);
    json_object_array_add(runs, run);
    json_put(root, "runs", runs);
    json_finish(root, out);
}
