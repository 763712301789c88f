/* SPDX-License-Identifier: MIT */
#include "validate_output.h"

#include "base/text.h"

void validate_short(const struct validate_report *report, const struct validate_style *style,
                    struct buf *out)
{
    (void)style;
    for (size_t i = 0; i < report->findings.n; i++) {
        const struct finding *f = &report->findings.list[i];
        if (f->is_suppressed)
            continue;
        if (f->at.file) {
            text_add_plain(out, f->at.file);
            if (f->at.line)
                buf_printf(out, ":%u:%u", f->at.line, f->at.column);
            buf_puts(out, ": ");
        }
        buf_printf(out, "%s: ", severity_name(f->severity));
        text_add_plain(out, f->message);
        buf_printf(out, " [%s]\n", f->id);
    }
    if (report->findings.dropped)
        buf_printf(out, "and %zu more findings\n", report->findings.dropped);
}
