#!/bin/bash
# SPDX-License-Identifier: MIT
# Reloads at random of an agent that was built with sanitizers, while its addresses, its links and
# etcd change: it must live, touch no memory that is not its own, and end as if it had just started.
#
#   reload.sh [-t SECONDS] [-s SEED]
#
# The choices repeat with the seed, the exact timing does not. What failed leaves its logs in
# build/e2e/.
set -euo pipefail
cd "$(dirname "$0")/../.."
TVLAB_VIPS='10.77.0.50 10.77.0.51'
# shellcheck source=../lab/lab.sh
. tests/lab/lab.sh
# shellcheck source=../lab/watch.sh
. tests/lab/watch.sh
# shellcheck source=check.sh
. tests/e2e/check.sh

: "${TVLAB_ASAN_AGENT:=$LAB_ROOT/build/asan/talosvip}"
LENGTH=30
SEED=1
NODE=cp-1
VIPS=("10.77.0.50 eth0 10.77.0.51 eth0" "10.77.0.50 eth0" "10.77.0.51 eth0"
    "10.77.0.50 eth0 10.77.0.51 spare0" "10.77.0.51 eth0 10.77.0.50 spare0")
ENDPOINTS=("http://127.0.0.1:2379" "http://127.0.0.1:2379, http://10.78.0.12:2379")
PEERS=(true true true false)
WINDOWS=(500ms 500ms 700ms)
HOSTS=(11 21)
HOST=11
IS_VOTER_UP=1
STEPS=0

usage()
{
    sed -n 's/^#   //p' "$0" >&2
    exit 2
}

# config ENDPOINTS PEERS WINDOW [VIP LINK]...
config()
{
    local endpoints=$1 peers=$2 window=$3
    shift 3
    printf 'version: v1alpha1\nmachine:\n  type: controlplane\n'
    printf -- '---\napiVersion: v1alpha1\nkind: Layer2VIPConfig\nname: %s\nlink: %s\n' "$@"
    printf -- '---\napiVersion: talosvip/v1\nkind: AgentConfig\netcd:\n  endpoints: [%s]\n' "$endpoints"
    printf 'peers:\n  enabled: %s\n  window: %s\n' "$peers" "$window"
}

# The first of everything, as at the start.
config_first()
{
    # shellcheck disable=SC2086 # words on purpose
    config "${ENDPOINTS[0]}" true 500ms ${VIPS[0]} >"$LAB_DIR/own.yaml"
}

reload()
{
    # shellcheck disable=SC2046,SC2086 # words on purpose
    config "${ENDPOINTS[RANDOM % 2]}" "${PEERS[RANDOM % 4]}" "${WINDOWS[RANDOM % 3]}" \
        ${VIPS[RANDOM % ${#VIPS[@]}]} >"$LAB_DIR/own.new"
    mv "$LAB_DIR/own.new" "$LAB_DIR/own.yaml"
    lab_kill HUP "agent.$NODE"
}

etcd_signal()
{
    local node
    for node in "${LAB_NODES[@]}"; do
        lab_kill "$1" "etcd.$node"
    done
}

pause()
{
    lab_pause "0.$(printf '%03d' $((RANDOM % $1)))"
}

# address HOST: the node's own is another one.
address()
{
    [ "$1" != "$HOST" ] || return 0
    lab_in $NODE ip addr add "10.77.0.$1/24" dev eth0
    lab_in $NODE ip addr del "10.77.0.$HOST/24" dev eth0
    HOST=$1
}

# A voter goes, which is to be written; the next time it comes back.
voter()
{
    if [ $IS_VOTER_UP = 1 ]; then
        fault_agent TERM cp-3
        IS_VOTER_UP=0
    elif lab_agent_is_gone cp-3; then
        lab_agent_start cp-3
        IS_VOTER_UP=1
    fi
}

step()
{
    case $((RANDOM % 8)) in
    0) address "${HOSTS[RANDOM % 2]}" ;;
    1 | 2 | 3) # requests are out when the client goes
        etcd_signal STOP
        [ $((RANDOM % 2)) = 0 ] || voter
        for _ in 1 2 3; do
            lab_pause 0.1
            reload
        done
        etcd_signal CONT
        ;;
    *) reload ;;
    esac
    pause 400
}

