/* SPDX-License-Identifier: MIT */
/* The machine config of v1alpha1: machine.network, and what of the rest concerns VIPs. */
#include "model.h"

#include "base/buf.h"
#include "base/parse.h"
#include "schema.h"
#include "selector.h"
#include "template.h"

#include <stdio.h>
#include <string.h>

#define WORDS_MAX 128

static bool is_true(const struct yaml_node *map, const char *key)
{
    bool value = false;
    return yaml_bool(yaml_get(map, key), &value) == 0 && value;
}

static const char *message_text(struct model *model, const char *fmt, const char *text)
{
    struct buf out;
    buf_init(&out, 0);
    buf_puts(&out, fmt);
    buf_puts(&out, text);
    const char *copy = arena_strdup(model->load.arena, buf_str(&out));
    report_text_done(&model->findings, &out);
    return copy ? copy : "";
}

/* Addresses, DHCP and gateways of an interface or a VLAN. */
static void addressing(struct model *model, struct model_link *link, const struct yaml_node *map,
                       const struct yaml_step *path)
{
    struct yaml_step dhcp = {path, "dhcp", 0}, cidr = {path, "cidr", 0};
    const struct yaml_node *options = yaml_get(map, "dhcpOptions");
    bool v4 = true;
    if (!link)
        return;
    link->is_configured = link->is_legacy = true;
    model_fact_list(model, &link->addresses, map, path, "addresses", NULL, "an address", true);
    model_fact(model, &link->addresses, yaml_get(map, "cidr"), &cidr, "an address", true);
    model_fact_list(model, &model->gateways, map, path, "routes", "gateway",
                    message_text(model, "a gateway of ", link->words), true);
    if (!is_true(map, "dhcp"))
        return;
    struct spot at = model_spot(model, yaml_get(map, "dhcp"), &dhcp);
    if (yaml_bool(yaml_get(options, "ipv4"), &v4) < 0 || v4)
        link->dhcp4_at = at;
    if (is_true(options, "ipv6"))
        link->dhcp6_at = at;
}

static void vip_read(struct model *model, struct model_link *link, const struct yaml_node *map,
                     const struct yaml_step *path, enum model_form form)
{
    const struct yaml_node *node = yaml_get(map, "vip"), *ip = yaml_get(node, "ip");
    struct yaml_step vip_step = {path, "vip", 0}, ip_step = {&vip_step, "ip", 0};
    if (!node || node->kind != YAML_MAPPING)
        return;
    if (!ip) {
        struct spot at = model_spot(model, node, &vip_step);
        spot_report(model, "TV104", &at, "\"ip\" is missing in this vip");
        return;
    }
    struct model_vip *vip = model_vip(model, ip, &ip_step, form);
    if (!vip)
        return;
    vip->is_cloud = yaml_get(node, "hcloud") || yaml_get(node, "equinixMetal");
    vip->link = link;
    vip->link_at = link ? link->at : (struct spot){NULL, NULL};
    vip->link_name = link ? link->name : NULL;
}

static struct model_link *vlan_link(struct model *model, struct model_link *parent,
                                    const struct yaml_node *map, const struct yaml_step *path)
{
    const char *id = yaml_text(yaml_get(map, "vlanId"));
    char name[WORDS_MAX];
    uint64_t n = 0;
    if (!id) {
        struct spot at = model_spot(model, map, path);
        spot_report(model, "TV104", &at, "\"vlanId\" is missing in this VLAN");
        return NULL;
    }
    if (parse_u64(id, &n) < 0 || n < 1 || n > 4094)
        return NULL; /* the schema has said it */
    if (!parent->name || strlen(parent->name) > CONFIG_LINK_NAME_MAX ||
        config_vlan_name(parent->name, (unsigned)n, name) < 0)
        snprintf(name, sizeof(name), "VLAN %u of %.100s", (unsigned)n, parent->words);
    const char *copy = arena_strdup(model->load.arena, name);
    struct model_link *link = !copy          ? NULL
                              : parent->name ? model_link_get(model, copy)
                                             : model_link_new(model);
    if (!link)
        return NULL;
    link->words = copy;
    link->vlan_id = n;
    link->parent = parent;
    link->at = model_spot(model, map, path);
    return link;
}

