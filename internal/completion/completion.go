// Package completion makes the completion script for bash work in every bash. It
// owns what the script of the library of commands lacks, and knows no command.
package completion

import (
	"io"

	"github.com/spf13/cobra"
)

// InBash has the command `completion bash` of root write a script that works where
// the package bash-completion is not installed.
func InBash(root *cobra.Command) {
	root.InitDefaultCompletionCmd()
	script, _, err := root.Find([]string{"completion", "bash"})
	if err != nil {
		panic(err) // the library has no such command any more
	}
	print := script.RunE
	script.RunE = func(cmd *cobra.Command, args []string) error {
		if _, err := io.WriteString(cmd.OutOrStdout(), before); err != nil {
			return err
		}
		return print(cmd, args)
	}
}

// before comes before the script for bash. That takes the words of the line from a
// function of the package bash-completion, which a Debian need not have installed.
const before = `# Bash without the package bash-completion: the one function of it that is used below.
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
