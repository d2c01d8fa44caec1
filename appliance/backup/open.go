package backup

import (
	"context"
	"errors"
	"fmt"
	"io"

	"filippo.io/age"

	"github.com/oneclaw/oneclawd/hsm"
	"github.com/oneclaw/oneclawd/internal/plain"
	"github.com/oneclaw/oneclawd/store"
)

// opened is a verified backup whose content can be read.
type opened struct {
	*scanned
	storeKey plain.Bytes
	sections *sectionReader
}

// Keys is what a backup is opened with: an hsm.Module that holds the root key
// of the appliance it is of.
type Keys interface {
	Unwrap(ctx context.Context, kek hsm.KEK, wrapped, aad []byte) ([]byte, error)
}

// verified is Verify for what is read again afterwards.
func verified(ctx context.Context, r io.ReadSeeker, verifierKey string) (*scanned, error) {
	if _, err := r.Seek(0, io.SeekStart); err != nil {
		return nil, fmt.Errorf("backup: reading: %w", err)
	}
	s, err := scan(ctx, r, nil)
	if err != nil {
		return nil, err
	}
	if err := s.judge(verifierKey); err != nil {
		return nil, err
	}
	if known := store.Schema; s.manifest.Schema > known {
		return nil, store.ErrNewer.Detail("the backup was made by a newer oneclawd, %s (schema %d, this one knows %d)", s.manifest.Oneclawd, s.manifest.Schema, known)
	}
	return s, nil
}

// open unwraps the store key and begins to read the content.
func (s *scanned) open(ctx context.Context, r io.ReadSeeker, keys Keys, progress func(Progress)) (*opened, error) {
	h := s.header
	raw, err := keys.Unwrap(ctx, h.KEK, h.StoreKey, store.Meta{Instance: h.Instance}.KeyAAD())
	switch {
	case errors.Is(err, hsm.ErrAuthentic), errors.Is(err, hsm.ErrNoRootKey):
		return nil, ErrWrongKeys.Because(err)
	case err != nil:
		return nil, fmt.Errorf("backup: unwrapping the store key: %w", err)
	}
	storeKey := plain.New(raw)
	derived, err := store.DeriveKey(storeKey, keyPurpose)
	if err != nil {
		return nil, fmt.Errorf("backup: %w", err)
	}
	sealer, err := newStoreSealer(h.Instance, derived)
	if err != nil {
		return nil, err
	}
	return s.openWith(ctx, r, sealer, storeKey, progress)
}

// openWith begins to read the content. It fails unless whoever wrote it, which
// takes the store key, means this very header.
func (s *scanned) openWith(ctx context.Context, r io.ReadSeeker, who age.Identity, storeKey plain.Bytes, progress func(Progress)) (*opened, error) {
	body, err := s.content(ctx, r, progress)
	if err != nil {
		return nil, err
	}
	clear, err := age.Decrypt(body, who)
	if err != nil {
		var none *age.NoIdentityMatchError
		if errors.As(err, &none) {
			return nil, ErrWrongKeys.Because(err)
		}
		return nil, s.inside(err)
	}
	o := &opened{scanned: s, storeKey: storeKey, sections: newSectionReader(clear)}
	if err := o.sections.expect(sectionPreamble); err != nil {
		return nil, s.inside(err)
	}
	raw, err := io.ReadAll(io.LimitReader(o.sections, 4096))
	if err != nil {
		return nil, s.inside(err)
	}
	var p preamble
	if err := parse(raw, &p); err != nil || p.Header != s.headerSum {
		return nil, damage(s.blocksAt, "the content belongs to another backup")
	}
	return o, nil
}

// inside gives an error of the content its place in words.
func (s *scanned) inside(err error) error {
	if errors.Is(err, ErrDamaged) || errors.Is(err, context.Canceled) || errors.Is(err, context.DeadlineExceeded) {
		return err
	}
	return ErrDamaged.Detail("the blocks from byte %d on are the signed ones, but do not hold what a backup does", s.blocksAt).Because(err)
}