static void vlans(struct model *model, struct model_link *parent, const struct yaml_node *device,
                  const struct yaml_step *path)
{
    const struct yaml_node *list = yaml_get(device, "vlans");
    struct yaml_step vlans_step = {path, "vlans", 0}, item = {&vlans_step, NULL, 0};
    if (!list || list->kind != YAML_SEQUENCE)
        return;
    for (const struct yaml_entry *e = list->entries; e; e = e->next, item.index++) {
        struct model_link *link =
            e->value->kind == YAML_MAPPING ? vlan_link(model, parent, e->value, &item) : NULL;
        if (!link)
            continue;
        addressing(model, link, e->value, &item);
        vip_read(model, link, e->value, &item, MODEL_LEGACY_VLAN);
    }
}

static void members(struct model *model, struct model_link *link, const struct yaml_node *device,
                    const struct yaml_step *path, const char *key)
{
    const struct yaml_node *list = yaml_get(yaml_get(device, key), "interfaces");
    struct yaml_step map = {path, key, 0}, interfaces = {&map, "interfaces", 0},
                     item = {&interfaces, NULL, 0};
    if (!list || list->kind != YAML_SEQUENCE)
        return;
    for (const struct yaml_entry *e = list->entries; e; e = e->next, item.index++)
        model_member(model, link, e->value, &item);
}

static bool is_nothing(const struct yaml_node *node)
{
    return !node || (node->kind == YAML_SCALAR && node->len == 0) ||
           (node->kind == YAML_SEQUENCE && !node->entries);
}

static void exclusive(struct model *model, const struct yaml_node *device,
                      const struct yaml_step *path, const char *one, const char *other)
{
    const struct yaml_node *a = yaml_get(device, one), *b = yaml_get(device, other);
    struct yaml_step b_step = {path, other, 0};
    if (is_nothing(a) || is_nothing(b))
        return;
    struct spot at = model_spot(model, b, &b_step), first = {a, ""};
    struct finding *f =
        spot_report(model, "TV104", &at, "\"%s\" and \"%s\" exclude each other", one, other);
    spot_relate(model, f, &first, "the other one is here");
}

/* The link of an entry; NULL when it names none. */
static struct model_link *device_link(struct model *model, const struct yaml_node *device,
                                      const struct yaml_step *path)
{
    const struct yaml_node *name = yaml_get(device, "interface"),
                           *selector = yaml_get(device, "deviceSelector");
    struct yaml_step name_step = {path, "interface", 0},
                     selector_step = {path, "deviceSelector", 0};
    struct spot at = model_spot(model, device, path);
    if (name && yaml_text(name) && name->len) {
        const char *text = config_vip_link(&model->load, name, &name_step);
        struct model_link *link = text ? model_link_get(model, text) : NULL;
        if (link && !link->at.node)
            link->at = model_spot(model, name, &name_step);
        return link;
    }
    if (!selector && name && name->kind != YAML_SCALAR)
        return NULL; /* the schema has said it */
    if (!selector) {
        spot_report(model, "TV104", &at,
                    "either \"interface\" or \"deviceSelector\" must be given");
        return NULL;
    }
    char words[WORDS_MAX];
    struct model_link *link = model_link_new(model);
    if (!link)
        return NULL;
    link->at = link->selector_at = model_spot(model, selector, &selector_step);
    link->selector = talos_device_selector(&model->load, selector, &selector_step);
    if (link->selector)
        config_selector_format(link->selector, words, sizeof(words));
    link->words =
        message_text(model, "the link with ", link->selector ? words : "an empty selector");
    return link;
}

static void device_read(struct model *model, const struct yaml_node *device,
                        const struct yaml_step *path)
{
    struct yaml_step ignore = {path, "ignore", 0}, bond = {path, "bond", 0};
    if (device->kind != YAML_MAPPING || yaml_get(device, "$patch"))
        return;
    exclusive(model, device, path, "interface", "deviceSelector");
    exclusive(model, device, path, "bond", "bridge");
    exclusive(model, device, path, "addresses", "cidr");
    exclusive(model, yaml_get(device, "bond"), &bond, "interfaces", "deviceSelectors");
    struct model_link *link = device_link(model, device, path);
    if (!link)
        return;
    if (is_true(device, "ignore"))
        link->ignore_at = model_spot(model, yaml_get(device, "ignore"), &ignore);
    link->is_dummy = link->is_dummy || is_true(device, "dummy") ||
                     (link->name && strncmp(link->name, "dummy", 5) == 0);
    members(model, link, device, path, "bond");
    members(model, link, device, path, "bridge");
    addressing(model, link, device, path);
    vip_read(model, link, device, path, MODEL_LEGACY);
    vlans(model, link, device, path);
}

