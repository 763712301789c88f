/* SPDX-License-Identifier: MIT */
/* The Talos machine config (v1alpha1), as far as VIPs go. */
#include "load.h"

#include "base/parse.h"
#include "schema.h"
#include "selector.h"

#include <ctype.h>
#include <errno.h>
#include <string.h>

/* An entry of machine.network.interfaces[]. */
struct device {
    const struct yaml_node *node;
    const struct yaml_step *path;
    const char *name; /* or NULL */
    const struct config_selector *selector;
};

/* The kernel writes MACs in lower case, and Talos compares as it stands. */
static void check_case(struct load *load, const struct yaml_node *node,
                       const struct yaml_step *path, bool lower)
{
    for (const char *p = node->text; *p; p++) {
        if (lower ? !isupper((unsigned char)*p) : !islower((unsigned char)*p))
            continue;
        struct finding *f = report_add(load->findings, "TV218", node, path,
                                       "this never matches: letters must be in %s case here",
                                       lower ? "lower" : "upper");
        finding_set_severity(load->findings, f, SEVERITY_WARNING);
        return;
    }
}

static void selector_key(struct load *load, const struct yaml_node *node,
                         const struct yaml_step *path, const char *key, enum config_field field,
                         struct config_selector *selector)
{
    struct yaml_step step = {path, key, 0};
    const struct yaml_node *value = yaml_get(node, key);
    const char *glob = yaml_text(value);
    if (!glob || !*glob)
        return;
    if (value->len >= SELECTOR_GLOB_MAX) {
        report_add(load->findings, "TV103", value, &step, "this text is too long");
        return;
    }
    if (field == CONFIG_FIELD_MAC || field == CONFIG_FIELD_PERMANENT_MAC)
        check_case(load, value, &step, true);
    if (field == CONFIG_FIELD_PCI_ID)
        check_case(load, value, &step, false);
    glob = arena_strdup(load->config->arena, glob);
    if (glob)
        selector_add(selector, field, glob, false);
}

static bool is_blank(const struct yaml_node *map)
{
    for (const struct yaml_entry *e = map->entries; e; e = e->next)
        if (e->value->kind != YAML_SCALAR || e->value->len > 0)
            return false;
    return true;
}

const struct config_selector *talos_device_selector(struct load *load, const struct yaml_node *node,
                                                    const struct yaml_step *path)
{
    struct config_selector *selector = arena_alloc(load->config->arena, sizeof(*selector));
    if (!selector || node->kind != YAML_MAPPING)
        return NULL;
    selector_key(load, node, path, "hardwareAddr", CONFIG_FIELD_MAC, selector);
    selector_key(load, node, path, "permanentAddr", CONFIG_FIELD_PERMANENT_MAC, selector);
    selector_key(load, node, path, "pciID", CONFIG_FIELD_PCI_ID, selector);
    selector_key(load, node, path, "driver", CONFIG_FIELD_DRIVER, selector);
    selector_key(load, node, path, "busPath", CONFIG_FIELD_BUS_PATH, selector);
    selector->has_physical = yaml_bool(yaml_get(node, "physical"), &selector->physical) == 0;
    if (selector->n_terms > 0 || selector->has_physical)
        return selector;
    if (!is_blank(node))
        return NULL; /* what is wrong with it has been said */
    struct finding *f = report_add(load->findings, "TV104", node, path,
                                   "an empty deviceSelector: at least one field must be given");
    finding_set_help(load->findings, f,
                     "hardwareAddr, permanentAddr, pciID, driver, busPath or physical");
    return NULL;
}

/* Fills in the name or the selector; false when the entry says neither, or both. */
static bool device_identify(struct load *load, struct device *device)
{
    const struct yaml_node *name = yaml_get(device->node, "interface");
    const struct yaml_node *selector = yaml_get(device->node, "deviceSelector");
    struct yaml_step name_step = {device->path, "interface", 0};
    struct yaml_step selector_step = {device->path, "deviceSelector", 0};
    bool named = name && !(name->kind == YAML_SCALAR && name->len == 0);
    if (named && selector) {
        struct finding *f = report_add(load->findings, "TV104", selector, &selector_step,
                                       "\"interface\" and \"deviceSelector\" exclude each other");
        struct finding_place at = report_place(name, NULL);
        finding_add_related(load->findings, f, &at, "the interface");
        return false;
    }
    if (!named && !selector) {
        report_add(load->findings, "TV104", device->node, device->path,
                   "either \"interface\" or \"deviceSelector\" must be given");
        return false;
    }
    if (named)
        device->name = config_vip_link(load, name, &name_step);
    else
        device->selector = talos_device_selector(load, selector, &selector_step);
    return device->name || device->selector;
}

static void served_elsewhere(struct load *load, const struct yaml_node *node,
                             const struct yaml_step *path, const char *provider)
{
    load->served_elsewhere = true;
    report_add(load->findings, "TV217", node, path,
               "this VIP is moved by the API of %s and not served by this agent", provider);
}

