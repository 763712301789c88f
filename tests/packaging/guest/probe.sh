#!/bin/bash
. "$(dirname "$0")/common.sh"
eval "$(sed -n '/^cat >.tmp.containers.conf/,/^pod()/p' /trial/tests/packaging/guest/container.sh | sed '$d')"
cat /tmp/containers.conf; cat /sys/fs/cgroup/cgroup.controllers
podman load -qi /dev/shm/tv-image.tar
for o in "" "--pids-limit 0" "--pids-limit -1" "--cgroups disabled"; do echo "== $o"; podman run --rm --network none $o localhost/talosvip:0.1.0 version 2>&1 | tail -1; done
