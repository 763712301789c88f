/* SPDX-License-Identifier: MIT */
#include "config_support.h"

#include "../../src/config/yaml.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

struct tree {
    struct arena *arena;
    struct findings findings;
    struct yaml_document *documents;
    const struct yaml_node *scalars;
    int result;
};

static void tree_parse(struct tree *t, const char *bytes, size_t len)
{
    memset(t, 0, sizeof(*t));
    findings_init(&t->findings);
    t->arena = arena_new();
    assert_non_null(t->arena);
    t->result =
        yaml_parse("t.yaml", bytes, len, t->arena, &t->findings, &t->documents, &t->scalars);
}

static void tree_done(struct tree *t)
{
    arena_free(t->arena);
    findings_done(&t->findings);
}

static void assert_mark(const struct yaml_mark *mark, unsigned line, unsigned column, size_t offset)
{
    assert_int_equal(mark->line, line);
    assert_int_equal(mark->column, column);
    assert_int_equal(mark->offset, offset);
}

static void parse_text(struct tree *t, const char *text)
{
    tree_parse(t, text, strlen(text));
}

static void test_positions(void **state)
{
    (void)state;
    struct tree t;
    parse_text(&t, "a: one\nb:\n  - 'two'\n  - {c: \"th\\x72ee\"}\n");
    assert_int_equal(t.result, 0);
    const struct yaml_node *root = t.documents->root, *a = yaml_get(root, "a");
    assert_int_equal(root->kind, YAML_MAPPING);
    assert_int_equal(root->document, 1);
    assert_string_equal(a->text, "one");
    assert_int_equal(a->style, YAML_PLAIN);
    assert_mark(&a->start, 1, 4, 3);
    assert_mark(&a->end, 1, 7, 6);
    const struct yaml_entry *item = yaml_get(root, "b")->entries;
    assert_int_equal(item->value->style, YAML_SINGLE_QUOTED);
    assert_mark(&item->value->start, 3, 5, 14);
    assert_mark(&item->value->end, 3, 10, 19);
    const struct yaml_node *c = yaml_get(item->next->value, "c");
    assert_string_equal(c->text, "three");
    assert_int_equal(c->style, YAML_DOUBLE_QUOTED);
    assert_mark(&c->start, 4, 9, 28);
    tree_done(&t);
}

static void test_bom_crlf_wide(void **state)
{
    (void)state;
    struct tree t;
    parse_text(&t, "\xef\xbb\xbf# \xe2\x82\xac\r\nk\xc3\xa9y: \xf0\x9f\x98\x80 x\r\nb: 2\r\n");
    assert_int_equal(t.result, 0);
    const struct yaml_node *v = yaml_get(t.documents->root, "k\xc3\xa9y");
    assert_string_equal(v->text, "\xf0\x9f\x98\x80 x");
    assert_mark(&v->start, 2, 6, 16);
    assert_mark(&v->end, 2, 9, 22);
    assert_mark(&yaml_get(t.documents->root, "b")->start, 3, 4, 27);
    tree_done(&t);
}

/* The way from characters to bytes is kept per block; look across many of them. */
static void test_offsets_of_long_text(void **state)
{
    (void)state;
    struct tree t;
    char text[4000];
    size_t len = 0;
    for (unsigned i = 0; i < 300; i++)
        len += (size_t)snprintf(text + len, sizeof(text) - len, "- \xc3\xa9%u\n", i);
    tree_parse(&t, text, len);
    assert_int_equal(t.result, 0);
    size_t at = 0;
    for (const struct yaml_entry *e = t.documents->root->entries; e; e = e->next) {
        assert_int_equal(e->value->start.offset, at + 2);
        assert_memory_equal(text + at + 2, e->value->text, e->value->len);
        at += 3 + e->value->len;
    }
    assert_int_equal(at, len);
    tree_done(&t);
    /* Exactly one block of characters, not all ASCII. */
    memset(text, 'x', 300);
    memcpy(text, "\xc3\xa9", 2);
    tree_parse(&t, text, 257);
    assert_int_equal(t.result, 0);
    assert_mark(&t.documents->root->end, 1, 257, 257);
    tree_done(&t);
}

