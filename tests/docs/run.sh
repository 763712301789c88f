#!/bin/bash
# SPDX-License-Identifier: MIT
# shellcheck disable=SC2317 # functions that rows of `commands` name
# Runs every command that README.md, docs/*.md and the manual show, in their order, on the first of
# three nodes with an etcd behind TLS, and compares what it prints with what the page shows of that.
# Nothing of it leaves the lab: the root directory is a copy-on-write view that ends with it.
#
#   run.sh [PAGE...]
set -euo pipefail
cd "$(dirname "$0")/../.."
# shellcheck disable=SC2034 # lab.sh takes it
TVLAB_VIPS=10.0.0.50
# shellcheck source=tests/lab/lab.sh
. tests/lab/lab.sh

HERE=$PWD/tests/docs
FAILED=0 RUN=0
declare -A USED=() SKIPPED=()

# ---- the lab: TLS, the addresses of the docs, and a root directory to spoil ----

certificates()
{
    local name
    mkdir "$LAB_DIR/pki"
    (
        cd "$LAB_DIR/pki"
        new=(req -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes -batch)
        openssl "${new[@]}" -x509 -days 2 -subj /CN=etcd-ca -keyout ca.key -out ca.crt
        printf 'subjectAltName=IP:127.0.0.1,IP:10.0.0.11,IP:10.0.0.12,IP:10.0.0.13\n' >server.ext
        # etcd's JSON gateway is a client of its own server, by the server's certificate.
        printf 'extendedKeyUsage=serverAuth,clientAuth\n' >>server.ext
        printf 'extendedKeyUsage=clientAuth\n' >client.ext
        for name in server client; do
            openssl "${new[@]}" -subj /O=talosvip -keyout $name.key -out $name.csr
            openssl x509 -req -days 2 -in $name.csr -CA ca.crt -CAkey ca.key -CAcreateserial \
                -extfile $name.ext -out $name.crt
        done
    ) 2>"$LAB_DIR/openssl.log" || lab_die "$(cat "$LAB_DIR/openssl.log")"
}

# Instead of lab.sh's: TLS where the docs have it, plain where lab_etcdctl looks.
lab_etcd_start()
{
    local node=$1 n pki=$LAB_DIR/pki
    n=$(lab_number "$node")
    lab_in "$node" ip addr add "10.0.0.1$n/24" dev eth0
    lab_spawn "etcd.$node" nsenter -t "$(lab_pid "$node")" -n -m -u -- \
        etcd --name "$node" --data-dir /run/etcd --log-level error \
        --cert-file "$pki/server.crt" --key-file "$pki/server.key" \
        --trusted-ca-file "$pki/ca.crt" --client-cert-auth \
        --listen-client-urls "https://127.0.0.1:2379,https://10.0.0.1$n:2379,http://10.78.0.1$n:2379" \
        --advertise-client-urls "https://10.0.0.1$n:2379" \
        --listen-peer-urls "http://10.78.0.1$n:2380" \
        --initial-advertise-peer-urls "http://10.78.0.1$n:2380" \
        --initial-cluster-token "$LAB_RUN" --initial-cluster \
        cp-1=http://10.78.0.11:2380,cp-2=http://10.78.0.12:2380,cp-3=http://10.78.0.13:2380
}

lab_agent_start()
{
    lab_spawn "agent.$1" nsenter -t "$(lab_pid "$1")" -n -m -u -- \
        "$LAB_ROOT/build/talosvip" run -c "$LAB_DIR/agent.yaml"
}

