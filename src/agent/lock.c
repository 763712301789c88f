/* SPDX-License-Identifier: MIT */
/* One agent in a network namespace: an abstract unix socket, whose names belong to the namespace
 * (unix(7)). It is held until both the agent and its guardian have ended. */
#include "state.h"

#include <errno.h>
#include <stddef.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#define LOCK_NAME "talosvip/agent"

static int lock_open(struct sockaddr_un *ret_address, socklen_t *ret_len)
{
    *ret_address = (struct sockaddr_un){.sun_family = AF_UNIX};
    memcpy(ret_address->sun_path + 1, LOCK_NAME, sizeof(LOCK_NAME) - 1);
    *ret_len = (socklen_t)(offsetof(struct sockaddr_un, sun_path) + sizeof(LOCK_NAME));
    int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    return fd < 0 ? -errno : fd;
}

int lock_take(int *ret_fd)
{
    struct sockaddr_un address;
    socklen_t len;
    int fd = lock_open(&address, &len);
    if (fd < 0)
        return fd;
    /* Nobody accepts: whoever asks for the owner stays in the queue for as long as that lives. */
    if (bind(fd, (struct sockaddr *)&address, len) < 0 || listen(fd, SOMAXCONN) < 0) {
        int r = -errno;
        close(fd);
        return r;
    }
    *ret_fd = fd;
    return 0;
}

int64_t lock_owner(void)
{
    struct sockaddr_un address;
    struct ucred cred = {.pid = 0};
    socklen_t len, size = sizeof(cred);
    int fd = lock_open(&address, &len);
    if (fd < 0)
        return 0;
    if (connect(fd, (struct sockaddr *)&address, len) < 0 ||
        getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &cred, &size) < 0)
        cred.pid = 0;
    close(fd);
    return cred.pid;
}
