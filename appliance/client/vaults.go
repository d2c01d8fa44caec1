package client

import (
	"context"
	"net/http"

	"github.com/oneclaw/oneclawd/appliance/api"
)

// ListVaults lists the vaults the caller reaches.
func (c *Client) ListVaults(ctx context.Context) (api.VaultListResponse, error) {
	return do[api.VaultListResponse](ctx, c, call{method: http.MethodGet, path: "/v1/vaults"})
}
