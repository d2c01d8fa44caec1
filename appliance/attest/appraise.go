package attest

import (
	"bytes"
	"crypto/x509"
	"encoding/hex"
	"slices"
	"time"

	"github.com/google/go-sev-guest/abi"
	"github.com/google/go-sev-guest/kds"
	spb "github.com/google/go-sev-guest/proto/sevsnp"
	"github.com/google/go-sev-guest/validate"
	"github.com/google/go-sev-guest/verify"
	"github.com/google/go-sev-guest/verify/trust"
)

// Result is what an appraisal found.
type Result struct {
	Product     string    // product line: "Milan", "Genoa"
	ChipID      []byte    // 64 bytes; nil where the key is a cloud's (VLEK)
	Measurement []byte    // 48 bytes
	TCB         TCB       // reported, for which the key is certified
	LaunchTCB   TCB       // when the guest was launched
	GuestPolicy uint64    // as in the report
	GuestSVN    uint32    // security version that the image's owner gave it
	VMPL        uint32    // privilege level of who asked for the report
	At          time.Time // when it was appraised
	ValidUntil  time.Time // when the first certificate of the chain ends
}

// Appraise decides whether e is evidence of a guest that p accepts, about want, at
// now. It fetches nothing. Every error refuses; it has a code (docs/attestation.md
// lists them) and says what to do.
//
// The library has the last word: what the steps here let through is verified and
// validated by it once more as a whole, and what it refuses is refused.
func (p *Policy) Appraise(e Evidence, want Binding, now time.Time) (Result, error) {
	if len(p.lists.measurements) == 0 {
		return Result{}, errNoMeasurements
	}
	if now.IsZero() {
		return Result{}, errRefused.Detail("the time is not known")
	}
	if err := e.check(); err != nil {
		return Result{}, err
	}
	r, err := parseReport(e.Report)
	if err != nil {
		return Result{}, err
	}
	a := &appraisal{p: p, e: e, report: r, now: now, want: want}
	for _, step := range []func() error{
		a.certificates, a.product, a.validity, a.revocation, a.signature,
		a.binding, a.guestPolicy, a.measured, a.levels, a.identity, a.firmware, a.chip, a.whole,
	} {
		if err := step(); err != nil {
			return Result{}, err
		}
	}
	return a.result(), nil
}

// appraisal is one in progress; each step relies on those before it.
type appraisal struct {
	p      *Policy
	e      Evidence
	report *report
	now    time.Time
	want   Binding

	leaf  *x509.Certificate   // of the key that signed
	exts  *kds.Extensions     // what it is certified for
	line  string              // product line
	roots *trust.AMDRootCerts // trusted for it
}

// certificates finds the signing key's.
func (a *appraisal) certificates() error {
	certs, err := sort(a.e.Certificates)
	if err != nil {
		return err
	}
	key := a.report.signer.SigningKey
	if a.leaf = certs.leaf(key); a.leaf == nil {
		return errMissing
	}
	if a.exts, err = kds.CertificateExtensions(a.leaf, key); err != nil {
		return errChain.Detail("the certificate of the report's key is not of AMD's form").Because(err)
	}
	return nil
}

// product decides which roots may be meant.
func (a *appraisal) product() error {
	if a.line = a.report.line; a.line == "" {
		product, err := kds.ParseProductName(a.exts.ProductName, a.report.signer.SigningKey)
		if err != nil {
			return errLine.Detail("the certificate is of an unknown product").Because(err)
		}
		a.line = kds.ProductLine(product)
	}
	if !supported(a.line) {
		return errLine.Detail("processors of product line %s are not supported: their reports were never tested", a.line)
	}
	if !slices.Contains(a.p.file.Products, a.line) {
		return errLine.Detail("processors of product line %s are not in the policy's products", a.line)
	}
	a.roots = a.p.roots[a.line]
	return nil
}

// intermediate is the trusted certificate between the root and the leaf.
func (a *appraisal) intermediate() *x509.Certificate {
	if a.report.signer.SigningKey == abi.VlekReportSigner {
		return a.roots.ProductCerts.Asvk
	}
	return a.roots.ProductCerts.Ask
}

// validity looks at dates first, and then at who issued what.
func (a *appraisal) validity() error {
	if a.intermediate() == nil {
		return errChain.Detail("the policy's roots for %s have no certificate for this kind of key", a.line)
	}
	for _, cert := range []*x509.Certificate{a.leaf, a.intermediate(), a.roots.ProductCerts.Ark} {
		if a.now.Before(cert.NotBefore) || a.now.After(cert.NotAfter) {
			return errExpired.Detail("the certificate %s is valid from %s to %s only; fetch a new one, or set the clock",
				cert.Subject.CommonName, day(cert.NotBefore), day(cert.NotAfter))
		}
	}
	if _, err := a.leaf.Verify(*a.roots.X509Options(a.now, a.report.signer.SigningKey)); err != nil {
		return errChain.Because(err)
	}
	return nil
}

func day(t time.Time) string { return t.UTC().Format(time.DateOnly) }

