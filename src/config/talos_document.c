/* SPDX-License-Identifier: MIT */
/* The documents of Talos 1.12 and later that name VIPs and links. */
#include "load.h"

#include "schema.h"
#include "selector.h"

#include <ctype.h>
#include <errno.h>
#include <string.h>

void talos_layer2_vip(struct load *load, const struct yaml_node *root)
{
    struct yaml_step name_step = {NULL, "name", 0}, link_step = {NULL, "link", 0};
    schema_check(&schema_layer2_vip, root, load->findings);
    const struct yaml_node *name = yaml_get(root, "name"), *link = yaml_get(root, "link");
    struct config_vip vip = {.form = CONFIG_FORM_LAYER2};
    if (link)
        vip.link = config_vip_link(load, link, &link_step);
    if (name && name->len && vip.link)
        config_vip_add(load, name, &name_step, &vip);
}

/* A finding inside a text: exact where the file shows the text as it is. */
static void report_expression(struct load *load, const struct yaml_node *node,
                              const struct yaml_step *path, const struct cel_error *error)
{
    struct yaml_node at = *node;
    size_t quotes = node->style == YAML_PLAIN ? 0 : 1;
    bool verbatim = node->style <= YAML_DOUBLE_QUOTED && node->start.line == node->end.line &&
                    node->end.offset - node->start.offset == node->len + 2 * quotes;
    if (verbatim) {
        at.start.column += (unsigned)(quotes + error->at);
        at.start.offset += quotes + error->at;
    }
    struct finding *f = report_add(load->findings, "TV218", &at, path,
                                   "this selector is not understood: %s", error->why);
    finding_set_help(load->findings, f,
                     "understood are mac(link.permanent_addr) == \"...\", mac(link.hardware_addr),"
                     " link.driver, link.bus_path, link.pciid, glob(\"...\", ...), joined by &&");
}

void talos_check_macs(struct load *load, const struct yaml_node *node, const struct yaml_step *path,
                      const struct config_selector *selector)
{
    for (size_t i = 0; i < selector->n_terms; i++) {
        bool upper = false;
        for (const char *p = selector->terms[i].glob; *p; p++)
            upper = upper || isupper((unsigned char)*p);
        if (!upper || selector->terms[i].field > CONFIG_FIELD_PERMANENT_MAC)
            continue;
        struct finding *f = report_add(load->findings, "TV218", node, path,
                                       "this never matches: mac() gives lower case letters");
        finding_set_severity(load->findings, f, SEVERITY_WARNING);
    }
}

void talos_link_alias(struct load *load, const struct yaml_node *root)
{
    struct yaml_step selector_step = {NULL, "selector", 0}, step = {&selector_step, "match", 0};
    schema_check(&schema_link_alias, root, load->findings);
    const char *name = yaml_text(yaml_get(root, "name"));
    const struct yaml_node *match = yaml_get(yaml_get(root, "selector"), "match");
    if (!name || !*name || !yaml_text(match) || !match->len)
        return;
    struct config_selector *selector = arena_alloc(load->config->arena, sizeof(*selector));
    struct alias *alias = arena_alloc(load->arena, sizeof(*alias));
    if (!selector || !alias)
        return;
    *alias = (struct alias){.name = name, .match = match, .next = load->aliases};
    int r = cel_parse(match->text, load->config->arena, selector, &alias->error);
    if (r == 0) {
        talos_check_macs(load, match, &step, selector);
        alias->selector = selector;
    }
    if (r == 0 || r == -EINVAL)
        load->aliases = alias;
}

void talos_report_alias(struct load *load, struct alias *alias)
{
    struct yaml_step selector_step = {NULL, "selector", 0}, step = {&selector_step, "match", 0};
    if (alias->match)
        report_expression(load, alias->match, &step, &alias->error);
    alias->match = NULL;
}
