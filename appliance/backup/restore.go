package backup

import (
	"bufio"
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"os"
	"path/filepath"
	"time"

	"github.com/oneclaw/oneclawd/internal/plain"
	"github.com/oneclaw/oneclawd/store"
	"github.com/oneclaw/oneclawd/store/events"
	"github.com/oneclaw/oneclawd/vault/audit"
)

// Options of Inspect and Restore.
type Options struct {
	Keys        Keys          // what opens the backup
	VerifierKey string        // pinned; "" takes the backup's own, which whoever has the store key vouches for
	Retention   time.Duration // of archived events, counted anew from now; 0: forever
	Progress    func(Progress)
	Log         *slog.Logger // nil means the default
}

// Plan is what Restore would do.
type Plan struct {
	Manifest Manifest
	Pinned   bool
	Files    []PlannedFile
	Keys     error // why the keys at hand do not open it; nil: they do
	Target   error // why the folder cannot take it; nil: it can
}

// PlannedFile is something that Restore would make in the folder.
type PlannedFile struct {
	Name  string
	Bytes int64 // for a folder, of the events in it before compression
}

// Inspect is a dry run of Restore: it verifies all of the backup, tries the keys
// on it and looks at the folder, and writes nothing.
func Inspect(ctx context.Context, r io.ReadSeeker, dir string, o Options) (Plan, error) {
	s, err := verified(ctx, r, o.VerifierKey)
	if err != nil {
		return Plan{}, err
	}
	p := s.plan(dir, o.VerifierKey)
	b, err := s.open(ctx, r, o.Keys, nil)
	if err == nil {
		b.storeKey.Wipe()
	} else if p.Keys = err; errors.Is(err, ErrDamaged) || ctx.Err() != nil {
		return Plan{}, err
	}
	return p, nil
}

func (s *scanned) plan(dir, verifierKey string) Plan {
	return Plan{
		Manifest: s.manifest, Pinned: verifierKey != "", Target: CheckTarget(dir, s.manifest),
		Files: []PlannedFile{{stateFile, s.manifest.State.Bytes}, {eventsDir, s.manifest.Events.Bytes}},
	}
}

// Restore puts a backup into dir, which must be empty but for keys/ and tls/. It
// is verified to its end and opened before anything is written; then written
// to a folder in dir, checked, synced, and moved to its names. On an error
// nothing is left.
//
// The appliance that starts on the folder refuses, since its HSM remembers a
// longer audit log, until it is told `--accept-rollback`.
func Restore(ctx context.Context, r io.ReadSeeker, dir string, o Options) (Manifest, error) {
	s, err := verified(ctx, r, o.VerifierKey)
	if err != nil {
		return Manifest{}, err
	}
	if err := CheckTarget(dir, s.manifest); err != nil {
		return Manifest{}, err
	}
	b, err := s.open(ctx, r, o.Keys, o.Progress)
	if err != nil {
		return Manifest{}, err
	}
	defer b.storeKey.Wipe()
	return s.manifest, intoFolder(dir, s.manifest.State.Bytes+s.manifest.Events.Bytes, func(partial string) error { return b.unpack(ctx, partial, o) })
}

// intoFolder has fill write need bytes to a part of dir and makes it dir's, or
// leaves nothing.
func intoFolder(dir string, need int64, fill func(partial string) error) (err error) {
	dir = filepath.Clean(dir)
	_, missing := os.Stat(dir)
	partial := filepath.Join(dir, partialDir)
	if err := os.RemoveAll(partial); err != nil {
		return writing("clearing an unfinished restore", err)
	}
	defer func() {
		if err != nil {
			_ = os.RemoveAll(partial)
			if missing != nil {
				_ = os.Remove(dir)
			}
		}
	}()
	if err := os.MkdirAll(partial, 0o700); err != nil {
		return writing("making the folder", err)
	}
	if err := events.Room(partial, need); err != nil {
		return writing("looking for free space", err)
	}
	if err := fill(partial); err != nil {
		return err
	}
	return writing("moving the restored files to their names", publish(partial, dir))
}

// unpack writes the content to dir and checks what it wrote.
func (b *opened) unpack(ctx context.Context, dir string, o Options) error {
	if err := b.unpackState(filepath.Join(dir, stateFile)); err != nil {
		return err
	}
	if err := b.unpackEvents(dir, o); err != nil {
		return err
	}
	if err := b.passEscrow(); err != nil {
		return b.inside(err)
	}
	if err := b.sections.expect(sectionEnd); err != nil {
		return b.inside(err)
	}
	return b.checkState(ctx, filepath.Join(dir, stateFile))
}

