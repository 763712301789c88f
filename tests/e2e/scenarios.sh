# shellcheck shell=bash
# SPDX-License-Identifier: MIT
# What can happen to the owner. Sourced by run.sh.
#
# NAME|EXPECT|BOUND|TEXT: after the fault the address `moves` to the next in the queue, or `stays`,
# or is held by `any` in the end. BOUND: the longest outage in ms that passes. It is generous, for
# busy machines; the benchmark's table has the real figures.
# For each NAME, with _ for -, and the victim as argument: prepare_NAME (if any); inject_NAME, or
# else fault_NAME of the lab; settle_NAME, or else waiting for EXPECT; undo_NAME, or else heal_NAME
# of the lab (if any). They say what is wrong by e2e_fail. E2E_SINCE is the time of the fault.
# E2E_FREEZE and E2E_LONG are seconds. LEASE_MS is what the end of a lease may take, PEERS_MS
# what the peer lease may.
LEASE_MS=9000
LEADER_LEASE_MS=14000 # where etcd's leader died with the owner: an election, and leases prolonged
PEERS_MS=2000
LEADER_PEERS_MS=6000

# shellcheck disable=SC2034 # run.sh
SCENARIOS=(
    "sigterm|moves|1000|planned stop: SIGTERM to the agent"
    "resign|moves|1000|planned move: talosvip resign"
    "resign-to|moves|1000|planned move: talosvip resign --to the last in the queue"
    "pause|any|30000|paused, and kill -9 of the agent: nobody takes it until resume"
    "kill-agent|moves|1000|kill -9 of the agent"
    "kill-guardian|stays|200|kill -9 of the guardian"
    "kill-both|moves|$PEERS_MS|kill -9 of agent and guardian at once"
    "kill-both-back|any|$PEERS_MS|kill -9 of both, and later moved back to that node"
    "freeze|moves|$PEERS_MS|SIGSTOP of agent and guardian, SIGCONT later"
    "freeze-twin|moves|$PEERS_MS|freeze of an owner with a second link into the VIP network"
    "link-down|moves|1000|carrier lost"
    "admin-down|moves|1000|ip link set eth0 down"
    "vip-cut|moves|$PEERS_MS|VIP network cut silently and healed"
    "both-cut|moves|$PEERS_MS|both networks cut silently and healed"
    "etcd-cut|moves|$LEADER_LEASE_MS|owner cut from etcd: stays until its right ends"
    "etcd-leader|stays|200|etcd leader killed and restarted"
    "etcd-two|any|60000|two etcd members killed and restored"
    "node-dead|moves|$PEERS_MS|whole node dead, etcd leader elsewhere"
    "node-dead-leader|moves|$LEADER_PEERS_MS|whole node dead, etcd leader with it"
    "followers-in-turn|stays|200|both followers restarted, one after the other"
    "followers-at-once|stays|200|both followers restarted at once"
    "rotate-key|stays|200|a new key for the peer lease"
    "peers-off-on|stays|200|peer lease switched off and on by reload"
    "loss|stays|1000|a fifth of all frames lost on the VIP network"
    "busy|stays|200|every processor taken by other programs"
    "lease-revoke|moves|2000|lease revoked by hand"
    "key-delete|moves|2000|election key deleted by hand"
    "addr-del|stays|200|ip addr del by hand"
    "elect-waits|stays|200|etcdctl elect waits while an agent holds"
    "elect-leads|any|30000|agents wait while etcdctl elect leads"
)

inject_sigterm()
{
    fault_agent TERM "$1"
}

undo_sigterm()
{
    lab_wait 5000 lab_agent_is_gone "$1" || e2e_fail "agent or guardian still runs after SIGTERM"
    [ "$(cat "$LAB_DIR/agent.$1.exit")" = 0 ] ||
        e2e_fail "exit status $(cat "$LAB_DIR/agent.$1.exit") after SIGTERM"
    e2e_expect_no_address "$1" 0
    lab_agent_start "$1"
}

e2e_resign()
{
    local vip=${LAB_VIPS[0]}
    E2E_HELD=("$vip") # only this one is concerned
    lab_in sw "$TVLAB_AGENT" resign "$vip" -e "$LAB_ETCD" --reason "end-to-end test" --yes "$@" \
        >"$LAB_DIR/resign.log" 2>&1 || e2e_fail "resign: exit status $?: $(cat "$LAB_DIR/resign.log")"
}

