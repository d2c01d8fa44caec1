package use

import (
	"context"
	"slices"

	"github.com/oneclaw/oneclawd/internal/id"
	"github.com/oneclaw/oneclawd/internal/plain"
	"github.com/oneclaw/oneclawd/vault/audit"
	"github.com/oneclaw/oneclawd/vault/identity"
)

// Credential is a new value for a binding, with what its caller believes of how it
// is sent. Name and User are checked if they are said.
type Credential struct {
	Type  AuthType
	Name  string // of the header or the parameter
	User  string
	Value plain.Bytes
}

// Rotate writes a new version of a binding's secret, by the caller's right to write
// it; the caller must manage the agent's bindings too. What the secret's
// metadata say stays, and so does the binding.
func (s *Service) Rotate(ctx context.Context, p identity.Principal, agent, binding id.ID, c Credential) (Binding, error) {
	var b Binding
	var why error
	err := s.db.View(ctx, func(tx Tx) (err error) {
		if why, err = mayBind(tx, p, agent); err != nil || why != nil {
			return err
		}
		all, err := tx.Bindings(agent)
		if err != nil {
			return err
		}
		i := slices.IndexFunc(all, func(b Binding) bool { return b.ID == binding })
		if i < 0 {
			why = ErrNoBinding
			return nil
		}
		b = all[i]
		return nil
	})
	if err != nil {
		return Binding{}, err
	}
	var value plain.Bytes
	if why == nil {
		value, why = b.Auth.valueOf(c)
	}
	if why != nil {
		return Binding{}, s.refused(ctx, bindingEvent(p, audit.BindingUpdate, agent, binding, s.now()), why)
	}
	if _, err := s.vaults.Replace(ctx, p, b.Vault, b.Path, value, b.means); err != nil {
		return Binding{}, err
	}
	return b, nil
}
