/* SPDX-License-Identifier: MIT */
/* RFC 4648 section 4: the standard alphabet, padded. */
#ifndef TALOSVIP_ETCD_BASE64_H
#define TALOSVIP_ETCD_BASE64_H

#include <stddef.h>

#include "base/buf.h"

/* Appends the text of `len` bytes. 0 or the buf's error. */
int base64_add(struct buf *b, const void *data, size_t len);
/* Room that base64_decode() wants for `len` characters of text. */
#define BASE64_DECODED_MAX(len) ((len) / 4 * 3)
/* Strict: padding required, no other characters, unused bits zero. 0 or -EBADMSG. */
int base64_decode(const char *text, size_t len, char *out, size_t *ret_len);

#endif
