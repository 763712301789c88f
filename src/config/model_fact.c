/* SPDX-License-Identifier: MIT */
/* Collects the facts of a model, and reports at them. */
#include "model.h"

#include "base/buf.h"
#include "base/parse.h"
#include "base/text.h"
#include "ip_text.h"
#include "template.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define LINKS_MAX 4000 /* a stranger's file gets no time for more */
#define VIPS_MAX 1000

struct spot model_spot(struct model *model, const struct yaml_node *node,
                       const struct yaml_step *path)
{
    struct buf pointer;
    buf_init(&pointer, 0);
    report_pointer(path, &pointer);
    struct spot spot = {node, arena_strdup(model->load.arena, buf_str(&pointer))};
    report_text_done(&model->findings, &pointer);
    return spot;
}

struct finding_place spot_place(const struct spot *at)
{
    return report_place(at->node, at->path);
}

/* What a file says may stand in a message, but cannot break its line or move a cursor. */
__attribute__((format(printf, 3, 0))) static bool format_plain(struct model *model, struct buf *out,
                                                               const char *fmt, va_list ap)
{
    char *text = NULL;
    buf_init(out, 0);
    if (vasprintf(&text, fmt, ap) < 0) {
        model->findings.error = -ENOMEM;
        return false;
    }
    text_add_plain(out, text);
    free(text);
    return true;
}

struct finding *spot_report(struct model *model, const char *id, const struct spot *at,
                            const char *fmt, ...)
{
    struct buf message;
    va_list ap;
    va_start(ap, fmt);
    bool good = format_plain(model, &message, fmt, ap);
    va_end(ap);
    struct finding_place place = spot_place(at);
    struct finding *f =
        good ? finding_add(&model->findings, id, &place, "%s", buf_str(&message)) : NULL;
    report_text_done(&model->findings, &message);
    return f;
}

struct finding *across_mark(struct finding *finding)
{
    if (finding)
        finding->is_across = true;
    return finding;
}

void spot_relate(struct model *model, struct finding *finding, const struct spot *at,
                 const char *fmt, ...)
{
    struct buf message;
    va_list ap;
    if (!at->node)
        return;
    va_start(ap, fmt);
    bool good = format_plain(model, &message, fmt, ap);
    va_end(ap);
    struct finding_place place = spot_place(at);
    if (good)
        finding_add_related(&model->findings, finding, &place, "%s", buf_str(&message));
    report_text_done(&model->findings, &message);
}

struct model_link *model_link_new(struct model *model)
{
    if (model->n_links == LINKS_MAX)
        return NULL;
    model->n_links++;
    struct model_link *link = arena_alloc(model->load.arena, sizeof(*link));
    if (!link)
        return NULL;
    *model->links_tail = link;
    model->links_tail = &link->next;
    return link;
}

struct model_link *model_link_find(const struct model *model, const char *name)
{
    for (struct model_link *link = model->links; link; link = link->next)
        if (link->name && strcmp(link->name, name) == 0)
            return link;
    return NULL;
}

struct model_link *model_link_get(struct model *model, const char *name)
{
    struct model_link *link = model_link_find(model, name);
    if (link)
        return link;
    link = model_link_new(model);
    if (link)
        link->name = link->words = name;
    return link;
}

void model_member(struct model *model, struct model_link *master, const struct yaml_node *node,
                  const struct yaml_step *path)
{
    const char *name = yaml_text(node);
    struct model_link *member = name && *name ? model_link_get(model, name) : NULL;
    if (!member)
        return;
    struct spot at = model_spot(model, node, path);
    /* Talos tells masters apart by their names. */
    if (member->master && member->master != master && member->master->name && master->name) {
        struct finding *f = spot_report(model, "TV219", &at, "%s is a member of both %s and %s",
                                        name, member->master->words, master->words);
        spot_relate(model, f, &member->member_at, "of %s here", member->master->words);
        return;
    }
    member->master = master;
    member->member_at = at;
}

static void wrong_address(struct model *model, const struct yaml_node *node,
                          const struct yaml_step *path)
{
    struct buf text, why;
    char address[64];
    buf_init(&text, 0);
    buf_init(&why, 0);
    report_quote(node->text, node->len, &text);
    snprintf(address, sizeof(address), "%.*s", (int)strcspn(node->text, "/"), node->text);
    struct ip ip;
    if (ip_parse(address, &ip) == 0)
        buf_puts(&why, "the prefix length is wrong");
    else
        ip_text_explain(address, &why);
    report_add(&model->findings, "TV103", node, path, "%s is not an address%s: %s", buf_str(&text),
               strchr(node->text, '/') ? " with a prefix length" : "", buf_str(&why));
    report_text_done(&model->findings, &text);
    report_text_done(&model->findings, &why);
}

