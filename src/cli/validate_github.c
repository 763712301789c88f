/* SPDX-License-Identifier: MIT */
/* "::error file=cp-1.yaml,line=12,col=15,endColumn=24,title=TV203::message". In a message %, CR
 * and LF are escaped, in a property also ':' and ','. */
#include "validate_output.h"

#include "base/text.h"

#include <string.h>

static void add_escaped(struct buf *out, const char *text, const char *special)
{
    struct buf plain;
    buf_init(&plain, 0);
    text_add_plain(&plain, text);
    for (const char *p = buf_str(&plain); *p; p++) {
        if (strchr(special, *p))
            buf_printf(out, "%%%02X", (unsigned)(unsigned char)*p);
        else
            buf_putc(out, *p);
    }
    if (plain.error && !out->error)
        out->error = plain.error;
    buf_done(&plain);
}

static void add_place(struct buf *out, const struct finding_place *at)
{
    if (!at->file)
        return;
    buf_puts(out, "file=");
    add_escaped(out, at->file, "%:,");
    buf_putc(out, ',');
    if (!at->line)
        return;
    buf_printf(out, "line=%u,col=%u,", at->line, at->column);
    if (at->end_line == at->line && at->end_column > at->column)
        buf_printf(out, "endLine=%u,endColumn=%u,", at->end_line, at->end_column);
}

void validate_github(const struct validate_report *report, const struct validate_style *style,
                     struct buf *out)
{
    static const char *const names[] = {"notice", "warning", "error"};
    for (size_t i = 0; i < report->findings.n; i++) {
        const struct finding *f = &report->findings.list[i];
        if (f->is_suppressed)
            continue;
        buf_printf(out, "::%s ", names[f->severity]);
        add_place(out, &f->at);
        buf_printf(out, "title=%s::", f->id);
        add_escaped(out, f->message, "%");
        if (f->help) {
            buf_puts(out, "%0A");
            add_escaped(out, f->help, "%");
        }
        buf_putc(out, '\n');
    }
    if (!style->is_quiet)
        validate_result(report, out);
}
