#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# measure.sh TALOSVIP: how long `validate` takes, and how much memory, for one long machine config
# and for a directory of a thousand, against limits; and the whole corpus under valgrind.
set -euo pipefail

here=$(cd "$(dirname "$0")" && pwd)
talosvip=$(realpath "${1:-$here/../../build/talosvip}")
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
unset GITHUB_ACTIONS
cd "$here"

# node NUMBER LINES: a valid control plane node's config of so many lines.
node() {
    awk -v i="$1" -v lines="$2" 'BEGIN {
        print "version: v1alpha1\nmachine:\n  type: controlplane\n  network:"
        print "    hostname: cp-" i "\n    interfaces:\n      - interface: eth0"
        printf "        addresses: [10.0.%d.%d/16]\n", i / 250, i % 250 + 1
        print "        vip: {ip: 10.0.200.50}\n  sysctls:"
        for (k = 13; k < lines; k++)
            print "    net.core.setting_" k ": \"" k "\""
        print "cluster:\n  controlPlane:\n    endpoint: https://10.0.200.50:6443"
    }'
}

# measure WHAT MILLISECONDS MIB PATH: the best of five runs, which others disturb least.
measure() {
    /usr/bin/python3 - "$talosvip" "$@" <<'EOF'
import os, subprocess, sys, time
program, what, most_ms, most_mib, path = sys.argv[1:]
best = None
for _ in range(5):
    start = time.monotonic()
    child = subprocess.Popen([program, "validate", "-q", path], stdout=subprocess.DEVNULL)
    _, status, usage = os.wait4(child.pid, 0)
    took = (time.monotonic() - start) * 1000
    if status:
        sys.exit(f"{what}: exit status {os.waitstatus_to_exitcode(status)}")
    best = took if best is None else min(best, took)
mib = usage.ru_maxrss / 1024
print(f"{what}: {best:.0f} ms, {mib:.1f} MiB")
if best > float(most_ms) or mib > float(most_mib):
    sys.exit(f"{what}: more than {most_ms} ms or {most_mib} MiB")
EOF
}

node 1 10000 >"$work/long.yaml"
[ "$(wc -l <"$work/long.yaml")" = 10000 ]
mkdir "$work/many"
for i in {1..1000}; do node "$i" 200 >"$work/many/cp-$i.yaml"; done
measure 'a file of 10,000 lines' 50 20 "$work/long.yaml"
measure '1,000 files of 200 lines' 2000 500 "$work/many"

if command -v valgrind >/dev/null; then
    for format in human sarif; do
        code=0
        valgrind --quiet --error-exitcode=9 --leak-check=full --errors-for-leak-kinds=definite \
            "$talosvip" validate -o "$format" files cases >/dev/null 2>"$work/err" || code=$?
        # 1: there are invalid files among them.
        [ "$code" = 1 ] || { cat "$work/err" >&2; echo "valgrind: exit status $code" >&2; exit 1; }
    done
    echo 'valgrind finds nothing'
else
    echo 'skipped: valgrind is not installed'
fi
