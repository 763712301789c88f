#!/usr/bin/env bats
# SPDX-License-Identifier: MIT
# shellcheck disable=SC2154
# Members whose port speaks gRPC only cannot be asked how they are. That is no reason to worry; one
# that is down is.

bats_require_minimum_version 1.5.0
load etcd_helper
load terminal_helper

# relay PORT ETCD_PORT [WAY]: sets RELAY
relay()
{
    perl "$BATS_TEST_DIRNAME/grpc_only.pl" "$@" 3>&- &
    RELAY=$!
    echo $RELAY >>"$BATS_FILE_TMPDIR/relays"
    await 5 is_taken "$1"
}

setup_file() {
    local i from to
    etcd_up 3
    IFS=, read -ra real <<<"$URLS"
    # The second and the third advertise a port without a gateway.
    for i in 2 3; do
        from=${real[i - 1]##*:} to=$(free_port)
        relay "$to" "$from"
        eval "export relay$i=$RELAY"
        sed -i "s|--advertise-client-urls http://127.0.0.1:$from|--advertise-client-urls http://127.0.0.1:$to|" \
            "$ETCD_DIR/start$i"
        etcd_signal $i KILL
        etcd_start $i
    done
    await 20 ctl endpoint health
    export ONE=${real[0]}
}

teardown_file() {
    local pid
    etcd_down
    while read -r pid; do
        kill "$pid" 2>/dev/null || :
    done <"$BATS_FILE_TMPDIR/relays"
}

setup() {
    clean_environment
    lease=$(lease 60)
    candidate 10.0.0.50 cp-1 "$lease"
}

status() { run --separate-stderr timeout 10 "$TALOSVIP" status "$@"; }

in_json() { status -e "$1" -o json; jq -e "$2" <<<"$output"; }

@test "what cannot be asked is not called down" {
    status -e "$ONE"
    echo "$output"
    [[ $output = *"etcd OK    1/3 members, 2 unknown"* ]]
    [[ $output != *"may fail"* ]]
    [[ $output != *TVA1[01]* ]]
    [ "$(grep -c '^  cp-[23]  http://127.0.0.1:[0-9]*  grpc only$' <<<"$output")" = 2 ]
    in_json "$ONE" '.etcd.state == "ok" and .etcd.healthy == 1 and .etcd.members[1].asked == false
        and .etcd.members[1].error == "grpc only" and .etcd.members[1].healthy == false
        and .etcd.members[1].raftTerm == null'
}

@test "top shows it so" {
    run timeout 20 "$TALOSVIP" top -e "$ONE" -b -n 4 --size 160x45 --ascii
    echo "$output"
    [[ $output = *"OK 1/3  quorum 2"* ]]
    grep -q '^cp-2 .* ? grpc only *-  *-  *-  *-  *-  *-  *|' <<<"$output"
    [[ $output = *"Tolerance not known"* ]]
}

@test "resign asks for no more than a y" {
    local node lease
    command -v tmux >/dev/null || skip "no tmux"
    for node in cp-1 cp-2; do
        lease=$(lease 60)
        candidate 10.0.0.51 "$node" "$lease"
        agent "$node" "$lease" "02:00:00:00:01:0${node#cp-}" "$(view 10.0.0.51 standby false 02:00:00:00:01:01 probe)"
    done
    mkdir -p "$BATS_TEST_TMPDIR/home" "$BATS_TEST_TMPDIR/bin"
    ln -sf "$(realpath "$TALOSVIP")" "$BATS_TEST_TMPDIR/bin/talosvip"
    cd "$BATS_TEST_TMPDIR"
    terminal_setup
    in_terminal bash -c "talosvip resign 10.0.0.51 -e '$ONE'; exec cat"
    shows "Resign 10.0.0.51? [y/N]"
    terminal_teardown
}

# One etcd with TLS, behind a port that lets gRPC alone through.
tls_etcd()
{
    cd "$BATS_TEST_TMPDIR"
    openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes -days 2 -subj /CN=etcd \
        -addext subjectAltName=IP:127.0.0.1 -keyout key -out crt 2>/dev/null
    port=$(free_port) peer=$(free_port)
    "$ETCD_BIN/etcd" --data-dir data --listen-client-urls "https://127.0.0.1:$port" \
        --advertise-client-urls "https://127.0.0.1:$port" --listen-peer-urls "http://127.0.0.1:$peer" \
        --cert-file crt --key-file key --log-level error >log 2>&1 3>&- &
    tls_pid=$!
    echo $tls_pid >>"$BATS_FILE_TMPDIR/relays"
    await 20 env ETCDCTL_API=3 "$ETCD_BIN/etcdctl" --endpoints "https://127.0.0.1:$port" --cacert crt endpoint health
}

@test "over TLS, however the port ends what is no HTTP/2; but not when etcd hangs or is gone" {
    local way front
    tls_etcd
    for way in alert nothing; do
        front=$(free_port)
        relay "$front" "$port" $way
        status -e "https://127.0.0.1:$front" --cacert crt -o json
        [ "$status" = 4 ]
        jq -e '.etcd.state == "unreachable" and .etcd.members[0].error == "grpc only"' <<<"$output"
    done
    kill -STOP "$tls_pid"
    status -e "https://127.0.0.1:$front" --cacert crt -o json
    kill -KILL "$tls_pid"
    [ "$status" = 4 ]
    jq -e '.etcd.members[0].error != "grpc only"' <<<"$output"
    status -e "https://127.0.0.1:$front" --cacert crt -o json
    jq -e '.etcd.members[0].error != "grpc only"' <<<"$output"
}

@test "one that is down is called down, and the quorum is what reads tell" {
    etcd_signal 3 KILL
    kill "$relay3"
    URLS=${URLS%,*} await 20 ctl get x
    await 10 in_json "$ONE" '.etcd.state == "degraded" and .etcd.members[2].error == "refused"'
    status -e "$ONE"
    echo "$output"
    [[ $output = *"etcd DEGRADED    1/3 members, 1 unknown"*", none may fail"* ]]
    [[ $output = *"WARN TVA11 etcd member cp-3 unreachable; no further member may fail"* ]]
    etcd_signal 2 KILL # and what stands before it lives
    await 10 in_json "$ONE" '.etcd.state == "no quorum"'
    in_json "$ONE" '.etcd.members[1].error != "grpc only"'
}
