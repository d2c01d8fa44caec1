package forwardproxy

import (
	"context"
	"net/http"
	"strings"

	"github.com/oneclaw/oneclawd/internal/plain"
	"github.com/oneclaw/oneclawd/shroud"
	"github.com/oneclaw/oneclawd/vault/use"
)

// ask hands a request to a provider of models to Shroud, which inspects it and records
// it.
func (x *exchange) ask(of Provider) error {
	header, text := credential(x.r)
	for name, values := range x.r.Header {
		lower := strings.ToLower(name)
		for _, v := range values {
			if use.HasPlaceholder(lower, v) && lower != header {
				return errPlaceholder
			}
		}
	}
	if header == "" && use.HasPlaceholder("", text) || use.HasPlaceholder("", x.r.URL.Path) {
		return use.ErrInURL
	}
	inner := x.r.Clone(x.r.Context())
	inner.URL.RawPath = ""
	inner.URL.Path = strings.TrimPrefix(x.r.URL.Path, of.Path)
	if x.r.URL.RawPath != "" || !strings.HasPrefix(x.r.URL.Path, of.Path+"/") {
		inner.URL.Path = "/%" // no path that Shroud knows
	}
	x.handed = true
	heard := &listener{ResponseWriter: x.w}
	x.p.Models.Pass(heard, inner, shroud.Known{Agent: &x.agent, Provider: of.Name, Key: x.key(of, text)})
	x.status, x.sent = heard.status, true
	return nil
}

// key is the provider's key as the request has it: the agent's own, or a secret by its
// placeholder. It is nil where the vaults have it, as for any call of Shroud.
func (x *exchange) key(of Provider, text string) func(context.Context) (plain.Bytes, error) {
	switch {
	case text == "", text == placeholder(of.Name), of.Name == "google" && text == placeholder("gemini"):
		return nil
	case !use.HasPlaceholder("authorization", text):
		return func(context.Context) (plain.Bytes, error) { return plain.FromString(text), nil }
	}
	return func(context.Context) (plain.Bytes, error) {
		if x.permit == nil {
			if err := x.borrow(map[string]string{"authorization": text}); err != nil {
				return plain.Bytes{}, err
			}
		}
		return x.permit.Header[0].Value.Clone(), nil
	}
}

// placeholder is that of the key that Shroud looks for by itself.
func placeholder(provider string) string { return "{{secret:providers/" + provider + "/api-key}}" }

// credential is the key that a client of a provider sends, and the header that it is in,
// in lower case.
func credential(r *http.Request) (header, text string) {
	for _, name := range []string{"x-goog-api-key", "x-api-key", "api-key"} {
		if v := r.Header.Values(name); len(v) == 1 && v[0] != "" {
			return name, strings.TrimSpace(v[0])
		}
	}
	v := r.Header.Values("Authorization")
	if len(v) != 1 {
		return "", r.URL.Query().Get("key")
	}
	scheme, text, _ := strings.Cut(v[0], " ")
	if !strings.EqualFold(scheme, "bearer") {
		return "authorization", ""
	}
	return "authorization", strings.TrimSpace(text)
}

// listener remembers the status of an answer that it passes on.
type listener struct {
	http.ResponseWriter
	status int
}

// WriteHeader implements http.ResponseWriter.
func (l *listener) WriteHeader(status int) {
	if l.status == 0 {
		l.status = status
	}
	l.ResponseWriter.WriteHeader(status)
}

// Unwrap is for http.ResponseController.
func (l *listener) Unwrap() http.ResponseWriter { return l.ResponseWriter }
