/* SPDX-License-Identifier: MIT */
/* What --host and --probe found out, against what the file says. */
#include "model.h"

#include "base/buf.h"
#include "schema.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define NAMES_MAX 64
#define DAYS_LEFT_MIN 14

bool host_link_is_named(const struct validate_link *link, const char *name)
{
    if (strcmp(link->name, name) == 0)
        return true;
    for (size_t i = 0; i < VALIDATE_ALTNAMES_MAX && link->altnames[i]; i++)
        if (strcmp(link->altnames[i], name) == 0)
            return true;
    return false;
}

static const struct validate_link *by_name(const struct validate_options *options, const char *name)
{
    for (size_t i = 0; i < options->n_links; i++)
        if (host_link_is_named(&options->links[i], name))
            return &options->links[i];
    return NULL;
}

static const struct validate_link *by_selector(const struct validate_options *options,
                                               const struct config_selector *selector)
{
    for (size_t i = 0; i < options->n_links; i++)
        if (config_selector_match(selector, &options->links[i].device))
            return &options->links[i];
    return NULL;
}

/* Selectors first: an alias is no name that the host knows. */
static const struct validate_link *resolve(const struct model *model, const struct model_vip *vip)
{
    const struct validate_options *options = model->options;
    const struct model_link *link = vip->link, *parent = link ? link->parent : NULL;
    char name[CONFIG_LINK_NAME_MAX + 1];
    if (link && link->selector)
        return by_selector(options, link->selector);
    if (link && !link->name && parent && parent->selector) {
        const struct validate_link *found = by_selector(options, parent->selector);
        if (!found || config_vlan_name(found->name, (unsigned)link->vlan_id, name) < 0)
            return NULL;
        return by_name(options, name);
    }
    return vip->link_name ? by_name(options, vip->link_name) : NULL;
}

static void report_missing(struct model *model, const struct model_vip *vip)
{
    const char *names[NAMES_MAX + 1] = {NULL};
    const struct validate_options *options = model->options;
    const struct spot *at = vip->link_at.node ? &vip->link_at : &vip->at;
    struct buf list;
    buf_init(&list, 0);
    for (size_t i = 0; i < options->n_links && i < NAMES_MAX; i++) {
        names[i] = options->links[i].name;
        buf_printf(&list, "%s%s", i ? ", " : "", names[i]);
    }
    struct finding *f;
    if (vip->link_name)
        f = spot_report(model, "TV401", at, "no interface \"%s\" on this host (there are: %s)",
                        vip->link_name, buf_str(&list));
    else
        f = spot_report(model, "TV401", at, "no interface of this host fits this selector");
    spot_relate(model, f, &vip->at, "the VIP");
    const char *suggestion = vip->link_name ? schema_suggest(vip->link_name, names) : NULL;
    if (suggestion)
        finding_set_suggestion(&model->findings, f, suggestion);
    report_text_done(&model->findings, &list);
}

static bool fits(const struct validate_link *link, const struct ip *ip)
{
    for (unsigned i = 0; i < link->n_addresses && i < VALIDATE_ADDRESSES_MAX; i++)
        if (link->addresses[i].bits < ip_bits(ip) && ip_prefix_contains(&link->addresses[i], ip))
            return true;
    return false;
}

static void check_link(struct model *model, const struct model_vip *vip,
                       const struct validate_link *link)
{
    if (!link->is_up)
        spot_report(model, "TV401", &vip->at, "%s, the link of VIP %s, is down on this host",
                    link->name, vip->text);
    else if (!link->has_carrier)
        spot_report(model, "TV401", &vip->at, "%s, the link of VIP %s, has no carrier", link->name,
                    vip->text);
    if (!fits(link, &vip->ip))
        spot_report(model, "TV401", &vip->at, "%s has no address in the subnet of VIP %s",
                    link->name, vip->text);
}

