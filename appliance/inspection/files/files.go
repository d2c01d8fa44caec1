// Package files inspects files and streams, for the commands that do: as Shroud
// inspects texts, on this machine alone.
//
// It reads, judges and prints. It must not know which command asks, and opens no
// connection.
package files

import (
	"bufio"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"slices"
	"strings"
	"text/tabwriter"

	"github.com/oneclaw/oneclawd/appliance/api"
	"github.com/oneclaw/oneclawd/appliance/inspection"
	"github.com/oneclaw/oneclawd/shroud/detect"
)

// MaxText bounds one text, in bytes.
const MaxText = 64 << 20

// contexts are what a text may have come as.
var contexts = []string{string(detect.Input), string(detect.Output), string(detect.Document)}

// OptionError is an option that cannot be used.
type OptionError string

// Error says which option, and why.
func (o OptionError) Error() string { return string(o) }

// Inspector says how files are inspected, and how that is told.
type Inspector struct {
	Context string // what the texts came as: input, output or document
	Preset  string // strict, balanced or permissive
	Config  string // file with a shroud_config, instead of the preset
	JSON    bool   // a line of JSON for each text
	Lines   bool   // each line of a file is a text, and each of the answer JSON
}

// Inspect inspects the files named, "-" being in, and says on out what it found. It
// reports whether a text is suspicious or worse.
func (i Inspector) Inspect(out io.Writer, in io.Reader, names []string) (bad bool, err error) {
	if !slices.Contains(contexts, i.Context) {
		return false, OptionError(fmt.Sprintf("--context is input, output or document, not %q", i.Context))
	}
	policy, err := i.policy()
	if err != nil {
		return false, OptionError(err.Error())
	}
	if len(names) == 0 {
		names = []string{"-"}
	}
	for _, name := range names {
		found, err := i.file(out, in, name, policy)
		if err != nil {
			return bad, err
		}
		bad = bad || found
	}
	return bad, nil
}

func (i Inspector) policy() (*detect.Policy, error) {
	c, ok := detect.Preset(i.Preset)
	if !ok {
		return nil, fmt.Errorf("--preset is strict, balanced or permissive, not %q", i.Preset)
	}
	if i.Config != "" {
		text, err := os.ReadFile(i.Config)
		if err != nil {
			return nil, err
		}
		if c, err = detect.ParseConfig(text); err != nil {
			return nil, fmt.Errorf("%s: %w", i.Config, err)
		}
	}
	return detect.NewPolicy(c)
}

func (i Inspector) file(out io.Writer, in io.Reader, name string, policy *detect.Policy) (bad bool, err error) {
	if name != "-" {
		f, err := os.Open(name)
		if err != nil {
			return false, err
		}
		defer f.Close()
		in = f
	}
	inspect := i.whole
	if i.Lines {
		inspect = i.lines
	}
	if bad, err = inspect(out, name, in, policy); err != nil {
		return bad, fmt.Errorf("%s: %w", name, err)
	}
	return bad, nil
}

// whole inspects a file as one text.
func (i Inspector) whole(out io.Writer, name string, r io.Reader, policy *detect.Policy) (bad bool, err error) {
	text, err := io.ReadAll(io.LimitReader(r, MaxText+1))
	if err != nil {
		return false, err
	}
	if len(text) > MaxText {
		return false, fmt.Errorf("more than %d MB", MaxText>>20)
	}
	found := inspection.Of(detect.Inspect(string(text), detect.Options{Context: detect.Context(i.Context), Policy: policy}))
	if i.JSON {
		return suspicious(found), json.NewEncoder(out).Encode(struct {
			File string `json:"file"`
			api.Inspection
		}{name, found})
	}
	return suspicious(found), printInspection(out, name, found)
}

// lines inspects each line of a file as a text of its own.
func (i Inspector) lines(w io.Writer, _ string, r io.Reader, policy *detect.Policy) (bad bool, err error) {
	lines := json.NewDecoder(bufio.NewReaderSize(r, 1<<16))
	out := bufio.NewWriter(w)
	enc := json.NewEncoder(out)
	for n := 1; ; n++ {
		item := api.InspectItem{Context: i.Context}
		if err := lines.Decode(&item); errors.Is(err, io.EOF) {
			return bad, out.Flush()
		} else if err != nil {
			return bad, errors.Join(out.Flush(), fmt.Errorf("text %d: %w", n, err))
		}
		if item.Context == "" {
			item.Context = i.Context
		}
		if !slices.Contains(contexts, item.Context) {
			return bad, errors.Join(out.Flush(), fmt.Errorf("text %d: context is input, output or document, not %q", n, item.Context))
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
		fmt.Fprintf(w, "  \tThe search ended early: the text is larger or more tangled than is looked through (%s).\n", strings.Join(i.TruncatedBy, ", "))
	}
	return w.Flush()
}
