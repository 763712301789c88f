/* SPDX-License-Identifier: MIT */
#include "../../src/cli/status_text.h"

#include "api/server.h"
#include "cli/command.h"
#include "cli/exit.h"

#include <fcntl.h>
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

static struct api_vip vips[2];
static struct api_peer peers[2] = {{"cp-2", true, 62, -1}, {"cp-3", true, -1, 9}};
static struct api_status status;
static struct buf text, warnings;

/* The healthy holder of one address, second in the queue for another. */
static int begin(void **state)
{
    (void)state;
    memset(vips, 0, sizeof(vips));
    status = (struct api_status){
        .node = "cp-1",
        .version = "0.1.0",
        .pid = 812,
        .guardian_pid = 813,
        .uptime_ms = 100000000,
        .has_packet_fence = true,
        .session = "live",
        .lease = 0x694d,
        .ttl_ms = 5000,
        .remaining_ms = 4250,
        .renewed_ago_ms = 749,
        .latency_us = 3210,
        .endpoint = "https://127.0.0.1:2379",
        .peers =
            {.is_ready = true, .window_ms = 500, .voters = 3, .majority = 2, .n = 2, .list = peers},
        .n_vips = 2,
        .vips = vips};
    for (int i = 0; i < 2; i++) {
        ip_parse(i ? "fd00:10::50" : "10.0.0.50", &vips[i].ip);
        strcpy(vips[i].iface, "eth0");
        strcpy(vips[i].state, i ? "standby" : "held");
        strcpy(vips[i].holder, i ? "cp-3" : "cp-1");
        strcpy(vips[i].queue[0], "cp-2");
        strcpy(vips[i].queue[1], i ? "cp-1" : "cp-3");
        vips[i].queued = 2;
        vips[i].has_link = vips[i].is_fenced = true;
        vips[i].held_for_ms = i ? -1 : 17399999;
    }
    vips[0].has_address = true;
    buf_init(&text, 0);
    buf_init(&warnings, 0);
    return 0;
}

static int end(void **state)
{
    (void)state;
    buf_done(&text);
    buf_done(&warnings);
    return 0;
}

static const char *told(void)
{
    buf_clear(&text);
    status_text(&status, &text);
    assert_int_equal(text.error, 0);
    return buf_str(&text);
}

static void assert_has(const char *part)
{
    if (!strstr(told(), part))
        fail_msg("\"%s\" is not in:\n%s", part, buf_str(&text));
}

static void assert_warns(const char *line)
{
    buf_clear(&warnings);
    assert_int_equal(status_warnings(&status, &warnings), 1);
    assert_string_equal(buf_str(&warnings), line);
}

static void a_healthy_node_has_no_warnings(void **state)
{
    (void)state;
    assert_string_equal(told(), "10.0.0.50    HELD here (eth0) for 4h 49m, next cp-2\n"
                                "fd00:10::50  STANDBY behind cp-3, number 2 in the queue\n"
                                "\n"
                                "lease  4.2s of 5s left, renewed 749 ms ago in 3.2 ms\n"
                                "peers  2 of 3 voters within 500 ms, heard, cp-2 62 ms ago, "
                                "cp-3 never\n"
                                "fence  packet fence active, guardian pid 813\n"
                                "etcd   https://127.0.0.1:2379\n"
                                "agent  talosvip 0.1.0 on cp-1 (pid 812), up 1d 3h\n");
    assert_int_equal(status_warnings(&status, &warnings), 0);
    strcpy(vips[1].queue[0], "cp-1");
    assert_has("STANDBY behind cp-3, next\n");
}

static void twins_are_told(void **state)
{
    (void)state;
    strcpy(status.twins, "eth1, \033low0");
    assert_has("fence  packet fence active, on eth1, ?low0 too, guardian pid 813\n");
}

static void the_peer_lease_is_told(void **state)
{
    (void)state;
    status.peers.is_mute = true;
    status.peers.mutes = 1;
    assert_has("peers  2 of 3 voters within 500 ms, MUTE, cp-2 62 ms ago, cp-3 never\n");
    assert_has("       so far: suspected 0, gave up 0, ended 0, mute 1\n");
    assert_warns("WARN   peers: no majority of the voters hears this node; it is mute\n");
    status.peers.is_mute = false;
    status.peers.voters = 0;
    assert_has("peers  on, but no voters: etcd's lease alone decides, cp-3 9 ms ago\n");
    status.peers.n = 1; /* no majority would survive this node */
    assert_has("peers  on, but 2 of 3 agents: etcd's lease alone decides\n");
    status.peers.n = 2;
    vips[0].has_address = false;
    assert_has("peers  on, window 500 ms; no voters over this node, cp-3 9 ms ago\n");
    status.peers.is_ready = false;
    strcpy(status.peers.reason, "switched off");
    assert_has("peers  off: switched off");
}

