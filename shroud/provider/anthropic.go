package provider

import "github.com/oneclaw/oneclawd/shroud/provider/jsonedit"

// The messages of Anthropic, and the counting of their tokens.
// https://docs.anthropic.com/en/api/messages

func anthropicRequest(w *walker, r *Request, root jsonedit.Node) {
	for k, v := range root.Fields() {
		switch k.Text() {
		case "model":
			r.named(w, v)
		case "stream":
			r.Stream = v.True()
		case "max_tokens":
			r.MaxOutput = amount(v)
		case "system":
			w.as(System, func() { w.blocks(v, Content) })
		case "messages":
			for m := range v.Items() {
				w.turn = r.Turns
				r.Turns++
				w.anthropicMessage(m)
			}
			w.role, w.turn = User, -1
		case "tools", "output_format", "output_config":
			w.as(System, func() { w.free(v, ToolSchema) })
		default:
			w.other(k, v)
		}
	}
}

func (w *walker) anthropicMessage(m jsonedit.Node) {
	w.role = chatRole(m.Get("role"))
	for k, v := range m.Fields() {
		switch k.Text() {
		case "role":
			w.label(v)
		case "content":
			w.blocks(v, Content)
		default:
			w.other(k, v)
		}
	}
	if m.Kind() != jsonedit.Object {
		w.free(m, Content)
	}
}

// blocks is a string, a block, or several.
func (w *walker) blocks(n jsonedit.Node, kind Kind) {
	switch n.Kind() {
	case jsonedit.Array:
		for b := range n.Items() {
			w.block(b, kind)
		}
	case jsonedit.Object:
		w.block(n, kind)
	default:
		w.text(n, kind)
	}
}

// block is one block of a message. Its type decides what its members are.
func (w *walker) block(b jsonedit.Node, kind Kind) {
	switch b.Get("type").Text() {
	case "thinking", "redacted_thinking":
		w.thinking(b)
	case "tool_use", "server_tool_use", "mcp_tool_use":
		w.call(b.Get("name"), b.Get("input"))
		w.labels(b, "name", "input")
	case "document", "search_result":
		w.as(Tool, func() { w.members(b, Document) })
	case "text", "image", "":
		w.members(b, kind)
	default: // results of tools, of the client's and of Anthropic's own
		w.as(Tool, func() { w.members(b, ToolResult) })
	}
}

// members walks a block of which each member says for itself what it is.
func (w *walker) members(b jsonedit.Node, kind Kind) {
	if b.Kind() != jsonedit.Object {
		w.text(b, kind)
		return
	}
	for k, v := range b.Fields() {
		switch k.Text() {
		case "type", "id", "tool_use_id", "cache_control", "file_id", "media_type":
			w.label(v)
		case "text", "title", "context":
			w.text(v, kind)
		case "content":
			w.blocks(v, kind)
		case "source":
			w.source(v, kind)
		case "citations":
			w.citations(v)
		case "encrypted_content", "encrypted_index":
			w.blob(v)
		case "url":
			w.link(v)
		default:
			w.name(k, kind)
			w.free(v, kind)
		}
	}
}

// source is where an image or document is: here, elsewhere, or in plain words.
func (w *walker) source(s jsonedit.Node, kind Kind) {
	if s.Kind() == jsonedit.String {
		w.link(s) // of a search result
		return
	}
	plain := s.Get("type").Text() == "text"
	for k, v := range s.Fields() {
		switch k.Text() {
		case "data":
			if plain {
				w.text(v, kind)
			} else {
				w.blob(v)
			}
		case "url":
			w.link(v)
		case "content":
			w.blocks(v, kind)
		case "type", "media_type", "file_id":
			w.label(v)
		default:
			w.other(k, v)
		}
	}
}

// citations repeat passages of documents.
func (w *walker) citations(n jsonedit.Node) {
	for c := range n.Items() {
		w.citation(c)
	}
	if n.Kind() == jsonedit.Object { // a setting of a document
		w.free(n, Other)
	}
}

func (w *walker) citation(c jsonedit.Node) {
	w.as(Tool, func() {
		for k, v := range c.Fields() {
			if k.Text() == "encrypted_index" {
				w.blob(v)
			} else {
				w.name(k, Document)
				w.free(v, Document)
			}
		}
	})
}

// thinking is signed with all that belongs to it.
func (w *walker) thinking(b jsonedit.Node) {
	w.signed = true
	for k, v := range b.Fields() {
		switch k.Text() {
		case "thinking":
			w.text(v, Reasoning)
		case "signature", "data":
			w.blob(v)
		case "type":
			w.label(v)
		default:
			w.other(k, v)
		}
	}
	w.signed = false
}

// labels walks what identifies a block.
func (w *walker) labels(b jsonedit.Node, walked ...string) {
	w.rest(b, append(walked, "type", "id", "cache_control", "caller")...)
	w.label(b.Get("type"))
	w.label(b.Get("id"))
	w.label(b.Get("cache_control"))
	w.label(b.Get("caller"))
}

func anthropicResponse(w *walker, r *Response, root jsonedit.Node) {
	if root.Get("type").Text() == "error" {
		w.free(root, Failure)
		return
	}
	w.turn = 0
	for k, v := range root.Fields() {
		switch k.Text() {
		case "content":
			w.blocks(v, Content)
		case "usage":
			r.Usage.merge(anthropicUsage(v))
			w.free(v, Other)
		case "model":
			r.Model = v.Text()
			w.label(v)
		case "stop_reason":
			r.Finish = v.Text()
			w.label(v)
		case "id", "type", "role", "container":
			w.label(v)
		case "stop_sequence":
			w.text(v, Content)
		case "input_tokens": // the answer of count_tokens
			r.Usage.Input = v.Int()
		default:
			w.other(k, v)
		}
	}
}

// anthropicUsage adds what Anthropic counts apart: input_tokens is what neither
// came from the cache nor went to it.
func anthropicUsage(u jsonedit.Node) Usage {
	cached := u.Get("cache_read_input_tokens").Int()
	return Usage{
		Input:  u.Get("input_tokens").Int() + cached + u.Get("cache_creation_input_tokens").Int(),
		Output: u.Get("output_tokens").Int(),
		Cached: cached,
	}
}
