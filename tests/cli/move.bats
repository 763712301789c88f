#!/usr/bin/env bats
# SPDX-License-Identifier: MIT
# resign, pause and resume against one agent and one etcd on a host of their own. Several agents
# are the business of tests/e2e.

load run_helper

WORDS='
export ETCDCTL_API=3 HOME=/run USER=alice SUDO_USER=alice TALOSVIP_ENDPOINTS=http://127.0.0.1:2379
etcd --data-dir /run/etcd --log-level error >/run/etcd.log 2>&1 & ETCD=$!
await 20 etcdctl get x
agent() { "$TALOSVIP" run -c vip.yaml -e http://127.0.0.1:2379 --node cp-1 --log-format logfmt >>/run/log 2>&1 & AGENT=$!; }
has() { ip -o addr show eth0 | grep -q " 10.77.0.50/"; }
lacks() { ! has; }
logged() { grep -q "$1" /run/log; }
queued() { [ "$(etcdctl get --prefix talos:v1:vip:election:10.77.0.50/ --keys-only | grep -c .)" = "$1" ]; }
elect() { etcdctl elect talos:v1:vip:election:10.77.0.50 "$1" >"/run/elect.$1" 2>&1 & ELECT=$!; }
finish() { kill "$AGENT"; wait "$AGENT"; }
# try STATUS TEXT ARGS...: the exit status, and the text in what it says
try() {
    local want=$1 text=$2 got=0
    shift 2
    "$TALOSVIP" "$@" >/run/out 2>&1 </dev/null || got=$?
    [ $got = "$want" ] && grep -qF -- "$text" /run/out || { echo "$*: $got, not $want with: $text"; cat /run/out; exit 91; } >&2
}
'

host()
{
    LIMIT=60 on_host env TALOSVIP="$TALOSVIP" bash -c "set -e; $WORDS $1"
    [ "$status" = 0 ] || fail "exit status $status: $output"
}

setup()
{
    [ -x "$TALOSVIP" ] || skip "no $TALOSVIP"
    cd "$BATS_TEST_TMPDIR" || return 1
    talos_config >vip.yaml
}

@test "resign: who is next has it, the release says who asked and why, nothing else is left" {
    host '
        agent
        await 10 has
        elect other
        await 5 queued 2
        for gap in 3000 12000 9000; do
            etcdctl put "talosvip/v1/history/10.77.0.50/00000000000${gap}" "{\"from\":\"a\",\"to\":\"b\",\"cause\":\"resign\",\"planned\":true,\"epoch\":1,\"seen\":[{\"node\":\"c\",\"outageUs\":$gap,\"errorUs\":1}]}"
        done
        try 2 "refusing to ask: add --yes" resign 10.77.0.50
        try 0 "cp-1 gives 10.77.0.50 up. Next in the queue: other (no agent" resign 10.77.0.50 --dry-run
        grep -q "Usual gap for a planned move: 0.009s (last 3)" /run/out
        has
        try 0 "10.77.0.50 moved from cp-1 to other" resign 10.77.0.50 --yes --reason "kernel update"
        grep -q "asked 0.0s, released 0" /run/out
        lacks
        await 5 grep -q other /run/elect.other
        etcdctl get talosvip/v1/released/10.77.0.50 | grep -q "\"detail\":\"alice@.*: kernel update\""
        logged "event=request .*by=alice"
        logged "event=released .*resign by alice"
        [ -z "$(etcdctl get --prefix talosvip/v1/requests/)" ]
        await 3 queued 2
        try 1 "its holder other runs no talosvip agent" resign 10.77.0.50 --yes
        kill -INT $ELECT; wait $ELECT || :
        await 10 has
        finish'
}

@test "resign is refused before anybody is asked, where nothing could come of it" {
    host '
        agent
        await 10 has
        try 1 "nobody but cp-1 stands in its queue" resign 10.77.0.50 --yes
        try 1 "cp-1 has 10.77.0.50 already" resign 10.77.0.50 --to cp-1 --yes
        try 1 "did you mean cp-1?" resign 10.77.0.50 --to cp-11 --yes
        try 1 "did you mean 10.77.0.50?" resign 10.77.0.5 --yes
        try 2 "is not an IP address" resign 10.77.0.500 --yes
        try 2 "which VIP" resign --yes
        elect middle
        await 5 queued 2
        ONE=$ELECT
        elect last
        await 5 queued 3
        try 1 "middle stands before last and cannot step behind" resign 10.77.0.50 --to last --yes
        has
        kill -INT $ONE $ELECT; wait $ONE $ELECT || :
        finish'
}

@test "the owner itself refuses, and says why in the request" {
    host '
        agent
        await 10 has
        epoch=$(etcdctl get --prefix talos:v1:vip:election:10.77.0.50/ -w json | sed "s/.*\"create_revision\":\([0-9]*\).*/\1/")
        etcdctl put talosvip/v1/requests/10.77.0.50 "{\"kind\":\"resign\",\"by\":\"bob\",\"to\":\"cp-9\",\"epoch\":$epoch}"
        refused() { etcdctl get talosvip/v1/requests/10.77.0.50 | grep -q "\"refused\":\"nobody else stands in the queue\""; }
        await 5 refused
        logged "event=request_refused .*by=bob to=cp-9"
        # Addressed to an ownership that has ended, or to nobody: nothing happens.
        elect other
        await 5 queued 2
        etcdctl put talosvip/v1/requests/10.77.0.50 "{\"kind\":\"resign\",\"by\":\"bob\",\"epoch\":$((epoch - 1))}"
        etcdctl put talosvip/v1/requests/10.77.0.50 "{\"kind\":\"resign\",\"by\":\"bob\"}"
        read -rt 1 <> <(:) || :
        has
        kill -INT $ELECT; wait $ELECT || :
        finish'
}

@test "pause: nobody takes it while it lasts, also after a restart; resume ends it" {
    host '
        agent
        await 10 has
        try 0 "10.77.0.50 is PAUSED by alice" pause --reason "switch upgrade"
        await 3 logged event=paused
        try 1 "is paused already, by alice" pause 10.77.0.50
        try 0 "10.77.0.50 goes on" resume 10.77.0.50 10.77.0.50
        try 2 "longer than 159 bytes" pause 10.77.0.50 --reason "$(printf "%0160d" 0)"
        try 2 "banana" pause 10.77.0.50 banana
        try 0 "10.77.0.50 is PAUSED by alice" pause 10.77.0.50 10.77.0.50
        try 1 "everything is paused already" pause
        try 1 "is PAUSED by alice" resign 10.77.0.50 --yes
        has
        kill -9 $AGENT; wait $AGENT || :
        await 5 lacks
        agent
        await 10 queued 1
        read -rt 3 <> <(:) || :
        lacks
        try 0 "10.77.0.50 goes on" resume
        await 5 has
        try 1 "it is not paused" resume 10.77.0.50
        try 1 "nothing is paused" resume
        finish'
}

@test "pause --node: it gives up what it holds and stays out, also after a restart" {
    host '
        agent
        await 10 has
        try 1 "did you mean cp-1?" pause --node cp-2
        try 0 "cp-1 is PAUSED by alice" pause --node cp-1 --reason "new disks"
        grep -q "nobody else stands in the queue" /run/out
        await 5 lacks
        await 5 queued 0
        etcdctl get talosvip/v1/released/10.77.0.50 | grep -q "new disks"
        finish
        agent
        await 10 logged "event=session "
        await 10 logged event=node_paused
        read -rt 2 <> <(:) || :
        queued 0
        try 2 "not both" resume --node cp-1 10.77.0.50
        try 0 "cp-1 goes on" resume --node cp-1
        await 5 has
        finish'
}

@test "a user who may only read: exit 5, and the address stays" {
    host '
        agent
        await 10 has
        finish
        etcdctl user add root:root && etcdctl user grant-role root root
        etcdctl role add all && etcdctl role grant-permission all --prefix=true readwrite ""
        etcdctl user add vip:vip && etcdctl user grant-role vip all
        etcdctl role add look && etcdctl role grant-permission look --prefix=true read ""
        etcdctl user add viewer:viewer && etcdctl user grant-role viewer look
        etcdctl auth enable
        export ETCDCTL_USER=vip ETCDCTL_PASSWORD=vip
        agent
        await 10 has
        elect other
        await 5 queued 2
        export ETCDCTL_USER=viewer ETCDCTL_PASSWORD=viewer
        for command in "resign 10.77.0.50 --yes" pause; do
            try 5 "user \"viewer\" may not write under talosvip/v1/; ${command%% *} needs write access. Reading works." $command
        done
        has
        kill -INT $ELECT; wait $ELECT || :
        finish'
}

@test "etcd that is down or hangs: exit 4 within 5 s" {
    host '
        kill $ETCD; wait $ETCD || :
        try 4 "etcd cannot be reached (http://127.0.0.1:2379: connection refused)" resign 10.77.0.50 --yes
        etcd --data-dir /run/etcd --log-level error >/run/etcd.log 2>&1 & ETCD=$!
        await 20 etcdctl get x
        kill -STOP $ETCD
        start=$EPOCHREALTIME
        try 4 "etcd did not answer within 5s" pause
        end=$EPOCHREALTIME
        [ $(((${end/./} - ${start/./}) / 1000)) -le 5000 ]
        kill -CONT $ETCD'
}

@test "the agent's socket: POST, its errors, and the stream of events" {
    host '
        post() { curl -s -w "%{http_code}\n" --unix-socket /run/talosvip/agent.sock -d "$2" "http://localhost/v1/$1" >/run/out; }
        answers() { grep -q "$1" /run/out || { echo "$1?"; cat /run/out; exit 91; } >&2; }
        agent
        await 10 has
        curl -sN --unix-socket /run/talosvip/agent.sock http://localhost/v1/events >/run/events & EVENTS=$!
        post resign "{\"vip\":\"10.77.0.50\"}"; answers done
        await 3 logged "event=request_refused .*nobody else"
        elect other
        await 5 queued 2
        post resign "{"; answers "not JSON"; answers 400
        post resign "{}"; answers "vip is missing"
        post resign "{\"vip\":\"10.77.0.50\",\"x\":\"\"}"; answers "does not belong here"
        post resign "{\"vip\":\"10.77.0.51\"}"; answers 404
        post resign "{\"vip\":\"10.77.0.50\",\"to\":\"cp-1\"}"; answers "has it already"
        post resume "{\"vip\":\"10.77.0.50\"}"; answers "it is not paused"; answers 409
        curl -s --unix-socket /run/talosvip/agent.sock http://localhost/v1/pause >/run/out; answers "only POST"
        head -c 70000 /dev/zero | tr "\0" " " >/run/big
        curl -s -o /dev/null -w "%{http_code}\n" --unix-socket /run/talosvip/agent.sock --data-binary @/run/big http://localhost/v1/pause >/run/out || :; answers 413
        post pause "{\"vip\":\"10.77.0.50\",\"by\":\"eve\",\"reason\":\"a test\"}"; answers done
        await 3 logged "event=paused .*by=eve"
        post resign "{\"vip\":\"10.77.0.50\"}"; answers "it is paused"
        post resume "{\"vip\":\"10.77.0.50\"}"; answers done
        await 3 logged event=resumed
        post resign "{\"vip\":\"10.77.0.50\",\"by\":\"eve\"}"; answers done
        await 3 lacks
        await 3 grep -q "\"vip\":\"10.77.0.50\",\"from\":\"held\",\"to\":\"dropping\",\"cause\":\"resign\"" /run/events
        etcdctl get talosvip/v1/released/10.77.0.50 | grep -q "\"detail\":\"eve\""
        kill $EVENTS; wait $EVENTS || :
        post pause "{}"; answers done
        await 5 queued 1
        post resume ""; answers done
        await 5 queued 2
        kill -INT $ELECT; wait $ELECT || :
        await 10 has
        finish'
}

@test "--local: the same through the agent, by who cannot reach etcd" {
    host '
        agent
        await 10 has
        elect other
        await 5 queued 2
        export TALOSVIP_ENDPOINTS=http://127.0.0.1:1
        try 2 "refusing to ask" resign 10.77.0.50 --local
        try 0 "Next in the queue: other" resign 10.77.0.50 --local --dry-run
        try 2 "banana" pause 10.77.0.50 banana --local
        try 2 "longer than 159 bytes" pause 10.77.0.50 --local --reason "$(printf "%0160d" 0)"
        try 2 "longer than 159 bytes" resign 10.77.0.50 --local --yes --reason "$(printf "%0160d" 0)"
        try 2 "longer than 63 bytes" resign 10.77.0.50 --local --yes --to "$(printf "%064d" 0)"
        try 0 "10.77.0.50 is PAUSED by alice" pause 10.77.0.50 10.77.0.50 --local
        try 1 "it is paused" resign 10.77.0.50 --local --yes
        try 0 "10.77.0.50 goes on" resume 10.77.0.50 --local
        try 0 "moved from cp-1 to other" resign 10.77.0.50 --local --yes --reason "a test"
        lacks
        try 0 "this node is PAUSED" pause --local
        await 5 queued 1
        try 1 "it is paused already" pause --local
        try 0 "this node goes on" resume --local
        await 5 queued 2
        try 4 "no agent answers" resume --local --socket /run/nothing
        kill -INT $ELECT; wait $ELECT || :
        await 10 has
        finish'
}

@test "at a terminal it asks: no by default, the address itself where nothing is known of the next" {
    command -v script >/dev/null || skip "no script(1)"
    host '
        agent
        await 10 has
        elect other
        await 5 queued 2
        at_terminal() { printf "%s\n" "$1" | timeout 20 script -qec "$TALOSVIP resign 10.77.0.50" /dev/null >/run/out; }
        status=0; at_terminal y || status=$?
        [ $status = 1 ]; grep -q "Type 10.77.0.50 to go on:" /run/out; grep -q "Nothing was changed" /run/out
        has
        at_terminal 10.77.0.50
        grep -q "moved from cp-1 to other" /run/out
        kill -INT $ELECT; wait $ELECT || :
        finish'
}
