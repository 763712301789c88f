/* SPDX-License-Identifier: MIT */
#include "base/log.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>
#include <json-c/json.h>

#define LINE_LIMIT 4096

/* stderr while a test looks at it: a pipe, or what the test put there. */
static int real_stderr, out;
static char text[4 * LINE_LIMIT + 1];

static int begin(void **state)
{
    int fds[2];
    (void)state;
    if (pipe2(fds, O_CLOEXEC) < 0)
        return -1;
    real_stderr = fcntl(STDERR_FILENO, F_DUPFD_CLOEXEC, 3);
    dup2(fds[1], STDERR_FILENO);
    close(fds[1]);
    out = fds[0];
    fcntl(out, F_SETFL, O_NONBLOCK);
    log_set_node(NULL);
    return 0;
}

static int end(void **state)
{
    (void)state;
    dup2(real_stderr, STDERR_FILENO);
    close(real_stderr);
    close(out);
    return 0;
}

/* Everything written so far. */
static const char *written(void)
{
    ssize_t n = read(out, text, sizeof(text) - 1);
    text[n > 0 ? n : 0] = '\0';
    return text;
}

static void drain(void)
{
    while (read(out, text, sizeof(text)) > 0)
        ;
}

static void assert_stamp(const char *s)
{
    assert_int_equal(strspn(s, "0123456789"), 2);
    assert_int_equal(s[2], ':');
    assert_int_equal(s[5], ':');
    assert_int_equal(s[8], '.');
    assert_int_equal(strspn(s + 9, "0123456789"), 3);
}

static void human_lines_have_the_time_the_level_and_the_address(void **state)
{
    (void)state;
    log_setup(LOG_HUMAN, LOG_DEBUG);
    assert_true(log_is_human());
    log_event(LOG_INFO, "acquired", "10.0.0.50", LOG_FIELDS(LOG_NUMBER("garp", 3)),
              "HELD here: set in %d ms", 3);
    const char *s = written();
    assert_stamp(s);
    assert_string_equal(s + 12, " INFO  10.0.0.50 HELD here: set in 3 ms\n");
    log_event(LOG_ERROR, "lost", NULL, NULL, "no vip");
    assert_string_equal(written() + 12, " ERROR no vip\n");
}

static void logfmt_quotes_what_needs_it(void **state)
{
    (void)state;
    log_setup(LOG_LOGFMT, LOG_INFO);
    log_set_node("cp-2");
    log_event(LOG_WARN, "acquired", "10.0.0.50",
              LOG_FIELDS(LOG_TEXT("from", "cp-1"), LOG_TEXT("empty", ""), LOG_TEXT("eq", "a=b"),
                         LOG_TEXT("arrow", "a->"), LOG_TEXT("q", "say \"x\\y\""),
                         LOG_NUMBER("n", INT64_MIN)),
              "two words");
    const char *s = written();
    assert_memory_equal(s, "ts=2", 4);
    assert_string_equal(strstr(s, " level"),
                        " level=warn event=acquired vip=10.0.0.50 node=cp-2 from=cp-1 empty=\"\" "
                        "eq=\"a=b\" arrow=a-> q=\"say \\\"x\\\\y\\\"\" n=-9223372036854775808 "
                        "msg=\"two words\"\n");
}

static void journal_lines_have_a_priority_and_no_time(void **state)
{
    static const struct {
        enum log_level level;
        const char *want;
    } cases[] = {{LOG_ERROR, "<3>level=error event=e msg=m\n"},
                 {LOG_WARN, "<4>level=warn event=e msg=m\n"},
                 {LOG_INFO, "<6>level=info event=e msg=m\n"},
                 {LOG_DEBUG, "<7>level=debug event=e msg=m\n"}};
    (void)state;
    log_setup(LOG_JOURNAL, LOG_DEBUG);
    for (size_t i = 0; i < 4; i++) {
        log_event(cases[i].level, "e", NULL, NULL, "m");
        assert_string_equal(written(), cases[i].want);
    }
}

