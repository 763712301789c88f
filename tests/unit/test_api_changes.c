/* SPDX-License-Identifier: MIT */
/* POSTs that are answered later, and the stream of events: server and clients on one loop. */
#include "api/server.h"
#include "base/clock.h"

#include <errno.h>
#include <fcntl.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include <cmocka.h>

#define MS UINT64_C(1000)
#define STREAMS_MAX 8

static char dir[64], path[96];
static struct loop *loop;
static struct loop_timer *timer;
static struct api_server *server;
static struct api_request heard;
static uint64_t heard_id;
static unsigned heard_n;

static void on_change(void *arg, uint64_t id, const struct api_request *request)
{
    (void)arg;
    heard = *request;
    heard_id = id;
    heard_n++;
}

static void on_time(void *arg)
{
    loop_stop(arg);
}

static void run_for(uint64_t us)
{
    loop_timer_set(timer, clock_now_us() + us);
    assert_int_equal(loop_run(loop), 0);
}

static int set_up(void **state)
{
    static const struct api_source source = {.change = on_change};
    int64_t owner;
    (void)state;
    signal(SIGPIPE, SIG_IGN);
    strcpy(dir, "/tmp/talosvip-changes-XXXXXX");
    assert_non_null(mkdtemp(dir));
    snprintf(path, sizeof(path), "%s/sock", dir);
    loop = loop_new();
    assert_non_null(loop);
    assert_int_equal(loop_timer_new(loop, on_time, loop, &timer), 0);
    assert_int_equal(api_server_new(loop, path, &source, NULL, &server, &owner), 0);
    heard_n = 0;
    return 0;
}

static int tear_down(void **state)
{
    (void)state;
    api_server_free(server);
    loop_timer_free(timer);
    loop_free(loop);
    rmdir(dir);
    return 0;
}

static int dial(const char *request)
{
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    snprintf(address.sun_path, sizeof(address.sun_path), "%s", path);
    assert_int_equal(connect(fd, (struct sockaddr *)&address, sizeof(address)), 0);
    assert_int_equal(fcntl(fd, F_SETFL, O_NONBLOCK), 0);
    assert_int_equal(write(fd, request, strlen(request)), (ssize_t)strlen(request));
    return fd;
}

static int post(const char *verb, const char *body)
{
    char text[2048];
    snprintf(text, sizeof(text),
             "POST /v1/%s HTTP/1.1\r\nHost: localhost\r\nContent-Length: %zu\r\n\r\n%s", verb,
             strlen(body), body);
    return dial(text);
}

static int listen_to_events(void)
{
    return dial("GET /v1/events HTTP/1.1\r\nHost: localhost\r\n\r\n");
}

/* Whatever has come so far. */
static const char *hear(int fd)
{
    static char text[8192];
    size_t used = 0;
    for (ssize_t n;
         used < sizeof(text) - 1 && (n = read(fd, text + used, sizeof(text) - 1 - used)) > 0;)
        used += (size_t)n;
    text[used] = '\0';
    return text;
}

static bool is_closed(int fd)
{
    char byte;
    return read(fd, &byte, 1) == 0;
}

