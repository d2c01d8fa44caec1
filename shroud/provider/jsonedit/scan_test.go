package jsonedit

import (
	"bytes"
	"errors"
	"io"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/go-json-experiment/json/jsontext"
)

// library is what jsontext makes of a text: the places of its tokens, and false if it
// refuses it.
func library(text string, loose bool) (places []place, ok bool) {
	dec := jsontext.NewDecoder(bytes.NewBufferString(text), jsontext.AllowDuplicateNames(loose), jsontext.AllowInvalidUTF8(loose))
	var open []int
	for {
		kind := dec.PeekKind()
		switch kind {
		case '{', '[':
			if _, err := dec.ReadToken(); err != nil || len(open) == maxDepth {
				return nil, false
			}
			open = append(open, len(places))
			places = append(places, place{start: int32(dec.InputOffset() - 1), kind: Kind(kind)})
		case '}', ']':
			if _, err := dec.ReadToken(); err != nil {
				return nil, false
			}
			p := &places[open[len(open)-1]]
			p.end, p.next = int32(dec.InputOffset()), int32(len(places))
			open = open[:len(open)-1]
		default:
			v, err := dec.ReadValue()
			if err != nil {
				return nil, false
			}
			end := dec.InputOffset()
			places = append(places, place{int32(end) - int32(len(v)), int32(end), int32(len(places) + 1), Kind(kind)})
		}
		if len(open) == 0 {
			_, err := dec.ReadToken()
			return places, errors.Is(err, io.EOF)
		}
	}
}

func compare(t *testing.T, text string) {
	t.Helper()
	for _, loose := range []bool{false, true} {
		want, ok := library(text, loose)
		got, err := scan(text, loose, nil)
		if (err == nil) != ok {
			t.Fatalf("%q, loose %t: %v, and the library takes it: %t", text, loose, err, ok)
		}
		if ok && !slices.Equal(got, want) {
			t.Errorf("%q, loose %t:\n%v\n%v", text, loose, got, want)
		}
	}
}

// oddTexts are texts that readers of JSON have been wrong about.
func oddTexts() []string {
	texts := []string{
		"", " ", "\x00", "{}\x00", "nul", "nulll", "True", "true false", "-", "-0", "00", "01", "1.", ".5", "1.5e", "1e+", "1e+5", "-1.25E-07", "+1", "0x1", "1_0", "NaN",
		"[", "]", "[]]", "[,]", "[1,]", "[1 2]", "[1,,2]", "{", "{]", "[}", "{,}", `{"a"}`, `{"a":}`, `{"a":1,}`, `{"a":1 "b":2}`, `{a:1}`, `{1:2}`, `{"a":1;}`, `{"a" : 1 , "b" : [ ] }`,
		`"`, `"a`, `"\`, `"\"`, `"\\"`, `"\x"`, `"\u"`, `"\u12"`, `"\u12g4"`, `"\U0041"`, `"\u00aF"`, `"\ud83d\ude00"`, `"\ud83d"`, `"\ude00"`, `"\ude00\ud83d"`, `"\ud83d\ud83d"`, `"\ud83dx"`, `"\ud83d\n"`, `"\ud83d\u"`,
		"\"\t\"", "\"\x1f\"", "\"\x7f\"", "\"\n\"", "\"\xc3\"", "\"\xc3\xa9\"", "\"\xed\xa0\x80\"", "\"\xf4\x90\x80\x80\"", "\"\xc0\x80\"", "\"\xef\xbf\xbd\"", "\"\xff", "\ufeff{}", "\u00a0{}", "{}\v",
		`{"a":1,"a":2}`, `{"a":1,"\u0061":2}`, `{"":1,"":2}`, `{"a":{"a":1},"b":{"a":1}}`, `[{"a":1},{"a":1}]`, "{\"\xff\":1,\"\ufffd\":2}", `{"\ud800":1,"\udfff":2}`, `{"a\/":1,"a/":2}`,
		strings.Repeat("[", maxDepth) + strings.Repeat("]", maxDepth), strings.Repeat("[", maxDepth+1) + strings.Repeat("]", maxDepth+1), strings.Repeat("[", 3),
	}
	for _, odd := range []string{`"`, `\n`, "\x01", "é", "\xff", "\x80", "\\u0041", "!", "#", "[", "]", " ", "\x1f"} { // at each place of eight bytes
		for n := range 18 {
			texts = append(texts, `"`+strings.Repeat("x", n)+odd+strings.Repeat("y", 17-n)+`"`)
		}
	}
	for _, n := range []int{fewNames - 1, fewNames, fewNames + 1, 5 * fewNames} {
		var b strings.Builder
		for i := range n {
			b.WriteString(`"n` + strconv.Itoa(i) + `":{"n1":1,"n2":2},`)
		}
		texts = append(texts, "{"+b.String()+`"last":1}`, "{"+b.String()+`"n0":1}`, "{"+b.String()+`"n`+strconv.Itoa(n-1)+`":1}`, "{"+b.String()+`"last":1,"last":2}`)
	}
	return texts
}

func TestScanIsTheLibrarys(t *testing.T) {
	for _, text := range oddTexts() {
		compare(t, text)
		compare(t, `{"k":[`+text+`]}`)
	}
}

func FuzzScan(f *testing.F) {
	for _, text := range oddTexts() {
		f.Add(text)
	}
	f.Fuzz(func(t *testing.T, text string) {
		if strings.Count(text, "[")+strings.Count(text, "{") < maxDepth { // the library goes on, and may find more wrong
			compare(t, text)
		}
	})
}
