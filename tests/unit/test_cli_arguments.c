/* SPDX-License-Identifier: MIT */
#include "../../src/cli/arguments.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static const char *const colours[] = {"auto", "always", "never", NULL};

enum { FLAG, QUIET, STRING, FILES, LIST, DURATION, NUMBER, ENUM };

static const struct option options[] = {
    [FLAG] = {.name = "flag",
              .letter = 'f',
              .kind = OPTION_FLAG,
              .env = {"TEST_FLAG", "TEST_OLD_FLAG"}},
    [QUIET] = {.name = "quiet", .letter = 'q', .kind = OPTION_FLAG},
    [STRING] = {.name = "node",
                .letter = 'n',
                .kind = OPTION_STRING,
                .metavar = "NAME",
                .env = {"TEST_NODE", "TEST_OLD_NODE"}},
    [FILES] = {.name = "config",
               .letter = 'c',
               .kind = OPTION_FILES,
               .metavar = "FILE",
               .env = {"TEST_CONFIG"},
               .fallback = "/etc/x,y"},
    [LIST] = {.name = "endpoints",
              .letter = 'e',
              .kind = OPTION_LIST,
              .metavar = "URLS",
              .env = {"TEST_ENDPOINTS"}},
    [DURATION] = {.name = "ttl",
                  .kind = OPTION_DURATION,
                  .metavar = "DURATION",
                  .min_us = 2000000,
                  .max_us = 600000000,
                  .env = {"TEST_TTL"}},
    [NUMBER] = {.name = "port",
                .kind = OPTION_NUMBER,
                .metavar = "PORT",
                .min = 1,
                .max = 65535,
                .env = {"TEST_PORT"}},
    [ENUM] = {.name = "colour",
              .kind = OPTION_ENUM,
              .metavar = "WHEN",
              .choices = colours,
              .fallback = "auto"},
    {.name = NULL},
};

static const struct habit habits[] = {
    {"-w", "-w is something else here", "try -c"},
    {"--password", "no secrets in flags", NULL},
    {NULL, NULL, NULL},
};

static struct arguments given;
static struct complaint complaint;

#define PARSE(...) parse((const char *const[]){__VA_ARGS__, NULL})

static int parse(const char *const *words)
{
    int n = 0;
    while (words[n])
        n++;
    memset(&given, 0xee, sizeof(given));
    memset(&complaint, 0, sizeof(complaint));
    int r =
        arguments_parse(options, habits, 2, n, (char *const *)(uintptr_t)words, &given, &complaint);
    if (r < 0) {
        assert_true(given.n_words == (size_t)0xeeeeeeeeeeeeeeee); /* untouched */
        assert_true(complaint.what[0]);
    }
    return r;
}

static int clean(void **state)
{
    (void)state;
    unsetenv("TEST_NODE");
    unsetenv("TEST_OLD_NODE");
    unsetenv("TEST_CONFIG");
    unsetenv("TEST_ENDPOINTS");
    unsetenv("TEST_TTL");
    unsetenv("TEST_FLAG");
    unsetenv("TEST_OLD_FLAG");
    return 0;
}

static void every_spelling_is_understood(void **state)
{
    (void)state;
    assert_int_equal(PARSE("--node", "a"), 0);
    assert_string_equal(given.values[STRING].text, "a");
    arguments_done(&given);
    assert_int_equal(PARSE("--node=-b=c"), 0);
    assert_string_equal(given.values[STRING].text, "-b=c");
    arguments_done(&given);
    assert_int_equal(PARSE("-n", "-"), 0);
    assert_string_equal(given.values[STRING].text, "-");
    arguments_done(&given);
    assert_int_equal(PARSE("-nx"), 0);
    assert_string_equal(given.values[STRING].text, "x");
    arguments_done(&given);
    assert_int_equal(PARSE("-n=x"), 0);
    assert_string_equal(given.values[STRING].text, "x");
    arguments_done(&given);
    assert_int_equal(PARSE("-fqn", "x"), 0);
    assert_true(given.values[FLAG].origin == FROM_FLAG);
    assert_true(given.values[QUIET].origin == FROM_FLAG);
    assert_string_equal(given.values[STRING].text, "x");
    arguments_done(&given);
    assert_int_equal(PARSE("--node", "a", "--node", "b"), 0);
    assert_string_equal(given.values[STRING].text, "b");
    arguments_done(&given);
    arguments_done(&given);
    arguments_done(NULL);
}

static void lists_split_and_files_do_not(void **state)
{
    (void)state;
    assert_int_equal(PARSE("-e", "a,b", "--endpoints=c", "-c", "x,y", "-c", "z"), 0);
    assert_int_equal(given.values[LIST].n, 3);
    assert_string_equal(given.values[LIST].list[0], "a");
    assert_string_equal(given.values[LIST].list[1], "b");
    assert_string_equal(given.values[LIST].list[2], "c");
    assert_int_equal(given.values[FILES].n, 2);
    assert_string_equal(given.values[FILES].list[0], "x,y");
    assert_string_equal(given.values[FILES].list[1], "z");
    arguments_done(&given);
}