static void json_lines_are_objects(void **state)
{
    (void)state;
    log_setup(LOG_JSON, LOG_INFO);
    log_set_node("cp-2");
    log_event(LOG_INFO, "acquired", "10.0.0.50",
              LOG_FIELDS(LOG_TEXT("who", "a\"b\\c\n\x01\xff\xc3\xa9"), LOG_NUMBER("n", -7)), "m");
    const char *s = written();
    assert_int_equal(s[strlen(s) - 1], '\n');
    struct json_object *o = json_tokener_parse(s);
    assert_non_null(o);
    assert_string_equal(json_object_get_string(json_object_object_get(o, "who")),
                        "a\"b\\c\n\x01\xef\xbf\xbd\xc3\xa9");
    assert_int_equal(json_object_get_int(json_object_object_get(o, "n")), -7);
    assert_true(json_object_is_type(json_object_object_get(o, "n"), json_type_int));
    assert_string_equal(json_object_get_string(json_object_object_get(o, "node")), "cp-2");
    assert_string_equal(json_object_get_string(json_object_object_get(o, "level")), "info");
    json_object_put(o);
}

static void control_characters_never_get_through(void **state)
{
    static const enum log_format formats[] = {LOG_HUMAN, LOG_LOGFMT, LOG_JSON, LOG_JOURNAL};
    char bad[64];
    size_t n = 0;
    (void)state;
    for (char c = 1; c < 0x20; c++)
        bad[n++] = c;
    memcpy(bad + n, "\x7f\xc2\x9b", 4);
    for (size_t i = 0; i < 4; i++) {
        log_setup(formats[i], LOG_INFO);
        log_event(LOG_INFO, "e", bad, LOG_FIELDS(LOG_TEXT("f", bad)), "%s", bad);
        const char *s = written();
        assert_true(strlen(s) > 100);
        for (size_t j = 0; s[j + 1]; j++)
            assert_true((unsigned char)s[j] >= 0x20 && s[j] != 0x7f);
        assert_int_equal(s[strlen(s) - 1], '\n');
    }
    log_setup(LOG_HUMAN, LOG_INFO);
    log_event(LOG_INFO, "e", NULL, NULL, "a\nb\x1b[2J");
    assert_string_equal(written() + 19, "a\\nb\\x1b[2J\n");
}

/* Whatever the lengths, a line fits into one write and is still what its format promises. */
static void long_lines_are_cut_whole(void **state)
{
    static const enum log_format formats[] = {LOG_HUMAN, LOG_LOGFMT, LOG_JSON, LOG_JOURNAL};
    static char big[6000];
    (void)state;
    for (size_t len = 900; len < sizeof(big); len += 37) {
        memset(big, len % 2 ? '"' : 'x', len);
        big[len] = '\0';
        for (size_t i = 0; i < 4; i++) {
            log_setup(formats[i], LOG_INFO);
            log_event(LOG_INFO, "e", "10.0.0.50",
                      LOG_FIELDS(LOG_TEXT("a", big), LOG_TEXT("b", big), LOG_TEXT("c", big),
                                 LOG_NUMBER("d", 5)),
                      "%s", big);
            const char *s = written();
            assert_in_range(strlen(s), 900, LINE_LIMIT);
            assert_ptr_equal(strchr(s, '\n'), s + strlen(s) - 1);
            if (formats[i] != LOG_JSON)
                continue;
            struct json_object *o = json_tokener_parse(s);
            assert_non_null(o);
            json_object_put(o);
        }
    }
}

static void lower_levels_are_silent(void **state)
{
    (void)state;
    log_setup(LOG_HUMAN, LOG_WARN);
    log_event(LOG_INFO, "e", NULL, NULL, "no");
    log_event(LOG_DEBUG, "e", NULL, NULL, "no");
    assert_string_equal(written(), "");
    log_event(LOG_WARN, "e", NULL, NULL, "yes");
    assert_string_equal(written() + 12, " WARN  yes\n");
}

