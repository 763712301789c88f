#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# Looks at every state of the model of the peer lease; then plants bugs into the model, each of
# which must be found.
# Usage: run.sh CC BUILD_DIR
set -euo pipefail

cc=$1 model=$(cd "$(dirname "$0")" && pwd)/peer.pml
work=$(mktemp -d "$2/model.XXXXXX")
trap 'rm -rf "$work"' EXIT
bugs=(GRANT_AT_ONCE ACK_AFTER_GRANT FROM_THE_REPLY ONE_MAJORITY NO_REVISION VOTERS_AT_CREATION
    OLD_TERM)

explore() { # name of what to define
    mkdir "$work/$1"
    cd "$work/$1"
    spin -a "-D$1" "$model" > spin.out
    "$cc" -O2 -w -DSAFETY -DNOREDUCE -DCOLLAPSE -DMEMLIM=3000 -o pan pan.c
    ./pan -m2000000 -w24 > pan.out 2>&1
    cd - > /dev/null
}

explore CORRECT
out=$work/CORRECT/pan.out
if ! grep -q 'errors: 0' "$out" || grep -qE 'max search depth too small|out of memory|aborted|memory limit' "$out"; then
    cat "$out"
    echo "model: an error, or not every state was looked at"
    exit 1
fi
states=$(awk '/states, stored/ { printf "%.0f", $1; exit }' "$out")
depth=$(sed -n 's/.*depth reached \([0-9]*\).*/\1/p' "$out")
echo "model: no error in any of $states states (depth $depth)"
for bug in "${bugs[@]}"; do
    explore "$bug"
    if ! grep -q 'assertion violated' "$work/$bug/pan.out"; then
        echo "model: the planted bug $bug is not found"
        exit 1
    fi
    echo "model: found $bug"
done
