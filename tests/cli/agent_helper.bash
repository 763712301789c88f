# SPDX-License-Identifier: MIT
# For tests of one agent and one etcd on a host of their own.
# shellcheck shell=bash disable=SC2154,SC2016 # status and output are of bats; expanded in there

# Runs in the host, before the test's own lines: etcd, and words to wait for things.
WORDS='
export ETCDCTL_API=3
etcd --data-dir /run/etcd --log-level error --listen-client-urls http://0.0.0.0:2379 \
    --advertise-client-urls http://127.0.0.1:2379 >/run/etcd.log 2>&1 &
await 20 etcdctl get x
agent() { "$TALOSVIP" run -c vip.yaml -e http://127.0.0.1:2379 --node cp-1 --log-format logfmt "$@" >>/run/log 2>&1 & AGENT=$!; }
has() { ip -o addr show eth0 | grep -q " $1/"; }
lacks() { ! has "$1"; }
logged() { grep -q "$1" /run/log; }
count() { grep -c "$1" /run/log; }
# Somebody outside the election, on the network of eth0 (over br0), has the address: $FAR.
stranger() {
    ip link add name far type veth peer name near
    ip link add br0 type bridge; ip link set br0 up
    ip link set other master br0; ip link set near master br0; ip link set near up
    unshare -n sh -c "echo \$\$ >/run/far.pid; exec tail -f /dev/null" & FAR=$!
    await 5 test -s /run/far.pid
    ip link set far netns $FAR
    nsenter -t $FAR -n sh -c "ip link set far up; ip addr add 10.77.0.50/24 dev far"
}
finish() { kill "$AGENT"; wait "$AGENT"; }
'

host()
{
    LIMIT=60 on_host env TALOSVIP="$TALOSVIP" bash -c "set -e; $WORDS $1"
    [ "$status" = 0 ] || fail "exit status $status: $output"
}