static void values_are_converted(void **state)
{
    (void)state;
    assert_int_equal(PARSE("--port", "65535"), 0);
    assert_true(given.values[NUMBER].number == 65535);
    arguments_done(&given);
    assert_int_equal(PARSE("--ttl", "2500ms", "--colour", "never", "word", "--", "--flag"), 0);
    assert_true(given.values[DURATION].us == 2500000);
    assert_int_equal(given.values[ENUM].choice, 2);
    assert_true(given.values[FLAG].origin == FROM_NOBODY);
    assert_int_equal(given.n_words, 2);
    assert_string_equal(given.words[0], "word");
    assert_string_equal(given.words[1], "--flag");
    arguments_done(&given);
}

static void flags_beat_the_environment_beats_defaults(void **state)
{
    (void)state;
    assert_int_equal(PARSE("-f"), 0);
    assert_true(given.values[STRING].origin == FROM_NOBODY && !given.values[STRING].text);
    assert_true(given.values[FILES].origin == FROM_DEFAULT);
    assert_int_equal(given.values[FILES].n, 1);
    assert_string_equal(given.values[FILES].list[0], "/etc/x,y");
    arguments_done(&given);
    setenv("TEST_NODE", "", 1);
    setenv("TEST_OLD_NODE", "old", 1);
    setenv("TEST_ENDPOINTS", "p,q", 1);
    setenv("TEST_CONFIG", "env.yaml", 1);
    assert_int_equal(PARSE("-e", "flag"), 0);
    assert_true(given.values[STRING].origin == FROM_ENVIRONMENT);
    assert_string_equal(given.values[STRING].variable, "TEST_OLD_NODE");
    assert_string_equal(given.values[STRING].text, "old");
    assert_int_equal(given.values[LIST].n, 1);
    assert_string_equal(given.values[LIST].list[0], "flag");
    assert_int_equal(given.values[FILES].n, 1);
    assert_string_equal(given.values[FILES].list[0], "env.yaml");
    arguments_done(&given);
    setenv("TEST_NODE", "new", 1);
    assert_int_equal(PARSE("-f"), 0);
    assert_string_equal(given.values[STRING].text, "new");
    assert_int_equal(given.values[LIST].n, 2);
    arguments_done(&given);
}

static void mistakes_get_one_clear_line(void **state)
{
    static const struct {
        const char *words[3];
        const char *what, *hint;
    } cases[] = {
        {{"--nodee"}, "unknown flag --nodee; did you mean --node?", ""},
        {{"--nodee=x"}, "unknown flag --nodee; did you mean --node?", ""},
        {{"--conf"}, "unknown flag --conf; did you mean --config?", ""},
        {{"-node"}, "unknown flag -node; did you mean --node?", ""},
        {{"-config=x"}, "unknown flag -config; did you mean --config?", ""},
        {{"-zconfig"}, "unknown flag -zconfig; did you mean --config?", ""},
        {{"--elephant"}, "unknown flag --elephant", ""},
        {{"-x"}, "unknown flag -x", ""},
        {{"-fx"}, "unknown flag -fx", ""},
        {{"-w", "table"}, "-w is something else here", "try -c"},
        {{"--password=x"}, "no secrets in flags", ""},
        {{"--node"}, "--node needs a value: --node NAME", ""},
        {{"-n"}, "--node needs a value: --node NAME", ""},
        {{"--node", "--flag"}, "--node needs a value: --node NAME", ""},
        {{"--node="}, "--node: the value is empty", ""},
        {{"--node", ""}, "--node: the value is empty", ""},
        {{"--flag=yes"}, "--flag takes no value", ""},
        {{"-f=yes"}, "--flag takes no value", ""},
        {{"-e", "a,,b"}, "--endpoints: an entry is empty", ""},
        {{"-e", "a,"}, "--endpoints: an entry is empty", ""},
        {{"--ttl", "5"}, "--ttl: \"5\" is not a duration", "write it like 5s, 1500ms or 1m30s"},
        {{"--ttl", "1s"}, "--ttl: 1s is not between 2s and 600s", ""},
        {{"--ttl", "601s"}, "--ttl: 601s is not between 2s and 600s", ""},
        {{"--ttl", "9999999h"}, "--ttl: 9999999h is not between 2s and 600s", ""},
        {{"--port", "http"}, "--port: \"http\" is not a number", ""},
        {{"--port", "0"}, "--port: 0 is not between 1 and 65535", ""},
        {{"--port", "65536"}, "--port: 65536 is not between 1 and 65535", ""},
        {{"--port", "18446744073709551617"},
         "--port: 18446744073709551617 is not between 1 and 65535",
         ""},
        {{"--colour", "allways"},
         "--colour: \"allways\" is not one of auto, always, never; did you mean always?",
         ""},
        {{"--colour", "x"}, "--colour: \"x\" is not one of auto, always, never", ""},
        {{"a", "b", "c"}, "unexpected argument \"c\"", ""},
    };
    (void)state;
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        int n = 0;
        const char *words[4] = {NULL};
        for (; n < 3 && cases[i].words[n]; n++)
            words[n] = cases[i].words[n];
        assert_int_equal(parse(words), -EINVAL);
        assert_string_equal(complaint.what, cases[i].what);
        assert_string_equal(complaint.hint, cases[i].hint);
    }
}

