/* SPDX-License-Identifier: MIT */
#include "complaint.h"

#include "base/buf.h"
#include "base/parse.h"
#include "base/text.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

int complaint_set(struct complaint *c, const char *fmt, ...)
{
    va_list ap;
    va_start(ap, fmt);
    vsnprintf(c->what, sizeof(c->what), fmt, ap);
    va_end(ap);
    c->hint[0] = '\0';
    return -EINVAL;
}

void complaint_hint(struct complaint *c, const char *fmt, ...)
{
    va_list ap;
    va_start(ap, fmt);
    vsnprintf(c->hint, sizeof(c->hint), fmt, ap);
    va_end(ap);
}

void complaint_print(const struct complaint *c)
{
    struct buf out;
    buf_init(&out, 0);
    buf_puts(&out, "talosvip: ");
    text_add_plain(&out, c->what);
    buf_putc(&out, '\n');
    if (c->hint[0]) {
        buf_puts(&out, "  hint: ");
        text_add_plain(&out, c->hint);
        buf_putc(&out, '\n');
    }
    fputs(out.error ? "talosvip: out of memory\n" : buf_str(&out), stderr);
    buf_done(&out);
}

/* More typing allows more typing errors; the beginning of a name is a good guess too. */
static size_t distance(const char *typed, const char *name)
{
    size_t len = strlen(typed), d = parse_distance(typed, name);
    if (d <= 1 + len / 4)
        return d;
    return len >= 2 && strncmp(typed, name, len) == 0 ? len : SIZE_MAX;
}

int complaint_suggest(struct complaint *c, const char *typed, const char *prefix,
                      const char *const *names, size_t n)
{
    const char *best = NULL;
    size_t best_distance = SIZE_MAX, used = strlen(c->what);
    for (size_t i = 0; i < n; i++) {
        size_t d = distance(typed, names[i]);
        if (d < best_distance) {
            best = names[i];
            best_distance = d;
        }
    }
    if (best)
        snprintf(c->what + used, sizeof(c->what) - used, "; did you mean %s%s?", prefix, best);
    return best != NULL;
}
