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
    SCHEMA_LOOSE,  /* an error when strict, or when it is a key that leads to VIPs, misspelt */
    SCHEMA_OPEN    /* most keys are none of our business */
};

struct schema_key {
    const char *name;
    enum schema_type type;
    bool list;     /* a list of such values */
    bool required; /* and not empty */
    bool leads;    /* to VIPs: see SCHEMA_LOOSE */
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
extern const struct schema schema_client; /* ClientConfig */

/* Talos documents in full, for those who check and do not only read. */
extern const struct schema schema_full_machine_config;
/* By kind, of apiVersion v1alpha1. False: Talos up to 1.14 has no such kind. The schema is NULL
 * where the keys are none of our business. */
bool schema_full_find(const char *kind, const struct schema **ret_schema);
/* A kind that `text` probably means, or NULL. */
const char *schema_full_suggest(const char *text);

/* Checks a whole mapping and all below that the tables know. */
void schema_check(const struct schema *schema, const struct yaml_node *node,
                  struct findings *findings);
/* The same, and takes what only patches have ("$patch"). */
void schema_validate(const struct schema *schema, const struct yaml_node *node, bool is_strict,
                     struct findings *findings);
/* The word of a NULL-terminated list that `text` probably means, or NULL. */
const char *schema_suggest(const char *text, const char *const *words);

#endif
