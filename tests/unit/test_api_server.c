/* SPDX-License-Identifier: MIT */
/* The server in a child process on a real socket; the tests are its clients. */
#include "api/client.h"
#include "api/server.h"
#include "base/clock.h"

#include <errno.h>
#include <event2/event.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <poll.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#define SECOND UINT64_C(1000000)
#define CLIENTS_SERVED 16

static char dir[64], path[96];
static uint16_t tcp_port;
static pid_t server_pid;

static void on_status(void *arg, struct api_status *ret_status)
{
    static struct api_vip vips[API_VIPS_MAX];
    (void)arg;
    memset(ret_status, 0, sizeof(*ret_status));
    strcpy(ret_status->node, "cp-1");
    ret_status->pid = getpid();
    for (unsigned i = 0; i < API_VIPS_MAX; i++) {
        char text[IP_TEXT_MAX];
        snprintf(text, sizeof(text), "10.0.0.%u", i);
        ip_parse(text, &vips[i].ip);
        vips[i].queued = API_QUEUE_MAX;
        for (unsigned j = 0; j < API_QUEUE_MAX; j++)
            memset(vips[i].queue[j], 'n', API_NAME_MAX - 1); /* more than a socket holds */
    }
    ret_status->vips = vips;
    ret_status->n_vips = API_VIPS_MAX;
}

static const char *on_healthz(void *arg)
{
    (void)arg;
    return NULL;
}

static const char *on_readyz(void *arg)
{
    (void)arg;
    return "etcd does not answer";
}

static void on_metrics(void *arg, struct api_metrics *ret_metrics)
{
    static struct api_status status;
    static struct api_counters counters;
    static struct api_vip_counters vips[API_VIPS_MAX];
    on_status(arg, &status);
    *ret_metrics = (struct api_metrics){.status = &status, .counters = &counters, .vips = vips};
}

static const struct api_source source = {
    .status = on_status, .healthz = on_healthz, .readyz = on_readyz, .metrics = on_metrics};

struct child {
    struct loop *loop;
    struct api_server *server, *tcp;
    struct loop_signal *term, *usr1;
};

static void on_term(void *arg, int signum)
{
    (void)signum;
    loop_stop(arg);
}

/* A grandchild that forgets the server must not hurt it. */
static void on_usr1(void *arg, int signum)
{
    struct child *c = arg;
    (void)signum;
    pid_t pid = fork();
    if (pid == 0) {
        loop_after_fork(c->loop);
        api_server_forget(c->server);
        api_server_forget(c->tcp);
        loop_signal_free(c->term);
        loop_signal_free(c->usr1);
        loop_free(c->loop);
        _exit(0);
    }
    waitpid(pid, NULL, 0);
}

static int serve(int ready)
{
    struct child c = {.loop = loop_new()};
    struct ip ip;
    int64_t owner;
    ip_parse("127.0.0.1", &ip);
    signal(SIGPIPE, SIG_IGN);
    if (!c.loop || loop_signal_new(c.loop, SIGTERM, on_term, c.loop, &c.term) < 0 ||
        loop_signal_new(c.loop, SIGUSR1, on_usr1, &c, &c.usr1) < 0 ||
        api_server_new(c.loop, path, &source, NULL, &c.server, &owner) < 0 ||
        api_server_new_tcp(c.loop, &ip, tcp_port, &source, NULL, &c.tcp) < 0)
        return 1;
    if (write(ready, "x", 1) != 1 || loop_run(c.loop) < 0)
        return 2;
    api_server_free(c.server);
    api_server_free(c.tcp);
    loop_signal_free(c.term);
    loop_signal_free(c.usr1);
    loop_free(c.loop);
    return 0;
}

/* A port that was free a moment ago. */
static uint16_t free_port(void)
{
    struct sockaddr_in a = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    socklen_t len = sizeof(a);
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    bool is_bound = bind(fd, (struct sockaddr *)&a, sizeof(a)) == 0 &&
                    getsockname(fd, (struct sockaddr *)&a, &len) == 0;
    close(fd);
    return is_bound ? ntohs(a.sin_port) : 0;
}

