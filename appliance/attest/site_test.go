package attest_test

import (
	"encoding/hex"
	"fmt"
	"strings"
	"sync"
	"testing"
	"testing/fstest"
	"time"

	"github.com/oneclaw/oneclawd/appliance/attest"
	"github.com/oneclaw/oneclawd/appliance/attest/attesttest"
	"github.com/oneclaw/oneclawd/internal/fault"
)

// The chip and the image of most tests.
const (
	ourChip  = 0xc1
	ourImage = 0x1a
)

// milan makes the vendor once: its keys take their time.
var milan = func() func(testing.TB) *attesttest.Vendor {
	var once sync.Once
	var v *attesttest.Vendor
	return func(tb testing.TB) *attesttest.Vendor {
		once.Do(func() { v = attesttest.NewVendor(tb, "Milan") })
		return v
	}
}()

// goodText is a policy that accepts ourImage on Milan under the vendor's roots. Its
// lines can be replaced one by one.
func goodText() map[string]string {
	return map[string]string{
		"format":       "format = 1",
		"products":     `products = ["Milan"]`,
		"measurements": fmt.Sprintf("measurements = [%q]", strings.Repeat(hex.EncodeToString([]byte{ourImage}), 48)),
		"vmpl":         "vmpl = 0",
		"tcb":          "[tcb]\nbootloader = 4\ntee = 1\nsnp = 22\nmicrocode = 213",
		"launch":       "",
		"guest":        "[guest]\nallow_smt = true",
		"identity":     "",
		"firmware":     "",
		"revocation":   "[revocation]\ncrls = [\"milan.crl\"]",
		"roots":        "[roots]\nMilan = \"milan.pem\"",
	}
}

var order = []string{"format", "products", "measurements", "vmpl", "tcb", "launch", "guest", "identity", "firmware", "revocation", "roots"}

func render(lines map[string]string) []byte {
	var all []string
	for _, name := range order {
		all = append(all, lines[name])
	}
	return []byte(strings.Join(all, "\n") + "\n")
}

// site is a machine, those who certified it, and a policy that accepts it.
type site struct {
	machine *attesttest.Machine
	vendor  *attesttest.Vendor
	text    map[string]string
	files   fstest.MapFS
	config  attest.Config
	asked   attest.Binding
	want    attest.Binding
	now     time.Time

	replace [][]byte // certificates in place of the quote's
}

func newSite(t *testing.T) *site {
	t.Helper()
	v := milan(t)
	now := time.Now()
	s := &site{vendor: v, machine: attesttest.NewMachine(t, v, ourChip, ourImage), text: goodText(), now: now}
	s.files = fstest.MapFS{
		"milan.pem": {Data: v.Roots()},
		"milan.crl": {Data: v.CRL(t, now.Add(-time.Hour), now.AddDate(0, 6, 0), false)},
	}
	s.asked = attest.Binding{Nonce: attest.NewNonce(), TLSKey: [32]byte{1}, JWTKey: [32]byte{2}}
	s.want = s.asked
	s.config = attest.Config{TSM: t.TempDir() + "/none", Open: s.machine.Device}
	return s
}

func (s *site) policy(t *testing.T) *attest.Policy {
	t.Helper()
	p, err := attest.ParsePolicy(render(s.text), s.files)
	if err != nil {
		t.Fatalf("policy: %v (%v)", err, cause(err))
	}
	return p
}

func (s *site) quote(t *testing.T) attest.Evidence {
	t.Helper()
	src, err := attest.NewSource(s.config)
	if err != nil {
		t.Fatal(err)
	}
	e, err := src.Quote(t.Context(), s.asked)
	if err != nil {
		t.Fatalf("quote: %v (%v)", err, cause(err))
	}
	return e
}

// code is the code of err, "" if it has none.
func code(err error) string {
	if f := fault.As(err); f != nil {
		return f.Code
	}
	return ""
}

func cause(err error) error {
	if f := fault.As(err); f != nil {
		return f.Unwrap()
	}
	return err
}

func mapFS(files map[string][]byte) fstest.MapFS {
	all := fstest.MapFS{}
	for name, data := range files {
		all[name] = &fstest.MapFile{Data: data}
	}
	return all
}
