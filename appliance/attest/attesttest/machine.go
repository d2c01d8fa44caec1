package attesttest

import (
	"bytes"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/sha512"
	"crypto/x509"
	"encoding/asn1"
	"math/big"
	"testing"
	"time"

	"github.com/google/go-sev-guest/abi"
	"github.com/google/go-sev-guest/kds"
	spb "github.com/google/go-sev-guest/proto/sevsnp"
	"github.com/google/uuid"

	"github.com/oneclaw/oneclawd/appliance/attest"
)

// Machine is a guest on a certified chip. The fields may be changed while nobody
// uses it.
type Machine struct {
	Vendor *Vendor
	// Report is what each report says, but for REPORT_DATA, VMPL and the signature.
	Report *spb.Report

	// What the certificate of the chip's key says. NewMachine makes it fit the report.
	CertChip  [64]byte
	CertTCB   uint64
	NotBefore time.Time
	NotAfter  time.Time

	// NoCertificates is a host that gives none.
	NoCertificates bool

	key *ecdsa.PrivateKey
}

// Firmware is the TCB of a new Machine; a policy's floor may be as high.
func Firmware() attest.TCB { return attest.TCB{Bootloader: 4, TEE: 1, SNP: 22, Microcode: 213} }

// goodPolicy is a launch policy with SMT allowed and nothing else: the reserved bit
// has to be set.
const goodPolicy = 1<<17 | 1<<16

// NewMachine is a guest of an image that measures as bytes of that number, on a
// chip whose id is bytes of that number.
func NewMachine(tb testing.TB, v *Vendor, chip, image byte) *Machine {
	tb.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P384(), rand.Reader)
	if err != nil {
		tb.Fatal(err)
	}
	tcb := Firmware().Uint64()
	repeat := func(b byte, n int) []byte { return bytes.Repeat([]byte{b}, n) }
	m := &Machine{Vendor: v, key: key, CertTCB: tcb, NotBefore: time.Now().AddDate(0, -1, 0), NotAfter: time.Now().AddDate(chipYears, 0, 0)}
	copy(m.CertChip[:], repeat(chip, len(m.CertChip)))
	m.Report = &spb.Report{
		Version: abi.ReportVersion3, GuestSvn: 1, Policy: goodPolicy, SignatureAlgo: abi.SignEcdsaP384Sha384,
		FamilyId: repeat(0, abi.FamilyIDSize), ImageId: repeat(0, abi.ImageIDSize), HostData: repeat(0, abi.HostDataSize),
		IdKeyDigest: repeat(0, abi.IDKeyDigestSize), AuthorKeyDigest: repeat(0, abi.AuthorKeyDigestSize),
		ReportId: repeat(7, abi.ReportIDSize), ReportIdMa: repeat(0xff, abi.ReportIDMASize),
		Measurement: repeat(image, abi.MeasurementSize), ChipId: repeat(chip, abi.ChipIDSize),
		CurrentTcb: tcb, ReportedTcb: tcb, CommittedTcb: tcb, LaunchTcb: tcb,
		CurrentBuild: 21, CurrentMajor: 1, CurrentMinor: 55, CommittedBuild: 21, CommittedMajor: 1, CommittedMinor: 55,
		SignerInfo: abi.ComposeSignerInfo(abi.SignerInfo{SigningKey: abi.VcekReportSigner}),
	}
	product, err := kds.ParseProductName(v.Name, abi.VcekReportSigner)
	if err != nil {
		tb.Fatal(err)
	}
	m.Report.Cpuid1EaxFms = abi.MaskedCpuid1EaxFromSevProduct(product)
	return m
}