static int begin(void **state)
{
    int fds[2];
    char byte;
    (void)state;
    strcpy(dir, "/tmp/talosvip-test-XXXXXX");
    if (!mkdtemp(dir) || pipe2(fds, O_CLOEXEC) < 0)
        return -1;
    snprintf(path, sizeof(path), "%s/run/agent.sock", dir);
    tcp_port = free_port();
    server_pid = fork();
    if (server_pid == 0)
        exit(serve(fds[1]));
    close(fds[1]);
    ssize_t n = read(fds[0], &byte, 1);
    close(fds[0]);
    return n == 1 ? 0 : -1;
}

static int remove_dirs(void)
{
    char sub[80];
    snprintf(sub, sizeof(sub), "%s/run", dir);
    unlink(path);
    rmdir(sub);
    return rmdir(dir);
}

/* The server must have lived through the test, and leave neither memory nor files behind. */
static int end(void **state)
{
    int status;
    struct stat st;
    (void)state;
    kill(server_pid, SIGTERM);
    if (waitpid(server_pid, &status, 0) < 0 || status != 0 || lstat(path, &st) == 0)
        return -1;
    return remove_dirs();
}

static int connect_raw(void)
{
    struct sockaddr_un a = {.sun_family = AF_UNIX};
    int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    snprintf(a.sun_path, sizeof(a.sun_path), "%s", path);
    assert_int_equal(connect(fd, (struct sockaddr *)&a, sizeof(a)), 0);
    return fd;
}

/* Everything until the server closes, or the deadline; the bytes, or -1 for the deadline. */
static ssize_t read_all(int fd, char *text, size_t size, uint64_t timeout_us)
{
    uint64_t end_us = clock_now_us() + timeout_us, now_us;
    size_t len = 0;
    while ((now_us = clock_now_us()) < end_us) {
        struct pollfd p = {.fd = fd, .events = POLLIN};
        if (poll(&p, 1, (int)((end_us - now_us) / 1000 + 1)) != 1)
            continue;
        ssize_t n = read(fd, text + len, size - 1 - len);
        if (n <= 0) {
            text[len] = '\0';
            return (ssize_t)len;
        }
        len += (size_t)n;
    }
    return -1;
}

static void send_raw(int fd, const void *data, size_t len)
{
    assert_int_equal(send(fd, data, len, MSG_NOSIGNAL), (ssize_t)len);
}

static void ask(const char *request, char *text, size_t size)
{
    int fd = connect_raw();
    send_raw(fd, request, strlen(request));
    assert_true(read_all(fd, text, size, 2 * SECOND) > 0);
    close(fd);
}

static void assert_serves(void)
{
    struct buf out;
    buf_init(&out, 0);
    assert_int_equal(api_client_get(path, "/healthz", 2 * SECOND, &out), 200);
    assert_string_equal(buf_str(&out), "ok\n");
    buf_done(&out);
}

static void the_routes_answer(void **state)
{
    struct api_status status;
    struct buf out;
    (void)state;
    buf_init(&out, 4u << 20);
    assert_serves();
    assert_int_equal(api_client_get(path, "/readyz", SECOND, &out), 503);
    assert_string_equal(buf_str(&out), "etcd does not answer\n");
    buf_clear(&out);
    assert_int_equal(api_client_get(path, "/v1/status?x=1", 5 * SECOND, &out), 200);
    assert_int_equal(api_status_parse(buf_str(&out), out.len, &status), 0);
    assert_string_equal(status.node, "cp-1");
    assert_int_equal(status.pid, server_pid);
    assert_int_equal(status.n_vips, API_VIPS_MAX);
    api_status_done(&status);
    buf_clear(&out);
    assert_int_equal(api_client_get(path, "/v1/nothing", SECOND, &out), 404);
    assert_string_equal(buf_str(&out), "{\"error\":\"no such path\"}\n");
    buf_done(&out);
}

