package e2e

import (
	"encoding/hex"
	"errors"
	"fmt"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/oneclaw/oneclawd/appliance/attest"
	"github.com/oneclaw/oneclawd/appliance/attest/attesttest"
	gosdk "github.com/oneclaw/oneclawd/appliance/client"
	"github.com/oneclaw/oneclawd/appliance/client/attested"
	"github.com/oneclaw/oneclawd/hsm/hsmtest"
	"github.com/oneclaw/oneclawd/internal/porttest"
)

// snp is a machine that is one of AMD's as far as a policy says so.
type snp struct {
	vendor  *attesttest.Vendor
	machine *attesttest.Machine
	tsm     string // folder
	policy  string // file
}

const image = 0x1a // what the machine measured at launch, 48 times

// newSNP makes a machine with an image, and a policy that accepts the image.
func newSNP(t *testing.T) *snp {
	t.Helper()
	if os.Geteuid() != 0 {
		t.Skip("only root can mount a folder of configfs")
	}
	s := &snp{vendor: attesttest.NewVendor(t, "Milan")}
	s.machine = attesttest.NewMachine(t, s.vendor, 0xc1, image)
	s.tsm = attesttest.MountTSM(t, s.machine)
	s.policy = s.accept(t, image, 22)
	return s
}

// accept writes a policy that accepts an image and a level of the firmware.
func (s *snp) accept(t *testing.T, image byte, firmware int) string {
	t.Helper()
	dir := t.TempDir()
	crl := s.vendor.CRL(t, time.Now().Add(-time.Hour), time.Now().Add(time.Hour), false)
	for name, text := range map[string][]byte{
		"milan.pem": s.vendor.Roots(), "milan.crl": crl,
		"policy.toml": fmt.Appendf(nil, "format = 1\nproducts = [\"Milan\"]\nmeasurements = [%q]\nvmpl = 0\n[tcb]\nbootloader = 4\ntee = 1\nsnp = %d\nmicrocode = 213\n"+
			"[guest]\nallow_smt = true\n[revocation]\ncrls = [\"milan.crl\"]\n[roots]\nMilan = \"milan.pem\"\n",
			strings.Repeat(hex.EncodeToString([]byte{image}), 48), firmware),
	} {
		if err := os.WriteFile(filepath.Join(dir, name), text, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	return filepath.Join(dir, "policy.toml")
}

// settings are those of a daemon that demands the machine.
func (s *snp) settings(policy string) []string {
	return []string{"--set", "attest.mode=required", "--set", "attest.policy=" + policy, "--set", "attest.tsm=" + s.tsm, "--set", "tls.local_ca=true", "--set", "hsm.pin_file="}
}

// verify is `oneclawd attest verify` from afar.
func verify(t *testing.T, d *daemon, policy string) (out string, accepted bool) {
	t.Helper()
	out, errs, code := run(t, nil, "attest", "verify", d.api, "--policy", policy)
	return out + errs, code == 0
}

// speak is a program that gives its key to nobody but an appliance that the policy
// accepts.
func speak(t *testing.T, d *daemon, policyFile string) error {
	t.Helper()
	policy, err := attest.LoadPolicy(policyFile)
	if err != nil {
		t.Fatal(err)
	}
	through, err := attested.New(d.api, attested.Options{Policy: policy})
	if err != nil {
		t.Fatal(err)
	}
	c, err := gosdk.New(gosdk.Options{BaseURL: d.api, Key: d.owner.APIKey, HTTP: &http.Client{Transport: through, Timeout: patience}})
	if err != nil {
		t.Fatal(err)
	}
	_, err = c.ListVaults(t.Context())
	return err
}

// answered counts the requests that the daemon answered, but for those that an
// appraisal makes.
func answered(d *daemon) int {
	n := 0
	for line := range strings.Lines(d.log()) {
		if strings.Contains(line, "msg=request ") && !strings.Contains(line, "route=/v1/attestation ") && !strings.Contains(line, "route=/v1/auth/jwt-public-key ") {
			n++
		}
	}
	return n
}

// TestAttested: the daemon opens no key before the machine is what the policy
// accepts, people open the sealed PIN, and others can check the machine from
// afar.
func TestAttested(t *testing.T) {
	s := newSNP(t)
	token := hsmtest.SoftHSM(t)
	d := newServe(t, token)
	args := d.args
	address := porttest.Address(t)
	configure := func(policy string) {
		d.args = append(append(args[:len(args):len(args)], s.settings(policy)...), "--listen", address)
	}
	configure(s.policy)

	pin, recovery := file(t, "pin", string(token.PIN.Reveal())+"\n"), file(t, "recovery", "an open sesame of some length\n")
	seal := func(more ...string) string {
		out, errs, code := run(t, d.env, append(append([]string{"seal", "pin", "--config", args[2], "--pin-file", pin}, more...), s.settings(s.policy)...)...)
		if code != 0 {
			t.Fatal(errs)
		}
		return out
	}
	if out := seal("--passphrase-file", recovery); !strings.Contains(out, "cannot open it by itself") {
		t.Errorf("configfs has no derived keys, and yet: %s", out)
	}
	text, err := os.ReadFile(filepath.Join(d.data, "pin.sealed"))
	if err != nil || strings.Contains(string(text), string(token.PIN.Reveal())) {
		t.Fatalf("the PIN can be read: %v", err)
	}

	d.spawn()
	d.api = "https://" + address
	eventually(t, patience, "waiting for people", func() bool { out, _ := d.operate("", "status"); return strings.Contains(out, "attested") })
	if out, ok := d.operate("a wrong passphrase\n", "unseal", "--passphrase"); ok {
		t.Errorf("with a wrong passphrase: %s", out)
	}
	d.operates("an open sesame of some length\n", "unsealed", "unseal", "--passphrase")
	d.operates("", hex.EncodeToString([]byte{image, image}), "status")

	if out, ok := verify(t, d, s.policy); !ok || !strings.Contains(out, "Milan") {
		t.Errorf("from afar: %s", out)
	}
	for _, other := range []string{s.accept(t, image+1, 22), s.accept(t, image, 23)} {
		if out, ok := verify(t, d, other); ok || !strings.Contains(out, "oneclawd: ") {
			t.Errorf("accepted by a policy for something else: %s", out)
		}
	}
	before := answered(d)
	for _, other := range []string{s.accept(t, image+1, 22), s.accept(t, image, 23)} {
		if err := speak(t, d, other); !errors.Is(err, attested.ErrRefused) {
			t.Errorf("spoke to what the policy does not accept: %v", err)
		}
	}
	if got := answered(d); got != before {
		t.Errorf("%d requests were sent to what was not accepted:\n%s", got-before, d.logTail())
	}
	if err := speak(t, d, s.policy); err != nil {
		t.Error(err)
	}
	if answered(d) == before {
		t.Error("requests do not show in the log, so that none in it means nothing")
	}
	d.stop()

	// People with shares.
	if err := os.Remove(filepath.Join(d.data, "pin.sealed")); err != nil {
		t.Fatal(err)
	}
	var shares []string
	for line := range strings.Lines(seal("--shares", "3", "--threshold", "2")) {
		if _, share, ok := strings.Cut(line, ": "); ok && strings.HasPrefix(line, "Share ") {
			shares = append(shares, share)
		}
	}
	if len(shares) != 3 {
		t.Fatalf("%d shares", len(shares))
	}
	d.spawn()
	d.api = "https://" + address
	eventually(t, patience, "waiting for people", func() bool { out, _ := d.operate("", "status"); return strings.Contains(out, "attested") })
	d.operates(shares[2], "1 more needed", "unseal", "--share")
	if out, ok := d.operate(shares[2], "unseal", "--share"); ok || !strings.Contains(out, "given already") {
		t.Errorf("the same share twice: %s", out)
	}
	d.operates(shares[0], "unsealed", "unseal", "--share")
	d.stop()

	// Another image, or firmware that is too old: no key is opened.
	configure(s.accept(t, image+1, 22))
	d.refuses(1, "no key is opened", "measure")
	configure(s.accept(t, image, 23))
	d.refuses(1, "no key is opened", "TCB")
	configure(filepath.Join(t.TempDir(), "none.toml"))
	d.refuses(2, "attest.policy")
	d.args = append(append(args[:len(args):len(args)], s.settings(s.policy)...), "--set", "attest.tsm="+t.TempDir())
	d.refuses(1, "attesting this machine")
}

// TestUnattested: an appliance that is not attested says so to everybody.
func TestUnattested(t *testing.T) {
	d := newLocal(t, "--set", "tls.local_ca=true").start()
	out, ok := verify(t, d, newSNPPolicy(t))
	if ok || !strings.Contains(out, "not attested") {
		t.Errorf("from afar: %s", out)
	}
	d.operates("", "attest.mode is none", "status")
	if !strings.Contains(d.log(), "attest.mode is none") {
		t.Error("the log does not say so")
	}
}

// newSNPPolicy is a policy for machines that are elsewhere.
func newSNPPolicy(t *testing.T) string {
	t.Helper()
	s := &snp{vendor: attesttest.NewVendor(t, "Milan")}
	return s.accept(t, image, 22)
}

// attesting starts an appliance with local keys that has to be attested: with
// settings that fail, whose text it says, and with others, with which it waits
// for its people.
func attesting(t *testing.T, l *lab, s *snp, fails []string, say string, works ...string) {
	t.Helper()
	base := append(l.base.args[:len(l.base.args):len(l.base.args)], s.settings(s.policy)...)
	with := func(settings []string) *daemon {
		d := newDaemon(t, l.base.data, base...)
		for _, s := range settings {
			d.args = append(d.args, "--set", s)
		}
		return d
	}
	with(fails).refuses(1, say)
	d := with(works)
	d.spawn()
	eventually(t, patience, "attested", func() bool { out, _ := d.operate("", "status"); return strings.Contains(out, "attested") })
	d.kill()
}

func settingAttestMode(t *testing.T, l *lab) {
	newDaemon(t, l.base.data, append(l.base.args[:len(l.base.args):len(l.base.args)], "--set", "attest.mode=")...).refuses(2, "attest.mode")
	attesting(t, l, newSNP(t), []string{"attest.tsm=/nowhere"}, "no SEV-SNP reports")
	l.with(t, "attest.mode=none", "attest.tsm=/nowhere").stop()
}

func settingAttestPolicy(t *testing.T, l *lab) {
	s := newSNP(t)
	attesting(t, l, s, []string{"attest.policy=" + s.accept(t, image+1, 22)}, "not one of those the policy lists", "attest.policy="+s.policy)
}

func settingAttestBundle(t *testing.T, l *lab) {
	s := newSNP(t)
	s.machine.NoCertificates = true
	bundle := file(t, "bundle.pem", string(s.machine.Bundle(t)))
	attesting(t, l, s, nil, "certificate", "attest.bundle="+bundle)
}

func settingAttestVMPL(t *testing.T, l *lab) {
	attesting(t, l, newSNP(t), []string{"attest.vmpl=2"}, "VMPL", "attest.vmpl=0")
}

func settingAttestTSM(t *testing.T, l *lab) {
	s := newSNP(t)
	attesting(t, l, s, []string{"attest.tsm=" + t.TempDir()}, "no SEV-SNP reports", "attest.tsm="+s.tsm)
}

// No device can be made here: another file in its place is not one.
func settingAttestDevice(t *testing.T, l *lab) {
	s := newSNP(t)
	attesting(t, l, s, []string{"attest.tsm=/nowhere", "attest.device=" + file(t, "device", "")}, "attest_device")
}
