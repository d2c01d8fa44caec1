package hsmtest

import (
	"context"
	"os"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/decred/dcrd/dcrec/secp256k1/v4"
	"github.com/decred/dcrd/dcrec/secp256k1/v4/ecdsa"

	"github.com/oneclaw/oneclawd/hsm"
	"github.com/oneclaw/oneclawd/hsm/local"
	"github.com/oneclaw/oneclawd/hsm/soft"
)

// Memory returns a module with a root key whose storage ends with the test, for
// tests of packages that use one. It has account keys, as a token does.
func Memory(t testing.TB) hsm.Module {
	t.Helper()
	m := newStorage(t).open(t)
	t.Cleanup(func() { _ = m.Close() })
	if err := m.Init(t.Context()); err != nil {
		t.Fatalf("making keys for the test: %v", err)
	}
	return m
}

// storage is what modules of one test share: local keys, and account keys in a
// map, which the local module does not have.
type storage struct {
	dir      string
	mu       sync.Mutex
	accounts map[string][32]byte // private keys by handle
}

func newStorage(t testing.TB) *storage {
	return &storage{dir: t.TempDir(), accounts: map[string][32]byte{}}
}

func (s *storage) open(t testing.TB) hsm.Module {
	t.Helper()
	m, err := local.Open(local.Config{Dir: s.dir})
	if err != nil {
		t.Fatalf("opening keys for the test: %v", err)
	}
	return &memory{Module: m, storage: s}
}

// memory is a module with account keys.
type memory struct {
	hsm.Module
	storage *storage
}

var _ hsm.AccountKeys = (*memory)(nil)

func (m *memory) Describe() hsm.Description {
	d := m.Module.Describe()
	d.Accounts = "resident"
	return d
}

func (m *memory) NewAccountKey(ctx context.Context) (hsm.AccountKey, error) {
	scalar := random(32)
	for !validScalar(scalar) {
		scalar = random(32)
	}
	key, err := m.ImportAccountKey(ctx, scalar)
	key.Imported = false
	return key, err
}

func validScalar(scalar []byte) bool { _, err := soft.AccountPublic(scalar); return err == nil }

func (m *memory) ImportAccountKey(ctx context.Context, scalar []byte) (hsm.AccountKey, error) {
	public, err := soft.AccountPublic(scalar)
	if err != nil {
		return hsm.AccountKey{}, err
	}
	if err := m.Check(ctx); err != nil { // closed, or without a root key
		return hsm.AccountKey{}, err
	}
	key := hsm.AccountKey{Public: public, Handle: random(16), Imported: true}
	m.storage.mu.Lock()
	defer m.storage.mu.Unlock()
	m.storage.accounts[string(key.Handle)] = [32]byte(scalar)
	return key, nil
}

// find returns the private half of key.
func (m *memory) find(ctx context.Context, key hsm.AccountKey) ([]byte, error) {
	if err := m.Check(ctx); err != nil {
		return nil, err
	}
	m.storage.mu.Lock()
	defer m.storage.mu.Unlock()
	scalar, ok := m.storage.accounts[string(key.Handle)]
	if !ok {
		return nil, hsm.ErrNoAccountKey
	}
	if public, err := soft.AccountPublic(scalar[:]); err != nil || public != key.Public {
		return nil, hsm.ErrAuthentic
	}
	return scalar[:], nil
}

// SignDigest gives a high s for half of all digests, as tokens do: who forgets to
// put that right is to notice.
func (m *memory) SignDigest(ctx context.Context, key hsm.AccountKey, digest [32]byte) ([64]byte, error) {
	scalar, err := m.find(ctx, key)
	if err != nil {
		return [64]byte{}, err
	}
	made := ecdsa.Sign(secp256k1.PrivKeyFromBytes(scalar), digest[:])
	r, s := made.R(), made.S()
	if digest[31]&1 == 1 {
		s.Negate()
	}
	rb, sb := r.Bytes(), s.Bytes()
	return [64]byte(slices.Concat(rb[:], sb[:])), nil
}

func (m *memory) DestroyAccountKey(ctx context.Context, key hsm.AccountKey) error {
	if _, err := m.find(ctx, key); err != nil {
		return err
	}
	m.storage.mu.Lock()
	defer m.storage.mu.Unlock()
	if _, ok := m.storage.accounts[string(key.Handle)]; !ok {
		return hsm.ErrNoAccountKey // another call was quicker
	}
	delete(m.storage.accounts, string(key.Handle))
	return nil
}

// require skips the test because something is missing on this machine, unless
// ONECLAW_REQUIRE lists it: then that is a failure, so that CI cannot pass by
// skipping.
func require(t testing.TB, what, missing string) {
	t.Helper()
	if slices.Contains(strings.Split(os.Getenv("ONECLAW_REQUIRE"), ","), what) {
		t.Fatalf("ONECLAW_REQUIRE has %q, but %s", what, missing)
	}
	t.Skipf("no %s: %s", what, missing)
}
