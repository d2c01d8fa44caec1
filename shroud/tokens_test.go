package shroud_test

import (
	"strings"
	"testing"
)

// Where an estimate would be wrong, what counts is how many tokens there are: of
// OpenAI's models exactly, of others by how many more they make of a text.
func TestTokensAreCounted(t *testing.T) {
	dense := strings.Repeat("{[(<=>)]}%$#; ", 100)                                                // estimated 350, counted 900
	sparse := strings.Repeat("internationalization responsibilities ", 100)                       // estimated 950, counted 300
	plain := strings.Repeat("The tests pass, but the build takes twice as long as before. ", 100) // 1,500, 1,300
	const messages = "/v1/messages"
	for _, c := range []struct {
		name, vendor, path, model, text, limit string
		status                                 int
	}{
		{"more than it seems", "openai", chat, "gpt-4o", dense, "400", 403},
		{"fewer than it seems", "openai", chat, "gpt-4o", sparse, "600", 200},
		{"fewer than it seems, by another vocabulary", "local", chat, "llama", sparse, "600", 200},
		{"as many as are allowed", "openai", chat, "gpt-4o", plain, "1500", 200},
		{"more of another vocabulary", "local", chat, "llama", plain, "1500", 403},
		{"more of Anthropic's", "anthropic", messages, "claude", plain, "1600", 403},
		{"fewer than it seems, of Anthropic's", "anthropic", messages, "claude", sparse, "700", 200},
		{"by far too many", "openai", chat, "gpt-4o", sparse, "10", 403},
		{"no limit", "openai", chat, "gpt-4o", dense, "0", 200},
	} {
		w := newWorld(t, replies("fine"))
		w.second("local", replies("fine"))
		w.config = `{"sanitization_mode":"log_only","max_tokens_per_request":` + c.limit + `}`
		rec := w.call(c.vendor, c.path, strings.Replace(message("user", c.text), "gpt-4o", c.model, 1))
		if rec.Code != c.status {
			t.Errorf("%s: %d %s", c.name, rec.Code, rec.Body)
		}
	}
}
