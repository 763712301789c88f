#!/usr/bin/env bats
# SPDX-License-Identifier: MIT
# One agent and one etcd on a host of their own: what it tells systemd, what a reload touches, what
# it does without the packet fence, whom it respects.

load run_helper
load agent_helper

setup()
{
    [ -x "$TALOSVIP" ] || skip "no $TALOSVIP"
    cd "$BATS_TEST_TMPDIR" || return 1
    talos_config >vip.yaml
}

@test "it takes the address, tells of it, and leaves nothing behind" {
    host '
        agent
        await 10 has 10.77.0.50
        ip -o addr show eth0 | grep 10.77.0.50/32 | grep -q "scope link deprecated dynamic noprefixroute"
        await 5 "$TALOSVIP" status --local
        "$TALOSVIP" status --local -o json | grep -q "\"state\":\"held\""
        curl -sf --unix-socket /run/talosvip/agent.sock http://localhost/healthz
        curl -sf --unix-socket /run/talosvip/agent.sock http://localhost/readyz
        [ "$(etcdctl get --prefix talos:v1:vip:election:10.77.0.50/ --print-value-only)" = cp-1 ]
        finish
        lacks 10.77.0.50
        [ -z "$(etcdctl get --prefix talos:v1:vip:election:)" ]
        [ -z "$(etcdctl get --prefix talosvip/v1/nodes/)" ]
        etcdctl get --prefix talosvip/v1/released/ --print-value-only | grep -q "\"cause\":\"shutdown\""
        await 3 sh -c "! pgrep -x talosvip-guard"'
}

@test "systemd hears READY, STATUS, WATCHDOG and STOPPING" {
    host '
        perl -MSocket -MIO::Handle -e "socket(S, AF_UNIX, SOCK_DGRAM, 0) or die;
            bind(S, sockaddr_un(q(/run/notify))) or die; open(F, q(>), q(/run/told.log)); F->autoflush;
            while (defined(recv(S, \$m, 4096, 0))) { print F \$m, qq(\n) }" &
        await 5 test -S /run/notify
        export NOTIFY_SOCKET=/run/notify WATCHDOG_USEC=400000
        agent
        await 10 grep -q READY=1 /run/told.log
        await 5 grep -q "STATUS=10.77.0.50 held" /run/told.log
        await 5 sh -c "[ \$(grep -c WATCHDOG=1 /run/told.log) -ge 3 ]"
        finish
        grep -q STOPPING=1 /run/told.log'
}

@test "a reload touches only what differs, and refuses what is wrong" {
    host '
        agent
        await 10 has 10.77.0.50
        printf -- "---\napiVersion: v1alpha1\nkind: Layer2VIPConfig\nname: 10.77.0.51\nlink: eth0\n" >>vip.yaml
        kill -HUP $AGENT
        await 10 has 10.77.0.51
        sed -i s/10.77.0.51/10.77.0.510/ vip.yaml
        kill -HUP $AGENT
        await 5 logged reload_refused
        has 10.77.0.51
        sed -i s/10.77.0.510/10.77.0.52/ vip.yaml
        kill -HUP $AGENT
        await 10 has 10.77.0.52
        await 5 lacks 10.77.0.51
        [ "$(count "event=acquired vip=10.77.0.50")" = 1 ]
        [ "$(count "event=released vip=10.77.0.50")" = 0 ]
        finish
        lacks 10.77.0.50; lacks 10.77.0.52'
}

@test "the peer lease follows the address of this node" {
    host '
        bound() { ss -Hlun "sport = :9755" | grep -q "$1[%:]"; }
        unbound() { ! ss -Hlun | grep -q :9755; }
        told() { etcdctl get talosvip/v1/nodes/cp-1 --print-value-only | grep -q "\"peerAddress\":\"$1"; }
        untold() { ! told ""; }
        echo 1 >/proc/sys/net/ipv4/conf/eth0/promote_secondaries
        ip addr del 10.77.0.11/24 dev eth0 # as before DHCP has answered
        agent
        await 10 has 10.77.0.50
        "$TALOSVIP" status --local -o json | grep -q "no address in the subnet of a VIP"
        ip addr add 10.77.0.11/24 dev eth0
        await 2 bound 10.77.0.11
        await 2 told 10.77.0.11
        ip addr add 10.77.0.21/24 dev eth0
        ip addr del 10.77.0.11/24 dev eth0
        await 2 bound 10.77.0.21
        await 2 told 10.77.0.21
        ip addr del 10.77.0.21/24 dev eth0
        await 2 unbound
        await 2 untold
        ip addr add 10.77.0.11/24 dev eth0
        await 2 bound 10.77.0.11
        [ "$(count event=address_foreign)" = 0 ]
        finish'
}


