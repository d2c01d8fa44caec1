package backup

import (
	"context"
	"crypto/sha256"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"time"

	"github.com/oneclaw/oneclawd/vault/audit"
)

// Report is a backup that Verify found to be whole.
type Report struct {
	Manifest Manifest
	Header   Header
	// Pinned says that the signature was checked with a key given by the caller.
	// Otherwise it is by the key that the backup itself names, which shows that
	// nothing was altered since it was signed, and not by whom.
	Pinned bool
	Bytes  int64 // of the file
	Unseen []string
}

// Verify reads a backup to its end and checks its form, the hash of every block
// and the signature, with nothing but the verifier key: no HSM and no network.
// verifierKey is the line that `audit.VerifierKey` gives; "" takes the one in
// the backup (see Report.Pinned).
//
// ErrDamaged says in its message what is wrong at which offset. What takes the
// HSM to look at is in Unseen: Drill does.
func Verify(ctx context.Context, r io.Reader, verifierKey string, progress func(Progress)) (Report, error) {
	s, err := scan(ctx, r, progress)
	if err != nil {
		return Report{}, err
	}
	if err := s.judge(verifierKey); err != nil {
		return Report{}, err
	}
	return Report{
		Manifest: s.manifest, Header: s.header, Pinned: verifierKey != "", Bytes: s.end,
		Unseen: []string{"the records, and the audit log against its root: they are sealed; a drill opens them with the HSM"},
	}, nil
}

// scanned is a whole file, without its blocks.
type scanned struct {
	header    Header
	headerSum Digest
	sums      []Digest // of the blocks
	blocksAt  int64    // offset of the first block's frame
	bytes     int64    // of all blocks
	raw       []byte   // the manifest
	rawAt     int64
	manifest  Manifest
	note      []byte
	noteAt    int64
	end       int64
}

// scan reads the form of a file. It believes nothing of it.
func scan(ctx context.Context, r io.Reader, progress func(Progress)) (*scanned, error) {
	s, f, started := new(scanned), newFrames(r), time.Now()
	if err := s.start(f); err != nil {
		return nil, err
	}
	last := int64(blockSize)
	for {
		if err := ctx.Err(); err != nil {
			return nil, err
		}
		kind, payload, at, err := f.next()
		if err != nil {
			return nil, err
		}
		if kind == frameManifest {
			s.raw, s.rawAt = append([]byte(nil), payload...), at
			break
		}
		if kind != frameBlock || last != blockSize || len(payload) == 0 {
			return nil, damage(at, "a part that does not belong here (kind %q, %d bytes)", kind, len(payload))
		}
		last = int64(len(payload))
		s.sums = append(s.sums, sha256.Sum256(payload))
		s.bytes += last
		if progress != nil {
			progress(Progress{Bytes: s.bytes, Elapsed: time.Since(started)})
		}
	}
	kind, payload, at, err := f.next()
	if err != nil {
		return nil, err
	}
	if kind != frameSignature {
		return nil, damage(at, "the signature does not follow the manifest")
	}
	s.note, s.noteAt, s.end = append([]byte(nil), payload...), at, f.at
	return s, f.end()
}

func (s *scanned) start(f *frames) error {
	if err := f.start(); err != nil {
		return err
	}
	kind, payload, at, err := f.next()
	if err != nil {
		return err
	}
	if kind != frameHeader {
		return damage(at, "the header is missing")
	}
	if err := parse(payload, &s.header); err != nil {
		return damage(at, "the header cannot be read")
	}
	s.headerSum, s.blocksAt = sha256.Sum256(payload), f.at
	return nil
}

