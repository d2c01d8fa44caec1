package shroud_test

import (
	"bytes"
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"io"
	"math/rand/v2"
	"net/http"
	"net/url"
	"strings"
	"testing"
)

// near is a model without a network: what it was asked, and what it says.
type near struct {
	asked  []byte
	kind   string
	status int
	answer []byte
}

func (n *near) RoundTrip(r *http.Request) (*http.Response, error) {
	n.asked = nil
	if r.Body != nil {
		n.asked, _ = io.ReadAll(r.Body)
	}
	return &http.Response{
		StatusCode: n.status, ProtoMajor: 1, ProtoMinor: 1, Request: r,
		Header: http.Header{"Content-Type": {n.kind}}, Body: io.NopCloser(bytes.NewReader(n.answer)),
	}, nil
}

func (n *near) says(kind string, status int, answer string) {
	n.kind, n.status, n.answer = kind, status, []byte(answer)
}

// newNear is a world whose model is near, with a vault of 1,000 values.
func newNear(t testing.TB) (*world, *near, []string) {
	w, n := newWorld(t, nil), &near{}
	for _, up := range w.Upstreams {
		up.Client = &http.Client{Transport: n}
	}
	r := rand.New(rand.NewPCG(1, 2))
	values := make([]string, 1000)
	for i := range values {
		const letters = "abcdefghijkmnopqrstuvwxyzABCDEFGHJKLMNPQRSTUVWXYZ0123456789"
		b := make([]byte, 10+r.IntN(30))
		for k := range b {
			b[k] = letters[r.IntN(len(letters))]
		}
		switch v := string(b); i % 5 {
		case 0: // what has to be escaped
			values[i] = v[:4] + "\"/\\\n" + v[4:] + "é<&"
		case 1:
			values[i] = v + "+/=" + v[:5] + "=="
		case 2:
			values[i] = "pass word " + v
		default:
			values[i] = v
		}
	}
	w.knows(values...)
	return w, n, values
}

// forms are the ways in which a value may be written.
var forms = map[string]func(string) string{
	"as it is":      func(v string) string { return v },
	"base64":        func(v string) string { return base64.StdEncoding.EncodeToString([]byte(v)) },
	"base64 inside": func(v string) string { return base64.StdEncoding.EncodeToString([]byte("k=" + v + "; and")) },
	"hex":           func(v string) string { return hex.EncodeToString([]byte(v)) },
	"URL":           url.QueryEscape,
	"JSON":          func(v string) string { return strings.Trim(quoted(v), `"`) },
}

// escapes writes every character of a text as JSON's \uXXXX.
func escapes(text string) string {
	var b strings.Builder
	for _, r := range text {
		fmt.Fprintf(&b, `\u%04x`, r)
	}
	return `"` + b.String() + `"`
}

// places are requests with texts in a place; the vendor, the path, and how a text and
// the whole are written.
var places = map[string]struct{ vendor, path, each, all string }{
	"what users say":      {"openai", chat, `{"role":"user","content":%s}`, `{"model":"m","messages":[%s]}`},
	"what models said":    {"mistral", chat, `{"role":"assistant","content":%s}`, `{"model":"m","messages":[%s]}`},
	"configuration":       {"anthropic", "/v1/messages", `{"type":"text","text":%s}`, `{"model":"m","max_tokens":9,"messages":[{"role":"user","content":"hi"}],"system":[%s]}`},
	"arguments of tools":  {"anthropic", "/v1/messages", `{"type":"tool_use","id":"t","name":"run","input":{"deep":[%s]}}`, `{"model":"m","max_tokens":9,"messages":[{"role":"assistant","content":[%s]}]}`},
	"what tools bring":    {"cohere", "/v2/chat", `{"role":"tool","tool_call_id":"t","content":%s}`, `{"model":"m","messages":[%s]}`},
	"links of images":     {"openai", chat, `{"type":"image_url","image_url":{"url":"https://example.com/a.png","alt":%s}}`, `{"model":"m","messages":[{"role":"user","content":[%s]}]}`},
	"schemas of tools":    {"google", "/v1beta/models/m:generateContent", `{"name":"f","description":%s}`, `{"contents":[{"role":"user","parts":[{"text":"hi"}]}],"tools":[{"functionDeclarations":[%s]}]}`},
	"members of no known": {"openai", "/v1/responses", `{"x":%s}`, `{"model":"m","input":"hi","metadata":[%s]}`},
	"embeddings":          {"openai", "/v1/embeddings", `%s`, `{"model":"m","input":[%s]}`},
}

