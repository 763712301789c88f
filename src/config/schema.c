/* SPDX-License-Identifier: MIT */
#include "schema.h"

#include "base/buf.h"
#include "base/parse.h"
#include "report.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>

/* Remembers the word nearest to a text. */
struct guess {
    const char *text, *word;
    size_t best; /* the distance it must stay under */
};

static struct guess guess_for(const char *text)
{
    size_t len = strlen(text);
    return (struct guess){.text = text, .best = (len < 4 ? 1 : len < 8 ? 2 : 3) + 1};
}

static void guess_try(struct guess *guess, const char *word)
{
    size_t d = strcasecmp(guess->text, word) == 0 ? 0 : parse_distance(guess->text, word);
    if (*word && d < guess->best) {
        guess->word = word;
        guess->best = d;
    }
}

const char *schema_suggest(const char *text, const char *const *words)
{
    struct guess guess = guess_for(text);
    for (; *words; words++)
        guess_try(&guess, *words);
    return guess.word;
}

static const struct schema_key *key_find(const struct schema *schema, const char *name)
{
    for (size_t i = 0; i < schema->n_keys; i++)
        if (strcmp(schema->keys[i].name, name) == 0)
            return &schema->keys[i];
    return NULL;
}

/* What a walk needs everywhere. */
struct walk {
    struct findings *findings;
    const char *root; /* what the document is called */
    bool is_full, is_strict;
};

static const struct schema_key *guess_key(const struct schema *schema, const char *text)
{
    struct guess guess = guess_for(text);
    for (size_t i = 0; i < schema->n_keys; i++)
        guess_try(&guess, schema->keys[i].name);
    return guess.word ? key_find(schema, guess.word) : NULL;
}

/* Whether an unknown key is to be reported at all. */
static bool is_wanted(const struct walk *w, const struct schema *schema, const char *name,
                      const struct schema_key *guess)
{
    if (schema->unknown == SCHEMA_OPEN || (w->is_full && strcmp(name, "$patch") == 0))
        return false;
    return schema->unknown != SCHEMA_LOOSE || w->is_strict || (guess && guess->leads);
}

static void unknown_key(const struct walk *w, const struct schema *schema,
                        const struct yaml_node *key, const struct yaml_step *step)
{
    const struct schema_key *guess = guess_key(schema, key->text);
    if (!is_wanted(w, schema, key->text, guess))
        return;
    struct buf text, where;
    buf_init(&text, 0);
    buf_init(&where, 0);
    report_quote(key->text, key->len, &text);
    report_words(step->up, w->root, &where);
    struct finding *f = report_add(w->findings, "TV102", key, step, "unknown key %s in %s",
                                   buf_str(&text), buf_str(&where));
    if (guess)
        finding_set_suggestion(w->findings, f, guess->name);
    if (w->is_full)
        finding_set_why(w->findings, f, "Talos rejects the whole file for an unknown key");
    if (schema->unknown == SCHEMA_KNOWN)
        finding_set_severity(w->findings, f, SEVERITY_WARNING);
    report_text_done(w->findings, &text);
    report_text_done(w->findings, &where);
}

static struct finding *wrong(const struct walk *w, const struct yaml_node *node,
                             const struct yaml_step *step, const char *what)
{
    struct buf where;
    buf_init(&where, 0);
    report_words(step, w->root, &where);
    struct finding *f =
        report_add(w->findings, "TV103", node, step, "%s: %s", buf_str(&where), what);
    report_text_done(w->findings, &where);
    return f;
}

static void wrong_kind(const struct walk *w, const struct yaml_node *node,
                       const struct yaml_step *step, const char *wanted)
{
    char what[96];
    snprintf(what, sizeof(what), "this must be %s, not %s", wanted, yaml_kind_name(node));
    wrong(w, node, step, what);
}

static struct finding *wrong_value(const struct walk *w, const struct yaml_node *node,
                                   const struct yaml_step *step, const char *why)
{
    struct buf what;
    buf_init(&what, 0);
    report_quote(node->text, node->len, &what);
    buf_printf(&what, " %s", why);
    struct finding *f = wrong(w, node, step, buf_str(&what));
    report_text_done(w->findings, &what);
    return f;
}

static void check_uint(const struct walk *w, const struct schema_key *key,
                       const struct yaml_node *node, const struct yaml_step *step)
{
    uint64_t n;
    char why[80];
    /* 0x5dc and 1_500 are numbers, too, and nobody writes them. */
    if (w->is_full && (strchr(node->text, '_') || (node->text[0] == '0' && node->len > 1)))
        return;
    if (parse_u64(node->text, &n) == 0 && n >= key->min && n <= key->max &&
        (node->text[0] != '0' || node->len == 1))
        return;
    snprintf(why, sizeof(why), "is not a whole number from %" PRIu64 " to %" PRIu64, key->min,
             key->max);
    wrong_value(w, node, step, why);
}

