package forwardproxy_test

import (
	"bufio"
	"crypto/tls"
	"errors"
	"io"
	"log/slog"
	"net"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/oneclaw/oneclawd/internal/id"
	"github.com/oneclaw/oneclawd/shroud/forwardproxy"
	"github.com/oneclaw/oneclawd/shroud/screen"
	"github.com/oneclaw/oneclawd/vault/use"
)

// still is a world in which time passes only while everybody waits. Its host answers
// with body.
func still(t *testing.T, cert *tls.Certificate, body io.Reader) (*world, *forwardproxy.Proxy) {
	t.Helper()
	hosts, err := use.ParseHosts([]string{site, "http://plain.example"})
	if err != nil {
		t.Fatal(err)
	}
	w := &world{TB: t, agent: id.New()}
	p := forwardproxy.New(forwardproxy.Config{
		Hosts: hosts, Models: w, Screens: screen.Screens{Manifests: w}, Certifier: certifier{cert}, Recorder: w, Silence: time.Minute,
		Client: &http.Client{Transport: roundTrips(func(r *http.Request) *http.Response {
			return &http.Response{StatusCode: 200, ProtoMajor: 1, Request: r, Header: http.Header{}, Body: io.NopCloser(body)}
		})},
		Log: slog.New(slog.DiscardHandler), Now: time.Now,
	})
	t.Cleanup(func() { _ = p.Close() })
	return w, p
}

type roundTrips func(*http.Request) *http.Response

func (f roundTrips) RoundTrip(r *http.Request) (*http.Response, error) { return f(r), nil }

type certifier struct{ cert *tls.Certificate }

func (c certifier) Leaf(string) (*tls.Certificate, error) { return c.cert, nil }
func (certifier) Bundle() []byte                          { return nil }

// own is the certificate that httptest has, for the site.
func own(t *testing.T) *tls.Certificate {
	t.Helper()
	s := httptest.NewTLSServer(nil)
	defer s.Close()
	return &s.TLS.Certificates[0]
}

func (w *world) plainRequest(body io.Reader) *http.Request {
	r := httptest.NewRequest("POST", "http://plain.example/", body)
	name, value, _ := strings.Cut(strings.TrimSpace(w.credentials()), ": ")
	r.Header.Set(name, value)
	return r
}

// sluggish is a client that takes a while for each piece of an answer.
type sluggish struct{ *httptest.ResponseRecorder }

func (s sluggish) Write(p []byte) (int, error) {
	time.Sleep(10 * time.Minute)
	return s.ResponseRecorder.Write(p)
}

// A client that reads slowly is not taken for a host that says nothing.
func TestSlowReaders(t *testing.T) {
	cert := own(t)
	synctest.Test(t, func(t *testing.T) {
		text := strings.Repeat("words of a long answer ", 10_000)
		w, p := still(t, cert, io.MultiReader(strings.NewReader(text), strings.NewReader(text)))
		out := sluggish{httptest.NewRecorder()}
		p.ServeHTTP(out, w.plainRequest(nil))
		if out.Code != 200 || out.Body.String() != text+text {
			t.Errorf("%d, %d of %d bytes", out.Code, out.Body.Len(), 2*len(text))
		}
		if r := w.reports[0]; r.Refusal != "" || r.Took < time.Hour {
			t.Errorf("%+v", r)
		}
	})
}

// silent says something, and then nothing until it is closed.
type silent struct{ io.Reader }

func (s silent) Read(p []byte) (int, error) {
	if n, err := s.Reader.Read(p); n > 0 || !errors.Is(err, io.EOF) {
		return n, err
	}
	time.Sleep(2 * time.Minute)
	return 0, net.ErrClosed
}

// A host that says nothing in the middle of an answer is given up, visibly.
func TestSilentHosts(t *testing.T) {
	cert := own(t)
	synctest.Test(t, func(t *testing.T) {
		w, p := still(t, cert, silent{strings.NewReader("half of an answer")})
		defer func() {
			if recover() != http.ErrAbortHandler || !slices.Equal(w.recorded(), []string{"target_timeout"}) {
				t.Errorf("recorded %q", w.recorded())
			}
		}()
		p.ServeHTTP(httptest.NewRecorder(), w.plainRequest(nil))
	})
}

// piped is a request for a tunnel over a pipe.
type piped struct {
	*httptest.ResponseRecorder
	conn net.Conn
}

func (p piped) Hijack() (net.Conn, *bufio.ReadWriter, error) {
	return p.conn, bufio.NewReadWriter(bufio.NewReader(p.conn), bufio.NewWriter(p.conn)), nil
}

// opens has a tunnel to the site, from the client's side.
func (w *world) opens(p *forwardproxy.Proxy) net.Conn {
	w.Helper()
	client, server := net.Pipe()
	r := w.plainRequest(nil)
	r.Method, r.RequestURI = http.MethodConnect, site+":443"
	go p.ServeHTTP(piped{httptest.NewRecorder(), server}, r)
	const opened = "HTTP/1.1 200 Connection Established\r\n\r\n"
	said := make([]byte, len(opened))
	if _, err := io.ReadFull(client, said); err != nil || string(said) != opened {
		w.Fatalf("%q %v", said, err)
	}
	return client
}

// Who opens a tunnel and says nothing, or half a request, does not keep it.
func TestSlowWriters(t *testing.T) {
	cert := own(t)
	t.Run("no handshake", func(t *testing.T) {
		synctest.Test(t, func(t *testing.T) {
			w, p := still(t, cert, strings.NewReader(""))
			client := w.opens(p)
			began := time.Now()
			if _, err := client.Read(make([]byte, 1)); err == nil || time.Since(began) > time.Minute {
				t.Errorf("%v after %v", err, time.Since(began))
			}
			_ = client.Close()
		})
	})
	t.Run("half a body", func(t *testing.T) {
		synctest.Test(t, func(t *testing.T) {
			w, p := still(t, cert, strings.NewReader(""))
			client := w.opens(p)
			c := tls.Client(client, &tls.Config{InsecureSkipVerify: true, ServerName: site})
			if _, err := io.WriteString(c, "POST / HTTP/1.1\r\nHost: "+site+"\r\nContent-Length: 100\r\n\r\nhalf"); err != nil {
				t.Fatal(err)
			}
			began := time.Now()
			res, err := http.ReadResponse(bufio.NewReader(c), nil)
			if err == nil {
				_ = res.Body.Close()
			}
			if took := time.Since(began); err == nil && res.StatusCode != 400 || took < 10*time.Second || took > 2*time.Minute {
				t.Errorf("%+v %v after %v", res, err, took)
			}
			_ = client.Close()
			synctest.Wait()
			if got := w.recorded(); !slices.Equal(got, []string{"cut_off"}) {
				t.Errorf("recorded %q", got)
			}
		})
	})
}
