# SPDX-License-Identifier: MIT
# Sourced by run.sh: exit codes, what the environment does, and the paths.
# shellcheck shell=bash disable=SC2154,SC2034

# expect CODE TEXT WORD...: exit code of validate WORD..., and a text in what it prints.
expect() {
    local code=0 want=$1 text=$2
    shift 2
    "$talosvip" "$@" >"$work/out" 2>&1 </dev/null || code=$?
    cat "$work/out" >>"$work/seen"
    if [ "$code" = "$want" ] && grep -qF -e "$text" "$work/out"; then
        good
    else
        bad "$* : exit $code, not $want, or no '$text': $(head -3 "$work/out")"
    fi
}

ok=files/ok-1.12-documents.yaml wrong=files/tv203-legacy.yaml warns=files/tv207-dhcp.yaml
expect 0 'Result: OK' validate "$ok"
expect 0 'Result: OK' validate -c "$ok" -m metal
expect 1 'Result: INVALID' validate "$wrong"
expect 0 'TV207' validate "$warns"
expect 1 'error[TV207]' validate --strict "$warns"
expect 0 '1 suppressed' validate --allow TV203 "$wrong"
expect 2 'did you mean TV203?' validate --allow TV2O3 "$wrong"
expect 2 'no file to check' validate
expect 2 'did you mean sarif?' validate -o sarf "$ok"
expect 2 'is not a subnet' validate --subnet 10.0.0.0 "$ok"
expect 2 '--iface' validate --iface eth0 "$ok"
expect 4 'No such file' validate absent.yaml
expect 4 'Result: UNKNOWN' validate absent.yaml
expect 1 'not read' validate absent.yaml "$wrong"
expect 2 'did you mean' explain TV20
expect 0 'Wrong:' explain tv203

