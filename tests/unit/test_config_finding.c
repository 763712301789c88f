/* SPDX-License-Identifier: MIT */
#include "config_support.h"

#include "../../src/config/report.h"
#include "base/buf.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static void assert_short(const struct finding *f, const char *wanted)
{
    struct buf out;
    buf_init(&out, 0);
    assert_int_equal(finding_format_short(f, &out), 0);
    assert_string_equal(buf_str(&out), wanted);
    buf_done(&out);
}

static void test_format(void **state)
{
    (void)state;
    struct findings fs;
    findings_init(&fs);
    const struct finding_place at = {.file = "cp.yaml", .line = 12, .column = 15};
    struct finding *f = finding_add(&fs, "TV103", &at, "%d is greater than %d", 300, 255);
    assert_short(f, "cp.yaml:12:15: error: 300 is greater than 255 [TV103]");
    finding_set_help(&fs, f, "did you mean %s?", "this");
    finding_set_help(&fs, f, "did you mean %s?", "that");
    assert_short(f, "cp.yaml:12:15: error: 300 is greater than 255 [TV103]\n"
                    "  hint: did you mean that?");
    const struct finding_place other = {.file = "b.yaml", .line = 1, .column = 2};
    finding_add_related(&fs, f, &other, "%s", "first here");
    assert_short(f, "cp.yaml:12:15: error: 300 is greater than 255 [TV103]\n"
                    "  first here (b.yaml:1:2)\n  hint: did you mean that?");
    const struct finding_place file = {.file = "x"};
    assert_short(finding_add(&fs, "TV004", &file, "gone"), "x: error: gone [TV004]");
    assert_short(finding_add(&fs, "TV217", NULL, "fyi"), "info: fyi [TV217]");
    assert_int_equal(fs.errors, 2);
    assert_int_equal(fs.infos, 1);
    finding_set_severity(&fs, &fs.list[0], SEVERITY_WARNING);
    assert_int_equal(fs.errors, 1);
    assert_int_equal(fs.warnings, 1);
    assert_int_equal(fs.error, 0);
    findings_done(&fs);
}

static void test_bound(void **state)
{
    (void)state;
    struct findings fs;
    findings_init(&fs);
    for (unsigned i = 0; i < FINDINGS_MAX; i++)
        assert_non_null(finding_add(&fs, "TV102", NULL, "%u", i));
    struct finding *f = finding_add(&fs, "TV102", NULL, "one too many");
    assert_null(f);
    finding_set_help(&fs, f, "nothing");
    finding_set_severity(&fs, f, SEVERITY_INFO);
    finding_add_related(&fs, f, NULL, "%s", "nothing");
    assert_int_equal(fs.n, FINDINGS_MAX);
    assert_int_equal(fs.dropped, 1);
    assert_int_equal(fs.errors, FINDINGS_MAX + 1);
    assert_int_equal(fs.error, 0);
    findings_done(&fs);
    findings_done(NULL);
}

static bool is_wanted(void *arg, const struct finding *f)
{
    (void)arg;
    return strcmp(f->message, "drop") != 0;
}

static void test_lists(void **state)
{
    (void)state;
    static const char *const order[] = {"2:1", "2:9", "2:9 again", "7:1", "all"};
    struct findings fs, into;
    findings_init(&fs);
    findings_init(&into);
    into.max = 5;
    const struct finding_place a = {.file = "f", .line = 7, .column = 1},
                               b = {.file = "f", .line = 2, .column = 9},
                               c = {.file = "f", .line = 2, .column = 1};
    finding_add(&fs, "TV301", &c, "all")->is_across = true;
    finding_add(&fs, "TV102", &a, "7:1");
    finding_add(&fs, "TV102", &b, "2:9");
    finding_add(&fs, "TV102", &b, "drop");
    finding_add(&fs, "TV207", &b, "2:9 again");
    finding_add(&fs, "TV102", &c, "2:1");
    findings_filter(&fs, is_wanted, NULL);
    assert_int_equal(fs.errors, 4);
    findings_sort(&fs);
    findings_sort_across(&fs);
    assert_int_equal(fs.n, 5);
    for (size_t i = 0; i < 5; i++)
        assert_string_equal(fs.list[i].message, order[i]);
    findings_move(&into, &fs);
    assert_int_equal(fs.n + fs.errors + fs.warnings, 0);
    assert_int_equal(into.n, 5);
    finding_add(&fs, "TV102", &a, "too many");
    findings_move(&into, &fs);
    assert_int_equal(into.n, 5);
    assert_int_equal(into.dropped, 1);
    assert_int_equal(into.errors, 5);
    findings_done(&fs);
    findings_done(&into);
}

