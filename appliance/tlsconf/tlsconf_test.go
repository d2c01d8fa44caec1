package tlsconf

import (
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"errors"
	"io"
	"io/fs"
	"log/slog"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"
)

var names = []string{"vault.example.com", "localhost", "127.0.0.1", "::1"}

func quiet(c Config) Config {
	c.Log = slog.New(slog.DiscardHandler)
	return c
}

// selfSigned writes a pair of files, by which the certificate is known.
func selfSigned(t testing.TB, dir, cn string, until time.Time) (cert, key string) {
	t.Helper()
	k, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	c := &x509.Certificate{Subject: pkix.Name{CommonName: cn}, DNSNames: []string{"localhost"}, NotBefore: time.Now().Add(-time.Hour), NotAfter: until}
	der, err1 := x509.CreateCertificate(rand.Reader, c, c, k.Public(), k)
	secret, err2 := x509.MarshalPKCS8PrivateKey(k)
	cert, key = filepath.Join(dir, "cert.pem"), filepath.Join(dir, "key.pem")
	err3 := os.WriteFile(cert, pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der}), 0o600)
	err4 := os.WriteFile(key, pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: secret}), 0o600)
	if err := errors.Join(err1, err2, err3, err4); err != nil {
		t.Fatal(err)
	}
	return cert, key
}

// serve runs an HTTPS server that says which client certificate it was shown.
func serve(t testing.TB, s *Source, clients ...Clients) string {
	t.Helper()
	config, err := s.ServerConfig(append(clients, Clients{})[0])
	if err != nil {
		t.Fatal(err)
	}
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	server := &http.Server{TLSConfig: config, ErrorLog: slog.NewLogLogger(slog.DiscardHandler, slog.LevelDebug),
		Handler: http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			if len(r.TLS.PeerCertificates) > 0 {
				_, _ = io.WriteString(w, r.TLS.PeerCertificates[0].Subject.CommonName)
			}
		})}
	go func() { _ = server.ServeTLS(l, "", "") }()
	t.Cleanup(func() { _ = server.Close() })
	return l.Addr().String()
}

func TestLocalCA(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "tls")
	c := quiet(Config{Dir: dir, Names: names})
	if _, err := Inspect(c); !errors.Is(err, ErrNoCA) {
		t.Fatalf("before: %v", err)
	}
	if _, err := ReadCA(dir); !errors.Is(err, ErrNoCA) {
		t.Fatalf("before: %v", err)
	}
	s, err := Open(c)
	if err != nil {
		t.Fatal(err)
	}
	for file, mode := range map[string]fs.FileMode{".": fs.ModeDir | 0o700, caFile: 0o600, serverFile: 0o600, caCertFile: 0o644} {
		if info, err := os.Stat(filepath.Join(dir, file)); err != nil || info.Mode() != mode {
			t.Errorf("%s: %v, %v", file, info.Mode(), err)
		}
	}
	ca, err := ReadCA(dir)
	if err != nil || strings.Contains(string(ca), "PRIVATE") {
		t.Fatalf("%s %v", ca, err)
	}
	pool := x509.NewCertPool()
	pool.AppendCertsFromPEM(ca)
	addr := serve(t, s)
	for _, name := range names {
		client := &http.Client{Transport: &http.Transport{TLSClientConfig: &tls.Config{RootCAs: pool, ServerName: name}, ForceAttemptHTTP2: true}}
		resp, err := client.Get("https://" + addr)
		if err != nil {
			t.Fatalf("%s: %v", name, err)
		}
		_ = resp.Body.Close()
		if resp.ProtoMajor != 2 {
			t.Errorf("%s", resp.Proto)
		}
	}
	for _, wrong := range []*tls.Config{{ServerName: "localhost"}, {RootCAs: pool, ServerName: "bank.example"}} {
		if c, err := tls.Dial("tcp", addr, wrong); err == nil {
			_ = c.Close()
			t.Error("trusted where it must not be")
		}
	}
	new := &tls.Config{RootCAs: pool, ServerName: "localhost"}
	if c, err := tls.Dial("tcp", addr, new); err != nil || c.ConnectionState().CurveID != tls.X25519MLKEM768 {
		t.Errorf("no hybrid key exchange: %v", err)
	} else {
		_ = c.Close()
	}
	old := &tls.Config{RootCAs: pool, ServerName: "localhost", MaxVersion: tls.VersionTLS12}
	if c, err := tls.Dial("tcp", addr, old); err == nil {
		_ = c.Close()
		t.Error("TLS 1.2 is spoken")
	}
	seen, err := Inspect(c)
	if err != nil || seen.Fingerprint != s.Status().Fingerprint || seen.CA == nil || len(seen.Names) != 4 {
		t.Errorf("%+v %v", seen, err)
	}
	again, err := Open(c)
	if err != nil || again.Status().Fingerprint != s.Status().Fingerprint {
		t.Errorf("another certificate after a restart: %v", err)
	}
}

