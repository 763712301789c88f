#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# shellcheck disable=SC2016 # grave accents are text here
# docs.sh PROGRAM: what the pages promise is there. Links lead to files and headings, commands and
# their flags exist, make knows its targets, and the examples are valid.
set -euo pipefail
program=$1
failed=0

wrong() {
    echo "$*"
    failed=1
}

# GitHub's anchor of each heading.
anchors() {
    sed -n 's/^#\{1,6\} //p' "$1" | tr '[:upper:]' '[:lower:]' | sed 's/[^a-z0-9 _-]//g; s/ /-/g'
}

pages=(README.md docs/*.md)
links=0 commands=0

for page in "${pages[@]}"; do
    while read -r target; do
        links=$((links + 1))
        file=${target%%#*} anchor=
        [[ $target == *#* ]] && anchor=${target#*#}
        [ -z "$file" ] && path=$page || path=$(dirname "$page")/$file
        [ -e "$path" ] || { wrong "$page: link to $target: no such file"; continue; }
        [ -z "$anchor" ] || anchors "$path" | grep -qxF -- "$anchor" ||
            wrong "$page: link to $target: no such heading"
    done < <(grep -oE '\]\([^) ]+\)' "$page" | sed 's/^](//; s/)$//' | grep -vE '^[a-z]+:' || true)
done

# Indented and fenced lines, and code in the text, that begin with the program's name.
while IFS= read -r line; do
    page=${line%%:*}
    read -ra words <<<"$(sed 's/[^:]*://; s/#.*//; s/[|;&].*//; s/`//g' <<<"$line")"
    command=${words[1]:-}
    [[ $command =~ ^[a-z]+$ ]] || continue
    commands=$((commands + 1))
    flags=$("$program" __complete -- "$command" - | cut -f1)
    [ "$flags" != :4 ] || { wrong "$page: no command: ${words[*]}"; continue; }
    for word in "${words[@]:2}"; do
        [[ $word == --* ]] || continue
        word=${word%%[=,.)]*}
        grep -qxF -- "$word" <<<"$flags" || wrong "$page: $command has no $word"
    done
done < <(grep -HoE '(^ +|`|\$ )(talosvip|vip) [a-z].*' "${pages[@]}" |
    sed -E 's/^([^:]*):( +|`|\$ )/\1:/; s/^([^`]*)`.*/\1/')

while read -r target; do
    grep -qE "^$target:" Makefile || wrong "make has no target $target"
done < <(grep -ohE '(^ +|`)make [a-z0-9-]+( |`|$)' "${pages[@]}" | sed 's/.*make //; s/[ `]//' | sort -u)

for example in docs/examples/*.yaml docs/packaging/*.yaml.example; do
    "$program" validate --strict -q "$example" || wrong "$example is not valid"
done
[ $failed -eq 0 ] && echo "docs: $links links and $commands commands, all there"
exit $failed