static void network_read(struct model *model, const struct yaml_node *network,
                         const struct yaml_step *path)
{
    struct yaml_step interfaces = {path, "interfaces", 0}, item = {&interfaces, NULL, 0},
                     hostname = {path, "hostname", 0};
    const struct yaml_node *list = yaml_get(network, "interfaces"),
                           *host = yaml_get(network, "hostname");
    if (yaml_text(host) && host->len && !template_is_value(host->text, host->len)) {
        model->hostname = host->text;
        model->hostname_at = model_spot(model, host, &hostname);
    }
    model_fact_list(model, &model->nameservers, network, path, "nameservers", NULL, "a name server",
                    false);
    if (!list || list->kind != YAML_SEQUENCE)
        return;
    for (const struct yaml_entry *e = list->entries; e; e = e->next, item.index++)
        device_read(model, e->value, &item);
}

static void machine_read(struct model *model, const struct yaml_node *machine)
{
    struct yaml_step step = {NULL, "machine", 0}, type = {&step, "type", 0},
                     network = {&step, "network", 0}, time = {&step, "time", 0};
    const struct yaml_node *node = yaml_get(machine, "type");
    if (yaml_text(node)) {
        model->type = node->text;
        model->type_at = model_spot(model, node, &type);
    }
    model_fact_list(model, &model->timeservers, yaml_get(machine, "time"), &time, "servers", NULL,
                    "a time server", false);
    network_read(model, yaml_get(machine, "network"), &network);
}

static void cluster_read(struct model *model, const struct yaml_node *cluster)
{
    struct yaml_step step = {NULL, "cluster", 0}, plane = {&step, "controlPlane", 0},
                     network = {&step, "network", 0}, endpoint = {&plane, "endpoint", 0};
    const struct yaml_node *control = yaml_get(cluster, "controlPlane"),
                           *subnets = yaml_get(cluster, "network");
    const char *id = yaml_text(yaml_get(cluster, "id")),
               *name = yaml_text(yaml_get(cluster, "clusterName")),
               *port = yaml_text(yaml_get(control, "localAPIServerPort"));
    model->has_cluster = model->has_cluster || control;
    model->cluster = id ? id : name ? name : model->cluster;
    if (port)
        parse_u64(port, &model->api_port);
    model_endpoint(model, yaml_get(control, "endpoint"), &endpoint);
    model_fact_list(model, &model->pod_subnets, subnets, &network, "podSubnets", NULL,
                    "a pod subnet", false);
    model_fact_list(model, &model->service_subnets, subnets, &network, "serviceSubnets", NULL,
                    "a service subnet", false);
}

static void version_read(struct model *model, const struct yaml_node *root)
{
    const struct yaml_node *version = yaml_get(root, "version");
    struct yaml_step step = {NULL, "version", 0};
    model->has_version = model->has_version || version;
    if (!yaml_text(version) || strcmp(version->text, "v1alpha1") == 0)
        return;
    struct spot at = model_spot(model, version, &step);
    struct finding *f = spot_report(model, "TV101", &at, "this version is not v1alpha1");
    finding_set_suggestion(&model->findings, f, "v1alpha1");
}

/* A value, and none that is filled in later. */
static bool is_given(const struct yaml_node *map, const char *key)
{
    const struct yaml_node *value = yaml_get(map, key);
    return yaml_text(value) && value->len > 0 && !template_is_value(value->text, value->len);
}

static void install_read(struct model *model, const struct yaml_node *root)
{
    const struct yaml_node *machine = yaml_get(root, "machine"),
                           *install = yaml_get(machine, "install"),
                           *selector = yaml_get(install, "diskSelector"),
                           *disk = yaml_get(install, "disk");
    struct yaml_step step = {NULL, "machine", 0}, below = {&step, "install", 0};
    model->root_at = (struct spot){root, ""};
    model->is_whole = is_given(machine, "token") && is_given(yaml_get(machine, "ca"), "crt") &&
                      yaml_get(yaml_get(root, "cluster"), "controlPlane");
    if (!install)
        return;
    model->install_at = model_spot(model, install, &below);
    model->has_disk = (yaml_text(disk) && disk->len) ||
                      (selector && selector->kind == YAML_MAPPING && selector->entries);
}

void model_machine_config(struct model *model, const struct yaml_node *root)
{
    model->has_talos = model->has_machine_config = true;
    schema_validate(&schema_full_machine_config, root, model->options->is_strict, &model->findings);
    machine_read(model, yaml_get(root, "machine"));
    cluster_read(model, yaml_get(root, "cluster"));
    version_read(model, root);
    install_read(model, root);
}
