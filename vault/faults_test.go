package vault_test

import (
	"context"
	"sync"
	"sync/atomic"

	"github.com/oneclaw/oneclawd/hsm"
	"github.com/oneclaw/oneclawd/internal/id"
	"github.com/oneclaw/oneclawd/internal/txn"
	"github.com/oneclaw/oneclawd/vault"
)

// faults is a store of which chosen methods fail, and that something can be
// slipped into between two transactions.
type faults struct {
	txn.Runner[vault.Tx]

	mu     sync.Mutex
	fail   map[string]error // by method of Tx
	only   id.ID            // the one vault that Secrets fails for, if set
	before func()           // runs once, before the next Update
}

func (f *faults) set(method string, err error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.fail, f.only = map[string]error{method: err}, id.ID{}
}

func (f *faults) onlyFor(v id.ID) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.only = v
}

func (f *faults) clear() { f.set("", nil) }

func (f *faults) slip(fn func()) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.before = fn
}

func (f *faults) err(method string) error {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.fail[method]
}

func (f *faults) View(ctx context.Context, fn func(vault.Tx) error) error {
	return f.Runner.View(ctx, func(tx vault.Tx) error { return fn(&faultyTx{tx, f}) })
}

func (f *faults) Update(ctx context.Context, fn func(vault.Tx) error) error {
	f.mu.Lock()
	before := f.before
	f.before = nil
	f.mu.Unlock()
	if before != nil {
		before()
	}
	return f.Runner.Update(ctx, func(tx vault.Tx) error { return fn(&faultyTx{tx, f}) })
}

type faultyTx struct {
	vault.Tx
	f *faults
}

func (t *faultyTx) PutAuditLeaf(seq uint64, leaf []byte) error {
	if err := t.f.err("PutAuditLeaf"); err != nil {
		return err
	}
	return t.Tx.PutAuditLeaf(seq, leaf)
}

func (t *faultyTx) PutSecret(s vault.Secret) error {
	if err := t.f.err("PutSecret"); err != nil {
		return err
	}
	return t.Tx.PutSecret(s)
}

func (t *faultyTx) PutEnvelope(secret id.ID, number uint32, sealed []byte) error {
	if err := t.f.err("PutEnvelope"); err != nil {
		return err
	}
	return t.Tx.PutEnvelope(secret, number, sealed)
}

func (t *faultyTx) Secrets(v id.ID) ([]vault.Secret, error) {
	if err := t.f.err("Secrets"); err != nil && (t.f.only.IsZero() || t.f.only == v) {
		return nil, err
	}
	return t.Tx.Secrets(v)
}

func (t *faultyTx) DeleteSecret(v id.ID, path vault.SecretPath) error {
	if err := t.f.err("DeleteSecret"); err != nil {
		return err
	}
	return t.Tx.DeleteSecret(v, path)
}

func (t *faultyTx) DeleteDoomed(v id.ID) error {
	if err := t.f.err("DeleteDoomed"); err != nil {
		return err
	}
	return t.Tx.DeleteDoomed(v)
}

// flaky is a module that can be made to fail.
type flaky struct {
	hsm.Module
	down atomic.Pointer[error]
	wait atomic.Pointer[func()]
}

// hook has fn called before each use of a KEK.
func (m *flaky) hook(fn func()) { m.wait.Store(&fn) }

func (m *flaky) breakDown(err error) { m.down.Store(&err) }
func (m *flaky) repair()             { m.down.Store(nil) }

func (m *flaky) err() error {
	if fn := m.wait.Load(); fn != nil {
		(*fn)()
	}
	if e := m.down.Load(); e != nil {
		return *e
	}
	return nil
}

func (m *flaky) NewKEK(ctx context.Context) (hsm.KEK, error) {
	if err := m.err(); err != nil {
		return nil, err
	}
	return m.Module.NewKEK(ctx)
}

func (m *flaky) Wrap(ctx context.Context, kek hsm.KEK, key, aad []byte) ([]byte, error) {
	if err := m.err(); err != nil {
		return nil, err
	}
	return m.Module.Wrap(ctx, kek, key, aad)
}

func (m *flaky) Unwrap(ctx context.Context, kek hsm.KEK, wrapped, aad []byte) ([]byte, error) {
	if err := m.err(); err != nil {
		return nil, err
	}
	return m.Module.Unwrap(ctx, kek, wrapped, aad)
}
