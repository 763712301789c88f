#!/bin/bash
# SPDX-License-Identifier: MIT
# Three agents share one address through a real etcd of three members, in network namespaces.
#
# On a terminal: a live screen, and keys that break things. Elsewhere: one planned and one unplanned
# move, with the outage that a client measured (a request every 2 ms); 0 if both went well.
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
OWNER=                   # who answers, as the screen says
HOLDER=                  # who answered last
CAUSE='by itself'        # of the next move
MOVES=()                 # the last ones, newest first
MESSAGE=

screen_open()
{
    STTY=$(stty -g)
    stty -echo -icanon
    printf '\e[?1049h\e[?25l'
    trap 'screen_close; lab_down' EXIT
    trap 'LAB_ENDED=0' INT # as good as q
}

screen_close()
{
    printf '\e[?25h\e[?1049l'
    stty "$STTY"
}

# put SGR TEXT: one line, cut to the width.
put()
{
    [ $ROW -lt "$HEIGHT" ] || return 0
    ROW=$((ROW + 1))
    [ $ROW = 1 ] || printf '\n'
    if [ -n "$1" ] && [ -z "${NO_COLOR-}" ]; then
        printf '\e[%sm%s\e[0m\e[K' "$1" "${2:0:WIDTH}"
    else
        printf '%s\e[K' "${2:0:WIDTH}"
    fi
}

# node STATE QUEUE-PLACE LEASE LEFT-MS TTL-MS, by the agent's own word; empty when it says nothing.
node_status()
{
    lab_in "$1" timeout 1 "$TVLAB_AGENT" status --local -o json 2>/dev/null |
        jq -r --arg vip "$VIP" --arg node "$1" '
            . as $agent | .vips[] | select(.vip == $vip) | [
                .state // "?",
                ((.queue // []) | index($node) | if . == null then "-" else . + 1 end),
                $agent.lease.id // "-", $agent.lease.remainingMs // 0, $agent.lease.ttlMs // 0,
                (if $agent.fence.packet then "kernel" else "no" end)
            ] | @tsv' 2>/dev/null || true
}

put_node()
{
    local state place lease left ttl fence colour='' agent=running link='up'
    IFS=$'\t' read -r state place lease left ttl fence <<<"$(node_status "$1")" || true
    lab_is_alive "agent.$1" || agent=ended
    [ "$CUT" != "$1" ] || link='cut'
    if [ "$agent" = ended ]; then
        colour=31 state=-
    elif [ "$state" = held ]; then
        colour='1;32'
    elif [ "$link" = cut ]; then
        colour=31
    fi
    put "$colour" "$(printf '  %-5s %-8s %-10s %5s  %-4s  %-10s %-6s  %s' "$1" "$agent" "${state:-?}" \
        "${place:--}" "$link" "$(lab_addresses "$1" | head -n 1)" "${fence:--}" "${lease:--}")"
    [ "$state" != held ] || LEASE_LINE="lease ${lease:-?}, ${left:-0} of ${ttl:-0} ms left"
}

draw()
{
    local node move size
    size=$(stty size)
    HEIGHT=${size% *} WIDTH=${size#* } ROW=0 LEASE_LINE='lease: nobody holds one'
    printf '\e[H'
    put 1 "talosvip demo: three nodes, one etcd, one address"
    if [ "$WIDTH" -ge 73 ]; then
        put 1 "  k kill -9 the owner's agent   t stop it   l cut or heal a link   q quit"
    else
        put 1 '  k kill -9  t stop  l link  q quit'
    fi
    put '' ''
    put '1;36' "  $VIP is answered by ${OWNER:-nobody}"
    put '' ''
    put 4 "  NODE  AGENT    STATE      QUEUE  LINK  ADDRESS    FENCE   LEASE"
    for node in "${LAB_NODES[@]}"; do
        put_node "$node"
    done
    put '' "  $LEASE_LINE"
    put '' ''
    put 4 "  LAST MOVES                            OUTAGE SEEN BY A CLIENT"
    for move in "${MOVES[@]}"; do
        put '' "  $move"
    done
    put '' ''
    put 33 "  $MESSAGE"
    printf '\e[J'
}

# key_end SIGNAL TEXT
key_end()
{
    watch_owner "$VIP"
    [ -n "$WATCH_OWNER" ] && lab_is_alive "agent.$WATCH_OWNER" || return 0
    CAUSE=$2
    MESSAGE="$2 on $WATCH_OWNER; its agent comes back in $((RESTART_MS / 1000)) s"
    demo_end_agent "$1"
    lab_now
    RESTART_AT[$WATCH_OWNER]=$((LAB_NOW + RESTART_MS))
}

key_link()
{
    if [ -n "$CUT" ]; then
        heal_link_down "$CUT"
        MESSAGE="the link of $CUT is up again"
        CUT=
        return
    fi
    watch_owner "$VIP"
    [ -n "$WATCH_OWNER" ] || return 0
    CUT=$WATCH_OWNER CAUSE='link cut'
    MESSAGE="the link of $CUT is cut; l heals it"
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
            MESSAGE="the agent of $node is back, at the tail of the queue"
        fi
    done
}

# Notes a change on the wire; a move once the client is served again.
note_change()
{
    watch_owner "$VIP"
    [ "$WATCH_OWNER" != "$OWNER" ] || return 1
    if [ -n "$WATCH_OWNER" ] && [ "$WATCH_OWNER" != "$HOLDER" ]; then
        watch_has_moved "$VIP" "$HOLDER" || return 1
        watch_ask summary
        MOVES=("$(printf '%(%T)T  %s -> %s  %-14s %10s ms' -1 "$HOLDER" "$WATCH_OWNER" "$CAUSE" \
            "$(watch_vip "$VIP" outageMs)")" "${MOVES[@]:0:5}")
        HOLDER=$WATCH_OWNER CAUSE='by itself'
        watch_ask reset
    fi
    OWNER=$WATCH_OWNER
}

demo_screen()
{
    local key drawn=0
    demo_up
    watch_owner "$VIP"
    OWNER=$WATCH_OWNER HOLDER=$WATCH_OWNER
    watch_ask reset
    screen_open
    while :; do
        restart_due
        lab_now
        if note_change || [ $((LAB_NOW - drawn)) -ge 1000 ]; then
            draw
            drawn=$LAB_NOW
        fi
        key=
        IFS= read -rsn1 -t 0.1 key || [ $? -gt 128 ] || break
        lab_end_if_told
        case $key in
        k) key_end KILL 'kill -9' ;;
        t) key_end TERM 'planned stop' ;;
        l) key_link ;;
        q) break ;;
        *) continue ;;
        esac
        draw
    done
}

[ "$(id -u)" = 0 ] || exec sudo --preserve-env=TVLAB_AGENT,TVLAB_AGENT_ARGS,TVLAB_OBSERVER,NO_COLOR "$0"
if [ -t 0 ] && [ -t 1 ]; then
    demo_screen
else
    demo_script
fi