// revocation: AMD revokes no single VCEK, but could the key that certified it.
func (a *appraisal) revocation() error {
	if a.p.file.Revocation.Unchecked {
		return nil
	}
	found := false
	for _, crl := range a.p.crls {
		if crl.CheckSignatureFrom(a.roots.ProductCerts.Ark) != nil {
			continue // of another product line
		}
		if a.now.Before(crl.ThisUpdate) || !a.now.Before(crl.NextUpdate) {
			return errCRLStale.Detail("the revocation list of %s is valid from %s to %s only; fetch the present one from AMD",
				a.line, day(crl.ThisUpdate), day(crl.NextUpdate))
		}
		found = true
		for _, bad := range crl.RevokedCertificateEntries {
			// Not the leaf's: serial numbers are an issuer's, and the list is the root's.
			if ica := a.intermediate(); bad.SerialNumber.Cmp(ica.SerialNumber) == 0 {
				return errRevoked.Detail("AMD revoked %s on %s", ica.Subject.CommonName, day(bad.RevocationTime))
			}
		}
	}
	if !found {
		return errCRL.Detail("no revocation list of the root of %s is at hand", a.line)
	}
	return nil
}

func (a *appraisal) signature() error {
	if err := verify.SnpReportSignature(a.e.Report, a.leaf); err != nil {
		return errSignature.Because(err)
	}
	return nil
}

// binding compares part by part, so that the error can say which.
func (a *appraisal) binding() error {
	claim := a.e.Binding
	switch data := a.want.ReportData(); {
	case claim.Nonce != a.want.Nonce:
		return errNonce
	case claim.TLSKey != a.want.TLSKey:
		return errTLSKey
	case claim.JWTKey != a.want.JWTKey:
		return errJWTKey
	case !bytes.Equal(a.report.GetReportData(), data[:]):
		return errReportData
	}
	return nil
}

// guestPolicy: a guest that may be debugged is refused whatever the file says.
func (a *appraisal) guestPolicy() error {
	got, err := abi.ParseSnpPolicy(a.report.GetPolicy())
	rule := a.p.file.Guest
	switch {
	case err != nil:
		return errMalformed.Because(err)
	case got.Debug:
		return errDebug
	case got.MigrateMA && !rule.AllowMigrationAgent:
		return errMigration
	case got.SMT && !rule.AllowSMT:
		return errGuestPolicy.Detail("the guest may run on processors with SMT; launch it without, or set allow_smt")
	case got.CXLAllowed && !rule.AllowCXL:
		return errGuestPolicy.Detail("the guest may use CXL memory; launch it without, or set allow_cxl")
	case rule.SingleSocket && !got.SingleSocket:
		return errGuestPolicy.Detail("the guest is not restricted to one socket")
	case a.report.GetGuestSvn() < rule.MinimumSVN:
		return errGuestPolicy.Detail("the image's security version %d is below %d", a.report.GetGuestSvn(), rule.MinimumSVN)
	case int64(a.report.GetVmpl()) != int64(a.p.lists.vmpl):
		return errVMPL.Detail("the report is of VMPL %d, the policy's is %d", a.report.GetVmpl(), a.p.lists.vmpl)
	}
	return nil
}

func (a *appraisal) measured() error {
	if !listed(a.p.lists.measurements, a.report.GetMeasurement()) {
		return errMeasurement.Detail("the image that was launched, %x, is not one of those the policy lists; add it if you built it",
			a.report.GetMeasurement())
	}
	return nil
}

func listed(list [][]byte, value []byte) bool {
	return slices.ContainsFunc(list, func(one []byte) bool { return bytes.Equal(one, value) })
}

// levels holds the TCB to the floors. The reported one is what the key is
// certified for; it is never above the current one.
func (a *appraisal) levels() error {
	r := a.report
	for _, level := range []struct {
		name  string
		value uint64
		floor TCB
	}{
		{"reported", r.GetReportedTcb(), a.p.lists.tcb},
		{"current", r.GetCurrentTcb(), a.p.lists.tcb},
		{"committed", r.GetCommittedTcb(), TCB{}},
		{"launch", r.GetLaunchTcb(), a.p.lists.launchTCB},
	} {
		got, ok := tcbOf(level.value)
		sentinel := errTCB
		if level.name == "launch" {
			sentinel = errLaunchTCB
		}
		if !ok {
			return errTCB.Detail("the %s TCB has a layout that is not understood", level.name)
		}
		if !got.atLeast(level.floor) {
			return sentinel.Detail("the %s TCB (%s) is below the policy's floor (%s): have the host's firmware updated and start the guest anew",
				level.name, got, level.floor)
		}
	}
	if uint64(a.exts.TCBVersion) != r.GetReportedTcb() {
		return errTCB.Detail("the certificate is for another TCB than the report's: after an update of the firmware a new VCEK is needed")
	}
	return nil
}

