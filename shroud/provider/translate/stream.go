package translate

import (
	"errors"
	"io"

	"github.com/oneclaw/oneclawd/shroud/provider"
	"github.com/oneclaw/oneclawd/shroud/provider/jsonedit"
	"github.com/oneclaw/oneclawd/shroud/provider/sse"
)

// Stream makes the chunks of a chat completion from the events of a vendor. It is
// a provider.Source: what reads it inspects chunks.
type Stream struct {
	in     provider.Source
	from   func(*Stream, jsonedit.Node) error
	about  Answer
	head   completion
	usage  provider.Usage
	queue  [][]byte // chunks to be read
	calls  map[int]int
	blocks map[int]int // which call a block of Anthropic's is
	begun  map[int]bool
	done   bool // the answer is complete
	ended  bool
}

// maxCalls bounds the memory for calls of one answer.
const maxCalls = 1024

// Stream reads a vendor's stream.
func (a Answer) Stream(s provider.Style, in provider.Source) *Stream {
	t := &Stream{
		in: in, about: a, head: completion{Object: "chat.completion.chunk", Created: a.Created, Model: a.Model},
		calls: map[int]int{}, blocks: map[int]int{}, begun: map[int]bool{}, from: (*Stream).google,
	}
	if s == provider.Anthropic {
		t.from = (*Stream).anthropic
	}
	return t
}

// Usage is what the vendor has counted so far, whether or not the client wants
// to know.
func (t *Stream) Usage() provider.Usage { return t.usage }

// Ready reports whether there is a chunk that need not be waited for.
func (t *Stream) Ready() bool { return len(t.queue) > 0 }

// Next is the next chunk.
func (t *Stream) Next() (sse.Event, error) {
	for len(t.queue) == 0 {
		if t.ended {
			return sse.Event{}, io.EOF
		}
		ev, err := t.in.Next()
		switch {
		case errors.Is(err, io.EOF) && t.done:
			t.finish()
			continue
		case err != nil:
			return sse.Event{}, err
		case len(ev.Data) == 0 || string(ev.Data) == "[DONE]":
			continue
		}
		doc, err := jsonedit.ParseLoose(ev.Data)
		if err != nil {
			return sse.Event{}, err
		}
		if err := t.from(t, doc.Root()); err != nil {
			return sse.Event{}, err
		}
	}
	data := t.queue[0]
	t.queue = t.queue[1:]
	return sse.Event{Raw: sse.Append(nil, "", data), Data: data, Plain: true}, nil
}

// finish ends the answer as OpenAI does.
func (t *Stream) finish() {
	if t.ended {
		return
	}
	t.ended = true
	if t.about.Usage {
		last := t.head
		last.Choices, last.Usage = []choice{}, counted(t.usage)
		t.queue = append(t.queue, marshal(last))
	}
	t.queue = append(t.queue, []byte("[DONE]"))
}

// chunk queues a piece of a choice, after the one that says who speaks.
func (t *Stream) chunk(index int, m message, finish string) {
	if !t.begun[index] && len(t.begun) < maxCalls {
		t.begun[index] = true
		t.put(choice{Index: index, Delta: &message{Role: "assistant", Content: ""}})
	}
	c := choice{Index: index, Delta: &m}
	if finish != "" {
		c.Finish = &finish
	}
	t.put(c)
}

func (t *Stream) put(c choice) {
	one := t.head
	one.Choices = []choice{c}
	t.queue = append(t.queue, marshal(one))
}

// failed queues an error of the vendor.
func (t *Stream) failed(root jsonedit.Node) {
	e := root.Get("error")
	t.queue = append(t.queue, marshal(map[string]failure{"error": {
		Message: e.Get("message").Text(), Type: first(e.Get("type").Text(), e.Get("status").Text(), "upstream_error"), Code: e.Get("code").Text(),
	}}))
}

func (t *Stream) google(root jsonedit.Node) error {
	if root.Get("error").Is() {
		t.failed(root)
		return nil
	}
	r, err := provider.ParseResponse(provider.GeminiContent, 200, root.Raw())
	if err != nil {
		return err
	}
	t.usage = larger(t.usage, r.Usage)
	t.head.ID, t.head.Model = first(t.head.ID, root.Get("responseId").Text()), first(r.Model, t.head.Model)
	for c := range root.Get("candidates").Items() {
		index := c.Get("index").Int()
		p := googleSaid(t.head.ID, t.calls[index], c)
		if p.thought != "" {
			t.chunk(index, message{Reasoning: p.thought}, "")
		}
		if p.text != "" {
			t.chunk(index, message{Content: p.text}, "")
		}
		for _, call := range p.calls {
			n := t.calls[index]
			t.calls[index]++
			call.Index = &n
			t.chunk(index, message{ToolCalls: []toolCall{call}}, "")
		}
		if why := c.Get("finishReason").Text(); why != "" {
			t.done = true
			t.chunk(index, message{}, fromGoogleStop(why, t.calls[index] > 0))
		}
	}
	if root.Get("promptFeedback", "blockReason").Is() {
		t.done = true
		t.chunk(0, message{}, "content_filter")
	}
	return nil
}

func (t *Stream) anthropic(root jsonedit.Node) error {
	block := root.Get("index").Int()
	switch root.Get("type").Text() {
	case "message_start":
		m := root.Get("message")
		t.head.ID, t.head.Model = m.Get("id").Text(), first(m.Get("model").Text(), t.head.Model)
		return t.anthropicUsage(m)
	case "content_block_start":
		if b := root.Get("content_block"); b.Get("type").Text() == "tool_use" && len(t.blocks) < maxCalls {
			n := len(t.blocks)
			t.blocks[block] = n
			t.chunk(0, message{ToolCalls: []toolCall{{Index: &n, ID: b.Get("id").Text(), Type: "function", Function: function{Name: b.Get("name").Text()}}}}, "")
		}
	case "content_block_delta":
		t.anthropicDelta(block, root.Get("delta"))
	case "message_delta":
		t.done = true
		t.chunk(0, message{}, fromAnthropicStop(root.Get("delta", "stop_reason").Text()))
		return t.anthropicUsage(root)
	case "message_stop":
		t.finish()
	case "error":
		t.failed(root)
	}
	return nil
}

func (t *Stream) anthropicDelta(block int, d jsonedit.Node) {
	switch d.Get("type").Text() {
	case "text_delta":
		t.chunk(0, message{Content: d.Get("text").Text()}, "")
	case "thinking_delta":
		t.chunk(0, message{Reasoning: d.Get("thinking").Text()}, "")
	case "input_json_delta":
		if n, ok := t.blocks[block]; ok {
			t.chunk(0, message{ToolCalls: []toolCall{{Index: &n, Function: function{Arguments: d.Get("partial_json").Text()}}}}, "")
		}
	}
}

// anthropicUsage reads what a message or its end has counted.
func (t *Stream) anthropicUsage(m jsonedit.Node) error {
	if !m.Get("usage").Is() {
		return nil
	}
	r, err := provider.ParseResponse(provider.AnthropicMessages, 200, m.Raw())
	if err != nil {
		return err
	}
	t.usage = larger(t.usage, r.Usage)
	return nil
}

func larger(a, b provider.Usage) provider.Usage {
	return provider.Usage{
		Input: max(a.Input, b.Input), Output: max(a.Output, b.Output),
		Cached: max(a.Cached, b.Cached), Reasoning: max(a.Reasoning, b.Reasoning),
	}
}
