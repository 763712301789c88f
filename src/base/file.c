/* SPDX-License-Identifier: MIT */
#include "base/file.h"

#include <ctype.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

int file_read_id(const char *path, char *out, size_t size)
{
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    if (fd < 0)
        return -errno;
    ssize_t n = read(fd, out, size - 1);
    close(fd);
    if (n <= 0)
        return -EIO;
    while (n > 0 && isspace((unsigned char)out[n - 1]))
        n--;
    out[n] = '\0';
    for (ssize_t i = 0; i < n; i++)
        if (!isalnum((unsigned char)out[i]) && out[i] != '-')
            return -EBADMSG;
    return n > 0 ? 0 : -EBADMSG;
}

static int read_all(int fd, char *out, size_t size)
{
    struct stat st;
    if (fstat(fd, &st) < 0)
        return -errno;
    if (!S_ISREG(st.st_mode) || (st.st_uid != geteuid() && st.st_uid != 0) ||
        (st.st_mode & (S_IWGRP | S_IWOTH)))
        return -EPERM;
    ssize_t n = read(fd, out, size);
    if (n < 0)
        return -errno;
    if ((size_t)n == size)
        return -EMSGSIZE;
    out[n] = '\0';
    return strlen(out) == (size_t)n ? 0 : -EBADMSG;
}

int file_read_own(const char *path, char *out, size_t size)
{
    int fd = open(path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK | O_NOCTTY);
    if (fd < 0)
        return -errno;
    int r = read_all(fd, out, size);
    close(fd);
    return r;
}

static int write_new(const char *path, const char *text, size_t len)
{
    int fd = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, 0600);
    if (fd < 0)
        return -errno;
    ssize_t n = write(fd, text, len);
    int r = n < 0 ? -errno : (size_t)n < len ? -ENOSPC : 0;
    close(fd);
    return r;
}

int file_replace(const char *path, const char *text, size_t len)
{
    char fresh[PATH_MAX];
    int n = snprintf(fresh, sizeof(fresh), "%s.%d", path, (int)getpid());
    if (n < 0 || (size_t)n >= sizeof(fresh))
        return -ENAMETOOLONG;
    unlink(fresh); /* of a process that died with our number, which in a container is always 1 */
    int r = write_new(fresh, text, len);
    if (r == 0 && rename(fresh, path) < 0)
        r = -errno;
    if (r < 0)
        unlink(fresh);
    return r;
}

int file_make_folder(const char *path)
{
    char folder[PATH_MAX];
    const char *slash = strrchr(path, '/');
    if (!slash || slash == path)
        return 0;
    if ((size_t)(slash - path) >= sizeof(folder))
        return -ENAMETOOLONG;
    snprintf(folder, sizeof(folder), "%.*s", (int)(slash - path), path);
    if (mkdir(folder, 0755) < 0)
        return errno == EEXIST ? 0 : -errno;
    return chmod(folder, 0755) < 0 ? -errno : 0; /* whatever the umask was */
}
