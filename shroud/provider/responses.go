package provider

import (
	"strings"

	"github.com/oneclaw/oneclawd/shroud/provider/jsonedit"
)

// The responses of OpenAI: a conversation is a list of items, of which messages
// are one kind.
// https://platform.openai.com/docs/api-reference/responses

func responsesRequest(w *walker, r *Request, root jsonedit.Node) {
	for k, v := range root.Fields() {
		switch k.Text() {
		case "model":
			r.named(w, v)
		case "stream":
			r.Stream = v.True()
		case "max_output_tokens":
			r.MaxOutput = amount(v)
		case "input":
			w.items(v, func() { w.turn = r.Turns; r.Turns++ })
			w.role, w.turn = User, -1
		case "previous_response_id", "conversation":
			r.Continues = r.Continues || v.Is()
			w.responsesCommon(k, v)
		default:
			w.responsesCommon(k, v)
		}
	}
}

// responsesCommon is what requests say and answers repeat.
func (w *walker) responsesCommon(k, v jsonedit.Node) {
	switch k.Text() {
	case "instructions":
		w.as(System, func() { w.items(v, func() {}) })
	case "tools", "text":
		w.as(System, func() { w.free(v, ToolSchema) })
	case "previous_response_id", "id", "object", "service_tier", "prompt_cache_key", "safety_identifier":
		w.label(v)
	default:
		w.other(k, v)
	}
}

// items is a string, or items; each is a turn.
func (w *walker) items(n jsonedit.Node, turn func()) {
	if n.Kind() != jsonedit.Array {
		if n.Is() {
			turn()
		}
		w.text(n, Content)
		return
	}
	role := w.role
	for it := range n.Items() {
		turn()
		w.role = role
		w.item(it)
	}
	w.role = role
}

func (w *walker) item(it jsonedit.Node) {
	kind := it.Get("type").Text()
	switch {
	case it.Kind() != jsonedit.Object:
		w.free(it, Content)
	case kind == "function_call" || kind == "custom_tool_call" || kind == "mcp_approval_request":
		w.role = Assistant
		args := it.Get("arguments")
		if !args.Is() {
			args = it.Get("input")
		}
		w.call(it.Get("name"), args)
		w.itemLabels(it, "name", "arguments", "input")
	case kind == "reasoning":
		w.role = Assistant
		w.itemReasoning(it)
	case strings.HasSuffix(kind, "_output"):
		w.role = Tool
		w.itemResult(it)
	case strings.HasSuffix(kind, "_call"):
		w.role = Assistant
		w.itemCall(it)
	default:
		w.itemMessage(it)
	}
}

// itemLabels is what items of all kinds have, beside what was walked already.
func (w *walker) itemLabels(it jsonedit.Node, walked ...string) {
	common := []string{"type", "id", "call_id", "status", "role"}
	for _, name := range common {
		w.label(it.Get(name))
	}
	w.rest(it, append(common, walked...)...)
}

func (w *walker) itemReasoning(it jsonedit.Node) {
	w.free(it.Get("summary"), Reasoning)
	w.free(it.Get("content"), Reasoning)
	w.blob(it.Get("encrypted_content"))
	w.itemLabels(it, "summary", "content", "encrypted_content")
}

// itemResult is what a tool of the client's has done.
func (w *walker) itemResult(it jsonedit.Node) {
	out := it.Get("output")
	if out.Kind() == jsonedit.Object {
		w.responsesPart(out, ToolResult)
	} else {
		w.responsesContent(out, ToolResult)
	}
	w.itemLabels(it, "output")
}

// itemCall is the call of a tool of OpenAI's own, with what it brought.
func (w *walker) itemCall(it jsonedit.Node) {
	w.tool = it.Get("name").Text()
	if w.tool == "" {
		w.tool = it.Get("type").Text()
	}
	for k, v := range it.Fields() {
		switch k.Text() {
		case "type", "id", "call_id", "status", "server_label", "container_id":
			w.label(v)
		case "name":
			w.text(v, ToolName)
		case "arguments":
			w.args(v, ToolCall)
		case "output", "outputs", "results", "error":
			w.as(Tool, func() { w.free(v, ToolResult) })
		case "result":
			w.blob(v)
		default:
			w.name(k, ToolCall)
			w.free(v, ToolCall)
		}
	}
	w.tool = ""
}

// itemMessage is a message, or an item of a kind that is not known.
func (w *walker) itemMessage(it jsonedit.Node) {
	if role := it.Get("role"); role.Is() {
		w.role = chatRole(role)
	}
	for k, v := range it.Fields() {
		switch k.Text() {
		case "content":
			w.responsesContent(v, Content)
		case "type", "id", "role", "status", "phase":
			w.label(v)
		case "encrypted_content":
			w.blob(v)
		default:
			w.other(k, v)
		}
	}
}

func (w *walker) responsesContent(n jsonedit.Node, kind Kind) {
	if n.Kind() != jsonedit.Array {
		w.text(n, kind)
		return
	}
	for p := range n.Items() {
		w.responsesPart(p, kind)
	}
}

func (w *walker) responsesPart(p jsonedit.Node, kind Kind) {
	if p.Kind() != jsonedit.Object {
		w.text(p, kind)
		return
	}
	from := len(w.m.Texts)
	var probs jsonedit.Node
	for k, v := range p.Fields() {
		switch k.Text() {
		case "type", "file_id", "detail", "id":
			w.label(v)
		case "text":
			w.text(v, kind)
		case "refusal":
			w.text(v, Refusal)
		case "image_url", "file_url":
			w.chatLink(v)
		case "file_data":
			w.blob(v)
		case "input_audio":
			w.chatFile(v)
		case "filename":
			w.text(v, Link)
		case "logprobs":
			probs = v
		default:
			w.other(k, v)
		}
	}
	if probs.Is() {
		w.m.shadows = append(w.m.shadows, shadow{probs, from, len(w.m.Texts)})
	}
}

func responsesResponse(w *walker, r *Response, root jsonedit.Node) {
	for k, v := range root.Fields() {
		switch k.Text() {
		case "output":
			w.items(v, func() { w.turn = 0 })
			w.turn = -1
		case "usage":
			r.Usage.merge(responsesUsage(v))
			w.free(v, Other)
		case "model":
			r.Model = v.Text()
			w.label(v)
		case "status":
			if r.Finish == "" {
				r.Finish = v.Text()
			}
			w.label(v)
		case "incomplete_details":
			if why := v.Get("reason").Text(); why != "" {
				r.Finish = why
			}
			w.free(v, Other)
		case "error":
			w.free(v, Failure)
		case "input_tokens": // the answer of the count
			r.Usage.Input = v.Int()
		default:
			w.responsesCommon(k, v)
		}
	}
}

func responsesUsage(u jsonedit.Node) Usage {
	return Usage{
		Input:     u.Get("input_tokens").Int(),
		Output:    u.Get("output_tokens").Int(),
		Cached:    u.Get("input_tokens_details", "cached_tokens").Int(),
		Reasoning: u.Get("output_tokens_details", "reasoning_tokens").Int(),
	}
}
