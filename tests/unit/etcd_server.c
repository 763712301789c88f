/* SPDX-License-Identifier: MIT */
#include "etcd_server.h"

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <ftw.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/clock.h"

#define TESTS_MAX_S 300

struct etcd_server group_server;

static bool look_in(const char *dir, size_t len, const char *name, char out[512])
{
    return len > 0 && snprintf(out, 512, "%.*s/%s", (int)len, dir, name) < 512 &&
           access(out, X_OK) == 0;
}

const char *etcd_server_find(const char *name, char out[512])
{
    const char *dir = getenv("ETCD_BIN_DIR"), *path = getenv("PATH");
    if (dir && look_in(dir, strlen(dir), name, out))
        return out;
    if (look_in("build/tools/usr/bin", strlen("build/tools/usr/bin"), name, out))
        return out;
    while (path && *path) {
        size_t len = strcspn(path, ":");
        if (look_in(path, len, name, out))
            return out;
        path += len + (path[len] == ':');
    }
    return NULL;
}

static struct sockaddr_in loopback(uint16_t port)
{
    return (struct sockaddr_in){
        .sin_family = AF_INET, .sin_port = htons(port), .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
}

/* While *ret_fd is open nobody gets this port, to listen or to connect from, but who asks for it
 * with SO_REUSEADDR: as etcd does. 0: none. */
static uint16_t port_hold(int *ret_fd)
{
    struct sockaddr_in a = loopback(0);
    socklen_t len = sizeof(a);
    int on = 1, fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    /* The option comes second: with it, bind() may give a port that another one holds so. */
    bool ok = bind(fd, (struct sockaddr *)&a, len) == 0 &&
              setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on)) == 0 &&
              getsockname(fd, (struct sockaddr *)&a, &len) == 0;
    *ret_fd = fd;
    return ok ? ntohs(a.sin_port) : 0;
}

uint16_t etcd_server_port(void)
{
    int fd;
    uint16_t port = port_hold(&fd);
    close(fd);
    return port;
}

static int remove_one(const char *path, const struct stat *st, int type, struct FTW *ftw)
{
    (void)st;
    (void)type;
    (void)ftw;
    return remove(path);
}

/* Waits for the end of the test, and tidies up. An etcd that is being killed may write still. */
static void keeper_run(int life, const char *dir)
{
    char none;
    dup2(life, 0);
    close_range(1, ~0U, 0);
    setsid(); /* what interrupts the test does not reach it */
    while (read(0, &none, 1) < 0 && errno == EINTR)
        ;
    for (unsigned i = 0; i < 100; i++) {
        nftw(dir, remove_one, 16, FTW_DEPTH | FTW_PHYS);
        if (access(dir, F_OK) < 0)
            break;
        poll(NULL, 0, 50);
    }
    _exit(0);
}

static bool keeper_start(struct etcd_server *s)
{
    int ends[2];
    if (pipe2(ends, O_CLOEXEC) < 0)
        return false;
    s->keeper = fork();
    if (s->keeper == 0)
        keeper_run(ends[0], s->dir);
    close(ends[0]);
    s->life = ends[1];
    return s->keeper > 0;
}

bool etcd_server_init(struct etcd_server *s, const char *scheme)
{
    *s = (struct etcd_server){.dir = "build/test-etcd-XXXXXX", .pid = -1, .scheme = scheme};
    alarm(TESTS_MAX_S);
    mkdir("build", 0777);
    if (!mkdtemp(s->dir) || !keeper_start(s)) {
        s->dir[0] = '\0';
        return false;
    }
    s->port = port_hold(&s->holds[0]);
    s->peer_port = port_hold(&s->holds[1]);
    snprintf(s->url, sizeof(s->url), "%s://127.0.0.1:%u", scheme, s->port);
    return s->port && s->peer_port;
}

