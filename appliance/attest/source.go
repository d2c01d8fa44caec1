package attest

import (
	"context"
	"crypto/x509"
	"encoding/pem"
	"errors"
	"fmt"

	"github.com/google/go-sev-guest/abi"
	"github.com/google/go-sev-guest/client"
	"github.com/google/go-sev-guest/kds"
)

// Where Linux offers reports.
const (
	DefaultTSM    = "/sys/kernel/config/tsm/report"
	DefaultDevice = "/dev/sev-guest"
)

// maxVMPL is the least privileged level of SEV-SNP.
const maxVMPL = 3

// Config says where evidence comes from. The zero value is what a guest of today
// has.
type Config struct {
	TSM    string // folder of configfs-tsm; "" is DefaultTSM
	Device string // path of the guest device; "" is DefaultDevice
	// VMPL is the privilege level that a report is asked for: 0 to 3, at or below
	// that of the kernel.
	VMPL uint
	// Bundle is a PEM file with the certificates that the host does not give: VCEK
	// or VLEK, ASK or ASVK, ARK. "" is none. It is read again for each report, since
	// the VCEK changes with the firmware.
	Bundle string
	// Fetch gets the VCEK from AMD where neither has it. nil asks nobody.
	Fetch Getter

	// Open opens the guest device in place of Device. It is for machines without
	// one, as in tests; nil opens Device.
	Open func() (client.Device, error)
}

// Getter fetches a resource: of AMD's key distribution service, over HTTPS. The
// answer is at most some KiB; what it returns is verified.
type Getter func(ctx context.Context, url string) ([]byte, error)

// Source gets evidence about this machine. Its methods may be called from many
// goroutines; the firmware answers one after the other.
type Source struct {
	cfg   Config
	turns chan struct{} // holds one: the firmware's queue is short
}

// NewSource returns a source; nothing is opened or tried yet.
func NewSource(cfg Config) (*Source, error) {
	if cfg.VMPL > maxVMPL {
		return nil, fmt.Errorf("attest: VMPL %d: there are levels 0 to %d", cfg.VMPL, maxVMPL)
	}
	if cfg.TSM == "" {
		cfg.TSM = DefaultTSM
	}
	if cfg.Device == "" {
		cfg.Device = DefaultDevice
	}
	if cfg.Open == nil {
		path := cfg.Device
		cfg.Open = func() (client.Device, error) { return openDevice(path) }
	}
	return &Source{cfg: cfg, turns: make(chan struct{}, 1)}, nil
}

// Quote gets evidence for b. The report is the one that was asked for; nothing
// else of it is appraised. ErrUnsupported says that this machine has none to give.
func (s *Source) Quote(ctx context.Context, b Binding) (Evidence, error) {
	if err := s.turn(ctx); err != nil {
		return Evidence{}, err
	}
	defer s.done()
	want := b.ReportData()
	raw, table, err := s.report(ctx, want)
	if err != nil {
		return Evidence{}, err
	}
	report, err := parseReport(raw)
	if err != nil {
		return Evidence{}, errDevice.Detail("the firmware's report is malformed").Because(err)
	}
	if [64]byte(report.GetReportData()) != want {
		return Evidence{}, errDevice.Detail("the firmware's report is about something else than was asked for")
	}
	certs, err := s.certificates(ctx, report, table)
	if err != nil {
		return Evidence{}, err
	}
	e := Evidence{Report: raw, Certificates: certs.ders(), Binding: b}
	return e, e.check()
}

// report prefers configfs-tsm, which newer kernels have and which the kernel
// paces itself.
func (s *Source) report(ctx context.Context, data [64]byte) (report, table []byte, err error) {
	report, table, err = tsmReport(ctx, s.cfg.TSM, data, s.cfg.VMPL)
	if !errors.Is(err, ErrUnsupported) {
		return report, table, err
	}
	return deviceReport(s.cfg.Open, data, uint32(s.cfg.VMPL))
}

// certificates puts together the host's, the bundle's and, last, AMD's. The host's
// come first: it knows when the firmware changed. An unusable table of the host is
// an error, not a reason to go on.
func (s *Source) certificates(ctx context.Context, r *report, table []byte) (*chain, error) {
	ders, err := parseTable(table)
	if err != nil {
		return nil, err
	}
	for i, der := range ders {
		if block, rest := pem.Decode(der); block != nil && len(rest) == 0 {
			ders[i] = block.Bytes // some hosts store what they downloaded
		}
	}
	certs, err := sort(ders)
	if err != nil {
		return nil, errTable.Because(err)
	}
	if s.cfg.Bundle != "" {
		more, err := readBundle(s.cfg.Bundle)
		if err != nil {
			return nil, err
		}
		certs.complete(more)
	}
	if certs.vcek == nil && r.signer.SigningKey == abi.VcekReportSigner && s.cfg.Fetch != nil {
		if certs.vcek, err = s.fetch(ctx, r); err != nil {
			return nil, err
		}
	}
	return certs, nil
}

// fetch gets the VCEK of this chip and TCB. A report of version 2 does not say
// which product line it is of; then the processor does.
func (s *Source) fetch(ctx context.Context, r *report) (*x509.Certificate, error) {
	line := r.line
	if line == "" {
		line = kds.ProductLine(abi.SevProduct())
	}
	if !supported(line) {
		return nil, errFetch.Detail("the VCEK of a processor of product line %s is not fetched", line)
	}
	url := kds.VCEKCertURL(line, r.GetChipId(), kds.TCBVersion(r.GetReportedTcb()))
	raw, err := s.cfg.Fetch(ctx, url)
	if err != nil {
		return nil, errFetch.Because(err)
	}
	if len(raw) > maxCertificate {
		return nil, errFetch.Detail("what came in place of the VCEK is too long")
	}
	certs, err := sort([][]byte{raw})
	if err != nil || certs.vcek == nil {
		return nil, errFetch.Detail("what came in place of the VCEK is none").Because(err)
	}
	return certs.vcek, nil
}

func (s *Source) turn(ctx context.Context) error {
	select {
	case s.turns <- struct{}{}:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}

func (s *Source) done() { <-s.turns }
