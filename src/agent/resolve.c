/* SPDX-License-Identifier: MIT */
/* From what a configuration says of a link to one link of this host. */
#include "state.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

static bool matches(const struct config_selector *selector, struct link *link)
{
    char mac[MAC_TEXT_MAX], permanent[MAC_TEXT_MAX];
    struct config_device device = {.physical = link->is_ether && link->kind[0] == '\0'};
    if (link->is_loopback)
        return false;
    link_read_device(link);
    if (link->has_mac) {
        mac_format(&link->mac, mac);
        device.mac = mac;
    }
    if (link->has_permanent_mac) {
        mac_format(&link->permanent_mac, permanent);
        device.permanent_mac = permanent;
    }
    device.driver = link->driver[0] ? link->driver : NULL;
    device.pci_id = link->pci_id[0] ? link->pci_id : NULL;
    device.bus_path = link->bus_path[0] ? link->bus_path : NULL;
    return config_selector_match(selector, &device);
}

static void list_names(const struct link *links, size_t n, struct buf *out)
{
    bool is_first = true;
    buf_puts(out, " (there are: ");
    for (size_t i = 0; i < n; i++) {
        if (links[i].is_loopback)
            continue;
        buf_printf(out, "%s%s", is_first ? "" : ", ", links[i].name);
        is_first = false;
    }
    buf_puts(out, is_first ? "none)" : ")");
}

static const struct link *find_selected(const struct config_selector *selector, struct link *links,
                                        size_t n)
{
    for (size_t i = 0; i < n; i++)
        if (matches(selector, &links[i]))
            return &links[i];
    return NULL;
}

static const struct link *find_named(const char *name, const struct link *links, size_t n)
{
    for (size_t i = 0; i < n; i++)
        if (strcmp(links[i].name, name) == 0)
            return &links[i];
    for (size_t i = 0; i < n; i++)
        if (link_has_name(&links[i], name))
            return &links[i];
    return NULL;
}

static const struct link *find_vlan(const struct link *parent, uint16_t vlan_id,
                                    const struct link *links, size_t n, struct buf *why)
{
    char name[CONFIG_LINK_NAME_MAX + 1] = "";
    config_vlan_name(parent->name, vlan_id, name);
    const struct link *found = find_named(name, links, n);
    if (!found)
        buf_printf(why, "no VLAN interface \"%s\" on this host", name);
    return found;
}

static const struct link *find(const struct config_vip *vip, struct link *links, size_t n,
                               struct buf *why)
{
    const struct link *found = NULL;
    if (vip->link)
        found = find_named(vip->link, links, n);
    if (!found && vip->selector)
        found = find_selected(vip->selector, links, n);
    if (!found && vip->selector) {
        char text[256];
        config_selector_format(vip->selector, text, sizeof(text));
        buf_printf(why, "no interface on this host matches %s", text);
    } else if (!found) {
        buf_printf(why, "no interface \"%s\" on this host", vip->link);
    }
    if (!found) {
        list_names(links, n, why);
        return NULL;
    }
    if (vip->selector && vip->vlan_id)
        return find_vlan(found, vip->vlan_id, links, n, why);
    return found;
}

int links_resolve(struct agent *a, const struct config_vip *vip, char ret_name[LINK_NAME_MAX],
                  struct buf *why)
{
    struct link *links = NULL;
    size_t n = 0;
    int r = link_list(a->netlink, &links, &n);
    if (r < 0) {
        buf_printf(why, "cannot list the interfaces: %s", strerror(-r));
        return r;
    }
    const struct link *found = find(vip, links, n, why);
    if (found && !found->is_ether) {
        buf_printf(why, "interface %s is no Ethernet link", found->name);
        found = NULL;
    }
    if (found)
        memcpy(ret_name, found->name, LINK_NAME_MAX);
    free(links);
    return found ? 0 : -ENODEV;
}
