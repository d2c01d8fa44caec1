package attest_test

import (
	"context"
	"encoding/binary"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"syscall"
	"testing"

	"github.com/google/go-sev-guest/client"
	labi "github.com/google/go-sev-guest/client/linuxabi"

	"github.com/oneclaw/oneclawd/appliance/attest"
	"github.com/oneclaw/oneclawd/appliance/attest/attesttest"
)

func noDevice() (client.Device, error) { return nil, syscall.ENOENT }

func TestNoHardware(t *testing.T) {
	src, err := attest.NewSource(attest.Config{TSM: t.TempDir() + "/none", Device: t.TempDir() + "/none"})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := src.Quote(t.Context(), attest.Binding{}); !errors.Is(err, attest.ErrUnsupported) {
		t.Errorf("quote: %v", err)
	}
	if _, err := src.DerivedKey(t.Context(), attest.KeyRequest{}); !errors.Is(err, attest.ErrNoDerivedKeys) {
		t.Errorf("key: %v", err)
	}
	ended, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := src.Quote(ended, attest.Binding{}); err == nil {
		t.Error("a quote after the end")
	}
	if _, err := attest.NewSource(attest.Config{VMPL: 4}); err == nil {
		t.Error("there is no VMPL 4")
	}
}

// A folder that belongs to another kind of machine is not asked.
func TestOtherProvider(t *testing.T) {
	dir := t.TempDir()
	src, err := attest.NewSource(attest.Config{TSM: dir, Open: noDevice})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := src.Quote(t.Context(), attest.Binding{}); !errors.Is(err, attest.ErrUnsupported) {
		t.Errorf("got %v", err)
	}
	if left, _ := os.ReadDir(dir); len(left) != 0 {
		t.Errorf("left behind: %v", left)
	}
}

// What the host does not give comes from the bundle or, last, from AMD.
func TestCertificatesFromElsewhere(t *testing.T) {
	s := newSite(t)
	s.machine.NoCertificates = true
	if _, err := s.policy(t).Appraise(s.quote(t), s.want, s.now); code(err) != "attest_certificates_missing" {
		t.Fatalf("without: %v", err)
	}
	var asked string
	s.config.Fetch = func(_ context.Context, url string) ([]byte, error) {
		asked = url
		return s.machine.VCEK()
	}
	if _, err := s.policy(t).Appraise(s.quote(t), s.want, s.now); err != nil {
		t.Fatalf("fetched: %v (%v)", err, cause(err))
	}
	want := "https://kdsintf.amd.com/vcek/v1/Milan/" + strings.Repeat("c1", 64) + "?blSPL=4&teeSPL=1&snpSPL=22&ucodeSPL=213"
	if asked != want {
		t.Errorf("asked for %s, want %s", asked, want)
	}
	asked = ""
	s.config.Bundle = filepath.Join(t.TempDir(), "bundle.pem")
	if err := os.WriteFile(s.config.Bundle, s.machine.Bundle(t), 0o600); err != nil {
		t.Fatal(err)
	}
	e := s.quote(t)
	if _, err := s.policy(t).Appraise(e, s.want, s.now); err != nil || asked != "" || len(e.Certificates) != 3 {
		t.Errorf("from the bundle: %v (%v), fetched %q, %d certificates", err, cause(err), asked, len(e.Certificates))
	}
}

func TestQuoteFails(t *testing.T) {
	for _, c := range []struct {
		name, code string
		change     func(t *testing.T, s *site)
	}{
		{"no bundle", "attest_bundle", func(t *testing.T, s *site) { s.config.Bundle = t.TempDir() + "/none" }},
		{"bundle of something else", "attest_bundle", func(t *testing.T, s *site) {
			s.config.Bundle = filepath.Join(t.TempDir(), "b")
			_ = os.WriteFile(s.config.Bundle, []byte("-----BEGIN RSA PRIVATE KEY-----\n-----END RSA PRIVATE KEY-----\n"), 0o600)
		}},
		{"no network", "attest_fetch", func(_ *testing.T, s *site) {
			s.machine.NoCertificates = true
			s.config.Fetch = func(context.Context, string) ([]byte, error) { return nil, syscall.ENETUNREACH }
		}},
		{"a login page", "attest_fetch", func(_ *testing.T, s *site) {
			s.machine.NoCertificates = true
			s.config.Fetch = func(context.Context, string) ([]byte, error) { return []byte("<html>"), nil }
		}},
		{"an answer about something else", "attest_device", func(_ *testing.T, s *site) {
			s.config.Open = func() (client.Device, error) { return deaf{open(s.machine)}, nil }
		}},
		{"a certificate table of the host that wraps around", "attest_certificate_table", func(_ *testing.T, s *site) {
			s.config.Open = func() (client.Device, error) { return hostile{open(s.machine)}, nil }
		}},
	} {
		t.Run(c.name, func(t *testing.T) {
			s := newSite(t)
			c.change(t, s)
			src, err := attest.NewSource(s.config)
			if err != nil {
				t.Fatal(err)
			}
			if _, err := src.Quote(t.Context(), s.asked); code(err) != c.code {
				t.Errorf("got %v (%v), want %s", err, cause(err), c.code)
			}
		})
	}
}

