#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# Stands in for the agent in the lab (TVLAB_AGENT): runs it as the systemd unit does, with the
# capabilities that the unit names, and as a user that has nothing else.
set -euo pipefail
top=$(cd "$(dirname "$0")/../.." && pwd)
capabilities=$(sed -n 's/^CapabilityBoundingSet=//p' "$top/docs/packaging/talosvip.service" |
    tr '[:upper:] ' '[:lower:],' | sed 's/cap_/+/g')

# RuntimeDirectory=, which is also the home of that user
install -d -m 750 -o nobody -g nogroup /run/talosvip
export HOME=/run/talosvip
exec setpriv --reuid nobody --regid nogroup --clear-groups --no-new-privs \
    --bounding-set "-all,$capabilities" --inh-caps "-all,$capabilities" \
    --ambient-caps "-all,$capabilities" "$top/build/talosvip" "$@"
