package main

import (
	"bufio"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"slices"
	"text/tabwriter"

	"github.com/spf13/cobra"

	"github.com/oneclaw/oneclawd/appliance/api"
	"github.com/oneclaw/oneclawd/appliance/inspection"
	"github.com/oneclaw/oneclawd/internal/fault"
	"github.com/oneclaw/oneclawd/shroud/detect"
)

// errNotSafe makes inspect exit with 1 after it has said what it found.
var errNotSafe = errors.New("a text is suspicious or malicious")

var errInspectFlag = fault.New(fault.Invalid, "invalid_flag", "a flag cannot be used")

// inspecting is what the flags of inspect say.
type inspecting struct {
	context, preset, config string
	asJSON, lines           bool
}

// maxInspected bounds one text, in bytes.
const maxInspected = 64 << 20

func newInspect() *cobra.Command {
	in := inspecting{}
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
		RunE: func(cmd *cobra.Command, args []string) error { return in.run(cmd, args) },
	}
	cmd.Flags().StringVar(&in.context, "context", "input", "what the texts came as: input, output or document")
	cmd.Flags().StringVar(&in.preset, "preset", "balanced", "strict, balanced or permissive")
	cmd.Flags().StringVar(&in.config, "shroud-config", "", "file with a shroud_config (JSON) instead of the preset")
	cmd.Flags().BoolVar(&in.asJSON, "json", false, "print JSON, one line for each text")
	cmd.Flags().BoolVar(&in.lines, "lines", false, "each line of a file is a text: {\"content\": …}; prints JSON lines")
	return cmd
}

func (in inspecting) run(cmd *cobra.Command, names []string) error {
	if !slices.Contains([]string{"input", "output", "document"}, in.context) {
		return errInspectFlag.Detail("--context is input, output or document, not %q", in.context)
	}
	policy, err := in.policy()
	if err != nil {
		return errInspectFlag.Detail("%v", err)
	}
	if len(names) == 0 {
		names = []string{"-"}
	}
	bad := false
	for _, name := range names {
		r, closes, err := openInput(cmd, name)
		if err != nil {
			return err
		}
		found, err := in.inspect(cmd.OutOrStdout(), name, r, policy)
		closes()
		if err != nil {
			return fmt.Errorf("%s: %w", name, err)
		}
		bad = bad || found
	}
	if bad {
		return errNotSafe
	}
	return nil
}

func openInput(cmd *cobra.Command, name string) (io.Reader, func(), error) {
	if name == "-" {
		return cmd.InOrStdin(), func() {}, nil
	}
	f, err := os.Open(name)
	if err != nil {
		return nil, nil, err
	}
	return f, func() { _ = f.Close() }, nil
}

func (in inspecting) policy() (*detect.Policy, error) {
	c, ok := detect.Preset(in.preset)
	if !ok {
		return nil, fmt.Errorf("--preset is strict, balanced or permissive, not %q", in.preset)
	}
	if in.config != "" {
		text, err := os.ReadFile(in.config)
		if err != nil {
			return nil, err
		}
		if c, err = detect.ParseConfig(text); err != nil {
			return nil, fmt.Errorf("%s: %w", in.config, err)
		}
	}
	return detect.NewPolicy(c)
}

// inspect reports whether a text of r is suspicious or worse.
func (in inspecting) inspect(w io.Writer, name string, r io.Reader, policy *detect.Policy) (bad bool, err error) {
	if in.lines {
		return in.inspectLines(w, r, policy)
	}
	text, err := io.ReadAll(io.LimitReader(r, maxInspected+1))
	if err != nil {
		return false, err
	}
	if len(text) > maxInspected {
		return false, fmt.Errorf("more than %d MB", maxInspected>>20)
	}
	found := inspection.Of(detect.Inspect(string(text), detect.Options{Context: detect.Context(in.context), Policy: policy}))
	if in.asJSON {
		return suspicious(found), json.NewEncoder(w).Encode(struct {
			File string `json:"file"`
			api.Inspection
		}{name, found})
	}
	return suspicious(found), printInspection(w, name, found)
}

func (in inspecting) inspectLines(w io.Writer, r io.Reader, policy *detect.Policy) (bad bool, err error) {
	lines := json.NewDecoder(bufio.NewReaderSize(r, 1<<16))
	out := bufio.NewWriter(w)
	enc := json.NewEncoder(out)
	for n := 1; ; n++ {
		item := api.InspectItem{Context: in.context}
		if err := lines.Decode(&item); errors.Is(err, io.EOF) {
			return bad, out.Flush()
		} else if err != nil {
			return bad, errors.Join(out.Flush(), fmt.Errorf("text %d: %w", n, err))
		}
		found := inspection.Of(detect.Inspect(item.Content, detect.Options{Context: detect.Context(item.Context), Policy: policy}))
		bad = bad || suspicious(found)
		if err := enc.Encode(found); err != nil {
			return bad, err
		}
	}
}

func suspicious(i api.Inspection) bool {
	return i.Verdict == string(detect.Suspicious) || i.Verdict == string(detect.Malicious)
}

func printInspection(out io.Writer, name string, i api.Inspection) error {
	fmt.Fprintf(out, "%s: %s  (injection %.2f, in documents %.2f)\n", name, i.Verdict, i.InjectionScore, i.ContextInjectionScore)
	w := tabwriter.NewWriter(out, 0, 0, 2, ' ', 0)
	for _, list := range [][]api.InspectionFinding{i.Threats, i.Secrets, i.PII} {
		for _, f := range list {
			fmt.Fprintf(w, "  %s\t%s\t%s\t%d-%d\t%s\n", f.Severity, f.Type, f.Pattern, f.Start, f.End, f.Explanation)
		}
	}
	if i.Truncated {
		fmt.Fprintf(w, "  \tThe search ended early: the text is larger or more tangled than is looked through.\n")
	}
	return w.Flush()
}
