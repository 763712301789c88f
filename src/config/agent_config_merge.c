/* SPDX-License-Identifier: MIT */
/* Several AgentConfig documents become one: what only one of them says holds, and what two say
 * must be the same. */
#include "agent_config.h"

#include "schema.h"

#include <string.h>

static void report_conflict(struct load *load, const struct yaml_node *first,
                            const struct yaml_node *again, const struct yaml_step *path)
{
    struct finding *f = report_add(load->findings, "TV301", again, path,
                                   "\"%s\" is set twice, and not to the same", path->key);
    struct finding_place at = report_place(first, NULL);
    finding_add_related(load->findings, f, &at, "first here");
}

static bool entry_add(struct load *load, struct yaml_entry ***tail, const char *key,
                      const struct yaml_node *value)
{
    struct yaml_entry *entry = arena_alloc(load->arena, sizeof(*entry));
    struct yaml_node *name = arena_alloc(load->arena, sizeof(*name));
    struct yaml_node *copy = arena_alloc(load->arena, sizeof(*copy));
    if (!entry || !name || !copy)
        return false;
    *copy = *value;
    name->text = key;
    name->len = strlen(key);
    entry->key = name;
    entry->value = copy;
    **tail = entry;
    *tail = &entry->next;
    return true;
}

/* Never NULL: without memory, which sticks in the arena, it is `a`. */
static const struct yaml_node *merge(struct load *load, const struct schema *schema,
                                     const struct yaml_node *a, const struct yaml_node *b,
                                     const struct yaml_step *path)
{
    struct yaml_node *merged = arena_alloc(load->arena, sizeof(*merged));
    if (!merged)
        return a;
    *merged = *a;
    merged->entries = NULL;
    struct yaml_entry **tail = &merged->entries;
    for (size_t i = 0; i < schema->n_keys; i++) {
        const struct schema_key *key = &schema->keys[i];
        struct yaml_step step = {path, key->name, 0};
        const struct yaml_node *x = yaml_get(a, key->name), *y = yaml_get(b, key->name);
        const struct yaml_node *value = x ? x : y;
        bool maps = x && y && key->type == SCHEMA_MAP && !key->list && x->kind == YAML_MAPPING &&
                    y->kind == YAML_MAPPING;
        /* VIPs add up instead; they are read from their own document. */
        if (!value || (!path && strcmp(key->name, "vips") == 0))
            continue;
        if (maps)
            value = merge(load, key->child, x, y, &step);
        else if (x && y && !yaml_equal(x, y))
            report_conflict(load, x, y, &step);
        if (!entry_add(load, &tail, key->name, value))
            return a;
    }
    return merged;
}

void agent_config_document(struct load *load, const struct yaml_node *root)
{
    schema_check(&schema_agent, root, load->findings);
    agent_config_vips(load, root);
    load->agent = load->agent ? merge(load, &schema_agent, load->agent, root, NULL) : root;
}