// deaf answers what it was not asked.
type deaf struct{ client.Device }

func (d deaf) Ioctl(command uintptr, argument any) (uintptr, error) {
	if ext, ok := argument.(*labi.SnpUserGuestRequest).ReqData.(*labi.SnpExtendedReportReq); ok {
		ext.Data.ReportData[0]++
	}
	return d.Device.Ioctl(command, argument)
}

// hostile gives a table whose offset and length sum up to less than either.
type hostile struct{ client.Device }

func (d hostile) Ioctl(command uintptr, argument any) (uintptr, error) {
	result, err := d.Device.Ioctl(command, argument)
	if ext, ok := argument.(*labi.SnpUserGuestRequest).ReqData.(*labi.SnpExtendedReportReq); ok {
		binary.LittleEndian.PutUint32(ext.Certs[16:], 0xffffff00)
		binary.LittleEndian.PutUint32(ext.Certs[20:], 0x200)
	}
	return result, err
}

func open(m *attesttest.Machine) client.Device {
	d, _ := m.Device()
	return d
}

// The firmware derives the same key for the same guest, and another for any other.
func TestDerivedKey(t *testing.T) {
	request := attest.KeyRequest{Measurement: true, GuestPolicy: true}
	key := func(t *testing.T, m *attesttest.Machine, r attest.KeyRequest, vmpl uint) string {
		src, err := attest.NewSource(attest.Config{Open: m.Device, VMPL: vmpl})
		if err != nil {
			t.Fatal(err)
		}
		k, err := src.DerivedKey(t.Context(), r)
		if err != nil {
			t.Fatalf("%v (%v)", err, cause(err))
		}
		return string(k.Reveal())
	}
	v := milan(t)
	us := func() *attesttest.Machine { return attesttest.NewMachine(t, v, ourChip, ourImage) }
	ours := key(t, us(), request, 0)
	newer := us()
	newer.Report.CommittedTcb += 1 << 48
	if key(t, newer, request, 0) != ours {
		t.Error("another key after an update of the firmware, though the TCB is not mixed in")
	}
	debug := us()
	debug.Report.Policy |= 1 << 19
	for name, other := range map[string]string{
		"chip":   key(t, attesttest.NewMachine(t, v, 0xc2, ourImage), request, 0),
		"image":  key(t, attesttest.NewMachine(t, v, ourChip, 0x1b), request, 0),
		"policy": key(t, debug, request, 0),
		"VMPL":   key(t, us(), request, 1),
		"TCB":    key(t, us(), attest.KeyRequest{Measurement: true, GuestPolicy: true, TCB: attesttest.Firmware().Uint64()}, 0),
	} {
		if other == ours {
			t.Errorf("another %s derives the same key", name)
		}
	}
	src, _ := attest.NewSource(attest.Config{Open: us().Device})
	ahead := attesttest.Firmware()
	ahead.SNP++
	if _, err := src.DerivedKey(t.Context(), attest.KeyRequest{TCB: ahead.Uint64()}); code(err) != "attest_derived_key" {
		t.Errorf("TCB above the committed one: %v", err)
	}
}

// Many may ask at once.
func TestQuotesAtOnce(t *testing.T) {
	s := newSite(t)
	src, err := attest.NewSource(s.config)
	if err != nil {
		t.Fatal(err)
	}
	p := s.policy(t)
	var all sync.WaitGroup
	for range 8 {
		all.Go(func() {
			b := attest.Binding{Nonce: attest.NewNonce()}
			e, err := src.Quote(t.Context(), b)
			if err == nil {
				_, err = p.Appraise(e, b, s.now)
			}
			if err != nil {
				t.Error(err)
			}
		})
	}
	all.Wait()
}
