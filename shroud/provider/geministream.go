package provider

import (
	"strconv"

	"github.com/oneclaw/oneclawd/shroud/provider/jsonedit"
)

// geminiEvent reads one of the answers that a stream is made of: each is whole
// in form, and has the next piece of the text.
func geminiEvent(w *walker, st *step, root jsonedit.Node) {
	st.s.envelope = st.s.envelope[:0]
	for k, v := range root.Fields() {
		switch k.Text() {
		case "candidates":
			for c := range v.Items() {
				w.geminiChunk(st, c)
			}
			w.turn = 0
		case "usageMetadata":
			st.usage = geminiUsage(v)
			w.free(v, Other)
		case "modelVersion":
			st.s.Model = v.Text()
			w.label(v)
			st.s.common(k, v)
		case "responseId":
			w.label(v)
			st.s.common(k, v)
		case "promptFeedback": // the prompt was refused: there is no candidate to come
			if why := v.Get("blockReason").Text(); why != "" {
				st.s.Finish, st.s.done = why, true
			}
			w.other(k, v)
		case "error":
			w.free(v, Failure)
			st.failed()
		default:
			w.other(k, v)
		}
	}
}

func (w *walker) geminiChunk(st *step, c jsonedit.Node) {
	from, choice := len(w.m.Texts), c.Get("index").Int()
	w.turn = choice
	var probs jsonedit.Node
	complete := false
	for k, v := range c.Fields() {
		switch k.Text() {
		case "content":
			w.geminiPieces(v, choice)
		case "finishReason":
			st.s.Finish, complete = v.Text(), true
			w.label(v)
			st.ending(func(ch Channel) bool { return ch.Choice == choice })
		case "logprobsResult":
			probs = v
		default:
			w.geminiBeside(k, v)
		}
	}
	st.choice(choice, complete)
	if probs.Is() {
		w.m.shadows = append(w.m.shadows, shadow{probs, from, len(w.m.Texts)})
	}
}

func (w *walker) geminiPieces(c jsonedit.Node, choice int) {
	for p := range c.Get("parts").Items() {
		ch := Channel{Choice: choice, Kind: Content}
		if p.Get("thought").True() {
			ch.Kind = Reasoning
		}
		for k, v := range p.Fields() {
			if k.Text() == "text" {
				w.part(v, ch)
			} else {
				w.geminiMember(k, v)
			}
		}
	}
	w.label(c.Get("role"))
	w.rest(c, "parts", "role")
}

// geminiHeld is an answer with the rest of a channel.
func geminiHeld(s *Stream, ch Channel, text string) frame {
	part := append([]byte(`{"text":`), jsonedit.Quote(text)...)
	if ch.Kind == Reasoning {
		part = append(part, `,"thought":true`...)
	}
	data := append([]byte("{"), s.envelope...)
	data = append(append(data, `"candidates":[{"content":{"parts":[`...), part...)
	data = append(append(data, `}],"role":"model"},"index":`...), strconv.Itoa(ch.Choice)...)
	return frame{data: append(data, "}]}"...)}
}
