// Package completion makes the completion script for bash work in every bash. It
// owns what the script of the library of commands lacks, and knows no command.
package completion

// Bash comes before the script for bash. That takes the words of the line from a
// function of the package bash-completion, which a Debian need not have installed.
const Bash = `# Bash without the package bash-completion: the one function of it that is used below.
if ! declare -F _init_completion >/dev/null 2>&1 && ! declare -F _get_comp_words_by_ref >/dev/null 2>&1; then
_get_comp_words_by_ref()
{
    # Words that bash split at = and : are put together again.
    local i word last=""
    words=() cword=0
    for i in "${!COMP_WORDS[@]}"; do
        word=${COMP_WORDS[i]}
        if [[ ${#words[@]} -gt 0 && -n ${word} && ( ${word} == [=:]* || ${last} == *[=:] ) ]]; then
            words[${#words[@]}-1]+=${word}
        else
            words+=("${word}")
        fi
        last=${word}
        if [[ ${i} -eq ${COMP_CWORD} ]]; then
            cword=$((${#words[@]} - 1))
        fi
    done
    cur=${words[cword]} prev=${words[cword > 0 ? cword - 1 : 0]}
}
fi

`
