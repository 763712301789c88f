#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# Plants each bug of mutants.txt into a copy of the core and demands that the simulation finds it.
# Usage: mutants.sh CC BUILD_DIR [SCHEDULES] ; run from the top of the tree, after `make sim-build`.
set -euo pipefail

cc=$1 build=$2 schedules=${3:-40000}
here=tests/sim
work=$(mktemp -d "$build/mutants.XXXXXX")
trap 'rm -rf "$work"' EXIT
passed=0 failed=0

models=("$build"/$here/*.o "$build"/src/base/ip.o)

try_mutant() { # name file substitution
    local name=$1 file=$2 substitution=$3 dir=$work/core object
    local -a objects=()
    rm -rf "$dir" && cp -r src/core "$dir"
    perl -0pi -e "$substitution" "$dir/$file"
    if cmp -s "src/core/$file" "$dir/$file"; then
        echo "not ok  $name: the substitution changes nothing"
        return 1
    fi
    $cc -std=c11 -D_GNU_SOURCE -O2 -w -fPIE -Iinclude -c -o "$work/mutant.o" "$dir/$file"
    for object in "$build"/src/core/*.o; do
        [ "$(basename "$object" .o).c" = "$file" ] || objects+=("$object")
    done
    $cc -pie -o "$work/sim" "${models[@]}" "${objects[@]}" "$work/mutant.o"
    if "$work/sim" --schedules "$schedules" > "$work/out" 2>&1; then
        echo "not ok  $name: not caught in $schedules schedules"
        return 1
    fi
    echo "ok      $name: $(grep -m1 -o 'seed [0-9]* breaks [^:]*' "$work/out" || echo crashed)"
}

while IFS='|' read -r name file substitution; do
    case $name in '#'* | '') continue ;; esac
    if try_mutant "${name// /}" "${file// /}" "${substitution# }"; then
        passed=$((passed + 1))
    else
        failed=$((failed + 1))
    fi
done < $here/mutants.txt

echo "mutants: $passed passed, $failed failed"
[ "$failed" -eq 0 ]
