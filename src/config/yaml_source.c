/* SPDX-License-Identifier: MIT */
#include "yaml_source.h"

#include <errno.h>
#include <string.h>

#define BLOCK 256

struct walk {
    size_t at, characters;
    unsigned line;
    size_t line_start; /* in characters */
};

/* Length of the character at `at` by RFC 3629 section 4; 0 when it is none. */
static size_t utf8_length(const unsigned char *s, size_t left, uint32_t *ret_code)
{
    size_t len = s[0] < 0x80 ? 1 : s[0] < 0xc2 ? 0 : s[0] < 0xe0 ? 2 : s[0] < 0xf0 ? 3 : 4;
    if (len == 0 || s[0] > 0xf4 || len > left)
        return 0;
    uint32_t code = len == 1 ? s[0] : s[0] & (0x7fu >> len);
    for (size_t i = 1; i < len; i++) {
        if ((s[i] & 0xc0) != 0x80)
            return 0;
        code = code << 6 | (s[i] & 0x3f);
    }
    if ((len == 3 && code < 0x800) || (len == 4 && (code < 0x10000 || code > 0x10ffff)) ||
        (code >= 0xd800 && code <= 0xdfff))
        return 0;
    *ret_code = code;
    return len;
}

/* YAML 1.1 section 4.1.1: what a stream may hold. */
static bool is_printable(uint32_t c)
{
    return c == '\t' || c == '\n' || c == '\r' || (c >= 0x20 && c <= 0x7e) || c == 0x85 ||
           (c >= 0xa0 && c <= 0xfffd) || c >= 0x10000;
}

static int refuse(const struct yaml_source *source, const struct walk *w, struct findings *findings,
                  const char *what, const char *help)
{
    struct finding_place at = {
        .file = source->name,
        .line = w->line,
        .column = (unsigned)(w->characters - w->line_start) + 1,
        .offset = w->at + source->bom,
        .end_line = w->line,
        .end_column = (unsigned)(w->characters - w->line_start) + 2,
        .end_offset = w->at + source->bom + 1,
    };
    struct finding *f =
        finding_add(findings, "TV001", &at, "byte 0x%02x: %s",
                    w->at < source->len ? (unsigned char)source->bytes[w->at] : 0u, what);
    finding_set_help(findings, f, "%s", help);
    return -EINVAL;
}

/* Counts characters, and stops at the first that cannot be. */
static int scan(struct yaml_source *source, struct findings *findings, bool *ret_ascii)
{
    struct walk w = {.line = 1};
    const unsigned char *s = (const unsigned char *)source->bytes;
    bool ascii = true;
    while (w.at < source->len) {
        uint32_t code;
        size_t n = utf8_length(s + w.at, source->len - w.at, &code);
        if (n == 0)
            return refuse(source, &w, findings, "this is not UTF-8 text", "save the file as UTF-8");
        if (!is_printable(code))
            return refuse(source, &w, findings,
                          code == 0 ? "a NUL byte in the text" : "a control character in the text",
                          code == 0 ? "UTF-16 or a binary file? YAML files are UTF-8 text"
                                    : "remove it, or write it as an escape in double quotes");
        ascii = ascii && n == 1;
        if (source->blocks && w.characters % BLOCK == 0)
            source->blocks[w.characters / BLOCK] = (uint32_t)w.at;
        w.at += n;
        w.characters++;
        if (code == '\n' || (code == '\r' && (w.at == source->len || s[w.at] != '\n'))) {
            w.line++;
            w.line_start = w.characters;
        }
    }
    /* The end may be asked for, too. */
    if (source->blocks && w.characters % BLOCK == 0)
        source->blocks[w.characters / BLOCK] = (uint32_t)w.at;
    *ret_ascii = ascii;
    return 0;
}

int yaml_source_init(struct yaml_source *source, const char *name, const char *bytes, size_t len,
                     struct arena *arena, struct findings *findings)
{
    memset(source, 0, sizeof(*source));
    if (len >= 3 && memcmp(bytes, "\xef\xbb\xbf", 3) == 0)
        source->bom = 3;
    source->name = arena_strdup(arena, name);
    source->bytes = bytes + source->bom;
    source->len = len - source->bom;
    if (!source->name)
        return -ENOMEM;
    if (source->len > UINT32_MAX)
        return -EINVAL;
    bool ascii;
    int r = scan(source, findings, &ascii);
    if (r < 0 || ascii)
        return r;
    source->n_blocks = source->len / BLOCK + 1;
    source->blocks = arena_array(arena, source->n_blocks, sizeof(*source->blocks));
    if (!source->blocks)
        return -ENOMEM;
    return scan(source, findings, &ascii);
}

size_t yaml_source_offset(const struct yaml_source *source, size_t character)
{
    size_t at = character;
    if (source->blocks && character / BLOCK < source->n_blocks) {
        at = source->blocks[character / BLOCK];
        for (size_t n = character % BLOCK; n > 0 && at < source->len; n--)
            do
                at++;
            while (at < source->len && (source->bytes[at] & 0xc0) == 0x80);
    }
    return (at < source->len ? at : source->len) + source->bom;
}

static bool is_break(char c)
{
    return c == '\n' || c == '\r';
}

const char *yaml_source_line(const struct yaml_source *source, size_t byte, size_t *ret_len)
{
    size_t start = byte < source->len ? byte : source->len, end = start;
    while (start > 0 && !is_break(source->bytes[start - 1]))
        start--;
    while (end < source->len && !is_break(source->bytes[end]))
        end++;
    *ret_len = end - start;
    return source->bytes + start;
}
