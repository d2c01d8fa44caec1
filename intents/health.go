package intents

import (
	"context"
	"slices"

	"github.com/oneclaw/oneclawd/intents/node"
	"github.com/oneclaw/oneclawd/internal/id"
	"github.com/oneclaw/oneclawd/vault/identity"
)

// NodeHealth is what is known of the nodes of a chain, in their order, for those
// who run the appliance. It asks the chain for its newest block first, so that
// nodes that nothing has needed yet are tried.
func (s *Service) NodeHealth(ctx context.Context, p identity.Principal, row id.ID) (c Chain, head uint64, nodes []node.Health, err error) {
	all, err := s.Registry(ctx, p)
	if err != nil {
		return c, 0, nil, err
	}
	i := slices.IndexFunc(all, func(c Chain) bool { return c.ID == row })
	if i < 0 {
		return c, 0, nil, ErrChainNotFound
	}
	n, ok := s.Nodes.Node(all[i])
	if !ok {
		return all[i], 0, nil, nil
	}
	newest, _ := n.Head(ctx) // why it failed is in the nodes' health
	return all[i], newest.Number, n.Health(), nil
}
