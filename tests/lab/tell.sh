# shellcheck shell=bash
# SPDX-License-Identifier: MIT
# A script that ends before its end says where. Sourced by scripts under `set -e`.
#
# The ERR trap sees each command that makes `set -e` end the script, and only those. What fails in a
# subshell is told of by the command that the subshell is a part of; so it is told once.
# tell_more, where there is one, is called after that.
tell_end()
{
    local status=$1 command=${2%%$'\n'*} i chain=
    [[ $- = *e* && $BASH_SUBSHELL = 0 ]] || return 0
    trap - ERR
    for ((i = 1; i + 1 < ${#FUNCNAME[@]}; i++)); do
        chain+=", in ${FUNCNAME[i]} (called at ${BASH_SOURCE[i + 1]##*/}:${BASH_LINENO[i]})"
    done
    printf '%s: ended by a command that failed, status %d: %s\n    at %s:%d%s\n' "${0##*/}" "$status" \
        "$command" "${BASH_SOURCE[1]##*/}" "${BASH_LINENO[0]}" "$chain" >&2
    if declare -F tell_more >/dev/null; then
        tell_more
    fi
}
set -E
trap 'tell_end $? "$BASH_COMMAND"' ERR
