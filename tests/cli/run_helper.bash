# SPDX-License-Identifier: MIT
# For the tests of `talosvip run` on bad input. Each runs on a host of its own: network, mount,
# UTS and PID namespace, a link eth0 (10.77.0.11/24), its own /run. An address that the run left or
# removed there is a failure.
# shellcheck shell=bash disable=SC2154 # status and output are of bats

TALOSVIP=${TALOSVIP:-$BATS_TEST_DIRNAME/../../build/talosvip}
PATH=$BATS_TEST_DIRNAME/../../build/tools/usr/bin:$PATH:/usr/sbin:/sbin

# shellcheck disable=SC2016 # expanded in there
HOST='
set -e
await() { # SECONDS CMD...: until it succeeds
    local end=$((SECONDS + $1))
    shift
    until "$@" >/dev/null 2>&1; do
        [ $SECONDS -lt $end ] || { echo "waited in vain for: $*"; cat /run/log; exit 90; } >&2
        read -rt 0.05 <> <(:) || :
    done
}
export -f await
mount -t tmpfs tmpfs /run
mount -t sysfs sysfs /sys
ip link set lo up
[ ! -d /proc/sys/net/ipv6 ] || echo 0 >/proc/sys/net/ipv6/conf/default/accept_dad
ip link add eth0 type veth peer name other
ip link set other up
ip link set eth0 up
ip addr add 10.77.0.11/24 dev eth0
# The kernel gives them a moment later than the carrier.
link_locals() { [ ! -d /proc/sys/net/ipv6 ] || [ "$(ip -6 -o addr show scope link | wc -l)" = 2 ]; }
await 5 link_locals
eval "$SETUP"
ip -o addr show >/run/before
status=0
timeout -k 1 "${LIMIT:-10}" "$@" || status=$?
ip -o addr show | diff /run/before - >&2 || { echo "the run changed the addresses"; exit 99; }
exit $status'

# on_host CMD...: with `run`; $SETUP is shell code that prepares the host, $LIMIT seconds.
on_host()
{
    [ "$(id -u)" = 0 ] || skip "needs root for namespaces"
    run env -u NOTIFY_SOCKET SETUP="${SETUP-}" LIMIT="${LIMIT-10}" \
        unshare -n -m -u -p --fork --kill-child --mount-proc bash -c "$HOST" host "$@"
}

# talos_config LINE...: a control plane's config with a VIP on eth0, and more documents.
talos_config()
{
    printf 'version: v1alpha1\nmachine:\n  type: controlplane\n---\n'
    printf 'apiVersion: v1alpha1\nkind: Layer2VIPConfig\nname: %s\nlink: %s\n' "${1-10.77.0.50}" "${2-eth0}"
}

# says STATUS WORD...: the exit status, and one line of problem which holds all the words.
says()
{
    local word problems
    [ "$status" = "$1" ] || fail "exit status $status, not $1: $output"
    shift
    problems=$(grep -c -v -e '^  ' -e ' level=info ' <<<"$output")
    [ "$problems" = 1 ] || fail "$problems lines, not one: $output"
    for word in "$@"; do
        [[ $output == *"$word"* ]] || fail "does not say '$word': $output"
    done
}

fail()
{
    printf '%s\n' "$*" >&2
    return 1
}
