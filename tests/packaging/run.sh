#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# The Debian package and the unit: built twice with the same bytes, no error of lintian's, installed,
# run and purged on a copy-on-write view of this machine that vanishes afterwards.
# Usage: run.sh VERSION BINARY
# shellcheck disable=SC2317 # check() calls them
set -euo pipefail

version=$1 binary=$2
here=$(cd "$(dirname "$0")" && pwd)
top=$here/../..
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
failed=0

check() { # WHAT COMMAND...
    local what=$1
    shift
    if "$@" >"$work/log" 2>&1; then
        echo "ok   $what"
    else
        echo "FAIL $what"
        sed 's/^/     /' "$work/log"
        failed=1
    fi
}

same_bytes() {
    mkdir "$work/again"
    cp -r "$top"/{Makefile,src,include,completions,docs,tests,LICENSE} "$work/again/"
    make -s -C "$work/again" -j"$(nproc)" VERSION="$version" all >/dev/null
    cmp "$binary" "$work/again/build/release/talosvip"
    export SOURCE_DATE_EPOCH=1767225600
    "$top/docs/packaging/deb.sh" "$version" "$binary" "$work/a"
    "$work/again/docs/packaging/deb.sh" "$version" \
        "$work/again/build/release/talosvip" "$work/b"
    cmp "$work"/a/*.deb "$work"/b/*.deb
}

no_lint_errors() {
    lintian --allow-root --fail-on error "$work"/a/*.deb
}

# In a mount namespace of its own, on an overlay of the root: nothing of it outlives this.
# shellcheck disable=SC2016 # expanded in there
in_overlay='
set -e
work=$1 deb=$2
mkdir "$work/over"
mount -t tmpfs tmpfs "$work/over"
mkdir "$work/over/up" "$work/over/work" "$work/over/root"
mount -t overlay overlay -o "lowerdir=/,upperdir=$work/over/up,workdir=$work/over/work" "$work/over/root"
mount --rbind /proc "$work/over/root/proc"
mount --rbind /dev "$work/over/root/dev"
mkdir -p "$work/over/root$work"
cp "$deb" "$work/over/root/package.deb"
exec chroot "$work/over/root" /bin/sh -ec "$3"
'
# shellcheck disable=SC2016
try_package='
dpkg -i /package.deb
test "$(stat -c "%a %G" /etc/talosvip)" = "750 talosvip"
getent passwd talosvip
talosvip version
vip help >/dev/null
cp /usr/share/doc/talosvip/examples/talosvip.yaml /etc/talosvip/
talosvip validate /etc/talosvip/talosvip.yaml
systemd-analyze verify --man=no /lib/systemd/system/talosvip.service
systemd-analyze security --offline=true --threshold=30 /lib/systemd/system/talosvip.service
dpkg -r talosvip
test ! -e /usr/sbin/talosvip
test -e /etc/talosvip/talosvip.yaml
rm /etc/talosvip/talosvip.yaml
dpkg -P talosvip
test ! -e /etc/talosvip
test -z "$(find /etc /lib /usr -path /usr/local -prune -o -name "*talosvip*" -print)"
'

installs_and_purges() {
    unshare -m --propagation private bash -c "$in_overlay" overlay "$work" "$(echo "$work"/a/*.deb)" \
        "$try_package"
}

check "two builds in two folders give the same bytes" same_bytes
check "lintian finds no error" no_lint_errors
if [ "$(id -u)" -eq 0 ] && command -v systemd-analyze >/dev/null; then
    check "the package installs, runs, and purges without a trace" installs_and_purges
else
    echo "SKIP the package installs: needs root and systemd-analyze"
fi
exit "$failed"
