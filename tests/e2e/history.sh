#!/bin/bash
# SPDX-License-Identifier: MIT
# The failover records: who, from whom, why, and how long nobody answered, judged by the faults that
# were made and by an observer outside the nodes.
#
#   history.sh [-n FAULTS] [-s SEED] [-f FAULT]
#
# Without -n every cause once. With it that many faults in a row, drawn from SEED (by default the
# clock; it is printed), each judged in the same way; and every change of the owner has one record,
# and only one. With -f it is always that fault.
set -euo pipefail
cd "$(dirname "$0")/../.."
TVLAB_VIPS=${TVLAB_VIPS-10.77.0.50}
# shellcheck source=../lab/lab.sh
. tests/lab/lab.sh
# shellcheck source=../lab/watch.sh
. tests/lab/watch.sh
# shellcheck source=check.sh
. tests/e2e/check.sh
# shellcheck source=scenarios.sh
. tests/e2e/scenarios.sh

FAULTS=0
ONLY=
SEED=$(($(date +%s) % 30000))
VIP=${LAB_VIPS[0]}
PREFIX=talosvip/v1/history/$VIP/
E2E_FREEZE=7
E2E_BOUND=15000
E2E_HELD=("$VIP")
FAILED=0
declare -A E2E_NEXT=()
# What happens to the owner | cause | detail, a regular expression; VICTIM is its name.
CAUSES=(
    "sigterm|shutdown|"
    "kill-agent|agent died|pid [0-9]+"
    "link-down|link down|eth0"
    "cable|link down|eth0"
    "node-dead|silent|ended by peers"
    "freeze|silent|ended by peers"
    "etcd-cut|etcd session lost|VICTIM: no renewal for .* s"
    "lease-revoke|etcd session lost|VICTIM"
    "key-delete|key deleted|by hand"
    "resign|resign|.*"
    "ill|health check|well"
)
# A node is ill where this file is.
TVLAB_CONFIG='---
apiVersion: talosvip/v1
kind: AgentConfig
health:
  - name: well
    exec: {command: [/usr/bin/test, "!", -e, /run/ill]}
    interval: 200ms
    rise: 1
    fall: 1
'

# One cable for the address and for etcd: its peers end its lease, and it tells why later.
inject_cable()
{
    fault_etcd_cut "$1"
    fault_link_down "$1"
}

undo_cable()
{
    heal_link_down "$1"
    heal_etcd_cut "$1"
}

inject_ill()
{
    lab_in "$1" touch /run/ill
}

undo_ill()
{
    lab_in "$1" rm /run/ill
}

# The moves, oldest first, one a line, with their epoch as the key has it. Who stayed when etcd's
# leader changed has another kind of key, behind that of its epoch.
records()
{
    lab_etcdctl get --prefix "$PREFIX" -w json |
        jq -c 'def hex: reduce explode[] as $c (0; . * 16 + $c - if $c > 57 then 87 else 48 end);
            .kvs // [] | .[] | select(.key | @base64d | contains("-") | not) |
            (.value | @base64d | fromjson) + {key: (.key | @base64d | split("/") | last | hex)}'
}

newest()
{
    records | tail -n 1
}

# field FIELD <<<RECORD: "" when it is not there.
field()
{
    jq -r --arg field "$1" '.[$field] // ""'
}

# The epoch of the newest record is that of the key that leads.
is_recorded()
{
    local revision
    revision=$(lab_etcdctl get --prefix --sort-by CREATE --order ASCEND --limit 1 -w json \
        "talos:v1:vip:election:$VIP/" | jq '.kvs[0].create_revision')
    [ "$(newest | field epoch)" = "$revision" ]
}

# Everybody who saw the move said so.
is_complete()
{
    newest | jq -e '(.seen | length) >= .observers' >/dev/null
}

has_cause()
{
    [ "$(newest | field cause)" = "$1" ] && [[ "$(newest | field detail)" =~ ^$2$ ]]
}

make_fault()
{
    local name=${1//-/_}
    if declare -F "prepare_$name" >/dev/null; then
        "prepare_$name" "$E2E_VICTIM"
    fi
    watch_ask reset
    if declare -F "inject_$name" >/dev/null; then
        "inject_$name" "$E2E_VICTIM"
    else
        "fault_$name" "$E2E_VICTIM"
    fi
    e2e_moves
    [ "$1" != freeze ] || e2e_hold 1000
    watch_ask summary
    if declare -F "undo_$name" >/dev/null; then
        "undo_$name" "$E2E_VICTIM"
    elif declare -F "heal_$name" >/dev/null; then
        "heal_$name" "$E2E_VICTIM"
    fi
}

# Each observer's outage holds the true one within its error; the summary has that. The observer
# outside asks every few milliseconds, which is its own error.
judge_outages()
{
    local record=$1 true_ms
    true_ms=$(watch_vip "$VIP" outageMs)
    jq -e --argjson ms "$true_ms" '[.seen[] | select((.outageUs // -1) >= 0) |
        select((.outageUs / 1000 - $ms | fabs) > .errorUs / 1000 + 15)] == []' \
        <<<"$record" >/dev/null ||
        e2e_fail "outage $true_ms ms, but: $(jq -c .seen <<<"$record")"
    E2E_OUTAGE=$true_ms
}

