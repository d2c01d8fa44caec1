// Package corpus reads collections of labelled texts and says how well scores
// tell them apart. It is for the tools that train and measure the inspection
// engine, not for the daemon.
package corpus

import (
	"bufio"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"io"
	"strings"
)

// Labels of texts. Personal data and credentials are no attacks.
const (
	Attack = "attack"
	Benign = "benign"
	PII    = "pii"
	Secret = "secret"
)

// Item is one text.
type Item struct {
	ID       string `json:"id"`
	Label    string `json:"label"`
	Category string `json:"category"`
	Source   string `json:"source"`
	Licence  string `json:"licence"`
	Language string `json:"lang"`
	Text     string `json:"text"`
	Base64   string `json:"text_b64"` // instead of Text, where that would look like a leak
	Spans    []Span `json:"spans"`
}

// Span is a piece of a text that a detector should find. Files count characters;
// Read turns them into bytes.
type Span struct {
	Start int    `json:"start"`
	End   int    `json:"end"`
	Type  string `json:"type"`
}

const maxLine = 16 << 20

// Read reads one item a line.
func Read(r io.Reader) ([]Item, error) {
	var items []Item
	lines := bufio.NewScanner(r)
	lines.Buffer(nil, maxLine)
	for n := 1; lines.Scan(); n++ {
		if len(strings.TrimSpace(lines.Text())) == 0 {
			continue
		}
		var it Item
		if err := json.Unmarshal(lines.Bytes(), &it); err != nil {
			return nil, fmt.Errorf("line %d: %w", n, err)
		}
		if it.Base64 != "" {
			raw, err := base64.StdEncoding.DecodeString(it.Base64)
			if err != nil {
				return nil, fmt.Errorf("line %d: %w", n, err)
			}
			it.Text, it.Base64 = string(raw), ""
		}
		inBytes(it.Text, it.Spans)
		items = append(items, it)
	}
	return items, lines.Err()
}

// inBytes turns places in characters into places in bytes.
func inBytes(text string, spans []Span) {
	if len(spans) == 0 {
		return
	}
	var at []int
	for i := range text {
		at = append(at, i)
	}
	at = append(at, len(text))
	place := func(i int) int { return at[min(max(i, 0), len(at)-1)] }
	for i := range spans {
		spans[i].Start, spans[i].End = place(spans[i].Start), place(spans[i].End)
	}
}

// Family groups sources that come of one hand, so that they are left out
// together.
func (it Item) Family() string {
	s := it.Source
	for _, prefix := range []string{"garak", "derived", "presidio", "CyberSecEval", "BIPIA", "PayloadsAllTheThings", "tldr-pages", "BFCL", "deepset"} {
		if strings.HasPrefix(s, prefix) {
			return prefix
		}
	}
	if kind, project, ok := strings.Cut(s, ":"); ok {
		switch kind {
		case "code", "commit", "config", "diff", "docs":
			return "project:" + project
		}
	}
	return s
}

// OnModels reports whether the item is an attack on a language model that a text
// can show: not one on a shell or a server, which other detectors are for, nor a
// request that only its context makes one.
func (it Item) OnModels() bool {
	if it.Label != Attack {
		return false
	}
	switch it.Category {
	case "command_injection", "path_traversal", "code_abuse", "injection_indirect_weak":
		return false
	}
	return true
}

// Document reports whether the item is what a tool or a file would hold rather
// than what a user would say.
func (it Item) Document() bool {
	switch it.Category {
	case "injection_indirect", "injection_indirect_weak", "hidden_html", "document", "tool_result", "tool_schema", "html_benign",
		"code", "config", "diff", "commit_message", "shell_doc":
		return true
	}
	return false
}
