/* SPDX-License-Identifier: MIT */
/* The documents of Talos 1.12 and later, talosconfig, and AgentConfig. */
#include "model.h"

#include "base/parse.h"
#include "selector.h"
#include "setting.h"
#include "template.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

static const char *text_of(const struct yaml_node *map, const char *key)
{
    const char *text = yaml_text(yaml_get(map, key));
    return text && *text ? text : NULL;
}

static void vip_document(struct model *model, const struct yaml_node *root, enum model_form form)
{
    struct yaml_step name = {NULL, "name", 0}, link = {NULL, "link", 0};
    if (!text_of(root, "name"))
        return;
    struct model_vip *vip = model_vip(model, yaml_get(root, "name"), &name, form);
    if (!vip)
        return;
    vip->is_cloud = form == MODEL_HCLOUD;
    if (text_of(root, "link"))
        vip->link_name = config_vip_link(&model->load, yaml_get(root, "link"), &link);
    if (vip->link_name)
        vip->link_at = model_spot(model, yaml_get(root, "link"), &link);
}

/* Makes or finds the link that a document configures. */
static struct model_link *named_link(struct model *model, const struct yaml_node *root)
{
    struct yaml_step step = {NULL, "name", 0};
    const char *name = text_of(root, "name");
    struct model_link *link = name ? model_link_get(model, name) : NULL;
    if (link && !link->at.node)
        link->at = model_spot(model, yaml_get(root, "name"), &step);
    if (link)
        link->is_configured = true;
    return link;
}

static void check_bits(struct model *model, const struct fact *fact)
{
    if (fact->has_bits)
        return;
    struct finding *f =
        spot_report(model, "TV103", &fact->at, "the prefix length of %s is missing", fact->text);
    finding_set_help(&model->findings, f, "such as %s/%d", fact->text,
                     fact->prefix.ip.family == IP_V4 ? 24 : 64);
}

/* These documents are stricter than machine.network, which takes an address alone as /32. */
static void check_addresses(struct model *model, const struct fact *fact)
{
    for (; fact; fact = fact->next) {
        struct ip none = {.family = fact->prefix.ip.family};
        check_bits(model, fact);
        if (ip_equal(&fact->prefix.ip, &none))
            spot_report(model, "TV103", &fact->at, "%s is no address that a link can have",
                        fact->text);
    }
}

/* The default route is one without a destination. */

static void check_destinations(struct model *model, const struct yaml_node *root)
{
    struct facts found = {.n = 0};
    model_fact_list(model, &found, root, NULL, "routes", "destination", "a destination", true);
    for (const struct fact *fact = found.first; fact; fact = fact->next) {
        struct ip none = {.family = fact->prefix.ip.family};
        check_bits(model, fact);
        if (ip_equal(&fact->prefix.ip, &none)) {
            struct finding *f = spot_report(model, "TV103", &fact->at,
                                            "%s cannot be a destination here", fact->text);
            finding_set_help(&model->findings, f, "a default route has no destination");
        }
    }
}

/* A link in a VRF keeps its addresses; one in a bond or a bridge has none of its own. */
static bool has_members(const char *kind)
{
    return strcmp(kind, "BondConfig") == 0 || strcmp(kind, "BridgeConfig") == 0;
}

static void link_document(struct model *model, const char *kind, const struct yaml_node *root)
{
    struct model_link *link = named_link(model, root);
    struct yaml_step links = {NULL, "links", 0}, item = {&links, NULL, 0};
    const struct yaml_node *list = yaml_get(root, "links");
    if (!link)
        return;
    link->is_dummy = strcmp(kind, "DummyLinkConfig") == 0;
    struct fact **added = link->addresses.tail ? link->addresses.tail : &link->addresses.first;
    model_fact_list(model, &link->addresses, root, NULL, "addresses", "address", "an address",
                    true);
    check_addresses(model, *added);
    check_destinations(model, root);
    model_fact_list(model, &model->gateways, root, NULL, "routes", "gateway", "a gateway", true);
    if (list && list->kind == YAML_SEQUENCE && has_members(kind))
        for (const struct yaml_entry *e = list->entries; e; e = e->next, item.index++)
            model_member(model, link, e->value, &item);
}

