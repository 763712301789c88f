#!/bin/bash
# SPDX-License-Identifier: MIT
# The demo as a person sees it: its keys in a terminal (tmux), and what the dashboard shows then, in
# that order. The owner dies, the gap, the new owner, the line of the history with the cause, the
# alert that is raised and cleared; then an address set twice. About half a minute.
#
#   demo.sh [COLUMNSxROWS]
set -euo pipefail
cd "$(dirname "$0")/../.."
# shellcheck source=../lab/tell.sh
. tests/lab/tell.sh

SIZE=${1:-100x34}
VIP='10\.77\.0\.50'
DIR=$(mktemp -d)
SCREEN=

tm()
{
    env -u TMUX tmux -S "$DIR/tmux" -f /dev/null "$@"
}

# However it ends, the demo ends first, and its lab with it.
finish()
{
    local pid
    pid=$(tm display -p '#{pane_pid}' 2>/dev/null) || true
    tm kill-server 2>/dev/null || true
    [ -z "$pid" ] || tail -s 0.1 --pid "$pid" -f /dev/null
    rm -rf "$DIR"
}

fail()
{
    printf 'FAIL demo: %s\n%s\n' "$1" "$SCREEN"
    exit 1
}

now_ms()
{
    printf '%s' $((${EPOCHREALTIME/[.,]/} / 1000))
}

shows()
{
    grep -qE -- "$1" <<<"$SCREEN"
}

# see MS WHAT PATTERN...: a screen that has all of them, and none of those that begin with "!".
see()
{
    local until what=$2 pattern ok
    until=$(($(now_ms) + $1))
    shift 2
    while :; do
        SCREEN=$(tm capture-pane -p)
        ok=1
        for pattern in "$@"; do
            case $pattern in
            !*) ! shows "${pattern#!}" || ok= ;;
            *) shows "$pattern" || ok= ;;
            esac
        done
        [ -z "$ok" ] || break
        [ "$(now_ms)" -lt "$until" ] || fail "$what is not seen"
        read -rt 0.03 <> <(:) || true
    done
    printf 'ok   demo: %s\n' "$what"
}

holder()
{
    sed -nE "s/^. $VIP +● HELD +(cp-[123]) .*/\1/p" <<<"$SCREEN" | head -n 1
}

[ "$(id -u)" = 0 ] || exec sudo --preserve-env=TVLAB_AGENT,TVLAB_AGENT_ARGS,TVLAB_OBSERVER "$0" "$@"
trap finish EXIT
trap 'echo "demo.sh: ended by SIGINT" >&2; exit 130' INT
trap 'echo "demo.sh: ended by SIGTERM or SIGHUP" >&2; exit 143' TERM HUP
tm new-session -d -x "${SIZE%x*}" -y "${SIZE#*x}" \
    env LC_ALL=C.UTF-8 bash -c "tests/lab/demo.sh; echo \"rc=\$?\"; exec sleep 30"
see 40000 'three nodes and an owner' 'all held' 'next 2' "first election"
owner=$(holder)

tm send-keys D
see 8000 'the new owner' "^. $VIP +● HELD" "! HELD +$owner "
new=$(holder)
see 5000 'the move and its cause' "today [0-9:]+ $VIP +$owner → $new +silent"

tm send-keys X
see 5000 'a second owner' "^. $VIP +✗ DUP" '^✗ CRIT .* 2 MACs.*TVA02$'
see 15000 'one again' "^. $VIP +● HELD +$new" '^● TVA02 ' '!✗ CRIT'
see 15000 'the dead node is back' '!LOST' 'next 2'

# The gap above may be too short for a frame; this one is not.
tm send-keys E
see 15000 'the gap, and the alert' "^. $VIP +(▲ MOVING|✗ SILENT|○ FREE)" '^✗ CRIT .*TVA0[135]$'
see 20000 'an owner again' "^. $VIP +● HELD +cp-" 'next 2'
see 10000 'the alert is cleared' 'Recently cleared' '^● TVA0[135] ' '!✗ CRIT'

# A move less than a minute ago: the dialog wants the address typed.
owner=$(holder)
tm send-keys r
see 2000 'r asks first' 'Resign 10\.77\.0\.50\?' 'Type 10\.77\.0\.50 to go on'
tm send-keys -l 10.77.0.50
tm send-keys Enter
see 5000 'how it goes' 'asked [0-9.]+s · released [0-9.]+s · cp-[123] announced [0-9.]+s · 2/2 see it'
see 5000 'a planned move' "^. $VIP +● HELD" "! HELD +$owner " "$owner → cp-[123] +resign"

tm send-keys q
see 10000 'the end, as it should be' '^rc=0'
