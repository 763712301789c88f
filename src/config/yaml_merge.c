/* SPDX-License-Identifier: MIT */
#include "yaml_parse.h"

#include "base/buf.h"
#include "report.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

/* One entry of a mapping, its own ones first, then what << brings, nearest first. */
struct candidate {
    struct yaml_node *key, *value;
    size_t order;
    bool merged, dropped;
};

struct candidates {
    struct candidate *list;
    size_t n;
};

static bool is_merge(const struct yaml_entry *entry)
{
    const struct yaml_node *key = entry->key;
    return key->kind == YAML_SCALAR && key->style == YAML_PLAIN && !key->tag &&
           strcmp(key->text, "<<") == 0;
}

static size_t entry_count(const struct yaml_node *map)
{
    size_t n = 0;
    for (const struct yaml_entry *e = map->entries; e; e = e->next)
        n++;
    return n;
}

static int refuse_merge(struct yaml_parse *parse, const struct yaml_node *node)
{
    parse->invalid = true;
    yaml_parse_report(parse, "TV001", node, "<< takes a mapping, or a list of mappings");
    return 0;
}

/* How many entries << brings; a wrong one is reported once, here. */
static int merge_count(struct yaml_parse *parse, const struct yaml_node *value, size_t *n)
{
    if (value->kind == YAML_SCALAR)
        return refuse_merge(parse, value);
    size_t before = *n;
    if (value->kind == YAML_MAPPING) {
        *n += entry_count(value);
    } else {
        for (const struct yaml_entry *e = value->entries; e; e = e->next) {
            if (e->value->kind != YAML_MAPPING)
                return refuse_merge(parse, e->value);
            *n += entry_count(e->value);
        }
    }
    return yaml_parse_count(parse, value, *n - before);
}

static void candidate_add(struct candidates *c, const struct yaml_entry *entry, bool merged)
{
    c->list[c->n] = (struct candidate){entry->key, entry->value, c->n, merged, false};
    c->n++;
}

static void merge_collect(struct candidates *c, const struct yaml_node *value)
{
    if (value->kind == YAML_MAPPING)
        for (const struct yaml_entry *e = value->entries; e; e = e->next)
            candidate_add(c, e, true);
    else if (value->kind == YAML_SEQUENCE)
        for (const struct yaml_entry *e = value->entries; e && e->value->kind == YAML_MAPPING;
             e = e->next)
            merge_collect(c, e->value);
}

static int compare(const void *a, const void *b)
{
    const struct candidate *x = *(struct candidate *const *)a, *y = *(struct candidate *const *)b;
    size_t len = x->key->len < y->key->len ? x->key->len : y->key->len;
    int r = memcmp(x->key->text, y->key->text, len);
    if (r == 0 && x->key->len != y->key->len)
        r = x->key->len < y->key->len ? -1 : 1;
    return r != 0 ? r : x->order < y->order ? -1 : 1;
}

static bool same_key(const struct candidate *a, const struct candidate *b)
{
    return a->key->len == b->key->len && memcmp(a->key->text, b->key->text, a->key->len) == 0;
}

static void refuse_double(struct yaml_parse *parse, const struct candidate *first,
                          const struct candidate *again)
{
    parse->invalid = true;
    struct buf message;
    buf_init(&message, 0);
    buf_puts(&message, "the key ");
    report_quote(again->key->text, again->key->len, &message);
    buf_puts(&message, " is already there in the same mapping");
    struct finding *f = yaml_parse_report(parse, "TV002", again->key, buf_str(&message));
    report_text_done(parse->findings, &message);
    struct finding_place at = report_place(first->key, NULL);
    finding_add_related(parse->findings, f, &at, "first here");
    finding_set_help(parse->findings, f, "keep one of the two, or merge their contents");
}

/* Of equal keys the first stays: a mapping's own beats what << brings. */
static int drop_doubles(struct yaml_parse *parse, struct candidates *c)
{
    struct candidate **sorted = calloc(c->n, sizeof(struct candidate *));
    if (!sorted)
        return -ENOMEM;
    for (size_t i = 0; i < c->n; i++)
        sorted[i] = &c->list[i];
    qsort(sorted, c->n, sizeof(struct candidate *), compare);
    for (size_t i = 1, first = 0; i < c->n; i++) {
        if (!same_key(sorted[first], sorted[i])) {
            first = i;
            continue;
        }
        sorted[i]->dropped = true;
        if (!sorted[i]->merged)
            refuse_double(parse, sorted[first], sorted[i]);
    }
    free(sorted);
    return 0;
}

static int rebuild(struct yaml_parse *parse, struct yaml_node *map, const struct candidates *c)
{
    struct yaml_entry *first = NULL, **tail = &first;
    for (size_t i = 0; i < c->n; i++) {
        if (c->list[i].dropped)
            continue;
        struct yaml_entry *entry = arena_alloc(parse->arena, sizeof(*entry));
        if (!entry)
            return -ENOMEM;
        entry->key = c->list[i].key;
        entry->value = c->list[i].value;
        *tail = entry;
        tail = &entry->next;
    }
    /* Weight and height stay: what << named is counted in them. */
    map->entries = first;
    return 0;
}

int yaml_parse_finish_mapping(struct yaml_parse *parse, struct yaml_node *map, size_t n)
{
    bool merges = false;
    for (struct yaml_entry *e = map->entries; e; e = e->next) {
        if (!is_merge(e))
            continue;
        merges = true;
        int r = merge_count(parse, e->value, &n);
        if (r < 0)
            return r;
    }
    if (n < 2 && !merges)
        return 0;
    struct candidates c = {.list = calloc(n ? n : 1, sizeof(struct candidate))};
    if (!c.list)
        return -ENOMEM;
    for (struct yaml_entry *e = map->entries; e; e = e->next)
        if (!is_merge(e))
            candidate_add(&c, e, false);
    for (struct yaml_entry *e = map->entries; e; e = e->next)
        if (is_merge(e))
            merge_collect(&c, e->value);
    int r = c.n > 1 ? drop_doubles(parse, &c) : 0;
    if (r == 0 && merges)
        r = rebuild(parse, map, &c);
    free(c.list);
    return r;
}
