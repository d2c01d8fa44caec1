package mcp

import (
	"bytes"
	"encoding/json"
	"strings"
)

// compact is a value as JSON, with <, > and & as they are: the text is for a model,
// not for a page.
func compact(v any) string { return encoded(v, "") }

// indented is compact over several lines.
func indented(v any) string { return encoded(v, "  ") }

func encoded(v any, indent string) string {
	var out bytes.Buffer
	e := json.NewEncoder(&out)
	e.SetEscapeHTML(false)
	e.SetIndent("", indent)
	if err := e.Encode(v); err != nil {
		panic(err) // wiring: the types of this package are all JSON
	}
	return strings.TrimSuffix(out.String(), "\n")
}