@test "an address that somebody set by hand beside ours goes with it, wherever it is" {
    host '
        printf -- "---\napiVersion: v1alpha1\nkind: Layer2VIPConfig\nname: fd77::50\nlink: eth0\n" >>vip.yaml
        ip link add spare type veth peer name wheel; ip link set spare up
        agent
        await 10 has 10.77.0.50; await 10 has fd77::50
        ip addr add 10.77.0.50/24 dev eth0
        ip addr add 10.77.0.50/32 dev spare
        ip addr add fd77::50/64 dev spare nodad
        finish
        lacks 10.77.0.50; lacks fd77::50
        ip link del spare'
}

@test "so it does when the guardian takes it off" {
    host '
        agent
        await 10 has 10.77.0.50
        ip addr add 10.77.0.50/24 dev eth0
        kill -9 $AGENT
        await 5 lacks 10.77.0.50
        await 5 sh -c "! pgrep -x talosvip-guard"
        [ -n "$(etcdctl get --prefix talosvip/v1/released/)" ]'
}

@test "a reload takes no part for an address that somebody set by hand" {
    host '
        agent
        await 10 has 10.77.0.50
        ip addr add 10.77.0.51/24 dev eth0
        for n in 51 52; do
            printf -- "---\napiVersion: v1alpha1\nkind: Layer2VIPConfig\nname: 10.77.0.$n\nlink: eth0\n" >>vip.yaml
        done
        kill -HUP $AGENT
        await 10 has 10.77.0.52
        logged "event=vip_failed vip=10.77.0.51"
        [ "$(count "event=acquired vip=10.77.0.51")" = 0 ]
        ip addr del 10.77.0.51/24 dev eth0
        kill -HUP $AGENT
        await 10 has 10.77.0.51
        [ "$(count event=vip_failed)" = 1 ]
        finish'
}

@test "an address set by hand keeps an agent from starting" {
    host '
        ip addr add 10.77.0.50/24 dev eth0
        status=0
        "$TALOSVIP" run -c vip.yaml -e http://127.0.0.1:2379 --node cp-1 2>/run/err || status=$?
        [ $status = 1 ]
        grep -q "10.77.0.50 is already set on eth0, and not by talosvip" /run/err
        grep -q "ip addr del 10.77.0.50/24 dev eth0" /run/err
        ip addr del 10.77.0.50/24 dev eth0'
}

@test "without BPF: one warning, the longer margin, and no shorter lease than 4 s" {
    host '
        TALOSVIP_ALL=$TALOSVIP
        setpriv --bounding-set=-bpf,-sys_admin --inh-caps=-bpf,-sys_admin "$TALOSVIP" run -c vip.yaml \
            -e http://127.0.0.1:2379 --node cp-1 --log-format logfmt >>/run/log 2>&1 & AGENT=$!
        await 10 has 10.77.0.50
        [ "$(count event=no_packet_fence)" = 1 ]
        "$TALOSVIP" status --local -o json | grep -q "\"packet\":false"
        # 5 s - 0.3 s - 1 % - 1.5 s: never more than 3.15 s left
        left=$("$TALOSVIP" status --local -o json | sed "s/.*\"remainingMs\":\([0-9]*\).*/\1/")
        [ "$left" -le 3150 ] && [ "$left" -ge 500 ]
        finish
        status=0
        setpriv --bounding-set=-bpf,-sys_admin --inh-caps=-bpf,-sys_admin "$TALOSVIP" run -c vip.yaml \
            --ttl 3s -e http://127.0.0.1:2379 2>/run/err || status=$?
        [ $status = 2 ]; grep -q "4 s to" /run/err; grep -q "hint: no packet fence.*CAP_BPF" /run/err'
}

@test "somebody outside the election who answers is respected: exit 1, nothing taken" {
    host '
        stranger
        status=0
        timeout 30 "$TALOSVIP" run -c vip.yaml -e http://127.0.0.1:2379 --node cp-1 --log-format logfmt \
            >>/run/log 2>&1 || status=$?
        kill $FAR
        [ $status = 1 ]
        logged event=foreign_owner
        [ "$(count event=acquired)" = 0 ]
        [ -z "$(etcdctl get --prefix talos:v1:vip:election:)" ]
        ip link del br0'
}

@test "a probe that could not be sent proves nothing: the address is not taken" {
    host '
        stranger
        tc qdisc add dev eth0 root pfifo limit 0 # a queue that is always full
        agent
        await 10 logged event=probe_unsent
        lacks 10.77.0.50
        [ "$(count event=acquired)" = 0 ]
        tc qdisc del dev eth0 root
        status=0; wait $AGENT || status=$?
        kill $FAR
        [ $status = 1 ]
        logged event=foreign_owner
        [ "$(count event=probe_unsent)" = 1 ]
        [ "$(count event=acquired)" = 0 ]
        ip link del br0'
}

@test "etcd that comes later is waited for quietly" {
    host '
        kill %1; wait %1 || :
        agent
        await 5 logged event=etcd_waiting
        read -rt 3 <> <(:) || :
        [ "$(count level=)" -le 4 ]
        etcd --data-dir /run/etcd --log-level error >/run/etcd.log 2>&1 &
        await 20 has 10.77.0.50
        finish'
}

