package share

import (
	"context"
	"slices"
	"time"

	"github.com/oneclaw/oneclawd/internal/id"
	"github.com/oneclaw/oneclawd/internal/txn"
	"github.com/oneclaw/oneclawd/vault/audit"
	"github.com/oneclaw/oneclawd/vault/identity"
)

// Outbound lists what p shares, oldest first, with what was declined or has
// ended. Shares of a vault that was deleted went with it.
func (s *Service) Outbound(ctx context.Context, p identity.Principal) ([]Share, error) {
	return s.list(ctx, func(tx Tx) ([]Share, error) { return tx.Outbound(p.Policy()) }, Share.any)
}

// Inbound lists what is shared with p, oldest first, but for what p declined.
func (s *Service) Inbound(ctx context.Context, p identity.Principal) ([]Share, error) {
	return s.list(ctx, func(tx Tx) ([]Share, error) { return tx.Inbound(p.Policy()) }, Share.undeclined)
}

func (s Share) any() bool        { return true }
func (s Share) undeclined() bool { return s.DeclinedAt == nil }

func (s *Service) list(ctx context.Context, find func(Tx) ([]Share, error), keep func(Share) bool) ([]Share, error) {
	out := []Share{}
	err := s.db.View(ctx, func(tx Tx) error {
		all, err := find(tx)
		if err != nil {
			return err
		}
		for _, sh := range all {
			_, there, err := tx.Vault(sh.Org, sh.Vault)
			if err != nil {
				return err
			}
			if there && keep(sh) {
				out = append(out, sh)
			}
		}
		return nil
	})
	if err != nil {
		return nil, err
	}
	slices.SortFunc(out, func(a, b Share) int {
		if c := a.CreatedAt.Compare(b.CreatedAt); c != 0 {
			return c
		}
		return slices.Compare(a.ID[:], b.ID[:])
	})
	return out, nil
}

// Look returns a share to who made it or whom it is for, without its secret.
// For everybody else there is no such share.
func (s *Service) Look(ctx context.Context, p identity.Principal, share id.ID) (sh Share, err error) {
	var ok bool
	err = s.db.View(ctx, func(tx Tx) (err error) {
		sh, ok, err = tx.Share(share)
		return err
	})
	if err != nil {
		return Share{}, err
	}
	if ok && (sh.MadeBy(p) || sh.IsFor(p) && sh.DeclinedAt == nil) {
		return sh, nil
	}
	var found *Share
	if ok {
		found = &sh
	}
	e := event(p, audit.ShareRead, share, found, s.Now())
	return Share{}, txn.Decide(ctx, s.db, func(tx Tx) (error, error) { return refuse(ctx, tx, e, ErrNotFound) })
}

// How long a share that has ended still answers so instead of being unknown,
// and how many are looked at in one transaction.
const (
	keepEnded   = 30 * 24 * time.Hour
	forgetBatch = 500
)

// Forget removes shares that ended long ago and those of deleted vaults.
func (s *Service) Forget(ctx context.Context) error {
	var after id.ID
	for {
		var (
			page []Share
			dead []Share
		)
		err := s.db.View(ctx, func(tx Tx) (err error) {
			page, err = tx.Shares(after, forgetBatch)
			for i := 0; i < len(page) && err == nil; i++ {
				var there bool
				_, there, err = tx.Vault(page[i].Org, page[i].Vault)
				if !there || page[i].expired(s.Now().Add(-keepEnded)) {
					dead = append(dead, page[i])
				}
			}
			return err
		})
		if err != nil || len(page) == 0 {
			return err
		}
		after = page[len(page)-1].ID
		if len(dead) == 0 {
			continue
		}
		if err := s.db.Update(ctx, func(tx Tx) error { return removeAll(tx, dead) }); err != nil {
			return err
		}
	}
}

// removeAll removes shares as they are by now: somebody may have claimed one.
func removeAll(tx Tx, dead []Share) error {
	for _, d := range dead {
		sh, ok, err := tx.Share(d.ID)
		if err != nil {
			return err
		}
		if !ok {
			continue
		}
		if err := sh.remove(tx); err != nil {
			return err
		}
	}
	return nil
}
