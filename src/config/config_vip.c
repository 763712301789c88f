/* SPDX-License-Identifier: MIT */
#include "load.h"

#include "base/buf.h"
#include "ip_text.h"
#include "selector.h"

#include <ctype.h>
#include <string.h>

#define ALTNAME_MAX 127 /* ALTIFNAMSIZ of linux/if.h without the NUL */

struct config_where config_vip_where(struct load *load, const struct yaml_node *node,
                                     const struct yaml_step *path)
{
    struct buf pointer;
    struct arena *arena = load->config->arena;
    buf_init(&pointer, 0);
    report_pointer(path, &pointer);
    struct config_where where = {
        .file = arena_strdup(arena, node->file),
        .yaml_path = arena_strdup(arena, buf_str(&pointer)),
        .line = node->start.line,
        .column = node->start.column,
    };
    report_text_done(load->findings, &pointer);
    return where;
}

const char *config_vip_link(struct load *load, const struct yaml_node *node,
                            const struct yaml_step *path)
{
    const char *name = yaml_text(node), *why = NULL;
    if (!name || !*name)
        return NULL; /* the schema has said it */
    if (strlen(name) > ALTNAME_MAX)
        why = "it is too long";
    else if (strcmp(name, ".") == 0 || strcmp(name, "..") == 0)
        why = "it is reserved";
    for (const char *p = name; *p && !why; p++)
        if (isspace((unsigned char)*p) || iscntrl((unsigned char)*p) || *p == '/')
            why = "it has a space or a '/'";
    if (!why)
        return arena_strdup(load->config->arena, name);
    struct buf text;
    buf_init(&text, 0);
    report_quote(name, strlen(name), &text);
    report_add(load->findings, "TV103", node, path, "%s is not the name of a link: %s",
               buf_str(&text), why);
    report_text_done(load->findings, &text);
    return NULL;
}

static void report_not_ip(struct load *load, const struct yaml_node *node,
                          const struct yaml_step *path)
{
    struct buf message;
    struct ip_prefix prefix;
    buf_init(&message, 0);
    report_quote(node->text, node->len, &message);
    buf_puts(&message, " is not an IP address: ");
    ip_text_explain(node->text, &message);
    struct finding *f = report_add(load->findings, "TV103", node, path, "%s", buf_str(&message));
    if (ip_prefix_parse(node->text, &prefix) == 0) {
        char text[IP_TEXT_MAX];
        ip_format(&prefix.ip, text);
        finding_set_help(load->findings, f, "did you mean %s?", text);
        finding_set_suggestion(load->findings, f, text);
    }
    report_text_done(load->findings, &message);
}

bool config_vip_address(struct load *load, const struct yaml_node *node,
                        const struct yaml_step *path, struct ip *ret_ip)
{
    struct ip ip;
    if (!yaml_text(node))
        return false; /* the schema has said it */
    if (ip_parse(node->text, &ip) < 0) {
        report_not_ip(load, node, path);
        return false;
    }
    const char *unusable = ip_text_unusable(&ip);
    if (unusable) {
        struct buf text;
        buf_init(&text, 0);
        report_quote(node->text, node->len, &text);
        report_add(load->findings, "TV205", node, path, "%s cannot be a VIP: it is %s",
                   buf_str(&text), unusable);
        report_text_done(load->findings, &text);
        return false;
    }
    *ret_ip = ip;
    return true;
}

void config_vip_add(struct load *load, const struct yaml_node *node, const struct yaml_step *path,
                    const struct config_vip *vip)
{
    struct ip ip;
    if (!config_vip_address(load, node, path, &ip))
        return;
    if (load->n_vips == CONFIG_VIPS_MAX) {
        if (!load->full)
            report_add(load->findings, "TV103", node, path, "more than %d VIPs", CONFIG_VIPS_MAX);
        load->full = true;
        return;
    }
    struct pending_vip *pending = arena_alloc(load->arena, sizeof(*pending));
    if (!pending)
        return;
    pending->vip = *vip;
    pending->vip.ip = ip;
    pending->vip.where = config_vip_where(load, node, path);
    pending->node = node;
    *load->vips_tail = pending;
    load->vips_tail = &pending->next;
    load->n_vips++;
}

static struct finding *report_vip(struct load *load, const char *id, const struct pending_vip *vip,
                                  const char *message)
{
    struct finding_place at = report_place(vip->node, vip->vip.where.yaml_path);
    char text[IP_TEXT_MAX];
    ip_format(&vip->vip.ip, text);
    return finding_add(load->findings, id, &at, "VIP %s %s", text, message);
}