inject_resign()
{
    e2e_resign
}

undo_resign()
{
    local vip=${LAB_VIPS[0]}
    [ -z "$(lab_etcdctl get --prefix --keys-only talosvip/v1/requests/)" ] ||
        e2e_fail "the request is still there"
    lab_etcdctl get "talosvip/v1/released/$vip" | grep -q "end-to-end test" ||
        e2e_fail "the release does not say why"
    lab_wait 3000 e2e_queue_is 3 || e2e_fail "not everybody is back in the queue"
}

inject_resign_to()
{
    local vip=${LAB_VIPS[0]}
    # shellcheck disable=SC2004 # an associative array, of run.sh
    E2E_NEXT[$vip]=$(e2e_queue "$vip" | tail -n 1)
    e2e_resign --to "${E2E_NEXT[$vip]}"
}

undo_resign_to()
{
    undo_resign
}

inject_pause()
{
    local vip=${LAB_VIPS[0]}
    E2E_HELD=("$vip")
    lab_in sw "$TVLAB_AGENT" pause "$vip" -e "$LAB_ETCD" >"$LAB_DIR/resign.log" 2>&1 ||
        e2e_fail "pause: exit status $?: $(cat "$LAB_DIR/resign.log")"
    e2e_hold 300
    fault_agent KILL "$1"
}

settle_pause()
{
    local vip=${LAB_VIPS[0]}
    lab_wait 2000 watch_is_silent "$vip" || e2e_fail "$WATCH_OWNER answers for $vip, which is paused"
    e2e_hold 3000
    lab_wait 5000 lab_agent_is_gone "$1" || e2e_fail "the guardian has not ended"
    lab_agent_start "$1"
    e2e_hold 3000
}

undo_pause()
{
    lab_in sw "$TVLAB_AGENT" resume "${LAB_VIPS[0]}" -e "$LAB_ETCD" >"$LAB_DIR/resign.log" 2>&1 ||
        e2e_fail "resume: exit status $?: $(cat "$LAB_DIR/resign.log")"
}

inject_kill_agent()
{
    fault_agent KILL "$1"
}

undo_kill_agent()
{
    lab_wait 5000 lab_agent_is_gone "$1" || e2e_fail "the guardian has not ended"
    e2e_expect_no_address "$1" 0
    lab_agent_start "$1"
}

inject_kill_guardian()
{
    E2E_GUARDIAN=$(lab_guardian_pid "$1")
    fault_guardian KILL "$1"
}

e2e_has_new_guardian()
{
    local pid
    pid=$(lab_guardian_pid "$1") && [ "$pid" != "$E2E_GUARDIAN" ]
}

settle_kill_guardian()
{
    lab_wait 3000 e2e_has_new_guardian "$1" || e2e_fail "no new guardian"
    e2e_pass 1500
}

inject_kill_both()
{
    fault_both KILL "$1"
}

# The kernel alone must remove the address by its lifetime; the packet fence made it mute before.
settle_kill_both()
{
    e2e_moves
    e2e_expect_no_address "$1" 8000
}

undo_kill_both()
{
    lab_agent_start "$1"
}

inject_kill_both_back()
{
    fault_both KILL "$1"
}

e2e_answers()
{
    watch_owner "${LAB_VIPS[0]}"
    [ "$WATCH_OWNER" = "$1" ] && [ "$WATCH_STEADY" -ge 1000 ]
}

# The closed fence of the dead agent, which no address outlives, must not mute the next one.
settle_kill_both_back()
{
    settle_kill_both "$1"
    lab_agent_start "$1"
    lab_wait 10000 e2e_queue_is 3 || e2e_fail "the new agent is not in the queue"
    e2e_resign --to "$1"
    lab_wait 10000 e2e_answers "$1" || e2e_fail "$1 does not answer again"
    ! grep "event=no_packet_fence" "$LAB_DIR/agent.$1.log" || e2e_fail "$1 has no packet fence"
    grep -q "event=leftover .*programs=" "$LAB_DIR/agent.$1.log" || e2e_fail "nothing was left behind"
}

