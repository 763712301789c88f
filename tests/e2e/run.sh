#!/bin/bash
# SPDX-License-Identifier: MIT
# End-to-end tests: every fault of scenarios.sh in the lab, judged by an observer outside the nodes.
#
#   run.sh [-n REPEATS] [-q] [-m] [-k] [-l] [SCENARIO...]
#
#   -n N  repeats of each scenario (1)
#   -q    quick: shorter freezes and cuts
#   -m    the table at the end in Markdown
#   -k    keep the logs of what passed, too
#   -l    list the scenarios
#
# What failed leaves its logs in build/e2e/. TVLAB_VIPS, TVLAB_AGENT, TVLAB_AGENT_ARGS and
# TVLAB_OBSERVER change the lab.
set -euo pipefail
cd "$(dirname "$0")/../.."
# shellcheck source=../lab/lab.sh
. tests/lab/lab.sh
# shellcheck source=../lab/watch.sh
. tests/lab/watch.sh
# shellcheck source=check.sh
. tests/e2e/check.sh
# shellcheck source=scenarios.sh
. tests/e2e/scenarios.sh

REPEATS=1
IS_MARKDOWN=0
IS_KEPT=0
E2E_FREEZE=30
E2E_LONG=60
PASSED=0
FAILED=0
declare -A OUTAGES=() COUNTS=() E2E_NEXT=()

usage()
{
    sed -n 's/^#   //p' "$0" >&2
    exit 2
}

list()
{
    local line
    for line in "${SCENARIOS[@]}"; do
        IFS='|' read -r name expect _ text <<<"$line"
        printf '%-18s %-6s %s\n' "$name" "$expect" "$text"
    done
    exit 0
}

is_function()
{
    declare -F "$1" >/dev/null
}

