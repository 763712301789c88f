#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# shellcheck disable=SC2016 # scripts, expanded in there
# That no script of the lab ends without a word: what tests/lab/tell.sh says of each way to fail.
set -euo pipefail
here=$(cd "$(dirname "$0")" && pwd)
failed=0 n=0
dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT

# check STATUS LINES PATTERN SCRIPT: what SCRIPT says, and how it ends
check()
{
    local status=0 lines
    n=$((n + 1))
    printf '%s\n' "set -euo pipefail; . '$here/../lab/tell.sh'" "$4" >"$dir/tell"
    bash "$dir/tell" >"$dir/said" 2>&1 || status=$?
    lines=$(wc -l <"$dir/said")
    # shellcheck disable=SC2053 # a pattern
    if [ "$status" = "$1" ] && [ "$lines" = "$2" ] && [[ $(<"$dir/said") == *$3* ]]; then
        return
    fi
    printf 'tell: status %s (not %s), %s lines (not %s), of:\n%s\n%s\n' "$status" "$1" "$lines" "$2" "$4" \
        "$(<"$dir/said")"
    failed=$((failed + 1))
}

check 1 2 'tell: ended by a command that failed, status 1: false*at tell:2' 'false'
check 7 2 'status 7: return 7*at tell:2' 'f() { return 7; }; f'
check 3 2 'at tell:2, in f (called at tell:4), in g (called at tell:6)' $'f() { (exit 3); }\ng() {\n f\n}\ng'
check 3 2 'status 3: x=$(f | cat)*at tell:3' $'f() { return 3; }\nx=$(f | cat)'
check 1 2 'status 1: a?1?=$(f)*at tell:4' $'f() { true; false; }\ndeclare -a a\na[1]=$(f)'
check 1 2 'status 1: cat' 'true | cat /nowhere 2>/dev/null | cat'
check 1 2 'status 1: read -r x' 'read -r x </dev/null'
check 1 2 'status 1: ? 1 = 2 ?' 'f() { [ 1 = 2 ] && true; }; f; [ 3 = 4 ]'
check 1 3 'and more' 'tell_more() { echo and more >&2; }; false'
# The status is that of the command, whatever the EXIT trap does.
check 4 2 'status 4' $'trap true EXIT\nf() { return 4; }\nf'
# What is only looked at ends nothing, and is not told of; nor is an end that was meant.
check 0 1 'end' 'false || true; if false; then :; fi; ! true || true; while false; do :; done; echo end'
check 0 1 'end' $'f() { false; true; }\nf || true; x=$(f); echo end'
check 5 0 '' 'exit 5'
[ $failed = 0 ]
printf 'tell: %d ways to end, 0 wrong\n' $n
