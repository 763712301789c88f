/* SPDX-License-Identifier: MIT */
#include "socket.h"

#include "base/file.h"

#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#define CLAIM_TRIES 8

static int address_of(const char *path, struct sockaddr_un *ret_address)
{
    struct sockaddr_un a = {.sun_family = AF_UNIX};
    if (strlen(path) >= sizeof(a.sun_path))
        return -ENAMETOOLONG;
    strcpy(a.sun_path, path);
    *ret_address = a;
    return 0;
}

static int unix_socket(void)
{
    int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    return fd < 0 ? -errno : fd;
}

/* Who listens: 0 and the pid, -ECONNREFUSED when nobody does, -ENOENT, -errno. */
static int probe(const char *path, int64_t *ret_pid)
{
    struct sockaddr_un a;
    struct ucred peer = {.pid = 0};
    socklen_t len = sizeof(peer);
    int r = address_of(path, &a), fd = r < 0 ? r : unix_socket();
    if (fd < 0)
        return fd;
    if (connect(fd, (struct sockaddr *)&a, sizeof(a)) < 0)
        r = errno == EAGAIN ? 0 : -errno; /* its queue is full: alive, if busy */
    else
        getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &peer, &len);
    close(fd);
    if (r == 0)
        *ret_pid = peer.pid;
    return r;
}

/* Moves a dead socket out of the way. Between the look and the move somebody else may have put a
 * live one there, so what was moved is looked at again, and given back if it lives. */
static int clear_stale(const char *path, const char *aside, int64_t *ret_pid)
{
    int r = probe(path, ret_pid);
    if (r == 0)
        return -EADDRINUSE;
    if (r == -ENOENT)
        return 0;
    if (r != -ECONNREFUSED)
        return r;
    if (rename(path, aside) < 0)
        return errno == ENOENT ? 0 : -errno;
    if (probe(aside, ret_pid) == 0) {
        r = link(aside, path) < 0 && errno != EEXIST ? -errno : -EADDRINUSE;
        unlink(aside);
        return r;
    }
    return unlink(aside) < 0 ? -errno : 0;
}

/* Gives the listening socket `own` the name `path`: link() fails where a file already is. */
static int claim(const char *own, const char *path, const char *aside, int64_t *ret_pid)
{
    struct stat st;
    for (int i = 0; i < CLAIM_TRIES; i++) {
        if (link(own, path) == 0)
            return 0;
        if (errno != EEXIST)
            return -errno;
        if (lstat(path, &st) == 0 && !S_ISSOCK(st.st_mode))
            return -EEXIST;
        int r = clear_stale(path, aside, ret_pid);
        if (r < 0)
            return r;
    }
    return -EADDRINUSE;
}

static int bind_at(int fd, const char *path, int backlog)
{
    struct sockaddr_un a;
    int r = address_of(path, &a);
    if (r < 0)
        return r;
    unlink(path); /* a name with our pid in it: left by a dead process that had the same */
    fchmod(fd, 0660);
    if (bind(fd, (struct sockaddr *)&a, sizeof(a)) < 0)
        return -errno;
    if (chmod(path, 0660) < 0 || listen(fd, backlog) < 0) {
        r = -errno;
        unlink(path);
    }
    return r;
}

int socket_listen(const char *path, int backlog, int *ret_fd, struct socket_place *ret_place,
                  int64_t *ret_owner_pid)
{
    char own[sizeof(((struct sockaddr_un *)NULL)->sun_path) + 16], aside[sizeof(own)];
    struct stat st = {.st_ino = 0};
    if (strlen(path) >= sizeof(own) - 16)
        return -ENAMETOOLONG;
    snprintf(own, sizeof(own), "%s.%d", path, (int)getpid());
    snprintf(aside, sizeof(aside), "%s.%d~", path, (int)getpid());
    int r = file_make_folder(path), fd = r < 0 ? r : unix_socket();
    if (fd < 0)
        return fd;
    r = bind_at(fd, own, backlog);
    if (r == 0) {
        r = claim(own, path, aside, ret_owner_pid);
        if (r == 0 && lstat(own, &st) < 0) {
            r = -errno;
            unlink(path);
        }
        unlink(own);
    }
    if (r < 0) {
        close(fd);
        return r;
    }
    *ret_fd = fd;
    *ret_place = (struct socket_place){.device = st.st_dev, .inode = st.st_ino};
    return 0;
}

int socket_listen_tcp(const struct ip *ip, uint16_t port, int backlog, int *ret_fd)
{
    struct sockaddr_in v4 = {.sin_family = AF_INET, .sin_port = htons(port)};
    struct sockaddr_in6 v6 = {.sin6_family = AF_INET6, .sin6_port = htons(port)};
    bool is_v4 = ip->family == IP_V4;
    int on = 1, r = 0;
    int fd = socket(is_v4 ? AF_INET : AF_INET6, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    if (fd < 0)
        return -errno;
    memcpy(is_v4 ? (void *)&v4.sin_addr : (void *)&v6.sin6_addr, ip->bytes, ip_len(ip));
    if (setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on)) < 0 ||
        (!is_v4 && setsockopt(fd, IPPROTO_IPV6, IPV6_V6ONLY, &on, sizeof(on)) < 0) ||
        bind(fd, is_v4 ? (struct sockaddr *)&v4 : (struct sockaddr *)&v6,
             is_v4 ? sizeof(v4) : sizeof(v6)) < 0 ||
        listen(fd, backlog) < 0)
        r = -errno;
    if (r < 0)
        close(fd);
    else
        *ret_fd = fd;
    return r;
}

void socket_remove(const char *path, const struct socket_place *place)
{
    struct stat st;
    if (lstat(path, &st) == 0 && st.st_dev == place->device && st.st_ino == place->inode)
        unlink(path);
}
