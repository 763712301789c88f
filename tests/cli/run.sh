#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# shellcheck disable=SC2016,SC2317 # expanded and called by xargs's shells
# Runs bats files, several at a time: most of their time they wait. Each file's output comes in one
# piece when it has ended.
# Usage: run.sh FILE.bats...
set -uo pipefail
export JOBS=${JOBS:-3}
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
export work

one() {
    local out=$work/${1##*/} status=0 begin=$SECONDS
    bats "$1" >"$out" 2>&1 || status=$?
    {
        flock 9
        grep -vE '^(1\.\.|ok )' "$out"
        grep -E '^ok .*# skip' "$out"
        printf '%s: %d passed, %d failed (%d s)\n' "${1##*/}" "$(grep -c '^ok ' "$out")" \
            "$(grep -c '^not ok ' "$out")" $((SECONDS - begin))
    } 9>"$work/lock"
    return $status
}
export -f one

printf '%s\0' "$@" | xargs -0 -n 1 -P "$JOBS" bash -c 'one "$1"' one
status=$?
cat "$work"/*.bats | awk -v status="$status" '
    /^ok .*# skip/ { skipped++ } /^ok / { passed++ } /^not ok / { failed++ }
    END { printf "bats: %d passed, %d failed, %d skipped\n", passed - skipped, failed, skipped }'
[ $status -eq 0 ]
