package mcp

import (
	"bytes"
	"context"
	"crypto/tls"
	"io"
	"net/http"

	"github.com/oneclaw/oneclawd/appliance/client"
)

// peer is who sent a request, as far as the connection tells.
type peer struct {
	addr    string
	tls     *tls.ConnectionState
	forward http.Header // what proxies said about the client
}

// carried are the headers that the API decides by who the client is, and those by
// which a request is found again in logs.
var carried = []string{"X-Forwarded-For", "X-Forwarded-Proto", "X-Request-Id", "Traceparent", "Tracestate"}

func peerOf(r *http.Request) peer {
	p := peer{addr: r.RemoteAddr, tls: r.TLS, forward: http.Header{}}
	for _, name := range carried {
		if v := r.Header[name]; v != nil {
			p.forward[name] = v
		}
	}
	return p
}

type peerKey struct{}

func (p peer) in(ctx context.Context) context.Context { return context.WithValue(ctx, peerKey{}, p) }

// InProcess is a client of an API whose handler is in this process. It calls as
// whoever called the MCP server: rules about addresses and certificates, rate
// limits and the audit log see the same client as if they had called the API
// themselves. Base is where the API is for others.
func InProcess(api http.Handler, base string) (*client.Client, error) {
	return client.New(client.Options{
		BaseURL: base, HTTP: &http.Client{Transport: inProcess(api)}, UserAgent: "oneclawd-mcp", Attempts: 1,
	})
}

func inProcess(api http.Handler) http.RoundTripper {
	return roundTripper(func(out *http.Request) (*http.Response, error) {
		in := out.Clone(out.Context())
		in.RequestURI = out.URL.RequestURI()
		in.Host = out.URL.Host
		if p, ok := out.Context().Value(peerKey{}).(peer); ok {
			in.RemoteAddr, in.TLS = p.addr, p.tls
			for name, values := range p.forward {
				in.Header[name] = values
			}
		}
		if in.Body == nil {
			in.Body = http.NoBody
		}
		w := &recorder{header: http.Header{}}
		api.ServeHTTP(w, in)
		return w.response(out), nil
	})
}

// recorder is an answer that is kept in memory: those of the API that the tools
// ask for are no longer than a secret.
type recorder struct {
	header http.Header
	sent   http.Header // as it was when the status was written
	status int
	body   bytes.Buffer
}

// Header implements http.ResponseWriter.
func (w *recorder) Header() http.Header { return w.header }

// WriteHeader implements http.ResponseWriter.
func (w *recorder) WriteHeader(status int) {
	if w.status == 0 {
		w.status, w.sent = status, w.header.Clone()
	}
}

// Write implements http.ResponseWriter.
func (w *recorder) Write(b []byte) (int, error) {
	w.WriteHeader(http.StatusOK)
	return w.body.Write(b)
}

func (w *recorder) response(req *http.Request) *http.Response {
	w.WriteHeader(http.StatusOK)
	return &http.Response{
		Status: http.StatusText(w.status), StatusCode: w.status,
		Proto: "HTTP/1.1", ProtoMajor: 1, ProtoMinor: 1,
		Header: w.sent, Body: io.NopCloser(&w.body), ContentLength: int64(w.body.Len()), Request: req,
	}
}
