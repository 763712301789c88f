/* SPDX-License-Identifier: MIT */
/* Reads single settings out of a mapping that the schema has checked. */
#ifndef TALOSVIP_CONFIG_SETTING_H
#define TALOSVIP_CONFIG_SETTING_H

#include "load.h"

/* A key below a mapping. */
struct setting {
    const struct yaml_node *node; /* NULL: not set */
    struct yaml_step step;
};

/* `map` may be NULL; `path` must outlive the result. */
struct setting setting_of(const struct yaml_node *map, const struct yaml_step *path,
                          const char *key);
/* In the config's arena; NULL when it is not set, or empty, or no text. */
const char *setting_text(struct load *load, const struct yaml_node *map, const char *key);
/* Microseconds, or `unset`. */
uint64_t setting_duration(const struct yaml_node *map, const char *key, uint64_t unset);
/* Up to 100, or `unset`. */
unsigned setting_count(const struct yaml_node *map, const char *key, unsigned unset);
/* The items of a list; NULL and 0 when it is none. Takes NULL. */
const struct yaml_entry *setting_items(const struct yaml_node *list, size_t *ret_n);
/* TV103 when a list of `n` is longer than `max`, and true then. */
bool setting_too_many(struct load *load, const struct setting *list, size_t n, size_t max);
/* TV103: `"text" is not <what>: <why>`, without the text unless `show`. */
void setting_wrong(struct load *load, const struct yaml_node *node, const struct yaml_step *step,
                   bool show, const char *what, const char *why);

#endif
