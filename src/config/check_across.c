/* SPDX-License-Identifier: MIT */
/* What several files say together: the nodes of one cluster, and a talosconfig beside them. */
#include "model.h"

#include <errno.h>
#include <string.h>

static bool is_specific(const struct model *model)
{
    if (model->hostname)
        return true;
    for (const struct model_link *link = model->links; link; link = link->next)
        if (link->addresses.n)
            return true;
    return false;
}

/* A VIP of `a` that `b` has not. */
static const struct model_vip *vip_missing(const struct model *a, const struct model *b)
{
    for (const struct model_vip *vip = a->vips; vip; vip = vip->next)
        if (vip->form != MODEL_AGENT && !model_vip_find(b, &vip->ip))
            return vip;
    return NULL;
}

static void compare_vlans(struct model *model, const struct model *other)
{
    for (const struct model_vip *vip = model->vips; vip; vip = vip->next) {
        const struct model_vip *same = model_vip_find(other, &vip->ip);
        uint64_t a = vip->link ? vip->link->vlan_id : 0,
                 b = same && same->link ? same->link->vlan_id : 0;
        if (!same || !vip->link || !same->link || a == b)
            continue;
        struct finding *f = across_report(
            model, "TV301", &vip->at, "the nodes do not agree on the VLAN of VIP %s", vip->text);
        spot_relate(model, f, &vip->at, "%s", vip_link_words(vip));
        spot_relate(model, f, &same->at, "%s", vip_link_words(same));
    }
}

/* True when they agree. */
static bool compare_vips(struct model *model, const struct model *other)
{
    const struct model_vip *mine = vip_missing(model, other), *theirs = vip_missing(other, model);
    if (mine && theirs) {
        struct finding *f =
            across_report(model, "TV301", &mine->at, "the nodes do not agree on the VIP of %s",
                          vip_link_words(mine));
        spot_relate(model, f, &mine->at, "%s", mine->text);
        spot_relate(model, f, &theirs->at, "%s", theirs->text);
        finding_set_help(&model->findings, f, "all control plane nodes need the same address");
    } else if (mine) {
        struct finding *f = across_report(model, "TV301", &mine->at, "%s does not have VIP %s",
                                          other->name, mine->text);
        finding_set_help(&model->findings, f, "all control plane nodes need the same VIPs");
    } else if (theirs && model->type_at.node) {
        struct finding *f = across_report(model, "TV301", &model->type_at,
                                          "this file does not have VIP %s", theirs->text);
        spot_relate(model, f, &theirs->at, "%s has it", other->name);
        finding_set_help(&model->findings, f, "all control plane nodes need the same VIPs");
    }
    return !mine && !theirs;
}

static void compare_endpoints(struct model *model, const struct model *first)
{
    if (!model->endpoint || !first->endpoint || strcmp(model->endpoint, first->endpoint) == 0)
        return;
    struct finding *f = across_report(model, "TV301", &model->endpoint_at,
                                      "the files do not agree on the cluster endpoint");
    /* In front of an '@' there may be a password. */
    bool shown = !strchr(model->endpoint, '@') && !strchr(first->endpoint, '@');
    spot_relate(model, f, &model->endpoint_at, "%s", shown ? model->endpoint : "here");
    spot_relate(model, f, &first->endpoint_at, "%s", shown ? first->endpoint : "and here");
}

/* Each file is compared with the first of its cluster, so that one that differs is named once. */
static void check_agreement(struct model *models, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        struct model *vips = NULL, *endpoint = NULL;
        if (!model_is_node(&models[i]) || models[i].is_broken)
            continue;
        for (size_t k = 0; k < i && !(vips && endpoint); k++) {
            if (!model_is_node(&models[k]) || models[k].is_broken ||
                !model_is_one_cluster(&models[i], &models[k]))
                continue;
            if (!vips && model_is_control_plane(&models[k]))
                vips = &models[k];
            if (!endpoint && models[k].endpoint)
                endpoint = &models[k];
        }
        if (vips && model_is_control_plane(&models[i]) && compare_vips(vips, &models[i]))
            compare_vlans(vips, &models[i]);
        if (endpoint)
            compare_endpoints(&models[i], endpoint);
    }
}

/* Only files of single nodes are counted; one for all nodes tells no number. */
static void check_quorum(struct model *models, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        size_t planes = 0, nodes = 0;
        bool is_first = true;
        if (!model_is_control_plane(&models[i]) || !is_specific(&models[i]))
            continue;
        for (size_t k = 0; k < n && is_first; k++) {
            if (!model_is_node(&models[k]) || !is_specific(&models[k]) ||
                !model_is_one_cluster(&models[i], &models[k]))
                continue;
            nodes++;
            planes += model_is_control_plane(&models[k]);
            is_first = !(k < i && model_is_control_plane(&models[k]));
        }
        if (!is_first || nodes < 2 || (planes % 2 == 1 && planes != 1))
            continue;
        struct finding *f =
            planes == 1 ? across_report(&models[i], "TV304", &models[i].type_at,
                                        "one control plane node: its loss is the loss of the VIP")
                        : across_report(&models[i], "TV304", &models[i].type_at,
                                        "%zu control plane nodes bear no more losses than %zu",
                                        planes, planes - 1);
        finding_set_help(&models[i].findings, f,
                         "etcd needs a majority; 3 nodes bear the loss of one");
    }
}

static void check_talosconfig(struct model *models, size_t n)
{
    for (size_t i = 0; i < n; i++)
        for (const struct fact *fact = models[i].endpoints.first; fact; fact = fact->next)
            for (size_t k = 0; k < n; k++) {
                const struct model_vip *vip = model_vip_find(&models[k], &fact->prefix.ip);
                if (!vip)
                    continue;
                struct finding *f = spot_report(&models[i], "TV216", &fact->at,
                                                "VIP %s is an endpoint of talosconfig", vip->text);
                spot_relate(&models[i], f, &vip->at, "the VIP");
                finding_set_why(&models[i].findings, f,
                                "without etcd there is no VIP, and so no way to repair etcd");
                finding_set_help(&models[i].findings, f,
                                 "give the addresses of the control plane nodes");
                break;
            }
}

/* What the agent is to hold. Cloud VIPs are for others. */
static void check_purpose(struct model *models, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        if (models[i].findings.errors > 0)
            return; /* it may be in there */
        for (const struct model_vip *vip = models[i].vips; vip; vip = vip->next)
            if (!vip->is_cloud)
                return;
    }
    struct finding_place at = {.file = models[0].name};
    finding_add(&models[0].findings, "TV105", &at, "no file names a VIP that this agent can serve");
}

/* The agent's files are of one machine: one of them must say what it is. */
static void check_types(struct model *models, size_t n)
{
    for (size_t i = 0; i < n; i++)
        if (models[i].options->is_for_agent && *models[i].type)
            return;
    for (size_t i = 0; i < n; i++)
        check_type(&models[i]);
}

void check_across(struct model *models, size_t n)
{
    check_types(models, n);
    if (n > 0 && models[0].options->is_for_agent)
        check_purpose(models, n);
    check_talosconfig(models, n);
    if (n < 2)
        return;
    check_agreement(models, n);
    if (check_taken(models, n) < 0)
        models[0].findings.error = -ENOMEM;
    check_quorum(models, n);
}
