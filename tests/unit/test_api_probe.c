/* SPDX-License-Identifier: MIT */
/* Probes of a real etcd with TLS, and of sockets of our own, on loopback. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <dirent.h>
#include <netinet/in.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "api/probe.h"
#include "base/clock.h"
#include "etcd_server.h"

#define MS UINT64_C(1000)
#define GIVE_UP_US (8000 * MS)

static char cert[200], key[200], other[200], other_key[200];

struct bench {
    struct loop *loop;
    struct prober *prober;
    struct loop_timer *alarm;
    unsigned ended;
    char why[PROBE_WHY_MAX];
};

static bool certify(const char *key_path, const char *path)
{
    char openssl[512];
    const char *const argv[] = {etcd_server_find("openssl", openssl),
                                "req",
                                "-x509",
                                "-newkey",
                                "ec",
                                "-pkeyopt",
                                "ec_paramgen_curve:prime256v1",
                                "-nodes",
                                "-keyout",
                                key_path,
                                "-out",
                                path,
                                "-days",
                                "2",
                                "-subj",
                                "/CN=probe",
                                "-addext",
                                "subjectAltName=IP:127.0.0.1",
                                NULL};
    return argv[0] && etcd_server_run(argv);
}

static int begin(void **state)
{
    static const char *extra[] = {"--cert-file", cert, "--key-file", key, NULL};
    (void)state;
    if (etcd_server_is_missing("etcd"))
        return 0;
    if (!etcd_server_init(&group_server, "https"))
        return -1;
    snprintf(cert, sizeof(cert), "%s/probe.crt", group_server.dir);
    snprintf(key, sizeof(key), "%s/probe.key", group_server.dir);
    snprintf(other, sizeof(other), "%s/other.crt", group_server.dir);
    snprintf(other_key, sizeof(other_key), "%s/other.key", group_server.dir);
    group_server.extra = extra;
    return certify(key, cert) && certify(other_key, other) && etcd_server_start(&group_server) ? 0
                                                                                               : -1;
}

static void on_alarm(void *arg)
{
    (void)arg;
    fail_msg("nothing happened in time");
}

static int set_up(void **state)
{
    static struct bench b;
    b = (struct bench){0};
    b.loop = loop_new();
    assert_non_null(b.loop);
    assert_int_equal(prober_new(b.loop, &b.prober), 0);
    assert_int_equal(loop_timer_new(b.loop, on_alarm, &b, &b.alarm), 0);
    loop_timer_set(b.alarm, clock_now_us() + GIVE_UP_US);
    *state = &b;
    return 0;
}

static int tear_down(void **state)
{
    struct bench *b = *state;
    prober_free(b->prober);
    loop_timer_free(b->alarm);
    loop_free(b->loop);
    return 0;
}

static void on_end(void *arg, const char *why)
{
    struct bench *b = arg;
    b->ended++;
    snprintf(b->why, sizeof(b->why), "%s", why ? why : "");
    loop_stop(b->loop);
}

static void ask(struct bench *b, struct probe *p, uint64_t timeout_us)
{
    unsigned before = b->ended;
    assert_int_equal(probe_start(p, timeout_us), 0);
    assert_int_equal(b->ended, before); /* from the loop only */
    assert_int_equal(loop_run(b->loop), 0);
    assert_int_equal(b->ended, before + 1);
}

static void ask_https(struct bench *b, const char *path, const char *ca)
{
    char url[128];
    struct probe *p;
    snprintf(url, sizeof(url), "%s%s", group_server.url, path);
    assert_int_equal(probe_new_https(b->prober, url, ca, on_end, b, &p), 0);
    ask(b, p, 2000 * MS);
    probe_free(p);
}

static void only_2xx_of_a_trusted_server_passes(void **state)
{
    struct bench *b = *state;
    if (!group_server.port)
        skip();
    ask_https(b, "/health", cert);
    assert_string_equal(b->why, "");
    ask_https(b, "/nothing-here", cert);
    assert_string_equal(b->why, "HTTP status 404");
    ask_https(b, "/health", other);
    assert_non_null(strstr(b->why, "certificate"));
    ask_https(b, "/health", NULL);
    assert_non_null(strstr(b->why, "certificate"));
    ask_https(b, "/health", "/nonexistent.crt");
    assert_string_not_equal(b->why, "");
}

