package jsonedit

import (
	"errors"
	"strings"
	"testing"

	"github.com/go-json-experiment/json/jsontext"
)

func TestParseRefuses(t *testing.T) {
	for name, c := range map[string]struct {
		text string
		want error
	}{
		"nothing":             {"", ErrSyntax},
		"half":                {`{"a":`, ErrSyntax},
		"two values":          {`{} {}`, ErrSyntax},
		"garbage behind":      {`{}x`, ErrSyntax},
		"duplicate":           {`{"a":1,"a":2}`, ErrDuplicate},
		"duplicate, escaped":  {`{"a":1,"\u0061":2}`, ErrDuplicate},
		"duplicate, deep":     {`[{"a":{"b":1,"b":2}}]`, ErrDuplicate},
		"no UTF-8":            {"\"\xff\"", ErrSyntax},
		"half a surrogate":    {`"\ud800"`, ErrSyntax},
		"a byte order mark":   {"\ufeff{}", ErrSyntax},
		"too deep":            {strings.Repeat("[", 200) + strings.Repeat("]", 200), ErrDepth},
		"a bomb":              {strings.Repeat(`{"a":`, 1<<16), ErrDepth},
		"a comment":           {`{} // x`, ErrSyntax},
		"control in a string": {"\"\x01\"", ErrSyntax},
	} {
		t.Run(name, func(t *testing.T) {
			if _, err := Parse([]byte(c.text)); !errors.Is(err, c.want) {
				t.Errorf("got %v, want %v", err, c.want)
			}
		})
	}
}

func TestRefusalRepeatsNothing(t *testing.T) {
	_, err := Parse([]byte(`{"canary-value":1,"canary-value":2}`))
	if err == nil || strings.Contains(err.Error(), "canary") || !strings.Contains(err.Error(), "the same name twice, near byte 18") {
		t.Errorf("got %v", err)
	}
}

func TestApply(t *testing.T) {
	src := "{ \"a\" : \"x\\u0041\",\n\"b\":[1, \"two\",{\"c~/d\":null}] }"
	d, err := Parse([]byte(src))
	if err != nil {
		t.Fatal(err)
	}
	if got := string(d.Apply(nil)); got != src {
		t.Errorf("without edits: %s", got)
	}
	var second Node
	for n := range d.Root().Get("b").Items() {
		if n.Kind() == String {
			second = n
		}
	}
	got := string(d.Apply([]Edit{{second, Quote("2\n\"")}, {d.Root().Get("a"), []byte("0")}}))
	if want := "{ \"a\" : 0,\n\"b\":[1, \"2\\n\\\"\",{\"c~/d\":null}] }"; got != want {
		t.Errorf("got %s\nwant %s", got, want)
	}
	if got := string(d.Apply([]Edit{{second, Quote("in")}, {d.Root().Get("b"), []byte("[]")}})); got != "{ \"a\" : \"x\\u0041\",\n\"b\":[] }" {
		t.Errorf("the outer edit holds: %s", got)
	}
	if got := d.Root().Get("a").Text(); got != "xA" {
		t.Errorf("text %q", got)
	}
	if got := d.Pointer(second); got != "/b/1" {
		t.Errorf("pointer %q", got)
	}
}

// TestParser: one text leaves nothing to the next, whatever was wrong with it.
func TestParser(t *testing.T) {
	var p Parser
	for range 3 {
		for text, want := range map[string]string{
			`{"a":"b","a":"c"}`: "b", `{"a":"\ud800"}`: "\uFFFD", `{"a":`: "", `[[{"a":1}`: "", `{"a":{"b":[]}}`: "", "{\"a\":\"\xff\"}": "\uFFFD",
		} {
			src := []byte(text)
			d, err := p.Parse(src)
			one, wrong := ParseLoose([]byte(text))
			if (err == nil) != (wrong == nil) {
				t.Fatalf("%s: %v, alone %v", text, err, wrong)
			}
			if string(src) != text {
				t.Errorf("the text was written to: %q", src)
			}
			if err == nil && (d.Root().Get("a").Text() != want || one.Root().Get("a").Text() != want) {
				t.Errorf("%s: %q, alone %q", text, d.Root().Get("a").Text(), one.Root().Get("a").Text())
			}
		}
	}
}

func TestAbsent(t *testing.T) {
	d, err := Parse([]byte(`{"a":[]}`))
	if err != nil {
		t.Fatal(err)
	}
	n := d.Root().Get("x", "y", "z")
	if n.Is() || n.Text() != "" || n.Int() != 0 || n.True() || n.Raw() != nil {
		t.Error("a value that is not there has something")
	}
}

// FuzzText compares with what the library reads.
func FuzzText(f *testing.F) {
	f.Add(`"a\n\u00e9\ud83d\ude00\ud800x\\\"\/"`)
	f.Fuzz(func(t *testing.T, src string) {
		d, err := ParseLoose([]byte(src))
		if err != nil || d.Root().Kind() != String {
			return
		}
		want, _ := jsontext.AppendUnquote(nil, strings.Trim(src, " \t\r\n"))
		if got := d.Root().Text(); got != string(want) {
			t.Errorf("%s: %q, want %q", src, got, want)
		}
	})
}

func FuzzApply(f *testing.F) {
	f.Add(`{"a":"b","c":[1,2,{"d":"e\n"}]}`, "x")
	f.Add(`["\ud83d\ude00"]`, "\xff")
	f.Fuzz(func(t *testing.T, src, with string) {
		d, err := Parse([]byte(src))
		if err != nil {
			return
		}
		var edits []Edit
		var walk func(n Node)
		walk = func(n Node) {
			for _, v := range n.Fields() {
				walk(v)
			}
			for v := range n.Items() {
				walk(v)
			}
			if n.Kind() == String {
				edits = append(edits, Edit{n, Quote(with)})
			}
			_ = d.Pointer(n)
		}
		walk(d.Root())
		out := d.Apply(edits)
		if _, err := Parse(out); err != nil {
			t.Errorf("%q with %q: %q: %v", src, with, out, err)
		}
	})
}

func BenchmarkParse(b *testing.B) {
	turn := `{"role":"user","content":"` + strings.Repeat(`some words of a long text, and a line\n`, 50) + `"},`
	for name, text := range map[string]string{
		"400B":  `{"model":"gpt-4o","messages":[{"role":"system","content":"You are helpful."},{"role":"user","content":"` + strings.Repeat("words ", 40) + `"}]}`,
		"400KB": `{"model":"gpt-4o","messages":[` + strings.TrimSuffix(strings.Repeat(turn, 200), ",") + `]}`,
	} {
		b.Run(name, func(b *testing.B) {
			src := []byte(text)
			b.SetBytes(int64(len(src)))
			b.ReportAllocs()
			for b.Loop() {
				if _, err := Parse(src); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}