static void test_scalars(void **state)
{
    (void)state;
    struct tree t;
    bool b = false;
    parse_text(&t, "a: ~\nb:\nc: null\nd: 'null'\ne: !!str null\nf: on\ng: 'on'\nh: No\ni: [x]\n"
                   "j: \"a\\0b\"\nk: |\n  x\nl: >-\n  y\n");
    assert_int_equal(t.result, 0);
    const struct yaml_node *root = t.documents->root;
    assert_null(yaml_get(root, "a"));
    assert_null(yaml_get(root, "b"));
    assert_null(yaml_get(root, "c"));
    assert_null(yaml_get(root, "nothing"));
    assert_null(yaml_get(NULL, "a"));
    assert_string_equal(yaml_text(yaml_get(root, "d")), "null");
    assert_string_equal(yaml_text(yaml_get(root, "e")), "null");
    assert_int_equal(yaml_bool(yaml_get(root, "f"), &b), 0);
    assert_true(b);
    assert_int_equal(yaml_bool(yaml_get(root, "g"), &b), -EINVAL);
    assert_int_equal(yaml_bool(yaml_get(root, "h"), &b), 0);
    assert_false(b);
    assert_int_equal(yaml_bool(NULL, &b), -EINVAL);
    assert_null(yaml_text(yaml_get(root, "i")));
    assert_int_equal(yaml_get(root, "j")->len, 3);
    assert_null(yaml_text(yaml_get(root, "j")));
    assert_string_equal(yaml_text(yaml_get(root, "k")), "x\n");
    assert_int_equal(yaml_get(root, "k")->style, YAML_LITERAL);
    assert_string_equal(yaml_text(yaml_get(root, "l")), "y");
    assert_int_equal(yaml_get(root, "l")->style, YAML_FOLDED);
    tree_done(&t);
}

static void test_documents(void **state)
{
    (void)state;
    struct tree t;
    parse_text(&t, "---\na: 1\n---\n# empty\n---\nb: 2\n...\n");
    assert_int_equal(t.result, 0);
    assert_non_null(yaml_get(t.documents->root, "a"));
    assert_true(yaml_is_null(t.documents->next->root));
    assert_int_equal(t.documents->next->next->root->document, 3);
    assert_null(t.documents->next->next->next);
    tree_done(&t);
    /* What stands before the bad document is kept. */
    parse_text(&t, "a: 1\n---\nb: [\n");
    assert_int_equal(t.result, -EINVAL);
    assert_non_null(yaml_get(t.documents->root, "a"));
    assert_null(t.documents->next);
    assert_int_equal(t.findings.list[0].at.document, 2);
    tree_done(&t);
    parse_text(&t, "");
    assert_int_equal(t.result, 0);
    assert_null(t.documents);
    tree_done(&t);
}

static void test_anchors_and_merge(void **state)
{
    (void)state;
    struct tree t;
    parse_text(&t, "x: &x {a: 1, b: 2}\ny: &y {b: 3, c: 4}\n"
                   "one: {<<: *x, b: 5}\nmany: {d: 6, <<: [*y, *x]}\nlist: [*x, *x]\n"
                   "text: {'<<': 1}\n");
    assert_int_equal(t.result, 0);
    const struct yaml_node *root = t.documents->root, *one = yaml_get(root, "one"),
                           *many = yaml_get(root, "many");
    assert_string_equal(yaml_get(one, "a")->text, "1");
    assert_string_equal(yaml_get(one, "b")->text, "5");
    assert_null(yaml_get(one, "<<"));
    assert_string_equal(yaml_get(many, "a")->text, "1");
    assert_string_equal(yaml_get(many, "b")->text, "3");
    assert_string_equal(yaml_get(many, "c")->text, "4");
    assert_string_equal(yaml_get(many, "d")->text, "6");
    assert_ptr_equal(yaml_get(root, "list")->entries->value, yaml_get(root, "x"));
    assert_string_equal(yaml_get(yaml_get(root, "text"), "<<")->text, "1");
    tree_done(&t);
}

