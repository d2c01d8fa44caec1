package attest

import (
	"bytes"
	"crypto/x509"
	"encoding/pem"
	"os"
	"strings"

	"github.com/google/go-sev-guest/abi"
)

// chain is certificates by the part they play, which AMD writes into their names.
type chain struct {
	vcek, vlek, ask, asvk, ark *x509.Certificate
}

// sort puts certificates into their places. Two for one place, and one for none,
// are refused: which would be used must not depend on the order.
func sort(ders [][]byte) (*chain, error) {
	c := new(chain)
	for _, der := range ders {
		cert, err := x509.ParseCertificate(der)
		if err != nil {
			return nil, errMalformed.Detail("a certificate cannot be parsed").Because(err)
		}
		place := c.place(cert)
		switch {
		case place == nil:
			return nil, errMalformed.Detail("a certificate is none of VCEK, VLEK, ASK, ASVK and ARK")
		case *place != nil && !(*place).Equal(cert):
			return nil, errMalformed.Detail("there are two certificates for one part of the chain")
		}
		*place = cert
	}
	return c, nil
}

// place finds it by AMD's naming: SEV-VCEK, SEV-VLEK, SEV-Milan, SEV-VLEK-Milan,
// ARK-Milan.
func (c *chain) place(cert *x509.Certificate) **x509.Certificate {
	switch name := cert.Subject.CommonName; {
	case name == "SEV-VCEK":
		return &c.vcek
	case name == "SEV-VLEK":
		return &c.vlek
	case strings.HasPrefix(name, "SEV-VLEK-"):
		return &c.asvk
	case strings.HasPrefix(name, "SEV-"):
		return &c.ask
	case strings.HasPrefix(name, "ARK-"):
		return &c.ark
	}
	return nil
}

// leaf is the certificate of the key that signs as key, or nil.
func (c *chain) leaf(key abi.ReportSigner) *x509.Certificate {
	switch key {
	case abi.VcekReportSigner:
		return c.vcek
	case abi.VlekReportSigner:
		return c.vlek
	}
	return nil
}

// ders lists those that are there, the signing key's first.
func (c *chain) ders() (all [][]byte) {
	for _, cert := range []*x509.Certificate{c.vcek, c.vlek, c.ask, c.asvk, c.ark} {
		if cert != nil {
			all = append(all, cert.Raw)
		}
	}
	return all
}

// complete takes from other what c lacks.
func (c *chain) complete(other *chain) {
	mine := []**x509.Certificate{&c.vcek, &c.vlek, &c.ask, &c.asvk, &c.ark}
	for i, theirs := range []*x509.Certificate{other.vcek, other.vlek, other.ask, other.asvk, other.ark} {
		if *mine[i] == nil {
			*mine[i] = theirs
		}
	}
}

// maxBundle is far above what five certificates take.
const maxBundle = 64 << 10

// readBundle reads a PEM file of certificates, one for each part at most.
func readBundle(path string) (*chain, error) {
	raw, err := os.ReadFile(path)
	if err != nil {
		return nil, errBundle.Detail("the certificate bundle cannot be read").Because(err)
	}
	c, err := parseBundle(raw)
	if err != nil {
		return nil, errBundle.Because(err)
	}
	return c, nil
}

func parseBundle(raw []byte) (*chain, error) {
	ders, err := pemCertificates(raw)
	if err != nil {
		return nil, err
	}
	return sort(ders)
}

// pemCertificates takes nothing but certificates.
func pemCertificates(raw []byte) (ders [][]byte, err error) {
	if len(raw) > maxBundle {
		return nil, errMalformed.Detail("more than %d bytes of certificates", maxBundle)
	}
	for len(bytes.TrimSpace(raw)) > 0 {
		block, rest := pem.Decode(raw)
		if block == nil || block.Type != "CERTIFICATE" {
			return nil, errMalformed.Detail("something else than a certificate in PEM")
		}
		if len(ders) == maxCertificates {
			return nil, errMalformed.Detail("there are more than %d certificates", maxCertificates)
		}
		ders, raw = append(ders, block.Bytes), rest
	}
	if len(ders) == 0 {
		return nil, errMalformed.Detail("there is no certificate")
	}
	return ders, nil
}
