# SPDX-License-Identifier: MIT
# Programs in a real terminal, by tmux: keys go in, the screen is looked at.
# shellcheck shell=bash disable=SC2154

terminal_setup() {
    tmux=(tmux -S "$BATS_TEST_TMPDIR/tmux" -f /dev/null)
}

terminal_teardown() {
    "${tmux[@]}" kill-server 2>/dev/null || true
}

# in_terminal COMMAND...: 100x30, with ./bin in PATH and ./home as home.
in_terminal() {
    "${tmux[@]}" new-session -d -x 100 -y 30 env -i HOME="$PWD/home" TERM=screen LANG=C.UTF-8 \
        PATH="$PWD/bin:/usr/bin:/bin" "$@"
}

# shows TEXT: the screen has it within 10 s.
shows() {
    local end=$((SECONDS + 10))
    until "${tmux[@]}" capture-pane -pJ | grep -qF -- "$1"; do
        if ((SECONDS > end)); then
            "${tmux[@]}" capture-pane -p
            return 1
        fi
        read -rt 0.05 <> <(:) || true
    done
}

type_keys() { "${tmux[@]}" send-keys -- "$@"; }
