/* SPDX-License-Identifier: MIT */
/* Network interfaces (rtnetlink(7), linux/if_link.h) and the device behind them. */
#ifndef TALOSVIP_NET_LINK_H
#define TALOSVIP_NET_LINK_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/ip.h"
#include "net/netlink.h"

#define LINK_NAME_MAX 16
#define LINK_ALTNAME_MAX 128
#define LINK_ALTNAMES_MAX 8 /* more are ignored */

struct link {
    int ifindex;
    char name[LINK_NAME_MAX];
    char altnames[LINK_ALTNAMES_MAX][LINK_ALTNAME_MAX];
    size_t altname_count;
    char alias[256];          /* ifalias; "" for none */
    char kind[32];            /* "vlan", "bond", "veth", ...; "" for a physical device */
    struct mac mac;           /* valid if has_mac */
    struct mac permanent_mac; /* valid if has_permanent_mac */
    uint32_t mtu;
    int master;         /* ifindex of the bond or bridge it belongs to; 0 */
    int parent;         /* ifindex of the link below, in this namespace; 0 */
    uint16_t vlan_id;   /* of kind "vlan" */
    uint8_t oper_state; /* IF_OPER_* of linux/if.h: 6 is up, 0 unknown */
    bool has_mac;
    bool has_permanent_mac;
    bool is_up;      /* IFF_UP: switched on by the administrator */
    bool is_running; /* up, and able to pass packets: carrier there, operational state fine */
    bool has_carrier;
    bool is_ether; /* Ethernet framing: ARP and NDP can be sent there */
    bool is_loopback;
    /* Filled by link_read_device() only; "" when unknown. */
    char driver[32];
    char pci_id[16];   /* "1AF4:1000" */
    char bus_path[64]; /* "0000:00:03.0" */
};

/* All links of the namespace. The caller frees the list (free()). 0 or -errno. */
int link_list(struct netlink *nl, struct link **ret_list, size_t *ret_n);
/* 0, -ENODEV, or -errno. */
int link_get(struct netlink *nl, int ifindex, struct link *ret_link);
/* By name, then by alternative name, then by alias. 0, -ENODEV, or -errno. */
int link_find(struct netlink *nl, const char *name, struct link *ret_link);
/* Is this one of its names? */
bool link_has_name(const struct link *link, const char *name);

/* What device selectors ask for: driver, PCI id and bus path, out of sysfs where that shows this
 * very link, else from the driver (ETHTOOL_GDRVINFO). Never fails: unknown stays "". */
void link_read_device(struct link *link);

/* Megabits per second as the driver tells (ETHTOOL_GSET). 0; -ENODATA when it does not know, or
 * -errno. */
int link_speed(const char *name, int64_t *ret_mbit);

#endif
