/* SPDX-License-Identifier: MIT */
#include "setting.h"

#include "base/buf.h"
#include "base/parse.h"

struct setting setting_of(const struct yaml_node *map, const struct yaml_step *path,
                          const char *key)
{
    return (struct setting){yaml_get(map, key), {path, key, 0}};
}

const char *setting_text(struct load *load, const struct yaml_node *map, const char *key)
{
    const char *text = yaml_text(yaml_get(map, key));
    return text && *text ? arena_strdup(load->config->arena, text) : NULL;
}

uint64_t setting_duration(const struct yaml_node *map, const char *key, uint64_t unset)
{
    const char *text = yaml_text(yaml_get(map, key));
    uint64_t us = unset;
    return text && parse_duration(text, &us) == 0 ? us : unset;
}

unsigned setting_count(const struct yaml_node *map, const char *key, unsigned unset)
{
    const char *text = yaml_text(yaml_get(map, key));
    uint64_t n;
    return text && parse_u64(text, &n) == 0 && n <= 100 ? (unsigned)n : unset;
}

const struct yaml_entry *setting_items(const struct yaml_node *list, size_t *ret_n)
{
    *ret_n = 0;
    if (!list || list->kind != YAML_SEQUENCE)
        return NULL;
    for (const struct yaml_entry *e = list->entries; e; e = e->next)
        ++*ret_n;
    return list->entries;
}

void setting_wrong(struct load *load, const struct yaml_node *node, const struct yaml_step *step,
                   bool show, const char *what, const char *why)
{
    struct buf text;
    buf_init(&text, 0);
    if (show)
        report_quote(node->text, node->len, &text);
    report_add(load->findings, "TV103", node, step, "%s%s%s: %s", buf_str(&text),
               show ? " is not " : "not ", what, why);
    report_text_done(load->findings, &text);
}

bool setting_too_many(struct load *load, const struct setting *list, size_t n, size_t max)
{
    if (n <= max)
        return false;
    report_add(load->findings, "TV103", list->node, &list->step, "more than %zu items", max);
    return true;
}