static int connect_tcp(void)
{
    struct sockaddr_in a = {.sin_family = AF_INET,
                            .sin_port = htons(tcp_port),
                            .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    assert_int_equal(connect(fd, (struct sockaddr *)&a, sizeof(a)), 0);
    return fd;
}

static void ask_tcp(const char *request, char *text, size_t size)
{
    int fd = connect_tcp();
    send_raw(fd, request, strlen(request));
    assert_true(read_all(fd, text, size, 2 * SECOND) > 0);
    close(fd);
}

/* What a stranger gets: numbers and probes, and the same bounds. */
static void on_tcp_only_the_public_routes_answer(void **state)
{
    static char text[1u << 20];
    static const char *const hidden[] = {"/v1/status", "/v1/", "/", "/v1/resign", "//metrics"};
    struct buf out;
    char request[64];
    (void)state;
    ask_tcp("GET /metrics HTTP/1.1\r\n\r\n", text, sizeof(text));
    assert_memory_equal(text, "HTTP/1.1 200 ", 13);
    assert_non_null(strstr(text, "\r\nContent-Type: text/plain; version=0.0.4; charset=utf-8\r\n"));
    assert_non_null(strstr(text, "\ntalosvip_vip_held{vip=\"10.0.0.199\"} 0\n"));
    ask_tcp("GET /healthz HTTP/1.1\r\n\r\n", text, sizeof(text));
    assert_memory_equal(text, "HTTP/1.1 200 ", 13);
    ask_tcp("GET /readyz HTTP/1.1\r\n\r\n", text, sizeof(text));
    assert_memory_equal(text, "HTTP/1.1 503 ", 13);
    for (size_t i = 0; i < sizeof(hidden) / sizeof(hidden[0]); i++) {
        snprintf(request, sizeof(request), "GET %s HTTP/1.1\r\n\r\n", hidden[i]);
        ask_tcp(request, text, sizeof(text));
        assert_memory_equal(text, "HTTP/1.1 404 ", 13);
    }
    ask_tcp("POST /metrics HTTP/1.1\r\nContent-Length: 0\r\n\r\n", text, sizeof(text));
    assert_memory_equal(text, "HTTP/1.1 405 ", 13);
    buf_init(&out, 1u << 20);
    assert_int_equal(api_client_get(path, "/metrics", 2 * SECOND, &out), 200);
    assert_non_null(strstr(buf_str(&out), "# TYPE talosvip_build_info gauge\n"));
    buf_done(&out);
}

/* Strangers who fill the TCP port leave the socket to those who may use it. */
static void a_full_tcp_port_does_not_fill_the_socket(void **state)
{
    int fds[CLIENTS_SERVED + 4], refused = 0;
    char text[1024];
    (void)state;
    for (int i = 0; i < CLIENTS_SERVED + 4; i++)
        fds[i] = connect_tcp();
    for (int i = CLIENTS_SERVED; i < CLIENTS_SERVED + 4; i++) {
        assert_true(read_all(fds[i], text, sizeof(text), SECOND) > 0);
        refused += strncmp(text, "HTTP/1.1 503 ", 13) == 0;
    }
    assert_int_equal(refused, 4);
    assert_serves();
    for (int i = 0; i < CLIENTS_SERVED + 4; i++)
        close(fds[i]);
}

static void other_methods_are_told_so(void **state)
{
    static const char *const methods[] = {"POST", "PUT", "DELETE", "PATCH", "OPTIONS"};
    char request[128], text[1024];
    (void)state;
    for (size_t i = 0; i < 5; i++) {
        snprintf(request, sizeof(request),
                 "%s /v1/status HTTP/1.1\r\nHost: x\r\nContent-Length: 2\r\n\r\n{}", methods[i]);
        ask(request, text, sizeof(text));
        assert_memory_equal(text, "HTTP/1.1 405 ", 13);
        assert_non_null(strstr(text, "\r\nAllow: GET\r\n"));
        assert_non_null(strstr(text, "\r\n\r\n{\"error\":\"only GET is served here\"}\n"));
    }
    ask("HEAD /healthz HTTP/1.1\r\nHost: x\r\n\r\n", text, sizeof(text));
    assert_memory_equal(text, "HTTP/1.1 405 ", 13);
}

static void garbage_is_survived(void **state)
{
    static const char *const requests[] = {
        "\r\n\r\n\r\n",
        "GET\r\n\r\n",
        "GET /healthz HTTP/9.9\r\n\r\n",
        "GET http://[::1/x HTTP/1.1\r\nHost: x\r\n\r\n",
        "GET /%zz%00 HTTP/1.1\r\nHost: x\r\n\r\n",
        "GET /healthz HTTP/1.1\r\nno colon\r\n\r\n",
        "POST /healthz HTTP/1.1\r\nContent-Length: -1\r\n\r\n",
        "POST /healthz HTTP/1.1\r\nContent-Length: 99999999999999999999\r\n\r\n",
        "POST /healthz HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n",
        "FOO /healthz HTTP/1.1\r\nHost: x\r\n\r\n",
        "\x16\x03\x01\x02\xff\x01\xfe\xfc\r\n\r\n",
    };
    char text[2048];
    (void)state;
    for (size_t i = 0; i < sizeof(requests) / sizeof(requests[0]); i++) {
        int fd = connect_raw();
        send_raw(fd, requests[i], strlen(requests[i]));
        shutdown(fd, SHUT_WR);
        ssize_t n = read_all(fd, text, sizeof(text), 2 * SECOND);
        if (n < 0 || strstr(text, " 200 "))
            fail_msg("request %zu: %s", i, n < 0 ? "no end" : text);
        close(fd);
    }
    assert_serves();
}

/* `len` bytes of 'a' or as many as are taken. */
static void send_many(int fd, size_t len)
{
    char block[4096];
    memset(block, 'a', sizeof(block));
    while (len > 0) {
        struct pollfd p = {.fd = fd, .events = POLLOUT};
        size_t want = len < sizeof(block) ? len : sizeof(block);
        if (poll(&p, 1, 2000) != 1)
            return;
        ssize_t n = send(fd, block, want, MSG_NOSIGNAL | MSG_DONTWAIT);
        if (n <= 0)
            return;
        len -= (size_t)n;
    }
}

static void too_large_requests_are_refused(void **state)
{
    static const struct {
        const char *head;
        size_t more;
    } cases[] = {
        {"POST /healthz HTTP/1.1\r\nHost: x\r\nContent-Length: 65537\r\n\r\n", 65537},
        {"POST /healthz HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n20000\r\n",
         131072},
        {"GET /healthz HTTP/1.1\r\nX: ", 20000},
        {"GET /", 20000},
    };
    char text[1024];
    (void)state;
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        int fd = connect_raw();
        send_raw(fd, cases[i].head, strlen(cases[i].head));
        send_many(fd, cases[i].more);
        ssize_t n = read_all(fd, text, sizeof(text), 2 * SECOND);
        if (n < 0 || (n > 0 && strncmp(text, "HTTP/1.1 4", 10) != 0))
            fail_msg("case %zu: %s", i, n < 0 ? "no end" : text);
        close(fd);
    }
    assert_serves();
}

