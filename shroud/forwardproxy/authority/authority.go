// Package authority owns the CA of the forward proxy: what clients have to trust so
// that the proxy can read what they say to the hosts of its list.
//
// The private key of the CA is kept where its Tx keeps it, sealed, and in memory, and in
// no file. What it may certify is written into its certificate: the hosts that were on
// the list when it was made, and nothing else. A list that grows gets one more CA, for
// what is new; those of before go on, so that clients that have not heard of the new
// one lose nothing. Only Rotate ends them, for when a key of theirs is not to be relied
// on any more.
//
// It must not know who asks for a certificate, nor what is done with it.
package authority

import (
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/sha256"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/hex"
	"encoding/pem"
	"fmt"
	"maps"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/oneclaw/oneclawd/internal/fault"
	"github.com/oneclaw/oneclawd/internal/txn"
	"github.com/oneclaw/oneclawd/vault/audit"
)

// Record is a CA as it is stored.
type Record struct {
	Cert []byte `json:"cert"` // DER
	Key  []byte `json:"key"`  // PKCS 8
}

// Tx is what this package reads and writes.
type Tx interface {
	audit.Tx

	// ForwardCAs are all of them, oldest first.
	ForwardCAs() ([]Record, error)
	// PutForwardCAs replaces them.
	PutForwardCAs(all []Record) error
}

// Lifetimes. Clients are told of a CA by hand; of a leaf by each handshake.
const (
	caYears   = 10
	caReserve = 90 * 24 * time.Hour // before its end another one is made
	leafValid = 24 * time.Hour
	leafFresh = leafValid / 2 // then another one is made
	backdate  = time.Hour     // clocks of clients differ
	maxLeaves = 1024          // kept ready
)

// ErrNotCertified: a name that is not on the list of hosts.
var ErrNotCertified = fault.New(fault.Denied, "host_not_certified", "the CA of the forward proxy may not certify this host")

// ErrNoNames: the list of hosts is empty, and nothing needs a CA.
var ErrNoNames = fault.New(fault.Conflict, "no_hosts", "the forward proxy has no hosts that a CA would be for")

// ca is one CA, ready to sign.
type ca struct {
	cert *x509.Certificate
	key  *ecdsa.PrivateKey
}

// Authority makes certificates. All methods may be called at once.
type Authority struct {
	db    txn.Runner[Tx]
	names []string          // that it is for
	key   *ecdsa.PrivateKey // of all leaves, of this process
	now   func() time.Time

	mu     sync.Mutex
	cas    []ca
	leaves map[string]*tls.Certificate
}

// Open takes up the CAs that there are, and makes another one for the names that none
// of them may certify for long. Names are of domains: what is below one is meant, too.
func Open(ctx context.Context, db txn.Runner[Tx], names []string, now func() time.Time) (*Authority, error) {
	a := &Authority{db: db, names: names, now: now, leaves: map[string]*tls.Certificate{}}
	var records []Record
	err := db.View(ctx, func(tx Tx) (err error) {
		records, err = tx.ForwardCAs()
		return err
	})
	if err != nil {
		return nil, err
	}
	for _, r := range records {
		one, err := r.open()
		if err != nil {
			return nil, fmt.Errorf("a CA of the forward proxy is unreadable: %w", err)
		}
		a.cas = append(a.cas, one)
	}
	if missing := slices.DeleteFunc(slices.Clone(names), func(n string) bool { return a.of(n, caReserve) != nil }); len(missing) > 0 {
		if err := a.add(ctx, missing); err != nil {
			return nil, err
		}
	}
	a.key, err = ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	return a, err
}

// add makes a CA for names and stores it. Those that have ended go.
func (a *Authority) add(ctx context.Context, names []string) error {
	made, record, err := makeCA(names, a.now())
	if err != nil {
		return err
	}
	err = a.db.Update(ctx, func(tx Tx) error {
		all, err := tx.ForwardCAs()
		if err != nil {
			return err
		}
		all = slices.DeleteFunc(slices.Clone(all), func(r Record) bool {
			old, err := x509.ParseCertificate(r.Cert)
			return err == nil && a.now().After(old.NotAfter)
		})
		if err := tx.PutForwardCAs(append(all, record)); err != nil {
			return err
		}
		return audit.Write(ctx, tx, a.event(made, audit.Details{"names": names}))
	})
	if err != nil {
		return err
	}
	a.cas = append(slices.DeleteFunc(a.cas, func(c ca) bool { return a.now().After(c.cert.NotAfter) }), made)
	return nil
}

// event says that a CA was made.
func (a *Authority) event(made ca, d audit.Details) audit.Event {
	return audit.Event{
		Actor: audit.Actor{Type: "system"}, Action: audit.ForwardCA, Time: a.now().UTC(), Outcome: audit.Success,
		Resource: audit.Resource{Type: "certificate", ID: Fingerprint(made.cert)}, Details: d,
	}
}

