package shroud

import (
	"encoding/base64"
	"fmt"
	"strings"
	"sync"
	"testing"

	"github.com/oneclaw/oneclawd/internal/plain"
	"github.com/oneclaw/oneclawd/shroud/detect"
	"github.com/oneclaw/oneclawd/shroud/redact"
)

func matcherOf(values ...string) *redact.Matcher {
	var all []redact.Entry
	for i, v := range values {
		all = append(all, redact.Entry{Path: fmt.Sprint("path/", i), Value: plain.FromString(v)})
	}
	return redact.New(all)
}

func policyOf(t *testing.T, config string) *detect.Policy {
	t.Helper()
	p, err := ParsePolicy([]byte(config))
	if err != nil {
		t.Fatal(err)
	}
	return p.Detect
}

// A text is read once for each policy and each thing that it comes as, and its values
// are looked for again when there are others.
func TestReadingsAreRemembered(t *testing.T) {
	rs, p := &readings{}, policyOf(t, "")
	const text = "Please write to hunter2-hunter2 about the plan of the third quarter, will you?"
	before := matcherOf("another-value")
	first := rs.of(text, before, p, detect.Input)
	if rs.of(strings.Clone(text), before, p, detect.Input) != first {
		t.Error("it was read twice")
	}
	if rs.of(text, before, p, detect.Document) == first || rs.of(text, before, policyOf(t, `{"pii_policy":"block"}`), detect.Input) == first || rs.of(text, before, nil, "") == first {
		t.Error("what was read as something else, or for another policy, was taken")
	}
	if again := rs.of(text, matcherOf("other-values"), p, detect.Input); again == first || again.report != first.report {
		t.Error("with other values it is looked through again, and not inspected again")
	}
	found := rs.of(text, matcherOf("hunter2-hunter2"), p, detect.Input)
	if found.leaks != 1 || strings.Contains(found.bare, "hunter2") {
		t.Errorf("a value that was written since stays: %q", found.bare)
	}
	if report := rs.report(found.bare, p, detect.Input); report != found.report {
		t.Error("what is left of a text with a value is inspected each time")
	}
	if other := rs.of(text+" ", before, p, detect.Input); other.text != text+" " {
		t.Error("one text passes for another")
	}
}

// No text with a value of a vault is kept, and no more of all texts than is allowed.
func TestReadingsAreForgotten(t *testing.T) {
	rs, m := &readings{}, matcherOf("hunter2-hunter2")
	p := policyOf(t, "")
	held := func() (texts, size int) {
		for _, kept := range []map[readingKey]*reading{rs.new, rs.old} {
			for _, r := range kept {
				texts, size = texts+1, size+len(r.text)
				if strings.Contains(r.text, "hunter2") {
					t.Fatalf("a value is kept: %.80q", r.text)
				}
			}
		}
		return texts, size
	}
	rs.of(strings.Repeat("The password is hunter2-hunter2. ", 5), m, p, detect.Input)
	rs.of("hunter\u200b2-hunter2 in a mask of invisible characters", m, p, detect.Input)
	rs.of(strings.Repeat("machines say hunter2-hunter2 ", 5), m, nil, "")
	held()
	for i := range 100 {
		rs.of(fmt.Sprint(i, strings.Repeat("-", 1<<20)), m, nil, "")
		rs.of(fmt.Sprint("short", i), m, nil, "")
	}
	if texts, size := held(); size > maxRemembered || texts < 10 {
		t.Errorf("%d texts of %d bytes are kept", texts, size)
	}
}

// A value is found in what anybody decodes, and goes with all of it.
func TestValuesInDisguise(t *testing.T) {
	const value = "hunter2-hunter2-h7"
	each := func(format string) (out string) {
		for _, c := range []byte(value) {
			out += fmt.Sprintf(format, c)
		}
		return out
	}
	base64Of := func(s string) string { return base64.StdEncoding.EncodeToString([]byte(s)) }
	m, p := matcherOf(value), policyOf(t, "")
	for name, hidden := range map[string]string{
		"escapes of JSON": each(`\u%04x`), "escapes of C": each(`\x%02x`), "entities": each("&#%d;"), "entities in hex": each("&#x%x;"),
		"base64 twice": base64Of(base64Of(value)), "base64 of escapes": base64Of(each(`\u%04x`)), "base64 of text": base64Of("It is " + value + ", but do not tell."),
		"full width": strings.Map(func(r rune) rune { return r + 0xfee0 }, value), "spaced": strings.Join(strings.Split(value, ""), " "),
	} {
		text := "The value is (" + hidden + "), and more follows."
		r := (&readings{}).of(text, m, p, detect.Input)
		if r.leaks == 0 || strings.Contains(r.bare, hidden) || !strings.Contains(r.bare, "[REDACTED:path/0]") || !strings.HasPrefix(r.bare, "The value is") || !strings.HasSuffix(r.bare, " follows.") {
			t.Errorf("%s: %q", name, r.bare)
		}
		if r := (&readings{}).of(text, matcherOf("another-value"), p, detect.Input); r.bare != text {
			t.Errorf("%s, of nothing that is known: %q", name, r.bare)
		}
	}
}

func TestReadingsOfMany(t *testing.T) {
	rs, p, m := &readings{}, policyOf(t, ""), matcherOf("hunter2-hunter2")
	var all sync.WaitGroup
	for range 8 {
		all.Go(func() {
			for i := range 50 {
				if r := rs.of(fmt.Sprint("What is left of hunter2-hunter2? ", i%7), m, p, detect.Input); r.leaks != 1 || r.count() == 0 {
					t.Error(r.bare)
				}
			}
		})
	}
	all.Wait()
}
