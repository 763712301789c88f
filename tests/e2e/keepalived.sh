#!/bin/bash
# SPDX-License-Identifier: MIT
# The same faults for keepalived (VRRPv3, advertisements every 0.1 s) and for talosvip with its
# shortest useful window, in the same lab, on the same day. Prints a Markdown table.
#
#   keepalived.sh [-n REPEATS]
#
# keepalived comes from its Debian package, unpacked in build/tools (make bench-keepalived).
set -euo pipefail
cd "$(dirname "$0")/../.."
export TVLAB_VIPS=10.77.0.50
WINDOW=150ms
# shellcheck source=../lab/lab.sh
. tests/lab/lab.sh
# shellcheck source=../lab/watch.sh
. tests/lab/watch.sh

REPEATS=5
KEEPALIVED=$LAB_ROOT/build/tools/usr/sbin/keepalived
LIBRARIES=$(find "$LAB_ROOT/build/tools/" -name '*.so.*' -printf '%h\n' 2>/dev/null | sort -u | paste -sd :)
declare -A OUTAGES=() TWICE=()

while getopts n: option; do
    case $option in
    n) REPEATS=$OPTARG ;;
    *) sed -n 's/^#   //p' "$0" >&2 && exit 2 ;;
    esac
done
[ "$(id -u)" = 0 ] || exec sudo "$0" -n "$REPEATS"
[ -x "$KEEPALIVED" ] || lab_die "no keepalived at $KEEPALIVED (make bench-keepalived gets it)"

vrrp_start()
{
    cat >"$LAB_DIR/keepalived.$1.conf" <<END
global_defs {
    router_id $1
    vrrp_version 3
}
vrrp_instance vip {
    state BACKUP
    nopreempt
    interface eth0
    virtual_router_id 51
    priority $((100 - $(lab_number "$1")))
    advert_int 0.1
    virtual_ipaddress {
        ${LAB_VIPS[0]}/32
    }
}
END
    lab_spawn "agent.$1" nsenter -t "$(lab_pid "$1")" -n -m -u -- \
        env LD_LIBRARY_PATH="$LIBRARIES" "$KEEPALIVED" --dont-fork --log-console --vrrp \
        -f "$LAB_DIR/keepalived.$1.conf" -p /run/keepalived.pid -r /run/vrrp.pid
}

vrrp_pids()
{
    lab_pid "agent.$1"
    printf '\n'
    pgrep -P "$(lab_pid "agent.$1")" || true
}

vrrp_signal()
{
    local -a pids
    mapfile -t pids < <(vrrp_pids "$2")
    kill "-$1" "${pids[@]}"
}

# What whoever repairs a node would do.
vrrp_restart()
{
    lab_wait 5000 lab_is_ended "agent.$1" || lab_die "keepalived of $1 does not end"
    lab_in "$1" ip addr del "${LAB_VIPS[0]}/32" dev eth0 2>/dev/null || true
    vrrp_start "$1"
}

inject()
{
    case $1 in
    node-dead)
        lab_ports 0 "v-$2" "m-$2"
        vrrp_signal KILL "$2"
        ;;
    vip-cut) lab_ports 0 "v-$2" ;;
    freeze) vrrp_signal STOP "$2" ;;
    kill-both) vrrp_signal KILL "$2" ;;
    esac
}

undo()
{
    case $1 in
    node-dead)
        vrrp_restart "$2"
        lab_ports 3 "v-$2" "m-$2"
        ;;
    vip-cut) lab_ports 3 "v-$2" ;;
    freeze) vrrp_signal CONT "$2" ;;
    kill-both) vrrp_restart "$2" ;;
    esac
}

# repeat FAULT: the outage, and how many probes two nodes answered.
repeat()
{
    local owner until
    lab_wait 15000 watch_is_steady 500 || lab_die "keepalived: nobody holds the address"
    watch_owner "${LAB_VIPS[0]}"
    owner=$WATCH_OWNER
    watch_ask reset
    inject "$1" "$owner"
    lab_now
    until=$((LAB_NOW + 3000))
    while lab_now && [ "$LAB_NOW" -lt $until ]; do
        watch_ask state
        lab_pause 0.1
    done
    undo "$1" "$owner"
    lab_wait 15000 watch_is_steady 500 || true
    watch_ask summary
    OUTAGES[$1]+=" $(watch_vip "${LAB_VIPS[0]}" outageMs)"
    [ "$(watch_vip "${LAB_VIPS[0]}" dups)" = 0 ] || TWICE[$1]=$((${TWICE[$1]-0} + 1))
}

median()
{
    tr ' ' '\n' <<<"$1" | sed '/^$/d' | sort -g |
        awk '{ v[NR] = $1 } END { printf "%.0f", NR % 2 ? v[(NR + 1) / 2] : (v[NR / 2] + v[NR / 2 + 1]) / 2 }'
}

faults=(node-dead vip-cut freeze kill-both)
lab_trap
lab_up
watch_start
for node in "${LAB_NODES[@]}"; do
    vrrp_start "$node"
done
for fault in "${faults[@]}"; do
    for ((i = 0; i < REPEATS; i++)); do
        repeat "$fault"
    done
done
lab_down

status=0
table=$(TVLAB_AGENT_ARGS="--peer-window $WINDOW" tests/e2e/run.sh -q -m -n "$REPEATS" "${faults[@]}") || status=$?
grep '^FAIL' <<<"$table" >&2 || true
printf '| median of %d, ms | keepalived, advert_int 0.1 | two owners | talosvip, window %s | two owners |\n' \
    "$REPEATS" "$WINDOW"
printf '|---|--:|--:|--:|--:|\n'
for fault in "${faults[@]}"; do
    printf '| %s | %s | %d of %d | %s | %d of %d |\n' "$fault" "$(median "${OUTAGES[$fault]}")" \
        "${TWICE[$fault]-0}" "$REPEATS" \
        "$(awk -F ' *[|] *' -v f="$fault" '$2 == f { printf "%.0f", $5 }' <<<"$table")" \
        "$(grep -c "^     .*dups" <<<"$(grep -A 3 "^FAIL $fault" <<<"$table")" || true)" "$REPEATS"
done
exit $status