# step NAME KIND...: runs the first KIND_NAME there is; 2 if there is none.
step()
{
    local name=${1//-/_} kind
    shift
    for kind in "$@"; do
        if is_function "${kind}_$name"; then
            "${kind}_$name" "$E2E_VICTIM"
            return
        fi
    done
    return 2
}

# Who is concerned this time.
choose_victim()
{
    local vip
    watch_owner "${LAB_VIPS[0]}"
    E2E_VICTIM=$WATCH_OWNER
    E2E_HELD=()
    for vip in "${LAB_VIPS[@]}"; do
        watch_owner "$vip"
        E2E_NEXT[$vip]=$(e2e_queue "$vip" | sed -n 2p) || e2e_fail "etcd does not tell who waits for $vip"
        [ "$WATCH_OWNER" != "$E2E_VICTIM" ] || E2E_HELD+=("$vip")
    done
}

settle()
{
    if is_function "settle_${1//-/_}"; then
        step "$1" settle
    elif [ "$2" = moves ]; then
        e2e_moves
    else
        e2e_pass 1500
    fi
}

# repeat NAME EXPECT: one time, its verdict in E2E_WHY and E2E_OUTAGE.
repeat()
{
    E2E_WHY=() E2E_OUTAGE=- E2E_VICTIM=- E2E_CURED=
    e2e_await_steady 30000 || return 0
    choose_victim
    [ ${#E2E_WHY[@]} = 0 ] || return 0
    e2e_await_voters "$E2E_VICTIM"
    step "$1" prepare || [ $? = 2 ] || e2e_fail "the fault could not be prepared"
    watch_ask reset
    lab_now
    E2E_SINCE=$LAB_NOW
    step "$1" inject fault || e2e_fail "the fault could not be made"
    settle "$1" "$2"
    step "$1" undo heal || [ $? = 2 ] || e2e_fail "the fault could not be undone"
    e2e_await_steady 45000 || return 0
    watch_ask summary
    e2e_judge_wire
    e2e_judge_healed
    e2e_judge_owner "$2"
    e2e_judge_outage
}

save_logs()
{
    local dir=build/e2e/$1
    rm -rf "$dir"
    mkdir -p "$dir"
    cp "$LAB_DIR"/*.log "$LAB_DIR/events" "$dir"
    printf '%s\n' "${E2E_WHY[@]}" >"$dir/why"
}

scenario()
{
    local name expect text i why started
    IFS='|' read -r name expect E2E_BOUND text <<<"$1"
    for ((i = 1; i <= REPEATS; i++)); do
        lab_now
        started=$LAB_NOW
        repeat "$name" "$expect"
        COUNTS[$name]=$((${COUNTS[$name]-0} + 1))
        [ "$E2E_OUTAGE" = - ] || OUTAGES[$name]+=" $E2E_OUTAGE"
        if [ ${#E2E_WHY[@]} = 0 ]; then
            watch_owner "${LAB_VIPS[0]}"
            lab_now
            PASSED=$((PASSED + 1))
            printf 'ok   %-17s %2d/%d  outage %10s ms  %s -> %s  (%d ms)\n' "$name" "$i" "$REPEATS" \
                "$E2E_OUTAGE" "$E2E_VICTIM" "$WATCH_OWNER" $((LAB_NOW - started))
            [ $IS_KEPT = 0 ] || save_logs "$name-$i"
            continue
        fi
        FAILED=$((FAILED + 1))
        printf 'FAIL %-17s %2d/%d  outage %10s ms  %s\n' "$name" "$i" "$REPEATS" "$E2E_OUTAGE" "$text"
        for why in "${E2E_WHY[@]}"; do
            printf '     %s\n' "$why"
        done
        save_logs "$name-$i"
        # The next one gets a lab without faults.
        lab_down
        e2e_start_lab
    done
}

# min, median, max of the words.
statistics()
{
    tr ' ' '\n' <<<"$1" | sed '/^$/d' | sort -g |
        awk '{ v[NR] = $1 } END { if (NR) printf "%.1f %.1f %.1f", v[1],
            NR % 2 ? v[(NR + 1) / 2] : (v[NR / 2] + v[NR / 2 + 1]) / 2, v[NR]; else printf "- - -" }'
}

table()
{
    local line name text min median max
    local row='%-18s %7s %10s %10s %10s  %s\n'
    [ $IS_MARKDOWN = 0 ] || row='| %s | %s | %s | %s | %s | %s |\n'
    # shellcheck disable=SC2059 # chosen above
    printf "$row" scenario repeats 'min ms' 'median ms' 'max ms' 'what happens to the owner'
    [ $IS_MARKDOWN = 0 ] || printf '|---|--:|--:|--:|--:|---|\n'
    for line in "${SCENARIOS[@]}"; do
        IFS='|' read -r name _ _ text <<<"$line"
        [ -n "${COUNTS[$name]-}" ] || continue
        read -r min median max <<<"$(statistics "${OUTAGES[$name]-}")"
        # shellcheck disable=SC2059 # chosen above
        printf "$row" "$name" "${COUNTS[$name]}" "$min" "$median" "$max" "$text"
    done
}

arguments=("$@")
while getopts n:qmkl option; do
    case $option in
    n) REPEATS=$OPTARG ;;
    q) E2E_FREEZE=8 E2E_LONG=6 ;;
    m) IS_MARKDOWN=1 ;;
    k) IS_KEPT=1 ;;
    l) list ;;
    *) usage ;;
    esac
done
shift $((OPTIND - 1))

chosen=()
for name in "$@"; do
    found=
    for line in "${SCENARIOS[@]}"; do
        [ "${line%%|*}" != "$name" ] || found=$line
    done
    [ -n "$found" ] || lab_die "no scenario $name (run.sh -l lists them)"
    chosen+=("$found")
done
[ $# -gt 0 ] || chosen=("${SCENARIOS[@]}")

[ "$(id -u)" = 0 ] || exec sudo --preserve-env=TVLAB_VIPS,TVLAB_AGENT,TVLAB_AGENT_ARGS,TVLAB_OBSERVER \
    "$0" "${arguments[@]}"
[ -x "$TVLAB_AGENT" ] || lab_die "no agent at $TVLAB_AGENT (make builds it)"
lab_trap
e2e_start_lab
for line in "${chosen[@]}"; do
    rm -rf "build/e2e/${line%%|*}"-[0-9]*
    scenario "$line"
done
printf '\n'
table
printf '\n%d passed, %d failed\n' $PASSED $FAILED
[ $FAILED = 0 ] || exit 1