inject_freeze()
{
    fault_both STOP "$1"
}

settle_freeze()
{
    e2e_moves
    lab_now
    e2e_hold $((E2E_SINCE + E2E_FREEZE * 1000 - LAB_NOW))
}

undo_freeze()
{
    local pid
    # The agent's children, if it has others, were not stopped.
    for pid in $(lab_agent_pids "$1"); do
        kill -CONT "$pid"
    done
}

e2e_twins()
{
    grep -c "event=twin .*iface=eth1" "$LAB_DIR/agent.$1.log"
}

e2e_has_twin()
{
    [ "$(e2e_twins "$1")" -gt "$E2E_TWINS" ]
}

# The observer takes both links for one node: `dups` are those of two nodes.
prepare_freeze_twin()
{
    E2E_TWINS=$(e2e_twins "$1") || true
    fault_twin "$1"
    lab_wait 2000 e2e_has_twin "$1" || e2e_fail "$1 does not know of its second link"
}

inject_freeze_twin()
{
    inject_freeze "$1"
}

settle_freeze_twin()
{
    settle_freeze "$1"
}

undo_freeze_twin()
{
    undo_freeze "$1"
    heal_twin "$1"
}

settle_link_down()
{
    e2e_moves
    e2e_expect_no_address "$1" 1000
}

settle_vip_cut()
{
    e2e_moves
    e2e_hold 1000
}

undo_vip_cut()
{
    e2e_heal heal_vip_cut "$1"
}

prepare_both_cut()
{
    prepare_node_dead "$1"
}

undo_both_cut()
{
    e2e_hold 1000
    e2e_heal heal_both_cut "$1"
}

# etcd's right is 4.6 s long, and was confirmed in the last second.
settle_etcd_cut()
{
    e2e_hold 3000
    e2e_moves
    e2e_expect_no_address "$1" 1000
}

# How often each VIP moved within a day, as everybody is told. (`status` counts to 20.)
e2e_moves_told()
{
    { lab_in sw "$TVLAB_AGENT" history --stats --since 24h -e "$LAB_ETCD" -o json 2>/dev/null || true; } |
        jq -c '[.. | objects | select(has("moves")) | [.vip, .moves]]' # whatever it ends with
}

# Of the changes of etcd's leader that the agent on $1 has seen, one a minute is written down.
# Whether the newest was, by its log.
e2e_leader_is_followed()
{
    sed -nE 's/^ts=([^ ]*) .* event=(etcd_leader_changed|start) .*/\1 \2/p' \
        "$LAB_DIR/agent.$1.log" | while read -r time event; do
        printf '%s %s\n' "$(date -d "$time" +%s)" "$event"
    done | awk '$2 == "start" { last = 0; next }
        { is = $1 >= last + 60; if (is) last = $1 } END { exit !is }'
}

# Everybody says that VIP $1 stayed with $2 when etcd's leader changed.
e2e_has_stayed()
{
    lab_etcdctl get --prefix "talosvip/v1/history/$1/" --sort-by MODIFY --order DESCEND \
        --limit 1 -w json | jq -e --arg node "$2" --argjson agents ${#LAB_NODES[@]} \
        '.kvs[0] | (.key | @base64d | contains("-")) and (.value | @base64d | fromjson |
            .from == $node and .to == $node and .cause == "etcd leader change" and
            .detail == "lease kept" and .planned and .epoch == .previousEpoch and
            (.seen | length) == $agents)' >/dev/null
}

prepare_etcd_leader()
{
    E2E_MOVES=$(e2e_moves_told)
}

inject_etcd_leader()
{
    E2E_MEMBER=$(lab_etcd_leader)
    fault_etcd_kill "$E2E_MEMBER"
}

# Longer than a lease, so that renewals must have worked.
settle_etcd_leader()
{
    local vip
    e2e_pass 7000
    grep -q event=etcd_leader_changed "$LAB_DIR/agent.$1.log" || e2e_fail "$1 saw no other leader"
    for vip in "${E2E_HELD[@]}"; do
        ! e2e_leader_is_followed "$1" || lab_wait 5000 e2e_has_stayed "$vip" "$1" ||
            e2e_fail "$vip: no record of those who stayed: $(lab_etcdctl get --prefix \
                "talosvip/v1/history/$vip/" --sort-by MODIFY --order DESCEND --limit 1)"
    done
    [ "$(e2e_moves_told)" = "$E2E_MOVES" ] || e2e_fail "moves $(e2e_moves_told), not $E2E_MOVES"
}

