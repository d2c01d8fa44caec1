package provider

import "testing"

func TestLookup(t *testing.T) {
	for _, c := range []struct {
		s                   Style
		method, path, query string
		want                Route
		ok                  bool
	}{
		{OpenAI, "POST", "/v1/chat/completions", "", Route{Format: OpenAIChat, Path: "/chat/completions"}, true},
		{OpenAI, "POST", "/chat/completions/", "", Route{Format: OpenAIChat, Path: "/chat/completions"}, true},
		{OpenAI, "POST", "/v1/responses", "", Route{Format: OpenAIResponses, Path: "/responses"}, true},
		{OpenAI, "POST", "/v1/embeddings", "", Route{Format: OpenAIEmbeddings, Path: "/embeddings"}, true},
		{OpenAI, "GET", "/v1/models", "", Route{Path: "/models", Idle: true}, true},
		{OpenAI, "GET", "/v1/models/../files", "", Route{}, false},
		{OpenAI, "DELETE", "/v1/models/x", "", Route{}, false},
		{OpenAI, "GET", "/v1/responses/resp_1", "", Route{Format: OpenAIResponses, Path: "/responses/resp_1", Idle: true}, true},
		{OpenAI, "POST", "/v1/files", "", Route{}, false},
		{Mistral, "POST", "/v1/fim/completions", "", Route{Format: OpenAIChat, Path: "/fim/completions"}, true},
		{Anthropic, "POST", "/v1/messages", "", Route{Format: AnthropicMessages, Path: "/v1/messages"}, true},
		{Anthropic, "POST", "/v1/messages/count_tokens", "", Route{Format: AnthropicMessages, Path: "/v1/messages/count_tokens", Idle: true}, true},
		{Anthropic, "POST", "/v1/messages/batches", "", Route{}, false},
		{Anthropic, "POST", "/v1/chat/completions", "", Route{Format: OpenAIChat, Path: "/v1/messages", Translated: true}, true},
		{Google, "POST", "/v1beta/models/gemini-2.5-pro:generateContent", "", Route{Format: GeminiContent, Path: "/v1beta/models/gemini-2.5-pro:generateContent", Model: "gemini-2.5-pro"}, true},
		{Google, "POST", "/v1beta/models/g:streamGenerateContent", "key=x&alt=sse", Route{Format: GeminiContent, Path: "/v1beta/models/g:streamGenerateContent", Model: "g", Stream: true}, true},
		{Google, "POST", "/v1beta/models/g:streamGenerateContent", "", Route{Format: GeminiContent, Path: "/v1beta/models/g:streamGenerateContent", Model: "g", Stream: true, Array: true}, true},
		{Google, "POST", "/v1beta/models/g:countTokens", "", Route{Format: GeminiContent, Path: "/v1beta/models/g:countTokens", Model: "g", Idle: true}, true},
		{Google, "GET", "/v1beta/models", "pageSize=5", Route{Path: "/v1beta/models", Idle: true}, true},
		{Google, "POST", "/v1beta/models/:generateContent", "", Route{}, false},
		{Google, "POST", "/v1beta/cachedContents", "", Route{}, false},
		{Google, "POST", "/v1/chat/completions", "", Route{Format: OpenAIChat, Translated: true}, true},
		{Cohere, "POST", "/v2/chat", "", Route{Format: CohereChat, Path: "/v2/chat"}, true},
		{Cohere, "POST", "/v2/embed", "", Route{Format: CohereEmbed, Path: "/v2/embed"}, true},
		{Cohere, "POST", "/v1/chat/completions", "", Route{Format: OpenAIChat, Path: "/compatibility/v1/chat/completions"}, true},
		{Cohere, "POST", "/v1/chat", "", Route{}, false},
	} {
		got, ok := Lookup(c.s, c.method, c.path, c.query)
		if ok != c.ok || ok && got != c.want {
			t.Errorf("%s %s?%s: %+v, %v", c.method, c.path, c.query, got, ok)
		}
	}
}

func TestWithModel(t *testing.T) {
	r, _ := Lookup(Google, "POST", "/v1beta/models/gemini-2.5-pro:generateContent", "")
	for name, want := range map[string]string{
		"gemini-2.5-flash": "/v1beta/models/gemini-2.5-flash:generateContent", "a b": "/v1beta/models/a%20b:generateContent",
		"": "", "../x": "", "x:countTokens?": "", "a/b": "",
	} {
		got, ok := r.WithModel(name)
		if ok != (want != "") || ok && (got.Path != want || got.Model != name) {
			t.Errorf("%q: %+v, %v", name, got, ok)
		}
	}
	if r, ok := (Route{Path: "/chat/completions"}).WithModel("x"); !ok || r.Path != "/chat/completions" {
		t.Errorf("%+v", r)
	}
}

func TestPrivateHeaders(t *testing.T) {
	for header, want := range map[string]bool{
		"Authorization": true, "authorization": true, "X-Api-Key": true, "X-Goog-Api-Key": true, "Cookie": true,
		"X-Shroud-Agent-Key": true, "X-Shroud-Anything": true, "Connection": true, "X-Forwarded-For": true, "Accept-Encoding": true,
		"Content-Type": false, "Anthropic-Version": false, "Anthropic-Beta": false, "Openai-Organization": false, "User-Agent": false, "X-Stainless-Lang": false,
	} {
		if Private(header) != want {
			t.Errorf("%s: %v", header, !want)
		}
	}
	if !PrivateAnswer("Set-Cookie") || !PrivateAnswer("x-shroud-inspection") || PrivateAnswer("X-Request-Id") {
		t.Error("headers of answers")
	}
}

func TestQuery(t *testing.T) {
	for in, want := range map[string]string{
		"": "", "key=abc": "", "alt=sse&key=abc": "alt=sse", "KEY=a&x=%20y": "x=%20y", "k%65y=abc&a=b": "a=b", "a=1&&b": "a=1&b",
	} {
		if got := Query(in); got != want {
			t.Errorf("%q: %q, want %q", in, got, want)
		}
	}
}

func TestCredential(t *testing.T) {
	for _, c := range []struct {
		s                  Style
		key, header, value string
	}{
		{OpenAI, "k", "Authorization", "Bearer k"},
		{Mistral, "k", "Authorization", "Bearer k"},
		{Cohere, "k", "Authorization", "Bearer k"},
		{Anthropic, "sk-ant-api03-k", "X-Api-Key", "sk-ant-api03-k"},
		{Anthropic, "sk-ant-oat01-k", "Authorization", "Bearer sk-ant-oat01-k"},
		{Google, "k", "X-Goog-Api-Key", "k"},
	} {
		if h, v := c.s.Credential(c.key); h != c.header || v != c.value {
			t.Errorf("%d: %s: %s", c.s, h, v)
		}
		if !Private(c.header) {
			t.Errorf("a client could send %s", c.header)
		}
	}
	for _, v := range Vendors() {
		if Canonical(v.Name) != v.Name {
			t.Error(v.Name)
		}
	}
	if Canonical("gemini") != "google" {
		t.Error("gemini")
	}
}