static unsigned open_sockets(void)
{
    unsigned n = 0;
    char path[300], target[64];
    DIR *dir = opendir("/proc/self/fd");
    struct dirent *e;
    assert_non_null(dir);
    while ((e = readdir(dir))) {
        snprintf(path, sizeof(path), "/proc/self/fd/%s", e->d_name);
        ssize_t len = readlink(path, target, sizeof(target));
        n += len > 7 && memcmp(target, "socket:", 7) == 0;
    }
    closedir(dir);
    return n;
}

static void a_connection_is_used_again(void **state)
{
    struct bench *b = *state;
    char url[128];
    struct probe *p;
    if (!group_server.port)
        skip();
    unsigned before = open_sockets();
    snprintf(url, sizeof(url), "%s/health", group_server.url);
    assert_int_equal(probe_new_https(b->prober, url, cert, on_end, b, &p), 0);
    for (int i = 0; i < 5; i++) {
        ask(b, p, 2000 * MS);
        assert_string_equal(b->why, "");
        assert_int_equal(open_sockets(), before + 1);
    }
    probe_free(p);
}

static int listening(uint16_t *ret_port)
{
    struct sockaddr_in a = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    socklen_t len = sizeof(a);
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    assert_true(fd >= 0);
    assert_int_equal(bind(fd, (struct sockaddr *)&a, sizeof(a)), 0);
    assert_int_equal(listen(fd, 5), 0);
    assert_int_equal(getsockname(fd, (struct sockaddr *)&a, &len), 0);
    *ret_port = ntohs(a.sin_port);
    return fd;
}

static void a_port_that_accepts_passes(void **state)
{
    struct bench *b = *state;
    char address[64];
    uint16_t port;
    struct probe *p;
    int fd = listening(&port);
    unsigned before = open_sockets();
    snprintf(address, sizeof(address), "127.0.0.1:%u", port);
    assert_int_equal(probe_new_tcp(b->prober, address, on_end, b, &p), 0);
    for (int i = 0; i < 3; i++) {
        char byte;
        ask(b, p, 1000 * MS);
        assert_string_equal(b->why, "");
        assert_int_equal(open_sockets(), before); /* none is kept */
        int peer = accept(fd, NULL, NULL);
        assert_true(peer >= 0);
        assert_int_equal(read(peer, &byte, 1), 0); /* not a byte was sent, and it is closed */
        close(peer);
    }
    close(fd);
    ask(b, p, 1000 * MS);
    assert_non_null(strstr(b->why, "refused"));
    probe_free(p);
}

/* It accepts, and never says a word. */
static void silence_times_out(void **state)
{
    struct bench *b = *state;
    char url[64];
    uint16_t port;
    struct probe *p;
    int fd = listening(&port);
    snprintf(url, sizeof(url), "https://127.0.0.1:%u/", port);
    assert_int_equal(probe_new_https(b->prober, url, NULL, on_end, b, &p), 0);
    uint64_t before = clock_now_us();
    ask(b, p, 200 * MS);
    assert_string_equal(b->why, "timed out");
    assert_true(clock_now_us() - before >= 190 * MS);
    assert_true(clock_now_us() - before < 2000 * MS);
    probe_free(p);
    close(fd);
}

static void one_that_was_freed_says_nothing(void **state)
{
    struct bench *b = *state;
    char address[64];
    uint16_t port;
    struct probe *p, *q;
    int fd = listening(&port);
    snprintf(address, sizeof(address), "127.0.0.1:%u", port);
    assert_int_equal(probe_new_tcp(b->prober, address, on_end, b, &p), 0);
    assert_int_equal(probe_new_tcp(b->prober, address, on_end, b, &q), 0);
    assert_int_equal(probe_start(p, 1000 * MS), 0);
    probe_free(p);
    probe_free(NULL);
    ask(b, q, 1000 * MS);
    assert_int_equal(b->ended, 1);
    probe_free(q);
    close(fd);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(only_2xx_of_a_trusted_server_passes, set_up, tear_down),
        cmocka_unit_test_setup_teardown(a_connection_is_used_again, set_up, tear_down),
        cmocka_unit_test_setup_teardown(a_port_that_accepts_passes, set_up, tear_down),
        cmocka_unit_test_setup_teardown(silence_times_out, set_up, tear_down),
        cmocka_unit_test_setup_teardown(one_that_was_freed_says_nothing, set_up, tear_down),
    };
    return cmocka_run_group_tests(tests, begin, etcd_server_teardown);
}
