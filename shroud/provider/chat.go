package provider

import "github.com/oneclaw/oneclawd/shroud/provider/jsonedit"

// Chat completions of OpenAI, and of all who took over its form.
// https://platform.openai.com/docs/api-reference/chat

func chatRequest(w *walker, r *Request, root jsonedit.Node) {
	for k, v := range root.Fields() {
		switch k.Text() {
		case "model":
			r.named(w, v)
		case "stream":
			r.Stream, r.stream = v.True(), v
		case "stream_options":
			r.options = v
			w.free(v, Other)
		case "max_tokens", "max_completion_tokens":
			r.MaxOutput = max(r.MaxOutput, amount(v))
		case "n", "best_of": // the best of several that are written
			r.Answers = max(r.Answers, amount(v))
		case "messages":
			for m := range v.Items() {
				w.role, w.turn = User, r.Turns
				r.Turns++
				w.chatMessage(m)
			}
			w.role, w.turn = User, -1
		case "prompt": // of completions without a chat; each of several is answered
			for p := range v.Items() {
				if p.Kind() != jsonedit.Number { // those are the tokens of one
					r.prompts++
				}
			}
			w.free(v, Content)
		case "suffix":
			w.free(v, Content)
		case "tools", "functions", "response_format":
			w.as(System, func() { w.free(v, ToolSchema) })
		case "documents":
			w.as(Tool, func() { w.free(v, Document) })
		case "prediction":
			w.as(Assistant, func() { w.chatMessage(v) })
		default:
			w.other(k, v)
		}
	}
}

// chatRole is who speaks. Whoever is not known is not trusted more than a user.
func chatRole(n jsonedit.Node) Role {
	switch n.Text() {
	case "system", "developer":
		return System
	case "assistant", "model":
		return Assistant
	case "tool", "function":
		return Tool
	}
	return User
}

// chatMessage is one message of a conversation, or the one that is the answer.
func (w *walker) chatMessage(m jsonedit.Node) {
	if role := m.Get("role"); role.Is() {
		w.role = chatRole(role)
	}
	kind := Content
	if w.role == Tool {
		kind = ToolResult
	}
	if m.Kind() != jsonedit.Object {
		w.free(m, kind)
	}
	for k, v := range m.Fields() {
		switch k.Text() {
		case "role":
			w.label(v)
		case "content":
			w.chatContent(v, kind)
		case "refusal":
			w.text(v, Refusal)
		case "reasoning_content", "reasoning", "thinking", "tool_plan":
			w.chatContent(v, Reasoning)
		case "tool_calls":
			for c := range v.Items() {
				w.chatCall(c)
			}
		case "function_call":
			w.chatFunction(v)
		case "tool_call_id", "name", "id":
			w.label(v)
		case "audio":
			w.chatAudio(v)
		case "reasoning_details":
			w.free(v, Reasoning)
		case "citations":
			w.as(Tool, func() { w.free(v, Document) })
		default:
			w.other(k, v)
		}
	}
}

func (w *walker) chatCall(c jsonedit.Node) {
	for k, v := range c.Fields() {
		switch k.Text() {
		case "function", "custom":
			w.chatFunction(v)
		case "id", "type":
			w.label(v)
		default:
			w.other(k, v)
		}
	}
}

func (w *walker) chatFunction(f jsonedit.Node) {
	args := f.Get("arguments")
	if !args.Is() {
		args = f.Get("input")
	}
	w.call(f.Get("name"), args)
	w.rest(f, "name", "arguments", "input")
}

func (w *walker) chatAudio(a jsonedit.Node) {
	for k, v := range a.Fields() {
		switch k.Text() {
		case "data":
			w.blob(v)
		case "transcript":
			w.text(v, Content)
		case "id", "format":
			w.label(v)
		default:
			w.other(k, v)
		}
	}
}

// chatContent is a string, or parts.
func (w *walker) chatContent(n jsonedit.Node, kind Kind) {
	if n.Kind() != jsonedit.Array {
		w.text(n, kind)
		return
	}
	for part := range n.Items() {
		w.chatPart(part, kind)
	}
}

func (w *walker) chatPart(p jsonedit.Node, kind Kind) {
	if p.Kind() != jsonedit.Object {
		w.text(p, kind)
		return
	}
	for k, v := range p.Fields() {
		switch k.Text() {
		case "type", "id", "file_id":
			w.label(v)
		case "text":
			w.text(v, kind)
		case "refusal":
			w.text(v, Refusal)
		case "thinking": // Mistral: parts once more
			w.chatContent(v, Reasoning)
		case "image_url", "document_url", "video_url", "audio_url", "file_url":
			w.chatLink(v)
		case "input_audio", "file":
			w.chatFile(v)
		case "document":
			w.as(Tool, func() { w.free(v, Document) })
		default:
			w.other(k, v)
		}
	}
}

// chatLink is an address, or an object around one.
func (w *walker) chatLink(n jsonedit.Node) {
	if n.Kind() == jsonedit.String {
		w.link(n)
		return
	}
	for k, v := range n.Fields() {
		if k.Text() == "url" {
			w.link(v)
		} else {
			w.name(k, Link)
			w.free(v, Link)
		}
	}
}

func (w *walker) chatFile(n jsonedit.Node) {
	if n.Kind() == jsonedit.String {
		w.blob(n)
		return
	}
	for k, v := range n.Fields() {
		switch k.Text() {
		case "data", "file_data":
			w.blob(v)
		default:
			w.name(k, Link)
			w.free(v, Link)
		}
	}
}

func chatResponse(w *walker, r *Response, root jsonedit.Node) {
	for k, v := range root.Fields() {
		switch k.Text() {
		case "choices":
			for c := range v.Items() {
				w.turn++
				w.chatChoice(r, c)
			}
			w.turn = -1
		case "usage":
			r.Usage.merge(chatUsage(v))
			w.free(v, Other)
		case "model":
			r.Model = v.Text()
			w.label(v)
		case "id", "object", "system_fingerprint", "service_tier":
			w.label(v)
		case "error":
			w.free(v, Failure)
		default:
			w.other(k, v)
		}
	}
}

func (w *walker) chatChoice(r *Response, c jsonedit.Node) {
	from := len(w.m.Texts)
	var probs jsonedit.Node
	for k, v := range c.Fields() {
		switch k.Text() {
		case "message":
			w.chatMessage(v)
			w.role = Assistant
		case "text": // of completions
			w.text(v, Content)
		case "logprobs":
			probs = v
		case "finish_reason":
			r.Finish = v.Text()
			w.label(v)
		default:
			w.other(k, v)
		}
	}
	if probs.Is() {
		w.m.shadows = append(w.m.shadows, shadow{probs, from, len(w.m.Texts)})
	}
}

func chatUsage(u jsonedit.Node) Usage {
	return Usage{
		Input:     u.Get("prompt_tokens").Int(),
		Output:    u.Get("completion_tokens").Int(),
		Cached:    u.Get("prompt_tokens_details", "cached_tokens").Int(),
		Reasoning: u.Get("completion_tokens_details", "reasoning_tokens").Int(),
	}
}
