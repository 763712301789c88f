#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# Who may include whom. The tables below are docs/design.md's picture of the layers.
# Usage: layers.sh [ROOT]        check src/ and include/ under ROOT (default: here)
#        layers.sh --self-test   plant violations in a copy and demand that each is found
set -euo pipefail

# folder of src/ or include/ : folders of include/ that it may use besides its own
layers='
base   :
core   : base
config : base core
etcd   : base core
net    : base core
api    : base core
cluster : base core etcd
ui     : base core cluster
agent  : base core config etcd net api
cli    : base core config etcd net api cluster ui agent
main   : base cli
'

# header : folders or files that may use it
third_party='
curl/*         : src/base/multi.c etcd api
json-c/*       : src/base/fields.c src/base/fields_read.c src/base/fields_write.c etcd api cluster cli
yaml.h         : config
netlink/*      : net
linux/*        : net
openssl/*      : net
event2/*       : src/base/loop.c api
cap-ng.h       : agent
seccomp.h      : agent
ncurses.h      : src/ui/screen.c
term.h         : src/ui/screen.c
readline/*     : src/cli/shell.c
'

# The C library: everywhere but in the core, which has only what computes.
libc='
assert.h ctype.h dirent.h endian.h errno.h fcntl.h fnmatch.h fts.h getopt.h glob.h grp.h
inttypes.h langinfo.h limits.h locale.h math.h netdb.h poll.h pthread.h pwd.h sched.h signal.h
spawn.h stdalign.h stdarg.h stdatomic.h stdbool.h stddef.h stdint.h stdio.h stdio_ext.h stdlib.h
string.h strings.h syslog.h termios.h time.h unistd.h wchar.h wctype.h
arpa/* net/* netinet/* sys/*
'
libc_of_core='assert.h limits.h stdbool.h stddef.h stdint.h string.h'

check() { # root
    (cd "$1" && grep -rnHE '^[[:space:]]*#[[:space:]]*include' src include) |
        awk -v layers="$layers" -v third_party="$third_party" -v libc="$libc" \
            -v libc_of_core="$libc_of_core" -v root="$1" '
    function matches(name, pattern) {
        if (pattern ~ /\*/) {
            gsub(/\./, "\\.", pattern)
            gsub(/\*/, ".*", pattern)
            return name ~ ("^" pattern "$")
        }
        return name == pattern
    }
    function in_list(name, list,   n, words, i) {
        n = split(list, words, /[ \n]+/)
        for (i = 1; i <= n; i++)
            if (words[i] != "" && matches(name, words[i]))
                return 1
        return 0
    }
    function exists(path,   line, r) {
        r = (getline line < path)
        close(path)
        return r >= 0
    }
    function name_in(text) {
        sub(/^include[ \t]*["<]/, "", text)
        sub(/[">]$/, "", text)
        return text
    }
    function complain(text) {
        print where ": " text
        failed++
    }
    function check_own(header,   folder, n, parts) {
        if (header ~ /(^|\/)\.\.?\//) {
            complain("includes \"" header "\" by a relative path; a private header is its folder'"'"'s")
        } else if (header !~ /\//) {
            folder = file
            sub(/[^\/]*$/, "", folder)
            if (!exists(root "/" folder header))
                complain("includes \"" header "\", which is not beside it")
        } else {
            n = split(header, parts, "/")
            if (n != 2 || !exists(root "/include/" header))
                complain("includes \"" header "\", which is not in include/")
            else if (parts[1] != layer && !in_list(parts[1], may[layer]))
                complain(layer "/ may not include " parts[1] "/, but includes \"" header "\"")
        }
    }
    function check_foreign(header,   i) {
        for (i = 1; i <= n_third; i++)
            if (matches(header, third[i])) {
                if (!in_list(layer, users[i]) && !in_list(file, users[i]))
                    complain("<" header "> may be used in " users[i] " only")
                return
            }
        if (layer == "core" && !in_list(header, libc_of_core))
            complain("the core is pure: <" header "> is not for it")
        else if (!in_list(header, libc))
            complain("<" header "> is in no table of tests/lint/layers.sh")
    }
    BEGIN {
        n = split(layers, lines, "\n")
        for (i = 1; i <= n; i++)
            if (split(lines[i], sides, ":") == 2) {
                gsub(/ /, "", sides[1])
                may[sides[1]] = sides[2]
                known[sides[1]] = 1
            }
        n = split(third_party, lines, "\n")
        for (i = 1; i <= n; i++)
            if (split(lines[i], sides, ":") == 2) {
                gsub(/ /, "", sides[1])
                sub(/^ /, "", sides[2])
                third[++n_third] = sides[1]
                users[n_third] = sides[2]
            }
    }
    {
        split($0, fields, ":")
        file = fields[1]
        where = file ":" fields[2]
        files[file] = 1
        split(file, parts, "/")
        layer = file == "src/main.c" ? "main" : parts[2]
        if (!(layer in known))
            complain(parts[1] "/" layer "/ is no layer of tests/lint/layers.sh")
        else if (match($0, /include[ \t]*"[^"]*"/))
            check_own(name_in(substr($0, RSTART, RLENGTH)))
        else if (match($0, /include[ \t]*<[^>]*>/))
            check_foreign(name_in(substr($0, RSTART, RLENGTH)))
        else
            complain("an include that cannot be checked")
    }
    END {
        for (f in files)
            n_files++
        if (n_files < 10) {
            print "layers: found only " n_files + 0 " files"
            failed++
        }
        print "layers: " NR " includes in " n_files + 0 " files, " failed + 0 " wrong"
        exit failed > 0
    }'
}

expect_violation() { # file include text
    local file=$work/tree/$1 out
    cp "$file" "$work/saved"
    printf '#include %s\n' "$2" >> "$file"
    if out=$(check "$work/tree"); then
        echo "not ok  $1 may include $2"
        failed=$((failed + 1))
    elif ! grep -qF "$1:" <<< "$out" || ! grep -qF -- "$3" <<< "$out"; then
        echo "not ok  $1 with $2: the message is: $out"
        failed=$((failed + 1))
    fi
    cp "$work/saved" "$file"
    tried=$((tried + 1))
}

self_test() {
    work=$(mktemp -d)
    trap 'rm -rf "$work"' EXIT
    tried=0 failed=0
    mkdir "$work/tree" && cp -r src include "$work/tree"
    check "$work/tree" > "$work/out" || { cat "$work/out"; failed=1; }
    expect_violation src/core/vip.c '"etcd/client.h"' 'core/ may not include etcd/'
    expect_violation include/base/buf.h '"core/queue.h"' 'base/ may not include core/'
    expect_violation src/config/load.c '"net/link.h"' 'config/ may not include net/'
    expect_violation src/etcd/call.c '"api/client.h"' 'etcd/ may not include api/'
    expect_violation src/net/link.c '"agent/agent.h"' 'net/ may not include agent/'
    expect_violation src/net/link.c '"../etcd/state.h"' 'by a relative path'
    expect_violation src/agent/agent.c '"wire.h"' 'not beside it'
    expect_violation src/agent/agent.c '"net/wire.h"' 'not in include/'
    expect_violation src/core/vip.c '<stdio.h>' 'the core is pure'
    expect_violation src/core/vip.c '<time.h>' 'the core is pure'
    expect_violation src/etcd/call.c '<openssl/hmac.h>' 'may be used in net only'
    expect_violation src/net/link.c '<curl/curl.h>' 'may be used in src/base/multi.c etcd api only'
    expect_violation src/agent/agent.c '<event2/event.h>' 'may be used in src/base/loop.c api only'
    expect_violation src/base/buf.c '<event2/event.h>' 'may be used in src/base/loop.c api only'
    expect_violation include/net/link.h '<json-c/json.h>' 'may be used in src/base/fields.c src/base/fields_read.c src/base/fields_write.c etcd api cluster cli only'
    expect_violation src/agent/agent.c '<linux/if_link.h>' 'may be used in net only'
    expect_violation src/cli/command.c '<glib.h>' 'in no table'
    expect_violation src/cli/command.c 'SOMETHING' 'cannot be checked'
    mkdir "$work/tree/src/extra"
    : > "$work/tree/src/extra/extra.c"
    expect_violation src/extra/extra.c '"base/buf.h"' 'is no layer'
    echo "layers: $tried violations planted, $failed not found"
    [ "$failed" -eq 0 ]
}

if [ "${1:-}" = --self-test ]; then
    self_test
else
    check "${1:-.}"
fi
