#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# run.sh TEST...: runs unit tests one after the other; says what failed and counts.
set -u
passed=0 failed=0 skipped=0 broken=()
log=$(mktemp)
trap 'rm -f "$log"' EXIT
export CMOCKA_MESSAGE_OUTPUT=stdout

count() { # what
    # cmocka lists what failed a second time at the end
    grep "^\[ *$1 *\] [A-Za-z0-9_]*$" "$log" | sort -u | wc -l
}

for test in "$@"; do
    ${TEST_WRAPPER:-} "$test" > "$log" 2>&1
    code=$?
    ok=$(count OK) bad=$(count FAILED) skip=$(count SKIPPED)
    if [ $code -ne 0 ]; then
        [ "$bad" -gt 0 ] || bad=1
        broken+=("$test")
        cat "$log"
    fi
    # A program may skip all its tests at once, and says why.
    if [ $((ok + bad + skip)) -eq 0 ] && [ $code -eq 0 ] && grep -qi '^skip' "$log"; then
        skip=1
    fi
    if [ $((ok + bad + skip)) -eq 0 ]; then
        echo "$test ran no test"
        bad=1
        broken+=("$test")
    fi
    [ "$skip" -eq 0 ] || grep -i 'skip' "$log" | head -5
    passed=$((passed + ok)) failed=$((failed + bad)) skipped=$((skipped + skip))
done
for test in "${broken[@]+"${broken[@]}"}"; do
    echo "FAILED: $test"
done
echo "unit: $passed passed, $failed failed, $skipped skipped"
[ "$failed" -eq 0 ]
