package provider

import "github.com/oneclaw/oneclawd/shroud/provider/jsonedit"

// Google's Gemini: contents are made of parts. Members go by two spellings, as
// in all JSON that stands for protocol buffers.
// https://ai.google.dev/api/generate-content

func geminiRequest(w *walker, r *Request, root jsonedit.Node) {
	for k, v := range root.Fields() {
		switch k.Text() {
		case "contents":
			w.geminiContents(r, v)
		case "content": // of embedContent
			w.geminiContent(v)
		case "requests": // of batchEmbedContents
			for one := range v.Items() {
				geminiRequest(w, r, one)
			}
		case "generateContentRequest", "generate_content_request":
			geminiRequest(w, r, v)
		case "systemInstruction", "system_instruction":
			w.as(System, func() { w.geminiContent(v) })
		case "tools":
			w.as(System, func() { w.free(v, ToolSchema) })
		case "generationConfig", "generation_config":
			w.geminiConfig(r, v)
		case "model":
			r.named(w, v)
		default:
			w.other(k, v)
		}
	}
}

// geminiContents is a conversation. One that is no list is one content, or text.
func (w *walker) geminiContents(r *Request, n jsonedit.Node) {
	one := func(c jsonedit.Node) {
		w.role, w.turn = User, r.Turns
		r.Turns++
		w.geminiContent(c)
	}
	if n.Kind() != jsonedit.Array {
		one(n)
	}
	for c := range n.Items() {
		one(c)
	}
	w.role, w.turn = User, -1
}

func (w *walker) geminiConfig(r *Request, n jsonedit.Node) {
	for k, v := range n.Fields() {
		switch k.Text() {
		case "maxOutputTokens", "max_output_tokens":
			r.MaxOutput = amount(v)
		case "candidateCount", "candidate_count":
			r.Answers = amount(v)
		case "responseSchema", "response_schema", "responseJsonSchema", "response_json_schema":
			w.as(System, func() { w.free(v, ToolSchema) })
		default:
			w.other(k, v)
		}
	}
}

// geminiContent is the parts of one who speaks.
func (w *walker) geminiContent(c jsonedit.Node) {
	if c.Kind() != jsonedit.Object {
		w.free(c, Content)
		return
	}
	if role := c.Get("role"); role.Is() && w.role != System {
		w.role = chatRole(role)
	}
	for k, v := range c.Fields() {
		switch k.Text() {
		case "parts":
			if v.Kind() == jsonedit.Object {
				w.geminiPart(v)
			}
			for p := range v.Items() {
				w.geminiPart(p)
			}
		case "role":
			w.label(v)
		default:
			w.other(k, v)
		}
	}
}

func (w *walker) geminiPart(p jsonedit.Node) {
	if p.Kind() != jsonedit.Object {
		w.text(p, Content)
		return
	}
	kind := Content
	if p.Get("thought").True() {
		kind = Reasoning
	}
	for k, v := range p.Fields() {
		if k.Text() == "text" {
			w.text(v, kind)
		} else {
			w.geminiMember(k, v)
		}
	}
}

// geminiMember is whatever a part is if it is no text.
func (w *walker) geminiMember(k, v jsonedit.Node) {
	switch k.Text() {
	case "functionCall", "function_call":
		w.call(v.Get("name"), v.Get("args"))
		w.label(v.Get("id"))
		w.rest(v, "name", "args", "id")
	case "functionResponse", "function_response":
		w.as(Tool, func() { w.geminiResult(v) })
	case "inlineData", "inline_data":
		w.geminiData(v)
	case "fileData", "file_data":
		w.geminiData(v)
	case "executableCode", "executable_code":
		w.free(v, ToolCall)
	case "codeExecutionResult", "code_execution_result":
		w.as(Tool, func() { w.free(v, ToolResult) })
	case "thoughtSignature", "thought_signature":
		w.blob(v)
	case "thought":
	default:
		w.other(k, v)
	}
}

func (w *walker) geminiResult(f jsonedit.Node) {
	for k, v := range f.Fields() {
		switch k.Text() {
		case "name", "id":
			w.label(v)
		case "response":
			w.free(v, ToolResult)
		case "parts":
			for p := range v.Items() {
				w.geminiPart(p)
			}
		default:
			w.other(k, v)
		}
	}
}

func (w *walker) geminiData(n jsonedit.Node) {
	for k, v := range n.Fields() {
		switch k.Text() {
		case "data":
			w.blob(v)
		case "mimeType", "mime_type":
			w.label(v)
		default:
			w.name(k, Link)
			w.free(v, Link)
		}
	}
}

func geminiResponse(w *walker, r *Response, root jsonedit.Node) {
	for k, v := range root.Fields() {
		switch k.Text() {
		case "candidates":
			for c := range v.Items() {
				w.turn++
				w.geminiCandidate(r, c)
			}
			w.turn = -1
		case "usageMetadata":
			r.Usage.merge(geminiUsage(v))
			w.free(v, Other)
		case "totalTokens": // the answer of countTokens
			r.Usage.Input = v.Int()
		case "modelVersion":
			r.Model = v.Text()
			w.label(v)
		case "responseId":
			w.label(v)
		case "error":
			w.free(v, Failure)
		default:
			w.other(k, v)
		}
	}
}

func (w *walker) geminiCandidate(r *Response, c jsonedit.Node) {
	from := len(w.m.Texts)
	var probs jsonedit.Node
	for k, v := range c.Fields() {
		switch k.Text() {
		case "content":
			w.geminiContent(v)
			w.role = Assistant
		case "finishReason":
			r.Finish = v.Text()
			w.label(v)
		case "logprobsResult":
			probs = v
		default:
			w.geminiBeside(k, v)
		}
	}
	if probs.Is() {
		w.m.shadows = append(w.m.shadows, shadow{probs, from, len(w.m.Texts)})
	}
}

// geminiBeside is what stands beside the parts of a candidate.
func (w *walker) geminiBeside(k, v jsonedit.Node) {
	switch k.Text() {
	case "groundingMetadata", "citationMetadata", "urlContextMetadata":
		w.as(Tool, func() { w.free(v, Document) })
	case "finishMessage":
		w.text(v, Failure)
	case "index":
	default:
		w.other(k, v)
	}
}

func geminiUsage(u jsonedit.Node) Usage {
	thoughts := u.Get("thoughtsTokenCount").Int()
	return Usage{
		Input:     u.Get("promptTokenCount").Int() + u.Get("toolUsePromptTokenCount").Int(),
		Output:    u.Get("candidatesTokenCount").Int() + thoughts,
		Cached:    u.Get("cachedContentTokenCount").Int(),
		Reasoning: thoughts,
	}
}
