package screen

import (
	"context"
	"encoding/base64"
	"errors"
	"strings"
	"testing"

	"github.com/oneclaw/oneclawd/internal/plain"
	"github.com/oneclaw/oneclawd/shroud/redact"
	"github.com/oneclaw/oneclawd/vault/identity"
	"github.com/oneclaw/oneclawd/vault/use"
)

const (
	used  = "the-value-that-was-used"
	other = "another-value-of-the-vault"
)

type manifests struct{ err error }

func (m manifests) For(context.Context, identity.Principal) (*redact.Matcher, uint64, error) {
	return redact.New([]redact.Entry{{Path: "api/other", Value: plain.FromString(other)}}), 1, m.err
}

func screened(t *testing.T, value string) (use.Filter, bool) {
	t.Helper()
	s, err := Screens{manifests{}}.For(t.Context(), identity.Principal{})
	if err != nil {
		t.Fatal(err)
	}
	return s.With([]use.Value{{Path: "api/used", Value: plain.FromString(value)}})
}

// Both the value that was used and whatever else the agent has in its vaults are
// taken out, under their paths.
func TestClean(t *testing.T) {
	f, covered := screened(t, used)
	if !covered {
		t.Fatal("the value cannot be found again")
	}
	for text, want := range map[string]string{
		"nothing":                 "nothing",
		"a " + used + " b":        "a [REDACTED:api/used] b",
		used + "/" + other + "/.": "[REDACTED:api/used]/[REDACTED:api/other]/.",
	} {
		got, n := f.Clean(text)
		if got != want || n != strings.Count(want, "[REDACTED") {
			t.Errorf("%q became %q, %d found", text, got, n)
		}
	}
	if got, n := f.Clean(base64.StdEncoding.EncodeToString([]byte("x" + used))); n == 0 {
		t.Errorf("encoded, it stays: %q", got)
	}
}

// A value that no filter takes out is seen through its disguise.
func TestHides(t *testing.T) {
	f, _ := screened(t, used)
	wide := func(little bool) string {
		var b strings.Builder
		for _, c := range []byte(used) {
			if little {
				b.WriteString(string([]byte{c, 0}))
			} else {
				b.WriteString(string([]byte{0, c}))
			}
		}
		return b.String()
	}
	for name, text := range map[string]string{
		"invisible characters":     strings.Join(strings.Split(used, ""), "\u200b"),
		"full width":               strings.Map(func(r rune) rune { return r + 0xFEE0 }, used),
		"UTF-16, little endian":    wide(true),
		"UTF-16, from an odd byte": "x" + wide(false),
	} {
		if !f.Hides(text) {
			t.Errorf("%s: not seen", name)
		}
	}
	for _, text := range []string{"", "plain", "zero\x00bytes", "\u200bnothing in it"} {
		if f.Hides(text) {
			t.Errorf("%q hides nothing", text)
		}
	}
}

// What cannot be told from other text is said to be so, and who cannot say what must
// not get through lets nothing through.
func TestWithoutCover(t *testing.T) {
	if _, covered := screened(t, "ab"); covered {
		t.Error("two bytes would be found in any answer")
	}
	failed := errors.New("no vaults")
	if _, err := (Screens{manifests{failed}}).For(t.Context(), identity.Principal{}); !errors.Is(err, failed) {
		t.Errorf("%v", err)
	}
}

// A text that comes in pieces, however it is cut, comes out as it does whole.
func TestStream(t *testing.T) {
	f, _ := screened(t, used)
	text := "a " + used + " b " + other + base64.StdEncoding.EncodeToString([]byte("x"+used)) + " c"
	want, n := f.Clean(text)
	for cut := range len(text) {
		s, got := f.Stream(), ""
		for _, piece := range []string{text[:cut], text[cut:]} {
			shown, ok := s.Next([]byte(piece))
			got += string(shown)
			if !ok {
				t.Fatalf("cut at %d: a disguise", cut)
			}
		}
		rest, ok := s.End()
		if got += string(rest); got != want || !ok || s.Found() != n {
			t.Errorf("cut at %d: %q, %d found, want %q, %d", cut, got, s.Found(), want, n)
		}
	}
	s := f.Stream()
	disguised := strings.Repeat(".", 3*reach) + strings.Join(strings.Split(used, ""), "\u200b")
	shown, seen := "", false
	for i := 0; i < len(disguised) && !seen; i += 100 {
		piece, ok := s.Next([]byte(disguised[i:min(i+100, len(disguised))]))
		shown, seen = shown+string(piece), !ok
	}
	if !seen {
		_, ok := s.End()
		seen = !ok
	}
	if !seen || len(shown) < 2*reach || strings.Contains(shown, used) {
		t.Error("a disguise in pieces is not seen")
	}
}
