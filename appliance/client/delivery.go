package client

import (
	"context"
	"net/http"

	"github.com/oneclaw/oneclawd/appliance/api"
)

// GetAgentDelivery says whether an agent is shown the values that it may read.
func (c *Client) GetAgentDelivery(ctx context.Context, agent string) (api.Delivery, error) {
	return do[api.Delivery](ctx, c, call{method: http.MethodGet, path: route("v1", "agents", agent, "delivery")})
}

// SetAgentDelivery has an agent shown values, or use them by their handles only.
func (c *Client) SetAgentDelivery(ctx context.Context, agent string, in api.Delivery) (api.Delivery, error) {
	return do[api.Delivery](ctx, c, call{method: http.MethodPut, path: route("v1", "agents", agent, "delivery"), body: in, repeatable: true})
}
