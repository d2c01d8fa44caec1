package attest_test

import (
	"bytes"
	"encoding/hex"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/google/go-sev-guest/verify/testdata"

	"github.com/oneclaw/oneclawd/appliance/attest"
	"github.com/oneclaw/oneclawd/appliance/attest/attesttest"
)

func TestAppraiseAccepts(t *testing.T) {
	s := newSite(t)
	got, err := s.policy(t).Appraise(s.quote(t), s.want, s.now)
	if err != nil {
		t.Fatalf("%v (%v)", err, cause(err))
	}
	if got.Product != "Milan" || !bytes.Equal(got.Measurement, bytes.Repeat([]byte{ourImage}, 48)) ||
		!bytes.Equal(got.ChipID, bytes.Repeat([]byte{ourChip}, 64)) || got.TCB != attesttest.Firmware() ||
		got.LaunchTCB != attesttest.Firmware() || !got.At.Equal(s.now) || got.ValidUntil.Before(s.now.AddDate(6, 0, 0)) {
		t.Errorf("result: %+v", got)
	}
}

// TestAppraiseRefuses is promise 13: each doubt has its own code, and none is
// let through.
func TestAppraiseRefuses(t *testing.T) {
	older := attesttest.Firmware()
	older.SNP--
	lower := func(m *attesttest.Machine) {
		m.Report.CurrentTcb, m.Report.ReportedTcb, m.Report.CommittedTcb = older.Uint64(), older.Uint64(), older.Uint64()
		m.CertTCB = older.Uint64()
	}
	for _, c := range []struct {
		name, code string
		machine    func(*site)                   // before the quote
		evidence   func(*site, *attest.Evidence) // after it
		site       func(t *testing.T, s *site)   // the policy, what is wanted, the time
	}{
		{name: "another image", code: "attest_measurement", machine: func(s *site) { s.machine.Report.Measurement[47]++ }},
		{name: "old TCB", code: "attest_tcb", machine: func(s *site) { lower(s.machine) }},
		{name: "launched under an old TCB", code: "attest_launch_tcb", machine: func(s *site) { s.machine.Report.LaunchTcb = older.Uint64() }},
		{name: "TCB of another layout", code: "attest_tcb", machine: func(s *site) { s.machine.Report.LaunchTcb |= 1 << 32 }},
		{name: "debug", code: "attest_debug", machine: func(s *site) { s.machine.Report.Policy |= 1 << 19 }},
		{name: "migration agent", code: "attest_migration_agent", machine: func(s *site) { s.machine.Report.Policy |= 1 << 18 }},
		{name: "SMT", code: "attest_guest_policy", site: func(_ *testing.T, s *site) { s.text["guest"] = "" }},
		{name: "CXL", code: "attest_guest_policy", machine: func(s *site) { s.machine.Report.Policy |= 1 << 21 }},
		{name: "many sockets", code: "attest_guest_policy", site: func(_ *testing.T, s *site) { s.text["guest"] += "\nsingle_socket = true" }},
		{name: "old image", code: "attest_guest_policy", site: func(_ *testing.T, s *site) { s.text["guest"] += "\nminimum_svn = 2" }},
		{name: "VMPL", code: "attest_vmpl", machine: func(s *site) { s.config.VMPL = 2 }},
		{name: "host data", code: "attest_host_data", site: func(_ *testing.T, s *site) { s.identity("host_data", 32) }},
		{name: "family", code: "attest_identity", site: func(_ *testing.T, s *site) { s.identity("family_id", 16) }},
		{name: "image id", code: "attest_identity", site: func(_ *testing.T, s *site) { s.identity("image_id", 16) }},
		{name: "id key", code: "attest_identity", site: func(_ *testing.T, s *site) { s.identity("id_key_digests", 48) }},
		{name: "author key", code: "attest_identity", site: func(_ *testing.T, s *site) { s.identity("author_key_digests", 48) }},
		{name: "unlisted chip", code: "attest_chip", site: func(_ *testing.T, s *site) { s.identity("chips", 64) }},
		{name: "old build", code: "attest_firmware", site: func(_ *testing.T, s *site) { s.text["firmware"] = "[firmware]\nminimum_build = 22" }},
		{name: "old version", code: "attest_firmware", site: func(_ *testing.T, s *site) { s.text["firmware"] = "[firmware]\nminimum_version = \"1.56\"" }},
		{name: "provisional firmware", code: "attest_firmware", machine: func(s *site) { s.machine.Report.CommittedBuild-- }},
		{name: "replayed", code: "attest_nonce", site: func(_ *testing.T, s *site) { s.want.Nonce = attest.NewNonce() }},
		{name: "replayed under the new nonce", code: "attest_report_data", evidence: func(s *site, e *attest.Evidence) {
			s.want.Nonce = attest.NewNonce()
			e.Binding.Nonce = s.want.Nonce
		}},
		{name: "another TLS key", code: "attest_tls_key", site: func(_ *testing.T, s *site) { s.want.TLSKey[5]++ }},
		{name: "another JWT key", code: "attest_jwt_key", site: func(_ *testing.T, s *site) { s.want.JWTKey[5]++ }},
		{name: "changed measurement", code: "attest_signature", evidence: func(_ *site, e *attest.Evidence) { e.Report[0x90]++ }},
		{name: "changed report data", code: "attest_signature", evidence: func(_ *site, e *attest.Evidence) { e.Report[0x50]++ }},
		{name: "changed signature", code: "attest_signature", evidence: func(_ *site, e *attest.Evidence) { e.Report[0x2a0+3]++ }},
		{name: "bits nobody knows", code: "attest_malformed", evidence: func(_ *site, e *attest.Evidence) { e.Report[0x18b]++ }},
		{name: "unknown version", code: "attest_malformed", evidence: func(_ *site, e *attest.Evidence) { e.Report[0] = 9 }},
		{name: "unsigned", code: "attest_certificates_missing", evidence: func(_ *site, e *attest.Evidence) { e.Report[0x48] = 7 << 2 }},
		{name: "truncated report", code: "attest_malformed", evidence: func(_ *site, e *attest.Evidence) { e.Report = e.Report[:1183] }},
		{name: "no certificates", code: "attest_certificates_missing", evidence: func(_ *site, e *attest.Evidence) { e.Certificates = nil }},
		{name: "no VCEK", code: "attest_certificates_missing", evidence: func(_ *site, e *attest.Evidence) { e.Certificates = e.Certificates[1:] }},
		{name: "two VCEKs", code: "attest_malformed", evidence: func(s *site, e *attest.Evidence) {
			again, _ := s.machine.VCEK()
			e.Certificates = append(e.Certificates, again)
		}},
		{name: "garbage for a certificate", code: "attest_malformed", evidence: func(_ *site, e *attest.Evidence) {
			e.Certificates = append(e.Certificates, []byte("x"))
		}},
		{name: "VCEK of another chip", code: "attest_chip", machine: func(s *site) { s.machine.CertChip[0]++ }},
		{name: "VCEK of another TCB", code: "attest_tcb", machine: func(s *site) { s.machine.CertTCB = older.Uint64() }},
		{name: "another machine's VCEK", code: "attest_signature", site: func(t *testing.T, s *site) {
			s.otherVCEK(t, attesttest.NewMachine(t, s.vendor, 0xc2, ourImage))
		}},
		{name: "expired VCEK", code: "attest_certificate_expired", machine: func(s *site) { s.machine.NotAfter = s.now.Add(-time.Minute) }},
		{name: "VCEK of tomorrow", code: "attest_certificate_expired", machine: func(s *site) { s.machine.NotBefore = s.now.Add(time.Hour) }},
		{name: "in thirty years", code: "attest_certificate_expired", site: func(_ *testing.T, s *site) { s.now = s.now.AddDate(30, 0, 0) }},
		{name: "clock not set", code: "attest_certificate_expired", site: func(_ *testing.T, s *site) { s.now = time.Unix(0, 0) }},
		{name: "no time", code: "attest_refused", site: func(_ *testing.T, s *site) { s.now = time.Time{} }},
		{name: "fake chain, AMD's roots", code: "attest_chain", site: func(_ *testing.T, s *site) {
			s.text["roots"], s.text["revocation"] = "", "[revocation]\nunchecked = true"
		}},
		{name: "another vendor's roots", code: "attest_chain", site: func(t *testing.T, s *site) {
			other := attesttest.NewVendor(t, "Milan")
			s.files["milan.pem"].Data = other.Roots()
			s.files["milan.crl"].Data = other.CRL(t, s.now.Add(-time.Hour), s.now.AddDate(0, 1, 0), false)
		}},
		{name: "ASK revoked", code: "attest_revoked", site: func(t *testing.T, s *site) {
			s.files["milan.crl"].Data = s.vendor.CRL(t, s.now.Add(-time.Hour), s.now.AddDate(0, 1, 0), true)
		}},
		{name: "stale CRL", code: "attest_crl_stale", site: func(t *testing.T, s *site) {
			s.files["milan.crl"].Data = s.vendor.CRL(t, s.now.AddDate(-1, 0, 0), s.now.Add(-time.Minute), false)
		}},
		{name: "another vendor's CRL", code: "attest_crl_unavailable", site: func(t *testing.T, s *site) {
			s.files["milan.crl"].Data = attesttest.NewVendor(t, "Milan").CRL(t, s.now.Add(-time.Hour), s.now.AddDate(0, 1, 0), false)
		}},
		{name: "Genoa where Milan is wanted", code: "attest_product", site: func(t *testing.T, s *site) { s.otherProduct(t, "Genoa") }},
		{name: "Turin", code: "attest_product", site: func(t *testing.T, s *site) { s.otherProduct(t, "Turin") }},
		{name: "unknown processor", code: "attest_product", machine: func(s *site) { s.machine.Report.Cpuid1EaxFms = 0x00c00f10 }},
	} {
		t.Run(c.name, func(t *testing.T) {
			s := newSite(t)
			if c.machine != nil {
				c.machine(s)
			}
			if c.site != nil {
				c.site(t, s)
			}
			e := s.quote(t)
			if c.evidence != nil {
				c.evidence(s, &e)
			}
			if s.replace != nil {
				e.Certificates = s.replace
			}
			got, err := s.policy(t).Appraise(e, s.want, s.now)
			if code(err) != c.code {
				t.Fatalf("got %q (%v, %v), want %q", code(err), err, cause(err), c.code)
			}
			if got.Measurement != nil {
				t.Errorf("refused with a result: %+v", got)
			}
		})
	}
}

