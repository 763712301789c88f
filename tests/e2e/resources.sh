#!/bin/bash
# SPDX-License-Identifier: MIT
# What an agent that holds one VIP costs, guardian included, with two others in the queue and nobody
# asking for the VIP: with the peer lease and without. Prints a Markdown table.
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

# measure VOTERS: starts the agents, and adds a line of what the holder costs (PSS kB, CPU ns,
# wake-ups) to MEASURED.
measure()
{
    local node cpu wakeups
    local -a pids
    for node in "${LAB_NODES[@]}"; do
        lab_agent_start "$node"
    done
    e2e_await_steady 30000 || lab_die "${E2E_WHY[*]}"
    watch_owner "${LAB_VIPS[0]}"
    e2e_await_voters "$WATCH_OWNER"
    [ "$E2E_VOTERS" = "$1" ] || lab_die "voters: $E2E_VOTERS, not $1"
    watch_ask pause
    mapfile -t pids < <(lab_agent_pids "$WATCH_OWNER")
    lab_pause 6 # the announcements after taking over come to an end
    cpu=$(sum cpu "${pids[@]}")
    wakeups=$(sum wakeups "${pids[@]}")
    lab_pause "$SECONDS_MEASURED"
    MEASURED+=("$(sum pss "${pids[@]}") $(($(sum cpu "${pids[@]}") - cpu)) $(($(sum wakeups "${pids[@]}") - wakeups))")
    watch_ask resume
}

[ "$(id -u)" = 0 ] || exec sudo --preserve-env=TVLAB_AGENT,TVLAB_AGENT_ARGS,TVLAB_OBSERVER "$0" "$@"
lab_trap
E2E_WHY=()
MEASURED=()
lab_up
watch_start
measure 3
for node in "${LAB_NODES[@]}"; do
    lab_agent_stop "$node" || lab_die "the agent of $node does not stop"
done
TVLAB_CONFIG=$'---\napiVersion: talosvip/v1\nkind: AgentConfig\npeers:\n  enabled: false\n'
lab_config_write
measure off

printf '%s\n' "${MEASURED[@]}" | awk -v s="$SECONDS_MEASURED" '
{ mb[NR] = $1 / 1024; cpu[NR] = $2 / s / 1e7; wakeups[NR] = $3 / s }
END {
    printf "| the holder of one VIP, with its guardian (%d s) | with peers | without | the peer lease |\n", s
    printf "|---|--:|--:|--:|\n"
    printf "| memory (PSS), MB | %.2f | %.2f | %.2f |\n", mb[1], mb[2], mb[1] - mb[2]
    printf "| CPU, %% of a core | %.2f | %.2f | %.2f |\n", cpu[1], cpu[2], cpu[1] - cpu[2]
    printf "| wake-ups per second | %.1f | %.1f | %.1f |\n", wakeups[1], wakeups[2], wakeups[1] - wakeups[2]
}'
