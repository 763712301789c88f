/* SPDX-License-Identifier: MIT */
#include "schema.h"

#include "config/config.h"

#define KEYS(array) .keys = (array), .n_keys = sizeof(array) / sizeof((array)[0])
#define SECOND_US UINT64_C(1000000)

/* Talos v1alpha1: types of pkg/machinery/config/types/v1alpha1. */

static const struct schema_key cloud_keys[] = {{.name = "apiToken", .type = SCHEMA_TEXT}};
static const struct schema cloud = {.name = "cloud", KEYS(cloud_keys)};

static const struct schema_key vip_keys[] = {
    {.name = "ip", .type = SCHEMA_TEXT},
    {.name = "equinixMetal", .type = SCHEMA_MAP, .child = &cloud},
    {.name = "hcloud", .type = SCHEMA_MAP, .child = &cloud},
};
static const struct schema vip = {.name = "vip", KEYS(vip_keys)};

static const struct schema_key selector_keys[] = {
    {.name = "busPath", .type = SCHEMA_TEXT},       {.name = "hardwareAddr", .type = SCHEMA_TEXT},
    {.name = "permanentAddr", .type = SCHEMA_TEXT}, {.name = "pciID", .type = SCHEMA_TEXT},
    {.name = "driver", .type = SCHEMA_TEXT},        {.name = "physical", .type = SCHEMA_BOOL},
};
static const struct schema selector = {.name = "deviceSelector", KEYS(selector_keys)};

static const struct schema_key vlan_keys[] = {
    {.name = "vlanId", .type = SCHEMA_UINT, .min = 1, .max = 4094},
    {.name = "vip", .type = SCHEMA_MAP, .child = &vip},
    {.name = "addresses"},
    {.name = "cidr"},
    {.name = "routes"},
    {.name = "dhcp"},
    {.name = "dhcpOptions"},
    {.name = "mtu"},
};
static const struct schema vlan = {.name = "vlan", .unknown = SCHEMA_KNOWN, KEYS(vlan_keys)};

static const struct schema_key device_keys[] = {
    {.name = "interface", .type = SCHEMA_TEXT},
    {.name = "deviceSelector", .type = SCHEMA_MAP, .child = &selector},
    {.name = "ignore", .type = SCHEMA_BOOL},
    {.name = "vip", .type = SCHEMA_MAP, .child = &vip},
    {.name = "vlans", .type = SCHEMA_MAP, .list = true, .child = &vlan},
    {.name = "addresses"},
    {.name = "bond"},
    {.name = "bridge"},
    {.name = "bridgePort"},
    {.name = "cidr"},
    {.name = "dhcp"},
    {.name = "dhcpOptions"},
    {.name = "dummy"},
    {.name = "mtu"},
    {.name = "routes"},
    {.name = "wireguard"},
};
static const struct schema device = {
    .name = "interface", .unknown = SCHEMA_KNOWN, KEYS(device_keys)};

static const struct schema_key network_keys[] = {
    {.name = "interfaces", .type = SCHEMA_MAP, .list = true, .child = &device},
};
static const struct schema network = {
    .name = "network", .unknown = SCHEMA_OPEN, KEYS(network_keys)};

static const char *const machine_types[] = {"init", "controlplane", "worker", "join", "", NULL};
static const struct schema_key machine_keys[] = {
    {.name = "type", .type = SCHEMA_WORD, .words = machine_types},
    {.name = "network", .type = SCHEMA_MAP, .child = &network},
};
static const struct schema machine = {
    .name = "machine", .unknown = SCHEMA_OPEN, KEYS(machine_keys)};

static const struct schema_key machine_config_keys[] = {
    {.name = "version", .type = SCHEMA_TEXT},
    {.name = "machine", .type = SCHEMA_MAP, .child = &machine},
};
const struct schema schema_machine_config = {
    .name = "the machine config", .unknown = SCHEMA_OPEN, KEYS(machine_config_keys)};

/* Talos documents: pkg/machinery/config/types/network. */

#define DOCUMENT_KEYS                                                                              \
    {.name = "apiVersion", .type = SCHEMA_TEXT},                                                   \
    {                                                                                              \
        .name = "kind", .type = SCHEMA_TEXT                                                        \
    }

static const struct schema_key layer2_vip_keys[] = {
    DOCUMENT_KEYS,
    {.name = "name", .type = SCHEMA_TEXT, .required = true},
    {.name = "link", .type = SCHEMA_TEXT, .required = true},
};
const struct schema schema_layer2_vip = {.name = "Layer2VIPConfig", KEYS(layer2_vip_keys)};

static const struct schema_key hcloud_vip_keys[] = {
    DOCUMENT_KEYS,
    {.name = "name", .type = SCHEMA_TEXT, .required = true},
    {.name = "link", .type = SCHEMA_TEXT, .required = true},
    {.name = "apiToken", .type = SCHEMA_TEXT},
};
const struct schema schema_hcloud_vip = {.name = "HCloudVIPConfig", KEYS(hcloud_vip_keys)};

/* More keys here would choose other links than we do. */
static const struct schema_key link_selector_keys[] = {
    {.name = "match", .type = SCHEMA_TEXT, .required = true},
};
static const struct schema link_selector = {.name = "selector", KEYS(link_selector_keys)};
static const struct schema_key link_alias_keys[] = {
    DOCUMENT_KEYS,
    {.name = "name", .type = SCHEMA_TEXT, .required = true},
    {.name = "selector", .type = SCHEMA_MAP, .required = true, .child = &link_selector},
};
const struct schema schema_link_alias = {.name = "LinkAliasConfig", KEYS(link_alias_keys)};

