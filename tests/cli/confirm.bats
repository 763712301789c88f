#!/usr/bin/env bats
# SPDX-License-Identifier: MIT
# shellcheck disable=SC2154
# resign asks in a terminal: a y while all is well, the address itself where etcd may lose no
# further member.

bats_require_minimum_version 1.5.0
load etcd_helper
load terminal_helper

setup_file() {
    command -v tmux >/dev/null || skip "no tmux"
    etcd_up 3
}

teardown_file() { etcd_down; }

setup() {
    local node
    clean_environment
    mkdir -p "$BATS_TEST_TMPDIR/home" "$BATS_TEST_TMPDIR/bin"
    ln -sf "$(realpath "$TALOSVIP")" "$BATS_TEST_TMPDIR/bin/talosvip"
    cd "$BATS_TEST_TMPDIR"
    terminal_setup
    for node in cp-1 cp-2 cp-3; do
        lease=$(lease 60)
        candidate 10.0.0.50 "$node" "$lease"
        agent "$node" "$lease" "02:00:00:00:01:0${node#cp-}" "$(view 10.0.0.50 standby false 02:00:00:00:01:01 probe)"
    done
}

teardown() {
    terminal_teardown
    ctl del --prefix talos >/dev/null || :
}

# On a socket of its own, for the one before may still be closing.
another_terminal() {
    terminal_teardown
    terminals=$((${terminals:-0} + 1))
    tmux=(tmux -S "$BATS_TEST_TMPDIR/tmux$terminals" -f /dev/null)
}

resigning() {
    in_terminal bash -c "talosvip resign 10.0.0.50 -e '$URLS'; echo status=\$?; exec cat"
}

is_asked() { ctl get --print-value-only talosvip/v1/requests/10.0.0.50 | grep -q '"kind":"resign"'; }
is_not_asked() { [ -z "$(ctl get talosvip/v1/requests/10.0.0.50)" ]; }

is_degraded() {
    run --separate-stderr timeout 10 "$TALOSVIP" status -e "$URLS" -o json
    [ "$(jq -r '.etcd.state, .etcd.healthy' <<<"$output" | xargs)" = "$1" ]
}

# typing WORD: what is typed shows, so that nothing is looked for before it was read
typing() {
    type_keys "$1"
    shows "$1"
    type_keys Enter
}

@test "all is well: a y is enough, and anything else is a no" {
    resigning
    shows "Next in the queue: cp-2"
    shows "Resign 10.0.0.50? [y/N]"
    typing no
    shows "Nothing was changed."
    shows status=1
    is_not_asked
    another_terminal
    resigning
    shows "Resign 10.0.0.50? [y/N]"
    type_keys y Enter
    await 5 is_asked
}

@test "one of three members is down: the address is to be typed, and a wrong word does nothing" {
    etcd_signal 3 KILL
    await 15 is_degraded "degraded 2"
    for word in y yes 10.0.0.5 10.0.0.500; do
        resigning
        shows "etcd is degraded: 2 of 3 members answer."
        shows "Type 10.0.0.50 to go on:"
        typing "$word"
        shows "Nothing was changed."
        shows status=1
        is_not_asked
        another_terminal
    done
    resigning
    shows "Type 10.0.0.50 to go on:"
    type_keys C-d
    shows status=1
    is_not_asked
    another_terminal
    resigning
    shows "Type 10.0.0.50 to go on:"
    type_keys 10.0.0.50 Enter
    await 5 is_asked
}
