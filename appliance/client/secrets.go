package client

import (
	"context"
	"net/http"
	"net/url"

	"github.com/oneclaw/oneclawd/appliance/api"
)

// ListSecrets lists what the caller may see of a vault below a prefix, without
// values.
func (c *Client) ListSecrets(ctx context.Context, vault, prefix string) (api.SecretListResponse, error) {
	q := url.Values{}
	if prefix != "" {
		q.Set("prefix", prefix)
	}
	return do[api.SecretListResponse](ctx, c, call{method: http.MethodGet, path: route("v1", "vaults", vault, "secrets"), query: q})
}

// GetSecret reads a secret's current value. It counts as a read.
func (c *Client) GetSecret(ctx context.Context, vault, path string) (api.SecretResponse, error) {
	return do[api.SecretResponse](ctx, c, call{method: http.MethodGet, path: secretRoute(vault, "secrets", path)})
}

// PutSecret writes a new version of a secret. It is not repeated after an
// answer that was lost: that would write another.
func (c *Client) PutSecret(ctx context.Context, vault, path string, in api.PutSecretRequest) (api.SecretMetadataResponse, error) {
	return do[api.SecretMetadataResponse](ctx, c, call{method: http.MethodPut, path: secretRoute(vault, "secrets", path), body: in})
}

// DeleteSecret deletes a secret with all its versions.
func (c *Client) DeleteSecret(ctx context.Context, vault, path string) error {
	_, err := do[nothing](ctx, c, call{method: http.MethodDelete, path: secretRoute(vault, "secrets", path)})
	return err
}
