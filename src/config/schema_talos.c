/* SPDX-License-Identifier: MIT */
/* The keys of Talos's network configuration, 0.9 to 1.14: pkg/machinery/config/types/v1alpha1
 * and types/network. A key that any of these versions takes is known here. */
#include "schema.h"

#include <string.h>

#define KEYS(array) .keys = (array), .n_keys = sizeof(array) / sizeof((array)[0])
#define TEXT(key)                                                                                  \
    {                                                                                              \
        .name = (key), .type = SCHEMA_TEXT                                                         \
    }
#define TEXTS(key)                                                                                 \
    {                                                                                              \
        .name = (key), .type = SCHEMA_TEXT, .list = true                                           \
    }
#define BOOL(key)                                                                                  \
    {                                                                                              \
        .name = (key), .type = SCHEMA_BOOL                                                         \
    }
#define NUMBER(key)                                                                                \
    {                                                                                              \
        .name = (key), .type = SCHEMA_UINT, .max = UINT32_MAX                                      \
    }
#define ANY(key)                                                                                   \
    {                                                                                              \
        .name = (key)                                                                              \
    }
#define MAP(key, schema)                                                                           \
    {                                                                                              \
        .name = (key), .type = SCHEMA_MAP, .child = &(schema)                                      \
    }
#define MAPS(key, schema)                                                                          \
    {                                                                                              \
        .name = (key), .type = SCHEMA_MAP, .list = true, .child = &(schema)                        \
    }
#define WORD(key, list)                                                                            \
    {                                                                                              \
        .name = (key), .type = SCHEMA_WORD, .words = (list)                                        \
    }
#define NEEDED(key)                                                                                \
    {                                                                                              \
        .name = (key), .type = SCHEMA_TEXT, .required = true                                       \
    }

static const char *const bond_modes[] = {"balance-rr", "active-backup", "balance-xor", "broadcast",
                                         "802.3ad",    "balance-tlb",   "balance-alb", "",
                                         NULL};
static const char *const hash_policies[] = {"layer2",   "layer3+4", "layer2+3",    "encap2+3",
                                            "encap3+4", "",         "vlan+srcmac", NULL};
static const char *const lacp_rates[] = {"slow", "fast", "", NULL};

/* machine.network */

static const struct schema_key cloud_keys[] = {TEXT("apiToken")};
static const struct schema cloud = {.name = "cloud", KEYS(cloud_keys)};
static const struct schema_key vip_keys[] = {TEXT("ip"), MAP("equinixMetal", cloud),
                                             MAP("hcloud", cloud)};
static const struct schema vip = {.name = "vip", KEYS(vip_keys)};

static const struct schema_key selector_keys[] = {TEXT("busPath"),       TEXT("hardwareAddr"),
                                                  TEXT("permanentAddr"), TEXT("pciID"),
                                                  TEXT("driver"),        BOOL("physical")};
static const struct schema selector = {.name = "deviceSelector", KEYS(selector_keys)};

static const struct schema_key route_keys[] = {TEXT("network"), TEXT("gateway"), TEXT("source"),
                                               NUMBER("metric"), NUMBER("mtu")};
static const struct schema route = {.name = "route", KEYS(route_keys)};

static const struct schema_key dhcp_keys[] = {NUMBER("routeMetric"), BOOL("ipv4"), BOOL("ipv6"),
                                              TEXT("duidv6")};
static const struct schema dhcp_options = {.name = "dhcpOptions", KEYS(dhcp_keys)};

static const struct schema_key bond_keys[] = {
    TEXTS("interfaces"),
    MAPS("deviceSelectors", selector),
    WORD("mode", bond_modes),
    WORD("xmitHashPolicy", hash_policies),
    WORD("lacpRate", lacp_rates),
    TEXTS("arpIPTarget"),
    TEXT("adActorSystem"),
    TEXT("arpValidate"),
    TEXT("arpAllTargets"),
    TEXT("primary"),
    TEXT("primaryReselect"),
    TEXT("failOverMac"),
    TEXT("adSelect"),
    NUMBER("miimon"),
    NUMBER("updelay"),
    NUMBER("downdelay"),
    NUMBER("arpInterval"),
    NUMBER("resendIgmp"),
    NUMBER("minLinks"),
    NUMBER("lpInterval"),
    NUMBER("packetsPerSlave"),
    NUMBER("numPeerNotif"),
    NUMBER("tlbDynamicLb"),
    NUMBER("allSlavesActive"),
    BOOL("useCarrier"),
    NUMBER("adActorSysPrio"),
    NUMBER("adUserPortKey"),
    NUMBER("peerNotifyDelay"),
};
static const struct schema bond = {.name = "bond", KEYS(bond_keys)};

