package provider

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"strings"
	"testing"
	"testing/iotest"

	"github.com/oneclaw/oneclawd/shroud/provider/sse"
)

// TestCutStreams ends streams after each event: what was held comes out, in
// events that are in order, and the end is known to be early.
func TestCutStreams(t *testing.T) {
	for name, c := range fixtures(t, "stream") {
		if strings.HasSuffix(name, "array") {
			continue
		}
		parts := strings.SplitAfter(strings.ReplaceAll(c.text, "MARK", secret[:5]), "\n\n")
		for n := range parts {
			out, s, err := run(c.format, c.source(strings.NewReader(strings.Join(parts[:n], ""))), masking(secret))
			if s.done != errors.Is(err, io.EOF) || !s.done && !errors.Is(err, ErrCut) {
				t.Errorf("%s after %d: %v", name, n, err)
			}
			wellFormed(t, name, out)
			if n > 0 && strings.Contains(parts[n-1], `"hunte"`) && strings.Count(out, "hunte") < strings.Count(strings.Join(parts[:n], ""), "hunte") {
				t.Errorf("%s: what was held is lost:\n%s", name, out)
			}
		}
	}
}

// wellFormed fails unless a stream is events with JSON, numbered in order where
// they have numbers, and named as they say they are.
func wellFormed(t *testing.T, name, out string) {
	t.Helper()
	in, number := sse.NewReader(strings.NewReader(out), 0), 0
	for {
		ev, err := in.Next()
		if errors.Is(err, io.EOF) {
			return
		}
		if err != nil {
			t.Errorf("%s: %v\n%s", name, err, out)
			return
		}
		var body struct {
			Type     string
			Sequence *int `json:"sequence_number"`
		}
		if data := string(ev.Data); data != "" && data != "[DONE]" && json.Unmarshal(ev.Data, &body) != nil {
			t.Errorf("%s: %s is no JSON", name, data)
		}
		if len(ev.Name) > 0 && string(ev.Name) != body.Type {
			t.Errorf("%s: %s is named %s", name, ev.Data, ev.Name)
		}
		if body.Sequence != nil {
			if *body.Sequence != number {
				t.Errorf("%s: number %d, want %d: %s", name, *body.Sequence, number, ev.Data)
			}
			number++
		}
	}
}

// TestHeldComesBeforeItsEnd looks at where the rest of a channel goes.
func TestHeldComesBeforeItsEnd(t *testing.T) {
	for name, c := range fixtures(t, "stream") {
		if strings.HasSuffix(name, "array") {
			continue
		}
		text := strings.ReplaceAll(c.text, "MARK", secret)
		out, _, err := run(c.format, c.source(iotest.OneByteReader(strings.NewReader(text))), masking(secret))
		if !errors.Is(err, io.EOF) {
			t.Errorf("%s: %v", name, err)
		}
		wellFormed(t, name, out)
		if strings.Count(out, "\n\n") == strings.Count(c.text, "\n\n") && name != "gemini/stream" && name != "mistral/stream" {
			t.Errorf("%s: no event was added", name)
		}
	}
}

// TestFilterEndsStream: the event that the filter was shown does not come out.
func TestFilterEndsStream(t *testing.T) {
	refused := errors.New("refused")
	for name, c := range fixtures(t, "stream") {
		out, s, err := run(c.format, c.source(strings.NewReader(c.text)), func(ch Channel) Filter {
			if ch.Kind == ToolCall {
				return &mask{ends: refused}
			}
			return &mask{}
		})
		if !errors.Is(err, refused) {
			t.Errorf("%s: %v", name, err)
		}
		if b, err := s.Next(); !errors.Is(err, refused) || len(b) > 0 {
			t.Errorf("%s goes on", name)
		}
		end := string(s.Failure(403, "blocked"))
		if !strings.Contains(end, `"error":{"code":403,"message":"blocked","type":"shroud_error"}`) {
			t.Errorf("%s: %s", name, end)
		}
		if strings.HasSuffix(name, "array") {
			if !json.Valid([]byte(out + end)) {
				t.Errorf("%s is no JSON:\n%s%s", name, out, end)
			}
		} else if ev, err := sse.NewReader(strings.NewReader(end), 0).Next(); err != nil || !json.Valid(ev.Data) {
			t.Errorf("%s: %s", name, end)
		}
	}
}

