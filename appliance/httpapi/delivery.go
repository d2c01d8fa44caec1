package httpapi

import (
	"context"

	"github.com/oneclaw/oneclawd/appliance/api"
	"github.com/oneclaw/oneclawd/internal/id"
	"github.com/oneclaw/oneclawd/vault/identity"
)

// The modes of api.Delivery.
const (
	deliverValue  = "value"
	deliverHandle = "handle"
)

func (s *Server) getDelivery(ctx context.Context, in *agentInput) (*reply[api.Delivery], error) {
	a, err := s.agents.Get(ctx, caller(ctx), in.AgentID)
	if err != nil {
		return nil, err
	}
	return answer(wireDelivery(a))
}

type deliveryInput struct {
	AgentID id.ID `path:"agent_id" format:"uuid"`
	Body    api.Delivery
}

func (s *Server) setDelivery(ctx context.Context, in *deliveryInput) (*reply[api.Delivery], error) {
	if err := s.agents.DeliverHandles(ctx, caller(ctx), in.AgentID, in.Body.Mode == deliverHandle); err != nil {
		return nil, err
	}
	return answer(in.Body)
}

func wireDelivery(a identity.Agent) api.Delivery {
	if a.HandleOnly {
		return api.Delivery{Mode: deliverHandle}
	}
	return api.Delivery{Mode: deliverValue}
}
