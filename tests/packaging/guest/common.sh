# shellcheck shell=bash
# SPDX-License-Identifier: MIT
# shellcheck disable=SC2034,SC2086,SC2153 # for who sources this; no value has a space
# What the tests in the booted system share. Sourced by them.
#
#    this machine                    peer (a network namespace)
#    10.88.0.11                      10.88.0.12        VIPs 10.88.0.50, 10.88.0.51
#    vip0 ========================== eth0
#    etcd, for both
#    the agent under test            another agent, when a test wants one

TRIAL=/trial
VIP=10.88.0.50
FAILED=0
export ETCDCTL_ENDPOINTS=http://10.88.0.11:2379
ETCD_LISTEN=$ETCDCTL_ENDPOINTS
PATH=$TRIAL/bin:$PATH

# await SECONDS CMD...: until CMD succeeds.
await()
{
    local - until=$((SECONDS + $1))
    set +x
    shift
    until "$@"; do
        [ $SECONDS -lt $until ] || return 1
        sleep 0.05
    done
}

# check WHAT CMD...: CMD runs with -e, and its trace is shown when it fails.
check()
{
    local what=$1 status
    shift
    ( # in no condition, for there -e would be off
        set -ex
        "$@"
    ) >/tmp/check.log 2>&1 </dev/null
    status=$?
    if [ $status = 0 ]; then
        echo "ok   $what"
        return
    fi
    echo "FAIL $what"
    tail -n 40 /tmp/check.log | sed 's/^/     /'
    FAILED=1
}

not()
{
    ! "$@"
}

has_address() # [PLACE] VIP
{
    case $# in
    1) ip -o addr show dev vip0 | grep -q " $1/" ;;
    2) ip -n "$1" -o addr show dev eth0 | grep -q " $2/" ;;
    esac
}

# background NAME CMD...
background()
{
    local name=$1
    shift
    setsid "$@" </dev/null >"/tmp/$name.log" 2>&1 &
    echo $! >"/tmp/$name.pid"
}

# ended NAME: SIGTERM, and wait.
ended()
{
    kill "$(cat "/tmp/$1.pid")"
    await 15 not test -d "/proc/$(cat "/tmp/$1.pid")"
}

network_up()
{
    ip netns add peer
    ip -n peer link set lo up
    ip link set lo up
    ip link add vip0 type veth peer name eth0 netns peer
    ip addr add 10.88.0.11/24 dev vip0
    ip link set vip0 up
    ip -n peer addr add 10.88.0.12/24 dev eth0
    ip -n peer link set eth0 up
    background etcd "$TRIAL/bin/etcd" --data-dir /tmp/etcd "$@" \
        --listen-client-urls "$ETCD_LISTEN" --advertise-client-urls "$ETCDCTL_ENDPOINTS"
    await 60 etcdctl endpoint health >/dev/null 2>&1
}

config() # VIP...
{
    printf 'apiVersion: talosvip/v1\nkind: AgentConfig\nvips:\n'
    printf '  - {ip: %s, link: vip0}\n' "$@"
    printf 'lease: {ttl: %s}\netcd:\n  endpoints: [%s]\n' "${TTL:-5s}" "$ETCDCTL_ENDPOINTS"
    [ -z "${ETCDCTL_CACERT-}" ] || printf '  %s: %s\n' caFile "$ETCDCTL_CACERT" \
        certFile "$ETCDCTL_CERT" keyFile "$ETCDCTL_KEY"
}

peer_start()
{
    config $VIP | sed 's/vip0/eth0/' >/tmp/peer.yaml
    # Its API has the same path.
    # shellcheck disable=SC2016
    background peer ip netns exec peer sh -c \
        'mount -t tmpfs tmpfs /run && exec "$0" run --node peer -c /tmp/peer.yaml' "$TRIAL/bin/talosvip"
    await 30 etcd_lists peer
}

peer_stop()
{
    ended peer
}

# Whether node $1 stands in the queue for the VIP.
etcd_lists()
{
    etcdctl get --prefix --print-value-only "talos:v1:vip:election:$VIP/" | grep -qx "$1"
}