func TestSignedThinkingPassesOrEnds(t *testing.T) {
	c := fixtures(t, "stream")["anthropic/stream"]
	_, _, err := run(c.format, c.source(strings.NewReader(c.text)), masking("find"))
	if !errors.Is(err, ErrSigned) {
		t.Errorf("thinking was changed: %v", err)
	}
	out, _, err := run(c.format, c.source(strings.NewReader(c.text)), masking("h of another"))
	if !errors.Is(err, io.EOF) || strings.Index(out, `"thinking":"h"`) > strings.Index(out, "signature_delta") {
		t.Errorf("what is signed has to come before its signature: %v\n%s", err, out)
	}
}

// TestSeveralChoices: a stream is complete when all of its answers are.
func TestSeveralChoices(t *testing.T) {
	chunk := func(index, finish string) string {
		return `data: {"choices":[{"index":` + index + `,"delta":{"content":"x"},"finish_reason":` + finish + "}]}\n\n"
	}
	for text, want := range map[string]error{
		chunk("0", "null") + chunk("1", "null") + chunk("0", `"stop"`):                        ErrCut,
		chunk("0", "null") + chunk("1", "null") + chunk("0", `"stop"`) + chunk("1", `"stop"`): io.EOF,
		chunk("0", "null") + "data: [DONE]\n\n":                                               io.EOF,
		chunk("0", "null") + `data: {"error":{"message":"overloaded"}}` + "\n\n":              io.EOF,
	} {
		if _, _, err := run(OpenAIChat, events(strings.NewReader(text)), pass); !errors.Is(err, want) {
			t.Errorf("%s: %v, want %v", text, err, want)
		}
	}
}

func TestUsageThatNobodyAskedFor(t *testing.T) {
	for body, want := range map[string]string{
		`{"stream":true,"model":"m"}`:                                    `{"stream":true,"stream_options":{"include_usage":true},"model":"m"}`,
		`{"stream": true, "stream_options": {"include_usage": false}}`:   `{"stream": true, "stream_options": {"include_usage": true}}`,
		`{"stream":true,"stream_options":{"include_usage":true}}`:        "",
		`{"stream":true,"stream_options":{"include_obfuscation":false}}`: "",
		`{"stream":false}`: "",
		`{"messages":[]}`:  "",
	} {
		r, err := ParseRequest(OpenAIChat, []byte(body))
		if err != nil {
			t.Fatal(err)
		}
		asked := r.AskUsage()
		out, err := r.Rewrite(nil)
		if err != nil || asked != (want != "") || asked && string(out) != want || !asked && string(out) != body {
			t.Errorf("%s: %v, %s, %v", body, asked, out, err)
		}
	}
	c := fixtures(t, "stream")["openai-chat/stream"]
	s := NewStream(c.format, c.source(strings.NewReader(c.text)), pass)
	s.HideUsage()
	out := ""
	for {
		b, err := s.Next()
		out += string(b)
		if err != nil {
			break
		}
	}
	if strings.Contains(out, "usage") || !strings.HasSuffix(out, "[DONE]\n\n") || s.Usage.Input != 19 {
		t.Errorf("%+v\n%s", s.Usage, out)
	}
}