# fault NAME CAUSE DETAIL VICTIM: makes it, and judges the record.
fault()
{
    local cause=$2 detail=${3//VICTIM/$4} record
    E2E_VICTIM=$4 E2E_OUTAGE=-
    E2E_NEXT[$VIP]=$(e2e_queue "$VIP" | sed -n 2p) || e2e_fail "etcd does not tell who waits"
    [ "$cause" != silent ] || e2e_await_voters "$E2E_VICTIM"
    make_fault "$1"
    e2e_await_steady 45000 || return 0
    lab_wait 5000 is_recorded || e2e_fail "no record of epoch and owner $WATCH_OWNER: $(newest)"
    lab_wait 8000 is_complete || e2e_fail "not everybody said what it saw: $(newest)"
    lab_wait 8000 has_cause "$cause" "$detail" ||
        e2e_fail "$(newest | jq -r '"\(.cause): \(.detail)"'), not $cause: $detail"
    record=$(newest)
    [ "$(field from <<<"$record")" = "$E2E_VICTIM" ] || e2e_fail "from $(field from <<<"$record")"
    watch_ask summary
    judge_outages "$record"
}

# report NAME [NUMBER]
report()
{
    local folder=build/e2e/history${2:+-$SEED-$2}-$1
    if [ ${#E2E_WHY[@]} = 0 ]; then
        printf 'ok   %-14s %s -> %s: %s, outage %s ms, seen: %s\n' "$1" "$E2E_VICTIM" \
            "$(newest | field to)" "$(newest | jq -r '"\(.cause) \(.detail // "")"')" "$E2E_OUTAGE" \
            "$(newest | jq -r '[.seen[] | "\(.node) \(.seenMs // "-") ms \(
                if .outageUs then "\(.outageUs / 1000 | floor)±\(.errorUs / 1000 | ceil)" else "-" end)"] |
                join(", ")')"
        return
    fi
    FAILED=$((FAILED + 1))
    printf 'FAIL %-14s %s\n' "$1" "$E2E_VICTIM"
    printf '     %s\n' "${E2E_WHY[@]}"
    printf '     see %s\n' "$folder"
    rm -rf "$folder"
    mkdir -p "$folder"
    cp "$LAB_DIR"/*.log "$LAB_DIR/events" "$folder"
    records >"$folder/records"
}

every_cause()
{
    local name cause detail line
    E2E_WHY=() E2E_VICTIM=nobody E2E_OUTAGE=-
    lab_wait 5000 is_recorded || e2e_fail "no record of the first owner"
    [ "$(newest | field cause)" = "first election" ] || e2e_fail "the first record: $(newest)"
    report first
    for line in "${CAUSES[@]}"; do
        IFS='|' read -r name cause detail <<<"$line"
        E2E_WHY=()
        e2e_await_steady 45000 || true
        watch_owner "$VIP"
        fault "$name" "$cause" "$detail" "$WATCH_OWNER"
        report "$name"
    done
}

# Every owner there ever was has its record: each names the one before it, and its epoch.
judge_chain()
{
    E2E_WHY=()
    E2E_VICTIM=$(records | jq -s length)
    records | jq -s -e 'length as $n | [range(1; $n) as $i |
        select(.[$i].previousEpoch != .[$i - 1].epoch or .[$i].from != .[$i - 1].to)] == []' \
        >/dev/null || e2e_fail "the chain is broken"
    records | jq -s -e 'all(.epoch == .key)' >/dev/null || e2e_fail "an epoch is not its key's"
    [ "$(records | jq -s length)" -gt "$FAULTS" ] ||
        e2e_fail "$(records | jq -s length) records of $FAULTS faults"
}

many_faults()
{
    local i name cause detail line
    local -a drawn=("${CAUSES[@]}")
    [ -z "$ONLY" ] || mapfile -t drawn < <(printf '%s\n' "${CAUSES[@]}" | grep "^$ONLY|")
    printf 'seed %s\n' "$SEED"
    RANDOM=$SEED
    for ((i = 1; i <= FAULTS; i++)); do
        line=${drawn[RANDOM % ${#drawn[@]}]}
        IFS='|' read -r name cause detail <<<"$line"
        E2E_WHY=()
        e2e_await_steady 45000 || true
        watch_owner "$VIP"
        fault "$name" "$cause" "$detail" "$WATCH_OWNER"
        report "$name" "$i"
    done
    judge_chain
    report chain "$FAULTS"
}

while getopts n:s:f: option; do
    case $option in
    n) FAULTS=$OPTARG ;;
    s) SEED=$OPTARG ;;
    f) ONLY=$OPTARG ;;
    *) sed -n 's/^#   //p' "$0" >&2 && exit 2 ;;
    esac
done

grep -q "^$ONLY|" < <(printf '%s|\n' "" "${CAUSES[@]%%|*}") || lab_die "no such fault: $ONLY"
[ "$(id -u)" = 0 ] || exec sudo --preserve-env=TVLAB_VIPS,TVLAB_AGENT,TVLAB_AGENT_ARGS,TVLAB_OBSERVER \
    "$0" "$@"
[ -x "$TVLAB_AGENT" ] || lab_die "no agent at $TVLAB_AGENT (make builds it)"
lab_trap
e2e_start_lab
E2E_WHY=()
e2e_await_steady 30000 || lab_die "${E2E_WHY[*]}"
if [ "$FAULTS" = 0 ]; then
    every_cause
else
    many_faults
fi
[ $FAILED = 0 ] || exit 1