static void vip_mapping(struct load *load, const struct yaml_node *node,
                        const struct yaml_step *path, const struct config_vip *vip)
{
    static const char *const clouds[][2] = {{"hcloud", "Hetzner Cloud"},
                                            {"equinixMetal", "Equinix Metal"}};
    if (!node || node->kind != YAML_MAPPING)
        return;
    for (size_t i = 0; i < 2; i++) {
        struct yaml_step step = {path, clouds[i][0], 0};
        const struct yaml_node *cloud = yaml_get(node, clouds[i][0]);
        if (cloud) {
            served_elsewhere(load, cloud, &step, clouds[i][1]);
            return;
        }
    }
    struct yaml_step step = {path, "ip", 0};
    const struct yaml_node *ip = yaml_get(node, "ip");
    if (!ip)
        report_add(load->findings, "TV104", node, path, "\"ip\" is missing in this vip");
    else if (vip->link || vip->selector)
        config_vip_add(load, ip, &step, vip);
}

/* The link of a VLAN: known by name, or by the parent that will be selected. */
static void vlan_vip(struct load *load, const struct device *device, const struct yaml_node *vlan,
                     const struct yaml_step *path)
{
    struct yaml_step step = {path, "vip", 0};
    struct config_vip vip = {.form = CONFIG_FORM_LEGACY_VLAN, .selector = device->selector};
    const struct yaml_node *node = yaml_get(vlan, "vip"), *id = yaml_get(vlan, "vlanId");
    const char *id_text = yaml_text(id);
    char name[CONFIG_LINK_NAME_MAX + 1];
    uint64_t n;
    if (!node)
        return;
    if (!id) {
        report_add(load->findings, "TV104", vlan, path, "\"vlanId\" is missing in this VLAN");
        return;
    }
    if (!id_text || parse_u64(id_text, &n) < 0 || n < 1 || n > 4094)
        return; /* the schema has said it */
    vip.vlan_id = (uint16_t)n;
    if (device->name && config_vlan_name(device->name, vip.vlan_id, name) == 0) {
        vip.link = arena_strdup(load->config->arena, name);
        vip.vlan_id = 0;
    }
    vip_mapping(load, node, &step, &vip);
}

static void device_read(struct load *load, struct device *device)
{
    bool ignored = false;
    if (device->node->kind != YAML_MAPPING)
        return;
    yaml_bool(yaml_get(device->node, "ignore"), &ignored);
    if (ignored || !device_identify(load, device))
        return;
    struct yaml_step vip_step = {device->path, "vip", 0};
    struct config_vip vip = {
        .link = device->name, .selector = device->selector, .form = CONFIG_FORM_LEGACY};
    vip_mapping(load, yaml_get(device->node, "vip"), &vip_step, &vip);
    const struct yaml_node *vlans = yaml_get(device->node, "vlans");
    if (!vlans || vlans->kind != YAML_SEQUENCE)
        return;
    struct yaml_step vlans_step = {device->path, "vlans", 0}, item = {&vlans_step, NULL, 0};
    for (const struct yaml_entry *e = vlans->entries; e; e = e->next, item.index++)
        vlan_vip(load, device, e->value, &item);
}

static enum config_machine machine_of(const char *type)
{
    if (strcmp(type, "init") == 0)
        return CONFIG_MACHINE_INIT;
    if (strcmp(type, "controlplane") == 0)
        return CONFIG_MACHINE_CONTROLPLANE;
    return strcmp(type, "worker") == 0 || strcmp(type, "join") == 0 ? CONFIG_MACHINE_WORKER
                                                                    : CONFIG_MACHINE_UNKNOWN;
}

static void machine_type(struct load *load, const struct yaml_node *type,
                         const struct yaml_step *path)
{
    const char *text = yaml_text(type);
    if (!text || !*text)
        return;
    if (!load->machine_type) {
        load->machine_type = type;
        load->config->machine = machine_of(text);
    } else if (strcmp(load->machine_type->text, text) != 0) {
        struct finding *f = report_add(load->findings, "TV301", type, path,
                                       "the files give this machine two types");
        struct finding_place at = report_place(load->machine_type, "/machine/type");
        finding_add_related(load->findings, f, &at, "another one is here");
        finding_set_help(load->findings, f, "give the files of one machine only");
    }
}

void talos_machine_config(struct load *load, const struct yaml_node *root)
{
    struct yaml_step machine_step = {NULL, "machine", 0}, type = {&machine_step, "type", 0},
                     network = {&machine_step, "network", 0},
                     interfaces = {&network, "interfaces", 0}, item = {&interfaces, NULL, 0};
    schema_check(&schema_machine_config, root, load->findings);
    const struct yaml_node *machine = yaml_get(root, "machine");
    machine_type(load, yaml_get(machine, "type"), &type);
    const struct yaml_node *list = yaml_get(yaml_get(machine, "network"), "interfaces");
    if (!list || list->kind != YAML_SEQUENCE)
        return;
    for (const struct yaml_entry *e = list->entries; e; e = e->next, item.index++)
        device_read(load, &(struct device){.node = e->value, .path = &item});
}

void talos_hcloud_vip(struct load *load, const struct yaml_node *root)
{
    schema_check(&schema_hcloud_vip, root, load->findings);
    served_elsewhere(load, root, NULL, "Hetzner Cloud");
}
