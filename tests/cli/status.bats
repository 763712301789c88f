#!/usr/bin/env bats
# SPDX-License-Identifier: MIT
# shellcheck disable=SC2154
# `status` against a real etcd of three members: formats, exit statuses, faults. Never over 5 s.

bats_require_minimum_version 1.5.0
load etcd_helper

setup_file() {
    etcd_up 3

    one=$(lease 60) two=$(lease 60) three=$(lease 60)
    candidate 10.0.0.50 cp-1 "$one"
    candidate 10.0.0.50 cp-2 "$two"
    candidate 10.0.0.50 cp-3 "$three"
    candidate fd00:10::50 cp-3 "$three"
    candidate fd00:10::50 cp-1 "$one"
    export one two three
}

teardown_file() { etcd_down; }

setup() {
    clean_environment
    export TALOSVIP_ENDPOINTS=$URLS
}

teardown() {
    [ -z "${helper-}" ] || kill "$helper" 2>/dev/null || :
    [ -z "${tmux-}" ] || "${tmux[@]}" kill-server 2>/dev/null || :
}

# status ...: in time, whatever happens
status() {
    local begin=${EPOCHREALTIME/[.,]/}
    run --separate-stderr timeout 10 "$TALOSVIP" status "$@"
    took=$(((${EPOCHREALTIME/[.,]/} - begin) / 1000))
    [ $took -lt 5000 ] || { echo "took $took ms"; false; }
}

@test "stock Talos: the election is shown, agent columns are unknown" {
    status
    [ "$status" -eq 0 ]
    [[ ${lines[0]} = "10.0.0.50  HELD by cp-1"* ]]
    [[ ${lines[1]} =~ "  lease      "5[0-9]-[56][0-9]"s of 60s left" ]]
    [ "${lines[2]}" = "  on wire    nobody looked" ]
    [ "${lines[3]}" = "  queue      cp-2, cp-3" ]
    [[ $output = *"etcd OK    3/3 members, leader cp-"*", one more may fail" ]]
    [ -z "$stderr" ]
}

