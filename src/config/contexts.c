/* SPDX-License-Identifier: MIT */
#include "config/contexts.h"

#include "agent_config.h"
#include "schema.h"
#include "setting.h"
#include "source.h"

#include "base/buf.h"

#include <errno.h>
#include <string.h>

#define VERSION "talosvip/v1"
#define KIND "ClientConfig"

static void read_context(struct load *load, const struct yaml_node *node,
                         const struct yaml_step *step, struct config_context *to)
{
    struct setting name = setting_of(node, step, "name"), etcd = setting_of(node, step, "etcd"),
                   read_only = setting_of(node, step, "readOnly");
    to->name = setting_text(load, node, "name");
    if (name.node)
        to->where = config_vip_where(load, name.node, &name.step);
    if (read_only.node)
        yaml_bool(read_only.node, &to->is_read_only);
    agent_config_etcd(load, &etcd, &to->etcd);
}

static void check_names(struct load *load, const struct config_contexts *contexts)
{
    for (size_t i = 0; i < contexts->n; i++)
        for (size_t k = 0; contexts->list[i].name && k < i; k++) {
            const struct config_context *c = &contexts->list[i];
            struct finding_place at = {
                .file = c->where.file, .line = c->where.line, .column = c->where.column};
            if (contexts->list[k].name && strcmp(contexts->list[k].name, c->name) == 0)
                finding_add(load->findings, "TV103", &at, "two contexts are named \"%s\"", c->name);
        }
}

static void read_all(struct load *load, const struct yaml_node *root,
                     struct config_contexts *contexts)
{
    struct setting current = setting_of(root, NULL, "context"),
                   list = setting_of(root, NULL, "contexts");
    struct yaml_step item = {&list.step, NULL, 0};
    size_t n;
    const struct yaml_entry *e = setting_items(list.node, &n);
    contexts->current = setting_text(load, root, "context");
    if (current.node)
        contexts->current_where = config_vip_where(load, current.node, &current.step);
    if (n == 0 || setting_too_many(load, &list, n, CONFIG_CONTEXTS_MAX))
        return;
    contexts->list = arena_array(contexts->arena, n, sizeof(*contexts->list));
    for (; contexts->list && e; e = e->next, item.index++)
        read_context(load, e->value, &item, &contexts->list[contexts->n++]);
    check_names(load, contexts);
}

void contexts_second(const struct yaml_node *root, struct findings *findings)
{
    struct finding *f = report_add(findings, "TV101", root, NULL,
                                   "a second document, where only the first is read");
    finding_set_help(findings, f, "name all contexts under one \"contexts\"");
}

static int read_bytes(struct load *load, const char *path, const struct buf *bytes,
                      struct config_contexts *contexts)
{
    struct yaml_document *list = NULL;
    int r = yaml_parse(path, buf_str(bytes), bytes->len, load->arena, load->findings, &list, NULL);
    while (list && yaml_is_null(list->root))
        list = list->next;
    if (r < 0 || !list)
        return r;
    const char *kind = yaml_text(yaml_get(list->root, "kind")),
               *version = yaml_text(yaml_get(list->root, "apiVersion"));
    if (!kind || !version || strcmp(kind, KIND) != 0 || strcmp(version, VERSION) != 0) {
        struct finding *f = report_add(load->findings, "TV101", list->root, NULL,
                                       "these are not the settings of a client");
        finding_set_help(load->findings, f,
                         "it begins with \"apiVersion: " VERSION "\" and \"kind: " KIND "\"");
        return -EINVAL;
    }
    schema_check(&schema_client, list->root, load->findings);
    read_all(load, list->root, contexts);
    do
        list = list->next;
    while (list && yaml_is_null(list->root));
    if (list)
        contexts_second(list->root, load->findings);
    return 0;
}

int config_contexts_load(const char *path, struct config_contexts **ret_contexts,
                         struct findings *findings)
{
    struct load load;
    struct buf bytes;
    int r = load_init(&load, findings);
    if (r < 0)
        return r;
    struct config_contexts *contexts = arena_alloc(load.config->arena, sizeof(*contexts));
    buf_init(&bytes, CONFIG_FILE_MAX);
    r = contexts ? source_read(path, &bytes) : -ENOMEM;
    if (r < 0 && r != -ENOENT && r != -ENOMEM) {
        struct finding_place at = {.file = path};
        finding_add(findings, "TV004", &at, "cannot be read: %s", strerror(-r));
        r = -EINVAL;
    }
    if (r == 0) {
        contexts->arena = load.config->arena;
        r = read_bytes(&load, path, &bytes, contexts);
    }
    if (r == 0 && (arena_failed(load.arena) || arena_failed(contexts->arena) || findings->error))
        r = -ENOMEM;
    else if (r == 0 && findings->errors > load.errors_before)
        r = -EINVAL;
    buf_done(&bytes);
    if (r == 0) {
        load.config = NULL; /* lives on in contexts->arena */
        *ret_contexts = contexts;
    }
    load_done(&load);
    return r;
}

void config_contexts_free(struct config_contexts *contexts)
{
    if (contexts)
        arena_free(contexts->arena);
}

const struct config_context *config_contexts_find(const struct config_contexts *contexts,
                                                  const char *name)
{
    for (size_t i = 0; contexts && i < contexts->n; i++)
        if (contexts->list[i].name && strcmp(contexts->list[i].name, name) == 0)
            return &contexts->list[i];
    return NULL;
}
