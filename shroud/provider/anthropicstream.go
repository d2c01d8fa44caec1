package provider

import (
	"strconv"

	"github.com/oneclaw/oneclawd/shroud/provider/jsonedit"
)

// anthropicEvent reads an event of a message.
func anthropicEvent(w *walker, st *step, root jsonedit.Node) {
	block := root.Get("index").Int()
	w.label(root.Get("type"))
	switch root.Get("type").Text() {
	case "message_start":
		var r Response
		anthropicResponse(w, &r, root.Get("message"))
		st.usage, st.s.Model = r.Usage, r.Model
	case "content_block_start":
		w.blockStart(st, root.Get("content_block"), block)
	case "content_block_delta":
		w.blockDelta(st, root.Get("delta"), block)
	case "content_block_stop":
		st.ending(func(ch Channel) bool { return ch.Block == block })
	case "message_delta":
		st.usage = anthropicUsage(root.Get("usage"))
		d := root.Get("delta")
		st.s.Finish = d.Get("stop_reason").Text()
		w.label(d.Get("stop_reason"))
		w.text(d.Get("stop_sequence"), Content)
		w.rest(d, "stop_reason", "stop_sequence")
	case "message_stop":
		st.s.done = true
		st.ending(func(Channel) bool { return true })
	case "error":
		w.free(root.Get("error"), Failure)
		st.failed()
		w.rest(root, "type", "error")
		return
	default: // an event of the future: all of it is looked at
		w.rest(root, "type")
		return
	}
	w.rest(root, "type", "index", "message", "content_block", "delta")
}

// blockStart is the head of a block. Blocks that are told bit by bit begin
// empty, the results of Anthropic's own tools come whole.
func (w *walker) blockStart(st *step, b jsonedit.Node, block int) {
	switch b.Get("type").Text() {
	case "tool_use", "server_tool_use", "mcp_tool_use":
		st.called(Channel{Block: block}, b.Get("name").Text())
		w.call(b.Get("name"), b.Get("input"))
		w.labels(b, "name", "input")
	case "text":
		w.part(b.Get("text"), Channel{Block: block, Kind: Content})
		w.citations(b.Get("citations"))
		w.rest(b, "type", "text", "citations")
	case "thinking":
		w.part(b.Get("thinking"), Channel{Block: block, Kind: Reasoning, Signed: true})
		w.rest(b, "type", "thinking", "signature")
		w.blob(b.Get("signature"))
	default:
		w.block(b, Content)
	}
}

func (w *walker) blockDelta(st *step, d jsonedit.Node, block int) {
	for k, v := range d.Fields() {
		switch k.Text() {
		case "type":
			w.label(v)
		case "text":
			w.part(v, Channel{Block: block, Kind: Content})
		case "partial_json":
			w.part(v, Channel{Block: block, Kind: ToolCall})
		case "thinking":
			w.part(v, Channel{Block: block, Kind: Reasoning, Signed: true})
		case "signature": // what it signs is complete
			st.ending(func(ch Channel) bool { return ch.Block == block && ch.Kind == Reasoning })
			w.signed = true
			w.blob(v)
			w.signed = false
		case "citation":
			w.citation(v)
		default:
			w.other(k, v)
		}
	}
}

// anthropicHeld is a delta with the rest of a channel.
func anthropicHeld(_ *Stream, ch Channel, text string) frame {
	kind, name := "text_delta", "text"
	switch ch.Kind {
	case ToolCall:
		kind, name = "input_json_delta", "partial_json"
	case Reasoning:
		kind, name = "thinking_delta", "thinking"
	}
	data := append([]byte(`{"type":"content_block_delta","index":`), strconv.Itoa(ch.Block)...)
	data = append(append(data, `,"delta":{"type":"`+kind+`","`+name+`":`...), jsonedit.Quote(text)...)
	return frame{"content_block_delta", append(data, "}}"...)}
}

// anthropicFailure is how Anthropic tells of an error in the middle of a stream.
func anthropicFailure(_ *Stream, status int, message string) frame {
	data := append([]byte(`{"type":"error",`), shroudError(status, message)[1:]...)
	return frame{"error", data}
}
