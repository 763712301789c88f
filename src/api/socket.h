/* SPDX-License-Identifier: MIT */
/* Listening sockets: a unix one at a path that only one live process can have, and TCP. */
#ifndef TALOSVIP_API_SOCKET_H
#define TALOSVIP_API_SOCKET_H

#include <stdint.h>
#include <sys/types.h>

#include "base/ip.h"

struct socket_place {
    dev_t device;
    ino_t inode;
};

/* Listens on `path`, mode 0660, with the last directory of the path created (0755) where it is
 * missing. The name appears in one step, with its mode, once the socket listens. A socket that
 * nobody listens on is replaced. Errors: -EADDRINUSE when somebody listens there, then
 * *ret_owner_pid is who (0: unknown); -EEXIST for a file that is no socket; -ENAMETOOLONG; -errno.
 */
int socket_listen(const char *path, int backlog, int *ret_fd, struct socket_place *ret_place,
                  int64_t *ret_owner_pid);
/* 0 or -errno. */
int socket_listen_tcp(const struct ip *ip, uint16_t port, int backlog, int *ret_fd);
/* Unlinks `path` if it is still the file of `place`. */
void socket_remove(const char *path, const struct socket_place *place);

#endif
