#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# Plants each bug of mutants.txt into a copy of the core and demands that a story or a random
# schedule finds it.
# Usage: mutants.sh CC BUILD_DIR [SCHEDULES] ; run from the top of the tree, after `make
# BUILD_DIR/sim`.
set -euo pipefail

cc=$1 build=$2 schedules=${3:-20000}
jobs=$(nproc)
work=$(mktemp -d "$build/mutants.XXXXXX")
trap 'rm -rf "$work"' EXIT

models=("$build"/tests/sim/*.o "$build"/src/base/ip.o)

# Prints what was found; false when nothing was.
try_sim() { # sim out
    local sim=$1 out=$2
    if ! "$sim" --stories > "$out" 2>&1; then
        sed -n 's/^not ok  /story: /p' "$out" | head -n 1
        [ -s "$out" ] && grep -q '^not ok' "$out" || echo "story: crashed"
        return 0
    fi
    if ! "$sim" --jobs 1 --schedules "$schedules" > "$out" 2>&1; then
        grep -m1 -o 'seed [0-9]* breaks [^:]*' "$out" || echo "schedules: crashed"
        return 0
    fi
    return 1
}

try_mutant() { # name file substitution
    local name=$1 file=$2 substitution=$3 dir=$work/$1 object found
    local -a objects=()
    mkdir "$dir" && cp -r src/core "$dir/core"
    perl -0pi -e "$substitution" "$dir/core/$file"
    if cmp -s "src/core/$file" "$dir/core/$file"; then
        echo "not ok  $name: the substitution changes nothing"
        return 1
    fi
    if ! "$cc" -std=c11 -D_GNU_SOURCE -O2 -w -fPIE -Iinclude -c -o "$dir/mutant.o" \
        "$dir/core/$file" 2> "$dir/out"; then
        echo "not ok  $name: does not compile: $(grep -m1 error: "$dir/out" || true)"
        return 1
    fi
    for object in "$build"/src/core/*.o; do
        [ "$(basename "$object" .o).c" = "$file" ] || objects+=("$object")
    done
    "$cc" -pie -o "$dir/sim" "${models[@]}" "${objects[@]}" "$dir/mutant.o"
    if ! found=$(try_sim "$dir/sim" "$dir/out"); then
        echo "not ok  $name: not caught by the stories, nor in $schedules schedules"
        return 1
    fi
    echo "ok      $name: $found"
}

# Otherwise every mutant would seem to be caught.
if found=$(schedules=1000 try_sim "$build/sim" "$work/out"); then
    echo "mutants: the core fails without a mutant: $found"
    exit 1
fi

names=() running=0
while IFS='|' read -r name file substitution; do
    case $name in '#'* | '') continue ;; esac
    name=${name// /}
    names+=("$name")
    if [ "$running" -ge "$jobs" ]; then
        wait -n || true
        running=$((running - 1))
    fi
    try_mutant "$name" "${file// /}" "${substitution# }" > "$work/$name.result" 2>&1 &
    running=$((running + 1))
done < tests/sim/mutants.txt
wait

passed=0 failed=0
for name in "${names[@]}"; do
    cat "$work/$name.result"
    if grep -q '^ok ' "$work/$name.result"; then
        passed=$((passed + 1))
    else
        failed=$((failed + 1))
    fi
done
echo "mutants: $passed passed, $failed failed"
[ "$failed" -eq 0 ] && [ "$passed" -gt 0 ]