// Sign is a report about data, as the firmware makes it.
func (m *Machine) Sign(data [64]byte, vmpl uint32) ([]byte, error) {
	r := &spb.Report{
		Version: m.Report.Version, GuestSvn: m.Report.GuestSvn, Policy: m.Report.Policy, SignatureAlgo: m.Report.SignatureAlgo,
		FamilyId: m.Report.FamilyId, ImageId: m.Report.ImageId, HostData: m.Report.HostData,
		IdKeyDigest: m.Report.IdKeyDigest, AuthorKeyDigest: m.Report.AuthorKeyDigest,
		ReportId: m.Report.ReportId, ReportIdMa: m.Report.ReportIdMa, Measurement: m.Report.Measurement, ChipId: m.Report.ChipId,
		CurrentTcb: m.Report.CurrentTcb, ReportedTcb: m.Report.ReportedTcb, CommittedTcb: m.Report.CommittedTcb, LaunchTcb: m.Report.LaunchTcb,
		CurrentBuild: m.Report.CurrentBuild, CurrentMajor: m.Report.CurrentMajor, CurrentMinor: m.Report.CurrentMinor,
		CommittedBuild: m.Report.CommittedBuild, CommittedMajor: m.Report.CommittedMajor, CommittedMinor: m.Report.CommittedMinor,
		SignerInfo: m.Report.SignerInfo, Cpuid1EaxFms: m.Report.Cpuid1EaxFms, PlatformInfo: m.Report.PlatformInfo,
		ReportData: data[:], Vmpl: vmpl, Signature: make([]byte, abi.SignatureSize),
	}
	raw, err := abi.ReportToAbiBytes(r)
	if err != nil {
		return nil, err
	}
	hash := sha512.Sum384(abi.SignedComponent(raw))
	der, err := m.key.Sign(rand.Reader, hash[:], nil)
	if err != nil {
		return nil, err
	}
	var rs struct{ R, S *big.Int }
	if _, err := asn1.Unmarshal(der, &rs); err != nil {
		return nil, err
	}
	return raw, abi.SetSignature(rs.R, rs.S, raw)
}

// VCEK is the certificate of the chip's key in DER.
func (m *Machine) VCEK() ([]byte, error) {
	exts, err := m.Vendor.extensions(m.CertChip[:], kds.DecomposeTCBVersion(kds.TCBVersion(m.CertTCB)))
	if err != nil {
		return nil, err
	}
	cert, err := issue(&x509.Certificate{
		SerialNumber: big.NewInt(1), Subject: name("SEV-VCEK"), SignatureAlgorithm: x509.SHA384WithRSAPSS,
		NotBefore: m.NotBefore, NotAfter: m.NotAfter, ExtraExtensions: exts,
	}, m.Vendor.ask, &m.key.PublicKey, m.Vendor.askKey)
	if err != nil {
		return nil, err
	}
	return cert.Raw, nil
}

// Bundle is the VCEK with the vendor's roots in PEM.
func (m *Machine) Bundle(tb testing.TB) []byte {
	tb.Helper()
	vcek, err := m.VCEK()
	if err != nil {
		tb.Fatal(err)
	}
	return append(pemOf(vcek), m.Vendor.Roots()...)
}

// Table is the host's certificate table; empty if it has none to give.
func (m *Machine) Table() ([]byte, error) {
	if m.NoCertificates {
		return nil, nil
	}
	vcek, err := m.VCEK()
	if err != nil {
		return nil, err
	}
	table := abi.CertTable{}
	for _, e := range []struct {
		guid string
		der  []byte
	}{{abi.VcekGUID, vcek}, {abi.AskGUID, m.Vendor.ask.Raw}, {abi.ArkGUID, m.Vendor.ark.Raw}} {
		table.Entries = append(table.Entries, abi.CertTableEntry{GUID: uuid.MustParse(e.guid), RawCert: e.der})
	}
	return table.Marshal(), nil
}

func integer(n uint8) []byte {
	der, _ := asn1.Marshal(int(n)) // an integer has an encoding
	return der
}

func marshalIA5(s string) ([]byte, error) { return asn1.MarshalWithParams(s, "ia5") }