static void a_full_pipe_costs_lines_not_time(void **state)
{
    (void)state;
    log_setup(LOG_LOGFMT, LOG_INFO);
    /* More than a pipe holds; a blocking write would hang here. */
    for (int i = 0; i < 3000; i++)
        log_event(LOG_INFO, "fill", NULL, NULL, "%0200d", i);
    drain();
    log_event(LOG_INFO, "after", NULL, NULL, "x");
    const char *s = written();
    const char *lost = strstr(s, " level=warn event=log_lost lines=");
    assert_non_null(lost);
    assert_true(strtoll(strstr(lost, "lines=") + 6, NULL, 10) > 1000);
    assert_non_null(strstr(s, "event=after msg=x\n"));
    log_event(LOG_INFO, "again", NULL, NULL, "x");
    assert_null(strstr(written(), "log_lost"));
}

static void a_closed_stderr_is_survived(void **state)
{
    (void)state;
    log_setup(LOG_LOGFMT, LOG_INFO);
    int copy = fcntl(STDERR_FILENO, F_DUPFD_CLOEXEC, 3);
    close(STDERR_FILENO);
    errno = EILSEQ;
    log_event(LOG_INFO, "e", NULL, NULL, "x");
    assert_int_equal(errno, EILSEQ);
    dup2(copy, STDERR_FILENO);
    close(copy);
    log_event(LOG_INFO, "e", NULL, NULL, "x");
    assert_non_null(strstr(written(), "event=log_lost lines=1 "));
}

static void auto_sees_the_journal_and_a_redirected_stderr(void **state)
{
    struct stat st;
    char stream[64];
    (void)state;
    assert_int_equal(fstat(STDERR_FILENO, &st), 0);
    snprintf(stream, sizeof(stream), "%ju:%ju", (uintmax_t)st.st_dev, (uintmax_t)st.st_ino);
    setenv("JOURNAL_STREAM", stream, 1);
    log_setup(LOG_AUTO, LOG_INFO);
    log_event(LOG_INFO, "e", NULL, NULL, "x");
    assert_string_equal(written(), "<6>level=info event=e msg=x\n");
    snprintf(stream, sizeof(stream), "%ju:%ju", (uintmax_t)st.st_dev, (uintmax_t)st.st_ino + 1);
    setenv("JOURNAL_STREAM", stream, 1);
    log_setup(LOG_AUTO, LOG_INFO);
    log_event(LOG_INFO, "e", NULL, NULL, "x");
    assert_memory_equal(written(), "ts=", 3);
    unsetenv("JOURNAL_STREAM");
}

static void names_are_parsed(void **state)
{
    enum log_format format = LOG_JSON;
    enum log_level level = LOG_DEBUG;
    (void)state;
    assert_int_equal(log_format_parse("journal", &format), 0);
    assert_int_equal(format, LOG_JOURNAL);
    assert_int_equal(log_format_parse("auto", &format), 0);
    assert_int_equal(format, LOG_AUTO);
    assert_int_equal(log_format_parse("Human", &format), -EINVAL);
    assert_int_equal(format, LOG_AUTO);
    assert_int_equal(log_level_parse("error", &level), 0);
    assert_int_equal(level, LOG_ERROR);
    assert_int_equal(log_level_parse("", &level), -EINVAL);
    assert_int_equal(level, LOG_ERROR);
}

int main(void)
{
#define T(fn) cmocka_unit_test_setup_teardown(fn, begin, end)
    const struct CMUnitTest tests[] = {
        T(human_lines_have_the_time_the_level_and_the_address),
        T(logfmt_quotes_what_needs_it),
        T(journal_lines_have_a_priority_and_no_time),
        T(json_lines_are_objects),
        T(control_characters_never_get_through),
        T(long_lines_are_cut_whole),
        T(lower_levels_are_silent),
        T(a_full_pipe_costs_lines_not_time),
        T(a_closed_stderr_is_survived),
        T(auto_sees_the_journal_and_a_redirected_stderr),
        T(names_are_parsed),
    };
#undef T
    return cmocka_run_group_tests(tests, NULL, NULL);
}
