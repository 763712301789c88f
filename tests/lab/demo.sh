#!/bin/bash
# SPDX-License-Identifier: MIT
# Three agents share one address through a real etcd of three members, in network namespaces.
#
# On a terminal: the dashboard, and keys that break things. Elsewhere: one planned and one
# unplanned move, with the outage that a client measured (a request every 2 ms); 0 if both went well.
set -euo pipefail
cd "$(dirname "$0")/../.."
: "${TVLAB_VIPS:=10.77.0.50}"
# shellcheck source=lab.sh
. tests/lab/lab.sh
# shellcheck source=watch.sh
. tests/lab/watch.sh

VIP=${LAB_VIPS[0]}

# Everything is steady when the VIP is answered and all three are in the queue.
demo_is_ready()
{
    watch_is_steady 300 && [ "$(lab_election_keys "$VIP" | wc -l)" = 3 ]
}

demo_up()
{
    local node
    [ -x "$TVLAB_AGENT" ] || lab_die "no agent at $TVLAB_AGENT (make builds it)"
    lab_trap
    printf 'Building three nodes, an etcd of three members and a client ...\n'
    lab_up
    watch_start
    for node in "${LAB_NODES[@]}"; do
        lab_agent_start "$node"
    done
    LAB_PAUSE=0.1 lab_wait 20000 demo_is_ready ||
        lab_die "nobody holds $VIP: $(tail -n 3 "$LAB_DIR/agent.cp-1.log")"
}

# demo_end_agent SIGNAL: of the owner; a record of what the client sees begins.
demo_end_agent()
{
    watch_ask reset
    fault_agent "$1" "$WATCH_OWNER"
}

# Without a terminal

# demo_move TEXT SIGNAL
demo_move()
{
    local from dups outage
    watch_owner "$VIP"
    from=$WATCH_OWNER
    demo_end_agent "$2"
    lab_wait 15000 watch_has_moved "$VIP" "$from" || lab_die "$1: $VIP did not move from $from"
    lab_wait 5000 lab_agent_is_gone "$from" || lab_die "$1: the agent of $from has not ended"
    lab_agent_start "$from"
    LAB_PAUSE=0.1 lab_wait 15000 demo_is_ready || lab_die "$1: $from does not come back"
    watch_ask summary
    dups=$(watch_vip "$VIP" dups)
    outage=$(watch_vip "$VIP" outageMs)
    watch_owner "$VIP"
    printf '%-28s %s -> %s   outage %s ms\n' "$1" "$from" "$WATCH_OWNER" "$outage"
    [ "$dups" = 0 ] || lab_die "$1: two nodes answered for $VIP at once"
}

demo_script()
{
    demo_up
    watch_owner "$VIP"
    printf '%s is held by %s; cp-1, cp-2 and cp-3 are in its election.\n\n' "$VIP" "$WATCH_OWNER"
    demo_move 'planned stop (SIGTERM)' TERM
    demo_move 'agent killed (kill -9)' KILL
    printf '\nAt no time did two nodes answer for %s.\n' "$VIP"
}

# On a terminal

declare -A HEAL=() HEAL_AT=() # what is broken -> the command that heals it, and when, in ms
OWNER=                        # who answers, as the client sees it
HOLDER=                       # who answered last
MENU='owner: K kill T stop F freeze D dead L cut   E freeze all  X duplicate   q end'

demo_tmux()
{
    env -u TMUX tmux -S "$LAB_DIR/tmux" -f /dev/null "$@"
}

# demo_say TEXT: under the menu, under the dashboard.
demo_say()
{
    demo_tmux set -g @said "$1" 2>/dev/null || true
}

# The dashboard has the terminal, and all keys but these; they come here through a pipe.
screen_open()
{
    local key node terminal endpoints=
    # The first owner's member comes last: the dashboard must not lose its own etcd with it.
    for node in "${LAB_NODES[@]}"; do
        endpoints=http://10.78.0.1$(lab_number "$node"):2379${endpoints:+,$endpoints}
    done
    exec {terminal}<&0 # else a background process gets /dev/null
    mkfifo "$LAB_DIR/keys"
    exec {KEYS}<>"$LAB_DIR/keys"
    demo_tmux new-session -d -x "$(tput cols)" -y "$(tput lines)" \
        nsenter -t "$(lab_pid sw)" -n -m -u -- env XDG_STATE_HOME="$LAB_DIR" TERM=screen-256color \
        ${NO_COLOR:+NO_COLOR="$NO_COLOR"} "$TVLAB_AGENT" top -e "$endpoints"
    demo_tmux set -g status 2 \; set -g status-style reverse \; \
        set -g 'status-format[0]' " $MENU" \; set -g 'status-format[1]' ' #{@said}' \; \
        set -s escape-time 25 \; set-hook -g client-attached 'set -g destroy-unattached on'
    for key in K T F D L E X; do
        demo_tmux bind -n "$key" run-shell -b "echo $key >$LAB_DIR/keys"
    done
    # It ends with this script, however that ends.
    setpriv --pdeathsig HUP env -u TMUX tmux -S "$LAB_DIR/tmux" attach <&"$terminal" &
    CLIENT=$!
}

