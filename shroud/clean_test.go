package shroud_test

import (
	"flag"
	"fmt"
	"math/rand/v2"
	"strings"
	"testing"
)

// conversations is how many TestCleanConversations has. Ten thousand take half a minute.
var conversations = flag.Int("conversations", 500, "how many conversations have to pass unchanged")

// writer writes JSON as no two programs do: with blanks, escapes and numbers of its
// own.
type writer struct {
	*rand.Rand
	b strings.Builder
}

// members are an object's, in their order.
type members []any

// write writes members as an object, a slice as an array, a raw as it is, and a string
// with escapes.
func (w *writer) write(v any) {
	w.blank()
	switch v := v.(type) {
	case members:
		w.b.WriteString("{")
		for i := 0; i < len(v); i += 2 {
			if i > 0 {
				w.b.WriteString(",")
			}
			w.blank()
			w.b.WriteString(quoted(v[i].(string)))
			w.blank()
			w.b.WriteString(":")
			w.write(v[i+1])
		}
		w.b.WriteString("}")
	case []any:
		w.b.WriteString("[")
		for i, x := range v {
			if i > 0 {
				w.b.WriteString(",")
			}
			w.write(x)
		}
		w.b.WriteString("]")
	case string:
		w.text(v)
	default:
		fmt.Fprint(&w.b, v)
	}
	w.blank()
}

func (w *writer) blank() {
	if w.IntN(4) == 0 {
		w.b.WriteString([]string{" ", "\n", "\t", "  ", "\r\n"}[w.IntN(5)])
	}
}

func (w *writer) text(s string) {
	w.b.WriteByte('"')
	for _, r := range s {
		switch {
		case r == '/' && w.IntN(2) == 0:
			w.b.WriteString(`\/`)
		case r < 0x10000 && r != '"' && r != '\\' && r >= ' ' && w.IntN(40) == 0:
			fmt.Fprintf(&w.b, `\u%0*X`, 4, r)
		default:
			q := quoted(string(r))
			w.b.WriteString(q[1 : len(q)-1])
		}
	}
	w.b.WriteByte('"')
}

// number is one that must keep its spelling.
func (w *writer) number() any {
	return []any{raw("1e3"), raw("0.70"), raw("1.50"), raw("-0"), raw("3"), raw("12345678901234567890"), raw("1E-2")}[w.IntN(7)]
}

type raw string

var sentences = []string{
	"Please summarise the report of the third quarter.", "The tests pass, but the build takes twice as long as before.",
	"Wie spät ist es in Tōkyō, und wie wird das Wetter?", "請把這段文字翻譯成英文。", "Можно ли сократить этот абзац?", "هل يمكنك تلخيص هذا النص؟",
	"func main() {\n\tfmt.Println(\"hello\")\n}", "SELECT name, count(*) FROM visits GROUP BY name ORDER BY 2 DESC;",
	"See https://example.com/docs/page?id=7#top for more.", "commit 9fceb02 fixes the race in the scheduler", "It costs 12.50 € — or 13 $ — a month 🙂.",
	"| a | b |\n|---|---|\n| 1 | 2 |", "{\"a\": [1, 2, {\"b\": null}]}", "<p>Some <b>bold</b> words</p>", "x² + y² = z², so ∑ᵢ xᵢ ≤ n", "- [ ] buy milk\n- [x] call the plumber",
	"if (a < b && c > d) return a ? b : c;", "The path is /usr/local/share/doc, the file README.md.", "naïve café, ﬁne print, ½ cup, Straße", "\"Quoted\" and 'single', with a \\ in it.",
}

func (w *writer) prose() string {
	out := make([]string, 1+w.IntN(6))
	for i := range out {
		out[i] = sentences[w.IntN(len(sentences))]
	}
	return strings.Join(out, []string{" ", "\n", "\n\n"}[w.IntN(3)])
}

