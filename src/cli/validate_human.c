/* SPDX-License-Identifier: MIT */
#include "excerpt.h"
#include "validate_output.h"

#include "base/text.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define GROUP_MAX 20 /* findings of one ID in one file that are shown */

struct painter {
    const struct validate_report *report;
    const struct validate_style *style;
    struct buf *out;
    int digits; /* of line numbers */
};

static const char *const severity_colors[] = {"\033[1;36m", "\033[1;33m", "\033[1;31m"};
#define BLUE "\033[1;34m"
#define GREEN "\033[1;32m"
#define BOLD "\033[1m"

static void paint(const struct painter *p, const char *color)
{
    if (p->style->has_color)
        buf_puts(p->out, color);
}

static void plain(const struct painter *p)
{
    paint(p, "\033[0m");
}

const struct validate_file *validate_file_of(const struct validate_report *report,
                                             const struct finding_place *at)
{
    const struct validate_file *found = NULL;
    struct buf name;
    if (!at->file)
        return NULL;
    buf_init(&name, 0);
    text_add_plain(&name, at->file);
    for (size_t i = 0; i < report->n_files && !found; i++)
        if (strcmp(report->files[i].path, at->file) == 0 ||
            strcmp(report->files[i].path, buf_str(&name)) == 0)
            found = &report->files[i];
    buf_done(&name);
    return found;
}

static void add_header(const struct painter *p, const struct finding *f)
{
    paint(p, severity_colors[f->severity]);
    buf_printf(p->out, "%s[%s]", severity_name(f->severity), f->id);
    plain(p);
    paint(p, BOLD);
    buf_puts(p->out, ": ");
    text_add_plain(p->out, f->message);
    plain(p);
    buf_putc(p->out, '\n');
}

static void add_arrow(const struct painter *p, const struct finding_place *at, const char *text)
{
    if (!at->file)
        return;
    paint(p, BLUE);
    buf_printf(p->out, "%*s-->", p->digits, "");
    plain(p);
    buf_putc(p->out, ' ');
    text_add_plain(p->out, at->file);
    if (at->line)
        buf_printf(p->out, ":%u:%u", at->line, at->column);
    if (text) {
        buf_puts(p->out, "   ");
        text_add_plain(p->out, text);
    }
    buf_putc(p->out, '\n');
}

/* "   |", or with a line's number. */
static void add_bar(const struct painter *p, unsigned line)
{
    paint(p, BLUE);
    if (line)
        buf_printf(p->out, "%*u |", p->digits, line);
    else
        buf_printf(p->out, "%*s |", p->digits, "");
    plain(p);
}

static void add_bars(const struct painter *p)
{
    add_bar(p, 0);
    buf_putc(p->out, '\n');
}

struct mark {
    const struct finding_place *at;
    const char *label; /* or NULL */
    bool is_primary;
};

static int compare_marks(const void *a, const void *b)
{
    const struct mark *x = a, *y = b;
    if (x->at->line != y->at->line)
        return x->at->line < y->at->line ? -1 : 1;
    return x->at->column < y->at->column ? -1 : x->at->column > y->at->column;
}

static void add_mark(const struct painter *p, const struct finding *f, const struct mark *mark,
                     bool has_line)
{
    struct excerpt e;
    const struct validate_file *file = validate_file_of(p->report, mark->at);
    excerpt_make(file, mark->at, p->style->width - (unsigned)p->digits - 3,
                 p->style->is_utf8 ? "\xe2\x80\xa6" : "~", &e);
    if (!has_line) {
        add_bar(p, mark->at->line);
        buf_printf(p->out, "%s%s\n", e.line.len ? " " : "", buf_str(&e.line));
    }
    add_bar(p, 0);
    buf_printf(p->out, " %*s", (int)e.caret, "");
    paint(p, mark->is_primary ? severity_colors[f->severity] : BLUE);
    for (size_t i = 0; i < e.caret_cells; i++)
        buf_putc(p->out, mark->is_primary ? '^' : '-');
    if (mark->label) {
        buf_putc(p->out, ' ');
        text_add_plain(p->out, mark->label);
    }
    plain(p);
    buf_putc(p->out, '\n');
    if (e.line.error && !p->out->error)
        p->out->error = e.line.error;
    excerpt_done(&e);
}

