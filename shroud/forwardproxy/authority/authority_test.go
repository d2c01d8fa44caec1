package authority_test

import (
	"bytes"
	"crypto/rand"
	"crypto/x509"
	"encoding/json"
	"encoding/pem"
	"errors"
	"fmt"
	"testing"
	"time"

	"github.com/oneclaw/oneclawd/shroud/forwardproxy/authority"
	"github.com/oneclaw/oneclawd/store"
	"github.com/oneclaw/oneclawd/store/storetest"
	"github.com/oneclaw/oneclawd/vault/audit"
)

// world is a store, and a time that passes when it is told to.
type world struct {
	*testing.T
	db  *store.DB
	now time.Time
}

func newWorld(t *testing.T) *world {
	return &world{t, storetest.Open(t), time.Date(2026, 7, 1, 12, 0, 0, 0, time.UTC)}
}

func (w *world) open(names ...string) *authority.Authority {
	w.Helper()
	a, err := authority.Open(w.Context(), store.Runner[authority.Tx](w.db), names, func() time.Time { return w.now })
	if err != nil {
		w.Fatal(err)
	}
	return a
}

// trusts reports whether a client that was given a bundle believes a's certificate for a
// host.
func (w *world) trusts(bundle []byte, a *authority.Authority, host string) error {
	w.Helper()
	leaf, err := a.Leaf(host)
	if err != nil {
		return err
	}
	return w.verifies(bundle, leaf.Leaf, host)
}

func (w *world) verifies(bundle []byte, leaf *x509.Certificate, host string) error {
	roots := x509.NewCertPool()
	roots.AppendCertsFromPEM(bundle)
	_, err := leaf.Verify(x509.VerifyOptions{DNSName: host, Roots: roots, CurrentTime: w.now})
	return err
}

func count(bundle []byte) int { return bytes.Count(bundle, []byte("BEGIN CERTIFICATE")) }

func TestLeaves(t *testing.T) {
	w := newWorld(t)
	a := w.open("api.example.com", "sub.example.org")
	for host, want := range map[string]error{
		"api.example.com": nil, "a.b.sub.example.org": nil, "sub.example.org": nil, "example.com": authority.ErrNotCertified,
		"evil.org": authority.ErrNotCertified, "evilsub.example.org": authority.ErrNotCertified,
	} {
		if err := w.trusts(a.Bundle(), a, host); !errors.Is(err, want) {
			t.Errorf("%s: %v", host, err)
		}
	}
	long := "a123456789.b123456789.c123456789.d123456789.e123456789.f123456789.sub.example.org"
	if err := w.trusts(a.Bundle(), a, long); err != nil {
		t.Error(err)
	}
	first, _ := a.Leaf("api.example.com")
	w.now = w.now.Add(11 * time.Hour)
	if again, _ := a.Leaf("api.example.com"); again != first {
		t.Error("a new certificate after 11 hours")
	}
	w.now = w.now.Add(2 * time.Hour)
	if again, _ := a.Leaf("api.example.com"); again == first || w.trusts(a.Bundle(), a, "api.example.com") != nil {
		t.Error("no new certificate after 13 hours")
	}
	for i := range 1100 { // more than are kept
		if _, err := a.Leaf(fmt.Sprintf("h%d.sub.example.org", i)); err != nil {
			t.Fatal(err)
		}
	}
}

// Whoever gets hold of the key can be the listed hosts and nobody else: clients refuse it.
func TestKeyIsForTheListAlone(t *testing.T) {
	w := newWorld(t)
	a := w.open("api.example.com")
	var all []authority.Record
	err := store.Runner[authority.Tx](w.db).View(t.Context(), func(tx authority.Tx) (err error) {
		all, err = tx.ForwardCAs()
		return err
	})
	if err != nil || len(all) != 1 {
		t.Fatal(len(all), err)
	}
	ca, err := x509.ParseCertificate(all[0].Cert)
	if err != nil {
		t.Fatal(err)
	}
	key, err := x509.ParsePKCS8PrivateKey(all[0].Key)
	if err != nil {
		t.Fatal(err)
	}
	leaf, _ := a.Leaf("api.example.com")
	for host, good := range map[string]bool{"api.example.com": true, "bank.example": false} {
		form := &x509.Certificate{DNSNames: []string{host}, NotBefore: w.now.Add(-time.Hour), NotAfter: w.now.Add(time.Hour)}
		der, err := x509.CreateCertificate(rand.Reader, form, ca, leaf.Leaf.PublicKey, key)
		if err != nil {
			t.Fatal(err)
		}
		forged, err := x509.ParseCertificate(der)
		if err != nil {
			t.Fatal(err)
		}
		if err := w.verifies(a.Bundle(), forged, host); (err == nil) != good {
			t.Errorf("%s: %v", host, err)
		}
	}
}

