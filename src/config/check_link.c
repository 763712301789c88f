/* SPDX-License-Identifier: MIT */
/* The links of VIPs. */
#include "model.h"

#include "schema.h"

#include <string.h>

#define NAMES_MAX 64
#define NAME_CHARACTERS "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789._-:@%"
#define PARENTS_MAX 8

static const struct model_vip *first_vip(const struct model *model, const struct model_link *link)
{
    for (const struct model_vip *vip = model->vips; vip; vip = vip->next)
        if (vip->link == link && !vip->is_cloud)
            return vip;
    return NULL;
}

static void report_unusable(struct model *model, const struct model_vip *vip,
                            const struct spot *because, const char *message, const char *name,
                            const char *related)
{
    const struct spot *at = vip->form == MODEL_LAYER2 ? &vip->link_at : &vip->at;
    struct finding *f =
        spot_report(model, "TV214", at, "VIP %s is on %s, %s", vip->text, name, message);
    spot_relate(model, f, because, "%s", related);
}

static void check_usable(struct model *model, const struct model_vip *vip)
{
    const struct model_link *link = vip->link;
    unsigned left = PARENTS_MAX; /* VLANs could go round in a circle */
    for (const struct model_link *at = link; at && left > 0; at = at->parent, left--) {
        if (at->ignore_at.node) {
            report_unusable(model, vip, &at->ignore_at, "which is ignored", link->words,
                            "ignored here");
            return;
        }
    }
    if (link->master)
        report_unusable(model, vip, &link->member_at, "which is a member of a bond or bridge",
                        link->words, "a member here");
}

/* The name of another link of the file that may be meant. */
static const char *similar(const struct model *model, const char *name)
{
    const char *names[NAMES_MAX + 1] = {NULL};
    size_t n = 0;
    for (const struct model_link *l = model->links; l && n < NAMES_MAX; l = l->next)
        if (l->name && !l->name[strspn(l->name, NAME_CHARACTERS)])
            names[n++] = l->name;
    return schema_suggest(name, names);
}

static void check_known(struct model *model, const struct model_vip *vip)
{
    if (vip->link || !vip->link_name || !model->links || !vip->link_at.node)
        return;
    struct finding *f = spot_report(model, "TV214", &vip->link_at,
                                    "%s, the link of VIP %s, is not configured in this file",
                                    vip->link_name, vip->text);
    finding_set_severity(&model->findings, f, SEVERITY_WARNING);
    const char *suggestion = similar(model, vip->link_name);
    if (suggestion)
        finding_set_suggestion(&model->findings, f, suggestion);
    finding_set_why(&model->findings, f, "Talos says nothing when no link has this name");
}

static bool is_single(const struct config_selector *selector)
{
    for (size_t i = 0; i < selector->n_terms; i++) {
        enum config_field field = selector->terms[i].field;
        bool names_one = field == CONFIG_FIELD_MAC || field == CONFIG_FIELD_PERMANENT_MAC ||
                         field == CONFIG_FIELD_BUS_PATH;
        if (names_one && (selector->terms[i].exact || !strchr(selector->terms[i].glob, '*')))
            return true;
    }
    return false;
}

static const struct model_link *selecting(const struct model_link *link)
{
    return link->selector || !link->parent ? link : link->parent;
}

static void check_selector(struct model *model, const struct model_vip *vip)
{
    const struct model_link *link = selecting(vip->link);
    size_t matches = 0;
    /* An alias "net%d" gives each link it finds a name of its own. */
    if (!link->selector || is_single(link->selector) || (link->name && strchr(link->name, '%')))
        return;
    for (size_t i = 0; i < model->options->n_links; i++)
        matches += config_selector_match(link->selector, &model->options->links[i].device);
    if (model->options->links && matches < 2)
        return;
    struct finding *f =
        model->options->links
            ? spot_report(model, "TV215", &link->selector_at,
                          "this selector of the link of VIP %s matches %zu links of this host",
                          vip->text, matches)
            : spot_report(model, "TV215", &link->selector_at,
                          "this selector of the link of VIP %s can match several links", vip->text);
    spot_relate(model, f, &vip->at, "the VIP");
    finding_set_why(&model->findings, f, "the VIP is then set on each of them");
    finding_set_help(&model->findings, f, "hardwareAddr, permanentAddr or busPath name one link");
}

/* /32 without anything else, or two lengths for one network. */
static void check_prefixes(struct model *model, const struct model_link *link, uint8_t family)
{
    const struct fact *single = NULL;
    for (const struct fact *a = link->addresses.first; a; a = a->next) {
        if (a->prefix.ip.family != family)
            continue;
        if (a->prefix.bits == ip_bits(&a->prefix.ip)) {
            single = single ? single : a;
            continue;
        }
        for (const struct fact *b = link->addresses.first; b != a; b = b->next) {
            if (b->prefix.ip.family != family || b->prefix.bits == a->prefix.bits ||
                b->prefix.bits == ip_bits(&b->prefix.ip) ||
                !ip_prefix_contains(&a->prefix, &b->prefix.ip))
                continue;
            struct finding *f = spot_report(model, "TV209", &a->at,
                                            "%s and %s of %s are in one network with two lengths",
                                            b->text, a->text, link->words);
            spot_relate(model, f, &b->at, "the other one");
            return;
        }
    }
    for (const struct fact *a = link->addresses.first; a; a = a->next)
        if (a->prefix.ip.family == family && a->prefix.bits < ip_bits(&a->prefix.ip))
            return;
    if (!single || (family == IP_V4 ? link->dhcp4_at.node : link->dhcp6_at.node))
        return;
    struct finding *f = spot_report(
        model, "TV209", &single->at, "%s of %s has %s", single->text, link->words,
        single->has_bits ? "no network but itself" : "no prefix length, which means /32 or /128");
    finding_set_help(&model->findings, f, "write the length of the network, such as /24");
}

/* A rule of Talos for machine.network; with a VIP it is TV214. */
static void check_member(struct model *model, const struct model_link *link)
{
    const struct spot *at = link->addresses.n     ? &link->addresses.first->at
                            : link->dhcp4_at.node ? &link->dhcp4_at
                                                  : &link->dhcp6_at;
    if (!link->master || !link->is_legacy || !at->node || first_vip(model, link))
        return;
    struct finding *f =
        spot_report(model, "TV219", at,
                    "%s is a member of a bond or bridge and cannot have addresses", link->words);
    spot_relate(model, f, &link->member_at, "a member here");
}

void check_links(struct model *model)
{
    for (const struct model_link *link = model->links; link; link = link->next)
        if (link->master)
            check_member(model, link);
    for (const struct model_vip *vip = model->vips; vip; vip = vip->next) {
        if (!vip->is_cloud)
            check_known(model, vip);
        if (vip->is_cloud || !vip->link)
            continue;
        check_usable(model, vip);
        if (first_vip(model, vip->link) != vip)
            continue;
        check_selector(model, vip);
        check_prefixes(model, vip->link, IP_V4);
        check_prefixes(model, vip->link, IP_V6);
    }
}
