package attesttest

import (
	"bytes"
	"crypto/rand"
	"crypto/rsa"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"fmt"
	"math/big"
	"testing"
	"time"

	"github.com/google/go-sev-guest/abi"
	"github.com/google/go-sev-guest/kds"
)

// Serial numbers of a vendor's certificates.
const (
	serialARK = 0x10001
	serialASK = 0x10002
)

// Vendor certifies chips of one product line.
type Vendor struct {
	// Line is the product line: "Milan", "Genoa", "Turin".
	Line string
	// Name is the product with its stepping, as in certificates: "Milan-B1".
	Name string

	ark, ask       *x509.Certificate
	arkKey, askKey *rsa.PrivateKey
}

// NewVendor makes roots that nobody else has. It takes some tenths of a second.
func NewVendor(tb testing.TB, line string) *Vendor {
	tb.Helper()
	v := &Vendor{Line: line, Name: line + "-B1"}
	var err error
	if v.arkKey, err = rsa.GenerateKey(rand.Reader, 2048); err != nil {
		tb.Fatal(err)
	}
	if v.askKey, err = rsa.GenerateKey(rand.Reader, 2048); err != nil {
		tb.Fatal(err)
	}
	ark := v.authority("ARK-"+line, serialARK)
	ark.KeyUsage |= x509.KeyUsageCRLSign
	if v.ark, err = issue(ark, ark, &v.arkKey.PublicKey, v.arkKey); err != nil {
		tb.Fatal(err)
	}
	if v.ask, err = issue(v.authority("SEV-"+line, serialASK), v.ark, &v.askKey.PublicKey, v.arkKey); err != nil {
		tb.Fatal(err)
	}
	return v
}

func name(common string) pkix.Name {
	return pkix.Name{
		Organization: []string{"Advanced Micro Devices"}, OrganizationalUnit: []string{"Engineering"},
		Country: []string{"US"}, Province: []string{"CA"}, Locality: []string{"Santa Clara"}, CommonName: common,
	}
}

// Roots and chips are certified for as long as the real ones.
const (
	rootYears = 25
	chipYears = 7
)

func (v *Vendor) authority(common string, serial int64) *x509.Certificate {
	return &x509.Certificate{
		SerialNumber: big.NewInt(serial), Subject: name(common), SignatureAlgorithm: x509.SHA384WithRSAPSS,
		NotBefore: time.Now().AddDate(-1, 0, 0), NotAfter: time.Now().AddDate(rootYears, 0, 0),
		IsCA: true, BasicConstraintsValid: true, KeyUsage: x509.KeyUsageCertSign,
		CRLDistributionPoints: []string{kds.CrlLinkByKey(v.Line, abi.VcekReportSigner)},
	}
}

func issue(cert, parent *x509.Certificate, pub, key any) (*x509.Certificate, error) {
	der, err := x509.CreateCertificate(rand.Reader, cert, parent, pub, key)
	if err != nil {
		return nil, err
	}
	return x509.ParseCertificate(der)
}

// Roots are the ASK and ARK in PEM, as AMD's cert_chain has them: for roots in a
// policy, and for bundles.
func (v *Vendor) Roots() []byte { return pemOf(v.ask.Raw, v.ark.Raw) }

func pemOf(ders ...[]byte) []byte {
	var out bytes.Buffer
	for _, der := range ders {
		_ = pem.Encode(&out, &pem.Block{Type: "CERTIFICATE", Bytes: der}) // into memory
	}
	return out.Bytes()
}

// CRL is the root's revocation list in DER, valid between two times. It revokes
// the ASK if revoked says so.
func (v *Vendor) CRL(tb testing.TB, from, until time.Time, revoked bool) []byte {
	tb.Helper()
	list := &x509.RevocationList{Number: big.NewInt(1), ThisUpdate: from, NextUpdate: until, SignatureAlgorithm: x509.SHA384WithRSAPSS}
	if revoked {
		list.RevokedCertificateEntries = []x509.RevocationListEntry{{SerialNumber: v.ask.SerialNumber, RevocationTime: from}}
	}
	der, err := x509.CreateRevocationList(rand.Reader, list, v.ark, v.arkKey)
	if err != nil {
		tb.Fatal(err)
	}
	return der
}

// extensions are what AMD's key service writes into the certificate of a VCEK
// (57230, table 8).
func (v *Vendor) extensions(chip []byte, tcb kds.TCBParts) ([]pkix.Extension, error) {
	product, err := marshalIA5(v.Name)
	if err != nil {
		return nil, fmt.Errorf("product name: %w", err)
	}
	all := []pkix.Extension{
		{Id: kds.OidStructVersion, Value: integer(0)},
		{Id: kds.OidProductName1, Value: product},
		{Id: kds.OidBlSpl, Value: integer(tcb.BlSpl)},
		{Id: kds.OidTeeSpl, Value: integer(tcb.TeeSpl)},
		{Id: kds.OidSnpSpl, Value: integer(tcb.SnpSpl)},
		{Id: kds.OidSpl4, Value: integer(tcb.Spl4)},
		{Id: kds.OidSpl5, Value: integer(tcb.Spl5)},
		{Id: kds.OidSpl6, Value: integer(tcb.Spl6)},
		{Id: kds.OidSpl7, Value: integer(tcb.Spl7)},
		{Id: kds.OidUcodeSpl, Value: integer(tcb.UcodeSpl)},
		{Id: kds.OidHwid, Value: chip},
	}
	return all, nil
}
