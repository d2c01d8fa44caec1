package view

import (
	"strings"
	"testing"
)

// texts are what inspection is mostly given, and what would like to be slow.
func texts() map[string]string {
	prose := "The daemon keeps what it knows in one file, and says so in its log. Nobody else may read it.\n"
	code := "func (s *Server) handle(w http.ResponseWriter, r *http.Request) {\n\tif err := s.check(r); err != nil {\n\t\treturn\n\t}\n}\n"
	page := `<div class="row"><p>Some <b>text</b> here &amp; there</p><a href="/docs/index.html" title="Docs">docs</a></div>` + "\n"
	m := map[string]string{}
	for name, s := range map[string]string{
		"prose": prose, "code": code, "page": page,
		"russian": "Демон хранит всё, что знает, в одном файле и пишет об этом в журнал.\n",
		"chinese": "守护进程把它所知道的一切都保存在一个文件中，并在日志中写明。\n",
		"lt":      "<", "base64": "QUJD", "a": "a", "backslash": `\x`, "percent": "%4", "bracket": "](", "definition": "[a]: b (\n", "nested": "<p hidden>",
		"zero": "a\u200B", "mark": "a\u0301\u0302\u0303\u0304", "digits": "65 ", "dots": ". ", "letters": "a b ", "override": "\u202Ea", "entity": "&#65;",
		"comment": "<!--", "details": "<details>", "signs": "!#%&(", "braille": "⠁", "radio": "tango echo sierra ", "upside": "ǝʇɹɐ ", "moved": "E96 ", "marked": "i\u0308", "title": `](x "`, "style": "<style>", "quote": `<a b="`, "selector": "\uFE01", "tag": "\U000E0041", "homoglyph": "а1b", "escape": "\x1b[8m", "quoted": `[a]: b "`,
		"dashes": "-", "hexes": "4f ", "leet": "l33t w0rd ", "kinds": "a\u200Bb\u0301\u0302\u0303\u0304\u202E\x1b[8m",
	} {
		m[name] = strings.Repeat(s, 256<<10/len(s))
	}
	return m
}

func BenchmarkNormalise(b *testing.B) {
	for name, text := range texts() {
		b.Run(name, func(b *testing.B) {
			b.SetBytes(int64(len(text)))
			for b.Loop() {
				Normalise(text)
			}
		})
	}
}

func BenchmarkViews(b *testing.B) {
	for name, text := range texts() {
		b.Run(name, func(b *testing.B) {
			b.SetBytes(int64(len(text)))
			n := Normalise(text)
			for b.Loop() {
				Views(n, Budget{})
			}
		})
	}
}
