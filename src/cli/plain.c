/* SPDX-License-Identifier: MIT */
#include "plain.h"

#include "base/buf.h"
#include "base/text.h"

#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

void plain_print(FILE *to, const char *fmt, ...)
{
    struct buf out;
    char *text = NULL;
    size_t len = strlen(fmt);
    va_list ap;
    va_start(ap, fmt);
    int n = vasprintf(&text, fmt, ap);
    va_end(ap);
    buf_init(&out, 0);
    if (n > 0 && fmt[len - 1] == '\n')
        text[n - 1] = '\0';
    if (n >= 0)
        text_add_plain(&out, text);
    if (len > 0 && fmt[len - 1] == '\n')
        buf_putc(&out, '\n');
    fputs(n < 0 || out.error ? "talosvip: out of memory\n" : buf_str(&out), to);
    buf_done(&out);
    if (n >= 0)
        free(text);
}
