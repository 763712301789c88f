#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# The container image built as the Containerfile says, and run as the static pod says, by podman.
# shellcheck disable=SC2317 # check() calls them
set -u
# shellcheck source=tests/packaging/guest/common.sh
. "$(dirname "$0")/common.sh"

IMAGE=localhost/talosvip:0.1.0
PKI=/etc/kubernetes/pki/etcd

pod()
{
    podman --cgroup-manager cgroupfs --events-backend file "$@"
}

# No registry is asked: what it would give was made from the same packages.
imports_its_base()
{
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

cd $TRIAL || exit
if [ "${1-}" != inside ]; then
    echo "# Linux $(uname -r), $(podman --version)"
    check "a base image" imports_its_base
    check "the Containerfile builds" builds
    check "the image runs, lacks no library, has no compiler" is_complete
    echo "# image: $(pod image inspect -f '{{.Size}}' $IMAGE) bytes, of it the base" \
        "$(pod image inspect -f '{{.Size}}' docker.io/library/debian:12-slim)"
    [ $FAILED = 0 ] || exit 1
    # The node's network, in which nothing is but what the test makes.
    exec unshare -n "$0" inside
fi
echo "inside"
exit $FAILED
