/* SPDX-License-Identifier: MIT */
/* Asking an agent over its unix socket (libcurl). Blocking, with a time limit. */
#ifndef TALOSVIP_API_CLIENT_H
#define TALOSVIP_API_CLIENT_H

#include "base/buf.h"

#include <stdint.h>

/* GET http://localhost<path> over the socket into `out` (bounded by its max). Returns the HTTP
 * status (200, 503, ...), or -errno: -ENOENT no socket, -ECONNREFUSED nobody listens, -EACCES,
 * -ETIMEDOUT, -EMSGSIZE, -EBADMSG. */
int api_client_get(const char *socket, const char *path, uint64_t timeout_us, struct buf *out);

/* POST, likewise. `body` is text. */
int api_client_post(const char *socket, const char *path, const char *body, uint64_t timeout_us,
                    struct buf *out);

/* The version of libcurl; static. */
const char *api_client_library(void);

#endif
