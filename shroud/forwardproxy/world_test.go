package forwardproxy_test

import (
	"bufio"
	"context"
	"crypto/tls"
	"crypto/x509"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/oneclaw/oneclawd/internal/fault"
	"github.com/oneclaw/oneclawd/internal/id"
	"github.com/oneclaw/oneclawd/internal/plain"
	"github.com/oneclaw/oneclawd/shroud"
	"github.com/oneclaw/oneclawd/shroud/forwardproxy"
	"github.com/oneclaw/oneclawd/shroud/forwardproxy/authority"
	"github.com/oneclaw/oneclawd/shroud/redact"
	"github.com/oneclaw/oneclawd/shroud/screen"
	"github.com/oneclaw/oneclawd/store"
	"github.com/oneclaw/oneclawd/store/storetest"
	"github.com/oneclaw/oneclawd/vault/identity"
	"github.com/oneclaw/oneclawd/vault/use"
)

const (
	secret = "canary-7f3b2c9d1e5a"
	key    = "ocv_key"
	site   = "example.com" // that of the certificate of httptest
)

// world is a proxy between clients and one host, which is whatever name is dialled.
type world struct {
	testing.TB
	agent id.ID
	front *httptest.Server // the proxy's listener
	host  *httptest.Server
	roots *x509.CertPool // what clients trust
	says  http.HandlerFunc

	mu      sync.Mutex
	asked   int
	revoked bool
	known   []shroud.Known
	paths   []string
	reports []forwardproxy.Report
}

func newWorld(t testing.TB, says http.HandlerFunc) *world {
	t.Helper()
	w := &world{TB: t, agent: id.New(), says: says, roots: x509.NewCertPool()}
	w.host = httptest.NewUnstartedServer(http.HandlerFunc(func(rw http.ResponseWriter, r *http.Request) {
		w.mu.Lock()
		w.asked++
		w.mu.Unlock()
		w.says(rw, r)
	}))
	w.host.EnableHTTP2 = true
	w.host.StartTLS()
	t.Cleanup(w.host.Close)
	plainHost := httptest.NewServer(w.host.Config.Handler)
	t.Cleanup(plainHost.Close)
	hosts, err := use.ParseHosts([]string{site, "*.sub.example.com", site + ":8443", "http://plain.example"})
	if err != nil {
		t.Fatal(err)
	}
	names := append(hosts.Domains("https"), "api.openai.com")
	cas, err := authority.Open(t.Context(), store.Runner[authority.Tx](storetest.Open(t)), names, time.Now)
	if err != nil {
		t.Fatal(err)
	}
	if !w.roots.AppendCertsFromPEM(cas.Bundle()) {
		t.Fatal("no CA")
	}
	transport := w.host.Client().Transport.(*http.Transport).Clone()
	transport.DialContext = func(ctx context.Context, network, addr string) (net.Conn, error) {
		if addr == "nowhere.sub.example.com:443" {
			return nil, fault.New(fault.Invalid, "host_forbidden", "The appliance may not connect to this host")
		}
		to := w.host
		if strings.HasSuffix(addr, ":80") {
			to = plainHost
		}
		return (&net.Dialer{}).DialContext(ctx, network, to.Listener.Addr().String())
	}
	transport.DisableCompression = true
	openai, err := use.ParseOrigin("https://api.openai.com")
	if err != nil {
		t.Fatal(err)
	}
	p := forwardproxy.New(forwardproxy.Config{
		Hosts: hosts, Providers: []forwardproxy.Provider{{Name: "openai", Origin: openai, Path: "/v1"}},
		Models: w, Screens: screen.Screens{Manifests: w}, Certifier: cas, Recorder: w, Silence: time.Minute,
		Client: &http.Client{Transport: transport, CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }},
		Log:    slog.New(slog.DiscardHandler), Now: time.Now,
	})
	w.front = httptest.NewServer(p)
	t.Cleanup(func() {
		w.front.Close()
		_ = p.Close()
	})
	return w
}

// Enter implements forwardproxy.Models.
func (w *world) Enter(_ *http.Request, c shroud.Credentials) (shroud.Agent, error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.revoked || c.Agent != w.agent || c.Key != key {
		return shroud.Agent{}, fault.New(fault.Unauthenticated, "invalid_credentials", "Invalid credentials")
	}
	return shroud.Agent{Principal: identity.Principal{ID: w.agent}}, nil
}

