/* SPDX-License-Identifier: MIT */
#include "report.h"

#include "base/buf.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define QUOTE_MAX 64
#define POINTER_MAX 4096 /* bytes; a longer one is left out */

struct finding_place report_place(const struct yaml_node *node, const char *yaml_path)
{
    return (struct finding_place){
        .file = node->file,
        .yaml_path = yaml_path,
        .document = node->document,
        .line = node->start.line,
        .column = node->start.column,
        .offset = node->start.offset,
        .end_line = node->end.line,
        .end_column = node->end.column,
        .end_offset = node->end.offset,
    };
}

struct finding *report_add(struct findings *findings, const char *id, const struct yaml_node *node,
                           const struct yaml_step *path, const char *fmt, ...)
{
    char *message = NULL;
    va_list ap;
    va_start(ap, fmt);
    int n = vasprintf(&message, fmt, ap);
    va_end(ap);
    struct buf pointer;
    buf_init(&pointer, POINTER_MAX);
    report_pointer(path, &pointer);
    struct finding_place at = report_place(node, pointer.error ? NULL : buf_str(&pointer));
    struct finding *f = NULL;
    if (n >= 0) {
        f = finding_add(findings, id, &at, "%s", message);
        free(message);
    } else {
        findings->error = -ENOMEM;
    }
    report_text_done(findings, &pointer);
    return f;
}

void report_text_done(struct findings *findings, struct buf *text)
{
    if (text->error == -ENOMEM)
        findings->error = -ENOMEM;
    buf_done(text);
}

static void pointer_key(const char *key, struct buf *out)
{
    for (; *key; key++) {
        if (*key == '~')
            buf_puts(out, "~0");
        else if (*key == '/')
            buf_puts(out, "~1");
        else
            buf_putc(out, *key);
    }
}

void report_pointer(const struct yaml_step *path, struct buf *out)
{
    if (!path)
        return;
    report_pointer(path->up, out);
    buf_putc(out, '/');
    if (path->key)
        pointer_key(path->key, out);
    else
        buf_printf(out, "%zu", path->index);
}

static void words(const struct yaml_step *path, struct buf *out)
{
    if (!path)
        return;
    words(path->up, out);
    if (!path->key)
        buf_printf(out, "[%zu]", path->index);
    else
        buf_printf(out, "%s%s", out->len ? "." : "", path->key);
}

void report_words(const struct yaml_step *path, const char *root, struct buf *out)
{
    if (path)
        words(path, out);
    else
        buf_puts(out, root);
}

void report_quote(const char *text, size_t len, struct buf *out)
{
    size_t n = len;
    if (n > QUOTE_MAX)
        for (n = QUOTE_MAX; n > 0 && (text[n] & 0xc0) == 0x80;)
            n--;
    buf_putc(out, '"');
    for (size_t i = 0; i < n; i++) {
        unsigned char c = (unsigned char)text[i];
        /* C1 controls, which some terminals obey, begin with 0xc2. */
        bool c1 = c == 0xc2 && i + 1 < n && (unsigned char)text[i + 1] < 0xa0;
        if (c == '"' || c == '\\')
            buf_printf(out, "\\%c", c);
        else if (c == '\n' || c == '\t')
            buf_puts(out, c == '\n' ? "\\n" : "\\t");
        else if (c < 0x20 || c == 0x7f || c1)
            buf_printf(out, "\\x%02x", c1 ? (unsigned char)text[++i] : c);
        else
            buf_putc(out, (char)c);
    }
    buf_puts(out, n < len ? "\"\xe2\x80\xa6" : "\"");
}
