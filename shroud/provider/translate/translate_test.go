package translate

import (
	"bytes"
	"encoding/json"
	"errors"
	"io"
	"os"
	"strings"
	"testing"

	"github.com/rogpeppe/go-internal/txtar"

	"github.com/oneclaw/oneclawd/shroud/provider"
	"github.com/oneclaw/oneclawd/shroud/provider/sse"
)

// conversation is the fixture's parts, with the model's name in its place.
func conversation(t testing.TB, model string) map[string]string {
	t.Helper()
	raw, err := os.ReadFile("testdata/chat.txtar")
	if err != nil {
		t.Fatal(err)
	}
	parts := map[string]string{}
	for _, f := range txtar.Parse(raw).Files {
		parts[f.Name] = strings.ReplaceAll(string(f.Data), "MODEL", model)
	}
	return parts
}

// same compares JSON by what it says, numbers as they are written.
func same(t *testing.T, got []byte, want string) {
	t.Helper()
	var g, w bytes.Buffer
	if err := json.Compact(&g, got); err != nil {
		t.Fatalf("%v: %s", err, got)
	}
	if err := json.Compact(&w, []byte(want)); err != nil {
		t.Fatal(err)
	}
	if g.String() != w.String() {
		t.Errorf("got\n%s\nwant\n%s", &g, &w)
	}
}

func TestRequests(t *testing.T) {
	parts := conversation(t, "claude-sonnet-4-5")
	c, err := Request(provider.Anthropic, []byte(parts["chat"]))
	if err != nil || c.Path != "/v1/messages" || !c.Usage {
		t.Fatalf("%+v, %v", c, err)
	}
	same(t, c.Body, parts["anthropic"])
	parts = conversation(t, "gemini-2.5-flash")
	c, err = Request(provider.Google, []byte(parts["chat"]))
	if err != nil || c.Path != "/v1beta/models/gemini-2.5-flash:streamGenerateContent" || c.Query != "alt=sse" {
		t.Fatalf("%+v, %v", c, err)
	}
	same(t, c.Body, parts["google"])
}

// TestNothingNewIsSaid: what the vendor is told is what was inspected.
func TestNothingNewIsSaid(t *testing.T) {
	for s, f := range map[provider.Style]provider.Format{provider.Anthropic: provider.AnthropicMessages, provider.Google: provider.GeminiContent} {
		chat := conversation(t, "gemini-2.5-flash")["chat"]
		c, err := Request(s, []byte(chat))
		if err != nil {
			t.Fatal(err)
		}
		before, err := provider.ParseRequest(provider.OpenAIChat, []byte(chat))
		if err != nil {
			t.Fatal(err)
		}
		after, err := provider.ParseRequest(f, c.Body)
		if err != nil {
			t.Fatal(err)
		}
		known := map[string]provider.Role{`{"temp":3}`: provider.Tool, "1": provider.User}
		for _, text := range before.Texts {
			known[text.Value] = text.Role
		}
		for _, text := range after.Texts {
			if text.Kind == provider.Label || text.Kind == provider.Other {
				continue
			}
			if role, ok := known[text.Value]; !ok && text.Kind != provider.ToolSchema || ok && role != text.Role && text.Kind == provider.Content {
				t.Errorf("%v: %s %s %q", s, text.Role, text.Kind, text.Value)
			}
		}
	}
}

