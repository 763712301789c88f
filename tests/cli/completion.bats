#!/usr/bin/env bats
# SPDX-License-Identifier: MIT
# shellcheck disable=SC2154
# Completion: what the program answers, and what real shells make of it.

bats_require_minimum_version 1.5.0
load terminal_helper

setup() {
    talosvip=$(realpath "${TALOSVIP:-$BATS_TEST_DIRNAME/../../build/talosvip}")
    scripts=$BATS_TEST_DIRNAME/../../completions
    for name in $(compgen -e | grep -E '^(TALOSVIP|ETCDCTL)_'); do
        [ "$name" = TALOSVIP ] || unset "$name"
    done
    cd "$BATS_TEST_TMPDIR" || return
    mkdir -p home bin
    ln -s "$talosvip" bin/talosvip
    ln -s "$talosvip" bin/vip
    terminal_setup
}

teardown() { terminal_teardown; }

complete() { run --separate-stderr "$talosvip" __complete -- "$@"; }

@test "commands, flags, choices and check IDs come from the tables" {
    complete ""
    [ "$status" -eq 0 ]
    [ "$(sed -n 's/\t.*//p' <<<"$output" | grep -vc '^--')" -eq "$(find "$BATS_TEST_DIRNAME/../../src/cli" -name 'cmd_*.c' ! -name cmd_complete.c ! -name cmd_man.c | wc -l)" ]
    complete validate --out
    [ "${lines[0]%%$'\t'*}" = --output ]
    [ "${lines[-1]}" = :4 ]
    complete validate -o ""
    [ "$(cut -f1 <<<"$output" | xargs)" = "human short json github sarif :4" ]
    complete explain TV203
    [[ ${lines[0]} == TV203$'\t'* ]]
    complete help ex
    [ "$(cut -f1 <<<"$output" | xargs)" = "explain exit-codes :4" ]
    [[ ${lines[1]} == *$'\t'?* ]]
    complete help t
    [ "$(cut -f1 <<<"$output" | xargs)" = "top top-recording talosvip talosvip.yaml :4" ]
}

@test "each flag of each command's help is offered, once, and the value of one is not a flag" {
    for command in $("$talosvip" __complete -- "" | sed -n 's/\t.*//p' | grep -v '^--'); do
        told=$("$talosvip" "$command" --help | sed '1,/^Flags:/d' | sed -n 's/^ \{2,6\}\(-[a-zA-Z], \)\?\(--[a-z][a-z0-9-]*\).*/\2/p' | sort)
        offered=$("$talosvip" __complete -- "$command" - | sed -n 's/\t.*//p' | sort)
        [ "$told" = "$offered" ] || { diff <(echo "$told") <(echo "$offered"); return 1; }
    done
    complete validate --strict --s
    [[ $output != *--strict* ]]
}

@test "files are asked of the shell" {
    complete validate -c ""
    [ "${lines[-1]}" = :0 ]
    complete run --cacert=
    [ "${lines[-1]}" = :0 ]
}

@test "nothing on stderr, whatever is wrong, and within 300 ms of patience" {
    export TALOSVIP_SOCKET=$BATS_TEST_TMPDIR/no-agent
    for words in "nosuch x" "status x" "-- --" "run --ttl" "config use-context"; do
        # shellcheck disable=SC2086
        complete $words ""
        [ "$status" -eq 0 ]
        [ -z "$stderr" ]
        [[ ${lines[-1]} == :* ]]
    done
}

@test "VIPs and nodes come from etcd, and are remembered for half a minute" {
    load etcd_helper
    export XDG_CACHE_HOME=$BATS_TEST_TMPDIR/cache TALOSVIP_SOCKET=$BATS_TEST_TMPDIR/no-agent
    BATS_FILE_TMPDIR=$BATS_TEST_TMPDIR etcd_up 1
    export TALOSVIP_ENDPOINTS=$URLS
    candidate 10.0.0.50 cp-1 "$(lease 60)"
    candidate 10.0.0.50 'zz;id>pwned' "$(lease 60)"
    complete status 10
    [ "${lines[0]}" = "10.0.0.50"$'\t'"held by cp-1" ]
    [ "$(stat -c %a cache/talosvip/completion)" = 600 ]
    etcd_down
    complete history --node ""
    [[ ${lines[0]} == cp-1* ]]
    [ "${lines[1]}" = :4 ] # who has no host name is not offered to be typed
    touch -d "-1 minute" cache/talosvip/completion
    complete status 10
    [ "$output" = :4 ]
}

