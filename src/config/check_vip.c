/* SPDX-License-Identifier: MIT */
/* What a VIP may be, and where it may be. */
#include "model.h"

#include <string.h>

static void check_dhcp(struct model *model, const struct model_vip *vip)
{
    if (!vip->link || vip->is_cloud)
        return;
    const struct spot *dhcp = vip->ip.family == IP_V4 ? &vip->link->dhcp4_at : &vip->link->dhcp6_at;
    if (!dhcp->node)
        return;
    for (const struct model_vip *other = model->vips; other != vip; other = other->next)
        if (other->link == vip->link && other->ip.family == vip->ip.family)
            return;
    struct finding *f = spot_report(model, "TV208", dhcp, "%s uses DHCP and has VIP %s",
                                    vip_link_words(vip), vip->text);
    spot_relate(model, f, &vip->at, "the VIP");
    finding_set_why(&model->findings, f, "the DHCP server may give %s to another host", vip->text);
    finding_set_help(&model->findings, f, "keep %s out of the pool of the DHCP server", vip->text);
}

static void check_role(struct model *model, const struct model_vip *vip)
{
    bool legacy = vip->form == MODEL_LEGACY || vip->form == MODEL_LEGACY_VLAN;
    if (vip->form == MODEL_AGENT || !model_is_worker(model))
        return;
    struct finding *f = spot_report(model, legacy ? "TV201" : "TV202", &vip->at,
                                    "VIP %s is configured for a worker", vip->text);
    spot_relate(model, f, &model->type_at, "machine.type is \"%s\"", model->type);
    finding_set_why(&model->findings, f,
                    legacy ? "only control plane nodes have etcd; Talos refuses the file"
                           : "the worker waits for etcd for ever; Talos does not say so");
    finding_set_help(&model->findings, f, "only control plane nodes may hold a VIP");
}

static void check_own(struct model *model, const struct model_vip *vip)
{
    for (const struct model_link *link = model->links; link; link = link->next)
        for (const struct fact *fact = link->addresses.first; fact; fact = fact->next) {
            if (!ip_equal(&fact->prefix.ip, &vip->ip))
                continue;
            struct finding *f =
                spot_report(model, "TV204", &vip->at, "VIP %s is also a static address of %s",
                            vip->text, link->words);
            spot_relate(model, f, &fact->at, "the address of %s", link->words);
            finding_set_why(&model->findings, f,
                            "this node answers for it also while another one holds the VIP");
            return;
        }
}

static void check_server(struct model *model, const struct model_vip *vip,
                         const struct facts *facts)
{
    for (const struct fact *fact = facts->first; fact; fact = fact->next) {
        if (!ip_equal(&fact->prefix.ip, &vip->ip))
            continue;
        struct finding *f =
            spot_report(model, "TV206", &vip->at, "VIP %s is also %s", vip->text, fact->what);
        spot_relate(model, f, &fact->at, "%s", fact->what);
        return;
    }
}

/* `fallback` holds when the file says nothing; NULL: nothing does. */
static void check_pool(struct model *model, const struct model_vip *vip, const struct facts *facts,
                       const char *what, const char *fallback, enum severity severity)
{
    struct ip_prefix prefix;
    for (const struct fact *fact = facts->first; fact; fact = fact->next) {
        if (!ip_prefix_contains(&fact->prefix, &vip->ip))
            continue;
        struct finding *f = spot_report(model, "TV212", &vip->at, "VIP %s is inside %s %s",
                                        vip->text, what, fact->text);
        spot_relate(model, f, &fact->at, "%s", fact->what);
        finding_set_severity(&model->findings, f, severity);
        return;
    }
    if (facts->n > 0 || !fallback || ip_prefix_parse(fallback, &prefix) < 0 ||
        !ip_prefix_contains(&prefix, &vip->ip))
        return;
    struct finding *f = spot_report(model, "TV212", &vip->at,
                                    "VIP %s is inside %s %s, which holds when none is set",
                                    vip->text, what, fallback);
    finding_set_severity(&model->findings, f, SEVERITY_WARNING);
}

static void check_twice(struct model *model, const struct model_vip *vip)
{
    const struct model_vip *first = model->vips;
    while (first != vip && !ip_equal(&first->ip, &vip->ip))
        first = first->next;
    if (first == vip)
        return;
    bool clouds =
        first->form != vip->form && (first->form == MODEL_HCLOUD || vip->form == MODEL_HCLOUD);
    bool mixed = !clouds && first->form != vip->form &&
                 (first->form == MODEL_LAYER2 || vip->form == MODEL_LAYER2);
    struct finding *f = spot_report(model, "TV213", &vip->at, "VIP %s is there twice%s", vip->text,
                                    clouds  ? ", as Layer2VIPConfig and HCloudVIPConfig"
                                    : mixed ? ", in the old form and as a document"
                                    : first->link_name && vip->link_name &&
                                            strcmp(first->link_name, vip->link_name) != 0
                                        ? ", on two links"
                                        : "");
    spot_relate(model, f, &first->at, "first here");
    finding_set_help(&model->findings, f, "keep one of the two");
}

void check_vips(struct model *model)
{
    const char *pods = model->has_cluster ? "10.244.0.0/16" : NULL,
               *services = model->has_cluster ? "10.96.0.0/12" : NULL;
    for (struct model_vip *vip = model->vips; vip; vip = vip->next) {
        struct spot at = vip->at;
        check_role(model, vip);
        check_twice(model, vip);
        check_own(model, vip);
        if (vip->is_cloud) {
            spot_report(model, "TV217", &at,
                        "VIP %s is moved by the API of a provider, not by this agent", vip->text);
            continue;
        }
        if (!vip->link || (!vip->link->master && !vip->link->ignore_at.node))
            check_subnet(model, vip);
        check_dhcp(model, vip);
        check_server(model, vip, &model->gateways);
        check_server(model, vip, &model->nameservers);
        check_server(model, vip, &model->timeservers);
        check_pool(model, vip, &model->pod_subnets, "the pod subnet", pods, SEVERITY_WARNING);
        check_pool(model, vip, &model->service_subnets, "the service subnet", services,
                   SEVERITY_ERROR);
    }
}