static const struct schema_key stp_keys[] = {BOOL("enabled")};
static const struct schema stp = {.name = "stp", KEYS(stp_keys)};
static const struct schema_key filtering_keys[] = {BOOL("vlanFiltering")};
static const struct schema filtering = {.name = "vlan", KEYS(filtering_keys)};
static const struct schema_key bridge_keys[] = {TEXTS("interfaces"), MAP("stp", stp),
                                                MAP("vlan", filtering)};
static const struct schema bridge = {.name = "bridge", KEYS(bridge_keys)};
static const struct schema_key port_keys[] = {TEXT("master")};
static const struct schema port = {.name = "bridgePort", KEYS(port_keys)};

static const struct schema_key peer_keys[] = {
    TEXT("publicKey"), TEXT("endpoint"), TEXT("presharedKey"), TEXT("persistentKeepaliveInterval"),
    TEXTS("allowedIPs")};
static const struct schema peer = {.name = "peer", KEYS(peer_keys)};
static const struct schema_key wireguard_keys[] = {TEXT("privateKey"), NUMBER("listenPort"),
                                                   NUMBER("firewallMark"), MAPS("peers", peer)};
static const struct schema wireguard = {.name = "wireguard", KEYS(wireguard_keys)};

static const struct schema_key vlan_keys[] = {
    {.name = "vlanId", .type = SCHEMA_UINT, .min = 1, .max = 4094},
    MAP("vip", vip),
    TEXTS("addresses"),
    TEXT("cidr"),
    MAPS("routes", route),
    BOOL("dhcp"),
    MAP("dhcpOptions", dhcp_options),
    NUMBER("mtu"),
};
static const struct schema vlan = {.name = "vlan", KEYS(vlan_keys)};

static const struct schema_key device_keys[] = {
    TEXT("interface"),
    MAP("deviceSelector", selector),
    BOOL("ignore"),
    MAP("vip", vip),
    MAPS("vlans", vlan),
    TEXTS("addresses"),
    TEXT("cidr"),
    MAPS("routes", route),
    MAP("bond", bond),
    MAP("bridge", bridge),
    MAP("bridgePort", port),
    BOOL("dhcp"),
    MAP("dhcpOptions", dhcp_options),
    BOOL("dummy"),
    NUMBER("mtu"),
    MAP("wireguard", wireguard),
};
static const struct schema device = {.name = "interface", KEYS(device_keys)};

static const struct schema_key host_keys[] = {TEXT("ip"), TEXTS("aliases")};
static const struct schema host = {.name = "extraHostEntry", KEYS(host_keys)};
static const struct schema_key network_keys[] = {
    TEXT("hostname"),
    {.name = "interfaces", .type = SCHEMA_MAP, .list = true, .child = &device},
    TEXTS("nameservers"),
    TEXTS("searchDomains"),
    MAPS("extraHostEntries", host),
    ANY("kubespan"),
    BOOL("disableSearchDomain"),
};
static const struct schema network = {.name = "network", KEYS(network_keys)};

/* The rest of the machine config: names only. */

static const char *const machine_types[] = {"init", "controlplane", "worker", "join", "", NULL};
static const struct schema_key machine_keys[] = {
    {.name = "type", .type = SCHEMA_WORD, .words = machine_types, .leads = true},
    {.name = "network", .type = SCHEMA_MAP, .child = &network, .leads = true},
    ANY("token"),
    ANY("ca"),
    ANY("acceptedCAs"),
    ANY("certSANs"),
    ANY("controlPlane"),
    ANY("kubelet"),
    ANY("pods"),
    ANY("disks"),
    ANY("install"),
    ANY("files"),
    ANY("env"),
    ANY("time"),
    ANY("sysctls"),
    ANY("sysfs"),
    ANY("registries"),
    ANY("systemDiskEncryption"),
    ANY("features"),
    ANY("udev"),
    ANY("logging"),
    ANY("kernel"),
    ANY("seccompProfiles"),
    ANY("baseRuntimeSpecOverrides"),
    ANY("nodeLabels"),
    ANY("nodeAnnotations"),
    ANY("nodeTaints"),
};
static const struct schema machine = {
    .name = "machine", .unknown = SCHEMA_LOOSE, KEYS(machine_keys)};

