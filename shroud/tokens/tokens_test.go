package tokens_test

import (
	"strings"
	"testing"

	"github.com/oneclaw/oneclawd/shroud/tokens"
)

// The counts are those of OpenAI's own tiktoken with o200k_base.
func TestCount(t *testing.T) {
	for text, want := range map[string]int{
		"":                             0,
		"Hello, world!":                4,
		"tiktoken is great!":           6,
		"antidisestablishmentarianism": 6,
		"2 + 2 = 4":                    7,
		"お誕生日おめでとう":                    8,
	} {
		if got := tokens.Count(text); got != want {
			t.Errorf("%q has %d tokens, not %d", text, got, want)
		}
	}
}

// A long text has as many as its parts, about, and takes no time that grows with the
// square of its length.
func TestLongTexts(t *testing.T) {
	line := "The tests pass, but the build takes twice as long as before. "
	each := tokens.Count(line+line) - tokens.Count(line)
	if got, want := tokens.Count(strings.Repeat(line, 1000)), 1000*each; got < want-want/100 || got > want+want/100 {
		t.Errorf("a thousand times %d tokens are %d", each, got)
	}
	for _, s := range []string{"\n ", "a", "字", " ", "=", "\xff"} {
		if n := tokens.Count(strings.Repeat(s, 20_000)); n == 0 || n > 20_000*len(s) {
			t.Errorf("%q: %d", s, n)
		}
	}
}

func TestKnown(t *testing.T) {
	for model, want := range map[string]bool{
		"gpt-4o": true, "gpt-4o-mini": true, "gpt-5.1-codex": true, "o3": true, "o4-mini": true, "gpt-4": false, "gpt-4-turbo": false, "gpt-3.5-turbo": false,
		"o12": false, "claude-sonnet-4": false, "": false,
	} {
		if tokens.Known(model) != want {
			t.Errorf("%s: %v", model, !want)
		}
	}
}
