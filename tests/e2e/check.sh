# shellcheck shell=bash
# SPDX-License-Identifier: MIT
# The assertions of the end-to-end tests, and the waits for what they assert. Sourced by run.sh.
#
# One repeat: E2E_VICTIM the owner of the first VIP, E2E_HELD the VIPs it holds, E2E_NEXT[VIP] the
# next in the queue, E2E_WHY what failed so far.

e2e_start_lab()
{
    local node
    lab_up
    watch_start
    for node in "${LAB_NODES[@]}"; do
        lab_agent_start "$node"
    done
}

e2e_fail()
{
    E2E_WHY+=("$*")
}

# The candidates of VIP $1, in the order of etcd.
e2e_queue()
{
    lab_election_keys "$1" | cut -d ' ' -f 2
}

e2e_queue_is()
{
    [ "$(e2e_queue "${LAB_VIPS[0]}" | wc -l)" = "$1" ]
}

# Says in E2E_UNSTEADY what is missing: each VIP answered by one node for 200 ms, the same that leads
# in etcd; every agent queued once; the address in the kernel of the owner and of no other.
e2e_is_steady()
{
    local vip node holders
    local -a queue
    local -A addresses=()
    E2E_UNSTEADY='an answer on the wire'
    watch_is_steady 200 || return 1
    for node in "${LAB_NODES[@]}"; do
        addresses[$node]=$(lab_addresses "$node")
    done
    for vip in "${LAB_VIPS[@]}"; do
        watch_owner "$vip"
        mapfile -t queue < <(e2e_queue "$vip")
        E2E_UNSTEADY="$vip: owner $WATCH_OWNER, queue: ${queue[*]}"
        [ "${queue[0]-}" = "$WATCH_OWNER" ] || return 1
        [ "$(printf '%s\n' "${queue[@]}" | sort | xargs)" = "${LAB_NODES[*]}" ] || return 1
        holders=
        for node in "${LAB_NODES[@]}"; do
            [[ $'\n'${addresses[$node]}$'\n' != *$'\n'$vip$'\n'* ]] || holders+=$node
        done
        E2E_UNSTEADY="$vip: owner $WATCH_OWNER, address in the kernel of: $holders"
        [ "$holders" = "$WATCH_OWNER" ] || return 1
    done
}

e2e_await_steady()
{
    LAB_PAUSE=0.1 lab_wait "$1" e2e_is_steady || {
        e2e_fail "not steady after $1 ms; $E2E_UNSTEADY"
        return 1
    }
}

# How many voters there are over node $1, or "off".
e2e_voters()
{
    lab_in "$1" "$TVLAB_AGENT" status --local -o json 2>/dev/null |
        jq -r '.peers | if .ready then .voters else "off" end'
}

