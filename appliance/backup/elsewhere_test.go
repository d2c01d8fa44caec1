package backup_test

import (
	"bytes"
	"errors"
	"slices"
	"strings"
	"testing"

	"github.com/oneclaw/oneclawd/appliance/backup"
	"github.com/oneclaw/oneclawd/hsm"
	"github.com/oneclaw/oneclawd/hsm/hsmtest"
	"github.com/oneclaw/oneclawd/store"
	"github.com/oneclaw/oneclawd/vault"
)

// guested is an appliance with one vault, of ten values, in a module of its own, and
// ten values in the default one.
func guested(t testing.TB) (w *world, inGuest vault.Vault) {
	w = newWorld(t)
	w.guest = hsmtest.Memory(t)
	w.put(0, 10)
	own := w.v
	w.ok(w.vaults.AssignModule(w.ctx, w.owner.Org, "guest", nil))
	w.v = must(w.vaults.Create(w.ctx, w.owner, "theirs", ""))(t)
	w.put(0, 10)
	inGuest, w.v = w.v, own
	return w, inGuest
}

// TestRecoverLeavesOtherModulesAlone: an HSM that somebody else brought is not
// escrowed. Its vaults open with it as before, and without it not at all.
func TestRecoverLeavesOtherModulesAlone(t *testing.T) {
	w, theirs := guested(t)
	who := recoveryIdentity(t, "in five safes")
	file, m := w.backupWith(w.recoverable(who))
	if e := m.Escrow; e.Keys != 10 || e.Elsewhere != 10 || len(e.Modules) > 0 {
		t.Fatalf("%+v", e)
	}
	o := backup.DrillOptions{VerifierKey: w.vkey, Modules: w.Module}
	if rec := must(backup.Drill(w.ctx, bytes.NewReader(file), w.module, t.TempDir(), o))(t); rec.Escrowed != 10 {
		t.Errorf("%+v", rec)
	}
	r, got := w.recovered(t, file, who)
	if got.Vaults != 1 || got.Values != 10 {
		t.Errorf("%+v", got)
	}
	for _, v := range []vault.Vault{w.v, theirs} {
		if r.v = v; r.get(3) != value(3) {
			t.Errorf("%s: %q", v.Name, r.get(3))
		}
	}
	r.guest = nil
	if r.get(3) != "" {
		t.Error("their vault opens without their HSM")
	}
}

// TestRecoverOtherModules: one whose keys are escrowed may be gone as well.
func TestRecoverOtherModules(t *testing.T) {
	w, theirs := guested(t)
	who := recoveryIdentity(t, "in five safes")
	file, m := w.backupWith(w.recoverable(who, "guest"))
	if e := m.Escrow; e.Keys != 20 || e.Elsewhere != 0 || !slices.Equal(e.Modules, []string{"guest"}) {
		t.Fatalf("%+v", e)
	}
	w.guest = nil
	r, got := w.recovered(t, file, who)
	if r.v = theirs; got.Vaults != 2 || r.get(3) != value(3) || r.kek().Module != "" {
		t.Errorf("%+v, %q, %+v", got, r.get(3), r.kek())
	}
	// Away while the backup is made, it costs its own vaults their keys, and no more.
	_, m = w.backupWith(w.recoverable(who, "guest"))
	if e := m.Escrow; e.Keys != 10 || e.Elsewhere != 10 || len(e.Modules) > 0 {
		t.Errorf("%+v", e)
	}
}

// TestRecoverInARotation: a vault on its way from the default module to another one
// has values in both. It arrives after the recovery.
func TestRecoverInARotation(t *testing.T) {
	w := newWorld(t)
	who := recoveryIdentity(t, "in five safes")
	w.guest = hsmtest.Memory(t)
	w.put(0, 10)
	w.vaults.StopRotations() // so that nothing is rewrapped
	must(w.vaults.RotateKEK(w.ctx, w.v.Ref(), "guest", nil))(t)
	w.put(0, 3) // new versions
	if v := w.kek(); v.Module != "guest" || len(v.Older) != 1 {
		t.Fatalf("%+v", v)
	}
	file, m := w.backupWith(w.recoverable(who))
	if e := m.Escrow; e.Keys != 10 || e.Elsewhere != 3 {
		t.Fatalf("%+v", e)
	}
	r, _ := w.recovered(t, file, who)
	for i := range 10 {
		if got := r.get(i); got != value(i) {
			t.Errorf("value %d is %q", i, got)
		}
	}
	if v := r.kek(); v.Module != "guest" || len(v.Older) != 1 || v.Older[0].Module != "" {
		t.Errorf("%+v", v)
	}
	must(r.vaults.ResumeRewraps(r.ctx))(t)
	for i := 0; len(r.kek().Older) > 0 && i < 10000; i++ {
		r.put(20, 21) // meanwhile
	}
	if got := r.get(7); got != value(7) || len(r.kek().Older) > 0 {
		t.Errorf("after the rotation: %q, %+v", got, r.kek())
	}
}

