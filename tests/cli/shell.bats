#!/usr/bin/env bats
# SPDX-License-Identifier: MIT
# shellcheck disable=SC2154
# The shell: in a real terminal, and with lines from a file.

bats_require_minimum_version 1.5.0
load etcd_helper
load terminal_helper

setup_file() {
    etcd_up 1
    candidate 10.0.0.50 cp-1 "$(lease 600)"
    candidate fd00:10::50 cp-2 "$(lease 600)"
}

teardown_file() { etcd_down; }

setup() {
    clean_environment
    talosvip=$(realpath "$TALOSVIP")
    cd "$BATS_TEST_TMPDIR" || return
    mkdir -p home bin
    ln -s "$talosvip" bin/talosvip
    export TALOSVIP_ENDPOINTS=$URLS
    terminal_setup
}

teardown() {
    terminal_teardown
    ctl del --prefix talos:v1:vip:election:10.0.0.51/
    ctl del --prefix talos:v1:vip:election:10.0.0.52/
}

start_shell() {
    in_terminal env TALOSVIP_ENDPOINTS="$URLS" talosvip shell
    shows "2 VIPs. Tab completes, help lists commands, Ctrl-D leaves."
    shows "> "
}

gone() { ! "${tmux[@]}" has-session 2>/dev/null; }

@test "commands, flags, VIPs and nodes complete, and the prompt tells the VIP" {
    start_shell
    type_keys "stat" Tab "--no-h" Tab "-o tab" Tab Enter
    shows "status --no-headers -o table"
    shows "10.0.0.50    HELD"
    type_keys "use fd" Tab Enter
    shows " fd00:10::50> "
    type_keys "history --node cp-" Tab Tab
    shows "cp-2"
    type_keys C-u "status" Enter
    shows "fd00:10::50  HELD by cp-2"
}

@test "Ctrl-C drops the line or ends the command, Ctrl-D leaves" {
    start_shell
    type_keys "nonsense" C-c "status -o name" Enter
    shows vip/fd00:10::50
    type_keys "watch" Enter
    # It is silent until something happens, so something happens until it tells.
    await 10 eval 'candidate 10.0.0.51 cp-1 "$(lease 600)"; ctl del --prefix talos:v1:vip:election:10.0.0.51/
        "${tmux[@]}" capture-pane -p | grep -q "10.0.0.51 *HELD"'
    candidate 10.0.0.51 cp-1 "$(lease 600)"
    type_keys C-c "status -o name | sed s/^/got:/; echo do''ne" Enter
    shows got:vip/10.0.0.51
    shows done
    await 10 eval 'type_keys C-d; gone'
    await 5 gone
}

@test "an alert stands above the prompt, which changes its sign; the line goes on" {
    start_shell
    candidate 10.0.0.52 cp-1 "$(lease 600)"
    type_keys "status -o na"
    ctl del --prefix talos:v1:vip:election:10.0.0.52/
    shows "CRIT  TVA05 10.0.0.52"
    shows "! status -o na"
    type_keys "me" Enter
    shows vip/fd00:10::50
}

@test "lines are remembered, but for doubles and those with a leading space" {
    start_shell
    for line in "status -o name" "status -o name" " status -o table" "version"; do
        type_keys "$line" Enter
    done
    shows libcurl
    type_keys C-d
    await 5 gone
    file=home/.local/state/talosvip/shell_history
    [ "$(cat "$file")" = "status -o name
version" ]
    [ "$(stat -c %a "$file")" = 600 ]
    start_shell
    type_keys Up Up
    shows "> status -o name"
}

@test "SIGTERM and a closed terminal end it" {
    start_shell
    pid=$("${tmux[@]}" list-panes -F '#{pane_pid}')
    kill -TERM "$pid"
    await 5 gone
    start_shell
    pid=$("${tmux[@]}" list-panes -F '#{pane_pid}')
    terminal_teardown
    await 5 test ! -e "/proc/$pid"
}

lines() { run --separate-stderr "$talosvip" shell "${@:2}" <<<"$1"; }

@test "a script: no banner, no prompt, the end at the first line that fails" {
    lines 'status -o name
# a comment, and an empty line

nosuch
version'
    [ "$status" -eq 2 ]
    [ "$output" = "vip/10.0.0.50
vip/fd00:10::50" ]
    [[ $stderr == *'unknown command "nosuch"'* ]]
}

@test "--keep-going goes on, and returns the last failure" {
    lines 'nosuch
status -o name | wc -l
exit
version' --keep-going
    [ "$status" -eq 2 ]
    [ "$(tr -d ' ' <<<"$output")" = 2 ]
}

@test "quotes, pipes and the commands that are not for the shell" {
    lines 'explain "TV203" | head -1'
    [ "$status" -eq 0 ]
    [[ $output == *TV203* ]]
    lines "status 'x"
    [ "$status" -eq 2 ]
    [[ $stderr == *"a quote is not closed"* ]]
    lines run
    [ "$status" -eq 2 ]
    lines "use 10.0.0.300"
    [ "$status" -eq 2 ]
    lines "use fd00:10::50
status -o table --no-headers"
    [[ $output == fd00:10::50* ]]
    [ "${#lines[@]}" -eq 1 ]
}

@test "a reader that has enough ends neither the shell nor its output" {
    lines "top --replay $BATS_TEST_DIRNAME/../ui/data/big.jsonl -o json | head -c 20
config contexts
explain TV203 | head -c 5"
    [ "$status" -eq 0 ]
    [ "${output:20}" = TV203 ]
}

@test "the VIP of use is not added where a node is named, or this one is meant" {
    lines "use 10.0.0.50
pause --node nobody"
    [ "$status" -eq 1 ]
    [[ $stderr = *'there is no agent on "nobody"'* ]]
    lines "use 10.0.0.50
pause --node=nobody"
    [[ $stderr = *'there is no agent on "nobody"'* ]]
    lines "use 10.0.0.50
status --local --socket ./none"
    [[ $stderr = *"no agent answers at ./none"* ]]
}

@test "with etcd down: it opens, says so, and a command says why" {
    run --separate-stderr timeout 10 "$talosvip" shell -e http://127.0.0.1:1 <<<"status"
    [ "$status" -eq 4 ]
    [[ $stderr == *"etcd cannot be reached"* ]]
}
