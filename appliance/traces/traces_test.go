package traces_test

import (
	"bytes"
	"context"
	"errors"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/oneclaw/oneclawd/appliance/traces"
	"github.com/oneclaw/oneclawd/appliance/traces/otlptest"
	"github.com/oneclaw/oneclawd/hsm"
	"github.com/oneclaw/oneclawd/hsm/hsmtest"
)

const (
	theirTrace  = "0af7651916cd43dd8448eb211c80319c"
	theirSpan   = "b7ad6b7169203331"
	traceparent = "00-" + theirTrace + "-" + theirSpan + "-01"
)

// open returns a tracer to a collector, and a log.
func open(t *testing.T, c traces.Config) (*traces.Tracer, *bytes.Buffer) {
	t.Helper()
	var log bytes.Buffer
	c.Client, c.Log = http.DefaultClient, slog.New(slog.NewTextHandler(&log, nil))
	x, err := traces.New(t.Context(), c)
	if err != nil {
		t.Fatal(err)
	}
	return x, &log
}

func closed(t *testing.T, x *traces.Tracer) {
	t.Helper()
	if err := x.Close(t.Context()); err != nil {
		t.Error(err)
	}
}

// broken is a module that wraps, and whose signatures fail.
type broken struct{ hsm.Module }

func (broken) Wrap(context.Context, hsm.KEK, []byte, []byte) ([]byte, error) { return nil, nil }
func (broken) Sign(context.Context, hsm.SigningKey, []byte) ([]byte, error) {
	return nil, hsm.ErrUnavailable.Detail("the text of an error")
}

// request serves one request with everything below it.
func request(x *traces.Tracer, headers http.Header) {
	r := httptest.NewRequest("PUT", "/v1/vaults/1/secrets/a/path?with=query", strings.NewReader("a body"))
	r.Header = headers
	ctx, ended := x.Request(r)
	m := x.Module(broken{})
	_, _ = m.Wrap(ctx, hsm.KEK("kek"), []byte("key"), []byte("aad"))
	_, _ = m.Sign(ctx, hsm.SigningKey{}, []byte("message"))
	x.Commit([]context.Context{context.Background(), ctx}, 4096, time.Now().Add(-time.Second), nil)
	x.Commit([]context.Context{ctx}, 10, time.Now(), errors.New("some text about a disk"))
	ended("PUT", "/v1/vaults/{vault_id}/secrets/{path}", "putSecret", 503)
}

func TestARequestAndWhatItWaitedFor(t *testing.T) {
	c := otlptest.New(t, false)
	x, log := open(t, traces.Config{Endpoint: c.URL, Ratio: 1, Incoming: traces.Ignore, Version: "1.2"})
	request(x, http.Header{"Traceparent": {traceparent}, "Tracestate": {"x=a-state"}, "Authorization": {"Bearer a-token"}})
	closed(t, x)
	if got := len(c.Spans(t)); got != 5 {
		t.Fatalf("%d spans: %+v", got, c.Spans(t))
	}
	put := c.Named(t, "putSecret")[0]
	if put.Kind != "SPAN_KIND_SERVER" || put.ParentSpan != "" || put.Trace == theirTrace || len(put.Links) > 0 || !put.Error ||
		put.Attr["http.request.method"] != "PUT" || put.Attr["http.route"] != "/v1/vaults/{vault_id}/secrets/{path}" ||
		put.Attr["http.response.status_code"] != "503" || put.Resource["service.name"] != "oneclawd" || put.Resource["service.version"] != "1.2" {
		t.Errorf("%+v", put)
	}
	for _, s := range c.Spans(t) {
		if s.Name != "putSecret" && (s.ParentSpan != put.ID || s.Trace != put.Trace) {
			t.Errorf("not below the request: %+v", s)
		}
	}
	wrap, sign, commits := c.Named(t, "hsm.wrap")[0], c.Named(t, "hsm.sign")[0], c.Named(t, "store.commit")
	if wrap.Error || !sign.Error || sign.Attr["error.type"] != "hsm_unavailable" {
		t.Errorf("%+v %+v", wrap, sign)
	}
	if a := commits[0]; a.Error || a.Attr["oneclawd.commit.calls"] != "2" || a.Attr["oneclawd.commit.bytes"] != "4096" || a.Took < 1e9 {
		t.Errorf("%+v", a)
	}
	if b := commits[1]; !b.Error || b.Attr["error.type"] != "internal" {
		t.Errorf("%+v", b)
	}
	for _, text := range []string{"a/path", "query", "a body", "a-state", "a-token", "text", theirTrace, "kek", "aad", "message"} {
		if bytes.Contains(c.Raw(), []byte(text)) {
			t.Errorf("the collector was told %q", text)
		}
	}
	if log.Len() > 0 {
		t.Errorf("%s", log)
	}
}

