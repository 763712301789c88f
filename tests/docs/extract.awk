# SPDX-License-Identifier: MIT
# extract.awk FILE...: the commands of pages, in order: FILE:LINE, the exit status that the page
# states, the command, and what it is said to print, separated by tabs; in that, lines by \001.
#
# A command is a line of an indented block, or of one fenced as ```sh; a backslash at its end goes on.
# In one fenced as ```console it stands behind "$ ", and what it prints follows. Of a manual page in
# plain text: lines of EXAMPLES, and literal ones, that begin with a program that the pages speak of.

function flush(    status, at) {
    if (command == "")
        return
    status = 0
    if (match(command, /  +# .*/)) {
        at = substr(command, RSTART)
        command = substr(command, 1, RSTART - 1)
        if (match(at, /exit status [0-9]+/))
            status = substr(at, RSTART + 12, RLENGTH - 12)
    }
    printf "%s\t%d\t%s\t%s\n", where, status, command, shown
    command = shown = ""
}

function line_of_command(text) {
    if (command !~ /\\$/) {
        flush()
        where = page ":" FNR
        command = text
    } else {
        sub(/ *\\$/, " ", command)
        sub(/^ +/, "", text)
        command = command text
    }
}

FNR == 1 { flush(); page = FILENAME; fence = ""; before = "" }
/^\f/ { flush(); page = "help:" substr($0, 2); part = ""; next }
page ~ /^help:/ {
    if (/^[A-Z]/)
        part = $0
    if (part == "EXAMPLES" ? /^       (talosvip|etcdctl|jq) / : /^              etcdctl (role|user) /) {
        sub(/^ +/, "")
        line_of_command($0)
        flush()
    }
    next
}
/^```/ { flush(); fence = fence == "" ? $0 : ""; next }
fence == "```sh" { if (NF) line_of_command($0); next }
fence == "```console" {
    if (/^\$ /)
        line_of_command(substr($0, 3))
    else if (command ~ /\\$/)
        line_of_command($0)
    else
        shown = shown $0 "\001"
    next
}
fence == "" && /^    / && (before == "" || before ~ /^    /) && !/^ +[-*0-9]/ {
    before = $0
    sub(/^ +/, "")
    line_of_command($0)
    next
}
{ flush(); before = $0 }
END { flush() }