// TestEscrowOfWhatIsBroken: a value that is lost already, and a vault that is being
// deleted, are counted and keep nobody from a backup or a recovery.
func TestEscrowOfWhatIsBroken(t *testing.T) {
	w := newWorld(t)
	who := recoveryIdentity(t, "in five safes")
	w.put(0, 10)
	lost := w.secret(4).ID
	doomed := must(w.vaults.Create(w.ctx, w.owner, "on its way out", ""))(t)
	own := w.v
	w.v = doomed
	w.put(0, 5)
	w.v = own
	w.ok(store.Runner[vault.Tx](w.db).Update(w.ctx, func(tx vault.Tx) error {
		if err := tx.PutEnvelope(lost, 1, []byte("rubbish")); err != nil {
			return err
		}
		if err := tx.PutDoomed(doomed.ID); err != nil {
			return err
		}
		return tx.DeleteVault(w.owner.Org, doomed.ID)
	}))
	file, m := w.backupWith(w.recoverable(who))
	if e := m.Escrow; e.Keys != 9 || e.Damaged != 1 || e.Leaving != 5 {
		t.Fatalf("%+v", e)
	}
	r, got := w.recovered(t, file, who)
	if got.Values != 9 || r.get(4) != "" || r.get(5) != value(5) {
		t.Errorf("%+v, %q, %q", got, r.get(4), r.get(5))
	}
	r.ok(r.vaults.FinishDeletions(r.ctx))
}

// TestDrillOfAnEscrow: what cannot be opened without the recovery key is at least
// counted.
func TestDrillOfAnEscrow(t *testing.T) {
	w, _ := guested(t)
	who := recoveryIdentity(t, "in five safes")
	file, _ := w.backupWith(w.recoverable(who))
	const entry = backup.EscrowEntrySize
	edited := func(edit func(escrow []byte, m *backup.Manifest) []byte) []byte {
		return backup.Reescrowed(t, file, who, w.points.Key, edit, backup.StoreSealer(t, w.db))
	}
	for _, c := range []struct {
		name string
		file []byte
		want error
		text string
	}{
		{"the figures are higher", backup.Resigned(t, file, w.points.Key, func(m *backup.Manifest) { m.Escrow.Keys++ }), backup.ErrDamaged, "20 recovery keys, the manifest says 21"},
		{"it is another section", backup.Resigned(t, file, w.points.Key, func(m *backup.Manifest) { m.Escrow.SHA256[0]++ }), backup.ErrDamaged, "not the ones of the manifest"},
		{"a value has none", edited(func(e []byte, m *backup.Manifest) []byte { m.Escrow.Keys--; return e[:len(e)-entry] }), backup.ErrDrill, "19 values, and 20 values"},
		{"those of a module are missing", edited(func(e []byte, m *backup.Manifest) []byte {
			m.Escrow.Keys, m.Escrow.Elsewhere = m.Escrow.Keys-1, m.Escrow.Elsewhere+1
			return e
		}), backup.ErrDrill, "9 values, and 10 that need one"},
	} {
		t.Run(c.name, func(t *testing.T) {
			o := backup.DrillOptions{Modules: w.Module}
			_, err := backup.Drill(w.ctx, bytes.NewReader(c.file), w.module, t.TempDir(), o)
			if !errors.Is(err, c.want) || !strings.Contains(deep(err), c.text) {
				t.Errorf("got %v, want %q", deep(err), c.text)
			}
		})
	}
}

// TestNoRecoveryKey: without one nothing is any different.
func TestNoRecoveryKey(t *testing.T) {
	w := newWorld(t)
	w.put(0, 3)
	src := w.source()
	src.Keys = func(string) (hsm.Module, error) {
		t.Error("the HSM was asked for a key")
		return nil, hsm.ErrUnavailable
	}
	file, m := w.backupWith(src)
	if m.Format != 1 || m.Escrow != nil || bytes.Contains(file, []byte("escrow")) || bytes.Contains(file, []byte("mlkem")) {
		t.Errorf("%+v", m)
	}
}

// TestRecordOfARecoverableBackup: the last one is remembered past those without.
func TestRecordOfARecoverableBackup(t *testing.T) {
	w := newWorld(t)
	who := recoveryIdentity(t, "in five safes")
	w.put(0, 3)
	db := store.Runner[backup.Tx](w.db)
	_, with := w.backupWith(w.recoverable(who))
	w.ok(backup.RecordBackup(w.ctx, db, with))
	_, without := w.backupWith(w.source())
	w.ok(backup.RecordBackup(w.ctx, db, without))
	s := must(backup.Look(w.ctx, db))(t)
	if r := s.Last.Recovery; s.Last.Backup != without.Sum() || r == nil || r.Values != 3 || !r.CreatedAt.Equal(with.CreatedAt) || r.Key != backup.RecoveryName(who.Key().Digest()) {
		t.Errorf("%+v, %+v", s.Last, s.Last.Recovery)
	}
}
