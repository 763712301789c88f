#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# The package, its unit and its container on the real thing: runs a test of tests/packaging/guest/ in
# a Debian 12 of its own (tree.sh), which is never written to.
#
#   unit        systemd as the first process of a container (systemd-nspawn), on this kernel
#   machine     the same in an emulated machine (qemu), on the kernel of Debian 12
#   container   the Containerfile built and the static pod run, by podman, on this kernel
#
# All that runs ends with this script, and with it all mounts and networks, for they are in
# namespaces that nothing else keeps.
# Usage: real.sh unit|machine|container VERSION
set -euo pipefail

mode=$1 version=$2
here=$(cd "$(dirname "$0")" && pwd)
top=$(cd "$here/../.." && pwd)
debian=$top/build/debian
work=$(mktemp -d "$top/build/real.XXXXXX")
cgroup=
child=

cleanup()
{
    [ -z "$child" ] || kill -KILL "$child" 2>/dev/null || true
    [ -z "$child" ] || wait "$child" 2>/dev/null || true
    if [ -n "$cgroup" ]; then
        echo 1 >"$cgroup/cgroup.kill" 2>/dev/null || true
        for _ in {1..50}; do
            find "$cgroup" -depth -type d -exec rmdir {} + 2>/dev/null && break
            sleep 0.1
        done
    fi
    rm -rf "$work"
}
trap cleanup EXIT
trap 'exit 130' INT
trap 'exit 143' TERM HUP

# What the tests find in /trial.
trial_make()
{
    mkdir -p "$work/trial/bin"
    "$top/docs/packaging/deb.sh" "$version" "$top/build/release/talosvip" "$work/deb" >/dev/null
    mv "$work"/deb/*.deb "$work/trial/talosvip.deb"
    "$top/docs/packaging/deb.sh" "$version+1" "$top/build/release/talosvip" "$work/deb" >/dev/null
    mv "$work"/deb/*.deb "$work/trial/newer.deb"
    "$here/tree.sh" "$debian" "$work/trial/talosvip.deb"
    cp "$top/build/release/talosvip" "$top"/build/tools/usr/bin/etcd{,ctl} "$work/trial/bin/"
    (cd "$top" && cp -r --parents .dockerignore Makefile LICENSE include src docs completions tests "$work/trial/")
    echo "${mode/machine/unit}" >"$work/trial/test"
    touch "$work/report"
}

# start CMD...: in the background; dies with us, however we end.
start()
{
    setpriv --pdeathsig KILL "$@" </dev/null >"$work/console" 2>&1 &
    child=$!
}

# Shows what the test reports, until it ends.
follow()
{
    local ending
    tail -f -n +1 --pid "$child" "$work/report" &
    wait $! || true
    child=
    ending=$(tr -d '\r' <"$work/report" | sed -n '$s/^ended //p')
    [ -n "$ending" ] || tail -n 30 "$work/console"
    [ "$ending" = 0 ]
}

# A view of the tree that can be written to, in the namespaces of the one who calls.
# shellcheck disable=SC2016 # expanded in there
view='
set -e
debian=$1 work=$2 tools=$3
mount -t tmpfs tmpfs /run
mkdir /run/up /run/work /run/root
mount -t overlay overlay -o "lowerdir=$debian/root,upperdir=/run/up,workdir=/run/work" /run/root
cp -r "$work/trial" /run/root/
touch /run/root/trial/report
'
# A hierarchy of cgroups as on a machine that has nothing else, rooted at a group of ours.
# shellcheck disable=SC2016
boot='
umount -l -R /sys/fs/cgroup 2>/dev/null || true
mount -t cgroup2 cgroup2 /sys/fs/cgroup
export LD_LIBRARY_PATH=$tools/usr/lib/x86_64-linux-gnu/systemd
exec "$tools/usr/bin/systemd-nspawn" -b -D /run/root --register=no --keep-unit --console=pipe \
    --private-network --capability=CAP_BPF,CAP_NET_ADMIN,CAP_NET_RAW \
    --system-call-filter=bpf --bind "$work/report:/trial/report"
'
# shellcheck disable=SC2016
change_root='
mount --rbind /dev /run/root/dev
mount -t proc proc /run/root/proc
mount -t sysfs sysfs /run/root/sys
mount -t cgroup2 cgroup2 /run/root/sys/fs/cgroup
mount -t tmpfs tmpfs /run/root/run
mount -t tmpfs tmpfs /run/root/tmp
touch /run/root/trial/report
mount --bind "$work/report" /run/root/trial/report
cp --remove-destination -L /etc/resolv.conf /run/root/etc/resolv.conf
cp "$debian/base.tar" /run/root/trial/
mkdir -p /run/root/var/lib/containers
mount -t tmpfs tmpfs /run/root/var/lib/containers
cd /run/root
pivot_root . mnt
exec chroot . /bin/sh -c "umount -l /mnt && exec /trial/tests/packaging/guest/main.sh"
'

# in_namespaces SCRIPT: in a cgroup and namespaces of its own.
in_namespaces()
{
    local root
    root=$(findmnt -no TARGET -t cgroup2 | head -n 1)
    cgroup=$root/talosvip-$$
    mkdir -p "$cgroup/test"
    # shellcheck disable=SC2016
    start bash -c 'echo $$ >"$1/test/cgroup.procs"; shift; exec "$@"' enter "$cgroup" \
        unshare -m -p -f --kill-child --mount-proc --propagation private \
        bash -c "$view$1" real "$debian" "$work" "$top/build/tools"
    follow
}

# Emulated, for that works everywhere: on one processor, for two need more than old emulators give.
in_machine()
{
    tar -cf "$work/payload" -C "$work" trial
    start qemu-system-x86_64 -accel tcg -cpu qemu64 -smp 1 -m 1024 -nodefaults -no-user-config \
        -display none -no-reboot -kernel "$debian/vmlinuz" -initrd "$debian/initrd.img" \
        -append "root=/dev/vda rw console=ttyS0 panic=1" \
        -drive "file=$debian/disk,format=raw,if=virtio,snapshot=on,cache=unsafe" \
        -drive "file=$work/payload,format=raw,if=virtio,readonly=on" \
        -serial "file:$work/console" -serial "file:$work/report"
    follow
}

trial_make
case $mode in
unit) in_namespaces "$boot" ;;
container) in_namespaces "$change_root" ;;
machine) in_machine ;;
esac
