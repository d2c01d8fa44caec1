package agents

import (
	"context"

	"github.com/oneclaw/oneclawd/internal/fault"
	"github.com/oneclaw/oneclawd/internal/id"
	"github.com/oneclaw/oneclawd/vault"
	"github.com/oneclaw/oneclawd/vault/audit"
	"github.com/oneclaw/oneclawd/vault/identity"
)

// DeliverHandles says whether an agent has values used for it and is shown none
// (handles), or is shown those that it may read. It holds from the next request
// on. Who may change the agent may change this; the agent itself may not.
func (s *Service) DeliverHandles(ctx context.Context, p identity.Principal, agent id.ID, handles bool) error {
	action := audit.AgentDeliverValues
	if handles {
		action = audit.AgentDeliverHandles
	}
	_, err := s.change(ctx, p, action, agent, func(_ vault.Tx, a *identity.Agent) (*fault.Error, error) {
		a.HandleOnly = handles
		return nil, nil
	})
	return err
}