// identity makes the policy demand ones of size bytes.
func (s *site) identity(field string, size int) {
	value := fmt.Sprintf("%q", strings.Repeat("01", size))
	if strings.HasSuffix(field, "s") {
		value = "[" + value + "]"
	}
	s.text["identity"] = "[identity]\n" + field + " = " + value
}

func (s *site) otherVCEK(t *testing.T, m *attesttest.Machine) {
	vcek, err := m.VCEK()
	if err != nil {
		t.Fatal(err)
	}
	s.replace = [][]byte{vcek}
}

func (s *site) otherProduct(t *testing.T, line string) {
	s.machine = attesttest.NewMachine(t, attesttest.NewVendor(t, line), ourChip, ourImage)
	s.config.Open = s.machine.Device
}

// What a policy may allow, it allows; a set identity that fits is accepted.
func TestAppraiseAllows(t *testing.T) {
	for name, change := range map[string]func(*site){
		"migration agent": func(s *site) {
			s.machine.Report.Policy |= 1 << 18
			s.text["guest"] += "\nallow_migration_agent = true"
		},
		"provisional firmware": func(s *site) {
			s.machine.Report.CommittedBuild--
			s.text["firmware"] = "[firmware]\nallow_provisional = true\nminimum_version = \"1.55\"\nminimum_build = 21"
		},
		"identity": func(s *site) {
			s.machine.Report.HostData = bytes.Repeat([]byte{1}, 32)
			s.machine.Report.SignerInfo |= 1 // an author key
			s.machine.Report.AuthorKeyDigest = bytes.Repeat([]byte{2}, 48)
			s.machine.Report.IdKeyDigest = bytes.Repeat([]byte{3}, 48)
			s.text["identity"] = "[identity]\nhost_data = \"" + strings.Repeat("01", 32) + "\"\nauthor_key_digests = [\"" +
				strings.Repeat("02", 48) + "\"]\nid_key_digests = [\"" + strings.Repeat("03", 48) + "\"]\nchips = [\"" + strings.Repeat("c1", 64) + "\"]"
		},
		"masked chip": func(s *site) { s.machine.Report.ChipId = make([]byte, 64) },
		"version 2":   func(s *site) { s.machine.Report.Version, s.machine.Report.Cpuid1EaxFms = 2, 0 },
		"old launch TCB": func(s *site) {
			s.machine.Report.LaunchTcb = 1
			s.text["launch"] = "[launch_tcb]\nbootloader = 1\ntee = 0\nsnp = 0\nmicrocode = 0"
		},
		"no CRL, said": func(s *site) { s.text["revocation"] = "[revocation]\nunchecked = true" },
	} {
		t.Run(name, func(t *testing.T) {
			s := newSite(t)
			change(s)
			if _, err := s.policy(t).Appraise(s.quote(t), s.want, s.now); err != nil {
				t.Fatalf("%v (%v)", err, cause(err))
			}
		})
	}
}