static bool can_show(const struct painter *p, const struct finding_place *at)
{
    const struct validate_file *file = at->line ? validate_file_of(p->report, at) : NULL;
    return file && file->text;
}

static size_t collect_marks(const struct painter *p, const struct finding *f, const char *label,
                            struct mark marks[FINDING_RELATED_MAX + 1])
{
    size_t n = 0;
    if (can_show(p, &f->at))
        marks[n++] = (struct mark){&f->at, label, true};
    for (size_t i = 0; n > 0 && i < f->n_related; i++) {
        const struct finding_place *at = &f->related[i].at;
        if (at->file && strcmp(at->file, f->at.file) == 0 && can_show(p, at))
            marks[n++] = (struct mark){at, f->related[i].message, false};
    }
    if (n > 1)
        qsort(marks, n, sizeof(*marks), compare_marks);
    return n;
}

static bool is_marked(const struct mark *marks, size_t n, const struct finding_place *at)
{
    for (size_t i = 0; i < n; i++)
        if (marks[i].at == at)
            return true;
    return false;
}

static void set_digits(struct painter *p, const struct mark *marks, size_t n)
{
    char text[16];
    unsigned most = 0;
    for (size_t i = 0; i < n; i++)
        most = marks[i].at->line > most ? marks[i].at->line : most;
    int digits = snprintf(text, sizeof(text), "%u", most);
    p->digits = digits > 2 ? digits : 2;
}

static void add_note(const struct painter *p, const char *what, const char *text)
{
    paint(p, BLUE);
    buf_printf(p->out, "%*s =", p->digits, "");
    plain(p);
    paint(p, BOLD);
    buf_printf(p->out, " %s", what);
    plain(p);
    text_add_plain(p->out, text);
    buf_putc(p->out, '\n');
}

static void add_excerpts(const struct painter *p, const struct finding *f, const struct mark *marks,
                         size_t n, bool has_notes)
{
    if (n > 0)
        add_bars(p);
    for (size_t i = 0; i < n; i++) {
        bool is_same = i > 0 && marks[i].at->line == marks[i - 1].at->line;
        if (i > 0 && !is_same && marks[i].at->line > marks[i - 1].at->line + 1)
            add_bars(p);
        add_mark(p, f, &marks[i], is_same);
    }
    if (n > 0 && has_notes)
        add_bars(p);
}

/* The finding's own place is one of its other places, which say more. */
static bool is_told(const struct finding *f)
{
    for (size_t i = 0; f->is_across && i < f->n_related; i++) {
        const struct finding_place *at = &f->related[i].at;
        if (at->file && f->at.file && strcmp(at->file, f->at.file) == 0 && at->line == f->at.line &&
            at->column == f->at.column)
            return true;
    }
    return false;
}

static void add_finding(struct painter *p, const struct finding *f)
{
    struct mark marks[FINDING_RELATED_MAX + 1] = {{.at = NULL}};
    char guess[256], help[300];
    snprintf(guess, sizeof(guess), "did you mean \"%s\"?", f->suggestion ? f->suggestion : "");
    snprintf(help, sizeof(help), "%s", f->help ? f->help : "");
    const char *label = f->label ? f->label : f->suggestion ? guess : NULL;
    size_t n = f->is_across ? 0 : collect_marks(p, f, label, marks);
    /* The guess stands beside the caret already. */
    bool has_help = f->help && !(n > 0 && label == guess && strcmp(help, guess) == 0);
    set_digits(p, marks, n);
    add_header(p, f);
    if (!is_told(f))
        add_arrow(p, &f->at, n == 0 ? f->label : NULL);
    if (n == 0)
        for (size_t i = 0; i < f->n_related; i++)
            add_arrow(p, &f->related[i].at, f->related[i].message);
    add_excerpts(p, f, marks, n, f->why || has_help || f->n_related + 1 > n);
    for (size_t i = 0; n > 0 && i < f->n_related; i++)
        if (!is_marked(marks, n, &f->related[i].at))
            add_arrow(p, &f->related[i].at, f->related[i].message);
    if (f->why)
        add_note(p, has_help ? "why:  " : "why: ", f->why);
    if (has_help)
        add_note(p, "help: ", f->help);
    buf_putc(p->out, '\n');
}

