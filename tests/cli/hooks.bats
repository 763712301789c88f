#!/usr/bin/env bats
# SPDX-License-Identifier: MIT
# Hooks: what they are told, in which order, and that the election never waits for one.

load run_helper
load agent_helper

setup()
{
    [ -x "$TALOSVIP" ] || skip "no $TALOSVIP"
    cd "$BATS_TEST_TMPDIR" || return 1
    talos_config >vip.yaml
}

# agent_config LINE...
agent_config()
{
    printf -- '---\napiVersion: talosvip/v1\nkind: AgentConfig\n' >>vip.yaml
    printf '%s\n' "$@" >>vip.yaml
}

@test "a hook is told what happened, by its environment, and nothing else" {
    agent_config 'hooks:' '  - on: [acquired, released, fault]' '    command: [/bin/sh, /run/hook, one]' \
        '  - on: [released]' '    command: [/bin/sh, /run/hook, two]'
    host '
        printf "env | grep -v -e ^PWD= -e ^_= | sort | tr \"\\\\n\" \" \" >>/run/told.\$1; echo >>/run/told.\$1\n" >/run/hook
        agent
        await 10 has 10.77.0.50
        await 5 test -s /run/told.one
        epoch=$(etcdctl get --prefix talos:v1:vip:election:10.77.0.50/ -w json | sed "s/.*\"create_revision\":\([0-9]*\).*/\1/")
        path=PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin
        [ "$(cat /run/told.one)" = "$path TALOSVIP_EPOCH=$epoch TALOSVIP_EVENT=acquired TALOSVIP_LINK=eth0 TALOSVIP_NODE=cp-1 TALOSVIP_VIP=10.77.0.50 " ] ||
            { cat /run/told.one; exit 91; } >&2
        ip link set other down
        await 10 lacks 10.77.0.50
        await 5 grep -q EVENT=fault /run/told.one
        grep -q "TALOSVIP_CAUSE=link_down TALOSVIP_EPOCH=$epoch TALOSVIP_EVENT=released" /run/told.one
        # what one event says, each hook hears in order
        [ "$(grep -o "EVENT=[a-z]*" /run/told.one | tr "\n" " ")" = "EVENT=acquired EVENT=released EVENT=fault " ]
        [ "$(grep -o "EVENT=[a-z]*" /run/told.two)" = EVENT=released ]
        ip link set other up
        await 10 has 10.77.0.50
        # at the end too
        finish
        tail -n 1 /run/told.two | grep -q "TALOSVIP_CAUSE=shutdown .*TALOSVIP_EVENT=released"
        [ "$(count event=hook_failed)" = 0 ]'
}

@test "a hook that hangs or fails holds nothing up, and is told of" {
    agent_config 'hooks:' '  - on: [acquired]' '    command: [/bin/sh, /run/hang]' \
        '  - on: [acquired]' '    command: [/bin/sh, /run/fail]' \
        '  - on: [acquired]' '    command: [/nonexistent]'
    host '
        printf "echo \$\$ >/run/pid; trap \"echo asked >/run/asked\" TERM; while :; do sleep 1; done\n" >/run/hang
        printf "echo first; printf \"\\\\033[31mbad\\\\n\" >&2; exit 3\n" >/run/fail
        agent
        await 10 has 10.77.0.50
        await 5 logged "event=hook_failed vip=10.77.0.50 .*command=/bin/sh on=acquired error=\"exit status 3\" output=.*x1b.31mbad"
        await 5 logged "event=hook_failed .*command=/nonexistent on=acquired error=\"exit status 127\""
        await 5 test -s /run/pid
        await 15 logged "event=hook_failed .*error=\"did not end within 10 s\""
        [ "$(cat /run/asked)" = asked ]
        ! kill -0 "$(cat /run/pid)" 2>/dev/null
        [ "$(count event=renewal_late)" = 0 ] && [ "$(count event=late)" = 0 ]
        [ "$(count event=acquired)" = 1 ]
        has 10.77.0.50
        curl -s --unix-socket /run/talosvip/agent.sock http://localhost/metrics >/run/metrics
        grep -qx "talosvip_hook_runs_total{event=\"acquired\"} 3" /run/metrics
        grep -qx "talosvip_hook_failures_total{event=\"acquired\"} 3" /run/metrics
        finish'
}

@test "an agent that ends gives its hooks 3 s, and the address is off before" {
    agent_config 'hooks:' '  - on: [released]' '    command: [/bin/sh, /run/hook]'
    host '
        printf "ip -o addr show eth0 >/run/addresses; echo \$\$ >/run/pid; while :; do sleep 1; done\n" >/run/hook
        agent
        await 10 has 10.77.0.50
        before=$(date +%s%N)
        finish
        after=$((($(date +%s%N) - before) / 1000000))
        [ $after -ge 2500 ] && [ $after -le 8000 ]
        ! grep 10.77.0.50 /run/addresses
        await 5 sh -c "! kill -0 $(cat /run/pid)"
        logged "event=hook_failed .*error=\"killed, for the agent ends\""'
}

@test "a reload adds and removes hooks, and what runs may end" {
    agent_config 'hooks:' '  - on: [acquired]' '    command: [/bin/sh, /run/slow]'
    host '
        printf "echo \$\$ >/run/pid; until [ -e /run/go ]; do sleep 0.1; done; echo done >/run/done\n" >/run/slow
        agent
        await 10 test -s /run/pid
        sed -i "s,on: .acquired.,on: [released],; s,/run/slow,/run/other," vip.yaml
        printf "echo \$TALOSVIP_EVENT >/run/other.told\n" >/run/other
        kill -HUP $AGENT
        await 5 logged event=reloaded
        kill -0 "$(cat /run/pid)"
        touch /run/go
        await 5 test -s /run/done
        finish
        [ "$(cat /run/other.told)" = released ]'
}