# What is broken heals by itself; and whatever ends the demo ends the lab with all that is in it.

heal_agent()
{
    lab_is_ended "agent.$1" && lab_agent_start "$1"
}

heal_frozen()
{
    fault_both CONT "$1" 2>/dev/null || true
}

# Power off. etcd's leader is moved elsewhere first: what is seen is the owner's death alone.
break_dead()
{
    local leader node
    leader=$(lab_etcd_leader)
    for node in "${LAB_NODES[@]}"; do
        if [ "$leader" = "$1" ] && [ "$node" != "$1" ]; then
            lab_etcd_lead "$node" || true
            break
        fi
    done
    fault_node_dead "$1"
}

each_node()
{
    local node
    for node in "${LAB_NODES[@]}"; do
        "$1" "${@:2}" "$node"
    done
}

# By hand, as an operator might who does not know better.
break_duplicate()
{
    lab_in "$1" ip addr add "$VIP/$(lab_bits "$VIP")" dev eth0
}

heal_duplicate()
{
    fault_addr_del "$VIP" "$1" 2>/dev/null || true # it may have become the owner meanwhile
}

# demo_break WHAT SECONDS TEXT BREAK HEAL: WHAT is a node, or "all".
demo_break()
{
    if [ -z "$1" ] || [ -n "${HEAL[all]-}${HEAL[$1]-}" ] ||
        { [ "$1" = all ] && [ ${#HEAL[@]} -gt 0 ]; }; then
        demo_say 'wait until what is broken has healed'
        return
    fi
    demo_say "$3; it heals by itself in $2 s"
    watch_ask reset
    lab_now
    HEAL[$1]=$5
    HEAL_AT[$1]=$((LAB_NOW + $2 * 1000))
    $4 || demo_say "$3: that did not work"
}

heal_due()
{
    local what
    lab_now
    for what in "${!HEAL[@]}"; do
        if [ "$LAB_NOW" -ge "${HEAL_AT[$what]}" ] && ${HEAL[$what]}; then
            unset "HEAL[$what]" "HEAL_AT[$what]"
        fi
    done
}

demo_key()
{
    local owner node other=
    watch_owner "$VIP"
    owner=$WATCH_OWNER
    if [ -z "$owner" ]; then
        demo_say 'nobody answers: there is no owner'
        return
    fi
    for node in "${LAB_NODES[@]}"; do
        [ "$node" = "$owner" ] || [ -n "${HEAL[$node]-}" ] || other=$node
    done
    case $1 in
    K) demo_break "$owner" 4 "$owner: agent killed (kill -9)" "fault_agent KILL $owner" "heal_agent $owner" ;;
    T) demo_break "$owner" 4 "$owner: agent stopped" "fault_agent TERM $owner" "heal_agent $owner" ;;
    F) demo_break "$owner" 6 "$owner: agent and guardian frozen" "fault_both STOP $owner" "heal_frozen $owner" ;;
    D) demo_break "$owner" 6 "$owner: power off" "break_dead $owner" "heal_node_dead $owner" ;;
    L) demo_break "$owner" 6 "$owner: link cut" "fault_link_down $owner" "heal_link_down $owner" ;;
    E) demo_break all 9 'all agents frozen' 'each_node fault_both STOP' 'each_node heal_frozen' ;;
    X) demo_break "$other" 6 "$VIP set on $other by hand" "break_duplicate $other" "heal_duplicate $other" ;;
    esac
}

# Notes a change on the wire; a move, or a gap, once the client is served again.
note_change()
{
    local what="$HOLDER again"
    watch_owner "$VIP"
    [ "$WATCH_OWNER" != "$OWNER" ] || return 0
    if [ -n "$WATCH_OWNER" ]; then
        watch_has_moved "$VIP" "$OWNER" || return 0
        [ "$WATCH_OWNER" = "$HOLDER" ] || what="$HOLDER -> $WATCH_OWNER"
        watch_ask summary
        demo_say "$what: a client went $(watch_vip "$VIP" outageMs) ms without an answer"
        HOLDER=$WATCH_OWNER
        watch_ask reset
    fi
    OWNER=$WATCH_OWNER
}

demo_screen()
{
    local key
    demo_up
    watch_owner "$VIP"
    OWNER=$WATCH_OWNER HOLDER=$WATCH_OWNER
    watch_ask reset
    screen_open
    while kill -0 "$CLIENT" 2>/dev/null; do
        heal_due
        note_change
        key=
        IFS= read -rn1 -t 0.1 -u "$KEYS" key || [ $? -gt 128 ] || break
        lab_end_if_told
        [ -z "$key" ] || demo_key "$key"
    done
    demo_tmux kill-server 2>/dev/null || true
}

[ "$(id -u)" = 0 ] || exec sudo --preserve-env=TVLAB_AGENT,TVLAB_AGENT_ARGS,TVLAB_OBSERVER,NO_COLOR "$0"
if [ -t 0 ] && [ -t 1 ]; then
    demo_screen
else
    demo_script
fi