func TestRequestsRefused(t *testing.T) {
	for name, body := range map[string]string{
		"no message":        `{"model":"m","messages":[]}`,
		"only instructions": `{"model":"m","messages":[{"role":"system","content":"x"}]}`,
		"a role":            `{"model":"m","messages":[{"role":"critic","content":"x"}]}`,
		"a part":            `{"model":"m","messages":[{"role":"user","content":[{"type":"smell"}]}]}`,
		"a tool":            `{"model":"m","messages":[{"role":"user","content":"x"}],"tools":[{"type":"custom","custom":{"name":"x"}}]}`,
		"log probabilities": `{"model":"m","messages":[{"role":"user","content":"x"}],"logprobs":true}`,
	} {
		for _, s := range []provider.Style{provider.Anthropic, provider.Google} {
			if _, err := Request(s, []byte(body)); !errors.Is(err, ErrUnsupported) {
				t.Errorf("%s: %v", name, err)
			}
		}
	}
	for body, s := range map[string]provider.Style{
		`{"model":"m","n":2,"messages":[{"role":"user","content":"x"}]}`:                                                             provider.Anthropic,
		`{"model":"m","response_format":{"type":"json_object"},"messages":[{"role":"user","content":"x"}]}`:                          provider.Anthropic,
		`{"model":"m","messages":[{"role":"user","content":[{"type":"input_audio","input_audio":{"data":"AAAA","format":"wav"}}]}]}`: provider.Anthropic,
		`{"model":"../x","messages":[{"role":"user","content":"x"}]}`:                                                                provider.Google,
		`{"model":"x:generateContent?","messages":[{"role":"user","content":"x"}]}`:                                                  provider.Google,
		`{"model":"m","messages":[{"role":"user","content":"x"}]}`:                                                                   provider.Cohere,
	} {
		if _, err := Request(s, []byte(body)); !errors.Is(err, ErrUnsupported) {
			t.Errorf("%s: %v", body, err)
		}
	}
}

func TestResponses(t *testing.T) {
	about := Answer{Model: "asked-for", Created: 1700000000}
	for _, c := range []struct {
		s          provider.Style
		body, want string
	}{
		{provider.Anthropic, `{"id":"msg_1","type":"message","role":"assistant","model":"claude","content":[{"type":"thinking","thinking":"hm","signature":"x"},{"type":"text","text":"Hi <you>"},{"type":"tool_use","id":"t1","name":"run","input":{"a": 1}}],"stop_reason":"tool_use","usage":{"input_tokens":5,"output_tokens":7,"cache_read_input_tokens":2}}`,
			`{"id":"msg_1","object":"chat.completion","created":1700000000,"model":"claude","choices":[{"index":0,"message":{"role":"assistant","content":"Hi \u003cyou\u003e","reasoning_content":"hm","tool_calls":[{"id":"t1","type":"function","function":{"name":"run","arguments":"{\"a\": 1}"}}]},"finish_reason":"tool_calls"}],"usage":{"prompt_tokens":7,"completion_tokens":7,"total_tokens":14,"prompt_tokens_details":{"cached_tokens":2},"completion_tokens_details":{"reasoning_tokens":0}}}`},
		{provider.Google, `{"candidates":[{"content":{"parts":[{"functionCall":{"name":"run","args":{"a":1}},"thoughtSignature":"c2ln"}],"role":"model"},"finishReason":"STOP"}],"usageMetadata":{"promptTokenCount":3,"candidatesTokenCount":4,"thoughtsTokenCount":1},"responseId":"r1"}`,
			`{"id":"r1","object":"chat.completion","created":1700000000,"model":"asked-for","choices":[{"index":0,"message":{"role":"assistant","content":null,"tool_calls":[{"id":"call_r1_0_0","type":"function","function":{"name":"run","arguments":"{\"a\":1}"},"extra_content":{"google":{"thought_signature":"c2ln"}}}]},"finish_reason":"tool_calls"}],"usage":{"prompt_tokens":3,"completion_tokens":5,"total_tokens":8,"prompt_tokens_details":{"cached_tokens":0},"completion_tokens_details":{"reasoning_tokens":1}}}`},
		{provider.Google, `{"promptFeedback":{"blockReason":"SAFETY"},"usageMetadata":{"promptTokenCount":3}}`,
			`{"id":"","object":"chat.completion","created":1700000000,"model":"asked-for","choices":[{"index":0,"message":{"role":"assistant","content":""},"finish_reason":"content_filter"}],"usage":{"prompt_tokens":3,"completion_tokens":0,"total_tokens":3,"prompt_tokens_details":{"cached_tokens":0},"completion_tokens_details":{"reasoning_tokens":0}}}`},
	} {
		got, err := about.Response(c.s, 200, []byte(c.body))
		if err != nil {
			t.Fatal(err)
		}
		same(t, got, c.want)
	}
	if _, err := about.Response(provider.Google, 200, []byte("<html>")); err == nil {
		t.Error("HTML is an answer")
	}
}

