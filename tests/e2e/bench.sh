#!/bin/bash
# SPDX-License-Identifier: MIT
# The figures of the README: outages of every scenario, and the cost of the holder, in Markdown.
#
#   bench.sh [-n REPEATS] [SCENARIO...]
#
# All scenarios with 20 repeats take about an hour; the verdict of each repeat goes to stderr.
set -euo pipefail
cd "$(dirname "$0")/../.."
# shellcheck source=../lab/tell.sh
. tests/lab/tell.sh

repeats=20
while getopts n: option; do
    case $option in
    n) repeats=$OPTARG ;;
    *) sed -n 's/^#   //p' "$0" >&2 && exit 2 ;;
    esac
done
shift $((OPTIND - 1))

measure()
{
    tests/e2e/run.sh -m -n "$repeats" "$@" | awk '
        /^(ok|FAIL|    ) / { print > "/dev/stderr"; fflush("/dev/stderr"); next }
        { print }'
}

printf 'talosvip %s, %s, Linux %s, %s cores, etcd of 3 members with default timing\n\n' \
    "$("${TVLAB_AGENT:-build/talosvip}" version 2>/dev/null | head -n 1 | cut -d ' ' -f 2)" \
    "$(date -u +%F)" "$(uname -r)" "$(nproc)"
status=0
measure "$@" || status=1
if [ $# = 0 ]; then
    printf '\nwith --peer-window 150ms:\n\n'
    TVLAB_AGENT_ARGS="--peer-window 150ms" measure node-dead vip-cut || status=1
fi
printf '\n'
tests/e2e/resources.sh || status=1
exit $status
