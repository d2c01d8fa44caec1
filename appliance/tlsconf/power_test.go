package tlsconf

import (
	"path/filepath"
	"testing"

	"github.com/oneclaw/oneclawd/internal/cutfs/cutfstest"
)

// Clients were told to trust the CA: a power cut must not make another of it.
func TestPowerCutKeepsTheCA(t *testing.T) {
	d := cutfstest.New(t)
	power := d.Mount(nil)
	s, err := Open(quiet(Config{Dir: filepath.Join(d.Dir, "tls"), Names: names}))
	if err != nil {
		t.Fatal(err)
	}
	power.Cut()
	d.Unmount()
	c := quiet(Config{Dir: filepath.Join(d.Backing, "tls"), Names: names})
	kept, err := Inspect(c)
	if err != nil || kept.Fingerprint != s.Status().Fingerprint {
		t.Fatalf("after the cut: %+v, %v", kept, err)
	}
	if _, err := Open(c); err != nil {
		t.Error(err)
	}
	if again, err := Inspect(c); err != nil || again.CA.Fingerprint != kept.CA.Fingerprint {
		t.Errorf("another CA: %v", err)
	}
}
