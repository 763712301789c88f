#!/usr/bin/env bats
# SPDX-License-Identifier: MIT
# shellcheck disable=SC2016
# What the host of whoever looks contributes by itself: its neighbour cache, its own addresses.

load run_helper

# In a host of its own: etcd, a candidate without an agent, then the test's own lines.
host() {
    LIMIT=40 on_host env TALOSVIP="$TALOSVIP" TALOSVIP_ENDPOINTS=http://127.0.0.1:2379 ETCDCTL_API=3 \
        HOME=/run bash -c 'set -e
        etcd --data-dir /run/etcd --log-level error >/run/etcd.log 2>&1 &
        await 20 etcdctl get x
        etcdctl put talos:v1:vip:election:10.77.0.50/1234 cp-1 >/dev/null
        view() { "$TALOSVIP" status -o json | jq -c ".nodes[] | select(.name == \"(here)\") | .views[0]"; }
        '"$1"
    [ "$status" = 0 ] || fail "exit status $status: $output"
}

@test "the neighbour cache of the link in whose subnet the address is" {
    host '
        [ -z "$(view)" ]
        ip neigh add 10.77.0.50 lladdr 02:00:00:00:00:99 dev eth0 nud reachable
        view | jq -e ".mac == \"02:00:00:00:00:99\" and .via == \"neigh\""
        ip neigh change 10.77.0.50 dev eth0 nud failed
        [ -z "$(view)" ]'
}

@test "an address of its own" {
    host '
        ip addr add 10.77.0.50/32 dev eth0
        view | jq -e ".via == \"kernel\""
        ip addr del 10.77.0.50/32 dev eth0'
}

@test "nothing of addresses in no subnet of this host, and nothing where the node has an agent" {
    host '
        etcdctl put talos:v1:vip:election:10.99.0.50/1235 cp-1 >/dev/null
        ip neigh add 10.77.0.50 lladdr 02:00:00:00:00:99 dev eth0 nud reachable
        "$TALOSVIP" status -o json | jq -e "[.nodes[] | select(.name == \"(here)\") | .views[].vip] == [\"10.77.0.50\"]"
        etcdctl put "talosvip/v1/nodes/$(hostname)" "{\"node\":\"$(hostname)\",\"machineId\":\"x\",\"agent\":\"0.1.0\",\"addresses\":[]}" >/dev/null
        [ -z "$(view)" ]'
}