/* The greater one of conf/all and conf/<link> counts (ip-sysctl.rst of the kernel). */
static long sysctl_value(const struct validate_host *host, const char *family, const char *link,
                         const char *key)
{
    long value = -1;
    for (size_t i = 0; i < host->n_sysctls; i++) {
        const char *scopes[] = {"all", link};
        for (size_t k = 0; k < 2; k++) {
            char name[160];
            snprintf(name, sizeof(name), "net.%s.conf.%s.%s", family, scopes[k], key);
            long found = strcmp(host->sysctls[i].name, name) == 0
                             ? strtol(host->sysctls[i].value, NULL, 10)
                             : -1;
            value = found > value ? found : value;
        }
    }
    return value;
}

static const char *sysctl_text(const struct validate_host *host, const char *name)
{
    for (size_t i = 0; i < host->n_sysctls; i++)
        if (strcmp(host->sysctls[i].name, name) == 0)
            return host->sysctls[i].value;
    return "";
}

/* Here only the link's own value counts; writing to conf/all sets it, and it may change again. */
static bool is_without_ipv6(const struct validate_host *host, const char *link)
{
    char name[160];
    snprintf(name, sizeof(name), "net.ipv6.conf.%s.disable_ipv6", link);
    return strcmp(sysctl_text(host, name), "1") == 0;
}

static void check_nonlocal(struct model *model, const struct model_vip *vip)
{
    const char *name =
        vip->ip.family == IP_V4 ? "net.ipv4.ip_nonlocal_bind" : "net.ipv6.ip_nonlocal_bind";
    if (strcmp(sysctl_text(model->options->host, name), "1") != 0)
        return;
    struct finding *f = spot_report(
        model, "TV403", &vip->at,
        "ip_nonlocal_bind is 1: programs can send from VIP %s where it is not", vip->text);
    finding_set_why(&model->findings, f, "the replies go to the node that holds it");
    finding_set_help(&model->findings, f, "a server can listen on all addresses instead");
}

static void check_sysctls(struct model *model, const struct model_vip *vip,
                          const struct validate_link *link)
{
    const struct validate_host *host = model->options->host;
    size_t addressed = 0;
    if (!host)
        return;
    check_nonlocal(model, vip);
    for (size_t i = 0; i < model->options->n_links; i++)
        addressed += model->options->links[i].n_addresses > 0 &&
                     strcmp(model->options->links[i].name, "lo") != 0;
    if (vip->ip.family == IP_V6) {
        if (is_without_ipv6(host, link->name))
            spot_report(model, "TV403", &vip->at, "IPv6 is switched off on %s (disable_ipv6)",
                        link->name);
        return;
    }
    long ignore = sysctl_value(host, "ipv4", link->name, "arp_ignore");
    if (ignore == 2 || ignore >= 4)
        spot_report(model, "TV403", &vip->at,
                    "arp_ignore is %ld on %s: the kernel will not answer for VIP %s", ignore,
                    link->name, vip->text);
    if (sysctl_value(host, "ipv4", link->name, "rp_filter") == 1 && addressed > 1) {
        struct finding *f = spot_report(
            model, "TV403", &vip->at,
            "rp_filter is 1 on %s, and there are other links: replies may be dropped", link->name);
        finding_set_help(&model->findings, f, "2 (loose) is right for a host with several links");
    }
}

/* Whether a selector of the file names just this MAC. */
static bool names_mac(const struct model *model, const char *mac)
{
    for (const struct model_link *link = model->links; link; link = link->next)
        for (size_t i = 0; link->selector && i < link->selector->n_terms; i++) {
            enum config_field field = link->selector->terms[i].field;
            if ((field == CONFIG_FIELD_MAC || field == CONFIG_FIELD_PERMANENT_MAC) &&
                strcmp(link->selector->terms[i].glob, mac) == 0)
                return true;
        }
    return false;
}

/* The file of the node that answers; NULL when none tells. */
static const struct model *answering(const struct model *models, size_t n, const char *mac)
{
    for (size_t i = 0; i < n; i++)
        if (names_mac(&models[i], mac))
            return &models[i];
    return NULL;
}

