/* SPDX-License-Identifier: MIT */
/* Cuts a stream of bytes into lines. */
#ifndef TALOSVIP_ETCD_LINES_H
#define TALOSVIP_ETCD_LINES_H

#include "base/buf.h"

struct lines {
    struct buf data;
    size_t read; /* bytes given out already */
    size_t seen; /* bytes behind `read` known to hold no newline */
};

/* `max`: longest line, in bytes, and the most that is kept unread. Does not allocate. */
void lines_init(struct lines *lines, size_t max);
void lines_done(struct lines *lines);
void lines_clear(struct lines *lines);
/* 0, -ENOMEM, -EMSGSIZE: a line is too long. */
int lines_add(struct lines *lines, const char *data, size_t len);
/* The next whole line, without its newline and never empty, valid until the next call; NULL when
 * there is none. */
const char *lines_next(struct lines *lines, size_t *ret_len);

#endif