e2e_has_voters()
{
    E2E_VOTERS=$(e2e_voters "$1") || true
    [ "$E2E_VOTERS" = ${#LAB_NODES[@]} ] || [ "$E2E_VOTERS" = off ]
}

# e2e_await_voters NODE: the peer lease is in force over it, if it is switched on.
e2e_await_voters()
{
    LAB_PAUSE=0.1 lab_wait 5000 e2e_has_voters "$1" ||
        e2e_fail "the peer lease is not in force: ${E2E_VOTERS:-no answer} voters over $1"
}

# e2e_heal CMD...: from then on, no client may be without the owner for 0.1 s.
e2e_heal()
{
    watch_ask state
    E2E_CURED=$(jq .t <<<"$WATCH_REPLY")
    "$@"
    e2e_pass 1500
}

e2e_judge_healed()
{
    local vip ms
    [ -n "$E2E_CURED" ] || return 0
    for vip in "${LAB_VIPS[@]}"; do
        ms=$(jq --arg vip "$vip" --argjson t "$E2E_CURED" \
            '[.vips[] | select(.vip == $vip) | .gaps[] | select(.t > $t) | .ms - .lateMs] | max // 0' \
            <<<"$WATCH_REPLY")
        [ "${ms%.*}" -lt 100 ] || e2e_fail "$vip: silent for $ms ms after the cut was healed"
    done
}

e2e_moves()
{
    local vip
    for vip in "${E2E_HELD[@]}"; do
        lab_wait $((E2E_BOUND + 2000)) watch_has_moved "$vip" "$E2E_VICTIM" ||
            e2e_fail "$vip did not move"
    done
}

# e2e_hold MS: all that time nobody may answer but who does now.
e2e_hold()
{
    local owner until
    watch_owner "${LAB_VIPS[0]}"
    owner=$WATCH_OWNER
    lab_now
    until=$((LAB_NOW + $1))
    while lab_now && [ "$LAB_NOW" -lt $until ]; do
        watch_owner "${LAB_VIPS[0]}"
        if [ "$WATCH_OWNER" != "$owner" ]; then
            e2e_fail "${LAB_VIPS[0]} went from ${owner:-nobody} to ${WATCH_OWNER:-nobody}"
            return 0
        fi
        lab_pause 0.05
    done
}

# e2e_pass MS: that time passes while the observer records; the record is judged at the end.
e2e_pass()
{
    local until
    lab_now
    until=$((LAB_NOW + $1))
    while lab_now && [ "$LAB_NOW" -lt $until ]; do
        watch_ask state
        lab_pause 0.1
    done
}

e2e_has_no_address()
{
    [ -z "$(lab_addresses "$1")" ]
}

# e2e_expect_no_address NODE MS
e2e_expect_no_address()
{
    lab_wait "$2" e2e_has_no_address "$1" || e2e_fail "address left behind on $1"
}

# One owner at any time, and no claim without the right.
e2e_judge_wire()
{
    local vip field
    for vip in "${LAB_VIPS[@]}"; do
        for field in dups flaps claims; do
            [ "$(watch_vip "$vip" "$field")" = 0 ] ||
                e2e_fail "$vip: $field $(watch_vip "$vip" "$field")"
        done
    done
}

# e2e_taken_from NODE VIP: from whom it came, by the log of NODE.
e2e_taken_from()
{
    sed -n "s/.* event=acquired vip=$2 .* from=\([^ ]*\) .*/\1/p" "$LAB_DIR/agent.$1.log" | tail -n 1
}

# Where the VIPs of the victim are now. WATCH_REPLY is a summary, and remains.
e2e_judge_owner()
{
    local vip owner summary=$WATCH_REPLY
    for vip in "${E2E_HELD[@]}"; do
        watch_owner "$vip"
        owner=$WATCH_OWNER
        case $1 in
        moves)
            [ "$owner" = "${E2E_NEXT[$vip]}" ] || e2e_fail "$vip: owner $owner, not ${E2E_NEXT[$vip]}"
            [ "$(e2e_taken_from "$owner" "$vip")" = "$E2E_VICTIM" ] ||
                e2e_fail "$vip: $owner says that it came from '$(e2e_taken_from "$owner" "$vip")'"
            ;;
        stays) [ "$owner" = "$E2E_VICTIM" ] || e2e_fail "$vip: owner $owner, not $E2E_VICTIM" ;;
        esac
    done
    WATCH_REPLY=$summary
    if [ "$1" = stays ]; then
        for vip in "${E2E_HELD[@]}"; do
            [ "$(watch_vip "$vip" owners | jq length)" = 1 ] || e2e_fail "$vip: several owners"
        done
    fi
}

# Sets E2E_OUTAGE, in ms with 3 decimals: the longest of the victim's VIPs.
e2e_judge_outage()
{
    local vip ms
    E2E_OUTAGE=0.000
    for vip in "${E2E_HELD[@]}"; do
        ms=$(watch_vip "$vip" outageMs)
        E2E_OUTAGE=$(printf '%s\n' "$E2E_OUTAGE" "$ms" | sort -g | tail -n 1)
    done
    [ "${E2E_OUTAGE%.*}" -lt "$E2E_BOUND" ] || e2e_fail "outage $E2E_OUTAGE ms, bound $E2E_BOUND"
}