// The report of a real chip, which go-sev-guest's authors published, verifies under
// AMD's roots, and is refused: its guest could be debugged.
func TestRealMilanReport(t *testing.T) {
	s := newSite(t)
	report := testdata.AttestationBytes
	s.text["roots"], s.text["revocation"] = "", "[revocation]\nunchecked = true"
	s.text["measurements"] = fmt.Sprintf("measurements = [%q]", hex.EncodeToString(report[0x90:0xc0]))
	e := attest.Evidence{Report: report, Certificates: [][]byte{testdata.VcekBytes}}
	// Whoever asked for it bound none of our keys, which is looked at after the
	// chain and the signature: coming so far shows that they hold.
	now := time.Date(2023, 1, 1, 0, 0, 0, 0, time.UTC)
	if _, err := s.policy(t).Appraise(e, attest.Binding{}, now); code(err) != "attest_report_data" {
		t.Errorf("got %v (%v), want the report data to be refused", err, cause(err))
	}
	if err := attest.GuestPolicyOf(s.policy(t), e, now); code(err) != "attest_debug" {
		t.Errorf("got %v, want the debug bit to be refused", err)
	}
	e.Report = bytes.Clone(report)
	e.Report[0x90]++
	if _, err := s.policy(t).Appraise(e, attest.Binding{}, now); code(err) != "attest_signature" {
		t.Errorf("changed: got %v, want the signature to be refused", err)
	}
}

