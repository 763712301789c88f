/* SPDX-License-Identifier: MIT */
/* Findings that are not wanted: "# talosvip: allow TV203 reason" on the line or above it, --allow,
 * and --vip-only; and --strict, which makes errors of warnings. */
#include "model.h"

#include "base/buf.h"
#include "base/text.h"

#include <ctype.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#define MARK "talosvip:"
#define ALLOWS_MAX 1000

struct allow {
    unsigned line;
    bool is_alone; /* nothing but the comment on its line */
    char id[8];
    const char *reason;
    size_t reason_len;
};

struct allows {
    struct allow *list;
    size_t n, cap;
    const char *text;
    const struct yaml_node *scalar; /* comments stand between those */
};

static bool allow_add(struct allows *allows, const struct allow *allow)
{
    if (allows->n == ALLOWS_MAX)
        return true;
    if (allows->n == allows->cap) {
        size_t cap = allows->cap ? 2 * allows->cap : 16;
        struct allow *list = realloc(allows->list, cap * sizeof(*list));
        if (!list)
            return false;
        allows->list = list;
        allows->cap = cap;
    }
    allows->list[allows->n++] = *allow;
    return true;
}

static const char *skip(const char *p, const char *end, const char *set)
{
    while (p < end && strchr(set, *p))
        p++;
    return p;
}

/* Behind the mark: "allow TV203, TV204 reason". */
static bool parse_ids(struct allows *allows, const char *p, const char *end, unsigned line,
                      bool is_alone)
{
    size_t first = allows->n;
    p = skip(p, end, " \t");
    if (end - p < 6 || strncmp(p, "allow", 5) != 0 || !strchr(" \t", p[5]))
        return true;
    for (p = skip(p + 5, end, " \t,"); end - p >= 5 && p[0] == 'T' && p[1] == 'V';
         p = skip(p, end, " \t,")) {
        struct allow allow = {.line = line, .is_alone = is_alone};
        size_t len = 2;
        while (p + len < end && isdigit((unsigned char)p[len]))
            len++;
        if (len != 5)
            break;
        memcpy(allow.id, p, len);
        p += len;
        if (!allow_add(allows, &allow))
            return false;
    }
    while (end > p && strchr(" \t\r", end[-1]))
        end--;
    for (size_t i = first; i < allows->n; i++) {
        allows->list[i].reason = p;
        allows->list[i].reason_len = (size_t)(end - p);
    }
    return true;
}

static bool scan_line(struct allows *allows, const char *start, const char *end, unsigned line)
{
    const char *mark = memmem(start, (size_t)(end - start), MARK, strlen(MARK));
    if (!mark)
        return true;
    const char *hash = mark;
    while (hash > start && strchr(" \t", hash[-1]))
        hash--;
    if (hash == start || hash[-1] != '#')
        return true;
    hash--;
    if (hash > start && !strchr(" \t", hash[-1]))
        return true; /* no comment */
    size_t at = (size_t)(hash - allows->text);
    allows->scalar = yaml_scalar_at(allows->scalar, at);
    if (allows->scalar && allows->scalar->start.offset <= at)
        return true;
    return parse_ids(allows, mark + strlen(MARK), end, line, skip(start, hash, " \t") == hash);
}

/* Lines end as libyaml counts them for most files: LF, CRLF, or a lone CR. */
static bool scan(struct allows *allows, const char *text, size_t len)
{
    if (!memmem(text, len, MARK, strlen(MARK)))
        return true;
    unsigned line = 1;
    for (const char *start = text, *stop = text + len; start < stop; line++) {
        const char *end = start;
        while (end < stop && *end != '\n' && *end != '\r')
            end++;
        if (!scan_line(allows, start, end, line))
            return false;
        if (end + 1 < stop && end[0] == '\r' && end[1] == '\n')
            end++;
        start = end + 1;
    }
    return true;
}

/* On the line itself, or in the block of comments right above it. */
static const struct allow *allow_for(const struct allows *allows, const struct finding *f)
{
    unsigned above = f->at.line;
    for (size_t i = allows->n; i-- > 0;) {
        const struct allow *allow = &allows->list[i];
        if (allow->line > f->at.line)
            continue;
        if (allow->line != f->at.line && (!allow->is_alone || allow->line + 1 < above))
            return NULL;
        above = allow->line < above ? allow->line : above;
        if (strcmp(allow->id, f->id) == 0)
            return allow;
    }
    return NULL;
}

static bool is_allowed(const struct validate_options *options, const char *id)
{
    for (size_t i = 0; i < options->n_allow; i++)
        if (strcmp(options->allow[i], id) == 0)
            return true;
    return false;
}

/* A warning that counts as an error: the agent takes no patches and no templates. */
static bool is_error(const struct validate_options *options, const char *id)
{
    return options->is_strict ||
           (options->is_for_agent && (strcmp(id, "TV107") == 0 || strcmp(id, "TV108") == 0));
}

static bool is_vip_document(const struct model *model, unsigned number)
{
    for (const struct yaml_document *d = model->documents; d; d = d->next) {
        const char *kind = yaml_text(yaml_get(d->root, "kind"));
        if (d->root->document == number)
            return kind && strstr(kind, "VIP");
    }
    return false;
}

/* Whether a finding has to do with VIPs at all. */
static bool is_about_vips(void *arg, const struct finding *f)
{
    const struct model *model = arg;
    const char *path = f->at.yaml_path ? f->at.yaml_path : "";
    switch (f->id[2]) {
    case '0':
        return strcmp(f->id, "TV003") != 0;
    case '1':
        return strstr(path, "/vip") || is_vip_document(model, f->at.document) ||
               (strcmp(f->id, "TV101") == 0 && f->suggestion && strstr(f->suggestion, "VIP"));
    case '5':
        return false;
    default:
        return strcmp(f->id, "TV302") != 0 && strcmp(f->id, "TV304") != 0;
    }
}

static void suppress(struct model *model, struct finding *f, const struct allow *allow)
{
    struct buf reason;
    char *text = allow && allow->reason_len ? strndup(allow->reason, allow->reason_len) : NULL;
    buf_init(&reason, 0);
    if (allow && allow->reason_len && !text)
        model->findings.error = -ENOMEM;
    if (text)
        text_add_plain(&reason, text);
    finding_suppress(&model->findings, f, reason.len ? buf_str(&reason) : NULL);
    report_text_done(&model->findings, &reason);
    free(text);
}

void suppress_apply(struct model *model)
{
    struct allows allows = {.text = model->text, .scalar = model->scalars};
    if (model->text && !scan(&allows, model->text, model->len))
        model->findings.error = -ENOMEM;
    if (model->options->vip_only)
        findings_filter(&model->findings, is_about_vips, model);
    for (size_t i = 0; i < model->findings.n; i++) {
        struct finding *f = &model->findings.list[i];
        const struct allow *allow = allow_for(&allows, f);
        if (allow || is_allowed(model->options, f->id))
            suppress(model, f, allow);
        if (f->severity == SEVERITY_WARNING && is_error(model->options, f->id))
            finding_set_severity(&model->findings, f, SEVERITY_ERROR);
    }
    free(allows.list);
}
