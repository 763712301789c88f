#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# Builds a Debian package of what `make install` puts into DESTDIR. The same sources give the same
# bytes: times are those of the newest commit, owners are root.
# Usage: deb.sh VERSION BINARY OUTPUT_DIR
set -euo pipefail

version=$1 binary=$2 output=$3
here=$(cd "$(dirname "$0")" && pwd)
top=$here/../..
arch=$(dpkg --print-architecture)
export SOURCE_DATE_EPOCH=${SOURCE_DATE_EPOCH:-$(git -C "$top" log -1 --format=%ct 2>/dev/null || echo 0)}
maintainer='The talosvip authors <talosvip@talosvip.invalid>'
umask 022

work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
root=$work/root

make -s -C "$top" install DESTDIR="$root" PREFIX=/usr >/dev/null
install -m 755 "$binary" "$root/usr/sbin/talosvip"
strip --strip-unneeded --remove-section=.comment --remove-section=.note "$root/usr/sbin/talosvip"
find "$root/usr/share/man" -type f -exec gzip -9n {} +
rm "$root/usr/share/man/man1/vip.1"
ln -s talosvip.1.gz "$root/usr/share/man/man1/vip.1.gz"

install -D -m 644 "$here/talosvip.service" "$root/lib/systemd/system/talosvip.service"
install -D -m 644 "$here/talosvip.sysusers" "$root/usr/lib/sysusers.d/talosvip.conf"
install -d -m 755 "$root/etc/talosvip"

doc=$root/usr/share/doc/talosvip
install -d "$doc/examples"
install -m 644 "$here/talosvip.yaml.example" "$doc/examples/talosvip.yaml"
install -m 644 "$top"/docs/*.md "$doc/"
cp -r "$top/docs/examples/." "$doc/examples/" 2>/dev/null || true
printf 'talosvip (%s) unstable; urgency=medium\n\n  * See CHANGES.md.\n\n -- %s  %s\n' "$version" \
    "$maintainer" "$(date -uRd "@$SOURCE_DATE_EPOCH")" | gzip -9n >"$doc/changelog.gz"
{
    printf 'Format: https://www.debian.org/doc/packaging-manuals/copyright-format/1.0/\n'
    printf 'Upstream-Name: talosvip\n\nFiles: *\n'
    sed -n 's/^Copyright (c) \(.*\)/Copyright: \1/p' "$top/LICENSE"
    printf 'License: Expat\n'
    sed '1,/^Copyright/d; /./!s/^/./; s/^/ /' "$top/LICENSE" | sed '1{/^ \.$/d}'
} >"$doc/copyright"

depends=$(cd "$work" && mkdir -p debian && printf 'Source: talosvip\n' >debian/control &&
    dpkg-shlibdeps -O --ignore-missing-info "$root/usr/sbin/talosvip" 2>/dev/null |
    sed 's/^shlibs:Depends=//')
install -d "$root/DEBIAN"
cat >"$root/DEBIAN/control" <<CONTROL
Package: talosvip
Version: $version
Architecture: $arch
Maintainer: $maintainer
Installed-Size: $(du -sk --exclude=DEBIAN "$root" | cut -f1)
Depends: $depends, systemd-standalone-sysusers | systemd
Recommends: less
Section: net
Priority: optional
Description: virtual IP on exactly one healthy node
 The control-plane nodes of a cluster share a layer-2 network and vie through
 etcd for one address. The owner puts it on its interface and tells the
 network; when it disappears or stops responding, another takes over. It takes
 part in the election of Talos Linux, and its owner is cut off by its own
 kernel when it dies or hangs.
CONTROL
for script in postinst prerm postrm; do
    install -m 755 "$here/debian/$script" "$root/DEBIAN/$script"
done
(cd "$root" && find . -type f ! -path './DEBIAN/*' -printf '%P\0' | LC_ALL=C sort -z |
    xargs -0 md5sum >DEBIAN/md5sums)
find "$root" -newermt "@$SOURCE_DATE_EPOCH" -print0 |
    xargs -0r touch --no-dereference --date="@$SOURCE_DATE_EPOCH"
mkdir -p "$output"
dpkg-deb --root-owner-group -Zxz --build "$root" "$output/talosvip_${version}_$arch.deb" >/dev/null
echo "$output/talosvip_${version}_$arch.deb"
