#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# A Debian 12 below DIR, with all that the tests in there need, made once by apt (three minutes,
# 1.5 GB): DIR/root, a file tree with systemd, podman and the package's dependencies; DIR/base.tar,
# what others call debian:12-slim; DIR/disk with vmlinuz and initrd.img, to boot the tree.
# Usage: tree.sh DIR PACKAGE.deb
set -euo pipefail

dir=$1 deb=$2
source=("deb http://deb.debian.org/debian bookworm main"
    "deb http://deb.debian.org/debian bookworm-updates main"
    "deb http://deb.debian.org/debian-security bookworm-security main"
    # bpftool, for that of Debian 12 knows no tcx
    "deb http://deb.debian.org/debian bookworm-backports main")
depends=$(dpkg-deb -f "$deb" Depends | tr ',' '\n' | sed 's/([^)]*)//; s/.*|//' | tr -d ' ' | sort -u |
    paste -sd ,)
packages=$depends,systemd-sysv,dbus,udev,iproute2,procps,jq,openssl,bpftool/bookworm-backports
packages=$packages,podman,runc,catatonit,ca-certificates,curl,linux-image-cloud-amd64

stamp=$(printf '%s\n' "$packages" "${source[@]}" | cat - "$0" | md5sum)
[ "$(cat "$dir/stamp" 2>/dev/null)" != "$stamp" ] || exit 0
echo "making a Debian 12 below $dir" >&2
rm -rf "$dir"
mkdir -p "$dir"
# As the official image: without documentation.
mmdebstrap --quiet --variant=minbase --dpkgopt='path-exclude=/usr/share/man/*' \
    --dpkgopt='path-exclude=/usr/share/doc/*' --dpkgopt='path-exclude=/usr/share/locale/*' \
    bookworm "$dir/base.tar" "${source[@]:0:3}"
mmdebstrap --quiet --variant=minbase --format=directory --include="$packages" bookworm "$dir/root" \
    "${source[@]}"
echo node >"$dir/root/etc/hostname"
: >"$dir/root/etc/machine-id"
cat >"$dir/root/etc/systemd/system/trial.service" <<'UNIT'
[Unit]
Description=The test of this machine
After=multi-user.target

[Service]
ExecStartPre=/bin/sh -c '[ ! -b /dev/vdb ] || tar -xf /dev/vdb -C /'
ExecStart=/trial/tests/packaging/guest/main.sh
ExecStopPost=systemctl --no-block poweroff

[Install]
WantedBy=multi-user.target
UNIT
ln -s ../trial.service "$dir/root/etc/systemd/system/multi-user.target.wants/"
cp "$dir"/root/boot/vmlinuz-* "$dir/vmlinuz"
cp "$dir"/root/boot/initrd.img-* "$dir/initrd.img"
truncate -s 2G "$dir/disk"
mke2fs -q -F -t ext4 -d "$dir/root" "$dir/disk"
echo "$stamp" >"$dir/stamp"
