package provider

import "github.com/oneclaw/oneclawd/shroud/provider/jsonedit"

// Embeddings of OpenAI, Mistral and Cohere: texts go in, numbers come out.

func embedRequest(w *walker, r *Request, root jsonedit.Node) {
	for k, v := range root.Fields() {
		switch k.Text() {
		case "model":
			r.named(w, v)
		case "input", "texts":
			w.embedInput(v)
		case "images":
			for u := range v.Items() {
				w.link(u)
			}
		case "inputs": // Cohere: mixed contents
			for in := range v.Items() {
				w.chatMessage(in)
			}
		default:
			w.other(k, v)
		}
	}
}

// embedInput is one text, several, or tokens, which nobody can read here.
func (w *walker) embedInput(n jsonedit.Node) {
	switch n.Kind() {
	case jsonedit.Number:
		w.m.Opaque += len(n.Raw())
	case jsonedit.Array:
		for v := range n.Items() {
			w.embedInput(v)
		}
	default:
		w.text(n, Content)
	}
}

func embedResponse(w *walker, r *Response, root jsonedit.Node) {
	for k, v := range root.Fields() {
		switch k.Text() {
		case "data":
			for d := range v.Items() {
				w.blob(d.Get("embedding"))
				w.rest(d, "embedding")
			}
		case "usage":
			r.Usage.merge(chatUsage(v))
			w.free(v, Other)
		case "meta":
			r.Usage.merge(cohereUsage(v))
			w.free(v, Other)
		case "model":
			r.Model = v.Text()
			w.label(v)
		default:
			w.other(k, v)
		}
	}
}
