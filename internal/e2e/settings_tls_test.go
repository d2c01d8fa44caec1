package e2e

import (
	"bytes"
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
	"slices"
	"strings"
	"testing"
	"time"
)

// pair is a self-signed certificate and its key, in files.
type pair struct {
	cert, key string
	der       []byte
}

func newPair(t *testing.T) pair {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	form := &x509.Certificate{
		SerialNumber: big.NewInt(1), NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().Add(time.Hour),
		IPAddresses: []net.IP{net.IPv4(127, 0, 0, 1)}, DNSNames: []string{"localhost"},
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
	p := pair{filepath.Join(dir, "cert.pem"), filepath.Join(dir, "key.pem"), der}
	for file, block := range map[string]*pem.Block{p.cert: {Type: "CERTIFICATE", Bytes: der}, p.key: {Type: "PRIVATE KEY", Bytes: private}} {
		if err := os.WriteFile(file, pem.EncodeToMemory(block), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	return p
}

// shaken is what a TLS handshake with the daemon shows: its certificate, and
// whether it asked for one.
func shaken(t *testing.T, d *daemon) (cert *x509.Certificate, asked bool) {
	t.Helper()
	host, ok := strings.CutPrefix(d.api, "https://")
	if !ok {
		return nil, false
	}
	conn, err := tls.Dial("tcp", host, &tls.Config{
		InsecureSkipVerify: true,
		GetClientCertificate: func(*tls.CertificateRequestInfo) (*tls.Certificate, error) {
			asked = true
			return &tls.Certificate{}, nil
		},
	})
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	return conn.ConnectionState().PeerCertificates[0], asked
}

func settingCertificate(t *testing.T, l *lab) {
	for _, p := range []pair{newPair(t), newPair(t)} {
		d := l.with(t, "tls.cert_file="+p.cert, "tls.key_file="+p.key)
		if cert, _ := shaken(t, d); cert == nil || !bytes.Equal(cert.Raw, p.der) {
			t.Errorf("%s is not what it shows", p.cert)
		}
		d.kill()
	}
}

func settingCertificateKey(t *testing.T, l *lab) {
	p, other := newPair(t), newPair(t)
	l.with(t, "tls.cert_file="+p.cert, "tls.key_file="+p.key).kill()
	d := newDaemon(t, l.base.data, l.base.args...)
	d.args = append(d.args, "--set", "tls.cert_file="+p.cert, "--set", "tls.key_file="+other.key)
	d.spawn()
	if d.wait(patience) == 0 || d.api != "" {
		t.Error("it starts with the key of another certificate")
	}
}

func settingLocalCA(t *testing.T, l *lab) {
	twice(t, l, func(d *daemon) bool { cert, _ := shaken(t, d); return cert != nil },
		"tls.local_ca", [2]string{"true", "false"}, [2]bool{true, false})
}

func settingTLSNames(t *testing.T, l *lab) {
	const name = "vault.example.org"
	// A CA is made for the names of its time and vouches for no others.
	if err := os.RemoveAll(filepath.Join(l.base.data, "tls")); err != nil {
		t.Fatal(err)
	}
	twice(t, l, func(d *daemon) bool {
		cert, _ := shaken(t, d)
		return cert != nil && slices.Contains(cert.DNSNames, name)
	}, "tls.names", [2]string{name, ""}, [2]bool{true, false}, "tls.local_ca=true")
}

func settingClientCerts(t *testing.T, l *lab) {
	twice(t, l, func(d *daemon) bool { _, asked := shaken(t, d); return asked },
		"tls.client_certs", [2]string{"true", "false"}, [2]bool{true, false}, "tls.local_ca=true")
}

func settingMinVersion(t *testing.T, l *lab) {
	speaks := func(d *daemon) bool {
		host := strings.TrimPrefix(d.api, "https://")
		conn, err := tls.Dial("tcp", host, &tls.Config{InsecureSkipVerify: true, MaxVersion: tls.VersionTLS12})
		if err == nil {
			_ = conn.Close()
		}
		return err == nil
	}
	twice(t, l, speaks, "tls.min_version", [2]string{"1.3", "1.2"}, [2]bool{false, true}, "tls.local_ca=true")
}
