#!/usr/bin/env bats
# SPDX-License-Identifier: MIT
# shellcheck disable=SC2154
# `watch`: events as they happen, to people, programs and commands.

bats_require_minimum_version 1.5.0
load etcd_helper

setup_file() { etcd_up 1; }

teardown_file() { etcd_down; }

setup() {
    clean_environment
    export TALOSVIP_ENDPOINTS=$URLS
    one=$(lease 60) two=$(lease 60)
    candidate 10.0.0.50 cp-1 "$one"
    candidate 10.0.0.50 cp-2 "$two"
    out=$BATS_TEST_TMPDIR/out
}

teardown() {
    [ -z "${watcher-}" ] || kill "$watcher" 2>/dev/null || :
    ctl del --prefix talos || :
}

# watching ...: in the background, until its stream stands
watching() {
    "$TALOSVIP" watch "$@" >"$out" 2>"$out.err" 3>&- &
    watcher=$!
    # An event of its own tells that it listens.
    await 10 poke
}

poke() {
    ctl put talosvip/v1/requests/10.0.0.99 "{\"kind\":\"pause\",\"by\":\"poke\",\"wallUs\":1}"
    grep -qi paused "$out" && return
    ctl del talosvip/v1/requests/10.0.0.99
    false
}

@test "a move is LOST and HELD; SIGTERM ends with 0" {
    watching
    ctl lease revoke "$one"
    await 5 grep -q HELD "$out"
    grep -Eq '^[0-9]{2}:[0-9]{2}:[0-9]{2}\.[0-9]{3}  10\.0\.0\.50  LOST     cp-1  its key is gone$' "$out"
    grep -Eq '^[0-9:.]+  10\.0\.0\.50  HELD     cp-2$' "$out"
    kill -TERM "$watcher"
    wait "$watcher"
}

@test "logfmt, JSON, and only one VIP" {
    watching -o logfmt
    ctl lease revoke "$one"
    await 5 grep -Eq '^ts=.*Z level=info event=held vip=10.0.0.50 node=cp-2 from=cp-1 to=cp-2 msg=cp-2$' "$out"
    kill -INT "$watcher"
    wait "$watcher"
    one=$(lease 60)
    candidate 10.0.0.51 cp-1 "$one"
    "$TALOSVIP" watch 10.0.0.50 -o json >"$out" 3>&- &
    watcher=$!
    sleep_until_connected() { [ "$(curl -s "$URLS/metrics" | awk '/^etcd_debugging_mvcc_watcher_total/ { print $2 }')" -ge 5 ]; }
    await 5 sleep_until_connected
    ctl lease revoke "$one"
    ctl lease revoke "$two"
    await 5 grep -q '"event":"LOST"' "$out"
    jq -se 'any(.[]; .event == "LOST" and .kind == "Event" and .vip == "10.0.0.50" and .from == "cp-2")' "$out"
    ! grep -q 10.0.0.51 "$out"
}

@test "--exec runs for each event, with what happened in the environment" {
    export TALOSVIP_EVENT=mine TALOSVIP_FROM=me TALOSVIP_TO='' # not what counts
    # shellcheck disable=SC2016 # expanded by its shell
    watching --exec 'echo "$TALOSVIP_EVENT $TALOSVIP_VIP $TALOSVIP_FROM $TALOSVIP_TO" >>'"$out.exec"
    ctl lease revoke "$one"
    await 5 grep -qx 'HELD 10.0.0.50 cp-1 cp-2' "$out.exec"
    grep -qx 'LOST 10.0.0.50 cp-1 cp-2' "$out.exec"
}

@test "--until-held: at once, later, or never" {
    run timeout 10 "$TALOSVIP" watch 10.0.0.50 --until-held
    [ "$status" -eq 0 ]
    run timeout 10 "$TALOSVIP" watch 10.0.0.60 --until-held --timeout 1s
    [ "$status" -eq 1 ]
    "$TALOSVIP" watch 10.0.0.60 --until-held --timeout 20s >"$out" 3>&- &
    watcher=$!
    candidate 10.0.0.60 cp-1 "$one"
    wait "$watcher"
    watcher=
}

@test "an end by a signal is not taken for an address that is held" {
    for signal in INT TERM HUP; do
        # In a pipe of its own for it is not to inherit that SIGINT is ignored.
        run env --default-signal bash -c '"$0" watch 10.0.0.60 --until-held 3>&- &
            until grep -q "$1" "/proc/$!/status"; do :; done; kill -$2 $!; wait $!' \
            "$TALOSVIP" 'SigCgt:.*[1-9a-f]' $signal
        [ "$status" -eq $((128 + $(kill -l $signal))) ]
    done
}

@test "--timeout ends also what --exec still runs for" {
    local begin=$SECONDS
    "$TALOSVIP" watch --timeout 4s --exec "echo >>$out.ran; exec sleep 30" >"$out" 2>"$out.err" 3>&- &
    watcher=$!
    await 10 poke
    ctl lease revoke "$one"
    status=0
    wait "$watcher" || status=$?
    watcher=
    [ "$status" -eq 1 ]
    [ $((SECONDS - begin)) -lt 10 ]
    [ "$(wc -l <"$out.ran")" -eq 1 ]
    grep -q "events were dropped" "$out.err"
}

@test "-q says nothing, waits and runs what it is to run; -v says where the settings come from" {
    run --separate-stderr timeout 10 "$TALOSVIP" watch -q 10.0.0.60 --until-held --timeout 1s
    [ "$status" -eq 1 ]
    [ -z "$output$stderr" ]
    "$TALOSVIP" watch --quiet --exec "touch $out.ran" --timeout 20s >"$out" 2>&1 3>&- &
    watcher=$!
    has_run() { ctl put talosvip/v1/requests/10.0.0.99 '{"kind":"pause","by":"poke","wallUs":1}' && [ -e "$out.ran" ] ||
        { ctl del talosvip/v1/requests/10.0.0.99 && false; }; }
    await 10 has_run
    kill -TERM "$watcher"
    wait "$watcher"
    [ ! -s "$out" ]
    ctl del talosvip/v1/requests/10.0.0.99
    run --separate-stderr timeout 10 "$TALOSVIP" watch -v 10.0.0.50 --until-held
    [ "$status" -eq 0 ]
    [[ $stderr = *"endpoints $URLS (env TALOSVIP_ENDPOINTS)"* ]]
}

@test "etcd away and back: told, and nothing is missed" {
    watching
    etcd_signal 1 KILL
    await 10 grep -q 'DOWN     etcd member cp-1' "$out"
    read -rt 2.5 <> <(:) || : # longer than what is told as a gap
    etcd_start 1
    await 15 grep -q 'GAP      etcd did not answer for ' "$out"
    ctl lease revoke "$one"
    await 10 grep -q 'HELD     cp-2' "$out"
}

@test "nobody there: it says so once and goes on; a wrong word is told at once" {
    run --separate-stderr timeout 10 "$TALOSVIP" watch -e http://127.0.0.1:1 --timeout 2s
    [ "$status" -eq 1 ]
    [ "${stderr_lines[0]}" = "talosvip: etcd cannot be reached (http://127.0.0.1:1 refused)" ]
    [ ${#stderr_lines[@]} -eq 2 ]
    run --separate-stderr "$TALOSVIP" watch ten
    [ "$status" -eq 2 ]
    [ "$stderr" = 'talosvip: "ten" is not an IP address' ]
    run --separate-stderr "$TALOSVIP" watch -w
    [ "$status" -eq 2 ]
}
