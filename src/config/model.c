/* SPDX-License-Identifier: MIT */
#include "model.h"

#include "base/buf.h"
#include "schema.h"

#include <errno.h>
#include <string.h>

#define AGENT_VERSION "talosvip/v1"
#define TALOS_VERSION "v1alpha1"
#define COMPARED_MAX                                                                               \
    2000 /* documents; a stranger's file may have more, and gets no time for it                    \
          */

/* Talos 1.12 tells documents apart by these, and only one of each link kind may have a name. */
struct identity {
    const char *kind, *name;
    const struct yaml_node *node;
    struct identity *next;
};

static bool is_link_kind(const char *kind)
{
    static const char *const kinds[] = {"LinkConfig",      "BondConfig",      "BridgeConfig",
                                        "DummyLinkConfig", "VLANConfig",      "MacVLANConfig",
                                        "VethConfig",      "WireguardConfig", "VRFConfig"};
    for (size_t i = 0; i < sizeof(kinds) / sizeof(kinds[0]); i++)
        if (strcmp(kind, kinds[i]) == 0)
            return true;
    return false;
}

static bool is_same(const struct identity *a, const struct identity *b)
{
    if (strcmp(a->name, b->name) != 0)
        return false;
    return strcmp(a->kind, b->kind) == 0 || (is_link_kind(a->kind) && is_link_kind(b->kind));
}

/* VIPs that are there twice are TV213. */
static void check_identity(struct model *model, struct identity **list, const char *kind,
                           const struct yaml_node *root)
{
    const char *name = yaml_text(yaml_get(root, "name"));
    if (strstr(kind, "VIPConfig") || yaml_get(root, "$patch"))
        return;
    struct identity *identity = arena_alloc(model->load.arena, sizeof(*identity));
    if (!identity)
        return;
    *identity = (struct identity){kind, name ? name : "", root, *list};
    size_t left = COMPARED_MAX;
    for (const struct identity *other = *list; other && left > 0; other = other->next, left--) {
        if (!is_same(identity, other))
            continue;
        bool same = strcmp(other->kind, kind) == 0;
        struct spot at = {root, ""}, first = {other->node, ""};
        struct finding *f =
            same ? spot_report(model, "TV106", &at, "this %s is there twice",
                               *kind ? kind : "machine config")
                 : spot_report(model, "TV106", &at, "%s and %s configure the same link",
                               other->kind, kind);
        spot_relate(model, f, &first, "first here");
        break;
    }
    *list = identity;
}

static bool is_legacy(const struct yaml_node *root)
{
    static const char *const keys[] = {"machine", "cluster", "debug", "persist"};
    for (const struct yaml_entry *e = root->entries; e; e = e->next)
        for (size_t i = 0; i < sizeof(keys) / sizeof(keys[0]); i++)
            if (strcmp(e->key->text, keys[i]) == 0)
                return true;
    return false;
}

/* A directory may hold files of other programs, too. */
static void foreign(struct model *model, struct finding *f)
{
    if (model->is_found && !model->has_talos)
        finding_set_severity(&model->findings, f, SEVERITY_WARNING);
}

/* A Kubernetes manifest or the like. */
static void foreign_document(struct model *model, const struct yaml_node *kind,
                             const struct yaml_node *version)
{
    struct yaml_step step = {NULL, "apiVersion", 0};
    struct buf text;
    static const char *const versions[] = {TALOS_VERSION, AGENT_VERSION, NULL};
    const char *suggestion = schema_suggest(version->text, versions);
    const struct schema *schema;
    buf_init(&text, 0);
    report_quote(version->text, version->len, &text);
    bool ours = suggestion || schema_full_find(kind->text, &schema) ||
                strcmp(kind->text, "AgentConfig") == 0 ||
                strncmp(version->text, "talosvip/", 9) == 0;
    struct finding *f =
        report_add(&model->findings, "TV101", version, &step,
                   ours ? "unknown apiVersion %s" : "apiVersion %s is neither Talos's nor ours",
                   buf_str(&text));
    if (suggestion)
        finding_set_suggestion(&model->findings, f, suggestion);
    if (!ours)
        foreign(model, f);
    report_text_done(&model->findings, &text);
}

static void unknown_kind(struct model *model, const struct yaml_node *kind, const char *suggestion,
                         const char *whose)
{
    struct yaml_step step = {NULL, "kind", 0};
    struct buf text;
    buf_init(&text, 0);
    report_quote(kind->text, kind->len, &text);
    struct finding *f = report_add(&model->findings, "TV101", kind, &step, "unknown kind %s of %s",
                                   buf_str(&text), whose);
    if (suggestion) {
        finding_set_suggestion(&model->findings, f, suggestion);
    } else if (strcmp(whose, TALOS_VERSION) == 0) {
        /* Each version of Talos has new ones. */
        finding_set_severity(&model->findings, f, SEVERITY_WARNING);
        finding_set_help(&model->findings, f, "does your version of Talos know it?");
    }
    report_text_done(&model->findings, &text);
}

static void typed_document(struct model *model, const struct yaml_node *root,
                           const struct yaml_node *kind, const struct yaml_node *version)
{
    const struct schema *schema = NULL;
    if (strcmp(version->text, AGENT_VERSION) == 0 && strcmp(kind->text, "ClientConfig") == 0) {
        if (model->has_client)
            contexts_second(root, &model->findings);
        model->has_client = true;
        schema_check(&schema_client, root, &model->findings);
        return;
    }
    if (strcmp(version->text, AGENT_VERSION) == 0) {
        model->has_agent = true;
        if (strcmp(kind->text, "AgentConfig") == 0)
            agent_config_document(&model->load, root);
        else
            unknown_kind(model, kind, "AgentConfig", AGENT_VERSION);
        return;
    }
    if (strcmp(version->text, TALOS_VERSION) != 0) {
        foreign_document(model, kind, version);
        return;
    }
    model->has_talos = true;
    if (!schema_full_find(kind->text, &schema)) {
        unknown_kind(model, kind, schema_full_suggest(kind->text), TALOS_VERSION);
        return;
    }
    if (schema && !yaml_get(root, "$patch"))
        schema_validate(schema, root, model->options->is_strict, &model->findings);
    model_document(model, kind->text, root);
}