static void too_many_clients_are_told_so(void **state)
{
    int fds[CLIENTS_SERVED + 4], refused = 0;
    char text[1024];
    (void)state;
    for (int i = 0; i < CLIENTS_SERVED + 4; i++)
        fds[i] = connect_raw();
    for (int i = CLIENTS_SERVED; i < CLIENTS_SERVED + 4; i++) {
        assert_true(read_all(fds[i], text, sizeof(text), SECOND) > 0);
        refused += strncmp(text, "HTTP/1.1 503 ", 13) == 0 && strstr(text, "too many clients");
    }
    assert_int_equal(refused, 4);
    /* Those that were there first are served, */
    send_raw(fds[0], "GET /healthz HTTP/1.1\r\n\r\n", 25);
    assert_true(read_all(fds[0], text, sizeof(text), SECOND) > 0);
    assert_memory_equal(text, "HTTP/1.1 200 ", 13);
    for (int i = 0; i < CLIENTS_SERVED + 4; i++)
        close(fds[i]);
    /* and once they have left, others are. */
    assert_serves();
}

static void a_flood_of_clients_leaves_a_working_server(void **state)
{
    struct sockaddr_un a = {.sun_family = AF_UNIX};
    int fds[300];
    (void)state;
    snprintf(a.sun_path, sizeof(a.sun_path), "%s", path);
    for (size_t i = 0; i < 300; i++) {
        fds[i] = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
        (void)connect(fds[i], (struct sockaddr *)&a, sizeof(a));
    }
    for (size_t i = 0; i < 300; i++)
        close(fds[i]);
    struct buf out;
    buf_init(&out, 0);
    uint64_t end_us = clock_now_us() + 2 * SECOND;
    int r;
    do {
        buf_clear(&out);
        r = api_client_get(path, "/healthz", SECOND, &out);
    } while (r != 200 && clock_now_us() < end_us);
    assert_int_equal(r, 200);
    buf_done(&out);
}

