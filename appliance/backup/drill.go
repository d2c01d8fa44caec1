package backup

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"os"
	"path/filepath"
	"slices"
	"time"

	"github.com/oneclaw/oneclawd/hsm"
	"github.com/oneclaw/oneclawd/internal/fault"
	"github.com/oneclaw/oneclawd/internal/plain"
	"github.com/oneclaw/oneclawd/store"
	"github.com/oneclaw/oneclawd/store/events"
	"github.com/oneclaw/oneclawd/vault"
	"github.com/oneclaw/oneclawd/vault/audit"
	"github.com/oneclaw/oneclawd/vault/envelope"
)

// defaultSample is how many values a drill opens: with so many, a backup in
// which one of 30 values does not open passes once in 900 drills.
const defaultSample = 200

// DrillOptions of Drill; the zero value works.
type DrillOptions struct {
	VerifierKey string        // pinned; "" takes the backup's own
	Retention   time.Duration // that the appliance has; events before may be missing
	Sample      int           // how many values to open; 0 means 200
	Oneclawd    string        // version that drills
	Log         *slog.Logger  // nil means the default
	Progress    func(Progress)
	// Modules finds the modules, other than the one that Drill is given, that keep
	// the KEKs of vaults; nil if there are none.
	Modules func(name string) (hsm.Module, error)
}

// Drill proves that a backup can be put back: it restores it into a folder in
// scratch, unseals it with the module, opens every record, opens a random
// sample of the values (they are wiped at once), compares the records of each
// table with the manifest, and verifies the audit log to the root there. The
// receipt says so over the appliance's signature. The folder is removed.
//
// What it finds wrong is ErrDrill, or the error of Restore; the receipt then
// has the figures up to there and no signature.
func Drill(ctx context.Context, r io.ReadSeeker, module hsm.Module, scratch string, o DrillOptions) (_ Receipt, err error) {
	d := &drill{module: module, o: o}
	d.rec.Started, d.rec.Oneclawd, d.rec.Pinned = now(), o.Oneclawd, o.VerifierKey != ""
	what := module.Describe()
	d.rec.Module, d.rec.Token = what.Kind, what.Token
	if err := os.MkdirAll(scratch, 0o700); err != nil {
		return d.rec, writing("making the scratch folder", err)
	}
	dir, err := os.MkdirTemp(scratch, "drill-*")
	if err != nil {
		return d.rec, writing("making the scratch folder", err)
	}
	defer func() {
		if rerr := os.RemoveAll(dir); err == nil && rerr != nil {
			err = writing("removing the scratch folder", rerr)
		}
	}()
	restore := Options{Keys: module, VerifierKey: o.VerifierKey, Progress: o.Progress, Log: o.Log}
	data := filepath.Join(dir, "data")
	if d.m, err = Restore(ctx, r, data, restore); err != nil {
		return d.rec, err
	}
	d.rec.about(d.m)
	d.rec.Restored = now()
	if err := d.examine(ctx, data); err != nil {
		return d.rec, err
	}
	d.rec.Finished = now()
	return d.rec, d.rec.sign(ctx, d.key)
}

func now() time.Time { return time.Now().UTC().Truncate(time.Millisecond) }

// drill is one run of Drill.
type drill struct {
	module hsm.Module
	o      DrillOptions
	m      Manifest
	key    audit.Key
	rec    Receipt
}

// failed says what is wrong.
func failed(text string, args ...any) *fault.Error {
	return ErrDrill.Detail("the backup did not pass the drill: "+text, args...)
}

// examine opens what was restored and looks at all of it.
func (d *drill) examine(ctx context.Context, dir string) (err error) {
	db, err := store.Open(store.Config{Path: filepath.Join(dir, stateFile)})
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, db.Close()) }()
	meta, err := db.Meta()
	if err != nil {
		return err
	}
	if d.key, err = moduleKey(meta, d.module); err != nil {
		return err
	}
	raw, err := d.module.Unwrap(ctx, meta.KEK, meta.StoreKey, meta.KeyAAD())
	if err != nil {
		return fmt.Errorf("backup: unwrapping the store key: %w", err)
	}
	storeKey := plain.New(raw)
	defer storeKey.Wipe()
	if err := db.Unseal(storeKey); err != nil {
		return err
	}
	for _, look := range []func(context.Context, *store.DB) error{d.tables, migrate, d.records, d.values, d.escrow} {
		if err := look(ctx, db); err != nil {
			return err
		}
	}
	archive, err := openArchive(dir, storeKey, Options{Log: d.o.Log})
	if err != nil {
		return err
	}
	return errors.Join(d.log(ctx, db, archive, meta), archive.Close())
}

// migrate does what the appliance would do with data of an older schema.
func migrate(ctx context.Context, db *store.DB) error {
	if err := db.Migrate(ctx, nil); err != nil {
		return failed("its data cannot be brought to this oneclawd's schema").Because(err)
	}
	return nil
}

// records opens every record.
func (d *drill) records(ctx context.Context, db *store.DB) error {
	n, err := db.Verify(ctx)
	if d.rec.Records = uint64(n); err != nil {
		return failed("a record does not open").Because(err)
	}
	return nil
}

// tables counts the records of each table.
func (d *drill) tables(ctx context.Context, db *store.DB) error {
	snap, err := db.Snapshot()
	if err != nil {
		return err
	}
	defer snap.Close()
	got, err := snap.Tables(ctx)
	if err != nil {
		return err
	}
	for name, want := range d.m.State.Tables {
		if got[name] != want {
			return failed("table %s has %d records, the manifest says %d", name, got[name], want)
		}
		d.rec.Tables++
	}
	return nil
}