/* How many of this ID the same file has before the i-th, or with it all. */
static size_t count_alike(const struct findings *all, size_t from, size_t to,
                          const struct finding *f)
{
    size_t n = 0;
    for (size_t i = from; i < to; i++) {
        const struct finding *other = &all->list[i];
        if (!other->is_suppressed && other->id == f->id && other->is_across == f->is_across &&
            other->at.file && f->at.file && strcmp(other->at.file, f->at.file) == 0)
            n++;
    }
    return n;
}

/* Findings are in the order of files; so those of one file lie together. */
static void file_range(const struct findings *all, size_t i, size_t *from, size_t *to)
{
    const char *file = all->list[i].at.file;
    for (; *to <= i || (*to < all->n && all->list[*to].at.file && file &&
                        strcmp(all->list[*to].at.file, file) == 0);
         ++*to)
        if (*to == i)
            *from = i;
}

static void add_findings(struct painter *p)
{
    const struct findings *all = &p->report->findings;
    struct {
        const char *id;
        size_t n;
    } seen[128];
    size_t n_seen = 0, from = 0, to = 0;
    for (size_t i = 0; i < all->n; i++) {
        const struct finding *f = &all->list[i];
        if (i >= to) {
            file_range(all, i, &from, &to);
            n_seen = 0;
        }
        if (f->is_suppressed)
            continue;
        size_t k = 0;
        while (k < n_seen && seen[k].id != f->id)
            k++;
        if (k == n_seen && n_seen < sizeof(seen) / sizeof(seen[0])) {
            seen[n_seen].id = f->id;
            seen[n_seen++].n = 0;
        }
        if (k < n_seen && ++seen[k].n > GROUP_MAX && !f->is_across) {
            if (seen[k].n == GROUP_MAX + 1) {
                buf_printf(p->out, "%s[%s]: and %zu more in ", severity_name(f->severity), f->id,
                           count_alike(all, i, to, f));
                text_add_plain(p->out, f->at.file ? f->at.file : "all");
                buf_puts(p->out, "\n\n");
            }
            continue;
        }
        add_finding(p, f);
    }
    if (all->dropped)
        buf_printf(p->out, "and %zu more findings\n\n", all->dropped);
}

static void add_vips(const struct validate_file *file, struct buf *out)
{
    for (size_t i = 0; i < file->n_vips; i++) {
        char ip[IP_TEXT_MAX];
        ip_format(&file->vips[i].ip, ip);
        buf_printf(out, "%s%s", i ? ", " : " (", ip);
        if (file->vips[i].link) {
            buf_puts(out, " on ");
            text_add_plain(out, file->vips[i].link);
        }
    }
    buf_puts(out, file->n_vips ? ")" : "");
}

static void plural(struct buf *out, size_t n, const char *what)
{
    buf_printf(out, "%zu %s%s", n, what, n == 1 ? "" : "s");
}

static void file_verdict(const struct validate_file *file, struct buf *out)
{
    if (file->is_unreadable) {
        buf_puts(out, "not read");
    } else if (file->errors == 0 && file->warnings == 0) {
        buf_puts(out, "ok");
    } else {
        plural(out, file->errors, "error");
        buf_puts(out, ", ");
        plural(out, file->warnings, "warning");
    }
}

/* "(Talos v1.14, controlplane)" */
static void add_type(const struct validate_file *file, struct buf *out)
{
    bool is_talos = strncmp(file->type, "talos/", 6) == 0;
    buf_puts(out, is_talos ? "(Talos " : "(");
    text_add_plain(out, is_talos ? file->type + 6 : file->type);
    buf_puts(out, *file->machine_type ? ", " : "");
    text_add_plain(out, file->machine_type);
    buf_putc(out, ')');
}

