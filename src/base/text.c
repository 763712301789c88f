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
    return c < 0x20 || (c >= 0x7f && c < 0xa0) || c == 0x61c || (c >= 0x200b && c <= 0x200f) ||
           (c >= 0x2028 && c <= 0x202e) || (c >= 0x2060 && c <= 0x2069) || c == 0xfeff ||
           c == 0xfffe || c == 0xffff;
}

size_t text_next(const char *text, size_t len, enum text_kind *ret_kind)
{
    size_t n = 1;
    uint32_t c = decode((const unsigned char *)text, len, &n);
    *ret_kind = c == UINT32_MAX ? TEXT_INVALID : is_control(c) ? TEXT_CONTROL : TEXT_PLAIN;
    return n;
}

uint32_t text_code(const char *text, size_t bytes)
{
    return decode((const unsigned char *)text, bytes, &bytes);
}

unsigned text_cells(uint32_t code)
{
    /* The blocks of Unicode's East Asian Width "wide", and of marks that stand on others. */
    static const struct {
        uint32_t first, last;
        unsigned cells;
    } blocks[] = {
        {0x300, 0x36f, 0},     {0x483, 0x489, 0},     {0x591, 0x5bd, 0},     {0x610, 0x61a, 0},
        {0x64b, 0x65f, 0},     {0x1100, 0x115f, 2},   {0x1ab0, 0x1aff, 0},   {0x1dc0, 0x1dff, 0},
        {0x20d0, 0x20ff, 0},   {0x231a, 0x231b, 2},   {0x23e9, 0x23ec, 2},   {0x2614, 0x2615, 2},
        {0x26a1, 0x26a1, 2},   {0x2705, 0x2705, 2},   {0x274c, 0x274c, 2},   {0x2753, 0x2757, 2},
        {0x2e80, 0x303e, 2},   {0x3041, 0xa4cf, 2},   {0xac00, 0xd7a3, 2},   {0xf900, 0xfaff, 2},
        {0xfe00, 0xfe0f, 0},   {0xfe20, 0xfe2f, 0},   {0xfe30, 0xfe6f, 2},   {0xff00, 0xff60, 2},
        {0xffe0, 0xffe6, 2},   {0x1f300, 0x1f64f, 2}, {0x1f680, 0x1f6ff, 2}, {0x1f900, 0x1f9ff, 2},
        {0x20000, 0x3fffd, 2}, {0xe0100, 0xe01ef, 0},
    };
    for (size_t i = 0; i < sizeof(blocks) / sizeof(blocks[0]) && code >= blocks[i].first; i++)
        if (code <= blocks[i].last)
            return blocks[i].cells;
    return 1;
}

size_t text_width(const char *text)
{
    size_t cells = 0, len = strlen(text);
    while (len > 0) {
        enum text_kind kind;
        size_t n = text_next(text, len, &kind);
        cells += kind == TEXT_PLAIN ? text_cells(text_code(text, n)) : 1;
        text += n;
        len -= n;
    }
    return cells;
}

size_t text_encode(uint32_t code, char out[4])
{
    if (code < 0x80) {
        out[0] = (char)code;
        return 1;
    }
    size_t n = code < 0x800 ? 2 : code < 0x10000 ? 3 : 4;
    static const unsigned lead[] = {0, 0, 0xc0, 0xe0, 0xf0};
    for (size_t i = n - 1; i > 0; i--) {
        out[i] = (char)(0x80 | (code & 0x3f));
        code >>= 6;
    }
    out[0] = (char)(lead[n] | code);
    return n;
}

int text_fit(const char *text, size_t max)
{
    size_t len = strlen(text), at = 0;
    while (at < len) {
        enum text_kind kind;
        size_t n = text_next(text + at, len - at, &kind);
        if (at + n > max)
            break;
        at += n;
    }
    return (int)at;
}

void text_copy(char *to, size_t size, const char *text)
{
    size_t len = (size_t)text_fit(text, size - 1), n;
    for (size_t at = 0; at < len; at += n) {
        enum text_kind kind;
        n = text_next(text + at, len - at, &kind);
        memmove(to + at, kind == TEXT_INVALID ? "?" : text + at, n);
    }
    to[len] = '\0';
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

int text_add_escaped(struct buf *out, const char *text, size_t len)
{
    while (len > 0) {
        enum text_kind kind;
        size_t n = text_next(text, len, &kind);
        if (kind == TEXT_PLAIN)
            buf_add(out, text, n);
        else if (kind == TEXT_INVALID)
            buf_putc(out, '?');
        else
            buf_printf(out, "\\u%04x", (unsigned)text_code(text, n));
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
        size_t n = 0;
        while (n < len && text[n] != '"' && text[n] != '\\')
            n++;
        text_add_escaped(out, text, n);
        if (n < len)
            buf_printf(out, "\\%c", text[n++]);
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