@test "table, wide, name, no heads" {
    status -o table
    [ "$status" -eq 0 ]
    [[ ${lines[0]} =~ ^VIP\ +STATE\ +HOLDER\ +SINCE\ +TTL\ +NEXT\ +ARP\ +ALERTS$ ]]
    [[ ${lines[1]} =~ ^10\.0\.0\.50\ +HELD\ +cp-1\ +-\ +5[0-9]-[56][0-9]s/60s\ +cp-2\ +-\ +-$ ]]
    [[ ${lines[2]} =~ ^fd00:10::50\ +HELD\ +cp-3\  ]]
    status -o wide --no-headers
    [ ${#lines[@]} -eq 2 ]
    [[ ${lines[0]} =~ \ ${one#0}\  ]]
    status -o name
    [ "$output" = $'vip/10.0.0.50\nvip/fd00:10::50' ]
}

@test "JSON follows its schema, YAML says the same" {
    status -o json
    [ "$status" -eq 0 ]
    echo "$output" >"$BATS_TEST_TMPDIR/out.json"
    python3 - "$BATS_TEST_DIRNAME/../../docs/snapshot-schema.json" "$BATS_TEST_TMPDIR/out.json" <<'PY'
import json, sys, jsonschema
schema, value = (json.load(open(name)) for name in sys.argv[1:])
jsonschema.Draft7Validator.check_schema(schema)
jsonschema.validate(value, schema)
assert [v["vip"] for v in value["vips"]] == ["10.0.0.50", "fd00:10::50"]
assert value["vips"][0]["holder"] == "cp-1" and value["vips"][0]["queue"] == ["cp-2", "cp-3"]
assert [n["role"] for n in value["nodes"]] == ["talos"] * 3
PY
    status -o yaml
    grep -qx '  - vip: "10.0.0.50"' <<<"$output"
    grep -qx '    holder: cp-1' <<<"$output"
}

@test "one VIP; one that is not there; something that is none" {
    status fd00:10:0::50 -o name
    [ "$status" -eq 0 ]
    [ "$output" = vip/fd00:10::50 ]
    status 10.0.0.51
    [ "$status" -eq 1 ]
    [ "$stderr" = "talosvip: there is no VIP 10.0.0.51 in this cluster; did you mean 10.0.0.50?" ]
    [ -z "$output" ]
    status 10.0.0.300
    [ "$status" -eq 2 ]
    [ "$stderr" = 'talosvip: "10.0.0.300" is not an IP address' ]
}

@test "--check: one line, and the codes of a plugin" {
    status --check 10.0.0.50
    [ "$status" -eq 0 ]
    [[ $output =~ ^"VIP OK - 10.0.0.50 held by cp-1 | ttl_ms="[0-9]+";30000;12000 observers=0;;"$ ]]
    status --check
    [[ $output = "VIP OK - 2 of 2 held | held=2;;2: vips=2" ]]
    status --check 10.0.0.51
    [ "$status" -eq 3 ]
    [ "$output" = "VIP UNKNOWN - there is no VIP 10.0.0.51" ]
    status --check --context none
    [ "$status" -eq 3 ]
    [[ $output = "VIP UNKNOWN - "* ]]
    status --check -e http://127.0.0.1:1
    [ "$status" -eq 3 ]
    [ "$output" = "VIP UNKNOWN - etcd does not answer" ]
}

@test "-q tells by the exit status alone" {
    status -q
    [ "$status" -eq 0 ]
    [ -z "$output$stderr" ]
}

@test "-v says where the settings come from" {
    status -v -o name
    [[ $stderr = *"endpoints $URLS (env TALOSVIP_ENDPOINTS)"* ]]
    [ "${lines[0]}" = vip/10.0.0.50 ]
}

@test "what does not go together is a usage error" {
    for words in "--local -w" "--local 10.0.0.50" "--local -o table" "--check -w"; do
        # shellcheck disable=SC2086 # words
        status $words
        [ "$status" -eq 2 ]
        [ ${#stderr_lines[@]} -eq 1 ]
    done
}

@test "agents: three truths; a duplicate is critical" {
    local a=52:54:00:aa:01:01 b=52:54:00:aa:02:01
    agent cp-1 "$one" $a "$(view 10.0.0.50 held true $a kernel ',"heldForMs":5000')"
    agent cp-2 "$two" $b "$(view 10.0.0.50 standby false $a probe)"
    status 10.0.0.50
    [[ ${lines[0]} = "10.0.0.50  HELD by cp-1 (eth0, $a)"* ]]
    [ "${lines[2]}" = "  on wire    2 of 2 nodes see cp-1" ]
    agent cp-2 "$two" $b "$(view 10.0.0.50 standby true $b kernel)"
    status 10.0.0.50
    [ "$status" -eq 1 ]
    [[ ${lines[0]} = "10.0.0.50  DUP by cp-1"* ]]
    [[ $output = *"CRIT TVA02 10.0.0.50 answers from 2 MACs: cp-1 ($a) and cp-2 ($b)"* ]]
    [[ $output = *"CRIT TVA16 10.0.0.50 is set on cp-2, which does not hold it"* ]]
    status --check 10.0.0.50
    [ "$status" -eq 2 ]
    agent cp-2 "$two" $b "$(view 10.0.0.50 standby false "" probe ',"silentMs":1500')"
    status 10.0.0.50
    [ "$status" -eq 1 ]
    [[ ${lines[0]} = "10.0.0.50  SILENT by cp-1"* ]]
    agent cp-2 "$two" $b "$(view 10.0.0.50 standby false $b neigh)"
    status 10.0.0.50
    [[ $output = *"CRIT TVA04 cp-2 still sends 10.0.0.50 to cp-2"* ]]
    ctl del --prefix talosvip/v1/nodes/
}

@test "a clock that is an hour off is a warning" {
    local a=52:54:00:aa:01:01
    agent cp-1 "$one" $a "$(view 10.0.0.50 held true $a kernel)" $(($(now_us) + 3600000000))
    status 10.0.0.50
    [ "$status" -eq 3 ]
    [[ $output = *"WARN TVA07 cp-1: clock 3"[56]*"s ahead of this host (limit 500ms)"* ]]
    agent cp-1 "$one" $a "$(view 10.0.0.50 held true $a kernel)" $(($(now_us) - 3600000000))
    status 10.0.0.50
    [ "$status" -eq 3 ]
    [[ $output = *"s behind this host (limit 500ms)"* ]]
    [[ $output = *"10.0.0.50  HELD by cp-1"* ]]
    ctl del --prefix talosvip/v1/nodes/
}

@test "a pause is told first" {
    ctl put talosvip/v1/requests/10.0.0.50 >/dev/null <<JSON
{"kind":"pause","by":"alice","reason":"new switch","wallUs":$(now_us)}
JSON
    status
    [[ ${lines[0]} = "PAUSED 10.0.0.50 by alice since "*": new switch" ]]
    ctl del talosvip/v1/requests/10.0.0.50
}

@test "an address without an owner" {
    ctl put talosvip/v1/released/10.0.0.77 >/dev/null <<JSON
{"node":"cp-1","cause":"shutdown","revision":7,"time":"2026-01-01T00:00:00.000Z"}
JSON
    status 10.0.0.77
    [ "$status" -eq 1 ]
    [[ ${lines[0]} = "10.0.0.77  FREE" ]]
    [[ $output = *"CRIT TVA01 10.0.0.77 has no owner, and nobody waits for it"* ]]
    ctl del talosvip/v1/released/10.0.0.77
}

@test "-w and top: an address or a node that is not there is told" {
    run --separate-stderr timeout 10 "$TALOSVIP" status -w 10.0.0.51
    [ "$status" -eq 1 ]
    [ -z "$output" ]
    [ "$stderr" = "talosvip: there is no VIP 10.0.0.51 in this cluster; did you mean 10.0.0.50?" ]
    for words in --once "-b -n 2"; do
        # shellcheck disable=SC2086 # words
        run --separate-stderr timeout 10 "$TALOSVIP" top $words --vip 10.0.0.51
        [ "$status" -eq 1 ]
        [ -z "$output" ]
        [ "$stderr" = "talosvip: there is no VIP 10.0.0.51 in this cluster; did you mean 10.0.0.50?" ]
        # shellcheck disable=SC2086 # words
        run --separate-stderr timeout 10 "$TALOSVIP" top $words --vip 10.0.0.50 --node cp-4
        [ "$status" -eq 1 ]
        [ "$stderr" = 'talosvip: there is no node "cp-4" in this cluster; did you mean cp-1?' ]
    done
}

@test "-w in a terminal: in place, never more than there is room for; a dumb one is not drawn on" {
    load terminal_helper
    tmux=(tmux -S "$BATS_TEST_TMPDIR/tmux" -f /dev/null)
    cd "$BATS_TEST_TMPDIR"
    mkdir -p bin home
    ln -s "$(realpath "$TALOSVIP")" bin/talosvip
    "${tmux[@]}" new-session -d -x 40 -y 6 env -i HOME="$PWD/home" TERM=screen LANG=C.UTF-8 \
        PATH="$PWD/bin:/usr/bin:/bin" talosvip status -w -e "$URLS"
    shows "more lines"
    local end=$((SECONDS + 3)) # several times
    while [ $SECONDS -lt $end ]; do
        [ "$("${tmux[@]}" display -p '#{history_size}')" -eq 0 ]
        "${tmux[@]}" capture-pane -p | head -1 | grep -q ^10.0.0.50
        read -rt 0.2 <> <(:) || :
    done
    "${tmux[@]}" kill-server
    tmux=(tmux -S "$BATS_TEST_TMPDIR/tmux2" -f /dev/null)
    "${tmux[@]}" new-session -d -x 100 -y 30 env -i HOME="$PWD/home" TERM=dumb LANG=C.UTF-8 \
        PATH="$PWD/bin:/usr/bin:/bin" script -qfc "timeout -s INT 4 talosvip status -w -e $URLS" typescript
    await 10 grep -q "held\|HELD" typescript
    is_over() { ! "${tmux[@]}" has-session 2>/dev/null; }
    await 10 is_over # by itself: script outlives its terminal
    run grep -c $'\e' typescript
    [ "$output" = 0 ]
}

@test "-w in a pipe: a new one when something changed" {
    "$TALOSVIP" status -w -o table >"$BATS_TEST_TMPDIR/out" 3>&- &
    local pid=$! four
    helper=$pid
    await 5 grep -q '^fd00' "$BATS_TEST_TMPDIR/out"
    four=$(lease 60)
    candidate 10.0.0.99 cp-9 "$four"
    await 5 grep -q '^10.0.0.99 *HELD *cp-9' "$BATS_TEST_TMPDIR/out"
    [ "$(grep -c '^VIP' "$BATS_TEST_TMPDIR/out")" -eq 1 ]
    kill -INT $pid
    status=0
    wait $pid || status=$?
    [ "$status" -eq 130 ]
    "$TALOSVIP" status -w -o json >"$BATS_TEST_TMPDIR/out" 3>&- &
    pid=$! helper=$!
    await 5 test -s "$BATS_TEST_TMPDIR/out"
    kill -TERM $pid
    status=0
    wait $pid || status=$?
    [ "$status" -eq 143 ]
    ctl lease revoke "$four"
}

# Forty letters of two bytes, of which there is room for 63 bytes.
@test "a long name with accents spoils nothing for the others" {
    local four name
    printf -v name '\xc3\xa9%.0s' {1..40}
    four=$(lease 60)
    candidate 10.0.0.99 "$name" "$four"
    "$TALOSVIP" status -w -o table >"$BATS_TEST_TMPDIR/out" 3>&- &
    local pid=$!
    await 5 grep -q '^10.0.0.50 *HELD *cp-1' "$BATS_TEST_TMPDIR/out"
    kill -INT $pid
    wait $pid || status=$?
    [ "$status" -eq 130 ]
    run --separate-stderr timeout 10 "$TALOSVIP" top --once
    [ "$status" -eq 0 ]
    [[ $output = *10.0.0.50*cp-1* ]]
    run --separate-stderr timeout 10 "$TALOSVIP" top --once -o json
    [ "$status" -eq 0 ]
    jq -e --arg name "${name:0:62}" '.vips[] | select(.vip == "10.0.0.99").holder == $name' <<<"$output"
    ctl lease revoke "$four"
}

@test "nothing listens: what is known, why, exit 4" {
    status -e http://127.0.0.1:1
    [ "$status" -eq 4 ]
    [[ $output = *"etcd UNREACHABLE    0/1 members"* ]]
    [ "${stderr_lines[0]}" = "talosvip: etcd cannot be reached (http://127.0.0.1:1 refused)" ]
    [[ ${stderr_lines[1]} = "  hint: "* ]]
    [ ${#stderr_lines[@]} -eq 2 ]
    status -e http://127.0.0.1:1 -o json
    [ "$status" -eq 4 ]
    jq -e '.etcd.state == "unreachable" and .vips == []' <<<"$output"
}

@test "somebody who never answers costs no more than the limit" {
    local port
    port=$(free_port)
    perl -MIO::Socket::INET -e '$s = IO::Socket::INET->new(LocalAddr => "127.0.0.1",
        LocalPort => shift, Listen => 9, ReuseAddr => 1) or die; @k = (); push @k, $s->accept while 1' \
        "$port" 3>&- &
    helper=$!
    await 5 bash -c ": <>/dev/tcp/127.0.0.1/$port"
    status -e "http://127.0.0.1:$port"
    [ "$status" -eq 4 ]
    [[ ${stderr_lines[0]} = "talosvip: etcd did not answer within 5s (http://127.0.0.1:$port)" ]]
    [[ $output = *"timeout 2s"* ]]
    status -e "http://127.0.0.1:$port" --command-timeout 700ms
    [[ ${stderr_lines[0]} = "talosvip: etcd did not answer within 700ms (http://127.0.0.1:$port)" ]]
    run timeout -s INT 3 "$TALOSVIP" status -w -e "http://127.0.0.1:$port" --command-timeout 700ms
    [[ $output = *"timeout 700ms"* ]]
}

@test "a member that hangs, a member that is gone, none left" {
    etcd_signal 1 STOP
    URLS=${URLS#*,} await 20 ctl get x # it may have been the leader
    status
    [ "$status" -eq 3 ]
    [[ $output = *"10.0.0.50  HELD by cp-1"* ]]
    [[ $output = *"etcd DEGRADED    2/3 members"*", none may fail"* ]]
    [[ $output = *"  cp-1  http://127.0.0.1:"*"  timeout 2s"* ]]
    [[ $output = *"WARN TVA11 etcd member cp-1 unreachable; no further member may fail"* ]]
    etcd_signal 1 KILL
    status
    [ "$status" -eq 3 ]
    [[ $output = *"  cp-1  http://127.0.0.1:"*"  refused"* ]]
    etcd_signal 2 KILL
    status
    [ "$status" -eq 4 ]
    [ ${#stderr_lines[@]} -le 2 ]
    etcd_signal 3 KILL
    status
    [ "$status" -eq 4 ]
    [[ $output = *"etcd UNREACHABLE    0/3 members"* ]]
    [[ ${stderr_lines[0]} = "talosvip: etcd cannot be reached ("*" refused, "*" refused, "*" refused)" ]]
}
