#!/bin/bash
# SPDX-License-Identifier: MIT
# Three agents share one address through a real etcd of three members, in network namespaces.
#
# On a terminal: the dashboard, and three keys that break things. Elsewhere: one planned and one
# unplanned move, with the outage that a client measured (a request every 2 ms); 0 if both went well.
set -euo pipefail
cd "$(dirname "$0")/../.."
: "${TVLAB_VIPS:=10.77.0.50}"
# shellcheck source=lab.sh
. tests/lab/lab.sh
# shellcheck source=watch.sh
. tests/lab/watch.sh

VIP=${LAB_VIPS[0]}
RESTART_MS=4000 # how long a node stays without its agent

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

declare -A RESTART_AT=() # node -> ms
CUT=                     # the node whose link is cut
OWNER=                   # who answers, as the client sees it
HOLDER=                  # who answered last
MENU='owner: K kill -9  T stop  L cut or heal the link    q end'

demo_tmux()
{
    env -u TMUX tmux -S "$LAB_DIR/tmux" -f /dev/null "$@"
}

# demo_say TEXT: under the menu, under the dashboard.
demo_say()
{
    demo_tmux set -g @said "$1" 2>/dev/null || true
}

# The dashboard has the terminal, and all keys but three; those come here through a pipe.
screen_open()
{
    local key terminal
    exec {terminal}<&0 # else a background process gets /dev/null
    mkfifo "$LAB_DIR/keys"
    exec {KEYS}<>"$LAB_DIR/keys"
    demo_tmux new-session -d -x "$(tput cols)" -y "$(tput lines)" \
        nsenter -t "$(lab_pid sw)" -n -m -u -- env XDG_STATE_HOME="$LAB_DIR" TERM=screen-256color \
        ${NO_COLOR:+NO_COLOR="$NO_COLOR"} "$TVLAB_AGENT" top -e "$LAB_ETCD"
    demo_tmux set -g status 2 \; set -g status-style reverse \; \
        set -g 'status-format[0]' " $MENU" \; set -g 'status-format[1]' ' #{@said}' \; \
        set -s escape-time 25 \; set-hook -g client-attached 'set -g destroy-unattached on'
    for key in K T L; do
        demo_tmux bind -n "$key" run-shell -b "echo $key >$LAB_DIR/keys"
    done
    # It ends with this script, however that ends.
    setpriv --pdeathsig HUP env -u TMUX tmux -S "$LAB_DIR/tmux" attach <&"$terminal" &
    CLIENT=$!
}

# key_end SIGNAL TEXT
key_end()
{
    watch_owner "$VIP"
    [ -n "$WATCH_OWNER" ] && lab_is_alive "agent.$WATCH_OWNER" || return 0
    demo_say "$2 on $WATCH_OWNER, its agent is back in $((RESTART_MS / 1000)) s"
    demo_end_agent "$1"
    lab_now
    RESTART_AT[$WATCH_OWNER]=$((LAB_NOW + RESTART_MS))
}

key_link()
{
    if [ -n "$CUT" ]; then
        heal_link_down "$CUT"
        demo_say "the link of $CUT is up again"
        CUT=
        return
    fi
    watch_owner "$VIP"
    [ -n "$WATCH_OWNER" ] || return 0
    CUT=$WATCH_OWNER
    demo_say "the link of $CUT is cut; L heals it"
    watch_ask reset
    fault_link_down "$CUT"
}

restart_due()
{
    local node
    lab_now
    for node in "${!RESTART_AT[@]}"; do
        if [ "$LAB_NOW" -ge "${RESTART_AT[$node]}" ] && lab_is_ended "agent.$node"; then
            unset "RESTART_AT[$node]"
            lab_agent_start "$node"
        fi
    done
}

# Notes a change on the wire; a move once the client is served again.
note_change()
{
    watch_owner "$VIP"
    [ "$WATCH_OWNER" != "$OWNER" ] || return 0
    if [ -n "$WATCH_OWNER" ] && [ "$WATCH_OWNER" != "$HOLDER" ]; then
        watch_has_moved "$VIP" "$HOLDER" || return 0
        watch_ask summary
        demo_say "$HOLDER -> $WATCH_OWNER: a client went $(watch_vip "$VIP" outageMs) ms without an answer"
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
        restart_due
        note_change
        key=
        IFS= read -rn1 -t 0.1 -u "$KEYS" key || [ $? -gt 128 ] || break
        lab_end_if_told
        case $key in
        K) key_end KILL 'kill -9' ;;
        T) key_end TERM 'planned stop' ;;
        L) key_link ;;
        esac
    done
    demo_tmux kill-server 2>/dev/null || true
}

[ "$(id -u)" = 0 ] || exec sudo --preserve-env=TVLAB_AGENT,TVLAB_AGENT_ARGS,TVLAB_OBSERVER,NO_COLOR "$0"
if [ -t 0 ] && [ -t 1 ]; then
    demo_screen
else
    demo_script
fi
