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
finish() { kill "$AGENT"; wait "$AGENT"; }
'

host()
{
    LIMIT=60 on_host env TALOSVIP="$TALOSVIP" bash -c "set -e; $WORDS $1"
    [ "$status" = 0 ] || fail "exit status $status: $output"
}