static void test_equal(void **state)
{
    (void)state;
    static const struct {
        const char *text;
        bool equal;
    } cases[] = {
        {"[{a: 1, b: [x, y]}, {b: ['x', \"y\"], a: 1}]", true},
        {"[{a: 1}, {a: 2}]", false},
        {"[{a: 1}, {a: 1, b: 2}]", false},
        {"[{a: 1, b: 2}, {a: 1}]", false},
        {"[[x], [x, x]]", false},
        {"[[x, x], [x]]", false},
        {"[[x], x]", false},
        {"[null, 'null']", false},
    };
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct tree t;
        parse_text(&t, cases[i].text);
        assert_int_equal(t.result, 0);
        const struct yaml_entry *e = t.documents->root->entries;
        assert_int_equal(yaml_equal(e->value, e->next->value), cases[i].equal);
        tree_done(&t);
    }
}

/* Comparing takes quadratic time, which a stranger's mapping does not get. */
static void test_equal_large(void **state)
{
    (void)state;
    for (size_t n = YAML_COMPARED_MAX; n <= YAML_COMPARED_MAX + 1; n++) {
        struct tree t;
        char text[2048] = "- {";
        for (size_t i = 0; i < n; i++)
            snprintf(text + strlen(text), sizeof(text) - strlen(text), "k%zu: 1, ", i);
        strcat(text, "}\n- {");
        for (size_t i = n; i-- > 0;)
            snprintf(text + strlen(text), sizeof(text) - strlen(text), "k%zu: 1, ", i);
        strcat(text, "}\n");
        parse_text(&t, text);
        assert_int_equal(t.result, 0);
        const struct yaml_entry *e = t.documents->root->entries;
        assert_int_equal(yaml_equal(e->value, e->next->value), n <= YAML_COMPARED_MAX);
        tree_done(&t);
    }
}

static const struct bad {
    const char *text;
    unsigned line, column;
    const char *message;
} bad[] = {
    {"a:\n\tb: 1\n", 2, 1, "a tab in the indentation"},
    {"a:\n  b: 1\n \tc: 1\n", 3, 2, "a tab in the indentation"},
    {"a: @x\n", 1, 4, "a value cannot begin with this character"},
    {"a: b: c\n", 1, 5, "a ':' where no key can be"},
    {"a: \"x\nb: 1\n", 3, 1, "the text in quotes does not end"},
    {"a: [1, 2\nb: 3\n", 2, 2, "a ',' or ']' is missing"},
    {"a: {b: 1\n", 2, 1, "a ',' or '}' is missing"},
    {"a:\n  - x\n y: z\n", 3, 2, "a key was expected here"},
    {"a\nb: 1\n", 2, 2, "a ':' where no key can be"},
    {"a: \"\\q\"\n", 1, 5, "no such escape in double quotes"},
    {"a: !x!y z\n", 1, 4, "unknown tag"},
    {"a: *hunter2\n", 1, 4, "this alias names no anchor above it"},
    {"a: &x [*x]\n", 1, 8, "this alias stands inside its own anchor"},
    {"a: {<<: 3}\n", 1, 9, "<< takes a mapping, or a list of mappings"},
    {"a: {<<: [{x: 1}, 3]}\n", 1, 18, "<< takes a mapping, or a list of mappings"},
    {"? [a]\n: b\n", 1, 3, "a key must be text, not a list or a mapping"},
    {"\"a\\0\": b\n", 1, 1, "a key cannot hold a NUL"},
    {"a: \x01\n", 1, 4, "byte 0x01: a control character in the text"},
    {"a: \xc2\x80\n", 1, 4, "byte 0xc2: a control character in the text"},
    {"\n \xff\n", 2, 2, "byte 0xff: this is not UTF-8 text"},
    {"\xe2\x82\xac\xc3(\n", 1, 2, "byte 0xc3: this is not UTF-8 text"},
    {"\xc0\xaf\n", 1, 1, "byte 0xc0: this is not UTF-8 text"},
    {"\xe0\x80\xaf\n", 1, 1, "byte 0xe0: this is not UTF-8 text"},
    {"\xed\xa0\x80\n", 1, 1, "byte 0xed: this is not UTF-8 text"},
    {"\xf5\x80\x80\x80\n", 1, 1, "byte 0xf5: this is not UTF-8 text"},
    {"x\xe2\x82", 1, 2, "byte 0xe2: this is not UTF-8 text"},
};

