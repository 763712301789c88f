# shellcheck shell=bash
# SPDX-License-Identifier: MIT
# Faults, one thing at a time, and their healing. Sourced by lab.sh; NODE is cp-1, cp-2 or cp-3.

# fault_agent SIGNAL NODE, fault_guardian SIGNAL NODE, fault_both SIGNAL NODE
fault_agent()
{
    kill "-$1" "$(lab_pid "agent.$2")"
}

fault_guardian()
{
    kill "-$1" "$(lab_guardian_pid "$2")"
}

# Both at once, so that neither sees the other go: they are stopped first, the guardian before the
# agent, which would notice its death but not its rest.
fault_both()
{
    local -a pids
    mapfile -t pids < <(lab_guardian_pid "$2" && lab_pid "agent.$2")
    kill -STOP "${pids[@]}"
    [ "$1" = STOP ] || kill "-$1" "${pids[@]}"
}

# The cable of the VIP network: the node's carrier is lost.
fault_link_down()
{
    lab_in sw ip link set "v-$1" down
}

heal_link_down()
{
    lab_in sw ip link set "v-$1" up
}

# A second link of the node, without an address, into the network of the VIPs: Linux answers there,
# too. heal_twin takes it away.
fault_twin()
{
    lab_in sw ip link add "v-$1-2" type veth peer name eth1 address "${LAB_MAC/%00:1/01:1}$(lab_number "$1")" \
        netns "$(lab_pid "$1")"
    lab_in sw ip link set "v-$1-2" master br-vip up
    lab_in "$1" ip link set eth1 up
}

heal_twin()
{
    lab_in sw ip link del "v-$1-2"
}

# `ip link set eth0 down` on the node.
fault_admin_down()
{
    lab_in "$1" ip link set eth0 down
}

heal_admin_down()
{
    lab_in "$1" ip link set eth0 up
    lab_in "$1" ip route replace default via 10.77.0.1
}

# A silent cut: the switch drops all frames of the port, both ways, and the carrier stays.
# Port states (bridge): 0 disabled, 3 forwarding.
lab_ports()
{
    local state=$1 port
    shift
    for port in "$@"; do
        printf 'link set dev %s state %s\n' "$port" "$state"
    done | lab_in sw bridge -batch -
}

fault_vip_cut()
{
    lab_ports 0 "v-$1"
}

heal_vip_cut()
{
    lab_ports 3 "v-$1"
}

fault_both_cut()
{
    lab_ports 0 "v-$1" "m-$1"
}

heal_both_cut()
{
    lab_ports 3 "v-$1" "m-$1"
}

# fault_loss PERCENT: the switch loses that share of all frames of the VIP network (ports v-*), each way.
fault_loss()
{
    lab_in sw nft -f - <<END
table bridge tvlab {
    chain forward {
        type filter hook forward priority 0
        iifname "v-*" numgen random mod 100 < $1 drop
    }
}
END
}

heal_loss()
{
    lab_in sw nft delete table bridge tvlab
}

# The agent reaches no etcd member: not its own (a packet filter on the node), nor the others.
fault_etcd_cut()
{
    lab_ports 0 "m-$1"
    lab_in "$1" nft -f - <<'END'
table inet tvlab {
    chain output {
        type filter hook output priority 0
        tcp dport { 2379, 2383 } drop
    }
}
END
}

heal_etcd_cut()
{
    lab_ports 3 "m-$1"
    lab_in "$1" nft delete table inet tvlab
}

fault_etcd_kill()
{
    lab_stop "etcd.$1"
}

heal_etcd_kill()
{
    lab_etcd_start "$1"
}

# Power off. The frames stop first, so that nothing leaves in the last moment; what the node's
# kernel holds (its addresses) stays, like the memory of a machine that hangs.
fault_node_dead()
{
    lab_ports 0 "v-$1" "m-$1"
    fault_both KILL "$1"
    lab_stop "etcd.$1"
}

heal_node_dead()
{
    lab_ports 3 "v-$1" "m-$1"
    lab_etcd_start "$1"
    lab_agent_start "$1"
}

# fault_lease_revoke VIP: the lease of the holder's key.
fault_lease_revoke()
{
    local key
    key=$(lab_election_keys "$1" | sed -n 1p | cut -d ' ' -f 1)
    lab_etcdctl lease revoke "${key##*/}" >/dev/null
}

fault_key_delete()
{
    local key
    key=$(lab_election_keys "$1" | sed -n 1p | cut -d ' ' -f 1)
    lab_etcdctl del "$key" >/dev/null
}

# fault_addr_del VIP NODE
fault_addr_del()
{
    lab_in "$2" ip addr del "$1/$(lab_bits "$1")" dev eth0
}

lab_bits()
{
    case $1 in
    *:*) printf 128 ;;
    *) printf 32 ;;
    esac
}

# "KEY NODE" of each candidate of VIP $1, the holder first, then in the order of the queue.
lab_election_keys()
{
    lab_etcdctl get --prefix --sort-by CREATE "talos:v1:vip:election:$1/" | paste -d ' ' - -
}

# The VIPs that the kernel of node $1 has.
lab_addresses()
{
    local vip list
    list=$(lab_in "$1" ip -o addr show)
    for vip in "${LAB_VIPS[@]}"; do
        ! grep -qF " $vip/$(lab_bits "$vip") " <<<"$list" || printf '%s\n' "$vip"
    done
}

# The node whose etcd member leads.
lab_etcd_leader()
{
    lab_etcdctl endpoint status |
        awk -F ', ' '$5 == "true" { print "cp-" substr($1, length("http://10.78.0.1") + 1, 1) }'
}

# lab_etcd_lead NODE: makes NODE's member the leader.
lab_etcd_lead()
{
    local leader id
    leader=$(lab_etcd_leader)
    [ "$leader" != "$1" ] || return 0
    id=$(lab_etcdctl endpoint status | grep -F "10.78.0.1$(lab_number "$1"):" | cut -d ' ' -f 2)
    lab_in sw etcdctl --endpoints "http://10.78.0.1$(lab_number "$leader"):2379" \
        move-leader "${id%,}" >/dev/null
}