func TestAccountKeysAreTraced(t *testing.T) {
	c := otlptest.New(t, false)
	x, _ := open(t, traces.Config{Endpoint: c.URL, Ratio: 1, Incoming: traces.Ignore, Version: "1.2"})
	ctx, ended := x.Request(httptest.NewRequest("POST", "/", nil))
	keys := hsm.Accounts(x.Module(hsmtest.Memory(t)))
	key, err := keys.NewAccountKey(ctx)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := keys.SignDigest(ctx, key, [32]byte{1}); err != nil {
		t.Error(err)
	}
	if err := keys.DestroyAccountKey(ctx, key); err != nil {
		t.Error(err)
	}
	_, err = hsm.Accounts(x.Module(broken{})).ImportAccountKey(ctx, make([]byte, 32))
	if !errors.Is(err, hsm.ErrUnsupported) {
		t.Errorf("a module without account keys: %v", err)
	}
	ended("POST", "/", "post", 200)
	closed(t, x)
	for name, failed := range map[string]bool{
		"hsm.new_account_key": false, "hsm.sign_digest": false, "hsm.destroy_account_key": false, "hsm.import_account_key": true,
	} {
		if spans := c.Named(t, name); len(spans) != 1 || spans[0].Error != failed {
			t.Errorf("%s: %+v", name, spans)
		}
	}
}

func TestIncoming(t *testing.T) {
	const unsampled = "00-" + theirTrace + "-" + theirSpan + "-00"
	for _, c := range []struct {
		incoming     traces.Incoming
		header       string
		spans        int
		inTheirs     bool
		linkedTheirs bool
	}{
		{traces.Ignore, traceparent, 5, false, false},
		{traces.Link, traceparent, 5, false, true},
		{traces.Link, unsampled, 5, false, true},
		{traces.Parent, traceparent, 5, true, false},
		{traces.Parent, unsampled, 0, false, false}, // as they wished
		{traces.Parent, "00-nonsense", 5, false, false},
		{traces.Link, "00-" + strings.Repeat("0", 32) + "-" + theirSpan + "-01", 5, false, false},
	} {
		to := otlptest.New(t, false)
		x, _ := open(t, traces.Config{Endpoint: to.URL, Ratio: 1, Incoming: c.incoming})
		request(x, http.Header{"Traceparent": {c.header}, "Tracestate": {"x=a-state"}})
		closed(t, x)
		if got := len(to.Spans(t)); got != c.spans {
			t.Errorf("%s %s: %d spans", c.incoming, c.header, got)
		}
		for _, s := range to.Named(t, "putSecret") {
			linked := len(s.Links) == 1 && s.Links[0] == theirTrace
			if (s.Trace == theirTrace) != c.inTheirs || (s.ParentSpan == theirSpan) != c.inTheirs || linked != c.linkedTheirs || s.State != "" {
				t.Errorf("%s %s: %+v", c.incoming, c.header, s)
			}
		}
		if bytes.Contains(to.Raw(), []byte("a-state")) {
			t.Error("tracestate is sent on")
		}
	}
}

func TestRatio(t *testing.T) {
	for _, ratio := range []float64{0, 0.5, 1} {
		to := otlptest.New(t, false)
		x, _ := open(t, traces.Config{Endpoint: to.URL, Ratio: ratio, Incoming: traces.Ignore})
		for range 400 {
			request(x, nil)
		}
		closed(t, x)
		n := len(to.Named(t, "putSecret"))
		if ratio == 0 && n != 0 || ratio == 1 && n != 400 || ratio == 0.5 && (n < 100 || n > 300) {
			t.Errorf("ratio %v: %d", ratio, n)
		}
		if all := len(to.Spans(t)); all != 5*n {
			t.Errorf("ratio %v: %d spans of %d requests", ratio, all, n)
		}
	}
}

// A client cannot have more recorded than the ratio by saying so.
func TestRatioHoldsForClientsThatAskForMore(t *testing.T) {
	to := otlptest.New(t, false)
	x, _ := open(t, traces.Config{Endpoint: to.URL, Ratio: 0, Incoming: traces.Parent})
	request(x, http.Header{"Traceparent": {traceparent}})
	closed(t, x)
	if n := len(to.Spans(t)); n != 0 {
		t.Errorf("%d spans", n)
	}
}

// A collector that answers nothing, or errors, holds up neither requests nor the
// end, and is complained about once.
func TestACollectorThatDoesNotWork(t *testing.T) {
	hold := make(chan struct{})
	hangs := httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		select {
		case <-hold:
		case <-r.Context().Done():
		}
	}))
	defer hangs.Close()
	defer close(hold)
	x, _ := open(t, traces.Config{Endpoint: hangs.URL, Ratio: 1, Incoming: traces.Ignore})
	for range 10_000 { // more than may wait
		request(x, nil)
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel() // no patience at all
	if err := x.Close(ctx); !errors.Is(err, context.Canceled) {
		t.Errorf("%v", err)
	}
	request(x, nil) // after the end, too

	fails := httptest.NewServer(http.NotFoundHandler())
	defer fails.Close()
	x, log := open(t, traces.Config{Endpoint: fails.URL, Ratio: 1, Incoming: traces.Ignore})
	for range 1000 {
		request(x, nil)
	}
	closed(t, x)
	if got := strings.Count(log.String(), "level=WARN"); got != 1 {
		t.Errorf("%d warnings: %s", got, log)
	}
}