// carry makes a body of texts, each of its own value.
func carry(each, all string, texts []string, quote func(string) string) string {
	parts := make([]string, len(texts))
	for i, t := range texts {
		parts[i] = fmt.Sprintf(each, quote(fmt.Sprintf("item %d: ", i)+t+" (end)"))
	}
	return fmt.Sprintf(all, strings.Join(parts, ","))
}

// items are the texts of a body by their number: what stands between "item N: " and
// " (end)".
func items(t *testing.T, body []byte) map[int]string {
	t.Helper()
	var v any
	if err := json.Unmarshal(body, &v); err != nil {
		t.Fatalf("%v: %.300s", err, body)
	}
	found := map[int]string{}
	var walk func(any)
	walk = func(v any) {
		switch v := v.(type) {
		case []any:
			for _, x := range v {
				walk(x)
			}
		case map[string]any:
			for _, x := range v {
				walk(x)
			}
		case string:
			var i int
			if _, err := fmt.Sscanf(v, "item %d:", &i); err == nil {
				_, rest, _ := strings.Cut(v, ": ")
				found[i] = strings.TrimSuffix(rest, " (end)")
			}
		}
	}
	walk(v)
	return found
}

// None of a thousand values gets out in a request, whatever its form and place.
func TestNoValueGetsOut(t *testing.T) {
	w, n, values := newNear(t)
	w.config = `{"max_requests_per_minute":0,"max_requests_per_day":0,"max_tokens_per_request":0,"sanitization_mode":"log_only","pii_policy":"allow","command_injection_detection":{"action":"log"}}`
	n.says("application/json", 200, `{}`)
	for place, p := range places {
		for form, write := range forms {
			for style, quote := range map[string]func(string) string{"plain": quoted, "escaped": escapes} {
				if style == "escaped" && form != "as it is" {
					continue // what JSON escapes is undone before anything is looked for
				}
				texts := make([]string, len(values))
				for i, v := range values {
					texts[i] = write(v)
				}
				rec := w.call(p.vendor, p.path, carry(p.each, p.all, texts, quote))
				if n.asked == nil {
					t.Errorf("%s, %s: %d %.300s", place, form, rec.Code, rec.Body)
					continue
				}
				got := items(t, n.asked)
				for i, v := range values {
					if text, ok := got[i]; !ok || strings.Contains(text, v) || strings.Contains(text, texts[i]) || !strings.Contains(text, "[REDACTED:") {
						t.Errorf("%s, %s, %s: value %d %q came out as %q", place, form, style, i, v, text)
						break
					}
				}
			}
		}
	}
}

// Nor does one come back in answers, errors and calls of tools.
func TestNoValueComesBack(t *testing.T) {
	w, n, values := newNear(t)
	w.config = `{"max_requests_per_minute":0,"max_requests_per_day":0,"max_tokens_per_request":0}`
	hello := message("user", "hello")
	for name, a := range map[string]struct {
		status    int
		each, all string
	}{
		"an answer": {200, `{"index":0,"message":{"role":"assistant","content":%s},"finish_reason":"stop"}`, `{"choices":[%s]}`},
		"a call":    {200, `{"index":0,"message":{"role":"assistant","tool_calls":[{"id":"c","type":"function","function":{"name":"f","arguments":%s}}]}}`, `{"choices":[%s]}`},
		"an error":  {401, `%s`, `{"error":{"message":"no","details":[%s]}}`},
		"a failure": {500, `{"x":%s}`, `{"oops":[%s]}`},
	} {
		for form, write := range forms {
			texts := make([]string, len(values))
			for i, v := range values {
				texts[i] = write(v)
			}
			n.says("application/json", a.status, carry(a.each, a.all, texts, quoted))
			rec := w.call("openai", chat, hello)
			got := items(t, rec.Body.Bytes())
			for i, v := range values {
				if text, ok := got[i]; rec.Code != a.status || !ok || strings.Contains(text, v) || strings.Contains(text, texts[i]) || !strings.Contains(text, "[REDACTED:") {
					t.Errorf("%s, %s: %d; value %d %q came back as %q", name, form, rec.Code, i, v, text)
					break
				}
			}
		}
	}
}

