#!/usr/bin/env bats
# SPDX-License-Identifier: MIT
# The dashboard in a real terminal (tmux): keys arrive, sizes change, and whatever ends it, the
# terminal is as it was.

setup_file() {
    export TOP="$PWD/build/talosvip" DATA="$PWD/tests/ui/data"
    command -v tmux >/dev/null || { echo "SKIP: no tmux"; exit 1; }
}

setup() {
    WORK=$(mktemp -d)
    SOCKET=$WORK/tmux
    unset TMUX SSH_CONNECTION NO_COLOR TALOSVIP_NO_COLOR TALOSVIP_ENDPOINTS ETCDCTL_ENDPOINTS
    cat "$DATA/ok.jsonl" "$DATA/dup.jsonl" "$DATA/stale.jsonl" >"$WORK/three.jsonl"
    tm -f /dev/null new-session -d -x 80 -y 24 -c "$WORK" \
        "exec env LC_ALL=C.UTF-8 XDG_STATE_HOME=$WORK/state PS1='ready> ' bash --norc --noprofile -i"
    tm set -s set-clipboard on
    tm set -g remain-on-exit off
    await 'ready>'
    SHELL_PID=$(tm display -p '#{pane_pid}')
}

teardown() {
    tm kill-server 2>/dev/null || true
    rm -rf "$WORK"
}

tm() { tmux -S "$SOCKET" "$@"; }
screen() { tm capture-pane -p "$@"; }

# await PATTERN [SECONDS]: the screen shows it.
await() {
    local end=$((SECONDS + ${2:-5}))
    until screen | grep -q -- "$1"; do
        if [ $SECONDS -ge $end ]; then
            echo "no \"$1\" on the screen:"
            screen
            return 1
        fi
        sleep 0.02
    done
}

await_not() {
    local end=$((SECONDS + 5))
    while screen | grep -q -- "$1"; do
        [ $SECONDS -lt $end ] || { echo "\"$1\" stays:"; screen; return 1; }
        sleep 0.02
    done
}

# await_true COMMAND...: within two seconds.
await_true() {
    local end=$((SECONDS + 3))
    until "$@"; do
        [ $SECONDS -lt $end ] || { echo "not in time: $*"; return 1; }
        sleep 0.02
    done
}

type_line() { tm send-keys -l "$1"; tm send-keys Enter; }
key() { tm send-keys "$@"; }

# start ARGUMENTS: what runs before and after it is written down, to compare.
start() {
    type_line "clear; stty -g >before; $TOP top $1; echo \"rc=\$?\"; stty -g >after"
    await 'VIPs'
    TOP_PID=$(pgrep -P "$SHELL_PID" -x talosvip)
}