agent_settings() # PKI [LINE...]
{
    cat <<YAML
apiVersion: talosvip/v1
kind: AgentConfig
vips:
  - ip: 10.0.0.50
    link: eth0
etcd:
  endpoints: [https://10.0.0.11:2379, https://10.0.0.12:2379, https://10.0.0.13:2379]
  caFile: $1/ca.crt
  certFile: $1/client.crt
  keyFile: $1/client.key
YAML
    shift
    [ $# = 0 ] || printf '  %s\n' "$@"
}

machine_config() # NODE
{
    cat <<YAML
version: v1alpha1
machine:
  type: controlplane
  install: {disk: /dev/sda}
  network:
    hostname: $1
cluster:
  controlPlane:
    endpoint: https://10.0.0.50:6443
---
apiVersion: v1alpha1
kind: LinkConfig
name: eth0
addresses:
  - address: 10.0.0.1${1#cp-}/24
---
apiVersion: v1alpha1
kind: Layer2VIPConfig
name: 10.0.0.50
link: eth0
YAML
}

# Runs in the mount namespace of cp-1: a view of the machine whose changes are kept in memory.
# shellcheck disable=SC2016 # expanded in there
WORLD='
set -e
dir=$1
mount -t tmpfs -o size=256m tmpfs "$dir/over"
cd "$dir/over"
mkdir up work root
mount -t overlay -o lowerdir=/,upperdir=up,workdir=work overlay root
for place in proc dev sys run; do
    mount --rbind /$place root/$place
done
mount -t tmpfs tmpfs root/tmp
mkdir -p root/root/lab root/etc/talosvip
mount --bind "$dir/lab" root/root/lab
for program in talosvip etcdctl; do
    touch root/usr/bin/$program
    mount --bind "$dir/$program" root/usr/bin/$program
done
rm -rf root/etc/talosvip
cp -r "$dir/etc" root/etc/talosvip
for place in etc/kubernetes/pki var/lib/rancher/k3s/server/tls var/lib/rancher/rke2/server/tls; do
    mkdir -p root/$place
    cp -r "$dir/pki" root/$place/etcd
done
cp "$dir/pki/ca.crt" root/etc/kubernetes/pki/ca.crt
for name in healthcheck-client server; do
    cp "$dir/pki/client.crt" root/etc/kubernetes/pki/etcd/$name.crt
    cp "$dir/pki/client.key" root/etc/kubernetes/pki/etcd/$name.key
done
for place in root/var/lib/rancher/*/server/tls/etcd; do
    cp "$dir/pki/ca.crt" $place/server-ca.crt
done
mkdir -p root/root/.config/talosvip
cp "$dir/config.yaml" root/root/.config/talosvip/config.yaml
touch "$dir/world.ready"
exec chroot root sleep infinity'

files()
{
    local node
    mkdir -p "$LAB_DIR"/{over,lab/configs,etc}
    agent_settings "$LAB_DIR/pki" >"$LAB_DIR/agent.yaml"
    agent_settings /etc/talosvip >"$LAB_DIR/etc/talosvip.yaml"
    cp "$LAB_DIR"/pki/{ca.crt,client.crt,client.key} "$LAB_DIR/etc/"
    printf '#!/bin/sh\nexit 0\n' >"$LAB_DIR/etc/tell"
    chmod 755 "$LAB_DIR/etc/tell"
    for node in "${LAB_NODES[@]}"; do
        machine_config "$node" >"$LAB_DIR/lab/$node.yaml"
    done
    cp "$LAB_DIR"/lab/cp-?.yaml "$LAB_DIR/lab/configs/"
    cp "$LAB_DIR/lab/cp-1.yaml" "$LAB_DIR/lab/cp.yaml"
    cp docs/examples/*.yaml "$LAB_DIR"/pki/{ca.crt,client.crt,client.key} "$LAB_DIR/lab/"
    printf 'certs:\n    etcd:\n        crt: %s\n        key: %s\n' "$(base64 -w 0 "$LAB_DIR/pki/ca.crt")" \
        "$(base64 -w 0 "$LAB_DIR/pki/ca.key")" >"$LAB_DIR/lab/secrets.yaml"
    printf 'status\nhistory -n 3\n' >"$LAB_DIR/lab/moves.txt"
    {
        printf 'apiVersion: talosvip/v1\nkind: ClientConfig\ncontexts:\n  - name: prod-eu1\n    etcd:\n'
        sed -n 's/^  \(endpoints\|caFile\|certFile\|keyFile\)/      \1/p' "$LAB_DIR/etc/talosvip.yaml"
    } >"$LAB_DIR/config.yaml"
    cp build/tools/usr/bin/etcdctl "$LAB_DIR/etcdctl"
    cp -L build/talosvip "$LAB_DIR/talosvip"
}

world()
{
    lab_spawn world nsenter -t "$(lab_pid cp-1)" -n -m -u -- \
        unshare -m --propagation private bash -c "$WORLD" world "$LAB_DIR"
    lab_wait 10000 test -e "$LAB_DIR/world.ready" || lab_die "no world: $(cat "$LAB_DIR/world.log")"
}

# in_world CMD...: with the environment that the page has set so far.
in_world()
{
    env -i HOME=/root PATH=/usr/bin:/usr/sbin:/bin:/sbin TERM=dumb LC_ALL=C.UTF-8 USER=alice \
        nsenter -t "$(lab_pid world)" -n -m -u -r -w -- \
        bash -c 'cd /root/lab && . ./.environment && exec "$@"' world "$@"
}

# ---- the state that commands find ----

# Held, and nothing of it is in question; warnings of a busy machine are none of ours.
is_held()
{
    local status=0
    in_world talosvip status --check 10.0.0.50 >"$LAB_DIR/check" 2>&1 || status=$?
    [ $status -lt 2 ]
}

is_complete()
{
    is_held && [ "$(lab_election_keys 10.0.0.50 | wc -l)" -ge 3 ]
}

holder()
{
    lab_etcdctl "${ROOT[@]}" get --prefix talos:v1:vip:election:10.0.0.50/ --sort-by=CREATE \
        --limit=1 --print-value-only
}

# Whatever a page did: authentication off, nothing paused, everybody there, its files as before.
ROOT=()
reset() # PAGE
{
    local name
    : >"$LAB_DIR/lab/.environment"
    # The manual supposes that the way to etcd is known.
    [[ $1 != help:* ]] || printf 'export ETCDCTL_%s\n' ENDPOINTS=https://127.0.0.1:2379 \
        CACERT=ca.crt CERT=client.crt KEY=client.key >"$LAB_DIR/lab/.environment"
    if [ ${#ROOT[@]} = 0 ] && ! lab_etcdctl get x >/dev/null; then
        ROOT=(--user root:"$(cat "$LAB_DIR/lab/root.password" 2>/dev/null || echo root)")
        lab_etcdctl "${ROOT[@]}" auth disable >/dev/null || lab_die "cannot switch authentication off"
    fi
    ROOT=()
    for name in $(lab_etcdctl user list); do lab_etcdctl user delete "$name" >/dev/null; done
    for name in $(lab_etcdctl role list); do lab_etcdctl role delete "$name" >/dev/null; done
    lab_etcdctl del --prefix talosvip/v1/requests/ >/dev/null
    in_world rm -rf /root/.local/state/talosvip
    cmp -s "$LAB_DIR/agent.yaml.first" "$LAB_DIR/agent.yaml" || new_settings first
    for name in "${LAB_NODES[@]}"; do
        lab_is_alive "agent.$name" || lab_agent_start "$name"
    done
    lab_wait 20000 is_complete || lab_die "the address is not held by one of three again: $(cat "$LAB_DIR/check")"
}

move() # WORD...
{
    in_world talosvip resign 10.0.0.50 --yes "$@" >"$LAB_DIR/moved" 2>&1 ||
        lab_die "cannot move it: $(cat "$LAB_DIR/moved")"
}

# What a command takes for granted: an owner other than the one that the address is to move to, no
# move under way while it looks, and of examples of the manual none the one before.
prepare() # WHERE STATUS COMMAND
{
    local to=
    case $1 in
    help:*) lab_etcdctl del --prefix talosvip/v1/requests/ >/dev/null
        lab_wait 20000 is_complete
        # shellcheck disable=SC2086 # words on purpose
        [[ $3 != talosvip\ resume* ]] || in_world talosvip pause ${3#talosvip resume} >/dev/null ;;
    esac
    set -- "$3" "$2"
    case $1 in
    *status*--user*) ;;
    *status*) [ "$2" != 0 ] || lab_wait 20000 is_held ;;
    *resign*--to\ cp-[123]*) to=${1#*--to } to=${to%% *}
        [ "$(holder)" != "$to" ] || move ;;
    *resign*--local*) [ "$(holder)" = cp-1 ] || move --to cp-1 ;;
    esac
}

new_settings() # first|user
{
    local node
    cp "$LAB_DIR/agent.yaml.$1" "$LAB_DIR/agent.yaml"
    for node in "${LAB_NODES[@]}"; do
        lab_kill HUP "agent.$node"
    done
}

reload_agents()
{
    new_settings user
}

agent_here() # COMMAND
{
    local status=0
    lab_agent_stop cp-1
    until_signal TERM "$1" || status=$?
    lab_agent_start cp-1
    return $status
}

release_here() # COMMAND
{
    local status=0
    lab_agent_stop cp-1
    in_world bash -c "$1" || status=$?
    lab_agent_start cp-1
    return $status
}

remember() # COMMAND
{
    printf '%s\n' "$1" >>"$LAB_DIR/lab/.environment"
}

# ---- one command ----

until_signal() # SIGNAL COMMAND
{
    in_world timeout --foreground --preserve-status -k 5 -s "$1" 2 bash -c "exec $2"
}

terminal() # COMMAND [EXPECT KEYS]...
{
    local command=$1
    shift
    in_world python3 /dev/fd/3 20 "$@" -- bash -c "exec $command" 3<"$HERE/terminal.py"
}

# carry_out HOW COMMAND
carry_out()
{
    local -a how
    read -ra how <<<"$1"
    case ${how[0]} in
    run) in_world timeout 20 bash -c "$2" ;;
    until) until_signal "${how[1]}" "$2" ;;
    terminal) terminal "$2" 'Type ([0-9a-f.:]+) to go on' '\1\n' '\[y/N\]' 'y\n' ;;
    keys) terminal "$2" "${how[1]}" "$(printf '%b' "${how[2]}")" ;;
    lab) "${how[1]}" "$2" ;;
    *) lab_die "no way to ${how[0]}" ;;
    esac
}

# The words that make the shape of what a page shows, and that are missing in what was printed:
# headings in capitals, and the first word of each line.
missing_words() # SHOWN PRINTED
{
    local word
    while read -r word; do
        [ -z "$word" ] || grep -qwF -- "$word" <<<"$2" || printf '%s ' "$word"
    done < <(tr '\001' '\n' <<<"$1" | grep -oP '^ *[A-Za-z]{3,}(?![\w:.-])|\b[A-Z]{3,}\b' | tr -d ' ' | sort -u)
}

wrong() # WHERE COMMAND WHAT
{
    FAILED=$((FAILED + 1))
    printf 'FAIL %s: %s\n     %s\n' "$1" "$2" "$3"
    sed 's/^/     | /' "$LAB_DIR/printed" | head -n 15
}

# Sets ROW to the number of the first row for COMMAND; 1 when there is none.
find_row()
{
    for ROW in "${!PATTERNS[@]}"; do
        # shellcheck disable=SC2053 # a pattern
        [[ $1 != ${PATTERNS[ROW]} ]] || return 0
    done
    return 1
}

check() # WHERE STATUS COMMAND SHOWN
{
    local status=0 expected=$2 missing
    : >"$LAB_DIR/printed"
    find_row "$3" || { wrong "$1" "$3" "no row in tests/docs/commands says what to do with it"; return; }
    USED[$ROW]=1
    if [ "${HOWS[ROW]}" = skip ]; then
        SKIPPED[$ROW]=$((${SKIPPED[$ROW]:-0} + 1))
        return
    fi
    [ "$expected" != 0 ] || expected=${REASONS[ROW]:-0}
    prepare "$1" "$2" "$3"
    carry_out "${HOWS[ROW]}" "$3" >"$LAB_DIR/printed" 2>&1 </dev/null || status=$?
    RUN=$((RUN + 1))
    [[ " $expected " = *" $status "* ]] ||
        { wrong "$1" "$3" "exit status $status, not $expected"; return; }
    missing=$(missing_words "$4" "$(cat "$LAB_DIR/printed")")
    [ -z "$missing" ] || wrong "$1" "$3" "the page shows these words, and they were not printed: $missing"
}

read_table()
{
    local how pattern reason
    HOWS=() PATTERNS=() REASONS=()
    while IFS= read -r line; do
        [[ $line != \#* && -n $line ]] || continue
        how=${line%% | *} pattern=${line#* | } reason=
        [[ $pattern != *' |'* ]] || reason=${pattern##*|} pattern=${pattern%|*}
        HOWS+=("$how") PATTERNS+=("${pattern%"${pattern##*[! ]}"}") REASONS+=("${reason# }")
    done <"$HERE/commands"
}

report()
{
    local row
    for row in "${!SKIPPED[@]}"; do
        printf 'skip %3d  %-28s %s\n' "${SKIPPED[$row]}" "${PATTERNS[row]}" "${REASONS[row]}"
    done | sort -k 3
    if [ $ALL = 1 ]; then
        for row in "${!PATTERNS[@]}"; do
            [ -n "${USED[$row]-}" ] ||
                { printf 'FAIL no command of the docs is a "%s"\n' "${PATTERNS[row]}"; FAILED=$((FAILED + 1)); }
        done
    fi
    printf 'docs: %d commands run, %d failed\n' $RUN $FAILED
    [ $FAILED = 0 ]
}

main()
{
    local where status command shown page=
    ALL=0
    [ $# -gt 0 ] || { ALL=1; set -- README.md docs/*.md build/manual.txt; }
    read_table
    lab_trap
    lab_sweep
    lab_up
    cp "$LAB_DIR/agent.yaml" "$LAB_DIR/agent.yaml.first"
    agent_settings "$LAB_DIR/pki" 'username: talosvip' "passwordFile: $LAB_DIR/lab/password" \
        >"$LAB_DIR/agent.yaml.user"
    world
    while IFS=$'\t' read -r -u 4 where status command shown; do
        [ "${where%:*}" = "$page" ] || { page=${where%:*}; reset "$page"; }
        check "$where" "$status" "$command" "$shown"
    done 4< <(awk -f "$HERE/extract.awk" "$@")
    report || exit 1
}

# Certificates and files must be there before lab_up starts etcd.
lab_config_write()
{
    certificates
    files
}

main "$@"
