#!/usr/bin/env bats
# SPDX-License-Identifier: MIT
# shellcheck disable=SC2154,SC2016
# Usage, help, versions and exit codes of the built program. No agent is started here.

bats_require_minimum_version 1.5.0

setup() {
    talosvip=${TALOSVIP:-$BATS_TEST_DIRNAME/../../build/talosvip}
    for name in $(compgen -e | grep -E '^(TALOSVIP|ETCDCTL)_'); do
        [ "$name" = TALOSVIP ] || unset "$name"
    done
    cd "$BATS_TEST_TMPDIR" || return
}

teardown() { [ -z "${pid-}" ] || kill "$pid" 2>/dev/null || :; }

# usage_error LINE [HINT]: exit 2, nothing on stdout, exactly these lines on stderr.
usage_error() {
    [ "$status" -eq 2 ]
    [ -z "$output" ]
    [ "${stderr_lines[0]}" = "talosvip: $1" ]
    if [ $# -gt 1 ]; then
        [ "${stderr_lines[1]}" = "  hint: $2" ]
        [ "${#stderr_lines[@]}" -eq 2 ]
    else
        [ "${#stderr_lines[@]}" -eq 1 ]
    fi
}

@test "without a command: the help on stderr, exit 2" {
    run --separate-stderr "$talosvip"
    [ "$status" -eq 2 ]
    [ -z "$output" ]
    [ "${stderr_lines[0]}" = "talosvip - keep a virtual IP on exactly one healthy node, and see that it is" ]
}

@test "--help, -h and help print the same on stdout" {
    run --separate-stderr "$talosvip" --help
    [ "$status" -eq 0 ]
    [ -z "$stderr" ]
    overview=$output
    for word in -h help; do
        run "$talosvip" "$word"
        [ "$status" -eq 0 ]
        [ "$output" = "$overview" ]
    done
}

@test "the help lists exactly the commands that exist" {
    run "$talosvip" --help
    listed=$(sed -n 's/^\(Look\|Change\|Check\|Agent\|Other\): *//p' <<<"$output" | tr -s ' ' '\n' | sort)
    built=$(cd "$BATS_TEST_DIRNAME/../../src/cli" && printf '%s\n' cmd_*.c | grep -vx 'cmd_complete.c\|cmd_man.c' | sed 's/^cmd_//; s/\.c$//' | sort)
    [ "$listed" = "$built" ]
}

@test "no line of any help is wider than 100 columns, and none has control characters" {
    for words in --help "run --help" "status --help" "help run" "help help" "help environment" \
        "help exit-codes"; do
        # shellcheck disable=SC2086
        run "$talosvip" $words
        [ "$status" -eq 0 ]
        [ "$(awk 'length > 100' <<<"$output")" = "" ]
        [ "$(tr -d '\n' <<<"$output" | tr -d '[:print:]')" = "" ]
    done
}

@test "-h is heard anywhere, and is --help" {
    for command in run status version help; do
        run "$talosvip" "$command" --help
        [ "$status" -eq 0 ]
        help=$output
        run "$talosvip" "$command" --no-such-flag -h
        [ "$status" -eq 0 ]
        [ "$output" = "$help" ]
    done
}

@test "help COMMAND is the page of the manual, and --help of one without a page" {
    run "$talosvip" help status
    [ "$status" -eq 0 ]
    [ "${lines[0]}" = NAME ]
    [[ $output == *"talosvip status --check 10.0.0.50"* && $output == *"EXIT STATUS"* ]]
    run "$talosvip" help talosvip.yaml
    [ "$status" -eq 0 ]
    [[ $output == *lease.ttl* ]]
    [ "$("$talosvip" help version)" = "$("$talosvip" version --help)" ]
}

@test "help lists the topics, and each is there" {
    topics=$("$talosvip" help | sed -n '/^More:/,$p' | tr '|' '\n' | sed 's/.*>//; s/ //g' | grep .)
    [ "$(sort <<<"$topics")" = "$("$talosvip" __complete -- help "" | sed -n 's/\t.*//p' | grep -vxF "$("$talosvip" __complete -- "" | cut -f1)" | sort)" ]
    for topic in $topics; do
        run --separate-stderr "$talosvip" help "$topic"
        [ "$status" -eq 0 ]
        [ "${#lines[@]}" -gt 4 ]
    done
    [[ $topics == *exit-codes*etcd* ]]
    run --separate-stderr "$talosvip" help exit-code
    [ "$status" -eq 2 ]
    [ "${stderr_lines[0]}" = 'talosvip: there is no help on "exit-code"; did you mean exit-codes?' ]
}

@test "every flag in the help is known" {
    for command in run status version; do
        while read -r flag; do
            run --separate-stderr "$talosvip" "$command" "$flag=" ""
            [ "$status" -eq 2 ]
            [[ $stderr != *"unknown flag"* ]]
        done < <("$talosvip" "$command" --help | grep -oE '^ +(-., )?--[a-z-]+' | grep -oE -- '--[a-z-]+' | grep -v -- --help)
    done
}

@test "the name it was started by does not matter" {
    ln -s "$talosvip" vip
    run ./vip version
    [ "$status" -eq 0 ]
    [ "$output" = "$("$talosvip" version)" ]
    run --separate-stderr ./vip nonsense
    [[ $stderr == "talosvip: unknown command"* ]]
}

@test "version: one line, and JSON" {
    run "$talosvip" version
    [ "$status" -eq 0 ]
    [[ $output =~ ^talosvip\ [^\ ]+\ \(libcurl\ .*\)$ ]]
    plain=$(cut -d' ' -f2 <<<"$output")
    run "$talosvip" version -o json
    [ "$status" -eq 0 ]
    [ "$(jq -r .version <<<"$output")" = "$plain" ]
    [ "$(jq -r '.libraries | has("libcurl") and has("libevent") and has("json-c")' <<<"$output")" = true ]
    run "$talosvip" --version
    [ "$status" -eq 0 ]
}

@test "help exit-codes lists the contract" {
    run "$talosvip" help exit-codes
    [ "$status" -eq 0 ]
    [ "$(awk '$1 ~ /^[0-9]+$/ { print $1 }' <<<"$output" | xargs)" = "0 1 2 3 4 5 70 129 130 143" ]
    [[ $output == *"--check "*"2 CRITICAL"* ]]
}

@test "help environment names every variable of the flags" {
    run "$talosvip" help environment
    [ "$status" -eq 0 ]
    for command in run status version; do
        for name in $("$talosvip" "$command" --help | grep -oE '\$[A-Z_]+' | tr -d '$'); do
            [[ $output == *"  $name "* ]]
        done
    done
    # ... and every other that the sources read
    for name in $(grep -rhoE '(getenv|is_set|home_path)\("[A-Z_]+"' "$BATS_TEST_DIRNAME/../../src" | cut -d'"' -f2); do
        [[ $output =~ (^|[^A-Z_])$name([^A-Z_]|$) ]] || { echo "no $name"; return 1; }
    done
    [[ $output == *"explain, help, history: else less"* ]]
}

@test "unknown commands get a guess, or the way to the list" {
    run --separate-stderr "$talosvip" stauts
    usage_error 'unknown command "stauts"; did you mean status?'
    run --separate-stderr "$talosvip" frobnicate
    usage_error 'unknown command "frobnicate"' 'talosvip help lists them'
    run --separate-stderr "$talosvip" --config x run
    usage_error 'unknown flag --config' 'the command comes first, its flags after it: talosvip help'
}

@test "unknown flags get a guess" {
    run --separate-stderr "$talosvip" run --log-fromat json
    usage_error 'unknown flag --log-fromat; did you mean --log-format?'
    run --separate-stderr "$talosvip" status --outputt json
    usage_error 'unknown flag --outputt; did you mean --output?'
    run --separate-stderr "$talosvip" run --zzzzzz
    usage_error 'unknown flag --zzzzzz'
    run --separate-stderr "$talosvip" run -Z
    usage_error 'unknown flag -Z'
}

@test "habits from other programs are answered" {
    run --separate-stderr "$talosvip" status -w table
    usage_error '-w means --watch here and takes no value; did you mean -o table?'
    run --separate-stderr "$talosvip" run --password secret
    usage_error 'there is no --password: every user of this host could read it' \
        'use --password-file FILE, or ETCDCTL_PASSWORD'
    run --separate-stderr "$talosvip" run cp-1.yaml
    usage_error 'unexpected argument "cp-1.yaml"' 'a configuration file is named with -c FILE'
}

@test "wrong values say what is right" {
    run --separate-stderr "$talosvip" run --ttl 5
    usage_error '--ttl: "5" is not a duration' 'write it like 5s, 1500ms or 1m30s'
    run --separate-stderr "$talosvip" run --ttl 1s
    usage_error '--ttl: 1s is not between 2s and 600s'
    run --separate-stderr "$talosvip" run --log-level verbose
    usage_error '--log-level: "verbose" is not one of error, warn, info, debug'
    run --separate-stderr "$talosvip" status --local -o jso
    usage_error '--output: "jso" is not one of human, table, wide, json, yaml, name; did you mean json?'
    run --separate-stderr "$talosvip" run --check=yes
    usage_error '--check takes no value'
    run --separate-stderr "$talosvip" run --node
    usage_error '--node needs a value: --node NAME'
    run --separate-stderr "$talosvip" run -e a,,b
    usage_error '--endpoints: an entry is empty'
    TALOSVIP_TTL=soon run --separate-stderr "$talosvip" run
    usage_error 'TALOSVIP_TTL: "soon" is not a duration' 'write it like 5s, 1500ms or 1m30s'
    run --separate-stderr "$talosvip" run --check --dry-run
    usage_error '--check, --dry-run and --release exclude each other'
}

@test "control characters in arguments do not reach the terminal" {
    run --separate-stderr "$talosvip" $'\e[2J\r'
    [ "$status" -eq 2 ]
    [[ $stderr != *$'\e'* && $stderr != *$'\r'* ]]
}

@test "status --local is of this node alone" {
    run --separate-stderr "$talosvip" status --local 10.0.0.50
    [ "$status" -eq 2 ]
    [[ $stderr = "talosvip: --local takes no VIP"* ]]
}

@test "status --local without an agent: exit 4, one line, one hint" {
    for format in human json; do
        run --separate-stderr "$talosvip" status --local -o "$format" --socket "$PWD/none.sock"
        [ "$status" -eq 4 ]
        [ -z "$output" ]
        [ "${stderr_lines[0]}" = "talosvip: no agent answers at $PWD/none.sock: No such file or directory" ]
        [[ ${stderr_lines[1]} == "  hint: "* ]]
        [ "${#stderr_lines[@]}" -eq 2 ]
    done
}

@test "status --local finds the socket through the environment" {
    TALOSVIP_SOCKET=$PWD/env.sock run --separate-stderr "$talosvip" status --local
    [ "$status" -eq 4 ]
    [[ $stderr == *"$PWD/env.sock"* ]]
}

@test "output that cannot be written is not success" {
    run --separate-stderr bash -c '"$1" help > /dev/full' _ "$talosvip"
    [ "$status" -eq 4 ]
    [ "${stderr_lines[0]}" = "talosvip: cannot write the output: No space left on device" ]
}

@test "what is opened does not become a closed stdin, stdout or stderr" {
    "$talosvip" watch -e http://127.0.0.1:1 <&- >&- 2>&- 3>&- &
    local end=$((SECONDS + 10))
    pid=$!
    until [ "$(readlink "/proc/$pid/fd/6")" ]; do
        [ $SECONDS -lt $end ]
        read -rt 0.05 <> <(:) || true
    done
    for fd in 0 1 2; do
        [ "$(readlink "/proc/$pid/fd/$fd")" = /dev/null ]
    done
    kill $pid
    run --separate-stderr bash -c '"$1" version >&-' _ "$talosvip"
    [ "$status" -eq 4 ]
    [ "$stderr" = "talosvip: cannot write the output: Bad file descriptor" ]
}

@test "validate waits for whoever is to write into a named pipe" {
    mkfifo "$BATS_TEST_TMPDIR/pipe"
    "$talosvip" validate -c "$BATS_TEST_TMPDIR/pipe" >"$BATS_TEST_TMPDIR/out" 3>&- &
    local end=$((SECONDS + 10))
    pid=$!
    until ls -l "/proc/$pid/fd" | grep -q 'pipe$'; do
        [ $SECONDS -lt $end ]
        kill -0 $pid
    done
    echo "version: 1" >"$BATS_TEST_TMPDIR/pipe"
    status=0
    wait $pid || status=$?
    [ "$status" -eq 1 ]
    grep -q error "$BATS_TEST_TMPDIR/out"
    run "$talosvip" validate -c <(echo "version: 1")
    [ "$status" -eq 1 ]
    run "$talosvip" validate -c <(:)
    [ "$status" -eq 0 ]
    run "$talosvip" validate -c /dev/stdin < <(echo "version: 1")
    [ "$status" -eq 1 ]
}

@test "run with an unreadable configuration: exit 4; --check says so as validate does" {
    run --separate-stderr timeout 10 "$talosvip" run --check -c "$PWD/none.yaml"
    [ "$status" -eq 4 ]
    [[ $output == *'No such file'*none.yaml* ]]
    [ -z "$stderr" ]
}

@test "a line that is cut is cut in ASCII where the locale is" {
    printf 'version: v1alpha1\nmachine: {network: {interfaces: [{interface: eth0, dhcp: true, vip: {ip: 10.0.0.300}, mtu: 1500, dummy: false, ignore: false}]}}\n' >"$BATS_TEST_TMPDIR/long.yaml"
    for locale in C C.UTF-8; do
        run env LC_ALL=$locale "$talosvip" validate -c "$BATS_TEST_TMPDIR/long.yaml"
        [ "$status" -eq 1 ]
        grep -q 10.0.0.300 <<<"$output"
        if [ "$locale" = C ]; then grep -q '~$' <<<"$output"; else grep -q '…$' <<<"$output"; fi
        [ "$locale" != C ] || ! LC_ALL=C grep -q $'[\x80-\xff]' <<<"$output"
    done
}

@test "etcd that is not there at once is not one that did not answer in time" {
    for words in "resign 10.0.0.50 --yes" "pause 10.0.0.50" "resume 10.0.0.50"; do
        # shellcheck disable=SC2086 # words
        run --separate-stderr "$talosvip" $words -e http://127.0.0.1:1
        [ "$status" -eq 4 ]
        [ "$stderr" = "talosvip: etcd cannot be reached (http://127.0.0.1:1: connection refused)" ]
    done
}
