#!/bin/bash
# SPDX-License-Identifier: MIT
# What an agent that holds one VIP costs, guardian included, with two others in the queue and nobody
# asking for the VIP. Prints a Markdown table.
#
#   resources.sh [SECONDS]
set -euo pipefail
cd "$(dirname "$0")/../.."
TVLAB_VIPS=10.77.0.50
# shellcheck source=../lab/lab.sh
. tests/lab/lab.sh
# shellcheck source=../lab/watch.sh
. tests/lab/watch.sh
# shellcheck source=check.sh
. tests/e2e/check.sh

SECONDS_MEASURED=${1-30}

# The sum over all threads of the processes $2... of: `cpu` ns, or `wakeups`, or `pss` kB.
sum()
{
    local what=$1 pid
    shift
    for pid in "$@"; do
        case $what in
        cpu) cut -d ' ' -f 1 "/proc/$pid/task/"*/schedstat ;;
        wakeups) sed -n 's/^voluntary_ctxt_switches:\s*//p' "/proc/$pid/task/"*/status ;;
        pss) sed -n 's/^Pss:\s*\([0-9]*\) kB/\1/p' "/proc/$pid/smaps_rollup" ;;
        esac
    done | awk '{ sum += $1 } END { printf "%.0f", sum }'
}

[ "$(id -u)" = 0 ] || exec sudo --preserve-env=TVLAB_AGENT,TVLAB_AGENT_ARGS,TVLAB_OBSERVER "$0" "$@"
lab_trap
E2E_WHY=()
lab_up
watch_start
for node in "${LAB_NODES[@]}"; do
    lab_agent_start "$node"
done
e2e_await_steady 30000 || lab_die "${E2E_WHY[*]}"
watch_owner "${LAB_VIPS[0]}"
watch_ask pause
mapfile -t pids < <(lab_agent_pids "$WATCH_OWNER")

lab_pause 3 # the announcements after taking over come to an end
cpu=$(sum cpu "${pids[@]}")
wakeups=$(sum wakeups "${pids[@]}")
lab_pause "$SECONDS_MEASURED"
cpu=$(($(sum cpu "${pids[@]}") - cpu))
wakeups=$(($(sum wakeups "${pids[@]}") - wakeups))
pss=$(sum pss "${pids[@]}")

awk -v s="$SECONDS_MEASURED" -v cpu="$cpu" -v wakeups="$wakeups" -v pss="$pss" -v n="${#pids[@]}" 'BEGIN {
    printf "| the holder of one VIP (%d processes, %d s) | |\n|---|--:|\n", n, s
    printf "| memory (PSS) | %.1f MB |\n", pss / 1024
    printf "| CPU | %.2f %% of a core |\n", cpu / s / 1e7
    printf "| wake-ups per second | %.1f |\n", wakeups / s
}'
