package tlsconf

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"io"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

// clientCA is a CA of clients.
type clientCA struct {
	key  *ecdsa.PrivateKey
	cert *x509.Certificate
}

func newClientCA(t *testing.T, name string) clientCA {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	form := &x509.Certificate{
		Subject: pkix.Name{CommonName: name}, NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().Add(time.Hour),
		IsCA: true, BasicConstraintsValid: true, KeyUsage: x509.KeyUsageCertSign,
	}
	der, err := x509.CreateCertificate(rand.Reader, form, form, key.Public(), key)
	if err != nil {
		t.Fatal(err)
	}
	cert, err := x509.ParseCertificate(der)
	if err != nil {
		t.Fatal(err)
	}
	return clientCA{key, cert}
}

func (ca clientCA) pem() []byte {
	return pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: ca.cert.Raw})
}

// client is one with a certificate of ca, for a purpose, that does not keep
// connections.
func (ca clientCA) client(t *testing.T, name string, purpose x509.ExtKeyUsage, until time.Duration) *http.Client {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	form := &x509.Certificate{
		Subject: pkix.Name{CommonName: name}, NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().Add(until),
		ExtKeyUsage: []x509.ExtKeyUsage{purpose},
	}
	der, err := x509.CreateCertificate(rand.Reader, form, ca.cert, key.Public(), ca.key)
	if err != nil {
		t.Fatal(err)
	}
	return presenting(tls.Certificate{Certificate: [][]byte{der}, PrivateKey: key})
}

func presenting(certs ...tls.Certificate) *http.Client {
	return &http.Client{Transport: &http.Transport{DisableKeepAlives: true, TLSClientConfig: &tls.Config{
		InsecureSkipVerify: true, ClientSessionCache: tls.NewLRUClientSessionCache(4),
		// Shown whoever the server says it trusts: it is the server that has to refuse.
		GetClientCertificate: func(*tls.CertificateRequestInfo) (*tls.Certificate, error) {
			if len(certs) == 0 {
				return &tls.Certificate{}, nil
			}
			return &certs[0], nil
		},
	}}}
}

// lets says whom a server takes a client for, "" if it does not let it in.
func lets(client *http.Client, addr string) string {
	resp, err := client.Get("https://" + addr)
	if err != nil {
		return ""
	}
	defer func() { _ = resp.Body.Close() }()
	body, _ := io.ReadAll(resp.Body)
	return string(body)
}

// Only who has a certificate of the CA is let in, for as long as the file says so.
func TestOnlyClientsOfTheCA(t *testing.T) {
	file := filepath.Join(t.TempDir(), "clients.pem")
	ours, theirs := newClientCA(t, "ours"), newClientCA(t, "theirs")
	put := func(text []byte) {
		t.Helper()
		if err := os.WriteFile(file, text, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	s, err := Open(quiet(Config{Dir: t.TempDir(), Names: names}))
	if err != nil {
		t.Fatal(err)
	}
	if _, err := s.ServerConfig(Clients{CAFile: file}); err == nil {
		t.Error("CAs out of nothing")
	}
	put([]byte("no certificate"))
	if _, err := s.ServerConfig(Clients{CAFile: file}); err == nil || !strings.Contains(err.Error(), "clients.pem") {
		t.Errorf("%v", err)
	}
	put(ours.pem())
	addr := serve(t, s, Clients{CAFile: file})
	prometheus := ours.client(t, "prometheus", x509.ExtKeyUsageClientAuth, time.Hour)
	stranger := theirs.client(t, "stranger", x509.ExtKeyUsageClientAuth, time.Hour)
	for name, c := range map[string]struct {
		client *http.Client
		want   string
	}{
		"its own":             {prometheus, "prometheus"},
		"another CA's":        {stranger, ""},
		"none":                {presenting(), ""},
		"one for servers":     {ours.client(t, "server", x509.ExtKeyUsageServerAuth, time.Hour), ""},
		"one that has ended":  {ours.client(t, "old", x509.ExtKeyUsageClientAuth, -time.Minute), ""},
		"its own, once again": {prometheus, "prometheus"},
	} {
		if got := lets(c.client, addr); got != c.want {
			t.Errorf("%s: %q", name, got)
		}
	}
	put(append(ours.pem(), theirs.pem()...))
	if got := lets(stranger, addr) + lets(prometheus, addr); got != "strangerprometheus" {
		t.Errorf("with both CAs: %q", got)
	}
	put([]byte("half a certifica"))
	if got := lets(stranger, addr) + lets(prometheus, addr); got != "strangerprometheus" {
		t.Errorf("while the file is damaged: %q", got)
	}
	put(theirs.pem())
	if got := lets(stranger, addr) + lets(prometheus, addr); got != "stranger" {
		t.Errorf("once the CA is gone: %q", got)
	}
}
