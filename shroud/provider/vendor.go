package provider

import (
	"net/url"
	"strings"
)

// Vendor is a model provider: how to reach it, and how it wants to be spoken to.
type Vendor struct {
	Name string // as X-Shroud-Provider has it
	// Base is what a route's path is put behind. Of OpenAI-compatible servers it
	// includes the version, as such servers state it: http://host:11434/v1.
	Base  string
	Style Style
}

// Style is whose calls a vendor takes.
type Style uint8

// The styles. A server on the site's own network is of style OpenAI.
const (
	OpenAI Style = iota
	Anthropic
	Google
	Mistral
	Cohere
)

// Vendors are those everybody knows. Others come from the site's settings.
func Vendors() []Vendor {
	return []Vendor{
		{"openai", "https://api.openai.com/v1", OpenAI},
		{"anthropic", "https://api.anthropic.com", Anthropic},
		{"google", "https://generativelanguage.googleapis.com", Google},
		{"mistral", "https://api.mistral.ai/v1", Mistral},
		{"cohere", "https://api.cohere.com", Cohere},
	}
}

// Canonical is the name that a vendor goes by: gemini is google.
func Canonical(name string) string {
	if name == "gemini" {
		return "google"
	}
	return name
}

// Credential is the header that carries a key.
func (s Style) Credential(key string) (header, value string) {
	switch {
	case s == Google:
		return "X-Goog-Api-Key", key
	case s == Anthropic && !strings.HasPrefix(key, "sk-ant-oat"): // those are OAuth tokens
		return "X-Api-Key", key
	}
	return "Authorization", "Bearer " + key
}

// Defaults are headers that a vendor insists on, for clients that lack them.
func (s Style) Defaults() map[string]string {
	if s == Anthropic {
		return map[string]string{"Anthropic-Version": "2023-06-01"}
	}
	return nil
}

// Private reports whether a header of a request ends at the proxy: credentials
// and what is meant for the proxy itself, what belongs to one connection, and
// what says of the client's network what is nobody's business.
func Private(header string) bool {
	h := strings.ToLower(header)
	switch h {
	case "authorization", "x-api-key", "x-goog-api-key", "api-key", "cookie", "cookie2",
		"connection", "keep-alive", "proxy-authorization", "proxy-authenticate", "proxy-connection",
		"te", "trailer", "transfer-encoding", "upgrade", "http2-settings", "expect",
		"host", "content-length", "accept-encoding", "content-encoding",
		"forwarded", "via", "x-real-ip", "origin", "referer":
		return true
	}
	return strings.HasPrefix(h, "x-shroud-") || strings.HasPrefix(h, "x-forwarded-") || strings.HasPrefix(h, "sec-")
}

// PrivateAnswer reports whether a header of an answer ends at the proxy.
func PrivateAnswer(header string) bool {
	switch h := strings.ToLower(header); h {
	case "set-cookie", "set-cookie2", "connection", "keep-alive", "proxy-authenticate", "te", "trailer",
		"transfer-encoding", "upgrade", "content-length", "content-encoding", "alt-svc", "strict-transport-security":
		return true
	default:
		return strings.HasPrefix(h, "x-shroud-")
	}
}

// Query is a query without credentials. What stays, stays as it was written.
func Query(raw string) string {
	kept := make([]string, 0, 4)
	for part := range strings.SplitSeq(raw, "&") {
		name, _, _ := strings.Cut(part, "=")
		if plain, err := url.QueryUnescape(name); err == nil {
			name = plain
		}
		switch strings.ToLower(name) {
		case "key", "api_key", "api-key", "access_token", "":
		default:
			kept = append(kept, part)
		}
	}
	return strings.Join(kept, "&")
}
