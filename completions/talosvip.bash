# SPDX-License-Identifier: MIT
# bash completion of talosvip and vip: asks the program itself.

_talosvip() {
    local cur words cword line value
    if declare -F _get_comp_words_by_ref >/dev/null; then
        _get_comp_words_by_ref -n "=:" cur words cword
    else
        cur=${COMP_WORDS[COMP_CWORD]} words=("${COMP_WORDS[@]}") cword=$COMP_CWORD
    fi
    COMPREPLY=()
    while IFS= read -r line; do
        case $line in
        :0) compopt -o default ;;
        :*) ;;
        *)
            value=${line%%$'\t'*}
            [[ $value != *' '* ]] || printf -v value %q "$value"
            COMPREPLY+=("$value")
            ;;
        esac
    done < <(command "${words[0]}" __complete -- "${words[@]:1:cword}" 2>/dev/null)
    # A flag and its value joined by "=", or an IPv6 address, are several words to readline.
    if [[ $cur == *=* && ${#COMPREPLY[@]} -gt 0 ]]; then
        COMPREPLY=("${COMPREPLY[@]#"${cur%%=*}="}")
    elif declare -F __ltrim_colon_completions >/dev/null; then
        __ltrim_colon_completions "$cur"
    fi
}

complete -F _talosvip talosvip vip
