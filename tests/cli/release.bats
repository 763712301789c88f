#!/usr/bin/env bats
# SPDX-License-Identifier: MIT
# shellcheck disable=SC2016,SC2154 # expanded on the host; variables of bats
# run --release: what is left of an agent that was killed with its guardian.

load run_helper
load agent_helper

setup()
{
    [ -x "$TALOSVIP" ] || skip "no $TALOSVIP"
    cd "$BATS_TEST_TMPDIR" || return 1
    talos_config >vip.yaml
}

@test "an address of ours goes at once, the host's own are not touched" {
    SETUP='
        etcd --data-dir /run/etcd --log-level error >/run/etcd.log 2>&1 &
        ETCDCTL_API=3 await 20 etcdctl get x
        "$TALOSVIP" run -c vip.yaml -e http://127.0.0.1:2379 --ttl 60s --node cp-1 >/run/log 2>&1 &
        agent=$!
        await 10 sh -c "ip -o addr show eth0 | grep -q 10.77.0.50/"
        both="$(pgrep -P $agent -x talosvip-guard) $agent"
        kill -STOP $both # or the one would still act when the other dies
        kill -9 $both
        ip -o addr show eth0 | grep -q 10.77.0.50/'
    LIMIT=30 TALOSVIP=$TALOSVIP on_host bash -c '
        "$TALOSVIP" run --release --log-format logfmt && ip -o addr show eth0 >/run/left
        cat /run/left
        sed -i "/10.77.0.50/d" /run/before' # what the run was to change
    [ "$status" -eq 0 ] || fail "$status: $output"
    [[ $output == *event=leftover*vip=10.77.0.50* ]]
    [[ $output == *10.77.0.11/24* ]]
    [[ $output != *"10.77.0.50/32"* ]]
}

@test "nothing to do is no error" {
    on_host "$TALOSVIP" run --release
    [ "$status" -eq 0 ]
    [ -z "$output" ]
}

@test "without rights: exit 5 and the name of the right" {
    on_host setpriv --bounding-set -all --inh-caps -all "$TALOSVIP" run --release
    says 5 CAP_NET_ADMIN
}

@test "killed with its guardian, in a container's rights: the next one has a clean link, or says that it has not" {
    host '
        agent() {
            setpriv --bounding-set=-all,+net_admin,+net_raw,+bpf --inh-caps=-all --no-new-privs \
                "$TALOSVIP" run -c vip.yaml -e http://127.0.0.1:2379 --node cp-1 \
                --log-format logfmt >>/run/log 2>&1 & AGENT=$!
        }
        kill_both() {
            both="$(pgrep -P $AGENT -x talosvip-guard) $AGENT"
            kill -STOP $both # or the one would still act when the other dies
            kill -9 $both
            wait $AGENT || :
        }
        note=/run/talosvip/agent.sock.fence
        await 10 etcdctl get x
        agent
        await 10 has 10.77.0.50
        [ "$(stat -c %a $note)" = 600 ]
        kill_both
        [ -e $note ]
        agent
        await 10 logged event=leftover.*programs=4 # two on eth0, two on the other end of its cable
        await 15 sh -c "[ \$(grep -c event=acquired /run/log) = 2 ]"
        "$TALOSVIP" status --local -o json | grep -q "\"packet\":true"
        [ "$(count event=no_packet_fence)" = 0 ]
        kill_both
        rm $note
        agent
        await 10 logged "event=no_packet_fence .*CAP_SYS_ADMIN"
        finish
        [ ! -e $note ]
        "$TALOSVIP" run --release --log-format logfmt 2>&1 | grep -q event=leftover.*programs=4
        agent
        await 15 has 10.77.0.50
        [ "$(count event=no_packet_fence)" = 1 ]
        finish
        [ ! -e $note ]'
}
