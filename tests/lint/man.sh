#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# man.sh PROGRAM: the generated pages are what `make man` writes, every page is sound, each page
# that is referred to exists, and `talosvip help` says what man(1) says, word for word.
set -euo pipefail
program=$1
pages=docs/man
new=$(mktemp -d)
trap 'rm -rf "$new"' EXIT

"$pages/checks.sh" "$program" >"$new/talosvip-checks.7"
"$pages/pages.sh" "$program" "$new"
for page in "$new"/*; do
    diff "$pages/${page##*/}" "$page" || { echo "make man"; exit 1; }
done
mandoc -Tlint -W warning "$pages"/*.[1-8]
sed -n 's/\\-/-/g; s/^\.BR \(talosvip[^ ]*\) (\([1-8]\)).*/\1.\2/p; s/^\.Xr \(talosvip[^ ]*\) \([1-8]\).*/\1.\2/p' \
    "$pages"/*.[1-8] | sort -u | while read -r page; do
    [ -e "$pages/$page" ] || { echo "$page is referred to, and is not there"; exit 1; }
done
for page in "$pages"/*.[1-8]; do
    name=$(basename "${page%.*}")
    [ "$name" != talosvip-checks ] || continue # explain prints it
    diff <("$program" help "${name#talosvip-}" | tr -s '[:space:]' '\n') \
        <(mandoc -Tascii "$page" | col -b | sed '1d; $d' | tr -s '[:space:]' '\n' | sed '1{/^$/d}') ||
        { echo "talosvip help ${name#talosvip-} is not $page"; exit 1; }
done
for command in $("$program" __complete -- "" | sed -n '/^[^-:]/s/\t.*//p'); do
    case $command in completion | help | version) continue ;; esac
    ls "$pages/talosvip-$command".[18] >/dev/null || exit 1
done
echo "man: $(find "$pages" -name '*.[1-8]' | wc -l) pages, all sound"