func TestZeroPolicyRefuses(t *testing.T) {
	s := newSite(t)
	if _, err := new(attest.Policy).Appraise(s.quote(t), s.want, s.now); code(err) != "attest_no_measurements" {
		t.Errorf("got %v", err)
	}
}

// What starting attested adds: at most 50 ms are to be spent on quote and appraisal.
func BenchmarkQuoteAndAppraise(b *testing.B) {
	v := attesttest.NewVendor(b, "Milan")
	m := attesttest.NewMachine(b, v, ourChip, ourImage)
	text := goodText()
	files := map[string][]byte{"milan.pem": v.Roots(), "milan.crl": v.CRL(b, time.Now().Add(-time.Hour), time.Now().AddDate(0, 1, 0), false)}
	p, err := attest.ParsePolicy(render(text), mapFS(files))
	if err != nil {
		b.Fatal(err)
	}
	src, err := attest.NewSource(attest.Config{TSM: b.TempDir() + "/none", Open: m.Device})
	if err != nil {
		b.Fatal(err)
	}
	b.ReportAllocs()
	for b.Loop() {
		want := attest.Binding{Nonce: attest.NewNonce()}
		e, err := src.Quote(b.Context(), want)
		if err != nil {
			b.Fatal(err)
		}
		if _, err := p.Appraise(e, want, time.Now()); err != nil {
			b.Fatal(err)
		}
	}
}