/* A byte now and then keeps nobody connected; nor does reading nothing. */
static void slow_clients_are_cut_off(void **state)
{
    char text[1024];
    int slow = connect_raw(), deaf = connect_raw();
    uint64_t start_us = clock_now_us();
    (void)state;
    send_raw(deaf, "GET /v1/status HTTP/1.1\r\n\r\n", 27);
    struct pollfd early = {.fd = deaf, .events = 0};
    assert_int_equal(poll(&early, 1, 300), 0);
    for (;;) {
        struct pollfd p = {.fd = slow, .events = POLLIN};
        if (poll(&p, 1, 250) == 1)
            break;
        send(slow, "G", 1, MSG_NOSIGNAL);
        assert_true(clock_now_us() - start_us < 8 * SECOND);
    }
    assert_true(read_all(slow, text, sizeof(text), SECOND) >= 0);
    assert_in_range(clock_now_us() - start_us, 4 * SECOND, 7 * SECOND);
    struct pollfd p = {.fd = deaf, .events = 0};
    assert_int_equal(poll(&p, 1, 2000), 1);
    assert_true(p.revents & POLLHUP);
    assert_in_range(clock_now_us() - start_us, 4 * SECOND, 7 * SECOND);
    close(slow);
    close(deaf);
    assert_serves();
}

static void a_second_server_learns_who_is_there(void **state)
{
    struct api_server *server = NULL;
    struct loop *loop = loop_new();
    int64_t owner = -1;
    (void)state;
    assert_int_equal(api_server_new(loop, path, &source, NULL, &server, &owner), -EADDRINUSE);
    assert_int_equal(owner, server_pid);
    assert_null(server);
    loop_free(loop);
    assert_serves();
}

static void a_child_that_forgets_hurts_nobody(void **state)
{
    char text[1024];
    struct pollfd p;
    int fd = connect_raw();
    (void)state;
    assert_serves(); /* so `fd` has been accepted */
    kill(server_pid, SIGUSR1);
    assert_serves();
    p = (struct pollfd){.fd = fd, .events = POLLIN};
    assert_int_equal(poll(&p, 1, 0), 0);
    send_raw(fd, "GET /healthz HTTP/1.1\r\n\r\n", 25);
    assert_true(read_all(fd, text, sizeof(text), SECOND) > 0);
    assert_memory_equal(text, "HTTP/1.1 200 ", 13);
    close(fd);
}

static void the_files_have_their_modes(void **state)
{
    struct stat st;
    char sub[80];
    (void)state;
    assert_int_equal(lstat(path, &st), 0);
    assert_int_equal(st.st_mode, S_IFSOCK | 0660);
    snprintf(sub, sizeof(sub), "%s/run", dir);
    assert_int_equal(stat(sub, &st), 0);
    assert_int_equal(st.st_mode, S_IFDIR | 0755);
    struct sockaddr_un a;
    char other[sizeof(a.sun_path)];
    snprintf(other, sizeof(other), "%s.%d", path, (int)server_pid);
    assert_int_equal(access(other, F_OK), -1);
}

/* Without the child process from here on. */
static int begin_alone(void **state)
{
    (void)state;
    strcpy(dir, "/tmp/talosvip-test-XXXXXX");
    if (!mkdtemp(dir))
        return -1;
    snprintf(path, sizeof(path), "%s/agent.sock", dir);
    return 0;
}

static int end_alone(void **state)
{
    (void)state;
    return remove_dirs();
}

