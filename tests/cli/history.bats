#!/usr/bin/env bats
# SPDX-License-Identifier: MIT
# shellcheck disable=SC2154
# `history`: records as agents write them, filtered, counted, annotated.

bats_require_minimum_version 1.5.0
load etcd_helper

# move VIP EPOCH HOURS_AGO FROM TO CAUSE DETAIL PLANNED OUTAGE_US
move() {
    ctl put "talosvip/v1/history/$1/$(printf %016x "$2")" >/dev/null <<JSON
{"from":"$4","to":"$5","cause":"$6","detail":"$7","planned":$8,"epoch":$2,"goneWallUs":$(($(now_us) - $3 * 3600000000)),"lastSignUs":300000,"wonUs":1000,"probedUs":63000,"setUs":64000,"announcedUs":65000,"observers":2,"seen":[{"node":"cp-2","seenMs":1,"outageUs":$9,"errorUs":20000},{"node":"cp-3","seenMs":-1,"outageUs":-1,"errorUs":-1}]}
JSON
}

setup_file() {
    etcd_up 1
    move 10.0.0.50 100 80 "" cp-2 "first election" "" false -1
    move 10.0.0.50 200 50 cp-2 cp-3 link_down "eth0 on cp-2" false 1100000
    move 10.0.0.50 300 5 cp-3 cp-1 "lease expired" "cp-3 lost" false 9800000
    move fd00:10::50 400 1 cp-1 cp-3 resign "by alice: \\\"kernel, update\\\"" true 210000
}

teardown_file() { etcd_down; }

setup() {
    clean_environment
    export TALOSVIP_ENDPOINTS=$URLS
    # Records without anybody in an election are found by who released it.
    for vip in 10.0.0.50 fd00:10::50; do
        ctl put talosvip/v1/released/$vip '{"node":"cp-1","cause":"shutdown","revision":7,"time":"2026-01-01T00:00:00.000Z"}'
    done >/dev/null
}

history() { run --separate-stderr timeout 10 "$TALOSVIP" history "$@"; }