func TestFailures(t *testing.T) {
	for body, want := range map[string]string{
		`{"type":"error","error":{"type":"overloaded_error","message":"Overloaded"}}`:       `{"error":{"message":"Overloaded","type":"overloaded_error","param":null,"code":""}}`,
		`{"error":{"code":400,"message":"API key not valid.","status":"INVALID_ARGUMENT"}}`: `{"error":{"message":"API key not valid.","type":"INVALID_ARGUMENT","param":null,"code":"400"}}`,
		`bad gateway`: `{"error":{"message":"bad gateway","type":"upstream_error","param":null,"code":""}}`,
	} {
		got, err := Answer{}.Response(provider.Anthropic, 400, []byte(body))
		if err != nil {
			t.Fatal(err)
		}
		same(t, got, want)
	}
}

// vendorStream is a stream of a vendor's fixture.
func vendorStream(t testing.TB, name string) string {
	t.Helper()
	raw, err := os.ReadFile("../testdata/" + name + ".txtar")
	if err != nil {
		t.Fatal(err)
	}
	for _, f := range txtar.Parse(raw).Files {
		if f.Name == "stream" {
			return string(f.Data)
		}
	}
	t.Fatal("no stream")
	return ""
}

// assembled is what OpenAI's client makes of a stream.
type assembled struct {
	content, reasoning, finish string
	calls                      map[int]*toolCall
	usage                      *usage
	failure                    string
}

func read2(t *testing.T, in provider.Source) (a assembled, s *provider.Stream, err error) {
	t.Helper()
	a.calls = map[int]*toolCall{}
	s = provider.NewStream(provider.OpenAIChat, in, func(provider.Channel) provider.Filter { return through{} })
	for {
		out, err := s.Next()
		for data := range strings.SplitSeq(string(out), "\n\n") {
			if data = strings.TrimPrefix(data, "data: "); data != "" && data != "[DONE]" {
				a.add(t, data)
			}
		}
		if err != nil {
			return a, s, err
		}
	}
}

func (a *assembled) add(t *testing.T, data string) {
	t.Helper()
	var c struct {
		completion
		Choices []struct {
			Delta struct {
				Role, Content string
				Reasoning     string     `json:"reasoning_content"`
				ToolCalls     []toolCall `json:"tool_calls"`
			}
			Finish string `json:"finish_reason"`
		} `json:"choices"`
		Error *failure
	}
	if err := json.Unmarshal([]byte(data), &c); err != nil {
		t.Fatalf("%v: %s", err, data)
	}
	if c.Error != nil {
		a.failure = c.Error.Message
		return
	}
	if c.Usage != nil {
		a.usage = c.Usage
	}
	if c.Object != "chat.completion.chunk" || c.Model == "" || c.ID == "" {
		t.Errorf("a chunk of its own kind: %s", data)
	}
	for _, ch := range c.Choices {
		a.content += ch.Delta.Content
		a.reasoning += ch.Delta.Reasoning
		a.finish += ch.Finish
		for _, tc := range ch.Delta.ToolCalls {
			if a.calls[*tc.Index] == nil {
				a.calls[*tc.Index] = &toolCall{ID: tc.ID, Function: function{Name: tc.Function.Name}}
			}
			a.calls[*tc.Index].Function.Arguments += tc.Function.Arguments
		}
	}
}

type through struct{}

func (through) Write(text string) (string, error) { return text, nil }
func (through) Close() (string, error)            { return "", nil }

