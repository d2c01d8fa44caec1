package backup_test

import (
	"bytes"
	"context"
	"errors"
	"path/filepath"
	"strings"
	"sync/atomic"
	"testing"

	"github.com/oneclaw/oneclawd/appliance/backup"
	"github.com/oneclaw/oneclawd/hsm"
	"github.com/oneclaw/oneclawd/hsm/hsmtest"
	"github.com/oneclaw/oneclawd/internal/fault"
	"github.com/oneclaw/oneclawd/internal/id"
	"github.com/oneclaw/oneclawd/internal/plain"
	"github.com/oneclaw/oneclawd/store"
	"github.com/oneclaw/oneclawd/vault"
	"github.com/oneclaw/oneclawd/vault/audit"
	"github.com/oneclaw/oneclawd/vault/envelope"
)

func recoveryIdentity(t testing.TB, secret string) *backup.RecoveryIdentity {
	t.Helper()
	return must(backup.NewRecoveryIdentity(plain.FromString(secret)))(t)
}

// recoverable is w's source with a recovery key.
func (w *world) recoverable(who *backup.RecoveryIdentity, modules ...string) backup.Source {
	src := w.source()
	src.Recovery, src.Keys, src.Modules = who.Key(), w.Module, modules
	return src
}

func (w *world) backupWith(src backup.Source) ([]byte, backup.Manifest) {
	w.Helper()
	var buf bytes.Buffer
	m := must(backup.Create(w.ctx, src, &buf, nil))(w)
	return buf.Bytes(), m
}

func (w *world) recovery(who *backup.RecoveryIdentity, module hsm.Module) backup.RecoverOptions {
	return backup.RecoverOptions{Identity: who, Module: module, VerifierKey: w.vkey}
}

// recovered is the appliance that comes out of a backup of w's and a new HSM.
func (w *world) recovered(t testing.TB, file []byte, who *backup.RecoveryIdentity) (*world, backup.Recovered) {
	t.Helper()
	dir := filepath.Join(t.TempDir(), "data")
	r := &world{TB: t, ctx: t.Context(), module: hsmtest.Memory(t), guest: w.guest, owner: w.owner, v: w.v}
	got := must(backup.Recover(r.ctx, bytes.NewReader(file), dir, w.recovery(who, r.module)))(t)
	r.open(dir)
	return r, got
}

// TestRecover is the end of an HSM: with the recovery key and another HSM all is there
// again, and goes on.
func TestRecover(t *testing.T) {
	w := newWorld(t)
	who := recoveryIdentity(t, "in five safes")
	w.put(0, 40)
	w.put(0, 20) // a second version
	w.drain()
	old := must(w.points.Checkpoint(w.ctx))(t)
	w.put(40, 45) // some in the archive, some not
	file, m := w.backupWith(w.recoverable(who))
	if e := m.Escrow; m.Format != 2 || e == nil || e.Keys != 65 || e.Total() != 65 || e.Recipient != who.Key().Digest() || len(e.Modules) > 0 {
		t.Fatalf("%+v", m.Escrow)
	}
	if bytes.Contains(file, []byte("CANARY")) {
		t.Error("values show")
	}
	// It is a backup as any other, too.
	dir := filepath.Join(t.TempDir(), "data")
	must(backup.Restore(w.ctx, bytes.NewReader(file), dir, w.options()))(t)
	if got := w.restored(t, dir).get(7); got != value(7) {
		t.Errorf("restored with the old HSM: %q", got)
	}

	r, got := w.recovered(t, file, who)
	r.continues(w, old, got)
	for i := range 45 {
		if v := r.get(i); v != value(i) {
			t.Fatalf("value %d is %q", i, v)
		}
	}
	if got.Values != 65 || got.Vaults != 1 || got.Before != w.vkey || got.VerifierKey != r.vkey || r.vkey == w.vkey {
		t.Errorf("%+v", got)
	}
	r.put(45, 50)
	r.put(0, 5)
	if v := r.get(47); v != value(47) {
		t.Errorf("written after: %q", v)
	}
	must(r.points.Checkpoint(r.ctx))(t)
	if rep := r.verifyLog(); !rep.OK() {
		t.Errorf("%v", rep.Problems)
	}
	again, _ := r.backupWith(r.recoverable(who))
	rec := must(backup.Drill(r.ctx, bytes.NewReader(again), r.module, t.TempDir(), backup.DrillOptions{VerifierKey: r.vkey}))(t)
	if rec.Escrowed != 75 || rec.RecoveryKey != backup.RecoveryName(who.Key().Digest()) {
		t.Errorf("%+v", rec)
	}
}

