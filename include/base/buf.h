/* SPDX-License-Identifier: MIT */
/* A byte string that grows up to a cap. The first failure sticks, so that a
 * long piece of building needs one check at its end. */
#ifndef TALOSVIP_BASE_BUF_H
#define TALOSVIP_BASE_BUF_H

#include <stdbool.h>
#include <stddef.h>

struct buf {
    char *data; /* NUL-terminated once something was added; owned */
    size_t len; /* bytes, without the NUL */
    size_t cap;
    size_t max; /* most bytes it may hold, without the NUL */
    int error;  /* 0, -ENOMEM, or -EMSGSIZE when `max` was reached */
};

/* `max` in bytes; 0 means BUF_MAX_DEFAULT. Does not allocate. */
#define BUF_MAX_DEFAULT (1u << 20)
void buf_init(struct buf *b, size_t max);
/* Frees the contents; the buf may be used again. Takes NULL. */
void buf_done(struct buf *b);
/* Empties it and clears a sticky error; keeps the memory. */
void buf_clear(struct buf *b);

/* All return 0 or the sticky error. */
int buf_add(struct buf *b, const void *data, size_t len);
int buf_puts(struct buf *b, const char *s);
int buf_putc(struct buf *b, char c);
int buf_printf(struct buf *b, const char *fmt, ...) __attribute__((format(printf, 2, 3)));

/* The text so far; "" when empty. Valid until the next change. */
const char *buf_str(const struct buf *b);
/* Hands the memory over to the caller (free()); NULL after an error. The buf is empty then. */
char *buf_take(struct buf *b);
/* Removes the first `n` bytes. */
void buf_consume(struct buf *b, size_t n);

#endif
