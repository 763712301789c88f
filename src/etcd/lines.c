/* SPDX-License-Identifier: MIT */
#include "lines.h"

#include <string.h>

#define KEEP_BYTES 16384u /* a buffer larger than this is not kept for ever */

void lines_init(struct lines *lines, size_t max)
{
    *lines = (struct lines){0};
    buf_init(&lines->data, max);
}

void lines_done(struct lines *lines)
{
    buf_done(&lines->data);
    lines->read = lines->seen = 0;
}

void lines_clear(struct lines *lines)
{
    buf_clear(&lines->data);
    lines->read = lines->seen = 0;
}

int lines_add(struct lines *lines, const char *data, size_t len)
{
    buf_consume(&lines->data, lines->read);
    lines->read = 0;
    return buf_add(&lines->data, data, len);
}

const char *lines_next(struct lines *lines, size_t *ret_len)
{
    while (lines->read < lines->data.len) {
        char *line = lines->data.data + lines->read;
        size_t left = lines->data.len - lines->read;
        char *end = memchr(line + lines->seen, '\n', left - lines->seen);
        if (!end) {
            lines->seen = left;
            return NULL;
        }
        size_t len = (size_t)(end - line);
        lines->read += len + 1;
        lines->seen = 0;
        if (len == 0)
            continue;
        *ret_len = len;
        return line;
    }
    if (lines->data.cap > KEEP_BYTES)
        buf_done(&lines->data);
    else
        buf_clear(&lines->data);
    lines->read = 0;
    return NULL;
}