// Rotate makes one CA for all names and forgets those that there are: what clients were
// told to trust is good for nothing from then on. The details say who wants it.
func (a *Authority) Rotate(ctx context.Context, by audit.Details) error {
	if len(a.names) == 0 {
		return ErrNoNames
	}
	made, record, err := makeCA(a.names, a.now())
	if err != nil {
		return err
	}
	err = a.db.Update(ctx, func(tx Tx) error {
		before, err := tx.ForwardCAs()
		if err != nil {
			return err
		}
		details := maps.Clone(by)
		details["names"], details["replaces"] = a.names, fingerprints(before)
		if err := tx.PutForwardCAs([]Record{record}); err != nil {
			return err
		}
		return audit.Write(ctx, tx, a.event(made, details))
	})
	if err != nil {
		return err
	}
	a.mu.Lock()
	defer a.mu.Unlock()
	a.cas, a.leaves = []ca{made}, map[string]*tls.Certificate{}
	return nil
}

func fingerprints(all []Record) (out []string) {
	for _, r := range all {
		if c, err := x509.ParseCertificate(r.Cert); err == nil {
			out = append(out, Fingerprint(c))
		}
	}
	return out
}

func makeCA(names []string, now time.Time) (ca, Record, error) {
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		return ca{}, Record{}, err
	}
	random := make([]byte, 4)
	_, _ = rand.Read(random)
	form := &x509.Certificate{
		// Names of CAs differ: some clients look for an issuer by its name alone.
		Subject:   pkix.Name{CommonName: fmt.Sprintf("oneclawd forward proxy CA %x, made %s", random, now.UTC().Format(time.DateOnly))},
		NotBefore: now.Add(-backdate), NotAfter: now.AddDate(caYears, 0, 0),
		IsCA: true, BasicConstraintsValid: true, MaxPathLenZero: true,
		KeyUsage: x509.KeyUsageCertSign | x509.KeyUsageCRLSign, ExtKeyUsage: []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth},
		PermittedDNSDomainsCritical: true, PermittedDNSDomains: names,
	}
	der, err := x509.CreateCertificate(rand.Reader, form, form, key.Public(), key)
	if err != nil {
		return ca{}, Record{}, err
	}
	secret, err := x509.MarshalPKCS8PrivateKey(key)
	if err != nil {
		return ca{}, Record{}, err
	}
	r := Record{Cert: der, Key: secret}
	made, err := r.open()
	return made, r, err
}

func (r Record) open() (c ca, err error) {
	if c.cert, err = x509.ParseCertificate(r.Cert); err != nil {
		return c, err
	}
	key, err := x509.ParsePKCS8PrivateKey(r.Key)
	if err != nil {
		return c, err
	}
	var ok bool
	if c.key, ok = key.(*ecdsa.PrivateKey); !ok {
		return c, fmt.Errorf("its key is a %T", key)
	}
	return c, nil
}

// of is a CA that may certify a name and does not end before then, nil if there is none.
// It is called under the lock, or before there is anybody else.
func (a *Authority) of(name string, then time.Duration) *ca {
	end := a.now().Add(then)
	i := slices.IndexFunc(a.cas, func(c ca) bool {
		return end.Before(c.cert.NotAfter) && slices.ContainsFunc(c.cert.PermittedDNSDomains, func(d string) bool {
			return name == d || strings.HasSuffix(name, "."+d)
		})
	})
	if i < 0 {
		return nil
	}
	return &a.cas[i]
}

// Leaf is a certificate for a host.
func (a *Authority) Leaf(host string) (*tls.Certificate, error) {
	a.mu.Lock()
	defer a.mu.Unlock()
	now := a.now()
	if have, ok := a.leaves[host]; ok && have.Leaf.NotAfter.Sub(now) > leafFresh {
		return have, nil
	}
	by := a.of(host, leafValid)
	if by == nil {
		return nil, ErrNotCertified
	}
	form := &x509.Certificate{
		DNSNames: []string{host}, NotBefore: now.Add(-backdate), NotAfter: now.Add(leafValid),
		KeyUsage: x509.KeyUsageDigitalSignature, ExtKeyUsage: []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth},
	}
	if len(host) <= 64 { // as long as such a name may be
		form.Subject.CommonName = host
	}
	der, err := x509.CreateCertificate(rand.Reader, form, by.cert, a.key.Public(), by.key)
	if err != nil {
		return nil, err
	}
	leaf, err := x509.ParseCertificate(der)
	if err != nil {
		return nil, err
	}
	for old := range a.leaves { // any: the map's order is random
		if len(a.leaves) < maxLeaves {
			break
		}
		delete(a.leaves, old)
	}
	made := &tls.Certificate{Certificate: [][]byte{der}, PrivateKey: a.key, Leaf: leaf}
	a.leaves[host] = made
	return made, nil
}

// Bundle is what clients have to trust, PEM: the certificates of all CAs.
func (a *Authority) Bundle() []byte {
	a.mu.Lock()
	defer a.mu.Unlock()
	var out []byte
	for _, c := range a.cas {
		out = append(out, pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: c.cert.Raw})...)
	}
	return out
}

// Fingerprint is the SHA-256 of a certificate, in hexadecimal digits.
func Fingerprint(c *x509.Certificate) string {
	sum := sha256.Sum256(c.Raw)
	return hex.EncodeToString(sum[:])
}
