#!/bin/bash
# SPDX-License-Identifier: MIT
#
# A cluster on one machine: three nodes, an etcd of three members, one client.
#
#    cp-1             cp-2             cp-3                client (gateway, observer)
#    10.77.0.11       10.77.0.12       10.77.0.13          10.77.0.1
#    fd77::11         fd77::12         fd77::13            fd77::1
#    eth0  mgmt0      eth0  mgmt0      eth0  mgmt0         eth0
#     |      |         |      |         |      |            |
#  v-cp-1    |      v-cp-2    |      v-cp-3    |         v-client
#  =+========|=========+======|=========+======|============+===  br-vip    VIPs 10.77.0.50, fd77::50
#         m-cp-1           m-cp-2           m-cp-3
#  ==========+================+================+================  br-mgmt   etcd, 10.78.0.11-13
#                        sw (the switch)                                    operator 10.78.0.1
#
# A node has a network, mount and UTS namespace of its own: its own /run, /sys, /sys/fs/bpf, host
# name and machine id. The namespaces have no names; processes keep them: when the lab's
# processes end, by whatever signal, links, bridges, addresses, mounts and etcd's data (on the
# node's /run) end with them. What remains is the folder $LAB_DIR, which lab_down removes.
#
#   lab.sh up|down|status              as a command, in any shell; -r RUN picks one of several labs
#   lab.sh exec NODE CMD...            NODE: cp-1 cp-2 cp-3 client sw
#   lab.sh agent start|stop NODE       (`up -a` starts all three)
#   lab.sh fault|heal NAME ARGS...     faults.sh lists them
#   . lab.sh; lab_up; ...; lab_down    as a library; the lab ends with the script, even by kill -9

LAB_ROOT=$(cd "$(dirname "${BASH_SOURCE[0]}")/../.." && pwd)
# The settings of the person who runs this must not reach the programs under test.
unset "${!ETCD_@}" "${!ETCDCTL_@}" "${!TALOSVIP_@}" NOTIFY_SOCKET JOURNAL_STREAM
unset http_proxy https_proxy all_proxy HTTP_PROXY HTTPS_PROXY ALL_PROXY
PATH=$LAB_ROOT/build/tools/usr/bin:$PATH:/usr/sbin:/sbin

: "${TVLAB_AGENT:=$LAB_ROOT/build/talosvip}"
: "${TVLAB_AGENT_ARGS:=}"
# As etcd 3.5 and later, and so Talos, do by themselves: without it a member that comes back from
# a cut deposes the leader, and may keep the others from electing one for longer than a lease.
: "${TVLAB_ETCD_ARGS=--pre-vote}"
: "${TVLAB_VIPS:=10.77.0.50 fd77::50}"

LAB_NODES=(cp-1 cp-2 cp-3)
LAB_MAC=02:77:00:00:00:1 # and the node's number: of eth0
LAB_ETCD=http://10.78.0.11:2379,http://10.78.0.12:2379,http://10.78.0.13:2379
LAB_TIED=1 # whether the lab ends with this shell, however that ends
[ -e /proc/net/if_inet6 ] || TVLAB_VIPS=${TVLAB_VIPS%% *}
read -ra LAB_VIPS <<<"$TVLAB_VIPS"

# shellcheck source=process.sh
. "$LAB_ROOT/tests/lab/process.sh"
# shellcheck source=faults.sh
. "$LAB_ROOT/tests/lab/faults.sh"

# 1, 2 or 3.
lab_number()
{
    printf '%s' "${1#cp-}"
}

# lab_in NODE CMD...: runs CMD as a process of NODE. The working directory becomes /.
lab_in()
{
    local node=$1
    shift
    nsenter -t "$(lab_pid "$node")" -n -m -u -- "$@"
}

# What it says beside its answer (retries, while a leader changes) goes to a log.
lab_etcdctl()
{
    lab_in sw etcdctl --endpoints "$LAB_ETCD" --dial-timeout 1s --command-timeout 4s "$@" \
        2>>"$LAB_DIR/etcdctl.log"
}

# Runs as the first process of a place, before it becomes its keeper.
# shellcheck disable=SC2016 # expanded in there
LAB_PLACE='
set -e
name=$1 machine_id=$2 ready=$3
mount -t sysfs sysfs /sys
mount -t bpf bpf /sys/fs/bpf 2>/dev/null || true
mount -t tmpfs -o size=1g,mode=755 tmpfs /run
if [ ! -e /etc/machine-id ]; then
    mkdir /run/etc /run/etc-work
    mount -t overlay -o lowerdir=/etc,upperdir=/run/etc,workdir=/run/etc-work overlay /etc
    : >/etc/machine-id
