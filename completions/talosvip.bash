# SPDX-License-Identifier: MIT
# bash completion of talosvip and vip: asks the program itself.

_talosvip() {
    local cur words cword line value breaks=${COMP_WORDBREAKS//[^=:]/}
    if declare -F _get_comp_words_by_ref >/dev/null; then
        _get_comp_words_by_ref -n "=:" cur words cword
    else
        cur=${COMP_WORDS[COMP_CWORD]} words=("${COMP_WORDS[@]}") cword=$COMP_CWORD
    fi
    COMPREPLY=()
    words[cword]=${cur//\\/} # as it was quoted below
    while IFS= read -r line; do
        case $line in
        :0) compopt -o default ;;
        :*) ;;
        *)
            # The line goes to the shell: whatever a name holds, it is one word there.
            printf -v value %q "${line%%$'\t'*}"
            COMPREPLY+=("$value")
            ;;
        esac
    done < <(command "${words[0]}" __complete -- "${words[@]:1:cword}" 2>/dev/null)
    # A flag and its value joined by "=", or an IPv6 address, are several words to readline, and
    # only the last is replaced.
    if [[ -n $breaks && ${#COMPREPLY[@]} -gt 0 ]]; then
        line=${cur%"${cur##*[$breaks]}"}
        COMPREPLY=("${COMPREPLY[@]#"$line"}")
    fi
}

complete -F _talosvip talosvip vip