static pid_t spawn(const char *const *argv, const char *log)
{
    pid_t parent = getpid();
    pid_t pid = fork();
    if (pid != 0)
        return pid;
    prctl(PR_SET_PDEATHSIG, SIGKILL); /* nothing is left behind by a test that dies */
    int fd = open(log, O_WRONLY | O_CREAT | O_APPEND, 0600);
    dup2(fd, STDOUT_FILENO);
    dup2(fd, STDERR_FILENO);
    if (getppid() == parent)
        execv(argv[0], (char *const *)(uintptr_t)argv);
    _exit(127);
}

bool etcd_server_run(const char *const *argv)
{
    int status;
    pid_t pid = spawn(argv, "/dev/null");
    return pid > 0 && waitpid(pid, &status, 0) == pid && WIFEXITED(status) &&
           WEXITSTATUS(status) == 0;
}

static bool takes_connections(uint16_t port)
{
    struct sockaddr_in a = loopback(port);
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    bool ok = connect(fd, (struct sockaddr *)&a, sizeof(a)) == 0;
    close(fd);
    return ok;
}

bool etcd_server_start(struct etcd_server *s)
{
    char program[512], peer[64], cluster[80], data[160], log[160];
    const char *argv[40];
    size_t n = 0;
    snprintf(peer, sizeof(peer), "http://127.0.0.1:%u", s->peer_port);
    snprintf(cluster, sizeof(cluster), "t=%s", peer);
    snprintf(data, sizeof(data), "%s/data", s->dir);
    snprintf(log, sizeof(log), "%s/log", s->dir);
    argv[n++] = etcd_server_find("etcd", program);
    const char *const fixed[] = {"--name",
                                 "t",
                                 "--data-dir",
                                 data,
                                 "--listen-client-urls",
                                 s->url,
                                 "--advertise-client-urls",
                                 s->url,
                                 "--listen-peer-urls",
                                 peer,
                                 "--initial-advertise-peer-urls",
                                 peer,
                                 "--initial-cluster",
                                 cluster,
                                 "--logger",
                                 "zap",
                                 "--heartbeat-interval",
                                 "50",
                                 "--election-timeout",
                                 "250"};
    for (size_t i = 0; i < sizeof(fixed) / sizeof(fixed[0]); i++)
        argv[n++] = fixed[i];
    for (size_t i = 0; s->extra && s->extra[i] && n < 38; i++)
        argv[n++] = s->extra[i];
    argv[n] = NULL;
    s->pid = argv[0] ? spawn(argv, log) : -1;
    uint64_t deadline = clock_now_us() + 15000000;
    while (s->pid > 0 && clock_now_us() < deadline) {
        if (waitpid(s->pid, NULL, WNOHANG) != 0)
            s->pid = -1; /* it could not start */
        else if (takes_connections(s->port))
            return true;
        poll(NULL, 0, 20);
    }
    return false;
}

void etcd_server_stop(struct etcd_server *s, int sig)
{
    if (s->pid <= 0)
        return;
    kill(s->pid, sig);
    waitpid(s->pid, NULL, 0);
    s->pid = -1;
}

void etcd_server_done(struct etcd_server *s)
{
    if (!s->dir[0])
        return;
    etcd_server_stop(s, SIGKILL);
    close(s->holds[0]);
    close(s->holds[1]);
    close(s->life);
    waitpid(s->keeper, NULL, 0);
    s->dir[0] = '\0';
}

int etcd_server_setup(void **state)
{
    (void)state;
    return etcd_server_init(&group_server, "http") && etcd_server_start(&group_server) ? 0 : -1;
}

int etcd_server_teardown(void **state)
{
    (void)state;
    etcd_server_done(&group_server);
    return 0;
}

bool etcd_server_is_missing(const char *name)
{
    char path[512];
    if (etcd_server_find(name, path))
        return false;
    printf("SKIP %s: no %s in $ETCD_BIN_DIR, build/tools/usr/bin or $PATH\n",
           program_invocation_short_name, name);
    return true;
}
