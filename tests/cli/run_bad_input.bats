#!/usr/bin/env bats
# SPDX-License-Identifier: MIT
# What `talosvip run` says to bad input: one clear line, the documented exit status, and nothing
# changed on the host.

load run_helper

setup()
{
    [ -x "$TALOSVIP" ] || skip "no $TALOSVIP"
    cd "$BATS_TEST_TMPDIR" || return 1
    talos_config >good.yaml
}

@test "a file that is not there" {
    on_host "$TALOSVIP" run -c absent.yaml
    says 4 absent.yaml 'No such file'
}

@test "a file that may not be read: a directory" {
    on_host "$TALOSVIP" run -c .
    says 4 directory
}

@test "wrong YAML, with its place" {
    printf 'machine: [\n' >bad.yaml
    on_host "$TALOSVIP" run -c bad.yaml
    says 1 bad.yaml:
}

@test "no VIP in the file" {
    printf 'version: v1alpha1\nmachine:\n  type: controlplane\n' >bad.yaml
    on_host "$TALOSVIP" run -c bad.yaml
    says 1 VIP
}

@test "a worker" {
    talos_config | sed 's/controlplane/worker/' >bad.yaml
    on_host "$TALOSVIP" run -c bad.yaml
    says 1 bad.yaml: worker
}

@test "a VIP that is not an IP address, with its place" {
    talos_config 10.77.0.300 >bad.yaml
    on_host "$TALOSVIP" run -c bad.yaml
    says 1 bad.yaml:7:7 10.77.0.300
}

@test "a link that is not there: those that are get named" {
    talos_config 10.77.0.50 enp1s0 >bad.yaml
    on_host "$TALOSVIP" run -c bad.yaml
    says 1 bad.yaml:7:7 enp1s0 eth0
}

@test "a node's name that others could not read, by flag and of the host" {
    local name
    for name in $'a\nb \e[31m' 'a b' 'a/b' ä "$(printf '%0300d' 0)"; do
        on_host "$TALOSVIP" run -c good.yaml --node "$name"
        says 1 "cannot be a node's name"
        [[ $output != *$'\e'* ]]
    done
    # shellcheck disable=SC2016 # expanded in there
    on_host bash -c 'printf %s "$1" >/proc/sys/kernel/hostname && shift && exec "$@"' bash 'a b' "$TALOSVIP" run -c good.yaml
    says 1 'this host' '"a b"' "cannot be a node's name" --node
}

@test "--ttl out of range" {
    on_host "$TALOSVIP" run -c good.yaml --ttl 1s
    says 2 ttl 1s
}

@test "--ttl that is not a duration" {
    on_host "$TALOSVIP" run -c good.yaml --ttl soon
    says 2 ttl soon
}

@test "lease.ttl out of range, with its place" {
    printf -- '---\napiVersion: talosvip/v1\nkind: AgentConfig\nlease:\n  ttl: 1s\n' >>good.yaml
    on_host "$TALOSVIP" run -c good.yaml
    says 1 good.yaml:13 ttl
}

@test "no capability" {
    on_host setpriv --bounding-set=-net_admin --inh-caps=-net_admin "$TALOSVIP" run -c good.yaml
    says 5 CAP_NET_ADMIN
}

@test "an unknown flag, with a suggestion" {
    on_host "$TALOSVIP" run -c good.yaml --endpionts http://127.0.0.1:2379
    says 2 --endpionts --endpoints
}

# More of them than a short queue of connections holds; the last one speaks.
@test "a second agent on the host: it says at once which process is the first" {
    # shellcheck disable=SC2016 # expanded in there
    SETUP='program=${!#}
        "$program" run -c good.yaml -e http://127.0.0.1:1 >/run/first 2>&1 & export FIRST=$!
        await 5 test -S /run/talosvip/agent.sock
        for i in 1 2 3 4 5 6 7 8 9 10 11 12; do
            "$program" run -c good.yaml -e http://127.0.0.1:1 >"/run/other.$i" 2>&1 & others[i]=$!
        done
        for i in "${!others[@]}"; do
            wait ${others[i]} || [ $? = 1 ]
            grep -q "another agent .*(pid $FIRST)" "/run/other.$i" || cat "/run/other.$i"
        done >&2'
    # shellcheck disable=SC2016 # expanded in there
    on_host bash -c 'begin=${EPOCHREALTIME/./} status=0
        "$1" run -c good.yaml -e http://127.0.0.1:1 >/run/last 2>&1 || status=$?
        ms=$(((${EPOCHREALTIME/./} - begin) / 1000))
        [ $ms -lt 2000 ] || echo "it took $ms ms"
        sed "s/(pid $FIRST)/(pid of the first)/" /run/last
        exit $status' last "$TALOSVIP"
    says 1 'another agent' '(pid of the first)'
}

# shellcheck disable=SC2034 # SETUP: run_helper.bash
# etcd on the host's own loopback. $1: more flags; $2: shell code once it serves.
etcd_setup()
{
    command -v etcd >/dev/null || skip "no etcd"
    # shellcheck disable=SC2016 # expanded in there
    SETUP="etcd --data-dir /run/etcd $1 >/run/etcd.log 2>&1 &"'
        await 10 grep -q "serving .*client requests" /run/etcd.log
        '"${2-}"
}

@test "a CA that did not sign etcd's certificate" {
    local ca url=https://127.0.0.1:2379
    for ca in one two; do
        openssl req -x509 -newkey rsa:2048 -nodes -days 1 -subj "/CN=$ca" -keyout $ca.key -out $ca.crt \
            -addext subjectAltName=IP:127.0.0.1 2>/dev/null
    done
    etcd_setup "--cert-file one.crt --key-file one.key --listen-client-urls $url --advertise-client-urls $url"
    on_host "$TALOSVIP" run -c good.yaml -e $url --cacert two.crt
    says 4 two.crt
}

@test "a refused password" {
    printf 'wrong\n' >password
    # shellcheck disable=SC2016 # expanded in there
    etcd_setup '' 'for c in "user add root:right" "user grant-role root root" "user add vip:right" \
            "auth enable"; do etcdctl $c >/dev/null; done'
    on_host "$TALOSVIP" run -c good.yaml -e http://127.0.0.1:2379 --user vip --password-file password
    says 4 vip password
}
