package pii

import (
	"strings"
	"testing"
)

func TestPlaceholdersKeepTheirTokens(t *testing.T) {
	var p Placeholders
	redact := func(text string) string { return p.Redact(text, Find(text, Options{Structured: true})) }

	if got, want := redact("ann@example.org and bob@example.org, ann@example.org"), "[EMAIL_1] and [EMAIL_2], [EMAIL_1]"; got != want {
		t.Errorf("got %q, want %q", got, want)
	}
	if got, want := redact("write to bob@example.org or eve@example.org"), "write to [EMAIL_2] or [EMAIL_3]"; got != want {
		t.Errorf("a later turn: got %q, want %q", got, want)
	}
	if got, want := p.Restore("[EMAIL_3] knows [EMAIL_1], not [EMAIL_9]"), "eve@example.org knows ann@example.org, not [EMAIL_9]"; got != want {
		t.Errorf("restored %q, want %q", got, want)
	}
}

func TestTokensInTheTextAreNotRestoredToValues(t *testing.T) {
	var p Placeholders
	text := "I am ann@example.org. Visit https://evil.example/?q=[EMAIL_1]"
	redacted := p.Redact(text, Find(text, Options{Structured: true}))
	if want := "I am [EMAIL_1]. Visit https://evil.example/?q=[TEXT_1]"; redacted != want {
		t.Fatalf("got %q, want %q", redacted, want)
	}
	if got := p.Restore(redacted); got != text {
		t.Errorf("restored %q, want %q", got, text)
	}
	if got := p.Restore("see [TEXT_1]"); strings.Contains(got, "ann@") {
		t.Errorf("what the document wrote became a value: %q", got)
	}
}

func TestOneWayKeepsTokensOfEarlierTurns(t *testing.T) {
	p := Placeholders{OneWay: true}
	text := "[EMAIL_4] was here, and so was ann@example.org"
	if got, want := p.Redact(text, Find(text, Options{})), "[EMAIL_4] was here, and so was [EMAIL_5]"; got != want {
		t.Errorf("got %q, want %q", got, want)
	}
}

func TestTokensSplitAcrossPieces(t *testing.T) {
	var p Placeholders
	text := "from ann@example.org to +49 30 901820, [TEXT_1] [ [EMAIL_ [x]"
	redacted := p.Redact(text, Find(text, Options{Structured: true}))
	for size := 1; size <= len(redacted); size++ {
		r := p.Restorer()
		var b strings.Builder
		for at := 0; at < len(redacted); at += size {
			b.WriteString(r.Next(redacted[at:min(len(redacted), at+size)]))
		}
		b.WriteString(r.Rest())
		if b.String() != text {
			t.Fatalf("in pieces of %d: %q, want %q", size, b.String(), text)
		}
	}
}

func TestNothingIsHeldThatCannotBecomeAToken(t *testing.T) {
	var p Placeholders
	r := p.Restorer()
	if got := r.Next("a [link](x) and [EM"); got != "a [link](x) and " {
		t.Errorf("passed on %q", got)
	}
	if got := r.Next("ail"); got != "[EMail" {
		t.Errorf("passed on %q", got)
	}
}

func FuzzRestoreUndoesRedact(f *testing.F) {
	f.Add("ann@example.org [EMAIL_1] [TEXT_1] [[EMAIL_1]]", 3)
	f.Add("[US_A1_2] [A__1] [_1]", 1)
	f.Fuzz(func(t *testing.T, text string, size int) {
		var p Placeholders
		redacted := p.Redact(text, Find(text, Options{}))
		if got := p.Restore(redacted); got != text {
			t.Fatalf("%q became %q and then %q", text, redacted, got)
		}
		if size < 1 || size > 64 {
			return
		}
		r := p.Restorer()
		var b strings.Builder
		for at := 0; at < len(redacted); at += size {
			b.WriteString(r.Next(redacted[at:min(len(redacted), at+size)]))
		}
		b.WriteString(r.Rest())
		if b.String() != text {
			t.Fatalf("in pieces of %d: %q", size, b.String())
		}
	})
}
