#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# The package and its unit under a real systemd, on a kernel of its own.
# shellcheck disable=SC2317 # check() calls them
# shellcheck disable=SC2086,SC2016 # no value has a space; expanded by eval
set -u
# shellcheck source=tests/packaging/guest/common.sh
. "$(dirname "$0")/common.sh"

DEB=$TRIAL/talosvip.deb
CONFIG=/etc/talosvip/talosvip.yaml
# Linux 6.6 has the hook that the packet fence needs.
has_fence=$([ "$(printf '%s\n' 6.6 "$(uname -r)" | sort -V | head -n 1)" != 6.6 ] || echo yes)
# In a container on a host that lacks it: limits and the OOM score cannot be raised.
has_resource=$(($(sed -n 's/^CapBnd:\t/0x/p' /proc/1/status) >> 24 & 1))

show() # PROPERTY
{
    systemctl show -p "$1" --value talosvip
}

main_pid()
{
    show MainPID
}

guardian_pid()
{
    pgrep -o -P "$(main_pid)"
}

# Whether the journal has event $1 of the agent with priority $2, since mark().
logged()
{
    journalctl -q -u talosvip --since "$MARK" -o json |
        jq -e -s --arg event "event=$1" --arg priority "$2" \
            'any(.[]; .PRIORITY == $priority and (.MESSAGE | tostring | contains($event)))' >/dev/null
}

mark()
{
    MARK=$(date '+%F %T.%6N')
}

fence_is_attached()
{
    bpftool net show dev vip0 | grep -q talosvip_in
}

is_started_anew() # OLD_PID
{
    [ "$(show ActiveState)" = active ] && [ "$(main_pid)" != "$1" ]
}

# Nothing of the agent is left on this host.
left_nothing()
{
    not has_address $VIP
    not fence_is_attached
    not pgrep -x talosvip -u talosvip
    test ! -e /run/talosvip
}

installs()
{
    dpkg -i "$DEB"
    getent passwd talosvip
    test "$(systemctl is-enabled talosvip)" = disabled
    not systemctl is-active talosvip
}

needs_a_config()
{
    systemctl start talosvip
    not systemctl is-active talosvip
    test "$(show ConditionResult)" = no
}

becomes_active()
{
    config $VIP >$CONFIG
    systemctl enable talosvip
    systemctl start talosvip
    test "$(show ActiveState)/$(show SubState)" = active/running
    await 20 has_address $VIP
    await 5 eval 'show StatusText | grep "10.88.0.50"'
    systemctl status talosvip | cat
    systemctl status talosvip | grep -q 'Status: .*10.88.0.50 held'
}

status_of() # FIELD
{
    awk -v field="$1:" '$1 == field {print $2}' "/proc/$(main_pid)/status"
}

has_only_its_rights()
{
    local pid caps
    pid=$(main_pid)
    grep -E '^(Uid|Cap|NoNew|Seccomp|Vm(Lck|RSS))' "/proc/$pid/status"
    test "$(stat -c %U "/proc/$pid")" = talosvip
    # NET_ADMIN 12, NET_RAW 13, SYS_NICE 23, BPF 39
    printf -v caps '%016x' $((1 << 12 | 1 << 13 | 1 << 23 | 1 << 39))
    test "$(status_of CapEff)" = "$caps"
    test "$(status_of CapBnd)" = "$caps"
    test "$(status_of NoNewPrivs)" = 1
    test "$(status_of Seccomp)" = 2
    if [ $has_resource = 1 ]; then
        test "$(cat "/proc/$pid/oom_score_adj")" = -900
        grep -E 'Max locked memory +unlimited' "/proc/$pid/limits"
    fi
    test "$(readlink "/proc/$pid/ns/mnt")" != "$(readlink /proc/1/ns/mnt)"
    nsenter -t "$pid" -m findmnt -no OPTIONS / | grep -qw ro
    nsenter -t "$pid" -m findmnt -no OPTIONS /proc/sys | grep -qw ro
    test "$(nsenter -t "$pid" -m stat -c %a /root)" = 0
    test "$(stat -c '%a %U %G' /run/talosvip)" = '750 talosvip talosvip'
}

