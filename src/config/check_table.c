/* SPDX-License-Identifier: MIT */
/* The checks, as data: what `explain` shows, what SARIF calls rules, and what the manual lists. */
#include "check_table.h"

/* clang-format off */
const struct check check_table_all[] = {
    {"TV001", SEVERITY_ERROR, "not UTF-8, tabs in the indentation, or not YAML",
     "The file is not text that YAML can read: a byte that is not UTF-8, a "
     "NUL, a tab where only spaces may indent, or a mistake in the syntax. "
     "Limits count here, too: depth, number of values, aliases.",
     "Nothing behind this place is read, by Talos as little as by this "
     "program.",
     "machine:\n"
     "\ttype: controlplane\n",
     "machine:\n"
     "  type: controlplane\n"},
    {"TV002", SEVERITY_ERROR, "a key appears twice in one mapping",
     "One mapping has the same key two times.",
     "Only one of the two could hold, and readers differ in which. Talos "
     "refuses the file.",
     "machine:\n"
     "  network:\n"
     "    interfaces:\n"
     "      - interface: eth0\n"
     "        dhcp: true\n"
     "        dhcp: false\n",
     "machine:\n"
     "  network:\n"
     "    interfaces:\n"
     "      - interface: eth0\n"
     "        dhcp: false\n"},
    {"TV003", SEVERITY_WARNING, "an empty document",
     "A document between two --- lines, or a whole file, holds nothing but "
     "comments.",
     "Talos skips it. It is often what is left of a document that got lost.",
     "---\n"
     "# kind: Layer2VIPConfig\n"
     "---\n",
     "---\n"
     "apiVersion: v1alpha1\n"
     "kind: Layer2VIPConfig\n"
     "name: 10.0.0.50\n"
     "link: eth0\n"},
    {"TV004", SEVERITY_ERROR, "the file cannot be read, or is larger than this program takes",
     "The file does not exist, may not be read, or is larger than 16 MiB.",
     "It was not checked.",
     NULL,
     "# check the name, and the permissions:\n"
     "# ls -l cp-1.yaml\n"},
    {"TV101", SEVERITY_ERROR, "a document without kind or apiVersion, or of an unknown kind",
     "A document tells what it is by apiVersion and kind, or, in the old form, "
     "by its keys machine and cluster. This one does not, or Talos up to 1.14 "
     "knows no such kind.",
     "Talos refuses the whole file, with the documents that are right.",
     "apiVersion: v1alpha1\n"
     "kind: Layer2VipConfig\n"
     "name: 10.0.0.50\n"
     "link: eth0\n",
     "apiVersion: v1alpha1\n"
     "kind: Layer2VIPConfig\n"
     "name: 10.0.0.50\n"
     "link: eth0\n"},
    {"TV102", SEVERITY_ERROR, "unknown key",
     "A key that does not exist at this place. Checked are the network part of "
     "a machine config, the documents that name VIPs and links, and "
     "AgentConfig; with --strict also the first levels of the rest.",
     "Talos refuses the whole file for one unknown key, and names only the "
     "line where its document begins.",
     "machine:\n"
     "  network:\n"
     "    interfaces:\n"
     "      - interface: eth0\n"
     "        dchp: true\n",
     "machine:\n"
     "  network:\n"
     "    interfaces:\n"
     "      - interface: eth0\n"
     "        dhcp: true\n"},
    {"TV103", SEVERITY_ERROR, "wrong type or value",
     "A value that cannot be meant: text where a list belongs, a word that is "
     "none of those allowed, an address that is none. The address of a VIP is "
     "written without a prefix length.",
     "Talos refuses the file, except for the VIP of a VLAN: there it goes on "
     "without the VIP.",
     "machine:\n"
     "  network:\n"
     "    interfaces:\n"
     "      - interface: eth0\n"
     "        vip:\n"
     "          ip: 10.0.0.50/24\n",
     "machine:\n"
     "  network:\n"
     "    interfaces:\n"
     "      - interface: eth0\n"
     "        vip:\n"
     "          ip: 10.0.0.50\n"},
    {"TV104", SEVERITY_ERROR, "a key is missing, or two keys exclude each other",
     "A document or an entry lacks what it cannot do without, or has two keys "
     "of which only one may be there.",
     "Talos refuses the file.",
     "machine:\n"
     "  network:\n"
     "    interfaces:\n"
     "      - interface: eth0\n"
     "        deviceSelector: {driver: virtio_net}\n",
     "machine:\n"
     "  network:\n"
     "    interfaces:\n"
     "      - deviceSelector: {driver: virtio_net}\n"},
    {"TV105", SEVERITY_ERROR, "no file names a VIP",
     "The files given to the agent are right, but there is no VIP in them that "
     "it could hold.",
     "The agent has nothing to do.",
     "machine:\n"
     "  type: controlplane\n",
     "machine:\n"
     "  network:\n"
     "    interfaces:\n"
     "      - interface: eth0\n"
     "        vip:\n"
     "          ip: 10.0.0.50\n"},
    {"TV106", SEVERITY_ERROR, "the same document twice",
     "Two documents of one file have the same kind and name, or two kinds "
     "configure one link.",
     "Talos refuses the file.",
     "apiVersion: v1alpha1\n"
     "kind: LinkConfig\n"
     "name: eth0\n"
     "---\n"
     "apiVersion: v1alpha1\n"
     "kind: LinkConfig\n"
     "name: eth0\n",
     "apiVersion: v1alpha1\n"
     "kind: LinkConfig\n"
     "name: eth0\n"
     "---\n"
     "apiVersion: v1alpha1\n"
     "kind: LinkConfig\n"
     "name: eth1\n"},
    {"TV107", SEVERITY_WARNING, "a value that is filled in later",
     "A template ({{ }}, {% %}, ${ }), a value that sops has encrypted, or one "
     "that a secret store keeps, at a place where the value matters. It is "
     "not checked, nor is what depends on it.",
     "What comes out may still be wrong. Talos fills nothing in.",
     "machine:\n"
     "  network:\n"
     "    interfaces:\n"
     "      - interface: eth0\n"
     "        vip:\n"
     "          ip: ${VIP}\n",
     "# envsubst <cp.yaml | talosvip validate -\n"
     "machine:\n"
     "  network:\n"
     "    interfaces:\n"
     "      - interface: eth0\n"
     "        vip:\n"
     "          ip: 10.0.0.50\n"},
    {"TV108", SEVERITY_WARNING, "machine.type is missing",
     "The file says that it is a machine config (\"version\"), but not of which "
     "type. A patch need not say so: apply it, and check the result. A patch "
     "without \"version\" is not asked for it. It is an error in a config that "
     "has all the rest, and a VIP.",
     "Talos takes the machine for a worker, and refuses a VIP in "
     "machine.network.",
     "version: v1alpha1\n"
     "machine:\n"
     "  network:\n"
     "    interfaces:\n"
     "      - interface: eth0\n"
     "        vip: {ip: 10.0.0.50}\n",
     "version: v1alpha1\n"
     "machine:\n"
     "  type: controlplane\n"
     "  network:\n"
     "    interfaces:\n"
     "      - interface: eth0\n"
     "        vip: {ip: 10.0.0.50}\n"},
    {"TV109", SEVERITY_ERROR, "no disk to install Talos on",
     "In metal mode (-m metal, the default) machine.install must name a disk "
     "or select one. A warning where all of machine.install is missing: Talos "
     "1.14 and later do without. Asked of configs that have token, CA and "
     "cluster.controlPlane, and not of patches.",
     "Talos refuses the file on metal. In a cloud or a container nothing is "
     "installed.",
     "version: v1alpha1 # with token, ca and so on\n"
     "machine:\n"
     "  install:\n"
     "    image: ghcr.io/siderolabs/installer:v1.13.0\n",
     "version: v1alpha1\n"
     "machine:\n"
     "  install:\n"
     "    image: ghcr.io/siderolabs/installer:v1.13.0\n"
     "    disk: /dev/sda\n"},
    {"TV201", SEVERITY_ERROR, "VIP on a worker",
     "machine.type is worker (or join, which means the same), and an "
     "interface or a VLAN has a vip.",
     "Who holds a VIP is decided in etcd, and only control plane nodes have "
     "it. Talos refuses the file.",
     "machine:\n"
     "  type: worker\n"
     "  network:\n"
     "    interfaces:\n"
     "      - interface: eth0\n"
     "        vip: {ip: 10.0.0.50}\n",
     "machine:\n"
     "  type: controlplane\n"
     "  network:\n"
     "    interfaces:\n"
     "      - interface: eth0\n"
     "        vip: {ip: 10.0.0.50}\n"},
    {"TV202", SEVERITY_ERROR, "Layer2VIPConfig for a worker",
     "The file has machine.type worker and a Layer2VIPConfig or "
     "HCloudVIPConfig.",
     "Talos takes the document, and the worker waits for etcd for ever: the "
     "VIP never comes, and nothing says why.",
     "machine:\n"
     "  type: worker\n"
     "---\n"
     "apiVersion: v1alpha1\n"
     "kind: Layer2VIPConfig\n"
     "name: 10.0.0.50\n"
     "link: eth0\n",
     "machine:\n"
     "  type: controlplane\n"
     "---\n"
     "apiVersion: v1alpha1\n"
     "kind: Layer2VIPConfig\n"
     "name: 10.0.0.50\n"
     "link: eth0\n"},
    {"TV203", SEVERITY_ERROR, "the VIP is outside the subnets of its link",
     "The link has addresses, and the VIP is in none of their networks.",
     "Hosts ask by ARP only for addresses of their own network, and send "
     "everything else to their router. Nobody finds the VIP. It can be right "
     "where a router has a route to it.",
     "machine:\n"
     "  network:\n"
     "    interfaces:\n"
     "      - interface: eth0\n"
     "        addresses: [10.0.0.11/24]\n"
     "        vip: {ip: 10.0.1.50}\n",
     "machine:\n"
     "  network:\n"
     "    interfaces:\n"
     "      - interface: eth0\n"
     "        addresses: [10.0.0.11/24]\n"
     "        vip: {ip: 10.0.0.50}\n"},
    {"TV204", SEVERITY_ERROR, "the VIP is an address of this node",
     "The same address is both the VIP and a static address of a link.",
     "The node keeps the address when another one holds the VIP, so two hosts "
     "answer for it.",
     "machine:\n"
     "  network:\n"
     "    interfaces:\n"
     "      - interface: eth0\n"
     "        addresses: [10.0.0.50/24]\n"
     "        vip: {ip: 10.0.0.50}\n",
     "machine:\n"
     "  network:\n"
     "    interfaces:\n"
     "      - interface: eth0\n"
     "        addresses: [10.0.0.11/24]\n"
     "        vip: {ip: 10.0.0.50}\n"},
    {"TV205", SEVERITY_ERROR, "the VIP is an address that no host can own",
     "The VIP is the network or broadcast address of its subnet, unspecified, "
     "loopback, multicast, or link-local.",
     "No host sends to such an address as to a server.",
     "machine:\n"
     "  network:\n"
     "    interfaces:\n"
     "      - interface: eth0\n"
     "        addresses: [10.0.0.11/24]\n"
     "        vip: {ip: 10.0.0.255}\n",
     "machine:\n"
     "  network:\n"
     "    interfaces:\n"
     "      - interface: eth0\n"
     "        addresses: [10.0.0.11/24]\n"
     "        vip: {ip: 10.0.0.50}\n"},
    {"TV206", SEVERITY_WARNING, "the VIP is a gateway, name server or time server of the file",
     "The address of the VIP stands in the same file as a gateway, name server "
     "or NTP server.",
     "Another host most likely has the address already; the node that gets the "
     "VIP then cuts itself off from it.",
     "machine:\n"
     "  network:\n"
     "    interfaces:\n"
     "      - interface: eth0\n"
     "        routes: [{network: 0.0.0.0/0, gateway: 10.0.0.1}]\n"
     "        vip: {ip: 10.0.0.1}\n",
     "machine:\n"
     "  network:\n"
     "    interfaces:\n"
     "      - interface: eth0\n"
     "        routes: [{network: 0.0.0.0/0, gateway: 10.0.0.1}]\n"
     "        vip: {ip: 10.0.0.50}\n"},
    {"TV207", SEVERITY_WARNING, "the subnet of the VIP's link is not in the file",
     "The link gets its addresses by DHCP or by router advertisement, so "
     "whether the VIP fits them cannot be told from the file.",
     "A VIP outside the subnet cannot be reached. Give the subnet with "
     "--subnet 10.0.0.0/24, or check on the node with --host.",
     "machine:\n"
     "  network:\n"
     "    interfaces:\n"
     "      - interface: eth0\n"
     "        dhcp: true\n"
     "        vip: {ip: 10.0.0.50}\n",
     "# talosvip validate --subnet 10.0.0.0/24 cp-1.yaml\n"},
    {"TV208", SEVERITY_WARNING, "DHCP and a VIP on one link",
     "The link has dhcp: true and a VIP.",
     "The DHCP server may give the address of the VIP to another host. Take it "
     "out of the server's pool.",
     "machine:\n"
     "  network:\n"
     "    interfaces:\n"
     "      - interface: eth0\n"
     "        dhcp: true\n"
     "        vip: {ip: 10.0.0.50}\n",
     "machine:\n"
     "  network:\n"
     "    interfaces:\n"
     "      - interface: eth0\n"
     "        # talosvip: allow TV208 not in the pool, see the DHCP server\n"
     "        dhcp: true\n"
     "        vip: {ip: 10.0.0.50}\n"},
    {"TV209", SEVERITY_WARNING, "a static address whose prefix length cannot be meant",
     "The link of a VIP has an address with /32 or /128 only (also meant when "
     "there is no prefix length), or two addresses of one network with "
     "different lengths.",
     "With /32 the node knows no neighbours: it answers for the VIP but cannot "
     "talk back.",
     "machine:\n"
     "  network:\n"
     "    interfaces:\n"
     "      - interface: eth0\n"
     "        addresses: [10.0.0.11]\n"
     "        vip: {ip: 10.0.0.50}\n",
     "machine:\n"
     "  network:\n"
     "    interfaces:\n"
     "      - interface: eth0\n"
     "        addresses: [10.0.0.11/24]\n"
     "        vip: {ip: 10.0.0.50}\n"},
    {"TV210", SEVERITY_INFO, "a VIP is always set as /32 or /128",
     "The VIP is written with a prefix length. Talos and this agent set it as "
     "/32 (IPv6: /128) on purpose: the subnet comes from the node's own "
     "address.",
     "With a prefix length of its own the VIP would also be chosen as the "
     "source of the node's connections.",
     "vip: {ip: 10.0.0.50/24}\n",
     "vip: {ip: 10.0.0.50}\n"},
    {"TV211", SEVERITY_WARNING, "the cluster endpoint does not use the VIP",
     "cluster.controlPlane.endpoint is another address than the VIP, or has "
     "another port than the API server.",
     "Clients and workers use the endpoint. A VIP that nobody asks for "
     "protects nothing.",
     "cluster:\n"
     "  controlPlane:\n"
     "    endpoint: https://10.0.0.11:6443\n",
     "cluster:\n"
     "  controlPlane:\n"
     "    endpoint: https://10.0.0.50:6443\n"},
    {"TV212", SEVERITY_WARNING, "the VIP is inside the pod or service subnets",
     "The VIP is in cluster.network.podSubnets (or what holds when it is not "
     "set, 10.244.0.0/16), or, an error, in serviceSubnets (10.96.0.0/12).",
     "Inside the cluster such addresses go to pods and services, not to the "
     "network: pods and nodes do not reach the VIP.",
     "cluster:\n"
     "  network:\n"
     "    podSubnets: [10.0.0.0/16]\n",
     "cluster:\n"
     "  network:\n"
     "    podSubnets: [10.244.0.0/16]\n"},
    {"TV213", SEVERITY_ERROR, "two VIP entries with the same address",
     "An address is a VIP twice: on two links, in the old form and as a "
     "document, or as Layer2VIPConfig and HCloudVIPConfig. Also when it is "
     "written differently, as ::1 and 0::1.",
     "Both entries run for the same election, and the last one read decides "
     "where the address is set.",
     "apiVersion: v1alpha1\n"
     "kind: Layer2VIPConfig\n"
     "name: 10.0.0.50\n"
     "link: eth0\n"
     "---\n"
     "apiVersion: v1alpha1\n"
     "kind: Layer2VIPConfig\n"
     "name: 10.0.0.50\n"
     "link: eth1\n",
     "apiVersion: v1alpha1\n"
     "kind: Layer2VIPConfig\n"
     "name: 10.0.0.50\n"
     "link: eth0\n"},
    {"TV214", SEVERITY_ERROR, "the VIP is on a link that cannot carry it",
     "The link is ignored (ignore: true) or is a member of a bond or bridge; "
     "or, a warning, the file configures links but not this one.",
     "On an ignored link the VIP is never set, on a member it is not answered "
     "for. A misspelt link name is silent in Talos: the VIP just never comes.",
     "machine:\n"
     "  network:\n"
     "    interfaces:\n"
     "      - interface: bond0\n"
     "        bond: {mode: active-backup, interfaces: [eth0, eth1]}\n"
     "      - interface: eth0\n"
     "        vip: {ip: 10.0.0.50}\n",
     "machine:\n"
     "  network:\n"
     "    interfaces:\n"
     "      - interface: bond0\n"
     "        bond: {mode: active-backup, interfaces: [eth0, eth1]}\n"
     "        vip: {ip: 10.0.0.50}\n"},
    {"TV215", SEVERITY_WARNING, "the selector of the VIP's link can match several links",
     "The deviceSelector, or the expression of a LinkAliasConfig, names no "
     "single device.",
     "Talos applies the entry with its VIP to every link that matches: the "
     "address is then on two links of one node.",
     "machine:\n"
     "  network:\n"
     "    interfaces:\n"
     "      - deviceSelector: {driver: virtio_net}\n"
     "        vip: {ip: 10.0.0.50}\n",
     "machine:\n"
     "  network:\n"
     "    interfaces:\n"
     "      - deviceSelector: {hardwareAddr: \"52:54:00:aa:01:01\"}\n"
     "        vip: {ip: 10.0.0.50}\n"},
    {"TV216", SEVERITY_WARNING, "talosconfig uses the VIP as an endpoint",
     "A talosconfig given with the machine configs has the VIP among its "
     "endpoints.",
     "The VIP needs etcd. When etcd is down there is no VIP, and so no Talos "
     "API to repair etcd with. Talos: “Don't use the VIP as the endpoint in "
     "the talosconfig”.",
     "contexts:\n"
     "  prod:\n"
     "    endpoints: [10.0.0.50]\n",
     "contexts:\n"
     "  prod:\n"
     "    endpoints: [10.0.0.11, 10.0.0.12, 10.0.0.13]\n"},
    {"TV217", SEVERITY_INFO, "a VIP that a cloud moves, not this agent",
     "vip.hcloud, vip.equinixMetal or HCloudVIPConfig: Talos moves the address "
     "by the API of the provider.",
     "This agent does not serve it. Nothing is wrong.",
     NULL,
     NULL},
    {"TV218", SEVERITY_ERROR, "a link selector that is not understood or never matches",
     "The selector holds an expression this agent cannot evaluate, or letters "
     "in a case that the kernel never uses: MAC addresses are in lower case, "
     "PCI IDs in upper case.",
     "Talos compares as it stands and finds no link. What this agent does not "
     "understand it does not guess; for `validate` that is only a note, "
     "because Talos does understand it.",
     "machine:\n"
     "  network:\n"
     "    interfaces:\n"
     "      - deviceSelector: {hardwareAddr: \"52:54:00:AA:01:01\"}\n",
     "machine:\n"
     "  network:\n"
     "    interfaces:\n"
     "      - deviceSelector: {hardwareAddr: \"52:54:00:aa:01:01\"}\n"},
    {"TV219", SEVERITY_ERROR, "a member of a bond or bridge that is used in another way, too",
     "The same link is named by two bonds or bridges, or a member has "
     "addresses or DHCP of its own.",
     "A link has one master only, and that has the addresses. Talos refuses "
     "the file.",
     "machine:\n"
     "  network:\n"
     "    interfaces:\n"
     "      - interface: bond0\n"
     "        bond: {mode: active-backup, interfaces: [eth1]}\n"
     "      - interface: bond1\n"
     "        bond: {mode: active-backup, interfaces: [eth1]}\n",
     "machine:\n"
     "  network:\n"
     "    interfaces:\n"
     "      - interface: bond0\n"
     "        bond: {mode: active-backup, interfaces: [eth1]}\n"
     "      - interface: bond1\n"
     "        bond: {mode: active-backup, interfaces: [eth2]}\n"},
    {"TV301", SEVERITY_ERROR, "the files contradict each other",
     "The control plane nodes of one cluster have different VIPs, the VIP is "
     "on another VLAN, or the cluster endpoint differs.",
     "Each node runs for the VIPs of its own file. A node with another VIP "
     "never takes over the right one.",
     "# cp-1.yaml\n"
     "vip: {ip: 10.0.0.50}\n"
     "# cp-2.yaml\n"
     "vip: {ip: 10.0.1.50}\n",
     "# cp-1.yaml and cp-2.yaml\n"
     "vip: {ip: 10.0.0.50}\n"},
    {"TV302", SEVERITY_ERROR, "two nodes have the same address or host name",
     "The same static address or host name stands in the files of two nodes.",
     "Most often a file was copied and not changed to the end. Two hosts with "
     "one address disturb each other; with one name they share one place in "
     "the election.",
     "# cp-1.yaml and cp-2.yaml\n"
     "addresses: [10.0.0.11/24]\n",
     "# cp-1.yaml\n"
     "addresses: [10.0.0.11/24]\n"
     "# cp-2.yaml\n"
     "addresses: [10.0.0.12/24]\n"},
    {"TV303", SEVERITY_ERROR, "the VIP is the address of another node",
     "The VIP of one file is a static address in another.",
     "Two hosts answer for the address, always.",
     "# cp-1.yaml\n"
     "vip: {ip: 10.0.0.12}\n"
     "# cp-2.yaml\n"
     "addresses: [10.0.0.12/24]\n",
     "# cp-1.yaml\n"
     "vip: {ip: 10.0.0.50}\n"
     "# cp-2.yaml\n"
     "addresses: [10.0.0.12/24]\n"},
    {"TV304", SEVERITY_WARNING, "one control plane node, or an even number",
     "Among the files of one cluster is one control plane node, or there are "
     "2, 4, ….",
     "The election needs a majority of etcd. Of two members both are needed: "
     "when either is down, the VIP is gone. Three bear the loss of one, and "
     "four no more than that.",
     "# cp-1.yaml, cp-2.yaml\n",
     "# cp-1.yaml, cp-2.yaml, cp-3.yaml\n"},
    {"TV401", SEVERITY_ERROR, "this host lacks the link, or it is not usable",
     "With --host: no link of this host has the name or fits the selector, or "
     "it is down, has no carrier, or no address in the subnet of the VIP.",
     "Here the VIP would never be set. By far the most common reason why a VIP "
     "“does not come”.",
     "interface: eth0       # the host has enp1s0\n",
     "interface: enp1s0\n"},
    {"TV402", SEVERITY_ERROR, "somebody answers for the VIP already",
     "With --probe: a host answered to ARP or neighbour solicitation for the "
     "address (RFC 5227 section 2.1.1), or this host has it. It is named as far "
     "as the given files (hardwareAddr), the links of this host and its agent "
     "tell, and an info if it is a node that may hold the VIP.",
     "Two hosts with one address. If it is one of our agents, or Talos itself, "
     "that is the holder, and it is right.",
     NULL,
     "# ip neigh show 10.0.0.50    # who is it?\n"},
    {"TV403", SEVERITY_WARNING, "a kernel setting that breaks VIPs",
     "With --host: arp_ignore, rp_filter or disable_ipv6 keeps the kernel from "
     "answering for the VIP, or from taking its packets; or ip_nonlocal_bind "
     "lets programs send from the VIP on a node that does not hold it.",
     "The VIP is set and still cannot be reached, or replies go to another "
     "node.",
     "net.ipv4.conf.all.arp_ignore = 8\n",
     "net.ipv4.conf.all.arp_ignore = 0\n"},
    {"TV404", SEVERITY_ERROR, "rights or TLS files that the agent needs are missing",
     "With --host: CAP_NET_ADMIN or CAP_NET_RAW is missing, a file of the etcd "
     "section cannot be read, or a certificate has ended; that it ends in less "
     "than 14 days is a warning.",
     "The agent cannot set addresses, announce them, or speak to etcd.",
     NULL,
     "# setcap cap_net_admin,cap_net_raw+ep /usr/sbin/talosvip\n"},
    {"TV501", SEVERITY_WARNING, "a lease that is very short, or too short for what goes on inside it",
     "lease.ttl is under 5 s, or a health check takes so long to decide that "
     "the lease could end first.",
     "The lease is renewed at a third of its time. A disk that stalls for two "
     "seconds then already moves the VIP.",
     "apiVersion: talosvip/v1\n"
     "kind: AgentConfig\n"
     "lease: {ttl: 2s}\n",
     "apiVersion: talosvip/v1\n"
     "kind: AgentConfig\n"
     "lease: {ttl: 5s}\n"},
    {"TV502", SEVERITY_ERROR, "settings that only work together",
     "One of certFile and keyFile, or of username and passwordFile, is given "
     "without the other.",
     "etcd would refuse the login.",
     "etcd: {certFile: /etc/talosvip/client.crt}\n",
     "etcd: {certFile: /etc/talosvip/client.crt, keyFile: /etc/talosvip/client.key}\n"},
    {"TV503", SEVERITY_ERROR, "two health checks with the same name",
     "The names of health checks are used in logs and metrics.",
     "Nobody could tell which of the two failed.",
     "health: [{name: api, tcp: {address: \"127.0.0.1:6443\"}}, {name: api, tcp: {address: \"127.0.0.1:2379\"}}]\n",
     "health: [{name: api, tcp: {address: \"127.0.0.1:6443\"}}, {name: etcd, tcp: {address: \"127.0.0.1:2379\"}}]\n"},
    {"TV504", SEVERITY_WARNING, "an etcd endpoint without TLS, though TLS files are given",
     "An endpoint begins with http://, and caFile or certFile is set.",
     "The files are not used for it: whoever is on the way reads and changes "
     "what goes to etcd.",
     "etcd: {endpoints: [\"http://10.0.0.11:2379\"], caFile: /etc/talosvip/ca.crt}\n",
     "etcd: {endpoints: [\"https://10.0.0.11:2379\"], caFile: /etc/talosvip/ca.crt}\n"},
    {"TV505", SEVERITY_ERROR, "a hook or a check that cannot be run",
     "With --host: the command of a hook or of an exec health check is missing "
     "or not executable.",
     "The hook never runs. A check that cannot run counts as failed, and the "
     "node never holds the VIP.",
     "hooks: [{on: [acquired], command: [/etc/talosvip/notfiy]}]\n",
     "hooks: [{on: [acquired], command: [/etc/talosvip/notify]}]\n"},
    {"TV506", SEVERITY_WARNING, "a window of the peer lease that is very short, or as long as the lease",
     "peers.window is under 150 ms, or not shorter than lease.ttl.",
     "An owner that its peers do not hear for one window gives up its VIPs: "
     "with a very short one, whenever a host or a switch is busy. A very long "
     "one gains nothing over the lease.",
     "apiVersion: talosvip/v1\n"
     "kind: AgentConfig\n"
     "peers: {window: 100ms}\n",
     "apiVersion: talosvip/v1\n"
     "kind: AgentConfig\n"
     "peers: {window: 500ms}\n"},
};
/* clang-format on */

const size_t check_table_n = sizeof(check_table_all) / sizeof(check_table_all[0]);
