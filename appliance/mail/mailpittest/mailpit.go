// Package mailpittest runs Mailpit, a mail server that keeps what it gets, for
// tests: with TLS under a certificate of its own, with one account, and with an
// API through which a test reads the mails.
package mailpittest

import (
	"bytes"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/json"
	"encoding/pem"
	"fmt"
	"io"
	"math/big"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/oneclaw/oneclawd/internal/porttest"
)

// Module is what is built if there is no Mailpit yet.
const Module = "github.com/axllent/mailpit@v1.27.11"

// The account.
const (
	Username = "oneclawd"
	Password = "canary-mail-password"
)

// Options of a server.
type Options struct {
	ImplicitTLS bool   // instead of STARTTLS
	NoTLS       bool   // neither
	Chaos       string // what the server refuses: "Recipient:550:100"
	SMTP        string // address; a free one if empty
}

// Server is a running Mailpit.
type Server struct {
	Host    string
	Port    int
	RootCAs *x509.CertPool
	CAFile  string // the same, PEM, for another process; "" without TLS

	t    testing.TB
	api  string
	stop func()
}

// Start runs a server until the test ends. Without Mailpit the test is skipped,
// unless ONECLAW_REQUIRE lists mailpit: then it is built, once.
func Start(t testing.TB, o Options) *Server {
	t.Helper()
	binary := find(t)
	dir := t.TempDir()
	s := &Server{t: t, Host: "127.0.0.1", RootCAs: x509.NewCertPool()}
	smtp, api := o.SMTP, porttest.Address(t)
	if smtp == "" {
		smtp = porttest.Address(t)
	}
	s.api = "http://" + api
	port, err := net.LookupPort("tcp", smtp[strings.LastIndexByte(smtp, ':')+1:])
	ok(t, err)
	s.Port = port
	users := filepath.Join(dir, "users")
	ok(t, os.WriteFile(users, []byte(Username+":"+Password+"\n"), 0o600))
	args := []string{
		"--smtp", smtp, "--listen", api, "--quiet", "--disable-version-check", "--smtp-disable-rdns",
		"--database", filepath.Join(dir, "mails.db"), "--smtp-auth-file", users,
	}
	if o.Chaos != "" {
		args = append(args, "--chaos-triggers", o.Chaos)
	}
	if o.NoTLS {
		args = append(args, "--smtp-auth-allow-insecure")
	} else {
		cert, key := s.certificate(dir)
		s.CAFile = cert
		args = append(args, "--smtp-tls-cert", cert, "--smtp-tls-key", key)
		if o.ImplicitTLS {
			args = append(args, "--smtp-require-tls")
		} else {
			args = append(args, "--smtp-require-starttls")
		}
	}
	s.run(binary, args)
	return s
}

// run starts the process and waits until it answers.
func (s *Server) run(binary string, args []string) {
	s.t.Helper()
	var output bytes.Buffer
	cmd := exec.Command(binary, args...)
	cmd.Stdout, cmd.Stderr = &output, &output
	ok(s.t, cmd.Start())
	ended := make(chan struct{})
	go func() { _ = cmd.Wait(); close(ended) }()
	s.stop = func() {
		_ = cmd.Process.Kill()
		<-ended
	}
	s.t.Cleanup(func() { s.stop() })
	deadline := time.Now().Add(20 * time.Second)
	for {
		resp, err := http.Get(s.api + "/readyz")
		if err == nil {
			_ = resp.Body.Close()
			if c, err := net.Dial("tcp", s.Addr()); resp.StatusCode == http.StatusOK && err == nil {
				_ = c.Close()
				return
			}
		}
		select {
		case <-ended:
			s.t.Fatalf("mailpit ended: %s", output.String())
		case <-time.After(20 * time.Millisecond):
		}
		if time.Now().After(deadline) {
			s.t.Fatal("mailpit does not answer")
		}
	}
}

// Stop kills the server. Its address stays free for another.
func (s *Server) Stop() { s.stop() }

// Addr is where it takes mails.
func (s *Server) Addr() string { return fmt.Sprintf("%s:%d", s.Host, s.Port) }

// Mail is a mail that arrived.
type Mail struct {
	ID        string
	MessageID string
	Subject   string
	Text      string
	Date      time.Time
	From      struct{ Name, Address string }
	To        []struct{ Name, Address string }
	Header    map[string][]string `json:"-"`
	Raw       string              `json:"-"`
}

// Mails returns what arrived, oldest first.
func (s *Server) Mails() []Mail {
	s.t.Helper()
	var list struct {
		Messages []struct{ ID string } `json:"messages"`
	}
	ok(s.t, json.Unmarshal(s.get("/api/v1/messages?limit=500"), &list))
	var out []Mail
	for _, m := range slices.Backward(list.Messages) {
		var full Mail
		ok(s.t, json.Unmarshal(s.get("/api/v1/message/"+m.ID), &full))
		ok(s.t, json.Unmarshal(s.get("/api/v1/message/"+m.ID+"/headers"), &full.Header))
		full.Raw = string(s.get("/api/v1/message/" + m.ID + "/raw"))
		out = append(out, full)
	}
	return out
}

func (s *Server) get(path string) []byte {
	s.t.Helper()
	resp, err := http.Get(s.api + path)
	ok(s.t, err)
	defer resp.Body.Close()
	b, err := io.ReadAll(resp.Body)
	ok(s.t, err)
	if resp.StatusCode != http.StatusOK {
		s.t.Fatalf("mailpit: %s: %s", path, resp.Status)
	}
	return b
}

// certificate makes a certificate for 127.0.0.1 that only RootCAs trusts.
func (s *Server) certificate(dir string) (cert, key string) {
	s.t.Helper()
	private, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	ok(s.t, err)
	template := &x509.Certificate{
		SerialNumber: big.NewInt(time.Now().UnixNano()), Subject: pkix.Name{CommonName: "mailpit"},
		NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().Add(time.Hour),
		IPAddresses: []net.IP{net.IPv4(127, 0, 0, 1)}, IsCA: true, BasicConstraintsValid: true,
		KeyUsage: x509.KeyUsageDigitalSignature | x509.KeyUsageCertSign,
	}
	der, err := x509.CreateCertificate(rand.Reader, template, template, private.Public(), private)
	ok(s.t, err)
	parsed, err := x509.ParseCertificate(der)
	ok(s.t, err)
	s.RootCAs.AddCert(parsed)
	pkcs8, err := x509.MarshalPKCS8PrivateKey(private)
	ok(s.t, err)
	cert, key = filepath.Join(dir, "cert.pem"), filepath.Join(dir, "key.pem")
	ok(s.t, os.WriteFile(cert, pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der}), 0o600))
	ok(s.t, os.WriteFile(key, pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: pkcs8}), 0o600))
	return cert, key
}

func ok(t testing.TB, err error) {
	t.Helper()
	if err != nil {
		t.Fatal("mailpittest:", err)
	}
}