// judge holds everything against the signature. The manifest comes first: it
// says which block is wrong.
func (s *scanned) judge(verifierKey string) error {
	key := verifierKey
	if key == "" {
		key = s.header.VerifierKey
	}
	signed := audit.OpenStatement(s.note, key, kindManifest, sha256.Sum256(s.raw))
	if signed != nil && !errors.Is(signed, audit.ErrStatement) && verifierKey != "" {
		return signed // the caller's key is none
	}
	if signed != nil {
		return s.unsigned(verifierKey, signed)
	}
	if err := parse(s.raw, &s.manifest); err != nil {
		return s.unreadable(err)
	}
	m := s.manifest
	if canonical, err := json.Marshal(m); err != nil || string(canonical) != string(s.raw) {
		return damage(s.rawAt, "the manifest is not in its canonical form")
	}
	switch {
	case m.Format > newestFormat:
		return ErrNewer.Detail("the backup is of format %d, this oneclawd knows %d", m.Format, newestFormat)
	case m.Format != m.format():
		return damage(s.rawAt, "a manifest of format %d does not have these parts", m.Format)
	case m.Header != s.headerSum || m.Instance != s.header.Instance:
		return damage(int64(len(magic)), "the header is not the one that was signed")
	}
	return s.hold(m)
}

// hold compares the blocks with the manifest and names the first that differs.
func (s *scanned) hold(m Manifest) error {
	for i, sum := range s.sums {
		at := s.blocksAt + int64(i)*(frameHead+blockSize)
		if i >= m.blocks() {
			return damage(at, "block %d is one more than was signed", i+1)
		}
		if sum != m.block(i) {
			return damage(at, "block %d of %d is not the one that was written: it was altered, moved or damaged", i+1, m.blocks())
		}
	}
	if len(s.sums) < m.blocks() || s.bytes != m.Bytes || len(m.Blocks)%sha256.Size != 0 {
		return damage(s.rawAt, "%d blocks of %d bytes are here, %d of %d were signed: some are missing", len(s.sums), s.bytes, m.blocks(), m.Bytes)
	}
	return nil
}

// unsigned says why the signature does not hold.
func (s *scanned) unsigned(pinned string, cause error) error {
	if pinned != "" && s.header.VerifierKey != pinned &&
		audit.OpenStatement(s.note, s.header.VerifierKey, kindManifest, sha256.Sum256(s.raw)) == nil {
		return ErrUntrusted.Detail("the backup is signed by another key than the one that was given: it is of %s", audit.Origin(s.header.Instance)).Because(cause)
	}
	return ErrDamaged.Detail("at byte %d: the signature does not fit the manifest at byte %d: one of them, or the key in the header, was altered or damaged", s.noteAt, s.rawAt).Because(cause)
}

func (s *scanned) unreadable(err error) error {
	var v struct {
		Format int `json:"format"`
	}
	if json.Unmarshal(s.raw, &v) == nil && v.Format > newestFormat {
		return ErrNewer.Detail("the backup is of format %d, this oneclawd knows %d", v.Format, newestFormat)
	}
	return ErrDamaged.Detail("at byte %d: the manifest cannot be read", s.rawAt).Because(err)
}

// content reads the blocks again, each held against what judge found right.
type content struct {
	ctx      context.Context
	f        *frames
	s        *scanned
	i        int
	left     []byte
	started  time.Time
	bytes    int64
	progress func(Progress)
}

func (s *scanned) content(ctx context.Context, r io.ReadSeeker, progress func(Progress)) (*content, error) {
	if _, err := r.Seek(0, io.SeekStart); err != nil {
		return nil, fmt.Errorf("backup: reading again: %w", err)
	}
	again := new(scanned)
	f := newFrames(r)
	if err := again.start(f); err != nil {
		return nil, err
	}
	if again.headerSum != s.headerSum {
		return nil, damage(0, "the file was changed while it was read")
	}
	return &content{ctx: ctx, f: f, s: s, started: time.Now(), progress: progress}, nil
}

// Read implements io.Reader.
func (c *content) Read(p []byte) (int, error) {
	if len(c.left) == 0 {
		if c.i == len(c.s.sums) {
			return 0, io.EOF
		}
		if err := c.ctx.Err(); err != nil {
			return 0, err
		}
		kind, payload, at, err := c.f.next()
		if err != nil {
			return 0, err
		}
		if kind != frameBlock || Digest(sha256.Sum256(payload)) != c.s.sums[c.i] {
			return 0, damage(at, "the file was changed while it was read")
		}
		c.i++
		c.left = payload
		c.bytes += int64(len(payload))
		if c.progress != nil {
			c.progress(Progress{Bytes: c.bytes, Elapsed: time.Since(c.started)})
		}
	}
	n := copy(p, c.left)
	c.left = c.left[n:]
	return n, nil
}