/* Columns: the file, the verdict, what it is. */
static void add_table(struct painter *p)
{
    struct buf verdict;
    size_t path_width = 0;
    int verdict_width = 0;
    buf_init(&verdict, 0);
    for (int pass = 0; pass < 2; pass++)
        for (size_t i = 0; i < p->report->n_files; i++) {
            const struct validate_file *file = &p->report->files[i];
            size_t width = text_width(file->path);
            buf_clear(&verdict);
            file_verdict(file, &verdict);
            if (pass == 0) {
                path_width = width > path_width && width <= 40 ? width : path_width;
                verdict_width = (int)verdict.len > verdict_width ? (int)verdict.len : verdict_width;
                continue;
            }
            text_add_plain(p->out, file->path);
            buf_printf(p->out, ":%*s ", path_width > width ? (int)(path_width - width) : 0, "");
            paint(p, file->errors || file->is_unreadable ? severity_colors[SEVERITY_ERROR]
                     : file->warnings                    ? severity_colors[SEVERITY_WARNING]
                                                         : GREEN);
            buf_puts(p->out, buf_str(&verdict));
            plain(p);
            if (!file->is_unreadable && strcmp(file->type, "unknown") != 0) {
                buf_printf(p->out, "%*s ", verdict_width - (int)verdict.len, "");
                add_type(file, p->out);
            }
            buf_putc(p->out, '\n');
        }
    buf_done(&verdict);
}

static size_t count_unreadable(const struct validate_report *report)
{
    size_t n = 0;
    for (size_t i = 0; i < report->n_files; i++)
        n += report->files[i].is_unreadable;
    return n;
}

/* The first error that has more to tell than its message. */
static const char *worth_explaining(const struct validate_report *report)
{
    const char *id = NULL;
    for (size_t i = 0; i < report->findings.n; i++) {
        const struct finding *f = &report->findings.list[i];
        if (f->is_suppressed || f->severity != SEVERITY_ERROR)
            continue;
        if (f->why)
            return f->id;
        id = id ? id : f->id;
    }
    return id;
}

void validate_result(const struct validate_report *report, struct buf *out)
{
    static const char *const modes[] = {" for metal mode", " for cloud mode",
                                        " for container mode"};
    size_t lost = count_unreadable(report);
    const char *id = worth_explaining(report);
    if (lost > 0 && report->errors == lost) {
        buf_printf(out, "Result: UNKNOWN  %zu of ", lost);
        plural(out, report->n_files, "file");
        buf_puts(out, " could not be read");
        id = NULL;
    } else if (report->is_valid) {
        buf_printf(out, "Result: OK%s  ", report->has_mode ? modes[report->mode] : "");
        plural(out, report->n_files, "file");
        buf_puts(out, ", ");
        plural(out, report->warnings, "warning");
        id = NULL;
    } else {
        buf_puts(out, "Result: INVALID  ");
        plural(out, report->errors, "error");
        buf_puts(out, " in ");
        plural(out, report->n_files, "file");
    }
    if (report->suppressed)
        buf_printf(out, ", %zu suppressed", report->suppressed);
    if (id)
        buf_printf(out, ". Explain one with: talosvip explain %s", id);
    buf_putc(out, '\n');
}

void validate_human(const struct validate_report *report, const struct validate_style *style,
                    struct buf *out)
{
    struct painter p = {report, style, out, 2};
    add_findings(&p);
    if (style->is_quiet)
        return;
    if (report->errors + report->warnings > 0) {
        add_table(&p);
    } else {
        for (size_t i = 0; i < report->n_files; i++) {
            text_add_plain(out, report->files[i].path);
            buf_puts(out, ": ");
            paint(&p, GREEN);
            buf_puts(out, "ok");
            plain(&p);
            add_vips(&report->files[i], out);
            buf_putc(out, '\n');
        }
    }
    validate_result(report, out);
}
