package share

import (
	"fmt"

	"github.com/oneclaw/oneclawd/internal/id"
	"github.com/oneclaw/oneclawd/vault/audit"
	"github.com/oneclaw/oneclawd/vault/identity"
	"github.com/oneclaw/oneclawd/vault/policy"
)

// Claim is what the ways in call once they know that an address is a user's:
// in the transaction of signing up, confirming the address, or signing in.
type Claim func(tx identity.Tx, u identity.User) error

var _ Claim = ClaimHook

// ClaimHook is ClaimForEmail for callers that know less of the transaction.
func ClaimHook(tx identity.Tx, u identity.User) error {
	whole, ok := tx.(Tx)
	if !ok {
		return fmt.Errorf("share: a transaction of type %T has no shares", tx)
	}
	return ClaimForEmail(whole, u)
}

// ClaimForEmail turns what was offered to a user's address into offers to the
// user, who still has to accept them. It does nothing before the address is
// verified, and nothing the second time.
func ClaimForEmail(tx Tx, u identity.User) error {
	if !u.EmailVerified {
		return nil
	}
	folded, err := identity.FoldEmail(u.Email)
	if err != nil {
		return nil // it has no address that anything could be offered to
	}
	waiting, err := tx.PendingShares(folded)
	if err != nil || len(waiting) == 0 {
		return err
	}
	for _, w := range waiting {
		if err := claim(tx, w, u); err != nil {
			return err
		}
	}
	return tx.PutPendingShares(folded, nil)
}

func claim(tx Tx, share id.ID, u identity.User) error {
	s, ok, err := tx.Share(share)
	if err != nil || !ok || !s.Recipient.ID.IsZero() {
		return err
	}
	s.Recipient = policy.Principal{Type: policy.User, ID: u.ID}
	if err := tx.PutShare(s); err != nil {
		return err
	}
	e := audit.Event{
		Actor: audit.Actor{Type: policy.User, ID: u.ID}, Action: audit.ShareClaim,
		Resource: audit.Resource{Type: "share", ID: share.String()},
		Details:  audit.Details{"share_id": share.String()},
	}
	s.describe(&e)
	_, err = audit.Append(tx, e)
	return err
}

// claimNow claims a new share for the user whose verified address it is for,
// if there is one: who never signs in anew, having a key, gets it too.
func (s *Share) claimNow(tx Tx) error {
	folded, err := identity.FoldEmail(s.Email)
	if err != nil {
		return err
	}
	ref, ok, err := tx.UserByEmail(folded)
	if err != nil || !ok {
		return err
	}
	u, ok, err := tx.User(ref.Org, ref.User)
	if err == nil && ok && u.EmailVerified {
		s.Recipient = policy.Principal{Type: policy.User, ID: u.ID}
	}
	return err
}