is_flag() { [ "$(tm display -p "#{$1}")" = "$2" ]; }

# The terminal is as it was before: settings, screen, cursor, mouse.
check_restored() { # RC
    await "^rc=$1"
    await_true test -s "$WORK/after"
    diff "$WORK/before" "$WORK/after"
    is_flag alternate_on 0
    is_flag cursor_flag 1
    is_flag mouse_any_flag 0
    is_flag keypad_flag 0
}

@test "q restores the terminal" {
    start "--replay $DATA/ok.jsonl"
    key q
    check_restored 0
}

@test "Ctrl-C restores the terminal and ends with 130" {
    start "-e http://127.0.0.1:1"
    key C-c
    check_restored 130
}

@test "SIGTERM restores the terminal and ends with 143" {
    start "-e http://127.0.0.1:1"
    kill -TERM "$TOP_PID"
    check_restored 143
}

@test "a crash restores the terminal" {
    for signal in SEGV ABRT QUIT; do
        start "--mouse --replay $DATA/ok.jsonl"
        await_true is_flag mouse_any_flag 1
        kill -$signal "$TOP_PID"
        await "^rc=1[0-9][0-9]"
        check_restored "1[0-9][0-9]"
        rm "$WORK/after"
    done
}

# Ended; whether somebody has asked for its exit status yet is not its business.
is_gone() { ! grep -qs '^State:[[:space:]][^ZX]' "/proc/$TOP_PID/status"; }

# end_by COMMAND...: how long it takes to be gone after that, in ms: into TIMES. A busy machine may
# need a little more than is promised, but not every time.
end_by() {
    local from=${EPOCHREALTIME/[.,]/}
    "$@"
    until is_gone; do
        [ $((${EPOCHREALTIME/[.,]/} - from)) -lt 250000 ] || { echo "not gone: $*"; return 1; }
        read -rt 0.002 <> <(:) || true
    done
    TIMES+=($(((${EPOCHREALTIME/[.,]/} - from) / 1000)))
}

# The median of TIMES.
check_prompt() { # MS
    local sorted
    mapfile -t sorted < <(printf '%s\n' "${TIMES[@]}" | sort -n)
    echo "gone after ${sorted[*]} ms"
    [ "${sorted[${#sorted[@]} / 2]}" -le "$1" ]
}

@test "SIGHUP ends it with 129 within 100 ms, and restores the terminal" {
    TIMES=()
    for _ in 1 2 3 4 5; do
        start "--mouse -e http://127.0.0.1:1"
        await_true is_flag mouse_any_flag 1
        end_by kill -HUP "$TOP_PID"
        check_restored 129
        rm "$WORK/after"
    done
    check_prompt 100
}

# The pane of another server, with nothing but the dashboard: its end is the terminal's end.
close_terminal() { kill -KILL "$SERVER"; }

@test "a closed terminal ends it within 100 ms" {
    TIMES=()
    for _ in 1 2 3 4 5; do
        tmux -S "$WORK/other" -f /dev/null new-session -d -x 80 -y 24 \
            "exec env XDG_STATE_HOME=$WORK/state $TOP top -e http://127.0.0.1:1"
        SERVER=$(tmux -S "$WORK/other" display -p '#{pid}')
        SOCKET=$WORK/other await VIPs
        TOP_PID=$(tmux -S "$WORK/other" display -p '#{pane_pid}')
        end_by close_terminal
        rm -f "$WORK/other"
    done
    check_prompt 100
}

@test "a closed terminal ends it even when SIGHUP is ignored" {
    type_line "trap '' HUP; $TOP top --replay $DATA/ok.jsonl"
    await VIPs
    TOP_PID=$(pgrep -P "$SHELL_PID" -x talosvip)
    tm kill-server
    await_true is_gone
}

@test "Ctrl-Z suspends, fg resumes" {
    start "--replay $DATA/ok.jsonl"
    key C-z
    await 'Stopped'
    is_flag alternate_on 0
    type_line 'clear; fg'
    await 'VIPs 2'
    is_flag alternate_on 1
    key j q
    await 'ready>'
    type_line 'echo "rc=$?"; stty -g >after' # the shell forgot the rest of its line
    check_restored 0
}

@test "stopped by somebody else, it comes back whole" {
    start "--replay $DATA/ok.jsonl"
    kill -STOP "$TOP_PID"
    await 'Stopped'
    type_line 'clear; fg'
    await 'VIPs 2'
    key j
    await '► fd00'
    key q
    await 'ready>'
    type_line 'echo "rc=$?"; stty -g >after'
    check_restored 0
}

@test "resizing while it runs: wide, compact, one line, and back" {
    start "--replay $DATA/ok.jsonl"
    tm resize-window -x 160 -y 50
    await 'Renewal latency'
    tm resize-window -x 60 -y 8
    await 'last: 13:50:12'
    tm resize-window -x 20 -y 1
    await '^10.0.0.50 HELD'
    tm resize-window -x 80 -y 24
    await 'LAT 60s'
    key q
    await 'rc=0'
}

@test "a wide screen says from where all of it is seen" {
    tm resize-window -x 160 -y 50
    start "-e http://127.0.0.1:1"
    await "   observer: $(uname -n)"
    key q
    await 'rc=0'
}

@test "moving, panels, zoom" {
    start "--replay $DATA/ok.jsonl"
    key Down
    await '► fd00:10::50'
    await 'fd00:10::50 IS AT'
    key k
    await '► 10.0.0.50'
    key End
    await '► fd00:10::50'
    key Home
    await '► 10.0.0.50'
    key Tab
    await '► cp-1'
    key G
    await '► cp-3'
    key BTab
    await_not '► cp-'
    key 3
    await '► today 13:50:12'
    key z
    await_not 'Nodes 3'
    key Escape
    await 'Nodes 3'
    key 6
    await 'MEMBER'
    key q
    await_not 'MEMBER'
    key e
    await 'Events'
    key 1
    key NPage PPage C-f C-b C-d C-u g
    await '► 10.0.0.50'
}

@test "search, filter, sort" {
    start "--replay $DATA/ok.jsonl"
    key 2
    type_line '/cp-3'
    await '/cp-3 1/1'
    await '► cp-3'
    key n N Escape
    await_not '/cp-3'
    key f
    tm send-keys -l '!cp-1'
    await 'filter !cp-1'
    await_not '  cp-1    HOLDER'
    key Escape
    await 'filter none'
    key '>'
    await 'sort ROLE ▲'
    key S
    await 'sort ROLE ▼'
    key s
    await 'Sort by'
    key k Enter
    await 'sort NODE ▼'
    key I Left Right
    await 'sort NODE ▲'
}

@test "details, help, the dialog, and back" {
    start "--replay $DATA/ok.jsonl"
    key Enter
    await 'talosvip history --vip 10.0.0.50'
    key Escape
    await_not 'talosvip history'
    key '?'
    await 'next, previous panel'
    key G
    await 'leases do not use it'
    key q
    await_not 'leases do not'
    key F1
    await 'next, previous panel'
    key F1
    await_not 'next, previous panel'
    key 2 Enter
    await 'talosctl -n 10.0.0.11'
    key q 3 Enter
    await 'resign by alice: "kernel update"'
    key q 4 Enter
    await 'talosvip explain TVA07'
    key q
    await_not 'talosvip explain'
}

@test "resign asks first, and No is the default" {
    start "-e http://127.0.0.1:1"
    key r
    await 'there is no VIP'
    key q
    await 'rc=0'
}

@test "pause, interval, mouse, ASCII, colour, repaint" {
    start "-e http://127.0.0.1:1"
    key p
    await 'PAUSED'
    key Z
    await_not 'PAUSED'
    key + - C-l C
    is_flag mouse_any_flag 0
    key m
    await 'mouse on'
    await_true is_flag mouse_any_flag 1
    key m
    await 'mouse off'
    await_true is_flag mouse_any_flag 0
    key A
    await '^- VIPs'
    key A
    await '^─ VIPs'
    key q
    check_restored 0
}

@test "copy and write" {
    start "--replay $DATA/ok.jsonl"
    key c
    await 'copied: vip=10.0.0.50'
    await_true tm show-buffer
    tm show-buffer | grep -q '^vip=10.0.0.50 state=held holder=cp-1'
    key w
    await 'wrote ./talosvip-2026-08-21T14:02:33.json'
    "$TOP" top --replay "$DATA/ok.jsonl" -o json |
        cmp - "$WORK/talosvip-2026-08-21T14:02:33.json"
    key w
    await 'File exists'
}

@test "replay: step, back, rewind, time, speed, pause" {
    start "--replay three.jsonl --speed 60"
    await 'REPLAY 3/3'
    key p
    await 'x60 paused'
    key r
    await 'REPLAY 1/3'
    key t
    await 'REPLAY 2/3 x60 paused'
    await '1 DUPLICATE'
    key T
    await 'REPLAY 1/3'
    key '['
    await 'x30'
    key ']'
    await 'x60'
    type_line 'b14:07:10'
    await 'REPLAY 2/3'
    type_line 'bsoon'
    await 'is no time'
    key p
    await 'REPLAY 3/3'
    await 'LAST KNOWN'
}

@test "replay shows what the live screen showed" {
    start "-e http://127.0.0.1:1 --record rec.jsonl"
    await 'refused'
    await 'TVA10'
    key q
    await 'rc=0'
    [ "$(wc -l <"$WORK/rec.jsonl")" -ge 1 ]
    type_line "clear; $TOP top --replay rec.jsonl -b | grep -c UNREACHABLE"
    await '^[1-9]'
}

@test "keys come from the terminal when stdin is a pipe" {
    type_line "cat $DATA/ok.jsonl | $TOP top --replay -; echo rc=\$?"
    await 'VIPs 2'
    key j
    await '► fd00'
    key q
    await 'rc=0'
}

@test "what stderr gets meanwhile is printed afterwards" {
    start "--replay $DATA/ok.jsonl"
    tty=$(tm display -p '#{pane_tty}')
    [ "$(readlink "/proc/$TOP_PID/fd/2")" != "$tty" ]
    echo 'a late message' >"/proc/$TOP_PID/fd/2"
    key j
    await '► fd00'
    ! screen | grep -q 'a late message'
    key q
    await 'a late message'
}

@test "an unknown terminal is named, with a way out" {
    type_line "TERM=nonsense $TOP top --replay $DATA/ok.jsonl; echo rc=\$?"
    await 'does not know the terminal "nonsense"'
    await 'top --once'
    await 'rc=4'
    type_line "clear; TERM=dumb $TOP top --replay $DATA/ok.jsonl; echo rc=\$?"
    await 'does not know the terminal "dumb"'
    type_line "clear; env -u TERM $TOP top --replay $DATA/ok.jsonl; echo rc=\$?"
    await 'TERM is not set'
}

@test "NO_COLOR and vt100 get no colour, the rest does" {
    start "--replay $DATA/dup.jsonl"
    screen -e | grep -q $'\e\\[.*38;5;160\|\e\\[.*31m'
    key q
    await 'rc=0'
    for variable in NO_COLOR=1 TERM=vt100; do
        type_line "clear; $variable $TOP top --replay $DATA/dup.jsonl"
        await 'DUPLICATE'
        ! screen -e | grep -q $'\e\\[[0-9;]*3[0-9]m\|38;5'
        key q
        await 'ready>' # vt100 has no other screen to go back to
    done
}

@test "with eight colours a warning is black on yellow: light terminals show it, too" {
    start "--replay $DATA/dup.jsonl"
    key q
    await 'rc=0'
    type_line "clear; TERM=screen $TOP top --replay $DATA/dup.jsonl"
    await 'DUPLICATE'
    screen -e | grep -q $'\e\\[[0-9;]*30;*[0-9;]*43m.*WARN\|\e\\[30m\e\\[43m.*WARN'
}

@test "the Linux console and the C locale get glyphs they can show" {
    type_line "TERM=linux $TOP top --replay $DATA/ok.jsonl"
    await '■ HELD'
    key q
    await 'ready>'
    type_line "clear; LC_ALL=C $TOP top --replay $DATA/ok.jsonl"
    await '\* HELD'
    ! screen | grep -q '[^ -~]'
}

@test "what was chosen is there the next time" {
    start "--replay $DATA/ok.jsonl"
    key 2 '>'
    await 'sort ROLE'
    key q
    await 'rc=0'
    start "--replay $DATA/ok.jsonl"
    await 'sort ROLE'
    await '► cp-1'
}

@test "it costs next to nothing while nobody looks" {
    start "-e http://127.0.0.1:1"
    ticks() { awk '{print $14 + $15}' "/proc/$TOP_PID/stat"; }
    tm pipe-pane -o "cat >$WORK/bytes"
    before=$(ticks)
    sleep 3 # what is measured is time itself
    [ $(($(ticks) - before)) -le 15 ] # 5 %: the machine may be busy
    [ "$(stat -c %s "$WORK/bytes")" -le 6000 ]
}
