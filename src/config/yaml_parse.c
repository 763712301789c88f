/* SPDX-License-Identifier: MIT */
#include "yaml_parse.h"

#include "report.h"
#include "yaml_error.h"

#include <errno.h>
#include <string.h>
#include <yaml.h>

struct finding *yaml_parse_report(struct yaml_parse *parse, const char *id,
                                  const struct yaml_node *node, const char *text)
{
    struct yaml_step steps[YAML_DEPTH_MAX];
    const struct yaml_step *up = NULL;
    /* The innermost collection has no key yet when the finding is about itself. */
    for (unsigned i = 0; i < parse->depth; i++) {
        const struct yaml_frame *frame = &parse->stack[i];
        bool map = frame->node->kind == YAML_MAPPING;
        if (map && !frame->key)
            break;
        steps[i] = (struct yaml_step){up, map ? frame->key->text : NULL, frame->n};
        up = &steps[i];
    }
    return report_add(parse->findings, id, node, up, "%s", text);
}

int yaml_parse_count(struct yaml_parse *parse, const struct yaml_node *node, size_t n)
{
    parse->n_nodes += n;
    if (n <= YAML_NODES_MAX && parse->n_nodes <= YAML_NODES_MAX)
        return 0;
    struct finding *f = yaml_parse_report(parse, "TV001", node, "too many values in one file");
    finding_set_help(parse->findings, f, "the limit is %d, with every alias counted in full",
                     YAML_NODES_MAX);
    return -EINVAL;
}

static struct yaml_mark mark_at(const struct yaml_parse *parse, const yaml_mark_t *mark)
{
    return (struct yaml_mark){(unsigned)mark->line + 1, (unsigned)mark->column + 1,
                              yaml_source_offset(&parse->source, mark->index)};
}

static struct yaml_node *node_new(struct yaml_parse *parse, enum yaml_kind kind,
                                  const yaml_event_t *event)
{
    struct yaml_node *node = arena_alloc(parse->arena, sizeof(*node));
    if (!node)
        return NULL;
    node->kind = kind;
    node->file = parse->source.name;
    node->document = parse->document;
    node->weight = 1;
    node->text = "";
    node->start = mark_at(parse, &event->start_mark);
    node->end = mark_at(parse, &event->end_mark);
    return node;
}

/* A message never holds the anchor's name: an unquoted secret may begin with * or &. */
static int anchor_add(struct yaml_parse *parse, const yaml_char_t *name, struct yaml_node *node,
                      struct yaml_anchor **ret_anchor)
{
    if (!name)
        return 0;
    struct yaml_anchor *anchor = arena_alloc(parse->arena, sizeof(*anchor));
    if (!anchor)
        return -ENOMEM;
    if (++parse->n_anchors > YAML_ANCHORS_MAX) {
        yaml_parse_report(parse, "TV001", node, "too many anchors in one document");
        return -EINVAL;
    }
    anchor->name = arena_strdup(parse->arena, (const char *)name);
    anchor->node = node->kind == YAML_SCALAR ? node : NULL;
    anchor->next = parse->anchors;
    parse->anchors = anchor;
    *ret_anchor = anchor;
    return anchor->name ? 0 : -ENOMEM;
}

static int attach_key(struct yaml_parse *parse, struct yaml_frame *frame, struct yaml_node *node)
{
    bool scalar = node->kind == YAML_SCALAR;
    if (scalar && strlen(node->text) == node->len) {
        frame->key = node;
        return 0;
    }
    parse->invalid = true;
    yaml_parse_report(parse, "TV001", node,
                      scalar ? "a key cannot hold a NUL"
                             : "a key must be text, not a list or a mapping");
    frame->skipped = true;
    return 0;
}

