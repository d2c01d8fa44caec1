package provider

import (
	"io"
	"runtime"
	"strings"
	"testing"

	"github.com/oneclaw/oneclawd/shroud/provider/sse"
)

func BenchmarkParseRequest(b *testing.B) {
	turn := `{"role":"user","content":"` + strings.Repeat(`some words of a long text, and a line\n`, 50) + `"},`
	for name, text := range map[string]string{
		"400B":  `{"model":"gpt-4o","messages":[{"role":"system","content":"You are helpful."},{"role":"user","content":"` + strings.Repeat("words ", 45) + `"}],"temperature":0.7}`,
		"400KB": `{"model":"gpt-4o","messages":[` + strings.TrimSuffix(strings.Repeat(turn, 200), ",") + `]}`,
	} {
		b.Run(name, func(b *testing.B) {
			body := []byte(text)
			b.SetBytes(int64(len(body)))
			b.ReportAllocs()
			for b.Loop() {
				if _, err := ParseRequest(OpenAIChat, body); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}

// endless is a stream of one event, again and again.
type endless struct{ event, left string }

func (e *endless) Read(p []byte) (int, error) {
	if e.left == "" {
		e.left = strings.Repeat(e.event, 16)
	}
	n := copy(p, e.left)
	e.left = e.left[n:]
	return n, nil
}

// TestStreamMemory: however long a stream, what it keeps is small.
func TestStreamMemory(t *testing.T) {
	event := `data: {"id":"chatcmpl-1","choices":[{"index":0,"delta":{"content":" hunt words"}}]}` + "\n\n"
	s := NewStream(OpenAIChat, sse.NewReader(&endless{event: event}, 0), masking(secret))
	kept := func() uint64 {
		for range 20000 {
			if _, err := s.Next(); err != nil {
				t.Fatal(err)
			}
		}
		var m runtime.MemStats
		runtime.GC()
		runtime.ReadMemStats(&m)
		return m.HeapAlloc
	}
	before := kept()
	if after := kept(); after > before+1<<19 {
		t.Errorf("20,000 more events keep %d bytes", after-before)
	}
	runtime.KeepAlive(s)
}

func BenchmarkStreamChunk(b *testing.B) {
	for name, c := range map[string]struct {
		f     Format
		event string
	}{
		"openai":    {OpenAIChat, `data: {"id":"chatcmpl-123","object":"chat.completion.chunk","created":1694268190,"model":"gpt-4o-mini","system_fingerprint":"fp_44709d6fcb","choices":[{"index":0,"delta":{"content":" words"},"logprobs":null,"finish_reason":null}]}` + "\n\n"},
		"anthropic": {AnthropicMessages, "event: content_block_delta\ndata: " + `{"type":"content_block_delta","index":1,"delta":{"type":"text_delta","text":" words"}}` + "\n\n"},
		"arguments": {AnthropicMessages, "event: content_block_delta\ndata: " + `{"type":"content_block_delta","index":2,"delta":{"type":"input_json_delta","partial_json":"[\"some words\", 1], "}}` + "\n\n"},
		"responses": {OpenAIResponses, "event: response.output_text.delta\ndata: " + `{"type":"response.output_text.delta","item_id":"msg_67c9fdcf37fc8190ba82116e33fb28c5","output_index":1,"content_index":0,"delta":" words","logprobs":[],"sequence_number":8,"obfuscation":"x82ha"}` + "\n\n"},
	} {
		b.Run(name, func(b *testing.B) {
			s := NewStream(c.f, sse.NewReader(&endless{event: c.event}, 0), masking("not there"))
			b.ReportAllocs()
			for b.Loop() {
				out, err := s.Next()
				if err != nil {
					b.Fatal(err)
				}
				_, _ = io.Discard.Write(out)
			}
		})
	}
}
