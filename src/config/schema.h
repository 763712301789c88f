/* SPDX-License-Identifier: MIT */
/* Which keys a mapping may have, and of what type: one table per mapping. The check reports all
 * that is wrong with the structure; who reads the values afterwards just skips what is not
 * there or not of its type. */
#ifndef TALOSVIP_CONFIG_SCHEMA_H
#define TALOSVIP_CONFIG_SCHEMA_H

#include "yaml.h"

enum schema_type {
    SCHEMA_ANY,
    SCHEMA_TEXT,
    SCHEMA_BOOL,
    SCHEMA_UINT,     /* min to max */
    SCHEMA_DURATION, /* min to max microseconds */
    SCHEMA_WORD,     /* one of `words` */
    SCHEMA_MAP       /* `child` */
};

enum schema_unknown {
    SCHEMA_CLOSED, /* an unknown key is an error */
    SCHEMA_KNOWN,  /* a warning: Talos knows no other key, or a newer one does */
    SCHEMA_OPEN    /* most keys are none of our business */
};

struct schema_key {
    const char *name;
    enum schema_type type;
    bool list;     /* a list of such values */
    bool required; /* and not empty */
    const struct schema *child;
    const char *const *words; /* NULL-terminated */
    uint64_t min, max;
};

struct schema {
    const char *name; /* of the mapping when it is the root of a document */
    enum schema_unknown unknown;
    const struct schema_key *keys;
    size_t n_keys;
};

extern const struct schema schema_machine_config; /* Talos v1alpha1, as far as VIPs go */
extern const struct schema schema_layer2_vip;
extern const struct schema schema_hcloud_vip;
extern const struct schema schema_link_alias;
extern const struct schema schema_agent;

/* Checks a whole mapping and all below that the tables know. */
void schema_check(const struct schema *schema, const struct yaml_node *node,
                  struct findings *findings);
/* The word of a NULL-terminated list that `text` probably means, or NULL. */
const char *schema_suggest(const char *text, const char *const *words);

#endif