undo_etcd_leader()
{
    heal_etcd_kill "$E2E_MEMBER"
    lab_wait 15000 lab_etcd_healthy || e2e_fail "etcd does not recover"
}

# The owner's own member remains: up, and without a quorum.
inject_etcd_two()
{
    local node
    for node in "${LAB_NODES[@]}"; do
        [ "$node" = "$1" ] || fault_etcd_kill "$node"
    done
}

settle_etcd_two()
{
    local vip
    for vip in "${E2E_HELD[@]}"; do
        lab_wait "$LEASE_MS" watch_is_silent "$vip" || e2e_fail "$vip is still held without a quorum"
    done
    e2e_expect_no_address "$1" 3000
}

undo_etcd_two()
{
    local node
    for node in "${LAB_NODES[@]}"; do
        [ "$node" = "$1" ] || heal_etcd_kill "$node"
    done
    lab_wait 20000 lab_etcd_healthy || e2e_fail "etcd does not recover"
}

# A new etcd leader prolongs all leases by a second until their next renewal, which must be over
# before the fault is measured.
e2e_etcd_lead()
{
    [ "$(lab_etcd_leader)" != "$1" ] || return 0
    lab_etcd_lead "$1"
    e2e_pass 2500
}

prepare_node_dead()
{
    e2e_etcd_lead "${E2E_NEXT[${LAB_VIPS[0]}]}"
}

undo_node_dead()
{
    heal_node_dead "$1"
    lab_wait 15000 lab_etcd_healthy || e2e_fail "etcd does not recover"
}

prepare_node_dead_leader()
{
    e2e_etcd_lead "$E2E_VICTIM"
}

inject_node_dead_leader()
{
    fault_node_dead "$1"
}

undo_node_dead_leader()
{
    undo_node_dead "$1"
}

inject_lease_revoke()
{
    fault_lease_revoke "${LAB_VIPS[0]}"
}

inject_key_delete()
{
    E2E_HELD=("${LAB_VIPS[0]}") # only this one is concerned
    fault_key_delete "${LAB_VIPS[0]}"
}

inject_addr_del()
{
    local vip
    for vip in "${E2E_HELD[@]}"; do
        fault_addr_del "$vip" "$1"
    done
}

settle_addr_del()
{
    e2e_pass 1000
}

# Another candidate of the same election: etcdctl, from the operator's place.
elect_start()
{
    lab_spawn elect nsenter -t "$(lab_pid sw)" -n -m -u -- env --default-signal=INT \
        etcdctl --endpoints "$LAB_ETCD" elect "talos:v1:vip:election:${LAB_VIPS[0]}" other
}

elect_stop()
{
    lab_kill INT elect
    lab_wait 5000 lab_is_ended elect || e2e_fail "etcdctl elect does not end"
}

elect_leads()
{
    grep -qx other "$LAB_DIR/elect.log"
}

elect_is_queued()
{
    lab_election_keys "${LAB_VIPS[0]}" | grep -q ' other$'
}

# What `etcdctl elect -l` says: the value of the leader's key.
elect_listen()
{
    lab_in sw timeout 2 etcdctl --endpoints "$LAB_ETCD" elect -l \
        "talos:v1:vip:election:${LAB_VIPS[0]}" 2>/dev/null | sed -n 2p
}

inject_elect_waits()
{
    rm -f "$LAB_DIR/elect.log"
    elect_start
    lab_wait 3000 elect_is_queued || e2e_fail "etcdctl elect is not in the queue"
}

settle_elect_waits()
{
    e2e_pass 1500
    ! elect_leads || e2e_fail "etcdctl elect leads beside the agent"
    [ "$(elect_listen)" = "$1" ] || e2e_fail "etcdctl elect -l says '$(elect_listen)', not $1"
}

undo_elect_waits()
{
    elect_stop
}

