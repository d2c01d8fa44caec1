package main

import (
	"errors"

	"github.com/spf13/cobra"

	"github.com/oneclaw/oneclawd/appliance/inspection/files"
	"github.com/oneclaw/oneclawd/internal/fault"
)

// errNotSafe makes inspect exit with 1 after it has said what it found.
var errNotSafe = errors.New("a text is suspicious or malicious")

var errInspectFlag = fault.New(fault.Invalid, "invalid_flag", "a flag cannot be used")

func newInspect() *cobra.Command {
	var in files.Inspector
	cmd := &cobra.Command{
		Use:   "inspect [FILE...]",
		Short: "Find injections, tricks, personal data and credentials in texts",
		Long: `Inspect texts as Shroud does, on this machine alone: no daemon and no network is
asked, and nothing is kept. Without FILE, or with -, standard input is read.

  oneclawd inspect prompt.txt
  curl -s https://example.com | oneclawd inspect --context document
  oneclawd inspect --json *.md | jq .verdict
  oneclawd inspect --lines texts.jsonl

The context is what a text came as: input from a person, output of a model, or a
document: a tool's result, a file, a mail, a page. With --lines each line of a file
is {"content": "…", "context": "…"}, and so is each line of the answer.

The exit code is 1 if a text is suspicious or malicious.`,
		RunE: func(cmd *cobra.Command, args []string) error {
			bad, err := in.Inspect(cmd.OutOrStdout(), cmd.InOrStdin(), args)
			var option files.OptionError
			switch {
			case errors.As(err, &option):
				return errInspectFlag.Detail("%v", option)
			case err == nil && bad:
				return errNotSafe
			}
			return err
		},
	}
	cmd.Flags().StringVar(&in.Context, "context", "input", "what the texts came as: input, output or document")
	cmd.Flags().StringVar(&in.Preset, "preset", "balanced", "strict, balanced or permissive")
	complete(cmd, "context", cobra.FixedCompletions([]cobra.Completion{"input", "output", "document"}, cobra.ShellCompDirectiveNoFileComp))
	complete(cmd, "preset", cobra.FixedCompletions([]cobra.Completion{"strict", "balanced", "permissive"}, cobra.ShellCompDirectiveNoFileComp))
	cmd.Flags().StringVar(&in.Config, "shroud-config", "", "file with a shroud_config (JSON) instead of the preset")
	cmd.Flags().BoolVar(&in.JSON, "json", false, "print JSON, one line for each text")
	cmd.Flags().BoolVar(&in.Lines, "lines", false, "each line of a file is a text: {\"content\": …}; prints JSON lines")
	return cmd
}
