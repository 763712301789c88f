# shellcheck shell=bash
# SPDX-License-Identifier: MIT
# The lab's processes and waits. Sourced by lab.sh.
#
# A process NAME has, in $LAB_DIR, NAME.pid, NAME.log, and once it has ended NAME.exit with its
# exit status (128 + signal). Processes are ended by pid, and only those the lab started.

# shellcheck source=tell.sh
. "$LAB_ROOT/tests/lab/tell.sh"

lab_die()
{
    printf '%s: %s\n' "${0##*/}" "$*" >&2
    [ "$BASH_SUBSHELL" != 0 ] || tell_more
    exit 1
}

# What ends a script ends its lab (lab_trap), so what the lab wrote is saved first.
tell_more()
{
    local dir=$LAB_ROOT/build/e2e/ended-$LAB_RUN
    [ -d "$LAB_DIR" ] && [ -n "$(trap -p EXIT)" ] || return 0
    rm -rf "$dir"
    mkdir -p "$dir"
    cp "$LAB_DIR"/*.log "$LAB_DIR"/*.exit "$dir" 2>/dev/null || true
    printf '    see %s\n' "$dir" >&2
}

# Sets LAB_NOW, in milliseconds.
lab_now()
{
    LAB_NOW=$((${EPOCHREALTIME/[.,]/} / 1000))
}

# Ctrl-C and the like end the script at its next wait. The trap only takes a note, for bash 5.2
# crashes when a trap exits out of `read -t`.
LAB_ENDED= # status and signal
LAB_IN_DOWN= # while the lab is taken down, which a second Ctrl-C does not stop
lab_trap()
{
    trap lab_down EXIT
    trap 'LAB_ENDED="130 SIGINT"' INT
    trap 'LAB_ENDED="143 SIGTERM"' TERM
    trap 'LAB_ENDED="129 SIGHUP"' HUP
    trap : PIPE # what is written to fails, and that is told of
}

lab_end_if_told()
{
    [ -n "$LAB_ENDED" ] && [ -z "$LAB_IN_DOWN" ] || return 0
    printf '%s: ended by %s\n' "${0##*/}" "${LAB_ENDED#* }" >&2 || true
    exit "${LAB_ENDED% *}"
}

# Between two looks. No process is started, so that waiting costs what is watched nothing.
exec 9<> <(:)
lab_pause()
{
    read -r -t "$1" -u 9 || true
    lab_end_if_told
}

# lab_wait MS CMD...: until CMD succeeds, at most MS milliseconds. 1 when it never did.
# LAB_PAUSE: seconds between two tries.
LAB_PAUSE=0.02
lab_wait()
{
    local until
    lab_now
    until=$((LAB_NOW + $1))
    shift
    while ! "$@"; do
        lab_now
        [ $LAB_NOW -lt $until ] || return 1
        lab_pause "$LAB_PAUSE"
    done
}

lab_pid()
{
    printf '%s' "$(<"$LAB_DIR/$1.pid")"
}

lab_is_alive()
{
    [ -e "$LAB_DIR/$1.pid" ] && [ ! -e "$LAB_DIR/$1.exit" ]
}

lab_is_ended()
{
    ! lab_is_alive "$1"
}

# The keeper of one process: in a session of its own, so that Ctrl-C reaches the lab alone; it
# learns the exit status, and it is who says "Killed", into the log.
# shellcheck disable=SC2016 # expanded in there
LAB_KEEPER='
base=$1
shift
"$@" &
echo $! >"$base.pid.new" && mv "$base.pid.new" "$base.pid"
wait $!
echo $? >"$base.exit"'

# lab_spawn NAME CMD...
lab_spawn()
{
    local base=$LAB_DIR/$1
    shift
    rm -f "$base.pid" "$base.exit"
    setsid bash -c "$LAB_KEEPER" keeper "$base" "$@" \
        </dev/null >>"$base.log" 2>&1 7>&- 8>&- 9>&- &
    disown
    lab_wait 5000 test -e "$base.pid" || lab_die "cannot start $*"
}