# shellcheck disable=SC2317 # by lab_wait
has_voters()
{
    [ "$(e2e_voters "$NODE")" = ${#LAB_NODES[@]} ]
}

# shellcheck disable=SC2317 # by lab_wait
has_logged()
{
    grep -q "event=$1 " "$LAB_DIR/agent.$NODE.log"
}

descriptors()
{
    find "/proc/$(lab_pid "agent.$NODE")/fd" -mindepth 1 | wc -l
}

record_revision()
{
    lab_etcdctl get "talosvip/v1/nodes/$NODE" -w json | jq -r '.kvs[0].mod_revision // 0'
}

# shellcheck disable=SC2317 # by lab_wait
record_is_newer()
{
    [ "$(record_revision)" -gt "$1" ]
}

start_agents()
{
    # The first reload switches the peer lease on, and takes out a VIP whose link has no carrier.
    config "${ENDPOINTS[0]}" false 500ms 10.77.0.50 eth0 10.77.0.51 spare0 >"$LAB_DIR/own.yaml"
    lab_in $NODE sysctl -qw net.ipv4.conf.eth0.promote_secondaries=1
    lab_in $NODE ip link add spare0 type veth peer name spare1
    lab_spawn "agent.$NODE" nsenter -t "$(lab_pid $NODE)" -n -m -u -- env --default-signal=INT,QUIT \
        ASAN_OPTIONS=detect_stack_use_after_return=1 "$TVLAB_ASAN_AGENT" run -c "$LAB_DIR/own.yaml"
    lab_wait 10000 has_logged acquired || lab_die "it takes no address"
    lab_agent_start cp-2
    lab_agent_start cp-3
    lab_wait 10000 e2e_queue_is 3 || lab_die "not everybody is in the queue"
    config "${ENDPOINTS[0]}" true 500ms 10.77.0.50 eth0 >"$LAB_DIR/own.yaml"
    lab_kill HUP "agent.$NODE"
    lab_wait 5000 has_logged reloaded || e2e_fail "it has not reloaded"
    lab_in $NODE ip link set spare0 up
    lab_in $NODE ip link set spare1 up
    config_first
    lab_kill HUP "agent.$NODE"
}

# The owner takes its voters back, and while that is asked for, the client goes.
withdraw()
{
    lab_wait 10000 has_voters || e2e_fail "it has no voters"
    etcd_signal STOP
    # shellcheck disable=SC2086 # words on purpose
    config "${ENDPOINTS[0]}" false 500ms ${VIPS[0]} >"$LAB_DIR/own.yaml"
    lab_kill HUP "agent.$NODE"
    lab_pause 0.2
    # shellcheck disable=SC2086 # words on purpose
    config "${ENDPOINTS[1]}" true 500ms ${VIPS[0]} >"$LAB_DIR/own.yaml"
    lab_kill HUP "agent.$NODE"
    lab_pause 0.2
    etcd_signal CONT
    lab_wait 10000 has_voters || e2e_fail "it has no voters any more"
}

lives()
{
    lab_is_alive "agent.$NODE" || {
        e2e_fail "it ended: exit status $(cat "$LAB_DIR/agent.$NODE.exit")"
        return 1
    }
}

judge()
{
    local before=$1 revision vip
    config_first
    address 11
    lab_kill HUP "agent.$NODE"
    [ $IS_VOTER_UP = 1 ] || { lab_wait 10000 lab_agent_is_gone cp-3 && voter; }
    e2e_await_steady 30000 || return 0
    revision=$(record_revision)
    lab_wait 12000 record_is_newer "$revision" || e2e_fail "its record is no longer written"
    [ "$(descriptors)" -le $((before + 8)) ] || e2e_fail "$(descriptors) descriptors, $before before"
    watch_ask summary
    for vip in "${LAB_VIPS[@]}"; do
        [ "$(watch_vip "$vip" dups)" = 0 ] || e2e_fail "two owners of $vip"
    done
    fault_agent TERM $NODE
    lab_wait 10000 lab_agent_is_gone $NODE || e2e_fail "agent or guardian still runs after SIGTERM"
    [ "$(cat "$LAB_DIR/agent.$NODE.exit")" = 0 ] ||
        e2e_fail "exit status $(cat "$LAB_DIR/agent.$NODE.exit") after SIGTERM"
}

arguments=("$@")
while getopts t:s: option; do
    case $option in
    t) LENGTH=$OPTARG ;;
    s) SEED=$OPTARG ;;
    *) usage ;;
    esac
done

[ "$(id -u)" = 0 ] || exec sudo --preserve-env=TVLAB_AGENT,TVLAB_AGENT_ARGS,TVLAB_ASAN_AGENT "$0" \
    "${arguments[@]}"
[ -x "$TVLAB_ASAN_AGENT" ] || lab_die "no agent at $TVLAB_ASAN_AGENT (make VARIANT=asan builds it)"
lab_trap
lab_up
watch_start
E2E_WHY=()
RANDOM=$SEED
start_agents
if lives && e2e_await_steady 30000 && withdraw; then
    before=$(descriptors)
    watch_ask reset
    end=$((SECONDS + LENGTH))
    while [ $SECONDS -lt $end ] && lab_is_alive "agent.$NODE"; do
        step
        STEPS=$((STEPS + 1))
    done
    ! lives || judge "$before"
fi
if grep -q 'ERROR: .*Sanitizer\|runtime error:' "$LAB_DIR/agent.$NODE.log"; then
    e2e_fail "$(grep -m 1 'ERROR: .*Sanitizer\|runtime error:' "$LAB_DIR/agent.$NODE.log")"
fi
if [ ${#E2E_WHY[@]} = 0 ]; then
    printf 'ok   reload, seed %s: %d steps\n' "$SEED" $STEPS
    exit 0
fi
printf 'FAIL reload, seed %s, after %d steps\n' "$SEED" $STEPS
printf '     %s\n' "${E2E_WHY[@]}"
rm -rf build/e2e/reload
mkdir -p build/e2e/reload
cp "$LAB_DIR"/*.log build/e2e/reload
exit 1