/* Gives a finished node to the collection on top of the stack. */
static int attach(struct yaml_parse *parse, struct yaml_node *node)
{
    if (parse->depth == 0) {
        parse->root = node;
        return 0;
    }
    struct yaml_frame *frame = &parse->stack[parse->depth - 1];
    struct yaml_node *into = frame->node;
    into->weight += node->weight;
    if (node->height >= into->height)
        into->height = node->height + 1;
    if (frame->skipped) {
        frame->skipped = false;
        return 0;
    }
    if (into->kind == YAML_MAPPING && !frame->key)
        return attach_key(parse, frame, node);
    struct yaml_entry *entry = arena_alloc(parse->arena, sizeof(*entry));
    if (!entry)
        return -ENOMEM;
    entry->key = frame->key;
    entry->value = node;
    frame->key = NULL;
    *frame->tail = entry;
    frame->tail = &entry->next;
    frame->n++;
    return 0;
}

static enum yaml_style style_of(yaml_scalar_style_t style)
{
    switch (style) {
    case YAML_SINGLE_QUOTED_SCALAR_STYLE:
        return YAML_SINGLE_QUOTED;
    case YAML_DOUBLE_QUOTED_SCALAR_STYLE:
        return YAML_DOUBLE_QUOTED;
    case YAML_LITERAL_SCALAR_STYLE:
        return YAML_LITERAL;
    case YAML_FOLDED_SCALAR_STYLE:
        return YAML_FOLDED;
    default:
        return YAML_PLAIN;
    }
}

static int on_scalar(struct yaml_parse *parse, const yaml_event_t *event)
{
    struct yaml_node *node = node_new(parse, YAML_SCALAR, event);
    struct yaml_anchor *anchor = NULL;
    if (!node)
        return -ENOMEM;
    node->style = style_of(event->data.scalar.style);
    node->text = arena_strndup(parse->arena, (const char *)event->data.scalar.value,
                               event->data.scalar.length);
    node->len = event->data.scalar.length;
    node->tag = arena_strdup(parse->arena, (const char *)event->data.scalar.tag);
    if (!node->text)
        return -ENOMEM;
    *parse->scalars_tail = node;
    parse->scalars_tail = &node->next_scalar;
    int r = yaml_parse_count(parse, node, 1);
    if (r == 0)
        r = anchor_add(parse, event->data.scalar.anchor, node, &anchor);
    return r < 0 ? r : attach(parse, node);
}

static int on_alias(struct yaml_parse *parse, const yaml_event_t *event)
{
    struct yaml_node *here = node_new(parse, YAML_SCALAR, event);
    if (!here)
        return -ENOMEM;
    const struct yaml_anchor *anchor = parse->anchors;
    while (anchor && strcmp(anchor->name, (const char *)event->data.alias.anchor) != 0)
        anchor = anchor->next;
    if (!anchor) {
        struct finding *f =
            yaml_parse_report(parse, "TV001", here, "this alias names no anchor above it");
        finding_set_help(parse->findings, f, "text that begins with * must be quoted");
        return -EINVAL;
    }
    if (!anchor->node) {
        yaml_parse_report(parse, "TV001", here, "this alias stands inside its own anchor");
        return -EINVAL;
    }
    if (parse->depth + anchor->node->height >= YAML_DEPTH_MAX) {
        yaml_parse_report(parse, "TV001", here, "nested too deeply");
        return -EINVAL;
    }
    int r = yaml_parse_count(parse, here, anchor->node->weight);
    return r < 0 ? r : attach(parse, anchor->node);
}

static int on_start(struct yaml_parse *parse, const yaml_event_t *event, enum yaml_kind kind,
                    const yaml_char_t *name, const yaml_char_t *tag)
{
    struct yaml_node *node = node_new(parse, kind, event);
    if (!node)
        return -ENOMEM;
    node->tag = arena_strdup(parse->arena, (const char *)tag);
    int r = yaml_parse_count(parse, node, 1);
    if (r < 0)
        return r;
    if (parse->depth == YAML_DEPTH_MAX) {
        struct finding *f = yaml_parse_report(parse, "TV001", node, "nested too deeply");
        finding_set_help(parse->findings, f, "the limit is %d levels", YAML_DEPTH_MAX);
        return -EINVAL;
    }
    struct yaml_anchor *anchor = NULL;
    r = anchor_add(parse, name, node, &anchor);
    if (r < 0)
        return r;
    parse->stack[parse->depth++] =
        (struct yaml_frame){.node = node, .tail = &node->entries, .anchor = anchor};
    return 0;
}