static void test_parse(void **state)
{
    static const struct {
        enum api_request_kind kind;
        const char *body;
        const char *why; /* NULL: fine */
    } cases[] = {
        {API_RESIGN, "{\"vip\":\"10.0.0.50\"}", NULL},
        {API_RESIGN, "{\"vip\":\"fd00::50\",\"to\":\"cp-2\",\"by\":\"a\",\"reason\":\"b\"}", NULL},
        {API_PAUSE, "", NULL},
        {API_PAUSE, "{}", NULL},
        {API_RESUME, "{\"vip\":\"10.0.0.50\",\"by\":\"a\"}", NULL},
        {API_RESIGN, "", "missing"},
        {API_RESIGN, "{}", "missing"},
        {API_RESIGN, "[]", "object"},
        {API_RESIGN, "{\"vip\":\"10.0.0.500\"}", "IP address"},
        {API_RESIGN, "{\"vip\":5}", "text"},
        {API_RESIGN, "{\"vip\":null}", "text"},
        {API_RESIGN, "{\"vip\":\"10.0.0.50\"} x", "not JSON"},
        {API_RESIGN, "{\"vip\":\"10.0.0.50\",}", "not JSON"},
        {API_RESIGN, "{'vip':'10.0.0.50'}", "not JSON"},
        {API_PAUSE, "{\"by\":\"\xff\xfe\xc3\"}", "not JSON"},
        {API_PAUSE, "{\"by\":\"\xc0\xaf\"}", "not JSON"},
        {API_PAUSE, "{\"reason\":\"\xed\xa0\x80\"}", "not JSON"},
        {API_RESIGN, "{\"vip\":\"10.0.0.50\",\"force\":\"yes\"}", "belong"},
        {API_RESIGN, "{\"vip\":\"10.0.0.50\",\"by\":\"a\\nb\"}", "control"},
        {API_RESIGN, "{\"vip\":\"10.0.0.50\",\"by\":\"a\\u0000b\"}", "too long"},
        {API_PAUSE, "{\"to\":\"cp-2\"}", "belong"},
        {API_RESUME, "{\"reason\":\"x\"}", "belong"},
    };
    (void)state;
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct api_request r = {.kind = 99};
        const char *why = "";
        int e = api_request_parse(cases[i].kind, cases[i].body, strlen(cases[i].body), &r, &why);
        assert_int_equal(e, cases[i].why ? -EINVAL : 0);
        if (cases[i].why && !strstr(why, cases[i].why))
            fail_msg("%s: says \"%s\"", cases[i].body, why);
        assert_int_equal(r.kind, cases[i].why ? 99 : cases[i].kind);
        if (cases[i].why)
            continue;
        /* And back again. */
        struct api_request again;
        struct buf out;
        buf_init(&out, 1024);
        assert_int_equal(api_request_write(&r, &out), 0);
        assert_int_equal(api_request_parse(r.kind, buf_str(&out), out.len, &again, &why), 0);
        assert_memory_equal(&again, &r, sizeof(r));
        buf_done(&out);
    }
}

static void test_long_texts(void **state)
{
    char body[1024], name[300];
    struct api_request r;
    const char *why;
    (void)state;
    memset(name, 'n', sizeof(name) - 1);
    name[sizeof(name) - 1] = '\0';
    for (size_t len = API_NAME_MAX - 1; len <= API_NAME_MAX; len++) {
        snprintf(body, sizeof(body), "{\"vip\":\"10.0.0.50\",\"to\":\"%.*s\"}", (int)len, name);
        assert_int_equal(api_request_parse(API_RESIGN, body, strlen(body), &r, &why),
                         len < API_NAME_MAX ? 0 : -EINVAL);
    }
}

static void test_answered_later(void **state)
{
    (void)state;
    int fd = post("resign", "{\"vip\":\"10.0.0.50\",\"to\":\"cp-2\"}");
    run_for(50 * MS);
    assert_int_equal(heard_n, 1);
    assert_string_equal(heard.to, "cp-2");
    assert_string_equal(hear(fd), "");
    api_server_answer(server, heard_id, 200, NULL);
    run_for(50 * MS);
    const char *text = hear(fd);
    assert_non_null(strstr(text, "200 OK"));
    assert_non_null(strstr(text, "{\"status\":\"done\"}"));
    /* Twice, and one that never was. */
    api_server_answer(server, heard_id, 200, NULL);
    api_server_answer(server, 12345, 200, NULL);
    close(fd);
    fd = post("pause", "{}");
    run_for(50 * MS);
    assert_false(heard.has_vip);
    api_server_answer(server, heard_id, 409, "it is paused already");
    run_for(50 * MS);
    text = hear(fd);
    assert_non_null(strstr(text, "409 Conflict"));
    assert_non_null(strstr(text, "it is paused already"));
    close(fd);
}