static const struct schema_key control_plane_keys[] = {
    {.name = "endpoint", .type = SCHEMA_TEXT, .leads = true},
    ANY("localAPIServerPort"),
};
static const struct schema control_plane = {
    .name = "controlPlane", .unknown = SCHEMA_LOOSE, KEYS(control_plane_keys)};
static const struct schema_key cluster_network_keys[] = {
    ANY("cni"),
    TEXT("dnsDomain"),
    {.name = "podSubnets", .leads = true},
    {.name = "serviceSubnets", .leads = true},
};
static const struct schema cluster_network = {
    .name = "network", .unknown = SCHEMA_LOOSE, KEYS(cluster_network_keys)};
static const struct schema_key cluster_keys[] = {
    {.name = "controlPlane", .type = SCHEMA_MAP, .child = &control_plane, .leads = true},
    {.name = "network", .type = SCHEMA_MAP, .child = &cluster_network, .leads = true},
    ANY("id"),
    ANY("secret"),
    ANY("clusterName"),
    ANY("token"),
    ANY("aescbcEncryptionSecret"),
    ANY("secretboxEncryptionSecret"),
    ANY("ca"),
    ANY("acceptedCAs"),
    ANY("aggregatorCA"),
    ANY("serviceAccount"),
    ANY("apiServer"),
    ANY("controllerManager"),
    ANY("proxy"),
    ANY("scheduler"),
    ANY("discovery"),
    ANY("etcd"),
    ANY("coreDNS"),
    ANY("externalCloudProvider"),
    ANY("extraManifests"),
    ANY("extraManifestHeaders"),
    ANY("inlineManifests"),
    ANY("adminKubeconfig"),
    ANY("allowSchedulingOnMasters"),
    ANY("allowSchedulingOnControlPlanes"),
    ANY("podCheckpointer"),
};
static const struct schema cluster = {
    .name = "cluster", .unknown = SCHEMA_LOOSE, KEYS(cluster_keys)};

static const struct schema_key root_keys[] = {
    {.name = "version", .type = SCHEMA_TEXT},
    ANY("debug"),
    ANY("persist"),
    {.name = "machine", .type = SCHEMA_MAP, .child = &machine, .leads = true},
    {.name = "cluster", .type = SCHEMA_MAP, .child = &cluster, .leads = true},
    TEXT("apiVersion"),
};
const struct schema schema_full_machine_config = {
    .name = "the machine config", .unknown = SCHEMA_LOOSE, KEYS(root_keys)};

/* Documents. */

static const struct schema_key address_keys[] = {NEEDED("address"), NUMBER("routePriority")};
static const struct schema address = {.name = "address", KEYS(address_keys)};
static const struct schema_key link_route_keys[] = {
    TEXT("destination"), TEXT("gateway"), TEXT("source"), TEXT("type"),
    NUMBER("metric"),    NUMBER("mtu"),   ANY("table"),
};
static const struct schema link_route = {.name = "route", KEYS(link_route_keys)};

#define DOCUMENT TEXT("apiVersion"), TEXT("kind")
#define LINK                                                                                       \
    DOCUMENT, NEEDED("name"), BOOL("up"), NUMBER("mtu"), MAPS("addresses", address),               \
        MAPS("routes", link_route), BOOL("multicast")

static const struct schema_key layer2_keys[] = {DOCUMENT, NEEDED("name"), NEEDED("link")};
static const struct schema layer2 = {.name = "Layer2VIPConfig", KEYS(layer2_keys)};
static const struct schema_key hcloud_keys[] = {DOCUMENT, NEEDED("name"), NEEDED("link"),
                                                NEEDED("apiToken")};
static const struct schema hcloud = {.name = "HCloudVIPConfig", KEYS(hcloud_keys)};

static const struct schema_key match_keys[] = {NEEDED("match")};
static const struct schema match = {.name = "selector", KEYS(match_keys)};
static const struct schema_key alias_keys[] = {
    DOCUMENT,
    NEEDED("name"),
    {.name = "selector", .type = SCHEMA_MAP, .required = true, .child = &match},
};
static const struct schema alias = {.name = "LinkAliasConfig", KEYS(alias_keys)};

static const struct schema_key link_keys[] = {LINK};
static const struct schema link_config = {.name = "LinkConfig", KEYS(link_keys)};
static const struct schema_key dummy_keys[] = {LINK, TEXT("hardwareAddr")};
static const struct schema dummy = {.name = "DummyLinkConfig", KEYS(dummy_keys)};

