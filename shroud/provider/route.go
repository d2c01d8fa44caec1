package provider

import (
	"io"
	"net/url"
	"strings"

	"github.com/oneclaw/oneclawd/shroud/provider/sse"
)

// Route is what a call of a client is.
type Route struct {
	Format Format
	Path   string // behind the vendor's base
	Model  string // where it stands in the path
	Stream bool   // where the path or query says so; else the body does
	Array  bool   // the stream is one JSON array, not server-sent events
	// Idle says that no model runs: lists, counts of tokens. Such a call costs
	// nothing.
	Idle bool
	// Translated says that the client speaks as to OpenAI and the vendor does not
	// understand it: package translate has the other side of the call.
	Translated bool
}

// WithModel is the route of the same call to another model, where the path names
// one. It is false for a name that no path can hold.
func (r Route) WithModel(name string) (Route, bool) {
	if r.Model == "" {
		return r, true
	}
	at := strings.LastIndex(r.Path, r.Model+":")
	if at < 0 || name == "" || strings.ContainsAny(name, "/:?#%\\") || strings.Contains(name, "..") {
		return r, false
	}
	r.Path = r.Path[:at] + url.PathEscape(name) + r.Path[at+len(r.Model):]
	r.Model = name
	return r, true
}

// NamesModel reports whether the body is where the model of the call is named.
func (r Route) NamesModel() bool { return r.Format != GeminiContent }

// Generates reports whether the call has a model write something, as most models can.
// An embedding is of use only with others of the same model.
func (r Route) Generates() bool {
	switch r.Format {
	case OpenAIChat, OpenAIResponses, AnthropicMessages, CohereChat:
		return !r.Idle
	case GeminiContent:
		return strings.HasSuffix(r.Path, ":generateContent") || strings.HasSuffix(r.Path, ":streamGenerateContent")
	}
	return false
}

// Events reads the stream that the vendor answers with.
func (r Route) Events(body io.Reader) Source {
	if r.Array {
		return newElements(body, 0)
	}
	return sse.NewReader(body, 0)
}

// Lookup is the route of a call, if there is one: what is not known cannot be
// inspected, and does not pass.
func Lookup(s Style, method, path, query string) (Route, bool) {
	path = strings.TrimSuffix(path, "/")
	if strings.Contains(path, "..") || strings.Contains(path, "//") {
		return Route{}, false
	}
	switch s {
	case Anthropic:
		return anthropicRoute(method, path)
	case Google:
		return googleRoute(method, path, query)
	case Cohere:
		return cohereRoute(method, path)
	}
	return openAIRoute(method, path)
}

// openAIRoute takes paths with the version and without: clients of servers with
// a base of their own leave it out.
func openAIRoute(method, path string) (Route, bool) {
	path = strings.TrimPrefix(path, "/v1")
	r := Route{Path: path}
	switch {
	case method == "GET" && (path == "/models" || strings.HasPrefix(path, "/models/")):
		r.Idle = true
		return r, true
	case method == "GET" && strings.HasPrefix(path, "/responses/"): // one that was made in the background
		r.Format, r.Idle = OpenAIResponses, true
		return r, true
	case method != "POST":
		return r, false
	}
	switch path {
	case "/chat/completions", "/completions", "/fim/completions":
		r.Format = OpenAIChat
	case "/responses":
		r.Format = OpenAIResponses
	case "/responses/input_tokens":
		r.Format, r.Idle = OpenAIResponses, true
	case "/embeddings":
		r.Format = OpenAIEmbeddings
	case "/moderations", "/rerank":
	default:
		return r, false
	}
	return r, true
}

func anthropicRoute(method, path string) (Route, bool) {
	r := Route{Path: path}
	switch {
	case method == "GET" && (path == "/v1/models" || strings.HasPrefix(path, "/v1/models/")):
		r.Idle = true
	case method != "POST":
		return r, false
	case path == "/v1/messages":
		r.Format = AnthropicMessages
	case path == "/v1/messages/count_tokens":
		r.Format, r.Idle = AnthropicMessages, true
	case path == "/v1/chat/completions" || path == "/chat/completions":
		r = Route{Format: OpenAIChat, Path: "/v1/messages", Translated: true}
	default:
		return r, false
	}
	return r, true
}

// googleRoute takes models/{model}:{verb} apart.
func googleRoute(method, path, query string) (Route, bool) {
	r := Route{Path: path}
	if method == "POST" && (path == "/v1/chat/completions" || path == "/chat/completions") {
		return Route{Format: OpenAIChat, Translated: true}, true // its path depends on model and stream
	}
	version, rest, ok := strings.Cut(strings.TrimPrefix(path, "/"), "/")
	if !ok || version != "v1beta" && version != "v1" && version != "v1alpha" {
		return r, false
	}
	if method == "GET" && (rest == "models" || strings.HasPrefix(rest, "models/")) {
		r.Idle = true
		return r, true
	}
	at := strings.LastIndexByte(rest, ':')
	if method != "POST" || at < 0 {
		return r, false
	}
	model, verb := rest[:at], rest[at+1:]
	r.Model = strings.TrimPrefix(strings.TrimPrefix(model, "models/"), "tunedModels/")
	if r.Model == model || r.Model == "" {
		return r, false
	}
	r.Format = GeminiContent
	switch verb {
	case "generateContent", "embedContent", "batchEmbedContents":
	case "countTokens":
		r.Idle = true
	case "streamGenerateContent":
		q, err := url.ParseQuery(query)
		r.Stream, r.Array = true, err != nil || q.Get("alt") != "sse"
	default:
		return r, false
	}
	return r, true
}

func cohereRoute(method, path string) (Route, bool) {
	r := Route{Path: path}
	switch {
	case method == "GET" && (path == "/v1/models" || strings.HasPrefix(path, "/v1/models/")):
		r.Idle = true
	case method != "POST":
		return r, false
	case path == "/v2/chat":
		r.Format = CohereChat
	case path == "/v2/embed":
		r.Format = CohereEmbed
	case path == "/v2/rerank":
	case path == "/v1/tokenize":
		r.Idle = true
	case path == "/v1/chat/completions" || path == "/chat/completions":
		r.Format, r.Path = OpenAIChat, "/compatibility/v1/chat/completions" // Cohere's own translation
	default:
		return r, false
	}
	return r, true
}
