package attest_test

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/oneclaw/oneclawd/appliance/attest"
)

// theDay is one on which AMD's certificates are valid.
var theDay = time.Date(2024, 5, 1, 0, 0, 0, 0, time.UTC)

// plainText is a policy that needs no files: AMD's roots.
func plainText() map[string]string {
	text := goodText()
	text["roots"], text["revocation"], text["products"] = "", "[revocation]\nunchecked = true", `products = ["Milan", "Genoa"]`
	return text
}

func TestPolicyRefused(t *testing.T) {
	for _, c := range []struct{ name, part, text, code, says string }{
		{"no measurements", "measurements", "", "attest_no_measurements", "nothing would be checked"},
		{"empty measurements", "measurements", "measurements = []", "attest_no_measurements", "nothing would be checked"},
		{"short measurement", "measurements", `measurements = ["00"]`, "attest_policy", "96 hexadecimal digits"},
		{"measurement of zeros", "measurements", `measurements = ["` + strings.Repeat("0", 96) + `"]`, "attest_policy", "zeros"},
		{"unknown field", "vmpl", "vmpl = 0\nmesurements = []", "attest_policy", "no field mesurements"},
		{"unknown table field", "guest", "[guest]\nallow_debug = true", "attest_policy", "no field guest.allow_debug"},
		{"field twice", "vmpl", "vmpl = 0\nvmpl = 1", "attest_policy", "line"},
		{"not TOML", "vmpl", "vmpl", "attest_policy", "line"},
		{"no format", "format", "", "attest_policy", "format"},
		{"later format", "format", "format = 2", "attest_policy", "format"},
		{"no VMPL", "vmpl", "", "attest_policy", "vmpl"},
		{"VMPL 4", "vmpl", "vmpl = 4", "attest_policy", "vmpl"},
		{"no products", "products", "products = []", "attest_policy", "products"},
		{"Turin", "products", `products = ["Milan", "Turin"]`, "attest_policy", "Turin was never tested"},
		{"no floor", "tcb", "", "attest_policy", "[tcb]"},
		{"half a floor", "tcb", "[tcb]\nsnp = 8", "attest_policy", "[tcb]"},
		{"floor of zeros", "tcb", "[tcb]\nbootloader = 0\ntee = 0\nsnp = 0\nmicrocode = 0", "attest_policy", "every firmware"},
		{"impossible level", "tcb", "[tcb]\nbootloader = 128\ntee = 0\nsnp = 0\nmicrocode = 0", "attest_policy", "127"},
		{"half a launch floor", "launch", "[launch_tcb]\nsnp = 8", "attest_policy", "[launch_tcb]"},
		{"bad host data", "identity", "[identity]\nhost_data = \"xx\"", "attest_policy", "host_data"},
		{"no id keys", "identity", "[identity]\nid_key_digests = []", "attest_policy", "id_key_digests"},
		{"id key of zeros", "identity", "[identity]\nid_key_digests = [\"" + strings.Repeat("0", 96) + "\"]", "attest_policy", "zeros"},
		{"bad version", "firmware", "[firmware]\nminimum_version = \"1\"", "attest_policy", "1.55"},
		{"nothing about revocation", "revocation", "", "attest_policy", "unchecked = true"},
		{"both about revocation", "revocation", "[revocation]\ncrls = [\"milan.crl\"]\nunchecked = true", "attest_policy", "unchecked"},
		{"no such CRL", "revocation", "[revocation]\ncrls = [\"none.crl\"]", "attest_crl_unavailable", "revocation list"},
		{"CRL elsewhere", "revocation", "[revocation]\ncrls = [\"../milan.crl\"]", "attest_crl_unavailable", "beside"},
		{"CRL is none", "revocation", "[revocation]\ncrls = [\"milan.pem\"]", "attest_crl_unavailable", "none"},
		{"roots of another product", "roots", "[roots]\nGenoa = \"milan.pem\"", "attest_policy", "Genoa"},
		{"no such roots", "roots", "[roots]\nMilan = \"none.pem\"", "attest_policy", "beside"},
		{"roots are none", "roots", "[roots]\nMilan = \"milan.crl\"", "attest_policy", "ARK"},
	} {
		t.Run(c.name, func(t *testing.T) {
			s := newSite(t)
			s.text[c.part] = c.text
			_, err := attest.ParsePolicy(render(s.text), s.files)
			if code(err) != c.code || !strings.Contains(err.Error(), c.says) {
				t.Errorf("got %v, want %s with %q", err, c.code, c.says)
			}
		})
	}
}

// Roots and revocation lists lie beside the policy's file.
func TestLoadPolicy(t *testing.T) {
	s := newSite(t)
	dir := t.TempDir()
	for name, f := range s.files {
		if err := os.WriteFile(filepath.Join(dir, name), f.Data, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	path := filepath.Join(dir, "policy.toml")
	if _, err := attest.LoadPolicy(path); code(err) != "attest_policy" {
		t.Errorf("no file: %v", err)
	}
	if err := os.WriteFile(path, render(s.text), 0o600); err != nil {
		t.Fatal(err)
	}
	p, err := attest.LoadPolicy(path)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := p.Appraise(s.quote(t), s.want, s.now); err != nil {
		t.Error(err)
	}
}

// AMD's own roots are there for both product lines and both kinds of key.
func TestEmbeddedRoots(t *testing.T) {
	if _, err := attest.ParsePolicy(render(plainText()), nil); err != nil {
		t.Error(err)
	}
}
