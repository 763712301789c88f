/* SPDX-License-Identifier: MIT */
#include "load.h"

#include "base/buf.h"
#include "schema.h"
#include "source.h"

#include <errno.h>
#include <string.h>

#define TALOS_VERSION "v1alpha1"
#define AGENT_VERSION "talosvip/v1"

typedef void (*document_fn)(struct load *load, const struct yaml_node *root);

static const struct {
    const char *version, *kind;
    document_fn read;
} documents[] = {
    {TALOS_VERSION, "Layer2VIPConfig", talos_layer2_vip},
    {TALOS_VERSION, "HCloudVIPConfig", talos_hcloud_vip},
    {TALOS_VERSION, "LinkAliasConfig", talos_link_alias},
    {AGENT_VERSION, "AgentConfig", agent_config_document},
};
#define DOCUMENTS (sizeof(documents) / sizeof(documents[0]))

/* Talos has many kinds, and later versions have more: an unknown one is not ours to judge,
 * unless it is one of ours misspelt, for that would lose a VIP in silence. */
static void unknown_document(struct load *load, const struct yaml_node *kind, const char *version)
{
    const char *kinds[DOCUMENTS + 1] = {NULL};
    struct yaml_step step = {NULL, "kind", 0};
    struct buf text;
    size_t n = 0;
    for (size_t i = 0; i < DOCUMENTS; i++)
        if (strcmp(documents[i].version, version) == 0)
            kinds[n++] = documents[i].kind;
    const char *suggestion = schema_suggest(kind->text, kinds);
    if (!suggestion && strcmp(version, AGENT_VERSION) != 0)
        return;
    buf_init(&text, 0);
    report_quote(kind->text, kind->len, &text);
    struct finding *f = report_add(load->findings, "TV101", kind, &step, "unknown kind %s of %s",
                                   buf_str(&text), version);
    if (suggestion)
        finding_set_help(load->findings, f, "did you mean %s?", suggestion);
    report_text_done(load->findings, &text);
}

static void typed_document(struct load *load, const struct yaml_node *root,
                           const struct yaml_node *kind, const struct yaml_node *version)
{
    struct yaml_step step = {NULL, "apiVersion", 0};
    for (size_t i = 0; i < DOCUMENTS; i++)
        if (strcmp(documents[i].version, version->text) == 0 &&
            strcmp(documents[i].kind, kind->text) == 0) {
            documents[i].read(load, root);
            return;
        }
    bool ours =
        strcmp(kind->text, "AgentConfig") == 0 || strncmp(version->text, "talosvip/", 9) == 0;
    if (ours && strcmp(version->text, AGENT_VERSION) != 0) {
        struct finding *f = report_add(load->findings, "TV101", version, &step,
                                       "unknown apiVersion of the agent's settings");
        finding_set_help(load->findings, f, "this program knows " AGENT_VERSION);
    } else if (strcmp(version->text, TALOS_VERSION) == 0 ||
               strcmp(version->text, AGENT_VERSION) == 0) {
        unknown_document(load, kind, version->text);
    }
}

static void document_read(struct load *load, const struct yaml_node *root)
{
    if (yaml_is_null(root))
        return;
    if (root->kind != YAML_MAPPING) {
        report_add(load->findings, "TV101", root, NULL,
                   "a document must be a mapping of keys to values");
        return;
    }
    const struct yaml_node *kind = yaml_get(root, "kind"), *version = yaml_get(root, "apiVersion");
    if (yaml_text(kind) && yaml_text(version)) {
        typed_document(load, root, kind, version);
    } else if (!kind && !version &&
               (yaml_get(root, "machine") || yaml_get(root, "cluster") ||
                yaml_get(root, "version"))) {
        talos_machine_config(load, root);
    } else {
        struct finding *f =
            report_add(load->findings, "TV101", root, NULL,
                       kind || version ? "kind and apiVersion must stand together, both as text"
                                       : "this is neither a Talos config nor the agent's settings");
        finding_set_help(load->findings, f,
                         "a document begins with \"version: v1alpha1\", or with apiVersion and "
                         "kind");
    }
}

