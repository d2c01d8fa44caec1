package e2e

import (
	"cmp"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"path/filepath"
	"strings"
	"sync"
	"testing"

	"github.com/rogpeppe/go-internal/txtar"
)

// upstream stands in for a provider: what it answers with is in
// testdata/providers, in the form that the provider documents.
type upstream struct {
	*httptest.Server
	answers map[string]string // by what is asked for, see asksFor

	mu    sync.Mutex
	asked []asking
	gone  chan struct{} // a value for each client that left a stream without end
}

// asking is what one request had.
type asking struct {
	path, body string
	header     http.Header
}

// newUpstream serves a provider's answers, in which secret is.
func newUpstream(t testing.TB, name, secret string, serve func(http.Handler) *httptest.Server) *upstream {
	t.Helper()
	file, err := txtar.ParseFile(filepath.Join("testdata", "providers", name+".txtar"))
	if err != nil {
		t.Fatal(err)
	}
	u := &upstream{answers: map[string]string{}, gone: make(chan struct{}, 100)}
	for _, f := range file.Files {
		u.answers[f.Name] = strings.ReplaceAll(string(f.Data), "CANARY", secret)
		if strings.HasSuffix(f.Name, "-stream") {
			u.answers[f.Name] = inPieces(u.answers[f.Name], secret)
		}
	}
	u.Server = serve(u)
	t.Cleanup(u.Close)
	return u
}

// inPieces has the events of a stream in which PIECE is once for every three bytes
// of a text, with these in its place.
func inPieces(stream, text string) string {
	var out strings.Builder
	for event := range strings.SplitAfterSeq(stream, "\n\n") {
		if !strings.Contains(event, "PIECE") {
			out.WriteString(event)
			continue
		}
		for at := 0; at < len(text); at += 3 {
			out.WriteString(strings.ReplaceAll(event, "PIECE", text[at:min(at+3, len(text))]))
		}
	}
	return out.String()
}

// asksFor names the answer to a request: an error where the text asks for one,
// else what the path, the tools and the member stream say.
func asksFor(path, body string) string {
	for _, status := range []string{"429", "500"} {
		if strings.Contains(body, "answer "+status) {
			return status
		}
	}
	what := "chat"
	switch has := func(part string) bool { return strings.Contains(path, part) }; {
	case has("embed"), has("Embed"):
		what = "embed"
	case has("count"), has("tokenize"):
		what = "count"
	case has("/responses"):
		what = "respond"
	case strings.Contains(body, `"unlock"`):
		what = "tool"
	}
	if strings.Contains(body, `"stream":true`) || strings.Contains(path, ":stream") {
		what += "-stream"
	}
	return what
}

// ServeHTTP implements http.Handler.
func (u *upstream) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	raw, _ := io.ReadAll(r.Body)
	body := string(raw)
	u.mu.Lock()
	u.asked = append(u.asked, asking{r.URL.Path, body, r.Header})
	u.mu.Unlock()
	what := asksFor(r.URL.Path, body)
	answer, ok := u.answers[what]
	switch {
	case !ok:
		http.Error(w, "no answer to "+what, http.StatusNotFound)
	case strings.HasSuffix(what, "-stream"):
		w.Header().Set("Content-Type", "text/event-stream; charset=utf-8")
		u.stream(w, r, answer, body)
	default:
		status := http.StatusOK
		_, _ = fmt.Sscan(what, &status)
		w.Header().Set("Content-Type", "application/json")
		w.Header().Set("Request-Id", "req-of-the-provider")
		w.WriteHeader(status)
		_, _ = io.WriteString(w, answer)
	}
}

// stream sends event by event. One without end stops in the middle of the text,
// and waits there for the client to go; one that breaks off ends there.
func (u *upstream) stream(w http.ResponseWriter, r *http.Request, events, asked string) {
	out := http.NewResponseController(w)
	for event := range strings.SplitAfterSeq(events, "\n\n") {
		switch inside := strings.Contains(event, "think"); {
		case inside && strings.Contains(asked, "without end"):
			<-r.Context().Done()
			u.gone <- struct{}{}
			return
		case inside && strings.Contains(asked, "break off"):
			panic(http.ErrAbortHandler)
		}
		_, _ = io.WriteString(w, event)
		_ = out.Flush()
	}
}

// last is what was asked last.
func (u *upstream) last() asking {
	u.mu.Lock()
	defer u.mu.Unlock()
	if len(u.asked) == 0 {
		return asking{}
	}
	return u.asked[len(u.asked)-1]
}

// times is how often it was asked.
func (u *upstream) times() int {
	u.mu.Lock()
	defer u.mu.Unlock()
	return len(u.asked)
}

// credential is the key that a request carried, as any provider takes it.
func (a asking) credential() string {
	bearer, _ := strings.CutPrefix(a.header.Get("Authorization"), "Bearer ")
	return cmp.Or(bearer, a.header.Get("X-Api-Key"), a.header.Get("X-Goog-Api-Key"))
}
