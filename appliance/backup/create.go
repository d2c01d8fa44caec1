package backup

import (
	"bufio"
	"context"
	"crypto/sha256"
	"encoding/json"
	"fmt"
	"hash"
	"io"
	"time"

	"filippo.io/age"

	"github.com/oneclaw/oneclawd/hsm"
	"github.com/oneclaw/oneclawd/store"
	"github.com/oneclaw/oneclawd/vault/audit"
)

// Source is what is backed up. All but what is said to be optional is needed.
type Source struct {
	DB      *store.DB // unsealed
	Archive audit.Archive
	Key     audit.Key // that signs checkpoints: it signs the manifest
	Version string    // of oneclawd

	Now func() time.Time // nil means time.Now

	// Recovery, if there is one, opens the backup without the HSM. Its escrow is of
	// what the default module keeps, and Modules that are there. Keys finds them.
	Recovery RecoveryKey
	Modules  []string
	Keys     func(module string) (hsm.Module, error)
}

// Progress is how far a backup, a verification or a restore is.
type Progress struct {
	Bytes   int64 // written or read so far
	Elapsed time.Duration
}

// Rate is in bytes a second.
func (p Progress) Rate() float64 {
	if p.Elapsed <= 0 {
		return 0
	}
	return float64(p.Bytes) / p.Elapsed.Seconds()
}

// Create writes a backup of the present state to w while the appliance serves.
// Writers are not held up; what they replace is kept in the data file until the
// last of it is written, so w should be as fast as a disk. Memory stays within a
// few MB. progress, if not nil, is called about once a MiB, and while keys are
// unwrapped for a recovery key more often.
//
// An error of w comes back wrapped, a full disk as ErrFull; what was written
// then lacks its end and is refused by every reader.
func Create(ctx context.Context, src Source, w io.Writer, progress func(Progress)) (Manifest, error) {
	c := &creation{src: src, started: time.Now(), progress: progress}
	if src.Now == nil {
		c.src.Now = time.Now
	}
	c.out = bufio.NewWriterSize(w, 64<<10)
	snap, err := src.DB.Snapshot()
	if err != nil {
		return Manifest{}, fmt.Errorf("backup: %w", err)
	}
	defer snap.Close()
	c.snap = snap
	for _, step := range []func(context.Context) error{c.look, c.head, c.content, c.sign} {
		if err := step(ctx); err != nil {
			return Manifest{}, err
		}
	}
	return c.m, writing("writing it", c.out.Flush())
}

// creation is one run of Create.
type creation struct {
	src      Source
	snap     *store.Snapshot
	out      *bufio.Writer
	m        Manifest
	header   Header
	started  time.Time
	progress func(Progress)
}

// look describes the snapshot.
func (c *creation) look(ctx context.Context) error {
	meta, err := c.snap.Meta()
	if err != nil {
		return err
	}
	vkey, err := audit.VerifierKey(meta.Instance, c.src.Key.Public)
	if err != nil {
		return fmt.Errorf("backup: verifier key: %w", err)
	}
	c.header = Header{Instance: meta.Instance, VerifierKey: vkey, KEK: meta.KEK, StoreKey: meta.StoreKey}
	c.m = Manifest{
		Instance: meta.Instance, CreatedAt: c.src.Now().UTC().Truncate(time.Millisecond),
		Oneclawd: c.src.Version, Schema: meta.Schema,
	}
	err = c.snap.View(ctx, func(tx *store.Tx) error {
		head, err := audit.Head(tx)
		if err != nil {
			return err
		}
		c.m.Audit = LogHead{Size: head.Size, Root: head.Root}
		c.m.Events.Through, err = tx.AuditDrained()
		return err
	})
	if err != nil {
		return fmt.Errorf("backup: reading the audit log: %w", err)
	}
	if c.m.State.Tables, err = c.snap.Tables(ctx); err != nil {
		return fmt.Errorf("backup: counting records: %w", err)
	}
	for _, n := range c.m.State.Tables {
		c.m.State.Records += n
	}
	return nil
}

func (c *creation) head(context.Context) error {
	raw, err := json.Marshal(c.header)
	if err != nil {
		return err
	}
	c.m.Header = sha256.Sum256(raw)
	_, err = c.out.WriteString(magic)
	if err == nil {
		err = writeFrame(c.out, frameHeader, raw)
	}
	return writing("writing it", err)
}

// content writes the blocks.
func (c *creation) content(ctx context.Context) error {
	to, err := c.recipients()
	if err != nil {
		return err
	}
	blocks := &blockWriter{c: c, ctx: ctx}
	sealed, err := age.Encrypt(blocks, to...)
	if err != nil {
		return writing("beginning the content", err)
	}
	s := sections{sealed}
	for _, part := range []func(context.Context, sections) error{c.preamble, c.state, c.events, c.escrow} {
		if err := part(ctx, s); err != nil {
			return err
		}
	}
	if _, err = sealed.Write([]byte{sectionEnd}); err == nil {
		err = sealed.Close()
	}
	if err == nil {
		err = blocks.flush()
	}
	return writing("ending the content", err)
}

