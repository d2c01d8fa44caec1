package share

import (
	"context"

	"github.com/oneclaw/oneclawd/internal/id"
	"github.com/oneclaw/oneclawd/vault/audit"
	"github.com/oneclaw/oneclawd/vault/identity"
	"github.com/oneclaw/oneclawd/vault/policy"
)

// endBatch is how many shares end in one transaction.
const endBatch = 200

// EndOf ends every share that a user made or that was for them, in any
// organisation, once their account is gone: whom theirs were for are told, as of
// a revocation. It can be repeated, and goes on where a crash left it.
func (s *Service) EndOf(ctx context.Context, user id.ID) error {
	who := policy.Principal{Type: policy.User, ID: user}
	for {
		var found []Share
		err := s.db.View(ctx, func(tx Tx) error {
			made, err := tx.Outbound(who)
			if err != nil {
				return err
			}
			got, err := tx.Inbound(who)
			found = append(made, got...)
			return err
		})
		if err != nil || len(found) == 0 {
			return err
		}
		found = found[:min(endBatch, len(found))]
		err = s.db.Update(ctx, func(tx Tx) error {
			for _, sh := range found {
				if err := s.end(tx, sh.ID, who); err != nil {
					return err
				}
			}
			return nil
		})
		if err != nil {
			return err
		}
	}
}

// end ends one share of a user who is gone, as it is by now.
func (s *Service) end(tx Tx, share id.ID, gone policy.Principal) error {
	sh, ok, err := tx.Share(share)
	if err != nil || !ok {
		return err
	}
	now := s.Now()
	e := event(identity.Principal{}, audit.ShareRevoke, share, &sh, now)
	e.Actor = audit.Actor{Type: "system"}
	e.Details["because"] = "account_deleted"
	if sh.Creator == gone {
		err = s.revoke(tx, sh, now)
	} else {
		err = sh.remove(tx)
	}
	if err != nil {
		return err
	}
	_, err = audit.Append(tx, e) // of no request: its answer is about the account
	return err
}
