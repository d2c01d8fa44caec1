package shroud_test

import (
	"strings"
	"testing"
)

// Where an estimate would be wrong, what counts is how many tokens there are.
func TestTokensAreCounted(t *testing.T) {
	dense := strings.Repeat("{[(<=>)]}%$#; ", 100) // the estimate is 350 tokens
	sparse := strings.Repeat("internationalization responsibilities ", 100)
	for _, c := range []struct {
		name, model, text, limit string
		status                   int
	}{
		{"more than it seems", "gpt-4o", dense, "400", 403},
		{"more than it seems, of a model that nobody can count for", "claude", dense, "400", 200},
		{"fewer than it seems", "gpt-4o", sparse, "600", 200},
		{"fewer than it seems, of a model that nobody can count for", "claude", sparse, "600", 403},
		{"by far too many", "gpt-4o", sparse, "10", 403},
		{"no limit", "gpt-4o", dense, "0", 200},
	} {
		w := newWorld(t, replies("fine"))
		w.config = `{"sanitization_mode":"log_only","max_tokens_per_request":` + c.limit + `}`
		rec := w.call("openai", chat, strings.Replace(message("user", c.text), "gpt-4o", c.model, 1))
		if rec.Code != c.status {
			t.Errorf("%s: %d %s", c.name, rec.Code, rec.Body)
		}
	}
}
