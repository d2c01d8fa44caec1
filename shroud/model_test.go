package shroud_test

import (
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/oneclaw/oneclawd/internal/id"
)

// Who says the model in a header gets that model, not one that the provider takes where
// none is named: the policy is about it.
func TestModelOfTheHeader(t *testing.T) {
	w := newWorld(t, replies("fine"))
	w.config = `{"allowed_models":["gpt-4o","gemini-pro"]}`
	const chats = `"messages":[{"role":"user","content":"hello"}]`
	for _, c := range []struct {
		name, vendor, path, body, header string
		status                           int
		asked                            string
	}{
		{"no model", "openai", chat, ` {` + chats + `}`, "gpt-4o", 200, ` {"model":"gpt-4o",` + chats + `}`},
		{"none at all", "openai", "/v1/moderations", `{}`, "gpt-4o", 200, `{"model":"gpt-4o"}`},
		{"an empty one", "openai", chat, `{"model": "",` + chats + `}`, "gpt-4o", 200, `{"model": "gpt-4o",` + chats + `}`},
		{"null", "openai", chat, `{"model":null,` + chats + `}`, "gpt-4o", 200, `{"model":"gpt-4o",` + chats + `}`},
		{"the body's wins", "openai", chat, `{"model":"gpt-4o",` + chats + `}`, "other", 200, `{"model":"gpt-4o",` + chats + `}`},
		{"one that is not allowed", "openai", chat, `{` + chats + `}`, "o1", 403, ""},
		{"in the path", "google", "/v1beta/models/gemini-pro:generateContent", `{"contents":[]}`, "gpt-4o", 200, `{"contents":[]}`},
	} {
		w.asked = nil
		r := httptest.NewRequest("POST", c.path, strings.NewReader(c.body))
		r.Header.Set("X-Shroud-Agent-Key", id.New().String()+":ocv_x")
		r.Header.Set("X-Shroud-Provider", c.vendor)
		r.Header.Set("X-Shroud-Model", c.header)
		rec := httptest.NewRecorder()
		if w.ServeHTTP(rec, r); rec.Code != c.status || string(w.asked) != c.asked {
			t.Errorf("%s: %d %s, asked %s", c.name, rec.Code, rec.Body, w.asked)
		}
	}
}