// Pass implements forwardproxy.Models.
func (w *world) Pass(rw http.ResponseWriter, r *http.Request, k shroud.Known) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.known, w.paths = append(w.known, k), append(w.paths, r.URL.Path)
	_, _ = io.WriteString(rw, "from shroud")
}

// For implements screen.Manifests.
func (w *world) For(context.Context, identity.Principal) (*redact.Matcher, uint64, error) {
	return redact.New([]redact.Entry{{Path: "a/secret", Value: plain.FromString(secret)}}), 1, nil
}

// Forwarded implements forwardproxy.Recorder.
func (w *world) Forwarded(_ context.Context, r forwardproxy.Report) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.reports = append(w.reports, r)
}

// times is how often the host was asked.
func (w *world) times() int {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.asked
}

// recorded are the codes of the refusals that were recorded, "" for requests that passed.
func (w *world) recorded() (out []string) {
	w.mu.Lock()
	defer w.mu.Unlock()
	for _, r := range w.reports {
		out = append(out, r.Refusal)
	}
	return out
}

func (w *world) credentials() string {
	return "Proxy-Authorization: Basic " + base64.StdEncoding.EncodeToString([]byte(w.agent.String()+":"+key)) + "\r\n"
}

// client is one that is told of the proxy, and whom to trust.
func (w *world) client() *http.Client {
	at, err := url.Parse(w.front.URL)
	if err != nil {
		w.Fatal(err)
	}
	at.User = url.UserPassword(w.agent.String(), key)
	t := &http.Transport{Proxy: http.ProxyURL(at), TLSClientConfig: &tls.Config{RootCAs: w.roots}, ForceAttemptHTTP2: true}
	w.Cleanup(t.CloseIdleConnections)
	return &http.Client{Transport: t, CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }}
}

// problem is what a refusal says.
type problem struct {
	Status int
	Code   string
	Detail string
}

// reply is an answer that was read to its end.
type reply struct {
	StatusCode int
	ProtoMajor int
	Proto      string
	Header     http.Header
}

func replied(res *http.Response) *reply {
	return &reply{res.StatusCode, res.ProtoMajor, res.Proto, res.Header}
}

// does sends a request and reads all of the answer.
func (w *world) does(method, to, body string, header ...string) (*reply, string) {
	w.Helper()
	req, err := http.NewRequest(method, to, strings.NewReader(body))
	if err != nil {
		w.Fatal(err)
	}
	for i := 0; i < len(header); i += 2 {
		req.Header.Add(header[i], header[i+1])
	}
	res, err := w.client().Do(req)
	if err != nil {
		w.Fatal(err)
	}
	defer res.Body.Close()
	text, err := io.ReadAll(res.Body)
	if err != nil {
		w.Fatal(err)
	}
	return replied(res), string(text)
}

// wire is a bare connection to the proxy.
type wire struct {
	net.Conn
	r *bufio.Reader
}

func (w *world) dial() *wire {
	c, err := net.Dial("tcp", w.front.Listener.Addr().String())
	if err != nil {
		w.Fatal(err)
	}
	w.Cleanup(func() { _ = c.Close() })
	return &wire{c, bufio.NewReader(c)}
}

// says sends text and reads an answer, nil where the connection ends instead.
func (c *wire) says(text string, to string) (*reply, problem) {
	if _, err := io.WriteString(c, text); err != nil {
		return nil, problem{}
	}
	res, err := http.ReadResponse(c.r, &http.Request{Method: to})
	if err != nil {
		return nil, problem{}
	}
	defer res.Body.Close()
	var p problem
	if to != http.MethodConnect || res.StatusCode != http.StatusOK { // the rest is the tunnel's
		body, _ := io.ReadAll(res.Body)
		_ = json.Unmarshal(body, &p)
	}
	return replied(res), p
}

// tunnel opens one, and speaks TLS in it as to name.
func (w *world) tunnel(target, name string) (*wire, error) {
	c := w.dial()
	res, p := c.says("CONNECT "+target+" HTTP/1.1\r\nHost: "+target+"\r\n"+w.credentials()+"\r\n", http.MethodConnect)
	if res == nil || res.StatusCode != http.StatusOK {
		return nil, fmt.Errorf("%+v", p)
	}
	t := tls.Client(c, &tls.Config{RootCAs: w.roots, ServerName: name})
	return &wire{t, bufio.NewReader(t)}, t.Handshake()
}
