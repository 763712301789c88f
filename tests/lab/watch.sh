# shellcheck shell=bash
# SPDX-License-Identifier: MIT
# The observer in the client's place, and what it sees. Sourced after lab.sh; descriptors 7 and 8
# are its commands and replies. All replies end up in WATCH_REPLY as one line of JSON.

: "${TVLAB_OBSERVER:=$LAB_ROOT/build/release/tests/lab/observer}"
WATCH_REPLY=

watch_start()
{
    [ -x "$TVLAB_OBSERVER" ] || lab_die "no observer at $TVLAB_OBSERVER (make builds it)"
    mkfifo "$LAB_DIR/watch.in" "$LAB_DIR/watch.out"
    : >"$LAB_DIR/events"
    # shellcheck disable=SC2016 # expanded in there
    lab_spawn observer nsenter -t "$(lab_pid client)" -n -m -u -- bash -c \
        'cd "$1" && shift && exec "$@" <watch.in >watch.out' observer "$LAB_DIR" \
        "$TVLAB_OBSERVER" -i eth0 -l "$LAB_DIR/events" "${LAB_VIPS[@]}"
    # Both ends are held until it has answered: opening one alone would wait for ever for an
    # observer that did not come so far.
    # shellcheck disable=SC2094 # pipes
    exec 5<>"$LAB_DIR/watch.in" 6<>"$LAB_DIR/watch.out" 7>"$LAB_DIR/watch.in" 8<"$LAB_DIR/watch.out"
    watch_ask state
    exec 5>&- 6>&-
}

# watch_ask reset|state|summary|pause|resume
watch_ask()
{
    printf '%s\n' "$1" >&7 2>/dev/null || true
    IFS= read -r -t 10 WATCH_REPLY <&8 && return
    lab_end_if_told
    lab_die "the observer is gone: $(cat "$LAB_DIR/observer.log")"
}

# watch_vip VIP FIELD: of the last reply.
watch_vip()
{
    jq -r --arg vip "$1" --arg field "$2" '.vips[] | select(.vip == $vip) | .[$field]' \
        <<<"$WATCH_REPLY"
}

# Of VIP $1 in the last reply, a state: sets WATCH_OWNER (the node that answers, or nothing),
# WATCH_STEADY and WATCH_WAITING (ms). Without a process, for it is asked often.
watch_read()
{
    local number='([0-9]+)' mac
    [[ $WATCH_REPLY =~ \"vip\":\"$1\",\"mac\":\"([^\"]*)\",\"steadyMs\":$number,\"waitingMs\":$number ]] ||
        lab_die "the observer knows no $1: $WATCH_REPLY"
    mac=${BASH_REMATCH[1]}
    WATCH_STEADY=${BASH_REMATCH[2]}
    WATCH_WAITING=${BASH_REMATCH[3]}
    WATCH_OWNER=${mac/#$LAB_MAC/cp-}
}

watch_owner()
{
    watch_ask state
    watch_read "$1"
}

# watch_is_steady MS: for that long each VIP has been answered, by one node, ARP/NDP and echo.
watch_is_steady()
{
    local vip
    watch_ask state
    for vip in "${LAB_VIPS[@]}"; do
        watch_read "$vip"
        [ -n "$WATCH_OWNER" ] && [ "$WATCH_STEADY" -ge "$1" ] && [ "$WATCH_WAITING" -lt 20 ] ||
            return 1
    done
}

# Nobody answers for VIP $1.
watch_is_silent()
{
    watch_owner "$1"
    [ -z "$WATCH_OWNER" ]
}

# watch_has_moved VIP NODE: somebody else than NODE answers, and echoes are answered again.
watch_has_moved()
{
    watch_owner "$1"
    [ -n "$WATCH_OWNER" ] && [ "$WATCH_OWNER" != "$2" ] && [ "$WATCH_STEADY" -ge 100 ] &&
        [ "$WATCH_WAITING" -lt 20 ]
}