int load_bytes(struct load *load, const char *name, const char *bytes, size_t len)
{
    struct yaml_document *list = NULL;
    if (len > CONFIG_FILE_MAX) {
        struct finding_place at = {.file = name};
        finding_add(load->findings, "TV004", &at, "larger than %u MiB", CONFIG_FILE_MAX >> 20);
        return 0;
    }
    int r = yaml_parse(name, bytes, len, load->arena, load->findings, &list, NULL);
    if (r == -ENOMEM)
        return r;
    for (; list; list = list->next)
        document_read(load, list->root);
    return 0;
}

static int load_file(struct load *load, const char *path)
{
    struct buf bytes;
    const char *name = strcmp(path, "-") == 0 ? "<stdin>" : path;
    buf_init(&bytes, CONFIG_FILE_MAX);
    int r = source_read(path, &bytes);
    if (r == 0) {
        r = load_bytes(load, name, buf_str(&bytes), bytes.len);
    } else if (r != -ENOMEM) {
        struct finding_place at = {.file = name};
        if (r == -EFBIG)
            finding_add(load->findings, "TV004", &at, "larger than %u MiB", CONFIG_FILE_MAX >> 20);
        else
            finding_add(load->findings, "TV004", &at, "cannot be read: %s", strerror(-r));
        r = 0;
    }
    buf_done(&bytes);
    return r;
}

int load_init(struct load *load, struct findings *findings)
{
    *load = (struct load){
        .findings = findings, .errors_before = findings->errors, .vips_tail = &load->vips};
    load->arena = arena_new();
    struct arena *arena = arena_new();
    if (arena)
        load->config = arena_alloc(arena, sizeof(*load->config));
    if (!load->arena || !load->config) {
        arena_free(arena);
        arena_free(load->arena);
        memset(load, 0, sizeof(*load));
        return -ENOMEM;
    }
    load->config->arena = arena;
    return 0;
}

void load_done(struct load *load)
{
    arena_free(load->arena);
    config_free(load->config);
}

/* Ends loading, whatever happened before (`r`). */
static int load_end(struct load *load, int r, struct config **ret_config)
{
    if (r == 0 &&
        (arena_failed(load->arena) || arena_failed(load->config->arena) || load->findings->error))
        r = -ENOMEM;
    else if (r == 0 && load->findings->errors > load->errors_before)
        r = -EINVAL;
    arena_free(load->arena);
    if (r == 0)
        *ret_config = load->config;
    else
        config_free(load->config);
    return r;
}

int load_finish(struct load *load, int r, struct config **ret_config)
{
    if (r == 0) {
        agent_config_finish(load);
        config_vip_finish(load);
    }
    return load_end(load, r, ret_config);
}

size_t load_count(struct findings *findings, size_t n)
{
    if (n > CONFIG_FILES_MAX)
        finding_add(findings, "TV004", NULL, "more than %d files", CONFIG_FILES_MAX);
    return n > CONFIG_FILES_MAX ? CONFIG_FILES_MAX : n;
}

int config_load(const char *const *paths, size_t n, struct config **ret_config,
                struct findings *findings)
{
    struct load load;
    int r = load_init(&load, findings);
    if (r < 0)
        return r;
    n = load_count(findings, n);
    for (size_t i = 0; r == 0 && i < n; i++)
        r = load_file(&load, paths[i]);
    return load_finish(&load, r, ret_config);
}

int config_load_memory(const char *name, const void *bytes, size_t len, struct config **ret_config,
                       struct findings *findings)
{
    struct load load;
    int r = load_init(&load, findings);
    if (r < 0)
        return r;
    r = load_bytes(&load, name, bytes, len);
    return load_finish(&load, r, ret_config);
}

void config_free(struct config *config)
{
    if (config)
        arena_free(config->arena);
}

static bool is_about_etcd(void *arg, const struct finding *f)
{
    const char *path = f->at.yaml_path;
    (void)arg;
    return !path || !*path || strcmp(path, "/kind") == 0 || strcmp(path, "/apiVersion") == 0 ||
           (strncmp(path, "/etcd", 5) == 0 && (path[5] == '/' || !path[5]));
}

int config_load_etcd(const char *path, struct config **ret_config, struct findings *findings)
{
    struct findings own;
    struct load load;
    findings_init(&own);
    int r = load_init(&load, &own);
    if (r < 0)
        return r;
    r = load_file(&load, path);
    if (r == 0)
        agent_config_finish(&load);
    findings_filter(&own, is_about_etcd, NULL);
    r = load_end(&load, r, ret_config);
    findings_move(findings, &own);
    findings_done(&own);
    return r;
}
