/* SPDX-License-Identifier: MIT */
/* Whether a VIP fits the networks of its link. */
#include "model.h"

#include <string.h>

#define SUBNETS_MAX 64

/* The networks of a VIP's link, as far as the file and the options tell. */
struct subnets {
    struct ip_prefix list[SUBNETS_MAX];
    const struct fact *facts[SUBNETS_MAX]; /* NULL: from the options or the host */
    size_t n;
};

static void subnet_add(struct subnets *subnets, const struct ip_prefix *prefix,
                       const struct fact *fact, uint8_t family)
{
    if (prefix->ip.family != family || prefix->bits >= ip_bits(&prefix->ip) ||
        subnets->n == SUBNETS_MAX)
        return;
    subnets->list[subnets->n] = *prefix;
    subnets->facts[subnets->n++] = fact;
}

static void subnets_of(const struct model *model, const struct model_vip *vip,
                       struct subnets *subnets)
{
    const struct validate_options *options = model->options;
    subnets->n = 0;
    if (vip->link)
        for (const struct fact *f = vip->link->addresses.first; f; f = f->next)
            subnet_add(subnets, &f->prefix, f, vip->ip.family);
    for (size_t i = 0; i < options->n_subnets; i++)
        subnet_add(subnets, &options->subnets[i], NULL, vip->ip.family);
    for (size_t i = 0; i < options->n_links && vip->link_name; i++)
        if (host_link_is_named(&options->links[i], vip->link_name))
            for (unsigned k = 0; k < options->links[i].n_addresses; k++)
                subnet_add(subnets, &options->links[i].addresses[k], NULL, vip->ip.family);
}

static void network_text(const struct ip_prefix *prefix, char out[PREFIX_TEXT_MAX])
{
    struct ip_prefix network = *prefix;
    for (size_t i = 0; i < ip_len(&network.ip); i++) {
        unsigned bits = network.bits > 8 * i ? network.bits - 8 * (unsigned)i : 0;
        if (bits < 8)
            network.ip.bytes[i] &= (uint8_t)(0xff00u >> bits);
    }
    ip_prefix_format(&network, out);
}

/* Whether all host bits are `ones`, or all are not. */
static bool host_bits_are(const struct ip_prefix *prefix, const struct ip *ip, bool ones)
{
    for (unsigned bit = prefix->bits; bit < ip_bits(ip); bit++)
        if (((ip->bytes[bit / 8] >> (7 - bit % 8)) & 1) != (ones ? 1 : 0))
            return false;
    return true;
}

static void check_edges(struct model *model, const struct model_vip *vip,
                        const struct ip_prefix *prefix, const struct fact *fact)
{
    char network[PREFIX_TEXT_MAX];
    bool v4 = vip->ip.family == IP_V4;
    if (prefix->bits + 1 >= ip_bits(&vip->ip))
        return;
    bool first = host_bits_are(prefix, &vip->ip, false),
         last = v4 && host_bits_are(prefix, &vip->ip, true);
    if (!first && !last)
        return;
    network_text(prefix, network);
    struct finding *f = spot_report(model, "TV205", &vip->at, "VIP %s is %s of %s", vip->text,
                                    last ? "the broadcast address"
                                    : v4 ? "the network address"
                                         : "the subnet-router anycast address",
                                    network);
    if (fact)
        spot_relate(model, f, &fact->at, "%s is in %s", vip_link_words(vip), network);
}

/* An address of the cluster endpoint that would fit. */
static bool endpoint_fits(const struct model *model, const struct subnets *subnets,
                          struct ip *ret_ip)
{
    if (!model->endpoint_host || ip_parse(model->endpoint_host, ret_ip) < 0)
        return false;
    bool fits = false;
    for (size_t i = 0; i < subnets->n; i++) {
        fits = fits || ip_prefix_contains(&subnets->list[i], ret_ip);
        if (ip_equal(&subnets->list[i].ip, ret_ip))
            return false;
    }
    return fits;
}

static void report_outside(struct model *model, struct model_vip *vip,
                           const struct subnets *subnets)
{
    char network[PREFIX_TEXT_MAX], text[IP_TEXT_MAX];
    struct ip ip;
    struct finding *f =
        spot_report(model, "TV203", &vip->at, "VIP %s is outside every subnet of %s", vip->text,
                    vip_link_words(vip));
    vip->is_outside = true;
    network_text(&subnets->list[0], network);
    finding_set_label(&model->findings, f, "not in %s", network);
    finding_set_why(&model->findings, f,
                    "hosts of %s never ask for this address by %s, so nobody can reach it", network,
                    vip->ip.family == IP_V4 ? "ARP" : "neighbour discovery");
    for (size_t i = 0; i < subnets->n; i++) {
        if (!subnets->facts[i])
            continue;
        network_text(&subnets->list[i], network);
        spot_relate(model, f, &subnets->facts[i]->at, "%s is in %s", vip_link_words(vip), network);
    }
    if (endpoint_fits(model, subnets, &ip)) {
        ip_format(&ip, text);
        finding_set_help(&model->findings, f,
                         "did you mean %s? The cluster endpoint (line %u) uses it", text,
                         model->endpoint_at.node->start.line);
        finding_set_suggestion(&model->findings, f, text);
    } else {
        finding_set_help(&model->findings, f,
                         "if a router leads to it, write above it: # talosvip: allow TV203 reason");
    }
}

static void report_unknown(struct model *model, const struct model_vip *vip, bool dhcp)
{
    const struct model_link *link = vip->link;
    const char *family = vip->ip.family == IP_V4 ? "IPv4" : "IPv6";
    struct finding *f;
    if (dhcp)
        f = spot_report(model, "TV207", &vip->at,
                        "whether VIP %s is in the subnet of %s is unknown: it uses DHCP", vip->text,
                        vip_link_words(vip));
    else
        f = spot_report(model, "TV207", &vip->at,
                        "whether VIP %s is in the subnet of %s is unknown: no static %s address",
                        vip->text, vip_link_words(vip), family);
    if (dhcp && link)
        spot_relate(model, f, vip->ip.family == IP_V4 ? &link->dhcp4_at : &link->dhcp6_at,
                    "DHCP here");
    if (!dhcp && model_is_patch(model))
        finding_set_severity(&model->findings, f, SEVERITY_INFO);
    finding_set_help(&model->findings, f, "give the subnet with --subnet, or use --host");
}

static bool has_single_address(const struct model_vip *vip)
{
    for (const struct fact *f = vip->link ? vip->link->addresses.first : NULL; f; f = f->next)
        if (f->prefix.ip.family == vip->ip.family)
            return true;
    return false;
}

void check_subnet(struct model *model, struct model_vip *vip)
{
    struct subnets subnets;
    bool dhcp = vip->link &&
                (vip->ip.family == IP_V4 ? vip->link->dhcp4_at.node : vip->link->dhcp6_at.node);
    subnets_of(model, vip, &subnets);
    for (size_t i = 0; i < subnets.n; i++)
        if (ip_prefix_contains(&subnets.list[i], &vip->ip)) {
            check_edges(model, vip, &subnets.list[i], subnets.facts[i]);
            return;
        }
    if (subnets.n > 0 && !dhcp)
        report_outside(model, vip, &subnets);
    else if (vip->form != MODEL_AGENT && !has_single_address(vip) && (vip->link || !model->links) &&
             !model->options->links)
        report_unknown(model, vip, dhcp);
    else if (subnets.n > 0)
        report_unknown(model, vip, dhcp);
}
