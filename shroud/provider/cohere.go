package provider

import (
	"strconv"

	"github.com/oneclaw/oneclawd/shroud/provider/jsonedit"
)

// Cohere's chat, version 2. Its requests have the form of OpenAI's, with
// documents; its answers have one message, and streams of their own kind.
// https://docs.cohere.com/reference/chat

func cohereResponse(w *walker, r *Response, root jsonedit.Node) {
	from := len(w.m.Texts)
	var probs jsonedit.Node
	for k, v := range root.Fields() {
		switch k.Text() {
		case "message":
			w.turn = 0
			if v.Kind() == jsonedit.Object {
				w.chatMessage(v)
			} else {
				w.text(v, Failure)
			}
			w.role, w.turn = Assistant, -1
		case "finish_reason":
			r.Finish = v.Text()
			w.label(v)
		case "usage":
			r.Usage.merge(cohereUsage(v))
			w.free(v, Other)
		case "logprobs":
			probs = v
		case "id":
			w.label(v)
		default:
			w.other(k, v)
		}
	}
	if probs.Is() {
		w.m.shadows = append(w.m.shadows, shadow{probs, from, len(w.m.Texts)})
	}
}

func cohereUsage(u jsonedit.Node) Usage {
	t := u.Get("tokens")
	if !t.Is() {
		t = u.Get("billed_units")
	}
	return Usage{
		Input: t.Get("input_tokens").Int(), Output: t.Get("output_tokens").Int(),
		Cached: u.Get("cached_tokens").Int(),
	}
}

// cohereEvent reads an event of a chat.
func cohereEvent(w *walker, st *step, root jsonedit.Node) {
	block := root.Get("index").Int()
	d := root.Get("delta")
	m := d.Get("message")
	w.label(root.Get("type"))
	w.label(root.Get("id"))
	switch root.Get("type").Text() {
	case "content-start", "content-delta":
		w.cohereContent(m.Get("content"), block)
	case "content-end":
		st.ending(func(ch Channel) bool {
			return ch.Block == block && (ch.Kind == Content || ch.Kind == Reasoning && ch.note == "")
		})
	case "tool-plan-delta":
		w.part(m.Get("tool_plan"), coherePlan)
	case "tool-call-start":
		st.ending(coherePlan.same)
		w.cohereCall(st, m.Get("tool_calls"), block)
	case "tool-call-delta":
		w.cohereCall(st, m.Get("tool_calls"), block)
	case "tool-call-end":
		st.ending(func(ch Channel) bool { return ch.Block == block && ch.Kind == ToolCall })
	case "citation-start":
		w.as(Tool, func() { w.free(m.Get("citations"), Document) })
	case "message-end":
		st.usage = cohereUsage(d.Get("usage"))
		st.s.Finish, st.s.done = d.Get("finish_reason").Text(), true
		st.s.failed = st.s.Finish == "ERROR"
		w.label(d.Get("finish_reason"))
		w.text(d.Get("error"), Failure)
		st.ending(func(Channel) bool { return true })
	default:
		w.rest(root, "type", "id")
		return
	}
	w.rest(m, "content", "tool_plan", "tool_calls", "citations")
	w.rest(d, "message", "finish_reason", "error")
	w.rest(root, "type", "id", "index", "delta")
}

// coherePlan is what the model says before it calls tools. It has no number:
// this one is of no block.
var coherePlan = Channel{Block: -1, Kind: Reasoning, note: "tool_plan"}

func (w *walker) cohereContent(c jsonedit.Node, block int) {
	for k, v := range c.Fields() {
		switch k.Text() {
		case "text":
			w.part(v, Channel{Block: block, Kind: Content})
		case "thinking":
			w.part(v, Channel{Block: block, Kind: Reasoning})
		case "type":
			w.label(v)
		default:
			w.other(k, v)
		}
	}
}

func (w *walker) cohereCall(st *step, c jsonedit.Node, block int) {
	w.chatCallDelta(st, c, Channel{Block: block, Kind: ToolCall})
}

// cohereHeld is a delta with the rest of a channel.
func cohereHeld(_ *Stream, ch Channel, text string) frame {
	said := jsonedit.Quote(text)
	kind, message := "content-delta", member("content", member("text", said))
	switch {
	case ch.note == "tool_plan":
		kind, message = "tool-plan-delta", member("tool_plan", said)
	case ch.Kind == Reasoning:
		message = member("content", member("thinking", said))
	case ch.Kind == ToolCall:
		kind, message = "tool-call-delta", member("tool_calls", member("function", member("arguments", said)))
	}
	data := append([]byte(`{"type":"`+kind+`","delta":`), member("message", message)...)
	if ch.Block >= 0 {
		data = append(append(data, `,"index":`...), strconv.Itoa(ch.Block)...)
	}
	return frame{kind, append(data, '}')}
}

// cohereFailure ends a stream: Cohere has no events for errors, only an end that
// says so.
func cohereFailure(_ *Stream, status int, message string) frame {
	data := append([]byte(`{"type":"message-end","delta":{"finish_reason":"ERROR","error":`), jsonedit.Quote(message)...)
	return frame{"message-end", append(append(data, "},"...), shroudError(status, message)[1:]...)}
}
