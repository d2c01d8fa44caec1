package provider

import (
	"strconv"
	"strings"

	"github.com/oneclaw/oneclawd/shroud/provider/jsonedit"
)

// told are the texts of items that come in pieces, by what is between
// "response." and ".delta" or ".done" in the type of their events.
func told(name string) (ch Channel, ok bool) {
	switch name {
	case "output_text", "audio.transcript", "audio_transcript":
		return Channel{Kind: Content}, true
	case "refusal":
		return Channel{Kind: Refusal}, true
	case "reasoning_text", "reasoning_summary_text":
		return Channel{Kind: Reasoning}, true
	case "function_call_arguments", "mcp_call_arguments":
		return Channel{Kind: ToolCall}, true
	case "custom_tool_call_input", "code_interpreter_call_code", "apply_patch_call_operation_diff":
		return Channel{Kind: ToolCall, plain: true}, true
	}
	return Channel{}, false
}

// responsesEvent reads an event of a response.
func responsesEvent(w *walker, st *step, root jsonedit.Node) {
	st.seq = root.Get("sequence_number")
	kind := strings.TrimPrefix(root.Get("type").Text(), "response.")
	w.label(root.Get("type"))
	w.label(root.Get("item_id"))
	name, end := kind, ""
	if i := strings.LastIndexByte(kind, '.'); i >= 0 {
		name, end = kind[:i], kind[i+1:]
	}
	ch, ok := told(name)
	ch.Block = responsesBlock(root)
	switch {
	case kind == "error":
		st.failed()
		w.responsesWhole(st, kind, root)
	case ok && end == "delta":
		w.responsesDelta(st, root, ch)
	case ok && end == "done":
		st.ending(ch.same)
		w.responsesDone(st, root, ch)
	default:
		w.responsesWhole(st, kind, root)
	}
}

// responsesBlock numbers what an event is about: the item, and the part of it.
func responsesBlock(root jsonedit.Node) int {
	block := root.Get("output_index").Int()<<16 | root.Get("content_index").Int()
	if s := root.Get("summary_index"); s.Is() {
		block |= s.Int() | 1<<15
	}
	return block
}

func (w *walker) responsesDelta(st *step, root jsonedit.Node, ch Channel) {
	from := len(w.m.Texts)
	var probs jsonedit.Node
	var note []byte // once for each channel
	add := func(k, v jsonedit.Node) {
		note = append(append(append(append(note, k.Raw()...), ':'), v.Raw()...), ',')
	}
	if st.s.open(ch) != nil {
		add = func(_, _ jsonedit.Node) {}
	}
	for k, v := range root.Fields() {
		switch k.Text() {
		case "delta":
			continue
		case "sequence_number", "obfuscation":
			w.free(v, Other)
		case "logprobs":
			probs = v
		case "type", "item_id":
			add(k, v)
		default:
			add(k, v)
			w.other(k, v)
		}
	}
	ch.note = string(note)
	w.part(root.Get("delta"), ch)
	if probs.Is() {
		w.m.shadows = append(w.m.shadows, shadow{probs, from, len(w.m.Texts)})
	}
}

// responsesDone repeats the whole text.
func (w *walker) responsesDone(st *step, root jsonedit.Node, ch Channel) {
	from := len(w.m.Texts)
	var probs jsonedit.Node
	if ch.Kind == ToolCall {
		w.tool = st.s.names[Channel{Block: ch.Block}]
	}
	for k, v := range root.Fields() {
		switch k.Text() {
		case "text", "transcript", "refusal", "input", "code", "diff":
			w.text(v, ch.Kind)
		case "arguments":
			w.args(v, ToolCall)
		case "name":
			w.text(v, ToolName)
		case "logprobs":
			probs = v
		case "type", "item_id", "sequence_number":
		default:
			w.other(k, v)
		}
	}
	if probs.Is() {
		w.m.shadows = append(w.m.shadows, shadow{probs, from, len(w.m.Texts)})
	}
}

// responsesWhole is an event about a part, an item, or all of the response.
func (w *walker) responsesWhole(st *step, kind string, root jsonedit.Node) {
	for k, v := range root.Fields() {
		switch k.Text() {
		case "item":
			st.called(Channel{Block: responsesBlock(root)}, v.Get("name").Text())
			w.item(v)
			w.role = Assistant
		case "part":
			said := Content
			if strings.HasPrefix(kind, "reasoning") {
				said = Reasoning
			}
			w.responsesPart(v, said)
		case "response":
			r := Response{}
			responsesResponse(w, &r, v)
			st.usage, st.s.Model = r.Usage, r.Model
			if kind == "completed" || kind == "failed" || kind == "incomplete" {
				st.s.Finish, st.s.done, st.s.failed = r.Finish, true, kind == "failed"
				st.ending(func(Channel) bool { return true })
			}
		case "partial_image_b64", "delta": // images and sound
			w.blob(v)
		case "annotation":
			w.as(Tool, func() { w.free(v, Document) })
		case "message", "code", "param", "error":
			w.free(v, Failure)
		case "type", "item_id":
		default:
			w.other(k, v)
		}
	}
}

// responsesHeld is a delta with the rest of a channel.
func responsesHeld(s *Stream, ch Channel, text string) frame {
	kind, _, _ := strings.Cut(strings.TrimPrefix(ch.note, `"type":"`), `"`)
	data := append([]byte("{"), ch.note...)
	data = append(strconv.AppendInt(append(data, `"sequence_number":`...), int64(s.next), 10), `,"delta":`...)
	data = append(data, jsonedit.Quote(text)...)
	return frame{kind, append(data, '}')}
}

// responsesFailure is how OpenAI tells of an error in the middle of a stream.
func responsesFailure(_ *Stream, status int, message string) frame {
	data := append([]byte(`{"type":"error","code":"`), strconv.Itoa(status)...)
	data = append(append(data, `","param":null,"message":`...), jsonedit.Quote(message)...)
	return frame{"error", append(append(data, ','), shroudError(status, message)[1:]...)}
}
