# SPDX-License-Identifier: MIT
# fish completion of talosvip and vip: asks the program itself.

function __talosvip_complete
    set -l words (commandline -opc) (commandline -ct)
    set -l program $words[1]
    command $program __complete -- $words[2..-1] 2>/dev/null | while read -l line
        switch $line
            case ':0'
                __fish_complete_path (commandline -ct)
            case ':*'
            case '*'
                printf '%s\n' $line
        end
    end
end

complete -c talosvip -f -a '(__talosvip_complete)'
complete -c vip -f -a '(__talosvip_complete)'
