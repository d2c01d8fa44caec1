package attesttest

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/binary"
	"fmt"
	"syscall"

	"github.com/google/go-sev-guest/abi"
	"github.com/google/go-sev-guest/client"
	labi "github.com/google/go-sev-guest/client/linuxabi"
	spb "github.com/google/go-sev-guest/proto/sevsnp"
)

// Device is the guest device of m, in this process; for attest.Config.Open.
func (m *Machine) Device() (client.Device, error) { return device{m}, nil }

type device struct{ m *Machine }

func (device) Open(string) error        { return nil }
func (device) Close() error             { return nil }
func (device) Product() *spb.SevProduct { return &spb.SevProduct{} }

// Ioctl answers as Linux's driver does.
func (d device) Ioctl(command uintptr, argument any) (uintptr, error) {
	req, ok := argument.(*labi.SnpUserGuestRequest)
	if !ok {
		return 0, syscall.EINVAL
	}
	switch command {
	case labi.IocSnpGetReport:
		return d.report(*req.ReqData.(*labi.SnpReportReqABI), req)
	case labi.IocSnpGetExtendedReport:
		ext := req.ReqData.(*labi.SnpExtendedReportReq)
		table, err := d.m.Table()
		if err != nil {
			return 0, err
		}
		if len(table) > len(ext.Certs) {
			req.FwErr, ext.CertsLength = uint64(abi.GuestRequestInvalidLength), uint32(len(table))
			return 0, syscall.EIO
		}
		copy(ext.Certs, table)
		return d.report(ext.Data, req)
	case labi.IocSnpGetDerivedKey:
		return d.derive(req.ReqData.(*labi.SnpDerivedKeyReqABI), req)
	}
	return 0, syscall.ENOTTY
}

func (d device) report(ask labi.SnpReportReqABI, req *labi.SnpUserGuestRequest) (uintptr, error) {
	raw, err := d.m.Sign(ask.ReportData, ask.Vmpl)
	if err != nil {
		return 0, err
	}
	answer := req.RespData.(*labi.SnpReportRespABI)
	answer.ReportSize = abi.ReportSize
	copy(answer.Data[:], raw)
	return 0, nil
}

// invalidParameter is the firmware's INVALID_PARAM.
const invalidParameter = 0x16

// derive mixes what was selected into a secret that only depends on the chip.
func (d device) derive(ask *labi.SnpDerivedKeyReqABI, req *labi.SnpUserGuestRequest) (uintptr, error) {
	r, answer := d.m.Report, req.RespData.(*labi.SnpDerivedKeyRespABI)
	selected := func(bit int) bool { return ask.GuestFieldSelect>>bit&1 == 1 }
	if selected(5) && above(ask.TCBVersion, r.CommittedTcb) || ask.GuestSVN > r.GuestSvn || ask.Vmpl < r.Vmpl {
		answer.Status = invalidParameter
		return 0, answer.Finish(nil)
	}
	mac := hmac.New(sha256.New, append([]byte("a fake chip's secret"), r.ChipId...))
	fmt.Fprintf(mac, "root %d vmpl %d select %x\n", ask.RootKeySelect, ask.Vmpl, ask.GuestFieldSelect)
	if selected(0) {
		_ = binary.Write(mac, binary.LittleEndian, r.Policy)
	}
	if selected(3) {
		mac.Write(r.Measurement)
	}
	if selected(5) {
		_ = binary.Write(mac, binary.LittleEndian, ask.TCBVersion)
	}
	copy(answer.Data[:], mac.Sum(nil))
	return 0, nil
}

// above reports whether some level of a is above b's.
func above(a, b uint64) bool {
	for shift := 0; shift < 64; shift += 8 {
		if uint8(a>>shift) > uint8(b>>shift) {
			return true
		}
	}
	return false
}