/* Our own document. */

static const struct schema_key agent_vip_keys[] = {
    {.name = "ip", .type = SCHEMA_TEXT, .required = true},
    {.name = "link", .type = SCHEMA_TEXT, .required = true},
};
static const struct schema agent_vip = {.name = "vip", KEYS(agent_vip_keys)};

static const struct schema_key etcd_keys[] = {
    {.name = "endpoints", .type = SCHEMA_TEXT, .list = true},
    {.name = "caFile", .type = SCHEMA_TEXT},
    {.name = "certFile", .type = SCHEMA_TEXT},
    {.name = "keyFile", .type = SCHEMA_TEXT},
    {.name = "username", .type = SCHEMA_TEXT},
    {.name = "passwordFile", .type = SCHEMA_TEXT},
};
static const struct schema etcd = {.name = "etcd", KEYS(etcd_keys)};

static const struct schema_key lease_keys[] = {
    {.name = "ttl", .type = SCHEMA_DURATION, .min = CONFIG_TTL_MIN_US, .max = CONFIG_TTL_MAX_US},
};
static const struct schema lease = {.name = "lease", KEYS(lease_keys)};

static const struct schema_key announce_keys[] = {
    {.name = "refresh", .type = SCHEMA_DURATION, .min = SECOND_US, .max = 3600 * SECOND_US},
};
static const struct schema announce = {.name = "announce", KEYS(announce_keys)};

static const struct schema_key https_keys[] = {
    {.name = "url", .type = SCHEMA_TEXT, .required = true},
    {.name = "caFile", .type = SCHEMA_TEXT},
};
static const struct schema https = {.name = "https", KEYS(https_keys)};
static const struct schema_key tcp_keys[] = {
    {.name = "address", .type = SCHEMA_TEXT, .required = true},
};
static const struct schema tcp = {.name = "tcp", KEYS(tcp_keys)};
static const struct schema_key exec_keys[] = {
    {.name = "command", .type = SCHEMA_TEXT, .list = true, .required = true},
};
static const struct schema exec = {.name = "exec", KEYS(exec_keys)};
static const struct schema_key health_keys[] = {
    {.name = "name", .type = SCHEMA_TEXT, .required = true},
    {.name = "https", .type = SCHEMA_MAP, .child = &https},
    {.name = "tcp", .type = SCHEMA_MAP, .child = &tcp},
    {.name = "exec", .type = SCHEMA_MAP, .child = &exec},
    {.name = "interval", .type = SCHEMA_DURATION, .min = SECOND_US / 10, .max = 3600 * SECOND_US},
    {.name = "timeout", .type = SCHEMA_DURATION, .min = SECOND_US / 100, .max = 3600 * SECOND_US},
    {.name = "rise", .type = SCHEMA_UINT, .min = 1, .max = 100},
    {.name = "fall", .type = SCHEMA_UINT, .min = 1, .max = 100},
};
static const struct schema health = {.name = "health", KEYS(health_keys)};

static const char *const hook_events[] = {"acquired", "released", "fault", NULL};
static const struct schema_key hook_keys[] = {
    {.name = "on", .type = SCHEMA_WORD, .list = true, .required = true, .words = hook_events},
    {.name = "command", .type = SCHEMA_TEXT, .list = true, .required = true},
};
static const struct schema hook = {.name = "hook", KEYS(hook_keys)};

static const struct schema_key api_keys[] = {
    {.name = "socket", .type = SCHEMA_TEXT},
    {.name = "metrics", .type = SCHEMA_TEXT},
};
static const struct schema api = {.name = "api", KEYS(api_keys)};

static const struct schema_key peers_keys[] = {
    {.name = "window",
     .type = SCHEMA_DURATION,
     .min = CONFIG_WINDOW_MIN_US,
     .max = CONFIG_WINDOW_MAX_US},
    {.name = "port", .type = SCHEMA_UINT, .min = 1, .max = UINT16_MAX},
    {.name = "enabled", .type = SCHEMA_BOOL},
};
static const struct schema peers = {.name = "peers", KEYS(peers_keys)};

static const struct schema_key agent_keys[] = {
    DOCUMENT_KEYS,
    {.name = "node", .type = SCHEMA_TEXT},
    {.name = "vips", .type = SCHEMA_MAP, .list = true, .child = &agent_vip},
    {.name = "etcd", .type = SCHEMA_MAP, .child = &etcd},
    {.name = "lease", .type = SCHEMA_MAP, .child = &lease},
    {.name = "announce", .type = SCHEMA_MAP, .child = &announce},
    {.name = "health", .type = SCHEMA_MAP, .list = true, .child = &health},
    {.name = "hooks", .type = SCHEMA_MAP, .list = true, .child = &hook},
    {.name = "api", .type = SCHEMA_MAP, .child = &api},
    {.name = "peers", .type = SCHEMA_MAP, .child = &peers},
};
const struct schema schema_agent = {.name = "AgentConfig", KEYS(agent_keys)};

static const struct schema_key context_keys[] = {
    {.name = "name", .type = SCHEMA_TEXT, .required = true},
    {.name = "readOnly", .type = SCHEMA_BOOL},
    {.name = "etcd", .type = SCHEMA_MAP, .required = true, .child = &etcd},
};
static const struct schema context = {.name = "context", KEYS(context_keys)};
static const struct schema_key client_keys[] = {
    DOCUMENT_KEYS,
    {.name = "context", .type = SCHEMA_TEXT},
    {.name = "contexts", .type = SCHEMA_MAP, .list = true, .child = &context},
};
const struct schema schema_client = {.name = "ClientConfig", KEYS(client_keys)};
