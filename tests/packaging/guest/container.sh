#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# The container image built as the Containerfile says, and run as the static pod says, by podman.
# shellcheck disable=SC2317 # check() calls them
# shellcheck disable=SC2086,SC2016 # no value has a space; expanded by eval
set -u
# shellcheck source=tests/packaging/guest/common.sh
. "$(dirname "$0")/common.sh"

IMAGE=localhost/talosvip:0.1.0
PKI=/etc/kubernetes/pki/etcd

# Where limits may not be raised, containers have those of this process.
cat >/tmp/containers.conf <<CONF
[containers]
default_ulimits = ["nofile=1024:$(ulimit -Hn)", "nproc=$(ulimit -Hu):$(ulimit -Hu)"]
[engine]
cgroup_manager = "cgroupfs"
runtime = "runc"
events_logger = "file"
CONF
# Nor is there a limit where these controllers belong to another hierarchy of cgroups.
has_controllers=$(grep -w pids /sys/fs/cgroup/cgroup.controllers | grep -w memory)
[ -n "$has_controllers" ] || sed -i 's/^.containers.$/&\npids_limit = 0/' /tmp/containers.conf
export CONTAINERS_CONF=/tmp/containers.conf

pod()
{
    podman "$@"
}

# No registry is asked: what it would give was made from the same packages. As in there, apt leaves
# nothing behind.
imports_its_base()
{
    mkdir -p etc/apt/apt.conf.d
    printf 'Dir::Cache { pkgcache ""; srcpkgcache ""; }\nAPT::Keep-Downloaded-Packages "false";\n' \
        >etc/apt/apt.conf.d/clean
    tar -rf base.tar ./etc/apt/apt.conf.d/clean
    rm -r etc
    pod import "$TRIAL/base.tar" docker.io/library/debian:12
    pod tag docker.io/library/debian:12 docker.io/library/debian:12-slim
}

builds()
{
    mkdir -p $TRIAL/build/release
    echo 'not for the image' >$TRIAL/build/release/talosvip
    pod build --pull=never --network host -f docs/packaging/Containerfile -t $IMAGE .
}

is_complete()
{
    pod run --rm --network none $IMAGE version
    pod run --rm --network none --entrypoint ldd $IMAGE /usr/sbin/talosvip >/tmp/ldd
    not grep 'not found' /tmp/ldd
    not pod run --rm --network none --entrypoint sh $IMAGE -c 'command -v gcc || test -e /src'
}

certificates()
{
    mkdir -p $PKI
    cd $PKI
    openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -noenc -days 2 \
        -subj /CN=etcd-ca -keyout ca.key -out ca.crt
    local name
    for name in server client; do
        openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -noenc -days 2 \
            -subj "/CN=$name" -addext 'subjectAltName=IP:10.88.0.11' -addext 'basicConstraints=CA:FALSE' \
            -CA ca.crt -CAkey ca.key -keyout $name.key -out $name.crt
    done
    chown -R 4711 .
    chmod 600 ./*.key
}

pod_config()
{
    mkdir -p /etc/talosvip
    config $VIP >/etc/talosvip/talosvip.yaml
    echo "api: {metrics: '127.0.0.1:9754'}" >>/etc/talosvip/talosvip.yaml
}

agent_pid()
{
    pod inspect -f '{{.State.Pid}}' talosvip
}

# in_manifest SED-COMMAND: what it prints of the static pod.
in_manifest()
{
    sed -n "$1" docs/packaging/static-pod.yaml
}

# As the manifest says, by hand: `podman kube play` of Debian 12 gives a pod a cgroup in which no
# device may be opened, unless systemd makes it. (The kubelet asks for the probe, from outside.)
plays()
{
    local options=(--name talosvip --network host)
    in_manifest '/hostNetwork: true/p' | grep .
    in_manifest '/allowPrivilegeEscalation: false/p' | grep .
    options+=(--security-opt no-new-privileges)
    in_manifest '/seccompProfile: {type: Unconfined}/p' | grep .
    options+=(--security-opt seccomp=unconfined)
    in_manifest '/readOnlyRootFilesystem: true/p' | grep .
    options+=(--read-only --read-only-tmpfs=false)
    options+=(--cap-drop "$(in_manifest 's/.*drop: .\(.*\)]/\1/p')")
    options+=(--cap-add "$(in_manifest 's/.*add: .\(.*\)]/\1/p' | tr -d ' ')")
    mkdir -p /run/talosvip # DirectoryOrCreate
    local name path flags
    while read -r name path flags; do
        options+=(-v "$(in_manifest "/^    - name: $name$/{n;s/.*path: \([^,]*\),.*/\1/p}"):$path${flags:+:ro}")
    done < <(in_manifest 's/.*{name: \([a-z-]*\), mountPath: \([^,}]*\)\(, readOnly: true\)*}/\1 \2 \3/p' | sed 's/,//')
    test ${#options[@]} = 20
    local args
    args=$(in_manifest 's/.*args: .\(.*\)]/\1/p' | tr -d ,)
    # shellcheck disable=SC2086 # words
    pod run -d "${options[@]}" $IMAGE $args
    await 30 has_address $VIP
}