static int on_end(struct yaml_parse *parse, const yaml_event_t *event)
{
    struct yaml_frame *frame = &parse->stack[parse->depth - 1];
    struct yaml_node *node = frame->node;
    node->end = mark_at(parse, &event->end_mark);
    if (node->kind == YAML_MAPPING) {
        int r = yaml_parse_finish_mapping(parse, node, frame->n);
        if (r < 0)
            return r;
    }
    if (frame->anchor)
        frame->anchor->node = node;
    parse->depth--;
    return attach(parse, node);
}

static int on_event(struct yaml_parse *parse, const yaml_event_t *event)
{
    switch (event->type) {
    case YAML_DOCUMENT_START_EVENT:
        parse->document++;
        parse->anchors = NULL;
        parse->n_anchors = 0;
        parse->root = NULL;
        return 0;
    case YAML_SCALAR_EVENT:
        return on_scalar(parse, event);
    case YAML_ALIAS_EVENT:
        return on_alias(parse, event);
    case YAML_SEQUENCE_START_EVENT:
        return on_start(parse, event, YAML_SEQUENCE, event->data.sequence_start.anchor,
                        event->data.sequence_start.tag);
    case YAML_MAPPING_START_EVENT:
        return on_start(parse, event, YAML_MAPPING, event->data.mapping_start.anchor,
                        event->data.mapping_start.tag);
    case YAML_SEQUENCE_END_EVENT:
    case YAML_MAPPING_END_EVENT:
        return on_end(parse, event);
    default:
        return 0;
    }
}

static int document_add(struct yaml_parse *parse, struct yaml_document ***tail)
{
    struct yaml_document *document = arena_alloc(parse->arena, sizeof(*document));
    if (!document)
        return -ENOMEM;
    document->root = parse->root;
    **tail = document;
    *tail = &document->next;
    return 0;
}

static int run(struct yaml_parse *parse, yaml_parser_t *parser, struct yaml_document **first)
{
    struct yaml_document **tail = first;
    yaml_event_type_t type;
    do {
        yaml_event_t event;
        if (!yaml_parser_parse(parser, &event))
            return yaml_error_report(parse, parser);
        type = event.type;
        int r = on_event(parse, &event);
        yaml_event_delete(&event);
        if (r == 0 && type == YAML_DOCUMENT_END_EVENT && parse->root)
            r = document_add(parse, &tail);
        if (r < 0)
            return r;
    } while (type != YAML_STREAM_END_EVENT);
    return parse->invalid ? -EINVAL : 0;
}

int yaml_parse(const char *name, const char *bytes, size_t len, struct arena *arena,
               struct findings *findings, struct yaml_document **ret_documents,
               const struct yaml_node **ret_scalars)
{
    struct yaml_parse parse = {.arena = arena, .findings = findings};
    struct yaml_document *first = NULL;
    yaml_parser_t parser;
    parse.scalars_tail = &parse.scalars;
    int r = yaml_source_init(&parse.source, name, bytes, len, arena, findings);
    if (r < 0)
        return r;
    if (!yaml_parser_initialize(&parser))
        return -ENOMEM;
    yaml_parser_set_encoding(&parser, YAML_UTF8_ENCODING);
    yaml_parser_set_input_string(&parser, (const unsigned char *)parse.source.bytes,
                                 parse.source.len);
    r = run(&parse, &parser, &first);
    yaml_parser_delete(&parser);
    if (r != -ENOMEM)
        *ret_documents = first;
    if (r != -ENOMEM && ret_scalars)
        *ret_scalars = parse.scalars;
    return r;
}
