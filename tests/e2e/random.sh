#!/bin/bash
# SPDX-License-Identifier: MIT
# Random sequences of faults in the lab. Whatever happens, the observer must never see two owners
# answer, and when all is healed there must be one again.
#
#   random.sh [-n SEQUENCES] [-s SEED]
#
# Each sequence has a seed of its own, SEED, SEED + 1 ..., which is printed: the choices repeat with
# it, the exact timing does not. What failed leaves its logs in build/e2e/.
set -euo pipefail
cd "$(dirname "$0")/../.."
# shellcheck source=../lab/lab.sh
. tests/lab/lab.sh
# shellcheck source=../lab/watch.sh
. tests/lab/watch.sh
# shellcheck source=check.sh
. tests/e2e/check.sh

SEQUENCES=20
SEED=1
FAULTS=(vip_cut both_cut etcd_cut link_down loss freeze freeze_agent kill_agent kill_both stop dead)
declare -A HURT=() # what is wrong with each node, or with the network: "" is nothing
WORST=0.000

usage()
{
    sed -n 's/^#   //p' "$0" >&2
    exit 2
}

# One thing at a time is wrong with a node, and etcd keeps its majority.
may_inject()
{
    case $1 in
    loss) [ -z "${HURT[network]-}" ] ;;
    dead) [ -z "${HURT[$2]-}" ] && [[ " ${HURT[*]} " != *\ dead\ * ]] ;;
    *) [ -z "${HURT[$2]-}" ] ;;
    esac
}

inject()
{
    case $1 in
    loss) fault_loss $((5 + RANDOM % 30)) ;;
    freeze) fault_both STOP "$2" ;;
    freeze_agent) fault_agent STOP "$2" ;;
    kill_agent) fault_agent KILL "$2" ;;
    kill_both) fault_both KILL "$2" ;;
    stop) fault_agent TERM "$2" ;;
    dead) fault_node_dead "$2" ;;
    *) "fault_$1" "$2" ;;
    esac
}

heal()
{
    local pid
    case $1 in
    loss) heal_loss ;;
    freeze | freeze_agent)
        for pid in $(lab_agent_pids "$2"); do
            kill -CONT "$pid"
        done
        ;;
    kill_agent | kill_both | stop)
        lab_wait 10000 lab_agent_is_gone "$2" || e2e_fail "agent or guardian of $2 still runs"
        lab_agent_start "$2"
        ;;
    dead) heal_node_dead "$2" ;;
    *) "heal_$1" "$2" ;;
    esac
}

step()
{
    local where=${LAB_NODES[RANDOM % 3]} fault=${FAULTS[RANDOM % ${#FAULTS[@]}]}
    [ "$fault" != loss ] || where=network
    if [ -n "${HURT[$where]-}" ] && [ $((RANDOM % 2)) = 0 ]; then
        DONE+=" heal:$where"
        heal "${HURT[$where]}" "$where"
        HURT[$where]=
    elif may_inject "$fault" "$where"; then
        DONE+=" $fault:$where"
        HURT[$where]=$fault
        inject "$fault" "$where" || e2e_fail "cannot make $fault on $where"
    fi
}

heal_all()
{
    local where
    for where in "${LAB_NODES[@]}" network; do
        [ -z "${HURT[$where]-}" ] || heal "${HURT[$where]}" "$where"
        HURT[$where]=
    done
}

# sequence SEED: its verdict in E2E_WHY.
sequence()
{
    local i steps vip
    E2E_WHY=() DONE=
    RANDOM=$1
    watch_ask reset
    steps=$((4 + RANDOM % 5))
    for ((i = 0; i < steps; i++)); do
        step
        lab_pause "$((RANDOM % 2)).$((RANDOM % 10))"
    done
    heal_all
    e2e_await_steady 60000 || return 0
    watch_ask summary
    for vip in "${LAB_VIPS[@]}"; do
        [ "$(watch_vip "$vip" dups)" = 0 ] || e2e_fail "$vip: two owners answered $(watch_vip "$vip" dups) times"
        [ "$(watch_vip "$vip" flaps)" = 0 ] || e2e_fail "$vip: a former owner answered again"
        WORST=$(printf '%s\n' "$WORST" "$(watch_vip "$vip" outageMs)" | sort -g | tail -n 1)
    done
}

start_lab()
{
    e2e_start_lab
    e2e_await_steady 30000 || lab_die "${E2E_WHY[*]}"
}

while getopts n:s: option; do
    case $option in
    n) SEQUENCES=$OPTARG ;;
    s) SEED=$OPTARG ;;
    *) usage ;;
    esac
done
[ "$(id -u)" = 0 ] || exec sudo --preserve-env=TVLAB_VIPS,TVLAB_AGENT,TVLAB_AGENT_ARGS,TVLAB_OBSERVER \
    "$0" -n "$SEQUENCES" -s "$SEED"
lab_trap
E2E_WHY=()
start_lab
failed=0
for ((seed = SEED; seed < SEED + SEQUENCES; seed++)); do
    sequence $seed
    if [ ${#E2E_WHY[@]} = 0 ]; then
        printf 'ok   seed %-5d%s\n' $seed "$DONE"
        continue
    fi
    failed=$((failed + 1))
    printf 'FAIL seed %-5d%s\n' $seed "$DONE"
    printf '     %s\n' "${E2E_WHY[@]}"
    rm -rf "build/e2e/random-$seed"
    mkdir -p "build/e2e/random-$seed"
    cp "$LAB_DIR"/*.log "$LAB_DIR/events" "build/e2e/random-$seed"
    HURT=()
    lab_down
    start_lab
done
printf '\n%d sequences, %d failed, longest outage %s ms\n' "$SEQUENCES" $failed "$WORST"
[ $failed = 0 ] || exit 1