@test "completion prints the script of each shell, and knows no other" {
    cmp <("$talosvip" completion bash) "$scripts/talosvip.bash"
    cmp <("$talosvip" completion zsh) "$scripts/_talosvip"
    cmp <("$talosvip" completion fish) "$scripts/talosvip.fish"
    run --separate-stderr "$talosvip" completion bsh
    [ "$status" -eq 2 ]
    [ "${stderr_lines[0]}" = 'talosvip: no completion for "bsh"; did you mean bash?' ]
}

bash_completes() {
    type_keys "talosvip vali" Tab
    shows "talosvip validate"
    type_keys "--strict --out" Tab
    shows "validate --strict --output"
    type_keys "sar" Tab
    shows "--output sarif"
    type_keys C-u "vip help exi" Tab
    shows "help exit-codes"
    type_keys C-u "vip config use-context fd" Tab
    shows "use-context fd00:10::50"
    type_keys C-u "vip explain --no-pager TV20" Tab Tab
    shows TV203
    type_keys C-u "vip history --cause first" Tab
    shows "--cause first\\ election"
    type_keys C-u "vip history --cause first\\ el" Tab "-x"
    shows "--cause first\\ election -x"
    runs_no_name
}

# What a name holds is no command, without quotes and within them.
runs_no_name() {
    type_keys C-u "vip config use-context zz" Tab Enter
    shows 'context "zz;id>pwned" from now on'
    for quote in "'" '"'; do
        type_keys C-u "vip config use-context ${quote}zz;i" Tab C-e "$quote; echo quoted-$([ "$quote" = '"' ]; echo $?)" Enter
        type_keys "" Enter
    done
    shows quoted-1
    shows quoted-0
    [ ! -e pwned ] && [ ! -e home/pwned ]
}

contexts() { # with names that hold colons, and a command
    mkdir -p home/.config/talosvip
    cat >home/.config/talosvip/config.yaml <<'YAML'
apiVersion: talosvip/v1
kind: ClientConfig
contexts: [{name: "fd00:10::50", etcd: {endpoints: [http://x:1]}},
  {name: "zz;id>pwned", etcd: {endpoints: [http://x:1]}}]
YAML
}

@test "bash with bash-completion" {
    contexts
    in_terminal bash --norc
    type_keys ". /usr/share/bash-completion/bash_completion; . $scripts/talosvip.bash" Enter
    bash_completes
}

@test "bash without bash-completion" {
    contexts
    in_terminal bash --norc
    type_keys ". $scripts/talosvip.bash" Enter
    type_keys "talosvip vali" Tab
    shows "talosvip validate"
    type_keys "--strict --out" Tab "sar" Tab
    shows "--output sarif"
    runs_no_name
}

@test "zsh" {
    contexts
    in_terminal zsh -f
    type_keys "autoload -U compinit; compinit -u -d zcomp; . $scripts/_talosvip; echo re''ady" Enter
    shows ready
    bash_completes
}

@test "fish" {
    contexts
    in_terminal fish --no-config
    type_keys "source $scripts/talosvip.fish; echo re''ady" Enter
    shows ready
    type_keys "talosvip vali" Tab
    shows "talosvip validate"
    type_keys "--strict --out" Tab
    shows "--strict --output"
    type_keys "sar" Tab
    shows "--output sarif"
    type_keys C-u "vip config use-context fd" Tab
    shows "use-context fd00:10::50"
    runs_no_name
}

@test "talosvip shell" {
    contexts
    in_terminal talosvip shell -e http://127.0.0.1:1
    shows "~ "
    type_keys "history --cause first" Tab
    shows "--cause first\\ election"
    type_keys C-u "history --cause first\\ el" Tab "-x"
    shows "--cause first\\ election -x"
}