static void the_environment_is_checked_as_well(void **state)
{
    (void)state;
    setenv("TEST_TTL", "soon", 1);
    assert_int_equal(PARSE("-f"), -EINVAL);
    assert_string_equal(complaint.what, "TEST_TTL: \"soon\" is not a duration");
    assert_int_equal(PARSE("--ttl", "5s"), 0); /* not looked at */
    arguments_done(&given);
}

static void a_variable_switches_a_flag_on_or_off(void **state)
{
    static const char *const on[] = {"1", "t", "T", "true", "True", "TRUE", "on", "Yes"},
                             *const off[] = {"0", "f", "F", "false", "False", "FALSE", "OFF", "no"},
                             *const bad[] = {"2", "nope", "tru", "truee", " true", "disabled"};
    (void)state;
    for (size_t i = 0; i < sizeof(on) / sizeof(on[0]); i++) {
        setenv("TEST_FLAG", on[i], 1);
        assert_int_equal(PARSE("-q"), 0);
        assert_true(given.values[FLAG].origin == FROM_ENVIRONMENT);
        assert_string_equal(given.values[FLAG].variable, "TEST_FLAG");
        arguments_done(&given);
    }
    setenv("TEST_OLD_FLAG", "true", 1); /* off is an answer: the older name is not asked */
    for (size_t i = 0; i < sizeof(off) / sizeof(off[0]); i++) {
        setenv("TEST_FLAG", off[i], 1);
        assert_int_equal(PARSE("-q"), 0);
        assert_true(given.values[FLAG].origin == FROM_NOBODY);
        arguments_done(&given);
    }
    for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
        setenv("TEST_FLAG", bad[i], 1);
        assert_int_equal(PARSE("-q"), -EINVAL);
        assert_non_null(strstr(complaint.what, "TEST_FLAG: \""));
        assert_non_null(strstr(complaint.what, "is neither true nor false"));
    }
    assert_int_equal(PARSE("-f"), 0); /* not looked at */
    arguments_done(&given);
    setenv("TEST_FLAG", "", 1);
    assert_int_equal(PARSE("-q"), 0);
    assert_string_equal(given.values[FLAG].variable, "TEST_OLD_FLAG");
    arguments_done(&given);
}

static void help_is_heard_anywhere(void **state)
{
    (void)state;
    assert_int_equal(PARSE("--bogus", "-h"), 0);
    assert_true(given.wants_help);
    arguments_done(&given);
    assert_int_equal(PARSE("--node", "--help"), 0);
    assert_true(given.wants_help);
    arguments_done(&given);
    assert_int_equal(PARSE("--", "-h"), 0);
    assert_false(given.wants_help);
    assert_string_equal(given.words[0], "-h");
    arguments_done(&given);
}

static void everything_has_a_limit(void **state)
{
    char big[ARGUMENT_VALUE_MAX + 2];
    char many[2 * ARGUMENT_LIST_MAX + 2];
    (void)state;
    memset(big, 'x', sizeof(big) - 1);
    big[sizeof(big) - 1] = '\0';
    assert_int_equal(PARSE("--node", big), -EINVAL);
    assert_string_equal(complaint.what, "--node: the value is longer than 4096 bytes");
    big[0] = big[1] = '-';
    assert_int_equal(PARSE(big), -EINVAL);
    assert_true(strlen(complaint.what) < 200);
    for (size_t i = 0; i < sizeof(many) - 1; i++)
        many[i] = i % 2 ? ',' : 'a';
    many[sizeof(many) - 1] = '\0';
    assert_int_equal(PARSE("-e", many), -EINVAL);
    assert_string_equal(complaint.what, "--endpoints: more than 64 entries");
    memset(big, 'x', 1000);
    big[1000] = '\0';
    assert_int_equal(PARSE("--colour", big), -EINVAL);
    assert_true(strlen(complaint.what) < sizeof(complaint.what));
}

int main(void)
{
#define T(fn) cmocka_unit_test_setup(fn, clean)
    const struct CMUnitTest tests[] = {
        T(every_spelling_is_understood),
        T(lists_split_and_files_do_not),
        T(values_are_converted),
        T(flags_beat_the_environment_beats_defaults),
        T(mistakes_get_one_clear_line),
        T(the_environment_is_checked_as_well),
        T(a_variable_switches_a_flag_on_or_off),
        T(help_is_heard_anywhere),
        T(everything_has_a_limit),
    };
#undef T
    return cmocka_run_group_tests(tests, NULL, NULL);
}
