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

# Two more nodes on the same network, each with a /run of its own: fewer cannot outvote an owner.
# Before the test, for that demands that the addresses here be the same afterwards.
NETWORK='
place() { # NUMBER
    unshare -n -m bash -c "mount -t tmpfs tmpfs /run; exec sleep infinity" &
    local pid=$!
    export "PLACE$1=$pid"
    is_apart() { [ "$(cat "/proc/$pid/comm")" = sleep ]; }
    await 5 is_apart
    ip link add "port$1" type veth peer name eth0 netns $pid
    ip link set "port$1" addrgenmode none master bridge
    ip link set "port$1" up
    nsenter -t $pid -n ip -batch - <<END
link set lo up
link set eth0 up
addr add 10.77.0.1$1/24 dev eth0
END
}
ip link add bridge type bridge forward_delay 0
ip link set bridge addrgenmode none arp off
ip link set bridge up
ip link set other master bridge
place 2
place 3
'

@test "an owner with voters is healthy and ready; so are they" {
    SETUP=$NETWORK host '
        at() { nsenter -t "$1" -n -m "${@:2}"; }
        says_ok() { [ "$("${@:2}" curl -s --unix-socket /run/talosvip/agent.sock "http://localhost/$1")" = ok ]; }
        voters() { [ "$("$TALOSVIP" status --local -o json | jq .peers.voters)" = "$1" ]; }
        agent
        await 10 has 10.77.0.50
        "$TALOSVIP" status --local | grep -q "^peers  on, but 1 of 3 agents: etcd.s lease alone decides"
        for n in 2 3; do
            place=PLACE$n
            nsenter -t "${!place}" -n -m "$TALOSVIP" run -c "$PWD/vip.yaml" -e http://10.77.0.11:2379 --node cp-$n >/run/log.$n 2>&1 &
            PIDS+=($!)
        done
        await 20 voters 3
        for path in healthz readyz; do
            await 5 says_ok $path
            await 5 says_ok $path at $PLACE2
            await 5 says_ok $path at $PLACE3
        done
        curl -s --unix-socket /run/talosvip/agent.sock http://localhost/metrics | grep -q "^talosvip_healthy 1"
        kill "${PIDS[@]}"; wait "${PIDS[@]}"
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

# in_lab LINES...: with three nodes and their agents; `seen JQ` asks a snapshot of the operator.
in_lab()
{
    [ "$(id -u)" = 0 ] || skip "needs root for namespaces"
    run timeout 100 bash -c '
        set -euo pipefail
        TVLAB_AGENT=$1 TVLAB_VIPS=10.77.0.50
        . "$2/tests/lab/lab.sh"
        lab_trap
        lab_up
        for node in "${LAB_NODES[@]}"; do lab_agent_start "$node"; done
        look() { lab_in sw "$TVLAB_AGENT" "$@" -e "$LAB_ETCD" || true; }
        seen() { look status -o json | jq -e "$1" >/dev/null; }
        wide() { look status -o wide | grep -q "$1"; }
        within() {
            lab_wait "$@" || { echo "waited in vain for: ${*:2}"; look status -o wide; look status -o json; exit 90; } >&2
        }
        owner() { look status -o json | jq -r ".vips[0].holder"; }
        '"$1"'
        lab_down' lab "$(realpath "$TALOSVIP")" "$(realpath "$BATS_TEST_DIRNAME/../..")" 3>&-
    [ "$status" = 0 ] || fail "exit status $status: $output"
}

@test "whom an owner hears is seen from afar, and who ended its lease when it froze" {
    in_lab '
        within 20000 wide " 3/3  3/3  "
        o=$(owner)
        is=".nodes[] | select(.name == \"$o\")"
        within 6000 seen "$is.peerLease | .voters == 3 and .majority == 2 and .windowMs == 500 and .acknowledged == 3"
        # No younger than it can be: the age of the record is in it.
        within 6000 seen "$is | .ageMs as \$age | [.peerLease.agents[] |
            select(.voter and .inTime and .ackedAgeMs >= \$age)] | length == 2"
        look top --once -o json | jq -e "$is.peerLease.agents | length == 2" >/dev/null
        # The others hear the owner, and nobody else.
        others="[.nodes[] | select(.name != \"$o\") | .peerLease]"
        within 8000 seen "$others | map(.agents[] | select(.heardAgeMs) | .node) == [\"$o\", \"$o\"]"
        sums="[(map(.suspicions) | add), (map(.endings) | add), (map(.grants) | add)]"
        before=$(look status -o json | jq -c "$others | $sums")
        fault_both STOP "$o"
        within 15000 seen "($others | $sums) as \$now | $before | .[0] < \$now[0] and .[1] < \$now[1] and
            .[2] + 1 < \$now[2]"
        [ "$(owner)" != "$o" ]
        # Two agents are too few for a list of voters; then there are three again.
        within 8000 wide " 2/2  -  "
        fault_both CONT "$o"
        within 20000 wide " 3/3  3/3  "'
}

@test "an owner that no voter answers is shown as mute" {
    in_lab '
        within 20000 wide " 3/3  3/3  "
        o=$(owner)
        for node in "${LAB_NODES[@]}"; do
            [ "$node" = "$o" ] || lab_in "$node" \
                ip neigh replace "10.77.0.1$(lab_number "$o")" lladdr 02:77:00:00:00:fe dev eth0 nud permanent
        done
        # Nobody answers for its address then.
        within 5000 seen "[.alerts[].id] | index(\"TVA03\")"
        within 7000 wide " 1/3 MUTE  "
        # They hear it, so they do not end its lease; it gives up.
        within 20000 seen ".vips[0].holder != \"$o\""'
}