static void vlan_document(struct model *model, const struct yaml_node *root)
{
    struct model_link *link = named_link(model, root);
    const char *id = text_of(root, "vlanID"), *parent = text_of(root, "parent");
    link_document(model, "VLANConfig", root);
    if (!link)
        return;
    if (id)
        parse_u64(id, &link->vlan_id);
    if (parent)
        link->parent = model_link_get(model, parent);
}

/* "net0", or "net%d" for several links. */
static void check_alias_name(struct model *model, const struct yaml_node *node)
{
    struct yaml_step step = {NULL, "name", 0};
    const char *name = yaml_text(node), *verb = name ? strchr(name, '%') : NULL;
    if (!verb || (verb > name && strcmp(verb, "%d") == 0))
        return;
    struct spot at = model_spot(model, node, &step);
    struct finding *f = spot_report(model, "TV103", &at, "%s cannot be the name of an alias", name);
    finding_set_help(&model->findings, f, "a %% is only for a %%d at the end, as in net%%d");
}

/* What breaks off is not understood by anybody; the rest may be CEL that Talos knows. */
static void report_selector(struct model *model, const struct spot *at, const char *text,
                            const struct cel_error *error)
{
    bool is_broken_off = error->at >= strlen(text);
    struct finding *f =
        is_broken_off ? spot_report(model, "TV218", at, "the selector breaks off: %s", error->why)
                      : spot_report(model, "TV218", at,
                                    "this agent does not understand the selector: %s", error->why);
    if (!is_broken_off)
        finding_set_severity(&model->findings, f, SEVERITY_INFO);
}

static void alias_document(struct model *model, const struct yaml_node *root)
{
    struct yaml_step selector_step = {NULL, "selector", 0}, step = {&selector_step, "match", 0};
    const struct yaml_node *match = yaml_get(yaml_get(root, "selector"), "match");
    struct model_link *link = named_link(model, root);
    struct config_selector *selector = arena_alloc(model->load.arena, sizeof(*selector));
    struct cel_error error;
    if (!link || !selector)
        return;
    check_alias_name(model, yaml_get(root, "name"));
    link->is_alias = true;
    link->is_configured = false; /* by this it only has a name */
    if (!yaml_text(match) || !match->len)
        return;
    link->selector_at = model_spot(model, match, &step);
    int r = cel_parse(match->text, model->load.arena, selector, &error);
    if (r == -EINVAL)
        report_selector(model, &link->selector_at, match->text, &error);
    if (r < 0)
        return;
    talos_check_macs(&model->load, match, &step, selector);
    link->selector = selector;
}

static void dhcp_document(struct model *model, const struct yaml_node *root, bool v6)
{
    struct yaml_step step = {NULL, "name", 0};
    struct model_link *link = named_link(model, root);
    if (!link)
        return;
    struct spot at = model_spot(model, yaml_get(root, "name"), &step);
    if (v6)
        link->dhcp6_at = at;
    else
        link->dhcp4_at = at;
}

static void cluster_document(struct model *model, const char *kind, const struct yaml_node *root)
{
    struct yaml_step endpoint = {NULL, "endpoint", 0};
    if (strcmp(kind, "KubeClusterConfig") == 0) {
        model_endpoint(model, yaml_get(root, "endpoint"), &endpoint);
        if (!model->cluster)
            model->cluster = text_of(root, "clusterName");
    } else if (strcmp(kind, "KubeAPIServerConfig") == 0 && text_of(root, "apiPort")) {
        parse_u64(text_of(root, "apiPort"), &model->api_port);
    } else if (strcmp(kind, "KubeNetworkConfig") == 0) {
        model_fact_list(model, &model->pod_subnets, root, NULL, "podSubnets", NULL, "a pod subnet",
                        false);
        model_fact_list(model, &model->service_subnets, root, NULL, "serviceSubnets", NULL,
                        "a service subnet", false);
    }
}

