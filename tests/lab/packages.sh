#!/bin/bash
# SPDX-License-Identifier: MIT
# Debian packages the build and the tests need.
#
#   packages.sh install PKG...      install what is missing (apt, with sudo if not root)
#   packages.sh unpack DIR PKG...   unpack into DIR and install nothing: a package that would
#                                   start a service (etcd, prometheus) is only wanted for its programs
#
# Says nothing and asks nobody when all is there already.
set -euo pipefail

die()
{
    printf 'packages.sh: %s\n' "$*" >&2
    exit 1
}

is_debian()
{
    command -v apt-get >/dev/null && command -v dpkg-query >/dev/null
}

# Needs root: directly, or by sudo.
as_root()
{
    if [ "$(id -u)" = 0 ]; then
        "$@"
    elif command -v sudo >/dev/null; then
        sudo "$@"
    else
        die "neither root nor sudo: as root, run: $*"
    fi
}

# The packages of "$@" that are not installed, one a line.
missing()
{
    local installed
    installed=$(dpkg-query -W -f '${Package} ${db:Status-Status}\n' "$@" 2>/dev/null || true)
    awk -v wanted="$*" '
        $2 == "installed" { have[$1] = 1 }
        END {
            n = split(wanted, name, " ")
            for (i = 1; i <= n; i++)
                if (!(name[i] in have))
                    print name[i]
        }' <<<"$installed"
}

apt_install()
{
    as_root env DEBIAN_FRONTEND=noninteractive apt-get -o DPkg::Lock::Timeout=120 -qq \
        install -y --no-install-recommends "$@"
}

apt_update()
{
    as_root apt-get -o DPkg::Lock::Timeout=120 -qq update
}

cmd_install()
{
    is_debian || die "not a Debian or Ubuntu system; please install what these packages hold: $*"
    local -a absent
    mapfile -t absent < <(missing "$@")
    [ ${#absent[@]} -gt 0 ] || return 0
    printf 'installing: %s\n' "${absent[*]}" >&2
    # The package lists may be absent or old, which only shows when apt tries.
    apt_install "${absent[@]}" >/dev/null 2>&1 && return 0
    apt_update || die "apt-get update failed"
    apt_install "${absent[@]}" >/dev/null || die "apt could not install: ${absent[*]}"
}

download()
{
    apt-get -qq -o APT::Sandbox::User=root download "$@"
}

cmd_unpack()
{
    local dir=$1 pkg
    shift
    local -a absent=()
    for pkg in "$@"; do
        [ -e "$dir/.unpacked/$pkg" ] || absent+=("$pkg")
    done
    [ ${#absent[@]} -gt 0 ] || return 0
    if ! is_debian; then
        command -v etcd >/dev/null && command -v etcdctl >/dev/null && return 0
        die "not a Debian or Ubuntu system; please put etcd and etcdctl on the PATH"
    fi
    printf 'unpacking into %s: %s\n' "$dir" "${absent[*]}" >&2
    mkdir -p "$dir"
    unpack_into "$(cd "$dir" && pwd)" "${absent[@]}"
}

# In a work folder first, and one rename() per file: who runs at the same time, or after an
# interruption, sees a whole program or none.
unpack_into()
{
    local dir=$1 work
    shift
    work=$(mktemp -d "$dir/.work.XXXXXX")
    # shellcheck disable=SC2064 # the folder of now
    trap "rm -rf '$work'" EXIT
    (
        cd "$work"
        download "$@" 2>/dev/null || { apt_update && download "$@"; } ||
            die "apt could not download: $*"
        local deb file
        for deb in ./*.deb; do
            dpkg -x "$deb" tree
        done
        cd tree
        while IFS= read -r -d '' file; do
            mkdir -p "$dir/${file%/*}"
            mv -f "$file" "$dir/$file"
        done < <(find . ! -type d -print0)
    )
    mkdir -p "$dir/.unpacked"
    (cd "$dir/.unpacked" && touch -- "$@")
    rm -rf "$work"
    trap - EXIT
}

case "${1-}" in
install)
    shift
    cmd_install "$@"
    ;;
unpack)
    [ $# -ge 2 ] || die "usage: packages.sh unpack DIR PKG..."
    shift
    cmd_unpack "$@"
    ;;
*)
    die "usage: packages.sh install PKG... | packages.sh unpack DIR PKG..."
    ;;
esac
