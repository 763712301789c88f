/* SPDX-License-Identifier: MIT */
#include "yaml.h"

#include <errno.h>
#include <string.h>

struct yaml_node *yaml_get(const struct yaml_node *map, const char *key)
{
    if (!map || map->kind != YAML_MAPPING)
        return NULL;
    size_t len = strlen(key);
    for (const struct yaml_entry *e = map->entries; e; e = e->next)
        if (e->key->len == len && memcmp(e->key->text, key, len) == 0)
            return yaml_is_null(e->value) ? NULL : e->value;
    return NULL;
}

bool yaml_is_null(const struct yaml_node *node)
{
    static const char *const words[] = {"", "~", "null", "Null", "NULL"};
    if (node->kind != YAML_SCALAR || node->style != YAML_PLAIN || node->tag)
        return false;
    for (size_t i = 0; i < sizeof(words) / sizeof(words[0]); i++)
        if (strcmp(node->text, words[i]) == 0)
            return true;
    return false;
}

const char *yaml_text(const struct yaml_node *node)
{
    if (!node || node->kind != YAML_SCALAR || yaml_is_null(node) || strlen(node->text) != node->len)
        return NULL;
    return node->text;
}

const struct yaml_node *yaml_scalar_at(const struct yaml_node *scalar, size_t offset)
{
    while (scalar && scalar->end.offset <= offset)
        scalar = scalar->next_scalar;
    return scalar;
}

int yaml_bool(const struct yaml_node *node, bool *ret_value)
{
    static const char *const words[][2] = {
        {"false", "true"}, {"False", "True"}, {"FALSE", "TRUE"}, {"no", "yes"},
        {"No", "Yes"},     {"NO", "YES"},     {"off", "on"},     {"Off", "On"},
        {"OFF", "ON"},     {"n", "y"},        {"N", "Y"},
    };
    if (!node || node->kind != YAML_SCALAR || node->style != YAML_PLAIN)
        return -EINVAL;
    for (size_t i = 0; i < sizeof(words) / sizeof(words[0]); i++)
        for (size_t value = 0; value < 2; value++)
            if (strcmp(node->text, words[i][value]) == 0) {
                *ret_value = value == 1;
                return 0;
            }
    return -EINVAL;
}

static bool equal_sequences(const struct yaml_node *a, const struct yaml_node *b)
{
    const struct yaml_entry *x = a->entries, *y = b->entries;
    for (; x && y; x = x->next, y = y->next)
        if (!yaml_equal(x->value, y->value))
            return false;
    return !x && !y;
}

static bool equal_mappings(const struct yaml_node *a, const struct yaml_node *b)
{
    size_t left = 0;
    for (const struct yaml_entry *e = b->entries; e; e = e->next)
        left++;
    if (left > YAML_COMPARED_MAX)
        return false;
    for (const struct yaml_entry *e = a->entries; e; e = e->next, left--) {
        const struct yaml_entry *other = b->entries;
        while (other && !yaml_equal(other->key, e->key))
            other = other->next;
        if (left == 0 || !other || !yaml_equal(other->value, e->value))
            return false;
    }
    return left == 0;
}

bool yaml_equal(const struct yaml_node *a, const struct yaml_node *b)
{
    if (a == b)
        return true;
    if (a->kind != b->kind)
        return false;
    if (a->kind == YAML_SEQUENCE)
        return equal_sequences(a, b);
    if (a->kind == YAML_MAPPING)
        return equal_mappings(a, b);
    return yaml_is_null(a) == yaml_is_null(b) && a->len == b->len &&
           memcmp(a->text, b->text, a->len) == 0;
}

const char *yaml_kind_name(const struct yaml_node *node)
{
    if (node->kind == YAML_MAPPING)
        return "a mapping";
    if (node->kind == YAML_SEQUENCE)
        return "a list";
    return yaml_is_null(node) ? "empty" : "text";
}