@test "another candidate in the election goes first when it was there first, and the other way round" {
    host '
        etcdctl elect talos:v1:vip:election:10.77.0.50 other >/run/elect & ELECT=$!
        await 5 grep -q other /run/elect
        agent
        await 10 logged "event=standby .*holder=other"
        lacks 10.77.0.50
        kill -INT $ELECT; wait $ELECT || :
        await 10 has 10.77.0.50
        etcdctl elect talos:v1:vip:election:10.77.0.50 other >/run/elect2 & ELECT=$!
        timeout 2 etcdctl elect -l talos:v1:vip:election:10.77.0.50 >/run/listen || :
        grep -q cp-1 /run/listen
        has 10.77.0.50
        finish
        await 5 grep -q other /run/elect2
        kill -INT $ELECT; wait $ELECT || :'
}

@test "behind more candidates than a list shows it waits, and has its turn" {
    host '
        election=talos:v1:vip:election:10.77.0.50
        lease=$(etcdctl lease grant 600 | cut -d" " -f2)
        for n in $(seq 1000 1039); do # before and after its own in the order of keys
            etcdctl put --lease=$lease $election/$((n % 2 ? 7 : 1))00000000000$n other-$n >/run/out
        done
        agent
        await 10 logged "event=standby .*holder=other-1000"
        key=$(etcdctl get --prefix $election/694 --keys-only)
        [ -n "$key" ]
        await 5 sh -c "curl -s --unix-socket /run/talosvip/agent.sock http://localhost/readyz | grep -q ok"
        [ "$("$TALOSVIP" status --local -o json | jq -r .vips[0].state)" = standby ]
        read -rt 3 <> <(:) || :
        [ "$(etcdctl get --prefix $election/694 --keys-only)" = "$key" ]
        [ "$(count "event=released\|key_deleted\|event=standby")" = 1 ]
        etcdctl lease revoke $lease
        await 10 has 10.77.0.50
        finish'
}

@test "a new link that cannot be used at once is tried again" {
    talos_config 10.78.0.50 eth1 >vip.yaml
    NEW='new_link() {
            ip link add eth1 index 77 type veth peer name far
            ip link set eth1 addrgenmode none
            ip link set far addrgenmode none
            ip link set far up
            ip link set eth1 up
            ip addr add 10.78.0.11/24 dev eth1
        }
        '
    SETUP="$NEW new_link" host "$NEW"'
        held() { ip -o addr show eth1 | grep -q " 10.78.0.50/"; }
        agent
        await 10 held
        ip link del eth1
        await 5 logged event=link_gone
        prlimit --pid $AGENT --nofile=8: # nothing more can be opened
        new_link
        await 5 logged event=link_failed
        prlimit --pid $AGENT --nofile=1024:
        await 10 held
        [ "$(count event=link_failed)" = 1 ]
        finish'
}

@test "a VIP on one link more than an agent can use is left to others" {
    local n
    for n in $(seq 65); do
        [ "$n" -gt 1 ] || talos_config 10.80.1.50 many1
        [ "$n" = 1 ] || talos_config 10.80.$n.50 many$n | sed 1,3d
    done >vip.yaml
    SETUP='for n in $(seq 65); do
            echo "link add many$n type veth peer name far$n"
            for link in many far; do
                printf "link set %s addrgenmode none\nlink set %s up\n" $link$n $link$n
            done
        done | ip -batch -' host '
        all() { [ "$(ip -o addr show | grep -c " 10[.]80[.][0-9]*[.]50/")" = 64 ]; }
        agent
        await 20 all
        logged "event=vip_failed .*vip=10.80.65.50"
        read -rt 3 <> <(:) || :
        all
        [ "$(count event=address_failed)" = 0 ] # it does not even try
        finish'
}

@test "a session that this node left behind is ended; a namesake on another machine is not" {
    host '
        lease=$(etcdctl lease grant 60 | cut -d" " -f2)
        id=$(cat /etc/machine-id)
        etcdctl put --lease=$lease talosvip/v1/nodes/cp-1 \
            "{\"node\":\"cp-1\",\"machineId\":\"$id\",\"agent\":\"0\",\"addresses\":[]}"
        etcdctl put --lease=$lease talos:v1:vip:election:10.77.0.50/$lease cp-1
        agent
        await 5 has 10.77.0.50
        finish
        lease=$(etcdctl lease grant 60 | cut -d" " -f2)
        etcdctl put --lease=$lease talosvip/v1/nodes/cp-1 \
            "{\"node\":\"cp-1\",\"machineId\":\"somebodyelse\",\"agent\":\"0\",\"addresses\":[]}"
        agent
        status=0; wait $AGENT || status=$?
        [ $status = 1 ]
        logged event=namesake
        [ -n "$(etcdctl get talosvip/v1/nodes/cp-1)" ]'
}
