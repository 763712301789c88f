/* SPDX-License-Identifier: MIT */
/* Text from strangers, one character at a time: what may be shown as it is, and what may not. */
#ifndef TALOSVIP_BASE_TEXT_H
#define TALOSVIP_BASE_TEXT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct buf;

enum text_kind {
    TEXT_PLAIN,   /* valid UTF-8 (RFC 3629) that a terminal shows as itself */
    TEXT_CONTROL, /* valid, but C0, DEL, C1, a line separator or a change of direction */
    TEXT_INVALID, /* not UTF-8; one byte long */
};

/* Bytes of the first character of `text`; `len` is at least 1. */
size_t text_next(const char *text, size_t len, enum text_kind *ret_kind);

/* The code point of a character that text_next() called plain, `bytes` long. */
uint32_t text_code(const char *text, size_t bytes);
/* Cells of a terminal that a character takes, whatever the locale: 0 combining, 1, or 2 wide. */
unsigned text_cells(uint32_t code);
/* Cells of a whole text, each character that is not plain counted as one. */
size_t text_width(const char *text);
/* The UTF-8 form, at most 4 bytes and not terminated; returns its length. */
size_t text_encode(uint32_t code, char out[4]);

/* Bytes of the whole characters at the start of `text` that take at most `max`; for "%.*s". */
int text_fit(const char *text, size_t max);
/* As much of `text` as fits into `size` bytes with its NUL, in whole characters, with a '?' for a
 * byte that is not UTF-8. `to` may be `text`. */
void text_copy(char *to, size_t size, const char *text);

/* Appends `text` with a '?' for every character that is not plain, so that a name cannot move
 * the cursor or look like another one. Returns 0 or the buf's error. */
int text_add_plain(struct buf *out, const char *text);
/* Appends `text` with "\u00xx" for every control character, and '?' for what is not UTF-8. */
int text_add_escaped(struct buf *out, const char *text, size_t len);
/* Appends at most `size` bytes of `text` (to its NUL) as a JSON string in quotes; a byte that is
 * not UTF-8 becomes '?', for JSON has no other bytes. Returns 0 or the buf's error. */
int text_add_json(struct buf *out, const char *text, size_t size);
/* All of it is UTF-8 without a NUL. */
bool text_is_utf8(const char *text, size_t len);

#endif
