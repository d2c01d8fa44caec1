package intents

import (
	"context"
	"strings"

	"github.com/oneclaw/oneclawd/internal/txn"
	"github.com/oneclaw/oneclawd/vault/audit"
	"github.com/oneclaw/oneclawd/vault/identity"
)

// maxReason bounds why signing was frozen or an approval denied, in bytes: 500
// letters of any script.
const maxReason = 2000

// Frozen says whether p's organisation signs nothing, and why.
func (s *Service) Frozen(ctx context.Context, p identity.Principal) (f Freeze, frozen bool, err error) {
	err = s.DB.View(ctx, func(tx Tx) (err error) {
		f, frozen, err = tx.Freeze(p.Org)
		return err
	})
	return f, frozen, err
}

// FreezeSigning stops all signing in p's organisation, from the next decision
// on. What is signed already cannot be called back from a chain.
func (s *Service) FreezeSigning(ctx context.Context, p identity.Principal, reason string) (Freeze, error) {
	f := Freeze{By: p.ID, Reason: bounded(reason, maxReason), At: s.now()}
	return f, s.changeFreeze(ctx, p, audit.SigningFreeze, func(tx Tx) error { return tx.PutFreeze(p.Org, f) })
}

// bounded is the beginning of a text, of at most so many bytes.
func bounded(s string, most int) string {
	return strings.ToValidUTF8(s[:min(len(s), most)], "")
}

// Thaw lets agents sign again.
func (s *Service) Thaw(ctx context.Context, p identity.Principal) error {
	return s.changeFreeze(ctx, p, audit.SigningThaw, func(tx Tx) error { return tx.DeleteFreeze(p.Org) })
}

func (s *Service) changeFreeze(ctx context.Context, p identity.Principal, action audit.Action, fn func(Tx) error) error {
	return txn.Decide(ctx, s.DB, func(tx Tx) (refusal, err error) {
		e := p.Event(action, "organisation", p.Org.String())
		e.Time = s.now()
		if !p.Manages() {
			return refuse(ctx, tx, e, ErrDenied)
		}
		if err := fn(tx); err != nil {
			return nil, err
		}
		return nil, audit.Write(ctx, tx, e)
	})
}