status_of() # FIELD
{
    awk -v field="$1:" '$1 == field {print $2}' "/proc/$(agent_pid)/status"
}

has_what_the_manifest_gives()
{
    local pid
    pid=$(agent_pid)
    grep -E '^(Name|Uid|Cap|NoNew|Seccomp|Vm(Lck|RSS))' "/proc/$pid/status"
    # DAC_READ_SEARCH 2, NET_ADMIN 12, NET_RAW 13, SYS_NICE 23, BPF 39
    printf -v caps '%016x' $((1 << 2 | 1 << 12 | 1 << 13 | 1 << 23 | 1 << 39))
    test "$(status_of CapEff)" = "$caps"
    test "$(status_of CapPrm)" = "$caps"
    test "$(status_of CapBnd)" = "$caps" # nor had it more when it started
    test "$(status_of NoNewPrivs)" = 1
    test "$(status_of Seccomp)" = 2
    local at
    for at in / /etc/talosvip $PKI; do
        awk -v at=$at '$5 == at {print $6}' "/proc/$pid/mountinfo" | grep -w ro
    done
    test "$(readlink "/proc/$pid/ns/net")" = "$(readlink /proc/self/ns/net)"
}

answers()
{
    await 5 eval 'pod exec talosvip talosvip status --local | grep HELD'
    talosvip status --local | grep HELD # the host's, through the folder they share
    curl -sS -f http://127.0.0.1:9754/healthz
    curl -sS -f http://127.0.0.1:9754/readyz
    pod logs talosvip
    bpftool net show dev vip0 | grep talosvip_in
    not eval 'pod logs talosvip 2>&1 | grep -E "level=(warn|error)"'
}

# As by an OOM killer that takes the whole group: no guardian is left to clean up, and the fences do
# without one.
killed()
{
    local pid guardian
    pid=$(agent_pid)
    guardian=$(pgrep -o -P "$pid")
    kill -STOP "$pid" "$guardian"
    kill -KILL "$guardian" "$pid"
    await 12 has_address peer $VIP
    not has_address $VIP
    pod start talosvip || true
    await 30 etcd_lists "$(uname -n)"
    test "$(agent_pid)" != "$pid"
}

# A refusal is an answer; what a dead agent left in the kernel would drop the question.
is_reached()
{
    ip netns exec peer timeout 2 bash -c "</dev/tcp/$VIP/9" 2>&1 | grep 'refused'
}

holds_again()
{
    await 30 has_address $VIP
    pod logs talosvip
    bpftool net show dev vip0
    await 5 is_reached
    not await 8 not is_reached # beyond the end of the dead agent's right
    not eval 'pod logs talosvip 2>&1 | grep no_packet_fence'
    pod logs talosvip 2>&1 | grep 'the packet fence that an earlier agent left'
}

stops()
{
    await 30 has_address $VIP
    peer_start
    pod stop -t 15 talosvip
    test "$(pod inspect -f '{{.State.ExitCode}}' talosvip)" = 0
    pod rm talosvip
    await 2 has_address peer $VIP
    not has_address $VIP
    not eval 'bpftool net show dev vip0 | grep talosvip_in'
    test -z "$(pod ps -aq)"
}

cd $TRIAL || exit
if [ "${1-}" != inside ]; then
    echo "# Linux $(uname -r), $(podman --version)"
    check "a base image" imports_its_base
    check "the Containerfile builds" builds
    [ $FAILED = 0 ] || exit 1
    check "the image runs, lacks no library, has no compiler" is_complete
    echo "# image: $(pod image inspect -f '{{.Size}}' $IMAGE) bytes, of it the base" \
        "$(pod image inspect -f '{{.Size}}' docker.io/library/debian:12-slim)"
    [ $FAILED = 0 ] || exit 1
    # The node's network, in which nothing is but what the test makes.
    exec unshare -n "$0" inside
fi

ETCDCTL_ENDPOINTS=https://10.88.0.11:2379
ETCD_LISTEN=$ETCDCTL_ENDPOINTS
export ETCDCTL_CACERT=$PKI/ca.crt ETCDCTL_CERT=$PKI/client.crt ETCDCTL_KEY=$PKI/client.key
check "certificates that belong to another user" certificates
check "a network, and etcd with TLS" network_up --cert-file $PKI/server.crt \
    --key-file $PKI/server.key --client-cert-auth --trusted-ca-file $PKI/ca.crt
pod_config
check "run as the static pod says: it holds the address" plays
check "the rights that the manifest gives, and a root that is read only" has_what_the_manifest_gives
check "status, probes, packet fence; nothing to warn of" answers
peer_start
check "agent and guardian killed at once: the address moves" killed
peer_stop
check "held again, with a packet fence and nothing in the way" holds_again
check "the pod is stopped: the address moves, nothing is left" stops
peer_stop
ended etcd
exit $FAILED