# Takes the lab down when this script ends in a way that no trap sees.
lab_reaper_start()
{
    setsid bash "$LAB_ROOT/tests/lab/lab.sh" -r "$LAB_RUN" reap $$ \
        </dev/null >/dev/null 2>&1 7>&- 8>&- 9>&- &
    LAB_REAPER=$!
    disown
}

lab_reaper_stop()
{
    [ -z "${LAB_REAPER-}" ] || kill -KILL -- "-$LAB_REAPER" 2>/dev/null || true
    LAB_REAPER=
}

# lab_kill SIGNAL NAME: 0 also when it has ended by itself.
lab_kill()
{
    ! lab_is_alive "$2" || kill "-$1" "$(lab_pid "$2")" 2>/dev/null || true
}

# lab_stop NAME: SIGKILL, and wait.
lab_stop()
{
    lab_kill KILL "$1"
    lab_wait 5000 lab_is_ended "$1"
}

# The guardian is the agent's oldest child.
lab_guardian_pid()
{
    pgrep -o -P "$(lab_pid "agent.$1")"
}

# lab_agent_pids NODE: agent and guardian.
lab_agent_pids()
{
    lab_pid "agent.$1"
    printf '\n'
    lab_guardian_pid "$1" || true
}

declare -A LAB_NS=() # of each place of the lab of this shell, for the case that the folder is lost
# Every process that runs in the network namespace of place $1, its keeper included.
lab_pids_in()
{
    local ns=${LAB_NS[$1]-}
    [ -n "$ns" ] || ns=$(cat "$LAB_DIR/$1.ns" 2>/dev/null) || return 0
    ns=${ns//[/\\[}
    find /proc -mindepth 3 -maxdepth 3 -path '/proc/[0-9]*/ns/net' -lname "${ns//]/\\]}" \
        -printf '%h\n' 2>/dev/null | awk -F / '{print $3}'
}

lab_is_empty()
{
    [ -z "$(lab_pids_in "$1")" ]
}

lab_agent_is_gone()
{
    local pid
    lab_is_ended "agent.$1" || return 1
    for pid in $(lab_pids_in "$1"); do
        [ "$(cat "/proc/$pid/comm" 2>/dev/null)" != "$(basename "$TVLAB_AGENT" | cut -c 1-15)" ] ||
            return 1
    done
}

lab_agent_stop()
{
    lab_kill TERM "agent.$1"
    lab_wait 10000 lab_is_ended "agent.$1"
}

lab_all_ended()
{
    local pid
    for pid in "$LAB_DIR"/*.pid; do
        [ ! -e "$pid" ] || [ -e "${pid%.pid}.exit" ] || return 1
    done
}

# Ends all, removes all. May be called at any stage, and twice, and by another shell.
lab_down()
{
    local place pid
    [ -d "$LAB_DIR" ] || [ ${#LAB_NS[@]} -gt 0 ] || return 0
    LAB_IN_DOWN=1
    lab_reaper_stop
    for place in client "${LAB_NODES[@]}" sw; do
        for pid in $(lab_pids_in "$place"); do
            kill -KILL "$pid" 2>/dev/null || true
        done
    done
    lab_wait 5000 lab_all_ended || true # a keeper writes its last file
    rm -rf "$LAB_DIR"
    LAB_NS=()
    LAB_IN_DOWN=
}

# The folders of labs whose reaper was killed too.
lab_sweep()
{
    local dir pid here
    here=$(readlink /proc/self/ns/pid)
    while IFS= read -r dir; do
        # Whether the processes of a lab of another container live cannot be seen from here.
        [ "$(cat "$dir/pidns" 2>/dev/null)" = "$here" ] || continue
        while IFS= read -r pid; do
            ! kill -0 "$pid" 2>/dev/null || continue 2
        done < <(cat "$dir"/*.pid 2>/dev/null)
        rm -rf "$dir"
    done < <(find /tmp -maxdepth 1 -name 'tvlab-*' -mmin +1)
}