static void an_unproved_holder_is_only_the_last_known(void **state)
{
    (void)state;
    strcpy(status.etcd_error, "timed out");
    assert_has("STANDBY behind (cp-3), last known, number 2");
    assert_has("etcd   https://127.0.0.1:2379, not answering\n");
    assert_warns("WARN   etcd: timed out\n");
}

static void every_trouble_is_one_warning(void **state)
{
    (void)state;
    strcpy(status.fence_reason, "CAP_BPF is missing");
    status.has_packet_fence = false;
    assert_warns("WARN   no packet fence: CAP_BPF is missing\n");
    end(state), begin(state);
    status.guardian_pid = 0;
    assert_warns("WARN   no guardian: nothing removes the addresses if the agent is killed\n");
    end(state), begin(state);
    strcpy(status.session, "connecting");
    assert_warns("WARN   no session with etcd: connecting\n");
    end(state), begin(state);
    struct api_check checks[] = {{.name = "good", .is_up = true, .error = "once"},
                                 {.name = "api", .error = "HTTP status 503"}};
    status.checks = checks;
    status.n_checks = 2;
    assert_warns("WARN   health check: api does not pass, HTTP status 503\n");
    status.checks = NULL;
    status.n_checks = 0;
    end(state), begin(state);
    status.is_stopping = true;
    assert_warns("WARN   the agent is stopping\n");
    end(state), begin(state);
    status.renewed_ago_ms = 2667;
    assert_warns("WARN   the renewal of the lease is late\n");
    end(state), begin(state);
    status.n_vips = 0;
    assert_warns("WARN   no address is configured\n");
    end(state), begin(state);
    vips[0].has_address = false;
    assert_warns("WARN   10.0.0.50: held here, but the address is not set\n");
    end(state), begin(state);
    vips[0].is_fenced = false;
    assert_warns("WARN   10.0.0.50: the packet fence does not cover it\n");
    end(state), begin(state);
    vips[1].has_address = true;
    assert_warns("WARN   fd00:10::50: the address is set on this node, which does not hold it\n");
    end(state), begin(state);
    vips[1].holder[0] = '\0';
    assert_warns("WARN   fd00:10::50: no holder is known\n");
    end(state), begin(state);
    vips[1].has_link = false;
    assert_warns("WARN   fd00:10::50: its link is down\n");
}

static void other_states_say_where_and_why(void **state)
{
    (void)state;
    strcpy(vips[0].state, "off");
    strcpy(vips[0].cause, "link_down");
    strcpy(vips[0].holder, "cp-2");
    vips[0].has_link = false;
    assert_has("10.0.0.50    OFF (eth0), link down, last release: link_down, held by cp-2\n");
    strcpy(vips[0].cause, "none");
    vips[0].has_link = true;
    vips[0].holder[0] = '\0';
    strcpy(vips[0].state, "probing");
    assert_has("10.0.0.50    PROBING (eth0)\n");
    status.remaining_ms = 0;
    assert_has("lease  the right has run out, renewed");
    status.lease = 0;
    assert_has("lease  none\n");
}

static void names_cannot_move_the_cursor(void **state)
{
    (void)state;
    strcpy(vips[1].holder, "cp\x1b[2J\xe2\x80\xae\xff");
    strcpy(vips[0].queue[0], "a\nb");
    strcpy(status.fence_reason, "\r\x9b");
    status.has_packet_fence = false;
    assert_has("behind cp?[2J??, number");
    assert_has("next a?b\n");
    assert_warns("WARN   no packet fence: ??\n");
}