// recipients are who can open the content: who has the store key, or the recovery
// key, which the escrow in it is sealed to once more and alone.
func (c *creation) recipients() ([]age.Recipient, error) {
	key, err := c.src.DB.DeriveKey(keyPurpose)
	if err != nil {
		return nil, fmt.Errorf("backup: %w", err)
	}
	s, err := newStoreSealer(c.header.Instance, key)
	if err != nil || c.src.Recovery.IsZero() {
		return []age.Recipient{s}, err
	}
	return []age.Recipient{s, c.src.Recovery.to}, nil
}

func (c *creation) preamble(_ context.Context, s sections) error {
	raw, err := json.Marshal(preamble{Header: c.m.Header})
	if err != nil {
		return err
	}
	part, err := s.begin(sectionPreamble)
	if err == nil {
		_, err = part.Write(raw)
	}
	if err == nil {
		err = part.end()
	}
	return writing("writing the preamble", err)
}

// state writes the data file as of the snapshot.
func (c *creation) state(ctx context.Context, s sections) error {
	part, err := s.begin(sectionState)
	if err != nil {
		return writing("writing the data file", err)
	}
	sum := &summing{w: part, hash: sha256.New()}
	if err := c.snap.Write(ctx, sum); err != nil {
		return writing("copying the data file", err)
	}
	c.m.State.Bytes, c.m.State.SHA256 = sum.n, Digest(sum.hash.Sum(nil))
	return writing("writing the data file", part.end())
}

// events writes what the archive has below what the snapshot says was drained.
// The archive is ahead of that, never behind.
func (c *creation) events(ctx context.Context, s sections) error {
	part, err := s.begin(sectionEvents)
	if err != nil {
		return writing("writing events", err)
	}
	w := bufio.NewWriterSize(part, 64<<10)
	var failed error
	err = c.src.Archive.Ascend(0, c.m.Events.Through, func(e audit.Entry) bool {
		var n int
		if n, failed = writeEntry(w, e); failed == nil {
			failed = ctx.Err()
		}
		c.m.Events.Count++
		c.m.Events.Bytes += int64(n)
		return failed == nil
	})
	for _, end := range []func() error{w.Flush, part.end} {
		if err == nil && failed == nil {
			failed = end()
		}
	}
	if failed != nil {
		err = failed
	}
	return writing("copying audit events", err)
}

// sign writes the manifest and the note over it.
func (c *creation) sign(ctx context.Context) error {
	c.m.Format = c.m.format()
	raw, err := json.Marshal(c.m)
	if err != nil {
		return err
	}
	if len(raw) > maxManifest {
		return fmt.Errorf("backup: a manifest of %d bytes: the state is too large for this format", len(raw))
	}
	note, err := audit.SignStatement(ctx, c.m.Instance, c.src.Key, kindManifest, sha256.Sum256(raw))
	if err != nil {
		return fmt.Errorf("backup: signing: %w", err)
	}
	if err = writeFrame(c.out, frameManifest, raw); err == nil {
		err = writeFrame(c.out, frameSignature, note)
	}
	return writing("writing the manifest", err)
}

// blockWriter cuts what it is given into frames and remembers their hashes.
type blockWriter struct {
	c   *creation
	ctx context.Context
	buf []byte
}

// Write implements io.Writer.
func (b *blockWriter) Write(p []byte) (n int, err error) {
	for len(p) > 0 {
		part := p[:min(len(p), blockSize-len(b.buf))]
		b.buf = append(b.buf, part...)
		n, p = n+len(part), p[len(part):]
		if len(b.buf) == blockSize {
			if err := b.flush(); err != nil {
				return n, err
			}
		}
	}
	return n, nil
}

func (b *blockWriter) flush() error {
	if err := b.ctx.Err(); err != nil || len(b.buf) == 0 {
		return err
	}
	sum, m := sha256.Sum256(b.buf), &b.c.m
	m.Blocks = append(m.Blocks, sum[:]...)
	m.Bytes += int64(len(b.buf))
	if err := writeFrame(b.c.out, frameBlock, b.buf); err != nil {
		return err
	}
	b.buf = b.buf[:0]
	if b.c.progress != nil {
		b.c.progress(Progress{Bytes: m.Bytes, Elapsed: time.Since(b.c.started)})
	}
	return nil
}

// summing hashes and counts what passes.
type summing struct {
	w    io.Writer
	hash hash.Hash
	n    int64
}

// Write implements io.Writer.
func (s *summing) Write(p []byte) (int, error) {
	n, err := s.w.Write(p)
	s.n += int64(n)
	_, _ = s.hash.Write(p[:n])
	return n, err
}
