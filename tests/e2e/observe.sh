#!/bin/bash
# SPDX-License-Identifier: MIT
# What the nodes say of each other in etcd: a second owner and an owner that is mute are known to all
# within a second, and nothing is written while nothing happens.
#
#   observe.sh
set -euo pipefail
cd "$(dirname "$0")/../.."
TVLAB_VIPS='10.77.0.50 fd77::50'
# With the peer lease a mute owner is replaced before all have said so.
: "${TVLAB_AGENT_ARGS:=--no-peers}"
# shellcheck source=../lab/lab.sh
. tests/lab/lab.sh
# shellcheck source=../lab/watch.sh
. tests/lab/watch.sh
# shellcheck source=check.sh
. tests/e2e/check.sh

LIMIT_MS=1000
FAILED=0
NODE=
VIP=

# verdict NAME [MS]
verdict()
{
    if [ ${#E2E_WHY[@]} = 0 ]; then
        printf 'ok   %-22s %s\n' "$1" "${2:+$2 ms}"
        return
    fi
    FAILED=$((FAILED + 1))
    printf 'FAIL %-22s\n' "$1"
    printf '     %s\n' "${E2E_WHY[@]}"
    E2E_WHY=()
}

# What NODE says of VIP.
said()
{
    lab_etcdctl get "talosvip/v1/nodes/$NODE" | tail -n 1 |
        jq -c --arg vip "$VIP" '.vips[] | select(.vip == $vip)'
}

says()
{
    said | jq -e "$1" >/dev/null
}

# expect NAME FILTER: within LIMIT_MS NODE says of VIP what the filter of jq asks for.
expect()
{
    local started
    lab_now
    started=$LAB_NOW
    lab_wait "$LIMIT_MS" says "$2" || e2e_fail "$NODE says of $VIP: $(said)"
    lab_now
    verdict "$1" $((LAB_NOW - started))
}

revision()
{
    lab_etcdctl endpoint status -w json | jq '.[0].Status.header.revision'
}

# One record from each node every 5 s, and nothing else.
check_idle()
{
    local before after most
    lab_pause 3 # what the last change set off comes to an end
    before=$(revision)
    lab_pause 15
    after=$(revision)
    most=$((${#LAB_NODES[@]} * 4))
    [ $((after - before)) -le $most ] || e2e_fail "$((after - before)) revisions in 15 s"
    [ $((after - before)) -ge $((most / 2)) ] || e2e_fail "only $((after - before)) revisions"
    verdict idle
}

# roles: OWNER of VIP, and the two others.
roles()
{
    local node
    watch_owner "$VIP"
    OWNER=$WATCH_OWNER OTHERS=()
    for node in "${LAB_NODES[@]}"; do
        [ "$node" = "$OWNER" ] || OTHERS+=("$node")
    done
}

check_duplicate()
{
    local bits options=
    bits=$(lab_bits "$VIP")
    [ "$bits" = 32 ] || options=nodad
    roles
    # shellcheck disable=SC2086 # none or one
    lab_in "${OTHERS[0]}" ip addr add "$VIP/$bits" dev eth0 $options
    NODE=${OTHERS[0]} expect "address by hand" '.addressSet and .state != "held"'
    NODE=${OTHERS[1]} expect "two owners, bystander" '.mac and .other'
    NODE=$OWNER expect "two owners, owner" '.other'
    lab_in "${OTHERS[0]}" ip addr del "$VIP/$bits" dev eth0
    LIMIT_MS=5000
    NODE=${OTHERS[1]} expect "one again" '.other | not'
    LIMIT_MS=1000
}

# The owner's kernel answers no more, and nothing on the owner knows of it.
check_mute()
{
    roles
    fault_vip_cut "$OWNER"
    NODE=${OTHERS[0]} expect "mute owner" '.silentMs and (.mac | not)'
    heal_vip_cut "$OWNER"
    NODE=${OTHERS[0]} expect "heard again" '(.silentMs | not) and .mac'
}

[ "$(id -u)" = 0 ] || exec sudo --preserve-env=TVLAB_AGENT,TVLAB_AGENT_ARGS,TVLAB_OBSERVER "$0"
lab_trap
e2e_start_lab
E2E_WHY=()
e2e_await_steady 30000 || lab_die "${E2E_WHY[*]}"
check_idle
for VIP in "${LAB_VIPS[@]}"; do
    check_duplicate
    check_mute
done
[ $FAILED = 0 ] || exit 1
