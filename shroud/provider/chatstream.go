package provider

import (
	"strconv"

	"github.com/oneclaw/oneclawd/shroud/provider/jsonedit"
)

// chatEvent reads a chunk of a chat completion.
func chatEvent(w *walker, st *step, root jsonedit.Node) {
	st.s.envelope = st.s.envelope[:0]
	for k, v := range root.Fields() {
		name := k.Text()
		switch name {
		case "choices":
			for c := range v.Items() {
				w.chatChunk(st, c)
			}
			continue
		case "usage":
			st.usage = chatUsage(v)
			w.free(v, Other)
			st.drop = st.s.hideUsage && v.Is() && string(root.Get("choices").Raw()) == "[]"
			continue
		case "error":
			w.free(v, Failure)
			st.failed()
			continue
		case "model":
			st.s.Model = v.Text()
			w.label(v)
		case "id", "object", "system_fingerprint", "service_tier":
			w.label(v)
		case "created":
		default:
			w.other(k, v)
			continue
		}
		st.s.common(k, v)
	}
}

// common notes a member that all events of a stream have.
func (s *Stream) common(k, v jsonedit.Node) {
	s.envelope = append(append(append(append(s.envelope, k.Raw()...), ':'), v.Raw()...), ',')
}

func (w *walker) chatChunk(st *step, c jsonedit.Node) {
	from, choice := len(w.m.Texts), c.Get("index").Int()
	w.turn = choice
	var probs jsonedit.Node
	complete := false
	for k, v := range c.Fields() {
		switch k.Text() {
		case "delta":
			w.chatDelta(st, choice, v)
		case "text":
			w.part(v, Channel{Choice: choice, Kind: Content})
		case "message": // of servers that end a stream with the whole answer
			w.chatMessage(v)
			w.role = Assistant
		case "logprobs":
			probs = v
		case "finish_reason":
			if v.Kind() == jsonedit.String {
				st.s.Finish, complete = v.Text(), true
				st.s.failed = st.s.failed || st.s.Finish == "error" // Mistral's
				st.ending(func(ch Channel) bool { return ch.Choice == choice })
			}
			w.label(v)
		case "index":
		default:
			w.other(k, v)
		}
	}
	st.choice(choice, complete)
	if probs.Is() {
		w.m.shadows = append(w.m.shadows, shadow{probs, from, len(w.m.Texts)})
	}
}

// ending adds to the channels that end with an event.
func (st *step) ending(which func(Channel) bool) {
	before := st.ends
	st.ends = func(ch Channel) bool { return which(ch) || before != nil && before(ch) }
}

func (w *walker) chatDelta(st *step, choice int, d jsonedit.Node) {
	for k, v := range d.Fields() {
		switch k.Text() {
		case "content":
			w.chatPieces(v, Channel{Choice: choice, Kind: Content})
		case "refusal":
			w.part(v, Channel{Choice: choice, Kind: Refusal})
		case "reasoning_content", "reasoning":
			w.chatPieces(v, Channel{Choice: choice, Kind: Reasoning, note: k.Text()})
		case "tool_calls":
			count := 0
			for c := range v.Items() {
				at := Channel{Choice: choice, Block: count, Kind: ToolCall}
				if i := c.Get("index"); i.Is() {
					at.Block = i.Int()
				}
				w.chatCallDelta(st, c, at)
				count++
			}
		case "function_call":
			w.chatFunctionDelta(st, v, Channel{Choice: choice, Block: -1, Kind: ToolCall})
		case "audio":
			w.chatAudioDelta(v, choice)
		case "role":
			w.label(v)
		default:
			w.other(k, v)
		}
	}
}

// chatPieces is a piece of text, or Mistral's parts with one.
func (w *walker) chatPieces(n jsonedit.Node, ch Channel) {
	if n.Kind() != jsonedit.Array {
		w.part(n, ch)
		return
	}
	for p := range n.Items() {
		for k, v := range p.Fields() {
			switch k.Text() {
			case "text":
				w.part(v, ch)
			case "thinking":
				w.chatPieces(v, Channel{Choice: ch.Choice, Kind: Reasoning, note: "thinking"})
			case "type":
				w.label(v)
			default:
				w.other(k, v)
			}
		}
	}
}

func (w *walker) chatCallDelta(st *step, c jsonedit.Node, at Channel) {
	for k, v := range c.Fields() {
		switch k.Text() {
		case "function":
			w.chatFunctionDelta(st, v, at)
		case "custom":
			at.plain, at.note = true, "custom"
			w.chatFunctionDelta(st, v, at)
		case "id", "type":
			w.label(v)
		case "index":
		default:
			w.other(k, v)
		}
	}
}

func (w *walker) chatFunctionDelta(st *step, f jsonedit.Node, at Channel) {
	at.Tool = f.Get("name").Text()
	st.called(at, at.Tool)
	for k, v := range f.Fields() {
		switch k.Text() {
		case "name":
			w.text(v, ToolName)
		case "arguments", "input":
			w.part(v, at)
		default:
			w.other(k, v)
		}
	}
}

func (w *walker) chatAudioDelta(a jsonedit.Node, choice int) {
	for k, v := range a.Fields() {
		switch k.Text() {
		case "data":
			w.m.Opaque += len(v.Raw())
		case "transcript":
			w.part(v, Channel{Choice: choice, Block: 1, Kind: Content})
		case "id":
			w.label(v)
		default:
			w.other(k, v)
		}
	}
}

// chatHeld is a chunk with the rest of a channel.
func chatHeld(s *Stream, ch Channel, text string) frame {
	said := jsonedit.Quote(text)
	var delta []byte
	switch {
	case ch.Kind == ToolCall && ch.Block < 0:
		delta = member("function_call", member("arguments", said))
	case ch.Kind == ToolCall && ch.note == "custom":
		call := append([]byte(`[{"index":`), strconv.Itoa(ch.Block)...)
		call = append(append(call, `,"type":"custom","custom":`...), member("input", said)...)
		delta = member("tool_calls", append(call, "}]"...))
	case ch.Kind == ToolCall:
		call := append([]byte(`[{"index":`), strconv.Itoa(ch.Block)...)
		call = append(append(call, `,"function":`...), member("arguments", said)...)
		delta = member("tool_calls", append(call, "}]"...))
	case ch.Kind == Refusal:
		delta = member("refusal", said)
	case ch.Kind == Reasoning && ch.note == "thinking":
		parts := append(append([]byte(`[{"type":"thinking","thinking":[{"type":"text","text":`), said...), "}]}]"...)
		delta = member("content", parts)
	case ch.Kind == Reasoning:
		delta = member(ch.note, said)
	case ch.Block == 1:
		delta = member("audio", member("transcript", said))
	default:
		delta = member("content", said)
	}
	data := append([]byte("{"), s.envelope...)
	data = append(append(data, `"choices":[{"index":`...), strconv.Itoa(ch.Choice)...)
	data = append(append(data, `,"delta":`...), delta...)
	return frame{data: append(data, `,"finish_reason":null}]}`...)}
}

// chatFailure is a chunk with an error, which OpenAI's clients raise. Mistral's
// do not know it, and are told by the reason to finish.
func chatFailure(s *Stream, status int, message string) frame {
	data := append([]byte("{"), s.envelope...)
	data = append(data, `"choices":[{"index":0,"delta":{"content":""},"finish_reason":"error"}],`...)
	return frame{data: append(data, shroudError(status, message)[1:]...)}
}

// member is an object with one member.
func member(name string, value []byte) []byte {
	out := append(append([]byte("{"), jsonedit.Quote(name)...), ':')
	return append(append(out, value...), '}')
}
