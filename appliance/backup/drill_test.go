package backup_test

import (
	"bytes"
	"encoding/json"
	"errors"
	"strings"
	"testing"

	"github.com/oneclaw/oneclawd/appliance/backup"
	"github.com/oneclaw/oneclawd/internal/id"
	"github.com/oneclaw/oneclawd/store"
	"github.com/oneclaw/oneclawd/vault"
	"github.com/oneclaw/oneclawd/vault/audit"
)

// TestDrill: a backup of many secrets is put back and opened, the appliance
// signs for it, and remembers it.
func TestDrill(t *testing.T) {
	w := newWorld(t)
	w.put(0, *secrets)
	w.drain()
	w.put(0, 50) // new versions, whose events stay in the data file
	file := w.backup()
	scratch := t.TempDir()
	r, err := backup.Drill(w.ctx, bytes.NewReader(file), w.module, scratch, backup.DrillOptions{VerifierKey: w.vkey, Oneclawd: "1.2.3"})
	w.ok(err)
	if r.Opened != min(200, *secrets) || r.Opened != r.Sampled || r.Leaving != 0 {
		t.Errorf("opened %d of %d values", r.Opened, r.Sampled)
	}
	report := must(backup.Verify(w.ctx, bytes.NewReader(file), w.vkey, nil))(t)
	m := report.Manifest
	if m.State.Tables["envelope"] != uint64(*secrets+50) || m.State.Tables["secret"] != uint64(*secrets) {
		t.Errorf("the manifest counts %v", m.State.Tables)
	}
	if r.EventsVerified != m.Audit.Size || r.Audit != m.Audit || m.Events.Count == 0 || m.Events.Count >= m.Audit.Size {
		t.Errorf("verified %d events of %d, %d from the archive", r.EventsVerified, m.Audit.Size, m.Events.Count)
	}
	if r.Backup != m.Sum() || !r.Pinned || r.Tables != len(m.State.Tables) || r.Records == 0 || r.Finished.Before(r.Started) {
		t.Errorf("%+v", r)
	}
	if names := left(t, scratch); len(names) > 0 {
		t.Errorf("the drill left %v", names)
	}

	raw := must(json.Marshal(r))(t)
	var again backup.Receipt
	w.ok(json.Unmarshal(raw, &again))
	w.ok(again.Verify(w.vkey))
	if again.Verify(newWorld(t).vkey) == nil {
		t.Error("another appliance's key takes the receipt")
	}
	again.Opened++
	if err := again.Verify(w.vkey); !errors.Is(err, audit.ErrStatement) {
		t.Errorf("an altered receipt: %v", err)
	}

	runner := store.Runner[backup.Tx](w.db)
	if s := must(backup.Look(w.ctx, runner))(t); s.Last != nil || s.Proven != nil {
		t.Errorf("before: %+v", s)
	}
	w.ok(backup.RecordBackup(w.ctx, runner, m))
	w.ok(backup.RecordDrill(w.ctx, runner, m.Instance, r, nil))
	w.ok(backup.RecordDrill(w.ctx, runner, m.Instance, backup.Receipt{}, backup.ErrDamaged))
	s := must(backup.Look(w.ctx, runner))(t)
	if s.Last == nil || s.Last.Backup != m.Sum() || s.Proven == nil || s.Proven.Backup != m.Sum() {
		t.Fatalf("after: %+v", s)
	}
	w.ok(s.Proven.Verify(w.vkey))
	if rep := w.verifyLog(); !rep.OK() {
		t.Errorf("%+v", rep.Problems)
	}
}

// TestDrillFindsWhatWasBackedUpBroken: the signature is right, since the
// appliance signed it, but what it signed cannot be used.
func TestDrillFindsWhatWasBackedUpBroken(t *testing.T) {
	for _, c := range []struct {
		name, want string
		spoil      func(*world, *backup.Source)
	}{
		{"an archived event is missing", "the audit log, at record 3", func(_ *world, s *backup.Source) {
			s.Archive = holed{s.Archive, 3}
		}},
		{"a value is not what was sealed", "does not open", func(w *world, _ *backup.Source) {
			w.ok(store.Runner[vault.Tx](w.db).Update(w.ctx, func(tx vault.Tx) error {
				ref := id.New()
				if err := tx.PutSecretRef(ref, vault.SecretRef{Org: w.owner.Org, Vault: w.v.ID, Path: must(vault.ParseSecretPath("a/b"))(t)}); err != nil {
					return err
				}
				return tx.PutEnvelope(ref, 1, []byte("rubbish"))
			}))
		}},
	} {
		t.Run(c.name, func(t *testing.T) {
			w := newWorld(t)
			w.put(0, 20)
			w.drain()
			src := w.source()
			c.spoil(w, &src)
			var file bytes.Buffer
			must(backup.Create(w.ctx, src, &file, nil))(t)
			must(backup.Verify(w.ctx, bytes.NewReader(file.Bytes()), w.vkey, nil))(t)
			scratch := t.TempDir()
			r, err := backup.Drill(w.ctx, bytes.NewReader(file.Bytes()), w.module, scratch, backup.DrillOptions{})
			if !errors.Is(err, backup.ErrDrill) || !strings.Contains(err.Error(), c.want) {
				t.Errorf("got %v, want %q", err, c.want)
			}
			if r.Signature != "" || len(left(t, scratch)) > 0 {
				t.Errorf("signed %q, left %v", r.Signature, left(t, scratch))
			}
		})
	}
}

// holed is an archive that lost one event.
type holed struct {
	audit.Archive
	hole uint64
}

func (h holed) Ascend(from, to uint64, fn func(audit.Entry) bool) error {
	return h.Archive.Ascend(from, to, func(e audit.Entry) bool { return e.Seq == h.hole || fn(e) })
}

// TestDrillOfADeletedVault: values of a vault that is being deleted are not
// anybody's any more.
func TestDrillOfADeletedVault(t *testing.T) {
	w := newWorld(t)
	w.put(0, 10)
	w.ok(store.Runner[vault.Tx](w.db).Update(w.ctx, func(tx vault.Tx) error { // the first of the two steps
		if err := tx.PutDoomed(w.v.ID); err != nil {
			return err
		}
		return tx.DeleteVault(w.owner.Org, w.v.ID)
	}))
	r, err := backup.Drill(w.ctx, bytes.NewReader(w.backup()), w.module, t.TempDir(), backup.DrillOptions{Sample: 100})
	w.ok(err)
	if r.Sampled != 10 || r.Leaving != 10 || r.Opened != 0 {
		t.Errorf("%+v", r)
	}
}