@test "newest first, with cause, outage and who saw it" {
    history
    [ "$status" -eq 0 ]
    [[ ${lines[0]} =~ ^WHEN\ +VIP\ +FROM\ +TO\ +CAUSE\ +OUTAGE\ +SEEN$ ]]
    [ ${#lines[@]} -eq 5 ]
    [[ ${lines[1]} = *"Z  fd00:10::50  cp-1    cp-3  resign by alice: \"kernel, update\""*"0.2s +-20ms  1/2" ]]
    [[ ${lines[2]} = *"lease expired: cp-3 lost"*"9.8s +-20ms"* ]]
    [[ ${lines[3]} = *"link down: eth0 on cp-2"* ]]
    [[ ${lines[4]} = *"(none)  cp-2  first election "*"-  "* ]]
    history -o wide --no-headers
    [ ${#lines[@]} -eq 4 ]
}

@test "-q tells by the exit status alone; -v says where the settings come from" {
    history -q
    [ "$status" -eq 0 ]
    [ -z "$output$stderr" ]
    history -q -o json
    [ -z "$output$stderr" ]
    history --quiet --vip 10.0.0.51
    [ "$status" -eq 1 ]
    [ -z "$output" ]
    history -v -n 1 --no-headers
    [[ $stderr = *"endpoints $URLS (env TALOSVIP_ENDPOINTS)"* ]]
    [ ${#lines[@]} -eq 1 ]
}

@test "filters" {
    history --since 24h --no-headers
    [ ${#lines[@]} -eq 2 ]
    history --since 3d --until 24h --no-headers
    [ ${#lines[@]} -eq 1 ]
    [[ $output = *"link down"* ]]
    history --vip 10.0.0.50 -n 1 --no-headers
    [[ ${#lines[@]} -eq 1 && $output = *"lease expired"* ]]
    history --node cp-2 --no-headers
    [ ${#lines[@]} -eq 2 ]
    history --cause resign --no-headers
    [ ${#lines[@]} -eq 1 ]
}

@test "JSON, YAML, CSV" {
    history -o json
    jq -e '.kind == "History" and (.history | length) == 4 and .history[0].outage.ms == 210
        and .history[0].from == "cp-1" and .history[3].from == null' <<<"$output"
    jq -c '.history[]' <<<"$output" >"$BATS_TEST_TMPDIR/moves"
    python3 - "$BATS_TEST_DIRNAME/../../docs/snapshot-schema.json" "$BATS_TEST_TMPDIR/moves" <<'PY'
import json, sys, jsonschema
schema = json.load(open(sys.argv[1]))
move = {"$ref": "#/definitions/move", "definitions": schema["definitions"]}
for line in open(sys.argv[2]):
    jsonschema.validate(json.loads(line), move)
PY
    history -o yaml
    grep -qx '    cause: resign' <<<"$output"
    history -o csv
    python3 -c 'import csv, sys
rows = list(csv.DictReader(sys.stdin))
assert len(rows) == 4 and rows[0]["detail"] == "by alice: \"kernel, update\"", rows
assert rows[0]["outage_ms"] == "210.000" and rows[3]["outage_ms"] == ""' <<<"$output"
}

@test "figures" {
    history --stats --since 30d
    [[ ${lines[0]} =~ ^VIP\ +MOVES\ +PLANNED\ +UNPLANNED\ +OUTAGE\ p50\ +p95\ +WORST\ +TOTAL\ +HELD$ ]]
    [[ $output =~ "10.0.0.50 "\ +2\ +0\ +2\ +1.1s\ +9.8s\ +9.8s\ +10.9s\ +99.9996% ]]
    history --stats -o json
    jq -e '.kind == "HistoryStats" and (.vips[] | select(.vip == "10.0.0.50").moves) == 2' <<<"$output"
}

# A hundred addresses share a thousand places: ten are left for each.
@test "what was not read is told, and one address has all the room" {
    local i batch=$BATS_TEST_TMPDIR/batch
    {
        printf '\n'
        for ((i = 1; i <= 98; i++)); do
            printf 'put talosvip/v1/released/10.9.0.%d "{\\"node\\":\\"cp-1\\",\\"cause\\":\\"shutdown\\",\\"revision\\":7}"\n' $i
        done
        printf '\n\n'
    } >"$batch"
    ctl txn <"$batch" >/dev/null
    {
        printf '\n'
        for ((i = 1; i <= 40; i++)); do
            printf 'put talosvip/v1/history/10.9.0.1/%016x "{\\"from\\":\\"cp-1\\",\\"to\\":\\"cp-2\\",\\"cause\\":\\"resign\\",\\"epoch\\":%d,\\"goneWallUs\\":%d}"\n' \
                $i $i $(($(now_us) - (50 - i) * 3600000000))
        done
        printf '\n\n'
    } >"$batch"
    ctl txn <"$batch" >/dev/null
    history --stats --since 30d
    [[ $output =~ "10.9.0.1 "\ +10\  ]]
    [[ $stderr = "talosvip: note: before 20"*"there are failovers that were not read; --vip reads more of one address" ]]
    history --since 12h --no-headers
    [ -z "$stderr" ]
    history --stats --since 30d --vip 10.9.0.1
    [[ $output =~ "10.9.0.1 "\ +40\  ]]
    [ -z "$stderr" ]
    ctl del --prefix talosvip/v1/released/10.9. >/dev/null
    ctl del --prefix talosvip/v1/history/10.9. >/dev/null
}

@test "a note stays with its record" {
    history -o json --vip 10.0.0.50 -n 1
    local time
    time=$(jq -r '.history[0].time' <<<"$output")
    history note "10.0.0.50@$time" "switch replaced"
    [ "$status" -eq 0 ]
    [ -z "$output$stderr" ]
    history -o json --vip 10.0.0.50 -n 1
    jq -e '.history[0].note == "switch replaced" and .history[0].outage.ms == 9800' <<<"$output"
    history note 10.0.0.50@2020-01-01T00:00:00Z x
    [ "$status" -eq 1 ]
    [ "${stderr_lines[0]}" = "talosvip: there is no record 10.0.0.50@2020-01-01T00:00:00Z" ]
    history note 10.0.0.50 x
    [ "$status" -eq 2 ]
    history note "10.0.0.50@$time"
    [ "$status" -eq 2 ]
}

@test "names that nobody has, values that are none" {
    history --node cp-33
    [ "$status" -eq 1 ]
    [[ ${stderr_lines[0]} = 'talosvip: there is no node "cp-33" in this cluster'* ]]
    history --vip 10.0.0.5
    [ "$status" -eq 1 ]
    [[ ${stderr_lines[0]} = *"did you mean 10.0.0.50?" ]]
    for words in "--since soon" "--until 7x" "-n 0" "-n many" "--vip cp-1" "--stats -o csv" "cp-1"; do
        # shellcheck disable=SC2086 # words
        history $words
        [ "$status" -eq 2 ]
        [ -z "$output" ]
        [ ${#stderr_lines[@]} -le 2 ]
    done
}

@test "without etcd: exit 4" {
    history -e http://127.0.0.1:1
    [ "$status" -eq 4 ]
    [ -z "$output" ]
    [ "${stderr_lines[0]}" = "talosvip: etcd cannot be reached (http://127.0.0.1:1 refused)" ]
}

@test "a user who may only read: reading works, a note is refused with exit 5" {
    ctl user add root:secret
    ctl user add viewer:secret
    ctl role add reader
    ctl role grant-permission reader read --prefix=true talos:v1:vip:election:
    ctl role grant-permission reader read --prefix=true talosvip/
    ctl user grant-role viewer reader
    ctl user add nobody:secret
    ctl user grant-role root root
    ctl auth enable
    export ETCDCTL_PASSWORD=secret
    history --user viewer -o json
    [ "$status" -eq 0 ]
    local time
    time=$(jq -r '.history[0].time' <<<"$output")
    history note "fd00:10::50@$time" x --user viewer
    [ "$status" -eq 5 ]
    [[ ${stderr_lines[0]} = 'talosvip: user "viewer" may not write under talosvip/v1/history/'* ]]
    run --separate-stderr timeout 10 "$TALOSVIP" status --user viewer
    [ "$status" -eq 1 ] # free addresses
    [[ $output = *"etcd OK    1/1 members"* ]]
    run --separate-stderr timeout 10 "$TALOSVIP" status --user nobody
    [ "$status" -eq 5 ]
    [ ${#stderr_lines[@]} -le 2 ]
    ETCDCTL_PASSWORD=wrong run --separate-stderr timeout 10 "$TALOSVIP" status --user viewer
    [ "$status" -eq 4 ]
    [[ ${stderr_lines[0]} = *"refused the login of user \"viewer\""* ]]
    ctl --user root auth disable
}

@test "status counts the moves of a day, and says where it read fewer than there are" {
    local i batch=$BATS_TEST_TMPDIR/batch
    moves() { # HOURS: 25 of 10.8.0.1, the newest ones all within so many
        printf '\n'
        for ((i = 1; i <= 25; i++)); do
            printf 'put talosvip/v1/history/10.8.0.1/%016x "{\\"from\\":\\"cp-1\\",\\"to\\":\\"cp-2\\",\\"cause\\":\\"resign\\",\\"epoch\\":%d,\\"goneWallUs\\":%d}"\n' \
                $i $i $(($(now_us) - $1 * (26 - i) * 144000000))
        done
        printf '\n\n'
    }
    counted() {
        timeout 10 "$TALOSVIP" status -o json | jq -c '.vips[] | select(.vip == "10.8.0.1") | [.moves24h, .moves24hAtLeast]'
    }
    ctl put talosvip/v1/released/10.8.0.1 '{"node":"cp-1","cause":"shutdown","revision":7}'
    moves 20 >"$batch"
    ctl txn <"$batch"
    [ "$(counted)" = '[20,true]' ]
    timeout 10 "$TALOSVIP" status -o wide | grep -Eq '^10\.8\.0\.1 .* 20\+ '
    moves 60 >"$batch"
    ctl txn <"$batch"
    [ "$(counted)" = '[9,false]' ]
    ctl del --prefix talosvip/v1/history/10.8.0.1
    ctl del talosvip/v1/released/10.8.0.1
}
