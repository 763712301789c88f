/* SPDX-License-Identifier: MIT */
/* Shared by the files that build a tree. */
#ifndef TALOSVIP_CONFIG_YAML_PARSE_H
#define TALOSVIP_CONFIG_YAML_PARSE_H

#include "yaml_source.h"

struct yaml_anchor {
    const char *name;
    struct yaml_node *node; /* NULL while it is still being built */
    struct yaml_anchor *next;
};

/* A collection that is being built. */
struct yaml_frame {
    struct yaml_node *node;
    struct yaml_node *key;    /* the next value's; NULL while a key is awaited */
    struct yaml_entry **tail; /* where the next entry goes */
    struct yaml_anchor *anchor;
    size_t n;     /* entries so far */
    bool skipped; /* the value of a key that was refused comes next */
};

struct yaml_parse {
    struct yaml_source source;
    struct arena *arena;
    struct findings *findings;
    struct yaml_frame stack[YAML_DEPTH_MAX];
    unsigned depth;
    unsigned document;
    struct yaml_anchor *anchors;
    size_t n_anchors, n_nodes;
    struct yaml_node *root;
    struct yaml_node *scalars, **scalars_tail;
    bool invalid; /* a finding was made, and the parsing went on */
};

/* A finding at a node (of TV001 or TV002); the path comes from the stack. */
struct finding *yaml_parse_report(struct yaml_parse *parse, const char *id,
                                  const struct yaml_node *node, const char *text);
/* Counts nodes. 0, or -EINVAL with a finding when there are too many. */
int yaml_parse_count(struct yaml_parse *parse, const struct yaml_node *node, size_t n);
/* Refuses double keys and resolves << in the mapping on top of the stack. 0, -EINVAL, -ENOMEM. */
int yaml_parse_finish_mapping(struct yaml_parse *parse, struct yaml_node *map, size_t n);

#endif