// continues checks that the audit log goes on where before's was, and says why its
// signature is another.
func (w *world) continues(before *world, old audit.Checkpoint, got backup.Recovered) {
	w.Helper()
	if must(w.module.Anchor(w.ctx))(w) != nil {
		w.Error("the HSM remembers a log that nobody has started on yet")
	}
	w.ok(w.points.CheckAnchor(w.ctx))
	rep := w.verifyLog()
	if !rep.OK() {
		w.Errorf("the log after: %v", rep.Problems)
	}
	if _, err := audit.OpenCheckpoint(rep.Checkpoint.Note, w.vkey); err != nil || rep.Checkpoint.Size != rep.Size {
		w.Errorf("the checkpoint is of %d events, %v", rep.Checkpoint.Size, err)
	}
	g := &audit.Log{DB: store.Runner[audit.Tx](w.db), Archive: w.archive, Checkpoints: w.points}
	if _, err := audit.OpenCheckpoint(old.Note, before.vkey); err != nil {
		w.Error(err)
	}
	must(g.ConsistencyProof(w.ctx, old.Size, rep.Size))(w)
	events := must(g.Query(w.ctx, id.ID{}, audit.Filter{Action: audit.ApplianceRecover, Limit: 10}))(w)
	if len(events) != 1 || events[0].Details["verifier_key_before"] != before.vkey || events[0].Details["verifier_key"] != got.VerifierKey {
		w.Errorf("the event: %+v", events)
	}
	if events = must(g.Query(w.ctx, w.owner.Org, audit.Filter{Action: audit.KEKRecover, Limit: 10}))(w); len(events) != 1 {
		w.Errorf("the vault's event: %+v", events)
	}
}

// TestRecoverTakesNothingAlong: what the backup's escrow opens is not what is stored
// afterwards, and the old HSM, should it come back, opens nothing of it.
func TestRecoverTakesNothingAlong(t *testing.T) {
	w := newWorld(t)
	who := recoveryIdentity(t, "in five safes")
	w.put(0, 1)
	file, _ := w.backupWith(w.recoverable(who))
	old := w.sealed(0)
	r, _ := w.recovered(t, file, who)
	fresh := r.sealed(0)
	before, after := w.kek(), r.kek()
	dek := must(envelope.OpenKey(w.ctx, w.module, before.Current().Envelope(), w.binding(0), old))(t)
	must(envelope.OpenWith(dek, w.binding(0), old))(t)
	if _, err := envelope.OpenWith(dek, w.binding(0), fresh); !errors.Is(err, envelope.ErrDamaged) {
		t.Errorf("the old key opens the new envelope: %v", err)
	}
	if _, err := envelope.Open(w.ctx, w.module, after.Current().Envelope(), w.binding(0), fresh); err == nil {
		t.Error("the old HSM opens the new envelope")
	}
	if bytes.Equal(before.KEK, after.KEK) || before.Current().Generation != after.Current().Generation || len(after.Older) > 0 {
		t.Errorf("%+v", after)
	}
}

func (w *world) kek() (v vault.Vault) {
	w.Helper()
	w.ok(store.Runner[vault.Tx](w.db).View(w.ctx, func(tx vault.Tx) (err error) {
		v, _, err = tx.Vault(w.owner.Org, w.v.ID)
		return err
	}))
	return v
}

func (w *world) secret(i int) (s vault.Secret) {
	w.Helper()
	w.ok(store.Runner[vault.Tx](w.db).View(w.ctx, func(tx vault.Tx) (err error) {
		s, _, err = tx.Secret(w.v.ID, must(vault.ParseSecretPath(path(i)))(w))
		return err
	}))
	return s
}

func (w *world) binding(i int) envelope.Binding {
	return envelope.Binding{Org: w.owner.Org, Vault: w.v.ID, Secret: w.secret(i).ID, Version: 1}
}

