/* SPDX-License-Identifier: MIT */
/* The command line from its first word to the options of the agent, which is a model here. */
#include "agent/agent.h"
#include "cli/command.h"
#include "cli/exit.h"

#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

static struct {
    int runs;
    struct agent_options options;
    char file[64], endpoint[64], user[64], password[64];
} seen;

static void copy(char to[64], const char *text)
{
    snprintf(to, 64, "%s", text ? text : "(none)");
}

int agent_run(const struct agent_options *options)
{
    seen.runs++;
    seen.options = *options;
    copy(seen.file, options->n_files ? options->files[options->n_files - 1] : NULL);
    copy(seen.endpoint, options->n_endpoints ? options->endpoints[0] : NULL);
    copy(seen.user, options->user);
    copy(seen.password, options->password);
    return 7;
}

static char out[16384], err[16384];

/* What was written to `fd`, a file that was deleted already. */
static void collect(int fd, char *text, size_t size)
{
    ssize_t n = pread(fd, text, size - 1, 0);
    text[n > 0 ? n : 0] = '\0';
    close(fd);
}

#define RUN(...) run((const char *const[]){"talosvip", __VA_ARGS__, NULL})

static int run(const char *const *argv)
{
    int argc = 0, fds[2], saved[2];
    while (argv[argc])
        argc++;
    for (int i = 0; i < 2; i++) {
        fflush(i ? stderr : stdout);
        fds[i] = open("/tmp", O_TMPFILE | O_RDWR | O_CLOEXEC, 0600);
        saved[i] = fcntl(i + 1, F_DUPFD_CLOEXEC, 10);
        dup2(fds[i], i + 1);
    }
    memset(&seen, 0, sizeof(seen));
    int code = command_main(argc, (char *const *)(uintptr_t)argv);
    for (int i = 0; i < 2; i++) {
        fflush(i ? stderr : stdout);
        dup2(saved[i], i + 1);
        close(saved[i]);
    }
    collect(fds[0], out, sizeof(out));
    collect(fds[1], err, sizeof(err));
    return code;
}

static const char *const variables[] = {
    "ETCDCTL_ENDPOINTS", "ETCDCTL_CACERT",         "ETCDCTL_USER",       "ETCDCTL_PASSWORD",
    "TALOSVIP_CONFIG",   "TALOSVIP_ENDPOINTS",     "TALOSVIP_CACERT",    "TALOSVIP_USER",
    "TALOSVIP_NODE",     "TALOSVIP_PASSWORD_FILE", "TALOSVIP_LOG_LEVEL",
};

static int clean(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof(variables) / sizeof(variables[0]); i++)
        unsetenv(variables[i]);
    return 0;
}

static void without_words_everything_is_the_configurations(void **state)
{
    (void)state;
    assert_int_equal(RUN("run"), 7);
    assert_int_equal(seen.runs, 1);
    assert_int_equal(seen.options.n_files, 1);
    assert_string_equal(seen.file, "/etc/talosvip/talosvip.yaml");
    assert_null(seen.options.node);
    assert_null(seen.options.cacert);
    assert_null(seen.options.user);
    assert_null(seen.options.password);
    assert_int_equal(seen.options.n_endpoints, 0);
    assert_true(seen.options.ttl_us == 0);
    assert_true(seen.options.peer_window_us == 0);
    assert_int_equal(seen.options.peer_port, 0);
    assert_false(seen.options.has_no_peers);
    assert_int_equal(seen.options.log_format, LOG_AUTO);
    assert_int_equal(seen.options.log_level, LOG_INFO);
    assert_false(seen.options.is_dry_run);
}

static void every_flag_arrives(void **state)
{
    (void)state;
    assert_int_equal(RUN("run", "-c", "a", "--config", "b", "--node", "n", "-e", "x,y", "--cacert",
                         "ca", "--cert", "ce", "--key", "ke", "--user", "u", "--password-file",
                         "pf", "--ttl", "3s", "--peer-window", "150ms", "--peer-port", "65535",
                         "--no-peers", "--log-format", "journal", "--log-level", "debug"),
                     7);
    assert_int_equal(seen.options.n_files, 2);
    assert_string_equal(seen.file, "b");
    assert_string_equal(seen.options.node, "n");
    assert_int_equal(seen.options.n_endpoints, 2);
    assert_string_equal(seen.endpoint, "x");
    assert_string_equal(seen.options.cacert, "ca");
    assert_string_equal(seen.options.cert, "ce");
    assert_string_equal(seen.options.key, "ke");
    assert_string_equal(seen.options.password_file, "pf");
    assert_string_equal(seen.user, "u");
    assert_true(seen.options.ttl_us == 3000000);
    assert_true(seen.options.peer_window_us == 150000);
    assert_int_equal(seen.options.peer_port, 65535);
    assert_true(seen.options.has_no_peers);
    assert_int_equal(seen.options.log_format, LOG_JOURNAL);
    assert_int_equal(seen.options.log_level, LOG_DEBUG);
    assert_false(seen.options.is_dry_run);
    assert_int_equal(RUN("run", "-c", "/nowhere/absent.yaml", "--check"), EXIT_UNKNOWN);
    assert_int_equal(seen.runs, 0);
    assert_int_equal(RUN("run", "--dry-run"), 7);
    assert_true(seen.options.is_dry_run);
}

