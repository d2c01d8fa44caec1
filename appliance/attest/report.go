package attest

import (
	"bytes"
	"fmt"

	"github.com/google/go-sev-guest/abi"
	"github.com/google/go-sev-guest/kds"
	spb "github.com/google/go-sev-guest/proto/sevsnp"
)

// report is a parsed report.
type report struct {
	*spb.Report
	signer abi.SignerInfo
	line   string // product line, "" where a report of version 2 does not say it
}

// parseReport reads the 1184 bytes. They must be what the parsed fields encode to,
// since it is that encoding whose signature is verified.
func parseReport(raw []byte) (*report, error) {
	if len(raw) != abi.ReportSize {
		return nil, errMalformed.Detail("the report has %d bytes; a SEV-SNP report has %d", len(raw), abi.ReportSize)
	}
	if err := abi.ValidateReportFormat(raw); err != nil {
		return nil, errMalformed.Detail("the report is not of a version that is understood").Because(err)
	}
	pb, err := abi.ReportToProto(raw)
	if err != nil {
		return nil, errMalformed.Detail("the report cannot be parsed").Because(err)
	}
	again, err := abi.ReportToAbiBytes(pb)
	if err != nil || !bytes.Equal(again, raw) {
		return nil, errMalformed.Detail("the report has bits that are not understood").Because(err)
	}
	signer, err := abi.ParseSignerInfo(pb.GetSignerInfo())
	if err != nil {
		return nil, errMalformed.Because(err)
	}
	r := &report{Report: pb, signer: signer}
	if fms := pb.GetCpuid1EaxFms(); pb.GetVersion() >= abi.ReportVersion3 {
		r.line = kds.ProductLineFromFms(fms)
	}
	return r, nil
}

// Product lines whose reports are understood. Turin's TCB has another layout, and
// no report of it was ever tested here.
const (
	milan = "Milan"
	genoa = "Genoa"
)

func supported(line string) bool { return line == milan || line == genoa }

// TCB is the security patch levels of what the processor trusts, in the layout of
// Milan and Genoa.
type TCB struct {
	Bootloader uint8 `json:"bootloader"`
	TEE        uint8 `json:"tee"`
	SNP        uint8 `json:"snp"`
	Microcode  uint8 `json:"microcode"`
}

// Uint64 is t as TCB_VERSION of the firmware's ABI.
func (t TCB) Uint64() uint64 {
	return uint64(t.Bootloader) | uint64(t.TEE)<<8 | uint64(t.SNP)<<48 | uint64(t.Microcode)<<56
}

// String shows the levels by name.
func (t TCB) String() string {
	return fmt.Sprintf("bootloader %d, tee %d, snp %d, microcode %d", t.Bootloader, t.TEE, t.SNP, t.Microcode)
}

// tcbOf takes v apart; a value with levels in reserved places is of another layout.
func tcbOf(v uint64) (TCB, bool) {
	t := TCB{Bootloader: uint8(v), TEE: uint8(v >> 8), SNP: uint8(v >> 48), Microcode: uint8(v >> 56)}
	return t, t.Uint64() == v
}

// atLeast reports whether no level of t is below floor's.
func (t TCB) atLeast(floor TCB) bool {
	return t.Bootloader >= floor.Bootloader && t.TEE >= floor.TEE && t.SNP >= floor.SNP && t.Microcode >= floor.Microcode
}

// parts is t for go-sev-guest.
func (t TCB) parts() kds.TCBParts {
	return kds.TCBParts{BlSpl: t.Bootloader, TeeSpl: t.TEE, SnpSpl: t.SNP, UcodeSpl: t.Microcode}
}
