package store

import (
	"slices"

	"github.com/oneclaw/oneclawd/internal/id"
	"github.com/oneclaw/oneclawd/vault/policy"
	"github.com/oneclaw/oneclawd/vault/share"
)

// The tables of vault/share. A share is found by its identifier, by who made it
// and by whom it is for; the last two are kept with the first.
var (
	shares        = table[share.Share]{name: "share", version: 1}
	sharesOut     = rawTable{name: "share-outbound"}
	sharesIn      = rawTable{name: "share-inbound"}
	pendingShares = table[[]id.ID]{name: "share-pending", version: 1}
)

var _ share.Tx = (*Tx)(nil)

// partyKey keeps the shares of one principal together.
func partyKey(p policy.Principal, s id.ID) []byte { return append(holderKey(p), s[:]...) }

// Share implements share.Tx.
func (t *Tx) Share(s id.ID) (share.Share, bool, error) { return shares.get(t, s[:]) }

// PutShare implements share.Tx.
func (t *Tx) PutShare(s share.Share) error {
	old, exists, err := t.Share(s.ID)
	if err != nil {
		return err
	}
	if !exists {
		if err := sharesOut.put(t, partyKey(s.Creator, s.ID), here); err != nil {
			return err
		}
	}
	if old.Recipient != s.Recipient && !s.Recipient.ID.IsZero() {
		if err := sharesIn.put(t, partyKey(s.Recipient, s.ID), here); err != nil {
			return err
		}
	}
	return shares.put(t, s.ID[:], s)
}

// DeleteShare implements share.Tx.
func (t *Tx) DeleteShare(s share.Share) error {
	if err := sharesOut.delete(t, partyKey(s.Creator, s.ID)); err != nil {
		return err
	}
	if !s.Recipient.ID.IsZero() {
		if err := sharesIn.delete(t, partyKey(s.Recipient, s.ID)); err != nil {
			return err
		}
	}
	return shares.delete(t, s.ID[:])
}

// Shares implements share.Tx.
func (t *Tx) Shares(after id.ID, limit int) (out []share.Share, err error) {
	err = shares.scan(t, page{After: slices.Clone(after[:]), Limit: limit}, func(_ []byte, s share.Share) error {
		out = append(out, s)
		return nil
	})
	return out, err
}

// Outbound implements share.Tx.
func (t *Tx) Outbound(creator policy.Principal) ([]share.Share, error) {
	return t.sharesOf(sharesOut, creator)
}

// Inbound implements share.Tx.
func (t *Tx) Inbound(recipient policy.Principal) ([]share.Share, error) {
	return t.sharesOf(sharesIn, recipient)
}

func (t *Tx) sharesOf(index rawTable, p policy.Principal) (out []share.Share, err error) {
	err = index.scan(t, page{Prefix: holderKey(p)}, func(key, _ []byte) error {
		s, ok, err := shares.get(t, key[len(key)-len(id.ID{}):])
		if ok {
			out = append(out, s)
		}
		return err
	})
	return out, err
}

// PendingShares implements share.Tx.
func (t *Tx) PendingShares(folded string) ([]id.ID, error) {
	n := t.name("share e-mail", folded)
	list, _, err := pendingShares.get(t, n[:])
	return list, err
}

// PutPendingShares implements share.Tx.
func (t *Tx) PutPendingShares(folded string, list []id.ID) error {
	n := t.name("share e-mail", folded)
	if len(list) == 0 {
		return pendingShares.delete(t, n[:])
	}
	return pendingShares.put(t, n[:], list)
}
