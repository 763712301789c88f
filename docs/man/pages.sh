#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# pages.sh PROGRAM DIR: writes the page of each command that has a text in text/: its tables come
# from the program, the words that no table holds from there.
set -euo pipefail
program=$1 dir=$2
here=$(cd "$(dirname "$0")" && pwd)

for text in "$here"/text/*; do
    command=${text##*/}
    section=1
    [ "$command" = run ] && section=8
    # A page's description ends where a line "%%" begins what stands at its end.
    "$program" __man "$command" 2026-11-23 | awk -v text="$text" '
        $0 == "@DESCRIPTION@" { while ((getline line < text) > 0 && line != "%%") print line; next }
        $0 == "@FILES@" { while ((getline line < text) > 0) print line; next }
        { print }' >"$dir/talosvip-$command.$section"
done
