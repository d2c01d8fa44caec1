package backup

import (
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"io"
	"slices"
	"time"

	"github.com/oneclaw/oneclawd/hsm"
	"github.com/oneclaw/oneclawd/store"
	"github.com/oneclaw/oneclawd/vault"
	"github.com/oneclaw/oneclawd/vault/envelope"
)

// escrowPause is after how many entries there is a call of progress: a block has
// 20,000, and whoever holds up a backup means the HSM as well.
const escrowPause = 100

// escrow writes section 4, if there is a recovery key: the HSM unwraps one key after
// the other, so that requests hardly notice.
func (c *creation) escrow(ctx context.Context, s sections) error {
	if c.src.Recovery.IsZero() {
		return nil
	}
	c.m.Escrow = &Escrow{Recipient: c.src.Recovery.sum, Modules: c.present(ctx)}
	part, err := s.begin(sectionEscrow)
	if err != nil {
		return writing("writing the recovery keys", err)
	}
	sum := &summing{w: part, hash: sha256.New()}
	sealed, err := c.src.Recovery.seal(sum)
	if err != nil {
		return writing("sealing the recovery keys", err)
	}
	if err = c.escrowHead(ctx, sealed); err == nil {
		err = c.snap.SealedValues(ctx, func(v store.SealedValue) error { return c.escrowOne(ctx, sealed, v) })
	}
	for _, end := range []func() error{sealed.Close, part.end} {
		if err == nil {
			err = end()
		}
	}
	c.m.Escrow.Bytes, c.m.Escrow.SHA256 = sum.n, Digest(sum.hash.Sum(nil))
	return writing("copying the recovery keys", err)
}

// present are those of the escrowed modules that answer. The values of others wait for
// them, as they do while the appliance serves.
func (c *creation) present(ctx context.Context) []string {
	names := []string{}
	for _, name := range c.src.Modules {
		if m, err := c.src.Keys(name); err == nil && m.Check(ctx) == nil {
			names = append(names, name)
		}
	}
	slices.Sort(names)
	return names
}

// escrowHead writes what comes before the entries.
func (c *creation) escrowHead(ctx context.Context, w io.Writer) error {
	m, err := c.src.Keys("")
	if err != nil {
		return err
	}
	aad := store.Meta{Instance: c.header.Instance}.KeyAAD()
	storeKey, err := m.Unwrap(ctx, c.header.KEK, c.header.StoreKey, aad)
	if err != nil {
		return fmt.Errorf("unwrapping the store key: %w", err)
	}
	head := append([]byte(escrowMagic), c.m.Header[:]...)
	head = append(head, storeKey...)
	defer clear(head)
	clear(storeKey)
	_, err = w.Write(head)
	return err
}

// escrowOne writes the entry of one envelope.
func (c *creation) escrowOne(ctx context.Context, w io.Writer, v store.SealedValue) error {
	e := escrowEntry{of: v}
	defer e.wipe()
	err := c.unwrapInto(ctx, &e)
	switch {
	case errors.Is(err, errDoomed):
		e.kind = escrowLeaving
	case errors.Is(err, store.ErrDamaged), errors.Is(err, envelope.ErrDamaged):
		e.kind = escrowDamaged // it is lost either way, and no reason to have no backup
	case err != nil:
		return err
	}
	c.m.Escrow.count(e.kind)
	if c.progress != nil && c.m.Escrow.Total()%escrowPause == 0 {
		c.progress(Progress{Bytes: c.m.Bytes, Elapsed: time.Since(c.started)})
	}
	var raw [escrowEntrySize]byte
	defer clear(raw[:])
	_, err = w.Write(e.append(raw[:0]))
	return err
}

// unwrapInto finds the DEK of e's envelope.
func (c *creation) unwrapInto(ctx context.Context, e *escrowEntry) error {
	var s sealedValue
	err := c.snap.View(ctx, func(tx *store.Tx) (err error) {
		s, err = readSealed(vault.Tx(tx), e.of)
		return err
	})
	if err != nil {
		return err
	}
	kek, err := s.owner.KEKOf(s.bytes)
	if err != nil {
		return err
	}
	if !c.m.Escrow.covers(kek.Module) {
		e.kind = escrowElsewhere
		return nil
	}
	var m hsm.Module
	if m, err = c.src.Keys(kek.Module); err != nil {
		return err
	}
	dek, err := envelope.OpenKey(ctx, m, kek.Envelope(), s.binding, s.bytes)
	if err != nil {
		return err
	}
	defer dek.Wipe()
	e.kind = escrowKey
	copy(e.dek[:], dek.Reveal())
	return nil
}