fi
printf "%s\n" "$machine_id" >/run/machine-id
mount --bind /run/machine-id /etc/machine-id
printf "%s" "$name" >/proc/sys/kernel/hostname
ip link set lo up
readlink /proc/self/ns/net >"$ready.new" && mv "$ready.new" "$ready"
exec sleep infinity'

lab_place_start()
{
    local id
    id=$(printf '%s %s' "$LAB_RUN" "$1" | md5sum)
    lab_spawn "$1" unshare -n -m -u --propagation private \
        bash -c "$LAB_PLACE" "tvlab-$LAB_RUN-$1" "$1" "${id%% *}" "$LAB_DIR/$1.ns"
}

lab_switch_commands()
{
    local node
    cat <<END
link add br-vip type bridge forward_delay 0 stp_state 0 mcast_snooping 0
link add br-mgmt type bridge forward_delay 0 stp_state 0 mcast_snooping 0
addr add 10.78.0.1/24 dev br-mgmt
link add v-client type veth peer name eth0 netns $(lab_pid client)
link set v-client master br-vip up
END
    for node in "${LAB_NODES[@]}"; do
        cat <<END
link add v-$node type veth peer name eth0 address $LAB_MAC$(lab_number "$node") netns $(lab_pid "$node")
link add m-$node type veth peer name mgmt0 netns $(lab_pid "$node")
link set v-$node master br-vip up
link set m-$node master br-mgmt up
END
    done
    printf 'link set br-vip up\nlink set br-mgmt up\n'
}

# lab_address NODE HOST: addresses and default routes, as a node of a network without DHCP has.
lab_address_commands()
{
    local host=$2
    printf 'link set eth0 up\naddr add 10.77.0.%s/24 dev eth0\n' "$host"
    [ ! -e /proc/net/if_inet6 ] || printf 'addr add fd77::%s/64 dev eth0 nodad\n' "$host"
    [ "$1" != client ] || return 0
    printf 'link set mgmt0 up\naddr add 10.78.0.%s/24 dev mgmt0\n' "$host"
    printf 'route add default via 10.77.0.1\n'
}

# Forwarding is on as on every Kubernetes node; addresses survive `ip link set down` as they
# would with a network manager that puts them back.
lab_sysctl()
{
    # shellcheck disable=SC2016 # expanded in there
    lab_in "$1" bash -c '
        cd /proc/sys/net
        echo 1 >ipv4/ip_forward
        [ -d ipv6 ] || exit 0
        echo 1 >ipv6/conf/all/forwarding
        for link in all default eth0; do
            echo 0 >ipv6/conf/$link/accept_dad
            echo 1 >ipv6/conf/$link/keep_addr_on_down
        done'
}

lab_network()
{
    local node
    lab_switch_commands | lab_in sw ip -batch - || return 1
    for node in "${LAB_NODES[@]}"; do
        lab_sysctl "$node" || return 1
        lab_address_commands "$node" "1$(lab_number "$node")" | lab_in "$node" ip -batch - || return 1
    done
    lab_address_commands client 1 | lab_in client ip -batch -
}

lab_etcd_start()
{
    local node=$1 at
    at=10.78.0.1$(lab_number "$node")
    # shellcheck disable=SC2086 # words on purpose
    lab_spawn "etcd.$node" nsenter -t "$(lab_pid "$node")" -n -m -u -- \
        etcd --name "$node" --data-dir /run/etcd \
        --listen-client-urls "http://127.0.0.1:2379,http://$at:2379" \
        --advertise-client-urls "http://$at:2379" \
        --listen-peer-urls "http://$at:2380" --initial-advertise-peer-urls "http://$at:2380" \
        --initial-cluster-token "$LAB_RUN" --initial-cluster \
        cp-1=http://10.78.0.11:2380,cp-2=http://10.78.0.12:2380,cp-3=http://10.78.0.13:2380 \
        $TVLAB_ETCD_ARGS
}

lab_etcd_healthy()
{
    lab_etcdctl endpoint health >/dev/null
}

lab_config_write()
{
    local vip
    printf 'version: v1alpha1\nmachine:\n  type: controlplane\n' >"$LAB_DIR/talos.yaml"
    for vip in "${LAB_VIPS[@]}"; do
        printf -- '---\napiVersion: v1alpha1\nkind: Layer2VIPConfig\nname: %s\nlink: eth0\n' "$vip"
    done >>"$LAB_DIR/talos.yaml"
    printf '%s' "${TVLAB_CONFIG-}" >>"$LAB_DIR/talos.yaml"
}

