#!/usr/bin/env bats
# SPDX-License-Identifier: MIT
# shellcheck disable=SC2154
# Long output on a terminal: who pages it, and what a pager may do.

bats_require_minimum_version 1.5.0

setup() {
    talosvip=$(realpath "${TALOSVIP:-$BATS_TEST_DIRNAME/../../build/talosvip}")
    unset TALOSVIP_PAGER PAGER LESS
    export TERM=xterm
    cd "$BATS_TEST_TMPDIR" || return
    "$talosvip" explain TV203 >expected
}

# on_terminal WORD...: runs it with a terminal for stdout and stderr; its status, its output in
# `output` without carriage returns.
on_terminal() {
    run timeout 20 script -qec "$(printf '%q ' "$@")" /dev/null </dev/null
    output=${output//$'\r'/}
}

@test "a pager gets the whole text, \$TALOSVIP_PAGER before \$PAGER" {
    export PAGER="tee other" TALOSVIP_PAGER="tee  paged"
    on_terminal "$talosvip" explain TV203
    [ "$status" -eq 0 ]
    cmp expected paged
    [ "$output" = "$(cat expected)" ]
    [ ! -e other ]
    unset TALOSVIP_PAGER
    on_terminal "$talosvip" explain TV203
    [ "$status" -eq 0 ]
    cmp expected other
}

@test "a pager with shell characters is run by a shell" {
    export PAGER='cat >"pa ged"; echo done'
    on_terminal "$talosvip" help run
    [ "$status" -eq 0 ]
    [ "$output" = done ]
    "$talosvip" help run | cmp - "pa ged"
}

@test "no pager: not a terminal, --no-pager, empty, cat, TERM=dumb" {
    export PAGER="tee paged"
    "$talosvip" explain TV203 | cmp - expected
    on_terminal "$talosvip" explain --no-pager TV203
    [ "$output" = "$(cat expected)" ]
    TERM=dumb on_terminal "$talosvip" explain TV203
    [ "$output" = "$(cat expected)" ]
    TALOSVIP_PAGER= on_terminal "$talosvip" explain TV203
    [ "$output" = "$(cat expected)" ]
    TALOSVIP_PAGER=cat on_terminal "$talosvip" explain TV203
    [ "$output" = "$(cat expected)" ]
    [ ! -e paged ]
}

@test "an unknown check is told without a pager, exit 2" {
    export PAGER="tee paged"
    on_terminal "$talosvip" explain TV999
    [ "$status" -eq 2 ]
    [ ! -e paged ]
}

@test "a pager that is left at once, or fails, is no failure of ours" {
    for pager in true false "head -n 1"; do
        PAGER=$pager on_terminal "$talosvip" explain
        [ "$status" -eq 0 ]
        [[ "$output" != *"cannot write"* ]]
    done
    [ "$output" = "$("$talosvip" explain | head -n 1)" ]
}

@test "a pager that is not there is named, and the text printed" {
    PAGER="no-such-pager -x" on_terminal "$talosvip" explain TV203
    [ "$status" -eq 0 ]
    [ "${lines[0]%$'\r'}" = "talosvip: cannot start the pager no-such-pager: No such file or directory" ]
    [ "$(tail -n +2 <<<"$output")" = "$(cat expected)" ]
}

@test "less is the pager if nothing is said, and nobody misses it" {
    mkdir bin
    ln -s "$(command -v tee)" bin/tee
    ln -s "$(command -v sh)" bin/sh
    on_terminal env PATH="$PWD/bin" "$talosvip" explain TV203
    [ "$status" -eq 0 ]
    [ "$output" = "$(cat expected)" ]
    printf '#!/bin/sh\necho "$@" >called\nexec tee paged\n' >bin/less
    chmod +x bin/less
    on_terminal env PATH="$PWD/bin" "$talosvip" explain TV203
    [ "$status" -eq 0 ]
    [ "$(cat called)" = -FIRX ]
    cmp expected paged
}

@test "an interrupt is the pager's: the program waits for it" {
    export PAGER='sh -c "kill -INT $PPID; cat >paged; echo read"'
    on_terminal "$talosvip" explain TV203
    [ "$status" -eq 0 ]
    [ "$output" = read ]
    cmp expected paged
}
