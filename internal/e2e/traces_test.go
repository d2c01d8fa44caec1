package e2e

import (
	"encoding/pem"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/oneclaw/oneclawd/appliance/traces/otlptest"
	"github.com/oneclaw/oneclawd/internal/porttest"
)

const (
	clientTrace = "0af7651916cd43dd8448eb211c80319c"
	traceparent = "00-" + clientTrace + "-b7ad6b7169203331-01"
)

// TestTraces has a daemon on a token trace everything that users write and are
// refused, and looks for what the collector must not be told.
func TestTraces(t *testing.T) {
	needSoftHSM(t)
	to := otlptest.New(t, false)
	d := newDev(t, "--set", "traces.endpoint="+to.URL, "--set", "traces.incoming=parent", "--set", "api.trusted_proxies=127.0.0.0/8", "--set", "limits.auth_rate=0").start()
	values, names := canaries()
	credentials := plant(t, d, values, names)
	h := d.human()
	v := h.vault(t, "v")
	h.put(v, "a/b", "x").is(t, 201)
	state := canary{"tracestate", "st-canary-of-a-client"}
	h.doWith("GET", secretPath(v, "a/b"), nil, http.Header{
		"Traceparent": {traceparent}, "Tracestate": {"x=" + state.text}, "Baggage": {"y=" + state.text}, "X-Request-Id": {"rq-" + names[0].text},
	}).is(t, 200)
	d.stop() // what waits is sent before it ends

	var read otlptest.Span
	for _, s := range to.Named(t, "getSecret") {
		if s.Trace == clientTrace {
			read = s
		}
	}
	if read.Attr["http.response.status_code"] != "200" || read.Attr["http.route"] != "/v1/vaults/{vault_id}/secrets/{path}" {
		t.Fatalf("the read is not in its client's trace: %+v", read)
	}
	below := map[string]int{}
	for _, s := range to.Spans(t) {
		if s.Trace == clientTrace && s.ParentSpan == read.ID {
			below[s.Name]++
		}
	}
	if below["store.commit"] == 0 || below["hsm.unwrap"] != 1 {
		t.Errorf("below the read are %v", below)
	}
	for _, name := range []string{"putSecret", "createVault", "hsm.wrap", "hsm.new_kek", "none"} {
		if len(to.Named(t, name)) == 0 {
			t.Errorf("no span %s", name)
		}
	}
	told := to.Raw()
	hidden := append(append(append(values, names...), credentials...), state, canary{"vault id", v})
	for _, c := range hidden {
		if found := c.in(told); found != nil {
			t.Errorf("the collector is told the %s, %v", c.what, found)
		}
	}
}

// Without a collector everything goes on, and the daemon ends.
func TestTracesWithoutACollector(t *testing.T) {
	nobody := porttest.Address(t)
	silent, err := net.Listen("tcp", "127.0.0.1:0") // takes connections and says nothing
	if err != nil {
		t.Fatal(err)
	}
	defer silent.Close()
	for _, at := range []string{nobody, silent.Addr().String()} {
		d := newLocal(t, "--set", "traces.endpoint=http://"+at+"/v1/traces").start()
		h := d.human()
		v := h.vault(t, "v")
		for range 20 {
			h.put(v, "a", "x").is(t, 201)
		}
		d.stop()
	}
}

// traced is how many requests the collector is told of when a daemon serves ten.
func traced(t *testing.T, l *lab, to *otlptest.Receiver, settings ...string) []otlptest.Span {
	t.Helper()
	d := l.with(t, settings...)
	for range 10 {
		d.human().doWith("GET", "/v1/vaults", nil, http.Header{"Traceparent": {traceparent}}).is(t, 200)
	}
	d.stop()
	return to.Named(t, "listVaults")
}

func settingTraces(t *testing.T, l *lab) {
	to := otlptest.New(t, false)
	if n := len(traced(t, l, to, "traces.endpoint=")); n != 0 {
		t.Errorf("nobody said where to, and %d spans arrive", n)
	}
	if n := len(traced(t, l, to, "traces.endpoint="+to.URL)); n != 10 {
		t.Errorf("%d spans", n)
	}
	newDaemon(t, l.base.data, append(l.base.args[:len(l.base.args):len(l.base.args)], "--set", "traces.endpoint=http://collector.example.com:4318")...).refuses(2, "traces.endpoint")
}

func settingTracesCA(t *testing.T, l *lab) {
	to := otlptest.New(t, true)
	file := filepath.Join(t.TempDir(), "ca.pem")
	if err := os.WriteFile(file, pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: to.Server.Certificate().Raw}), 0o600); err != nil {
		t.Fatal(err)
	}
	if n := len(traced(t, l, to, "traces.endpoint="+to.URL)); n != 0 {
		t.Errorf("a collector that nobody knows is told %d spans", n)
	}
	if n := len(traced(t, l, to, "traces.endpoint="+to.URL, "traces.ca_file="+file)); n != 10 {
		t.Errorf("%d spans", n)
	}
}

func settingTracesRatio(t *testing.T, l *lab) {
	to := otlptest.New(t, false)
	if n := len(traced(t, l, to, "traces.endpoint="+to.URL, "traces.ratio=0")); n != 0 {
		t.Errorf("%d of none", n)
	}
	if n := len(traced(t, l, to, "traces.endpoint="+to.URL, "traces.ratio=1")); n != 10 {
		t.Errorf("%d of all", n)
	}
	newDaemon(t, l.base.data, append(l.base.args[:len(l.base.args):len(l.base.args)], "--set", "traces.ratio=1.5")...).refuses(2, "traces.ratio")
}

func settingTracesIncoming(t *testing.T, l *lab) {
	for incoming, want := range map[string]string{"ignore": "", "link": "link", "parent": "trace"} {
		to := otlptest.New(t, false)
		for _, s := range traced(t, l, to, "traces.endpoint="+to.URL, "traces.incoming="+incoming) {
			got := ""
			switch {
			case s.Trace == clientTrace:
				got = "trace"
			case strings.Join(s.Links, " ") == clientTrace:
				got = "link"
			}
			if got != want {
				t.Errorf("traces.incoming=%s: %+v", incoming, s)
			}
		}
		if len(to.Named(t, "listVaults")) != 10 {
			t.Errorf("traces.incoming=%s: too few spans", incoming)
		}
	}
}