// streamed are the streams of the vendors, one event of them, and a pattern of what
// is before and after.
var streamed = map[string]struct{ vendor, path, body, before, each, after string }{
	"openai": {
		"openai", chat, `{"model":"m","stream":true,"messages":[{"role":"user","content":"hello"}]}`, "",
		`{"choices":[{"index":0,"delta":{"content":%s},"finish_reason":null}]}`,
		"data: {\"choices\":[{\"index\":0,\"delta\":{},\"finish_reason\":\"stop\"}]}\n\ndata: [DONE]\n\n",
	},
	"anthropic": {
		"anthropic", "/v1/messages", `{"model":"m","max_tokens":9,"stream":true,"messages":[{"role":"user","content":"hello"}]}`,
		"event: message_start\ndata: {\"type\":\"message_start\",\"message\":{\"id\":\"m\",\"type\":\"message\",\"role\":\"assistant\",\"content\":[],\"usage\":{\"input_tokens\":1,\"output_tokens\":1}}}\n\n" +
			"event: content_block_start\ndata: {\"type\":\"content_block_start\",\"index\":0,\"content_block\":{\"type\":\"text\",\"text\":\"\"}}\n\n",
		`{"type":"content_block_delta","index":0,"delta":{"type":"text_delta","text":%s}}`,
		"event: content_block_stop\ndata: {\"type\":\"content_block_stop\",\"index\":0}\n\nevent: message_delta\ndata: {\"type\":\"message_delta\",\"delta\":{\"stop_reason\":\"end_turn\"},\"usage\":{\"output_tokens\":2}}\n\nevent: message_stop\ndata: {\"type\":\"message_stop\"}\n\n",
	},
	"google": {
		"google", "/v1beta/models/m:streamGenerateContent?alt=sse", `{"contents":[{"role":"user","parts":[{"text":"hello"}]}]}`, "",
		`{"candidates":[{"content":{"role":"model","parts":[{"text":%s}]},"index":0}]}`,
		"data: {\"candidates\":[{\"content\":{\"role\":\"model\",\"parts\":[{\"text\":\"\"}]},\"finishReason\":\"STOP\",\"index\":0}]}\n\n",
	},
}

// heard are all texts of a stream's events, put together. Each event has one.
func heard(body string) string {
	var text strings.Builder
	for line := range strings.Lines(body) {
		for _, member := range []string{`"content":`, `"text":`} {
			var s string
			at := strings.LastIndex(line, member+`"`)
			if at >= 0 && json.NewDecoder(strings.NewReader(line[at+len(member):])).Decode(&s) == nil {
				text.WriteString(s)
			}
		}
	}
	return text.String()
}

// Nor in streams, cut at every byte.
func TestNoValueComesBackInPieces(t *testing.T) {
	w, n, values := newNear(t)
	w.config = `{"max_requests_per_minute":0,"max_requests_per_day":0,"enable_response_filtering":false}`
	longest := 0
	want := "so: "
	for i, v := range values {
		longest = max(longest, len(v))
		want += fmt.Sprintf("[REDACTED:path/%d] then ", i)
	}
	for name, s := range streamed {
		step := 3             // each value byte by byte, and in two at every third
		if name != "openai" { // the filter is the same
			step = 9
		}
		for cut := 0; cut < longest; cut += step {
			var b strings.Builder
			b.WriteString(s.before)
			event := func(text string) {
				b.WriteString("data: " + fmt.Sprintf(s.each, quoted(text)) + "\n\n")
			}
			event("so: ")
			for _, v := range values {
				switch at := min(cut, len(v)); {
				case cut == 0: // byte by byte, as far as bytes are characters
					for _, c := range v {
						event(string(c))
					}
				case at == len(v) || v[at] >= 0x80 && v[at] < 0xc0:
					event(v)
				default:
					event(v[:at])
					event(v[at:])
				}
				event(" then ")
			}
			b.WriteString(s.after)
			n.says("text/event-stream", 200, b.String())
			if got := heard(w.call(s.vendor, s.path, s.body).Body.String()); got != want {
				at := 0
				for at < min(len(got), len(want)) && got[at] == want[at] {
					at++
				}
				t.Fatalf("%s cut at %d: %q instead of %q", name, cut, got[at:min(at+80, len(got))], want[at:min(at+80, len(want))])
			}
		}
	}
}