static int listener(int type)
{
    struct sockaddr_un a = {.sun_family = AF_UNIX};
    int fd = socket(AF_UNIX, type | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    snprintf(a.sun_path, sizeof(a.sun_path), "%s", path);
    assert_int_equal(bind(fd, (struct sockaddr *)&a, sizeof(a)), 0);
    if (type == SOCK_STREAM)
        assert_int_equal(listen(fd, 1), 0);
    return fd;
}

static int start(struct loop *loop, struct api_server **ret_server)
{
    int64_t owner = -1;
    return api_server_new(loop, path, &source, NULL, ret_server, &owner);
}

static void a_stale_socket_is_replaced(void **state)
{
    struct api_server *server = NULL, *other = NULL;
    struct loop *loop = loop_new();
    (void)state;
    close(listener(SOCK_STREAM));
    assert_int_equal(access(path, F_OK), 0);
    assert_int_equal(start(loop, &server), 0);
    assert_int_equal(start(loop, &other), -EADDRINUSE);
    api_server_free(server);
    assert_int_equal(access(path, F_OK), -1);
    loop_free(loop);
}

static void another_ones_file_is_left_alone(void **state)
{
    struct api_server *server = NULL;
    struct loop *loop = loop_new();
    struct stat st;
    (void)state;
    int fd = open(path, O_CREAT | O_WRONLY | O_CLOEXEC, 0600);
    assert_int_equal(start(loop, &server), -EEXIST);
    assert_int_equal(stat(path, &st), 0);
    assert_true(S_ISREG(st.st_mode));
    unlink(path);
    assert_int_equal(start(loop, &server), 0);
    /* Replaced behind our back: not ours to remove any more. */
    unlink(path);
    assert_int_equal(linkat(AT_FDCWD, "/proc/self/exe", AT_FDCWD, path, 0), -1);
    close(open(path, O_CREAT | O_WRONLY | O_CLOEXEC, 0600));
    api_server_free(server);
    assert_int_equal(stat(path, &st), 0);
    close(fd);
    loop_free(loop);
}

static void bad_paths_are_errors(void **state)
{
    struct api_server *server = NULL;
    struct loop *loop = loop_new();
    int64_t owner;
    char longer[200];
    (void)state;
    memset(longer, 'a', sizeof(longer));
    longer[0] = '/';
    longer[sizeof(longer) - 1] = '\0';
    assert_int_equal(api_server_new(loop, longer, &source, NULL, &server, &owner), -ENAMETOOLONG);
    assert_int_equal(api_server_new(loop, "/proc/none/x", &source, NULL, &server, &owner), -ENOENT);
    assert_int_equal(
        api_server_new(loop, "/tmp/talosvip-no/such/x", &source, NULL, &server, &owner), -ENOENT);
    assert_null(server);
    api_server_free(NULL);
    api_server_forget(NULL);
    loop_free(loop);
}

static void the_descriptors_are_private(void **state)
{
    struct api_server *server = NULL;
    bool was_open[64];
    int seen = 0;
    struct loop *loop = loop_new();
    (void)state;
    for (int fd = 0; fd < 64; fd++)
        was_open[fd] = fcntl(fd, F_GETFD) >= 0;
    assert_int_equal(start(loop, &server), 0);
    for (int fd = 0; fd < 64; fd++) {
        int flags = fcntl(fd, F_GETFD);
        if (flags < 0 || was_open[fd])
            continue;
        assert_true(flags & FD_CLOEXEC);
        assert_true(fcntl(fd, F_GETFL) & O_NONBLOCK);
        seen++;
    }
    assert_int_equal(seen, 3); /* the socket and two timers */
    api_server_free(server);
    loop_free(loop);
}

/* Turns of the loop until `fd` has something to read or the time is over. */
static bool turn_until_readable(struct loop *loop, int fd, uint64_t timeout_us)
{
    uint64_t end_us = clock_now_us() + timeout_us;
    struct pollfd p = {.fd = fd, .events = POLLIN};
    while (clock_now_us() < end_us) {
        event_base_loop(loop_base(loop), EVLOOP_NONBLOCK);
        if (poll(&p, 1, 1) == 1)
            return true;
    }
    return false;
}

static void descriptors_that_ran_out_come_back(void **state)
{
    struct api_server *server = NULL;
    struct loop *loop = loop_new();
    struct rlimit limit, none;
    char text[1024];
    (void)state;
    const char *preload = getenv("LD_PRELOAD");
    if (preload && strstr(preload, "vgpreload")) {
        loop_free(loop);
        print_message("valgrind's accept() does not keep to RLIMIT_NOFILE\n");
        skip();
    }
    assert_int_equal(start(loop, &server), 0);
    int fd = connect_raw();
    send_raw(fd, "GET /healthz HTTP/1.1\r\n\r\n", 25);
    assert_int_equal(getrlimit(RLIMIT_NOFILE, &limit), 0);
    int next = fcntl(fd, F_DUPFD_CLOEXEC, 0);
    close(next);
    none = (struct rlimit){.rlim_cur = (rlim_t)next, .rlim_max = limit.rlim_max};
    assert_int_equal(setrlimit(RLIMIT_NOFILE, &none), 0);
    bool early = turn_until_readable(loop, fd, SECOND / 10);
    assert_int_equal(setrlimit(RLIMIT_NOFILE, &limit), 0);
    assert_false(early);
    assert_true(turn_until_readable(loop, fd, 2 * SECOND));
    assert_true(read(fd, text, sizeof(text)) > 15);
    assert_memory_equal(text, "HTTP/1.1 200 OK", 15);
    close(fd);
    api_server_free(server);
    loop_free(loop);
}

static void the_client_tells_what_went_wrong(void **state)
{
    struct buf out;
    (void)state;
    buf_init(&out, 0);
    assert_int_equal(api_client_get(path, "/healthz", SECOND, &out), -ENOENT);
    close(listener(SOCK_STREAM));
    assert_int_equal(api_client_get(path, "/healthz", SECOND, &out), -ECONNREFUSED);
    unlink(path);
    int fd = listener(SOCK_STREAM);
    uint64_t start_us = clock_now_us();
    assert_int_equal(api_client_get(path, "/healthz", SECOND / 5, &out), -ETIMEDOUT);
    assert_in_range(clock_now_us() - start_us, SECOND / 5, SECOND);
    close(fd);
    assert_int_equal(api_client_get("/tmp/x\ny/z", "/healthz", SECOND, &out), -ENOENT);
    buf_done(&out);
}

/* One answer to one client, from a child. */
static pid_t answer_once(int fd, const char *text, size_t len)
{
    pid_t pid = fork();
    if (pid != 0)
        return pid;
    struct pollfd p = {.fd = fd, .events = POLLIN};
    char request[1024];
    if (poll(&p, 1, 5000) == 1) {
        int client = accept4(fd, NULL, NULL, SOCK_CLOEXEC);
        if (read(client, request, sizeof(request)) > 0)
            send(client, text, len, MSG_NOSIGNAL);
        shutdown(client, SHUT_WR);
        while (read(client, request, sizeof(request)) > 0)
            ;
    }
    _exit(0);
}

static void the_client_bounds_what_it_takes(void **state)
{
    static const struct {
        const char *text;
        size_t len;
        int want;
    } cases[] = {
        {"HTTP/1.1 200 OK\r\nContent-Length: 6\r\n\r\n123456", 44, -EMSGSIZE},
        {"HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\n12345", 43, 200},
        {"HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\n123", 41, -EBADMSG},
        {"HTTP/1.1 302 Found\r\nLocation: http://localhost/x\r\nContent-Length: 0\r\n\r\n", 72,
         302},
        {"SSH-2.0-OpenSSH_9.2\r\n", 21, -EBADMSG},
        {"", 0, -EBADMSG},
    };
    struct buf out;
    (void)state;
    int fd = listener(SOCK_STREAM);
    buf_init(&out, 5);
    setenv("http_proxy", "http://127.0.0.1:1", 1);
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        buf_clear(&out);
        pid_t pid = answer_once(fd, cases[i].text, cases[i].len);
        int r = api_client_get(path, "/healthz", 3 * SECOND, &out);
        assert_int_equal(waitpid(pid, NULL, 0), pid);
        if (r != cases[i].want)
            fail_msg("case %zu: %d", i, r);
    }
    unsetenv("http_proxy");
    buf_done(&out);
    close(fd);
}

int main(void)
{
#define T(fn) cmocka_unit_test_setup_teardown(fn, begin, end)
#define A(fn) cmocka_unit_test_setup_teardown(fn, begin_alone, end_alone)
    const struct CMUnitTest tests[] = {
        T(the_routes_answer),
        T(on_tcp_only_the_public_routes_answer),
        T(a_full_tcp_port_does_not_fill_the_socket),
        T(other_methods_are_told_so),
        T(garbage_is_survived),
        T(too_large_requests_are_refused),
        T(too_many_clients_are_told_so),
        T(a_flood_of_clients_leaves_a_working_server),
        T(slow_clients_are_cut_off),
        T(a_second_server_learns_who_is_there),
        T(a_child_that_forgets_hurts_nobody),
        T(the_files_have_their_modes),
        A(a_stale_socket_is_replaced),
        A(another_ones_file_is_left_alone),
        A(bad_paths_are_errors),
        A(the_descriptors_are_private),
        A(descriptors_that_ran_out_come_back),
        A(the_client_tells_what_went_wrong),
        A(the_client_bounds_what_it_takes),
    };
#undef T
#undef A
    return cmocka_run_group_tests(tests, NULL, NULL);
}
