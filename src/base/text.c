/* SPDX-License-Identifier: MIT */
#include "base/text.h"

#include "base/buf.h"

#include <stdint.h>
#include <string.h>

/* The code point of a well-formed sequence (no overlong form, no surrogate), or UINT32_MAX. */
static uint32_t decode(const unsigned char *s, size_t len, size_t *ret_bytes)
{
    static const uint32_t least[5] = {0, 0, 0x80, 0x800, 0x10000};
    size_t n = s[0] < 0x80 ? 1 : s[0] < 0xc2 ? 0 : s[0] < 0xe0 ? 2 : s[0] < 0xf0 ? 3 : 4;
    if (n == 0 || n > len || s[0] > 0xf4)
        return UINT32_MAX;
    uint32_t c = n == 1 ? s[0] : s[0] & (0x7fu >> n);
    for (size_t i = 1; i < n; i++) {
        if ((s[i] & 0xc0) != 0x80)
            return UINT32_MAX;
        c = c << 6 | (s[i] & 0x3fu);
    }
    if (c < least[n] || c > 0x10ffff || (c >= 0xd800 && c <= 0xdfff))
        return UINT32_MAX;
    *ret_bytes = n;
    return c;
}

static bool is_control(uint32_t c)
{
    return c < 0x20 || (c >= 0x7f && c < 0xa0) || (c >= 0x200b && c <= 0x200f) ||
           (c >= 0x2028 && c <= 0x202e) || (c >= 0x2060 && c <= 0x2069) || c == 0xfeff;
}

size_t text_next(const char *text, size_t len, enum text_kind *ret_kind)
{
    size_t n = 1;
    uint32_t c = decode((const unsigned char *)text, len, &n);
    *ret_kind = c == UINT32_MAX ? TEXT_INVALID : is_control(c) ? TEXT_CONTROL : TEXT_PLAIN;
    return n;
}

int text_add_plain(struct buf *out, const char *text)
{
    size_t len = strlen(text);
    while (len > 0) {
        enum text_kind kind;
        size_t n = text_next(text, len, &kind);
        if (kind == TEXT_PLAIN)
            buf_add(out, text, n);
        else
            buf_putc(out, '?');
        text += n;
        len -= n;
    }
    return out->error;
}

int text_add_json(struct buf *out, const char *text, size_t size)
{
    size_t len = strnlen(text, size);
    buf_putc(out, '"');
    while (len > 0) {
        enum text_kind kind;
        size_t n = text_next(text, len, &kind);
        if (kind == TEXT_INVALID)
            buf_putc(out, '?');
        else if (*text == '"' || *text == '\\')
            buf_printf(out, "\\%c", *text);
        else if ((unsigned char)*text < 0x20)
            buf_printf(out, "\\u%04x", (unsigned)(unsigned char)*text);
        else
            buf_add(out, text, n);
        text += n;
        len -= n;
    }
    return buf_putc(out, '"');
}

bool text_is_utf8(const char *text, size_t len)
{
    while (len > 0) {
        enum text_kind kind;
        size_t n = text_next(text, len, &kind);
        if (kind == TEXT_INVALID || *text == '\0')
            return false;
        text += n;
        len -= n;
    }
    return true;
}