static const char *const vlan_modes[] = {"802.1q", "802.1ad", NULL};
static const struct schema_key vlan_config_keys[] = {
    LINK,
    {.name = "vlanID", .type = SCHEMA_UINT, .required = true, .min = 1, .max = 4094},
    WORD("vlanMode", vlan_modes),
    NEEDED("parent"),
};
static const struct schema vlan_config = {.name = "VLANConfig", KEYS(vlan_config_keys)};

/* Some of these have had two spellings. */
static const struct schema_key bond_config_keys[] = {
    LINK,
    TEXT("hardwareAddr"),
    {.name = "links", .type = SCHEMA_TEXT, .list = true, .required = true},
    {.name = "bondMode", .type = SCHEMA_WORD, .required = true, .words = bond_modes},
    WORD("xmitHashPolicy", hash_policies),
    WORD("lacpRate", lacp_rates),
    ANY("miimon"),
    ANY("updelay"),
    ANY("downdelay"),
    ANY("useCarrier"),
    ANY("arpInterval"),
    ANY("arpIpTargets"),
    ANY("nsIp6Targets"),
    ANY("arpValidate"),
    ANY("arpAllTargets"),
    ANY("failOverMac"),
    ANY("adSelect"),
    ANY("adActorSysPrio"),
    ANY("adUserPortKey"),
    ANY("adLACPActive"),
    ANY("primaryReselect"),
    ANY("resendIGMP"),
    ANY("resendIgmp"),
    ANY("minLinks"),
    ANY("lpInterval"),
    ANY("packetsPerSlave"),
    ANY("numPeerNotif"),
    ANY("tlbLogicalLb"),
    ANY("tlbDynamicLb"),
    ANY("allSlavesActive"),
    ANY("peerNotifDelay"),
    ANY("peerNotifyDelay"),
    ANY("missedMax"),
};
static const struct schema bond_config = {.name = "BondConfig", KEYS(bond_config_keys)};

static const struct schema_key bridge_vlan_keys[] = {BOOL("filtering")};
static const struct schema bridge_vlan = {.name = "vlan", KEYS(bridge_vlan_keys)};
static const struct schema_key bridge_config_keys[] = {LINK, TEXT("hardwareAddr"), TEXTS("links"),
                                                       MAP("stp", stp), MAP("vlan", bridge_vlan)};
static const struct schema bridge_config = {.name = "BridgeConfig", KEYS(bridge_config_keys)};

static const struct schema_key dhcp_config_keys[] = {
    DOCUMENT,
    NEEDED("name"),
    NUMBER("routeMetric"),
    BOOL("ignoreHostname"),
    BOOL("ignoreRoutes"),
    TEXT("clientIdentifier"),
    TEXT("duidRaw"),
};
static const struct schema dhcp4 = {.name = "DHCPv4Config", KEYS(dhcp_config_keys)};
static const struct schema dhcp6 = {.name = "DHCPv6Config", KEYS(dhcp_config_keys)};

static const struct schema_key wireguard_config_keys[] = {
    LINK, TEXT("privateKey"), NUMBER("listenPort"), NUMBER("firewallMark"), MAPS("peers", peer),
};
static const struct schema wireguard_config = {.name = "WireguardConfig",
                                               KEYS(wireguard_config_keys)};