runs_urgently()
{
    chrt -p "$(main_pid)" | grep SCHED_FIFO
    chrt -p "$(guardian_pid)" | grep SCHED_FIFO
    [ $has_resource = 0 ] || test "$(status_of VmLck)" -gt 0
}

is_not_hindered()
{
    not logged not_confined 4
    not logged not_urgent 6
    not logged not_urgent 4
    if [ "$has_fence" = yes ]; then
        fence_is_attached
        not logged no_packet_fence 4
    else
        not fence_is_attached
        logged no_packet_fence 4
    fi
    # And of nothing else does it complain.
    journalctl -q -u talosvip --since "$MARK" -p warning -o cat
    not eval 'journalctl -q -u talosvip --since "$MARK" -p warning -o cat | grep -v no_packet_fence'
}

tells_the_journal()
{
    logged start 6
    logged acquired 6
    not eval 'journalctl -q -u talosvip -o cat | grep -E "^<[0-9]>"'
}

group_may_ask()
{
    local as="setpriv --reuid nobody --regid nogroup"
    await 5 eval "$as --groups talosvip talosvip status --local | grep HELD"
    not eval "$as --clear-groups talosvip status --local | grep HELD"
}

reloads()
{
    local pid
    pid=$(main_pid)
    config $VIP 10.88.0.51 >$CONFIG
    systemctl reload talosvip
    await 20 has_address 10.88.0.51
    echo 'vips: nonsense' >$CONFIG
    systemctl reload talosvip
    await 20 logged reload_refused 3
    has_address 10.88.0.51
    config $VIP >$CONFIG
    systemctl reload talosvip
    await 20 not has_address 10.88.0.51
    has_address $VIP
    test "$(main_pid)" = "$pid"
}

survives_its_guardian()
{
    local pid old
    pid=$(main_pid)
    old=$(guardian_pid)
    kill -KILL "$old"
    await 20 eval "pgrep -P $pid | grep -vx $old"
    await 20 logged guardian_lost 3
    has_address $VIP
    test "$(main_pid)" = "$pid"
}

agent_killed_alone()
{
    local pid guardian
    pid=$(main_pid)
    guardian=$(guardian_pid)
    kill -KILL "$pid"
    await 30 is_started_anew "$pid"
    await 30 has_address $VIP
    test ! -e "/proc/$guardian"
    test "$(show NRestarts)" -ge 1
    # Its guardian took it off, and gave the lease back: nothing was left to clean up.
    not logged leftover 4
    not logged stale_session 6
}

# Waits long before it starts anew, so that one sees what ExecStopPost= did.
slow_restart()
{
    mkdir -p /run/systemd/system/talosvip.service.d
    printf '[Service]\nRestartSec=%s\n' "$1" >/run/systemd/system/talosvip.service.d/slow.conf
    systemctl daemon-reload
}

both_killed()
{
    local pid
    slow_restart 6s
    pid=$(main_pid)
    kill -STOP "$pid" "$(guardian_pid)"
    kill -KILL "$pid" "$(guardian_pid)"
    await 5 eval '[ "$(show SubState)" = auto-restart ]'
    not has_address $VIP
    not fence_is_attached
    await 30 is_started_anew "$pid"
    await 30 has_address $VIP
    slow_restart 1s
}

restarted_by_watchdog() # OLD_PID
{
    await 40 is_started_anew "$1"
    journalctl -q -u talosvip --since "$MARK" -o cat | grep 'Watchdog timeout'
    await 30 etcd_lists "$(uname -n)"
    has_address peer $VIP
    not has_address $VIP
}

hang_moves()
{
    local pid
    pid=$(main_pid)
    kill -STOP "$pid"
    # Its guardian, at the end of the lease, and long before the watchdog.
    await 8 has_address peer $VIP
    not has_address $VIP
    test "$(main_pid)" = "$pid"
    restarted_by_watchdog "$pid"
}

