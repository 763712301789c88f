#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# The core is pure, and the linker says so: what its objects need from outside is in a short list,
# and they keep nothing that can be written between two calls.
# Usage: purity.sh BUILD_DIR               check BUILD_DIR/src/core/*.o
#        purity.sh --self-test BUILD_DIR   plant violations beside them and demand that each is found
set -euo pipefail

# Computes on what it is given. No I/O, no clock, no memory, no randomness.
allowed='
memcpy memmove memset memcmp memchr strlen strnlen strcmp strncmp
__memcpy_chk __memmove_chk __memset_chk
__stack_chk_fail _GLOBAL_OFFSET_TABLE_
'

check() { # folder of objects
    local -a objects=("$1"/*.o)
    local symbol object bad=0
    if [ ! -e "${objects[0]}" ]; then
        echo "purity: no objects in $1"
        return 1
    fi
    nm --defined-only --extern-only "${objects[@]}" | awk 'NF == 3 { print $3 }' > "$work/known"
    tr -s ' \n' '\n' <<< "$allowed" >> "$work/known"
    for object in "${objects[@]}"; do
        while read -r symbol; do
            echo "$object: uses $symbol, which is not pure"
            bad=$((bad + 1))
        done < <(nm --undefined-only "$object" | awk '{ print $NF }' | grep -vxFf "$work/known")
        # Tables of constants with addresses in them are in .data.rel.ro.
        while read -r symbol; do
            echo "$object: keeps $symbol, which can be written"
            bad=$((bad + 1))
        done < <(nm --format=sysv "$object" | awk -F '|' '{
            gsub(/ /, "", $1); gsub(/ /, "", $7)
            if ($4 ~ /OBJECT|TLS/ && $7 ~ /^(\.data|\.bss|\.tdata|\.tbss|\*COM\*)/ &&
                $7 !~ /^\.data\.rel\.ro/)
                print $1
        }')
    done
    echo "purity: ${#objects[@]} objects, $bad offences"
    [ "$bad" -eq 0 ]
}

expect_offence() { # code text
    local out
    printf '%s\n' "$1" > "$work/planted.c"
    "${CC:-cc}" -std=c11 -D_GNU_SOURCE -O2 -fPIE -c -o "$work/core/planted.o" "$work/planted.c"
    if out=$(check "$work/core"); then
        echo "not ok  not found: $1"
        failed=$((failed + 1))
    elif ! grep -qF "planted.o: $2" <<< "$out"; then
        echo "not ok  the message is: $out"
        failed=$((failed + 1))
    fi
    rm "$work/core/planted.o"
    tried=$((tried + 1))
}

self_test() { # build
    tried=0 failed=0
    mkdir "$work/core" && cp "$1"/src/core/*.o "$work/core"
    check "$work/core" > "$work/out" || { cat "$work/out"; failed=1; }
    expect_offence '#include <stdio.h>
        void f(void); void f(void) { puts("x"); }' 'uses puts'
    expect_offence '#include <time.h>
        time_t f(void); time_t f(void) { return time(0); }' 'uses time'
    expect_offence '#include <stdlib.h>
        void *f(size_t); void *f(size_t n) { return malloc(n); }' 'uses malloc'
    expect_offence '#include <errno.h>
        int f(void); int f(void) { return errno; }' 'uses __errno_location'
    expect_offence '#include <assert.h>
        void f(int); void f(int x) { assert(x); }' 'uses __assert_fail'
    expect_offence 'int f(void); int f(void) { static int n; return ++n; }' 'keeps n'
    expect_offence 'int counter = 5;' 'keeps counter'
    expect_offence 'const char *name = "x";' 'keeps name'
    echo "purity: $tried offences planted, $failed not found"
    [ "$failed" -eq 0 ]
}

work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
if [ "${1:-}" = --self-test ]; then
    self_test "${2:?BUILD_DIR}"
else
    check "${1:?BUILD_DIR}/src/core"
fi