static void report_answer(struct model *model, const struct model_vip *vip,
                          const struct validate_probe_answer *answer, const struct model *node)
{
    char mac[MAC_TEXT_MAX];
    mac_format(&answer->mac, mac);
    struct finding *f;
    if (answer->is_agent)
        f = spot_report(model, "TV402", &vip->at, "VIP %s is held by %s (%s)", vip->text,
                        answer->owner, mac);
    else if (node)
        f = spot_report(model, "TV402", &vip->at, "VIP %s is in use: the node of %s (%s) has it",
                        vip->text, node->name, mac);
    else if (answer->owner)
        f = spot_report(model, "TV402", &vip->at, "VIP %s is in use: %s (%s) has it", vip->text,
                        answer->owner, mac);
    else
        f = spot_report(model, "TV402", &vip->at, "VIP %s is in use: %s answers for it", vip->text,
                        mac);
    /* Who is to hold it holds it. */
    if (answer->is_agent || (node && model_vip_find(node, &vip->ip)))
        finding_set_severity(&model->findings, f, SEVERITY_INFO);
}

static void check_answers(struct model *model, const struct model_vip *vip,
                          const struct model *models, size_t n)
{
    const struct validate_options *options = model->options;
    for (size_t i = 0; i < options->n_answers; i++) {
        const struct validate_probe_answer *answer = &options->answers[i];
        char mac[MAC_TEXT_MAX];
        if (!ip_equal(&answer->vip, &vip->ip))
            continue;
        mac_format(&answer->mac, mac);
        report_answer(model, vip, answer, answering(models, n, mac));
        return;
    }
}

void check_probe(struct model *models, size_t n)
{
    for (size_t i = 0; i < n && models[i].options->n_answers > 0; i++)
        for (const struct model_vip *vip = models[i].vips; vip; vip = vip->next)
            check_answers(&models[i], vip, models, n);
}

static void check_path(struct model *model, const struct model_path *path)
{
    const struct validate_host *host = model->options->host;
    int days = 0, r = 0;
    if (path->kind == PATH_COMMAND) {
        r = host->executable ? host->executable(host->arg, path->path) : 0;
        if (r < 0)
            spot_report(model, "TV505", &path->at, "this command cannot be run: %s", strerror(-r));
        return;
    }
    bool is_certificate = path->kind != PATH_PLAIN;
    r = host->certificate
            ? host->certificate(host->arg, path->path, path->kind == PATH_BUNDLE, &days)
            : 0;
    if (r < 0 && (is_certificate || r != -EINVAL)) {
        spot_report(model, "TV404", &path->at, "this file cannot be read: %s", strerror(-r));
    } else if (r == 0 && is_certificate && host->certificate && days < DAYS_LEFT_MIN) {
        struct finding *f =
            days < 0
                ? spot_report(model, "TV404", &path->at, "%s",
                              path->kind == PATH_BUNDLE ? "all certificates of this file have ended"
                                                        : "this certificate has ended")
                : spot_report(model, "TV404", &path->at, "%s ends in %d days",
                              path->kind == PATH_BUNDLE ? "the last certificate of this file"
                                                        : "this certificate",
                              days);
        if (days >= 0)
            finding_set_severity(&model->findings, f, SEVERITY_WARNING);
    }
}

static void check_rights(struct model *model)
{
    const struct validate_host *host = model->options->host;
    struct finding_place at = {.file = model->name};
    const char *lacks = host->lacks_net_admin ? "CAP_NET_ADMIN" : "CAP_NET_RAW";
    if (model->index > 0 || (!host->lacks_net_admin && !host->lacks_net_raw))
        return;
    struct finding *f = finding_add(&model->findings, "TV404", &at,
                                    host->lacks_net_admin && host->lacks_net_raw
                                        ? "CAP_NET_ADMIN and CAP_NET_RAW are missing"
                                        : "%s is missing",
                                    lacks);
    finding_set_help(&model->findings, f,
                     "run as root or: setcap cap_net_admin,cap_net_raw+ep /usr/sbin/talosvip");
}

void check_environment(struct model *model)
{
    for (const struct model_vip *vip = model->vips; vip; vip = vip->next) {
        if (!model->options->links || vip->is_cloud)
            continue;
        const struct validate_link *link = resolve(model, vip);
        if (!link) {
            report_missing(model, vip);
            continue;
        }
        check_link(model, vip, link);
        check_sysctls(model, vip, link);
    }
    if (!model->options->host)
        return;
    check_rights(model);
    for (const struct model_path *path = model->paths; path; path = path->next)
        check_path(model, path);
}
