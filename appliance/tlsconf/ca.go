package tlsconf

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"errors"
	"fmt"
	"io/fs"
	"net"
	"net/netip"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"
)

// What is in the folder: key and certificate in one file each, so that they are
// replaced together, and the CA's certificate for others to read.
const (
	caFile      = "ca.pem"
	caCertFile  = "ca.crt"
	serverFile  = "server.pem"
	caYears     = 10
	serverValid = 90 * 24 * time.Hour
	renewBefore = 30 * 24 * time.Hour
	backdate    = time.Hour // clocks of clients differ
)

// ErrNoCA says that there is no local CA yet.
var ErrNoCA = errors.New("there is no local CA here; the daemon makes one when tls.local_ca is set")

// authority is the local CA.
type authority struct{ pair tls.Certificate }

// openCA opens the CA, or makes one that may certify the names and nothing else.
func openCA(dir string, names []string, now time.Time) (*authority, error) {
	file := filepath.Join(dir, caFile)
	pair, err := loadOwn(file)
	if errors.Is(err, fs.ErrNotExist) {
		pair, err = makeCA(file, names, now)
	}
	if err != nil {
		return nil, fmt.Errorf("the local CA: %w", err)
	}
	a := &authority{pair}
	if now.After(pair.Leaf.NotAfter) {
		return nil, fmt.Errorf("the local CA ended on %s; remove %s for a new one, which clients have to be told to trust", pair.Leaf.NotAfter.Format(time.DateOnly), file)
	}
	for _, name := range names {
		if !a.may(name) {
			return nil, fmt.Errorf("the local CA was not made for %s; remove %s for a new one, which clients have to be told to trust", name, file)
		}
	}
	cert := pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: pair.Leaf.Raw})
	return a, writeFile(filepath.Join(dir, caCertFile), cert, 0o644)
}

func makeCA(file string, names []string, now time.Time) (tls.Certificate, error) {
	dns, ips := split(names)
	c := &x509.Certificate{
		Subject:               pkix.Name{CommonName: "oneclawd local CA, made " + now.UTC().Format(time.DateOnly)},
		NotBefore:             now.Add(-backdate),
		NotAfter:              now.AddDate(caYears, 0, 0),
		IsCA:                  true,
		BasicConstraintsValid: true,
		MaxPathLenZero:        true,
		KeyUsage:              x509.KeyUsageCertSign | x509.KeyUsageCRLSign,
		ExtKeyUsage:           []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth},

		PermittedDNSDomainsCritical: true,
	}
	for _, d := range dns {
		c.PermittedDNSDomains = append(c.PermittedDNSDomains, strings.TrimPrefix(d, "*."))
	}
	for _, ip := range ips {
		bits := 8 * len(ip)
		c.PermittedIPRanges = append(c.PermittedIPRanges, &net.IPNet{IP: ip, Mask: net.CIDRMask(bits, bits)})
	}
	return sign(file, c, nil)
}

// may reports whether the CA may certify a name.
func (a *authority) may(name string) bool {
	if ip, err := netip.ParseAddr(name); err == nil {
		return slices.ContainsFunc(a.pair.Leaf.PermittedIPRanges, func(n *net.IPNet) bool { return n.Contains(ip.AsSlice()) })
	}
	name = strings.TrimPrefix(name, "*.")
	return slices.ContainsFunc(a.pair.Leaf.PermittedDNSDomains, func(d string) bool {
		return name == d || strings.HasSuffix(name, "."+d)
	})
}

// made reports whether a certificate is the CA's, for these names, and will do
// for a while.
func (a *authority) made(leaf *x509.Certificate, names []string, now time.Time) bool {
	dns, ips := split(names)
	return leaf.CheckSignatureFrom(a.pair.Leaf) == nil && leaf.NotAfter.Sub(now) > renewBefore && slices.Equal(leaf.DNSNames, dns) &&
		slices.EqualFunc(leaf.IPAddresses, ips, func(x, y net.IP) bool { return x.Equal(y) })
}

// issue makes the appliance's certificate.
func (a *authority) issue(file string, names []string, now time.Time) (tls.Certificate, error) {
	dns, ips := split(names)
	c := &x509.Certificate{
		Subject:     pkix.Name{CommonName: names[0]},
		DNSNames:    dns,
		IPAddresses: ips,
		NotBefore:   now.Add(-backdate),
		NotAfter:    now.Add(serverValid),
		KeyUsage:    x509.KeyUsageDigitalSignature,
		ExtKeyUsage: []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth},
	}
	if end := a.pair.Leaf.NotAfter; c.NotAfter.After(end) {
		c.NotAfter = end
	}
	return sign(file, c, &a.pair)
}

// sign makes a key and has the parent, or itself, certify it.
func sign(file string, c *x509.Certificate, parent *tls.Certificate) (pair tls.Certificate, err error) {
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		return pair, err
	}
	by, with := c, any(key)
	if parent != nil {
		by, with = parent.Leaf, parent.PrivateKey
	}
	der, err := x509.CreateCertificate(rand.Reader, c, by, key.Public(), with)
	if err != nil {
		return pair, err
	}
	secret, err := x509.MarshalPKCS8PrivateKey(key)
	if err != nil {
		return pair, err
	}
	text := append(pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: secret}), pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der})...)
	defer clear(text)
	clear(secret)
	if err := writeFile(file, text, 0o600); err != nil {
		return pair, err
	}
	return loadOwn(file)
}

// loadOwn reads a file with a key and its certificate.
func loadOwn(file string) (pair tls.Certificate, err error) {
	text, err := os.ReadFile(file)
	if err != nil {
		return pair, err
	}
	defer clear(text)
	if pair, err = tls.X509KeyPair(text, text); err != nil {
		return pair, fmt.Errorf("%s: %w", file, err)
	}
	return pair, nil
}

// Publish puts certificates into a file for others to read, as a whole.
func Publish(name string, certs []byte) error { return writeFile(name, certs, 0o644) }

// writeFile replaces a file as a whole.
func writeFile(name string, text []byte, mode fs.FileMode) (err error) {
	if have, err := os.ReadFile(name); err == nil && string(have) == string(text) {
		return nil
	}
	f, err := os.CreateTemp(filepath.Dir(name), ".tls-*")
	if err != nil {
		return err
	}
	defer func() {
		if err != nil {
			_ = os.Remove(f.Name())
		}
	}()
	_, err1 := f.Write(text)
	if err := errors.Join(err1, f.Chmod(mode), f.Sync(), f.Close()); err != nil {
		return err
	}
	if err := os.Rename(f.Name(), name); err != nil {
		return err
	}
	dir, err := os.Open(filepath.Dir(name))
	if err != nil {
		return err
	}
	return errors.Join(dir.Sync(), dir.Close()) // or a power cut may undo the renaming
}

// split tells host names from addresses.
func split(names []string) (dns []string, ips []net.IP) {
	for _, n := range names {
		if ip, err := netip.ParseAddr(n); err == nil {
			ips = append(ips, ip.Unmap().AsSlice())
		} else {
			dns = append(dns, n)
		}
	}
	return dns, ips
}
