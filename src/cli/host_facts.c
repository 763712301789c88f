/* SPDX-License-Identifier: MIT */
#include "host_facts.h"

#include "certificate.h"

#include "base/buf.h"
#include "net/address.h"
#include "net/link.h"
#include "net/netlink.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "host_facts_state.h"

#define CAP_NET_ADMIN_BIT 12 /* linux/capability.h */
#define CAP_NET_RAW_BIT 13

static const struct {
    const char *family, *key;
} settings[] = {{"ipv4", "arp_ignore"}, {"ipv4", "rp_filter"}, {"ipv6", "disable_ipv6"}};

#define SETTINGS (sizeof(settings) / sizeof(settings[0]))

static ssize_t read_small(const char *path, char *out, size_t size)
{
    int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
    ssize_t n = fd < 0 ? -1 : read(fd, out, size - 1);
    if (fd >= 0)
        close(fd);
    if (n >= 0)
        out[n] = '\0';
    return n;
}

/* `scope`: a link, "all", or NULL for a setting of the whole host. */
static void add_setting(struct host_facts *f, const char *family, const char *scope,
                        const char *key)
{
    char path[128], value[16];
    const char *conf = scope ? "conf/" : "", *slash = scope ? "/" : "", *dot = scope ? "." : "";
    struct setting_text *text = &f->texts[f->host.n_sysctls];
    scope = scope ? scope : "";
    snprintf(path, sizeof(path), "/proc/sys/net/%s/%s%s%s%s", family, conf, scope, slash, key);
    if (read_small(path, value, sizeof(value)) <= 0)
        return;
    value[strcspn(value, "\n")] = '\0';
    snprintf(text->name, sizeof(text->name), "net.%s.%s%s%s%s", family, *conf ? "conf." : "", scope,
             dot, key);
    snprintf(text->value, sizeof(text->value), "%s", value);
    f->sysctls[f->host.n_sysctls++] = (struct validate_sysctl){text->name, text->value};
}

static int read_settings(struct host_facts *f)
{
    static const char *const families[] = {"ipv4", "ipv6"};
    size_t most = (f->n_links + 1) * SETTINGS + 2;
    f->texts = calloc(most, sizeof(*f->texts));
    f->sysctls = calloc(most, sizeof(*f->sysctls));
    if (!f->texts || !f->sysctls)
        return -ENOMEM;
    for (size_t i = 0; i < SETTINGS; i++) {
        add_setting(f, settings[i].family, "all", settings[i].key);
        for (size_t k = 0; k < f->n_links; k++)
            add_setting(f, settings[i].family, f->links[k].name, settings[i].key);
    }
    for (size_t i = 0; i < 2; i++)
        add_setting(f, families[i], NULL, "ip_nonlocal_bind");
    f->host.sysctls = f->sysctls;
    return 0;
}

static void read_rights(struct host_facts *f)
{
    char text[8192];
    const char *line;
    if (read_small("/proc/self/status", text, sizeof(text)) <= 0 ||
        !(line = strstr(text, "\nCapEff:")))
        return; /* not known is not missing */
    unsigned long long bits = strtoull(line + 8, NULL, 16);
    f->host.lacks_net_admin = !(bits >> CAP_NET_ADMIN_BIT & 1);
    f->host.lacks_net_raw = !(bits >> CAP_NET_RAW_BIT & 1);
}

static int executable(void *arg, const char *path)
{
    struct stat st;
    (void)arg;
    if (stat(path, &st) < 0 || access(path, X_OK) < 0)
        return -errno;
    return S_ISDIR(st.st_mode) ? -EISDIR : S_ISREG(st.st_mode) ? 0 : -EACCES;
}

static int certificate(void *arg, const char *path, bool is_bundle, int *ret_days)
{
    (void)arg;
    return certificate_days(path, is_bundle, ret_days);
}

static void fill_device(struct link *link, struct link_text *text, struct config_device *to)
{
    link_read_device(link);
    *to = (struct config_device){.physical = link->is_ether && link->kind[0] == '\0'};
    if (link->has_mac) {
        mac_format(&link->mac, text->mac);
        to->mac = text->mac;
    }
    if (link->has_permanent_mac) {
        mac_format(&link->permanent_mac, text->permanent_mac);
        to->permanent_mac = text->permanent_mac;
    }
    to->driver = link->driver[0] ? link->driver : NULL;
    to->pci_id = link->pci_id[0] ? link->pci_id : NULL;
    to->bus_path = link->bus_path[0] ? link->bus_path : NULL;
}

static void fill_link(struct host_facts *f, size_t i)
{
    struct link *link = &f->links[i];
    struct validate_link *to = &f->views[i];
    to->name = link->name;
    to->kind = link->kind;
    to->is_up = link->is_up;
    to->has_carrier = link->has_carrier;
    size_t n = 0;
    for (; n < link->altname_count && n < VALIDATE_ALTNAMES_MAX; n++)
        to->altnames[n] = link->altnames[n];
    if (link->alias[0] && n < VALIDATE_ALTNAMES_MAX)
        to->altnames[n] = link->alias;
    for (size_t k = 0; k < f->n_addresses && to->n_addresses < VALIDATE_ADDRESSES_MAX; k++)
        if (f->addresses[k].ifindex == link->ifindex && !address_is_ours(&f->addresses[k]))
            to->addresses[to->n_addresses++] =
                (struct ip_prefix){f->addresses[k].ip, f->addresses[k].bits};
    fill_device(link, &f->link_texts[i], &to->device);
}

static int read_links(struct host_facts *f)
{
    int r = link_list(f->netlink, &f->links, &f->n_links);
    if (r == 0)
        r = address_list(f->netlink, 0, &f->addresses, &f->n_addresses);
    if (r < 0)
        return r;
    f->views = calloc(f->n_links + 1, sizeof(*f->views));
    f->link_texts = calloc(f->n_links + 1, sizeof(*f->link_texts));
    if (!f->views || !f->link_texts)
        return -ENOMEM;
    for (size_t i = 0; i < f->n_links; i++)
        fill_link(f, i);
    return 0;
}

int host_facts_new(struct host_facts **ret_facts)
{
    struct host_facts *f = calloc(1, sizeof(*f));
    if (!f)
        return -ENOMEM;
    int r = netlink_open(&f->netlink);
    if (r == 0)
        r = read_links(f);
    if (r == 0)
        r = read_settings(f);
    if (r < 0) {
        host_facts_free(f);
        return r;
    }
    read_rights(f);
    f->host.executable = executable;
    f->host.certificate = certificate;
    *ret_facts = f;
    return 0;
}

void host_facts_free(struct host_facts *facts)
{
    if (!facts)
        return;
    netlink_close(facts->netlink);
    free(facts->links);
    free(facts->addresses);
    free(facts->views);
    free(facts->link_texts);
    free(facts->texts);
    free(facts->sysctls);
    free(facts->answers);
    free(facts->owners);
    free(facts);
}

void host_facts_links(const struct host_facts *facts, struct validate_options *to)
{
    to->links = facts->views;
    to->n_links = facts->n_links;
    to->host = &facts->host;
}