static void test_more_texts(void **state)
{
    (void)state;
    struct findings fs;
    findings_init(&fs);
    const struct finding_place at = {.file = "f", .line = 1, .column = 1};
    struct finding *f = finding_add(&fs, "TV203", &at, "outside");
    finding_set_suggestion(&fs, f, "10.0.0.50");
    assert_string_equal(f->help, "did you mean \"10.0.0.50\"?");
    finding_set_help(&fs, f, "other");
    finding_set_suggestion(&fs, f, "10.0.0.51");
    assert_string_equal(f->help, "other");
    assert_string_equal(f->suggestion, "10.0.0.51");
    finding_set_label(&fs, f, "not in %s", "x");
    finding_set_why(&fs, f, "because");
    for (unsigned i = 0; i < FINDING_RELATED_MAX + 2; i++)
        finding_add_related(&fs, f, &at, "%u", i);
    assert_int_equal(f->n_related, FINDING_RELATED_MAX);
    assert_false(f->is_suppressed);
    finding_suppress(&fs, f, "routed");
    assert_true(f->is_suppressed);
    assert_string_equal(f->suppression_reason, "routed");
    assert_int_equal(fs.errors, 1);
    assert_int_equal(fs.error, 0);
    findings_done(&fs);
}

static void test_checks(void **state)
{
    (void)state;
    size_t n;
    const struct check *table = check_table(&n);
    assert_true(n > 10);
    for (size_t i = 0; i < n; i++) {
        assert_ptr_equal(check_find(table[i].id), &table[i]);
        assert_int_equal(strlen(table[i].id), 5);
        assert_true(i == 0 || strcmp(table[i - 1].id, table[i].id) < 0);
        assert_true(strlen(table[i].title) > 5);
    }
    assert_null(check_find("TV000"));
    assert_string_equal(severity_name(SEVERITY_WARNING), "warning");
}

static void test_paths(void **state)
{
    (void)state;
    struct yaml_step a = {NULL, "a/b~c", 0}, b = {&a, NULL, 3}, c = {&b, "d", 0};
    struct buf out;
    buf_init(&out, 0);
    report_pointer(&c, &out);
    assert_string_equal(buf_str(&out), "/a~1b~0c/3/d");
    buf_clear(&out);
    report_words(&c, "the document", &out);
    assert_string_equal(buf_str(&out), "a/b~c[3].d");
    buf_clear(&out);
    report_words(NULL, "the document", &out);
    assert_string_equal(buf_str(&out), "the document");
    buf_done(&out);
}

static void assert_quoted(const char *text, const char *wanted)
{
    struct buf out;
    buf_init(&out, 0);
    report_quote(text, strlen(text), &out);
    assert_string_equal(buf_str(&out), wanted);
    buf_done(&out);
}

/* What is quoted cannot move a terminal's cursor, break the line, or be cut inside a character. */
static void test_quote(void **state)
{
    (void)state;
    assert_quoted("a", "\"a\"");
    assert_quoted("a\"b\\\n\t", "\"a\\\"b\\\\\\n\\t\"");
    assert_quoted("\x1b[2J\x7f", "\"\\x1b[2J\\x7f\"");
    assert_quoted("\xc2\x9b"
                  "2J",
                  "\"\\x9b2J\"");
    assert_quoted("\xc3\xa9", "\"\xc3\xa9\"");
    char text[100] = "", wanted[100] = "\"";
    for (unsigned i = 0; i < 22; i++)
        strcat(text, "\xe2\x82\xac");
    for (unsigned i = 0; i < 21; i++)
        strcat(wanted, "\xe2\x82\xac");
    strcat(wanted, "\"\xe2\x80\xa6");
    assert_quoted(text, wanted);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_format), cmocka_unit_test(test_bound),
        cmocka_unit_test(test_checks), cmocka_unit_test(test_paths),
        cmocka_unit_test(test_lists),  cmocka_unit_test(test_more_texts),
        cmocka_unit_test(test_quote),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