static void node_document(struct model *model, const char *kind, const struct yaml_node *root)
{
    struct yaml_step hostname = {NULL, "hostname", 0}, ntp = {NULL, "ntp", 0};
    const char *name = text_of(root, "hostname");
    if (strcmp(kind, "HostnameConfig") == 0 && name && !template_is_value(name, strlen(name))) {
        model->hostname = name;
        model->hostname_at = model_spot(model, yaml_get(root, "hostname"), &hostname);
    } else if (strcmp(kind, "ResolverConfig") == 0) {
        model_fact_list(model, &model->nameservers, root, NULL, "nameservers", "address",
                        "a name server", false);
    } else if (strcmp(kind, "TimeSyncConfig") == 0) {
        model_fact_list(model, &model->timeservers, yaml_get(root, "ntp"), &ntp, "servers", NULL,
                        "a time server", false);
    }
}

void model_document(struct model *model, const char *kind, const struct yaml_node *root)
{
    static const char *const links[] = {"LinkConfig",      "BondConfig",      "BridgeConfig",
                                        "DummyLinkConfig", "WireguardConfig", "VethConfig",
                                        "MacVLANConfig",   "VRFConfig"};
    if (yaml_get(root, "$patch"))
        return;
    if (strcmp(kind, "Layer2VIPConfig") == 0)
        vip_document(model, root, MODEL_LAYER2);
    else if (strcmp(kind, "HCloudVIPConfig") == 0)
        vip_document(model, root, MODEL_HCLOUD);
    else if (strcmp(kind, "LinkAliasConfig") == 0)
        alias_document(model, root);
    else if (strcmp(kind, "VLANConfig") == 0)
        vlan_document(model, root);
    else if (strcmp(kind, "DHCPv4Config") == 0 || strcmp(kind, "DHCPv6Config") == 0)
        dhcp_document(model, root, kind[5] == '6');
    for (size_t i = 0; i < sizeof(links) / sizeof(links[0]); i++)
        if (strcmp(kind, links[i]) == 0)
            link_document(model, kind, root);
    model->has_unattended = model->has_unattended || strcmp(kind, "UnattendedInstallConfig") == 0;
    cluster_document(model, kind, root);
    node_document(model, kind, root);
}

void model_talosconfig(struct model *model, const struct yaml_node *root)
{
    struct yaml_step contexts = {NULL, "contexts", 0};
    for (const struct yaml_entry *e = yaml_get(root, "contexts")->entries; e; e = e->next) {
        struct yaml_step context = {&contexts, e->key->text, 0};
        model_fact_list(model, &model->endpoints, e->value, &context, "endpoints", NULL,
                        "an endpoint", false);
    }
}

/* A commonly seen name such as eth7 of an alias net%d. */
static struct model_link *numbered_alias(const struct model *model, const char *name)
{
    for (struct model_link *link = model->links; link; link = link->next) {
        const char *verb = link->is_alias ? strstr(link->name, "%d") : NULL;
        size_t prefix = verb ? (size_t)(verb - link->name) : 0;
        if (verb && strncmp(link->name, name, prefix) == 0 && name[prefix] &&
            name[prefix + strspn(name + prefix, "0123456789")] == '\0')
            return link;
    }
    return NULL;
}

void model_finish(struct model *model)
{
    for (struct model_vip *vip = model->vips; vip; vip = vip->next) {
        if (vip->link || !vip->link_name)
            continue;
        vip->link = model_link_find(model, vip->link_name);
        if (!vip->link)
            vip->link = numbered_alias(model, vip->link_name);
    }
}