// conversation is a request and its answer, for a vendor, as its clients and it write
// them.
func (w *writer) conversation(vendor string) (path string, request, answer any) {
	var turns []any
	say := func(role, text string) members { return members{"role", role, "content", text} }
	path = chat
	extra := members{"temperature", w.number(), "x_new", members{"n", w.number(), "list", []any{raw("null"), raw("true"), w.prose()}}}
	switch vendor {
	case "google":
		path = "/v1beta/models/gemini-2.0-flash:generateContent"
		say = func(role, text string) members {
			return members{"role", strings.Replace(role, "assistant", "model", 1), "parts", []any{members{"text", text}}}
		}
	case "anthropic":
		path = "/v1/messages"
		say = func(role, text string) members {
			return members{"role", role, "content", []any{members{"type", "text", "text", text}}}
		}
	case "cohere":
		path = "/v2/chat"
	}
	for i := range 1 + 2*w.IntN(4) {
		turns = append(turns, say([]string{"user", "assistant"}[i%2], w.prose()))
	}
	tool := members{"name", "look_up", "description", w.prose(), "parameters", members{"type", "object", "properties", members{"query", members{"type", "string"}}}}
	arguments := members{"query", w.prose(), "n", w.number()}
	switch vendor {
	case "google":
		return path, append(members{"contents", turns, "systemInstruction", members{"parts", []any{members{"text", w.prose()}}}, "tools", []any{members{"functionDeclarations", []any{tool}}}}, extra...),
			members{"candidates", []any{members{"content", members{"role", "model", "parts", []any{members{"text", w.prose()}, members{"functionCall", members{"name", "look_up", "args", arguments}}}}, "finishReason", "STOP", "index", raw("0")}},
				"usageMetadata", members{"promptTokenCount", raw("5"), "candidatesTokenCount", raw("7")}, "x_new", w.number()}
	case "anthropic":
		tool[4] = "input_schema"
		return path, append(members{"model", "claude-sonnet-4", "max_tokens", raw("100"), "system", w.prose(), "messages", turns, "tools", []any{tool}}, extra...),
			members{"id", "msg_1", "type", "message", "role", "assistant", "content", []any{members{"type", "text", "text", w.prose()}, members{"type", "tool_use", "id", "toolu_1", "name", "look_up", "input", arguments}},
				"stop_reason", "tool_use", "usage", members{"input_tokens", raw("5"), "output_tokens", raw("7")}, "x_new", w.number()}
	case "responses":
		return "/v1/responses", append(members{"model", "gpt-4o", "input", turns, "instructions", w.prose()}, extra...),
			members{"id", "resp_1", "object", "response", "output", []any{members{"type", "message", "role", "assistant", "content", []any{members{"type", "output_text", "text", w.prose()}}}},
				"usage", members{"input_tokens", raw("5"), "output_tokens", raw("7")}, "x_new", w.number()}
	}
	inner := &writer{Rand: w.Rand}
	inner.write(arguments)
	call := members{"id", "call_1", "type", "function", "function", members{"name", "look_up", "arguments", inner.b.String()}}
	said := members{"role", "assistant", "content", w.prose(), "tool_calls", []any{call}}
	request = append(members{"model", "gpt-4o", "messages", append([]any{members{"role", "system", "content", w.prose()}}, turns...), "tools", []any{members{"type", "function", "function", tool}}}, extra...)
	if vendor == "cohere" {
		said[3] = []any{members{"type", "text", "text", w.prose()}}
		return path, request, members{"id", "c", "message", said, "finish_reason", "COMPLETE", "usage", members{"tokens", members{"input_tokens", raw("5"), "output_tokens", raw("7")}}, "x_new", w.number()}
	}
	return path, request, members{"id", "c", "object", "chat.completion", "choices", []any{members{"index", raw("0"), "message", said, "finish_reason", "stop"}},
		"usage", members{"prompt_tokens", raw("5"), "completion_tokens", raw("7")}, "x_new", w.number()}
}

// Conversations in which there is nothing to find pass byte for byte under the
// published defaults, both ways, at every vendor and however they are written.
func TestCleanConversations(t *testing.T) {
	w, n, _ := newNear(t)
	w.config = `{"max_requests_per_minute":0,"max_requests_per_day":0}`
	vendors := []string{"openai", "mistral", "anthropic", "google", "cohere", "responses"}
	for i := range *conversations {
		j := &writer{Rand: rand.New(rand.NewPCG(7, uint64(i)))}
		vendor := vendors[i%len(vendors)]
		path, request, answer := j.conversation(vendor)
		j.write(request)
		asks := j.b.String()
		j.b.Reset()
		j.write(answer)
		says := j.b.String()
		n.says("application/json", 200, says)
		rec := w.call(strings.Replace(vendor, "responses", "openai", 1), path, asks)
		if string(n.asked) != asks || rec.Body.String() != says {
			t.Fatalf("conversation %d with %s: %d %s\nshould ask %s\nasked %s\nshould say %s\nsaid %s",
				i, vendor, rec.Code, rec.Header().Get("X-Shroud-Inspection"), asks, n.asked, says, rec.Body)
		}
		w.reports = nil
	}
}