// values opens a random sample of them.
func (d *drill) values(ctx context.Context, db *store.DB) error {
	n := d.o.Sample
	if n <= 0 {
		n = defaultSample
	}
	snap, err := db.Snapshot()
	if err != nil {
		return err
	}
	drawn, err := snap.Sample(ctx, n)
	snap.Close()
	if err != nil {
		return err
	}
	d.rec.Sampled = len(drawn)
	for _, v := range drawn {
		s, err := loadSealed(ctx, store.Runner[vault.Tx](db), v)
		if errors.Is(err, errDoomed) {
			d.rec.Leaving++
			continue
		}
		if errors.Is(err, store.ErrDamaged) || errors.Is(err, envelope.ErrDamaged) {
			return failed("what belongs to version %d of secret %s is not there", v.Number, v.Secret).Because(err)
		}
		if err != nil {
			return err
		}
		value, err := d.open(ctx, s)
		if errors.Is(err, envelope.ErrDamaged) {
			return failed("version %d of secret %s does not open", v.Number, v.Secret).Because(err)
		}
		if err != nil {
			return err
		}
		value.Wipe()
		d.rec.Opened++
	}
	return nil
}

// open opens a value in the module that keeps its vault's KEK.
func (d *drill) open(ctx context.Context, s sealedValue) (plain.Bytes, error) {
	kek, err := s.owner.KEKOf(s.bytes)
	if err != nil {
		return plain.Bytes{}, err
	}
	module := d.module
	if kek.Module != "" {
		if d.o.Modules == nil {
			return plain.Bytes{}, hsm.ErrUnavailable.Detail("the keys of a vault are in the HSM module %q, which is not at hand", kek.Module)
		}
		if module, err = d.o.Modules(kek.Module); err != nil {
			return plain.Bytes{}, err
		}
	}
	return envelope.Open(ctx, module, kek.Envelope(), s.binding, s.bytes)
}

// escrow compares the escrow, which has to wait for the recovery key to be opened, with
// the envelopes: how many there should be of each kind.
func (d *drill) escrow(ctx context.Context, db *store.DB) error {
	have := d.m.Escrow
	if have == nil {
		return nil
	}
	snap, err := db.Snapshot()
	if err != nil {
		return err
	}
	defer snap.Close()
	want := Escrow{Modules: have.Modules}
	err = snap.SealedValues(ctx, func(v store.SealedValue) error {
		kind, err := d.kind(ctx, db, v)
		want.count(kind)
		return err
	})
	if err != nil {
		return err
	}
	switch {
	case have.Total() != want.Total():
		return failed("it has recovery keys of %d values, and %d values", have.Total(), want.Total())
	case have.Keys+have.Damaged != want.Keys+want.Damaged || have.Leaving != want.Leaving || have.Elsewhere != want.Elsewhere:
		return failed("it has recovery keys of %d values, and %d that need one", have.Keys, want.Keys)
	}
	d.rec.RecoveryKey, d.rec.Escrowed = RecoveryName(have.Recipient), have.Keys
	return nil
}

// kind is that of the entry that an envelope has to have; one that is damaged counts as
// one with a key.
func (d *drill) kind(ctx context.Context, db *store.DB, v store.SealedValue) (escrowKind, error) {
	s, err := loadSealed(ctx, store.Runner[vault.Tx](db), v)
	if errors.Is(err, errDoomed) {
		return escrowLeaving, nil
	}
	var kek vault.KEK
	if err == nil {
		kek, err = s.owner.KEKOf(s.bytes)
	}
	switch {
	case errors.Is(err, store.ErrDamaged), errors.Is(err, envelope.ErrDamaged):
		return escrowDamaged, nil
	case err == nil && !d.m.Escrow.covers(kek.Module):
		return escrowElsewhere, nil
	}
	return escrowKey, err
}

// log verifies the audit log, whose root Restore has held against the manifest.
func (d *drill) log(ctx context.Context, db *store.DB, archive *events.Archive, meta store.Meta) error {
	runner := store.Runner[audit.Tx](db)
	g := &audit.Log{
		DB: runner, Archive: archive, Expires: d.o.Retention > 0,
		// Not the module's own memory, which is of the appliance as it is now.
		Checkpoints: &audit.Checkpointer{DB: runner, Anchor: noAnchor{}, Instance: meta.Instance, Key: d.key},
	}
	rep, err := g.Verify(ctx, audit.Scope{Everyone: true})
	if err != nil {
		return err
	}
	d.rec.Audit = d.m.Audit
	d.rec.EventsVerified, d.rec.EventsExpired = rep.Verified, rep.First
	if !rep.OK() {
		p := rep.Problems[0]
		return failed("the audit log, at record %d: %s", p.Index, p.Text)
	}
	return nil
}

// noAnchor is a module that remembers nothing.
type noAnchor struct{}

// Anchor implements audit.Anchor.
func (noAnchor) Anchor(context.Context) ([]byte, error) { return nil, nil }

// SetAnchor implements audit.Anchor.
func (noAnchor) SetAnchor(context.Context, []byte) error {
	return errors.New("backup: a drill anchors nothing")
}

// auditKey is the key that signs checkpoints, as the store knows it.
func auditKey(meta store.Meta) (k hsm.SigningKey, err error) {
	if err := json.Unmarshal(meta.Blobs[store.BlobAuditKey], &k); err != nil {
		return k, fmt.Errorf("backup: the audit key of the appliance is unreadable: %w", err)
	}
	return k, nil
}

// moduleKey is auditKey in the hands of the module.
func moduleKey(meta store.Meta, module hsm.Module) (audit.Key, error) {
	k, err := auditKey(meta)
	return audit.Key{Public: slices.Clone(k.Public), Sign: func(ctx context.Context, msg []byte) ([]byte, error) {
		return module.Sign(ctx, k, msg)
	}}, err
}
