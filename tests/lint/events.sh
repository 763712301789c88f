#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# docs/logging.md names exactly the events that the agent logs.
set -euo pipefail
cd "$(dirname "$0")/../.."
built=$(perl -0ne 'while (/log_event\([^"]*"([a-z_]+)"(?:\s*:\s*"([a-z_]+)")?/g) { print "$1\n"; print "$2\n" if $2 }' \
    src/agent/*.c src/base/log.c | sort -u)
built=$(printf '%s\nlog_lost\n' "$built" | sort -u)
told=$(awk -F'|' '$2 ~ /^ \140[a-z_]/ { print $2 }' docs/logging.md | tr -d '\140 ' | tr ',' '\n' | sort -u)
if ! diff <(echo "$built") <(echo "$told"); then
    echo "docs/logging.md (>) and the code (<) differ in their events" >&2
    exit 1
fi
echo "events: $(wc -l <<<"$built") logged, all told"