func TestStreams(t *testing.T) {
	about := Answer{Model: "asked-for", Created: 1, Usage: true}
	for name, c := range map[string]struct {
		s                        provider.Style
		content, reasoning, args string
		in, out                  int
	}{
		"anthropic": {provider.Anthropic, "Hello MARK, said h", "I need to find h", `{"command": "echo MARK", "lines": 10}`, 28, 89},
		"gemini":    {provider.Google, "Meow MARK, said h", "MARK I think", `{"what": "the MARK"}`, 11, 20},
	} {
		text := vendorStream(t, name)
		a, s, err := read2(t, about.Stream(c.s, sse.NewReader(strings.NewReader(text), 0)))
		if !errors.Is(err, io.EOF) {
			t.Errorf("%s: %v", name, err)
		}
		if a.content != c.content || a.reasoning != c.reasoning || a.finish != "tool_calls" {
			t.Errorf("%s: %+v", name, a)
		}
		if len(a.calls) != 1 || a.calls[0].Function.Arguments != c.args || a.calls[0].ID == "" || a.calls[0].Function.Name == "" {
			t.Errorf("%s: %+v", name, a.calls[0])
		}
		if a.usage == nil || a.usage.Prompt != c.in || a.usage.Completion != c.out || s.Usage.Input != c.in {
			t.Errorf("%s: usage %+v, %+v", name, a.usage, s.Usage)
		}
		quiet := Answer{Model: "m"}
		if a, s, _ := read2(t, quiet.Stream(c.s, sse.NewReader(strings.NewReader(text), 0))); a.usage != nil || s.Usage.Output != c.out {
			t.Errorf("%s: usage that nobody asked for: %+v; counted %+v", name, a.usage, s.Usage)
		}
		half := text[:strings.LastIndex(text[:len(text)*3/4], "\n\n")+2]
		if _, _, err := read2(t, about.Stream(c.s, sse.NewReader(strings.NewReader(half), 0))); !errors.Is(err, provider.ErrCut) {
			t.Errorf("%s, cut: %v", name, err)
		}
	}
}

func TestStreamFailures(t *testing.T) {
	for text, s := range map[string]provider.Style{
		"event: error\ndata: {\"type\":\"error\",\"error\":{\"type\":\"overloaded_error\",\"message\":\"too much\"}}\n\n": provider.Anthropic,
		"data: {\"error\":{\"code\":503,\"message\":\"too much\",\"status\":\"UNAVAILABLE\"}}\n\n":                        provider.Google,
	} {
		a, _, err := read2(t, Answer{}.Stream(s, sse.NewReader(strings.NewReader(text), 0)))
		if a.failure != "too much" || !errors.Is(err, io.EOF) {
			t.Errorf("%+v, %v", a, err)
		}
	}
}

func FuzzRequest(f *testing.F) {
	f.Add([]byte(conversation(f, "gemini-2.5-flash")["chat"]))
	f.Fuzz(func(t *testing.T, body []byte) {
		for _, s := range []provider.Style{provider.Anthropic, provider.Google} {
			c, err := Request(s, body)
			if err == nil && !json.Valid(c.Body) {
				t.Errorf("%q became %q", body, c.Body)
			}
		}
	})
}

func FuzzStream(f *testing.F) {
	f.Add(vendorStream(f, "anthropic"))
	f.Add(vendorStream(f, "gemini"))
	f.Fuzz(func(t *testing.T, text string) {
		for _, s := range []provider.Style{provider.Anthropic, provider.Google} {
			in := Answer{Usage: true}.Stream(s, sse.NewReader(strings.NewReader(text), 1<<16))
			for {
				ev, err := in.Next()
				if err != nil {
					break
				}
				if string(ev.Data) != "[DONE]" && !json.Valid(ev.Data) {
					t.Errorf("%q: %q", text, ev.Data)
				}
			}
			_, _ = Answer{}.Response(s, 200, []byte(text))
		}
	})
}
