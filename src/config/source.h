/* SPDX-License-Identifier: MIT */
/* A file's bytes. */
#ifndef TALOSVIP_CONFIG_SOURCE_H
#define TALOSVIP_CONFIG_SOURCE_H

#include "base/buf.h"

/* Appends the whole file ("-": standard input) to `out`, at most out->max bytes.
 * 0, -EFBIG when it is larger, -ETIMEDOUT when a pipe stays silent, or another -errno. */
int source_read(const char *path, struct buf *out);

#endif
