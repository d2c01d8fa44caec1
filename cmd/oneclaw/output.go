package main

import (
	"encoding/json"
	"fmt"
	"io"
	"strconv"
	"strings"
	"text/tabwriter"
	"time"
	"unicode"

	"github.com/spf13/cobra"

	"github.com/oneclaw/oneclawd/appliance/api"
)

// list prints many of a kind: a table, JSON, or the first column alone.
func (c *cli) list(cmd *cobra.Command, v any, head []string, rows [][]string) error {
	out := cmd.OutOrStdout()
	switch {
	case c.json:
		return printJSON(out, v)
	case c.quiet:
		for _, row := range rows {
			fmt.Fprintln(out, printable(row[0]))
		}
		return nil
	case len(rows) == 0:
		fmt.Fprintln(cmd.ErrOrStderr(), "There are none.")
		return nil
	}
	w := tabwriter.NewWriter(out, 0, 0, 2, ' ', 0)
	if head != nil {
		writeRow(w, head)
	}
	for _, row := range rows {
		writeRow(w, row)
	}
	return w.Flush()
}

// one prints a single thing: what it has under their names, JSON, or its id alone.
func (c *cli) one(cmd *cobra.Command, v any, pairs [][2]string) error {
	out := cmd.OutOrStdout()
	switch {
	case c.json:
		return printJSON(out, v)
	case c.quiet:
		_, err := fmt.Fprintln(out, printable(pairs[0][1]))
		return err
	}
	w := tabwriter.NewWriter(out, 0, 0, 2, ' ', 0)
	for _, p := range pairs {
		if p[1] != "" {
			writeRow(w, p[:])
		}
	}
	return w.Flush()
}

// say tells a person what was done, apart from what is printed for programs.
func (c *cli) say(cmd *cobra.Command, format string, args ...any) {
	if !c.quiet {
		fmt.Fprintln(cmd.ErrOrStderr(), printable(fmt.Sprintf(format, args...)))
	}
}

func printJSON(w io.Writer, v any) error {
	enc := json.NewEncoder(w)
	enc.SetIndent("", "  ")
	enc.SetEscapeHTML(false)
	return enc.Encode(v)
}

func writeRow(w io.Writer, cells []string) {
	for i, cell := range cells {
		if i > 0 {
			fmt.Fprint(w, "\t")
		}
		fmt.Fprint(w, strings.ReplaceAll(printable(cell), "\n", `\n`))
	}
	fmt.Fprintln(w)
}

// printable keeps what others wrote, in names and paths, from moving the cursor or
// worse: control characters and those that turn the direction of writing become
// what Go would write for them.
func printable(s string) string {
	bad := func(r rune) bool {
		return r != '\n' && (unicode.IsControl(r) || unicode.In(r, unicode.Cf) || r == unicode.ReplacementChar)
	}
	if strings.IndexFunc(s, bad) < 0 {
		return s
	}
	var b strings.Builder
	for _, r := range s {
		if bad(r) {
			b.WriteString(strings.Trim(strconv.QuoteToASCII(string(r)), `"`))
		} else {
			b.WriteRune(r)
		}
	}
	return b.String()
}

// when is an instant for people, in their time zone.
func when(t api.Time) string {
	if t.IsZero() {
		return ""
	}
	return t.Local().Format("2006-01-02 15:04")
}

// until is when for what may never come.
func until(t api.Time) string { return or(when(t), "never") }

func or(s, fallback string) string {
	if s == "" {
		return fallback
	}
	return s
}

func yesNo(b bool) string {
	if b {
		return "yes"
	}
	return "no"
}

// parseWhen reads the end of something: an instant, or how long from now: 90m, 12h, 30d.
func parseWhen(s string) (api.Time, error) { return parseEnd("expires", s) }

// parseEnd is parseWhen for a flag of another name.
func parseEnd(flag, s string) (api.Time, error) {
	if s == "" {
		return api.Time{}, nil
	}
	if t, err := time.Parse(time.RFC3339, s); err == nil {
		return api.At(t), nil
	}
	if t, err := time.ParseInLocation(time.DateOnly, s, time.Local); err == nil {
		return api.At(t), nil
	}
	if days, ok := strings.CutSuffix(s, "d"); ok {
		if n, err := strconv.Atoi(days); err == nil && n > 0 {
			return api.At(time.Now().AddDate(0, 0, n)), nil
		}
	}
	if d, err := time.ParseDuration(s); err == nil && d > 0 {
		return api.At(time.Now().Add(d)), nil
	}
	return api.Time{}, usagef("--%s is a date (2030-01-31), an instant (2030-01-31T12:00:00Z) or how long from now (12h, 30d), not %q", flag, s)
}
