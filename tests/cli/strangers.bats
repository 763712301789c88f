#!/usr/bin/env bats
# SPDX-License-Identifier: MIT
# shellcheck disable=SC2154
# Names that are commands to a terminal, from etcd, from files and from the command line: none of
# them gets there, and none gets into what monitoring and programs read.

bats_require_minimum_version 1.5.0
load etcd_helper
load terminal_helper

name=$'zz\e]2;EVIL\a|x=1\n\xc2\x9b2J'

setup_file() {
    etcd_up 1
    one=$(lease 600) two=$(lease 600)
    candidate 10.0.0.50 cp-1 "$one"
    agent cp-1 "$one" 52:54:00:aa:01:01 "$(view 10.0.0.50 held true 52:54:00:aa:01:01 kernel)"
    candidate 10.0.0.50 "$name" "$two"
    candidate 10.0.0.51 "$name" "$two"
}

teardown_file() { etcd_down; }

setup() {
    clean_environment
    talosvip=$(realpath "$TALOSVIP")
    cd "$BATS_TEST_TMPDIR" || return
    mkdir -p home bin config/talosvip
    ln -s "$talosvip" bin/talosvip
    export TALOSVIP_ENDPOINTS=$URLS
    terminal_setup
}

teardown() {
    terminal_teardown
    ctl del --prefix talos:v1:vip:election:10.0.0.52/
}

# is_plain: what was run wrote no control character, and did write the name
is_plain() {
    [[ $output$stderr = *'?]2;EVIL?'* ]]
    is_clean
}

is_clean() { ! LC_ALL=C grep -q $'[\x01-\x08\x0b-\x1f\x7f]\\|\xc2[\x80-\x9f]' <<<"$output$stderr"; }

contexts() {
    printf '%s\n' 'apiVersion: talosvip/v1' 'kind: ClientConfig' \
        'contexts: [{name: "zz\e]2;EVIL\a", etcd: {endpoints: ['"$URLS"']}}]' >"$1/talosvip/config.yaml"
}

@test "status --check: one line, and no figure but ours" {
    run --separate-stderr "$talosvip" status --check 10.0.0.51
    is_plain
    [ "${#lines[@]}" -eq 1 ]
    [ "$(tr -dc '|' <<<"$output")" = '|' ]
}

@test "resign, before the question" {
    run --separate-stderr "$talosvip" resign 10.0.0.50 --dry-run
    [ "$status" -eq 0 ]
    is_plain
    [[ $output = *"clients connect anew."* ]]
}

@test "status, history and JSON and YAML of them" {
    for format in human table wide; do
        run --separate-stderr "$talosvip" status -o "$format"
        is_plain
    done
    for format in json yaml; do
        run --separate-stderr "$talosvip" status -o "$format"
        is_clean
        [[ $output = *'\u001b]2;EVIL\u0007'*'\u009b2J'* ]]
    done
    [ "$("$talosvip" status -o json | jq -r '.vips[1].holder')" = "$name" ]
}

@test "contexts" {
    contexts config
    for words in "config show" "config show --origin" "config contexts" "status -v -o name"; do
        # shellcheck disable=SC2086 # words
        run --separate-stderr "$talosvip" $words
        is_plain
    done
}

@test "validate: names of files" {
    local file=$'zz\e]2;EVIL\a.yaml'
    for text in '{apiVersion: v1alpha1, kind: Layer2VIPConfig, name: 10.0.0.50, link: eth0}' 'version: 1'; do
        echo "$text" >"$file"
        for format in human short github; do
            run --separate-stderr "$talosvip" validate -c "$file" -o "$format"
            [[ $output != *$'\e'* ]]
        done
        run --separate-stderr "$talosvip" validate -c "$file"
        is_plain
    done
}

@test "shell: its prompt, its greeting, what it tells" {
    mkdir -p home/.config/talosvip
    contexts home/.config
    "${tmux[@]}" new-session -d -x 150 -y 30 env -i HOME="$PWD/home" TERM=screen LANG=C.UTF-8 \
        PATH="$PWD/bin:/usr/bin:/bin" talosvip shell
    shows "cluster zz?]2;EVIL?,"
    shows "zz?]2;EVIL?"
    candidate 10.0.0.52 "$name" "$(lease 600)"
    ctl put talosvip/v1/requests/10.0.0.52 '{"kind":"pause","by":"\u001b]2;EVIL\u0007","wallUs":1}'
    shows "10.0.0.52: nobody waits behind zz?]2;EVIL?"
    [ "$("${tmux[@]}" display -p '#{pane_title}')" != EVIL ]
}
