package identity

import (
	"context"

	"github.com/oneclaw/oneclawd/internal/txn"
	"github.com/oneclaw/oneclawd/vault/audit"
)

// Operate admits those who run the appliance, owners of the platform's
// organisation, to something that is no single organisation's, and records
// that they did it. Everybody else is refused.
func (s *Service) Operate(ctx context.Context, p Principal, action audit.Action) error {
	return txn.Decide(ctx, s.db, func(tx Tx) (refusal, err error) {
		e := p.Event(action, "appliance", "")
		e.Time = s.Now().UTC()
		platform, ok, err := tx.Platform()
		if err != nil {
			return nil, err
		}
		if !ok || p.IsAgent() || p.Role != RoleOwner || p.Org != platform {
			e.Outcome, e.Reason = audit.Refused, ErrDenied.Code
			return ErrDenied, audit.Write(ctx, tx, e)
		}
		return nil, audit.Write(ctx, tx, e)
	})
}
