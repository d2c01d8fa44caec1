package auditstream_test

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"encoding/pem"
	"math/big"
	"net"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/oneclaw/oneclawd/appliance/auditstream"
	"github.com/oneclaw/oneclawd/appliance/auditstream/syslogtest"
)

// pair is a self-signed certificate of 127.0.0.1 and its key.
type pair struct {
	cert, key string // files
	both      tls.Certificate
	pool      *x509.CertPool
}

func newPair(t testing.TB) pair {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	form := &x509.Certificate{
		SerialNumber: big.NewInt(1), NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().Add(24 * time.Hour),
		IPAddresses: []net.IP{net.IPv4(127, 0, 0, 1)},
	}
	der, err := x509.CreateCertificate(rand.Reader, form, form, key.Public(), key)
	if err != nil {
		t.Fatal(err)
	}
	private, err := x509.MarshalPKCS8PrivateKey(key)
	if err != nil {
		t.Fatal(err)
	}
	dir := t.TempDir()
	p := pair{cert: filepath.Join(dir, "cert.pem"), key: filepath.Join(dir, "key.pem"), pool: x509.NewCertPool()}
	for file, block := range map[string]*pem.Block{p.cert: {Type: "CERTIFICATE", Bytes: der}, p.key: {Type: "PRIVATE KEY", Bytes: private}} {
		if err := os.WriteFile(file, pem.EncodeToMemory(block), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	if p.both, err = tls.LoadX509KeyPair(p.cert, p.key); err != nil {
		t.Fatal(err)
	}
	p.pool.AddCert(p.both.Leaf)
	return p
}

func newSyslog(t testing.TB, c auditstream.SyslogConfig) *auditstream.Syslog {
	t.Helper()
	c.Hostname, c.Process, c.Dial = "vault1", "42", (&net.Dialer{}).DialContext
	s, err := auditstream.NewSyslog(c)
	if err != nil {
		t.Fatal(err)
	}
	return s
}

func received(t testing.TB, s *syslogtest.Server) (all []uint64) {
	t.Helper()
	for _, m := range s.Messages() {
		i := index(t, []byte(m.Text))
		if m.Params["index"] != strconv.FormatUint(i, 10) || m.ID == "" || m.Hostname != "vault1" {
			t.Errorf("%+v", m)
		}
		all = append(all, i)
	}
	return all
}

// What Send says has arrived has: over a server that loses what is under way in
// every way a server can, no event is passed over.
func TestSyslogArrives(t *testing.T) {
	server := newPair(t)
	for name, secure := range map[string]*tls.Config{"tcp": nil, "tls": {Certificates: []tls.Certificate{server.both}}} {
		t.Run(name, func(t *testing.T) {
			r := syslogtest.New(t, secure)
			s := newSyslog(t, auditstream.SyslogConfig{URL: name + "://" + r.Addr(), CAFile: caOf(secure, server)})
			for from := 0; from < 400; from += 40 {
				batch := events(t, from, 40)
				for _, m := range []syslogtest.Mode{syslogtest.Down, syslogtest.Dying, syslogtest.Down} {
					r.Set(m)
					if s.Send(t.Context(), batch) == nil {
						t.Fatalf("taken, says a server in mode %d", m)
					}
				}
				r.Set(syslogtest.Up)
				if err := s.Send(t.Context(), batch); err != nil {
					t.Fatal(err)
				}
				if all := received(t, r); all[len(all)-1] != uint64(from+39) {
					t.Fatalf("sent, and not there: the last is %d", all[len(all)-1])
				}
			}
			inSequence(t, received(t, r), 400)
		})
	}
}

func caOf(secure *tls.Config, p pair) string {
	if secure == nil {
		return ""
	}
	return p.cert
}

// A server that does not end the connection has confirmed nothing.
func TestSyslogMute(t *testing.T) {
	r := syslogtest.New(t, nil)
	r.Set(syslogtest.Mute)
	s := newSyslog(t, auditstream.SyslogConfig{URL: "tcp://" + r.Addr(), Timeout: 50 * time.Millisecond})
	if err := s.Send(t.Context(), events(t, 0, 1)); err == nil || !strings.Contains(err.Error(), "has not ended the connection") {
		t.Errorf("%v", err)
	}
}

// Who the server is, and who the appliance is to it.
func TestSyslogTLS(t *testing.T) {
	server, own, other := newPair(t), newPair(t), newPair(t)
	r := syslogtest.New(t, &tls.Config{Certificates: []tls.Certificate{server.both}, ClientAuth: tls.RequireAndVerifyClientCert, ClientCAs: own.pool})
	for name, c := range map[string]struct {
		config auditstream.SyslogConfig
		ok     bool
	}{
		"both right":       {auditstream.SyslogConfig{CAFile: server.cert, CertFile: own.cert, KeyFile: own.key}, true},
		"another server":   {auditstream.SyslogConfig{CAFile: other.cert, CertFile: own.cert, KeyFile: own.key}, false},
		"the system's CAs": {auditstream.SyslogConfig{CertFile: own.cert, KeyFile: own.key}, false},
		"no certificate":   {auditstream.SyslogConfig{CAFile: server.cert}, false},
		"another client":   {auditstream.SyslogConfig{CAFile: server.cert, CertFile: other.cert, KeyFile: other.key}, false},
	} {
		before := len(r.Messages())
		c.config.URL = "tls://" + r.Addr()
		err := newSyslog(t, c.config).Send(t.Context(), events(t, 0, 2))
		if (err == nil) != c.ok || (len(r.Messages()) == before+2) != c.ok {
			t.Errorf("%s: %v, %d arrived", name, err, len(r.Messages())-before)
		}
	}
}

func TestSyslogConfig(t *testing.T) {
	p := newPair(t)
	empty := filepath.Join(t.TempDir(), "empty")
	if err := os.WriteFile(empty, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct {
		config auditstream.SyslogConfig
		addr   string // "" if it is refused
	}{
		{auditstream.SyslogConfig{URL: "tls://logs.example.com"}, "logs.example.com:6514"},
		{auditstream.SyslogConfig{URL: "tls://[2001:db8::1]:99"}, "[2001:db8::1]:99"},
		{auditstream.SyslogConfig{URL: "tls://h:1", CAFile: p.cert, CertFile: p.cert, KeyFile: p.key}, "h:1"},
		{auditstream.SyslogConfig{URL: "tcp://127.0.0.1:514"}, "127.0.0.1:514"},
		{auditstream.SyslogConfig{URL: "tcp://localhost:514"}, "localhost:514"},
		{auditstream.SyslogConfig{URL: "tcp://[::1]:514"}, "[::1]:514"},
		{auditstream.SyslogConfig{URL: "tcp://logs.example.com:514", AllowPlain: true}, "logs.example.com:514"},
		{config: auditstream.SyslogConfig{URL: "tcp://logs.example.com:514"}},
		{config: auditstream.SyslogConfig{URL: "tcp://192.0.2.1:514"}},
		{config: auditstream.SyslogConfig{URL: "tcp://127.0.0.1"}},
		{config: auditstream.SyslogConfig{URL: "udp://127.0.0.1:514"}},
		{config: auditstream.SyslogConfig{URL: "tls://u:p@h:1"}},
		{config: auditstream.SyslogConfig{URL: "tls://h:1/path"}},
		{config: auditstream.SyslogConfig{URL: "tls://h:0"}},
		{config: auditstream.SyslogConfig{URL: "h:6514"}},
		{config: auditstream.SyslogConfig{URL: ""}},
		{config: auditstream.SyslogConfig{URL: "tls://h:1", CAFile: empty}},
		{config: auditstream.SyslogConfig{URL: "tls://h:1", CAFile: "/nonexistent"}},
		{config: auditstream.SyslogConfig{URL: "tls://h:1", CertFile: p.cert, KeyFile: empty}},
	} {
		addr, _ := auditstream.SyslogAddress(c.config.URL, c.config.AllowPlain)
		if _, err := auditstream.NewSyslog(c.config); (err == nil) != (c.addr != "") || err == nil && addr != c.addr {
			t.Errorf("%+v: %s, %v", c.config, addr, err)
		}
	}
}