func (a *appraisal) identity() error {
	r, l := a.report, &a.p.lists
	switch {
	case l.hostData != nil && !bytes.Equal(l.hostData, r.GetHostData()):
		return errHostData
	case l.familyID != nil && !bytes.Equal(l.familyID, r.GetFamilyId()):
		return errIdentity.Detail("the family id is not what the policy says")
	case l.imageID != nil && !bytes.Equal(l.imageID, r.GetImageId()):
		return errIdentity.Detail("the image id is not what the policy says")
	case l.idKeys != nil && !listed(l.idKeys, r.GetIdKeyDigest()):
		return errIdentity.Detail("the image was not signed by a key that the policy lists in id_key_digests")
	case l.authorKeys != nil && (!r.signer.AuthorKeyEn || !listed(l.authorKeys, r.GetAuthorKeyDigest())):
		return errIdentity.Detail("the image's key was not signed by one that the policy lists in author_key_digests")
	}
	return nil
}

func (a *appraisal) firmware() error {
	r, rule := a.report, a.p.file.Firmware
	version := uint16(r.GetCurrentMajor())<<8 | uint16(r.GetCurrentMinor())
	switch {
	case r.GetCurrentBuild() < uint32(rule.MinimumBuild):
		return errFirmware.Detail("the firmware's build %d is below %d", r.GetCurrentBuild(), rule.MinimumBuild)
	case version < a.p.lists.version:
		return errFirmware.Detail("the firmware's version %d.%d is below %s", r.GetCurrentMajor(), r.GetCurrentMinor(), rule.MinimumVersion)
	case !rule.AllowProvisional && (r.GetCurrentTcb() != r.GetCommittedTcb() || r.GetCurrentBuild() != r.GetCommittedBuild() ||
		r.GetCurrentMajor() != r.GetCommittedMajor() || r.GetCurrentMinor() != r.GetCommittedMinor()):
		return errFirmware.Detail("the firmware is provisional: the host can go back to an older one; have it committed, or set allow_provisional")
	}
	return nil
}

// chip: a host may mask the chip's id in its reports; then the certificate says it.
func (a *appraisal) chip() error {
	if a.report.signer.SigningKey == abi.VcekReportSigner {
		masked := bytes.Equal(a.report.GetChipId(), make([]byte, abi.ChipIDSize))
		if !masked && !bytes.Equal(a.report.GetChipId(), a.exts.HWID) {
			return errChip.Detail("the report is of another chip than its certificate")
		}
	}
	if a.p.lists.chips != nil && !listed(a.p.lists.chips, a.exts.HWID) {
		return errChip.Detail("the chip %s is not one of those the policy lists", hex.EncodeToString(a.exts.HWID))
	}
	return nil
}

// whole has the library verify and validate everything at once.
func (a *appraisal) whole() error {
	at := &spb.Attestation{Report: a.report.Report, CertificateChain: &spb.CertificateChain{}}
	key := &at.CertificateChain.VcekCert
	if a.report.signer.SigningKey == abi.VlekReportSigner {
		key = &at.CertificateChain.VlekCert
	}
	*key = a.leaf.Raw
	err := verify.SnpAttestation(at, &verify.Options{
		DisableCertFetching: true, Now: a.now,
		TrustedRoots: map[string][]*trust.AMDRootCerts{a.line: {a.roots}},
	})
	if err != nil {
		return errChain.Because(err)
	}
	if err := validate.SnpAttestation(at, a.options()); err != nil {
		return errRefused.Because(err)
	}
	return nil
}

func (a *appraisal) options() *validate.Options {
	l, guest := &a.p.lists, a.p.file.Guest
	data := a.want.ReportData()
	return &validate.Options{
		GuestPolicy: abi.SnpPolicy{
			SMT: guest.AllowSMT, MigrateMA: guest.AllowMigrationAgent, CXLAllowed: guest.AllowCXL,
			SingleSocket: guest.SingleSocket,
		},
		MinimumGuestSvn: guest.MinimumSVN,
		ReportData:      data[:],
		// The one that was found in the list.
		Measurement: a.report.GetMeasurement(),
		HostData:    l.hostData, ImageID: l.imageID, FamilyID: l.familyID,
		MinimumTCB: l.tcb.parts(), MinimumLaunchTCB: l.launchTCB.parts(),
		MinimumBuild: a.p.file.Firmware.MinimumBuild, MinimumVersion: l.version,
		PermitProvisionalFirmware: a.p.file.Firmware.AllowProvisional,
		VMPL:                      &l.vmpl,
	}
}

func (a *appraisal) result() Result {
	r := a.report
	until := a.leaf.NotAfter
	for _, cert := range []*x509.Certificate{a.intermediate(), a.roots.ProductCerts.Ark} {
		if cert.NotAfter.Before(until) {
			until = cert.NotAfter
		}
	}
	tcb, _ := tcbOf(r.GetReportedTcb())
	launch, _ := tcbOf(r.GetLaunchTcb())
	return Result{
		Product: a.line, ChipID: a.exts.HWID, Measurement: r.GetMeasurement(), TCB: tcb, LaunchTCB: launch,
		GuestPolicy: r.GetPolicy(), GuestSVN: r.GetGuestSvn(), VMPL: r.GetVmpl(), At: a.now, ValidUntil: until,
	}
}