func (w *world) sealed(i int) (sealed []byte) {
	w.Helper()
	id := w.secret(i).ID
	w.ok(store.Runner[vault.Tx](w.db).View(w.ctx, func(tx vault.Tx) error {
		b, _, err := tx.Envelope(id, 1)
		sealed = bytes.Clone(b)
		return err
	}))
	return sealed
}

// TestRecoverRefuses goes through what is wrong with a backup, its keys or the HSM.
func TestRecoverRefuses(t *testing.T) {
	w := newWorld(t)
	who, other := recoveryIdentity(t, "in five safes"), recoveryIdentity(t, "of others")
	w.put(0, 12)
	file, _ := w.backupWith(w.recoverable(who))
	const head, entry = backup.EscrowHead, backup.EscrowEntrySize
	edited := func(edit func(escrow []byte, m *backup.Manifest) []byte) []byte {
		return backup.Reescrowed(t, file, who, w.points.Key, edit)
	}
	fine := w.recovery(who, nil)
	fromOthers, untrusted := fine, fine
	fromOthers.Identity, untrusted.VerifierKey = other, newWorld(t).vkey
	for _, c := range []struct {
		name string
		file []byte
		o    backup.RecoverOptions
		want *fault.Error
		text string
	}{
		{"another recovery key", file, fromOthers, backup.ErrOtherRecovery, "do not make the recovery key"},
		{"another key that says it is this one", backup.Resigned(t, file, w.points.Key, func(m *backup.Manifest) { m.Escrow.Recipient = other.Key().Digest() }), fromOthers, backup.ErrOtherRecovery, ""},
		{"no recovery key", w.backup(), fine, backup.ErrNoEscrow, "without a recovery key"},
		{"of another appliance", file, untrusted, backup.ErrUntrusted, ""},
		{"cut short", file[:len(file)-1], fine, backup.ErrDamaged, "cut off"},
		{"an escrow without its end", edited(func(e []byte, _ *backup.Manifest) []byte { return e[:len(e)-1] }), fine, backup.ErrDamaged, ""},
		{"an escrow of nothing", edited(func([]byte, *backup.Manifest) []byte { return nil }), fine, backup.ErrDamaged, ""},
		{"of another backup", edited(func(e []byte, _ *backup.Manifest) []byte { e[20] ^= 1; return e }), fine, backup.ErrDamaged, "other backup"},
		{"fewer keys than the manifest says", edited(func(e []byte, _ *backup.Manifest) []byte { return e[:len(e)-entry] }), fine, backup.ErrDamaged, "11 recovery keys for 11 values, the manifest says 12"},
		{"no key for a value", edited(func(e []byte, m *backup.Manifest) []byte {
			m.Escrow.Keys--
			return append(e[:head+3*entry], e[head+4*entry:]...)
		}), fine, backup.ErrEscrow, "no recovery key for it"},
		{"no key for the last value", edited(func(e []byte, m *backup.Manifest) []byte { m.Escrow.Keys--; return e[:len(e)-entry] }), fine, backup.ErrEscrow, "no recovery key for it"},
		{"a key for no value", edited(func(e []byte, m *backup.Manifest) []byte {
			m.Escrow.Keys++
			last := bytes.Clone(e[len(e)-entry:])
			last[entry-33]++ // the version after it
			return append(e, last...)
		}), fine, backup.ErrEscrow, "and no value"},
		{"an altered key", edited(func(e []byte, _ *backup.Manifest) []byte { e[head+5*entry-1] ^= 1; return e }), fine, backup.ErrEscrow, "does not open it"},
		{"swapped keys", edited(func(e []byte, _ *backup.Manifest) []byte {
			for i := range 32 {
				a, b := head+entry-32+i, head+2*entry-32+i
				e[a], e[b] = e[b], e[a]
			}
			return e
		}), fine, backup.ErrEscrow, "does not open it"},
		{"a key that is said to be elsewhere", edited(func(e []byte, m *backup.Manifest) []byte {
			m.Escrow.Keys, m.Escrow.Elsewhere = m.Escrow.Keys-1, 1
			e[head] = 'e'
			clear(e[head+entry-32 : head+entry])
			return e
		}), fine, backup.ErrEscrow, "in the HSM that is gone"},
		{"a vault that is said to be deleted", edited(func(e []byte, m *backup.Manifest) []byte {
			m.Escrow.Keys, m.Escrow.Leaving = m.Escrow.Keys-1, 1
			e[head] = 'l'
			clear(e[head+entry-32 : head+entry])
			return e
		}), fine, backup.ErrEscrow, "its vault is there"},
		{"another store key", edited(func(e []byte, _ *backup.Manifest) []byte { e[head-1] ^= 1; return e }), fine, backup.ErrEscrow, "store key"},
	} {
		t.Run(c.name, func(t *testing.T) {
			c.o.Module = hsmtest.Memory(t)
			dir := filepath.Join(t.TempDir(), "data")
			_, err := backup.Recover(t.Context(), bytes.NewReader(c.file), dir, c.o)
			if !errors.Is(err, c.want) || !strings.Contains(deep(err), c.text) {
				t.Errorf("got %v, want %v with %q", deep(err), c.want, c.text)
			}
			if names := left(t, filepath.Dir(dir)); len(names) > 0 {
				t.Errorf("it left %v", names)
			}
		})
	}
}

