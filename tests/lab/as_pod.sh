#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# Stands in for the agent in the lab (TVLAB_AGENT): runs it with the rights of the static pod's
# container, root with the capabilities that the manifest names.
set -euo pipefail
top=$(cd "$(dirname "$0")/../.." && pwd)
capabilities=$(sed -n 's/^ *add: \[\(.*\)\]$/+\1/p' "$top/docs/packaging/static-pod.yaml" |
    tr '[:upper:]' '[:lower:]' | sed 's/, */,+/g')

exec setpriv --no-new-privs --bounding-set "-all,$capabilities" --inh-caps "-all" \
    "$top/build/talosvip" "$@"