static void check_worker(struct load *load, const struct pending_vip *vip)
{
    bool legacy = vip->vip.form == CONFIG_FORM_LEGACY || vip->vip.form == CONFIG_FORM_LEGACY_VLAN;
    if (!legacy && vip->vip.form != CONFIG_FORM_LAYER2)
        return;
    const char *type = load->machine_type ? load->machine_type->text : "";
    if (load->config->machine == CONFIG_MACHINE_WORKER) {
        struct finding *f =
            report_vip(load, legacy ? "TV201" : "TV202", vip, "is configured for a worker");
        finding_set_help(load->findings, f,
                         "machine.type is \"%s\"; only control plane nodes may hold a VIP", type);
    } else if (legacy && !load->machine_type) {
        struct finding *f = report_vip(load, "TV201", vip, "is configured for a worker");
        finding_set_help(load->findings, f,
                         "machine.type is not set, and that makes a worker; set controlplane");
    }
}

/* The same name twice is one link, and so is the same selector. */
static bool same_place(const struct config_vip *a, const struct config_vip *b)
{
    if (a->vlan_id != b->vlan_id)
        return false;
    if (a->link && b->link)
        return strcmp(a->link, b->link) == 0;
    return !a->link && !b->link && selector_equal(a->selector, b->selector);
}

bool config_vip_equal(const struct config_vip *a, const struct config_vip *b)
{
    return ip_equal(&a->ip, &b->ip) && same_place(a, b) && selector_equal(a->selector, b->selector);
}

/* True when `vip` says again what another file said before. */
static bool check_twice(struct load *load, const struct pending_vip *vip)
{
    const struct pending_vip *first = load->vips;
    while (first != vip && !ip_equal(&first->vip.ip, &vip->vip.ip))
        first = first->next;
    if (first == vip)
        return false;
    bool same = same_place(&first->vip, &vip->vip);
    if (same && first->node->file != vip->node->file) /* the same pointer: the same file */
        return true;
    struct finding_place at = report_place(first->node, first->vip.where.yaml_path);
    struct finding *f =
        report_vip(load, "TV213", vip, same ? "is there twice" : "is there twice, on two links");
    finding_add_related(load->findings, f, &at, "first here");
    return true;
}

/* "net%d" names the links it selects by their order, which depends on all links of the host. */
static bool is_numbered(const char *pattern, const char *name)
{
    const char *verb = strstr(pattern, "%d");
    if (!verb || strncmp(pattern, name, (size_t)(verb - pattern)) != 0)
        return false;
    name += verb - pattern;
    size_t digits = strspn(name, "0123456789");
    return digits > 0 && strcmp(name + digits, verb + 2) == 0;
}

static void resolve_alias(struct load *load, struct pending_vip *vip)
{
    if (!vip->vip.link || vip->vip.form == CONFIG_FORM_LEGACY_VLAN)
        return;
    for (struct alias *alias = load->aliases; alias; alias = alias->next) {
        if (strcmp(alias->name, vip->vip.link) == 0) {
            vip->vip.selector = alias->selector;
            if (!alias->selector)
                talos_report_alias(load, alias);
            return;
        }
        if (is_numbered(alias->name, vip->vip.link)) {
            struct finding *f =
                report_vip(load, "TV218", vip, "is on a numbered alias, which is not understood");
            finding_set_help(load->findings, f,
                             "give the VIP the link's own name, or an alias without %%d");
            return;
        }
    }
}

void config_vip_finish(struct load *load)
{
    struct config *config = load->config;
    config->vips = arena_array(config->arena, load->n_vips, sizeof(*config->vips));
    if (!config->vips)
        return;
    for (struct pending_vip *vip = load->vips; vip; vip = vip->next) {
        check_worker(load, vip);
        resolve_alias(load, vip);
        if (!check_twice(load, vip))
            config->vips[config->n_vips++] = vip->vip;
    }
    if (load->n_vips == 0 && load->findings->errors == load->errors_before) {
        struct finding *f =
            finding_add(load->findings, "TV105", NULL,
                        load->served_elsewhere ? "no file names a VIP that this agent can serve"
                                               : "no file names a VIP");
        finding_set_help(load->findings, f,
                         "Talos: machine.network.interfaces[].vip or a Layer2VIPConfig; "
                         "or vips: [{ip, link}] in AgentConfig");
    }
}