inject_elect_leads()
{
    local node
    inject_elect_waits
    for node in "${LAB_NODES[@]}"; do
        lab_agent_stop "$node" || e2e_fail "the agent of $node does not stop"
    done
    lab_wait 5000 elect_leads || e2e_fail "etcdctl elect does not lead though no agent runs"
}

settle_elect_leads()
{
    local node
    for node in "${LAB_NODES[@]}"; do
        lab_agent_start "$node"
    done
    lab_wait 5000 e2e_queue_is 4 || e2e_fail "the agents are not in the queue"
    watch_is_silent "${LAB_VIPS[0]}" || e2e_fail "$WATCH_OWNER answers while etcdctl leads"
    e2e_hold 2000
    [ "$(elect_listen)" = other ] || e2e_fail "etcdctl elect -l does not say other"
}

undo_elect_leads()
{
    elect_stop
}

e2e_restart()
{
    lab_agent_stop "$1" || e2e_fail "the agent of $1 does not stop"
    lab_agent_start "$1"
}

inject_followers_in_turn()
{
    local node
    for node in "${LAB_NODES[@]}"; do
        [ "$node" = "$1" ] || e2e_restart "$node"
    done
}

inject_followers_at_once()
{
    local node
    for node in "${LAB_NODES[@]}"; do
        [ "$node" = "$1" ] || fault_agent TERM "$node"
    done
    for node in "${LAB_NODES[@]}"; do
        [ "$node" = "$1" ] || e2e_restart "$node"
    done
}

# client_retransmits MS: when the client's kernel asks again for a MAC.
# shellcheck disable=SC2016 # expanded in there
client_retransmits()
{
    # shellcheck disable=SC2016 # expanded in there
    lab_in client bash -c '
        for family in ipv4 ipv6; do
            file=/proc/sys/net/$family/neigh/eth0/retrans_time_ms
            [ ! -e "$file" ] || echo "$0" >"$file"
        done' "$1"
}

# Else the client's own second between two questions for the MAC would be taken for the owner's
# silence: with a fifth of the frames lost, every third question gets no answer.
prepare_loss()
{
    client_retransmits 50
}

inject_loss()
{
    fault_loss 20
}

settle_loss()
{
    e2e_pass $((E2E_LONG * 1000))
}

undo_loss()
{
    heal_loss
    client_retransmits 1000
}

inject_busy()
{
    local i
    for ((i = 0; i < 2 * $(nproc); i++)); do
        lab_spawn "hog.$i" nsenter -t "$(lab_pid "$1")" -n -m -u -- sh -c 'while :; do :; done'
    done
}

settle_busy()
{
    e2e_pass $((E2E_LONG * 1000))
}

undo_busy()
{
    local i
    for ((i = 0; i < 2 * $(nproc); i++)); do
        lab_stop "hog.$i"
    done
}

# Until the old key is refused.
# How often no majority of the voters heard node $1, since its agent started.
e2e_mutes()
{
    lab_in "$1" "$TVLAB_AGENT" status --local -o json | jq .peers.mutes
}

inject_rotate_key()
{
    E2E_MUTES=$(e2e_mutes "$1")
    lab_in "$1" "$TVLAB_AGENT" peers rotate-key -e "$LAB_ETCD" >/dev/null
}

settle_rotate_key()
{
    e2e_pass 21000
    [ "$(e2e_voters "$1")" != 0 ] || e2e_fail "no voters any more"
    [ "$(e2e_mutes "$1")" = "$E2E_MUTES" ] || e2e_fail "mute meanwhile"
}

e2e_reload()
{
    fault_agent HUP "$1"
    lab_wait 3000 e2e_has_voters_of "$1" "$2" || e2e_fail "reload: $(e2e_voters "$1") voters, not $2"
}

e2e_has_voters_of()
{
    [ "$(e2e_voters "$1")" = "$2" ]
}

inject_peers_off_on()
{
    E2E_VOTERS=$(e2e_voters "$1")
    printf -- '---\napiVersion: talosvip/v1\nkind: AgentConfig\npeers:\n  enabled: false\n' >>"$LAB_DIR/talos.yaml"
    e2e_reload "$1" off
}

settle_peers_off_on()
{
    e2e_pass 1500
    lab_config_write
    e2e_reload "$1" "$E2E_VOTERS"
    e2e_pass 1500
}