mkdir "$work/dir" "$work/empty" "$work/dir/sub.yaml"
cp "$ok" "$work/dir/b.yml"
cp "$ok" "$work/dir/a.yaml"
cp "$wrong" "$work/dir/note.txt"
cp "$wrong" "$work/dir/.hidden.yaml"
expect 4 'no *.yaml' validate "$work/empty"
"$talosvip" validate -o json "$work/dir" "$work/dir/a.yaml" >"$work/out" || true
names=$("$python" -c 'import json, sys
print(*[f["path"].rsplit("/", 1)[1] for f in json.load(open(sys.argv[1]))["files"]])' "$work/out")
if [ "$names" = 'a.yaml b.yml' ]; then good; else bad "files of a directory: $names"; fi

# says WHAT PATTERN [NAME=VALUE] WORD...: validate prints a line that matches; lacks: no such line.
says() {
    local what=$1 pattern=$2
    shift 2
    { env "$@" || true; } >"$work/out" 2>&1 <"$ok"
    if grep -q -e "$pattern" "$work/out"; then good; else bad "$what"; fi
}
lacks() {
    local what=$1 pattern=$2
    shift 2
    { env "$@" || true; } >"$work/out" 2>&1 <"$ok"
    if grep -q -e "$pattern" "$work/out"; then bad "$what"; else good; fi
}

says 'standard input, once' '^<stdin>: ok' "$talosvip" validate - -
says 'GITHUB_ACTIONS chooses github' '^::error file=' \
    GITHUB_ACTIONS=true "$talosvip" validate "$wrong"
lacks '-o beats GITHUB_ACTIONS' '^::' GITHUB_ACTIONS=true "$talosvip" validate -o short "$wrong"
says '--color always' $'\033\[1;31m' "$talosvip" validate --color always "$wrong"
says 'a flag beats NO_COLOR' $'\033\[1;31m' NO_COLOR=1 "$talosvip" validate --color always "$wrong"
lacks 'no colour in a pipe' $'\033' "$talosvip" validate "$wrong"
lacks '-q prints only findings' . "$talosvip" validate -q "$ok"

# A host of its own, with a neighbour. $1: the address that the neighbour has, $2: shell code for
# the host; the rest is run there.
# shellcheck disable=SC2016 # expanded in there
HOST='set -e
address=$1 setup=$2
shift 2
ip link set lo up
unshare -n tail -f /dev/null &
other=$!
trap "kill $other" EXIT
until [ "$(readlink /proc/$other/ns/net)" != "$(readlink /proc/self/ns/net)" ]; do :; done
ip link add eth0 type veth peer name wire netns $other
ip link set eth0 up
ip addr add 10.0.0.11/24 dev eth0
nsenter -t $other -n ip addr add "$address/24" dev wire
nsenter -t $other -n ip link set wire up
until ip link show eth0 | grep -q LOWER_UP; do :; done
eval "$setup"
"$@"'

on_host() { # CODE TEXT ADDRESS SETUP WORD...
    local code=0 want=$1 text=$2
    shift 2
    timeout 20 unshare -n bash -c "$HOST" host "$@" >"$work/out" 2>&1 || code=$?
    cat "$work/out" >>"$work/seen"
    if [ "$code" = "$want" ] && grep -qF -e "$text" "$work/out"; then
        good
    else
        bad "on a host: $*: exit $code, not $want, or no '$text': $(head -8 "$work/out")"
    fi
}

has_host=
if [ "$(id -u)" = 0 ] && unshare -n true 2>/dev/null; then
    has_host=1
    printf '%s\n' 'version: v1alpha1' 'machine:' '  type: controlplane' '  network:' \
        '    interfaces:' '      - interface: eth0' '        addresses: [10.0.0.11/24]' \
        '        vip: {ip: 10.0.0.50}' >"$work/host.yaml"
    check=("$talosvip" validate "$work/host.yaml")
    says '--host without the link' 'TV401' unshare -n "${check[@]}" --host
    on_host 0 'Result: OK' 10.0.0.12 : "${check[@]}" --host
    on_host 0 'Result: OK' 10.0.0.12 : "$talosvip" run --check -c "$work/host.yaml"
    on_host 1 'TV401' 10.0.0.12 'ip link set eth0 down' "${check[@]}" --host
    on_host 0 'Result: OK' 10.0.0.12 : "${check[@]}" --probe
    on_host 1 'TV402' 10.0.0.50 : "${check[@]}" --probe
    on_host 1 'TV402' 10.0.0.50 : "${check[@]}" --probe --iface eth0
    on_host 1 'this host, on eth0' 10.0.0.12 'ip addr add 10.0.0.50/32 dev eth0' \
        "${check[@]}" --probe
    on_host 0 'TV403' 10.0.0.12 'echo 1 >/proc/sys/net/ipv4/ip_nonlocal_bind' "${check[@]}" --host
    printf '%s\n' 'apiVersion: talosvip/v1' 'kind: AgentConfig' \
        'hooks: [{name: none, command: [/nowhere/none]}]' >"$work/agent.yaml"
    on_host 1 'TV505' 10.0.0.12 : "${check[@]}" "$work/agent.yaml" --host
    printf '%s\n' 'apiVersion: talosvip/v1' 'kind: AgentConfig' 'hooks: [{command: [/tmp]}]' \
        >"$work/directory.yaml"
    on_host 1 'Is a directory' 10.0.0.12 : "${check[@]}" "$work/directory.yaml" --host
    on_host 1 'TV105' 10.0.0.12 : "$talosvip" run --check -c files/ok-worker.yaml
    on_host 4 'no interface "eth1"' 10.0.0.50 : "${check[@]}" --probe --iface eth1
    on_host 4 'the link is down' 10.0.0.50 'ip link set eth0 down' "${check[@]}" --probe
    if command -v setpriv >/dev/null; then
        on_host 5 'CAP_NET_RAW is missing' 10.0.0.12 : setpriv --bounding-set -net_raw -- \
            "${check[@]}" --probe
        on_host 1 'TV404' 10.0.0.12 : setpriv --bounding-set -net_raw -- "${check[@]}" --host
    else
        skip 'without CAP_NET_RAW: no setpriv'
    fi
else
    skip '--host and --probe: not root, or no network namespaces'
fi