static void test_bad(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
        struct tree t;
        parse_text(&t, bad[i].text);
        const struct finding *f = t.findings.list;
        if (t.result != -EINVAL || t.findings.n != 1 || strcmp(f->message, bad[i].message) != 0 ||
            f->at.line != bad[i].line || f->at.column != bad[i].column)
            fail_msg("%s\nwanted %u:%u %s, got %d, %u:%u %s", bad[i].text, bad[i].line,
                     bad[i].column, bad[i].message, t.result, f ? f->at.line : 0,
                     f ? f->at.column : 0, f ? f->message : "nothing");
        assert_string_equal(f->id, "TV001");
        assert_string_equal(f->at.file, "t.yaml");
        tree_done(&t);
    }
}

static void test_nul_byte(void **state)
{
    (void)state;
    struct tree t;
    tree_parse(&t, "a: 1\nb: x\0y\n", 12);
    assert_int_equal(t.result, -EINVAL);
    assert_int_equal(t.findings.n, 1);
    assert_string_equal(t.findings.list[0].message, "byte 0x00: a NUL byte in the text");
    assert_int_equal(t.findings.list[0].at.line, 2);
    assert_int_equal(t.findings.list[0].at.column, 5);
    assert_int_equal(t.findings.list[0].at.offset, 9);
    tree_done(&t);
}

static void test_double_keys(void **state)
{
    (void)state;
    struct tree t;
    parse_text(&t, "m:\n  type: a\n  other: b\n  type: c\n  type: d\n");
    assert_int_equal(t.result, -EINVAL);
    assert_int_equal(t.findings.n, 2);
    const struct finding *f = &t.findings.list[0];
    assert_string_equal(f->id, "TV002");
    assert_string_equal(f->message, "the key \"type\" is already there in the same mapping");
    assert_int_equal(f->at.line, 4);
    assert_int_equal(f->at.column, 3);
    assert_string_equal(f->at.yaml_path, "/m");
    assert_int_equal(f->related[0].at.line, 2);
    assert_string_equal(f->related[0].message, "first here");
    assert_int_equal(t.findings.list[1].at.line, 5);
    /* The tree has each key once. */
    assert_string_equal(yaml_get(yaml_get(t.documents->root, "m"), "type")->text, "a");
    tree_done(&t);
}

/* A secret that looks like YAML stays out of every message. */
static void test_secrets(void **state)
{
    (void)state;
    static const char *const texts[] = {"a: *hunter2\n",    "a: &hunter2 [*hunter2]\n",
                                        "a: !hunter2! x\n", "a: @hunter2\n",
                                        "a: \"hunter2\n",   "token: hunter2: x\n"};
    for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++) {
        struct tree t;
        parse_text(&t, texts[i]);
        assert_int_equal(t.result, -EINVAL);
        for (size_t k = 0; k < t.findings.n; k++) {
            assert_null(strstr(t.findings.list[k].message, "hunter2"));
            if (t.findings.list[k].help)
                assert_null(strstr(t.findings.list[k].help, "hunter2"));
        }
        tree_done(&t);
    }
}

static char *repeat(const char *unit, size_t n, size_t *ret_len)
{
    size_t len = strlen(unit);
    char *text = malloc(n * len + 1);
    assert_non_null(text);
    for (size_t i = 0; i < n; i++)
        memcpy(text + i * len, unit, len);
    text[n * len] = '\0';
    *ret_len = n * len;
    return text;
}

