/* SPDX-License-Identifier: MIT */
/* Who answered to --probe: a link of this host, or the holder that this host's agent names. The
 * agent is an API server in a child process. */
#include "../../src/cli/host_facts_state.h"

#include "api/server.h"

#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#define VIP "10.0.0.50"

static char dir[64], path[96];
static pid_t server_pid;

static void on_status(void *arg, struct api_status *ret_status)
{
    static struct api_vip vip;
    (void)arg;
    memset(ret_status, 0, sizeof(*ret_status));
    strcpy(ret_status->node, "cp-1");
    strcpy(vip.holder, "cp-2");
    ip_parse(VIP, &vip.ip);
    ret_status->vips = &vip;
    ret_status->n_vips = 1;
}

static const char *on_health(void *arg)
{
    (void)arg;
    return NULL;
}

static int serve(int ready)
{
    static const struct api_source source = {
        .status = on_status, .healthz = on_health, .readyz = on_health};
    struct loop *loop = loop_new();
    struct api_server *server;
    int64_t owner;
    signal(SIGPIPE, SIG_IGN);
    if (!loop || api_server_new(loop, path, &source, NULL, &server, &owner) < 0 ||
        write(ready, "x", 1) != 1)
        return 1;
    return loop_run(loop) < 0;
}

static int start(void **state)
{
    int ready[2];
    char byte;
    (void)state;
    strcpy(dir, "/tmp/test_cli_owner.XXXXXX");
    if (!mkdtemp(dir) || pipe(ready) < 0)
        return -1;
    snprintf(path, sizeof(path), "%s/agent.sock", dir);
    server_pid = fork();
    if (server_pid == 0)
        _exit(serve(ready[1]));
    close(ready[1]);
    setenv("TALOSVIP_SOCKET", path, 1);
    ssize_t n = read(ready[0], &byte, 1);
    close(ready[0]);
    return n == 1 ? 0 : -1;
}

static int stop(void **state)
{
    (void)state;
    kill(server_pid, SIGKILL);
    waitpid(server_pid, NULL, 0);
    unlink(path);
    return rmdir(dir);
}

struct fixture {
    struct link link;
    struct address address;
    struct validate_probe_answer answers[ANSWERS_MAX];
    struct owner_text owners[ANSWERS_MAX];
    struct host_facts facts;
    struct validate_file file;
    struct validate_report report;
};

/* One link eth0, and one file with the VIP. */
static struct fixture *fixture(void)
{
    static struct fixture f;
    memset(&f, 0, sizeof(f));
    strcpy(f.link.name, "eth0");
    f.link.ifindex = 3;
    f.link.has_mac = true;
    assert_int_equal(mac_parse("52:54:00:aa:01:01", &f.link.mac), 0);
    f.address.ifindex = 3;
    f.file.n_vips = 1;
    assert_int_equal(ip_parse(VIP, &f.file.vips[0].ip), 0);
    f.report = (struct validate_report){.files = &f.file, .n_files = 1};
    f.facts = (struct host_facts){.links = &f.link,
                                  .n_links = 1,
                                  .addresses = &f.address,
                                  .n_addresses = 1,
                                  .answers = f.answers,
                                  .owners = f.owners};
    assert_int_equal(ip_parse("10.0.0.11", &f.address.ip), 0);
    return &f;
}

static void answer(struct fixture *f, const char *mac)
{
    f->answers[0].vip = f->file.vips[0].ip;
    assert_int_equal(mac_parse(mac, &f->answers[0].mac), 0);
    f->facts.n_answers = 1;
}

static void test_holder(void **state)
{
    (void)state;
    struct fixture *f = fixture();
    answer(f, "52:54:00:aa:01:02");
    host_owner_find(&f->facts, &f->report);
    assert_int_equal(f->facts.n_answers, 1);
    assert_string_equal(f->answers[0].owner, "cp-2, says the agent of this host");
    assert_true(f->answers[0].is_agent);
}

static void test_link(void **state)
{
    (void)state;
    struct fixture *f = fixture();
    answer(f, "52:54:00:aa:01:01");
    host_owner_find(&f->facts, &f->report);
    assert_string_equal(f->answers[0].owner, "eth0 of this host");
    assert_false(f->answers[0].is_agent);
}

static void test_own_address(void **state)
{
    (void)state;
    struct fixture *f = fixture();
    struct validate_file twice[2] = {f->file, f->file};
    f->address.ip = f->file.vips[0].ip;
    f->report.files = twice;
    f->report.n_files = 2;
    host_owner_find(&f->facts, &f->report);
    assert_int_equal(f->facts.n_answers, 1);
    assert_string_equal(f->answers[0].owner, "this host, on eth0");
    assert_false(f->answers[0].is_agent);
}

static void test_nobody(void **state)
{
    (void)state;
    struct fixture *f = fixture();
    host_owner_find(&f->facts, &f->report);
    assert_int_equal(f->facts.n_answers, 0);
    answer(f, "52:54:00:aa:01:02");
    setenv("TALOSVIP_SOCKET", "/nonexistent/agent.sock", 1);
    host_owner_find(&f->facts, &f->report);
    setenv("TALOSVIP_SOCKET", path, 1);
    assert_null(f->answers[0].owner);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_holder),
        cmocka_unit_test(test_link),
        cmocka_unit_test(test_own_address),
        cmocka_unit_test(test_nobody),
    };
    return cmocka_run_group_tests(tests, start, stop);
}