# The watchdog ends the agent, and not its guardian, which gives the lease back.
hang_under_long_lease()
{
    local pid
    pid=$(main_pid)
    slow_restart 15s
    kill -STOP "$pid"
    await 25 has_address peer $VIP
    test "$(show SubState)" != running
    slow_restart 1s
    restarted_by_watchdog "$pid"
    not logged leftover 4
    not logged stale_session 6
}

kill_moves()
{
    local pid
    pid=$(main_pid)
    kill -KILL "$pid"
    await 5 has_address peer $VIP
    await 30 is_started_anew "$pid"
    not has_address $VIP
    await 30 etcd_lists "$(uname -n)"
}

stop_moves()
{
    local began
    began=$(date +%s%N)
    systemctl stop talosvip
    echo "stopped after $((($(date +%s%N) - began) / 1000000)) ms"
    left_nothing
    test "$(show Result)" = success
    await 5 has_address peer $VIP
    logged released 6
}

upgrades()
{
    local pid
    pid=$(main_pid)
    dpkg -i "$DEB"
    is_started_anew "$pid"
    await 30 has_address $VIP
    pid=$(main_pid)
    dpkg -i "$TRIAL/newer.deb"
    is_started_anew "$pid"
    await 30 has_address $VIP
    systemctl stop talosvip
    dpkg -i "$DEB"
    not systemctl is-active talosvip
    systemctl start talosvip
}

# A user and its group stay, as Debian's policy advises.
removes()
{
    await 30 has_address $VIP
    dpkg -r talosvip
    left_nothing
    test ! -e /usr/sbin/talosvip
    test -e $CONFIG
    not systemctl is-active talosvip
    rm -r $CONFIG /run/systemd/system/talosvip.service.d
    dpkg -P talosvip
    test -z "$(find / -xdev -name '*talosvip*' -not -path "$TRIAL/*" -print | head)"
    not systemctl cat talosvip
}

echo "# Linux $(uname -r), $(systemctl --version | head -n 1), packet fence: ${has_fence:-no}"
check "a network, and etcd" network_up
mark
check "the package installs, and neither enables nor starts the unit" installs
check "without a configuration the unit is skipped" needs_a_config
check "Type=notify: active, with the address and a status text" becomes_active
check "user, capabilities, no_new_privs, seccomp, sandbox" has_only_its_rights
check "real-time priority and locked memory" runs_urgently
check "nothing of the sandbox stands in the agent's way" is_not_hindered
check "priorities in the journal" tells_the_journal
check "the group may ask the socket, others may not" group_may_ask
check "reload: a new VIP, a broken file, back" reloads
check "guardian killed: another, and the address stays" survives_its_guardian
mark
check "agent killed: restarted, and the guardian cleaned up" agent_killed_alone
mark
check "both killed: ExecStopPost takes the address off before the restart" both_killed
peer_start
mark
check "agent hangs: the address moves, then the watchdog restarts" hang_moves
peer_stop
await 30 has_address $VIP
TTL=60s config $VIP >$CONFIG
systemctl restart talosvip
await 30 has_address $VIP
peer_start
mark
check "agent hangs under a long lease: the watchdog moves the address" hang_under_long_lease
config $VIP >$CONFIG
systemctl restart talosvip
peer_stop
await 30 has_address $VIP
peer_start
mark
check "agent killed: the address moves" kill_moves
peer_stop
await 30 has_address $VIP
peer_start
mark
check "stop: the address moves, nothing is left" stop_moves
peer_stop
systemctl start talosvip
await 30 has_address $VIP
check "upgrade restarts what runs, and only that" upgrades
check "remove stops and disables; purge leaves no file" removes
if [ $FAILED != 0 ]; then
    journalctl -q -u talosvip -o short-monotonic | tail -n 200
fi
exit $FAILED
