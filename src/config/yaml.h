/* SPDX-License-Identifier: MIT */
/* YAML text to a bounded tree with positions. The only door to libyaml. Anchors, aliases and
 * merge keys are resolved; a node may therefore have several parents, but never itself below. */
#ifndef TALOSVIP_CONFIG_YAML_H
#define TALOSVIP_CONFIG_YAML_H

#include "arena.h"
#include "config/finding.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define YAML_DEPTH_MAX 64
#define YAML_NODES_MAX 200000 /* of one file, each alias counted as often as it is used */
#define YAML_ANCHORS_MAX 512  /* of one document */

enum yaml_kind { YAML_SCALAR, YAML_SEQUENCE, YAML_MAPPING };
enum yaml_style { YAML_PLAIN, YAML_SINGLE_QUOTED, YAML_DOUBLE_QUOTED, YAML_LITERAL, YAML_FOLDED };

struct yaml_mark {
    unsigned line, column; /* from 1; columns are characters */
    size_t offset;         /* bytes from 0 */
};

struct yaml_entry {
    struct yaml_node *key; /* NULL in a sequence */
    struct yaml_node *value;
    struct yaml_entry *next;
};

struct yaml_node {
    enum yaml_kind kind;
    enum yaml_style style; /* of a scalar */
    unsigned document;     /* from 1 */
    unsigned height;       /* levels below */
    size_t weight;         /* nodes below, this one included */
    const char *file;
    const char *tag;  /* explicit one, or NULL */
    const char *text; /* of a scalar; NUL behind */
    size_t len;
    struct yaml_entry *entries; /* of a collection, in the order of the file */
    struct yaml_mark start, end;
    struct yaml_node *next_scalar; /* in the file, whatever it belongs to */
};

struct yaml_document {
    struct yaml_node *root; /* never NULL; an empty document is a null scalar */
    struct yaml_document *next;
};

/* One step of the way from a document's root to a node; lives on the stack of who walks. */
struct yaml_step {
    const struct yaml_step *up; /* NULL: the root is one level up */
    const char *key;            /* NULL: `index` */
    size_t index;
};

/* Parses all documents of a file. The tree, and a copy of `name`, live in `arena`.
 * 0; -EINVAL with a finding, the documents before the bad one, and all scalars before the mistake
 * (NULL: nobody asks for them); -ENOMEM. */
int yaml_parse(const char *name, const char *bytes, size_t len, struct arena *arena,
               struct findings *findings, struct yaml_document **ret_documents,
               const struct yaml_node **ret_scalars);

/* The value of a key; NULL when it is not there or null, or `map` is no mapping or NULL. */
struct yaml_node *yaml_get(const struct yaml_node *map, const char *key);
/* A plain ~, null or nothing. */
bool yaml_is_null(const struct yaml_node *node);
/* The text of a scalar that is neither null nor has a NUL inside; else NULL. Takes NULL. */
const char *yaml_text(const struct yaml_node *node);
/* Of a scalar and those behind it the first that ends behind a byte; or NULL. */
const struct yaml_node *yaml_scalar_at(const struct yaml_node *scalar, size_t offset);
/* true, yes, on, ... in Go's reading for typed values. 0 or -EINVAL. */
int yaml_bool(const struct yaml_node *node, bool *ret_value);
#define YAML_COMPARED_MAX 64 /* keys of a mapping; no schema of ours knows more */

/* Same kind, text and children; the order of keys does not matter. Mappings with more than
 * YAML_COMPARED_MAX keys count as different. */
bool yaml_equal(const struct yaml_node *a, const struct yaml_node *b);
/* "text", "a list", "a mapping", "empty" for messages. */
const char *yaml_kind_name(const struct yaml_node *node);

#endif