// Whoever steals the CA's key can certify nothing but this appliance.
func TestLocalCAIsConstrained(t *testing.T) {
	dir := t.TempDir()
	ca, err := openCA(dir, names, time.Now())
	if err != nil {
		t.Fatal(err)
	}
	pool := x509.NewCertPool()
	pool.AddCert(ca.pair.Leaf)
	for name, ok := range map[string]bool{"vault.example.com": true, "bank.example": false, "example.com": false, "10.0.0.1": false, "127.0.0.1": true} {
		pair, err := ca.issue(filepath.Join(dir, "stolen.pem"), []string{name}, time.Now())
		if err != nil {
			t.Fatal(err)
		}
		if _, err := pair.Leaf.Verify(x509.VerifyOptions{Roots: pool}); (err == nil) != ok {
			t.Errorf("%s: %v", name, err)
		}
	}
}

func TestLocalCertificateIsRenewed(t *testing.T) {
	now := time.Now()
	var ahead atomic.Int64
	c := quiet(Config{Dir: t.TempDir(), Names: names, Now: func() time.Time { return now.Add(time.Duration(ahead.Load())) }})
	s, err := Open(c)
	if err != nil {
		t.Fatal(err)
	}
	first := s.Status()
	for _, step := range []struct {
		at      time.Duration
		changed bool
	}{{time.Hour, false}, {59 * 24 * time.Hour, false}, {61 * 24 * time.Hour, true}, {62 * 24 * time.Hour, false}} {
		ahead.Store(int64(step.at))
		if changed, err := s.Refresh(); err != nil || changed != step.changed {
			t.Errorf("after %v: %v %v", step.at, changed, err)
		}
	}
	if s.Status().Fingerprint == first.Fingerprint {
		t.Error("the same certificate")
	}
	if in, err := Inspect(c); err != nil || in.Issuer != first.Issuer {
		t.Errorf("another CA: %v", err)
	}
	ahead.Store(int64(11 * 365 * 24 * time.Hour))
	if _, err := Open(c); err == nil || !strings.Contains(err.Error(), "ended") {
		t.Errorf("a CA that ended: %v", err)
	}
}

func TestNamesThatTheCAWasNotMadeFor(t *testing.T) {
	c := quiet(Config{Dir: t.TempDir(), Names: names})
	if _, err := Open(c); err != nil {
		t.Fatal(err)
	}
	c.Names = append([]string{"a.vault.example.com"}, names...) // below one that it may
	s, err := Open(c)
	if err != nil || s.Status().Names[0] != "a.vault.example.com" {
		t.Errorf("%v", err)
	}
	c.Names = append([]string{"other.example.com"}, names...)
	if _, err := Open(c); err == nil || !strings.Contains(err.Error(), "other.example.com") || !strings.Contains(err.Error(), caFile) {
		t.Errorf("got %v", err)
	}
}