static void the_log_names_mean_the_same_everywhere(void **state)
{
    static const char *const formats[] = {"auto", "human", "logfmt", "json", "journal"};
    static const char *const levels[] = {"error", "warn", "info", "debug"};
    (void)state;
    for (unsigned i = 0; i < 5; i++) {
        assert_int_equal(RUN("run", "--log-format", formats[i]), 7);
        assert_int_equal(seen.options.log_format, i);
    }
    for (unsigned i = 0; i < 4; i++) {
        assert_int_equal(RUN("run", "--log-level", levels[i]), 7);
        assert_int_equal(seen.options.log_level, i);
    }
}

static void flags_beat_ours_beat_etcdctls(void **state)
{
    (void)state;
    setenv("ETCDCTL_ENDPOINTS", "theirs", 1);
    setenv("ETCDCTL_CACERT", "their-ca", 1);
    assert_int_equal(RUN("run"), 7);
    assert_string_equal(seen.endpoint, "theirs");
    assert_string_equal(seen.options.cacert, "their-ca");
    setenv("TALOSVIP_ENDPOINTS", "ours", 1);
    setenv("TALOSVIP_CONFIG", "our.yaml", 1);
    setenv("TALOSVIP_NODE", "our-node", 1);
    setenv("TALOSVIP_LOG_LEVEL", "warn", 1);
    assert_int_equal(RUN("run"), 7);
    assert_string_equal(seen.endpoint, "ours");
    assert_string_equal(seen.file, "our.yaml");
    assert_string_equal(seen.options.node, "our-node");
    assert_int_equal(seen.options.log_level, LOG_WARN);
    assert_int_equal(RUN("run", "-e", "flag", "--node", "me", "-c", "f.yaml"), 7);
    assert_string_equal(seen.endpoint, "flag");
    assert_string_equal(seen.options.node, "me");
    assert_string_equal(seen.file, "f.yaml");
    assert_string_equal(err, ""); /* silently */
}

static void etcdctls_user_may_bring_the_password(void **state)
{
    (void)state;
    setenv("ETCDCTL_USER", "root:se:cret", 1);
    assert_int_equal(RUN("run"), 7);
    assert_string_equal(seen.user, "root");
    assert_string_equal(seen.password, "se:cret");
    setenv("ETCDCTL_PASSWORD", "other", 1);
    assert_int_equal(RUN("run"), 7);
    assert_string_equal(seen.user, "root:se:cret"); /* etcdctl's rule */
    assert_string_equal(seen.password, "other");
    unsetenv("ETCDCTL_PASSWORD");
    assert_int_equal(RUN("run", "--user", "bob"), 7);
    assert_string_equal(seen.user, "bob");
    assert_string_equal(seen.password, "(none)");
    setenv("TALOSVIP_PASSWORD_FILE", "pf", 1);
    assert_int_equal(RUN("run"), 7);
    assert_string_equal(seen.user, "root");
    assert_string_equal(seen.password, "(none)");
    assert_string_equal(seen.options.password_file, "pf");
}

static void passwords_do_not_belong_in_flags(void **state)
{
    (void)state;
    assert_int_equal(RUN("run", "--user", "root:secret"), EXIT_USAGE);
    assert_string_equal(err, "talosvip: --user takes only the name, without a password\n"
                             "  hint: use --password-file FILE, or ETCDCTL_PASSWORD\n");
    assert_int_equal(RUN("run", "--password", "secret"), EXIT_USAGE);
    assert_null(strstr(err, "secret"));
    setenv("TALOSVIP_USER", "a:b", 1);
    assert_int_equal(RUN("run"), EXIT_USAGE);
    assert_memory_equal(err, "talosvip: TALOSVIP_USER takes", 29);
    assert_int_equal(seen.runs, 0);
}