static void missing(struct model *model, const struct yaml_node *root, const struct yaml_node *kind,
                    const struct yaml_node *version)
{
    struct spot at = {root, ""};
    bool neither = !kind && !version;
    struct finding *f = spot_report(model, "TV101", &at,
                                    neither ? "this is not a Talos or talosvip document"
                                    : kind  ? "\"apiVersion\" is missing beside \"kind\""
                                            : "\"kind\" is missing beside \"apiVersion\"");
    finding_set_help(&model->findings, f,
                     "a document has apiVersion and kind, or the keys machine and cluster");
    if (neither)
        foreign(model, f);
    if (kind && yaml_text(kind)) {
        const struct schema *schema;
        if (schema_full_find(kind->text, &schema))
            finding_set_help(&model->findings, f, "put \"apiVersion: v1alpha1\" above it");
    }
}

static bool is_talosconfig(const struct yaml_node *root)
{
    const struct yaml_node *contexts = yaml_get(root, "contexts");
    return contexts && contexts->kind == YAML_MAPPING;
}

/* RFC 6902: a list of operations. */
static bool is_json_patch(const struct yaml_node *root)
{
    const struct yaml_node *first =
        root->kind == YAML_SEQUENCE && root->entries ? root->entries->value : NULL;
    return first && yaml_text(yaml_get(first, "op")) && yaml_text(yaml_get(first, "path"));
}

static void no_mapping(struct model *model, const struct yaml_node *root)
{
    struct spot at = {root, ""};
    if (is_json_patch(root)) {
        struct finding *f = spot_report(model, "TV101", &at, "a JSON patch is not checked");
        finding_set_severity(&model->findings, f, SEVERITY_WARNING);
        finding_set_help(&model->findings, f, "apply it, and check the result");
    } else {
        foreign(model,
                spot_report(model, "TV101", &at, "a document must be a mapping of keys to values"));
    }
}

static void document_read(struct model *model, const struct yaml_node *root,
                          struct identity **identities)
{
    const struct yaml_node *kind = yaml_get(root, "kind"), *version = yaml_get(root, "apiVersion");
    struct spot at = {root, ""};
    if (yaml_is_null(root)) {
        spot_report(model, "TV003", &at, "an empty document");
    } else if (root->kind != YAML_MAPPING) {
        no_mapping(model, root);
    } else if (yaml_text(kind) && yaml_text(version)) {
        if (strcmp(version->text, TALOS_VERSION) == 0)
            check_identity(model, identities, kind->text, root);
        typed_document(model, root, kind, version);
    } else if (!kind && (is_legacy(root) || yaml_text(yaml_get(root, "version")))) {
        check_identity(model, identities, "", root);
        model_machine_config(model, root);
    } else if (!kind && !version && is_talosconfig(root)) {
        model->has_talosconfig = true;
        model_talosconfig(model, root);
    } else {
        missing(model, root, kind, version);
    }
}

static void empty_file(struct model *model)
{
    struct finding_place at = {
        .file = model->name, .line = 1, .column = 1, .end_line = 1, .end_column = 1};
    finding_add(&model->findings, "TV003", &at, "an empty file");
}

int model_read(struct model *model)
{
    int r = load_init(&model->load, &model->findings);
    if (r < 0)
        return r;
    struct identity *identities = NULL;
    model->links_tail = &model->links;
    model->vips_tail = &model->vips;
    model->type = "";
    if (model->text)
        r = yaml_parse(model->name, model->text, model->len, model->load.arena, &model->findings,
                       &model->documents, &model->scalars);
    if (r == -ENOMEM)
        return r;
    model->is_broken = r < 0;
    if (model->text && r == 0 && !model->documents)
        empty_file(model);
    for (const struct yaml_document *d = model->documents; d; d = d->next)
        document_read(model, d->root, &identities);
    model_agent(model);
    model_finish(model);
    return arena_failed(model->load.arena) || arena_failed(model->load.config->arena) ||
                   model->findings.error
               ? -ENOMEM
               : 0;
}

void model_done(struct model *model)
{
    findings_done(&model->findings);
    load_done(&model->load);
}

bool model_is_worker(const struct model *model)
{
    return strcmp(model->type, "worker") == 0 || strcmp(model->type, "join") == 0;
}

bool model_is_control_plane(const struct model *model)
{
    return strcmp(model->type, "controlplane") == 0 || strcmp(model->type, "init") == 0;
}

bool model_is_patch(const struct model *model)
{
    return !model->has_version;
}

bool model_is_node(const struct model *model)
{
    return *model->type != '\0';
}

bool model_is_one_cluster(const struct model *a, const struct model *b)
{
    return !a->cluster || !b->cluster || strcmp(a->cluster, b->cluster) == 0;
}

const struct model_vip *model_vip_find(const struct model *model, const struct ip *ip)
{
    for (const struct model_vip *vip = model->vips; vip; vip = vip->next)
        if (ip_equal(&vip->ip, ip))
            return vip;
    return NULL;
}

const char *vip_link_words(const struct model_vip *vip)
{
    return vip->link_name ? vip->link_name : vip->link ? vip->link->words : "its link";
}
