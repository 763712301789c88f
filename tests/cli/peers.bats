#!/usr/bin/env bats
# SPDX-License-Identifier: MIT
# The key of the peer lease, with a real agent and etcd.
# shellcheck disable=SC2016,SC2154 # expanded in the host; of bats

load run_helper
load agent_helper

setup()
{
    [ -x "$TALOSVIP" ] || skip "no $TALOSVIP"
    cd "$BATS_TEST_TMPDIR" || return 1
    talos_config >vip.yaml
}

@test "peers rotate-key writes a new key, and an agent that runs takes it" {
    host '
        key() { etcdctl get talosvip/v1/peerkey --print-value-only; }
        agent
        await 10 has 10.77.0.50
        old=$(key | jq -r .current)
        [ -n "$old" ]
        "$TALOSVIP" peers rotate-key -e http://127.0.0.1:2379 >/run/out
        grep -q "^key 2 written" /run/out
        [ "$(key | jq -r .generation)" = 2 ]
        [ "$(key | jq -r .previous)" = "$old" ]
        [ "$(key | jq -r .current)" != "$old" ]
        await 5 logged event=peer_key
        has 10.77.0.50
        [ "$(grep -cF "$(key | jq -r .current)" /run/log)" = 0 ]
        finish'
}

@test "a peer key that somebody deleted is made anew" {
    host '
        agent
        await 10 sh -c "etcdctl get talosvip/v1/peerkey | grep -q generation"
        await 10 has 10.77.0.50
        etcdctl del talosvip/v1/peerkey
        await 5 sh -c "etcdctl get talosvip/v1/peerkey | grep -q generation"
        finish'
}

@test "peers: what to do is to be said, and is checked" {
    run "$TALOSVIP" peers
    [ "$status" = 2 ]
    [[ $output == *"talosvip peers rotate-key"* ]]
    run "$TALOSVIP" peers rotate-kye
    [ "$status" = 2 ]
    [[ $output == *"did you mean rotate-key?"* ]]
    run "$TALOSVIP" peers rotate-key -e http://127.0.0.1:1 --command-timeout 1s
    [ "$status" = 4 ]
}