static void wrong_usage_starts_nothing(void **state)
{
    (void)state;
    assert_int_equal(RUN("run", "cp.yaml"), EXIT_USAGE);
    assert_string_equal(err, "talosvip: unexpected argument \"cp.yaml\"\n"
                             "  hint: a configuration file is named with -c FILE\n");
    assert_int_equal(RUN("run", "--check", "--dry-run"), EXIT_USAGE);
    assert_int_equal(RUN("run", "--ttl", "1s"), EXIT_USAGE);
    assert_int_equal(RUN("run", "--peer-window", "99ms"), EXIT_USAGE);
    assert_int_equal(RUN("run", "--peer-port", "65536"), EXIT_USAGE);
    assert_int_equal(RUN("run", "-f", "x"), EXIT_USAGE);
    assert_string_equal(err, "talosvip: unknown flag -f; did you mean -c?\n");
    assert_int_equal(RUN("runn"), EXIT_USAGE);
    assert_string_equal(err, "talosvip: unknown command \"runn\"; did you mean run?\n");
    assert_int_equal(RUN("\x1b[2J"), EXIT_USAGE);
    assert_null(strchr(err, '\x1b'));
    assert_int_equal(RUN("-x"), EXIT_USAGE);
    assert_int_equal(RUN(""), EXIT_USAGE);
    assert_int_equal(seen.runs, 0);
    assert_string_equal(out, "");
}

static void help_is_on_stdout_when_asked_for(void **state)
{
    (void)state;
    assert_int_equal(RUN(NULL), EXIT_USAGE);
    assert_string_equal(out, "");
    char *overview = strdup(err);
    assert_non_null(strstr(overview, "Examples:\n"));
    assert_int_equal(RUN("--help"), EXIT_DONE);
    assert_string_equal(out, overview);
    assert_string_equal(err, "");
    assert_int_equal(RUN("help"), EXIT_DONE);
    assert_string_equal(out, overview);
    free(overview);
    assert_int_equal(RUN("run", "--bogus", "-h"), EXIT_DONE);
    assert_non_null(strstr(out, "Usage: talosvip run "));
    assert_int_equal(RUN("help", "run"), EXIT_DONE);
    assert_int_equal(strncmp(out, "NAME\n       talosvip-run - ", 26), 0); /* the manual's page */
    assert_int_equal(seen.runs, 0);
    assert_int_equal(RUN("help", "exit-code"), EXIT_USAGE);
    assert_string_equal(err,
                        "talosvip: there is no help on \"exit-code\"; did you mean exit-codes?\n");
}

static void the_topics_list_what_the_tables_hold(void **state)
{
    size_t n;
    char line[256];
    const struct exit_meaning *table = exit_table(&n);
    (void)state;
    assert_int_equal(RUN("help", "exit-codes"), EXIT_DONE);
    for (size_t i = 0; i < n; i++) {
        snprintf(line, sizeof(line), "%5d  %s\n", (int)table[i].code, table[i].meaning);
        assert_non_null(strstr(out, line));
        assert_true(i == 0 || table[i].code > table[i - 1].code);
    }
    assert_int_equal(RUN("help", "environment"), EXIT_DONE);
    for (size_t i = 0; i < sizeof(variables) / sizeof(variables[0]); i++)
        assert_non_null(strstr(out, variables[i]));
}

/* A full disk is not success. */
static void lost_output_is_an_error(void **state)
{
    (void)state;
    int saved = fcntl(STDOUT_FILENO, F_DUPFD_CLOEXEC, 10);
    int full = open("/dev/full", O_WRONLY | O_CLOEXEC);
    assert_true(full >= 0);
    fflush(stdout);
    dup2(full, STDOUT_FILENO);
    close(full);
    int code = command_main(2, (char *[]){"talosvip", "version", NULL});
    clearerr(stdout);
    dup2(saved, STDOUT_FILENO);
    close(saved);
    assert_int_equal(code, EXIT_UNKNOWN);
}

int main(void)
{
#define T(fn) cmocka_unit_test_setup(fn, clean)
    const struct CMUnitTest tests[] = {
        T(without_words_everything_is_the_configurations),
        T(every_flag_arrives),
        T(the_log_names_mean_the_same_everywhere),
        T(flags_beat_ours_beat_etcdctls),
        T(etcdctls_user_may_bring_the_password),
        T(passwords_do_not_belong_in_flags),
        T(wrong_usage_starts_nothing),
        T(help_is_on_stdout_when_asked_for),
        T(the_topics_list_what_the_tables_hold),
        T(lost_output_is_an_error),
    };
#undef T
    return cmocka_run_group_tests(tests, NULL, NULL);
}
