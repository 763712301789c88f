# SPDX-License-Identifier: MIT
# A real etcd on loopback, and what Talos nodes and agents write into it.
# shellcheck shell=bash disable=SC2154 # of bats

TALOSVIP=${TALOSVIP:-$BATS_TEST_DIRNAME/../../build/talosvip}
ETCD_BIN=${ETCD_BIN_DIR:-$BATS_TEST_DIRNAME/../../build/tools/usr/bin}

clean_environment()
{
    local name
    for name in $(compgen -e | grep -E '^(TALOSVIP|ETCDCTL)_'); do
        unset "$name"
    done
    export XDG_CONFIG_HOME=$BATS_TEST_TMPDIR/config XDG_STATE_HOME=$BATS_TEST_TMPDIR/state LC_ALL=C
}

is_taken() { bash -c ": <>/dev/tcp/127.0.0.1/$1" 2>/dev/null; }

free_port()
{
    local port
    port=$((20000 + RANDOM % 12000))
    while is_taken "$port"; do
        port=$((20000 + RANDOM % 12000))
    done
    echo "$port"
}

await() # SECONDS CMD...: until it succeeds
{
    local end=$((SECONDS + $1))
    shift
    until "$@" >/dev/null 2>&1; do
        [ $SECONDS -lt $end ] || { echo "waited in vain for: $*" >&2; return 1; }
        read -rt 0.05 <> <(:) || :
    done
}

ctl() { ETCDCTL_API=3 "$ETCD_BIN/etcdctl" --endpoints="$URLS" "$@"; }

# etcd_up N [FLAG...]: N members; sets URLS.
etcd_up()
{
    local n=$1 i initial="" clients=() peers=()
    shift
    [ -x "$ETCD_BIN/etcd" ] || skip "no etcd: make test-deps"
    ETCD_DIR=$BATS_FILE_TMPDIR URLS=""
    for ((i = 1; i <= n; i++)); do
        clients[i]=$(free_port)
        peers[i]=$(free_port)
        initial+=${initial:+,}cp-$i=http://127.0.0.1:${peers[i]}
        URLS+=${URLS:+,}http://127.0.0.1:${clients[i]}
    done
    for ((i = 1; i <= n; i++)); do
        printf '%q ' "$ETCD_BIN/etcd" --name "cp-$i" --data-dir "$ETCD_DIR/data$i" \
            --listen-client-urls "http://127.0.0.1:${clients[i]}" \
            --advertise-client-urls "http://127.0.0.1:${clients[i]}" \
            --listen-peer-urls "http://127.0.0.1:${peers[i]}" \
            --initial-advertise-peer-urls "http://127.0.0.1:${peers[i]}" \
            --initial-cluster "$initial" --initial-cluster-state new --log-level error "$@" \
            >"$ETCD_DIR/start$i"
        etcd_start "$i"
    done
    export URLS ETCD_DIR
    await 20 ctl endpoint health
}

etcd_start()
{
    bash -c "exec $(cat "$ETCD_DIR/start$1")" >"$ETCD_DIR/log$1" 2>&1 3>&- &
    echo $! >"$ETCD_DIR/pid$1"
    disown # its end is no news
}

etcd_signal() { kill "-$2" "$(cat "$ETCD_DIR/pid$1")"; } # I SIGNAL

etcd_down()
{
    local file pid
    for file in "$ETCD_DIR"/pid*; do
        [ -e "$file" ] || continue
        pid=$(cat "$file")
        kill -KILL "$pid" 2>/dev/null || :
        rm -f "$file"
    done
}

# lease TTL: its id in hexadecimal, as etcdctl writes it
lease() { ctl lease grant "$1" | awk '{ print $2 }'; }

# As in keys: without zeros in front.
plain() { printf %x "$((16#$1))"; }

# candidate VIP NODE LEASE
candidate() { ctl put --lease="$3" "talos:v1:vip:election:$1/$(plain "$3")" "$2" >/dev/null; }

now_us() { echo $((${EPOCHREALTIME/[.,]/})); }

# agent NODE LEASE MAC VIPS [WALL_US]: the record of a node; VIPS is a list of JSON objects
agent()
{
    ctl put --lease="$2" "talosvip/v1/nodes/$1" >/dev/null <<JSON
{"node":"$1","machineId":"m-$1","agent":"0.1.0","wallUs":${5:-$(now_us)},"lease":"$(plain "$2")","ttlMs":60000,"renewedAgoMs":100,"latencyUs":4000,"p99Us":9000,"packetFence":true,"guardian":true,"paused":false,"addresses":["10.0.0.1${1#cp-}"],"latenciesUs":[],"links":[{"name":"eth0","mac":"$3","up":true,"changedAgoMs":5000,"speedMbit":1000,"address":"10.0.0.1${1#cp-}","prefixLen":24}],"vips":[$4]}
JSON
}

# view VIP STATE SET MAC VIA [MORE]: one of VIPS
view() { echo "{\"vip\":\"$1\",\"state\":\"$2\",\"iface\":\"eth0\",\"addressSet\":$3,\"mac\":\"$4\",\"via\":\"$5\",\"seenAgoMs\":100${6:-}}"; }