static void check_duration(const struct walk *w, const struct schema_key *key,
                           const struct yaml_node *node, const struct yaml_step *step)
{
    uint64_t us;
    char min[DURATION_TEXT_MAX], max[DURATION_TEXT_MAX], why[32 + 2 * DURATION_TEXT_MAX];
    int r = parse_duration(node->text, &us);
    if (r == -EINVAL) {
        struct finding *f = wrong_value(w, node, step, "is not a duration");
        finding_set_help(w->findings, f, "write it like 5s, 1500ms or 1m30s");
    } else if (r < 0 || us < key->min || us > key->max) {
        duration_format(key->min, min);
        duration_format(key->max, max);
        snprintf(why, sizeof(why), "is not between %s and %s", min, max);
        wrong_value(w, node, step, why);
    }
}

static void check_word(const struct walk *w, const struct schema_key *key,
                       const struct yaml_node *node, const struct yaml_step *step)
{
    struct buf why;
    buf_init(&why, 0);
    buf_puts(&why, "is none of");
    for (const char *const *word = key->words; *word; word++) {
        if (strcmp(*word, node->text) == 0) {
            report_text_done(w->findings, &why);
            return;
        }
        if (**word)
            buf_printf(&why, "%s %s", word == key->words ? "" : ",", *word);
    }
    struct finding *f = wrong_value(w, node, step, buf_str(&why));
    const char *suggestion = schema_suggest(node->text, key->words);
    if (suggestion)
        finding_set_suggestion(w->findings, f, suggestion);
    report_text_done(w->findings, &why);
}

static void check_map(const struct walk *w, const struct schema *schema,
                      const struct yaml_node *node, const struct yaml_step *step);

static void check_value(const struct walk *w, const struct schema_key *key,
                        const struct yaml_node *node, const struct yaml_step *step)
{
    static const char *const wanted[] = {[SCHEMA_TEXT] = "text",
                                         [SCHEMA_BOOL] = "true or false",
                                         [SCHEMA_UINT] = "a number",
                                         [SCHEMA_DURATION] = "a duration such as 5s",
                                         [SCHEMA_WORD] = "a single word"};
    bool value;
    if (key->type == SCHEMA_MAP) {
        check_map(w, key->child, node, step);
        return;
    }
    if (key->type == SCHEMA_ANY)
        return;
    if (node->kind != YAML_SCALAR) {
        wrong_kind(w, node, step, wanted[key->type]);
        return;
    }
    if (strlen(node->text) != node->len)
        wrong(w, node, step, "a NUL in the text");
    else if (key->type == SCHEMA_BOOL && yaml_bool(node, &value) < 0)
        wrong_value(w, node, step, "is neither true nor false");
    else if (key->type == SCHEMA_UINT)
        check_uint(w, key, node, step);
    else if (key->type == SCHEMA_DURATION)
        check_duration(w, key, node, step);
    else if (key->type == SCHEMA_WORD)
        check_word(w, key, node, step);
}

static void check_list(const struct walk *w, const struct schema_key *key,
                       const struct yaml_node *node, const struct yaml_step *step)
{
    if (node->kind != YAML_SEQUENCE) {
        wrong_kind(w, node, step, "a list");
        return;
    }
    struct yaml_step item = {step, NULL, 0};
    for (const struct yaml_entry *e = node->entries; e; e = e->next, item.index++) {
        if (yaml_is_null(e->value))
            wrong(w, e->value, &item, "an empty item");
        else
            check_value(w, key, e->value, &item);
    }
}

static bool is_empty(const struct yaml_node *node)
{
    return !node || (node->kind == YAML_SCALAR ? node->len == 0 : !node->entries);
}

static void check_required(const struct walk *w, const struct schema *schema,
                           const struct yaml_node *node, const struct yaml_step *step)
{
    struct buf where;
    buf_init(&where, 0);
    report_words(step, w->root, &where);
    for (size_t i = 0; i < schema->n_keys; i++) {
        const struct schema_key *key = &schema->keys[i];
        if (key->required && is_empty(yaml_get(node, key->name)))
            report_add(w->findings, "TV104", node, step, "\"%s\" is missing or empty in %s",
                       key->name, buf_str(&where));
    }
    report_text_done(w->findings, &where);
}

static void check_map(const struct walk *w, const struct schema *schema,
                      const struct yaml_node *node, const struct yaml_step *step)
{
    if (node->kind != YAML_MAPPING) {
        wrong_kind(w, node, step, "a mapping");
        return;
    }
    for (const struct yaml_entry *e = node->entries; e; e = e->next) {
        const struct schema_key *key = key_find(schema, e->key->text);
        struct yaml_step below = {step, e->key->text, 0};
        if (!key) {
            unknown_key(w, schema, e->key, &below);
        } else if (!yaml_is_null(e->value)) {
            if (key->list)
                check_list(w, key, e->value, &below);
            else
                check_value(w, key, e->value, &below);
        }
    }
    check_required(w, schema, node, step);
}

void schema_check(const struct schema *schema, const struct yaml_node *node,
                  struct findings *findings)
{
    struct walk w = {findings, schema->name, false, false};
    check_map(&w, schema, node, NULL);
}

void schema_validate(const struct schema *schema, const struct yaml_node *node, bool is_strict,
                     struct findings *findings)
{
    struct walk w = {findings, schema->name, true, is_strict};
    check_map(&w, schema, node, NULL);
}