lab_agent_start()
{
    local node=$1 other endpoints=http://127.0.0.1:2379
    for other in "${LAB_NODES[@]}"; do
        [ "$other" = "$node" ] || endpoints+=,http://10.78.0.1$(lab_number "$other"):2379
    done
    # shellcheck disable=SC2086 # words on purpose
    lab_spawn "agent.$node" nsenter -t "$(lab_pid "$node")" -n -m -u -- \
        env --default-signal=INT,QUIT "$TVLAB_AGENT" run -c "$LAB_DIR/talos.yaml" \
        -e "$endpoints" $TVLAB_AGENT_ARGS
}

# lab_up: everything but the agents, in about four seconds.
lab_up()
{
    local place
    [ "$(id -u)" = 0 ] || lab_die "the lab needs root (network namespaces)"
    lab_sweep
    mkdir -m 755 "$LAB_DIR" || lab_die "cannot make $LAB_DIR"
    readlink /proc/self/ns/pid >"$LAB_DIR/pidns"
    [ $LAB_TIED = 0 ] || lab_reaper_start
    lab_config_write
    for place in sw client "${LAB_NODES[@]}"; do
        lab_place_start "$place"
    done
    for place in sw client "${LAB_NODES[@]}"; do
        lab_wait 10000 test -e "$LAB_DIR/$place.ns" || lab_die "no namespace: $(cat "$LAB_DIR/$place.log")"
        LAB_NS[$place]=$(<"$LAB_DIR/$place.ns")
    done
    lab_network || lab_die "the network could not be built"
    for place in "${LAB_NODES[@]}"; do
        lab_etcd_start "$place"
    done
    lab_wait 30000 lab_etcd_healthy || lab_die "etcd does not start: $(tail -n 3 "$LAB_DIR/etcd.cp-1.log")"
}

lab_command()
{
    local verb=${1-}
    [ -n "$verb" ] || lab_usage
    shift
    case $verb in
    up) lab_command_up "$@" ;;
    down) lab_down ;;
    reap) tail -s 0.2 --pid "$1" -f /dev/null && lab_down ;;
    status) lab_command_status ;;
    exec) lab_in "$@" || exit $? ;;
    agent) "lab_agent_${1:?start or stop}" "${2:?node}" ;;
    fault | heal) "${verb}_$(tr - _ <<<"${1:?name}")" "${@:2}" ;;
    *) lab_usage ;;
    esac
}

lab_usage()
{
    sed -n 's/^#   \(lab.sh .*\)/\1/p' "${BASH_SOURCE[0]}" >&2
    exit 2
}

lab_command_up()
{
    local node
    LAB_TIED=0
    lab_trap
    lab_up
    if [ "${1-}" = -a ]; then
        for node in "${LAB_NODES[@]}"; do
            lab_agent_start "$node"
        done
    fi
    trap - EXIT
    printf 'lab %s is up; end it with: lab.sh -r %s down\n' "$LAB_RUN" "$LAB_RUN"
}

lab_command_status()
{
    local name
    for name in sw client "${LAB_NODES[@]}" "${LAB_NODES[@]/#/etcd.}" "${LAB_NODES[@]/#/agent.}"; do
        if lab_is_alive "$name"; then
            printf '%-12s pid %s\n' "$name" "$(lab_pid "$name")"
        else
            printf '%-12s -\n' "$name"
        fi
    done
    for name in "${LAB_NODES[@]}"; do
        printf '%-12s %s\n' "$name" "$(lab_addresses "$name" | tr '\n' ' ')"
    done
}

LAB_RUN=$$
if [ "${BASH_SOURCE[0]}" = "$0" ]; then
    set -euo pipefail
    if [ "${1-}" = -r ]; then
        LAB_RUN=${2:?run}
        shift 2
    elif [ "${1-}" != up ]; then
        # Without -r: the one lab there is.
        LAB_RUN=$(find /tmp -maxdepth 1 -name 'tvlab-*' -printf '%f\n' | sed -n 1p)
        LAB_RUN=${LAB_RUN#tvlab-}
    fi
    LAB_DIR=/tmp/tvlab-$LAB_RUN
    lab_command "$@"
else
    LAB_DIR=/tmp/tvlab-$LAB_RUN
fi