static void refuse(const char *text, size_t len, unsigned line, unsigned column,
                   const char *message)
{
    struct tree t;
    tree_parse(&t, text, len);
    assert_int_equal(t.result, -EINVAL);
    assert_int_equal(t.findings.n, 1);
    assert_string_equal(t.findings.list[0].message, message);
    assert_int_equal(t.findings.list[0].at.line, line);
    assert_int_equal(t.findings.list[0].at.column, column);
    tree_done(&t);
}

static void test_bounds(void **state)
{
    (void)state;
    size_t len;
    char *text = repeat("[", 1000000, &len);
    refuse(text, len, 1, YAML_DEPTH_MAX + 1, "nested too deeply");
    free(text);
    text = repeat("- a\n", 2500000, &len);
    refuse(text, len, YAML_NODES_MAX, 3, "too many values in one file");
    free(text);
    text = repeat("---\n", 1000000, &len);
    refuse(text, len, YAML_NODES_MAX + 2, 1, "too many values in one file");
    free(text);
    text = repeat("- &a x\n", 600, &len);
    refuse(text, len, YAML_ANCHORS_MAX + 1, 3, "too many anchors in one document");
    free(text);
}

/* Many findings below a long key must not multiply it. */
static void test_long_path(void **state)
{
    (void)state;
    struct tree t;
    char text[6000] = "";
    memset(text, 'k', 5000);
    /* Before a ':' on its own line a key may have any length. */
    memcpy(text, "? ", 2);
    strcat(text, "\n: {a: 1, a: 2}\n");
    parse_text(&t, text);
    assert_int_equal(t.result, -EINVAL);
    assert_int_equal(t.findings.n, 1);
    assert_string_equal(t.findings.list[0].id, "TV002");
    assert_null(t.findings.list[0].at.yaml_path);
    tree_done(&t);
}

static void test_alias_bomb(void **state)
{
    (void)state;
    char text[2000];
    size_t len = (size_t)snprintf(text, sizeof(text), "- &a0 [x,x,x,x,x,x,x,x,x,x]\n");
    for (unsigned i = 1; i < 12; i++) {
        len += (size_t)snprintf(text + len, sizeof(text) - len, "- &a%u [", i);
        for (unsigned k = 0; k < 10; k++)
            len += (size_t)snprintf(text + len, sizeof(text) - len, "*a%u,", i - 1);
        len += (size_t)snprintf(text + len, sizeof(text) - len, "]\n");
    }
    refuse(text, len, 6, 8, "too many values in one file");
    /* The same by depth instead of number. */
    len = (size_t)snprintf(text, sizeof(text), "- &a0 x\n");
    for (unsigned i = 1; i < 70; i++)
        len += (size_t)snprintf(text + len, sizeof(text) - len, "- &a%u [*a%u]\n", i, i - 1);
    refuse(text, len, 64, 9, "nested too deeply");
}

static void test_large(void **state)
{
    (void)state;
    struct tree t;
    size_t len;
    char *text = repeat("x", 10000000, &len);
    memcpy(text, "a: ", 3);
    tree_parse(&t, text, len);
    assert_int_equal(t.result, 0);
    assert_int_equal(yaml_get(t.documents->root, "a")->len, len - 3);
    tree_done(&t);
    free(text);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_positions),
        cmocka_unit_test(test_bom_crlf_wide),
        cmocka_unit_test(test_offsets_of_long_text),
        cmocka_unit_test(test_scalars),
        cmocka_unit_test(test_documents),
        cmocka_unit_test(test_anchors_and_merge),
        cmocka_unit_test(test_equal),
        cmocka_unit_test(test_equal_large),
        cmocka_unit_test(test_bad),
        cmocka_unit_test(test_nul_byte),
        cmocka_unit_test(test_double_keys),
        cmocka_unit_test(test_secrets),
        cmocka_unit_test(test_bounds),
        cmocka_unit_test(test_long_path),
        cmocka_unit_test(test_alias_bomb),
        cmocka_unit_test(test_large),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
