# SPDX-License-Identifier: MIT
# plain.awk PAGE...: manual pages as plain text, for `talosvip help`: the part of man(7) that they
# use. A form feed and the page's name stand before each page.

function fail(what) {
    print FILENAME ":" FNR ": plain.awk does not know " what >"/dev/stderr"
    status = 1
    exit
}

function put(text) {
    if (gap && !fresh)
        print ""
    gap = fresh = 0
    print text
}

# One word of the paragraph that is being filled.
function add(word) {
    if (line != "" && length(line) + 1 + length(word) > WIDTH)
        flush()
    line = line == "" ? sprintf("%*s", indent, "") word : line " " word
}

function flush() {
    if (line != "")
        put(line)
    line = ""
}

function plain(text) {
    gsub(/\\f[BIRP]|\\&/, "", text)
    gsub(/\\-/, "-", text)
    if (text ~ /\\[^e]/)
        fail("the escape in " text)
    gsub(/\\e/, "\\", text)
    return text
}

function fill(text,    words, n, i) {
    n = split(plain(text), words, " ")
    for (i = 1; i <= n; i++)
        add(words[i])
}

# The words behind a macro, where "two words" are one, with `between` between them.
function arguments(text, between,    out, word, n) {
    while (match(text, /^ *("[^"]*"|[^ "]+)/)) {
        word = substr(text, 1, RLENGTH)
        text = substr(text, RLENGTH + 1)
        sub(/^ +/, "", word)
        gsub(/^"|"$/, "", word)
        out = out (n++ ? between : "") word
    }
    return out
}

# A tag: what it means follows on the same line if there is room, else on the next.
function tagged(text) {
    line = sprintf("%*s", base, "") plain(text)
    tag = 0
    if (length(line) >= indent)
        flush()
    else
        line = sprintf("%-*s", indent - 1, line)
}

function text_line(text) {
    if (literal)
        put(sprintf("%*s", indent, "") plain(text))
    else if (tag)
        tagged(text)
    else
        fill(text)
}

function paragraph() {
    flush()
    gap = 1
    indent = base
}

# Nothing but a gap stands before a heading, and not even that behind it.
function heading(text) {
    paragraph()
    put(plain(arguments(text, " ")))
    fresh = 1
}

BEGIN {
    WIDTH = 78
}

FNR == 1 {
    flush()
    name = FILENAME
    gsub(/.*\/|\.[0-9]$/, "", name)
    sub(/^talosvip-/, "", name)
    printf "\f%s\n", name
    base = indent = 7
    tag = literal = gap = tight = 0
    fresh = 1
}

/^\.\\"/ || /^\.TH / { next }
/^\.SH / { base = 7; heading(substr($0, 5)); next }
/^\.SS / { heading("\"   " substr($0, 5) "\""); next }
/^\.PP$/ { paragraph(); next }
/^\.PD( 0)?$/ { flush(); tight = $2 == "0"; gap = !tight; next }
/^\.TP$/ { flush(); gap = !tight; indent = base + 7; tag = 1; next }
/^\.RS$/ { flush(); indent = base += 7; next }
/^\.RE$/ { flush(); indent = base -= 7; next }
/^\.nf$/ { flush(); literal = 1; next }
/^\.fi$/ { literal = 0; next }
/^\.[BI] / { text_line(arguments(substr($0, 4), " ")); next }
/^\.(BR|RB|IR|RI|BI|IB) / { text_line(arguments(substr($0, 5), "")); next }
/^\./ { fail($1) }
{ text_line($0) }

END {
    flush()
    exit status
}