// deep is an error with what is behind it.
func deep(err error) string {
	text := ""
	for ; err != nil; err = errors.Unwrap(err) {
		text += err.Error() + "; "
	}
	return text
}

// TestRecoverNeedsANewHSM: one that an appliance uses is refused, before anything is
// done; so is a folder that is.
func TestRecoverNeedsANewHSM(t *testing.T) {
	w := newWorld(t)
	who := recoveryIdentity(t, "in five safes")
	w.put(0, 3)
	file, _ := w.backupWith(w.recoverable(who))
	must(w.points.Checkpoint(w.ctx))(t)
	dir := filepath.Join(t.TempDir(), "data")
	inUse := w.recovery(who, w.module)
	if _, err := backup.Recover(w.ctx, bytes.NewReader(file), dir, inUse); !errors.Is(err, backup.ErrHSMInUse) {
		t.Errorf("the HSM of an appliance: %v", err)
	}
	if plan := must(backup.InspectRecovery(w.ctx, bytes.NewReader(file), dir, inUse))(t); !errors.Is(plan.Keys, backup.ErrHSMInUse) {
		t.Errorf("the dry run: %v", plan.Keys)
	}
	fine := w.recovery(who, hsmtest.Memory(t))
	if plan := must(backup.InspectRecovery(w.ctx, bytes.NewReader(file), dir, fine))(t); plan.Keys != nil || plan.Target != nil || !plan.Pinned {
		t.Errorf("%+v", plan)
	}
	if len(left(t, filepath.Dir(dir))) > 0 {
		t.Errorf("a dry run left %v", left(t, filepath.Dir(dir)))
	}
	writeFile(t, filepath.Join(dir, "state.db"), []byte("x"))
	if _, err := backup.Recover(w.ctx, bytes.NewReader(file), dir, fine); !errors.Is(err, backup.ErrTarget) {
		t.Errorf("a folder in use: %v", err)
	}
}

// TestRecoverAgain: a recovery that failed late leaves an HSM that the next can use.
func TestRecoverAgain(t *testing.T) {
	w := newWorld(t)
	who := recoveryIdentity(t, "in five safes")
	w.put(0, 3)
	file, _ := w.backupWith(w.recoverable(who))
	dir := filepath.Join(t.TempDir(), "data")
	o := w.recovery(who, hsmtest.Memory(t))
	limited := o
	tired := &tiring{Module: o.Module}
	tired.wraps.Store(3)
	limited.Module = tired
	if _, err := backup.Recover(w.ctx, bytes.NewReader(file), dir, limited); !errors.Is(err, hsm.ErrUnavailable) {
		t.Fatal(err)
	}
	if len(left(t, filepath.Dir(dir))) > 0 {
		t.Errorf("it left %v", left(t, filepath.Dir(dir)))
	}
	must(backup.Recover(w.ctx, bytes.NewReader(file), dir, o))(t)
}

// tiring is a module that wraps so often.
type tiring struct {
	hsm.Module
	wraps atomic.Int32
}

func (f *tiring) Wrap(ctx context.Context, kek hsm.KEK, key, aad []byte) ([]byte, error) {
	if f.wraps.Add(-1) < 0 {
		return nil, hsm.ErrUnavailable
	}
	return f.Module.Wrap(ctx, kek, key, aad)
}
