#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# run.sh TALOSVIP: what `validate` prints for each file under files/ and cases/, in each format,
# against golden/; the JSON against docs/validate-schema.json, and the SARIF against the public
# schema. GENERATE=1 writes golden/ anew. SARIF_SCHEMA=FILE names a copy of the public schema;
# otherwise it is taken out of an npm package, once, into build/tools.
set -euo pipefail

here=$(cd "$(dirname "$0")" && pwd)
talosvip=$(realpath "${1:-$here/../../build/talosvip}")
schemas=$here/../../build/tools/sarif
package=@microsoft/sarif-multitool-linux@5.7.0
python=/usr/bin/python3
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
failed=0 skipped=0 passed=0
unset GITHUB_ACTIONS NO_COLOR TALOSVIP_NO_COLOR
cd "$here"

good() { passed=$((passed + 1)); }
bad() { # text
    failed=$((failed + 1))
    printf 'FAILED: %s\n' "$*" >&2
}
skip() { # text
    skipped=$((skipped + 1))
    printf 'skipped: %s\n' "$*"
}

# Groups, one a line: each file alone; and clusters: the first node with each other one, three good
# nodes, and the whole folder.
groups() {
    find files cases -maxdepth 1 -type f | LC_ALL=C sort
    find files/nodes -type f ! -name cp-1.yaml | LC_ALL=C sort |
        sed 's|^|files/nodes/cp-1.yaml |'
    echo files/nodes/cp-1.yaml files/nodes/cp-2.yaml files/nodes/cp-3.yaml
    echo files/nodes
    echo files/ok-1.12-documents.yaml files/tv216-talosconfig
}

# render FORMAT GROUP (words): output and exit code. SARIF without its rules, which are the same each time.
render() {
    local code=0 words
    read -ra words <<<"$2"
    "$talosvip" validate --color never -o "$1" "${words[@]}" >"$work/out" 2>"$work/err" || code=$?
    printf '=== %s\n' "$2"
    if [ "$1" = sarif ]; then
        cp "$work/out" "$work/sarif/$(tr '/ ' '__' <<<"$2")"
        "$python" -c 'import json, sys
print(json.dumps(json.load(open(sys.argv[1]))["runs"][0]["results"], indent=1))' "$work/out"
    else
        [ "$1" != json ] || cp "$work/out" "$work/json/$(tr '/ ' '__' <<<"$2")"
        cat "$work/out"
    fi
    sed 's/^/stderr: /' "$work/err"
    printf '=== exit %d\n' "$code"
    case $code in 0 | 1) ;; *) bad "$1 of $2: exit status $code" ;; esac
}

compare() { # name
    if [ -n "${GENERATE:-}" ]; then
        cp "$work/$1" "golden/$1"
    elif ! diff -u "golden/$1" "$work/$1" >"$work/diff"; then
        head -60 "$work/diff" >&2
        bad "golden/$1 differs (GENERATE=1 writes it anew)"
        return
    fi
    good
}

# check_schema SCHEMA FOLDER: each file of the folder is valid, and a spoilt one is not.
check_schema() {
    if "$python" - "$1" "$2" <<'EOF'
import json, os, sys
import jsonschema
schema = json.load(open(sys.argv[1]))
kind = jsonschema.validators.validator_for(schema)
kind.check_schema(schema)
validator = kind(schema)
count = errors = 0
for name in sorted(os.listdir(sys.argv[2])):
    document = json.load(open(os.path.join(sys.argv[2], name)))
    count += 1
    for error in validator.iter_errors(document):
        errors += 1
        print(f"{name}: {list(error.absolute_path)}: {error.message[:200]}", file=sys.stderr)
document["unheardOf"] = 1
if validator.is_valid(document):
    sys.exit("the schema allows anything")
if not count:
    sys.exit("nothing to check")
sys.exit(errors > 0)
EOF
    then good; else bad "not valid: $1"; fi
}

sarif_schema() {
    [ -z "${SARIF_SCHEMA:-}" ] || { echo "$SARIF_SCHEMA"; return; }
    if [ ! -s "$schemas/sarif-2.1.0.json" ]; then
        command -v npm >/dev/null || return 0
        mkdir -p "$schemas"
        (cd "$work" && timeout 120 npm pack --silent "$package" >/dev/null 2>&1 &&
            tar xzf microsoft-sarif-multitool-linux-*.tgz package/sarif-2.1.0.json) || return 0
        cp "$work/package/sarif-2.1.0.json" "$schemas/"
    fi
    echo "$schemas/sarif-2.1.0.json"
}

mkdir -p golden "$work/json" "$work/sarif"
for format in human short json github sarif; do
    while read -r group; do render "$format" "$group"; done < <(groups) >"$work/$format.txt"
    compare "$format.txt"
done
"$talosvip" explain >"$work/explain.txt"
cut -d' ' -f1 "$work/explain.txt" >"$work/ids"
while read -r id; do "$talosvip" explain "$id"; done <"$work/ids" >>"$work/explain.txt"
compare explain.txt

# Whatever the files hold, no control character and no secret gets out.
if grep -lP '[\x00-\x08\x0b-\x1f\x7f]' "$work"/*.txt >&2; then bad "control characters"; else good; fi
if grep -n 'NOT-TO-BE-SHOWN' "$work"/*.txt >&2; then bad "a secret is shown"; else good; fi

if "$python" -c 'import jsonschema' 2>/dev/null; then
    check_schema ../../docs/validate-schema.json "$work/json"
    schema=$(sarif_schema)
    if [ -n "$schema" ]; then
        check_schema "$schema" "$work/sarif"
    else
        skip "SARIF schema: no npm, or $package cannot be had"
    fi
else
    skip "JSON and SARIF schemas: python3-jsonschema is not installed"
fi
. ./usage.sh

# Each check of the table is reported somewhere, and not reported somewhere.
grep -ohE '\[TV[0-9]{3}\]' golden/short.txt "$work/seen" 2>/dev/null | tr -d '[]' |
    LC_ALL=C sort -u >"$work/hit" || true
never=$(grep -v '^TVA' "$work/ids" | LC_ALL=C sort | comm -23 - "$work/hit" | xargs)
case $never in
'') good ;;
*TV4*) if [ -n "$has_host" ]; then bad "never reported: $never"; else skip "reported only on a host: $never"; fi ;;
*) bad "never reported: $never" ;;
esac
if [ "$(sed -n '/^=== files\/ok-1.12-documents.yaml$/,/^=== exit 0$/p' golden/short.txt | grep -c TV)" = 0 ]; then
    good
else
    bad 'a valid file has findings'
fi
echo "validate: $passed passed, $failed failed, $skipped skipped"
[ "$failed" = 0 ]
