package tlsconf

import (
	"crypto/sha256"
	"crypto/tls"
	"crypto/x509"
	"encoding/hex"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"time"
)

// Status says what a certificate is.
type Status struct {
	File        string    `json:"file"`
	Subject     string    `json:"subject"`
	Issuer      string    `json:"issuer"`
	Names       []string  `json:"names"`
	NotBefore   time.Time `json:"not_before"`
	NotAfter    time.Time `json:"not_after"`
	Fingerprint string    `json:"fingerprint"` // SHA-256 of the DER, in hex
	// CA is the local one, nil where others made the certificate.
	CA *Status `json:"ca,omitempty"`
}

func statusOf(file string, c *x509.Certificate) Status {
	sum := sha256.Sum256(c.Raw)
	s := Status{
		File: file, Subject: c.Subject.String(), Issuer: c.Issuer.String(), Names: append([]string{}, c.DNSNames...),
		NotBefore: c.NotBefore, NotAfter: c.NotAfter, Fingerprint: hex.EncodeToString(sum[:]),
	}
	for _, ip := range c.IPAddresses {
		s.Names = append(s.Names, ip.String())
	}
	return s
}

// Status is that of the certificate in force.
func (s *Source) Status() Status {
	file := s.c.CertFile
	if s.c.local() {
		file = filepath.Join(s.c.Dir, serverFile)
	}
	return statusOf(file, s.current.Load().Leaf)
}

// Inspect looks at what a daemon with this configuration uses, and makes nothing.
func Inspect(c Config) (Status, error) {
	if !c.local() {
		pair, err := tls.LoadX509KeyPair(c.CertFile, c.KeyFile)
		if err != nil {
			return Status{}, fmt.Errorf("%s with %s: %w", c.CertFile, c.KeyFile, err)
		}
		return statusOf(c.CertFile, pair.Leaf), nil
	}
	ca, err := loadOwn(filepath.Join(c.Dir, caFile))
	if errors.Is(err, fs.ErrNotExist) {
		return Status{}, ErrNoCA
	}
	if err != nil {
		return Status{}, err
	}
	pair, err := loadOwn(filepath.Join(c.Dir, serverFile))
	if err != nil {
		return Status{}, err
	}
	s, own := statusOf(filepath.Join(c.Dir, serverFile), pair.Leaf), statusOf(filepath.Join(c.Dir, caCertFile), ca.Leaf)
	s.CA = &own
	return s, nil
}

// ReadCA is the certificate of the local CA in a folder, PEM: what clients have to
// trust.
func ReadCA(dir string) ([]byte, error) {
	text, err := os.ReadFile(filepath.Join(dir, caCertFile))
	if errors.Is(err, fs.ErrNotExist) {
		return nil, ErrNoCA
	}
	return text, err
}