static void test_client_leaves_before_the_answer(void **state)
{
    (void)state;
    for (unsigned i = 0; i < 40; i++) {
        int fd = post("resume", "{}");
        run_for(5 * MS);
        assert_int_equal(heard_n, i + 1);
        close(fd);
        run_for(2 * MS);
        api_server_answer(server, heard_id, 200, NULL);
        run_for(2 * MS);
    }
}

static void test_server_goes_before_the_answer(void **state)
{
    (void)state;
    int fd = post("resume", "{}"), events = listen_to_events();
    run_for(50 * MS);
    assert_int_equal(heard_n, 1);
    api_server_free(server);
    server = NULL;
    hear(fd);
    assert_true(is_closed(fd));
    close(fd);
    close(events);
}

static void test_events(void **state)
{
    int fds[STREAMS_MAX];
    (void)state;
    api_server_publish(server, "{\"nobody\":\"listens\"}");
    for (unsigned i = 0; i < STREAMS_MAX; i++)
        fds[i] = listen_to_events();
    run_for(50 * MS);
    int more = listen_to_events();
    run_for(50 * MS);
    assert_non_null(strstr(hear(more), "503"));
    close(more);
    api_server_publish(server, "{\"to\":\"held\"}");
    run_for(50 * MS);
    for (unsigned i = 0; i < STREAMS_MAX; i++) {
        const char *text = hear(fds[i]);
        assert_non_null(strstr(text, "application/x-ndjson"));
        assert_non_null(strstr(text, "{\"to\":\"held\"}\n"));
        assert_null(strstr(text, "nobody"));
    }
    /* Who leaves makes room, once something has been written. */
    close(fds[0]);
    for (unsigned i = 0; i < 3; i++) {
        api_server_publish(server, "{}");
        run_for(50 * MS);
    }
    fds[0] = listen_to_events();
    run_for(50 * MS);
    assert_non_null(strstr(hear(fds[0]), "200 OK"));
    for (unsigned i = 0; i < STREAMS_MAX; i++)
        close(fds[i]);
}

static void test_slow_listener_is_dropped(void **state)
{
    char line[4000];
    (void)state;
    memset(line, 'x', sizeof(line) - 1);
    line[sizeof(line) - 1] = '\0';
    int slow = listen_to_events(), good = listen_to_events();
    run_for(50 * MS);
    for (unsigned i = 0; i < 400; i++) {
        api_server_publish(server, line);
        run_for(MS);
        hear(good);
    }
    api_server_publish(server, "{\"last\":1}");
    run_for(50 * MS);
    assert_non_null(strstr(hear(good), "last"));
    bool is_cut = false;
    for (unsigned i = 0; i < 400 && !is_cut; i++) {
        const char *text = hear(slow);
        assert_null(strstr(text, "last"));
        is_cut = !text[0] && is_closed(slow);
    }
    assert_true(is_cut);
    close(slow);
    close(good);
}

static void test_wrong_method(void **state)
{
    (void)state;
    int fd = dial("GET /v1/resign HTTP/1.1\r\nHost: localhost\r\n\r\n");
    run_for(50 * MS);
    const char *text = hear(fd);
    assert_non_null(strstr(text, "405"));
    assert_non_null(strstr(text, "Allow: POST"));
    close(fd);
    fd = post("events", "{}");
    run_for(50 * MS);
    assert_non_null(strstr(hear(fd), "405"));
    close(fd);
    assert_int_equal(heard_n, 0);
}

int main(void)
{
#define ON_SERVER(test) cmocka_unit_test_setup_teardown(test, set_up, tear_down)
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_parse),
        cmocka_unit_test(test_long_texts),
        ON_SERVER(test_answered_later),
        ON_SERVER(test_client_leaves_before_the_answer),
        ON_SERVER(test_server_goes_before_the_answer),
        ON_SERVER(test_events),
        ON_SERVER(test_slow_listener_is_dropped),
        ON_SERVER(test_wrong_method),
    };
    return cmocka_run_group_tests_name("api/changes", tests, NULL, NULL);
}
