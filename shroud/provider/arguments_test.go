package provider

import (
	"encoding/json"
	"strings"
	"testing"
)

// feed runs a text through arguments, in pieces of n bytes.
func feed(t testing.TB, text string, n int, open func() Filter) string {
	t.Helper()
	out, err := fed(text, n, open)
	if err != nil {
		t.Fatal(err)
	}
	return out
}

func fed(text string, n int, open func() Filter) (string, error) {
	a, out := newArguments(open), ""
	for len(text) > 0 {
		n := min(n, len(text))
		piece, err := a.Write(text[:n])
		if err != nil {
			return out, err
		}
		out, text = out+piece, text[n:]
	}
	tail, err := a.Close()
	return out + tail, err
}

func TestArguments(t *testing.T) {
	// The word, as it may be spelled, is gone; the rest is as it was.
	for text, want := range map[string]string{
		``:                       ``,
		`{}`:                     `{}`,
		` { "a" : "pa\"ss\\w" }`: ` { "a" : "[gone]" }`,
		`{"a":"x\u0070a\u0022ss\u005cw\n\u00e9y"}`: `{"a":"x[gone]\né` + `y"}`,
		`{"a":"clean \u00e9 \/ \ud83d\ude00"}`:     `{"a":"clean \u00e9 \/ \ud83d\ude00"}`,
		`{"pa\"ss\\w":[1,-2.5e3,true,null]}`:       `{"[gone]":[1,-2.5e3,true,null]}`,
		`{"n":4929123412341234,"m":77}`:            `{"n":"[card]","m":77}`,
		`["a","pa\"ss"]`:                           `["a","pa\"ss"]`,
		`not json pa"ss\w`:                         `not json [gone]`,
		`{"a": wrong pa"ss\w}`:                     `{"a": wrong [gone]}`,
		`{"a":"half pa\"ss\\w`:                     `{"a":"half [gone]`,
		`{"a":"half pa\"ss\`:                       `{"a":"half pa\"ss\`,
		`{"a":49291234`:                            `{"a":49291234`,
		`{"a":"\ud83d"}`:                           `{"a":"\ud83d"}`,
		`{"a":"\ud83d\u0041"}`:                     `{"a":"\ud83d\u0041"}`,
	} {
		for n := 1; n <= len(text)+1; n++ {
			got := feed(t, text, n, func() Filter { return &twoWords{} })
			if got != want {
				t.Errorf("%s in pieces of %d: got %s, want %s", text, n, got, want)
			}
		}
	}
}

// twoWords masks a word with characters that JSON escapes, and a number.
type twoWords struct{ a, b mask }

func (w *twoWords) Write(text string) (string, error) {
	w.a.word, w.a.with = `pa"ss\w`, "[gone]"
	w.b.word, w.b.with = "4929123412341234", "[card]"
	out, _ := w.a.Write(text)
	return w.b.Write(out)
}

func (w *twoWords) Close() (string, error) {
	out, _ := w.a.Close()
	out, _ = w.b.Write(out)
	rest, err := w.b.Close()
	return out + rest, err
}

func TestEachValueHasAFilter(t *testing.T) {
	var seen []string
	feed(t, `{"a":"one","b":["two",{"c":12345678}],"d":5,"e":true}`, 3, func() Filter {
		seen = append(seen, "")
		return &collect{&seen, len(seen) - 1}
	})
	if got := strings.Join(seen, ","); got != "a,one,b,two,c,12345678,d,5,e,true" {
		t.Error(got)
	}
}

type collect struct {
	all *[]string
	i   int
}

func (c *collect) Write(text string) (string, error) { (*c.all)[c.i] += text; return text, nil }
func (c *collect) Close() (string, error)            { return "", nil }

// TestNumbers: a number that has begun to pass cannot become a string.
func TestNumbers(t *testing.T) {
	for text, want := range map[string]string{
		`{"n":4929}`: `{"n":"*"}`, `{"n":14929}`: "error", `{"n":49291,"m":2}`: `{"n":"*1","m":2}`, `[4929,true]`: `["*",true]`, `[7,49,2]`: `[7,49,2]`,
	} {
		for n := 1; n < len(text); n++ {
			a, got := newArguments(func() Filter { return &mask{word: "4929", with: "*"} }), ""
			var err error
			for rest := text; rest != "" && err == nil; rest = rest[min(n, len(rest)):] {
				var out string
				out, err = a.Write(rest[:min(n, len(rest))])
				got += out
			}
			if want == "error" && err == nil && got != `{"n":"1*"}` || want != "error" && (err != nil || got != want) {
				t.Errorf("%s in pieces of %d: %s, %v", text, n, got, err)
			}
		}
	}
	if got := feed(t, `{"n":4929}`, 2, func() Filter { return swallow{} }); got != `{"":""}` {
		t.Error(got)
	}
}

type swallow struct{}

func (swallow) Write(string) (string, error) { return "", nil }
func (swallow) Close() (string, error)       { return "", nil }

func FuzzArguments(f *testing.F) {
	f.Add(`{"a":"x\n","b":[1,{"c":null}]}`, 3, `x`)
	f.Add(`{"a":"\ud83d\ude00\u0041"}`, 1, "A")
	f.Add(`nope`, 1, "")
	f.Fuzz(func(t *testing.T, text string, n int, word string) {
		n = 1 + n&15
		text = strings.ToValidUTF8(text, "")
		if got := feed(t, text, n, func() Filter { return &mask{} }); got != text {
			t.Errorf("unchanged %q came out as %q", text, got)
		}
		masked := func() Filter { return &mask{word: word, with: "*"} }
		got, err := fed(text, n, masked)
		if err != nil {
			return // a number has begun
		}
		if json.Valid([]byte(text)) && !json.Valid([]byte(got)) && (text == "" || strings.ContainsAny(text[:1], "{[")) {
			t.Errorf("%q without %q is no JSON: %q", text, word, got)
		}
	})
}
