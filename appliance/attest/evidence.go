package attest

import (
	"bytes"
	"encoding/hex"
	"encoding/json"
	"errors"
	"io"

	"github.com/google/go-sev-guest/abi"
)

// Limits of evidence on the wire.
const (
	// MaxEvidence is the size in bytes beyond which evidence is not read.
	MaxEvidence = 64 << 10

	evidenceFormat  = "sev-snp/1"
	maxCertificates = 8
	maxCertificate  = 8 << 10
)

// Evidence is a report with what is needed to appraise it.
type Evidence struct {
	// Report is the firmware's ATTESTATION_REPORT as it signed it, 1184 bytes.
	Report []byte
	// Certificates are in DER: the VCEK or VLEK, and those above it, in any order.
	// Nobody trusts the roots among them.
	Certificates [][]byte
	// Binding is what the report is said to be about. It is a claim until appraised.
	Binding Binding
}

// wireEvidence is the JSON form. Bytes are in base64, hashes in lower-case
// hexadecimal.
type wireEvidence struct {
	Format       string   `json:"format"`
	Report       []byte   `json:"report"`
	Certificates [][]byte `json:"certificates"`
	Nonce        string   `json:"nonce"`
	TLSKey       string   `json:"tls_key_sha256"`
	JWTKey       string   `json:"jwt_key_sha256"`
}

// MarshalJSON implements json.Marshaler:
//
//	{"format": "sev-snp/1", "report": base64, "certificates": [base64, …],
//	 "nonce": hex, "tls_key_sha256": hex, "jwt_key_sha256": hex}
func (e Evidence) MarshalJSON() ([]byte, error) {
	certs := e.Certificates
	if certs == nil {
		certs = [][]byte{}
	}
	return json.Marshal(wireEvidence{
		Format: evidenceFormat, Report: e.Report, Certificates: certs,
		Nonce:  hex.EncodeToString(e.Binding.Nonce[:]),
		TLSKey: hex.EncodeToString(e.Binding.TLSKey[:]),
		JWTKey: hex.EncodeToString(e.Binding.JWTKey[:]),
	})
}

// ParseEvidence reads the JSON form, from anybody. What it returns is well-formed,
// and no more than a claim. Errors have the code attest_malformed.
func ParseEvidence(raw []byte) (Evidence, error) {
	if len(raw) > MaxEvidence {
		return Evidence{}, errMalformed.Detail("the evidence is larger than %d bytes", MaxEvidence)
	}
	dec := json.NewDecoder(bytes.NewReader(raw))
	dec.DisallowUnknownFields()
	var w wireEvidence
	if err := dec.Decode(&w); err != nil {
		return Evidence{}, errMalformed.Because(err)
	}
	if _, err := dec.Token(); !errors.Is(err, io.EOF) {
		return Evidence{}, errMalformed.Detail("the evidence is followed by something else")
	}
	if w.Format != evidenceFormat {
		return Evidence{}, errMalformed.Detail("the evidence is not of the format %s", evidenceFormat)
	}
	e := Evidence{Report: w.Report, Certificates: w.Certificates}
	for _, f := range []struct {
		to   *[32]byte
		from string
	}{{&e.Binding.Nonce, w.Nonce}, {&e.Binding.TLSKey, w.TLSKey}, {&e.Binding.JWTKey, w.JWTKey}} {
		b, err := hex.DecodeString(f.from)
		if err != nil || len(b) != len(f.to) {
			return Evidence{}, errMalformed.Detail("the nonce and the hashes of keys have 64 hexadecimal digits")
		}
		copy(f.to[:], b)
	}
	return e, e.check()
}

// check holds the sizes.
func (e Evidence) check() error {
	if len(e.Report) != abi.ReportSize {
		return errMalformed.Detail("the report has %d bytes; a SEV-SNP report has %d", len(e.Report), abi.ReportSize)
	}
	if len(e.Certificates) > maxCertificates {
		return errMalformed.Detail("there are more than %d certificates", maxCertificates)
	}
	for _, c := range e.Certificates {
		if len(c) == 0 || len(c) > maxCertificate {
			return errMalformed.Detail("a certificate has no or more than %d bytes", maxCertificate)
		}
	}
	return nil
}
