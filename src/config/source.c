/* SPDX-License-Identifier: MIT */
#include "source.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdint.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define PIPE_TIMEOUT_MS 10000

static int wait_readable(int fd)
{
    struct pollfd p = {.fd = fd, .events = POLLIN};
    int n = poll(&p, 1, PIPE_TIMEOUT_MS);
    return n > 0 ? 0 : n == 0 ? -ETIMEDOUT : -errno;
}

static int read_all(int fd, struct buf *out)
{
    char block[16384];
    for (;;) {
        ssize_t n = read(fd, block, sizeof(block));
        int r = 0;
        if (n == 0)
            return 0;
        if (n > 0)
            r = buf_add(out, block, (size_t)n);
        else if (errno == EAGAIN)
            r = wait_readable(fd);
        else if (errno != EINTR)
            r = -errno;
        if (r < 0 && r != -EINTR)
            return r == -EMSGSIZE ? -EFBIG : r;
    }
}

/* A pipe that nobody has opened for writing yet is at its end to read(), but not to poll(). */
static int wait_writer(int fd)
{
    int r;
    do
        r = wait_readable(fd);
    while (r == -EINTR);
    return r;
}

int source_read(const char *path, struct buf *out)
{
    struct stat st;
    bool standard = strcmp(path, "-") == 0;
    int fd = standard ? STDIN_FILENO : open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);
    if (fd < 0)
        return -errno;
    int r = 0;
    if (fstat(fd, &st) < 0)
        r = -errno;
    else if (S_ISDIR(st.st_mode))
        r = -EISDIR;
    else if (S_ISREG(st.st_mode) && (uint64_t)st.st_size > out->max)
        r = -EFBIG;
    else if (S_ISFIFO(st.st_mode) && !standard)
        r = wait_writer(fd);
    if (r == 0)
        r = read_all(fd, out);
    if (!standard)
        close(fd);
    return r;
}