static void spans_have_two_parts(void **state)
{
    static const struct {
        int64_t ms;
        const char *want;
    } cases[] = {{0, "0 ms"},
                 {999, "999 ms"},
                 {1000, "1s"},
                 {1100, "1.1s"},
                 {9999, "9.9s"},
                 {10000, "10s"},
                 {59999, "59s"},
                 {60000, "1m 0s"},
                 {3599999, "59m 59s"},
                 {3600000, "1h 0m"},
                 {86399999, "23h 59m"},
                 {86400000, "1d 0h"},
                 {INT64_MAX, "106751991167d 7h"}};
    char want[64];
    (void)state;
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        vips[0].held_for_ms = cases[i].ms;
        snprintf(want, sizeof(want), "(eth0) for %s, next", cases[i].want);
        assert_has(want);
    }
}

static void on_status(void *arg, struct api_status *ret_status)
{
    (void)arg;
    *ret_status = status;
}

static const char *on_probe(void *arg)
{
    (void)arg;
    return NULL;
}

static const struct api_source source = {
    .status = on_status, .healthz = on_probe, .readyz = on_probe};

static char dir[64], path[96];

static pid_t serve(void)
{
    int fds[2];
    char byte = 0;
    assert_int_equal(pipe2(fds, O_CLOEXEC), 0);
    pid_t pid = fork();
    if (pid == 0) {
        struct loop *loop = loop_new();
        struct api_server *server;
        int64_t owner;
        signal(SIGPIPE, SIG_IGN);
        if (!loop || api_server_new(loop, path, &source, NULL, &server, &owner) < 0 ||
            write(fds[1], "x", 1) != 1)
            _exit(1);
        _exit(loop_run(loop) < 0);
    }
    close(fds[1]);
    assert_int_equal(read(fds[0], &byte, 1), 1);
    close(fds[0]);
    return pid;
}

/* Runs the command line; its stdout goes to `text`. */
static int command(const char *format)
{
    char *argv[] = {(char *)(uintptr_t) "talosvip",
                    (char *)(uintptr_t) "status",
                    (char *)(uintptr_t) "--local",
                    (char *)(uintptr_t) "--socket",
                    path,
                    (char *)(uintptr_t) "-o",
                    (char *)(uintptr_t)format,
                    NULL};
    char out[8192];
    int file = open("/tmp", O_TMPFILE | O_RDWR | O_CLOEXEC, 0600);
    fflush(stdout);
    int saved = fcntl(STDOUT_FILENO, F_DUPFD_CLOEXEC, 10);
    dup2(file, STDOUT_FILENO);
    int code = command_main(7, argv);
    dup2(saved, STDOUT_FILENO);
    close(saved);
    ssize_t n = pread(file, out, sizeof(out), 0);
    close(file);
    buf_clear(&text);
    buf_add(&text, out, n > 0 ? (size_t)n : 0);
    return code;
}

static void the_command_asks_the_agent(void **state)
{
    struct api_status back;
    (void)state;
    strcpy(dir, "/tmp/talosvip-test-XXXXXX");
    assert_non_null(mkdtemp(dir));
    snprintf(path, sizeof(path), "%s/agent.sock", dir);
    assert_int_equal(command("json"), EXIT_UNKNOWN);
    assert_int_equal(text.len, 0); /* valid JSON or nothing */
    pid_t pid = serve();
    assert_int_equal(command("human"), EXIT_DONE);
    assert_memory_equal(buf_str(&text), "10.0.0.50    HELD here", 22);
    kill(pid, SIGKILL);
    waitpid(pid, NULL, 0);
    assert_int_equal(command("human"), EXIT_UNKNOWN);
    status.guardian_pid = 0;
    pid = serve(); /* over the dead one's socket */
    assert_int_equal(command("json"), EXIT_DEGRADED);
    assert_int_equal(api_status_parse(buf_str(&text), text.len, &back), 0);
    assert_int_equal(back.n_vips, 2);
    api_status_done(&back);
    kill(pid, SIGKILL);
    waitpid(pid, NULL, 0);
    unlink(path);
    assert_int_equal(rmdir(dir), 0);
}

int main(void)
{
#define T(fn) cmocka_unit_test_setup_teardown(fn, begin, end)
    const struct CMUnitTest tests[] = {
        T(a_healthy_node_has_no_warnings), T(twins_are_told),
        T(the_peer_lease_is_told),         T(an_unproved_holder_is_only_the_last_known),
        T(every_trouble_is_one_warning),   T(other_states_say_where_and_why),
        T(names_cannot_move_the_cursor),   T(spans_have_two_parts),
        T(the_command_asks_the_agent),
    };
#undef T
    return cmocka_run_group_tests(tests, NULL, NULL);
}