struct fact *model_fact(struct model *model, struct facts *facts, const struct yaml_node *node,
                        const struct yaml_step *path, const char *what, bool is_checked)
{
    struct ip_prefix prefix;
    const char *text = yaml_text(node);
    if (!text || !*text)
        return NULL;
    bool has_bits = strchr(text, '/') != NULL;
    if (has_bits ? ip_prefix_parse(text, &prefix) < 0 : ip_parse(text, &prefix.ip) < 0) {
        if (is_checked)
            wrong_address(model, node, path);
        return NULL;
    }
    if (!has_bits)
        prefix.bits = ip_bits(&prefix.ip);
    struct fact *fact = arena_alloc(model->load.arena, sizeof(*fact));
    if (!fact)
        return NULL;
    *fact = (struct fact){.at = model_spot(model, node, path),
                          .text = text,
                          .what = what,
                          .prefix = prefix,
                          .has_bits = has_bits};
    if (!facts->tail)
        facts->tail = &facts->first;
    *facts->tail = fact;
    facts->tail = &fact->next;
    facts->n++;
    return fact;
}

void model_fact_list(struct model *model, struct facts *facts, const struct yaml_node *map,
                     const struct yaml_step *path, const char *list, const char *key,
                     const char *what, bool is_checked)
{
    const struct yaml_node *node = yaml_get(map, list);
    struct yaml_step list_step = {path, list, 0}, item = {&list_step, NULL, 0};
    if (!node || node->kind != YAML_SEQUENCE)
        return;
    for (const struct yaml_entry *e = node->entries; e; e = e->next, item.index++) {
        struct yaml_step below = {&item, key, 0};
        const struct yaml_node *value = key ? yaml_get(e->value, key) : e->value;
        model_fact(model, facts, value, key ? &below : &item, what, is_checked);
    }
}

struct model_vip *model_vip(struct model *model, const struct yaml_node *node,
                            const struct yaml_step *path, enum model_form form)
{
    struct ip ip;
    struct ip_prefix prefix;
    if (!node || !yaml_text(node))
        return NULL;
    if (!config_vip_address(&model->load, node, path, &ip)) {
        struct spot at = {node, NULL};
        if (ip_prefix_parse(node->text, &prefix) == 0) {
            at = model_spot(model, node, path);
            spot_report(model, "TV210", &at, "a VIP is always set as /%u, on purpose",
                        ip_bits(&prefix.ip));
        }
        return NULL;
    }
    struct model_vip *vip = arena_alloc(model->load.arena, sizeof(*vip));
    if (!vip || model->n_vips == VIPS_MAX)
        return NULL;
    model->n_vips++;
    vip->ip = ip;
    ip_format(&ip, vip->text);
    vip->at = model_spot(model, node, path);
    vip->form = form;
    *model->vips_tail = vip;
    model->vips_tail = &vip->next;
    return vip;
}

/* "https://10.0.0.50:6443", and what Talos takes besides. */
void model_endpoint(struct model *model, const struct yaml_node *node, const struct yaml_step *path)
{
    const char *text = yaml_text(node), *host = text ? strstr(text, "://") : NULL;
    if (!text || !*text || template_is_value(text, node->len))
        return;
    model->endpoint = text;
    model->endpoint_at = model_spot(model, node, path);
    if (!host)
        return;
    host += 3;
    size_t len = strcspn(host, "/?#");
    const char *port = host + len;
    while (port > host && *port != ':' && *port != ']')
        port--;
    bool has_port = *port == ':' && port > host;
    size_t host_len = has_port ? (size_t)(port - host) : len;
    if (has_port) {
        char *digits = arena_strndup(model->load.arena, port + 1, (size_t)(host + len - port - 1));
        if (digits)
            parse_u64(digits, &model->endpoint_port);
    }
    if (host_len >= 2 && host[0] == '[' && host[host_len - 1] == ']') {
        host++;
        host_len -= 2;
    }
    model->endpoint_host = arena_strndup(model->load.arena, host, host_len);
}