// A list that grows costs nobody the trust that they have.
func TestListGrows(t *testing.T) {
	w := newWorld(t)
	old := w.open("api.example.com").Bundle()
	w.db = storetest.Reopen(t, w.db)
	if !bytes.Equal(w.open("api.example.com").Bundle(), old) || !bytes.Equal(w.open().Bundle(), old) {
		t.Error("another CA after a restart, or with a shorter list")
	}
	a := w.open("api.example.com", "new.example")
	grown := a.Bundle()
	if count(grown) != 2 || !bytes.HasPrefix(grown, old) {
		t.Errorf("%s", grown)
	}
	if err := w.trusts(old, a, "api.example.com"); err != nil {
		t.Errorf("a client of before: %v", err)
	}
	if err := w.trusts(old, a, "new.example"); err == nil {
		t.Error("a client of before believes what it was not told")
	}
	if err := w.trusts(grown, a, "new.example"); err != nil {
		t.Error(err)
	}
	block, _ := pem.Decode(old)
	if ca, err := x509.ParseCertificate(block.Bytes); err != nil || !ca.PermittedDNSDomainsCritical || !ca.MaxPathLenZero || len(authority.Fingerprint(ca)) != 64 {
		t.Errorf("%+v %v", ca, err)
	}
}

// Before a CA ends there is another one; then it goes.
func TestCAEnds(t *testing.T) {
	w := newWorld(t)
	first := w.open("api.example.com").Bundle()
	w.now = w.now.AddDate(10, 0, -30)
	a := w.open("api.example.com")
	if count(a.Bundle()) != 2 || w.trusts(first, a, "api.example.com") != nil {
		t.Error("thirty days before its end, the old one is to go on beside a new one")
	}
	w.now = w.now.AddDate(0, 0, 31)
	if w.trusts(first, a, "api.example.com") == nil || w.trusts(a.Bundle(), a, "api.example.com") != nil {
		t.Error("after its end, the new one is to certify")
	}
	w.open("api.example.com", "new.example")
	if a := w.open("api.example.com", "new.example"); count(a.Bundle()) != 2 || bytes.Contains(a.Bundle(), first) {
		t.Error("one that has ended is still there")
	}
}

// event is what these tests look at in one of the audit log.
type event struct {
	Action  audit.Action
	Details struct {
		Replaces []string
		UID      int
	}
}

func (w *world) lastEvent() (e event) {
	w.Helper()
	err := store.Runner[authority.Tx](w.db).View(w.Context(), func(tx authority.Tx) error {
		log := tx.(interface{ AuditLeaf(uint64) ([]byte, error) })
		n, err := tx.AuditSize()
		if err != nil {
			return err
		}
		leaf, err := log.AuditLeaf(n - 1)
		if err != nil {
			return err
		}
		return json.Unmarshal(leaf, &e)
	})
	if err != nil {
		w.Fatal(err)
	}
	return e
}

// After a rotation nothing that clients were told to trust is of any use, in this
// process and the next.
func TestRotate(t *testing.T) {
	w := newWorld(t)
	w.open("api.example.com")
	a := w.open("api.example.com", "sub.example.org") // two CAs
	before := a.Bundle()
	if _, err := a.Leaf("api.example.com"); err != nil {
		t.Fatal(err)
	}
	if err := a.Rotate(t.Context(), audit.Details{"uid": 7}); err != nil {
		t.Fatal(err)
	}
	after := a.Bundle()
	if count(before) != 2 || count(after) != 1 {
		t.Errorf("%d CAs, and then %d", count(before), count(after))
	}
	for name, a := range map[string]*authority.Authority{"at once": a, "after a start": w.open("api.example.com", "sub.example.org")} {
		for _, host := range []string{"api.example.com", "a.sub.example.org"} {
			if err := w.trusts(after, a, host); err != nil {
				t.Errorf("%s, %s: %v", name, host, err)
			}
			if w.trusts(before, a, host) == nil {
				t.Errorf("%s, %s: who trusts the old CAs believes it", name, host)
			}
		}
	}
	if e := w.lastEvent(); e.Action != audit.ForwardCA || len(e.Details.Replaces) != 2 || e.Details.UID != 7 {
		t.Errorf("the audit log has %+v", e)
	}
	if err := w.open().Rotate(t.Context(), audit.Details{}); !errors.Is(err, authority.ErrNoNames) {
		t.Errorf("without hosts: %v", err)
	}
}