/* All kinds, 1.14. */
static const struct {
    const char *kind;
    const struct schema *schema;
} kinds[] = {
    {"Layer2VIPConfig", &layer2},
    {"HCloudVIPConfig", &hcloud},
    {"LinkAliasConfig", &alias},
    {"LinkConfig", &link_config},
    {"VLANConfig", &vlan_config},
    {"BondConfig", &bond_config},
    {"BridgeConfig", &bridge_config},
    {"DummyLinkConfig", &dummy},
    {"WireguardConfig", &wireguard_config},
    {"DHCPv4Config", &dhcp4},
    {"DHCPv6Config", &dhcp6},
    {"BGPInstanceConfig", NULL},
    {"BGPPeerConfig", NULL},
    {"BGPConfig", NULL},
    {"BlackholeRouteConfig", NULL},
    {"CPUPartitionConfig", NULL},
    {"CPUScalingConfig", NULL},
    {"CRIBaseRuntimeSpecConfig", NULL},
    {"CRICustomizationConfig", NULL},
    {"ContainerConfig", NULL},
    {"ContentLibraryConfig", NULL},
    {"DiscoveryIdentityConfig", NULL},
    {"DiscoveryServiceConfig", NULL},
    {"DiskSMARTConfig", NULL},
    {"EnvironmentConfig", NULL},
    {"EtcFileConfig", NULL},
    {"EthernetConfig", NULL},
    {"EventSinkConfig", NULL},
    {"ExistingVolumeConfig", NULL},
    {"ExtensionServiceConfig", NULL},
    {"ExtensionServicesConfig", NULL},
    {"ExternalVolumeConfig", NULL},
    {"FilesystemScrubConfig", NULL},
    {"FilesystemTrimConfig", NULL},
    {"HTTPProbeConfig", NULL},
    {"HostnameConfig", NULL},
    {"ImageCacheConfig", NULL},
    {"ImageVerificationConfig", NULL},
    {"KernelModuleConfig", NULL},
    {"KmsgLogConfig", NULL},
    {"KubeAPIServerCAConfig", NULL},
    {"KubeAPIServerConfig", NULL},
    {"KubeAdmissionControlConfig", NULL},
    {"KubeAggregatorCAConfig", NULL},
    {"KubeAuditPolicyConfig", NULL},
    {"KubeAuthenticationConfig", NULL},
    {"KubeAuthorizerConfig", NULL},
    {"KubeClusterConfig", NULL},
    {"KubeControllerManagerConfig", NULL},
    {"KubeCoreDNSConfig", NULL},
    {"KubeCredentialProviderConfig", NULL},
    {"KubeEtcdEncryptionConfig", NULL},
    {"KubeExternalManifestConfig", NULL},
    {"KubeFlannelCNIConfig", NULL},
    {"KubeInlineManifestConfig", NULL},
    {"KubeNetworkConfig", NULL},
    {"KubeNodeConfig", NULL},
    {"KubePrismConfig", NULL},
    {"KubeProxyConfig", NULL},
    {"KubeSchedulerConfig", NULL},
    {"KubeServiceAccountConfig", NULL},
    {"KubeSpanConfig", NULL},
    {"KubeSpanEndpointsConfig", NULL},
    {"KubeStaticPodConfig", NULL},
    {"KubeTalosAPIAccessConfig", NULL},
    {"KubeletConfig", NULL},
    {"KubespanEndpointsConfig", NULL},
    {"LVMLogicalVolumeConfig", NULL},
    {"LVMVolumeGroupConfig", NULL},
    {"MACVLANConfig", NULL},
    {"MacVLANConfig", NULL},
    {"NetworkDefaultActionConfig", NULL},
    {"NetworkLinkIngressConfig", NULL},
    {"NetworkNATRuleConfig", NULL},
    {"NetworkRuleConfig", NULL},
    {"NetworkWifiConfig", NULL},
    {"OOMConfig", NULL},
    {"PCIDriverRebindConfig", NULL},
    {"RAIDArrayConfig", NULL},
    {"RawVolumeConfig", NULL},
    {"RegistryAuthConfig", NULL},
    {"RegistryMirrorConfig", NULL},
    {"RegistryTLSConfig", NULL},
    {"ResolverConfig", NULL},
    {"RoutingRuleConfig", NULL},
    {"SecurityProfileConfig", NULL},
    {"SideroLinkConfig", NULL},
    {"ProbeConfig", NULL},
    {"StaticHostConfig", NULL},
    {"SwapVolumeConfig", NULL},
    {"SysctlConfig", NULL},
    {"SysfsConfig", NULL},
    {"TCPProbeConfig", NULL},
    {"TimeSyncConfig", NULL},
    {"TrustedRootsConfig", NULL},
    {"UdevRulesConfig", NULL},
    {"UnattendedInstallConfig", NULL},
    {"UserVolumeConfig", NULL},
    {"VRFConfig", NULL},
    {"VXLANConfig", NULL},
    {"VethConfig", NULL},
    {"VirtualMachineConfig", NULL},
    {"VolumeConfig", NULL},
    {"WatchdogTimerConfig", NULL},
    {"WorkloadResourceConfig", NULL},
    {"ZswapConfig", NULL},
};
#define KINDS (sizeof(kinds) / sizeof(kinds[0]))

bool schema_full_find(const char *kind, const struct schema **ret_schema)
{
    for (size_t i = 0; i < KINDS; i++)
        if (strcmp(kinds[i].kind, kind) == 0) {
            *ret_schema = kinds[i].schema;
            return true;
        }
    return false;
}

const char *schema_full_suggest(const char *text)
{
    const char *words[KINDS + 1] = {NULL};
    for (size_t i = 0; i < KINDS; i++)
        words[i] = kinds[i].kind;
    return schema_suggest(text, words);
}