func TestGarbage(t *testing.T) {
	for text, want := range map[string]string{
		"data: <html>\n\n":                                       "data: <html>\n\n",
		"data: my " + secret + "\n\n":                            "data: my [gone]\n\n",
		": " + secret + "\n\n":                                   "",
		"event: " + secret + "\ndata: {\"choices\":[]}\n\n":      "data: {\"choices\":[]}\n\n",
		"id: 7\ndata: {\"a\":\"" + secret + "\"}\n\n":            "id: 7\ndata: {\"a\":\"[gone]\"}\n\n",
		"id: " + secret + "\ndata: {\"choices\":[]}\n\n":         "data: {\"choices\":[]}\n\n",
		"data: {\"a\":\n\n":                                      "",
		"data: {\"a\":\"" + secret + "\"}\n\n":                   "data: {\"a\":\"[gone]\"}\n\n",
		"event: x\ndata: [\"" + secret + "\"]\n\n":               "event: x\ndata: [\"[gone]\"]\n\n",
		"data: {\"a\":\ndata: \"" + secret + "\"}\n\n":           "data: {\"a\":\ndata: \"[gone]\"}\n\n",
		"data: {\"error\":{\"message\":\"" + secret + "\"}}\n\n": "data: {\"error\":{\"message\":\"[gone]\"}}\n\n",
	} {
		for _, f := range formats {
			out, _, err := run(f, sse.NewReader(strings.NewReader(text), 0), masking(secret))
			if out != want || err == nil {
				t.Errorf("%d: %q became %q, %v; want %q", f, text, out, err, want)
			}
		}
	}
	for _, text := range []string{`["` + secret + `"]`, `{"error":"` + secret + `"}`, `[{}] ` + secret, secret, `[{}` + secret + `,{}]`} {
		out, _, err := run(GeminiContent, newElements(strings.NewReader(text), 0), masking(secret))
		if err == nil || errors.Is(err, io.EOF) || strings.Contains(out, secret) {
			t.Errorf("%q became %q, %v", text, out, err)
		}
	}
}

func TestChannelsAreBounded(t *testing.T) {
	var stream strings.Builder
	for i := range 2 * maxLanes {
		fmt.Fprintf(&stream, "data: {\"choices\":[{\"index\":%d,\"delta\":{\"content\":\"x\"}}]}\n\n", i)
	}
	if _, _, err := run(OpenAIChat, events(strings.NewReader(stream.String())), pass); !errors.Is(err, ErrChannels) {
		t.Errorf("got %v", err)
	}
}

func TestReadErrorsAreTold(t *testing.T) {
	broken := errors.New("broken")
	for name, c := range fixtures(t, "stream") {
		r := io.MultiReader(strings.NewReader(c.text[:len(c.text)/2]), iotest.ErrReader(broken))
		if _, _, err := run(c.format, c.source(r), pass); !errors.Is(err, broken) {
			t.Errorf("%s: %v", name, err)
		}
	}
}

func FuzzStream(f *testing.F) {
	for _, c := range fixtures(f, "stream") {
		f.Add(byte(c.format), c.text, secret)
	}
	f.Fuzz(func(t *testing.T, format byte, text, word string) {
		fm := Format(format % 8)
		run(fm, sse.NewReader(strings.NewReader(text), 1<<16), masking(word))
		out, _, err := run(fm, sse.NewReader(strings.NewReader(text), 1<<16), pass)
		if errors.Is(err, io.EOF) && out != text {
			t.Errorf("clean %q became %q", text, out)
		}
		run(GeminiContent, newElements(strings.NewReader(text), 1<<16), masking(word))
		out, _, err = run(GeminiContent, newElements(strings.NewReader(text), 1<<16), pass)
		if errors.Is(err, io.EOF) && out != text {
			t.Errorf("clean %q became %q", text, out)
		}
	})
}

func FuzzMessage(f *testing.F) {
	for _, part := range []string{"request", "response", "answer", "error"} {
		for _, c := range fixtures(f, part) {
			f.Add(byte(c.format), c.text, "other words")
		}
	}
	f.Fuzz(func(t *testing.T, format byte, body, to string) {
		fm := Format(format % 8)
		for _, part := range []string{"request", "response"} {
			m, err := parse(part, fm, body)
			if err != nil {
				continue
			}
			if out, err := m.Rewrite(nil); err != nil || string(out) != body {
				t.Fatalf("unchanged %q became %q, %v", body, out, err)
			}
			all := map[int]string{}
			for i, text := range m.Texts {
				_ = m.Path(i)
				if !text.Signed {
					all[i] = to
				}
			}
			out, err := m.Rewrite(all)
			if err != nil {
				t.Fatal(err)
			}
			if _, err := parse("response", fm, string(out)); err != nil && m.doc != nil {
				t.Errorf("%q became %q: %v", body, out, err)
			}
		}
	})
}