// passEscrow reads past section 4, which only the recovery key opens, and checks that
// it is whole and has as many entries as the manifest says.
func (b *opened) passEscrow() error {
	want := b.manifest.Escrow
	if want == nil {
		return nil
	}
	if err := b.sections.expect(sectionEscrow); err != nil {
		return err
	}
	sum := &summing{w: io.Discard, hash: sha256.New()}
	entries, err := sealedEscrow(io.TeeReader(b.sections, sum))
	switch {
	case err != nil:
		return err
	case sum.n != want.Bytes || Digest(sum.hash.Sum(nil)) != want.SHA256:
		return errors.New("the recovery keys are not the ones of the manifest")
	case entries != want.Total():
		return fmt.Errorf("there are %d recovery keys, the manifest says %d", entries, want.Total())
	}
	return nil
}

func (b *opened) unpackState(path string) error {
	if err := b.sections.expect(sectionState); err != nil {
		return b.inside(err)
	}
	f, err := os.OpenFile(path, os.O_CREATE|os.O_EXCL|os.O_WRONLY, 0o600)
	if err != nil {
		return writing("making the data file", err)
	}
	dst, sum := &keepError{w: f}, sha256.New()
	n, err := io.Copy(io.MultiWriter(dst, sum), b.sections)
	switch m := b.manifest.State; {
	case dst.err != nil:
		err = writing("writing the data file", dst.err)
	case err != nil:
		err = b.inside(err)
	case n != m.Bytes || Digest(sum.Sum(nil)) != m.SHA256:
		err = b.inside(errors.New("the data file is not the one of the manifest"))
	default:
		err = writing("syncing the data file", f.Sync())
	}
	return errors.Join(err, f.Close())
}

// keepError tells errors of the destination from those of the source.
type keepError struct {
	w   io.Writer
	err error
}

// Write implements io.Writer.
func (k *keepError) Write(p []byte) (n int, err error) {
	n, k.err = k.w.Write(p)
	return n, k.err
}

// Bounds of one batch for the archive.
const (
	batchEvents = 1000
	batchBytes  = 1 << 20
)

func (b *opened) unpackEvents(dir string, o Options) (err error) {
	if err := b.sections.expect(sectionEvents); err != nil {
		return b.inside(err)
	}
	archive, err := openArchive(dir, b.storeKey, o)
	if err != nil {
		return writing("making the archive", err)
	}
	defer func() {
		if cerr := archive.Close(); err == nil {
			err = writing("closing the archive", cerr)
		}
	}()
	r := bufio.NewReaderSize(b.sections, 64<<10)
	var batch []audit.Entry
	var got Events
	for pending := 0; ; {
		e, n, err := readEntry(r)
		if err != nil && !errors.Is(err, io.EOF) {
			return b.inside(err)
		}
		if err == nil {
			batch, pending = append(batch, e), pending+n
			got.Count++
			got.Bytes += int64(n)
		}
		if errors.Is(err, io.EOF) || len(batch) >= batchEvents || pending >= batchBytes {
			if err := archive.Append(batch); err != nil {
				return writing("writing audit events", err)
			}
			batch, pending = batch[:0], 0
		}
		if errors.Is(err, io.EOF) {
			break
		}
	}
	got.Through = b.manifest.Events.Through
	if got != b.manifest.Events {
		return b.inside(errors.New("the events are not those of the manifest"))
	}
	return nil
}

func openArchive(dir string, storeKey plain.Bytes, o Options) (*events.Archive, error) {
	key, err := store.DeriveKey(storeKey, events.KeyPurpose)
	if err != nil {
		return nil, err
	}
	return events.Open(events.Config{Dir: filepath.Join(dir, eventsDir), Key: key.Reveal(), Retention: o.Retention, Log: o.Log})
}

// checkState opens the data file once, as the appliance will.
func (b *opened) checkState(ctx context.Context, path string) error {
	if err := store.CheckFile(path); err != nil {
		return fmt.Errorf("backup: the restored data file: %w", err)
	}
	db, err := store.Open(store.Config{Path: path})
	if err != nil {
		return fmt.Errorf("backup: the restored data file: %w", err)
	}
	err = errors.Join(b.checkOpen(ctx, db), db.Close(), os.Remove(path+".lock"))
	return writing("checking the restored data file", err)
}

func (b *opened) checkOpen(ctx context.Context, db *store.DB) error {
	meta, err := db.Meta()
	if err != nil {
		return err
	}
	if key, err := auditKey(meta); err != nil {
		return err
	} else if vkey, err := audit.VerifierKey(meta.Instance, key.Public); err != nil || vkey != b.header.VerifierKey {
		return ErrUntrusted.Detail("the backup is signed by another key than the one of the appliance in it").Because(err)
	}
	if err := db.Unseal(b.storeKey); err != nil {
		return err
	}
	snap, err := db.Snapshot() // all that can be opened before an older schema is migrated
	if err != nil {
		return err
	}
	defer snap.Close()
	return snap.View(ctx, func(tx *store.Tx) error {
		head, err := audit.Head(tx)
		if want := b.manifest.Audit; err == nil && (head.Size != want.Size || head.Root != want.Root) {
			err = b.inside(fmt.Errorf("the audit log has %d events and not the root of the manifest", head.Size))
		}
		return err
	})
}
