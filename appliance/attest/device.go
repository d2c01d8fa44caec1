package attest

import (
	"context"
	"errors"
	"io/fs"

	"github.com/google/go-sev-guest/abi"
	"github.com/google/go-sev-guest/client"
	labi "github.com/google/go-sev-guest/client/linuxabi"

	"github.com/oneclaw/oneclawd/internal/plain"
)

// opener opens the guest device. A device is opened for one command: the library
// waits two seconds between two commands of one device.
type opener func() (client.Device, error)

// deviceReport asks for a report with certificates in one command, with room for
// all that the kernel would take; asking for their length first is a command more.
func deviceReport(open opener, data [64]byte, vmpl uint32) (report, table []byte, err error) {
	ask := labi.SnpReportReqABI{ReportData: data, Vmpl: vmpl}
	extended := labi.SnpExtendedReportReq{Data: ask, Certs: make([]byte, maxTable), CertsLength: maxTable}
	report, err = command(open, labi.IocSnpGetExtendedReport, &extended)
	if err == nil {
		return report, extended.Certs, nil
	}
	if errors.Is(err, ErrUnsupported) {
		return nil, nil, err
	}
	// Some hosts refuse the extended request where they have no certificates.
	if report, plainErr := command(open, labi.IocSnpGetReport, &ask); plainErr == nil {
		return report, nil, nil
	}
	return nil, nil, err
}

// command sends a request for a report.
func command(open opener, number uintptr, ask labi.BinaryConvertible) (report []byte, err error) {
	d, err := open()
	if err != nil {
		return nil, ErrUnsupported.Because(err)
	}
	defer d.Close()
	answer := new(labi.SnpReportRespABI)
	request := labi.SnpUserGuestRequest{ReqData: ask, RespData: answer}
	result, err := d.Ioctl(number, &request)
	switch {
	case err != nil && request.FwErr != 0:
		return nil, errDevice.Because(&abi.SevFirmwareErr{Status: abi.SevFirmwareStatus(request.FwErr)})
	case err != nil:
		return nil, errDevice.Because(err)
	case result != uintptr(labi.EsOk):
		return nil, errDevice.Because(&labi.SevEsErr{Result: labi.EsResult(result)})
	}
	return answer.Data[:abi.ReportSize], nil
}

// KeyRequest says what a derived key depends on besides the chip. What is not
// mixed in may change without changing the key. The key differs for each VMPL.
type KeyRequest struct {
	Measurement bool // the image: another one derives another key
	GuestPolicy bool // the launch policy: a guest that may be debugged derives another key
	// TCB, if it is not zero, is mixed in: firmware whose committed TCB is below it
	// refuses. It is that of the day on which the key was first made.
	TCB uint64
}

// DerivedKey has the firmware derive 32 bytes from a secret of the chip and r
// (MSG_KEY_REQ). They are the same for each start of the same guest on the same
// chip. It is key material: derive keys from it, one for each purpose. The errors
// are ErrNoDerivedKeys, and one with code attest_derived_key.
func (s *Source) DerivedKey(ctx context.Context, r KeyRequest) (plain.Bytes, error) {
	if err := s.turn(ctx); err != nil {
		return plain.Bytes{}, err
	}
	defer s.done()
	d, err := s.cfg.Open()
	if err != nil {
		if errors.Is(err, fs.ErrPermission) {
			err = ErrNoDerivedKeys.Detail("the guest device may not be opened; run the daemon as a user who may").Because(err)
			return plain.Bytes{}, err
		}
		return plain.Bytes{}, ErrNoDerivedKeys.Because(err)
	}
	defer d.Close()
	answer, err := client.GetDerivedKeyAcknowledgingItsLimitations(d, &client.SnpDerivedKeyReq{
		// Of the chip and not of the VM: the other root key is the migration
		// agent's to choose.
		UseVCEK: true,
		GuestFieldSelect: client.GuestFieldSelect{
			Measurement: r.Measurement, GuestPolicy: r.GuestPolicy, TCBVersion: r.TCB != 0,
		},
		Vmpl:       uint32(s.cfg.VMPL),
		TCBVersion: r.TCB,
	})
	if err != nil {
		return plain.Bytes{}, errKey.Because(err)
	}
	if answer.Data == [32]byte{} {
		return plain.Bytes{}, errKey.Detail("the firmware derived a key of zeros")
	}
	key := make([]byte, len(answer.Data))
	copy(key, answer.Data[:])
	clear(answer.Data[:])
	return plain.New(key), nil
}