// A start that was cut off, or files that somebody damaged.
func TestDamagedFiles(t *testing.T) {
	dir := t.TempDir()
	c := quiet(Config{Dir: dir, Names: names})
	if _, err := Open(c); err != nil {
		t.Fatal(err)
	}
	for _, file := range []string{serverFile, caCertFile} {
		if err := os.WriteFile(filepath.Join(dir, file), []byte("half"), 0o600); err != nil {
			t.Fatal(err)
		}
		if _, err := Open(c); err != nil {
			t.Errorf("%s: %v", file, err)
		}
	}
	if err := os.WriteFile(filepath.Join(dir, caFile), []byte("half"), 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := Open(c); err == nil || !strings.Contains(err.Error(), caFile) {
		t.Errorf("a damaged CA is replaced in silence: %v", err)
	}
}

func TestFilesAreReloaded(t *testing.T) {
	dir := t.TempDir()
	far := time.Now().Add(1000 * time.Hour)
	cert, key := selfSigned(t, dir, "one", far)
	s, err := Open(quiet(Config{CertFile: cert, KeyFile: key}))
	if err != nil {
		t.Fatal(err)
	}
	expect := func(cn string, changed bool, fails string) {
		t.Helper()
		got, err := s.Refresh()
		if got != changed || (err == nil) != (fails == "") || err != nil && !strings.Contains(err.Error(), fails) || s.Status().Subject != "CN="+cn {
			t.Errorf("%s: %v %v", s.Status().Subject, got, err)
		}
	}
	expect("one", false, "")
	selfSigned(t, dir, "number two", far)
	expect("number two", true, "")
	if err := os.WriteFile(key, []byte("half of a k"), 0o600); err != nil {
		t.Fatal(err)
	}
	expect("number two", false, "key.pem")
	expect("number two", false, "") // told once
	if err := os.Remove(cert); err != nil {
		t.Fatal(err)
	}
	expect("number two", false, "cert.pem")
	expect("number two", false, "")
	selfSigned(t, dir, "ended", time.Now().Add(-time.Minute))
	expect("number two", false, "ended on")
	selfSigned(t, dir, "number three", far)
	expect("number three", true, "")
	for _, c := range []Config{{CertFile: cert, KeyFile: cert}, {CertFile: "nowhere", KeyFile: key}} {
		if _, err := Open(quiet(c)); err == nil {
			t.Errorf("%+v opens", c)
		}
	}
}

// Requests go on while certificates come and go, on connections old and new.
func TestReloadUnderLoad(t *testing.T) {
	dir := t.TempDir()
	far := time.Now().Add(1000 * time.Hour)
	cert, key := selfSigned(t, dir, "0", far)
	s, err := Open(quiet(Config{CertFile: cert, KeyFile: key}))
	if err != nil {
		t.Fatal(err)
	}
	addr := serve(t, s)
	ctx, stop := context.WithCancel(t.Context())
	var all sync.WaitGroup
	var served, seen sync.Map
	for i := range 8 {
		client := &http.Client{Transport: &http.Transport{DisableKeepAlives: i%2 == 0, ForceAttemptHTTP2: i%4 == 3, TLSClientConfig: &tls.Config{
			InsecureSkipVerify: true,
			VerifyConnection: func(cs tls.ConnectionState) error {
				seen.Store(cs.PeerCertificates[0].Subject.CommonName, true)
				return nil
			},
		}}}
		all.Go(func() {
			defer client.CloseIdleConnections()
			for ctx.Err() == nil {
				resp, err := client.Get("https://" + addr)
				if err != nil {
					t.Errorf("client %d: %v", i, err)
					return
				}
				_ = resp.Body.Close()
				served.Store(i, true)
			}
		})
	}
	for i := range 20 {
		selfSigned(t, dir, strings.Repeat("x", i+1), far)
		if _, err := s.Refresh(); err != nil {
			t.Error(err)
		}
		last := strings.Repeat("x", i+1)
		for deadline := time.Now().Add(10 * time.Second); ; { // until somebody was shown it
			if _, ok := seen.Load(last); ok || time.Now().After(deadline) {
				break
			}
		}
	}
	stop()
	all.Wait()
	for i := range 8 {
		if _, ok := served.Load(i); !ok {
			t.Errorf("client %d got nothing", i)
		}
	}
	if _, ok := seen.Load(strings.Repeat("x", 20)); !ok {
		t.Error("the last certificate was never shown")
	}
}

func TestClientCertificatesAreAskedFor(t *testing.T) {
	dir := t.TempDir()
	cert, key := selfSigned(t, dir, "client", time.Now().Add(time.Hour))
	pair, err := tls.LoadX509KeyPair(cert, key)
	if err != nil {
		t.Fatal(err)
	}
	for _, ask := range []bool{true, false} {
		s, err := Open(quiet(Config{Dir: t.TempDir(), Names: names}))
		if err != nil {
			t.Fatal(err)
		}
		addr := serve(t, s, Clients{Ask: ask})
		for _, with := range []bool{true, false} {
			c := &tls.Config{InsecureSkipVerify: true}
			want := ""
			if with {
				c.Certificates = []tls.Certificate{pair}
			}
			if with && ask {
				want = "client"
			}
			resp, err := (&http.Client{Transport: &http.Transport{TLSClientConfig: c}}).Get("https://" + addr)
			if err != nil {
				t.Fatal(err)
			}
			body, _ := io.ReadAll(resp.Body)
			_ = resp.Body.Close()
			if string(body) != want {
				t.Errorf("asked %v, with %v: %q", ask, with, body)
			}
		}
	}
}

func TestRunStops(t *testing.T) {
	s, err := Open(quiet(Config{Dir: t.TempDir(), Names: names}))
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if err := s.Run(ctx); !errors.Is(err, context.Canceled) {
		t.Error(err)
	}
}
